//! The dialler's comparison for `tools/bench dialer`: the shipped pacing, one setting for all, against each rule that
//! people know, tuned for that very scenario and team to just keep the bound; then what is asked of the pacing, and by how
//! much it falls short. Prints `metric,value,unit` lines, each as soon as it is known.
//!
//! usage: dialer [--scenarios=all|NAME,…] [--agents=N,…] [--seeds=N|A-B] [--peers=0|1]
//! Without `--agents`: 3, 5, 10, 20, 50, 100 for the scenarios with a name; 3, 10, 25 for `rate15`, `rate50`, `rate15x2`,
//! `rate50x2` (so many percent of the dials answered by persons; x2: twice as many for two hours).
use std::io::{Result, Write};
use std::ops::RangeInclusive;
use std::time::Instant;

use sim::dialer::report::{CLAIRVOYANT, tuned};
use sim::dialer::scenario::{Change, NAMES};
use sim::dialer::{Form, Report, Row, Scenario, run};

/// Answer rates without and with a sudden doubling: with three teams, twelve scenarios.
const RATES: [(&str, f64, bool); 4] =
    [("rate15", 0.15, false), ("rate50", 0.50, false), ("rate15x2", 0.15, true), ("rate50x2", 0.50, true)];
const TEAMS: [u32; 6] = [3, 5, 10, 20, 50, 100];
const RATE_TEAMS: [u32; 3] = [3, 10, 25];

/// Utilisation asked for, percent, by scenario and team.
const GOALS: [(&str, u32, f64); 12] = [
    ("base", 3, 77.0),
    ("base", 5, 80.0),
    ("base", 10, 85.0),
    ("base", 20, 89.0),
    ("drift", 5, 80.0),
    ("drift", 10, 85.0),
    ("drift", 20, 88.5),
    ("shock", 5, 77.0),
    ("shock", 10, 83.0),
    ("shock", 20, 88.0),
    ("low", 5, 73.0),
    ("low", 10, 81.0),
];
/// Most persons abandoned: in an hour with a hundred answers, in half an hour with forty.
const HOUR_MOST: f64 = 0.05;
const HALF_HOUR_MOST: f64 = 0.08;
/// Points ahead of one line for each free agent: in every cell, and on average.
const AHEAD_LEAST: f64 = 3.0;
const AHEAD_MEAN: f64 = 9.0;
/// Points ahead of the best tuned rule of the same cell, on average.
const PEERS_MEAN: f64 = 3.0;

struct Wanted {
    scenarios: Option<Vec<String>>,
    agents: Option<Vec<u32>>,
    seeds: RangeInclusive<u64>,
    peers: bool,
}

/// What became of one cell.
struct Cell {
    name: String,
    agents: u32,
    ours: Row,
    progressive: f64,
    best_tuned: Option<f64>,
}

fn main() -> Result<()> {
    let wanted = wanted();
    let mut out = std::io::stdout().lock();
    let mut cells = Vec::new();
    for scenario in scenarios(&wanted) {
        cells.push(compare(&scenario, &wanted, &mut out)?);
    }
    judge("all", &cells, &mut out)?;
    let rates: Vec<Cell> = cells.into_iter().filter(|cell| cell.name.starts_with("rate")).collect();
    if !rates.is_empty() {
        judge("rates", &rates, &mut out)?;
    }
    cost(20, &mut out)?;
    cost(100, &mut out)
}

fn wanted() -> Wanted {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    let seeds = value("--seeds").unwrap_or("2");
    let (first, last) = seeds.split_once('-').unwrap_or(("1", seeds));
    Wanted {
        scenarios: value("--scenarios").filter(|text| *text != "all").map(list),
        agents: value("--agents").map(|text| text.split(',').filter_map(|n| n.parse().ok()).collect()),
        seeds: first.parse().unwrap_or(1)..=last.parse().unwrap_or(2),
        peers: value("--peers") != Some("0"),
    }
}

