//! Looks at everything once: the machine's sensors, the disk, the store, the trunks, the phones, the clock, the
//! certificate, the supervisor's news. Says what each look means by the limits of section `[alarm]`; [`super::judge`]
//! decides what becomes of it.
use super::judge::{Look, Sign};
use super::watch::Watch;
use crate::mirror::{Mirror, State};
use board::sensor::Sensors;
use model::clock::Now;
use model::config::alarm::Alarm;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};
use store::Store;

/// 2026-01-01: a clock before this was never set.
const CLOCK_SET: i64 = 1_767_225_600_000;
/// A wall clock that moves this much against the other one was set.
const JUMP_S: i64 = 30;
/// Phones are given this long to come back after a start before any counts as lost.
const PHONES_START: Duration = Duration::from_secs(120);
/// A phone that has been away this long is not missed any more.
const PHONE_FORGET: Duration = Duration::from_secs(24 * 3600);
/// A deed of the supervisor is an alarm for this long.
const RECENT: Duration = Duration::from_secs(600);
/// A reset by the watchdog, and a jump of the clock, stay alarms for this long.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long what must not come from a single busy moment has to last.
const LASTING: Duration = Duration::from_secs(60);
/// How long the clock may go without a time server after a start. Later the kernel waits by itself: it calls a clock right
/// until it may be 16 s wrong, about nine hours after the last answer.
const UNSYNCHRONISED: Duration = Duration::from_secs(3600);
/// A share of the limit that has to be won back before an alarm ends, in percent points and degrees.
const MARGIN: i64 = 3;

/// What is looked at.
pub struct Eyes {
    /// The machine.
    pub sensors: Sensors,
    /// Watchdog of the service manager.
    pub watchdog: Option<String>,
    /// The disk.
    pub store: Arc<Store>,
    /// Trunks and phones.
    pub mirror: Arc<Mirror>,
    /// What the supervisor told.
    pub watch: Arc<Watch>,
    /// Certificate of the web.
    pub certificate: PathBuf,
    /// Start of this process.
    pub started: Instant,
    /// Whether the time servers of the site are this box's own business; a PC has a clock of its own.
    pub keeps_time: bool,
    memory: Memory,
}

/// What has to be compared with the last time.
#[derive(Default)]
struct Memory {
    last: Option<Now>,
    jumped: Option<(Instant, i64)>,
    phones: BTreeMap<String, Instant>,
    certificate: Option<(SystemTime, Option<i64>)>,
}

impl Eyes {
    /// Eyes that have seen nothing yet.
    #[must_use]
    pub fn new(
        board: &board::description::Health,
        store: Arc<Store>,
        mirror: Arc<Mirror>,
        watch: Arc<Watch>,
        certificate: PathBuf,
    ) -> Eyes {
        Eyes {
            sensors: Sensors::new(&board.root),
            watchdog: board.watchdog.clone(),
            store,
            mirror,
            watch,
            certificate,
            started: Instant::now(),
            keeps_time: false,
            memory: Memory::default(),
        }
    }

    /// One round.
    pub fn look(&mut self, limits: &Alarm, now: Now) -> Vec<Look> {
        let state = self.mirror.state();
        let mut looks = Vec::new();
        self.machine(limits, &mut looks);
        self.disk(limits, &mut looks);
        self.clock(now, &mut looks);
        self.supervisor(&mut looks);
        trunks(&state, limits, &mut looks);
        looks.push(budgets(&state));
        looks.extend(self.phones(&state, limits));
        looks.extend(self.certificate(limits, now));
        looks
    }

