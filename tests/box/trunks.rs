//! Calls to outside: rights, emergency, failover, registration at the carrier.
use model::record::Outcome;
use serde_json::json;
use sim::{Habit, World, each_seed, site};
use std::net::IpAddr;
use std::time::Duration;

const BACKUP: [u8; 4] = [10, 9, 0, 2];

#[test]
fn an_outside_call_goes_over_the_trunk_with_the_number_the_carrier_wants() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101"]);
        let from = w.dial("101", "0030123456");
        let to = w.until_answers("carrier");
        w.until_talk(from, to);
        assert_eq!(w.call(to).dialled, "+4930123456");
        assert_eq!(w.call(to).number, "+49301000", "the trunk's number is shown");
        w.hang_up(to);
        w.until_over(from);
        w.rest();
        assert_eq!(w.record_of("101").trunk.as_deref(), Some("carrier"));
    });
}

#[test]
fn emergency_numbers_go_out_without_prefix_from_a_barred_phone() {
    each_seed(|seed| {
        let site = site::site(|s| s["extension"][0]["outside_calls"] = "internal".into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101"]);
        let barred = w.dial("101", "0030123456");
        assert_eq!(w.until_over(barred), 403);
        for number in ["112", "0112"] {
            let call = w.dial("101", number);
            let to = w.until_answers("carrier");
            assert_eq!(w.call(to).dialled, "112");
            w.until_talk(call, to);
            w.hang_up(call);
            w.until_over(to);
        }
        w.rest();
    });
}

#[test]
fn abroad_and_premium_numbers_need_the_right() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101"]);
        for number in ["000442071234567", "00900123456"] {
            let call = w.dial("101", number);
            assert_eq!(w.until_over(call), 403, "{number}");
        }
        assert_eq!(w.look(w.ua("carrier")).calls.len(), 0);
        w.rest();
    });
}

#[test]
fn a_dead_trunk_costs_four_seconds_and_a_busy_party_is_not_dialled_twice() {
    each_seed(|seed| {
        let site = site::site(|s| {
            let mut second = s["trunk"][0].clone();
            second["name"] = "backup".into();
            second["host"] = "10.9.0.2".into();
            s["trunk"].as_array_mut().expect("a list").push(second);
            s["outbound"][0]["trunks"] = json!(["carrier", "backup"]);
        });
        let mut w = World::new(seed, site);
        w.add_ua("backup", IpAddr::from(BACKUP), 2);
        w.phones_up(&["101"]);
        w.habit("carrier", Habit::Off);
        let before = w.now().mono;
        let from = w.dial("101", "0030123456");
        w.until_rings("backup");
        assert!(
            w.now().mono.since(before) <= Duration::from_millis(4_200),
            "{:?}",
            w.now().mono.since(before)
        );
        let to = w.until_answers("backup");
        w.until_talk(from, to);
        w.hang_up(from);
        w.until_over(to);
        w.habit("carrier", Habit::Busy);
        // It answers the next OPTIONS and is no longer passed over.
        w.pass(40);
        let calls = w.look(w.ua("backup")).calls.len();
        let busy = w.dial("101", "0030123456");
        w.until_over(busy);
        w.pass(2);
        assert_eq!(w.records().last().map(|r| r.outcome), Some(Outcome::Busy));
        assert_eq!(w.look(w.ua("backup")).calls.len(), calls, "the busy party is not dialled again");
        w.rest();
    });
}

#[test]
fn a_trunk_registers_and_says_so() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["trunk"][0]["kind"] = "register".into();
            s["trunk"][0]["username"] = "site".into();
            s["trunk"][0]["password"] = "carrier-secret".into();
        });
        let mut w = World::new(seed, site);
        w.until("the trunk is up", 20, |w| {
            w.pbx.watch.trunks.get("carrier").is_some_and(|t| t.state == "up")
        });
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "welcome");
        w.habit("carrier", Habit::Off);
        w.until("the trunk is down", 400, |w| w.pbx.watch.trunks["carrier"].state == "down");
        w.habit("carrier", Habit::Answer(Duration::from_secs(1)));
        w.until("the trunk is up again", 400, |w| w.pbx.watch.trunks["carrier"].state == "up");
        w.rest();
    });
}
