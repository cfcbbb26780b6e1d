//! What is recorded: the strictest wish of all parties wins; `*1` starts and stops on demand, `*2` pauses while a card is read
//! out. Two channels, the caller on the left. Never decides who may listen.
use crate::call::leg::Leg;
use crate::call::{Core, Cx, Out};
use crate::intent::{Intent, Peer};
use model::clock::Wall;
use model::config::extension::RecordPolicy;
use model::id::{RecordingId, SessionId};
use model::media::MediaCommand;
use model::record::{Record, RecordingRecord};

/// Longest recording: 12 h of two channels are about 690 MB.
const LONGEST_S: u32 = 12 * 3600;

/// The recording of a call.
#[derive(Debug, Default)]
pub struct Tape {
    running: Option<RecordingId>,
    /// Recordings of those who joined, one each.
    members: Vec<RecordingId>,
    paused: bool,
    /// What is said now is not for the call: one party holds the other, or asks a third.
    aside: bool,
}

impl Tape {
    /// Whether a recording runs.
    #[must_use]
    pub fn running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether this is the one that runs.
    #[must_use]
    pub fn is(&self, recording: RecordingId) -> bool {
        self.running == Some(recording)
    }

    /// Whether it is paused.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Whether media hears nothing now.
    fn deaf(&self) -> bool {
        self.paused || self.aside
    }

    /// Every recording that runs.
    fn all(&self) -> impl Iterator<Item = RecordingId> + '_ {
        self.running.into_iter().chain(self.members.iter().copied())
    }

    /// It ended.
    pub fn done(&mut self) {
        *self = Tape { aside: self.aside, ..Tape::default() };
    }
}

/// The wish of all parties together.
#[must_use]
pub fn policy(core: &Core, called: &Peer) -> RecordPolicy {
    let of = |peer: &Peer| match peer {
        Peer::Phone(n) => core.config.extension.get(n).map(|e| e.record),
        Peer::Trunk(t) => core.config.trunk.get(t).map(|t| t.record),
    };
    let queue = core.queue.as_ref().and_then(|q| core.config.queue.get(q)).map(|q| q.record);
    let wishes: Vec<RecordPolicy> =
        [of(&core.caller.peer), of(called), queue].into_iter().flatten().collect();
    strictest(&wishes)
}

/// `Never` over `Always` over `OnDemand`.
fn strictest(wishes: &[RecordPolicy]) -> RecordPolicy {
    match () {
        () if wishes.contains(&RecordPolicy::Never) => RecordPolicy::Never,
        () if wishes.contains(&RecordPolicy::Always) => RecordPolicy::Always,
        () => RecordPolicy::OnDemand,
    }
}

/// Whether the conversation is recorded without anybody asking.
#[must_use]
pub fn begins_by_itself(core: &Core, called: &Peer) -> bool {
    policy(core, called) == RecordPolicy::Always
}

/// Starts the recording of a conversation.
pub fn start(core: &mut Core, called: &Leg, cx: &Cx, out: &mut Out) {
    let (Some(left), Some(right), None) = (core.a.session(), called.session(), core.tape.running) else {
        return;
    };
    let recording = out.ids.recording();
    let path = path(core, recording, cx.now.wall);
    core.tape = Tape { running: Some(recording), aside: core.tape.aside, ..Tape::default() };
    let said = match &called.peer {
        Peer::Phone(number) => number.to_string(),
        Peer::Trunk(_) => core.called.number.clone(),
    };
    let names = [core.caller.party.number.clone(), said];
    begin(core, recording, [Some(left), Some(right)], names, path, cx, out);
}

/// Records somebody who joined a recorded call, in a file of its own: what the two say is in theirs.
pub fn start_member(core: &mut Core, leg: &Leg, number: &str, cx: &Cx, out: &mut Out) {
    let never = match &leg.peer {
        Peer::Phone(n) => core.config.extension.get(n).is_some_and(|e| e.record == RecordPolicy::Never),
        Peer::Trunk(t) => core.config.trunk.get(t).is_some_and(|t| t.record == RecordPolicy::Never),
    };
    let Some(session) = leg.session().filter(|_| core.tape.running() && !never) else { return };
    let recording = out.ids.recording();
    let path = path(core, recording, cx.now.wall);
    core.tape.members.push(recording);
    begin(core, recording, [Some(session), None], [number.to_owned(), String::new()], path, cx, out);
}

fn begin(
    core: &Core,
    recording: RecordingId,
    [left, right]: [Option<SessionId>; 2],
    [left_name, right_name]: [String; 2],
    path: String,
    cx: &Cx,
    out: &mut Out,
) {
    let Some(left) = left else { return };
    let record = RecordingRecord {
        recording,
        call: core.id,
        path: path.clone(),
        started: cx.now.wall,
        left: left_name,
        right: right_name,
    };
    out.want(Intent::Keep { record: Box::new(Record::Recording(record)), tell: false });
    out.step("recording", recording.to_string());
    out.media(MediaCommand::Record {
        recording,
        left,
        right,
        path,
        max_s: LONGEST_S,
        silence_ms: 0,
        until_digit: false,
    });
    if core.tape.deaf() {
        out.media(MediaCommand::PauseRecord { recording, paused: true });
    }
}

/// Ends every recording of the call.
pub fn stop(core: &mut Core, out: &mut Out) {
    if core.tape.running() {
        out.step("recording_stopped", "");
    }
    for recording in core.tape.all() {
        out.media(MediaCommand::StopRecord { recording });
    }
    core.tape = Tape { aside: core.tape.aside, ..Tape::default() };
}

/// What is said from here on is between some of the parties only: not recorded.
pub fn set_aside(core: &mut Core, aside: bool, out: &mut Out) {
    let before = core.tape.deaf();
    core.tape.aside = aside;
    tell_deaf(core, before, out);
}

fn tell_deaf(core: &Core, before: bool, out: &mut Out) {
    let paused = core.tape.deaf();
    if paused != before {
        for recording in core.tape.all() {
            out.media(MediaCommand::PauseRecord { recording, paused });
        }
    }
}

/// Starts or stops by hand, where the parties allow it.
pub fn switch(core: &mut Core, called: &Leg, on: bool, cx: &Cx, out: &mut Out) {
    match (core.tape.running, on) {
        (None, true) if policy(core, &called.peer) != RecordPolicy::Never => start(core, called, cx, out),
        (Some(_), false) => stop(core, out),
        (None, _) | (Some(_), true) => {}
    }
}

/// Silences the recording, or goes on.
pub fn pause(core: &mut Core, paused: bool, out: &mut Out) {
    if core.tape.running() && core.tape.paused != paused {
        let before = core.tape.deaf();
        core.tape.paused = paused;
        out.step(if paused { "recording_paused" } else { "recording_resumed" }, "");
        tell_deaf(core, before, out);
    }
}

/// One folder a day: nobody lists a folder of a hundred thousand files.
fn path(core: &Core, recording: RecordingId, at: Wall) -> String {
    let day = crate::route::local_time(&core.config, at).date();
    format!("recordings/{:04}/{:02}/{:02}/{}-{recording}.wav", day.year(), day.month(), day.day(), core.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_wish_wins() {
        use RecordPolicy::{Always, Never, OnDemand};
        assert_eq!(strictest(&[OnDemand, Always, OnDemand]), Always);
        assert_eq!(strictest(&[Always, Never]), Never);
        assert_eq!(strictest(&[]), OnDemand);
    }
}
