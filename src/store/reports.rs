//! What reports and the desk ask of the records: rows of a span of time, earlier calls of a number. Each question looks at
//! a bounded number of rows; one that would need more is refused, never answered in part. Counts nothing itself.
use crate::fault::Fault;
use crate::reader::Reader;
use crate::row::{self, id, key};
use model::clock::Wall;
use model::id::CallId;
use model::number::Number;
use model::record::{AgentSpell, CallRecord};
use model::report::{KINDS, StepRow};
use rusqlite::{Connection, params};

/// Rows that one report looks at: some seconds on a slow box, some hundred MiB never.
const ROWS: u32 = 1_000_000;
/// No call lasts longer, so one that came to a queue in a span began at most this much before it.
const LONGEST_MS: i64 = 24 * 3_600_000;

impl Reader {
    /// Steps of the calls of queues that came in `[from, to)` or the day before, call by call; `None` = too many.
    ///
    /// # Errors
    /// The disk; the same holds for every method here.
    pub fn queue_steps(&self, from: Wall, to: Wall) -> Result<Option<Vec<StepRow>>, Fault> {
        self.with(|db| steps_of(db, from, to))
    }

    /// Spells of all agents that began before `to` and reach into the span, agent by agent in order; `None` = too many.
    ///
    /// # Errors
    /// The disk.
    pub fn agent_spells(&self, from: Wall, to: Wall) -> Result<Option<Vec<AgentSpell>>, Fault> {
        let sql = format!(
            "SELECT {} FROM spell WHERE since < ?2 AND (since > ?1
               OR spell IN (SELECT max(spell) FROM spell WHERE since <= ?1 GROUP BY agent))
             ORDER BY agent, spell LIMIT ?3",
            row::SPELL
        );
        let rows: Vec<AgentSpell> = self.with(|db| {
            db.prepare_cached(&sql)?.query_map(params![from.0, to.0, ROWS + 1], row::spell)?.collect()
        })?;
        Ok(bounded(rows))
    }

    /// The last calls from or to any of these numbers, newest first.
    ///
    /// # Errors
    /// The disk.
    pub fn calls_of(&self, numbers: &[Number], limit: u32) -> Result<Vec<CallRecord>, Fault> {
        let mut found: Vec<CallRecord> = Vec::new();
        self.with(|db| {
            for column in ["caller_number", "called_number"] {
                let sql = format!(
                    "SELECT {} FROM call WHERE {column} = ?1 AND outcome <> 'open' ORDER BY call DESC LIMIT ?2",
                    row::CALL
                );
                let mut sql = db.prepare_cached(&sql)?;
                for number in numbers {
                    let rows = sql.query_map(params![number.as_str(), limit], row::call)?;
                    for call in rows {
                        found.push(call?);
                    }
                }
            }
            Ok(())
        })?;
        found.sort_by_key(|c| std::cmp::Reverse(key(c.call.0)));
        found.dedup_by_key(|c| c.call);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }
}

/// Steps of the calls of queues that came in `[from, to)` or the day before; `None` = too many.
pub(crate) fn steps_of(db: &Connection, from: Wall, to: Wall) -> rusqlite::Result<Option<Vec<StepRow>>> {
    let sql = format!(
        "SELECT s.call, s.at, s.offset_ms, s.kind, s.detail
        FROM call c INDEXED BY call_by_start CROSS JOIN step s ON s.call = c.call
        WHERE c.started >= ?1 AND c.started < ?2 AND c.queue IS NOT NULL AND s.kind IN ('{}')
        ORDER BY c.started, c.call, s.seq LIMIT ?3",
        KINDS.join("', '")
    );
    let mut sql = db.prepare_cached(&sql)?;
    let rows = sql.query_map(params![from.0 - LONGEST_MS, to.0, ROWS + 1], |row| {
        Ok(StepRow {
            call: CallId(id(row.get(0)?)),
            at: Wall(row.get(1)?),
            offset_ms: id(row.get(2)?),
            kind: row.get(3)?,
            detail: row.get(4)?,
        })
    })?;
    Ok(bounded(rows.collect::<Result<_, _>>()?))
}

/// All of them, or none when there are more than one report may look at.
fn bounded<T>(rows: Vec<T>) -> Option<Vec<T>> {
    u32::try_from(rows.len()).is_ok_and(|n| n <= ROWS).then_some(rows)
}
