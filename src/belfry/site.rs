//! The configuration as the web and the command line see it: drafts become stored generations, generations reach the
//! engine. One way in for everybody. Decides only the order: check, store, apply.
use crate::intake::Events;
use crate::ports::fault;
use crate::replies::Replies;
use engine::event::Event;
use model::command::Actor;
use model::config::draft::Problem;
use model::config::{draft, text};
use model::id::Generation;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Committed, Store};
use web::ports::{CommitRefusal, Draft, Fault, Later, Stored};

/// The site of an empty data folder.
const FIRST_SITE: &str = include_str!("../../rootfs/usr/share/belfry/defaults/site.toml");
/// How long the engine may take to have a stored configuration in force before the web is told all the same: it is
/// stored, and the engine has it in its queue.
const APPLY: Duration = Duration::from_secs(5);

/// The port of the web.
pub struct Site {
    /// Where generations are kept.
    pub store: Arc<Store>,
    /// Where the engine hears of a new one.
    pub events: Events,
    /// Where the engine says that it has it.
    pub replies: Arc<Replies>,
}

impl web::ports::Site for Site {
    fn current(&self) -> Stored<(Generation, Value)> {
        let current = self.store.reader().current().map_err(fault)?;
        current.ok_or_else(|| Fault::Inside("there is no configuration yet".into()))
    }

    fn at(&self, generation: Generation) -> Stored<Option<Value>> {
        self.store.reader().generation(generation).map_err(fault)
    }

    fn export(&self) -> Stored<String> {
        let (_, tree) = self.current()?;
        draft::read(&tree).map(|config| text::write(&config)).map_err(|problems| {
            Fault::Inside(format!("the stored configuration no longer checks: {} problems", problems.len()))
        })
    }

    fn check(&self, draft: &Draft) -> Vec<Problem> {
        let current = self.store.reader().current().ok().flatten().map(|(_, tree)| tree);
        match tree_of(draft.clone()) {
            Ok(tree) => store::finish(tree, current.as_ref()).err().unwrap_or_default(),
            Err(problem) => vec![problem],
        }
    }

    fn commit(
        &self,
        by: Actor,
        draft: Draft,
        based_on: Option<Generation>,
        summary: String,
    ) -> Later<Result<Generation, CommitRefusal>> {
        let (store, events, replies) = (self.store.clone(), self.events.clone(), self.replies.clone());
        Box::pin(async move {
            let work = move || keep(&store, &by, draft, based_on, &summary);
            let done = tokio::task::spawn_blocking(work).await;
            let done = done.map_err(|error| CommitRefusal::Fault(Fault::Inside(error.to_string())))??;
            apply(&events, &replies, &done).await;
            Ok(done.generation)
        })
    }
}

fn keep(
    store: &Store,
    by: &Actor,
    draft: Draft,
    based_on: Option<Generation>,
    summary: &str,
) -> Result<Committed, CommitRefusal> {
    let tree = tree_of(draft).map_err(|problem| CommitRefusal::Problems(vec![problem]))?;
    store.commit(&by.name, tree, based_on, summary).map_err(|refusal| match refusal {
        store::CommitRefusal::Problems(problems) => CommitRefusal::Problems(problems),
        store::CommitRefusal::Stale(generation) => CommitRefusal::Stale(generation),
        store::CommitRefusal::Unknown(generation) => {
            CommitRefusal::Fault(Fault::Inside(format!("there is no generation {generation}")))
        }
        store::CommitRefusal::Fault(error) => CommitRefusal::Fault(fault(error)),
    })
}

async fn apply(events: &Events, replies: &Replies, done: &Committed) {
    if !done.changed {
        return;
    }
    let Some((ticket, answer)) = replies.expect() else { return };
    let event =
        Event::ConfigCommitted { ticket, generation: done.generation, config: Arc::clone(&done.config) };
    let events = events.clone();
    // Must not be lost: it is stored already. Waits for room on a thread that may.
    let handed = tokio::task::spawn_blocking(move || events.push(event)).await;
    if handed.is_err() || tokio::time::timeout(APPLY, answer).await.is_err() {
        tracing::warn!(generation = %done.generation, "the engine has not confirmed the new configuration yet");
    }
}

fn tree_of(draft: Draft) -> Result<Value, Problem> {
    match draft {
        Draft::Toml(text) => text::parse(&text),
        Draft::Tree(tree) => Ok(tree),
    }
}

/// Stores the first configuration of an empty data folder: the given file, else the built-in site. What it leaves out
/// (passwords, PINs) is made at random.
///
/// # Errors
/// A sentence for the person who gave the file, with every problem.
pub fn first(store: &Store, file: Option<&Path>) -> anyhow::Result<Committed> {
    let (name, text) = match file {
        Some(path) => (path.display().to_string(), read(path)?),
        None => ("the built-in site".to_owned(), FIRST_SITE.to_owned()),
    };
    store::offline::apply(store, "first start", &text, &format!("first start with {name}")).map_err(
        |refusal| match refusal {
            store::CommitRefusal::Problems(problems) => {
                crate::lifecycle::BadInput(wrong_file(&name, &problems)).into()
            }
            other @ (store::CommitRefusal::Stale(_)
            | store::CommitRefusal::Unknown(_)
            | store::CommitRefusal::Fault(_)) => anyhow::Error::from(other),
        },
    )
}

/// Reads a file that a person named.
///
/// # Errors
/// A sentence with its name.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let bad = |why: String| crate::lifecycle::BadInput(format!("{} {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let remedy = "save it again from the editor with the encoding UTF-8";
        bad(format!("is not text in UTF-8: line {line} has a letter in another encoding; {remedy}")).into()
    })
}

/// Every problem of a file, one a line.
#[must_use]
pub fn wrong_file(name: &str, problems: &[Problem]) -> String {
    let lines = problems.iter().map(|p| {
        if p.field.is_empty() {
            format!("\n  {}", p.message)
        } else {
            format!("\n  {}: {}", p.field, p.message)
        }
    });
    let count = problems.len();
    let what = if count == 1 { "problem" } else { "problems" };
    format!("{name} has {count} {what}:{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_site_checks_and_gets_a_password_and_a_pin_for_each_extension() {
        let tree = text::parse(FIRST_SITE).unwrap();
        let config = store::finish(tree.clone(), None).unwrap_or_else(|p| panic!("{}", wrong_file("it", &p)));
        assert_eq!(config.extension.len(), 5);
        let mut passwords: Vec<_> = config.extension.values().map(|e| e.password.clone()).collect();
        assert!(passwords.iter().all(|p| p.len() >= 10), "{passwords:?}");
        passwords.sort();
        passwords.dedup();
        assert_eq!(passwords.len(), 5);
        let again = store::finish(tree, None).unwrap();
        assert!(!passwords.contains(&again.extension.values().next().unwrap().password));
    }

    #[test]
    fn a_wrong_file_is_told_every_problem_with_its_field() {
        let problem = |field: &str| Problem {
            field: field.into(),
            code: "missing".into(),
            message: "is missing; give it".into(),
        };
        let text = wrong_file("site.toml", &[problem("system.country"), problem("queue[0].overflow")]);
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains("2 problems") && text.contains("queue[0].overflow: is missing"), "{text}");
    }
}
