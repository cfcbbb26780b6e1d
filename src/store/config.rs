//! The configuration's generations: every change is one, stored whole, by compare-and-set. Undo stores an older one
//! again. Decides which generation counts at a start: the newest that still checks.
use crate::fault::Fault;
use crate::row::{id, key};
use crate::{Store, schema, vault, writer};
use model::clock::Wall;
use model::config::draft::Problem;
use model::config::{Config, diff, draft, text};
use model::id::Generation;
use model::query::GenerationRow;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// Generations kept: more than anybody undoes, and a small share of the disk.
const KEPT: u64 = 1000;

/// A stored configuration.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its number.
    pub generation: Generation,
    /// Its content.
    pub config: Arc<Config>,
    /// False when the tree was the one in force already, and nothing was stored.
    pub changed: bool,
}

/// Why a configuration was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitRefusal {
    /// The draft is wrong: every problem with its field.
    #[error("{} problems in the configuration", .0.len())]
    Problems(Vec<Problem>),
    /// Somebody else changed it meanwhile; this is the newest generation.
    #[error("the configuration is at generation {0} by now; load it again and repeat the change")]
    Stale(Generation),
    /// There is no such generation (any more).
    #[error("there is no generation {0}")]
    Unknown(Generation),
    /// The disk failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

pub(crate) fn generation_row(row: &Row<'_>) -> rusqlite::Result<GenerationRow> {
    Ok(GenerationRow {
        generation: Generation(id(row.get(0)?)),
        at: Wall(row.get(1)?),
        by: row.get(2)?,
        summary: row.get(3)?,
    })
}

pub(crate) fn generation_tree(row: &Row<'_>) -> rusqlite::Result<(Generation, Value)> {
    let text: String = row.get(1)?;
    let tree = serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(e)))?;
    Ok((Generation(id(row.get(0)?)), tree))
}

/// Fills in what a draft leaves out (secrets of the configuration in force, then new ones), and checks it.
///
/// # Errors
/// Every problem.
pub fn finish(mut tree: Value, current: Option<&Value>) -> Result<Config, Vec<Problem>> {
    if let Some(current) = current {
        draft::inherit(&mut tree, current);
    }
    draft::complete(&mut tree, &mut random);
    draft::read(&tree)
}

/// Bytes of the kernel. It has no other way to fail than a broken machine, on which no secret may be made.
fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel gives random bytes");
}

impl Store {
    /// Completes, checks and stores a draft as a new generation, if the newest one is `based_on` (when given). An empty
    /// `summary` is made from the differences.
    ///
    /// # Errors
    /// `Problems`, `Stale`: nothing was stored. `Fault`: it is not known to be stored.
    pub fn commit(
        &self,
        by: &str,
        tree: Value,
        based_on: Option<Generation>,
        summary: &str,
    ) -> Result<Committed, CommitRefusal> {
        let current = self.reader().current()?;
        let newest = current.as_ref().map_or(Generation(0), |(g, _)| *g);
        if based_on.is_some_and(|g| g != newest) {
            return Err(CommitRefusal::Stale(newest));
        }
        let old = current.map(|(_, tree)| tree);
        let config = Arc::new(finish(tree, old.as_ref()).map_err(CommitRefusal::Problems)?);
        let new = draft::to_tree(&config);
        if old.as_ref() == Some(&new) {
            return Ok(Committed { generation: newest, config, changed: false });
        }
        let summary = match (summary, &old) {
            ("", Some(old)) => diff::summary(&diff::changes(old, &new)),
            ("", None) => "first configuration".into(),
            (given, _) => given.chars().take(200).collect(),
        };
        let row = GenerationRow {
            generation: Generation(newest.0 + 1),
            at: writer::now(),
            by: by.chars().take(100).collect(),
            summary,
        };
        let generation = self.ask(move |db| insert(db, &row, &new))??;
        self.copy_beside(generation, &config);
        Ok(Committed { generation, config, changed: true })
    }

