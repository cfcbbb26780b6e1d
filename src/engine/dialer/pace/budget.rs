//! What risk a launch may take. An account of live answers and abandoned ones over the campaign's rolling thirty days,
//! held at the target by feedback from the first call on: each abandoned call makes the pace more careful, each served one
//! a little less; a world in which the usual risk costs more than elsewhere is learned. Two more accounts over the last half
//! hour and the last hour keep a bad run short. Pure.
use std::collections::VecDeque;

use super::real;

/// Days the legal account looks back (47 CFR 64.1200(a)(7): "measured over a 30-day period").
const DAYS: usize = 30;
/// Risk of a launch before anything is known: what the scenarios of the benchmark end with.
const START: f64 = 0.075;
/// The account aims a little under the cap, so that the end of a day lies under it too.
const AIM: f64 = 0.955;
/// Abandoned calls that the account counts before the first one: a campaign begins below its cap. 1 left three agents with
/// few answers at 3.1 in a hundred.
const DEBT: f64 = 1.5;
/// Log of the risk for each abandoned call more than allowed; stronger while few calls are known.
const GAIN: f64 = 0.20;
const GAIN_AT_START: f64 = 0.2;
const START_CALLS: f64 = 120.0;
/// Log of the risk learned from each answer for each call over the budget, and at most. Feedback alone stays over by as many
/// calls as a world needs (eleven where six times as many answer every other quarter of an hour). 0.0005 and 0.002 were
/// tried: too slow for a shift, and no better.
const LEARNED: f64 = 0.001;
const LEARNED_MAX: f64 = 3.0;
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
/// The same for the last hour: five in a hundred, as if there had been at least a hundred answers.
const HOUR: f64 = 3_600.0;
const BAD_HOUR: f64 = 0.05;
const BAD_HOUR_ANSWERS: f64 = 100.0;
const HOUR_HOLD_BACK: f64 = 3.0;
const HOUR_NO_RISK: f64 = 1.0;
/// So many calls over the budget are chance; each further one takes this share off the agents counted on, down to the
/// least: a forecast that is a little wrong for a hundred agents costs more calls than the smallest risk allows.
const CHANCE: f64 = 8.0;
const MISTRUST: f64 = 0.01;
const TRUST_MIN: f64 = 0.6;
/// Care that steady worlds need of small teams: 1.4 was the most in ten scenarios; where six times as many answer by turns it
/// is 2 to 5. Beyond it the forecast is wrong, not the risk: each further one adds this share to the answers expected, up to
/// the most. A larger team loses as many more calls in one moment of bad luck, so its care counts as that of a small one.
const STEADY: f64 = 1.5;
const WARY: f64 = 0.5;
const WARY_MAX: f64 = 4.0;
const SMALL_TEAM: f64 = 12.0;
/// Answers of the last hour remembered; more cannot come from one box.
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
    half_hour: Recent,
    hour: Recent,
    /// Log of the risk that this world does not bear.
    learned: f64,
}

/// Answers of the last while, and whether each was abandoned.
struct Recent {
    lasts: f64,
    answers: VecDeque<(f64, bool)>,
    abandoned: f64,
}

impl Recent {
    fn new(lasts: f64) -> Self {
        Self { lasts, answers: VecDeque::new(), abandoned: 0.0 }
    }

    fn live(&mut self, now: f64, abandoned: bool) {
        if self.answers.len() < RECENT_MAX {
            self.answers.push_back((now, abandoned));
            self.abandoned += if abandoned { 1.0 } else { 0.0 };
        }
    }

    /// Abandoned calls left until it is a bad run of this share among at least so many answers.
    fn room(&mut self, now: f64, share: f64, least: f64) -> f64 {
        while let Some((at, abandoned)) = self.answers.front().copied()
            && at < now - self.lasts
        {
            self.answers.pop_front();
            self.abandoned -= if abandoned { 1.0 } else { 0.0 };
        }
        share * real(self.answers.len()).max(least) - self.abandoned
    }
}

