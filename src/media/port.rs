//! The receiving half of a session: which source is believed, and what its packets say about loss and jitter.
//!
//! Source rules (trust S5; symmetric RTP, RFC 4961). We send to the signalled address at once. Heard are:
//! the signalled address itself, at once and for good; behind NAT (SIP comes from another address than SDP names) the
//! first source with SIP's address; else a source with the right address and a wrong port, after it has insisted for
//! half a second during which the signalled one stayed silent. Afterwards the source may move once, to an allowed
//! address, when the believed one fell silent. Everything else is foreign: counted, dropped, and never sent to.
use model::clock::Mono;
use model::media::Remote;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a source with the right address and the wrong port must insist while the signalled one is silent.
const PROBATION: Duration = Duration::from_millis(500);

/// Silence of a source learned through NAT before another may take its place (its mapping changed).
const PATIENCE_NAT: Duration = Duration::from_millis(500);

/// Silence of a source heard from its signalled address before another may take its place: longer, because there is
/// no NAT that would explain a move.
const PATIENCE_EXACT: Duration = Duration::from_secs(2);

/// What is thought of a packet's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The believed source.
    Known,
    /// Believed from this packet on.
    Learned,
    /// Somebody else.
    Foreign,
}

/// Source learning of one session.
#[derive(Clone, Debug)]
pub struct Learning {
    signalled: SocketAddr,
    sip: IpAddr,
    believed: Option<SocketAddr>,
    candidate: Option<(SocketAddr, Mono)>,
    moved: bool,
    heard: Mono,
}

impl Learning {
    /// Starts learning for what SDP and SIP said.
    #[must_use]
    pub fn new(remote: &Remote) -> Learning {
        Learning {
            signalled: remote.address,
            sip: remote.signalled_from,
            believed: None,
            candidate: None,
            moved: false,
            heard: Mono::default(),
        }
    }

    /// The address SDP named.
    #[must_use]
    pub fn signalled(&self) -> SocketAddr {
        self.signalled
    }

    /// Where packets for the peer go: the believed source, else the signalled address.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        self.believed.unwrap_or(self.signalled)
    }

    /// The believed source, if any yet.
    #[must_use]
    pub fn believed(&self) -> Option<SocketAddr> {
        self.believed
    }

    /// The peer may be silent lawfully up to now (it was on hold): its silence does not count as a move.
    pub fn excuse_silence(&mut self, now: Mono) {
        self.heard = self.heard.max(now);
    }

    /// Judges the source of a packet. `expected`: the peer is supposed to be sending (not on hold).
    pub fn judge(&mut self, now: Mono, source: SocketAddr, expected: bool) -> Verdict {
        match self.believed {
            Some(known) if known == source => {
                self.heard = now;
                Verdict::Known
            }
            Some(known) => self.judge_move(now, known, source, expected),
            None => self.judge_first(now, source),
        }
    }

    fn judge_first(&mut self, now: Mono, source: SocketAddr) -> Verdict {
        let behind_nat = self.signalled.ip() != self.sip && source.ip() == self.sip;
        if source == self.signalled || behind_nat || self.insisted(now, source) {
            self.believe(now, source)
        } else {
            Verdict::Foreign
        }
    }

    fn insisted(&mut self, now: Mono, source: SocketAddr) -> bool {
        if !self.allowed(source) {
            return false;
        }
        match self.candidate {
            Some((one, since)) if one == source => now - since >= PROBATION,
            Some(_) => false,
            None => {
                self.candidate = Some((source, now));
                false
            }
        }
    }

    fn judge_move(&mut self, now: Mono, known: SocketAddr, source: SocketAddr, expected: bool) -> Verdict {
        if self.moved || !self.allowed(source) {
            return Verdict::Foreign;
        }
        let patience = if known == self.signalled { PATIENCE_EXACT } else { PATIENCE_NAT };
        let silent = expected && now - self.heard >= patience;
        if source == self.signalled || silent {
            self.moved = true;
            self.believe(now, source)
        } else {
            Verdict::Foreign
        }
    }

    fn believe(&mut self, now: Mono, source: SocketAddr) -> Verdict {
        self.believed = Some(source);
        self.heard = now;
        Verdict::Learned
    }

    fn allowed(&self, source: SocketAddr) -> bool {
        source.ip() == self.signalled.ip() || source.ip() == self.sip
    }
}

