//! Asked of the box by web, API, console and script: all speak `Command`, each gets one `Reply`. Commands that change the
//! configuration do not stand here: they are checked and stored first and arrive as `ConfigCommitted`.
use crate::id::{CallId, MessageId};
use crate::number::Number;
use crate::refusal::Refusal;
use crate::steer::Steer;
use serde::{Deserialize, Serialize};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User name, `console`, or token name.
    pub name: String,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Agent goes to work: `Ready` unless in a call.
    AgentLogin {
        /// Who.
        agent: String,
    },
    /// Agent goes home; refused with `Conflict` while offered or talking.
    AgentLogout {
        /// Who.
        agent: String,
    },
    /// Agent gets more time for after-call work.
    AgentExtend {
        /// Who.
        agent: String,
    },
    /// Agent takes no calls after the present one.
    AgentPause {
        /// Who.
        agent: String,
        /// Why.
        reason: String,
    },
    /// Agent is free (also ends wrap-up).
    AgentReady {
        /// Who.
        agent: String,
    },
    /// Agent says what the last call was about.
    AgentWrapCode {
        /// Who.
        agent: String,
        /// Two digits.
        code: String,
    },
    /// Somebody logs in at a phone: their calls, lamps and voicemail are there from now on.
    DeskLogin {
        /// Whose extension.
        person: Number,
        /// At which extension's phone; the own one is coming home.
        phone: Number,
    },
    /// Somebody leaves the foreign phone; its owner has it back.
    DeskLogout {
        /// Whose extension.
        person: Number,
    },
    /// Rings the extension's phones and then connects it to the number (click to call).
    Dial {
        /// Whose phone.
        from: Number,
        /// What is dialled there.
        to: Number,
    },
    /// Nobody calls this customer back any more.
    CallbackCancel {
        /// The call in which it was promised.
        callback: CallId,
    },
    /// Refuses new calls from now on.
    Drain,
    /// Ends a call.
    HangUp {
        /// Which.
        call: CallId,
    },
    /// Gives a day's minutes to outside back.
    BudgetReset {
        /// Whose: `site`, `extension 101`, `trunk carrier`.
        scope: String,
    },
    /// Deletes a message.
    MessageDelete {
        /// Which.
        message: MessageId,
    },
    /// Marks a message heard or new.
    MessageHeard {
        /// Which.
        message: MessageId,
        /// Heard or new.
        heard: bool,
    },
    /// Somebody else than its owner listens to a message: it stands in the event log.
    MessageListened {
        /// Which.
        message: MessageId,
    },
    /// Ends a ban early.
    Pardon {
        /// Who.
        address: std::net::IpAddr,
    },
    /// Puts a waiting caller to another place of the queue.
    QueuePlace {
        /// Who waits.
        call: CallId,
        /// Which place, from 1; beyond the last it is the last.
        place: u32,
    },
    /// Pauses or resumes the recording of a call.
    RecordPause {
        /// Which.
        call: CallId,
        /// Paused or not.
        paused: bool,
    },
    /// Starts or stops a recording on demand.
    RecordSwitch {
        /// Which.
        call: CallId,
        /// On or off.
        on: bool,
    },
    /// The box calls itself and listens; the result comes as `Effect::SelfCalled` of the engine.
    SelfCall,
    /// Registers a trunk again now, or asks it for OPTIONS.
    TrunkRetry {
        /// Which.
        trunk: String,
    },
    /// Steers a conversation for one of its parties.
    Steer {
        /// Which.
        call: CallId,
        /// For whom: an extension in the call; `None` = for the agent's side.
        party: Option<Number>,
        /// What.
        steer: Steer,
    },
    /// Something about a campaign.
    Campaign {
        /// Which.
        campaign: String,
        /// What.
        order: crate::campaign::CampaignOrder,
    },
    /// A number must not be called by any campaign, or may be again.
    Bar {
        /// In international form.
        number: Number,
        /// On the list, or off it.
        listed: bool,
    },
    /// Lists on the disk changed: campaigns look again.
    ListsChanged,
    /// Rings the extension's phones, where a prompt of the site is recorded, heard and kept.
    PromptRecord {
        /// Whose phone.
        phone: Number,
        /// Name of the prompt.
        name: String,
        /// In which language it is.
        language: crate::media::Language,
    },
    /// Many numbers were put on the do-not-call list by the store.
    BarredChanged,
}

/// The answer. What was changed is on disk when it comes.
pub type Reply = Result<(), Refusal>;
