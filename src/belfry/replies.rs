//! Who waits for an answer of the engine: one slot a question, bounded. Decides nothing.
use crate::wire;
use model::command::Reply;
use model::id::Ticket;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The waiting ones.
#[derive(Debug, Default)]
pub struct Replies {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
}

impl Replies {
    /// A ticket for a question and where its answer will be; `None` when too many wait already.
    #[must_use]
    pub fn expect(&self) -> Option<(Ticket, oneshot::Receiver<Reply>)> {
        let mut waiting = self.lock();
        if waiting.len() >= wire::COMMANDS.length {
            // Those who stopped waiting (time-out, closed browser) make room first.
            waiting.retain(|_, asker| !asker.is_closed());
        }
        if waiting.len() >= wire::COMMANDS.length {
            wire::COMMANDS.lost();
            return None;
        }
        let ticket = Ticket(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let (answer, receiver) = oneshot::channel();
        waiting.insert(ticket.0, answer);
        Some((ticket, receiver))
    }

    /// Gives the answer to whoever waits; nobody may.
    pub fn answer(&self, ticket: Ticket, reply: Reply) {
        let asker = self.lock().remove(&ticket.0);
        if let Some(asker) = asker {
            // It gave up meanwhile.
            let _ = asker.send(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_reaches_the_one_who_asked() {
        let replies = Replies::default();
        let (first, mut one) = replies.expect().unwrap();
        let (second, mut two) = replies.expect().unwrap();
        replies.answer(second, Err(model::refusal::Refusal::Busy));
        replies.answer(first, Ok(()));
        assert_eq!(one.try_recv(), Ok(Ok(())));
        assert_eq!(two.try_recv(), Ok(Err(model::refusal::Refusal::Busy)));
    }

    #[test]
    fn one_too_many_is_refused_until_somebody_gives_up() {
        let replies = Replies::default();
        let mut held: Vec<_> = (0..wire::COMMANDS.length).map(|_| replies.expect().unwrap()).collect();
        assert!(replies.expect().is_none());
        held.pop();
        assert!(replies.expect().is_some());
    }
}
