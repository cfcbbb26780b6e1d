//! Contacts as they are typed, imported and found again, also after a restart.
use crate::kept::open;
use model::clock::Wall;
use model::contact::{Contact, ContactQuery, ContactRefusal};
use model::id::ContactId;
use model::number::Number;
use store::Store;

fn contact(name: &str, numbers: &[&str]) -> Contact {
    Contact {
        contact: ContactId(0),
        numbers: numbers.iter().filter_map(|n| Number::read(n)).collect(),
        name: name.into(),
        company: "Harbour 100%".into(),
        class: "vip".into(),
        language: Some(model::media::Language::Zh),
        notes: "n".into(),
        fields: [("customer_no".to_owned(), "7".to_owned())].into(),
        changed: Wall(1),
    }
}

fn names(store: &Store, query: ContactQuery) -> Vec<String> {
    let page = store.reader().contacts(&ContactQuery { limit: 50, ..query }).unwrap();
    page.items.into_iter().map(|c| c.name).collect()
}

#[test]
fn what_is_kept_is_there_after_a_restart_and_no_number_has_two_owners() {
    let dir = tempfile::tempdir().unwrap();
    let (store, boot, _) = open(dir.path());
    assert!(boot.contacts.is_empty());
    let li = store.contact_put(contact("Li", &["+49301", "+49302"])).unwrap().unwrap();
    let refused = store.contact_put(contact("Bo", &["+49303", "+49302"])).unwrap();
    assert_eq!(refused, Err(ContactRefusal::Taken(Number::read("+49302").unwrap(), li.contact)));
    let moved = Contact { numbers: vec![Number::read("+49301").unwrap()], ..li.clone() };
    store.contact_put(moved.clone()).unwrap().unwrap();
    let bo = store.contact_put(contact("Bo", &["+49302"])).unwrap().unwrap();
    store.close();
    drop(store);
    let (store, boot, _) = open(dir.path());
    assert_eq!(boot.contacts, [moved, bo.clone()]);
    assert_eq!(store.reader().contact_of(&Number::read("+49302").unwrap()).unwrap(), Some(bo.clone()));
    assert!(store.contact_delete(bo.contact).unwrap() && !store.contact_delete(bo.contact).unwrap());
    assert_eq!(store.reader().contact_of(&Number::read("+49302").unwrap()).unwrap(), None);
    assert_eq!(store.contact_put(bo).unwrap(), Err(ContactRefusal::Unknown));
}

#[test]
fn people_are_found_by_what_is_known_of_them_and_pages_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let list = (0..120).map(|n| contact(&format!("Customer {n:03}"), &[&format!("+4930{n:05}")])).collect();
    assert!(store.contacts_take(list).unwrap().iter().all(Result::is_ok));
    let again = vec![contact("Renamed", &["+493000007", "+49999"])];
    assert_eq!(store.contacts_take(again).unwrap()[0].as_ref().unwrap().contact, ContactId(8));
    let text = |t: &str| ContactQuery { text: Some(t.into()), ..ContactQuery::default() };
    assert_eq!(names(&store, text("renam")), ["Renamed"]);
    assert_eq!(names(&store, text("+49 999")), ["Renamed"], "a number as people write it");
    assert_eq!(names(&store, text("100%")).len(), 50);
    assert!(names(&store, text("100_")).is_empty(), "no pattern");
    assert!(names(&store, ContactQuery { class: Some("gold".into()), ..ContactQuery::default() }).is_empty());
    let (mut offset, mut all) = (Some(0), Vec::new());
    while let Some(at) = offset {
        let query = ContactQuery { offset: at, limit: 50, ..ContactQuery::default() };
        let page = store.reader().contacts(&query).unwrap();
        all.extend(page.items.into_iter().map(|c| c.name));
        offset = page.next;
    }
    assert_eq!(all.len(), 120);
    assert!(all.is_sorted());
}
