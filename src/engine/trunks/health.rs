//! Whether a carrier lives, with the cause in a machine word that the admin has a sentence and a remedy for.
use model::clock::{Now, Wall};
use model::config::trunk::Trunk;
use model::notice::TrunkView;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Trying,
    Up,
    Down,
}

/// A carrier's state as known.
#[derive(Clone, Debug)]
pub struct Health {
    word: Word,
    cause: &'static str,
    detail: String,
    since: Wall,
    /// What was known before a call met silence.
    before: Option<(&'static str, String)>,
}

impl Health {
    /// Nothing known yet.
    #[must_use]
    pub fn starting(now: Now) -> Health {
        Health { word: Word::Trying, cause: "starting", detail: String::new(), since: now.wall, before: None }
    }

    /// It lives. Whether that is news.
    pub fn up(&mut self, now: Now, cause: &'static str, detail: &str) -> bool {
        self.turn(now, Word::Up, cause, detail)
    }

    /// It does not answer, or refuses us. Whether that is news.
    pub fn down(&mut self, now: Now, cause: &'static str, detail: &str) -> bool {
        self.turn(now, Word::Down, cause, detail)
    }

    /// A call met silence where it was thought to live. Whether that is news.
    pub fn doubt(&mut self, now: Now) -> bool {
        if self.word != Word::Up {
            return false;
        }
        let before = (self.cause, self.detail.clone());
        let news = self.turn(now, Word::Trying, "silent", "");
        self.before = Some(before);
        news
    }

    /// It gave a sign of life: what was known before a call met silence holds again. Whether that is news.
    pub fn trust(&mut self, now: Now) -> bool {
        let Some((cause, detail)) = self.before.take() else { return false };
        self.turn(now, Word::Up, cause, &detail)
    }

    /// Whether it is known not to work.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.word == Word::Down
    }

    /// What is shown of it.
    #[must_use]
    pub fn view(&self, trunk: &Trunk, calls: u32) -> TrunkView {
        let state = match self.word {
            Word::Trying => "trying",
            Word::Up => "up",
            Word::Down => "down",
        };
        TrunkView {
            trunk: trunk.name.clone(),
            state: state.to_owned(),
            cause: self.cause.to_owned(),
            detail: self.detail.clone(),
            since: self.since,
            calls,
            capacity: trunk.capacity,
        }
    }

    fn turn(&mut self, now: Now, word: Word, cause: &'static str, detail: &str) -> bool {
        let news = self.word != word || self.cause != cause || self.detail != detail;
        if self.word != word {
            self.since = now.wall;
        }
        (self.word, self.cause) = (word, cause);
        self.before = None;
        detail.clone_into(&mut self.detail);
        news
    }
}
