//! Many seeds of one scenario, together: means with their 95 % intervals, totals for the bound.
use super::floor::{Outcome, run, run_while};
use super::rule::{Form, real};
use super::scenario::{Change, Scenario, Span};
use std::ops::RangeInclusive;

/// One rule on one scenario.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// Name of the rule.
    pub rule: &'static str,
    /// Its setting, when it has one.
    pub setting: Option<f64>,
    /// Share of the time at work spent talking or wrapping up, mean of the seeds.
    pub utilisation: f64,
    /// Half of the 95 % interval of that mean.
    pub utilisation_ci: f64,
    /// Abandoned over live answers, all seeds together.
    pub abandonment: f64,
    /// Half of the 95 % interval of that, from how much the seeds differ.
    pub abandonment_ci: f64,
    /// The same in the worst half hour of any seed with at least forty live answers.
    pub abandonment_half_hour_max: f64,
    /// The same in the worst hour of any seed with at least a hundred live answers.
    pub abandonment_hour_max: f64,
    /// Persons served for each agent and hour at work.
    pub contacts_per_agent_h: f64,
    /// Lines dialled for each person served.
    pub dials_per_contact: f64,
}

/// A scenario under several rules.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// Agents on the floor.
    pub agents: usize,
    /// Seeds run.
    pub seeds: u64,
    /// Share of live answers that may be abandoned.
    pub target: f64,
    /// The shipped pacing first.
    pub rows: Vec<Row>,
}

impl Report {
    /// The shipped pacing against what people know: manual, preview, one line an agent, fixed multiples, and somebody who
    /// knows every answer in advance.
    #[must_use]
    pub fn of(scenario: &Scenario, seeds: &RangeInclusive<u64>) -> Self {
        let mut rows: Vec<Row> = FORMS.into_iter().map(|form| row(scenario, form, seeds)).collect();
        rows.push(Row { rule: CLAIRVOYANT, ..row(&sure(scenario), Form::Progressive, seeds) });
        let count = u64::try_from(seeds.clone().count()).unwrap_or(u64::MAX);
        Self::with(scenario, count, rows)
    }

    /// The same for as long as `goes_on` says so: as many seeds as every rule was played with. `None` when there was not
    /// time for one.
    pub fn within(scenario: &Scenario, seeds: u64, goes_on: &dyn Fn() -> bool) -> Option<Self> {
        let sure = sure(scenario);
        let mut played: Vec<Vec<Outcome>> = vec![];
        for seed in 1..=seeds {
            let forms = FORMS.into_iter().map(|form| run_while(scenario, form, seed, goes_on));
            let bound = || run_while(&sure, Form::Progressive, seed, goes_on);
            let Some(all) = forms.chain(std::iter::once_with(bound)).collect() else { break };
            played.push(all);
        }
        let of_rule = |place: usize| -> Vec<Outcome> {
            played.iter().filter_map(|outcomes| outcomes.get(place)).copied().collect()
        };
        let mut rows: Vec<Row> =
            FORMS.into_iter().enumerate().map(|(place, form)| summed(form, &of_rule(place))).collect();
        rows.push(Row { rule: CLAIRVOYANT, ..summed(Form::Progressive, &of_rule(FORMS.len())) });
        let seeds = u64::try_from(played.len()).unwrap_or(0);
        (seeds > 0).then(|| Self::with(scenario, seeds, rows))
    }

    fn with(scenario: &Scenario, seeds: u64, rows: Vec<Row>) -> Self {
        Self {
            scenario: scenario.name.clone(),
            agents: scenario.count(),
            seeds,
            target: scenario.target,
            rows,
        }
    }
}

/// What people know beside the shipped pacing.
const FORMS: [Form; 7] = [
    Form::Predictive,
    Form::Prepared(18.0),
    Form::Prepared(11.0),
    Form::Progressive,
    Form::Ratio(1.5),
    Form::Ratio(2.0),
    Form::Ratio(3.0),
];
/// Name of somebody who knows every answer in advance.
pub const CLAIRVOYANT: &str = "clairvoyant";

