//! Several peers heard at once. What a peer says is laid on one timeline of samples by its RTP time (its [`Feed`]); whoever
//! hears a mix reads the same stretch of each feed and sums it. Decides where sound lies in time; never who hears whom.
use crate::codec;
use crate::limits::FRAME;
use model::clock::Mono;
use model::media::Codec;
use std::time::Duration;

/// A mix is heard this much after it was said: packets may come late by so much (three packets of 20 ms).
const DELAY: u64 = 480;

/// Samples a packet may lie ahead of its arrival by its RTP time before it is put where it arrived.
const AHEAD: u64 = 320;

/// Samples kept of a peer: delay, what may lie ahead, the longest packet, a stalled tick.
const KEPT: usize = 3200;

/// A reader that is further off its time than this (40 ms) jumps to it; less is the tick's unevenness.
const SLACK: u64 = 320;

/// What one peer says.
#[derive(Debug)]
pub(crate) struct Feed {
    ring: Vec<i16>,
    /// First position nothing is known of.
    end: u64,
    anchor: Option<Anchor>,
}

/// RTP time of a stream and the position it belongs to.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    stream: u32,
    timestamp: u32,
    place: u64,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed { ring: vec![0; KEPT], end: 0, anchor: None }
    }
}

impl Feed {
    /// Takes a packet. `stream` changes when `timestamp` starts anew.
    pub fn push(&mut self, now: Mono, stream: u32, timestamp: u32, law: Codec, payload: &[u8]) {
        let clock = samples(now);
        let place = self.place(clock, stream, timestamp);
        let after = place.saturating_add(u64::try_from(payload.len()).unwrap_or(0));
        let kept = u64::try_from(KEPT).unwrap_or(1);
        // What lies between the known and the new is silence, not what stood there a lap ago.
        for position in self.end.max(after.saturating_sub(kept))..after {
            self.set(position, 0);
        }
        self.end = self.end.max(after);
        for (position, &code) in (place..).zip(payload) {
            if position + kept >= self.end {
                self.set(position, codec::to_linear(law, code));
            }
        }
    }

    fn set(&mut self, position: u64, sample: i16) {
        let slot = usize::try_from(position % u64::try_from(KEPT).unwrap_or(1)).unwrap_or(0);
        if let Some(kept) = self.ring.get_mut(slot) {
            *kept = sample;
        }
    }

    /// The sample at a position; silence where nothing is known.
    fn at(&self, position: u64) -> i16 {
        let kept = u64::try_from(KEPT).unwrap_or(1);
        if position >= self.end || position + kept < self.end {
            return 0;
        }
        self.ring.get(usize::try_from(position % kept).unwrap_or(0)).copied().unwrap_or(0)
    }

    fn place(&mut self, clock: u64, stream: u32, timestamp: u32) -> u64 {
        if let Some(anchor) = self.anchor
            && anchor.stream == stream
        {
            let moved = i64::from(i32::from_be_bytes(timestamp.wrapping_sub(anchor.timestamp).to_be_bytes()));
            let place = anchor.place.saturating_add_signed(moved);
            if place.saturating_add(DELAY) > clock && place < clock.saturating_add(AHEAD) {
                return place;
            }
        }
        self.anchor = Some(Anchor { stream, timestamp, place: clock });
        clock
    }
}

/// What one peer hears of others.
#[derive(Debug, Default)]
pub(crate) struct Mix {
    /// Slots of the sessions whose peers are heard.
    pub sources: Vec<usize>,
    cursor: u64,
}

impl Mix {
    /// Hears these.
    pub fn of(sources: Vec<usize>) -> Mix {
        Mix { sources, cursor: 0 }
    }

    /// Where the next frame begins.
    pub fn advance(&mut self, now: Mono) -> u64 {
        let due = samples(now).saturating_sub(DELAY + FRAME_SAMPLES);
        if self.cursor.abs_diff(due) > SLACK {
            self.cursor = due;
        }
        let from = self.cursor;
        self.cursor += FRAME_SAMPLES;
        from
    }
}

