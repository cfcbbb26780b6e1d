//! Reads `[budget]` of a draft, and the limits of an extension or trunk, with their defaults.
use super::table::Table;
use crate::config::budget::{Budget, Limits};

/// A day.
const MINUTES_MAX: u32 = 1_000_000;

/// What an ordinary site never reaches, and a thief soon does. Own country is not limited: a day of many calls is what a
/// contact centre is for.
const EXTENSION: Limits = Limits { national_min: 0, international_min: 240, premium_min: 5 };
const SITE: Limits = Limits { national_min: 0, international_min: 1500, premium_min: 30 };
const NONE: Limits = Limits { national_min: 0, international_min: 0, premium_min: 0 };

pub(super) fn budget(t: Table<'_>) -> Budget {
    let part = |field: &'static str, usual: Limits| match t.table(field) {
        Some(table) => limits(table, usual),
        None => usual,
    };
    let budget = Budget {
        stop: t.flag("stop", false),
        extension: part("extension", EXTENSION),
        trunk: part("trunk", NONE),
        site: part("site", SITE),
        schedule: t.text("schedule"),
        closed_percent: t.count("closed_percent", 0..=100, 20),
        at_once: t.count("at_once", 1..=1000, 2),
        warn_percent: t.count("warn_percent", 10..=100, 80),
    };
    t.done();
    budget
}

/// Limits of one extension or trunk: what is left out is not limited.
pub(super) fn own(t: &Table<'_>) -> Option<Limits> {
    t.table("budget").map(|table| limits(table, NONE))
}

fn limits(t: Table<'_>, usual: Limits) -> Limits {
    let limits = Limits {
        national_min: t.count("national_min", 0..=MINUTES_MAX, usual.national_min),
        international_min: t.count("international_min", 0..=MINUTES_MAX, usual.international_min),
        premium_min: t.count("premium_min", 0..=MINUTES_MAX, usual.premium_min),
    };
    t.done();
    limits
}
