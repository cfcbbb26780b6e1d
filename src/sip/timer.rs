//! The timers of RFC 3261 (A-K) and RFC 6026 (L, M), each with its value and why; and the table of running ones.
//! Timer C is for proxies (a B2BUA ends ringing by its own rules) and is not here.
use model::clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The three times every other timer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Round trip estimate; first retransmission.
    pub t1: Duration,
    /// Longest retransmission interval of requests other than INVITE, and of answers to INVITE.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// A transaction's reason to wake up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// INVITE again, on datagrams: T1, doubled each time (nobody may hear it; a callee's phone may be slow).
    A,
    /// INVITE has no answer: 64 T1. Started again by CANCEL (section 9.1), to end a call nobody ends.
    B,
    /// Refused INVITE lingers to acknowledge repeated refusals: 32 s on datagrams, 0 on streams.
    D,
    /// Other request again, on datagrams: T1, doubled up to T2.
    E,
    /// Other request has no answer: 64 T1.
    F,
    /// Answer to INVITE again until the ACK: T1, doubled up to T2. For 2xx on streams too (section 13.3.1.4: a proxy
    /// may have datagrams behind it), for refusals only on datagrams.
    G,
    /// Refusal of an INVITE was not acknowledged: 64 T1.
    H,
    /// Acknowledged refusal lingers to swallow repeated ACKs: T4 on datagrams, 0 on streams.
    I,
    /// Answered request lingers to answer its repetitions: 64 T1 on datagrams, 0 on streams.
    J,
    /// Our answered request lingers to swallow repeated answers: T4 on datagrams, 0 on streams.
    K,
    /// Accepted INVITE lingers to swallow its repetitions; without ACK by then the call is dead: 64 T1.
    L,
    /// Our accepted INVITE lingers for repeated 2xx and 2xx of other forks: 64 T1.
    M,
    /// 100 Trying, unless something else was said: 200 ms (section 17.2.1).
    Trying,
    /// Our own user never answered a request: 64 T1, after which the peer has given up.
    Patience,
}

impl Timer {
    /// How long until it fires, having fired `fired` times before.
    #[must_use]
    pub fn delay(self, timing: &Timing, reliable: bool, fired: u32) -> Duration {
        let doubled = timing.t1 * 2u32.pow(fired.min(10));
        let linger = |d: Duration| if reliable { Duration::ZERO } else { d };
        match self {
            Timer::A => doubled,
            Timer::E | Timer::G => doubled.min(timing.t2),
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M | Timer::Patience => timing.t1 * 64,
            Timer::D => linger(Duration::from_secs(32)),
            Timer::I | Timer::K => linger(timing.t4),
            Timer::J => linger(timing.t1 * 64),
            Timer::Trying => Duration::from_millis(200),
        }
    }
}

/// Running timers: each key once, the earliest first.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    order: BTreeSet<(Mono, K)>,
    at: BTreeMap<K, Mono>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(crate) fn new() -> Timers<K> {
        Timers { order: BTreeSet::new(), at: BTreeMap::new() }
    }

    /// Starts a timer, or moves it.
    pub(crate) fn set(&mut self, key: K, at: Mono) {
        if let Some(before) = self.at.insert(key, at) {
            self.order.remove(&(before, key));
        }
        self.order.insert((at, key));
    }

    /// Stops a timer that may be running.
    pub(crate) fn stop(&mut self, key: K) {
        if let Some(at) = self.at.remove(&key) {
            self.order.remove(&(at, key));
        }
    }

    /// The next timer that is due, taken out.
    pub(crate) fn pop(&mut self, now: Mono) -> Option<K> {
        let &(at, key) = self.order.first()?;
        if at > now {
            return None;
        }
        self.order.pop_first();
        self.at.remove(&key);
        Some(key)
    }

    /// When the next one fires.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.order.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_rfc() {
        let t = Timing::default();
        let ms = |timer: Timer, reliable, fired| timer.delay(&t, reliable, fired).as_millis();
        assert_eq!(
            (0..7).map(|n| ms(Timer::A, false, n)).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000, 8000, 16000, 32000]
        );
        assert_eq!(
            (0..6).map(|n| ms(Timer::E, false, n)).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000, 4000, 4000]
        );
        assert_eq!([Timer::B, Timer::F, Timer::H, Timer::L, Timer::M].map(|x| ms(x, true, 0)), [32000; 5]);
        assert_eq!([Timer::D, Timer::J].map(|x| ms(x, false, 0)), [32000; 2]);
        assert_eq!([Timer::I, Timer::K].map(|x| ms(x, false, 0)), [5000; 2]);
        assert_eq!([Timer::D, Timer::I, Timer::J, Timer::K].map(|x| ms(x, true, 0)), [0; 4]);
    }

    #[test]
    fn a_timer_moves_and_stops() {
        let mut timers = Timers::new();
        timers.set('a', Mono(5));
        timers.set('b', Mono(7));
        timers.set('a', Mono(9));
        assert_eq!((timers.next(), timers.pop(Mono(6))), (Some(Mono(7)), None));
        assert_eq!(
            (timers.pop(Mono(9)), timers.pop(Mono(9)), timers.pop(Mono(9))),
            (Some('b'), Some('a'), None)
        );
        timers.set('c', Mono(1));
        timers.stop('c');
        assert_eq!(timers.next(), None);
    }
}
