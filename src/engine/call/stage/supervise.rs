//! A supervisor dialled the code and an extension: the PIN of the own mailbox is asked for, then the phone goes on in the call
//! that it wants to hear. Leaves by: right PIN and a call there → that call (the engine moves the leg) · wrong PIN three times,
//! no right, no call → GoodBye · caller gone → Clearing.
use super::super::{Core, Cx, Heard, Out};
use super::typing::Typing;
use super::{Stage, caller_gone};
use crate::intent::{Chapter, Intent};
use crate::timers::CallTimer;
use crate::voicemail::mailbox::Pin;
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;

/// A supervisor at the door.
#[derive(Debug)]
pub struct Supervise {
    typing: Typing,
    own: Number,
    watched: Number,
}

/// Asks for the PIN, if the extension may supervise at all.
pub fn enter(core: &mut Core, watched: Number, cx: &Cx, out: &mut Out) -> Stage {
    let own = core.caller.extension().cloned();
    let right = own.as_ref().and_then(|n| core.config.extension.get(n));
    let may = right.is_some_and(|e| e.supervisor && e.voicemail.is_some());
    let (Some(own), true) = (own, may) else {
        return core.refuse(Refusal::Forbidden, "no right to supervise", out);
    };
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    out.want(Intent::Tell(Chapter::Service));
    let supervise = Supervise { typing: Typing::new(session), own, watched };
    supervise.typing.ask(core, cx, &["vm-enter-pin"], out);
    Stage::Supervise(supervise)
}

impl Supervise {
    /// Whom it wants to hear.
    #[must_use]
    pub fn with(&self) -> String {
        self.watched.to_string()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Digit(session, digit) if self.typing.is_of(session) => {
                match self.typing.key(cx, digit, out) {
                    true => self.given(core, cx, out),
                    false => Stage::Supervise(self),
                }
            }
            Heard::Timer(CallTimer::Mailbox) => self.given(core, cx, out),
            Heard::CodeDone(prompt) => self.typing.bye(core, &[prompt, "goodbye"], "no call to hear", out),
            Heard::CallerGone => caller_gone(core, Outcome::Answered, out),
            Heard::Leg(..)
            | Heard::Speech(..)
            | Heard::Answered(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_) => Stage::Supervise(self),
        }
    }

    fn given(mut self, core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
        let keys = self.typing.take();
        if keys.is_empty() {
            // Nothing was tried: the mailbox does not count it.
            return self.again(core, cx, &["vm-enter-pin"], "no PIN given", out);
        }
        match out.pin(cx.now, &core.config, &self.own, &keys) {
            Pin::Right => {
                out.want(Intent::NoWait(CallTimer::Mailbox));
                out.want(Intent::Watch(self.watched.clone()));
                Stage::Supervise(self)
            }
            Pin::Wrong => self.again(core, cx, &["vm-pin-wrong", "vm-enter-pin"], "wrong PIN", out),
            Pin::Locked => self.typing.bye(core, &["vm-pin-wrong", "goodbye"], "wrong PIN", out),
        }
    }

    fn again(mut self, core: &Core, cx: &Cx, prompts: &[&str], cause: &str, out: &mut Out) -> Stage {
        self.typing.again(core, cx, prompts, cause, out).unwrap_or(Stage::Supervise(self))
    }
}
