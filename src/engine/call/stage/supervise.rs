//! A supervisor dialled the code and an extension: the PIN of the own mailbox is asked for, then the phone goes on in the call
//! that it wants to hear. Leaves by: right PIN and a call there → that call (the engine moves the leg) · wrong PIN three times,
//! no right, no call → GoodBye · caller gone → Clearing.
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, caller_gone, goodbye};
use crate::intent::{Chapter, Intent};
use crate::timers::CallTimer;
use crate::voicemail::mailbox::Pin;
use model::id::SessionId;
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use std::time::Duration;

/// Pause after the last key that ends a PIN.
const KEY_PAUSE: Duration = Duration::from_secs(4);

/// Wrong PINs in one call; the mailbox locks by its own count.
const TRIES: u8 = 3;

/// Longest PIN; further keys mean nothing.
const KEYS_MAX: usize = 12;

/// A supervisor at the door.
#[derive(Debug)]
pub struct Supervise {
    session: SessionId,
    own: Number,
    watched: Number,
    keys: String,
    wrong: u8,
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
    let supervise = Supervise { session, own, watched, keys: String::new(), wrong: 0 };
    supervise.ask(core, cx, &["vm-enter-pin"], out)
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
            Heard::Digit(session, digit) if session == self.session => match digit.as_char() {
                '#' => self.given(core, cx, out),
                key => {
                    if self.keys.len() < KEYS_MAX {
                        self.keys.push(key);
                    }
                    out.wait(cx.now, CallTimer::Mailbox, KEY_PAUSE);
                    Stage::Supervise(self)
                }
            },
            Heard::Timer(CallTimer::Mailbox) => self.given(core, cx, out),
            Heard::CodeDone(prompt) => self.bye(core, &[prompt, "goodbye"], "no call to hear", out),
            Heard::CallerGone => caller_gone(core, Outcome::Answered, out),
            Heard::Leg(..)
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
        let keys = std::mem::take(&mut self.keys);
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
            Pin::Locked => self.bye(core, &["vm-pin-wrong", "goodbye"], "wrong PIN", out),
        }
    }

    fn again(mut self, core: &Core, cx: &Cx, prompts: &[&str], cause: &str, out: &mut Out) -> Stage {
        self.wrong += 1;
        match self.wrong < TRIES {
            true => self.ask(core, cx, prompts, out),
            false => self.bye(core, &["goodbye"], cause, out),
        }
    }

    fn ask(self, core: &Core, cx: &Cx, prompts: &[&str], out: &mut Out) -> Stage {
        out.play(self.session, core.said(prompts), false, true);
        out.wait(cx.now, CallTimer::Mailbox, KEY_PAUSE * 3);
        Stage::Supervise(self)
    }

    fn bye(self, core: &Core, prompts: &[&str], cause: &str, out: &mut Out) -> Stage {
        out.want(Intent::NoWait(CallTimer::Mailbox));
        goodbye::enter(self.session, core.said(prompts), Outcome::Answered, cause, out)
    }
}
