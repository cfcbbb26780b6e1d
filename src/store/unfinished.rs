//! Closes the calls that a crash left open, once a start: each gets its one final record, with what its journey still
//! tells about who answered, where it waited and how long. Never guesses: what no step says stays empty.
use crate::housekeeping;
use crate::row::{self, id, key};
use model::clock::Wall;
use model::record::{CallRecord, Direction, Outcome};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Cause of a call that a crash ended.
const RESTARTED: &str = "box restarted";

/// What a step told: when, how long after the start, what, and who.
struct Told {
    seq: u32,
    at: Wall,
    offset_ms: u64,
    kind: String,
    detail: String,
}

/// Each open call ends where the box was last seen alive, by the database or by its last `beat`, and never before its last
/// step.
pub(crate) fn close(db: &Connection, now: Wall, beat: Option<Wall>) -> rusqlite::Result<Vec<CallRecord>> {
    let alive = housekeeping::last_alive(db)?.max(beat).map_or(now, |alive| alive.min(now));
    let sql = format!("SELECT {} FROM call WHERE outcome = 'open' ORDER BY call", row::CALL);
    let mut calls: Vec<CallRecord> = db.prepare(&sql)?.query_map([], row::call)?.collect::<Result<_, _>>()?;
    for call in &mut calls {
        let steps = steps(db, call)?;
        let last = steps.last();
        let ended = alive.max(last.map_or(call.started, |s| s.at)).max(call.started);
        let clock_ms = u64::try_from(ended.millis_since(call.started)).unwrap_or(0);
        call.ended = Some(ended);
        call.duration_ms = clock_ms.max(last.map_or(0, |s| s.offset_ms));
        retell(call, &steps);
        call.agent = talked(db, call)?;
        call.outcome = Outcome::Interrupted;
        RESTARTED.clone_into(&mut call.cause);
        rewrite(db, call)?;
        let seq = last.map_or(0, |s| s.seq.saturating_add(1));
        db.prepare_cached("INSERT INTO step VALUES (?1, ?2, ?3, ?4, 'ended', ?5)")?.execute(params![
            key(call.call.0),
            seq,
            ended.0,
            key(call.duration_ms),
            RESTARTED
        ])?;
    }
    Ok(calls)
}

fn steps(db: &Connection, call: &CallRecord) -> rusqlite::Result<Vec<Told>> {
    let sql = "SELECT seq, at, offset_ms, kind, detail FROM step WHERE call = ?1 ORDER BY seq";
    let read = |row: &Row<'_>| {
        Ok(Told {
            seq: row.get(0)?,
            at: Wall(row.get(1)?),
            offset_ms: id(row.get(2)?),
            kind: row.get(3)?,
            detail: row.get(4)?,
        })
    };
    db.prepare_cached(sql)?.query_map([key(call.call.0)], read)?.collect()
}

/// The record as the running call had it: the steps are its chapters.
fn retell(call: &mut CallRecord, steps: &[Told]) {
    let (mut talking, mut waiting): (Option<u64>, Option<u64>) = (None, None);
    for step in steps {
        match step.kind.as_str() {
            "trunk_in" => {
                call.trunk = step.detail.split(' ').next().map(str::to_owned).filter(|name| !name.is_empty());
            }
            // Told twice: the number dialled, then each trunk tried.
            "outside" if !is_number(&step.detail) => {
                call.trunk = Some(step.detail.clone());
                call.direction = match call.direction {
                    Direction::Inbound => Direction::Inbound,
                    Direction::Internal | Direction::Outbound => Direction::Outbound,
                };
            }
            "flow" => {
                call.answered.get_or_insert(step.at);
            }
            "queue" => {
                waiting.get_or_insert(step.offset_ms);
                call.queue = Some(step.detail.clone());
            }
            "transferred" => {
                if let Some(since) = talking.take() {
                    call.talk_ms += step.offset_ms.saturating_sub(since);
                }
            }
            "overflow" => waited(call, &mut waiting, step.offset_ms),
            "answered" => {
                waited(call, &mut waiting, step.offset_ms);
                call.answered.get_or_insert(step.at);
                talking.get_or_insert(step.offset_ms);
                if call.direction != Direction::Outbound && !step.detail.starts_with('+') {
                    call.answered_by = Some(step.detail.clone());
                }
            }
            _ => {}
        }
    }
    waited(call, &mut waiting, call.duration_ms);
    call.talk_ms += talking.map_or(0, |since| call.duration_ms.saturating_sub(since));
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'*' | b'#'))
}

fn waited(call: &mut CallRecord, since: &mut Option<u64>, until_ms: u64) {
    if let Some(since) = since.take() {
        call.wait_ms += until_ms.saturating_sub(since);
    }
}

/// The agent whose state log says that they talked in this call. Only the newest spells are looked at: more than a day of
/// a busy floor, and a start must not read years.
fn talked(db: &Connection, call: &CallRecord) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT agent FROM spell WHERE spell > (SELECT max(spell) FROM spell) - 20000
        AND call = ?1 AND state = 'talking' ORDER BY spell DESC LIMIT 1";
    db.prepare_cached(sql)?.query_row([key(call.call.0)], |row| row.get(0)).optional()
}

fn rewrite(db: &Connection, call: &CallRecord) -> rusqlite::Result<()> {
    let sql = "UPDATE call SET direction = ?2, trunk = ?3, queue = ?4, agent = ?5, answered_by = ?6, answered = ?7,
        ended = ?8, duration_ms = ?9, talk_ms = ?10, wait_ms = ?11, outcome = ?12, cause = ?13 WHERE call = ?1";
    let values = params![
        key(call.call.0),
        row::word(&call.direction),
        call.trunk,
        call.queue,
        call.agent,
        call.answered_by,
        call.answered.map(|at| at.0),
        call.ended.map(|at| at.0),
        key(call.duration_ms),
        key(call.talk_ms),
        key(call.wait_ms),
        row::word(&call.outcome),
        call.cause
    ];
    db.prepare_cached(sql)?.execute(values).map(drop)
}
