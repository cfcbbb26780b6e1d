//! Plays a list of sounds to one peer, frame by frame: prompts, files, silence, tones, music. Sounds follow each other
//! without a gap, sample by sample. Loading is asked for once and waited for in silence, then skipped. Decides nothing
//! about who hears it.
use crate::codec::SILENCE;
use crate::limits::{FRAME, LOAD_PATIENCE, MAX_SOUNDS};
use crate::prompts::PromptSet;
use crate::tone::Tone;
use model::clock::Mono;
use model::id::PlayId;
use model::media::Sound;
use std::sync::Arc;

mod music;

pub(crate) use music::{Cursor, Music};

/// Sound that lives as long as the process, or was loaded for somebody.
#[derive(Clone, Debug)]
pub(crate) enum Voice {
    BuiltIn(&'static [u8]),
    Loaded(Arc<[u8]>),
}

impl Voice {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Voice::BuiltIn(bytes) => bytes,
            Voice::Loaded(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
enum Item {
    Voice(Voice),
    /// Not loaded yet.
    Waiting(String),
    Silence(usize),
    Tone {
        hz: u16,
        hz2: u16,
        on: usize,
        off: usize,
        times: usize,
        tone: Tone,
    },
    Music {
        name: String,
        cursor: Cursor,
    },
}

/// A running play.
#[derive(Debug)]
pub(crate) struct Player {
    pub id: PlayId,
    pub barge_in: bool,
    repeat: bool,
    items: Vec<Item>,
    /// Which item, and how many samples of it are done.
    at: usize,
    done: usize,
    asked: Mono,
}

/// What a prepared play needs from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Files to load.
    pub loads: Vec<String>,
    /// Prompts that do not exist.
    pub missing: Vec<String>,
}

impl Player {
    /// Prepares a list. Only the first [`MAX_SOUNDS`] are kept.
    pub fn new(
        now: Mono,
        id: PlayId,
        sounds: Vec<Sound>,
        repeat: bool,
        barge_in: bool,
        prompts: &PromptSet,
    ) -> (Player, Wants) {
        let mut wants = Wants::default();
        let items = sounds.into_iter().take(MAX_SOUNDS).map(|s| item(now, s, prompts, &mut wants)).collect();
        (Player { id, barge_in, repeat, items, at: 0, done: 0, asked: now }, wants)
    }

    /// Hands in a loaded file (or that it cannot be loaded) for every place that waits for it.
    pub fn loaded(&mut self, path: &str, sound: Option<&Arc<[u8]>>) {
        for item in &mut self.items {
            if matches!(item, Item::Waiting(p) if p == path) {
                *item = sound.map_or(Item::Silence(0), |s| Item::Voice(Voice::Loaded(Arc::clone(s))));
            }
        }
    }

    /// Fills a frame; true when the list has ended (the rest of the frame is silence).
    pub fn frame(&mut self, now: Mono, music: &Music, frame: &mut [u8; FRAME]) -> bool {
        let mut filled = 0;
        // Empty items are stepped over, each at most once and once more for the turn of a repeat.
        let mut steps = self.items.len() + 1;
        while filled < FRAME {
            let Some(rest) = frame.get_mut(filled..) else { break };
            let wrote = self.fill(now, music, rest);
            filled += wrote;
            if filled >= FRAME {
                break;
            }
            if wrote > 0 {
                steps = self.items.len() + 1;
            }
            if !self.next_item() || steps == 0 {
                frame.get_mut(filled..).unwrap_or_default().fill(SILENCE);
                return self.at >= self.items.len();
            }
            steps -= 1;
        }
        self.ended()
    }

    /// Steps to the next item; false after the last.
    fn next_item(&mut self) -> bool {
        self.done = 0;
        self.at += 1;
        if self.at < self.items.len() {
            return true;
        }
        if self.repeat && !self.items.is_empty() {
            self.at = 0;
            return true;
        }
        self.at = self.items.len();
        false
    }

    /// Whether the last sample of the last item was played.
    fn ended(&self) -> bool {
        !self.repeat
            && self.at + 1 >= self.items.len()
            && self.items.last().is_none_or(|i| i.is_over(self.done))
    }

    /// Writes what the present item has; less than the room when it ends.
    fn fill(&mut self, now: Mono, music: &Music, room: &mut [u8]) -> usize {
        let done = self.done;
        let waited_enough = now - self.asked > LOAD_PATIENCE;
        let wrote = match self.items.get_mut(self.at) {
            None => 0,
            Some(Item::Voice(voice)) => copy(voice.bytes().get(done..).unwrap_or_default(), room),
            Some(Item::Waiting(_)) if waited_enough => 0,
            Some(Item::Waiting(_)) => {
                room.fill(SILENCE);
                return room.len();
            }
            Some(Item::Silence(samples)) => {
                let count = samples.saturating_sub(done).min(room.len());
                room.get_mut(..count).unwrap_or_default().fill(SILENCE);
                count
            }
            Some(Item::Tone { hz, hz2, on, off, times, tone }) => {
                let period = *on + *off;
                let count = period.saturating_mul(*times).saturating_sub(done).min(room.len());
                for (n, sample) in room.iter_mut().take(count).enumerate() {
                    let place = (done + n) % period.max(1);
                    if place == 0 {
                        *tone = Tone::new(*hz, *hz2);
                    }
                    *sample = if place < *on { tone.sample() } else { SILENCE };
                }
                count
            }
            Some(Item::Music { name, cursor }) => music.fill(name, cursor, room),
        };
        self.done += wrote;
        wrote
    }
}

impl Item {
    fn is_over(&self, done: usize) -> bool {
        match self {
            Item::Voice(voice) => done >= voice.bytes().len(),
            Item::Waiting(_) | Item::Music { .. } => false,
            Item::Silence(samples) => done >= *samples,
            Item::Tone { on, off, times, .. } => done >= (on + off).saturating_mul(*times),
        }
    }
}

fn item(now: Mono, sound: Sound, prompts: &PromptSet, wants: &mut Wants) -> Item {
    match sound {
        Sound::Prompt { language, name } => match prompts.prompt(language, &name) {
            Some(bytes) => Item::Voice(Voice::BuiltIn(bytes)),
            None => {
                wants.missing.push(name);
                Item::Silence(0)
            }
        },
        Sound::File(path) => {
            if !wants.loads.contains(&path) {
                wants.loads.push(path.clone());
            }
            Item::Waiting(path)
        }
        Sound::Silence(ms) => Item::Silence(samples(ms)),
        Sound::Tone { hz, hz2, on_ms, off_ms, times } => Item::Tone {
            hz,
            hz2,
            on: samples(on_ms),
            off: samples(off_ms),
            times: usize::from(times),
            tone: Tone::new(hz, hz2),
        },
        Sound::Music(name) => Item::Music { name, cursor: Cursor::of(now) },
    }
}

/// Milliseconds as samples, at most an hour.
fn samples(ms: u32) -> usize {
    usize::try_from(ms.min(3_600_000)).unwrap_or(0) * 8
}

/// Copies as much of `from` as fits.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..count), to.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::Language;

