//! How lines end, learned from those that ended: when the party's phone starts to ring, when and whether somebody
//! answers, what the machine detector makes of it. Discrete hazards in bins of a second (Kaplan and Meier, 1958): lines
//! at risk, those that went on, those that were over; lines given up by us count as far as they lived. Pure; says
//! nothing about agents.
use super::{AHEAD, Density, whole};

/// Where a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Dialled; the network looks for the party.
    Setup,
    /// The party's phone rings.
    Ringing,
    /// Somebody or something answered; not yet said to need an agent.
    Answered,
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Into the next phase; from `Answered`: an agent is needed.
    On,
    /// For good: busy, unknown number, nobody, a machine.
    Over,
    /// We gave it up: says nothing about how it would have ended.
    Withdrawn,
}

/// Seconds a phase is followed; longer ones count as this long. More than any ring time-out.
const BINS: usize = 64;
/// Lines the curves remember. The level follows faster, by the ratios of `rate.rs`.
const MEMORY: f64 = 1_500.0;

/// Hazards of one phase, a bin a second.
struct Hazards {
    at_risk: [f64; BINS],
    on: [f64; BINS],
    over: [f64; BINS],
}

impl Hazards {
    /// `weight` imagined lines, so that the first call already has an estimate: shares `on` and `over` of them leave with
    /// the form of a gamma distribution.
    fn imagined(weight: f64, on: f64, over: f64, mean: f64, cv: f64) -> Self {
        let form = super::gamma_form(mean, cv, BINS, 1.0);
        let mut hazards = Self { at_risk: [0.0; BINS], on: [0.0; BINS], over: [0.0; BINS] };
        let mut left = weight;
        for (bin, share) in form.iter().enumerate() {
            hazards.at_risk[bin] = left;
            hazards.on[bin] = weight * share * on;
            hazards.over[bin] = weight * share * over;
            left = (left - weight * share * (on + over)).max(weight * 0.01);
        }
        hazards
    }

    fn ended(&mut self, dwell: f64, exit: Exit) {
        let keep = 1.0 - 1.0 / MEMORY;
        for value in self.at_risk.iter_mut().chain(&mut self.on).chain(&mut self.over) {
            *value *= keep;
        }
        let last = whole(dwell).min(BINS - 1);
        for value in &mut self.at_risk[..last] {
            *value += 1.0;
        }
        match exit {
            Exit::On => self.on[last] += 1.0,
            Exit::Over => self.over[last] += 1.0,
            Exit::Withdrawn => return,
        }
        self.at_risk[last] += 1.0;
    }

    /// Probability to go on, and to be over, in this second, for a line that lived until it.
    fn in_bin(&self, bin: usize) -> (f64, f64) {
        let bin = bin.min(BINS - 1);
        let at_risk = self.at_risk[bin] + 0.02;
        let (on, over) = (self.on[bin] / at_risk, (self.over[bin] + 0.001) / at_risk);
        let sum = (on + over).max(1.0);
        (on / sum, over / sum)
    }

    fn leaves(&self, elapsed: usize) -> Density {
        let mut alive = 1.0;
        let mut density = [0.0; AHEAD];
        for (slot, value) in density.iter_mut().enumerate() {
            let (on, over) = self.in_bin(elapsed + slot);
            *value = alive * on;
            alive *= (1.0 - on - over).max(0.0);
        }
        density
    }
}

/// When lines in flight will need an agent.
pub(super) struct Lines {
    phases: [Hazards; 3],
    /// For each phase, a density for each second already spent in it.
    tables: [Vec<Density>; 3],
    share: f64,
    unread: u32,
}

impl Lines {
    /// An imagined start. `detects`: a machine detector stands between answer and agent; `ring_timeout` in seconds.
    pub(super) fn new(detects: bool, ring_timeout: f64) -> Self {
        let setup = Hazards::imagined(10.0, 0.85, 0.15, 3.0, 0.5);
        let mut ringing = Hazards::imagined(12.0, 0.35, 0.0, 9.0, 0.7);
        let end = whole(ring_timeout).min(BINS);
        for bin in end..BINS {
            ringing.over[bin] += ringing.at_risk[bin] * 0.9;
        }
        let answered = if detects {
            Hazards::imagined(8.0, 0.5, 0.5, 1.5, 0.4)
        } else {
            Hazards::imagined(20.0, 0.995, 0.005, 0.5, 0.3)
        };
        let mut lines =
            Self { phases: [setup, ringing, answered], tables: Default::default(), share: 0.0, unread: 0 };
        lines.read();
        lines
    }

