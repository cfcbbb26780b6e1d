//! Waits in a queue with music; agents' phones may ring. Leaves by: an agent answers → Bridged · overflow by rule → where the
//! rule says · caller gone → Clearing. Who is offered when is the queue's decision (`acd`); here phones ring for it.
use super::super::fork::{Fork, Rung};
use super::super::{Core, Cx, Heard, LegEvent, Out};
use super::{Stage, bridged, caller_gone, goodbye};
use crate::acd::ticket::Caller;
use crate::acd::{self, OfferResult};
use crate::call::leg::Leg;
use crate::dialer::campaign::Told;
use crate::intent::{Chapter, Intent};
use crate::route::Target;
use crate::say;
use crate::timers::CallTimer;
use model::clock::Mono;
use model::id::{LegId, PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd, Sound};
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use std::collections::BTreeMap;
use std::time::Duration;

/// A caller who waits.
#[derive(Debug)]
pub struct Queued {
    queue: String,
    session: SessionId,
    music: String,
    saying: Option<PlayId>,
    offers: BTreeMap<String, Offer>,
}

#[derive(Debug)]
struct Offer {
    fork: Fork,
    extension: Number,
    until: Mono,
}

/// Takes the caller's call and puts it into the queue.
pub fn enter(core: &mut Core, queue: &str, cx: &Cx, out: &mut Out) -> Stage {
    if !core.config.queue.contains_key(queue) {
        return core.refuse(Refusal::Unknown, "no such queue", out);
    }
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    core.queue = Some(queue.to_owned());
    out.want(Intent::Tell(Chapter::Queue(queue.to_owned())));
    let since = *core.waiting_since.get_or_insert(cx.now.mono);
    let caller = Caller {
        party: core.caller.party.clone(),
        language: core.language,
        outside: core.caller.outside.clone(),
        class: cx.contacts.find(&core.caller.party.number).map(|c| c.class.clone()).unwrap_or_default(),
        waited: cx.now.mono.since(since),
        ..Caller::default()
    };
    out.want(Intent::Enqueue { queue: queue.to_owned(), caller: Box::new(caller) });
    Stage::Queued(Box::new(Queued {
        queue: queue.to_owned(),
        session,
        music: "default".into(),
        saying: None,
        offers: BTreeMap::new(),
    }))
}

/// A person called by a campaign has answered: an agent within two seconds, or the recorded identity; or the flow that
/// speaks instead of agents.
pub fn reached(core: &mut Core, person: Leg, cx: &Cx, out: &mut Out) -> Stage {
    out.want(Intent::NoWait(CallTimer::NoAnswer));
    out.want(Intent::NoWait(CallTimer::NoProgress));
    core.a = person;
    let (Some(session), Some(outreach)) = (core.a.up_session(), core.outreach.clone()) else {
        return core.finish(Outcome::Failed, "no sound with the called party", out);
    };
    out.want(Intent::Tell(Chapter::Service));
    out.want(Intent::Outreach(Told::Answered));
    if let Some(flow) = outreach.flow {
        out.want(Intent::Outreach(Told::Flow));
        return core.go(Target::Flow(flow), cx, out);
    }
    core.queue = Some(outreach.queue.clone());
    out.want(Intent::Tell(Chapter::Queue(outreach.queue.clone())));
    out.want(Intent::Reach { queue: outreach.queue.clone(), agent: outreach.agent });
    out.wait(cx.now, CallTimer::Grace, outreach.grace);
    Stage::Queued(Box::new(Queued {
        queue: outreach.queue,
        session,
        music: String::new(),
        saying: None,
        offers: BTreeMap::new(),
    }))
}

