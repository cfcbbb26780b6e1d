//! The operator's sub-commands. While the box runs they ask it over its local socket, like every other client; else they
//! open the data folder themselves. Decides only which of the two.
use crate::args::ConfigCommand;
use crate::lifecycle::{self, BadInput, complain, say};
use crate::role::EXIT_BAD_INPUT;
use crate::site::{read, wrong_file};
use model::config::{diff, text};
use model::id::Generation;
use model::query::{GenerationRow, Page, Role, Status};
use model::update::{Restart, UpdateView};
use model::what_if::{Forecast, Question};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use store::{CommitRefusal, offline};
use web::client::{Answer, Client};

/// Who the history names for what the command line did while no box ran.
pub(crate) const BY: &str = "command line";
/// Longest password taken from standard input, bytes.
const PASSWORD_BYTES: u64 = 1024;

/// Runs one and says how it went: 0, 1 = it did not work, 2 = what was given is wrong.
#[must_use]
pub fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<BadInput>() { EXIT_BAD_INPUT } else { 1 })
        }
    }
}

/// `belfry config …`
///
/// # Errors
/// [`BadInput`] for a wrong file or number; otherwise the disk's or the box's.
pub fn config(command: ConfigCommand, data: &Path) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check(file) => check(&file, data),
        ConfigCommand::Export => export(data),
        ConfigCommand::Apply(file) => apply(data, &file),
        ConfigCommand::History => history(data),
        ConfigCommand::Undo(generation) => undo(data, generation),
    }
}

fn check(file: &Path, data: &Path) -> anyhow::Result<()> {
    let site = read(file)?;
    let problems = offline::check(&site);
    if !problems.is_empty() {
        return Err(BadInput(wrong_file(&file.display().to_string(), &problems)).into());
    }
    say(&format!("{} is fine", file.display()));
    // A file is checked where there is no box too: then there is nothing that it could take away.
    if running(data).is_some() || must_exist(data).is_ok() {
        let gone = taken_away(&exported(data)?, &site);
        if !gone.is_empty() {
            say(&format!("it is the whole site, so it takes away from the one in force: {gone}"));
        }
    }
    Ok(())
}

/// What stands in one site and not in another, in words.
fn taken_away(old: &str, new: &str) -> String {
    match (text::parse(old), text::parse(new)) {
        (Ok(old), Ok(new)) => diff::removal(&diff::removed(&old, &new)),
        (Err(_), _) | (_, Err(_)) => String::new(),
    }
}

fn export(data: &Path) -> anyhow::Result<()> {
    say(exported(data)?.trim_end());
    Ok(())
}

fn exported(data: &Path) -> anyhow::Result<String> {
    match running(data) {
        Some(client) => Ok(fine(client.ask("GET", "/api/v1/config/export")?)?.body),
        None => {
            must_exist(data)?;
            offline::with(data, offline::export)?.ok_or_else(|| nothing_yet(data))
        }
    }
}

fn apply(data: &Path, file: &Path) -> anyhow::Result<()> {
    let (text, name) = (read(file)?, file.display().to_string());
    let before = exported(data).unwrap_or_default();
    let generation = match running(data) {
        Some(client) => {
            let answer = client.ask_toml("POST", "/api/v1/config/apply", &text)?;
            generation_of(&fine_file(answer, &name)?)
        }
        None => {
            let done = offline::with(data, |store| offline::apply(store, BY, &text, ""));
            done.map_err(|refusal| refused(refusal, &name))?.generation
        }
    };
    say(&format!("generation {generation} is in force"));
    let gone = taken_away(&before, &text);
    if !gone.is_empty() {
        say(&format!(
            "taken away: {gone}; belfry config history shows the one before, belfry config undo brings it back"
        ));
    }
    Ok(())
}

