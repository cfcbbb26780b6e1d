//! Calls to outside: rights, number formats, failover, early sound, emergency, full trunks, trunks that die and come back.
use crate::harness::{BOX, World, site};
use engine::Event;
use model::command::Command;
use model::notice::Notice;
use model::number::Number;
use model::record::{Direction, Outcome, Record};
use serde_json::json;
use sip::Flow;

fn office() -> (World, usize, usize, usize) {
    let mut world = World::new(site(|_| {}));
    let carrier = world.peer("carrier", "192.0.2.80");
    let backup = world.peer("backup", "192.0.2.81");
    world.seconds(1);
    let phone = world.phone("101", "192.0.2.11");
    (world, phone, carrier, backup)
}

#[test]
fn a_national_call_goes_out_in_international_form_and_the_box_is_not_heard() {
    let (mut world, phone, carrier, _) = office();
    let call = world.dial(phone, "00301234567");
    let (leg, request) = world.rung(carrier).expect("the carrier is asked");
    assert_eq!(request.uri().user().as_deref(), Some("+49301234567"), "without the outside prefix");
    assert_eq!(world.progress(phone), [180]);
    world.answer(carrier, leg);
    assert!(world.is_up(phone) && world.media.joined());
    assert_eq!(world.trunk("carrier").calls, 1);
    world.seconds(5);
    world.hang_up(phone, call);
    assert!(world.ended(carrier));
    let record = world.record().clone();
    assert_eq!((record.direction, record.outcome), (Direction::Outbound, Outcome::Answered));
    assert_eq!(record.trunk.as_deref(), Some("carrier"));
    assert_eq!(world.trunk("carrier").calls, 0);
    world.at_rest();
}

/// The carrier answers the INVITE it was sent, by hand.
fn says(world: &mut World, first: &str, lines: &str, sdp: &str) {
    let invite =
        world.sent.iter().find(|text| text.starts_with("INVITE sip:+49")).expect("it was asked").clone();
    let echoed = |l: &&str| ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| l.starts_with(name));
    let echoed: String = invite.lines().filter(echoed).map(|l| format!("{l}\r\n")).collect();
    let to = invite.lines().find(|l| l.starts_with("To:")).expect("it has one");
    by_hand(world, &format!("{first}\r\n{echoed}{to};tag=there\r\n{lines}"), sdp);
}

fn by_hand(world: &mut World, head: &str, sdp: &str) {
    let text = format!(
        "{head}Contact: <sip:192.0.2.80>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    let flow = Flow::udp(BOX.parse().expect("an address"), "192.0.2.80:5060".parse().expect("an address"));
    world.tell(Event::Packet { flow, bytes: text.into_bytes() });
    world.moment();
}

#[test]
fn a_carrier_sends_its_early_sound_from_elsewhere_before_the_call_is_taken() {
    let (mut world, phone, carrier, _) = office();
    world.peers[carrier].deaf = true;
    world.dial(phone, "00301234567");
    let from = |ip: &str| {
        format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")
    };
    let remotes = |world: &World| -> Vec<String> {
        world.media.remotes.values().map(|r| r.address.ip().to_string()).collect()
    };
    says(&mut world, "SIP/2.0 183 Session Progress", "Require: 100rel\r\nRSeq: 9\r\n", &from("192.0.2.82"));
    assert!(
        world.media.joined() && remotes(&world).contains(&"192.0.2.82".to_owned()),
        "the caller hears it"
    );
    let invite = world.sent.iter().find(|text| text.starts_with("INVITE sip:+49")).expect("there").clone();
    let line =
        |name: &str| invite.lines().find(|l| l.starts_with(name)).expect("there")[name.len()..].to_owned();
    let head = format!(
        "UPDATE sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.80:5060;branch=z9hG4bKmoves\r\nFrom:{};tag=there\r\n\
         To:{}\r\nCall-ID:{}\r\nCSeq: 1 UPDATE\r\nMax-Forwards: 70\r\n",
        line("To:"),
        line("From:"),
        line("Call-ID:")
    );
    by_hand(&mut world, &head, &from("192.0.2.83"));
    let answer = world.sent.iter().rfind(|text| text.contains("UPDATE")).expect("it is answered").clone();
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains("m=audio"), "{answer}");
    assert!(remotes(&world).contains(&"192.0.2.83".to_owned()), "sound goes there now");
    says(&mut world, "SIP/2.0 200 OK", "", &from("192.0.2.82"));
    assert!(world.is_up(phone) && world.media.joined());
    assert!(remotes(&world).contains(&"192.0.2.83".to_owned()), "and stays there");
}

