//! Loads a box with anchored G.711 calls and measures what comes out: loss, added delay, and the box's CPU and memory.
//!
//! `load --target 127.0.0.1:5060 --pid PID --calls N --seconds S` places N calls from 127.0.0.2 (a trunk without
//! authentication) to 2000000…, answers them at 127.0.0.3:5090, sends 50 packets a second each way, spread over the
//! 20 ms, and prints `metric,value,unit` lines. Every packet carries its time of sending. Measures; judges nothing.
mod flows;
mod process;
mod signalling;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// What was asked on the command line.
struct Options {
    target: SocketAddr,
    pid: u32,
    calls: usize,
    seconds: u64,
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|o| run(&o)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("load: {message}");
            ExitCode::from(2)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options =
        Options { target: SocketAddr::from(([127, 0, 0, 1], 5060)), pid: 0, calls: 100, seconds: 8 };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        let wrong = || format!("{name}: \"{value}\" is not understood");
        match name.as_str() {
            "--target" => options.target = value.parse().map_err(|_| wrong())?,
            "--pid" => options.pid = value.parse().map_err(|_| wrong())?,
            "--calls" => options.calls = value.parse().map_err(|_| wrong())?,
            "--seconds" => options.seconds = value.parse().map_err(|_| wrong())?,
            _ => return Err(format!("unknown option {name}; known: --target --pid --calls --seconds")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let before = process::memory_kib(options.pid);
    let (caller, callee) =
        (SocketAddr::from(([127, 0, 0, 2], 40_000)), SocketAddr::from(([127, 0, 0, 3], 40_000)));
    let calls = signalling::set_up(options.target, options.calls, caller, callee)?;
    let n = options.calls;
    line(n, "calls_up", f64::from(u32::try_from(calls.up()).unwrap_or(u32::MAX)), "calls");
    let cpu = || process::cpu_seconds(options.pid);
    let heard = flows::run(
        &calls,
        caller,
        callee,
        Duration::from_secs(2),
        Duration::from_secs(options.seconds),
        &cpu,
    )?;
    let after = process::memory_kib(options.pid);
    calls.hang_up();
    line(n, "packets", heard.received, "packets");
    line(n, "loss", 100.0 * (1.0 - heard.received / heard.sent.max(1.0)), "percent");
    line(n, "cpu_per_packet", heard.cpu_s * 1e6 / heard.received.max(1.0), "us");
    line(n, "cpu", heard.cpu_s / heard.wall_s, "cores");
    line(n, "delay_p50", heard.delay_us(0.50), "us");
    line(n, "delay_p99", heard.delay_us(0.99), "us");
    line(n, "generator_late_p99", heard.late_us(0.99), "us");
    if let (Some(before), Some(after)) = (before, after) {
        let calls = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        line(n, "memory_per_call", (after - before) / calls, "KiB");
        line(n, "memory", after, "KiB");
    }
    Ok(())
}

fn line(calls: usize, metric: &str, value: f64, unit: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "rtp.{metric}[calls={calls}],{value:.3},{unit}");
}
