//! What hangs on a thing that is taken away: who uses it, in words, and the site without it and without every use of it.
//! It asks the checker of the configuration, the one truth about what refers to what, and mends what the checker names.
//! Pure; stores nothing.
use super::diff::key_of;
use super::draft::{self, Problem};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rounds of mending: each takes away a layer of what hung on the layer before; extension, agent, queue, rule, step are
/// five.
const ROUNDS: usize = 12;

/// Every item that would be left without what it names, e.g. `agent 7`, `queue main`, `inbound rule 2`, each once.
#[must_use]
pub fn users(tree: &Value, problems: &[Problem]) -> Vec<String> {
    let named: BTreeSet<String> =
        problems.iter().filter(|p| mendable(p)).map(|p| place(tree, &p.field)).collect();
    named.into_iter().collect()
}

/// Whether problems are only uses of something that is gone.
#[must_use]
pub fn only_uses(problems: &[Problem]) -> bool {
    !problems.is_empty() && problems.iter().all(mendable)
}

fn mendable(problem: &Problem) -> bool {
    matches!(problem.code.as_str(), "unknown_target" | "no_mailbox" | "no_mail")
}

/// The site without anything that names something that is not there, and what was taken away or changed for it.
///
/// # Errors
/// The problems that are of another kind, or go on for too long.
pub fn mend(mut tree: Value) -> Result<(Value, Vec<String>), Vec<Problem>> {
    let mut touched = BTreeSet::new();
    for _ in 0..ROUNDS {
        let Err(problems) = draft::read(&tree) else { return Ok((tree, touched.into_iter().collect())) };
        let before = tree.clone();
        for problem in &problems {
            touched.insert(place(&before, &problem.field));
            one(&mut tree, problem);
        }
        sweep(&mut tree);
        if tree == before {
            return Err(problems);
        }
    }
    draft::read(&tree).map(|_| (tree, touched.into_iter().collect()))
}

/// Takes one use away; what goes as a whole becomes `null` until [`sweep`], so that places keep their numbers.
fn one(tree: &mut Value, problem: &Problem) {
    let field = problem.field.as_str();
    let Some((section, i, rest)) = split(field) else {
        // Fields and lists of a section: `budget.schedule`, `system.emergency_notify[0]`.
        let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
        tree.pointer_mut(&pointer).map(Value::take);
        return;
    };
    let Some(item) = tree[section].get_mut(i) else { return };
    let rule = matches!(section, "inbound" | "outbound" | "agent" | "campaign");
    match (section, rest) {
        ("queue", "overflow") => item["overflow"] = json!("hang_up"),
        ("queue", "music") => item["music"] = json!("default"),
        ("queue", rest) if rest.starts_with("weight.") => {
            let weights = item["weight"].as_object_mut();
            drop(weights.and_then(|weights| weights.remove(&rest["weight.".len()..])));
        }
        ("queue", rest) if rest.starts_with("designated[") => designated(item, rest),
        ("extension", "voicemail.email") => drop(item["voicemail"]["email"].take()),
        ("campaign", "hours" | "flow") => drop(item[rest].take()),
        ("flow", _) => step(item, rest, problem.code == "unreachable"),
        (_, rest) => match rest.strip_suffix(']').and_then(|r| r.rsplit_once('[')) {
            Some((list, at)) => drop(item.pointer_mut(&format!("/{list}/{at}")).map(Value::take)),
            None if rule => drop(item.take()),
            None => {}
        },
    }
}

/// `designated[0].agents[1]`: the agent goes from that rule; a rule without agents goes as a whole.
fn designated(queue: &mut Value, rest: &str) {
    let pointer = format!("/{}", rest.replace('[', "/").replace("].", "/").replace(']', ""));
    drop(queue.pointer_mut(&pointer).map(Value::take));
    for rule in queue["designated"].as_array_mut().into_iter().flatten() {
        if rule["agents"].as_array().is_some_and(|agents| agents.iter().all(Value::is_null)) {
            drop(rule.take());
        }
    }
}

/// A step that leads to nothing ends the call; one that nothing leads to goes.
fn step(flow: &mut Value, rest: &str, goes: bool) {
    let Some(rest) = rest.strip_prefix("step.") else { return };
    let Some(steps) = flow["step"].as_object_mut() else { return };
    let named =
        |name: &String| rest == name || rest.strip_prefix(name.as_str()).is_some_and(|r| r.starts_with('.'));
    // The longest name that fits: names may have dots.
    let Some(name) = steps.keys().filter(|n| named(n)).max_by_key(|n| n.len()).cloned() else { return };
    if goes {
        steps.remove(&name);
    } else {
        steps.insert(name, json!({ "kind": "hang_up" }));
    }
}

