//! Tones of networks and machines by frequency and cadence: ringing, busy, congestion (ITU-T E.180 and its supplement 2,
//! ANSI T1.401), special information tones (E.180 §6, Telcordia SR-2275), fax (T.30) and modems (V.25), the beep of an
//! answering machine. Told once each. Knows nothing of speech but how long it lasted.
use super::spectrum::{Pitch, Slice};
use model::media::Information;

/// Slices without the tone that do not end it: 60 ms, for a lost packet and the turned phase of a fax (V.25 ANS).
const MISSES: u32 = 6;

/// A slice this much fainter than the loudest of a tone is its edge, dB.
const EDGE: f32 = 6.0;

/// Shortest tone that counts in a cadence: 120 ms. No network sends a shorter one; vowels that look like one are.
const SHORTEST: u32 = 12;

/// Tones remembered: British congestion repeats after two, the answer is sure after four.
const REMEMBERED: usize = 4;

/// Loud sound that is no tone, so long between two tones, parts them: 40 ms.
const FOREIGN: u32 = 4;

/// What tones mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Ringing,
    Busy,
    Congestion,
    Information(Information),
    Fax,
    Beep,
}

/// One tone while it lasts.
#[derive(Clone, Copy, Debug)]
struct Run {
    pitch: Pitch,
    began: u32,
    /// The last slice that had it.
    last: u32,
    /// Slices near its loudest.
    steady: u32,
    /// Lowest and highest frequency of those, Hz.
    span: (f32, f32),
    /// Slices that were two tones, less those that were one: at its edges one tone may look like two.
    two: i32,
}

/// A tone that ended.
#[derive(Clone, Copy, Debug)]
struct Burst {
    pitch: Pitch,
    began: u32,
    /// Slice after its last.
    ended: u32,
    steady: u32,
    span: (f32, f32),
}

/// Hears tones, slice by slice.
#[derive(Debug, Default)]
pub(super) struct Tones {
    slice: u32,
    run: Option<Run>,
    /// A tone of another frequency that began while `run` may still go on.
    next: Option<Run>,
    bursts: Vec<Burst>,
    foreign: u32,
    /// When a tone ended that was a beep if nothing follows.
    beeped: Option<u32>,
    told: Vec<Signal>,
}

impl Tones {
    /// Takes the next slice. `spoken`: slices of speech so far; `quiet`: slices since. Gives each signal once.
    pub fn hear(&mut self, slice: Slice, spoken: u32, quiet: u32) -> Option<Signal> {
        self.slice += 1;
        if let Some(ended) = self.follow(slice) {
            let alone = quiet >= (self.slice - ended.began) + PAUSE_BEFORE_BEEP;
            self.beeped = (spoken >= SPEECH_BEFORE_BEEP && alone && ended.is_beep()).then_some(self.slice);
        }
        // Who goes on talking did not beep.
        let beep = self.beeped.is_some_and(|at| self.slice - at == SURE_OF_BEEP && quiet > SURE_OF_BEEP);
        let beep = beep.then_some(Signal::Beep);
        let signal = self.lasting().or_else(|| self.paused(spoken)).or(beep)?;
        if self.told.contains(&signal) {
            return None;
        }
        self.told.push(signal);
        Some(signal)
    }

    /// Slices for which the present tone is steady; speech is so only for moments.
    pub fn steady(&self) -> u32 {
        self.run.as_ref().map_or(0, |run| run.steady)
    }

    /// Carries the present tone on, or ends it.
    fn follow(&mut self, slice: Slice) -> Option<Burst> {
        let now = self.slice;
        let Some(mut run) = self.run.take() else {
            self.run = slice.tone.map(|pitch| Run::new(pitch, now));
            self.note_foreign(u32::from(slice.tone.is_none()), slice.db);
            return None;
        };
        match slice.tone.filter(|p| p.like(&run.pitch) && p.db > run.pitch.db - EDGE) {
            Some(pitch) => {
                self.next = None;
                run.carry(pitch, now);
            }
            None => self.next = self.other(slice.tone.filter(|p| !p.like(&run.pitch))),
        }
        if now - run.last <= MISSES && self.next.is_none_or(|n| n.last - n.began < 2) {
            self.run = Some(run);
            return None;
        }
        self.run = self.next.take();
        Some(self.keep(&run))
    }

    /// A tone of another frequency: the one that followed before, or a new one.
    fn other(&mut self, pitch: Option<Pitch>) -> Option<Run> {
        let pitch = pitch?;
        let now = self.slice;
        let follows = self.next.take().filter(|n| n.pitch.like(&pitch));
        Some(follows.map_or_else(
            || Run::new(pitch, now),
            |mut next| {
                next.carry(pitch, now);
                next
            },
        ))
    }

    /// Speech between tones: what came before it belongs to no cadence.
    fn note_foreign(&mut self, slices: u32, db: f32) {
        if self.bursts.last().is_some_and(|b| db > b.pitch.db - LOUD_BESIDE) {
            self.foreign += slices;
        }
        if self.foreign > FOREIGN {
            self.bursts.clear();
            self.foreign = 0;
        }
    }

