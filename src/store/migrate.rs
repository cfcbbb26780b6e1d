//! Brings the database to the schema of this program, up or down, one transaction a step (a new database: one for all of
//! them). The way down is kept inside
//! the database when a step is made, so that an older program can take back what a newer one did after a failed update,
//! without losing records. The number of the schema is `PRAGMA user_version`.
use crate::fault::Fault;
use rusqlite::{Connection, TransactionBehavior, params};
use std::ops::RangeInclusive;

/// One step of the schema, there and back.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// To this schema.
    pub up: &'static str,
    /// Back to the one before.
    pub down: &'static str,
}

macro_rules! steps {
    ($($name:literal)*) => {
        [$(Step {
            up: include_str!(concat!("migrations/", $name, ".up.sql")),
            down: include_str!(concat!("migrations/", $name, ".down.sql")),
        }),*]
    };
}

/// Every step this program knows, the first makes schema 1.
pub static STEPS: [Step; 13] = steps!("0001_records" "0002_site" "0003_mail" "0004_held" "0005_alarm" "0006_contact" "0007_report" "0008_score" "0009_outbound" "0010_callback" "0011_digest" "0012_sealed" "0013_heard");

/// The schema of this program.
pub const KNOWN: u32 = 13;
/// The oldest schema that a system may have which replaces this one: that of the last release. Older ones are reached
/// one release at a time, which is what is tested.
pub const BACK_TO: u32 = 3;

/// The schema of the file.
pub(crate) fn version(db: &Connection) -> Result<u32, Fault> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Brings the file to [`KNOWN`].
pub(crate) fn to_known(db: &mut Connection) -> Result<(), Fault> {
    to(db, KNOWN)
}

/// Brings the file to a schema of this program.
pub(crate) fn to(db: &mut Connection, wanted: u32) -> Result<(), Fault> {
    bring(db, &STEPS, wanted)
}

/// Brings a file to a schema by these steps, one transaction each: whenever it breaks off, the file is at one of them. A
/// new file, which no other program has ever kept anything in, goes all the way in one: each costs a sync of the disk.
/// The way down comes from the file, so a program needs no steps that it does not know.
///
/// # Errors
/// `Newer` when there is no way; the disk's.
pub fn bring(db: &mut Connection, steps: &[Step], wanted: u32) -> Result<(), Fault> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS way_down (version INTEGER PRIMARY KEY, sql TEXT NOT NULL) STRICT",
    )?;
    loop {
        let found = version(db)?;
        match found.cmp(&wanted) {
            std::cmp::Ordering::Less if found == 0 => up(db, steps, 1..=wanted)?,
            std::cmp::Ordering::Less => up(db, steps, found + 1..=found + 1)?,
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => down(db, found)?,
        }
    }
}

fn up(db: &mut Connection, steps: &[Step], versions: RangeInclusive<u32>) -> Result<(), Fault> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for version in versions.clone() {
        let step = usize::try_from(version - 1).ok().and_then(|i| steps.get(i));
        let step = step.ok_or(Fault::Newer { found: version, known: KNOWN })?;
        tx.execute_batch(step.up)?;
        tx.execute("INSERT OR REPLACE INTO way_down VALUES (?1, ?2)", params![version, step.down])?;
        tx.pragma_update(None, "user_version", version)?;
    }
    tx.commit()?;
    tracing::info!(version = versions.end(), "database brought up");
    Ok(())
}

fn down(db: &mut Connection, version: u32) -> Result<(), Fault> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql =
        tx.query_row("SELECT sql FROM way_down WHERE version = ?1", [version], |row| row.get::<_, String>(0));
    let sql = match sql {
        Ok(sql) => sql,
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            return Err(Fault::Newer { found: version, known: KNOWN });
        }
        Err(error) => return Err(error.into()),
    };
    tx.execute_batch(&sql)?;
    tx.execute("DELETE FROM way_down WHERE version = ?1", [version])?;
    tx.pragma_update(None, "user_version", version - 1)?;
    tx.commit()?;
    tracing::warn!(version, "database taken back to an older schema");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(db: &Connection) -> Vec<String> {
        let mut query = db
            .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
            .unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_step_goes_up_and_down_and_up_again_to_the_same() {
        let mut db = Connection::open_in_memory().unwrap();
        let mut seen = Vec::new();
        for v in 0..=KNOWN {
            to(&mut db, v).unwrap();
            seen.push(objects(&db));
        }
        for v in (0..=KNOWN).rev() {
            to(&mut db, v).unwrap();
            assert_eq!(objects(&db), seen[usize::try_from(v).unwrap()], "down to {v}");
        }
        to_known(&mut db).unwrap();
        assert_eq!(Some(&objects(&db)), seen.last());
        assert_eq!(KNOWN, u32::try_from(STEPS.len()).unwrap());
    }

    #[test]
    fn a_new_file_gets_every_step_or_none_and_an_old_one_step_by_step() {
        let broken = Step { up: "CREATE TABLE half (x); CREATE TABLE half (x)", down: "" };
        let steps = [STEPS[0], STEPS[1], broken];
        let mut fresh = Connection::open_in_memory().unwrap();
        assert!(bring(&mut fresh, &steps, 3).is_err());
        assert_eq!((version(&fresh).unwrap(), objects(&fresh)), (0, vec!["way_down".to_owned()]));
        let mut old = Connection::open_in_memory().unwrap();
        bring(&mut old, &steps, 1).unwrap();
        assert!(bring(&mut old, &steps, 3).is_err());
        assert_eq!(version(&old).unwrap(), 2);
    }

    #[test]
    fn a_newer_schema_is_taken_back_by_the_way_it_brought_along() {
        let mut db = Connection::open_in_memory().unwrap();
        to_known(&mut db).unwrap();
        db.execute("INSERT INTO setting VALUES ('kept', 'yes')", []).unwrap();
        db.execute_batch("CREATE TABLE later (x)").unwrap();
        db.execute("INSERT INTO way_down VALUES (?1, 'DROP TABLE later')", [KNOWN + 1]).unwrap();
        db.pragma_update(None, "user_version", KNOWN + 1).unwrap();
        to_known(&mut db).unwrap();
        assert_eq!(version(&db).unwrap(), KNOWN);
        assert!(!objects(&db).contains(&"later".to_owned()));
        let kept: String =
            db.query_row("SELECT value FROM setting WHERE name = 'kept'", [], |r| r.get(0)).unwrap();
        assert_eq!(kept, "yes");
    }

    #[test]
    fn a_newer_schema_without_a_way_back_is_refused_untouched() {
        let mut db = Connection::open_in_memory().unwrap();
        to_known(&mut db).unwrap();
        db.pragma_update(None, "user_version", KNOWN + 1).unwrap();
        assert!(matches!(to_known(&mut db), Err(Fault::Newer { .. })));
        assert_eq!(version(&db).unwrap(), KNOWN + 1);
    }
}
