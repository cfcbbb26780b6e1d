//! What a simulated campaign is like: a TOML file, every field with a default (the scenario "base"), or a name from the
//! built-in set of the comparison. `base.toml` beside this file documents every field. Checked as a whole; every problem is
//! named.
mod check;
mod named;
mod span;

use serde::{Deserialize, Deserializer};

pub use named::NAMES;
pub use span::{Shape, Span, Talk};

/// The file that documents every field, for people.
pub const MANUAL: &str = include_str!("base.toml");

/// Agents where nobody says how many.
const AGENTS: u32 = 10;

/// A campaign, its agents and its people.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Shown in reports.
    pub name: String,
    /// Hours of a shift.
    pub hours: f64,
    /// Shifts, one after the other; what was learned is kept between them.
    #[serde(deserialize_with = "count")]
    pub days: u32,
    /// Share of live answers that may be abandoned.
    pub target: f64,
    /// Seconds after which an answered call without an agent is abandoned.
    pub grace_s: f64,
    /// Seconds a line rings at least before it may be given up.
    pub min_ring_s: f64,
    /// Seconds a line rings at most.
    pub ring_timeout_s: f64,
    /// People who work.
    pub agents: Agents,
    /// Those of them who are not like the others.
    pub agent: Vec<Agent>,
    /// Kinds of conversations; their shares are taken relative to each other.
    pub talk: Vec<Talk>,
    /// After-call work.
    pub wrap: Span,
    /// Who is called.
    pub list: List,
    /// What the lines allow.
    pub trunk: Trunk,
    /// Machine detector; none unless given.
    pub detector: Option<Detector>,
    /// What changes during a shift.
    pub change: Vec<Change>,
}

/// People who work.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table [agents]; agents of their own kind are [[agent]]")]
pub struct Agents {
    /// How many; unless given, those of [`Scenario::agent`], or ten.
    #[serde(deserialize_with = "some_count")]
    pub count: Option<u32>,
    /// How much they differ: standard deviation of the logarithm of each one's factor on talk and wrap-up.
    pub spread: f64,
    /// Minutes of break taken in an hour, one break an hour by chance; 0 for none.
    pub break_min_per_h: f64,
}

/// Agents of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a kind of agents such as { count = 2, factor = 1.3 }")]
pub struct Agent {
    /// How many are like this.
    #[serde(deserialize_with = "count")]
    pub count: u32,
    /// Factor on talk and wrap-up.
    pub factor: f64,
    /// How much these differ, as [`Agents::spread`].
    pub spread: f64,
    /// Their kinds of conversations; as everybody's unless given.
    pub talk: Option<Vec<Talk>>,
    /// Their after-call work; as everybody's unless given.
    pub wrap: Option<Span>,
    /// Hour of the shift at which they come.
    pub from_h: f64,
    /// Hour of the shift at which they go, after their call.
    pub to_h: f64,
}

/// Who is called. What is not answered, a machine, busy or invalid rings until the time-out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table [list]")]
pub struct List {
    /// Share of dials that a person answers.
    pub live: f64,
    /// Share that a machine answers.
    pub machine: f64,
    /// Share that is busy.
    pub busy: f64,
    /// Share that does not exist.
    pub invalid: f64,
    /// How many numbers there are; without end unless given.
    #[serde(deserialize_with = "some_count")]
    pub numbers: Option<u32>,
    /// From dialling to ringing, or to busy or invalid.
    pub setup: Span,
    /// From ringing to a person's answer.
    pub ring: Span,
    /// From ringing to a machine's answer.
    pub machine_ring: Span,
    /// How long an agent listens to a machine.
    pub machine_talk: Span,
    /// How long a person who answered waits for an agent before hanging up; until the grace is over unless given. Who hung up
    /// counts as abandoned.
    pub patience: Option<Span>,
    /// Parts of the list by turns of fifty numbers, each with a factor on `live`.
    pub segments: Vec<f64>,
}

/// What the lines allow.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table [trunk]")]
pub struct Trunk {
    /// Lines for each agent; no limit unless given.
    pub lines_per_agent: Option<f64>,
    /// Dials a second; no limit unless given.
    pub calls_per_s: Option<f64>,
}

/// Machine detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [detector]")]
pub struct Detector {
    /// Share of persons taken for machines: abandoned calls.
    pub person_as_machine: f64,
    /// Share of machines handed to agents.
    pub machine_missed: f64,
    /// Time to decide.
    pub decides: Span,
}

