//! An application outside that leads calls, as the box meets it over its connection: a list of verbs, one more after each
//! word that it is told. Data of a story; no socket.
use model::application::{Connection, Verb, Word};
use model::ask::Answer;
use model::id::CallId;
use std::collections::VecDeque;
use std::time::Duration;

/// The application.
#[derive(Debug, Default)]
pub struct Application {
    /// What it says, each after a word and this time; nothing here: it thinks for ever, or says [`Application::last`].
    pub says: VecDeque<(Duration, Verb)>,
    /// What becomes of it when it has nothing to say.
    pub last: Option<Answer>,
    /// What it was told.
    pub told: Vec<Word>,
    /// The call it leads, and by which question.
    pub leads: Option<(CallId, u32)>,
}

impl Application {
    /// It says these, one after each word, each at once.
    pub fn script(&mut self, verbs: &[serde_json::Value]) {
        let read = |v: &serde_json::Value| Verb::read(&v.to_string()).expect("a verb of the story");
        self.says = verbs.iter().map(|v| (Duration::ZERO, read(v))).collect();
    }

    /// Takes a word; its answer and after which time.
    pub fn hears(&mut self, call: CallId, number: u32, wanted: Connection) -> Option<(Duration, Answer)> {
        match wanted {
            Connection::Open { language, fields, .. } => {
                self.leads = Some((call, number));
                self.told.push(Word::call(call, language, &fields));
            }
            Connection::Tell(word) => {
                self.told.push(word);
                if self.leads != Some((call, number)) {
                    return Some((Duration::ZERO, Answer::Failed("the connection is lost".into())));
                }
            }
            Connection::Close(word) => {
                self.leads = None;
                self.told.push(word);
                return None;
            }
        }
        match self.says.pop_front() {
            Some((after, verb)) => Some((after, Answer::Verb(Box::new(verb)))),
            None => self.last.clone().map(|last| (Duration::ZERO, last)),
        }
    }
}
