//! What the engine wants done outside: bytes sent, media told, records kept, questions answered, the web informed, names
//! looked up. In the order given. Plain data; decides nothing.
use model::ask::Ask;
use model::campaign::HopperQuery;
use model::command::Reply;
use model::id::{CallId, Ticket};
use model::media::MediaCommand;
use model::notice::Notice;
use model::record::Record;
use model::update::SelfCall;
use sip::Flow;

/// Something to do outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Bytes of one SIP message. With `Transport::Tcp` and connection 0: any open stream to `flow.remote`, else open one.
    Send {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A word for media.
    Media(MediaCommand),
    /// A record for the store; `Event::Stored` comes back once it is on disk.
    Keep {
        /// Handed back.
        ticket: Ticket,
        /// The record.
        record: Record,
    },
    /// The answer to `Event::Command` or `Event::ConfigCommitted`.
    Reply {
        /// Whose.
        ticket: Ticket,
        /// The answer.
        reply: Reply,
    },
    /// News for the web and the log.
    Notice(Notice),
    /// The call of the box to itself is over.
    SelfCalled(SelfCall),
    /// A question of a flow; answered by `Event::Answered` with the same call and number, or not at all; a word to an
    /// application, as often as that likes.
    Ask {
        /// Whose.
        call: CallId,
        /// Which of its questions.
        number: u32,
        /// What.
        ask: Ask,
    },
    /// A name to look up (A and AAAA); answered by `Event::Resolved` with the same ticket, within 10 s, never blocking.
    Resolve {
        /// Handed back.
        ticket: Ticket,
        /// Host name.
        name: String,
    },
    /// Entries that a campaign wants to dial soon; answered by `Event::Entries`, from a thread that may wait for the disk.
    Fetch {
        /// Whose.
        campaign: String,
        /// Which.
        query: HopperQuery,
    },
}
