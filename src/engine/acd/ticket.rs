//! One caller's place in one queue. Its number and rank are given at arrival and kept until an agent answers, so that a
//! failed offer puts the caller back where they were. Decides nothing.
use super::rank::{Rank, Wanted};
use model::clock::{Now, Wall};
use model::id::CallId;
use model::media::Language;
use model::number::Number;
use model::record::Party;
use std::collections::BTreeSet;
use std::time::Duration;

/// Who waits, as far as the queue needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Number and name, for the desks.
    pub party: Party,
    /// Language of announcements.
    pub language: Language,
    /// Its number in international form, when it came from outside: by it a customer is known again.
    pub outside: Option<Number>,
    /// Steps of priority above other callers, 0–9.
    pub priority: u32,
    /// Class of the contact, e.g. `vip`; empty = ordinary or unknown.
    pub class: String,
    /// How long it has waited already, in other queues or before.
    pub waited: Duration,
    /// Since when somebody stood in this queue for them, and was counted.
    pub stood_since: Option<Now>,
}

/// Agents a caller is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// Their ids, sorted.
    pub agents: Vec<String>,
    /// Waited so long, everybody may; `None` = never.
    pub until: Option<Duration>,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Order of arrival over all queues, unique while the box runs.
    pub number: u64,
    /// Place in the one order over all queues.
    pub rank: Rank,
    /// Whose place.
    pub call: CallId,
    /// Which queue.
    pub queue: String,
    /// Who waits.
    pub caller: Caller,
    /// Since when in this queue.
    pub since: Now,
    /// Who may take it now.
    pub wanted: Wanted,
    /// Who gets it first if free.
    pub preferred: Option<String>,
    /// Whom it is meant for.
    pub only: Option<Only>,
    /// Agents whose phones ring for this call now.
    pub ringing: BTreeSet<String>,
    /// The longest wait is over, but a phone rings: it leaves if that fails.
    pub overdue: bool,
    /// Somebody who hung up and will be called back; `None` = on the line.
    pub back: Option<Back>,
}

/// What there is to know of somebody who hung up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// Key: the call in which it was promised.
    pub callback: CallId,
    /// Whom to call.
    pub number: Number,
    /// Since when they wait, in all.
    pub came: Wall,
    /// Nobody calls any more then.
    pub expires: Wall,
    /// Calls made to them.
    pub tries: u32,
    /// Not called before this.
    pub next: Wall,
}
