//! Message lamps: subscriptions of phones to `message-summary` (RFC 3842), and the NOTIFYs when a mailbox changes.
use super::Engine;
use model::clock::Now;
use model::number::Number;
use sip::Uri;
use sip::indication::{ServerId, SubscriptionId};

/// Subscriptions of one extension: phones at once, and some that were forgotten by a reboot and run out.
const PER_PHONE_MAX: usize = 40;
/// Longest subscription, seconds.
const EXPIRES_MAX: u32 = 3600;

impl Engine {
    /// A phone wants to know of the mailbox of whoever it serves. `false`: it has too many subscriptions.
    pub(super) fn subscribe(&mut self, now: Now, server: ServerId, phone: &Number, expires_s: u32) -> bool {
        if self.subscriptions.values().filter(|p| *p == phone).count() >= PER_PHONE_MAX {
            return false;
        }
        let id = SubscriptionId(self.ids.other());
        let contact = Uri::at(Some(phone.as_str()), self.address);
        if self.sip.subscribe(now, server, id, contact, expires_s.min(EXPIRES_MAX), &mut self.outputs) {
            self.subscriptions.insert(id, phone.clone());
            self.notify(now, id, phone);
        }
        true
    }

    /// A mailbox changed: every lamp of it is told.
    pub(crate) fn lamp(&mut self, now: Now, mailbox: &Number) {
        if let Some(phone) = self.phones.seats.rings(mailbox).cloned() {
            self.lamp_of_phone(now, &phone);
        }
    }

    /// The lamp of a phone shows the mailbox of whoever it serves now.
    pub(super) fn lamp_of_phone(&mut self, now: Now, phone: &Number) {
        let ids: Vec<SubscriptionId> =
            self.subscriptions.iter().filter(|(_, p)| *p == phone).map(|(id, _)| *id).collect();
        for id in ids {
            self.notify(now, id, phone);
        }
    }

    /// A phone that serves nobody has no messages.
    fn notify(&mut self, now: Now, id: SubscriptionId, phone: &Number) {
        let mailbox = self.phones.seats.serves(&self.config, phone);
        let view = mailbox.as_ref().map(|m| self.mailboxes.view(m));
        let (new, old) = view.map_or((0, 0), |view| (view.new, view.old));
        let waiting = if new > 0 { "yes" } else { "no" };
        let account = Uri::at(Some(mailbox.as_ref().unwrap_or(phone).as_str()), self.address);
        let body = format!(
            "Messages-Waiting: {waiting}\r\nMessage-Account: {}\r\nVoice-Message: {new}/{old} (0/0)\r\n",
            account.as_str(),
        );
        let kind = "application/simple-message-summary";
        self.sip.notify(now, id, kind, body.as_bytes(), &mut self.outputs);
    }
}
