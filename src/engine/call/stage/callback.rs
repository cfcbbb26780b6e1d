//! Calls a customer back for a queue. Agents' phones ring first; once one answers the customer is dialled (`Dialing`), and
//! whoever picks up there is asked to press 1: a machine does not, and the agent never talks to one. Leaves by: an agent
//! answers → Dialing · the customer presses 1 → Bridged · nobody presses, the agent or the customer hangs up, no agent →
//! Clearing. That the promise then stands again is the queue's doing.
use super::super::leg::Leg;
use super::super::offers::{Offers, Taker};
use super::super::{Caller, Core, Cx, Heard, LegEvent, Out};
use super::bridged::guests;
use super::ringing::RING_BACK;
use super::{Stage, bridged, dialing, goodbye};
use crate::acd::{self, OfferResult};
use crate::intent::{Chapter, Intent, Peer};
use crate::timers::CallTimer;
use model::id::{LegId, PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd, Sound};
use model::number::Number;
use model::record::{Outcome, Party};
use std::time::Duration;

/// An attempt without a ringing phone goes on for so long: an agent who missed it rests for 3 s and may be asked again.
const LINGER: Duration = Duration::from_secs(5);
/// A person has found the key by then.
const PRESS_WITHIN: Duration = Duration::from_secs(5);
/// How often it is said: once more for who held the phone away from the ear.
const TIMES: u8 = 2;

/// An attempt.
#[derive(Debug)]
pub struct Callback {
    number: Number,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Agents(Offers),
    Asking { customer: Box<Leg>, play: Option<PlayId>, said: u8 },
}

/// The customer's line was picked up.
pub fn picked_up(core: &mut Core, customer: Leg, cx: &Cx, out: &mut Out) -> Stage {
    out.want(Intent::NoWait(CallTimer::NoAnswer));
    out.want(Intent::NoWait(CallTimer::NoProgress));
    let queue = core.queue.as_ref().and_then(|q| core.config.queue.get(q));
    let confirm = queue.and_then(|q| q.callback.as_ref()).is_none_or(|c| c.confirm);
    if !confirm {
        return connect(core, customer, cx, out);
    }
    let music = queue.map_or("default", |q| q.music.as_str()).to_owned();
    out.step("picked_up", core.called.number.clone());
    if let Some(agent) = core.a.up_session() {
        out.play(agent, vec![Sound::Music(music)], true, false);
    }
    let number = Number::read(&core.called.number).unwrap_or_default();
    let phase = Phase::Asking { customer: Box::new(customer), play: None, said: 0 };
    let mut callback = Box::new(Callback { number, phase });
    callback.ask(core, out);
    Stage::Callback(callback)
}

fn connect(core: &mut Core, customer: Leg, cx: &Cx, out: &mut Out) -> Stage {
    core.callback = false;
    out.want(Intent::NoWait(CallTimer::Flow));
    out.want(Intent::CalledBack);
    if let Some(session) = core.a.up_session() {
        out.media(MediaCommand::StopPlay { session });
    }
    let with = core.called.number.clone();
    bridged::enter(core, customer, with, cx, out)
}

impl Callback {
    /// An attempt that begins.
    #[must_use]
    pub fn new(number: Number) -> Callback {
        Callback { number, phase: Phase::Agents(Offers::default()) }
    }

