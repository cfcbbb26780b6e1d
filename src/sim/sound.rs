//! Sound that names itself: each prompt, each speaker and the music is a µ-law pattern of its own, so that an ear in the
//! simulated world knows what it hears, and a recording can be read back. A pattern is loud to a silence detector.
use media::limits::FRAME;
use media::prompts::PromptSet;
use model::media::Language;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Frames of one prompt: 300 ms, shorter than in life to save simulated time.
const PROMPT_FRAMES: usize = 15;

/// Frames of the music before it begins again.
const MUSIC_FRAMES: usize = 50;

/// The shipped list of prompts: what is not in it is not said.
const LISTS: [(Language, &str); 2] = [
    (Language::En, include_str!("../../rootfs/usr/share/belfry/prompts/en.txt")),
    (Language::Zh, include_str!("../../rootfs/usr/share/belfry/prompts/zh.txt")),
];

/// Something heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// The hold music.
    Music,
    /// A prompt: `welcome`, `zh/welcome`.
    Prompt(String),
    /// Nothing.
    Silence,
    /// Something without a name: a tone.
    Sound,
    /// Somebody, by the number of their voice.
    Voice(u16),
}

/// µ-law silence.
const QUIET: u8 = 0xff;

/// Marks of patterns: the first of four bytes, none of which can be a digit of the number behind it.
const MUSIC: u8 = 0x11;
const PROMPT: u8 = 0x12;
const VOICE: u8 = 0x13;

fn pattern(mark: u8, number: u16) -> [u8; 4] {
    let digit = |shift: u16| 0x20 + u8::try_from((number >> shift) & 0x1f).unwrap_or(0);
    [mark, digit(10), digit(5), digit(0)]
}

fn frame(mark: u8, number: u16) -> [u8; FRAME] {
    let four = pattern(mark, number);
    std::array::from_fn(|i| four[i % 4])
}

/// 20 ms of somebody's voice.
#[must_use]
pub fn voice(number: u16) -> [u8; FRAME] {
    frame(VOICE, number)
}

/// 20 ms of nothing.
#[must_use]
pub fn silence() -> [u8; FRAME] {
    [QUIET; FRAME]
}

struct Library {
    set: Arc<PromptSet>,
    names: BTreeMap<u16, String>,
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut set = PromptSet::new();
        let mut names = BTreeMap::new();
        let mut number = 0;
        for (language, list) in LISTS {
            for name in
                list.lines().filter(|l| !l.starts_with('#')).filter_map(|l| Some(l.split_once(" = ")?.0))
            {
                let sound: Vec<u8> = frame(PROMPT, number).repeat(PROMPT_FRAMES);
                set.add_prompt(language, name, Vec::leak(sound));
                let shown = match language {
                    Language::En => name.to_owned(),
                    Language::Zh => format!("zh/{name}"),
                };
                names.insert(number, shown);
                number += 1;
            }
        }
        set.add_music("default", Vec::leak(frame(MUSIC, 0).repeat(MUSIC_FRAMES)));
        Library { set: Arc::new(set), names }
    })
}

/// The built-in sounds of the box, as patterns.
#[must_use]
pub fn prompts() -> Arc<PromptSet> {
    library().set.clone()
}

/// What 20 ms (or any length) of µ-law sound is.
#[must_use]
pub fn recognise(sound: &[u8]) -> Heard {
    if sound.iter().all(|b| *b == QUIET || *b == 0x7f) {
        return Heard::Silence;
    }
    // A pattern may be cut anywhere: it is turned until its mark stands first.
    let turn = sound.iter().take(4).position(|b| matches!(*b, MUSIC | PROMPT | VOICE)).unwrap_or(0);
    let Some(four) = sound.get(turn..).and_then(|s| s.first_chunk::<4>()) else { return Heard::Sound };
    if !sound.iter().enumerate().all(|(i, b)| *b == four[(i + 4 - turn) % 4]) {
        return Heard::Sound;
    }
    let digit = |b: u8| u16::from(b.wrapping_sub(0x20)) & 0x1f;
    let number = digit(four[1]) << 10 | digit(four[2]) << 5 | digit(four[3]);
    match four[0] {
        MUSIC => Heard::Music,
        PROMPT => library().names.get(&number).cloned().map_or(Heard::Sound, Heard::Prompt),
        VOICE => Heard::Voice(number),
        _ => Heard::Sound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sound_says_what_it_is() {
        let set = prompts();
        let said = |language, name| recognise(&set.prompt(language, name).expect("shipped")[..FRAME]);
        assert_eq!(said(Language::En, "vm-saved"), Heard::Prompt("vm-saved".into()));
        assert_eq!(said(Language::Zh, "num-liang"), Heard::Prompt("zh/num-liang".into()));
        assert_eq!(recognise(&voice(1234)), Heard::Voice(1234));
        assert_eq!(recognise(&voice(1234)[3..]), Heard::Voice(1234), "cut anywhere");
        assert_eq!(recognise(&silence()), Heard::Silence);
        assert_eq!(recognise(&set.music("default").expect("shipped")[..FRAME]), Heard::Music);
        assert_eq!(recognise(&[1, 2, 3, 4, 5, 6, 7, 8]), Heard::Sound);
    }

    #[test]
    fn a_voice_is_loud() {
        let loud = |sound: &[u8]| media::tone::loudness(model::media::Codec::Pcmu, sound);
        assert!(loud(&voice(77)) > 1_000 && loud(&silence()) < 10);
    }
}
