//! What the web asks of the rest of the box, as traits that the binary implements. The web knows the engine only as
//! `Command`, `Reply` and `Notice`, and the disk only through `Storage`. Nothing here decides anything.
use crate::api::capture::CaptureView;
use crate::api::network::NetworkView;
use crate::api::update::StickBundle;
use model::browser_phone::{PhoneAsk, PhoneTell};
use model::campaign::{AttemptRecord, Barred, DialForecast, DialQuestion, SteerRecord};
use model::clock::{Now, Wall};
use model::command::{Actor, Command, Reply};
use model::config::draft::Problem;
use model::contact::{Contact, ContactQuery, ContactRefusal};
use model::id::EntryId;
use model::id::{CallId, ContactId, Generation, MessageId, RecordingId};
use model::media::Language;
use model::number::Number;
use model::query::{BarredImport, BarredImported, EntryRow, ListImport, ListImported, ListRow, RejectRow};
use model::query::{
    GenerationRow, HistoryQuery, Journey, NoteRow, Page, RecordingRow, SessionRow, Status, TokenRow, UserRow,
};
use model::record::{AgentSpell, BanRecord, CallRecord, MessageRecord};
use model::report::StepRow;
use model::saving::{BackupState, Hold};
use model::sentence::Sentence;
use model::update::{Restart, SelfCall, UpdateView};
use model::what_if::{Forecast, Question};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

/// Something failed inside the box. The text is for the log; a browser is told only which of these it is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The disk is full or fails: the same again works when there is room.
    #[error("the disk does not take it: {0}")]
    Disk(String),
    /// Anything else.
    #[error("storage: {0}")]
    Inside(String),
}

/// Answer of a port that reads or writes the disk.
pub type Stored<T> = Result<T, Fault>;

