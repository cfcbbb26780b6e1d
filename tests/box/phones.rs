//! B1: several phones an extension, registered again and again; the first to answer has the call.
use serde_json::json;
use sim::ua::Account;
use sim::{Habit, State, World, each_seed, site};
use std::net::IpAddr;
use std::time::Duration;

/// Phones of each extension.
const PHONES: u8 = 3;

fn name(number: u32, n: u8) -> String {
    if n == 0 { number.to_string() } else { format!("{number}-{n}") }
}

/// A world whose extensions have three phones each, registered for a minute at a time.
fn world(seed: u64, count: u32) -> (World, Vec<u32>) {
    let numbers: Vec<u32> = (1000..1000 + count).collect();
    let site = site::site(|s| {
        let phone = |n: &u32| json!({ "number": n.to_string(), "password": format!("secret-{n}-long") });
        s["extension"] = numbers.iter().map(phone).collect::<Vec<_>>().into();
        (s["agent"], s["queue"], s["flow"]) = (json!([]), json!([]), json!([]));
        s["inbound"][0]["to"] = "extension:1000".into();
    });
    let mut w = World::new(seed, site);
    for (i, number) in (0_u16..).zip(&numbers) {
        for n in 0..PHONES {
            let [high, low] = i.to_be_bytes();
            let ua = match n {
                0 => w.ua(&name(*number, 0)),
                _ => w.add_ua(&name(*number, n), IpAddr::from([10, 1 + n, high, low]), 2000 + i),
            };
            let (now, user) = (w.now(), number.to_string());
            let account = Account { user, password: format!("secret-{number}-long"), expires_s: 60 };
            w.change(ua).register(now, account);
        }
    }
    (w, numbers)
}

#[test]
fn two_hundred_extensions_with_three_phones_each_stay_registered_minute_after_minute() {
    for seed in 0..sim::seeds().div_ceil(200) {
        let (mut w, numbers) = world(seed, 200);
        let names: Vec<String> =
            numbers.iter().flat_map(|number| (0..PHONES).map(|n| name(*number, n))).collect();
        let phones: Vec<_> = names.iter().map(|n| w.ua(n)).collect();
        w.pass(5);
        for moment in 0..60 {
            let lost = phones.iter().position(|p| !w.look(*p).registered);
            assert_eq!(lost.map(|at| &names[at]), None, "after {moment} times ten seconds");
            w.pass(10);
        }
        // Each of the three still rings.
        for number in [1000, 1100, 1199] {
            for n in 0..PHONES {
                w.habit(&name(number, n), Habit::Ignore);
            }
            let call = w.dial("1001", &number.to_string());
            for n in 0..PHONES {
                w.until_rings(&name(number, n));
            }
            w.hang_up(call);
            w.until_over(call);
        }
        w.rest();
    }
}

#[test]
fn one_phone_answers_and_the_others_are_told_that_the_call_was_completed_elsewhere() {
    each_seed(|seed| {
        let (mut w, _) = world(seed, 2);
        w.pass(3);
        for n in 0..PHONES {
            w.habit(&name(1000, n), Habit::Ignore);
        }
        let call = w.dial("1001", "1000");
        let ringing: Vec<_> = (0..PHONES).map(|n| w.until_rings(&name(1000, n))).collect();
        let chosen = usize::try_from(w.dice.below(PHONES.into())).expect("small");
        w.answer(ringing[chosen]);
        w.until_talk(call, ringing[chosen]);
        w.run_for(Duration::from_secs(1));
        for (n, other) in ringing.iter().enumerate().filter(|(n, _)| *n != chosen) {
            assert!(matches!(w.call(*other).state, State::Over(_)), "phone {n} rings no more");
            assert!(w.call(*other).words.contains("elsewhere"), "{:?}", w.call(*other).words);
        }
        w.rest();
    });
}
