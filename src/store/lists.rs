//! Lists of numbers: imported from a sheet, row by row, with a reason for every row that is not taken; shown, exported and
//! removed. An import is many small transactions on the writing thread, so that records of calls never wait for it. Decides
//! which rows are numbers that can be called; never when.
mod barred;
mod numbers;
mod sheet;

use crate::fault::Fault;
use crate::row::{id, key};
use crate::{Reader, Store};
use model::clock::Wall;
use model::id::EntryId;
use model::query::{EntryRow, ListImport, ListImported, ListRow, RejectRow};
use model::sentence::Sentence;
use numbers::Plan;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows written in one transaction.
const BATCH: usize = 500;
/// Longest text kept of a rejected row, characters.
const TEXT_MAX: usize = 300;
/// Rows of one sheet.
const ROWS_MAX: u64 = 2_000_000;
/// Further columns kept of each row.
const FIELDS_MAX: usize = 30;

/// Why a list was not imported.
#[derive(Debug, thiserror::Error)]
pub enum NoList {
    /// The file: what is wrong with it, and what to do.
    #[error("{0}")]
    File(Sentence),
    /// The disk.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// One row that can be called.
#[derive(Clone, Debug)]
struct Fresh {
    line: u64,
    number: String,
    zones: Vec<String>,
    name: String,
    fields: BTreeMap<String, String>,
    value: u32,
    text: String,
}

/// What became of one row.
enum Fate {
    Taken(Fresh),
    Rejected { line: u64, text: String, reason: &'static str },
}

/// The file has more rows than are taken.
fn too_long() -> NoList {
    NoList::File(Sentence::new(
        format!("The file has more than {ROWS_MAX} rows; split it."),
        format!("文件超过 {ROWS_MAX} 行；请拆分后再导入。"),
    ))
}

impl Store {
    /// Reads a sheet (CSV or XLSX) into a list. Blocks for its whole length: for a thread of its own.
    ///
    /// # Errors
    /// `File`: it cannot be read, or has no column of numbers. What was taken before stays.
    pub fn import(&self, path: &Path, import: &ListImport) -> Result<ListImported, NoList> {
        let mut plan = None;
        let mut done = ListImported::default();
        let mut batch = Vec::with_capacity(BATCH);
        sheet::each_row(path, &NoList::File, &mut |line, cells| {
            let Some(plan) = &plan else {
                let found = Plan::new(&cells, &import.mapping, &import.country);
                plan = Some(found.map_err(NoList::File)?);
                return Ok(());
            };
            done.rows += 1;
            if done.rows > ROWS_MAX {
                return Err(too_long());
            }
            if cells.iter().any(|c| !c.is_empty()) {
                batch.push(plan.fate(line, &cells));
            }
            if batch.len() >= BATCH {
                self.write_batch(import, std::mem::take(&mut batch), &mut done)?;
            }
            Ok(())
        })?;
        if plan.is_none() {
            return Err(NoList::File(Sentence::new(
                "The file is empty; its first row names the columns.",
                "文件为空；首行应为各列的名称。",
            )));
        }
        self.write_batch(import, batch, &mut done)?;
        self.note_list(import, &done)?;
        Ok(done)
    }

    fn write_batch(
        &self,
        import: &ListImport,
        batch: Vec<Fate>,
        done: &mut ListImported,
    ) -> Result<(), Fault> {
        let list = import.list.clone();
        let reasons = self.ask(move |db| {
            let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
            for fate in batch {
                let word = write_row(db, &list, fate)?;
                *reasons.entry(word.to_owned()).or_default() += 1;
            }
            Ok(reasons)
        })?;
        for (reason, count) in reasons {
            match reason.as_str() {
                "" => done.taken += count,
                _ => {
                    done.rejected += count;
                    *done.reasons.entry(reason).or_default() += count;
                }
            }
        }
        Ok(())
    }

    fn note_list(&self, import: &ListImport, done: &ListImported) -> Result<(), Fault> {
        let (import, done) = (import.clone(), done.clone());
        self.ask(move |db| {
            db.prepare_cached(
                "INSERT INTO list VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE SET
                 at = ?2, by_whom = ?3, file = ?4, rows = rows + ?5, taken = taken + ?6, rejected = rejected + ?7",
            )?
            .execute(params![
                import.list,
                import.at.0,
                import.by,
                import.file,
                key(done.rows),
                key(done.taken),
                key(done.rejected)
            ])
            .map(drop)
        })
    }

