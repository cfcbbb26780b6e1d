//! What the writer does between records: keeps tables within their limits, and notes now and then that the box lives,
//! so that a crash leaves a good guess of its time. Removes nothing that a person would miss.
use model::clock::Wall;
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use std::time::Duration;

/// How often.
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// Lines of the event log kept: some weeks of a box in trouble, years of a quiet one.
const NOTES: i64 = 100_000;
/// A browser not used this long has to sign in again.
const SESSION_MS: i64 = 30 * DAY_MS;
/// Mails that failed for good stay this long to be seen.
const MAIL_MS: i64 = 30 * DAY_MS;
/// Where a phone was is known this long after it left: the guard spares such addresses.
pub(crate) const BINDING_MS: i64 = 30 * DAY_MS;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Of the contacts that one phone left behind at one address (each new port is one), the last stays.
const BINDING_DOUBLES: &str = "DELETE FROM binding WHERE expires < ?1 AND EXISTS (
    SELECT 1 FROM binding AS later WHERE later.extension = binding.extension AND later.expires > binding.expires
        AND rtrim(later.address, '0123456789') = rtrim(binding.address, '0123456789'))";

/// Name of the setting that says when the box was last seen alive.
const ALIVE: &str = "alive_at";

/// Notes that the box lives.
pub(crate) fn alive(db: &Connection, now: Wall) -> Result<()> {
    let mut sql = db.prepare_cached("INSERT OR REPLACE INTO setting VALUES (?1, ?2)")?;
    sql.execute(params![ALIVE, now.0.to_string()]).map(drop)
}

/// When the box was last seen alive.
pub(crate) fn last_alive(db: &Connection) -> Result<Option<Wall>> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let text: Option<String> = db.query_row(sql, [ALIVE], |row| row.get(0)).optional()?;
    Ok(text.and_then(|t| t.parse().ok()).map(Wall))
}

/// The same at a start, before the open calls are closed: the time last seen alive must stay.
pub(crate) fn tidy_start(db: &mut Connection, now: Wall) -> Result<()> {
    let tx = db.transaction()?;
    limit(&tx, now)?;
    tx.commit()
}

/// Everything; costs nothing on the disk when there is nothing to do and no call is open.
pub(crate) fn tidy(db: &mut Connection, now: Wall) -> Result<()> {
    let tx = db.transaction()?;
    let open: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM call WHERE outcome = 'open')", [], |r| r.get(0))?;
    if open {
        alive(&tx, now)?;
    }
    limit(&tx, now)?;
    tx.commit()
}

fn limit(tx: &Connection, now: Wall) -> Result<()> {
    tx.execute("DELETE FROM note WHERE note <= (SELECT max(note) FROM note) - ?1", [NOTES])?;
    tx.execute("DELETE FROM session WHERE seen < ?1", [now.0 - SESSION_MS])?;
    tx.execute("DELETE FROM binding WHERE expires < ?1", [now.0 - BINDING_MS])?;
    tx.execute(BINDING_DOUBLES, [now.0 - DAY_MS])?;
    tx.execute("DELETE FROM ban WHERE until < ?1", [now.0 - DAY_MS])?;
    tx.execute("DELETE FROM telling WHERE next_at IS NULL AND created < ?1", [now.0 - MAIL_MS])?;
    tx.execute("DELETE FROM mail WHERE next_at IS NULL AND created < ?1", [now.0 - MAIL_MS])?;
    Ok(())
}
