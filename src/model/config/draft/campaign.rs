//! Reads `[[campaign]]` of a draft, with its defaults. What the law says is checked here too: a campaign may tighten it.
use super::table::Table;
use super::value;
use crate::campaign::attempt::CallResult;
use crate::config::campaign::{Again, Campaign, Disposition, Form, Machines, Plain, Profile, Then};
use crate::config::extension::Rights;
use std::collections::BTreeMap;

const PROFILES: [(&str, Profile); 4] =
    [("china", Profile::China), ("eu", Profile::Eu), ("uk", Profile::Uk), ("us", Profile::Us)];

const RIGHTS: [(&str, Rights); 3] =
    [("national", Rights::National), ("international", Rights::International), ("premium", Rights::Premium)];

const THENS: [(&str, Then); 5] = [
    ("callback", Then::Callback),
    ("do_not_call", Then::DoNotCall),
    ("done", Then::Done),
    ("retry", Then::Retry),
    ("wrong_number", Then::WrongNumber),
];

/// Shortest ringing: 15 seconds or four rings (47 CFR 64.1200(a)(6)); the same is asked of the other profiles.
const RING_MIN_S: u32 = 15;
/// Most abandoned calls of any profile, in tenths of a percent (47 CFR 64.1200(a)(7)).
const ABANDONED_MAX: u32 = 30;

pub(super) fn campaign(t: Table<'_>) -> Campaign {
    let campaign = Campaign {
        name: t.name("name"),
        queue: t.needed("queue", "name the queue whose agents take its calls"),
        lists: t.list("lists", 50, value::name),
        form: t.choice("form", &Form::ALL).unwrap_or(Form::Preview),
        profile: t.choice("profile", &PROFILES).unwrap_or(Profile::Eu),
        caller_id: t
            .parsed_needed("caller_id", "give the number that the called party can call back", value::number)
            .unwrap_or_default(),
        outside_calls: t.choice("outside_calls", &RIGHTS).unwrap_or(Rights::National),
        flow: t.text("flow"),
        identity: t.text("identity"),
        hours: t.text("hours"),
        ring_s: t.count("ring_s", RING_MIN_S..=120, 25),
        attempts_max: t.count("attempts_max", 1..=50, 6),
        attempts_day: t.count("attempts_day", 1..=20, 3),
        abandoned_permille: t.count("abandoned_permille", 0..=ABANDONED_MAX, ABANDONED_MAX),
        lines_max: t.count("lines_max", 1..=2000, 30),
        calls_per_second: t.count("calls_per_second", 1..=100, 5),
        plain: t.table("plain").map(plain),
        protects: t.list("protects", 50, value::name),
        protect_percent: t.count("protect_percent", 1..=99, 80),
        resume_percent: t.count("resume_percent", 1..=100, 90),
        whisper: t.flag("whisper", true),
        detect_machines: t.flag("detect_machines", false),
        machines: t.table("machines").map(machines).unwrap_or_default(),
        script: t.text("script").unwrap_or_default(),
        again: again(&t),
        disposition: dispositions(&t),
    };
    if campaign.resume_percent <= campaign.protect_percent {
        let message = "it goes on at the level it stopped at, and would stop at once again; give a higher percentage than protect_percent";
        t.problem("resume_percent", "out_of_range", message);
    }
    if campaign.form == Form::Automatic && campaign.flow.is_none() && !t.describes() {
        t.missing("flow", "the form automatic needs the flow that speaks with the party");
    }
    t.done();
    campaign
}

