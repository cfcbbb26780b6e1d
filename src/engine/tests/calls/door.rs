//! The door: passwords, bans, same answers, limits, drain, and a configuration that changes under running calls.
use crate::harness::{World, site};
use engine::Event;
use model::command::Command;
use model::media::MediaEvent;
use model::notice::Notice;
use model::record::{Outcome, Record};
use serde_json::json;
use sip::digest::Credentials;
use std::time::Duration;

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
fn a_carrier_that_knocked_before_its_trunk_was_set_up_is_heard_when_it_is() {
    let mut world = World::new(site(|tree| tree["trunk"][1]["host"] = json!("192.0.2.82")));
    let carrier = world.peer("1000", "192.0.2.80");
    for n in 0..70 {
        world.request(carrier, |r| {
            r.method = sip::Method::Options;
            r.call_id = Some(format!("ping-{n}"));
            r.credentials = None;
        });
        world.seconds(5);
    }
    assert!(world.notices.iter().any(|n| matches!(n, Notice::Ban(_))), "its questions banned it");
    world.commit(site(|_| {}));
    world.dial(carrier, "+49301234567");
    assert!(world.is_up(carrier), "its calls come in");
    assert!(world.notices.iter().any(|n| matches!(n, Notice::BanGone(_))), "and nobody sees a ban");
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

/// How many of `count` requests without credentials are answered, one of each method in turn, ten a second.
fn answered(world: &mut World, peer: usize, count: usize) -> usize {
    use sip::Method;
    let methods =
        [Method::Register, Method::Invite, Method::Options, Method::Subscribe, Method::Other("FOO".into())];
    let before = world.sent.len();
    for n in 0..count {
        let method = methods[n % methods.len()].as_str().to_owned();
        let host = world.peers[peer].address;
        let text = format!(
            "{method} sip:101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bKf{n};rport\r\nFrom: <sip:101@x>;tag=f{n}\r\n\
             To: <sip:101@x>\r\nCall-ID: flood-{n}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:101@{host}>\r\n\r\n"
        );
        let flow = world.peers[peer].flow();
        let flow = sip::Flow::udp(flow.remote, flow.local);
        world.tell(Event::Packet { flow, bytes: text.into_bytes() });
    }
    world.sent[before..].iter().filter(|text| text.starts_with("SIP/2.0")).count()
}

#[test]
fn a_flood_from_one_address_is_answered_at_most_sixty_times_whatever_it_asks() {
    let mut world = World::new(site(|_| {}));
    let stranger = world.peer("101", "203.0.113.9");
    let count = answered(&mut world, stranger, 10_000);
    assert!((20..=60).contains(&count), "{count}");
    assert!(world.notices.iter().any(|n| matches!(n, Notice::Ban(_))), "the admin sees it");
    let phone = world.phone("102", "192.0.2.12");
    assert_eq!(world.register(phone), 200, "others are served");
}

#[test]
fn a_flood_beside_a_phone_is_soon_not_answered_and_the_phone_goes_on() {
    let mut world = World::new(site(|_| {}));
    let phone = world.phone("101", "192.0.2.11:5060");
    let flooder = world.peer("101", "192.0.2.11:7777");
    let count = answered(&mut world, flooder, 10_000);
    assert!(count <= 200, "{count} of 10,000 answered");
    assert!(!world.notices.iter().any(|n| matches!(n, Notice::Ban(_))), "a phone lives there");
    world.seconds(1);
    assert_eq!(
        world.register(phone),
        200,
        "with credentials it is always heard, and one challenge comes each second"
    );
    let call = world.dial(phone, "*43");
    assert!(world.is_up(phone));
    world.hang_up(phone, call);
}

#[test]
fn an_address_that_registered_in_the_last_thirty_days_is_not_banned_for_a_wrong_password() {
    let mut before = World::new(site(|_| {}));
    let phone = before.phone("101", "203.0.113.9");
    before.request(phone, |r| r.headers = vec![("Expires".into(), "0".into())]);
    let mut bindings: Vec<_> = before
        .records
        .iter()
        .filter_map(|r| if let Record::Binding(b) = r { Some(b.clone()) } else { None })
        .collect();
    for (days, banned) in [(29, false), (31, true)] {
        let ago = days * 86_400_000;
        bindings.iter_mut().for_each(|b| b.expires = model::clock::Wall(before.now.wall.0 - ago));
        let mut world = World::boot(site(|_| {}), |boot| boot.bindings = bindings.clone());
        let phone = world.peer("101", "203.0.113.9");
        for _ in 0..40 {
            wrong(&mut world, phone, "101");
        }
        assert_eq!(world.notices.iter().any(|n| matches!(n, Notice::Ban(_))), banned, "{days} days");
        if !banned {
            world.seconds(601);
            assert_eq!(world.register(phone), 200, "it is heard again when its tries are forgotten");
        }
    }
}

#[test]
fn guesses_from_everywhere_do_not_lock_out_an_address_of_the_last_thirty_days() {
    let mut world = World::new(site(|_| {}));
    let phone = world.phone("101", "192.0.2.11");
    world.request(phone, |r| r.headers = vec![("Expires".into(), "0".into())]);
    for n in 0..120 {
        let stranger = world.peer("101", &format!("203.0.113.{n}"));
        wrong(&mut world, stranger, "101");
    }
    let new = world.peer("101", "198.51.100.9");
    assert_ne!(world.register(new), 200, "a new address waits");
    assert_eq!(world.register(phone), 200, "the old one does not");
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
fn a_box_that_is_behind_takes_no_new_calls_until_it_has_caught_up() {
    let mut world = World::new(site(|_| {}));
    let a = world.phone("101", "192.0.2.11");
    let b = world.phone("102", "192.0.2.12");
    let call = world.dial(a, "*43");
    world.engine.waited(world.now, Duration::from_millis(60));
    let during = world.dial(b, "*43");
    assert!(world.is_up(b), "a hiccup refuses nobody");
    world.hang_up(b, during);
    world.forget(b);
    world.seconds(1);
    world.engine.waited(world.now, Duration::from_millis(60));
    world.dial(b, "*43");
    assert_eq!(world.refused(b), Some(503));
    assert!(!world.ended(a), "the calls it has go on");
    world.engine.waited(world.now, Duration::from_millis(5));
    world.forget(b);
    let second = world.dial(b, "*43");
    assert!(world.is_up(b));
    world.hang_up(a, call);
    world.hang_up(b, second);
    world.at_rest();
}

#[test]
fn a_phone_is_told_that_it_is_registered_when_that_is_on_the_disk_and_a_hung_disk_holds_it_up_for_a_second() {
    let mut world = World::new(site(|_| {}));
    world.disk_hangs = true;
    let a = world.peer("101", "192.0.2.11");
    assert_eq!(world.register(a), 0, "not on the disk yet");
    world.seconds(1);
    let told = world.peers[a].told.iter();
    let codes: Vec<u16> = told
        .filter_map(|i| {
            if let sip::Indication::Response { result: Ok(answer), .. } = i {
                Some(answer.code())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(codes, [200], "a disk that hangs keeps nobody from calling");
    world.disk_hangs = false;
    world.phone("102", "192.0.2.12");
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

#[test]
fn strangers_outside_that_ask_for_other_names_get_no_answer_and_the_lan_does() {
    use sip::Method;
    let mut world = World::new(site(|tree| tree["system"]["sip_names"] = json!(["phones.example.com"])));
    let ask = |world: &mut World, from: &str, host: &str| {
        let peer = world.peer("101", from);
        let target = crate::harness::peer::uri(&format!("sip:{host}"));
        [Method::Register, Method::Options, Method::Subscribe].map(|method| {
            let code = world.request(peer, |r| {
                (r.method, r.target, r.credentials, r.call_id) = (method, target.clone(), None, None);
            });
            code != 0
        })
    };
    assert_eq!(ask(&mut world, "203.0.113.9", "192.0.2.1"), [true; 3], "the own address");
    assert_eq!(ask(&mut world, "203.0.113.10", "Phones.example.com"), [true; 3], "a configured name");
    assert_eq!(ask(&mut world, "203.0.113.11", "belfry"), [true; 3], "the realm");
    assert_eq!(ask(&mut world, "203.0.113.12", "sip.other.example"), [false; 3]);
    assert_eq!(ask(&mut world, "203.0.113.13", "198.51.100.1"), [false; 3]);
    assert_eq!(ask(&mut world, "10.0.0.7", "sip.other.example"), [true; 3], "a phone in the LAN");
    let told = |n: &Notice| matches!(n, Notice::Note(n) if n.kind == "other_name");
    assert_eq!(world.notices.iter().filter(|n| told(n)).count(), 1, "the installer is told once");
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
