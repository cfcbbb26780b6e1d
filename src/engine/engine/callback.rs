//! Callbacks between the queues and the calls: promises are kept on disk, an attempt is a call that begins with an agent's
//! phone. Decides nothing about who is called when (`acd::callback`) or what is said (`call::stage::callback`).
use super::Engine;
use crate::acd::OfferResult;
use crate::acd::ticket::Caller as Waiting;
use crate::call::leg::Leg;
use crate::call::stage::Stage;
use crate::call::stage::callback::Callback;
use crate::call::{Call, Caller, Core, Heard};
use crate::intent::{Chapter, Intent, Peer};
use model::clock::Now;
use model::id::CallId;
use model::number::Number;
use model::record::{CallbackRecord, Direction, Outcome, Party, Record};
use std::time::Duration;

/// A call that broke in the middle of an attempt: the customer may have been on the line, so not again at once.
const AFTER_FAULT: Duration = Duration::from_secs(60);

impl Engine {
    /// A call asks that its caller be called back.
    pub(super) fn promise(&mut self, now: Now, call: CallId, queue: &str, caller: Waiting, number: &Number) {
        let ids = [call, self.ids.call()];
        let done =
            self.with_acd(now, Some(call), |acd, said| acd.promise(now, ids, queue, caller, number, said));
        match done {
            Some(Ok(record)) => drop(self.keep(now, Record::Callback(record), Some(call))),
            Some(Err(prompt)) => self.hears(call, Heard::CodeDone(prompt)),
            None => {}
        }
    }

    /// Takes over the promises of an earlier start.
    pub(super) fn recall(&mut self, now: Now, promises: &[CallbackRecord]) {
        for promise in promises {
            let key = self.ids.call();
            self.with_acd(now, None, |acd, said| acd.recall(now, key, promise, said));
        }
    }

    /// Whether the call of an offer is there: a caller on the line is, for one who is called back it begins now. A box that
    /// takes no new calls lets the agent be.
    pub(super) fn is_there(&mut self, now: Now, call: CallId, agent: &str, at: &Number) -> bool {
        if self.calls.contains_key(&call) || self.acd.callback(call).is_none() {
            return true;
        }
        if self.draining || self.full(now) {
            self.with_acd(now, None, |acd, said| {
                acd.offer_result(now, call, agent, OfferResult::Unreachable, said)
            });
            return false;
        }
        self.begin_attempt(now, call, at);
        true
    }

    fn begin_attempt(&mut self, now: Now, call: CallId, at: &Number) {
        let Some(ticket) = self.acd.callback(call) else { return };
        let Some(back) = ticket.back.clone() else { return };
        let (queue, language, name) =
            (ticket.queue.clone(), ticket.caller.language, ticket.caller.party.name.clone());
        let config = self.config.clone();
        let number = config.queue.get(&queue).and_then(|q| q.number.as_ref()).map(Number::to_string);
        let peer = Peer::Phone(at.clone());
        let party = Party { number: number.unwrap_or_default(), name: queue.clone() };
        let caller = Caller { party, peer: peer.clone(), outside: None };
        let called = Party { number: back.number.to_string(), name };
        let leg = Leg::nobody(peer);
        let mut core = Core::new(call, config, Direction::Outbound, caller, called, leg, language);
        core.queue = Some(queue.clone());
        core.callback = true;
        self.open_story(now, &core);
        let stage = Stage::Callback(Box::new(Callback::new(back.number)));
        self.calls.insert(call, Box::new(Call { core, stage, since: now.wall }));
        self.carry_out(now, call, Intent::Tell(Chapter::Of(queue)));
        let detail = format!("promised in call {}, try {}", back.callback, back.tries + 1);
        self.carry_out(now, call, Intent::Tell(Chapter::Step("callback", detail)));
    }

    /// A call is over: if it was an attempt that reached nobody, the promise stands.
    pub(crate) fn attempt_over(&mut self, now: Now, call: CallId, outcome: Outcome) {
        if self.acd.callback(call).is_some() {
            let next = self.ids.call();
            let ours = outcome == Outcome::Failed;
            self.with_acd(now, None, |acd, said| acd.not_reached(now, call, next, ours, said));
        }
    }

    /// The queues began anew and know nothing of attempts that run: they end, and are made again a little later.
    pub(super) fn end_attempts(&mut self, now: Now) {
        let runs = |call: &Call| call.core.callback;
        let all: Vec<CallId> = self.calls.iter().filter(|(_, c)| runs(c)).map(|(id, _)| *id).collect();
        for call in all {
            self.clear(now, call, Outcome::Failed, "fault in the box");
        }
    }

    /// The same promises, none of them at once.
    pub(super) fn not_at_once(now: Now, promises: Vec<CallbackRecord>) -> Vec<CallbackRecord> {
        let pause = i64::try_from(AFTER_FAULT.as_millis()).unwrap_or(i64::MAX);
        let next = model::clock::Wall(now.wall.0.saturating_add(pause));
        promises.into_iter().map(|p| CallbackRecord { next: p.next.max(next), ..p }).collect()
    }
}