    /// One at a time, and never an older one over a newer one.
    fn copy_beside(&self, generation: Generation, config: &Config) {
        let _turn = self.copying.lock();
        let newest = self.reader().current().map(|found| found.map(|(newest, _)| newest));
        let done = match newest {
            Ok(newest) if newest == Some(generation) => write_copy(self.dir(), config),
            Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = done {
            tracing::warn!(%fault, "the copy of the configuration beside the database is old");
        }
    }

    /// Makes an older generation's tree the newest one again.
    ///
    /// # Errors
    /// `Unknown`: no such generation. Otherwise as [`Store::commit`].
    pub fn undo(
        &self,
        by: &str,
        to: Generation,
        based_on: Option<Generation>,
    ) -> Result<Committed, CommitRefusal> {
        let tree = self.reader().generation(to)?.ok_or(CommitRefusal::Unknown(to))?;
        self.commit(by, tree, based_on, &format!("back to {to}"))
    }
}

/// Compare-and-set: the new row must follow the newest one.
pub(crate) fn insert(
    db: &Connection,
    row: &GenerationRow,
    tree: &Value,
) -> rusqlite::Result<Result<Generation, CommitRefusal>> {
    let newest: Option<i64> = db.query_row("SELECT max(generation) FROM generation", [], |r| r.get(0))?;
    let newest = id(newest.unwrap_or(0));
    if newest + 1 != row.generation.0 {
        return Ok(Err(CommitRefusal::Stale(Generation(newest))));
    }
    let sql =
        "INSERT INTO generation (generation, at, by_whom, summary, tree) VALUES (?1, ?2, ?3, ?4, seal(?5))";
    db.execute(sql, params![key(row.generation.0), row.at.0, row.by, row.summary, tree.to_string()])?;
    let oldest = row.generation.0.saturating_sub(KEPT);
    db.execute("DELETE FROM generation WHERE generation <= ?1", [key(oldest)])?;
    Ok(Ok(row.generation))
}

/// Copy of the newest configuration beside the database, sealed as that is: what a start falls back to when the database
/// is damaged, so that phones and trunks work on.
pub(crate) const COPY: &str = "site.copy.toml";

/// Whole or not at all: written beside, then renamed.
fn write_copy(dir: &Path, config: &Config) -> Result<(), Fault> {
    put_copy(dir, &vault::sealed(dir, &text::write(config))?)
}

/// Seals a copy that stands there in clear: a backup brought it.
pub(crate) fn seal_copy(dir: &Path) -> Result<(), Fault> {
    match std::fs::read_to_string(dir.join(COPY)) {
        Ok(copy) if !vault::is_sealed(&copy) => put_copy(dir, &vault::sealed(dir, &copy)?),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn put_copy(dir: &Path, text: &str) -> Result<(), Fault> {
    let (path, beside) = (dir.join(COPY), dir.join(format!("{COPY}.new")));
    let write = || {
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(Fault::file(&path))?;
    schema::sync_folder(dir)
}

/// Makes the copy the first generation of a fresh database. No copy, or a wrong one, is no failure.
pub(crate) fn take_copy(db: &Connection, dir: &Path, now: Wall) -> Result<(), Fault> {
    let Ok(copy) = std::fs::read_to_string(dir.join(COPY)) else { return Ok(()) };
    let copy = vault::opened(dir, &copy)?;
    let tree = text::parse(&copy).map_err(|p| vec![p]).and_then(|tree| draft::read(&tree));
    match tree {
        Ok(config) => {
            let summary = "copy kept beside the damaged database".to_owned();
            let row = GenerationRow { generation: Generation(1), at: now, by: "box".into(), summary };
            insert(db, &row, &draft::to_tree(&config)).map(drop).map_err(Fault::from)
        }
        Err(problems) => {
            tracing::error!(problems = problems.len(), "the copy of the configuration does not check");
            Ok(())
        }
    }
}

/// The newest generation, whether it checks or not.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<Option<(Generation, Value)>> {
    let sql = "SELECT generation, unseal(tree) FROM generation ORDER BY generation DESC LIMIT 1";
    let found =
        db.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).optional()?;
    // What is no JSON is nobody's newer configuration.
    Ok(found.and_then(|(number, text)| Some((Generation(id(number)), serde_json::from_str(&text).ok()?))))
}

/// The newest generation that still checks, and the newer ones that do not, with their problems.
pub(crate) struct Chosen {
    pub(crate) current: Option<(Generation, Arc<Config>)>,
    pub(crate) skipped: Vec<(Generation, Vec<Problem>)>,
}

pub(crate) fn choose(db: &Connection) -> rusqlite::Result<Chosen> {
    let mut chosen = Chosen { current: None, skipped: Vec::new() };
    let mut before = i64::MAX;
    let sql = "SELECT generation, unseal(tree) FROM generation WHERE generation < ?1 ORDER BY generation DESC LIMIT 1";
    while let Some((number, text)) =
        db.query_row(sql, [before], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).optional()?
    {
        before = number;
        match checked(&text) {
            Ok(config) => {
                chosen.current = Some((Generation(id(number)), Arc::new(config)));
                break;
            }
            Err(problems) => chosen.skipped.push((Generation(id(number)), problems)),
        }
    }
    Ok(chosen)
}

fn checked(text: &str) -> Result<Config, Vec<Problem>> {
    let tree: Value = serde_json::from_str(text).map_err(|error| {
        vec![Problem {
            field: String::new(),
            code: "syntax".into(),
            message: format!("this is not JSON: {error}"),
        }]
    })?;
    draft::read(&tree)
}
