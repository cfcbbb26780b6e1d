//! Calls from carriers: who they are, the flow, the queue, the agent, voicemail by overflow, refusals.
use crate::harness::peer::uri;
use crate::harness::{World, site};
use engine::event::Event;
use model::clock::Wall;
use model::command::Command;
use model::contact::{Contact, ContactChange};
use model::id::ContactId;
use model::notice::Notice;
use model::number::Number;
use model::record::{AgentState, Direction, Outcome, Record};
use serde_json::json;
use std::collections::BTreeMap;

const CARRIER: &str = "192.0.2.80";

fn office() -> (World, usize, usize) {
    let mut world = World::new(site(|_| {}));
    let agent = world.phone("102", "192.0.2.12");
    let carrier = world.peer("+491711234567", CARRIER);
    world.order(Command::AgentLogin { agent: "1".into() }).expect("Ann goes to work");
    (world, carrier, agent)
}

fn agent_state(world: &World, id: &str) -> AgentState {
    let view = world
        .notices
        .iter()
        .rev()
        .find_map(|n| if let Notice::Agent(a) = n { Some(a) } else { None }.filter(|a| a.agent == id));
    view.expect("the agent was told").state.clone()
}

#[test]
fn a_caller_is_greeted_presses_one_waits_with_music_and_talks_to_the_agent() {
    let (mut world, carrier, agent) = office();
    let call = world.dial(carrier, "+49301234567");
    assert!(world.is_up(carrier), "the flow answers at once");
    assert_eq!(world.hears(CARRIER), ["welcome"]);
    world.press(CARRIER, "1");
    assert_eq!(world.hears(CARRIER), ["music default"]);
    let (leg, request) = world.rung(agent).expect("Ann's phone rings at once");
    assert_eq!(request.from().uri.user().as_deref(), Some("+491711234567"), "it shows who calls");
    assert_eq!(world.view().map(|v| v.stage.as_str()), Some("offering"));
    world.seconds(3);
    world.answer(agent, leg);
    assert!(world.media.joined());
    assert_eq!(agent_state(&world, "1"), AgentState::Talking);
    assert_eq!(world.media.recordings.len(), 1, "the queue records its calls");
    assert_eq!(world.view().map(|v| v.recording), Some(true));
    world.seconds(30);
    world.hang_up(carrier, call);
    world.seconds(1);
    assert_eq!(agent_state(&world, "1"), AgentState::Ready);
    let record = world.record().clone();
    assert_eq!((record.direction, record.outcome), (Direction::Inbound, Outcome::Answered));
    assert_eq!(record.trunk.as_deref(), Some("carrier"));
    assert_eq!(record.queue.as_deref(), Some("support"));
    assert_eq!((record.agent.as_deref(), record.answered_by.as_deref()), (Some("1"), Some("102")));
    assert!((3000..4000).contains(&record.wait_ms), "{}", record.wait_ms);
    let journey = world.journey(record.call);
    for kind in ["trunk_in", "menu", "digit", "queue", "offered", "answered", "recording", "ended"] {
        assert!(journey.iter().any(|k| k == kind), "{kind} in {journey:?}");
    }
    let ended = world.records.iter().any(|r| matches!(r, Record::RecordingEnded { ms, .. } if *ms > 29_000));
    assert!(ended, "the recording's length is kept");
    world.at_rest();
}

#[test]
fn a_known_caller_is_shown_by_name_and_one_that_is_forgotten_is_not() {
    let (mut world, carrier, agent) = office();
    let contact = Contact {
        contact: ContactId(1),
        numbers: vec![Number::read("+491711234567").expect("a number")],
        name: "Li Na".into(),
        company: String::new(),
        class: "vip".into(),
        language: None,
        notes: String::new(),
        fields: BTreeMap::new(),
        changed: Wall(0),
    };
    world.tell(Event::Contacts(vec![ContactChange::Put(Box::new(contact))]));
    let call = world.dial(carrier, "+49301234567");
    world.press(CARRIER, "1");
    let (_, request) = world.rung(agent).expect("Ann's phone rings");
    assert_eq!(request.from().display.as_deref(), Some("Li Na"), "the phone shows the name");
    assert_eq!(world.view().map(|v| v.caller.name.as_str()), Some("Li Na"));
    world.hang_up(carrier, call);
    world.seconds(1);
    world.tell(Event::Contacts(vec![ContactChange::Gone(ContactId(1))]));
    let call = world.dial(carrier, "+49301234567");
    assert_ne!(world.view().map(|v| v.caller.name.as_str()), Some("Li Na"));
    world.hang_up(carrier, call);
    world.at_rest();
}

