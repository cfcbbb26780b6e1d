//! Voicemail: what is in the boxes ([`mailbox::Mailboxes`]), leaving a message ([`deposit::Deposit`]) and listening to them
//! ([`retrieve::Retrieve`]). Pure sub-machines of one call each; they know neither SIP nor media. "Saved" is said only
//! after the store said so.
pub mod deposit;
mod greeting;
mod listen;
pub mod mailbox;
pub mod retrieve;

#[cfg(test)]
mod tests;

use model::media::{Digit, Language, RecordEnd, Sound};
use model::record::Record;
use std::time::Duration;

/// Shortest message kept, ms of sound after silence at the end is taken off: less is a caller who changed their mind.
pub const SHORTEST_MS: u32 = 1_000;

/// Silence that ends a recording, ms.
pub const SILENCE_MS: u32 = 5_000;

/// What happened to the caller of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The caller pressed a key.
    Digit(Digit),
    /// The caller hung up. The recording, if one runs, ends by itself and is told.
    Gone,
    /// The last `Out::Play` was heard to its end.
    Played,
    /// The recording ended; its file is closed and synced.
    Recorded {
        /// Why.
        end: RecordEnd,
        /// Milliseconds of sound.
        ms: u32,
    },
    /// The last `Out::Keep` is on disk.
    Stored,
    /// The last `Out::Timer` is over.
    Timer,
}

/// What the call is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Play this instead of what is heard now. With `barge_in` a digit cuts it off (and is told as `Input::Digit`).
    Play {
        /// What.
        sounds: Vec<Sound>,
        /// Whether a digit ends it.
        barge_in: bool,
    },
    /// Record the caller into this file below the data folder; any digit ends it. Tell `Input::Recorded`.
    Record {
        /// File.
        path: String,
        /// Longest, seconds.
        max_s: u32,
        /// Ends after this much silence, ms.
        silence_ms: u32,
    },
    /// End the recording now. `Input::Recorded` follows.
    StopRecord,
    /// To the store. With `receipt`, tell `Input::Stored` when it is on disk.
    Keep {
        /// What.
        record: Box<Record>,
        /// Whether the machine waits for it.
        receipt: bool,
    },
    /// Wait this long, then tell `Input::Timer`. Replaces the timer before.
    Timer(Duration),
    /// No timer any more.
    NoTimer,
    /// A line of the call's journey.
    Trace {
        /// `voicemail`, `message`.
        kind: &'static str,
        /// What.
        detail: String,
    },
    /// The machine is done. End the call if the caller is still there, and drop the machine.
    Done,
}

/// A built-in prompt.
fn prompt(language: Language, name: &str) -> Sound {
    Sound::Prompt { language, name: name.to_owned() }
}

/// The tone before a recording.
fn beep() -> Sound {
    Sound::Tone { hz: 1_000, hz2: 0, on_ms: 250, off_ms: 50, times: 1 }
}
