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

/// A WAV file of silence: what its header says of the sound, and how much there is.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, octets: u32) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend([tag.to_le_bytes(), channels.to_le_bytes()].concat());
    file.extend(rate.to_le_bytes());
    file.extend([0; 6]);
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(octets.to_le_bytes());
    file.resize(file.len() + octets as usize, 0);
    file
}

#[test]
fn a_sound_that_cannot_be_played_is_refused_in_both_languages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &[site::head(), site::lines(lan, "announcement")].concat(), folder.path());
    let sounds: [(Vec<u8>, &str); 8] = [
        (wav(1, 1, 96_000, 16, 8), "96000"),
        (wav(1, 9, 8000, 16, 8), "9"),
        (wav(3, 1, 8000, 32, 8), "32"),
        (wav(1, 1, 8000, 16, 0), "WAV"),
        (b"ID3 an MP3".to_vec(), "WAV"),
        (b"RIFF\0\0\0\0AVI LIST".to_vec(), "RIFF"),
        (b"RIFF\0\0\0\0WAVEdata\x01\0\0\0a".to_vec(), "WAV"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd".to_vec(), "WAV"),
    ];
    for (sound, fact) in sounds {
        let (english, chinese) = pbx.refused("PUT", "/prompts/night/en", &sound);
        assert!(english.contains(fact) && chinese.contains(fact), "{english} {chinese}");
    }
    let (_, chinese) = pbx.refused("PUT", "/prompts/a:b/zh", &wav(1, 1, 8000, 16, 8));
    assert!(chinese.contains("a:b"), "{chinese}");
    let spoken = "/prompts/night/zh/spoken";
    let (status, said) = pbx.try_to("POST", spoken, &json!({ "text": "" }));
    assert!(said["error"]["message_zh"].as_str().is_some_and(|zh| zh.contains("1000")), "{status} {said}");
    let (status, said) = pbx.try_to("POST", spoken, &json!({ "text": "Good night" }));
    let zh = said["error"]["message_zh"].as_str().unwrap_or_default();
    assert!(status == 422 && zh.contains("语音"), "no voice is set: {status} {said}");
    let (_, said) = pbx.try_to("POST", "/prompts/a:b/zh/recorded", &json!({ "phone": "201" }));
    assert!(said["error"]["message_zh"].as_str().is_some_and(|zh| zh.contains("a:b")), "{said}");
}
