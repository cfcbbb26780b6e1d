//! Real callers speak to a menu with a person's voice: their RTP reaches a recogniser outside, PocketSphinx, as they speak, and
//! its words lead them to two phones. The same flow goes by keys while the recogniser is gone.
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::ToneParty;

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(120);
/// What the two phones say.
const SALES_HZ: f32 = 450.0;
const SUPPORT_HZ: f32 = 1000.0;
/// What callers say: recorded by a person (Debian's asterisk-core-sounds-en-wav).
const VOICE: &str = "/usr/share/asterisk/sounds/en_US_f_Allison/digits";
const MONDAY: &str = "day-1";
const THURSDAY: &str = "day-4";

struct Caller {
    voice: ToneParty,
    _sipp: Process,
}

fn voice_of(party: &ToneParty) -> Vec<(&'static str, String)> {
    vec![("rtp_ip", party.address.ip().to_string()), ("rtp_port", party.address.port().to_string())]
}

/// A phone that answers and says its tone.
fn phone(lan: Lan, host: u8, hz: f32, folder: &Path) -> (ToneParty, Process) {
    let voice = ToneParty::open(SocketAddr::from((lan.host(host), 0)), hz);
    let local = SocketAddr::from((lan.host(host), 5090));
    let sipp = Sipp { scenario: "callee", local, remote: None, keys: voice_of(&voice), more: vec![] };
    let process = sipp.start(&format!("phone-{host}"), folder);
    (voice, process)
}

impl Caller {
    /// Calls the menu, and is quiet.
    fn call(lan: Lan, port: u16, folder: &Path) -> Caller {
        let voice = ToneParty::open(SocketAddr::from((lan.host(21), 0)), 0.0);
        let mut keys = voice_of(&voice);
        let named = [("number", "+4930123456"), ("name", "Customer"), ("caller", "+49301")];
        keys.extend(named.map(|(key, value)| (key, value.to_owned())));
        let sipp = Sipp {
            scenario: "caller",
            local: SocketAddr::from((lan.host(21), port)),
            remote: Some(SocketAddr::from((lan.host(1), 5060))),
            keys,
            more: ["-m", "1", "-d", "300000"].map(str::to_owned).to_vec(),
        };
        Caller { _sipp: sipp.start(&format!("caller-{port}"), folder), voice }
    }

    /// Says it once the box says something, and is quiet.
    fn says(&self, word: &str) {
        let file = format!("{VOICE}/{word}.wav");
        let sox = Command::new("sox")
            .args([&file, "-t", "raw", "-r", "8000", "-e", "u-law", "-b", "8", "-"])
            .output();
        let sox = sox.expect("sox is installed");
        assert!(sox.status.success(), "{file}: {}", String::from_utf8_lossy(&sox.stderr));
        until("the menu is heard", LONG, || (!self.voice.heard().frames.is_empty()).then_some(()));
        self.voice.say(&sox.stdout);
    }

    fn hears(&self, hz: f32) {
        until(&format!("the caller hears {hz} Hz"), LONG, || {
            (self.voice.share_of(hz, Duration::from_millis(800)) > 0.8).then_some(())
        });
    }
}

fn menu(lan: Lan) -> String {
    let mut text = [site::head(), site::agents(lan, 31, 201, 1), site::agents(lan, 32, 202, 1)].concat();
    text += &site::lines(lan, "flow:hello");
    let _ = write!(
        text,
        "\n[audio.recogniser]\nen = \"ws://{}:2700\"\nanswer_ms = 3000\n\
         \n[[flow]]\nname = \"hello\"\nstart = \"menu\"\n\
         [flow.step.menu]\nkind = \"menu\"\nsay = [\"menu-main\"]\noption = {{ 1 = \"sales\", 2 = \"support\" }}\n\
         words = {{ 1 = [\"monday\", \"sunday\"], 2 = [\"thursday\", \"tomorrow\"] }}\ntimeout_s = 60\non_timeout = \"bye\"\n\
         [flow.step.sales]\nkind = \"extension\"\nnumber = \"201\"\n\
         [flow.step.support]\nkind = \"extension\"\nnumber = \"202\"\n\
         [flow.step.bye]\nkind = \"hang_up\"\n",
        lan.host(40)
    );
    text
}

/// What the journey of the newest call says of speech, once it says something.
fn speech(pbx: &Belfry) -> Vec<String> {
    let said = |journey: &Value| -> Vec<String> {
        let steps = journey["steps"].as_array().cloned().unwrap_or_default();
        let said = steps.iter().filter(|s| s["kind"] == "speech").filter_map(|s| s["detail"].as_str());
        said.map(str::to_owned).collect()
    };
    let calls = pbx.get("/calls");
    let newest = calls.as_array().and_then(|all| all.iter().filter_map(|c| c["call"].as_u64()).max());
    let path = format!("/history/{}", newest.expect("a call"));
    said(&pbx.until("the journey tells what was said", &path, LONG, |j| !said(j).is_empty()))
}

#[test]
fn what_callers_say_leads_them_to_two_phones_and_keys_do_while_the_recogniser_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/recogniser.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(lan.host(40).to_string()).arg("2700");
    let mut recogniser = Process::start("recogniser", &mut command, folder);
    recogniser.wait_for("listens", LONG);
    let pbx = Belfry::start(lan, &menu(lan), folder);
    let _sales = phone(lan, 31, SALES_HZ, folder);
    let _support = phone(lan, 32, SUPPORT_HZ, folder);

    for (port, voice, tone, told) in
        [(5061, MONDAY, SALES_HZ, "said: monday = 1"), (5062, THURSDAY, SUPPORT_HZ, "said: thursday = 2")]
    {
        let caller = Caller::call(lan, port, folder);
        caller.says(voice);
        caller.hears(tone);
        assert_eq!(speech(&pbx), [told]);
    }
    let heard = recogniser.output();
    assert!(heard.contains("told 8000 en monday sunday thursday tomorrow [unk]"), "{heard}");
    let samples = |line: &str| line.split(' ').nth(3).and_then(|n| n.parse::<usize>().ok());
    let all: Vec<usize> = heard.lines().filter_map(samples).collect();
    // Half a second of speech, what was before it, and the quiet that ends it.
    assert!(all.len() == 2 && all.iter().all(|n| (4_000..40_000).contains(n)), "{heard}");

    // Nobody understands them any more: the same flow by keys.
    drop(recogniser);
    let caller = Caller::call(lan, 5063, folder);
    caller.says(MONDAY);
    caller.voice.press("2");
    caller.hears(SUPPORT_HZ);
    let told = speech(&pbx);
    assert!(told.len() == 1 && told[0].starts_with("by keys: no connection"), "{told:?}");
    pbx.until("a person is told", "/events?limit=50", LONG, |events| {
        events.to_string().contains("the speech recogniser cannot be used")
    });
}
