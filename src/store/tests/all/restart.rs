//! What a restart finds: open calls closed once, everything else as it was, and nothing lost to a damaged file.

use crate::kept::{call, ended, keep_all, message, number, open, recording, spell, step, try_open};
use model::clock::Wall;
use model::id::{CallId, MessageId, RecordingId, Ticket};
use model::query::HistoryQuery;
use model::record::{
    AgentSpell, AgentState, BanRecord, BindingRecord, CallRecord, CallStep, CallbackRecord, Digest, Outcome,
    Record, WrongPins,
};
use std::os::unix::fs::PermissionsExt as _;
use store::Fault;
use store::spool::{self, Spool};

const FAR: Wall = Wall(4_000_000_000_000);

#[test]
fn calls_left_open_by_a_crash_are_closed_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    keep_all(
        &store,
        [Record::CallStarted(call(1)), step(1, 0, 0), step(1, 1, 90_000), Record::CallStarted(call(2))],
    );
    keep_all(&store, [Record::CallEnded(ended(2))]);
    store.close();

    let (store, state, _) = open(dir.path());
    assert_eq!(state.closed.len(), 1);
    let journey = store.reader().journey(CallId(1)).unwrap().unwrap();
    assert_eq!(journey.record, state.closed[0]);
    assert_eq!(
        (journey.record.outcome, journey.record.cause.as_str()),
        (Outcome::Interrupted, "box restarted")
    );
    assert!(journey.record.duration_ms >= 90_000 && journey.record.ended.is_some());
    let last = journey.steps.last().unwrap();
    assert_eq!((last.seq, last.kind.as_str()), (2, "ended"));
    assert_eq!(last.offset_ms, journey.record.duration_ms, "the steps sum to the whole");
    assert_eq!(store.reader().journey(CallId(2)).unwrap().unwrap().record, ended(2), "a finished call stays");
    store.close();

    let (store, state, _) = open(dir.path());
    assert_eq!(state.closed, []);
    assert_eq!(store.reader().journey(CallId(1)).unwrap().unwrap().steps.len(), 3);
}

#[test]
fn a_call_cut_off_while_people_talk_keeps_who_answered_and_how_long_was_waited() {
    let told = |seq, offset_ms, kind: &str, detail: &str| {
        let at = Wall(call(1).started.0 + i64::try_from(offset_ms).expect("small"));
        let (kind, detail) = (kind.to_owned(), detail.to_owned());
        Record::CallStep(CallStep { call: CallId(1), seq, at, offset_ms, kind, detail })
    };
    let talking = Record::AgentState(AgentSpell {
        agent: "7".into(),
        state: AgentState::Talking,
        since: Wall(1_700_000_020_000),
        cause: "answered".into(),
        call: Some(CallId(1)),
    });
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    keep_all(
        &store,
        [
            Record::CallStarted(CallRecord { trunk: None, ..call(1) }),
            told(0, 0, "trunk_in", "carrier +4930123456"),
            told(1, 1_000, "flow", "welcome"),
            told(2, 5_000, "queue", "support"),
            told(3, 9_000, "offered", "6"),
            told(4, 15_000, "offered", "7"),
            told(5, 20_000, "answered", "102"),
            talking,
            told(6, 50_000, "held", "102"),
            told(7, 60_000, "transferred", "102 -> 600"),
            told(8, 60_000, "queue", "support"),
            told(9, 65_000, "answered", "102"),
        ],
    );
    store.close();
    let (store, state, _) = open(dir.path());
    let record = &state.closed[0];
    assert_eq!(record.outcome, Outcome::Interrupted);
    assert_eq!(record.trunk.as_deref(), Some("carrier"));
    assert_eq!((record.queue.as_deref(), record.agent.as_deref()), (Some("support"), Some("7")));
    assert_eq!(record.answered_by.as_deref(), Some("102"));
    assert_eq!(record.answered, Some(Wall(1_700_000_001_000)), "the menu answered first");
    assert_eq!(record.wait_ms, 20_000);
    assert_eq!(record.talk_ms, record.duration_ms - 25_000, "nobody talks to who waits after a transfer");
    assert_eq!(store.reader().journey(CallId(1)).unwrap().unwrap().record, *record, "as kept, so told");
}

