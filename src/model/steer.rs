//! What a person does to a call that is going on: hold, mute, ask a colleague, hand over, confer, supervise. Words only; the
//! engine decides whether it goes and the web who may ask.
use crate::number::Number;
use serde::{Deserialize, Serialize};

/// One act on a conversation, done for the party that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "steer", rename_all = "snake_case")]
pub enum Steer {
    /// The others hear music and the party hears nothing.
    Hold,
    /// Ends hold.
    Resume,
    /// Nobody hears the party, the recording neither.
    Mute,
    /// Ends mute.
    Unmute,
    /// Rings a third party; the other one hears music meanwhile.
    Consult {
        /// Who is asked.
        to: Number,
    },
    /// Ends the question: back to the other party.
    Back,
    /// Hands the other party over: to this number at once, or without one to the third party that was asked.
    Transfer {
        /// Where to.
        to: Option<Number>,
    },
    /// All speak with each other: the third party that was asked, or one that is rung now.
    Conference {
        /// Who is rung.
        to: Option<Number>,
    },
    /// The party leaves; the others go on when there are two of them.
    HangUp,
    /// A supervisor at this extension comes in, or changes how.
    Supervise {
        /// Whose phone rings.
        at: Number,
        /// How.
        how: Supervision,
    },
    /// The supervisor at this extension goes.
    Leave {
        /// Whose phone.
        at: Number,
    },
}

/// How a supervisor is in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears both, is heard by nobody.
    Listen,
    /// Hears both, is heard by the agent alone.
    Whisper,
    /// Speaks with both.
    Barge,
    /// Speaks with the caller in the agent's place.
    TakeOver,
}

impl Supervision {
    /// Its word in journeys, events and the interface.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Supervision::Listen => "listen",
            Supervision::Whisper => "whisper",
            Supervision::Barge => "barge",
            Supervision::TakeOver => "take_over",
        }
    }
}
