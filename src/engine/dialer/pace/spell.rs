//! How long agents talk and wrap up: one survival curve for all, and for each agent a factor drawn towards one while
//! little is known of them. Pure.
use super::{AHEAD, Density, real, whole};

/// Spells the curve remembers.
const MEMORY: f64 = 1_000.0;
/// Spells of the average agent that everybody starts with: agents differ by about a fifth, spells by about their mean.
const OWN_PRIOR: f64 = 8.0;
/// Share of an agent's own spells kept at each new one.
const OWN_KEEP: f64 = 0.98;

/// Survival of a duration, in bins of equal width.
pub(super) struct Spell {
    at_risk: Vec<f64>,
    ended: Vec<f64>,
    width: f64,
    survival: Vec<f64>,
    mean: f64,
    stale: bool,
}

impl Spell {
    /// `bins` of `width` seconds; `weight` imagined spells of the form of a gamma distribution.
    pub(super) fn new(width: f64, bins: usize, weight: f64, mean: f64, cv: f64) -> Self {
        let form = super::gamma_form(mean, cv, bins, width);
        let mut left = weight;
        let at_risk = form
            .iter()
            .map(|share| {
                let now = left;
                left = (left - weight * share).max(0.0);
                now
            })
            .collect();
        let ended = form.iter().map(|share| weight * share).collect();
        let mut spell = Self { at_risk, ended, width, survival: vec![1.0; bins + 1], mean, stale: true };
        spell.refresh();
        spell
    }

    /// A spell of `dwell` seconds, of the average agent, ended.
    pub(super) fn ended(&mut self, dwell: f64) {
        let keep = 1.0 - 1.0 / MEMORY;
        self.at_risk.iter_mut().chain(&mut self.ended).for_each(|value| *value *= keep);
        let last = whole(dwell / self.width).min(self.at_risk.len() - 1);
        self.at_risk[..=last].iter_mut().for_each(|value| *value += 1.0);
        self.ended[last] += 1.0;
        self.stale = true;
    }

    /// Reads what was learned into the curve.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let (mut alive, mut mean) = (1.0, 0.0);
        for (bin, (at_risk, ended)) in self.at_risk.iter().zip(&self.ended).enumerate() {
            self.survival[bin] = alive;
            mean += alive * self.width;
            let ended = ended + 0.002;
            alive *= 1.0 - ended / (at_risk + 0.05).max(ended);
        }
        if let Some(tail) = self.survival.last_mut() {
            *tail = alive;
        }
        self.mean = mean.max(self.width);
    }

    /// Mean, in seconds.
    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// Share of spells longer than this.
    fn alive(&self, seconds: f64) -> f64 {
        let place = seconds.max(0.0) / self.width;
        let bin = whole(place);
        match (self.survival.get(bin), self.survival.get(bin + 1)) {
            (Some(now), Some(next)) => now + (next - now) * (place - real(bin)),
            // Beyond the last bin nothing is known: as if it ended by chance, a twentieth a bin.
            _ => {
                self.survival.last().copied().unwrap_or(0.0)
                    * (-0.05 * (place - real(self.survival.len() - 1))).exp()
            }
        }
    }

    /// Probability for each second ahead that a spell of an agent with this factor, begun `elapsed` seconds ago, ends then.
    pub(super) fn ends(&self, elapsed: f64, factor: f64) -> Density {
        let now = self.alive(elapsed / factor).max(1e-6);
        let mut before = now;
        let mut density = [0.0; AHEAD];
        for (slot, value) in density.iter_mut().enumerate() {
            let after = self.alive((elapsed + real(slot + 1)) / factor);
            *value = ((before - after) / now).max(0.0);
            before = after;
        }
        density
    }
}

/// One agent's own spells against the average.
#[derive(Clone, Copy, Default)]
pub(super) struct Own {
    relative: f64,
    count: f64,
}

impl Own {
    /// How much longer than the average this agent takes.
    pub(super) fn factor(self) -> f64 {
        ((self.relative + OWN_PRIOR) / (self.count + OWN_PRIOR)).clamp(0.2, 5.0)
    }

    /// A spell of `dwell` seconds ended, while the mean of all was `mean`.
    pub(super) fn ended(&mut self, dwell: f64, mean: f64) {
        // One endless spell says little about the next one.
        self.relative = self.relative * OWN_KEEP + (dwell / mean).min(10.0);
        self.count = self.count * OWN_KEEP + 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_up_of_twenty_seconds_ends_around_twenty() {
        let mut spell = Spell::new(1.0, 300, 4.0, 60.0, 0.7);
        for turn in 0..500 {
            spell.ended(18.0 + f64::from(turn % 5));
        }
        spell.refresh();
        let density = spell.ends(0.0, 1.0);
        assert!(density[17..=23].iter().sum::<f64>() > 0.8, "{density:?}");
        assert!(spell.ends(15.0, 1.0)[..9].iter().sum::<f64>() > 0.8);
        assert!((spell.mean() - 20.5).abs() < 2.0, "{}", spell.mean());
    }

    #[test]
    fn a_slow_agent_is_believed_slow_only_after_some_spells() {
        let mut own = Own::default();
        own.ended(200.0, 100.0);
        assert!(own.factor() < 1.2);
        (0..40).for_each(|_| own.ended(200.0, 100.0));
        assert!(own.factor() > 1.6);
    }
}
