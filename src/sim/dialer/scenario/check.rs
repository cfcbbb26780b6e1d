//! Every value of a scenario that cannot be, with its field, what stands there and what may.
use super::{Scenario, Span, Talk};
use crate::dialer::rule::real;

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn within(&mut self, field: &str, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            self.0.push(format!("{field} is {value}; it goes from {low} to {high}"));
        }
    }

    fn span(&mut self, field: &str, span: &Span, longest: f64) {
        self.0.extend(span.problems(longest).into_iter().map(|(end, what)| format!("{field}{end} {what}")));
    }

    fn talk(&mut self, field: &str, kinds: &[Talk]) {
        self.within(&format!("{field} (how many kinds)"), real(kinds.len()), 1.0, 20.0);
        let shares = kinds.iter().map(|talk| talk.share).sum();
        self.within(&format!("{field}: shares together"), shares, 1e-6, 1e6);
        for (n, talk) in kinds.iter().enumerate() {
            self.within(&format!("{field}[{n}].share"), talk.share, 0.0, 1e6);
            self.span(&format!("{field}[{n}]"), &talk.span, 7_200.0);
        }
    }
}

/// Every problem of a scenario, in the order of its file.
pub(super) fn problems(scenario: &Scenario) -> Vec<String> {
    let mut found = Found::default();
    shift(scenario, &mut found);
    agents(scenario, &mut found);
    list(scenario, &mut found);
    lines(scenario, &mut found);
    changes(scenario, &mut found);
    found.0
}

fn shift(scenario: &Scenario, found: &mut Found) {
    found.within("hours", scenario.hours, 0.1, 24.0);
    found.within("days", scenario.days.into(), 1.0, 60.0);
    found.within("target", scenario.target, 0.0, 1.0);
    found.within("grace_s", scenario.grace_s, 0.0, 30.0);
    found.within("min_ring_s", scenario.min_ring_s, 0.0, 60.0);
    found.within("ring_timeout_s", scenario.ring_timeout_s, 5.0, 60.0);
    found.talk("talk", &scenario.talk);
    found.span("wrap", &scenario.wrap, 3_600.0);
}

fn agents(scenario: &Scenario, found: &mut Found) {
    let agents = &scenario.agents;
    found.within("agents.count", real(scenario.count()), 1.0, 500.0);
    found.within("agents.spread", agents.spread, 0.0, 1.0);
    found.within("agents.break_min_per_h", agents.break_min_per_h, 0.0, 45.0);
    let described: u32 = scenario.agent.iter().map(|one| one.count).fold(0, u32::saturating_add);
    if agents.count.is_some_and(|count| count < described) {
        let count = agents.count.unwrap_or(0);
        found.0.push(format!(
            "agents.count is {count}, but {described} are described by [[agent]]; leave agents.count out, or raise it"
        ));
    }
    for (n, one) in scenario.agent.iter().enumerate() {
        let field = |end: &str| format!("agent[{n}].{end}");
        found.within(&field("count"), one.count.into(), 1.0, 500.0);
        found.within(&field("factor"), one.factor, 0.05, 20.0);
        found.within(&field("spread"), one.spread, 0.0, 1.0);
        found.within(&field("from_h"), one.from_h, 0.0, 24.0);
        found.within(&field("to_h"), one.to_h, one.from_h, 24.0);
        if let Some(talk) = &one.talk {
            found.talk(&field("talk"), talk);
        }
        if let Some(wrap) = &one.wrap {
            found.span(&field("wrap"), wrap, 3_600.0);
        }
    }
}

fn list(scenario: &Scenario, found: &mut Found) {
    let list = &scenario.list;
    let shares =
        [("live", list.live), ("machine", list.machine), ("busy", list.busy), ("invalid", list.invalid)];
    for (field, share) in shares {
        found.within(&format!("list.{field}"), share, 0.0, 1.0);
    }
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    // A sum of tenths is not always quite what it is on paper.
    if !(0.0..=1.0 + 1e-9).contains(&sum) {
        found.0.push(format!(
            "list: live + machine + busy + invalid is {sum:.3}; together they are at most 1, the rest rings unanswered"
        ));
    }
    found.within("list.segments (how many)", real(list.segments.len()), 1.0, 100.0);
    list.segments.iter().enumerate().for_each(|(n, factor)| {
        found.within(&format!("list.segments[{n}]"), *factor, 0.0, 10.0);
    });
    let spans = [
        ("list.setup", Some(&list.setup)),
        ("list.ring", Some(&list.ring)),
        ("list.machine_ring", Some(&list.machine_ring)),
        ("list.machine_talk", Some(&list.machine_talk)),
        ("list.patience", list.patience.as_ref()),
        ("detector.decides", scenario.detector.as_ref().map(|detector| &detector.decides)),
    ];
    for (field, span) in spans {
        span.into_iter().for_each(|span| found.span(field, span, 3_600.0));
    }
}

fn lines(scenario: &Scenario, found: &mut Found) {
    if let Some(detector) = &scenario.detector {
        found.within("detector.person_as_machine", detector.person_as_machine, 0.0, 1.0);
        found.within("detector.machine_missed", detector.machine_missed, 0.0, 1.0);
    }
    found.within("trunk.lines_per_agent", scenario.trunk.lines_per_agent.unwrap_or(1.0), 0.1, 100.0);
    found.within("trunk.calls_per_s", scenario.trunk.calls_per_s.unwrap_or(1.0), 0.01, 1_000.0);
}

fn changes(scenario: &Scenario, found: &mut Found) {
    found.within("change (how many)", real(scenario.change.len()), 0.0, 500.0);
    for (n, change) in scenario.change.iter().enumerate() {
        let field = |end: &str| format!("change[{n}].{end}");
        found.within(&field("from_h"), change.from_h, 0.0, 24.0);
        found.within(&field("to_h"), change.to_h, change.from_h, 24.0);
        found.within(&field("day"), change.day.unwrap_or(1).into(), 1.0, scenario.days.into());
        for (end, factor) in [
            ("live", change.live),
            ("machine", change.machine),
            ("busy", change.busy),
            ("invalid", change.invalid),
            ("lines", change.lines),
        ] {
            found.within(&field(end), factor, 0.0, 20.0);
        }
        for (end, factor) in [
            ("talk", change.talk),
            ("wrap", change.wrap),
            ("ring", change.ring),
            ("patience", change.patience),
        ] {
            found.within(&field(end), factor, 0.05, 20.0);
        }
        found.within(&field("agents"), change.agents, 0.0, 1.0);
    }
}
