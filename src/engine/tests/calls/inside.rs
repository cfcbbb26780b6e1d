//! Calls between phones of the site: set up, answered, ended by either side, given up, busy, not answered, held.
use crate::harness::peer::uri;
use crate::harness::{World, site};
use model::record::{Direction, Outcome};
use std::time::Duration;

fn two_phones() -> (World, usize, usize) {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    (world, a, b)
}

#[test]
fn a_call_is_rung_answered_heard_and_ended_by_the_caller() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    let (leg, request) = world.rung(b).expect("102 rings");
    assert_eq!(request.from().uri.user().as_deref(), Some("101"));
    assert_eq!(world.progress(a), [180]);
    assert!(!world.is_up(a), "nobody has answered");
    world.answer(b, leg);
    assert!(world.is_up(a));
    assert!(world.media.joined(), "both hear each other");
    assert_eq!(world.media.remotes.len(), 2);
    world.seconds(10);
    world.hang_up(a, call);
    assert!(world.ended(b));
    let record = world.record().clone();
    assert_eq!((record.direction, record.outcome), (Direction::Internal, Outcome::Answered));
    assert_eq!((record.caller.number.as_str(), record.called.number.as_str()), ("101", "102"));
    assert_eq!(record.answered_by.as_deref(), Some("102"));
    assert_eq!(record.cause, "caller hung up");
    assert!((10_000..11_000).contains(&record.talk_ms), "{}", record.talk_ms);
    world.at_rest();
}

#[test]
fn a_phone_calls_under_its_own_number_whatever_it_says() {
    let (mut world, a, b) = two_phones();
    let call = world.dial_with(a, "102", |invite| {
        invite.from = sip::NameAddr::new(uri("sip:105@192.0.2.1"));
        for (name, value) in
            [("P-Asserted-Identity", "<sip:105@192.0.2.1>"), ("Remote-Party-ID", "<sip:105@192.0.2.1>")]
        {
            invite.headers.push((name.into(), value.into()));
        }
    });
    let (_, request) = world.rung(b).expect("102 rings");
    assert_eq!(request.from().uri.user().as_deref(), Some("101"));
    for name in ["P-Asserted-Identity", "Remote-Party-ID"] {
        assert!(request.header(name).all(|value| !value.contains("105")), "{name}");
    }
    world.hang_up(a, call);
    assert_eq!(world.record().caller.number, "101");
    world.at_rest();
}

#[test]
fn the_called_party_may_hang_up_too() {
    let (mut world, a, b) = two_phones();
    world.dial(a, "102");
    let leg = world.take(b);
    world.hang_up(b, leg);
    assert!(world.ended(a));
    assert_eq!(world.record().cause, "called party hung up");
    world.at_rest();
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    world.rung(b).expect("102 rings");
    world.hang_up(a, call);
    assert!(world.ended(b));
    assert_eq!(world.record().outcome, Outcome::Abandoned);
    world.at_rest();
}

#[test]
fn all_phones_of_an_extension_ring_and_one_wins() {
    let (mut world, a, b) = two_phones();
    let other = world.peer("102", "192.0.2.22");
    world.register(other);
    world.dial(a, "102");
    let (leg, _) = world.rung(b).expect("the first rings");
    world.rung(other).expect("the second rings");
    world.answer(b, leg);
    assert!(world.is_up(a));
    assert!(world.ended(other), "the other stops");
    assert!(
        world.peers[other]
            .told
            .iter()
            .any(|i| matches!(i, sip::Indication::Cancelled { elsewhere: true, .. })),
        "and knows that the call was taken elsewhere"
    );
    world.hang_up(b, leg);
    world.at_rest();
}

#[test]
fn busy_goes_to_voicemail_and_without_mailbox_back_to_the_caller() {
    let mut world = World::new(site(|tree| {
        tree["extension"][1].as_object_mut().unwrap().remove("voicemail");
    }));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    world.dial(a, "102");
    let (leg, _) = world.rung(b).expect("102 rings");
    world.refuse(b, leg, 486);
    assert_eq!(world.refused(a), Some(486));
    assert_eq!(world.record().outcome, Outcome::Busy);
    world.at_rest();
}

