//! Changes one place of a configuration tree by its path, as a person types it: `extension[101].name` or
//! `extension.101.name`, `inbound[0].to`, `flow[main menu].step[hello].next`. What a text means is told by the schema;
//! whether the site is still one is checked afterwards by [`super::draft`]. Never checks, never stores.
use super::diff::key_of;
use super::schema::{self, Kind};
use serde_json::{Map, Value, json};

/// Deepest path: no field of a site lies half as deep.
const DEEPEST: usize = 12;

/// One step of a path.
type Step = String;

/// Reads a path.
///
/// # Errors
/// A sentence that says how it is written.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("\"{path}\" is not a path; write it like extension[101].name or network.ipv4");
    let (mut out, mut rest) = (Vec::new(), path.trim());
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = inner.split_once(']').ok_or_else(wrong)?;
            out.push(key.to_owned());
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            out.push(rest[..end].to_owned());
            rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
        }
    }
    if out.len() > DEEPEST || out.iter().any(String::is_empty) { Err(wrong()) } else { Ok(out) }
}

/// Where an item of a list is: by its key when the section has one, else by its place.
fn place(section: &str, list: &[Value], key: &str) -> Option<usize> {
    match key_of(section) {
        Some(name) => list.iter().position(|item| item[name] == key),
        None => key.parse().ok().filter(|i| *i < list.len()),
    }
}

fn missing(path: &str) -> String {
    format!("there is nothing at {path}; belfry get shows what there is, belfry schema what there can be")
}

