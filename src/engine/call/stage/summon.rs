//! Click to call: the phone that shall become the caller rings first. Leaves by: answered → the dialled number is routed as if
//! that phone had dialled it · refused, nobody, time over → Clearing.
use super::super::fork::{Fork, Rung, refusal};
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, ringing};
use crate::intent::Intent;
use crate::route::Target;
use crate::timers::CallTimer;
use model::record::Outcome;
use std::time::Duration;

/// A person who clicked sits at the phone.
const RING: Duration = Duration::from_secs(30);

/// A phone that rings to become the caller.
#[derive(Debug)]
pub struct Summon {
    fork: Fork,
    to: Target,
}

/// Rings the caller's own phones, then goes to `to`.
#[must_use]
pub fn enter(core: &mut Core, to: Target, cx: &Cx, out: &mut Out) -> Stage {
    let Some(number) = core.caller.extension().cloned() else {
        return core.finish(Outcome::Failed, "nobody to call", out);
    };
    match Fork::extension_as(core, &core.called, &number, cx, out) {
        Err(why) => core.finish(Outcome::Failed, ringing::cause(why), out),
        Ok(fork) => {
            out.wait(cx.now, CallTimer::NoAnswer, RING);
            Stage::Summon(Box::new(Summon { fork, to }))
        }
    }
}

impl Summon {
    /// Whose phone.
    #[must_use]
    pub fn with(&self) -> String {
        String::new()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Leg(leg, event) => match self.fork.heard(leg, event, out) {
                Rung::Still | Rung::Ringing(..) => Stage::Summon(self),
                Rung::Answered(a) => {
                    out.want(Intent::NoWait(CallTimer::NoAnswer));
                    core.a = *a;
                    core.go(self.to, cx, out)
                }
                Rung::Nobody(code) => core.finish(Outcome::Failed, ringing::cause(refusal(code)), out),
            },
            Heard::Timer(CallTimer::NoAnswer) => {
                self.fork.cancel(out);
                core.finish(Outcome::NoAnswer, "own phone not answered", out)
            }
            Heard::CallerGone
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
            | Heard::Answered(..) => Stage::Summon(self),
        }
    }
}
