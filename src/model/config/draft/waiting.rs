//! Reads `[[queue]]` of a draft, with its defaults.
use super::carrier::destination;
use super::people::{RIGHTS, record};
use super::table::Table;
use super::value;
use crate::config::extension::Rights;
use crate::config::queue::{
    Callback, Decide, Designated, Distribution, Prefer, Queue, SkillStep, Strategy, WrapCode,
};
use crate::config::reason::{self, Reason};
use crate::number::Mask;
use crate::rule::{self, Rounding};

const STRATEGIES: [(&str, Strategy); 9] = [
    ("balanced", Strategy::Balanced),
    ("fewest_calls", Strategy::FewestCalls),
    ("in_order", Strategy::InOrder),
    ("least_talk", Strategy::LeastTalk),
    ("longest_idle", Strategy::LongestIdle),
    ("random", Strategy::Random),
    ("ring_all", Strategy::RingAll),
    ("round_robin", Strategy::RoundRobin),
    ("weighted", Strategy::Weighted),
];

const PREFER: [(&str, Prefer); 2] = [("familiar", Prefer::Familiar), ("last_agent", Prefer::LastAgent)];

const ROUNDING: [(&str, Rounding); 4] = [
    ("down", Rounding::Down),
    ("half_even", Rounding::HalfEven),
    ("half_up", Rounding::HalfUp),
    ("up", Rounding::Up),
];

/// Most skills of an agent, and asked for by a queue.
pub(super) const SKILLS_MAX: usize = 50;
/// Levels of skills: 1 = a little, 10 = as well as anybody. 0 asks for nothing.
pub(super) const LEVEL_MAX: u32 = 10;

pub(super) fn queue(t: Table<'_>) -> Queue {
    let queue = Queue {
        name: t.name("name"),
        number: t.parsed("number", value::internal),
        strategy: t.choice("strategy", &STRATEGIES).unwrap_or(Strategy::LongestIdle),
        agents: t.list("agents", 500, |text| Ok(text.to_owned())),
        ring_timeout_s: t.count("ring_timeout_s", 5..=120, 20),
        wrap_up_s: t.count("wrap_up_s", 0..=3600, 0),
        pause_after_misses: t.count("pause_after_misses", 0..=100, 2),
        music: t.text("music").unwrap_or_else(|| "default".into()),
        script: t.list("script", 200, |line| Ok(line.to_owned())),
        announce_position_s: t.count("announce_position_s", 0..=600, 60),
        max_wait_s: t.count("max_wait_s", 0..=14_400, 600),
        max_waiting: t.count("max_waiting", 1..=1000, 50),
        overflow_when_empty: t.flag("overflow_when_empty", true),
        overflow: destination(
            &t,
            "overflow",
            "say where callers go when nobody can take them, e.g. \"voicemail:101\"",
        ),
        record: record(&t),
        service_level_s: t.count("service_level_s", 1..=3600, 20),
        weight: t.counts("weight", 500, 1..=100).into_iter().collect(),
        priority: t.count("priority", 0..=9, 0),
        share: t.count("share", 0..=100, 0),
        skill: t.tables("skill", 10).into_iter().map(skill).collect(),
        prefer: t.words("prefer", &PREFER),
        prefer_wait_s: t.count("prefer_wait_s", 0..=600, 0),
        designated: t.tables("designated", 200).into_iter().map(designated).collect(),
        overflow_rule: t.list("overflow_rule", 10, |text| rule::line(text).map_err(|f| f.shown(text).en)),
        announce_wait: t.flag("announce_wait", false),
        wrap_codes: t.tables("wrap_codes", 100).into_iter().map(wrap_code).collect(),
        wrap_code_required: t.flag("wrap_code_required", false),
        wrap_extend_s: t.count("wrap_extend_s", 0..=3600, 60),
        callback: t.table("callback").map(callback),
        decide: t.table("decide").map(decide),
    };
    for (i, code) in queue.wrap_codes.iter().enumerate() {
        if queue.wrap_codes[..i].iter().any(|c| c.code == code.code) {
            let message = format!("{} stands twice; give each code once", code.code);
            t.problem(&format!("wrap_codes[{i}].code"), "duplicate", message);
        }
    }
    if queue.wrap_code_required && (queue.wrap_codes.is_empty() || queue.wrap_up_s == 0) {
        let message =
            "no code can be asked for here; give wrap_codes to choose from and some seconds of wrap_up_s";
        t.problem("wrap_code_required", "missing", message);
    }
    let late = queue.skill.windows(2).position(|two| two[0].after_s >= two[1].after_s);
    if let Some(i) = late {
        let field = format!("skill[{}].after_s", i + 1);
        t.problem(&field, "out_of_range", "each step begins later than the one before; write them in order");
    }
    if (1..10).contains(&queue.announce_position_s) {
        let message = "an announcement takes longer than that; use 0 for none, or 10 seconds and more";
        t.problem("announce_position_s", "out_of_range", message);
    }
    t.done();
    queue
}

