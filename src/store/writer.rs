//! The one thread that writes. Takes records from a bounded queue, writes everything that waits in one transaction, and
//! reports the tickets only after the commit is on the disk. Records that nobody waits for are gathered for a moment
//! ([`patience`]), so that a busy box commits some dozen times a second and not a thousand times. When the disk fails nothing is reported; the batch is kept
//! and written again through a fresh connection, and the store calls itself suspect meanwhile. Never drops a record,
//! except one that a healthy database refuses, which is counted and logged.
use crate::fault::{Fault, is_of_the_record};
use crate::pulse::Pulse;
use crate::{apply, housekeeping, schema, spool};
use model::clock::Wall;
use model::id::Ticket;
use model::record::{AgentState, Record};
use rusqlite::{Connection, TransactionBehavior};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Records that may wait: some seconds of the busiest box, a few MiB. When it is full the engine is told so.
pub(crate) const QUEUE: usize = 8192;
/// Most records of one transaction, so that the first of a flood is not kept waiting by the last.
const BATCH: usize = 1024;
/// The thread shows that it lives at least this often, also when there is nothing to do.
const IDLE: Duration = Duration::from_millis(400);
/// Wait before writing again after a failure: short first, then not to wear the disk out.
const RETRY: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(2), Duration::from_secs(5)];

/// A disk that failed is tried this often when nothing else is written.
const PROBE: Duration = Duration::from_secs(1);

/// Something done with the connection. It answers whoever asked by itself, and tells the writer when the disk failed.
pub(crate) type Work = Box<dyn FnOnce(Result<&mut Connection, Fault>) -> Option<Broken> + Send>;

/// A failure that makes the connection worthless.
pub(crate) struct Broken {
    why: String,
    damage: bool,
}

impl Broken {
    /// `None` when only what was asked was wrong.
    pub(crate) fn by(fault: &Fault) -> Option<Broken> {
        let only_asked_wrong = matches!(fault, Fault::Database(error) if is_of_the_record(error));
        (!only_asked_wrong).then(|| Broken { why: fault.to_string(), damage: fault.is_damage() })
    }
}

/// What is asked of the thread.
pub(crate) enum Job {
    /// Write this record.
    Keep(Ticket, Box<Record>),
    /// Do this in a transaction of its own.
    Work(Work),
    /// Write what waits and end.
    Stop,
}

/// How the store is; read by anybody at any time.
#[derive(Debug, Default)]
pub struct Health {
    /// Records waiting to be written.
    pub waiting: AtomicU64,
    /// Records written and reported since the start.
    pub stored: AtomicU64,
    /// Records that found the queue full.
    pub full: AtomicU64,
    /// Records that the database refused for good.
    pub refused: AtomicU64,
    /// The disk failed and has not written since.
    pub suspect: AtomicBool,
    trouble: Mutex<String>,
}

impl Health {
    /// What went wrong last, in words; empty while nothing has.
    #[must_use]
    pub fn trouble(&self) -> String {
        self.trouble.lock().map(|t| t.clone()).unwrap_or_default()
    }

    fn failed(&self, why: &str) {
        // The words first: whoever sees that the disk is suspect finds them.
        if let Ok(mut trouble) = self.trouble.lock() {
            why.clone_into(&mut trouble);
        }
        if !self.suspect.swap(true, Ordering::Release) {
            tracing::error!(why, "the disk failed: nothing is confirmed until it writes again");
        }
    }

    fn healed(&self) {
        if self.suspect.swap(false, Ordering::Relaxed) {
            tracing::warn!("the disk writes again");
        }
    }
}

/// How long a record may wait for others to be committed with. What somebody hears or reads an answer about waits for
/// nobody, except a registration and an agent's log-in: their answer comes a little later instead, and a storm of phones
/// costs a few commits.
pub(crate) fn patience(record: &Record) -> Duration {
    match record {
        // Nobody is told that these are kept; what a crash loses of them is the last moment of a call.
        Record::CallStarted(_)
        | Record::CallStep(_)
        | Record::CallEnded(_)
        | Record::Recording(_)
        | Record::RecordingEnded { .. }
        | Record::AttemptEnded(_)
        | Record::Note(_) => Duration::from_millis(50),
        // Of these too only the queue knows, and of the one that follows a call.
        Record::AgentState(spell)
            if spell.call.is_some()
                || matches!(spell.state, AgentState::Offered | AgentState::Talking | AgentState::WrapUp) =>
        {
            Duration::from_millis(50)
        }
        // A call waits for the first of these before it is dialled; a few together cost one commit.
        Record::AttemptBegun(_) | Record::AgentState(_) | Record::Binding(_) => Duration::from_millis(10),
        Record::Message(_)
        | Record::MessageHeard { .. }
        | Record::MessageDeleted(_)
        | Record::Greeting { .. }
        | Record::Ban(_)
        | Record::AttemptSaid(_)
        | Record::Barred(_)
        | Record::Steered(_)
        | Record::Callback(_)
        | Record::CallbackGone(_)
        | Record::Budget(_)
        | Record::WrongPins(_)
        | Record::Seat(_) => Duration::ZERO,
    }
}