fn scenarios(wanted: &Wanted) -> Vec<Scenario> {
    let named = NAMES.iter().filter_map(|name| Scenario::named(name)).map(|scenario| (scenario, &TEAMS[..]));
    let rates = RATES.iter().map(|(name, live, doubles)| (rate(name, *live, *doubles), &RATE_TEAMS[..]));
    let asked = |name: &str| wanted.scenarios.as_ref().is_none_or(|all| all.iter().any(|one| one == name));
    named
        .chain(rates)
        .filter(|(scenario, _)| asked(&scenario.name))
        .flat_map(|(scenario, usual)| {
            let teams = wanted.agents.as_deref().unwrap_or(usual).to_vec();
            teams.into_iter().map(move |agents| {
                let mut scenario = scenario.clone();
                scenario.agents.count = Some(agents);
                scenario
            })
        })
        .collect()
}

/// So many answer; twice as many (but no more than there are working numbers) in the fourth and fifth hour.
fn rate(name: &str, live: f64, doubles: bool) -> Scenario {
    let mut scenario = Scenario { name: name.into(), ..Scenario::default() };
    scenario.list.live = live;
    if doubles {
        scenario.change = vec![Change { live: 2.0, ..Change::none(3.0, 5.0) }];
    }
    scenario
}

fn compare(scenario: &Scenario, wanted: &Wanted, out: &mut impl Write) -> Result<Cell> {
    let agents = scenario.agents.count.unwrap_or(0);
    let cell = format!("[{},{agents}]", scenario.name);
    let report = Report::of(scenario, &wanted.seeds);
    let named = |row: &&Row| row.setting.is_none() || row.rule == "manual" || row.rule == "preview";
    for row in report.rows.iter().filter(named) {
        shares(row, &cell, out)?;
    }
    let of = |rule: &str| report.rows.iter().find(|row| row.rule == rule).map_or(0.0, |row| row.utilisation);
    let ours = report.rows[0].clone();
    say(out, "abandoned_half_hour_max", &cell, ours.abandonment_half_hour_max * 100.0, "percent")?;
    say(out, "abandoned_hour_max", &cell, ours.abandonment_hour_max * 100.0, "percent")?;
    say(out, "of_clairvoyant", &cell, ours.utilisation / of(CLAIRVOYANT) * 100.0, "percent")?;
    let progressive = of("progressive");
    say(out, "ahead_of_progressive", &cell, (ours.utilisation - progressive) * 100.0, "points")?;
    let best_tuned = if wanted.peers { best_peer(scenario, wanted, &cell, out)? } else { None };
    if let Some(best) = best_tuned {
        say(out, "ahead_of_best_tuned", &cell, (ours.utilisation - best) * 100.0, "points")?;
    }
    Ok(Cell { name: scenario.name.clone(), agents, ours, progressive, best_tuned })
}

/// Utilisation of the best rule of others that keeps the bound here, each tuned for this cell.
fn best_peer(scenario: &Scenario, wanted: &Wanted, cell: &str, out: &mut impl Write) -> Result<Option<f64>> {
    let mut best: Option<f64> = None;
    for settings in Form::tunable() {
        let Some(row) = tuned(scenario, &settings, &wanted.seeds) else { continue };
        shares(&row, cell, out)?;
        if row.abandonment <= scenario.target {
            best = Some(best.map_or(row.utilisation, |b| b.max(row.utilisation)));
        }
    }
    Ok(best)
}

