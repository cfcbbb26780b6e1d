//! The database at one moment, as it goes into a backup: without what must not travel (signed-in browsers, mails still to
//! be sent, rows of recordings that stay behind), without the remains of deleted rows, and with the list of its sound
//! files. The running box is only read.
use super::{BackupFault, FORMAT, Facts, KIND, Wanted, archive};
use crate::fault::Fault;
use crate::{config, migrate, schema, vault};
use model::clock::Wall;
use model::config::text;
use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Name of the setting with the random name of the box.
pub(crate) const BOX_ID: &str = "box_id";

pub(super) struct Snapshot {
    /// The copy.
    pub(super) db: PathBuf,
    pub(super) facts: Facts,
    /// Sound files named by it, below the data folder.
    pub(super) files: Vec<String>,
    /// The configuration in force as text.
    pub(super) copy: String,
    bytes: u64,
}

impl Snapshot {
    /// Bytes for the backup, the copy and the scratch.
    pub(super) fn needed(&self) -> u64 {
        self.bytes * 2
    }

    /// A sound file is gone: so is its row.
    pub(super) fn gone(&mut self, path: &str) -> Result<(), Fault> {
        let db = Connection::open(&self.db)?;
        for table in ["recording", "message", "greeting"] {
            db.execute(&format!("DELETE FROM {table} WHERE path = ?1"), [path])?;
        }
        Ok(())
    }
}

pub(super) fn take(dir: &Path, work: &Path, wanted: &Wanted, now: Wall) -> Result<Snapshot, BackupFault> {
    let path = work.join("snapshot.db");
    vacuum(dir, &path)?;
    let db = Connection::open(&path).map_err(Fault::from)?;
    clean(&db, wanted.recordings).map_err(Fault::from)?;
    // The backup has a lock of its own, and another box has another key.
    vault::teach(&db, dir)?;
    vault::unseal_all(&db).map_err(Fault::from)?;
    let current = config::choose(&db).map_err(Fault::from)?.current;
    let (generation, config) = current.ok_or(BackupFault::Empty)?;
    let copy = text::write(&config);
    let mut files = files(&db).map_err(Fault::from)?;
    files.extend(prompts(&db).map_err(Fault::from)?);
    let facts = Facts {
        kind: KIND.into(),
        format: FORMAT,
        version: wanted.version.clone(),
        made: now,
        site: config.system.name.clone(),
        box_id: box_id(&db).map_err(Fault::from)?,
        schema: migrate::version(&db)?,
        generation: generation.0,
        config_sha256: archive::hex(&Sha256::digest(copy.as_bytes())),
        recordings: wanted.recordings,
    };
    let sounds: u64 = files.iter().filter_map(|f| std::fs::metadata(dir.join(f)).ok()).map(|m| m.len()).sum();
    let bytes = sounds + std::fs::metadata(&path).map_err(Fault::file(&path))?.len();
    Ok(Snapshot { db: path, facts, files, copy, bytes })
}

/// Every row at one moment, and nothing of what was deleted before. Writers do not wait for it.
fn vacuum(dir: &Path, to: &Path) -> Result<(), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(schema::file(dir), flags)?;
    db.busy_timeout(schema::BUSY)?;
    let name = to.to_str().ok_or_else(|| Fault::Path(to.display().to_string()))?;
    db.execute("VACUUM INTO ?1", [name])?;
    schema::only_owner(to)
}

fn clean(db: &Connection, recordings: bool) -> rusqlite::Result<()> {
    db.pragma_update(None, "secure_delete", "ON")?;
    db.execute_batch("DELETE FROM session; DELETE FROM mail; DELETE FROM telling;")?;
    let unwanted = if recordings { "ms IS NULL" } else { "1" };
    db.execute(&format!("DELETE FROM recording WHERE {unwanted}"), []).map(drop)
}

fn files(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT path FROM message UNION SELECT path FROM greeting UNION SELECT path FROM recording ORDER BY path";
    db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Own prompts, and files that flows and music name, of every generation: who takes an older one back wants its sound too.
fn prompts(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT p.value FROM generation g, json_tree(unseal(g.tree), '$.audio.prompt') p WHERE p.type = 'text'
        UNION SELECT substr(p.value, 6) FROM generation g, json_tree(unseal(g.tree)) p
        WHERE p.type = 'text' AND p.value LIKE 'file:sounds/%' ORDER BY 1";
    let named: Vec<String> =
        db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(named.into_iter().filter(|path| archive::is_sound(path)).collect())
}

/// The name of the box that this database is of; empty when it never got one.
pub(super) fn box_id(db: &Connection) -> rusqlite::Result<String> {
    use rusqlite::OptionalExtension as _;
    let sql = "SELECT value FROM setting WHERE name = ?1";
    Ok(db.query_row(sql, params![BOX_ID], |row| row.get(0)).optional()?.unwrap_or_default())
}
