//! What callers who leave a message and owners who listen to it notice.
use super::deposit::{Deposit, Plan};
use super::mailbox::{LOCK, Mailboxes, PIN_TRIES, Pin};
use super::retrieve::{Cx, Retrieve};
use super::*;
use crate::fixture::{number, site};
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::id::{CallId, MessageId};
use model::number::Number;
use model::record::{MessageRecord, Party};
use std::collections::BTreeMap;

const NOW: Now = Now { mono: Mono(5_000_000), wall: Wall(1_772_625_600_000) };

fn key(c: char) -> Input {
    Input::Digit(Digit::try_from(c).expect("a key"))
}

fn recorded(end: RecordEnd, ms: u32) -> Input {
    Input::Recorded { end, ms }
}

/// Prompts of a play, files as their path, tones as `beep`.
fn words(sounds: &[Sound]) -> Vec<String> {
    sounds
        .iter()
        .filter_map(|s| match s {
            Sound::Prompt { name, .. } | Sound::File(name) => Some(name.clone()),
            Sound::Tone { .. } => Some("beep".into()),
            Sound::Silence(_) | Sound::Music(_) => None,
        })
        .collect()
}

fn last_play(out: &[Out]) -> Vec<String> {
    let play = |o: &Out| if let Out::Play { sounds, .. } = o { Some(words(sounds)) } else { None };
    out.iter().rev().find_map(play).unwrap_or_default()
}

fn kept(out: &[Out]) -> Vec<Record> {
    out.iter()
        .filter_map(|o| if let Out::Keep { record, .. } = o { Some((**record).clone()) } else { None })
        .collect()
}

fn plan(full: bool) -> Plan {
    Plan {
        message: MessageId(7),
        mailbox: number("101"),
        call: CallId(3),
        caller: Party { number: "+4930123".into(), name: String::new() },
        language: Language::En,
        greeting: None,
        max_s: 60,
        mail_to: Some("anna@example.com".into()),
        full,
    }
}

fn leaves(inputs: &[Input]) -> (Deposit, Vec<Out>) {
    let mut out = Vec::new();
    let mut deposit = Deposit::start(plan(false), &mut out);
    for input in inputs {
        deposit.input(NOW, *input, &mut out);
    }
    (deposit, out)
}

#[test]
fn the_greeting_names_the_extension_and_ends_with_a_beep() {
    let (_, out) = leaves(&[]);
    let expected =
        ["vm-greeting", "digit-1", "digit-0", "digit-1", "vm-not-available", "vm-leave-message", "beep"];
    assert_eq!(last_play(&out), expected);
    let mut own = plan(false);
    own.greeting = Some("greetings/101.wav".into());
    let mut out = Vec::new();
    let _deposit = Deposit::start(own, &mut out);
    assert_eq!(last_play(&out), ["greetings/101.wav", "beep"]);
}

#[test]
fn saved_is_said_only_after_the_store_said_so() {
    let (mut deposit, mut out) = leaves(&[Input::Played, key('#'), recorded(RecordEnd::Digit, 4_000)]);
    assert!(!last_play(&out).contains(&"vm-saved".to_owned()));
    let [Record::Message(message)] = &kept(&out)[..] else { panic!("no message kept") };
    assert_eq!((message.ms, message.path.as_str(), message.heard), (4_000, "voicemail/101/7.wav", false));
    deposit.input(NOW, Input::Stored, &mut out);
    assert_eq!(last_play(&out), ["vm-saved", "goodbye"]);
    deposit.input(NOW, Input::Played, &mut out);
    assert_eq!(out.last(), Some(&Out::Done));
}

#[test]
fn who_hangs_up_has_left_what_was_said() {
    let (deposit, out) =
        leaves(&[Input::Played, Input::Gone, recorded(RecordEnd::Stopped, 9_000), Input::Stored]);
    assert_eq!(kept(&out).len(), 1);
    assert!(deposit.is_over());
}

