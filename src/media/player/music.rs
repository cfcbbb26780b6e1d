//! Music sources by name: the built-in piece, a loaded file, or a sound card's input. All listeners are at the same place
//! of a piece, as with a radio: a caller who hears an announcement between does not hear the beginning again and again. A source that is missing or not loaded yet is
//! replaced by the built-in piece, and that by silence.
use crate::codec::SILENCE;
use crate::limits::MAX_DEVICES;
use crate::prompts::PromptSet;
use model::clock::Mono;
use model::media::MusicSource;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Samples kept of a live source: 400 ms, so that listeners ride out a stall of the card.
const LIVE_KEPT: usize = 3200;

/// How far behind the newest sample a listener of a live source starts: 60 ms.
const LIVE_BEHIND: u64 = 480;

#[derive(Debug)]
enum Source {
    /// Loops.
    BuiltIn(&'static [u8]),
    /// Loops once it has arrived.
    File { path: String, sound: Option<Arc<[u8]>> },
    /// Newest samples, and the running number of the first of them.
    Live { ring: VecDeque<u8>, first: u64 },
}

/// A listener's place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    at: u64,
    /// In a live source: started, and not run dry.
    steady: bool,
}

impl Cursor {
    /// Where the music is at a time.
    pub fn of(now: Mono) -> Cursor {
        Cursor { at: now.0 / 125, steady: false }
    }
}

/// All sources of the box.
#[derive(Debug, Default)]
pub(crate) struct Music {
    sources: BTreeMap<String, Source>,
    fallback: Option<&'static [u8]>,
}

impl Music {
    pub fn new() -> Music {
        Music::default()
    }

    /// Sets the sources there are: the built-in pieces by their names and the configured ones. Sources that stay keep
    /// playing what they have. Gives the files to load.
    pub fn configure(&mut self, sources: &[(String, MusicSource)], prompts: &PromptSet) -> Vec<String> {
        let mut before = std::mem::take(&mut self.sources);
        self.fallback = prompts.music("");
        for name in prompts.music_names() {
            self.put_built_in(name, prompts);
        }
        let mut loads = Vec::new();
        for (name, source) in sources {
            match source {
                MusicSource::BuiltIn => self.put_built_in(name, prompts),
                MusicSource::File(path) => {
                    loads.push(path.clone());
                    let sound = before.remove(name).and_then(|b| b.sound_of(path));
                    self.put(name, Source::File { path: path.clone(), sound });
                }
                MusicSource::Alsa(_) => {
                    let live = before.remove(name).filter(|b| matches!(b, Source::Live { .. }));
                    self.put(name, live.unwrap_or(Source::Live { ring: VecDeque::new(), first: 0 }));
                }
            }
        }
        loads
    }

    /// Hands in a file.
    pub fn loaded(&mut self, path: &str, loaded: &Arc<[u8]>) {
        for source in self.sources.values_mut() {
            if let Source::File { path: p, sound } = source
                && p == path
            {
                *sound = Some(Arc::clone(loaded));
            }
        }
    }

    /// Takes sound of a live source; ignored for other names.
    pub fn feed(&mut self, name: &str, sound: &[u8]) {
        if let Some(Source::Live { ring, first }) = self.sources.get_mut(name) {
            ring.extend(sound);
            while ring.len() > LIVE_KEPT {
                ring.pop_front();
                *first += 1;
            }
        }
    }

    /// Fills the whole room and gives its length: music never ends.
    pub fn fill(&self, name: &str, cursor: &mut Cursor, room: &mut [u8]) -> usize {
        match self.sources.get(name) {
            Some(Source::BuiltIn(piece)) => looped(piece, cursor, room),
            Some(Source::File { sound: Some(sound), .. }) if !sound.is_empty() => looped(sound, cursor, room),
            Some(Source::Live { ring, first }) => live(ring, *first, cursor, room),
            Some(Source::File { .. }) | None => looped(self.fallback.unwrap_or_default(), cursor, room),
        }
        room.len()
    }

    fn put_built_in(&mut self, name: &str, prompts: &PromptSet) {
        if let Some(piece) = prompts.music(name) {
            self.put(name, Source::BuiltIn(piece));
        }
    }

    fn put(&mut self, name: &str, source: Source) {
        if self.sources.len() < MAX_DEVICES || self.sources.contains_key(name) {
            self.sources.insert(name.to_owned(), source);
        }
    }
}

impl Source {
    fn sound_of(self, wanted: &str) -> Option<Arc<[u8]>> {
        match self {
            Source::File { path, sound } if path == wanted => sound,
            Source::File { .. } | Source::BuiltIn(_) | Source::Live { .. } => None,
        }
    }
}

