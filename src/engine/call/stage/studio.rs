//! Somebody at a phone records a prompt of the site: speak after the tone, hear it, keep it or speak again. Leaves by: kept,
//! not kept, no answer of the caller → GoodBye · caller gone → Clearing. What is in force until then stays in force: each
//! take is a file of its own, and only what is kept becomes part of the configuration, by the shell (`Ask::Prompt`).
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, caller_gone, goodbye};
use crate::intent::{Chapter, Intent};
use crate::route::NewPrompt;
use crate::timers::CallTimer;
use crate::voicemail::{SHORTEST_MS, SILENCE_MS};
use model::ask::{Answer, Ask};
use model::id::{PlayId, RecordingId, SessionId};
use model::media::{Digit, MediaCommand, PlayEnd, RecordEnd, Sound};
use model::record::Outcome;
use std::time::Duration;

/// Longest prompt, seconds: longer ones nobody listens to.
const LONGEST_S: u32 = 120;
/// Silence after the question before it is asked again.
const PAUSE: Duration = Duration::from_secs(6);
/// How often a silent caller is asked, and how often a take may fail.
const TRIES: u8 = 3;
/// The disk and the configuration have answered by then.
const KEEPING: Duration = Duration::from_secs(20);
/// The number of the one question.
const KEPT: u32 = 1;

/// Somebody who records.
#[derive(Debug)]
pub struct Studio {
    session: SessionId,
    wanted: NewPrompt,
    take: String,
    takes: u32,
    tries: u8,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Says what to do, then the tone.
    Telling(PlayId),
    /// Records.
    Speaking(RecordingId),
    /// Plays the take and asks what to do with it.
    Asking(PlayId),
    /// Waits for a key.
    Waiting,
    /// Waits until it is part of the configuration.
    Keeping,
}

/// Begins with the first take.
pub fn enter(core: &mut Core, wanted: NewPrompt, cx: &Cx, out: &mut Out) -> Stage {
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    out.want(Intent::Tell(Chapter::Service));
    tell(core, session, wanted, 1, 0, &[], out)
}

/// Says what to do before a take.
fn tell(
    core: &Core,
    session: SessionId,
    wanted: NewPrompt,
    takes: u32,
    tries: u8,
    before: &[&str],
    out: &mut Out,
) -> Stage {
    let mut sounds = core.said(before);
    sounds.extend(core.said(&["prompt-record"]));
    sounds.push(Sound::Tone { hz: 1_000, hz2: 0, on_ms: 250, off_ms: 50, times: 1 });
    let phase = Phase::Telling(out.play(session, sounds, false, false));
    let take = format!("takes/{}-{takes}.wav", core.id);
    Stage::Studio(Box::new(Studio { session, wanted, take, takes, tries, phase }))
}

impl Studio {
    /// Which prompt.
    #[must_use]
    pub fn with(&self) -> String {
        self.wanted.name.clone()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match (input, &self.phase) {
            (Heard::PlayDone(_, done, PlayEnd::Finished), Phase::Telling(play)) if done == *play => {
                self.record(out)
            }
            (Heard::RecordDone(done, end, ms), Phase::Speaking(recording)) if done == *recording => {
                self.recorded(core, end, ms, out)
            }
            (Heard::PlayDone(_, done, PlayEnd::Finished), Phase::Asking(play)) if done == *play => {
                out.wait(cx.now, CallTimer::Mailbox, PAUSE);
                self.phase = Phase::Waiting;
                Stage::Studio(self)
            }
            (Heard::Digit(session, digit), Phase::Asking(_) | Phase::Waiting) if session == self.session => {
                self.pressed(core, cx, digit, out)
            }
            (Heard::Timer(CallTimer::Mailbox), Phase::Waiting) => self.silent(core, out),
            (Heard::Answered(KEPT, answer), Phase::Keeping) => self.kept(core, &answer, out),
            (Heard::Timer(CallTimer::Mailbox), Phase::Keeping) => {
                self.bye(core, "prompt-not-saved", "prompt not kept in time", out)
            }
            (Heard::CallerGone, phase) => {
                if let Phase::Speaking(recording) = phase {
                    out.media(MediaCommand::StopRecord { recording: *recording });
                }
                out.want(Intent::NoWait(CallTimer::Mailbox));
                caller_gone(core, Outcome::Answered, out)
            }
            (
                Heard::Leg(..)
                | Heard::Speech(..)
                | Heard::Answered(..)
                | Heard::Digit(..)
                | Heard::PlayDone(..)
                | Heard::RecordDone(..)
                | Heard::Silent(..)
                | Heard::Timer(_)
                | Heard::Acd(_)
                | Heard::CodeDone(_)
                | Heard::Stored
                | Heard::RecordSwitch(_)
                | Heard::RecordPause(_),
                _,
            ) => Stage::Studio(self),
        }
    }

