//! Strangers on the network (trust S5), and packets that are no packets.
use super::*;
use crate::tone::ulaw_share;

fn stranger() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], 4000))
}

fn joined(world: &mut World) -> (Peer, Peer) {
    let (a, b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    (a, b)
}

#[test]
fn a_stranger_early_and_late_gets_nothing_and_gives_nothing() {
    for early in [true, false] {
        let mut world = World::new();
        let (mut a, mut b) = joined(&mut world);
        if !early {
            world.speak(2000, &mut [&mut a, &mut b]);
        }
        let mut attacker = Peer::new(1, 1500);
        attacker.address = stranger();
        if early {
            world.speak(300, &mut [&mut attacker]);
        }
        world.sent.clear();
        world.speak(2000, &mut [&mut attacker, &mut a, &mut b]);
        assert!(world.sent.iter().all(|s| s.to.ip() != stranger().ip()), "nothing goes to the stranger");
        let heard = world.heard(b.address);
        assert_eq!(heard.len(), 16_000, "no more and no less than was said");
        assert!(ulaw_share(&heard, 500.0) > 0.98 && ulaw_share(&heard, 1500.0) < 0.001);
        assert_eq!(world.heard(a.address).len(), 16_000);
        assert!(world.core.counters().foreign >= 100);
    }
}

#[test]
fn a_stranger_that_copies_ssrc_and_numbers_is_still_a_stranger() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.speak(200, &mut [&mut a, &mut b]);
    world.sent.clear();
    let mut fake = Peer::new(1, 1500);
    fake.address = stranger();
    fake.sequence = a.sequence;
    fake.timestamp = a.timestamp;
    world.speak(1000, &mut [&mut fake, &mut a]);
    assert_eq!(world.heard(b.address).len(), 8000);
}

#[test]
fn a_digit_or_report_of_a_stranger_is_not_taken() {
    let mut world = World::new();
    let (mut a, _) = joined(&mut world);
    world.speak(40, &mut [&mut a]);
    let mut fake = Peer::new(1, 0);
    for bytes in fake.press(1) {
        world.packet(a.port, stranger(), &bytes);
    }
    assert_eq!(world.digits(), "");
    let mut report = Vec::new();
    crate::rtcp::write(world.now, 1, None, None, "x", &mut report);
    world.core.rtcp(world.now, a.port, stranger(), &report, &mut world.out);
    world.speak(6000, &mut [&mut a]);
    assert!(world.sent.iter().all(|s| s.to.ip() != stranger().ip()));
}

#[test]
fn behind_nat_the_peer_is_found_where_its_sip_comes_from() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.ask(MediaCommand::Open { session: SessionId(1), port: a.port });
    let public = SocketAddr::from(([198, 51, 100, 7], 61_000));
    let private = Remote { signalled_from: public.ip(), ..a.remote() };
    world.remote(1, private.clone());
    world.open(2, &b);
    world.join(1, 2);
    world.speak(100, &mut [&mut b]);
    assert_eq!(world.heard(a.address).len(), 800, "the signalled address is sent to at once");
    a.address = public;
    world.speak(400, &mut [&mut a, &mut b]);
    assert!(world.events.contains(&MediaEvent::Latched { session: SessionId(1), source: public }));
    assert_eq!(world.heard(public).len(), 3200);
    assert_eq!(world.heard(b.address).len(), 3200);
    // A refresh of the same SDP (session timer) changes nothing; a new address starts over.
    world.remote(1, private.clone());
    world.speak(100, &mut [&mut b]);
    assert_eq!(world.heard(public).len(), 800);
    let moved = SocketAddr::from(([10, 1, 1, 1], 5000));
    world.remote(1, Remote { address: moved, ..private });
    world.speak(100, &mut [&mut b]);
    assert_eq!(world.heard(moved).len(), 800);
}

#[test]
fn media_is_never_sent_where_no_single_host_is() {
    for address in ["0.0.0.0:4000", "192.0.2.1:0", "224.0.0.5:4000", "255.255.255.255:4000"] {
        let mut world = World::new();
        let a = Peer::new(1, 500);
        world.ask(MediaCommand::Open { session: SessionId(1), port: a.port });
        world.remote(1, Remote { address: address.parse().unwrap(), ..a.remote() });
        world.play(1, 1, vec![prompt("hello")], false, false);
        world.pass(6000);
        assert!(world.sent.is_empty(), "{address}");
    }
}

#[test]
fn mutated_packets_never_harm_the_call() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.speak(100, &mut [&mut a, &mut b]);
    world.record(1, 1, Some(2));
    let mut seed = 3u64;
    let mut dice = move |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for n in 0..100_000u32 {
        let mut bytes = if n % 3 == 0 { a.press(3).swap_remove(0) } else { a.frame() };
        for _ in 0..=dice(6) {
            let at = usize::try_from(dice(u64::try_from(bytes.len()).unwrap())).unwrap();
            bytes[at] = u8::try_from(dice(256)).unwrap();
        }
        bytes.truncate(usize::try_from(dice(200)).unwrap());
        if n % 5 == 0 {
            world.core.rtcp(world.now, a.port, a.address, &bytes, &mut world.out);
        } else {
            world.packet(a.port, a.address, &bytes);
        }
        if n % 100 == 0 {
            world.pass(20);
            world.sent.clear();
        }
    }
    world.pass(2000);
    world.sent.clear();
    let mut fresh = Peer::new(1, 500);
    fresh.ssrc = 4_242;
    world.speak(1000, &mut [&mut fresh, &mut b]);
    let heard = world.heard(b.address);
    assert_eq!(heard, tone(500, 0, 8000), "the call is as good as before");
}

#[test]
fn a_payload_longer_than_any_phone_sends_is_dropped() {
    let mut world = World::new();
    let (mut a, b) = joined(&mut world);
    let bytes = a.bytes(0, 0, false, &[1; 1300]);
    world.packet(a.port, a.address, &bytes);
    assert!(world.packets(b.address).is_empty());
    assert_eq!(world.core.counters().malformed, 1);
}
