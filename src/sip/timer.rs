//! The timers of RFC 3261 and RFC 6026, each with its value and why.
use std::time::Duration;

/// The three times every other timer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Round trip estimate; first retransmission.
    pub t1: Duration,
    /// Longest retransmission interval of requests other than INVITE, and of answers to INVITE.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}
