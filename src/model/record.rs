//! Kept by the box: what the store writes, and what comes back from it. Every record is plain data with the unit last in
//! its field names. `Keep` is acknowledged (`Event::Stored`) only when it is on disk.
use crate::campaign::{AttemptRecord, Barred, SteerRecord};
use crate::clock::Wall;
use crate::id::{CallId, MessageId, RecordingId};
use crate::media::Language;
use crate::number::Number;
use serde::{Deserialize, Serialize};

/// One thing to keep. Written in the order given, in batches; each is on disk when its ticket comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A call has begun: opens its row, so that a crash leaves a record to close.
    CallStarted(CallRecord),
    /// A step of a call's journey.
    CallStep(CallStep),
    /// The call is over: the one final record, replacing the open row.
    CallEnded(CallRecord),
    /// A recording exists for a call.
    Recording(RecordingRecord),
    /// A recording ended: its length.
    RecordingEnded {
        /// Which.
        recording: RecordingId,
        /// Milliseconds.
        ms: u32,
    },
    /// A new message in a mailbox (its sound file is closed and synced). Also queues the mail when one is wanted.
    Message(MessageRecord),
    /// A message was heard, or is new again.
    MessageHeard {
        /// Which.
        message: MessageId,
        /// Heard or not.
        heard: bool,
    },
    /// A message is deleted with its file.
    MessageDeleted(MessageId),
    /// The own greeting of a mailbox: relative path, or none.
    Greeting {
        /// Whose.
        mailbox: Number,
        /// Its file.
        path: Option<String>,
    },
    /// An agent's state changed; spells are the times between these.
    AgentState(AgentSpell),
    /// A phone registered, refreshed or went (`expires` in the past).
    Binding(BindingRecord),
    /// A banned address, or its pardon.
    Ban(BanRecord),
    /// Minutes to outside were used, or given back.
    Budget(BudgetRecord),
    /// Wrong PINs of a mailbox changed.
    WrongPins(WrongPins),
    /// Somebody logged in at another's phone, or out.
    Seat(SeatRecord),
    /// Something for the event log shown in the admin (security, trunk, box).
    Note(NoteRecord),
    /// An entry of a list is about to be dialled: on disk before the INVITE leaves.
    AttemptBegun(AttemptRecord),
    /// That attempt is over.
    AttemptEnded(AttemptRecord),
    /// What an agent said of an attempt.
    AttemptSaid(Said),
    /// A number must not be called, or may be again.
    Barred(Barred),
    /// A campaign is steered otherwise.
    Steered(SteerRecord),
    /// A caller hung up and will be called back, or a try was made.
    Callback(CallbackRecord),
    /// A callback is over: done, cancelled or given up.
    CallbackGone(CallId),
}

/// What an agent said of an attempt, and what becomes of its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Which attempt.
    pub call: CallId,
    /// Its entry.
    pub entry: crate::id::EntryId,
    /// Word of the disposition.
    pub word: String,
    /// Anything to remember.
    pub note: String,
    /// Called again from then on; `None` = done with.
    pub again: Option<Wall>,
    /// By this agent, at the time agreed on.
    pub own: Option<String>,
    /// `again` was agreed on with the person.
    pub appointment: bool,
}

/// Who a party is, as known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Party {
    /// Number as shown to people: extension number, or E.164.
    pub number: String,
    /// Name, if any.
    pub name: String,
}

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a trunk.
    Inbound,
    /// Between extensions or to a service number.
    Internal,
    /// To a trunk.
    Outbound,
}

/// How a call ended, seen by the first caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still running (open row).
    Open,
    /// A person, a flow or a service number took it.
    Answered,
    /// The caller left before anybody answered.
    Abandoned,
    /// The called party was busy or declined.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// The caller left a message.
    Voicemail,
    /// Refused by rights, limits or unknown number.
    Refused,
    /// A failure of network, trunk or box.
    Failed,
    /// The box stopped while it ran; closed at the next start.
    Interrupted,
}

