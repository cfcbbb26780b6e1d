//! What the box says would happen to a call is what happens to it: random sites, callers, dialled numbers, hours, keys and
//! states of phones and queues are asked about, then called for real by SIPp, and the two journeys are compared step by
//! step. 30 cases a build, all at once on one box; `BELFRY_WHAT_IF=34` tells 34 boxes of 30 by hand.
use serde_json::{Value, json};
use sim::dice::Dice;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::Sipp;
use tests::harness::site;

/// Calls of one box.
const CASES: usize = 30;
/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(120);
/// The caller stays this long after the last step that is looked at, ms.
const STAY: u64 = 2_500;
/// A person presses a key this much after the simulated one, ms.
const LATER: u64 = 150;

/// A call, and what it meets. Nothing of it is shared with the calls beside it.
struct Case {
    caller: String,
    called: String,
    keys: Vec<String>,
    /// Parts of the site's text.
    parts: String,
    unstaffed: Option<String>,
    off: Vec<String>,
    ignored: Vec<String>,
}

/// What a phone does.
#[derive(Clone, Copy, PartialEq)]
enum Phone {
    Answers,
    Ignored,
    Off,
}

#[test]
fn thirty_random_calls_go_the_way_that_was_told_beforehand() {
    let boxes: u64 = std::env::var("BELFRY_WHAT_IF").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 1..=boxes {
        for kind in compare(seed) {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for kind in ["hours", "menu", "digit", "collect", "condition", "table", "queue", "answered", "voicemail"]
    {
        assert!(kinds.get(kind).copied().unwrap_or(0) > 0, "no call met a {kind}: {kinds:?}");
    }
}

/// Tells and calls 30 cases. The kinds of all steps.
fn compare(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let cases: Vec<Case> = (0..CASES).map(|n| Case::random(&mut dice, lan, n)).collect();
    let mut text = site::head() + &site::lines(lan, "hang_up");
    text.extend(cases.iter().map(|c| c.parts.as_str()));
    let pbx = Belfry::start(lan, &text, folder);
    let _answering = phones(lan, 31, "callee", folder);
    let _ignoring = phones(lan, 32, "ringer", folder);

    let told: Vec<Vec<Value>> = cases.iter().map(|case| told(&pbx, &cases, case)).collect();
    let calling: Vec<Process> = cases
        .iter()
        .zip(&told)
        .enumerate()
        .map(|(n, (case, told))| call(lan, n, case, told, folder))
        .collect();
    let all_over = |h: &Value| {
        h["items"].as_array().is_some_and(|i| i.iter().filter(|c| c["outcome"] != "open").count() == CASES)
    };
    let history = pbx.until("all calls are over", "/history?limit=200", LONG, all_over);
    drop(calling);
    for (case, told) in cases.iter().zip(&told) {
        let items = history["items"].as_array().expect("a list");
        let record = items.iter().find(|c| c["called"]["number"] == case.called.as_str());
        let record = record.unwrap_or_else(|| panic!("no call to {} in {history}", case.called));
        let journey = pbx.get(&format!("/history/{}", record["call"]));
        let happened = journey["steps"].as_array().expect("steps");
        let brief = |steps: &[Value]| -> Vec<(String, String)> {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            steps.iter().map(|s| (text(&s["kind"]), text(&s["detail"]))).collect()
        };
        let (told, happened) = (brief(told), brief(happened));
        let ends = told.last().is_some_and(|(kind, _)| kind == "ended");
        assert!(
            happened.starts_with(&told) && (!ends || happened.len() == told.len()),
            "seed {seed}, {} calls {} and presses {:?}\ntold:     {told:?}\nhappened: {happened:?}\n{}",
            case.caller,
            case.called,
            case.keys,
            case.parts
        );
    }
    told.iter().flatten().filter_map(|s| s["kind"].as_str().map(str::to_owned)).collect()
}

/// The steps that the box foretells, up to where a person or a mailbox has the call.
fn told(pbx: &Belfry, cases: &[Case], case: &Case) -> Vec<Value> {
    let all = |of: fn(&Case) -> &[String]| -> Vec<&String> { cases.iter().flat_map(of).collect() };
    let question = json!({
        "caller": case.caller,
        "called": case.called,
        "at": here("+%Y-%m-%dT%H:%M"),
        "keys": case.keys,
        "no_agents": cases.iter().filter_map(|c| c.unstaffed.as_ref()).collect::<Vec<_>>(),
        "off": all(|c| &c.off),
        "ignored": all(|c| &c.ignored),
    });
    let answer: Value = serde_json::from_slice(&pbx.send("POST", "/what-if", &question)).expect("JSON");
    let steps = answer["steps"].as_array().cloned().unwrap_or_default();
    assert!(steps.len() > 1, "{question} gives {answer}");
    let end = steps.iter().position(|s| s["kind"] == "answered" || s["kind"] == "voicemail");
    steps[..end.map_or(steps.len(), |at| at + 1)].to_vec()
}

/// The time of the site, by the machine's own tool.
fn here(format: &str) -> String {
    let out =
        Command::new("date").env("TZ", "Europe/Berlin").arg(format).output().expect("date is installed");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

fn phones(lan: Lan, host: u8, scenario: &str, folder: &Path) -> Process {
    let keys = vec![("rtp_ip", lan.host(host).to_string()), ("rtp_port", "9".to_owned())];
    let local = SocketAddr::from((lan.host(host), 5090));
    Sipp { scenario, local, remote: None, keys, more: vec![] }.start(scenario, folder)
}

/// The same call for real, with its keys at the same times.
fn call(lan: Lan, n: usize, case: &Case, told: &[Value], folder: &Path) -> Process {
    let offset = |s: &Value| s["offset_ms"].as_u64().unwrap_or(0);
    let (mut acts, mut at, mut number) = (String::new(), 0, 2);
    for step in told.iter().filter(|s| s["kind"] == "digit") {
        let gap = offset(step).saturating_sub(at) + if at == 0 { LATER } else { 0 };
        at = offset(step);
        let key = step["detail"].as_str().unwrap_or_default();
        let _ = write!(acts, "  <pause milliseconds=\"{gap}\"/>\n{}", info(number, key));
        number += 1;
    }
    let rest = told.last().map_or(0, offset).saturating_sub(at) + STAY;
    let text = std::fs::read_to_string(tests::harness::sipp::scenarios().join("presser.xml"))
        .expect("a scenario of this tree");
    let text = text.replace("<!-- KEYS -->", &acts).replace("REST", &rest.to_string());
    let text = text.replace("LAST", &number.to_string());
    let file = folder.join(format!("case-{n}"));
    std::fs::write(file.with_extension("xml"), text).expect("the test folder is writable");
    let port = 20_000 + u16::try_from(n).expect("small") * 2;
    let sipp = Sipp {
        scenario: &file.display().to_string(),
        local: SocketAddr::from((lan.host(21), port)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![("number", case.called.clone()), ("caller", case.caller.clone())],
        more: ["-m", "1"].map(str::to_owned).to_vec(),
    };
    sipp.start(&format!("case-{n}"), folder)
}

/// A key by INFO.
fn info(number: u32, key: &str) -> String {
    format!(
        "  <send retrans=\"500\"><![CDATA[\n\
         INFO [next_url] SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         [routes]\n\
         From: <sip:[caller]@[local_ip]>;tag=[pid]c[call_number]\n\
         To: <sip:[number]@[remote_ip]>[peer_tag_param]\n\
         Call-ID: [call_id]\n\
         CSeq: {number} INFO\n\
         Max-Forwards: 70\n\
         Content-Type: application/dtmf-relay\n\
         Content-Length: [len]\n\n\
         Signal={key}\n\
         Duration=160\n\
         ]]></send>\n  <recv response=\"200\"/>\n"
    )
}

impl Case {
    fn random(dice: &mut Dice, lan: Lan, n: usize) -> Case {
        let called = format!("+49307000{n:02}");
        let caller =
            dice.pick(&["+491701234567", "+4930555123", "+8613800138000", "+12125550100"]).to_string();
        let (phone, agent) = (format!("3{n:02}"), format!("5{n:02}"));
        let does = [Phone::Answers, Phone::Answers, Phone::Ignored, Phone::Off];
        let states = [*dice.pick(&does), *dice.pick(&[Phone::Answers, Phone::Answers, Phone::Ignored])];
        let staffed = dice.below(4) != 0;
        let mut parts = schedule(dice, n);
        parts += &extension(lan, &phone, states[0], &[5, 6][usize::from(dice.below(2) == 0)].to_string());
        parts += &extension(lan, &agent, states[1], "20");
        let _ = write!(
            parts,
            "\n[[agent]]\nid = \"{agent}\"\nname = \"Agent {agent}\"\nextension = \"{agent}\"\nalways_on = {staffed}\n"
        );
        parts += &queue(dice, n, &phone, &agent);
        parts += &flow(dice, n, &phone, &caller);
        parts += &rules(dice, n, &called, &phone);
        let with = |state: Phone| {
            let both = [(&phone, states[0]), (&agent, states[1])];
            both.into_iter().filter(|(_, s)| *s == state).map(|(n, _)| n.clone()).collect::<Vec<_>>()
        };
        let (off, ignored) = (with(Phone::Off), with(Phone::Ignored));
        let keys = keys(dice, &phone);
        Case { caller, called, keys, parts, unstaffed: (!staffed).then(|| format!("q{n}")), off, ignored }
    }
}

/// Open or closed now: all the week, never, a holiday today, or an hour around now.
fn schedule(dice: &mut Dice, n: usize) -> String {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let week = |hours: &str| days.map(|d| format!("{d} = \"{hours}\"")).join(", ");
    let (today, day) = (here("+%a").to_lowercase(), here("+%Y-%m-%d"));
    let hour: u32 = here("+%H").parse().unwrap_or(12);
    let around = format!("{:02}:00-{:02}:00", hour.saturating_sub(1), (hour + 2).min(24));
    let (week, holidays) = match dice.below(5) {
        0 => (week("00:00-24:00"), String::new()),
        1 => (week("00:00-24:00"), format!("\"{day}\"")),
        2 if (1..22).contains(&hour) => (format!("{} = \"{around}\"", &today), String::new()),
        3 if hour < 20 => (week("22:30-23:00"), String::new()),
        _ => (week("00:00-24:00"), "\"2026-12-24\"".to_owned()),
    };
    format!("\n[[schedule]]\nname = \"s{n}\"\nweek = {{ {week} }}\nholidays = [{holidays}]\n")
}

fn extension(lan: Lan, number: &str, phone: Phone, ring_s: &str) -> String {
    let contact = match phone {
        Phone::Answers => format!("contact = \"sip:{number}@{}:5090\"\n", lan.host(31)),
        Phone::Ignored => format!("contact = \"sip:{number}@{}:5090\"\n", lan.host(32)),
        Phone::Off => String::new(),
    };
    format!(
        "\n[[extension]]\nnumber = \"{number}\"\nname = \"Phone {number}\"\npassword = \"secret-{number}-unused\"\n\
         ring_timeout_s = {ring_s}\n{contact}[extension.voicemail]\n"
    )
}

fn queue(dice: &mut Dice, n: usize, phone: &str, agent: &str) -> String {
    let overflow = match dice.below(3) {
        0 => "hang_up".to_owned(),
        1 => format!("extension:{phone}"),
        _ => format!("voicemail:{phone}"),
    };
    let (wait, empty) = (7 + dice.below(2), dice.below(2) == 0);
    format!(
        "\n[[queue]]\nname = \"q{n}\"\nagents = [\"{agent}\"]\nring_timeout_s = 5\nmax_wait_s = {wait}\nwrap_up_s = 0\n\
         overflow_when_empty = {empty}\nannounce_position_s = 0\noverflow = \"{overflow}\"\n"
    )
}

/// A menu behind hours, a field, a condition and a table; where each of them leads is chance.
fn flow(dice: &mut Dice, n: usize, phone: &str, caller: &str) -> String {
    let ends = ["queue", "message", "bye"];
    let end = |dice: &mut Dice| dice.pick(&ends).to_string();
    let (silent, wrong, few) = (end(dice), end(dice), end(dice));
    let retries = dice.below(2);
    let test = dice.pick(&["begins", "contains", "is"]).to_string();
    let value = dice.pick(&["+4917", "55", "+8613800138000"]).to_string();
    let row = if dice.below(2) == 0 { caller } else { "+4999" };
    let closed = dice.pick(&["message", "bye"]).to_string();
    format!(
        r#"
[[flow]]
name = "f{n}"
start = "hours"
[flow.step]
hours = {{ kind = "hours", schedule = "s{n}", open = "line", closed = "closed" }}
closed = {{ kind = "play", say = ["closed-now"], next = "{closed}" }}
line = {{ kind = "set", field = "line", value = "to {{called}}", next = "who" }}
who = {{ kind = "condition", field = "caller", test = "{test}", value = "{value}", then = "desk", otherwise = "menu" }}
desk = {{ kind = "table", key = "{{caller}}", field = "desk", row = {{ "{row}" = "front" }}, next = "ring", otherwise = "menu" }}
menu = {{ kind = "menu", say = ["please-hold"], option = {{ 1 = "queue", 2 = "ask", 3 = "message", 4 = "bye", 5 = "chinese" }}, timeout_s = 4, retries = {retries}, on_timeout = "{silent}", on_invalid = "{wrong}" }}
chinese = {{ kind = "language", language = "zh", next = "ask" }}
ask = {{ kind = "collect", say = ["please-hold"], min = 3, max = 3, timeout_s = 4, retries = {retries}, next = "dial", otherwise = "{few}" }}
dial = {{ kind = "extension", otherwise = "queue" }}
ring = {{ kind = "extension", number = "{phone}" }}
queue = {{ kind = "queue", queue = "q{n}" }}
message = {{ kind = "voicemail", mailbox = "{phone}" }}
bye = {{ kind = "hang_up", say = ["goodbye"] }}
"#
    )
}

/// Who gets the call: by caller, by hour, by number.
fn rules(dice: &mut Dice, n: usize, called: &str, phone: &str) -> String {
    let mut out = String::new();
    let mut rule = |name: &str, more: &str, to: &str| {
        let _ =
            write!(out, "\n[[inbound]]\nname = \"{name} {n}\"\nnumber = \"{called}\"\n{more}to = \"{to}\"\n");
    };
    if dice.below(4) == 0 {
        rule("known", "caller = \"+4917!\"\n", &format!("extension:{phone}"));
    }
    if dice.below(4) == 0 {
        rule("open", &format!("schedule = \"s{n}\"\n"), &format!("queue:q{n}"));
    }
    let to = match dice.below(8) {
        0 => format!("queue:q{n}"),
        1 => format!("voicemail:{phone}"),
        _ => format!("flow:f{n}"),
    };
    rule("all", "", &to);
    out
}

fn keys(dice: &mut Dice, phone: &str) -> Vec<String> {
    let first = dice.pick(&["1", "1", "2", "2", "2", "3", "4", "5", "7"]).to_string();
    let then = match dice.below(4) {
        0 => "999".to_owned(),
        1 => "12".to_owned(),
        _ => phone.to_owned(),
    };
    match dice.below(8) {
        0 => Vec::new(),
        1 => vec!["8".to_owned(), first, then],
        _ => vec![first, then],
    }
}