fn skill(t: Table<'_>) -> SkillStep {
    let step = SkillStep {
        after_s: t.count("after_s", 0..=14_400, 0),
        need: t.counts("need", SKILLS_MAX, 0..=LEVEL_MAX).into_iter().collect(),
    };
    t.done();
    step
}

/// Most calls to one customer, and the shortest time between two: more is a nuisance.
fn callback(t: Table<'_>) -> Callback {
    let callback = Callback {
        after_s: t.count("after_s", 0..=3600, 60),
        tries: t.count("tries", 1..=10, 3),
        retry_s: t.count("retry_s", 60..=86_400, 900),
        expires_s: t.count("expires_s", 600..=172_800, 14_400),
        confirm: t.flag("confirm", true),
        calls: t.choice("calls", &RIGHTS).unwrap_or(Rights::National),
    };
    if callback.calls == Rights::Internal {
        let message = "callers from outside cannot be called back then; use national or international";
        t.problem("calls", "out_of_range", message);
    }
    t.done();
    callback
}

/// Longest time a caller waits for a service: a person does not notice it yet.
const DECIDE_MS: u32 = 2_000;

fn decide(t: Table<'_>) -> Decide {
    let remedy = "name the service, e.g. https://crm.example.com/who?n={caller}&free={free}";
    let decide = Decide {
        url: t.parsed_needed("url", remedy, value::url).unwrap_or_default(),
        timeout_ms: t.count("timeout_ms", 50..=DECIDE_MS, 300),
        wait_s: t.count("wait_s", 0..=600, 0),
    };
    t.done();
    decide
}

fn wrap_code(t: Table<'_>) -> WrapCode {
    let two = |text: &str| {
        let fine = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        if fine { Ok(text.to_owned()) } else { Err(format!("\"{text}\" cannot be a code; use two digits")) }
    };
    let code = WrapCode {
        code: t.parsed_needed("code", "give it two digits in quotes, e.g. \"01\"", two).unwrap_or_default(),
        name: t.name("name"),
    };
    t.done();
    code
}

fn designated(t: Table<'_>) -> Designated {
    let remedy = "say whose calls, e.g. \"+4930!\"";
    let designated = Designated {
        caller: t
            .parsed_needed("caller", remedy, value::mask)
            .unwrap_or_else(|| Mask::read("!").expect("! is a mask")),
        agents: t.list("agents", 100, |text| Ok(text.to_owned())),
        wait_s: t.count("wait_s", 0..=14_400, 0),
    };
    if designated.agents.is_empty() {
        t.missing("agents", "name at least one agent");
    }
    t.done();
    designated
}

pub(super) fn distribution(t: Table<'_>) -> Distribution {
    let distribution = Distribution {
        ageing: t.flag("ageing", true),
        head_start_s: t.count("head_start_s", 0..=3600, 60),
        class: t.counts("class", 50, 0..=9).into_iter().collect(),
        rule_places: t.count("rule_places", 0..=20, 10),
        rule_rounding: t.choice("rule_rounding", &ROUNDING).unwrap_or(Rounding::HalfUp),
        reason: reasons(&t),
    };
    t.done();
    distribution
}

/// Why agents may take no calls. More than twenty are no choice for a hurried hand.
fn reasons(t: &Table<'_>) -> Vec<Reason> {
    let typed: Vec<Reason> = t.tables("reason", 20).into_iter().map(one_reason).collect();
    for (i, reason) in typed.iter().enumerate() {
        let before = &typed[..i];
        if before.iter().any(|r| r.name == reason.name) {
            let message = format!("{} stands twice; give each reason one name", reason.name);
            t.problem(&format!("reason[{i}].name"), "duplicate", message);
        }
        if reason.key.is_some() && before.iter().any(|r| r.key == reason.key) {
            let message = "another reason has this key; give each its own";
            t.problem(&format!("reason[{i}].key"), "duplicate", message);
        }
    }
    if typed.is_empty() { reason::usual() } else { typed }
}

fn one_reason(t: Table<'_>) -> Reason {
    let name = t.parsed_needed("name", "give it a word, e.g. \"lunch\"", reason_name).unwrap_or_default();
    let shown = |field| t.parsed(field, reason_name).unwrap_or_else(|| name.clone());
    let reason = Reason {
        en: shown("en"),
        zh: shown("zh"),
        key: t.parsed("key", reason_key),
        paid: t.flag("paid", true),
        limit_min: t.count("limit_min", 0..=1440, 0),
        name,
    };
    t.done();
    reason
}

fn reason_name(text: &str) -> Result<String, String> {
    let fine = (1..=reason::NAME_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match text {
        reason::MISSED => Err("the box sets \"missed\" by itself; take another name".into()),
        text if fine => Ok(text.to_owned()),
        _ => Err("give it 1 to 40 characters".into()),
    }
}

fn reason_key(text: &str) -> Result<String, String> {
    let fine = text.len() == 1 && text.bytes().all(|b| b.is_ascii_digit());
    if fine { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no key; use one digit")) }
}