#[test]
fn ids_of_a_new_start_were_never_used() {
    let dir = tempfile::tempdir().unwrap();
    let (store, first, _) = open(dir.path());
    assert_eq!((first.next_call, first.epoch), (CallId(1), 1));
    keep_all(&store, [Record::CallStarted(call(70_000_000))]);
    store.close();
    let (store, second, _) = open(dir.path());
    assert!(second.next_call > CallId(70_000_000));
    assert_eq!(second.epoch, 2);
    store.close();
    let (_, third, _) = open(dir.path());
    assert!(third.next_call > second.next_call, "ids that the crash kept from the disk are left out");
}

#[test]
fn who_is_to_be_called_back_is_known_after_a_restart_until_it_is_done() {
    let promise = |call: u64, came: i64, tries| CallbackRecord {
        callback: CallId(call),
        queue: "support".into(),
        number: number("+4930123456"),
        name: "Li Na".into(),
        language: model::media::Language::Zh,
        class: "vip".into(),
        priority: 2,
        came: Wall(came),
        expires: FAR,
        tries,
        next: Wall(came + 1),
    };
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let kept = [promise(1, 30, 0), promise(2, 20, 0), promise(3, 10, 0), promise(1, 30, 1)];
    let records = kept.into_iter().map(Record::Callback).chain([Record::CallbackGone(CallId(2))]);
    keep_all(&store, records);
    store.close();
    let (_, state, _) = open(dir.path());
    assert_eq!(state.past.callbacks, [promise(3, 10, 0), promise(1, 30, 1)], "oldest first");
}

#[test]
fn messages_greetings_agents_phones_and_bans_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let binding = |contact: &str, expires: Wall| {
        Record::Binding(BindingRecord {
            extension: number("101"),
            contact: contact.into(),
            transport: "udp".into(),
            address: "192.0.2.4:5060".parse().unwrap(),
            expires,
            call_id: "c".into(),
            cseq: 7,
            user_agent: "phone".into(),
            path: vec!["<sip:edge;lr>".into()],
            digest: Some(Digest::Sha256),
        })
    };
    let ban = |address: &str, until: Wall| {
        let address = address.parse().unwrap();
        Record::Ban(BanRecord { address, until, cause: "20 wrong passwords".into(), failures: 20 })
    };
    let wrong_pins = |mailbox: &str, tries| {
        Record::WrongPins(WrongPins { mailbox: number(mailbox), tries, until: Some(FAR) })
    };
    let (store, _, _) = open(dir.path());
    keep_all(
        &store,
        [
            Record::Message(message(1, "vm/1.wav", None)),
            Record::Message(message(2, "vm/2.wav", None)),
            Record::MessageHeard { message: MessageId(2), heard: true },
            Record::MessageDeleted(MessageId(1)),
            Record::Greeting { mailbox: number("101"), path: Some("greeting/101.wav".into()) },
            spell("7", AgentState::Ready, 10),
            spell("7", AgentState::NotReady { reason: "lunch".into() }, 20),
            spell("8", AgentState::Talking, 30),
            binding("sip:101@192.0.2.4", FAR),
            binding("sip:101@gone", Wall(1)),
            ban("198.51.100.7", FAR),
            ban("198.51.100.8", Wall(1)),
            wrong_pins("101", 4),
            wrong_pins("102", 3),
            wrong_pins("102", 0),
        ],
    );
    store.close();
    let (_, state, _) = open(dir.path());
    let messages: Vec<_> = state.messages.iter().map(|m| (m.message, m.heard)).collect();
    assert_eq!(messages, [(MessageId(2), true)]);
    assert_eq!(state.greetings[&number("101")], "greeting/101.wav");
    let agents: Vec<_> = state.agents.iter().map(|a| (a.agent.as_str(), a.state.clone())).collect();
    assert_eq!(agents, [("7", AgentState::NotReady { reason: "lunch".into() }), ("8", AgentState::Talking)]);
    assert_eq!(state.bindings.len(), 1);
    assert_eq!((state.bindings[0].cseq, state.bindings[0].path[0].as_str()), (7, "<sip:edge;lr>"));
    assert_eq!(state.bans.len(), 1);
    let left = WrongPins { mailbox: number("101"), tries: 4, until: Some(FAR) };
    assert_eq!(state.wrong_pins, [left], "a right PIN forgets the wrong ones");
}

