//! K7: the box in a network that ends at its own cable. Without any way out it takes calls, is managed and starts again, and
//! it never tries to reach anybody whom its site does not name. The kernel counts each try in a namespace of its own.
use nix::sys::signal::Signal;
use serde_json::json;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::sipp::Sipp;
use tests::harness::site;

const INSIDE: &str = "BELFRY_TEST_ALONE";
const CALLS: u32 = 5;
const SOON: Duration = Duration::from_secs(60);

#[test]
fn without_a_way_out_people_call_and_manage_and_nobody_outside_is_asked() {
    if std::env::var_os(INSIDE).is_some() {
        return alone();
    }
    let root = nix::unistd::geteuid().is_root();
    let out = Command::new("unshare")
        .arg(if root { "-n" } else { "-rn" })
        .args(["sh", "-c", "ip link set lo up && exec \"$0\" --exact --nocapture \"$1\""])
        .arg(std::env::current_exe().expect("a running test has a file"))
        .arg("without_a_way_out_people_call_and_manage_and_nobody_outside_is_asked")
        .env(INSIDE, "1")
        .output()
        .expect("unshare and ip are installed");
    let said = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(out.status.success(), "in a network namespace of its own: {said}");
    assert!(said.contains("1 passed"), "the test ran inside: {said}");
}

fn alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        site::agents(lan, 31, 201, 2),
        site::queue(201, 2, "longest_idle", "always"),
        site::lines(lan, "queue:floor"),
    ];
    let mut pbx = Belfry::start(lan, &text.concat(), folder);
    call_and_look(lan, &pbx, 1, folder);
    pbx.send(
        "PUT",
        "/config/extension/301",
        &json!({ "number": "301", "name": "New", "password": "long-enough-1" }),
    );
    pbx.process.signal(Signal::SIGTERM);
    assert!(pbx.process.wait(SOON).success(), "{}", pbx.process.output());
    pbx.restart();
    assert_eq!(pbx.get("/config/extension/301")["name"], "New", "what was set is there after the restart");
    call_and_look(lan, &pbx, 2, folder);
    assert_eq!(tries_outside(), 0, "somebody outside was asked");

    let stranger = SocketAddr::from(([192, 0, 2, 1], 53));
    let here = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    here.send_to(b"?", stranger).expect_err("there is no way out");
    let here = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).expect("a socket");
    here.send_to(b"?", "[2001:db8::1]:53").expect_err("there is no way out");
    assert_eq!(tries_outside(), 2, "a try is counted");
}

/// Customers reach agents; the pages and the history are there.
fn call_and_look(lan: Lan, pbx: &Belfry, round: u8, folder: &Path) {
    let agents = sipp("racing_agent", SocketAddr::from((lan.host(31), 5090)), None, &[]);
    let _agents = agents.start(&format!("agents-{round}"), folder);
    let calls = CALLS.to_string();
    let line = SocketAddr::from((lan.host(21), 6060 + u16::from(round)));
    let callers = sipp("racing_caller", line, Some(SocketAddr::from((lan.host(1), 5060))), &["-m", &calls]);
    let mut callers = callers.start(&format!("callers-{round}"), folder);
    let status = callers.wait(SOON);
    assert!(status.success(), "every caller reached an agent: {}", callers.output());

    let wanted = usize::from(round) * usize::try_from(CALLS).expect("small");
    pbx.until("the records are there", "/history?limit=50", SOON, |page| {
        let answered = |r: &&serde_json::Value| r["outcome"] == "answered";
        page["items"].as_array().is_some_and(|all| all.iter().filter(answered).count() == wanted)
    });
    let page =
        Command::new("curl").args(["-k", "-sS", "-f", &format!("https://{}:8443/", pbx.host)]).output();
    let page = page.expect("curl is installed");
    assert!(page.status.success() && !page.stdout.is_empty(), "{}", String::from_utf8_lossy(&page.stderr));
}

fn sipp<'a>(scenario: &'a str, local: SocketAddr, remote: Option<SocketAddr>, more: &[&str]) -> Sipp<'a> {
    let mut keys = vec![("rtp_ip", local.ip().to_string()), ("rtp_port", "9".to_owned())];
    let customer = [("number", "+4930123456"), ("name", "Customer"), ("caller", "+49301")];
    keys.extend(customer.map(|(key, value)| (key, value.to_owned())));
    Sipp { scenario, local, remote, keys, more: more.iter().map(|&w| w.to_owned()).collect() }
}

/// Packets that found no way out of this namespace, IPv4 and IPv6.
fn tries_outside() -> u64 {
    let four = std::fs::read_to_string("/proc/self/net/snmp").expect("the kernel counts");
    let mut lines = four.lines().filter(|l| l.starts_with("Ip:")).map(|l| l.split_whitespace());
    let (mut names, mut values) = (lines.next().expect("names"), lines.next().expect("values"));
    let place = names.position(|n| n == "OutNoRoutes").expect("a counter of Linux");
    let four: u64 = values.nth(place).and_then(|v| v.parse().ok()).expect("a number");
    let six = std::fs::read_to_string("/proc/self/net/snmp6").unwrap_or_default();
    let six = six.lines().find_map(|l| l.strip_prefix("Ip6OutNoRoutes")?.trim().parse::<u64>().ok());
    four + six.unwrap_or_default()
}