/// Jump of sequence numbers that is taken for a restarted stream rather than for loss (RFC 3550 A.1, `MAX_DROPOUT`).
const RESTART_AHEAD: i32 = 3000;

/// The same backwards (`MAX_MISORDER`).
const RESTART_BEHIND: i32 = -100;

/// Where a packet stands in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Sequence number that does not wrap.
    pub extended: u32,
    /// A new stream begins here: other SSRC, or numbers that jumped.
    pub fresh: bool,
}

/// Loss and jitter of what is received (RFC 3550 §6.4.1, A.3, A.8).
#[derive(Clone, Copy, Debug, Default)]
pub struct Reception {
    ssrc: Option<u32>,
    base: u32,
    highest: u32,
    here: u32,
    before: Totals,
    transit: Option<u32>,
    jitter_16: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    received: u32,
    lost: u32,
}

impl Reception {
    /// Takes note of a packet.
    pub fn note(&mut self, ssrc: u32, sequence: u16) -> Place {
        let ahead = i32::from(i16::from_be_bytes(sequence.wrapping_sub(low16(self.highest)).to_be_bytes()));
        let fresh = self.ssrc != Some(ssrc) || !(RESTART_BEHIND..RESTART_AHEAD).contains(&ahead);
        if fresh {
            self.before = Totals { received: self.received(), lost: self.lost() };
            self.ssrc = Some(ssrc);
            // One turn up, so that packets reordered before the first have a number too.
            self.base = 0x1_0000 + u32::from(sequence);
            self.highest = self.base;
            self.here = 1;
            self.transit = None;
            return Place { extended: self.base, fresh };
        }
        let extended = self.highest.wrapping_add_signed(ahead);
        self.highest = self.highest.max(extended);
        self.base = self.base.min(extended);
        self.here = self.here.saturating_add(1);
        Place { extended, fresh }
    }

    /// Takes note of the arrival of sound with RTP time `timestamp`.
    pub fn arrival(&mut self, now: Mono, timestamp: u32) {
        let transit = clock_of(now).wrapping_sub(timestamp);
        if let Some(last) = self.transit {
            let d = i32::from_be_bytes(transit.wrapping_sub(last).to_be_bytes()).unsigned_abs();
            // More than a second is a change of the sender's clock, not jitter.
            if d < 8000 {
                self.jitter_16 = (self.jitter_16 + d).saturating_sub((self.jitter_16 + 8) / 16);
            }
        }
        self.transit = Some(transit);
    }

    /// The peer's stream, if any was heard.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// Highest sequence number with its cycles, as RTCP reports it.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest.wrapping_sub(0x1_0000)
    }

    /// Packets taken in all streams.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.before.received.saturating_add(self.here)
    }

    /// Packets missing in all streams.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.before.lost.saturating_add(self.expected_here().saturating_sub(self.here))
    }

    /// Packets of the present stream that should have come, and that came.
    #[must_use]
    pub fn here(&self) -> (u32, u32) {
        (self.expected_here(), self.here)
    }

    /// Interarrival jitter in steps of the 8 kHz clock.
    #[must_use]
    pub fn jitter(&self) -> u32 {
        self.jitter_16 / 16
    }

    fn expected_here(&self) -> u32 {
        self.ssrc.map_or(0, |_| self.highest - self.base + 1)
    }
}

/// `now` on an 8 kHz clock that wraps.
#[must_use]
pub fn clock_of(now: Mono) -> u32 {
    let ticks = (now.0 / 125) & u64::from(u32::MAX);
    u32::try_from(ticks).unwrap_or(0)
}

