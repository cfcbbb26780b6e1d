//! What two phones notice of each other, and what the box refuses.
use model::command::Command;
use model::number::Number;
use model::record::Outcome;
use serde_json::json;
use sim::{Faults, Habit, Heard, State, World, each_seed, site};
use std::time::Duration;

fn world(seed: u64) -> World {
    let mut w = World::new(seed, site::site(|_| {}));
    w.phones_up(&["101", "102", "103"]);
    w
}

#[test]
fn on_hold_the_other_side_hears_music_and_then_the_voice_again() {
    each_seed(|seed| {
        let mut w = world(seed);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        w.hold(from, true);
        w.until_hears_now(to, &Heard::Music);
        w.pass(1);
        w.hold(from, false);
        w.until_talk(from, to);
        w.rest();
    });
}

#[test]
fn a_busy_declining_absent_or_unknown_party_is_told_in_its_own_way() {
    each_seed(|seed| {
        let site = site::site(|s| {
            for n in 0..5 {
                s["extension"][n].as_object_mut().expect("a table").remove("voicemail");
            }
            s["queue"][0]["overflow"] = "hang_up".into();
            s["flow"][0]["step"]["message"] = json!({ "kind": "hang_up", "say": ["goodbye"] });
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "102"]);
        let cases = [
            (Habit::Busy, 486, Outcome::Busy),
            (Habit::Decline(Duration::from_secs(1)), 603, Outcome::Busy),
            (Habit::Ignore, 408, Outcome::NoAnswer),
        ];
        for (habit, code, outcome) in cases {
            w.habit("102", habit);
            let call = w.dial("101", "102");
            let got = w.until_over(call);
            assert!(got == code || got == 480, "{habit:?} gave {got}");
            w.pass(1);
            assert_eq!(w.records().last().map(|r| r.outcome), Some(outcome), "{habit:?}");
        }
        let call = w.dial("101", "104");
        assert_eq!(w.until_over(call), 480, "104 has no phone");
        let call = w.dial("101", "199");
        assert_eq!(w.until_over(call), 404);
        w.rest();
    });
}

#[test]
fn calls_survive_a_bad_line() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.agents_at_work(&["101"]);
        w.wire.sip = Faults::BAD;
        w.wire.rtp = Faults { loss: 20, ..Faults::BAD };
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "menu-main");
        w.press(caller, "2103");
        let callee = w.until_answers("103");
        w.until_hears_now(caller, &Heard::Voice(w.look(callee.ua).voice));
        w.wire.sip = Faults::LAN;
        w.rest();
        assert_eq!(w.record_of("+4930555").answered_by.as_deref(), Some("103"));
    });
}

#[test]
fn a_click_in_the_web_rings_the_own_phone_and_then_the_other() {
    each_seed(|seed| {
        let mut w = world(seed);
        let number = |n| Number::read(n).expect("a number");
        assert_eq!(w.command(Command::Dial { from: number("101"), to: number("102") }), Ok(()));
        let from = w.until_answers("101");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        w.rest();
        assert_eq!(w.records().len(), 1);
    });
}

#[test]
fn a_call_can_be_ended_from_the_web() {
    each_seed(|seed| {
        let mut w = world(seed);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        let call = *w.pbx.watch.calls.keys().next().expect("one call");
        assert_eq!(w.command(Command::HangUp { call }), Ok(()));
        w.until_over(from);
        w.until_over(to);
        w.rest();
    });
}

#[test]
fn above_the_call_limit_new_calls_get_503_and_those_in_progress_go_on() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|s| s["system"]["call_limit"] = 1.into()));
        w.phones_up(&["101", "102", "103"]);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        let refused = w.call_in("+4930555", "+49301000");
        let before = w.now().mono;
        assert_eq!(w.until_over(refused), 503);
        assert!(w.now().mono.since(before) < Duration::from_millis(100));
        let seconds: Result<u32, _> = w.call(refused).words.parse();
        assert!(seconds.is_ok(), "Retry-After: {}", w.call(refused).words);
        w.until_talk(from, to);
        w.rest();
    });
}

#[test]
fn a_change_of_the_configuration_is_live_and_drops_no_call() {
    each_seed(|seed| {
        let mut w = world(seed);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        let waiting = w.dial("103", "600");
        w.until_hears_now(waiting, &Heard::Music);
        w.commit(site::site(|s| {
            s["queue"] = json!([]);
            s["flow"] = json!([]);
            s["inbound"][0]["to"] = "extension:103".into();
        }));
        w.until_hears(waiting, "vm-leave-message");
        w.until_talk(from, to);
        w.hang_up(waiting);
        let new = w.call_in("+4930555", "+49301000");
        let callee = w.until_answers("103");
        w.until_talk(new, callee);
        w.rest();
    });
}

#[test]
fn draining_refuses_new_calls_and_keeps_the_others() {
    each_seed(|seed| {
        let mut w = world(seed);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        assert_eq!(w.command(Command::Drain), Ok(()));
        let late = w.dial("103", "101");
        assert_eq!(w.until_over(late), 503);
        assert_eq!(w.call(from).state, State::Up);
        w.until_talk(from, to);
        w.rest();
    });
}
