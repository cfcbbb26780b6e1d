//! Tickets coming, being offered, going back and leaving. Parts of [`Acd`]; each returns with every table consistent.
//! Decides who is offered what by `rank` and `choose`; never changes an agent's state except through `work.rs`.
use super::choose::Moment;
use super::overflow::Why;
use super::rank::{Rank, Wanted};
use super::ticket::{Caller, Ticket};
use super::{Acd, GUARD, Out, REST, Reason, Talk, announce, choose, relax};
use model::clock::{Mono, Now};
use model::config::Config;
use model::config::queue::{Queue, Strategy};
use model::config::route::Destination;
use model::id::CallId;
use model::record::AgentState;
use std::collections::BTreeSet;
use std::time::Duration;

/// Each caller of a queue with the share 1 counts this much against it; a queue with a larger share counts less.
const STRIDE: u64 = 1 << 32;

/// A caller and the agents that shall ring for them.
pub(super) struct Match {
    /// Somebody rings for this caller already; another phone joins.
    joins: bool,
    rank: Rank,
    call: CallId,
    queue: String,
    chosen: Vec<String>,
}

/// Tickets: coming, being offered, leaving.
impl Acd {
    /// The place of a caller who comes now, not in any line yet.
    pub(super) fn ticket(&mut self, now: Now, call: CallId, rules: &Queue, caller: Caller) -> Ticket {
        let number = self.next_number;
        self.next_number += 1;
        let since = caller.stood_since.unwrap_or(now);
        let waited = i64::try_from(caller.waited.as_micros()).unwrap_or(i64::MAX);
        let since_us = i64::try_from(since.mono.0).unwrap_or(i64::MAX).saturating_sub(waited);
        let by_class = self.config.distribution.class.get(&caller.class).copied().unwrap_or(0);
        let priority = rules.priority + caller.priority + by_class;
        let (preferred, only) = self.meant_for(rules, &caller);
        let mut ticket = Ticket {
            number,
            rank: Rank::new(&self.config.distribution, priority, since_us, number),
            call,
            queue: rules.name.clone(),
            caller,
            since,
            wanted: Wanted::default(),
            preferred,
            only,
            ringing: BTreeSet::new(),
            overdue: false,
            back: None,
        };
        ticket.wanted = relax::wanted(rules, &ticket, now.mono.since(since.mono));
        ticket
    }

    /// A caller, or a promise to call one back, waits from now on.
    pub(super) fn stand_in_line(&mut self, now: Mono, ticket: Ticket, rules: &Queue) {
        let clock = self.share_clock;
        let line = self.lines.entry(rules.name.clone()).or_default();
        if line.is_empty() {
            // Who had nobody waiting has saved nothing up.
            line.pass = line.pass.max(clock);
        }
        line.wait(&ticket);
        self.relax_later(now, &ticket, rules);
        self.tickets.insert(ticket.call, ticket);
    }

    pub(super) fn take_in(&mut self, now: Now, ticket: Ticket, rules: &Queue, out: &mut Vec<Out>) {
        let (call, since) = (ticket.call, ticket.since.mono);
        self.stand_in_line(now.mono, ticket, rules);
        if rules.max_wait_s > 0 {
            let wait = Duration::from_secs(rules.max_wait_s.into());
            self.deadlines.set(Reason::MaxWait(call), since + wait);
        }
        self.announce_later(now, call, rules);
        self.ask_rules_later(now, call, rules);
        self.offer_callback_later(now, call, rules);
        out.push(Out::Music { call, source: rules.music.clone() });
        self.touch(&rules.name);
    }

