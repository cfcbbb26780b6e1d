//! What callers of the menu notice.
use serde_json::json;
use sim::{Habit, Heard, World, each_seed, site};

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