/// What stands at a path; the whole tree at an empty one.
///
/// # Errors
/// Nothing does.
pub fn get<'a>(tree: &'a Value, path: &str) -> Result<&'a Value, String> {
    let steps = steps(path)?;
    let mut at = tree;
    for (depth, step) in steps.iter().enumerate() {
        at = match at {
            Value::Object(fields) => fields.get(step),
            Value::Array(list) => place(section(&steps, depth), list, step).map(|i| &list[i]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
        .ok_or_else(|| missing(path))?;
    }
    Ok(at)
}

/// The name by which `key_of` knows a list: only the lists at the top have keys.
fn section(steps: &[Step], depth: usize) -> &str {
    if depth == 1 { &steps[0] } else { "" }
}

/// Puts what a person typed at a path; tables on the way are made, items of lists are not.
///
/// # Errors
/// The path leads nowhere.
pub fn set(tree: &mut Value, path: &str, typed: &str) -> Result<(), String> {
    let steps = steps(path)?;
    let Some((last, way)) = steps.split_last() else { return Err("name the field, e.g. system.name".into()) };
    let value = meaning(&steps, typed)?;
    match walk(tree, way, path)? {
        Value::Object(fields) => drop(fields.insert(last.clone(), value)),
        Value::Array(list) => {
            let i = place(section(&steps, way.len()), list, last).ok_or_else(|| missing(path))?;
            list[i] = value;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(missing(path)),
    }
    Ok(())
}

/// Takes away what stands at a path: an item, or a field, which then has its usual value.
///
/// # Errors
/// There is nothing.
pub fn remove(tree: &mut Value, path: &str) -> Result<(), String> {
    let steps = steps(path)?;
    let Some((last, way)) = steps.split_last() else {
        return Err("name what goes, e.g. extension[101]".into());
    };
    let gone = match walk(tree, way, path)? {
        Value::Object(fields) => fields.remove(last).is_some(),
        Value::Array(list) => {
            let at = place(section(&steps, way.len()), list, last);
            at.map(|i| list.remove(i)).is_some()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if gone { Ok(()) } else { Err(missing(path)) }
}

/// Adds to a list: an item of a section (`words` = its key, then `field=value`), a rule (`field=value`), or a text.
///
/// # Errors
/// It is not a list, the item is there already, or a word is no `field=value`.
pub fn add(tree: &mut Value, path: &str, words: &[String]) -> Result<(), String> {
    let place = steps(path)?;
    if place.is_empty() {
        return Err("name the list, e.g. extension or network.dns".into());
    }
    let key = key_of(path).map(|name| (name, words.first().map(String::as_str).unwrap_or_default()));
    let texts = words.iter().all(|word| !word.contains('=')) && key.is_none();
    if let Some((name, "")) = key {
        let typed = name.to_uppercase();
        return Err(format!("give the new {path} its {name} first, e.g. belfry add {path} {typed}"));
    }
    if key.is_some_and(|(_, typed)| get(tree, &format!("{path}[{typed}]")).is_ok()) {
        return Err(format!("{path} {} is there already; change it with belfry set", words[0]));
    }
    let parent = walk(tree, &place[..place.len() - 1], path)?;
    let list = parent
        .as_object_mut()
        .map(|fields| fields.entry(place[place.len() - 1].clone()).or_insert_with(|| json!([])));
    let Some(list) = list.and_then(Value::as_array_mut) else { return Err(format!("{path} is not a list")) };
    if texts {
        list.extend(words.iter().map(|word| Value::from(word.as_str())));
        return Ok(());
    }
    let at = list.len();
    list.push(key.map_or_else(|| json!({}), |(name, typed)| json!({ name: typed })));
    let item = key.map_or_else(|| format!("{path}[{at}]"), |(_, typed)| format!("{path}[{typed}]"));
    for word in &words[usize::from(key.is_some())..] {
        let (field, typed) = word.split_once('=').ok_or_else(|| format!("\"{word}\" is not FIELD=VALUE"))?;
        set(tree, &format!("{item}.{field}"), typed)?;
    }
    Ok(())
}

/// Goes a way, making tables that are not there.
fn walk<'a>(tree: &'a mut Value, way: &[Step], path: &str) -> Result<&'a mut Value, String> {
    let mut at = tree;
    for (depth, step) in way.iter().enumerate() {
        at = match at {
            Value::Object(fields) => fields.entry(step.clone()).or_insert_with(|| Value::Object(Map::new())),
            Value::Array(list) => {
                let i = place(section(way, depth), list, step).ok_or_else(|| missing(path))?;
                &mut list[i]
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(missing(path)),
        };
    }
    Ok(at)
}

/// What a typed text means at this place.
fn meaning(steps: &[Step], typed: &str) -> Result<Value, String> {
    let fields = schema::fields();
    let kind = |steps: &[Step]| fields.iter().find(|f| matches(&f.path, steps)).map(|f| f.kind.clone());
    let in_list = || matches!(kind(&steps[..steps.len().saturating_sub(1)]), Some(Kind::List { .. }));
    let kind = kind(steps).unwrap_or_else(|| if in_list() { Kind::Text } else { Kind::Any });
    let text = typed.trim();
    Ok(match kind {
        Kind::Choice { .. } | Kind::Text => Value::from(typed),
        Kind::Flag { .. } => match text {
            "true" | "yes" | "on" => Value::Bool(true),
            "false" | "no" | "off" => Value::Bool(false),
            _ => return Err(format!("\"{text}\" is neither true nor false")),
        },
        Kind::Number { min, max, .. } => match text.parse::<i64>() {
            Ok(number) => Value::from(number),
            Err(_) => return Err(format!("\"{text}\" is not a whole number; use {min} to {max}")),
        },
        Kind::List { .. } if !text.starts_with('[') => {
            text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect()
        }
        Kind::Any | Kind::List { .. } => match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) if text.starts_with(['[', '{']) => return Err(format!("\"{text}\" is not JSON")),
            Err(_) => Value::from(typed),
        },
    })
}

/// Whether a path of the schema is this one: `[]` and `{}` stand for any step.
fn matches(pattern: &str, steps: &[Step]) -> bool {
    let spread = pattern.replace("[]", ".[]").replace("{}", ".{}");
    let parts: Vec<&str> = spread.split('.').collect();
    parts.len() == steps.len() && parts.iter().zip(steps).all(|(p, s)| matches!(*p, "[]" | "{}") || p == s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Value {
        json!({ "system": { "name": "x" }, "inbound": [{ "to": "echo" }],
            "extension": [{ "number": "101", "name": "Anna" }],
            "flow": [{ "name": "main menu", "step": { "a.b": { "kind": "play" } } }] })
    }

    #[test]
    fn places_are_found_by_key_by_number_and_by_name() {
        let tree = tree();
        for (path, value) in [
            ("extension[101].name", "Anna"),
            ("extension.101.name", "Anna"),
            ("inbound[0].to", "echo"),
            ("flow[main menu].step[a.b].kind", "play"),
        ] {
            assert_eq!(get(&tree, path), Ok(&json!(value)), "{path}");
        }
        assert_eq!(get(&tree, ""), Ok(&tree));
        for path in ["extension[102]", "inbound[1]", "inbound[x]", "system.name.x", "a..b", "extension[101"] {
            assert!(get(&tree, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_typed_text_becomes_what_its_field_needs() {
        let mut tree = tree();
        for (path, typed, value) in [
            ("network.vlan", "42", json!(42)),
            ("network.mdns", "off", json!(false)),
            ("network.dns", "192.0.2.1, 192.0.2.2", json!(["192.0.2.1", "192.0.2.2"])),
            ("network.dns[1]", "192.0.2.3", json!("192.0.2.3")),
            ("extension[101].caller_id", "4711", json!("4711")),
            ("extension[101].voicemail.pin", "194720", json!("194720")),
            ("extension[101].ring_timeout_s", "30", json!(30)),
            ("flow[main menu].step.menu.option.1", "bye", json!("bye")),
            ("audio.music.jazz", "builtin", json!("builtin")),
        ] {
            assert_eq!(set(&mut tree, path, typed), Ok(()), "{path}");
            assert_eq!(get(&tree, path), Ok(&value), "{path}");
        }
        for (path, typed) in
            [("network.vlan", "many"), ("network.mdns", "perhaps"), ("extension[109].name", "x"), ("", "x")]
        {
            assert!(set(&mut tree, path, typed).is_err(), "{path}");
        }
    }

    #[test]
    fn items_rules_and_texts_are_added_and_removed() {
        let mut tree = tree();
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(add(&mut tree, "extension", &words("102|name=Ben|voicemail.pin=194720")), Ok(()));
        assert_eq!(
            get(&tree, "extension[102]").unwrap(),
            &json!({ "number": "102", "name": "Ben", "voicemail": { "pin": "194720" } })
        );
        assert_eq!(add(&mut tree, "inbound", &words("to=queue:main|number=+49.")), Ok(()));
        assert_eq!(get(&tree, "inbound[1].to").unwrap(), "queue:main");
        assert_eq!(add(&mut tree, "network.dns", &words("192.0.2.1")), Ok(()));
        assert_eq!(get(&tree, "network.dns").unwrap(), &json!(["192.0.2.1"]));
        for (path, typed) in
            [("extension", "101"), ("extension", ""), ("system", "x"), ("inbound", "a=b|c"), ("", "x")]
        {
            assert!(add(&mut tree, path, &words(typed)).is_err(), "{path} {typed}");
        }
        assert_eq!(remove(&mut tree, "extension[102]"), Ok(()));
        assert_eq!(remove(&mut tree, "inbound[1]"), Ok(()));
        assert_eq!(remove(&mut tree, "network.dns"), Ok(()));
        assert!(remove(&mut tree, "extension[102]").is_err() && remove(&mut tree, "").is_err());
    }
}
