//! Every deadline of the engine with its reason. One deadline per reason: setting it again moves it. Decides nothing;
//! `engine.rs` hands what is due to its owner.
use model::clock::Mono;
use model::id::{CallId, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Why something has to happen later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A call waits for something.
    Call(CallId, CallTimer),
    /// A trunk's next REGISTER, OPTIONS or look-up.
    Trunk(String, TrunkTimer),
    /// Registered phones whose time is over are taken out.
    Phones,
    /// A ban ends.
    BanEnd(IpAddr),
    /// The call of the box to itself takes too long.
    SelfCall,
    /// An answer has waited long enough for the disk.
    Receipt(Ticket),
    /// Campaigns decide.
    Dialer,
    /// The minutes to outside are counted, and calls that have used them up end.
    Budget,
    /// The numbers of the box are told to the web when they changed.
    System,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallTimer {
    /// The phone that rings must answer by now.
    NoAnswer,
    /// The trunk that was asked must say anything by now, else the next one is tried.
    NoProgress,
    /// The flow waits for a digit no longer.
    Flow,
    /// The mailbox menu waits for a digit no longer.
    Mailbox,
    /// The end of an announcement before hanging up; a call whose media is gone ends by this.
    GoodBye,
    /// No sound came from a party for too long, or the call is older than any call may be.
    Age,
    /// A star code in a call was begun and not finished.
    Code,
    /// Somebody rung into a conversation must answer by now.
    Guest,
    /// A person reached by a campaign waits for an agent no longer.
    Grace,
}

/// What a trunk waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrunkTimer {
    /// Refresh or retry of a registration.
    Register,
    /// The next OPTIONS.
    Probe,
    /// The carrier's name is looked up again.
    Resolve,
}

/// All deadlines, earliest first.
#[derive(Debug, Default)]
pub struct Timers {
    by_time: BTreeSet<(Mono, Reason)>,
    by_reason: BTreeMap<Reason, Mono>,
}

impl Timers {
    /// Sets or moves the deadline of a reason.
    pub fn set(&mut self, reason: Reason, at: Mono) {
        if let Some(old) = self.by_reason.insert(reason.clone(), at) {
            self.by_time.remove(&(old, reason.clone()));
        }
        self.by_time.insert((at, reason));
    }

    /// Whether this reason has a deadline.
    #[must_use]
    pub fn pending(&self, reason: &Reason) -> bool {
        self.by_reason.contains_key(reason)
    }

    /// Forgets the deadline of a reason.
    pub fn cancel(&mut self, reason: &Reason) {
        if let Some(at) = self.by_reason.remove(reason) {
            self.by_time.remove(&(at, reason.clone()));
        }
    }

    /// Forgets every deadline of a call.
    pub fn cancel_call(&mut self, call: CallId) {
        let reasons: Vec<Reason> = self
            .by_reason
            .range(Reason::Call(call, CallTimer::NoAnswer)..=Reason::Call(call, CallTimer::Grace))
            .map(|(r, _)| r.clone())
            .collect();
        for reason in reasons {
            self.cancel(&reason);
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest reason that is due.
    pub fn due(&mut self, now: Mono) -> Option<Reason> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, reason) = self.by_time.pop_first()?;
        self.by_reason.remove(&reason);
        Some(reason)
    }

    /// Every deadline of a call.
    pub fn of_calls(&self) -> impl Iterator<Item = (CallId, CallTimer)> + '_ {
        self.by_reason.keys().filter_map(|r| match r {
            Reason::Call(call, timer) => Some((*call, *timer)),
            Reason::Trunk(..)
            | Reason::Phones
            | Reason::BanEnd(_)
            | Reason::Receipt(_)
            | Reason::SelfCall
            | Reason::Dialer
            | Reason::Budget
            | Reason::System => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_deadline_is_due_once_at_its_new_time() {
        let mut timers = Timers::default();
        timers.set(Reason::Phones, Mono(10));
        timers.set(Reason::Phones, Mono(20));
        assert_eq!(timers.deadline(), Some(Mono(20)));
        assert_eq!(timers.due(Mono(15)), None);
        assert_eq!(timers.due(Mono(20)), Some(Reason::Phones));
        assert_eq!(timers.due(Mono(99)), None);
    }

    #[test]
    fn a_call_that_is_gone_has_no_deadlines() {
        let mut timers = Timers::default();
        let (gone, other) = (CallId(1), CallId(2));
        timers.set(Reason::Call(gone, CallTimer::NoAnswer), Mono(5));
        timers.set(Reason::Call(gone, CallTimer::Code), Mono(6));
        timers.set(Reason::Call(other, CallTimer::Flow), Mono(7));
        timers.cancel_call(gone);
        assert_eq!(timers.of_calls().collect::<Vec<_>>(), [(other, CallTimer::Flow)]);
        assert_eq!(timers.deadline(), Some(Mono(7)));
    }
}
