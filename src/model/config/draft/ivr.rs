//! Reads `[[flow]]` of a draft: the steps by their kind, with defaults. How steps hang together is checked by `walk`.
use super::site::LANGUAGES;
use super::table::Table;
use super::value;
use crate::config::flow::{Flow, Say, Step, Test};
use crate::media::{Digit, Language};
use std::collections::BTreeMap;

/// Most steps of a flow: a person must still be able to read it.
const STEPS_MAX: usize = 200;

/// Most things said instead of one key: both languages, and what people really say.
const WORDS_MAX: usize = 10;

/// Most rows of a table in a step: what a person still keeps by hand.
const ROWS_MAX: usize = 500;

/// Most ways of an application: more is a flow of its own.
const WAYS_MAX: usize = 50;

const TESTS: [(&str, Test); 6] = [
    ("above", Test::Above),
    ("begins", Test::Begins),
    ("below", Test::Below),
    ("contains", Test::Contains),
    ("is", Test::Is),
    ("known", Test::Known),
];

/// Reads the fields of one kind of step.
type ReadStep = fn(&Table<'_>) -> Step;

const KINDS: [(&str, ReadStep); 17] = [
    ("application", application),
    ("callback", callback),
    ("collect", collect),
    ("condition", condition),
    ("extension", extension),
    ("hang_up", hang_up),
    ("hours", hours),
    ("language", language),
    ("lookup", lookup),
    ("menu", menu),
    ("play", play),
    ("queue", queue),
    ("set", set),
    ("speak", speak),
    ("survey", survey),
    ("table", table),
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

fn application(t: &Table<'_>) -> Step {
    let remedy = "name the application, e.g. wss://bot.example.com/calls";
    Step::Application {
        url: t.parsed_needed("url", remedy, value::application).unwrap_or_default(),
        timeout_ms: t.count("timeout_ms", 500..=10_000, 2_000),
        way: ways(t),
        otherwise: next(t, "otherwise"),
    }
}

/// Names for an application and the steps that they lead to.
fn ways(t: &Table<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    t.tell_entries("way");
    for (name, path, step) in t.entries("way", WAYS_MAX) {
        match (value::name(name), step.as_str().map(str::trim)) {
            (Ok(name), Some(step)) if !step.is_empty() => drop(out.insert(name, step.to_owned())),
            (Ok(_), _) => t.problems().add(&path, "wrong_type", "name the step of this way, in quotes"),
            (Err(why), _) => t.problems().add(&path, "wrong_text", why),
        }
    }
    out
}

fn callback(t: &Table<'_>) -> Step {
    Step::Callback {
        queue: t.needed("queue", "name a queue"),
        field: t.parsed("field", value::field).unwrap_or_else(|| "caller".into()),
        next: next(t, "next"),
        otherwise: next(t, "otherwise"),
    }
}

fn condition(t: &Table<'_>) -> Step {
    let test = t.choice("test", &TESTS).unwrap_or(Test::Is);
    let value = t.text("value").unwrap_or_default();
    let numeric = matches!(test, Test::Above | Test::Below);
    if numeric && value.parse::<i64>().is_err() && !t.describes() {
        t.problem(
            "value",
            "wrong_text",
            format!("\"{value}\" is not a whole number; above and below compare numbers"),
        );
    }
    Step::Condition {
        field: field(t, "field", "name what is looked at, e.g. caller or contact.class"),
        test,
        value,
        then: next(t, "then"),
        otherwise: next(t, "otherwise"),
    }
}

fn field(t: &Table<'_>, name: &'static str, remedy: &str) -> String {
    t.parsed_needed(name, remedy, value::field).unwrap_or_default()
}

fn lookup(t: &Table<'_>) -> Step {
    let remedy = "name the service, e.g. https://crm.example.com/by-number?n={caller}";
    Step::Lookup {
        url: t.parsed_needed("url", remedy, value::url).unwrap_or_default(),
        timeout_ms: t.count("timeout_ms", 100..=10_000, 2_000),
        next: next(t, "next"),
        otherwise: next(t, "otherwise"),
    }
}

fn set(t: &Table<'_>) -> Step {
    Step::Set {
        field: field(t, "field", "name the field that is set"),
        value: t.parsed("value", value::template).unwrap_or_default(),
        next: next(t, "next"),
    }
}

fn speak(t: &Table<'_>) -> Step {
    let remedy = "write what is said";
    Step::Speak {
        text: t.parsed_needed("text", remedy, value::template).unwrap_or_default(),
        say: says(t, true),
        next: next(t, "next"),
    }
}

fn survey(t: &Table<'_>) -> Step {
    Step::Survey {
        say: says(t, true),
        timeout_s: t.count("timeout_s", 1..=60, 5),
        retries: t.count("retries", 0..=10, 1),
        next: next(t, "next"),
        otherwise: next(t, "otherwise"),
    }
}

fn table(t: &Table<'_>) -> Step {
    t.tell_entries("row");
    let mut row = BTreeMap::new();
    for (key, path, found) in t.entries("row", ROWS_MAX) {
        match found.as_str().filter(|text| text.len() <= super::table::TEXT_MAX) {
            Some(text) => drop(row.insert(key.trim().to_owned(), text.trim().to_owned())),
            None => t.problems().add(&path, "wrong_type", "a short text in quotes is needed here"),
        }
    }
    if row.is_empty() && !t.describes() {
        t.missing("row", "a table has at least one row, e.g. row = { 4711 = \"gold\" }");
    }
    let remedy = "say what is looked up, e.g. {digits}";
    Step::Table {
        key: t.parsed_needed("key", remedy, value::template).unwrap_or_default(),
        field: field(t, "field", "name the field that gets what was found"),
        row,
        next: next(t, "next"),
        otherwise: next(t, "otherwise"),
    }
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
    let option = options(t);
    Step::Menu {
        say: says(t, true),
        words: words(t, &option),
        option,
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
        match (one_key(key), step.as_str().map(str::trim)) {
            (Ok(digit), Some(step)) if !step.is_empty() => drop(out.insert(digit, step.to_owned())),
            (Ok(_), _) => t.problems().add(&path, "wrong_type", "name the step of this key, in quotes"),
            (Err(why), _) => t.problems().add(&path, "wrong_text", why),
        }
    }
    out
}

fn one_key(key: &str) -> Result<Digit, String> {
    let mut keys = key.chars();
    match (keys.next(), keys.next()) {
        (Some(c), None) => Digit::try_from(c),
        _ => Err(format!("\"{key}\" is not one key of a phone; use 0-9, *, # or A-D")),
    }
}

/// What is said instead of keys. The same word for two keys would lead nowhere.
fn words(t: &Table<'_>, option: &BTreeMap<Digit, String>) -> BTreeMap<Digit, Vec<String>> {
    let mut out: BTreeMap<Digit, Vec<String>> = BTreeMap::new();
    for (key, path, said) in t.lists("words", (16, WORDS_MAX), value::spoken) {
        let digit = one_key(key).and_then(|digit| {
            let known = option.contains_key(&digit).then_some(digit);
            known.ok_or_else(|| format!("this menu has no key {key}; add it to option, or remove its words"))
        });
        let twice = said.iter().find(|word| out.values().flatten().any(|other| other == *word));
        match (digit, twice) {
            (Err(why), _) => t.problems().add(&path, "wrong_text", why),
            (Ok(_), Some(word)) => {
                let message = format!("\"{word}\" stands for another key already; use it for one of them");
                t.problems().add(&path, "duplicate", message);
            }
            (Ok(digit), None) if !said.is_empty() => drop(out.insert(digit, said)),
            (Ok(_), None) => {}
        }
    }
    out
}

fn play(t: &Table<'_>) -> Step {
    Step::Play { say: says(t, true), next: next(t, "next") }
}

fn queue(t: &Table<'_>) -> Step {
    Step::Queue { queue: t.needed("queue", "name a queue"), after: t.text("after") }
}

fn voicemail(t: &Table<'_>) -> Step {
    Step::Voicemail { mailbox: super::people::internal(t, "mailbox") }
}