#[test]
fn rights_end_at_the_border_and_at_the_premium_list() {
    let (mut world, phone, carrier, _) = office();
    for number in ["00033123456789", "009001234567", "0+88213123456"] {
        world.dial(phone, number);
        assert!(world.refused(phone).is_some_and(|c| c == 403 || c == 404), "{number}");
        world.forget(phone);
    }
    assert!(world.rung(carrier).is_none(), "nothing left the box");
    world.at_rest();
}

#[test]
fn a_trunk_that_says_nothing_gives_way_to_the_next_within_four_seconds() {
    let (mut world, phone, carrier, backup) = office();
    world.peers[carrier].deaf = true;
    world.dial(phone, "00301234567");
    world.seconds(4);
    let leg = world.take(backup);
    assert!(world.is_up(phone) && world.media.joined());
    world.hang_up(backup, leg);
    assert_eq!(world.record().trunk.as_deref(), Some("backup"));
    world.at_rest();
}

#[test]
fn a_trunk_that_fails_gives_way_but_a_busy_party_does_not() {
    let (mut world, phone, carrier, backup) = office();
    world.dial(phone, "00301234567");
    let (leg, _) = world.rung(carrier).expect("first trunk");
    world.refuse(carrier, leg, 503);
    let (leg, _) = world.rung(backup).expect("second trunk");
    world.refuse(backup, leg, 486);
    assert_eq!(world.refused(phone), Some(486));
    assert_eq!(world.record().outcome, Outcome::Busy);
    world.at_rest();
}

#[test]
fn early_sound_of_the_carrier_is_heard_before_the_answer() {
    let (mut world, phone, carrier, _) = office();
    world.dial(phone, "00301234567");
    let (leg, _) = world.rung(carrier).expect("the carrier is asked");
    let body = crate::harness::peer::sdp("192.0.2.80:5060".parse().expect("an address"), "");
    world.act(carrier, |e, now, _, out| e.ring(now, leg, 183, Some(body), out));
    world.moment();
    assert!(world.progress(phone).contains(&183));
    assert!(world.media.joined(), "the announcement is heard");
    assert!(!world.is_up(phone), "and costs nothing");
    world.refuse(carrier, leg, 404);
    assert_eq!(world.refused(phone), Some(404));
    world.at_rest();
}

#[test]
fn emergency_numbers_go_out_whatever_rights_and_prefix_say_and_people_know() {
    for dialled in ["112", "0112", "110"] {
        let mut world = World::new(site(|tree| {
            tree["extension"][0]["outside_calls"] = json!("internal");
            tree["extension"][0]["location"] = json!("2nd floor");
            tree["outbound"] = json!([]);
        }));
        let backup = world.peer("backup", "192.0.2.81");
        world.seconds(1);
        let phone = world.phone("101", "192.0.2.11");
        world.dial_with(phone, dialled, |i| i.credentials = None);
        let (leg, request) = world.rung(backup).expect("the first trunk takes it");
        assert_eq!(request.uri().user().as_deref(), Some(dialled.trim_start_matches('0')));
        world.answer(backup, leg);
        assert!(world.is_up(phone));
        let known = world.notices.iter().any(|n| matches!(n, Notice::Note(note) if note.kind == "emergency_call" && note.text.contains("2nd floor")));
        assert!(known, "the desk knows");
        world.hang_up(backup, leg);
        world.at_rest();
    }
}

