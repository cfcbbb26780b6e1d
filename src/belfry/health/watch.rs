//! What the supervisor tells the control role: how the hardware watchdog is, and which role it had to start again, when
//! and why. Carried as an order; kept here for the one who looks. Decides nothing.
use crate::args::Role;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Deaths remembered: a crash loop shows after a few.
const MOST: usize = 16;

/// A role that had to be started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// Which, and of what: `control: the thread engine was stuck for 5 s`.
    pub cause: String,
    /// How long ago, seconds.
    pub ago_s: u64,
}

/// Everything the supervisor knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Of the board's own watchdog: empty = armed, else why not; `None` = the board has none for us.
    pub watchdog: Option<String>,
    /// Deaths, oldest first.
    pub deaths: Vec<Death>,
}

/// The supervisor's own list.
#[derive(Debug, Default)]
pub struct Deaths {
    list: VecDeque<(Instant, String)>,
}

impl Deaths {
    /// One more.
    pub fn add(&mut self, role: Role, cause: &str, now: Instant) {
        self.list.push_back((now, format!("{role}: {cause}")));
        if self.list.len() > MOST {
            self.list.pop_front();
        }
    }

    /// As told.
    #[must_use]
    pub fn told(&self, now: Instant) -> Vec<Death> {
        let ago = |at: &Instant| now.saturating_duration_since(*at).as_secs();
        self.list.iter().map(|(at, cause)| Death { cause: cause.clone(), ago_s: ago(at) }).collect()
    }
}

/// What was told last, in the control role.
#[derive(Debug, Default)]
pub struct Watch {
    told: Mutex<News>,
}

/// The same with moments of our own clock.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// See [`Known::watchdog`].
    pub watchdog: Option<String>,
    deaths: Vec<(Instant, String)>,
}

impl Watch {
    /// Takes what the supervisor told.
    pub fn take(&self, known: Known) {
        let now = Instant::now();
        let at = |d: Death| Some((now.checked_sub(Duration::from_secs(d.ago_s))?, d.cause));
        let news =
            News { watchdog: known.watchdog, deaths: known.deaths.into_iter().filter_map(at).collect() };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = news;
    }

    /// What is known.
    #[must_use]
    pub fn news(&self) -> News {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl News {
    /// How many roles had to be started again within this time, and the cause of the last.
    #[must_use]
    pub fn recent(&self, within: Duration) -> (i64, String) {
        let recent = || self.deaths.iter().filter(|(at, _)| at.elapsed() < within);
        let cause = recent().next_back().map(|(_, cause)| cause.clone()).unwrap_or_default();
        (i64::try_from(recent().count()).unwrap_or(i64::MAX), cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_arrive_with_their_age_and_only_recent_ones_count() {
        let now = Instant::now();
        let mut deaths = Deaths::default();
        for n in 0..20 {
            deaths.add(Role::Media, &format!("exit {n}"), now);
        }
        let told = deaths.told(now + Duration::from_secs(3));
        assert_eq!((told.len(), told[15].ago_s), (MOST, 3));
        let watch = Watch::default();
        let old = Death { cause: "control: old".into(), ago_s: 700 };
        let new = Death { cause: "media: stuck".into(), ago_s: 5 };
        watch.take(Known { watchdog: None, deaths: vec![old, new] });
        assert_eq!(watch.news().recent(Duration::from_secs(600)), (1, "media: stuck".to_owned()));
    }
}