#[test]
fn a_missed_offer_returns_the_caller_and_the_next_agent_gets_it() {
    let (mut world, carrier, first) = office();
    let second = world.phone("103", "192.0.2.13");
    world.order(Command::AgentLogin { agent: "2".into() }).expect("Bob goes to work");
    world.dial(carrier, "+49301234567");
    world.press(CARRIER, "1");
    let (leg, _) = world.rung(first).expect("Ann has been free longest");
    world.refuse(first, leg, 486);
    let bob = world.take(second);
    assert!(world.media.joined());
    world.hang_up(second, bob);
    assert!(world.ended(carrier));
    assert_eq!(world.record().agent.as_deref(), Some("2"));
    world.at_rest();
}

#[test]
fn a_caller_who_leaves_the_queue_frees_the_phone_that_rings() {
    let (mut world, carrier, agent) = office();
    let call = world.dial(carrier, "+49301234567");
    world.press(CARRIER, "1");
    world.rung(agent).expect("it rings");
    world.hang_up(carrier, call);
    assert!(world.ended(agent));
    world.seconds(5);
    assert_eq!(agent_state(&world, "1"), AgentState::Ready);
    assert_eq!(world.record().outcome, Outcome::Abandoned);
    world.at_rest();
}

#[test]
fn a_caller_who_waits_too_long_leaves_a_message() {
    let mut world = World::new(site(|_| {}));
    let carrier = world.peer("+491711234567", CARRIER);
    let call = world.dial(carrier, "+49301234567");
    world.press(CARRIER, "1");
    world.run(std::time::Duration::from_millis(60_200));
    assert!(world.hears(CARRIER).contains(&"vm-leave-message".to_owned()), "{:?}", world.hears(CARRIER));
    world.seconds(2);
    world.seconds(8);
    world.press(CARRIER, "#");
    world.hang_up(carrier, call);
    world.seconds(1);
    assert_eq!(world.record().outcome, Outcome::Voicemail);
    let messages =
        world.records.iter().filter(|r| matches!(r, Record::Message(m) if m.mailbox.as_str() == "101"));
    assert_eq!(messages.count(), 1);
    world.at_rest();
}

#[test]
fn the_flow_rings_a_phone_and_its_mailbox_answers_when_it_does_not() {
    let (mut world, carrier, _) = office();
    let phone = world.phone("101", "192.0.2.11");
    let call = world.dial(carrier, "+49301234567");
    world.press(CARRIER, "2");
    assert_eq!(world.hears(CARRIER), ["tone"], "ring-back for a caller who was answered before");
    let leg = world.take(phone);
    assert!(world.media.joined());
    world.hang_up(phone, leg);
    assert!(world.ended(carrier));
    world.hang_up(carrier, call);
    world.at_rest();
}

#[test]
fn a_number_with_parameters_of_the_carrier_is_the_number() {
    let mut world = World::new(site(|tree| {
        tree["inbound"] = json!([{ "number": "+49301234567", "to": "extension:101" }]);
    }));
    let phone = world.phone("101", "192.0.2.11");
    let carrier = world.peer("+491711234567;cpc=ordinary", CARRIER);
    let call = world.dial(carrier, "+49301234567;npdi;rn=+49300000");
    let (leg, request) = world.rung(phone).expect("the rule matches");
    assert!(request.from().uri.as_str().contains(":+491711234567@"), "{}", request.from().uri.as_str());
    world.answer(phone, leg);
    world.hang_up(carrier, call);
    world.at_rest();
}

