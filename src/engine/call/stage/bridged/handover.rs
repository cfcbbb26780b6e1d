//! A party goes and the call goes on: blind transfer, a consultation that is completed, one of a conference leaving. The
//! customer's call and its record stay the same; only who is in it changes.
use super::super::{ivr, ringing};
use super::guests::{Guest, Who, close};
use super::hears::Role;
use super::{Bridged, Stage};
use crate::call::leg::Leg;
use crate::call::{Caller, Core, Cx, Out, Side, bridge};
use crate::intent::{Chapter, Intent, Peer};
use crate::recording;
use crate::route::Target;
use model::media::MediaCommand;
use model::number::Number;
use model::record::Outcome;

impl Bridged {
    /// A party is gone (its leg is ended, or ends here). Whoever was asked takes its place, also when it is the one about whom
    /// somebody asks; in a conference a member does; when an agent goes and the flow has a step for that, the flow goes on;
    /// else the call is over.
    pub fn leave(mut self: Box<Self>, core: &mut Core, cx: &Cx, side: Side, out: &mut Out) -> Stage {
        let there = |g: &Guest| g.session().is_some();
        if let Some(at) = self.asked_by(side) {
            return match &self.guests[at].who {
                Who::Here(_) => self.replace(core, cx, side, at, out),
                Who::Rings(_) => self.wait_for(core, cx, side, at, out),
            };
        }
        if let Some(at) = self.asked_by(side.other()).filter(|at| there(&self.guests[*at])) {
            out.step("left", self.party(core, side).number);
            return self.replace(core, cx, side, at, out);
        }
        let member = self.guests.iter().position(|g| matches!(g.role, Role::Member(_)) && there(g));
        if let Some(at) = member.filter(|_| self.asked_by(side.other()).is_none()) {
            out.step("left", self.party(core, side).number);
            return self.replace(core, cx, side, at, out);
        }
        if let (Side::Called, Some(session), Some(run)) = (side, core.a.up_session(), core.after.take()) {
            out.want(Intent::LegGone(self.b.id));
            out.want(Intent::Tell(Chapter::Alone));
            self.quit(core, side, None, out);
            return ivr::resume(core, *run, session, cx, out);
        }
        self.leg_mut(core, side).hang_up(None, out);
        self.leg_mut(core, side.other()).hang_up(None, out);
        let cause = match side {
            Side::Caller => bridge::CALLER_HUNG_UP,
            Side::Called => bridge::CALLED_HUNG_UP,
        };
        core.finish(Outcome::Answered, cause, out)
    }

    /// A guest takes the place of a party, who goes.
    pub fn replace(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        side: Side,
        at: usize,
        out: &mut Out,
    ) -> Stage {
        match self.guests.remove(at) {
            Guest { who: Who::Here(leg), number, .. } => self.take_place(core, cx, side, *leg, number, out),
            rung => self.guests.insert(at, rung),
        }
        Stage::Bridged(self)
    }

    /// Another leg takes the place of a party, who goes.
    pub fn take_place(
        &mut self,
        core: &mut Core,
        cx: &Cx,
        side: Side,
        leg: Leg,
        number: String,
        out: &mut Out,
    ) {
        let before = self.party(core, side).number;
        recording::stop(core, out);
        self.goes(core, side, out);
        if side == Side::Caller {
            self.turn(core);
        }
        out.step("transferred", format!("{before} -> {number}"));
        out.want(Intent::Tell(match &leg.peer {
            Peer::Phone(extension) => Chapter::Person(extension.clone()),
            Peer::Trunk(_) => Chapter::Outside(number.clone()),
        }));
        self.b = leg;
        self.with = number;
        self.settle_after(core, cx, out);
    }

    /// Everything that belonged to the party who went is void.
    fn settle_after(&mut self, core: &mut Core, cx: &Cx, out: &mut Out) {
        self.silent = [false; 2];
        self.holder = None;
        self.muted[1] = false;
        self.coder = None;
        self.code.clear();
        self.refresh(core, out);
        self.begin_recording(core, cx, out);
    }

