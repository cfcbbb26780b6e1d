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
}

impl Health {
    /// Nothing known yet.
    #[must_use]
    pub fn starting(now: Now) -> Health {
        Health { word: Word::Trying, cause: "starting", detail: String::new(), since: now.wall }
    }

    /// It lives. Whether that is news.
    pub fn up(&mut self, now: Now, cause: &'static str, detail: &str) -> bool {
        self.turn(now, Word::Up, cause, detail)
    }

    /// It does not answer, or refuses us. Whether that is news.
    pub fn down(&mut self, now: Now, cause: &'static str, detail: &str) -> bool {
        self.turn(now, Word::Down, cause, detail)
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
        detail.clone_into(&mut self.detail);
        news
    }
}
