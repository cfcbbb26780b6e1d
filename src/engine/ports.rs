//! Which RTP port belongs to which session, and which session to which call. Media binds every port at its start and
//! tells the numbers; opening a session then asks nobody. This ledger is what tear-down trusts: a call that broke is
//! cleared from here, not from what it believed to own. Never talks to media.
use model::id::{CallId, SessionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All even ports, taken and free.
#[derive(Debug, Default)]
pub struct Ports {
    free: VecDeque<u16>,
    taken: BTreeMap<SessionId, Taken>,
    by_call: BTreeSet<(CallId, SessionId)>,
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    port: u16,
    /// `None` once the call let go and media has not said `Closed` yet.
    call: Option<CallId>,
}

impl Ports {
    /// Media is there with these inclusive ranges of ports; what was known before is void.
    pub fn ready(&mut self, ranges: &[(u16, u16)]) {
        self.lost();
        self.free = ranges.iter().flat_map(|&(low, high)| low..=high).filter(|port| port % 2 == 0).collect();
    }

    /// Media is gone: nothing is free, nothing is taken.
    pub fn lost(&mut self) {
        self.free.clear();
        self.taken.clear();
        self.by_call.clear();
    }

    /// The port that was free longest, with a new session id for it; `None` when none is free.
    pub fn take(&mut self, call: CallId) -> Option<(SessionId, u16)> {
        let port = self.free.pop_front()?;
        self.next += 1;
        let session = SessionId(self.next);
        self.taken.insert(session, Taken { port, call: Some(call) });
        self.by_call.insert((call, session));
        Some((session, port))
    }

    /// The call has no more use for the session; its port is free when media says `Closed`.
    pub fn release(&mut self, session: SessionId) {
        if let Some(call) = self.taken.get_mut(&session).and_then(|t| t.call.take()) {
            self.by_call.remove(&(call, session));
        }
    }

    /// The session goes on in another call.
    pub fn moves(&mut self, session: SessionId, to: CallId) {
        if let Some(call) = self.taken.get_mut(&session).and_then(|t| t.call.as_mut()) {
            self.by_call.remove(&(*call, session));
            *call = to;
            self.by_call.insert((to, session));
        }
    }

    /// Media closed the session.
    pub fn closed(&mut self, session: SessionId) {
        self.release(session);
        if let Some(taken) = self.taken.remove(&session) {
            self.free.push_back(taken.port);
        }
    }

    /// An orphan of an earlier control process gave its port back.
    pub fn freed(&mut self, port: u16) {
        if !self.free.contains(&port) && self.taken.values().all(|t| t.port != port) {
            self.free.push_back(port);
        }
    }

    /// The call a session belongs to.
    #[must_use]
    pub fn owner(&self, session: SessionId) -> Option<CallId> {
        self.taken.get(&session).and_then(|t| t.call)
    }

    /// Every session of a call.
    #[must_use]
    pub fn of_call(&self, call: CallId) -> Vec<SessionId> {
        self.by_call.range((call, SessionId(0))..=(call, SessionId(u64::MAX))).map(|(_, s)| *s).collect()
    }

    /// Sessions with the call each belongs to.
    pub fn owned(&self) -> impl Iterator<Item = (SessionId, CallId)> + '_ {
        self.by_call.iter().map(|(c, s)| (*s, *c))
    }

    /// How many ports are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_again_only_when_media_closed_it() {
        let mut ports = Ports::default();
        ports.ready(&[(10000, 10003)]);
        let (a, _) = ports.take(CallId(1)).expect("two ports");
        let (_, b_port) = ports.take(CallId(1)).expect("two ports");
        assert_eq!(ports.take(CallId(2)), None);
        assert_eq!(b_port, 10002);
        ports.release(a);
        assert_eq!((ports.free(), ports.owner(a)), (0, None));
        ports.closed(a);
        assert_eq!(ports.free(), 1);
        assert_eq!(ports.of_call(CallId(1)).len(), 1);
    }

    #[test]
    fn a_port_is_never_listed_twice() {
        let mut ports = Ports::default();
        ports.ready(&[(10000, 10001)]);
        ports.freed(10000);
        assert_eq!(ports.free(), 1);
        ports.freed(10004);
        assert_eq!(ports.free(), 2);
    }
}