    fn keep(&mut self, run: &Run) -> Burst {
        let burst = Burst {
            pitch: run.pitch,
            began: run.began,
            ended: run.last + 1,
            steady: run.steady,
            span: run.span,
        };
        if burst.length() < SHORTEST || !burst.is_even() {
            self.note_foreign(burst.length(), burst.pitch.db);
            return burst;
        }
        self.foreign = 0;
        if self.bursts.len() == REMEMBERED {
            self.bursts.remove(0);
        }
        self.bursts.push(burst);
        burst
    }

    /// What is known while a tone sounds: fax, information, and the cadences at the beginning of their next tone.
    fn lasting(&self) -> Option<Signal> {
        let run = self.run.as_ref()?;
        let length = run.last + 1 - run.began;
        if length >= FAX_ANSWER && FAX_ANSWERS.iter().any(|&hz| run.pitch.is(hz, 15.0)) {
            return Some(Signal::Fax);
        }
        match length {
            ONSET => self.cadence(run),
            SEGMENT_KNOWN => self.information(run),
            _ => None,
        }
    }

    /// What is known while nothing sounds: ringing, and a fax that calls.
    fn paused(&self, spoken: u32) -> Option<Signal> {
        let last = self.bursts.last()?;
        let pause = (self.slice + 1).saturating_sub(last.ended);
        if self.run.is_some() || self.foreign > 0 {
            return None;
        }
        let calls = last.pitch.is(FAX_CALLS, 40.0) && FAX_CALL.contains(&last.length());
        if calls && pause >= FAX_PAUSE && spoken < SPEECH_BEFORE_BEEP {
            return Some(Signal::Fax);
        }
        let rings = RINGING.contains(&last.pitch.hz) && RING.contains(&last.length());
        (rings && pause >= RING_PAUSE).then_some(Signal::Ringing)
    }

    /// Busy and congestion: like tones and pauses, again and again.
    fn cadence(&self, run: &Run) -> Option<Signal> {
        let mut like: Vec<Burst> =
            self.bursts.iter().rev().take_while(|b| b.pitch.like(&run.pitch)).copied().collect();
        like.reverse();
        let next = like.iter().skip(1).map(|b| b.began).chain([run.began]);
        let pauses: Vec<u32> = like.iter().zip(next).map(|(b, next)| next.saturating_sub(b.ended)).collect();
        let tones: Vec<u32> = like.iter().map(Burst::length).collect();
        match (tones.as_slice(), pauses.as_slice()) {
            ([.., a, b], [.., x, y]) if near(*a, *b) && near(*x, *y) => beat(*a, *x),
            ([.., a, b, c], [.., x, y, z]) if near(*a, *c) && near(*x, *z) && near(a + x, b + y) => {
                [a, b, x, y].iter().all(|n| CADENCE.contains(*n)).then_some(Signal::Congestion)
            }
            (_, _) => None,
        }
    }

    /// The three rising tones; frequency and length of the first two say which (Telcordia), those of E.180 nothing more.
    fn information(&self, run: &Run) -> Option<Signal> {
        let [.., first, second] = self.bursts.as_slice() else { return None };
        let follows = run.began.saturating_sub(second.ended) <= SEGMENT_GAP
            && second.began.saturating_sub(first.ended) <= SEGMENT_GAP;
        let rises =
            first.pitch.is(950.0, 60.0) && second.pitch.is(1400.0, 60.0) && run.pitch.is(1790.0, 60.0);
        let lengths = SEGMENT.contains(&first.length()) && SEGMENT.contains(&second.length());
        (follows && rises && lengths).then(|| Signal::Information(kind(first, second)))
    }
}

/// Speech before a beep or instead of a calling fax: 0.5 s.
const SPEECH_BEFORE_BEEP: u32 = 50;

/// Pause before a beep, and quiet after it by which it is sure: 100 ms, and 60 ms beside those that end every tone.
const PAUSE_BEFORE_BEEP: u32 = 10;
const SURE_OF_BEEP: u32 = 6;

/// A beep stays within so many Hz; vowels that look like one wander.
const BEEP_WANDERS: f32 = 9.0;

/// Loud beside a tone: at most this much fainter, dB (noise 10 dB below the tone is not).
const LOUD_BESIDE: f32 = 7.0;

/// Slices after which a tone has begun.
const ONSET: u32 = 3;

/// Tones and pauses of busy and congestion: 150 to 800 ms (E.180 supplement 2 has none outside).
const CADENCE: std::ops::RangeInclusive<u32> = 15..=80;

/// A tone of ringing: 0.35 to 2.2 s, of 330 to 520 Hz.
const RING: std::ops::RangeInclusive<u32> = 35..=220;
const RINGING: std::ops::RangeInclusive<f32> = 330.0..=520.0;

/// The pause after it, when it is no longer busy: 1.2 s.
const RING_PAUSE: u32 = 120;

/// A segment of information: 330 ± 70 ms (E.180), 274 or 380 ms (Telcordia), ± 20 ms of ours.
const SEGMENT: std::ops::RangeInclusive<u32> = 23..=43;

