//! Numbers of the stream from a browser to the media core: gaps and reordering are passed on as they came, and when the
//! browser's stream begins anew (a reload) or a key is sent, it goes on one packet and the time passed later. Pure.

/// Steps of the clock of the core's side that a new stream begins after the last packet.
const STEP: u32 = 160;
/// A timestamp that jumps further than this (ten seconds) is another stream.
const JUMP: u32 = 80_000;

/// Numbers of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
}

/// The stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    next: u16,
    last: u32,
    anchor: Option<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    sequence: u16,
    time: u32,
    ours: u16,
    our_time: u32,
}

impl Numbering {
    /// A stream that begins at random numbers.
    pub fn new(sequence: u16, timestamp: u32) -> Numbering {
        Numbering { next: sequence, last: timestamp, anchor: None }
    }

    /// Numbers of a packet of the browser; `time` is already in steps of the core's clock.
    pub fn pass(&mut self, ssrc: u32, sequence: u16, time: u32, marker: bool) -> Numbers {
        let fits = self.anchor.filter(|a| {
            let ours = a.our_time.wrapping_add(time.wrapping_sub(a.time));
            let ahead = ours.wrapping_sub(self.last);
            a.ssrc == ssrc && (ahead < JUMP || ahead.wrapping_neg() < JUMP)
        });
        let (anchor, marker) = match fits {
            Some(anchor) => (anchor, marker),
            None => {
                let our_time = self.last.wrapping_add(STEP);
                (Anchor { ssrc, sequence, time, ours: self.next, our_time }, true)
            }
        };
        let ours = anchor.ours.wrapping_add(sequence.wrapping_sub(anchor.sequence));
        let timestamp = anchor.our_time.wrapping_add(time.wrapping_sub(anchor.time));
        // The anchor moves along, so that no distance grows beyond half the numbers.
        self.anchor = Some(Anchor { ssrc, sequence, time, ours, our_time: timestamp });
        if ours.wrapping_sub(self.next) < 0x8000 {
            self.next = ours.wrapping_add(1);
            self.last = timestamp;
        }
        Numbers { marker, sequence: ours, timestamp }
    }

    /// Numbers of an event packet; all of one press share the time of the first.
    pub fn event(&mut self, first: bool) -> Numbers {
        if first {
            self.last = self.last.wrapping_add(STEP);
        }
        self.anchor = None;
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        Numbers { marker: first, sequence, timestamp: self.last }
    }

    /// Sound left out while a key was sent took time too.
    pub fn skip(&mut self) {
        self.last = self.last.wrapping_add(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_reordering_are_passed_on_across_the_end_of_the_numbers() {
        let mut n = Numbering::new(0xFFFE, u32::MAX - 100);
        let first = n.pass(1, 500, 1000, false);
        assert_eq!((first.sequence, first.marker), (0xFFFE, true));
        assert_eq!(n.pass(1, 503, 1480, false).sequence, 1, "three later");
        let late = n.pass(1, 502, 1320, false);
        assert_eq!((late.sequence, late.timestamp), (0, first.timestamp.wrapping_add(320)));
        assert_eq!(n.pass(1, 504, 1640, false).sequence, 2);
    }

    #[test]
    fn another_stream_or_a_wild_clock_goes_on_after_the_last() {
        let mut n = Numbering::new(10, 0);
        n.pass(1, 7, 7000, false);
        let other = n.pass(2, 60_000, 9_999_999, false);
        assert_eq!(other, Numbers { marker: true, sequence: 11, timestamp: 320 });
        let wild = n.pass(2, 60_001, 9_999_999 + 900_000, false);
        assert_eq!(wild, Numbers { marker: true, sequence: 12, timestamp: 480 });
    }

    #[test]
    fn a_key_shares_one_time_and_sound_goes_on_behind_it() {
        let mut n = Numbering::new(0, 0);
        n.pass(1, 0, 0, false);
        let press = [n.event(true), n.event(false), n.event(false)];
        assert!(press.iter().all(|p| p.timestamp == 320));
        assert_eq!(press.map(|p| p.sequence), [1, 2, 3]);
        n.skip();
        let after = n.pass(1, 9, 1440, false);
        assert_eq!(after, Numbers { marker: true, sequence: 4, timestamp: 640 });
    }
}
