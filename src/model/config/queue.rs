//! Section `[[queue]]`: where callers wait.
use crate::config::extension::{RecordPolicy, Rights};
use crate::config::reason::Reason;
use crate::config::route::Destination;
use crate::number::{Mask, Number};
use crate::rule::{Precision, Rounding, Rule};
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// What agents say, line by line, shown on their desk while the phone rings.
    pub script: Vec<String>,
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
    /// Parts of the calls that an agent gets under [`Strategy::Weighted`], 1–100; an agent who is not named has 1.
    pub weight: BTreeMap<String, u32>,
    /// How much its callers come before those of other queues, 0–9 steps of [`Distribution::head_start_s`].
    pub priority: u32,
    /// Its part of the calls of agents who serve several queues, among the queues that have one; 0 = by rank alone.
    pub share: u32,
    /// What its agents must be able to do, less after a while; in the order of time. Empty = everybody may.
    pub skill: Vec<SkillStep>,
    /// Whom a customer who called before gets first, in this order.
    pub prefer: Vec<Prefer>,
    /// Seconds a caller waits for the preferred agent while that one is at work but not free; 0 = not at all.
    pub prefer_wait_s: u32,
    /// Callers that go to certain agents; the first that fits counts.
    pub designated: Vec<Designated>,
    /// Rules by which callers go elsewhere; the first that holds counts, at arrival and again while they wait.
    pub overflow_rule: Vec<Rule>,
    /// Whether waiting callers hear how long it will take, as often as their place.
    pub announce_wait: bool,
    /// What a call was about, to be said after it.
    pub wrap_codes: Vec<WrapCode>,
    /// Whether an agent stays in after-call work until one is said.
    pub wrap_code_required: bool,
    /// Seconds by which an agent may extend after-call work at a time; 0 = not at all.
    pub wrap_extend_s: u32,
    /// Whether and how callers are called back instead of waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// Whether a service outside says which agent gets a caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide: Option<Decide>,
}

/// A service outside that says which agent gets a caller: section `[queue.decide]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decide {
    /// Asked by HTTP GET when a caller comes; `{caller}`, `{class}`, `{queue}`, `{waiting}` and `{free}` (ids of free agents,
    /// with commas) stand for what is known. It answers with a JSON object, e.g. `{"agent": "7"}`.
    pub url: String,
    /// Milliseconds after which the rules of the queue decide.
    pub timeout_ms: u32,
    /// Seconds a caller waits for that agent while they are at work but not free; 0 = not at all.
    pub wait_s: u32,
}

/// Callers may hang up and keep their place: section `[queue.callback]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callback {
    /// Seconds of waiting after which they are told that 1 asks for it; 0 = never, only a flow asks for it.
    pub after_s: u32,
    /// Most calls to one customer.
    pub tries: u32,
    /// Seconds between two of them.
    pub retry_s: u32,
    /// Seconds since they came after which nobody calls any more.
    pub expires_s: u32,
    /// Whether who answers must press 1: by it a person is told from a machine.
    pub confirm: bool,
    /// Dearest numbers that are called back: the number is what the caller says it is.
    pub calls: Rights,
}

/// What a call was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrapCode {
    /// Two digits, dialled after the star code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// What holds for all queues together: section `[distribution]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Whether waiting outweighs priority in the end. Without it a higher priority always comes first.
    pub ageing: bool,
    /// Seconds of waiting that one step of priority is worth.
    pub head_start_s: u32,
    /// Steps of priority of callers by the class of their contact, e.g. `vip` → 3.
    pub class: BTreeMap<String, u32>,
    /// Places kept of quotients in rules.
    pub rule_places: u32,
    /// How they are rounded.
    pub rule_rounding: Rounding,
    /// Why agents may take no calls, in the order shown.
    pub reason: Vec<Reason>,
}

impl Distribution {
    /// How rules reckon.
    #[must_use]
    pub fn precision(&self) -> Precision {
        Precision { places: self.rule_places, rounding: self.rule_rounding }
    }
}

/// What an agent must be able to do for a caller who has waited so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillStep {
    /// From this many seconds of waiting on.
    pub after_s: u32,
    /// Skill → least level.
    pub need: BTreeMap<String, u32>,
}

/// Which agent a returning customer gets first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// Who served them most often.
    Familiar,
    /// Who served them last.
    LastAgent,
}

/// Callers that go to certain agents: one for a dedicated agent, several for designated ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Designated {
    /// Whose calls.
    pub caller: Mask,
    /// Ids of their agents.
    pub agents: Vec<String>,
    /// Seconds after which everybody of the queue may take them; 0 = never.
    pub wait_s: u32,
}

/// Rule of choice among free agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The one who was busy (talking and after-call work) the smallest part of the time at work; ties by longest idle.
    Balanced,
    /// The one who took the fewest calls since login; ties by longest idle.
    FewestCalls,
    /// The first free one of the list.
    InOrder,
    /// The one who talked least since login; ties by longest idle.
    LeastTalk,
    /// The one who has been free longest.
    LongestIdle,
    /// Any free one, each with the same chance.
    Random,
    /// All free ones at once; the first to answer has the call.
    RingAll,
    /// In the order of the list, going on after the last one served.
    RoundRobin,
    /// The one furthest behind their part of the calls by [`Queue::weight`]; ties by longest idle.
    Weighted,
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
