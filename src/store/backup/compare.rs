//! Compares what a backup gives back with what the box has: rows field by field, files byte by byte, the configuration by
//! its text. The first difference is named. Changes nothing.
use super::{BackupFault, Facts, archive};
use crate::fault::Fault;
use crate::{config, schema, spool, vault};
use model::config::text;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// An entry against the file of the box with the same name.
pub(super) fn stream(dir: &Path, name: &str, entry: &mut dyn Read) -> Result<(), BackupFault> {
    let whole = spool::below(dir, name)?;
    let file = match File::open(&whole) {
        Ok(file) => file,
        // Deleted by its owner since it was saved: its sum is in the index.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return std::io::copy(entry, &mut std::io::sink()).map(drop).map_err(|e| archive::damaged(&e));
        }
        Err(error) => return Err(Fault::file(&whole)(error).into()),
    };
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let (mut ours, mut theirs) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let read = entry.read(&mut theirs).map_err(|e| archive::damaged(&e))?;
        if read == 0 {
            let more = file.read(&mut ours).map_err(Fault::file(&whole))?;
            return if more == 0 { Ok(()) } else { Err(BackupFault::Differs(format!("{name} is longer"))) };
        }
        let same = file.read_exact(&mut ours[..read]).is_ok() && ours[..read] == theirs[..read];
        if !same {
            return Err(BackupFault::Differs(name.to_owned()));
        }
    }
}

/// Every table, every row, every field. The answer is the number of rows.
pub(super) fn databases(one: &Path, other: &Path) -> Result<u64, BackupFault> {
    let open = |path: &Path| {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(Fault::from)
    };
    let (one, other) = (open(one)?, open(other)?);
    let (ours, theirs) = (tables(&one)?, tables(&other)?);
    if ours != theirs {
        return Err(BackupFault::Differs("the tables of the database".into()));
    }
    let mut rows = 0;
    for (table, _) in &ours {
        rows += rows_of(&one, &other, table)?;
    }
    Ok(rows)
}

/// Tables with the text that made them.
fn tables(db: &Connection) -> Result<Vec<(String, String)>, Fault> {
    let sql =
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn rows_of(one: &Connection, other: &Connection, table: &str) -> Result<u64, BackupFault> {
    let sql = format!("SELECT * FROM \"{table}\"");
    let (mut one, mut other) =
        (one.prepare(&sql).map_err(Fault::from)?, other.prepare(&sql).map_err(Fault::from)?);
    let columns: Vec<String> = one.column_names().map(str::to_owned).collect();
    let (mut ours, mut theirs) = (one.query([]).map_err(Fault::from)?, other.query([]).map_err(Fault::from)?);
    let mut count = 0;
    loop {
        match (ours.next().map_err(Fault::from)?, theirs.next().map_err(Fault::from)?) {
            (None, None) => return Ok(count),
            (Some(a), Some(b)) => same_row(table, &columns, count, a, b)?,
            (Some(_), None) | (None, Some(_)) => {
                return Err(BackupFault::Differs(format!("table {table} has another number of rows")));
            }
        }
        count += 1;
    }
}

fn same_row(table: &str, columns: &[String], at: u64, a: &Row<'_>, b: &Row<'_>) -> Result<(), BackupFault> {
    for (i, column) in columns.iter().enumerate() {
        let (ours, theirs): (ValueRef<'_>, ValueRef<'_>) =
            (a.get_ref(i).map_err(Fault::from)?, b.get_ref(i).map_err(Fault::from)?);
        if ours != theirs {
            return Err(BackupFault::Differs(format!("table {table}, row {at}, field {column}")));
        }
    }
    Ok(())
}

/// The configuration that a box would start with from this folder has the text that was saved.
pub(super) fn configuration(folder: &Path, facts: &Facts) -> Result<(), BackupFault> {
    let db = Connection::open_with_flags(folder.join(schema::FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(Fault::from)?;
    vault::teach(&db, folder)?;
    let current = config::choose(&db).map_err(Fault::from)?.current;
    let text = current.map(|(_, config)| text::write(&config)).unwrap_or_default();
    if archive::hex(&Sha256::digest(text.as_bytes())) == facts.config_sha256 {
        return Ok(());
    }
    Err(BackupFault::Differs("the configuration".into()))
}
