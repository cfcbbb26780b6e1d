//! Times and events by chance, from one seed. ChaCha8: the same stream on every machine and in every version.
use super::rule::{real, whole};
use super::scenario::{Shape, Span};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Exp1, Gamma, LogNormal, StandardUniform};

/// A source of chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// Always the same from the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    /// Whether an event of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Seconds, gamma distributed; `cv` is the standard deviation over the mean. Nothing sensible to draw from: the mean.
    pub fn seconds(&mut self, mean: f64, cv: f64) -> f64 {
        let shape = 1.0 / (cv * cv);
        Gamma::new(shape, mean / shape).map_or(mean, |gamma| gamma.sample(&mut self.0))
    }

    /// A time as a scenario describes it.
    pub fn time(&mut self, span: &Span) -> f64 {
        if !span.values_s.is_empty() {
            let place = whole(self.share() * real(span.values_s.len()));
            return span.values_s.get(place).or(span.values_s.last()).copied().unwrap_or(0.0);
        }
        match span.form {
            Shape::Exponential => self.until(span.mean_s),
            Shape::Fixed => span.mean_s,
            Shape::Gamma => self.seconds(span.mean_s, span.cv),
            Shape::Lognormal => {
                let variance = (1.0 + span.cv * span.cv).ln();
                span.mean_s * self.factor(variance.sqrt()) * (-variance / 2.0).exp()
            }
            // The ends lie this many standard deviations from the mean.
            Shape::Uniform => span.mean_s * (1.0 + 3.0_f64.sqrt() * span.cv * (2.0 * self.share() - 1.0)),
        }
    }

    /// Seconds until an event that happens once in `mean` seconds.
    pub fn until(&mut self, mean: f64) -> f64 {
        let exponential: f64 = Exp1.sample(&mut self.0);
        exponential * mean
    }

    /// A factor around one; `spread` is the standard deviation of its logarithm.
    pub fn factor(&mut self, spread: f64) -> f64 {
        LogNormal::new(0.0, spread).map_or(1.0, |factor| factor.sample(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_mean_and_its_spread() {
        for (form, cv) in [
            (Shape::Exponential, 1.0),
            (Shape::Fixed, 0.0),
            (Shape::Gamma, 0.5),
            (Shape::Lognormal, 0.5),
            (Shape::Uniform, 0.5),
        ] {
            let (span, mut chance) = (Span { form, ..Span::gamma(20.0, 0.5) }, Chance::new(1));
            let drawn: Vec<f64> = (0..20_000).map(|_| chance.time(&span)).collect();
            let mean = drawn.iter().sum::<f64>() / 20_000.0;
            let spread = (drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt() / mean;
            assert!((mean - 20.0).abs() < 0.5 && (spread - cv).abs() < 0.03, "{form:?}: {mean} {spread}");
            assert!(drawn.iter().all(|x| *x >= 0.0));
        }
        let measured = Span { values_s: vec![1.0, 2.0, 9.0], ..Span::gamma(f64::NAN, 0.5) };
        let mean = (0..3_000).map(|_| Chance::new(7).time(&measured)).sum::<f64>() / 3_000.0;
        assert!([1.0, 2.0, 9.0].contains(&mean), "the same seed, the same value: {mean}");
    }
}
