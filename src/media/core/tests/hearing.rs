//! Speech input: what of a peer's sound leaves for the recogniser, and what control is told.
use super::{Peer, World};
use crate::out::{EarId, EarOp, EarSaid};
use model::id::SessionId;
use model::media::{Language, MediaCommand, MediaEvent};
use model::speech::{Hearing, Said, Speech};

fn hearing(number: u32) -> Hearing {
    let service = "ws://10.0.0.5:2700".to_owned();
    Hearing { number, service, language: Language::En, phrases: vec!["sales".into()], answer_ms: 1000 }
}

impl World {
    fn hear(&mut self, n: u64, hearing: Option<Hearing>) {
        self.ask(MediaCommand::Hear { session: SessionId(n), hearing });
    }

    fn ear_says(&mut self, ear: u64, said: EarSaid) {
        self.core.ear_said(self.now, EarId(ear), said, &mut self.out);
        self.settle();
    }

    fn speech(&mut self) -> Vec<(u32, Speech)> {
        let speech = |e: &MediaEvent| {
            if let MediaEvent::Speech { number, speech, .. } = e {
                Some((*number, speech.clone()))
            } else {
                None
            }
        };
        let found = self.events.iter().filter_map(speech).collect();
        self.events.clear();
        found
    }
}

fn sound(ops: &[EarOp]) -> usize {
    ops.iter().map(|o| if let EarOp::Sound { sound, .. } = o { sound.len() } else { 0 }).sum()
}

#[test]
fn an_utterance_leaves_as_it_is_spoken_and_its_answer_is_told_once() {
    let mut world = World::new();
    let mut peer = Peer::new(1, 425);
    world.open(1, &peer);
    world.hear(1, Some(hearing(7)));
    assert_eq!(world.ears, [EarOp::Open { ear: EarId(1), hearing: hearing(7) }]);
    world.ear_says(1, EarSaid::Ready);
    world.ears.clear();
    world.speak(600, &mut [&mut peer]);
    assert_eq!(world.speech(), [(7, Speech::Began)]);
    assert!(sound(&world.ears) > 4_000, "{} samples while it is spoken", sound(&world.ears));
    // No more packets: the caller is quiet.
    world.pass(900);
    assert_eq!(world.speech(), [(7, Speech::Ended)]);
    assert_eq!(world.ears.last(), Some(&EarOp::End { ear: EarId(1) }));
    world.ear_says(1, EarSaid::Words);
    let said = Said { text: "sales".into(), intent: String::new(), certainty_permille: Some(900) };
    world.ear_says(1, EarSaid::Said(said.clone()));
    world.ear_says(1, EarSaid::Said(said.clone()));
    assert_eq!(world.speech(), [(7, Speech::Words), (7, Speech::Said(said))]);
}

#[test]
fn nothing_leaves_before_the_recogniser_listens_nor_of_a_muted_peer_nor_after_the_end() {
    let mut world = World::new();
    let mut peer = Peer::new(1, 425);
    world.open(1, &peer);
    world.hear(1, Some(hearing(1)));
    world.speak(600, &mut [&mut peer]);
    assert_eq!(sound(&world.ears), 0, "it does not listen yet");
    world.ear_says(1, EarSaid::Ready);
    world.ask(MediaCommand::Mute { session: SessionId(1), on: true });
    world.pass(1000);
    world.speak(600, &mut [&mut peer]);
    assert_eq!((sound(&world.ears), world.speech()), (0, vec![]), "muted");
    world.ask(MediaCommand::Mute { session: SessionId(1), on: false });
    world.hear(1, None);
    assert_eq!(world.ears.last(), Some(&EarOp::Close { ear: EarId(1) }));
    world.speak(600, &mut [&mut peer]);
    world.ear_says(1, EarSaid::Failed("late".into()));
    assert_eq!((sound(&world.ears), world.speech()), (0, vec![]));
}

#[test]
fn a_recogniser_that_fails_is_told_to_control_and_once_to_a_person() {
    let mut world = World::new();
    world.open(1, &Peer::new(1, 425));
    for number in 1..=3 {
        world.hear(1, Some(hearing(number)));
        world.ear_says(u64::from(number), EarSaid::Failed("no answer".into()));
    }
    let troubles = world.events.iter().filter(|e| matches!(e, MediaEvent::Trouble(_))).count();
    assert_eq!(troubles, 1);
    assert_eq!(world.speech().len(), 3);
}

#[test]
fn who_hangs_up_and_a_new_control_close_what_was_open() {
    let mut world = World::new();
    for n in [1_u8, 2] {
        world.open(n.into(), &Peer::new(n, 425));
        world.hear(n.into(), Some(hearing(1)));
    }
    world.ask(MediaCommand::Close { session: SessionId(1) });
    assert_eq!(world.ears.last(), Some(&EarOp::Close { ear: EarId(1) }));
    world.ask(MediaCommand::Hello { protocol: model::media::PROTOCOL, epoch: 2, orphan_s: 10 });
    assert_eq!(world.ears.last(), Some(&EarOp::Close { ear: EarId(2) }));
}
