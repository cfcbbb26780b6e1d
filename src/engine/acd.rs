//! Distributes waiting callers to agents. Event-driven: a caller's arrival, an agent's freedom or a failed offer is matched
//! in the same step, never polled. The one owner of tickets and of agent states. It knows neither SIP nor legs: the calls
//! tell it what happened and do what it says.
//!
//! Ways a ticket leaves: an agent answers · the caller goes · overflow by rule.
//! Ways an agent leaves `Offered`: answered → Talking · failed → Ready, or NotReady after too many misses · withdrawn (the
//! caller went, another agent answered) → Ready · no result within the guard time → Ready.
//!
//! Cost of a step, with q queues touched (those of the agents concerned), n agents of a queue and w callers waiting:
//! O(q · n + log w) to match. The view of a queue told to the desks is O(w log w), but while more than 20 wait it is told
//! at most four times a second, so that the cost of a call does not grow with the backlog.
pub mod announce;
pub mod bonds;
pub mod callback;
pub mod check;
pub mod choose;
pub mod code;
pub mod deadlines;
pub mod decide;
mod desk;
mod dice;
pub mod forecast;
pub mod level;
mod offers;
mod outreach;
pub mod overflow;
pub mod rank;
mod reason;
mod relax;
mod remember;
mod reorder;
mod rules;
pub mod tally;
pub mod ticket;
mod work;
mod wrap;

#[cfg(test)]
mod promises;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whom;

use crate::agents::{self, Agents, Answer, Ask};
use bonds::Bonds;
use callback::Callbacks;
use deadlines::Deadlines;
use dice::Dice;
use forecast::Forecast;
use model::clock::{Mono, Now};
use model::config::Config;
use model::config::route::Destination;
use model::id::CallId;
use model::media::Sound;
use model::notice::Notice;
use model::number::Number;
use model::past::Past;
use model::record::{AgentSpell, Record};
use model::refusal::Refusal;
use overflow::Why;
use rank::Line;
use remember::Returns;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tally::Tally;
use ticket::{Caller, Ticket};

/// An agent whose offer failed gets none for this long: a phone that says busy at once would otherwise be asked again at
/// the speed of the network.
pub const REST: Duration = Duration::from_secs(3);

/// An offer without any result this long after its ring time is taken back: a lost result must not lose the agent.
pub const GUARD: Duration = Duration::from_secs(10);

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferResult {
    /// The agent's phone answered.
    Answered,
    /// It said busy.
    Busy,
    /// It was declined by hand; counts as missed.
    Declined,
    /// It rang for its time; counts as missed.
    NoAnswer,
    /// It could not be reached.
    Unreachable,
}

/// What the calls, the store and the desks are asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Ring the agent's phone for this call. Exactly one [`Acd::offer_result`] is expected, unless withdrawn.
    Offer {
        /// Who waits.
        call: CallId,
        /// Who is chosen.
        agent: String,
        /// Where.
        extension: Number,
        /// How long.
        ring_timeout: Duration,
    },
    /// Stop ringing there; its result is no longer wanted.
    Withdraw {
        /// Who waited.
        call: CallId,
        /// Who rang.
        agent: String,
    },
    /// Play this to the waiting caller, then go on with the music.
    Say {
        /// To whom.
        call: CallId,
        /// What.
        sounds: Vec<Sound>,
    },
    /// The caller waits with this music.
    Music {
        /// Who.
        call: CallId,
        /// Name of the source.
        source: String,
    },
    /// The caller left the queue by rule.
    Overflow {
        /// Who.
        call: CallId,
        /// Where to.
        to: Destination,
        /// Why.
        why: Why,
    },
    /// A service is asked who shall take the caller; answered by [`Acd::decided`], or not.
    Decide {
        /// Who waits.
        call: CallId,
        /// Where to ask.
        url: String,
        /// How long it may take.
        timeout_ms: u32,
    },
    /// The caller may hang up: they will be called back.
    Promised {
        /// Who.
        call: CallId,
        /// By which queue.
        queue: String,
        /// Whom the box will call.
        number: Number,
    },
    /// To the store.
    Keep(Record),
    /// To the desks.
    Notice(Notice),
}

