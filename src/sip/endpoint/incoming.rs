//! Requests of peers: which transaction, session or subscription they belong to, and what is refused before anybody
//! hears of it.
use super::leg::Stage;
use super::{Endpoint, Owner};
use crate::answer::{self, Answer};
use crate::flow::Flow;
use crate::indication::{Indication, Output};
use crate::limits::{RETRY_AFTER_S, SESSION_S_MIN};
use crate::message::{Rejected, Request};
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::ALLOW;
use crate::reliable;
use crate::session_timer;
use crate::transaction::Taken;
use crate::typed;
use crate::uri::Scheme;
use crate::via::Via;
use model::clock::Now;
use std::sync::Arc;

/// A refusal and what it says more.
type Refusal = (u16, Vec<(String, String)>);

impl Endpoint {
    /// A message that cannot be used: told, and answered when it can be.
    pub(super) fn reject(&mut self, flow: Flow, rejected: &Rejected, out: &mut Vec<Output>) {
        if let Some(code) = rejected.code {
            let via = rejected.headers.list(Name::Via).next().and_then(|v| Via::read(v).ok());
            let to = via.map_or(flow, |via| answer::reply_flow(flow, &via));
            let tag = self.ids.tag();
            let answer = Answer {
                code,
                to_tag: Some(&tag),
                server: self.settings.user_agent.as_deref(),
                ..Answer::default()
            };
            out.push(Output::Send {
                flow: to,
                bytes: answer::build_rejected(&rejected.headers, &flow, &answer),
            });
        }
        out.push(Output::Indicate(Indication::Malformed { flow, why: rejected.why }));
    }

    pub(super) fn request_in(&mut self, now: Now, flow: Flow, request: Request, out: &mut Vec<Output>) {
        match request.method {
            Method::Cancel => match self.table.request(now, &self.ids, &request, out) {
                Taken::New => self.cancel_in(now, flow, request, out),
                Taken::Absorbed | Taken::Acked(_) => {}
            },
            Method::Ack => match self.table.request(now, &self.ids, &request, out) {
                Taken::Acked(leg) => self.acked(now, leg, request.sdp().map(<[u8]>::to_vec), out),
                Taken::Absorbed => {}
                Taken::New => {
                    if let Some(&Owner::Leg(leg)) = request.to.tag().and_then(|t| self.owners.get(t)) {
                        self.ack_in(now, leg, &request, out);
                    }
                }
            },
            Method::Bye
            | Method::Info
            | Method::Invite
            | Method::Message
            | Method::Notify
            | Method::Options
            | Method::Prack
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe
            | Method::Update
            | Method::Other(_) => {
                if self.table.request(now, &self.ids, &request, out) == Taken::New {
                    self.new_request(now, flow, request, out);
                }
            }
        }
    }

    fn new_request(&mut self, now: Now, flow: Flow, request: Request, out: &mut Vec<Output>) {
        let owner = request.to.tag().map(|tag| self.owners.get(tag).copied());
        let inside = matches!(owner, Some(Some(_)));
        if !self.table.has_room(inside) {
            let headers = vec![(Name::RetryAfter.as_str().to_owned(), RETRY_AFTER_S.to_string())];
            return self.refuse_stateless(flow, &request, (503, headers), out);
        }
        if let Some(refusal) = self.unacceptable(&request, inside) {
            return self.refuse_stateless(flow, &request, refusal, out);
        }
        match owner {
            Some(Some(Owner::Leg(leg))) => match self.legs.get(&leg).map(|l| &l.stage) {
                Some(Stage::Up(_)) => self.inside_in(now, flow, leg, request, out),
                Some(Stage::Ringing(r)) if r.request.call_id() == request.call_id() => {
                    self.ringing_in(now, flow, leg, request, out);
                }
                Some(Stage::Calling(_)) => self.calling_in(now, flow, leg, request, out),
                Some(Stage::Ringing(_)) | None => self.unknown_session(flow, &request, out),
            },
            Some(Some(Owner::Subscription(id))) => self.subscription_in(now, flow, id, request, out),
            // Some registering phones keep the tag of the last answer.
            Some(None) if request.method != Method::Register => self.unknown_session(flow, &request, out),
            Some(None) | None => self.outside(now, flow, request, out),
        }
    }

