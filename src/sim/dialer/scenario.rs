//! What a simulated campaign is like: a TOML file, every field with a default (the scenario "base"), or a name from the
//! built-in set of the comparison. `base.toml` beside this file documents every field. Checked as a whole; every problem is
//! named.
use serde::Deserialize;

/// A campaign, its agents and its people.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Shown in reports.
    pub name: String,
    /// Hours of a shift.
    pub hours: f64,
    /// Shifts, one after the other; what was learned is kept between them.
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
#[serde(default, deny_unknown_fields)]
pub struct Agents {
    /// How many.
    pub count: usize,
    /// How much they differ: standard deviation of the logarithm of each one's factor on talk and wrap-up.
    pub spread: f64,
    /// Minutes of break taken in an hour, one break an hour by chance; 0 for none.
    pub break_min_per_h: f64,
}

/// A time by chance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Mean, in seconds.
    pub mean_s: f64,
    /// Standard deviation over mean.
    pub cv: f64,
}

/// A kind of conversation.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// How many of the conversations.
    pub share: f64,
    /// Mean, in seconds.
    pub mean_s: f64,
    /// Standard deviation over mean.
    pub cv: f64,
}

/// Who is called. What is not answered, a machine, busy or invalid rings until the time-out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct List {
    /// Share of dials that a person answers.
    pub live: f64,
    /// Share that a machine answers.
    pub machine: f64,
    /// Share that is busy.
    pub busy: f64,
    /// Share that does not exist.
    pub invalid: f64,
    /// From dialling to ringing, or to busy or invalid.
    pub setup: Span,
    /// From ringing to a person's answer.
    pub ring: Span,
    /// From ringing to a machine's answer.
    pub machine_ring: Span,
    /// How long an agent listens to a machine.
    pub machine_talk: Span,
    /// Parts of the list by turns of fifty numbers, each with a factor on `live`.
    pub segments: Vec<f64>,
}

/// What the lines allow.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trunk {
    /// Lines for each agent; no limit unless given.
    pub lines_per_agent: Option<f64>,
    /// Dials a second; no limit unless given.
    pub calls_per_s: Option<f64>,
}

/// Machine detector.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub struct Change {
    /// First hour.
    pub from_h: f64,
    /// End, in hours.
    pub to_h: f64,
    /// Factor on the share of live answers.
    #[serde(default = "one")]
    pub live: f64,
    /// Factor on conversations.
    #[serde(default = "one")]
    pub talk: f64,
    /// Share of agents who stay; the others finish their call and go.
    #[serde(default = "one")]
    pub agents: f64,
}

fn one() -> f64 {
    1.0
}

impl Default for Agents {
    fn default() -> Self {
        Self { count: 10, spread: 0.2, break_min_per_h: 0.0 }
    }
}