#[test]
fn a_stranger_gets_a_challenge_and_no_call_whatever_number_it_dials() {
    let (mut world, _, _) = office();
    let stranger = world.peer("101", "203.0.113.9");
    let known = world.dial_with(stranger, "102", |i| i.credentials = None);
    let codes = (world.refused(stranger), known);
    world.forget(stranger);
    world.dial_with(stranger, "999999", |i| i.credentials = None);
    assert_eq!((codes.0, world.refused(stranger)), (Some(401), Some(401)));
    assert!(world.outcomes().is_empty(), "no call, no record");
    assert_eq!(world.view(), None);
}

#[test]
fn a_rule_without_match_refuses_and_transit_passes_through() {
    let mut world = World::new(site(|tree| {
        tree["inbound"] = json!([]);
        tree["outbound"] =
            json!([{ "name": "transit", "number": "2XXXXXX", "trunks": ["backup"], "transit": true }]);
    }));
    let carrier = world.peer("1000", CARRIER);
    let backup = world.peer("backup", "192.0.2.81");
    world.dial(carrier, "3000000");
    assert_eq!(world.refused(carrier), Some(404));
    world.forget(carrier);
    let call = world.dial(carrier, "2000001");
    let (leg, request) = world.rung(backup).expect("it goes out over the other trunk");
    assert_eq!(request.uri().user().as_deref(), Some("2000001"));
    world.answer(backup, leg);
    assert!(world.is_up(carrier) && world.media.joined());
    world.hang_up(carrier, call);
    assert_eq!(world.record().outcome, Outcome::Answered);
    world.at_rest();
}

#[test]
fn two_callers_one_agent_the_second_is_offered_when_the_first_ends() {
    let (mut world, carrier, agent) = office();
    let first = world.dial(carrier, "+49301234567");
    world.press(CARRIER, "1");
    world.take(agent);
    let other = world.peer("+491729999999", "192.0.2.81");
    world.dial(other, "+49301234567");
    world.press("192.0.2.81", "1");
    assert!(world.rung(agent).is_none(), "never two calls to one agent");
    world.hang_up(carrier, first);
    world.seconds(1);
    let leg = world.take(agent);
    assert!(world.media.joined());
    world.hang_up(agent, leg);
    world.at_rest();
}

#[test]
fn a_registered_trunk_dials_its_account_and_means_the_number_in_to() {
    let mut world = World::new(site(|tree| {
        tree["trunk"][1] =
            json!({ "name": "carrier", "host": "192.0.2.80", "username": "acct", "password": "pw" });
        tree["inbound"] = json!([{ "name": "did", "number": "+49301234567", "to": "echo" }]);
    }));
    let carrier = world.peer("+491711234567", CARRIER);
    world.seconds(1);
    assert_eq!(world.trunk("carrier").cause, "registered");
    world.dial_with(carrier, "acct", |i| i.to = sip::NameAddr::new(uri("sip:+49301234567@192.0.2.1")));
    assert!(world.is_up(carrier));
    assert_eq!(world.view().map(|v| v.called.number.as_str()), Some("+49301234567"));
}

#[test]
fn the_same_call_from_an_address_that_is_no_trunk_reaches_nobody_and_counts_as_an_attack() {
    let mut world = World::new(site(|_| {}));
    let carrier = world.peer("+491711234567", CARRIER);
    let stranger = world.peer("+491711234567", "198.51.100.7:5060");
    for _ in 0..80 {
        world.dial(stranger, "+49301234567");
        assert!(!world.is_up(stranger));
        assert!(matches!(world.refused(stranger), None | Some(401)), "{:?}", world.refused(stranger));
        world.forget(stranger);
    }
    assert!(world.records.iter().all(|r| !matches!(r, Record::CallStarted(_))), "no call began");
    assert!(world.notices.iter().any(|n| matches!(n, Notice::Ban(_))), "the admin sees it");
    world.dial(carrier, "+49301234567");
    assert!(world.is_up(carrier), "the trunk's own address needs no registration");
}
