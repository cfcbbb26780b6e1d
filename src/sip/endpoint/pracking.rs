//! Reliable provisional answers (RFC 3262), both ways. As callee: a caller who requires them gets each 101-199 with a
//! number, again and again until its PRACK, and our 2xx only after the PRACK of what carried our SDP; one who merely
//! supports them gets plain ones, as everybody: the 2xx says all that they did, and a round trip for each costs time and
//! messages. A caller who requires them and made no offer hears nothing before the 2xx, for the first reliable answer
//! would have to make the offer. As caller: each number in its turn gets a PRACK, and its SDP counts as the answer; after
//! it either side may change the sound by UPDATE (RFC 3311).
use super::leg::{Calling, Early, Leg, Ringing, Stage};
use super::{Deadline, Endpoint, User};
use crate::answer::Answer;
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::indication::{Indication, Output, ServerId};
use crate::limits::{FORKS_MAX, RELIABLE_MAX};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::Outgoing;
use crate::reliable::{self, RAck, Taken, Taking};
use model::clock::Now;
use model::id::LegId;

impl Endpoint {
    fn ringing(&mut self, id: LegId) -> Option<&mut Ringing> {
        match &mut self.legs.get_mut(&id)?.stage {
            Stage::Ringing(ringing) => Some(ringing),
            Stage::Calling(_) | Stage::Up(_) => None,
        }
    }

    // --- as callee -------------------------------------------------------------------------------------------

    /// Says 101-199 to a caller who requires that it be reliable, now or in its turn.
    pub(super) fn ring_reliably(
        &mut self,
        now: Now,
        id: LegId,
        code: u16,
        sdp: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        let Some(ringing) = self.ringing(id) else { return };
        let offered = ringing.request.sdp().is_some();
        let Some(saying) = ringing.saying.as_mut().filter(|_| offered) else { return };
        saying.later(code, sdp);
        self.say_next(now, id, out);
    }

