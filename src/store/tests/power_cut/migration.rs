//! Updates and roll-backs of the schema under power cuts: whatever moment the power goes, this program opens the data
//! afterwards, nothing that was there before is missing, and what the newer program wrote meanwhile stays. The newer
//! program is played by one more step than this one knows. `BELFRY_CUTS=50` is what each schema gets.
use crate::disk;
use model::id::CallId;
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use store::migrate::{BACK_TO, KNOWN, STEPS, Step, bring};
use store::{Options, Store};

/// The step of the version after this one: a new table and a new column, both with content.
const NEXT: Step = Step {
    up: "CREATE TABLE later (id INTEGER PRIMARY KEY, what TEXT) STRICT;
         INSERT INTO later SELECT call, 'seen' FROM call;
         ALTER TABLE call ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
         UPDATE call SET mood = 'glad';",
    down: "ALTER TABLE call DROP COLUMN mood; DROP TABLE later;",
};
/// Calls before the update.
const CALLS: u64 = 20;

fn open(dir: &Path) -> Result<(Store, store::BootState), store::Fault> {
    Store::open(Options { dir: dir.to_owned(), beat: Arc::default(), on_stored: Box::new(|_| {}) })
}

fn connect(dir: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(dir.join("belfry.db"))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    Ok(db)
}

/// A box with calls and a configuration, at a schema.
fn box_at(dir: &Path, schema: u32, seed: u64) {
    disk::with(|d| d.format(seed, false));
    if schema < KNOWN {
        // The first program on this data is the older one; the file itself lies on the disk of the test, not here.
        std::fs::write(dir.join("belfry.db"), "").expect("a machine for tests does this");
        bring(&mut connect(dir).expect("a fresh disk works"), &STEPS, schema).expect("a fresh disk works");
    }
    let (store, _) = open(dir).expect("a fresh disk works");
    for id in 1..=CALLS {
        crate::tests::keep_call(&store, id);
    }
    store.flush().expect("a fresh disk works");
    store
        .commit("test", json!({ "system": { "country": "DE", "name": "kept" } }), None, "")
        .expect("a fresh disk works");
    store.close();
    let mut db = connect(dir).expect("a fresh disk works");
    bring(&mut db, &STEPS, schema).expect("a fresh disk works");
}

/// What this program finds wrong.
fn check(dir: &Path, calls: u64) -> Vec<String> {
    let (store, state) = match open(dir) {
        Ok(opened) => opened,
        Err(fault) => return vec![fault.to_string()],
    };
    let mut wrong: Vec<String> =
        state.set_aside.iter().map(|p| format!("set aside: {}", p.display())).collect();
    let there = |id: &u64| store.reader().journey(CallId(*id)).is_ok_and(|j| j.is_some());
    wrong.extend((1..=calls).filter(|id| !there(id)).map(|id| format!("call {id} is gone")));
    if state.config.is_none() {
        wrong.push("the configuration is gone".into());
    }
    store.close();
    let db = connect(dir).expect("the power is back");
    let schema: u32 =
        db.pragma_query_value(None, "user_version", |row| row.get(0)).expect("the power is back");
    let left: u32 = db
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'later'", [], |row| row.get(0))
        .expect("the power is back");
    if (schema, left) != (KNOWN, 0) {
        wrong.push(format!("schema {schema}, {left} tables of the newer version"));
    }
    wrong
}

fn cut() {
    disk::with(disk::Disk::cut);
}

fn rounds() -> u64 {
    std::env::var("BELFRY_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

#[test]
fn a_cut_at_any_moment_of_an_update_or_a_roll_back_leaves_a_box_that_opens_with_all_its_data() {
    let _alone = disk::install();
    let mut steps = STEPS.to_vec();
    steps.push(NEXT);
    let (mut broken_off, mut wrong) = (0, Vec::new());
    for schema in BACK_TO..=KNOWN + 1 {
        for round in 0..rounds() {
            let dir = tempfile::tempdir().expect("a machine for tests does this");
            box_at(dir.path(), schema.min(KNOWN), round * 100 + u64::from(schema));
            if schema <= KNOWN {
                // The newer program starts on older data, and the power goes.
                disk::with(|d| {
                    let n = 1 + d.toss(40);
                    d.power_off_after(n)
                });
                let done = connect(dir.path())
                    .map_err(store::Fault::from)
                    .and_then(|mut db| bring(&mut db, &steps, KNOWN + 1));
                broken_off += u64::from(done.is_err());
                cut();
            } else {
                let mut db = connect(dir.path()).expect("a fresh disk works");
                bring(&mut db, &steps, KNOWN + 1).expect("a fresh disk works");
            }
            // The older program takes it back, and the power goes again.
            disk::with(|d| {
                let n = 1 + d.toss(60);
                d.power_off_after(n)
            });
            match open(dir.path()) {
                Ok((store, _)) => store.close(),
                Err(_) => broken_off += 1,
            }
            cut();
            wrong.extend(
                check(dir.path(), CALLS).into_iter().map(|w| format!("schema {schema}, round {round}: {w}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(broken_off > rounds(), "only {broken_off} migrations were broken off");
}

#[test]
fn what_the_newer_program_wrote_stays_after_the_roll_back() {
    let _alone = disk::install();
    let dir = tempfile::tempdir().expect("a machine for tests does this");
    box_at(dir.path(), KNOWN, 1);
    let mut steps = STEPS.to_vec();
    steps.push(NEXT);
    let mut db = connect(dir.path()).expect("a fresh disk works");
    bring(&mut db, &steps, KNOWN + 1).expect("a fresh disk works");
    db.execute_batch(
        "PRAGMA temp_store = MEMORY;
         CREATE TEMP TABLE one AS SELECT * FROM call WHERE call = 20;
         UPDATE one SET call = 21, mood = 'new';
         INSERT INTO call SELECT * FROM one;",
    )
    .expect("the newer program writes a call");
    drop(db);
    assert_eq!(check(dir.path(), CALLS + 1), Vec::<String>::new());
}