    fn prompts() -> PromptSet {
        let mut set = PromptSet::new();
        set.add_prompt(Language::En, "a", &[0x11; 100]);
        set.add_prompt(Language::En, "b", &[0x22; 100]);
        set
    }

    fn prompt(name: &str) -> Sound {
        Sound::Prompt { language: Language::Zh, name: name.to_owned() }
    }

    fn player(sounds: Vec<Sound>, repeat: bool) -> (Player, Wants) {
        Player::new(Mono(0), PlayId(1), sounds, repeat, false, &prompts())
    }

    fn frame(p: &mut Player, now: Mono) -> ([u8; FRAME], bool) {
        let mut f = [0; FRAME];
        let end = p.frame(now, &Music::new(), &mut f);
        (f, end)
    }

    #[test]
    fn sounds_follow_each_other_without_a_gap() {
        let (mut p, wants) = player(vec![prompt("a"), prompt("b")], false);
        assert_eq!(wants, Wants::default());
        let (first, end) = frame(&mut p, Mono(0));
        assert!(!end);
        assert_eq!((&first[..100], &first[100..]), (&[0x11; 100][..], &[0x22; 60][..]));
        let (second, end) = frame(&mut p, Mono(0));
        assert!(end);
        assert_eq!((&second[..40], &second[40..]), (&[0x22; 40][..], &[SILENCE; 120][..]));
    }

    #[test]
    fn the_end_is_known_with_the_last_sample() {
        let (mut p, _) = player(vec![Sound::Silence(20)], false);
        assert!(frame(&mut p, Mono(0)).1, "20 ms end with their one frame");
        let (mut p, _) = player(vec![], false);
        assert!(frame(&mut p, Mono(0)).1, "an empty list ends at once");
    }

    #[test]
    fn a_repeated_list_starts_again_and_an_empty_one_is_silence_for_ever() {
        let (mut p, _) = player(vec![prompt("a")], true);
        let (f, end) = frame(&mut p, Mono(0));
        assert!(!end);
        assert_eq!(f, [0x11; FRAME]);
        let (mut p, wants) = player(vec![prompt("gone"), Sound::Silence(0)], true);
        assert_eq!(wants.missing, ["gone"]);
        for _ in 0..5 {
            assert_eq!(frame(&mut p, Mono(0)), ([SILENCE; FRAME], false));
        }
    }

    #[test]
    fn a_file_is_waited_for_in_silence_then_played() {
        let (mut p, wants) = player(vec![Sound::File("x.wav".into()), prompt("b")], false);
        assert_eq!(wants.loads, ["x.wav"]);
        assert_eq!(frame(&mut p, Mono(0)), ([SILENCE; FRAME], false));
        p.loaded("x.wav", Some(&Arc::from(&[0x33u8; 160][..])));
        assert_eq!(frame(&mut p, Mono(0)), ([0x33; FRAME], false));
    }

    #[test]
    fn a_file_that_fails_or_never_comes_is_skipped() {
        let (mut p, _) = player(vec![Sound::File("x.wav".into()), prompt("a")], false);
        p.loaded("x.wav", None);
        assert_eq!(frame(&mut p, Mono(0)).0[0], 0x11);
        let (mut p, _) = player(vec![Sound::File("x.wav".into()), prompt("a")], false);
        let late = Mono(0) + LOAD_PATIENCE + std::time::Duration::from_millis(1);
        assert_eq!(frame(&mut p, late).0[0], 0x11);
    }

    #[test]
    fn a_tone_sounds_and_pauses_as_often_as_asked() {
        let tone = Sound::Tone { hz: 1000, hz2: 0, on_ms: 40, off_ms: 20, times: 2 };
        let (mut p, _) = player(vec![tone], false);
        let mut pattern = Vec::new();
        let mut ended = false;
        while !ended {
            let (f, end) = frame(&mut p, Mono(0));
            pattern.push(crate::tone::ulaw_share(&f, 1000.0) > 0.9);
            ended = end;
        }
        assert_eq!(pattern, [true, true, false, true, true, false]);
    }

    #[test]
    fn a_list_that_is_too_long_is_cut() {
        let (p, _) = player(vec![Sound::Silence(1); 1000], false);
        assert_eq!(p.items.len(), MAX_SOUNDS);
    }
}
