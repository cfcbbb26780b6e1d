//! Orders that must outlive a restart: who gave one is answered when it is on the disk.
use crate::harness::{World, site};
use model::command::Command;
use model::number::Number;
use model::record::Record;
use model::refusal::Refusal;

fn bar() -> Command {
    Command::Bar { number: Number::read("+4930123456").expect("a number"), listed: true }
}

#[test]
fn a_number_is_barred_when_that_is_on_the_disk_and_not_before() {
    let mut world = World::new(site(|_| {}));
    let ticket = world.ask(bar());
    assert!(!world.replies.contains_key(&ticket), "nothing is on the disk yet");
    assert!(world.records.iter().any(|record| matches!(record, Record::Barred(_))));
    world.moment();
    assert_eq!(world.replies.get(&ticket), Some(&Ok(())));
}

#[test]
fn a_disk_that_hangs_is_told_to_who_ordered_something_after_five_seconds() {
    let mut world = World::new(site(|_| {}));
    world.disk_hangs = true;
    let ticket = world.ask(bar());
    world.seconds(4);
    assert!(!world.replies.contains_key(&ticket));
    world.seconds(2);
    assert_eq!(world.replies.get(&ticket), Some(&Err(Refusal::Unavailable)));
}

#[test]
fn an_order_that_is_refused_is_answered_at_once() {
    let mut world = World::new(site(|_| {}));
    world.disk_hangs = true;
    let wrong = Command::Bar { number: Number::read("123").expect("digits"), listed: true };
    assert_eq!(world.order(wrong), Err(Refusal::Malformed));
}

/// B17, E14: who is told that somebody works here, or is at work, finds it so after a cut of the power.
#[test]
fn who_logs_in_is_told_so_when_it_is_on_the_disk() {
    let number = |text| Number::read(text).expect("a number");
    let seat = Command::DeskLogin { person: number("101"), phone: number("102") };
    let work = Command::AgentLogin { agent: "1".into() };
    let home = Command::DeskLogout { person: number("101") };
    let mut world = World::new(site(|_| {}));
    for command in [seat, work, home] {
        let ticket = world.ask(command.clone());
        assert!(!world.replies.contains_key(&ticket), "{command:?}: nothing is on the disk yet");
        world.moment();
        assert_eq!(world.replies.get(&ticket), Some(&Ok(())), "{command:?}");
    }
}
