//! Conditional overflow: the rules of a queue, asked when a caller comes and again while they wait. Parts of [`Acd`]. What a
//! rule sees is the state at this instant, the caller in question not counted. O(rules · their length).
use super::overflow::Why;
use super::ticket::{Caller, Ticket};
use super::{Acd, Out, Reason};
use model::clock::Now;
use model::config::queue::Queue;
use model::config::route::Destination;
use model::id::CallId;
use model::rule::{Fact, Facts, QueueFact, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// A waiting caller's rules are asked this often: the least that a person would notice.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// The queues as a rule sees them.
struct Sight<'a> {
    acd: &'a Acd,
    now: Now,
    caller: &'a Caller,
    waited: Duration,
    /// The queue in which the caller is counted already.
    inside: Option<&'a str>,
    /// Free agents by queue, as counted for this caller: of all facts the dearest, and rules ask for them again and again.
    free: RefCell<BTreeMap<String, u64>>,
}

impl Facts for Sight<'_> {
    fn value(&self, fact: &Fact) -> Option<Value> {
        let here = || {
            jiff::Timestamp::from_millisecond(self.now.wall.0)
                .ok()?
                .in_tz(&self.acd.config.system.time_zone)
                .ok()
        };
        let small = |n: i8| Some(Value::Number(n.into()));
        match fact {
            Fact::Caller => Some(Value::Text(self.caller.party.number.clone())),
            Fact::Class => Some(Value::Text(self.caller.class.clone())),
            Fact::Hour => small(here()?.hour()),
            Fact::Minute => small(here()?.minute()),
            Fact::Weekday => small(here()?.weekday().to_monday_one_offset()),
            Fact::Waited => Some(Value::Number((self.caller.waited + self.waited).as_secs().into())),
            Fact::Queue(name, fact) => self.of_queue(name, *fact).map(|n| Value::Number(n.into())),
        }
    }
}

impl Sight<'_> {
    fn of_queue(&self, name: &str, fact: QueueFact) -> Option<u64> {
        self.acd.config.queue.get(name)?;
        let counts = self.acd.agents.counts(name);
        let line = self.acd.lines.get(name);
        Some(match fact {
            QueueFact::Busy => counts.busy.into(),
            QueueFact::LoggedIn => counts.logged_in.into(),
            QueueFact::LongestWait => {
                let first = line.and_then(|line| line.first(1).first().copied());
                let ticket = first.and_then(|call| self.acd.tickets.get(&call));
                ticket.map_or(0, |t| self.now.mono.since(t.since.mono).as_secs())
            }
            QueueFact::Ready => self.free(name),
            QueueFact::Waiting => {
                let all = line.map_or(0, super::Line::len) as u64;
                all.saturating_sub(u64::from(self.inside == Some(name)))
            }
        })
    }

    fn free(&self, queue: &str) -> u64 {
        let mut free = self.free.borrow_mut();
        if let Some(known) = free.get(queue) {
            return *known;
        }
        let counted = self.acd.agents.free_count(queue) as u64;
        free.insert(queue.to_owned(), counted);
        counted
    }
}

impl Acd {
    /// Where the rules send a caller who comes now.
    pub(super) fn ruled_out(&self, now: Now, rules: &Queue, ticket: &Ticket) -> Option<Destination> {
        self.first_rule(now, rules, ticket, None)
    }

    fn first_rule(
        &self,
        now: Now,
        rules: &Queue,
        ticket: &Ticket,
        inside: Option<&str>,
    ) -> Option<Destination> {
        let waited = now.mono.since(ticket.since.mono);
        let sight =
            Sight { acd: self, now, caller: &ticket.caller, waited, inside, free: RefCell::default() };
        let precision = self.config.distribution.precision();
        let found = rules.overflow_rule.iter().find(|rule| rule.when.holds(precision, &sight));
        found.map(|rule| rule.to.clone())
    }

    pub(super) fn ask_rules_later(&mut self, now: Now, call: CallId, rules: &Queue) {
        if !rules.overflow_rule.is_empty() {
            self.deadlines.set(Reason::Rules(call), now.mono + ASK_EVERY);
        }
    }

    /// Asks the rules for a caller who waits; one for whom a phone rings stays.
    pub(super) fn ask_rules(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let Some(ticket) = self.tickets.get(&call) else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        let to = self.first_rule(now, rules, ticket, Some(&rules.name));
        match to.filter(|_| ticket.ringing.is_empty()) {
            Some(to) => self.send_on(now, call, Why::Rule, to, out),
            None => self.ask_rules_later(now, call, rules),
        }
    }
}
