//! The door: passwords, bans, same answers, limits, drain, and a configuration that changes under running calls.
use crate::harness::{World, site};
use engine::Event;
use model::command::Command;
use model::media::MediaEvent;
use model::notice::Notice;
use model::record::{Outcome, Record};
use serde_json::json;
use sip::digest::Credentials;

fn wrong(world: &mut World, peer: usize, user: &str) -> u16 {
    world.request(peer, |r| {
        r.credentials = Some(Credentials { username: user.into(), password: "guess".into() });
        r.call_id = None;
    })
}

#[test]
fn a_phone_registers_with_its_password_refreshes_and_leaves() {
    let mut world = World::new(site(|_| {}));
    let phone = world.phone("101", "192.0.2.11");
    assert_eq!(world.phone_view("101").contacts.len(), 1);
    assert_eq!(world.register(phone), 200);
    let kept = world.records.iter().filter(|r| matches!(r, Record::Binding(_))).count();
    assert_eq!(kept, 1, "a refresh that changes nothing costs no write");
    let code = world.request(phone, |r| r.headers = vec![("Expires".into(), "0".into())]);
    assert_eq!(code, 200);
    assert!(world.phone_view("101").contacts.is_empty());
}

#[test]
fn a_phone_that_does_not_refresh_is_gone_in_time() {
    let mut world = World::new(site(|_| {}));
    world.phone("101", "192.0.2.11");
    world.seconds(595);
    assert_eq!(world.phone_view("101").contacts.len(), 1);
    world.seconds(20);
    assert!(world.phone_view("101").contacts.is_empty());
}

#[test]
fn nobody_registers_for_another_and_short_lives_are_refused() {
    let mut world = World::new(site(|_| {}));
    let phone = world.peer("101", "192.0.2.11");
    let other = sip::NameAddr::new(crate::harness::peer::uri("sip:102@192.0.2.1"));
    assert_eq!(world.request(phone, |r| r.to = other), 403);
    assert_eq!(world.request(phone, |r| r.headers = vec![("Expires".into(), "5".into())]), 423);
    let more = |world: &mut World, n: u32| {
        world.request(phone, |r| {
            r.call_id = None;
            r.contact = Some(sip::NameAddr::new(crate::harness::peer::uri(&format!(
                "sip:101@192.0.2.11:{}",
                6000 + n
            ))));
        })
    };
    let codes: Vec<u16> = (0..25).map(|n| more(&mut world, n)).collect();
    assert!(codes.starts_with(&[200]) && codes.ends_with(&[403]), "{codes:?}");
}

#[test]
fn guesses_end_in_silence_and_the_admin_sees_the_ban() {
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    let codes: Vec<u16> = (0..30).map(|_| wrong(&mut world, stranger, "101")).collect();
    assert_eq!(codes[0], 401);
    assert_eq!(codes[29], 0, "silence");
    let weighed = codes.iter().filter(|c| **c == 401).count();
    assert!(weighed <= 20, "{weighed}");
    assert!(world.notices.iter().any(|n| matches!(n, Notice::Ban(_))));
    assert!(world.records.iter().any(|r| matches!(r, Record::Ban(b) if b.failures == 20)));
    let address = "203.0.113.9".parse().expect("an address");
    world.order(Command::Pardon { address }).expect("it is banned");
    assert_eq!(world.register(stranger), 200, "the right password works again");
}

#[test]
fn a_stranger_gets_only_so_many_answers_without_proof() {
    use sip::Method;
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    let mut answered = 0;
    for n in 0..200 {
        let code = world.request(stranger, |r| {
            r.method = if n % 2 == 0 { Method::Options } else { Method::Message };
            r.call_id = Some(format!("ask-{n}"));
            r.credentials = None;
        });
        answered += usize::from(code != 0);
    }
    assert!((1..=60).contains(&answered), "{answered} of 200 answered");
}

#[test]
fn a_ban_ends_by_itself_and_is_told() {
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    for _ in 0..25 {
        wrong(&mut world, stranger, "101");
    }
    world.seconds(660);
    assert!(world.notices.iter().any(|n| matches!(n, Notice::BanGone(_))));
    assert_eq!(world.register(stranger), 200);
}