/// `belfry what-if`: asks the running box, else reads the configuration itself.
///
/// # Errors
/// What of the question makes no sense; the disk.
pub fn what_if(question: &Question, json: bool, data: &Path) -> anyhow::Result<()> {
    let told: Forecast = match running(data) {
        Some(client) => {
            let answer = client.ask_json("POST", "/api/v1/what-if", &serde_json::to_value(question)?)?;
            serde_json::from_str(&fine(answer)?.body)?
        }
        None => {
            must_exist(data)?;
            let told: Result<_, store::Fault> =
                offline::with(data, |store| Ok(crate::studio::what_if(store, question)));
            told?.map_err(|why| BadInput(why.en))?
        }
    };
    if json {
        say(&serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    for step in &told.steps {
        let (seconds, ms) = (step.offset_ms / 1000, step.offset_ms % 1000);
        say(format!("{seconds:>5}.{ms:03}  {:<12} {}", step.kind, step.detail).trim_end());
    }
    say(&format!("at the end: {} {}", told.end, told.with));
    Ok(())
}

fn history(data: &Path) -> anyhow::Result<()> {
    let rows: Vec<GenerationRow> = match running(data) {
        Some(client) => {
            let answer = fine(client.ask("GET", "/api/v1/config/history?limit=200")?)?;
            serde_json::from_str::<Page<GenerationRow>>(&answer.body)?.items
        }
        None => {
            must_exist(data)?;
            offline::with(data, |store| offline::history(store, 200))?
        }
    };
    for row in rows {
        let at = jiff::Timestamp::from_millisecond(row.at.0)?.strftime("%Y-%m-%d %H:%M:%SZ");
        say(&format!("{:>5}  {at}  {}  {}", row.generation.0, row.by, row.summary));
    }
    Ok(())
}

fn undo(data: &Path, generation: u64) -> anyhow::Result<()> {
    let now = match running(data) {
        Some(client) => {
            let answer = client.ask("POST", &format!("/api/v1/config/history/{generation}/undo"))?;
            generation_of(&fine(answer)?)
        }
        None => {
            must_exist(data)?;
            let done = offline::with(data, |store| offline::undo(store, BY, Generation(generation)));
            done.map_err(|refusal| refused(refusal, &format!("generation {generation}")))?.generation
        }
    };
    say(&format!("generation {now} is in force, with the content of {generation}"));
    Ok(())
}

/// `belfry user set`; the password is the first line of standard input.
///
/// # Errors
/// [`BadInput`] for a weak password or a wrong name.
pub fn user_set(name: &str, role: &str, data: &Path) -> anyhow::Result<()> {
    let (role, password) = (role_of(role)?, password_line()?);
    web::api::users::check_name(name, "name").map_err(|_| BadInput(NAME_RULE.into()))?;
    if let Some((_, why)) = web::password::weakness(name, &password) {
        return Err(BadInput(why.en).into());
    }
    match running(data) {
        Some(client) => {
            let body = serde_json::json!({ "password": password, "role": role.word() });
            fine(client.ask_json("PUT", &format!("/api/v1/users/{name}"), &body)?)?;
        }
        None => {
            let hash = web::password::hash(&password)?;
            offline::with(data, |store| offline::user_set(store, name, role, &hash))?;
        }
    }
    say(&format!("{name} can sign in as {}", role.word()));
    Ok(())
}

/// `belfry token create`; prints the token and nothing else.
///
/// # Errors
/// [`BadInput`] for a wrong name.
pub fn token_create(name: &str, role: &str, data: &Path) -> anyhow::Result<()> {
    let role = role_of(role)?;
    web::api::users::check_name(name, "name").map_err(|_| BadInput(NAME_RULE.into()))?;
    let token = match running(data) {
        Some(client) => {
            let body = serde_json::json!({ "name": name, "role": role.word() });
            let answer = fine(client.ask_json("POST", "/api/v1/tokens", &body)?)?;
            answer.json()["token"].as_str().unwrap_or_default().to_owned()
        }
        None => {
            let (token, row) = web::api::tokens::mint(name, role, crate::clock::wall())?;
            offline::with(data, |store| offline::token_create(store, name, role, &row.token_hash))?;
            token
        }
    };
    say(&token);
    Ok(())
}

/// `belfry status`.
///
/// # Errors
/// The box does not run on this folder.
pub fn status(json: bool, data: &Path) -> anyhow::Result<()> {
    let client = running(data).ok_or_else(|| anyhow::anyhow!("no box runs on {}", data.display()))?;
    let answer = fine(client.ask("GET", "/api/v1/status")?)?;
    if json {
        say(answer.body.trim_end());
        return Ok(());
    }
    say(&in_words(&serde_json::from_str(&answer.body)?));
    Ok(())
}

fn in_words(status: &Status) -> String {
    let media = status.media_pid.map_or("down".to_owned(), |pid| format!("process {pid}"));
    let mut text = format!(
        "belfry {}, up {} s, generation {}\n\
         processes: supervisor {}, control {}, media {media}\n\
         SIP {}, admin https://{}\n\
         calls: {} of {}\n\
         phones: {} of {} registered",
        status.version,
        status.uptime_s,
        status.generation,
        status.supervisor_pid,
        status.control_pid,
        status.sip,
        status.https,
        status.calls,
        status.call_limit,
        status.phones_registered,
        status.phones_configured,
    );
    for alarm in &status.alarms {
        let (name, _) = model::health::of(&alarm.kind, model::media::Language::En);
        let subject = if alarm.subject.is_empty() { String::new() } else { format!(" ({})", alarm.subject) };
        text.push_str(&format!("\nALARM: {name}{subject} {}", alarm.detail));
    }
    for trunk in &status.trunks {
        let cause = console::cause(&trunk.cause, console::Language::En).unwrap_or(&trunk.cause);
        let said = if trunk.state == "up" || trunk.detail.is_empty() {
            String::new()
        } else {
            format!("; it said {}", trunk.detail)
        };
        text.push_str(&format!(
            "\ntrunk {}: {} ({cause}{said}), {} of {} calls",
            trunk.trunk, trunk.state, trunk.calls, trunk.capacity
        ));
    }
    text
}

/// `belfry update FILE`: uploads it, has it installed and tells how far it is.
///
/// # Errors
/// [`BadInput`] for a file that may not be installed; otherwise the disk's or the box's.
pub fn update(file: &Path, restart: Restart, data: &Path) -> anyhow::Result<()> {
    let Some(client) = running(data) else {
        return Err(BadInput(format!(
            "no belfry runs on {}; an update needs the running box",
            data.display()
        ))
        .into());
    };
    let content = std::fs::File::open(file)
        .map_err(|error| BadInput(format!("{} cannot be read: {error}", file.display())))?;
    fine(client.upload("/api/v1/update", content)?)?;
    let mut steps = Steps { client: &client, told: String::new() };
    let version = looked_at(&mut steps)?;
    say(&format!("version {version} is whole, signed and made for this box"));
    fine(client.ask_json("POST", "/api/v1/update/install", &serde_json::json!({ "restart": restart }))?)?;
    installed(&mut steps, &version, restart)
}

/// The verdict about the uploaded file: its version.
fn looked_at(steps: &mut Steps<'_>) -> anyhow::Result<String> {
    loop {
        let view = steps.look()?;
        match (view.work, view.bundle, view.refused) {
            (Some(_), _, _) => {}
            (None, Some(bundle), _) => return Ok(bundle.version),
            (None, None, Some(why)) => return Err(BadInput(why.en).into()),
            (None, None, None) => {
                return Err(anyhow::anyhow!("the box stopped while it looked at the file; try again"));
            }
        }
    }
}

fn installed(steps: &mut Steps<'_>, version: &str, restart: Restart) -> anyhow::Result<()> {
    let mut begun = false;
    loop {
        let view = steps.look()?;
        if let Some(why) = view.refused {
            return Err(anyhow::anyhow!(why.en));
        }
        begun |= view.work.is_some();
        if view.waiting.as_deref() == Some(version) && (begun || view.work.is_none()) {
            break;
        }
    }
    say(match restart {
        Restart::Now => "installed; the box restarts now",
        Restart::Idle => "installed; the box restarts as soon as no call is up, at the latest in an hour",
        Restart::Later => "installed; it starts at the next restart",
    });
    Ok(())
}

/// Follows what the box does with an update, and says each step once.
struct Steps<'a> {
    client: &'a Client,
    told: String,
}

impl Steps<'_> {
    /// How it is now; waits a little when there is more to come.
    fn look(&mut self) -> anyhow::Result<UpdateView> {
        let view: UpdateView = serde_json::from_str(&fine(self.client.ask("GET", "/api/v1/update")?)?.body)?;
        let line = view.work.as_ref().map(|work| format!("{:>3} % {}", work.percent, work.step.en));
        if let Some(line) = line.filter(|line| *line != self.told) {
            say(&line);
            self.told = line;
        }
        if view.refused.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        Ok(view)
    }
}