/// Takes out what [`one`] made `null`.
fn sweep(tree: &mut Value) {
    let Some(sections) = tree.as_object_mut() else { return };
    for section in sections.values_mut() {
        let items: Vec<&mut Value> = match section {
            Value::Array(items) => {
                items.retain(|item| !item.is_null());
                items.iter_mut().collect()
            }
            whole @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => {
                vec![whole]
            }
        };
        for list in items.into_iter().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
            drop_nulls(list);
        }
    }
}

/// Out of a list, and of the lists in its items.
fn drop_nulls(list: &mut Value) {
    let Some(items) = list.as_array_mut() else { return };
    items.retain(|item| !item.is_null());
    for inner in items.iter_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        drop_nulls(inner);
    }
}

/// `queue[2].agents[0]` → (`queue`, 2, `agents[0]`).
fn split(field: &str) -> Option<(&str, usize, &str)> {
    let (section, rest) = field.split_once('[')?;
    let (number, rest) = rest.split_once(']')?;
    Some((section, number.parse().ok()?, rest.strip_prefix('.')?))
        .filter(|(section, ..)| !section.contains('.'))
}

/// The item a field stands in, as people name it.
fn place(tree: &Value, field: &str) -> String {
    let Some((section, i, _)) = split(field) else {
        return field.split(['.', '[']).next().unwrap_or_default().to_owned();
    };
    let name = key_of(section).and_then(|key| tree[section][i][key].as_str());
    name.map_or_else(|| format!("{section} rule {}", i + 1), |name| format!("{section} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{edit, text};

    const FULL: &str = include_str!("../../../tests/data/site_full.toml");

    fn full() -> Value {
        let tree = text::parse(FULL).expect("TOML");
        draft::to_tree(&draft::read(&tree).expect("checks"))
    }

    #[test]
    fn users_are_named_once_and_as_people_name_them() {
        let mut tree = full();
        edit::remove(&mut tree, "extension[102]").expect("there");
        let problems = draft::read(&tree).expect_err("in use");
        assert!(only_uses(&problems), "{problems:#?}");
        assert_eq!(users(&tree, &problems), ["flow main menu", "queue sales"]);
    }

    #[test]
    fn what_goes_takes_along_all_that_hangs_on_it_and_leaves_a_site_that_checks() {
        let mut tree = full();
        edit::remove(&mut tree, "extension[101]").expect("there");
        let (mended, touched) = mend(tree).expect("mended");
        let config = draft::read(&mended).expect("checks");
        assert!(config.agent.is_empty() && config.queue["sales"].agents.is_empty());
        assert!(config.system.emergency_notify.is_empty());
        assert_eq!(config.inbound.len(), 1, "the rule to its mailbox is gone");
        for name in ["agent 7", "flow main menu", "inbound rule 2", "system"] {
            assert!(touched.iter().any(|t| t == name), "{name} in {touched:?}");
        }
    }

    /// Deletes things at random, three hundred times: each is either free, or refused with its users, and then goes with
    /// them; the site always checks.
    #[test]
    fn three_hundred_random_deletions_leave_no_dangling_use() {
        let (mut seed, mut refused) = (7u64, 0);
        let mut tree = full();
        for round in 0..300 {
            let paths =
                ["extension", "agent", "trunk", "queue", "flow", "schedule"].iter().flat_map(|section| {
                    let key = key_of(section).expect("a list");
                    let items = tree[*section].as_array().into_iter().flatten();
                    items.map(move |item| format!("{section}[{}]", item[key].as_str().unwrap_or_default()))
                });
            let paths: Vec<String> = paths.collect();
            if paths.is_empty() {
                tree = full();
                continue;
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let path = &paths[usize::try_from(seed >> 33).expect("small") % paths.len()];
            edit::remove(&mut tree, path).expect(path);
            if let Err(problems) = draft::read(&tree) {
                refused += 1;
                assert!(only_uses(&problems) && !users(&tree, &problems).is_empty(), "{path}: {problems:#?}");
                let (mended, touched) =
                    mend(tree).unwrap_or_else(|p| panic!("round {round}, {path}: {p:#?}"));
                assert!(!touched.is_empty());
                tree = mended;
            }
        }
        assert!(refused > 60, "{refused} of the deleted things were used");
    }
}
