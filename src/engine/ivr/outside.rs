//! Steps of a flow that depend on others: a question to a service or to the voice, the time after an agent, the survey.
//! Part of [`Run`]; a service that is slow or broken never holds a caller longer than its time-out.
use super::{Input, Out, Phase, Run};
use model::ask::{Answer, Ask, VOICE_MS};
use model::config::flow::Step;
use model::media::Sound;
use model::number::Number;
use std::time::Duration;

impl Run {
    /// Asks outside. Leaves by: answer, or the time is over → [`Run::asking`].
    pub(super) fn ask(&mut self, ask: Ask, patience_ms: u32, out: &mut Vec<Out>) {
        let number = self.question(ask, patience_ms, out);
        self.phase = Phase::Asking { number };
    }

    /// Puts a question and waits so long for its answer; its number.
    fn question(&mut self, ask: Ask, patience_ms: u32, out: &mut Vec<Out>) -> u32 {
        self.asked = self.asked.wrapping_add(1);
        out.push(Out::Ask(self.asked, ask));
        out.push(Out::Timer(Duration::from_millis(patience_ms.into())));
        self.asked
    }

    /// Has the voice speak a text: the number of the question; none on a box without a voice.
    pub(super) fn ask_voice(&mut self, text: String, out: &mut Vec<Out>) -> Option<u32> {
        let voice = self.config.audio.voice.clone()?;
        let ask = Ask::Speak { text, language: self.language, voice };
        Some(self.question(ask, VOICE_MS, out))
    }

    /// Has a text spoken; without a voice, what was recorded is said at once.
    pub(super) fn speak(&mut self, step: &Step, text: String, out: &mut Vec<Out>) {
        let Step::Speak { say, next, .. } = step else { return };
        match self.ask_voice(text, out) {
            Some(number) => self.phase = Phase::Asking { number },
            None => {
                self.say(say, false, out);
                self.phase = Phase::Playing { next: next.clone() };
            }
        }
    }