    fn machine(&self, limits: &Alarm, looks: &mut Vec<Look>) {
        if let Some((name, heat)) = self.sensors.hottest() {
            let limit = i64::from(limits.temperature_max_c);
            looks.push(Look::below("temperature", heat, limit, limit - MARGIN, "celsius").detail(name));
        }
        if let Some(free) = self.sensors.memory_free_percent() {
            let limit = i64::from(limits.memory_free_min_percent);
            looks.push(Look::above("memory", free, limit, limit + MARGIN, "percent"));
        }
        if let Some(load) = self.sensors.load_percent() {
            let limit = i64::from(limits.load_max_percent);
            looks.push(Look::below("load", load, limit, limit * 3 / 4, "percent").after(LASTING));
        }
        if let Some(worn) = self.sensors.wear_percent() {
            looks.push(Look::below("disk_wear", worn, 90, 80, "percent"));
        }
        if let Some(fact) = self.sensors.boot_fact("recovery") {
            looks.push(Look::fine("recovery", "", fact != "1"));
        }
        let Some(name) = &self.watchdog else { return };
        let state = self.sensors.watchdog(name);
        let active = state.as_ref().is_some_and(|s| s.active);
        looks.push(Look::fine("watchdog", "", active).detail(name.as_str()));
        let reset = state.is_some_and(|s| s.did_reset) && self.started.elapsed() < REMEMBERED;
        looks.push(Look::fine("watchdog_reset", "", !reset));
    }

    fn disk(&self, limits: &Alarm, looks: &mut Vec<Look>) {
        if let Some(free) = room_percent(self.store.dir()) {
            let limit = i64::from(limits.disk_free_min_percent);
            looks.push(Look::above("disk_room", free, limit, limit + MARGIN, "percent"));
        }
        let health = self.store.health();
        let suspect = health.suspect.load(Ordering::Relaxed);
        let trouble = if suspect { health.trouble() } else { String::new() };
        looks.push(Look { until: Duration::ZERO, ..Look::fine("database", "", !suspect).detail(trouble) });
        let aside = set_aside(self.store.dir());
        looks.push(Look::fine("database_damaged", "", aside.is_none()).detail(aside.unwrap_or_default()));
    }

    /// Both clocks run alike; when the wall clock moves against the other, somebody set it.
    fn clock(&mut self, now: Now, looks: &mut Vec<Look>) {
        if let Some(last) = self.memory.last.replace(now) {
            let ran = i64::try_from(now.mono.since(last.mono).as_millis()).unwrap_or(i64::MAX);
            let by = now.wall.millis_since(last.wall).saturating_sub(ran) / 1000;
            // A box that wakes up in 1970 and learns the time is well.
            if by.abs() >= JUMP_S && last.wall.0 >= CLOCK_SET {
                self.memory.jumped = Some((Instant::now(), by));
            }
        }
        let jumped = self.memory.jumped.filter(|(at, _)| at.elapsed() < RECENT);
        let look = Look::fine("clock_jump", "", jumped.is_none());
        looks.push(Look {
            value: Some(jumped.map_or(0, |(_, by)| by)),
            limit: Some(JUMP_S),
            unit: "seconds",
            ..look
        });
        looks.push(Look::fine("clock", "", now.wall.0 >= CLOCK_SET));
        if self.keeps_time {
            looks.push(clock_sync(board::rtc::is_synchronised()));
        }
    }

    fn supervisor(&self, looks: &mut Vec<Look>) {
        let news = self.watch.news();
        let (count, cause) = news.recent(RECENT);
        let look = Look::below("restarts", count, 1, 0, "count").detail(cause);
        looks.push(Look { until: Duration::ZERO, ..look });
        if let Some(trouble) = news.watchdog {
            looks.push(Look::fine("watchdog", "", trouble.is_empty()).detail(trouble));
        }
    }

    fn phones(&mut self, state: &State, limits: &Alarm) -> Option<Look> {
        let now = Instant::now();
        for phone in &state.registered {
            self.memory.phones.insert(phone.clone(), now);
        }
        self.memory
            .phones
            .retain(|phone, seen| state.phones.contains(phone) && seen.elapsed() < PHONE_FORGET);
        if self.started.elapsed() < PHONES_START && self.memory.phones.is_empty() {
            return None;
        }
        let away: Vec<&str> = self
            .memory
            .phones
            .keys()
            .filter(|p| !state.registered.contains(*p))
            .map(String::as_str)
            .collect();
        let count = i64::try_from(away.len()).unwrap_or(i64::MAX);
        let limit = i64::from(limits.phones_lost_max);
        let names = away.iter().take(10).copied().collect::<Vec<_>>().join(", ");
        Some(Look::below("phones", count, limit, limit - 1, "count").detail(names))
    }

