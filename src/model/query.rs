//! Questions about what the box has kept, and the rows that answer them: history, journeys, messages, events, stored
//! configurations, and the people who may sign in. Plain data shared by store (which answers) and web (which asks);
//! decides nothing.
use crate::clock::Wall;
use crate::id::{CallId, Generation};
use crate::notice::{CheckView, TrunkView};
use crate::record::{CallRecord, CallStep, Direction, NoteRecord, Outcome, RecordingRecord};
use serde::{Deserialize, Serialize};

/// Most rows of one page; a larger `limit` is cut to this.
pub const PAGE_MAX: u32 = 200;

/// What a signed-in person may do. In the order of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The wall board and nothing else. No person has it, only a token.
    Wall,
    /// Own calls, own mailbox.
    User,
    /// The same, and own agent state.
    Agent,
    /// Every call, queue and agent; no configuration.
    Supervisor,
    /// Everything.
    Admin,
}

impl Role {
    /// Those of people, weakest first.
    pub const ALL: [Role; 4] = [Role::User, Role::Agent, Role::Supervisor, Role::Admin];

    /// The word used on the command line, in the API and in the store.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::Wall => "wall",
            Role::User => "user",
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn read(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|r| r.word() == word)
    }
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Sign-in name, the key: 1–64 characters `a-z 0-9 . _ -`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id hash in PHC form. Never leaves the box.
    pub password_hash: String,
    /// The agent they are, if any.
    pub agent: Option<String>,
    /// Their own extension, if any.
    pub extension: Option<String>,
    /// When made.
    pub created: Wall,
}

/// An API token. The token itself is shown once, when made; only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Name, the key.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token text, lower-case hex. Unique.
    pub token_hash: String,
    /// When made.
    pub created: Wall,
}

/// A signed-in browser, kept so that a restart of the control process signs nobody out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// SHA-256 of the cookie value, lower-case hex; the key.
    pub cookie_hash: String,
    /// Whose.
    pub user: String,
    /// What the browser must send back with every write.
    pub csrf: String,
    /// Sign-in.
    pub created: Wall,
    /// Last use, at most a minute old.
    pub seen: Wall,
}

/// One page, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// `before` of the next page; `None` = this was the last.
    pub next: Option<u64>,
}

/// Which calls of the history, newest first by [`CallId`]. All conditions given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// Only calls with a smaller id.
    pub before: Option<CallId>,
    /// Most rows, 1–[`PAGE_MAX`].
    pub limit: u32,
    /// Part of a number or name of caller or called, matched literally.
    pub text: Option<String>,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this queue.
    pub queue: Option<String>,
    /// Only this agent.
    pub agent: Option<String>,
    /// Only calls of this person; `None` = everybody's.
    pub own: Option<Own>,
}

/// Whose calls: those the agent took, and those the extension made, was called by or answered. Neither given = none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Agent id.
    pub agent: Option<String>,
    /// Extension number.
    pub extension: Option<String>,
}

impl Own {
    /// Whether the record is one of theirs.
    #[must_use]
    pub fn has(&self, record: &CallRecord) -> bool {
        let agent = self.agent.is_some() && self.agent == record.agent;
        let at = |n: &str| self.extension.as_deref() == Some(n);
        agent
            || at(&record.caller.number)
            || at(&record.called.number)
            || record.answered_by.as_deref().is_some_and(at)
    }
}

/// A recording and its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordingRow {
    /// The recording.
    #[serde(flatten)]
    pub recording: RecordingRecord,
    /// Milliseconds; `None` while it runs.
    pub ms: Option<u32>,
    /// The order that it must not be deleted, if there is one.
    pub hold: Option<crate::saving::Hold>,
}

/// Everything about one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Journey {
    /// Its record (open while it runs).
    pub record: CallRecord,
    /// Its steps in order.
    pub steps: Vec<CallStep>,
    /// Its recordings in order.
    pub recordings: Vec<RecordingRow>,
}

/// A line of the event log with its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NoteRow {
    /// Grows by one with each line.
    pub id: u64,
    /// The line.
    #[serde(flatten)]
    pub note: NoteRecord,
}

/// A stored version of the configuration, without its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GenerationRow {
    /// Which.
    pub generation: Generation,
    /// When stored.
    pub at: Wall,
    /// Who did it.
    pub by: String,
    /// What was done, in a few words, e.g. `extension 101`, `undo 12`.
    pub summary: String,
}

