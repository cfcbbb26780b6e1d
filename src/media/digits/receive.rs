//! Reads RFC 4733 events: each press once, at the first of its packets that arrives. Start packets, end packets or all
//! but one may be lost, and packets may be reordered or doubled. The timestamp names the press (§2.2); some phones
//! move it from packet to packet, so a packet that plainly goes on with the running press is no new one.
use model::clock::Mono;
use model::media::Digit;
use std::time::Duration;

/// Presses remembered to know late and repeated packets: more than a network reorders.
const REMEMBERED: usize = 8;

/// Longest pause between packets of one press (50 ms is the longest interval of §2.5.1.2; one may be lost).
const GOES_ON: Duration = Duration::from_millis(120);

#[derive(Clone, Copy, Debug)]
struct Press {
    event: u8,
    timestamp: u32,
    duration: u16,
    ended: bool,
    heard: Mono,
}

/// Reads the events of one session.
#[derive(Clone, Debug, Default)]
pub struct EventReader {
    ssrc: u32,
    recent: [u32; REMEMBERED],
    filled: usize,
    next: usize,
    running: Option<Press>,
}

impl EventReader {
    /// Takes one event packet; gives the key when it is the first packet of a press. Events that are no keys (flash,
    /// line signals) and payloads that are too short give nothing.
    pub fn read(
        &mut self,
        now: Mono,
        ssrc: u32,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Option<Digit> {
        let &[event, flags, d0, d1, ..] = payload else { return None };
        if self.ssrc != ssrc {
            *self = EventReader { ssrc, ..EventReader::default() };
        }
        let digit = Digit::from_event(event)?;
        let duration = u16::from_be_bytes([d0, d1]);
        let press = Press { event, timestamp, duration, ended: flags & 0x80 != 0, heard: now };
        if self.known(timestamp) {
            self.refresh(press);
            return None;
        }
        let same = !marker && self.running.is_some_and(|r| r.goes_on_as(&press));
        self.remember(timestamp);
        self.running = Some(press);
        (!same).then_some(digit)
    }

    fn known(&self, timestamp: u32) -> bool {
        self.recent.iter().take(self.filled).any(|&t| t == timestamp)
    }

    fn remember(&mut self, timestamp: u32) {
        if let Some(place) = self.recent.get_mut(self.next) {
            *place = timestamp;
        }
        self.next = (self.next + 1) % REMEMBERED;
        self.filled = (self.filled + 1).min(REMEMBERED);
    }

    fn refresh(&mut self, press: Press) {
        if let Some(running) = &mut self.running
            && running.timestamp == press.timestamp
        {
            running.heard = press.heard;
            running.ended |= press.ended;
            running.duration = running.duration.max(press.duration);
        }
    }
}

impl Press {
    /// Whether `next`, with another timestamp, is the same press: a segment of a very long one (§2.5.1.3), or the
    /// next packet of a phone that moves the timestamp.
    fn goes_on_as(&self, next: &Press) -> bool {
        if self.event != next.event || next.heard - self.heard > GOES_ON {
            return false;
        }
        let moved = next.timestamp.wrapping_sub(self.timestamp);
        let segment = !self.ended && (0xFF00..=0x1_0000).contains(&moved);
        let growing = !self.ended && next.duration > self.duration && moved < 8000;
        let end_again = self.ended && next.ended && next.duration == self.duration && moved < 1000;
        segment || growing || end_again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(event: u8, end: bool, duration: u16) -> [u8; 4] {
        let d = duration.to_be_bytes();
        [event, if end { 0x8A } else { 0x0A }, d[0], d[1]]
    }

    /// A press as a phone sends it: a packet each 20 ms, three end packets.
    fn press(event: u8, timestamp: u32) -> Vec<(u32, bool, [u8; 4])> {
        let mut all: Vec<_> =
            (1..=5u16).map(|n| (timestamp, n == 1, packet(event, false, n * 160))).collect();
        all.extend([(timestamp, false, packet(event, true, 960)); 3]);
        all
    }

    fn feed(reader: &mut EventReader, packets: &[(u32, bool, [u8; 4])]) -> String {
        let mut seen = String::new();
        for (n, (t, m, p)) in packets.iter().enumerate() {
            let now = Mono(u64::try_from(n).unwrap() * 20_000);
            seen.extend(reader.read(now, 1, *t, *m, p).map(Digit::as_char));
        }
        seen
    }

    #[test]
    fn a_press_is_read_once_whatever_part_of_it_arrives() {
        for keep in 1u32..256 {
            let some: Vec<_> = press(5, 800)
                .into_iter()
                .enumerate()
                .filter(|(n, _)| keep >> n & 1 == 1)
                .map(|(_, p)| p)
                .collect();
            assert_eq!(feed(&mut EventReader::default(), &some), "5", "kept {keep:#b}");
        }
    }

    #[test]
    fn the_same_key_twice_is_two_presses() {
        let mut both = press(1, 800);
        both.extend(press(1, 2720));
        assert_eq!(feed(&mut EventReader::default(), &both), "11");
    }

    #[test]
    fn late_packets_of_the_press_before_are_not_new() {
        let (one, two) = (press(1, 800), press(2, 2720));
        let mixed = [&one[..6], &two[..2], &one[6..], &two[2..]].concat();
        assert_eq!(feed(&mut EventReader::default(), &mixed), "12");
    }

    #[test]
    fn a_phone_that_moves_the_timestamp_is_understood() {
        let mut moving: Vec<_> =
            (1..=5u16).map(|n| (800 + u32::from(n) * 160, n == 1, packet(7, false, n * 160))).collect();
        moving.extend((6..=8u32).map(|n| (800 + n * 160, false, packet(7, true, 960))));
        assert_eq!(feed(&mut EventReader::default(), &moving), "7");
    }

    #[test]
    fn a_very_long_press_in_segments_is_one() {
        let long: Vec<_> = (0..3u32)
            .flat_map(|s| {
                (1..=400u16).map(move |n| (s * 0xFFFF, s == 0 && n == 1, packet(3, false, n * 160)))
            })
            .collect();
        assert_eq!(feed(&mut EventReader::default(), &long), "3");
    }

    #[test]
    fn flash_and_cut_off_payloads_are_nothing() {
        let mut r = EventReader::default();
        assert_eq!(r.read(Mono(0), 1, 0, true, &packet(16, false, 160)), None);
        assert_eq!(r.read(Mono(0), 1, 0, true, &[5, 0, 0]), None);
    }

    #[test]
    fn ten_thousand_presses_over_two_percent_loss_and_reordering() {
        let mut seed = 42u64;
        let mut dice = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % 1000
        };
        let mut sent = String::new();
        let mut wire = Vec::new();
        for n in 0..10_000u32 {
            let event = u8::try_from(n % 16).unwrap();
            sent.push(Digit::from_event(event).unwrap().as_char());
            wire.extend(press(event, n * 1920).into_iter().filter(|_| dice() >= 20));
        }
        for n in 1..wire.len() {
            if dice() < 10 {
                wire.swap(n - 1, n);
            }
        }
        let seen = feed(&mut EventReader::default(), &wire);
        let lost = sent.len() - seen.len().min(sent.len());
        assert!(seen.len() <= sent.len(), "{} doubled", seen.len() - sent.len());
        assert!(lost <= 10, "{lost} of 10,000 lost");
        assert_eq!(seen, sent, "in order");
    }
}
