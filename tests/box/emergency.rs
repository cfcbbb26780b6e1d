//! E1: an emergency call rings at the centre within two seconds whatever state the box is in, from a phone that may not
//! call outside. One try with each seed in each state: 200 in all; in floods and storms, which take long, fewer.
use model::command::Command;
use serde_json::{Value, json};
use sim::wire::Datagram;
use sim::{CallRef, Faults, Habit, World, each_seed, site};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const BOX: &str = "10.0.0.1:5060";
const SOON: Duration = Duration::from_secs(2);

/// A site whose first phone is barred, with further changes.
fn barred(change: impl FnOnce(&mut Value)) -> std::sync::Arc<model::config::Config> {
    site::site(|s| {
        s["extension"][0]["outside_calls"] = "internal".into();
        change(s);
    })
}

fn second_trunk(s: &mut Value, host: &str) {
    let mut second = s["trunk"][0].clone();
    second["name"] = "backup".into();
    second["host"] = host.into();
    s["trunk"].as_array_mut().expect("a list").push(second);
}

/// The barred phone dials one of the numbers; `limit` later at most it rings at `carrier`.
fn reaches(w: &mut World, carrier: &str, limit: Duration) {
    let number = *w.dice.pick(&["112", "110", "0112", "0110"]);
    let before = w.now().mono;
    let call = w.dial("101", number);
    let to = w.until_answers_quickly(carrier, number, limit);
    assert!(w.now().mono.since(before) <= limit, "{:?}", w.now().mono.since(before));
    assert_eq!(w.call(to).dialled, number[number.len() - 3..]);
    w.until_talk(call, to);
    w.hang_up(call);
    w.until_over(to);
}

#[test]
fn idle_draining_and_with_a_disk_that_takes_nothing() {
    each_seed(|seed| {
        let mut w = World::new(seed, barred(|_| {}));
        w.phones_up(&["101"]);
        reaches(&mut w, "carrier", SOON);
        w.pbx.disk.stuck = true;
        reaches(&mut w, "carrier", SOON);
        w.pbx.disk.stuck = false;
        assert_eq!(w.command(Command::Drain), Ok(()));
        reaches(&mut w, "carrier", SOON);
        w.rest();
    });
}

#[test]
fn at_the_call_limit_and_with_a_full_trunk_where_an_ordinary_call_gives_way() {
    each_seed(|seed| {
        let site = barred(|s| {
            s["system"]["call_limit"] = 1.into();
            s["trunk"][0]["capacity"] = 1.into();
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "102", "103"]);
        let ordinary = w.dial("102", "0030123456");
        let there = w.until_answers("carrier");
        w.until_talk(ordinary, there);
        let refused = w.dial("103", "0030999999");
        assert_eq!(w.until_over(refused), 503, "the box is full");
        reaches(&mut w, "carrier", SOON);
        w.until_over(ordinary);
        w.rest();
        assert_eq!(w.record_of("102").cause, "made room for an emergency call");
    });
}

#[test]
fn with_the_last_ports_that_ordinary_calls_must_leave() {
    // Five hundred calls a seed: a few seeds.
    for seed in 0..sim::seeds().div_ceil(100) {
        let mut w = World::new(seed, barred(|s| s["system"]["call_limit"] = 5000.into()));
        w.phones_up(&["101", "102"]);
        let phone = w.ua("102");
        w.change(phone).mute = true;
        let mut taken = 0;
        let refused = loop {
            let call = w.dial("102", "*43");
            w.until_decided(call);
            if w.call(call).state != sim::State::Up {
                break w.until_over(call);
            }
            taken += 1;
            assert!(taken < 1000, "ports have an end");
        };
        assert_eq!(refused, 503, "ordinary calls leave some");
        reaches(&mut w, "carrier", SOON);
        w.rest();
    }
}

