//! The log: text on standard error (the journal's when a service), written by one thread behind a bounded queue that
//! drops when full, so that no call ever waits for a log sink. Each place in the code that logs has its own token
//! bucket: a flood of one message does not bury the others; and all of them together have a budget of bytes a minute, so
//! that no flood fills a disk. Decides nothing about what is worth logging.
use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Event, Metadata, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Lines one place may write at once …
const BURST: f64 = 20.0;
/// … and a second after that. 10,000 hostile messages/s hit a handful of places: about 20 KiB/s at 200 bytes a line.
const PER_SECOND: f64 = 5.0;
/// Places remembered. The code has far fewer; beyond it all others share one bucket.
const PLACES: usize = 2048;

/// Bytes a minute of one process. Control and media together stay under 2 MiB; at 200 bytes a line this is 87 lines a
/// second, more than anybody reads.
const A_MINUTE: usize = 1024 * 1024;
/// Longest line: a hostile message may be quoted in it.
const LINE: usize = 4096;

/// Keeps the log thread alive and flushes it when dropped.
pub struct Log {
    _guard: WorkerGuard,
}

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();
static TOLD: AtomicUsize = AtomicUsize::new(0);

/// Says how many lines were thrown away since the last time because standard error was slower than the log. Called now
/// and then by a thread that may wait.
pub fn tell_lost() {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    let told = TOLD.swap(dropped, Ordering::Relaxed);
    if dropped > told {
        tracing::warn!(lines = dropped - told, "log lines were dropped: standard error is too slow");
    }
}

/// Starts logging with this filter (checked by the command line already; a bad one falls back to `info`).
#[must_use]
pub fn start(filter: &str) -> Log {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(crate::wire::LOG.length)
        .lossy(true)
        .thread_name("log")
        .finish(Capped::new(std::io::stderr()));
    // Only the first start counts; see below.
    let _ = DROPPED.set(writer.error_counter());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let text = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        .with_target(true)
        .with_thread_names(true)
        .with_filter(Flood::default());
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(text).try_init();
    Log { _guard: guard }
}

/// A token bucket for each place in the code.
#[derive(Default)]
struct Flood {
    places: Mutex<HashMap<usize, Bucket>>,
}

impl<S: Subscriber> Filter<S> for Flood {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        // A callsite's metadata is a static: its address names the place.
        let place = std::ptr::from_ref::<Metadata<'static>>(event.metadata()).addr();
        self.admit(place, Instant::now())
    }
}

impl Flood {
    fn admit(&self, place: usize, now: Instant) -> bool {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = if places.len() >= PLACES && !places.contains_key(&place) { 0 } else { place };
        places.entry(place).or_insert(Bucket { tokens: BURST, at: now }).take(now)
    }
}

/// Writes until the budget of this minute is spent. What was left out is said when the next minute begins.
struct Capped<W> {
    to: W,
    since: Instant,
    spent: usize,
    left_out: u64,
}

impl<W: Write> Capped<W> {
    fn new(to: W) -> Capped<W> {
        Capped { to, since: Instant::now(), spent: 0, left_out: 0 }
    }

    fn line(&mut self, line: &[u8], now: Instant) -> std::io::Result<()> {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(60) {
            self.since = now;
            self.spent = 0;
            let lost = std::mem::take(&mut self.left_out);
            if lost > 0 {
                let text = format!(
                    "WARN belfry::logging: {lost} lines were left out: more than {A_MINUTE} bytes a minute\n"
                );
                self.to.write_all(text.as_bytes())?;
            }
        }
        let cut = line.len() > LINE;
        let shown = line.get(..LINE).unwrap_or(line);
        if self.spent + shown.len() > A_MINUTE {
            self.left_out += 1;
            return Ok(());
        }
        self.spent += shown.len();
        self.to.write_all(shown)?;
        if cut { self.to.write_all(b" (cut)\n") } else { Ok(()) }
    }
}

impl<W: Write> Write for Capped<W> {
    /// The log's thread hands over one line at a time.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.line(line, Instant::now())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * PER_SECOND).min(BURST);
        self.at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_a_budget_of_bytes_and_what_was_left_out_is_told() {
        let mut log = Capped::new(Vec::new());
        let start = log.since;
        for _ in 0..100_000 {
            log.line(&[b'x'; 200], start).unwrap();
        }
        assert!(log.to.len() <= A_MINUTE && log.to.len() > A_MINUTE - 200, "{}", log.to.len());
        log.to.clear();
        log.line(b"again\n", start + Duration::from_secs(60)).unwrap();
        let said = String::from_utf8(log.to).unwrap();
        assert!(said.contains("lines were left out") && said.ends_with("again\n"), "{said}");
    }

    #[test]
    fn a_line_is_cut() {
        let mut log = Capped::new(Vec::new());
        log.line(&[b'x'; 100_000], log.since).unwrap();
        assert_eq!(log.to.len(), LINE + " (cut)\n".len());
    }

    #[test]
    fn a_flood_of_one_place_is_cut_and_another_place_is_still_heard() {
        let flood = Flood::default();
        let now = Instant::now();
        let heard = (0..10_000).filter(|_| flood.admit(1, now)).count();
        assert_eq!(heard, 20);
        assert!(flood.admit(2, now));
    }

    #[test]
    fn a_cut_place_speaks_again_after_a_while() {
        let flood = Flood::default();
        let now = Instant::now();
        while flood.admit(1, now) {}
        let later = now + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| flood.admit(1, later)).count(), 5);
    }

    #[test]
    fn the_table_of_places_does_not_grow_without_end() {
        let flood = Flood::default();
        let now = Instant::now();
        for place in 1..10_000 {
            flood.admit(place, now);
        }
        assert!(flood.places.lock().unwrap().len() <= PLACES + 1);
    }
}
