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
use model::record::{AgentState, Outcome, Party, Record};
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
        bonds: Vec::new(),
        bindings: Vec::new(),
        bans: Vec::new(),
        wrong_pins: Vec::new(),
        seats: Vec::new(),
        campaigns: BTreeMap::new(),
        past: model::past::Past::default(),
        budgets: Vec::new(),
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

/// The phone behind the last INVITE takes the call.
fn take(engine: &mut Engine, effects: &mut Vec<Effect>) {
    let invite = effects.iter().rev().find_map(|e| {
        if let Effect::Send { flow, bytes } = e
            && bytes.starts_with(b"INVITE")
        {
            Some((*flow, String::from_utf8_lossy(bytes).into_owned()))
        } else {
            None
        }
    });
    let (flow, invite) = invite.expect("it rings");
    let line =
        |name: &str| invite.lines().find(|l| l.starts_with(name)).expect("each INVITE has it").to_owned();
    let head = ["Via:", "From:", "Call-ID:", "CSeq:"].map(line).join("\r\n");
    let sdp =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let answer = format!(
        "SIP/2.0 200 OK\r\n{head}\r\n{};tag=phone\r\nContact: <sip:101@192.0.2.9>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        line("To:"),
        sdp.len()
    );
    engine.handle(NOW, Event::Packet { flow, bytes: answer.into_bytes() }, effects);
}

#[test]
fn a_bug_in_the_queues_keeps_the_callers_the_agents_and_the_box() {
    let (mut engine, mut effects) = engine();
    let party = Party { number: "101".into(), name: String::new() };
    engine.summon(NOW, party.clone(), &number("101"), party, Target::Queue("support".into()));
    engine.handle(NOW, Event::Tick, &mut effects);
    take(&mut engine, &mut effects);
    engine.handle(NOW, Event::Tick, &mut effects);
    assert_eq!(engine.acd.queue_of(CallId(1)), Some("support"));
    let at_work = engine.with_acd(NOW, None, |acd, said| {
        let done = acd.ask(NOW, "2", &crate::agents::Ask::Login, "test", said);
        done.and(acd.ask(NOW, "2", &crate::agents::Ask::Pause("lunch".into()), "test", said))
    });
    assert_eq!(at_work, Some(Ok(())));
    for n in 0..3 {
        engine.effects.clear();
        let broke = engine.with_acd(NOW, None, |acd, said| -> u8 {
            acd.abandon(NOW, CallId(1), said);
            panic!("a bug in the table")
        });
        assert_eq!(broke, None);
        engine.handle(NOW, Event::Tick, &mut effects);
        let told = |e: &Effect| matches!(e, Effect::Keep { record: Record::Note(n), .. } if n.kind == "fault" && n.subject == "queues");
        assert!(engine.effects.iter().any(told), "fault {n} is told");
        assert_eq!(engine.acd.queue_of(CallId(1)), Some("support"), "the caller still waits");
        let agent = engine.acd.agents().get("2").expect("an agent");
        assert_eq!(
            agent.state,
            AgentState::NotReady { reason: "lunch".into() },
            "the agent is where they were"
        );
        assert_eq!(engine.check(), Vec::<String>::new());
    }
    let fourth = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        engine.with_acd(NOW, None, |_, _| -> u8 { panic!("again") })
    }));
    assert!(fourth.is_err(), "one that comes again and again is no longer hidden");
}

#[test]
fn a_call_that_breaks_the_queue_ends_and_the_others_go_on_waiting() {
    let (mut engine, mut effects) = engine();
    ring(&mut engine, "101", &mut effects);
    ring(&mut engine, "102", &mut effects);
    effects.clear();
    engine.with_acd(NOW, Some(CallId(1)), |_, _| -> u8 { panic!("a bug") });
    engine.handle(NOW, Event::Tick, &mut effects);
    assert!(!engine.calls.contains_key(&CallId(1)) && engine.calls.contains_key(&CallId(2)));
    assert_eq!(engine.check(), Vec::<String>::new());
}
