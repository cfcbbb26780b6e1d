//! Our half of one INVITE session, in its three stages. Data; caller.rs, callee.rs and inside.rs move it.
use super::Hop;
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::indication::ServerId;
use crate::message::Request;
use crate::outgoing::Outgoing;
use crate::reliable::{RAck, Saying};
use crate::session_timer::SessionTimer;
use crate::transaction::ClientKey;
use std::sync::Arc;

/// Headers for a CANCEL or BYE that must wait.
pub(super) type Parting = Vec<(String, String)>;

/// One leg.
#[derive(Debug)]
pub(super) struct Leg {
    /// Our tag: the key in the table of dialogs.
    pub(super) tag: String,
    pub(super) stage: Stage,
    /// The caller of the API hung up: whatever still happens is not told.
    pub(super) silent: bool,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE has no final answer.
    Calling(Box<Calling>),
    /// Their INVITE waits for our final answer.
    Ringing(Box<Ringing>),
    /// Answered.
    Up(Box<Up>),
}

#[derive(Debug)]
pub(super) struct Calling {
    pub(super) key: ClientKey,
    pub(super) outgoing: Outgoing,
    pub(super) hop: Hop,
    /// CANCEL may be sent (RFC 3261 section 9.1).
    pub(super) heard: bool,
    /// CANCEL as soon as it may be sent.
    pub(super) parting: Option<Parting>,
    /// The interval a 422 made us ask for, and how often one did.
    pub(super) interval: u32,
    pub(super) raises: u8,
    /// Callees that answered reliably; one unless the call was forked.
    pub(super) early: Vec<Early>,
}

/// A callee that answered reliably and has not taken the call.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The number of its last answer, and how many there were.
    pub(super) number: Option<u32>,
    pub(super) heard: u16,
    /// Its SDP; empty while it sent none.
    pub(super) sdp: Vec<u8>,
    /// Its UPDATE with an offer, which waits for our answer.
    pub(super) offer: Option<(ServerId, Vec<u8>)>,
    /// Its SDP came in such an offer: what a 2xx repeats is older.
    pub(super) changed: bool,
}

#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) server: ServerId,
    pub(super) request: Arc<Request>,
    /// Where the INVITE came from.
    pub(super) flow: Flow,
    pub(super) contact: String,
    /// What the caller must confirm, when it requires that.
    pub(super) saying: Option<Box<Saying>>,
}

#[derive(Debug)]
pub(super) struct Up {
    pub(super) dialog: Dialog,
    /// Whether the Call-ID is ours: decides how long we wait after a glare.
    pub(super) ours: bool,
    /// Our 2xx that waits for its ACK, and the INVITE's number.
    pub(super) unacked: Option<(ServerId, u32)>,
    pub(super) offer: Offer,
    /// An offer that waits until the way is free.
    pub(super) queued: Option<Vec<u8>>,
    /// BYE as soon as the ACK is here (RFC 3261 section 15).
    pub(super) parting: Option<Parting>,
    /// A provisional answer that was not confirmed when the call was taken.
    pub(super) unconfirmed: Option<RAck>,
    /// The session timer, when both sides agreed on one.
    pub(super) timer: Option<Box<SessionTimer>>,
}

/// Who is changing the session.
#[derive(Debug)]
pub(super) enum Offer {
    /// Nobody.
    Idle,
    /// Our re-INVITE is under way.
    Ours { outgoing: Box<Outgoing>, tries: u8 },
    /// Our re-INVITE met theirs; tried again when the timer fires.
    Glare { sdp: Vec<u8>, tries: u8 },
    /// Theirs waits for our answer.
    Theirs { server: ServerId, number: u32, update: bool },
}

impl Calling {
    pub(super) fn new(key: ClientKey, outgoing: Outgoing, hop: Hop) -> Calling {
        Calling { key, outgoing, hop, heard: false, parting: None, interval: 0, raises: 0, early: Vec::new() }
    }
}

impl Up {
    pub(super) fn new(dialog: Dialog, ours: bool) -> Up {
        Up {
            dialog,
            ours,
            unacked: None,
            offer: Offer::Idle,
            queued: None,
            parting: None,
            unconfirmed: None,
            timer: None,
        }
    }

    /// Whether no offer of ours is under way or waits.
    pub(super) fn offers_nothing(&self) -> bool {
        let idle = match self.offer {
            Offer::Idle | Offer::Theirs { .. } => true,
            Offer::Ours { .. } | Offer::Glare { .. } => false,
        };
        idle && self.queued.is_none()
    }

    /// The lines that renew the interval of the session timer, if there is one.
    pub(super) fn session_lines(&self) -> Vec<(String, String)> {
        self.timer.as_ref().map(|t| t.lines()).unwrap_or_default()
    }

    /// Whether a re-INVITE of ours may start now.
    pub(super) fn is_free(&self) -> bool {
        matches!(self.offer, Offer::Idle) && self.unacked.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What session timers and reliable provisional answers may add to a leg that uses neither.
    const BYTES_MAX: usize = 32;

    #[test]
    fn who_uses_neither_pays_for_neither() {
        let up = std::mem::size_of::<Option<Box<SessionTimer>>>() + std::mem::size_of::<Option<RAck>>();
        let ringing = std::mem::size_of::<Option<Box<Saying>>>();
        let calling = std::mem::size_of::<Vec<Early>>() + std::mem::size_of::<(u32, u8)>();
        assert!(up.max(ringing).max(calling) <= BYTES_MAX, "{up} {ringing} {calling}");
        assert_eq!(Vec::<Early>::new().capacity(), 0);
    }
}
