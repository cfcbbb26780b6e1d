//! Takes a backup back. First everything is unpacked, checked and put on the disk beside the present data ([`stage`]);
//! then one rename says that it counts ([`commit`]); then the parts are moved into place, by whoever opens the data next,
//! as often as it takes ([`apply_pending`]). Before the rename a cut leaves the old site, after it the new one.
use super::archive::{self, COPY, FOLDERS, PROMPTS, SOUNDS};
use super::{BackupFault, Facts, remove_all, room, snapshot};
use crate::fault::Fault;
use crate::{boot, config, migrate, schema, vault};
use rusqlite::{Connection, params};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What is being prepared.
const FOLDER: &str = "restore";
/// The site that is to come.
const NEW: &str = "restore/new";
/// Sound files that have to go.
const OLD: &str = "restore/old";
/// Its presence says that the new site counts; its content is the manifest.
const GO: &str = "restore/go";
/// The same while it is written.
const ALMOST: &str = "restore/go.new";

/// Called before each step that changes the disk; a test ends the work there.
pub(crate) type Step<'a> = &'a mut dyn FnMut() -> Result<(), Fault>;

/// Unpacks a backup beside the present data and checks all of it. The present data is not touched.
///
/// # Errors
/// Why it is not taken; nothing is left behind.
pub fn stage(dir: &Path, file: &Path, pass_phrase: &str) -> Result<Facts, BackupFault> {
    let staged = prepare(dir, file, pass_phrase);
    if staged.is_err() {
        discard(dir)?;
    }
    staged
}

fn prepare(dir: &Path, file: &Path, pass_phrase: &str) -> Result<Facts, BackupFault> {
    if dir.join(GO).exists() {
        return Err(BackupFault::Waiting);
    }
    discard(dir)?;
    let new = dir.join(NEW);
    let opened = File::open(file).map_err(Fault::file(file))?;
    room(dir, opened.metadata().map_err(Fault::file(file))?.len() * 2)?;
    schema::private_folder(&new)?;
    let facts = archive::read(opened, pass_phrase, &mut |name, entry| archive::unpack(&new, name, entry))?;
    check_database(&new)?;
    let always = |folder: &&&str| {
        ![PROMPTS, SOUNDS].contains(folder) && (facts.recordings || **folder != "recordings")
    };
    for folder in FOLDERS.iter().filter(always) {
        schema::private_folder(&new.join(folder))?;
    }
    let manifest = serde_json::to_vec(&facts).map_err(|e| archive::damaged(&e.into()))?;
    put(&dir.join(ALMOST), &manifest)?;
    schema::sync_folder(&new)?;
    schema::sync_folder(&dir.join(FOLDER))?;
    schema::sync_folder(dir)?;
    Ok(facts)
}

/// The database is whole, this program can read it, and a site starts from it.
fn check_database(new: &Path) -> Result<(), BackupFault> {
    let path = new.join(schema::FILE);
    if !path.exists() || !new.join(COPY).exists() {
        return Err(BackupFault::Damaged("the database or the configuration is missing".into()));
    }
    let mut db = Connection::open(&path).map_err(Fault::from)?;
    vault::teach(&db, new)?;
    let wrong = |what: &str| BackupFault::Damaged(what.to_owned());
    boot::look_closely(&db).map_err(|_| wrong("its database is not whole"))?;
    migrate::to_known(&mut db)?;
    config::choose(&db)
        .map_err(Fault::from)?
        .current
        .ok_or_else(|| wrong("its configuration does not check"))?;
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(Fault::from)?;
    drop(db);
    File::open(&path).and_then(|f| f.sync_all()).map_err(Fault::file(&path))?;
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(Fault::file(path))
}

/// Says that what was staged counts. The next opening of the data folder changes over; let it come soon, because what is
/// kept from now on is lost.
///
/// # Errors
/// `File`: nothing is staged, or the disk failed; then the old site counts.
pub fn commit(dir: &Path) -> Result<(), Fault> {
    let almost = dir.join(ALMOST);
    std::fs::rename(&almost, dir.join(GO)).map_err(Fault::file(&almost))?;
    schema::sync_folder(&dir.join(FOLDER))
}

/// Throws away what was staged and does not count yet.
///
/// # Errors
/// `File`.
pub fn discard(dir: &Path) -> Result<(), Fault> {
    if dir.join(GO).exists() { Ok(()) } else { remove_all(&dir.join(FOLDER)) }
}

