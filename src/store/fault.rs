//! What can go wrong with the disk, in words for the person who reads the log. Decides which failures are the disk's
//! and which are a single record's.
use std::path::{Path, PathBuf};

/// The disk or the database failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite refused or failed.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file or folder failed.
    #[error("{}: {source}; check that the data folder exists, is writable and has room", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// How.
        source: std::io::Error,
    },
    /// Another process writes to this data folder.
    #[error("{} is used by another belfry process; stop it first", .0.display())]
    InUse(PathBuf),
    /// The database was made by a newer program and cannot be taken back.
    #[error(
        "the database has schema {found}, this program knows up to {known}; install the newer program again"
    )]
    Newer {
        /// Schema of the file.
        found: u32,
        /// Newest known here.
        known: u32,
    },
    /// A path would leave the data folder.
    #[error("\"{0}\" is not a file below the data folder")]
    Path(String),
    /// Recordings may not use the last room of the disk.
    #[error("only {0} MiB are free on the disk; delete old recordings or use a larger one")]
    NoRoom(u64),
    /// The disk fails at the moment, and nobody is kept waiting for it.
    #[error("the disk does not take writes now: {0}")]
    Suspect(String),
    /// The writing thread has ended.
    #[error("the store is closed")]
    Closed,
}

impl Fault {
    /// A failed file.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Fault + '_ {
        |source| Fault::File { path: path.to_owned(), source }
    }

    /// Whether the database file itself is damaged, so that it has to be set aside.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Fault::Database(error) => is_damage(error),
            Fault::File { .. }
            | Fault::InUse(_)
            | Fault::Newer { .. }
            | Fault::Path(_)
            | Fault::NoRoom(_)
            | Fault::Suspect(_)
            | Fault::Closed => false,
        }
    }

    /// Whether the disk is full or fails: the same write works again when there is room, or another disk.
    #[must_use]
    pub fn is_of_the_disk(&self) -> bool {
        use rusqlite::ErrorCode::{DiskFull, ReadOnly, SystemIoFailure};
        use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
        match self {
            Fault::Database(error) => {
                matches!(error.sqlite_error_code(), Some(DiskFull | ReadOnly | SystemIoFailure))
            }
            Fault::File { source, .. } => matches!(source.kind(), ReadOnlyFilesystem | StorageFull),
            Fault::NoRoom(_) | Fault::Suspect(_) => true,
            Fault::InUse(_) | Fault::Newer { .. } | Fault::Path(_) | Fault::Closed => false,
        }
    }
}

/// Damaged, or no database at all.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Whether only this one record is to blame: the same write would fail again on a healthy disk.
pub(crate) fn is_of_the_record(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    match error.sqlite_error_code() {
        None => true,
        Some(code) => matches!(code, ConstraintViolation | TooBig | TypeMismatch),
    }
}
