//! What is forgotten and what stays: the oldest first, held ones never, file and row together also across a cut.

use crate::kept::{call, ended, keep_all, message, number, open, recording};
use model::clock::Wall;
use model::id::{CallId, MessageId, RecordingId};
use model::query::HistoryQuery;
use model::record::{CallRecord, MessageRecord, Record, RecordingRecord};
use model::saving::Hold;
use std::path::Path;
use store::Store;

const START: i64 = 1_700_000_000_000;

/// Recordings 1 to `n`, one a minute, each with its file.
fn record(store: &Store, dir: &Path, n: u64) {
    std::fs::create_dir_all(dir.join("recordings")).unwrap();
    for id in 1..=n {
        let path = format!("recordings/{id}.wav");
        std::fs::write(dir.join(&path), [7; 1000]).unwrap();
        let Record::Recording(row) = recording(id, id, &path) else { panic!("no recording") };
        let started = Wall(START + i64::try_from(id).unwrap() * 60_000);
        let row = Record::Recording(RecordingRecord { started, ..row });
        keep_all(store, [row, Record::RecordingEnded { recording: RecordingId(id), ms: 1000 }]);
    }
}

fn left(store: &Store, dir: &Path, n: u64) -> Vec<u64> {
    let there = |id: &u64| {
        let row = store.reader().recording(RecordingId(*id)).unwrap().is_some();
        assert_eq!(row, dir.join(format!("recordings/{id}.wav")).exists(), "file and row of {id}");
        row
    };
    (1..=n).filter(there).collect()
}

#[test]
fn the_oldest_go_first_and_held_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    record(&store, dir.path(), 6);
    let hold = Hold { by: "anna".into(), at: Wall(START) };
    assert!(store.hold(RecordingId(2), Some(hold.clone())).unwrap());
    assert!(!store.hold(RecordingId(99), Some(hold.clone())).unwrap());
    assert_eq!(store.reader().recording(RecordingId(2)).unwrap().unwrap().hold, Some(hold));
    assert_eq!(store.forget_oldest(3).unwrap(), 3);
    assert_eq!(left(&store, dir.path(), 6), [2, 5, 6]);
    assert_eq!(store.forget_oldest(10).unwrap(), 2);
    assert_eq!(store.forget_oldest(10).unwrap(), 0);
    assert_eq!(left(&store, dir.path(), 6), [2], "a held one stays however full the disk is");
    store.hold(RecordingId(2), None).unwrap();
    assert_eq!(store.forget_oldest(10).unwrap(), 1);
}

#[test]
fn what_is_older_than_the_site_wants_goes_and_a_running_recording_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    record(&store, dir.path(), 4);
    std::fs::write(dir.path().join("recordings/9.wav"), [7; 1000]).unwrap();
    keep_all(&store, [recording(9, 9, "recordings/9.wav")]);
    assert_eq!(store.forget_before(Wall(START + 3 * 60_000), 10).unwrap(), 2);
    assert_eq!(left(&store, dir.path(), 4), [3, 4]);
    assert!(dir.path().join("recordings/9.wav").exists(), "it runs");
}

#[test]
fn a_cut_between_file_and_row_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    record(&store, dir.path(), 3);
    // As a cut leaves it: the file is gone for good, the row still names it.
    std::fs::remove_file(dir.path().join("recordings/1.wav")).unwrap();
    store.close();
    let (store, _, _) = open(dir.path());
    assert_eq!(store.forget_oldest(1).unwrap(), 1);
    assert_eq!(left(&store, dir.path(), 3), [2, 3]);
}

#[test]
fn call_records_go_with_their_journey_but_not_before_their_recording() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    record(&store, dir.path(), 1);
    let late = CallRecord { ended: Some(Wall(START + 10_000_000)), ..ended(3) };
    keep_all(&store, [Record::CallEnded(ended(1)), Record::CallEnded(ended(2)), crate::kept::step(2, 0, 0)]);
    keep_all(&store, [Record::CallEnded(late), Record::CallStarted(call(4))]);
    let old = MessageRecord { mailbox: number("101"), ..message(7, "voicemail/7.wav", None) };
    keep_all(&store, [Record::Message(old)]);
    assert_eq!(store.forget_calls_before(Wall(START + 5_000_000), 100).unwrap(), 1);
    let query = HistoryQuery { limit: 10, ..Default::default() };
    let ids: Vec<CallId> = store.reader().history(&query).unwrap().items.iter().map(|c| c.call).collect();
    assert_eq!(ids, [CallId(3), CallId(1)], "call 1 has a recording, 3 is young, 4 is open and not listed");
    assert!(store.reader().journey(CallId(2)).unwrap().is_none());
    assert!(store.reader().journey(CallId(4)).unwrap().is_some());
    assert_eq!(store.messages_before(Wall(START + 1), 10).unwrap(), [MessageId(7)]);
    assert_eq!(store.messages_before(Wall(START), 10).unwrap(), []);
}
