//! What the store's tests share: a data folder, a store on it, and records as the engine makes them.
use model::clock::Wall;
use model::id::{CallId, MessageId, RecordingId, Ticket};
use model::number::Number;
use model::record::{
    AgentSpell, AgentState, CallRecord, CallStep, Direction, MessageRecord, Outcome, Party, Record,
    RecordingRecord,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use store::{BootState, Fault, Options, Store};

/// Opens a store whose confirmed tickets come out of the receiver.
pub fn try_open(dir: &Path) -> Result<(Store, BootState, Receiver<Ticket>), Fault> {
    let (stored, tickets) = channel();
    let on_stored = Box::new(move |all: Vec<Ticket>| {
        all.into_iter().try_for_each(|t| stored.send(t)).ok();
    });
    let (store, state) = Store::open(Options { dir: dir.to_owned(), beat: Arc::default(), on_stored })?;
    Ok((store, state, tickets))
}

pub fn open(dir: &Path) -> (Store, BootState, Receiver<Ticket>) {
    try_open(dir).expect("the store opens")
}

pub fn number(text: &str) -> Number {
    Number::read(text).expect("a number")
}

pub fn party(number: &str) -> Party {
    Party { number: number.into(), name: format!("Phone {number}") }
}

/// A call that has just begun.
pub fn call(id: u64) -> CallRecord {
    CallRecord {
        call: CallId(id),
        direction: Direction::Inbound,
        caller: party("+4930123456"),
        called: party("101"),
        trunk: Some("carrier".into()),
        queue: None,
        agent: None,
        answered_by: None,
        started: Wall(1_700_000_000_000),
        answered: None,
        ended: None,
        duration_ms: 0,
        talk_ms: 0,
        wait_ms: 0,
        outcome: Outcome::Open,
        cause: String::new(),
        score: None,
    }
}

/// The same call at its end.
pub fn ended(id: u64) -> CallRecord {
    CallRecord {
        ended: Some(Wall(1_700_000_060_000)),
        duration_ms: 60_000,
        outcome: Outcome::Answered,
        cause: "caller hung up".into(),
        ..call(id)
    }
}

pub fn step(id: u64, seq: u32, offset_ms: u64) -> Record {
    let at = Wall(1_700_000_000_000 + i64::try_from(offset_ms).expect("small"));
    Record::CallStep(CallStep {
        call: CallId(id),
        seq,
        at,
        offset_ms,
        kind: "queue".into(),
        detail: "main".into(),
    })
}

pub fn message(id: u64, path: &str, mail_to: Option<&str>) -> MessageRecord {
    MessageRecord {
        message: MessageId(id),
        mailbox: number("101"),
        call: CallId(1),
        caller: party("+4930123456"),
        at: Wall(1_700_000_000_000),
        ms: 5000,
        path: path.into(),
        heard: false,
        mail_to: mail_to.map(str::to_owned),
    }
}

pub fn recording(id: u64, call: u64, path: &str) -> Record {
    Record::Recording(RecordingRecord {
        recording: RecordingId(id),
        call: CallId(call),
        path: path.into(),
        started: Wall(1_700_000_000_000),
        left: "caller".into(),
        right: "101".into(),
    })
}

pub fn spell(agent: &str, state: AgentState, since: i64) -> Record {
    Record::AgentState(AgentSpell {
        agent: agent.into(),
        state,
        since: Wall(since),
        cause: "test".into(),
        call: None,
    })
}

/// Keeps records and waits until they are on the disk.
pub fn keep_all(store: &Store, records: impl IntoIterator<Item = Record>) {
    for (n, record) in records.into_iter().enumerate() {
        store.keep(Ticket(n as u64), record).expect("room in the queue");
    }
    store.flush().expect("the disk works");
}
