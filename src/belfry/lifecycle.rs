//! What every start has in common: the data folder with its lock, and words for people on standard output and standard
//! error. One box a folder: two would write the same records. Never starts or stops anything.
use crate::args::Role;
use crate::role::EXIT_BAD_INPUT;
use nix::fcntl::{Flock, FlockArg};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Something the person who started us gave us is wrong; the process exits with code 2.
#[derive(Debug)]
pub struct BadInput(pub String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// A data folder that belongs to this process alone.
#[derive(Debug)]
pub struct Folder {
    _lock: Flock<File>,
}

impl Folder {
    /// Makes the folder when it is missing, tries whether it can be written, and locks it.
    ///
    /// # Errors
    /// [`BadInput`] when it cannot be made or written, or when another box runs on it.
    pub fn open(path: &Path) -> anyhow::Result<Folder> {
        make(path)?;
        make(&run_folder(path))?;
        let lock_file = run_folder(path).join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_file)
            .map_err(|error| unusable(path, &error))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
            let folder = path.display();
            BadInput(if errno == nix::errno::Errno::EWOULDBLOCK {
                format!(
                    "another belfry already runs on the data folder {folder}; stop it first or give another folder with --data"
                )
            } else {
                format!("the data folder {folder} cannot be locked: {}", errno.desc())
            })
        })?;
        Ok(Folder { _lock: lock })
    }
}

/// Folder of sockets and the lock.
#[must_use]
pub fn run_folder(data: &Path) -> PathBuf {
    data.join("run")
}

/// Socket of the local admin.
#[must_use]
pub fn control_socket(data: &Path) -> PathBuf {
    run_folder(data).join("control.sock")
}

/// Socket between the two roles.
#[must_use]
pub fn media_socket(data: &Path) -> PathBuf {
    run_folder(data).join("media.sock")
}

/// Socket between the two roles for phones in browsers.
#[must_use]
pub fn rtc_socket(data: &Path) -> PathBuf {
    run_folder(data).join("rtc.sock")
}

fn make(path: &Path) -> anyhow::Result<()> {
    // Recordings and passwords are inside: only for the user the box runs as.
    fs::DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(|error| unusable(path, &error))?;
    Ok(())
}

fn unusable(path: &Path, error: &std::io::Error) -> BadInput {
    BadInput(format!(
        "the data folder {} cannot be written: {error}; give the user who runs belfry the right to, or another folder with --data",
        path.display()
    ))
}

/// Says something to the person who started the box.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says what went wrong, on standard error, as one line.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "belfry: {text}");
}

/// Ends a role that cannot go on: says why, and with which code its supervisor should judge it.
#[must_use]
pub fn give_up(role: Role, error: &anyhow::Error) -> ExitCode {
    complain(&format!("{error:#}"));
    if error.is::<BadInput>() {
        return ExitCode::from(EXIT_BAD_INPUT);
    }
    tracing::error!(%role, "{error:#}");
    ExitCode::FAILURE
}

/// A random number of the kernel.
///
/// # Errors
/// When the kernel gives none: nothing secret may be made then.
pub fn seed() -> anyhow::Result<u64> {
    Ok(getrandom::u64()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_box_on_the_same_folder_is_refused_and_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new/deep");
        let first = Folder::open(&data).unwrap();
        let error = Folder::open(&data).unwrap_err();
        assert!(error.is::<BadInput>());
        assert!(error.to_string().contains("another belfry already runs"), "{error}");
        drop(first);
        Folder::open(&data).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = Folder::open(Path::new("/proc/belfry")).unwrap_err();
        assert!(error.is::<BadInput>());
        assert!(error.to_string().contains("/proc/belfry"), "{error}");
    }
}
