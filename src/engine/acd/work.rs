//! Agents around a call: start of the box, after-call work, pauses, log-out. Parts of [`Acd`]. Every change of state goes
//! through [`Acd::enter`]; never picks a caller.
use super::rank::Line;
use super::{Acd, Out, Reason, overflow};
use crate::agents::Agent;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::config::queue::Queue;
use model::id::CallId;
use model::notice::Notice;
use model::record::{AgentSpell, AgentState, Record};
use std::time::Duration;

/// Agents: their states around a call.
impl Acd {
    /// Takes over the last state before the box stopped.
    pub(super) fn restore(&mut self, now: Now, spell: &AgentSpell) {
        self.agents.restore(now.mono, spell);
    }

    /// Gives an agent the first state of this start, and a spell if it differs from what was known.
    pub(super) fn start_agent(&mut self, now: Now, id: &str, out: &mut Vec<Out>) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.idle_since = now.mono;
        if agent.came == Mono::default() {
            agent.came = now.mono;
        }
        let call = agent.call.take().filter(|call| agent.last_call == Some(*call));
        if agent.since == Wall::default() {
            agent.since = now.wall;
        }
        match agent.state {
            AgentState::LoggedOut if agent.always_on => {
                self.enter(now, id, AgentState::Ready, "always on", None, out);
            }
            AgentState::LoggedOut | AgentState::NotReady { .. } | AgentState::Ready => {
                self.watch_pause(now, id);
                self.tell_agent(id, out);
            }
            AgentState::Offered => self.enter(now, id, AgentState::Ready, "box restarted", None, out),
            AgentState::Talking | AgentState::WrapUp => {
                let from = agent.last_queue.clone().filter(|_| call.is_some());
                let queues = from.map_or_else(|| agent.queues.keys().cloned().collect(), |q| vec![q]);
                let longest =
                    queues.iter().filter_map(|q| self.config.queue.get(q)).map(|q| q.wrap_up_s).max();
                self.start_wrap_up(now, id, longest.unwrap_or(0), "box restarted", call, out);
            }
        }
    }

    /// The agent's call is over: after-call work, if the queue gives time for it.
    pub(super) fn start_wrap_up(
        &mut self,
        now: Now,
        id: &str,
        seconds: u32,
        cause: &str,
        call: Option<CallId>,
        out: &mut Vec<Out>,
    ) {
        let removed = self.agents.get(id).is_some_and(|a| a.removed);
        if seconds == 0 || removed {
            return self.wrapped(now, id, cause, call, out);
        }
        let time = Duration::from_secs(seconds.into());
        self.deadlines.set(Reason::WrapUp(id.to_owned()), now.mono + time);
        self.enter(now, id, AgentState::WrapUp, cause, call, out);
    }

    pub(super) fn wrapped(
        &mut self,
        now: Now,
        id: &str,
        cause: &str,
        call: Option<CallId>,
        out: &mut Vec<Out>,
    ) {
        if let Some(agent) = self.agents.get_mut(id) {
            agent.idle_since = now.mono;
        }
        self.after_call(now, id, cause, call, out);
    }

    /// Out of an offer or a call: free, or paused if that was asked for meanwhile.
    pub(super) fn after_call(
        &mut self,
        now: Now,
        id: &str,
        cause: &str,
        call: Option<CallId>,
        out: &mut Vec<Out>,
    ) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let state = match agent.pause_after.take() {
            _ if agent.removed => AgentState::LoggedOut,
            Some(reason) => AgentState::NotReady { reason },
            None => AgentState::Ready,
        };
        self.enter(now, id, state, cause, call, out);
        if self.agents.forget_removed(id) {
            self.drop_agent(id, out);
        } else {
            self.agents.move_phone(id, &self.config);
            self.open_queues_of(id);
        }
    }

    pub(super) fn enter_asked(
        &mut self,
        now: Now,
        id: &str,
        state: AgentState,
        cause: &str,
        call: Option<CallId>,
        out: &mut Vec<Out>,
    ) {
        if let Some(agent) = self.agents.get_mut(id) {
            if agent.state == AgentState::LoggedOut {
                agent.comes(now.mono);
            }
            agent.missed = 0;
            agent.resting = false;
            agent.idle_since = now.mono;
        }
        self.deadlines.clear(&Reason::Rest(id.to_owned()));
        let leaves = state == AgentState::LoggedOut;
        self.enter(now, id, state, cause, call, out);
        if leaves {
            self.no_more_preferred(now, id);
            self.sent_home(now, id, out);
        }
    }

    /// Ends the work of agents that a new configuration does not have, except of those in a call.
    pub(super) fn log_out_removed(&mut self, now: Now, config: &Config, out: &mut Vec<Out>) {
        let gone = |a: &&Agent| a.logged_in() && !a.in_call() && !config.agent.contains_key(&a.id);
        let ids: Vec<String> = self.agents.all().filter(gone).map(|a| a.id.clone()).collect();
        for id in ids {
            self.enter(now, &id, AgentState::LoggedOut, "agent removed", None, out);
        }
    }

    /// The last agent of a queue went home: its callers leave if the queue says so.
    pub(super) fn sent_home(&mut self, now: Now, id: &str, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let queues: Vec<String> =
            self.agents.get(id).into_iter().flat_map(|a| a.queues.keys().cloned()).collect();
        for rules in queues.iter().filter_map(|q| config.queue.get(q)) {
            if let Some(why) = overflow::when_agents_leave(rules, self.logged_in(rules)) {
                let calls = self.lines.get(&rules.name).map(Line::in_order).unwrap_or_default();
                for call in calls {
                    self.overflow(now, call, why, out);
                }
            }
        }
    }

    pub(super) fn rested(&mut self, id: &str) {
        if let Some(agent) = self.agents.get_mut(id) {
            agent.resting = false;
        }
        self.open_queues_of(id);
    }

    /// The one way into an agent state: keeps the spell, tells the desks, opens the agent's queues.
    pub(super) fn enter(
        &mut self,
        now: Now,
        id: &str,
        state: AgentState,
        cause: &str,
        call: Option<CallId>,
        out: &mut Vec<Out>,
    ) {
        if state != AgentState::WrapUp {
            self.deadlines.clear(&Reason::WrapUp(id.to_owned()));
        }
        if let Some(spell) = self.agents.enter(now, id, state, cause, call) {
            out.push(Out::Keep(Record::AgentState(spell)));
        }
        self.watch_pause(now, id);
        self.tell_agent(id, out);
        self.open_queues_of(id);
        // Two agents may share a phone: what one puts down the other may be rung at.
        for other in self.agents.sharing(id) {
            self.open_queues_of(&other);
        }
    }

    pub(super) fn drop_agent(&mut self, id: &str, out: &mut Vec<Out>) {
        for reason in [Reason::Guard, Reason::PauseOver, Reason::Rest, Reason::WrapUp] {
            self.deadlines.clear(&reason(id.to_owned()));
        }
        out.push(Out::Notice(Notice::AgentGone(id.to_owned())));
    }

    pub(super) fn open_queues_of(&mut self, id: &str) {
        if let Some(agent) = self.agents.get(id) {
            self.open.extend(agent.queues.keys().cloned());
            self.changed.extend(agent.queues.keys().cloned());
        }
    }

    pub(super) fn free_agents(&self, rules: &Queue) -> Vec<(usize, &Agent)> {
        self.agents.free_of(&rules.name)
    }

    pub(super) fn logged_in(&self, rules: &Queue) -> usize {
        usize::try_from(self.agents.counts(&rules.name).logged_in).unwrap_or(usize::MAX)
    }

    pub(super) fn of_queue<'a>(&'a self, rules: &'a Queue) -> impl Iterator<Item = (usize, &'a Agent)> {
        rules.agents.iter().enumerate().filter_map(|(place, id)| Some((place, self.agents.get(id)?)))
    }
}
