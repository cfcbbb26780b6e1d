//! Section `[[queue]]`: where callers wait.
use crate::config::extension::RecordPolicy;
use crate::config::route::Destination;
use crate::number::Number;
use serde::Serialize;

/// Where callers wait for agents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Queue {
    /// Name, unique.
    pub name: String,
    /// Internal number, if it can be dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// Which agent gets the next call.
    pub strategy: Strategy,
    /// Agent ids, in order.
    pub agents: Vec<String>,
    /// Seconds an agent's phone rings.
    pub ring_timeout_s: u32,
    /// Seconds of after-call work; 0 = none.
    pub wrap_up_s: u32,
    /// Missed offers in a row after which an agent is paused; 0 = never.
    pub pause_after_misses: u32,
    /// Music source name.
    pub music: String,
    /// Seconds between position announcements; 0 = none.
    pub announce_position_s: u32,
    /// Longest wait before `overflow`, seconds; 0 = none.
    pub max_wait_s: u32,
    /// Most callers waiting; one more goes to `overflow` at once.
    pub max_waiting: u32,
    /// Whether a caller goes to `overflow` at once when no agent is logged in.
    pub overflow_when_empty: bool,
    /// Where callers go then.
    pub overflow: Destination,
    /// Recording of its calls.
    pub record: RecordPolicy,
    /// Answered within this many seconds counts as served well.
    pub service_level_s: u32,
}

/// Rule of choice among free agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The one who took the fewest calls since login; ties by longest idle.
    FewestCalls,
    /// The one who has been free longest.
    LongestIdle,
    /// All free ones at once; the first to answer has the call.
    RingAll,
    /// In the order of the list, going on after the last one served.
    RoundRobin,
}

/// A music source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Music {
    /// ALSA PCM to capture from.
    Alsa(String),
    /// The built-in piece.
    BuiltIn,
    /// WAV file below the data folder.
    File(String),
}

impl Serialize for Music {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Music::Alsa(pcm) => s.collect_str(&format_args!("alsa:{pcm}")),
            Music::BuiltIn => s.serialize_str("builtin"),
            Music::File(path) => s.collect_str(&format_args!("file:{path}")),
        }
    }
}
