//! Chooses the agents for the caller at the head of a queue. Pure; called by acd.rs after every change of agents or
//! tickets. Rules: GLOSSARY "choose". Never waits, never rings. O(agents of the queue that are free).
use crate::agents::Agent;
use model::clock::Mono;
use model::config::queue::{Queue, Strategy};

/// Most phones rung at once by `ring_all`: each ringing phone is an INVITE and a leg until one answers.
pub const RING_ALL_MAX: usize = 20;

/// What else counts in a choice.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Now.
    pub now: Mono,
    /// Place in the list of the agent that was offered a call of this queue last.
    pub last_place: Option<usize>,
    /// A number that nobody foresees, for [`Strategy::Random`].
    pub dice: u64,
    /// Who gets it before all others.
    pub preferred: Option<&'a str>,
}

/// Picks from `free`, the agents of the queue that may be offered this call now, each with its place in the queue's list,
/// in the order of places. One id, or several for ring all, or none when nobody is free.
#[must_use]
pub fn choose(rules: &Queue, free: &[(usize, &Agent)], at: Moment<'_>) -> Vec<String> {
    if let Some(preferred) = at.preferred.filter(|id| free.iter().any(|(_, a)| a.id == *id)) {
        return vec![preferred.to_owned()];
    }
    match rules.strategy {
        Strategy::Balanced => one(free.iter().min_by_key(|(p, a)| (a.busy_part(at.now), a.idle_since, *p))),
        Strategy::FewestCalls => one(free.iter().min_by_key(|(p, a)| (a.calls, a.idle_since, *p))),
        Strategy::InOrder => one(free.first()),
        Strategy::LeastTalk => one(free.iter().min_by_key(|(p, a)| (a.talk, a.idle_since, *p))),
        Strategy::LongestIdle => one(free.iter().min_by_key(|(p, a)| (a.idle_since, *p))),
        Strategy::Random => one(free.get(any(at.dice, free.len()))),
        Strategy::RingAll => free.iter().take(RING_ALL_MAX).map(|(_, a)| a.id.clone()).collect(),
        Strategy::RoundRobin => {
            one(free.iter().min_by_key(|(p, _)| (at.last_place.is_some_and(|last| *p <= last), *p)))
        }
        Strategy::Weighted => {
            one(free.iter().min_by_key(|(p, a)| (against_weight(rules, a), a.idle_since, *p)))
        }
    }
}

fn one(found: Option<&(usize, &Agent)>) -> Vec<String> {
    found.map(|(_, agent)| agent.id.clone()).into_iter().collect()
}

/// An index below `len`, each with the same chance (to one part in 2^55 for 500 agents).
fn any(dice: u64, len: usize) -> usize {
    usize::try_from((u128::from(dice) * (len as u128)) >> 64).unwrap_or(0)
}

/// Calls with the next one, over the weight; equal parts give equal numbers.
fn against_weight(rules: &Queue, agent: &Agent) -> u64 {
    let weight = rules.weight.get(&agent.id).copied().unwrap_or(1).max(1);
    ((u64::from(agent.calls) + 1) << 32) / u64::from(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::config::Config;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn agent(id: &str, idle_since: u64, calls: u32) -> Agent {
        let mut agent = Agent::fresh(&model::config::extension::Agent {
            id: id.into(),
            name: id.into(),
            extension: model::number::Number::read(id).expect("digits"),
            always_on: false,
            skill: BTreeMap::new(),
        });
        agent.idle_since = Mono(idle_since);
        agent.calls = calls;
        agent
    }

    fn rules(strategy: Strategy) -> Queue {
        let config: Config = crate::fixture::site();
        let mut rules = config.queue["support"].clone();
        rules.strategy = strategy;
        rules.weight = BTreeMap::from([("1".to_owned(), 5)]);
        rules
    }

    fn at(last_place: Option<usize>) -> Moment<'static> {
        Moment { now: Mono(1_000_000_000), last_place, dice: u64::MAX, preferred: None }
    }

    #[test]
    fn each_rule_picks_the_agent_it_names() {
        let (mut a, mut b, mut c) = (agent("1", 30, 5), agent("2", 20, 1), agent("3", 10, 1));
        for (agent, talk, wrap, at_work) in
            [(&mut a, 300, 0, 900), (&mut b, 100, 80, 300), (&mut c, 200, 50, 1000)]
        {
            agent.talk = Duration::from_secs(talk);
            agent.wrap = Duration::from_secs(wrap);
            agent.came = Mono(1_000_000_000 - at_work * 1_000_000);
        }
        let free = [(0, &a), (1, &b), (2, &c)];
        let table: [(Strategy, Option<usize>, &[&str]); 12] = [
            (Strategy::LongestIdle, None, &["3"]),
            (Strategy::FewestCalls, None, &["3"]),
            (Strategy::RingAll, None, &["1", "2", "3"]),
            (Strategy::RoundRobin, None, &["1"]),
            (Strategy::RoundRobin, Some(0), &["2"]),
            (Strategy::RoundRobin, Some(1), &["3"]),
            (Strategy::RoundRobin, Some(2), &["1"]),
            (Strategy::InOrder, Some(1), &["1"]),
            (Strategy::LeastTalk, None, &["2"]),
            (Strategy::Balanced, None, &["3"]),
            (Strategy::Weighted, None, &["1"]),
            (Strategy::Random, None, &["3"]),
        ];
        for (strategy, last, expected) in table {
            assert_eq!(choose(&rules(strategy), &free, at(last)), expected, "{strategy:?} after {last:?}");
        }
        let liked = Moment { preferred: Some("2"), ..at(None) };
        assert_eq!(choose(&rules(Strategy::RingAll), &free, liked), ["2"]);
    }

    #[test]
    fn round_robin_skips_those_who_are_not_free_and_nobody_free_is_nobody() {
        let (a, c) = (agent("1", 0, 0), agent("3", 0, 0));
        assert_eq!(choose(&rules(Strategy::RoundRobin), &[(0, &a), (2, &c)], at(Some(0))), ["3"]);
        assert!(choose(&rules(Strategy::LongestIdle), &[], at(None)).is_empty());
        assert!(choose(&rules(Strategy::Random), &[], at(None)).is_empty());
    }

    #[test]
    fn ring_all_rings_a_bounded_number_of_phones() {
        let all: Vec<Agent> = (0..50).map(|n| agent(&n.to_string(), 0, 0)).collect();
        let free: Vec<(usize, &Agent)> = all.iter().enumerate().collect();
        assert_eq!(choose(&rules(Strategy::RingAll), &free, at(None)).len(), RING_ALL_MAX);
    }
}
