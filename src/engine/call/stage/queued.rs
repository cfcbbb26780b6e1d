//! Waits in a queue with music; agents' phones may ring. Leaves by: an agent answers → Bridged · overflow by rule → where the
//! rule says · asked to be called back → GoodBye · caller gone → Clearing. Who is offered when is the queue's decision (`acd`); here phones ring for it.
use super::super::offers::{Offers, Taker};
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, bridged, caller_gone, goodbye};
use crate::acd::ticket::Caller;
use crate::acd::{self, OfferResult};
use crate::call::leg::Leg;
use crate::dialer::campaign::Told;
use crate::intent::{Chapter, Intent};
use crate::route::Target;
use crate::say;
use crate::timers::CallTimer;
use model::ask::{Answer, Ask};
use model::id::{PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd, Sound};
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;

/// The number of the question who shall take the caller; flows count theirs from 1.
const DECISION: u32 = 0;
/// The key that asks to be called back; the prompt names it.
const ASK_BACK: char = '1';
/// How a call ends whose caller will be called back.
pub const PROMISED: &str = "will be called back";

/// A caller who waits.
#[derive(Debug)]
pub struct Queued {
    queue: String,
    session: SessionId,
    music: String,
    saying: Option<PlayId>,
    offers: Offers,
    /// It left the queue and only waits to be told that it will be called back.
    promised: bool,
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
    let stood_since = core.stood_since.take();
    if let Some(since) = stood_since {
        out.want(Intent::Tell(Chapter::Stood(cx.now.mono.since(since.mono))));
    }
    out.want(Intent::Tell(Chapter::Queue(queue.to_owned())));
    core.waiting_since.get_or_insert(cx.now.mono);
    let mut caller = caller(core, cx);
    if let Some(since) = stood_since {
        // What was waited here already is no wait before.
        caller.waited = core.waiting_since.map(|first| since.mono.since(first)).unwrap_or_default();
        caller.stood_since = stood_since;
    }
    out.want(Intent::Enqueue { queue: queue.to_owned(), caller: Box::new(caller) });
    Stage::Queued(Box::new(Queued {
        queue: queue.to_owned(),
        session,
        music: "default".into(),
        saying: None,
        offers: Offers::default(),
        promised: false,
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
    if outreach.detect.is_some() {
        out.media(MediaCommand::Listen { session, listening: outreach.detect });
    }
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
        offers: Offers::default(),
        promised: false,
    }))
}

/// What a queue needs to know of the caller.
#[must_use]
pub fn caller(core: &Core, cx: &Cx) -> Caller {
    Caller {
        party: core.caller.party.clone(),
        language: core.language,
        outside: core.caller.outside.clone(),
        class: cx.contacts.find(&core.caller.party.number).map(|c| c.class.clone()).unwrap_or_default(),
        waited: core.waiting_since.map(|since| cx.now.mono.since(since)).unwrap_or_default(),
        ..Caller::default()
    }
}

