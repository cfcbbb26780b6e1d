//! Tickets coming, being offered, going back and leaving. Parts of [`Acd`]; each returns with every table consistent.
//! Decides who is offered what by `rank` and `choose`; never changes an agent's state except through `work.rs`.
use super::overflow::Why;
use super::ticket::{Caller, Ticket};
use super::{Acd, GUARD, Out, REST, Reason, Talk, announce, choose};
use crate::agents;
use model::clock::Now;
use model::config::Config;
use model::config::queue::{Queue, Strategy};
use model::config::route::Destination;
use model::id::CallId;
use model::record::AgentState;
use std::collections::BTreeSet;
use std::time::Duration;

/// Tickets: coming, being offered, leaving.
impl Acd {
    pub(super) fn take_in(
        &mut self,
        now: Now,
        call: CallId,
        rules: &Queue,
        caller: Caller,
        out: &mut Vec<Out>,
    ) {
        let ticket = Ticket {
            number: self.next_number,
            call,
            queue: rules.name.clone(),
            caller,
            since: now,
            ringing: BTreeSet::new(),
            overdue: false,
        };
        self.next_number += 1;
        self.lines.entry(rules.name.clone()).or_default().wait(&ticket);
        self.tickets.insert(call, ticket);
        if rules.max_wait_s > 0 {
            let wait = Duration::from_secs(rules.max_wait_s.into());
            self.deadlines.set(Reason::MaxWait(call), now.mono + wait);
        }
        self.announce_later(now, call, rules);
        out.push(Out::Music { call, source: rules.music.clone() });
        self.touch(&rules.name);
    }

