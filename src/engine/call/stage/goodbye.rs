//! A last prompt for a caller who was answered, then the end. Leaves by: heard, or too long, or caller gone → Clearing.
use super::super::{Core, Heard, Out, bridge};
use super::Stage;
use model::id::{PlayId, SessionId};
use model::media::Sound;
use model::record::Outcome;

/// The last prompt.
#[derive(Debug)]
pub struct GoodBye {
    play: PlayId,
    outcome: Outcome,
    cause: String,
}

/// Says it.
pub fn enter(session: SessionId, sounds: Vec<Sound>, outcome: Outcome, cause: &str, out: &mut Out) -> Stage {
    let play = out.play(session, sounds, false, false);
    Stage::GoodBye(GoodBye { play, outcome, cause: cause.to_owned() })
}

impl GoodBye {
    /// How the call has ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Takes one input.
    #[must_use]
    pub fn step(self, core: &mut Core, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::PlayDone(_, play, _) if play == self.play => core.finish(self.outcome, &self.cause, out),
            Heard::CallerGone => {
                let cause = if self.cause.is_empty() { bridge::CALLER_HUNG_UP } else { self.cause.as_str() };
                core.finish(self.outcome, cause, out)
            }
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
            | Heard::Answered(..) => Stage::GoodBye(self),
        }
    }
}
