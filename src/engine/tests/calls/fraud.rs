//! F1: whatever way of dialling somebody finds, a number that costs a fortune does not leave the box without the right.
use crate::harness::{World, site};
use model::command::Command;
use model::number::Number;
use serde_json::json;
use std::fmt::Write as _;

/// Beginnings of numbers of satellites, small islands, premium services and revenue-share plans.
const DEAR: [&str; 25] = [
    "8821", "8816", "870", "252", "1876", "1473", "49900", "4413", "979", "53", "90900", "3890", "960",
    "675", "881", "882", "883", "675", "246", "290", "247", "1900", "39899", "4470", "371",
];

/// A thousand of them, with tails of several lengths.
fn dear() -> impl Iterator<Item = String> {
    DEAR.into_iter().enumerate().flat_map(|(i, prefix)| {
        (0..40_usize).map(move |n| {
            let mut number = prefix.to_owned();
            for digit in 0..6 + n % 4 {
                let _ = write!(number, "{}", (i * 7 + n * 3 + digit * 5) % 10);
            }
            number
        })
    })
}

/// As people write it: the country's prefix, with a plus, both, with the outside digit or without.
fn written(n: usize, number: &str) -> String {
    match n % 5 {
        0 => format!("000{number}"),
        1 => format!("+{number}"),
        2 => format!("0+{number}"),
        3 => format!("000{}-{}", &number[..2], &number[2..]),
        _ => format!("777{number}"),
    }
}

struct Office {
    world: World,
    carrier: usize,
    phone: usize,
}

/// 101 may call the country, 102 everything; a rule puts the country's prefix before what follows 777.
fn office() -> Office {
    let mut world = World::new(site(|tree| {
        tree["extension"][1]["outside_calls"] = "premium".into();
        tree["outbound"] = json!([
            { "name": "cheap", "number": "777!", "strip": 3, "prepend": "00", "trunks": ["carrier"] },
            { "name": "all", "number": "!", "trunks": ["carrier"] }
        ]);
        tree["flow"][0]["step"] = json!({
            "menu": { "kind": "collect", "say": ["welcome"], "min": 1, "max": 18, "timeout_s": 2, "retries": 0,
                "next": "ring", "otherwise": "bye" },
            "ring": { "kind": "extension", "otherwise": "bye" },
            "bye": { "kind": "hang_up", "say": ["goodbye"] },
        });
    }));
    let carrier = world.peer("carrier", "192.0.2.80");
    world.seconds(1);
    let phone = world.phone("101", "192.0.2.11");
    Office { world, carrier, phone }
}

impl Office {
    /// Nothing went to the carrier; all is over.
    fn nothing_left(&mut self, what: &str) {
        let invited = |i: &sip::Indication| matches!(i, sip::Indication::Invite { .. });
        assert!(!self.world.peers[self.carrier].told.iter().any(invited), "{what} left the box");
        for peer in 0..self.world.peers.len() {
            self.world.forget(peer);
        }
    }
}

#[test]
fn a_thousand_dear_numbers_by_phone_do_not_leave_the_box() {
    let mut office = office();
    for (n, number) in dear().enumerate() {
        let dialled = written(n, &number);
        office.world.dial(office.phone, &dialled);
        office.nothing_left(&dialled);
    }
}

#[test]
fn a_thousand_dear_numbers_in_the_name_of_another_do_not_leave_the_box() {
    let mut office = office();
    let other = crate::harness::peer::uri("sip:102@192.0.2.1");
    for (n, number) in dear().enumerate() {
        let dialled = written(n, &number);
        office.world.dial_with(office.phone, &dialled, |invite| {
            invite.from = sip::NameAddr::new(other.clone());
            invite.headers.push(("P-Asserted-Identity".into(), "<sip:102@192.0.2.1>".into()));
            invite.headers.push(("Referred-By".into(), "<sip:102@192.0.2.1>".into()));
            invite.headers.push(("Diversion".into(), "<sip:102@192.0.2.1>".into()));
        });
        office.nothing_left(&dialled);
    }
}

#[test]
fn a_thousand_dear_numbers_by_click_do_not_leave_the_box() {
    let mut office = office();
    for (n, number) in dear().enumerate() {
        let dialled = written(n, &number);
        let (from, to) = (Number::read("101").expect("a number"), Number::read(&dialled));
        let Some(to) = to else { continue };
        if office.world.order(Command::Dial { from, to }).is_ok() {
            office.world.moment();
            if let Some((leg, _)) = office.world.rung(office.phone) {
                office.world.answer(office.phone, leg);
            }
            office.world.moment();
        }
        office.nothing_left(&dialled);
    }
}

#[test]
fn a_thousand_dear_numbers_typed_into_a_menu_do_not_leave_the_box() {
    let mut office = office();
    let caller = office.world.peer("+491711234567", "192.0.2.81");
    for (n, number) in dear().enumerate() {
        let typed: String = written(n, &number).chars().filter(char::is_ascii_digit).collect();
        let call = office.world.dial(caller, "+49301234567");
        assert!(office.world.is_up(caller), "the menu answers");
        office.world.press("192.0.2.81", &typed);
        office.world.seconds(3);
        office.world.hang_up(caller, call);
        office.nothing_left(&typed);
    }
}

#[test]
fn a_thousand_dear_numbers_from_a_carrier_are_not_passed_on_to_another() {
    let mut office = office();
    let caller = office.world.peer("+491711234567", "192.0.2.81");
    for (n, number) in dear().enumerate() {
        let dialled = written(n, &number);
        let call = office.world.dial(caller, &dialled);
        office.world.hang_up(caller, call);
        office.nothing_left(&dialled);
    }
}

#[test]
fn a_thousand_transfers_to_dear_numbers_are_refused() {
    let mut office = office();
    let desk = office.world.phone("103", "192.0.2.13");
    let call = office.world.dial(office.phone, "103");
    office.world.take(desk);
    for (n, number) in dear().enumerate() {
        let to = format!("<sip:{}@192.0.2.1>", written(n, &number));
        let code = office.world.request(office.phone, |r| {
            r.method = sip::Method::Refer;
            r.headers = vec![("Refer-To".into(), to.clone())];
            r.call_id = Some(format!("refer-{n}"));
        });
        assert!(code == 405 || code == 0, "{code} to {to}");
    }
    office.world.hang_up(office.phone, call);
    office.nothing_left("a transfer");
}
