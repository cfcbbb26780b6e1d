//! Sessions we start, until they are answered: INVITE, its challenges, CANCEL, and the 2xx nobody wants (late forks,
//! answers that crossed our CANCEL): acknowledged and ended at once.
use super::leg::{Calling, Leg, Parting, Stage, Up};
use super::{Endpoint, Hop, Invite, Owner, User};
use crate::dialog::Dialog;
use crate::indication::{Failure, Indication, Output};
use crate::limits::{CHALLENGES_MAX, LEGS_MAX, RAISES_MAX, RELIABLE_MAX};
use crate::message::Response;
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::{Login, Outgoing};
use crate::reliable;
use crate::route_set::RouteSet;
use crate::session_timer::{self, Refresher};
use crate::transaction::ClientKey;
use model::clock::Now;
use model::id::LegId;
use std::sync::Arc;

impl Endpoint {
    /// Calls. Comes back as `Progress` (any number), then `Answered` or `Refused`.
    pub fn invite(&mut self, now: Now, leg: LegId, invite: Invite, out: &mut Vec<Output>) {
        let taken = self.legs.contains_key(&leg);
        if taken || self.legs.len() >= LEGS_MAX || !self.table.has_room(false) {
            return out.push(Output::Indicate(refused(leg, 503, "too many calls")));
        }
        let tag = self.ids.tag();
        let (uri, routes) = RouteSet::preloaded(&invite.route).apply(&invite.target);
        let outgoing = Outgoing {
            method: Method::Invite,
            uri,
            flow: invite.flow,
            routes,
            max_forwards: invite.max_forwards,
            from: invite.from.bare().with_param("tag", &tag).to_string(),
            to: invite.to.bare().to_string(),
            call_id: self.ids.call_id(),
            cseq: 1,
            contact: Some(format!("<{}>", invite.contact)),
            headers: invite.headers,
            content_type: "application/sdp".to_owned(),
            body: invite.sdp,
            login: invite.credentials.map(Login::new),
            reliable: invite.reliable,
            auth: Vec::new(),
        };
        self.owners.insert(tag.clone(), Owner::Leg(leg));
        let calling = Calling::new(ClientKey::new(&mut self.ids), outgoing, invite.hop);
        let stage = self.call(now, leg, Box::new(calling), out);
        self.legs.insert(leg, Leg { tag, stage, silent: false });
    }

    /// Sends the INVITE in a new transaction.
    fn call(&mut self, now: Now, leg: LegId, mut calling: Box<Calling>, out: &mut Vec<Output>) -> Stage {
        let key = calling.key;
        let sent = calling.outgoing.write(key, &mut self.ids, self.settings.user_agent.as_deref());
        self.table.start(now, key, User::Invite(leg), sent, out);
        if let Some(client) = self.table.client(key) {
            client.auth.clone_from(&calling.outgoing.auth);
        }
        Stage::Calling(calling)
    }

    pub(super) fn provisional(
        &mut self,
        now: Now,
        key: ClientKey,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let Some(User::Invite(id)) = self.table.user(key) else { return };
        let id = *id;
        let Some(Leg { stage: Stage::Calling(calling), silent, .. }) = self.legs.get_mut(&id) else { return };
        let first = !std::mem::replace(&mut calling.heard, true);
        if let Some(parting) = calling.parting.take() {
            return self.table.cancel(now, key, User::Nobody, &parting, out);
        }
        if *silent || (response.code() == 100 && !first) {
            return;
        }
        let number = reliable::number(response.headers()).filter(|_| response.code() > 100);
        if number.is_none_or(|n| self.heard_reliably(now, id, n, response, out)) {
            let sdp = response.sdp().map(<[u8]>::to_vec);
            out.push(Output::Indicate(Indication::Progress { leg: id, code: response.code(), sdp }));
        }
    }

    pub(super) fn invite_answered(
        &mut self,
        now: Now,
        key: ClientKey,
        id: LegId,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        let Some(leg) = self.legs.remove(&id) else {
            if (200..300).contains(&response.code()) {
                self.end_fork(now, key, &response, true, out);
            }
            return;
        };
        match response.code() {
            200..300 => self.invite_accepted(now, key, id, leg, response, out),
            _ => self.invite_refused(now, id, leg, response, out),
        }
    }

    fn invite_accepted(
        &mut self,
        now: Now,
        key: ClientKey,
        id: LegId,
        leg: Leg,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        let Leg { tag, stage: Stage::Calling(calling), silent } = leg else { return };
        let Calling { outgoing, hop, early, .. } = *calling;
        let deal = session_timer::agreed_by(response.headers());
        let contact = outgoing.contact.unwrap_or_default();
        let mut dialog = Dialog::of_response(&response, &outgoing.uri, outgoing.flow, hop, contact);
        dialog.login = outgoing.login;
        let theirs = response.to().tag().unwrap_or_default();
        let heard = early.into_iter().find(|e| e.dialog.name().1 == theirs);
        if let Some(early) = &heard {
            dialog.used(early.dialog.last_used());
        }
        self.acknowledge(key, &dialog, &response, out);
        let up = Up::new(dialog, true);
        self.legs.insert(id, Leg { tag, stage: Stage::Up(Box::new(up)), silent });
        self.session_runs(now, id, deal, Refresher::Uac, response.headers(), Some(&outgoing.body));
        if silent {
            // The answer crossed our CANCEL.
            self.bye(now, id, Parting::new(), out);
        } else {
            // What a callee said reliably it need not say again (RFC 3262 section 5).
            let (said, changed) = heard.map(|e| (e.sdp, e.changed)).unwrap_or_default();
            let sdp = response.sdp().filter(|_| !changed).map_or(said, <[u8]>::to_vec);
            out.push(Output::Indicate(Indication::Answered { leg: id, sdp, response: Arc::new(response) }));
        }
    }

