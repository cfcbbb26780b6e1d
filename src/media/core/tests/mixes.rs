//! Several peers heard at once: conference, listening, whispering, mute.
use super::*;
use crate::codec::{SILENCE, ulaw_to_linear};
use crate::limits::MAX_MIXED;
use crate::tone::ulaw_share;

/// Caller, agent, supervisor; caller and agent are joined.
fn three(world: &mut World) -> [Peer; 3] {
    let peers = [Peer::new(1, 500), Peer::new(2, 900), Peer::new(3, 1300)];
    for (n, peer) in (1..).zip(&peers) {
        world.open(n, peer);
    }
    world.join(1, 2);
    peers
}

fn mix(world: &mut World, n: u64, from: &[u64]) {
    let from = from.iter().map(|n| SessionId(*n)).collect();
    world.ask(MediaCommand::Mix { session: SessionId(n), from });
}

/// Level of a sound against full scale, dB.
fn level(sound: &[u8]) -> f64 {
    let square = |c: &u8| f64::from(ulaw_to_linear(*c)).powi(2);
    let mean = sound.iter().map(square).sum::<f64>() / sound.len().max(1) as f64;
    20.0 * (mean.sqrt().max(1e-9) / 32_768.0).log10()
}

#[test]
fn a_whisper_is_heard_by_the_agent_and_not_by_the_caller() {
    let mut world = World::new();
    let [mut caller, mut agent, mut supervisor] = three(&mut world);
    mix(&mut world, 3, &[1, 2]);
    mix(&mut world, 2, &[1, 3]);
    world.speak(400, &mut [&mut caller, &mut agent, &mut supervisor]);
    world.sent.clear();
    world.speak(1000, &mut [&mut supervisor]);
    let (to_agent, to_caller) = (world.heard(agent.address), world.heard(caller.address));
    assert!(ulaw_share(&to_agent[2000..], 1300.0) > 0.95, "the agent hears the supervisor");
    assert!(to_caller.is_empty() || level(&to_caller) < -60.0, "the caller hears {} dB", level(&to_caller));
    world.speak(1000, &mut [&mut caller, &mut agent, &mut supervisor]);
    let agent_alone = &tone(900, 0, 70 * 160)[20 * 160..];
    assert_eq!(world.heard(caller.address), agent_alone, "the caller hears the agent, bit for bit");
    let both = world.heard(agent.address);
    assert!(ulaw_share(&both[2000..], 500.0) > 0.4 && ulaw_share(&both[2000..], 1300.0) > 0.4);
    let listens = world.heard(supervisor.address);
    let late = &listens[listens.len() - 4000..];
    assert!(ulaw_share(late, 500.0) > 0.4 && ulaw_share(late, 900.0) > 0.4);
}

#[test]
fn in_a_conference_everybody_hears_the_others_and_not_themselves() {
    let mut world = World::new();
    let [mut a, mut b, mut c] = three(&mut world);
    mix(&mut world, 1, &[1, 2, 3]);
    mix(&mut world, 2, &[1, 3]);
    mix(&mut world, 3, &[1, 2]);
    world.speak(1000, &mut [&mut a, &mut b, &mut c]);
    for (to, own, others) in [
        (a.address, 500.0, [900.0, 1300.0]),
        (b.address, 900.0, [500.0, 1300.0]),
        (c.address, 1300.0, [500.0, 900.0]),
    ] {
        let packets = world.packets(to);
        assert!(packets.len() >= 48, "one stream of 50 packets a second: {}", packets.len());
        assert!(packets.windows(2).all(|w| w[1].sequence == w[0].sequence.wrapping_add(1)));
        let sound: Vec<u8> = packets.iter().skip(12).flat_map(|p| p.payload.clone()).collect();
        assert!(ulaw_share(&sound, own) < 1e-3, "{own} hears itself");
        assert!(others.iter().all(|hz| ulaw_share(&sound, *hz) > 0.4), "{own} hears the others");
    }
}

#[test]
fn who_is_muted_is_heard_by_nobody_and_the_line_stays_alive() {
    let mut world = World::new();
    let [mut a, mut b, mut c] = three(&mut world);
    mix(&mut world, 3, &[1, 2]);
    world.record(7, 1, Some(2));
    world.ask(MediaCommand::Mute { session: SessionId(2), on: true });
    world.speak(1000, &mut [&mut a, &mut b, &mut c]);
    let to_a = world.packets(a.address);
    assert!(to_a.len() >= 45, "silence is sent: {}", to_a.len());
    assert!(to_a.iter().all(|p| p.payload.iter().all(|s| *s == SILENCE)));
    assert!(ulaw_share(&world.heard(c.address)[2000..], 900.0) < 1e-6);
    world.ask(MediaCommand::Mute { session: SessionId(2), on: false });
    world.speak(1000, &mut [&mut a, &mut b, &mut c]);
    assert_eq!(world.heard(a.address), tone(900, 0, 16_000)[8000..], "heard again");
    world.ask(MediaCommand::StopRecord { recording: RecordingId(7) });
    let right: Vec<u8> = world.file("rec/7.wav")[58..].chunks(2).map(|s| s[1]).collect();
    assert!(right[..7500].iter().all(|s| *s == SILENCE), "nothing of it is recorded");
    assert!(ulaw_share(&right[9000..15_000], 900.0) > 0.95);
}

#[test]
fn a_mix_ends_with_the_next_join_and_its_feeds_with_it() {
    let mut world = World::new();
    let [mut a, mut b, mut c] = three(&mut world);
    mix(&mut world, 2, &[1, 3]);
    world.speak(200, &mut [&mut a, &mut b, &mut c]);
    world.join(1, 2);
    world.sent.clear();
    let before = a.timestamp;
    world.speak(1000, &mut [&mut a, &mut b, &mut c]);
    assert_eq!(before, 77 + 1600);
    assert!(ulaw_share(&world.heard(b.address), 500.0) > 0.999, "relayed again");
    assert!(world.core.sessions.iter().flatten().all(|s| s.feed.is_none() && s.mix.is_none()));
}

#[test]
fn a_stranger_on_the_slot_of_a_closed_session_is_not_heard() {
    let mut world = World::new();
    let [mut a, _b, _c] = three(&mut world);
    mix(&mut world, 1, &[2, 3]);
    world.ask(MediaCommand::Close { session: SessionId(3) });
    let mut stranger = Peer::new(4, 1700);
    world.open(4, &stranger);
    world.sent.clear();
    world.speak(500, &mut [&mut a, &mut stranger]);
    assert!(level(&world.heard(a.address)) < -60.0);
}

#[test]
fn at_most_eight_are_heard_and_wrong_names_are_counted() {
    let mut world = World::new();
    let peers: Vec<Peer> = (1..=10).map(|n| Peer::new(n, 500)).collect();
    for (n, peer) in (1..).zip(&peers) {
        world.open(n, peer);
    }
    mix(&mut world, 1, &[2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(world.core.sessions.iter().flatten().filter(|s| s.feed.is_some()).count(), MAX_MIXED);
    mix(&mut world, 2, &[99]);
    assert_eq!(world.core.counters().ignored_commands, 1);
}
