//! Carries out one flow for one call. A pure interpreter of `model::config::flow`: it is told what the caller did and says
//! what to play, how long to wait and where the call goes. It pins the configuration it began with. It knows neither SIP
//! nor media: the call plays, keeps the timer and drops what belongs to an older play.
//!
//! Ways out: a target (`Out::Go`). After `Go(Extension)` the run waits for [`Input::Refused`] and may go on; after any other
//! target it is over. It always ends: at most [`STEPS_WITHOUT_CALLER`] steps without a caller's input, [`STEPS_MAX`] in all.
pub mod application;
pub mod field;
pub mod outside;
pub mod spoken;
pub mod step;

#[cfg(test)]
mod tests;

use model::ask::{Answer, Ask, FIELD_MAX};
use model::config::Config;
use model::config::flow::{Flow, Step};
use model::media::{Digit, Language, Sound};
use model::number::Number;
use model::refusal::Refusal;
use model::speech::{Hearing, Speech};
use spoken::Ear;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Steps in a row without a digit after which a flow goes in circles.
pub const STEPS_WITHOUT_CALLER: u32 = 200;

/// Steps of one call in all: a machine that presses keys for ever is sent away.
pub const STEPS_MAX: u32 = 2_000;

/// Most fields a call may have: what a person still follows, and a service cannot fill memory.
pub const FIELDS_MAX: usize = 64;

/// What happened to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The agent hung up; the caller is still there.
    Alone,
    /// The answer to the `Out::Ask` of this number.
    Answered(u32, Answer),
    /// The caller pressed a key.
    Digit(Digit),
    /// The last `Out::Play` was heard to its end.
    Played,
    /// Whether the caller of `Out::CallBack` will be called back.
    Promised(bool),
    /// The extension of `Out::Go` did not take the call.
    Refused(Refusal),
    /// The last `Out::Timer` is over.
    Timer,
    /// What the caller said to the `Out::Hear` of this number.
    Speech(u32, Speech),
}

/// What the call is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Play this instead of what is heard now. With `barge_in` a digit cuts it off (and is told as `Input::Digit`).
    Play {
        /// What.
        sounds: Vec<Sound>,
        /// Whether a digit ends it.
        barge_in: bool,
    },
    /// Stop what is played.
    Stop,
    /// Wait this long, then tell `Input::Timer`. Replaces the timer before.
    Timer(Duration),
    /// No timer any more.
    NoTimer,
    /// From here on this language is spoken.
    Language(Language),
    /// A line of the call's journey: kind as in `CallStep::kind`.
    Trace {
        /// `flow`, `step`, `menu`, `digit`, `speech`, `timer`, `collect`, `hours`, `condition`, `set`, `table`, `lookup`, `speak`,
        /// `survey`, `application`.
        kind: &'static str,
        /// Step, digit, schedule.
        detail: String,
    },
    /// Let a recogniser hear the caller's next utterance, and tell `Input::Speech`; `None`: nobody any more.
    Hear(Option<Box<Hearing>>),
    /// Ask this outside and tell `Input::Answered` with the number.
    Ask(u32, Ask),
    /// The caller gave this score.
    Score(u8),
    /// The caller asks to be called back; tell `Input::Promised`.
    CallBack {
        /// By which queue.
        queue: String,
        /// Whom to call.
        number: Number,
    },
    /// The call goes there.
    Go(Target),
}

/// Where a flow sends a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Rings this configured extension; on failure tell `Input::Refused`.
    Extension(Number),
    /// Ends the call.
    HangUp,
    /// Waits in this queue; the run goes on with `Input::Alone` if there is a step for that.
    Queue(String),
    /// Leaves a message in this mailbox, which exists.
    Voicemail(Number),
}

/// What the run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// An application outside leads the call.
    Applying(application::Session),
    /// A collect step: digits so far, and how often it was asked again.
    Collecting { tries: u32 },
    /// A menu: how often it was said again, and how it listens.
    Choosing { tries: u32, ear: Ear },
    /// Somebody outside was asked.
    Asking { number: u32 },
    /// Waits until it is promised to call back.
    Promising { next: String, otherwise: String },
    /// Talks to an agent: the step after that.
    Served { next: String },
    /// A survey: how often it was said again.
    Scoring { tries: u32 },
    /// A play step, then the next one.
    Playing { next: String },
    /// Ringing an extension: the step if that fails.
    Ringing { number: Number, otherwise: Option<String> },
    /// Saying good-bye.
    Leaving,
    /// The call went elsewhere.
    Over,
}

