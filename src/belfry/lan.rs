//! The box on the LAN: a thread of the control role that watches the configuration in force, marks SIP packets, asks the
//! steward to put network and time in force, and brings the configuration back when a change was taken back. It also
//! finds out when an empty clock becomes right, and has the records that were made before moved. On a PC there is no
//! steward: packets are marked, the rest is the PC's own. Which change is on trial is the steward's decision.
use crate::clock::{self, Clock};
use crate::intake::Events;
use crate::ports::own_addresses;
use board::steward::client::{SHORT, Steward};
use board::steward::{Act, Answer, NetworkState, NetworkTree};
use engine::event::Event;
use model::clock::{Now, Wall};
use model::config::network::Network;
use model::id::Ticket;
use model::record::{NoteRecord, Record};
use model::sentence::Sentence;
use net::sip_udp::SipUdp;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use web::api::network::{NetworkView, TimeView, TriedView};

/// How often it is looked whether something has changed: a person waits for it.
const EVERY: Duration = Duration::from_millis(500);
/// A clock that moved less is steered, not found.
const FOUND_MS: i64 = 60_000;
/// Who the history names for a change that came back.
const BY: &str = "network";

/// Shared with the web.
#[derive(Debug)]
pub struct Lan {
    steward: Steward,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    state: Option<NetworkState>,
    undone: Option<String>,
    trouble: Option<Sentence>,
    corrected_ms: i64,
}

impl Lan {
    /// With the steward that listens there.
    #[must_use]
    pub fn new(steward: Steward) -> Lan {
        Lan { steward, shown: Mutex::default() }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, act: &Act) -> Result<Answer, Sentence> {
        self.steward.ask(act, SHORT).map_err(|refused| refused.said)
    }
}

impl web::ports::Lan for Lan {
    fn state(&self) -> NetworkView {
        let shown = self.shown();
        let tried = shown.state.as_ref().and_then(|s| s.tried.as_ref()).map(|t| TriedView {
            left_s: t.left_s,
            address: new_address(&t.settings.network),
            token: Some(t.token.clone()),
            settings: t.settings.network.clone(),
        });
        let now = clock::wall();
        NetworkView {
            managed: self.steward.there(),
            addresses: own_addresses().iter().map(IpAddr::to_string).collect(),
            tried,
            undone: shown.undone.clone(),
            trouble: shown.trouble.clone(),
            time: TimeView {
                at: now.0,
                trusted: clock::is_trusted(now),
                synchronised: board::rtc::is_synchronised(),
                built: i64::try_from(clock::BUILT_S).unwrap_or(i64::MAX).saturating_mul(1000),
                corrected_ms: shown.corrected_ms,
            },
        }
    }

    fn keep(&self, token: &str) -> Result<(), Sentence> {
        self.ask(&Act::KeepNetwork { token: token.to_owned() })?;
        if let Some(state) = &mut self.shown().state {
            state.tried = None;
        }
        Ok(())
    }

    fn undo(&self) -> Result<(), Sentence> {
        self.ask(&Act::UndoNetwork).map(drop)
    }

    fn set_clock(&self, at: i64) -> Result<(), Sentence> {
        let unix_s = u64::try_from(at / 1000).unwrap_or(0);
        self.ask(&Act::SetClock { unix_s }).map(drop)
    }
}

/// The address at which the box is reached under these settings, when they say one.
fn new_address(network: &Value) -> Option<String> {
    let of = |mode: &str, field: &str| {
        let address = network[field].as_str().filter(|_| network[mode] == "static")?;
        address.split('/').next().map(str::to_owned)
    };
    of("ipv4", "ipv4_address").or_else(|| of("ipv6", "ipv6_address"))
}

/// The thread and what it holds.
pub struct Watch {
    /// Shared with the web.
    pub lan: Arc<Lan>,
    /// Configurations and records.
    pub store: Arc<Store>,
    /// The engine.
    pub events: Events,
    /// The socket whose packets are marked.
    pub udp: SipUdp,
    /// Both clocks.
    pub clock: Clock,
}

