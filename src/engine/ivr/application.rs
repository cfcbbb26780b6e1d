//! The step in which an application outside leads the call: it asks by verbs, one after the other, and is told what became
//! of each. Part of [`Run`]. An application that is not there, too slow, gone or makes no sense costs the caller its
//! time-out and no more: the flow goes on at `otherwise`, also out of the middle of a prompt. Verbs reach only what the
//! site has: its prompts, queues, extensions, mailboxes and the ways that the step names.
use super::outside::voiced;
use super::{Input, Out, Phase, Run, STEPS_MAX, Target};
use model::application::{Connection, End, Verb, WAITING_MAX, Why, Word};
use model::ask::{Answer, Ask};
use model::config::flow::{Say, Step};
use model::media::{Digit, Sound};
use std::collections::VecDeque;
use std::time::Duration;

/// Field with the digits of the last `gather`.
const DIGITS: &str = "digits";

/// A connection to an application and what is done for it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The question that its verbs answer.
    number: u32,
    doing: Doing,
    waiting: VecDeque<Verb>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// Collects digits.
    Gathering(Gather),
    /// Says something.
    Playing,
    /// Nothing: it is the application's turn.
    Thinking,
    /// The voice was asked by this question.
    Voicing(u32, Saying),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Gather {
    max: u32,
    finish: Option<Digit>,
    timeout_s: u32,
    digits: String,
}

/// What is said, and the digits wanted by it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Saying {
    say: Vec<Say>,
    gather: Option<Gather>,
}

impl Run {
    /// Calls the application. Leaves by: what it says → [`Run::applying`] · nothing in time → `otherwise`.
    pub(super) fn connect(&mut self, url: &str, timeout_ms: u32, out: &mut Vec<Out>) {
        self.asked = self.asked.wrapping_add(1);
        let url = super::field::filled(&self.field, url, super::field::escape);
        let (language, fields) = (self.language, self.field.clone());
        out.push(Out::Trace { kind: "application", detail: "asked".to_owned() });
        out.push(connection(self.asked, Connection::Open { url, timeout_ms, language, fields }));
        out.push(turn_ends(timeout_ms));
        let session = Session { number: self.asked, doing: Doing::Thinking, waiting: VecDeque::new() };
        self.phase = Phase::Applying(session);
    }

    /// The application leads. Leaves by: its verbs `queue`, `extension`, `voicemail`, `hang_up`, `go` → there · anything
    /// wrong with it → `otherwise`.
    pub(super) fn applying(
        &mut self,
        step: &Step,
        mut session: Session,
        input: Input,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        match (&mut session.doing, input) {
            (_, Input::Answered(to, Answer::Verb(verb))) if to == session.number => {
                return self.wanted(step, session, *verb, here, out);
            }
            (_, Input::Answered(to, Answer::Failed(why))) if to == session.number => {
                return self.forsake(step, &session, &why, here, out);
            }
            (Doing::Thinking, Input::Timer) => {
                return self.forsake(step, &session, "no verb in time", here, out);
            }
            (Doing::Voicing(number, saying), Input::Answered(to, answer)) if to == *number => {
                let (saying, spoken) = (saying.clone(), voiced(answer, out));
                self.sound(&mut session, saying, spoken, out);
            }
            (Doing::Voicing(_, saying), Input::Timer) => {
                let late = Answer::Failed("no answer in time".to_owned());
                let (saying, spoken) = (saying.clone(), voiced(late, out));
                self.sound(&mut session, saying, spoken, out);
            }
            (Doing::Playing, Input::Played) => {
                tell(&session, Word::Played { end: End::Heard }, out);
                return self.turn(step, session, here, out);
            }
            (Doing::Gathering(gather), Input::Played) => out.push(gather.waits()),
            (Doing::Gathering(gather), Input::Timer) => {
                let digits = std::mem::take(&mut gather.digits);
                return self.gathered(step, session, digits, End::Timeout, here, out);
            }
            (Doing::Gathering(gather), Input::Digit(digit)) => {
                if let Some(end) = gather.takes(digit) {
                    let digits = std::mem::take(&mut gather.digits);
                    return self.gathered(step, session, digits, end, here, out);
                }
                out.extend([Out::Stop, gather.waits()]);
            }
            (
                Doing::Gathering(_) | Doing::Playing | Doing::Thinking | Doing::Voicing(..),
                Input::Alone
                | Input::Answered(..)
                | Input::Digit(_)
                | Input::Played
                | Input::Promised(_)
                | Input::Refused(_)
                | Input::Speech(..)
                | Input::Timer,
            ) => {}
        }
        self.phase = Phase::Applying(session);
    }

