//! The whole SIP machine: UAC and UAS cores over the transaction table.
use crate::digest::Credentials;
use crate::flow::Flow;
use crate::indication::{ClientId, Output, ServerId, SubscriptionId};
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::timer::Timing;
use crate::uri::Uri;
use model::clock::{Mono, Now};
use model::id::LegId;

/// What an endpoint is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Goes into `Server` and `User-Agent`; none says nothing.
    pub user_agent: Option<String>,
    /// Live transactions; beyond, new requests get 503.
    pub transactions_max: usize,
    /// From the kernel in production; fixed in simulation.
    pub seed: [u8; 32],
    /// T1, T2, T4.
    pub timing: Timing,
}

/// Where requests inside a session go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// Where the peer's last message came from (phones, NAT, trunks by address).
    #[default]
    Symmetric,
    /// Where the route set or the peer's Contact says, when that is an address; else as `Symmetric`.
    Signalled,
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The Request-URI.
    pub target: Uri,
    /// The next hop.
    pub flow: Flow,
    /// Preloaded routes (outbound proxy).
    pub route: Vec<Uri>,
    /// Caller; the tag is ours to add.
    pub from: NameAddr,
    /// Called party.
    pub to: NameAddr,
    /// Our address in this session.
    pub contact: Uri,
    /// Hops left: what the incoming call had, less one; 70 for a call of our own.
    pub max_forwards: u8,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// The offer; empty: the answer must offer.
    pub sdp: Vec<u8>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
    /// Where later requests go.
    pub hop: Hop,
}

/// A request outside sessions: REGISTER, OPTIONS, MESSAGE, unsolicited NOTIFY.
#[derive(Clone, Debug)]
pub struct RequestOut {
    /// Comes back with the response.
    pub id: ClientId,
    /// The method.
    pub method: Method,
    /// The Request-URI.
    pub target: Uri,
    /// The next hop.
    pub flow: Flow,
    /// Preloaded routes.
    pub route: Vec<Uri>,
    /// Sender; the tag is ours to add.
    pub from: NameAddr,
    /// Receiver.
    pub to: NameAddr,
    /// A fixed Call-ID (registrations); none makes one.
    pub call_id: Option<String>,
    /// A fixed first CSeq (registrations); none is 1.
    pub cseq: Option<u32>,
    /// Our Contact value.
    pub contact: Option<NameAddr>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
}

/// An answer to a request of a peer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// 200-699.
    pub code: u16,
    /// The phrase; none: the usual one.
    pub reason: Option<String>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// Answer and forget at once (RFC 3261 section 8.2.7): for challenges and refusals of strangers, so that a flood
    /// leaves nothing behind.
    pub stateless: bool,
}

impl Reply {
    /// An answer with a code and nothing else.
    #[must_use]
    pub fn new(code: u16) -> Reply {
        Reply {
            code,
            reason: None,
            headers: Vec::new(),
            content_type: String::new(),
            body: Vec::new(),
            stateless: false,
        }
    }
    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    /// The same with a body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Reply {
        (self.content_type, self.body) = (content_type.to_owned(), body.to_vec());
        self
    }
    /// The same, forgotten as soon as it is sent.
    #[must_use]
    pub fn stateless(mut self) -> Reply {
        self.stateless = true;
        self
    }
}

/// The SIP machine.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
}

#[allow(unused_variables, missing_docs)]
impl Endpoint {
    pub fn new(settings: Settings) -> Endpoint {
        Endpoint { settings }
    }
    pub fn receive(&mut self, now: Now, flow: Flow, bytes: &[u8], out: &mut Vec<Output>) {}
    pub fn handle_timeout(&mut self, now: Now, out: &mut Vec<Output>) {}
    pub fn deadline(&self) -> Option<Mono> {
        None
    }
    pub fn flow_closed(&mut self, now: Now, flow: Flow, out: &mut Vec<Output>) {}
    pub fn invite(&mut self, now: Now, leg: LegId, invite: Invite, out: &mut Vec<Output>) {}
    pub fn adopt(&mut self, now: Now, server: ServerId, leg: LegId, contact: Uri, out: &mut Vec<Output>) {}
    pub fn ignore(&mut self, server: ServerId) {}
    pub fn ring(&mut self, now: Now, leg: LegId, code: u16, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {}
    pub fn accept(
        &mut self,
        now: Now,
        leg: LegId,
        sdp: Vec<u8>,
        headers: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
    }
    pub fn refuse(
        &mut self,
        now: Now,
        leg: LegId,
        code: u16,
        reason: Option<&str>,
        headers: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
    }
    pub fn hang_up(&mut self, now: Now, leg: LegId, cause: Option<&str>, out: &mut Vec<Output>) {}
    pub fn reoffer(&mut self, now: Now, leg: LegId, sdp: Vec<u8>, out: &mut Vec<Output>) {}
    pub fn answer_reoffer(
        &mut self,
        now: Now,
        leg: LegId,
        answer: Result<Vec<u8>, u16>,
        out: &mut Vec<Output>,
    ) {
    }
    pub fn request(&mut self, now: Now, request: RequestOut, out: &mut Vec<Output>) {}
    pub fn respond(&mut self, now: Now, server: ServerId, reply: Reply, out: &mut Vec<Output>) {}
    pub fn subscribe(
        &mut self,
        now: Now,
        server: ServerId,
        id: SubscriptionId,
        contact: Uri,
        expires_s: u32,
        out: &mut Vec<Output>,
    ) {
    }
    pub fn notify(
        &mut self,
        now: Now,
        id: SubscriptionId,
        content_type: &str,
        body: &[u8],
        out: &mut Vec<Output>,
    ) {
    }
    pub fn end_subscription(&mut self, now: Now, id: SubscriptionId, out: &mut Vec<Output>) {}
}
