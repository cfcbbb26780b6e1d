//! Every queue between the parts of the box: its length and why, what happens when it is full, and its counter. A queue
//! that does not stand here does not exist. Decides nothing.
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens to one more thing when a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is thrown away and counted; the sender's protocol asks again or does without.
    Drop,
    /// The asker is refused at once and may ask again.
    Refuse,
}

/// A queue's line in the table.
#[derive(Debug)]
pub struct Queue {
    /// Name in status and logs.
    pub name: &'static str,
    /// Most things in it.
    pub length: usize,
    /// What happens to one more.
    pub when_full: WhenFull,
    lost: AtomicU64,
    told: AtomicU64,
}

impl Queue {
    const fn new(name: &'static str, length: usize, when_full: WhenFull) -> Queue {
        Queue { name, length, when_full, lost: AtomicU64::new(0), told: AtomicU64::new(0) }
    }

    /// Counts one thing dropped or refused.
    pub fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Things dropped or refused since this process started.
    #[must_use]
    pub fn lost_count(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Sockets, store, media link, web → engine. 4096 packets of about 1 KiB are 4 MiB and, at 100 µs a packet, 0.4 s of
/// work: longer would answer peers that have given up. SIP datagrams are dropped (peers send again, RFC 3261 timer A/E),
/// web is refused, store and media link wait for room (the engine never waits for them, so this cannot lock).
pub static EVENTS: Queue = Queue::new("events", 4096, WhenFull::Drop);
/// Records the engine's loop holds while the store's own queue (8192) is full: two minutes of a hung disk at 50 calls/s
/// and ten records a call. Beyond it the newest is dropped, counted and alarmed: a call's speech matters more than its
/// journey.
pub static RECORDS: Queue = Queue::new("records", 65_536, WhenFull::Drop);
/// Web → engine: commands waiting for their reply. A person asks a few a second; 256 is a script gone wild.
pub static COMMANDS: Queue = Queue::new("commands", 256, WhenFull::Refuse);
/// Engine → resolver thread: one question a trunk and retry; 64 trunks are supported.
pub static NAMES: Queue = Queue::new("names", 64, WhenFull::Drop);
/// Engine → services outside, for flows: questions asked at once, each on a thread of its own for at most 10 s. Fifty
/// calls a second with a dip of 200 ms each are ten; more is a service that hangs, and flows go on without it.
pub static QUESTIONS: Queue = Queue::new("questions", 64, WhenFull::Refuse);
/// Media → recognisers: utterances listened for at once, each on a thread of its own while a menu waits. 32 callers in menus
/// are a box of 250 calls on a busy morning; more go by keys.
pub static HEARINGS: Queue = Queue::new("hearings", 32, WhenFull::Refuse);
/// Engine → applications outside: calls led by one at once, each with a WebSocket and at most 32 words waiting. A bot talks
/// for a minute or two, so these are 30 to 60 callers a minute; one more goes on at the fallback of its flow.
pub static APPLICATIONS: Queue = Queue::new("applications", 64, WhenFull::Refuse);
/// Engine → reader of lists: one question a campaign at a time; 200 campaigns may be configured. A lost one counts as an
/// answer that is late, and the campaign says so.
pub static HOPPERS: Queue = Queue::new("hoppers", 256, WhenFull::Drop);
/// Role → supervisor: ready, say; beats are made by the thread itself.
pub static REPORTS: Queue = Queue::new("reports", 16, WhenFull::Drop);
/// Supervisor → role: stop, peer.
pub static ORDERS: Queue = Queue::new("orders", 16, WhenFull::Drop);
/// Health → disk and receivers: alarms that began or ended. Every check of the box at once would be 400.
pub static ALARMS: Queue = Queue::new("alarms", 512, WhenFull::Drop);
/// Log lines waiting for standard error: at 200 bytes a line 400 KiB. Lost lines are counted and told.
pub static LOG: Queue = Queue::new("log", 2048, WhenFull::Drop);

/// Says which queues have thrown things away since the last time. Called now and then by a thread that may wait.
pub fn tell_lost() {
    for queue in ALL {
        let lost = queue.lost_count();
        let told = queue.told.swap(lost, Ordering::Relaxed);
        if lost > told {
            let what = match queue.when_full {
                WhenFull::Drop => "dropped",
                WhenFull::Refuse => "refused",
            };
            tracing::warn!(
                queue = queue.name,
                length = queue.length,
                count = lost - told,
                "queue full: {what}"
            );
        }
    }
}

/// All of them.
pub static ALL: [&Queue; 12] = [
    &EVENTS,
    &RECORDS,
    &COMMANDS,
    &NAMES,
    &HOPPERS,
    &QUESTIONS,
    &HEARINGS,
    &APPLICATIONS,
    &REPORTS,
    &ORDERS,
    &LOG,
    &ALARMS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_bounded_and_named_once() {
        let mut names: Vec<_> = ALL.iter().map(|q| q.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|q| q.length > 0 && q.length <= 65_536));
    }

    #[test]
    fn what_is_lost_is_counted() {
        let queue = Queue::new("test", 1, WhenFull::Drop);
        queue.lost();
        assert_eq!(queue.lost_count(), 1);
    }
}
