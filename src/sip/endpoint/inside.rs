//! Answered sessions: requests of the peer in them, re-INVITE and UPDATE both ways with glare, hang-up, and the ways a
//! session is lost.
use super::leg::{Leg, Offer, Parting, Stage, Up};
use super::{Deadline, Endpoint, User};
use crate::answer::Answer;
use crate::flow::Flow;
use crate::indication::{Ended, Indication, Output, ServerId};
use crate::limits::GLARE_TRIES_MAX;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name::Name;
use crate::session_timer::{self, Refresher};
use crate::transaction::ClientKey;
use model::clock::Now;
use model::id::LegId;
use std::sync::Arc;
use std::time::Duration;

impl Endpoint {
    pub(super) fn up(&mut self, id: LegId) -> Option<&mut Up> {
        match &mut self.legs.get_mut(&id)?.stage {
            Stage::Up(up) => Some(up),
            Stage::Calling(_) | Stage::Ringing(_) => None,
        }
    }

    /// Whether what happens to this leg is told.
    fn is_heard(&self, id: LegId) -> bool {
        self.legs.get(&id).is_some_and(|l| !l.silent)
    }

    // --- hanging up ------------------------------------------------------------------------------------------

    /// Ends a leg whatever its stage: CANCEL, BYE or a refusal. `cause` is the value of a Reason header (RFC 3326),
    /// such as `Q.850;cause=16`. Nothing more is told of the leg.
    pub fn hang_up(&mut self, now: Now, leg: LegId, cause: Option<&str>, out: &mut Vec<Output>) {
        let parting: Parting =
            cause.map(|c| (Name::Reason.as_str().to_owned(), c.to_owned())).into_iter().collect();
        match self.legs.get_mut(&leg).filter(|l| !l.silent).map(|l| &mut l.stage) {
            Some(Stage::Calling(_)) => self.hang_up_calling(now, leg, parting, out),
            Some(Stage::Ringing(_)) => self.refuse(now, leg, 480, None, parting, out),
            Some(Stage::Up(up)) if up.unacked.is_some() => {
                up.parting = Some(parting);
                self.silence(leg);
            }
            Some(Stage::Up(_)) => self.bye(now, leg, parting, out),
            None => {}
        }
    }

