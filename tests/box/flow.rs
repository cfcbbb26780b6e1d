//! What callers of the menu notice.
use model::ask::Answer;
use model::clock::Wall;
use model::command::Command;
use model::contact::Contact;
use model::id::ContactId;
use model::media::Language;
use model::number::Number;
use model::refusal::Refusal;
use model::report::{self, Span, StepRow, Width};
use serde_json::json;
use sim::{Habit, Heard, World, each_seed, site};
use std::collections::BTreeMap;
use std::time::Duration;

fn caller_in_menu(w: &mut World, number: &str) -> sim::CallRef {
    let caller = w.call_in(number, "+49301000");
    w.until_hears(caller, "menu-main");
    caller
}

#[test]
fn a_digit_cuts_the_menu_off_and_two_and_an_extension_ring_that_phone() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["104"]);
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "welcome");
        w.press(caller, "2");
        w.until_hears(caller, "enter-extension");
        assert!(!w.call(caller).ear.prompt("menu-main"), "the rest of the menu is cut off");
        w.press(caller, "104");
        let callee = w.until_answers("104");
        w.until_talk(caller, callee);
        w.rest();
        let journey = w.pbx.watch.journey(w.record_of("+4930555").call);
        assert!(journey.contains(&"collect".to_owned()), "{journey:?}");
    });
}

#[test]
fn silence_is_asked_again_and_then_led_to_the_queue() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        let caller = caller_in_menu(&mut w, "+4930555");
        w.until("the menu is said twice", 20, |w| {
            w.call(caller).ear.prompts().iter().filter(|p| **p == "menu-main").count() == 2
        });
        w.until_hears_now(caller, &Heard::Music);
        w.rest();
    });
}

#[test]
fn a_wrong_digit_is_told() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        let caller = caller_in_menu(&mut w, "+4930555");
        w.press(caller, "7");
        w.until_hears(caller, "invalid-choice");
        w.press(caller, "8");
        w.until_hears_now(caller, &Heard::Music);
        w.rest();
    });
}

#[test]
fn callers_from_china_hear_mandarin() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        let caller = w.call_in("+8613800138000", "+49301000");
        w.until_hears(caller, "zh/welcome");
        w.until_hears(caller, "zh/menu-main");
        w.rest();
    });
}

#[test]
fn outside_office_hours_callers_leave_a_message() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["schedule"][0]["week"] = json!({ "sun": "10:00-11:00" });
            s["flow"][0]["start"] = "hours".into();
            s["flow"][0]["step"]["hours"] =
                json!({ "kind": "hours", "schedule": "office", "open": "menu", "closed": "message" });
        });
        let mut w = World::new(seed, site);
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "vm-leave-message");
        w.rest();
    });
}

#[test]
fn an_extension_that_does_not_answer_in_the_menu_takes_a_message() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["104"]);
        w.habit("104", Habit::Ignore);
        let caller = caller_in_menu(&mut w, "+4930555");
        w.press(caller, "2104");
        w.until_rings("104");
        w.until_hears(caller, "vm-leave-message");
        w.rest();
    });
}

#[test]
fn the_echo_says_what_the_caller_says_and_the_announcement_is_heard() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101"]);
        let echo = w.dial("101", "*43");
        let own = w.look(echo.ua).voice;
        w.until_hears_now(echo, &Heard::Voice(own));
        w.hang_up(echo);
        w.until_over(echo);
        let announcement = w.dial("101", "*44");
        w.until_hears(announcement, "test-announcement");
        w.rest();
    });
}

/// A menu that asks a service first and goes to a phone for the class that it names.
fn with_service() -> std::sync::Arc<model::config::Config> {
    site::site(|s| {
        s["flow"][0]["start"] = "dip".into();
        let steps = &mut s["flow"][0]["step"];
        steps["dip"] = json!({ "kind": "lookup", "url": "http://10.9.0.30/?n={caller}", "next": "class", "otherwise": "menu" });
        steps["class"] = json!({ "kind": "condition", "field": "class", "test": "is", "value": "gold",
            "then": "boss", "otherwise": "menu" });
        steps["boss"] = json!({ "kind": "extension", "number": "104" });
    })
}

