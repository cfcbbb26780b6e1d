//! The live socket over a real upgraded connection: snapshots, deltas, filters by role, and how it ends.
use super::common::{Bench, Browser, bench};
use crate::guard::{Asker, Peer, Proof};
use crate::live::scope::Scope;
use crate::server::connection;
use axum::http::StatusCode;
use model::clock::Wall;
use model::id::{CallId, Generation, MessageId};
use model::notice::{AgentView, CallView, Notice, QueueView};
use model::number::Number;
use model::query::{Own, Role};
use model::record::{AgentState, Direction, MessageRecord, Party};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;

fn call(id: u64, from: &str, to: &str, with: &str) -> Notice {
    let party = |n: &str| Party { number: n.into(), name: String::new() };
    Notice::Call(CallView {
        call: CallId(id),
        direction: Direction::Internal,
        caller: party(from),
        called: party(to),
        trunk: None,
        stage: "ringing".into(),
        with: with.into(),
        started: Wall(0),
        since: Wall(0),
        recording: false,
        recording_paused: false,
        muted: Vec::new(),
        others: Vec::new(),
    })
}

fn agent(id: &str, state: AgentState) -> Notice {
    Notice::Agent(AgentView {
        agent: id.into(),
        name: "Ada".into(),
        extension: "101".into(),
        reachable: true,
        state,
        since: Wall(0),
        cause: "login code".into(),
        call: None,
        calls: 0,
        missed: 0,
        queues: Vec::new(),
        wrap_code_due: false,
        reason_text: None,
        overdue: false,
    })
}

fn queue(answered: u32) -> Notice {
    Notice::Queue(QueueView {
        queue: "support".into(),
        waiting: Vec::new(),
        ready: 0,
        busy: 0,
        logged_in: 0,
        offered: 0,
        answered,
        abandoned: 0,
        overflowed: 0,
        in_level: 0,
        wait_ms: 0,
        wait_from_s: None,
        wait_to_s: None,
        promised: 0,
        callbacks: Vec::new(),
    })
}

fn message(id: u64, mailbox: &str) -> Notice {
    Notice::Message(MessageRecord {
        message: MessageId(id),
        mailbox: Number::read(mailbox).unwrap(),
        call: CallId(1),
        caller: Party::default(),
        at: Wall(0),
        ms: 1,
        path: "x.wav".into(),
        heard: false,
        mail_to: None,
    })
}

/// A page with its socket open.
struct Page {
    stream: DuplexStream,
    _stop: watch::Sender<bool>,
}

async fn open(bench: &Bench, who: &Browser, origin: &str) -> Result<Page, String> {
    let mut page = open_at(bench, who, origin, "/api/v1/live").await?;
    assert_eq!(page.next().await["type"], "hello");
    Ok(page)
}

