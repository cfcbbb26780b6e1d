//! A question about a fictional call and its answer: "number X calls DID Y on 24 December at 18:05, and queue 2 has no
//! agent". Plain data; `sim::what_if` answers it with the code of real calls.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// Who calls, as the carrier sends it; empty = withheld.
    pub caller: String,
    /// What is dialled, as the carrier sends it.
    pub called: String,
    /// Over which trunk; the first unless given.
    pub trunk: Option<String>,
    /// When, in the site's zone: `2026-12-24T18:05`.
    pub at: String,
    /// Keys pressed: one entry each time the caller is asked; nothing once they are used up. An entry that is no keys is
    /// said to the menu, and understood by the recogniser if the site has one.
    pub keys: Vec<String>,
    /// Queues that no agent is signed in for.
    pub no_agents: Vec<String>,
    /// Extensions whose phone is switched off.
    pub off: Vec<String>,
    /// Extensions that nobody answers.
    pub ignored: Vec<String>,
    /// What services answer to lookups; without it they do not answer.
    pub answer: Option<BTreeMap<String, String>>,
    /// What an application says, verb by verb (SPECIFICATION.md, *Applications outside*); without it there is none.
    pub verbs: Vec<serde_json::Value>,
}

/// A step of the fictional call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Step {
    /// Milliseconds after it began.
    pub offset_ms: u64,
    /// As in a call's journey.
    pub kind: String,
    /// As in a call's journey.
    pub detail: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Forecast {
    /// Every step.
    pub steps: Vec<Step>,
    /// Where the call is at the end: a stage as in the live view, or how it ended.
    pub end: String,
    /// Who or what it is with.
    pub with: String,
}