#[test]
fn a_wrong_password_gets_the_same_answer_for_known_and_unknown_extensions() {
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    assert_eq!(wrong(&mut world, stranger, "101"), wrong(&mut world, stranger, "999"));
}

#[test]
fn one_bad_phone_bans_nobody_behind_its_address() {
    let mut world = World::new(site(|_| {}));
    let good = world.phone("101", "192.0.2.11");
    for _ in 0..40 {
        wrong(&mut world, good, "103");
    }
    assert!(!world.notices.iter().any(|n| matches!(n, Notice::Ban(_))));
    assert_eq!(world.register(good), 200);
}

#[test]
fn above_the_limit_503_with_retry_after_and_running_calls_stay() {
    let mut world = World::new(site(|tree| tree["system"]["call_limit"] = json!(1)));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    let c = world.phone("103", "192.0.2.13");
    let call = world.dial(a, "*43");
    assert!(world.is_up(a));
    world.dial(b, "*43");
    let later = world.peers[b].told.iter().find_map(|i| {
        if let sip::Indication::Refused { code: 503, retry_after, .. } = i { *retry_after } else { None }
    });
    assert_eq!(later, Some(5));
    let carrier = world.peer("carrier", "192.0.2.80");
    world.dial(c, "112");
    assert!(world.rung(carrier).is_some(), "an emergency call is never shed");
    world.hang_up(a, call);
    world.forget(b);
    world.seconds(3);
}

#[test]
fn drain_takes_no_new_calls_and_ends_none() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    let call = world.dial(a, "*43");
    world.order(Command::Drain).expect("accepted");
    world.dial(b, "*43");
    assert_eq!(world.refused(b), Some(503));
    assert!(!world.ended(a));
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn a_changed_site_is_in_force_at_once_and_running_calls_go_on() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    let call = world.dial(a, "102");
    world.take(b);
    world.commit(site(|tree| {
        tree["extension"].as_array_mut().expect("a list").remove(1);
        tree["agent"].as_array_mut().expect("a list").remove(0);
        tree["queue"][0]["agents"] = json!(["2"]);
        tree["trunk"].as_array_mut().expect("a list").remove(0);
        tree["outbound"][0]["trunks"] = json!(["carrier"]);
    }));
    world.seconds(5);
    assert!(!world.ended(a) && world.media.joined(), "the call goes on");
    for gone in ["PhoneGone(\"102\")", "TrunkGone(\"backup\")", "AgentGone(\"1\")"] {
        assert!(world.notices.iter().any(|n| format!("{n:?}") == gone), "{gone}");
    }
    assert_eq!(world.register(b), 401, "the phone is not known any more");
    world.hang_up(a, call);
    world.forget(a);
    world.dial(a, "102");
    assert_eq!(world.refused(a), Some(404));
    world.at_rest();
}

#[test]
fn media_that_dies_ends_its_calls_with_a_cause_and_new_ones_work_when_it_is_back() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", "192.0.2.11");
    world.dial(a, "*43");
    world.tell(Event::MediaLost);
    world.moment();
    assert!(world.ended(a));
    assert_eq!((world.record().outcome, world.record().cause.as_str()), (Outcome::Failed, "media restarted"));
    world.media.open.clear();
    world.forget(a);
    world.dial(a, "*43");
    assert_eq!(world.refused(a), Some(503));
    world.tell(Event::MediaUp);
    world.tell(Event::Media(MediaEvent::Ready { protocol: 1, ports: vec![(10000, 10019)] }));
    world.forget(a);
    let call = world.dial(a, "*43");
    assert!(world.is_up(a));
    world.hang_up(a, call);
    world.at_rest();
}

