//! What a queue did today, in the site's zone. Counts only; decides nothing. A start of the box goes on with what the records say.
use model::clock::Wall;
use std::time::Duration;

/// Counters of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Callers who came.
    pub offered: u32,
    /// Answered by an agent.
    pub answered: u32,
    /// Left before an agent.
    pub abandoned: u32,
    /// Sent on by rule.
    pub overflowed: u32,
    /// Hung up to be called back.
    pub promised: u32,
    /// Answered within the service level.
    pub in_level: u32,
    /// Sum of the waits of answered callers, ms.
    pub wait_ms: u64,
    /// The counters go back to zero here.
    ends: Option<Wall>,
}

impl Tally {
    /// An agent answered after this wait.
    pub fn answer(&mut self, wait: Duration, service_level_s: u32) {
        self.answered += 1;
        self.in_level += u32::from(wait <= Duration::from_secs(service_level_s.into()));
        self.wait_ms += u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    }

    /// Begins a new day when midnight of the zone has passed.
    pub fn roll(&mut self, now: Wall, zone: &str) {
        match self.ends {
            Some(ends) if now < ends => {}
            Some(_) => *self = Tally { ends: next_midnight(now, zone), ..Tally::default() },
            None => self.ends = next_midnight(now, zone),
        }
    }
}

fn next_midnight(now: Wall, zone: &str) -> Option<Wall> {
    let here = jiff::Timestamp::from_millisecond(now.0).ok()?.in_tz(zone).ok()?;
    let midnight = here.date().tomorrow().ok()?.in_tz(zone).ok()?;
    Some(Wall(midnight.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_start_again_at_midnight_of_the_site() {
        let before = Wall(1_700_002_799_000); // 2023-11-14T23:59:59+01:00
        let mut tally = Tally::default();
        tally.roll(before, "Europe/Berlin");
        tally.answer(Duration::from_secs(5), 20);
        tally.roll(before, "Europe/Berlin");
        assert_eq!((tally.answered, tally.in_level, tally.wait_ms), (1, 1, 5_000));
        tally.roll(Wall(before.0 + 2_000), "Europe/Berlin");
        assert_eq!(tally.answered, 0);
    }
}
