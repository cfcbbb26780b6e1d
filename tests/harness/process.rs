//! A child process that ends with its value, whose output is kept for the message of a failed test.
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running child.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts the command with its output going to `folder/NAME.log`.
    ///
    /// # Panics
    /// When the program cannot be started; the message names the Debian package list to install.
    #[must_use]
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Process {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log).expect("the test folder is writable");
        let err = out.try_clone().expect("a file handle can be copied");
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start ({e}); tools/test installs it"));
        Process { child, name: name.to_owned(), log }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until its output holds the text.
    ///
    /// # Panics
    /// When that does not happen in time.
    pub fn wait_for(&mut self, text: &str, limit: Duration) {
        let name = self.name.clone();
        until(&format!("{name} says \"{text}\""), limit, || self.output().contains(text).then_some(()));
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let ended = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(
                Instant::now() < ended,
                "waited {limit:?} in vain until {} ends; it said {}",
                self.name,
                self.output()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has not ended yet.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone already.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()).expect("a process id"));
        nix::sys::signal::kill(pid, signal).expect("the process runs");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // With all it started: Kamailio's workers outlive their parent.
        if let Ok(pid) = i32::try_from(self.pid()) {
            let _ =
                nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is a value. For things another process does in its own time.
///
/// # Panics
/// When there is none within `limit`; the message says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
