//! What the endpoint says: bytes to send, and what happened. Data only.
use crate::flow::Flow;
use crate::message::{Request, Response, Why};
use model::id::LegId;
use std::sync::Arc;

/// A request of a peer that waits for our answer. Given by the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u64);

/// A request of ours outside INVITE sessions. Chosen by the caller, who gets it back with the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A subscription of a peer to something of ours. Chosen by the caller when accepting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// One thing the endpoint wants done or told.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// Where to.
        flow: Flow,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Indicate(Indication),
}

/// Something that happened. After `Refused`, `Cancelled` and `Ended` the leg is gone and its id is unknown.
#[derive(Clone, Debug)]
pub enum Indication {
    /// A new call. Answer it in the same step with `adopt`, `respond` or `ignore`. `100 Trying` goes out by itself
    /// after 200 ms if nothing else did.
    Invite {
        /// The waiting request.
        server: ServerId,
        /// Where it came from.
        flow: Flow,
        /// What it says.
        request: Arc<Request>,
    },
    /// A provisional answer to our INVITE. 100 says that the next hop lives.
    Progress {
        /// Whose.
        leg: LegId,
        /// 100-199.
        code: u16,
        /// Early media, if any.
        sdp: Option<Vec<u8>>,
    },
    /// Our INVITE was answered; the ACK is sent.
    Answered {
        /// Whose.
        leg: LegId,
        /// The peer's answer (empty when it sent none).
        sdp: Vec<u8>,
        /// The whole answer.
        response: Arc<Response>,
    },
    /// Our INVITE was refused, timed out (408) or could not be sent (503).
    Refused {
        /// Whose.
        leg: LegId,
        /// 300-699.
        code: u16,
        /// The peer's words.
        reason: String,
        /// Seconds the peer asks us to wait.
        retry_after: Option<u32>,
        /// The whole answer; none when no answer came (then the code is ours).
        response: Option<Arc<Response>>,
    },
    /// The peer acknowledged our 2xx (of the first or of a later INVITE).
    Acked {
        /// Whose.
        leg: LegId,
        /// The answer to an offer that our 2xx made.
        sdp: Option<Vec<u8>>,
    },
    /// The caller gave up before we answered.
    Cancelled {
        /// Whose.
        leg: LegId,
        /// Whether it was answered by another device of a fork (Reason with cause 200).
        elsewhere: bool,
    },
    /// An answered session is over.
    Ended {
        /// Whose.
        leg: LegId,
        /// Why.
        why: Ended,
    },
    /// The peer wants to change the session (re-INVITE or UPDATE). Answer with `answer_reoffer`.
    Reoffer {
        /// Whose.
        leg: LegId,
        /// Its offer; none: it asks for ours.
        sdp: Option<Vec<u8>>,
    },
    /// The answer to `reoffer`, or to the same SDP once more as a refresh of the session timer.
    ReofferAnswered {
        /// Whose.
        leg: LegId,
        /// The peer's SDP, or the code it refused with. The session goes on as it was after a refusal.
        result: Result<Vec<u8>, u16>,
    },
    /// An INFO inside the session; answered 200 already.
    Info {
        /// Whose.
        leg: LegId,
        /// Its media type, lower case.
        content_type: String,
        /// Its body.
        body: Vec<u8>,
    },
    /// Any other request that is ours to answer with `respond`: REGISTER, OPTIONS, MESSAGE, SUBSCRIBE outside
    /// sessions; REFER, MESSAGE inside.
    Request {
        /// The waiting request.
        server: ServerId,
        /// The session it came in, if any.
        leg: Option<LegId>,
        /// Where it came from.
        flow: Flow,
        /// What it says.
        request: Arc<Request>,
    },
    /// The final answer to a `request`.
    Response {
        /// Which.
        id: ClientId,
        /// The answer, or why there is none.
        result: Result<Arc<Response>, Failure>,
    },
    /// A subscription is over: it ran out, was taken back, or the peer no longer knows it.
    SubscriptionGone {
        /// Which.
        id: SubscriptionId,
    },
    /// A message that could not be used. Counted by the ban guard.
    Malformed {
        /// Where it came from.
        flow: Flow,
        /// What was wrong.
        why: Why,
    },
}

/// Why an answered session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// The peer hung up.
    Bye,
    /// The peer never acknowledged our 2xx.
    NoAck,
    /// The peer no longer knows the session (481), or did not answer a request in it (408), or cannot be reached.
    Lost,
    /// Nobody refreshed the session in time (RFC 4028): the peer sent no refresh, or took none of ours.
    Expired,
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Failure {
    /// Nobody answered in 32 s.
    #[error("no answer in 32 s")]
    Timeout,
    /// The stream broke or could not be opened.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// Our own table of transactions is full.
    #[error("too many requests under way")]
    Overload,
}
