//! What a person may do to a conversation and what follows: [`Bridged::may`] says whether it goes, before anything is changed;
//! [`Bridged::steer`] does it. Rights are those of the party it is done for, never those of the party handed over.
use super::super::dialing;
use super::guests::{PARTIES_MAX, Who};
use super::hears::{Role, index};
use super::{Bridged, Stage};
use crate::call::{Core, Cx, Out, Side};
use crate::route::{Target, dialled};
use model::media::MediaCommand;
use model::number::Number;
use model::refusal::Refusal;
use model::steer::{Steer, Supervision};

/// Somebody who can be asked or invited.
pub enum Person {
    /// An extension of the box.
    Inside(Number),
    /// A number outside.
    Outside(Number),
}

impl Bridged {
    /// Which side an asker steers: its own, or the agent's when nobody is named.
    ///
    /// # Errors
    /// `Forbidden`: the extension is no party of this call.
    pub fn side_of(&self, core: &Core, party: Option<&Number>) -> Result<Side, Refusal> {
        let Some(party) = party else { return Ok(self.agent_side(core)) };
        let sides = [Side::Called, Side::Caller];
        sides.into_iter().find(|s| self.extension(core, *s) == Some(party)).ok_or(Refusal::Forbidden)
    }

    /// Whether an act goes now.
    ///
    /// # Errors
    /// Why not.
    pub fn may(&self, core: &Core, cx: &Cx, party: Option<&Number>, steer: &Steer) -> Result<(), Refusal> {
        let side = self.side_of(core, party)?;
        let asked = self.asked_by(side).map(|at| &self.guests[at]);
        let conflict = |goes: bool| goes.then_some(()).ok_or(Refusal::Conflict);
        match steer {
            Steer::Hold | Steer::Resume | Steer::Mute | Steer::Unmute | Steer::HangUp | Steer::Back => Ok(()),
            Steer::Consult { to } => {
                let busy = self.guests.iter().any(|g| !g.supervises());
                conflict(!busy)?;
                self.may_ring(core, cx, side, to)
            }
            Steer::Transfer { to: Some(to) } => match self.reach(core, side, to)? {
                Target::Extension(n) if self.is_party(core, &n) => Err(Refusal::Conflict),
                Target::Extension(_) | Target::Outside(_) | Target::Queue(_) | Target::Flow(_) => Ok(()),
                Target::Announcement
                | Target::Echo
                | Target::Emergency(_)
                | Target::EmergencyNotice(_)
                | Target::Feature(_)
                | Target::HangUp
                | Target::HotDesk(_)
                | Target::Paging
                | Target::Retrieve
                | Target::Studio(_)
                | Target::Supervise(_)
                | Target::Voicemail(_) => Err(Refusal::Forbidden),
            },
            Steer::Transfer { to: None } => {
                // A number outside that still rings cannot be left ringing: nobody would try its next trunk.
                let inside = |number: &str| {
                    Number::read(number).is_some_and(|n| core.config.extension.contains_key(&n))
                };
                conflict(asked.is_some_and(|g| g.leg().is_some() || inside(&g.number)))
            }
            Steer::Conference { to: None } => conflict(asked.is_some_and(|g| g.leg().is_some())),
            Steer::Conference { to: Some(to) } => {
                let room = self.guests.len() + 2 < PARTIES_MAX;
                conflict(room && asked.is_none())?;
                self.may_ring(core, cx, side, to)
            }
            Steer::Supervise { at, .. } => {
                conflict(!self.is_party(core, at))?;
                let there = self.guests.iter().any(|g| g.supervises_at(at));
                conflict(there || self.guests.len() + 2 < PARTIES_MAX)?;
                let known = core.config.extension.contains_key(at);
                known.then_some(()).ok_or(Refusal::Unknown)?;
                let reached = there || cx.phones.reachable(&core.config, at);
                reached.then_some(()).ok_or(Refusal::Unavailable)
            }
            Steer::Leave { at } => conflict(self.guests.iter().any(|g| g.supervises_at(at))),
        }
    }

    fn may_ring(&self, core: &Core, cx: &Cx, side: Side, to: &Number) -> Result<(), Refusal> {
        match self.person(core, side, to)? {
            Person::Inside(n) if self.is_party(core, &n) => Err(Refusal::Conflict),
            Person::Inside(n) => {
                cx.phones.reachable(&core.config, &n).then_some(()).ok_or(Refusal::Unavailable)
            }
            Person::Outside(_) => Ok(()),
        }
    }

    /// Whom a number rings for the party on this side: somebody who can be asked or invited, no service of the box.
    ///
    /// # Errors
    /// `Unknown`, `Forbidden`.
    pub fn person(&self, core: &Core, side: Side, to: &Number) -> Result<Person, Refusal> {
        match self.reach(core, side, to)? {
            Target::Extension(n) => Ok(Person::Inside(n)),
            Target::Outside(n) => Ok(Person::Outside(n)),
            Target::Announcement
            | Target::Echo
            | Target::Emergency(_)
            | Target::EmergencyNotice(_)
            | Target::Feature(_)
            | Target::Flow(_)
            | Target::HangUp
            | Target::HotDesk(_)
            | Target::Paging
            | Target::Queue(_)
            | Target::Retrieve
            | Target::Studio(_)
            | Target::Supervise(_)
            | Target::Voicemail(_) => Err(Refusal::Forbidden),
        }
    }