    /// It wants something: at once when nothing else is done for it, else in its turn.
    fn wanted(
        &mut self,
        step: &Step,
        mut session: Session,
        verb: Verb,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        if verb == Verb::Stop {
            return self.stopped(step, session, here, out);
        }
        if session.waiting.len() >= WAITING_MAX {
            return self.forsake(step, &session, "too many verbs at once", here, out);
        }
        session.waiting.push_back(verb);
        if session.doing == Doing::Thinking {
            return self.turn(step, session, here, out);
        }
        self.phase = Phase::Applying(session);
    }

    /// Ends what is done for it now.
    fn stopped(
        &mut self,
        step: &Step,
        mut session: Session,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        session.waiting.clear();
        match std::mem::replace(&mut session.doing, Doing::Thinking) {
            Doing::Thinking => self.phase = Phase::Applying(session),
            Doing::Gathering(gather) | Doing::Voicing(_, Saying { gather: Some(gather), .. }) => {
                out.push(Out::Stop);
                self.gathered(step, session, gather.digits, End::Stopped, here, out);
            }
            Doing::Playing | Doing::Voicing(_, Saying { gather: None, .. }) => {
                out.push(Out::Stop);
                tell(&session, Word::Played { end: End::Stopped }, out);
                self.turn(step, session, here, out);
            }
        }
    }

    fn gathered(
        &mut self,
        step: &Step,
        session: Session,
        digits: String,
        end: End,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        out.push(Out::Trace { kind: "application", detail: format!("gathered {digits}") });
        self.set(DIGITS, &digits, out);
        tell(&session, Word::Gathered { digits, end }, out);
        self.turn(step, session, here, out);
    }

