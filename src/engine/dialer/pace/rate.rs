//! How readily people answer at present, against the learned curves: one ratio that follows the world within tens of
//! calls, and one for each segment of the list. Answers seen over answers expected, with imagined calls on both sides so
//! that a few calls change little. A segment of which nothing is known may answer like any. Pure.
use std::collections::BTreeMap;

/// Imagined answers on both sides of a ratio.
const PRIOR: f64 = 12.0;
/// Share kept at each judged line: the world is remembered for about 30 lines, a segment for about 200.
const WORLD_KEEP: f64 = 0.97;
const SEGMENT_KEEP: f64 = 0.995;
/// Judged lines after which a third of the doubt about a segment is left.
const DOUBT: f64 = 8.0;
/// Segments followed; those beyond answer like the world.
const SEGMENTS_MAX: usize = 1_024;

#[derive(Clone, Copy, Default)]
struct Ratio {
    seen: f64,
    expected: f64,
    /// Lines judged.
    lines: f64,
}

impl Ratio {
    fn value(self) -> f64 {
        (self.seen + PRIOR) / (self.expected + PRIOR)
    }

    fn judge(&mut self, keep: f64, seen: f64, expected: f64) {
        self.seen = self.seen * keep + seen;
        self.expected = self.expected * keep + expected;
        self.lines += 1.0;
    }
}

/// Ratios of the world and of each segment.
#[derive(Default)]
pub(super) struct Rates {
    world: Ratio,
    segments: BTreeMap<u32, Ratio>,
}

impl Rates {
    /// Answers of this segment over those the curves expect. `usual`: of one of which nothing is known.
    pub(super) fn of(&self, segment: u32, usual: f64) -> f64 {
        let known = self.world.value() * self.segment(segment);
        let lines = self.segments.get(&segment).map_or(0.0, |ratio| ratio.lines);
        (known + (usual - known).max(0.0) * (-lines / DOUBT).exp()).clamp(0.1, 20.0)
    }

    fn segment(&self, segment: u32) -> f64 {
        self.segments.get(&segment).map_or(1.0, |ratio| ratio.value())
    }

    /// A line stopped ringing: whether it was answered, and the answers the curves expected of it. Each ratio is asked
    /// only for what the other does not explain.
    pub(super) fn judge(&mut self, segment: u32, answered: bool, expected: f64) {
        let seen = if answered { 1.0 } else { 0.0 };
        let (world, own) = (self.world.value(), self.segment(segment));
        self.world.judge(WORLD_KEEP, seen, expected * own);
        if self.segments.len() < SEGMENTS_MAX || self.segments.contains_key(&segment) {
            self.segments.entry(segment).or_default().judge(SEGMENT_KEEP, seen, expected * world);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_that_answers_twice_as_often_shows_within_fifty_calls() {
        let mut rates = Rates::default();
        for turn in 0..50 {
            rates.judge(1, turn % 5 < 3, 0.3);
        }
        assert!(rates.of(1, 1.0) > 1.4, "{}", rates.of(1, 1.0));
    }

    #[test]
    fn segments_are_told_apart() {
        let mut rates = Rates::default();
        for turn in 0..400 {
            rates.judge(1, turn % 10 < 1, 0.3);
            rates.judge(2, turn % 10 < 5, 0.3);
        }
        assert!(rates.of(2, 1.0) > 2.5 * rates.of(1, 1.0), "{} {}", rates.of(1, 1.0), rates.of(2, 1.0));
    }

    #[test]
    fn a_segment_of_which_nothing_is_known_is_not_believed_to_answer_as_badly_as_the_others() {
        let mut rates = Rates::default();
        (0..200).for_each(|_| rates.judge(1, false, 0.3));
        assert!(rates.of(1, 1.0) < 0.5, "{}", rates.of(1, 1.0));
        assert!(rates.of(2, 1.0) > 0.95, "{}", rates.of(2, 1.0));
        (0..30).for_each(|_| rates.judge(2, false, 0.3));
        assert!(rates.of(2, 1.0) < 0.6, "{}", rates.of(2, 1.0));
    }
}
