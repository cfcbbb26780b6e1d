//! Keeps an eye on the disk: says in the log, to the open pages and in the event log when it fails and when it heals, and
//! gives recordings that a crash cut off their length. On a thread that may wait for the disk. Decides nothing.
use crate::clock;
use model::id::Ticket;
use model::notice::Notice;
use model::record::{NoteRecord, Record};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use web::live::hub::Inbox;

/// How often the store is asked how it is.
const EVERY: Duration = Duration::from_secs(1);

/// What is asked of the thread by others.
#[derive(Debug, Default)]
pub struct DiskWatch {
    /// Media has just connected: recordings of a dead media process have their final length now.
    pub settle: AtomicBool,
}

impl DiskWatch {
    /// Runs until `stop`.
    pub fn run(&self, store: &Arc<Store>, inbox: &Inbox, stop: &AtomicBool) {
        let mut failing = false;
        while !stop.load(Ordering::Relaxed) {
            if self.settle.swap(false, Ordering::Relaxed) {
                settle(store);
            }
            let suspect = store.health().suspect.load(Ordering::Relaxed);
            if suspect != failing {
                failing = suspect;
                tell(store, inbox, if suspect { failed(&store.health().trouble()) } else { healed() });
            }
            std::thread::sleep(EVERY);
        }
    }
}

fn settle(store: &Store) {
    match store.settle_recordings() {
        Ok(settled) if settled.is_empty() => {}
        Ok(settled) => {
            tracing::warn!(count = settled.len(), "recordings cut off by a crash have their length now")
        }
        Err(error) => tracing::warn!(%error, "recordings cut off by a crash cannot be looked at"),
    }
}

fn tell(store: &Store, inbox: &Inbox, note: NoteRecord) {
    // The pages hear at once; the record waits with the others until the disk writes again.
    inbox.put(Notice::Note(note.clone()));
    if store.keep(Ticket(0), Record::Note(note)).is_err() {
        tracing::warn!("the event log takes no note of the disk: its queue is full");
    }
}

fn failed(why: &str) -> NoteRecord {
    note(
        "alarm",
        "disk_failed",
        format!("The disk does not write: {why}. Calls go on; nothing is confirmed until it does."),
    )
}

fn healed() -> NoteRecord {
    note("info", "disk_ok", "The disk writes again; what waited is kept.".into())
}

fn note(level: &str, kind: &str, text: String) -> NoteRecord {
    NoteRecord { at: clock::wall(), level: level.into(), kind: kind.into(), subject: "disk".into(), text }
}
