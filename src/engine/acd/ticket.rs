//! One caller's place in one queue. Its number is given at arrival and kept until an agent answers, so that a failed
//! offer puts the caller back where they were. Decides nothing.
use model::clock::Now;
use model::id::CallId;
use model::media::Language;
use model::record::Party;
use std::collections::BTreeSet;

/// Who waits, as far as the queue needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Number and name, for the desks.
    pub party: Party,
    /// Language of announcements.
    pub language: Language,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Order of arrival over all queues, unique while the box runs.
    pub number: u64,
    /// Whose place.
    pub call: CallId,
    /// Which queue.
    pub queue: String,
    /// Who waits.
    pub caller: Caller,
    /// Since when.
    pub since: Now,
    /// Agents whose phones ring for this call now.
    pub ringing: BTreeSet<String>,
    /// The longest wait is over, but a phone rings: it leaves if that fails.
    pub overdue: bool,
}
