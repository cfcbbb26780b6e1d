//! Tear-down that trusts nothing of the call: what it owned stands in the ledger, the ports, the timers and the queue. Every
//! call ends here, whole or broken, and gets its one record here.
use crate::effect::Effect;
use crate::engine::Engine;
use model::application::{Connection, Why, Word};
use model::ask::Ask;
use model::clock::Now;
use model::id::CallId;
use model::media::MediaCommand;
use model::notice::Notice;
use model::record::Outcome;

impl Engine {
    /// Ends a call: legs, sessions, deadlines, place in a queue, agent, record. Nothing happens when it is over already.
    pub(crate) fn clear(&mut self, now: Now, call: CallId, outcome: Outcome, cause: &str) {
        self.calls.remove(&call);
        self.timers.cancel_call(call);
        for leg in self.ledger.legs_of(call) {
            self.sip.hang_up(now, leg, None, &mut self.outputs);
            self.leg_ends(now, leg);
        }
        for session in self.ports.of_call(call) {
            self.effects.push(Effect::Media(MediaCommand::Close { session }));
            self.ports.release(session);
        }
        self.attempt_over(now, call, outcome);
        self.with_acd(now, None, |acd, said| acd.call_ended(now, call, said));
        self.outreach_over(now, call);
        let Some(entry) = self.ledger.calls.remove(&call) else { return };
        if let Some(number) = entry.application {
            let word = Word::Over { why: Why::HungUp, detail: cause.to_owned() };
            let ask = Ask::Application(Connection::Close(word));
            self.effects.push(Effect::Ask { call, number, ask });
        }
        for record in entry.story.close(now, outcome, cause) {
            self.keep(now, record, None);
        }
        self.effects.push(Effect::Notice(Notice::CallGone(call)));
        self.system_changed(now);
    }

    /// The live view of a call, when it changed.
    pub(crate) fn tell_call(&mut self, call: CallId) {
        let (Some(running), Some(entry)) = (self.calls.get(&call), self.ledger.calls.get_mut(&call)) else {
            return;
        };
        let view = running.view(entry.started);
        if entry.told.as_ref() != Some(&view) {
            entry.told = Some(view.clone());
            self.effects.push(Effect::Notice(Notice::Call(view)));
        }
    }
}
