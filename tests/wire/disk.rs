//! A disk that takes writes and loses them (every sync of the control process fails, as on a dying device), and one that is
//! full. Calls go on, nothing is acknowledged that is not kept, and all of it is kept when the disk works again.
use nix::sys::signal::Signal;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::disk;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::{Sipp, customer, silent};
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

const MAILBOX: &str = "+4930123499";

/// Calls go to an agent and are recorded; calls to [`MAILBOX`] leave a message.
fn office(lan: Lan) -> String {
    let mailbox = format!(
        "\n[[extension]]\nnumber = \"102\"\nname = \"Ben\"\npassword = \"phone-two-secret\"\n[extension.voicemail]\npin = \"470815\"\n\
         \n[[inbound]]\nname = \"mailbox\"\nnumber = \"{MAILBOX}\"\nto = \"voicemail:102\"\n"
    );
    let parts = [
        site::head(),
        mailbox,
        site::agents(lan, 31, 201, 1),
        site::queue(201, 1, "longest_idle", "always"),
        site::lines(lan, "queue:floor"),
    ];
    parts.concat()
}

/// Wants to leave a message and is sent away; the journey of the call.
fn sent_away(pbx: &Belfry, lan: Lan, folder: &Path) -> Value {
    let sipp = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(21), 6500)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![
            ("number", MAILBOX.into()),
            ("name", "Customer".into()),
            ("caller", "+49302".into()),
            ("rtp_ip", lan.host(21).to_string()),
            ("rtp_port", "9".into()),
        ],
        more: ["-m", "1", "-d", "60000"].map(str::to_owned).to_vec(),
    };
    let _stays = sipp.start("message", folder);
    pbx.until("the caller is sent away", "/history?limit=1", SOON, |h| {
        h["items"][0]["caller"]["number"] == "+49302" && !h["items"][0]["ended"].is_null()
    });
    journey(pbx)
}

/// What the box answers to a file.
fn uploaded(pbx: &Belfry, method: &str, path: &str, file: &Path) -> Value {
    let mut curl = Command::new("curl");
    curl.arg("--unix-socket").arg(pbx.data.join("run/control.sock")).args([
        "-sS",
        "-X",
        method,
        "--data-binary",
    ]);
    curl.arg(format!("@{}", file.display())).arg(format!("http://box/api/v1{path}"));
    let out = curl.output().expect("curl is installed");
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{path} is no JSON ({e}): {out:?}"))
}

/// Of the newest call.
fn journey(pbx: &Belfry) -> Value {
    let call = pbx.get("/history?limit=1")["items"][0]["call"].clone();
    pbx.get(&format!("/history/{call}"))
}

#[test]
fn a_full_disk_stops_no_call_and_is_said_to_callers_and_on_the_page_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let data = folder.join("data");
    disk::small(&data, 300);
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &office(lan), folder);
    let _agent = silent(lan, 31, 5090, "callee", folder);
    let call = |port| assert!(customer(lan, port, 1500, &[], folder).wait(SOON).success(), "calls go on");
    let over = |calls: usize| {
        pbx.until("every call is in the history once", "/history?limit=20", SOON, |h| {
            let items = h["items"].as_array().cloned().unwrap_or_default();
            items.len() == calls && items.iter().all(|i| !i["ended"].is_null())
        });
    };
    call(6000);
    over(1);
    assert_eq!(journey(&pbx)["recordings"].as_array().map(Vec::len), Some(1), "recorded");

    // Less than what recordings leave to the records.
    let filler = disk::Filler::leaving(&data, 40);
    pbx.until("the page says so", "/health", SOON, |h| {
        let guard = h.as_array().into_iter().flatten().find(|c| c["check"] == "disk_guard").cloned();
        guard.is_some_and(|guard| guard["state"] == "alarm")
    });
    call(6100);
    over(2);
    assert_eq!(journey(&pbx)["recordings"], serde_json::json!([]), "not recorded");
    let refused = sent_away(&pbx, lan, folder);
    assert!(refused["steps"].to_string().contains("disk full"), "{refused}");

    // Nothing at all.
    filler.take_all();
    call(6200);
    let file = folder.join("next.toml");
    std::fs::write(&file, office(lan).replace("\"Test\"", "\"Full\"")).expect("the test folder is writable");
    let apply = || pbx.run(&["config", "apply", file.to_str().expect("a plain name")]);
    let out = apply();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("The disk of the box is full"), "{said}");
    let numbers = folder.join("numbers.csv");
    std::fs::write(&numbers, "phone\n+49301234567\n".repeat(2000)).expect("the test folder is writable");
    let sound = folder.join("night.wav");
    std::fs::write(&sound, media::wav::file(&[0x55; 400_000])).expect("the test folder is writable");
    let files = [
        ("POST", "/lists/import?list=new&number=phone", &numbers),
        ("POST", "/barred/import", &numbers),
        ("POST", "/backups/upload", &numbers),
        ("PUT", "/prompts/night/en", &sound),
    ];
    for (method, path, file) in files {
        let told = uploaded(&pbx, method, path, file)["error"].clone();
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        assert!(text("message").contains("disk of the box is full"), "{path}: {told}");
        assert!(text("message_zh").contains("磁盘已满"), "{path}: {told}");
    }

    drop(filler);
    over(4);
    call(6300);
    over(5);
    assert_eq!(journey(&pbx)["recordings"].as_array().map(Vec::len), Some(1), "recorded again");
    assert!(apply().status.success());
    for kind in ["disk_filling", "disk_full", "disk_failed", "disk_ok", "disk_room"] {
        assert!(kinds(&pbx).contains(&kind.to_owned()), "{kind} is not among {:?}", kinds(&pbx));
    }
}
