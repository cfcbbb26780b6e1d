//! Carriers that require reliable provisional answers (RFC 3262) and session timers (RFC 4028), played by SIPp both ways:
//! every scenario checks the messages it gets and fails when one is not as the RFC asks. The shortest interval of a timer
//! is 90 s, so the calls run side by side and take a minute together.
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::{self, Sipp};
use tests::harness::site;

const SOON: Duration = Duration::from_secs(15);
/// A refresh after 45 s, the end without one after 60 s.
const LONG: Duration = Duration::from_secs(90);

fn site(lan: Lan) -> String {
    let desk = format!(
        "\n[[extension]]\nnumber = \"201\"\nname = \"Desk\"\npassword = \"static-201-unused\"\n\
         contact = \"sip:201@{}:5090\"\n",
        lan.host(31)
    );
    let carrier = format!(
        "\n[[trunk]]\nname = \"carrier\"\nkind = \"address\"\nhost = \"{}\"\nport = 5090\n\n[[outbound]]\n\
         name = \"all\"\nnumber = \"!\"\ntrunks = [\"carrier\"]\n",
        lan.host(32)
    );
    [site::head(), desk, carrier, site::lines(lan, "extension:201")].concat()
}

fn caller(lan: Lan, scenario: &str, host: u8, folder: &Path) -> Process {
    let sipp = Sipp {
        scenario,
        local: SocketAddr::from((lan.host(host), 5060)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![
            ("number", "+4930123456".into()),
            ("name", "Customer".into()),
            ("caller", format!("+4930{host}")),
            ("rtp_ip", lan.host(host).to_string()),
            ("rtp_port", "9".into()),
        ],
        more: ["-m", "1", "-recv_timeout", "90000"].map(str::to_owned).to_vec(),
    };
    sipp.start(scenario, folder)
}

#[test]
fn strict_carriers_are_confirmed_refreshed_and_a_call_nobody_refreshes_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let _desk = sipp::silent(lan, 31, 5090, "callee", folder);
    let callee = sipp::silent(lan, 32, 5090, "strict_callee", folder);
    let pbx = Belfry::start(lan, &site(lan), folder);
    let mut silent = caller(lan, "strict_caller", 21, folder);
    let mut refreshed = caller(lan, "refreshed_caller", 22, folder);
    pbx.send("POST", "/calls", &serde_json::json!({ "from": "201", "to": "0030999999" }));
    pbx.until("three calls are up", "/calls", SOON, |calls| {
        calls.as_array().is_some_and(|all| all.iter().filter(|c| c["stage"] == "bridged").count() == 3)
    });
    for (who, party) in [("refreshed caller", &mut refreshed), ("silent caller", &mut silent)] {
        let status = party.wait(LONG);
        assert!(status.success(), "{who}: {}", party.output());
    }
    let history = pbx.until("all calls are in the history", "/history?limit=10", SOON, |page| {
        page["items"].as_array().is_some_and(|all| all.iter().filter(|r| !r["ended"].is_null()).count() == 3)
    });
    let items = history["items"].as_array().expect("a list");
    let of = |caller: &str| {
        let record =
            items.iter().find(|r| r["caller"]["number"].as_str().is_some_and(|n| n.ends_with(caller)));
        record.unwrap_or_else(|| panic!("no call of {caller}: {history}"))
    };
    assert_eq!(of("3021")["cause"], "no sign of life from the other side");
    assert_eq!(of("3022")["cause"], "caller hung up");
    // The callee hangs up when it got its PRACK and its refresh as it asked for them; else it does nothing.
    assert_eq!(of("201")["cause"], "called party hung up", "{}", callee.output());
    let journey = pbx.get(&format!("/history/{}", of("3021")["call"]));
    let steps = journey["steps"].as_array().expect("a journey");
    let step = steps.iter().find(|s| s["kind"] == "expired").expect("the journey says how it ended");
    assert_eq!(step["detail"], "lines");
}
