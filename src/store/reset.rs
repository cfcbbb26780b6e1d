//! Back to the state of a new box: every key is overwritten and removed first, then everything else that the data folder
//! holds. Asked for by a mark, done by whoever opens the folder next, as often as it takes; a cut leaves a box that goes
//! on with it. Never touches the lock and the sockets of the box that is starting.
use crate::fault::Fault;
use crate::schema;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;

/// Its presence says that everything has to go.
const MARK: &str = "factory-reset";
/// What the starting box holds already.
const STAYS: [&str; 3] = ["belfry.lock", MARK, "run"];
/// Bytes overwritten at once.
const PIECE: usize = 64 * 1024;
/// What holds secrets in the clear: overwritten as well before it is removed. On flash the old cells may live on; see the
/// specification on what that means.
const SECRET: [&str; 7] =
    ["keys", "tls", "belfry.db", "belfry.db-wal", "site.copy.toml", "setup-code", "restore"];

/// Asks for it; the next opening of the folder does it.
///
/// # Errors
/// `File`: nothing will happen.
pub fn ask(dir: &Path) -> Result<(), Fault> {
    let mark = dir.join(MARK);
    File::create(&mark).and_then(|f| f.sync_all()).map_err(Fault::file(&mark))?;
    schema::sync_folder(dir)
}

/// Does it when it was asked for. For whoever holds the folder, before anything in it is used. True = it was done.
///
/// # Errors
/// The disk; the next call goes on.
pub fn apply_pending(dir: &Path) -> Result<bool, Fault> {
    let mark = dir.join(MARK);
    if !mark.exists() {
        return Ok(false);
    }
    for name in SECRET {
        destroy(&dir.join(name))?;
    }
    let entries = std::fs::read_dir(dir).map_err(Fault::file(dir))?;
    for entry in entries {
        let path = entry.map_err(Fault::file(dir))?.path();
        let stays = path.file_name().and_then(|n| n.to_str()).is_some_and(|n| STAYS.contains(&n));
        if !stays {
            remove(&path)?;
        }
    }
    schema::sync_folder(dir)?;
    std::fs::remove_file(&mark).map_err(Fault::file(&mark))?;
    schema::sync_folder(dir)?;
    tracing::warn!("the box is as new: everything was removed");
    Ok(true)
}

/// Overwrites a file, or every file in a folder, and removes it; one that is not there is fine.
///
/// # Errors
/// The disk.
pub fn destroy(path: &Path) -> Result<(), Fault> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(Fault::file(path))? {
            destroy(&entry.map_err(Fault::file(path))?.path())?;
        }
    } else if path.exists() {
        overwrite(path).map_err(Fault::file(path))?;
    }
    remove(path)
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    blank(&mut File::options().write(true).open(path)?)
}

/// Overwrites an open file with zeros, on the disk when it returns.
///
/// # Errors
/// The disk.
pub fn blank(file: &mut File) -> std::io::Result<()> {
    let mut left = file.metadata()?.len();
    file.rewind()?;
    let zeros = vec![0; PIECE];
    while left > 0 {
        let piece = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        file.write_all(&zeros[..piece])?;
        left -= u64::try_from(piece).unwrap_or(left);
    }
    file.sync_all()
}

fn remove(path: &Path) -> Result<(), Fault> {
    let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::file(path)(error)),
        Err(_) | Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn nothing_stays_but_what_the_starting_box_holds() {
        let dir = tempfile::tempdir().unwrap();
        for path in
            ["keys/backup", "belfry.db", "voicemail/101/1.wav", "backups/a.belfry", "run/lock", "belfry.lock"]
        {
            let whole = dir.path().join(path);
            std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
            std::fs::write(whole, b"secret").unwrap();
        }
        assert!(!apply_pending(dir.path()).unwrap(), "nobody asked");
        assert!(dir.path().join("keys/backup").exists());
        // Another name for the same cells shows what became of them.
        let cells = tempfile::tempdir_in(dir.path().parent().unwrap()).unwrap();
        std::fs::hard_link(dir.path().join("keys/backup"), cells.path().join("key")).unwrap();
        ask(dir.path()).unwrap();
        assert!(apply_pending(dir.path()).unwrap());
        assert_eq!(std::fs::read(cells.path().join("key")).unwrap(), [0; 6], "the key is gone for good");
        let mut left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["belfry.lock", "run"]);
        assert!(!apply_pending(dir.path()).unwrap(), "once is enough");
        assert!(std::fs::metadata(cells.path().join("key")).unwrap().nlink() == 1);
    }

    #[test]
    fn a_cut_in_the_middle_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("belfry.db"), b"calls").unwrap();
        ask(dir.path()).unwrap();
        // As a cut leaves it: keys and database are gone, the rest is there, and so is the mark.
        std::fs::remove_file(dir.path().join("belfry.db")).unwrap();
        std::fs::create_dir_all(dir.path().join("recordings/2026")).unwrap();
        assert!(apply_pending(dir.path()).unwrap());
        assert!(!dir.path().join("recordings").exists());
    }
}
