//! Scenarios as people write them.
use super::*;

#[test]
fn the_built_in_scenarios_check() {
    for name in NAMES {
        assert_eq!(check::problems(&Scenario::named(name).unwrap()), Vec::<String>::new(), "{name}");
    }
    assert!(Scenario::named("unknown").is_none());
}

#[test]
fn a_file_says_what_differs_from_base() {
    let scenario =
        Scenario::read("name = \"ours\"\n[agents]\ncount = 4\n[[talk]]\nshare = 1\nmean_s = 90\ncv = 0.8\n")
            .unwrap();
    assert_eq!((scenario.count(), scenario.talk.len(), scenario.list.busy), (4, 1, 0.08));
}

#[test]
fn the_documented_file_is_the_built_in_base() {
    let documented = Scenario::read(MANUAL).unwrap();
    let base = Scenario {
        agents: Agents { count: Some(10), ..Agents::default() },
        ..Scenario::named("base").unwrap()
    };
    assert_eq!(format!("{documented:?}"), format!("{base:?}"));
}

#[test]
fn everything_that_the_documented_file_shows_as_a_remark_can_be_said() {
    let example = MANUAL.lines().filter_map(|line| line.strip_prefix("#|")).collect::<Vec<_>>().join("\n");
    let scenario = Scenario::read(&example).unwrap();
    assert_eq!((scenario.count(), scenario.change.len()), (6, 3));
    assert!(scenario.list.patience.is_some() && scenario.detector.is_some());
    // Every field of every table is documented by its name.
    for field in [
        "name",
        "hours",
        "days",
        "target",
        "grace_s",
        "min_ring_s",
        "ring_timeout_s",
        "talk",
        "wrap",
        "share",
        "mean_s",
        "cv",
        "form",
        "values_s",
        "count",
        "spread",
        "break_min_per_h",
        "factor",
        "from_h",
        "to_h",
        "live",
        "machine",
        "busy",
        "invalid",
        "numbers",
        "setup",
        "ring",
        "machine_ring",
        "machine_talk",
        "patience",
        "segments",
        "lines_per_agent",
        "calls_per_s",
        "person_as_machine",
        "machine_missed",
        "decides",
        "day",
        "ramp",
        "agents",
        "lines",
    ] {
        let written =
            |line: &str| line.trim_start_matches(['#', '|', ' ', '{']).contains(&format!("{field} ="));
        assert!(MANUAL.lines().any(written), "{field} is not documented");
    }
}

#[test]
fn every_wrong_value_is_named_with_what_may_stand_there() {
    for (text, said) in [
        ("hours = 99", "hours is 99; it goes from 0.1 to 24"),
        ("hours = nan", "hours is NaN; it goes from 0.1 to 24"),
        ("hours = \"eight\"", "expected a number"),
        ("days = 1.5", "1.5 is no whole number from 0 on"),
        ("target = -0.1", "target is -0.1; it goes from 0 to 1"),
        ("[agents]\nnumber = 3", "unknown field `number`, expected one of `count`"),
        ("[agents]\ncount = -1", "-1 is no whole number from 0 on"),
        ("[agents]\ncount = 0", "agents.count is 0; it goes from 1 to 500"),
        ("agents = 5", "expected a table [agents]"),
        ("[agents]\ncount = 1\n[[agent]]\ncount = 3", "agents.count is 1, but 3 are described by [[agent]]"),
        ("[[agent]]\nfactor = 0", "agent[0].factor is 0; it goes from 0.05 to 20"),
        ("[[agent]]\ntalk = []", "agent[0].talk (how many kinds) is 0"),
        ("[[agent]]\nwrap = { mean_s = 9000 }", "agent[0].wrap.mean_s is 9000; it goes from 0 to 3600"),
        ("[[agent]]\nfrom_h = 3\nto_h = 2", "agent[0].to_h is 2; it goes from 3 to 24"),
        ("wrap = 22", "expected a time such as { mean_s = 22, cv = 0.6 }"),
        ("wrap = {}", "wrap.mean_s is missing; give it in seconds, or measured times as values_s"),
        ("wrap = { mean_s = 1, cv = 9 }", "wrap.cv is 9; it goes from 0.05 to 3"),
        (
            "wrap = { mean_s = 1, form = \"normal\" }",
            "unknown variant `normal`, expected one of `exponential`",
        ),
        ("wrap = { mean_s = 1, form = \"uniform\", cv = 1 }", "wrap.cv is 1; it goes from 0.05 to 0.57"),
        ("wrap = { mean_s = 1, values_s = [1] }", "wrap.values_s stands beside mean_s; give one of them"),
        ("wrap = { values_s = [1, -2] }", "wrap.values_s has -2; each goes from 0 to 3600"),
        ("talk = []", "talk (how many kinds) is 0; it goes from 1 to 20"),
        ("talk = [{ share = 0, mean_s = 1 }]", "talk: shares together is 0"),
        ("talk = [{ mean_s = 1 }, { share = -1, mean_s = 3 }]", "talk[1].share is -1"),
        (
            "[list]\nlive = 0.9\nbusy = 0.5",
            "live + machine + busy + invalid is 1.470; together they are at most 1",
        ),
        ("[list]\nsegments = [1, 11]", "list.segments[1] is 11; it goes from 0 to 10"),
        ("[list]\npatience = { cv = 1 }", "list.patience.mean_s is missing"),
        ("[trunk]\nlines_per_agent = 0", "trunk.lines_per_agent is 0; it goes from 0.1 to 100"),
        ("[detector]\nmachine_missed = 0.1", "missing field `person_as_machine`"),
        ("[[change]]\nfrom_h = 2", "missing field `to_h`"),
        ("[[change]]\nfrom_h = 3\nto_h = 2", "change[0].to_h is 2; it goes from 3 to 24"),
        ("[[change]]\nfrom_h = 0\nto_h = 2\nday = 2", "change[0].day is 2; it goes from 1 to 1"),
        ("[[change]]\nfrom_h = 0\nto_h = 2\nagents = 2", "change[0].agents is 2; it goes from 0 to 1"),
        ("hours = 8\nhours = 9", "duplicate key"),
        ("live = 0.3", "unknown field `live`"),
    ] {
        let told = Scenario::read(text).expect_err(text);
        assert!(told.contains(said), "{text}\nsaid: {told}");
    }
    let both = Scenario::read("hours = 99\ndays = 0\n").unwrap_err();
    assert!(both.contains("hours is 99") && both.contains("days is 0"), "{both}");
}

#[test]
fn a_change_grows_when_it_is_told_to_and_only_on_its_day() {
    let text = "days = 2\n[[change]]\nfrom_h = 2\nto_h = 4\nlive = 3\nramp = true\n[[change]]\nfrom_h = 0\nto_h = 8\nday = 2\nlive = 2\n";
    let scenario = Scenario::read(text).unwrap();
    let live = |day, hour| scenario.factor(day, hour, |change| change.live);
    assert_eq!([live(1, 1.0), live(1, 2.0), live(1, 3.0), live(1, 4.0)], [1.0, 1.0, 2.0, 1.0]);
    assert_eq!([live(2, 1.0), live(2, 3.0)], [2.0, 4.0]);
}
