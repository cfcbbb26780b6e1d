//! Moves times that were written by a clock that was empty: every time of a record within the span that the clock read
//! while it was wrong goes to where it belongs. Times before and after are left alone. Knows no clock.
use crate::Store;
use crate::fault::Fault;
use model::clock::Wall;
use rusqlite::{Connection, params};

/// Every column that tells when something happened.
const TIMES: [(&str, &str); 11] = [
    ("call", "started"),
    ("call", "answered"),
    ("call", "ended"),
    ("step", "at"),
    ("recording", "started"),
    ("message", "at"),
    ("spell", "since"),
    ("note", "at"),
    ("callback", "came"),
    ("callback", "expires"),
    ("callback", "next_at"),
];

impl Store {
    /// Moves what happened from `from` to `to`, as a wrong clock read, by `by_ms`; gives how many times were moved. Waits
    /// until it is on the disk. Blocks.
    ///
    /// # Errors
    /// The disk.
    pub fn move_times(&self, from: Wall, to: Wall, by_ms: i64) -> Result<usize, Fault> {
        self.ask(move |db| move_times(db, from, to, by_ms))
    }
}

fn move_times(db: &Connection, from: Wall, to: Wall, by_ms: i64) -> rusqlite::Result<usize> {
    let mut moved = 0;
    for (table, column) in TIMES {
        let sql = format!("UPDATE {table} SET {column} = {column} + ?3 WHERE {column} BETWEEN ?1 AND ?2");
        moved += db.execute(&sql, params![from.0, to.0, by_ms])?;
    }
    Ok(moved)
}
