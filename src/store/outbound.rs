//! Attempts of campaigns, what was said of them, and what must not be called, on the disk. An entry is marked as being tried
//! in the same transaction that keeps its attempt, so that no start of the box finds it free. Decides nothing: when an
//! entry is tried again stands in the record.
use crate::Reader;
use crate::fault::Fault;
use crate::row::{self, id, key};
use model::campaign::{AttemptRecord, Barred, CampaignPast, Ending, Entry, HopperQuery, SteerRecord};
use model::clock::Wall;
use model::id::{CallId, EntryId};
use model::number::Number;
use model::record::Said;
use rusqlite::{Connection, Result, Row, params};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Attempts of one answer; the rest is behind `next`.
const PAGE: u32 = 1000;
/// Attempts that a campaign's people are known by.
const LAST: u32 = 5000;
/// Entries looked at for one hopper: enough to find some that are free among many that are held.
const LOOK: u32 = 2000;
/// Attempts that a crash cut off are tried again after this time: nobody knows what became of them.
const CUT_OFF_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
const MONTH_MS: i64 = 30 * DAY_MS;

const ATTEMPT: &str =
    "call, campaign, entry, number, form, zones, agent, at, moments, ended, ending, code, again, heard";

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn read<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// Keeps a beginning attempt and takes its entry.
pub(crate) fn begun(db: &Connection, a: &AttemptRecord) -> Result<()> {
    let marks = "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14";
    let sql = format!("INSERT OR IGNORE INTO attempt ({ATTEMPT}) VALUES ({marks})");
    let new = db.prepare_cached(&sql)?.execute(params![
        key(a.call.0),
        a.campaign,
        key(a.entry.0),
        a.number.as_str(),
        row::word(&a.form),
        json(&a.zones),
        a.agent,
        a.at.0,
        json(&a.moments),
        a.ended.map(|w| w.0),
        a.ending.map(|e| row::word(&e)),
        a.code,
        a.again.map(|w| w.0),
        a.heard.as_ref().map(json),
    ])?;
    let sql = "UPDATE entry SET state = 'trying', attempts = attempts + ?2 WHERE entry = ?1";
    db.prepare_cached(sql)?.execute(params![key(a.entry.0), key(u64::try_from(new).unwrap_or(0))]).map(drop)
}

/// Keeps what became of an attempt and gives its entry back.
pub(crate) fn ended(db: &Connection, a: &AttemptRecord) -> Result<()> {
    let sql = "UPDATE attempt SET agent = ?2, moments = ?3, ended = ?4, ending = ?5, code = ?6, again = ?7,
               heard = ?8 WHERE call = ?1";
    let ending = a.ending.map(|e| row::word(&e));
    let (ended, again) = (a.ended.map(|w| w.0), a.again.map(|w| w.0));
    let values = params![
        key(a.call.0),
        a.agent,
        json(&a.moments),
        ended,
        ending,
        a.code,
        again,
        a.heard.as_ref().map(json)
    ];
    db.prepare_cached(sql)?.execute(values)?;
    let result = a.result().map(|r| row::word(&r));
    give_back(db, a.entry, a.again, result.as_deref())
}

fn give_back(db: &Connection, entry: EntryId, again: Option<Wall>, result: Option<&str>) -> Result<()> {
    let state = if again.is_some() { "open" } else { "done" };
    let sql =
        "UPDATE entry SET state = ?2, due = coalesce(?3, due), result = ?4, appointment = 0, agent = NULL
               WHERE entry = ?1";
    db.prepare_cached(sql)?.execute(params![key(entry.0), state, again.map(|w| w.0), result]).map(drop)
}

