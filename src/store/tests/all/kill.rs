//! `kill -9` while writing: what was confirmed is there afterwards, each call once.

use crate::kept::{call, ended, open, step};
use model::id::{CallId, Ticket};
use model::record::{Outcome, Record};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use store::{Options, Store};

const FOLDER: &str = "BELFRY_TEST_KILL_FOLDER";

/// The process that is killed: writes calls for ever and prints each ticket that was confirmed.
#[test]
fn child() {
    let Ok(dir) = std::env::var(FOLDER) else { return };
    let on_stored = Box::new(|tickets: Vec<Ticket>| {
        let mut out = std::io::stdout().lock();
        tickets.iter().for_each(|t| writeln!(out, "stored {t}").expect("the parent reads"));
        out.flush().expect("the parent reads");
    });
    let options = Options { dir: dir.into(), beat: Arc::default(), on_stored };
    let (store, state) = Store::open(options).expect("the store opens");
    for n in state.next_call.0.. {
        let records = [Record::CallStarted(call(n)), step(n, 0, 0), Record::CallEnded(ended(n))];
        for (i, record) in records.into_iter().enumerate() {
            let ticket = Ticket(n * 4 + i as u64);
            while store.keep(ticket, record.clone()).is_err() {
                std::thread::yield_now();
            }
        }
    }
}

/// Runs the child until it has confirmed some records, and kills it there.
fn confirmed_before_the_kill(dir: &Path, at_least: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut tickets = Vec::new();
    while tickets.len() < at_least {
        let line = lines.next().expect("the child writes until it is killed").unwrap();
        tickets.extend(line.split("stored ").nth(1).and_then(|t| t.parse::<u64>().ok()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    tickets
        .extend(lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("stored ")?.parse::<u64>().ok()));
    tickets
}

#[test]
fn everything_confirmed_is_there_after_each_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for round in 0..6 {
        let confirmed = confirmed_before_the_kill(dir.path(), 100 + round * 457);
        let (store, state, _) = open(dir.path());
        assert!(state.set_aside.is_none());
        assert!(state.closed.iter().all(|c| c.outcome == Outcome::Interrupted));
        all.extend(confirmed);
        for ticket in &all {
            let journey = store.reader().journey(CallId(ticket / 4)).unwrap();
            let journey = journey.unwrap_or_else(|| panic!("call {} was confirmed and is gone", ticket / 4));
            let is_there = match ticket % 4 {
                0 => journey.record.outcome != Outcome::Open,
                1 => !journey.steps.is_empty(),
                _ => journey.record.outcome == Outcome::Answered,
            };
            assert!(is_there, "record {ticket} was confirmed and is gone: {journey:?}");
        }
        store.close();
    }
}