/// What the box has kept. Every method may block on the disk; the web calls them from blocking threads only. A write is
/// on disk when it returns.
pub trait Storage: Send + Sync + 'static {
    /// Everybody who may sign in, by name.
    ///
    /// # Errors
    /// The disk failed; the same holds for every method here.
    fn users(&self) -> Stored<Vec<UserRow>>;
    /// One of them.
    ///
    /// # Errors
    /// The disk failed.
    fn user(&self, name: &str) -> Stored<Option<UserRow>>;
    /// Makes or replaces one.
    ///
    /// # Errors
    /// The disk failed.
    fn user_put(&self, user: UserRow) -> Stored<()>;
    /// Removes one and their sessions; false when there is none.
    ///
    /// # Errors
    /// The disk failed.
    fn user_delete(&self, name: &str) -> Stored<bool>;

    /// All API tokens, by name.
    ///
    /// # Errors
    /// The disk failed.
    fn tokens(&self) -> Stored<Vec<TokenRow>>;
    /// The token with this SHA-256 (lower-case hex).
    ///
    /// # Errors
    /// The disk failed.
    fn token_by_hash(&self, hash: &str) -> Stored<Option<TokenRow>>;
    /// Makes or replaces one.
    ///
    /// # Errors
    /// The disk failed.
    fn token_put(&self, token: TokenRow) -> Stored<()>;
    /// Removes one; false when there is none.
    ///
    /// # Errors
    /// The disk failed.
    fn token_delete(&self, name: &str) -> Stored<bool>;

    /// All kept sessions (read once at start).
    ///
    /// # Errors
    /// The disk failed.
    fn sessions(&self) -> Stored<Vec<SessionRow>>;
    /// Makes or replaces one.
    ///
    /// # Errors
    /// The disk failed.
    fn session_put(&self, session: SessionRow) -> Stored<()>;
    /// Removes one, by its cookie hash.
    ///
    /// # Errors
    /// The disk failed.
    fn session_delete(&self, cookie_hash: &str) -> Stored<()>;

    /// Keys of requests begun since then (read once at start).
    ///
    /// # Errors
    /// The disk failed.
    fn begun(&self, since: Wall) -> Stored<Vec<String>>;
    /// Remembers one; forgets those before `since`.
    ///
    /// # Errors
    /// The disk failed.
    fn begun_put(&self, key: &str, at: Wall, since: Wall) -> Stored<()>;
    /// It was not done after all.
    ///
    /// # Errors
    /// The disk failed.
    fn begun_delete(&self, key: &str) -> Stored<()>;

    /// A page of the call history.
    ///
    /// # Errors
    /// The disk failed.
    fn history(&self, query: &HistoryQuery) -> Stored<Page<CallRecord>>;
    /// Everything about one call.
    ///
    /// # Errors
    /// The disk failed.
    fn journey(&self, call: CallId) -> Stored<Option<Journey>>;
    /// One recording.
    ///
    /// # Errors
    /// The disk failed.
    fn recording(&self, recording: RecordingId) -> Stored<Option<RecordingRow>>;
    /// Orders that a recording must not be deleted, or lifts that; false when there is none.
    ///
    /// # Errors
    /// The disk failed.
    fn recording_hold(&self, recording: RecordingId, hold: Option<Hold>) -> Stored<bool>;
    /// Messages of one mailbox, or all, newest first, at most 1,000.
    ///
    /// # Errors
    /// The disk failed.
    fn messages(&self, mailbox: Option<&str>) -> Stored<Vec<MessageRecord>>;
    /// One message.
    ///
    /// # Errors
    /// The disk failed.
    fn message(&self, message: MessageId) -> Stored<Option<MessageRecord>>;
    /// A page of the event log, newest first.
    ///
    /// # Errors
    /// The disk failed.
    fn notes(&self, before: Option<u64>, limit: u32) -> Stored<Page<NoteRow>>;
    /// Bans in force at that time.
    ///
    /// # Errors
    /// The disk failed.
    fn bans(&self, at: Wall) -> Stored<Vec<BanRecord>>;
    /// A page of stored configurations, newest first.
    ///
    /// # Errors
    /// The disk failed.
    fn generations(&self, before: Option<Generation>, limit: u32) -> Stored<Page<GenerationRow>>;

    /// Steps of the calls of queues that came in `[from, to)` or the day before, call by call; `None` = too many.
    ///
    /// # Errors
    /// The disk failed.
    fn queue_steps(&self, from: Wall, to: Wall) -> Stored<Option<Vec<StepRow>>>;
    /// Spells of all agents that reach into `[from, to)`, agent by agent in order; `None` = too many.
    ///
    /// # Errors
    /// The disk failed.
    fn agent_spells(&self, from: Wall, to: Wall) -> Stored<Option<Vec<AgentSpell>>>;
    /// The last calls from or to any of these numbers, newest first.
    ///
    /// # Errors
    /// The disk failed.
    fn calls_of(&self, numbers: &[Number], limit: u32) -> Stored<Vec<CallRecord>>;

    /// A page of contacts by name; `next` is the offset of the next.
    ///
    /// # Errors
    /// The disk failed.
    fn contacts(&self, query: &ContactQuery) -> Stored<Page<Contact>>;
    /// One contact.
    ///
    /// # Errors
    /// The disk failed.
    fn contact(&self, contact: ContactId) -> Stored<Option<Contact>>;
    /// Whose number it is, in the form callers are shown in.
    ///
    /// # Errors
    /// The disk failed.
    fn contact_of(&self, number: &Number) -> Stored<Option<Contact>>;
    /// Makes a contact (id 0) or replaces one, on the disk and in the engine's table.
    ///
    /// # Errors
    /// The disk failed; inside, why it is not kept.
    fn contact_put(&self, contact: Contact) -> Stored<Result<Contact, ContactRefusal>>;
    /// Removes one; false when there is none.
    ///
    /// # Errors
    /// The disk failed.
    fn contact_delete(&self, contact: ContactId) -> Stored<bool>;
    /// Takes a list: who is known by one of the numbers is replaced. One answer for each, in order.
    ///
    /// # Errors
    /// The disk failed; what came before it stays kept.
    fn contacts_take(&self, contacts: Vec<Contact>) -> Stored<Vec<Result<Contact, ContactRefusal>>>;
}

/// A site as a person gave it, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// The readable text.
    Toml(String),
    /// The same as a tree of values (JSON of the API).
    Tree(serde_json::Value),
}

/// Why a configuration was not put in force.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitRefusal {
    /// The draft is wrong: every problem with its field.
    #[error("{} problems in the configuration", .0.len())]
    Problems(Vec<Problem>),
    /// Somebody else changed it meanwhile; this is the generation in force.
    #[error("the configuration is at generation {0} by now")]
    Stale(Generation),
    /// The disk failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Answer of a port that the web waits for without blocking a thread.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The configuration: the one way in. Reading methods may block on the disk.
