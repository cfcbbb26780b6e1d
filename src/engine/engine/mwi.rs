//! Message lamps: subscriptions of phones to `message-summary` (RFC 3842), and the NOTIFYs when a mailbox changes.
use super::Engine;
use model::clock::Now;
use model::number::Number;
use sip::Uri;
use sip::indication::{ServerId, SubscriptionId};

/// Subscriptions of one mailbox: phones at once, and some that were forgotten by a reboot and run out.
const PER_MAILBOX_MAX: usize = 40;
/// Longest subscription, seconds.
const EXPIRES_MAX: u32 = 3600;

impl Engine {
    /// A phone wants to know of its mailbox. `false`: it has too many subscriptions.
    pub(super) fn subscribe(&mut self, now: Now, server: ServerId, mailbox: &Number, expires_s: u32) -> bool {
        if self.subscriptions.values().filter(|m| *m == mailbox).count() >= PER_MAILBOX_MAX {
            return false;
        }
        let id = SubscriptionId(self.ids.other());
        let contact = Uri::at(Some(mailbox.as_str()), self.address);
        if self.sip.subscribe(now, server, id, contact, expires_s.min(EXPIRES_MAX), &mut self.outputs) {
            self.subscriptions.insert(id, mailbox.clone());
            self.notify(now, id, mailbox);
        }
        true
    }

    /// A mailbox changed: every lamp of it is told.
    pub(crate) fn lamp(&mut self, now: Now, mailbox: &Number) {
        let ids: Vec<SubscriptionId> =
            self.subscriptions.iter().filter(|(_, m)| *m == mailbox).map(|(id, _)| *id).collect();
        for id in ids {
            self.notify(now, id, mailbox);
        }
    }

    fn notify(&mut self, now: Now, id: SubscriptionId, mailbox: &Number) {
        let view = self.mailboxes.view(mailbox);
        let waiting = if view.new > 0 { "yes" } else { "no" };
        let account = Uri::at(Some(mailbox.as_str()), self.address);
        let body = format!(
            "Messages-Waiting: {waiting}\r\nMessage-Account: {}\r\nVoice-Message: {}/{} (0/0)\r\n",
            account.as_str(),
            view.new,
            view.old
        );
        let kind = "application/simple-message-summary";
        self.sip.notify(now, id, kind, body.as_bytes(), &mut self.outputs);
    }
}