    /// Carries out what waits, until one takes time; else it is the application's turn.
    fn turn(&mut self, step: &Step, mut session: Session, here: jiff::civil::DateTime, out: &mut Vec<Out>) {
        let Step::Application { timeout_ms, .. } = step else { return };
        session.doing = Doing::Thinking;
        while let Some(verb) = session.waiting.pop_front() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return self.forsake(step, &session, "too many verbs in one call", here, out);
            }
            out.push(Out::Trace { kind: "application", detail: described(&verb) });
            match verb {
                Verb::Play { say, text } => {
                    self.begin(&mut session, Saying { say, gather: None }, text, out);
                    self.phase = Phase::Applying(session);
                    return;
                }
                Verb::Gather { max, finish, timeout_s, say, text } => {
                    let gather = Gather { max, finish, timeout_s, digits: String::new() };
                    self.begin(&mut session, Saying { say, gather: Some(gather) }, text, out);
                    self.phase = Phase::Applying(session);
                    return;
                }
                Verb::Set { fields } => {
                    for (name, value) in &fields {
                        self.set(name, value, out);
                    }
                    tell(&session, Word::Done { verb: "set".to_owned() }, out);
                }
                Verb::Language { language } => {
                    self.language = language;
                    out.push(Out::Language(language));
                    tell(&session, Word::Done { verb: "language".to_owned() }, out);
                }
                // Never waits.
                Verb::Stop => {}
                Verb::Extension { .. }
                | Verb::Go { .. }
                | Verb::HangUp { .. }
                | Verb::Queue { .. }
                | Verb::Voicemail { .. } => match self.leave(step, &session, &verb, here, out) {
                    Ok(()) => return,
                    Err(why) => {
                        session.waiting.clear();
                        tell(&session, Word::Refused { verb: verb.name().to_owned(), why }, out);
                    }
                },
            }
        }
        out.push(turn_ends(*timeout_ms));
        self.phase = Phase::Applying(session);
    }

    /// Hands the call over as a verb says; why not, when the site has no such place.
    fn leave(
        &mut self,
        step: &Step,
        session: &Session,
        verb: &Verb,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) -> Result<(), String> {
        let Step::Application { way, .. } = step else { return Ok(()) };
        let named =
            |name: &String| way.get(name).cloned().ok_or_else(|| format!("there is no way \"{name}\""));
        let over = connection(
            session.number,
            Connection::Close(Word::Over { why: Why::Left, detail: verb.name().to_owned() }),
        );
        match verb {
            Verb::Extension { number, otherwise } => {
                let otherwise = otherwise.as_ref().map(named).transpose()?;
                if !self.config.extension.contains_key(number) {
                    return Err(format!("there is no extension {number}"));
                }
                self.phase = Phase::Ringing { number: number.clone(), otherwise };
                out.extend([over, Out::NoTimer, Out::Go(Target::Extension(number.clone()))]);
            }
            Verb::Go { way } => {
                let next = named(way)?;
                out.extend([over, Out::NoTimer]);
                self.go_to(next, here, out);
            }
            Verb::HangUp { say } if say.is_empty() => {
                out.push(over);
                self.finish(Target::HangUp, out);
            }
            Verb::HangUp { say } => {
                out.push(over);
                self.say(say, false, out);
                self.phase = Phase::Leaving;
            }
            Verb::Queue { queue, after } => {
                let after = after.as_ref().map(named).transpose()?;
                if !self.config.queue.contains_key(queue) {
                    return Err(format!("there is no queue \"{queue}\""));
                }
                out.push(over);
                self.finish(Target::Queue(queue.clone()), out);
                if let Some(next) = after {
                    self.phase = Phase::Served { next };
                }
            }
            Verb::Voicemail { mailbox } => {
                if self.config.extension.get(mailbox).is_none_or(|e| e.voicemail.is_none()) {
                    return Err(format!("extension {mailbox} has no voicemail"));
                }
                out.push(over);
                self.finish(Target::Voicemail(mailbox.clone()), out);
            }
            Verb::Gather { .. }
            | Verb::Language { .. }
            | Verb::Play { .. }
            | Verb::Set { .. }
            | Verb::Stop => {}
        }
        Ok(())
    }

    /// Says something by the voice, or what stands in for it, and perhaps waits for digits.
    fn begin(&mut self, session: &mut Session, saying: Saying, text: Option<String>, out: &mut Vec<Out>) {
        match text.and_then(|text| self.ask_voice(text, out)) {
            Some(number) => session.doing = Doing::Voicing(number, saying),
            None => self.sound(session, saying, None, out),
        }
    }

    /// The sound begins. Nothing to say is over at once, as silence.
    fn sound(&mut self, session: &mut Session, saying: Saying, spoken: Option<String>, out: &mut Vec<Out>) {
        let barge_in = saying.gather.is_some();
        match spoken {
            Some(path) => {
                out.push(Out::NoTimer);
                out.push(Out::Play { sounds: vec![Sound::File(path)], barge_in });
            }
            None => self.say(&saying.say, barge_in, out),
        }
        session.doing = match saying.gather {
            Some(gather) => Doing::Gathering(gather),
            None => Doing::Playing,
        };
    }

    /// The flow goes on without it.
    fn forsake(
        &mut self,
        step: &Step,
        session: &Session,
        why: &str,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Application { otherwise, .. } = step else { return };
        out.push(Out::Trace { kind: "application", detail: format!("failed: {why}") });
        out.push(connection(session.number, Connection::Close(Word::failed(why))));
        out.extend([Out::NoTimer, Out::Stop]);
        self.go_to(otherwise.clone(), here, out);
    }
}

impl Gather {
    /// Takes a key: why there are no more, if that was the last.
    fn takes(&mut self, digit: Digit) -> Option<End> {
        if self.finish == Some(digit) {
            return Some(End::Finish);
        }
        self.digits.push(digit.as_char());
        let full = u32::try_from(self.digits.len()).is_ok_and(|n| n >= self.max);
        full.then_some(End::Full)
    }

    fn waits(&self) -> Out {
        Out::Timer(Duration::from_secs(self.timeout_s.into()))
    }
}

fn connection(number: u32, word: Connection) -> Out {
    Out::Ask(number, Ask::Application(word))
}

fn tell(session: &Session, word: Word, out: &mut Vec<Out>) {
    out.push(connection(session.number, Connection::Tell(word)));
}

fn turn_ends(timeout_ms: u32) -> Out {
    Out::Timer(Duration::from_millis(timeout_ms.into()))
}

/// A verb in the call's journey.
fn described(verb: &Verb) -> String {
    let name = verb.name();
    match verb {
        Verb::Extension { number, .. } => format!("{name} {number}"),
        Verb::Go { way } => format!("{name} {way}"),
        Verb::Queue { queue, .. } => format!("{name} {queue}"),
        Verb::Set { fields } => format!("{name} {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
        Verb::Voicemail { mailbox } => format!("{name} {mailbox}"),
        Verb::Language { language } => format!("{name} {}", language.code()),
        Verb::Gather { .. } | Verb::HangUp { .. } | Verb::Play { .. } | Verb::Stop => name.to_owned(),
    }
}