impl Watch {
    /// Runs until `stop`.
    pub fn run(self, stop: &AtomicBool) {
        let start = self.clock.now();
        let mut lost = (!clock::is_trusted(start.wall)).then_some(start);
        if lost.is_some() {
            self.note(
                "alarm",
                "clock_unknown",
                "The clock is before the day this software was made: it is empty or wrong. \
                Times of calls are corrected as soon as a time server answers or the clock is set.",
            );
        }
        let mut seen = None;
        while !stop.load(Ordering::Relaxed) {
            match self.store.reader().newer_than(seen) {
                Ok(Some((generation, tree))) => {
                    if self.apply(&tree) {
                        seen = Some(generation);
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the configuration cannot be read"),
            }
            self.look();
            lost = self.find_clock(lost);
            std::thread::sleep(EVERY);
        }
    }

    /// Puts network and time in force; false = try again.
    fn apply(&self, tree: &Value) -> bool {
        let Ok((network, _)) = model::config::draft::read_network(&tree["network"], &tree["time"]) else {
            return true;
        };
        mark(&network, &self.udp);
        if !self.lan.steward.there() {
            return true;
        }
        let settings = NetworkTree { network: tree["network"].clone(), time: tree["time"].clone() };
        let done = self.lan.ask(&Act::ApplyNetwork { settings });
        if let Err(why) = &done {
            tracing::error!(%why, "the network settings are not in force");
        }
        self.lan.shown().trouble = done.as_ref().err().cloned();
        done.is_ok()
    }

    /// Learns how the trial stands; brings the configuration back when it failed.
    fn look(&self) {
        if !self.lan.steward.there() {
            return;
        }
        match self.lan.ask(&Act::Network) {
            Ok(Answer::Network(state)) => {
                let undone = state.undone.clone();
                let settled = state.settled.clone();
                self.lan.shown().state = Some(state);
                if let Some(undone) = undone {
                    self.bring_back(&undone.settings, settled, &undone.why);
                }
            }
            Ok(_) => {}
            Err(why) => tracing::warn!(%why, "the steward does not say how the network stands"),
        }
    }

    /// The configuration still says what was taken back: it says again what is in force, and why.
    fn bring_back(&self, undone: &NetworkTree, settled: NetworkTree, why: &str) {
        let Ok(Some((generation, mut tree))) = self.store.reader().current() else { return };
        if tree["network"] != undone.network {
            return;
        }
        tree["network"] = settled.network;
        self.lan.shown().undone = Some(why.to_owned());
        let summary = "network settings taken back: nobody kept them";
        match self.store.commit(BY, tree, Some(generation), summary) {
            Ok(done) => {
                // Nobody waits for it: the ticket is nobody's.
                self.events.push(Event::ConfigCommitted {
                    ticket: Ticket(0),
                    generation: done.generation,
                    config: done.config,
                });
                let text = "New network settings were not confirmed from their address within a minute; the old ones are back.";
                self.note("warning", "network_taken_back", text);
            }
            Err(error) => {
                tracing::warn!(%error, "the network settings could not be taken back in the configuration")
            }
        }
    }

    /// Whether an empty clock has become right; then what was recorded by it is moved to when it was.
    fn find_clock(&self, lost: Option<Now>) -> Option<Now> {
        let start = lost?;
        let now = self.clock.now();
        let Some((from, to, by_ms)) = found(start, now) else { return lost };
        match self.store.move_times(from, to, by_ms) {
            Ok(count) => {
                self.lan.shown().corrected_ms = by_ms;
                tracing::info!(count, by_ms, "the clock is right now; times of records were corrected");
                self.note(
                    "info",
                    "clock_found",
                    "The clock is right now; the times of calls made before were corrected.",
                );
                None
            }
            Err(error) => {
                tracing::warn!(%error, "times of records are not corrected yet");
                lost
            }
        }
    }

    fn note(&self, level: &str, kind: &str, text: &str) {
        let note = NoteRecord {
            at: clock::wall(),
            level: level.into(),
            kind: kind.into(),
            subject: "network".into(),
            text: text.into(),
        };
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!(kind, "the event log is full");
        }
    }
}

/// What a clock that was empty at `start` and is right `now` got wrong: from, to (as it read), and the way to the truth.
fn found(start: Now, now: Now) -> Option<(Wall, Wall, i64)> {
    let ran = i64::try_from(now.mono.0.saturating_sub(start.mono.0) / 1000).ok()?;
    let read = start.wall.0.saturating_add(ran);
    let by_ms = now.wall.0.saturating_sub(read);
    (clock::is_trusted(now.wall) && by_ms > FOUND_MS).then_some((start.wall, Wall(read), by_ms))
}

/// Marks SIP packets as the site wants.
pub fn mark(network: &Network, udp: &SipUdp) {
    net::bind::set_signalling(network.dscp_sip);
    udp.mark();
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Mono;
    use serde_json::json;

    fn at(mono_s: u64, wall_ms: i64) -> Now {
        Now { mono: Mono(mono_s * 1_000_000), wall: Wall(wall_ms) }
    }

    #[test]
    fn a_clock_that_was_empty_says_what_it_got_wrong_once_it_is_right() {
        let right = i64::try_from(clock::BUILT_S).unwrap() * 1000 + 86_400_000;
        assert_eq!(found(at(0, 5_000), at(30, 35_000)), None, "it still counts from 1970");
        let wrong = found(at(0, 5_000), at(30, right));
        assert_eq!(wrong, Some((Wall(5_000), Wall(35_000), right - 35_000)));
    }

    #[test]
    fn the_new_address_is_told_only_when_it_is_fixed() {
        let tree = json!({ "ipv4": "static", "ipv4_address": "192.0.2.10/24", "ipv6": "auto" });
        assert_eq!(new_address(&tree).as_deref(), Some("192.0.2.10"));
        assert_eq!(new_address(&json!({ "ipv4": "dhcp", "ipv4_address": "192.0.2.10/24" })), None);
        let six = json!({ "ipv4": "off", "ipv6": "static", "ipv6_address": "2001:db8::1/64" });
        assert_eq!(new_address(&six).as_deref(), Some("2001:db8::1"));
    }
}
