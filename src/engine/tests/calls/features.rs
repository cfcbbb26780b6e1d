//! Star codes, recording on demand and its announcement, listening to messages, paging, fixed contacts, odd signalling.
use crate::harness::peer::sdp;
use crate::harness::{World, site};
use engine::Event;
use model::command::Command;
use model::media::MediaCommand;
use model::notice::Notice;
use model::record::{AgentState, Outcome, Record};
use serde_json::json;
use sip::{Flow, Transport};

const A: &str = "192.0.2.11";
const B: &str = "192.0.2.12";

fn two_phones() -> (World, usize, usize) {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    (world, a, b)
}

fn state_of(world: &World, id: &str) -> AgentState {
    let views = world.notices.iter().filter_map(|n| if let Notice::Agent(a) = n { Some(a) } else { None });
    views.rev().find(|a| a.agent == id).expect("the agent was told").state.clone()
}

#[test]
fn an_agent_works_by_desk_phone_only() {
    let (mut world, _, b) = two_phones();
    let codes = [
        ("*50", "agent-logged-in", AgentState::Ready),
        ("*522", "agent-paused", AgentState::NotReady { reason: "lunch".into() }),
        ("*51", "agent-ready", AgentState::Ready),
        ("*50", "agent-logged-out", AgentState::LoggedOut),
    ];
    for (code, prompt, state) in codes {
        world.dial(b, code);
        assert_eq!(world.hears(B), [prompt], "{code}");
        world.seconds(2);
        assert!(world.ended(b), "the box hangs up after the prompt");
        assert_eq!(state_of(&world, "1"), state, "{code}");
        world.forget(b);
    }
    world.at_rest();
}

#[test]
fn a_phone_records_on_demand_pauses_and_stops_by_star_codes() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    world.take(b);
    assert!(world.media.recordings.is_empty());
    world.press(B, "*1");
    assert_eq!(world.media.recordings.len(), 1);
    assert_eq!(world.view().map(|v| v.recording), Some(true));
    world.press(B, "*2");
    let paused =
        |world: &World| {
            world.media.commands.iter().rev().find_map(|c| {
                if let MediaCommand::PauseRecord { paused, .. } = c { Some(*paused) } else { None }
            })
        };
    let shown = |world: &World| world.view().map(|v| (v.recording, v.recording_paused));
    assert_eq!((paused(&world), shown(&world)), (Some(true), Some((true, true))));
    world.press(A, "*2");
    assert_eq!((paused(&world), shown(&world)), (Some(false), Some((true, false))));
    world.press(A, "*1");
    assert!(world.media.recordings.is_empty());
    world.seconds(1);
    assert_eq!(world.view().map(|v| v.recording), Some(false));
    world.hang_up(a, call);
    let ended = world.records.iter().filter(|r| matches!(r, Record::RecordingEnded { .. })).count();
    assert_eq!(ended, 1);
    let mut journey = world.journey(world.record().call);
    journey.retain(|kind| kind.starts_with("recording"));
    assert_eq!(
        journey,
        ["recording", "recording_paused", "recording_resumed", "recording_stopped"],
        "whoever listens later sees where something is missing"
    );
    world.at_rest();
}

#[test]
fn a_party_that_must_not_be_recorded_is_not_even_on_demand() {
    let mut world = World::new(site(|tree| tree["extension"][0]["record"] = json!("never")));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    let call = world.dial(a, "102");
    world.take(b);
    world.press(B, "*1");
    assert!(world.media.recordings.is_empty());
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn both_are_told_before_a_recorded_conversation() {
    let mut world = World::new(site(|tree| {
        tree["extension"][0]["record"] = json!("always");
        tree["system"]["announce_recording"] = json!(true);
    }));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    let call = world.dial(a, "102");
    world.take(b);
    assert_eq!(
        (world.hears(A), world.hears(B)),
        (vec!["recording-notice".into()], vec!["recording-notice".into()])
    );
    assert!(!world.media.joined() && world.media.recordings.is_empty());
    world.seconds(2);
    assert!(world.media.joined());
    assert_eq!(world.media.recordings.len(), 1);
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn a_message_is_heard_by_phone_and_the_lamp_goes_out() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    world.seconds(30);
    world.hang_up(a, call);
    world.seconds(1);
    world.dial(b, "*97");
    assert!(world.is_up(b));
    world.press(B, "274913#");
    world.seconds(1);
    world.press(B, "1");
    world.seconds(5);
    let heard = world.records.iter().any(|r| matches!(r, Record::MessageHeard { heard: true, .. }));
    assert!(heard, "playing marks it heard");
    let boxes =
        world.notices.iter().rev().find_map(|n| if let Notice::Mailbox(m) = n { Some(m) } else { None });
    assert_eq!(boxes.map(|m| (m.new, m.old)), Some((0, 1)));
}

#[test]
fn a_lamp_shows_the_own_mailbox_whoever_is_named_in_the_subscription() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    world.seconds(30);
    world.hang_up(a, call);
    world.seconds(1);
    for (phone, own, waiting) in [(a, "101", "no"), (b, "102", "yes")] {
        let code = world.request(phone, |r| {
            let other = crate::harness::peer::uri("sip:102@192.0.2.1");
            (r.method, r.target, r.to) = (sip::Method::Subscribe, other.clone(), sip::NameAddr::new(other));
            r.headers = vec![("Event".into(), "message-summary".into()), ("Expires".into(), "600".into())];
            r.call_id = Some(format!("lamp-{own}"));
        });
        assert_eq!(code, 200);
        let notify =
            world.sent.iter().rev().find(|t| t.starts_with("NOTIFY")).expect("the lamp is told").clone();
        assert!(notify.contains(&format!("Message-Account: sip:{own}@")), "{notify}");
        assert!(notify.contains(&format!("Messages-Waiting: {waiting}")), "{notify}");
    }
}

