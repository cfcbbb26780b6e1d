//! Keeps the disk from filling up: raises the alarm in time, lets the oldest recordings go that nobody holds, and lets go
//! what is older than the site wants. On a thread of its own, a little at a time; it never ends a call, and what is held
//! stays. Decides by the configuration in force.
use crate::clock;
use crate::health::reports::Tell;
use crate::intake::Events;
use engine::event::Event;
use model::clock::Wall;
use model::command::{Actor, Command};
use model::config::vault::Retention;
use model::id::{Generation, Ticket};
use model::record::{NoteRecord, Record};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::spool::{self, Usage};
use store::{Fault, Store};

/// Between two looks at the disk.
const EVERY: Duration = Duration::from_secs(1);
/// Looks between two looks at what is too old.
const OLD_EVERY: u32 = 60;
/// Looks between two looks at own prompts that no configuration names any more, and before the first one.
const PROMPTS_EVERY: u32 = 24 * 3600;
const PROMPTS_FIRST: u32 = 3600;
/// A prompt younger than this may be waiting in somebody's editor for the change that names it.
const PROMPT_YOUNG: Duration = Duration::from_secs(7 * 24 * 3600);
/// A take for a prompt older than this belongs to no call any more: they last two minutes each.
const TAKE_OLD: Duration = Duration::from_secs(24 * 3600);
/// Most recordings that go in one look: an hour of speech is 58 MB, and unlinking it is all the work.
const A_LOOK: u32 = 20;
/// Most messages and calls that go in one look.
const ROWS: u32 = 200;
/// The alarm ends this far below its limit, so that it does not flicker, percent.
const CALM: u32 = 2;
/// Less free room than this counts as full whatever the percentage: twice what recordings leave to the records.
const FLOOR: u64 = 128 * 1024 * 1024;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// A clock that says less than this was never set; nothing is old by it.
const SET: Wall = Wall(1_700_000_000_000);

/// Says how full a disk is.
type Measure = Box<dyn Fn(&Path) -> Result<Usage, Fault> + Send>;

/// The guard.
pub struct Guard {
    store: Arc<Store>,
    events: Events,
    /// Whether the alarm list knows that the disk fills up.
    alarm: Tell,
    alarmed: bool,
    /// Recordings let go since somebody was told.
    gone: u32,
    stuck: bool,
    /// How full the disk is; a test has a small one.
    measure: Measure,
    seen: Option<(Generation, Retention)>,
}

impl Guard {
    /// Begins with nothing known. `alarm` hears that the disk fills up, and of its end.
    #[must_use]
    pub fn new(store: Arc<Store>, events: Events, alarm: Tell) -> Guard {
        Guard {
            store,
            events,
            alarm,
            alarmed: false,
            gone: 0,
            stuck: false,
            measure: Box::new(spool::usage),
            seen: None,
        }
    }

