//! The service level of a queue of late: the last callers, not the whole day, so that who watches it sees a change within
//! a second, and a rush long past stands in nobody's way. Counts only.
use model::clock::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Callers looked back on: enough for steps of two percent, few enough to notice a rush at once.
const LATE: usize = 50;
/// A caller of longer ago says nothing of now.
const LOOK_BACK: Duration = Duration::from_secs(900);

/// The last callers of one queue, and whether each was served in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    last: VecDeque<(Mono, bool)>,
}

impl Level {
    /// A caller was served, in time or not, or left without an agent.
    pub fn count(&mut self, now: Mono, in_time: bool) {
        self.last.push_back((now, in_time));
        if self.last.len() > LATE {
            self.last.pop_front();
        }
    }

    /// Percent served in time; `overdue` callers who wait too long already count as not. `None` before the first.
    #[must_use]
    pub fn percent(&self, now: Mono, overdue: usize) -> Option<u32> {
        let of_late = self.last.iter().filter(|(at, _)| now.since(*at) <= LOOK_BACK);
        let (good, seen) = of_late.fold((0, 0), |(good, seen), (_, t)| (good + usize::from(*t), seen + 1));
        let all = seen + overdue;
        (all > 0).then(|| u32::try_from(good * 100 / all).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_who_wait_too_long_count_before_they_are_served() {
        let (mut level, now) = (Level::default(), Mono(0));
        assert_eq!(level.percent(now, 0), None);
        assert_eq!(level.percent(now, 1), Some(0));
        (0..10).for_each(|_| level.count(now, true));
        assert_eq!(level.percent(now, 0), Some(100));
        assert_eq!(level.percent(now, 10), Some(50));
        (0..100).for_each(|_| level.count(now, false));
        assert_eq!(level.percent(now, 0), Some(0));
    }

    #[test]
    fn a_rush_long_past_is_forgotten() {
        let mut level = Level::default();
        level.count(Mono(0), false);
        let at = |s| Mono(0) + Duration::from_secs(s);
        assert_eq!(level.percent(at(600), 0), Some(0));
        assert_eq!(level.percent(at(901), 0), None);
    }
}
