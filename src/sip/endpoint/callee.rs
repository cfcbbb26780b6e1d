//! Sessions a peer starts, until they are answered: a new INVITE is bound to a leg or answered without one, rings, is
//! accepted, refused or taken back by CANCEL.
use super::leg::{Leg, Ringing, Stage, Up};
use super::{Endpoint, Owner, Reply};
use crate::answer::{self, Answer};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::indication::{Indication, Output, ServerId};
use crate::limits::LEGS_MAX;
use crate::message::Request;
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::{ALLOW, SUPPORTED};
use crate::reliable::{self, Saying};
use crate::session_timer::{self, Refresher};
use crate::uri::Uri;
use model::clock::Now;
use model::id::LegId;
use std::sync::Arc;

impl Endpoint {
    /// Binds a new INVITE to a leg. `contact` is our address in this session. When the caller gave up meanwhile, the
    /// leg is `Cancelled` at once.
    pub fn adopt(&mut self, now: Now, server: ServerId, leg: LegId, contact: Uri, out: &mut Vec<Output>) {
        if self.legs.len() >= LEGS_MAX || self.legs.contains_key(&leg) {
            self.respond(now, server, Reply::new(503), out);
            return out.push(Output::Indicate(Indication::Cancelled { leg, elsewhere: false }));
        }
        let waiting =
            self.table.server(server).and_then(|s| Some((s.request.clone()?, s.tag.to_string(), s.source)));
        let Some((request, tag, flow)) = waiting else {
            return out.push(Output::Indicate(Indication::Cancelled { leg, elsewhere: false }));
        };
        if let Some(s) = self.table.server(server) {
            s.leg = Some(leg);
        }
        self.owners.insert(tag.clone(), Owner::Leg(leg));
        let first = reliable::required(&request.headers).then(|| self.ids.below(1 << 30));
        let saying = first.map(|n| Box::new(Saying::new(u32::try_from(n).unwrap_or(1))));
        let contact = format!("<{contact}>");
        let stage = Stage::Ringing(Box::new(Ringing { server, request, flow, contact, saying }));
        self.legs.insert(leg, Leg { tag, stage, silent: false });
    }

    /// Says 101-199 to the caller of a leg that is not answered, with early media or without.
    pub fn ring(&mut self, now: Now, leg: LegId, code: u16, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {
        if !(101..200).contains(&code) {
            return;
        }
        let Some(Leg { stage: Stage::Ringing(ringing), .. }) = self.legs.get(&leg) else { return };
        let body = sdp.unwrap_or_default();
        if ringing.saying.is_some() {
            return self.ring_reliably(now, leg, code, body, out);
        }
        let (server, contact) = (ringing.server, ringing.contact.clone());
        let answer = Answer {
            code,
            contact: Some(&contact),
            content_type: "application/sdp",
            body: &body,
            ..Answer::default()
        };
        self.say(now, server, answer, out);
    }

    /// Answers a leg; a caller who must confirm our SDP first gets the 2xx when it has. The 2xx is repeated until the ACK comes (`Acked`), or 32 s have gone (`Ended` with `NoAck`).
    pub fn accept(
        &mut self,
        now: Now,
        leg: LegId,
        mut sdp: Vec<u8>,
        mut headers: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
        let Some(Leg { stage: Stage::Ringing(ringing), .. }) = self.legs.get_mut(&leg) else { return };
        let Some(taking) = ringing.taking() else {
            return ringing.take_later(sdp, headers);
        };
        if taking.changed {
            sdp.clear();
        }
        let (server, request, flow, contact) =
            (ringing.server, ringing.request.clone(), ringing.flow, ringing.contact.clone());
        let tag = self.legs.get(&leg).map(|l| l.tag.clone()).unwrap_or_default();
        let mut up = Up::new(Dialog::of_request(&request, &tag, flow, contact.clone()), false);
        up.unacked = Some((server, request.cseq().number));
        up.unconfirmed = taking.unconfirmed;
        self.timers.stop(super::Deadline::Reliable(leg));
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.stage = Stage::Up(Box::new(up));
        }
        headers.extend(self.answer_timer(now, leg, &request, Some(&sdp)));
        self.say_accepted(now, server, &contact, &sdp, headers, out);
    }

    /// The session timer that the answer to an INVITE or UPDATE of the peer agrees to starts; its lines for the answer.
    pub(super) fn answer_timer(
        &mut self,
        now: Now,
        id: LegId,
        request: &Request,
        sdp: Option<&[u8]>,
    ) -> Vec<(String, String)> {
        // What is too small was refused when it came in.
        let deal = session_timer::answer_to(&request.headers).unwrap_or_default();
        self.session_runs(now, id, deal, Refresher::Uas, &request.headers, sdp);
        deal.map(session_timer::Deal::lines).unwrap_or_default()
    }

    /// Says 200 with our Contact, and SDP if there is any.
    pub(super) fn say_accepted(
        &mut self,
        now: Now,
        server: ServerId,
        contact: &str,
        sdp: &[u8],
        mut headers: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
        let told = [(Name::Allow, ALLOW), (Name::Supported, SUPPORTED)];
        headers.extend(told.map(|(name, value)| (name.as_str().to_owned(), value.to_owned())));
        let answer = Answer {
            code: 200,
            contact: Some(contact),
            headers: &headers,
            content_type: "application/sdp",
            body: sdp,
            ..Answer::default()
        };
        self.say(now, server, answer, out);
    }

    /// Refuses a leg that is not answered; the leg is gone.
    pub fn refuse(
        &mut self,
        now: Now,
        leg: LegId,
        code: u16,
        reason: Option<&str>,
        headers: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
        let Some(Leg { stage: Stage::Ringing(ringing), .. }) = self.legs.get(&leg) else { return };
        let server = ringing.server;
        self.forget(leg);
        let code = if (300..700).contains(&code) { code } else { 500 };
        self.say(now, server, Answer { code, reason, headers: &headers, ..Answer::default() }, out);
    }

