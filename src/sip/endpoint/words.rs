//! What the endpoint is asked: values only.
use crate::digest::Credentials;
use crate::flow::Flow;
use crate::indication::ClientId;
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::uri::Uri;

/// Where requests inside a session go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// Where the peer's last INVITE or answer came from (phones, NAT, trunks by address).
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
    /// The offer. Not empty: calls without an offer are not made.
    pub sdp: Vec<u8>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
    /// Whether the callee may ask us to confirm its provisional answers (RFC 3262): a round trip for each.
    pub reliable: bool,
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
    /// A fixed first CSeq (registrations); none is 1. Each challenge adds one.
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

    /// The same with more headers.
    #[must_use]
    pub fn headers(mut self, headers: Vec<(String, String)>) -> Reply {
        self.headers.extend(headers);
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
