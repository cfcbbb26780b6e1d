//! A capture of SIP for a technician: copies of the messages the box sends and receives, kept in memory while somebody
//! wants them, and given away as a file that Wireshark opens (`pcap`). Secrets are blanked as a message is copied
//! (`redact`). Costs one look at a flag when nobody captures. Never opens a raw socket: what a banned address or another
//! program sends is not in it, and speech is not either.
mod pcap;
mod redact;

use crate::clock;
use model::clock::Wall;
use model::id::Ticket;
use model::record::{NoteRecord, Record};
use sip::Flow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::Store;
use web::api::capture::{CaptureView, CapturedLine, SECONDS_MAX, SECONDS_MIN};

/// Bytes kept: some thousand messages, more than a person reads. When it is full the oldest go.
const BYTES: usize = 4 << 20;
/// Messages kept: each costs room beside its bytes.
const MESSAGES: usize = 10_000;
/// Lines told to a page.
const LINES: usize = 200;
/// Longest first line told, characters.
const LINE: usize = 120;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the box.
    In,
    /// From the box.
    Out,
}

/// One message.
#[derive(Clone, Debug)]
struct Kept {
    /// Microseconds since 1970.
    at_us: i64,
    way: Way,
    flow: Flow,
    bytes: Vec<u8>,
}

impl Kept {
    fn ends(&self) -> (SocketAddr, SocketAddr) {
        match self.way {
            Way::In => (self.flow.remote, self.flow.local),
            Way::Out => (self.flow.local, self.flow.remote),
        }
    }
}

#[derive(Debug, Default)]
struct Ring {
    started: Option<Wall>,
    ends: Option<(Instant, Wall)>,
    messages: VecDeque<Kept>,
    bytes: usize,
    lost: u64,
}

/// The capture; one for the box.
#[derive(Debug, Default)]
pub struct Capture {
    on: AtomicBool,
    ring: Mutex<Ring>,
}

impl Capture {
    /// Takes a copy while somebody captures. Called by the engine's thread for each message.
    pub fn see(&self, way: Way, flow: Flow, bytes: &[u8]) {
        if self.on.load(Ordering::Relaxed) {
            self.take(way, flow, bytes);
        }
    }

    fn take(&self, way: Way, flow: Flow, bytes: &[u8]) {
        let mut ring = self.ring();
        if ring.ends.is_none_or(|(at, _)| Instant::now() >= at) {
            self.on.store(false, Ordering::Relaxed);
            return;
        }
        let bytes = redact::blanked(bytes);
        ring.bytes += bytes.len();
        ring.messages.push_back(Kept { at_us: now_us(), way, flow, bytes });
        while ring.bytes > BYTES || ring.messages.len() > MESSAGES {
            let Some(oldest) = ring.messages.pop_front() else { break };
            ring.bytes -= oldest.bytes.len();
            ring.lost += 1;
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self, ring: &Ring) -> bool {
        self.on.load(Ordering::Relaxed) && ring.ends.is_some_and(|(at, _)| Instant::now() < at)
    }

    fn view_of(&self, ring: &Ring) -> CaptureView {
        let lines = ring.messages.iter().rev().take(LINES).map(line).collect::<Vec<_>>();
        CaptureView {
            running: self.running(ring),
            started: ring.started,
            ends: ring.ends.map(|(_, at)| at),
            messages: u32::try_from(ring.messages.len()).unwrap_or(u32::MAX),
            bytes: u64::try_from(ring.bytes).unwrap_or(u64::MAX),
            lost: ring.lost,
            lines: lines.into_iter().rev().collect(),
        }
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> CaptureView {
        self.view_of(&self.ring())
    }

    /// Begins anew for so many seconds, within the limits; what was kept goes.
    pub fn start(&self, seconds: u32) {
        let length = Duration::from_secs(u64::from(seconds.clamp(SECONDS_MIN, SECONDS_MAX)));
        let started = clock::wall();
        let ends = Wall(started.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(0)));
        *self.ring() =
            Ring { started: Some(started), ends: Some((Instant::now() + length, ends)), ..Ring::default() };
        self.on.store(true, Ordering::Relaxed);
    }

    /// Ends it; what was kept stays.
    pub fn stop(&self) {
        self.on.store(false, Ordering::Relaxed);
        let mut ring = self.ring();
        if ring.ends.is_some_and(|(at, _)| Instant::now() < at) {
            ring.ends = Some((Instant::now(), clock::wall()));
        }
    }

    /// Ends it and lets go of what was kept.
    pub fn forget(&self) {
        self.on.store(false, Ordering::Relaxed);
        *self.ring() = Ring::default();
    }

    /// What was kept as a file; `None` = nothing.
    #[must_use]
    pub fn file(&self) -> Option<Vec<u8>> {
        let ring = self.ring();
        (!ring.messages.is_empty()).then(|| pcap::write(ring.messages.iter()))
    }
}

/// The capture as the web asks for it: who wants one is noted.
pub struct Desk {
    /// The capture.
    pub capture: Arc<Capture>,
    /// Keeps the note.
    pub store: Arc<Store>,
}

impl web::ports::Capture for Desk {
    fn view(&self) -> CaptureView {
        self.capture.view()
    }

