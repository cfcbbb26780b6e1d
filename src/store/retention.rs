//! Forgets what is old or what the disk has no room for. File and row go together: first the file, for good, then its row,
//! so that a cut between the two leaves a row that names the rest of the work, never a file that nobody knows. What is
//! held stays. A recording that runs is never touched.
use crate::fault::Fault;
use crate::row::{id, key};
use crate::{Store, schema, spool};
use model::clock::Wall;
use model::id::{MessageId, RecordingId};
use model::saving::Hold;
use rusqlite::{Connection, params, params_from_iter};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Oldest calls that one round looks at, so that a table full of held calls costs no more than this.
const SCAN: u32 = 5000;

/// A recording that may go.
struct Doomed {
    recording: i64,
    path: String,
}

impl Store {
    /// Sets or lifts the order that a recording must not be deleted. False when there is no such recording.
    ///
    /// # Errors
    /// The disk; the same holds for every method here.
    pub fn hold(&self, recording: RecordingId, hold: Option<Hold>) -> Result<bool, Fault> {
        self.ask(move |db| {
            let sql = "UPDATE recording SET held_by = ?2, held_at = ?3 WHERE recording = ?1";
            let (by, at) = hold.map(|h| (h.by, h.at.0)).unzip();
            Ok(db.execute(sql, params![key(recording.0), by, at])? > 0)
        })
    }

    /// Forgets the oldest recordings that nobody holds, at most `limit`. The answer is how many.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_oldest(&self, limit: u32) -> Result<u32, Fault> {
        self.forget_before(Wall(i64::MAX), limit)
    }

    /// Forgets recordings that began before this time and that nobody holds, oldest first, at most `limit`. The answer is
    /// how many.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_before(&self, before: Wall, limit: u32) -> Result<u32, Fault> {
        let doomed = self.reader().with(|db| doomed(db, before, limit))?;
        let mut folders = BTreeSet::new();
        for file in &doomed {
            spool::remove(self.dir(), &file.path)?;
            folders.extend(spool::below(self.dir(), &file.path)?.parent().map(PathBuf::from));
        }
        for folder in folders.iter().filter(|f| f.exists()) {
            schema::sync_folder(folder)?;
        }
        let count = u32::try_from(doomed.len()).unwrap_or(limit);
        if count > 0 {
            self.ask(move |db| {
                let marks = vec!["?"; doomed.len()].join(",");
                // Somebody may have ordered to hold one meanwhile; its file is gone, so the row must not promise it.
                let sql = format!("DELETE FROM recording WHERE recording IN ({marks})");
                db.execute(&sql, params_from_iter(doomed.iter().map(|d| d.recording))).map(drop)
            })?;
        }
        Ok(count)
    }

    /// Voicemail messages that came before this time, at most `limit`. Whoever owns the mailboxes deletes them.
    ///
    /// # Errors
    /// The disk.
    pub fn messages_before(&self, before: Wall, limit: u32) -> Result<Vec<MessageId>, Fault> {
        self.reader().with(|db| {
            let mut sql =
                db.prepare_cached("SELECT message FROM message WHERE at < ?1 ORDER BY message LIMIT ?2")?;
            sql.query_map(params![before.0, limit], |row| Ok(MessageId(id(row.get(0)?))))?.collect()
        })
    }

    /// Forgets records and journeys of calls that ended before this time and have no recording, at most `limit`. The
    /// answer is how many.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_calls_before(&self, before: Wall, limit: u32) -> Result<usize, Fault> {
        self.ask(move |db| {
            let sql = "SELECT call FROM (SELECT call, ended FROM call ORDER BY call LIMIT ?3) AS old
                WHERE ended < ?1 AND NOT EXISTS (SELECT 1 FROM recording WHERE recording.call = old.call) LIMIT ?2";
            let calls: Vec<i64> = db
                .prepare_cached(sql)?
                .query_map(params![before.0, limit, SCAN], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for call in &calls {
                db.prepare_cached("DELETE FROM step WHERE call = ?1")?.execute([call])?;
                db.prepare_cached("DELETE FROM call WHERE call = ?1")?.execute([call])?;
            }
            Ok(calls.len())
        })
    }
}

fn doomed(db: &Connection, before: Wall, limit: u32) -> rusqlite::Result<Vec<Doomed>> {
    let sql = "SELECT recording, path FROM recording
        WHERE held_by IS NULL AND ms IS NOT NULL AND started < ?1 ORDER BY recording LIMIT ?2";
    let read = |row: &rusqlite::Row<'_>| Ok(Doomed { recording: row.get(0)?, path: row.get(1)? });
    db.prepare_cached(sql)?.query_map(params![before.0, limit], read)?.collect()
}
