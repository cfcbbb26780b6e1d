//! Somebody logs in at this phone with number and PIN, or out again (hot desking). Leaves by: logged in or out and on disk,
//! wrong PIN three times, phone that takes no guests → GoodBye · caller gone → Clearing. Never moves anybody itself: the
//! engine does, and answers when it stands on disk.
use super::super::{Core, Cx, Heard, Out};
use super::typing::Typing;
use super::{Stage, caller_gone};
use crate::intent::{Chapter, Intent};
use crate::timers::CallTimer;
use crate::voicemail::mailbox::Pin;
use model::config::extension::HotDesk;
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use std::time::Duration;

/// A disk that takes longer has failed, and told so.
const DISK: Duration = Duration::from_secs(10);

/// Somebody at a phone who wants to be reached there.
#[derive(Debug)]
pub struct Desk {
    typing: Typing,
    phone: Number,
    person: Option<Number>,
    /// What is said once it is on disk.
    done: Option<&'static str>,
}

/// Begins. `person`: the number that was dialled behind the code. Without one, a guest logs out.
pub fn enter(core: &mut Core, person: Option<Number>, cx: &Cx, out: &mut Out) -> Stage {
    let Some(phone) = core.desk.clone() else {
        return core.refuse(Refusal::Forbidden, "no phone to log in at", out);
    };
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    out.want(Intent::Tell(Chapter::Service));
    let guest = cx.phones.seats.guest(&phone).is_some();
    let closed = core.config.extension.get(&phone).is_none_or(|e| e.hot_desk == HotDesk::No);
    let mut desk = Desk { typing: Typing::new(session), phone, person, done: None };
    if closed && desk.person.get_or_insert_with(|| desk.phone.clone()) != &desk.phone {
        return desk.typing.bye(core, &["desk-not-here", "goodbye"], "the phone takes no guests", out);
    }
    match desk.person {
        None if guest => desk.moves(cx, None, "desk-logged-out", out),
        None => desk.ask(core, cx, &["vm-enter-extension"], out),
        Some(_) => desk.ask(core, cx, &["vm-enter-pin"], out),
    }
}

impl Desk {
    /// At which phone.
    #[must_use]
    pub fn with(&self) -> String {
        self.phone.to_string()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Digit(session, digit) if self.typing.is_of(session) && self.done.is_none() => {
                match self.typing.key(cx, digit, out) {
                    true => self.given(core, cx, out),
                    false => Stage::Desk(self),
                }
            }
            Heard::Timer(CallTimer::Mailbox) if self.done.is_some() => {
                self.typing.bye(core, &["goodbye"], "the disk did not take it in time", out)
            }
            Heard::Timer(CallTimer::Mailbox) => self.given(core, cx, out),
            Heard::Stored => match self.done {
                Some(prompt) => self.typing.bye(core, &[prompt], "code done", out),
                None => Stage::Desk(self),
            },
            Heard::CodeDone(prompt) => self.typing.bye(core, &[prompt, "goodbye"], "not possible now", out),
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
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_) => Stage::Desk(self),
        }
    }

    /// A number or a PIN is complete.
    fn given(mut self, core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
        let keys = self.typing.take();
        let Some(person) = self.person.clone() else {
            // Whether the number exists is not told before a PIN was asked for.
            self.person = Number::read(&keys);
            return match self.person {
                Some(_) => self.ask(core, cx, &["vm-enter-pin"], out),
                None => self.again(core, cx, &["vm-enter-extension"], "no number given", out),
            };
        };
        if keys.is_empty() {
            return self.again(core, cx, &["vm-enter-pin"], "no PIN given", out);
        }
        match out.pin(cx.now, &core.config, &person, &keys) {
            Pin::Right => self.moves(cx, Some(person), "desk-logged-in", out),
            Pin::Wrong => self.again(core, cx, &["vm-pin-wrong", "vm-enter-pin"], "wrong PIN", out),
            Pin::Locked => self.typing.bye(core, &["vm-locked", "goodbye"], "wrong PIN", out),
        }
    }

    fn moves(mut self, cx: &Cx, person: Option<Number>, done: &'static str, out: &mut Out) -> Stage {
        self.done = Some(done);
        out.wait(cx.now, CallTimer::Mailbox, DISK);
        out.want(Intent::Sit { phone: self.phone.clone(), person });
        Stage::Desk(self)
    }

    fn again(mut self, core: &Core, cx: &Cx, prompts: &[&str], cause: &str, out: &mut Out) -> Stage {
        self.typing.again(core, cx, prompts, cause, out).unwrap_or(Stage::Desk(self))
    }

    fn ask(self, core: &Core, cx: &Cx, prompts: &[&str], out: &mut Out) -> Stage {
        self.typing.ask(core, cx, prompts, out);
        Stage::Desk(self)
    }
}
