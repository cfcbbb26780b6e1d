//! Persons and answering machines told apart on made greetings: tools/greetings speaks them with voices and texts that the
//! detector was not trained with; here they get noise, levels, laws and lost packets. Prints both rates of error; run with
//! `cargo test -p media --test greetings -- --nocapture`.
#[path = "greetings/render.rs"]
mod render;

use media::progress::Progress;
use model::media::{Evidence, Finding, Listening};
use render::{Call, Dice, Greeting, call, greetings};

/// Each greeting is heard over so many lines.
const LINES: u64 = 2;

/// Who was taken for what.
#[derive(Default)]
struct Count {
    calls: u32,
    person: u32,
    machine: u32,
    unsure: u32,
    other: u32,
    /// Milliseconds from the answer to the verdict.
    after: Vec<u32>,
    wrong: Vec<String>,
}

impl Count {
    fn note(&mut self, greeting: &Greeting, line: &str, said: &[(Finding, Evidence)]) {
        self.calls += 1;
        let Some((heard, evidence)) = said.first() else { panic!("no verdict: {}", greeting.about) };
        self.after.push(evidence.after_ms);
        let right = match heard {
            Finding::Person => {
                self.person += 1;
                !greeting.machine
            }
            Finding::Unsure(_) => {
                self.unsure += 1;
                true
            }
            Finding::Machine | Finding::Beep => {
                self.machine += 1;
                greeting.machine
            }
            Finding::Ringing
            | Finding::Busy
            | Finding::Congestion
            | Finding::Information(_)
            | Finding::Announcement
            | Finding::Fax
            | Finding::GreetingOver => {
                self.other += 1;
                false
            }
        };
        if !right {
            self.wrong.push(format!("{heard:?} {evidence:?}: {} ({})", greeting.about, line));
        }
    }

    fn share(&self, count: u32) -> f64 {
        100.0 * f64::from(count) / f64::from(self.calls)
    }

    /// Milliseconds by which `share` of the calls have their verdict.
    fn by(&self, share: usize) -> u32 {
        let mut after = self.after.clone();
        after.sort_unstable();
        after[(after.len() - 1) * share / 100]
    }
}

/// What came of a set.
struct Came {
    persons: Count,
    machines: Count,
    beeps: u32,
    beeps_heard: u32,
    /// Persons kept waiting.
    late: u32,
    /// All of it, to be read.
    said: String,
}

impl Came {
    fn missed(&self) -> f64 {
        self.machines.share(self.machines.person + self.machines.unsure)
    }

    fn taken(&self) -> f64 {
        self.persons.share(self.persons.machine + self.persons.other)
    }
}

#[test]
fn hardly_a_person_is_taken_for_a_machine_and_most_machines_are_known() {
    let came = measure("test");
    println!("{}", came.said);
    assert!(came.taken() <= 1.0, "persons taken for machines");
    assert!(came.missed() <= 45.0, "machines missed: {:.1} %", came.missed());
    let (beeps, heard) = (f64::from(came.beeps), f64::from(came.beeps_heard));
    assert!(heard >= 0.8 * beeps, "beeps heard {heard} of {beeps}");
    assert!(
        f64::from(came.late) <= 0.02 * f64::from(came.persons.calls),
        "persons kept waiting: {}",
        came.late
    );
}

#[test]
fn so_it_is_with_voices_texts_and_speeds_that_nothing_was_chosen_by() {
    let came = measure("third");
    println!("{}", came.said);
    assert!(came.taken() <= 1.0, "persons taken for machines");
    assert!(came.missed() <= 60.0, "machines missed: {:.1} %", came.missed());
    assert!(
        f64::from(came.late) <= 0.02 * f64::from(came.persons.calls),
        "persons kept waiting: {}",
        came.late
    );
}

/// Listens to a whole set over its lines, and prints what came of it.
fn measure(set: &str) -> Came {
    let all = greetings(set);
    assert!(all.len() >= 500, "{} greetings", all.len());
    let (mut persons, mut machines) = (Count::default(), Count::default());
    let (mut beeps, mut beeps_heard, mut late) = (0, 0, 0);
    for (number, greeting) in (0u64..).zip(&all) {
        for line in 0..LINES {
            let (call, line) = call(greeting, &all, &mut Dice::new(number * LINES + line + 1));
            let said = listen(&call, Listening::default());
            if greeting.machine { &mut machines } else { &mut persons }.note(greeting, &line, &said);
            let (heard, evidence) = said[0];
            if heard == Finding::Person || matches!(heard, Finding::Unsure(_)) {
                // Nobody who stopped talking waits for two seconds.
                late +=
                    u32::from(usize::try_from(evidence.after_ms).expect("32 bits fit") > call.said_ms + 2000);
            } else if let Some(beep_ms) = call.beep_ms.filter(|_| heard != Finding::Fax) {
                let known = said.iter().find(|(h, _)| *h == Finding::Beep).map(|(_, e)| e.after_ms);
                beeps += 1;
                beeps_heard += u32::from(
                    known.is_some_and(|at| beep_ms.abs_diff(usize::try_from(at).expect("32 bits fit")) < 300),
                );
            }
        }
    }
    let mut said = String::new();
    for (who, count) in [("persons", &persons), ("machines", &machines)] {
        said += &format!(
            "{who}: {} calls; taken for a person {:.2} %, unsure {:.2} %, machine {:.2} %, other {:.2} %; \
             verdict after {} ms (half), {} ms (95 of 100), {} ms (all)\n  {}\n",
            count.calls,
            count.share(count.person),
            count.share(count.unsure),
            count.share(count.machine),
            count.share(count.other),
            count.by(50),
            count.by(95),
            count.by(100),
            count.wrong.join("\n  ")
        );
    }
    said += &format!("beeps heard in time {beeps_heard} of {beeps}; persons kept waiting for 2 s: {late}\n");
    let mut came = Came { persons, machines, beeps, beeps_heard, late, said };
    came.said += &format!(
        "ERRORS {set}: person taken for machine {:.2} %, machine missed {:.2} %",
        came.taken(),
        came.missed()
    );
    came
}

/// Everything that is heard of a call.
fn listen(call: &Call, listening: Listening) -> Vec<(Finding, Evidence)> {
    let mut progress = Progress::new(listening);
    let hear = |packet: &Option<Vec<u8>>| match packet {
        Some(sound) => progress.hear(call.law, sound),
        None => progress.miss(),
    };
    call.packets.iter().flat_map(hear).collect()
}