#[test]
fn paging_speaks_over_the_loudspeaker() {
    let mut world = World::new(site(|tree| tree["audio"] = json!({ "paging": "hw:0" })));
    let a = world.phone("101", A);
    let call = world.dial(a, "*80");
    assert!(world.is_up(a));
    let paged = world
        .media
        .commands
        .iter()
        .any(|c| matches!(c, MediaCommand::Page { output: Some(o), .. } if o == "paging"));
    assert!(paged);
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn a_phone_with_a_fixed_contact_rings_without_registering() {
    let mut world =
        World::new(site(|tree| tree["extension"][1]["contact"] = json!("sip:desk@192.0.2.12:5060")));
    let a = world.phone("101", A);
    let b = world.peer("desk", B);
    let call = world.dial(a, "102");
    let leg = world.take(b);
    assert!(world.media.joined());
    world.hang_up(b, leg);
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn a_call_that_went_round_too_often_is_not_taken_further() {
    let (mut world, a, b) = two_phones();
    world.dial_with(a, "102", |i| i.max_forwards = 1);
    assert!(world.refused(a).is_some());
    assert!(world.rung(b).is_none());
    world.at_rest();
}

#[test]
fn a_caller_without_common_codec_is_refused_and_the_phone_stops() {
    let (mut world, a, b) = two_phones();
    let body = String::from_utf8(sdp("192.0.2.11:5060".parse().expect("an address"), "")).expect("text");
    world.dial_with(a, "102", |i| i.sdp = body.replace("RTP/AVP 0 8 101", "RTP/AVP 9").into_bytes());
    let (leg, _) = world.rung(b).expect("it rings");
    world.answer(b, leg);
    assert_eq!(world.refused(a), Some(488));
    assert!(world.ended(b));
    world.at_rest();
}

#[test]
fn a_phone_on_tcp_is_gone_with_its_connection() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", A);
    let flow = Flow {
        transport: Transport::Tcp,
        remote: "192.0.2.12:40000".parse().expect("an address"),
        local: crate::harness::BOX.parse().expect("an address"),
        connection: 7,
    };
    let b = world.peer("102", B);
    world.peers[b].over = Some(Flow { remote: flow.local, local: flow.remote, ..flow });
    assert_eq!(world.register(b), 200);
    assert_eq!(world.phone_view("102").contacts[0].transport, "tcp");
    let call = world.dial(a, "102");
    let (_, request) = world.rung(b).expect("it rings over the connection it registered on");
    let contact = request.contacts().next().expect("a Contact").uri;
    assert_eq!(contact.param("transport"), Some(Some("tcp")), "and later requests come the same way");
    world.hang_up(a, call);
    world.tell(Event::FlowClosed(flow));
    assert!(world.phone_view("102").contacts.is_empty());
}

#[test]
fn the_desk_is_rung_when_somebody_dials_an_emergency_number() {
    let mut world = World::new(site(|tree| tree["system"]["emergency_notify"] = json!(["102"])));
    let carrier = world.peer("carrier", "192.0.2.80");
    let backup = world.peer("backup", "192.0.2.81");
    world.seconds(1);
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    world.dial(a, "112");
    let taker = if world.peers[carrier].told.is_empty() { backup } else { carrier };
    let out = world.take(taker);
    let (desk, request) = world.rung(b).expect("the desk rings within seconds");
    assert_eq!(request.from().uri.user().as_deref(), Some("101"));
    world.answer(b, desk);
    assert!(world.hears(B).contains(&"emergency-notice".to_owned()));
    world.seconds(3);
    assert!(world.ended(b));
    world.hang_up(taker, out);
    world.at_rest();
}

#[test]
fn a_call_is_ended_and_recorded_by_hand_from_the_admin() {
    let (mut world, a, b) = two_phones();
    world.dial(a, "102");
    world.take(b);
    let call = world.view().expect("a call").call;
    world.order(Command::RecordSwitch { call, on: true }).expect("known");
    assert_eq!(world.media.recordings.len(), 1);
    world.order(Command::HangUp { call }).expect("known");
    world.moment();
    assert!(world.ended(a) && world.ended(b));
    assert_eq!((world.record().outcome, world.record().cause.as_str()), (Outcome::Answered, "ended by hand"));
    assert!(world.order(Command::HangUp { call }).is_err());
    world.at_rest();
}

#[test]
fn keys_by_info_work_as_keys_by_sound() {
    let mut world = World::new(site(|_| {}));
    let carrier = world.peer("+491711234567", "192.0.2.80");
    let phone = world.phone("101", A);
    world.dial(carrier, "+49301234567");
    key_by_info(&mut world, carrier, '2');
    assert!(world.rung(phone).is_some(), "2 rings the phone");
}

/// A key in an INFO of the call that this peer made.
fn key_by_info(world: &mut World, peer: usize, key: char) {
    inside(world, peer, "INFO", "Content-Type: application/dtmf-relay", &format!("Signal={key}\r\n"));
}

/// A request of this phone in its answered call.
pub fn inside(world: &mut World, peer: usize, method: &str, header: &str, body: &str) {
    let dialog = world.peers[peer].told.iter().find_map(|i| {
        if let sip::Indication::Answered { response, .. } = i { Some(response.clone()) } else { None }
    });
    let (answer, from) = (dialog.expect("it is answered"), world.peers[peer].address);
    let text = format!(
        "{method} sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKinside1\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: 99 {method}\r\nMax-Forwards: 70\r\nContact: <sip:{from}>\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}",
        answer.header("From").next().expect("it has one"),
        answer.header("To").next().expect("it has one"),
        answer.call_id(),
        body.len()
    );
    let flow = Flow::udp(crate::harness::BOX.parse().expect("an address"), from);
    world.tell(Event::Packet { flow, bytes: text.into_bytes() });
    world.moment();
}

#[test]
fn a_call_is_handed_over_to_a_phone_that_still_rings() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    let c = world.phone("103", "192.0.2.13");
    world.dial(a, "102");
    world.take(b);
    world.dial(a, "103");
    world.rung(c).expect("it rings");
    let ringing = world.sent.iter().rev().find(|text| text.starts_with("SIP/2.0 180")).expect("101 was told");
    let Ok(sip::Message::Response(ringing)) = sip::Message::read(ringing.as_bytes()) else {
        panic!("{ringing}")
    };
    let name = format!(
        "Refer-To: <sip:103@192.0.2.1?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>",
        ringing.call_id().replace('@', "%40"),
        ringing.to().tag().expect("a dialog begins with 180"),
        ringing.from().tag().expect("ours")
    );
    inside(&mut world, a, "REFER", &name, "");
    assert!(world.sent.iter().any(|text| text.starts_with("SIP/2.0 202")), "taken");
    let leg = world.take(c);
    assert!(world.media.joined(), "102 and 103 talk");
    assert!(world.ended(a), "101 is out of it");
    world.hang_up(c, leg);
    world.at_rest();
}

