//! Reads `[[flow]]` of a draft: the steps by their kind, with defaults. How steps hang together is checked by `walk`.
use super::site::LANGUAGES;
use super::table::Table;
use super::value;
use crate::config::flow::{Flow, Say, Step};
use crate::media::{Digit, Language};
use std::collections::BTreeMap;

/// Most steps of a flow: a person must still be able to read it.
const STEPS_MAX: usize = 200;

/// Reads the fields of one kind of step.
type ReadStep = fn(&Table<'_>) -> Step;

const KINDS: [(&str, ReadStep); 9] = [
    ("collect", collect),
    ("extension", extension),
    ("hang_up", hang_up),
    ("hours", hours),
    ("language", language),
    ("menu", menu),
    ("play", play),
    ("queue", queue),
    ("voicemail", voicemail),
];

pub(super) fn flow(t: Table<'_>) -> Flow {
    if t.describes() {
        describe_steps(&t);
    }
    let mut step = BTreeMap::new();
    for (name, path, value) in t.entries("step", STEPS_MAX) {
        match value::name(name) {
            Ok(name) => drop(one(Table::new(path, Some(value), t.problems())).map(|s| step.insert(name, s))),
            Err(why) => t.problems().add(&path, "wrong_text", why),
        }
    }
    let flow = Flow {
        name: t.name("name"),
        number: t.parsed("number", value::internal),
        start: t.needed("start", "name the first step"),
        step,
    };
    if t.value("step").and_then(|v| v.as_object()).is_none_or(serde_json::Map::is_empty) {
        t.missing("step", "a flow has at least one step, e.g. [flow.step.menu]");
    }
    t.done();
    flow
}

/// The fields of every kind of step.
fn describe_steps(t: &Table<'_>) {
    let step = t.any_entry("step");
    let _ = step.choice("kind", &KINDS);
    for (_, read) in KINDS {
        let _ = read(&step);
    }
}

fn one(t: Table<'_>) -> Option<Step> {
    let Some(read) = t.choice("kind", &KINDS) else {
        if t.value("kind").is_none() {
            let words: Vec<&str> = KINDS.iter().map(|&(word, _)| word).collect();
            t.missing("kind", &format!("say what the step does; use one of: {}", words.join(", ")));
        }
        return None;
    };
    let step = read(&t);
    t.done();
    Some(step)
}

fn says(t: &Table<'_>, needed: bool) -> Vec<Say> {
    let say = t.list("say", 32, value::say);
    if needed && t.value("say").and_then(|v| v.as_array()).is_none_or(Vec::is_empty) {
        t.missing("say", "name what the caller hears, e.g. say = [\"welcome\"]");
    }
    say
}

fn next(t: &Table<'_>, field: &'static str) -> String {
    t.needed(field, "name the step that comes then")
}

fn collect(t: &Table<'_>) -> Step {
    let (min, max) = (t.count("min", 1..=20, 1), t.count("max", 1..=20, 20));
    if min > max {
        t.problem("min", "out_of_range", format!("min is {min} but max is {max}; make min the smaller one"));
    }
    Step::Collect {
        say: says(t, true),
        min,
        max,
        timeout_s: t.count("timeout_s", 1..=60, 5),
        retries: t.count("retries", 0..=10, 2),
        next: next(t, "next"),
        otherwise: next(t, "otherwise"),
    }
}

fn extension(t: &Table<'_>) -> Step {
    Step::Extension { number: t.parsed("number", value::internal), otherwise: t.text("otherwise") }
}

fn hang_up(t: &Table<'_>) -> Step {
    Step::HangUp { say: says(t, false) }
}

fn hours(t: &Table<'_>) -> Step {
    Step::Hours {
        schedule: t.needed("schedule", "name a schedule"),
        open: next(t, "open"),
        closed: next(t, "closed"),
    }
}

fn language(t: &Table<'_>) -> Step {
    let language: Option<Language> = t.choice("language", &LANGUAGES);
    if t.value("language").is_none() {
        t.missing("language", "use \"en\" or \"zh\"");
    }
    Step::Language { language: language.unwrap_or_default(), next: next(t, "next") }
}

fn menu(t: &Table<'_>) -> Step {
    let on_timeout = next(t, "on_timeout");
    Step::Menu {
        say: says(t, true),
        option: options(t),
        timeout_s: t.count("timeout_s", 1..=60, 5),
        retries: t.count("retries", 0..=10, 2),
        on_invalid: t.text("on_invalid").unwrap_or_else(|| on_timeout.clone()),
        on_timeout,
    }
}

fn options(t: &Table<'_>) -> BTreeMap<Digit, String> {
    let mut out = BTreeMap::new();
    t.tell_entries("option");
    let entries = t.entries("option", 16);
    if entries.is_empty() {
        t.missing("option", "a menu has at least one key, e.g. option = { 1 = \"queue\" }");
    }
    for (key, path, step) in entries {
        let mut keys = key.chars();
        let digit = match (keys.next(), keys.next()) {
            (Some(c), None) => Digit::try_from(c),
            _ => Err(format!("\"{key}\" is not one key of a phone; use 0-9, *, # or A-D")),
        };
        match (digit, step.as_str().map(str::trim)) {
            (Ok(digit), Some(step)) if !step.is_empty() => drop(out.insert(digit, step.to_owned())),
            (Ok(_), _) => t.problems().add(&path, "wrong_type", "name the step of this key, in quotes"),
            (Err(why), _) => t.problems().add(&path, "wrong_text", why),
        }
    }
    out
}

fn play(t: &Table<'_>) -> Step {
    Step::Play { say: says(t, true), next: next(t, "next") }
}

fn queue(t: &Table<'_>) -> Step {
    Step::Queue { queue: t.needed("queue", "name a queue") }
}

fn voicemail(t: &Table<'_>) -> Step {
    Step::Voicemail { mailbox: super::people::internal(t, "mailbox") }
}