#[test]
fn a_disk_that_refuses_is_said_to_the_caller() {
    let (_, out) = leaves(&[Input::Played, recorded(RecordEnd::Disk, 0)]);
    assert_eq!((kept(&out).len(), last_play(&out)[0].as_str()), (0, "vm-full"));
    let (_, out) = leaves(&[Input::Played, recorded(RecordEnd::Disk, 9_000), Input::Stored]);
    assert_eq!((kept(&out).len(), last_play(&out)[0].as_str()), (1, "vm-saved"), "the part before is kept");
}

#[test]
fn silence_and_short_noises_are_no_message() {
    for end in [recorded(RecordEnd::Silence, SILENCE_MS + 200), recorded(RecordEnd::Digit, 500)] {
        let (_, out) = leaves(&[Input::Played, end]);
        assert_eq!((kept(&out).len(), last_play(&out)[0].as_str()), (0, "vm-too-short"));
    }
    let (deposit, out) = leaves(&[Input::Played, Input::Gone, recorded(RecordEnd::Stopped, 300)]);
    assert!(kept(&out).is_empty() && deposit.is_over());
    let (deposit, out) = leaves(&[Input::Gone]);
    assert!(kept(&out).is_empty() && deposit.is_over());
}

#[test]
fn star_begins_again_and_a_key_skips_the_greeting() {
    let (mut deposit, mut out) = leaves(&[key('#')]);
    assert_eq!(last_play(&out), ["beep"]);
    for input in [Input::Played, key('*'), recorded(RecordEnd::Digit, 8_000)] {
        deposit.input(NOW, input, &mut out);
    }
    assert_eq!((last_play(&out), kept(&out).len()), (vec!["beep".to_owned()], 0));
    for input in [Input::Played, recorded(RecordEnd::Length, 60_000)] {
        deposit.input(NOW, input, &mut out);
    }
    assert_eq!(kept(&out).len(), 1);
}

#[test]
fn a_full_box_says_so() {
    let mut out = Vec::new();
    let _deposit = Deposit::start(plan(true), &mut out);
    assert_eq!(last_play(&out), ["vm-full", "goodbye"]);
}

/// An owner at the phone of 101 with messages from 8 (old) and 9, 10 (new).
struct Owner {
    config: Config,
    boxes: Mailboxes,
    run: Retrieve,
    out: Vec<Out>,
    now: Now,
}

impl Owner {
    fn new(own: Option<Number>) -> Owner {
        let message = |id: u64, heard| MessageRecord {
            message: MessageId(id),
            mailbox: number("101"),
            call: CallId(id),
            caller: Party { number: "102".into(), name: String::new() },
            at: Wall(NOW.wall.0 - 3_600_000),
            ms: 4_000,
            path: format!("voicemail/101/{id}.wav"),
            heard,
            mail_to: None,
        };
        let messages = vec![message(8, true), message(9, false), message(10, false)];
        let mut out = Vec::new();
        let run = Retrieve::start(own, Language::En, &mut out);
        Owner { config: site(), boxes: Mailboxes::new(messages, BTreeMap::new()), run, out, now: NOW }
    }

    fn at_home() -> Owner {
        Owner::new(Some(number("101")))
    }

    fn does(&mut self, input: Input) {
        let from = self.out.len();
        let mut cx = Cx { now: self.now, config: &self.config, boxes: &mut self.boxes };
        self.run.input(&mut cx, input, &mut self.out);
        for record in kept(&self.out[from..]) {
            self.boxes.apply(&record, &mut Vec::new());
        }
    }

    fn keys(&mut self, keys: &str) -> Vec<String> {
        for c in keys.chars() {
            self.does(key(c));
        }
        last_play(&self.out)
    }

    fn counts(&self) -> (u32, u32) {
        let view = self.boxes.view(&number("101"));
        (view.new, view.old)
    }
}

#[test]
fn the_pin_opens_the_box_and_the_counts_are_said() {
    let mut owner = Owner::at_home();
    assert_eq!(last_play(&owner.out), ["vm-enter-pin"]);
    let said = owner.keys("123456#");
    let expected =
        ["vm-you-have", "num-2", "vm-new-messages", "vm-and", "num-1", "vm-old-message", "vm-menu"];
    assert_eq!(said, expected);
}

