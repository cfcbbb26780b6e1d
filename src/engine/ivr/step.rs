//! The steps of a flow that wait for something: menu, collect, play, ringing an extension, good-bye. One function a phase,
//! exhaustive over inputs. Parts of [`Run`]; decides by the data of the step only.
use super::spoken::Ear;
use super::{Input, Out, Phase, Run, Target, field};
use model::config::flow::{Say, Step};
use model::media::Sound;
use model::number::Number;
use model::refusal::Refusal;
use std::time::Duration;

/// Most digits kept of a collect step, whatever it asks for: the length of a [`Number`].
const COLLECT_MAX: usize = Number::MAX;

/// Field with the digits of the last collect step.
const DIGITS: &str = "digits";

impl Run {
    fn digits(&self) -> &str {
        self.field.get(DIGITS).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn say(&self, say: &[Say], barge_in: bool, out: &mut Vec<Out>) {
        let sounds = say.iter().flat_map(|s| self.sounds(s)).collect();
        out.push(Out::NoTimer);
        out.push(Out::Play { sounds, barge_in });
    }

    /// One thing to say. What there is not is silence.
    fn sounds<'a>(&'a self, say: &'a Say) -> Vec<Sound> {
        let language = self.language;
        let named = |names: Vec<String>| {
            names.into_iter().map(|name| Sound::Prompt { language, name }).collect::<Vec<Sound>>()
        };
        // An application may name a value instead of a field, whose name begins with a small letter.
        let value = |text: &'a String| match self.field.get(text) {
            None if !text.starts_with(|c: char| c.is_ascii_lowercase()) => text.as_str(),
            found => found.map(String::as_str).unwrap_or_default(),
        };
        match say {
            Say::BuiltIn(name) => named(vec![name.clone()]),
            Say::Date(field) => named(field::moment(language, value(field))),
            Say::Digits(field) => named(crate::say::digits(value(field))),
            Say::File(path) => vec![Sound::File(path.clone())],
            Say::Number(field) => named(field::number(language, value(field))),
            Say::Own(name) => {
                let files = self.config.audio.prompt.get(name);
                let file = files.and_then(|f| f.get(&language).or_else(|| f.values().next()));
                file.map(|path| Sound::File(path.clone())).into_iter().collect()
            }
        }
    }

    fn prompt(&self, name: &str, out: &mut Vec<Out>) {
        self.say(&[Say::BuiltIn(name.to_owned())], false, out);
    }

    /// Says a menu (again). Leaves by: digit of an option, or its words → its step · retries used up → `on_timeout` or
    /// `on_invalid`.
    pub(super) fn ask_choice(&mut self, step: &Step, tries: u32, out: &mut Vec<Out>) {
        if let Step::Menu { say, words, .. } = step {
            out.push(Out::Trace { kind: "menu", detail: self.step.clone() });
            let ear = self.listen(words, out);
            self.say(say, true, out);
            self.phase = Phase::Choosing { tries, ear };
        }
    }

    pub(super) fn choosing(
        &mut self,
        step: &Step,
        (tries, ear): (u32, Ear),
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Menu { option, timeout_s, retries, on_timeout, .. } = step else { return };
        self.phase = Phase::Choosing { tries, ear };
        match input {
            Input::Digit(digit) => match option.get(&digit) {
                Some(next) => {
                    ear.shut(out);
                    self.go_to(next.clone(), here, out);
                }
                None => self.wrong(step, (tries, ear), here, out),
            },
            Input::Played => self.said_all(*timeout_s, (tries, ear), out),
            Input::Speech(number, speech) if ear.is(number) => {
                self.spoken(step, (tries, ear), speech, here, out);
            }
            Input::Timer if ear.is_busy() => self.unheard(*timeout_s, (tries, ear), "no answer in time", out),
            Input::Timer if tries < *retries => self.ask_choice(step, tries + 1, out),
            Input::Timer => {
                ear.shut(out);
                self.go_to(on_timeout.clone(), here, out);
            }
            Input::Alone
            | Input::Answered(..)
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..) => {}
        }
    }

    /// What there is no way for. Leaves by: retries used up → `on_invalid`.
    pub(super) fn wrong(
        &mut self,
        step: &Step,
        (tries, ear): (u32, Ear),
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Menu { retries, on_invalid, .. } = step else { return };
        if tries < *retries {
            self.ask_choice(step, tries + 1, out);
            self.wrong_first(out);
        } else {
            ear.shut(out);
            self.go_to(on_invalid.clone(), here, out);
        }
    }

    /// Puts "that is not a valid choice" before the menu that was just asked to play.
    fn wrong_first(&self, out: &mut [Out]) {
        if let Some(Out::Play { sounds, .. }) = out.last_mut() {
            let wrong = Sound::Prompt { language: self.language, name: "invalid-choice".into() };
            sounds.insert(0, wrong);
        }
    }

    /// Asks for digits (again). Leaves by: enough digits → `next` · retries used up → `otherwise`.
    pub(super) fn ask_digits(&mut self, step: &Step, tries: u32, out: &mut Vec<Out>) {
        if let Step::Collect { say, .. } = step {
            self.field.remove(DIGITS);
            self.say(say, true, out);
            self.phase = Phase::Collecting { tries };
        }
    }

    pub(super) fn collecting(
        &mut self,
        step: &Step,
        tries: u32,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Collect { max, timeout_s, .. } = step else { return };
        self.phase = Phase::Collecting { tries };
        let most = usize::try_from(*max).unwrap_or(COLLECT_MAX).min(COLLECT_MAX);
        let wait = Out::Timer(Duration::from_secs((*timeout_s).into()));
        match input {
            Input::Digit(digit) => match digit.as_char() {
                '#' => self.collected_all(step, tries, here, out),
                '*' => {
                    self.field.remove(DIGITS);
                    out.extend([Out::Stop, wait]);
                }
                key => {
                    let digits = self.field.entry(DIGITS.to_owned()).or_default();
                    digits.push(key);
                    if digits.len() >= most {
                        self.collected_all(step, tries, here, out);
                    } else {
                        out.extend([Out::Stop, wait]);
                    }
                }
            },
            Input::Played => out.push(wait),
            Input::Timer => self.collected_all(step, tries, here, out),
            Input::Alone
            | Input::Answered(..)
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..) => {}
        }
    }

    fn collected_all(&mut self, step: &Step, tries: u32, here: jiff::civil::DateTime, out: &mut Vec<Out>) {
        let Step::Collect { min, retries, next, otherwise, .. } = step else { return };
        let fewest = usize::try_from(*min).unwrap_or(COLLECT_MAX).max(1);
        if self.digits().len() >= fewest {
            out.push(Out::Trace { kind: "collect", detail: self.digits().to_owned() });
            self.go_to(next.clone(), here, out);
        } else if tries < *retries {
            self.ask_digits(step, tries + 1, out);
        } else {
            self.go_to(otherwise.clone(), here, out);
        }
    }

    /// A play step. Leaves by: heard → the next step.
    pub(super) fn playing(
        &mut self,
        next: String,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        match input {
            Input::Played => self.go_to(next, here, out),
            Input::Alone
            | Input::Answered(..)
            | Input::Digit(_)
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..)
            | Input::Timer => {
                self.phase = Phase::Playing { next };
            }
        }
    }

    /// Rings the extension named or collected: the next step's name when there is none such.
    pub(super) fn ring(
        &mut self,
        number: Option<&Number>,
        otherwise: Option<&String>,
        out: &mut Vec<Out>,
    ) -> Option<String> {
        let wanted = number.cloned().or_else(|| Number::read(self.digits()));
        match wanted.filter(|n| self.config.extension.contains_key(n)) {
            Some(number) => {
                self.phase = Phase::Ringing { number: number.clone(), otherwise: otherwise.cloned() };
                out.extend([Out::NoTimer, Out::Go(Target::Extension(number))]);
                None
            }
            None if otherwise.is_some() => otherwise.cloned(),
            None => {
                self.prompt(Refusal::Unknown.prompt(), out);
                self.phase = Phase::Leaving;
                None
            }
        }
    }

    /// The extension rings. Leaves by: refused → the step for that, its voicemail, or good-bye.
    pub(super) fn ringing(
        &mut self,
        number: Number,
        otherwise: Option<String>,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Input::Refused(why) = input else {
            self.phase = Phase::Ringing { number, otherwise };
            return;
        };
        let has_mailbox = self.config.extension.get(&number).is_some_and(|e| e.voicemail.is_some());
        match otherwise {
            Some(step) => self.go_to(step, here, out),
            None if has_mailbox => self.finish(Target::Voicemail(number), out),
            None => {
                self.prompt(why.prompt(), out);
                self.phase = Phase::Leaving;
            }
        }
    }

    /// Good-bye. Leaves by: heard → the call ends.
    pub(super) fn leaving(&mut self, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Played => self.finish(Target::HangUp, out),
            Input::Alone
            | Input::Answered(..)
            | Input::Digit(_)
            | Input::Promised(_)
            | Input::Refused(_)
            | Input::Speech(..)
            | Input::Timer => {
                self.phase = Phase::Leaving;
            }
        }
    }
}
