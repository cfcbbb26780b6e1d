//! The network between the box and everybody else: datagrams that take a while, get lost, doubled or overtaken, by chance of
//! the seed. Signalling and speech have their own faults. Decides nothing but when and whether a datagram arrives.
use crate::dice::Dice;
use model::clock::Mono;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What goes wrong, in thousandths, and how long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Lost datagrams.
    pub loss: u32,
    /// Doubled datagrams.
    pub doubled: u32,
    /// Shortest time on the way.
    pub delay: Duration,
    /// Longest time; more than 20 ms above `delay` lets speech overtake itself.
    pub delay_max: Duration,
}

impl Faults {
    /// A LAN: nothing is lost.
    pub const LAN: Faults = Faults {
        loss: 0,
        doubled: 0,
        delay: Duration::from_micros(200),
        delay_max: Duration::from_millis(2),
    };

    /// A bad line: 5 % lost, 3 % doubled, 5 to 60 ms.
    pub const BAD: Faults = Faults {
        loss: 50,
        doubled: 30,
        delay: Duration::from_millis(5),
        delay_max: Duration::from_millis(60),
    };
}

/// A datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Most datagrams on the way at once: far above any story, so that a storm of our own making is seen.
const MOST: usize = 200_000;

/// The network.
#[derive(Clone, Debug)]
pub struct Wire {
    dice: Dice,
    /// Faults of signalling.
    pub sip: Faults,
    /// Faults of speech.
    pub rtp: Faults,
    on_the_way: BTreeMap<(Mono, u64), Datagram>,
    sent: u64,
}

impl Wire {
    /// A faultless LAN.
    #[must_use]
    pub fn new(seed: u64) -> Wire {
        Wire {
            dice: Dice::new(seed ^ 0x7769_7265),
            sip: Faults::LAN,
            rtp: Faults::LAN,
            on_the_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Takes a datagram. `speech`: RTP, else signalling.
    pub fn send(&mut self, now: Mono, datagram: Datagram, speech: bool) {
        let faults = if speech { self.rtp } else { self.sip };
        if self.dice.happens(faults.loss) || self.on_the_way.len() >= MOST {
            return;
        }
        if self.dice.happens(faults.doubled) {
            self.put(now, datagram.clone(), faults);
        }
        self.put(now, datagram, faults);
    }

    fn put(&mut self, now: Mono, datagram: Datagram, faults: Faults) {
        let at = now + self.dice.between(faults.delay, faults.delay_max);
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), datagram);
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        self.on_the_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next datagram that has arrived.
    pub fn arrived(&mut self, now: Mono) -> Option<Datagram> {
        let ((at, _), _) = self.on_the_way.first_key_value()?;
        if *at > now {
            return None;
        }
        self.on_the_way.pop_first().map(|(_, datagram)| datagram)
    }

    /// Forgets what is on the way to an address: its socket is closed.
    pub fn cut(&mut self, ip: std::net::IpAddr) {
        self.on_the_way.retain(|_, d| d.to.ip() != ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(seed: u64, faults: Faults) -> Vec<u8> {
        let mut wire = Wire::new(seed);
        wire.sip = faults;
        let end = SocketAddr::from(([10, 0, 0, 1], 5060));
        for n in 0..200 {
            let at = Mono(u64::from(n) * 20_000);
            wire.send(at, Datagram { from: end, to: end, bytes: vec![n] }, false);
        }
        std::iter::from_fn(|| wire.arrived(Mono(u64::MAX))).map(|d| d.bytes[0]).collect()
    }

    #[test]
    fn a_lan_is_faultless_and_a_bad_line_is_bad_in_the_same_way_each_time() {
        assert_eq!(arrivals(1, Faults::LAN), (0..200).collect::<Vec<u8>>());
        let bad = arrivals(1, Faults::BAD);
        assert_eq!(bad, arrivals(1, Faults::BAD));
        assert_ne!(bad, arrivals(2, Faults::BAD));
        let lost = (0..200).filter(|n| !bad.contains(n)).count();
        assert!((1..40).contains(&lost) && !bad.is_sorted(), "{lost} lost");
    }
}
