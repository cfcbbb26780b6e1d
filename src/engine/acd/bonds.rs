//! Which agents served a customer, how often and when last, so that a customer who calls again can get the one they know.
//! Bounded: the customers heard of longest ago are forgotten first. Decides nothing about offers.
use model::clock::Wall;
use model::number::Number;
use model::record::Bond;
use std::collections::{BTreeMap, BTreeSet};

/// Customers remembered: about 8 MB.
pub const CUSTOMERS_MAX: usize = 50_000;
/// Agents remembered of one customer; the one longest ago is forgotten first.
const AGENTS_MAX: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Served {
    times: u32,
    last: Wall,
}

#[derive(Clone, Debug, Default)]
struct Customer {
    last: Wall,
    agents: BTreeMap<String, Served>,
}

/// Who knows whom.
#[derive(Clone, Debug, Default)]
pub struct Bonds {
    customers: BTreeMap<Number, Customer>,
    by_time: BTreeSet<(Wall, Number)>,
}

impl Bonds {
    /// What the store remembers.
    #[must_use]
    pub fn new(kept: &[Bond]) -> Bonds {
        let mut bonds = Bonds::default();
        for bond in kept {
            bonds.add(&bond.customer, &bond.agent, bond.times, bond.last);
        }
        bonds
    }

    /// An agent took a call of this customer. O(log n).
    pub fn served(&mut self, at: Wall, customer: &Number, agent: &str) {
        self.add(customer, agent, 1, at);
    }

    fn add(&mut self, number: &Number, agent: &str, times: u32, at: Wall) {
        let customer = self.customers.entry(number.clone()).or_default();
        self.by_time.remove(&(customer.last, number.clone()));
        customer.last = customer.last.max(at);
        self.by_time.insert((customer.last, number.clone()));
        let served = customer.agents.entry(agent.to_owned()).or_default();
        served.times = served.times.saturating_add(times);
        served.last = served.last.max(at);
        if customer.agents.len() > AGENTS_MAX {
            let oldest = customer.agents.iter().min_by_key(|(_, s)| s.last).map(|(id, _)| id.clone());
            oldest.map(|id| customer.agents.remove(&id));
        }
        if self.customers.len() > CUSTOMERS_MAX
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.customers.remove(&oldest);
        }
    }

    /// Of the agents that may be asked, the one who served this customer most often; among equals the last one.
    #[must_use]
    pub fn familiar(&self, customer: &Number, may: impl Fn(&str) -> bool) -> Option<&str> {
        self.best(customer, may, |s| (s.times, s.last))
    }

    /// Of the agents that may be asked, the one who served this customer last.
    #[must_use]
    pub fn last(&self, customer: &Number, may: impl Fn(&str) -> bool) -> Option<&str> {
        self.best(customer, may, |s| (0, s.last))
    }

    fn best(
        &self,
        customer: &Number,
        may: impl Fn(&str) -> bool,
        by: impl Fn(&Served) -> (u32, Wall),
    ) -> Option<&str> {
        let agents = &self.customers.get(customer)?.agents;
        let known = agents.iter().filter(|(id, _)| may(id));
        known.max_by_key(|(_, served)| by(served)).map(|(id, _)| id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::number;

    #[test]
    fn familiar_is_who_served_most_and_last_is_who_served_last() {
        let mut bonds =
            Bonds::new(&[Bond { customer: number("+49301"), agent: "a".into(), times: 4, last: Wall(40) }]);
        bonds.served(Wall(50), &number("+49301"), "a");
        bonds.served(Wall(60), &number("+49301"), "b");
        let anna = number("+49301");
        assert_eq!(bonds.familiar(&anna, |_| true), Some("a"));
        assert_eq!(bonds.last(&anna, |_| true), Some("b"));
        assert_eq!(bonds.last(&anna, |id| id != "b"), Some("a"), "who is not at work is passed over");
        assert_eq!(bonds.familiar(&number("+49302"), |_| true), None);
    }

    #[test]
    fn customers_of_long_ago_are_forgotten_first() {
        let mut bonds = Bonds::default();
        for n in 0..CUSTOMERS_MAX + 10 {
            let customer = number(&format!("+4930{n}"));
            bonds.served(Wall(i64::try_from(n).expect("small")), &customer, "a");
        }
        assert_eq!((bonds.customers.len(), bonds.by_time.len()), (CUSTOMERS_MAX, CUSTOMERS_MAX));
        assert_eq!(bonds.last(&number("+49309"), |_| true), None);
        assert_eq!(bonds.last(&number("+493010"), |_| true), Some("a"));
    }
}
