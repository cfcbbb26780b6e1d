//! When somebody speaks, and the few numbers of it by which persons and machines differ. Levels are of 50 ms; what is loud
//! follows the quiet and the loud of this call. Decides nothing.
use super::spectrum::Slice;

/// Slices smoothed: 50 ms, about half a syllable.
const SMOOTH: usize = 5;

/// Slices before which 50 ms are not full, and look quieter than they are.
const HEARD_FULLY: u32 = 5;

/// Slices of a block of which the quietest levels are remembered, and how many blocks: 1.5 s.
const BLOCK: u32 = 10;
const BLOCKS: usize = 15;

/// The quiet is never taken to be louder than this before 1.5 s are heard: a call may begin with speech. dBFS.
const QUIET_AT_MOST: f32 = -32.0;

/// Loud is so far above the quiet, not so far below the loudest, and never below that, dB.
const ABOVE_QUIET: f32 = 7.0;
const BELOW_LOUDEST: f32 = 14.0;
const NEVER_BELOW: f32 = -50.0;

/// The loudest is forgotten at 1 dB a second.
const FORGET: f32 = 0.01;

/// Who talks comes within so many dB of the loudest each half second; what stays below longer are others in the room.
const STRONG: f32 = 6.0;
const STRONG_EACH: u32 = 50;

/// Quiet slices within a word: 80 ms, the longest stop within one.
const BRIDGE: u32 = 8;

/// Loud slices of one word before which it is a click: 60 ms.
const WORD: u32 = 6;

/// A syllable rises so far above the dip before it, dB.
const SYLLABLE: f32 = 3.0;

/// About the level of speech, dBFS: sums of squares stay small beside it.
const LEVEL: f32 = -22.0;

/// What was said so far. Times in slices of 10 ms.
#[derive(Debug)]
pub(super) struct Talk {
    now: u32,
    recent: [f32; SMOOTH],
    blocks: [f32; BLOCKS],
    block: f32,
    loudest: f32,
    /// The last slice near the loudest.
    strong: u32,
    word: Option<Word>,
    first: Option<u32>,
    last: u32,
    speech: u32,
    words: u32,
    longest_word: u32,
    longest_pause: u32,
    syllables: u32,
    rising: bool,
    turn: f32,
    /// Loud slices, the sum of their levels and of the squares.
    louds: u32,
    sum: f32,
    squares: f32,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    began: u32,
    last: u32,
    loud: u32,
}

/// A moment of a call that was answered: what is known of the greeting. Seconds, unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// From the answer to the first word.
    pub before: f32,
    /// From the first word to the end of the last.
    pub span: f32,
    /// Speech in it.
    pub speech: f32,
    /// Since the last word.
    pub quiet: f32,
    /// Words: stretches without a pause of 80 ms.
    pub words: f32,
    /// The longest of them.
    pub longest_word: f32,
    /// The longest pause within.
    pub longest_pause: f32,
    /// Syllables.
    pub syllables: f32,
    /// How much the level moves, dB (standard deviation).
    pub spread: f32,
    /// The loudest above the quiet, dB.
    pub contrast: f32,
}

impl Default for Talk {
    fn default() -> Talk {
        Talk {
            now: 0,
            recent: [0.0; SMOOTH],
            blocks: [f32::INFINITY; BLOCKS],
            block: f32::INFINITY,
            loudest: -100.0,
            strong: 0,
            word: None,
            first: None,
            last: 0,
            speech: 0,
            words: 0,
            longest_word: 0,
            longest_pause: 0,
            syllables: 0,
            rising: false,
            turn: -100.0,
            louds: 0,
            sum: 0.0,
            squares: 0.0,
        }
    }
}

impl Talk {
    /// Takes the next slice; `tone`: it belongs to a steady tone.
    pub fn hear(&mut self, slice: Slice, tone: bool) {
        self.now += 1;
        self.recent.rotate_left(1);
        self.recent[SMOOTH - 1] = 10f32.powf(slice.db / 10.0);
        let db = 10.0 * (self.recent.iter().sum::<f32>() / 5.0).max(1e-10).log10();
        self.note_quiet(db);
        self.loudest = if tone { self.loudest } else { (self.loudest - FORGET).max(db) };
        if db > self.loudest - STRONG && !tone {
            self.strong = self.now;
        }
        if db > self.threshold() && !tone {
            self.loud(db);
        } else if self.word.is_some_and(|w| self.now - w.last > BRIDGE) {
            self.end_word();
        }
    }