    pub(super) fn unknown_session(&mut self, flow: Flow, request: &Request, out: &mut Vec<Output>) {
        self.refuse_stateless(flow, request, (481, Vec::new()), out);
    }

    /// A refusal that leaves nothing behind; its repetition gets the same one.
    fn refuse_stateless(&mut self, flow: Flow, request: &Request, refusal: Refusal, out: &mut Vec<Output>) {
        let (code, headers) = refusal;
        let tag = self.table.tag_for(&self.ids, request);
        let server = self.settings.user_agent.as_deref();
        let answer = Answer { code, to_tag: Some(&tag), headers: &headers, server, ..Answer::default() };
        let bytes = answer::build(request, &flow, &answer);
        out.push(Output::Send { flow: answer::reply_flow(flow, &request.via), bytes });
    }

    /// What is refused for its form alone (RFC 3261 section 8.2).
    fn unacceptable(&self, request: &Request, inside: bool) -> Option<Refusal> {
        let line = |name: Name, value: &str| vec![(name.as_str().to_owned(), value.to_owned())];
        if let Method::Other(_) = request.method {
            return Some((501, line(Name::Allow, ALLOW)));
        }
        if request.method == Method::Publish && !inside {
            return Some((405, line(Name::Allow, ALLOW)));
        }
        if request.uri.scheme() == Scheme::Other {
            return Some((416, Vec::new()));
        }
        let required = request.headers.list(Name::Require);
        let known = |option: &&str| {
            [reliable::TAG, session_timer::TAG].iter().any(|k| option.eq_ignore_ascii_case(k))
        };
        let unknown: Vec<&str> = required.filter(|o| !known(o)).collect();
        if !unknown.is_empty() {
            return Some((420, line(Name::Unsupported, &unknown.join(", "))));
        }
        let starts = matches!(request.method, Method::Invite | Method::Update);
        if starts && session_timer::answer_to(&request.headers).is_err() {
            return Some((422, line(Name::MinSe, &SESSION_S_MIN.to_string())));
        }
        if !inside && self.table.is_merged(&self.ids, request) || self.is_loop(request) {
            return Some((482, Vec::new()));
        }
        if request.method == Method::Invite {
            return self.unacceptable_invite(request, inside);
        }
        None
    }

    fn unacceptable_invite(&self, request: &Request, inside: bool) -> Option<Refusal> {
        // A call is passed on to somebody else; what has no hops left cannot be (section 16.3).
        if request.max_forwards == Some(0) && !inside {
            return Some((483, Vec::new()));
        }
        let encoded =
            request.headers.list(Name::ContentEncoding).any(|e| !e.eq_ignore_ascii_case("identity"));
        let known =
            request.content_type().is_none_or(|t| t == "application/sdp" || t.starts_with("multipart/"));
        if !request.body.is_empty() && (encoded || !known) && !typed::body_is_optional(&request.headers) {
            let accept = (Name::Accept.as_str().to_owned(), "application/sdp".to_owned());
            return Some((415, vec![accept, ("Accept-Encoding".to_owned(), "identity".to_owned())]));
        }
        if !typed::accepts(&request.headers, "application", "sdp") {
            return Some((406, Vec::new()));
        }
        None
    }

    /// Whether one of our own INVITEs came back to us unchanged.
    fn is_loop(&self, request: &Request) -> bool {
        let vias = request.headers.list(Name::Via).skip(1);
        let mut branches = vias.filter_map(|v| Via::read(v).ok()?.branch);
        branches.any(|branch| self.table.is_own_invite(&branch, request.uri.as_str()))
    }

    /// Requests that start something, or stand alone.
    fn outside(&mut self, now: Now, flow: Flow, request: Request, out: &mut Vec<Output>) {
        match request.method {
            Method::Invite => {
                let request = Arc::new(request);
                let server = self.table.open(now, &self.ids, flow, request.clone(), out);
                out.push(Output::Indicate(Indication::Invite { server, flow, request }));
            }
            Method::Message | Method::Options | Method::Refer | Method::Register | Method::Subscribe => {
                let request = Arc::new(request);
                let server = self.table.open(now, &self.ids, flow, request.clone(), out);
                out.push(Output::Indicate(Indication::Request { server, leg: None, flow, request }));
            }
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Info
            | Method::Notify
            | Method::Prack
            | Method::Publish
            | Method::Update
            | Method::Other(_) => self.unknown_session(flow, &request, out),
        }
    }
}
