//! One attempt to reach one entry: what happened when, how the network or the ear says it ended, and the named result that
//! rules of repetition look at. 26 endings, 13 results.
use crate::clock::Wall;
use crate::config::campaign::Form;
use crate::id::{CallId, EntryId};
use crate::media::Evidence;
use crate::number::Number;
use serde::{Deserialize, Serialize};

/// One attempt. Its key is its call. Kept before the INVITE leaves, and again when it is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttemptRecord {
    /// Key.
    pub call: CallId,
    /// Campaign.
    pub campaign: String,
    /// Entry of a list.
    pub entry: EntryId,
    /// Number dialled, in international form.
    pub number: Number,
    /// Form of dialling at that moment.
    pub form: Form,
    /// Time zones of the number, as they were looked at.
    pub zones: Vec<String>,
    /// Agent: reserved for it, or who took it.
    pub agent: Option<String>,
    /// When it was written down, just before the INVITE.
    pub at: Wall,
    /// What happened, in order: the raw events of the evidence.
    pub moments: Vec<Moment>,
    /// What was heard at the far end, when the campaign listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
    /// End.
    pub ended: Option<Wall>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// SIP code, if the network gave one; 0 else.
    pub code: u16,
    /// The entry may be called again from then on; `None` = it is done with.
    pub again: Option<Wall>,
}

impl AttemptRecord {
    /// The named result, once it is over.
    #[must_use]
    pub fn result(&self) -> Option<CallResult> {
        self.ending.map(Ending::result)
    }

    /// Milliseconds after the start at which this happened first.
    #[must_use]
    pub fn at_ms(&self, step: Step) -> Option<u64> {
        self.moments.iter().find(|m| m.step == step).map(|m| m.ms)
    }
}

/// One raw event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Moment {
    /// Milliseconds after `at`, by the monotonic clock.
    pub ms: u64,
    /// What.
    pub step: Step,
}

/// What was heard at the far end, and the numbers that say why: who doubts a verdict finds them here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Heard {
    /// `busy congestion information fax person machine beep unsure`: what decided how the call was treated.
    pub what: String,
    /// Milliseconds after `at`.
    pub ms: u64,
    /// Why.
    pub evidence: Evidence,
}

/// What happens to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The INVITE left.
    Dialled,
    /// The party's phone rings.
    Ringing,
    /// It was answered.
    Answered,
    /// An agent and the party hear each other.
    Connected,
    /// No agent in time: the recorded identity begins.
    Message,
    /// A flow speaks with the party.
    Flow,
    /// The campaign's message was left on an answering machine, to its end.
    Left,
    /// It is over.
    Ended,
}

/// How an attempt ended: SIP code, Q.850 cause, what was heard, or what we did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A person answered and no agent was there in time.
    Abandoned,
    /// The number is incomplete (484, Q.850 28).
    AddressIncomplete,
    /// The carrier or the party's network does not allow it (403, Q.850 55, 57).
    NotAllowed,
    /// Busy (486, Q.850 17).
    Busy,
    /// Busy tone in early sound.
    BusyTone,
    /// Busy at every place (600).
    BusyEverywhere,
    /// Talked with an agent.
    Connected,
    /// No free circuit (503, Q.850 34, 42).
    Congestion,
    /// Declined by hand (603, Q.850 21).
    Declined,
    /// A fax machine.
    Fax,
    /// Heard a flow.
    FlowServed,
    /// Given up by us: its answer would have found nobody.
    GivenUp,
    /// Hung up while an agent was looked for.
    HungUpWaiting,
    /// The box stopped while it ran.
    Interrupted,
    /// An answering machine.
    Machine,
    /// An answering machine, and the campaign's message was left on it.
    MessageLeft,
    /// No codec or service in common (488, Q.850 58, 88).
    NotAcceptable,
    /// A network between failed (500, 502, 504, Q.850 38, 41).
    NetworkFailure,
    /// Rang for its whole time (408, 487, Q.850 19).
    NoAnswer,
    /// The phone did not react (Q.850 18).
    NoReaction,
    /// No way to the number (Q.850 2, 3).
    NoRoute,
    /// The number has changed (410, Q.850 22).
    NumberChanged,
    /// Out of order (Q.850 27).
    OutOfOrder,
    /// Special information tone or "not in service" in early sound.
    ServiceTone,
    /// Switched off or out of reach (480, Q.850 20).
    SwitchedOff,
    /// No such number (404, 604, Q.850 1).
    Unallocated,
}

/// The named results that rules of repetition and reports look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// A person answered and no agent came in time.
    Abandoned,
    /// Busy.
    Busy,
    /// A fax machine.
    Fax,
    /// The flow was heard.
    FlowDone,
    /// The person hung up before an agent came.
    HungUp,
    /// The number cannot be called.
    Invalid,
    /// An answering machine.
    Machine,
    /// A message was left on an answering machine.
    MessageLeft,
    /// A fault of a network or of the box; says nothing of the number.
    Network,
    /// Nobody answered.
    NoAnswer,
    /// Declined.
    Refused,
    /// Talked with an agent.
    Talked,
    /// Switched off or out of reach.
    Unreachable,
}

