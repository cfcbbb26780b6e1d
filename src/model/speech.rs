//! Words of speech input: what a recogniser outside is to listen for while a menu waits for a key, and what it understood.
//! Small: the sound itself never comes to control, it goes from media to the recogniser. Plain data.
use crate::media::Language;
use serde::{Deserialize, Serialize};

/// Longest text kept of what was understood, characters: a sentence.
pub const SAID_MAX: usize = 100;

/// A menu that listens: one utterance of the caller, over one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hearing {
    /// Handed back with everything heard, so that an older utterance is not taken for a newer one.
    pub number: u32,
    /// Address of the recogniser, `ws://` or `wss://`.
    pub service: String,
    /// What is spoken.
    pub language: Language,
    /// What a caller is likely to say. At most 160 of 40 characters.
    pub phrases: Vec<String>,
    /// Milliseconds that the recogniser may take to connect, and to answer once the caller is quiet.
    pub answer_ms: u32,
}

/// What happens to a [`Hearing`], in this order; `Failed` at any time. `Said` and `Failed` end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Speech {
    /// The caller began to speak, and the recogniser hears it.
    Began,
    /// The recogniser understood the first words.
    Words,
    /// The caller is quiet; the recogniser has to say now what it was.
    Ended,
    /// What the caller said. Without text and intent: nothing that was understood.
    Said(Said),
    /// The recogniser cannot be used, and why in a few words.
    Failed(String),
}

/// What a recogniser understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The words, at most [`SAID_MAX`] characters.
    pub text: String,
    /// What the caller wants, if the recogniser says so by a name.
    pub intent: String,
    /// How sure it is, thousandths; `None`: it does not say.
    pub certainty_permille: Option<u16>,
}
