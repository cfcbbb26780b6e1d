//! The product's main job on the wire: Kamailio is the carrier, two baresip phones sit at the desk, SIPp callers come in
//! over the trunk, an SMTP server takes the mail, and the pages are read in Chromium. Sound is measured in both
//! directions at both ends.
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::Belfry;
use tests::harness::browser;
use tests::harness::kamailio::{ACCOUNT, Kamailio, PASSWORD};
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::smtp::Smtp;
use tests::harness::tone::{self, ToneParty};

const SOON: Duration = Duration::from_secs(15);
const AGENT_HZ: u16 = 1000;
const FIRST_HZ: f32 = 700.0;
const SECOND_HZ: f32 = 500.0;

fn site(lan: Lan) -> String {
    let (carrier, mail) = (lan.host(2), lan.host(4));
    format!(
        r#"
[system]
name = "First call"
country = "DE"
language = "en"
time_zone = "Europe/Berlin"

[mail]
host = "{mail}"
port = 2525
security = "none"
from = "pbx@example.com"

[[extension]]
number = "101"
name = "Anna"
password = "phone-one-secret"

[[extension]]
number = "102"
name = "Ben"
password = "phone-two-secret"
[extension.voicemail]
pin = "470815"
email = "ben@example.com"

[[agent]]
id = "101"
name = "Anna"
extension = "101"

[[queue]]
name = "sales"
strategy = "longest_idle"
agents = ["101"]
max_wait_s = 3
overflow = "voicemail:102"
record = "always"

[[trunk]]
name = "carrier"
kind = "register"
host = "{carrier}"
username = "{ACCOUNT}"
password = "{PASSWORD}"

[[inbound]]
name = "Main number"
number = "!"
to = "flow:welcome"

[[flow]]
name = "welcome"
start = "menu"

[flow.step.menu]
kind = "menu"
say = ["welcome", "menu-main"]
option = {{ 1 = "sales" }}
timeout_s = 5
retries = 2
on_timeout = "bye"
on_invalid = "bye"

[flow.step.sales]
kind = "queue"
queue = "sales"

[flow.step.bye]
kind = "hang_up"
say = []
"#
    )
}

fn phone(lan: Lan, n: u16, user: &str, password: &str, folder: &Path) -> Phone {
    let account = Account {
        port: lan.phone_port(n),
        registrar: lan.host(1),
        user,
        password,
        hz: AGENT_HZ,
        answers: true,
        lamp: user == "102",
    };
    Phone::start(&account, folder)
}

/// A caller behind the carrier who stays for `stay` once answered.
fn call(lan: Lan, host: u8, caller: &str, ear: &ToneParty, stay: Duration, folder: &Path) -> Process {
    let sipp = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(host), 5060)),
        remote: Some(SocketAddr::from((lan.host(2), 5060))),
        keys: vec![
            ("number", "+4930123456".into()),
            ("name", "Customer".into()),
            ("caller", caller.into()),
            ("rtp_ip", ear.address.ip().to_string()),
            ("rtp_port", ear.address.port().to_string()),
        ],
        more: ["-m", "1", "-d", &stay.as_millis().to_string()].map(str::to_owned).to_vec(),
    };
    sipp.start(&format!("caller-{host}"), folder)
}