    /// Read again only when the file is another.
    fn certificate(&mut self, limits: &Alarm, now: Now) -> Option<Look> {
        let changed = std::fs::metadata(&self.certificate).and_then(|m| m.modified()).ok()?;
        if self.memory.certificate.as_ref().is_none_or(|(at, _)| *at != changed) {
            let ends = web::tls::ends(&self.certificate).ok();
            self.memory.certificate = Some((changed, ends));
        }
        let (_, ends) = self.memory.certificate.as_ref()?;
        let days = (ends.as_ref()? - now.wall.0 / 1000) / 86_400;
        let limit = i64::from(limits.certificate_min_days);
        Some(Look::above("certificate", days, limit, limit, "days"))
    }
}

/// Whether a time server keeps the clock right; told only when it has lasted.
fn clock_sync(synchronised: bool) -> Look {
    Look::fine("clock_sync", "", synchronised).after(UNSYNCHRONISED)
}

/// One check for all: whose minutes are used up stands in its words.
fn budgets(state: &State) -> Look {
    let spent = state.budgets.values().flat_map(|b| {
        b.uses
            .iter()
            .filter(|u| u.spent)
            .map(|u| format!("{}: {} {} min", b.scope, u.class.word(), u.used_s / 60))
    });
    let words = spent.take(10).collect::<Vec<_>>().join(", ");
    Look::fine("budget", "", words.is_empty()).detail(words)
}

fn trunks(state: &State, limits: &Alarm, looks: &mut Vec<Look>) {
    let patience = Duration::from_secs(u64::from(limits.trunk_down_s));
    for trunk in state.trunks.values() {
        let sign = match trunk.state.as_str() {
            "up" => Sign::Good,
            "down" | "refusing" => Sign::Bad,
            _ => Sign::Between,
        };
        let why =
            if sign == Sign::Good { String::new() } else { format!("{} {}", trunk.cause, trunk.detail) };
        looks.push(Look::new("trunk", &trunk.trunk, sign).detail(why.trim()).after(patience));
    }
}

/// Room, and names for files, left; whichever is less.
fn room_percent(dir: &std::path::Path) -> Option<i64> {
    let v = nix::sys::statvfs::statvfs(dir).ok()?;
    let share = |free: u64, all: u64| (all > 0).then(|| free.saturating_mul(100) / all);
    let room = share(v.blocks_available(), v.blocks())?;
    let names = share(v.files_available(), v.files()).unwrap_or(100);
    i64::try_from(room.min(names)).ok()
}

/// The newest database that was set aside, by its file name.
fn set_aside(dir: &std::path::Path) -> Option<String> {
    let names = std::fs::read_dir(dir).ok()?.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    names
        .filter(|n| n.starts_with("belfry.db.damaged-") && !n.ends_with("-wal") && !n.ends_with("-shm"))
        .max()
}

#[cfg(test)]
mod tests {
    use super::super::judge::Judge;
    use super::*;
    use model::clock::{Mono, Wall};

    #[test]
    fn a_clock_without_a_time_server_is_told_after_an_hour_and_once() {
        let mut judge = Judge::default();
        let mut told = Vec::new();
        let synchronised = |minute: u64| !(10..30).contains(&minute) && !(100..=170).contains(&minute);
        for minute in 0..300 {
            let now = Now { mono: Mono(minute * 60_000_000), wall: Wall(1_800_000_000_000) };
            let verdict = judge.take(vec![clock_sync(synchronised(minute))], now);
            told.extend(verdict.raised.iter().map(|check| (minute, check.kind.clone())));
            told.extend(verdict.cleared.iter().map(|_| (minute, "well".to_owned())));
        }
        assert_eq!(told, [(160, "clock_sync".to_owned()), (172, "well".to_owned())]);
    }
}
