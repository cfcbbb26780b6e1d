//! Leaving a message: greeting, beep, recording, and "saved" once it is on disk. `#` ends the recording, `*` throws it away
//! and begins again, silence ends it too; a caller who hangs up has left what was said so far.
//!
//! Ways through: `Greeting` → `Recording` → (`*`: again) → `Saving` → `Saved` → done. From anywhere: caller gone → done, or
//! the recording that ran is kept first. Too short or only silence: nothing is kept.
use super::{Input, Out, SHORTEST_MS, SILENCE_MS, beep, prompt};
use crate::say;
use model::clock::Now;
use model::id::{CallId, MessageId};
use model::media::{Language, RecordEnd, Sound};
use model::number::Number;
use model::record::{MessageRecord, Party, Record};

/// How often a caller may begin again: each try is a file.
pub const TRIES_MAX: u32 = 5;

/// What is known of a message before it is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its key.
    pub message: MessageId,
    /// Whose mailbox.
    pub mailbox: Number,
    /// The call.
    pub call: CallId,
    /// Who speaks.
    pub caller: Party,
    /// Language of prompts.
    pub language: Language,
    /// Own greeting, a file below the data folder.
    pub greeting: Option<String>,
    /// Longest message, seconds.
    pub max_s: u32,
    /// Address that gets a mail.
    pub mail_to: Option<String>,
    /// No further message fits.
    pub full: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    /// `restart`: `*` was pressed, what was said is thrown away.
    Recording {
        restart: bool,
    },
    Saving,
    Leaving,
    Over,
}

/// One caller leaving one message.
#[derive(Clone, Debug)]
pub struct Deposit {
    plan: Plan,
    phase: Phase,
    gone: bool,
    tries: u32,
}

impl Deposit {
    /// Begins: the greeting, or "the mailbox is full".
    #[must_use]
    pub fn start(plan: Plan, out: &mut Vec<Out>) -> Deposit {
        let mut deposit = Deposit { plan, phase: Phase::Greeting, gone: false, tries: 0 };
        out.push(Out::Trace { kind: "voicemail", detail: deposit.plan.mailbox.to_string() });
        if deposit.plan.full {
            deposit.leave("vm-full", out);
        } else {
            out.push(Out::Play { sounds: deposit.greeting(), barge_in: true });
        }
        deposit
    }

    /// Takes what happened.
    pub fn input(&mut self, now: Now, input: Input, out: &mut Vec<Out>) {
        if input == Input::Gone {
            self.gone = true;
        }
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Greeting => self.greeted(input, out),
            Phase::Recording { restart } => self.recording(now, restart, input, out),
            Phase::Saving => self.saving(input, out),
            Phase::Leaving => self.leaving(input, out),
            Phase::Over => {}
        }
    }

    /// Whether it is done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    fn greeting(&self) -> Vec<Sound> {
        let language = self.plan.language;
        let mut sounds = match &self.plan.greeting {
            Some(path) => vec![Sound::File(path.clone())],
            None => {
                let mut names = vec!["vm-greeting".to_owned()];
                names.extend(say::digits(self.plan.mailbox.as_str()));
                names.extend(["vm-not-available".to_owned(), "vm-leave-message".to_owned()]);
                say::sounds(language, names)
            }
        };
        sounds.push(beep());
        sounds
    }

    fn greeted(&mut self, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Played => self.record(out),
            Input::Digit(_) if self.tries == 0 => {
                self.tries = 1;
                self.phase = Phase::Greeting;
                out.push(Out::Play { sounds: vec![beep()], barge_in: false });
            }
            Input::Gone => self.done(out),
            Input::Digit(_) | Input::Recorded { .. } | Input::Stored | Input::Timer => {
                self.phase = Phase::Greeting;
            }
        }
    }

    fn record(&mut self, out: &mut Vec<Out>) {
        self.phase = Phase::Recording { restart: false };
        let (path, max_s) = (self.path(), self.plan.max_s);
        out.push(Out::Record { path, max_s, silence_ms: SILENCE_MS });
    }

    fn path(&self) -> String {
        format!("voicemail/{}/{}.wav", self.plan.mailbox, self.plan.message)
    }

    fn recording(&mut self, now: Now, restart: bool, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Digit(digit) => {
                self.phase = Phase::Recording { restart: digit.as_char() == '*' || restart };
            }
            Input::Recorded { .. } if restart && self.gone => self.done(out),
            Input::Recorded { .. } if restart && self.tries < TRIES_MAX => {
                self.tries += 1;
                self.phase = Phase::Greeting;
                out.push(Out::Play { sounds: vec![beep()], barge_in: false });
            }
            Input::Recorded { end, ms } => self.recorded(now, end, ms, out),
            Input::Gone => {
                self.phase = Phase::Recording { restart };
                out.push(Out::StopRecord);
            }
            Input::Played | Input::Stored | Input::Timer => self.phase = Phase::Recording { restart },
        }
    }

    fn recorded(&mut self, now: Now, end: RecordEnd, ms: u32, out: &mut Vec<Out>) {
        let spoken = if end == RecordEnd::Silence { ms.saturating_sub(SILENCE_MS) } else { ms };
        if end == RecordEnd::Disk && spoken < SHORTEST_MS {
            out.push(Out::Trace { kind: "message", detail: "disk full".into() });
            return self.leave("vm-full", out);
        }
        if spoken < SHORTEST_MS {
            out.push(Out::Trace { kind: "message", detail: "too short".into() });
            return self.leave("vm-too-short", out);
        }
        let plan = &self.plan;
        let record = Record::Message(MessageRecord {
            message: plan.message,
            mailbox: plan.mailbox.clone(),
            call: plan.call,
            caller: plan.caller.clone(),
            at: now.wall,
            ms,
            path: self.path(),
            heard: false,
            mail_to: plan.mail_to.clone(),
        });
        out.push(Out::Keep { record: Box::new(record), receipt: true });
        self.phase = Phase::Saving;
    }

    fn saving(&mut self, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Stored => {
                out.push(Out::Trace { kind: "message", detail: self.plan.message.to_string() });
                self.leave("vm-saved", out);
            }
            Input::Digit(_) | Input::Gone | Input::Played | Input::Recorded { .. } | Input::Timer => {
                self.phase = Phase::Saving;
            }
        }
    }

    /// Says the last word to a caller who is still there.
    fn leave(&mut self, name: &str, out: &mut Vec<Out>) {
        if self.gone {
            return self.done(out);
        }
        self.phase = Phase::Leaving;
        let language = self.plan.language;
        let sounds = vec![prompt(language, name), prompt(language, "goodbye")];
        out.push(Out::Play { sounds, barge_in: false });
    }

    fn leaving(&mut self, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Played | Input::Gone => self.done(out),
            Input::Digit(_) | Input::Recorded { .. } | Input::Stored | Input::Timer => {
                self.phase = Phase::Leaving;
            }
        }
    }

    fn done(&mut self, out: &mut Vec<Out>) {
        self.phase = Phase::Over;
        out.push(Out::Done);
    }
}
