//! Mutates the seeds of one target, or of all, for a time: `fuzz TARGET|all SECONDS [SEED]`. Prints how many inputs it gave
//! and how long the slowest took. An input that panics is written to `fuzz-TARGET.bin` first.
use fuzz::{Mutator, TARGETS, Target, seeds};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, or: u64| words.get(place).map_or(Some(or), |w| w.parse().ok());
    let (Some(name), Some(seconds), Some(seed)) = (words.first(), number(1, 60), number(2, 1)) else {
        eprintln!("usage: fuzz TARGET|all SECONDS [SEED]");
        return ExitCode::from(2);
    };
    let chosen: Vec<_> = TARGETS.iter().filter(|(target, _)| name == target || name == "all").collect();
    if chosen.is_empty() {
        eprintln!("fuzz: no target {name}; there are {:?}", TARGETS.map(|(target, _)| target));
        return ExitCode::from(2);
    }
    for (target, run) in chosen {
        fuzz_one(target, *run, Duration::from_secs(seconds), seed);
    }
    ExitCode::SUCCESS
}

fn fuzz_one(target: &str, run: Target, length: Duration, seed: u64) {
    let mut mutator = Mutator::new(seeds(target), seed);
    let (begin, mut inputs, mut understood, mut slowest) = (Instant::now(), 0_u64, 0_u64, Duration::ZERO);
    while begin.elapsed() < length {
        let input = mutator.mutant();
        let started = Instant::now();
        match std::panic::catch_unwind(|| run(&input)) {
            Ok(good) => understood += u64::from(good),
            Err(panic) => {
                let file = format!("fuzz-{target}.bin");
                let kept = std::fs::write(&file, &input);
                eprintln!("{target}: panic after {inputs} inputs; the input is in {file} ({kept:?})");
                std::panic::resume_unwind(panic);
            }
        }
        (inputs, slowest) = (inputs + 1, slowest.max(started.elapsed()));
    }
    let ms = slowest.as_secs_f64() * 1000.0;
    let _ =
        writeln!(std::io::stdout(), "{target}: {inputs} inputs, {understood} understood, slowest {ms:.1} ms");
}