pub trait Site: Send + Sync + 'static {
    /// Generation in force and its tree (secrets included).
    ///
    /// # Errors
    /// The disk failed.
    fn current(&self) -> Stored<(Generation, serde_json::Value)>;
    /// Tree of a stored generation.
    ///
    /// # Errors
    /// The disk failed.
    fn at(&self, generation: Generation) -> Stored<Option<serde_json::Value>>;
    /// The configuration in force as readable TOML.
    ///
    /// # Errors
    /// The disk failed.
    fn export(&self) -> Stored<String>;
    /// Every problem of a draft; empty = fine. Stores nothing.
    fn check(&self, draft: &Draft) -> Vec<Problem>;
    /// Checks, fills in missing secrets, stores as a new generation if the present one is `based_on` (if given), and
    /// resolves when the engine has it in force.
    fn commit(
        &self,
        by: Actor,
        draft: Draft,
        based_on: Option<Generation>,
        summary: String,
    ) -> Later<Result<Generation, CommitRefusal>>;
}

/// The engine, seen from here.
pub trait Engine: Send + Sync + 'static {
    /// Asks for something; resolves when it is done and on disk, or refused. The shell answers `Overloaded` by itself
    /// when the engine's queue is full or no answer comes within 5 s.
    fn command(&self, by: Actor, command: Command) -> Later<Reply>;
}

/// The box as a whole.
pub trait Machine: Send + Sync + 'static {
    /// What `belfry status` prints; reads only what is in memory or quickly had. `setup_needed`, calls, trunks and
    /// registered phones, call limit and generation are filled in by the web from the engine's notices.
    fn status(&self) -> Status;
    /// Sends a test alarm to everybody who is told of alarms; the answer is how many. Blocks on the disk.
    ///
    /// # Errors
    /// The disk failed.
    fn test_alarm(&self) -> Stored<usize>;
    /// Both clocks now.
    fn now(&self) -> Now;
}

/// What the flow editor asks for. Every method may block.
pub trait Flows: Send + Sync + 'static {
    /// What would happen to a fictional call.
    ///
    /// # Errors
    /// What of the question makes no sense, or that another one is being answered.
    fn what_if(&self, question: &Question) -> Result<Forecast, Sentence>;
    /// Whether a prompt may have this name.
    ///
    /// # Errors
    /// What is wrong with it.
    fn name(&self, name: &str) -> Result<(), Sentence>;
    /// What would come of a campaign. Takes up to half a minute.
    ///
    /// # Errors
    /// What of the question makes no sense, that it takes too long, or that another one is being answered.
    fn dialling(&self, question: &DialQuestion) -> Result<DialForecast, Sentence>;
    /// Keeps a prompt. The file's path below the data folder.
    ///
    /// # Errors
    /// Why the sound cannot be played, or the disk's.
    fn prompt(&self, name: &str, language: Language, sound: &[u8]) -> Result<String, PromptRefusal>;
    /// Has a prompt spoken and keeps it. The file's path below the data folder.
    ///
    /// # Errors
    /// Why nobody speaks, or the disk's.
    fn spoken(&self, name: &str, language: Language, text: &str) -> Result<String, PromptRefusal>;
}

/// Why a sound is not kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PromptRefusal {
    /// It cannot be played, or there is none: what is wrong and what to do.
    #[error("{0}")]
    Sound(Sentence),
    /// The disk failed, or the box.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why the site is not saved, or a backup not taken.
