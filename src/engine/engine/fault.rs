//! What a bug costs: the one call that ran into it, with its media, agent and record taken back; never the box.
use super::Engine;
use crate::call::Input;
use crate::effect::Effect;
use crate::event::{Boot, Event};
use crate::fixture::{number, site};
use crate::route::Target;
use model::clock::{Mono, Now, Wall};
use model::id::{CallId, Generation, MessageId, RecordingId};
use model::media::{MediaCommand, MediaEvent};
use model::record::{Outcome, Party, Record};
use std::collections::BTreeMap;
use std::sync::Arc;

const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_795_392_000_000) };

fn engine() -> (Engine, Vec<Effect>) {
    let mut config = site();
    for n in ["101", "102"] {
        let extension = config.extension.get_mut(&number(n)).expect("a phone");
        extension.contact = Some(format!("sip:{n}@192.0.2.9:5060"));
    }
    let boot = Boot {
        config: Arc::new(config),
        generation: Generation(1),
        seed: 1,
        epoch: 1,
        sip: "192.0.2.1:5060".parse().expect("an address"),
        media: "192.0.2.1".parse().expect("an address"),
        next_call: CallId(1),
        next_recording: RecordingId(1),
        next_message: MessageId(1),
        messages: Vec::new(),
        greetings: BTreeMap::new(),
        agents: Vec::new(),
        bindings: Vec::new(),
        bans: Vec::new(),
        started: NOW.wall,
    };
    let mut effects = Vec::new();
    let mut engine = Engine::new(NOW, boot, &mut effects);
    let ready = MediaEvent::Ready { protocol: 1, ports: vec![(10000, 10019)] };
    engine.handle(NOW, Event::Media(ready), &mut effects);
    (engine, Vec::new())
}

fn ring(engine: &mut Engine, at: &str, effects: &mut Vec<Effect>) {
    let party = Party { number: at.into(), name: String::new() };
    engine.summon(NOW, party.clone(), &number(at), party, Target::Echo);
    engine.handle(NOW, Event::Tick, effects);
}

#[test]
fn a_bug_costs_one_call_and_nothing_else() {
    let (mut engine, mut effects) = engine();
    ring(&mut engine, "101", &mut effects);
    ring(&mut engine, "102", &mut effects);
    effects.clear();
    engine.pending.push_back((CallId(1), Input::Fault));
    engine.handle(NOW, Event::Tick, &mut effects);
    let closed = effects.iter().filter(|e| matches!(e, Effect::Media(MediaCommand::Close { .. }))).count();
    assert_eq!(closed, 1, "its session is closed");
    let records: Vec<&Record> = effects
        .iter()
        .filter_map(|e| if let Effect::Keep { record, .. } = e { Some(record) } else { None })
        .collect();
    let ended = |r: &&&Record| matches!(r, Record::CallEnded(r) if r.call == CallId(1) && r.outcome == Outcome::Failed);
    assert_eq!(records.iter().filter(ended).count(), 1, "it has its one record");
    assert!(
        !records.iter().any(|r| matches!(r, Record::CallStep(s) if s.kind == "fault")),
        "a broken step has no effects"
    );
    assert!(
        records
            .iter()
            .any(|r| matches!(r, Record::Note(n) if n.kind == "fault" && n.text.contains("a bug in call 1")))
    );
    assert!(engine.calls.contains_key(&CallId(2)), "the other call goes on");
    assert_eq!(engine.check(), Vec::<String>::new());
}
