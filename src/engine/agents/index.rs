//! What would else be looked for among all agents at every step: who works at a phone, how many of a queue are in which
//! state, and who may be free. The last is a superset: whoever is free is in it, and whoever is in it is asked; so a change
//! that is told too often costs a look and nothing else. Kept by `agents.rs` alone; decides nothing.
use super::Agent;
use model::number::Number;
use model::record::AgentState;
use std::collections::{BTreeMap, BTreeSet};

/// How many agents of a queue are in which states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ready.
    pub ready: u32,
    /// Offered or talking.
    pub busy: u32,
    /// At work in whatever state.
    pub logged_in: u32,
    /// Ready, in a call or after one: those who take calls, now or soon.
    pub serving: u32,
}

impl Counts {
    /// The counts of this state alone.
    fn of(state: &AgentState) -> Counts {
        let [ready, busy, logged_in, serving] = match state {
            AgentState::LoggedOut => [0, 0, 0, 0],
            AgentState::NotReady { .. } => [0, 0, 1, 0],
            AgentState::Ready => [1, 0, 1, 1],
            AgentState::Offered | AgentState::Talking => [0, 1, 1, 1],
            AgentState::WrapUp => [0, 0, 1, 1],
        };
        Counts { ready, busy, logged_in, serving }
    }

    fn add(&mut self, other: Counts) {
        self.ready += other.ready;
        self.busy += other.busy;
        self.logged_in += other.logged_in;
        self.serving += other.serving;
    }

    fn take(&mut self, other: Counts) {
        self.ready = self.ready.saturating_sub(other.ready);
        self.busy = self.busy.saturating_sub(other.busy);
        self.logged_in = self.logged_in.saturating_sub(other.logged_in);
        self.serving = self.serving.saturating_sub(other.serving);
    }
}

/// The index. Bounded by the agents and the queues they serve.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    at: BTreeMap<Number, BTreeSet<String>>,
    counts: BTreeMap<String, Counts>,
    /// By queue and place in its list.
    maybe: BTreeMap<String, BTreeMap<usize, String>>,
}

impl Index {
    /// The index of these agents. O(n log n).
    pub(super) fn of<'a>(agents: impl Iterator<Item = &'a Agent>) -> Index {
        let mut index = Index::default();
        for agent in agents {
            index.at.entry(agent.extension.clone()).or_default().insert(agent.id.clone());
            for queue in agent.queues.keys() {
                index.counts.entry(queue.clone()).or_default().add(Counts::of(&agent.state));
            }
            index.may_be_free(agent);
        }
        index
    }

    /// Who works at a phone.
    pub(super) fn at(&self, extension: &Number) -> impl Iterator<Item = &String> {
        self.at.get(extension).into_iter().flatten()
    }

    pub(super) fn counts(&self, queue: &str) -> Counts {
        self.counts.get(queue).copied().unwrap_or_default()
    }

    /// Who may be free in a queue, in the order of its list.
    pub(super) fn maybe_free(&self, queue: &str) -> impl Iterator<Item = (usize, &String)> {
        self.maybe.get(queue).into_iter().flatten().map(|(place, id)| (*place, id))
    }

    /// Something about this agent changed.
    pub(super) fn may_be_free(&mut self, agent: &Agent) {
        for (queue, place) in &agent.queues {
            match self.maybe.get_mut(queue) {
                Some(places) => drop(places.insert(*place, agent.id.clone())),
                None => drop(self.maybe.insert(queue.clone(), BTreeMap::from([(*place, agent.id.clone())]))),
            }
        }
    }

    /// The agent is about to enter this state.
    pub(super) fn changes(&mut self, agent: &Agent, to: &AgentState) {
        for queue in agent.queues.keys() {
            if let Some(counts) = self.counts.get_mut(queue) {
                counts.take(Counts::of(&agent.state));
                counts.add(Counts::of(to));
            }
        }
        self.may_be_free(agent);
    }

    /// The agent is gone, and served no queue at the end.
    pub(super) fn forget(&mut self, agent: &Agent) {
        if let Some(here) = self.at.get_mut(&agent.extension) {
            here.remove(&agent.id);
        }
    }

    /// Keeps those of a queue who are free.
    pub(super) fn prune(&mut self, queue: &str, free: impl Fn(&str) -> bool) {
        if let Some(places) = self.maybe.get_mut(queue) {
            places.retain(|_, id| free(id));
        }
    }
}