#[derive(Clone, Debug)]
pub enum SavingRefusal {
    /// One thing at a time.
    Busy,
    /// The configuration says neither where to nor with which pass-phrase.
    NotConfigured,
    /// No such file.
    Unknown,
    /// It was locked with another one.
    PassPhrase,
    /// Damaged, foreign, newer: a machine word, and the sentence that says it.
    Refused(&'static str, Sentence),
    /// The data disk is full or fails.
    Disk(String),
    /// The place where backups go, or a file.
    Failed(Sentence),
}

/// Answer of the keeper of backups.
pub type Saved<T> = Result<T, SavingRefusal>;

/// Who saves the site and takes it back. Every method may block on the disk.
pub trait Saving: Send + Sync + 'static {
    /// What is known of backups.
    fn state(&self) -> BackupState;
    /// Begins one; the state tells how it goes.
    ///
    /// # Errors
    /// `Busy`, `NotConfigured`.
    fn start(&self, by: &str) -> Saved<()>;
    /// File of a backup that is on the box.
    ///
    /// # Errors
    /// `Unknown`.
    fn file(&self, name: &str) -> Saved<PathBuf>;
    /// Removes one that is on the box.
    ///
    /// # Errors
    /// `Unknown`, `Failed`.
    fn delete(&self, name: &str) -> Saved<()>;
    /// Where an uploaded file is to be put; older uploads make room.
    ///
    /// # Errors
    /// `Failed`.
    fn upload(&self) -> Saved<PathBuf>;
    /// Reads a backup to its end and describes it.
    ///
    /// # Errors
    /// Why it would not be taken.
    fn check(&self, name: &str, pass_phrase: &str) -> Saved<String>;
    /// Takes a backup back; the box starts again soon after.
    ///
    /// # Errors
    /// Why it is not taken; nothing is changed then.
    fn restore(&self, by: &str, name: &str, pass_phrase: &str) -> Saved<String>;
    /// Brings the box back to the state of a new one; it starts again soon after.
    ///
    /// # Errors
    /// `Busy`, `Failed`: nothing is changed then.
    fn reset(&self, by: &str) -> Saved<()>;
    /// Copies a backup from a USB stick to the box, to be restored from there; its name here.
    ///
    /// # Errors
    /// `Unknown`, `Failed`.
    fn fetch(&self, name: &str) -> Saved<String>;
}

/// The network and the clock of the machine. Methods that change something may block for seconds.
pub trait Lan: Send + Sync + 'static {
    /// How it stands; from memory.
    fn state(&self) -> NetworkView;
    /// Keeps the change on trial.
    ///
    /// # Errors
    /// Why not.
    fn keep(&self, token: &str) -> Result<(), Sentence>;
    /// Takes the change on trial back.
    ///
    /// # Errors
    /// Why not.
    fn undo(&self) -> Result<(), Sentence>;
    /// Sets the clock, UTC milliseconds.
    ///
    /// # Errors
    /// Why not.
    fn set_clock(&self, at: i64) -> Result<(), Sentence>;
}

/// Why something about the system is not done: a sentence for whoever asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotDone(pub Sentence);

/// What is asked about the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Installs the uploaded bundle, then restarts.
    Install(Restart),
    /// Goes back to the other system.
    RollBack(Restart),
    /// Restarts the box.
    Restart(Restart),
}

/// The system and its updates. Every method but `view` may block.
pub trait Updates: Send + Sync + 'static {
    /// How it is.
    fn view(&self) -> UpdateView;
    /// Where a bundle of this many bytes (when known) is to be written.
    ///
    /// # Errors
    /// The box cannot be updated, is busy with an update, or has no room.
    fn begin_upload(&self, bytes: Option<u64>) -> Result<PathBuf, NotDone>;
    /// The bundle is there, or its upload broke off. Begins to look at it; the verdict stands in `view`.
    fn end_upload(&self, whole: bool);
    /// Bundles on the USB stick that is plugged in.
    ///
    /// # Errors
    /// The box cannot be updated, or there is no stick that can be read.
    fn stick(&self) -> Result<Vec<StickBundle>, NotDone>;
    /// Begins to bring one of them to the box and to look at it; the verdict stands in `view`.
    ///
    /// # Errors
    /// It cannot be done now.
    fn fetch(&self, by: &str, name: &str) -> Result<(), NotDone>;
    /// Begins what is asked; how far it is stands in `view`.
    ///
    /// # Errors
    /// It cannot be done now.
    fn ask(&self, by: &str, ask: Ask) -> Result<(), NotDone>;
    /// Has the box call itself; takes some seconds.
    ///
    /// # Errors
    /// One is under way already, or the box takes no calls now.
    fn self_call(&self) -> Result<SelfCall, NotDone>;
}

