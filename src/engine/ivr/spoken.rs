//! How a menu listens: what the caller says chooses as the key would. A recogniser hears one utterance at a time; it never
//! holds a caller longer than its time, and once it has failed the rest of the call goes by keys. Keys always work. Part of
//! [`Run`]; which words stand for which key is decided here and nowhere else.
use super::{Out, Phase, Run};
use model::config::flow::Step;
use model::media::{Digit, Language};
use model::speech::{Hearing, Said, Speech};
use std::collections::BTreeMap;
use std::time::Duration;

/// Utterances listened for in one call: a caller who was not understood so often does better with keys.
const HEARINGS_MAX: u32 = 30;

/// Media ends an utterance after eight seconds; this is later, for media that does not.
const LONGEST: Duration = Duration::from_secs(10);

/// How a menu listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ear {
    /// The hearing that runs, and what the caller does; `None`: keys only.
    hearing: Option<(u32, Mouth)>,
    /// The menu was said to its end, or was cut off: the time for a choice runs.
    waiting: bool,
}

/// What the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mouth {
    /// Nothing yet.
    Quiet,
    /// Speaks.
    Speaks,
    /// Has spoken: the recogniser owes an answer.
    Spoke,
}

impl Ear {
    /// Whether this is the hearing that runs.
    pub(super) fn is(self, number: u32) -> bool {
        self.hearing.is_some_and(|(n, _)| n == number)
    }

    /// Whether the time of the recogniser runs, not that of the menu.
    pub(super) fn is_busy(self) -> bool {
        self.hearing.is_some_and(|(_, mouth)| mouth != Mouth::Quiet)
    }

    /// Nobody listens any more.
    pub(super) fn shut(self, out: &mut Vec<Out>) {
        if self.hearing.is_some() {
            out.push(Out::Hear(None));
        }
    }

    fn with(self, mouth: Mouth) -> Ear {
        Ear { hearing: self.hearing.map(|(number, _)| (number, mouth)), ..self }
    }
}

impl Run {
    /// Whether a timer is the recogniser's.
    pub(super) fn hears(&self) -> bool {
        matches!(self.phase, Phase::Choosing { ear, .. } if ear.is_busy())
    }

    /// Begins to listen, if somebody can.
    pub(super) fn listen(&mut self, words: &BTreeMap<Digit, Vec<String>>, out: &mut Vec<Out>) -> Ear {
        let recogniser = self.config.audio.recogniser.as_ref();
        let service = recogniser.and_then(|r| Some((r.service(self.language)?.to_owned(), r.answer_ms)));
        let deaf = self.deaf || words.is_empty() || self.hearings >= HEARINGS_MAX;
        let Some((service, answer_ms)) = service.filter(|_| !deaf) else {
            return Ear { hearing: None, waiting: false };
        };
        self.hearings += 1;
        let (number, language) = (self.hearings, self.language);
        let phrases = words.values().flatten().filter(|w| is_of(language, w)).cloned().collect();
        out.push(Out::Hear(Some(Box::new(Hearing { number, service, language, phrases, answer_ms }))));
        Ear { hearing: Some((number, Mouth::Quiet)), waiting: false }
    }

    /// The menu was said to its end.
    pub(super) fn said_all(&mut self, timeout_s: u32, (tries, ear): (u32, Ear), out: &mut Vec<Out>) {
        let ear = Ear { waiting: true, ..ear };
        self.phase = Phase::Choosing { tries, ear };
        if !ear.is_busy() {
            out.push(Out::Timer(Duration::from_secs(timeout_s.into())));
        }
    }

    /// Something of the hearing. Leaves by: words of an option → its step · not understood, too often → `on_invalid`.
    pub(super) fn spoken(
        &mut self,
        step: &Step,
        (tries, mut ear): (u32, Ear),
        speech: Speech,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Menu { timeout_s, .. } = step else { return };
        match speech {
            Speech::Began => {
                ear = ear.with(Mouth::Speaks);
                out.push(Out::Timer(LONGEST));
            }
            // Noise does not stop a prompt, words do.
            Speech::Words if !ear.waiting => {
                ear.waiting = true;
                out.push(Out::Stop);
            }
            Speech::Words => {}
            Speech::Ended => {
                ear = ear.with(Mouth::Spoke);
                let answer_ms = self.config.audio.recogniser.as_ref().map_or(0, |r| r.answer_ms);
                out.push(Out::Timer(Duration::from_millis(answer_ms.into())));
            }
            Speech::Failed(why) => return self.unheard(*timeout_s, (tries, ear), &why, out),
            Speech::Said(said) => return self.said(step, (tries, ear), &said, here, out),
        }
        self.phase = Phase::Choosing { tries, ear };
    }