    /// Offers the earliest caller of the queues that changed, as long as an agent is free for one.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Out>) {
        let config = self.config.clone();
        while let Some((call, chosen)) = self.next_match(&config) {
            for agent in chosen {
                self.offer(now, call, &agent, out);
            }
        }
        self.open.clear();
    }

    /// The caller who is served next and by whom: order of arrival over all open queues. A queue with nobody to serve, or
    /// nobody free, is closed until it changes again.
    pub(super) fn next_match(&mut self, config: &Config) -> Option<(CallId, Vec<String>)> {
        let mut best: Option<(bool, u64, CallId, Vec<String>)> = None;
        let mut closed = Vec::new();
        for name in &self.open {
            let found = config.queue.get(name).and_then(|rules| self.match_of(rules));
            match found {
                None => closed.push(name.clone()),
                Some(m) if best.as_ref().is_none_or(|b| (m.0, m.1) < (b.0, b.1)) => best = Some(m),
                Some(_) => {}
            }
        }
        for name in closed {
            self.open.remove(&name);
        }
        best.map(|(_, _, call, chosen)| (call, chosen))
    }

    /// The first caller of one queue with the agents chosen. Callers nobody rings for come before (`false`) those for whom
    /// ring-all can ring one more phone.
    pub(super) fn match_of(&self, rules: &Queue) -> Option<(bool, u64, CallId, Vec<String>)> {
        let line = self.lines.get(&rules.name)?;
        let (joins, (number, call)) = match (line.head(), line.first_offered()) {
            (Some(head), _) => (false, head),
            (None, Some(ringing)) if rules.strategy == Strategy::RingAll => (true, ringing),
            (None, _) => return None,
        };
        let room = match self.tickets.get(&call) {
            Some(ticket) => choose::RING_ALL_MAX.saturating_sub(ticket.ringing.len()),
            None => 0,
        };
        let free = self.free_agents(rules);
        let last = line.last_offered.as_ref().and_then(|id| rules.agents.iter().position(|a| a == id));
        let mut chosen = choose::choose(rules.strategy, &free, last);
        chosen.truncate(room);
        (!chosen.is_empty()).then_some((joins, number, call, chosen))
    }

    pub(super) fn offer(&mut self, now: Now, call: CallId, agent: &str, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let Some(ticket) = self.tickets.get_mut(&call) else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        let Some(extension) = self.agents.get(agent).map(|a| a.extension.clone()) else { return };
        ticket.ringing.insert(agent.to_owned());
        let line = self.lines.entry(rules.name.clone()).or_default();
        line.offer(ticket);
        line.last_offered = Some(agent.to_owned());
        let ring_timeout = Duration::from_secs(rules.ring_timeout_s.into());
        self.deadlines.set(Reason::Guard(agent.to_owned()), now.mono + ring_timeout + GUARD);
        let cause = format!("call of queue {}", rules.name);
        self.enter(now, agent, AgentState::Offered, &cause, Some(call), out);
        out.push(Out::Offer { call, agent: agent.to_owned(), extension, ring_timeout });
    }

    pub(super) fn answered(&mut self, now: Now, call: CallId, agent: &str, out: &mut Vec<Out>) {
        if let Some(ticket) = self.tickets.get_mut(&call) {
            ticket.ringing.remove(agent);
        }
        let Some(ticket) = self.remove(now, call, "another agent answered", out) else { return };
        self.deadlines.clear(&Reason::Guard(agent.to_owned()));
        let wait = now.mono.since(ticket.since.mono);
        let level = self.config.queue.get(&ticket.queue).map_or(0, |q| q.service_level_s);
        self.tally(now, &ticket.queue).answer(wait, level);
        self.talks.insert(call, Talk { agent: agent.to_owned(), queue: ticket.queue.clone() });
        if let Some(a) = self.agents.get_mut(agent) {
            a.calls += 1;
            a.missed = 0;
            a.last_call = Some(call);
        }
        self.enter(now, agent, AgentState::Talking, "answered", Some(call), out);
    }

    pub(super) fn failed(
        &mut self,
        now: Now,
        call: CallId,
        agent: &str,
        cause: &str,
        counts: bool,
        out: &mut Vec<Out>,
    ) {
        let queue = self.unring(call, agent);
        let most = self.config.queue.get(&queue).map_or(0, |q| q.pause_after_misses);
        let Some(a) = self.agents.get_mut(agent) else { return };
        a.missed += u32::from(counts);
        a.idle_since = now.mono;
        let missed = a.missed;
        if counts && most > 0 && missed >= most && a.pause_after.is_none() {
            a.pause_after = Some(agents::MISSED.to_owned());
            self.after_call(now, agent, &format!("missed {missed} offers"), Some(call), out);
        } else {
            a.resting = true;
            self.deadlines.set(Reason::Rest(agent.to_owned()), now.mono + REST);
            self.after_call(now, agent, cause, Some(call), out);
        }
        self.back_to_line(now, call, out);
    }

    /// Takes one agent off the phones that ring for a call. Returns the queue.
    pub(super) fn unring(&mut self, call: CallId, agent: &str) -> String {
        self.deadlines.clear(&Reason::Guard(agent.to_owned()));
        let Some(ticket) = self.tickets.get_mut(&call) else { return String::new() };
        ticket.ringing.remove(agent);
        ticket.queue.clone()
    }

    /// A caller nobody rings for any more stands at the old place again, or leaves if the longest wait is over.
    pub(super) fn back_to_line(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(ticket) = self.tickets.get(&call).filter(|t| t.ringing.is_empty()) else { return };
        let (queue, overdue) = (ticket.queue.clone(), ticket.overdue);
        if let Some(line) = self.lines.get_mut(&queue) {
            line.wait(ticket);
        }
        self.touch(&queue);
        if overdue {
            self.overflow(now, call, Why::TooLong, out);
        }
    }

    /// Takes a ticket out with everything that hangs on it; phones that ring for it are withdrawn.
    pub(super) fn remove(
        &mut self,
        now: Now,
        call: CallId,
        cause: &str,
        out: &mut Vec<Out>,
    ) -> Option<Ticket> {
        let ticket = self.tickets.remove(&call)?;
        if let Some(line) = self.lines.get_mut(&ticket.queue) {
            line.leave(&ticket);
        }
        self.deadlines.clear(&Reason::MaxWait(call));
        self.deadlines.clear(&Reason::Announce(call));
        for agent in &ticket.ringing {
            self.deadlines.clear(&Reason::Guard(agent.clone()));
            out.push(Out::Withdraw { call, agent: agent.clone() });
            self.after_call(now, agent, cause, Some(call), out);
        }
        self.touch(&ticket.queue);
        Some(ticket)
    }

    pub(super) fn overflow(&mut self, now: Now, call: CallId, why: Why, out: &mut Vec<Out>) {
        let Some(ticket) = self.remove(now, call, why.word(), out) else { return };
        self.tally(now, &ticket.queue).overflowed += 1;
        let to = self.config.queue.get(&ticket.queue).map_or(Destination::HangUp, |q| q.overflow.clone());
        out.push(Out::Overflow { call, to, why });
    }

    pub(super) fn waited(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        match self.tickets.get_mut(&call) {
            Some(ticket) if !ticket.ringing.is_empty() => ticket.overdue = true,
            Some(_) => self.overflow(now, call, Why::TooLong, out),
            None => {}
        }
    }

    pub(super) fn announce(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let Some(ticket) = self.tickets.get(&call) else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        if ticket.ringing.is_empty() {
            let place = self.lines.get(&ticket.queue).map_or(1, |line| line.position(ticket.number));
            out.push(Out::Say { call, sounds: announce::position(ticket.caller.language, place) });
        }
        self.announce_later(now, call, rules);
    }

    pub(super) fn announce_later(&mut self, now: Now, call: CallId, rules: &Queue) {
        if rules.announce_position_s > 0 {
            let pause = Duration::from_secs(rules.announce_position_s.into());
            self.deadlines.set(Reason::Announce(call), now.mono + pause);
        }
    }

    pub(super) fn guard(&mut self, now: Now, agent: &str, out: &mut Vec<Out>) {
        let Some(call) = self.agents.get(agent).and_then(|a| a.call) else { return };
        out.push(Out::Withdraw { call, agent: agent.to_owned() });
        self.failed(now, call, agent, "no result of the offer", false, out);
    }
}
