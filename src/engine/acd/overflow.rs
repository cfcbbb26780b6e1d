//! When a caller leaves a queue by rule instead of by an agent: nobody logged in, too many waiting, waited too long, the
//! queue was removed. Pure; decides only whether and why.
use model::config::queue::Queue;

/// Why a caller was sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// No agent is logged in.
    Empty,
    /// As many wait as may.
    Full,
    /// A rule of the queue holds.
    Rule,
    /// The queue is no longer configured.
    Removed,
    /// Waited `max_wait_s`.
    TooLong,
}

impl Why {
    /// The word in a call's journey.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Why::Empty => "no agent logged in",
            Why::Full => "queue full",
            Why::Rule => "rule",
            Why::Removed => "queue removed",
            Why::TooLong => "waited too long",
        }
    }
}

/// Whether a caller who arrives now is sent on at once. `waiting` are those already here, `logged_in` the agents at
/// work, `free` whether one could take the call now.
#[must_use]
pub fn at_arrival(queue: &Queue, waiting: usize, logged_in: usize, free: bool) -> Option<Why> {
    if queue.overflow_when_empty && logged_in == 0 {
        return Some(Why::Empty);
    }
    let most = usize::try_from(queue.max_waiting).unwrap_or(usize::MAX);
    (waiting >= most && !free).then_some(Why::Full)
}

/// Whether callers who already wait are sent on because the last agent went home.
#[must_use]
pub fn when_agents_leave(queue: &Queue, logged_in: usize) -> Option<Why> {
    (queue.overflow_when_empty && logged_in == 0).then_some(Why::Empty)
}