/// The thread's belongings.
pub(crate) struct Writer {
    pub(crate) dir: PathBuf,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) on_stored: Box<dyn Fn(Vec<Ticket>) + Send>,
    pub(crate) beat: Arc<AtomicU64>,
    pub(crate) health: Arc<Health>,
    /// Set when the store is being closed: a failing disk is then tried once more and given up.
    pub(crate) closing: Arc<AtomicBool>,
    /// When it will write what it has gathered; whoever cannot wait so long wakes it.
    pub(crate) due: Arc<Due>,
    pub(crate) db: Option<Connection>,
    /// Says until when calls that a crash cuts off were heard.
    pub(crate) pulse: Pulse,
}

/// The moment until which the writer gathers.
#[derive(Debug)]
pub(crate) struct Due {
    began: Instant,
    micros: AtomicU64,
}

impl Due {
    pub(crate) fn new() -> Due {
        Due { began: Instant::now(), micros: AtomicU64::new(0) }
    }

    /// Whether a job with this much patience would be written too late if nobody woke the writer.
    pub(crate) fn too_late_for(&self, patience: Duration) -> bool {
        self.micros_at(Instant::now() + patience) < self.micros.load(Ordering::SeqCst)
    }

    fn set(&self, at: Option<Instant>) {
        self.micros.store(at.map_or(0, |at| self.micros_at(at)), Ordering::SeqCst);
    }

