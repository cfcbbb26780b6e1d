//! What happens to sessions when control dies and comes back.
use super::*;
use crate::tone::ulaw_share;

fn hello(epoch: u64) -> MediaCommand {
    MediaCommand::Hello { protocol: model::media::PROTOCOL, epoch, orphan_s: 10 }
}

#[test]
fn orphans_speak_on_under_new_control_and_close_when_both_fell_silent() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    world.record(1, 1, Some(2));
    world.speak(1000, &mut [&mut a, &mut b]);
    world.ask(hello(2));
    let Some(MediaEvent::Ready { ports, .. }) = world.events.last() else { panic!("{:?}", world.events) };
    assert_eq!(ports, &[(10_000, 10_000), (10_006, 10_098)], "the orphans' ports are not offered");
    world.events.clear();
    world.sent.clear();
    world.speak(30_000, &mut [&mut a, &mut b]);
    assert!(ulaw_share(&world.heard(b.address), 500.0) > 0.98);
    world.speak(9000, &mut [&mut a]);
    assert!(world.events.is_empty(), "nothing of theirs is told: {:?}", world.events);
    world.pass(9000);
    assert!(world.events.is_empty());
    world.pass(2000);
    let free = |port| MediaEvent::PortFree { port };
    assert_eq!(world.events, [free(a.port), free(b.port)]);
    assert_eq!(world.core.session_count(), 0);
    assert!(!world.core.is_busy(), "its recording has ended too");
}

#[test]
fn ids_given_out_anew_do_not_touch_orphans() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    world.record(1, 1, None);
    world.ask(hello(2));
    let c = Peer::new(3, 700);
    world.open(1, &c);
    world.record(1, 1, None);
    world.ask(MediaCommand::Close { session: SessionId(1) });
    world.sent.clear();
    world.speak(1000, &mut [&mut a, &mut b]);
    assert!(ulaw_share(&world.heard(b.address), 500.0) > 0.98);
    assert!(world.core.is_busy());
}

#[test]
fn the_same_control_that_reconnects_keeps_its_sessions() {
    let mut world = World::new();
    let a = Peer::new(1, 500);
    world.open(1, &a);
    world.ask(hello(1));
    world.events.clear();
    world.ask(MediaCommand::Close { session: SessionId(1) });
    assert!(matches!(world.events[..], [MediaEvent::Closed { session: SessionId(1), .. }]));
}

#[test]
fn a_port_that_is_taken_or_unknown_is_refused_with_words() {
    let mut world = World::new();
    let a = Peer::new(1, 500);
    world.open(1, &a);
    for port in [a.port, 9998, a.port + 1] {
        world.ask(MediaCommand::Open { session: SessionId(5), port });
        assert!(matches!(world.events.last(), Some(MediaEvent::Trouble(t)) if t.contains(&port.to_string())));
    }
    assert_eq!(world.core.session_count(), 1);
}

#[test]
fn a_stall_of_the_thread_is_not_made_up_for() {
    let mut world = World::new();
    let a = Peer::new(1, 500);
    world.open(1, &a);
    world.play(1, 1, vec![Sound::Music(String::new())], true, false);
    world.pass(100);
    world.sent.clear();
    world.now.mono.0 += 3_000_000;
    world.pass(100);
    let out = world.packets(a.address);
    assert!((5..=6).contains(&out.len()), "no burst: {}", out.len());
    assert!(out[0].marker, "a new talk spurt");
}
