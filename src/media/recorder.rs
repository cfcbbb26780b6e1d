//! Records what one or two peers say into WAV bytes. Each channel is laid on one timeline that starts with the
//! recording: a packet goes where its RTP time says, as long as that agrees with its arrival; otherwise (hold, new
//! stream, drifting clock) it goes where it arrived. Order within the window does not matter; what never comes is
//! silence. Decides when a recording ends by length or silence; never touches files.
use crate::codec::SILENCE;
use crate::out::{FileId, FileOp};
use crate::wav;
use model::clock::Mono;
use model::id::RecordingId;
use model::media::RecordEnd;
use std::time::Duration;

/// Samples behind the clock at which sound is final: packets may be late by this much (300 ms).
const WINDOW: u64 = 2400;

/// Samples a packet may lie ahead of its arrival by its RTP time before it is put where it arrived (200 ms).
const AHEAD: u64 = 1600;

/// Samples kept per channel: the window, what may lie ahead, and one longest packet.
const KEPT: usize = 6400;

/// Samples collected before they are handed to the writer: a quarter of a second, so that with a sync each second a
/// killed box loses less than two.
const BATCH: u64 = 2000;

/// Octets of one `Append`; only after a stall there is more than a batch.
const MAX_APPEND: usize = 32 * 1024;

/// Mean absolute level below which a packet is silence: −50 dBm0 and less.
const QUIET: u32 = 100;

/// One running recording.
#[derive(Debug)]
pub struct Recorder {
    /// Control's name of it.
    pub id: RecordingId,
    /// The file it goes to.
    pub file: FileId,
    /// A digit of the first channel's peer ends it.
    pub until_digit: bool,
    /// Its words come from an earlier control process: nobody is told.
    pub orphan: bool,
    start: Mono,
    channels: Vec<Channel>,
    /// Samples per channel that are final.
    written: u64,
    batch: Vec<u8>,
    paused: bool,
    max: u64,
    silence: Duration,
    heard: Mono,
}

#[derive(Debug)]
struct Channel {
    /// Samples from `written` on; position modulo its length.
    ring: Vec<u8>,
    /// RTP time and the place on the timeline it belongs to.
    anchor: Option<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    stream: u32,
    timestamp: u32,
    place: u64,
}

/// How a recording shall be made; see `MediaCommand::Record`.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Control's name of it.
    pub id: RecordingId,
    /// The file it goes to.
    pub file: FileId,
    /// 1 or 2.
    pub channels: u8,
    /// Ends by itself after this.
    pub max: Duration,
    /// Ends by itself after this much silence of the first channel; zero: never.
    pub silence: Duration,
    /// A digit of the first channel's peer ends it.
    pub until_digit: bool,
}

impl Recorder {
    /// Begins now; the file is to be created with the returned operation.
    #[must_use]
    pub fn new(now: Mono, terms: &Terms, path: String) -> (Recorder, FileOp) {
        let channels = terms.channels.clamp(1, 2);
        let recorder = Recorder {
            id: terms.id,
            file: terms.file,
            until_digit: terms.until_digit,
            orphan: false,
            start: now,
            channels: (0..channels).map(|_| Channel { ring: vec![SILENCE; KEPT], anchor: None }).collect(),
            written: 0,
            batch: Vec::new(),
            paused: false,
            max: samples(terms.max),
            silence: terms.silence,
            heard: now,
        };
        let header = wav::header(channels, 0);
        (recorder, FileOp::Create { file: terms.file, recording: terms.id, path, channels, header })
    }

    /// Takes sound (µ-law) of a channel. `stream` changes when `timestamp` starts anew. `loudness` is its mean
    /// absolute level.
    pub fn sound(
        &mut self,
        now: Mono,
        channel: u8,
        stream: u32,
        timestamp: u32,
        loudness: u32,
        sound: impl Iterator<Item = u8>,
    ) {
        if channel == 0 && loudness > QUIET {
            self.heard = now;
        }
        let clock = self.clock(now);
        let (written, paused) = (self.written, self.paused);
        let Some(channel) = self.channels.get_mut(usize::from(channel)) else { return };
        let place = channel.place(clock, stream, timestamp);
        if paused {
            return;
        }
        let length = u64::try_from(KEPT).unwrap_or(0);
        for (position, sample) in (place..).zip(sound) {
            if position < written || position >= written + length {
                continue;
            }
            let slot = usize::try_from(position % length).unwrap_or(0);
            if let Some(kept) = channel.ring.get_mut(slot) {
                *kept = sample;
            }
        }
    }

