//! Words about the system's own health and change: the call of the box to itself, and updates of the system. Plain data.
use crate::clock::Wall;
use crate::sentence::Sentence;
use serde::{Deserialize, Serialize};

/// What became of a call of the box to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SelfCall {
    /// When it ended.
    pub at: Wall,
    /// How long it took, ms.
    pub ms: u32,
    /// Which part failed; none = all of them work.
    pub failed: Option<SelfCallPart>,
    /// More about the failure, for the log, in English.
    pub detail: String,
    /// Where its recording is, below the data folder; empty when there is none.
    pub recording: String,
}

/// The parts of the box that a call to itself goes through, in that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SelfCallPart {
    /// INVITE, answer, BYE.
    Signalling,
    /// Prompts are played.
    Prompt,
    /// Keys, and so packets, arrive in both directions.
    Media,
    /// What was heard is written to a file, with the tone in it.
    Recording,
}

/// The system and its updates now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UpdateView {
    /// Why this box cannot be updated here (it runs on a PC); none = it can.
    pub impossible: Option<Sentence>,
    /// Version that runs.
    pub version: String,
    /// Both slots.
    pub slots: Vec<SlotView>,
    /// The running system has not proven itself yet.
    pub unproven: bool,
    /// An update that is installed and starts at the next restart.
    pub waiting: Option<String>,
    /// A file that was uploaded and looked at.
    pub bundle: Option<BundleView>,
    /// What is being done now.
    pub work: Option<WorkView>,
    /// Why the last thing asked was not done.
    pub refused: Option<Sentence>,
    /// A restart that waits for silence: at the latest at this time.
    pub restart_by: Option<Wall>,
    /// What became of the last update.
    pub last: Option<UpdateOutcome>,
    /// The last call of the box to itself.
    pub self_call: Option<SelfCall>,
}

/// One of the two places a system can be in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SlotView {
    /// `a` or `b`.
    pub slot: String,
    /// Version in it; none = empty or not known.
    pub version: Option<String>,
    /// It runs now.
    pub running: bool,
    /// It can be started.
    pub bootable: bool,
}

/// An update file that may be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BundleView {
    /// Its version.
    pub version: String,
    /// Older than what runs.
    pub older: bool,
    /// Size, bytes.
    pub bytes: u64,
}

/// Work on the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WorkView {
    /// 0–100.
    pub percent: u8,
    /// What is done.
    pub step: Sentence,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UpdateOutcome {
    /// `kept`, `taken_back`, `rolled_back`, `interrupted`.
    pub result: String,
    /// Version it was about.
    pub version: String,
    /// Why.
    pub said: Sentence,
    /// When.
    pub at: Wall,
}

/// When the box restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// At once; calls in progress end.
    Now,
    /// As soon as no call is up, at the latest after an hour.
    Idle,
    /// Not by itself: somebody will.
    Later,
}
