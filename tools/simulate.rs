//! How fast the simulator is: the queue of the stories under load for a while of virtual time, timed. Prints
//! `metric,value,unit` lines for `tools/bench sim`. A step is one moment at which something happens.
use sim::{CallRef, World, site};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Worlds, so that one lucky seed does not decide.
const WORLDS: u64 = 10;

/// Virtual time of each.
const LASTS: Duration = Duration::from_secs(300);

fn main() -> std::io::Result<()> {
    let start = Instant::now();
    let (mut steps, mut calls) = (0, 0);
    for seed in 0..WORLDS {
        let (more_steps, more_calls) = busy_queue(seed);
        steps += more_steps;
        calls += more_calls;
    }
    let wall = start.elapsed().as_secs_f64();
    let per_second = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / wall;
    let virtual_s = LASTS.as_secs_f64() * f64::from(u32::try_from(WORLDS).unwrap_or(1));
    let mut out = std::io::stdout().lock();
    writeln!(out, "sim.events_per_s,{:.0},1/s", per_second(steps))?;
    writeln!(out, "sim.calls_per_s,{:.1},1/s", per_second(calls))?;
    writeln!(out, "sim.times_real_time,{:.0},1", virtual_s / wall)
}

/// Two agents, a caller every second with speech both ways, talks of two seconds.
fn busy_queue(seed: u64) -> (u64, u64) {
    let mut w = World::new(seed, site::site(|_| {}));
    w.phones_up(&["101", "102"]);
    w.agents_at_work(&["101", "102"]);
    let end = w.now().mono + LASTS;
    let mut open: Vec<CallRef> = Vec::new();
    let mut number = 0_u32;
    while w.now().mono < end {
        number += 1;
        let caller = w.call_in(&format!("+4930{number}"), "+49301000");
        open.push(caller);
        w.run_for(Duration::from_millis(500));
        w.press(caller, "1");
        w.run_for(Duration::from_millis(500));
        if open.len() > 6 {
            let oldest = open.remove(0);
            w.hang_up(oldest);
        }
    }
    w.rest();
    (w.steps(), w.records().len() as u64)
}