    /// Offers the first caller of the queues that changed, as long as an agent is free for one.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Out>) {
        self.settle_reaches(now, out);
        let config = self.config.clone();
        while let Some(found) = self.next_match(now, &config) {
            if !found.joins {
                self.count_share(&config, &found.queue);
            }
            for agent in found.chosen {
                self.offer(now, found.call, &agent, out);
            }
        }
        for queue in std::mem::take(&mut self.open) {
            self.agents.prune(&queue);
        }
    }

    /// The caller who is served next and by whom: one order over all open queues. What goes to a queue with a share goes to
    /// the one of them that is furthest behind its share. A queue with nobody to serve, or nobody free, is closed until it
    /// changes again.
    fn next_match(&mut self, now: Now, config: &Config) -> Option<Match> {
        let mut found = Vec::new();
        let mut closed = Vec::new();
        for name in &self.open {
            match config.queue.get(name).and_then(|rules| self.match_of(now, rules)) {
                Some(m) => found.push(m),
                None => closed.push(name.clone()),
            }
        }
        for name in closed {
            self.open.remove(&name);
            self.agents.prune(&name);
        }
        let share = |m: &Match| config.queue.get(&m.queue).map_or(0, |q| q.share);
        let first = found.iter().enumerate().min_by_key(|(_, m)| (m.joins, m.rank)).map(|(i, _)| i)?;
        if found[first].joins || share(&found[first]) == 0 {
            return Some(found.swap_remove(first));
        }
        let pass = |m: &Match| self.lines.get(&m.queue).map_or(0, |line| line.pass);
        let sharing = found.iter().enumerate().filter(|(_, m)| !m.joins && share(m) > 0);
        let behind = sharing.min_by_key(|(_, m)| (pass(m), m.rank)).map(|(i, _)| i)?;
        Some(found.swap_remove(behind))
    }

    /// The first caller of one queue for whom somebody is free, with the agents chosen. Callers nobody rings for come
    /// before those for whom ring-all can ring one more phone.
    fn match_of(&self, now: Now, rules: &Queue) -> Option<Match> {
        let line = self.lines.get(&rules.name).filter(|line| !line.is_empty())?;
        let free = self.free_agents(rules);
        if free.is_empty() {
            return None;
        }
        let suits = |ticket: &Ticket| free.iter().any(|(_, a)| ticket.wanted.suits(rules, a));
        let of = |(rank, call)| self.tickets.get(&call).map(|ticket| (rank, ticket));
        let head = line.heads().filter_map(of).filter(|(_, t)| suits(t)).min_by_key(|(rank, _)| *rank);
        let joined = || {
            let mut ringing = line.offered().filter_map(of);
            ringing.find(|(_, t)| t.ringing.len() < choose::RING_ALL_MAX && suits(t))
        };
        let (joins, (rank, ticket)) = match head {
            Some(head) => (false, head),
            None if rules.strategy == Strategy::RingAll && line.all_offered() => (true, joined()?),
            None => return None,
        };
        let free: Vec<_> = free.into_iter().filter(|(_, a)| ticket.wanted.suits(rules, a)).collect();
        let last_place = line.last_offered.as_ref().and_then(|id| rules.agents.iter().position(|a| a == id));
        let preferred = ticket.preferred.as_deref().filter(|_| !joins);
        let at = Moment { now: now.mono, last_place, dice: self.dice.value(), preferred };
        let mut chosen = choose::choose(rules, &free, at);
        chosen.truncate(choose::RING_ALL_MAX.saturating_sub(ticket.ringing.len()));
        let (call, queue) = (ticket.call, rules.name.clone());
        (!chosen.is_empty()).then_some(Match { joins, rank, call, queue, chosen })
    }

    fn count_share(&mut self, config: &Config, queue: &str) {
        let stride = stride(config, queue);
        if let Some(line) = self.lines.get_mut(queue).filter(|_| stride > 0) {
            self.share_clock = self.share_clock.max(line.pass);
            line.pass = line.pass.saturating_add(stride);
        }
    }

    /// Nobody answered: it did not count.
    fn give_share_back(&mut self, queue: &str) {
        let stride = stride(&self.config, queue);
        if let Some(line) = self.lines.get_mut(queue) {
            line.pass = line.pass.saturating_sub(stride);
        }
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
        if rules.strategy == Strategy::Random {
            self.dice.turn();
        }
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
        if ticket.back.is_some() {
            return self.calls_back(now, ticket, agent, out);
        }
        let wait = now.mono.since(ticket.since.mono);
        let level = self.config.queue.get(&ticket.queue).map_or(0, |q| q.service_level_s);
        self.tally(now, &ticket.queue).answer(wait, level);
        if let Some(customer) = &ticket.caller.outside {
            self.bonds.served(now.wall, customer, agent);
        }
        let in_time = wait <= Duration::from_secs(level.into());
        self.levels.entry(ticket.queue.clone()).or_default().count(now.mono, in_time);
        self.talks.insert(call, Talk { agent: agent.to_owned(), queue: ticket.queue.clone() });
        self.takes(agent, call, &ticket.queue);
        self.enter(now, agent, AgentState::Talking, "answered", Some(call), out);
    }

    /// The agent has a customer of this queue.
    pub(super) fn takes(&mut self, agent: &str, call: CallId, queue: &str) {
        if let Some(a) = self.agents.get_mut(agent) {
            a.calls += 1;
            a.missed = 0;
            a.last_call = Some(call);
            a.last_queue = Some(queue.to_owned());
            a.wrap_code = None;
        }
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
            a.pause_after = Some(model::config::reason::MISSED.to_owned());
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
        self.give_share_back(&queue);
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
        if let Some(ticket) = self.deciding.remove(&call) {
            self.deadlines.clear(&Reason::Decide(call));
            return Some(ticket);
        }
        let ticket = self.tickets.remove(&call)?;
        if let Some(line) = self.lines.get_mut(&ticket.queue) {
            line.leave(&ticket);
        }
        self.deadlines.clear(&Reason::MaxWait(call));
        self.deadlines.clear(&Reason::Announce(call));
        self.deadlines.clear(&Reason::Relax(call));
        self.deadlines.clear(&Reason::Rules(call));
        self.deadlines.clear(&Reason::OfferCallback(call));
        let left = self.lines.get(&ticket.queue).map_or(0, super::rank::Line::len);
        self.forecasts.entry(ticket.queue.clone()).or_default().left(now.mono, left > 0);
        if !ticket.ringing.is_empty() {
            self.give_share_back(&ticket.queue);
        }
        for agent in &ticket.ringing {
            self.deadlines.clear(&Reason::Guard(agent.clone()));
            out.push(Out::Withdraw { call, agent: agent.clone() });
            self.after_call(now, agent, cause, Some(call), out);
        }
        self.touch(&ticket.queue);
        Some(ticket)
    }

    pub(super) fn overflow(&mut self, now: Now, call: CallId, why: Why, out: &mut Vec<Out>) {
        if self.tickets.get(&call).is_some_and(|t| t.back.is_some()) {
            // Who is not on the line leaves only when nobody may call any more.
            return match why {
                Why::Removed | Why::TooLong => self.give_up(now, call, why.word(), out),
                Why::Empty | Why::Full | Why::Rule => {}
            };
        }
        let queue = self.tickets.get(&call).and_then(|t| self.config.queue.get(&t.queue));
        let to = queue.map_or(Destination::HangUp, |q| q.overflow.clone());
        self.send_on(now, call, why, to, out);
    }

    pub(super) fn send_on(&mut self, now: Now, call: CallId, why: Why, to: Destination, out: &mut Vec<Out>) {
        let Some(ticket) = self.remove(now, call, why.word(), out) else { return };
        self.tally(now, &ticket.queue).overflowed += 1;
        self.levels.entry(ticket.queue.clone()).or_default().count(now.mono, false);
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
            let place = self.lines.get(&ticket.queue).map_or(1, |line| line.position(ticket.rank));
            let language = ticket.caller.language;
            let mut sounds = announce::position(language, place);
            if let Some(wait) = self.outlook(rules, place).filter(|_| rules.announce_wait) {
                sounds.extend(announce::wait(language, wait));
            }
            if self.may_ask(now, ticket, rules) {
                sounds.extend(announce::callback(language));
            }
            out.push(Out::Say { call, sounds });
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
        self.reach_missed(call, agent);
        self.failed(now, call, agent, "no result of the offer", false, out);
    }
}

fn stride(config: &Config, queue: &str) -> u64 {
    match config.queue.get(queue).map_or(0, |q| q.share) {
        0 => 0,
        share => STRIDE / u64::from(share),
    }
}
