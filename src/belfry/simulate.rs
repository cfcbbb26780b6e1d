//! `belfry simulate dialer`: what would happen with these agents, this list and this trunk. Runs the shipped pacing on
//! virtual time and prints it beside the forms people know. Decides nothing, opens no box.
use std::path::Path;

use sim::dialer::scenario::NAMES;
use sim::dialer::{Report, Scenario};

use crate::lifecycle::BadInput;

/// The report as text for people, or as JSON.
///
/// # Errors
/// A scenario that cannot be read: the file, the field and what may stand there.
pub fn dialer(scenario: &Path, seeds: u64, json: bool) -> anyhow::Result<String> {
    let report = Report::of(&read(scenario)?, seeds);
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
    fn a_wrong_scenario_is_told_with_its_file_and_field() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hours = 900\n").unwrap();
        let said = dialer(file.path(), 1, false).unwrap_err().to_string();
        assert!(said.contains("hours is 900"), "{said}");
        let said = dialer(Path::new("/nowhere"), 1, false).unwrap_err().to_string();
        assert!(said.contains("/nowhere") && said.contains("drift"), "{said}");
    }
}