#[test]
fn past_a_dead_trunk_in_four_seconds_and_past_one_without_a_name_at_once() {
    each_seed(|seed| {
        let dead = barred(|s| {
            second_trunk(s, "10.9.0.2");
            s["outbound"][0]["trunks"] = json!(["carrier", "backup"]);
        });
        let mut w = World::new(seed, dead);
        w.add_ua("backup", IpAddr::from([10, 9, 0, 2]), 2);
        w.phones_up(&["101"]);
        w.habit("carrier", Habit::Off);
        reaches(&mut w, "backup", Duration::from_millis(4_200));
        w.rest();

        // The name server is dead: the trunk that needs it has no address, the other is asked at once.
        let nameless = barred(|s| {
            second_trunk(s, "10.9.0.1");
            s["trunk"][0]["host"] = "sip.carrier.example".into();
            s["outbound"][0]["trunks"] = json!(["carrier", "backup"]);
        });
        let mut w = World::new(seed, nameless);
        w.phones_up(&["101"]);
        reaches(&mut w, "carrier", SOON);
        w.rest();
    });
}

/// Requests of strangers, 1,000 a second, from one address or from a hundred, until the call is up.
fn flood(w: &mut World, sources: u8) {
    let target: SocketAddr = BOX.parse().expect("an address");
    for n in 0..1200_u32 {
        let host = u8::try_from(n % u32::from(sources)).expect("few") + 1;
        let from = SocketAddr::from(([203, 0, 113, host], 5060));
        let method = ["INVITE", "REGISTER", "OPTIONS", "FOO"][usize::try_from(n % 4).expect("few")];
        let text = format!(
            "{method} sip:112@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:101@{target}>;tag=f{n}\r\nTo: <sip:112@{target}>\r\nCall-ID: f{n}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:101@{from}>\r\n\r\n"
        );
        let at = w.now().mono + Duration::from_micros(u64::from(n) * 1000);
        w.wire.send(at, Datagram { from, to: target, bytes: text.into_bytes() }, false);
    }
}

#[test]
fn in_a_flood_from_one_address_and_from_many() {
    // Each try is a thousand messages: a tenth of the seeds.
    for seed in 0..sim::seeds().div_ceil(10) {
        let mut w = World::new(seed, barred(|_| {}));
        w.phones_up(&["101"]);
        for sources in [1, 100] {
            flood(&mut w, sources);
            w.run_for(Duration::from_millis(300));
            reaches(&mut w, "carrier", SOON);
            w.pass(1);
        }
        assert!(w.pbx.watch.ended.values().all(|r| r.caller.number == "101"), "no call of a stranger");
        w.rest();
    }
}

#[test]
fn while_everybody_comes_back_at_once() {
    for seed in 0..sim::seeds().div_ceil(100) {
        let site = barred(|s| {
            let phone = |n: u32| json!({ "number": n.to_string(), "password": format!("secret-{n}-long") });
            s["extension"].as_array_mut().expect("a list").extend((1000..1500).map(phone));
        });
        let mut w = World::new(seed, site);
        w.wire.sip = Faults { loss: 10, ..Faults::LAN };
        w.phones_up(&["101"]);
        let names: Vec<String> = (1000..1500).map(|n: u32| n.to_string()).collect();
        w.register(&names.iter().map(String::as_str).collect::<Vec<_>>());
        w.run_for(Duration::from_millis(20));
        w.wire.sip = Faults::LAN;
        reaches(&mut w, "carrier", SOON);
        w.rest();
    }
}

/// Small waits of these stories.
trait Waits {
    fn until_answers_quickly(&mut self, carrier: &str, number: &str, limit: Duration) -> CallRef;
    fn until_decided(&mut self, call: CallRef);
}

impl Waits for World {
    /// Rings at the centre in time, and is answered.
    fn until_answers_quickly(&mut self, carrier: &str, number: &str, limit: Duration) -> CallRef {
        let (ua, end) = (self.ua(carrier), self.now().mono + limit);
        let wanted = &number[number.len() - 3..];
        let rings = |w: &World| {
            let found = w.look(ua).live().find(|(_, c)| c.incoming && c.dialled == wanted);
            found.map(|(leg, _)| CallRef { ua, leg })
        };
        self.until(&format!("{number} rings at {carrier}"), limit.as_secs() + 1, |w| rings(w).is_some());
        assert!(self.now().mono <= end, "too late");
        let call = rings(self).expect("it rings");
        self.answer(call);
        self.until_up(call);
        call
    }

    fn until_decided(&mut self, call: CallRef) {
        self.until("answered or refused", 10, |w| {
            matches!(w.call(call).state, sim::State::Up | sim::State::Over(_))
        });
    }
}
