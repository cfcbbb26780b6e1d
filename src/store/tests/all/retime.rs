//! Times written by an empty clock go to where they belong; the others stay.
use crate::kept::{call, ended, keep_all, message, open};
use model::clock::Wall;
use model::id::CallId;
use model::record::{CallRecord, Record};

#[test]
fn what_an_empty_clock_wrote_is_moved_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let early = CallRecord {
        started: Wall(10_000),
        answered: Some(Wall(12_000)),
        ended: Some(Wall(70_000)),
        ..ended(2)
    };
    // Ended after the clock was found: only its beginning was wrong.
    let across = CallRecord { started: Wall(90_000), ..ended(3) };
    let mut deposit = message(1, "m.wav", None);
    deposit.at = Wall(50_000);
    keep_all(
        &store,
        [
            Record::CallEnded(ended(1)),
            Record::CallEnded(early),
            Record::CallEnded(across),
            Record::Message(deposit),
        ],
    );
    let by = 1_800_000_000_000;
    assert_eq!(store.move_times(Wall(5_000), Wall(95_000), by).unwrap(), 5);
    let read = |n| store.reader().journey(CallId(n)).unwrap().unwrap().record;
    assert_eq!(read(1).started, call(1).started);
    let moved = read(2);
    let times = (moved.started.0, moved.answered.map(|w| w.0), moved.ended.map(|w| w.0));
    assert_eq!(times, (by + 10_000, Some(by + 12_000), Some(by + 70_000)));
    assert_eq!((read(3).started.0, read(3).ended), (by + 90_000, ended(3).ended));
    assert_eq!(store.reader().messages(None).unwrap()[0].at.0, by + 50_000);
}
