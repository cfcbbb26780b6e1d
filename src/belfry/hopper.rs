//! Reads the next entries of campaigns from the disk, on a thread that may wait for it: the engine never does. A question that
//! finds the queue full is answered with nothing; the campaign asks again.
use crate::clock;
use crate::wire;
use model::campaign::{Entry, HopperQuery};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use store::Store;

/// How often the loop shows that it lives.
const IDLE: Duration = Duration::from_millis(400);

struct Question {
    campaign: String,
    query: HopperQuery,
}

/// Asks; held by the engine's loop.
pub struct Hoppers(SyncSender<Question>);

/// The loop behind it.
pub struct HopperLoop {
    questions: Receiver<Question>,
    store: Arc<Store>,
}

impl Hoppers {
    /// The asking end, and the loop to be run on a thread.
    #[must_use]
    pub fn new(store: Arc<Store>) -> (Hoppers, HopperLoop) {
        let (ask, questions) = sync_channel(wire::HOPPERS.length);
        (Hoppers(ask), HopperLoop { questions, store })
    }

    /// Asks; false when too many wait.
    #[must_use]
    pub fn ask(&self, campaign: String, query: HopperQuery) -> bool {
        self.0.try_send(Question { campaign, query }).is_ok()
    }
}

impl HopperLoop {
    /// Runs until nobody can ask any more.
    pub fn run(self, beat: &AtomicU64, answer: impl Fn(String, Vec<Entry>)) {
        loop {
            beat.fetch_add(1, Ordering::Relaxed);
            match self.questions.recv_timeout(IDLE) {
                Ok(question) => {
                    let found = self.store.reader().hopper(&question.query, clock::wall());
                    // No answer at all while the disk fails: the campaign sees that its data is stale.
                    match found {
                        Ok(entries) => answer(question.campaign, entries),
                        Err(error) => tracing::warn!(%error, "the lists cannot be read"),
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
