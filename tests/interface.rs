//! O1: the pages use nothing but the documented interface. Whoever writes another client can do what the pages do.
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The functions of `lib/api.ts` and their methods.
const DOORS: [(&str, &str); 6] = [
    ("get", "get"),
    ("post", "post"),
    ("put", "put"),
    ("patch", "patch"),
    ("del", "delete"),
    ("send", "post"),
];
/// Ways out of a page, and the files that may use them.
const WAYS_OUT: [(&str, &str); 6] = [
    ("fetch(", "lib/api.ts"),
    ("XMLHttpRequest(", "lib/api.ts"),
    ("WebSocket(", "lib/live.svelte.ts lib/phone.svelte.ts"),
    ("RTCPeerConnection(", "lib/phone.svelte.ts"),
    ("EventSource(", ""),
    ("sendBeacon(", ""),
];
/// A part of a path that is only known when the page runs.
const ANY: &str = "*";

/// Sources of the pages by their name below `src/web/ui/src`.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let top = Path::new(ROOT).join("src/web/ui/src");
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the pages are there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "ts" || e == "svelte") {
                let name = path.strip_prefix(&top).expect("below the top").to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).expect("a source is text"));
            }
        }
    }
    found
}

/// Documented paths, cut at the slashes, each with its methods.
fn documented() -> Vec<(Vec<String>, Vec<String>)> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("src/web/openapi.json")).expect("the document");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let cut = |path: &String| path.trim_start_matches("/api/v1/").split('/').map(str::to_owned).collect();
    paths.iter().map(|(p, of)| (cut(p), of.as_object().expect("methods").keys().cloned().collect())).collect()
}

fn is_documented(method: Option<&str>, parts: &[String], all: &[(Vec<String>, Vec<String>)]) -> bool {
    let fits = |have: &String, want: &String| have == ANY || want.starts_with('{') || have == want;
    all.iter().any(|(path, methods)| {
        path.len() == parts.len()
            && parts.iter().zip(path).all(|(have, want)| fits(have, want))
            && method.is_none_or(|m| methods.iter().any(|known| known == m))
    })
}

/// The text up to the bracket that closes the one before it.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// `/agents/${name}/login${query(…)}` or `/recordings/{id}`: its parts, those in brackets unknown.
fn template(text: &str) -> Vec<String> {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let hole = inside(after);
        plain.push_str(before.strip_suffix('$').unwrap_or(before));
        if !hole.starts_with("query(") {
            plain.push_str(ANY);
        }
        rest = after.get(hole.len() + 1..).unwrap_or_default();
    }
    plain.push_str(rest);
    let plain = plain.split('?').next().unwrap_or_default();
    plain.trim_start_matches("/api/v1").trim_start_matches('/').split('/').map(str::to_owned).collect()
}

/// The parts of `path('agents', name, 'login')`; the text begins after the bracket.
fn joined(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inside(text).chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let name = |part: &String| match part.trim().strip_prefix('\'').and_then(|p| p.strip_suffix('\'')) {
        Some(name) => name.to_owned(),
        None => ANY.to_owned(),
    };
    parts.iter().filter(|p| !p.trim().is_empty()).map(name).collect()
}

/// What stands as the first argument; `None` for a name, whose `path(…)` is looked at where it is made.
fn argument(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start();
    if let Some(call) = text.strip_prefix("path(") {
        return Some(joined(call));
    }
    let quote = text.chars().next().filter(|c| "'`\"".contains(*c))?;
    Some(template(text[1..].split(quote).next().unwrap_or_default()))
}

/// Calls of `name(…)` or `name<Type>(…)` as a word of its own; each the text after the bracket.
fn calls<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let word = |c: char| c.is_alphanumeric() || "_.$".contains(c);
    let starts = source.match_indices(name).filter(|(at, _)| !source[..*at].ends_with(word));
    let bracket = |(at, _): (usize, &str)| {
        let rest = &source[at + name.len()..];
        let rest = match rest.strip_prefix('<') {
            Some(kind) => &kind[kind.find(">(")? + 1..],
            None => rest,
        };
        rest.strip_prefix('(')
    };
    starts.filter_map(bracket).collect()
}

/// Names that a source takes from `lib/api.ts`.
fn imported(source: &str) -> Vec<&str> {
    let statements = source.split("import ").skip(1).filter_map(|s| s.split(';').next());
    let ours = statements.filter(|s| s.ends_with("/api'"));
    let lists = ours.filter_map(|s| s.split_once('{')?.1.split_once('}'));
    lists.flat_map(|(names, _)| names.split(',').map(str::trim)).collect()
}

#[test]
fn the_pages_use_only_the_documented_interface() {
    let all = documented();
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut look = |file: &str, method: Option<&str>, parts: &[String]| {
        seen += 1;
        if !is_documented(method, parts, &all) {
            wrong.push(format!("{file}: {} {}", method.unwrap_or("any"), parts.join("/")));
        }
    };
    for (file, source) in &sources() {
        let names = imported(source);
        for (door, method) in DOORS.iter().filter(|(door, _)| names.contains(door)) {
            for text in calls(source, door) {
                if let Some(parts) = argument(text) {
                    look(file, Some(method), &parts);
                }
            }
        }
        if names.contains(&"path") {
            calls(source, "path").iter().for_each(|text| look(file, None, &joined(text)));
        }
        for (at, _) in source.match_indices("=\"/api/v1/") {
            look(file, Some("get"), &template(source[at + 2..].split('"').next().unwrap_or_default()));
        }
    }
    assert!(seen > 50, "the calls of the pages are found: {seen}");
    assert!(wrong.is_empty(), "not in src/web/openapi.json: {wrong:#?}");
}

#[test]
fn the_pages_have_no_other_way_out() {
    for (file, source) in &sources() {
        for (way, home) in WAYS_OUT {
            assert!(
                !source.contains(way) || home.split(' ').any(|own| own == file),
                "{file} uses {way}…): only lib/api.ts, the live socket and the phone talk to the box"
            );
        }
    }
}

#[test]
fn what_is_not_documented_is_found() {
    let all = documented();
    let parts = |text: &str| argument(text).expect("an argument");
    assert!(is_documented(Some("post"), &parts("path('agents', agent.agent, what), reason)"), &all));
    assert!(is_documented(Some("get"), &parts("`/events${query({ before, limit: PAGE })}`)"), &all));
    assert!(!is_documented(Some("delete"), &parts("path('agents', agent.agent, what))"), &all));
    assert!(!is_documented(Some("get"), &parts("'/internal/state')"), &all));
    assert!(!is_documented(Some("post"), &parts("`/update/${what}/quietly`)"), &all));
}
