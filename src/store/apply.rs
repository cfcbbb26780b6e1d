//! Writes one record inside the writer's transaction. Every write may be repeated with the same result, because a batch
//! whose commit failed half-way is written again. Files are only named here; the writer removes them after the commit.
use crate::outbound;
use crate::row::{self, key};
use model::record::{
    AgentSpell, BanRecord, BindingRecord, BudgetRecord, CallRecord, CallStep, CallbackRecord, Digest,
    MessageRecord, NoteRecord, Record, RecordingRecord, SeatRecord, WrongPins,
};
use model::{id::MessageId, number::Number};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Writes the record. Files that nobody needs after the commit are added to `gone`.
pub(crate) fn apply(db: &Connection, record: &Record, gone: &mut Vec<String>) -> Result<()> {
    match record {
        Record::CallStarted(call) => call_row(db, call, "INSERT OR IGNORE"),
        Record::CallStep(step) => step_row(db, step),
        Record::CallEnded(call) => call_row(db, call, "INSERT OR REPLACE"),
        Record::Recording(recording) => recording_row(db, recording),
        Record::RecordingEnded { recording, ms } => {
            let mut sql = db.prepare_cached("UPDATE recording SET ms = ?2 WHERE recording = ?1")?;
            sql.execute(params![key(recording.0), ms]).map(drop)
        }
        Record::Message(message) => message_row(db, message),
        Record::MessageHeard { message, heard } => {
            let mut sql = db.prepare_cached("UPDATE message SET heard = ?2 WHERE message = ?1")?;
            sql.execute(params![key(message.0), heard]).map(drop)
        }
        Record::MessageDeleted(message) => message_gone(db, *message, gone),
        Record::Greeting { mailbox, path } => greeting_row(db, mailbox, path.as_deref(), gone),
        Record::AgentState(spell) => spell_row(db, spell),
        Record::Binding(binding) => binding_row(db, binding),
        Record::Ban(ban) => ban_row(db, ban),
        Record::Budget(budget) => budget_row(db, budget),
        Record::WrongPins(pins) => pins_row(db, pins),
        Record::Seat(seat) => seat_row(db, seat),
        Record::Note(note) => note_row(db, note),
        Record::AttemptBegun(attempt) => outbound::begun(db, attempt),
        Record::AttemptEnded(attempt) => outbound::ended(db, attempt),
        Record::AttemptSaid(said) => outbound::said(db, said),
        Record::Barred(barred) => outbound::barred(db, barred).map(drop),
        Record::Steered(steered) => outbound::steered(db, steered),
        Record::Callback(callback) => callback_row(db, callback),
        Record::CallbackGone(callback) => db
            .prepare_cached("DELETE FROM callback WHERE callback = ?1")?
            .execute([key(callback.0)])
            .map(drop),
    }
}

fn call_row(db: &Connection, c: &CallRecord, verb: &str) -> Result<()> {
    let marks = "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19";
    let mut sql = db.prepare_cached(&format!("{verb} INTO call ({}) VALUES ({marks})", row::CALL))?;
    let done = sql.execute(params![
        key(c.call.0),
        row::word(&c.direction),
        c.caller.number,
        c.caller.name,
        c.called.number,
        c.called.name,
        c.trunk,
        c.queue,
        c.agent,
        c.answered_by,
        c.started.0,
        c.answered.map(|w| w.0),
        c.ended.map(|w| w.0),
        key(c.duration_ms),
        key(c.talk_ms),
        key(c.wait_ms),
        row::word(&c.outcome),
        c.cause,
        c.score,
    ]);
    done.map(drop)
}

fn step_row(db: &Connection, s: &CallStep) -> Result<()> {
    let sql = format!("INSERT OR REPLACE INTO step ({}) VALUES (?1,?2,?3,?4,?5,?6)", row::STEP);
    let values = params![key(s.call.0), s.seq, s.at.0, key(s.offset_ms), s.kind, s.detail];
    db.prepare_cached(&sql)?.execute(values).map(drop)
}

/// Keeps a length that is there already, when the record comes again.
fn recording_row(db: &Connection, r: &RecordingRecord) -> Result<()> {
    let sql = format!("INSERT OR IGNORE INTO recording ({}) VALUES (?1,?2,?3,?4,?5,?6,NULL)", row::RECORDING);
    let values = params![key(r.recording.0), key(r.call.0), r.path, r.started.0, r.left, r.right];
    db.prepare_cached(&sql)?.execute(values).map(drop)
}

fn message_row(db: &Connection, m: &MessageRecord) -> Result<()> {
    let marks = "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10";
    let sql = format!("INSERT OR REPLACE INTO message ({}) VALUES ({marks})", row::MESSAGE);
    db.prepare_cached(&sql)?.execute(params![
        key(m.message.0),
        m.mailbox.as_str(),
        key(m.call.0),
        m.caller.number,
        m.caller.name,
        m.at.0,
        m.ms,
        m.path,
        m.heard,
        m.mail_to,
    ])?;
    let Some(to) = &m.mail_to else { return Ok(()) };
    let sql = "INSERT OR IGNORE INTO mail (message, recipient, created, attempts, next_at) VALUES (?1, ?2, ?3, 0, 0)";
    db.prepare_cached(sql)?.execute(params![key(m.message.0), to, m.at.0]).map(drop)
}

