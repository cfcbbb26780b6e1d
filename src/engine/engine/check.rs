//! Facts that hold between two steps, whatever happened: asked by the simulator at every moment, never by the box itself.
use super::Engine;
use super::self_call::NOBODY;
use crate::call::stage::Stage;
use model::record::AgentState;

impl Engine {
    /// Every broken fact, in words; empty when all hold. O(everything).
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut broken = self.acd.check();
        let lives = |call| self.calls.contains_key(&call);
        for call in self.ledger.calls.keys().filter(|c| !lives(**c)) {
            broken.push(format!("call {call} has a story and is gone"));
        }
        for call in self.calls.keys().filter(|c| !self.ledger.calls.contains_key(c)) {
            broken.push(format!("call {call} has no story"));
        }
        for (leg, call) in self.ledger.legs().filter(|(_, c)| !lives(*c)) {
            broken.push(format!("leg {leg} belongs to call {call}, which is gone"));
        }
        let calling_itself = |call| self.self_call.is_some() && call == NOBODY;
        for (session, call) in self.ports.owned().filter(|(_, c)| !lives(*c) && !calling_itself(*c)) {
            broken.push(format!("session {session} belongs to call {call}, which is gone"));
        }
        for (call, timer) in self.timers.of_calls().filter(|(c, _)| !lives(*c)) {
            broken.push(format!("call {call} has a deadline {timer:?} and is gone"));
        }
        for (id, call) in &self.calls {
            let waits = self.acd.queue_of(*id).is_some();
            let queued = call.stage.waits();
            if waits != queued {
                broken.push(format!("call {id} is {} and its ticket says {waits}", call.stage.name()));
            }
        }
        for (id, call) in &self.calls {
            let Stage::Bridged(bridged) = &call.stage else { continue };
            let (legs, sessions) = bridged.owns(&call.core);
            for leg in self.ledger.legs_of(*id).into_iter().filter(|l| !legs.contains(l)) {
                broken.push(format!("call {id} talks and has forgotten its leg {leg}"));
            }
            for session in self.ports.of_call(*id).into_iter().filter(|s| !sessions.contains(s)) {
                broken.push(format!("call {id} talks and has forgotten its session {session}"));
            }
        }
        for agent in self.acd.agents().all() {
            let held = matches!(agent.state, AgentState::Offered | AgentState::Talking);
            if let Some(call) = agent.call.filter(|c| held && !lives(*c)) {
                broken.push(format!("agent {} is {:?} in call {call}, which is gone", agent.id, agent.state));
            }
        }
        broken
    }
}
