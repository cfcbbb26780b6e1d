//! Those who are in a conversation besides its two parties: a colleague who is asked, members of a conference, supervisors.
//! Rings them, takes them in, lets them go. Who hears whom follows from their roles (`hears`).
use super::super::dialing;
use super::hears::Role;
use super::steer::Person;
use super::{Bridged, Stage};
use crate::call::fork::{Fork, Rung};
use crate::call::leg::{Leg, State};
use crate::call::{Core, Cx, LegEvent, Out, Side};
use crate::intent::{Intent, Peer};
use crate::timers::CallTimer;
use model::id::{LegId, SessionId};
use model::notice::OtherView;
use model::number::Number;
use model::record::Party;
use model::refusal::Refusal;
use std::time::Duration;

/// Parties of one conversation, the two included: what a mix carries.
pub const PARTIES_MAX: usize = 8;

/// A third party is rung this long.
const RING: Duration = Duration::from_secs(40);

/// Somebody besides the two.
#[derive(Debug)]
pub struct Guest {
    /// Extension, or number outside.
    pub number: String,
    /// What for.
    pub role: Role,
    /// Ringing, or there.
    pub who: Who,
}

/// How far a guest is.
#[derive(Debug)]
pub enum Who {
    /// The phone rings.
    Rings(Box<Fork>),
    /// In the call.
    Here(Box<Leg>),
}

impl Guest {
    /// The leg of a guest who is there.
    pub fn leg(&self) -> Option<&Leg> {
        match &self.who {
            Who::Here(leg) => Some(leg),
            Who::Rings(_) => None,
        }
    }

    /// The phones of a guest who is rung.
    pub fn rings(&self) -> Option<&Fork> {
        match &self.who {
            Who::Rings(fork) => Some(fork),
            Who::Here(_) => None,
        }
    }

    /// The session of a guest who is there.
    pub fn session(&self) -> Option<SessionId> {
        self.leg().and_then(Leg::session)
    }

    /// Whether this is a supervisor at this extension.
    pub fn supervises_at(&self, at: &Number) -> bool {
        self.supervises() && self.number == at.as_str()
    }

    /// Whether this is a supervisor.
    pub fn supervises(&self) -> bool {
        match self.role {
            Role::Listens | Role::Whispers | Role::Replaces | Role::Member(true) => true,
            Role::Asked(_) | Role::Member(false) => false,
        }
    }

    /// As shown on the desks.
    pub fn view(&self) -> OtherView {
        let role = match self.role {
            Role::Asked(_) => "consult",
            Role::Member(_) => "conference",
            Role::Listens => "listen",
            Role::Whispers => "whisper",
            Role::Replaces => "take_over",
        };
        let ringing = matches!(self.who, Who::Rings(_));
        OtherView { number: self.number.clone(), role: role.to_owned(), ringing }
    }

    /// Goes, whatever it did.
    pub fn dismiss(self, out: &mut Out) {
        match self.who {
            Who::Rings(mut fork) => fork.cancel(out),
            Who::Here(mut leg) => {
                leg.hang_up(None, out);
                close(&leg, out);
            }
        }
    }
}

/// A leg's session is not needed any more.
pub fn close(leg: &Leg, out: &mut Out) {
    if let Some(session) = leg.session() {
        out.want(Intent::Close(session));
    }
}

impl Bridged {
    /// Rings somebody for the party on this side, with its rights and as its call.
    ///
    /// # Errors
    /// Why nobody can be rung there.
    pub fn ring(
        &mut self,
        core: &Core,
        by: Side,
        to: &Number,
        role: Role,
        cx: &Cx,
        out: &mut Out,
    ) -> Result<(), Refusal> {
        let shown = self.party(core, by);
        let fork = match self.person(core, by, to)? {
            Person::Inside(n) => Fork::extension_as(core, &shown, &n, cx, out)?,
            Person::Outside(n) => {
                let own = self.extension(core, by).cloned();
                dialing::reach(core, own.as_ref(), &n, cx, out)?
            }
        };
        self.expect(to.to_string(), role, fork, cx, out);
        Ok(())
    }

    /// Rings a supervisor's own phone; it shows whose call it is.
    ///
    /// # Errors
    /// Nobody can be rung there.
    pub fn ring_supervisor(
        &mut self,
        core: &Core,
        at: &Number,
        role: Role,
        cx: &Cx,
        out: &mut Out,
    ) -> Result<(), Refusal> {
        let shown = self.party(core, self.agent_side(core));
        let fork = Fork::extension_as(core, &shown, at, cx, out)?;
        self.expect(at.to_string(), role, fork, cx, out);
        Ok(())
    }

    fn expect(&mut self, number: String, role: Role, fork: Fork, cx: &Cx, out: &mut Out) {
        self.guests.push(Guest { number, role, who: Who::Rings(Box::new(fork)) });
        out.wait(cx.now, CallTimer::Guest, RING);
    }

