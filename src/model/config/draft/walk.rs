//! Walks through flows and overflows: every step leads somewhere, every step can be reached, and nothing sends a call
//! in a circle without the caller pressing a key. A caller who is silent therefore always comes to an end.
use super::Sections;
use super::table::{Problems, did_you_mean};
use crate::config::flow::{Flow, Step};
use crate::config::route::Destination;
use std::collections::{BTreeMap, BTreeSet};

/// A way out of a step: the field that names it, the next step, and whether the caller must press a key to take it.
type Way<'a> = (String, &'a str, bool);

fn ways(step: &Step) -> Vec<Way<'_>> {
    let way = |field: &str, to, key| (field.to_owned(), to, key);
    match step {
        // An application says by itself when a caller has been silent for long enough.
        Step::Application { way: all, otherwise, .. } => {
            let named = all.iter().map(|(name, to)| (format!("way.{name}"), to.as_str(), true));
            named.chain([way("otherwise", otherwise.as_str(), false)]).collect()
        }
        Step::Condition { then, otherwise, .. } => {
            vec![way("then", then.as_str(), false), way("otherwise", otherwise.as_str(), false)]
        }
        Step::Callback { next, otherwise, .. }
        | Step::Lookup { next, otherwise, .. }
        | Step::Table { next, otherwise, .. } => {
            vec![way("next", next.as_str(), false), way("otherwise", otherwise.as_str(), false)]
        }
        Step::Collect { next, otherwise, .. } | Step::Survey { next, otherwise, .. } => {
            vec![way("next", next.as_str(), true), way("otherwise", otherwise.as_str(), false)]
        }
        Step::Extension { otherwise: Some(step), number: _ } => vec![way("otherwise", step.as_str(), false)],
        Step::Hours { open, closed, schedule: _ } => {
            vec![way("open", open, false), way("closed", closed, false)]
        }
        Step::Language { next, .. }
        | Step::Play { next, .. }
        | Step::Set { next, .. }
        | Step::Speak { next, .. } => vec![way("next", next, false)],
        Step::Menu { option, on_timeout, on_invalid, .. } => {
            let keys =
                option.iter().map(|(key, to)| (format!("option.{}", key.as_char()), to.as_str(), true));
            let rest =
                [way("on_timeout", on_timeout.as_str(), false), way("on_invalid", on_invalid.as_str(), true)];
            keys.chain(rest).collect()
        }
        // A caller who talked to an agent was not silent.
        Step::Queue { after: Some(step), queue: _ } => vec![way("after", step.as_str(), true)],
        Step::Extension { otherwise: None, number: _ }
        | Step::HangUp { .. }
        | Step::Queue { after: None, queue: _ }
        | Step::Voicemail { .. } => Vec::new(),
    }
}

/// The steps of one flow.
pub(super) fn steps(i: usize, flow: &Flow, out: &Problems) {
    let exists = |path: &str, to: &str| {
        if to.is_empty() || flow.step.contains_key(to) {
            return;
        }
        let hint = did_you_mean(to, flow.step.keys().map(String::as_str));
        let message =
            format!("there is no step \"{to}\" in this flow{hint}; add it, or name one of its steps");
        out.add(path, "unknown_target", message);
    };
    exists(&format!("flow[{i}].start"), &flow.start);
    for (name, step) in &flow.step {
        for (field, to, _) in ways(step) {
            exists(&format!("flow[{i}].step.{name}.{field}"), to);
        }
    }
    unreachable(i, flow, out);
    silent_loops(i, flow, out);
}

fn unreachable(i: usize, flow: &Flow, out: &Problems) {
    let reached = reach(flow, |_| true);
    for name in flow.step.keys().filter(|n| !reached.contains(n.as_str())) {
        if flow.step.contains_key(&flow.start) {
            let message = format!("no way leads to step \"{name}\"; name it in another step, or remove it");
            out.add(&format!("flow[{i}].step.{name}"), "unreachable", message);
        }
    }
}