/// Why a deadline is pending. Each is cleared when its reason ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The waiting caller hears the position next.
    Announce(CallId),
    /// Somebody who will be called back stands in the line from now on.
    CallBack(CallId),
    /// The service has not said who shall take the caller.
    Decide(CallId),
    /// Nobody calls this customer back any more.
    Expires(CallId),
    /// No result of the agent's offer came.
    Guard(String),
    /// The caller has waited long enough.
    MaxWait(CallId),
    /// The caller hears that they may be called back.
    OfferCallback(CallId),
    /// The agent's pause lasts longer than its reason allows.
    PauseOver(String),
    /// More agents may take the caller.
    Relax(CallId),
    /// The agent may be offered calls again.
    Rest(String),
    /// The rules of the queue are asked for the caller.
    Rules(CallId),
    /// The view of a long queue is told.
    Tell(String),
    /// After-call work ends.
    WrapUp(String),
}

/// A call that an agent took.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Talk {
    agent: String,
    /// Where it waited: its wrap-up time counts.
    queue: String,
}

/// Queues, tickets and agents.
#[derive(Clone, Debug)]
pub struct Acd {
    config: Arc<Config>,
    agents: Agents,
    tickets: BTreeMap<CallId, Ticket>,
    lines: BTreeMap<String, Line>,
    tallies: BTreeMap<String, Tally>,
    /// Calls that an agent took, until they end for the agent.
    talks: BTreeMap<CallId, Talk>,
    deadlines: Deadlines<Reason>,
    next_number: u64,
    /// Queues in which something changed that may allow an offer.
    open: BTreeSet<String>,
    /// Queues whose view changed.
    changed: BTreeSet<String>,
    told: BTreeMap<String, Mono>,
    bonds: Bonds,
    forecasts: BTreeMap<String, Forecast>,
    dice: Dice,
    /// How far the queues with shares are.
    share_clock: u64,
    reaches: outreach::Reaches,
    levels: BTreeMap<String, level::Level>,
    callbacks: Callbacks,
    returns: Returns,
    /// Callers for whom a service is being asked.
    deciding: BTreeMap<CallId, Ticket>,
}

impl Acd {
    /// The state at the start of the box. `spells` are the last known states of agents: who was at work is at work again;
    /// a call that ran is over for the queue, so its agent gets wrap-up time. `bonds`: who served whom before. `past`: what
    /// the queues and agents did today, and who waited; its callbacks come by [`Acd::recall`].
    #[must_use]
    pub fn new(
        now: Now,
        config: &Arc<Config>,
        spells: &[AgentSpell],
        bonds: Bonds,
        past: &Past,
        out: &mut Vec<Out>,
    ) -> Acd {
        let mut acd = Acd {
            config: config.clone(),
            agents: Agents::default(),
            tickets: BTreeMap::new(),
            lines: BTreeMap::new(),
            tallies: BTreeMap::new(),
            talks: BTreeMap::new(),
            deadlines: Deadlines::default(),
            next_number: 1,
            open: BTreeSet::new(),
            changed: BTreeSet::new(),
            told: BTreeMap::new(),
            bonds,
            forecasts: BTreeMap::new(),
            dice: Dice::new(now.wall.0.unsigned_abs()),
            share_clock: 0,
            reaches: outreach::Reaches::default(),
            levels: BTreeMap::new(),
            callbacks: Callbacks::default(),
            returns: Returns::default(),
            deciding: BTreeMap::new(),
        };
        acd.agents.configure(config);
        for spell in spells {
            acd.restore(now, spell);
        }
        acd.remember(now, past);
        let ids: Vec<String> = acd.agents.all().map(|a| a.id.clone()).collect();
        for id in ids {
            acd.start_agent(now, &id, out);
        }
        acd.changed.extend(config.queue.keys().cloned());
        acd.finish(now, out);
        acd
    }