/// What is asked for, and where it is not reached.
fn judge(set: &str, cells: &[Cell], out: &mut impl Write) -> Result<()> {
    let set = format!("[{set}]");
    let most = |of: fn(&Row) -> f64| cells.iter().map(|cell| of(&cell.ours)).fold(0.0, f64::max) * 100.0;
    say(out, "goal.cells", &set, count(cells.len()), "1")?;
    say(out, "goal.abandoned_max", &set, most(|row| row.abandonment), "percent (at most 3.0)")?;
    say(out, "goal.hour_max", &set, most(|row| row.abandonment_hour_max), "percent (at most 5)")?;
    say(out, "goal.half_hour_max", &set, most(|row| row.abandonment_half_hour_max), "percent (at most 8)")?;
    let ahead: Vec<f64> =
        cells.iter().map(|cell| (cell.ours.utilisation - cell.progressive) * 100.0).collect();
    spread(out, "goal.ahead_of_progressive", &set, &ahead, (AHEAD_LEAST, AHEAD_MEAN))?;
    let tuned = |cell: &Cell| cell.best_tuned.map(|best| (cell.ours.utilisation - best) * 100.0);
    let ahead: Vec<f64> = cells.iter().filter_map(tuned).collect();
    if !ahead.is_empty() {
        spread(out, "goal.ahead_of_best_tuned", &set, &ahead, (0.0, PEERS_MEAN))?;
    }
    cells.iter().try_for_each(|cell| short_falls(cell, out))
}

fn spread(out: &mut impl Write, name: &str, set: &str, values: &[f64], goal: (f64, f64)) -> Result<()> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = values.iter().sum::<f64>() / count(values.len()).max(1.0);
    say(out, &format!("{name}_least"), set, least, &format!("points (at least {})", goal.0))?;
    say(out, &format!("{name}_mean"), set, mean, &format!("points (at least {})", goal.1))
}

/// A line for each goal that this cell misses, by how much.
fn short_falls(cell: &Cell, out: &mut impl Write) -> Result<()> {
    let name = format!("[{},{}]", cell.name, cell.agents);
    let ours = &cell.ours;
    let goal = GOALS.iter().find(|goal| (goal.0, goal.1) == (cell.name.as_str(), cell.agents));
    let ahead = (ours.utilisation - cell.progressive) * 100.0;
    let short = [
        ("abandoned", (ours.abandonment - 0.03) * 100.0, "percent"),
        ("hour", (ours.abandonment_hour_max - HOUR_MOST) * 100.0, "percent"),
        ("half_hour", (ours.abandonment_half_hour_max - HALF_HOUR_MOST) * 100.0, "percent"),
        ("progressive", AHEAD_LEAST - ahead, "points"),
        ("utilisation", goal.map_or(0.0, |goal| goal.2 - ours.utilisation * 100.0), "points"),
        ("best_tuned", cell.best_tuned.map_or(0.0, |best| (best - ours.utilisation) * 100.0), "points"),
    ];
    for (what, by, unit) in short.into_iter().filter(|(_, by, _)| *by > 0.0) {
        say(out, &format!("short.{what}"), &name, by, unit)?;
    }
    Ok(())
}

fn shares(row: &Row, cell: &str, out: &mut impl Write) -> Result<()> {
    say(out, &format!("utilisation.{}", row.rule), cell, row.utilisation * 100.0, "percent")?;
    say(out, &format!("abandoned.{}", row.rule), cell, row.abandonment * 100.0, "percent")
}

fn say(out: &mut impl Write, name: &str, cell: &str, value: f64, unit: &str) -> Result<()> {
    writeln!(out, "dialer.{name}{cell},{value:.2},{unit}")
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

/// Wall time of the whole simulation for each decision, and how much faster than life it runs.
fn cost(agents: u32, out: &mut impl Write) -> Result<()> {
    let mut scenario = Scenario::default();
    scenario.agents.count = Some(agents);
    let start = Instant::now();
    std::hint::black_box(run(&scenario, Form::Predictive, 1));
    let (wall, virtual_s) = (start.elapsed().as_secs_f64(), scenario.hours * 3_600.0);
    let cell = format!("[{agents}]");
    say(out, "decision", &cell, wall / virtual_s * 1e6, "us")?;
    say(out, "times_real_time", &cell, virtual_s / wall, "1")
}