/// Keeps what an agent said, and what becomes of the entry by it.
pub(crate) fn said(db: &Connection, s: &Said) -> Result<()> {
    let sql = "UPDATE attempt SET word = ?2, note = ?3, again = ?4 WHERE call = ?1";
    let again = s.again.map(|w| w.0);
    db.prepare_cached(sql)?.execute(params![key(s.call.0), s.word, s.note, again])?;
    let state = if s.again.is_some() { "open" } else { "done" };
    let sql = "UPDATE entry SET word = ?2, state = CASE state WHEN 'trying' THEN state ELSE ?3 END,
               due = coalesce(?4, due), agent = ?5, appointment = ?6 WHERE entry = ?1";
    let values = params![key(s.entry.0), s.word, state, again, s.own, s.appointment];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// Keeps or takes off a number that must not be called; how many that changed.
pub(crate) fn barred(db: &Connection, b: &Barred) -> Result<usize> {
    let number = b.number.as_str();
    if b.listed {
        let sql = "INSERT OR IGNORE INTO barred VALUES (?1, ?2, ?3)";
        return db.prepare_cached(sql)?.execute(params![number, b.at.0, b.by]);
    }
    db.prepare_cached("DELETE FROM barred WHERE number = ?1")?.execute([number])
}

/// Keeps a change of the steering.
pub(crate) fn steered(db: &Connection, s: &SteerRecord) -> Result<()> {
    let sql = "INSERT INTO steered (campaign, at, by_whom, what, detail, steering)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM
                   (SELECT * FROM steered WHERE campaign = ?1 ORDER BY steered DESC LIMIT 1)
                   WHERE at = ?2 AND what = ?4 AND detail = ?5)";
    let values = params![s.campaign, s.at.0, s.by, s.what, s.detail, json(&s.steering)];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// Ends the attempts that a stop of the box cut off, once a start: their entries are tried again later, by the rules.
pub(crate) fn close(db: &Connection, now: Wall) -> Result<()> {
    let again = now.0.saturating_add(CUT_OFF_MS);
    let interrupted = row::word(&Ending::Interrupted);
    db.execute(
        "UPDATE attempt SET ended = ?1, ending = ?2, again = ?3 WHERE ended IS NULL",
        params![now.0, interrupted, again],
    )?;
    let sql = "UPDATE entry SET state = 'open', due = max(due, ?1) WHERE state = 'trying'";
    db.execute(sql, [again]).map(drop)
}

/// What each campaign was, for the start of the engine.
pub(crate) fn states(db: &Connection, now: Wall) -> Result<BTreeMap<String, CampaignPast>> {
    let mut found: BTreeMap<String, CampaignPast> = BTreeMap::new();
    let sql = "SELECT campaign, steering FROM steered
               WHERE steered IN (SELECT max(steered) FROM steered GROUP BY campaign)";
    let mut steered = db.prepare(sql)?;
    for pair in steered.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))? {
        let (campaign, steering): (String, String) = pair?;
        found.entry(campaign).or_default().steering = read(&steering);
    }
    // What `close` has ended a moment ago, by the same clock.
    let sql = "SELECT DISTINCT campaign FROM attempt WHERE ended = ?1 AND ending = ?2";
    let mut cut = db.prepare(sql)?;
    for campaign in cut.query_map(params![now.0, row::word(&Ending::Interrupted)], |row| row.get(0))? {
        found.entry(campaign?).or_default().cut = true;
    }
    let live = "ending IN ('abandoned', 'connected', 'hung_up_waiting')";
    let sql = format!(
        "SELECT campaign, (?1 - at) / {DAY_MS}, count(*), sum(ending = 'abandoned') FROM attempt
         WHERE at > ?1 - {MONTH_MS} AND at <= ?1 AND {live} GROUP BY 1, 2"
    );
    let mut days = db.prepare(&sql)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    for counted in days.query_map([now.0], read)? {
        let (campaign, ago, live, abandoned): (String, u32, u32, u32) = counted?;
        let state = found.entry(campaign).or_default();
        state.days.resize(30, (0, 0));
        let place = usize::try_from(29_u32.saturating_sub(ago)).unwrap_or(0);
        if let Some(day) = state.days.get_mut(place) {
            *day = (live, abandoned);
        }
    }
    Ok(found)
}

fn attempt(row: &Row<'_>) -> Result<AttemptRecord> {
    let text = |at: usize| row.get::<_, String>(at);
    let word = |text: String| serde_json::Value::String(text);
    Ok(AttemptRecord {
        call: CallId(id(row.get(0)?)),
        campaign: row.get(1)?,
        entry: EntryId(id(row.get(2)?)),
        number: Number::read(&text(3)?).unwrap_or_default(),
        form: serde_json::from_value(word(text(4)?)).unwrap_or_default(),
        zones: read(&text(5)?),
        agent: row.get(6)?,
        at: Wall(row.get(7)?),
        moments: read(&text(8)?),
        ended: row.get::<_, Option<i64>>(9)?.map(Wall),
        ending: row.get::<_, Option<String>>(10)?.and_then(|t| serde_json::from_value(word(t)).ok()),
        code: row.get(11)?,
        again: row.get::<_, Option<i64>>(12)?.map(Wall),
        heard: row.get::<_, Option<String>>(13)?.and_then(|t| serde_json::from_str(&t).ok()),
    })
}

impl Reader {
    /// The next entries of a campaign, those with an appointment first, then by value.
    ///
    /// # Errors
    /// The disk.
    pub fn hopper(&self, query: &HopperQuery, now: Wall) -> std::result::Result<Vec<Entry>, Fault> {
        self.with(|db| {
            let mut found = Vec::new();
            for list in &query.lists {
                next_of(db, list, query, now, &mut found)?;
            }
            found.sort_by_key(|e: &Entry| (!e.appointment, std::cmp::Reverse(e.value), e.due));
            found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
            Ok(found)
        })
    }