/// The capture of SIP messages. `file` may take a moment; nothing waits for a disk.
pub trait Capture: Send + Sync + 'static {
    /// How it stands.
    fn view(&self) -> CaptureView;
    /// Begins anew for so many seconds; who wanted it is noted.
    fn start(&self, by: &str, seconds: u32);
    /// Ends it and keeps what is there.
    fn stop(&self);
    /// Ends it and forgets what is there.
    fn forget(&self);
    /// What is there as a `pcap` file; `None` = nothing. Who took it is noted.
    fn file(&self, by: &str) -> Option<Vec<u8>>;
}

/// Why a list was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ListRefusal {
    /// The file: what is wrong with it and what to do.
    #[error("{0}")]
    File(Sentence),
    /// The disk failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Lists of numbers and what campaigns did with them. Every method may block on the disk; `import` for a minute.
pub trait Lists: Send + Sync + 'static {
    /// All lists, by name.
    ///
    /// # Errors
    /// The disk failed; the same holds for every method here.
    fn lists(&self) -> Stored<Vec<ListRow>>;
    /// Where the file of an import is to be put.
    ///
    /// # Errors
    /// The disk failed.
    fn upload(&self) -> Stored<PathBuf>;
    /// Reads a file into a list.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn import(&self, file: &std::path::Path, order: &ListImport) -> Result<ListImported, ListRefusal>;
    /// Puts the numbers of a file on the do-not-call list.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn import_barred(
        &self,
        file: &std::path::Path,
        order: &BarredImport,
    ) -> Result<BarredImported, ListRefusal>;
    /// A page of the entries of a list, after this one.
    ///
    /// # Errors
    /// The disk failed.
    fn entries(&self, list: &str, after: EntryId) -> Stored<Vec<EntryRow>>;
    /// A page of the rows that were not taken, after this one.
    ///
    /// # Errors
    /// The disk failed.
    fn rejects(&self, list: &str, after: u64) -> Stored<Vec<RejectRow>>;
    /// Removes a list; false when there is none.
    ///
    /// # Errors
    /// The disk failed.
    fn delete(&self, list: &str) -> Stored<bool>;
    /// A page of the numbers that must not be called, after this one.
    ///
    /// # Errors
    /// The disk failed.
    fn barred(&self, after: &str) -> Stored<Vec<Barred>>;
    /// A page of the attempts of a campaign, after this one.
    ///
    /// # Errors
    /// The disk failed.
    fn attempts(&self, campaign: &str, after: CallId) -> Stored<Vec<AttemptRecord>>;
    /// The last few thousand attempts of a campaign, newest first.
    ///
    /// # Errors
    /// The disk failed.
    fn last_attempts(&self, campaign: &str) -> Stored<Vec<AttemptRecord>>;
    /// The last changes of the steering of a campaign, newest first.
    ///
    /// # Errors
    /// The disk failed.
    fn changes(&self, campaign: &str) -> Stored<Vec<SteerRecord>>;
}

/// A page's line to its phone; dropping it tells that the page is gone.
pub struct PhoneLine {
    /// Asks; false when the box is too busy.
    pub ask: Box<dyn Fn(PhoneAsk) -> bool + Send + Sync>,
    /// What the page is told.
    pub told: tokio::sync::mpsc::Receiver<PhoneTell>,
}

/// Phones in browsers. Nothing here waits.
pub trait Phones: Send + Sync + 'static {
    /// A page comes to be the phone of an extension. `key` names its tab. `None`: the box is too busy.
    fn attach(&self, extension: String, key: String) -> Option<PhoneLine>;
}

/// All ports together.
#[derive(Clone)]
pub struct Ports {
    /// The disk.
    pub storage: Arc<dyn Storage>,
    /// The configuration.
    pub site: Arc<dyn Site>,
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// The box.
    pub machine: Arc<dyn Machine>,
    /// Backups.
    pub saving: Arc<dyn Saving>,
    /// The network.
    pub lan: Arc<dyn Lan>,
    /// Captured SIP messages.
    pub capture: Arc<dyn Capture>,
    /// The flow editor's helper.
    pub flows: Arc<dyn Flows>,
    /// Its system.
    pub updates: Arc<dyn Updates>,
    /// Lists of numbers.
    pub lists: Arc<dyn Lists>,
    /// Phones in browsers.
    pub phones: Arc<dyn Phones>,
}
