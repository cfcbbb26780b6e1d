//! Who waits first: one order over all queues. The rank of a caller is fixed at arrival: the moment they came, earlier by a
//! head start for each step of priority. All callers age alike, so that the order of two never turns, and who has waited
//! longer than the largest head start is overtaken by nobody who comes later. Without ageing a higher priority always comes
//! first. A line keeps the callers nobody rings for apart from those being offered, and by who may take them, so that the
//! first one for an agent is found in O(kinds · log n). Bounded by `max_waiting` of the queue, checked in `overflow.rs`.
//! Decides only order.
use super::ticket::Ticket;
use model::config::queue::{Distribution, Queue};
use model::id::CallId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Highest step of priority.
pub const PRIORITY_MAX: u32 = 9;

/// A place in the order: the smaller is served first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Without ageing: priority counted from the top. With ageing: 0.
    class: u32,
    /// Moment of arrival less the head start, µs of the box's own clock; below zero for who came before its start.
    since_us: i64,
    /// Order of arrival, for those who came at the same moment.
    number: u64,
}

impl Rank {
    /// The rank of one who came at `since_us` with this priority. O(1).
    #[must_use]
    pub fn new(rules: &Distribution, priority: u32, since_us: i64, number: u64) -> Rank {
        let priority = priority.min(PRIORITY_MAX);
        if !rules.ageing {
            return Rank { class: PRIORITY_MAX - priority, since_us, number };
        }
        let head_start = Duration::from_secs(u64::from(priority) * u64::from(rules.head_start_s));
        let head_start = i64::try_from(head_start.as_micros()).unwrap_or(i64::MAX);
        Rank { class: 0, since_us: since_us.saturating_sub(head_start), number }
    }
}

/// Who may take a caller. Callers of one queue who want the same stand in one row.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Only these agents, sorted; `None` = all of the queue.
    pub only: Option<Vec<String>>,
    /// Which step of the queue's skills counts; `None` before the first.
    pub step: Option<usize>,
}

impl Wanted {
    /// Whether this agent may take the caller.
    #[must_use]
    pub fn suits(&self, rules: &Queue, agent: &crate::agents::Agent) -> bool {
        let named = self.only.as_ref().is_none_or(|only| only.binary_search(&agent.id).is_ok());
        let need = self.step.and_then(|step| rules.skill.get(step)).map(|step| &step.need);
        let level = |skill: &String| agent.skill.get(skill).copied().unwrap_or(0);
        named && need.is_none_or(|need| need.iter().all(|(skill, least)| level(skill) >= *least))
    }
}

/// The callers of one queue, by rank.
#[derive(Clone, Debug, Default)]
pub struct Line {
    waiting: BTreeMap<Wanted, BTreeMap<Rank, CallId>>,
    offered: BTreeMap<Rank, CallId>,
    /// Of both, those who hung up and will be called back.
    promised: BTreeMap<Rank, CallId>,
    /// The agent that was offered a call of this queue last (round robin goes on after them).
    pub last_offered: Option<String>,
    /// What its callers got of the queues with shares, each caller counted against the share.
    pub pass: u64,
}

impl Line {
    /// Puts a caller at their place: new ones last, returned ones where they were.
    pub fn wait(&mut self, ticket: &Ticket) {
        self.offered.remove(&ticket.rank);
        self.count(ticket);
        self.waiting.entry(ticket.wanted.clone()).or_default().insert(ticket.rank, ticket.call);
    }

    /// A phone rings for this caller.
    pub fn offer(&mut self, ticket: &Ticket) {
        self.take(ticket);
        self.count(ticket);
        self.offered.insert(ticket.rank, ticket.call);
    }

    fn count(&mut self, ticket: &Ticket) {
        if ticket.back.is_some() {
            self.promised.insert(ticket.rank, ticket.call);
        }
    }

    /// The caller is gone from this line.
    pub fn leave(&mut self, ticket: &Ticket) {
        self.take(ticket);
        self.offered.remove(&ticket.rank);
        self.promised.remove(&ticket.rank);
    }

    fn take(&mut self, ticket: &Ticket) {
        if let Some(row) = self.waiting.get_mut(&ticket.wanted) {
            row.remove(&ticket.rank);
            if row.is_empty() {
                self.waiting.remove(&ticket.wanted);
            }
        }
    }