/// From `from_h` to `to_h` of every shift: factors on what is given.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a change such as { from_h = 2, to_h = 3, live = 2.2 }")]
pub struct Change {
    /// First hour.
    pub from_h: f64,
    /// End, in hours.
    pub to_h: f64,
    /// Only in this shift, the first is 1; in every one unless given.
    #[serde(default, deserialize_with = "some_count")]
    pub day: Option<u32>,
    /// The factors grow from one at `from_h` to what is given at `to_h`, instead of at once. Not `agents`.
    #[serde(default)]
    pub ramp: bool,
    /// Factor on the share of live answers.
    #[serde(default = "one")]
    pub live: f64,
    /// Factor on the share of machines.
    #[serde(default = "one")]
    pub machine: f64,
    /// Factor on the share of busy ones.
    #[serde(default = "one")]
    pub busy: f64,
    /// Factor on the share of numbers that do not exist.
    #[serde(default = "one")]
    pub invalid: f64,
    /// Factor on the time from ringing to an answer.
    #[serde(default = "one")]
    pub ring: f64,
    /// Factor on conversations.
    #[serde(default = "one")]
    pub talk: f64,
    /// Factor on after-call work.
    #[serde(default = "one")]
    pub wrap: f64,
    /// Factor on the patience of who waits for an agent.
    #[serde(default = "one")]
    pub patience: f64,
    /// Share of agents who stay; the others finish their call and go.
    #[serde(default = "one")]
    pub agents: f64,
    /// Factor on the lines of the trunk; 0: nothing can be dialled, with or without a limit.
    #[serde(default = "one")]
    pub lines: f64,
}

fn one() -> f64 {
    1.0
}

/// A whole number, said better than by the name of a type.
fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let value = f64::deserialize(from)?;
    if value.fract() != 0.0 || !(0.0..=1e9).contains(&value) {
        return Err(serde::de::Error::custom(format!("{value} is no whole number from 0 on")));
    }
    Ok(u32::try_from(super::rule::whole(value)).unwrap_or(u32::MAX))
}

fn some_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    count(from).map(Some)
}

impl Default for Agents {
    fn default() -> Self {
        Self { count: None, spread: 0.2, break_min_per_h: 0.0 }
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self { count: 1, factor: 1.0, spread: 0.0, talk: None, wrap: None, from_h: 0.0, to_h: 24.0 }
    }
}

impl Change {
    /// Nothing changes between these hours.
    #[must_use]
    pub fn none(from_h: f64, to_h: f64) -> Change {
        Change {
            from_h,
            to_h,
            day: None,
            ramp: false,
            live: 1.0,
            machine: 1.0,
            busy: 1.0,
            invalid: 1.0,
            ring: 1.0,
            talk: 1.0,
            wrap: 1.0,
            patience: 1.0,
            agents: 1.0,
            lines: 1.0,
        }
    }

    /// Whether it is in force on this day, the first is 1.
    pub(super) fn is_of(&self, day: u32) -> bool {
        self.day.is_none_or(|only| only == day)
    }

    fn at(&self, hour: f64, factor: f64) -> f64 {
        let part = if self.ramp { (hour - self.from_h) / (self.to_h - self.from_h) } else { 1.0 };
        1.0 + (factor - 1.0) * part
    }
}

impl Scenario {
    /// Agents on the floor.
    #[must_use]
    pub fn count(&self) -> usize {
        let described = self.agent.iter().map(|one| one.count).fold(0, u32::saturating_add);
        let usual = if described > 0 { described } else { AGENTS };
        usize::try_from(self.agents.count.unwrap_or(usual)).unwrap_or(usize::MAX)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// What is not TOML or no scenario, with its line; or every value that cannot be, with its field.
    pub fn read(text: &str) -> Result<Self, String> {
        let said = |e: toml::de::Error| e.to_string().replace("expected f64", "expected a number");
        toml::from_str::<Self>(text).map_err(said)?.checked()
    }

    /// The scenario, if everything in it can be.
    ///
    /// # Errors
    /// Every value that cannot be, with its field.
    pub fn checked(self) -> Result<Self, String> {
        let problems = check::problems(&self);
        if problems.is_empty() { Ok(self) } else { Err(problems.join("\n")) }
    }

    /// Product of what the changes of this hour say. `day`: the first is 1.
    pub(super) fn factor(&self, day: u32, hour: f64, of: impl Fn(&Change) -> f64) -> f64 {
        let now = |change: &&Change| change.is_of(day) && (change.from_h..change.to_h).contains(&hour);
        self.change.iter().filter(now).map(|change| change.at(hour, of(change))).product()
    }
}

#[cfg(test)]
mod tests;
