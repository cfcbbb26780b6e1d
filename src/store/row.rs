//! Records as rows and rows as records: the columns of every table in one place. Decides nothing.
use model::clock::Wall;
use model::id::{CallId, MessageId, RecordingId};
use model::number::Number;
use model::query::{NoteRow, RecordingRow};
use model::record::{
    AgentSpell, AgentState, BanRecord, BindingRecord, BudgetRecord, CallRecord, CallStep, CallbackRecord,
    Digest, MessageRecord, NoteRecord, Party, RecordingRecord, SeatRecord, WrongPins,
};
use model::saving::Hold;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An id as SQLite keeps it. Ids are handed out by `boot` far below the limit.
pub(crate) fn key(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// And back.
pub(crate) fn id(key: i64) -> u64 {
    u64::try_from(key).unwrap_or(0)
}

/// The word of an enum that serde writes as one.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn bad(column: usize, why: impl std::fmt::Display) -> Error {
    let why = std::io::Error::other(why.to_string());
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(why))
}

/// The enum of a word.
pub(crate) fn read_word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|e| bad(column, e))
}

/// A list or table kept as JSON text.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// And back.
pub(crate) fn read_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| bad(column, e))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    row.get::<_, String>(column)?.parse().map_err(|e| bad(column, e))
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<Number> {
    let text: String = row.get(column)?;
    Number::read(&text).ok_or_else(|| bad(column, "not a number"))
}

fn length(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(id(row.get(column)?))
}

fn wall(row: &Row<'_>, column: usize) -> rusqlite::Result<Wall> {
    Ok(Wall(row.get(column)?))
}

pub(crate) const CALLBACK: &str =
    "callback, queue, number, name, language, class, priority, came, expires, tries, next_at";

pub(crate) fn callback(row: &Row<'_>) -> rusqlite::Result<CallbackRecord> {
    Ok(CallbackRecord {
        callback: CallId(id(row.get(0)?)),
        queue: row.get(1)?,
        number: number(row, 2)?,
        name: row.get(3)?,
        language: read_word(row, 4)?,
        class: row.get(5)?,
        priority: row.get(6)?,
        came: wall(row, 7)?,
        expires: wall(row, 8)?,
        tries: row.get(9)?,
        next: wall(row, 10)?,
    })
}

pub(crate) const CALL: &str = "call, direction, caller_number, caller_name, called_number, called_name, trunk, queue, \
    agent, answered_by, started, answered, ended, duration_ms, talk_ms, wait_ms, outcome, cause, score";

pub(crate) fn call(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    Ok(CallRecord {
        call: CallId(id(row.get(0)?)),
        direction: read_word(row, 1)?,
        caller: Party { number: row.get(2)?, name: row.get(3)? },
        called: Party { number: row.get(4)?, name: row.get(5)? },
        trunk: row.get(6)?,
        queue: row.get(7)?,
        agent: row.get(8)?,
        answered_by: row.get(9)?,
        started: wall(row, 10)?,
        answered: row.get::<_, Option<i64>>(11)?.map(Wall),
        ended: row.get::<_, Option<i64>>(12)?.map(Wall),
        duration_ms: length(row, 13)?,
        talk_ms: length(row, 14)?,
        wait_ms: length(row, 15)?,
        outcome: read_word(row, 16)?,
        cause: row.get(17)?,
        score: row.get(18)?,
    })
}

pub(crate) const STEP: &str = "call, seq, at, offset_ms, kind, detail";

pub(crate) fn step(row: &Row<'_>) -> rusqlite::Result<CallStep> {
    Ok(CallStep {
        call: CallId(id(row.get(0)?)),
        seq: row.get(1)?,
        at: wall(row, 2)?,
        offset_ms: length(row, 3)?,
        kind: row.get(4)?,
        detail: row.get(5)?,
    })
}

pub(crate) const RECORDING: &str = "recording, call, path, started, left_party, right_party, ms";

/// The same with the hold, as [`recording`] reads it.
pub(crate) const RECORDING_HELD: &str =
    "recording, call, path, started, left_party, right_party, ms, held_by, held_at";

pub(crate) fn recording(row: &Row<'_>) -> rusqlite::Result<RecordingRow> {
    let recording = RecordingRecord {
        recording: RecordingId(id(row.get(0)?)),
        call: CallId(id(row.get(1)?)),
        path: row.get(2)?,
        started: wall(row, 3)?,
        left: row.get(4)?,
        right: row.get(5)?,
    };
    let by: Option<String> = row.get(7)?;
    let at = row.get::<_, Option<i64>>(8)?.map_or(Wall(0), Wall);
    Ok(RecordingRow { recording, ms: row.get(6)?, hold: by.map(|by| Hold { by, at }) })
}