    /// Answers a request, or an INVITE that was not adopted.
    pub fn respond(&mut self, now: Now, server: ServerId, reply: Reply, out: &mut Vec<Output>) {
        let code = if (200..700).contains(&reply.code) { reply.code } else { 500 };
        let answer = Answer {
            code,
            reason: reply.reason.as_deref(),
            headers: &reply.headers,
            content_type: &reply.content_type,
            body: &reply.body,
            ..Answer::default()
        };
        if reply.stateless {
            if let Some((flow, bytes)) = self.answer_bytes(server, answer) {
                out.push(Output::Send { flow, bytes });
            }
            self.table.drop_server(server);
        } else {
            self.say(now, server, answer, out);
        }
    }

    /// Says nothing at all to a request, now and later.
    pub fn ignore(&mut self, server: ServerId) {
        self.table.drop_server(server);
    }

    /// Writes an answer and gives it to the transaction.
    pub(super) fn say(&mut self, now: Now, server: ServerId, answer: Answer<'_>, out: &mut Vec<Output>) {
        if let Some((_, bytes)) = self.answer_bytes(server, answer) {
            self.table.reply(now, server, answer.code, bytes, out);
        }
    }

    fn answer_bytes(&mut self, server: ServerId, answer: Answer<'_>) -> Option<(Flow, Vec<u8>)> {
        let s = self.table.server(server)?;
        let request = s.request.clone()?;
        let tag = s.tag.to_string();
        let answer = Answer { to_tag: Some(&tag), server: self.settings.user_agent.as_deref(), ..answer };
        Some((s.flow, answer::build(&request, &s.flow, &answer)))
    }

    /// CANCEL: answered by itself; the INVITE, when it has no final answer, ends with 487.
    pub(super) fn cancel_in(&mut self, now: Now, flow: Flow, cancel: Request, out: &mut Vec<Output>) {
        let invite = self.table.cancelled(&self.ids, &cancel);
        let elsewhere =
            cancel.headers.list(Name::Reason).any(|r| r.starts_with("SIP") && r.contains("cause=200"));
        let own = self.table.open(now, &self.ids, flow, Arc::new(cancel), out);
        let Some(invite) = invite else {
            return self.say(now, own, Answer { code: 481, ..Answer::default() }, out);
        };
        let (waiting, leg, tag) = self
            .table
            .server(invite)
            .map_or((false, None, String::new()), |s| (s.request.is_some(), s.leg, s.tag.to_string()));
        // Section 9.2: the same To tag as in the answers to the INVITE.
        if let Some(s) = self.table.server(own) {
            s.tag = tag.into();
        }
        self.say(now, own, Answer { code: 200, ..Answer::default() }, out);
        if waiting {
            self.say(now, invite, Answer { code: 487, ..Answer::default() }, out);
            self.taken_back(leg, invite, elsewhere, out);
        }
    }

    /// The peer took back an INVITE that was not answered: the call is gone, a change of a session is forgotten.
    fn taken_back(&mut self, leg: Option<LegId>, invite: ServerId, elsewhere: bool, out: &mut Vec<Output>) {
        let Some(id) = leg else { return };
        match self.legs.get_mut(&id).map(|l| &mut l.stage) {
            Some(Stage::Ringing(ringing)) if ringing.server == invite => {
                if self.forget(id).is_some_and(|l| !l.silent) {
                    out.push(Output::Indicate(Indication::Cancelled { leg: id, elsewhere }));
                }
            }
            Some(Stage::Up(up)) => up.theirs_taken_back(invite),
            Some(Stage::Ringing(_) | Stage::Calling(_)) | None => {}
        }
    }

    /// A request of a caller that was not answered. BYE (legal, rare) is as CANCEL.
    pub(super) fn ringing_in(
        &mut self,
        now: Now,
        flow: Flow,
        id: LegId,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let request = Arc::new(request);
        let own = self.table.open(now, &self.ids, flow, request.clone(), out);
        match request.method {
            Method::Bye => {
                self.say(now, own, Answer { code: 200, ..Answer::default() }, out);
                self.refuse(now, id, 487, None, Vec::new(), out);
                out.push(Output::Indicate(Indication::Cancelled { leg: id, elsewhere: false }));
            }
            Method::Options | Method::Info => {
                self.say(now, own, Answer { code: 200, ..Answer::default() }, out)
            }
            Method::Prack => self.prack_in(now, id, own, &request, out),
            Method::Update => match request.sdp() {
                Some(sdp) => self.update_early(now, id, own, sdp, out),
                None => self.say(now, own, Answer { code: 200, ..Answer::default() }, out),
            },
            Method::Invite => self.say_later(now, own, out),
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

    /// 500 with a short random Retry-After: another offer is being worked on (RFC 3261 section 14.2, RFC 3311 5.2).
    pub(super) fn say_later(&mut self, now: Now, server: ServerId, out: &mut Vec<Output>) {
        let seconds = self.ids.below(11).to_string();
        let headers = [(Name::RetryAfter.as_str().to_owned(), seconds)];
        self.say(now, server, Answer { code: 500, headers: &headers, ..Answer::default() }, out);
    }

    /// Takes a leg out of every table.
    pub(super) fn forget(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        self.owners.remove(&leg.tag);
        self.timers.stop(super::Deadline::Glare(id));
        self.timers.stop(super::Deadline::Reliable(id));
        self.timers.stop(super::Deadline::Session(id));
        Some(leg)
    }
}