/// Steps that can be come to from the start by the ways that `takes` allows.
fn reach(flow: &Flow, takes: impl Fn(&Way<'_>) -> bool) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![flow.start.as_str()];
    while let Some(name) = todo.pop() {
        let Some((name, step)) = flow.step.get_key_value(name) else { continue };
        if reached.insert(name.as_str()) {
            todo.extend(ways(step).into_iter().filter(&takes).map(|(_, to, _)| to));
        }
    }
    reached
}

fn silent_loops(i: usize, flow: &Flow, out: &Problems) {
    let edges = flow.step.iter().map(|(name, step)| {
        let silent = ways(step).into_iter().filter(|(_, _, key)| !key).map(|(_, to, _)| to.to_owned());
        (name.clone(), silent.collect())
    });
    for circle in circles_of(&edges.collect()) {
        let first = &circle[0];
        let message = format!(
            "a silent caller goes round for ever: {} → {first}; let one of these steps lead to a queue, voicemail or hang_up",
            circle.join(" → ")
        );
        out.add(&format!("flow[{i}].step.{first}"), "loop", message);
    }
}

/// Circles among queues (by overflow) and flows (by what a silent caller comes to).
pub(super) fn circles(s: &Sections, out: &Problems) {
    let node = |to: &Destination| match to {
        Destination::Queue(_) | Destination::Flow(_) => Some(to.to_string()),
        Destination::Announcement
        | Destination::Echo
        | Destination::Extension(_)
        | Destination::HangUp
        | Destination::Voicemail(_) => None,
    };
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for queue in &s.queue {
        edges.insert(format!("queue:{}", queue.name), node(&queue.overflow).into_iter().collect());
    }
    for flow in &s.flow {
        let silent = reach(flow, |(_, _, key)| !key);
        let queues = silent.iter().filter_map(|name| match flow.step.get(*name) {
            Some(Step::Queue { queue, .. }) => Some(format!("queue:{queue}")),
            _ => None,
        });
        edges.insert(format!("flow:{}", flow.name), queues.collect());
    }
    for circle in circles_of(&edges) {
        let queue =
            circle.iter().find_map(|n| s.queue.iter().position(|q| n == &format!("queue:{}", q.name)));
        let message = format!(
            "callers would go round for ever: {} → {}; let the overflow of one queue end at an extension, voicemail or hang_up",
            circle.join(" → "),
            circle[0]
        );
        out.add(&format!("queue[{}].overflow", queue.unwrap_or(0)), "loop", message);
    }
}

/// Each circle of the graph once, as the names on it, beginning with its smallest.
fn circles_of(edges: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last_mut() {
            let to = edges.get(*name).and_then(|all| all.get(*next)).map(String::as_str);
            *next += 1;
            match to {
                None => drop(path.pop().map(|(done, _)| settled.insert(done))),
                Some(to) if settled.contains(to) || !edges.contains_key(to) => {}
                Some(to) => match path.iter().position(|(n, _)| *n == to) {
                    Some(at) => found.push(path[at..].iter().map(|(n, _)| (*n).to_owned()).collect()),
                    None => path.push((to, 0)),
                },
            }
        }
    }
    for circle in &mut found {
        let smallest = circle.iter().enumerate().min_by_key(|(_, n)| n.as_str()).map_or(0, |(i, _)| i);
        circle.rotate_left(smallest);
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(text: &str) -> BTreeMap<String, Vec<String>> {
        let line = |l: &str| {
            let (from, to) = l.split_once(':').expect("from: to");
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        };
        text.split(';').map(line).collect()
    }

    #[test]
    fn circles_are_found_once_and_begin_with_their_smallest() {
        assert!(circles_of(&graph("a: b c; b: c; c:")).is_empty());
        assert_eq!(circles_of(&graph("c: a; a: b; b: c")), [["a", "b", "c"]]);
        assert_eq!(circles_of(&graph("a: a; b: c; c: b")), [vec!["a"], vec!["b", "c"]]);
        assert!(circles_of(&graph("a: gone")).is_empty());
    }
}