#[test]
fn a_key_by_info_is_heard_by_the_other_party_too() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    world.dial(a, "102");
    let leg = world.take(b);
    key_by_info(&mut world, a, '5');
    let other = world.session(B);
    let sent = world.media.commands.iter().filter_map(|command| {
        let model::media::MediaCommand::SendDigit { session, digit, .. } = command else { return None };
        Some((*session, digit.as_char()))
    });
    assert_eq!(sent.collect::<Vec<_>>(), [(other, '5')]);
    world.hang_up(b, leg);
    world.at_rest();
}

#[test]
fn a_hold_during_the_announcement_lasts_until_it_is_taken_back() {
    let mut world = World::new(site(|tree| {
        tree["extension"][0]["record"] = json!("always");
        tree["system"]["announce_recording"] = json!(true);
    }));
    let a = world.phone("101", A);
    let b = world.phone("102", B);
    let call = world.dial(a, "102");
    let leg = world.take(b);
    world.reoffer(b, leg, "a=sendonly\r\n");
    world.seconds(3);
    assert!(!world.media.joined());
    assert_eq!(world.hears(A), ["music default"]);
    world.reoffer(b, leg, "a=sendrecv\r\n");
    assert!(world.media.joined());
    world.hang_up(a, call);
    world.at_rest();
}
