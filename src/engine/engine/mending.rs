//! What a bug outside a call's own step costs. In the queues: they are built anew from what is known of agents and callers;
//! waiting callers are queued again in their order, and only the call that ran into the bug ends. Anywhere else: the
//! event's effects are thrown away. A bug that comes again and again is let through, and the process starts over.
use super::Engine;
use crate::acd::{self, Acd};
use crate::call::Heard;
use crate::call::stage::Stage;
use crate::step::guarded;
use model::clock::{Mono, Now};
use model::config::route::Destination;
use model::id::CallId;
use model::number::Number;
use model::record::{AgentSpell, Outcome};
use std::time::Duration;

/// Faults outside calls within [`FAULTS_WITHIN`] that are lived with; one more, and a clean start is better.
const FAULTS_MAX: u32 = 3;
/// One minute: a fault that each tick meets comes far more often.
const FAULTS_WITHIN: Duration = Duration::from_secs(60);

/// Faults outside calls of late.
#[derive(Debug, Default)]
pub(super) struct Faults {
    since: Mono,
    count: u32,
}

impl Faults {
    /// Counts one; whether there were too many of late.
    fn too_many(&mut self, now: Mono) -> bool {
        if self.count == 0 || now.since(self.since) > FAULTS_WITHIN {
            *self = Faults { since: now, count: 0 };
        }
        self.count += 1;
        self.count > FAULTS_MAX
    }
}

impl Engine {
    /// Lets the queues do something, guarded; `None` when they ran into a bug. `call`: whom it concerns.
    pub(crate) fn with_acd<R>(
        &mut self,
        now: Now,
        call: Option<CallId>,
        work: impl FnOnce(&mut Acd, &mut Vec<acd::Out>) -> R,
    ) -> Option<R> {
        let (mut said, acd) = (Vec::new(), &mut self.acd);
        match guarded(|| work(acd, &mut said)) {
            Ok(result) => {
                self.acd_said(now, said);
                Some(result)
            }
            Err(words) => {
                self.mend_queues(now, call, &words);
                None
            }
        }
    }

    /// A fault where nobody caught it: the event has no effects. Goes on, unless it is one of many.
    ///
    /// # Panics
    /// On purpose, when there were more than three in a minute: the supervisor starts the role again.
    pub(super) fn mend(&mut self, now: Now, words: &str) {
        self.effects.clear();
        self.outputs.clear();
        self.pending.clear();
        if self.faults.too_many(now.mono) {
            std::panic::resume_unwind(Box::new(words.to_owned()));
        }
        self.note(now, "alarm", "fault", "engine", &format!("an event ran into a fault: {words}"));
    }

    /// New queues from what is known, with everybody in them who waited.
    fn mend_queues(&mut self, now: Now, culprit: Option<CallId>, words: &str) {
        if self.faults.too_many(now.mono) {
            std::panic::resume_unwind(Box::new(words.to_owned()));
        }
        let text = format!("the queues ran into a fault and begin anew; who waited still waits: {words}");
        self.note(now, "alarm", "fault", "queues", &text);
        let spells: Vec<AgentSpell> = self.acd.agents().all().map(spell).collect();
        let mut said = Vec::new();
        let (bonds, past) = (self.acd.take_bonds(), self.acd.past(now));
        self.acd = Acd::new(now, &self.config, &spells, bonds, &past, &mut said);
        self.acd_said(now, said);
        let phones: Vec<Number> = self.config.agent.values().map(|a| a.extension.clone()).collect();
        for number in &phones {
            self.phone_changed(now, number);
        }
        self.end_attempts(now);
        self.recall(now, &Engine::not_at_once(now, past.callbacks));
        if let Some(call) = culprit {
            self.clear(now, call, Outcome::Failed, "fault in the box");
        }
        let waiting = self.calls.iter().filter_map(|(id, call)| {
            if let Stage::Queued(queued) = &call.stage {
                Some((*id, queued.queue().to_owned()))
            } else {
                None
            }
        });
        for (call, queue) in waiting.collect::<Vec<_>>() {
            let why = acd::overflow::Why::Removed;
            let again = acd::Out::Overflow { call, to: Destination::Queue(queue), why };
            self.hears(call, Heard::Acd(Box::new(again)));
        }
    }
}

fn spell(agent: &crate::agents::Agent) -> AgentSpell {
    AgentSpell {
        agent: agent.id.clone(),
        state: agent.state.clone(),
        since: agent.since,
        cause: agent.cause.clone(),
        call: agent.call,
    }
}
