//! What the queues go on with after a start: reads the rows of the day; `model::past` counts. Once a start, in its
//! transaction; each question looks at a bounded number of rows, and figures beyond it begin at zero rather than be wrong.
use crate::reports;
use crate::row::{self, key};
use model::clock::Wall;
use model::config::Config;
use model::id::CallId;
use model::past::{self, Past};
use model::record::CallRecord;
use rusqlite::{Connection, OptionalExtension as _};

/// Newest spells looked at: more than a day of a busy floor.
const SPELLS: u32 = 20_000;

pub(crate) fn read(
    db: &Connection,
    config: Option<&Config>,
    now: Wall,
    closed: &[CallRecord],
) -> rusqlite::Result<Past> {
    let sql = format!("SELECT {} FROM callback ORDER BY came, callback", row::CALLBACK);
    let callbacks = db.prepare(&sql)?.query_map([], row::callback)?.collect::<Result<_, _>>()?;
    // A promise stands whatever the configuration says; the figures of the day need a time zone.
    let Some(config) = config else { return Ok(Past { callbacks, ..Past::default() }) };
    let from = past::midnight(config, now);
    let steps = reports::steps_of(db, from, Wall(now.0.saturating_add(1)))?;
    let sql = format!(
        "SELECT {} FROM spell WHERE spell > (SELECT max(spell) FROM spell) - ?1 ORDER BY spell",
        row::SPELL
    );
    let spells: Vec<_> = db.prepare(&sql)?.query_map([SPELLS], row::spell)?.collect::<Result<_, _>>()?;
    let queue_of = |call: CallId| {
        let sql = "SELECT queue FROM call WHERE call = ?1";
        let found = db.query_row(sql, [key(call.0)], |row| row.get::<_, Option<String>>(0)).optional();
        found.ok().flatten().flatten()
    };
    Ok(Past {
        callbacks,
        queues: past::queues(config, now, &steps.unwrap_or_default()),
        agents: past::agents(&spells, now, &queue_of),
        waited: past::waited(closed, now),
    })
}
