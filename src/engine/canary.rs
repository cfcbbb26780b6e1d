//! The box calls itself and listens: one call from its own SIP door to its own SIP door, a prompt and a tone from one end,
//! keys from both, a recording at the other. Passing means that signalling, media, prompts and recording work on this
//! machine with this system. Pure: the engine carries out what is asked and hands in what happens; whether the tone is in
//! the recording is looked at by whoever asked, where files can be read. Never touches other calls.
//!
//! Ways out: everything heard → Done · anything refused, missing or late → Done with the part that failed.
use model::clock::{Mono, Now};
use model::update::{SelfCall, SelfCallPart};
use std::time::Duration;

/// Longest self-call: the prompt, the tone and the keys take about five seconds.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Frequency of the tone that is listened for, Hz.
pub const TONE_HZ: u16 = 440;
/// How long it sounds, ms.
pub const TONE_MS: u32 = 1000;
/// Shortest recording that can hold the tone, ms.
const RECORDED_MIN_MS: u32 = 900;

/// Which end of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The one that calls, plays and presses a key.
    Caller,
    /// The one that answers, records and presses another key.
    Callee,
}

/// What happens to the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The callee answered, and both know where the other's sound is.
    Answered,
    /// The caller's prompt and tone were played to their end.
    Played,
    /// This end heard the key of the other.
    Digit(End),
    /// The recording is closed, with this much sound, ms.
    Recorded(u32),
    /// This end's dialog is over.
    Ended(End),
    /// It did not come about.
    Refused(String),
    /// The time is over.
    Late,
}

/// What the engine is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Record at the callee, play at the caller.
    Play,
    /// Press a key at each end.
    Press,
    /// End the recording.
    StopRecord,
    /// The caller hangs up.
    HangUp,
    /// It is over.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Calling,
    Playing,
    /// Which ends have heard the other's key.
    Pressing {
        caller: bool,
        callee: bool,
    },
    Closing,
    Parting,
    Over,
}

/// One call of the box to itself.
#[derive(Debug)]
pub struct Canary {
    stage: Stage,
    started: Mono,
    failed: Option<(SelfCallPart, String)>,
}

impl Canary {
    /// The INVITE is under way.
    #[must_use]
    pub fn new(now: Now) -> Canary {
        Canary { stage: Stage::Calling, started: now.mono, failed: None }
    }

    /// Something happened; what to do about it.
    pub fn hears(&mut self, heard: Heard) -> Option<Act> {
        let (stage, act) = match (self.stage, heard) {
            (Stage::Calling, Heard::Answered) => (Stage::Playing, Act::Play),
            (Stage::Playing, Heard::Played) => (Stage::Pressing { caller: false, callee: false }, Act::Press),
            (Stage::Pressing { caller, callee }, Heard::Digit(end)) => {
                let (caller, callee) = (caller || end == End::Caller, callee || end == End::Callee);
                if !(caller && callee) {
                    self.stage = Stage::Pressing { caller, callee };
                    return None;
                }
                (Stage::Closing, Act::StopRecord)
            }
            (Stage::Closing, Heard::Recorded(ms)) if ms >= RECORDED_MIN_MS => (Stage::Parting, Act::HangUp),
            (Stage::Parting, Heard::Ended(End::Callee)) => (Stage::Over, Act::Done),
            (Stage::Over, _) | (_, Heard::Digit(_)) | (Stage::Parting, Heard::Ended(End::Caller)) => {
                return None;
            }
            (stage, heard) => {
                self.failed = Some((part(stage), format!("{heard:?} while {stage:?}")));
                (Stage::Over, Act::Done)
            }
        };
        self.stage = stage;
        Some(act)
    }

    /// What became of it.
    #[must_use]
    pub fn result(&self, now: Now, recording: String) -> SelfCall {
        let ms = u32::try_from(now.mono.since(self.started).as_millis()).unwrap_or(u32::MAX);
        let (failed, detail) = match &self.failed {
            Some((part, detail)) => (Some(*part), detail.clone()),
            None => (None, String::new()),
        };
        SelfCall { at: now.wall, ms, failed, detail, recording }
    }
}

/// What is being tried in a stage.
fn part(stage: Stage) -> SelfCallPart {
    match stage {
        Stage::Calling | Stage::Parting | Stage::Over => SelfCallPart::Signalling,
        Stage::Playing => SelfCallPart::Prompt,
        Stage::Pressing { .. } => SelfCallPart::Media,
        Stage::Closing => SelfCallPart::Recording,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;

    fn now(ms: u64) -> Now {
        Now { mono: Mono(ms * 1000), wall: Wall(0) }
    }

    const GOOD: [Heard; 6] = [
        Heard::Answered,
        Heard::Played,
        Heard::Digit(End::Callee),
        Heard::Digit(End::Caller),
        Heard::Recorded(2000),
        Heard::Ended(End::Callee),
    ];

    #[test]
    fn a_call_that_goes_through_every_part_passes() {
        let mut canary = Canary::new(now(0));
        let acts: Vec<_> = GOOD.into_iter().filter_map(|heard| canary.hears(heard)).collect();
        assert_eq!(acts, [Act::Play, Act::Press, Act::StopRecord, Act::HangUp, Act::Done]);
        let result = canary.result(now(4000), String::new());
        assert_eq!((result.failed, result.ms), (None, 4000));
    }

    #[test]
    fn the_part_that_does_not_answer_is_named() {
        let parts = [
            SelfCallPart::Signalling,
            SelfCallPart::Prompt,
            SelfCallPart::Media,
            SelfCallPart::Media,
            SelfCallPart::Recording,
            SelfCallPart::Signalling,
        ];
        for (after, part) in parts.into_iter().enumerate() {
            let mut canary = Canary::new(now(0));
            for heard in GOOD.into_iter().take(after) {
                canary.hears(heard);
            }
            assert_eq!(canary.hears(Heard::Late), Some(Act::Done));
            assert_eq!(
                canary.result(now(1), String::new()).failed,
                Some(part),
                "silence after {after} steps"
            );
        }
    }

    #[test]
    fn an_empty_recording_or_an_early_end_is_a_failure() {
        let fails = |after: usize, heard: Heard| {
            let mut canary = Canary::new(now(0));
            for heard in GOOD.into_iter().take(after) {
                canary.hears(heard);
            }
            (canary.hears(heard), canary.result(now(1), String::new()).failed)
        };
        assert_eq!(fails(4, Heard::Recorded(0)), (Some(Act::Done), Some(SelfCallPart::Recording)));
        assert_eq!(fails(1, Heard::Ended(End::Callee)), (Some(Act::Done), Some(SelfCallPart::Prompt)));
        assert_eq!(fails(0, Heard::Refused("503".into())), (Some(Act::Done), Some(SelfCallPart::Signalling)));
    }
}
