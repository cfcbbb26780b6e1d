//! What risk a launch may take. An account of live answers and abandoned ones over the campaign's rolling thirty days,
//! held at the target by feedback from the first call on: each abandoned call makes the pace more careful, each served one
//! a little less. A second account over the last half hour keeps a bad run short. Pure.
use std::collections::VecDeque;

use super::real;

/// Days the legal account looks back (47 CFR 64.1200(a)(7): "measured over a 30-day period").
const DAYS: usize = 30;
/// Risk of a launch before anything is known: what the scenarios of the benchmark end with.
const START: f64 = 0.075;
/// The account aims a little under the cap, so that the end of a day lies under it too.
const AIM: f64 = 0.985;
/// Abandoned calls that the account counts before the first one: a campaign begins below its cap.
const DEBT: f64 = 0.5;
/// Log of the risk for each abandoned call more than allowed; stronger while few calls are known.
const GAIN: f64 = 0.08;
const GAIN_AT_START: f64 = 0.2;
const START_CALLS: f64 = 120.0;
const RISK_MIN: f64 = 0.002;
const RISK_MAX: f64 = 0.6;
/// A bad run: this share in half an hour, as if there had been at least forty answers; a little under the eight in a
/// hundred that the benchmark allows, because lines in flight cannot be called back.
const HALF_HOUR: f64 = 1_800.0;
const BAD_RUN: f64 = 0.07;
const BAD_RUN_ANSWERS: f64 = 40.0;
/// Abandoned calls before a bad run at which the pace begins to hold back, and at which it takes no risk at all.
const HOLD_BACK: f64 = 2.5;
const NO_RISK: f64 = 0.5;
/// Answers of the last half hour remembered; more cannot come from one box.
const RECENT_MAX: usize = 20_000;

#[derive(Clone, Copy, Default)]
struct Count {
    live: f64,
    abandoned: f64,
}

/// The account of abandoned calls.
pub(super) struct Budget {
    target: f64,
    /// Today is the last one.
    days: VecDeque<Count>,
    recent: VecDeque<(f64, bool)>,
}

impl Budget {
    /// `target`: the share of live answers that may be abandoned.
    pub(super) fn new(target: f64) -> Self {
        Self { target, days: VecDeque::from([Count::default()]), recent: VecDeque::new() }
    }

    /// A new day begins; the thirtieth before it is forgotten.
    pub(super) fn day(&mut self) {
        self.days.push_back(Count::default());
        if self.days.len() > DAYS {
            self.days.pop_front();
        }
        self.recent.clear();
    }

    /// Days before this one, the oldest first; the last of them goes on.
    pub(super) fn remember(&mut self, days: &[(u32, u32)]) {
        for (live, abandoned) in days.iter().rev().take(DAYS).rev() {
            self.days.push_back(Count { live: f64::from(*live), abandoned: f64::from(*abandoned) });
        }
        while self.days.len() > DAYS {
            self.days.pop_front();
        }
    }

    /// A person answered and was served, or was abandoned.
    pub(super) fn live(&mut self, now: f64, abandoned: bool) {
        if let Some(today) = self.days.back_mut() {
            today.live += 1.0;
            today.abandoned += if abandoned { 1.0 } else { 0.0 };
        }
        if self.recent.len() < RECENT_MAX {
            self.recent.push_back((now, abandoned));
        }
    }

    /// Live answers and abandoned ones of the last thirty days.
    pub(super) fn account(&self) -> (f64, f64) {
        self.days.iter().fold((0.0, 0.0), |sum, day| (sum.0 + day.live, sum.1 + day.abandoned))
    }

    /// The risk of an abandoned call that one more launch may add at present.
    pub(super) fn risk(&mut self, now: f64) -> f64 {
        let (live, abandoned) = self.account();
        let over = abandoned + DEBT - self.target * AIM * live;
        let gain = GAIN + GAIN_AT_START * (-live / START_CALLS).exp();
        (START * (-gain * over).exp()).clamp(RISK_MIN, RISK_MAX) * self.calm(now)
    }

    /// One while the last half hour is fine, zero when one more abandoned call would make it a bad run.
    fn calm(&mut self, now: f64) -> f64 {
        while self.recent.front().is_some_and(|(at, _)| *at < now - HALF_HOUR) {
            self.recent.pop_front();
        }
        let abandoned = real(self.recent.iter().filter(|(_, abandoned)| *abandoned).count());
        let room = BAD_RUN * real(self.recent.len()).max(BAD_RUN_ANSWERS) - abandoned;
        ((room - NO_RISK) / (HOLD_BACK - NO_RISK)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_calls_make_it_careful_and_served_ones_win_the_trust_back() {
        let mut budget = Budget::new(0.03);
        let before = budget.risk(0.0);
        budget.live(1.0, true);
        let after = budget.risk(2.0);
        assert!(after < 0.9 * before, "{before} {after}");
        (0..60).for_each(|turn| budget.live(10.0 + real(turn), false));
        assert!(budget.risk(4_000.0) > before);
    }

    #[test]
    fn three_abandoned_calls_among_few_stop_all_risk_for_half_an_hour() {
        let mut budget = Budget::new(0.03);
        (0..1_000).for_each(|turn| budget.live(real(turn), false));
        (0..3).for_each(|turn| budget.live(10_000.0 + real(turn), true));
        let held = budget.risk(10_010.0);
        assert!(held < 1e-9, "{held}");
        assert!(budget.risk(12_000.0) > 0.05);
    }

    #[test]
    fn what_happened_thirty_days_ago_is_forgotten() {
        let mut budget = Budget::new(0.03);
        (0..50).for_each(|turn| budget.live(real(turn), true));
        (0..29).for_each(|_| budget.day());
        assert_eq!(budget.account(), (50.0, 50.0));
        budget.day();
        assert_eq!(budget.account(), (0.0, 0.0));
    }
}