    /// Attempts of a campaign after this call, oldest first: the raw events of its evidence.
    ///
    /// # Errors
    /// The disk.
    pub fn attempts(&self, campaign: &str, after: CallId) -> std::result::Result<Vec<AttemptRecord>, Fault> {
        let sql =
            format!("SELECT {ATTEMPT} FROM attempt WHERE campaign = ?1 AND call > ?2 ORDER BY call LIMIT ?3");
        self.with(|db| {
            let values = params![campaign, key(after.0), PAGE];
            db.prepare_cached(&sql)?.query_map(values, attempt)?.collect()
        })
    }

    /// The last attempts of a campaign, newest first: enough to know its people by.
    ///
    /// # Errors
    /// The disk.
    pub fn last_attempts(&self, campaign: &str) -> std::result::Result<Vec<AttemptRecord>, Fault> {
        let sql = format!("SELECT {ATTEMPT} FROM attempt WHERE campaign = ?1 ORDER BY call DESC LIMIT ?2");
        self.with(|db| db.prepare_cached(&sql)?.query_map(params![campaign, LAST], attempt)?.collect())
    }

    /// The last changes of the steering of a campaign, newest first.
    ///
    /// # Errors
    /// The disk.
    pub fn steered(&self, campaign: &str) -> std::result::Result<Vec<SteerRecord>, Fault> {
        let sql = "SELECT campaign, at, by_whom, what, detail, steering FROM steered WHERE campaign = ?1
                   ORDER BY steered DESC LIMIT 200";
        let record = |row: &Row<'_>| {
            Ok(SteerRecord {
                campaign: row.get(0)?,
                at: Wall(row.get(1)?),
                by: row.get(2)?,
                what: row.get(3)?,
                detail: row.get(4)?,
                steering: read(&row.get::<_, String>(5)?),
            })
        };
        self.with(|db| db.prepare_cached(sql)?.query_map([campaign], record)?.collect())
    }

    /// A page of the numbers that must not be called, after this one.
    ///
    /// # Errors
    /// The disk.
    pub fn barred(&self, after: &str) -> std::result::Result<Vec<Barred>, Fault> {
        let sql = "SELECT number, at, by_whom FROM barred WHERE number > ?1 ORDER BY number LIMIT 1000";
        let record = |row: &Row<'_>| {
            Ok(Barred {
                number: Number::read(&row.get::<_, String>(0)?).unwrap_or_default(),
                at: Wall(row.get(1)?),
                by: row.get(2)?,
                listed: true,
            })
        };
        self.with(|db| db.prepare_cached(sql)?.query_map([after], record)?.collect())
    }
}

/// The free entries of one list, with what is known of their numbers.
fn next_of(
    db: &Connection,
    list: &str,
    query: &HopperQuery,
    now: Wall,
    found: &mut Vec<Entry>,
) -> Result<()> {
    let sql = "SELECT entry, number, zones, name, fields, value, attempts, due, agent, appointment FROM entry
               WHERE list = ?1 AND state = 'open' AND due <= ?2 AND attempts < ?3
               ORDER BY appointment DESC, value DESC, due LIMIT ?4";
    let read_entry = |row: &Row<'_>| {
        Ok(Entry {
            entry: EntryId(id(row.get(0)?)),
            list: list.to_owned(),
            number: Number::read(&row.get::<_, String>(1)?).unwrap_or_default(),
            zones: read(&row.get::<_, String>(2)?),
            name: row.get(3)?,
            fields: read(&row.get::<_, String>(4)?),
            value: row.get(5)?,
            attempts: row.get(6)?,
            due: Wall(row.get(7)?),
            agent: row.get(8)?,
            appointment: row.get(9)?,
            ..Entry::default()
        })
    };
    let mut sql = db.prepare_cached(sql)?;
    let rows = sql.query_map(params![list, query.due.0, query.attempts_max, LOOK], read_entry)?;
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let mut taken = 0;
    for entry in rows {
        let mut entry = entry?;
        let closed = entry.zones.iter().any(|z| query.closed.contains(z));
        if closed || query.held.contains(&entry.entry) {
            continue;
        }
        past(db, &mut entry, now)?;
        found.push(entry);
        taken += 1;
        if taken >= wanted {
            break;
        }
    }
    Ok(())
}

/// What happened to the number before, in any list and campaign.
fn past(db: &Connection, entry: &mut Entry, now: Wall) -> Result<()> {
    let number = entry.number.as_str();
    let sql = "SELECT count(*) FILTER (WHERE at > ?2 - 86400000),
                      max(at) FILTER (WHERE ending = 'abandoned')
               FROM attempt WHERE number = ?1 AND at > ?2 - 2592000000";
    let (day, abandoned): (u32, Option<i64>) =
        db.prepare_cached(sql)?.query_row(params![number, now.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    entry.attempts_day = day;
    entry.abandoned = abandoned.map(Wall);
    let sql = "SELECT EXISTS (SELECT 1 FROM barred WHERE number = ?1)";
    entry.barred = db.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
    Ok(())
}