impl Default for List {
    fn default() -> Self {
        Self {
            live: 0.30,
            machine: 0.0,
            busy: 0.08,
            invalid: 0.07,
            setup: Span { mean_s: 3.0, cv: 0.4 },
            ring: Span { mean_s: 9.0, cv: 0.6 },
            machine_ring: Span { mean_s: 15.0, cv: 0.3 },
            machine_talk: Span { mean_s: 8.0, cv: 0.4 },
            segments: vec![1.0],
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        let talk = |share, mean_s| Talk { share, mean_s, cv: 0.7 };
        Self {
            name: "base".into(),
            hours: 8.0,
            days: 1,
            target: 0.03,
            grace_s: 2.0,
            min_ring_s: 15.0,
            ring_timeout_s: 25.0,
            agents: Agents::default(),
            talk: vec![talk(0.3, 25.0), talk(0.7, 165.0)],
            wrap: Span { mean_s: 22.0, cv: 0.6 },
            list: List::default(),
            trunk: Trunk::default(),
            detector: None,
            change: vec![],
        }
    }
}

/// Names of the built-in scenarios.
pub const NAMES: [&str; 10] =
    ["base", "low", "high", "short", "long", "drift", "shock", "amd", "noamd", "trunk"];

impl Scenario {
    /// A built-in scenario of [`NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut scenario = Self { name: name.into(), ..Self::default() };
        let talk = |share, mean_s| Talk { share, mean_s, cv: 0.7 };
        match name {
            "base" => {}
            "low" => scenario.list.live = 0.10,
            "high" => scenario.list.live = 0.55,
            "short" => {
                scenario.talk = vec![talk(0.5, 20.0), talk(0.5, 60.0)];
                scenario.wrap.mean_s = 6.0;
            }
            "long" => {
                scenario.talk = vec![talk(1.0, 420.0)];
                scenario.wrap.mean_s = 60.0;
            }
            "drift" => scenario.drift(),
            "shock" => scenario.shock(),
            "amd" | "noamd" => {
                (scenario.list.live, scenario.list.machine) = (0.20, 0.35);
                let decides = Span { mean_s: 1.3, cv: 0.3 };
                let detector = Detector { person_as_machine: 0.01, machine_missed: 0.15, decides };
                scenario.detector = (name == "amd").then_some(detector);
            }
            "trunk" => scenario.trunk = Trunk { lines_per_agent: Some(1.5), calls_per_s: Some(1.0) },
            _ => return None,
        }
        Some(scenario)
    }

    fn drift(&mut self) {
        self.list.segments = vec![0.4, 0.8, 1.2, 1.6];
        self.agents.break_min_per_h = 7.5;
        let of_day = [0.9, 1.1, 1.3, 1.4, 1.2, 1.0, 0.85, 0.75];
        self.change = (0_u8..8)
            .zip(of_day)
            .map(|(hour, live)| Change {
                from_h: hour.into(),
                to_h: f64::from(hour) + 1.0,
                live,
                talk: 1.0,
                agents: 1.0,
            })
            .collect();
    }

    fn shock(&mut self) {
        let still = Change { from_h: 0.0, to_h: 0.0, live: 1.0, talk: 1.0, agents: 1.0 };
        self.change = vec![
            Change { from_h: 2.0, to_h: 3.0, live: 2.2, ..still },
            Change { from_h: 4.0, to_h: 5.0, agents: 0.6, ..still },
            Change { from_h: 5.0, to_h: 6.0, talk: 1.8, ..still },
            Change { from_h: 6.0, to_h: 8.0, live: 0.5, ..still },
        ];
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// What is not TOML or no scenario, with its line; or every value that cannot be, with its field.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str::<Self>(text).map_err(|e| e.to_string())?.checked()
    }

