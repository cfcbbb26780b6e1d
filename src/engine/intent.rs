//! What a call wants done. A call's step touches nothing outside itself: it leaves intents, which the engine carries out
//! only when the step returned. Order is kept. Plain data.
use crate::acd::OfferResult;
use crate::acd::code::Code;
use crate::acd::ticket::Caller;
use crate::budget::Charge;
use crate::dialer::campaign::Told;
use crate::route::Target;
use crate::timers::CallTimer;
use model::ask::Ask;
use model::clock::Mono;
use model::id::{LegId, SessionId};
use model::media::MediaCommand;
use model::number::Number;
use model::record::{Outcome, Record};
use model::steer::Supervision;
use sip::endpoint::Invite;
use std::time::Duration;

/// Who is at the far end of a leg.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// A phone of this extension.
    Phone(Number),
    /// A carrier.
    Trunk(String),
}

/// One wish of a call.
#[derive(Debug)]
pub enum Intent {
    /// A new leg to a peer.
    Invite {
        /// Its id.
        leg: LegId,
        /// Who is called.
        peer: Peer,
        /// How.
        invite: Box<Invite>,
    },
    /// Tells the caller that it rings (180), or that there is early sound (183).
    Ring {
        /// Which leg.
        leg: LegId,
        /// 180 or 183.
        code: u16,
        /// Our answer, with early sound.
        sdp: Option<Vec<u8>>,
    },
    /// Takes the call of a peer.
    Accept {
        /// Which leg.
        leg: LegId,
        /// Our answer (or offer, when the peer made none).
        sdp: Vec<u8>,
    },
    /// Refuses the call of a peer.
    Refuse {
        /// Which leg.
        leg: LegId,
        /// 400–699.
        code: u16,
    },
    /// Ends a leg in whatever state it is. The leg is gone after it.
    HangUp {
        /// Which.
        leg: LegId,
        /// Value of a Reason header (RFC 3326).
        cause: Option<&'static str>,
    },
    /// Answers a re-INVITE.
    AnswerReoffer {
        /// Which leg.
        leg: LegId,
        /// Our SDP, or the code.
        answer: Result<Vec<u8>, u16>,
    },
    /// The leg ended by itself; nothing more is sent on it.
    LegGone(LegId),
    /// A word for media.
    Media(MediaCommand),
    /// The call has no more use for this session.
    Close(SessionId),
    /// Wakes the call later; replaces an earlier time of the same timer.
    Wait(CallTimer, Mono),
    /// Does not wait for that any more.
    NoWait(CallTimer),
    /// Something for the call's record and journey.
    Tell(Chapter),
    /// Puts the call into a queue.
    Enqueue {
        /// Which.
        queue: String,
        /// Who waits.
        caller: Box<Caller>,
    },
    /// Promises to call back. Answered by `Heard::Acd(Promised)` and, once it is on disk, `Heard::Stored`; or by
    /// `Heard::CodeDone` with the prompt that says why not.
    CallBack {
        /// The queue.
        queue: String,
        /// Who asks.
        caller: Box<Caller>,
        /// Whom to call.
        number: Number,
    },
    /// A service said which agent shall take the caller, or nothing of use.
    Decided(Option<String>),
    /// The customer who was promised it is on the line with the agent.
    CalledBack,
    /// The call left its queue, or is over for its agent.
    LeaveQueue,
    /// What became of an offer to an agent.
    Offered {
        /// Who.
        agent: String,
        /// What.
        result: OfferResult,
    },
    /// A star code of an agent; answered by `Input::CodeDone` in the same step of the engine.
    Code {
        /// Where it was dialled.
        extension: Number,
        /// Which.
        code: Code,
    },
    /// A person logs in at a phone, or (`None`) its guest logs out. Answered by `Heard::Stored` once it is on disk, or by
    /// `Heard::CodeDone` with the prompt that says why not.
    Sit {
        /// Where.
        phone: Number,
        /// Who.
        person: Option<Number>,
    },
    /// A record for the store. With `tell`, the call gets `Input::Stored` once it is on disk.
    Keep {
        /// The record.
        record: Box<Record>,
        /// Whether the call waits for it.
        tell: bool,
    },
    /// An emergency call needs a line of this trunk: an ordinary call gives way when it is full.
    MakeRoom(String),
    /// A trunk said nothing at all to a call.
    TrunkSilent(String),
    /// Somebody dialled an emergency number: people must know.
    Emergency {
        /// Whose phone.
        from: Number,
        /// Which number.
        number: Number,
    },
    /// The agent who took the call is no longer in it, though it goes on.
    AgentDone,
    /// The caller, who gave the PIN, listens to the call at this extension. Answered by `Heard::CodeDone` when there is none.
    Watch(Number),
    /// A supervisor changed by a key how it is in the call: for the event log.
    Supervised {
        /// Whose phone.
        at: Number,
        /// How.
        how: Supervision,
    },
    /// Asks somebody outside for a flow; answered by `Heard::Answered` with the number.
    Ask(u32, Ask),
    /// A person reached by a campaign needs an agent of this queue, this one before others.
    Reach {
        /// Queue.
        queue: String,
        /// This agent, if there.
        agent: Option<String>,
    },
    /// Something that the call's campaign wants to know.
    Outreach(Told),
    /// A leg to outside counts against the minutes of a day.
    Charge {
        /// Which.
        leg: LegId,
        /// Whose minutes.
        charge: Box<Charge>,
    },
    /// The call is over. Whatever it still owns is taken back.
    Finish {
        /// How it ended.
        outcome: Outcome,
        /// Why, in a few words.
        cause: String,
    },
}

/// What goes into a call's record and journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// A step of the journey: kind and detail of `CallStep`.
    Step(&'static str, String),
    /// A person at this extension answered.
    Person(Number),
    /// A person outside answered over this trunk.
    Outside(String),
    /// A flow or service answered.
    Service,
    /// It waits in this queue.
    Queue(String),
    /// Somebody stood this long in the queue where it comes now.
    Stood(Duration),
    /// It waits no longer.
    QueueLeft,
    /// It belongs to this queue, without waiting there.
    Of(String),
    /// This agent took it.
    Agent(String),
    /// It uses this trunk.
    Trunk(String),
    /// It was sent on to this target.
    Target(Target),
    /// The session with a party died without its doing: the step, who, and the cause of the call's end if it ends by it.
    Lost {
        /// Kind of the step.
        kind: &'static str,
        /// Extension or trunk.
        who: String,
        /// In a few words.
        cause: &'static str,
    },
    /// Nobody talks to the caller any more; the call goes on.
    Alone,
    /// The caller gave this score.
    Score(u8),
}
