//! Technicians at a line: what they type, what they see, and that nothing they or the network send breaks a screen.
use crate::screen::{COLUMNS, ROWS, width};
use crate::{Answer, Language, Line, Options, Port, Terminal, run};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::Result;
use std::time::Duration;

/// A line with a script of what is typed.
#[derive(Default)]
struct Desk {
    typed: VecDeque<Line>,
    shown: String,
    /// What stood on the screen at each wait for a line.
    screens: Vec<String>,
    secrets: u32,
    rests: u32,
}

impl Desk {
    fn typing(lines: &[&str]) -> Desk {
        Desk { typed: lines.iter().map(|l| Line::Text((*l).to_owned())).collect(), ..Desk::default() }
    }
}

impl Terminal for Desk {
    fn show(&mut self, text: &str) -> Result<()> {
        self.shown.push_str(text);
        Ok(())
    }
    fn read(&mut self, secret: bool, _: Duration) -> Result<Line> {
        self.secrets += u32::from(secret);
        let from = self.screens.iter().map(String::len).sum::<usize>();
        self.screens.push(self.shown[from..].to_owned());
        Ok(self.typed.pop_front().unwrap_or(Line::End))
    }
    fn rest(&mut self, _: Duration) {
        self.rests += 1;
    }
}

/// A box that answers from a list.
struct Box_ {
    answers: Vec<(&'static str, Value)>,
    asked: Vec<String>,
    needed: bool,
    committed: Value,
    /// What a change is refused with.
    wrong: Option<Value>,
}

impl Box_ {
    fn new() -> Box_ {
        let trunk = json!({ "trunk": "carrier", "state": "down", "cause": "wrong_password", "detail": "403 Forbidden",
                            "calls": 0, "capacity": 30 });
        let status = json!({ "version": "0.1.0", "uptime_s": 90_061, "calls": 2, "call_limit": 60, "trunks": [trunk],
            "phones_registered": 1, "phones_configured": 5, "media_pid": 7, "generation": 3, "sip": "0.0.0.0:5060",
            "https": "0.0.0.0:8443", "addresses": ["192.0.2.7", "2001:db8::7"], "disk_free_bytes": 1_073_741_824 });
        let call = json!({ "started": 0, "caller": {"number": "+4930123", "name": "王小明"}, "called": {"number": "101", "name": "Ada"},
                           "stage": "bridged", "with": "101" });
        let phone = json!({ "extension": "101", "contacts": [{ "address": "192.0.2.50:5060", "transport": "udp", "user_agent": "evil\u{1b}[2J" }] });
        let event = json!({ "id": 4, "at": 0, "level": "warning", "kind": "trunk_down", "subject": "carrier",
                            "text": "trunk carrier is down" });
        let answers = vec![
            ("GET /api/v1/status", status),
            ("GET /api/v1/calls", json!([call])),
            ("GET /api/v1/trunks", json!([trunk])),
            ("GET /api/v1/phones", json!([phone])),
            ("GET /api/v1/events?limit=15", json!({ "items": [event], "next": null })),
            ("GET /api/v1/config/system", json!({ "name": "Dove Ltd", "time_zone": "Europe/Berlin" })),
            ("GET /api/v1/setup/code", json!({ "code": "K7QM-2XHD" })),
            ("PUT /api/v1/users/anna", json!({})),
            (
                "GET /api/v1/config",
                json!({ "generation": 3, "config": { "system": { "name": "Dove Ltd", "country": "DE" },
                    "extension": [{ "number": "101", "name": "Ada", "password": "kept-secret" }],
                    "agent": [{ "id": "7", "extension": "101" }] } }),
            ),
            ("GET /api/v1/network", json!({ "managed": true, "tried": { "left_s": 40, "token": "t0ken" } })),
            ("POST /api/v1/network/keep", json!(null)),
            ("POST /api/v1/time", json!(null)),
            (
                "POST /api/v1/capture",
                json!({ "running": true, "ends": 60_000, "messages": 1, "lines": [
                    { "at": 0, "sent": true, "peer": "192.0.2.50:5062", "first": "SIP/2.0 \u{1b}[2J 401 Unauthorized" }] }),
            ),
            ("POST /api/v1/update/restart", json!(null)),
            ("GET /api/v1/update/usb", json!([{ "name": "belfry-1.2.raucb", "bytes": 51_600_000 }])),
            ("POST /api/v1/update/usb", json!(null)),
            ("POST /api/v1/update/install", json!(null)),
            (
                "GET /api/v1/update",
                json!({ "version": "1.1", "work": null, "bundle": { "version": "1.2", "bytes": 51_600_000 },
                    "refused": { "en": "It is damaged.", "zh": "已损坏。" }, "impossible": null, "waiting": null }),
            ),
        ];
        Box_ { answers, asked: Vec::new(), needed: false, committed: Value::Null, wrong: None }
    }
}

impl Port for Box_ {
    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> std::result::Result<Answer, String> {
        let question = format!("{method} {path}");
        self.asked.push(question.clone());
        if question == "GET /api/v1/setup" {
            return Ok(Answer { status: 200, body: json!({ "needed": self.needed }) });
        }
        if question == "POST /api/v1/login" {
            let body = body.unwrap();
            let right = body["password"] == "right";
            return Ok(Answer {
                status: if right { 200 } else { 401 },
                body: json!({ "role": if body["user"] == "anna" { "admin" } else { "user" } }),
            });
        }
        let found = self.answers.iter().find(|(q, _)| *q == question);
        found
            .map(|(_, body)| Answer { status: 200, body: body.clone() })
            .ok_or_else(|| "no such thing".to_owned())
    }

