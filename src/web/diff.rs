//! Differences of two configuration trees, as people read them: items of a list are told apart by their number, id or
//! name, not by their place; secrets show only that they changed. Pure.
use model::query::Change;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Fields whose value is never shown.
#[must_use]
pub fn is_secret(field: &str) -> bool {
    matches!(field, "password" | "pin")
}

/// Every difference, in the order of paths.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut out = Vec::new();
    compare("", Some(old), Some(new), &mut out);
    out
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Vec<Change>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => compare_maps(path, a, b, out),
        (Some(Value::Array(a)), Some(Value::Array(b))) => match (keyed(a), keyed(b)) {
            (Some(a), Some(b)) => compare_items(path, &a, &b, out),
            (None, _) | (_, None) => tell(path, old, new, out),
        },
        _ => tell(path, old, new, out),
    }
}

fn compare_maps(path: &str, a: &Map<String, Value>, b: &Map<String, Value>, out: &mut Vec<Change>) {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for key in keys {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        compare(&below, a.get(key), b.get(key), out);
    }
}

type Items<'a> = Vec<(&'a str, &'a Value)>;

fn compare_items(path: &str, a: &Items, b: &Items, out: &mut Vec<Change>) {
    let keys: BTreeSet<&str> = a.iter().chain(b).map(|(key, _)| *key).collect();
    let before = out.len();
    for key in keys {
        let find = |items: &Items| items.iter().find(|(k, _)| *k == key).map(|(_, value)| (*value).clone());
        compare(&format!("{path}[{key}]"), find(a).as_ref(), find(b).as_ref(), out);
    }
    if out.len() == before {
        // The same items in another order.
        let order = |items: &Items| json!(items.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        out.push(Change { path: path.to_owned(), old: Some(order(a)), new: Some(order(b)) });
    }
}

/// The items with their keys, when all are named and no name comes twice.
fn keyed(list: &[Value]) -> Option<Items<'_>> {
    let name = |item: &'_ Value| -> Option<&str> {
        ["number", "id", "name"].iter().find_map(|field| item.get(*field)?.as_str().map(|_| *field))
    };
    // Inbound and outbound rules have a number mask and a name; there the name is what people know them by.
    let field = list.first().and_then(name);
    let field = if list.iter().any(|i| i.get("to").is_some() || i.get("trunks").is_some()) {
        Some("name")
    } else {
        field
    };
    let Some(field) = field else { return list.is_empty().then(Vec::new) };
    let items: Option<Items> = list.iter().map(|item| Some((item.get(field)?.as_str()?, item))).collect();
    let items = items?;
    let distinct: BTreeSet<&str> = items.iter().map(|(key, _)| *key).collect();
    (distinct.len() == items.len()).then_some(items)
}

fn tell(path: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Vec<Change>) {
    let hide = |value: Option<&Value>| {
        let mut value = value?.clone();
        if path.rsplit('.').next().is_some_and(is_secret) {
            return Some(json!("(hidden)"));
        }
        hide_below(&mut value);
        Some(value)
    };
    out.push(Change { path: path.to_owned(), old: hide(old), new: hide(new) });
}

fn hide_below(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, below) in map.iter_mut() {
                if is_secret(key) {
                    *below = json!("(hidden)");
                } else {
                    hide_below(below);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(hide_below),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(old: &Value, new: &Value) -> Vec<String> {
        changes(old, new).into_iter().map(|c| c.path).collect()
    }

    #[test]
    fn an_item_is_followed_by_its_number_not_by_its_place() {
        let old = json!({"extension": [{"number": "101", "name": "A"}, {"number": "102", "name": "B"}]});
        let new = json!({"extension": [{"number": "102", "name": "C"}, {"number": "103", "name": "D"}]});
        let expected = ["extension[101]", "extension[102].name", "extension[103]"];
        assert_eq!(paths(&old, &new), expected);
        assert!(changes(&old, &old).is_empty());
    }

    #[test]
    fn secrets_are_never_shown() {
        let old =
            json!({"extension": [{"number": "101", "password": "one", "voicemail": {"pin": "111111"}}]});
        let new = json!({"extension": [{"number": "101", "password": "two", "voicemail": {"pin": "222222"}},
                                       {"number": "102", "password": "three"}]});
        let text = serde_json::to_string(&changes(&old, &new)).unwrap();
        for secret in ["one", "two", "three", "111111", "222222"] {
            assert!(!text.contains(&format!("\"{secret}\"")), "{secret} in {text}");
        }
        assert_eq!(
            paths(&old, &new),
            ["extension[101].password", "extension[101].voicemail.pin", "extension[102]"]
        );
    }

    #[test]
    fn order_of_rules_counts() {
        let rule = |name: &str| json!({"name": name, "number": "X.", "trunks": ["t"]});
        let old = json!({"outbound": [rule("a"), rule("b")]});
        let new = json!({"outbound": [rule("b"), rule("a")]});
        assert_eq!(paths(&old, &new), ["outbound"]);
    }

    #[test]
    fn a_section_that_comes_or_goes_is_one_change() {
        let change = &changes(&json!({}), &json!({"mail": {"host": "h", "password": "p"}}))[0];
        assert_eq!((change.path.as_str(), &change.old), ("mail", &None));
        assert_eq!(change.new, Some(json!({"host": "h", "password": "(hidden)"})));
    }
}
