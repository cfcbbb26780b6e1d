//! The plug is pulled, and half of the box is: what was acknowledged is there, what was said is kept, and calls that are
//! up are heard while control is down.
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::harness::belfry::Belfry;
use tests::harness::kamailio::Kamailio;
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::tone::{self, ToneParty};
use tests::harness::{site, tone::ulaw_of_wav};

const SOON: Duration = Duration::from_secs(15);
const CALLS: u8 = 20;

fn callees(lan: Lan, ear: &ToneParty, folder: &Path) -> Process {
    let sipp = Sipp {
        scenario: "callee",
        local: SocketAddr::from((lan.host(31), 5090)),
        remote: None,
        keys: vec![("rtp_ip", ear.address.ip().to_string()), ("rtp_port", ear.address.port().to_string())],
        more: vec![],
    };
    sipp.start("callees", folder)
}

fn caller(lan: Lan, n: u8, ear: &ToneParty, folder: &Path) -> Process {
    let sipp = Sipp {
        scenario: "caller",
        // SIPp takes 6000 and some above for sound it never sends.
        local: SocketAddr::from((lan.host(21), 15_000 + u16::from(n))),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![
            ("number", "+4930123456".into()),
            ("name", "Customer".into()),
            ("caller", format!("+4930{n:04}")),
            ("rtp_ip", ear.address.ip().to_string()),
            ("rtp_port", ear.address.port().to_string()),
        ],
        more: ["-m", "1", "-d", "60000"].map(str::to_owned).to_vec(),
    };
    sipp.start(&format!("caller-{n}"), folder)
}

fn calls_up(pbx: &Belfry, count: usize) -> Value {
    pbx.until("the calls are up", "/calls", SOON * 2, |calls| {
        calls.as_array().is_some_and(|c| c.iter().filter(|c| c["stage"] == "bridged").count() == count)
    })
}

fn site_text(lan: Lan) -> String {
    let agents = u32::from(CALLS);
    let parts = [
        site::head(),
        site::agents(lan, 31, 201, agents),
        site::queue(201, agents, "longest_idle", "always"),
        site::lines(lan, "queue:floor"),
        site::carrier(lan),
    ];
    parts.concat()
}

fn pid_of(pbx: &Belfry, role: &str) -> Pid {
    let status = pbx.status();
    let pid = status[format!("{role}_pid")].as_i64().unwrap_or_else(|| panic!("no {role}_pid in {status}"));
    Pid::from_raw(i32::try_from(pid).expect("a process id"))
}

#[test]
fn twenty_calls_are_cut_by_kill_nine_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let mut pbx = Belfry::start(lan, &site_text(lan), folder);
    let desk = ToneParty::open(SocketAddr::from((lan.host(31), 7000)), 400.0);
    let _callees = callees(lan, &desk, folder);
    let ears: Vec<ToneParty> =
        (0..CALLS).map(|_| ToneParty::open(SocketAddr::from((lan.host(21), 0)), 700.0)).collect();
    let _callers: Vec<Process> = (0..CALLS).map(|n| caller(lan, n, &ears[usize::from(n)], folder)).collect();
    calls_up(&pbx, usize::from(CALLS));
    let up = Instant::now();
    std::thread::sleep(Duration::from_secs(6));

    let said = up.elapsed();
    kill(pid_of(&pbx, "supervisor"), Signal::SIGKILL).expect("the box runs");
    let killed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let _ = pbx.process.wait(SOON);
    let restarted = Instant::now();
    pbx.restart();
    pbx.until("the trunk is registered again", "/status", SOON, |s| {
        s.to_string().contains(r#""state":"up""#)
    });
    let ear = ToneParty::open(SocketAddr::from((lan.host(22), 0)), 700.0);
    let _again = caller(lan, 99, &ear, folder);
    calls_up(&pbx, 1);
    let took = restarted.elapsed();
    assert!(took < Duration::from_secs(5), "trunk and calls came back after {took:?}");

    let history = pbx.get("/history?limit=100&outcome=interrupted");
    let cut = history["items"].as_array().expect("a list").clone();
    assert_eq!(cut.len(), usize::from(CALLS), "one closed record for each call: {history}");
    for record in &cut {
        let ended = record["ended"].as_i64().and_then(|ms| u128::try_from(ms).ok()).expect("an end");
        assert!(ended + 4_000 >= killed && ended <= killed + 1_000, "killed at {killed}: {record}");
        assert!(
            record["answered"].is_number() && record["agent"].is_string(),
            "who took it is kept: {record}"
        );
        let journey = pbx.get(&format!("/history/{}", record["call"]));
        let recording = journey["recordings"][0]["recording"].clone();
        let wav = pbx.get_bytes(&format!("/recordings/{recording}"));
        let left = ulaw_of_wav(&wav, 0);
        let kept = Duration::from_millis(u64::try_from(left.len()).expect("short") / 8);
        assert!(kept + Duration::from_secs(2) >= said, "kept {kept:?} of {said:?}");
        assert!(tone::share(&left, 700.0) > 0.9, "the customer is on the left channel");
    }
}

