//! What it costs to give a waiting caller to an agent, by the number of agents and of waiting callers: the shipped queues
//! alone, without SIP, sound or disk, on virtual time. Prints `metric,value,unit` lines for `tools/bench acd`. One offer is a
//! whole round: an agent becomes free, the first caller is found and offered, answered, ended, and a new caller comes.
use engine::acd::bonds::Bonds;
use engine::acd::ticket::Caller;
use engine::acd::{Acd, OfferResult, Out};
use engine::agents::Ask;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::id::CallId;
use model::number::Number;
use model::past::Past;
use serde_json::{Value, json};
use sim::site;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Queues; an agent serves two of them.
const QUEUES: u32 = 10;

/// Waiting callers of the long line.
const LONG: u32 = 10_000;

/// Rounds of one measurement.
const ROUNDS: u32 = 5_000;

fn main() -> std::io::Result<()> {
    for agents in [10, 100, 1_000] {
        for waiting in [0, LONG] {
            let offer_us = Floor::new(agents, waiting).rounds();
            let mut out = std::io::stdout().lock();
            let kind = format!("{agents} agents, {waiting} waiting");
            writeln!(out, "acd.offer_cpu[{kind}],{offer_us:.1},us")?;
            writeln!(out, "acd.offers[{kind}],{:.0},1/s", 1e6 / offer_us)?;
        }
    }
    Ok(())
}

/// Agents at work and callers in lines.
struct Floor {
    acd: Acd,
    now: Now,
    next: u64,
    waiting: u32,
    out: Vec<Out>,
}

impl Floor {
    fn new(agents: u32, waiting: u32) -> Floor {
        let config = config(agents);
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_795_392_000_000) };
        let mut out = Vec::new();
        let acd = Acd::new(now, &config, &[], Bonds::default(), &Past::default(), &mut out);
        let mut floor = Floor { acd, now, next: 1, waiting, out };
        for n in 0..waiting {
            floor.comes(n);
        }
        for n in 0..agents {
            let phone = Number::read(&phone(n)).expect("digits");
            floor.acd.phone(floor.now, &phone, true, false, &mut floor.out);
            let done = floor.acd.ask(floor.now, &n.to_string(), &Ask::Login, "bench", &mut floor.out);
            done.expect("an agent of the site");
        }
        floor
    }

    /// A caller for one of the queues.
    fn comes(&mut self, n: u32) {
        let call = CallId(self.next);
        self.next += 1;
        let caller = Caller { outside: Number::read(&format!("+4930{n:06}")), ..Caller::default() };
        let queue = format!("q{}", n % QUEUES);
        self.acd.enqueue(self.now, call, &queue, caller, &mut self.out).expect("there is room");
    }

    /// Time on the processor for a round, µs.
    fn rounds(mut self) -> f64 {
        for n in 0..200 {
            self.round(n);
        }
        let began = on_cpu();
        for n in 0..ROUNDS {
            self.round(n);
        }
        (on_cpu() - began).as_secs_f64() * 1e6 / f64::from(ROUNDS)
    }

    /// Somebody is offered a call: answers, and it ends.
    fn round(&mut self, n: u32) {
        self.now.mono = self.now.mono + Duration::from_millis(20);
        self.now.wall.0 += 20;
        if self.waiting == 0 {
            self.comes(n);
        }
        let offers: Vec<(CallId, String)> = std::mem::take(&mut self.out)
            .into_iter()
            .filter_map(|o| if let Out::Offer { call, agent, .. } = o { Some((call, agent)) } else { None })
            .collect();
        for (call, agent) in offers.iter().take(1) {
            let stands = self.acd.offer_result(self.now, *call, agent, OfferResult::Answered, &mut self.out);
            assert!(stands, "an open offer stands");
            if self.waiting > 0 {
                self.comes(n);
            }
            self.acd.call_ended(self.now, *call, &mut self.out);
        }
        // Who is offered more at the start than one round serves goes on ringing.
        self.out.extend(offers.into_iter().skip(1).map(|(call, agent)| again(call, agent)));
        self.acd.timeout(self.now, &mut self.out);
    }
}

/// An offer that is answered in a later round.
fn again(call: CallId, agent: String) -> Out {
    Out::Offer { call, agent, extension: Number::default(), ring_timeout: Duration::ZERO }
}

fn phone(agent: u32) -> String {
    (10_000 + agent).to_string()
}

/// Agent `n` serves two neighbouring queues.
fn config(agents: u32) -> Arc<Config> {
    let serves = |queue: u32| -> Vec<String> {
        let mine = |n: &u32| n % QUEUES == queue || (n + 1) % QUEUES == queue;
        (0..agents).filter(mine).map(|n| n.to_string()).collect()
    };
    site::site(|s| {
        let extension = |n| json!({ "number": phone(n), "password": format!("secret-{n}-long") });
        let agent = |n: u32| json!({ "id": n.to_string(), "extension": phone(n) });
        let queue = |n: u32| {
            json!({ "name": format!("q{n}"), "agents": serves(n), "max_waiting": 1000, "max_wait_s": 0, "overflow_when_empty": false,
                "ring_timeout_s": 120, "wrap_up_s": 0, "announce_position_s": 0, "overflow": "hang_up" })
        };
        s["extension"] = (0..agents).map(extension).collect();
        s["agent"] = (0..agents).map(agent).collect();
        s["queue"] = (0..QUEUES).map(queue).collect();
        s["flow"] = json!([]);
        s["inbound"] = Value::Array(Vec::new());
    })
}

/// Time this thread was on a processor.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let ns = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(ns.expect("nanoseconds"))
}
