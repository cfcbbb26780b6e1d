//! Power cuts at any moment: what was confirmed to engine, browser or caller is there afterwards. The store runs on a
//! disk in memory that loses what was not synced; the same run on a disk whose syncs lie must be caught, or this test
//! proves nothing. `BELFRY_CUTS=1000` makes it longer.
#[cfg(test)]
mod disk;
#[cfg(test)]
mod migration;

#[cfg(test)]
mod tests {
    use crate::disk;
    use model::clock::Wall;
    use model::id::{CallId, Generation, MessageId, Ticket};
    use model::number::Number;
    use model::record::{CallRecord, Direction, MessageRecord, Outcome, Party, Record};
    use serde_json::json;
    use std::path::Path;
    use std::sync::{Arc, Mutex};
    use store::{Fault, Options, Store};

    fn party() -> Party {
        Party { number: "+4930123456".into(), name: String::new() }
    }

    fn call(id: u64, outcome: Outcome) -> CallRecord {
        CallRecord {
            call: CallId(id),
            direction: Direction::Inbound,
            caller: party(),
            called: party(),
            trunk: None,
            queue: None,
            agent: None,
            answered_by: None,
            started: Wall(0),
            answered: None,
            ended: None,
            duration_ms: 0,
            talk_ms: 0,
            wait_ms: 0,
            outcome,
            cause: "caller hung up".into(),
            score: None,
        }
    }

    /// An ended call for another test.
    pub(crate) fn keep_call(store: &Store, id: u64) {
        for record in
            [Record::CallStarted(call(id, Outcome::Open)), Record::CallEnded(call(id, Outcome::Answered))]
        {
            assert!(store.keep(Ticket(id), record).is_ok(), "the queue has room");
        }
    }

    fn message(id: u64) -> MessageRecord {
        MessageRecord {
            message: MessageId(id),
            mailbox: Number::read("101").expect("a number"),
            call: CallId(id),
            caller: party(),
            at: Wall(0),
            ms: 1000,
            path: format!("vm/{id}.wav"),
            heard: false,
            mail_to: None,
        }
    }

    /// Marks the ticket of a message; without it the ticket is the id of an ended call.
    const MESSAGE: u64 = 1 << 40;

    /// What was confirmed: ids of ended calls and of messages (each its ticket), and the newest generation.
    #[derive(Default)]
    struct Confirmed {
        tickets: Arc<Mutex<Vec<Ticket>>>,
        generation: u64,
    }

    impl Confirmed {
        fn open(&self, dir: &Path) -> Result<(Store, store::BootState), Fault> {
            let tickets = Arc::clone(&self.tickets);
            let on_stored = Box::new(move |all: Vec<Ticket>| tickets.lock().unwrap().extend(all));
            Store::open(Options { dir: dir.to_owned(), beat: Arc::default(), on_stored })
        }

        /// Works until the power goes.
        fn work(&mut self, dir: &Path) {
            let Ok((store, state)) = self.open(dir) else { return };
            let mut id = state.next_call.0;
            while !disk::with(|d| d.is_off()) {
                for _ in 0..disk::with(|d| d.toss(6)) {
                    id += 1;
                    let _ = store.keep(Ticket(0), Record::CallStarted(call(id, Outcome::Open)));
                    let _ = store.keep(Ticket(id), Record::CallEnded(call(id, Outcome::Answered)));
                    let _ = store.keep(Ticket(id | MESSAGE), Record::Message(message(id)));
                }
                let _ = store.flush();
                if disk::with(|d| d.toss(4)) == 0 {
                    let tree = json!({ "system": { "country": "DE", "name": format!("site {id}") } });
                    let done = store.commit("test", tree, None, "");
                    self.generation = done.map_or(self.generation, |c| c.generation.0);
                }
            }
            store.close();
        }

        /// What is missing although it was confirmed.
        fn lost(&self, dir: &Path, all: bool) -> Result<Vec<String>, Fault> {
            let (store, state) = self.open(dir)?;
            let mut lost = Vec::new();
            if let Some(aside) = state.set_aside {
                lost.push(format!("the database: {}", aside.display()));
            }
            let tickets = self.tickets.lock().unwrap().clone();
            for Ticket(id) in tickets.iter().rev().take(if all { usize::MAX } else { 50 }).filter(|t| t.0 > 0)
            {
                if id & MESSAGE != 0 {
                    let id = id ^ MESSAGE;
                    if store.reader().message(MessageId(id))?.is_none() {
                        lost.push(format!("message {id}"));
                    }
                    continue;
                }
                let journey = store.reader().journey(CallId(*id))?;
                if journey.is_none_or(|j| j.record.outcome != Outcome::Answered) {
                    lost.push(format!("call {id}"));
                }
            }
            if state.config.map_or(0, |(Generation(g), _)| g) < self.generation {
                lost.push(format!("generation {}", self.generation));
            }
            store.close();
            Ok(lost)
        }
    }

    fn cuts(count: u64, seed: u64, lies: bool) -> (usize, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        disk::with(|d| d.format(seed, lies));
        let mut confirmed = Confirmed::default();
        let mut lost = Vec::new();
        for cut in 0..count {
            disk::with(|d| {
                let operations = 1 + d.toss(300);
                d.power_off_after(operations);
            });
            confirmed.work(dir.path());
            disk::with(disk::Disk::cut);
            let last = cut + 1 == count;
            let found = confirmed.lost(dir.path(), last).unwrap_or_else(|fault| vec![fault.to_string()]);
            lost.extend(found.into_iter().map(|what| format!("cut {cut}: {what}")));
            if lies && !lost.is_empty() {
                break;
            }
        }
        let count = confirmed.tickets.lock().unwrap().len();
        (count, lost)
    }

    #[test]
    fn nothing_confirmed_is_lost_by_a_power_cut_and_a_lying_disk_is_caught() {
        let _alone = disk::install();
        let count = std::env::var("BELFRY_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
        let (confirmed, lost) = cuts(count, 7, false);
        assert_eq!(lost, Vec::<String>::new());
        assert!(confirmed > 1000, "only {confirmed} records were confirmed");
        let (_, lost) = cuts(60, 8, true);
        assert!(!lost.is_empty(), "the disk lied and nobody noticed");
    }
}
