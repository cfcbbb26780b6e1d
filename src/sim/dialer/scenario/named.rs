//! The scenarios of the comparison, by name.
use super::{Change, Detector, Scenario, Span, Talk, Trunk};

/// Names of the built-in scenarios.
pub const NAMES: [&str; 10] =
    ["base", "low", "high", "short", "long", "drift", "shock", "amd", "noamd", "trunk"];

fn talk(share: f64, mean_s: f64) -> Talk {
    Talk { share, span: Span::gamma(mean_s, 0.7) }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "base".into(),
            hours: 8.0,
            days: 1,
            target: 0.03,
            grace_s: 2.0,
            min_ring_s: 15.0,
            ring_timeout_s: 25.0,
            agents: super::Agents::default(),
            agent: vec![],
            talk: vec![talk(0.3, 25.0), talk(0.7, 165.0)],
            wrap: Span::gamma(22.0, 0.6),
            list: super::List::default(),
            trunk: Trunk::default(),
            detector: None,
            change: vec![],
        }
    }
}

impl Default for super::List {
    fn default() -> Self {
        Self {
            live: 0.30,
            machine: 0.0,
            busy: 0.08,
            invalid: 0.07,
            numbers: None,
            setup: Span::gamma(3.0, 0.4),
            ring: Span::gamma(9.0, 0.6),
            machine_ring: Span::gamma(15.0, 0.3),
            machine_talk: Span::gamma(8.0, 0.4),
            patience: None,
            segments: vec![1.0],
        }
    }
}

impl Scenario {
    /// A built-in scenario of [`NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut scenario = Self { name: name.into(), ..Self::default() };
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
                let decides = Span::gamma(1.3, 0.3);
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
            .map(|(hour, live)| Change { live, ..Change::none(hour.into(), f64::from(hour) + 1.0) })
            .collect();
    }

    fn shock(&mut self) {
        self.change = vec![
            Change { live: 2.2, ..Change::none(2.0, 3.0) },
            Change { agents: 0.6, ..Change::none(4.0, 5.0) },
            Change { talk: 1.8, ..Change::none(5.0, 6.0) },
            Change { live: 0.5, ..Change::none(6.0, 8.0) },
        ];
    }
}