/// Nothing between two of them: at most 30 ms, and what our window adds.
const SEGMENT_GAP: u32 = 7;

/// The third is sure after 200 ms.
const SEGMENT_KNOWN: u32 = 20;

/// Fax that answers (CED, V.25 ANS) and modem (Bell 103), Hz: sure after 0.8 s of 2.6 s, longer than most beeps.
const FAX_ANSWERS: [f32; 2] = [2100.0, 2225.0];
const FAX_ANSWER: u32 = 80;

/// Fax that calls (T.30 CNG): 1 100 ± 38 Hz, 0.5 s ± 15 %, then 3 s of nothing, of which 0.4 s are waited for.
const FAX_CALLS: f32 = 1100.0;
const FAX_CALL: std::ops::RangeInclusive<u32> = 42..=59;
const FAX_PAUSE: u32 = 40;

/// A beep lasts 0.1 to 1.5 s, is one tone of 350 to 2 500 Hz, and nearly all of it is as loud as its loudest.
const BEEP: std::ops::RangeInclusive<u32> = 9..=150;
const BEEP_HZ: std::ops::RangeInclusive<f32> = 350.0..=2500.0;

impl Run {
    fn new(pitch: Pitch, now: u32) -> Run {
        Run {
            pitch,
            began: now,
            last: now,
            steady: 0,
            span: (f32::INFINITY, 0.0),
            two: if pitch.second.is_some() { 1 } else { -1 },
        }
    }

    fn carry(&mut self, pitch: Pitch, now: u32) {
        if pitch.db > self.pitch.db + EDGE {
            *self = Run::new(pitch, now);
            return;
        }
        self.last = now;
        self.two += if pitch.second.is_some() { 1 } else { -1 };
        let loudest = self.pitch.db.max(pitch.db);
        if pitch.second.is_some() == (self.two > 0) {
            self.pitch = pitch;
        }
        self.pitch.db = loudest;
        // The first two are its edge.
        if pitch.db > self.pitch.db - 2.5 && now - self.began >= 2 {
            self.steady += 1;
            self.span = (self.span.0.min(pitch.hz), self.span.1.max(pitch.hz));
        }
    }
}

impl Burst {
    fn length(&self) -> u32 {
        self.ended - self.began
    }

    /// Nearly all of it as loud as its loudest, but for its edges.
    fn is_even(&self) -> bool {
        self.steady * 10 + 20 >= self.length() * 7
    }

    fn is_beep(&self) -> bool {
        self.is_even()
            && self.span.1 - self.span.0 <= BEEP_WANDERS
            && BEEP.contains(&self.length())
            && BEEP_HZ.contains(&self.pitch.hz)
            && self.pitch.second.is_none()
    }
}

impl Pitch {
    /// Whether this is one tone of about this frequency.
    fn is(&self, hz: f32, off: f32) -> bool {
        self.second.is_none() && (self.hz - hz).abs() <= off
    }

    /// Whether both are the same tone. Two near frequencies (440 and 480 Hz) are seen as one between them that wanders,
    /// and of two as strong as each other either may be the first.
    fn like(&self, other: &Pitch) -> bool {
        let all = |p: &Pitch| [Some(p.hz), p.second];
        let near = |a: f32, b: f32| (a - b).abs() <= if a < 540.0 { 35.0 } else { 25.0 };
        all(self).into_iter().flatten().any(|a| all(other).into_iter().flatten().any(|b| near(a, b)))
    }
}

/// Equal within 40 ms or a tenth.
fn near(a: u32, b: u32) -> bool {
    a.abs_diff(b) <= 4.max(a.max(b) / 10)
}

/// Tone and pause of about the same length: the faster beat is congestion, the slower busy; 0.7 s each is congestion again
/// (China, GB/T 4110).
fn beat(tone: u32, pause: u32) -> Option<Signal> {
    let even = tone.abs_diff(pause) <= 6.max(tone.max(pause) / 3);
    if !even || !CADENCE.contains(&tone) || !CADENCE.contains(&pause) {
        return None;
    }
    Some(if BUSY_BEAT.contains(&(tone + pause)) { Signal::Busy } else { Signal::Congestion })
}

/// From the beginning of one busy tone to that of the next: 0.6 to 1.2 s.
const BUSY_BEAT: std::ops::RangeInclusive<u32> = 58..=120;

/// Which of Telcordia's: short is 274 ms, long 380 ms; low is 913.8 and 1 370.6 Hz, high 985.2 and 1 428.5 Hz. The tones of
/// E.180 (950 and 1 400 Hz) lie between.
fn kind(first: &Burst, second: &Burst) -> Information {
    let general = first.pitch.is(950.0, 18.0) && second.pitch.is(1400.0, 14.0);
    let long = |b: &Burst| b.length() >= 33;
    match (general, long(first), long(second)) {
        (true, _, _) => Information::Any,
        (false, false, false) => Information::Intercept,
        (false, true, false) => Information::VacantCode,
        (false, false, true) => Information::Reorder,
        (false, true, true) => Information::NoCircuit,
    }
}
