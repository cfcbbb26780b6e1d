//! Who waits first: order of arrival. A line keeps the callers nobody rings for apart from those being offered, so that
//! the head is found in O(log n). Bounded by `max_waiting` of the queue, checked in `overflow.rs`. Decides only order.
use super::ticket::Ticket;
use model::id::CallId;
use std::collections::BTreeMap;

/// The callers of one queue, by ticket number.
#[derive(Clone, Debug, Default)]
pub struct Line {
    waiting: BTreeMap<u64, CallId>,
    offered: BTreeMap<u64, CallId>,
    /// The agent that was offered a call of this queue last (round robin goes on after them).
    pub last_offered: Option<String>,
}

impl Line {
    /// Puts a caller at their place: new ones last, returned ones where they were.
    pub fn wait(&mut self, ticket: &Ticket) {
        self.offered.remove(&ticket.number);
        self.waiting.insert(ticket.number, ticket.call);
    }

    /// A phone rings for this caller.
    pub fn offer(&mut self, ticket: &Ticket) {
        self.waiting.remove(&ticket.number);
        self.offered.insert(ticket.number, ticket.call);
    }

    /// The caller is gone from this line.
    pub fn leave(&mut self, ticket: &Ticket) {
        self.waiting.remove(&ticket.number);
        self.offered.remove(&ticket.number);
    }

    /// The first caller nobody rings for.
    #[must_use]
    pub fn head(&self) -> Option<(u64, CallId)> {
        self.waiting.first_key_value().map(|(n, c)| (*n, *c))
    }

    /// The first caller somebody rings for.
    #[must_use]
    pub fn first_offered(&self) -> Option<(u64, CallId)> {
        self.offered.first_key_value().map(|(n, c)| (*n, *c))
    }

    /// Callers here, offered ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len() + self.offered.len()
    }

    /// Whether nobody is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.offered.is_empty()
    }

    /// Position of a ticket, from 1. O(callers before it).
    #[must_use]
    pub fn position(&self, number: u64) -> usize {
        self.waiting.range(..number).count() + self.offered.range(..number).count() + 1
    }

    /// Everybody here in order of arrival. O(n).
    #[must_use]
    pub fn in_order(&self) -> Vec<CallId> {
        let mut all: Vec<(u64, CallId)> =
            self.waiting.iter().chain(&self.offered).map(|(n, c)| (*n, *c)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, call)| call).collect()
    }

    /// Whether this ticket waits here with nobody ringing, or is offered here.
    #[must_use]
    pub fn holds(&self, ticket: &Ticket) -> (bool, bool) {
        (self.waiting.contains_key(&ticket.number), self.offered.contains_key(&ticket.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::ticket::Caller;
    use model::clock::Now;
    use std::collections::BTreeSet;

    fn ticket(number: u64) -> Ticket {
        Ticket {
            number,
            call: CallId(100 + number),
            queue: "q".into(),
            caller: Caller::default(),
            since: Now::default(),
            ringing: BTreeSet::new(),
            overdue: false,
        }
    }

    #[test]
    fn a_caller_whose_offer_failed_stands_where_they_stood() {
        let mut line = Line::default();
        for n in 1..=3 {
            line.wait(&ticket(n));
        }
        line.offer(&ticket(1));
        assert_eq!(line.head(), Some((2, CallId(102))));
        assert_eq!(line.position(2), 2, "the offered caller still counts");
        line.wait(&ticket(1));
        assert_eq!(line.head(), Some((1, CallId(101))));
        line.leave(&ticket(2));
        assert_eq!(line.in_order(), [CallId(101), CallId(103)]);
        assert_eq!((line.position(3), line.len()), (2, 2));
    }
}
