//! What who types rules relies on: exact decimals, faults with their place, bounded work, plain words.
use super::*;
use crate::media::Language;
use std::collections::BTreeMap;

const USUAL: Precision = Precision { places: 10, rounding: Rounding::HalfUp };

#[derive(Default)]
struct Known(BTreeMap<(String, QueueFact), u32>);

impl Facts for Known {
    fn value(&self, fact: &Fact) -> Option<Value> {
        match fact {
            Fact::Caller => Some(Value::Text("+49301".into())),
            Fact::Class => Some(Value::Text("vip".into())),
            Fact::Hour => Some(Value::Number(9.into())),
            Fact::Minute | Fact::Waited | Fact::Weekday => Some(Value::Number(1.into())),
            Fact::Queue(name, fact) => self.0.get(&(name.clone(), *fact)).map(|n| Value::Number((*n).into())),
        }
    }
}

fn holds(text: &str) -> bool {
    let expr = expression(text).unwrap_or_else(|fault| panic!("{}", fault.shown(text).en));
    expr.holds(USUAL, &Known::default())
}

#[test]
fn decimals_are_exact_and_what_is_undefined_is_no() {
    for text in [
        "0.1 + 0.2 == 0.3",
        "1.10 == 1.1",
        "0.7 * 3 == 2.1",
        "1 / 3 * 3 == 0.9999999999",
        "-(2 - 5) == 3 && 7 % 4 == 3 && max(2, 3) == 3 && min(2, 3) == 2 && abs(-1.5) == 1.5",
        "round(2.345, 2) == 2.35",
        "class == \"vip\" && caller != \"+49302\" && hour >= 9",
        "!(hour > 9) || false",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in [
        "1 / 0 == 0",
        "1 / 0 != 0",
        "queue(\"gone\").waiting < 5",
        "79228162514264337593543950335 * 10 > 1",
        "round(1.5, 99) == 2",
    ] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn precision_and_rounding_are_settable() {
    let value = |text: &str, places, rounding| {
        let whole = format!("{text} == 0");
        let Ok(Expr::Two(_, left, _)) = expression(&whole) else { panic!("{whole}") };
        match left.value(Precision { places, rounding }, &Known::default()) {
            Some(Value::Number(n)) => n.normalize().to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(value("2 / 3", 2, Rounding::HalfUp), "0.67");
    assert_eq!(value("2 / 3", 4, Rounding::Down), "0.6666");
    assert_eq!(value("1 / 8", 2, Rounding::HalfEven), "0.12");
    assert_eq!(value("1 / 8", 2, Rounding::HalfUp), "0.13");
    assert_eq!(value("1 / 3", 0, Rounding::Up), "1");
    assert_eq!(value("round(0.5, 0)", 9, Rounding::HalfEven), "0");
}

/// E6: the rule of the source over 30 × 10 states of the two queues.
#[test]
fn the_rule_of_the_source_holds_exactly_where_it_says() {
    let text = "queue(\"1\").waiting > 25 && queue(\"2\").ready >= 4 -> queue(\"2\")";
    let rule = line(text).expect("reads");
    assert_eq!(rule.to, Destination::Queue("2".into()));
    for waiting in 10..40 {
        for ready in 0..10 {
            let facts = Known(BTreeMap::from([
                (("1".to_owned(), QueueFact::Waiting), waiting),
                (("2".to_owned(), QueueFact::Ready), ready),
            ]));
            let expected = waiting > 25 && ready >= 4;
            assert_eq!(rule.when.holds(USUAL, &facts), expected, "{waiting} wait, {ready} are ready");
        }
    }
    let mut named = Vec::new();
    rule.when.queues(&mut named);
    assert_eq!(named, ["1", "2"]);
}

#[test]
fn a_fault_is_named_with_its_place() {
    let table = [
        ("queue(\"1\").wating > 5", 11, "use one of: waiting, ready"),
        ("queue(1).waiting > 5", 6, "the name of a queue in quotes"),
        ("waited > \"5\"", 9, "a number is needed here; this is a text"),
        ("waited + 5", 0, "a condition is needed here; this is a number"),
        ("waited > 5 && 3", 14, "a condition is needed here"),
        ("waited > 5 waited", 11, "complete before this"),
        ("waitd > 5", 0, "\"waitd\" is not known"),
        ("caller == \"+49", 10, "no closing quote"),
        ("1.2.3 > 1", 0, "is not a number"),
        ("waited > 5 & true", 11, "\"&\" has no meaning"),
        ("1 < 2 < 3", 6, "complete before this"),
        ("hour >", 6, "a number, a text"),
    ];
    for (text, at, why) in table {
        let fault = expression(text).expect_err(text);
        assert!(fault.at == at && fault.why.en.contains(why), "{text}: {fault:?}");
        let chinese = fault.why.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese && fault.shown(text).zh.contains(&format!("第 {} 个字符", at + 1)), "{fault:?}");
    }
    let text = "waited > 60 -> sofa";
    let fault = line(text).expect_err("no destination");
    assert_eq!(fault.shown(text).en.lines().last(), Some(&*format!("{}^", " ".repeat(15))));
    assert!(line("waited > 60").expect_err("nowhere").why.en.contains("->"));
}

#[test]
fn a_rule_is_told_in_plain_words_in_both_languages() {
    let text = "queue(\"1\").waiting > 25 && queue(\"2\").ready >= 4 -> queue(\"2\")";
    let rule = line(text).expect("reads");
    let en = "When the number of callers waiting in queue 1 is more than 25 and the number of ready agents in queue 2 is at least 4: the caller goes to queue 2.";
    assert_eq!(explain(&rule, Language::En), en);
    let zh = "当队列“1”的等待人数大于25且队列“2”的就绪坐席数不少于4时，来电转到队列“2”。";
    assert_eq!(explain(&rule, Language::Zh), zh);
    let rule = line("(hour < 9 || hour >= 17) && !(class == \"vip\") -> hang_up").expect("reads");
    let en = "When (the hour is less than 9 or the hour is at least 17) and not (the caller's class is “vip”): the caller goes to the end of the call.";
    assert_eq!(explain(&rule, Language::En), en);
}

/// C4: nothing typed makes it panic; whatever reads is evaluated in bounded work. 20,000 lines with each build,
/// `BELFRY_RULES=1000000` by hand.
#[test]
fn whatever_is_typed_is_read_or_refused() {
    let runs: u32 = std::env::var("BELFRY_RULES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let parts = [
        "queue(\"1\").waiting",
        "waited",
        "class",
        "caller",
        "25",
        "0.1",
        "79228162514264337593543950335",
        "\"x\"",
        "&&",
        "||",
        "!",
        "==",
        "<=",
        "<",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        "->",
        "queue(\"2\")",
        "round(",
        ",",
        "true",
        "\"",
        "é",
        ".",
        " ",
        "((((((((((((((((((((",
        "--------------------",
        "hang_up",
        "1/0",
        "min(1,2)",
    ];
    let mut seed = 7_u64;
    let mut roll = |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % sides
    };
    let (mut read, facts) = (0, Known::default());
    for _ in 0..runs {
        let text: String = (0..1 + roll(9)).map(|_| parts[roll(parts.len())]).collect();
        if let Ok(expr) = expression(&text) {
            read += 1;
            let _ = expr.value(USUAL, &facts);
        }
        if let Err(fault) = line(&text) {
            assert!(fault.at <= text.chars().count() && !fault.shown(&text).en.is_empty());
        }
    }
    assert!(read > runs / 1000, "{read} of {runs} made sense");
}
