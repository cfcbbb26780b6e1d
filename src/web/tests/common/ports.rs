//! The ports in memory: a disk, a site that checks drafts with the real reader, an engine that notes what it is asked.
use crate::api::capture::CaptureView;
use crate::api::network::{NetworkView, TriedView};
use crate::api::update::StickBundle;
use crate::ports::{
    Ask, CommitRefusal, Draft, Engine, Fault, Later, Machine, NotDone, PromptRefusal, Saved, SavingRefusal,
    Site, Storage, Stored, Updates,
};
use model::browser_phone::{PhoneAsk, PhoneTell};
use model::clock::{Mono, Now, Wall};
use model::command::{Actor, Command, Reply};
use model::config::draft::{self, Problem};
use model::config::text;
use model::contact::{Contact, ContactQuery, ContactRefusal};
use model::id::{CallId, ContactId, Generation, MessageId, RecordingId};
use model::media::Language;
use model::number::Number;
use model::query::{
    GenerationRow, HistoryQuery, Journey, NoteRow, Page, RecordingRow, SessionRow, Status, TokenRow, UserRow,
};
use model::record::{AgentSpell, BanRecord, CallRecord, MessageRecord};
use model::refusal::Refusal;
use model::report::StepRow;
use model::saving::{BackupState, Hold};
use model::sentence::Sentence;
use model::update::{BundleView, SelfCall, UpdateView};
use model::what_if::{Forecast, Question, Step};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is kept.
#[derive(Default)]
pub struct Disk {
    users: Mutex<BTreeMap<String, UserRow>>,
    tokens: Mutex<BTreeMap<String, TokenRow>>,
    sessions: Mutex<BTreeMap<String, SessionRow>>,
    begun: Mutex<BTreeMap<String, Wall>>,
    pub journeys: Mutex<BTreeMap<u64, Journey>>,
    pub messages: Mutex<Vec<MessageRecord>>,
    pub asked: Mutex<Vec<HistoryQuery>>,
    pub contacts: Mutex<BTreeMap<ContactId, Contact>>,
    pub spells: Mutex<Vec<AgentSpell>>,
}

impl Disk {
    pub fn session_count(&self) -> usize {
        self.sessions.lock().unwrap().len()
    }
}