    /// Removes a list with its entries and rejects; attempts stay, they are evidence. False when there is none.
    ///
    /// # Errors
    /// The disk.
    pub fn list_delete(&self, list: &str) -> Result<bool, Fault> {
        let list = list.to_owned();
        self.ask(move |db| {
            db.execute("DELETE FROM entry WHERE list = ?1", [&list])?;
            db.execute("DELETE FROM reject WHERE list = ?1", [&list])?;
            db.execute("DELETE FROM list WHERE name = ?1", [&list]).map(|n| n > 0)
        })
    }
}

/// Writes one row; the answer is the reason why not, or nothing.
fn write_row(db: &Connection, list: &str, fate: Fate) -> rusqlite::Result<&'static str> {
    let (line, text, reason) = match fate {
        Fate::Rejected { line, text, reason } => (line, text, reason),
        Fate::Taken(fresh) => match known(db, list, &fresh.number)? {
            Some(reason) => (fresh.line, fresh.text, reason),
            None => return insert(db, list, &fresh).map(|()| ""),
        },
    };
    let text: String = text.chars().take(TEXT_MAX).collect();
    db.prepare_cached("INSERT OR REPLACE INTO reject VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        list,
        key(line),
        text,
        reason
    ])?;
    Ok(reason)
}

/// What the box itself knows against a number.
fn known(db: &Connection, list: &str, number: &str) -> rusqlite::Result<Option<&'static str>> {
    let yes = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<bool> {
        db.prepare_cached(sql)?.query_row(values, |row| row.get(0))
    };
    if yes("SELECT EXISTS (SELECT 1 FROM entry WHERE list = ?1 AND number = ?2)", &[&list, &number])? {
        return Ok(Some("duplicate"));
    }
    if yes("SELECT EXISTS (SELECT 1 FROM barred WHERE number = ?1)", &[&number])? {
        return Ok(Some("do_not_call"));
    }
    // What the network said last counts: a number may be given to somebody again.
    let sql = "SELECT coalesce((SELECT ending IN ('unallocated', 'number_changed', 'address_incomplete', 'service_tone')
               FROM attempt WHERE number = ?1 AND ending IS NOT NULL ORDER BY at DESC LIMIT 1), 0)";
    Ok(yes(sql, &[&number])?.then_some("found_invalid"))
}

fn insert(db: &Connection, list: &str, fresh: &Fresh) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO entry (list, number, zones, name, fields, value, state, attempts, due, appointment)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', 0, 0, 0)";
    let json = |value: serde_json::Value| value.to_string();
    let values = params![
        list,
        fresh.number,
        json(fresh.zones.clone().into()),
        fresh.name,
        json(serde_json::to_value(&fresh.fields).unwrap_or_default()),
        fresh.value
    ];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

impl Reader {
    /// Every list, with how many of its entries are left.
    ///
    /// # Errors
    /// The disk.
    pub fn lists(&self) -> Result<Vec<ListRow>, Fault> {
        // An entry has a name, too: the list's must be said.
        let sql = "SELECT name, at, by_whom, file, rows, taken, rejected,
                   (SELECT count(*) FROM entry e WHERE e.list = l.name AND e.state = 'open'),
                   (SELECT count(*) FROM entry e WHERE e.list = l.name AND e.state = 'done')
                   FROM list l ORDER BY name";
        let read = |row: &Row<'_>| {
            Ok(ListRow {
                list: row.get(0)?,
                at: Wall(row.get(1)?),
                by: row.get(2)?,
                file: row.get(3)?,
                rows: id(row.get(4)?),
                taken: id(row.get(5)?),
                rejected: id(row.get(6)?),
                open: id(row.get(7)?),
                done: id(row.get(8)?),
            })
        };
        self.with(|db| db.prepare_cached(sql)?.query_map([], read)?.collect())
    }

    /// A page of rejected rows of a list, after this line.
    ///
    /// # Errors
    /// The disk.
    pub fn rejects(&self, list: &str, after: u64) -> Result<Vec<RejectRow>, Fault> {
        let sql =
            "SELECT line, text, reason FROM reject WHERE list = ?1 AND line > ?2 ORDER BY line LIMIT 1000";
        let read =
            |row: &Row<'_>| Ok(RejectRow { line: id(row.get(0)?), text: row.get(1)?, reason: row.get(2)? });
        self.with(|db| db.prepare_cached(sql)?.query_map(params![list, key(after)], read)?.collect())
    }

    /// A page of the entries of a list, after this one.
    ///
    /// # Errors
    /// The disk.
    pub fn entries(&self, list: &str, after: EntryId) -> Result<Vec<EntryRow>, Fault> {
        let sql = "SELECT entry, number, name, state, attempts, due, result, word FROM entry
                   WHERE list = ?1 AND entry > ?2 ORDER BY entry LIMIT 200";
        let read = |row: &Row<'_>| {
            Ok(EntryRow {
                entry: EntryId(id(row.get(0)?)),
                number: row.get(1)?,
                name: row.get(2)?,
                state: row.get(3)?,
                attempts: row.get(4)?,
                due: Wall(row.get(5)?),
                result: row.get(6)?,
                word: row.get(7)?,
            })
        };
        self.with(|db| db.prepare_cached(sql)?.query_map(params![list, key(after.0)], read)?.collect())
    }
}
