//! A question about a campaign that is not running: what would come of these agents, this list and these lines; and its
//! answer. Plain data; `sim::dialer` answers it with the pace of real campaigns. What a campaign has lived through becomes
//! the world of the question here.
use super::attempt::{AttemptRecord, CallResult, Step};
use serde::{Deserialize, Serialize};

/// The question. Shares are percent of all dials; what is left of them nobody answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DialQuestion {
    /// Agents at work, 1 to 100.
    pub agents: u32,
    /// Hours of work, 0.5 to 8.
    pub hours: f64,
    /// Dials that a person answers, percent.
    pub live_percent: f64,
    /// Dials that a machine answers, percent.
    pub machine_percent: f64,
    /// Dials that are busy, percent.
    pub busy_percent: f64,
    /// Dials to numbers that do not exist, percent.
    pub invalid_percent: f64,
    /// Mean seconds of a conversation.
    pub talk_s: f64,
    /// How much conversations differ: standard deviation over mean.
    pub talk_cv: f64,
    /// Mean seconds of after-call work.
    pub wrap_s: f64,
    /// Mean seconds of ringing until a person answers.
    pub ring_s: f64,
    /// Seconds a line rings at most.
    pub ring_timeout_s: f64,
    /// Lines at once; no limit unless given.
    pub lines: Option<u32>,
    /// New lines a second; no limit unless given.
    pub calls_per_second: Option<u32>,
    /// Most abandoned calls, in tenths of a percent.
    pub abandoned_permille: u32,
    /// Days simulated by chance, 1 to 20: the more, the surer the answer.
    pub runs: u32,
}

impl Default for DialQuestion {
    fn default() -> Self {
        Self {
            agents: 5,
            hours: 4.0,
            live_percent: 30.0,
            machine_percent: 0.0,
            busy_percent: 8.0,
            invalid_percent: 7.0,
            talk_s: 120.0,
            talk_cv: 0.9,
            wrap_s: 20.0,
            ring_s: 9.0,
            ring_timeout_s: 25.0,
            lines: None,
            calls_per_second: None,
            abandoned_permille: 30,
            runs: 4,
        }
    }
}

/// What would come of one way of dialling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DialRow {
    /// `predictive manual preview progressive ratio clairvoyant`; the last knows every answer in advance.
    pub rule: String,
    /// Its setting: lines for each free agent of `ratio`, seconds before each dial of `manual` and `preview`.
    pub setting: Option<f64>,
    /// Time at work spent talking or in after-call work, percent.
    pub utilisation: f64,
    /// Half of the 95 % interval of that, points.
    pub utilisation_ci: f64,
    /// Persons who answered and found no agent, percent.
    pub abandoned: f64,
    /// Half of the 95 % interval of that, points.
    pub abandoned_ci: f64,
    /// Persons talked to for each agent and hour.
    pub contacts: f64,
    /// Dials for each person talked to.
    pub dials: f64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DialForecast {
    /// Days that were simulated: fewer than wanted when time was up.
    pub runs: u32,
    /// The way of real campaigns first.
    pub rows: Vec<DialRow>,
}

/// What a campaign has lived through, for the question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DialWorld {
    /// Attempts looked at: with few of them the rest says little.
    pub attempts: u32,
    /// Answered by a person, percent.
    pub live_percent: f64,
    /// Answered by a machine, percent.
    pub machine_percent: f64,
    /// Busy, percent.
    pub busy_percent: f64,
    /// Invalid, percent.
    pub invalid_percent: f64,
    /// Mean seconds of ringing until a person answered; 0 when nobody did.
    pub ring_s: f64,
    /// Mean seconds of a conversation; 0 when there was none.
    pub talk_s: f64,
    /// Standard deviation of conversations over their mean.
    pub talk_cv: f64,
}

