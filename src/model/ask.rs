//! What a call asks of services outside the engine while a caller waits, and what comes back. The shell asks on threads of
//! its own, a limited number at once; the engine keeps the time and goes on without an answer. Plain data.
use crate::application::{Connection, Verb};
use crate::config::system::Voice;
use crate::media::Language;
use std::collections::BTreeMap;

/// Most fields taken from one answer.
pub const FIELDS_MAX: usize = 32;
/// Longest field of a call, characters.
pub const FIELD_MAX: usize = 200;
/// Milliseconds that the voice may take until a recorded prompt is played instead.
pub const VOICE_MS: u32 = 1_000;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A word to the application that leads the call; it answers as often as it likes.
    Application(Connection),
    /// An HTTP GET that answers with a JSON object.
    Lookup {
        /// Where, complete.
        url: String,
        /// How long it may take.
        timeout_ms: u32,
    },
    /// A text to be spoken into a file.
    Speak {
        /// What.
        text: String,
        /// In which language.
        language: Language,
        /// By whom.
        voice: Voice,
    },
    /// A take recorded at a phone becomes a prompt of the site: answered by its sound, once the configuration names it.
    Prompt {
        /// The take's file below the data folder.
        take: String,
        /// Name of the prompt.
        name: String,
        /// In which language it is.
        language: Language,
        /// Who wants it, for the history of the configuration.
        by: String,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing of use, and why in a few words.
    Failed(String),
    /// Fields by name, at most [`FIELDS_MAX`].
    Fields(BTreeMap<String, String>),
    /// A sound file below the data folder.
    Sound(String),
    /// What the application wants.
    Verb(Box<Verb>),
}