impl Storage for Disk {
    fn users(&self) -> Stored<Vec<UserRow>> {
        Ok(self.users.lock().unwrap().values().cloned().collect())
    }
    fn user(&self, name: &str) -> Stored<Option<UserRow>> {
        Ok(self.users.lock().unwrap().get(name).cloned())
    }
    fn user_put(&self, user: UserRow) -> Stored<()> {
        self.users.lock().unwrap().insert(user.name.clone(), user);
        Ok(())
    }
    fn user_delete(&self, name: &str) -> Stored<bool> {
        Ok(self.users.lock().unwrap().remove(name).is_some())
    }
    fn tokens(&self) -> Stored<Vec<TokenRow>> {
        Ok(self.tokens.lock().unwrap().values().cloned().collect())
    }
    fn token_by_hash(&self, hash: &str) -> Stored<Option<TokenRow>> {
        Ok(self.tokens.lock().unwrap().values().find(|t| t.token_hash == hash).cloned())
    }
    fn token_put(&self, token: TokenRow) -> Stored<()> {
        self.tokens.lock().unwrap().insert(token.name.clone(), token);
        Ok(())
    }
    fn token_delete(&self, name: &str) -> Stored<bool> {
        Ok(self.tokens.lock().unwrap().remove(name).is_some())
    }
    fn sessions(&self) -> Stored<Vec<SessionRow>> {
        Ok(self.sessions.lock().unwrap().values().cloned().collect())
    }
    fn session_put(&self, session: SessionRow) -> Stored<()> {
        self.sessions.lock().unwrap().insert(session.cookie_hash.clone(), session);
        Ok(())
    }
    fn session_delete(&self, cookie_hash: &str) -> Stored<()> {
        self.sessions.lock().unwrap().remove(cookie_hash);
        Ok(())
    }
    fn begun(&self, since: Wall) -> Stored<Vec<String>> {
        let all = self.begun.lock().unwrap();
        Ok(all.iter().filter(|(_, at)| **at >= since).map(|(key, _)| key.clone()).collect())
    }
    fn begun_put(&self, key: &str, at: Wall, since: Wall) -> Stored<()> {
        let mut all = self.begun.lock().unwrap();
        all.retain(|_, at| *at >= since);
        all.insert(key.into(), at);
        Ok(())
    }
    fn begun_delete(&self, key: &str) -> Stored<()> {
        self.begun.lock().unwrap().remove(key);
        Ok(())
    }
    fn history(&self, query: &HistoryQuery) -> Stored<Page<CallRecord>> {
        self.asked.lock().unwrap().push(query.clone());
        let journeys = self.journeys.lock().unwrap();
        let mine = |j: &&Journey| query.own.as_ref().is_none_or(|own| own.has(&j.record));
        Ok(Page {
            items: journeys.values().rev().filter(mine).map(|j| j.record.clone()).collect(),
            next: None,
        })
    }
    fn journey(&self, call: CallId) -> Stored<Option<Journey>> {
        Ok(self.journeys.lock().unwrap().get(&call.0).cloned())
    }
    fn recording_hold(&self, recording: RecordingId, hold: Option<Hold>) -> Stored<bool> {
        let mut journeys = self.journeys.lock().unwrap();
        let mut all = journeys.values_mut().flat_map(|j| j.recordings.iter_mut());
        let found = all.find(|r| r.recording.recording == recording);
        Ok(found.map(|row| row.hold = hold).is_some())
    }
    fn recording(&self, recording: RecordingId) -> Stored<Option<RecordingRow>> {
        let journeys = self.journeys.lock().unwrap();
        let mut all = journeys.values().flat_map(|j| j.recordings.iter());
        Ok(all.find(|r| r.recording.recording == recording).cloned())
    }
    fn messages(&self, mailbox: Option<&str>) -> Stored<Vec<MessageRecord>> {
        let all = self.messages.lock().unwrap();
        let fits = |m: &&MessageRecord| mailbox.is_none_or(|b| b == m.mailbox.as_str());
        Ok(all.iter().filter(fits).cloned().collect())
    }
    fn message(&self, message: MessageId) -> Stored<Option<MessageRecord>> {
        Ok(self.messages.lock().unwrap().iter().find(|m| m.message == message).cloned())
    }
    fn notes(&self, _: Option<u64>, _: u32) -> Stored<Page<NoteRow>> {
        Ok(Page { items: Vec::new(), next: None })
    }
    fn bans(&self, _: Wall) -> Stored<Vec<BanRecord>> {
        Ok(Vec::new())
    }
    fn queue_steps(&self, from: Wall, to: Wall) -> Stored<Option<Vec<StepRow>>> {
        let journeys = self.journeys.lock().unwrap();
        let steps = journeys.values().flat_map(|j| j.steps.iter()).map(|s| StepRow {
            call: s.call,
            at: s.at,
            offset_ms: s.offset_ms,
            kind: s.kind.clone(),
            detail: s.detail.clone(),
        });
        Ok(Some(steps.filter(|s| from <= s.at && s.at < to).collect()))
    }
    fn agent_spells(&self, _: Wall, to: Wall) -> Stored<Option<Vec<AgentSpell>>> {
        let spells = self.spells.lock().unwrap();
        Ok(Some(spells.iter().filter(|s| s.since < to).cloned().collect()))
    }
    fn calls_of(&self, numbers: &[Number], limit: u32) -> Stored<Vec<CallRecord>> {
        let journeys = self.journeys.lock().unwrap();
        let of = |c: &&CallRecord| numbers.iter().any(|n| n.as_str() == c.caller.number);
        let calls = journeys.values().rev().map(|j| &j.record).filter(of);
        Ok(calls.take(usize::try_from(limit).unwrap()).cloned().collect())
    }
    fn contacts(&self, query: &ContactQuery) -> Stored<Page<Contact>> {
        let all = self.contacts.lock().unwrap();
        let fits = |c: &&Contact| query.text.as_ref().is_none_or(|t| c.name.contains(t.as_str()));
        Ok(Page { items: all.values().filter(fits).cloned().collect(), next: None })
    }
    fn contact(&self, contact: ContactId) -> Stored<Option<Contact>> {
        Ok(self.contacts.lock().unwrap().get(&contact).cloned())
    }
    fn contact_of(&self, number: &Number) -> Stored<Option<Contact>> {
        Ok(self.contacts.lock().unwrap().values().find(|c| c.numbers.contains(number)).cloned())
    }
    fn contact_put(&self, mut contact: Contact) -> Stored<Result<Contact, ContactRefusal>> {
        let mut all = self.contacts.lock().unwrap();
        let other = |c: &&Contact| {
            c.contact != contact.contact && c.numbers.iter().any(|n| contact.numbers.contains(n))
        };
        if let Some(other) = all.values().find(other) {
            return Ok(Err(ContactRefusal::Taken(contact.numbers[0].clone(), other.contact)));
        }
        if contact.contact == ContactId(0) {
            contact.contact = ContactId(all.keys().last().map_or(1, |c| c.0 + 1));
        } else if !all.contains_key(&contact.contact) {
            return Ok(Err(ContactRefusal::Unknown));
        }
        all.insert(contact.contact, contact.clone());
        Ok(Ok(contact))
    }
    fn contact_delete(&self, contact: ContactId) -> Stored<bool> {
        Ok(self.contacts.lock().unwrap().remove(&contact).is_some())
    }
    fn contacts_take(&self, contacts: Vec<Contact>) -> Stored<Vec<Result<Contact, ContactRefusal>>> {
        contacts.into_iter().map(|c| self.contact_put(c)).collect()
    }
    fn generations(&self, _: Option<Generation>, _: u32) -> Stored<Page<GenerationRow>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

/// The configuration.
pub struct FakeSite {
    trees: Mutex<Vec<Value>>,
}

impl FakeSite {
    pub fn new() -> FakeSite {
        let tree = json!({
            "system": { "name": "Bench", "country": "DE" },
            "extension": [
                { "number": "101", "name": "Ada", "password": "secret-101", "voicemail": { "pin": "314159" } },
                { "number": "102", "name": "Uli", "password": "secret-102" },
                { "number": "103", "name": "Sam", "password": "secret-103" },
            ],
            "agent": [{ "id": "7", "name": "Ada", "extension": "101" }],
            "queue": [{ "name": "support", "agents": ["7"], "overflow": "hang_up" }],
        });
        let config = draft::read(&tree).unwrap();
        FakeSite { trees: Mutex::new(vec![Value::Null, draft::to_tree(&config)]) }
    }