    /// What a number means for the party on this side, and that its rights allow it.
    ///
    /// # Errors
    /// `Unknown`, `Forbidden`.
    pub fn reach(&self, core: &Core, side: Side, to: &Number) -> Result<Target, Refusal> {
        let target = dialled::target(&core.config, to).ok_or(Refusal::Unknown)?;
        if let Target::Outside(number) = &target {
            let rights = dialing::rights(&core.config, self.extension(core, side));
            dialing::allowed(&core.config, rights, number, false).map_err(|(why, _)| why)?;
        }
        Ok(target)
    }

    fn is_party(&self, core: &Core, number: &Number) -> bool {
        let two = [Side::Caller, Side::Called].into_iter().any(|s| self.extension(core, s) == Some(number));
        two || self.guests.iter().any(|g| !g.supervises() && g.number == number.as_str())
    }

    /// Does it. What does not go any more leaves the conversation as it is.
    pub fn steer(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        party: Option<&Number>,
        steer: Steer,
        out: &mut Out,
    ) -> Stage {
        let Ok(side) = self.side_of(core, party) else { return Stage::Bridged(self) };
        if self.may(core, cx, party, &steer).is_err() {
            return Stage::Bridged(self);
        }
        match steer {
            Steer::Hold => self.hold(core, side, true, out),
            Steer::Resume => self.hold(core, side, false, out),
            Steer::Mute => self.mute(core, side, true, out),
            Steer::Unmute => self.mute(core, side, false, out),
            Steer::Consult { to } => self.ask(core, cx, side, &to, Role::Asked(side), out),
            Steer::Conference { to: Some(to) } => self.ask(core, cx, side, &to, Role::Member(false), out),
            Steer::Conference { to: None } => self.take_in(core, cx, side, out),
            Steer::Back => {
                if let Some(at) = self.asked_by(side) {
                    self.dismiss_guest(core, at, out);
                }
            }
            Steer::Transfer { to: Some(to) } => {
                if let Ok(target) = self.reach(core, side, &to) {
                    return self.transfer(core, cx, side, &to, target, out);
                }
            }
            Steer::Transfer { to: None } | Steer::HangUp => return self.leave(core, cx, side, out),
            Steer::Supervise { at, how } => return self.supervise(core, cx, &at, how, out),
            Steer::Leave { at } => {
                if let Some(at) = self.guests.iter().position(|g| g.supervises_at(&at)) {
                    self.dismiss_guest(core, at, out);
                }
            }
        }
        Stage::Bridged(self)
    }

    fn hold(&mut self, core: &mut Core, side: Side, on: bool, out: &mut Out) {
        let wanted = if on { Some(side) } else { self.holder.filter(|s| *s != side) };
        if self.holder != wanted {
            self.holder = wanted;
            out.step(if on { "held" } else { "resumed" }, self.party(core, side).number);
            self.refresh(core, out);
        }
    }

    fn mute(&mut self, core: &mut Core, side: Side, on: bool, out: &mut Out) {
        if std::mem::replace(&mut self.muted[index(side)], on) != on {
            out.step(if on { "muted" } else { "unmuted" }, self.party(core, side).number);
            if let Some(session) = self.leg_mut(core, side).session() {
                out.media(MediaCommand::Mute { session, on });
            }
        }
    }

    fn ask(&mut self, core: &mut Core, cx: &Cx, by: Side, to: &Number, role: Role, out: &mut Out) {
        let number = to.to_string();
        match self.ring(core, by, to, role, cx, out) {
            Ok(()) => out.step(if role == Role::Asked(by) { "consult" } else { "invited" }, number),
            Err(_) => out.step("missed", number),
        }
        self.refresh(core, out);
    }

    /// Whoever was asked speaks with everybody.
    fn take_in(&mut self, core: &mut Core, cx: &Cx, side: Side, out: &mut Out) {
        if let Some(at) = self.asked_by(side) {
            self.guests[at].role = Role::Member(false);
            out.step("conference", self.guests[at].number.clone());
            self.refresh(core, out);
            self.record_guest(core, cx, at, out);
        }
    }

    fn supervise(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        at: &Number,
        how: Supervision,
        out: &mut Out,
    ) -> Stage {
        let role = role_of(how);
        let Some(guest) = self.guests.iter().position(|g| g.supervises_at(at)) else {
            if self.ring_supervisor(core, at, role, cx, out).is_err() {
                out.step("missed", at.to_string());
            }
            return Stage::Bridged(self);
        };
        let before = std::mem::replace(&mut self.guests[guest].role, role);
        let here = matches!(self.guests[guest].who, Who::Here(_));
        if before != role && here {
            out.step("supervised", format!("{} {at}", how.word()));
            if role == Role::Replaces {
                let side = self.agent_side(core);
                return self.replace(core, cx, side, guest, out);
            }
            self.refresh(core, out);
            if role == Role::Member(true) {
                self.record_guest(core, cx, guest, out);
            }
        }
        Stage::Bridged(self)
    }
}

/// The role of a supervisor.
pub fn role_of(how: Supervision) -> Role {
    match how {
        Supervision::Listen => Role::Listens,
        Supervision::Whisper => Role::Whispers,
        Supervision::Barge => Role::Member(true),
        Supervision::TakeOver => Role::Replaces,
    }
}