#[test]
fn a_customer_reaches_an_agent_and_the_next_one_leaves_a_message() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let smtp = Smtp::start(lan.host(4), folder);
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let mut pbx = Belfry::start(lan, &site(lan), folder);
    pbx.until("the trunk is up", "/status", SOON, |s| s.to_string().contains(r#""state":"up""#));
    let anna = phone(lan, 0, "101", "phone-one-secret", folder);
    let ben = phone(lan, 1, "102", "phone-two-secret", folder);
    anna.wait_registered(SOON);
    ben.wait_registered(SOON);
    pbx.send("POST", "/agents/101/login", &serde_json::json!({}));
    let mut live = browser::read(&pbx, "first_call_live", folder);
    live.wait_for(browser::READING, SOON * 2);

    // The first customer presses 1 and is heard by Anna, and hears her.
    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 6000)), FIRST_HZ);
    let mut first = call(lan, 21, "+49301111", &ear, Duration::from_secs(16), folder);
    until("the customer hears the menu", SOON, || (ear.heard().frames.len() > 50).then_some(()));
    ear.press("1");
    anna.wait_for(&["CALL_ESTABLISHED"], SOON);
    until("the customer hears Anna", SOON, || {
        (ear.share_of(f32::from(AGENT_HZ), Duration::from_secs(1)) > 0.9).then_some(())
    });

    // The second finds no agent, waits three seconds with music, and leaves a message for Ben.
    let ear2 = ToneParty::open(SocketAddr::from((lan.host(22), 6000)), SECOND_HZ);
    let mut second = call(lan, 22, "+49302222", &ear2, Duration::from_secs(18), folder);
    until("the second customer hears the menu", SOON, || (ear2.heard().frames.len() > 50).then_some(()));
    ear2.press("1");
    assert!(first.wait(SOON * 3).success(), "{}", first.output());
    assert!(second.wait(SOON * 3).success(), "{}", second.output());
    let told = |hz: f32| tone::share_linear(&anna.heard(), hz);
    until("Anna heard the customer", SOON, || (told(FIRST_HZ) > 0.5).then_some(()));
    assert!(live.wait(SOON).success(), "{}", live.output());

    // The lamp lights, the mail is out, the sound is the customer's.
    ben.wait_for(&["MWI_NOTIFY", "yes"], SOON);
    let mail = until("the mail arrives", SOON, || smtp.mails().first().cloned());
    assert!(mail.contains("ben@example.com") && mail.contains("audio/"), "{mail}");
    let messages = pbx.get("/messages?mailbox=102");
    assert_eq!(messages.as_array().map(Vec::len), Some(1), "{messages}");
    let wav = pbx.get_bytes(&format!("/messages/{}/audio", messages[0]["message"]));
    assert!(
        tone::share(&tone::ulaw_of_wav(&wav, 0), SECOND_HZ) > 0.9,
        "the message holds the customer's tone"
    );

    // Both calls are in the history, each with its journey; the recording has one party on each channel.
    let history = pbx
        .until("both calls ended", "/history", SOON, |h| h["items"].as_array().is_some_and(|i| i.len() == 2));
    let items = history["items"].as_array().expect("checked").clone();
    let by = |caller: &str| {
        items.iter().find(|r| r["caller"]["number"] == caller).expect("one record a call").clone()
    };
    assert_eq!(by("+49301111")["outcome"], "answered");
    assert_eq!(by("+49301111")["agent"], "101");
    assert_eq!(by("+49302222")["outcome"], "voicemail");
    let journey = pbx.get(&format!("/history/{}", by("+49301111")["call"]));
    for step in ["trunk_in", "menu", "digit", "queue", "offered", "answered", "ended"] {
        assert!(
            journey["steps"].to_string().contains(&format!("\"{step}\"")),
            "{step} is missing in {journey}"
        );
    }
    let recording = journey["recordings"][0]["recording"].clone();
    let wav = pbx.get_bytes(&format!("/recordings/{recording}"));
    assert!(tone::share(&tone::ulaw_of_wav(&wav, 0), FIRST_HZ) > 0.9, "the left channel is the customer");
    assert!(tone::share(&tone::ulaw_of_wav(&wav, 1), f32::from(AGENT_HZ)) > 0.9, "the right channel is Anna");

    // The same is read on the pages afterwards, and listened to.
    let mut pages = browser::read(&pbx, "first_call_journey", folder);
    assert!(pages.wait(SOON * 4).success(), "the pages afterwards: {}", pages.output());
    let messages = pbx.get("/messages?mailbox=102");

    // The plug is pulled: nothing of this is lost.
    pbx.process.signal(nix::sys::signal::Signal::SIGKILL);
    pbx.restart();
    let after = pbx.get("/history");
    assert_eq!(after["items"], history["items"]);
    assert_eq!(pbx.get("/messages?mailbox=102"), messages);
}
