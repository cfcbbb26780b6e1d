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

/// The words after a level among the arguments of a call: `note(now, "alarm", "trunk_down", …`.
fn kinds(source: &str) -> Vec<String> {
    let plain: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    ["\"info\", \"", "\"warning\", \"", "\"alarm\", \""]
        .iter()
        .flat_map(|level| plain.split(level).skip(1).filter_map(|rest| rest.split('"').next()))
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect()
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