#[test]
fn an_emergency_call_finds_room_on_full_trunks_and_passes_a_dead_one() {
    let mut world = World::new(site(|tree| {
        tree["trunk"][0]["capacity"] = json!(1);
        tree["trunk"][1]["capacity"] = json!(1);
        tree["outbound"][0]["trunks"] = json!(["carrier"]);
    }));
    let carrier = world.peer("carrier", "192.0.2.80");
    world.seconds(1);
    let ordinary = world.phone("102", "192.0.2.12");
    let urgent = world.phone("101", "192.0.2.11");
    world.dial(ordinary, "00301234567");
    world.take(carrier);
    world.dial(urgent, "112");
    world.seconds(4);
    assert!(world.ended(ordinary), "an ordinary call gives way");
    let leg = world.take(carrier);
    assert!(world.is_up(urgent));
    world.hang_up(carrier, leg);
    world.at_rest();
}

#[test]
fn a_full_trunk_is_passed_over_and_the_last_one_refuses() {
    let (mut world, phone, carrier, backup) = office();
    let other = world.phone("102", "192.0.2.12");
    for peer in [carrier, carrier, backup, backup] {
        world.dial(phone, "00301234567");
        world.take(peer);
    }
    world.dial(other, "00301234567");
    assert_eq!(world.refused(other), Some(503));
}

#[test]
fn click_to_call_rings_the_own_phone_then_dials_with_its_rights() {
    let (mut world, phone, carrier, _) = office();
    let number = |n: &str| Number::read(n).expect("a number");
    world.order(Command::Dial { from: number("101"), to: number("00301234567") }).expect("accepted");
    world.moment();
    let (leg, request) = world.rung(phone).expect("the own phone rings");
    assert_eq!(request.from().uri.user().as_deref(), Some("00301234567"), "it shows who will be called");
    world.answer(phone, leg);
    let out = world.take(carrier);
    assert!(world.media.joined());
    world.hang_up(carrier, out);
    assert!(world.ended(phone));
    let record = world.record();
    assert_eq!((record.outcome, record.direction), (Outcome::Answered, Direction::Outbound));
    world.at_rest();
}

#[test]
fn click_to_call_names_the_colleague_who_is_called() {
    let (mut world, phone, _, _) = office();
    world.phone("102", "192.0.2.12");
    let number = |n: &str| Number::read(n).expect("a number");
    world.order(Command::Dial { from: number("101"), to: number("102") }).expect("accepted");
    world.moment();
    let (leg, _) = world.rung(phone).expect("the own phone rings");
    assert_eq!(world.view().map(|v| v.called.name.clone()), Some("Phone 102".into()));
    world.answer(phone, leg);
}

#[test]
fn a_carrier_that_was_away_for_two_minutes_is_registered_again_within_thirty_seconds() {
    let mut world = World::new(site(|tree| {
        tree["trunk"][1] = json!({ "name": "carrier", "host": "sip.example.net", "username": "acct",
                                   "password": "secret-acct", "register_expiry_s": 300 });
    }));
    let carrier = world.peer("carrier", "192.0.2.80");
    world.seconds(1);
    assert_eq!(world.trunk("carrier").cause, "name_unknown");
    world.names.insert("sip.example.net".into(), vec!["192.0.2.80".parse().expect("an address")]);
    world.order(Command::TrunkRetry { trunk: "carrier".into() }).expect("known");
    world.seconds(1);
    assert_eq!(
        (world.trunk("carrier").state.as_str(), world.trunk("carrier").cause.as_str()),
        ("up", "registered")
    );
    world.peers[carrier].deaf = true;
    world.seconds(120);
    assert_eq!(world.trunk("carrier").state, "down");
    world.peers[carrier].deaf = false;
    world.peers[carrier].requests.clear();
    world.seconds(30);
    assert_eq!(world.trunk("carrier").state, "up");
    assert!(world.peers[carrier].requests.iter().any(|r| r.method() == &sip::Method::Register));
    let noted: Vec<&str> = world
        .records
        .iter()
        .filter_map(|r| if let Record::Note(note) = r { Some(note) } else { None })
        .filter(|note| note.subject == "carrier")
        .map(|note| note.kind.as_str())
        .collect();
    assert_eq!(
        noted,
        ["trunk_down", "trunk_up", "trunk_down", "trunk_up"],
        "the event log tells each turn once"
    );
}

