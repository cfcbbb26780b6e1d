//! History, event log and mails as web and mailer ask for them.

use crate::kept::{call, ended, keep_all, message, open};
use model::clock::Wall;
use model::id::{CallId, MessageId};
use model::query::{HistoryQuery, Own};
use model::record::{CallRecord, Direction, NoteRecord, Outcome, Record};
use store::{MailResult, Store};

fn ids(store: &Store, query: HistoryQuery) -> Vec<u64> {
    let page = store.reader().history(&HistoryQuery { limit: 100, ..query }).unwrap();
    page.items.iter().map(|c| c.call.0).collect()
}

fn with_some_calls(store: &Store) {
    let queued = |n, agent: &str| {
        Record::CallEnded(CallRecord { queue: Some("main".into()), agent: Some(agent.into()), ..ended(n) })
    };
    let outbound = CallRecord { direction: Direction::Outbound, outcome: Outcome::Busy, ..ended(3) };
    let named = CallRecord {
        caller: model::record::Party { number: "102".into(), name: "Zoë Ång".into() },
        ..ended(5)
    };
    let records = [
        queued(1, "7"),
        queued(2, "8"),
        Record::CallEnded(outbound),
        Record::CallStarted(call(4)),
        Record::CallEnded(named),
    ];
    keep_all(store, records);
}

#[test]
fn each_filter_shows_its_calls_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    with_some_calls(&store);
    let some = |text: &str| Some(text.to_owned());
    let own = |agent: &str, extension: &str| {
        let text = |t: &str| Some(t.to_owned()).filter(|t| !t.is_empty());
        Some(Own { agent: text(agent), extension: text(extension) })
    };
    let table = [
        ("all but open ones", HistoryQuery::default(), vec![5, 3, 2, 1]),
        ("queue", HistoryQuery { queue: some("main"), ..Default::default() }, vec![2, 1]),
        ("agent", HistoryQuery { agent: some("7"), ..Default::default() }, vec![1]),
        (
            "agent and queue",
            HistoryQuery { agent: some("7"), queue: some("x"), ..Default::default() },
            vec![],
        ),
        ("outcome", HistoryQuery { outcome: Some(Outcome::Busy), ..Default::default() }, vec![3]),
        ("open", HistoryQuery { outcome: Some(Outcome::Open), ..Default::default() }, vec![4]),
        ("direction", HistoryQuery { direction: Some(Direction::Outbound), ..Default::default() }, vec![3]),
        ("part of a name", HistoryQuery { text: some("zoë å"), ..Default::default() }, vec![5]),
        ("part of a number", HistoryQuery { text: some("30123"), ..Default::default() }, vec![3, 2, 1]),
        ("no pattern", HistoryQuery { text: some("%"), ..Default::default() }, vec![]),
        ("older", HistoryQuery { before: Some(CallId(3)), ..Default::default() }, vec![2, 1]),
        ("own extension", HistoryQuery { own: own("", "102"), ..Default::default() }, vec![5]),
        ("own as agent", HistoryQuery { own: own("8", ""), ..Default::default() }, vec![2]),
        ("of nobody", HistoryQuery { own: own("", ""), ..Default::default() }, vec![]),
    ];
    for (name, query, expected) in table {
        assert_eq!(ids(&store, query), expected, "{name}");
    }
}

#[test]
fn pages_meet_without_gap_or_repetition() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    keep_all(&store, (1..=25).map(|n| Record::CallEnded(ended(n))));
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = store.reader().history(&HistoryQuery { before, limit: 10, ..Default::default() }).unwrap();
        seen.extend(page.items.iter().map(|c| c.call.0));
        let Some(next) = page.next else { break };
        before = Some(CallId(next));
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[test]
fn the_event_log_is_paged_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let note = |n: i64| {
        let text = format!("line {n}");
        Record::Note(NoteRecord {
            at: Wall(n),
            level: "info".into(),
            kind: "test".into(),
            subject: String::new(),
            text,
        })
    };
    keep_all(&store, (1..=5).map(note));
    let page = store.reader().notes(None, 3).unwrap();
    assert_eq!(page.items.iter().map(|n| n.note.at.0).collect::<Vec<_>>(), [5, 4, 3]);
    let page = store.reader().notes(page.next, 3).unwrap();
    assert_eq!(page.items.iter().map(|n| n.note.at.0).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(page.next, None);
}

#[test]
fn a_mail_is_tried_again_until_it_is_sent_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let mail = message(1, "vm/1.wav", Some("anna@example.com"));
    let t0 = mail.at;
    keep_all(&store, [Record::Message(mail.clone()), Record::Message(message(2, "vm/2.wav", None))]);
    let due = store.mails_due(t0).unwrap();
    assert_eq!(
        due.iter().map(|j| (&j.message, j.to.as_str())).collect::<Vec<_>>(),
        [(&mail, "anna@example.com")]
    );
    let next =
        store.mail_done(MessageId(1), MailResult::Later("connection refused".into()), t0).unwrap().unwrap();
    assert_eq!(store.mails_due(t0).unwrap(), []);
    store.close();
    let (store, _, _) = open(dir.path());
    assert_eq!(store.mails_due(next).unwrap()[0].attempts, 1);
    assert_eq!(store.mail_done(MessageId(1), MailResult::Sent, next).unwrap(), None);
    assert_eq!(store.mails_due(Wall(i64::MAX)).unwrap(), []);
}

#[test]
fn a_refused_mail_and_the_mail_of_a_deleted_message_are_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let mail = |n| Record::Message(message(n, "vm/x.wav", Some("anna@example.com")));
    keep_all(&store, [mail(1), mail(2), Record::MessageDeleted(MessageId(2))]);
    assert_eq!(store.mails_due(Wall(i64::MAX)).unwrap().len(), 1);
    let refused = MailResult::Refused("550 no such user".into());
    assert_eq!(store.mail_done(MessageId(1), refused, Wall(1_700_000_000_000)).unwrap(), None);
    assert_eq!(store.mails_due(Wall(i64::MAX)).unwrap(), []);
}
