//! How the box is: looks at it every two seconds, tells the pages, and hands alarms that begin and end to those who tell
//! people. On threads that may wait for the disk, a slow sensor or a mail server; none of them has a pulse, for no call
//! needs them. Decides nothing but the pace.
pub mod judge;
pub mod look;
pub mod reports;
pub mod tell;
pub mod watch;

use crate::clock::Clock;
use crate::mirror::Mirror;
use crate::{clock, mailer, role, wire};
use judge::Judge;
use look::Eyes;
use model::clock::Now;
use model::config::Config;
use model::config::alarm::Alarm;
use model::health::{self as words, Event};
use model::id::{Generation, Ticket};
use model::notice::{CheckState, CheckView, Notice};
use model::record::{NoteRecord, Record};
use reports::Reports;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use store::{AlarmRow, Store, Way};
use tell::{Site, Waiting};
use watch::Watch;
use web::live::hub::Inbox;

/// How often the box is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// What the threads need.
pub struct Health {
    /// Both clocks.
    pub clock: Clock,
    /// The disk.
    pub store: Arc<Store>,
    /// Trunks and phones.
    pub mirror: Arc<Mirror>,
    /// The pages.
    pub inbox: Inbox,
    /// What the supervisor tells.
    pub watch: Arc<Watch>,
    /// What other parts tell.
    pub reports: Arc<Reports>,
    /// How many alarms are on, for the lamps.
    pub alarms: Arc<AtomicUsize>,
    /// Certificate of the web.
    pub certificate: PathBuf,
    /// Who keeps the machine's clock; on a PC there is none.
    pub steward: board::steward::client::Steward,
    /// Ends the threads.
    pub stop: Arc<AtomicBool>,
}

/// An alarm on its way to the disk and to people.
struct Change {
    event: Event,
    check: CheckView,
}

impl Health {
    /// Starts the four threads: one looks, one writes down, one mails, one calls webhooks.
    ///
    /// # Errors
    /// The board's description cannot be read, or a thread cannot be started.
    pub fn start(self) -> anyhow::Result<()> {
        let board = board::description::Board::load()?;
        let (changes, queue) = sync_channel(wire::ALARMS.length);
        let (waiting, site) = (Arc::new(Waiting::default()), Arc::new(Site::default()));
        for (name, way) in [("alarm-mail", Way::Mail), ("alarm-hook", Way::Webhook)] {
            let (store, site, waiting) = (self.store.clone(), site.clone(), waiting.clone());
            let stop = self.stop.clone();
            role::spawn(name, move || tell::run(way, &store, &site, &waiting, &stop))?;
        }
        let (store, shown, stop) = (self.store.clone(), site.clone(), self.stop.clone());
        role::spawn("alarms", move || write_down(&store, &shown, &queue, &waiting, &stop))?;
        role::spawn("health", move || self.watch_over(&board.health, &site, &changes))?;
        Ok(())
    }

    fn watch_over(self, board: &board::description::Health, site: &Site, changes: &SyncSender<Change>) {
        let (store, mirror) = (self.store.clone(), self.mirror.clone());
        let mut eyes = Eyes::new(board, store, mirror, self.watch.clone(), self.certificate.clone());
        let mut judge = Judge::default();
        self.remember(&mut judge);
        let mut read: Option<Generation> = None;
        while !self.stop.load(Ordering::Relaxed) {
            let generation = self.mirror.ask(|state| state.generation);
            if read != Some(generation)
                && let Ok(config) = mailer::current(&self.store)
            {
                if read.replace(generation).is_some() {
                    // A newer one is in force than at the start: whatever was wrong with the stored ones is past.
                    self.reports.set("config", "", None);
                }
                site.put(Arc::new(config));
            }
            if let Some(config) = site.config() {
                self.round(&mut eyes, &mut judge, &config.alarm, changes);
            }
            std::thread::sleep(EVERY);
        }
    }

    /// Alarms of before a restart.
    fn remember(&self, judge: &mut Judge) {
        match self.store.alarms() {
            Ok(rows) => {
                let now = self.clock.now();
                rows.iter().for_each(|r| judge.remember(&r.alarm, &r.kind, &r.subject, r.since, now));
            }
            Err(error) => tracing::warn!(%error, "the alarms of before the start cannot be read"),
        }
    }

