//! Alarms and what has to be told of them: once each, kept across a restart, tried again, due also after the clock was set
//! back.

use crate::kept::open;
use model::clock::Wall;
use store::{AlarmRow, Telling, Told, Way};

fn alarm() -> AlarmRow {
    AlarmRow { alarm: "disk_room".into(), kind: "disk_room".into(), subject: String::new(), since: Wall(5) }
}

fn telling(way: Way, created: Wall) -> Telling {
    Telling { telling: 0, way, recipient: "anna@example.com".into(), body: "{}".into(), created, attempts: 0 }
}

#[test]
fn an_alarm_is_raised_once_told_once_a_way_and_cleared_once_also_across_a_restart() {
    let now = Wall(1_800_000_000_000);
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let both = || vec![telling(Way::Mail, now), telling(Way::Webhook, now)];
    assert!(store.alarm_raise(alarm(), both()).unwrap());
    assert!(!store.alarm_raise(alarm(), both()).unwrap(), "it is raised already");
    store.close();

    let (store, _, _) = open(dir.path());
    assert_eq!(store.alarms().unwrap(), [alarm()]);
    assert!(!store.alarm_raise(alarm(), both()).unwrap(), "a restart raises nothing twice");
    for way in [Way::Mail, Way::Webhook] {
        let due = store.tellings_due(way, now).unwrap();
        assert_eq!(due.len(), 1);
        assert_eq!(store.telling_done(&due[0], Told::Done, now).unwrap(), None);
        assert!(store.tellings_due(way, Wall(i64::MAX)).unwrap().is_empty());
    }
    assert!(store.alarm_clear("disk_room".into(), both()).unwrap());
    assert!(!store.alarm_clear("disk_room".into(), both()).unwrap(), "it is cleared already");
    assert!(store.alarms().unwrap().is_empty());
}

#[test]
fn a_receiver_that_is_down_is_asked_again_soon_and_one_that_refuses_never() {
    let now = Wall(1_800_000_000_000);
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.telling_keep(vec![telling(Way::Webhook, now)]).unwrap();
    let due = store.tellings_due(Way::Webhook, now).unwrap();
    let next = store.telling_done(&due[0], Told::Later("refused".into()), now).unwrap().unwrap();
    assert_eq!(next.millis_since(now), 5000);
    assert!(store.tellings_due(Way::Webhook, now).unwrap().is_empty());
    // The clock is set back by a year: nobody waits a year.
    let back = Wall(now.0 - 365 * 24 * 3_600_000);
    assert_eq!(store.tellings_due(Way::Webhook, back).unwrap()[0].attempts, 1);
    let due = store.tellings_due(Way::Webhook, next).unwrap();
    assert_eq!(store.telling_done(&due[0], Told::Refused("gone".into()), next).unwrap(), None);
    assert!(store.tellings_due(Way::Webhook, Wall(i64::MAX)).unwrap().is_empty());
}
