//! The configuration there and back again: whatever is read is written so that it is read the same, and whatever is
//! typed gets an answer.
use model::config::{Config, diff, draft, text};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const FULL: &str = include_str!("../../../tests/data/site_full.toml");

fn full() -> Value {
    text::parse(FULL).expect("TOML")
}

/// Both ways back: the readable text and the tree.
fn is_read_back(config: &Config) {
    let written = text::write(config);
    let again = text::parse(&written).map(|tree| draft::read(&tree));
    assert_eq!(again, Ok(Ok(config.clone())), "{written}");
    assert_eq!(draft::read(&draft::to_tree(config)).as_ref(), Ok(config));
    assert_eq!(diff::changes(&draft::to_tree(config), &draft::to_tree(config)), []);
}

#[test]
fn a_site_with_every_field_is_read_back() {
    let config = draft::read(&full()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    is_read_back(&config);
    let whole = draft::to_tree(&config);
    for (section, fields) in full().as_object().expect("a table") {
        let typed = fields.as_array().map_or(Some(fields), |items| items.first());
        let kept = whole[section].as_array().map_or(Some(&whole[section]), |items| items.first());
        let names =
            |v: Option<&Value>| v.and_then(Value::as_object).map(|m| m.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(typed), names(kept), "the example of [{section}] has every field");
    }
}

/// The places of a tree, each as the way to it.
fn places(value: &Value, way: &str, out: &mut Vec<String>) {
    out.push(way.to_owned());
    let step = |name: &str| format!("{way}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, v)| places(v, &step(name), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| places(v, &step(&i.to_string()), out))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let words = [
        "",
        " ",
        "101",
        "102",
        "999999",
        "112",
        "*43",
        "+",
        "!",
        "X.",
        "main menu",
        "sales",
        "queue:sales",
        "flow:main menu",
        "extension:",
        "carrier",
        "en",
        "tcp",
        "08:00-09:00",
        "24:00-25:00",
        "../x",
        "a\u{0}b",
        "ü",
        "menu",
        "bye",
        "never",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0i64..400).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name =
            prop::sample::select(vec!["name", "number", "kind", "say", "1", "step", "x", "password", "to"]);
        let table = prop::collection::vec((name, inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            table.prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    /// A site with a few things changed at random is either refused with reasons, or read back exactly.
    #[test]
    fn a_mangled_site_is_refused_or_read_back(changes in prop::collection::vec((any::<usize>(), anything()), 1..4)) {
        let mut tree = full();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&tree, "", &mut all);
            let way = &all[place % all.len()];
            *tree.pointer_mut(way).expect("a place of the tree") = value;
        }
        match draft::read(&tree) {
            Ok(config) => is_read_back(&config),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for p in problems {
                    prop_assert!(!p.message.is_empty() && !p.code.is_empty());
                }
            }
        }
    }

    /// Leaving fields out is refused with reasons, or gives a site that is read back exactly.
    #[test]
    fn a_site_with_gaps_is_refused_or_read_back(gaps in prop::collection::vec(any::<usize>(), 1..6)) {
        let mut tree = full();
        for gap in gaps {
            let mut all = Vec::new();
            places(&tree, "", &mut all);
            *tree.pointer_mut(&all[gap % all.len()]).expect("a place of the tree") = Value::Null;
        }
        if let Ok(config) = draft::read(&tree) {
            is_read_back(&config);
        }
    }

    /// No text is too strange to get an answer.
    #[test]
    fn any_text_gets_an_answer(typed in ".{0,200}") {
        if let Ok(tree) = text::parse(&typed) {
            let _ = draft::read(&tree);
        }
    }
}

#[test]
fn secrets_are_completed_before_and_not_while_reading() {
    let mut tree = json!({ "system": { "country": "DE" }, "extension": [{ "number": "101" }] });
    assert!(
        draft::read(&tree).is_err_and(|p| p[0].field == "extension[0].password" && p[0].code == "missing")
    );
    draft::complete(&mut tree, &mut |bytes| bytes.fill(77));
    assert!(
        draft::read(&tree).is_err_and(|p| p[0].code == "weak"),
        "bytes that are all the same are no entropy"
    );
}
