//! How readily people answer at present, against the learned curves: a level nobody sees, which mostly stays, drifts now
//! and then and sometimes leaps. What is believed of it follows each line that stopped ringing (the forward recursion of a
//! hidden Markov model; Rabiner, 1989, section III A). A steady world is believed to be steady, and one that leaps is found
//! out within a score of lines, which no running mean does at once. Pure; knows nothing of the parts of a list.
use super::real;

/// Levels from an eighth to eight times the curves, evenly in their logarithm.
const LEVELS: usize = 25;
const MIDDLE: usize = LEVELS / 2;
const WIDEST: f64 = 8.0;
/// Chance that the world leaps to any level, for each answer expected: so much happens between two answers, however many
/// lines they take. The same chance for each line cost a point of utilisation where one line in ten is answered.
const LEAP: f64 = 0.01;
/// Chance that it moves to the next level on one side, likewise.
const DRIFT: f64 = 0.006;
/// Both together stay chances however much is expected of a line.
const EXPECTED_MAX: f64 = 10.0;
/// Spread of the level's logarithm after a leap, and before the first line.
const AFTER_A_LEAP: f64 = 0.8;
const AT_FIRST: f64 = 0.25;

/// What is believed of the world's level.
pub(super) struct World {
    levels: [f64; LEVELS],
    after_a_leap: [f64; LEVELS],
    belief: [f64; LEVELS],
}

impl Default for World {
    fn default() -> Self {
        let levels = std::array::from_fn(|place| logarithm(place).exp());
        Self { levels, after_a_leap: bell(AFTER_A_LEAP), belief: bell(AT_FIRST) }
    }
}

impl World {
    /// Answers over those the curves expect: the mean of what is believed.
    pub(super) fn level(&self) -> f64 {
        self.belief.iter().zip(&self.levels).map(|(belief, level)| belief * level).sum()
    }

    /// A line stopped ringing: whether it was answered, and the answers that level one expects of it.
    pub(super) fn judge(&mut self, answered: bool, expected: f64) {
        self.goes_on(expected.min(EXPECTED_MAX));
        for (belief, level) in self.belief.iter_mut().zip(&self.levels) {
            *belief *= (-level * expected).exp() * if answered { *level } else { 1.0 };
        }
        even(&mut self.belief);
    }

    fn goes_on(&mut self, expected: f64) {
        let (leap, drift, before) = (LEAP * expected, DRIFT * expected, self.belief);
        for (place, belief) in self.belief.iter_mut().enumerate() {
            let beside = before[place.saturating_sub(1)] + before[(place + 1).min(LEVELS - 1)];
            let drifted = before[place] * (1.0 - 2.0 * drift) + beside * drift;
            *belief = drifted * (1.0 - leap) + self.after_a_leap[place] * leap;
        }
    }
}

fn logarithm(place: usize) -> f64 {
    (real(place) - real(MIDDLE)) / real(MIDDLE) * WIDEST.ln()
}

/// Beliefs around level one, as a normal distribution of its logarithm.
fn bell(spread: f64) -> [f64; LEVELS] {
    let mut belief = std::array::from_fn(|place| (-0.5 * (logarithm(place) / spread).powi(2)).exp());
    even(&mut belief);
    belief
}

/// Makes the beliefs one together. A leap is always possible, so that they never vanish.
fn even(belief: &mut [f64; LEVELS]) {
    let sum: f64 = belief.iter().sum();
    belief.iter_mut().for_each(|share| *share /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of which the curves expect `expected`; every so many-th is answered.
    fn lines(world: &mut World, count: u32, expected: f64, every: u32) {
        (1..=count).for_each(|line| world.judge(line % every == 0, expected));
    }

    #[test]
    fn answers_six_times_as_often_show_within_eighteen_lines_and_their_end_within_forty() {
        let mut world = World::default();
        lines(&mut world, 300, 0.08, 12);
        assert!((0.7..1.4).contains(&world.level()), "{}", world.level());
        lines(&mut world, 18, 0.08, 2);
        assert!(world.level() > 2.5, "half of eighteen lines were answered: {}", world.level());
        lines(&mut world, 300, 0.08, 2);
        lines(&mut world, 40, 0.08, 12);
        assert!(world.level() < 2.0, "one in twelve again: {}", world.level());
    }

    #[test]
    fn a_steady_world_is_not_believed_to_leap_for_three_answers_in_a_row() {
        let mut world = World::default();
        lines(&mut world, 300, 0.33, 3);
        let before = world.level();
        lines(&mut world, 3, 0.33, 1);
        assert!((0.85..1.15).contains(&before) && world.level() < 1.4 * before, "{before} {}", world.level());
    }

    #[test]
    fn beliefs_stay_beliefs_whatever_is_expected() {
        let mut world = World::default();
        for expected in [0.0, 1_000.0, 1e-9, 64.0] {
            lines(&mut world, 50, expected, 2);
            assert!((0.12..8.1).contains(&world.level()), "{expected}: {}", world.level());
        }
    }
}
