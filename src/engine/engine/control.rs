//! Conversations steered from a desk or by a phone's REFER: whether it goes is asked before it is done, so that whoever asks
//! is told; supervisors leave a line in the event log. Puts two calls together for attended transfers by phones.
use super::Engine;
use crate::call::leg::Leg;
use crate::call::stage::Stage;
use crate::call::stage::bridged::Bridged;
use crate::call::{Call, Core, Cx, Heard, Input, Out, Place, Side};
use crate::effect::Effect;
use crate::intent::Peer;
use crate::route::Target;
use model::clock::Now;
use model::command::{Actor, Reply};
use model::id::{CallId, LegId};
use model::media::MediaCommand;
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use model::steer::{Steer, Supervision};
use sip::endpoint::{Named, Reply as Answer, SessionName};
use sip::indication::ServerId;
use sip::{NameAddr, Request, Uri};

/// How a call ends whose caller handed somebody over to a phone that still rang.
const WHILE_IT_RANG: &str = "handed over while it rang";

impl Engine {
    /// Steers a call for one of its parties.
    pub(super) fn steer(
        &mut self,
        now: Now,
        by: &Actor,
        call: CallId,
        party: Option<Number>,
        steer: Steer,
    ) -> Reply {
        let may = self.may_steer(now, call, party.as_ref(), &steer);
        if let (Steer::Transfer { to: None }, Err(Refusal::Conflict)) = (&steer, may) {
            let input = self.hand_over(now, call, party.as_ref())?;
            self.pending.push_back((call, input));
            return Ok(());
        }
        may?;
        match &steer {
            Steer::Supervise { at, how } => self.note_supervision(now, call, &by.name, at, how.word()),
            Steer::Leave { at } => self.note_supervision(now, call, &by.name, at, "leave"),
            Steer::Hold
            | Steer::Resume
            | Steer::Mute
            | Steer::Unmute
            | Steer::Consult { .. }
            | Steer::Back
            | Steer::Transfer { .. }
            | Steer::Conference { .. }
            | Steer::HangUp => {}
        }
        self.pending.push_back((call, Input::Steer(party, steer)));
        Ok(())
    }

    /// Whether an act goes now.
    pub(super) fn may_steer(&self, now: Now, call: CallId, party: Option<&Number>, steer: &Steer) -> Reply {
        let running = self.calls.get(&call).ok_or(Refusal::Unknown)?;
        let Stage::Bridged(bridged) = &running.stage else { return Err(Refusal::Conflict) };
        let cx = Cx {
            now,
            phones: &self.phones,
            trunks: &self.trunks,
            contacts: &self.contacts,
            budgets: &self.budgets,
            sip: self.address,
            media: self.media_address,
        };
        bridged.may(&running.core, &cx, party, steer)
    }

    /// A line in the event log: who supervises what, how.
    pub(super) fn note_supervision(&mut self, now: Now, call: CallId, who: &str, at: &Number, how: &str) {
        let text = format!("{who}: {how} in call {call} at extension {at}");
        self.note(now, "info", "supervision", &call.to_string(), &text);
    }

    /// A supervisor's phone joins the call at an extension; its own call ends with that.
    pub(super) fn watch(&mut self, now: Now, from: CallId, watched: &Number) {
        let talks = |call: &Call| {
            let Stage::Bridged(bridged) = &call.stage else { return false };
            bridged.side_of(&call.core, Some(watched)).is_ok()
        };
        let found = self.calls.iter().find(|(_, c)| talks(c)).map(|(id, _)| *id);
        let at = self.calls.get(&from).and_then(|c| c.core.caller.extension().cloned());
        let (Some(call), Some(at)) = (found, at) else {
            return self.hears(from, Heard::CodeDone("not-available"));
        };
        let steer = Steer::Supervise { at: at.clone(), how: Supervision::Listen };
        if self.may_steer(now, call, None, &steer).is_err() {
            return self.hears(from, Heard::CodeDone("not-available"));
        }
        self.note_supervision(now, call, &format!("extension {at}"), &at, Supervision::Listen.word());
        let Some(running) = self.calls.remove(&from) else { return };
        let Call { mut core, .. } = *running;
        let leg = std::mem::replace(&mut core.a, Leg::nobody(Peer::Phone(at.clone())));
        if let Some(session) = leg.session() {
            self.effects.push(Effect::Media(MediaCommand::StopPlay { session }));
        }
        self.moves(&leg, call);
        self.clear(now, from, Outcome::Answered, &format!("listens to call {call}"));
        self.pending.push_back((call, Input::Watched(Box::new(leg), at)));
    }