    /// Lets time pass: hands over what is final; says why the recording must end, if it must.
    pub fn tick(&mut self, now: Mono, ops: &mut Vec<FileOp>) -> Option<RecordEnd> {
        let clock = self.clock(now);
        self.settle(clock.saturating_sub(WINDOW).min(self.max));
        if self.pending() >= BATCH {
            self.hand_over(ops);
        }
        if clock >= self.max {
            Some(RecordEnd::Length)
        } else if !self.silence.is_zero() && now - self.heard >= self.silence {
            Some(RecordEnd::Silence)
        } else {
            None
        }
    }

    /// Silences the recording from here on, or goes on. Sound from before that is still on its way is kept.
    pub fn pause(&mut self, now: Mono, paused: bool) {
        self.paused = paused;
        // The silence rule starts over: nobody was listened to.
        self.heard = now;
    }

    /// Ends it now: hands over the last operations, gives the length in milliseconds.
    pub fn finish(&mut self, now: Mono, ops: &mut Vec<FileOp>) -> u32 {
        // An even number of samples: a RIFF chunk has an even length.
        self.settle(self.clock(now).min(self.max).next_multiple_of(2));
        self.hand_over(ops);
        let channels = u8::try_from(self.channels.len()).unwrap_or(1);
        let header = wav::header(channels, self.written * u64::from(channels));
        ops.push(FileOp::Finish { file: self.file, header });
        self.length_ms()
    }

    /// Milliseconds of final sound.
    #[must_use]
    pub fn length_ms(&self) -> u32 {
        u32::try_from(self.written / 8).unwrap_or(u32::MAX)
    }

    fn clock(&self, now: Mono) -> u64 {
        samples(now - self.start)
    }

    fn pending(&self) -> u64 {
        u64::try_from(self.batch.len() / self.channels.len().max(1)).unwrap_or(0)
    }

    fn hand_over(&mut self, ops: &mut Vec<FileOp>) {
        let batch = std::mem::take(&mut self.batch);
        ops.extend(batch.chunks(MAX_APPEND).map(|b| FileOp::Append { file: self.file, bytes: b.to_vec() }));
    }

    /// Makes everything before `until` final. After a stall of the thread the ring may be lapped: what lies beyond
    /// it is silence.
    fn settle(&mut self, until: u64) {
        let length = u64::try_from(KEPT).unwrap_or(1);
        while self.written < until {
            let slot = usize::try_from(self.written % length).unwrap_or(0);
            for channel in &mut self.channels {
                if let Some(sample) = channel.ring.get_mut(slot) {
                    self.batch.push(std::mem::replace(sample, SILENCE));
                }
            }
            self.written += 1;
        }
    }
}

impl Channel {
    /// Where a packet belongs on the timeline.
    fn place(&mut self, clock: u64, stream: u32, timestamp: u32) -> u64 {
        if let Some(anchor) = self.anchor
            && anchor.stream == stream
        {
            let moved = i64::from(i32::from_be_bytes(timestamp.wrapping_sub(anchor.timestamp).to_be_bytes()));
            let place = anchor.place.saturating_add_signed(moved);
            if place + WINDOW > clock && place < clock + AHEAD {
                return place;
            }
        }
        self.anchor = Some(Anchor { stream, timestamp, place: clock });
        clock
    }
}