#[test]
fn a_deleted_message_takes_its_file_along_but_nothing_outside() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (store, _, _) = open(&data);
    std::fs::create_dir(data.join("vm")).unwrap();
    std::fs::write(data.join("vm/1.wav"), "sound").unwrap();
    std::fs::write(dir.path().join("precious"), "mine").unwrap();
    keep_all(
        &store,
        [
            Record::Message(message(1, "vm/1.wav", None)),
            Record::Message(message(2, "../precious", None)),
            Record::MessageDeleted(MessageId(1)),
            Record::MessageDeleted(MessageId(2)),
        ],
    );
    assert!(!data.join("vm/1.wav").exists());
    assert!(dir.path().join("precious").exists());
}

#[test]
fn recordings_cut_off_by_a_crash_get_their_length() {
    // With the header four pages of the disk: what fills no page yet waits for the next sync and may be lost.
    const WHOLE_PAGES: usize = 4 * 4096 - 58;
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let mut running = Spool::new(dir.path()).unwrap();
    for (id, path) in [(1, "r/1.wav"), (2, "r/2.wav")] {
        running.create(RecordingId(id), path, 2).unwrap();
        running.append(RecordingId(id), &[0xff; WHOLE_PAGES]).unwrap();
        keep_all(&store, [recording(id, 1, path)]);
    }
    keep_all(&store, [recording(3, 1, "r/never-made.wav")]);
    running.finish(RecordingId(1)).unwrap();
    let settled = store.settle_recordings().unwrap();
    assert_eq!(settled, [(RecordingId(1), 1020), (RecordingId(3), 0)], "2 is still being written");
    drop(running);
    spool::repair(dir.path()).unwrap();
    assert_eq!(store.settle_recordings().unwrap(), [(RecordingId(2), 1020)]);
    assert_eq!(store.reader().recording(RecordingId(2)).unwrap().unwrap().ms, Some(1020));
    assert_eq!(store.settle_recordings().unwrap(), []);
}

#[test]
fn a_damaged_database_is_set_aside_and_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    keep_all(&store, [Record::CallEnded(ended(1))]);
    store.close();
    std::fs::write(dir.path().join("belfry.db"), "this is no database at all, and long enough to be seen")
        .unwrap();
    let (store, state, _) = open(dir.path());
    let aside = state.set_aside.expect("reported");
    assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("belfry.db.damaged-"));
    assert!(std::fs::read(&aside).unwrap().starts_with(b"this is no database"));
    keep_all(&store, [Record::CallEnded(ended(2))]);
    assert_eq!(
        store.reader().history(&HistoryQuery { limit: 10, ..Default::default() }).unwrap().items.len(),
        1
    );
}

#[test]
fn the_site_goes_on_with_its_configuration_after_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let tree = serde_json::json!({ "system": { "country": "DE" }, "extension": [{ "number": "101" }] });
    let before = store.commit("anna", tree, None, "").unwrap().config;
    store.close();
    let copy = dir.path().join("site.copy.toml");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600, "it has passwords in it");
    std::fs::write(dir.path().join("belfry.db"), vec![7; 8192]).unwrap();
    let (store, state, _) = open(dir.path());
    assert!(state.set_aside.is_some());
    assert_eq!(state.config.map(|(_, config)| config), Some(before), "the phones know their passwords still");
    assert_eq!(store.reader().generations(None, 10).unwrap().items[0].by, "box");
}