    /// Works until `stop`.
    pub fn run(mut self, stop: &AtomicBool) {
        let mut round = 0;
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = self.look(round % OLD_EVERY == 0) {
                tracing::debug!(%error, "the disk guard has to wait");
            }
            if round % PROMPTS_EVERY == PROMPTS_FIRST {
                self.sweep_prompts();
            }
            round += 1;
            std::thread::sleep(EVERY);
        }
    }

    fn look(&mut self, old_too: bool) -> Result<(), Fault> {
        let Some(wanted) = self.wanted()? else { return Ok(()) };
        let usage = (self.measure)(self.store.dir())?;
        self.watch(usage, &wanted);
        if is_full(usage, &wanted) {
            self.make_room(usage)?;
        } else {
            self.tell_room();
        }
        let now = clock::wall();
        if old_too && now > SET {
            self.forget(&wanted, now)?;
        }
        Ok(())
    }

    /// Read again only when there is a newer configuration.
    fn wanted(&mut self) -> Result<Option<Retention>, Fault> {
        let newest = self.store.reader().generations(None, 1)?.items.first().map(|g| g.generation);
        if let (Some((seen, wanted)), Some(newest)) = (&self.seen, newest)
            && *seen == newest
        {
            return Ok(Some(wanted.clone()));
        }
        let Some((generation, tree)) = self.store.reader().current()? else { return Ok(None) };
        let Ok(config) = model::config::draft::read(&tree) else { return Ok(None) };
        self.seen = Some((generation, config.retention.clone()));
        Ok(Some(config.retention))
    }

    fn watch(&mut self, usage: Usage, wanted: &Retention) {
        let near = usage.percent >= wanted.alarm_percent || usage.free < FLOOR;
        let far = usage.percent + CALM < wanted.alarm_percent && usage.free >= FLOOR + FLOOR / 8;
        if !self.alarmed && near {
            self.alarmed = true;
            let text = filling(usage, wanted);
            (self.alarm)(Some(&text));
            self.note("alarm", "disk_filling", text);
        } else if self.alarmed && far {
            self.alarmed = false;
            (self.alarm)(None);
            self.note(
                "info",
                "disk_room",
                format!("The disk has room again: {} % are in use.", usage.percent),
            );
        }
    }

    fn make_room(&mut self, usage: Usage) -> Result<(), Fault> {
        let gone = self.store.forget_oldest(A_LOOK)?;
        self.gone += gone;
        if gone == 0 && !self.stuck {
            self.stuck = true;
            let text = format!(
                "The disk is full ({} % are in use, {} MiB are free) and there is no recording that may go: all are held, or \
                 something else fills it. Lift holds, delete something, or use a larger disk.",
                usage.percent,
                usage.free >> 20
            );
            self.note("alarm", "disk_full", text);
        }
        Ok(())
    }

    fn tell_room(&mut self) {
        self.stuck = false;
        let gone = std::mem::take(&mut self.gone);
        if gone > 0 {
            let text =
                format!("The disk was full: the {gone} oldest recordings that nobody holds were deleted.");
            self.note("warning", "recordings_deleted", text);
        }
    }

    /// What is older than the site wants to keep, a part of it in each look.
    fn forget(&mut self, wanted: &Retention, now: Wall) -> Result<(), Fault> {
        let before = |days: u32| (days > 0).then(|| Wall(now.0 - i64::from(days) * DAY_MS));
        if let Some(before) = before(wanted.recordings_days) {
            let gone = self.store.forget_before(before, ROWS)?;
            if gone > 0 {
                let text =
                    format!("{gone} recordings older than {} days were deleted.", wanted.recordings_days);
                self.note("info", "recordings_old", text);
            }
        }
        if let Some(before) = before(wanted.voicemail_days) {
            for message in self.store.messages_before(before, ROWS)? {
                // The engine owns the mailboxes: it deletes row and file, and the lamp follows.
                let by = Actor { name: "retention".into() };
                let command = Command::MessageDelete { message };
                self.events.offer(Event::Command { ticket: Ticket(0), by, command });
            }
        }
        if let Some(before) = before(wanted.call_records_days) {
            self.store.forget_calls_before(before, ROWS)?;
        }
        Ok(())
    }

    /// Needs no clock that was ever set: it goes by the age of files alone, and leaves what is young.
    fn sweep_prompts(&self) {
        match self.store.sweep_prompts(PROMPT_YOUNG) {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "own prompts that no configuration names any more were removed"),
            Err(error) => tracing::debug!(%error, "own prompts are looked through tomorrow"),
        }
        let takes = self.store.sweep_takes(TAKE_OLD);
        if takes > 0 {
            tracing::info!(takes, "what was spoken at phones for prompts was removed");
        }
    }

    fn note(&self, level: &str, kind: &str, text: String) {
        tracing::warn!(kind, "{text}");
        let (level, kind, subject) = (level.into(), kind.into(), "disk".into());
        let note = NoteRecord { at: clock::wall(), level, kind, subject, text };
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!("the event log takes no note of the disk guard: its queue is full");
        }
    }
}

/// How full the disk is, and which of the two limits lets recordings go.
fn filling(usage: Usage, wanted: &Retention) -> String {
    let (used, free, floor, full) = (usage.percent, usage.free >> 20, FLOOR >> 20, wanted.full_percent);
    if usage.free < FLOOR {
        return format!(
            "Only {free} MiB of the disk are free ({used} % are in use). Less than {floor} MiB count as full: the oldest \
             recordings go now."
        );
    }
    format!(
        "The disk is {used} % full ({free} MiB are free). At {full} %, or with less than {floor} MiB free, the oldest \
         recordings go."
    )
}

