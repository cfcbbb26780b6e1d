//! Whether the loops of a role still go round. A loop raises its counter after real work; here it is only seen whether
//! the counter moved in time. Judges, never kills.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A role that was started this short ago is not judged: it opens its files and sockets. Longer than a migration.
pub const START_GRACE: Duration = Duration::from_secs(30);

/// What is named when the whole process stands still.
pub const EVERY: &str = "all";

/// Longest time without a round. The service manager's limit is 15 s (`WatchdogSec`): a stuck loop must be found and its
/// role be back before. The database may take longer than a loop may, and the sound files longer still: they belong to
/// the media role, and a slow disk must not end calls.
fn limit(name: &str) -> Duration {
    match name {
        "disk" => Duration::from_secs(20),
        "store" => Duration::from_secs(12),
        "web" => Duration::from_secs(10),
        _ => Duration::from_secs(5),
    }
}

/// The loops of one role.
#[derive(Debug, Default)]
pub struct Pulses {
    seen: BTreeMap<String, (u64, Instant)>,
    /// Since when reports are due, as long as none has come.
    due: Option<Instant>,
}

impl Pulses {
    /// From now on reports are due: a role that is ready and says nothing is stuck as well.
    pub fn expect(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }

    /// Takes a report.
    pub fn report(&mut self, counts: BTreeMap<String, u64>, now: Instant) {
        for (name, count) in counts {
            let entry = self.seen.entry(name).or_insert((count, now));
            if entry.0 != count {
                *entry = (count, now);
            }
        }
    }

    /// The loop that has not gone round for longer than it may, and for how long; [`EVERY`] when none has moved.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Option<(&str, Duration)> {
        if self.seen.is_empty() {
            let silent = now.saturating_duration_since(self.due?);
            return (silent > limit(EVERY)).then_some((EVERY, silent));
        }
        let ages =
            || self.seen.iter().map(|(name, (_, at))| (name.as_str(), now.saturating_duration_since(*at)));
        let (name, age) = ages().find(|(name, age)| *age > limit(name))?;
        let standing = ages().all(|(_, other)| other > limit(""));
        Some((if standing { EVERY } else { name }, age))
    }

    /// Gives every loop its whole time again: the judge itself was late (a starved machine), so the reports may be too.
    pub fn pardon(&mut self, now: Instant) {
        for at in self.seen.values_mut().map(|(_, at)| at).chain(&mut self.due) {
            *at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(engine: u64, store: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("engine".to_owned(), engine), ("store".to_owned(), store)])
    }

    #[test]
    fn a_loop_that_stops_is_named_and_one_that_goes_on_is_not() {
        let start = Instant::now();
        let mut pulses = Pulses::default();
        pulses.report(counts(1, 1), start);
        let later = start + Duration::from_secs(6);
        pulses.report(counts(1, 2), later);
        assert_eq!(pulses.stuck(later), Some(("engine", Duration::from_secs(6))));
        pulses.report(counts(2, 3), later);
        assert_eq!(pulses.stuck(later), None);
    }

    #[test]
    fn a_slow_disk_has_more_time_than_the_engine() {
        let start = Instant::now();
        let mut pulses = Pulses::default();
        pulses.report(counts(1, 1), start);
        let later = start + Duration::from_secs(11);
        pulses.report(counts(2, 1), later);
        assert_eq!(pulses.stuck(later), None);
        let later = start + Duration::from_secs(13);
        pulses.report(counts(3, 1), later);
        assert_eq!(pulses.stuck(later).map(|(name, _)| name), Some("store"));
    }

    #[test]
    fn silence_of_the_whole_role_is_noticed_too() {
        let start = Instant::now();
        let mut pulses = Pulses::default();
        pulses.report(counts(1, 1), start);
        let stuck = pulses.stuck(start + Duration::from_secs(6));
        assert_eq!(stuck, Some((EVERY, Duration::from_secs(6))));
    }

    #[test]
    fn a_role_that_is_ready_and_never_reports_is_noticed() {
        let start = Instant::now();
        let mut pulses = Pulses::default();
        let later = start + Duration::from_secs(6);
        assert_eq!(pulses.stuck(later), None, "it is still starting");
        pulses.expect(start);
        assert_eq!(pulses.stuck(later), Some((EVERY, Duration::from_secs(6))));
        pulses.report(counts(1, 1), later);
        assert_eq!(pulses.stuck(later), None);
    }

    #[test]
    fn a_late_judge_pardons() {
        let start = Instant::now();
        let mut pulses = Pulses::default();
        pulses.report(counts(1, 1), start);
        let later = start + Duration::from_secs(60);
        pulses.pardon(later);
        assert_eq!(pulses.stuck(later), None);
    }
}
