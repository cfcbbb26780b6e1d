//! The command line: text to typed values, or one clear sentence. Own and small: the set of commands is fixed and every
//! wrong word must be named. Decides nothing else; never touches files.
mod what_if;

use crate::usage;
use model::update::Restart;
use model::what_if::Question;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the data folder is when nobody says: the systemd unit's `StateDirectory`.
pub const DEFAULT_DATA: &str = "/var/lib/belfry";

/// One thing asked on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `belfry backup …`
    Backup(BackupCommand, PathBuf),
    /// `belfry config …`
    Config(ConfigCommand, PathBuf),
    /// `belfry console`
    Console(PathBuf),
    /// `belfry factory-reset`
    FactoryReset {
        /// Whether it was said that it is meant.
        yes: bool,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry get | set | add | delete | schema`
    Edit(EditCommand, PathBuf),
    /// `belfry --help`, or `belfry COMMAND --help`: what is printed.
    Help(&'static str),
    /// `belfry what-if`
    WhatIf {
        /// The question.
        question: Box<Question>,
        /// For programs.
        json: bool,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry pace --stdio`
    Pace,
    /// `belfry pace --help`
    PaceHelp,
    /// `belfry role …`: a child of the supervisor; not for people.
    Role(Role, RunOptions),
    /// `belfry run`
    Run(RunOptions),
    /// `belfry simulate dialer --help`
    SimulateHelp,
    /// `belfry simulate dialer`
    SimulateDialer {
        /// A file, or the name of a built-in scenario.
        scenario: PathBuf,
        /// Runs.
        seeds: u64,
        /// For programs.
        json: bool,
    },
    /// `belfry status`
    Status {
        /// Whole answer as JSON.
        json: bool,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry steward`
    Steward(StewardOptions),
    /// `belfry token create`
    TokenCreate {
        /// Shown name.
        name: String,
        /// What it may do.
        role: String,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry update`
    Update {
        /// The bundle.
        file: PathBuf,
        /// When the box restarts after it.
        restart: Restart,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry user set`
    UserSet {
        /// Login name.
        name: String,
        /// What they may do.
        role: String,
        /// Data folder.
        data: PathBuf,
    },
    /// `belfry --version`
    Version,
}

/// What to do with backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupCommand {
    /// Reads one and says what is in it.
    Check(PathBuf),
    /// Makes one: into this file, or as the configuration says.
    Create(Option<PathBuf>),
    /// Lists them.
    List,
    /// Takes one back.
    Restore(PathBuf),
}

/// What to do with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigCommand {
    /// Makes a file the current configuration.
    Apply(PathBuf),
    /// Says what is wrong with a file.
    Check(PathBuf),
    /// Prints the current one as TOML.
    Export,
    /// Lists generations.
    History,
    /// Makes an older tree current again.
    Undo(u64),
}

/// Which half of the box a child process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Engine, SIP, web, store.
    Control,
    /// RTP.
    Media,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Control => "control",
            Role::Media => "media",
        })
    }
}

/// Options of `belfry run`, handed on to its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Data folder.
    pub data: PathBuf,
    /// First configuration of an empty data folder.
    pub site: Option<PathBuf>,
    /// SIP over UDP and TCP.
    pub sip: SocketAddr,
    /// Plain HTTP; only redirects.
    pub http: SocketAddr,
    /// Admin and API.
    pub https: SocketAddr,
    /// RTP ports, inclusive.
    pub rtp: (u16, u16),
    /// Address in SDP; found from the route to the peer when not given.
    pub media_address: Option<IpAddr>,
    /// Log filter.
    pub log: String,
    /// Whether a stop waits for calls to end.
    pub drain: bool,
    /// Where the steward listens; on a PC there is none.
    pub steward: PathBuf,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        let any = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        RunOptions {
            data: PathBuf::from(DEFAULT_DATA),
            site: None,
            sip: any(5060),
            http: any(8080),
            https: any(8443),
            rtp: (10_000, 10_999),
            media_address: None,
            log: "info".into(),
            drain: false,
            steward: PathBuf::from(board::steward::SOCKET),
        }
    }
}

impl RunOptions {
    /// The words that make a child of this executable run with the same options.
    #[must_use]
    pub fn role_arguments(&self, role: Role) -> Vec<std::ffi::OsString> {
        let mut words: Vec<std::ffi::OsString> = vec!["role".into(), role.to_string().into()];
        let mut pair = |flag: &str, value: std::ffi::OsString| words.extend([flag.into(), value]);
        pair("--data", self.data.clone().into());
        if let Some(site) = &self.site {
            pair("--site", site.clone().into());
        }
        pair("--sip", self.sip.to_string().into());
        pair("--http", self.http.to_string().into());
        pair("--https", self.https.to_string().into());
        pair("--rtp", format!("{}-{}", self.rtp.0, self.rtp.1).into());
        if let Some(address) = self.media_address {
            pair("--media-address", address.to_string().into());
        }
        pair("--log", self.log.clone().into());
        pair("--steward", self.steward.clone().into());
        words
    }
}

/// What is done to the configuration by paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditCommand {
    /// Adds an item, a rule or a text to a list.
    Add(String, Vec<String>),
    /// Takes an item away, or a field, which then has its usual value.
    Delete {
        /// What goes.
        path: String,
        /// Whether what uses it goes too.
        cascade: bool,
    },
    /// Shows what stands at a path.
    Get(String),
    /// Shows the fields that begin so.
    Schema(String),
    /// Sets fields, all at once.
    Set(Vec<(String, String)>),
}

/// Options of `belfry steward`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StewardOptions {
    /// Where it listens.
    pub socket: PathBuf,
    /// Folder that stands for the machine in a test.
    pub root: Option<PathBuf>,
    /// Log filter.
    pub log: String,
}

/// A wrong command line, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (see belfry --help)", self.0)
    }
}

/// Reads the words after the program's name.
///
/// # Errors
/// The first wrong word, with what may stand there.
pub fn read(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command, Usage> {
    let mut words = Words::new(words)?;
    let Some(first) = words.next_plain() else {
        return words.only_flag();
    };
    if let Some(text) = usage::of(&first).filter(|_| words.ask_for_help()) {
        return Ok(Command::Help(text));
    }
    match first.as_str() {
        "run" => Ok(Command::Run(run_options(&mut words)?)),
        "role" => {
            let role = match words.plain("role", "control or media")?.as_str() {
                "control" => Role::Control,
                "media" => Role::Media,
                other => return Err(Usage(format!("role \"{other}\" is neither control nor media"))),
            };
            Ok(Command::Role(role, run_options(&mut words)?))
        }
        "backup" => backup(&mut words),
        "factory-reset" => {
            let (mut yes, mut data) = (false, PathBuf::from(DEFAULT_DATA));
            while let Some(flag) = words.flag()? {
                match flag.as_str() {
                    "--yes" => yes = true,
                    "--data" => data = words.value(&flag)?.into(),
                    other => return Err(unknown(other)),
                }
            }
            Ok(Command::FactoryReset { yes, data })
        }
        "config" => config(&mut words),
        "get" | "set" | "add" | "delete" | "schema" => edit(&first, &mut words),
        "user" => {
            words.must_be("user", "set")?;
            let name = words.plain("user set", "a NAME")?;
            let (role, data) = role_and_data(&mut words)?;
            Ok(Command::UserSet { name, role, data })
        }
        "token" => {
            words.must_be("token", "create")?;
            let name = words.plain("token create", "a NAME")?;
            let (role, data) = role_and_data(&mut words)?;
            Ok(Command::TokenCreate { name, role, data })
        }
        "status" => {
            let (mut json, mut data) = (false, PathBuf::from(DEFAULT_DATA));
            while let Some(flag) = words.flag()? {
                match flag.as_str() {
                    "--json" => json = true,
                    "--data" => data = words.value(&flag)?.into(),
                    other => return Err(unknown(other)),
                }
            }
            Ok(Command::Status { json, data })
        }
        "help" => match words.next_plain() {
            Some(command) => usage::of(&command).map(Command::Help).ok_or_else(|| no_command(&command)),
            None => Ok(Command::Help(usage::HELP)),
        },
        "pace" => pace(&mut words),
        "simulate" => simulate(&mut words),
        "update" => update(&mut words),
        "what-if" => what_if::read(&mut words),
        "console" => Ok(Command::Console(only_data(&mut words)?)),
        "steward" => Ok(Command::Steward(steward(&mut words)?)),
        other => Err(no_command(other)),
    }
}

fn no_command(word: &str) -> Usage {
    Usage(format!("there is no command \"{word}\""))
}

fn run_options(words: &mut Words) -> Result<RunOptions, Usage> {
    let mut options = RunOptions::default();
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--data" => options.data = words.value(&flag)?.into(),
            "--site" => options.site = Some(words.value(&flag)?.into()),
            "--sip" => options.sip = address(&flag, &words.value(&flag)?)?,
            "--http" => options.http = address(&flag, &words.value(&flag)?)?,
            "--https" => options.https = address(&flag, &words.value(&flag)?)?,
            "--rtp" => options.rtp = port_range(&words.value(&flag)?)?,
            "--media-address" => options.media_address = Some(media_address(&words.value(&flag)?)?),
            "--log" => options.log = log_filter(words.value(&flag)?)?,
            "--drain" => options.drain = true,
            "--steward" => options.steward = words.value(&flag)?.into(),
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn steward(words: &mut Words) -> Result<StewardOptions, Usage> {
    let socket = PathBuf::from(board::steward::SOCKET);
    let mut options = StewardOptions { socket, root: None, log: "info".into() };
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--socket" => options.socket = words.value(&flag)?.into(),
            "--root" => options.root = Some(words.value(&flag)?.into()),
            "--log" => options.log = log_filter(words.value(&flag)?)?,
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn pace(words: &mut Words) -> Result<Command, Usage> {
    match words.flag()?.as_deref() {
        Some("--stdio") => match words.flag()? {
            None => Ok(Command::Pace),
            Some(other) => Err(unknown(&other)),
        },
        Some("--help") => Ok(Command::PaceHelp),
        Some(other) => Err(unknown(other)),
        None => Err(Usage("pace wants --stdio".into())),
    }
}

fn simulate(words: &mut Words) -> Result<Command, Usage> {
    /// More would run for hours.
    const SEEDS_MAX: u64 = 1_000;
    if words.ask_for_help() {
        return Ok(Command::SimulateHelp);
    }
    words.must_be("simulate", "dialer")?;
    let (mut scenario, mut seeds, mut json) = (None, 8, false);
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--scenario" => scenario = Some(words.value(&flag)?.into()),
            "--seeds" => {
                let text = words.value(&flag)?;
                let number = text.parse().ok().filter(|seeds| (1..=SEEDS_MAX).contains(seeds));
                seeds = number
                    .ok_or_else(|| Usage(format!("--seeds goes from 1 to {SEEDS_MAX}, not \"{text}\"")))?;
            }
            "--json" => json = true,
            other => return Err(unknown(other)),
        }
    }
    let scenario =
        scenario.ok_or_else(|| Usage("--scenario is missing; it is a file or a name such as base".into()))?;
    Ok(Command::SimulateDialer { scenario, seeds, json })
}

fn config(words: &mut Words) -> Result<Command, Usage> {
    let what = words.plain("config", "export, check, apply, history or undo")?;
    let command = match what.as_str() {
        "export" => ConfigCommand::Export,
        "check" => ConfigCommand::Check(words.plain("config check", "a FILE")?.into()),
        "apply" => ConfigCommand::Apply(words.plain("config apply", "a FILE")?.into()),
        "history" => ConfigCommand::History,
        "undo" => {
            let text = words.plain("config undo", "a GENERATION (a number from config history)")?;
            let number = text.parse().map_err(|_| {
                Usage(format!("\"{text}\" is not a generation; take a number from belfry config history"))
            })?;
            ConfigCommand::Undo(number)
        }
        other => {
            return Err(Usage(format!("config can export, check, apply, history or undo, not \"{other}\"")));
        }
    };
    Ok(Command::Config(command, only_data(words)?))
}

fn backup(words: &mut Words) -> Result<Command, Usage> {
    let command = match words.plain("backup", "create, list, check or restore")?.as_str() {
        "check" => BackupCommand::Check(words.plain("backup check", "a FILE")?.into()),
        "create" => BackupCommand::Create(words.next_plain().map(PathBuf::from)),
        "list" => BackupCommand::List,
        "restore" => BackupCommand::Restore(words.plain("backup restore", "a FILE")?.into()),
        other => return Err(Usage(format!("backup can create, list, check or restore, not \"{other}\""))),
    };
    Ok(Command::Backup(command, only_data(words)?))
}

/// The words of an edit and its flags, which may stand anywhere before a `--`.
fn edit(what: &str, words: &mut Words) -> Result<Command, Usage> {
    let (mut plain, mut cascade, mut data) = (Vec::new(), false, PathBuf::from(DEFAULT_DATA));
    while let Some(word) = words.any() {
        match word.as_str() {
            "--data" => data = words.value("--data")?.into(),
            "--cascade" if what == "delete" => cascade = true,
            other if other.starts_with("--") => return Err(unknown(other)),
            _ => plain.push(word),
        }
    }
    let mut plain = plain.into_iter();
    let command = match (what, plain.next()) {
        ("schema", prefix) => EditCommand::Schema(prefix.unwrap_or_default()),
        ("get", path) => EditCommand::Get(path.unwrap_or_default()),
        (_, None) => return Err(Usage(format!("{what} wants a PATH, e.g. extension.101.name"))),
        ("delete", Some(path)) => EditCommand::Delete { path, cascade },
        ("add", Some(path)) => return Ok(Command::Edit(EditCommand::Add(path, plain.collect()), data)),
        (_, Some(path)) => return Ok(Command::Edit(EditCommand::Set(pairs(path, plain)?), data)),
    };
    match plain.next() {
        Some(extra) => Err(Usage(format!("\"{extra}\" is one word too many"))),
        None => Ok(Command::Edit(command, data)),
    }
}

/// Paths and values in turn.
fn pairs(first: String, mut rest: impl Iterator<Item = String>) -> Result<Vec<(String, String)>, Usage> {
    let (mut out, mut path) = (Vec::new(), Some(first));
    while let Some(name) = path {
        let value = rest.next().ok_or_else(|| Usage(format!("set wants a VALUE for {name}")))?;
        out.push((name, value));
        path = rest.next();
    }
    Ok(out)
}

fn update(words: &mut Words) -> Result<Command, Usage> {
    let file = words.plain("update", "a FILE (an update bundle, .raucb)")?.into();
    let (mut restart, mut data) = (Restart::Idle, PathBuf::from(DEFAULT_DATA));
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--restart" => {
                restart = match words.value(&flag)?.as_str() {
                    "now" => Restart::Now,
                    "idle" => Restart::Idle,
                    "later" => Restart::Later,
                    other => return Err(Usage(format!("--restart is now, idle or later, not \"{other}\""))),
                }
            }
            "--data" => data = words.value(&flag)?.into(),
            other => return Err(unknown(other)),
        }
    }
    Ok(Command::Update { file, restart, data })
}

fn only_data(words: &mut Words) -> Result<PathBuf, Usage> {
    let mut data = PathBuf::from(DEFAULT_DATA);
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--data" => data = words.value(&flag)?.into(),
            other => return Err(unknown(other)),
        }
    }
    Ok(data)
}

fn role_and_data(words: &mut Words) -> Result<(String, PathBuf), Usage> {
    const ROLES: [&str; 4] = ["admin", "supervisor", "agent", "user"];
    let (mut role, mut data) = (None, PathBuf::from(DEFAULT_DATA));
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--role" => role = Some(words.value(&flag)?),
            "--data" => data = words.value(&flag)?.into(),
            other => return Err(unknown(other)),
        }
    }
    let role =
        role.ok_or_else(|| Usage("--role is missing; it is admin, supervisor, agent or user".into()))?;
    if !ROLES.contains(&role.as_str()) {
        return Err(Usage(format!("role \"{role}\" is none of admin, supervisor, agent, user")));
    }
    Ok((role, data))
}

fn unknown(flag: &str) -> Usage {
    Usage(format!("there is no flag \"{flag}\" here"))
}

fn address(flag: &str, text: &str) -> Result<SocketAddr, Usage> {
    text.parse().map_err(|_| {
        Usage(format!("{flag} wants ADDRESS:PORT such as 0.0.0.0:5060 or [::]:5060, not \"{text}\""))
    })
}

fn media_address(text: &str) -> Result<IpAddr, Usage> {
    match text.parse::<IpAddr>() {
        Ok(ip) if !ip.is_unspecified() => Ok(ip),
        Ok(_) | Err(_) => Err(Usage(format!(
            "--media-address wants the IP address that phones send their sound to, such as 192.168.1.10, not \"{text}\""
        ))),
    }
}

/// Fewest RTP ports: two calls of two legs, each an even port and its RTCP neighbour.
const FEWEST_PORTS: u16 = 8;

fn port_range(text: &str) -> Result<(u16, u16), Usage> {
    let wrong = |why: &str| Usage(format!("--rtp wants LOW-HIGH such as 10000-10999, not \"{text}\": {why}"));
    let (low, high) = text.split_once('-').ok_or_else(|| wrong("there is no dash"))?;
    let low: u16 = low.parse().map_err(|_| wrong("the first port is no number up to 65535"))?;
    let high: u16 = high.parse().map_err(|_| wrong("the second port is no number up to 65535"))?;
    if low < 1024 {
        return Err(wrong("ports below 1024 belong to the system"));
    }
    if high < low || high - low + 1 < FEWEST_PORTS {
        return Err(wrong("at least 8 ports are needed"));
    }
    Ok((low, high))
}

fn log_filter(text: String) -> Result<String, Usage> {
    match tracing_subscriber::EnvFilter::try_new(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Usage(format!(
            "--log wants a filter such as info or info,engine=debug, not \"{text}\": {error}"
        ))),
    }
}

/// The words still to be read. `--flag=value` is cut into two.
struct Words {
    left: std::collections::VecDeque<String>,
}

impl Words {
    fn new(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Words, Usage> {
        let mut left = std::collections::VecDeque::new();
        for word in words {
            let word = word
                .into_string()
                .map_err(|bad| Usage(format!("\"{}\" is not UTF-8", bad.to_string_lossy())))?;
            match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => {
                    left.extend([flag.to_owned(), value.to_owned()]);
                }
                Some(_) | None => left.push_back(word),
            }
        }
        Ok(Words { left })
    }

    /// Whatever comes next.
    fn any(&mut self) -> Option<String> {
        self.left.pop_front()
    }

    /// Whether help is asked for behind a command: `--help` anywhere (no value begins so), or `-h` at once.
    fn ask_for_help(&self) -> bool {
        self.left.iter().any(|word| word == "--help") || self.left.front().is_some_and(|word| word == "-h")
    }

    fn next_plain(&mut self) -> Option<String> {
        self.left.pop_front_if(|word| !word.starts_with('-'))
    }

    fn plain(&mut self, command: &str, wanted: &str) -> Result<String, Usage> {
        self.next_plain().ok_or_else(|| Usage(format!("belfry {command} wants {wanted} next")))
    }

    fn must_be(&mut self, command: &str, word: &str) -> Result<(), Usage> {
        let given = self.plain(command, word)?;
        if given == word {
            return Ok(());
        }
        Err(Usage(format!("belfry {command} can only {word}, not \"{given}\"")))
    }

    fn flag(&mut self) -> Result<Option<String>, Usage> {
        match self.left.pop_front() {
            Some(word) if word.starts_with("--") => Ok(Some(word)),
            Some(word) => Err(Usage(format!("\"{word}\" is one word too many"))),
            None => Ok(None),
        }
    }

    fn value(&mut self, flag: &str) -> Result<String, Usage> {
        self.left
            .pop_front_if(|word| !word.starts_with("--"))
            .ok_or_else(|| Usage(format!("{flag} wants a value after it")))
    }

    fn only_flag(mut self) -> Result<Command, Usage> {
        match self.left.pop_front().as_deref() {
            Some("--version" | "-V") => Ok(Command::Version),
            Some("--help" | "-h") => Ok(Command::Help(usage::HELP)),
            Some(other) => Err(unknown(other)),
            None => Err(Usage("a command is missing".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Usage> {
        read(line.split_whitespace().map(std::ffi::OsString::from))
    }

    #[test]
    fn run_without_flags_uses_the_usual_ports() {
        let Ok(Command::Run(options)) = parse("run --data /tmp/x") else { panic!("not a run") };
        assert_eq!(options.data, PathBuf::from("/tmp/x"));
        assert_eq!(options.sip.to_string(), "0.0.0.0:5060");
        assert_eq!(options.https.port(), 8443);
        assert_eq!(options.rtp, (10_000, 10_999));
        assert!(!options.drain);
    }

    #[test]
    fn every_flag_of_run_is_understood_with_space_and_with_equals_sign() {
        let spaced = parse(
            "run --data d --site s.toml --sip 127.0.0.1:5070 --http 127.0.0.1:1 --https 127.0.0.1:2 \
             --rtp 20000-20099 --media-address 192.0.2.1 --log info,sip=debug --drain",
        );
        let Ok(Command::Run(options)) = &spaced else { panic!("{spaced:?}") };
        assert_eq!(options.sip.to_string(), "127.0.0.1:5070");
        assert_eq!(options.rtp, (20_000, 20_099));
        assert!(options.drain);
        let glued = parse(
            "run --data=d --site=s.toml --sip=127.0.0.1:5070 --http=127.0.0.1:1 --https=127.0.0.1:2 \
             --rtp=20000-20099 --media-address=192.0.2.1 --log=info,sip=debug --drain",
        );
        assert_eq!(spaced, glued);
    }

    #[test]
    fn a_role_gets_the_options_of_its_supervisor() {
        let Ok(Command::Run(options)) =
            parse("run --data d --site s --sip [::1]:5070 --media-address 10.0.0.1 --log debug")
        else {
            panic!("not a run")
        };
        let again = read(options.role_arguments(Role::Media));
        assert_eq!(again, Ok(Command::Role(Role::Media, options)));
    }

    #[test]
    fn commands_of_the_operator_are_understood() {
        assert_eq!(
            parse("config undo 7 --data d"),
            Ok(Command::Config(ConfigCommand::Undo(7), PathBuf::from("d")))
        );
        assert_eq!(
            parse("config check site.toml"),
            Ok(Command::Config(ConfigCommand::Check("site.toml".into()), DEFAULT_DATA.into()))
        );
        assert_eq!(
            parse("user set anna --role supervisor"),
            Ok(Command::UserSet {
                name: "anna".into(),
                role: "supervisor".into(),
                data: DEFAULT_DATA.into()
            })
        );
        assert_eq!(parse("status --json"), Ok(Command::Status { json: true, data: DEFAULT_DATA.into() }));
        assert_eq!(parse("--version"), Ok(Command::Version));
    }

    #[test]
    fn every_command_says_what_it_does_wherever_help_is_asked() {
        for line in [
            "run --help",
            "run --data d --help",
            "config --help",
            "config check --help",
            "set -h",
            "get --help",
            "user set --help",
            "backup restore x --help",
            "update --help",
            "steward --help",
            "role --help",
            "help status",
        ] {
            let command = line.trim_start_matches("help ").split(' ').next().expect("a word");
            let Ok(Command::Help(text)) = parse(line) else { panic!("{line}") };
            assert!(text.starts_with(&format!("belfry {command} - ")), "{line}: {text}");
        }
        assert_eq!(parse("--help"), parse("help"));
        assert_eq!(parse("pace --help"), Ok(Command::PaceHelp));
        assert_eq!(parse("simulate dialer --help"), parse("simulate --help"));
    }

    #[test]
    fn each_wrong_line_is_told_what_is_wrong_with_it() {
        let table = [
            ("", "command is missing"),
            ("dance", "no command \"dance\""),
            ("run --colour red", "no flag \"--colour\""),
            ("run --sip 5060", "ADDRESS:PORT"),
            ("run --sip", "--sip wants a value"),
            ("run --sip --http 1.2.3.4:5", "--sip wants a value"),
            ("run --rtp 10000", "no dash"),
            ("run --rtp 10000-10003", "at least 8 ports"),
            ("run --rtp 500-900", "below 1024"),
            ("run --rtp 10000-99999", "second port"),
            ("run --media-address 0.0.0.0", "phones send"),
            ("run --log a=b=c", "--log wants a filter"),
            ("run extra", "one word too many"),
            ("config", "export, check, apply"),
            ("config melt", "not \"melt\""),
            ("config check", "a FILE"),
            ("config undo now", "is not a generation"),
            ("backup melt", "create, list, check or restore"),
            ("backup restore", "a FILE"),
            ("factory-reset --now", "no flag \"--now\""),
            ("user delete anna", "can only set"),
            ("user set anna", "--role is missing"),
            ("user set anna --role king", "none of admin"),
            ("set", "wants a PATH"),
            ("set network.vlan", "wants a VALUE"),
            ("get a b", "one word too many"),
            ("delete extension.101 --force", "no flag"),
            ("token create", "a NAME"),
            ("update", "a FILE"),
            ("update x --restart soon", "now, idle or later"),
            ("--verbose", "no flag \"--verbose\""),
        ];
        for (line, part) in table {
            let error = parse(line).expect_err(line).to_string();
            assert!(error.contains(part), "\"{line}\" said: {error}");
        }
    }
}
