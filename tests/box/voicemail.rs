//! What callers who leave a message and owners who listen notice.
use model::record::{Outcome, Record};
use sim::{CallRef, Habit, Heard, World, each_seed, site};

fn world(seed: u64) -> World {
    let mut w = World::new(seed, site::site(|_| {}));
    w.phones_up(&["101", "104"]);
    w.habit("104", Habit::Ignore);
    w
}

fn leaves_message(w: &mut World, seconds: u64) -> CallRef {
    let caller = w.dial("101", "104");
    w.until_hears(caller, "vm-leave-message");
    w.until_hears_now(caller, &Heard::Sound);
    w.pass(seconds);
    caller
}

fn opens_box(w: &mut World, phone: &str, pin: &str) -> CallRef {
    let owner = w.dial(phone, "*97");
    w.until_hears(owner, "vm-enter-pin");
    w.press(owner, &format!("{pin}#"));
    owner
}

#[test]
fn a_message_is_left_heard_and_deleted_and_the_lamp_follows() {
    each_seed(|seed| {
        let mut w = world(seed);
        let caller = leaves_message(&mut w, 3);
        w.hang_up(caller);
        let lamp = |w: &World| w.look(w.ua("104")).lamp;
        w.until("the lamp is lit", 10, |w| lamp(w) == Some((1, 0)));
        w.pass(1);
        assert_eq!(w.record_of("101").outcome, Outcome::Voicemail);
        let owner = opens_box(&mut w, "104", site::PIN);
        w.until_hears(owner, "vm-new-message");
        w.press(owner, "1");
        w.until_hears(owner, "vm-received");
        let voice = w.look(caller.ua).voice;
        w.until_hears_now(owner, &Heard::Voice(voice));
        w.until_hears(owner, "vm-message-menu");
        w.until("the lamp is out", 10, |w| lamp(w) == Some((0, 1)));
        w.press(owner, "7");
        w.until_hears(owner, "vm-deleted");
        w.until("nothing is left", 10, |w| lamp(w) == Some((0, 0)));
        w.rest();
    });
}

#[test]
fn saved_is_said_only_when_it_is_on_disk() {
    each_seed(|seed| {
        let mut w = world(seed);
        let caller = leaves_message(&mut w, 3);
        w.pbx.disk.stuck = true;
        w.press(caller, "#");
        w.pass(3);
        assert!(!w.call(caller).ear.prompt("vm-saved"));
        w.pbx.disk.stuck = false;
        w.until_hears(caller, "vm-saved");
        assert!(w.pbx.disk.durable().iter().any(|r| matches!(r, Record::Message(_))));
        w.rest();
    });
}

#[test]
fn silence_is_no_message() {
    each_seed(|seed| {
        let mut w = world(seed);
        let caller = w.dial("101", "104");
        w.until_up(caller);
        w.speaks(caller, false);
        w.until_hears(caller, "vm-too-short");
        w.rest();
        assert!(w.pbx.watch.messages.is_empty());
    });
}

#[test]
fn star_begins_a_message_again() {
    each_seed(|seed| {
        let mut w = world(seed);
        let caller = leaves_message(&mut w, 3);
        w.press(caller, "*");
        w.pass(6);
        w.press(caller, "#");
        w.until_hears(caller, "vm-saved");
        w.rest();
        let ms = w.pbx.watch.messages[0].ms;
        assert!((3_500..6_500).contains(&ms), "{ms} ms: only the second try");
    });
}

#[test]
fn a_full_box_takes_no_message() {
    each_seed(|seed| {
        let site = site::site(|s| s["extension"][3]["voicemail"]["max_messages"] = 1.into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "104"]);
        w.habit("104", Habit::Ignore);
        let caller = leaves_message(&mut w, 2);
        w.hang_up(caller);
        w.pass(2);
        let late = w.dial("101", "104");
        w.until_hears(late, "vm-full");
        w.rest();
        assert_eq!(w.pbx.watch.messages.len(), 1);
    });
}

#[test]
fn an_own_greeting_is_recorded_and_heard_by_callers() {
    each_seed(|seed| {
        let mut w = world(seed);
        let owner = opens_box(&mut w, "104", site::PIN);
        w.until_hears(owner, "vm-menu");
        w.press(owner, "3");
        w.until_hears(owner, "vm-greeting-menu");
        w.press(owner, "1");
        w.until_hears(owner, "vm-record-greeting");
        w.pass(5);
        w.press(owner, "#");
        w.until_hears(owner, "vm-greeting-saved");
        w.hang_up(owner);
        let caller = w.dial("101", "104");
        let voice = w.look(owner.ua).voice;
        w.until_hears_now(caller, &Heard::Voice(voice));
        w.rest();
    });
}

#[test]
fn three_wrong_pins_end_the_call_and_five_lock_the_box() {
    each_seed(|seed| {
        let mut w = world(seed);
        let thief = opens_box(&mut w, "104", "000000");
        w.until_hears(thief, "vm-pin-wrong");
        w.press(thief, "000001#");
        w.pass(3);
        w.press(thief, "000002#");
        w.until_over(thief);
        let again = opens_box(&mut w, "104", "000003");
        w.until_hears(again, "vm-pin-wrong");
        w.press(again, "000004#");
        w.pass(3);
        w.hang_up(again);
        w.pass(1);
        let owner = opens_box(&mut w, "104", site::PIN);
        w.until_hears(owner, "vm-locked");
        w.until_over(owner);
        w.pass(15 * 60);
        let owner = opens_box(&mut w, "104", site::PIN);
        w.until_hears(owner, "vm-menu");
        w.rest();
    });
}

#[test]
fn from_another_phone_the_extension_is_asked_first() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["extension"][0].as_object_mut().expect("a table").remove("voicemail");
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101"]);
        let owner = w.dial("101", "*97");
        w.until_hears(owner, "vm-enter-extension");
        w.press(owner, "104#");
        w.until_hears(owner, "vm-enter-pin");
        w.press(owner, &format!("{}#", site::PIN));
        w.until_hears(owner, "vm-no-messages");
        w.rest();
    });
}
