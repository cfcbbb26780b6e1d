//! Who or what is at the far end of a dialled call: what the network sends before the answer (ringing, busy, congestion,
//! information tones, fax), then person or machine, then the machine's beep. Called with every packet of one session; tells
//! each thing once. Says what it hears and why; what follows from it is the engine's business. Never keeps anybody waiting:
//! the longest times stand in [`Listening`].
use crate::codec;
use crate::limits::FRAME;
use model::media::{Codec, Doubt, Evidence, Finding, Listening};
use spectrum::{Slice, Spectrum};
pub use talk::Moment;
use talk::Talk;
use tones::{Signal, Tones};

mod spectrum;
mod talk;
mod tones;
mod verdict;
mod weights;

/// Lost frames covered by the one before: 60 ms. What is missing longer is silence.
const COVERED: usize = 3;

/// Slices of speech after information tones that make an announcement: 0.5 s.
const ANNOUNCED: u32 = 50;

/// Slices of speech after which no network sends tones any more: 0.5 s.
const SPOKEN: u32 = 50;

/// Slices after which a steady tone is no speech: 40 ms.
const TONE: u32 = 2;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The answer; what the network sends is told. `informed`: slices of speech when the information tones came.
    Early { informed: Option<u32> },
    /// A verdict on the greeting.
    Greeting,
    /// The end of the machine's greeting.
    Machine,
    /// Nothing more.
    Done,
}

/// The detector of one session.
#[derive(Debug)]
pub struct Progress {
    listening: Listening,
    stage: Stage,
    spectrum: Spectrum,
    tones: Tones,
    talk: Talk,
    last: [f32; FRAME],
    lost: usize,
    /// Samples heard or missed.
    samples: u64,
}

impl Progress {
    /// Begins to listen.
    #[must_use]
    pub fn new(listening: Listening) -> Progress {
        Progress {
            listening,
            stage: if listening.answered { Stage::Greeting } else { Stage::Early { informed: None } },
            spectrum: Spectrum::default(),
            tones: Tones::default(),
            talk: Talk::default(),
            last: [0.0; FRAME],
            lost: 0,
            samples: 0,
        }
    }

    /// Takes a packet's sound; gives what is known by it, in its order.
    pub fn hear(&mut self, law: Codec, sound: &[u8]) -> Vec<(Finding, Evidence)> {
        self.lost = 0;
        let start = FRAME.saturating_sub(sound.len());
        self.last = [0.0; FRAME];
        let linear = |code: &u8| f32::from(codec::to_linear(law, *code)) / 32_768.0;
        for (place, code) in self.last[start..].iter_mut().zip(&sound[sound.len().saturating_sub(FRAME)..]) {
            *place = linear(code);
        }
        self.take(sound.iter().map(linear))
    }

    /// 20 ms in which nothing came: a lost packet, or a peer that sends no silence.
    pub fn miss(&mut self) -> Vec<(Finding, Evidence)> {
        self.lost += 1;
        let covered = self.lost <= COVERED;
        let last = self.last;
        self.take(last.into_iter().map(|sample| if covered { sample } else { 0.0 }))
    }

