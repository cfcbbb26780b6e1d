//! Chooses the agents for the caller at the head of a queue. Pure; called by acd.rs after every change of agents or
//! tickets. Rules: GLOSSARY "choose". Never waits, never rings. O(agents of the queue).
use crate::agents::Agent;
use model::config::queue::Strategy;

/// Most phones rung at once by `ring_all`: each ringing phone is an INVITE and a leg until one answers.
pub const RING_ALL_MAX: usize = 20;

/// Picks from `free`, the agents of the queue that may be offered a call now, each with its place in the queue's list.
/// One id, or several for ring all, or none when nobody is free.
#[must_use]
pub fn choose(strategy: Strategy, free: &[(usize, &Agent)], last_place: Option<usize>) -> Vec<String> {
    match strategy {
        Strategy::FewestCalls => one(free.iter().min_by_key(|(place, a)| (a.calls, a.idle_since, *place))),
        Strategy::LongestIdle => one(free.iter().min_by_key(|(place, a)| (a.idle_since, *place))),
        Strategy::RingAll => free.iter().take(RING_ALL_MAX).map(|(_, a)| a.id.clone()).collect(),
        Strategy::RoundRobin => {
            one(free.iter().min_by_key(|(place, _)| (last_place.is_some_and(|last| *place <= last), *place)))
        }
    }
}

fn one(found: Option<&(usize, &Agent)>) -> Vec<String> {
    found.map(|(_, agent)| agent.id.clone()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Mono;

    fn agent(id: &str, idle_since: u64, calls: u32) -> Agent {
        let mut agent = Agent::fresh(&model::config::extension::Agent {
            id: id.into(),
            name: id.into(),
            extension: model::number::Number::read(id).expect("digits"),
            always_on: false,
        });
        agent.idle_since = Mono(idle_since);
        agent.calls = calls;
        agent
    }

    #[test]
    fn each_rule_picks_the_agent_it_names() {
        let (a, b, c) = (agent("1", 30, 5), agent("2", 20, 1), agent("3", 10, 1));
        let free = [(0, &a), (1, &b), (2, &c)];
        let table: [(Strategy, Option<usize>, &[&str]); 7] = [
            (Strategy::LongestIdle, None, &["3"]),
            (Strategy::FewestCalls, None, &["3"]),
            (Strategy::RingAll, None, &["1", "2", "3"]),
            (Strategy::RoundRobin, None, &["1"]),
            (Strategy::RoundRobin, Some(0), &["2"]),
            (Strategy::RoundRobin, Some(1), &["3"]),
            (Strategy::RoundRobin, Some(2), &["1"]),
        ];
        for (strategy, last, expected) in table {
            assert_eq!(choose(strategy, &free, last), expected, "{strategy:?} after {last:?}");
        }
    }

    #[test]
    fn round_robin_skips_those_who_are_not_free_and_nobody_free_is_nobody() {
        let (a, c) = (agent("1", 0, 0), agent("3", 0, 0));
        assert_eq!(choose(Strategy::RoundRobin, &[(0, &a), (2, &c)], Some(0)), ["3"]);
        assert!(choose(Strategy::LongestIdle, &[], None).is_empty());
    }

    #[test]
    fn ring_all_rings_a_bounded_number_of_phones() {
        let all: Vec<Agent> = (0..50).map(|n| agent(&n.to_string(), 0, 0)).collect();
        let free: Vec<(usize, &Agent)> = all.iter().enumerate().collect();
        assert_eq!(choose(Strategy::RingAll, &free, None).len(), RING_ALL_MAX);
    }
}
