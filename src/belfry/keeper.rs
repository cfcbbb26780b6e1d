//! Saves the site when it is due or asked for, brings it to its target, and takes a backup back. One thread does one thing
//! at a time; it may wait for disks and servers for hours, and no call waits for it. Decides when and where to, never what
//! is in a backup: that is `store::backup`.
mod due;
mod place;
mod sftp;

use crate::clock;
use crate::health::reports::Tell;
use board::steward::{Act, BackupName};
use model::clock::Wall;
use model::config::Config;
use model::config::vault::{Backup, Every, Target};
use model::id::{Generation, Ticket};
use model::record::{NoteRecord, Record};
use model::saving::{BackupFailure, BackupItem, BackupPhase, BackupState};
use model::sentence::Sentence;
use place::Place;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use store::backup::{self, BackupFault, Facts, Wanted};
use web::ports::{Saved, SavingRefusal};

/// How often the thread looks whether something is due or asked for.
const LOOK: Duration = Duration::from_millis(500);
/// Rounds between two looks at the schedule.
const SCHEDULE: u32 = 40;
/// Name of the setting that keeps what the admin sees across restarts.
const SETTING: &str = "backup_state";
/// Start of the names of uploaded files.
const UPLOADED: &str = "uploaded-";
/// Uploaded files kept: one to restore and one by mistake.
const UPLOADS: usize = 3;

/// What is kept across restarts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    last_try: Option<Wall>,
    last_good: Option<BackupItem>,
    last_failure: Option<BackupFailure>,
    items: Vec<BackupItem>,
}

#[derive(Default)]
struct Now {
    kept: Kept,
    phase: Option<BackupPhase>,
    asked: Option<String>,
    next: Option<Wall>,
    seen: Option<(Generation, Arc<Config>)>,
}

/// The keeper of the site.
pub struct Keeper {
    store: Arc<Store>,
    steward: board::steward::client::Steward,
    now: Mutex<Now>,
    /// Raised when this process has to end in order and to be started again.
    again: Arc<AtomicBool>,
    /// Whether the alarm list knows of a failure.
    alarm: Tell,
}