impl Budget {
    /// `target`: the share of live answers that may be abandoned.
    pub(super) fn new(target: f64) -> Self {
        let days = VecDeque::from([Count::default()]);
        Self { target, days, half_hour: Recent::new(HALF_HOUR), hour: Recent::new(HOUR), learned: 0.0 }
    }

    /// A new day begins; the thirtieth before it is forgotten.
    pub(super) fn day(&mut self) {
        self.days.push_back(Count::default());
        if self.days.len() > DAYS {
            self.days.pop_front();
        }
        (self.half_hour, self.hour) = (Recent::new(HALF_HOUR), Recent::new(HOUR));
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
        self.half_hour.live(now, abandoned);
        self.hour.live(now, abandoned);
        self.learned = (self.learned + LEARNED * (self.over() + DEBT)).clamp(0.0, LEARNED_MAX);
    }

    /// Live answers and abandoned ones of the last thirty days.
    pub(super) fn account(&self) -> (f64, f64) {
        self.days.iter().fold((0.0, 0.0), |sum, day| (sum.0 + day.live, sum.1 + day.abandoned))
    }

    /// Abandoned calls more than the account aims at.
    fn over(&self) -> f64 {
        let (live, abandoned) = self.account();
        abandoned - self.target * AIM * live
    }

    /// Share of the agents about to be free that is counted on: all of them while the account is about as it should be.
    pub(super) fn trust(&self) -> f64 {
        (1.0 - MISTRUST * (self.over() - CHANCE).max(0.0)).max(TRUST_MIN)
    }

    /// The risk of an abandoned call that one more launch may add at present. The lines in flight will probably
    /// cost `lost` calls.
    pub(super) fn risk(&mut self, now: f64, lost: f64) -> f64 {
        (START * (-self.care()).exp()).clamp(RISK_MIN, RISK_MAX) * self.calm(now, lost)
    }

    /// Log of how much less risk the account allows than a new one.
    fn care(&self) -> f64 {
        let (live, _) = self.account();
        let gain = GAIN + GAIN_AT_START * (-live / START_CALLS).exp();
        gain * (self.over() + DEBT) + self.learned
    }

    /// How many times as many answers as forecast to reckon with: one in a world that stays as it is, more in one whose
    /// answers leap, where a smaller risk alone no longer helps. `at_work`: agents.
    pub(super) fn wary(&self, at_work: usize) -> f64 {
        let care = self.care() / (real(at_work) / SMALL_TEAM).max(1.0);
        (1.0 + WARY * (care - STEADY).max(0.0)).min(WARY_MAX)
    }

