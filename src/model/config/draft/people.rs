//! Reads `[[extension]]` and `[[agent]]` of a draft, with their defaults, and refuses passwords and PINs that are easy
//! to guess.
use super::site::LANGUAGES;
use super::table::Table;
use super::value;
use crate::config::extension::{Agent, Extension, HotDesk, RecordPolicy, Rights, Voicemail};
use crate::number::Number;

/// Recording wishes by their word.
pub(super) const RECORD: [(&str, RecordPolicy); 3] =
    [("never", RecordPolicy::Never), ("on_demand", RecordPolicy::OnDemand), ("always", RecordPolicy::Always)];

pub(super) const RIGHTS: [(&str, Rights); 4] = [
    ("internal", Rights::Internal),
    ("national", Rights::National),
    ("international", Rights::International),
    ("premium", Rights::Premium),
];

const HOT_DESK: [(&str, HotDesk); 3] =
    [("no", HotDesk::No), ("guests", HotDesk::Guests), ("shared", HotDesk::Shared)];

/// Shortest SIP password: guessing is banned after 20 tries, a leaked digest answer can be tried at leisure.
const PASSWORD_MIN: usize = 6;

pub(super) fn extension(t: Table<'_>) -> Extension {
    let number = internal(&t, "number");
    let extension = Extension {
        name: t.text("name").unwrap_or_else(|| number.to_string()),
        user: t.parsed("user", user).unwrap_or_else(|| number.to_string()),
        password: password(&t, &number),
        contact: t.parsed("contact", value::contact),
        language: t.choice("language", &LANGUAGES),
        outside_calls: t.choice("outside_calls", &RIGHTS).unwrap_or(Rights::National),
        caller_id: t.number("caller_id"),
        ring_timeout_s: t.count("ring_timeout_s", 5..=300, 25),
        max_contacts: t.count("max_contacts", 1..=20, 5),
        sha256_only: t.flag("sha256_only", false),
        budget: super::budget::own(&t),
        record: record(&t),
        voicemail: t.table("voicemail").map(voicemail),
        supervisor: t.flag("supervisor", false),
        hot_desk: t.choice("hot_desk", &HOT_DESK).unwrap_or(HotDesk::Guests),
        location: t.text("location"),
        number,
    };
    t.done();
    extension
}

/// An internal number that cannot be left out.
pub(super) fn internal(t: &Table<'_>, field: &'static str) -> Number {
    t.parsed_needed(field, "give it 2 to 6 digits in quotes, e.g. \"101\"", value::internal)
        .unwrap_or_default()
}

pub(super) fn record(t: &Table<'_>) -> RecordPolicy {
    t.choice("record", &RECORD).unwrap_or(RecordPolicy::OnDemand)
}

fn user(text: &str) -> Result<String, String> {
    let fine = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
    if fine && text.len() <= 40 {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" cannot be a SIP user name; use letters, digits, -, _, . and +"))
}

fn password(t: &Table<'_>, number: &Number) -> String {
    let remedy = "give it one of at least 6 characters, or let the box make one";
    let text = t.needed("password", remedy);
    let weak = |why: &str| t.problem("password", "weak", format!("this password {why}; {remedy}"));
    let first = text.chars().next();
    if text.is_empty() {
        return text;
    }
    if !text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')) {
        weak("has spaces, quotes or letters that phones cannot type");
    } else if text.len() < PASSWORD_MIN {
        weak("is too short");
    } else if text.chars().all(|c| Some(c) == first)
        || (number.as_str().len() > 2 && text == number.as_str().repeat(text.len() / number.as_str().len()))
    {
        weak("is easy to guess");
    }
    text
}

fn voicemail(t: Table<'_>) -> Voicemail {
    let voicemail = Voicemail {
        pin: t
            .parsed_needed("pin", "give it 6 to 12 digits, or let the box make one", pin)
            .unwrap_or_default(),
        email: t.parsed("email", value::email),
        max_message_s: t.count("max_message_s", 10..=3600, 180),
        max_messages: t.count("max_messages", 1..=1000, 100),
        shared: t.flag("shared", false),
    };
    t.done();
    voicemail
}

pub(super) fn pin(text: &str) -> Result<String, String> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != text.chars().count() || !(6..=12).contains(&digits.len()) {
        return Err("this is no PIN; a PIN has 6 to 12 digits, in quotes".into());
    }
    let steps = |by: i64| digits.windows(2).all(|w| i64::from(w[1]) - i64::from(w[0]) == by);
    if steps(0) || steps(1) || steps(-1) {
        return Err("this PIN is easy to guess; use digits that are no row and not all the same".into());
    }
    Ok(text.to_owned())
}

pub(super) fn agent(t: Table<'_>) -> Agent {
    let id =
        t.parsed_needed("id", "give it a few digits in quotes, e.g. \"101\"", agent_id).unwrap_or_default();
    let agent = Agent {
        name: t.text("name").unwrap_or_else(|| id.clone()),
        extension: internal(&t, "extension"),
        always_on: t.flag("always_on", false),
        skill: t
            .counts("skill", super::waiting::SKILLS_MAX, 1..=super::waiting::LEVEL_MAX)
            .into_iter()
            .collect(),
        id,
    };
    t.done();
    agent
}

fn agent_id(text: &str) -> Result<String, String> {
    if (1..=10).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" cannot be an agent id; use 1 to 10 digits"))
}
