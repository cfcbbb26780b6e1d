//! First start: while nobody can administer the box, a one-time code opens the set-up and nothing else is open. The code
//! is shown by whoever started the box (terminal, serial console, label); it is kept beside the data so that a restart
//! of the control process does not change it, and is removed once used.
use crate::ports::Fault;
use crate::secret;
use model::clock::Mono;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Wrong codes from all addresses together in [`PAUSE`]: with 40 random bits a guesser needs ten thousand years.
const TRIES: u32 = 30;
/// How long the set-up then rests.
const PAUSE: Duration = Duration::from_secs(300);

struct State {
    code: Option<String>,
    wrong: u32,
    since: Mono,
}

/// The one-time code.
pub struct Setup {
    file: PathBuf,
    state: Mutex<State>,
}

impl Setup {
    /// Reads or makes the code when it is needed. Blocks.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn load(file: PathBuf, needed: bool) -> Result<Setup, Fault> {
        let code = if needed { Some(read_or_make(&file)?) } else { None };
        Ok(Setup { file, state: Mutex::new(State { code, wrong: 0, since: Mono(0) }) })
    }

    /// The code, while it opens anything.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).code.clone()
    }

    /// Whether this is the code.
    ///
    /// # Errors
    /// Too many wrong ones lately: seconds to wait.
    pub fn check(&self, given: &str, now: Mono) -> Result<bool, u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = now.since(state.since);
        if rested >= PAUSE {
            state.wrong = 0;
        }
        if state.wrong >= TRIES {
            let left = PAUSE.saturating_sub(rested).as_secs() + 1;
            return Err(u32::try_from(left).unwrap_or(u32::MAX));
        }
        let plain = |text: &str| {
            text.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_uppercase()
        };
        let right = state.code.as_deref().is_some_and(|code| secret::same(&plain(given), &plain(code)));
        if !right {
            state.wrong += 1;
            state.since = now;
        }
        Ok(right)
    }

    /// The code has served. Blocks.
    pub fn done(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).code = None;
        if let Err(error) = std::fs::remove_file(&self.file)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "the used set-up code could not be removed; it opens nothing any more");
        }
    }
}

fn read_or_make(file: &PathBuf) -> Result<String, Fault> {
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().len() == 9 => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Fault::Inside(format!("{}: {error}", file.display()))),
    }
    let code = secret::readable_code()?;
    let fault = |error: std::io::Error| Fault::Inside(format!("{}: {error}", file.display()));
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(file).map_err(fault)?;
    std::io::Write::write_all(&mut out, code.as_bytes()).map_err(fault)?;
    out.sync_all().map_err(fault)?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Mono {
        Mono(s * 1_000_000)
    }

    #[test]
    fn the_code_survives_a_restart_and_is_gone_once_used() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("setup-code");
        let code = Setup::load(file.clone(), true).unwrap().code().unwrap();
        let setup = Setup::load(file.clone(), true).unwrap();
        assert_eq!(setup.code().unwrap(), code);
        assert_eq!(setup.check(&code.to_lowercase().replace('-', " "), at(0)), Ok(true));
        setup.done();
        assert_eq!(setup.check(&code, at(0)), Ok(false));
        assert!(!file.exists());
        assert_eq!(Setup::load(file, false).unwrap().code(), None);
    }

    #[test]
    fn guessing_is_stopped_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let setup = Setup::load(dir.path().join("c"), true).unwrap();
        let code = setup.code().unwrap();
        for i in 0..30 {
            assert_eq!(setup.check("AAAA-AAAA", at(i)), Ok(false));
        }
        assert!(setup.check(&code, at(31)).is_err());
        assert_eq!(setup.check(&code, at(29 + 300)), Ok(true));
    }
}
