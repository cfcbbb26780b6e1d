//! The dialler's comparison for `tools/bench dialer`: the shipped pacing, one setting for all, against each rule that
//! people know, tuned for that very scenario and team to just keep the bound. Prints `metric,value,unit` lines.
//!
//! usage: dialer [SCENARIO,…|all] [AGENTS,…] [SEEDS]
use std::time::Instant;

use sim::dialer::report::{row, tuned};
use sim::dialer::scenario::NAMES;
use sim::dialer::{Form, Report, Scenario, run};

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let scenarios = words.next().unwrap_or_else(|| "all".into());
    let agents = words.next().unwrap_or_else(|| "3,5,10,20".into());
    let seeds = words.next().and_then(|n| n.parse().ok()).unwrap_or(2);
    let mut out = std::io::stdout().lock();
    for name in
        NAMES.iter().filter(|name| scenarios == "all" || scenarios.split(',').any(|one| one == **name))
    {
        for count in agents.split(',').filter_map(|n| n.parse().ok()) {
            if let Some(scenario) = of(name, count) {
                compare(&scenario, seeds, &mut out)?;
            }
        }
    }
    cost(20, &mut out)?;
    cost(100, &mut out)
}

fn of(name: &str, agents: u32) -> Option<Scenario> {
    let mut scenario = Scenario::named(name)?;
    scenario.agents.count = Some(agents);
    Some(scenario)
}

fn compare(scenario: &Scenario, seeds: u64, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let cell = format!("[{},{}]", scenario.name, scenario.count());
    let report = Report::of(scenario, seeds);
    for row in report
        .rows
        .iter()
        .filter(|row| row.setting.is_none() || row.rule == "manual" || row.rule == "preview")
    {
        writeln!(out, "dialer.utilisation.{}{cell},{:.1},percent", row.rule, row.utilisation * 100.0)?;
        writeln!(out, "dialer.abandoned.{}{cell},{:.2},percent", row.rule, row.abandonment * 100.0)?;
    }
    let ours = row(scenario, Form::Predictive, seeds);
    writeln!(
        out,
        "dialer.abandoned_half_hour_max{cell},{:.1},percent",
        ours.abandonment_half_hour_max * 100.0
    )?;
    writeln!(out, "dialer.abandoned_hour_max{cell},{:.1},percent", ours.abandonment_hour_max * 100.0)?;
    let mut best = 0.0_f64;
    for settings in Form::tunable() {
        if let Some(row) = tuned(scenario, &settings, seeds) {
            writeln!(out, "dialer.utilisation.{}{cell},{:.1},percent", row.rule, row.utilisation * 100.0)?;
            writeln!(out, "dialer.abandoned.{}{cell},{:.2},percent", row.rule, row.abandonment * 100.0)?;
            best = best.max(if row.abandonment <= scenario.target { row.utilisation } else { 0.0 });
        }
    }
    writeln!(out, "dialer.ahead_of_best_tuned{cell},{:.1},points", (ours.utilisation - best) * 100.0)
}

/// Wall time of the whole simulation for each decision, and how much faster than life it runs.
fn cost(agents: u32, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let Some(scenario) = of("base", agents) else { return Ok(()) };
    let start = Instant::now();
    std::hint::black_box(run(&scenario, Form::Predictive, 1));
    let (wall, virtual_s) = (start.elapsed().as_secs_f64(), scenario.hours * 3_600.0);
    writeln!(out, "dialer.decision[{agents}],{:.1},us", wall / virtual_s * 1e6)?;
    writeln!(out, "dialer.times_real_time[{agents}],{:.0},1", virtual_s / wall)
}