/// Changes over to a restored site that counts, or clears away one that does not. For whoever holds the data folder, before
/// the database is opened.
///
/// # Errors
/// The disk; the next call goes on where this one stopped.
pub fn apply_pending(dir: &Path) -> Result<Option<Facts>, Fault> {
    apply_stepwise(dir, &mut || Ok(()))
}

pub(crate) fn apply_stepwise(dir: &Path, step: Step<'_>) -> Result<Option<Facts>, Fault> {
    let go = dir.join(GO);
    if !go.exists() {
        remove_all(&dir.join(FOLDER))?;
        return Ok(None);
    }
    let manifest = std::fs::read(&go).map_err(Fault::file(&go))?;
    let facts: Facts = serde_json::from_slice(&manifest).map_err(|e| Fault::file(&go)(e.into()))?;
    let new = dir.join(NEW);
    if !facts.recordings && new.join(schema::FILE).exists() {
        keep_recordings(dir, &new, &facts)?;
    }
    step()?;
    schema::private_folder(&dir.join(OLD))?;
    for folder in FOLDERS {
        change_folder(dir, folder, step)?;
    }
    change_database(dir, &new, step)?;
    schema::sync_folder(dir)?;
    step()?;
    std::fs::remove_file(&go).map_err(Fault::file(&go))?;
    schema::sync_folder(&dir.join(FOLDER))?;
    step()?;
    remove_all(&dir.join(FOLDER))?;
    tracing::warn!(made = %facts.made.0, site = facts.site, "the site was restored from a backup");
    Ok(Some(facts))
}

/// A backup without recordings, taken back on the box that it is of, leaves the recordings there: their rows move over.
fn keep_recordings(dir: &Path, new: &Path, facts: &Facts) -> Result<(), Fault> {
    let same_box = !facts.box_id.is_empty() && old_box(dir).is_ok_and(|id| id == facts.box_id);
    if !same_box {
        return schema::private_folder(&new.join("recordings"));
    }
    if let Err(error) = move_rows(dir, new) {
        // The old database may be the reason for the restore.
        tracing::warn!(%error, "the rows of the recordings could not be taken over; their files stay");
    }
    Ok(())
}

fn move_rows(dir: &Path, new: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(new.join(schema::FILE))?;
    let old = schema::file(dir);
    db.execute("ATTACH ?1 AS old", params![old.to_str()])?;
    db.execute("INSERT OR REPLACE INTO recording SELECT * FROM old.recording", [])?;
    db.execute("DETACH old", []).map(drop)
}

fn old_box(dir: &Path) -> Result<String, Fault> {
    let db = schema::writing(dir)?;
    migrate::version(&db)
        .and_then(|v| if v == migrate::KNOWN { Ok(snapshot::box_id(&db)?) } else { Ok(String::new()) })
}

/// The old folder steps aside, the new one takes its place. Once the new one has moved, nothing is left to do.
fn change_folder(dir: &Path, folder: &str, step: Step<'_>) -> Result<(), Fault> {
    let (new, place, old): (PathBuf, PathBuf, PathBuf) =
        (dir.join(NEW).join(folder), dir.join(folder), dir.join(OLD).join(folder));
    if !new.exists() {
        return Ok(());
    }
    if place.exists() {
        remove_all(&old)?;
        std::fs::rename(&place, &old).map_err(Fault::file(&place))?;
        step()?;
    }
    std::fs::rename(&new, &place).map_err(Fault::file(&new))?;
    schema::sync_folder(dir)?;
    step()
}

fn change_database(dir: &Path, new: &Path, step: Step<'_>) -> Result<(), Fault> {
    let from = new.join(schema::FILE);
    if from.exists() {
        for end in ["-wal", "-shm"] {
            let path = dir.join(format!("{}{end}", schema::FILE));
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Fault::file(&path)(error));
                }
                Err(_) | Ok(()) => {}
            }
            step()?;
        }
        schema::sync_folder(dir)?;
        std::fs::rename(&from, schema::file(dir)).map_err(Fault::file(&from))?;
        step()?;
    }
    let copy = new.join(COPY);
    if copy.exists() {
        std::fs::rename(&copy, dir.join(COPY)).map_err(Fault::file(&copy))?;
        step()?;
    }
    Ok(())
}
