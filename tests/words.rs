//! Whatever the box notes in its event log can be read in both languages, on the pages and at the console.
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Every Rust source below `src/` but tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the tree is there").flatten() {
        let path = entry.path();
        let skip = path.ends_with("node_modules") || path.ends_with("tests") || path.ends_with("sim");
        if path.is_dir() && !skip {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            let source = std::fs::read_to_string(&path).expect("a source is text");
            found.push(source.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The words after a level in a call like `note(now, "alarm", "trunk_down", …`.
fn kinds(source: &str) -> Vec<String> {
    let plain: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let kind = |call: &str| {
        let head: String = call.chars().take(40).collect();
        let level = ["\"info\", \"", "\"warning\", \"", "\"alarm\", \""];
        let start = level.iter().find_map(|l| Some(head.find(l)? + l.len()))?;
        // A sentence in that place is no kind.
        call[start..].split('"').next().filter(|word| !word.contains(' ')).map(str::to_owned)
    };
    plain.replace("Note(", "note(").split("note(").skip(1).filter_map(kind).collect()
}

#[test]
fn every_event_has_words_in_both_languages() {
    let mut found = Vec::new();
    sources(&Path::new(ROOT).join("src"), &mut found);
    let mut noted: Vec<String> = found.iter().flat_map(|s| kinds(s)).collect();
    noted.sort();
    noted.dedup();
    assert!(noted.iter().any(|k| k == "trunk_down"), "the notes are found: {noted:?}");
    for (file, form) in [("src/web/ui/src/texts/words.ts", "  {}: ["), ("src/console/told.rs", "\"{}\" =>")] {
        let words = std::fs::read_to_string(Path::new(ROOT).join(file)).expect("the words are there");
        let missing: Vec<&String> =
            noted.iter().filter(|k| !words.contains(&form.replace("{}", k))).collect();
        assert!(missing.is_empty(), "{file} has no words for {missing:?}");
    }
}

/// The codes of problems in calls like `out.add(&path, "outside_prefix", …`: the second argument, when it is a word.
fn codes(source: &str) -> Vec<String> {
    let second = |call: &str| {
        let (mut depth, mut quoted, mut commas) = (0, false, 0);
        for (at, c) in call.char_indices().take(400) {
            match c {
                '"' if !quoted && depth == 0 && commas == 1 => {
                    let word = call[at + 1..].split('"').next()?;
                    return word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'_')
                        .then(|| word.to_owned());
                }
                '"' => quoted = !quoted,
                '(' | '[' | '{' if !quoted => depth += 1,
                ')' | ']' | '}' if !quoted => depth -= 1,
                ',' if !quoted && depth == 0 => commas += 1,
                _ => {}
            }
            if depth < 0 || commas > 1 {
                break;
            }
        }
        None
    };
    [".add(", ".problem("].iter().flat_map(|call| source.split(call).skip(1)).filter_map(second).collect()
}

#[test]
fn every_problem_of_a_configuration_has_words_in_both_languages() {
    let mut found = Vec::new();
    sources(&Path::new(ROOT).join("src/model/config"), &mut found);
    let mut codes: Vec<String> = found.iter().flat_map(|s| codes(s)).collect();
    let text = std::fs::read_to_string(Path::new(ROOT).join("src/model/config/text.rs")).expect("a source");
    let named = |part: &str| part.split('"').next().map(str::to_owned);
    codes.extend(text.split("code: \"").skip(1).filter_map(named).filter(|word| !word.is_empty()));
    codes.sort();
    codes.dedup();
    assert!(
        codes.iter().any(|c| c == "outside_prefix") && codes.len() > 15,
        "the codes are found: {codes:?}"
    );
    let words = std::fs::read_to_string(Path::new(ROOT).join("src/web/ui/src/texts/common.ts"));
    let words = words.expect("the words are there");
    let missing: Vec<&String> = codes.iter().filter(|c| !words.contains(&format!("\n  {c}: ["))).collect();
    assert!(missing.is_empty(), "texts/common.ts has no words for {missing:?}");
}

#[test]
fn the_console_has_words_for_every_event_that_the_pages_have() {
    let pages =
        std::fs::read_to_string(Path::new(ROOT).join("src/web/ui/src/texts/words.ts")).expect("a source");
    let table = pages.split("export const NOTE = texts({").nth(1).and_then(|t| t.split("\n});").next());
    let console = std::fs::read_to_string(Path::new(ROOT).join("src/console/told.rs")).expect("a source");
    let keys =
        table.expect("the table of events").lines().filter_map(|l| l.strip_prefix("  ")?.split_once(": ["));
    let missing: Vec<&str> =
        keys.map(|(key, _)| key).filter(|key| !console.contains(&format!("\"{key}\" =>"))).collect();
    assert!(missing.is_empty(), "src/console/told.rs has no words for {missing:?}");
}

/// What the queues write down as the cause of an agent's state: texts of several words in their sources.
fn causes(source: &str) -> Vec<String> {
    let skip =
        |line: &str| line.trim_start().starts_with("//") || line.contains("#[") || line.contains("expect(");
    let of_line = |line: &str| -> Vec<String> {
        line.split('"').skip(1).step_by(2).filter(|text| is_cause(text)).map(str::to_owned).collect()
    };
    source.lines().filter(|line| !skip(line)).flat_map(of_line).collect()
}

fn is_cause(text: &str) -> bool {
    let words = text.split('{').next().unwrap_or_default();
    let plain = words.chars().all(|c| c.is_ascii_lowercase() || matches!(c, ' ' | '-' | '\''));
    let head = words.trim_end();
    plain && head.starts_with(|c: char| c.is_ascii_lowercase()) && (head.contains(' ') || head == "missed")
}

#[test]
fn every_cause_of_an_agents_state_can_be_read_in_chinese() {
    let pages =
        std::fs::read_to_string(Path::new(ROOT).join("src/web/ui/src/texts/words.ts")).expect("a source");
    let table = pages.split("const CAUSES").nth(1).expect("the table of causes");
    let folder = Path::new(ROOT).join("src/engine");
    let mut files = vec![folder.join("acd.rs"), folder.join("agents.rs")];
    // Others hold rules, what must never be, or tests.
    for name in ["callback", "code", "decide", "offers", "outreach", "reason", "work", "wrap"] {
        files.push(folder.join("acd").join(format!("{name}.rs")));
    }
    let mut found = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(file).expect("a source");
        found.extend(causes(source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()));
    }
    assert!(found.iter().any(|c| c == "call ended") && found.iter().any(|c| c == "no answer"), "{found:?}");
    let known = |cause: &str| {
        let words = cause.split('{').next().unwrap_or_default();
        match words == cause {
            true => [format!("'{words}':"), format!("\"{words}\":")].iter().any(|key| table.contains(key)),
            false => table.contains(&format!("^{words}")),
        }
    };
    let missing: Vec<&String> = found.iter().filter(|c| !known(c)).collect();
    assert!(missing.is_empty(), "no Chinese for {missing:?}");
}