    /// Uses another configuration. Callers of a removed queue leave it by overflow; a removed agent's call goes on.
    pub fn configure(&mut self, now: Now, config: &Arc<Config>, out: &mut Vec<Out>) {
        let removed: Vec<CallId> =
            self.tickets.values().filter(|t| !config.queue.contains_key(&t.queue)).map(|t| t.call).collect();
        for call in removed {
            self.overflow(now, call, Why::Removed, out);
        }
        self.give_up_removed(now, config, out);
        for name in self.config.queue.keys().filter(|name| !config.queue.contains_key(*name)) {
            self.lines.remove(name);
            self.tallies.remove(name);
            self.forecasts.remove(name);
            self.told.remove(name);
            self.deadlines.clear(&Reason::Tell(name.clone()));
            out.push(Out::Notice(Notice::QueueGone(name.clone())));
        }
        let before: BTreeSet<String> = self.agents.all().map(|a| a.id.clone()).collect();
        self.log_out_removed(now, config, out);
        self.config = config.clone();
        for id in self.agents.configure(config) {
            self.drop_agent(&id, out);
        }
        let now_known: Vec<String> = self.agents.all().map(|a| a.id.clone()).collect();
        for id in now_known {
            if before.contains(&id) {
                self.watch_pause(now, &id);
                self.tell_agent(&id, out);
            } else {
                self.start_agent(now, &id, out);
            }
        }
        for call in self.tickets.keys().copied().collect::<Vec<_>>() {
            self.relax(now, call);
        }
        self.changed.extend(config.queue.keys().cloned());
        self.open.extend(config.queue.keys().cloned());
        self.finish(now, out);
    }

    /// A caller comes to wait. The answer is music and an offer, or overflow, in `out`.
    ///
    /// # Errors
    /// `Unknown` when there is no such queue, `Conflict` when the call waits already.
    pub fn enqueue(
        &mut self,
        now: Now,
        call: CallId,
        queue: &str,
        mut caller: Caller,
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        let config = self.config.clone();
        let rules = config.queue.get(queue).ok_or(Refusal::Unknown)?;
        if self.tickets.contains_key(&call) || self.deciding.contains_key(&call) {
            return Err(Refusal::Conflict);
        }
        if caller.stood_since.is_some() {
            let ticket = self.ticket(now, call, rules, caller);
            self.take_in(now, ticket, rules, out);
            self.finish(now, out);
            return Ok(());
        }
        self.returns(now, queue, &mut caller);
        self.tally(now, queue).offered += 1;
        let waiting = self.lines.get(queue).map_or(0, Line::on_the_line);
        let ticket = self.ticket(now, call, rules, caller);
        let free = self.free_agents(rules).iter().any(|(_, a)| ticket.wanted.suits(rules, a));
        if let Some(why) = overflow::at_arrival(rules, waiting, self.logged_in(rules), free) {
            self.tally(now, queue).overflowed += 1;
            self.changed.insert(queue.to_owned());
            out.push(Out::Overflow { call, to: rules.overflow.clone(), why });
            self.finish(now, out);
            return Ok(());
        }
        if let Some(to) = self.ruled_out(now, rules, &ticket) {
            self.tally(now, queue).overflowed += 1;
            self.changed.insert(queue.to_owned());
            out.push(Out::Overflow { call, to, why: Why::Rule });
            self.finish(now, out);
            return Ok(());
        }
        self.ask_outside(now, ticket, rules, out);
        self.finish(now, out);
        Ok(())
    }

    /// The caller went before an agent answered. Nothing happens when the call does not wait.
    pub fn abandon(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        self.reach_gone(now, call, out);
        if let Some(ticket) = self.remove(now, call, "caller hung up", out) {
            self.levels.entry(ticket.queue.clone()).or_default().count(now.mono, false);
            self.tally(now, &ticket.queue).abandoned += 1;
        }
        self.finish(now, out);
    }

    /// Another call comes to stand where this one stood: it was counted when it came, and its wait goes on there. Since
    /// when it stood; `None` when it does not wait.
    #[must_use]
    pub fn give_place(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) -> Option<Now> {
        let ticket = self.remove(now, call, "the caller's place was given to another", out);
        self.finish(now, out);
        ticket.map(|t| t.since)
    }

    /// The call is over for the agent who took it (or, if it still waited, for the queue).
    pub fn call_ended(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        if let Some(talk) = self.talks.remove(&call) {
            let seconds = self.config.queue.get(&talk.queue).map_or(0, |q| q.wrap_up_s);
            self.start_wrap_up(now, &talk.agent, seconds, "call ended", Some(call), out);
        }
        self.call_over(now, call);
        self.abandon(now, call, out);
    }

