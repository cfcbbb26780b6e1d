//! What comes into the engine from outside: packets, media's reports, the store's receipts, a new configuration, what
//! people ask, answers of the name service. Plain data; decides nothing.
use model::ask::Answer;
use model::campaign::{CampaignPast, Entry};
use model::clock::Wall;
use model::command::{Actor, Command};
use model::config::Config;
use model::contact::ContactChange;
use model::id::{CallId, Generation, MessageId, RecordingId, Ticket};
use model::media::MediaEvent;
use model::number::Number;
use model::past::Past;
use model::record::{
    AgentSpell, BanRecord, BindingRecord, Bond, BudgetRecord, MessageRecord, SeatRecord, WrongPins,
};
use sip::Flow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Event {
    /// One datagram, or one whole message that the framer cut from a stream.
    Packet {
        /// Where it came from.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A stream was closed, or could not be opened.
    FlowClosed(Flow),
    /// The connection to media stands; the engine says `Hello` and what devices there are.
    MediaUp,
    /// Media says something.
    Media(MediaEvent),
    /// The connection to media is gone; every session died with it unless media says otherwise.
    MediaLost,
    /// A configuration was checked and stored: use it. Answered by `Effect::Reply` and `Notice::ConfigApplied`.
    ConfigCommitted {
        /// Whose question it answers.
        ticket: Ticket,
        /// Its number.
        generation: Generation,
        /// The site.
        config: Arc<Config>,
    },
    /// Somebody asks. Answered by exactly one `Effect::Reply`.
    Command {
        /// Handed back with the reply.
        ticket: Ticket,
        /// Who asks.
        by: Actor,
        /// What.
        command: Command,
    },
    /// The records kept under these tickets are on disk.
    Stored {
        /// The tickets of `Effect::Keep`, in the order kept.
        tickets: Vec<Ticket>,
    },
    /// Answer to `Effect::Resolve`; empty when the name is not known or nobody answered.
    Resolved {
        /// The ticket of the question.
        ticket: Ticket,
        /// Addresses in order of preference; the first 8 are looked at.
        addresses: Vec<IpAddr>,
    },
    /// Contacts were kept or removed, in this order; at the start everybody the site knows, in pieces.
    Contacts(Vec<ContactChange>),
    /// Answer to `Effect::Ask`.
    Answered {
        /// Whose question.
        call: CallId,
        /// Which of its questions.
        number: u32,
        /// What came back.
        answer: Answer,
    },
    /// Answer to `Effect::Fetch`: entries that a campaign may dial.
    Entries {
        /// Whose.
        campaign: String,
        /// In order.
        entries: Vec<Entry>,
    },
    /// Nothing but time has passed: `Engine::deadline` was reached.
    Tick,
}

/// What the engine is told once, before the first event.
#[derive(Clone, Debug)]
pub struct Boot {
    /// The site.
    pub config: Arc<Config>,
    /// Its number.
    pub generation: Generation,
    /// Random; the source of tags, nonces and choices. Same seed and same events: same effects.
    pub seed: u64,
    /// Number of this start; grows by one with each.
    pub epoch: u64,
    /// Address and port that phones and trunks reach us at, over UDP and TCP; goes into Contact.
    pub sip: SocketAddr,
    /// Address that stands in our SDP.
    pub media: IpAddr,
    /// First free call id of this start.
    pub next_call: CallId,
    /// First free recording id of this start.
    pub next_recording: RecordingId,
    /// First free message id of this start.
    pub next_message: MessageId,
    /// Messages on disk.
    pub messages: Vec<MessageRecord>,
    /// Own greetings: mailbox to path below the data folder.
    pub greetings: BTreeMap<Number, String>,
    /// Last known state of each agent.
    pub agents: Vec<AgentSpell>,
    /// Which agents served which customers.
    pub bonds: Vec<Bond>,
    /// Phones that were registered when the box stopped, and where phones were in the last 30 days (run out).
    pub bindings: Vec<BindingRecord>,
    /// Who is logged in at whose phone.
    pub seats: Vec<SeatRecord>,
    /// Bans that still run.
    pub bans: Vec<BanRecord>,
    /// Wrong PINs in a row.
    pub wrong_pins: Vec<WrongPins>,
    /// Campaigns as they were left.
    pub campaigns: BTreeMap<String, CampaignPast>,
    /// What the queues go on with.
    pub past: Past,
    /// Minutes to outside that were used.
    pub budgets: Vec<BudgetRecord>,
    /// Wall time of the start.
    pub started: Wall,
}