    /// Its word in the live view.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.phase {
            Phase::Agents(_) => "offering",
            Phase::Asking { .. } => "ringing",
        }
    }

    /// Whose phone rings, or the customer.
    #[must_use]
    pub fn with(&self) -> String {
        match &self.phase {
            Phase::Agents(offers) => offers.first().unwrap_or_default().to_owned(),
            Phase::Asking { .. } => self.number.to_string(),
        }
    }

    /// Whether it still stands in the queue.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.phase, Phase::Agents(_))
    }

    /// The session of the customer's leg.
    #[must_use]
    pub fn session_of(&self, leg: LegId) -> Option<SessionId> {
        match &self.phase {
            Phase::Asking { customer, .. } if customer.id == leg => customer.session(),
            Phase::Asking { .. } | Phase::Agents(_) => None,
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        let Callback { number, phase } = self;
        match phase {
            Phase::Agents(offers) => agents(core, cx, number, offers, input, out),
            Phase::Asking { customer, play, said } => {
                let phase = Phase::Asking { customer, play, said };
                Callback { number, phase }.asking(core, cx, input, out)
            }
        }
    }

    fn asking(mut self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        let Phase::Asking { customer, play, said } = &mut self.phase else {
            return Stage::Callback(Box::new(self));
        };
        match input {
            Heard::Digit(session, digit) if customer.session() == Some(session) => {
                if digit.as_char() == '1' {
                    out.step("digit", "1");
                    let Phase::Asking { customer, .. } = self.phase else { return Stage::Clearing };
                    return connect(core, *customer, cx, out);
                }
            }
            Heard::PlayDone(_, done, PlayEnd::Finished) if *play == Some(done) => {
                *play = None;
                out.wait(cx.now, CallTimer::Flow, PRESS_WITHIN);
            }
            Heard::Timer(CallTimer::Flow) if *said < TIMES => self.ask(core, out),
            Heard::Timer(CallTimer::Flow) => {
                out.step("machine", "nobody pressed a key");
                return self.nobody(core, out);
            }
            Heard::Leg(leg, LegEvent::Ended) if customer.id == leg => {
                customer.state = super::super::leg::State::Gone;
                return self.nobody(core, out);
            }
            Heard::CallerGone => return core.finish(Outcome::NoAnswer, "the agent hung up", out),
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
            | Heard::Answered(..) => {}
        }
        Stage::Callback(Box::new(self))
    }

    fn ask(&mut self, core: &Core, out: &mut Out) {
        let Phase::Asking { customer, play, said } = &mut self.phase else { return };
        *said += 1;
        if let Some(session) = customer.session() {
            *play = Some(out.play(session, core.said(&["callback-confirm"]), false, false));
        }
    }

    /// The line was picked up, but not by a person who wants to talk. The agent hears it.
    fn nobody(self, core: &mut Core, out: &mut Out) -> Stage {
        if let Phase::Asking { mut customer, .. } = self.phase {
            customer.hang_up(None, out);
            guests::close(&customer, out);
        }
        out.want(Intent::NoWait(CallTimer::Flow));
        let cause = "no person at the customer's number";
        match core.a.up_session() {
            Some(session) => {
                let sounds = to_agent(core, "agent-callback-nobody");
                goodbye::enter(session, sounds, Outcome::NoAnswer, cause, out)
            }
            None => core.finish(Outcome::NoAnswer, cause, out),
        }
    }
}

/// Agents' phones ring.
fn agents(
    core: &mut Core,
    cx: &Cx,
    number: Number,
    mut offers: Offers,
    input: Heard,
    out: &mut Out,
) -> Stage {
    match input {
        Heard::Acd(said) => match *said {
            acd::Out::Offer { agent, extension, ring_timeout, .. } => {
                out.want(Intent::NoWait(CallTimer::Flow));
                let shown = core.called.clone();
                offers.ring(core, &shown, (agent, extension, ring_timeout), cx, out);
            }
            acd::Out::Withdraw { agent, .. } => offers.withdraw(&agent, out),
            acd::Out::Say { .. }
            | acd::Out::Music { .. }
            | acd::Out::Overflow { .. }
            | acd::Out::Decide { .. }
            | acd::Out::Promised { .. }
            | acd::Out::Keep(_)
            | acd::Out::Notice(_) => {}
        },
        Heard::Leg(leg, event) if offers.has(leg) => {
            if let Some(taker) = offers.heard(leg, event, out) {
                return agent_is_there(core, &number, taker, cx, out);
            }
        }
        Heard::Timer(CallTimer::NoAnswer) => offers.ring_time_over(cx, out),
        Heard::Timer(CallTimer::Flow) => return core.finish(Outcome::NoAnswer, "no agent took it", out),
        Heard::Leg(..)
        | Heard::CallerGone
        | Heard::Digit(..)
        | Heard::PlayDone(..)
        | Heard::RecordDone(..)
        | Heard::Silent(..)
        | Heard::Timer(_)
        | Heard::CodeDone(_)
        | Heard::Stored
        | Heard::RecordSwitch(_)
        | Heard::RecordPause(_)
        | Heard::Speech(..)
        | Heard::Answered(..) => {}
    }
    if offers.is_empty() {
        out.wait(cx.now, CallTimer::Flow, LINGER);
    }
    Stage::Callback(Box::new(Callback { number, phase: Phase::Agents(offers) }))
}

fn agent_is_there(core: &mut Core, number: &Number, taker: Taker, cx: &Cx, out: &mut Out) -> Stage {
    let Taker { agent, extension, leg } = taker;
    let name = core.config.extension.get(&extension).map(|e| e.name.clone()).unwrap_or_default();
    core.a = *leg;
    core.agent_leg = Some(core.a.id);
    let party = Party { number: extension.to_string(), name };
    core.caller = Caller { party, peer: Peer::Phone(extension), outside: None };
    out.want(Intent::NoWait(CallTimer::Flow));
    out.want(Intent::Tell(Chapter::Agent(agent.clone())));
    out.want(Intent::Offered { agent, result: OfferResult::Answered });
    if let Some(session) = core.a.up_session() {
        let sounds = to_agent(core, "agent-callback").into_iter().chain([RING_BACK]).collect();
        out.play(session, sounds, false, false);
    }
    dialing::back(core, number, cx, out)
}

/// Said to the agent, in the language of their phone.
fn to_agent(core: &Core, name: &str) -> Vec<Sound> {
    let own = core.caller.extension().and_then(|n| core.config.extension.get(n)).and_then(|e| e.language);
    vec![Sound::Prompt { language: own.unwrap_or(core.config.system.language), name: name.to_owned() }]
}