/// When a call came to its first step of a kind, ms.
fn offset(w: &World, kind: &str) -> u64 {
    let steps = w.pbx.watch.steps.values().next_back().expect("a call");
    steps.iter().find(|s| s.kind == kind).unwrap_or_else(|| panic!("no {kind} in {steps:?}")).offset_ms
}

#[test]
fn a_service_that_answers_after_ten_seconds_is_not_waited_for() {
    each_seed(|seed| {
        let mut w = World::new(seed, with_service());
        let late = Answer::Fields(BTreeMap::from([("class".into(), "gold".into())]));
        w.pbx.outside.push_back((Duration::from_secs(10), late));
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "menu-main");
        let took = offset(&w, "lookup") - offset(&w, "step");
        assert!((1_900..=2_100).contains(&took), "{took} ms");
        // The late answer changes nothing.
        w.pass(12);
        assert!(!w.pbx.watch.steps.values().flatten().any(|s| s.detail == "boss"));
        w.rest();
    });
}

#[test]
fn a_service_that_answers_sends_the_caller_on() {
    each_seed(|seed| {
        let mut w = World::new(seed, with_service());
        w.phones_up(&["104"]);
        let gold = Answer::Fields(BTreeMap::from([("class".into(), "Gold".into())]));
        w.pbx.outside.push_back((Duration::from_millis(300), gold));
        let caller = w.call_in("+4930555", "+49301000");
        let boss = w.until_answers("104");
        w.until_talk(caller, boss);
        w.rest();
    });
}

#[test]
fn after_the_agent_hung_up_the_caller_scores_and_the_score_is_on_the_call_and_its_agent() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["flow"][0]["start"] = "queue".into();
            let steps = &mut s["flow"][0]["step"];
            *steps = json!({
                "queue": { "kind": "queue", "queue": "support", "after": "survey" },
                "survey": { "kind": "survey", "say": ["survey"], "next": "thanks", "otherwise": "thanks" },
                "thanks": { "kind": "hang_up", "say": ["survey-thanks"] },
            });
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "102"]);
        w.agents_at_work(&["101"]);
        let caller = w.call_in("+4930555", "+49301000");
        let agent = w.until_answers("101");
        w.until_talk(caller, agent);
        w.pass(5);
        w.hang_up(agent);
        w.until_hears(caller, "survey");
        // The agent is free for the next caller while this one answers.
        let next = w.call_in("+4930556", "+49301000");
        let again = w.until_answers("101");
        w.until_talk(next, again);
        w.press(caller, "4");
        w.until_hears(caller, "survey-thanks");
        w.until_over(caller);
        let record = w.record_of("+4930555");
        assert_eq!((record.score, record.agent.as_deref()), (Some(4), Some("1")), "{record:?}");
        assert!((4_000..8_000).contains(&record.talk_ms), "the survey is no talk: {record:?}");
        w.rest();
        scored_in_reports(&w, &record);
    });
}

/// The score stands in the figures of the queue and of the agent, on the day.
fn scored_in_reports(w: &World, record: &model::record::CallRecord) {
    let steps = w.pbx.watch.steps.values().flatten().map(|s| StepRow {
        call: s.call,
        at: s.at,
        offset_ms: s.offset_ms,
        kind: s.kind.clone(),
        detail: s.detail.clone(),
    });
    let visits = report::visits(&steps.collect::<Vec<_>>());
    let now = w.now().wall;
    let span =
        Span { from: Wall(now.0 - 3_600_000), to: now, width: Width::Day, zone: "Europe/Berlin".into() };
    let queue = report::queues(&visits, &span, &|_| 20);
    assert_eq!((queue[0].offered, queue[0].scored, queue[0].score_sum), (2, 1, 4), "{queue:?}");
    let same = visits[0].talk_ms.abs_diff(record.talk_ms) <= 2;
    assert!(same, "the report's talk is the record's: {visits:?} {record:?}");
    let agents = report::agents(w.pbx.watch.spells("1"), &visits, &span, now);
    assert_eq!((agents[0].scored, agents[0].score_sum), (1, 4), "{agents:?}");
}