/// Counts attempts one after the other.
#[derive(Clone, Debug, Default)]
pub struct WorldCount {
    attempts: u32,
    live: u32,
    machine: u32,
    busy: u32,
    invalid: u32,
    ring: Sum,
    talk: Sum,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sum {
    fn add(&mut self, ms: u64) {
        let seconds = f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0;
        self.count += 1.0;
        self.sum += seconds;
        self.squares += seconds * seconds;
    }

    fn mean(self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }

    fn cv(self) -> f64 {
        let mean = self.mean();
        if mean <= 0.0 { 0.0 } else { (self.squares / self.count - mean * mean).max(0.0).sqrt() / mean }
    }
}

impl WorldCount {
    /// One attempt that is over; what failed in the network or the box says nothing of people.
    pub fn add(&mut self, attempt: &AttemptRecord) {
        let Some(result) = attempt.result() else { return };
        if result == CallResult::Network || attempt.at_ms(Step::Dialled).is_none() {
            return;
        }
        self.attempts += 1;
        self.live += u32::from(result.is_live());
        self.machine +=
            u32::from(matches!(result, CallResult::Machine | CallResult::MessageLeft | CallResult::Fax));
        self.busy += u32::from(result == CallResult::Busy);
        self.invalid += u32::from(matches!(result, CallResult::Invalid | CallResult::Unreachable));
        let [rang, answered, connected, ended] =
            [Step::Ringing, Step::Answered, Step::Connected, Step::Ended].map(|step| attempt.at_ms(step));
        if let (Some(rang), Some(answered), true) = (rang, answered, result.is_live()) {
            self.ring.add(answered.saturating_sub(rang));
        }
        if let (Some(connected), Some(ended), CallResult::Talked) = (connected, ended, result) {
            self.talk.add(ended.saturating_sub(connected));
        }
    }

    /// What they say together.
    #[must_use]
    pub fn world(&self) -> DialWorld {
        let percent = |part: u32| f64::from(part) * 100.0 / f64::from(self.attempts.max(1));
        DialWorld {
            attempts: self.attempts,
            live_percent: percent(self.live),
            machine_percent: percent(self.machine),
            busy_percent: percent(self.busy),
            invalid_percent: percent(self.invalid),
            ring_s: self.ring.mean(),
            talk_s: self.talk.mean(),
            talk_cv: self.talk.cv(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::attempt::{Ending, Moment};
    use super::*;
    use crate::clock::Wall;
    use crate::config::campaign::Form;
    use crate::id::{CallId, EntryId};
    use crate::number::Number;

    fn attempt(ending: Ending, moments: &[(u64, Step)]) -> AttemptRecord {
        AttemptRecord {
            call: CallId(1),
            campaign: "c".into(),
            entry: EntryId(1),
            number: Number::default(),
            form: Form::Predictive,
            zones: vec![],
            agent: None,
            at: Wall(0),
            moments: moments.iter().map(|(ms, step)| Moment { ms: *ms, step: *step }).collect(),
            heard: None,
            ended: Some(Wall(1)),
            ending: Some(ending),
            code: 0,
            again: None,
        }
    }

    #[test]
    fn what_a_campaign_lived_through_is_the_world_of_the_question() {
        let mut count = WorldCount::default();
        for (answered, ended) in [(9_000, 69_000), (13_000, 193_000)] {
            let steps = [
                (0, Step::Dialled),
                (3_000, Step::Ringing),
                (answered, Step::Answered),
                (answered, Step::Connected),
                (ended, Step::Ended),
            ];
            count.add(&attempt(Ending::Connected, &steps));
        }
        let tried = [(0, Step::Dialled), (28_000, Step::Ended)];
        for ending in [Ending::Busy, Ending::NoAnswer, Ending::Unallocated, Ending::NetworkFailure] {
            count.add(&attempt(ending, &tried));
        }
        count.add(&attempt(Ending::GivenUp, &[]));
        let world = count.world();
        assert_eq!((world.attempts, world.live_percent, world.busy_percent), (5, 40.0, 20.0));
        assert_eq!((world.ring_s, world.talk_s, world.talk_cv), (8.0, 120.0, 0.5));
    }
}
