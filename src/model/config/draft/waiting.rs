//! Reads `[[queue]]` of a draft, with its defaults.
use super::carrier::destination;
use super::people::record;
use super::table::Table;
use super::value;
use crate::config::queue::{Queue, Strategy};

const STRATEGIES: [(&str, Strategy); 4] = [
    ("fewest_calls", Strategy::FewestCalls),
    ("longest_idle", Strategy::LongestIdle),
    ("ring_all", Strategy::RingAll),
    ("round_robin", Strategy::RoundRobin),
];

pub(super) fn queue(t: Table<'_>) -> Queue {
    let queue = Queue {
        name: t.name("name"),
        number: t.parsed("number", value::internal),
        strategy: t.choice("strategy", &STRATEGIES).unwrap_or(Strategy::LongestIdle),
        agents: t.list("agents", 500, |text| Ok(text.to_owned())),
        ring_timeout_s: t.count("ring_timeout_s", 5..=120, 20),
        wrap_up_s: t.count("wrap_up_s", 0..=3600, 0),
        pause_after_misses: t.count("pause_after_misses", 0..=100, 2),
        music: t.text("music").unwrap_or_else(|| "default".into()),
        announce_position_s: t.count("announce_position_s", 0..=600, 60),
        max_wait_s: t.count("max_wait_s", 0..=14_400, 600),
        max_waiting: t.count("max_waiting", 1..=1000, 50),
        overflow_when_empty: t.flag("overflow_when_empty", true),
        overflow: destination(
            &t,
            "overflow",
            "say where callers go when nobody can take them, e.g. \"voicemail:101\"",
        ),
        record: record(&t),
        service_level_s: t.count("service_level_s", 1..=3600, 20),
    };
    if (1..10).contains(&queue.announce_position_s) {
        let message = "an announcement takes longer than that; use 0 for none, or 10 seconds and more";
        t.problem("announce_position_s", "out_of_range", message);
    }
    t.done();
    queue
}