impl Keeper {
    /// Reads what it knew before. `alarm` hears of a failure, and of its end.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        steward: board::steward::client::Steward,
        again: Arc<AtomicBool>,
        alarm: Tell,
    ) -> Keeper {
        let kept = store.reader().setting(SETTING).ok().flatten();
        let kept = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Keeper { store, steward, now: Mutex::new(Now { kept, ..Now::default() }), again, alarm }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until `stop`.
    pub fn run(&self, stop: &AtomicBool) {
        let mut round = 0;
        while !stop.load(Ordering::Relaxed) {
            if round % SCHEDULE == 0 {
                self.look_at_schedule();
            }
            round += 1;
            let asked = self.lock().asked.take();
            if let Some(by) = asked {
                self.save(&by);
                self.look_at_schedule();
            }
            std::thread::sleep(LOOK);
        }
    }

    fn look_at_schedule(&self) {
        let Some(config) = self.config() else { return };
        let now = clock::wall();
        (self.alarm)(self.trouble(&config, now).as_deref());
        let mut state = self.lock();
        let failed = state.kept.last_failure.as_ref().map(|f| f.at);
        state.next = config
            .backup
            .as_ref()
            .and_then(|b| due::next(b, &config.system.time_zone, state.kept.last_try, failed, now));
        if state.next.is_some_and(|at| at <= now) && state.asked.is_none() {
            state.asked = Some("schedule".into());
        }
    }

    /// What the alarm list has to know: the last failure, or that the last good backup is too old.
    fn trouble(&self, config: &Config, now: Wall) -> Option<String> {
        let wanted = config.backup.as_ref()?;
        let state = self.lock();
        if let Some(failure) = &state.kept.last_failure {
            return Some(failure.why.clone());
        }
        let made = state.kept.last_good.as_ref()?.made;
        too_old(wanted.every, config.alarm.backup_age_max_h, made, now)
    }

    /// The configuration in force; read again only when there is a newer one.
    fn config(&self) -> Option<Arc<Config>> {
        let newest = self.store.reader().generations(None, 1).ok()?.items.first()?.generation;
        if let Some((seen, config)) = &self.lock().seen
            && *seen == newest
        {
            return Some(Arc::clone(config));
        }
        let (generation, tree) = self.store.reader().current().ok()??;
        let config = Arc::new(model::config::draft::read(&tree).ok()?);
        self.lock().seen = Some((generation, Arc::clone(&config)));
        Some(config)
    }

    fn save(&self, by: &str) {
        let Some(config) = self.config() else { return };
        let Some(wanted) = &config.backup else { return };
        let now = clock::wall();
        self.lock().kept.last_try = Some(now);
        let done = self.make(&config, wanted, now);
        self.lock().phase = None;
        match done {
            Ok((item, items)) => {
                let text = format!("The site was saved to {} and proved: {} ({by}).", item.place, item.name);
                self.note("info", "backup_good", text);
                let mut state = self.lock();
                state.kept.last_good = Some(item);
                state.kept.last_failure = None;
                state.kept.items = items;
                drop(state);
                (self.alarm)(None);
            }
            Err(why) => {
                tracing::error!(why, "the site could not be saved");
                self.note("alarm", "backup_failed", format!("The site could not be saved: {why}."));
                (self.alarm)(Some(&why));
                self.lock().kept.last_failure = Some(BackupFailure { at: now, why });
            }
        }
        self.keep();
    }

    fn make(
        &self,
        config: &Config,
        wanted: &Backup,
        now: Wall,
    ) -> Result<(BackupItem, Vec<BackupItem>), String> {
        let place = Place::new(self.store.dir(), wanted, &self.steward);
        let name = due::name(&config.system.name, now);
        self.lock().phase = Some(BackupPhase::Saving);
        let folder = backup::folder(self.store.dir());
        let made = folder.join(format!("{name}.new"));
        let _ = std::fs::remove_file(&made);
        let content = Wanted {
            recordings: wanted.recordings,
            version: env!("CARGO_PKG_VERSION").into(),
            pass_phrase: wanted.pass_phrase.clone(),
        };
        let good = backup::create(self.store.dir(), &made, &content, now).map_err(|e| e.to_string())?;
        self.lock().phase = Some(BackupPhase::Sending);
        let sent = place.put(&made, &name, wanted.keep);
        if sent.is_err() {
            let _ = std::fs::remove_file(&made);
        }
        let items = sent?;
        let item = BackupItem { name, made: now, bytes: good.bytes, place: wanted.target.text() };
        Ok((item, items))
    }

    fn keep(&self) {
        let kept = self.lock().kept.clone();
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if let Err(error) = self.store.setting_put(SETTING, Some(&text)) {
            tracing::warn!(%error, "what is known of the last backup is not kept");
        }
    }

    fn note(&self, level: &str, kind: &str, text: String) {
        let note = NoteRecord {
            at: clock::wall(),
            level: level.into(),
            kind: kind.into(),
            subject: "backup".into(),
            text,
        };
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!("the event log takes no note of the backup: its queue is full");
        }
    }

    /// File of a backup that is on the box: made here or uploaded.
    fn here(&self, name: &str) -> Option<PathBuf> {
        let folder = match self.config().as_ref().and_then(|c| c.backup.as_ref()).map(|b| b.target.clone()) {
            Some(Target::Folder(folder)) if !name.starts_with(UPLOADED) => PathBuf::from(folder),
            Some(_) | None => backup::folder(self.store.dir()),
        };
        due::is_name(name).then(|| folder.join(name)).filter(|path| path.is_file())
    }

    fn uploaded(&self) -> Vec<BackupItem> {
        let all = place::list(&backup::folder(self.store.dir()), "box").unwrap_or_default();
        all.into_iter().filter(|item| item.name.starts_with(UPLOADED)).collect()
    }

    fn busy(&self, phase: BackupPhase) -> Result<Busy<'_>, SavingRefusal> {
        let mut state = self.lock();
        if state.phase.is_some() || state.asked.is_some() {
            return Err(SavingRefusal::Busy);
        }
        state.phase = Some(phase);
        Ok(Busy(self))
    }
}

/// The mark that something is done, taken off when it ends.
struct Busy<'k>(&'k Keeper);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().phase = None;
    }
}

