//! Section `[[campaign]]`: an outbound job. Which lists, which agents, in which form, under which law, and what happens to
//! whom was not reached.
use crate::campaign::attempt::CallResult;
use crate::config::extension::Rights;
use crate::media::Listening;
use crate::number::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An outbound job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Campaign {
    /// Name, unique.
    pub name: String,
    /// The queue whose agents, wrap-up time and strategy it uses.
    pub queue: String,
    /// Names of imported lists.
    pub lists: Vec<String>,
    /// Form of dialling.
    pub form: Form,
    /// Law it is under; it may only be tightened.
    pub profile: Profile,
    /// Number shown to the party; must be one that can be called back.
    pub caller_id: Number,
    /// What its numbers may cost.
    pub outside_calls: Rights,
    /// Flow that speaks with the party in the form `automatic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Sound file of the identity, said when no agent is there in time; else the built-in one with the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Opening times in the party's own time; within those of the law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Seconds a line rings at most.
    pub ring_s: u32,
    /// Most attempts of an entry.
    pub attempts_max: u32,
    /// Most attempts of a number in 24 hours.
    pub attempts_day: u32,
    /// Share of live answers that may be abandoned, in tenths of a percent.
    pub abandoned_permille: u32,
    /// Lines at once.
    pub lines_max: u32,
    /// New lines a second.
    pub calls_per_second: u32,
    /// The plain queue dialler instead of the forecast, in the form `predictive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Plain>,
    /// Queues that must be served well before anybody is called.
    pub protects: Vec<String>,
    /// It stops while fewer than this percent of their callers are served in time.
    pub protect_percent: u32,
    /// It goes on from this percent on.
    pub resume_percent: u32,
    /// Agents hear "campaign call" when a person comes through.
    pub whisper: bool,
    /// Answering machines, faxes and the tones of networks are listened for, and their calls ended.
    pub detect_machines: bool,
    /// How machines are told from persons, and what is done with them.
    #[serde(skip_serializing_if = "Machines::are_usual")]
    pub machines: Machines,
    /// What the agent says first.
    pub script: String,
    /// When an entry is tried again, by result.
    pub again: BTreeMap<CallResult, Again>,
    /// What an agent may say of a call.
    pub disposition: Vec<Disposition>,
}

/// How machines are told from persons, and what is done with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machines {
    /// Sound file played after the beep; the call ends after it. None: the call ends as soon as a machine is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How sure it must be, in thousandths.
    pub certainty_permille: u32,
    /// Nobody is a machine who has talked for less, ms.
    pub talk_ms: u32,
    /// Quiet that ends a greeting, ms.
    pub pause_ms: u32,
    /// Time after the answer without a word after which nobody waits any longer, ms.
    pub silence_ms: u32,
    /// Time after the first word by which there is a verdict, ms.
    pub longest_ms: u32,
    /// How long the beep is waited for, seconds.
    pub beep_s: u32,
}

impl Default for Machines {
    fn default() -> Machines {
        let usual = Listening::default();
        Machines {
            message: None,
            certainty_permille: usual.certainty_permille.into(),
            talk_ms: usual.talk_ms.into(),
            pause_ms: usual.pause_ms.into(),
            silence_ms: usual.silence_ms.into(),
            longest_ms: usual.longest_ms.into(),
            beep_s: usual.beep_s.into(),
        }
    }
}

impl Machines {
    fn are_usual(&self) -> bool {
        self == &Machines::default()
    }

    /// The same for media.
    #[must_use]
    pub fn listening(&self) -> Listening {
        let small = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        Listening {
            answered: true,
            silence_ms: small(self.silence_ms),
            pause_ms: small(self.pause_ms),
            longest_ms: small(self.longest_ms),
            talk_ms: small(self.talk_ms),
            certainty_permille: small(self.certainty_permille),
            beep_s: small(self.beep_s),
        }
    }
}

/// When an entry is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Never.
    Never,
    /// At another time of the day: morning, afternoon, evening.
    Slot,
    /// After so many seconds.
    After(u32),
}

impl std::fmt::Display for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Again::Never => f.write_str("never"),
            Again::Slot => f.write_str("slot"),
            Again::After(s) if s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            Again::After(s) if s % 3600 == 0 => write!(f, "{}h", s / 3600),
            Again::After(s) => write!(f, "{}m", s / 60),
        }
    }
}

impl Serialize for Again {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// Form of dialling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An agent asks for each call.
    #[default]
    Manual,
    /// An agent sees the entry, then has it dialled.
    Preview,
    /// One line for each free agent.
    Progressive,
    /// Lines ahead of free agents, within the bound.
    Predictive,
    /// A flow speaks; no agents.
    Automatic,
}

impl Form {
    /// Every form.
    pub const ALL: [(&'static str, Form); 5] = [
        ("manual", Form::Manual),
        ("preview", Form::Preview),
        ("progressive", Form::Progressive),
        ("predictive", Form::Predictive),
        ("automatic", Form::Automatic),
    ];
}

/// The law a campaign is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// China.
    China,
    /// The strictest common ground of the European Union.
    Eu,
    /// United Kingdom.
    Uk,
    /// United States.
    Us,
}

/// Knobs of the plain queue dialler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Plain {
    /// Lines for each free agent, in percent: 150 = one and a half.
    pub multiple_percent: u32,
    /// Answered calls that may wait for an agent, 0 or 1.
    pub queue_limit: u32,
    /// New lines a second for each free agent, 1 to 3.
    pub per_agent: u32,
}

/// What an agent may say of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Disposition {
    /// Key.
    pub word: String,
    /// Shown text.
    pub name: String,
    /// What becomes of the entry.
    pub then: Then,
}

/// What becomes of an entry after its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Called again at a time agreed on.
    Callback,
    /// Never called again, by no campaign.
    DoNotCall,
    /// Done with.
    Done,
    /// Tried again as after no answer.
    Retry,
    /// The number is somebody else's: done with, and shown in the list.
    WrongNumber,
}
