//! Callers who hang up and are called back with their place kept. A promise is a ticket of the same line as everybody else,
//! with its old rank, but nobody on the line. When it is first and an agent is free, the agent's phone rings as for any
//! caller; once the agent is there the customer is called, so that a customer who picks up finds a person and never waits
//! a second time. Parts of [`Acd`]; dials nothing itself.
//!
//! Where a promise is: put off (just given, or after a try that failed) → in the line → an agent answered, being called →
//! done, or put off again with the same rank. It is in one of these places at a time, so there is one attempt at a time.
//! Ways it leaves: the customer talks to an agent · as many tries as may · too old · cancelled · its queue is gone.
//!
//! Each attempt is a call of its own. Its id is given to the ticket beforehand and a new one after it.
use super::ticket::{Back, Caller, Ticket};
use super::{Acd, Out, Reason, Talk, announce, relax};
use crate::call::stage::dialing;
use model::clock::{Now, Wall};
use model::config::Config;
use model::config::queue::{Callback, Queue};
use model::id::CallId;
use model::notice::CallbackView;
use model::number::Number;
use model::record::{AgentState, CallbackRecord, Party, Record};
use model::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Promises kept at most: more than the agents of a box call in a day.
pub const CALLBACKS_MAX: usize = 1_000;
/// Somebody who asked for it still listens to the good-bye; their place in the line is passed over for so long at most.
const GOODBYE: Duration = Duration::from_secs(60);
/// A caller for whom a phone rings is told later.
const OFFER_AGAIN: Duration = Duration::from_secs(10);
/// The prompt when it cannot be.
const NOT_POSSIBLE: &str = "queue-callback-not-possible";

/// Promises that are not in a line now, and calls in which they were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Callbacks {
    /// Put off until their deadline.
    parked: BTreeMap<CallId, Ticket>,
    /// An agent is there, the customer is being called.
    running: BTreeMap<CallId, Ticket>,
    /// The call in which it was promised, while that goes on → its ticket.
    promised_in: BTreeMap<CallId, CallId>,
}

impl Callbacks {
    pub(super) fn is_parked(&self, key: CallId) -> bool {
        self.parked.contains_key(&key)
    }
}

