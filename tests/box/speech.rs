//! What callers notice who speak to the menu instead of pressing keys.
use model::speech::Said;
use model::what_if::{Forecast, Question};
use serde_json::json;
use sim::{CallRef, Habit, Heard, World, each_seed, site};
use std::sync::Arc;
use std::time::Duration;

/// The menu of the site, with words, and a recogniser.
fn spoken() -> Arc<model::config::Config> {
    site::site(|s| {
        s["audio"]["recogniser"] = json!({ "en": "ws://10.9.0.40:2700", "answer_ms": 1000 });
        s["flow"][0]["step"]["menu"]["words"] = json!({ "1": ["sales", "销售"], "2": ["extension"] });
    })
}

fn understands(w: &mut World, text: &str, certainty_permille: u16) {
    let said = Said { text: text.into(), certainty_permille: Some(certainty_permille), ..Said::default() };
    w.pbx.recogniser.says.push_back((Duration::from_millis(300), said));
}

/// A caller who is quiet while the menu is said.
fn quiet_caller(w: &mut World) -> CallRef {
    let caller = w.call_in("+4930555", "+49301000");
    w.until_up(caller);
    w.speaks(caller, false);
    w.until_hears(caller, "menu-main");
    w.run_for(Duration::from_millis(300));
    caller
}

/// Says something for a second.
fn says(w: &mut World, caller: CallRef) {
    w.speaks(caller, true);
    w.run_for(Duration::from_millis(1000));
    w.speaks(caller, false);
}

fn journey(w: &World, kind: &str) -> Vec<(u64, String)> {
    let steps = w.pbx.watch.steps.values().next_back().expect("a call");
    steps.iter().filter(|s| s.kind == kind).map(|s| (s.offset_ms, s.detail.clone())).collect()
}

#[test]
fn what_is_said_leads_where_its_key_does_and_cuts_the_menu_off() {
    each_seed(|seed| {
        let mut w = World::new(seed, spoken());
        w.phones_up(&["104"]);
        understands(&mut w, "extension please", 930);
        let caller = quiet_caller(&mut w);
        w.speaks(caller, true);
        w.run_for(Duration::from_millis(700));
        let words = w.pbx.recogniser.heard;
        assert!(words > 1600, "it hears while the caller speaks: {words}");
        w.run_for(Duration::from_millis(300));
        w.speaks(caller, false);
        assert_ne!(w.call(caller).ear.now(w.now().mono), Some(&Heard::Prompt("menu-main".into())), "cut off");
        w.until_hears(caller, "enter-extension");
        assert_eq!(journey(&w, "speech")[0].1, "said: extension please (0.93) = 2");
        w.press(caller, "104");
        let callee = w.until_answers("104");
        w.speaks(caller, true);
        w.until_talk(caller, callee);
        let heard = w.pbx.recogniser.heard;
        w.pass(3);
        assert_eq!(w.pbx.recogniser.heard, heard, "nothing of the talk leaves the box");
        w.rest();
    });
}

#[test]
fn who_is_not_understood_surely_is_asked_again_and_a_key_wins_over_words() {
    each_seed(|seed| {
        let mut w = World::new(seed, spoken());
        understands(&mut w, "sales", 300);
        let caller = quiet_caller(&mut w);
        says(&mut w, caller);
        w.until_hears(caller, "invalid-choice");
        understands(&mut w, "sales", 990);
        w.speaks(caller, true);
        w.run_for(Duration::from_millis(500));
        w.press(caller, "2");
        w.speaks(caller, false);
        w.until_hears(caller, "enter-extension");
        w.pass(3);
        let told: Vec<String> = journey(&w, "speech").into_iter().map(|(_, detail)| detail).collect();
        assert_eq!(told, ["said: sales (0.30): not sure enough"], "the key was first");
        w.rest();
    });
}

#[test]
fn a_recogniser_that_hangs_or_is_away_leaves_the_menu_to_keys_within_a_second() {
    each_seed(|seed| {
        let hangs = seed % 2 == 0;
        let mut w = World::new(seed, spoken());
        w.pbx.recogniser.hangs = hangs;
        w.pbx.recogniser.away = !hangs;
        w.phones_up(&["104"]);
        w.habit("104", Habit::Answer(Duration::from_secs(1)));
        let caller = quiet_caller(&mut w);
        says(&mut w, caller);
        // 0.7 s of quiet end what was said; from there the recogniser has its second.
        let quiet = w.now().mono;
        w.until("the recogniser is given up", 3, |w| !journey(w, "speech").is_empty());
        let took = w.now().mono.since(quiet);
        assert!(took < Duration::from_millis(1_900), "{took:?} after the last word");
        let why = if hangs { "by keys: no answer in time" } else { "by keys: no connection" };
        assert_eq!(journey(&w, "speech")[0].1, why);
        w.press(caller, "2");
        w.until_hears(caller, "enter-extension");
        w.press(caller, "104");
        let callee = w.until_answers("104");
        w.speaks(caller, true);
        w.until_talk(caller, callee);
        assert_eq!(w.pbx.recogniser.asked, 1, "it is not asked again in this call");
        w.rest();
    });
}

#[test]
fn the_same_menu_without_a_recogniser_goes_by_keys_and_nobody_hears_the_caller() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["flow"][0]["step"]["menu"]["words"] = json!({ "1": ["sales"] });
        });
        let mut w = World::new(seed, site);
        let caller = quiet_caller(&mut w);
        says(&mut w, caller);
        w.press(caller, "1");
        w.until_hears_now(caller, &Heard::Music);
        assert_eq!((w.pbx.recogniser.asked, w.pbx.recogniser.heard), (0, 0));
        assert!(journey(&w, "speech").is_empty());
        w.rest();
    });
}

#[test]
fn a_caller_who_never_speaks_is_never_sent_and_a_noise_does_not_stop_the_menu() {
    each_seed(|seed| {
        let mut w = World::new(seed, spoken());
        let caller = quiet_caller(&mut w);
        w.speaks(caller, true);
        w.run_for(Duration::from_millis(60));
        w.speaks(caller, false);
        w.until("the menu is said twice", 20, |w| {
            w.call(caller).ear.prompts().iter().filter(|p| **p == "menu-main").count() == 2
        });
        assert_eq!(w.pbx.recogniser.heard, 0, "a knock is no speech");
        w.rest();
    });
}

#[test]
fn what_would_happen_tells_what_a_word_leads_to_and_that_without_a_recogniser_it_leads_nowhere() {
    let told = |config: &model::config::Config| {
        let question = Question {
            caller: "+4930555".into(),
            called: "+49301000".into(),
            at: "2026-12-23T10:00".into(),
            keys: vec!["extension, please".into(), "104".into()],
            ..Question::default()
        };
        sim::what_if::ask(config, Vec::new(), sim::sound::prompts(), &question).expect("it makes sense")
    };
    let has = |forecast: &Forecast, kind: &str, detail: &str| {
        forecast.steps.iter().any(|s| s.kind == kind && s.detail == detail)
    };
    let spoken = told(&spoken());
    assert!(has(&spoken, "speech", "said: extension, please (1.00) = 2"), "{spoken:#?}");
    assert_eq!(spoken.end, "bridged", "{spoken:#?}");
    let silent = told(&site::site(|_| {}));
    assert!(!silent.steps.iter().any(|s| s.kind == "speech"), "{silent:#?}");
    assert!(has(&silent, "timer", "menu"), "nobody heard it: {silent:#?}");
}
