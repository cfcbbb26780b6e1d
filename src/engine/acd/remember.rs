//! What a new start goes on with: figures of the day, what agents did since they came, callers who waited and ring again.
//! Parts of [`Acd`]. Decides only who has an old place again.
use super::Acd;
use super::ticket::Caller;
use model::clock::{Mono, Now, Wall};
use model::past::{AgentDay, Past, RETURN_MS};
use model::report::QueueFigures;
use std::collections::BTreeMap;
use std::time::Duration;

/// Callers who waited when the box stopped, by queue and number; as many as waited.
#[derive(Clone, Debug, Default)]
pub(super) struct Returns {
    since: BTreeMap<(String, String), Wall>,
    until: Mono,
}

impl Acd {
    pub(super) fn remember(&mut self, now: Now, past: &Past) {
        for figures in &past.queues {
            self.remember_queue(now, figures);
        }
        let ids: Vec<String> = self.agents.all().map(|a| a.id.clone()).collect();
        for id in ids {
            if let Some(agent) = self.agents.get_mut(&id) {
                match past.agents.get(&id) {
                    Some(day) => remember_agent(agent, now, day),
                    None => agent.came = now.mono,
                }
            }
        }
        let waited = past.waited.iter().map(|w| ((w.queue.clone(), w.number.clone()), w.since));
        let patience = Duration::from_millis(RETURN_MS.unsigned_abs());
        self.returns = Returns { since: waited.collect(), until: now.mono + patience };
    }

    fn remember_queue(&mut self, now: Now, figures: &QueueFigures) {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let tally = self.tally(now, &figures.queue);
        tally.offered = small(figures.offered);
        tally.answered = small(figures.answered);
        tally.abandoned = small(figures.abandoned);
        tally.overflowed = small(figures.overflowed);
        tally.promised = small(figures.called_back);
        tally.in_level = small(figures.in_level);
        tally.wait_ms = figures.wait_ms;
    }

    /// Who waited when the box stopped and rings again has waited since then.
    pub(super) fn returns(&mut self, now: Now, queue: &str, caller: &mut Caller) {
        if self.returns.since.is_empty() {
            return;
        }
        if now.mono > self.returns.until {
            return self.returns.since.clear();
        }
        let key = (queue.to_owned(), caller.party.number.clone());
        if let Some(since) = self.returns.since.remove(&key) {
            let waited = u64::try_from(now.wall.millis_since(since)).unwrap_or(0);
            caller.waited = caller.waited.max(Duration::from_millis(waited));
        }
    }

    /// What queues that begin anew within this start go on with.
    #[must_use]
    pub fn past(&self, now: Now) -> Past {
        let queues = self.tallies.iter().map(|(queue, t)| QueueFigures {
            queue: queue.clone(),
            offered: t.offered.into(),
            answered: t.answered.into(),
            abandoned: t.abandoned.into(),
            overflowed: t.overflowed.into(),
            called_back: t.promised.into(),
            in_level: t.in_level.into(),
            wait_ms: t.wait_ms,
            ..QueueFigures::default()
        });
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let day = |a: &crate::agents::Agent| AgentDay {
            came: Wall(
                now.wall
                    .0
                    .saturating_sub(i64::try_from(now.mono.since(a.came).as_millis()).unwrap_or(i64::MAX)),
            ),
            calls: a.calls,
            talk_ms: millis(a.talk),
            wrap_ms: millis(a.wrap),
            missed: a.missed,
            last_call: a.last_call,
            last_queue: a.last_queue.clone(),
            wrap_code: a.wrap_code.clone(),
        };
        let at_work = self.agents.all().filter(|a| a.logged_in());
        Past {
            callbacks: self.promises(),
            queues: queues.collect(),
            agents: at_work.map(|a| (a.id.clone(), day(a))).collect(),
            waited: Vec::new(),
        }
    }
}

fn remember_agent(agent: &mut crate::agents::Agent, now: Now, day: &AgentDay) {
    let ago = Duration::from_millis(u64::try_from(now.wall.millis_since(day.came)).unwrap_or(0));
    let micros = u64::try_from(ago.as_micros()).unwrap_or(u64::MAX);
    agent.came = Mono(now.mono.0.saturating_sub(micros));
    agent.calls = day.calls;
    agent.talk = Duration::from_millis(day.talk_ms);
    agent.wrap = Duration::from_millis(day.wrap_ms);
    agent.missed = day.missed;
    agent.last_call = day.last_call;
    agent.last_queue.clone_from(&day.last_queue);
    agent.wrap_code.clone_from(&day.wrap_code);
}
