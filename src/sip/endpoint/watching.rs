//! Subscriptions of peers: accepted, refreshed, told of changes, ended. At most one NOTIFY is under way for each; of the
//! states that wait only the newest is sent. Knows nothing of what is watched.
use super::{Deadline, Endpoint, Owner, User};
use crate::answer::Answer;
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::indication::{Indication, Output, ServerId, SubscriptionId};
use crate::limits::{SUBSCRIPTION_S_MAX, SUBSCRIPTIONS_MAX};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name::Name;
use crate::subscription::Subscription;
use crate::uri::Uri;
use model::clock::Now;
use std::sync::Arc;
use std::time::Duration;

impl Endpoint {
    /// Accepts a SUBSCRIBE for `expires_s` seconds (at most an hour). Follow with `notify` at once: RFC 6665 wants the
    /// state told in any case. False: it could not be accepted (503 was said, or the request is gone).
    pub fn subscribe(
        &mut self,
        now: Now,
        server: ServerId,
        id: SubscriptionId,
        contact: Uri,
        expires_s: u32,
        out: &mut Vec<Output>,
    ) -> bool {
        let waiting =
            self.table.server(server).and_then(|s| Some((s.request.clone()?, s.tag.to_string(), s.source)));
        let Some((request, tag, flow)) = waiting else { return false };
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX || self.subscriptions.contains_key(&id) {
            self.say(now, server, Answer { code: 503, ..Answer::default() }, out);
            return false;
        }
        let expires_s = expires_s.min(SUBSCRIPTION_S_MAX);
        let contact = format!("<{contact}>");
        let dialog = Dialog::of_request(&request, &tag, flow, contact.clone());
        let event = request.headers().first(Name::Event).unwrap_or_default().to_owned();
        let expires_at = now.mono + Duration::from_secs(u64::from(expires_s));
        self.owners.insert(tag.clone(), Owner::Subscription(id));
        self.timers.set(Deadline::Expiry(id), expires_at);
        self.subscriptions.insert(
            id,
            Subscription { tag, dialog, event, expires_at, state: None, busy: false, again: false },
        );
        self.say_expires(now, server, &contact, expires_s, out);
        true
    }

    fn say_expires(
        &mut self,
        now: Now,
        server: ServerId,
        contact: &str,
        expires_s: u32,
        out: &mut Vec<Output>,
    ) {
        let headers = [(Name::Expires.as_str().to_owned(), expires_s.to_string())];
        self.say(
            now,
            server,
            Answer { code: 200, contact: Some(contact), headers: &headers, ..Answer::default() },
            out,
        );
    }

    /// Tells the new state.
    pub fn notify(
        &mut self,
        now: Now,
        id: SubscriptionId,
        content_type: &str,
        body: &[u8],
        out: &mut Vec<Output>,
    ) {
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.state = Some((content_type.to_owned(), body.to_vec()));
            self.send_notify(now, id, out);
        }
    }

    /// Ends a subscription from our side (the mailbox is gone).
    pub fn end_subscription(&mut self, now: Now, id: SubscriptionId, out: &mut Vec<Output>) {
        self.last_notify(now, id, "noresource", out);
    }

    fn send_notify(&mut self, now: Now, id: SubscriptionId, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.again = subscription.busy;
        if subscription.busy {
            return;
        }
        subscription.busy = true;
        let state = subscription.active(now.mono);
        let outgoing = subscription.write(state);
        self.send(now, outgoing, |_| User::Notify(id), out);
    }

    /// The NOTIFY that ends it; the subscription is gone.
    fn last_notify(&mut self, now: Now, id: SubscriptionId, reason: &str, out: &mut Vec<Output>) {
        let Some(mut subscription) = self.forget_subscription(id) else { return };
        let outgoing = subscription.write(format!("terminated;reason={reason}"));
        self.send(now, outgoing, |_| User::Nobody, out);
    }

    fn forget_subscription(&mut self, id: SubscriptionId) -> Option<Subscription> {
        let subscription = self.subscriptions.remove(&id)?;
        self.owners.remove(&subscription.tag);
        self.timers.stop(Deadline::Expiry(id));
        Some(subscription)
    }

    pub(super) fn subscription_ran_out(&mut self, now: Now, id: SubscriptionId, out: &mut Vec<Output>) {
        self.last_notify(now, id, "timeout", out);
        out.push(Output::Indicate(Indication::SubscriptionGone { id }));
    }

    pub(super) fn subscription_gone(&mut self, id: SubscriptionId, out: &mut Vec<Output>) {
        if self.forget_subscription(id).is_some() {
            out.push(Output::Indicate(Indication::SubscriptionGone { id }));
        }
    }

    pub(super) fn notify_answered(
        &mut self,
        now: Now,
        id: SubscriptionId,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.busy = false;
        let again = subscription.again;
        match response.code() {
            // Trouble that passes; the next change is told again.
            ..300 | 491 | 500 | 503 => {}
            _ => return self.subscription_gone(id, out),
        }
        if again {
            self.send_notify(now, id, out);
        }
    }

    /// A request inside a subscription's dialog: SUBSCRIBE refreshes or ends it.
    pub(super) fn subscription_in(
        &mut self,
        now: Now,
        flow: Flow,
        id: SubscriptionId,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let request = Arc::new(request);
        let own = self.table.open(now, &self.ids, flow, request.clone(), out);
        let known = self.subscriptions.get_mut(&id).filter(|s| s.dialog.owns(&request));
        let Some(subscription) = known.filter(|_| request.method == Method::Subscribe) else {
            return self.say(now, own, Answer { code: 481, ..Answer::default() }, out);
        };
        if !subscription.dialog.takes(request.cseq().number) {
            return self.say_later(now, own, out);
        }
        let expires_s = request.expires().unwrap_or(SUBSCRIPTION_S_MAX).min(SUBSCRIPTION_S_MAX);
        subscription.dialog.refresh(request.contacts().next().map(|c| c.uri), Some(flow));
        subscription.expires_at = now.mono + Duration::from_secs(u64::from(expires_s));
        let (contact, at) = (subscription.dialog.contact.clone(), subscription.expires_at);
        self.say_expires(now, own, &contact, expires_s, out);
        if expires_s == 0 {
            self.last_notify(now, id, "timeout", out);
            out.push(Output::Indicate(Indication::SubscriptionGone { id }));
        } else {
            self.timers.set(Deadline::Expiry(id), at);
            self.send_notify(now, id, out);
        }
    }
}

impl Subscription {
    fn write(&mut self, state: String) -> crate::outgoing::Outgoing {
        let headers = vec![
            (Name::Event.as_str().to_owned(), self.event.clone()),
            (Name::SubscriptionState.as_str().to_owned(), state),
        ];
        let (content_type, body) = self.state.clone().unwrap_or_default();
        self.dialog.request(Method::Notify, headers, &content_type, body)
    }
}
