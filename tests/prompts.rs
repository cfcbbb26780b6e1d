//! Every prompt that the code or the default site can ask for exists in both lists that `tools/prompts` speaks.
use model::media::Language;
use model::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace").to_owned()
}

fn list(language: Language) -> BTreeSet<String> {
    let path = root().join(format!("rootfs/usr/share/belfry/prompts/{}.txt", language.code()));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Words in quotes that look like prompt names of the families that only prompts have.
fn named_in_code() -> BTreeSet<String> {
    const FAMILIES: [&str; 9] =
        ["agent-", "campaign-", "desk-", "prompt-", "queue-", "recording-", "vm-", "echo-", "test-"];
    let mut files = Vec::new();
    sources(&root().join("src/engine"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for quoted in code.split('"').skip(1).step_by(2) {
            let plain = quoted.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if plain && FAMILIES.iter().any(|family| quoted.starts_with(family)) {
                names.insert(quoted.to_owned());
            }
        }
    }
    names
}

fn named_in_default_site() -> BTreeSet<String> {
    let path = root().join("rootfs/usr/share/belfry/defaults/site.toml");
    let text = std::fs::read_to_string(&path).expect("the default site");
    let says = text.lines().filter(|line| line.starts_with("say = "));
    says.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_prompt_that_can_be_asked_for_is_in_both_lists() {
    let refusals = [
        Refusal::Busy,
        Refusal::Conflict,
        Refusal::Forbidden,
        Refusal::Unavailable,
        Refusal::Unknown,
        Refusal::Overloaded,
        Refusal::Malformed,
        Refusal::NoAnswer,
        Refusal::Declined,
        Refusal::NotAcceptable,
    ];
    let code = named_in_code();
    assert!(code.len() > 40, "only {} names found in the code: the search is broken", code.len());
    for language in [Language::En, Language::Zh] {
        let list = list(language);
        let mut wanted: BTreeSet<String> = engine::say::vocabulary(language).into_iter().collect();
        wanted.extend(
            code.iter().filter(|n| *n != "queue-position-after" || language == Language::Zh).cloned(),
        );
        wanted.extend(refusals.map(|r| r.prompt().to_owned()));
        wanted.extend(["goodbye", "invalid-choice", "please-hold"].map(str::to_owned));
        wanted.extend(named_in_default_site());
        let missing: Vec<&String> = wanted.difference(&list).collect();
        assert!(missing.is_empty(), "{}.txt lacks {missing:?}", language.code());
    }
}

#[test]
fn names_are_safe_as_file_names() {
    for language in [Language::En, Language::Zh] {
        for name in list(language) {
            let fine = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(fine, "{name} in {}.txt", language.code());
        }
    }
}

/// What prompts say, by name.
fn texts(language: Language) -> BTreeMap<String, String> {
    let path = root().join(format!("rootfs/usr/share/belfry/prompts/{}.txt", language.code()));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let spoken = |text: &str| text.split(" [").next().unwrap_or_default().to_owned();
    lines.map(|(name, text)| (name.to_owned(), spoken(text))).collect()
}

/// D3: the words of the prompts, in the order in which they are played, are what others write for the same number or day.
#[test]
fn five_hundred_numbers_and_days_are_said_in_the_right_order_of_words() {
    let file = root().join("tests/data/spoken.txt");
    let file = std::fs::read_to_string(&file).expect("a file of this tree");
    let (mut numbers, mut days) = (0, 0);
    for (language, column, between) in [(Language::En, 1, " "), (Language::Zh, 2, "")] {
        let texts = texts(language);
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('|').collect();
            let names = match cells[0].parse::<u32>() {
                Ok(n) => {
                    numbers += 1;
                    engine::say::number(language, n)
                }
                Err(_) => {
                    days += 1;
                    let day = cells[0].parse().expect("a day");
                    engine::say::day(language, day, jiff::civil::date(2000, 1, 1))
                }
            };
            let words: Vec<&str> = names.iter().map(|name| texts[name].trim_end_matches('.')).collect();
            assert_eq!(words.join(between).replace('-', " "), cells[column], "{line}");
        }
    }
    assert_eq!((numbers, days), (1_000, 1_000));
}
