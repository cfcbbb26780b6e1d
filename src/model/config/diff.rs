//! What differs between two configuration trees, for people: every changed field with its path, items named by their
//! key, secrets hidden. Decides nothing.
use crate::query::Change;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Key field of the items of a section.
const KEYS: [(&str, &str); 7] = [
    ("agent", "id"),
    ("campaign", "name"),
    ("extension", "number"),
    ("flow", "name"),
    ("queue", "name"),
    ("schedule", "name"),
    ("trunk", "name"),
];

/// Fields whose values are never shown.
const SECRETS: [&str; 4] = ["password", "pass_phrase", "pin", "webhook_secret"];

/// Whether a field's value is never shown.
#[must_use]
pub fn is_secret(field: &str) -> bool {
    SECRETS.contains(&field)
}

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Every difference, by section and key. An item that is new or gone is one change.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut out = Vec::new();
    compare("", Some(old), Some(new), &mut out);
    out
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Vec<Change>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, old.get(name), new.get(name), out);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if key_of(path).is_some() => {
            keyed(path, key_of(path).unwrap_or_default(), old, new, out);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if has_tables(old) || has_tables(new) => {
            for i in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{i}]"), old.get(i), new.get(i), out);
            }
        }
        (old, new) => {
            let shown = |value: Option<&Value>| value.map(|v| shown(path, v));
            out.push(Change { path: path.to_owned(), old: shown(old), new: shown(new) });
        }
    }
}

/// The field that names the items of a section.
#[must_use]
pub fn key_of(path: &str) -> Option<&'static str> {
    KEYS.iter().find(|(section, _)| *section == path).map(|&(_, key)| key)
}

fn has_tables(items: &[Value]) -> bool {
    items.iter().any(Value::is_object)
}

fn keyed(path: &str, key: &str, old: &[Value], new: &[Value], out: &mut Vec<Change>) {
    let by_name = |items: &'_ [Value]| -> BTreeMap<String, usize> {
        let name = |item: &Value| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        items.iter().enumerate().map(|(i, item)| (name(item), i)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.get(name).map(|&i| &old[i]), after.get(name).map(|&i| &new[i]));
        compare(&format!("{path}[{name}]"), old, new, out);
    }
}

/// The value without secrets, however deep they stand.
fn shown(path: &str, value: &Value) -> Value {
    let field = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Object(fields) => {
            let inner = fields.iter().map(|(name, v)| (name.clone(), shown(name, v)));
            Value::Object(inner.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shown("", item)).collect()),
        Value::String(_) if is_secret(field) => Value::from(HIDDEN),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The changes in a few words for a list of generations, e.g. `extension 101, queue main, system`.
#[must_use]
pub fn summary(changes: &[Change]) -> String {
    let mut places: Vec<String> = Vec::new();
    for change in changes {
        let place = change.path.split('.').next().unwrap_or_default();
        let place = place.replace('[', " ").replace(']', "");
        let verb = match (change.path.contains('.'), &change.old, &change.new) {
            (false, None, Some(_)) => " added",
            (false, Some(_), None) => " removed",
            _ => "",
        };
        let place = format!("{place}{verb}");
        if !places.contains(&place) {
            places.push(place);
        }
    }
    match places.len() {
        0 => "nothing changed".into(),
        1..=4 => places.join(", "),
        n => format!("{}, and {} more", places[..3].join(", "), n - 3),
    }
}

/// What would be there no more: sections, each with the keys of its items (none for a section that is one table).
#[must_use]
pub fn removed(old: &Value, new: &Value) -> Vec<(String, Vec<String>)> {
    let mut out = Vec::new();
    for (section, before) in old.as_object().into_iter().flatten() {
        let after = new.get(section);
        match before {
            Value::Array(items) => {
                let key = key_of(section).unwrap_or("name");
                let names = |items: &[Value]| -> Vec<String> {
                    let name = |item: &Value| item.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
                    items.iter().map(name).collect()
                };
                let kept = after.and_then(Value::as_array).map(|items| names(items)).unwrap_or_default();
                let gone: Vec<String> =
                    names(items).into_iter().filter(|name| !kept.contains(name)).collect();
                if !gone.is_empty() {
                    out.push((section.clone(), gone));
                }
            }
            Value::Object(_) if after.is_none() => out.push((section.clone(), Vec::new())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {}
        }
    }
    out
}

/// The same in words, e.g. `3 extension (101, 102, 103), 1 queue (main), network`; empty: nothing goes.
#[must_use]
pub fn removal(gone: &[(String, Vec<String>)]) -> String {
    /// More names help nobody.
    const NAMED: usize = 6;
    let words = gone.iter().map(|(section, keys)| {
        let more = if keys.len() > NAMED { ", ..." } else { "" };
        match keys.len() {
            0 => format!("every setting of {section}"),
            n => format!("{n} {section} ({}{more})", keys[..n.min(NAMED)].join(", ")),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_name_items_by_their_key_and_hide_secrets() {
        let old = json!({ "extension": [
            { "number": "101", "name": "Anna", "password": "one" }, { "number": "102", "password": "x" } ] });
        let new = json!({ "extension": [
            { "number": "103", "password": "y" }, { "number": "101", "name": "Ann", "password": "two" } ],
            "queue": [] });
        let found = changes(&old, &new);
        let paths: Vec<&str> = found.iter().map(|c| c.path.as_str()).collect();
        let expected =
            ["extension[101].name", "extension[101].password", "extension[102]", "extension[103]", "queue"];
        assert_eq!(paths, expected);
        let text = serde_json::to_string(&found).expect("plain data");
        assert!(!text.contains("\"one\"") && !text.contains("\"two\"") && !text.contains("\"y\""), "{text}");
        assert_eq!(summary(&found), "extension 101, extension 102 removed, extension 103 added, queue added");
    }

    #[test]
    fn what_a_shorter_site_takes_away_is_counted_and_named() {
        let numbers =
            |list: &[u32]| list.iter().map(|n| json!({ "number": n.to_string() })).collect::<Vec<_>>();
        let old = json!({ "extension": numbers(&[1, 2, 3, 4, 5, 6, 7, 8]), "network": { "vlan": 4 },
            "inbound": [{ "name": "main" }, { "name": "night" }], "queue": [{ "name": "a" }] });
        let new = json!({ "extension": numbers(&[8]), "inbound": [{ "name": "night" }], "queue": [{ "name": "a" }] });
        let words = removal(&removed(&old, &new));
        assert_eq!(words, "7 extension (1, 2, 3, 4, 5, 6, ...), 1 inbound (main), every setting of network");
        assert_eq!(removal(&removed(&old, &old)), "");
    }

    #[test]
    fn equal_trees_have_no_changes() {
        let tree = json!({ "system": { "name": "x" }, "inbound": [{ "to": "echo" }] });
        assert_eq!(changes(&tree, &tree), []);
        assert_eq!(summary(&[]), "nothing changed");
    }

    #[test]
    fn rules_without_key_are_compared_by_place() {
        let old = json!({ "inbound": [{ "to": "echo" }, { "to": "hang_up" }] });
        let new = json!({ "inbound": [{ "to": "echo" }, { "to": "queue:main" }] });
        assert_eq!(changes(&old, &new)[0].path, "inbound[1].to");
    }
}