impl web::ports::Saving for Keeper {
    fn state(&self) -> BackupState {
        let config = self.config();
        let backup = config.as_ref().and_then(|c| c.backup.clone());
        let sftp = backup.as_ref().is_some_and(|b| b.target == Target::Sftp);
        let public_key = if sftp { sftp::public_key(self.store.dir()).ok() } else { None };
        let uploaded = self.uploaded();
        let fresh = backup.as_ref().and_then(|b| Place::new(self.store.dir(), b, &self.steward).list_now());
        let state = self.lock();
        BackupState {
            configured: backup.is_some(),
            running: state.phase.or(state.asked.as_ref().map(|_| BackupPhase::Saving)),
            next: state.next,
            last_good: state.kept.last_good.clone(),
            last_failure: state.kept.last_failure.clone(),
            items: fresh.unwrap_or_else(|| state.kept.items.clone()),
            uploaded,
            public_key,
        }
    }

    fn start(&self, by: &str) -> Saved<()> {
        if self.config().is_none_or(|c| c.backup.is_none()) {
            return Err(SavingRefusal::NotConfigured);
        }
        let mut state = self.lock();
        if state.phase.is_some() || state.asked.is_some() {
            return Err(SavingRefusal::Busy);
        }
        state.asked = Some(by.to_owned());
        Ok(())
    }

    fn file(&self, name: &str) -> Saved<PathBuf> {
        self.here(name).ok_or(SavingRefusal::Unknown)
    }

    fn delete(&self, name: &str) -> Saved<()> {
        let path = self.here(name).ok_or(SavingRefusal::Unknown)?;
        std::fs::remove_file(&path).map_err(store::Fault::file(&path)).map_err(of_the_disk)?;
        self.lock().kept.items.retain(|item| item.name != name);
        self.keep();
        Ok(())
    }

    fn upload(&self) -> Saved<PathBuf> {
        let folder = backup::folder(self.store.dir());
        std::fs::create_dir_all(&folder).map_err(store::Fault::file(&folder)).map_err(of_the_disk)?;
        let mut old = self.uploaded();
        while old.len() >= UPLOADS {
            old.pop().and_then(|item| std::fs::remove_file(folder.join(item.name)).ok());
        }
        Ok(folder.join(due::name(UPLOADED.trim_end_matches('-'), clock::wall())))
    }

    fn check(&self, name: &str, pass_phrase: &str) -> Saved<String> {
        let path = self.here(name).ok_or(SavingRefusal::Unknown)?;
        let _busy = self.busy(BackupPhase::Checking)?;
        backup::check(&path, pass_phrase).map(|facts| described(&facts)).map_err(refusal)
    }

    fn restore(&self, by: &str, name: &str, pass_phrase: &str) -> Saved<String> {
        let path = self.here(name).ok_or(SavingRefusal::Unknown)?;
        let busy = self.busy(BackupPhase::Checking)?;
        let facts = backup::stage(self.store.dir(), &path, pass_phrase).map_err(refusal)?;
        tracing::warn!(by, site = facts.site, "restoring a backup: the box changes over and starts again");
        backup::commit(self.store.dir()).map_err(of_the_disk)?;
        // Nothing else may begin until the box has started again.
        std::mem::forget(busy);
        self.lock().phase = Some(BackupPhase::Restoring);
        self.again.store(true, Ordering::Relaxed);
        Ok(described(&facts))
    }

