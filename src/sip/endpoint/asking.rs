//! Requests of ours outside sessions: sent, challenged, answered. And the answer to BYE, when it is a challenge.
use super::{Endpoint, RequestOut, User};
use crate::indication::{ClientId, Failure, Indication, Output};
use crate::message::Response;
use crate::outgoing::{Login, Outgoing};
use crate::route_set::RouteSet;
use model::clock::Now;
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
            reliable: false,
            auth: Vec::new(),
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