const FRAME_SAMPLES: u64 = 160;

/// The sum of a stretch of feeds in µ-law; what is too loud is cut off, not wrapped.
pub(crate) fn sum<'a>(from: u64, feeds: impl Iterator<Item = &'a Feed>) -> [u8; FRAME] {
    let mut total = [0i32; FRAME];
    for feed in feeds {
        for (position, sample) in (from..).zip(total.iter_mut()) {
            *sample += i32::from(feed.at(position));
        }
    }
    total.map(|s| {
        let cut = s.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        codec::linear_to_ulaw(i16::try_from(cut).unwrap_or(0))
    })
}

fn samples(now: Mono) -> u64 {
    u64::try_from(now.since(Mono(0)).as_micros() / SAMPLE.as_micros()).unwrap_or(u64::MAX)
}

/// Time of one sample at 8 kHz.
const SAMPLE: Duration = Duration::from_micros(125);

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Mono {
        Mono(n * 1000)
    }

    fn loud(level: i16) -> [u8; FRAME] {
        [codec::linear_to_ulaw(level); FRAME]
    }

    fn heard(feeds: &[&Feed], at: u64) -> Vec<i16> {
        let from = samples(ms(at)) - DELAY - FRAME_SAMPLES;
        sum(from, feeds.iter().copied()).iter().map(|c| codec::ulaw_to_linear(*c)).collect()
    }

    #[test]
    fn two_voices_add_up_and_too_loud_is_cut_off() {
        let (mut one, mut two) = (Feed::default(), Feed::default());
        one.push(ms(1000), 1, 0, Codec::Pcmu, &loud(1000));
        two.push(ms(1000), 1, 77, Codec::Pcmu, &loud(2000));
        let at = 1000 + 80;
        let both = heard(&[&one, &two], at);
        assert!(both.iter().all(|s| (2800..=3200).contains(s)), "{both:?}");
        let (mut a, mut b) = (Feed::default(), Feed::default());
        a.push(ms(1000), 1, 0, Codec::Pcmu, &loud(30_000));
        b.push(ms(1000), 1, 0, Codec::Pcmu, &loud(30_000));
        assert!(heard(&[&a, &b], at).iter().all(|s| *s > 31_000), "cut off, not turned round");
    }

    #[test]
    fn jitter_and_wrong_order_within_the_delay_leave_no_gap() {
        let mut feed = Feed::default();
        let order = [(0u64, 0u32), (45, 320), (46, 160), (60, 480)];
        for (at, timestamp) in order {
            feed.push(ms(1000 + at), 1, timestamp, Codec::Pcmu, &loud(4000));
        }
        for step in 0..4 {
            let sound = heard(&[&feed], 1080 + step * 20);
            assert!(sound.iter().all(|s| *s > 3500), "frame {step}: {sound:?}");
        }
    }

    #[test]
    fn what_was_said_a_lap_ago_is_never_heard_again() {
        let mut feed = Feed::default();
        feed.push(ms(1000), 1, 0, Codec::Pcmu, &loud(4000));
        assert!(heard(&[&feed], 1080).iter().any(|s| *s > 3500));
        assert!((1..200).all(|n| heard(&[&feed], 1080 + n * 20).iter().all(|s| *s == 0)));
        // A packet after a long pause fills what lies between with silence.
        feed.push(ms(1400), 1, 3200, Codec::Pcmu, &loud(4000));
        assert!(heard(&[&feed], 1460).iter().all(|s| *s == 0));
        assert!(heard(&[&feed], 1480).iter().all(|s| *s > 3500));
    }

    #[test]
    fn a_reader_keeps_its_pace_when_the_tick_is_uneven_and_jumps_after_a_stall() {
        let mut mix = Mix::of(vec![1]);
        let first = mix.advance(ms(1000));
        assert_eq!(mix.advance(ms(1021)), first + 160);
        assert_eq!(mix.advance(ms(1039)), first + 320);
        assert_eq!(mix.advance(ms(2000)), first + 8000);
    }
}
