//! Requests of ours outside sessions, and inside them for the API: sent, challenged, answered. Sessions themselves are
//! `caller` and `inside`.
use super::leg::Stage;
use super::{Endpoint, RequestInside, RequestOut, User};
use crate::indication::{ClientId, Failure, Indication, Output};
use crate::message::Response;
use crate::outgoing::{Login, Outgoing};
use crate::route_set::RouteSet;
use model::clock::Now;
use model::id::LegId;
use std::sync::Arc;

impl Endpoint {
    /// Sends a request; its end comes as `Indication::Response`. Challenges are met by itself when there are
    /// credentials.
    pub fn request(&mut self, now: Now, request: RequestOut, out: &mut Vec<Output>) {
        let id = request.id;
        if !self.table.has_room(false) {
            return out.push(Output::Indicate(Indication::Response { id, result: Err(Failure::Overload) }));
        }
        let outgoing = self.outgoing(request);
        self.send(now, outgoing, |o| User::Request(id, Box::new(o)), out);
    }

    fn outgoing(&mut self, request: RequestOut) -> Outgoing {
        let (uri, routes) = RouteSet::preloaded(&request.route).apply(&request.target);
        Outgoing {
            method: request.method,
            uri,
            flow: request.flow,
            routes,
            max_forwards: 70,
            from: request.from.bare().with_param("tag", &self.ids.tag()).to_string(),
            to: request.to.to_string(),
            call_id: request.call_id.unwrap_or_else(|| self.ids.call_id()),
            cseq: request.cseq.unwrap_or(1),
            contact: request.contact.map(|c| c.to_string()),
            headers: request.headers,
            content_type: request.content_type,
            body: request.body,
            login: request.credentials.map(Login::new),
            auth: Vec::new(),
        }
    }

    /// Sends a request inside an answered session; its end comes as `Indication::Response`. Unknown legs fail as
    /// `Unreachable`.
    pub fn request_inside(&mut self, now: Now, leg: LegId, request: RequestInside, out: &mut Vec<Output>) {
        let RequestInside { id, method, headers, content_type, body } = request;
        let up = self.legs.get_mut(&leg).filter(|l| !l.silent).and_then(|l| match &mut l.stage {
            Stage::Up(up) => Some(up),
            Stage::Calling(_) | Stage::Ringing(_) => None,
        });
        match up {
            Some(up) => {
                let outgoing = up.dialog.request(method, headers, &content_type, body);
                self.send(now, outgoing, |o| User::Inside(leg, id, Box::new(o)), out);
            }
            None => {
                out.push(Output::Indicate(Indication::Response { id, result: Err(Failure::Unreachable) }))
            }
        }
    }

    pub(super) fn request_answered(
        &mut self,
        now: Now,
        id: ClientId,
        mut outgoing: Outgoing,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        if outgoing.challenged(&response) {
            self.send(now, outgoing, |o| User::Request(id, Box::new(o)), out);
        } else {
            out.push(Output::Indicate(Indication::Response { id, result: Ok(Arc::new(response)) }));
        }
    }

    pub(super) fn inside_answered(
        &mut self,
        now: Now,
        leg: LegId,
        id: ClientId,
        mut outgoing: Outgoing,
        response: Response,
        out: &mut Vec<Output>,
    ) {
        if outgoing.challenged(&response) {
            if let Some(up) = self.up(leg) {
                up.dialog.used(outgoing.cseq);
            }
            self.send(now, outgoing, |o| User::Inside(leg, id, Box::new(o)), out);
            return;
        }
        let code = response.code();
        out.push(Output::Indicate(Indication::Response { id, result: Ok(Arc::new(response)) }));
        if matches!(code, 408 | 481) {
            self.session_lost(now, leg, out);
        }
    }

    pub(super) fn bye_answered(
        &mut self,
        now: Now,
        mut outgoing: Outgoing,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        if outgoing.challenged(response) {
            self.send(now, outgoing, |o| User::Bye(Box::new(o)), out);
        }
    }
}
