//! Writes a `Config` back as a tree: whole, or brief with everything left out that the reader would put there anyway.
use super::table::{Problems, Table};
use super::{alarm, budget, campaign, carrier, ivr, lan, people, site, vault, waiting};
use crate::config::Config;
use serde::Serialize;
use serde_json::{Map, Value};

/// The whole tree; [`super::read`] of it gives the same `Config`.
#[must_use]
pub fn to_tree(config: &Config) -> Value {
    value(config)
}

fn value(item: &impl Serialize) -> Value {
    serde_json::to_value(item).expect("a configuration has only text keys and finite numbers")
}

/// Fields that stand in a brief tree even when they are the default: they say what the item is.
const KEPT: [&str; 10] =
    ["number", "name", "id", "extension", "kind", "host", "strategy", "country", "language", "time_zone"];

/// The tree with defaults left out, for people to read; [`super::read`] of it gives the same `Config` too.
#[must_use]
pub fn brief(config: &Config) -> Value {
    let Value::Object(mut tree) = to_tree(config) else { return Value::Null };
    one(&mut tree, "system", &[], |t| value(&site::system(t)));
    one(&mut tree, "network", &[], |t| value(&lan::network(t)));
    one(&mut tree, "time", &[], |t| value(&lan::time(t)));
    one(&mut tree, "mail", &["security"], |t| value(&site::mail(t)));
    one(&mut tree, "backup", &["target"], |t| value(&vault::backup(t)));
    one(&mut tree, "retention", &[], |t| value(&vault::retention(t)));
    one(&mut tree, "alarm", &[], |t| value(&alarm::alarm(t)));
    one(&mut tree, "budget", &[], |t| value(&budget::budget(t)));
    one(&mut tree, "feature", &[], |t| value(&site::feature(t)));
    one(&mut tree, "audio", &[], |t| value(&site::audio(t)));
    each(&mut tree, "schedule", &["name"], |t| value(&site::schedule(t)));
    each(&mut tree, "extension", &["number"], |t| value(&people::extension(t)));
    shorten_mailboxes(&mut tree);
    each(&mut tree, "agent", &["id"], |t| value(&people::agent(t)));
    each(&mut tree, "trunk", &["name", "username"], |t| value(&carrier::trunk(t)));
    each(&mut tree, "inbound", &["number"], |t| value(&carrier::inbound(t)));
    each(&mut tree, "outbound", &["number"], |t| value(&carrier::outbound(t)));
    one(&mut tree, "distribution", &[], |t| value(&waiting::distribution(t)));
    each(&mut tree, "queue", &["name"], |t| value(&waiting::queue(t)));
    shorten_callbacks(&mut tree);
    each(&mut tree, "flow", &["name"], |t| value(&ivr::flow(t)));
    each(&mut tree, "campaign", &["name"], |t| value(&campaign::campaign(t)));
    tree.retain(|_, section| !is_empty(section));
    Value::Object(tree)
}

fn is_empty(section: &Value) -> bool {
    section.as_array().is_some_and(Vec::is_empty) || section.as_object().is_some_and(Map::is_empty)
}

fn one(tree: &mut Map<String, Value>, section: &str, keys: &[&str], read: impl Fn(Table<'_>) -> Value) {
    if let Some(Value::Object(item)) = tree.get_mut(section) {
        shorten(item, keys, read);
    }
}

fn each(tree: &mut Map<String, Value>, section: &str, keys: &[&str], read: impl Fn(Table<'_>) -> Value) {
    let items = tree.get_mut(section).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        shorten(item, keys, &read);
    }
}

/// Reads an item that has nothing but its keys, to learn its defaults; takes away what equals them.
fn shorten(item: &mut Map<String, Value>, keys: &[&str], read: impl Fn(Table<'_>) -> Value) {
    let bare = keys.iter().filter_map(|k| Some(((*k).to_owned(), item.get(*k)?.clone()))).collect();
    let bare = Value::Object(bare);
    let unheard = Problems::default();
    let defaults = read(Table::new(String::new(), Some(&bare), &unheard));
    let needed =
        |field: &str| matches!(field, "password" | "pass_phrase" | "overflow" | "to" | "step" | "trunks");
    let kept = |field: &str| KEPT.contains(&field) || keys.contains(&field) || needed(field);
    item.retain(|field, v| kept(field) || defaults.get(field) != Some(&*v));
}

/// The same of queues that call back, or ask who shall answer.
fn shorten_callbacks(tree: &mut Map<String, Value>) {
    let (bare, unheard) = (serde_json::json!({ "callback": {}, "decide": {} }), Problems::default());
    let usual = value(&waiting::queue(Table::new(String::new(), Some(&bare), &unheard)));
    let queues = tree.get_mut("queue").and_then(Value::as_array_mut);
    for queue in queues.into_iter().flatten() {
        for part in ["callback", "decide"] {
            if let Some(Value::Object(fields)) = queue.get_mut(part) {
                fields.retain(|field, v| usual[part].get(field) != Some(&*v));
            }
        }
    }
}

/// The mailboxes, by the defaults of an extension that has one and says nothing about it.
fn shorten_mailboxes(tree: &mut Map<String, Value>) {
    let (bare, unheard) = (serde_json::json!({ "voicemail": {} }), Problems::default());
    let usual = value(&people::extension(Table::new(String::new(), Some(&bare), &unheard)));
    let extensions = tree.get_mut("extension").and_then(Value::as_array_mut);
    for extension in extensions.into_iter().flatten() {
        if let Some(Value::Object(mailbox)) = extension.get_mut("voicemail") {
            mailbox.retain(|field, v| field == "pin" || usual["voicemail"].get(field) != Some(&*v));
        }
    }
}
