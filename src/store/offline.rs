//! What the command line does to a data folder while no box runs on it: export, check, apply, history and undo of the
//! configuration, users and tokens. Each opens the store, does one thing, and closes it. Passwords come hashed, tokens
//! come hashed; nothing here prints.
use crate::backup::{self, BackupFault, Facts};
use crate::config::{CommitRefusal, Committed, finish};
use crate::fault::Fault;
use crate::{Options, Store, boot, reset, schema, writer};
use model::config::draft::Problem;
use model::config::{diff, draft, text};
use model::id::Generation;
use model::query::{Change, GenerationRow, Role, TokenRow, UserRow};
use std::path::Path;
use std::sync::Arc;

/// Opens the folder, runs, closes.
///
/// # Errors
/// Those of [`Store::open`] (`InUse` = a box runs there: ask it instead), and of what is run.
pub fn with<T, E: From<Fault>>(dir: &Path, run: impl FnOnce(&Store) -> Result<T, E>) -> Result<T, E> {
    let options = Options { dir: dir.to_owned(), beat: Arc::default(), on_stored: Box::new(drop) };
    let (store, _) = Store::open(options)?;
    let result = run(&store);
    store.close();
    result
}

/// The configuration in force as readable text; `None` = there is none yet.
///
/// # Errors
/// `Fault`; `Problems` when the newest generation no longer checks.
pub fn export(store: &Store) -> Result<Option<String>, CommitRefusal> {
    let Some((_, tree)) = store.reader().current()? else { return Ok(None) };
    Ok(Some(text::write(&draft::read(&tree).map_err(CommitRefusal::Problems)?)))
}

/// Every problem of a text; empty = fine. Needs no store; secrets that are left out are no problem.
#[must_use]
pub fn check(site: &str) -> Vec<Problem> {
    let tree = match text::parse(site) {
        Ok(tree) => tree,
        Err(problem) => return vec![problem],
    };
    finish(tree, None).err().unwrap_or_default()
}

/// Checks and stores a text as the new configuration.
///
/// # Errors
/// `Problems`, `Fault`.
pub fn apply(store: &Store, by: &str, site: &str, summary: &str) -> Result<Committed, CommitRefusal> {
    let tree = text::parse(site).map_err(|problem| CommitRefusal::Problems(vec![problem]))?;
    store.commit(by, tree, None, summary)
}

/// The newest generations, newest first.
///
/// # Errors
/// `Fault`.
pub fn history(store: &Store, limit: u32) -> Result<Vec<GenerationRow>, Fault> {
    Ok(store.reader().generations(None, limit)?.items)
}

/// What a generation changed against the one before it; `None` = there is no such generation.
///
/// # Errors
/// `Fault`.
pub fn changes(store: &Store, generation: Generation) -> Result<Option<Vec<Change>>, Fault> {
    let reader = store.reader();
    let Some(new) = reader.generation(generation)? else { return Ok(None) };
    let before = reader.generations(Some(generation), 1)?.items.first().map(|g| g.generation);
    let old = before.map(|g| reader.generation(g)).transpose()?.flatten();
    Ok(Some(diff::changes(&old.unwrap_or(serde_json::Value::Object(serde_json::Map::new())), &new)))
}

/// Makes an older generation the newest again.
///
/// # Errors
/// `Unknown`, `Problems`, `Fault`.
pub fn undo(store: &Store, by: &str, to: Generation) -> Result<Committed, CommitRefusal> {
    store.undo(by, to, None)
}

/// Makes a user, or gives an existing one a new password and role; agent and extension stay.
///
/// # Errors
/// `Fault`.
pub fn user_set(store: &Store, name: &str, role: Role, password_hash: &str) -> Result<(), Fault> {
    let old = store.reader().user(name)?;
    store.sessions_delete_of(name)?;
    store.user_put(UserRow {
        name: name.to_owned(),
        role,
        password_hash: password_hash.to_owned(),
        agent: old.as_ref().and_then(|u| u.agent.clone()),
        extension: old.as_ref().and_then(|u| u.extension.clone()),
        created: old.map_or_else(writer::now, |u| u.created),
    })
}

/// Takes a backup back on a folder that no box runs on.
///
/// # Errors
/// Why it is not taken; the folder is as it was then.
pub fn restore(dir: &Path, file: &Path, pass_phrase: &str) -> Result<Facts, BackupFault> {
    schema::private_folder(dir)?;
    let _lock = boot::hold(dir)?;
    let facts = backup::stage(dir, file, pass_phrase)?;
    backup::commit(dir)?;
    backup::apply_pending(dir)?;
    Ok(facts)
}

/// Brings a folder that no box runs on back to the state of a new one.
///
/// # Errors
/// `InUse`, or the disk.
pub fn factory_reset(dir: &Path) -> Result<(), Fault> {
    let _lock = boot::hold(dir)?;
    reset::ask(dir)?;
    reset::apply_pending(dir).map(drop)
}

/// Makes or replaces a token by its SHA-256 (lower-case hex).
///
/// # Errors
/// `Fault`.
pub fn token_create(store: &Store, name: &str, role: Role, token_hash: &str) -> Result<(), Fault> {
    let (name, token_hash) = (name.to_owned(), token_hash.to_owned());
    store.token_put(TokenRow { name, role, token_hash, created: writer::now() })
}
