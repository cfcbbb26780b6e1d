//! The site as one readable TOML text: read into a tree for [`super::draft`], and written from a `Config` section by
//! section, keys first, defaults left out. Decides nothing about the content.
use crate::config::Config;
use crate::config::draft::{self, Problem};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Longest text taken: five thousand extensions fit many times.
pub const TEXT_MAX: usize = 4 * 1024 * 1024;

/// How a text that a box wrote begins and ends: half of one is TOML too, and would take the other half away.
const FIRST_LINE: &str =
    "# A whole Belfry site, down to its last line. Fields that are left out have their usual value.";
const LAST_LINE: &str = "# The end of the site.";

/// Reads a text as a tree.
///
/// # Errors
/// One problem: the text is too long, cut off, or not TOML; the field is then the place as `line 3, column 7`.
pub fn parse(text: &str) -> Result<Value, Problem> {
    if text.len() > TEXT_MAX {
        let message = format!("this text is longer than {} MiB; it cannot be a site", TEXT_MAX / 1024 / 1024);
        return Err(Problem { field: "line 1".into(), code: "too_long".into(), message });
    }
    let lines = || text.lines().map(str::trim);
    if lines().next() == Some(FIRST_LINE) && !lines().any(|line| line == LAST_LINE) {
        return Err(cut_off(lines().count()));
    }
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(json(toml::Value::Table(table))),
        Err(error) => Err(not_toml(text, &error)),
    }
}

fn cut_off(lines: usize) -> Problem {
    let message = format!(
        "this file is cut off: a box writes \"{LAST_LINE}\" at the end, and that line is missing. Export the site again; if it was \
         taken out by hand, take out the first line too"
    );
    Problem { field: format!("line {lines}"), code: "cut_off".into(), message }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |s| s.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    let message = format!("this is not TOML: {}; correct this line", error.message().replace('\n', " "));
    Problem { field: format!("line {line}, column {column}"), code: "syntax".into(), message }
}

/// Dates become the text they were typed as; everything else keeps its kind.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(n) => Value::from(n),
        toml::Value::Float(n) => Value::from(n),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(d) => Value::String(d.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        toml::Value::Table(fields) => Value::Object(fields.into_iter().map(|(k, v)| (k, json(v))).collect()),
    }
}

/// Sections in the order a person thinks of a site.
const SECTIONS: [&str; 20] = [
    "system",
    "network",
    "time",
    "mail",
    "alarm",
    "budget",
    "backup",
    "retention",
    "feature",
    "audio",
    "schedule",
    "extension",
    "agent",
    "trunk",
    "inbound",
    "outbound",
    "distribution",
    "queue",
    "flow",
    "campaign",
];

/// Fields that come first in their table, in this order; the others follow by name.
const FIRST: [&str; 17] = [
    "number", "id", "name", "kind", "host", "port", "user", "username", "password", "start", "mon", "tue",
    "wed", "thu", "fri", "sat", "sun",
];

/// The names of a table in the order in which they are written.
fn in_order(fields: &Map<String, Value>) -> Vec<&String> {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_by_key(|name| FIRST.iter().position(|f| f == name).unwrap_or(FIRST.len()));
    names
}

/// Small tables written in one line.
const INLINE: [&str; 5] = ["class", "option", "skill", "week", "weight"];

/// Writes the whole site, secrets included; [`parse`] and [`draft::read`] give it back.
#[must_use]
pub fn write(config: &Config) -> String {
    let tree = draft::brief(config);
    let mut out = format!("{FIRST_LINE}\n");
    for section in SECTIONS {
        match tree.get(section) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).for_each(|item| {
                let _ = writeln!(out, "\n[[{section}]]");
                table(section, item, &mut out);
            }),
            Some(Value::Object(item)) => {
                let _ = writeln!(out, "\n[{section}]");
                table(section, item, &mut out);
            }
            _ => {}
        }
    }
    let _ = writeln!(out, "\n{LAST_LINE}");
    out
}

fn table(path: &str, fields: &Map<String, Value>, out: &mut String) {
    let names = in_order(fields);
    let is_table = |name: &&&String| fields[**name].is_object() && !INLINE.contains(&name.as_str());
    for name in names.iter().filter(|n| !is_table(n)) {
        let _ = writeln!(out, "{} = {}", key(name), plain(&fields[*name]));
    }
    for name in names.iter().filter(is_table) {
        let path = format!("{path}.{}", key(name));
        let inner = fields[*name].as_object().expect("just seen");
        let only_tables = !inner.is_empty() && inner.values().all(Value::is_object);
        if !only_tables {
            let _ = writeln!(out, "\n[{path}]");
        }
        table(&path, inner, out);
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { Value::from(name).to_string() }
}

/// A value in one line. Texts have no control characters, so that JSON's quoting is TOML's too.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                in_order(fields).iter().map(|k| format!("{} = {}", key(k), plain(&fields[*k]))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../rootfs/usr/share/belfry/defaults/site.toml");

    fn read(text: &str) -> Config {
        let mut tree = parse(text).expect("TOML");
        let mut n = 0u8;
        draft::complete(&mut tree, &mut |bytes| {
            bytes.fill_with(|| {
                n = n.wrapping_mul(73).wrapping_add(41);
                n
            })
        });
        draft::read(&tree).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    #[test]
    fn the_default_site_is_read_and_written_back() {
        let config = read(DEFAULT);
        assert_eq!((config.extension.len(), config.queue.len(), config.flow.len()), (5, 1, 1));
        assert_eq!(config.system.call_limit, 250);
        let text = write(&config);
        let again = draft::read(&parse(&text).expect(&text));
        assert_eq!(again.as_ref(), Ok(&config), "{text}");
        assert!(!text.contains("ring_timeout_s"), "defaults are left out:\n{text}");
    }

    #[test]
    fn what_a_box_wrote_is_refused_when_it_is_cut_off_wherever_that_is() {
        let text = write(&read(DEFAULT));
        for (at, _) in text.match_indices('\n').skip(1) {
            let cut = &text[..=at];
            let code = parse(cut).map_or_else(|problem| problem.code, |_| "fine".into());
            assert_eq!(code, if cut == text { "fine" } else { "cut_off" }, "cut at {at}");
        }
        let edited = text.replace(LAST_LINE, "[backup]\n# The end of the site.   \r");
        assert!(parse(&edited).is_ok(), "something was added, at the end or behind it");
    }

    #[test]
    fn the_whole_tree_is_read_back_too() {
        let config = read(DEFAULT);
        assert_eq!(draft::read(&draft::to_tree(&config)), Ok(config));
    }

    #[test]
    fn broken_toml_names_line_and_column() {
        let problem = parse("[system]\nname = \"x\"\ncountry = = \"DE\"\n").expect_err("broken");
        assert!(problem.field.starts_with("line 3, column 1"), "{problem:?}");
        assert_eq!(problem.code, "syntax");
    }

    #[test]
    fn holidays_may_be_dates_without_quotes() {
        let text = DEFAULT.replace("name = \"office\"", "name = \"office\"\nholidays = [2026-12-24]");
        assert_eq!(read(&text).schedule["office"].holidays.len(), 1);
    }
}