fn samples(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / 125).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Mono {
        Mono(n * 1000)
    }

    fn terms(channels: u8) -> Terms {
        Terms {
            id: RecordingId(1),
            file: FileId(1),
            channels,
            max: Duration::from_secs(60),
            silence: Duration::ZERO,
            until_digit: false,
        }
    }

    /// The bytes a writer would have after the operations, without header.
    fn bytes(ops: &[FileOp]) -> Vec<u8> {
        ops.iter()
            .flat_map(|op| match op {
                FileOp::Append { bytes, .. } => bytes.clone(),
                FileOp::Create { .. } | FileOp::Finish { .. } => Vec::new(),
            })
            .collect()
    }

    fn run(channels: u8, until: u64, packets: &[(u64, u8, u32, u8)]) -> Vec<u8> {
        let (mut r, _) = Recorder::new(ms(0), &terms(channels), "x.wav".into());
        let mut ops = Vec::new();
        let mut next = packets.iter().peekable();
        for t in 0..=until {
            while let Some((_, channel, timestamp, value)) = next.next_if(|p| p.0 == t) {
                r.sound(ms(t), *channel, 7, *timestamp, 500, [*value; 160].into_iter());
            }
            r.tick(ms(t), &mut ops);
        }
        let length = r.finish(ms(until), &mut ops);
        assert_eq!(u64::from(length), until);
        bytes(&ops)
    }

    #[test]
    fn jitter_and_reordering_leave_no_trace() {
        let even: Vec<_> = (0..50u8).map(|n| (u64::from(n) * 20, 0, u32::from(n) * 160, n)).collect();
        let mut uneven: Vec<_> = even
            .iter()
            .map(|&(t, c, ts, v)| (t + if v == 0 { 0 } else { u64::from(v) * 37 % 60 }, c, ts, v))
            .collect();
        uneven.sort();
        let (one, two) = (run(1, 1500, &even), run(1, 1500, &uneven));
        assert_eq!(one.len(), 1500 * 8);
        assert_eq!(one, two);
        assert!(one[..8000].chunks(160).zip(0..50u8).all(|(frame, n)| frame == [n; 160]));
    }

    #[test]
    fn what_is_lost_is_silence_of_the_same_length() {
        let with_gap: Vec<_> =
            (0..50u8).filter(|n| *n != 10).map(|n| (u64::from(n) * 20, 0, u32::from(n) * 160, n)).collect();
        let sound = run(1, 1000, &with_gap);
        assert_eq!(sound[1600..1760], [SILENCE; 160]);
        assert_eq!(sound[1760..1920], [11; 160]);
    }

    #[test]
    fn a_hold_is_silence_and_the_sound_after_it_is_where_it_arrived() {
        // The phone's RTP clock stood still during two seconds of hold.
        let mut packets: Vec<_> = (0..10u8).map(|n| (u64::from(n) * 20, 0, u32::from(n) * 160, n)).collect();
        packets.extend((10..20u8).map(|n| (2000 + u64::from(n) * 20, 0, u32::from(n) * 160, n)));
        let sound = run(1, 3000, &packets);
        assert_eq!(sound[1600..17_600], [SILENCE; 16_000]);
        assert_eq!(sound[17_600..17_760], [10; 160]);
    }

    #[test]
    fn two_channels_are_interleaved_and_aligned() {
        let packets = [(100, 0, 9000, 1), (100, 1, 77, 2)];
        let sound = run(2, 600, &packets);
        assert_eq!(sound.len(), 600 * 16);
        assert_eq!(sound[1600..1604], [1, 2, 1, 2]);
        assert_eq!(sound[1598..1600], [SILENCE; 2]);
    }

    #[test]
    fn while_paused_nothing_said_is_kept_and_time_goes_on() {
        let (mut r, _) = Recorder::new(ms(0), &terms(1), "x.wav".into());
        r.sound(ms(0), 0, 7, 0, 500, [1; 160].into_iter());
        r.pause(ms(20), true);
        r.sound(ms(20), 0, 7, 160, 500, [2; 160].into_iter());
        r.pause(ms(40), false);
        r.sound(ms(40), 0, 7, 320, 500, [3; 160].into_iter());
        let mut ops = Vec::new();
        let length = r.finish(ms(60), &mut ops);
        let sound = bytes(&ops);
        assert_eq!(length, 60);
        assert_eq!(sound, [[1; 160], [SILENCE; 160], [3; 160]].concat());
    }

    #[test]
    fn silence_and_length_end_it() {
        let mut t = terms(1);
        t.silence = Duration::from_secs(3);
        t.max = Duration::from_secs(5);
        let (mut r, _) = Recorder::new(ms(0), &t, "x.wav".into());
        let mut ops = Vec::new();
        r.sound(ms(1000), 0, 7, 0, QUIET + 1, [1; 160].into_iter());
        r.sound(ms(2000), 0, 7, 8000, QUIET, [1; 160].into_iter());
        assert_eq!(r.tick(ms(3999), &mut ops), None);
        assert_eq!(r.tick(ms(4000), &mut ops), Some(RecordEnd::Silence));
        assert_eq!(r.tick(ms(5000), &mut ops), Some(RecordEnd::Length));
        assert_eq!(r.finish(ms(5100), &mut ops), 5000, "never longer than asked");
    }

    #[test]
    fn a_thread_that_stalled_leaves_silence_not_old_sound() {
        let (mut r, _) = Recorder::new(ms(0), &terms(1), "x.wav".into());
        r.sound(ms(0), 0, 7, 0, 500, [1; 160].into_iter());
        let mut ops = Vec::new();
        r.finish(ms(10_000), &mut ops);
        assert!(ops.iter().all(|op| !matches!(op, FileOp::Append { bytes, .. } if bytes.len() > MAX_APPEND)));
        let sound = bytes(&ops);
        assert_eq!(sound.len(), 80_000);
        assert_eq!(sound[160..], [SILENCE; 79_840]);
    }

    #[test]
    fn the_header_at_the_end_has_the_true_size() {
        let (mut r, create) = Recorder::new(ms(0), &terms(2), "a/b.wav".into());
        assert!(matches!(create, FileOp::Create { path, channels: 2, .. } if path == "a/b.wav"));
        let mut ops = Vec::new();
        r.finish(ms(500), &mut ops);
        let Some(FileOp::Finish { header, .. }) = ops.last() else { panic!("no finish") };
        assert_eq!(*header, wav::header(2, 8000));
    }
}
