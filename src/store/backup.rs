//! Saves a site into one encrypted file, and takes it back. A backup is good only after it was read back, unpacked into a
//! scratch folder and compared with the box field by field. Restoring prepares everything beside the present data and
//! then changes over in one step: a cut leaves the old site or the new one, never a mixture. Streams; needs no more memory
//! for a large site than for a small one.
//!
//! The file is an [age](https://age-encryption.org/v1) file (pass-phrase, scrypt) around a tar: `age -d` and `tar` open it
//! without us. In the tar stand `manifest.json` ([`Facts`]), sound files, `site.copy.toml`, `belfry.db` and last
//! `index.json` with length and SHA-256 of every file.
mod archive;
mod compare;
mod restore;
mod seal;
mod snapshot;
#[cfg(test)]
mod tests;

pub use restore::{apply_pending, commit, discard, stage};
pub(crate) use snapshot::BOX_ID;

use crate::fault::Fault;
use crate::schema;
use model::clock::Wall;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Newest form of the file that this program writes and reads.
pub const FORMAT: u32 = 1;
/// What the manifest calls itself.
const KIND: &str = "belfry-backup";
/// End of the names of backups.
pub const END: &str = ".belfry";
/// Room that must stay free beside everything a backup needs: the records' reserve.
const RESERVE: u64 = 64 * 1024 * 1024;

/// What is known about a backup before it is unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Always `belfry-backup`.
    pub kind: String,
    /// Form of the file.
    pub format: u32,
    /// Program that wrote it.
    pub version: String,
    /// When.
    pub made: Wall,
    /// Name of the site.
    pub site: String,
    /// Which box: random, made once for each data folder.
    pub box_id: String,
    /// Schema of the database.
    pub schema: u32,
    /// Configuration in force.
    pub generation: u64,
    /// SHA-256 of its text.
    pub config_sha256: String,
    /// Whether recordings are in it.
    pub recordings: bool,
}

/// A backup that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What is in it.
    pub facts: Facts,
    /// Length of the file.
    pub bytes: u64,
    /// Sound files in it.
    pub files: usize,
    /// Rows of the database, each compared.
    pub rows: u64,
}

/// Why there is no backup, or why one is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// The disk or the database.
    #[error(transparent)]
    Disk(#[from] Fault),
    /// Another pass-phrase was used when it was made.
    #[error("the pass-phrase does not open this backup; give the one that was set when it was made")]
    PassPhrase,
    /// Something else.
    #[error("this is no backup of a Belfry box: {0}; choose a file whose name ends with .belfry")]
    Foreign(String),
    /// Made by a program that knows more.
    #[error("this backup was made by a newer program ({version}); update this box first, then restore it")]
    Newer {
        /// Which.
        version: String,
    },
    /// Cut off or changed.
    #[error("the backup is damaged: {0}; use another one")]
    Damaged(String),
    /// What was read back is not what the box has.
    #[error("the backup was read back and differs from the box: {0}; it was not kept")]
    Differs(String),
    /// Not enough room.
    #[error(
        "{needed_mib} MiB are needed and {free_mib} MiB are free on the data disk; delete something first"
    )]
    NoRoom {
        /// For the backup and its proof.
        needed_mib: u64,
        /// Now.
        free_mib: u64,
    },
    /// Another restore has begun and waits for the next start.
    #[error("another restore waits for the next start of the box; start it first")]
    Waiting,
    /// There is nothing to save.
    #[error("this data folder has no configuration yet; there is nothing to save")]
    Empty,
}

/// What a backup is asked to hold.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Recordings too.
    pub recordings: bool,
    /// Version of the program, for the manifest.
    pub version: String,
    /// What opens it again.
    pub pass_phrase: String,
}

/// Folder of the backups that stay on the box; the work goes on below it.
#[must_use]
pub fn folder(dir: &Path) -> PathBuf {
    dir.join("backups")
}