    fn start(&self, by: &str, seconds: u32) {
        self.capture.start(seconds);
        self.note("info", "capture_started", by, "began to capture SIP messages");
    }

    fn stop(&self) {
        self.capture.stop();
    }

    fn forget(&self) {
        self.capture.forget();
    }

    fn file(&self, by: &str) -> Option<Vec<u8>> {
        let file = self.capture.file()?;
        self.note("info", "capture_taken", by, "took the captured SIP messages away");
        Some(file)
    }
}

impl Desk {
    fn note(&self, level: &str, kind: &str, by: &str, did: &str) {
        let note = NoteRecord {
            at: clock::wall(),
            level: level.into(),
            kind: kind.into(),
            subject: by.to_owned(),
            text: format!("{by} {did}."),
        };
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!(kind, "the event log is full");
        }
    }
}

fn line(kept: &Kept) -> CapturedLine {
    let text = String::from_utf8_lossy(&kept.bytes);
    CapturedLine {
        at: Wall(kept.at_us / 1000),
        sent: kept.way == Way::Out,
        transport: kept.flow.transport.param().to_owned(),
        peer: kept.flow.remote.to_string(),
        first: text.lines().next().unwrap_or_default().chars().take(LINE).collect(),
    }
}

fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::udp(SocketAddr::from(([192, 0, 2, 1], 5060)), SocketAddr::from(([192, 0, 2, 50], 5062)))
    }

    #[test]
    fn nothing_is_kept_before_and_after_and_the_lines_are_told_in_order() {
        let capture = Capture::default();
        capture.see(Way::In, flow(), b"OPTIONS sip:before SIP/2.0\r\n\r\n");
        capture.start(60);
        capture.see(Way::In, flow(), b"OPTIONS sip:box SIP/2.0\r\n\r\n");
        capture.see(Way::Out, flow(), b"SIP/2.0 200 OK\r\n\r\n");
        assert!(capture.view().running);
        capture.stop();
        capture.see(Way::In, flow(), b"OPTIONS sip:after SIP/2.0\r\n\r\n");
        let view = capture.view();
        let lines: Vec<(bool, &str)> = view.lines.iter().map(|l| (l.sent, l.first.as_str())).collect();
        assert_eq!(lines, [(false, "OPTIONS sip:box SIP/2.0"), (true, "SIP/2.0 200 OK")]);
        assert!(!view.running && capture.file().is_some());
        capture.forget();
        assert!(capture.file().is_none() && capture.view().started.is_none());
    }

    #[test]
    fn a_long_capture_keeps_the_newest_within_its_bounds_and_counts_the_rest() {
        let capture = Capture::default();
        capture.start(60);
        for n in 0..2_000 {
            capture.see(Way::In, flow(), format!("MESSAGE {n} {}", "x".repeat(4_096)).as_bytes());
        }
        let view = capture.view();
        assert!(view.bytes <= 4 << 20 && view.lost > 900, "{} bytes, {} lost", view.bytes, view.lost);
        assert_eq!(u64::from(view.messages) + view.lost, 2_000);
        assert!(view.lines.last().is_some_and(|l| l.first.starts_with("MESSAGE 1999 ")));
    }
}
