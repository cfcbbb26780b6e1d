//! Section `[[flow]]`: an IVR as data. A flow is a set of named steps; each step names the next. The reader refuses
//! unknown targets, steps that cannot be reached and loops without a caller's input in them.
use crate::media::{Digit, Language};
use crate::number::Number;
use serde::Serialize;
use std::collections::BTreeMap;

/// An IVR.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flow {
    /// Name, unique.
    pub name: String,
    /// Internal number, if it can be dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// First step.
    pub start: String,
    /// Steps by name.
    pub step: BTreeMap<String, Step>,
}

/// What is said: names of built-in prompts (`welcome`) or `file:PATH` below the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// Built-in prompt.
    BuiltIn(String),
    /// Sound file.
    File(String),
}

impl Serialize for Say {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Say::BuiltIn(name) => s.serialize_str(name),
            Say::File(path) => s.collect_str(&format_args!("file:{path}")),
        }
    }
}

/// One step of a flow. Step names are keys of [`Flow::step`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Says something and collects digits; a later `extension` step without number dials them.
    Collect {
        /// What is said.
        say: Vec<Say>,
        /// Fewest digits.
        min: u32,
        /// Most digits; the step ends at once when they are there. `#` ends it earlier.
        max: u32,
        /// Seconds of silence that end it.
        timeout_s: u32,
        /// How often it is asked again.
        retries: u32,
        /// Next step.
        next: String,
        /// Step when nothing useful came.
        otherwise: String,
    },
    /// Rings a phone.
    Extension {
        /// Which; `None` = the collected digits.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<Number>,
        /// Step when it is unknown, busy or does not answer; `None` = its voicemail, else hang up.
        #[serde(skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Says good-bye (if anything) and ends the call.
    HangUp {
        /// What is said.
        say: Vec<Say>,
    },
    /// Branches by business hours.
    Hours {
        /// Name of a schedule.
        schedule: String,
        /// Step while open.
        open: String,
        /// Step while closed.
        closed: String,
    },
    /// Sets the language of everything said from here on.
    Language {
        /// Which.
        language: Language,
        /// Next step.
        next: String,
    },
    /// Says something and branches by one digit.
    Menu {
        /// What is said.
        say: Vec<Say>,
        /// Digit → step.
        option: BTreeMap<Digit, String>,
        /// Seconds to wait after the last word.
        timeout_s: u32,
        /// How often it is said again after silence or a wrong digit.
        retries: u32,
        /// Step when the retries are used up by silence.
        on_timeout: String,
        /// Step when the retries are used up by wrong digits.
        on_invalid: String,
    },
    /// Says something; cannot be interrupted.
    Play {
        /// What is said.
        say: Vec<Say>,
        /// Next step.
        next: String,
    },
    /// Waits in a queue.
    Queue {
        /// Which.
        queue: String,
    },
    /// Leaves a message.
    Voicemail {
        /// Whose mailbox.
        mailbox: Number,
    },
}
