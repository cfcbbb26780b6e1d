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

/// What is said: names of built-in prompts (`welcome`), `file:PATH` below the data folder, or a field of the call read
/// aloud (`number:digits`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// Built-in prompt.
    BuiltIn(String),
    /// A field as a day (`2026-12-24`) or a moment (`2026-12-24T18:05`).
    Date(String),
    /// A field digit by digit.
    Digits(String),
    /// Sound file.
    File(String),
    /// A field as a whole number.
    Number(String),
    /// Own prompt of section `[audio.prompt]`.
    Own(String),
}

impl Serialize for Say {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Say::BuiltIn(name) => s.serialize_str(name),
            Say::Date(field) => s.collect_str(&format_args!("date:{field}")),
            Say::Digits(field) => s.collect_str(&format_args!("digits:{field}")),
            Say::File(path) => s.collect_str(&format_args!("file:{path}")),
            Say::Own(name) => s.collect_str(&format_args!("prompt:{name}")),
            Say::Number(field) => s.collect_str(&format_args!("number:{field}")),
        }
    }
}

/// How a `condition` step looks at a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A number greater than the value.
    Above,
    /// A text that begins with the value.
    Begins,
    /// A number less than the value.
    Below,
    /// A text with the value in it.
    Contains,
    /// The same text, upper and lower case alike.
    Is,
    /// Not empty; there is no value to compare with.
    Known,
}

/// One step of a flow. Step names are keys of [`Flow::step`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Lets an application outside lead the call by its verbs, over a WebSocket.
    Application {
        /// Where it listens (`ws://`, `wss://`); `{caller}` stands for the field of that name.
        url: String,
        /// Milliseconds that it may take to be there, to say what is next, or to be silent altogether.
        timeout_ms: u32,
        /// Ways on that it may name, and their steps.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        way: BTreeMap<String, String>,
        /// Step when it is not there, too slow, gone, or makes no sense.
        otherwise: String,
    },
    /// Promises to call the caller back from a queue, with the place in it kept.
    Callback {
        /// Which queue; it must call back.
        queue: String,
        /// Field with the number; `caller` = the number the caller rings from.
        field: String,
        /// Step once it is promised, e.g. a good-bye.
        next: String,
        /// Step when it cannot be: no number, or one that may not be called.
        otherwise: String,
    },
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
    /// Branches by a field of the call.
    Condition {
        /// Which field, e.g. `caller`, `digits`, `contact.class`, or one that an earlier step has set.
        field: String,
        /// How it is looked at.
        test: Test,
        /// What it is held against; nothing for `known`.
        value: String,
        /// Step when it holds.
        then: String,
        /// Step when not.
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
    /// Asks a service outside over HTTP; each field of its answer (a JSON object) becomes a field of the call.
    Lookup {
        /// Where; `{caller}` stands for the field of that name.
        url: String,
        /// Milliseconds until the flow goes on without an answer.
        timeout_ms: u32,
        /// Step once it answered.
        next: String,
        /// Step when it did not, or with something that is no JSON object.
        otherwise: String,
    },
    /// Says something and branches by one digit.
    Menu {
        /// What is said.
        say: Vec<Say>,
        /// Digit → step.
        option: BTreeMap<Digit, String>,
        /// Digit → what callers say instead of pressing it, in any language: words, or names of intents.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        words: BTreeMap<Digit, Vec<String>>,
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
        /// Step once the agent hung up and the caller is still there, e.g. a survey; `None` = the call ends.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Sets a field of the call.
    Set {
        /// Which.
        field: String,
        /// To what; `{caller}` stands for the field of that name.
        value: String,
        /// Next step.
        next: String,
    },
    /// Says a text by the voice of the box (section `[voice]`); without one, or when it is slow, what was recorded.
    Speak {
        /// What; `{caller}` stands for the field of that name.
        text: String,
        /// What is said when the voice does not come within a second.
        say: Vec<Say>,
        /// Next step.
        next: String,
    },
    /// Asks how it was: one digit from 1 to 5, kept with the call.
    Survey {
        /// What is said.
        say: Vec<Say>,
        /// Seconds to wait after the last word.
        timeout_s: u32,
        /// How often it is said again after silence or a wrong digit.
        retries: u32,
        /// Step once it is answered.
        next: String,
        /// Step when it is not.
        otherwise: String,
    },
    /// Looks a field up in a table of its own.
    Table {
        /// What is looked up; `{caller}` stands for the field of that name.
        key: String,
        /// Field that gets what was found.
        field: String,
        /// What is found for which key.
        row: BTreeMap<String, String>,
        /// Step when it was found.
        next: String,
        /// Step when not.
        otherwise: String,
    },
    /// Leaves a message.
    Voicemail {
        /// Whose mailbox.
        mailbox: Number,
    },
}

impl Step {
    /// What it says.
    #[must_use]
    pub fn says(&self) -> &[Say] {
        match self {
            Step::Collect { say, .. }
            | Step::HangUp { say }
            | Step::Menu { say, .. }
            | Step::Play { say, .. }
            | Step::Speak { say, .. }
            | Step::Survey { say, .. } => say,
            Step::Application { .. }
            | Step::Callback { .. }
            | Step::Condition { .. }
            | Step::Extension { .. }
            | Step::Hours { .. }
            | Step::Language { .. }
            | Step::Lookup { .. }
            | Step::Queue { .. }
            | Step::Set { .. }
            | Step::Table { .. }
            | Step::Voicemail { .. } => &[],
        }
    }
}
