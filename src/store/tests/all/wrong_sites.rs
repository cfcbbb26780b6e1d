//! Wrong sites as people write them: each must be refused with a message that names the field and what to do. The files
//! stand in `tests/data/config`; their comments say which field and which words are expected.
use std::path::Path;

fn comment<'t>(text: &'t str, key: &str, file: &Path) -> &'t str {
    let start = format!("# {key}: ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("{}: no line \"{start}…\"", file.display()))
}

#[test]
fn each_wrong_site_is_told_the_field_and_the_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/config");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 50, "only {} wrong sites", files.len());
    let mut failed = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (field, words) = (comment(&text, "field", &file), comment(&text, "says", &file));
        let problems = store::offline::check(&text);
        if !problems.iter().any(|p| p.field == field && p.message.contains(words)) {
            failed += &format!("{}: wanted {field}: {words}\n  got {problems:#?}\n", file.display());
        }
        for p in problems {
            let remedy =
                p.message.split_once([';', ':', '(']).is_some_and(|(_, rest)| !rest.trim().is_empty());
            assert!(remedy, "{}: no remedy in {:?}", file.display(), p.message);
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = "[system]\ncountry = \"DE\"\ncolour = 1\n[[extension]]\nnumber = \"1\"\nring_timeout_s = 1\n[[queue]]\nname = \"q\"\nagents = [\"9\"]\noverflow = \"echo\"\n";
    let fields: Vec<String> = store::offline::check(text).into_iter().map(|p| p.field).collect();
    assert_eq!(
        fields,
        ["system.colour", "extension[0].number", "extension[0].ring_timeout_s", "queue[0].agents[0]"]
    );
}