#[test]
fn damage_inside_is_found_when_the_writer_had_met_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    keep_all(&store, (1..2000).map(|n| Record::CallEnded(ended(n))));
    store.close();
    let path = dir.path().join("belfry.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(dir.path().join("belfry.db.suspect"), "").unwrap();
    let (store, state, _) = open(dir.path());
    assert!(state.set_aside.is_some());
    assert!(!dir.path().join("belfry.db.suspect").exists());
    store.close();
    let (_, state, _) = open(dir.path());
    assert!(state.set_aside.is_none());
}

#[test]
fn one_process_at_a_time_has_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    assert!(matches!(try_open(dir.path()), Err(Fault::InUse(_))));
    store.close();
    assert!(try_open(dir.path()).is_ok());
}

#[test]
fn a_folder_held_for_a_moment_by_what_is_ending_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let dying = std::fs::File::open(dir.path().join("belfry.lock")).unwrap();
    dying.lock().unwrap();
    let (taken, seen) = std::sync::mpsc::channel();
    let folder = dir.path().to_owned();
    let opener = std::thread::spawn(move || {
        taken.send(()).unwrap();
        try_open(&folder).map(drop)
    });
    seen.recv().unwrap();
    drop(dying);
    opener.join().unwrap().expect("the folder is free again");
}

#[test]
fn nobody_else_may_read_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (store, _, _) = open(&data);
    keep_all(&store, [Record::CallEnded(ended(1))]);
    let mut spool = Spool::new(&data).unwrap();
    spool.create(RecordingId(1), "recordings/1.wav", 1).unwrap();
    let mode = |path: &str| data.join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("recordings"), mode("run/recording")), (0o700, 0o700, 0o700));
    assert_eq!((mode("belfry.db"), mode("belfry.db-wal"), mode("recordings/1.wav")), (0o600, 0o600, 0o600));
    assert_eq!((mode("belfry.lock"), mode("run/recording/1")), (0o600, 0o600));
}

#[test]
fn tickets_come_back_in_order_and_only_for_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, tickets) = open(dir.path());
    for n in 1..=3000u64 {
        store.keep(Ticket(n), Record::CallEnded(ended(n))).unwrap();
    }
    store.close();
    assert_eq!(tickets.try_iter().collect::<Vec<_>>(), (1..=3000).map(Ticket).collect::<Vec<_>>());
}

#[test]
fn a_record_that_the_database_refuses_does_not_hold_up_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, tickets) = open(dir.path());
    let db = rusqlite::Connection::open(dir.path().join("belfry.db")).unwrap();
    let refuse =
        "CREATE TRIGGER odd BEFORE INSERT ON call WHEN new.call = 2 BEGIN SELECT raise(ABORT, 'odd'); END";
    db.execute_batch(refuse).unwrap();
    for n in 1..=3u64 {
        store.keep(Ticket(n), Record::CallEnded(ended(n))).unwrap();
    }
    store.close();
    assert_eq!(tickets.try_iter().collect::<Vec<_>>(), [Ticket(1), Ticket(3)]);
    assert_eq!(store.health().refused.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn spells_follow_each_other_and_are_never_doubled() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let talking = spell("7", AgentState::Talking, 20);
    keep_all(
        &store,
        [spell("7", AgentState::Ready, 10), talking.clone(), talking, spell("8", AgentState::Ready, 15)],
    );
    keep_all(&store, [spell("7", AgentState::WrapUp, 30), spell("7", AgentState::Ready, 40)]);
    let spells = store.reader().spells("7", Wall(10), Wall(40)).unwrap();
    let states: Vec<_> = spells.iter().map(|s| (s.since.0, s.state.clone())).collect();
    assert_eq!(states, [(10, AgentState::Ready), (20, AgentState::Talking), (30, AgentState::WrapUp)]);
}