#[test]
fn nobody_answers_the_caller_leaves_a_message_and_the_lamp_lights() {
    let (mut world, a, b) = two_phones();
    let code = world.request(b, |r| {
        r.method = sip::Method::Subscribe;
        r.target = uri("sip:102@192.0.2.1");
        r.call_id = None;
        r.headers.push(("Event".into(), "message-summary".into()));
    });
    assert_eq!(code, 200);
    let call = world.dial(a, "102");
    world.rung(b).expect("102 rings");
    world.seconds(21);
    assert!(world.ended(b), "it stops ringing");
    assert!(world.is_up(a), "the mailbox answers");
    world.seconds(3);
    assert_eq!(world.media.recordings.len(), 1, "the message is recorded");
    world.seconds(7);
    world.hang_up(a, call);
    world.seconds(2);
    let record = world.record().clone();
    assert_eq!(record.outcome, Outcome::Voicemail);
    let lamps: Vec<String> =
        world.peers[b].requests.iter().map(|r| String::from_utf8_lossy(r.body()).into_owned()).collect();
    assert!(lamps.last().is_some_and(|l| l.contains("Voice-Message: 1/0")), "{lamps:?}");
    world.at_rest();
}

#[test]
fn either_party_may_hold_the_other_who_hears_music() {
    let (mut world, a, b) = two_phones();
    let call = world.dial(a, "102");
    let leg = world.take(b);
    for (peer, its, other) in [(a, call, "192.0.2.12"), (b, leg, "192.0.2.11")] {
        world.reoffer(peer, its, "a=sendonly\r\n");
        assert!(!world.media.joined());
        assert_eq!(world.hears(other), ["music default"]);
        assert_eq!(world.view().map(|v| v.stage.as_str()), Some("held"));
        world.reoffer(peer, its, "a=sendrecv\r\n");
        assert!(world.media.joined());
        assert_eq!(world.view().map(|v| v.stage.as_str()), Some("bridged"));
    }
    world.hang_up(a, call);
    let journey = world.journey(world.record().call);
    assert_eq!(journey.iter().filter(|k| *k == "held").count(), 2);
    world.at_rest();
}

#[test]
fn an_unknown_number_and_a_phone_that_is_not_there() {
    let mut world = World::new(site(|tree| {
        tree["extension"][2].as_object_mut().unwrap().remove("voicemail");
    }));
    let a = world.phone("101", "192.0.2.11");
    world.dial(a, "555");
    assert_eq!(world.refused(a), Some(404));
    world.forget(a);
    world.dial(a, "103");
    assert_eq!(world.refused(a), Some(480));
    assert_eq!(world.outcomes(), [Outcome::Refused, Outcome::Failed]);
    world.at_rest();
}

#[test]
fn echo_and_announcement_answer_at_once() {
    let (mut world, a, _) = two_phones();
    for (number, with) in [("*43", "echo"), ("*44", "announcement")] {
        let call = world.dial(a, number);
        assert!(world.is_up(a), "{number}");
        assert_eq!(world.view().map(|v| v.with.as_str()), Some(with));
        world.run(Duration::from_secs(5));
        world.hang_up(a, call);
        assert_eq!(world.record().outcome, Outcome::Answered);
        world.forget(a);
    }
    world.at_rest();
}

#[test]
fn a_call_rings_no_more_phones_than_its_breadth_allows_and_shares_it_among_them() {
    let mut world = World::new(site(|_| {}));
    let caller = world.phone("101", "192.0.2.11");
    let phones: Vec<usize> = (0..4).map(|n| world.phone("102", &format!("192.0.2.{}", 40 + n))).collect();
    for (asked, rung, share) in
        [(None, 4, "15"), (Some("8"), 4, "2"), (Some("2"), 2, "1"), (Some("0"), 0, "")]
    {
        let call = world.dial_with(caller, "102", |i| {
            i.headers.extend(asked.map(|n| ("Max-Breadth".to_owned(), n.to_owned())));
        });
        let invites: Vec<_> = phones.iter().filter_map(|p| world.rung(*p)).collect();
        assert_eq!(invites.len(), rung, "{asked:?}");
        for (_, request) in &invites {
            assert_eq!(request.header("Max-Breadth").next(), Some(share), "{asked:?}");
        }
        if rung == 0 {
            assert_eq!(world.refused(caller), Some(440));
        }
        world.hang_up(caller, call);
        world.moment();
        for peer in phones.iter().chain([&caller]) {
            world.forget(*peer);
        }
    }
}