fn is_full(usage: Usage, wanted: &Retention) -> bool {
    usage.percent >= wanted.full_percent || usage.free < FLOOR
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{CallId, RecordingId};
    use model::record::RecordingRecord;
    use model::saving::Hold;
    use std::sync::Mutex;
    use store::{Options, offline};

    /// A disk of 1 GB, a thousand times smaller.
    const DISK: u64 = 1_000_000;
    /// 100 recordings fill it five times.
    const SOUND: usize = 50_000;

    fn bytes(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|e| if e.path().is_dir() { bytes(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) })
            .sum()
    }

    fn small_disk(dir: &Path) -> Result<Usage, Fault> {
        let used = bytes(&dir.join("recordings"));
        let percent = u32::try_from(used * 100 / DISK).unwrap_or(100);
        Ok(Usage { percent, free: FLOOR + DISK.saturating_sub(used) })
    }

    #[test]
    fn five_times_the_disk_is_offered_and_the_oldest_go_but_held_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { dir: dir.path().into(), beat: Arc::default(), on_stored: Box::new(drop) };
        let store = Arc::new(Store::open(options).unwrap().0);
        offline::apply(&store, "test", "[system]\ncountry = \"DE\"\n", "").unwrap();
        let said: Arc<Mutex<Vec<bool>>> = Arc::default();
        let heard = said.clone();
        let alarm = Box::new(move |text: Option<&str>| heard.lock().unwrap().push(text.is_some()));
        let (events, _intake) = crate::intake::open().unwrap();
        let mut guard = Guard { measure: Box::new(small_disk), ..Guard::new(store.clone(), events, alarm) };
        let mut spool = spool::Spool::new(dir.path()).unwrap();
        let mut most = 0;
        for id in 1..=100 {
            let (recording, path) = (RecordingId(id), format!("recordings/{id}.wav"));
            spool.create(recording, &path, 1).expect("no recording is refused");
            spool.append(recording, &[7; SOUND]).unwrap();
            let started = Wall(1_700_000_000_000 + i64::try_from(id).unwrap());
            let (left, right) = ("caller".into(), "101".into());
            let row = RecordingRecord { recording, call: CallId(id), path, started, left, right };
            store.keep(Ticket(id), Record::Recording(row)).unwrap();
            let ms = spool.finish(recording).unwrap().unwrap();
            store.keep(Ticket(id), Record::RecordingEnded { recording, ms }).unwrap();
            store.flush().unwrap();
            if id == 3 || id == 5 {
                store.hold(recording, Some(Hold { by: "anna".into(), at: started })).unwrap();
            }
            guard.look(false).unwrap();
            most = most.max(small_disk(dir.path()).unwrap().percent);
        }
        assert!((85..=97).contains(&most), "the disk was {most} % full at most");
        let left: Vec<u64> =
            (1..=100).filter(|id| store.reader().recording(RecordingId(*id)).unwrap().is_some()).collect();
        assert_eq!(left[..2], [3, 5], "held ones stay");
        let young = &left[2..];
        assert_eq!(*young, (101 - young.len() as u64..=100).collect::<Vec<_>>(), "the others go in order");
        assert_eq!(
            bytes(&dir.path().join("recordings")) / 50_000,
            left.len() as u64,
            "files and rows are the same"
        );
        assert!(said.lock().unwrap()[0], "the alarm comes at 80 %");
        store.close();
    }

    #[test]
    fn a_disk_with_too_little_room_is_told_whatever_its_percentage_and_by_which_limit() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { dir: dir.path().into(), beat: Arc::default(), on_stored: Box::new(drop) };
        let store = Arc::new(Store::open(options).unwrap().0);
        offline::apply(&store, "test", "[system]\ncountry = \"DE\"\n", "").unwrap();
        let said: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let heard = said.clone();
        let alarm = Box::new(move |text: Option<&str>| heard.lock().unwrap().push(text.map(str::to_owned)));
        let (events, _intake) = crate::intake::open().unwrap();
        let mib = |free: u64, percent| Usage { percent, free: free << 20 };
        let looks = Mutex::new(vec![mib(900, 85), mib(150, 40), mib(130, 40), mib(100, 40)]);
        let measure: Measure = Box::new(move |_| Ok(looks.lock().unwrap().pop().unwrap()));
        let mut guard = Guard { measure, ..Guard::new(store.clone(), events, alarm) };
        for _ in 0..4 {
            guard.look(false).unwrap();
        }
        let told = said.lock().unwrap().clone();
        let small = "Only 100 MiB of the disk are free (40 % are in use). Less than 128 MiB count as full";
        assert!(told[0].as_deref().is_some_and(|text| text.starts_with(small)), "{told:?}");
        assert_eq!(told[1], None, "well again at 150 MiB, not at 130");
        assert!(
            told[2].as_deref().is_some_and(|text| text.contains("At 90 %, or with less than 128 MiB free"))
        );
        store.close();
    }

    #[test]
    fn a_disk_full_of_held_recordings_is_told_once_and_nothing_is_deleted() {
        let full = Usage { percent: 95, free: 0 };
        let dir = tempfile::tempdir().unwrap();
        let options = Options { dir: dir.path().into(), beat: Arc::default(), on_stored: Box::new(drop) };
        let store = Arc::new(Store::open(options).unwrap().0);
        offline::apply(&store, "test", "[system]\ncountry = \"DE\"\n", "").unwrap();
        let (events, _intake) = crate::intake::open().unwrap();
        let guard = Guard::new(store.clone(), events, Box::new(|_| {}));
        let mut guard = Guard { measure: Box::new(move |_| Ok(full)), ..guard };
        for _ in 0..5 {
            guard.look(false).unwrap();
        }
        store.flush().unwrap();
        let notes = store.reader().notes(None, 10).unwrap().items;
        let kinds: Vec<&str> = notes.iter().map(|n| n.note.kind.as_str()).collect();
        assert_eq!(kinds, ["disk_full", "disk_filling"]);
        store.close();
    }
}
