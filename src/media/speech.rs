//! When a caller speaks, and which of it a recogniser gets: from a moment before the first syllable to a moment after the
//! last, in pieces as it is spoken. One utterance. Levels follow the quiet of this call. Decides nothing about calls.
use crate::codec;
use crate::limits::FRAME;
use crate::out::EarId;
use crate::tone;
use model::clock::Mono;
use model::media::Codec;

/// Samples of a millisecond.
const PER_MS: usize = 8;

/// Sound kept from before the speech is noticed: a soft first syllable, and the 100 ms it takes to notice, ms.
const BEFORE_MS: usize = 400;

/// Loud sound that is speech, ms: a click or a knock is shorter.
const BEGINS_MS: usize = 100;

/// Quiet that ends an utterance, ms: longer than people pause between words.
const ENDS_MS: usize = 700;

/// Longest utterance, ms: who says more does not choose from a menu.
const LONGEST_MS: usize = 8_000;

/// Length of a piece, ms: the first words are understood so much later at most, and 16 pieces a second cost little.
const PIECE_MS: usize = 60;

/// The quiet is the least level of so many blocks of 100 ms: 3 s. Longer than a caller speaks without any pause.
const BLOCKS: usize = 30;
const BLOCK_MS: usize = 100;

/// Speech is so many times as loud as the quiet: 9 dB.
const ABOVE_QUIET: u32 = 3;

/// Mean magnitude that is never speech, about -48 dBFS: the hiss of a line.
const NEVER_BELOW: u32 = 130;

/// The quiet is never taken to be louder than this, about -35 dBFS: callers speak louder than their room.
const QUIET_AT_MOST: u32 = 580;

/// What the ear does with the sound just heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The caller began to speak.
    Began,
    /// Sound for the recogniser, µ-law.
    Piece(Vec<u8>),
    /// The caller is quiet again.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mouth {
    Quiet,
    Speaks,
    Spoke,
}

/// The ear at one session, for one utterance.
#[derive(Debug)]
pub(crate) struct Ear {
    pub id: EarId,
    /// Control's number of the hearing.
    pub number: u32,
    /// Whether the recogniser listens; what is said before goes by.
    pub ready: bool,
    since: Mono,
    samples: usize,
    mouth: Mouth,
    level: Level,
    loud_ms: usize,
    quiet_ms: usize,
    spoken_ms: usize,
    /// The last moments before the speech, then the piece being filled.
    kept: Vec<u8>,
}

impl Ear {
    pub fn new(id: EarId, number: u32, since: Mono) -> Ear {
        Ear {
            id,
            number,
            ready: false,
            since,
            samples: 0,
            mouth: Mouth::Quiet,
            level: Level::default(),
            loud_ms: 0,
            quiet_ms: 0,
            spoken_ms: 0,
            kept: Vec::new(),
        }
    }

    /// How far the sound heard is behind `now`, samples.
    pub fn behind(&self, now: Mono) -> usize {
        let passed = usize::try_from((now - self.since).as_millis()).unwrap_or(usize::MAX);
        passed.saturating_mul(PER_MS).saturating_sub(self.samples)
    }

    /// Takes a packet's sound.
    pub fn hear(&mut self, law: Codec, sound: &[u8]) -> Vec<Heard> {
        let loudness = tone::loudness(law, sound);
        let ulaw = sound.iter().map(|&code| match law {
            Codec::Pcmu => code,
            Codec::Pcma => codec::alaw_to_ulaw(code),
        });
        self.kept.extend(ulaw);
        self.take(sound.len(), loudness)
    }

    /// 20 ms in which nothing came.
    pub fn miss(&mut self) -> Vec<Heard> {
        self.kept.extend([codec::SILENCE; FRAME]);
        self.take(FRAME, 0)
    }

    fn take(&mut self, samples: usize, loudness: u32) -> Vec<Heard> {
        self.samples += samples;
        let ms = samples / PER_MS;
        let loud = self.level.is_speech(ms, loudness);
        self.loud_ms = if loud { self.loud_ms + ms } else { self.loud_ms.saturating_sub(ms) };
        self.quiet_ms = if loud { 0 } else { self.quiet_ms + ms };
        match self.mouth {
            Mouth::Quiet if self.ready && self.loud_ms >= BEGINS_MS => self.begin(),
            Mouth::Quiet => {
                let surplus = self.kept.len().saturating_sub(BEFORE_MS * PER_MS);
                self.kept.drain(..surplus);
                // Who speaks before anybody listens is heard from the next word on.
                self.loud_ms = if self.ready { self.loud_ms } else { 0 };
                Vec::new()
            }
            Mouth::Speaks => self.go_on(ms),
            Mouth::Spoke => {
                self.kept.clear();
                Vec::new()
            }
        }
    }

    fn begin(&mut self) -> Vec<Heard> {
        self.mouth = Mouth::Speaks;
        vec![Heard::Began, Heard::Piece(std::mem::take(&mut self.kept))]
    }

