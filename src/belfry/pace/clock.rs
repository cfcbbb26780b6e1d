//! Times from outside as times the pace can reckon with: they begin at zero, never go back and never leap. A simulator whose
//! clock is set, or that plays another day without saying so, goes on where it was.

/// Lines may be told this much out of order; what is further back is a clock that was set.
const BACK: f64 = 60.0;
/// No shift is this long, and nobody works on overnight without a line.
const LEAP: f64 = 86_400.0;

/// The time of the session.
#[derive(Default)]
pub(super) struct Clock {
    /// What is added to times from outside; nothing is known before the first of them.
    offset: Option<f64>,
    now: f64,
}

impl Clock {
    /// The moment of a line. Without a time, or with one that is no number, it is the one before.
    pub(super) fn at(&mut self, told: Option<f64>) -> f64 {
        let Some(told) = told.filter(|t| t.is_finite()) else { return self.now };
        let at = told + self.offset.unwrap_or(-told);
        if (self.now - BACK..=self.now + LEAP).contains(&at) {
            self.offset.get_or_insert(-told);
            self.now = self.now.max(at);
        } else {
            self.offset = Some(self.now - told);
        }
        self.now
    }

    /// The beginning of what is told at `told` and began at `since`: at most a day ago, never in the future.
    pub(super) fn since(&self, told: Option<f64>, since: Option<f64>) -> f64 {
        let ago = told.zip(since).map_or(0.0, |(told, since)| told - since);
        if ago.is_finite() { self.now - ago.clamp(0.0, LEAP) } else { self.now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_whatever_is_told() {
        let mut clock = Clock::default();
        let told =
            [1e9, 1e9 + 5.0, 1e9 + 3.0, f64::NAN, 1e9 + 6.0, 1e18, 7.0, 9.0, -1e308, 1e308, f64::INFINITY];
        let seen: Vec<f64> = told.into_iter().map(|t| clock.at(Some(t))).collect();
        assert_eq!(seen, [0.0, 5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 8.0, 8.0, 8.0, 8.0]);
        assert_eq!(clock.at(None), 8.0);
    }

    #[test]
    fn what_began_is_never_in_the_future() {
        let mut clock = Clock::default();
        clock.at(Some(100.0));
        assert_eq!(clock.since(Some(100.0), Some(90.0)), -10.0);
        assert_eq!(clock.since(Some(100.0), Some(200.0)), 0.0);
        assert_eq!(clock.since(None, Some(200.0)), 0.0);
        assert_eq!(clock.since(Some(100.0), Some(f64::NAN)), 0.0);
        assert_eq!(clock.since(Some(100.0), Some(-1e300)), -86_400.0);
    }
}
