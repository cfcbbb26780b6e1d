//! How long to wait before a role is started again. The first failure after a quiet time is repaired at once; a crash
//! loop is slowed, but never so much that the box looks dead. Decides only the wait.
use std::time::{Duration, Instant};

/// Wait after the second failure in a row; doubles with each further one.
const FIRST: Duration = Duration::from_millis(200);
/// Longest wait: a person at a dead phone tries again after about this long.
const LONGEST: Duration = Duration::from_secs(5);
/// A role that ran this long is healthy again.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Failures in a row of one role.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure of a role that ran for `ran` and gives the moment of its next start.
    pub fn failed(&mut self, ran: Duration, now: Instant) -> Instant {
        if ran >= HEALTHY_AFTER {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        now + self.wait()
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn wait(&self) -> Duration {
        match self.failures {
            0 | 1 => Duration::ZERO,
            n => FIRST.saturating_mul(1 << (n - 2).min(10)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_repaired_at_once_and_a_loop_waits_longer_each_time_up_to_five_seconds() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let waits: Vec<_> =
            (0..9).map(|_| (backoff.failed(Duration::from_secs(1), now) - now).as_millis()).collect();
        assert_eq!(waits, [0, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    }

    #[test]
    fn a_role_that_ran_for_a_while_is_repaired_at_once_again() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.failed(Duration::from_secs(1), now);
        }
        assert_eq!(backoff.failed(Duration::from_secs(31), now), now);
        assert_eq!(backoff.failures(), 1);
    }

    #[test]
    fn endless_failures_do_not_overflow() {
        let now = Instant::now();
        let mut backoff = Backoff { failures: u32::MAX - 1 };
        assert_eq!(backoff.failed(Duration::ZERO, now) - now, LONGEST);
        assert_eq!(backoff.failed(Duration::ZERO, now) - now, LONGEST);
    }
}
