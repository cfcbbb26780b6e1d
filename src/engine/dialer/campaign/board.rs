//! The board of a campaign: what is told each second, and the band in which its rate of abandoned calls truly lies.
use super::{Campaign, Cx, Out, Seat, seconds};
use crate::dialer::pace::AgentState as Paced;
use model::campaign::CampaignView;
use model::clock::Mono;
use model::notice::Notice;
use model::record::AgentState;
use std::time::Duration;

/// The board is told this often while something runs.
const EVERY: Duration = Duration::from_secs(1);
/// How far ahead the number of free agents is thought of.
const AHEAD_S: f64 = 10.0;

impl Campaign {
    /// What the agents do goes to the pace, and into the sums of the board.
    pub(super) fn follow_agents(&mut self, cx: &Cx, seats: &[Seat]) {
        let passed = self.pace.began;
        self.pace.began = cx.now.mono;
        let ms = u64::try_from(cx.now.mono.since(passed).as_millis()).unwrap_or(0);
        for seat in seats {
            match seat.state {
                AgentState::Talking => self.tally.talk_ms += ms,
                AgentState::WrapUp => self.tally.wrap_ms += ms,
                AgentState::LoggedOut
                | AgentState::NotReady { .. }
                | AgentState::Ready
                | AgentState::Offered => {}
            }
            if !matches!(seat.state, AgentState::NotReady { .. }) {
                self.tally.work_ms += ms;
            }
            let next = u64::try_from(self.pace.agents.len()).unwrap_or(u64::MAX);
            let id = *self.pace.agents.entry(seat.id.clone()).or_insert(next);
            let reserved = self.is_reserved(&seat.id);
            let state = paced(seat, reserved);
            self.pace.pace.agent(id, state, seconds(seat.since));
        }
        let gone: Vec<u64> = self
            .pace
            .agents
            .iter()
            .filter(|(agent, _)| !seats.iter().any(|s| &s.id == *agent))
            .map(|(_, id)| *id)
            .collect();
        for id in gone {
            self.pace.pace.agent(id, Paced::Pause, seconds(cx.now.mono));
        }
    }

    /// Tells the board when it changed, at most once a second.
    pub fn tell(&mut self, cx: &Cx, out: &mut Vec<Out>) {
        let due = self.told_at.is_none_or(|at| cx.now.mono.since(at) >= EVERY);
        if !due {
            return;
        }
        self.told_at = Some(cx.now.mono);
        let view = self.view(cx);
        if self.told.as_ref() != Some(&view) {
            self.told = Some(view.clone());
            out.push(Out::Notice(Notice::Campaign(Box::new(view))));
        }
    }

    fn view(&mut self, cx: &Cx) -> CampaignView {
        let seats = self.seats(cx);
        let count = |what: &dyn Fn(&Seat) -> bool| {
            u32::try_from(seats.iter().filter(|s| what(s)).count()).unwrap_or(u32::MAX)
        };
        let (low, high) = band(self.account.1, self.account.0);
        let held = if self.steering.running { self.health.held } else { "paused" };
        let form = self.form();
        let thought = self.pace.thought(cx.now.mono);
        CampaignView {
            campaign: self.settings.name.clone(),
            queue: self.settings.queue.clone(),
            left: self.steering.left.iter().cloned().collect(),
            steering: self.steering.clone(),
            form,
            works_as: self.health.works_as(form),
            held: held.to_owned(),
            agents: count(&|_| true),
            free: count(&|s| s.free),
            talking: count(&|s| s.state == AgentState::Talking),
            wrap_up: count(&|s| s.state == AgentState::WrapUp),
            free_thought: thought,
            lines: u32::try_from(self.trials.values().filter(|t| t.is_flying()).count()).unwrap_or(u32::MAX),
            ready: u32::try_from(self.hopper.len()).unwrap_or(u32::MAX),
            live_30: self.account.0,
            abandoned_30: self.account.1,
            rate_low: low,
            rate_high: high,
            rate_max: self.rules.abandoned_permille * 10,
            ..self.tally.clone()
        }
    }
}

impl super::Pacing {
    /// The number of agents that was thought to be free by now, ten seconds ago; what is thought now is noted.
    fn thought(&mut self, now: Mono) -> u32 {
        let soon = self.pace.soon(seconds(now), AHEAD_S);
        self.thoughts.push_back((now, soon));
        let due = |at: Mono| now.since(at) >= Duration::from_secs_f64(AHEAD_S);
        while self.thoughts.len() > 1 && self.thoughts.get(1).is_some_and(|(at, _)| due(*at)) {
            self.thoughts.pop_front();
        }
        self.thoughts.front().map_or(0, |(_, thought)| *thought)
    }
}

fn paced(seat: &Seat, reserved: bool) -> Paced {
    match seat.state {
        AgentState::LoggedOut | AgentState::NotReady { .. } => Paced::Pause,
        AgentState::Ready if seat.free && !reserved => Paced::Ready,
        // Kept for one call, or at a phone that is in use: not free for lines dialled ahead.
        AgentState::Ready => Paced::Pause,
        AgentState::Offered | AgentState::Talking => Paced::Talk,
        AgentState::WrapUp => Paced::Wrap,
    }
}

/// The 95 % band of a share (Wilson), in hundredths of a percent.
#[must_use]
pub fn band(hits: u32, of: u32) -> (u32, u32) {
    if of == 0 {
        return (0, 10_000);
    }
    const Z: f64 = 1.96;
    let (n, p) = (f64::from(of), f64::from(hits.min(of)) / f64::from(of));
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let share = |x: f64| hundredths((x / (1.0 + z2 / n)).clamp(0.0, 1.0));
    (share(middle - spread), share(middle + spread))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share between 0 and 1")]
fn hundredths(share: f64) -> u32 {
    (share * 10_000.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_narrows_with_the_calls_behind_it() {
        assert_eq!(band(0, 0), (0, 10_000));
        let (low, high) = band(3, 100);
        assert!((80..=110).contains(&low) && (820..=870).contains(&high), "{low} {high}");
        let (low, high) = band(300, 10_000);
        assert!(low > 260 && high < 340, "{low} {high}");
    }
}