    /// Milliseconds of the call that were heard or missed.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        self.samples / 8
    }

    /// Whether nothing more will be told.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// What is known of the greeting; `None` before its first word.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.talk.moment()
    }

    /// A moment as the numbers that tools/weigh finds weights for, and which of its two tables: talking or pausing.
    #[must_use]
    pub fn inputs(moment: &Moment) -> (bool, Vec<f32>) {
        (verdict::is_pause(moment), verdict::inputs(moment).to_vec())
    }

    fn take(&mut self, sound: impl Iterator<Item = f32>) -> Vec<(Finding, Evidence)> {
        let mut told = Vec::new();
        for sample in sound {
            self.samples += 1;
            if self.stage == Stage::Done {
                continue;
            }
            if let Some(slice) = self.spectrum.hear(sample)
                && let Some(heard) = self.slice(slice)
            {
                told.push((heard, self.evidence()));
            }
        }
        told
    }

    fn slice(&mut self, slice: Slice) -> Option<Finding> {
        let signal = self.tones.hear(slice, self.talk.speech(), self.talk.quiet());
        self.talk.hear(slice, self.tones.steady() >= TONE);
        match self.stage {
            Stage::Early { informed } => self.early(signal, informed),
            Stage::Greeting => self.greeting(signal),
            Stage::Machine => self.machine(signal),
            Stage::Done => None,
        }
    }

    fn early(&mut self, signal: Option<Signal>, informed: Option<u32>) -> Option<Finding> {
        if let Some(Signal::Information(_)) = signal {
            self.stage = Stage::Early { informed: Some(self.talk.speech()) };
        }
        if informed.is_some_and(|before| self.talk.speech() >= before + ANNOUNCED) {
            self.stage = Stage::Early { informed: None };
            return Some(Finding::Announcement);
        }
        signal.filter(|s| *s != Signal::Beep).map(heard)
    }

    fn greeting(&mut self, signal: Option<Signal>) -> Option<Finding> {
        let spoken = self.talk.speech() >= SPOKEN;
        match signal {
            Some(Signal::Ringing) if !spoken => return Some(Finding::Ringing),
            // Who has talked is no network; vowels in time are no tones.
            Some(Signal::Ringing | Signal::Busy | Signal::Congestion | Signal::Information(_)) if spoken => {}
            Some(signal) => {
                self.stage = Stage::Done;
                return Some(heard(signal));
            }
            None => {}
        }
        let verdict = verdict::verdict(self.talk.moment().as_ref(), self.now(), &self.listening)?;
        // Who sends a tone is no person who waits; a fax is known by it within the second.
        let patience = 2.0 * f32::from(self.listening.silence_ms) / 1000.0;
        if verdict == Finding::Unsure(Doubt::Silence) && self.tones.steady() >= TONE && self.now() < patience
        {
            return None;
        }
        self.stage = if verdict == Finding::Machine { Stage::Machine } else { Stage::Done };
        Some(verdict)
    }

    fn machine(&mut self, signal: Option<Signal>) -> Option<Finding> {
        let quiet = self.talk.moment().is_some_and(|m| m.quiet >= verdict::OVER);
        let late = self.now() >= f32::from(self.listening.beep_s);
        let heard = match signal {
            Some(Signal::Beep) => Finding::Beep,
            Some(Signal::Fax) => Finding::Fax,
            Some(Signal::Ringing | Signal::Busy | Signal::Congestion | Signal::Information(_)) | None => {
                (quiet || late).then_some(Finding::GreetingOver)?
            }
        };
        self.stage = Stage::Done;
        Some(heard)
    }

    /// Seconds since listening began.
    fn now(&self) -> f32 {
        f32::from(u16::try_from(self.talk.now()).unwrap_or(u16::MAX)) / 100.0
    }

    fn evidence(&self) -> Evidence {
        let moment = self.talk.moment().unwrap_or_default();
        Evidence {
            after_ms: u32::try_from(self.elapsed_ms()).unwrap_or(u32::MAX),
            greeting_ms: whole(moment.span * 1000.0),
            words: u16::try_from(whole(moment.words)).unwrap_or(u16::MAX),
            pause_ms: whole(moment.longest_pause * 1000.0),
            machine_permille: u16::try_from(whole(self.likeness() * 1000.0)).unwrap_or(1000),
        }
    }

    fn likeness(&self) -> f32 {
        self.talk.moment().map_or(0.0, |m| verdict::likeness(&m))
    }
}

fn heard(signal: Signal) -> Finding {
    match signal {
        Signal::Ringing => Finding::Ringing,
        Signal::Busy => Finding::Busy,
        Signal::Congestion => Finding::Congestion,
        Signal::Information(which) => Finding::Information(which),
        Signal::Fax => Finding::Fax,
        Signal::Beep => Finding::Beep,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held within the range of u32 beside it"
)]
fn whole(value: f32) -> u32 {
    value.clamp(0.0, 1e6).round() as u32
}

#[cfg(test)]
mod tests;