/// Makes a backup of the running or resting site in `dir` and proves it. `out` is made; it must not be there yet.
/// Reading takes no lock that a writer would notice.
///
/// # Errors
/// Nothing is left behind then.
pub fn create(dir: &Path, out: &Path, wanted: &Wanted, now: Wall) -> Result<Made, BackupFault> {
    schema::private_folder(&folder(dir))?;
    let work = Scratch::new(&folder(dir).join("work"))?;
    let mut snapshot = snapshot::take(dir, &work.path, wanted, now)?;
    room(dir, snapshot.needed())?;
    let written = archive::write(dir, out, &mut snapshot, wanted)
        .and_then(|()| prove(dir, out, &snapshot, wanted, &work));
    if written.is_err() {
        let _ = std::fs::remove_file(out);
    }
    written
}

fn room(dir: &Path, needed: u64) -> Result<(), BackupFault> {
    let free = crate::spool::free_bytes(dir)?;
    if free >= needed + RESERVE {
        return Ok(());
    }
    Err(BackupFault::NoRoom { needed_mib: (needed + RESERVE) >> 20, free_mib: free >> 20 })
}

/// Restores into a scratch folder and compares: sound files byte for byte with the box's own, the database field by field
/// with the moment it was taken, the configuration by its text. Recordings are compared while they stream by and are not
/// written a second time.
fn prove(
    dir: &Path,
    out: &Path,
    snapshot: &snapshot::Snapshot,
    wanted: &Wanted,
    work: &Scratch,
) -> Result<Made, BackupFault> {
    let scratch = work.path.join("scratch");
    schema::private_folder(&scratch)?;
    let mut files = 0;
    let file = File::open(out).map_err(Fault::file(out))?;
    let bytes = file.metadata().map_err(Fault::file(out))?.len();
    let facts = archive::read(file, &wanted.pass_phrase, &mut |path, entry| {
        if archive::is_sound(path) {
            files += 1;
            return compare::stream(dir, path, entry);
        }
        archive::unpack(&scratch, path, entry)
    })?;
    if facts != snapshot.facts {
        return Err(BackupFault::Differs("its manifest".into()));
    }
    let rows = compare::databases(&snapshot.db, &scratch.join(schema::FILE))?;
    compare::configuration(&scratch, &facts)?;
    Ok(Made { facts, bytes, files, rows })
}

/// Reads a backup to its end and says what is in it, without a change to anything.
///
/// # Errors
/// Why it would not be taken.
pub fn check(file: &Path, pass_phrase: &str) -> Result<Facts, BackupFault> {
    let opened = File::open(file).map_err(Fault::file(file))?;
    archive::read(opened, pass_phrase, &mut |_, entry| {
        std::io::copy(entry, &mut std::io::sink()).map(drop).map_err(|e| archive::damaged(&e))
    })
}

/// A folder that is gone when the work ends, and that is emptied first when a crash left it.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(path: &Path) -> Result<Scratch, Fault> {
        remove_all(path)?;
        schema::private_folder(path)?;
        Ok(Scratch { path: path.to_owned() })
    }
}

/// What lies in a scratch in clear while a backup is made and proven.
const CLEAR: [&str; 3] = ["snapshot.db", "scratch/belfry.db", "scratch/site.copy.toml"];

impl Drop for Scratch {
    fn drop(&mut self) {
        for name in CLEAR {
            if let Err(fault) = crate::reset::destroy(&self.path.join(name)) {
                tracing::warn!(%fault, name, "a copy in clear could not be overwritten");
            }
        }
        if let Err(fault) = remove_all(&self.path) {
            tracing::warn!(%fault, "a folder of work that is done stays");
        }
    }
}

/// Removes a folder with everything in it; one that is not there is fine.
pub(crate) fn remove_all(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::file(path)(error)),
        Err(_) | Ok(()) => Ok(()),
    }
}
