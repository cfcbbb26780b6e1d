//! Who may take a caller, and how that widens while they wait: skills asked for at lower levels, agents meant for a customer
//! only for so long. Parts of [`Acd`]. Decides who may, never who does.
use super::ticket::{Caller, Only, Ticket};
use super::{Acd, Reason};
use crate::acd::rank::Wanted;
use model::clock::{Mono, Now};
use model::config::queue::{Prefer, Queue};
use model::id::CallId;
use std::time::Duration;

/// Who may take a caller of this queue after waiting so long.
#[must_use]
pub(super) fn wanted(rules: &Queue, ticket: &Ticket, waited: Duration) -> Wanted {
    let begun = |after_s: u32| Duration::from_secs(after_s.into()) <= waited;
    let only = ticket.only.as_ref().filter(|only| only.until.is_none_or(|until| waited < until));
    Wanted {
        only: only.map(|only| only.agents.clone()),
        step: rules.skill.iter().rposition(|step| begun(step.after_s)),
    }
}

/// The next moment of waiting at which that changes.
fn next_change(rules: &Queue, ticket: &Ticket, waited: Duration) -> Option<Duration> {
    let steps = rules.skill.iter().map(|step| Duration::from_secs(step.after_s.into()));
    let only = ticket.only.as_ref().and_then(|only| only.until);
    steps.chain(only).filter(|at| *at > waited).min()
}

impl Acd {
    /// The agent a customer gets first, and whom alone they are meant for.
    pub(super) fn meant_for(&self, rules: &Queue, caller: &Caller) -> (Option<String>, Option<Only>) {
        let Some(customer) = &caller.outside else { return (None, None) };
        let wait = |s: u32| (s > 0).then(|| Duration::from_secs(s.into()));
        if let Some(rule) = rules.designated.iter().find(|d| d.caller.matches(customer)) {
            let mut agents = rule.agents.clone();
            agents.sort_unstable();
            return (None, Some(Only { agents, until: wait(rule.wait_s) }));
        }
        let may = |id: &str| {
            rules.agents.iter().any(|a| a == id) && self.agents().get(id).is_some_and(|a| a.logged_in())
        };
        let found = rules.prefer.iter().find_map(|prefer| match prefer {
            Prefer::Familiar => self.bonds.familiar(customer, may),
            Prefer::LastAgent => self.bonds.last(customer, may),
        });
        let Some(agent) = found.map(str::to_owned) else { return (None, None) };
        let only =
            wait(rules.prefer_wait_s).map(|until| Only { agents: vec![agent.clone()], until: Some(until) });
        (Some(agent), only)
    }

    pub(super) fn relax_later(&mut self, now: Mono, ticket: &Ticket, rules: &Queue) {
        let reason = Reason::Relax(ticket.call);
        let since = ticket.since.mono;
        match next_change(rules, ticket, now.since(since)) {
            Some(waited) => self.deadlines.set(reason, since + waited),
            None => self.deadlines.clear(&reason),
        }
    }

    /// More may take this caller now.
    pub(super) fn relax(&mut self, now: Now, call: CallId) {
        let config = self.config.clone();
        let Some(mut ticket) = self.tickets.get(&call).cloned() else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        let wanted = wanted(rules, &ticket, now.mono.since(ticket.since.mono));
        if let Some(line) = self.lines.get_mut(&ticket.queue).filter(|_| wanted != ticket.wanted) {
            line.leave(&ticket);
            ticket.wanted = wanted;
            if ticket.ringing.is_empty() {
                line.wait(&ticket);
            } else {
                line.offer(&ticket);
            }
            self.touch(&ticket.queue);
        }
        self.relax_later(now.mono, &ticket, rules);
        self.tickets.insert(call, ticket);
    }

    /// Everybody who waits for this agent alone, by preference, waits no longer: the agent went home.
    pub(super) fn no_more_preferred(&mut self, now: Now, agent: &str) {
        let waits = |t: &&Ticket| t.preferred.as_deref() == Some(agent);
        let calls: Vec<CallId> = self.tickets.values().filter(waits).map(|t| t.call).collect();
        for call in calls {
            if let Some(ticket) = self.tickets.get_mut(&call) {
                ticket.preferred = None;
                ticket.only = None;
            }
            self.relax(now, call);
        }
    }
}
