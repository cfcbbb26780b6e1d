//! Told by the box, as it happens: each notice holds the whole new state of one thing, so that the hub of the web keeps
//! the last of each and needs to ask nothing. Never history (that is `record`).
use crate::clock::Wall;
use crate::config::budget::Class;
use crate::id::{CallId, Generation};
use crate::record::{AgentState, BanRecord, Direction, MessageRecord, NoteRecord, Party};
use serde::{Deserialize, Serialize};

/// Something changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "value", rename_all = "snake_case")]
pub enum Notice {
    /// An agent.
    Agent(AgentView),
    /// An agent is no longer configured.
    AgentGone(String),
    /// An address was banned, or its ban changed.
    Ban(BanRecord),
    /// A ban ended.
    BanGone(std::net::IpAddr),
    /// A call in progress.
    Call(CallView),
    /// A call ended.
    CallGone(CallId),
    /// Something the box keeps an eye on is well or not.
    Check(CheckView),
    /// It is not looked at any more.
    CheckGone(String),
    /// A configuration is in force.
    ConfigApplied(Generation),
    /// Numbers of one mailbox.
    Mailbox(MailboxView),
    /// A mailbox message came or changed; `None` fields never occur.
    Message(MessageRecord),
    /// A mailbox message is gone.
    MessageGone(crate::id::MessageId),
    /// A line for the event log.
    Note(NoteRecord),
    /// A phone registered or changed.
    Phone(PhoneView),
    /// An extension is no longer configured.
    PhoneGone(String),
    /// A queue.
    Queue(QueueView),
    /// A queue is no longer configured.
    QueueGone(String),
    /// The box itself.
    System(SystemView),
    /// A trunk.
    Trunk(TrunkView),
    /// A trunk is no longer configured.
    TrunkGone(String),
    /// Minutes to outside of an extension, a trunk or the site.
    Budget(BudgetView),
    /// Nothing is used there today.
    BudgetGone(String),
    /// The system and its updates.
    Update(Box<crate::update::UpdateView>),
    /// A campaign.
    Campaign(Box<crate::campaign::CampaignView>),
    /// A campaign is no longer configured.
    CampaignGone(String),
    /// A campaign's entry at an agent's desk.
    Outreach(Box<crate::campaign::OutreachView>),
    /// Nothing of a campaign is at this agent's desk any more.
    OutreachGone(String),
}

/// Minutes talked to outside today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BudgetView {
    /// Key: `site`, `extension 101`, `trunk carrier`.
    pub scope: String,
    /// One for each class that was used: what of how much.
    pub uses: Vec<BudgetUse>,
    /// Calls to outside that count here now.
    pub calls: u32,
}

/// One class of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BudgetUse {
    /// Which.
    pub class: Class,
    /// Seconds used today.
    pub used_s: u64,
    /// Seconds a day; none = no limit.
    pub limit_s: Option<u64>,
    /// Used up: its calls end, and no new ones begin, until midnight or until somebody gives more.
    pub spent: bool,
}

/// A call in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallView {
    /// Key.
    pub call: CallId,
    /// Way.
    pub direction: Direction,
    /// Who calls.
    pub caller: Party,
    /// Who or what was dialled.
    pub called: Party,
    /// Trunk, if any.
    pub trunk: Option<String>,
    /// Where it is: `routing ivr queued offering ringing bridged held consulting conference voicemail service clearing`.
    pub stage: String,
    /// Who or what it is with now: step, queue, agent, extension.
    pub with: String,
    /// Start.
    pub started: Wall,
    /// Start of this stage.
    pub since: Wall,
    /// Being recorded, also while that is paused.
    pub recording: bool,
    /// The recording is paused: nothing said now is in the file.
    pub recording_paused: bool,
    /// Numbers of the parties that are muted.
    pub muted: Vec<String>,
    /// Who is in the call besides the two: asked, conferring, supervising.
    pub others: Vec<OtherView>,
}

/// Somebody in a call besides its two parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OtherView {
    /// Extension, or number outside.
    pub number: String,
    /// What for: `consult conference listen whisper`.
    pub role: String,
    /// The phone still rings.
    pub ringing: bool,
}

/// An agent now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentView {
    /// Id.
    pub agent: String,
    /// Name.
    pub name: String,
    /// Phone.
    pub extension: String,
    /// Whether that phone is registered (or static).
    pub reachable: bool,
    /// State.
    #[serde(flatten)]
    pub state: AgentState,
    /// Since when.
    pub since: Wall,
    /// Why.
    pub cause: String,
    /// The call, if any.
    pub call: Option<CallId>,
    /// Calls taken since login.
    pub calls: u32,
    /// Offers missed in a row.
    pub missed: u32,
    /// Queues they serve.
    pub queues: Vec<String>,
    /// After-call work does not end before a wrap code is said.
    pub wrap_code_due: bool,
    /// How the reason of a pause is shown in English and Chinese, where the site has texts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<[String; 2]>,
    /// The pause lasts longer than its reason allows.
    #[serde(default)]
    pub overdue: bool,
}