    /// What became of an offer. `false`: the offer was withdrawn before (the caller went, another answered, it took too
    /// long) and the leg must be ended.
    #[must_use = "a late answer must be hung up"]
    pub fn offer_result(
        &mut self,
        now: Now,
        call: CallId,
        agent: &str,
        result: OfferResult,
        out: &mut Vec<Out>,
    ) -> bool {
        if let Some(stood) = self.reach_result(now, call, agent, result, out) {
            return stood;
        }
        let stands = self.tickets.get(&call).is_some_and(|t| t.ringing.contains(agent));
        if !stands {
            return false;
        }
        match result {
            OfferResult::Answered => self.answered(now, call, agent, out),
            OfferResult::Busy => self.failed(now, call, agent, "phone busy", false, out),
            OfferResult::Declined => self.failed(now, call, agent, "declined", true, out),
            OfferResult::NoAnswer => self.failed(now, call, agent, "no answer", true, out),
            OfferResult::Unreachable => self.failed(now, call, agent, "phone unreachable", false, out),
        }
        self.finish(now, out);
        true
    }

    /// What the calls and the registrar say of a phone, whenever it changes: whether it can be reached, and whether it is
    /// in any call (also one of a queue).
    pub fn phone(&mut self, now: Now, extension: &Number, reachable: bool, busy: bool, out: &mut Vec<Out>) {
        let was = self.agents.phone_at(extension).is_some_and(|p| p.reachable);
        for id in self.agents.phone(extension, reachable, busy) {
            self.open_queues_of(&id);
            if was != reachable {
                self.tell_agent(&id, out);
            }
        }
        self.finish(now, out);
    }

    /// An agent asks to change their state. `cause` says how it came: `login code`, `web by anna`.
    ///
    /// # Errors
    /// `Unknown` for an agent that is not configured; `Conflict` as in [`agents::answer`].
    pub fn ask(
        &mut self,
        now: Now,
        agent: &str,
        ask: &Ask,
        cause: &str,
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        let known = self.agents.get(agent).filter(|a| !a.removed).ok_or(Refusal::Unknown)?;
        if self.owes_code(agent) && *ask != Ask::Login {
            return Err(Refusal::Conflict);
        }
        match agents::answer(known, ask)? {
            Answer::Enter(state) => {
                let call = known.call;
                self.enter_asked(now, agent, state, cause, call, out);
            }
            Answer::After(reason) => {
                if let Some(a) = self.agents.get_mut(agent) {
                    a.pause_after = reason;
                }
            }
            Answer::Nothing => {}
        }
        self.finish(now, out);
        Ok(())
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Now, out: &mut Vec<Out>) {
        while let Some(reason) = self.deadlines.pop_due(now.mono) {
            match reason {
                Reason::Announce(call) => self.announce(now, call, out),
                Reason::CallBack(call) => self.stand(now, call),
                Reason::Decide(call) => self.decided(now, call, None, out),
                Reason::Expires(call) => self.expires(now, call, out),
                Reason::Guard(agent) => self.guard(now, &agent, out),
                Reason::MaxWait(call) => self.waited(now, call, out),
                Reason::OfferCallback(call) => self.offer_callback(now, call, out),
                Reason::PauseOver(agent) => self.pause_over(now, &agent, out),
                Reason::Relax(call) => self.relax(now, call),
                Reason::Rest(agent) => self.rested(&agent),
                Reason::Rules(call) => self.ask_rules(now, call, out),
                Reason::Tell(queue) => {
                    self.changed.insert(queue);
                }
                Reason::WrapUp(agent) => self.wrap_up_over(now, &agent, out),
            }
            self.finish(now, out);
        }
    }

    /// When something is due next.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    /// The agents, to look at.
    #[must_use]
    pub fn agents(&self) -> &Agents {
        &self.agents
    }

    /// Who served whom, for queues that begin anew.
    pub fn take_bonds(&mut self) -> Bonds {
        std::mem::take(&mut self.bonds)
    }

    fn agents_mut(&mut self) -> &mut Agents {
        &mut self.agents
    }

    /// The agent who took this call from a queue and still talks.
    #[must_use]
    pub fn agent_of(&self, call: CallId) -> Option<&str> {
        self.talks.get(&call).map(|talk| talk.agent.as_str())
    }

    /// Whether this call waits in a queue, and where.
    #[must_use]
    pub fn queue_of(&self, call: CallId) -> Option<&str> {
        let ticket = self.tickets.get(&call).or_else(|| self.deciding.get(&call));
        ticket.map(|t| t.queue.as_str()).or_else(|| self.reaches.queue_of(call))
    }
}
