//! Where a call is. One file a stage: its data, the way in, and one function over inputs that names every way out.
pub mod bridged;
pub mod callback;
pub mod desk;
pub mod dialing;
pub mod goodbye;
pub mod ivr;
pub mod machine;
pub mod mailbox;
pub mod queued;
pub mod ringing;
pub mod service;
pub mod studio;
pub mod summon;
pub mod supervise;
mod typing;

use super::fork::Fork;
use super::{Core, Cx, Heard, Out, bridge};
use crate::route::Target;
use bridged::Bridged;
use callback::Callback;
use desk::Desk;
use dialing::Dialing;
use goodbye::GoodBye;
use ivr::Ivr;
use machine::Machine;
use mailbox::Mailbox;
use model::id::{LegId, SessionId};
use model::notice::OtherView;
use model::record::Outcome;
use model::refusal::Refusal;
use queued::Queued;
use ringing::{Back, Ringing};
use service::Service;
use studio::Studio;
use summon::Summon;
use supervise::Supervise;

/// Where a call is.
#[derive(Debug)]
pub enum Stage {
    /// Nothing was decided yet.
    Routing,
    /// The phone that shall become the caller rings (click to call).
    Summon(Box<Summon>),
    /// In a flow.
    Ivr(Box<Ivr>),
    /// Waits in a queue; agents may ring.
    Queued(Box<Queued>),
    /// Somebody is called back: agents' phones ring, or the customer is asked.
    Callback(Box<Callback>),
    /// A phone rings.
    Ringing(Box<Ringing>),
    /// A trunk is asked for a number outside.
    Dialing(Box<Dialing>),
    /// Two parties talk (or one holds the other).
    Bridged(Box<Bridged>),
    /// The caller leaves a message, or listens to messages.
    Mailbox(Box<Mailbox>),
    /// The box itself answers: echo, announcement, star code, paging.
    Service(Service),
    /// Somebody records a prompt of the site.
    Studio(Box<Studio>),
    /// A supervisor gives the PIN.
    Supervise(Supervise),
    /// Somebody logs in at a phone, or out.
    Desk(Desk),
    /// An answering machine is left a message.
    Machine(Machine),
    /// A last prompt, then the end.
    GoodBye(GoodBye),
    /// Over; the engine takes back what is left.
    Clearing,
}