#[test]
fn after_one_silent_call_the_next_goes_to_the_living_trunk_at_once() {
    let (mut world, phone, carrier, backup) = office();
    world.peers[carrier].deaf = true;
    world.dial(phone, "00301234567");
    world.seconds(4);
    let leg = world.take(backup);
    let shown = world.trunk("carrier");
    assert_eq!((shown.state.as_str(), shown.cause.as_str()), ("trying", "silent"), "the admin sees it");
    world.hang_up(backup, leg);
    world.forget(phone);
    world.dial(phone, "00301234567");
    assert!(world.rung(backup).is_some(), "nobody waits for the silent trunk twice");
    world.peers[carrier].deaf = false;
    world.seconds(60);
    assert_eq!(world.trunk("carrier").state, "up", "it is back with its next answer");
}

/// Dials a number that the carrier refuses with `code`, and the backup too.
fn is_refused(world: &mut World, phone: usize, carriers: [usize; 2], number: &str, code: u16) {
    world.forget(phone);
    world.dial(phone, number);
    for carrier in carriers {
        let (leg, _) = world.rung(carrier).expect("asked");
        world.refuse(carrier, leg, code);
    }
}

#[test]
fn a_trunk_that_refuses_our_password_for_calls_is_not_shown_as_up() {
    let (mut world, phone, carrier, backup) = office();
    assert_eq!(world.trunk("carrier").state, "up");
    is_refused(&mut world, phone, [carrier, backup], "00301234567", 407);
    let shown = world.trunk("carrier");
    assert_eq!((shown.state.as_str(), shown.cause.as_str()), ("refusing", "calls_password"));
    assert_eq!(shown.detail, "407 Proxy Authentication Required (1x)");
    world.seconds(60);
    assert_eq!(world.trunk("carrier").state, "refusing", "that it answers OPTIONS says nothing of calls");
    world.forget(phone);
    world.dial(phone, "00301234567");
    world.take(carrier);
    assert_eq!(world.trunk("carrier").state, "up", "it took one");
}

#[test]
fn a_forbidden_number_is_the_numbers_matter_and_the_third_forbidden_call_in_a_row_the_trunks() {
    let (mut world, phone, carrier, backup) = office();
    for (n, state) in ["up", "up", "refusing"].into_iter().enumerate() {
        is_refused(&mut world, phone, [carrier, backup], &format!("0030123456{n}"), 403);
        assert_eq!(world.trunk("carrier").state, state, "after call {n}");
    }
    assert_eq!(world.trunk("carrier").cause, "calls_forbidden");
    let noted = world.records.iter().filter(
        |r| matches!(r, Record::Note(note) if note.kind == "trunk_refuses" && note.subject == "carrier"),
    );
    assert_eq!(noted.count(), 1, "the event log tells it once");
    world.forget(phone);
    world.dial(phone, "00301234567");
    let (leg, _) = world.rung(carrier).expect("asked all the same");
    world.refuse(carrier, leg, 486);
    assert_eq!(world.trunk("carrier").state, "up", "a busy party was reached");
    is_refused(&mut world, phone, [carrier, backup], "00301234567", 403);
    assert_eq!(world.trunk("carrier").state, "up", "counted anew");
}
