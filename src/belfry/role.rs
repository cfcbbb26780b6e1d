//! The child's side of the bond with its supervisor: dies with it, reports heartbeats and readiness to it (JSON lines on
//! standard output), takes orders from it (JSON lines on standard input). The report thread proves nothing by itself: it
//! only carries the counters that the loops raise after real work. Never judges.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Exit code of a role that can never start with what it was given; the supervisor gives up with it too.
pub const EXIT_BAD_INPUT: u8 = 2;
/// Exit code of a role that ended in order and wants to be started again.
pub const EXIT_AGAIN: u8 = 75;
/// Exit code of a role whose thread panicked.
const EXIT_PANIC: i32 = 70;
/// How often counters are reported: well under the shortest limit of a pulse.
const REPORT_EVERY: Duration = Duration::from_millis(250);
/// Longest line in either direction; a report of 30 threads is about 1 KiB.
pub const LINE_MAX: usize = 16 * 1024;

/// What a role tells its supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Count of each loop's rounds.
    Beats(BTreeMap<String, u64>),
    /// The media role has its ports; the control role takes calls.
    Ready {
        /// SIP address in use, of the control role.
        sip: Option<SocketAddr>,
        /// HTTP address in use.
        http: Option<SocketAddr>,
        /// HTTPS address in use.
        https: Option<SocketAddr>,
    },
    /// For the one who started the box to read: the set-up code and where to type it.
    Say(String),
}

/// What a supervisor tells a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Stop: refuse new calls, wait this many seconds for the others, write everything, exit.
    Stop {
        /// 0 = do not wait.
        drain_s: u64,
    },
    /// How the hardware watchdog is, and which roles had to be started again.
    Watch(crate::health::watch::Known),
    /// Process id of the other role, when it changes.
    Peer {
        /// `None` while it is down.
        pid: Option<u32>,
    },
}

/// The bond.
#[derive(Clone)]
pub struct Bond {
    reports: SyncSender<Report>,
    beats: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
}

impl Bond {
    /// Ties this process to its supervisor and starts the two threads of the bond. Orders come out of the receiver; it is
    /// closed when the supervisor is gone.
    ///
    /// # Errors
    /// The operating system's, when a thread cannot be started.
    pub fn tie() -> std::io::Result<(Bond, Receiver<Order>)> {
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
        let (reports, queue) = sync_channel(crate::wire::REPORTS.length);
        let (order_in, orders) = sync_channel(crate::wire::ORDERS.length);
        let bond = Bond { reports, beats: Arc::default() };
        let beats = bond.beats.clone();
        spawn("report", move || report(&queue, &beats))?;
        spawn("orders", move || take_orders(&order_in))?;
        Ok((bond, orders))
    }

    /// A counter for a loop of this name; the loop raises it after each round of real work, at least once a second.
    pub fn beat(&self, name: &str) -> Arc<AtomicU64> {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.entry(name.to_owned()).or_default().clone()
    }

    /// Tells the supervisor. Dropped when the queue is full (the supervisor is stuck; then nothing helps).
    pub fn tell(&self, report: Report) {
        if self.reports.try_send(report).is_err() {
            crate::wire::REPORTS.lost();
        }
    }
}

/// Starts a thread whose panic ends the process: the supervisor restarts the whole role at once instead of waiting for a
/// pulse to grow old.
///
/// # Errors
/// The operating system's.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let shown = name.to_owned();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
            tracing::error!(thread = shown, "a thread panicked; this role ends and is started again");
            // The log is written by another thread; give it a moment.
            std::thread::sleep(Duration::from_millis(20));
            std::process::exit(EXIT_PANIC);
        }
    })?;
    Ok(())
}

fn report(queue: &Receiver<Report>, beats: &Mutex<BTreeMap<String, Arc<AtomicU64>>>) {
    use std::sync::mpsc::RecvTimeoutError;
    let mut next = std::time::Instant::now();
    loop {
        let wait = next.saturating_duration_since(std::time::Instant::now());
        match queue.recv_timeout(wait) {
            Ok(report) => put(&report),
            Err(RecvTimeoutError::Timeout) => {
                next = std::time::Instant::now() + REPORT_EVERY;
                let beats = beats.lock().unwrap_or_else(PoisonError::into_inner);
                let counts = beats.iter().map(|(n, c)| (n.clone(), c.load(Ordering::Relaxed))).collect();
                drop(beats);
                put(&Report::Beats(counts));
                crate::logging::tell_lost();
                crate::wire::tell_lost();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn put(report: &Report) {
    let Ok(mut line) = serde_json::to_vec(report) else { return };
    line.push(b'\n');
    // A broken pipe means the supervisor is gone; the end of standard input ends this process.
    let _ = std::io::stdout().lock().write_all(&line);
}

fn take_orders(orders: &SyncSender<Order>) {
    let mut input = std::io::BufReader::new(std::io::stdin());
    let mut line = String::new();
    loop {
        line.clear();
        match std::io::Read::take(&mut input, LINE_MAX as u64).read_line(&mut line) {
            Ok(0) | Err(_) => {
                tracing::error!("the supervisor is gone; this role ends");
                std::thread::sleep(Duration::from_millis(20));
                std::process::exit(1);
            }
            Ok(_) => match serde_json::from_str(&line) {
                Ok(order) => {
                    if orders.try_send(order).is_err() {
                        crate::wire::ORDERS.lost();
                    }
                }
                Err(error) => tracing::warn!(%error, "an order of the supervisor is not understood"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_and_orders_survive_the_line() {
        let report = Report::Beats(BTreeMap::from([("engine".to_owned(), 7)]));
        let line = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
        let order = Order::Stop { drain_s: 10 };
        let line = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&line).unwrap(), order);
    }
}
