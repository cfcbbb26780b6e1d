//! The supervisor: starts the control and the media role as children of this executable, restarts either, stops both in
//! order, tells the service manager and feeds the hardware watchdog. Waits on nobody: it polls signals and two
//! non-blocking pipes. Never touches calls, sockets of phones or the database.
pub mod backoff;
pub mod child;
pub mod pulse;

use crate::args::{Role, RunOptions};
use crate::health::watch::{Deaths, Known};
use crate::lifecycle::{Folder, say};
use crate::role::{EXIT_AGAIN, EXIT_BAD_INPUT, Order, Report};
use child::Child;
use model::clock::Wall;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Descriptors of each process: `LimitNOFILE` of systemd/belfry.service.
const DESCRIPTORS: u64 = 65_536;
/// Longest sleep of the loop: how stale the judgement of pulses may be.
const ROUND: Duration = Duration::from_millis(250);
/// A round that took this much longer means that the machine starved us; then nobody is judged by old reports.
const LATE: Duration = Duration::from_secs(1);
/// How long calls may take to end when a stop drains.
const DRAIN: Duration = Duration::from_secs(10);
/// How long control may take to write everything, and media to close its recordings.
const WIND_UP: Duration = Duration::from_secs(5);
/// A role that is being started does not hold back the watchdog for this long; a crash loop does in the end, so that the
/// service manager takes over.
const START_TRUST: Duration = Duration::from_secs(60);

/// The signals the supervisor takes from its descriptor.
fn signals() -> SigSet {
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD, Signal::SIGHUP] {
        mask.add(signal);
    }
    mask
}

/// Keeps the signals from being delivered to any thread. To be called while there is one thread only: the others inherit
/// it. The roles do not: a fresh process starts with an empty mask.
///
/// # Errors
/// The operating system's.
pub fn hold_signals() -> nix::Result<()> {
    signals().thread_block()
}

/// Opens the board's watchdog, if it has one for us; or says why it is not armed.
fn arm(
    description: Option<&board::description::Watchdog>,
) -> (Option<board::watchdog::Watchdog>, Option<String>) {
    let Some(description) = description else { return (None, None) };
    match board::watchdog::Watchdog::open(description) {
        Ok(watchdog) => (Some(watchdog), Some(String::new())),
        Err(error) => {
            let device = description.device.display();
            tracing::error!(%device, %error, "the hardware watchdog does not open; going on without");
            (None, Some(format!("{device}: {error}")))
        }
    }
}

/// Runs the box until it is told to stop. The exit code is the process's.
#[must_use]
pub fn run(options: RunOptions) -> ExitCode {
    raise_descriptors();
    match Supervisor::start(options) {
        Ok(mut supervisor) => supervisor.watch(),
        Err(error) => {
            crate::lifecycle::complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<crate::lifecycle::BadInput>() { EXIT_BAD_INPUT } else { 1 })
        }
    }
}

/// As many descriptors as the service's unit asks for, when started by hand with a shell's usual 1,024: two thousand
/// streams of phones and a thousand RTP ports need more. What is not allowed stays as it is.
fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(DESCRIPTORS)), hard);
    }
}

struct Supervisor {
    options: RunOptions,
    _folder: Folder,
    signals: SignalFd,
    media: Child,
    control: Child,
    announced: bool,
    /// What the control role said last.
    said: Vec<String>,
    stopping: Option<Stopping>,
    exit: Option<ExitCode>,
    notify: board::notify::Notify,
    watchdog: Option<board::watchdog::Watchdog>,
    /// Why the board's watchdog is not armed; empty = it is, `None` = it has none for us.
    watchdog_trouble: Option<String>,
    deaths: Deaths,
    lamps: board::leds::Lamps,
    began: Instant,
    last_pet: Instant,
    all_ready_at: Instant,
    told_status: String,
    started: Wall,
}

/// An orderly stop: control first (it says good-bye to the phones), then media (it closes the recordings).
struct Stopping {
    control_until: Instant,
    media_until: Option<Instant>,
}