impl Stage {
    /// Its word in the live view.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Routing => "routing",
            Stage::Summon(_) | Stage::Ringing(_) | Stage::Dialing(_) => "ringing",
            Stage::Ivr(_) => "ivr",
            Stage::Queued(q) => q.name(),
            Stage::Callback(c) => c.name(),
            Stage::Bridged(_) => "bridged",
            Stage::Mailbox(_) => "voicemail",
            Stage::Service(_)
            | Stage::Studio(_)
            | Stage::Supervise(_)
            | Stage::Desk(_)
            | Stage::Machine(_) => "service",
            Stage::GoodBye(_) | Stage::Clearing => "clearing",
        }
    }

    /// The same, with what happens in a conversation.
    #[must_use]
    pub fn shown(&self, core: &Core) -> &'static str {
        if let Stage::Bridged(bridged) = self {
            return bridged.name(core);
        }
        self.name()
    }

    /// Whether a queue has a ticket for it.
    #[must_use]
    pub fn waits(&self) -> bool {
        match self {
            Stage::Queued(q) => q.waits(),
            Stage::Callback(c) => c.waits(),
            Stage::Routing
            | Stage::Summon(_)
            | Stage::Ivr(_)
            | Stage::Ringing(_)
            | Stage::Dialing(_)
            | Stage::Bridged(_)
            | Stage::Mailbox(_)
            | Stage::Service(_)
            | Stage::Studio(_)
            | Stage::Supervise(_)
            | Stage::Desk(_)
            | Stage::Machine(_)
            | Stage::GoodBye(_)
            | Stage::Clearing => false,
        }
    }

    /// Numbers of the parties that are muted.
    #[must_use]
    pub fn muted(&self, core: &Core) -> Vec<String> {
        if let Stage::Bridged(b) = self { b.muted(core) } else { Vec::new() }
    }

    /// Who is in the call besides its two parties.
    #[must_use]
    pub fn others(&self) -> Vec<OtherView> {
        if let Stage::Bridged(b) = self { b.others() } else { Vec::new() }
    }

    /// Who or what it is with.
    #[must_use]
    pub fn with(&self) -> String {
        match self {
            Stage::Routing | Stage::Machine(_) | Stage::GoodBye(_) | Stage::Clearing => String::new(),
            Stage::Summon(s) => s.with(),
            Stage::Ivr(i) => i.with(),
            Stage::Queued(q) => q.with(),
            Stage::Callback(c) => c.with(),
            Stage::Ringing(r) => r.with(),
            Stage::Dialing(d) => d.with(),
            Stage::Bridged(b) => b.with(),
            Stage::Mailbox(m) => m.with(),
            Stage::Service(s) => s.with(),
            Stage::Studio(s) => s.with(),
            Stage::Supervise(s) => s.with(),
            Stage::Desk(d) => d.with(),
        }
    }

    /// How the call has ended when it ends now from outside.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Stage::Routing | Stage::Summon(_) | Stage::Ringing(_) | Stage::Dialing(_) | Stage::Queued(_) => {
                Outcome::Abandoned
            }
            Stage::Ivr(_)
            | Stage::Bridged(_)
            | Stage::Service(_)
            | Stage::Studio(_)
            | Stage::Supervise(_)
            | Stage::Desk(_)
            | Stage::Machine(_) => Outcome::Answered,
            Stage::Callback(_) => Outcome::NoAnswer,
            Stage::Mailbox(m) => m.outcome(),
            Stage::GoodBye(g) => g.outcome(),
            Stage::Clearing => Outcome::Failed,
        }
    }

    /// Those among whom this leg rings over a trunk; phones are not asked for anything before they answer.
    pub fn fork_of(&mut self, leg: LegId) -> Option<&mut Fork> {
        let fork = match self {
            Stage::Dialing(dialing) => dialing.fork(),
            Stage::Bridged(bridged) => return bridged.fork_of(leg),
            Stage::Routing
            | Stage::Summon(_)
            | Stage::Ivr(_)
            | Stage::Queued(_)
            | Stage::Callback(_)
            | Stage::Ringing(_)
            | Stage::Mailbox(_)
            | Stage::Service(_)
            | Stage::Studio(_)
            | Stage::Supervise(_)
            | Stage::Desk(_)
            | Stage::Machine(_)
            | Stage::GoodBye(_)
            | Stage::Clearing => None,
        };
        fork.filter(|fork| fork.has(leg))
    }

    /// The session of a leg of this call.
    #[must_use]
    pub fn session_of(&self, core: &Core, leg: LegId) -> Option<SessionId> {
        if core.a.id == leg {
            return core.a.session();
        }
        match self {
            Stage::Bridged(bridged) => bridged.session_of(leg),
            Stage::Callback(callback) => callback.session_of(leg),
            Stage::Routing
            | Stage::Summon(_)
            | Stage::Ivr(_)
            | Stage::Queued(_)
            | Stage::Ringing(_)
            | Stage::Dialing(_)
            | Stage::Mailbox(_)
            | Stage::Service(_)
            | Stage::Studio(_)
            | Stage::Supervise(_)
            | Stage::Desk(_)
            | Stage::Machine(_)
            | Stage::GoodBye(_)
            | Stage::Clearing => None,
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match self {
            Stage::Routing => routing(core, &input, out),
            Stage::Summon(s) => s.step(core, cx, input, out),
            Stage::Ivr(i) => i.step(core, cx, input, out),
            Stage::Queued(q) => q.step(core, cx, input, out),
            Stage::Callback(c) => c.step(core, cx, input, out),
            Stage::Ringing(r) => r.step(core, cx, input, out),
            Stage::Dialing(d) => d.step(core, cx, input, out),
            Stage::Bridged(b) => b.step(core, cx, input, out),
            Stage::Mailbox(m) => m.step(core, cx, input, out),
            Stage::Service(s) => s.step(core, input, out),
            Stage::Studio(s) => s.step(core, cx, input, out),
            Stage::Supervise(s) => s.step(core, cx, input, out),
            Stage::Desk(d) => d.step(core, cx, input, out),
            Stage::Machine(m) => m.step(core, cx, input, out),
            Stage::GoodBye(g) => g.step(core, input, out),
            Stage::Clearing => Stage::Clearing,
        }
    }
}

/// Before anything was decided only the caller's going matters.
fn routing(core: &mut Core, input: &Heard, out: &mut Out) -> Stage {
    match input {
        Heard::CallerGone => core.finish(Outcome::Abandoned, bridge::CALLER_HUNG_UP, out),
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
        | Heard::Answered(..) => Stage::Routing,
    }
}

/// Begins the stage of a target.
pub fn enter(core: &mut Core, target: Target, cx: &Cx, out: &mut Out) -> Stage {
    match target {
        Target::Announcement => service::announcement(core, cx, out),
        Target::Echo => service::echo(core, cx, out),
        Target::Emergency(number) => dialing::emergency(core, &number, cx, out),
        Target::EmergencyNotice(number) => service::emergency_notice(core, &number, cx, out),
        Target::Extension(number) => ringing::enter(core, number, Back::Caller, cx, out),
        Target::Feature(code) => service::feature(core, code, cx, out),
        Target::Flow(name) => ivr::enter(core, &name, cx, out),
        Target::HotDesk(person) => desk::enter(core, person, cx, out),
        Target::HangUp => match core.a.up_session() {
            Some(_) => core.finish(Outcome::Answered, "hung up by rule", out),
            None => core.refuse(Refusal::Declined, "hung up by rule", out),
        },
        Target::Outside(number) => dialing::outside(core, &number, cx, out),
        Target::Paging => service::paging(core, cx, out),
        Target::Queue(name) => queued::enter(core, &name, cx, out),
        Target::Retrieve => mailbox::retrieve(core, cx, out),
        Target::Studio(wanted) => studio::enter(core, wanted, cx, out),
        Target::Supervise(number) => supervise::enter(core, number, cx, out),
        Target::Voicemail(number) => mailbox::deposit(core, number, cx, out),
    }
}

/// The caller hung up in a stage that owns nothing else.
fn caller_gone(core: &mut Core, outcome: Outcome, out: &mut Out) -> Stage {
    core.finish(outcome, bridge::CALLER_HUNG_UP, out)
}
