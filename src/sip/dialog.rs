//! One dialog (RFC 3261 section 12): tags, sequence numbers, target, routes; makes the requests inside it and knows
//! which requests of the peer belong to it. Knows nothing of INVITE or SUBSCRIBE.
use crate::answer::tag_param;
use crate::endpoint::Hop;
use crate::flow::{Flow, Transport};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::{Login, Outgoing};
use crate::route_set::RouteSet;
use crate::uri::Uri;
use std::net::SocketAddr;

/// Our half of a dialog.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: String,
    /// Our From value, with our tag.
    local: String,
    /// Our To value, with the peer's tag.
    remote: String,
    remote_tag: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    target: Uri,
    routes: RouteSet,
    flow: Flow,
    hop: Hop,
    /// Our Contact value.
    pub(crate) contact: String,
    pub(crate) login: Option<Login>,
}

impl Dialog {
    /// As callee: the peer's request, our tag for it, where it came from, our Contact.
    pub(crate) fn of_request(request: &Request, tag: &str, flow: Flow, contact: String) -> Dialog {
        let value = |name| request.headers.first(name).unwrap_or_default().to_owned();
        let local = match request.to.tag() {
            Some(_) => value(Name::To),
            None => value(Name::To) + &tag_param(&value(Name::To), tag),
        };
        Dialog {
            call_id: request.call_id().to_owned(),
            local,
            remote: value(Name::From),
            remote_tag: request.from.tag().unwrap_or_default().to_owned(),
            local_cseq: 0,
            remote_cseq: Some(request.cseq.number),
            target: request.contacts().next().unwrap_or_else(|| request.from.clone()).uri,
            routes: RouteSet::of_request(&request.headers),
            flow,
            hop: Hop::Symmetric,
            contact,
            login: None,
        }
    }

    /// As caller: the peer's answer to the request that was sent over `flow`.
    pub(crate) fn of_response(
        response: &Response,
        sent_to: &Uri,
        flow: Flow,
        hop: Hop,
        contact: String,
    ) -> Dialog {
        let value = |name| response.headers.first(name).unwrap_or_default().to_owned();
        Dialog {
            call_id: response.call_id().to_owned(),
            local: value(Name::From),
            remote: value(Name::To),
            remote_tag: response.to.tag().unwrap_or_default().to_owned(),
            local_cseq: response.cseq.number,
            remote_cseq: None,
            target: response.contacts().next().map_or_else(|| sent_to.clone(), |c| c.uri),
            routes: RouteSet::of_response(&response.headers),
            flow,
            hop,
            contact,
            login: None,
        }
    }

    /// Whether a request of the peer that names our tag belongs here.
    pub(crate) fn owns(&self, request: &Request) -> bool {
        request.call_id() == self.call_id && request.from.tag().unwrap_or_default() == self.remote_tag
    }

    /// Whether it has this name; the tag is the peer's.
    pub(crate) fn is(&self, call_id: &str, theirs: &str) -> bool {
        self.call_id == call_id && self.remote_tag == theirs
    }

    /// Call-ID and the peer's tag.
    pub(crate) fn name(&self) -> (&str, &str) {
        (&self.call_id, &self.remote_tag)
    }

    /// Takes the sequence number of a request of the peer; false when it is older than one already taken.
    pub(crate) fn takes(&mut self, number: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| number >= last);
        if in_order {
            self.remote_cseq = Some(number);
        }
        in_order
    }

    /// The peer moved: INVITE and UPDATE, in requests and 2xx, renew the target (section 12.2).
    pub(crate) fn refresh(&mut self, contact: Option<Uri>, flow: Option<Flow>) {
        if let Some(uri) = contact {
            self.target = uri;
        }
        if let Some(flow) = flow {
            self.flow = flow;
        }
    }

    /// The stream is gone: what comes next may be sent over a new one.
    pub(crate) fn lost(&mut self, flow: Flow) {
        if self.flow.ends_with(&flow) {
            self.flow.connection = 0;
            if let Some(ip) = self.target.ip() {
                self.flow.remote = SocketAddr::new(ip, self.target.port().unwrap_or(5060));
            }
        }
    }

    /// The next request of ours.
    pub(crate) fn request(
        &mut self,
        method: Method,
        headers: Vec<(String, String)>,
        content_type: &str,
        body: Vec<u8>,
    ) -> Outgoing {
        self.local_cseq += 1;
        let contact = matches!(method, Method::Invite | Method::Update | Method::Notify | Method::Refer);
        let mut outgoing = self.outgoing(method, self.local_cseq);
        outgoing.contact = contact.then(|| self.contact.clone());
        outgoing.headers = headers;
        outgoing.content_type = content_type.to_owned();
        outgoing.body = body;
        outgoing
    }

    /// The ACK of a 2xx to our INVITE with this sequence number.
    pub(crate) fn ack(&self, number: u32, auth: Vec<(String, String)>) -> Outgoing {
        let mut outgoing = self.outgoing(Method::Ack, number);
        outgoing.login = None;
        outgoing.auth = auth;
        outgoing
    }

    /// The sequence number of a repeated try is ours too.
    pub(crate) fn used(&mut self, number: u32) {
        self.local_cseq = self.local_cseq.max(number);
    }

    /// The last sequence number of ours.
    pub(crate) fn last_used(&self) -> u32 {
        self.local_cseq
    }

    fn outgoing(&self, method: Method, cseq: u32) -> Outgoing {
        let (uri, routes) = self.routes.apply(&self.target);
        Outgoing {
            method,
            uri,
            flow: self.next_hop(),
            routes,
            max_forwards: 70,
            from: self.local.clone(),
            to: self.remote.clone(),
            call_id: self.call_id.clone(),
            cseq,
            contact: None,
            headers: Vec::new(),
            content_type: String::new(),
            body: Vec::new(),
            login: self.login.clone().map(Login::rested),
            reliable: false,
            auth: Vec::new(),
        }
    }

    fn next_hop(&self) -> Flow {
        let signalled = self.routes.first().unwrap_or(&self.target);
        match (self.hop, signalled.ip()) {
            (Hop::Signalled, Some(ip)) => {
                let remote = SocketAddr::new(ip, signalled.port().unwrap_or(5060));
                let tcp =
                    matches!(signalled.param("transport"), Some(Some(t)) if t.eq_ignore_ascii_case("tcp"));
                match (remote == self.flow.remote, tcp) {
                    (true, _) => self.flow,
                    (false, true) => Flow { transport: Transport::Tcp, remote, connection: 0, ..self.flow },
                    (false, false) => Flow { transport: Transport::Udp, remote, connection: 0, ..self.flow },
                }
            }
            (Hop::Signalled, None) | (Hop::Symmetric, _) => self.flow,
        }
    }
}