/// Exactly one per call (CDR).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallRecord {
    /// Key.
    pub call: CallId,
    /// Way.
    pub direction: Direction,
    /// Who called.
    pub caller: Party,
    /// Who or what was dialled.
    pub called: Party,
    /// Trunk, if one was used.
    pub trunk: Option<String>,
    /// Queue, if it waited in one.
    pub queue: Option<String>,
    /// Agent id, if one took it.
    pub agent: Option<String>,
    /// Extension that answered.
    pub answered_by: Option<String>,
    /// First INVITE.
    pub started: Wall,
    /// First answer by a person (or service), if any.
    pub answered: Option<Wall>,
    /// End; `None` while open.
    pub ended: Option<Wall>,
    /// Length from first INVITE to end by the monotonic clock, ms.
    pub duration_ms: u64,
    /// Milliseconds talked to a person.
    pub talk_ms: u64,
    /// Milliseconds waited in queues.
    pub wait_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Cause in a few English words, e.g. `caller hung up`, `486 Busy Here`, `box restarted`.
    pub cause: String,
    /// What the caller gave in a survey, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
}

/// A step of a call's journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallStep {
    /// Which call.
    pub call: CallId,
    /// Order in the call, from 0.
    pub seq: u32,
    /// When it began.
    pub at: Wall,
    /// Milliseconds after the call's start, monotonic; the parts sum to the whole.
    pub offset_ms: u64,
    /// What, one of a fixed set: `trunk_in dialled flow menu digit collect hours queue offered missed answered held
    /// resumed voicemail message recording recording_paused recording_resumed recording_stopped overflow outside
    /// emergency refused callback picked_up machine ended`.
    pub kind: String,
    /// Who or what: step name, queue, agent, extension, digit.
    pub detail: String,
}

/// A recording of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordingRecord {
    /// Key.
    pub recording: RecordingId,
    /// Which call.
    pub call: CallId,
    /// File below the data folder.
    pub path: String,
    /// Start.
    pub started: Wall,
    /// What the left channel says: `caller`, and the right: the other party's number.
    pub left: String,
    /// Right channel.
    pub right: String,
}

/// A voicemail message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageRecord {
    /// Key.
    pub message: MessageId,
    /// Whose mailbox.
    pub mailbox: Number,
    /// Call it came by.
    pub call: CallId,
    /// Who spoke.
    pub caller: Party,
    /// When.
    pub at: Wall,
    /// Milliseconds of sound.
    pub ms: u32,
    /// File below the data folder.
    pub path: String,
    /// Heard already.
    pub heard: bool,
    /// Address that gets a mail about it, if any.
    pub mail_to: Option<String>,
}

/// An agent's state from here on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSpell {
    /// Who.
    pub agent: String,
    /// New state.
    pub state: AgentState,
    /// From when.
    pub since: Wall,
    /// Why: `login code`, `web by anna`, `call ended`, `missed 3 offers`, …
    pub cause: String,
    /// The call, if one is the cause.
    pub call: Option<CallId>,
}

/// What an agent does now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentState {
    /// Not at work.
    LoggedOut,
    /// At work, takes no calls.
    NotReady {
        /// Why, e.g. `lunch`, `missed`.
        reason: String,
    },
    /// Free.
    Ready,
    /// A call rings at their phone.
    Offered,
    /// In a call.
    Talking,
    /// After-call work.
    WrapUp,
}

/// How often and when an agent served a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    /// Whom: the number in international form.
    pub customer: Number,
    /// Who.
    pub agent: String,
    /// How often.
    pub times: u32,
    /// When last.
    pub last: Wall,
}