/// The longest values are those with which the detector was measured, or a little beyond; the least certain one still takes
/// few persons for machines.
fn machines(t: Table<'_>) -> Machines {
    let usual = Machines::default();
    let machines = Machines {
        message: t.text("message"),
        certainty_permille: t.count("certainty_permille", 900..=999, usual.certainty_permille),
        talk_ms: t.count("talk_ms", 2000..=10_000, usual.talk_ms),
        pause_ms: t.count("pause_ms", 300..=1500, usual.pause_ms),
        silence_ms: t.count("silence_ms", 500..=2000, usual.silence_ms),
        longest_ms: t.count("longest_ms", 3000..=15_000, usual.longest_ms),
        beep_s: t.count("beep_s", 5..=120, usual.beep_s),
    };
    if machines.longest_ms < machines.talk_ms {
        let message = "no machine could be known before the verdict is due; give at least talk_ms";
        t.problem("longest_ms", "out_of_range", message);
    }
    t.done();
    machines
}

fn plain(t: Table<'_>) -> Plain {
    let plain = Plain {
        multiple_percent: t.count("multiple_percent", 50..=500, 100),
        queue_limit: t.count("queue_limit", 0..=1, 0),
        per_agent: t.count("per_agent", 1..=3, 1),
    };
    t.done();
    plain
}

/// Busy: five minutes; no answer: another time of the day; invalid, fax and who talked: never.
fn again(t: &Table<'_>) -> BTreeMap<CallResult, Again> {
    let own = t.table("again");
    let rule = |field: &'static str, result: CallResult, usual: Again| {
        let read = own.as_ref().and_then(|t| t.parsed(field, when));
        (result, read.unwrap_or(usual))
    };
    const DAYS_3: Again = Again::After(72 * 3600);
    let rules = BTreeMap::from([
        rule("abandoned", CallResult::Abandoned, DAYS_3),
        rule("busy", CallResult::Busy, Again::After(300)),
        rule("fax", CallResult::Fax, Again::Never),
        rule("flow_done", CallResult::FlowDone, Again::Never),
        rule("hung_up", CallResult::HungUp, DAYS_3),
        rule("invalid", CallResult::Invalid, Again::Never),
        rule("machine", CallResult::Machine, Again::Slot),
        rule("message_left", CallResult::MessageLeft, DAYS_3),
        rule("network", CallResult::Network, Again::After(900)),
        rule("no_answer", CallResult::NoAnswer, Again::Slot),
        rule("refused", CallResult::Refused, Again::Never),
        rule("talked", CallResult::Talked, Again::Never),
        rule("unreachable", CallResult::Unreachable, Again::Slot),
    ]);
    if let Some(t) = own {
        t.done();
    }
    rules
}

/// `never`, `slot`, or a time such as `5m`, `2h`, `3d`.
fn when(text: &str) -> Result<Again, String> {
    const LONGEST_S: u32 = 90 * 86_400;
    let timed = || {
        let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let each = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        count.parse::<u32>().ok()?.checked_mul(each).filter(|s| (60..=LONGEST_S).contains(s))
    };
    match text {
        "never" => Ok(Again::Never),
        "slot" => Ok(Again::Slot),
        _ => timed().map(Again::After).ok_or_else(|| {
            format!("\"{text}\" is no time to try again; use never, slot (another time of the day), or 5m, 2h, 3d, at most 90d")
        }),
    }
}

fn dispositions(t: &Table<'_>) -> Vec<Disposition> {
    let read = |t: Table<'_>| {
        let word = t.name("word");
        let disposition = Disposition {
            name: t.text("name").unwrap_or_else(|| word.clone()),
            then: t.choice("then", &THENS).unwrap_or(Then::Done),
            word,
        };
        t.done();
        disposition
    };
    let given: Vec<Disposition> = t.tables("disposition", 30).into_iter().map(read).collect();
    if given.is_empty() { usual_dispositions() } else { given }
}

fn usual_dispositions() -> Vec<Disposition> {
    [
        ("done", "Done", Then::Done),
        ("callback", "Call back", Then::Callback),
        ("retry", "Try again", Then::Retry),
        ("wrong", "Wrong number", Then::WrongNumber),
        ("never", "Do not call again", Then::DoNotCall),
    ]
    .map(|(word, name, then)| Disposition { word: word.into(), name: name.into(), then })
    .into()
}