    pub fn tree(&self) -> Value {
        self.trees.lock().unwrap().last().unwrap().clone()
    }

    fn read(&self, draft: &Draft) -> Result<Value, Vec<Problem>> {
        let mut tree = match draft {
            Draft::Tree(tree) => tree.clone(),
            Draft::Toml(toml) => text::parse(toml).map_err(|p| vec![p])?,
        };
        draft::inherit(&mut tree, &self.tree());
        draft::complete(&mut tree, &mut |bytes| getrandom::fill(bytes).unwrap());
        draft::read(&tree).map(|config| draft::to_tree(&config))
    }
}

impl Site for FakeSite {
    fn current(&self) -> Stored<(Generation, Value)> {
        let trees = self.trees.lock().unwrap();
        Ok((Generation(trees.len() as u64 - 1), trees.last().unwrap().clone()))
    }
    fn at(&self, generation: Generation) -> Stored<Option<Value>> {
        let trees = self.trees.lock().unwrap();
        let index = usize::try_from(generation.0).unwrap();
        Ok(trees.get(index).filter(|t| !t.is_null()).cloned())
    }
    fn export(&self) -> Stored<String> {
        Ok(text::write(&draft::read(&self.tree()).unwrap()))
    }
    fn check(&self, draft: &Draft) -> Vec<Problem> {
        self.read(draft).err().unwrap_or_default()
    }
    fn commit(
        &self,
        _: Actor,
        draft: Draft,
        based_on: Option<Generation>,
        _: String,
    ) -> Later<Result<Generation, CommitRefusal>> {
        let done = (|| {
            let tree = self.read(&draft).map_err(CommitRefusal::Problems)?;
            let mut trees = self.trees.lock().unwrap();
            let now = Generation(trees.len() as u64 - 1);
            if based_on.is_some_and(|g| g != now) {
                return Err(CommitRefusal::Stale(now));
            }
            trees.push(tree);
            Ok(Generation(now.0 + 1))
        })();
        Box::pin(async move { done })
    }
}

/// Notes what it is asked; knows agent 7 only.
#[derive(Default)]
pub struct FakeEngine {
    pub asked: Mutex<Vec<(String, Command)>>,
}

impl Engine for FakeEngine {
    fn command(&self, by: Actor, command: Command) -> Later<Reply> {
        let known = if let Command::AgentReady { agent } | Command::AgentPause { agent, .. } = &command {
            agent == "7"
        } else {
            true
        };
        self.asked.lock().unwrap().push((by.name, command));
        Box::pin(async move { if known { Ok(()) } else { Err(Refusal::Unknown) } })
    }
}

/// A system that notes what it is asked; bundles that begin with `good` may be installed.
pub struct FakeSystem {
    pub folder: PathBuf,
    pub asked: Mutex<Vec<(String, Ask)>>,
    pub refuses: Mutex<Option<NotDone>>,
    view: Mutex<UpdateView>,
}

impl FakeSystem {
    pub fn new(folder: PathBuf) -> FakeSystem {
        FakeSystem { folder, asked: Mutex::default(), refuses: Mutex::default(), view: Mutex::default() }
    }

