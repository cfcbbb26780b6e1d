//! `belfry simulate dialer`: what would happen with these agents, this list and this trunk. Runs the shipped pacing on
//! virtual time and prints it beside the forms people know. Decides nothing, opens no box.
use std::path::Path;

use model::campaign::{DialForecast, DialQuestion, DialRow};
use model::sentence::Sentence;
use sim::dialer::scenario::{NAMES, Span, Talk};
use sim::dialer::{Report, Scenario};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use crate::lifecycle::BadInput;

/// The report as text for people, or as JSON.
///
/// # Errors
/// A scenario that cannot be read: the file, the field and what may stand there.
pub fn dialer(scenario: &Path, seeds: u64, json: bool) -> anyhow::Result<String> {
    let report = Report::of(&read(scenario)?, &(1..=seeds));
    if json {
        return Ok(serde_json::to_string_pretty(&report)?);
    }
    let mut text = format!(
        "{}: {} agents, {} seeds, at most {:.1} % of answered persons abandoned\n\n\
         rule          utilisation       abandoned  contacts/agent/h  dials/contact\n",
        report.scenario,
        report.agents,
        report.seeds,
        report.target * 100.0
    );
    for row in &report.rows {
        let rule = row.setting.map_or(row.rule.to_string(), |setting| format!("{} {setting}", row.rule));
        text.push_str(&format!(
            "{rule:13} {:5.1} % +- {:3.1}   {:7.2} %  {:16.1}  {:13.1}\n",
            row.utilisation * 100.0,
            row.utilisation_ci * 100.0,
            row.abandonment * 100.0,
            row.contacts_per_agent_h,
            row.dials_per_contact
        ));
    }
    Ok(text)
}

/// Longest simulation for a page.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most of what a page may ask for; more is for the command line.
const AGENTS: RangeInclusive<u32> = 1..=100;
const HOURS: RangeInclusive<f64> = 0.5..=8.0;
const RUNS: RangeInclusive<u32> = 1..=20;

/// Answers a page, on a thread of its own that gives way to everything else, within [`PATIENCE`].
///
/// # Errors
/// Every value that cannot be, with its name; or that the time did not suffice.
pub fn ask(question: &DialQuestion) -> Result<DialForecast, Sentence> {
    ask_within(question, PATIENCE)
}

fn ask_within(question: &DialQuestion, patience: Duration) -> Result<DialForecast, Sentence> {
    let scenario = of_question(question)?;
    let runs = u64::from(question.runs);
    let simulated = std::thread::Builder::new().name("simulate".into()).spawn(move || {
        give_way();
        let until = Instant::now() + patience;
        Report::within(&scenario, runs, &|| Instant::now() < until)
    });
    let thread = simulated.map_err(|error| {
        Sentence::new(format!("It cannot be simulated now: {error}."), format!("现在无法模拟：{error}。"))
    })?;
    let broke_off = |_| Sentence::new("The simulation broke off.", "模拟中断。");
    let report = thread.join().map_err(broke_off)?.ok_or_else(|| {
        Sentence::new(
            "This takes too long for a page; ask for fewer agents or hours.",
            "在页面上模拟耗时过长；请减少坐席数或小时数。",
        )
    })?;
    Ok(DialForecast {
        runs: u32::try_from(report.seeds).unwrap_or(u32::MAX),
        rows: report.rows.iter().map(row).collect(),
    })
}

/// Calls come first: this thread only gets what they leave.
fn give_way() {
    const LAST: libc::c_int = 19;
    // SAFETY: takes three numbers and touches no memory of ours; 0 means the calling thread. A refusal changes nothing.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LAST) };
}

fn row(row: &sim::dialer::Row) -> DialRow {
    DialRow {
        rule: row.rule.to_owned(),
        setting: row.setting,
        utilisation: row.utilisation * 100.0,
        utilisation_ci: row.utilisation_ci * 100.0,
        abandoned: row.abandonment * 100.0,
        abandoned_ci: row.abandonment_ci * 100.0,
        contacts: row.contacts_per_agent_h,
        dials: row.dials_per_contact,
    }
}

