//! Four parties on the loopback, each with a tone of its own, and the real binary between them: a supervisor listens and
//! whispers, a colleague is asked and gets the customer. Who hears which tone says who hears whom.
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::ToneParty;

const SOON: Duration = Duration::from_secs(30);
/// What is looked at of what an ear hears.
const WINDOW: Duration = Duration::from_millis(800);
/// Less of a tone than this is none: 30 dB below the rest.
const NONE: f32 = 1e-3;
const CUSTOMER_HZ: f32 = 400.0;
const AGENT_HZ: f32 = 700.0;
const SUPERVISOR_HZ: f32 = 1000.0;
const COLLEAGUE_HZ: f32 = 1300.0;

/// A phone at this host that answers and waits for the end, with a tone as its voice.
fn callee(lan: Lan, host: u8, hz: f32, folder: &Path) -> (Process, ToneParty) {
    let voice = ToneParty::open(SocketAddr::from((lan.host(host), 0)), hz);
    let sipp = Sipp {
        scenario: "callee",
        local: SocketAddr::from((lan.host(host), 5090)),
        remote: None,
        keys: vec![
            ("rtp_ip", voice.address.ip().to_string()),
            ("rtp_port", voice.address.port().to_string()),
        ],
        more: vec![],
    };
    (sipp.start(&format!("callee-{host}"), folder), voice)
}

fn hears(who: &str, ear: &ToneParty, tones: &[f32], others: &[f32]) {
    until(&format!("{who} hears {tones:?} and not {others:?}"), SOON, || {
        let share = |hz: &f32| ear.share_of(*hz, WINDOW);
        (tones.iter().all(|hz| share(hz) > 0.2) && others.iter().all(|hz| share(hz) < NONE)).then_some(())
    });
}

#[test]
fn a_supervisor_whispers_and_a_colleague_gets_the_customer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        site::agents(lan, 31, 201, 1),
        site::agents(lan, 32, 205, 1),
        site::agents(lan, 33, 203, 1),
        site::queue(201, 1, "ring_all", "never"),
        site::lines(lan, "queue:floor"),
    ]
    .concat();
    let pbx = Belfry::start(lan, &text, folder);
    let (_agent, agent) = callee(lan, 31, AGENT_HZ, folder);
    let (_lead, lead) = callee(lan, 32, SUPERVISOR_HZ, folder);
    let (_third, third) = callee(lan, 33, COLLEAGUE_HZ, folder);
    let customer = ToneParty::open(SocketAddr::from((lan.host(21), 0)), CUSTOMER_HZ);
    let calling = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(21), 5060)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![
            ("number", "+4930123456".into()),
            ("name", "Customer".into()),
            ("caller", "+49301".into()),
            ("rtp_ip", customer.address.ip().to_string()),
            ("rtp_port", customer.address.port().to_string()),
        ],
        more: ["-m", "1", "-d", "120000"].map(str::to_owned).to_vec(),
    };
    let _calling = calling.start("customer", folder);

    hears("the customer", &customer, &[AGENT_HZ], &[]);
    let calls = pbx.get("/calls");
    let call = format!("/calls/{}", calls[0]["call"]);
    let act = |verb: &str, body: serde_json::Value| pbx.send("POST", &format!("{call}/{verb}"), &body);

    act("supervise", json!({ "how": "listen", "at": "205" }));
    hears("the supervisor", &lead, &[CUSTOMER_HZ, AGENT_HZ], &[SUPERVISOR_HZ]);
    hears("the agent", &agent, &[CUSTOMER_HZ], &[SUPERVISOR_HZ]);
    act("supervise", json!({ "how": "whisper", "at": "205" }));
    hears("the agent", &agent, &[CUSTOMER_HZ, SUPERVISOR_HZ], &[AGENT_HZ]);
    hears("the customer", &customer, &[AGENT_HZ], &[SUPERVISOR_HZ]);
    act("leave", json!({ "at": "205" }));
    hears("the agent", &agent, &[CUSTOMER_HZ], &[SUPERVISOR_HZ]);

    act("consult", json!({ "to": "203" }));
    hears("the agent", &agent, &[COLLEAGUE_HZ], &[CUSTOMER_HZ]);
    hears("the colleague", &third, &[AGENT_HZ], &[CUSTOMER_HZ]);
    act("transfer", json!({}));
    hears("the customer", &customer, &[COLLEAGUE_HZ], &[AGENT_HZ]);
    hears("the colleague", &third, &[CUSTOMER_HZ], &[AGENT_HZ]);
    pbx.send("DELETE", &call, &json!({}));
    pbx.until("nothing is left", "/calls", SOON, |c| c.as_array().is_some_and(Vec::is_empty));
    let kept = |all: &serde_json::Value| all["items"].as_array().is_some_and(|items| !items.is_empty());
    let records = pbx.until("the call is in the history", "/history?limit=10", SOON, kept);
    let items = records["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "one call: {records}");
    assert_eq!((&items[0]["agent"], &items[0]["answered_by"]), (&json!("201"), &json!("203")), "{records}");
}