impl Queued {
    /// Whether it has a place in the queue.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.promised
    }

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
        self.offers.first().unwrap_or(&self.queue).to_owned()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Acd(said) => return self.acd(core, cx, *said, out),
            Heard::Leg(leg, event) => {
                if let Some(taker) = self.offers.heard(leg, event, out) {
                    return (*self).answered(core, cx, taker, out);
                }
            }
            Heard::Digit(session, digit) if session == self.session && digit.as_char() == ASK_BACK => {
                self.asks_back(core, cx, out);
            }
            Heard::Answered(DECISION, answer) => {
                let agent = match *answer {
                    Answer::Fields(mut fields) => fields.remove("agent"),
                    Answer::Failed(_) | Answer::Sound(_) | Answer::Verb(_) => None,
                };
                out.step("decision", agent.clone().unwrap_or_default());
                out.want(Intent::Decided(agent));
            }
            Heard::CodeDone(why) => self.say(core, why, out),
            Heard::Stored if self.promised => {
                let sounds = core.said(&["queue-callback-promised"]);
                return goodbye::enter(self.session, sounds, Outcome::Answered, PROMISED, out);
            }
            Heard::PlayDone(_, play, PlayEnd::Finished) if self.saying == Some(play) => {
                self.saying = None;
                self.play_music(out);
            }
            Heard::Timer(CallTimer::NoAnswer) => self.offers.ring_time_over(cx, out),
            Heard::Timer(CallTimer::Grace) => return self.nobody_there(core, out),
            Heard::CallerGone => {
                self.offers.cancel_all(out);
                out.want(Intent::LeaveQueue);
                let outcome = if self.promised { Outcome::Answered } else { Outcome::Abandoned };
                return caller_gone(core, outcome, out);
            }
            Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
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
                let shown = core.caller.party.clone();
                self.offers.ring(core, &shown, (agent, extension, ring_timeout), cx, out);
            }
            acd::Out::Withdraw { agent, .. } => self.offers.withdraw(&agent, out),
            acd::Out::Decide { url, timeout_ms, .. } => {
                out.want(Intent::Ask(DECISION, Ask::Lookup { url, timeout_ms }));
            }
            acd::Out::Promised { number, .. } => self.is_promised(core, &number, out),
            acd::Out::Overflow { to, why, .. } => {
                self.offers.cancel_all(out);
                out.media(MediaCommand::StopPlay { session: self.session });
                out.want(Intent::Tell(Chapter::QueueLeft));
                out.step("overflow", format!("{to} ({why:?})"));
                return core.go(Target::from(&to), cx, out);
            }
            acd::Out::Keep(_) | acd::Out::Notice(_) => {}
        }
        Stage::Queued(self)
    }

    fn answered(mut self, core: &mut Core, cx: &Cx, taker: Taker, out: &mut Out) -> Stage {
        let Taker { agent, extension, leg } = taker;
        self.offers.cancel_all(out);
        core.waiting_since = None;
        out.want(Intent::Tell(Chapter::Agent(agent.clone())));
        if core.outreach.is_some() {
            out.want(Intent::NoWait(CallTimer::Grace));
            out.want(Intent::Outreach(Told::Connected(agent.clone())));
        }
        out.want(Intent::Offered { agent, result: OfferResult::Answered });
        core.agent_leg = Some(leg.id);
        bridged::enter(core, *leg, extension.to_string(), cx, out)
    }

    /// The caller will be called back: hears so once it is on disk.
    fn is_promised(&mut self, core: &mut Core, number: &Number, out: &mut Out) {
        self.promised = true;
        self.offers.cancel_all(out);
        core.waiting_since = None;
        out.want(Intent::Tell(Chapter::QueueLeft));
        out.step("callback", number.to_string());
    }

    /// The caller asks to be called back.
    fn asks_back(&self, core: &Core, cx: &Cx, out: &mut Out) {
        if let Some(number) = core.caller.outside.clone().filter(|_| !self.promised) {
            let (queue, caller) = (self.queue.clone(), Box::new(caller(core, cx)));
            out.want(Intent::CallBack { queue, caller, number });
        }
    }

    /// No agent in time: who called and why, how to be left alone, and the end.
    fn nobody_there(mut self, core: &mut Core, out: &mut Out) -> Stage {
        let Some(outreach) = core.outreach.clone() else { return Stage::Queued(Box::new(self)) };
        self.offers.cancel_all(out);
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

    /// A machine answered: nobody is looked for any more.
    pub fn step_back(&mut self, out: &mut Out) {
        self.offers.cancel_all(out);
        out.want(Intent::NoWait(CallTimer::Grace));
        out.want(Intent::LeaveQueue);
        out.want(Intent::Tell(Chapter::QueueLeft));
    }

    fn say(&mut self, core: &Core, name: &str, out: &mut Out) {
        self.saying = Some(out.play(self.session, core.said(&[name]), false, false));
    }

    fn play_music(&self, out: &mut Out) {
        out.play(self.session, vec![Sound::Music(self.music.clone())], true, false);
    }
}
