//! When the box was last seen alive, to the second, while calls are open: the time of change of an empty file, which costs no
//! transaction. A call that a crash cuts off ends there. Written by the writing thread, read at the next start; a file
//! system that cannot do it leaves the time that the database keeps, every ten seconds.
use model::clock::Wall;
use model::id::CallId;
use model::record::Record;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Name of the file in the data folder.
const FILE: &str = "alive";
/// Often enough for a record that people read; the file system gathers the changes of five seconds.
const EVERY: Duration = Duration::from_secs(1);

/// The beating side.
pub(crate) struct Pulse {
    path: PathBuf,
    file: Option<File>,
    open: BTreeSet<CallId>,
    beaten: Option<Instant>,
}

impl Pulse {
    pub(crate) fn new(dir: &Path) -> Pulse {
        Pulse { path: dir.join(FILE), file: None, open: BTreeSet::new(), beaten: None }
    }

    /// Learns which calls are open.
    pub(crate) fn saw(&mut self, record: &Record) {
        if let Record::CallStarted(call) = record {
            self.open.insert(call.call);
        } else if let Record::CallEnded(call) = record {
            self.open.remove(&call.call);
        }
    }

    /// Says that the box lives; nothing while no call is open.
    pub(crate) fn beat(&mut self) {
        if self.open.is_empty() || self.beaten.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.beaten = Some(Instant::now());
        if self.file.is_none() {
            self.file = File::options().create(true).append(true).mode(0o600).open(&self.path).ok();
        }
        let told = self.file.as_ref().map(|file| file.set_modified(SystemTime::now()));
        if !matches!(told, Some(Ok(()))) {
            self.file = None;
        }
    }
}

/// The last beat before this start.
pub(crate) fn last(dir: &Path) -> Option<Wall> {
    let at = std::fs::metadata(dir.join(FILE)).and_then(|m| m.modified()).ok()?;
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Wall)
}

/// The beat was used; a later start must not take it for its own, whatever the clock does meanwhile.
pub(crate) fn forget(dir: &Path) {
    let _ = std::fs::remove_file(dir.join(FILE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_beats_only_while_a_call_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let mut pulse = Pulse::new(folder.path());
        pulse.beat();
        assert_eq!(last(folder.path()), None);
        pulse.open.insert(CallId(1));
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        pulse.beat();
        let beat = last(folder.path()).expect("a beat");
        assert!(u128::try_from(beat.0).unwrap() + 1_000 >= before, "{beat:?} {before}");
        forget(folder.path());
        pulse.open.clear();
        (pulse.file, pulse.beaten) = (None, None);
        pulse.beat();
        assert_eq!(last(folder.path()), None, "no call is open any more");
    }
}