#[test]
fn a_known_customer_goes_another_way_than_everybody() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["inbound"] = json!([
                { "name": "vip", "number": "!", "class": "vip", "to": "extension:104" },
                { "name": "everything", "number": "!", "to": "flow:main" }
            ]);
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["104"]);
        let vip = Contact {
            contact: ContactId(1),
            numbers: vec![Number::read("+4930777").expect("a number")],
            name: "Ann".into(),
            company: String::new(),
            class: "vip".into(),
            language: Some(Language::Zh),
            notes: String::new(),
            fields: BTreeMap::new(),
            changed: Wall(0),
        };
        w.know(vec![vip]);
        let known = w.call_in("+4930777", "+49301000");
        let boss = w.until_answers("104");
        w.until_talk(known, boss);
        let other = w.call_in("+4930555", "+49301000");
        w.until_hears(other, "menu-main");
        w.rest();
    });
}

#[test]
fn a_prompt_recorded_at_a_phone_is_heard_by_the_next_caller_of_the_flow() {
    each_seed(|seed| {
        let (language, spoken) = if seed % 2 == 0 { ("en", "") } else { ("zh", "zh/") };
        let site = site::site(|s| {
            s["system"]["language"] = language.into();
            s["audio"] = json!({ "prompt": { "night": { "en": "prompts/en/old.wav" } } });
            s["flow"][0]["start"] = "night".into();
            s["flow"][0]["step"]["night"] =
                json!({ "kind": "play", "say": ["prompt:night"], "next": "menu" });
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101"]);
        let phone = studio(&mut w, "101", language);
        w.until_hears(phone, &format!("{spoken}prompt-record"));
        speak(&mut w, phone, 1);
        w.until_hears(phone, &format!("{spoken}prompt-menu"));
        // Not well spoken: once more.
        w.press(phone, "2");
        speak(&mut w, phone, 2);
        w.until("the take is heard and the question asked again", 30, |w| {
            let menu = format!("{spoken}prompt-menu");
            w.call(phone).ear.prompts().iter().filter(|p| **p == menu).count() == 2
        });
        w.press(phone, "1");
        w.until_hears(phone, &format!("{spoken}prompt-saved"));
        w.until_over(phone);
        let voice = w.look(phone.ua).voice;
        let number = if language == "zh" { "+8613800138000" } else { "+4930555" };
        let caller = w.call_in(number, "+49301000");
        w.until_hears_now(caller, &Heard::Voice(voice));
        w.rest();
    });
}

#[test]
fn who_says_nothing_or_hangs_up_changes_no_prompt() {
    each_seed(|seed| {
        let old = json!({ "prompt": { "night": { "en": "prompts/en/old.wav" } } });
        let mut w = World::new(seed, site::site(|s| s["audio"] = old));
        let before = w.pbx.config.clone();
        w.phones_up(&["101"]);
        let silent = studio(&mut w, "101", "en");
        w.speaks(silent, false);
        w.until_hears(silent, "prompt-too-short");
        w.until_hears(silent, "prompt-not-saved");
        w.until_over(silent);
        let hurried = studio(&mut w, "101", "en");
        speak(&mut w, hurried, 1);
        w.hang_up(hurried);
        w.rest();
        assert_eq!(w.pbx.config.audio, before.audio);
        let nobody = Command::PromptRecord {
            phone: Number::read("102").expect("a number"),
            name: "night".into(),
            language: Language::En,
        };
        assert_eq!(w.command(nobody), Err(Refusal::Unavailable), "its phone is not registered");
    });
}

/// The phone rings for a recording and is answered.
fn studio(w: &mut World, phone: &str, language: &str) -> sim::CallRef {
    let language = if language == "zh" { Language::Zh } else { Language::En };
    let phone_number = Number::read(phone).expect("a number");
    let order = Command::PromptRecord { phone: phone_number, name: "night".into(), language };
    assert_eq!(w.command(order), Ok(()));
    w.until_answers(phone)
}

/// Speaks for three seconds once the box records for the `nth` time, and presses a key.
fn speak(w: &mut World, phone: sim::CallRef, nth: usize) {
    w.until("the box records", 40, |w| {
        let steps = w.pbx.watch.steps.values().next_back().into_iter().flatten();
        steps.filter(|s| s.detail == "night: speak").count() == nth
    });
    w.pass(3);
    w.press(phone, "#");
}
