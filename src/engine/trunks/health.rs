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
    /// Calls in a row that it refused for reasons of its own.
    refused: Refused,
}

/// Calls over a carrier that met a refusal of us, not of the party called, since it last took one.
#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    calls: u32,
    code: u16,
    /// Since when it is told.
    told: Option<Wall>,
}

/// A carrier forbids single numbers too (403); so many calls in a row speak of us. A 401 or 407 to our password never
/// speaks of the number.
const FORBIDDEN_IN_A_ROW: u32 = 3;

impl Health {
    /// Nothing known yet.
    #[must_use]
    pub fn starting(now: Now) -> Health {
        let (word, cause, refused) = (Word::Trying, "starting", Refused::default());
        Health { word, cause, detail: String::new(), since: now.wall, before: None, refused }
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

    /// It refused a call with 401, 403 or 407. Whether that is news.
    pub fn refuses(&mut self, now: Now, code: u16) -> bool {
        let before = self.refused;
        self.refused.calls = before.calls.saturating_add(1);
        self.refused.code = code;
        if code != 403 || self.refused.calls >= FORBIDDEN_IN_A_ROW {
            self.refused.told = before.told.or(Some(now.wall));
        }
        self.refused.told.is_some()
    }

    /// It took a call, or somebody sets out to see whether it does now. Whether that is news.
    pub fn takes(&mut self, now: Now) -> bool {
        let told = std::mem::take(&mut self.refused).told.is_some();
        if told {
            self.since = now.wall;
        }
        told
    }

    /// Whether it is known not to work.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.word == Word::Down
    }

    /// What is shown of it.
    #[must_use]
    pub fn view(&self, trunk: &Trunk, calls: u32) -> TrunkView {
        let refuses = (self.word == Word::Up).then_some(self.refused.told).flatten();
        let state = match self.word {
            Word::Trying => "trying",
            Word::Up if refuses.is_some() => "refusing",
            Word::Up => "up",
            Word::Down => "down",
        };
        let (cause, detail) = match refuses {
            Some(_) => self.refused.words(),
            None => (self.cause, self.detail.clone()),
        };
        TrunkView {
            trunk: trunk.name.clone(),
            state: state.to_owned(),
            cause: cause.to_owned(),
            detail,
            since: refuses.unwrap_or(self.since),
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

impl Refused {
    fn words(self) -> (&'static str, String) {
        let cause = if self.code == 403 { "calls_forbidden" } else { "calls_password" };
        (cause, format!("{} {} ({}x)", self.code, sip::builder::phrase(self.code), self.calls))
    }
}