    fn go_on(&mut self, ms: usize) -> Vec<Heard> {
        self.spoken_ms += ms;
        let over = self.quiet_ms >= ENDS_MS || self.spoken_ms >= LONGEST_MS;
        if !over && self.kept.len() < PIECE_MS * PER_MS {
            return Vec::new();
        }
        let mut told = vec![Heard::Piece(std::mem::take(&mut self.kept))];
        if over {
            self.mouth = Mouth::Spoke;
            told.push(Heard::Ended);
        }
        told
    }
}

/// How loud this call is when nobody speaks.
#[derive(Debug)]
struct Level {
    blocks: [u32; BLOCKS],
    block: u32,
    block_ms: usize,
}

impl Default for Level {
    fn default() -> Level {
        Level { blocks: [u32::MAX; BLOCKS], block: u32::MAX, block_ms: 0 }
    }
}

impl Level {
    fn is_speech(&mut self, ms: usize, loudness: u32) -> bool {
        self.block = self.block.min(loudness);
        self.block_ms += ms;
        if self.block_ms >= BLOCK_MS {
            self.blocks.rotate_left(1);
            self.blocks[BLOCKS - 1] = std::mem::replace(&mut self.block, u32::MAX);
            self.block_ms = 0;
        }
        let least = self.blocks.iter().copied().fold(self.block, u32::min);
        let quiet = least.min(QUIET_AT_MOST);
        loudness > (quiet * ABOVE_QUIET).max(NEVER_BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Tone;

    fn ear() -> Ear {
        Ear { ready: true, ..Ear::new(EarId(1), 1, Mono(0)) }
    }

    fn voice(ms: usize) -> Vec<u8> {
        let mut sound = Vec::new();
        Tone::new(300, 700).fill(ms * PER_MS, &mut sound);
        sound
    }

    fn hear(ear: &mut Ear, sound: &[u8]) -> Vec<Heard> {
        sound.chunks(FRAME).flat_map(|frame| ear.hear(Codec::Pcmu, frame)).collect()
    }

    fn pieces(told: &[Heard]) -> Vec<u8> {
        told.iter().flat_map(|h| if let Heard::Piece(p) = h { p.clone() } else { Vec::new() }).collect()
    }

    #[test]
    fn an_utterance_is_passed_on_whole_as_it_is_spoken_and_its_end_is_told() {
        let mut ear = ear();
        assert_eq!(hear(&mut ear, &[codec::SILENCE; 16_000]), []);
        let sound = voice(900);
        let mut told = hear(&mut ear, &sound);
        assert_eq!(told.first(), Some(&Heard::Began));
        assert!(told.len() > 10, "as it is spoken: {}", told.len());
        told.extend(hear(&mut ear, &[codec::SILENCE; 8_000]));
        assert_eq!(told.last(), Some(&Heard::Ended));
        let passed = pieces(&told);
        assert!(passed.windows(sound.len()).any(|w| w == sound), "every sample of it");
        assert!(passed.len() <= sound.len() + (BEFORE_MS + ENDS_MS + PIECE_MS) * PER_MS, "and little more");
        assert_eq!(hear(&mut ear, &voice(900)), [], "one utterance");
    }

    #[test]
    fn clicks_hiss_and_a_loud_room_are_no_speech() {
        let mut ear = ear();
        for _ in 0..20 {
            assert_eq!(hear(&mut ear, &voice(60)), [], "a click");
            assert_eq!(hear(&mut ear, &[codec::SILENCE; 4_000]), []);
        }
        let hiss: Vec<u8> = (0..32_000_i16).map(|n| codec::linear_to_ulaw(n % 7 * 30 - 90)).collect();
        assert_eq!(hear(&mut ear, &hiss), [], "hiss");
        let room: Vec<u8> = (0..32_000_i16).map(|n| codec::linear_to_ulaw(n % 9 * 100 - 400)).collect();
        let mut used = Ear { ready: false, ..Ear::new(EarId(1), 1, Mono(0)) };
        hear(&mut used, &room);
        used.ready = true;
        assert_eq!(hear(&mut used, &room), [], "a steady room");
        assert_eq!(hear(&mut used, &voice(300)).first(), Some(&Heard::Began), "who speaks in it is heard");
    }

    #[test]
    fn who_never_stops_is_cut_off_and_lost_packets_are_quiet() {
        let mut endless = ear();
        let told: Vec<Heard> = (0..100)
            .flat_map(|_| hear(&mut endless, &[voice(80), vec![codec::SILENCE; 160]].concat()))
            .collect();
        assert_eq!(told.last(), Some(&Heard::Ended));
        let mut gone = ear();
        hear(&mut gone, &voice(500));
        let told: Vec<Heard> = (0..40).flat_map(|_| gone.miss()).collect();
        assert_eq!(told.last(), Some(&Heard::Ended));
    }

    #[test]
    fn what_is_said_before_somebody_listens_goes_by() {
        let mut early = Ear::new(EarId(1), 1, Mono(0));
        assert_eq!(hear(&mut early, &voice(600)), []);
        early.ready = true;
        assert_eq!(hear(&mut early, &[codec::SILENCE; 1_600]), []);
        assert_eq!(hear(&mut early, &voice(600)).first(), Some(&Heard::Began));
    }
}
