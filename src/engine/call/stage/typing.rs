//! What a caller types when asked for a number or a PIN: keys up to `#` or a pause, asked again a few times, then the end of the
//! call. Knows nothing of what is typed; the stage that asks looks at it.
use super::super::{Core, Cx, Out};
use super::{Stage, goodbye};
use crate::intent::Intent;
use crate::timers::CallTimer;
use model::id::SessionId;
use model::media::Digit;
use model::record::Outcome;
use std::time::Duration;

/// Pause after the last key that ends a number or a PIN.
const KEY_PAUSE: Duration = Duration::from_secs(4);

/// How long a caller who presses nothing is waited for: the question lasts some seconds.
const SILENCE: Duration = Duration::from_secs(12);

/// Wrong or missing answers in one call; the mailbox whose PIN it is locks by its own count.
const TRIES: u8 = 3;

/// Longest number or PIN; further keys mean nothing.
const KEYS_MAX: usize = 12;

/// One caller at the keys.
#[derive(Debug)]
pub struct Typing {
    session: SessionId,
    keys: String,
    wrong: u8,
}

impl Typing {
    /// Nothing typed yet.
    #[must_use]
    pub fn new(session: SessionId) -> Typing {
        Typing { session, keys: String::new(), wrong: 0 }
    }

    /// Whose keys count.
    #[must_use]
    pub fn is_of(&self, session: SessionId) -> bool {
        self.session == session
    }

    /// Asks for it; what comes is taken when a `#` or the pause says that it is complete.
    pub fn ask(&self, core: &Core, cx: &Cx, prompts: &[&str], out: &mut Out) {
        out.play(self.session, core.said(prompts), false, true);
        out.wait(cx.now, CallTimer::Mailbox, SILENCE);
    }

    /// A key; whether it was the last one.
    pub fn key(&mut self, cx: &Cx, digit: Digit, out: &mut Out) -> bool {
        match digit.as_char() {
            '#' => true,
            key => {
                if self.keys.len() < KEYS_MAX {
                    self.keys.push(key);
                }
                out.wait(cx.now, CallTimer::Mailbox, KEY_PAUSE);
                false
            }
        }
    }

    /// What was typed; the next is typed anew.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.keys)
    }

    /// It was wrong or missing. Asks again and gives `None`, or ends the call.
    pub fn again(
        &mut self,
        core: &Core,
        cx: &Cx,
        prompts: &[&str],
        cause: &str,
        out: &mut Out,
    ) -> Option<Stage> {
        self.wrong += 1;
        if self.wrong >= TRIES {
            return Some(self.bye(core, &["goodbye"], cause, out));
        }
        self.ask(core, cx, prompts, out);
        None
    }

    /// Says something and ends the call.
    #[must_use]
    pub fn bye(&self, core: &Core, prompts: &[&str], cause: &str, out: &mut Out) -> Stage {
        out.want(Intent::NoWait(CallTimer::Mailbox));
        goodbye::enter(self.session, core.said(prompts), Outcome::Answered, cause, out)
    }
}
