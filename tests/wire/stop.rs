//! An orderly stop while people talk: with `--drain` they finish and nobody new comes in; without it they get a BYE. Either
//! way every record is closed with its true end, not as cut off.
use nix::sys::signal::Signal;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::customer;
use tests::harness::site;

const SOON: Duration = Duration::from_secs(20);

/// A caller over the trunk who listens to the echo for `ms`.
fn caller(lan: Lan, port: u16, ms: u32, folder: &Path) -> Process {
    // An unexpected answer or BYE ends the call: that is what is looked for here.
    customer(lan, port, ms, &["-default_behaviors", "all"], folder)
}

fn start(lan: Lan, folder: &Path, flags: &[&str]) -> Belfry {
    let text = [site::head(), site::lines(lan, "echo")].concat();
    Belfry::start_with(lan, &text, folder, flags)
}

fn answered(pbx: &Belfry) {
    pbx.until("the call is answered", "/calls", SOON, |calls| {
        calls.as_array().is_some_and(|c| c.iter().any(|c| c["stage"] == "service"))
    });
}

/// The one record, read by the next start.
fn record(pbx: &mut Belfry) -> Value {
    pbx.restart();
    let history = pbx.get("/history?limit=10");
    let items = history["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{history}");
    items[0].clone()
}

#[test]
fn with_drain_a_call_ends_as_its_people_want_and_new_ones_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let mut pbx = start(lan, folder.path(), &["--drain"]);
    let mut first = caller(lan, 6000, 4000, folder.path());
    answered(&pbx);
    pbx.process.signal(Signal::SIGTERM);
    pbx.process.wait_for("stopping", SOON);
    let mut late = caller(lan, 6100, 1000, folder.path());
    assert!(!late.wait(SOON).success(), "a new call is refused");

    assert!(first.wait(SOON).success(), "the call ended by its own BYE: {}", first.output());
    assert!(pbx.process.wait(SOON).success());
    let record = record(&mut pbx);
    assert_eq!(record["outcome"], "answered", "{record}");
    assert!(record["duration_ms"].as_u64().is_some_and(|ms| ms >= 3_500), "{record}");
}

#[test]
fn without_drain_a_call_gets_a_bye_and_its_record_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let mut pbx = start(lan, folder.path(), &[]);
    let mut talking = caller(lan, 6000, 60_000, folder.path());
    answered(&pbx);
    pbx.process.signal(Signal::SIGTERM);
    assert!(pbx.process.wait(SOON).success());
    talking.wait(SOON);
    let record = record(&mut pbx);
    assert_eq!(record["outcome"], "answered", "{record}");
    assert!(record["ended"].is_number(), "{record}");
}