    /// A supervisor who is on the line already listens from now on.
    pub fn admit(&mut self, core: &mut Core, leg: Leg, at: &Number, out: &mut Out) {
        out.step("supervised", format!("listen {at}"));
        self.guests.push(Guest {
            number: at.to_string(),
            role: Role::Listens,
            who: Who::Here(Box::new(leg)),
        });
        self.refresh(core, out);
    }

    /// A leg of a guest did something.
    pub fn guest_did(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        leg: LegId,
        event: LegEvent,
        out: &mut Out,
    ) -> Stage {
        let Some(at) = self.guests.iter().position(|g| g.has(leg)) else { return Stage::Bridged(self) };
        let rung = match &mut self.guests[at].who {
            Who::Rings(fork) => fork.heard(leg, event, out),
            Who::Here(here) => match event {
                LegEvent::Ended | LegEvent::Refused(_) => {
                    here.state = State::Gone;
                    return self.guest_gone(core, at, out);
                }
                LegEvent::Progress(..) | LegEvent::Answered(_) => Rung::Still,
            },
        };
        match rung {
            Rung::Still | Rung::Ringing(..) => Stage::Bridged(self),
            Rung::Answered(leg) => {
                self.guests[at].who = Who::Here(leg);
                self.arrived(core, cx, at, out)
            }
            Rung::Nobody(code) => {
                let guest = self.guests.remove(at);
                out.step("missed", format!("{} {code}", guest.number));
                self.refresh(core, out);
                Stage::Bridged(self)
            }
        }
    }

    fn arrived(mut self: Box<Self>, core: &mut Core, cx: &Cx, at: usize, out: &mut Out) -> Stage {
        let (role, number) = (self.guests[at].role, self.guests[at].number.clone());
        if !self.guests.iter().any(|g| matches!(g.who, Who::Rings(_))) {
            out.want(Intent::NoWait(CallTimer::Guest));
        }
        match role {
            Role::Asked(_) => out.step("consulting", number),
            Role::Member(_) => {
                out.step("conference", number);
                self.record_guest(core, cx, at, out);
            }
            Role::Listens | Role::Whispers => {
                out.step("supervised", format!("{} {number}", self.guests[at].view().role));
            }
            Role::Replaces => {
                let side = self.agent_side(core);
                out.step("supervised", format!("take_over {number}"));
                return self.replace(core, cx, side, at, out);
            }
        }
        self.refresh(core, out);
        Stage::Bridged(self)
    }

    /// A guest who was there went by itself.
    fn guest_gone(mut self: Box<Self>, core: &mut Core, at: usize, out: &mut Out) -> Stage {
        let guest = self.guests.remove(at);
        out.step("left", guest.number.clone());
        if let Some(leg) = guest.leg() {
            close(leg, out);
        }
        self.refresh(core, out);
        Stage::Bridged(self)
    }

    /// Phones that rang long enough ring no more.
    pub fn guests_missed(&mut self, core: &mut Core, out: &mut Out) {
        let (ringing, here): (Vec<Guest>, Vec<Guest>) =
            std::mem::take(&mut self.guests).into_iter().partition(|g| matches!(g.who, Who::Rings(_)));
        self.guests = here;
        for guest in ringing {
            out.step("missed", guest.number.clone());
            guest.dismiss(out);
        }
        self.refresh(core, out);
    }

    /// All guests go.
    pub fn dismiss_guests(&mut self, out: &mut Out) {
        for guest in std::mem::take(&mut self.guests) {
            guest.dismiss(out);
        }
        out.want(Intent::NoWait(CallTimer::Guest));
    }

    /// One guest goes.
    pub fn dismiss_guest(&mut self, core: &mut Core, at: usize, out: &mut Out) {
        let guest = self.guests.remove(at);
        out.step("left", guest.number.clone());
        guest.dismiss(out);
        self.refresh(core, out);
    }

    /// The guest that this side asks.
    pub fn asked_by(&self, side: Side) -> Option<usize> {
        self.guests.iter().position(|g| g.role == Role::Asked(side))
    }

    /// The extension on a side, if it is one.
    pub fn extension<'a>(&'a self, core: &'a Core, side: Side) -> Option<&'a Number> {
        let peer = match side {
            Side::Caller => &core.caller.peer,
            Side::Called => &self.b.peer,
        };
        match peer {
            Peer::Phone(number) => Some(number),
            Peer::Trunk(_) => None,
        }
    }

    /// The party on a side, as shown to others.
    pub fn party(&self, core: &Core, side: Side) -> Party {
        match (side, self.extension(core, side)) {
            (Side::Caller, _) => core.caller.party.clone(),
            (Side::Called, Some(number)) => {
                let name = core.config.extension.get(number).map(|e| e.name.clone());
                Party { number: number.to_string(), name: name.unwrap_or_default() }
            }
            (Side::Called, None) => Party { number: self.with.clone(), name: String::new() },
        }
    }
}

impl Guest {
    fn has(&self, leg: LegId) -> bool {
        match &self.who {
            Who::Rings(fork) => fork.has(leg),
            Who::Here(here) => here.id == leg,
        }
    }
}