    fn bundle(&self) -> PathBuf {
        self.folder.join("bundle")
    }
}

impl Updates for FakeSystem {
    fn view(&self) -> UpdateView {
        self.view.lock().unwrap().clone()
    }
    fn begin_upload(&self, _: Option<u64>) -> Result<PathBuf, NotDone> {
        Ok(self.bundle())
    }
    fn end_upload(&self, whole: bool) {
        let content = std::fs::read(self.bundle()).unwrap_or_default();
        let mut view = self.view.lock().unwrap();
        if whole && content.starts_with(b"good") {
            view.bundle =
                Some(BundleView { version: "2.0".into(), older: false, bytes: content.len() as u64 });
        } else {
            view.refused = Some(Sentence::new("It is damaged.", "已损坏。"));
        }
    }
    fn stick(&self) -> Result<Vec<StickBundle>, NotDone> {
        let refused = self.refuses.lock().unwrap().clone();
        refused.map_or_else(|| Ok(vec![StickBundle { name: "new.raucb".into(), bytes: 5 }]), Err)
    }
    fn fetch(&self, _: &str, name: &str) -> Result<(), NotDone> {
        std::fs::write(self.bundle(), format!("good {name}")).unwrap();
        self.end_upload(true);
        Ok(())
    }
    fn ask(&self, by: &str, ask: Ask) -> Result<(), NotDone> {
        self.asked.lock().unwrap().push((by.to_owned(), ask));
        self.refuses.lock().unwrap().clone().map_or(Ok(()), Err)
    }
    fn self_call(&self) -> Result<SelfCall, NotDone> {
        let (detail, recording) = (String::new(), String::new());
        Ok(SelfCall { at: Wall(0), ms: 4000, failed: None, detail, recording })
    }
}

/// Time that moves only by hand.
pub struct Clock(AtomicU64);

impl Clock {
    pub fn new() -> Clock {
        Clock(AtomicU64::new(1_000_000))
    }