    fn silence(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.silent = true;
        }
    }

    /// Sends BYE; the leg is gone.
    pub(super) fn bye(&mut self, now: Now, id: LegId, parting: Parting, out: &mut Vec<Output>) {
        let Some(Leg { stage: Stage::Up(mut up), .. }) = self.forget(id) else { return };
        if let Offer::Theirs { server, .. } = up.offer {
            self.say(now, server, Answer { code: 487, ..Answer::default() }, out);
        }
        let outgoing = up.dialog.request(Method::Bye, parting, "", Vec::new());
        self.send(now, outgoing, |o| User::Bye(Box::new(o)), out);
    }

    /// The session is dead at the other end: BYE for form's sake, and told.
    pub(super) fn session_lost(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        self.end(now, id, Ended::Lost, Parting::new(), out);
    }

    /// Ends a session by ourselves.
    pub(super) fn end(&mut self, now: Now, id: LegId, why: Ended, parting: Parting, out: &mut Vec<Output>) {
        let heard = self.is_heard(id);
        if self.up(id).is_none() {
            return;
        }
        self.bye(now, id, parting, out);
        if heard {
            out.push(Output::Indicate(Indication::Ended { leg: id, why }));
        }
    }

    pub(super) fn no_ack(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        self.end(now, id, Ended::NoAck, Parting::new(), out);
    }

    /// A stream is gone: sessions on it use another from now on.
    pub(super) fn sessions_lost(&mut self, flow: Flow) {
        for leg in self.legs.values_mut() {
            if let Stage::Up(up) = &mut leg.stage {
                up.dialog.lost(flow);
            }
        }
    }

    // --- ACK -------------------------------------------------------------------------------------------------

    /// An ACK with our tag in a transaction of its own: of a 2xx.
    pub(super) fn ack_in(&mut self, now: Now, id: LegId, ack: &Request, out: &mut Vec<Output>) {
        let Some(up) = self.up(id).filter(|up| up.dialog.owns(ack)) else { return };
        let Some((server, number)) = up.unacked else { return };
        if number == ack.cseq().number && self.table.acked(now, server, out).is_some() {
            self.acked(now, id, ack.sdp().map(<[u8]>::to_vec), out);
        }
    }

    pub(super) fn acked(&mut self, now: Now, id: LegId, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let heard = self.is_heard(id);
        let Some(up) = self.up(id) else { return };
        up.unacked = None;
        if let Some(parting) = up.parting.take() {
            return self.bye(now, id, parting, out);
        }
        if heard {
            out.push(Output::Indicate(Indication::Acked { leg: id, sdp }));
        }
        self.send_queued(now, id, out);
    }

    // --- offers of ours --------------------------------------------------------------------------------------

    /// Changes an answered session by re-INVITE. Waits by itself until the way is free; a newer offer replaces one
    /// that waits. Comes back as `ReofferAnswered`.
    pub fn reoffer(&mut self, now: Now, leg: LegId, sdp: Vec<u8>, out: &mut Vec<Output>) {
        if self.is_heard(leg) {
            if let Some(up) = self.up(leg) {
                up.queued = Some(sdp);
            }
            self.send_queued(now, leg, out);
        }
    }

    fn send_queued(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let Some(up) = self.up(id).filter(|up| up.is_free()) else { return };
        if let Some(sdp) = up.queued.take() {
            self.send_offer(now, id, sdp, 0, out);
        }
    }

    fn send_offer(&mut self, now: Now, id: LegId, sdp: Vec<u8>, tries: u8, out: &mut Vec<Output>) {
        let Some(up) = self.up(id) else { return };
        let lines = up.session_lines();
        let outgoing = up.dialog.request(Method::Invite, lines, "application/sdp", sdp);
        self.send_reinvite(now, id, outgoing, tries, out);
    }

    fn send_reinvite(
        &mut self,
        now: Now,
        id: LegId,
        mut outgoing: crate::outgoing::Outgoing,
        tries: u8,
        out: &mut Vec<Output>,
    ) {
        let key = ClientKey::new(&mut self.ids);
        let sent = outgoing.write(key, &mut self.ids, self.settings.user_agent.as_deref());
        let auth = outgoing.auth.clone();
        let Some(up) = self.up(id) else { return };
        up.dialog.used(outgoing.cseq);
        up.offer = Offer::Ours { outgoing: Box::new(outgoing), tries };
        self.table.start(now, key, User::Reoffer(id), sent, out);
        if let Some(client) = self.table.client(key) {
            client.auth = auth;
        }
    }

    pub(super) fn reoffer_answered(
        &mut self,
        now: Now,
        key: ClientKey,
        id: LegId,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        let code = response.code();
        let accepted = (200..300).contains(&code);
        let Some(up) = self.up(id) else {
            if accepted {
                self.end_fork(now, key, &response, false, out);
            }
            return;
        };
        let Offer::Ours { mut outgoing, tries } = std::mem::replace(&mut up.offer, Offer::Idle) else {
            return;
        };
        match code {
            200..300 => self.reoffer_accepted(now, key, id, *outgoing, response, out),
            401 | 407 if outgoing.challenged(&response) => self.send_reinvite(now, id, *outgoing, tries, out),
            491 if tries < GLARE_TRIES_MAX => self.wait_for_glare(now, id, outgoing.body, tries),
            422 if tries < GLARE_TRIES_MAX && self.raised(id, &response) => {
                self.send_offer(now, id, outgoing.body, tries + 1, out);
            }
            408 | 481 => self.session_lost(now, id, out),
            _ => {
                self.refresh_failed(now, id);
                self.reoffer_over(now, id, Err(code), out);
            }
        }
    }

    fn reoffer_accepted(
        &mut self,
        now: Now,
        key: ClientKey,
        id: LegId,
        outgoing: crate::outgoing::Outgoing,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        let Some(up) = self.up(id) else { return };
        up.dialog.refresh(response.contacts().next().map(|c| c.uri), None);
        up.dialog.login = outgoing.login;
        let dialog = up.dialog.clone();
        self.acknowledge(key, &dialog, &response, out);
        let deal = session_timer::agreed_by(response.headers());
        self.session_runs(now, id, deal, Refresher::Uac, response.headers(), Some(&outgoing.body));
        self.reoffer_over(now, id, Ok(response.sdp().unwrap_or_default().to_vec()), out);
    }

    fn reoffer_over(&mut self, now: Now, id: LegId, result: Result<Vec<u8>, u16>, out: &mut Vec<Output>) {
        if self.is_heard(id) {
            out.push(Output::Indicate(Indication::ReofferAnswered { leg: id, result }));
        }
        self.send_queued(now, id, out);
    }

    /// RFC 3261 section 14.1: the owner of the Call-ID waits 2.1-4 s, the other 0-2 s, in steps of 10 ms.
    fn wait_for_glare(&mut self, now: Now, id: LegId, sdp: Vec<u8>, tries: u8) {
        let ours = self.up(id).is_some_and(|up| up.ours);
        let steps = if ours { 210 + self.ids.below(191) } else { self.ids.below(201) };
        if let Some(up) = self.up(id) {
            up.offer = Offer::Glare { sdp, tries: tries + 1 };
        }
        self.timers.set(Deadline::Glare(id), now.mono + Duration::from_millis(steps * 10));
    }

    pub(super) fn glare_over(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let Some(up) = self.up(id) else { return };
        let free = up.unacked.is_none();
        match std::mem::replace(&mut up.offer, Offer::Idle) {
            Offer::Glare { sdp, tries } if free => {
                let sdp = up.queued.take().unwrap_or(sdp);
                self.send_offer(now, id, sdp, tries, out);
            }
            Offer::Glare { sdp, .. } => drop(up.queued.get_or_insert(sdp)),
            other @ (Offer::Idle | Offer::Ours { .. } | Offer::Theirs { .. }) => up.offer = other,
        }
    }

    // --- requests of the peer --------------------------------------------------------------------------------

    pub(super) fn inside_in(
        &mut self,
        now: Now,
        flow: Flow,
        id: LegId,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let number = request.cseq().number;
        let request = Arc::new(request);
        let own = self.table.open(now, &self.ids, flow, request.clone(), out);
        let Some(up) = self.up(id).filter(|up| up.dialog.owns(&request)) else {
            return self.say(now, own, Answer { code: 481, ..Answer::default() }, out);
        };
        if !up.dialog.takes(number) {
            return self.say_later(now, own, out);
        }
        match request.method {
            Method::Invite | Method::Update => self.offered(now, flow, id, own, &request, out),
            Method::Bye => self.bye_in(now, id, own, out),
            Method::Prack => self.late_prack(now, id, own, &request, out),
            Method::Info => self.info_in(now, id, own, &request, out),
            Method::Options => {
                let headers = [(Name::Allow.as_str().to_owned(), crate::outgoing::ALLOW.to_owned())];
                self.say(now, own, Answer { code: 200, headers: &headers, ..Answer::default() }, out);
            }
            Method::Message | Method::Notify | Method::Refer | Method::Subscribe if self.is_heard(id) => {
                out.push(Output::Indicate(Indication::Request { server: own, leg: Some(id), flow, request }));
            }
            Method::Ack
            | Method::Cancel
            | Method::Message
            | Method::Notify
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe
            | Method::Other(_) => self.say(now, own, Answer { code: 481, ..Answer::default() }, out),
        }
    }

    fn bye_in(&mut self, now: Now, id: LegId, own: ServerId, out: &mut Vec<Output>) {
        self.say(now, own, Answer { code: 200, ..Answer::default() }, out);
        let Some(leg) = self.forget(id) else { return };
        if let Stage::Up(up) = leg.stage {
            if let Offer::Theirs { server, .. } = up.offer {
                self.say(now, server, Answer { code: 487, ..Answer::default() }, out);
            }
            // The peer ended what it never acknowledged: our 2xx need not be repeated.
            if let Some((server, _)) = up.unacked {
                let _ = self.table.acked(now, server, out);
            }
        }
        if !leg.silent {
            out.push(Output::Indicate(Indication::Ended { leg: id, why: Ended::Bye }));
        }
    }

    fn info_in(&mut self, now: Now, id: LegId, own: ServerId, request: &Request, out: &mut Vec<Output>) {
        self.say(now, own, Answer { code: 200, ..Answer::default() }, out);
        if self.is_heard(id) {
            let content_type = request.content_type().unwrap_or_default();
            let body = request.body().to_vec();
            out.push(Output::Indicate(Indication::Info { leg: id, content_type, body }));
        }
    }

    /// re-INVITE or UPDATE of the peer.
    fn offered(
        &mut self,
        now: Now,
        flow: Flow,
        id: LegId,
        own: ServerId,
        request: &Request,
        out: &mut Vec<Output>,
    ) {
        let update = request.method == Method::Update;
        let heard = self.is_heard(id);
        let Some(up) = self.up(id) else { return };
        let contact = up.dialog.contact.clone();
        let sdp = request.sdp().map(<[u8]>::to_vec);
        let offers = !update || sdp.is_some();
        match up.offer {
            Offer::Ours { .. } if offers => {
                return self.say(now, own, Answer { code: 491, ..Answer::default() }, out);
            }
            Offer::Theirs { .. } if offers => return self.say_later(now, own, out),
            Offer::Idle | Offer::Glare { .. } if offers && up.unacked.is_some() => {
                return self.say(now, own, Answer { code: 491, ..Answer::default() }, out);
            }
            Offer::Idle | Offer::Glare { .. } | Offer::Ours { .. } | Offer::Theirs { .. } => {}
        }
        up.dialog.refresh(request.contacts().next().map(|c| c.uri), Some(flow));
        if !offers {
            let headers = self.answer_timer(now, id, request, None);
            return self.say_accepted(now, own, &contact, &[], headers, out);
        }
        if !heard {
            return self.say(now, own, Answer { code: 487, ..Answer::default() }, out);
        }
        // A re-INVITE of ours that waits out a glare goes back into the queue.
        if let Offer::Glare { sdp, .. } = std::mem::replace(&mut up.offer, Offer::Idle) {
            up.queued.get_or_insert(sdp);
        }
        up.offer = Offer::Theirs { server: own, number: request.cseq().number, update };
        if let Some(server) = self.table.server(own) {
            server.leg = Some(id);
        }
        out.push(Output::Indicate(Indication::Reoffer { leg: id, sdp }));
    }

    /// Answers `Reoffer`: our SDP, or a code (488). A session whose change was taken back meanwhile is left alone.
    pub fn answer_reoffer(
        &mut self,
        now: Now,
        leg: LegId,
        answer: Result<Vec<u8>, u16>,
        out: &mut Vec<Output>,
    ) {
        let Some(up) = self.up(leg) else {
            return self.answer_early(now, leg, answer, out);
        };
        let Offer::Theirs { server, number, update } = up.offer else { return };
        up.offer = Offer::Idle;
        match answer {
            Ok(sdp) => {
                up.unacked = (!update).then_some((server, number));
                let contact = up.dialog.contact.clone();
                let request = self.table.server(server).and_then(|s| s.request.clone());
                let headers =
                    request.map(|r| self.answer_timer(now, leg, &r, Some(&sdp))).unwrap_or_default();
                self.say_accepted(now, server, &contact, &sdp, headers, out);
            }
            Err(code) => {
                let code = if (300..700).contains(&code) { code } else { 488 };
                self.say(now, server, Answer { code, ..Answer::default() }, out);
            }
        }
        self.send_queued(now, leg, out);
    }
}

impl Up {
    /// The peer cancelled its re-INVITE.
    pub(super) fn theirs_taken_back(&mut self, invite: ServerId) {
        if matches!(self.offer, Offer::Theirs { server, .. } if server == invite) {
            self.offer = Offer::Idle;
        }
    }
}