    fn round(&self, eyes: &mut Eyes, judge: &mut Judge, limits: &Alarm, changes: &SyncSender<Change>) {
        let now: Now = self.clock.now();
        eyes.keeps_time = self.steward.there();
        let mut looks = eyes.look(limits, now);
        looks.extend(self.reports.looks());
        let verdict = judge.take(looks, now);
        self.alarms.store(judge.alarms(), Ordering::Relaxed);
        for check in verdict.changed {
            self.inbox.put(Notice::Check(check));
        }
        for check in verdict.gone {
            self.inbox.put(Notice::CheckGone(check));
        }
        let raised = verdict.raised.into_iter().map(|check| Change { event: Event::Raised, check });
        let cleared = verdict.cleared.into_iter().map(|check| Change { event: Event::Cleared, check });
        for change in raised.chain(cleared) {
            self.note(&change);
            if changes.try_send(change).is_err() {
                wire::ALARMS.lost();
                tracing::error!("an alarm is not told: too many wait already");
            }
        }
    }

    /// For the log and the event log.
    fn note(&self, change: &Change) {
        let check = &change.check;
        // The engine and the disk's watch tell of these by themselves, with what they know more.
        let noted = ["trunk", "database"].contains(&check.kind.as_str());
        let (name, _) = words::of(&check.kind, model::media::Language::En);
        let level = match check.state {
            CheckState::Alarm => {
                tracing::error!(
                    check = check.check,
                    value = check.value,
                    detail = check.detail,
                    "alarm: {name}"
                );
                "alarm"
            }
            CheckState::Good => {
                tracing::warn!(check = check.check, value = check.value, "well again: {name}");
                "info"
            }
        };
        let note = NoteRecord {
            at: clock::wall(),
            level: level.into(),
            kind: format!(
                "{}_{}",
                check.kind,
                if check.state == CheckState::Alarm { "alarm" } else { "well" }
            ),
            subject: check.subject.clone(),
            text: format!("{name} {}", check.detail).trim().to_owned(),
        };
        if noted {
            return;
        }
        self.inbox.put(Notice::Note(note.clone()));
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!("the event log takes no note of an alarm: its queue is full");
        }
    }
}

/// Keeps alarms with what has to be told of them. What the disk does not take is told from memory, and kept when it does.
fn write_down(store: &Store, site: &Site, queue: &Receiver<Change>, waiting: &Waiting, stop: &AtomicBool) {
    let mut unkept: Vec<Change> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match queue.recv_timeout(EVERY) {
            Ok(change) => {
                let tellings = site.config().map(|config| told_of(&config, &change)).unwrap_or_default();
                if let Err(error) = keep(store, &change, tellings.clone()) {
                    tracing::warn!(%error, "an alarm cannot be kept; it is told all the same");
                    waiting.keep(tellings);
                    unkept.push(change);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !store.health().suspect.load(Ordering::Relaxed) {
            // Told already: only the fact is kept.
            unkept.retain(|change| keep(store, change, Vec::new()).is_err());
        }
        unkept.truncate(wire::ALARMS.length);
    }
}

fn told_of(config: &Config, change: &Change) -> Vec<store::Telling> {
    tell::tellings(config, change.event, &change.check, clock::wall())
}

fn keep(store: &Store, change: &Change, tellings: Vec<store::Telling>) -> Result<bool, store::Fault> {
    let check = &change.check;
    match change.check.state {
        CheckState::Alarm => {
            let row = AlarmRow {
                alarm: check.check.clone(),
                kind: check.kind.clone(),
                subject: check.subject.clone(),
                since: check.since,
            };
            store.alarm_raise(row, tellings)
        }
        CheckState::Good => store.alarm_clear(check.check.clone(), tellings),
    }
}

/// Sends a test to everybody who is told; the answer is how many.
///
/// # Errors
/// The disk.
pub fn test(store: &Store) -> Result<usize, store::Fault> {
    let Ok(config) = mailer::current(store) else { return Ok(0) };
    let check = CheckView {
        check: "test".into(),
        kind: "test".into(),
        subject: String::new(),
        state: CheckState::Good,
        since: clock::wall(),
        value: None,
        limit: None,
        unit: String::new(),
        detail: String::new(),
    };
    let tellings = tell::tellings(&config, Event::Test, &check, clock::wall());
    let count = tellings.len();
    store.telling_keep(tellings)?;
    Ok(count)
}
