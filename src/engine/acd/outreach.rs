//! Answered calls of campaigns: they have the highest claim on the agents of their queue, wait two seconds at most, and stand
//! in no line. Parts of [`Acd`], the one owner of agent states. An agent can be reserved for one such call before it is
//! dialled; nobody else is offered to them meanwhile.
use super::{Acd, GUARD, OfferResult, Out, Reason, Talk};
use model::clock::{Mono, Now};
use model::id::CallId;
use model::record::AgentState;
use std::collections::BTreeMap;
use std::time::Duration;

/// A phone of a campaign answers by itself; one that does not within this time is left out for this call.
const RING: Duration = Duration::from_secs(5);

/// Calls that were answered and have no agent yet, in the order of their answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Reaches {
    by_call: BTreeMap<CallId, Reach>,
    next: u64,
}

#[derive(Clone, Debug)]
struct Reach {
    number: u64,
    queue: String,
    only: Option<String>,
    ringing: Option<String>,
    /// Whose phone did not take it.
    failed: Vec<String>,
}

impl Reaches {
    /// The queue of such a call.
    pub(super) fn queue_of(&self, call: CallId) -> Option<&str> {
        self.by_call.get(&call).map(|r| r.queue.as_str())
    }

    /// Whether this agent's phone rings for this call.
    pub(super) fn rings(&self, call: CallId, agent: &str) -> bool {
        self.by_call.get(&call).is_some_and(|r| r.ringing.as_deref() == Some(agent))
    }
}

impl Acd {
    /// Keeps a free agent for a call that is to be dialled. False when they are not free.
    pub fn reserve(&mut self, agent: &str, call: CallId) -> bool {
        let free = self.agents.get(agent).is_some_and(|a| self.agents.is_free(a));
        if let Some(a) = self.agents.get_mut(agent).filter(|_| free) {
            a.reserved = Some(call);
        }
        free
    }

    /// The agent is not kept for this call any more.
    pub fn release(&mut self, now: Now, agent: &str, call: CallId, out: &mut Vec<Out>) {
        let Some(a) = self.agents.get_mut(agent).filter(|a| a.reserved == Some(call)) else { return };
        a.reserved = None;
        self.open_queues_of(agent);
        self.finish(now, out);
    }

    /// A person was reached and needs an agent now: the one given, or, when that one is not there any more and when none is
    /// given, the one of the queue who has been free longest.
    pub fn reach(&mut self, now: Now, call: CallId, queue: &str, only: Option<String>, out: &mut Vec<Out>) {
        let number = self.reaches.next;
        self.reaches.next += 1;
        let reach = Reach { number, queue: queue.to_owned(), only, ringing: None, failed: Vec::new() };
        self.reaches.by_call.insert(call, reach);
        self.finish(now, out);
    }

    /// Offers reached persons to free agents, first answered first; before any line is looked at.
    pub(super) fn settle_reaches(&mut self, now: Now, out: &mut Vec<Out>) {
        let mut open: Vec<(u64, CallId)> = self
            .reaches
            .by_call
            .iter()
            .filter(|(_, r)| r.ringing.is_none())
            .map(|(c, r)| (r.number, *c))
            .collect();
        open.sort_unstable();
        for (_, call) in open {
            if let Some(agent) = self.agent_for(call) {
                self.offer_reach(now, call, &agent, out);
            }
        }
    }

    fn agent_for(&self, call: CallId) -> Option<String> {
        let reach = self.reaches.by_call.get(&call)?;
        let rules = self.config.queue.get(&reach.queue)?;
        let meant = |id: &str| reach.only.as_deref() == Some(id);
        let wanted = |id: &str| meant(id) || rules.agents.iter().any(|a| a == id);
        let free = self.agents.all().filter(|a| wanted(&a.id) && self.agents.is_free_for(a, call));
        let untried = free.filter(|a| !reach.failed.contains(&a.id));
        untried.min_by_key(|a| (!meant(&a.id), a.reserved != Some(call), a.idle_since)).map(|a| a.id.clone())
    }

    fn offer_reach(&mut self, now: Now, call: CallId, agent: &str, out: &mut Vec<Out>) {
        let Some(extension) = self.agents.get(agent).map(|a| a.extension.clone()) else { return };
        if let Some(reach) = self.reaches.by_call.get_mut(&call) {
            reach.ringing = Some(agent.to_owned());
        }
        self.deadlines.set(Reason::Guard(agent.to_owned()), now.mono + RING + GUARD);
        self.enter(now, agent, AgentState::Offered, "campaign call", Some(call), out);
        out.push(Out::Offer { call, agent: agent.to_owned(), extension, ring_timeout: RING });
    }

    /// What became of the offer of a reached person; `None` when this is no such call.
    pub(super) fn reach_result(
        &mut self,
        now: Now,
        call: CallId,
        agent: &str,
        result: OfferResult,
        out: &mut Vec<Out>,
    ) -> Option<bool> {
        let reach = self.reaches.by_call.get_mut(&call)?;
        if reach.ringing.as_deref() != Some(agent) {
            return Some(false);
        }
        reach.ringing = None;
        reach.failed.push(agent.to_owned());
        let queue = reach.queue.clone();
        if result == OfferResult::Answered {
            self.reaches.by_call.remove(&call);
            self.deadlines.clear(&Reason::Guard(agent.to_owned()));
            self.talks.insert(call, Talk { agent: agent.to_owned(), queue });
            if let Some(a) = self.agents.get_mut(agent) {
                a.calls += 1;
                a.missed = 0;
                a.last_call = Some(call);
                a.reserved = None;
            }
            self.enter(now, agent, AgentState::Talking, "answered", Some(call), out);
        } else {
            let cause = match result {
                OfferResult::Busy => "phone busy",
                OfferResult::Declined => "declined",
                OfferResult::Unreachable => "phone unreachable",
                OfferResult::NoAnswer | OfferResult::Answered => "no answer",
            };
            self.failed(now, call, agent, cause, false, out);
        }
        self.finish(now, out);
        Some(true)
    }

    /// The person is gone, or was told that nobody is there.
    pub(super) fn reach_gone(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(reach) = self.reaches.by_call.remove(&call) else { return };
        if let Some(agent) = reach.ringing {
            self.deadlines.clear(&Reason::Guard(agent.clone()));
            out.push(Out::Withdraw { call, agent: agent.clone() });
            self.after_call(now, &agent, "caller hung up", Some(call), out);
        }
    }

    /// An agent's offer had no result in time.
    pub(super) fn reach_missed(&mut self, call: CallId, agent: &str) {
        if let Some(reach) =
            self.reaches.by_call.get_mut(&call).filter(|r| r.ringing.as_deref() == Some(agent))
        {
            reach.ringing = None;
            reach.failed.push(agent.to_owned());
        }
    }

    /// Share of a queue's callers of late served in time, percent, those counted who wait too long already; `None` while
    /// it had no callers.
    #[must_use]
    pub fn level_percent(&self, now: Mono, queue: &str) -> Option<u32> {
        let level = Duration::from_secs(self.config.queue.get(queue)?.service_level_s.into());
        let waits = self.tickets.values().filter(|t| t.queue == queue && now.since(t.since.mono) > level);
        let (overdue, none) = (waits.count(), super::level::Level::default());
        self.levels.get(queue).unwrap_or(&none).percent(now, overdue)
    }
}