    /// The recogniser failed: the menu goes on by keys as if there were none, and so does the rest of the call.
    pub(super) fn unheard(
        &mut self,
        timeout_s: u32,
        (tries, ear): (u32, Ear),
        why: &str,
        out: &mut Vec<Out>,
    ) {
        out.push(Out::Trace { kind: "speech", detail: format!("by keys: {why}") });
        self.deaf = true;
        ear.shut(out);
        self.wait_on(timeout_s, ear, out);
        self.phase = Phase::Choosing { tries, ear: Ear { hearing: None, ..ear } };
    }

    /// The time of the menu runs again, if that of the recogniser did.
    fn wait_on(&self, timeout_s: u32, ear: Ear, out: &mut Vec<Out>) {
        if ear.is_busy() {
            let after = Duration::from_secs(timeout_s.into());
            out.push(if ear.waiting { Out::Timer(after) } else { Out::NoTimer });
        }
    }

    fn said(
        &mut self,
        step: &Step,
        (tries, ear): (u32, Ear),
        said: &Said,
        here: jiff::civil::DateTime,
        out: &mut Vec<Out>,
    ) {
        let Step::Menu { words, option, timeout_s, .. } = step else { return };
        let mut tell = |detail: String| out.push(Out::Trace { kind: "speech", detail });
        if said.text.is_empty() && said.intent.is_empty() {
            tell("nothing was understood".into());
            let next = self.listen(words, out);
            self.wait_on(*timeout_s, ear, out);
            self.phase = Phase::Choosing { tries, ear: Ear { waiting: ear.waiting, ..next } };
            return;
        }
        self.idle_steps = 0;
        let least = self.config.audio.recogniser.as_ref().map_or(0, |r| r.certainty_percent) * 10;
        let sure = said.certainty_permille.is_none_or(|c| u32::from(c) >= least);
        let heard = in_words(said);
        let ear = Ear { hearing: None, ..ear };
        match choice(words, said).and_then(|key| Some((key, option.get(&key)?))) {
            Some((key, next)) if sure => {
                tell(format!("{heard} = {}", key.as_char()));
                self.go_to(next.clone(), here, out);
            }
            Some(_) => {
                tell(format!("{heard}: not sure enough"));
                self.wrong(step, (tries, ear), here, out);
            }
            None => {
                tell(format!("{heard}: no such choice"));
                self.wrong(step, (tries, ear), here, out);
            }
        }
    }
}

/// For the journey: `said: sales (0.93)`.
fn in_words(said: &Said) -> String {
    let what = if said.intent.is_empty() { &said.text } else { &said.intent };
    match said.certainty_permille {
        Some(certainty) => format!("said: {what} ({:.2})", f64::from(certainty) / 1000.0),
        None => format!("said: {what}"),
    }
}

/// The key whose words were said: the intent's name, else the longest of a menu's words that the text has in it. Two keys
/// with words as long: neither.
fn choice(words: &BTreeMap<Digit, Vec<String>>, said: &Said) -> Option<Digit> {
    let pairs = || words.iter().flat_map(|(key, all)| all.iter().map(move |word| (*key, plain(word))));
    let intent = plain(&said.intent);
    if let Some((key, _)) = pairs().find(|(_, word)| *word == intent) {
        return Some(key);
    }
    let text = plain(&said.text);
    let mut found: Vec<(usize, Digit)> =
        pairs().filter(|(_, word)| has(&text, word)).map(|(key, word)| (word.chars().count(), key)).collect();
    found.sort_unstable();
    let (longest, key) = found.pop()?;
    let doubtful = found.iter().any(|(length, other)| *length == longest && *other != key);
    (!doubtful).then_some(key)
}

/// Small letters and figures, one space between words, none at the ends.
fn plain(text: &str) -> String {
    let letters: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text has these words in it. Chinese is written without spaces, and some recognisers put them in.
fn has(text: &str, word: &str) -> bool {
    if word.is_empty() {
        false
    } else if word.chars().any(is_han) {
        text.replace(' ', "").contains(&word.replace(' ', ""))
    } else {
        format!(" {text} ").contains(&format!(" {word} "))
    }
}

fn is_han(c: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&c)
}

/// Whether a recogniser of this language can know the word: English knows no Chinese, Chinese is full of English.
fn is_of(language: Language, word: &str) -> bool {
    language == Language::Zh || !word.chars().any(is_han)
}
