//! Listening at a dialled leg: packets, gaps between them, and its end.
use super::{Peer, World};
use model::id::SessionId;
use model::media::{Doubt, Finding, Listening, MediaCommand, MediaEvent};

impl World {
    fn listen(&mut self, n: u64, listening: Option<Listening>) {
        self.ask(MediaCommand::Listen { session: SessionId(n), listening });
    }

    fn found(&self) -> Vec<Finding> {
        let found =
            |e: &MediaEvent| if let MediaEvent::Found { finding, .. } = e { Some(*finding) } else { None };
        self.events.iter().filter_map(found).collect()
    }
}

/// Half a second of tone, half a second of nothing: packets of silence, or no packets at all.
fn busy(world: &mut World, peer: &mut Peer, packets_of_silence: bool) {
    for _ in 0..4 {
        world.speak(500, &mut [peer]);
        if packets_of_silence {
            for _ in 0..25 {
                let bytes = peer.bytes(0, peer.timestamp, false, &[0xFF; 160]);
                peer.timestamp = peer.timestamp.wrapping_add(160);
                world.packet(peer.port, peer.address, &bytes);
                world.pass(20);
            }
        } else {
            peer.timestamp = peer.timestamp.wrapping_add(4000);
            world.pass(500);
        }
    }
}

#[test]
fn a_busy_tone_before_the_answer_is_told_once() {
    for packets_of_silence in [true, false] {
        let mut world = World::new();
        let mut peer = Peer::new(1, 425);
        world.open(1, &peer);
        world.listen(1, Some(Listening::early()));
        busy(&mut world, &mut peer, packets_of_silence);
        assert_eq!(world.found(), [Finding::Busy], "packets of silence: {packets_of_silence}");
    }
}

#[test]
fn who_answers_and_sends_nothing_is_unsure_after_two_seconds_and_nothing_follows() {
    let mut world = World::new();
    let peer = Peer::new(1, 425);
    world.open(1, &peer);
    world.listen(1, Some(Listening::default()));
    world.pass(1900);
    assert_eq!(world.found(), []);
    world.pass(300);
    assert_eq!(world.found(), [Finding::Unsure(Doubt::Silence)]);
    world.pass(10_000);
    assert_eq!(world.found().len(), 1);
    assert!(world.core.sessions.iter().flatten().all(|s| s.listener.is_none()), "it is forgotten");
}

#[test]
fn who_no_longer_listens_is_told_nothing() {
    let mut world = World::new();
    let mut peer = Peer::new(1, 425);
    world.open(1, &peer);
    world.listen(1, Some(Listening::early()));
    world.speak(200, &mut [&mut peer]);
    world.listen(1, None);
    busy(&mut world, &mut peer, true);
    assert_eq!(world.found(), []);
}
