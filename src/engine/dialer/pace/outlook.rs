//! The next forty seconds, played many times: when agents become free and when lines need one. Sampled systematically
//! from each density, so that a hundred and twenty-eight plays are as good as thousands of independent ones. Pure and
//! repeatable: the scatter comes from a counter.
use super::{AHEAD, Density, real, whole};

/// Plays; a power of two, so that any odd step visits each once. Doubling it changed utilisation by less than its noise.
const PLAYS: usize = 128;

/// Sampled arrivals and free agents.
pub(super) struct Outlook {
    arrivals: Box<[u8]>,
    free: Box<[u8]>,
    scatter: u32,
    /// Free agents now, less callers who wait.
    now_free: i32,
    /// Seconds a caller may wait before the call counts as abandoned.
    grace: usize,
    /// For each second: share of plays in which one more arrival then costs a call.
    harm: [f64; AHEAD + 1],
    /// Mean calls lost by the lines in flight.
    lost: f64,
}

impl Outlook {
    /// `grace` in seconds.
    pub(super) fn new(grace: f64) -> Self {
        let field = || vec![0; PLAYS * AHEAD].into_boxed_slice();
        let grace = whole(grace + 0.5).min(AHEAD - 1);
        Self {
            arrivals: field(),
            free: field(),
            scatter: 1,
            now_free: 0,
            grace,
            harm: [0.0; AHEAD + 1],
            lost: 0.0,
        }
    }

    /// Forgets the plays; `now_free` agents are free, less callers who wait.
    pub(super) fn begin(&mut self, now_free: i32) {
        self.arrivals.fill(0);
        self.free.fill(0);
        self.now_free = now_free;
    }

    /// An agent becomes free with this density.
    pub(super) fn agent(&mut self, density: &Density) {
        Self::sample(&mut self.scatter, &mut self.free, density);
    }

    /// A line needs an agent with this density.
    pub(super) fn line(&mut self, density: &Density) {
        Self::sample(&mut self.scatter, &mut self.arrivals, density);
    }

    fn sample(scatter: &mut u32, field: &mut [u8], density: &Density) {
        *scatter = scatter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let start = usize::from(u16::try_from(*scatter >> 16).unwrap_or(0));
        let step = usize::from(u16::try_from((*scatter >> 8) & 0xffff).unwrap_or(0)) | 1;
        let (mut sum, mut play) = (0.0, 0);
        for (slot, share) in density.iter().enumerate() {
            sum += share;
            let until = whole(sum * real(PLAYS) + 0.5).min(PLAYS);
            while play < until {
                let place = (start + play * step) % PLAYS;
                let value = &mut field[place * AHEAD + slot];
                *value = value.saturating_add(1);
                play += 1;
            }
        }
    }

    /// Plays it all: from when on an arrival would still cost a call. An arrival costs one when, at its second or later,
    /// every agent free by then is needed.
    pub(super) fn play(&mut self) {
        let mut last = [0_u32; AHEAD + 1];
        let mut lost_in_all = 0;
        for play in 0..PLAYS {
            let range = play * AHEAD..(play + 1) * AHEAD;
            let (tight, lost) = self.one_play(&self.arrivals[range.clone()], &self.free[range]);
            last[tight] += 1;
            lost_in_all += lost;
        }
        self.lost = f64::from(lost_in_all) / real(PLAYS);
        let mut plays = 0;
        self.harm[AHEAD] = 0.0;
        for slot in (0..AHEAD).rev() {
            plays += last[slot + 1];
            self.harm[slot] = f64::from(plays) / real(PLAYS);
        }
    }

    /// Calls that the lines in flight will probably cost, whatever is dialled now.
    pub(super) fn lost(&self) -> f64 {
        self.lost
    }

    /// One more than the last second at which no agent is left over, 0 when one always is; and calls lost.
    fn one_play(&self, arrivals: &[u8], free: &[u8]) -> (usize, i32) {
        let mut left =
            self.now_free + free[..self.grace].iter().map(|agents| i32::from(*agents)).sum::<i32>();
        let (mut tight, mut lost) = (0, 0);
        for (slot, lines) in arrivals.iter().enumerate() {
            left += free.get(slot + self.grace).map_or(0, |agents| i32::from(*agents)) - i32::from(*lines);
            if left <= 0 {
                // Who found nobody is gone and takes no agent later.
                lost -= left;
                left = 0;
                tight = slot + 1;
            }
        }
        (tight, lost)
    }

    /// Probability that an answer of a line with this density costs a call, its own or another one.
    pub(super) fn harm(&self, density: &Density) -> f64 {
        self.weighed(density, 0)
    }

    /// The same for the line dialled a second later.
    pub(super) fn harm_later(&self, density: &Density) -> f64 {
        self.weighed(density, 1)
    }

    fn weighed(&self, density: &Density, later: usize) -> f64 {
        let sum: f64 = density.iter().sum();
        let harm: f64 = density.iter().zip(&self.harm[later..]).map(|(share, harm)| share * harm).sum();
        if sum > 1e-9 { harm / sum } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: usize, share: f64) -> Density {
        let mut density = [0.0; AHEAD];
        density[second] = share;
        density
    }

    #[test]
    fn an_answer_with_nobody_free_always_costs_a_call() {
        let mut outlook = Outlook::new(2.0);
        outlook.begin(0);
        outlook.play();
        assert!(outlook.harm(&at(5, 0.3)) > 0.99);
        outlook.begin(1);
        outlook.play();
        assert!(outlook.harm(&at(5, 0.3)) < 0.01);
    }

    #[test]
    fn an_agent_free_within_the_grace_is_in_time() {
        let mut outlook = Outlook::new(2.0);
        outlook.begin(0);
        outlook.agent(&at(7, 1.0));
        outlook.play();
        assert!(outlook.harm(&at(5, 1.0)) < 0.01);
        assert!(outlook.harm(&at(4, 1.0)) > 0.99);
    }

    #[test]
    fn another_line_for_the_same_agent_is_counted() {
        let mut outlook = Outlook::new(2.0);
        outlook.begin(1);
        outlook.line(&at(10, 0.5));
        outlook.play();
        let harm = outlook.harm(&at(5, 1.0));
        assert!((harm - 0.5).abs() < 0.02, "half of the time the other one comes: {harm}");
    }
}