    /// The first caller nobody rings for, of each kind.
    pub fn heads(&self) -> impl Iterator<Item = (Rank, CallId)> + '_ {
        self.waiting.values().filter_map(|row| row.first_key_value()).map(|(rank, call)| (*rank, *call))
    }

    /// Callers somebody rings for, in order.
    pub fn offered(&self) -> impl Iterator<Item = (Rank, CallId)> + '_ {
        self.offered.iter().map(|(rank, call)| (*rank, *call))
    }

    /// Whether nobody stands here without a ringing phone.
    #[must_use]
    pub fn all_offered(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Callers here, offered ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.values().map(BTreeMap::len).sum::<usize>() + self.offered.len()
    }

    /// Callers on the line: those who hung up and will be called back wait elsewhere.
    #[must_use]
    pub fn on_the_line(&self) -> usize {
        self.len() - self.promised.len()
    }

    /// Those who hung up and will be called back.
    pub fn promised(&self) -> impl Iterator<Item = CallId> + '_ {
        self.promised.values().copied()
    }

    /// Whether nobody is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.offered.is_empty()
    }

    /// Position of a rank, from 1. O(callers before it).
    #[must_use]
    pub fn position(&self, rank: Rank) -> usize {
        let rows = self.waiting.values().chain([&self.offered]);
        rows.map(|row| row.range(..rank).count()).sum::<usize>() + 1
    }

    /// Everybody here in order. O(n log n).
    #[must_use]
    pub fn in_order(&self) -> Vec<CallId> {
        self.places().into_iter().map(|(_, call)| call).collect()
    }

    /// The same with their ranks.
    #[must_use]
    pub fn places(&self) -> Vec<(Rank, CallId)> {
        let rows = self.waiting.values().chain([&self.offered]);
        let mut all: Vec<(Rank, CallId)> = rows.flatten().map(|(n, c)| (*n, *c)).collect();
        all.sort_unstable();
        all
    }

    /// The first `most` here in order. O(kinds · most).
    #[must_use]
    pub fn first(&self, most: usize) -> Vec<CallId> {
        let rows = self.waiting.values().chain([&self.offered]);
        let mut all: Vec<(Rank, CallId)> =
            rows.flat_map(|row| row.iter().take(most)).map(|(n, c)| (*n, *c)).collect();
        all.sort_unstable();
        all.into_iter().take(most).map(|(_, call)| call).collect()
    }

    /// Whether this ticket waits here with nobody ringing, or is offered here.
    #[must_use]
    pub fn holds(&self, ticket: &Ticket) -> (bool, bool) {
        let waits = self.waiting.get(&ticket.wanted).is_some_and(|row| row.contains_key(&ticket.rank));
        (waits, self.offered.contains_key(&ticket.rank))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::ticket::Caller;
    use model::clock::Now;
    use std::collections::BTreeSet;

    fn ageing() -> Distribution {
        crate::fixture::site().distribution
    }

    fn rank(number: u64) -> Rank {
        Rank::new(&ageing(), 0, i64::try_from(number).expect("small"), number)
    }

    fn ticket(number: u64) -> Ticket {
        Ticket {
            number,
            rank: rank(number),
            call: CallId(100 + number),
            queue: "q".into(),
            caller: Caller::default(),
            since: Now::default(),
            wanted: Wanted::default(),
            preferred: None,
            only: None,
            ringing: BTreeSet::new(),
            overdue: false,
            back: None,
        }
    }

    #[test]
    fn a_caller_whose_offer_failed_stands_where_they_stood() {
        let mut line = Line::default();
        for n in 1..=3 {
            line.wait(&ticket(n));
        }
        line.offer(&ticket(1));
        assert_eq!(line.heads().collect::<Vec<_>>(), [(rank(2), CallId(102))]);
        assert_eq!(line.position(rank(2)), 2, "the offered caller still counts");
        line.wait(&ticket(1));
        assert_eq!(line.heads().collect::<Vec<_>>(), [(rank(1), CallId(101))]);
        line.leave(&ticket(2));
        assert_eq!(line.in_order(), [CallId(101), CallId(103)]);
        assert_eq!(line.first(1), [CallId(101)]);
        assert_eq!((line.position(rank(3)), line.len()), (2, 2));
    }

    #[test]
    fn priority_is_a_head_start_with_ageing_and_comes_always_first_without() {
        let second = 1_000_000;
        let ageing = ageing();
        let strict = Distribution { ageing: false, ..ageing.clone() };
        let (old, vip_soon, vip_late) = (0, 50 * second, 130 * second);
        let rank = |rules: &Distribution, priority, since| Rank::new(rules, priority, since, 1);
        assert!(rank(&ageing, 2, vip_soon) < rank(&ageing, 0, old), "two steps are 120 s");
        assert!(rank(&ageing, 2, vip_late) > rank(&ageing, 0, old), "who waited longer is not overtaken");
        assert!(rank(&strict, 1, vip_late) < rank(&strict, 0, old));
    }
}
