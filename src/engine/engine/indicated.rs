//! What the SIP machine says, handed to its owner: a call's leg, a trunk, the registrar, the guard.
use super::Engine;
use crate::call::{Heard, Input, LegEvent};
use crate::guard::Failure;
use crate::intent::{Chapter, Peer};
use crate::trunks::CLIENT_BIT;
use model::clock::Now;
use model::id::LegId;
use model::media::Digit;
use sip::{Ended, Flow, Indication};

impl Engine {
    /// One indication.
    pub(super) fn indicated(&mut self, now: Now, indication: Indication) {
        match indication {
            Indication::Invite { server, flow, request } => self.invited(now, server, flow, &request),
            Indication::Progress { leg, code, sdp } => {
                self.trunk_heard(now, leg, code);
                self.leg_did(leg, LegEvent::Progress(code, sdp));
            }
            Indication::Answered { leg, sdp, .. } => {
                if self.self_answered(now, leg, &sdp) {
                    return;
                }
                self.trunk_heard(now, leg, 200);
                self.leg_counts(now, leg);
                self.leg_did(leg, LegEvent::Answered(sdp));
            }
            Indication::Refused { leg, code, response, .. } => {
                if self.self_ended(now, leg, Some(code)) {
                    return;
                }
                if let Some(response) = response {
                    self.trunk_heard(now, leg, code);
                    self.outreach_cause(now, leg, &response);
                }
                self.leg_over(now, leg, LegEvent::Refused(code));
            }
            Indication::Acked { leg, sdp } => self.for_call(leg, |leg| Input::Acked(leg, sdp)),
            Indication::Cancelled { leg, .. } => {
                if !self.self_ended(now, leg, None) {
                    self.leg_over(now, leg, LegEvent::Ended);
                }
            }
            Indication::Ended { leg, why } => {
                if !self.self_ended(now, leg, None) {
                    self.leg_lost(now, leg, why);
                    self.leg_over(now, leg, LegEvent::Ended);
                }
            }
            Indication::Reoffer { leg, sdp } => self.for_call(leg, |leg| Input::Reoffer(leg, sdp)),
            Indication::ReofferAnswered { .. } => {}
            Indication::Info { leg, content_type, body } => {
                if let Some(digit) = info_digit(&content_type, &body) {
                    self.for_call(leg, |leg| Input::InfoDigit(leg, digit));
                }
            }
            Indication::Request { server, leg, flow, request } => {
                self.asked(now, server, leg, flow, &request)
            }
            Indication::Response { id, result } if id.0 & CLIENT_BIT != 0 => {
                let mut said = Vec::new();
                self.trunks.answered(now, id, result, &mut said);
                self.trunks_said(now, said);
            }
            Indication::Response { .. } => {}
            Indication::SubscriptionGone { id } => {
                self.subscriptions.remove(&id);
            }
            Indication::Malformed { flow, .. } => self.failed(now, &flow, None, Failure::Strange),
        }
    }

    /// A stream is gone: with it the phones behind it.
    pub(super) fn flow_closed(&mut self, now: Now, flow: Flow) {
        self.sip.flow_closed(now, flow, &mut self.outputs);
        let (changed, records) = self.phones.flow_closed(now, flow);
        self.phones_changed(now, &changed, records);
    }

    fn leg_did(&mut self, leg: LegId, event: LegEvent) {
        self.for_call(leg, |leg| Heard::Leg(leg, event).into());
    }

    /// A party did not hang up, its session died: the journey says how, the record says it instead of "hung up".
    fn leg_lost(&mut self, now: Now, leg: LegId, why: Ended) {
        let Some((kind, cause)) = loss(why) else { return };
        let Some(entry) = self.ledger.leg(leg) else { return };
        let who = match &entry.peer {
            Peer::Phone(number) => number.to_string(),
            Peer::Trunk(name) => name.clone(),
        };
        let call = entry.call;
        self.tell_story(now, call, Chapter::Lost { kind, who, cause });
    }

    pub(super) fn leg_over(&mut self, now: Now, leg: LegId, event: LegEvent) {
        self.for_call(leg, |leg| Heard::Leg(leg, event).into());
        self.leg_ends(now, leg);
    }

    fn for_call(&mut self, leg: LegId, input: impl FnOnce(LegId) -> Input) {
        if let Some(entry) = self.ledger.leg(leg) {
            self.pending.push_back((entry.call, input(leg)));
        }
    }

    /// A carrier said something to a call: it lives, and the code says whether it lets us call.
    fn trunk_heard(&mut self, now: Now, leg: LegId, code: u16) {
        let Some(Peer::Trunk(name)) = self.ledger.leg(leg).map(|e| e.peer.clone()) else { return };
        self.trunk_lives(now, &name);
        let mut said = Vec::new();
        match code {
            // An announcement may come before the refusal.
            ..=199 | 500..=599 => {}
            401 | 403 | 407 => self.trunks.refuses(now, &name, code, &mut said),
            _ => self.trunks.takes(now, &name, &mut said),
        }
        self.trunks_said(now, said);
    }

    /// A carrier gave a sign of life.
    pub(super) fn trunk_lives(&mut self, now: Now, name: &str) {
        let mut said = Vec::new();
        self.trunks.heard(now, name, &mut said);
        self.trunks_said(now, said);
    }
}

/// The step and the cause of a session that died; none for one that the party ended.
fn loss(why: Ended) -> Option<(&'static str, &'static str)> {
    match why {
        Ended::Bye => None,
        Ended::NoAck => Some(("unconfirmed", "answer was never confirmed")),
        Ended::Lost => Some(("lost", "other side lost")),
        Ended::Expired => Some(("expired", "no sign of life from the other side")),
    }
}

/// A key in an INFO: `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (the key alone).
fn info_digit(content_type: &str, body: &[u8]) -> Option<Digit> {
    let text = std::str::from_utf8(body).ok()?;
    let key = match content_type {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?,
        "application/dtmf" => text.trim(),
        _ => return None,
    };
    match key {
        "10" => Digit::try_from('*').ok(),
        "11" => Digit::try_from('#').ok(),
        key => {
            let mut keys = key.chars();
            let digit = keys.next().and_then(|c| Digit::try_from(c).ok());
            digit.filter(|_| keys.next().is_none())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_info_are_read_in_both_forms() {
        let table = [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", Some('5')),
            ("application/dtmf-relay", "signal = * \r\n", Some('*')),
            ("application/dtmf", "#", Some('#')),
            ("application/dtmf", "11", Some('#')),
            ("application/dtmf", "hello", None),
            ("text/plain", "5", None),
        ];
        for (kind, body, expected) in table {
            assert_eq!(info_digit(kind, body.as_bytes()).map(Digit::as_char), expected, "{kind} {body}");
        }
    }
}
