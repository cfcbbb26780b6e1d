//! A disk that refuses: nothing is confirmed, the store says so, and everything is written when the disk heals. The disk
//! is made to refuse by a limit on the size of files; it holds for a whole process, so the test runs in one of its own.

use crate::kept::{ended, open};
use model::id::{CallId, Ticket};
use model::record::Record;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Fault;

/// Until it is so; the test runner ends a test that waits for ever.
fn until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

const CHILD: &str = "BELFRY_TEST_DISK_CHILD";

#[test]
fn nothing_is_confirmed_while_the_disk_refuses_and_nothing_is_lost_when_it_heals() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk_full::child", "--nocapture"])
        .env(CHILD, "yes")
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && said.contains("healed"), "{said}");
}

/// Does nothing unless it runs in the process of the test above.
#[test]
fn child() {
    if std::env::var(CHILD).is_err() {
        return;
    }
    // SAFETY: ignoring a signal installs no handler code.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (store, _, tickets) = open(dir.path());
    store.keep(Ticket(1), Record::CallEnded(ended(1))).unwrap();
    assert_eq!(tickets.recv_timeout(Duration::from_secs(20)), Ok(Ticket(1)));

    assert!(store.reader().journey(CallId(1)).unwrap().is_some());

    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 4096, hard).unwrap();
    for n in 2..=500 {
        store.keep(Ticket(n), Record::CallEnded(ended(n))).unwrap();
    }
    until(|| store.health().suspect.load(Ordering::Relaxed));
    assert!(!store.health().trouble().is_empty());
    assert_eq!(tickets.try_recv().ok(), None, "nothing is confirmed");
    assert!(matches!(store.flush(), Err(Fault::Suspect(_))), "nobody is kept waiting");
    let seen = store.reader().journey(CallId(1)).unwrap();
    assert!(seen.is_some(), "reading goes on");

    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
    for n in 2..=500 {
        assert_eq!(tickets.recv_timeout(Duration::from_secs(20)), Ok(Ticket(n)));
    }
    assert!(!store.health().suspect.load(Ordering::Relaxed));
    for n in 1..=500 {
        assert!(store.reader().journey(CallId(n)).unwrap().is_some(), "call {n}");
    }
    println!("healed");
}
