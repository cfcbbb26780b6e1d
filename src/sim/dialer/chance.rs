//! Times and events by chance, from one seed. ChaCha8: the same stream on every machine and in every version.
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