    /// A leg and its sound go on in another call.
    fn moves(&mut self, leg: &Leg, to: CallId) {
        self.ledger.leg_moves(leg.id, to);
        if let Some(session) = leg.session() {
            self.ports.moves(session, to);
        }
    }

    /// A phone hands over by REFER: to a number, or by naming another session of its own.
    pub(super) fn referred(&mut self, now: Now, server: ServerId, leg: LegId, request: &Request) {
        let done = self.refer(now, leg, request);
        let code = done.as_ref().map_or_else(|why| why.sip_code(), |_| 202);
        self.sip.respond(now, server, Answer::new(code), &mut self.outputs);
        if let Ok((call, input)) = done {
            self.sip.notify_refer(now, leg, 200, &mut self.outputs);
            self.pending.push_back((call, input));
        }
    }

    /// What a REFER asks for.
    fn refer(&mut self, now: Now, leg: LegId, request: &Request) -> Result<(CallId, Input), Refusal> {
        let entry = self.ledger.leg(leg).cloned().ok_or(Refusal::Unknown)?;
        // A carrier has no rights of its own that a transfer could use.
        let Peer::Phone(phone) = entry.peer else { return Err(Refusal::Forbidden) };
        let to = request.header("Refer-To").next().and_then(|v| NameAddr::read(v).ok());
        let uri = to.ok_or(Refusal::Malformed)?.uri;
        let mut rings = None;
        if let Some(name) = replaces(&uri) {
            let name = SessionName::read(&name).ok_or(Refusal::Malformed)?;
            match self.sip.session_named(&name).ok_or(Refusal::Unknown)? {
                Named::Answered(other) => {
                    let input = self.put_together(now, entry.call, leg, other, &phone)?;
                    return Ok((entry.call, input));
                }
                Named::Ringing(other) => rings = Some(self.call_of(other, &phone)?),
            }
        }
        let to = uri.dialled().and_then(|u| Number::read(&u)).ok_or(Refusal::Unknown)?;
        let steer = Steer::Transfer { to: Some(to) };
        self.may_steer(now, entry.call, Some(&phone), &steer)?;
        // Who rings is called again, for the party who is handed over: nobody talks to the phone that asked first.
        if let Some(rings) = rings {
            self.pending.push_back((rings, Input::HangUp(WHILE_IT_RANG)));
        }
        Ok((entry.call, Input::Steer(Some(phone), steer)))
    }

    /// The call of a leg, which must be this phone's.
    fn call_of(&self, leg: LegId, phone: &Number) -> Result<CallId, Refusal> {
        let entry = self.ledger.leg(leg).ok_or(Refusal::Unknown)?;
        if entry.peer != Peer::Phone(phone.clone()) {
            return Err(Refusal::Forbidden);
        }
        Ok(entry.call)
    }

    /// Who was not asked in this call was asked in another, made or taken by the same phone: its one other call, for with
    /// several nobody knows which is meant.
    fn hand_over(&mut self, now: Now, call: CallId, party: Option<&Number>) -> Result<Input, Refusal> {
        let running = self.calls.get(&call).ok_or(Refusal::Unknown)?;
        let Stage::Bridged(bridged) = &running.stage else { return Err(Refusal::Conflict) };
        let side = bridged.side_of(&running.core, party)?;
        if bridged.asked_by(side).is_some() {
            return Err(Refusal::Conflict);
        }
        let phone = bridged.extension(&running.core, side).cloned().ok_or(Refusal::Conflict)?;
        let leg = match side {
            Side::Caller => running.core.a.id,
            Side::Called => bridged.b.id,
        };
        let peer = Peer::Phone(phone.clone());
        // What only rings at the phone is no call of it yet.
        let there = |(leg, of): &(LegId, CallId)| {
            *of != call
                && self.calls.get(of).is_some_and(|c| c.core.a.id == *leg || side_at(c, *leg).is_some())
        };
        let others: Vec<(LegId, CallId)> = self.ledger.legs_at(&peer).filter(there).collect();
        let [(other, given)] = others[..] else { return Err(Refusal::Conflict) };
        let rings = self.calls.get(&given).filter(|c| c.core.a.id == other).and_then(|c| rung(c));
        match rings {
            Some(to) => {
                let steer = Steer::Transfer { to: Some(to) };
                self.may_steer(now, call, Some(&phone), &steer)?;
                self.pending.push_back((given, Input::HangUp(WHILE_IT_RANG)));
                Ok(Input::Steer(Some(phone), steer))
            }
            None => self.put_together(now, call, leg, other, &phone),
        }
    }