    fn invite_refused(&mut self, now: Now, id: LegId, leg: Leg, response: Response, out: &mut Vec<Output>) {
        let Leg { tag, stage: Stage::Calling(mut calling), silent } = leg else { return };
        if !silent && (calling.outgoing.challenged(&response) || calling.raised(&response)) {
            (calling.key, calling.heard) = (ClientKey::new(&mut self.ids), false);
            calling.early.clear();
            let stage = self.call(now, id, calling, out);
            self.legs.insert(id, Leg { tag, stage, silent });
            return;
        }
        self.owners.remove(&tag);
        if !silent {
            out.push(Output::Indicate(Indication::Refused {
                leg: id,
                code: response.code(),
                reason: response.reason().to_owned(),
                retry_after: response.retry_after(),
                response: Some(Arc::new(response)),
            }));
        }
    }

    pub(super) fn invite_failed(&mut self, id: LegId, failure: Failure, out: &mut Vec<Output>) {
        let Some(leg) = self.forget(id) else { return };
        if !leg.silent {
            let indication = match failure {
                Failure::Timeout => refused(id, 408, "no answer"),
                Failure::Unreachable => refused(id, 503, "cannot be reached"),
                Failure::Overload => refused(id, 503, "too many calls"),
            };
            out.push(Output::Indicate(indication));
        }
    }

    /// Hangs up a leg in stage `Calling`: CANCEL as soon as it may be sent.
    pub(super) fn hang_up_calling(&mut self, now: Now, id: LegId, parting: Parting, out: &mut Vec<Output>) {
        let Some(Leg { stage: Stage::Calling(calling), silent, .. }) = self.legs.get_mut(&id) else { return };
        *silent = true;
        if calling.heard {
            let key = calling.key;
            self.table.cancel(now, key, User::Nobody, &parting, out);
        } else {
            calling.parting = Some(parting);
        }
    }

    /// Acknowledges a 2xx; the ACK is kept for its repetitions.
    pub(super) fn acknowledge(
        &mut self,
        key: ClientKey,
        dialog: &Dialog,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let auth = self.table.client(key).map(|c| c.auth.clone()).unwrap_or_default();
        let mut ack = dialog.ack(response.cseq().number, auth);
        let sent =
            ack.write(ClientKey::new(&mut self.ids), &mut self.ids, self.settings.user_agent.as_deref());
        self.table.acknowledge(key, response.to().tag().unwrap_or_default(), sent.flow, sent.bytes, out);
    }

    /// Another 2xx to an INVITE that was accepted: a repetition gets its ACK again, another fork ACK and BYE.
    pub(super) fn accepted_again(
        &mut self,
        now: Now,
        key: ClientKey,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let tag = response.to().tag().unwrap_or_default();
        if self.table.acknowledge_again(key, tag, out) || self.table.forks_spent(key) {
            return;
        }
        self.end_fork(now, key, response, true, out);
    }

    /// Acknowledges a 2xx that belongs to no leg, and ends the session it made.
    pub(super) fn end_fork(
        &mut self,
        now: Now,
        key: ClientKey,
        response: &Response,
        bye: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(flow) = self.table.client(key).map(|c| c.flow) else { return };
        let mut dialog =
            Dialog::of_response(response, &response.to().uri.clone(), flow, Hop::Symmetric, String::new());
        self.acknowledge(key, &dialog, response, out);
        if bye {
            // Above the numbers of the PRACKs it may have had from us.
            dialog.used(response.cseq().number + u32::from(RELIABLE_MAX) * u32::from(CHALLENGES_MAX));
            let outgoing = dialog.request(Method::Bye, Vec::new(), "", Vec::new());
            self.send(now, outgoing, |_| User::Nobody, out);
        }
    }
}

impl Calling {
    /// Takes a 422: somebody on the way, or the callee, wants a session timer with a longer interval. False when there is
    /// no use in another try. Then the CSeq is already the next one.
    fn raised(&mut self, response: &Response) -> bool {
        let least = session_timer::least(response.headers());
        if response.code() != 422 || least <= self.interval || self.raises >= RAISES_MAX {
            return false;
        }
        (self.interval, self.raises) = (least, self.raises + 1);
        let names = [Name::SessionExpires, Name::MinSe];
        self.outgoing.headers.retain(|(n, _)| !names.contains(&Name::read(n)));
        self.outgoing.headers.extend(session_timer::asking(least, None, Some(least)));
        self.outgoing.cseq += 1;
        true
    }
}

fn refused(leg: LegId, code: u16, reason: &str) -> Indication {
    Indication::Refused { leg, code, reason: reason.to_owned(), retry_after: None, response: None }
}
