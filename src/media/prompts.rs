//! The built-in spoken prompts and music: µ-law, 8 kHz, one channel, without header, living as long as the process.
//! The shell fills the set once at start (from the executable or from a folder); the core only reads it.
use model::media::Language;
use std::collections::BTreeMap;

/// Spoken prompts by language and name, music by name.
#[derive(Debug, Default)]
pub struct PromptSet {
    spoken: BTreeMap<Language, BTreeMap<String, &'static [u8]>>,
    music: BTreeMap<String, &'static [u8]>,
}

impl PromptSet {
    /// An empty set: every prompt is silence.
    #[must_use]
    pub fn new() -> PromptSet {
        PromptSet::default()
    }

    /// Adds or replaces a prompt. `name` is the file name without ending, e.g. `vm-enter-pin`.
    pub fn add_prompt(&mut self, language: Language, name: &str, sound: &'static [u8]) {
        self.spoken.entry(language).or_default().insert(name.to_owned(), sound);
    }

    /// Adds or replaces a piece of music.
    pub fn add_music(&mut self, name: &str, sound: &'static [u8]) {
        self.music.insert(name.to_owned(), sound);
    }

    /// The prompt in `language`, else in English, else `None`.
    #[must_use]
    pub fn prompt(&self, language: Language, name: &str) -> Option<&'static [u8]> {
        let of = |l: Language| self.spoken.get(&l).and_then(|set| set.get(name)).copied();
        of(language).or_else(|| of(Language::En))
    }

    /// The built-in piece by name, else the first piece there is (`MusicSource::BuiltIn` names none).
    #[must_use]
    pub fn music(&self, name: &str) -> Option<&'static [u8]> {
        self.music.get(name).or_else(|| self.music.values().next()).copied()
    }

    /// Names of all pieces of music.
    pub fn music_names(&self) -> impl Iterator<Item = &str> {
        self.music.keys().map(String::as_str)
    }

    /// Names of all prompts of a language.
    pub fn names(&self, language: Language) -> impl Iterator<Item = &str> {
        self.spoken.get(&language).into_iter().flat_map(|set| set.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_missing_in_chinese_is_spoken_in_english() {
        let mut set = PromptSet::new();
        set.add_prompt(Language::En, "hello", b"en");
        set.add_prompt(Language::Zh, "bye", b"zh");
        assert_eq!(set.prompt(Language::Zh, "hello"), Some(&b"en"[..]));
        assert_eq!(set.prompt(Language::Zh, "bye"), Some(&b"zh"[..]));
        assert_eq!(set.prompt(Language::En, "bye"), None, "English never falls back to another language");
    }

    #[test]
    fn music_by_an_unknown_name_is_the_first_piece() {
        let mut set = PromptSet::new();
        assert_eq!(set.music("any"), None);
        set.add_music("calm", b"c");
        set.add_music("waltz", b"w");
        assert_eq!(set.music("waltz"), Some(&b"w"[..]));
        assert_eq!(set.music("gone"), Some(&b"c"[..]));
    }
}