    fn commit(&mut self, tree: &Value, based_on: u64) -> std::result::Result<Answer, String> {
        self.asked.push(format!("commit on {based_on}"));
        if let Some(body) = self.wrong.clone() {
            return Ok(Answer { status: 422, body });
        }
        self.committed = tree.clone();
        Ok(Answer { status: 200, body: json!({ "generation": based_on + 1 }) })
    }
}

fn session(lines: &[&str], options: Options) -> (Desk, Box_) {
    let (mut desk, mut port) = (Desk::typing(lines), Box_::new());
    run(&mut desk, &mut port, options).unwrap();
    (desk, port)
}

fn check(desk: &Desk) {
    for screen in &desk.screens {
        assert!(screen.trim_start_matches('\n').lines().count() <= ROWS, "{screen}");
        for line in screen.lines() {
            assert!(width(line) <= COLUMNS, "{} columns: {line:?}", width(line));
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn the_command_line_sets_shows_and_deletes_what_the_pages_can() {
    let lines = ["c", "show extension.101.name", "set network.vlan 42 system.name \"Dove House\"", "0", "0"];
    let (desk, port) = session(&lines, Options::default());
    check(&desk);
    assert!(desk.shown.contains("Ada\n") && desk.shown.contains("Done."), "{}", desk.shown);
    assert_eq!(port.committed["network"]["vlan"], 42);
    assert_eq!(port.committed["system"]["name"], "Dove House");
    assert!(port.asked.contains(&"commit on 3".to_owned()));

    let (desk, port) = session(&["c", "delete extension.101", "leave", "0"], Options::default());
    assert!(desk.shown.contains("is used by: agent 7"), "{}", desk.shown);
    assert_eq!(port.committed, Value::Null, "nothing was changed");
    let (_, port) = session(&["c", "delete extension.101 --cascade", "leave", "0"], Options::default());
    assert_eq!((&port.committed["extension"], &port.committed["agent"]), (&json!([]), &json!([])));
}

#[test]
fn a_network_change_is_kept_and_the_clock_set_from_the_line() {
    let lines =
        ["c", "network", "keep", "clock 2026-11-22 16:05:00", "clock soon", "dance", "help", "leave", "0"];
    for language in [Language::En, Language::Zh] {
        let (desk, port) = session(&lines, Options { login: false, language });
        check(&desk);
        assert!(desk.shown.contains("t0ken") && desk.shown.contains("--cascade"), "{}", desk.shown);
        assert!(port.asked.contains(&"POST /api/v1/network/keep".to_owned()));
        assert_eq!(port.asked.iter().filter(|q| *q == "POST /api/v1/time").count(), 1, "only a time is one");
    }
}

#[test]
fn what_does_not_go_is_said_in_words_and_once() {
    let lines = ["c", "keep", "schema zzz", "set system.country XX", "leave", "0"];
    let mut port = Box_::new();
    port.answers.retain(|(question, _)| *question != "GET /api/v1/network");
    port.answers.push(("GET /api/v1/network", json!({ "managed": true, "tried": null })));
    let wrong = "there is no profile for \"XX\"";
    let problem = json!({ "field": "system.country", "code": "unknown", "message": wrong });
    port.wrong = Some(json!({ "error": { "code": "invalid", "message": wrong, "problems": [problem] } }));
    let mut desk = Desk::typing(&lines);
    run(&mut desk, &mut port, Options::default()).unwrap();
    for text in
        ["No network change is on trial.", "No field begins so.", "system.country: there is no profile"]
    {
        assert!(desk.shown.contains(text), "{text}: {}", desk.shown);
    }
    assert_eq!(desk.shown.matches(wrong).count(), 1, "{}", desk.shown);
    assert!(!port.asked.contains(&"POST /api/v1/network/keep".to_owned()));
}

#[test]
fn a_factory_reset_wants_one_word_more_than_a_slip() {
    let (desk, port) = session(&["c", "factory-reset", "backup", "leave", "0"], Options::default());
    check(&desk);
    assert!(!port.asked.contains(&"POST /api/v1/reset".to_owned()), "{:?}", port.asked);
    assert!(port.asked.contains(&"POST /api/v1/backups".to_owned()));
    let (_, port) = session(&["c", "factory-reset everything", "leave", "0"], Options::default());
    assert!(port.asked.contains(&"POST /api/v1/reset".to_owned()));
}

#[test]
fn every_page_shows_what_it_is_for_and_fits() {
    for language in [Language::En, Language::Zh] {
        let lines = ["1", "", "2", "", "3", "", "4", "", "5", "", "6", "", "7", "", "x", "", "0"];
        let (desk, _) = session(&lines, Options { login: false, language });
        check(&desk);
        let expected = [
            "Dove Ltd",
            "0.1.0",
            "1 d 1:01:01",
            "+4930123 王小明",
            "403 Forbidden",
            "192.0.2.50:5060",
            "evil[2J",
            "https://192.0.2.7:8443/",
            "https://[2001:db8::7]:8443/",
            "K7QM-2XHD",
            "01:00:00",
        ];
        for text in expected {
            assert!(desk.shown.contains(text), "{language:?}: {text} in\n{}", desk.shown);
        }
        let (remedy, event) = match language {
            Language::En => ("wrong user name or password: check both", "trunk carrier is down"),
            Language::Zh => ("用户名或密码错误：请核对", "中继 carrier 中断"),
        };
        assert!(desk.shown.contains(remedy) && desk.shown.contains(event), "{}", desk.shown);
    }
}

#[test]
fn the_language_can_be_changed() {
    let (desk, _) = session(&["9", "1", "", "0"], Options::default());
    assert!(desk.shown.contains("运行时间"));
    check(&desk);
}

#[test]
fn a_local_shell_is_not_asked_and_a_serial_line_is() {
    let (desk, _) = session(&["0"], Options::default());
    assert_eq!(desk.secrets, 0);
    let serial = Options { login: true, language: Language::En };
    let (desk, port) = session(&["anna", "wrong", "uli", "right", "anna", "right", "7", "", "0"], serial);
    assert_eq!(desk.secrets, 3);
    assert_eq!(desk.rests, 0, "the third try was right");
    let before = desk.shown.find("K7QM").unwrap();
    assert!(desk.shown[..before].contains("no administrator"));
    assert!(port.asked.iter().filter(|q| *q == "POST /api/v1/login").count() == 3);
}

#[test]
fn three_wrong_tries_rest_and_nothing_is_shown_before() {
    let serial = Options { login: true, language: Language::En };
    let (desk, port) = session(&["anna", "a", "anna", "b", "anna", "c", "anna", "d"], serial);
    assert_eq!(desk.rests, 1);
    assert!(!port.asked.iter().any(|q| q.contains("code") || q.contains("calls")), "{:?}", port.asked);
}

#[test]
fn a_box_that_is_not_set_up_shows_its_code_on_the_serial_line() {
    let (mut desk, mut port) = (Desk::typing(&["7", "", "0"]), Box_::new());
    port.needed = true;
    run(&mut desk, &mut port, Options { login: true, language: Language::En }).unwrap();
    assert!(desk.shown.contains("K7QM-2XHD"));
}

#[test]
fn a_serial_line_that_nobody_types_on_waits_at_the_sign_in() {
    let (mut desk, mut port) = (Desk::typing(&[]), Box_::new());
    for line in [Line::Idle, Line::Idle, Line::Text("anna".into()), Line::Idle, Line::Idle] {
        desk.typed.push_back(line);
    }
    for line in ["anna", "right", "0"] {
        desk.typed.push_back(Line::Text(line.into()));
    }
    run(&mut desk, &mut port, Options { login: true, language: Language::En }).unwrap();
    assert!(desk.shown.contains("Command line"), "{}", desk.shown);
}

#[test]
fn an_idle_serial_line_is_signed_out() {
    let (mut desk, mut port) = (Desk::typing(&["anna", "right"]), Box_::new());
    desk.typed.push_back(Line::Idle);
    run(&mut desk, &mut port, Options { login: true, language: Language::En }).unwrap();
    assert!(desk.shown.contains("Signed out") && desk.shown.ends_with("Name: "), "{}", desk.shown);
}

#[test]
fn the_password_is_typed_twice_and_unseen() {
    let (desk, port) =
        session(&["8", "anna", "twelve white doves", "twelve white doves", "0"], Options::default());
    assert_eq!(desk.secrets, 2);
    assert!(desk.shown.contains("The password is set.") && !desk.shown.contains("twelve"));
    assert!(port.asked.contains(&"PUT /api/v1/users/anna".to_owned()));
    let (desk, port) = session(&["8", "anna", "one", "two", "0"], Options::default());
    assert!(desk.shown.contains("not the same") && !port.asked.iter().any(|q| q.starts_with("PUT")));
    let (desk, _) = session(&["8", "../../etc", "aaaaaaaaaa", "aaaaaaaaaa", "0"], Options::default());
    assert!(desk.shown.contains("does not answer") || desk.shown.contains("Refused"));
}

#[test]
fn a_dead_box_is_said_in_words() {
    struct Dead;
    impl Port for Dead {
        fn commit(&mut self, _: &Value, _: u64) -> std::result::Result<Answer, String> {
            Err("it is off".into())
        }
        fn ask(&mut self, _: &str, _: &str, _: Option<&Value>) -> std::result::Result<Answer, String> {
            Err("connection refused".into())
        }
    }
    let mut desk = Desk::typing(&["1", "", "6", "", "0"]);
    run(&mut desk, &mut Dead, Options::default()).unwrap();
    assert!(desk.shown.contains("The box does not answer: connection refused"));
    check(&desk);
}

/// Answers anything to anything.
struct Chaos(Value);

impl Port for Chaos {
    fn ask(&mut self, _: &str, _: &str, _: Option<&Value>) -> std::result::Result<Answer, String> {
        Ok(Answer { status: 200, body: self.0.clone() })
    }
    fn commit(&mut self, _: &Value, _: u64) -> std::result::Result<Answer, String> {
        Ok(Answer { status: 422, body: self.0.clone() })
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let field = prop_oneof![
        Just("trunks"),
        Just("contacts"),
        Just("items"),
        Just("caller"),
        Just("number"),
        Just("name"),
        Just("text"),
        Just("at"),
        Just("id"),
        Just("addresses"),
        Just("started"),
        Just("uptime_s"),
        Just("https"),
        Just("code"),
        Just("user_agent"),
        Just("detail"),
        Just("time_zone"),
    ];
    leaf.prop_recursive(4, 64, 30, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
            prop::collection::btree_map(field.clone(), inner, 0..12)
                .prop_map(|m| Value::Object(m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_typed_and_answered_every_screen_fits(
        body in any_json(),
        lines in prop::collection::vec(prop_oneof![3 => "[0-9c]", 2 => "(show|set|add|delete|schema|export|network|keep|clock|help) ?.{0,40}", 1 => ".{0,300}"], 0..30),
        zh in any::<bool>(),
        login in any::<bool>(),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut desk = Desk::typing(&lines);
        let language = if zh { Language::Zh } else { Language::En };
        run(&mut desk, &mut Chaos(body), Options { login, language }).unwrap();
        check(&desk);
    }
}

#[test]
fn a_technician_updates_from_a_stick() {
    let lines = [
        "c",
        "usb",
        "update belfry-1.2.raucb",
        "update",
        "install soon",
        "install idle",
        "help",
        "",
        "0",
        "0",
    ];
    let (desk, port) = session(&lines, Options::default());
    check(&desk);
    for text in [
        "52 MB    belfry-1.2.raucb",
        "type update to see",
        "Ready to be installed    1.2 (52 MB)",
        "It is damaged.",
    ] {
        assert!(desk.shown.contains(text), "{text}: {}", desk.shown);
    }
    let asked: Vec<&str> = port.asked.iter().map(String::as_str).filter(|q| q.contains("/update")).collect();
    let wanted = [
        "GET /api/v1/update/usb",
        "POST /api/v1/update/usb",
        "GET /api/v1/update",
        "POST /api/v1/update/install",
    ];
    assert_eq!(asked, wanted);
}

#[test]
fn a_technician_captures_and_restarts_from_the_line() {
    let lines = ["c", "capture 60", "capture soon", "restart", "restart idle", "leave", "0"];
    let (desk, port) = session(&lines, Options::default());
    check(&desk);
    assert!(
        desk.shown.contains("Capturing until") && desk.shown.contains("192.0.2.50:5062"),
        "{}",
        desk.shown
    );
    assert!(desk.shown.contains("Type: capture 60"), "{}", desk.shown);
    let asked = |what: &str| port.asked.iter().filter(|q| *q == what).count();
    assert_eq!((asked("POST /api/v1/capture"), asked("POST /api/v1/update/restart")), (1, 1));
}