    /// A phone that was being rung to be asked takes the call when it answers: the asker goes before that.
    fn wait_for(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        side: Side,
        at: usize,
        out: &mut Out,
    ) -> Stage {
        let guest = self.guests.remove(at);
        let Who::Rings(fork) = guest.who else { return Stage::Bridged(self) };
        let by = self.extension(core, side).cloned();
        match Number::read(&guest.number).filter(|n| core.config.extension.contains_key(n)) {
            Some(number) => {
                out.step("transferred", format!("{} -> {number}", self.party(core, side).number));
                self.quit(core, side, by, out);
                ringing::resume(core, *fork, number, cx, out)
            }
            None => {
                Guest { who: Who::Rings(fork), ..guest }.dismiss(out);
                self.leave(core, cx, side, out)
            }
        }
    }

    /// Hands the other party over to a target, with the rights of the party on this side, who goes.
    pub fn transfer(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        side: Side,
        to: &Number,
        target: Target,
        out: &mut Out,
    ) -> Stage {
        out.step("transferred", format!("{} -> {to}", self.party(core, side).number));
        let by = self.extension(core, side).cloned();
        self.quit(core, side, by, out);
        core.called = model::record::Party { number: to.to_string(), name: String::new() };
        core.go(target, cx, out)
    }

    /// Who is called turned out to be a machine: the agent goes, the machine stays.
    pub fn put_down(&mut self, core: &mut Core, out: &mut Out) {
        out.want(Intent::Tell(Chapter::Alone));
        self.quit(core, Side::Called, None, out);
    }

    /// The conversation ends for everybody but the party opposite, who becomes the caller.
    fn quit(&mut self, core: &mut Core, side: Side, by: Option<Number>, out: &mut Out) {
        recording::stop(core, out);
        self.dismiss_guests(out);
        self.goes(core, side, out);
        if side == Side::Caller {
            self.turn(core);
        }
        if let Some(session) = core.a.session() {
            out.media(MediaCommand::Part { session });
            out.media(MediaCommand::Mute { session, on: false });
        }
        core.give_back = by.clone();
        core.on_behalf = by;
        core.sent_on = 0;
    }

    /// A leg ends and its sound with it; an agent is free for after-call work.
    fn goes(&mut self, core: &mut Core, side: Side, out: &mut Out) {
        let leg = self.leg_mut(core, side);
        leg.hang_up(None, out);
        close(leg, out);
        let id = leg.id;
        leg.sound = None;
        if core.agent_leg == Some(id) {
            core.agent_leg = None;
            out.want(Intent::AgentDone);
        }
    }

    /// The called party becomes the caller: the one whose call it was is gone.
    fn turn(&mut self, core: &mut Core) {
        let party = self.party(core, Side::Called);
        let number = core.caller.party.number.clone();
        std::mem::swap(&mut core.a, &mut self.b);
        let outside = match &core.a.peer {
            Peer::Trunk(_) => Number::read(&party.number),
            Peer::Phone(_) => None,
        };
        core.caller = Caller { party, peer: core.a.peer.clone(), outside };
        self.with = number;
        self.muted.swap(0, 1);
    }

    /// The leg of a side.
    pub fn leg_mut<'a>(&'a mut self, core: &'a mut Core, side: Side) -> &'a mut Leg {
        match side {
            Side::Caller => &mut core.a,
            Side::Called => &mut self.b,
        }
    }

    /// The far party of a call that is put together with another: its leg, and who it is. The own party and everything
    /// else of this call ends with it.
    pub fn give_away(mut self: Box<Self>, core: &mut Core, stays: Side, out: &mut Out) -> (Leg, String) {
        recording::stop(core, out);
        self.dismiss_guests(out);
        let number = self.party(core, stays).number;
        if let Some(session) = self.leg_mut(core, stays).session() {
            out.media(MediaCommand::Part { session });
            out.media(MediaCommand::Mute { session, on: false });
        }
        let peer = self.leg_mut(core, stays).peer.clone();
        let leg = std::mem::replace(self.leg_mut(core, stays), Leg::nobody(peer));
        (leg, number)
    }
}