    /// One while the last half hour and hour are fine, zero when one more abandoned call would make one of them bad.
    fn calm(&mut self, now: f64, lost: f64) -> f64 {
        let half_hour = self.half_hour.room(now, BAD_RUN, BAD_RUN_ANSWERS) - lost;
        let hour = self.hour.room(now, BAD_HOUR, BAD_HOUR_ANSWERS) - lost;
        let half_hour = (half_hour - NO_RISK) / (HOLD_BACK - NO_RISK);
        half_hour.min((hour - HOUR_NO_RISK) / (HOUR_HOLD_BACK - HOUR_NO_RISK)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_calls_make_it_careful_and_served_ones_win_the_trust_back() {
        let mut budget = Budget::new(0.03);
        let before = budget.risk(0.0, 0.0);
        budget.live(1.0, true);
        let after = budget.risk(2.0, 0.0);
        assert!(after < 0.9 * before, "{before} {after}");
        (0..60).for_each(|turn| budget.live(10.0 + real(turn), false));
        assert!(budget.risk(4_000.0, 0.0) > before);
    }

    #[test]
    fn three_abandoned_calls_among_few_stop_all_risk_for_half_an_hour() {
        let mut budget = Budget::new(0.03);
        (0..1_000).for_each(|turn| budget.live(real(turn), false));
        (0..3).for_each(|turn| budget.live(10_000.0 + real(turn), true));
        let held = budget.risk(10_010.0, 0.0);
        assert!(held < 1e-9, "{held}");
        assert!(budget.risk(12_000.0, 0.0) > 0.05);
    }

    #[test]
    fn five_abandoned_calls_in_a_hundred_stop_all_risk_for_an_hour() {
        let mut budget = Budget::new(0.03);
        (0..2_000).for_each(|turn| budget.live(real(turn), false));
        // Only two of them in the last half hour, which alone would leave some risk.
        for at in [10_000.0, 10_600.0, 11_200.0, 12_400.0, 13_300.0] {
            budget.live(at, true);
        }
        assert!(budget.risk(13_400.0, 0.0) < 1e-9);
        assert!(budget.risk(17_000.0, 0.0) > 0.05);
    }

    #[test]
    fn what_the_lines_in_flight_will_cost_counts_before_it_happens() {
        let mut budget = Budget::new(0.03);
        (0..1_000).for_each(|turn| budget.live(real(turn), false));
        let (free, lost) = (budget.risk(5_000.0, 0.0), budget.risk(5_000.0, 1.5));
        assert!(lost < 0.7 * free, "{lost} {free}");
        assert!(budget.risk(5_000.0, 3.0) < 1e-9);
    }

    #[test]
    fn fewer_agents_are_counted_on_only_when_more_is_lost_than_chance_explains() {
        let mut budget = Budget::new(0.03);
        (0..8).for_each(|turn| budget.live(real(turn), true));
        assert!(budget.trust() > 0.999);
        (0..20).for_each(|turn| budget.live(10.0 + real(turn), true));
        assert!((0.75..0.85).contains(&budget.trust()), "{}", budget.trust());
        (0..200).for_each(|turn| budget.live(40.0 + real(turn), true));
        assert!(budget.trust() >= 0.6);
        (0..8_000).for_each(|turn| budget.live(400.0 + real(turn), false));
        assert!(budget.trust() > 0.999);
    }

    #[test]
    fn a_world_that_keeps_the_account_over_its_aim_is_given_less_risk_than_a_moment_of_bad_luck() {
        let served = |budget: &mut Budget, from: usize| {
            (from..from + 300).for_each(|turn| budget.live(real(turn), false));
        };
        let lost = |budget: &mut Budget, from: usize| {
            (from..from + 12).for_each(|turn| budget.live(real(turn), true));
        };
        let (mut always, mut once) = (Budget::new(0.03), Budget::new(0.03));
        lost(&mut always, 0);
        served(&mut always, 100);
        served(&mut once, 0);
        lost(&mut once, 400);
        assert_eq!(always.account(), once.account());
        let (always, once) = (always.risk(9_000.0, 0.0), once.risk(9_000.0, 0.0));
        assert!(always < 0.5 * once, "{always} {once}");
    }

    #[test]
    fn more_answers_than_forecast_are_reckoned_with_only_where_less_risk_does_not_help() {
        let mut budget = Budget::new(0.03);
        // Of what chance does to a campaign that is fine, nothing.
        for turn in 0..3_000 {
            budget.live(real(turn), turn % 40 == 0);
            assert!(budget.wary(10) <= 1.0, "after {turn} answers: {}", budget.wary(10));
        }
        (0..400).for_each(|turn| budget.live(4_000.0 + real(turn), turn % 12 == 0));
        let (leaps, large) = (budget.wary(10), budget.wary(100));
        assert!((1.5..3.5).contains(&leaps), "one in twelve for a while: {leaps}");
        assert!(large <= 1.0, "for a hundred agents that is a moment: {large}");
        (0..400).for_each(|turn| budget.live(5_000.0 + real(turn), true));
        assert!((budget.wary(10) - 4.0).abs() < 1e-9, "but not without end: {}", budget.wary(10));
        (0..20_000).for_each(|turn| budget.live(6_000.0 + real(turn), false));
        assert!(budget.wary(10) <= 1.0, "and it is forgiven: {}", budget.wary(10));
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