/// The scenario of a question, checked as one that stands in a file.
fn of_question(q: &DialQuestion) -> Result<Scenario, Sentence> {
    let wrong = |field: &str, zh: &str, low: f64, high: f64| {
        Sentence::new(
            format!("The number of {field} goes from {low} to {high}."),
            format!("{zh}应在 {low} 到 {high} 之间。"),
        )
    };
    if !AGENTS.contains(&q.agents) {
        return Err(wrong(
            "agents",
            "坐席数（agents）",
            f64::from(*AGENTS.start()),
            f64::from(*AGENTS.end()),
        ));
    }
    if !HOURS.contains(&q.hours) {
        return Err(wrong("hours", "小时数（hours）", *HOURS.start(), *HOURS.end()));
    }
    if !RUNS.contains(&q.runs) {
        return Err(wrong("runs", "模拟天数（runs）", f64::from(*RUNS.start()), f64::from(*RUNS.end())));
    }
    let mut scenario = Scenario {
        name: "page".into(),
        hours: q.hours,
        target: f64::from(q.abandoned_permille) / 1000.0,
        ring_timeout_s: q.ring_timeout_s,
        talk: vec![Talk { share: 1.0, span: Span::gamma(q.talk_s, q.talk_cv) }],
        ..Scenario::default()
    };
    scenario.agents.count = Some(q.agents);
    scenario.wrap.mean_s = q.wrap_s;
    let list = &mut scenario.list;
    (list.live, list.machine) = (q.live_percent / 100.0, q.machine_percent / 100.0);
    (list.busy, list.invalid) = (q.busy_percent / 100.0, q.invalid_percent / 100.0);
    list.ring.mean_s = q.ring_s;
    scenario.trunk.lines_per_agent = q.lines.map(|lines| f64::from(lines) / f64::from(q.agents));
    scenario.trunk.calls_per_s = q.calls_per_second.map(f64::from);
    scenario.checked().map_err(|wrong| Sentence::new(wrong.clone(), format!("这些数值无法模拟：{wrong}")))
}

/// A built-in name, or else a file.
fn read(scenario: &Path) -> anyhow::Result<Scenario> {
    if let Some(named) = scenario.to_str().and_then(Scenario::named) {
        return Ok(named);
    }
    let text = std::fs::read_to_string(scenario).map_err(|error| {
        BadInput(format!("{}: {error}; give a file, or one of {}", scenario.display(), NAMES.join(" ")))
    })?;
    Scenario::read(&text).map_err(|wrong| BadInput(format!("{}: {wrong}", scenario.display())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_simulated_and_said_for_people_and_for_programs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name = \"small\"\nhours = 1\n[agents]\ncount = 3\n").unwrap();
        let text = dialer(file.path(), 1, false).unwrap();
        assert!(
            text.contains("small: 3 agents") && text.contains("predictive") && text.contains("clairvoyant"),
            "{text}"
        );
        let json: serde_json::Value = serde_json::from_str(&dialer(file.path(), 1, true).unwrap()).unwrap();
        assert_eq!(json["rows"][0]["rule"], "predictive");
        assert!(json["rows"][3]["abandonment"].as_f64() == Some(0.0), "one line an agent abandons nobody");
    }

    #[test]
    fn a_page_is_answered_and_told_what_cannot_be() {
        let small = DialQuestion { agents: 2, hours: 0.5, runs: 2, ..DialQuestion::default() };
        let told = ask_within(&small, Duration::from_secs(600)).unwrap();
        assert_eq!((told.rows[0].rule.as_str(), told.rows[7].rule.as_str()), ("predictive", "clairvoyant"));
        assert!(told.rows.iter().all(|row| (0.0..=100.0).contains(&row.utilisation)), "{told:?}");
        assert!(ask_within(&small, Duration::ZERO).unwrap_err().en.contains("too long"));
        let none = DialQuestion { agents: 0, ..small.clone() };
        let why = ask(&none).unwrap_err();
        assert!(
            why.en.contains("agents goes from 1 to 100")
                && why.zh.contains("坐席数（agents）应在 1 到 100 之间")
        );
        let more_than_all = DialQuestion { live_percent: 80.0, busy_percent: 30.0, ..small };
        assert!(ask(&more_than_all).unwrap_err().en.contains("live + machine + busy + invalid"));
    }

    #[test]
    fn a_wrong_scenario_is_told_with_its_file_and_field() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hours = 900\n").unwrap();
        let said = dialer(file.path(), 1, false).unwrap_err().to_string();
        assert!(said.contains("hours is 900"), "{said}");
        let said = dialer(Path::new("/nowhere"), 1, false).unwrap_err().to_string();
        assert!(said.contains("/nowhere") && said.contains("drift"), "{said}");
    }
}