pub(crate) const MESSAGE: &str =
    "message, mailbox, call, caller_number, caller_name, at, ms, path, heard, mail_to";

pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<MessageRecord> {
    Ok(MessageRecord {
        message: MessageId(id(row.get(0)?)),
        mailbox: number(row, 1)?,
        call: CallId(id(row.get(2)?)),
        caller: Party { number: row.get(3)?, name: row.get(4)? },
        at: wall(row, 5)?,
        ms: row.get(6)?,
        path: row.get(7)?,
        heard: row.get(8)?,
        mail_to: row.get(9)?,
    })
}

pub(crate) fn greeting(row: &Row<'_>) -> rusqlite::Result<(Number, String)> {
    Ok((number(row, 0)?, row.get(1)?))
}

pub(crate) const SPELL: &str = "agent, state, reason, since, cause, call";

/// The word and the reason of a state.
pub(crate) fn state(state: &AgentState) -> (&'static str, Option<&str>) {
    match state {
        AgentState::LoggedOut => ("logged_out", None),
        AgentState::NotReady { reason } => ("not_ready", Some(reason)),
        AgentState::Ready => ("ready", None),
        AgentState::Offered => ("offered", None),
        AgentState::Talking => ("talking", None),
        AgentState::WrapUp => ("wrap_up", None),
    }
}

pub(crate) fn spell(row: &Row<'_>) -> rusqlite::Result<AgentSpell> {
    let state = match row.get::<_, String>(1)?.as_str() {
        "logged_out" => AgentState::LoggedOut,
        "not_ready" => AgentState::NotReady { reason: row.get::<_, Option<String>>(2)?.unwrap_or_default() },
        "ready" => AgentState::Ready,
        "offered" => AgentState::Offered,
        "talking" => AgentState::Talking,
        "wrap_up" => AgentState::WrapUp,
        other => return Err(bad(1, format!("unknown agent state {other}"))),
    };
    Ok(AgentSpell {
        agent: row.get(0)?,
        state,
        since: wall(row, 3)?,
        cause: row.get(4)?,
        call: row.get::<_, Option<i64>>(5)?.map(|k| CallId(id(k))),
    })
}

/// Beginning of the names of settings that hold wrong PINs; the mailbox follows.
pub(crate) const WRONG_PINS: &str = "wrong_pins ";

/// Wrong PINs of a mailbox as kept; what cannot be read is none.
pub(crate) fn wrong_pins(row: &Row<'_>) -> rusqlite::Result<Option<WrongPins>> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text).ok())
}

/// Beginning of the names of settings that hold who is logged in at a phone; the phone follows.
pub(crate) const SEAT: &str = "seat ";

/// Who is logged in at a phone as kept; what cannot be read is nobody.
pub(crate) fn seat(row: &Row<'_>) -> rusqlite::Result<Option<SeatRecord>> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text).ok())
}

/// Beginning of the names of settings that hold minutes used today; the scope follows.
pub(crate) const BUDGET: &str = "budget ";

/// Minutes used as kept; what cannot be read is none.
pub(crate) fn budget(row: &Row<'_>) -> rusqlite::Result<Option<BudgetRecord>> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text).ok())
}

pub(crate) const BINDING: &str =
    "extension, contact, transport, address, expires, call_id, cseq, user_agent, path, digest";

pub(crate) fn binding(row: &Row<'_>) -> rusqlite::Result<BindingRecord> {
    let path: String = row.get(8)?;
    Ok(BindingRecord {
        extension: number(row, 0)?,
        contact: row.get(1)?,
        transport: row.get(2)?,
        address: parsed(row, 3)?,
        expires: wall(row, 4)?,
        call_id: row.get(5)?,
        cseq: row.get(6)?,
        user_agent: row.get(7)?,
        path: serde_json::from_str(&path).map_err(|e| bad(8, e))?,
        digest: Digest::read(&row.get::<_, String>(9)?),
    })
}

pub(crate) const BAN: &str = "address, until, cause, failures";

pub(crate) fn ban(row: &Row<'_>) -> rusqlite::Result<BanRecord> {
    Ok(BanRecord {
        address: parsed(row, 0)?,
        until: wall(row, 1)?,
        cause: row.get(2)?,
        failures: row.get(3)?,
    })
}

pub(crate) const NOTE: &str = "note, at, level, kind, subject, text";

pub(crate) fn note(row: &Row<'_>) -> rusqlite::Result<NoteRow> {
    let note = NoteRecord {
        at: wall(row, 1)?,
        level: row.get(2)?,
        kind: row.get(3)?,
        subject: row.get(4)?,
        text: row.get(5)?,
    };
    Ok(NoteRow { id: id(row.get(0)?), note })
}