/// A queue now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueView {
    /// Name.
    pub queue: String,
    /// Callers waiting, in order.
    pub waiting: Vec<WaitingView>,
    /// Agents ready.
    pub ready: u32,
    /// Agents offered or talking.
    pub busy: u32,
    /// Agents logged in.
    pub logged_in: u32,
    /// Since midnight of the site (or start of the box): offered to the queue, answered, abandoned, overflowed.
    pub offered: u32,
    /// Answered.
    pub answered: u32,
    /// Left before an agent.
    pub abandoned: u32,
    /// Sent on by rule.
    pub overflowed: u32,
    /// Answered within the service level.
    pub in_level: u32,
    /// Sum of waits of answered calls, ms.
    pub wait_ms: u64,
    /// How long a caller who comes now will wait, from so many seconds; four of five are within. `None` while there is not
    /// enough to judge by.
    pub wait_from_s: Option<u32>,
    /// To so many seconds.
    pub wait_to_s: Option<u32>,
    /// Callers who hung up to be called back, since midnight.
    #[serde(default)]
    pub promised: u32,
    /// Those who are still to be called back, the first 50.
    #[serde(default)]
    pub callbacks: Vec<CallbackView>,
}

/// Somebody who will be called back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallbackView {
    /// Key: the call in which it was promised.
    pub callback: CallId,
    /// Who.
    pub caller: Party,
    /// Since when they wait.
    pub since: Wall,
    /// `waiting` for an agent in the line, `calling` now, `later` not before `next`.
    pub state: String,
    /// Calls made to them.
    pub tries: u32,
    /// When they may be called again, while `later`.
    pub next: Option<Wall>,
}

/// A waiting caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaitingView {
    /// Which call.
    pub call: CallId,
    /// Who.
    pub caller: Party,
    /// Since when.
    pub since: Wall,
    /// Whether they hung up and will be called back.
    #[serde(default)]
    pub callback: bool,
}

/// A trunk now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrunkView {
    /// Name.
    pub trunk: String,
    /// `up`, `down`, `trying`, or `refusing`: it answers, and refuses every call of ours.
    pub state: String,
    /// Machine word of the cause, e.g. `registered answers_options wrong_password forbidden no_answer name_unknown
    /// refused starting calls_password calls_forbidden`; the UI has a sentence and a remedy for each.
    pub cause: String,
    /// What the carrier said last, e.g. `403 Forbidden`.
    pub detail: String,
    /// Since when.
    pub since: Wall,
    /// Calls over it now.
    pub calls: u32,
    /// Most calls.
    pub capacity: u32,
}

/// An extension's phones now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PhoneView {
    /// Extension number.
    pub extension: String,
    /// Registered phones.
    pub contacts: Vec<ContactView>,
    /// In a call.
    pub in_call: bool,
    /// Who is logged in at these phones instead of their owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// The phone elsewhere at which this extension is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
}

/// One registered phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContactView {
    /// Where it is.
    pub address: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// What it calls itself.
    pub user_agent: String,
    /// End of the registration.
    pub expires: Wall,
}

/// Something the box keeps an eye on: a sensor, the disk, a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CheckView {
    /// Key: the kind, and the subject where there are several, e.g. `disk_room`, `trunk:carrier`.
    pub check: String,
    /// What is looked at, one of a fixed set; the UI has a name, a sentence and a remedy for each: `backup certificate
    /// clock clock_jump clock_sync config database database_damaged disk_guard disk_room disk_wear load memory phones
    /// recovery restarts temperature trunk update watchdog watchdog_reset`.
    pub kind: String,
    /// Which one of them: the trunk's name, the sensor's; empty where there is only one.
    pub subject: String,
    /// How it is.
    pub state: CheckState,
    /// Since when.
    pub since: Wall,
    /// What was measured last, if it is a number.
    pub value: Option<i64>,
    /// From where on it is an alarm.
    pub limit: Option<i64>,
    /// Of both: `celsius percent days hours seconds count`, or empty.
    pub unit: String,
    /// More in a few English words, e.g. what the carrier or the disk said.
    pub detail: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Well.
    Good,
    /// Not well; somebody has been told.
    Alarm,
}

/// A mailbox now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MailboxView {
    /// Extension number.
    pub mailbox: String,
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
}

/// The box now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SystemView {
    /// Calls in progress.
    pub calls: u32,
    /// Most calls.
    pub call_limit: u32,
    /// Media process answers.
    pub media: bool,
    /// Free RTP ports.
    pub free_ports: u32,
    /// Draining: refuses new calls.
    pub draining: bool,
    /// Calls refused for overload since the start.
    pub shed: u64,
    /// Configuration in force.
    pub generation: Generation,
}
