//! One role as the supervisor sees it: its process, its reports, its pulses, and when it is started again. Never waits:
//! both pipes are non-blocking.
use crate::args::{Role, RunOptions};
use crate::role::{LINE_MAX, Order, Report};
use crate::supervisor::backoff::Backoff;
use crate::supervisor::pulse::{Pulses, START_GRACE};
use model::clock::Wall;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A role and its process, if it runs.
pub struct Child {
    /// Which half.
    pub role: Role,
    /// Whether its present process is ready.
    pub ready: bool,
    process: Option<Process>,
    backoff: Backoff,
    start_at: Instant,
    started_once: bool,
}

struct Process {
    child: std::process::Child,
    orders: ChildStdin,
    reports: ChildStdout,
    part: Vec<u8>,
    pulses: Pulses,
    since: Instant,
    stuck: Option<String>,
}

/// How a process ended.
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Whether it had ever been ready in this run of the process.
    pub was_ready: bool,
    /// Which of its threads was stuck, when that is why it was killed.
    pub stuck: Option<String>,
}

impl Child {
    /// A role to be started at once.
    #[must_use]
    pub fn new(role: Role, now: Instant) -> Child {
        Child {
            role,
            ready: false,
            process: None,
            backoff: Backoff::default(),
            start_at: now,
            started_once: false,
        }
    }

    /// Process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|p| p.child.id())
    }

    /// When it wants to be started; `None` while it runs.
    #[must_use]
    pub fn start_due(&self) -> Option<Instant> {
        self.process.is_none().then_some(self.start_at)
    }

    /// What to poll for reading.
    #[must_use]
    pub fn reports(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(|p| p.reports.as_fd())
    }

    /// Starts its process. `started` is when the box did.
    ///
    /// # Errors
    /// The operating system's; the next start is put off.
    pub fn start(&mut self, options: &RunOptions, started: Wall, now: Instant) -> std::io::Result<()> {
        match launch(self.role, options, started, now) {
            Ok(process) => {
                let pid = process.child.id();
                if self.started_once {
                    tracing::warn!(role = %self.role, pid, failures = self.backoff.failures(), "role started again");
                } else {
                    tracing::debug!(role = %self.role, pid, "role started");
                }
                self.started_once = true;
                self.process = Some(process);
                Ok(())
            }
            Err(error) => {
                self.start_at =
                    self.backoff.failed(Duration::ZERO, now).max(now + Duration::from_millis(100));
                Err(error)
            }
        }
    }

    /// Reads what it reported; beats are kept here, the rest is given back.
    pub fn read_reports(&mut self, now: Instant) -> Vec<Report> {
        let Some(process) = &mut self.process else { return Vec::new() };
        let mut told = Vec::new();
        for line in process.read_lines() {
            match serde_json::from_slice(&line) {
                Ok(Report::Beats(counts)) => process.pulses.report(counts, now),
                Ok(report) => {
                    if matches!(report, Report::Ready { .. }) {
                        self.ready = true;
                        process.pulses.expect(now);
                    }
                    told.push(report);
                }
                Err(error) => tracing::warn!(role = %self.role, %error, "a report is not understood"),
            }
        }
        told
    }

    /// Takes note of its end, if it has ended, and plans the next start.
    pub fn reap(&mut self, now: Instant) -> Option<Ended> {
        let process = self.process.as_mut()?;
        let status = process.child.try_wait().ok().flatten()?;
        let ran = now.saturating_duration_since(process.since);
        let was_ready = std::mem::take(&mut self.ready);
        let stuck = self.process.take().and_then(|p| p.stuck);
        self.start_at = self.backoff.failed(ran, now);
        Some(Ended { status, was_ready, stuck })
    }

    /// The loop that is stuck, if one is. A role that has just been started is not judged.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Option<(String, Duration)> {
        let process = self.process.as_ref()?;
        if !self.ready && now.saturating_duration_since(process.since) < START_GRACE {
            return None;
        }
        process.pulses.stuck(now).map(|(name, age)| (name.to_owned(), age))
    }

    /// Remembers why it is about to be killed.
    pub fn stuck_in(&mut self, why: String) {
        if let Some(process) = &mut self.process {
            process.stuck = Some(why);
        }
    }

    /// See [`Pulses::pardon`].
    pub fn pardon(&mut self, now: Instant) {
        if let Some(process) = &mut self.process {
            process.pulses.pardon(now);
        }
    }

    /// Gives an order; lost when the role does not read (then its pulses grow old and it is killed).
    pub fn order(&mut self, order: &Order) {
        let Some(process) = &mut self.process else { return };
        let Ok(mut line) = serde_json::to_vec(order) else { return };
        line.push(b'\n');
        if let Err(error) = process.orders.write_all(&line) {
            tracing::warn!(role = %self.role, %error, "an order did not get through");
        }
    }

    /// Ends it by force.
    pub fn kill(&mut self) {
        if let Some(process) = &mut self.process
            && let Err(error) = process.child.kill()
        {
            tracing::error!(role = %self.role, %error, "cannot kill");
        }
    }
}

fn launch(role: Role, options: &RunOptions, started: Wall, now: Instant) -> std::io::Result<Process> {
    let executable = std::env::current_exe()?;
    let mut child = Command::new(executable)
        .arg0(format!("belfry-{role}"))
        .args(options.role_arguments(role))
        .env(crate::control::STARTED, started.0.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Its own group: Ctrl-C in a terminal is for the supervisor, who stops its roles in order.
        .process_group(0)
        .spawn()?;
    let gone = || std::io::Error::other("a pipe to the role is missing");
    let orders = child.stdin.take().ok_or_else(gone)?;
    let reports = child.stdout.take().ok_or_else(gone)?;
    fcntl(&orders, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    fcntl(&reports, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(Process {
        child,
        orders,
        reports,
        part: Vec::new(),
        pulses: Pulses::default(),
        since: now,
        stuck: None,
    })
}

impl Process {
    fn read_lines(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0_u8; 8192];
        // Few rounds: reports are small; more would let a mad role hold the supervisor.
        for _ in 0..8 {
            match self.reports.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => self.part.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let mut lines = Vec::new();
        while let Some(end) = self.part.iter().position(|&b| b == b'\n') {
            let mut line: Vec<u8> = self.part.drain(..=end).collect();
            line.pop();
            lines.push(line);
        }
        if self.part.len() > LINE_MAX {
            self.part.clear();
        }
        lines
    }
}