fn message_gone(db: &Connection, message: MessageId, gone: &mut Vec<String>) -> Result<()> {
    let mut sql = db.prepare_cached("DELETE FROM message WHERE message = ?1 RETURNING path")?;
    gone.extend(sql.query_row([key(message.0)], |row| row.get::<_, String>(0)).optional()?);
    db.prepare_cached("DELETE FROM mail WHERE message = ?1")?.execute([key(message.0)]).map(drop)
}

fn greeting_row(db: &Connection, mailbox: &Number, path: Option<&str>, gone: &mut Vec<String>) -> Result<()> {
    let mut sql = db.prepare_cached("SELECT path FROM greeting WHERE mailbox = ?1")?;
    let old: Option<String> = sql.query_row([mailbox.as_str()], |row| row.get(0)).optional()?;
    gone.extend(old.filter(|old| Some(old.as_str()) != path));
    match path {
        Some(path) => {
            let mut sql = db.prepare_cached("INSERT OR REPLACE INTO greeting VALUES (?1, ?2)")?;
            sql.execute(params![mailbox.as_str(), path]).map(drop)
        }
        None => {
            let mut sql = db.prepare_cached("DELETE FROM greeting WHERE mailbox = ?1")?;
            sql.execute([mailbox.as_str()]).map(drop)
        }
    }
}

/// A spell that is the agent's last one already is the same one written again.
fn spell_row(db: &Connection, s: &AgentSpell) -> Result<()> {
    let (state, reason) = row::state(&s.state);
    let sql = "INSERT INTO spell (agent, state, reason, since, cause, call)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (
            SELECT 1 FROM (SELECT * FROM spell WHERE agent = ?1 ORDER BY spell DESC LIMIT 1)
            WHERE state = ?2 AND reason IS ?3 AND since = ?4 AND cause = ?5 AND call IS ?6)";
    let values = params![s.agent, state, reason, s.since.0, s.cause, s.call.map(|c| key(c.0))];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

fn binding_row(db: &Connection, b: &BindingRecord) -> Result<()> {
    let sql =
        format!("INSERT OR REPLACE INTO binding ({}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", row::BINDING);
    let path = serde_json::Value::from(b.path.clone()).to_string();
    let values = params![
        b.extension.as_str(),
        b.contact,
        b.transport,
        b.address.to_string(),
        b.expires.0,
        b.call_id,
        b.cseq,
        b.user_agent,
        path,
        b.digest.map(Digest::as_str).unwrap_or_default()
    ];
    db.prepare_cached(&sql)?.execute(values).map(drop)
}

fn ban_row(db: &Connection, b: &BanRecord) -> Result<()> {
    let sql = format!("INSERT OR REPLACE INTO ban ({}) VALUES (?1,?2,?3,?4)", row::BAN);
    db.prepare_cached(&sql)?.execute(params![b.address.to_string(), b.until.0, b.cause, b.failures]).map(drop)
}

/// One for each extension and trunk that used any minutes: of today only, the next day's takes its place.
fn budget_row(db: &Connection, b: &BudgetRecord) -> Result<()> {
    let name = format!("{}{}", row::BUDGET, b.scope);
    if b.used_ms == [0; 3] {
        return db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name]).map(drop);
    }
    let value =
        serde_json::json!({ "scope": b.scope, "day": b.day, "used_ms": b.used_ms, "closed_ms": b.closed_ms });
    let sql = "INSERT OR REPLACE INTO setting VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute([name, value.to_string()]).map(drop)
}

/// A few at most, and none for long: settings of the box itself.
fn pins_row(db: &Connection, p: &WrongPins) -> Result<()> {
    let name = format!("{}{}", row::WRONG_PINS, p.mailbox);
    if p.tries == 0 {
        return db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name]).map(drop);
    }
    let value = serde_json::json!({ "mailbox": p.mailbox, "tries": p.tries, "until": p.until }).to_string();
    db.prepare_cached("INSERT OR REPLACE INTO setting VALUES (?1, ?2)")?.execute([name, value]).map(drop)
}

/// One for each phone with a guest.
fn seat_row(db: &Connection, s: &SeatRecord) -> Result<()> {
    let name = format!("{}{}", row::SEAT, s.phone);
    if s.person.is_none() {
        return db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name]).map(drop);
    }
    let value = serde_json::json!({ "phone": s.phone, "person": s.person, "since": s.since }).to_string();
    db.prepare_cached("INSERT OR REPLACE INTO setting VALUES (?1, ?2)")?.execute([name, value]).map(drop)
}

fn callback_row(db: &Connection, c: &CallbackRecord) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO callback ({}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
        row::CALLBACK
    );
    let values = params![
        key(c.callback.0),
        c.queue,
        c.number.as_str(),
        c.name,
        c.language.code(),
        c.class,
        c.priority,
        c.came.0,
        c.expires.0,
        c.tries,
        c.next.0,
    ];
    db.prepare_cached(&sql)?.execute(values).map(drop)
}

fn note_row(db: &Connection, n: &NoteRecord) -> Result<()> {
    let sql = "INSERT INTO note (at, level, kind, subject, text) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(sql)?.execute(params![n.at.0, n.level, n.kind, n.subject, n.text]).map(drop)
}
