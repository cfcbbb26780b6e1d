//! Keys on their way to the RTP peer: RFC 4733 events, a packet each 20 ms and three that say it is over. They wait in
//! line with a pause between them. Pure: the room says when 20 ms are over.
use model::media::Digit;
use std::collections::VecDeque;

/// Packets of one press: 100 ms, what a phone sends for a short press.
const PACKETS: u16 = 5;
/// Packets that say a press is over (RFC 4733 section 2.5.1.4).
const ENDS: u16 = 3;
/// Turns of quiet between two keys, so that no receiver takes two for one.
const GAP: u16 = 3;
/// Keys that wait: a person types no faster; a number that a page dials by keys has fewer.
const WAITING: usize = 32;
/// Volume, −dBm0.
const VOLUME: u8 = 10;
/// Ticks of 20 ms.
const TICKS: u16 = 160;

/// One packet of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventPacket {
    /// It begins a press: marker, and a new timestamp.
    pub first: bool,
    /// RFC 4733 section 2.3.
    pub payload: [u8; 4],
}

/// The line of keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    waiting: VecDeque<Digit>,
    now: Option<(Digit, u16)>,
    quiet: u16,
}

impl Keys {
    /// Puts a key in line; one too many is dropped.
    pub fn push(&mut self, key: Digit) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(key);
        }
    }

    /// Nothing is sent and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.now.is_none() && self.quiet == 0
    }

    /// Whether an event has the line, so that sound must wait.
    pub fn is_sending(&self) -> bool {
        self.now.is_some()
    }

    /// What is due now; called every 20 ms while not idle.
    pub fn turn(&mut self) -> Option<EventPacket> {
        if self.quiet > 0 {
            self.quiet -= 1;
            return None;
        }
        let (key, sent) = match self.now {
            Some(now) => now,
            None => (self.waiting.pop_front()?, 0),
        };
        let over = sent >= PACKETS;
        let length = (sent + 1).min(PACKETS) * TICKS;
        let [high, low] = length.to_be_bytes();
        let end = if over { 0x80 } else { 0 };
        self.now = Some((key, sent + 1));
        if sent + 1 == PACKETS + ENDS {
            self.now = None;
            self.quiet = GAP;
        }
        Some(EventPacket { first: sent == 0, payload: [key.event(), end | VOLUME, high, low] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_five_packets_and_three_ends_and_the_next_waits() {
        let mut keys = Keys::default();
        for key in ['5', '#'] {
            keys.push(Digit::try_from(key).unwrap());
        }
        let sent: Vec<_> = (0..40).filter_map(|_| keys.turn()).collect();
        assert_eq!(sent.len(), 16);
        assert_eq!(sent[0], EventPacket { first: true, payload: [5, 10, 0, 160] });
        assert_eq!(sent[4].payload, [5, 10, 3, 32], "800 ticks are 100 ms");
        assert!(sent[5..8].iter().all(|p| p.payload == [5, 0x8A, 3, 32] && !p.first));
        assert_eq!(sent[8], EventPacket { first: true, payload: [11, 10, 0, 160] });
        assert!(keys.is_idle());
    }

    #[test]
    fn a_flood_of_keys_is_cut() {
        let mut keys = Keys::default();
        (0..1000).for_each(|_| keys.push(Digit::try_from('1').unwrap()));
        assert_eq!((0..20_000).filter_map(|_| keys.turn()).filter(|p| p.first).count(), WAITING);
    }
}
