//! SQLite and files; the only crate on the data partition. One thread writes, in batches, and confirms a record only
//! when it is on the disk ([`writer`]); anybody may read at any time ([`Reader`]); the configuration is kept as
//! generations; sound files are written by the media process through [`spool`]. Decides nothing about calls.
mod alarm;
mod apply;
pub mod backup;
mod boot;
mod config;
mod contacts;
mod fault;
mod housekeeping;
pub mod lists;
mod mail;
pub mod migrate;
pub mod newer;
pub mod offline;
mod outbound;
mod past;
mod prompts;
mod pulse;
mod reader;
mod reports;
pub mod reset;
mod retention;
mod retime;
mod row;
mod schema;
pub mod spool;
mod unfinished;
mod users;
mod vault;
mod writer;

pub use alarm::{AlarmRow, Telling, Told, Way, next_attempt};
pub use boot::BootState;
pub use config::{CommitRefusal, Committed, finish};
pub use fault::Fault;
pub use lists::NoList;
pub use mail::{MailJob, MailResult};
pub use reader::Reader;
pub use writer::Health;

use model::id::{RecordingId, Ticket};
use model::record::Record;
use pulse::Pulse;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use writer::{Broken, Due, Job, Writer};

/// How often somebody who waits looks whether the disk fails.
const LOOK: Duration = Duration::from_millis(20);

/// How a store is opened.
pub struct Options {
    /// The data folder; made, for its owner only, when it is not there.
    pub dir: PathBuf,
    /// Raised by the writing thread at least twice a second, and at least after each batch.
    pub beat: Arc<AtomicU64>,
    /// Called on the writing thread with the tickets that are on the disk now, in the order kept. Must not block.
    pub on_stored: Box<dyn Fn(Vec<Ticket>) + Send>,
}

/// The queue of the writer is full, or the store is closed: the record comes back to whoever has to decide.
#[derive(Debug)]
pub struct Full {
    /// Its ticket.
    pub ticket: Ticket,
    /// The record.
    pub record: Box<Record>,
}

/// A handle on the open store; cheap to clone, may be used from any thread. The data folder is held until the last
/// handle is gone or [`Store::close`] was called.
#[derive(Clone)]
pub struct Store {
    jobs: SyncSender<Job>,
    reader: Reader,
    health: Arc<Health>,
    closing: Arc<AtomicBool>,
    due: Arc<Due>,
    writer: Thread,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// Held while the configuration's copy is written.
    copying: Arc<Mutex<()>>,
}