/// All seeds of one rule.
#[must_use]
pub fn row(scenario: &Scenario, form: Form, seeds: &RangeInclusive<u64>) -> Row {
    let outcomes: Vec<Outcome> = seeds.clone().map(|seed| run(scenario, form, seed)).collect();
    summed(form, &outcomes)
}

/// Answers are at hand the moment an agent is free.
fn sure(scenario: &Scenario) -> Scenario {
    let mut sure = scenario.clone();
    (sure.list.live, sure.list.machine, sure.list.busy, sure.list.invalid) = (1.0, 0.0, 0.0, 0.0);
    (sure.list.setup, sure.list.ring) = (Span::gamma(0.001, 0.4), Span::gamma(0.001, 0.6));
    (sure.list.segments, sure.list.numbers) = (vec![1.0], None);
    (sure.trunk, sure.detector) = (Default::default(), None);
    for change in &mut sure.change {
        // Only what people do still changes.
        let (talk, wrap, agents) = (change.talk, change.wrap, change.agents);
        *change = Change {
            day: change.day,
            ramp: change.ramp,
            talk,
            wrap,
            agents,
            ..Change::none(change.from_h, change.to_h)
        };
    }
    sure
}

/// The best setting of a rule that keeps the bound, as no site could find it in practice. None keeps it: the most careful.
#[must_use]
pub fn tuned(scenario: &Scenario, settings: &[Form], seeds: &RangeInclusive<u64>) -> Option<Row> {
    let rows: Vec<Row> = settings.iter().map(|form| row(scenario, *form, seeds)).collect();
    let keeps = |row: &&Row| row.abandonment <= scenario.target;
    let best = rows.iter().filter(keeps).max_by(|a, b| a.utilisation.total_cmp(&b.utilisation));
    best.or_else(|| rows.iter().min_by(|a, b| a.abandonment.total_cmp(&b.abandonment))).cloned()
}

fn summed(form: Form, outcomes: &[Outcome]) -> Row {
    let n = real(outcomes.len()).max(1.0);
    let half_interval = |of: fn(&Outcome) -> f64| {
        let mean = outcomes.iter().map(of).sum::<f64>() / n;
        let variance =
            outcomes.iter().map(|outcome| (of(outcome) - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        1.96 * (variance / n).sqrt()
    };
    let total = |of: fn(&Outcome) -> usize| real(outcomes.iter().map(of).sum());
    let (live, abandoned) = (total(|outcome| outcome.live), total(|outcome| outcome.abandoned));
    let hours: f64 = outcomes.iter().map(|outcome| outcome.at_work_s / 3_600.0).sum();
    let contacts = (live - abandoned).max(1.0);
    Row {
        rule: form.name(),
        setting: match form {
            Form::Predictive | Form::Progressive => None,
            Form::Prepared(x)
            | Form::Ratio(x)
            | Form::QueueDialler(x)
            | Form::AdaptiveLevel(x)
            | Form::PredictedIdle(x)
            | Form::Batch(x) => Some(x),
        },
        utilisation: outcomes.iter().map(Outcome::utilisation).sum::<f64>() / n,
        utilisation_ci: half_interval(Outcome::utilisation),
        abandonment: abandoned / live.max(1.0),
        abandonment_ci: half_interval(Outcome::abandonment),
        abandonment_half_hour_max: outcomes.iter().map(|outcome| outcome.worst_half_hour).fold(0.0, f64::max),
        abandonment_hour_max: outcomes.iter().map(|outcome| outcome.worst_hour).fold(0.0, f64::max),
        contacts_per_agent_h: contacts / hours.max(1e-9),
        dials_per_contact: total(|outcome| outcome.dialled) / contacts,
    }
}