    /// Slices of speech so far.
    pub fn speech(&self) -> u32 {
        self.speech + self.present().map_or(0, |w| w.last + 1 - w.began)
    }

    /// Slices since the last word.
    pub fn quiet(&self) -> u32 {
        self.now - self.last_word()
    }

    /// The last slice of somebody near.
    fn last_word(&self) -> u32 {
        let loud = self.present().map_or(self.last, |w| w.last);
        loud.min(self.strong + STRONG_EACH)
    }

    /// Slices since the answer.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// What is known now; `None` before the first word.
    pub fn moment(&self) -> Option<Moment> {
        let present = self.present();
        let first = self.first.or(present.map(|w| w.began))?;
        let last = self.last_word().max(first);
        let pause =
            present.filter(|_| self.first.is_some()).map_or(0, |w| w.began.saturating_sub(self.last + 1));
        let count = float(self.louds.max(1));
        let mean = self.sum / count;
        Some(Moment {
            before: seconds(first),
            span: seconds(last + 1 - first),
            speech: seconds(self.speech()),
            quiet: seconds(self.now - last),
            words: float(self.words + u32::from(present.is_some())),
            longest_word: seconds(self.longest_word.max(present.map_or(0, |w| w.last + 1 - w.began))),
            longest_pause: seconds(self.longest_pause.max(pause)),
            syllables: float(self.syllables),
            spread: (self.squares / count - mean * mean).max(0.0).sqrt(),
            contrast: self.loudest - self.quiet_level(),
        })
    }

    /// The word being said, once it is no click.
    fn present(&self) -> Option<Word> {
        self.word.filter(|w| w.loud >= WORD)
    }

    fn note_quiet(&mut self, db: f32) {
        if self.now >= HEARD_FULLY {
            self.block = self.block.min(db);
        }
        if self.now.is_multiple_of(BLOCK) {
            self.blocks.rotate_left(1);
            self.blocks[BLOCKS - 1] = self.block;
            self.block = f32::INFINITY;
        }
    }

    /// The quiet level of the last 1.5 s.
    fn quiet_level(&self) -> f32 {
        let least = self.blocks.iter().copied().fold(self.block, f32::min).max(-80.0);
        if self.blocks[0].is_infinite() { least.min(QUIET_AT_MOST) } else { least }
    }

    fn threshold(&self) -> f32 {
        (self.quiet_level() + ABOVE_QUIET).max(self.loudest - BELOW_LOUDEST).max(NEVER_BELOW)
    }

    fn loud(&mut self, db: f32) {
        let now = self.now;
        let word = self.word.get_or_insert(Word { began: now, last: now, loud: 0 });
        word.last = now;
        word.loud += 1;
        let level = db - LEVEL;
        self.louds += 1;
        self.sum += level;
        self.squares += level * level;
        if self.present().is_some() {
            self.count_syllable(db);
        }
    }

    /// A rise of 3 dB after a fall of 3 dB.
    fn count_syllable(&mut self, db: f32) {
        if self.rising {
            self.turn = self.turn.max(db);
            if db < self.turn - SYLLABLE {
                self.rising = false;
                self.turn = db;
            }
        } else {
            self.turn = self.turn.min(db);
            if db > self.turn + SYLLABLE {
                self.rising = true;
                self.turn = db;
                self.syllables += 1;
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take().filter(|w| w.loud >= WORD) else { return };
        let length = word.last + 1 - word.began;
        if self.first.is_some() {
            self.longest_pause = self.longest_pause.max(word.began.saturating_sub(self.last + 1));
        }
        self.first.get_or_insert(word.began);
        self.last = word.last;
        self.speech += length;
        self.words += 1;
        self.longest_word = self.longest_word.max(length);
        (self.rising, self.turn) = (false, -100.0);
    }
}

fn float(count: u32) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

fn seconds(slices: u32) -> f32 {
    float(slices) / 100.0
}
