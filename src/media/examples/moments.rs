//! For tools/weigh: writes what the detector knows at each fifth of a second of the greetings it is trained with, one line a
//! moment: number of the call, 1 for a machine, 1 for a pause, the numbers that are weighed.
#[path = "../tests/greetings/render.rs"]
mod render;

use media::progress::Progress;
use model::media::Listening;
use render::{Call, Dice, call, greetings};
use std::io::Write;

/// Each greeting is heard over so many lines.
const LINES: u64 = 2;

/// Milliseconds after the last word within which a person has a verdict, and seconds after the first word.
const QUIET: usize = 1650;
const LONGEST: f32 = 7.0;

fn main() -> std::io::Result<()> {
    let all = greetings("training");
    let mut out = std::io::stdout().lock();
    for (number, greeting) in (0u64..).zip(&all) {
        writeln!(out, "# {}", greeting.about)?;
        for line in 0..LINES {
            let (call, _) = call(greeting, &all, &mut Dice::new(1_000_000 + number * LINES + line));
            for (pause, inputs) in moments(&call) {
                let text: Vec<String> = inputs.iter().map(|i| format!("{i:.4}")).collect();
                let (call, machine) = (number * LINES + line, u8::from(greeting.machine));
                writeln!(out, "{call} {machine} {} {}", u8::from(pause), text.join(" "))?;
            }
        }
    }
    Ok(())
}

fn moments(call: &Call) -> Vec<(bool, Vec<f32>)> {
    // No verdict and so no end: it is the moments that are wanted.
    let mut progress = Progress::new(Listening { answered: false, ..Listening::default() });
    let mut moments = Vec::new();
    for (n, packet) in call.packets.iter().enumerate() {
        match packet {
            Some(sound) => progress.hear(call.law, sound),
            None => progress.miss(),
        };
        if n % 5 == 0
            && let Some(moment) = progress.moment()
        {
            let beep = call.beep_ms.is_some_and(|ms| n * 20 > ms);
            if beep || n * 20 > call.said_ms + QUIET || moment.span + moment.quiet > LONGEST {
                break;
            }
            moments.push(Progress::inputs(&moment));
        }
    }
    moments
}
