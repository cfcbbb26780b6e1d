//! One cause of a refusal, and what each kind of asker is told: SIP status, HTTP status, prompt. Decides nothing.
use serde::{Deserialize, Serialize};

/// Why the box will not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The called party is in a call and takes no second one.
    Busy,
    /// The request contradicts the present state (the call is over, the agent is talking).
    Conflict,
    /// The caller's rights do not allow this destination.
    Forbidden,
    /// Nobody can be reached there now (no phone registered, every trunk down).
    Unavailable,
    /// No such number, call, agent, message.
    Unknown,
    /// The box is at its limit.
    Overloaded,
    /// The request makes no sense as given.
    Malformed,
    /// Nobody answered in time.
    NoAnswer,
    /// The called party declined.
    Declined,
    /// No common codec.
    NotAcceptable,
}

impl Refusal {
    /// SIP status (RFC 3261 §21).
    #[must_use]
    pub fn sip_code(self) -> u16 {
        match self {
            Refusal::Busy => 486,
            Refusal::Conflict => 491,
            Refusal::Forbidden => 403,
            Refusal::Unavailable => 480,
            Refusal::Unknown => 404,
            Refusal::Overloaded => 503,
            Refusal::Malformed => 400,
            Refusal::NoAnswer => 408,
            Refusal::Declined => 603,
            Refusal::NotAcceptable => 488,
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn http_code(self) -> u16 {
        match self {
            Refusal::Busy
            | Refusal::Conflict
            | Refusal::NoAnswer
            | Refusal::Declined
            | Refusal::NotAcceptable => 409,
            Refusal::Forbidden => 403,
            Refusal::Unavailable | Refusal::Overloaded => 503,
            Refusal::Unknown => 404,
            Refusal::Malformed => 422,
        }
    }

    /// Name of the built-in prompt that tells a caller.
    #[must_use]
    pub fn prompt(self) -> &'static str {
        match self {
            Refusal::Busy | Refusal::Declined => "busy",
            Refusal::Conflict | Refusal::Malformed | Refusal::Unknown | Refusal::NotAcceptable => {
                "number-unknown"
            }
            Refusal::Forbidden => "not-allowed",
            Refusal::Unavailable | Refusal::NoAnswer => "not-available",
            Refusal::Overloaded => "all-lines-busy",
        }
    }
}