#[test]
fn from_another_phone_the_extension_is_asked_first() {
    let mut owner = Owner::new(None);
    assert_eq!(last_play(&owner.out), ["vm-enter-extension"]);
    assert_eq!(owner.keys("101#"), ["vm-enter-pin"]);
    assert_eq!(owner.keys("123456#").last().map(String::as_str), Some("vm-menu"));
    let mut stranger = Owner::new(None);
    assert_eq!(stranger.keys("999#"), ["vm-enter-pin"], "the same question for a number that does not exist");
    assert_eq!(stranger.keys("123456#"), ["vm-pin-wrong", "vm-enter-pin"]);
}

#[test]
fn three_wrong_pins_end_the_call_and_five_lock_the_box_for_a_while() {
    let mut owner = Owner::at_home();
    assert_eq!(owner.keys("000000#000001#"), ["vm-pin-wrong", "vm-enter-pin"]);
    assert_eq!(owner.keys("000002#"), ["vm-pin-wrong", "goodbye"]);

    let (config, mut boxes) = (site(), Mailboxes::default());
    let mut try_pin = |at: Now, pin: &str| boxes.pin(at, &config, &number("101"), pin);
    for _ in 0..PIN_TRIES {
        assert_eq!(try_pin(NOW, "000000"), Pin::Wrong);
    }
    assert_eq!(try_pin(NOW, "123456"), Pin::Locked, "even the right one");
    let later = Now { mono: NOW.mono + LOCK, ..NOW };
    assert_eq!(try_pin(later, "123456"), Pin::Right);
}

#[test]
fn a_restart_gives_no_new_tries_for_the_pin() {
    let mut owner = Owner::at_home();
    owner.keys("000000#000001#000002#");
    let pins = |r: Record| if let Record::WrongPins(p) = r { Some(p) } else { None };
    let kept = kept(&owner.out).into_iter().rev().find_map(pins);
    let kept = kept.expect("wrong tries are kept");
    assert_eq!((kept.tries, kept.until), (3, None));

    let config = site();
    let mut boxes = Mailboxes::default().with_wrong_pins(NOW, &[kept]);
    assert_eq!(boxes.pin(NOW, &config, &number("101"), "000003"), Pin::Wrong);
    assert_eq!(boxes.pin(NOW, &config, &number("101"), "000004"), Pin::Wrong, "the fifth of all");
    let locked = boxes.wrong_pins(NOW, &number("101"));
    let mut boxes = Mailboxes::default().with_wrong_pins(NOW, &[locked]);
    assert_eq!(boxes.pin(NOW, &config, &number("101"), "123456"), Pin::Locked, "even the right one");
    let later = Now { mono: NOW.mono + LOCK, ..NOW };
    assert_eq!(boxes.pin(later, &config, &number("101"), "123456"), Pin::Right);
    assert_eq!(boxes.wrong_pins(later, &number("101")).tries, 0);
}

#[test]
fn messages_are_heard_in_order_with_date_and_caller() {
    let mut owner = Owner::at_home();
    owner.keys("123456#");
    let said = owner.keys("1").join(" ");
    assert!(said.starts_with("vm-message num-1 vm-received today time-at"), "{said}");
    assert!(said.ends_with("vm-from digit-1 digit-0 digit-2 voicemail/101/9.wav"), "{said}");
    assert_eq!(owner.counts(), (2, 1));
    owner.does(Input::Played);
    assert_eq!((owner.counts(), last_play(&owner.out)), ((1, 2), vec!["vm-message-menu".to_owned()]));
    assert!(owner.keys("6").join(" ").ends_with("voicemail/101/10.wav"));
    assert!(owner.keys("4").join(" ").ends_with("voicemail/101/9.wav"));
    assert!(owner.keys("5").join(" ").ends_with("voicemail/101/9.wav"));
}