/// What `belfry status --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Seconds since the supervisor started.
    pub uptime_s: u64,
    /// Process ids of supervisor, control and media; media is `None` while it is down.
    pub supervisor_pid: u32,
    /// Control.
    pub control_pid: u32,
    /// Media.
    pub media_pid: Option<u32>,
    /// Configuration in force.
    pub generation: Generation,
    /// Calls in progress.
    pub calls: u32,
    /// Most calls.
    pub call_limit: u32,
    /// Trunks now.
    pub trunks: Vec<TrunkView>,
    /// Extensions with at least one registered phone.
    pub phones_registered: u32,
    /// Extensions configured.
    pub phones_configured: u32,
    /// Addresses the box listens on, as in the `ready` line.
    pub sip: String,
    /// HTTPS address.
    pub https: String,
    /// Addresses of the box's network interfaces, loopback left out.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub addresses: Vec<std::net::IpAddr>,
    /// Free bytes of the data partition.
    pub disk_free_bytes: u64,
    /// Whether the one-time set-up is still to be done.
    pub setup_needed: bool,
    /// What is not well now.
    pub alarms: Vec<CheckView>,
}

/// A difference between two configuration trees. Secrets are never shown: both sides then read `(hidden)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// Field path with the item's key, e.g. `extension[101].name`.
    pub path: String,
    /// Value before; `None` = was not there.
    pub old: Option<serde_json::Value>,
    /// Value after; `None` = is gone.
    pub new: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> CallRecord {
        let party = |n: &str| crate::record::Party { number: n.into(), name: String::new() };
        CallRecord {
            call: CallId(1),
            direction: Direction::Inbound,
            caller: party("+4930123"),
            called: party("200"),
            trunk: None,
            queue: None,
            agent: Some("7".into()),
            answered_by: Some("101".into()),
            started: Wall(0),
            answered: None,
            ended: None,
            duration_ms: 0,
            talk_ms: 0,
            wait_ms: 0,
            outcome: Outcome::Open,
            cause: String::new(),
            score: None,
        }
    }

    #[test]
    fn a_call_belongs_to_its_agent_and_to_its_extensions_only() {
        let own = |agent: Option<&str>, extension: Option<&str>| {
            Own { agent: agent.map(Into::into), extension: extension.map(Into::into) }.has(&record())
        };
        assert!(own(Some("7"), None));
        assert!(own(None, Some("101")));
        assert!(own(None, Some("200")));
        assert!(!own(Some("8"), Some("102")));
        assert!(!own(None, None), "somebody without agent and extension owns nothing");
    }

    #[test]
    fn role_words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::read(role.word()), Some(role));
        }
        assert_eq!(Role::read("root"), None);
    }
}

/// Which column of a sheet is what; a column left out is found by its usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The number to call.
    pub number: Option<String>,
    /// Name of the person or company.
    pub name: Option<String>,
    /// Time zone, an IANA name.
    pub zone: Option<String>,
    /// Higher is called first.
    pub value: Option<String>,
}

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListImported {
    /// Rows read.
    pub rows: u64,
    /// Rows taken.
    pub taken: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rejected rows by reason: `do_not_call duplicate empty found_invalid impossible_number no_zone not_a_number
    /// unknown_zone`.
    pub reasons: std::collections::BTreeMap<String, u64>,
}

/// What came of a file for the do-not-call list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BarredImported {
    /// Rows read, without a heading and empty ones.
    pub rows: u64,
    /// Numbers that are on the list now and were not before.
    pub taken: u64,
    /// Numbers that were on it already.
    pub known: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// The first thousand of them.
    pub rejects: Vec<RejectRow>,
}

/// An import into the do-not-call list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarredImport {
    /// ISO code of the country of numbers written without one.
    pub country: String,
    /// Who imports.
    pub by: String,
    /// When.
    pub at: Wall,
}

/// An imported list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListRow {
    /// Name.
    pub list: String,
    /// Last import.
    pub at: Wall,
    /// By whom.
    pub by: String,
    /// File.
    pub file: String,
    /// Rows read, over all imports.
    pub rows: u64,
    /// Rows taken.
    pub taken: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Entries that may still be called.
    pub open: u64,
    /// Entries that are done with.
    pub done: u64,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RejectRow {
    /// Row of the file, from 1.
    pub line: u64,
    /// As it stood there.
    pub text: String,
    /// Why, see [`ListImported::reasons`].
    pub reason: String,
}

/// An entry of a list, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntryRow {
    /// Key.
    pub entry: crate::id::EntryId,
    /// Number.
    pub number: String,
    /// Name.
    pub name: String,
    /// `open trying done`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before.
    pub due: Wall,
    /// Result of the last attempt.
    pub result: Option<String>,
    /// What an agent said of it.
    pub word: Option<String>,
}

/// An import of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListImport {
    /// The list it goes to; rows are added when it is there already.
    pub list: String,
    /// Name of the file, for people.
    pub file: String,
    /// ISO code of the country of numbers written without one.
    pub country: String,
    /// Which column is what.
    pub mapping: Mapping,
    /// Who imports.
    pub by: String,
    /// When.
    pub at: Wall,
}
