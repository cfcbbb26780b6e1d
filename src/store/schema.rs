//! Opens connections to the database, each with the same promises: write-ahead log, synced at every commit, nobody else
//! may read the file; what is sealed in it can be read through them. Knows no table.
use crate::fault::Fault;
use crate::vault;
use rusqlite::{Connection, OpenFlags};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// File of the database in the data folder.
pub(crate) const FILE: &str = "belfry.db";

/// Longest wait for a lock: only a reader that copies the log back can hold one, and only for a moment.
pub(crate) const BUSY: Duration = Duration::from_secs(2);

/// Where the database is.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Makes a folder that only its owner may enter; leaves an existing one as it is.
pub(crate) fn private_folder(path: &Path) -> Result<(), Fault> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(Fault::file(path))
}

/// The one connection that writes.
pub(crate) fn writing(dir: &Path) -> Result<Connection, Fault> {
    let path = file(dir);
    let created = !path.exists();
    if created {
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        let made = made.and_then(|f| f.set_permissions(std::fs::Permissions::from_mode(0o600)).map(|()| f));
        made.and_then(|f| f.sync_all()).map_err(Fault::file(&path))?;
        sync_folder(dir)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "OFF")?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    db.set_prepared_statement_cache_capacity(64);
    vault::teach(&db, dir)?;
    Ok(db)
}

/// A connection that can only read.
pub(crate) fn reading(dir: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file(dir), flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "query_only", "ON")?;
    db.set_prepared_statement_cache_capacity(64);
    vault::teach(&db, dir)?;
    Ok(db)
}

/// Nobody else may read the file.
pub(crate) fn only_owner(path: &Path) -> Result<(), Fault> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(Fault::file(path))
}

/// Makes new names in a folder survive a power cut.
pub(crate) fn sync_folder(dir: &Path) -> Result<(), Fault> {
    std::fs::File::open(dir).and_then(|d| d.sync_all()).map_err(Fault::file(dir))
}