fn looped(piece: &[u8], cursor: &mut Cursor, room: &mut [u8]) {
    let length = u64::try_from(piece.len()).unwrap_or(0);
    if length == 0 {
        room.fill(SILENCE);
        return;
    }
    for sample in room {
        cursor.at %= length;
        *sample = usize::try_from(cursor.at).ok().and_then(|at| piece.get(at)).copied().unwrap_or(SILENCE);
        cursor.at += 1;
    }
}

/// A listener that runs dry hears silence until the source is ahead again: repeating old sound would buzz.
fn live(ring: &VecDeque<u8>, first: u64, cursor: &mut Cursor, room: &mut [u8]) {
    let end = first + u64::try_from(ring.len()).unwrap_or(0);
    let wanted = u64::try_from(room.len()).unwrap_or(0);
    if cursor.at < first || cursor.at > end {
        *cursor = Cursor { at: end.saturating_sub(LIVE_BEHIND).max(first), steady: false };
    }
    let enough = if cursor.steady { wanted } else { LIVE_BEHIND };
    cursor.steady = end >= cursor.at + enough;
    if !cursor.steady {
        room.fill(SILENCE);
        return;
    }
    let start = usize::try_from(cursor.at - first).unwrap_or(usize::MAX);
    for (n, sample) in room.iter_mut().enumerate() {
        *sample = ring.get(start.saturating_add(n)).copied().unwrap_or(SILENCE);
    }
    cursor.at += wanted;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(music: &Music, name: &str, cursor: &mut Cursor, count: usize) -> Vec<u8> {
        let mut room = vec![0; count];
        music.fill(name, cursor, &mut room);
        room
    }

    fn prompts() -> PromptSet {
        let mut prompts = PromptSet::new();
        prompts.add_music("calm", &[1, 2, 3]);
        prompts
    }

    fn with_piece() -> Music {
        let mut music = Music::new();
        music.configure(&[], &prompts());
        music
    }

    #[test]
    fn a_piece_goes_round_and_is_at_the_same_place_for_everybody() {
        let music = with_piece();
        let mut one = Cursor::of(Mono(0));
        assert_eq!(filled(&music, "calm", &mut one, 4), [1, 2, 3, 1]);
        assert_eq!(filled(&music, "calm", &mut one, 1), [2]);
        let mut joins_later = Cursor::of(Mono(5 * 125));
        assert_eq!(filled(&music, "calm", &mut joins_later, 2), filled(&music, "calm", &mut one, 2));
    }

    #[test]
    fn an_unknown_or_loading_source_is_the_built_in_piece_and_that_may_be_silence() {
        let mut music = with_piece();
        let own = [("own".to_owned(), MusicSource::File("moh/own.wav".to_owned()))];
        assert_eq!(music.configure(&own, &prompts()), ["moh/own.wav"]);
        assert_eq!(filled(&music, "own", &mut Cursor::default(), 2), [1, 2]);
        assert_eq!(filled(&music, "gone", &mut Cursor::default(), 2), [1, 2]);
        assert_eq!(filled(&Music::new(), "gone", &mut Cursor::default(), 2), [SILENCE; 2]);
        music.loaded("moh/own.wav", &Arc::from(&[9u8][..]));
        assert_eq!(filled(&music, "own", &mut Cursor::default(), 2), [9, 9]);
        music.configure(&own, &prompts());
        assert_eq!(filled(&music, "own", &mut Cursor::default(), 1), [9], "stays while it is loaded again");
    }

    #[test]
    fn a_live_source_is_heard_near_its_newest_sound_and_silent_when_it_stops() {
        let mut music = Music::new();
        music.configure(&[("radio".to_owned(), MusicSource::Alsa("hw:0".to_owned()))], &PromptSet::new());
        for n in 0..30u8 {
            music.feed("radio", &[n; 160]);
        }
        let mut cursor = Cursor::of(Mono(99_000_000));
        assert_eq!(filled(&music, "radio", &mut cursor, 160), [27; 160], "60 ms behind the newest");
        for n in 30..40u8 {
            music.feed("radio", &[n; 160]);
            assert_eq!(filled(&music, "radio", &mut cursor, 160), [n - 2; 160], "steady");
        }
        filled(&music, "radio", &mut cursor, 320);
        assert_eq!(filled(&music, "radio", &mut cursor, 160), [SILENCE; 160], "the card stopped");
        music.feed("radio", &[77; 160]);
        assert_eq!(filled(&music, "radio", &mut cursor, 160), [SILENCE; 160], "not yet ahead");
        music.feed("radio", &[77; 320]);
        assert_eq!(filled(&music, "radio", &mut cursor, 160), [77; 160]);
    }
}
