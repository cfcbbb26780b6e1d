//! A prompt of the site is spoken at a real phone, kept there, and heard by the next caller of a flow that names it.
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::until;
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::{self, ToneParty};

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
const SPOKEN_HZ: f32 = 700.0;
/// The caller's own tone; the box sends none of it back.
const CALLER_HZ: f32 = 400.0;

fn party(voice: &ToneParty) -> Vec<(&'static str, String)> {
    vec![("rtp_ip", voice.address.ip().to_string()), ("rtp_port", voice.address.port().to_string())]
}

#[test]
fn what_is_spoken_at_a_phone_is_heard_by_the_next_caller() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [site::head(), site::agents(lan, 31, 201, 1), site::lines(lan, "announcement")].concat();
    let pbx = Belfry::start(lan, &text, folder);
    let voice = ToneParty::open(SocketAddr::from((lan.host(31), 0)), SPOKEN_HZ);
    let phone = Sipp {
        scenario: "callee",
        local: SocketAddr::from((lan.host(31), 5090)),
        remote: None,
        keys: party(&voice),
        more: vec![],
    };
    let _phone = phone.start("phone", folder);

    pbx.send("POST", "/prompts/night/en/recorded", &json!({ "phone": "201" }));
    let speaks = |c: &Value| c[0]["stage"] == "service";
    let calls = pbx.until("the phone is answered", "/calls", LONG, speaks);
    let journey = format!("/history/{}", calls[0]["call"]);
    let reached = |detail: &str| {
        let has = |j: &Value| j["steps"].as_array().is_some_and(|s| s.iter().any(|s| s["detail"] == detail));
        pbx.until(detail, &journey, LONG, has);
    };
    reached("night: speak");
    // So long is what is said.
    std::thread::sleep(Duration::from_secs(2));
    voice.press("#");
    reached("night: recorded");
    voice.press("1");
    reached("night: kept");
    pbx.until("the phone was hung up on", "/calls", LONG, |c| c.as_array().is_some_and(Vec::is_empty));

    let kept = tone::ulaw_of_wav(&pbx.get_bytes("/prompts/night/en"), 0);
    assert!(kept.len() > 8_000 && tone::share(&kept, SPOKEN_HZ) > 0.9, "{} samples", kept.len());
    let history = pbx.get("/config/history");
    assert!(history["items"][0]["summary"].as_str().is_some_and(|s| s.contains("night")), "{history}");

    let flow = json!({ "name": "closed", "start": "say", "step": {
        "say": { "kind": "play", "say": ["prompt:night", "prompt:night", "prompt:night"], "next": "again" },
        "again": { "kind": "hang_up", "say": ["prompt:night"] },
    } });
    pbx.send("PUT", "/config/flow/closed", &flow);
    pbx.send("PUT", "/config/inbound", &json!([{ "name": "all", "number": "!", "to": "flow:closed" }]));
    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 0)), CALLER_HZ);
    let mut keys = party(&ear);
    keys.extend([
        ("number", "+4930123456".to_owned()),
        ("name", "Customer".to_owned()),
        ("caller", "+49301".to_owned()),
    ]);
    let caller = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(21), 5060)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: ["-m", "1", "-d", "60000"].map(str::to_owned).to_vec(),
    };
    let _caller = caller.start("caller", folder);
    until("the caller hears what was spoken", LONG, || {
        (ear.share_of(SPOKEN_HZ, Duration::from_millis(800)) > 0.8).then_some(())
    });
}