    fn record(mut self: Box<Self>, out: &mut Out) -> Stage {
        let recording = out.ids.recording();
        out.step("prompt", format!("{}: speak", self.wanted.name));
        out.media(MediaCommand::Record {
            recording,
            left: self.session,
            right: None,
            path: self.take.clone(),
            max_s: LONGEST_S,
            silence_ms: SILENCE_MS,
            until_digit: true,
        });
        self.phase = Phase::Speaking(recording);
        Stage::Studio(self)
    }

    fn recorded(mut self: Box<Self>, core: &Core, end: RecordEnd, ms: u32, out: &mut Out) -> Stage {
        let spoken = if end == RecordEnd::Silence { ms.saturating_sub(SILENCE_MS) } else { ms };
        if spoken >= SHORTEST_MS {
            out.step("prompt", format!("{}: recorded", self.wanted.name));
            return self.ask(core, true, out);
        }
        self.tries += 1;
        if self.tries >= TRIES {
            return self.bye(core, "prompt-not-saved", "nothing was said", out);
        }
        self.again(core, &["prompt-too-short"], out)
    }

    /// One more take.
    fn again(self, core: &Core, before: &[&str], out: &mut Out) -> Stage {
        tell(core, self.session, self.wanted, self.takes.saturating_add(1), self.tries, before, out)
    }

    fn ask(mut self: Box<Self>, core: &Core, with_take: bool, out: &mut Out) -> Stage {
        let mut sounds = Vec::new();
        if with_take {
            sounds.extend([Sound::File(self.take.clone()), Sound::Silence(400)]);
        }
        sounds.extend(core.said(&["prompt-menu"]));
        self.phase = Phase::Asking(out.play(self.session, sounds, false, true));
        Stage::Studio(self)
    }

    fn pressed(mut self: Box<Self>, core: &Core, cx: &Cx, digit: Digit, out: &mut Out) -> Stage {
        out.want(Intent::NoWait(CallTimer::Mailbox));
        self.tries = 0;
        match digit.as_char() {
            '1' => {
                out.media(MediaCommand::StopPlay { session: self.session });
                out.wait(cx.now, CallTimer::Mailbox, KEEPING);
                out.want(Intent::Ask(KEPT, self.wanted.ask(self.take.clone())));
                self.phase = Phase::Keeping;
                Stage::Studio(self)
            }
            '2' => self.again(core, &[], out),
            '3' => self.ask(core, true, out),
            '#' => self.bye(core, "prompt-not-saved", "prompt not kept", out),
            _ => self.ask(core, false, out),
        }
    }

    fn silent(mut self: Box<Self>, core: &Core, out: &mut Out) -> Stage {
        self.tries += 1;
        match self.tries < TRIES {
            true => self.ask(core, false, out),
            false => self.bye(core, "prompt-not-saved", "prompt not kept", out),
        }
    }

    fn kept(self: Box<Self>, core: &Core, answer: &Answer, out: &mut Out) -> Stage {
        match answer {
            Answer::Sound(_) => {
                out.step("prompt", format!("{}: kept", self.wanted.name));
                self.bye(core, "prompt-saved", "prompt kept", out)
            }
            Answer::Failed(why) => {
                out.step("prompt", format!("{}: {why}", self.wanted.name));
                self.bye(core, "prompt-not-saved", "prompt not kept", out)
            }
            Answer::Fields(_) | Answer::Verb(_) => Stage::Studio(self),
        }
    }

    fn bye(&self, core: &Core, name: &str, cause: &str, out: &mut Out) -> Stage {
        out.want(Intent::NoWait(CallTimer::Mailbox));
        goodbye::enter(self.session, core.said(&[name, "goodbye"]), Outcome::Answered, cause, out)
    }
}

impl NewPrompt {
    /// Makes this take the site's prompt.
    fn ask(&self, take: String) -> Ask {
        Ask::Prompt { take, name: self.name.clone(), language: self.language, by: self.by.clone() }
    }
}