    pub fn forward_s(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Machine for Clock {
    fn status(&self) -> Status {
        Status {
            version: "0.0.0".into(),
            uptime_s: 1,
            supervisor_pid: 1,
            control_pid: 2,
            media_pid: Some(3),
            generation: Generation(0),
            calls: 0,
            call_limit: 0,
            trunks: Vec::new(),
            phones_registered: 0,
            phones_configured: 3,
            sip: "0.0.0.0:5060".into(),
            https: "0.0.0.0:8443".into(),
            addresses: Vec::new(),
            disk_free_bytes: 1,
            setup_needed: false,
            alarms: Vec::new(),
        }
    }
    fn test_alarm(&self) -> Stored<usize> {
        Ok(0)
    }
    fn now(&self) -> Now {
        let us = self.0.load(Ordering::SeqCst);
        Now { mono: Mono(us), wall: Wall(1_760_000_000_000 + i64::try_from(us / 1000).unwrap()) }
    }
}

/// A helper of the flow editor that plays only `RIFF`.
pub struct FakeFlows;

impl crate::ports::Flows for FakeFlows {
    fn what_if(&self, question: &Question) -> Result<Forecast, Sentence> {
        let step = Step { offset_ms: 0, kind: "trunk_in".into(), detail: question.called.clone() };
        if question.at.is_empty() {
            return Err(Sentence::new("\"\" is not a moment", "“”不是有效的时刻"));
        }
        Ok(Forecast { steps: vec![step], end: "bridged".into(), with: "101".into() })
    }
    fn name(&self, name: &str) -> Result<(), Sentence> {
        match name.starts_with('.') {
            true => Err(Sentence::new("This is no name of a prompt.", "这不是提示音的名称。")),
            false => Ok(()),
        }
    }
    fn dialling(
        &self,
        question: &model::campaign::DialQuestion,
    ) -> Result<model::campaign::DialForecast, Sentence> {
        let rows = Vec::new();
        Ok(model::campaign::DialForecast { runs: question.runs, rows })
    }
    fn prompt(&self, name: &str, language: Language, sound: &[u8]) -> Result<String, PromptRefusal> {
        let path = format!("prompts/{}/{name}.wav", language.code());
        match sound {
            b"RIFF too much" => Err(Fault::Disk("No space left on device".into()).into()),
            sound if sound.starts_with(b"RIFF") => Ok(path),
            _ => Err(PromptRefusal::Sound(Sentence::new("Save it as WAV.", "请另存为 WAV。"))),
        }
    }
    fn spoken(&self, _: &str, _: Language, _: &str) -> Result<String, PromptRefusal> {
        Err(PromptRefusal::Sound(Sentence::new("Nobody speaks on this box.", "本机没有语音。")))
    }
}

/// A keeper with one backup, in a folder.
pub struct FakeSaving {
    pub folder: std::path::PathBuf,
    pub restored: Mutex<Vec<String>>,
}

impl crate::ports::Saving for FakeSaving {
    fn state(&self) -> BackupState {
        BackupState { configured: true, ..BackupState::default() }
    }
    fn start(&self, _: &str) -> Saved<()> {
        Err(SavingRefusal::Busy)
    }
    fn file(&self, name: &str) -> Saved<std::path::PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.is_file()).ok_or(SavingRefusal::Unknown)
    }
    fn delete(&self, name: &str) -> Saved<()> {
        self.file(name).map(|path| std::fs::remove_file(path).unwrap())
    }
    fn upload(&self) -> Saved<std::path::PathBuf> {
        Ok(self.folder.join("uploaded-20261122-120000.belfry"))
    }
    fn check(&self, name: &str, pass_phrase: &str) -> Saved<String> {
        self.file(name)?;
        if pass_phrase == "right" { Ok(name.to_owned()) } else { Err(SavingRefusal::PassPhrase) }
    }
    fn restore(&self, _: &str, name: &str, pass_phrase: &str) -> Saved<String> {
        self.check(name, pass_phrase)?;
        self.restored.lock().unwrap().push(name.to_owned());
        Ok(name.to_owned())
    }
    fn reset(&self, by: &str) -> Saved<()> {
        self.restored.lock().unwrap().push(format!("reset by {by}"));
        Ok(())
    }
    fn fetch(&self, _: &str) -> Saved<String> {
        Err(SavingRefusal::Unknown)
    }
}

/// A machine on which the change to 192.0.2.10 is on trial by the token `right`.
#[derive(Default)]
pub struct Lan {
    pub kept: Mutex<bool>,
}

impl crate::ports::Lan for Lan {
    fn state(&self) -> NetworkView {
        let tried = TriedView {
            left_s: 42,
            address: Some("192.0.2.10".into()),
            token: Some("right".into()),
            settings: json!({ "ipv4": "static" }),
        };
        let tried = (!*self.kept.lock().unwrap()).then_some(tried);
        NetworkView { managed: true, tried, ..NetworkView::default() }
    }
    fn keep(&self, token: &str) -> Result<(), Sentence> {
        let right = token == "right" && !std::mem::replace(&mut *self.kept.lock().unwrap(), true);
        if right { Ok(()) } else { Err(Sentence::new("nothing waits", "没有等待确认的更改")) }
    }
    fn undo(&self) -> Result<(), Sentence> {
        self.keep("right")
    }
    fn set_clock(&self, _at: i64) -> Result<(), Sentence> {
        Err(Sentence::new("this is a PC", "这是一台普通电脑"))
    }
}

/// A capture of so many seconds, each a byte.
#[derive(Default)]
pub struct Capture(Mutex<Option<u32>>);

impl crate::ports::Capture for Capture {
    fn view(&self) -> CaptureView {
        let running = self.0.lock().unwrap().is_some();
        CaptureView { running, ..CaptureView::default() }
    }
    fn start(&self, _: &str, seconds: u32) {
        *self.0.lock().unwrap() = Some(seconds);
    }
    fn stop(&self) {}
    fn forget(&self) {
        *self.0.lock().unwrap() = None;
    }
    fn file(&self, by: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().map(|seconds| format!("{seconds} seconds for {by}").into_bytes())
    }
}

/// No lists of numbers.
pub struct Lists;

impl crate::ports::Lists for Lists {
    fn lists(&self) -> Stored<Vec<model::query::ListRow>> {
        Ok(Vec::new())
    }
    fn upload(&self) -> Stored<std::path::PathBuf> {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Ok(std::env::temp_dir().join(format!("belfry-upload-{}-{number}", std::process::id())))
    }
    fn import(
        &self,
        _: &std::path::Path,
        _: &model::query::ListImport,
    ) -> Result<model::query::ListImported, crate::ports::ListRefusal> {
        Err(crate::ports::ListRefusal::File(Sentence::new("no file", "没有文件")))
    }
    fn import_barred(
        &self,
        _: &std::path::Path,
        _: &model::query::BarredImport,
    ) -> Result<model::query::BarredImported, crate::ports::ListRefusal> {
        Err(crate::ports::ListRefusal::File(Sentence::new("no file", "没有文件")))
    }
    fn entries(&self, _: &str, _: model::id::EntryId) -> Stored<Vec<model::query::EntryRow>> {
        Ok(Vec::new())
    }
    fn rejects(&self, _: &str, _: u64) -> Stored<Vec<model::query::RejectRow>> {
        Ok(Vec::new())
    }
    fn delete(&self, _: &str) -> Stored<bool> {
        Ok(false)
    }
    fn barred(&self, _: &str) -> Stored<Vec<model::campaign::Barred>> {
        Ok(Vec::new())
    }
    fn attempts(&self, _: &str, _: model::id::CallId) -> Stored<Vec<model::campaign::AttemptRecord>> {
        Ok(Vec::new())
    }
    fn last_attempts(&self, _: &str) -> Stored<Vec<model::campaign::AttemptRecord>> {
        Ok(Vec::new())
    }
    fn changes(&self, _: &str) -> Stored<Vec<model::campaign::SteerRecord>> {
        Ok(Vec::new())
    }
}

/// Phones that give an offer back, and say `elsewhere` to who dials the own extension.
pub struct Phones;

impl crate::ports::Phones for Phones {
    fn attach(&self, extension: String, _: String) -> Option<crate::ports::PhoneLine> {
        let (tell, told) = tokio::sync::mpsc::channel(8);
        let ask = Box::new(move |ask| {
            let said = match ask {
                PhoneAsk::Dial { to } if to == extension => PhoneTell::Elsewhere,
                PhoneAsk::Offer { sdp } => PhoneTell::Answer { sdp },
                PhoneAsk::Answer
                | PhoneAsk::Dial { .. }
                | PhoneAsk::HangUp
                | PhoneAsk::Key { .. }
                | PhoneAsk::Off
                | PhoneAsk::Ping
                | PhoneAsk::Take => PhoneTell::Pong,
            };
            tell.try_send(said).is_ok()
        });
        Some(crate::ports::PhoneLine { ask, told })
    }
}
