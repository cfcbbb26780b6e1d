//! Hot desks: who is logged in at which phone instead of its owner. A phone serves one person and a person one phone; who
//! logs in somewhere leaves the place before. Decides nothing about rights or PINs.
use model::clock::Wall;
use model::config::Config;
use model::config::extension::HotDesk;
use model::number::Number;
use model::record::SeatRecord;
use std::collections::{BTreeMap, BTreeSet};

/// Who is where. Bounded by the extensions of the site.
#[derive(Clone, Debug, Default)]
pub struct Seats {
    guests: BTreeMap<Number, Number>,
    phones: BTreeMap<Number, Number>,
}

/// What a change of seats did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Numbers that may now be reached elsewhere, or nowhere, or again.
    pub touched: BTreeSet<Number>,
    /// Phones that have another guest than before, or none.
    pub phones: BTreeSet<Number>,
}

impl Seats {
    /// Who is logged in at a phone instead of its owner.
    #[must_use]
    pub fn guest(&self, phone: &Number) -> Option<&Number> {
        self.guests.get(phone)
    }

    /// The foreign phone where somebody is logged in.
    #[must_use]
    pub fn away(&self, person: &Number) -> Option<&Number> {
        self.phones.get(person)
    }

    /// Whom a phone serves: its guest, else its owner unless that one is elsewhere. A shared phone is nobody's.
    #[must_use]
    pub fn serves(&self, config: &Config, phone: &Number) -> Option<Number> {
        if let Some(guest) = self.guests.get(phone) {
            return Some(guest.clone());
        }
        let shared = config.extension.get(phone).is_some_and(|e| e.hot_desk == HotDesk::Shared);
        (!shared && !self.phones.contains_key(phone)).then(|| phone.clone())
    }

    /// The phone that rings for a number: where its person is, else its own unless a guest is there.
    #[must_use]
    pub fn rings<'a>(&'a self, number: &'a Number) -> Option<&'a Number> {
        match self.phones.get(number) {
            Some(phone) => Some(phone),
            None => (!self.guests.contains_key(number)).then_some(number),
        }
    }

    /// Somebody logs in at a phone; at the own phone that is coming home. Whoever was there before is logged out.
    pub fn sit(&mut self, phone: &Number, person: &Number) -> Moved {
        if self.serves_as_guest(phone, person) {
            return Moved::default();
        }
        let mut moved = self.leave(phone);
        if let Some(before) = self.phones.get(person).cloned() {
            moved.join(self.leave(&before));
        }
        if phone != person {
            self.guests.insert(phone.clone(), person.clone());
            self.phones.insert(person.clone(), phone.clone());
            moved.phones.insert(phone.clone());
            moved.touched.extend([phone.clone(), person.clone()]);
        }
        moved
    }

    /// The guest at a phone logs out.
    pub fn leave(&mut self, phone: &Number) -> Moved {
        let mut moved = Moved::default();
        if let Some(person) = self.guests.remove(phone) {
            self.phones.remove(&person);
            moved.phones.insert(phone.clone());
            moved.touched.extend([phone.clone(), person]);
        }
        moved
    }

    /// Another configuration: guests who are no longer known, or at phones that take no guests any more, are logged out.
    pub fn configure(&mut self, config: &Config) -> Moved {
        let open = |phone: &Number| config.extension.get(phone).is_some_and(|e| e.hot_desk != HotDesk::No);
        let gone =
            |(phone, person): &(&Number, &Number)| !open(phone) || !config.extension.contains_key(*person);
        let phones: Vec<Number> = self.guests.iter().filter(gone).map(|(phone, _)| phone.clone()).collect();
        let mut moved = Moved::default();
        for phone in phones {
            moved.join(self.leave(&phone));
        }
        moved
    }

    /// Takes over who was where when the box stopped; of two records about one person the later counts.
    pub fn restore(&mut self, config: &Config, kept: &[SeatRecord]) {
        let mut kept: Vec<&SeatRecord> = kept.iter().collect();
        kept.sort_by_key(|record| record.since);
        for record in kept {
            if let Some(person) = &record.person {
                self.sit(&record.phone, person);
            }
        }
        self.configure(config);
    }