fn low16(value: u32) -> u16 {
    u16::try_from(value & 0xFFFF).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::Codec;

    const PHONE: &str = "192.0.2.10:4000";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn learning(address: &str, sip: &str) -> Learning {
        Learning::new(&Remote {
            address: at(address),
            signalled_from: sip.parse().unwrap(),
            codec: Codec::Pcmu,
            event_type: None,
            send: true,
            receive: true,
        })
    }

    fn ms(n: u64) -> Mono {
        Mono(n * 1000)
    }

    #[test]
    fn the_signalled_address_is_believed_at_once_and_an_outsider_never() {
        let mut l = learning(PHONE, "192.0.2.10");
        assert_eq!(l.judge(ms(0), at("203.0.113.9:4000"), true), Verdict::Foreign);
        assert_eq!(l.destination(), at(PHONE), "nothing goes to a stranger");
        assert_eq!(l.judge(ms(5), at(PHONE), true), Verdict::Learned);
        assert_eq!(l.judge(ms(25), at(PHONE), true), Verdict::Known);
        for t in 0..200 {
            assert_eq!(l.judge(ms(5000 + t * 20), at("203.0.113.9:4000"), true), Verdict::Foreign);
        }
        assert_eq!(l.destination(), at(PHONE));
    }

    #[test]
    fn behind_nat_the_first_source_with_the_sip_address_is_believed_at_once() {
        let mut l = learning("10.0.0.5:4000", "198.51.100.7");
        assert_eq!(l.destination(), at("10.0.0.5:4000"));
        assert_eq!(l.judge(ms(0), at("198.51.100.7:61000"), true), Verdict::Learned);
        assert_eq!(l.destination(), at("198.51.100.7:61000"));
        assert_eq!(l.judge(ms(20), at("198.51.100.7:61001"), true), Verdict::Foreign);
    }

    #[test]
    fn a_wrong_port_must_insist_half_a_second_and_loses_to_the_right_one() {
        let mut l = learning(PHONE, "192.0.2.10");
        assert_eq!(l.judge(ms(0), at("192.0.2.10:5555"), true), Verdict::Foreign);
        assert_eq!(l.judge(ms(400), at("192.0.2.10:5555"), true), Verdict::Foreign);
        let mut other = l.clone();
        assert_eq!(l.judge(ms(500), at("192.0.2.10:5555"), true), Verdict::Learned);
        assert_eq!(l.judge(ms(510), at(PHONE), true), Verdict::Learned, "the signalled one takes it back");
        assert_eq!(l.judge(ms(9000), at("192.0.2.10:5555"), true), Verdict::Foreign, "only one move");
        assert_eq!(other.judge(ms(410), at(PHONE), true), Verdict::Learned);
        assert_eq!(other.judge(ms(500), at("192.0.2.10:5555"), true), Verdict::Foreign);
    }

    #[test]
    fn a_source_that_fell_silent_may_move_once_unless_it_was_on_hold() {
        let mut l = learning("10.0.0.5:4000", "198.51.100.7");
        l.judge(ms(0), at("198.51.100.7:61000"), true);
        assert_eq!(l.judge(ms(600), at("198.51.100.7:62000"), false), Verdict::Foreign, "on hold");
        assert_eq!(l.judge(ms(600), at("198.51.100.7:62000"), true), Verdict::Learned);
        assert_eq!(l.judge(ms(9000), at("198.51.100.7:61000"), true), Verdict::Foreign);
    }

    #[test]
    fn loss_is_counted_and_reordering_is_not_loss() {
        let mut r = Reception::default();
        for s in [65_533u16, 65_535, 65_534, 0, 1, 4] {
            r.note(7, s);
        }
        assert_eq!((r.received(), r.lost()), (6, 2));
        r.note(7, 2);
        r.note(7, 3);
        assert_eq!((r.received(), r.lost()), (8, 0));
    }

    #[test]
    fn extended_numbers_go_on_over_the_wrap_and_start_anew_with_a_new_stream() {
        let mut r = Reception::default();
        let first = r.note(7, 65_535);
        assert!(first.fresh);
        let second = r.note(7, 0);
        assert_eq!(second, Place { extended: first.extended + 1, fresh: false });
        assert!(r.note(8, 1).fresh, "another SSRC");
        assert!(r.note(8, 9000).fresh, "numbers that jump");
        assert_eq!((r.received(), r.lost()), (4, 0));
    }

    #[test]
    fn jitter_is_nothing_for_an_even_stream_and_grows_with_unevenness() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for n in 0..200u32 {
            even.arrival(ms(u64::from(n) * 20), n * 160);
            uneven.arrival(ms(u64::from(n) * 20 + u64::from(n % 2) * 10), n * 160);
        }
        assert_eq!(even.jitter(), 0);
        assert!(
            (70..=81).contains(&uneven.jitter()),
            "10 ms back and forth is 80 steps: {}",
            uneven.jitter()
        );
    }
}