    /// Waits for an answer. Leaves by: a good one → `next` (or it is said first) · a bad one or none in time →
    /// `otherwise` (or what was recorded is said).
    pub(super) fn asking(
        &mut self,
        step: &Step,
        number: u32,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let answer = match input {
            Input::Answered(to, answer) if to == number => answer,
            Input::Timer => Answer::Failed("no answer in time".into()),
            Input::Alone
            | Input::Answered(..)
            | Input::Digit(_)
            | Input::Played
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..) => {
                self.phase = Phase::Asking { number };
                return;
            }
        };
        out.push(Out::NoTimer);
        match step {
            Step::Lookup { next, otherwise, .. } => {
                let next = if self.looked_up(answer, out) { next } else { otherwise };
                self.go_to(next.clone(), here, out);
            }
            Step::Speak { say, next, .. } => {
                let next = next.clone();
                match voiced(answer, out) {
                    Some(path) => {
                        out.push(Out::Trace { kind: "speak", detail: "spoken".into() });
                        out.push(Out::Play { sounds: vec![Sound::File(path)], barge_in: false });
                    }
                    None => self.say(say, false, out),
                }
                self.phase = Phase::Playing { next };
            }
            Step::Application { .. }
            | Step::Callback { .. }
            | Step::Collect { .. }
            | Step::Condition { .. }
            | Step::Extension { .. }
            | Step::HangUp { .. }
            | Step::Hours { .. }
            | Step::Language { .. }
            | Step::Menu { .. }
            | Step::Play { .. }
            | Step::Queue { .. }
            | Step::Set { .. }
            | Step::Survey { .. }
            | Step::Table { .. }
            | Step::Voicemail { .. } => {}
        }
    }

    /// Takes the fields of an answer; whether there were any to take.
    fn looked_up(&mut self, answer: Answer, out: &mut Vec<Out>) -> bool {
        let (good, detail) = match answer {
            Answer::Fields(fields) => {
                for (name, value) in &fields {
                    self.set(name, value, out);
                }
                (true, format!("{} fields", fields.len()))
            }
            Answer::Failed(why) => (false, why),
            Answer::Sound(_) | Answer::Verb(_) => (false, "that is no answer".into()),
        };
        out.push(Out::Trace { kind: "lookup", detail });
        good
    }

    /// Asks that the caller be called back; the next step when it is plain that nobody can be.
    pub(super) fn call_back(
        &mut self,
        queue: &str,
        field: &str,
        next: &str,
        otherwise: &str,
        out: &mut Vec<Out>,
    ) -> Option<String> {
        let Some(number) = self.field.get(field).and_then(|text| Number::read(text)) else {
            out.push(Out::Trace { kind: "flow", detail: "nobody to call back".into() });
            return Some(otherwise.to_owned());
        };
        self.phase = Phase::Promising { next: next.to_owned(), otherwise: otherwise.to_owned() };
        out.push(Out::NoTimer);
        out.push(Out::CallBack { queue: queue.to_owned(), number });
        None
    }

    /// Waits for the promise. Leaves by: given → `next` · not → `otherwise`.
    pub(super) fn promising(
        &mut self,
        next: String,
        otherwise: String,
        input: &Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        match input {
            Input::Promised(given) => self.go_to(if *given { next } else { otherwise }, here, out),
            Input::Alone
            | Input::Answered(..)
            | Input::Digit(_)
            | Input::Played
            | Input::Refused(_)
            | Input::Speech(..)
            | Input::Timer => {
                self.phase = Phase::Promising { next, otherwise };
            }
        }
    }

    /// The caller talks to an agent. Leaves by: the agent hung up → the step for that.
    pub(super) fn served(
        &mut self,
        next: String,
        input: &Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        match input {
            Input::Alone => {
                self.idle_steps = 0;
                self.go_to(next, here, out);
            }
            Input::Answered(..)
            | Input::Digit(_)
            | Input::Played
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..)
            | Input::Timer => {
                self.phase = Phase::Served { next };
            }
        }
    }

    /// Says a survey (again). Leaves by: a digit from 1 to 5 → `next` · retries used up → `otherwise`.
    pub(super) fn ask_score(&mut self, step: &Step, tries: u32, out: &mut Vec<Out>) {
        if let Step::Survey { say, .. } = step {
            self.say(say, true, out);
            self.phase = Phase::Scoring { tries };
        }
    }

    pub(super) fn scoring(
        &mut self,
        step: &Step,
        tries: u32,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Survey { timeout_s, retries, next, otherwise, .. } = step else { return };
        self.phase = Phase::Scoring { tries };
        let again = tries < *retries;
        match input {
            Input::Digit(digit) => match digit.as_char().to_digit(10).and_then(|d| u8::try_from(d).ok()) {
                Some(score @ 1..=5) => {
                    out.push(Out::Score(score));
                    self.go_to(next.clone(), here, out);
                }
                _ if again => self.ask_score(step, tries + 1, out),
                _ => self.go_to(otherwise.clone(), here, out),
            },
            Input::Played => out.push(Out::Timer(Duration::from_secs((*timeout_s).into()))),
            Input::Timer if again => self.ask_score(step, tries + 1, out),
            Input::Timer => self.go_to(otherwise.clone(), here, out),
            Input::Alone
            | Input::Answered(..)
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..) => {}
        }
    }
}

/// The file with what the voice has spoken; none, and the journey says why, when it has not.
pub(super) fn voiced(answer: Answer, out: &mut Vec<Out>) -> Option<String> {
    match answer {
        Answer::Sound(path) => Some(path),
        Answer::Failed(why) => {
            out.push(Out::Trace { kind: "speak", detail: format!("recorded prompt: {why}") });
            None
        }
        Answer::Fields(_) | Answer::Verb(_) => None,
    }
}