/// Fields of a call by name.
pub type Fields = BTreeMap<String, String>;

/// One flow in progress.
#[derive(Clone, Debug)]
pub struct Run {
    config: Arc<Config>,
    flow: String,
    step: String,
    language: Language,
    field: Fields,
    asked: u32,
    phase: Phase,
    idle_steps: u32,
    steps: u32,
    /// Utterances that were listened for.
    hearings: u32,
    /// The recogniser failed in this call: the rest goes by keys.
    deaf: bool,
}

impl Run {
    /// Begins a flow with these fields at this moment of the site's wall clock (business hours). `None` when there is no flow of this name.
    #[must_use]
    pub fn start(
        config: &Arc<Config>,
        flow: &str,
        language: Language,
        field: Fields,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) -> Option<Run> {
        let first = config.flow.get(flow)?.start.clone();
        let mut run = Run {
            config: config.clone(),
            flow: flow.to_owned(),
            step: String::new(),
            language,
            field,
            asked: 0,
            phase: Phase::Over,
            idle_steps: 0,
            steps: 0,
            hearings: 0,
            deaf: false,
        };
        out.push(Out::Trace { kind: "flow", detail: flow.to_owned() });
        run.go_to(first, here, out);
        Some(run)
    }

    /// Takes what happened.
    pub fn input(&mut self, input: Input, here: jiff::civil::DateTime, out: &mut Vec<Out>) {
        match &input {
            Input::Digit(digit) => {
                self.idle_steps = 0;
                out.push(Out::Trace { kind: "digit", detail: digit.as_char().to_string() });
            }
            Input::Timer if !self.hears() && !matches!(self.phase, Phase::Applying(_)) => {
                out.push(Out::Trace { kind: "timer", detail: self.step.clone() });
            }
            Input::Alone
            | Input::Answered(..)
            | Input::Played
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..)
            | Input::Timer => {}
        }
        let config = self.config.clone();
        let step = config.flow.get(&self.flow).and_then(|f| f.step.get(&self.step));
        match (std::mem::replace(&mut self.phase, Phase::Over), step) {
            (Phase::Applying(session), Some(step)) => self.applying(step, session, input, here, out),
            (Phase::Choosing { tries, ear }, Some(step)) => {
                self.choosing(step, (tries, ear), input, here, out);
            }
            (Phase::Collecting { tries }, Some(step)) => self.collecting(step, tries, input, here, out),
            (Phase::Asking { number }, Some(step)) => self.asking(step, number, input, here, out),
            (Phase::Scoring { tries }, Some(step)) => self.scoring(step, tries, input, here, out),
            (Phase::Promising { next, otherwise }, _) => self.promising(next, otherwise, &input, here, out),
            (Phase::Served { next }, _) => self.served(next, &input, here, out),
            (Phase::Leaving, _) => self.leaving(input, out),
            (Phase::Playing { next }, _) => self.playing(next, input, here, out),
            (Phase::Ringing { number, otherwise }, _) => self.ringing(number, otherwise, input, here, out),
            (Phase::Over, _)
            | (
                Phase::Applying(_)
                | Phase::Asking { .. }
                | Phase::Choosing { .. }
                | Phase::Collecting { .. }
                | Phase::Scoring { .. },
                None,
            ) => {}
        }
    }

    /// The language spoken now.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Name of the step it is in, for the desks.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.step
    }

    /// Whether the flow has handed the call over for good.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether it goes on when the agent hangs up.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self.phase, Phase::Served { .. })
    }

    /// Sets a field; one too many is left out and told.
    fn set(&mut self, name: &str, value: &str, out: &mut Vec<Out>) {
        if self.field.len() >= FIELDS_MAX && !self.field.contains_key(name) {
            return out.push(Out::Trace { kind: "set", detail: format!("{name}: too many fields") });
        }
        self.field.insert(name.to_owned(), value.chars().take(FIELD_MAX).collect());
    }

    fn flow(&self) -> Option<&Flow> {
        self.config.flow.get(&self.flow)
    }

    /// Goes through steps until one waits for something.
    fn go_to(&mut self, first: String, here: jiff::civil::DateTime, out: &mut Vec<Out>) {
        let mut next = Some(first);
        while let Some(name) = next.take() {
            self.idle_steps += 1;
            self.steps += 1;
            if self.idle_steps > STEPS_WITHOUT_CALLER || self.steps > STEPS_MAX {
                out.push(Out::Trace { kind: "flow", detail: "goes in circles".into() });
                return self.finish(Target::HangUp, out);
            }
            let Some(step) = self.flow().and_then(|f| f.step.get(&name)).cloned() else {
                return self.finish(Target::HangUp, out);
            };
            out.push(Out::Trace { kind: "step", detail: name.clone() });
            self.step = name;
            next = self.enter(&step, here, out);
        }
    }

    fn finish(&mut self, target: Target, out: &mut Vec<Out>) {
        self.phase = Phase::Over;
        out.push(Out::NoTimer);
        out.push(Out::Go(target));
    }

    /// Begins a step: the name of the next one if this needs nothing from outside.
    fn enter(&mut self, step: &Step, here: jiff::civil::DateTime, out: &mut Vec<Out>) -> Option<String> {
        match step {
            Step::Application { url, timeout_ms, .. } => self.connect(url, *timeout_ms, out),
            Step::Callback { queue, field, next, otherwise } => {
                return self.call_back(queue, field, next, otherwise, out);
            }
            Step::Collect { .. } => self.ask_digits(step, 0, out),
            Step::Condition { field, test, value, then, otherwise } => {
                let holds = field::holds(&self.field, field, *test, value);
                let word = if holds { "yes" } else { "no" };
                out.push(Out::Trace { kind: "condition", detail: format!("{field}: {word}") });
                return Some(if holds { then.clone() } else { otherwise.clone() });
            }
            Step::Extension { number, otherwise } => {
                return self.ring(number.as_ref(), otherwise.as_ref(), out);
            }
            Step::HangUp { say } if say.is_empty() => self.finish(Target::HangUp, out),
            Step::HangUp { say } => {
                self.say(say, false, out);
                self.phase = Phase::Leaving;
            }
            Step::Hours { schedule, open, closed } => {
                let is_open = self.config.schedule.get(schedule).is_some_and(|s| s.is_open(here));
                let word = if is_open { "open" } else { "closed" };
                out.push(Out::Trace { kind: "hours", detail: format!("{schedule}: {word}") });
                return Some(if is_open { open.clone() } else { closed.clone() });
            }
            Step::Language { language, next } => {
                self.language = *language;
                out.push(Out::Language(*language));
                return Some(next.clone());
            }
            Step::Lookup { url, timeout_ms, .. } => {
                let url = field::filled(&self.field, url, field::escape);
                self.ask(Ask::Lookup { url, timeout_ms: *timeout_ms }, *timeout_ms, out);
            }
            Step::Menu { .. } => self.ask_choice(step, 0, out),
            Step::Play { say, next } => {
                self.say(say, false, out);
                self.phase = Phase::Playing { next: next.clone() };
            }
            Step::Queue { queue, after } => {
                self.finish(Target::Queue(queue.clone()), out);
                if let Some(next) = after {
                    self.phase = Phase::Served { next: next.clone() };
                }
            }
            Step::Set { field, value, next } => {
                let value = field::filled(&self.field, value, str::to_owned);
                self.set(field, &value, out);
                out.push(Out::Trace { kind: "set", detail: format!("{field} = {value}") });
                return Some(next.clone());
            }
            Step::Speak { text, .. } => {
                let text = field::filled(&self.field, text, str::to_owned);
                self.speak(step, text, out);
            }
            Step::Survey { .. } => self.ask_score(step, 0, out),
            Step::Table { key, field, row, next, otherwise } => {
                let key = field::filled(&self.field, key, str::to_owned);
                let found = row.get(key.trim());
                let word = found.map_or("not found", String::as_str);
                out.push(Out::Trace { kind: "table", detail: format!("{key}: {word}") });
                return Some(match found {
                    Some(found) => {
                        self.set(field, found, out);
                        next.clone()
                    }
                    None => otherwise.clone(),
                });
            }
            Step::Voicemail { mailbox } => self.finish(Target::Voicemail(mailbox.clone()), out),
        }
        None
    }
}
