//! B17: who logs in at another's phone has calls, lamp, voicemail and work there at once, and its owner has it back later.
//! An emergency call goes out from any phone and names where that phone stands.
use model::command::Command;
use model::number::Number;
use model::refusal::Refusal;
use serde_json::json;
use sim::{Habit, World, site};
use std::time::Duration;

/// Twenty seeds, unless the environment asks for others.
fn some_seeds(story: impl Fn(u64)) {
    match std::env::var("BELFRY_SEEDS").or(std::env::var("BELFRY_SEED")) {
        Ok(_) => sim::each_seed(story),
        Err(_) => (0..20).for_each(story),
    }
}

fn number(text: &str) -> Number {
    Number::read(text).expect("a number")
}

/// Anna (101) may be reached at 104; the phone 105 is nobody's.
fn world(seed: u64) -> World {
    let site = site::site(|s| s["extension"][4]["hot_desk"] = "shared".into());
    let mut w = World::new(seed, site);
    w.phones_up(&["101", "102", "103", "104", "105"]);
    for phone in ["101", "104", "105"] {
        w.habit(phone, Habit::Ignore);
    }
    w
}

/// By menu: code, number, PIN.
fn logs_in(w: &mut World, phone: &str, person: &str) {
    let call = w.dial(phone, "*58");
    w.until_hears(call, "vm-enter-extension");
    w.press(call, &format!("{person}#"));
    w.until_hears(call, "vm-enter-pin");
    w.press(call, &format!("{}#", site::PIN));
    let pressed = w.now().mono;
    w.until_hears(call, "desk-logged-in");
    assert!(w.now().mono.since(pressed) < Duration::from_secs(3), "{:?}", w.now().mono.since(pressed));
    w.until_over(call);
}

/// Which of the phones rings when 103 calls a number; it is not answered.
fn rings(w: &mut World, to: &str, phone: &str, silent: &str) {
    let call = w.dial("103", to);
    let there = w.until_rings(phone);
    let other = w.ua(silent);
    assert_eq!(w.look(other).live().count(), 0, "{silent} does not ring");
    w.hang_up(call);
    w.until_over(there);
}

fn refused(w: &mut World, phone: &str, to: &str, code: u16) {
    let call = w.dial(phone, to);
    assert_eq!(w.until_over(call), code, "{phone} dials {to}");
}

fn lamp(w: &World, phone: &str) -> Option<(u32, u32)> {
    w.look(w.ua(phone)).lamp
}

fn leaves_message(w: &mut World, to: &str) {
    let caller = w.dial("103", to);
    w.until_hears(caller, "vm-leave-message");
    w.until_hears_now(caller, &sim::Heard::Sound);
    w.pass(3);
    w.hang_up(caller);
    w.until_over(caller);
}

#[test]
fn calls_lamp_voicemail_and_rights_are_where_somebody_is_logged_in_and_go_home_again() {
    some_seeds(|seed| {
        let mut w = world(seed);
        leaves_message(&mut w, "101");
        w.until("the own lamp is lit", 10, |w| lamp(w, "101") == Some((1, 0)));
        logs_in(&mut w, "104", "101");
        w.until("the lamp is lit there", 3, |w| lamp(w, "104") == Some((1, 0)));
        w.until("and out here", 3, |w| lamp(w, "101") == Some((0, 0)));
        rings(&mut w, "101", "104", "101");
        leaves_message(&mut w, "104");
        assert_eq!(lamp(&w, "104"), Some((1, 0)), "the owner's messages do not show");
        let owner = w.dial("104", "*97");
        w.until_hears(owner, "vm-enter-pin");
        w.press(owner, &format!("{}#", site::PIN));
        w.until_hears(owner, "vm-new-message");
        w.hang_up(owner);
        w.until_over(owner);
        w.habit("103", Habit::Ignore);
        let call = w.dial("104", "103");
        let there = w.until_rings("103");
        w.hang_up(call);
        w.until_over(there);
        assert_eq!(w.record_of("101").called.number, "103", "who calls is who is logged in");
        refused(&mut w, "101", "103", 403);
        w.star("104", "*58", "desk-logged-out");
        rings(&mut w, "101", "101", "104");
        rings(&mut w, "104", "104", "101");
        w.until("each has the own lamp", 5, |w| {
            lamp(w, "101") == Some((1, 0)) && lamp(w, "104") == Some((1, 0))
        });
        w.rest();
    });
}