impl Queued {
    /// Its word in the live view.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.offers.is_empty() { "queued" } else { "offering" }
    }

    /// The queue it waits in.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// The queue, or whose phone rings.
    #[must_use]
    pub fn with(&self) -> String {
        match self.offers.first_key_value() {
            Some((agent, _)) => agent.clone(),
            None => self.queue.clone(),
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Acd(said) => return self.acd(core, cx, *said, out),
            Heard::Leg(leg, event) => {
                if let Some(agent) = self.offered(leg) {
                    return self.heard(core, cx, agent, leg, event, out);
                }
            }
            Heard::PlayDone(_, play, PlayEnd::Finished) if self.saying == Some(play) => {
                self.saying = None;
                self.play_music(out);
            }
            Heard::Timer(CallTimer::NoAnswer) => self.ring_time_over(cx, out),
            Heard::Timer(CallTimer::Grace) => return self.nobody_there(core, out),
            Heard::CallerGone => {
                self.cancel_all(out);
                out.want(Intent::LeaveQueue);
                return caller_gone(core, Outcome::Abandoned, out);
            }
            Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::CodeDone(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Answered(..) => {}
        }
        Stage::Queued(self)
    }

    fn acd(mut self: Box<Self>, core: &mut Core, cx: &Cx, said: acd::Out, out: &mut Out) -> Stage {
        match said {
            acd::Out::Music { source, .. } => {
                self.music = source;
                if self.saying.is_none() {
                    self.play_music(out);
                }
            }
            acd::Out::Say { sounds, .. } => {
                self.saying = Some(out.play(self.session, sounds, false, false));
            }
            acd::Out::Offer { agent, extension, ring_timeout, .. } => {
                self.offer(core, cx, agent, extension, ring_timeout, out);
            }
            acd::Out::Withdraw { agent, .. } => {
                if let Some(mut offer) = self.offers.remove(&agent) {
                    offer.fork.cancel(out);
                }
                self.wait_for_next(out);
            }
            acd::Out::Overflow { to, why, .. } => {
                self.cancel_all(out);
                out.media(MediaCommand::StopPlay { session: self.session });
                out.want(Intent::Tell(Chapter::QueueLeft));
                out.step("overflow", format!("{to} ({why:?})"));
                return core.go(Target::from(&to), cx, out);
            }
            acd::Out::Keep(_) | acd::Out::Notice(_) => {}
        }
        Stage::Queued(self)
    }

    fn offer(
        &mut self,
        core: &Core,
        cx: &Cx,
        agent: String,
        extension: Number,
        ring: Duration,
        out: &mut Out,
    ) {
        out.step("offered", agent.clone());
        match Fork::extension(core, &extension, cx, out) {
            Ok(fork) => {
                self.offers.insert(agent, Offer { fork, extension, until: cx.now.mono + ring });
                self.wait_for_next(out);
            }
            Err(_) => out.want(Intent::Offered { agent, result: OfferResult::Unreachable }),
        }
    }

    fn heard(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        agent: String,
        leg: LegId,
        event: LegEvent,
        out: &mut Out,
    ) -> Stage {
        let Some(offer) = self.offers.get_mut(&agent) else { return Stage::Queued(self) };
        match offer.fork.heard(leg, event, out) {
            Rung::Still | Rung::Ringing(..) => {}
            Rung::Answered(b) => {
                let extension = self.offers.remove(&agent).map(|o| o.extension.to_string());
                self.cancel_all(out);
                core.waiting_since = None;
                out.want(Intent::Tell(Chapter::Agent(agent.clone())));
                if core.outreach.is_some() {
                    out.want(Intent::NoWait(CallTimer::Grace));
                    out.want(Intent::Outreach(Told::Connected(agent.clone())));
                }
                out.want(Intent::Offered { agent, result: OfferResult::Answered });
                core.agent_leg = Some(b.id);
                return bridged::enter(core, *b, extension.unwrap_or_default(), cx, out);
            }
            Rung::Nobody(code) => {
                self.offers.remove(&agent);
                self.missed(agent, result(code), out);
                self.wait_for_next(out);
            }
        }
        Stage::Queued(self)
    }

    /// No agent in time: who called and why, how to be left alone, and the end.
    fn nobody_there(mut self, core: &mut Core, out: &mut Out) -> Stage {
        let Some(outreach) = core.outreach.clone() else { return Stage::Queued(Box::new(self)) };
        self.cancel_all(out);
        out.want(Intent::LeaveQueue);
        out.want(Intent::Tell(Chapter::QueueLeft));
        out.want(Intent::Outreach(Told::Message));
        let sounds = match outreach.identity {
            Some(file) => vec![Sound::File(file)],
            None => {
                let mut names = vec!["campaign-identity".to_owned()];
                names.extend(say::digits(outreach.caller_id.as_str().trim_start_matches('+')));
                say::sounds(core.language, names)
            }
        };
        out.step("announced", "campaign-identity");
        goodbye::enter(self.session, sounds, Outcome::Abandoned, "no agent in time", out)
    }

    fn ring_time_over(&mut self, cx: &Cx, out: &mut Out) {
        let due: Vec<String> =
            self.offers.iter().filter(|(_, o)| o.until <= cx.now.mono).map(|(a, _)| a.clone()).collect();
        for agent in due {
            if let Some(mut offer) = self.offers.remove(&agent) {
                offer.fork.cancel(out);
            }
            self.missed(agent, OfferResult::NoAnswer, out);
        }
        self.wait_for_next(out);
    }

    fn missed(&self, agent: String, result: OfferResult, out: &mut Out) {
        out.step("missed", agent.clone());
        out.want(Intent::Offered { agent, result });
    }

    /// One timer serves all offers: the one that ends first.
    fn wait_for_next(&self, out: &mut Out) {
        match self.offers.values().map(|o| o.until).min() {
            Some(at) => out.want(Intent::Wait(CallTimer::NoAnswer, at)),
            None => out.want(Intent::NoWait(CallTimer::NoAnswer)),
        }
    }

    fn cancel_all(&mut self, out: &mut Out) {
        for offer in self.offers.values_mut() {
            offer.fork.cancel(out);
        }
        self.offers.clear();
        out.want(Intent::NoWait(CallTimer::NoAnswer));
    }

    fn offered(&self, leg: LegId) -> Option<String> {
        self.offers.iter().find(|(_, o)| o.fork.has(leg)).map(|(agent, _)| agent.clone())
    }

    fn play_music(&self, out: &mut Out) {
        out.play(self.session, vec![Sound::Music(self.music.clone())], true, false);
    }
}

/// What a refusal says of the agent.
fn result(code: u16) -> OfferResult {
    match code {
        486 | 600 => OfferResult::Busy,
        603 | 403 => OfferResult::Declined,
        _ => OfferResult::Unreachable,
    }
}