    fn micros_at(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Writer {
    /// Works until told to stop, or until every handle is gone.
    pub(crate) fn run(mut self) {
        let mut kept_house = Instant::now();
        loop {
            self.beat.fetch_add(1, Ordering::Relaxed);
            let more = match self.jobs.recv_timeout(IDLE) {
                Ok(job) => self.batch(job),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if !more {
                break;
            }
            self.pulse.beat();
            let suspect = self.health.suspect.load(Ordering::Relaxed);
            if kept_house.elapsed() >= if suspect { PROBE } else { housekeeping::EVERY } {
                kept_house = Instant::now();
                self.keep_house(suspect);
            }
        }
        if let Some(db) = self.db.take() {
            let _ = db.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
        }
    }

    /// Everything that waits, in order, and what comes while nobody minds; false = stop.
    fn batch(&mut self, first: Job) -> bool {
        let mut records = Vec::new();
        let mut due: Option<Instant> = None;
        let mut next = Some(first);
        loop {
            while let Some(job) = next {
                self.beat.fetch_add(1, Ordering::Relaxed);
                match job {
                    Job::Keep(ticket, record) => {
                        self.pulse.saw(&record);
                        let at = Instant::now() + patience(&record);
                        due = Some(due.map_or(at, |due| due.min(at)));
                        records.push((ticket, record));
                    }
                    Job::Work(work) => {
                        self.settle(std::mem::take(&mut records));
                        due = None;
                        self.work(work);
                    }
                    Job::Stop => {
                        self.settle(records);
                        return false;
                    }
                }
                next = (records.len() < BATCH).then(|| self.jobs.try_recv().ok()).flatten();
            }
            next = due.filter(|_| records.len() < BATCH).and_then(|due| self.gather(due));
            if next.is_none() {
                break;
            }
        }
        self.settle(records);
        true
    }

    /// Waits for the next job until `due`, asleep: what is put into the queue meanwhile costs no wake-up, except for a
    /// job that cannot wait so long.
    fn gather(&self, due: Instant) -> Option<Job> {
        self.due.set(Some(due));
        let mut next = self.jobs.try_recv().ok();
        let left = due.saturating_duration_since(Instant::now());
        if next.is_none() && !left.is_zero() && !self.closing.load(Ordering::Relaxed) {
            std::thread::park_timeout(left);
            next = self.jobs.try_recv().ok();
        }
        self.due.set(None);
        next
    }

    /// Writes the records until it succeeds.
    fn settle(&mut self, records: Vec<(Ticket, Box<Record>)>) {
        if records.is_empty() {
            return;
        }
        let count = u64::try_from(records.len()).unwrap_or(0);
        let mut tries = 0;
        loop {
            match self.write(&records) {
                Ok(tickets) => {
                    self.health.waiting.fetch_sub(count, Ordering::Relaxed);
                    self.health
                        .stored
                        .fetch_add(u64::try_from(tickets.len()).unwrap_or(0), Ordering::Relaxed);
                    self.health.healed();
                    (self.on_stored)(tickets);
                    return;
                }
                Err(fault) => self.broken_by(&fault),
            }
            if self.closing.load(Ordering::Relaxed) && tries > 0 {
                tracing::error!(count, "closing with records that the disk would not take");
                return;
            }
            self.pause(RETRY[tries.min(RETRY.len() - 1)]);
            tries += 1;
        }
    }

    /// One transaction; if a single record is to blame, one for each, without that record.
    fn write(&mut self, records: &[(Ticket, Box<Record>)]) -> Result<Vec<Ticket>, Fault> {
        let mut gone = Vec::new();
        let db = self.connection()?;
        match together(db, records.iter().map(|(_, r)| &**r), &mut gone) {
            Ok(()) => {
                self.remove(&gone);
                Ok(records.iter().map(|(t, _)| *t).collect())
            }
            Err(error) if is_of_the_record(&error) => self.write_singly(records),
            Err(error) => Err(error.into()),
        }
    }

    fn write_singly(&mut self, records: &[(Ticket, Box<Record>)]) -> Result<Vec<Ticket>, Fault> {
        let mut stored = Vec::new();
        for (ticket, record) in records {
            let mut gone = Vec::new();
            match together(self.connection()?, std::iter::once(&**record), &mut gone) {
                Ok(()) => {
                    self.remove(&gone);
                    stored.push(*ticket);
                }
                Err(error) if is_of_the_record(&error) => {
                    self.health.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, ?ticket, "the database refused a record; it is lost");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(stored)
    }

    fn work(&mut self, work: Work) {
        match work(self.connection()) {
            Some(broken) => self.broken(&broken),
            None => self.health.healed(),
        }
    }

    /// Tidies; after a failure it also writes, to learn whether the disk takes anything again.
    fn keep_house(&mut self, suspect: bool) {
        let run = |db: &mut Connection| {
            if suspect {
                housekeeping::alive(db, now())?;
            }
            housekeeping::tidy(db, now())
        };
        match self.connection().and_then(|db| Ok(run(db)?)) {
            Ok(()) => self.health.healed(),
            Err(fault) => self.broken_by(&fault),
        }
    }

    fn broken_by(&mut self, fault: &Fault) {
        if let Some(broken) = Broken::by(fault) {
            self.broken(&broken);
        }
    }

    /// Gives up the connection: after a failed sync nothing that it believes may be believed.
    fn broken(&mut self, broken: &Broken) {
        self.db = None;
        if broken.damage {
            crate::boot::mark_suspect(&self.dir);
        }
        self.health.failed(&broken.why);
    }

    /// The connection, or a fresh one that has first brought the log home.
    fn connection(&mut self) -> Result<&mut Connection, Fault> {
        if self.db.is_none() {
            let db = schema::writing(&self.dir)?;
            db.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
            self.db = Some(db);
        }
        self.db.as_mut().ok_or(Fault::Closed)
    }

    /// Waits, and goes on showing that it lives.
    fn pause(&self, total: Duration) {
        let end = Instant::now() + total;
        while Instant::now() < end && !self.closing.load(Ordering::Relaxed) {
            self.beat.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(10).min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn remove(&self, gone: &[String]) {
        for path in gone {
            if let Err(fault) = spool::remove(&self.dir, path) {
                tracing::warn!(%fault, "a file that is no longer needed stays");
            }
        }
    }
}

fn together<'r>(
    db: &mut Connection,
    records: impl Iterator<Item = &'r Record>,
    gone: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for record in records {
        apply::apply(&tx, record, gone)?;
    }
    housekeeping::alive(&tx, now())?;
    tx.commit()
}

/// The wall clock; the store is a shell and may read it.
pub(crate) fn now() -> Wall {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
