//! The sending half of a session: one outgoing RTP stream whose numbers run on whatever feeds it. A feed that takes
//! over begins one packet after the last and as much later as the clock says, with the marker bit; within a relayed
//! stream gaps and reordering are passed on as they came. Decides numbers only; never touches sound.
use crate::limits::FRAME_TICKS;
use crate::port::Place;
use model::clock::Mono;
use std::time::Duration;

/// Numbers of a packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
}

/// Who feeds the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feed {
    Nobody,
    /// Frames made here (play, silence, in-band keys).
    Own,
    /// An RFC 4733 event of our own.
    Event,
    /// Packets of another session's peer.
    Relay {
        from: u64,
        generation: u32,
        extended: u32,
        sequence: u16,
        offset: u32,
    },
}

/// The outgoing stream of a session.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub ssrc: u32,
    feed: Feed,
    /// Sequence number after the highest sent.
    next: u16,
    /// Timestamp of the newest sound sent and when it left.
    last: Option<(u32, Mono)>,
    first_timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// Own frames that come this far from their time are a new talk spurt.
const SLACK: Duration = Duration::from_millis(60);

impl Sender {
    /// A stream that begins at random numbers (RFC 3550 §5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Sender {
        Sender {
            ssrc,
            feed: Feed::Nobody,
            next: sequence,
            last: None,
            first_timestamp: timestamp,
            packets: 0,
            octets: 0,
        }
    }

    /// Timestamp that the clock gives for now.
    pub fn clock(&self, now: Mono) -> u32 {
        match self.last {
            None => self.first_timestamp,
            Some((timestamp, at)) => timestamp.wrapping_add(ticks(now - at).max(FRAME_TICKS)),
        }
    }

    /// Numbers of a frame made here.
    pub fn own(&mut self, now: Mono) -> Numbers {
        let on_time = self.last.is_some_and(|(_, at)| now - at < SLACK);
        let marker = self.feed != Feed::Own || !on_time;
        let timestamp = match self.last {
            Some((last, _)) if !marker => last.wrapping_add(FRAME_TICKS),
            Some(_) | None => self.clock(now),
        };
        self.feed = Feed::Own;
        self.sent(now, timestamp);
        Numbers { marker, sequence: self.take(), timestamp }
    }

    /// Numbers of an event packet made here; `timestamp` is the event's, from [`Sender::clock`] at its start.
    pub fn event(&mut self, now: Mono, timestamp: u32, first: bool) -> Numbers {
        self.feed = Feed::Event;
        if first {
            self.sent(now, timestamp);
        }
        Numbers { marker: first, sequence: self.take(), timestamp }
    }

    /// Numbers of a packet passed on from session `from`; `None` when it belongs before the take-over and must
    /// be dropped. `generation` tells streams of one source apart.
    pub fn relay(
        &mut self,
        now: Mono,
        from: u64,
        generation: u32,
        place: Place,
        timestamp: u32,
        marker: bool,
    ) -> Option<Numbers> {
        if let Feed::Relay { from: f, generation: g, extended, sequence, offset } = self.feed
            && f == from
            && g == generation
        {
            let ahead = place.extended.checked_sub(extended)?;
            let sequence = sequence.wrapping_add(low16(ahead));
            let timestamp = timestamp.wrapping_add(offset);
            if sequence.wrapping_sub(self.next) < 0x8000 {
                self.next = sequence.wrapping_add(1);
                self.sent(now, timestamp);
            }
            return Some(Numbers { marker, sequence, timestamp });
        }
        let ours = self.clock(now);
        let sequence = self.take();
        self.feed = Feed::Relay {
            from,
            generation,
            extended: place.extended,
            sequence,
            offset: ours.wrapping_sub(timestamp),
        };
        self.sent(now, ours);
        Some(Numbers { marker: true, sequence, timestamp: ours })
    }

    /// Counts a packet that left.
    pub fn count(&mut self, payload: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(u32::try_from(payload).unwrap_or(0));
    }

    /// RTP time for a sender report, and whether anything was ever sent.
    pub fn report_clock(&self, now: Mono) -> Option<u32> {
        self.last.map(|(timestamp, at)| timestamp.wrapping_add(ticks(now - at)))
    }

    /// When sound or an event last left.
    pub fn last_sent(&self) -> Option<Mono> {
        self.last.map(|(_, at)| at)
    }

    fn take(&mut self) -> u16 {
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        sequence
    }

    /// Events keep one timestamp for their whole length: the clock runs on from its beginning.
    fn sent(&mut self, now: Mono, timestamp: u32) {
        if self.last.is_none_or(|(last, _)| last != timestamp) {
            self.last = Some((timestamp, now));
        }
    }
}

fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_micros() / 125).unwrap_or(u32::MAX / 2)
}

fn low16(value: u32) -> u16 {
    u16::try_from(value & 0xFFFF).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Mono {
        Mono(n * 1000)
    }

    fn place(extended: u32) -> Place {
        Place { extended, fresh: false }
    }

    #[test]
    fn own_frames_run_on_evenly_even_when_the_tick_is_late() {
        let mut s = Sender::new(1, 100, 5000);
        let a = s.own(ms(0));
        let b = s.own(ms(22));
        let c = s.own(ms(39));
        assert_eq!((a.sequence, a.timestamp, a.marker), (100, 5000, true));
        assert_eq!((b.sequence, b.timestamp, b.marker), (101, 5160, false));
        assert_eq!((c.sequence, c.timestamp, c.marker), (102, 5320, false));
    }

    #[test]
    fn a_pause_is_a_new_talk_spurt_as_long_as_it_was() {
        let mut s = Sender::new(1, 100, 5000);
        s.own(ms(0));
        let after = s.own(ms(1000));
        assert_eq!((after.sequence, after.timestamp, after.marker), (101, 5000 + 8000, true));
    }

    #[test]
    fn a_relayed_stream_takes_over_without_a_break_and_keeps_its_gaps() {
        let mut s = Sender::new(1, 100, 5000);
        s.own(ms(0));
        let first = s.relay(ms(20), 3, 0, place(70_000), 900, false).unwrap();
        assert_eq!((first.sequence, first.timestamp, first.marker), (101, 5160, true));
        let gap = s.relay(ms(60), 3, 0, place(70_002), 900 + 320, false).unwrap();
        assert_eq!((gap.sequence, gap.timestamp, gap.marker), (103, 5480, false));
        let late = s.relay(ms(61), 3, 0, place(70_001), 900 + 160, false).unwrap();
        assert_eq!((late.sequence, late.timestamp), (102, 5320), "reordering is passed on");
        assert_eq!(s.relay(ms(62), 3, 0, place(69_999), 740, false), None, "older than the take-over");
        let own = s.own(ms(80));
        assert_eq!((own.sequence, own.timestamp, own.marker), (104, 5480 + 160, true));
    }

    #[test]
    fn a_new_stream_of_the_same_source_takes_over_too() {
        let mut s = Sender::new(1, 0, 0);
        s.relay(ms(0), 3, 0, place(70_000), 0, false);
        let other = s.relay(ms(20), 3, 1, place(66_000), 4_000_000, false).unwrap();
        assert_eq!((other.sequence, other.timestamp, other.marker), (1, 160, true));
    }

    #[test]
    fn sound_after_a_long_event_starts_where_the_event_ended() {
        let mut s = Sender::new(1, 0, 1000);
        s.own(ms(0));
        let start = s.clock(ms(20));
        for n in 0..20u64 {
            let e = s.event(ms(20 + n * 20), start, n == 0);
            assert_eq!((e.timestamp, e.marker), (1160, n == 0));
        }
        let own = s.own(ms(420));
        assert_eq!((own.sequence, own.timestamp, own.marker), (21, 1160 + 3200, true));
    }
}
