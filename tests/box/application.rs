//! What callers notice of an application outside that leads their call, and of one that dies.
use model::ask::Answer;
use model::clock::Mono;
use model::record::Outcome;
use serde_json::json;
use sim::{CallRef, Heard, World, site};
use std::time::Duration;

/// Twenty seeds, unless the environment asks for others.
fn some_seeds(story: impl Fn(u64)) {
    match std::env::var("BELFRY_SEEDS").or(std::env::var("BELFRY_SEED")) {
        Ok(_) => sim::each_seed(story),
        Err(_) => (0..20).for_each(story),
    }
}

/// A site whose callers are led by an application; without it they come to the menu.
fn led() -> std::sync::Arc<model::config::Config> {
    site::site(|s| {
        s["flow"][0]["start"] = "bot".into();
        s["flow"][0]["step"]["bot"] = json!({ "kind": "application", "url": "ws://10.9.0.30/?n={caller}",
            "way": { "boss": "boss" }, "otherwise": "menu" });
        s["flow"][0]["step"]["boss"] = json!({ "kind": "extension", "number": "104" });
    })
}

/// How long after this moment the caller came to the fallback, which is then heard.
fn until_menu(w: &mut World, caller: CallRef, since: Mono) -> Duration {
    w.until("the fallback begins", 20, |w| w.pbx.watch.steps.values().flatten().any(|s| s.kind == "menu"));
    let took = w.now().mono.since(since);
    w.until_hears(caller, "menu-main");
    took
}

fn details(w: &World) -> Vec<String> {
    let steps = w.pbx.watch.steps.values().flatten();
    steps.filter(|s| s.kind == "application").map(|s| s.detail.clone()).collect()
}

#[test]
fn it_plays_gathers_queues_and_hears_what_became_of_each() {
    some_seeds(|seed| {
        let mut w = World::new(seed, led());
        w.phones_up(&["101"]);
        w.agents_at_work(&["101"]);
        w.pbx.application.script(&[
            json!({ "verb": "play", "say": ["welcome"] }),
            json!({ "verb": "gather", "max": 4, "say": ["enter-extension"] }),
            json!({ "verb": "set", "fields": { "customer": "4711" } }),
            json!({ "verb": "queue", "queue": "support" }),
        ]);
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "welcome");
        w.until_hears(caller, "enter-extension");
        w.press(caller, "4711");
        let agent = w.until_answers("101");
        w.until_talk(caller, agent);
        let told: Vec<_> = w.pbx.application.told.iter().map(model::application::Word::write).collect();
        assert!(told[0].contains(r#""caller":"+4930555""#), "{told:?}");
        assert_eq!(
            told[1..],
            [
                r#"{"event":"played","end":"heard"}"#,
                r#"{"event":"gathered","digits":"4711","end":"full"}"#,
                r#"{"event":"done","verb":"set"}"#,
                r#"{"event":"over","why":"left","detail":"queue"}"#,
            ]
        );
        let steps = ["asked", "play", "gather", "gathered 4711", "set customer", "queue support"];
        assert_eq!(details(&w), steps);
        w.rest();
    });
}

#[test]
fn killed_while_it_thinks_plays_or_gathers_the_caller_is_at_the_fallback_at_once() {
    some_seeds(|seed| {
        let kinds = [
            json!([]),
            json!([{ "verb": "play", "say": ["welcome", "welcome", "welcome"] }]),
            json!([{ "verb": "gather", "timeout_s": 60, "say": ["enter-extension"] }]),
        ];
        let verbs = kinds[usize::try_from(seed % 3).expect("small")].as_array().expect("a list").clone();
        let mut w = World::new(seed, led());
        w.pbx.application.script(&verbs);
        let caller = w.call_in("+4930555", "+49301000");
        w.until("the application leads", 10, |w| w.pbx.application.leads.is_some());
        w.run_for(Duration::from_millis(300 + seed * 7 % 1_000));
        let killed = w.now().mono;
        w.application_dies();
        let took = until_menu(&mut w, caller, killed);
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert!(details(&w).contains(&"failed: the connection is lost".to_owned()), "{:?}", details(&w));
        w.rest();
    });
}

#[test]
fn one_that_is_not_there_or_says_nothing_in_its_turn_costs_its_time_out() {
    some_seeds(|seed| {
        let mut w = World::new(seed, led());
        if seed % 2 == 0 {
            w.pbx.application.script(&[json!({ "verb": "set", "fields": { "a": "b" } })]);
        }
        let began = w.now().mono;
        let caller = w.call_in("+4930555", "+49301000");
        let took = until_menu(&mut w, caller, began);
        assert!((2_000..4_000).contains(&took.as_millis()), "{took:?}");
        assert!(details(&w).contains(&"failed: no verb in time".to_owned()));
        w.press(caller, "1");
        w.until_hears_now(caller, &Heard::Music);
        w.rest();
    });
}

#[test]
fn it_may_send_the_caller_to_a_way_of_the_step_a_phone_or_a_mailbox_of_the_site_only() {
    some_seeds(|seed| {
        let mut w = World::new(seed, led());
        w.phones_up(&["104"]);
        let last = match seed % 3 {
            0 => json!({ "verb": "go", "way": "boss" }),
            1 => json!({ "verb": "extension", "number": "104" }),
            _ => json!({ "verb": "voicemail", "mailbox": "103" }),
        };
        w.pbx.application.script(&[
            json!({ "verb": "queue", "queue": "nowhere" }),
            json!({ "verb": "extension", "number": "0049900123456" }),
            json!({ "verb": "go", "way": "menu" }),
            last,
        ]);
        let caller = w.call_in("+4930555", "+49301000");
        if seed % 3 == 2 {
            w.until_hears(caller, "vm-leave-message");
        } else {
            let boss = w.until_answers("104");
            w.until_talk(caller, boss);
        }
        let told: Vec<_> = w.pbx.application.told.iter().map(model::application::Word::write).collect();
        let refused = told.iter().filter(|t| t.contains(r#""event":"refused""#)).count();
        assert_eq!(refused, 3, "{told:?}");
        w.rest();
    });
}

#[test]
fn a_caller_who_hangs_up_ends_the_connection() {
    some_seeds(|seed| {
        let mut w = World::new(seed, led());
        w.pbx.application.script(&[json!({ "verb": "gather", "timeout_s": 60 })]);
        w.pbx.application.last = Some(Answer::Failed("it thinks no more".into()));
        let caller = w.call_in("+4930555", "+49301000");
        w.until("the application gathers", 10, |w| details(w).contains(&"gather".to_owned()));
        w.hang_up(caller);
        w.until_over(caller);
        w.pass(2);
        assert_eq!(w.record_of("+4930555").outcome, Outcome::Answered);
        assert_eq!(w.pbx.application.leads, None, "its connection is closed");
        let last = w.pbx.application.told.last().map(model::application::Word::write).unwrap_or_default();
        assert!(last.starts_with(r#"{"event":"over","why":"hung_up""#), "{last}");
        w.rest();
    });
}