impl Ending {
    /// Every one.
    pub const ALL: [Ending; 26] = [
        Ending::Abandoned,
        Ending::AddressIncomplete,
        Ending::NotAllowed,
        Ending::Busy,
        Ending::BusyTone,
        Ending::BusyEverywhere,
        Ending::Connected,
        Ending::Congestion,
        Ending::Declined,
        Ending::Fax,
        Ending::FlowServed,
        Ending::GivenUp,
        Ending::HungUpWaiting,
        Ending::Interrupted,
        Ending::Machine,
        Ending::MessageLeft,
        Ending::NotAcceptable,
        Ending::NetworkFailure,
        Ending::NoAnswer,
        Ending::NoReaction,
        Ending::NoRoute,
        Ending::NumberChanged,
        Ending::OutOfOrder,
        Ending::ServiceTone,
        Ending::SwitchedOff,
        Ending::Unallocated,
    ];

    /// The result it counts as.
    #[must_use]
    pub fn result(self) -> CallResult {
        match self {
            Ending::Abandoned => CallResult::Abandoned,
            Ending::Busy | Ending::BusyTone | Ending::BusyEverywhere => CallResult::Busy,
            Ending::Connected => CallResult::Talked,
            Ending::Declined => CallResult::Refused,
            Ending::Fax => CallResult::Fax,
            Ending::FlowServed => CallResult::FlowDone,
            Ending::HungUpWaiting => CallResult::HungUp,
            Ending::Machine => CallResult::Machine,
            Ending::MessageLeft => CallResult::MessageLeft,
            Ending::NoAnswer | Ending::NoReaction | Ending::GivenUp => CallResult::NoAnswer,
            Ending::OutOfOrder | Ending::SwitchedOff => CallResult::Unreachable,
            Ending::AddressIncomplete | Ending::NumberChanged | Ending::ServiceTone | Ending::Unallocated => {
                CallResult::Invalid
            }
            Ending::Congestion
            | Ending::Interrupted
            | Ending::NetworkFailure
            | Ending::NoRoute
            | Ending::NotAcceptable
            | Ending::NotAllowed => CallResult::Network,
        }
    }

    /// What a final refusal says: the Q.850 cause counts for more than the SIP code, which gateways make from it.
    #[must_use]
    pub fn of_refusal(code: u16, q850: Option<u16>) -> Ending {
        q850.and_then(of_cause).unwrap_or(match code {
            403 => Ending::NotAllowed,
            404 | 604 => Ending::Unallocated,
            408 | 487 => Ending::NoAnswer,
            410 => Ending::NumberChanged,
            480 => Ending::SwitchedOff,
            484 => Ending::AddressIncomplete,
            486 => Ending::Busy,
            415 | 488 | 606 => Ending::NotAcceptable,
            503 => Ending::Congestion,
            600 => Ending::BusyEverywhere,
            603 => Ending::Declined,
            _ => Ending::NetworkFailure,
        })
    }
}

/// ITU-T Q.850 causes that say something of their own.
fn of_cause(cause: u16) -> Option<Ending> {
    Some(match cause {
        1 => Ending::Unallocated,
        2 | 3 => Ending::NoRoute,
        17 => Ending::Busy,
        18 => Ending::NoReaction,
        19 => Ending::NoAnswer,
        20 => Ending::SwitchedOff,
        21 => Ending::Declined,
        22 => Ending::NumberChanged,
        27 => Ending::OutOfOrder,
        28 => Ending::AddressIncomplete,
        34 | 42 => Ending::Congestion,
        38 | 41 => Ending::NetworkFailure,
        55 | 57 => Ending::NotAllowed,
        58 | 88 => Ending::NotAcceptable,
        _ => return None,
    })
}

impl CallResult {
    /// Every one.
    pub const ALL: [CallResult; 13] = [
        CallResult::Abandoned,
        CallResult::Busy,
        CallResult::Fax,
        CallResult::FlowDone,
        CallResult::HungUp,
        CallResult::Invalid,
        CallResult::Machine,
        CallResult::MessageLeft,
        CallResult::Network,
        CallResult::NoAnswer,
        CallResult::Refused,
        CallResult::Talked,
        CallResult::Unreachable,
    ];

    /// Whether a person was reached: what the account of abandoned calls counts.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, CallResult::Abandoned | CallResult::HungUp | CallResult::Talked | CallResult::FlowDone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn twenty_six_endings_are_thirteen_results() {
        let endings: BTreeSet<Ending> = Ending::ALL.into_iter().collect();
        let results: BTreeSet<CallResult> = endings.iter().map(|e| e.result()).collect();
        assert_eq!((endings.len(), results.len()), (26, 13));
        assert_eq!(results, CallResult::ALL.into_iter().collect());
    }

    #[test]
    fn the_cause_of_the_network_counts_for_more_than_the_code_a_gateway_made_of_it() {
        let table = [
            (486, None, Ending::Busy),
            (480, Some(17), Ending::Busy),
            (503, Some(1), Ending::Unallocated),
            (404, None, Ending::Unallocated),
            (480, None, Ending::SwitchedOff),
            (480, Some(127), Ending::SwitchedOff),
            (502, Some(27), Ending::OutOfOrder),
            (603, None, Ending::Declined),
            (599, None, Ending::NetworkFailure),
        ];
        for (code, cause, expected) in table {
            assert_eq!(Ending::of_refusal(code, cause), expected, "{code} {cause:?}");
        }
    }
}
