//! Who calls, by number: everybody the site knows, in memory, so that a call never waits for the disk. Loaded at the start,
//! kept current by `Event::Contacts`. Notes stay on the disk: no decision reads them. Decides nothing.
use model::contact::{Contact, ContactChange, MOST};
use model::id::ContactId;
use std::collections::BTreeMap;

/// The table.
#[derive(Debug, Default)]
pub struct Contacts {
    by_id: BTreeMap<ContactId, Contact>,
    by_number: BTreeMap<String, ContactId>,
}

impl Contacts {
    /// The table of a start.
    #[must_use]
    pub fn new(known: Vec<Contact>) -> Contacts {
        let mut table = Contacts::default();
        known.into_iter().for_each(|contact| table.put(contact));
        table
    }

    /// Takes changes in the order in which they were kept.
    pub fn take(&mut self, changes: Vec<ContactChange>) {
        for change in changes {
            match change {
                ContactChange::Put(contact) => self.put(*contact),
                ContactChange::Gone(contact) => self.forget(contact),
            }
        }
    }

    /// Who has this number, in the form callers are shown in (`Party::number`).
    #[must_use]
    pub fn find(&self, number: &str) -> Option<&Contact> {
        self.by_id.get(self.by_number.get(number)?)
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, contact: ContactId) -> Option<&Contact> {
        self.by_id.get(&contact)
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// One too many is left out: the store keeps to the same limit, so it never is.
    fn put(&mut self, mut contact: Contact) {
        self.forget(contact.contact);
        if self.by_id.len() >= MOST {
            return;
        }
        contact.notes = String::new();
        for number in &contact.numbers {
            self.by_number.insert(number.as_str().to_owned(), contact.contact);
        }
        self.by_id.insert(contact.contact, contact);
    }

    fn forget(&mut self, contact: ContactId) {
        let Some(old) = self.by_id.remove(&contact) else { return };
        for number in &old.numbers {
            if self.by_number.get(number.as_str()) == Some(&contact) {
                self.by_number.remove(number.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;
    use model::number::Number;

    fn contact(id: u64, numbers: &[&str], class: &str) -> Contact {
        Contact {
            contact: ContactId(id),
            numbers: numbers.iter().filter_map(|n| Number::read(n)).collect(),
            name: format!("Customer {id}"),
            company: String::new(),
            class: class.into(),
            language: None,
            notes: "long".into(),
            fields: BTreeMap::new(),
            changed: Wall(0),
        }
    }

    #[test]
    fn a_caller_is_found_by_any_number_and_by_none_that_was_taken_away() {
        let mut table =
            Contacts::new(vec![contact(1, &["+4930111", "+4930222"], ""), contact(2, &["+4930333"], "vip")]);
        assert_eq!(table.find("+4930222").map(|c| c.contact), Some(ContactId(1)));
        assert_eq!(table.find("+4930333").map(|c| c.class.as_str()), Some("vip"));
        assert_eq!(table.find("+4930444"), None);
        let moved = ContactChange::Put(Box::new(contact(1, &["+4930111"], "vip")));
        table.take(vec![moved, ContactChange::Gone(ContactId(2))]);
        assert_eq!(table.find("+4930111").map(|c| (c.class.as_str(), c.notes.as_str())), Some(("vip", "")));
        assert!(table.find("+4930222").is_none() && table.find("+4930333").is_none());
        assert_eq!((table.len(), table.by_number.len()), (1, 1), "nothing of what is gone stays");
    }
}