#[test]
fn nine_keeps_a_message_new_and_after_the_last_the_menu_comes() {
    let mut owner = Owner::at_home();
    owner.keys("123456#1");
    owner.does(Input::Played);
    owner.keys("9");
    assert_eq!(owner.counts(), (2, 1));
    assert_eq!(owner.keys("6"), ["vm-no-more-messages", "vm-menu"]);
}

#[test]
fn deleted_is_said_only_after_the_store_said_so() {
    let mut owner = Owner::at_home();
    owner.keys("123456#1");
    assert!(!owner.keys("7").contains(&"vm-deleted".to_owned()));
    owner.does(Input::Stored);
    let said = last_play(&owner.out).join(" ");
    assert!(said.starts_with("vm-deleted vm-message num-1") && said.ends_with("10.wav"), "{said}");
    assert_eq!(owner.counts(), (1, 1));
}

#[test]
fn an_own_greeting_is_recorded_heard_and_removed() {
    let mut owner = Owner::at_home();
    owner.keys("123456#");
    assert_eq!(owner.keys("32"), ["vm-no-greeting", "vm-greeting-menu"]);
    assert_eq!(owner.keys("1"), ["vm-record-greeting", "beep"]);
    for input in [Input::Played, key('#'), recorded(RecordEnd::Digit, 5_000), Input::Stored] {
        owner.does(input);
    }
    let path = owner.boxes.greeting(&number("101")).expect("set").to_owned();
    assert_eq!(last_play(&owner.out), ["vm-greeting-saved", path.as_str(), "vm-menu"]);
    owner.keys("33");
    owner.does(Input::Stored);
    assert_eq!(last_play(&owner.out), ["vm-greeting-removed", "vm-menu"]);
    assert_eq!(owner.boxes.greeting(&number("101")), None);
}

#[test]
fn a_silent_owner_is_asked_twice_and_then_sent_away() {
    let mut owner = Owner::at_home();
    owner.keys("123456#");
    for _ in 0..2 {
        owner.does(Input::Played);
        owner.does(Input::Timer);
        assert_eq!(last_play(&owner.out), ["vm-menu"]);
    }
    owner.does(Input::Played);
    owner.does(Input::Timer);
    owner.does(Input::Played);
    assert_eq!((last_play(&owner.out), owner.out.last()), (vec!["goodbye".to_owned()], Some(&Out::Done)));
}

#[test]
fn whatever_is_pressed_the_machine_ends_when_the_caller_goes() {
    let mut seed = 7_u32;
    for _ in 0..2_000 {
        let mut owner = Owner::at_home();
        owner.keys("123456#");
        for _ in 0..20 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let keys = ['1', '2', '3', '4', '5', '6', '7', '9', '*'];
            let roll = usize::try_from(seed >> 8).expect("fits");
            match roll % 5 {
                0 => owner.does(Input::Played),
                1 => owner.does(Input::Stored),
                2 => owner.does(recorded(RecordEnd::Digit, 5_000)),
                _ => owner.does(key(keys[roll / 5 % keys.len()])),
            }
        }
        owner.does(Input::Gone);
        assert!(owner.run.is_over() && owner.out.last() == Some(&Out::Done));
    }
}

#[test]
fn a_box_is_full_at_its_limit_and_the_lamp_follows_each_change() {
    let mut config = site();
    let limit = &mut config
        .extension
        .get_mut(&number("101"))
        .expect("there")
        .voicemail
        .as_mut()
        .expect("box")
        .max_messages;
    *limit = 3;
    let mut owner = Owner::at_home();
    assert!(owner.boxes.is_full(&config, &number("101")));
    let mut notices = Vec::new();
    let changed = owner.boxes.apply(&Record::MessageDeleted(MessageId(8)), &mut notices);
    assert_eq!((changed, notices.len()), (Some(number("101")), 2));
    assert!(!owner.boxes.is_full(&config, &number("101")));
    let again =
        owner.boxes.apply(&Record::MessageHeard { message: MessageId(9), heard: false }, &mut notices);
    assert_eq!(again, None, "no change, no lamp");
}
