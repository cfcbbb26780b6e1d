//! Who owns what, kept by the engine and not by the calls: legs, recordings, stories, numbers. Tear-down trusts only this.
//! Never decides anything about a call.
use crate::call::story::Story;
use crate::intent::Peer;
use model::clock::Wall;
use model::id::{CallId, LegId, MessageId, PlayId, RecordingId, Ticket};
use model::notice::CallView;
use model::number::Number;
use std::collections::{BTreeMap, BTreeSet};

/// Sources of new ids. Lent to a step; a step that broke has used some up, nothing more.
#[derive(Debug)]
pub struct Ids {
    call: u64,
    leg: u64,
    play: u64,
    recording: u64,
    message: u64,
    ticket: u64,
    other: u64,
}

impl Ids {
    /// Begins at these.
    #[must_use]
    pub fn new(call: CallId, recording: RecordingId, message: MessageId) -> Ids {
        Ids { call: call.0, leg: 1, play: 1, recording: recording.0, message: message.0, ticket: 1, other: 1 }
    }

    /// The next call.
    pub fn call(&mut self) -> CallId {
        CallId(next(&mut self.call))
    }

    /// The next leg.
    pub fn leg(&mut self) -> LegId {
        LegId(next(&mut self.leg))
    }

    /// The next play.
    pub fn play(&mut self) -> PlayId {
        PlayId(next(&mut self.play))
    }

    /// The next recording.
    pub fn recording(&mut self) -> RecordingId {
        RecordingId(next(&mut self.recording))
    }

    /// The next message.
    pub fn message(&mut self) -> MessageId {
        MessageId(next(&mut self.message))
    }

    /// The next ticket of ours.
    pub fn ticket(&mut self) -> Ticket {
        Ticket(next(&mut self.ticket))
    }

    /// The next number for requests outside calls and subscriptions.
    pub fn other(&mut self) -> u64 {
        next(&mut self.other)
    }
}

fn next(counter: &mut u64) -> u64 {
    let id = *counter;
    *counter += 1;
    id
}

/// A leg's owner.
#[derive(Clone, Debug)]
pub struct LegEntry {
    /// Whose.
    pub call: CallId,
    /// Who is there.
    pub peer: Peer,
}

/// What the engine knows of a call besides the call itself.
#[derive(Debug)]
pub struct CallEntry {
    /// The record being written.
    pub story: Story,
    /// When it began.
    pub started: Wall,
    /// What was told last.
    pub told: Option<CallView>,
    /// An emergency call never gives way.
    pub emergency: bool,
    /// The question by which an application leads it.
    pub application: Option<u32>,
}

/// The books.
#[derive(Debug, Default)]
pub struct Ledger {
    legs: BTreeMap<LegId, LegEntry>,
    by_call: BTreeSet<(CallId, LegId)>,
    at_peer: BTreeMap<Peer, u32>,
    recordings: BTreeMap<RecordingId, (CallId, bool)>,
    /// Calls by id.
    pub calls: BTreeMap<CallId, CallEntry>,
}

impl Ledger {
    /// A leg begins.
    pub fn leg_begins(&mut self, leg: LegId, call: CallId, peer: Peer) {
        *self.at_peer.entry(peer.clone()).or_default() += 1;
        self.by_call.insert((call, leg));
        self.legs.insert(leg, LegEntry { call, peer });
    }

    /// A leg is over; who was there.
    pub fn leg_ends(&mut self, leg: LegId) -> Option<LegEntry> {
        let entry = self.legs.remove(&leg)?;
        self.by_call.remove(&(entry.call, leg));
        if let Some(count) = self.at_peer.get_mut(&entry.peer) {
            *count -= 1;
            if *count == 0 {
                self.at_peer.remove(&entry.peer);
            }
        }
        Some(entry)
    }

    /// A leg goes on in another call.
    pub fn leg_moves(&mut self, leg: LegId, to: CallId) {
        if let Some(entry) = self.legs.get_mut(&leg) {
            self.by_call.remove(&(entry.call, leg));
            entry.call = to;
            self.by_call.insert((to, leg));
        }
    }

    /// Somebody else is at the far end of a leg from now on. Who it was.
    pub fn leg_becomes(&mut self, leg: LegId, peer: Peer) -> Option<Peer> {
        let call = self.legs.get(&leg)?.call;
        let before = self.leg_ends(leg)?.peer;
        self.leg_begins(leg, call, peer);
        Some(before)
    }

    /// The owner of a leg.
    #[must_use]
    pub fn leg(&self, leg: LegId) -> Option<&LegEntry> {
        self.legs.get(&leg)
    }

    /// Every leg with its call.
    pub fn legs(&self) -> impl Iterator<Item = (LegId, CallId)> + '_ {
        self.legs.iter().map(|(l, e)| (*l, e.call))
    }

    /// Every leg of a call.
    #[must_use]
    pub fn legs_of(&self, call: CallId) -> Vec<LegId> {
        self.by_call.range((call, LegId(0))..=(call, LegId(u64::MAX))).map(|(_, l)| *l).collect()
    }

    /// Legs of a peer, oldest first, with their calls.
    pub fn legs_at<'a>(&'a self, peer: &'a Peer) -> impl Iterator<Item = (LegId, CallId)> + 'a {
        self.legs.iter().filter(move |(_, e)| e.peer == *peer).map(|(leg, e)| (*leg, e.call))
    }

    /// How many legs a trunk has.
    #[must_use]
    pub fn on_trunk(&self, name: &str) -> u32 {
        self.at_peer.get(&Peer::Trunk(name.to_owned())).copied().unwrap_or(0)
    }

    /// Whether an extension is in any call.
    #[must_use]
    pub fn in_call(&self, extension: &Number) -> bool {
        self.at_peer.contains_key(&Peer::Phone(extension.clone()))
    }

    /// Calls that have a leg on this trunk, oldest first.
    pub fn calls_on_trunk<'a>(&'a self, name: &'a str) -> impl Iterator<Item = CallId> + 'a {
        self.legs.values().filter(move |e| e.peer == Peer::Trunk(name.to_owned())).map(|e| e.call)
    }

    /// A recording runs; `tape`: of a conversation, with a record of its own.
    pub fn recording_begins(&mut self, recording: RecordingId, call: CallId) {
        self.recordings.entry(recording).or_insert((call, false)).0 = call;
    }

    /// The recording has a record.
    pub fn recording_is_kept(&mut self, recording: RecordingId, call: CallId) {
        self.recordings.insert(recording, (call, true));
    }

    /// A recording ended: whose it was, and whether it has a record.
    pub fn recording_ends(&mut self, recording: RecordingId) -> Option<(CallId, bool)> {
        self.recordings.remove(&recording)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::number;

    #[test]
    fn a_phone_is_in_a_call_as_long_as_any_leg_of_it_runs() {
        let mut ledger = Ledger::default();
        let phone = Peer::Phone(number("101"));
        ledger.leg_begins(LegId(1), CallId(1), phone.clone());
        ledger.leg_begins(LegId(2), CallId(2), phone);
        ledger.leg_ends(LegId(1));
        assert!(ledger.in_call(&number("101")));
        ledger.leg_ends(LegId(2));
        ledger.leg_ends(LegId(2));
        assert!(!ledger.in_call(&number("101")));
        assert!(ledger.legs_of(CallId(2)).is_empty());
    }
}
