//! What stands in a list: one entry is one number to be called, with what is known of it. Comes from the store.
use crate::clock::Wall;
use crate::id::EntryId;
use crate::number::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One number of a list, as the dialler needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Key.
    pub entry: EntryId,
    /// Its list.
    pub list: String,
    /// In international form.
    pub number: Number,
    /// Every time zone that the number may be in (IANA names); calling is allowed only where it is allowed in all.
    pub zones: Vec<String>,
    /// Name of the person or company.
    pub name: String,
    /// Further columns of the list, shown to the agent.
    pub fields: BTreeMap<String, String>,
    /// Higher is called first.
    pub value: u32,
    /// Attempts so far over all campaigns.
    pub attempts: u32,
    /// Attempts to this number in the last 24 hours.
    pub attempts_day: u32,
    /// When a person at this number was last abandoned, within the last 30 days.
    pub abandoned: Option<Wall>,
    /// May be called from then on.
    pub due: Wall,
    /// The agent who promised to call back.
    pub agent: Option<String>,
    /// Whether `due` is a promised time.
    pub appointment: bool,
    /// The number is on the do-not-call list.
    pub barred: bool,
}

/// Asks the store for the next entries of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopperQuery {
    /// Lists, any of them.
    pub lists: Vec<String>,
    /// Entries due until then.
    pub due: Wall,
    /// Zones in which nobody may be called now: their entries are left out.
    pub closed: Vec<String>,
    /// Most attempts of an entry.
    pub attempts_max: u32,
    /// Most entries.
    pub limit: u32,
    /// Entries that the dialler holds already.
    pub held: Vec<EntryId>,
}

/// A number that must not be called, or may be called again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Barred {
    /// In international form.
    pub number: Number,
    /// Since when.
    pub at: Wall,
    /// Who wrote it down.
    pub by: String,
    /// On the list, or taken off.
    pub listed: bool,
}