    /// A line left a phase after `dwell` seconds in it.
    pub(super) fn ended(&mut self, phase: Phase, dwell: f64, exit: Exit) {
        self.phases[phase as usize].ended(dwell, exit);
        self.unread += 1;
    }

    /// Answers to be expected of a line that rang for `dwell` seconds (the compensator of its answer).
    pub(super) fn expected_answers(&self, dwell: f64) -> f64 {
        (0..=whole(dwell).min(BINS - 1)).map(|bin| self.phases[Phase::Ringing as usize].in_bin(bin).0).sum()
    }

    /// Reads what was learned into the tables, when it is worth the work.
    pub(super) fn refresh(&mut self) {
        if self.unread >= 6 {
            self.read();
        }
    }

    fn read(&mut self) {
        self.unread = 0;
        self.tables = self.tabulate();
        self.share = self.tables[Phase::Setup as usize][0].iter().sum();
    }

    fn tabulate(&self) -> [Vec<Density>; 3] {
        let [setup, ringing, answered] = &self.phases;
        let answered: Vec<Density> = (0..12).map(|second| answered.leaves(second)).collect();
        let ringing: Vec<Density> =
            (0..BINS).map(|second| super::then(&ringing.leaves(second), &answered[0])).collect();
        let setup: Vec<Density> =
            (0..16).map(|second| super::then(&setup.leaves(second), &ringing[0])).collect();
        [setup, ringing, answered]
    }

    /// Share of dials that will need an agent.
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// Probability for each second ahead that this line needs an agent then. `ratio`: how much readier than the curves
    /// say this segment answers at present; it scales the odds of an answer.
    pub(super) fn arrival(&self, phase: Phase, elapsed: f64, ratio: f64) -> Density {
        let table = &self.tables[phase as usize];
        let first = whole(elapsed).min(table.len() - 1);
        let second = (first + 1).min(table.len() - 1);
        let part = (elapsed - super::real(first)).clamp(0.0, 1.0);
        let mut density = [0.0; AHEAD];
        for (slot, value) in density.iter_mut().enumerate() {
            *value = table[first][slot] * (1.0 - part) + table[second][slot] * part;
        }
        if phase != Phase::Answered {
            let sure: f64 = density.iter().sum();
            let scale = ratio / (1.0 + (ratio - 1.0) * sure);
            density.iter_mut().for_each(|value| *value *= scale);
        }
        density
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_and_the_time_of_answers_are_learned() {
        let mut lines = Lines::new(false, 25.0);
        for turn in 0..2_000 {
            lines.ended(Phase::Setup, 2.5, Exit::On);
            if turn % 5 == 0 {
                lines.ended(Phase::Ringing, 10.5, Exit::On);
                lines.ended(Phase::Answered, 0.0, Exit::On);
            } else {
                lines.ended(Phase::Ringing, 25.0, Exit::Over);
            }
            lines.refresh();
        }
        let density = lines.arrival(Phase::Setup, 0.0, 1.0);
        let share: f64 = density.iter().sum();
        assert!((share - 0.2).abs() < 0.02, "a fifth answers: {share}");
        let around: f64 = density[11..=14].iter().sum();
        assert!(around > 0.8 * share, "they answer 13 s after dialling: {density:?}");
        let late: f64 = lines.arrival(Phase::Ringing, 14.0, 1.0).iter().sum();
        assert!(late < 0.03, "who has not answered after 14 s does not answer: {late}");
    }

    #[test]
    fn lines_given_up_do_not_make_the_others_look_worse() {
        let mut lines = Lines::new(false, 25.0);
        for turn in 0..3_000 {
            lines.ended(Phase::Setup, 2.5, Exit::On);
            match turn % 4 {
                0 => lines.ended(Phase::Ringing, 20.5, Exit::On),
                1 => lines.ended(Phase::Ringing, 25.0, Exit::Over),
                _ => lines.ended(Phase::Ringing, 16.0, Exit::Withdrawn),
            }
            lines.refresh();
        }
        let share: f64 = lines.arrival(Phase::Ringing, 0.0, 1.0).iter().sum();
        assert!((share - 0.5).abs() < 0.05, "half of those that may ring on answer: {share}");
    }
}
