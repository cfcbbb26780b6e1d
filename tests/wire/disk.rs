//! A disk that takes writes and loses them: every sync of the control process fails, as on a dying device. Calls go on,
//! nothing is acknowledged, and all of it is kept when the disk works again.
use nix::sys::signal::Signal;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::customer;
use tests::harness::site;

const SOON: Duration = Duration::from_secs(40);

fn kinds(pbx: &Belfry) -> Vec<String> {
    let events = pbx.get("/events?limit=50");
    let items = events["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|note| note["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn failing_syncs_acknowledge_nothing_and_stop_no_call() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let text = |name: &str| {
        [site::head().replace("\"Test\"", &format!("\"{name}\"")), site::lines(lan, "echo")].concat()
    };
    let pbx = Belfry::start(lan, &text("Before"), folder.path());
    let apply = |name: &str| {
        let file = folder.path().join("next.toml");
        std::fs::write(&file, text(name)).expect("the test folder is writable");
        pbx.run(&["config", "apply", file.to_str().expect("a plain name")])
    };
    assert!(customer(lan, 6000, 500, &[], folder.path()).wait(SOON).success());

    let control = pbx.status()["control_pid"].as_u64().expect("it runs").to_string();
    let calls = "fsync,fdatasync";
    let mut strace = Command::new("strace");
    strace.args(["-f", "-p", &control, "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:error=EIO")]);
    let mut broken = Process::start("strace", &mut strace, folder.path());
    broken.wait_for("attached", SOON);

    let refused = apply("While it fails");
    assert!(
        !refused.status.success(),
        "nothing is acknowledged: {}",
        String::from_utf8_lossy(&refused.stdout)
    );
    assert!(customer(lan, 6100, 500, &[], folder.path()).wait(SOON).success(), "calls go on");
    assert!(pbx.process.output().contains("the disk failed"), "{}", pbx.process.output());
    assert!(!kinds(&pbx).contains(&"disk_ok".to_owned()), "it has not healed");

    broken.signal(Signal::SIGTERM);
    broken.wait(SOON);
    pbx.until("both calls are in the history", "/history?limit=10", SOON, |history| {
        history["items"]
            .as_array()
            .is_some_and(|items| items.len() == 2 && items.iter().all(|i| i["outcome"] == "answered"))
    });
    pbx.until("the alarm and its end are noted", "/events?limit=50", SOON, |events: &Value| {
        let text = events.to_string();
        text.contains("disk_failed") && text.contains("disk_ok")
    });
    let taken = apply("After");
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    assert_eq!(pbx.get("/config")["config"]["system"]["name"], "After");
}