#[test]
fn bindings_survive_a_restart() {
    let mut before = World::new(site(|_| {}));
    before.phone("102", "192.0.2.12");
    let bindings: Vec<_> = before
        .records
        .iter()
        .filter_map(|r| if let Record::Binding(b) = r { Some(b.clone()) } else { None })
        .collect();
    let mut world = World::boot(site(|_| {}), |boot| boot.bindings = bindings);
    let b = world.peer("102", "192.0.2.12");
    let a = world.phone("101", "192.0.2.11");
    let call = world.dial(a, "102");
    assert!(world.rung(b).is_some(), "it rings without registering again");
    world.hang_up(a, call);
}

#[test]
fn a_hundred_phones_behind_one_address_come_back_at_once_and_none_is_taken_for_an_attack() {
    let mut world = World::new(site(|tree| {
        let phone =
            |n: u32| json!({ "number": n.to_string(), "name": "x", "password": format!("secret-{n}") });
        tree["extension"].as_array_mut().expect("a list").extend((200..300).map(phone));
    }));
    let phones: Vec<usize> =
        (200..300).map(|n| world.peer(&n.to_string(), &format!("198.51.100.1:{}", 6000 + n))).collect();
    for phone in &phones {
        world.request_later(*phone);
    }
    world.seconds(2);
    for (phone, n) in phones.into_iter().zip(200..) {
        assert_eq!(world.phone_view(&n.to_string()).contacts.len(), 1, "{n}");
        assert!(
            world.peers[phone]
                .told
                .iter()
                .any(|i| matches!(i, sip::Indication::Response { result: Ok(r), .. } if r.code() == 200))
        );
    }
    assert!(!world.notices.iter().any(|n| matches!(n, Notice::Ban(_))));
}

/// What a stranger can tell from an answer: its lines without what is fresh in each.
fn told(answer: &str, user: &str) -> (usize, Vec<String>) {
    let names = answer.lines().map(|l| l.split([':', '=']).next().unwrap_or_default().replace(user, "USER"));
    (answer.len(), names.collect())
}

#[test]
fn answers_to_strangers_are_alike_for_known_and_unknown_names() {
    use sip::Method;
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    for method in [Method::Register, Method::Subscribe, Method::Options, Method::Message] {
        let mut answers = Vec::new();
        for user in ["101", "999"] {
            let account = crate::harness::peer::uri(&format!("sip:{user}@192.0.2.1"));
            world.sent.clear();
            world.request(stranger, |r| {
                r.method = method.clone();
                (r.from, r.to, r.target) =
                    (sip::NameAddr::new(account.clone()), sip::NameAddr::new(account.clone()), account);
                r.credentials = None;
                r.call_id = Some(format!("alike-{}", user.len()));
            });
            answers.push(told(world.sent.last().expect("an answer"), user));
        }
        assert_eq!(answers[0], answers[1], "{method:?}");
    }
}

#[test]
fn no_way_of_dialling_reaches_a_high_cost_number_without_the_right() {
    use model::number::Number;
    let mut world = World::new(site(|tree| {
        tree["outbound"] = json!([
            { "name": "cheap", "number": "777.", "strip": 3, "prepend": "00252", "trunks": ["carrier"] },
            { "name": "all", "number": "!", "trunks": ["carrier"] }
        ]);
    }));
    let carrier = world.peer("carrier", "192.0.2.80");
    world.seconds(1);
    let phone = world.phone("101", "192.0.2.11");
    let dear = [
        "88213123456",
        "25261234567",
        "18765551234",
        "499001234567",
        "4413712345678",
        "979123456",
        "53712345678",
    ];
    for number in dear {
        for dialled in [format!("000{number}"), format!("+{number}"), format!("0+{number}")] {
            world.dial(phone, &dialled);
            world
                .order(Command::Dial {
                    from: Number::read("101").expect("a number"),
                    to: Number::read(&dialled).unwrap_or_default(),
                })
                .ok();
            world.moment();
            if let Some((leg, _)) = world.rung(phone) {
                world.answer(phone, leg);
            }
            world.forget(phone);
        }
    }
    for rest in ["07771234567", "009001234567", "011833"] {
        world.dial(phone, rest);
    }
    assert!(
        !world.peers[carrier].told.iter().any(|i| matches!(i, sip::Indication::Invite { .. })),
        "nothing left the box"
    );
}
