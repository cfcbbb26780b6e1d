//! Chromium in front of the box of a wire test: a script of `tests/web` reads its pages as people do.
use super::belfry::{Belfry, binary};
use super::process::Process;
use std::path::Path;
use std::process::Command;

/// A script says this once its page is open and live.
pub const READING: &str = "reading";

/// The one who looks at the pages, and the password of that user.
const READER: (&str, &str) = ("reader", "a short sentence 7");

/// Starts `tests/web/SCRIPT.mjs` on the pages of the box; it ends well when it saw all it looks for.
///
/// # Panics
/// When the box has no pages inside, or the script cannot be started.
#[must_use]
pub fn read(pbx: &Belfry, script: &str, folder: &Path) -> Process {
    let page = pbx.page();
    assert!(page.contains("<script"), "this binary has no pages: BELFRY_UI=build cargo build -p belfry");
    let (user, password) = READER;
    // Administrator: as long as a box has none, every page is the set-up.
    let account = serde_json::json!({ "role": "admin", "password": password });
    pbx.send("PUT", &format!("/users/{user}"), &account);
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web/run"));
    command.arg(format!("{script}.mjs"));
    command.env("BELFRY_BIN", binary()).env("BELFRY_URL", format!("https://{}:8443", pbx.host));
    command.env("BELFRY_USER", user).env("BELFRY_PASSWORD", password);
    Process::start(script, &mut command, folder)
}
