//! What the board of a campaign and the desk of an agent show, each the whole new state.
use super::order::Steering;
use crate::clock::Wall;
use crate::config::campaign::{Disposition, Form};
use crate::id::{CallId, EntryId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A campaign now. Counts are since midnight of the site or the start of the box, whichever is later; the account of
/// abandoned calls is of 30 days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CampaignView {
    /// Name.
    pub campaign: String,
    /// The queue whose agents work in it.
    pub queue: String,
    /// Those of them who do not take part.
    pub left: Vec<String>,
    /// How it is steered.
    pub steering: Steering,
    /// The form that is wanted.
    pub form: Form,
    /// The form it works in now: differs while something is wrong.
    pub works_as: Form,
    /// Why it does not dial, or works in another form; machine word, empty when all is well: `paused no_agents no_entries
    /// hours no_trunk stale fault inbound abandoned`.
    pub held: String,
    /// Agents who take part and are at work.
    pub agents: u32,
    /// Free ones.
    pub free: u32,
    /// Talking in its calls.
    pub talking: u32,
    /// In after-call work.
    pub wrap_up: u32,
    /// Agents that the pace thought would be free by now, a while ago.
    pub free_thought: u32,
    /// Lines being dialled or ringing.
    pub lines: u32,
    /// Entries ready to be dialled.
    pub ready: u32,
    /// Attempts.
    pub attempts: u32,
    /// Answered by a person.
    pub live: u32,
    /// Of these without an agent in time.
    pub abandoned: u32,
    /// Attempts by result.
    pub results: BTreeMap<String, u32>,
    /// Answered by a person in 30 days.
    pub live_30: u32,
    /// Of these abandoned.
    pub abandoned_30: u32,
    /// Lower end of the 95 % band of the abandonment rate, in hundredths of a percent.
    pub rate_low: u32,
    /// Upper end.
    pub rate_high: u32,
    /// Most that may be abandoned, in hundredths of a percent.
    pub rate_max: u32,
    /// Milliseconds agents talked.
    pub talk_ms: u64,
    /// Milliseconds of after-call work.
    pub wrap_ms: u64,
    /// Milliseconds agents were at work in it.
    pub work_ms: u64,
    /// Entries that the rules held back, by rule.
    pub refused: BTreeMap<String, u32>,
    /// Who changed it last, when, and what.
    pub changed: Option<(Wall, String, String)>,
}

/// A campaign's entry at an agent's desk: shown before it is dialled, while it runs, and until its result is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OutreachView {
    /// Whose desk.
    pub agent: String,
    /// Campaign.
    pub campaign: String,
    /// Form.
    pub form: Form,
    /// The call, once it is dialled.
    pub call: Option<CallId>,
    /// `preview dialling talking wrap_up`.
    pub stage: String,
    /// Entry.
    pub entry: EntryId,
    /// Number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Further columns.
    pub fields: BTreeMap<String, String>,
    /// What the agent says first.
    pub script: String,
    /// What may be said of the call.
    pub dispositions: Vec<Disposition>,
    /// Since when.
    pub since: Wall,
}
