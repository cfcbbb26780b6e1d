//! Facts that hold after every step, whatever came in. Asked by tests and by the simulator; never by the box itself.
use super::{Acd, Reason};
use model::record::AgentState;
use std::collections::BTreeMap;

impl Acd {
    /// Every broken fact, in words; empty when all hold. O(everything).
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut broken = Vec::new();
        self.check_agents(&mut broken);
        self.check_tickets(&mut broken);
        self.check_deadlines(&mut broken);
        self.check_callbacks(&mut broken);
        self.check_nobody_waits_in_vain(&mut broken);
        self.check_index(&mut broken);
        broken
    }

    fn check_agents(&self, broken: &mut Vec<String>) {
        let mut holders = BTreeMap::new();
        for agent in self.agents.all() {
            let id = &agent.id;
            match (&agent.state, agent.call) {
                (AgentState::Offered, Some(call)) => {
                    let queued = self.tickets.get(&call).is_some_and(|t| t.ringing.contains(id));
                    if !queued && !self.reaches.rings(call, id) {
                        broken.push(format!("agent {id} is offered call {call}, which does not ring there"));
                    }
                    if !self.deadlines.has(&Reason::Guard(id.clone())) {
                        broken.push(format!("agent {id} is offered a call without a guard"));
                    }
                }
                (AgentState::Talking, Some(call)) => {
                    if self.talks.get(&call).is_none_or(|talk| &talk.agent != id) {
                        broken.push(format!("agent {id} talks in call {call}, which knows nothing of it"));
                    }
                }
                (AgentState::Offered | AgentState::Talking, None) => {
                    broken.push(format!("agent {id} is {:?} without a call", agent.state));
                }
                (
                    AgentState::LoggedOut
                    | AgentState::NotReady { .. }
                    | AgentState::Ready
                    | AgentState::WrapUp,
                    _,
                ) => {}
            }
            let waits = self.owes_code(id);
            if agent.state == AgentState::WrapUp && !waits && !self.deadlines.has(&Reason::WrapUp(id.clone()))
            {
                broken.push(format!("agent {id} wraps up without an end"));
            }
            if agent.in_call()
                && let Some(other) = holders.insert(agent.extension.clone(), id.clone())
            {
                broken.push(format!("phone {} has calls for {other} and {id}", agent.extension));
            }
        }
        for (number, phone) in self.agents.phones() {
            if phone.held_by.as_ref() != holders.get(number) {
                broken.push(format!("phone {number} is held by {:?} without a call", phone.held_by));
            }
        }
        for (call, talk) in &self.talks {
            if self.agents.get(&talk.agent).is_none_or(|a| a.call != Some(*call)) {
                broken.push(format!("call {call} has agent {}, who is not in it", talk.agent));
            }
        }
    }

    fn check_tickets(&self, broken: &mut Vec<String>) {
        let mut numbers = BTreeMap::new();
        for ticket in self.tickets.values() {
            let call = ticket.call;
            if let Some(other) = numbers.insert(ticket.number, call) {
                broken.push(format!("calls {other} and {call} have the same ticket {}", ticket.number));
            }
            let place = self.lines.get(&ticket.queue).map_or((false, false), |line| line.holds(ticket));
            if place != (ticket.ringing.is_empty(), !ticket.ringing.is_empty()) {
                broken.push(format!("call {call} stands wrong in queue {}: {place:?}", ticket.queue));
            }
            for agent in &ticket.ringing {
                let fine = |a: &crate::agents::Agent| a.state == AgentState::Offered && a.call == Some(call);
                if !self.agents.get(agent).is_some_and(fine) {
                    broken.push(format!("call {call} rings agent {agent}, who is not offered it"));
                }
            }
            if self.talks.contains_key(&call) {
                broken.push(format!("call {call} waits and talks"));
            }
        }
        let in_lines: usize = self.lines.values().map(super::Line::len).sum();
        if in_lines != self.tickets.len() {
            broken.push(format!("{in_lines} places for {} tickets", self.tickets.len()));
        }
    }

    fn check_deadlines(&self, broken: &mut Vec<String>) {
        for reason in self.deadlines.reasons() {
            let fine = match reason {
                Reason::CallBack(call) => self.callbacks.is_parked(*call),
                Reason::Decide(call) => self.deciding.contains_key(call),
                Reason::Expires(call) => self.callback(*call).is_some(),
                Reason::Announce(call)
                | Reason::MaxWait(call)
                | Reason::OfferCallback(call)
                | Reason::Relax(call)
                | Reason::Rules(call) => self.tickets.contains_key(call),
                Reason::Guard(id) => self.agents.get(id).is_some_and(|a| a.state == AgentState::Offered),
                Reason::PauseOver(id) => {
                    let away = |a: &crate::agents::Agent| matches!(a.state, AgentState::NotReady { .. });
                    self.agents.get(id).is_some_and(away)
                }
                Reason::Rest(id) => self.agents.get(id).is_some_and(|a| a.resting),
                Reason::Tell(queue) => self.config.queue.contains_key(queue),
                Reason::WrapUp(id) => self.agents.get(id).is_some_and(|a| a.state == AgentState::WrapUp),
            };
            if !fine {
                broken.push(format!("{reason:?} is pending without a reason"));
            }
        }
    }

    fn check_callbacks(&self, broken: &mut Vec<String>) {
        let mut keys = BTreeMap::new();
        for (key, ticket) in self.all_callbacks() {
            let Some(back) = &ticket.back else {
                broken.push(format!("ticket {key} is called back without a number"));
                continue;
            };
            if let Some(other) = keys.insert(back.callback, key) {
                broken.push(format!("callback {} stands as {other} and as {key}", back.callback));
            }
            if !self.deadlines.has(&Reason::Expires(key)) {
                broken.push(format!("callback {} never expires", back.callback));
            }
            if self.callbacks.is_parked(key) && !self.deadlines.has(&Reason::CallBack(key)) {
                broken.push(format!("callback {} is put off for ever", back.callback));
            }
        }
    }

    /// What is kept by queue is what a look at every agent gives.
    fn check_index(&self, broken: &mut Vec<String>) {
        for (name, rules) in &self.config.queue {
            let free: Vec<&str> = self.free_agents(rules).iter().map(|(_, a)| a.id.as_str()).collect();
            let all = self.of_queue(rules).map(|(_, a)| a);
            let truly: Vec<&str> = all.filter(|a| self.agents().is_free(a)).map(|a| a.id.as_str()).collect();
            if free != truly {
                broken.push(format!("queue {name} takes {free:?} for free, who are {truly:?}"));
            }
            let logged_in = self.of_queue(rules).filter(|(_, a)| a.logged_in()).count();
            let ready = self.of_queue(rules).filter(|(_, a)| a.state == AgentState::Ready).count();
            let busy = self.of_queue(rules).filter(|(_, a)| a.in_call()).count();
            let counts = self.agents().counts(name);
            let counted =
                [counts.logged_in, counts.ready, counts.busy].map(|n| usize::try_from(n).unwrap_or(0));
            if counted != [logged_in, ready, busy] {
                broken
                    .push(format!("queue {name} counts {counts:?}, but {logged_in}, {ready}, {busy} are so"));
            }
        }
    }

    fn check_nobody_waits_in_vain(&self, broken: &mut Vec<String>) {
        for (name, line) in &self.lines {
            let Some(rules) = self.config.queue.get(name) else {
                broken.push(format!("queue {name} has callers but is not configured"));
                continue;
            };
            let free = self.free_agents(rules);
            for ticket in line.heads().filter_map(|(_, call)| self.tickets.get(&call)) {
                if let Some((_, agent)) = free.iter().find(|(_, a)| ticket.wanted.suits(rules, a)) {
                    broken.push(format!(
                        "call {} waits in {name} although agent {} is free",
                        ticket.call, agent.id
                    ));
                }
            }
        }
    }
}