impl Acd {
    /// Promises to call back: `call` keeps its place, or gets one, as the ticket `key`. What to keep; the caller may be told
    /// once it is on disk.
    ///
    /// # Errors
    /// The prompt that says why not.
    pub fn promise(
        &mut self,
        now: Now,
        [call, key]: [CallId; 2],
        queue: &str,
        caller: Caller,
        number: &Number,
        out: &mut Vec<Out>,
    ) -> Result<CallbackRecord, &'static str> {
        let config = self.config.clone();
        let rules = config.queue.get(queue).ok_or(NOT_POSSIBLE)?;
        let how = rules.callback.as_ref().ok_or(NOT_POSSIBLE)?;
        if let Some(ticket) = self.tickets.get(&call)
            && !self.may_ask(now, ticket, rules)
        {
            return Err(NOT_POSSIBLE);
        }
        let known = self.key_of(|t| t.queue == queue && t.back.as_ref().is_some_and(|b| b.number == *number));
        let full = known.is_none() && self.all_callbacks().count() >= CALLBACKS_MAX;
        if full || dialing::allowed(&config, how.calls, number, false).is_err() {
            return Err(NOT_POSSIBLE);
        }
        let ticket = match self.remove(now, call, "will be called back", out) {
            Some(ticket) => ticket,
            None => {
                self.tally(now, queue).offered += 1;
                self.ticket(now, call, rules, caller)
            }
        };
        self.tally(now, queue).promised += 1;
        let record = match known {
            // Who asks twice stands once, where they stood first.
            Some(known) => self.record_of(known),
            None => self.put_down(now, key, call, ticket, how, number),
        };
        out.push(Out::Promised { call, queue: queue.to_owned(), number: number.clone() });
        self.touch(queue);
        self.finish(now, out);
        record.ok_or(NOT_POSSIBLE)
    }

    fn put_down(
        &mut self,
        now: Now,
        key: CallId,
        call: CallId,
        ticket: Ticket,
        how: &Callback,
        number: &Number,
    ) -> Option<CallbackRecord> {
        let waited = ticket.caller.waited + now.mono.since(ticket.since.mono);
        let back = Back {
            callback: call,
            number: number.clone(),
            came: before(now.wall, waited),
            expires: after(before(now.wall, waited), seconds(how.expires_s)),
            tries: 0,
            next: now.wall,
        };
        let ringing = BTreeSet::new();
        let ticket = Ticket { call: key, back: Some(back), overdue: false, ringing, ..ticket };
        let kept = record(&ticket);
        self.callbacks.promised_in.insert(call, key);
        self.put_off(now, ticket, GOODBYE);
        kept
    }

    /// A promise that the store kept, as the ticket `key`. One that cannot be kept any more is over.
    pub fn recall(&mut self, now: Now, key: CallId, kept: &CallbackRecord, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let rules = config.queue.get(&kept.queue).filter(|q| q.callback.is_some());
        let Some(rules) = rules.filter(|_| kept.expires > now.wall) else {
            return out.push(Out::Keep(Record::CallbackGone(kept.callback)));
        };
        let waited = Duration::from_millis(u64::try_from(now.wall.millis_since(kept.came)).unwrap_or(0));
        let caller = Caller {
            party: Party { number: kept.number.to_string(), name: kept.name.clone() },
            language: kept.language,
            outside: Some(kept.number.clone()),
            priority: kept.priority,
            class: kept.class.clone(),
            waited,
            stood_since: None,
        };
        let mut ticket = self.ticket(now, key, rules, caller);
        ticket.since.wall = kept.came;
        ticket.back = Some(Back {
            callback: kept.callback,
            number: kept.number.clone(),
            came: kept.came,
            expires: kept.expires,
            tries: kept.tries,
            next: kept.next,
        });
        let pause = u64::try_from(kept.next.millis_since(now.wall)).unwrap_or(0);
        self.put_off(now, ticket, Duration::from_millis(pause));
        self.changed.insert(kept.queue.clone());
        self.finish(now, out);
    }

    /// Everybody who is to be called back, as the store keeps them; those being called now not before a while.
    #[must_use]
    pub fn promises(&self) -> Vec<CallbackRecord> {
        let mut all: Vec<CallbackRecord> = self.all_callbacks().filter_map(|(_, t)| record(t)).collect();
        all.sort_by_key(|r| (r.came, r.callback));
        all
    }

    /// The ticket of this key, if it is somebody's who is called back.
    #[must_use]
    pub fn callback(&self, key: CallId) -> Option<&Ticket> {
        let books = [&self.tickets, &self.callbacks.parked, &self.callbacks.running];
        books.into_iter().find_map(|book| book.get(&key)).filter(|t| t.back.is_some())
    }

    /// Everybody who is to be called back.
    pub(super) fn all_callbacks(&self) -> impl Iterator<Item = (CallId, &Ticket)> {
        let waiting = self.tickets.iter().filter(|(_, t)| t.back.is_some());
        let others = self.callbacks.parked.iter().chain(&self.callbacks.running);
        waiting.chain(others).map(|(key, ticket)| (*key, ticket))
    }

    fn key_of(&self, so: impl Fn(&Ticket) -> bool) -> Option<CallId> {
        self.all_callbacks().find(|(_, t)| so(t)).map(|(key, _)| key)
    }

    fn record_of(&self, key: CallId) -> Option<CallbackRecord> {
        self.callback(key).and_then(record)
    }

    /// Not in the line for a while; the rank stays.
    fn put_off(&mut self, now: Now, ticket: Ticket, pause: Duration) {
        let key = ticket.call;
        if let Some(back) = &ticket.back {
            let left = u64::try_from(back.expires.millis_since(now.wall)).unwrap_or(0);
            self.deadlines.set(Reason::Expires(key), now.mono + Duration::from_millis(left));
        }
        self.deadlines.set(Reason::CallBack(key), now.mono + pause);
        self.changed.insert(ticket.queue.clone());
        self.callbacks.parked.insert(key, ticket);
    }

    /// Stands in the line from here on, where they always stood.
    pub(super) fn stand(&mut self, now: Now, key: CallId) {
        let config = self.config.clone();
        self.deadlines.clear(&Reason::CallBack(key));
        let Some(mut ticket) = self.callbacks.parked.remove(&key) else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        ticket.wanted = relax::wanted(rules, &ticket, now.mono.since(ticket.since.mono));
        self.stand_in_line(now.mono, ticket, rules);
        self.touch(&rules.name);
    }

    /// The call in which it was promised is over: from now on it counts.
    pub(super) fn call_over(&mut self, now: Now, call: CallId) {
        if let Some(key) = self.callbacks.promised_in.remove(&call) {
            self.stand(now, key);
        }
    }

    /// The agent is there: the customer is called.
    pub(super) fn calls_back(&mut self, now: Now, mut ticket: Ticket, agent: &str, out: &mut Vec<Out>) {
        let call = ticket.call;
        let pause = self.pause(&ticket.queue);
        if let Some(back) = &mut ticket.back {
            back.tries += 1;
            back.next = after(now.wall, pause);
        }
        out.extend(record(&ticket).map(|r| Out::Keep(Record::Callback(r))));
        self.talks.insert(call, Talk { agent: agent.to_owned(), queue: ticket.queue.clone() });
        self.callbacks.running.insert(call, ticket);
        if let Some(a) = self.agents.get_mut(agent) {
            a.missed = 0;
        }
        self.enter(now, agent, AgentState::Talking, "calls back", Some(call), out);
    }

    /// The customer is on the line with the agent: the promise is kept.
    pub fn called_back(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(ticket) = self.callbacks.running.remove(&call) else { return };
        let Some(talk) = self.talks.get(&call).cloned() else { return };
        self.deadlines.clear(&Reason::Expires(call));
        if let Some(customer) = &ticket.caller.outside {
            self.bonds.served(now.wall, customer, &talk.agent);
        }
        self.takes(&talk.agent, call, &talk.queue);
        // From here on it is a call that the agent took: the log says so, and figures are counted from the log.
        let noted = self.agents_mut().note(now, &talk.agent, "customer reached");
        out.extend(noted.map(|spell| Out::Keep(Record::AgentState(spell))));
        out.extend(ticket.back.map(|b| Out::Keep(Record::CallbackGone(b.callback))));
        self.tell_agent(&talk.agent, out);
        self.touch(&ticket.queue);
        self.finish(now, out);
    }

    /// The call of an attempt is over, and the customer was not reached: the promise stands, as the ticket `next`. A try in
    /// which the box itself failed (`ours`) does not count.
    pub fn not_reached(&mut self, now: Now, call: CallId, next: CallId, ours: bool, out: &mut Vec<Out>) {
        if let Some(mut ticket) = self.callbacks.running.remove(&call) {
            self.deadlines.clear(&Reason::Expires(call));
            if let Some(talk) = self.talks.remove(&call) {
                self.wrapped(now, &talk.agent, "customer not reached", Some(call), out);
            }
            ticket.call = next;
            if let Some(back) = ticket.back.as_mut().filter(|_| ours) {
                back.tries = back.tries.saturating_sub(1);
            }
            let most =
                self.config.queue.get(&ticket.queue).and_then(|q| q.callback.as_ref()).map(|c| c.tries);
            let back = ticket.back.as_ref();
            let over = back.is_none_or(|b| most.is_none_or(|most| b.tries >= most) || b.expires <= now.wall);
            if over {
                out.extend(ticket.back.map(|b| Out::Keep(Record::CallbackGone(b.callback))));
                self.changed.insert(ticket.queue);
            } else {
                let pause = self.pause(&ticket.queue);
                out.extend(record(&ticket).map(|r| Out::Keep(Record::Callback(r))));
                self.put_off(now, ticket, pause);
            }
        } else if self.tickets.get(&call).is_some_and(|t| t.back.is_some())
            && let Some(mut ticket) = self.remove(now, call, "call ended", out)
        {
            self.deadlines.clear(&Reason::Expires(call));
            ticket.call = next;
            ticket.ringing.clear();
            self.put_off(now, ticket, Duration::ZERO);
            self.stand(now, next);
        }
        self.finish(now, out);
    }

    /// Nobody may call any more.
    pub(super) fn expires(&mut self, now: Now, key: CallId, out: &mut Vec<Out>) {
        // Who is being called now, or may be in a moment, gets that one try.
        if self.callbacks.running.contains_key(&key) {
            return self.deadlines.set(Reason::Expires(key), now.mono + GOODBYE);
        }
        match self.tickets.get_mut(&key) {
            Some(ticket) if !ticket.ringing.is_empty() => {
                ticket.overdue = true;
                self.deadlines.set(Reason::Expires(key), now.mono + GOODBYE);
            }
            Some(_) | None => self.give_up(now, key, "too old", out),
        }
    }

    /// The promise ends without a call.
    pub(super) fn give_up(&mut self, now: Now, key: CallId, cause: &str, out: &mut Vec<Out>) {
        self.deadlines.clear(&Reason::Expires(key));
        self.deadlines.clear(&Reason::CallBack(key));
        let parked = self.callbacks.parked.remove(&key);
        let Some(ticket) = parked.or_else(|| self.remove(now, key, cause, out)) else { return };
        self.callbacks.promised_in.retain(|_, k| *k != key);
        out.extend(ticket.back.map(|b| Out::Keep(Record::CallbackGone(b.callback))));
        self.changed.insert(ticket.queue);
    }

    /// Promises that a new configuration does not have a queue for.
    pub(super) fn give_up_removed(&mut self, now: Now, config: &Config, out: &mut Vec<Out>) {
        let gone = |t: &Ticket| !config.queue.contains_key(&t.queue);
        let keys: Vec<CallId> =
            self.callbacks.parked.iter().filter(|(_, t)| gone(t)).map(|(key, _)| *key).collect();
        for key in keys {
            self.give_up(now, key, "queue removed", out);
        }
    }

    /// A person cancels it.
    ///
    /// # Errors
    /// `Unknown` when there is none, `Conflict` while the customer is being called.
    pub fn cancel_callback(&mut self, now: Now, callback: CallId, out: &mut Vec<Out>) -> Result<(), Refusal> {
        let named = |t: &Ticket| t.back.as_ref().is_some_and(|b| b.callback == callback);
        let key = self.key_of(named).ok_or(Refusal::Unknown)?;
        if self.callbacks.running.contains_key(&key) {
            return Err(Refusal::Conflict);
        }
        self.give_up(now, key, "cancelled", out);
        self.finish(now, out);
        Ok(())
    }

    fn pause(&self, queue: &str) -> Duration {
        let how = self.config.queue.get(queue).and_then(|q| q.callback.as_ref());
        how.map_or(GOODBYE, |how| seconds(how.retry_s))
    }

    /// Whether this waiting caller may ask for it now.
    pub(super) fn may_ask(&self, now: Now, ticket: &Ticket, rules: &Queue) -> bool {
        let Some(how) = rules.callback.as_ref().filter(|how| how.after_s > 0) else { return false };
        let long = ticket.caller.waited + now.mono.since(ticket.since.mono) >= seconds(how.after_s);
        let number = ticket.caller.outside.as_ref();
        long && number.is_some_and(|n| dialing::allowed(&self.config, how.calls, n, false).is_ok())
    }

    pub(super) fn offer_callback_later(&mut self, now: Now, call: CallId, rules: &Queue) {
        let Some(how) = rules.callback.as_ref().filter(|how| how.after_s > 0) else { return };
        let waited = self.tickets.get(&call).map_or(Duration::ZERO, |t| t.caller.waited);
        let pause = seconds(how.after_s).saturating_sub(waited);
        self.deadlines.set(Reason::OfferCallback(call), now.mono + pause);
    }

    /// Tells a caller that they need not wait.
    pub(super) fn offer_callback(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let Some(ticket) = self.tickets.get(&call) else { return };
        let Some(rules) = config.queue.get(&ticket.queue) else { return };
        if !ticket.ringing.is_empty() {
            self.deadlines.set(Reason::OfferCallback(call), now.mono + OFFER_AGAIN);
        } else if self.may_ask(now, ticket, rules) {
            out.push(Out::Say { call, sounds: announce::callback(ticket.caller.language) });
        }
    }

    /// The first of those who will be called back to this queue, in order.
    pub(super) fn callback_views(&self, queue: &str, most: usize) -> Vec<CallbackView> {
        let line = self.lines.get(queue).into_iter().flat_map(|line| line.promised());
        let standing = line.filter_map(|call| self.tickets.get(&call));
        let others = self.callbacks.parked.values().chain(self.callbacks.running.values());
        let mut all: Vec<(&Ticket, &Back)> = standing
            .chain(others.filter(|t| t.queue == queue))
            .filter_map(|t| Some((t, t.back.as_ref()?)))
            .collect();
        all.sort_by_key(|(t, _)| t.rank);
        all.into_iter().take(most).map(|(t, b)| self.callback_view(t, b)).collect()
    }

    fn callback_view(&self, ticket: &Ticket, back: &Back) -> CallbackView {
        let later = self.callbacks.is_parked(ticket.call);
        let state = match () {
            () if later => "later",
            () if self.callbacks.running.contains_key(&ticket.call) => "calling",
            () => "waiting",
        };
        CallbackView {
            callback: back.callback,
            caller: Party { number: back.number.to_string(), name: ticket.caller.party.name.clone() },
            since: back.came,
            state: state.to_owned(),
            tries: back.tries,
            next: later.then_some(back.next),
        }
    }
}

fn record(ticket: &Ticket) -> Option<CallbackRecord> {
    let back = ticket.back.as_ref()?;
    Some(CallbackRecord {
        callback: back.callback,
        queue: ticket.queue.clone(),
        number: back.number.clone(),
        name: ticket.caller.party.name.clone(),
        language: ticket.caller.language,
        class: ticket.caller.class.clone(),
        priority: ticket.caller.priority,
        came: back.came,
        expires: back.expires,
        tries: back.tries,
        next: back.next,
    })
}

fn seconds(s: u32) -> Duration {
    Duration::from_secs(s.into())
}

fn after(at: Wall, time: Duration) -> Wall {
    Wall(at.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}

fn before(at: Wall, time: Duration) -> Wall {
    Wall(at.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}