#[test]
fn the_agent_works_where_their_extension_is_logged_in_and_still_does_after_a_restart() {
    some_seeds(|seed| {
        let mut w = world(seed);
        w.agents_at_work(&["101"]);
        logs_in(&mut w, "104", "101");
        w.habit("104", Habit::Answer(Duration::from_secs(1)));
        let caller = w.dial("103", "600");
        let agent = w.until_answers("104");
        w.until_talk(caller, agent);
        w.hang_up(caller);
        w.until_over(agent);
        w.power_cut(Duration::from_secs(3));
        w.everybody_hangs_up();
        w.phones_up(&["101", "103", "104"]);
        let caller = w.dial("103", "600");
        let agent = w.until_answers("104");
        w.until_talk(caller, agent);
        w.hang_up(caller);
        w.until_over(agent);
        w.star("104", "*52", "agent-paused");
        w.rest();
    });
}

#[test]
fn an_owner_comes_home_and_the_next_guest_takes_the_place() {
    some_seeds(|seed| {
        let mut w = world(seed);
        w.star_pin("104", "*58101", site::PIN, "desk-logged-in");
        w.star_pin("104", "*58102", site::PIN, "desk-logged-in");
        rings(&mut w, "101", "101", "104");
        rings(&mut w, "102", "104", "102");
        w.star_pin("104", "*58104", site::PIN, "desk-logged-in");
        rings(&mut w, "104", "104", "102");
        w.habit("102", Habit::Ignore);
        rings(&mut w, "102", "102", "104");
        w.rest();
    });
}

#[test]
fn a_wrong_pin_moves_nobody_and_a_phone_may_take_no_guests() {
    some_seeds(|seed| {
        let mut w = world(seed);
        for pin in ["111222", "000000"] {
            w.star_pin("104", "*58101", pin, "vm-pin-wrong");
        }
        // A number that nobody has is asked for a PIN like any other.
        w.star_pin("104", "*58199", site::PIN, "vm-pin-wrong");
        rings(&mut w, "101", "101", "104");
        w.commit(site::site(|s| s["extension"][3]["hot_desk"] = "no".into()));
        w.star("104", "*58101", "desk-not-here");
        let seat =
            |person: &str, phone: &str| Command::DeskLogin { person: number(person), phone: number(phone) };
        assert_eq!(w.command(seat("101", "104")), Err(Refusal::Forbidden));
        assert_eq!(w.command(seat("101", "199")), Err(Refusal::Unknown));
        w.rest();
    });
}

#[test]
fn the_web_moves_people_too_and_a_setting_sends_guests_home() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (person, phone) = (number("101"), number("104"));
        assert_eq!(w.command(Command::DeskLogout { person: person.clone() }), Err(Refusal::Conflict));
        let login = Command::DeskLogin { person: person.clone(), phone };
        assert_eq!(w.command(login.clone()), Ok(()));
        rings(&mut w, "101", "104", "101");
        assert_eq!(w.command(Command::DeskLogout { person }), Ok(()));
        rings(&mut w, "101", "101", "104");
        assert_eq!(w.command(login), Ok(()));
        w.commit(site::site(|s| s["extension"][3]["hot_desk"] = json!("no")));
        rings(&mut w, "101", "101", "104");
        w.rest();
    });
}

#[test]
fn help_goes_to_the_phone_whoever_is_logged_in_and_also_with_nobody() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let helped = |w: &mut World, phone: &str| {
            let call = w.dial(phone, "112");
            let centre = w.until_answers("carrier");
            w.until_talk(call, centre);
            w.hang_up(call);
            w.until_over(centre);
            let told = w.pbx.watch.notes.iter().rev().find(|(kind, _)| kind == "emergency_call");
            assert_eq!(told.map(|(_, place)| place.as_str()), Some(phone), "the place of the phone is told");
        };
        refused(&mut w, "105", "103", 403);
        helped(&mut w, "105");
        logs_in(&mut w, "105", "101");
        helped(&mut w, "105");
        helped(&mut w, "101");
        let call = w.dial("105", "103");
        let there = w.until_answers("103");
        w.until_talk(call, there);
        w.rest();
    });
}
