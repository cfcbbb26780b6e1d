//! What the dearest legal rule expressions cost: the longest lines, on the shipped code, with the numbers of ten real queues of
//! 500 agents. Prints `metric,value,unit` lines for `tools/bench rules`: time on the processor of one evaluation (p50, p99
//! and the slowest), and of reading the line when it is saved. "No expression runs for more than a millisecond" is C4.
use engine::acd::bonds::Bonds;
use engine::acd::ticket::Caller;
use engine::acd::{Acd, Out};
use engine::agents::Ask;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::id::CallId;
use model::number::Number;
use model::past::Past;
use model::rule::{self, LINE_MAX};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use sim::site;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// As many as a queue may have; each of them serves every queue.
const AGENTS: u32 = 500;
/// Times that each line is evaluated.
const RUNS: u32 = 20_000;
/// Callers that wait in each queue.
const WAITING: u32 = 500;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, line, waiting) in lines() {
        writeln!(out, "rules.length[{name}],{},characters", line.chars().count())?;
        let read = sorted((0..RUNS).map(|_| timed(|| assert!(rule::line(&line).is_ok(), "{line}"))));
        tell(&mut out, &format!("rules.read[{name}]"), &read)?;
        let mut floor = Floor::new(&line, waiting);
        for _ in 0..RUNS / 20 {
            floor.ask();
        }
        let asked = sorted((0..RUNS).map(|_| floor.ask()));
        tell(&mut out, &format!("rules.evaluate[{name}]"), &asked)?;
    }
    Ok(())
}

/// Lines as long as a line may be, that hold only at their very end, and how many wait in each queue meanwhile. The first is
/// the shortest: what it takes is the caller's coming and going around each evaluation.
fn lines() -> Vec<(&'static str, String, u32)> {
    let fill = |piece: &dyn Fn(usize) -> String, end: &str| {
        let mut line = String::new();
        for n in 0.. {
            let next = piece(n);
            if line.len() + next.len() + end.len() > LINE_MAX {
                break;
            }
            line.push_str(&next);
        }
        line + end
    };
    let end = "true -> hang_up";
    let queue = |fact: &'static str| move |n: usize| format!("queue(\"{}\").{fact}<0||", n % 10);
    let sum = |piece: &'static str| fill(&|_| piece.into(), "1<0||true -> hang_up");
    vec![
        ("nothing", end.into(), 0),
        ("ready agents of each queue", fill(&queue("ready"), end), 0),
        ("agents at work of each queue", fill(&queue("logged_in"), end), 0),
        ("busy agents of each queue", fill(&queue("busy"), end), WAITING),
        ("first callers of each queue", fill(&queue("longest_wait"), end), WAITING),
        ("the hour again and again", fill(&|_| "hour<0||".into(), end), 0),
        ("the caller again and again", fill(&|_| "caller==\"\"||".into(), end), 0),
        ("quotients of long numbers", sum("7.9228162514264337593543950335/0.3+"), 0),
        ("rests of long numbers", sum("79228162514264337593543950335%0.0000007+"), 0),
        ("short quotients", sum("1/7+"), 0),
        ("signs", fill(&|_| "!!!!!!!!!true||".into(), end), 0),
    ]
}

fn tell(out: &mut impl std::io::Write, metric: &str, sorted: &[Duration]) -> std::io::Result<()> {
    let us = |place: usize| sorted.get(place).map_or(0.0, |d| d.as_secs_f64() * 1e6);
    let last = sorted.len() - 1;
    for (name, place) in [("p50", last / 2), ("p99", last * 99 / 100), ("max", last)] {
        writeln!(out, "{metric}.{name},{:.2},us", us(place))?;
    }
    Ok(())
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times
}

/// Time on the processor.
fn timed(work: impl FnOnce()) -> Duration {
    let begun = on_cpu();
    work();
    on_cpu() - begun
}

fn on_cpu() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux tells it");
    Duration::from(time)
}

/// Queues, of which the first asks the line of whoever comes.
struct Floor {
    acd: Acd,
    now: Now,
    next: u64,
    out: Vec<Out>,
}

impl Floor {
    fn new(line: &str, waiting: u32) -> Floor {
        let config = config(line);
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_795_392_000_000) };
        let mut out = Vec::new();
        let acd = Acd::new(now, &config, &[], Bonds::default(), &Past::default(), &mut out);
        let mut floor = Floor { acd, now, next: 1, out };
        for n in 0..9 * waiting {
            // Nobody asks the rule here: these wait in the others.
            floor.comes(&format!("{}", n % 9 + 1));
        }
        for n in 0..AGENTS {
            let phone = Number::read(&phone(n)).expect("digits");
            floor.acd.phone(floor.now, &phone, true, false, &mut floor.out);
        }
        for n in 0..AGENTS {
            let done = floor.acd.ask(floor.now, &n.to_string(), &Ask::Login, "bench", &mut floor.out);
            done.expect("an agent of the site");
        }
        floor
    }

    fn comes(&mut self, queue: &str) -> CallId {
        let call = CallId(self.next);
        self.next += 1;
        let caller = Caller { outside: Number::read("+4930123456"), ..Caller::default() };
        self.acd.enqueue(self.now, call, queue, caller, &mut self.out).expect("there is room");
        call
    }

    /// Time for a caller whom the rule sends away at once: the evaluation, and the little around it.
    fn ask(&mut self) -> Duration {
        self.out.clear();
        let mut call = CallId(0);
        let took = timed(|| call = self.comes("0"));
        assert!(self.out.iter().any(|o| matches!(o, Out::Overflow { .. })), "the rule holds: {:?}", self.out);
        self.acd.call_ended(self.now, call, &mut self.out);
        took
    }
}

fn phone(agent: u32) -> String {
    (10_000 + agent).to_string()
}

fn config(line: &str) -> Arc<Config> {
    let all: Vec<String> = (0..AGENTS).map(|n| n.to_string()).collect();
    site::site(|s| {
        let extension = |n| json!({ "number": phone(n), "password": format!("secret-{n}-long") });
        let agent = |n: u32| json!({ "id": n.to_string(), "extension": phone(n) });
        let queue = |n: u32| {
            let rules = if n == 0 { vec![line] } else { Vec::new() };
            json!({ "name": n.to_string(), "agents": all, "max_waiting": 1000, "max_wait_s": 0, "overflow_when_empty": false,
                "overflow_rule": rules, "announce_position_s": 0, "overflow": "hang_up" })
        };
        s["extension"] = (0..AGENTS).map(extension).collect();
        s["agent"] = (0..AGENTS).map(agent).collect();
        s["queue"] = (0..10).map(queue).collect();
        s["flow"] = json!([]);
        s["inbound"] = json!([]);
    })
}
