//! `belfry get | set | add | delete | schema`: the configuration by its paths, on the command line. Everything the pages can
//! set can be set here, because both write the one tree that the configuration's readers check. A running box is asked
//! over its local socket; else the data folder is opened. Decides only which of the two.
use crate::args::EditCommand;
use crate::cli::{BY, fine_file, generation_of, must_exist, nothing_yet, refused, running};
use crate::lifecycle::{BadInput, say};
use model::config::{cascade, draft, edit, schema};
use model::id::Generation;
use serde_json::Value;
use std::path::Path;
use store::{CommitRefusal, offline};

/// Runs one.
///
/// # Errors
/// [`BadInput`] for a path or a value that cannot be; otherwise the disk's or the box's.
pub fn run(command: &EditCommand, data: &Path) -> anyhow::Result<()> {
    match command {
        EditCommand::Schema(prefix) => tell_schema(prefix),
        EditCommand::Get(path) => {
            let (_, tree) = current(data)?;
            say(&shown(edit::get(&tree, path).map_err(BadInput)?));
        }
        EditCommand::Set(pairs) => {
            change(data, |tree| pairs.iter().try_for_each(|(path, value)| edit::set(tree, path, value)))?
        }
        EditCommand::Add(path, words) => change(data, |tree| edit::add(tree, path, words))?,
        EditCommand::Delete { path, cascade } => delete(data, path, *cascade)?,
    }
    Ok(())
}

fn tell_schema(prefix: &str) {
    for field in schema::fields().iter().filter(|f| f.path.starts_with(prefix)) {
        say(&format!("{:<40} {}", field.path, field.kind));
    }
}

/// A text as it is, so that a shell can use it; everything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned)
}

fn delete(data: &Path, path: &str, cascade: bool) -> anyhow::Result<()> {
    change(data, |tree| {
        edit::remove(tree, path)?;
        let Err(problems) = draft::read(tree) else { return Ok(()) };
        if !cascade::only_uses(&problems) {
            return Ok(());
        }
        if !cascade {
            let users = cascade::users(tree, &problems).join(", ");
            return Err(format!(
                "{path} is used by: {users}; change them first, or give --cascade to delete them with it"
            ));
        }
        let (mended, touched) =
            cascade::mend(tree.take()).map_err(|_| format!("{path} cannot go: too much hangs on it"))?;
        *tree = mended;
        say(&format!("taken away or changed with it: {}", touched.join(", ")));
        Ok(())
    })
}

/// The tree in force and its generation.
fn current(data: &Path) -> anyhow::Result<(Generation, Value)> {
    if let Some(client) = running(data) {
        let answer = fine_file(client.ask("GET", "/api/v1/config")?, "")?;
        let mut body = answer.json();
        return Ok((generation_of(&answer), body["config"].take()));
    }
    must_exist(data)?;
    let read = offline::with(data, |store| store.reader().current())?;
    read.ok_or_else(|| nothing_yet(data))
}

/// Changes the tree in force and commits it, checked as a whole.
fn change(data: &Path, edit: impl Fn(&mut Value) -> Result<(), String>) -> anyhow::Result<()> {
    let (based_on, mut tree) = current(data)?;
    edit(&mut tree).map_err(BadInput)?;
    let generation = match running(data) {
        Some(client) => {
            let answer = client.ask_json_if("PUT", "/api/v1/config", &tree, based_on.0)?;
            generation_of(&fine_file(answer, "")?)
        }
        None => {
            let done: Result<_, CommitRefusal> =
                offline::with(data, |store| store.commit(BY, tree, Some(based_on), ""));
            done.map_err(|refusal| refused(refusal, "the change"))?.generation
        }
    };
    say(&format!("generation {generation} is in force"));
    Ok(())
}
