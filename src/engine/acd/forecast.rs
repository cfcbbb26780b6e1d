//! How long a caller will wait, with an interval that four of five waits fall into; nothing when there is too little to judge
//! by. From the last times between callers leaving the queue while others waited: the wait at place k is the sum of k such
//! times, taken as gamma distributed with their mean and spread, wider for a mean known from few of them. Decides nothing.
use model::clock::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Times looked back at: enough for a stable mean, few enough to follow a change of the hour.
const LOOK_BACK: usize = 40;
/// With fewer, nothing is said.
const LEAST: usize = 8;
/// Longer than this is not said: something else is wrong.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// 80 % of a normal distribution lie within so many deviations.
const EIGHTY_PERCENT: f64 = 1.2816;

/// An interval of 80 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// One of ten waits less.
    pub from: Duration,
    /// One of ten waits longer.
    pub to: Duration,
}

/// What is known of one queue.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// When somebody left last while others stayed.
    last: Option<Mono>,
    /// Seconds between those who left.
    gaps: VecDeque<f64>,
}

impl Forecast {
    /// Somebody left the queue; `more` wait still.
    pub fn left(&mut self, now: Mono, more: bool) {
        if let Some(last) = self.last {
            self.gaps.push_back(now.since(last).as_secs_f64());
            if self.gaps.len() > LOOK_BACK {
                self.gaps.pop_front();
            }
        }
        self.last = more.then_some(now);
    }

    /// The wait at a place, from 1. `None` when it cannot be known.
    #[must_use]
    pub fn wait(&self, place: usize) -> Option<Wait> {
        if self.gaps.len() < LEAST {
            return None;
        }
        let (n, k) = (count(self.gaps.len()), count(place.max(1)));
        let mean = self.gaps.iter().sum::<f64>() / n;
        let spread = self.gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let (whole, doubt) = (k * mean, k * spread + k * k * spread / n);
        if mean <= 0.0 || doubt <= 0.0 {
            return None;
        }
        let shape = whole * whole / doubt;
        let edge = |z: f64| {
            // Wilson and Hilferty: the cube root of a gamma variable is nearly normal.
            let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
            Duration::from_secs_f64(whole * root.max(0.0).powi(3))
        };
        let wait = Wait { from: edge(-EIGHTY_PERCENT), to: edge(EIGHTY_PERCENT) };
        (wait.to <= LONGEST).then_some(wait)
    }
}

/// A small count as a number to reckon with.
fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_without_enough_to_judge_by() {
        let mut forecast = Forecast::default();
        for second in 0..8 {
            forecast.left(Mono(second * second * 1_000_000), true);
            assert_eq!(forecast.wait(1), None, "{second} times known");
        }
        forecast.left(Mono(64_000_000), true);
        let wait = forecast.wait(3).expect("eight times are enough");
        assert!(wait.from < Duration::from_secs(24) && Duration::from_secs(24) < wait.to, "{wait:?}");
    }

    #[test]
    fn times_without_a_queue_do_not_count() {
        let mut forecast = Forecast::default();
        for hour in 0..20 {
            forecast.left(Mono(hour * 3_600_000_000), false);
        }
        assert_eq!(forecast.wait(1), None);
    }
}
