//! Campaigns of tests: a site with one, and the judge of what it kept.
use super::lan::Lan;
use super::site;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Every number goes out by the trunk `lines`.
pub const OUTSIDE: &str = "\n[[outbound]]\nname = \"all\"\nnumber = \"!\"\ntrunks = [\"lines\"]\n";

/// A site whose queue `floor` of so many agents has the campaign `spring` by the law of the USA over the list `people`;
/// `more` are further lines of the campaign.
#[must_use]
pub fn site(lan: Lan, agents: u32, form: &str, more: &str) -> String {
    let campaign = text("spring", "people", form, "us");
    let parts = [
        site::head(),
        site::agents(lan, 31, 201, agents),
        site::queue(201, agents, "longest_idle", "never"),
        site::lines(lan, "queue:floor"),
        OUTSIDE.to_owned(),
        campaign,
        format!("ring_s = 15\n{more}\n"),
    ];
    parts.concat()
}

/// One campaign of the queue `floor`; lines of it may follow.
#[must_use]
pub fn text(name: &str, list: &str, form: &str, law: &str) -> String {
    format!(
        "\n[[campaign]]\nname = \"{name}\"\nqueue = \"floor\"\nlists = [\"{list}\"]\nform = \"{form}\"\nprofile = \"{law}\"\n\
         caller_id = \"+4930123456\"\noutside_calls = \"international\"\n"
    )
}

/// What `evidence.py`, which shares no code with the box, finds in the attempts of a campaign (JSON lines); `more` are
/// further arguments of it.
///
/// # Panics
/// When the script gives no verdict.
#[must_use]
pub fn judged(evidence: &Path, law: &str, more: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence.py");
    let out = Command::new("python3").arg(script).arg(evidence).args(["--law", law]).args(more).output();
    let out = out.expect("python3 is installed");
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("no verdict ({e}): {}", String::from_utf8_lossy(&out.stderr)))
}
