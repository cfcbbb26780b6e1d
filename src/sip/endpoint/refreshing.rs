//! Session timers of answered sessions (RFC 4028): agreed on in every 2xx to INVITE and UPDATE, refreshed at half of the
//! interval, ended with BYE when no refresh came through in time. A refresh is an UPDATE without an offer when the peer
//! takes UPDATE, because it cannot meet an offer of the peer; else a re-INVITE that repeats our SDP. We never ask for a
//! timer by ourselves: that a party is gone shows in its sound, and a timer costs both sides messages.
use super::{Deadline, Endpoint, User};
use crate::headers::Headers;
use crate::indication::{Ended, Output};
use crate::message::Response;
use crate::method::Method;
use crate::name::Name;
use crate::outgoing::Outgoing;
use crate::session_timer::{self, Deal, Refresher, SessionTimer};
use model::clock::Now;
use model::id::LegId;
use std::time::Duration;

/// Reason of the BYE that ends a session nobody refreshed.
const REASON: &str = "SIP;cause=408;text=\"session timer ran out\"";

/// A refresh with a longer interval is sent this much after the 422 that asks for it, so that a peer cannot drive us in
/// circles at the speed of the line.
const RAISED_AFTER: Duration = Duration::from_secs(1);

impl Endpoint {
    /// A 2xx to an INVITE or UPDATE: its interval runs from now, or none does. `we` is our side of that transaction,
    /// `theirs` the headers of the peer's message, `sdp` ours when the transaction carried any.
    pub(super) fn session_runs(
        &mut self,
        now: Now,
        id: LegId,
        deal: Option<Deal>,
        we: Refresher,
        theirs: &Headers,
        sdp: Option<&[u8]>,
    ) {
        let Some(up) = self.up(id) else { return };
        let Some(deal) = deal else {
            if up.timer.take().is_some() {
                self.timers.stop(Deadline::Session(id));
            }
            return;
        };
        let (knew, said) = up.timer.take().map_or((false, Box::default()), |t| (t.update, t.sdp));
        let update = session_timer::takes_update(theirs).unwrap_or(knew);
        let sdp = sdp.map_or(said, Into::into);
        let timer = SessionTimer::new(now.mono, deal, deal.refresher == we, update, sdp);
        let first = timer.first();
        up.timer = Some(Box::new(timer));
        self.timers.set(Deadline::Session(id), first);
    }

    /// The time has come to refresh a session, or to give it up.
    pub(super) fn session_due(&mut self, now: Now, id: LegId, out: &mut Vec<Output>) {
        let Some(up) = self.up(id) else { return };
        let Some(timer) = up.timer.as_ref() else { return };
        let over = timer.over();
        if now.mono >= over {
            let parting = vec![(Name::Reason.as_str().to_owned(), REASON.to_owned())];
            return self.end(now, id, Ended::Expired, parting, out);
        }
        if timer.update || timer.sdp.is_empty() {
            let lines = timer.lines();
            let outgoing = up.dialog.request(Method::Update, lines, "", Vec::new());
            self.send(now, outgoing, |o| User::Refresh(id, Box::new(o)), out);
        } else if up.offers_nothing() {
            let sdp = timer.sdp.to_vec();
            self.reoffer(now, id, sdp, out);
        }
        // An offer of ours that is under way refreshes as well. Whatever becomes of it, this is the last moment.
        self.timers.set(Deadline::Session(id), over);
    }

    /// The answer to an UPDATE that refreshes.
    pub(super) fn refresh_answered(
        &mut self,
        now: Now,
        id: LegId,
        mut outgoing: Outgoing,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let Some(up) = self.up(id) else { return };
        match response.code() {
            200..300 => {
                up.dialog.refresh(response.contacts().next().map(|c| c.uri), None);
                up.dialog.login = outgoing.login;
                let deal = session_timer::agreed_by(response.headers());
                self.session_runs(now, id, deal, Refresher::Uac, response.headers(), None);
            }
            401 | 407 if outgoing.challenged(response) => {
                up.dialog.used(outgoing.cseq);
                self.send(now, outgoing, |o| User::Refresh(id, Box::new(o)), out);
            }
            408 | 481 => self.session_lost(now, id, out),
            405 | 501 => {
                if let Some(timer) = up.timer.as_mut().filter(|t| t.update && !t.sdp.is_empty()) {
                    timer.update = false;
                    self.session_due(now, id, out);
                }
            }
            422 if self.raised(id, response) => {
                self.timers.set(Deadline::Session(id), now.mono + RAISED_AFTER);
            }
            _ => self.refresh_failed(now, id),
        }
    }

    /// The peer asks for a longer interval (422); false when it asks for no more than it was offered.
    pub(super) fn raised(&mut self, id: LegId, response: &Response) -> bool {
        let timer = self.up(id).and_then(|up| up.timer.as_mut());
        timer.is_some_and(|t| t.raise(session_timer::least(response.headers())))
    }

    /// A refresh was refused: another try while there is time.
    pub(super) fn refresh_failed(&mut self, now: Now, id: LegId) {
        if let Some(timer) = self.up(id).and_then(|up| up.timer.as_ref()).filter(|t| t.ours) {
            let again = timer.again(now.mono);
            self.timers.set(Deadline::Session(id), again);
        }
    }
}
