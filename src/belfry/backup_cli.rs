//! `belfry backup` and `belfry factory-reset`: while the box runs they ask it, like every other client; else they work on
//! the data folder themselves. The pass-phrase of a check or a restore is the first line of standard input.
use crate::args::BackupCommand;
use crate::cli::{fine, password_line, running};
use crate::keeper::described;
use crate::lifecycle::{BadInput, say};
use model::saving::{BackupItem, BackupState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use store::backup::{self, BackupFault, Wanted};
use web::client::Client;

/// How long a running box may take to save itself.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// `belfry backup …`
///
/// # Errors
/// [`BadInput`] for a wrong file or pass-phrase; otherwise the disk's or the box's.
pub fn backup(command: BackupCommand, data: &Path) -> anyhow::Result<()> {
    match command {
        BackupCommand::Create(file) => create(data, file),
        BackupCommand::List => list(data),
        BackupCommand::Check(file) => {
            let facts = backup::check(&file, &password_line()?).map_err(|fault| refused(&file, fault))?;
            say(&format!("{} is whole: {}", file.display(), described(&facts)));
            Ok(())
        }
        BackupCommand::Restore(file) => restore(data, &file),
    }
}

/// With a file it is made there with a pass-phrase of its own; without, as the configuration says.
fn create(data: &Path, file: Option<PathBuf>) -> anyhow::Result<()> {
    if let Some(file) = file {
        let wanted = Wanted {
            recordings: false,
            version: env!("CARGO_PKG_VERSION").into(),
            pass_phrase: phrase_line()?,
        };
        let made = backup::create(data, &file, &wanted, crate::clock::wall())
            .map_err(|fault| refused(&file, fault))?;
        say(&format!(
            "{} is good: {}, {} rows and {} files compared",
            file.display(),
            described(&made.facts),
            made.rows,
            made.files
        ));
        return Ok(());
    }
    let client = running(data).ok_or_else(|| {
        BadInput("no box runs on this folder; name a FILE to make a backup of a resting one".into())
    })?;
    let before = state(&client)?;
    fine(client.ask("POST", "/api/v1/backups")?)?;
    let until = Instant::now() + PATIENCE;
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = state(&client)?;
        let ended = now.running.is_none();
        match (&now.last_failure, &now.last_good) {
            (Some(failure), _) if ended && now.last_failure != before.last_failure => {
                anyhow::bail!("{}", failure.why)
            }
            (_, Some(good)) if ended && now.last_good != before.last_good => {
                say(&format!("{} is good and at {}", good.name, good.place));
                return Ok(());
            }
            _ if Instant::now() > until => anyhow::bail!("the box has not finished in six hours"),
            _ => {}
        }
    }
}

/// Long enough to protect a file that may be lost.
fn phrase_line() -> anyhow::Result<String> {
    let phrase = password_line()?;
    if phrase.chars().count() < 12 {
        return Err(BadInput("this pass-phrase is too short; use at least 12 characters".into()).into());
    }
    Ok(phrase)
}

fn state(client: &Client) -> anyhow::Result<BackupState> {
    Ok(serde_json::from_str(&fine(client.ask("GET", "/api/v1/backups")?)?.body)?)
}

fn list(data: &Path) -> anyhow::Result<()> {
    let items = match running(data) {
        Some(client) => {
            let state = state(&client)?;
            if let Some(failure) = &state.last_failure {
                say(&format!("the last try failed: {}", failure.why));
            }
            state.items.into_iter().chain(state.uploaded).collect()
        }
        None => crate::keeper::on_box(data)?,
    };
    if items.is_empty() {
        say("there is no backup");
    }
    for BackupItem { name, bytes, place, .. } in items {
        say(&format!("{name}  {} KiB  {place}", bytes >> 10));
    }
    Ok(())
}

fn restore(data: &Path, file: &Path) -> anyhow::Result<()> {
    let phrase = password_line()?;
    let Some(client) = running(data) else {
        let facts = store::offline::restore(data, file, &phrase).map_err(|fault| refused(file, fault))?;
        say(&format!("restored: {}", described(&facts)));
        return Ok(());
    };
    let name = crate::keeper::lay_beside(data, file)?;
    let body = serde_json::json!({ "pass_phrase": phrase });
    let answer =
        fine(client.patient().ask_json("POST", &format!("/api/v1/backups/{name}/restore"), &body)?)?;
    let text = answer.json()["text"].as_str().unwrap_or_default().to_owned();
    say(&format!("restored: {text}; the box starts again"));
    Ok(())
}

/// `belfry factory-reset --yes`
///
/// # Errors
/// [`BadInput`] without the word; otherwise the disk's or the box's.
pub fn factory_reset(yes: bool, data: &Path) -> anyhow::Result<()> {
    if !yes {
        let text = "this removes every setting, message, recording and call record of the box; say --yes if that is meant";
        return Err(BadInput(text.into()).into());
    }
    match running(data) {
        Some(client) => {
            let body = serde_json::json!({ "confirm": "reset" });
            fine(client.patient().ask_json("POST", "/api/v1/reset", &body)?)?;
        }
        None => store::offline::factory_reset(data)?,
    }
    say("the box is as new; its first page is the set-up");
    Ok(())
}

fn refused(file: &Path, fault: BackupFault) -> anyhow::Error {
    match fault {
        BackupFault::Disk(error) if error.is_of_the_disk() => {
            anyhow::anyhow!(
                "the disk is full or fails, so there is no backup; make room, then try again ({error})"
            )
        }
        BackupFault::Disk(error) => error.into(),
        other @ (BackupFault::PassPhrase
        | BackupFault::Foreign(_)
        | BackupFault::Newer { .. }
        | BackupFault::Damaged(_)
        | BackupFault::Differs(_)
        | BackupFault::NoRoom { .. }
        | BackupFault::Waiting
        | BackupFault::Empty) => BadInput(format!("{}: {other}", file.display())).into(),
    }
}