/// Somebody who will be called back: a place in a queue without a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRecord {
    /// Key: the call in which it was promised.
    pub callback: CallId,
    /// Where they stand.
    pub queue: String,
    /// Whom to call, in international form.
    pub number: Number,
    /// Their name, if known.
    pub name: String,
    /// What is spoken with them.
    pub language: Language,
    /// Class of the contact; empty = ordinary.
    pub class: String,
    /// Steps of priority above other callers.
    pub priority: u32,
    /// Since when they wait, in all.
    pub came: Wall,
    /// Nobody calls any more then.
    pub expires: Wall,
    /// Calls made to them.
    pub tries: u32,
    /// Not called before this.
    pub next: Wall,
}

/// A registered contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BindingRecord {
    /// Whose.
    pub extension: Number,
    /// Contact URI as the phone gave it.
    pub contact: String,
    /// Where it is reached: transport `udp` or `tcp`, source address and port of its REGISTER.
    pub transport: String,
    /// Address.
    pub address: std::net::SocketAddr,
    /// End of life; in the past = gone.
    pub expires: Wall,
    /// Call-ID of the registration.
    pub call_id: String,
    /// Its last CSeq.
    pub cseq: u32,
    /// What the phone calls itself.
    pub user_agent: String,
    /// RFC 3327 Path values, outermost first.
    pub path: Vec<String>,
    /// How it proved its password; none in records of older releases.
    #[serde(default)]
    pub digest: Option<Digest>,
}

/// Which digest a phone answered, and to which offer: what its make can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// SHA-256. It is never offered anything else.
    Sha256,
    /// MD5, offered beside SHA-256.
    Md5,
    /// MD5, offered alone: it gives up at the sight of SHA-256.
    Md5Alone,
}

impl Digest {
    /// Every one with the word that stands for it in records.
    pub const WORDS: [(&'static str, Digest); 3] =
        [("sha256", Digest::Sha256), ("md5", Digest::Md5), ("md5_alone", Digest::Md5Alone)];

    /// Its word in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Digest::Sha256 => "sha256",
            Digest::Md5 => "md5",
            Digest::Md5Alone => "md5_alone",
        }
    }

    /// Reads the word of a record.
    #[must_use]
    pub fn read(word: &str) -> Option<Digest> {
        Digest::WORDS.iter().find(|(w, _)| *w == word).map(|(_, d)| *d)
    }
}

/// Wrong PINs in a row at one mailbox, so that a restart gives no new tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WrongPins {
    /// Whose.
    pub mailbox: Number,
    /// How many; 0 after a right one.
    pub tries: u32,
    /// Locked until then.
    pub until: Option<Wall>,
}

/// Who is logged in at a phone instead of its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeatRecord {
    /// The extension whose phone it is.
    pub phone: Number,
    /// Who; `None` = its owner.
    pub person: Option<Number>,
    /// Since when.
    pub since: Wall,
}

/// An address that is not answered for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BanRecord {
    /// Who.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub address: std::net::IpAddr,
    /// Until when; in the past = pardoned.
    pub until: Wall,
    /// Why, e.g. `20 wrong passwords in 10 minutes`.
    pub cause: String,
    /// Failures counted.
    pub failures: u32,
}

/// What was talked to outside today, for one extension, one trunk or the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetRecord {
    /// Whose, as `config::budget::Scope::word`.
    pub scope: String,
    /// The day in the site's zone, `2026-11-22`. Another day's record counts for nothing.
    pub day: String,
    /// Milliseconds by class, cheapest first.
    pub used_ms: [u64; 3],
    /// Of these, while the office was closed.
    pub closed_ms: [u64; 3],
}

/// A line of the event log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NoteRecord {
    /// When.
    pub at: Wall,
    /// `info`, `warning`, `alarm`.
    pub level: String,
    /// Machine word, e.g. `trunk_down`, `ban`, `emergency_call`, `media_restarted`.
    pub kind: String,
    /// What it is about: trunk, address, extension.
    pub subject: String,
    /// English sentence; the UI shows its own text for known kinds.
    pub text: String,
}