    /// Says what is next, if nothing said before waits: a provisional answer, or that the call is taken.
    fn say_next(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let Some(ringing) = self.ringing(id) else { return };
        let (server, contact) = (ringing.server, ringing.contact.clone());
        let Some(saying) = ringing.saying.as_mut() else { return };
        if !saying.holds_up()
            && let Some(Taken { sdp, headers }) = saying.taken.take()
        {
            return self.accept(now, id, sdp, headers, out);
        }
        let Some((code, sdp)) = saying.next() else { return };
        let number = saying.say(now.mono, code, !sdp.is_empty()).to_string();
        let headers = [(Name::Require, reliable::TAG), (Name::RSeq, &*number)];
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.to_owned()));
        let answer = Answer {
            code,
            contact: Some(&contact),
            headers: &headers,
            content_type: "application/sdp",
            body: &sdp,
            ..Answer::default()
        };
        self.say(now, server, answer, out);
        self.wait_for_prack(now, id);
    }

    /// Sets the time of the next repetition; false when the caller had its time.
    fn wait_for_prack(&mut self, now: Now, id: LegId) -> bool {
        let timing = self.settings.timing;
        let waiting = self.ringing(id).and_then(|r| r.saying.as_mut()?.waiting.as_mut());
        let again = waiting.and_then(|w| w.again(now.mono, &timing));
        if let Some(at) = again {
            self.timers.set(Deadline::Reliable(id), at);
        }
        again.is_some()
    }

    /// A PRACK is late: the answer goes out again, or the call is refused (section 3).
    pub(super) fn prack_is_late(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let Some(server) = self.ringing(id).map(|r| r.server) else { return };
        if self.wait_for_prack(now, id) {
            return self.table.say_again(now, server, out);
        }
        let heard = self.legs.get(&id).is_some_and(|l| !l.silent);
        self.refuse(now, id, 504, Some("No PRACK"), Vec::new(), out);
        if heard {
            out.push(Output::Indicate(Indication::Cancelled { leg: id, elsewhere: false }));
        }
    }

    /// A PRACK for a call that is not taken.
    pub(super) fn prack_in(
        &mut self,
        now: Now,
        id: LegId,
        own: ServerId,
        prack: &Request,
        out: &mut Vec<Output>,
    ) {
        let rack = RAck::read(&prack.headers);
        let Some(ringing) = self.ringing(id) else { return };
        let cseq = ringing.request.cseq().number;
        let ours = prack.from.tag() == ringing.request.from.tag();
        let rack = rack.filter(|r| ours && r.cseq == cseq);
        let confirmed = ringing.saying.as_mut().zip(rack).map(|(s, r)| (s.confirmed(r.rseq), s.settled));
        let Some((true, settled)) = confirmed else {
            return self.say(now, own, Answer { code: 481, ..Answer::default() }, out);
        };
        self.timers.stop(Deadline::Reliable(id));
        match prack.sdp() {
            // The first answer is confirmed: a new offer, answered in the 200 to the PRACK (section 5).
            Some(sdp) if settled => self.offered_early(id, own, sdp, out),
            // Our answer to the offer of the INVITE is not out yet.
            Some(_) => self.say_later(now, own, out),
            None => self.say(now, own, Answer { code: 200, ..Answer::default() }, out),
        }
        self.say_next(now, id, out);
    }

    /// The caller changes the sound of a call that is not taken.
    pub(super) fn offered_early(&mut self, id: LegId, own: ServerId, sdp: &[u8], out: &mut Vec<Output>) {
        if let Some(saying) = self.ringing(id).and_then(|r| r.saying.as_mut()) {
            saying.offer = Some(own);
            out.push(Output::Indicate(Indication::Reoffer { leg: id, sdp: Some(sdp.to_vec()) }));
        }
    }

    /// UPDATE with an offer for a call that is not taken: only after our first answer was confirmed (RFC 3311 5.2).
    pub(super) fn update_early(
        &mut self,
        now: Now,
        id: LegId,
        own: ServerId,
        sdp: &[u8],
        out: &mut Vec<Output>,
    ) {
        let saying = self.ringing(id).and_then(|r| r.saying.as_ref());
        match saying.is_some_and(|s| s.settled && s.offer.is_none()) {
            true => self.offered_early(id, own, sdp, out),
            false => self.say_later(now, own, out),
        }
    }

    /// Our answer to an offer that came before the call was taken.
    pub(super) fn answer_early(
        &mut self,
        now: Now,
        id: LegId,
        answer: Result<Vec<u8>, u16>,
        out: &mut Vec<Output>,
    ) {
        let waits = match self.legs.get_mut(&id).map(|l| &mut l.stage) {
            Some(Stage::Ringing(ringing)) => ringing.offer_answered(answer.is_ok()),
            Some(Stage::Calling(calling)) => calling.offer_answered(answer.is_ok()),
            Some(Stage::Up(_)) | None => None,
        };
        let Some((own, contact)) = waits else { return };
        match answer {
            Ok(sdp) => self.say_accepted(now, own, &contact, &sdp, Vec::new(), out),
            Err(_) => self.say(now, own, Answer { code: 488, ..Answer::default() }, out),
        }
        self.say_next(now, id, out);
    }

    /// A PRACK for a call that was taken before it came.
    pub(super) fn late_prack(
        &mut self,
        now: Now,
        id: LegId,
        own: ServerId,
        prack: &Request,
        out: &mut Vec<Output>,
    ) {
        let Some(up) = self.up(id) else { return };
        let known = up.unconfirmed.is_some() && RAck::read(&prack.headers) == up.unconfirmed;
        let code = match (known, prack.sdp()) {
            (true, None) => 200,
            (true, Some(_)) => 488,
            (false, _) => 481,
        };
        if known {
            up.unconfirmed = None;
        }
        self.say(now, own, Answer { code, ..Answer::default() }, out);
    }

    // --- as caller -------------------------------------------------------------------------------------------

    /// A provisional answer that wants a PRACK. False: it was heard before, or is out of turn, and is not told (section 4).
    pub(super) fn heard_reliably(
        &mut self,
        now: Now,
        id: LegId,
        number: u32,
        response: &Response,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(Leg { stage: Stage::Calling(calling), .. }) = self.legs.get_mut(&id) else { return false };
        let Some(early) = calling.early(response) else { return false };
        if early.number.is_some_and(|last| Some(number) != last.checked_add(1)) || early.heard >= RELIABLE_MAX
        {
            return false;
        }
        early.number = Some(number);
        early.heard += 1;
        if let Some(sdp) = response.sdp() {
            early.sdp = sdp.to_vec();
        }
        let rack = RAck { rseq: number, cseq: response.cseq().number };
        let lines = vec![(Name::RAck.as_str().to_owned(), rack.text())];
        let outgoing = early.dialog.request(Method::Prack, lines, "", Vec::new());
        self.send(now, outgoing, |o| User::Prack(id, Box::new(o)), out);
        true
    }

    /// The answer to a PRACK: only a challenge matters. A lost call shows in its INVITE.
    pub(super) fn prack_answered(
        &mut self,
        now: Now,
        id: LegId,
        mut outgoing: Outgoing,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        if !outgoing.challenged(response) {
            return;
        }
        let dialog = match self.legs.get_mut(&id).map(|l| &mut l.stage) {
            Some(Stage::Calling(calling)) => calling.known(response).map(|e| &mut e.dialog),
            Some(Stage::Up(up)) => Some(&mut up.dialog),
            Some(Stage::Ringing(_)) | None => None,
        };
        if let Some(dialog) = dialog {
            dialog.used(outgoing.cseq);
            self.send(now, outgoing, |o| User::Prack(id, Box::new(o)), out);
        }
    }

    /// A request of a callee that answered reliably and has not taken the call.
    pub(super) fn calling_in(
        &mut self,
        now: Now,
        flow: Flow,
        id: LegId,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let Some(Leg { stage: Stage::Calling(calling), silent, .. }) = self.legs.get_mut(&id) else { return };
        let silent = *silent;
        let with_sound = calling.early.iter().filter(|e| !e.sdp.is_empty()).count();
        let Some(early) = calling.early.iter_mut().find(|e| e.dialog.owns(&request)) else {
            return self.unknown_session(flow, &request, out);
        };
        let in_order = early.dialog.takes(request.cseq.number);
        let contact = early.dialog.contact.clone();
        let update = request.method == Method::Update;
        let offer = request.sdp().map(<[u8]>::to_vec);
        let own = self.table.open(now, &self.ids, flow, request.into(), out);
        let code = match (in_order, update, offer) {
            (false, ..) => return self.say_later(now, own, out),
            (true, false, _) => 481,
            (true, true, None) => return self.say_accepted(now, own, &contact, &[], Vec::new(), out),
            (true, true, Some(_)) if silent => 487,
            // RFC 3311 section 5.2: our offer in the INVITE is not answered.
            (true, true, Some(_)) if early.sdp.is_empty() => 491,
            (true, true, Some(_)) if early.offer.is_some() => return self.say_later(now, own, out),
            // All callees share one sound.
            (true, true, Some(_)) if with_sound > 1 => 488,
            (true, true, Some(sdp)) => {
                early.offer = Some((own, sdp.clone()));
                return out.push(Output::Indicate(Indication::Reoffer { leg: id, sdp: Some(sdp) }));
            }
        };
        self.say(now, own, Answer { code, ..Answer::default() }, out);
    }
}