const NAME_RULE: &str = "a name has 1 to 64 of the characters a-z 0-9 . _ -";

pub(crate) fn running(data: &Path) -> Option<Client> {
    let client = Client::new(&lifecycle::control_socket(data));
    client.up().then_some(client)
}

pub(crate) fn fine(answer: Answer) -> anyhow::Result<Answer> {
    fine_file(answer, "")
}

/// A refusal of what was given is the giver's fault; the rest is the box's.
pub(crate) fn fine_file(answer: Answer, name: &str) -> anyhow::Result<Answer> {
    if answer.ok() {
        return Ok(answer);
    }
    let place = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let text = format!("{place}{}", answer.complaint());
    if matches!(answer.status, 400 | 404 | 409 | 422) {
        return Err(BadInput(text).into());
    }
    Err(anyhow::anyhow!(text))
}

pub(crate) fn generation_of(answer: &Answer) -> Generation {
    Generation(answer.json()["generation"].as_u64().unwrap_or_default())
}

pub(crate) fn refused(refusal: CommitRefusal, name: &str) -> anyhow::Error {
    match refusal {
        CommitRefusal::Problems(problems) => BadInput(wrong_file(name, &problems)).into(),
        CommitRefusal::Unknown(generation) => {
            BadInput(format!("there is no generation {generation}; belfry config history lists them")).into()
        }
        CommitRefusal::Stale(_) | CommitRefusal::Fault(_) => refusal.into(),
    }
}

pub(crate) fn must_exist(data: &Path) -> anyhow::Result<()> {
    if data.join("belfry.db").exists() { Ok(()) } else { Err(nothing_yet(data)) }
}

pub(crate) fn nothing_yet(data: &Path) -> anyhow::Error {
    BadInput(format!(
        "there is no configuration in {} yet; give the right folder with --data",
        data.display()
    ))
    .into()
}

fn role_of(word: &str) -> anyhow::Result<Role> {
    let role = Role::read(word);
    role.ok_or_else(|| BadInput(format!("role \"{word}\" is none of admin, supervisor, agent, user")).into())
}

pub(crate) fn password_line() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(PASSWORD_BYTES).read_to_string(&mut text)?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(
            BadInput("the password is missing: give it as the first line of standard input".into()).into()
        );
    }
    Ok(line)
}
