//! A phone rings. Leaves by: answered → Bridged · nobody answers, busy, not registered → what `Back` says: the flow that
//! sent it, or the extension's mailbox, or the end · caller gone → Clearing.
use super::super::fork::{Fork, Rung, refusal};
use super::super::{Core, Cx, Heard, LegEvent, Out};
use super::ivr::Ivr;
use super::{Stage, bridged, caller_gone, mailbox};
use crate::intent::Intent;
use crate::timers::CallTimer;
use model::id::LegId;
use model::media::Sound;
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use std::time::Duration;

/// Ring-back of Europe and China for callers who were answered before: 425 Hz, 1 s on, 4 s off.
pub const RING_BACK: Sound = Sound::Tone { hz: 425, hz2: 0, on_ms: 1000, off_ms: 4000, times: 1000 };

/// Where the call goes when the phone is not answered.
#[derive(Debug)]
pub enum Back {
    /// The extension's mailbox, else the caller is told.
    Caller,
    /// The flow that asked.
    Flow(Box<Ivr>),
}

/// A phone that rings.
#[derive(Debug)]
pub struct Ringing {
    fork: Fork,
    number: Number,
    back: Back,
}

/// Rings an extension.
pub fn enter(core: &mut Core, number: Number, back: Back, cx: &Cx, out: &mut Out) -> Stage {
    let Some(extension) = core.config.extension.get(&number).cloned() else {
        return not_reached(core, &number, back, Refusal::Unknown, cx, out);
    };
    if core.direction != model::record::Direction::Outbound && core.called.number.is_empty() {
        core.called.number = number.to_string();
    }
    match Fork::extension(core, &number, cx, out) {
        Err(refusal) => not_reached(core, &number, back, refusal, cx, out),
        Ok(fork) => {
            out.wait(cx.now, CallTimer::NoAnswer, Duration::from_secs(extension.ring_timeout_s.into()));
            if let Some(session) = core.a.up_session() {
                out.play(session, vec![RING_BACK], true, false);
            }
            Stage::Ringing(Box::new(Ringing { fork, number, back }))
        }
    }
}

/// Phones that ring already, for somebody who left before they answered.
pub fn resume(core: &mut Core, fork: Fork, number: Number, cx: &Cx, out: &mut Out) -> Stage {
    let seconds = core.config.extension.get(&number).map_or(30, |e| e.ring_timeout_s);
    out.wait(cx.now, CallTimer::NoAnswer, Duration::from_secs(seconds.into()));
    if let Some(session) = core.a.up_session() {
        out.play(session, vec![RING_BACK], true, false);
    }
    Stage::Ringing(Box::new(Ringing { fork, number, back: Back::Caller }))
}

impl Ringing {
    /// Whose phone.
    #[must_use]
    pub fn with(&self) -> String {
        self.number.to_string()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Leg(leg, event) if self.fork.has(leg) => return self.heard(core, cx, leg, event, out),
            Heard::Timer(CallTimer::NoAnswer) => {
                self.fork.cancel(out);
                let Ringing { number, back, .. } = *self;
                return not_reached(core, &number, back, Refusal::NoAnswer, cx, out);
            }
            Heard::CallerGone => {
                self.fork.cancel(out);
                return caller_gone(core, Outcome::Abandoned, out);
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
            | Heard::Answered(..) => {}
        }
        Stage::Ringing(self)
    }

    fn heard(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        leg: LegId,
        event: LegEvent,
        out: &mut Out,
    ) -> Stage {
        match self.fork.heard(leg, event, out) {
            Rung::Still => Stage::Ringing(self),
            Rung::Ringing(code, _) => {
                if code >= 180 {
                    core.a.ring(out);
                }
                Stage::Ringing(self)
            }
            Rung::Answered(b) => bridged::enter(core, *b, self.number.to_string(), cx, out),
            Rung::Nobody(code) => {
                let Ringing { number, back, .. } = *self;
                not_reached(core, &number, back, refusal(code), cx, out)
            }
        }
    }
}

/// Nobody answered there, for this reason.
fn not_reached(core: &mut Core, number: &Number, back: Back, why: Refusal, cx: &Cx, out: &mut Out) -> Stage {
    out.want(Intent::NoWait(CallTimer::NoAnswer));
    if let Some(session) = core.a.up_session() {
        out.media(model::media::MediaCommand::StopPlay { session });
    }
    match back {
        Back::Flow(ivr) => ivr.refused(core, why, cx, out),
        Back::Caller if has_mailbox(core, number) => mailbox::deposit(core, number.clone(), cx, out),
        Back::Caller => match give_back(core, cx, out) {
            Some(stage) => stage,
            None => core.refuse(why, cause(why), out),
        },
    }
}

/// Whoever handed the call over is rung again, once; `None`: nobody did.
pub fn give_back(core: &mut Core, cx: &Cx, out: &mut Out) -> Option<Stage> {
    let number = core.give_back.take().filter(|_| core.a.up_session().is_some())?;
    out.step("given_back", number.to_string());
    Some(enter(core, number, Back::Caller, cx, out))
}

fn has_mailbox(core: &Core, number: &Number) -> bool {
    core.config.extension.get(number).is_some_and(|e| e.voicemail.is_some())
}

/// A refusal in a few words for the record.
#[must_use]
pub fn cause(why: Refusal) -> &'static str {
    match why {
        Refusal::Busy => "486 Busy Here",
        Refusal::Conflict => "request makes no sense now",
        Refusal::Forbidden => "403 Forbidden",
        Refusal::Unavailable => "no phone registered",
        Refusal::Unknown => "no such number",
        Refusal::Overloaded => "box at its limit",
        Refusal::Malformed => "malformed request",
        Refusal::NoAnswer => "nobody answered",
        Refusal::Declined => "603 Decline",
        Refusal::NotAcceptable => "488 Not Acceptable Here",
    }
}
