//! The steward as a process, on a folder that stands for the machine.
mod bundle;
mod machine;
mod network;
mod running;
mod storage;
mod update;

use board::steward::client::SHORT;
use board::steward::{Act, Answer, Slot};
use machine::Machine;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

#[test]
fn both_slots_are_told_with_what_is_in_them() {
    let machine = Machine::start();
    let Answer::Slots(slots) = machine.steward().ask(&Act::Slots, SHORT).unwrap() else { panic!("no slots") };
    assert_eq!(slots.running, Slot::A);
    assert_eq!((slots.a.version.as_deref(), slots.b.version.as_deref()), (Some("0.1.0"), Some("0.0.9")));
    assert!(slots.a.bootable && !slots.b.bootable);
}

#[test]
fn restart_and_power_off_are_asked_of_the_service_manager() {
    let machine = Machine::start();
    assert_eq!(machine.steward().ask(&Act::Reboot, SHORT), Ok(Answer::Done));
    assert_eq!(machine.steward().ask(&Act::PowerOff, SHORT), Ok(Answer::Done));
    assert_eq!(machine.did("systemctl"), ["--no-block reboot", "--no-block poweroff"]);
}

#[test]
fn a_box_that_was_not_started_from_an_image_has_no_slots() {
    let machine = Machine::start();
    std::fs::remove_file(machine.path("run/belfry-boot/facts")).unwrap();
    let refused = machine.steward().ask(&Act::Slots, SHORT).unwrap_err();
    assert_eq!(refused.code, "no_slots");
    assert!(refused.said.en.contains("runs on a PC") && refused.said.zh.contains("普通电脑"));
}

#[test]
fn nonsense_is_refused_and_the_steward_lives_on() {
    let machine = Machine::start();
    for line in
        ["{}\n".to_owned(), "\u{0}\n".into(), "x".repeat(100_000), r#"{"act":"shell","run":"id"}"#.into()]
    {
        let mut stream = UnixStream::connect(machine.socket()).unwrap();
        // It may hang up before it has read everything.
        let _ = stream.write_all(line.as_bytes()).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.contains("not_understood"), "{answer}");
    }
    assert!(machine.steward().ask(&Act::Slots, SHORT).is_ok());
    assert!(machine.did("systemctl").is_empty());
}
