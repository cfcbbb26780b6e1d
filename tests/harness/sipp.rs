//! SIPp: callers and callees whose audio is a [`super::tone::ToneParty`].
use super::lan::Lan;
use super::process::Process;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One run of a scenario of `tests/data/sipp`.
pub struct Sipp<'a> {
    /// File name without ending.
    pub scenario: &'a str,
    /// Where SIPp sits.
    pub local: SocketAddr,
    /// Who it talks to; `None` for a callee.
    pub remote: Option<SocketAddr>,
    /// Keys of the scenario: `[name]` → value.
    pub keys: Vec<(&'a str, String)>,
    /// Further arguments, e.g. `-m 20 -r 5`.
    pub more: Vec<String>,
}

/// Folder of the scenarios.
#[must_use]
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sipp")
}

/// A customer who calls the site's number over the trunk and stays for `ms` after the answer. `more`: what else SIPp is
/// told.
#[must_use]
pub fn customer(lan: Lan, port: u16, ms: u32, more: &[&str], folder: &Path) -> Process {
    let keys = vec![
        ("number", "+4930123456".into()),
        ("name", "Customer".into()),
        ("caller", "+49301".into()),
        ("rtp_ip", lan.host(21).to_string()),
        ("rtp_port", "9".into()),
    ];
    let ms = ms.to_string();
    let sipp = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(21), port)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: ["-m", "1", "-d", &ms].iter().chain(more).map(|word| (*word).to_owned()).collect(),
    };
    sipp.start(&format!("customer-{port}"), folder)
}

/// A party at this host and port that follows the scenario and sends no sound.
#[must_use]
pub fn silent(lan: Lan, host: u8, port: u16, scenario: &str, folder: &Path) -> Process {
    party(lan, host, port, scenario, &[], folder)
}

/// Everybody behind the trunk `lines`. Answers OPTIONS as well: a carrier where nobody does is taken for lost after half a
/// minute, and a busy machine needs longer for a test.
#[must_use]
pub fn people(lan: Lan, folder: &Path) -> Process {
    party(lan, 21, 5060, "party", &["-aa"], folder)
}

fn party(lan: Lan, host: u8, port: u16, scenario: &str, more: &[&str], folder: &Path) -> Process {
    let keys = vec![("rtp_ip", lan.host(host).to_string()), ("rtp_port", "9".to_owned())];
    let local = SocketAddr::from((lan.host(host), port));
    let more = more.iter().map(|word| (*word).to_owned()).collect();
    Sipp { scenario, local, remote: None, keys, more }.start(&format!("{scenario}-{host}"), folder)
}

impl Sipp<'_> {
    /// Starts it. Exit status 0 means that every call went as the scenario says.
    #[must_use]
    pub fn start(&self, name: &str, folder: &Path) -> Process {
        let mut command = Command::new("sipp");
        command.current_dir(folder);
        if let Some(remote) = self.remote {
            command.arg(remote.to_string());
        }
        command.arg("-sf").arg(scenarios().join(format!("{}.xml", self.scenario)));
        command.args(["-i", &self.local.ip().to_string(), "-p", &self.local.port().to_string()]);
        // SIPp takes media ports from 6000 on whether it needs them or not, and fails when another SIPp is faster, or a party
        // to whom the kernel gave one of them: it gives those from 32768 on.
        let media = 10_000 + self.local.port() % 2_000 * 10;
        command.args(["-mp", &media.to_string()]);
        // It ends when its calls have, and does not watch over the failed ones for half a minute.
        command.args(["-deadcall_wait", "0"]);
        command
            .args(["-nostdin", "-nd", "-trace_err", "-error_file"])
            .arg(folder.join(format!("{name}.err")));
        for (key, value) in &self.keys {
            command.args(["-key", key, value]);
        }
        command.args(&self.more);
        Process::start(name, &mut command, folder)
    }
}