    /// Two calls of one phone become one: its own legs end, and the far party of the other call takes its place in this.
    /// What this call then takes.
    fn put_together(
        &mut self,
        now: Now,
        call: CallId,
        leg: LegId,
        other: LegId,
        phone: &Number,
    ) -> Result<Input, Refusal> {
        let given = self.call_of(other, phone)?;
        if let Some(mut place) =
            self.calls.get(&given).filter(|c| c.core.a.id == other).and_then(|c| place(c))
        {
            let steer = Steer::Transfer { to: Some(place.number.clone()) };
            self.may_steer(now, call, Some(phone), &steer)?;
            place.stood_since =
                self.with_acd(now, None, |acd, said| acd.give_place(now, given, said)).flatten();
            self.pending.push_back((given, Input::GivesPlace(call)));
            return Ok(Input::Placed(phone.clone(), Box::new(place)));
        }
        let side = self.calls.get(&call).and_then(|c| side_at(c, leg)).ok_or(Refusal::Conflict)?;
        let quits = self.calls.get(&given).and_then(|c| side_at(c, other)).ok_or(Refusal::Conflict)?;
        if given == call {
            return Err(Refusal::Conflict);
        }
        let Some(running) = self.calls.remove(&given) else { return Err(Refusal::Unknown) };
        let Call { core, stage, .. } = *running;
        let Stage::Bridged(bridged) = stage else { return Err(Refusal::Conflict) };
        let (leg, number) = self.give_away(now, core, bridged, quits.other(), call);
        Ok(Input::Joined(side, Box::new(leg), number))
    }

    /// Takes a party out of a call that ends, for another.
    fn give_away(
        &mut self,
        now: Now,
        mut core: Core,
        bridged: Box<Bridged>,
        stays: Side,
        to: CallId,
    ) -> (Leg, String) {
        let from = core.id;
        let mut out = Out {
            intents: Vec::new(),
            ids: &mut self.ids,
            ports: &mut self.ports,
            mailboxes: &mut self.mailboxes,
        };
        let (leg, number) = bridged.give_away(&mut core, stays, &mut out);
        out.step("transferred", format!("{number} -> call {to}"));
        for intent in out.intents {
            self.carry_out(now, from, intent);
        }
        self.moves(&leg, to);
        self.clear(now, from, Outcome::Answered, &format!("put together with call {to}"));
        (leg, number)
    }
}

/// Where a caller stands who talks to nobody: in a queue, or before a mailbox. Whoever is handed over goes there instead,
/// and does not wait anew for what was waited already.
fn place(call: &Call) -> Option<Place> {
    let target = match &call.stage {
        Stage::Queued(queued) if queued.waits() => Target::Queue(call.core.queue.clone()?),
        Stage::Mailbox(mailbox) => Target::Voicemail(mailbox.left_for()?),
        Stage::Routing
        | Stage::Summon(_)
        | Stage::Ivr(_)
        | Stage::Queued(_)
        | Stage::Callback(_)
        | Stage::Ringing(_)
        | Stage::Dialing(_)
        | Stage::Bridged(_)
        | Stage::Service(_)
        | Stage::Studio(_)
        | Stage::Supervise(_)
        | Stage::Desk(_)
        | Stage::Machine(_)
        | Stage::GoodBye(_)
        | Stage::Clearing => return None,
    };
    let number = Number::read(&call.core.called.number)?;
    Some(Place { number, target, waiting_since: call.core.waiting_since, stood_since: None })
}

/// Whose phone rings for the caller.
fn rung(call: &Call) -> Option<Number> {
    let Stage::Ringing(ringing) = &call.stage else { return None };
    Number::read(&ringing.with())
}

/// On which side of a conversation a leg is, when it has no third party of its own.
fn side_at(call: &Call, leg: LegId) -> Option<Side> {
    let Stage::Bridged(bridged) = &call.stage else { return None };
    let side = match leg {
        leg if call.core.a.id == leg => Side::Caller,
        leg if bridged.b.id == leg => Side::Called,
        _ => return None,
    };
    bridged.is_alone().then_some(side)
}

/// The Replaces header in a Refer-To address, escapes undone.
fn replaces(uri: &Uri) -> Option<String> {
    let headers = uri.embedded_headers()?.split('&');
    let (_, value) =
        headers.filter_map(|h| h.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("Replaces"))?;
    Some(sip::uri::unescape(value).into_owned())
}