#[test]
fn calls_are_heard_while_control_is_down_and_it_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let pbx = Belfry::start(lan, &site_text(lan), folder);
    let desk = ToneParty::open(SocketAddr::from((lan.host(31), 7000)), 400.0);
    let _callees = callees(lan, &desk, folder);
    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 0)), 700.0);
    let _caller = caller(lan, 1, &ear, folder);
    calls_up(&pbx, 1);
    until("the caller hears the agent", SOON, || {
        (ear.share_of(400.0, Duration::from_secs(1)) > 0.9).then_some(())
    });

    let (control, media) = (pid_of(&pbx, "control"), pid_of(&pbx, "media"));
    let before = ear.heard().frames.len();
    kill(control, Signal::SIGKILL).expect("control runs");
    std::thread::sleep(Duration::from_secs(2));
    let frames = ear.heard().frames;
    let gaps = frames[before..].windows(2).map(|w| w[1].0 - w[0].0).max().expect("packets went on");
    assert!(gaps < Duration::from_millis(200), "the longest gap was {gaps:?}");
    assert!(ear.share_of(400.0, Duration::from_secs(1)) > 0.9, "still the agent's tone");

    until("control is back", SOON, || {
        let out = pbx.run(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&out.stdout).ok()?;
        (status["control_pid"].as_i64()? != i64::from(control.as_raw())).then_some(())
    });
    assert_eq!(pid_of(&pbx, "media"), media, "media was not touched");
    let ear = ToneParty::open(SocketAddr::from((lan.host(22), 0)), 700.0);
    let _again = caller(lan, 2, &ear, folder);
    calls_up(&pbx, 1);
}

#[test]
fn new_calls_are_heard_after_the_media_role_was_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let pbx = Belfry::start(lan, &site_text(lan), folder);
    let desk = ToneParty::open(SocketAddr::from((lan.host(31), 7000)), 400.0);
    let _callees = callees(lan, &desk, folder);
    let (control, media) = (pid_of(&pbx, "control"), pid_of(&pbx, "media"));
    kill(media, Signal::SIGKILL).expect("media runs");
    pbx.until("media is back", "/status", SOON, |s| {
        s["media_pid"].as_i64().is_some_and(|pid| pid != 0 && pid != i64::from(media.as_raw()))
    });
    assert_eq!(pid_of(&pbx, "control"), control, "control was not touched");
    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 0)), 700.0);
    let _caller = until("a new call is taken", SOON, || {
        let mut caller = caller(lan, 1, &ear, folder);
        std::thread::sleep(Duration::from_millis(500));
        caller.running().then_some(caller)
    });
    until("the caller hears the agent", SOON, || {
        (ear.share_of(400.0, Duration::from_secs(1)) > 0.9).then_some(())
    });
}

/// Asks for a call from phone 201 as a program with a key does; the status, or nothing when the box fell silent.
fn ask_for_call(data: &Path, to: &str) -> Option<u16> {
    let out = Command::new("curl")
        .arg("--unix-socket")
        .arg(data.join("run/control.sock"))
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "http://box/api/v1/calls"])
        .args(["-H", "content-type: application/json", "-H", &format!("idempotency-key: call-to-{to}")])
        .args(["-d", &serde_json::json!({ "from": "201", "to": to }).to_string()])
        .output()
        .expect("curl is installed");
    String::from_utf8_lossy(&out.stdout).parse().ok().filter(|code| *code != 0)
}

/// Calls to a number, those that are up and those on record.
fn calls_to(pbx: &Belfry, number: &str) -> usize {
    let (live, history) = (pbx.get("/calls"), pbx.get("/history?limit=100"));
    let all = live.as_array().into_iter().chain(history["items"].as_array()).flatten();
    let ids: BTreeSet<String> =
        all.filter(|c| c["called"]["number"] == number).map(|c| c["call"].to_string()).collect();
    ids.len()
}

#[test]
fn a_call_asked_for_twice_with_one_key_is_placed_once_also_across_kill_nine() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let mut pbx = Belfry::start(lan, &site_text(lan), folder);
    let desk = ToneParty::open(SocketAddr::from((lan.host(31), 7000)), 400.0);
    let _callees = callees(lan, &desk, folder);
    let mut placed = 0;
    for round in 0..8_u64 {
        let to = (202 + round).to_string();
        let asker = std::thread::spawn({
            let (data, to) = (pbx.data.clone(), to.clone());
            move || ask_for_call(&data, &to)
        });
        // From before the request arrives to after its answer.
        std::thread::sleep(Duration::from_millis(round * 15));
        kill(pid_of_process(&pbx), Signal::SIGKILL).expect("the box runs");
        let _ = pbx.process.wait(SOON);
        let first = asker.join().expect("curl was started");
        pbx.restart();
        let again = ask_for_call(&pbx.data, &to).expect("an answer");
        assert!(matches!(again, 200..=299 | 409), "round {round}: {again}");
        assert!(
            first.is_none_or(|code| !(200..300).contains(&code)) || again == 409,
            "round {round}: {first:?}, then {again}"
        );
        let calls = calls_to(&pbx, &to);
        placed += calls;
        assert!(calls <= 1, "round {round}: {calls} calls, answers {first:?} and {again}");
        assert!(again == 409 || calls == 1, "round {round}: {again}, but no call");
    }
    assert!(placed > 0, "the calls are found");
}

fn pid_of_process(pbx: &Belfry) -> Pid {
    Pid::from_raw(i32::try_from(pbx.process.pid()).expect("a process id"))
}
