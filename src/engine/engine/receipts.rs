//! The store's receipts: what waited for a record to be on the disk goes on. A call hears of it; a phone that registered
//! gets its 200. Never waits for a disk that hangs: a phone that may not register cannot call.
use super::Engine;
use crate::call::Heard;
use crate::effect::Effect;
use crate::timers::Reason;
use model::clock::Now;
use model::id::{CallId, Ticket};
use model::refusal::Refusal;
use sip::endpoint::Reply;
use sip::indication::ServerId;
use std::time::Duration;

/// Longest wait of a phone for a slow disk. The phone has asked again once by then (RFC 3261 timer E); beyond it, being
/// able to call counts for more than surviving a restart, and the store has told that the disk fails.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

/// Longest wait of somebody who ordered something: then the answer is that the disk failed.
const ORDER_PATIENCE: Duration = Duration::from_secs(5);

/// Who waits for a record.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A call.
    Call(CallId),
    /// A campaign, to dial what stands in it.
    Attempt(CallId),
    /// A peer, for its answer. Its transaction is one of a limited number, and so are these.
    Answer(ServerId, Box<Reply>),
    /// Who ordered something, for the reply.
    Order(Ticket),
}

impl Engine {
    /// These records are on the disk.
    pub(super) fn stored(&mut self, now: Now, tickets: &[Ticket]) {
        for ticket in tickets {
            match self.awaited.remove(ticket) {
                Some(Waiting::Call(call)) => self.hears(call, Heard::Stored),
                Some(Waiting::Attempt(call)) => self.attempt_stored(now, call),
                Some(Waiting::Answer(server, reply)) => {
                    self.timers.cancel(&Reason::Receipt(*ticket));
                    self.sip.respond(now, server, *reply, &mut self.outputs);
                }
                Some(Waiting::Order(order)) => {
                    self.timers.cancel(&Reason::Receipt(*ticket));
                    self.effects.push(Effect::Reply { ticket: order, reply: Ok(()) });
                }
                None => {}
            }
        }
    }

    /// The disk took too long: a phone is answered all the same, who ordered something hears of it.
    pub(super) fn receipt_is_late(&mut self, now: Now, ticket: Ticket) {
        match self.awaited.get(&ticket) {
            Some(Waiting::Order(order)) => {
                let reply = Err(Refusal::Unavailable);
                self.effects.push(Effect::Reply { ticket: *order, reply });
                self.awaited.remove(&ticket);
            }
            Some(Waiting::Answer(..) | Waiting::Call(_) | Waiting::Attempt(_)) | None => {
                self.stored(now, &[ticket]);
            }
        }
    }

    /// Replies to an order when the record, which nobody else waits for, is on the disk.
    pub(super) fn reply_after(&mut self, now: Now, ticket: Ticket, order: Ticket) {
        self.timers.set(Reason::Receipt(ticket), now.mono + ORDER_PATIENCE);
        self.awaited.insert(ticket, Waiting::Order(order));
    }

    /// Answers when the record is on the disk, or the disk takes too long.
    pub(super) fn answer_after(&mut self, now: Now, ticket: Ticket, server: ServerId, reply: Reply) {
        self.timers.set(Reason::Receipt(ticket), now.mono + DISK_PATIENCE);
        self.awaited.insert(ticket, Waiting::Answer(server, Box::new(reply)));
    }
}