    /// What is to be kept of a phone.
    #[must_use]
    pub fn record(&self, now: Wall, phone: &Number) -> SeatRecord {
        SeatRecord { phone: phone.clone(), person: self.guests.get(phone).cloned(), since: now }
    }

    fn serves_as_guest(&self, phone: &Number, person: &Number) -> bool {
        self.guests.get(phone) == Some(person)
    }
}

impl Moved {
    fn join(&mut self, other: Moved) {
        self.touched.extend(other.touched);
        self.phones.extend(other.phones);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{number, site};

    fn set(numbers: &[&str]) -> BTreeSet<Number> {
        numbers.iter().map(|n| number(n)).collect()
    }

    #[test]
    fn a_guest_takes_the_phone_and_the_owner_has_it_back() {
        let (config, mut seats) = (site(), Seats::default());
        let (own, desk) = (number("101"), number("102"));
        assert_eq!(seats.sit(&desk, &own), Moved { touched: set(&["101", "102"]), phones: set(&["102"]) });
        assert_eq!((seats.rings(&own), seats.rings(&desk)), (Some(&desk), None));
        assert_eq!((seats.serves(&config, &desk), seats.serves(&config, &own)), (Some(own.clone()), None));
        assert_eq!(seats.sit(&desk, &own), Moved::default(), "there already");
        seats.leave(&desk);
        assert_eq!((seats.rings(&own), seats.rings(&desk)), (Some(&own), Some(&desk)));
        assert_eq!(seats.serves(&config, &desk), Some(desk));
    }

    #[test]
    fn who_logs_in_elsewhere_leaves_and_who_is_there_is_sent_home() {
        let mut seats = Seats::default();
        let [a, b, c] = ["101", "102", "103"].map(number);
        seats.sit(&b, &a);
        let moved = seats.sit(&c, &a);
        assert_eq!((seats.guest(&b), seats.guest(&c)), (None, Some(&a)));
        assert_eq!(moved.phones, set(&["102", "103"]));
        seats.sit(&c, &b);
        assert_eq!((seats.away(&a), seats.away(&b)), (None, Some(&c)));
        assert_eq!(seats.sit(&b, &b).touched, set(&["102", "103"]), "coming home");
        assert_eq!((seats.rings(&b), seats.rings(&c)), (Some(&b), Some(&c)));
    }

    #[test]
    fn an_owner_who_logs_in_at_the_own_phone_sends_the_guest_home() {
        let mut seats = Seats::default();
        let [a, b] = ["101", "102"].map(number);
        seats.sit(&b, &a);
        seats.sit(&b, &b);
        assert_eq!((seats.guest(&b), seats.away(&a)), (None, None));
    }

    #[test]
    fn two_can_change_places_and_a_shared_phone_is_nobodys() {
        let (mut config, mut seats) = (site(), Seats::default());
        let [a, b, c] = ["101", "102", "103"].map(number);
        seats.sit(&b, &a);
        seats.sit(&a, &b);
        assert_eq!(
            (seats.serves(&config, &a), seats.serves(&config, &b)),
            (Some(b.clone()), Some(a.clone()))
        );
        assert_eq!((seats.rings(&a), seats.rings(&b)), (Some(&b), Some(&a)));
        config.extension.get_mut(&c).expect("there").hot_desk = HotDesk::Shared;
        assert_eq!((seats.serves(&config, &c), seats.rings(&c)), (None, Some(&c)));
    }

    #[test]
    fn a_phone_that_takes_no_guests_any_more_is_its_owners_and_a_restart_keeps_the_rest() {
        let (mut config, mut seats) = (site(), Seats::default());
        let [a, b, c] = ["101", "102", "103"].map(number);
        let at = |since, phone: &Number, person: &Number| SeatRecord {
            phone: phone.clone(),
            person: Some(person.clone()),
            since: Wall(since),
        };
        seats.restore(&config, &[at(9, &b, &a), at(5, &c, &a)]);
        assert_eq!((seats.away(&a), seats.guest(&c)), (Some(&b), None), "the later one counts");
        config.extension.get_mut(&b).expect("there").hot_desk = HotDesk::No;
        assert_eq!(seats.configure(&config).phones, set(&["102"]));
        assert_eq!(seats.away(&a), None);
    }
}