async fn open_at(bench: &Bench, who: &Browser, origin: &str, path: &str) -> Result<Page, String> {
    let (stream, other) = duplex(1024 * 1024);
    let (stop, stopped) = watch::channel(false);
    let peer = Peer::Net(IpAddr::from([192, 0, 2, 1]));
    tokio::spawn(connection(other, bench.router.clone(), peer, stopped));
    let mut page = Page { stream, _stop: stop };
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: box.lan\r\nOrigin: {origin}\r\nCookie: {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        who.cookie
    );
    page.stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(page.stream.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    if !answer.starts_with("HTTP/1.1 101") {
        return Err(answer.lines().next().unwrap_or_default().to_owned());
    }
    Ok(page)
}

async fn page_of(bench: &Bench, user: &str) -> Page {
    let browser = bench.sign_in(user).await;
    open(bench, &browser, "https://box.lan").await.unwrap()
}

impl Page {
    async fn say(&mut self, text: &str) {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126, "short frames only");
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn watch(&mut self, id: u32, topic: &str) -> Value {
        self.say(&json!({ "type": "sub", "id": id, "topic": topic }).to_string()).await;
        self.next().await
    }

    /// The next text frame; `Null` when the socket was closed.
    async fn next(&mut self) -> Value {
        let waiting = tokio::time::timeout(Duration::from_secs(100), self.frame());
        waiting.await.expect("a frame within a hundred virtual seconds")
    }

    async fn frame(&mut self) -> Value {
        let Ok(first) = self.stream.read_u8().await else { return Value::Null };
        let length = match self.stream.read_u8().await.unwrap() {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => usize::try_from(self.stream.read_u64().await.unwrap()).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.unwrap();
        if first == 0x81 { serde_json::from_slice(&payload).unwrap() } else { Value::Null }
    }
}

fn tell(bench: &Bench, notices: impl IntoIterator<Item = Notice>) {
    notices.into_iter().for_each(|n| bench.app.inbox().put(n));
    bench.app.hub.fold();
}

#[tokio::test(start_paused = true)]
async fn a_page_gets_a_snapshot_then_numbered_changes() {
    let bench = bench();
    tell(&bench, [call(1, "101", "102", "102"), call(2, "103", "102", "102")]);
    let mut page = page_of(&bench, "anna").await;
    let snap = page.watch(1, "calls").await;
    assert_eq!(
        (&snap["type"], &snap["rev"], &snap["data"]["1"]["caller"]["number"]),
        (&json!("snap"), &json!(1), &json!("101"))
    );
    tell(&bench, [call(3, "101", "102", "102"), Notice::CallGone(CallId(1))]);
    let delta = page.next().await;
    assert_eq!((&delta["rev"], &delta["del"]), (&json!(2), &json!(["1"])));
    assert_eq!(delta["up"].as_object().unwrap().keys().collect::<Vec<_>>(), ["3"]);
    let again = page.watch(1, "calls").await;
    assert_eq!(
        (&again["rev"], again["data"].as_object().unwrap().len()),
        (&json!(3), 2),
        "a new snapshot on wish"
    );
    page.say(r#"{"type":"ping"}"#).await;
    assert_eq!(page.next().await["type"], "pong");
}

#[tokio::test(start_paused = true)]
async fn many_changes_of_a_queue_become_few_frames_with_the_last_state() {
    let bench = bench();
    tell(&bench, [queue(0)]);
    let mut page = page_of(&bench, "sam").await;
    page.watch(1, "queues").await;
    for answered in 1..=100 {
        tell(&bench, [queue(answered)]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut frames = 0;
    loop {
        let frame = page.next().await;
        frames += 1;
        if frame["up"]["support"]["answered"] == 100 {
            break;
        }
    }
    assert!((2..=6).contains(&frames), "a second of changes in {frames} frames");
}

#[tokio::test(start_paused = true)]
async fn a_slow_page_gets_the_last_state_not_a_backlog() {
    let bench = bench();
    let mut page = page_of(&bench, "anna").await;
    page.watch(1, "calls").await;
    // The page does not read; ten thousand changes pass by.
    for i in 0..10_000 {
        tell(&bench, [call(i % 50, "101", "102", &format!("{i}"))]);
    }
    let delta = page.next().await;
    let up = delta["up"].as_object().unwrap();
    assert_eq!((up.len(), &up["49"]["with"]), (50, &json!("9999")));
}

#[tokio::test(start_paused = true)]
async fn each_role_sees_its_own_part() {
    let bench = bench();
    let everything = [
        call(1, "101", "+4930", ""),
        call(2, "+4930", "support", "7"),
        call(3, "102", "103", "103"),
        agent("7", AgentState::Ready),
        agent("8", AgentState::Ready),
        queue(1),
        message(1, "101"),
        message(2, "102"),
        Notice::ConfigApplied(Generation(4)),
    ];
    tell(&bench, everything);
    let keys = |snap: &Value| -> Vec<String> {
        snap["data"].as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
    };
    let mut ada = page_of(&bench, "ada").await;
    assert_eq!(keys(&ada.watch(1, "calls").await), ["1", "2"]);
    assert_eq!(keys(&ada.watch(2, "agents").await), ["7"]);
    assert_eq!(keys(&ada.watch(3, "messages").await), ["1"]);
    assert_eq!(keys(&ada.watch(4, "queues").await), ["support"]);
    let mut uli = page_of(&bench, "uli").await;
    assert_eq!(keys(&uli.watch(1, "calls").await), ["3"]);
    assert_eq!(keys(&uli.watch(2, "messages").await), ["2"]);
    let mut sam = page_of(&bench, "sam").await;
    assert_eq!(keys(&sam.watch(1, "calls").await).len(), 3);
    assert_eq!(keys(&sam.watch(2, "messages").await).len(), 0, "voicemail is personal");
    for (page, topic) in [(&mut uli, "agents"), (&mut ada, "notes"), (&mut sam, "bans")] {
        let refused = page.watch(9, topic).await;
        assert_eq!((&refused["type"], &refused["code"]), (&json!("err"), &json!("forbidden")), "{topic}");
    }
    // A call that leaves somebody's view is taken away from them.
    tell(&bench, [call(2, "+4930", "support", "8")]);
    assert_eq!(ada.next().await["del"], json!(["2"]));
}

#[tokio::test(start_paused = true)]
async fn signing_out_or_a_new_role_closes_the_page() {
    let bench = bench();
    let browser = bench.sign_in("ada").await;
    let mut page = open(&bench, &browser, "https://box.lan").await.unwrap();
    page.watch(1, "calls").await;
    assert_eq!(bench.ask(&browser, "POST", "/api/v1/logout", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(page.next().await, json!({ "type": "bye", "reason": "signed_out" }));
    assert_eq!(page.next().await, Value::Null);

    let mut page = page_of(&bench, "ada").await;
    let anna = bench.sign_in("anna").await;
    bench.ask(&anna, "PUT", "/api/v1/users/ada", Some(&json!({ "role": "user" }))).await;
    assert_eq!(page.next().await["reason"], "signed_out");
}

#[tokio::test(start_paused = true)]
async fn an_idle_page_does_not_keep_its_session_but_a_used_one_does() {
    let bench = bench();
    let (idle, used) = (bench.sign_in("ada").await, bench.sign_in("ada").await);
    let mut idle_page = open(&bench, &idle, "https://box.lan").await.unwrap();
    let mut used_page = open(&bench, &used, "https://box.lan").await.unwrap();
    for _ in 0..4 {
        bench.clock.forward_s(8 * 60);
        used_page.say(r#"{"type":"ping","active":true}"#).await;
        assert_eq!(used_page.next().await["type"], "pong");
        idle_page.say(r#"{"type":"ping"}"#).await;
        let answer = idle_page.next().await;
        assert!(answer["type"] == "pong" || answer["reason"] == "signed_out");
    }
    assert_eq!(bench.get(&used, "/api/v1/session").await.status, StatusCode::OK);
    assert_eq!(bench.get(&idle, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn silent_and_strange_pages_are_sent_away() {
    let bench = bench();
    let mut silent = page_of(&bench, "anna").await;
    let last = silent.next().await;
    assert!(last["reason"] == "silent" || last == Value::Null, "{last}");
    let mut strange = page_of(&bench, "anna").await;
    strange.say(r#"{"type":"drop tables"}"#).await;
    assert_eq!(strange.next().await["reason"], "not_understood");
    let mut chatty = page_of(&bench, "anna").await;
    for _ in 0..250 {
        chatty.say(r#"{"type":"ping"}"#).await;
    }
    let mut last = Value::Null;
    loop {
        let frame = chatty.next().await;
        if frame.is_null() {
            break;
        }
        last = frame;
    }
    assert_eq!(last["reason"], "too_many_frames");
}

#[tokio::test(start_paused = true)]
async fn other_sites_pages_and_strangers_get_no_socket() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let refused =
        async |who: &Browser, origin: &str| open(&bench, who, origin).await.err().unwrap_or_default();
    assert!(refused(&anna, "https://evil.example").await.contains("403"));
    assert!(refused(&anna, "http://box.lan").await.contains("403"));
    assert!(refused(&anna, "null").await.contains("403"));
    let nobody = Browser { cookie: "__Host-belfry=0".into(), csrf: String::new() };
    assert!(refused(&nobody, "https://box.lan").await.contains("401"));
}

/// An outside program that keeps what it is told.
#[derive(Default)]
struct Program {
    run: String,
    number: Option<u64>,
    state: BTreeMap<(String, String), Value>,
    snapshots: usize,
    events: usize,
}

impl Program {
    async fn connect(&self, bench: &Bench, who: &Browser) -> Page {
        let path = match self.number {
            None => "/api/v1/events/stream".to_owned(),
            Some(number) => format!("/api/v1/events/stream?run={}&after={number}", self.run),
        };
        open_at(bench, who, "https://box.lan", &path).await.unwrap()
    }

    fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap_or_default() {
            "hello" => self.run = frame["run"].as_str().unwrap().to_owned(),
            "snapshot" => {
                self.snapshots += 1;
                self.state.clear();
                for (topic, things) in frame["state"].as_object().unwrap() {
                    for (key, value) in things.as_object().unwrap() {
                        self.state.insert((topic.clone(), key.clone()), value.clone());
                    }
                }
                self.number = frame["number"].as_u64();
            }
            "event" => {
                self.events += 1;
                assert_eq!(frame["prev"].as_u64(), self.number, "no gap and no double: {frame}");
                self.number = frame["number"].as_u64();
                let text = |field: &str| frame[field].as_str().unwrap().to_owned();
                let thing = (text("topic"), text("key"));
                if frame["value"].is_null() {
                    assert!(self.state.remove(&thing).is_some(), "only what was known is gone: {frame}");
                } else {
                    self.state.insert(thing, frame["value"].clone());
                }
            }
            other => assert_eq!(other, "alive", "{frame}"),
        }
    }

    /// Reads until this thing has that value.
    async fn until(&mut self, page: &mut Page, key: &str, with: &str) {
        let thing = ("calls".to_owned(), key.to_owned());
        while self.state.get(&thing).is_none_or(|v| v["with"] != with) {
            let frame = page.next().await;
            assert!(!frame.is_null(), "the stream ended early");
            self.take(&frame);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_killed_a_hundred_times_goes_on_from_its_number_and_ends_with_the_same_state() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mut program = Program::default();
    let mut round = 0_u64;
    for life in 0..100 {
        let mut page = program.connect(&bench, &anna).await;
        // Killed at another place each time: before anything is read, or with some of it read.
        for _ in 0..life % 5 {
            let frame = page.next().await;
            program.take(&frame);
            round += 1;
            tell(
                &bench,
                [call(round % 9, "101", "102", &format!("{round}")), queue(u32::try_from(round).unwrap())],
            );
            if round.is_multiple_of(7) {
                tell(&bench, [Notice::CallGone(CallId(round % 9))]);
            }
        }
        drop(page);
        round += 1;
        tell(&bench, [call(round % 9, "101", "102", &format!("{round}"))]);
    }
    tell(&bench, [call(99, "101", "102", "the end")]);
    let mut page = program.connect(&bench, &anna).await;
    program.until(&mut page, "99", "the end").await;
    let whole = bench.app.hub.whole(&Scope::of(&asker_anna()));
    let mut expected = BTreeMap::new();
    for (topic, things) in whole.topics {
        for (key, json) in things {
            let topic = json!(topic).as_str().unwrap().to_owned();
            expected.insert((topic, key), serde_json::from_str::<Value>(&json).unwrap());
        }
    }
    assert_eq!(program.state, expected);
    assert_eq!(program.snapshots, 1, "only the first time");
    assert!(program.events > 200, "{} events", program.events);
}

fn asker_anna() -> Asker {
    Asker {
        name: "anna".into(),
        role: Role::Admin,
        proof: Proof::Local,
        own: Own::default(),
        personal: crate::personal::Personal::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_remembered_from_the_first_snapshot_on_and_not_for_nobody() {
    let bench = bench();
    let scope = Scope::of(&asker_anna());
    tell(&bench, (0..50).map(|n| call(n, "101", "102", "before")));
    assert!(bench.app.hub.since(0, &scope, 10).is_none(), "nobody has a number yet");
    let from = bench.app.hub.whole(&scope).number;
    tell(&bench, [call(60, "101", "102", "after")]);
    let (happened, _) = bench.app.hub.since(from, &scope, 10).unwrap();
    assert_eq!(happened.iter().map(|h| h.key.as_str()).collect::<Vec<_>>(), ["60"]);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_missed_too_much_or_another_run_gets_everything_anew() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mut program = Program::default();
    let mut page = program.connect(&bench, &anna).await;
    tell(&bench, [call(1, "101", "102", "a")]);
    program.until(&mut page, "1", "a").await;
    for i in 0..10_100 {
        tell(&bench, [call(2, "101", "102", &format!("{i}"))]);
    }
    // It did not read meanwhile: one snapshot instead of ten thousand events.
    program.until(&mut page, "2", "10099").await;
    assert_eq!(program.snapshots, 2);
    program.run = "another".into();
    program.number = Some(3);
    program.state.clear();
    let mut page = program.connect(&bench, &anna).await;
    program.until(&mut page, "1", "a").await;
    assert_eq!((program.run.as_str(), program.snapshots), (bench.app.hub.run_name(), 3));
}

#[tokio::test(start_paused = true)]
async fn what_a_supervisor_may_not_see_is_not_in_the_stream() {
    let bench = bench();
    tell(&bench, [message(1, "101"), call(1, "101", "102", "a")]);
    let sam = bench.sign_in("sam").await;
    let mut program = Program::default();
    let mut page = program.connect(&bench, &sam).await;
    program.until(&mut page, "1", "a").await;
    tell(&bench, [Notice::MessageGone(MessageId(1)), message(2, "101"), call(1, "101", "102", "b")]);
    program.until(&mut page, "1", "b").await;
    assert!(program.state.keys().all(|(topic, _)| topic != "messages"), "voicemail is personal");
    let ada = bench.sign_in("ada").await;
    let refused = open_at(&bench, &ada, "https://box.lan", "/api/v1/events/stream").await.err();
    assert!(refused.is_some_and(|why| why.contains("403")));
}

#[tokio::test(start_paused = true)]
async fn a_phone_in_the_browser_speaks_with_the_box_for_its_own_extension_only() {
    let bench = bench();
    let at = |tab: &str| format!("/api/v1/phone?tab={tab}");
    let tab = "0123456789abcdef-tab";
    let anna = bench.sign_in("anna").await;
    let refused = open_at(&bench, &anna, "https://box.lan", &at(tab)).await.err();
    assert!(refused.is_some_and(|line| line.contains("409")), "an account without extension has no phone");
    let uli = bench.sign_in("uli").await;
    for (origin, path) in [
        ("https://elsewhere.example", at(tab)),
        ("https://box.lan", at("short")),
        ("https://box.lan", at("0123456789abcdef%0a")),
        ("https://box.lan", "/api/v1/phone".to_owned()),
    ] {
        assert!(open_at(&bench, &uli, origin, &path).await.is_err(), "{origin} {path}");
    }
    let mut page = open_at(&bench, &uli, "https://box.lan", &at(tab)).await.unwrap();
    page.say(r#"{"type":"offer","sdp":"v=0"}"#).await;
    assert_eq!(page.next().await, json!({ "type": "answer", "sdp": "v=0" }));
    page.say(r#"{"type":"dial","to":"102"}"#).await;
    assert_eq!(page.next().await["type"], "elsewhere", "the box is told the extension of the account");
    page.say(r#"{"type":"reboot"}"#).await;
    assert_eq!(page.next().await, Value::Null, "what is not understood ends the page");
    let mut silent = open_at(&bench, &uli, "https://box.lan", &at(tab)).await.unwrap();
    assert_eq!(silent.next().await, Value::Null, "a silent page is let go");
}