impl Store {
    /// Opens the data folder: brings the schema up to date, closes what a crash left open, gives back what the engine
    /// needs to start, and starts the writing thread. A damaged database is set aside under a clear name
    /// ([`BootState::set_aside`]) and a fresh one begun.
    ///
    /// # Errors
    /// `File`, `Database`: the disk. `InUse`: another process has the folder. `Newer`: the database was made by a newer
    /// program and has no way back.
    pub fn open(options: Options) -> Result<(Store, BootState), Fault> {
        let (db, lock, state) = boot::open(&options.dir, writer::now())?;
        let (jobs, queue) = sync_channel(writer::QUEUE);
        let health = Arc::new(Health::default());
        let closing = Arc::new(AtomicBool::new(false));
        let due = Arc::new(Due::new());
        let writer = Writer {
            dir: options.dir.clone(),
            jobs: queue,
            on_stored: options.on_stored,
            beat: options.beat,
            health: Arc::clone(&health),
            closing: Arc::clone(&closing),
            due: Arc::clone(&due),
            db: Some(db),
            pulse: Pulse::new(&options.dir),
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            writer.run();
            drop(lock);
        });
        let thread = thread.map_err(Fault::file(&options.dir))?;
        Ok((
            Store {
                jobs,
                reader: Reader::new(&options.dir),
                health,
                closing,
                due,
                writer: thread.thread().clone(),
                thread: Arc::new(Mutex::new(Some(thread))),
                copying: Arc::default(),
            },
            state,
        ))
    }

    /// Hands a record to the writer. Never blocks; its ticket comes back through `on_stored` once it is on the disk.
    ///
    /// # Errors
    /// `Full`: the queue holds as many as it can, because the disk fails or is far too slow.
    pub fn keep(&self, ticket: Ticket, record: Record) -> Result<(), Full> {
        self.health.waiting.fetch_add(1, Ordering::Relaxed);
        let patience = writer::patience(&record);
        let Err(error) = self.jobs.try_send(Job::Keep(ticket, Box::new(record))) else {
            self.hurry(patience);
            return Ok(());
        };
        self.health.waiting.fetch_sub(1, Ordering::Relaxed);
        self.health.full.fetch_add(1, Ordering::Relaxed);
        match error {
            TrySendError::Full(Job::Keep(ticket, record))
            | TrySendError::Disconnected(Job::Keep(ticket, record)) => Err(Full { ticket, record }),
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Ok(()),
        }
    }

    /// Does something in a transaction of its own on the writing thread, after everything kept before it; waits until it
    /// is on the disk. Gives up, and takes the work back, while the disk fails. Blocks: never for the engine thread.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, wait) = sync_channel(1);
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = Arc::clone(&wanted);
        let job = Job::Work(Box::new(move |db| {
            if !still_wanted.swap(false, Ordering::AcqRel) {
                return None;
            }
            let result = db.and_then(|db| Ok(in_transaction(db, work)?));
            let broken = result.as_ref().err().and_then(Broken::by);
            let _ = answer.send(result);
            broken
        }));
        self.send(job)?;
        loop {
            match wait.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Closed),
                Err(RecvTimeoutError::Timeout) if !self.fails() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if wanted.swap(false, Ordering::AcqRel) {
                        return Err(Fault::Suspect(self.health.trouble()));
                    }
                }
            }
        }
    }

    /// Wakes the writer when it would gather for longer than a job just put into the queue can wait.
    fn hurry(&self, patience: Duration) {
        if self.due.too_late_for(patience) {
            self.writer.unpark();
        }
    }

    fn fails(&self) -> bool {
        self.health.suspect.load(Ordering::Relaxed)
    }

    /// Waits for room in the queue, unless the disk fails.
    fn send(&self, mut job: Job) -> Result<(), Fault> {
        loop {
            job = match self.jobs.try_send(job) {
                Ok(()) => {
                    self.hurry(Duration::ZERO);
                    return Ok(());
                }
                Err(TrySendError::Disconnected(_)) => return Err(Fault::Closed),
                Err(TrySendError::Full(_)) if self.fails() => {
                    return Err(Fault::Suspect(self.health.trouble()));
                }
                Err(TrySendError::Full(job)) => job,
            };
            std::thread::sleep(LOOK / 4);
        }
    }

    /// Gives every recording that has no length yet, and that no media process is writing, the length of its file: those
    /// that a crash cut off. For a start of control, and for each time media comes back. Blocks.
    ///
    /// # Errors
    /// The disk. A file that is gone or broken counts as no sound at all.
    pub fn settle_recordings(&self) -> Result<Vec<(RecordingId, u32)>, Fault> {
        let open = self.reader.open_recordings()?.into_iter().map(|row| row.recording);
        let ended = open.filter(|r| !spool::is_open(self.dir(), r.recording));
        let lengths = ended.map(|r| (r.recording, spool::length_ms(self.dir(), &r.path).unwrap_or(0)));
        let lengths: Vec<(RecordingId, u32)> = lengths.collect();
        let records = lengths.clone();
        self.ask(move |db| {
            let mut no_file = Vec::new();
            records.into_iter().try_for_each(|(recording, ms)| {
                apply::apply(db, &Record::RecordingEnded { recording, ms }, &mut no_file)
            })
        })?;
        Ok(lengths)
    }

    /// Waits until everything kept before this call is on the disk.
    ///
    /// # Errors
    /// `Closed`; `Database` when the disk fails now.
    pub fn flush(&self) -> Result<(), Fault> {
        self.ask(|_| Ok(()))
    }

    /// What is kept, for reading.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// The data folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.reader.dir()
    }

    /// Writes what waits, lets the data folder go and ends the thread. Other handles are of no use afterwards.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let _ = self.jobs.send(Job::Stop);
        self.writer.unpark();
        let thread = self.thread.lock().ok().and_then(|mut t| t.take());
        if thread.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the writing thread ended by a bug");
        }
    }
}

fn in_transaction<T>(
    db: &mut Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}