impl Calling {
    /// The dialog that this provisional answer is of, made when it is the first; none when there are too many.
    fn early(&mut self, response: &Response) -> Option<&mut Early> {
        response.to.tag()?;
        if self.known(response).is_some() {
            return self.known(response);
        }
        if self.early.len() >= FORKS_MAX {
            return None;
        }
        let (to, flow) = (&self.outgoing.uri, self.outgoing.flow);
        let contact = self.outgoing.contact.clone().unwrap_or_default();
        let mut dialog = Dialog::of_response(response, to, flow, self.hop, contact);
        dialog.login.clone_from(&self.outgoing.login);
        let sdp = Vec::new();
        self.early.push(Early { dialog, number: None, heard: 0, sdp, offer: None, changed: false });
        self.early.last_mut()
    }

    fn known(&mut self, response: &Response) -> Option<&mut Early> {
        let tag = response.to.tag()?;
        self.early.iter_mut().find(|e| e.dialog.name().1 == tag)
    }

    /// An offer of a callee has our answer: its UPDATE, and our Contact.
    fn offer_answered(&mut self, taken: bool) -> Option<(ServerId, String)> {
        let early = self.early.iter_mut().find(|e| e.offer.is_some())?;
        let (own, sdp) = early.offer.take()?;
        if taken {
            (early.sdp, early.changed) = (sdp, true);
        }
        Some((own, early.dialog.contact.clone()))
    }
}

impl Ringing {
    /// An offer of the caller has our answer: its request, and our Contact.
    fn offer_answered(&mut self, taken: bool) -> Option<(ServerId, String)> {
        let saying = self.saying.as_mut()?;
        let own = saying.offer.take()?;
        saying.changed |= taken;
        Some((own, self.contact.clone()))
    }

    /// What a 2xx has to do with the provisional answers before it; none when it must wait for a PRACK.
    pub(super) fn taking(&self) -> Option<Taking> {
        match &self.saying {
            Some(saying) => saying.taking(self.request.cseq().number),
            None => Some(Taking::default()),
        }
    }

    /// The call is taken as soon as nothing holds it up.
    pub(super) fn take_later(&mut self, sdp: Vec<u8>, headers: Vec<(String, String)>) {
        if let Some(saying) = &mut self.saying {
            saying.taken = Some(Taken { sdp, headers });
        }
    }
}