    /// The scenario, if everything in it can be.
    ///
    /// # Errors
    /// Every value that cannot be, with its field.
    pub fn checked(self) -> Result<Self, String> {
        let problems = self.problems();
        if problems.is_empty() { Ok(self) } else { Err(problems.join("\n")) }
    }

    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut within = |field: &str, value: f64, low: f64, high: f64| {
            if !(low..=high).contains(&value) {
                found.push(format!("{field} is {value}; it goes from {low} to {high}"));
            }
        };
        within("hours", self.hours, 0.1, 24.0);
        within("days", self.days.into(), 1.0, 60.0);
        within("target", self.target, 0.0, 1.0);
        within("grace_s", self.grace_s, 0.0, 30.0);
        within("min_ring_s", self.min_ring_s, 0.0, 60.0);
        within("ring_timeout_s", self.ring_timeout_s, 5.0, 60.0);
        within("agents.count", f64::from(u32::try_from(self.agents.count).unwrap_or(u32::MAX)), 1.0, 500.0);
        within("agents.spread", self.agents.spread, 0.0, 1.0);
        within("agents.break_min_per_h", self.agents.break_min_per_h, 0.0, 45.0);
        let list = &self.list;
        for (field, share) in
            [("live", list.live), ("machine", list.machine), ("busy", list.busy), ("invalid", list.invalid)]
        {
            within(&format!("list.{field}"), share, 0.0, 1.0);
        }
        within(
            "list: live + machine + busy + invalid",
            list.live + list.machine + list.busy + list.invalid,
            0.0,
            1.0,
        );
        within(
            "list.segments (how many)",
            f64::from(u32::try_from(list.segments.len()).unwrap_or(u32::MAX)),
            1.0,
            100.0,
        );
        list.segments.iter().for_each(|factor| within("list.segments", *factor, 0.0, 10.0));
        let spans = [
            ("wrap", self.wrap),
            ("list.setup", list.setup),
            ("list.ring", list.ring),
            ("list.machine_ring", list.machine_ring),
            ("list.machine_talk", list.machine_talk),
        ];
        for (field, span) in spans.into_iter().chain(self.detector.map(|d| ("detector.decides", d.decides))) {
            within(&format!("{field}.mean_s"), span.mean_s, 0.0, 3_600.0);
            within(&format!("{field}.cv"), span.cv, 0.05, 3.0);
        }
        within(
            "talk (how many kinds)",
            f64::from(u32::try_from(self.talk.len()).unwrap_or(u32::MAX)),
            1.0,
            20.0,
        );
        within("talk: shares together", self.talk.iter().map(|talk| talk.share).sum(), 1e-6, 1e6);
        for talk in &self.talk {
            within("talk.share", talk.share, 0.0, 1e6);
            within("talk.mean_s", talk.mean_s, 1.0, 7_200.0);
            within("talk.cv", talk.cv, 0.05, 3.0);
        }
        if let Some(detector) = self.detector {
            within("detector.person_as_machine", detector.person_as_machine, 0.0, 1.0);
            within("detector.machine_missed", detector.machine_missed, 0.0, 1.0);
        }
        within("trunk.lines_per_agent", self.trunk.lines_per_agent.unwrap_or(1.0), 0.1, 100.0);
        within("trunk.calls_per_s", self.trunk.calls_per_s.unwrap_or(1.0), 0.01, 1_000.0);
        for change in &self.change {
            within("change.from_h", change.from_h, 0.0, 24.0);
            within("change.to_h", change.to_h, change.from_h, 24.0);
            within("change.live", change.live, 0.0, 10.0);
            within("change.talk", change.talk, 0.05, 20.0);
            within("change.agents", change.agents, 0.0, 1.0);
        }
        found
    }

    /// Product of what the changes of this hour say.
    pub(super) fn factor(&self, hour: f64, of: impl Fn(&Change) -> f64) -> f64 {
        self.change.iter().filter(|change| (change.from_h..change.to_h).contains(&hour)).map(of).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_scenarios_check() {
        for name in NAMES {
            assert_eq!(Scenario::named(name).unwrap().problems(), Vec::<String>::new(), "{name}");
        }
        assert!(Scenario::named("unknown").is_none());
    }

    #[test]
    fn a_file_says_what_differs_from_base() {
        let scenario = Scenario::read(
            "name = \"ours\"\n[agents]\ncount = 4\n[[talk]]\nshare = 1\nmean_s = 90\ncv = 0.8\n",
        )
        .unwrap();
        assert_eq!((scenario.agents.count, scenario.talk.len(), scenario.list.busy), (4, 1, 0.08));
    }

    #[test]
    fn the_documented_file_is_the_built_in_base() {
        let documented = Scenario::read(include_str!("base.toml")).unwrap();
        assert_eq!(format!("{documented:?}"), format!("{:?}", Scenario::named("base").unwrap()));
    }

    #[test]
    fn every_wrong_value_is_named() {
        let said = Scenario::read("hours = 99\n[list]\nlive = 0.9\nbusy = 0.5\n").unwrap_err();
        assert!(said.contains("hours is 99") && said.contains("live + machine + busy + invalid"), "{said}");
        assert!(Scenario::read("[agents]\nnumber = 3\n").unwrap_err().contains("number"));
    }
}