    fn reset(&self, by: &str) -> Saved<()> {
        let busy = self.busy(BackupPhase::Restoring)?;
        tracing::warn!(by, "factory reset");
        if self.steward.there() {
            let done = self.steward.ask(&Act::FactoryReset, Duration::from_secs(120));
            return done.map(drop).map_err(|refused| SavingRefusal::Failed(refused.said));
        }
        store::reset::ask(self.store.dir()).map_err(of_the_disk)?;
        // Nothing else may begin until the box has started again.
        std::mem::forget(busy);
        self.again.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn fetch(&self, name: &str) -> Saved<String> {
        let wanted = BackupName::try_from(name.to_owned()).map_err(|_| SavingRefusal::Unknown)?;
        let _busy = self.busy(BackupPhase::Checking)?;
        let act = Act::UsbGet { name: wanted };
        self.steward.ask(&act, place::STICK).map_err(|refused| SavingRefusal::Failed(refused.said))?;
        Ok(format!("{UPLOADED}{name}"))
    }
}

/// Whether a scheduled backup is too old, in words: older than the limit, and than two turns of its schedule.
fn too_old(every: Every, limit_h: u32, made: Wall, now: Wall) -> Option<String> {
    let turns_h = match every {
        Every::Day => 2 * 24,
        Every::Week => 2 * 7 * 24,
        Every::Never => return None,
    };
    let age_h = now.millis_since(made) / 3_600_000;
    (age_h > i64::from(limit_h).max(turns_h)).then(|| format!("the last good backup is {age_h} hours old"))
}

/// Backups in the data folder of a box that rests.
///
/// # Errors
/// The folder cannot be read.
pub fn on_box(data: &Path) -> anyhow::Result<Vec<BackupItem>> {
    let folder = backup::folder(data);
    if folder.exists() { Ok(place::list(&folder, "box")?) } else { Ok(Vec::new()) }
}

/// Copies a file among the backups of a running box, to be restored from there; its name there.
///
/// # Errors
/// The disk.
pub fn lay_beside(data: &Path, file: &Path) -> anyhow::Result<String> {
    let name = due::name(UPLOADED.trim_end_matches('-'), clock::wall());
    let folder = backup::folder(data);
    std::fs::create_dir_all(&folder)?;
    let to = folder.join(&name);
    std::fs::copy(file, &to)
        .map_err(|e| anyhow::anyhow!("{} cannot be copied to the box: {e}", file.display()))?;
    // Root may do this for a box that runs as another user.
    let owner = std::fs::metadata(data)?;
    std::os::unix::fs::chown(&to, Some(owner.uid()), Some(owner.gid()))?;
    Ok(name)
}

/// A backup in one line.
#[must_use]
pub fn described(facts: &Facts) -> String {
    let at =
        jiff::Timestamp::from_millisecond(facts.made.0).map(|t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let recordings = if facts.recordings { "with recordings" } else { "without recordings" };
    let at = at.unwrap_or_default();
    format!(
        "{}, made {at} by version {}, generation {}, {recordings}",
        facts.site, facts.version, facts.generation
    )
}

/// The data disk's failures are told as such; what else a file can do stands in the text.
fn of_the_disk(fault: store::Fault) -> SavingRefusal {
    match fault.is_of_the_disk() {
        true => SavingRefusal::Disk(fault.to_string()),
        false => SavingRefusal::Failed(Sentence::new(
            format!("It failed: {fault}."),
            format!("操作失败：{fault}。"),
        )),
    }
}

fn refusal(fault: BackupFault) -> SavingRefusal {
    let en = fault.to_string();
    let (code, zh) = match fault {
        BackupFault::Disk(error) => return of_the_disk(error),
        BackupFault::Waiting => return SavingRefusal::Busy,
        BackupFault::PassPhrase => return SavingRefusal::PassPhrase,
        BackupFault::Foreign(_) => {
            ("backup_foreign", "这不是 Belfry 设备的备份；请选择以 .belfry 结尾的文件。".to_owned())
        }
        BackupFault::Newer { version } => {
            ("backup_newer", format!("此备份由更新的版本（{version}）创建，请先升级本机，再恢复。"))
        }
        BackupFault::Damaged(_) => ("backup_damaged", "备份已损坏，请使用其他备份。".to_owned()),
        BackupFault::Differs(_) => ("backup_differs", "备份读回后与设备不一致，未保留。".to_owned()),
        BackupFault::NoRoom { needed_mib, free_mib } => (
            "backup_no_room",
            format!("需要 {needed_mib} MiB，数据磁盘仅剩 {free_mib} MiB；请先删除一些数据。"),
        ),
        BackupFault::Empty => ("backup_empty", "尚无配置，没有可备份的内容。".to_owned()),
    };
    SavingRefusal::Refused(code, Sentence::new(en, zh))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_too_old_by_the_limit_and_by_its_schedule() {
        let now = Wall(1_800_000_000_000);
        let old = |hours: i64| Wall(now.0 - hours * 3_600_000);
        assert_eq!(too_old(Every::Day, 48, old(48), now), None);
        assert_eq!(
            too_old(Every::Day, 48, old(49), now).as_deref(),
            Some("the last good backup is 49 hours old")
        );
        assert_eq!(too_old(Every::Day, 100, old(99), now), None);
        assert_eq!(too_old(Every::Week, 48, old(300), now), None);
        assert!(too_old(Every::Week, 48, old(337), now).is_some());
        assert_eq!(too_old(Every::Never, 48, old(9999), now), None);
    }
}
