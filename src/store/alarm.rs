//! What is not well now and whom it still has to be told, so that neither a receiver that is down nor a restart loses or
//! doubles an alarm. Raising and telling are one transaction. Decides when a telling is tried again and when it is given
//! up; never what is an alarm.
use crate::Store;
use crate::fault::Fault;
use model::clock::Wall;
use rusqlite::{Connection, params};

/// Waits between attempts: an alarm is wanted soon, so the first come quickly.
const RETRY_S: [i64; 7] = [5, 15, 60, 300, 900, 1800, 3600];
/// A telling is given up after three days: the end of the alarm has most likely been told by then.
const GIVE_UP_MS: i64 = 3 * 24 * 3600 * 1000;
/// Tellings that may wait; beyond it the oldest is dropped. A hundred alarms to ten receivers.
const WAITING: i64 = 1000;

/// Something that is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// Key of the check.
    pub alarm: String,
    /// Its kind.
    pub kind: String,
    /// Which one.
    pub subject: String,
    /// Since when.
    pub since: Wall,
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By mail to an address.
    Mail,
    /// By a signed POST to a web address.
    Webhook,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Webhook => "webhook",
        }
    }
}

/// Something somebody has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Number; 0 until it is stored.
    pub telling: u64,
    /// How.
    pub way: Way,
    /// Address.
    pub recipient: String,
    /// What, as JSON.
    pub body: String,
    /// When it came up.
    pub created: Wall,
    /// Attempts that failed.
    pub attempts: u32,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Done,
    /// Not now; tried again later.
    Later(String),
    /// Never.
    Refused(String),
}

impl Store {
    /// What was not well when it was last written down.
    ///
    /// # Errors
    /// The disk.
    pub fn alarms(&self) -> Result<Vec<AlarmRow>, Fault> {
        let sql = "SELECT alarm, kind, subject, since FROM alarm ORDER BY alarm";
        self.reader().with(|db| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(AlarmRow {
                    alarm: row.get(0)?,
                    kind: row.get(1)?,
                    subject: row.get(2)?,
                    since: Wall(row.get(3)?),
                })
            };
            db.prepare_cached(sql)?.query_map([], read)?.collect()
        })
    }

    /// Keeps an alarm together with what has to be told of it. False when it was raised already: nothing is told again.
    ///
    /// # Errors
    /// The disk.
    pub fn alarm_raise(&self, alarm: AlarmRow, tellings: Vec<Telling>) -> Result<bool, Fault> {
        self.ask(move |db| {
            let sql = "INSERT OR IGNORE INTO alarm VALUES (?1, ?2, ?3, ?4)";
            let new = db.execute(sql, params![alarm.alarm, alarm.kind, alarm.subject, alarm.since.0])? > 0;
            if new { tell(db, &tellings).map(|()| true) } else { Ok(false) }
        })
    }

    /// Ends an alarm together with what has to be told of it. False when it was not raised.
    ///
    /// # Errors
    /// The disk.
    pub fn alarm_clear(&self, alarm: String, tellings: Vec<Telling>) -> Result<bool, Fault> {
        self.ask(move |db| {
            let was = db.execute("DELETE FROM alarm WHERE alarm = ?1", [&alarm])? > 0;
            if was { tell(db, &tellings).map(|()| true) } else { Ok(false) }
        })
    }

    /// Keeps something to be told that is no alarm: a test.
    ///
    /// # Errors
    /// The disk.
    pub fn telling_keep(&self, tellings: Vec<Telling>) -> Result<(), Fault> {
        self.ask(move |db| tell(db, &tellings))
    }

    /// What is due to be told this way, oldest first, at most 20. One whose time lies further ahead than any wait is due
    /// too: the clock was set back.
    ///
    /// # Errors
    /// The disk.
    pub fn tellings_due(&self, way: Way, now: Wall) -> Result<Vec<Telling>, Fault> {
        let sql = "SELECT telling, recipient, body, created, attempts FROM telling
            WHERE way = ?1 AND (next_at <= ?2 OR next_at > ?3) ORDER BY telling LIMIT 20";
        let latest = now.0.saturating_add(RETRY_S[RETRY_S.len() - 1] * 1000);
        self.reader().with(|db| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Telling {
                    telling: crate::row::id(row.get(0)?),
                    way,
                    recipient: row.get(1)?,
                    body: row.get(2)?,
                    created: Wall(row.get(3)?),
                    attempts: row.get(4)?,
                })
            };
            db.prepare_cached(sql)?.query_map(params![way.word(), now.0, latest], read)?.collect()
        })
    }

    /// Notes how an attempt went. The answer is the next attempt, if there is one.
    ///
    /// # Errors
    /// The disk.
    pub fn telling_done(&self, telling: &Telling, told: Told, now: Wall) -> Result<Option<Wall>, Fault> {
        let key = crate::row::key(telling.telling);
        let next = next_attempt(telling.attempts, telling.created, now);
        self.ask(move |db| {
            let (why, next) = match told {
                Told::Done => {
                    db.execute("DELETE FROM telling WHERE telling = ?1", [key])?;
                    return Ok(None);
                }
                Told::Later(why) => (why, next),
                Told::Refused(why) => (why, None),
            };
            let why: String = why.chars().take(300).collect();
            let sql = "UPDATE telling SET attempts = attempts + 1, next_at = ?2, last_error = ?3 WHERE telling = ?1";
            db.execute(sql, params![key, next.map(|w| w.0), why])?;
            Ok(next)
        })
    }
}

fn tell(db: &Connection, tellings: &[Telling]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO telling (way, recipient, body, created, attempts, next_at) VALUES (?1, ?2, ?3, ?4, 0, 0)";
    let mut insert = db.prepare_cached(sql)?;
    for t in tellings {
        insert.execute(params![t.way.word(), t.recipient, t.body, t.created.0])?;
    }
    let sql = "DELETE FROM telling WHERE telling <= (SELECT max(telling) FROM telling) - ?1";
    db.execute(sql, [WAITING]).map(drop)
}

/// When a telling that failed is tried again; `None` = given up. Also for those that wait in memory.
#[must_use]
pub fn next_attempt(failed_before: u32, created: Wall, now: Wall) -> Option<Wall> {
    let step = usize::try_from(failed_before).unwrap_or(usize::MAX).min(RETRY_S.len() - 1);
    (now.0 - created.0 < GIVE_UP_MS).then(|| Wall(now.0 + RETRY_S[step] * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_further_apart_and_end_after_three_days() {
        let now = Wall(10_000_000);
        let waits: Vec<_> = (0..9).map(|n| next_attempt(n, now, now).map(|w| (w.0 - now.0) / 1000)).collect();
        assert_eq!(waits[..8], [5, 15, 60, 300, 900, 1800, 3600, 3600].map(Some));
        assert_eq!(next_attempt(0, Wall(now.0 - GIVE_UP_MS), now), None);
    }
}
