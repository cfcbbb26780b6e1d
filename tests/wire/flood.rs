//! Strangers flood the real binary, from one address and from two hundred, while people call: every call comes up, speech is
//! not cut, a phone that comes in the middle registers and reaches 112, and the flood is soon not answered any more.
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::Belfry;
use tests::harness::flood::{Flood, Tally};
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::ToneParty;

const SOON: Duration = Duration::from_secs(15);
/// Messages a second that are asked for.
const RATE: u32 = 10_000;
const CALLS: usize = 40;

/// Desks that answer everybody, two real phones, a carrier behind which 112 is, and lines that call in.
fn site(lan: Lan) -> String {
    let phone = |n: &str| {
        format!(
            "\n[[extension]]\nnumber = \"{n}\"\nname = \"Phone {n}\"\npassword = \"secret-of-phone-{n}\"\n\
             outside_calls = \"internal\"\n"
        )
    };
    let desk = |n: &str, host: u8| {
        format!(
            "\n[[extension]]\nnumber = \"{n}\"\nname = \"Desk {n}\"\npassword = \"static-{n}-unused\"\n\
             contact = \"sip:{n}@{}:5090\"\n",
            lan.host(host)
        )
    };
    let carrier = format!(
        "\n[[trunk]]\nname = \"carrier\"\nkind = \"address\"\nhost = \"{}\"\nport = 5090\n\n[[outbound]]\n\
         name = \"all\"\nnumber = \"!\"\ntrunks = [\"carrier\"]\n",
        lan.host(32)
    );
    let lines = site::lines(lan, "extension:201");
    [site::head(), phone("101"), phone("102"), desk("201", 31), desk("202", 33), carrier, lines].concat()
}

fn answering(lan: Lan, host: u8, ear: &ToneParty, folder: &Path) -> Process {
    let callee = Sipp {
        scenario: "callee",
        local: SocketAddr::from((lan.host(host), 5090)),
        remote: None,
        keys: rtp(ear),
        more: vec!["-trace_msg".into(), "-message_file".into(), format!("{host}.msg")],
    };
    callee.start(&format!("callee-{host}"), folder)
}

fn rtp(ear: &ToneParty) -> Vec<(&'static str, String)> {
    vec![("rtp_ip", ear.address.ip().to_string()), ("rtp_port", ear.address.port().to_string())]
}

fn calling(lan: Lan, host: u8, ear: &ToneParty, more: &[&str], folder: &Path) -> Process {
    let mut keys = rtp(ear);
    keys.extend([
        ("number", "+4930123456".to_owned()),
        ("name", "Customer".to_owned()),
        ("caller", "+49301".to_owned()),
    ]);
    let caller = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(host), 15_000)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: more.iter().map(|m| (*m).to_owned()).collect(),
    };
    caller.start(&format!("caller-{host}"), folder)
}

fn account<'a>(lan: Lan, place: u16, user: &'a str, password: &'a str) -> Account<'a> {
    let (port, registrar) = (lan.phone_port(place), lan.host(1));
    Account { port, registrar, user, password, hz: 900, answers: true, lamp: false }
}

fn resident_kib(pid: &serde_json::Value) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the role runs");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("Linux tells it");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

fn frames(ear: &ToneParty) -> usize {
    ear.heard().frames.len()
}

/// Floods for a while; the source that got most for what it sent, and how many messages were sent a second.
fn flood(lan: Lan, sources: &[Ipv4Addr], length: Duration) -> (Tally, u64) {
    let flood = Flood::start(SocketAddr::from((lan.host(1), 5060)), sources, RATE);
    std::thread::sleep(length);
    let tallies = flood.stop();
    let sent: u64 = tallies.iter().map(|t| t.sent).sum();
    let greediest = tallies.into_iter().max_by_key(|t| t.got_bytes).expect("at least one source");
    (greediest, sent / length.as_secs())
}

#[test]
fn people_call_while_strangers_flood_and_the_flood_is_not_answered_for_long() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &site(lan), folder);
    let before = resident_kib(&pbx.status()["control_pid"]);
    let open = |host: u8, hz| ToneParty::open(SocketAddr::from((lan.host(host), 0)), hz);
    let (desk, centre, friend, crowd) = (open(31, 400.0), open(32, 500.0), open(33, 600.0), open(22, 700.0));
    let _callees =
        [(31, &desk), (32, &centre), (33, &friend)].map(|(host, ear)| answering(lan, host, ear, folder));
    let mut talker = Phone::start(&account(lan, 4, "102", "secret-of-phone-102"), folder);
    talker.wait_registered(SOON);
    talker.command("dial", &format!("sip:202@{}", lan.host(1)));
    until("two people talk", SOON, || (frames(&friend) > 50).then_some(()));

    let (start, heard) = (Instant::now(), frames(&friend));
    let calls = CALLS.to_string();
    let mut callers = calling(lan, 22, &crowd, &["-m", &calls, "-r", "4", "-d", "1000"], folder);
    let (one, rate) = flood(lan, &[Ipv4Addr::new(127, 250, 1, 1)], Duration::from_secs(5));
    assert!(rate > u64::from(RATE) / 10, "only {rate} messages a second were sent: no flood");
    assert!(one.got_bytes * 5 <= one.sent_bytes, "at most a fifth comes back to one source: {one:?}");

    // A phone the box has never seen comes while two hundred sources flood, and needs help.
    let many: Vec<Ipv4Addr> = (1..=200).map(|n| Ipv4Addr::new(127, 250, 2, n)).collect();
    let second = std::thread::spawn(move || flood(lan, &many, Duration::from_secs(8)));
    let mut lobby = Phone::start(&account(lan, 3, "101", "secret-of-phone-101"), folder);
    lobby.wait_registered(SOON);
    lobby.command("dial", &format!("sip:112@{}", lan.host(1)));
    lobby.wait_for(&["CALL_ESTABLISHED"], SOON);
    let (greediest, rate) = second.join().expect("the flood ends");
    assert!(rate > u64::from(RATE) / 10, "only {rate} messages a second were sent: no flood");
    assert!(greediest.got_bytes < 60 * 1024, "sixty answers at most: {greediest:?}");
    let messages = std::fs::read_to_string(folder.join("32.msg")).unwrap_or_default();
    assert!(messages.contains("INVITE sip:112@"), "the emergency centre was called");

    let expected = start.elapsed().as_millis() / 20;
    let heard = u128::try_from(frames(&friend) - heard).expect("a count");
    assert!(heard * 100 >= expected * 98, "{heard} of {expected} packets of speech were heard");
    let ended = callers.wait(SOON);
    assert!(ended.success(), "every call came up: {}", callers.output());
    let after = resident_kib(&pbx.status()["control_pid"]);
    assert!(after < before + 64 * 1024, "memory of control grew from {before} to {after} KiB");
    let bans = pbx.get("/bans").to_string();
    assert!(bans.contains("127.250.1.1\""), "the flooding source is banned: {bans}");
    assert!(!bans.contains("\"127.0.0.1\""), "the phone is not: {bans}");
}