impl Supervisor {
    fn start(options: RunOptions) -> anyhow::Result<Supervisor> {
        let folder = Folder::open(&options.data)?;
        let board = board::description::Board::load()?;
        let signals = SignalFd::with_flags(&signals(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let now = Instant::now();
        let (watchdog, watchdog_trouble) = arm(board.watchdog.as_ref());
        Ok(Supervisor {
            options,
            _folder: folder,
            signals,
            media: Child::new(Role::Media, now),
            control: Child::new(Role::Control, now),
            announced: false,
            said: Vec::new(),
            stopping: None,
            exit: None,
            notify: board::notify::Notify::from_environment(),
            watchdog,
            watchdog_trouble,
            deaths: Deaths::default(),
            lamps: board::leds::Lamps::new(&board.leds),
            began: now,
            last_pet: now,
            all_ready_at: now,
            told_status: String::new(),
            started: crate::clock::wall(),
        })
    }

    fn watch(&mut self) -> ExitCode {
        let mut last = Instant::now();
        loop {
            let now = Instant::now();
            if now.saturating_duration_since(last) > ROUND + LATE {
                tracing::warn!("the supervisor was kept from running; nobody is judged this time");
                self.media.pardon(now);
                self.control.pardon(now);
            }
            last = now;
            self.take_signals(now);
            self.take_reports(now);
            self.reap(now);
            self.judge(now);
            self.restart(now);
            self.wind_up(now);
            self.pet(now);
            self.light(now);
            if let Some(code) = self.exit.filter(|_| self.both_gone()) {
                self.let_go();
                return code;
            }
            self.sleep(now);
        }
    }

    fn both_gone(&self) -> bool {
        self.media.pid().is_none() && self.control.pid().is_none()
    }

    fn sleep(&self, now: Instant) {
        let due = [self.media.start_due(), self.control.start_due()]
            .into_iter()
            .flatten()
            .filter(|_| self.stopping.is_none() && self.exit.is_none())
            .map(|at| at.saturating_duration_since(now))
            .fold(ROUND, Duration::min);
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(
            [self.media.reports(), self.control.reports()]
                .into_iter()
                .flatten()
                .map(|fd| PollFd::new(fd, PollFlags::POLLIN)),
        );
        let wait = PollTimeout::try_from(due.as_millis() + 1).unwrap_or(PollTimeout::from(100_u8));
        // An interrupted poll is only a shorter sleep.
        let _ = poll(&mut fds, wait);
    }

    fn take_signals(&mut self, now: Instant) {
        while let Ok(Some(info)) = self.signals.read_signal() {
            let signal = i32::try_from(info.ssi_signo).ok().and_then(|n| Signal::try_from(n).ok());
            // A SIGCHLD only wakes the loop.
            if signal.is_some_and(|signal| signal != Signal::SIGCHLD) {
                self.stop(now);
            }
        }
    }

    fn take_reports(&mut self, now: Instant) {
        for report in self.media.read_reports(now).into_iter().chain(self.control.read_reports(now)) {
            match report {
                Report::Ready { sip, http, https } => self.keep_addresses(sip, http, https),
                // Said once: whoever started the box has read it when a role is started again. After a factory reset
                // there is a new set-up code.
                Report::Say(text) if !self.said.contains(&text) => {
                    say(&text);
                    self.said = vec![text];
                }
                Report::Say(_) => {}
                // Kept by the child already.
                Report::Beats(_) => {}
            }
        }
        if !self.announced && self.media.ready && self.control.ready && self.exit.is_none() {
            self.announced = true;
            self.all_ready_at = now;
            say(&format!("ready sip={} https={}", self.options.sip, self.options.https));
            self.notify.ready();
        }
    }

    /// A port 0 on the command line became a real one: a restarted control role must take the same again.
    fn keep_addresses(
        &mut self,
        sip: Option<SocketAddr>,
        http: Option<SocketAddr>,
        https: Option<SocketAddr>,
    ) {
        self.options.sip = sip.unwrap_or(self.options.sip);
        self.options.http = http.unwrap_or(self.options.http);
        self.options.https = https.unwrap_or(self.options.https);
    }

    fn reap(&mut self, now: Instant) {
        for which in [Role::Media, Role::Control] {
            // What it said last is read before its pipe is closed.
            self.take_reports(now);
            let child = self.child(which);
            let Some(ended) = child.reap(now) else { continue };
            self.peers();
            if self.stopping.is_some() || self.exit.is_some() {
                continue;
            }
            let code = ended.status.code().and_then(|c| u8::try_from(c).ok());
            if !ended.was_ready && !self.announced {
                // Bad input was told in one clear message by the role that read it.
                if code != Some(EXIT_BAD_INPUT) {
                    tracing::error!(role = %which, status = %ended.status, "the box cannot start");
                }
                self.exit = Some(ExitCode::from(code.filter(|&c| c != 0).unwrap_or(1)));
                self.media.kill();
                self.control.kill();
                continue;
            }
            if code == Some(EXIT_AGAIN) {
                tracing::warn!(role = %which, "a role ended in order and is started again");
                continue;
            }
            let cause = ended.stuck.unwrap_or_else(|| ended.status.to_string());
            tracing::error!(role = %which, status = %ended.status, cause, "a role died and is started again");
            self.deaths.add(which, &cause, now);
            self.tell_watch(now);
        }
    }

    fn child(&mut self, role: Role) -> &mut Child {
        match role {
            Role::Control => &mut self.control,
            Role::Media => &mut self.media,
        }
    }

    /// Control makes alarms of it.
    fn tell_watch(&mut self, now: Instant) {
        let known = Known { watchdog: self.watchdog_trouble.clone(), deaths: self.deaths.told(now) };
        self.control.order(&Order::Watch(known));
    }

    /// Control shows both process ids in its status.
    fn peers(&mut self) {
        let order = Order::Peer { pid: self.media.pid() };
        self.control.order(&order);
    }

    fn judge(&mut self, now: Instant) {
        if self.stopping.is_some() {
            return;
        }
        for child in [&mut self.media, &mut self.control] {
            if let Some((thread, age)) = child.stuck(now) {
                tracing::error!(role = %child.role, thread, age_s = age.as_secs(), "a thread is stuck; its role is killed");
                child.stuck_in(format!("the thread {thread} was stuck for {} s", age.as_secs()));
                child.kill();
                child.pardon(now);
            }
        }
    }

    fn restart(&mut self, now: Instant) {
        if self.stopping.is_some() || self.exit.is_some() {
            return;
        }
        let mut started = false;
        for child in [&mut self.media, &mut self.control] {
            if child.start_due().is_some_and(|at| at <= now) {
                match child.start(&self.options, self.started, now) {
                    Ok(()) => started = true,
                    Err(error) => tracing::error!(role = %child.role, %error, "a role does not start"),
                }
            }
        }
        if started {
            self.peers();
            self.tell_watch(now);
        }
    }

    fn stop(&mut self, now: Instant) {
        if self.stopping.is_some() {
            tracing::warn!("told to stop twice: stopping at once");
            self.media.kill();
            self.control.kill();
            return;
        }
        let drain = if self.options.drain { DRAIN } else { Duration::ZERO };
        tracing::info!(drain_s = drain.as_secs(), "stopping");
        self.notify.stopping();
        self.control.order(&Order::Stop { drain_s: drain.as_secs() });
        self.stopping = Some(Stopping { control_until: now + drain + WIND_UP, media_until: None });
        self.exit = Some(ExitCode::SUCCESS);
    }

    fn wind_up(&mut self, now: Instant) {
        let Some(stopping) = &mut self.stopping else { return };
        if self.control.pid().is_some() {
            if now >= stopping.control_until {
                tracing::error!("control does not stop in time; killed");
                self.control.kill();
            }
            return;
        }
        match stopping.media_until {
            None => {
                stopping.media_until = Some(now + WIND_UP);
                self.media.order(&Order::Stop { drain_s: 0 });
            }
            Some(until) if now >= until => self.media.kill(),
            Some(_) => {}
        }
    }

    /// Feeds both watchdogs while every loop beats. A role that was started a moment ago is trusted; one that cannot be
    /// kept alive is not, and then the service manager or the hardware acts.
    fn pet(&mut self, now: Instant) {
        let ready = self.media.ready && self.control.ready;
        if ready {
            self.all_ready_at = now;
        }
        self.tell_status(ready);
        let trusted = ready || now.saturating_duration_since(self.all_ready_at) < START_TRUST;
        let stuck = self.media.stuck(now).or_else(|| self.control.stuck(now)).is_some();
        if !trusted || (stuck && self.stopping.is_none()) {
            return;
        }
        if now.saturating_duration_since(self.last_pet) >= self.notify.pet_every() {
            self.last_pet = now;
            self.notify.alive();
            if let Some(watchdog) = &mut self.watchdog {
                watchdog.pet();
            }
        }
    }

    /// Shows that the box starts; while control is there, the lamps are its own.
    fn light(&mut self, now: Instant) {
        if self.control.ready && self.stopping.is_none() {
            self.lamps.forget();
        } else {
            self.lamps.show(board::leds::State::Booting, now.saturating_duration_since(self.began));
        }
    }

    fn tell_status(&mut self, ready: bool) {
        let status = match (ready, self.media.ready, self.stopping.is_some()) {
            (_, _, true) => "stopping",
            (true, _, _) => "taking calls",
            (false, true, _) => "control is starting",
            (false, false, _) => "media is starting",
        };
        if status != self.told_status {
            status.clone_into(&mut self.told_status);
            self.notify.status(status);
        }
    }

    /// An orderly stop must not be followed by a reset.
    fn let_go(&mut self) {
        self.lamps.show(board::leds::State::Off, Duration::ZERO);
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.disarm();
        }
    }
}
