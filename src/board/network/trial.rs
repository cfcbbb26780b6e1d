//! When network settings take effect and when they are taken back. A change that can cut the administrator off is tried:
//! it is in force at once, and unless somebody who reaches the box under the new settings keeps it within [`WINDOW`], the
//! old settings come back. What is only tried is never kept on disk as settled, so a restart in the middle is a taking
//! back too. Pure: time comes in, [`Act`]s go out. Writes no file, asks nobody.
use super::Settings;
use model::clock::Mono;
use std::time::Duration;

/// How long a tried change waits to be kept: time enough to follow a link and to see the page, short enough to wait out.
pub const WINDOW: Duration = Duration::from_secs(60);

/// What is to be done to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// In force now, until the next restart of the machine.
    Live(Settings),
    /// In force from the next restart on.
    Settle(Settings),
}

/// Why a tried change was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// Nobody kept it in time.
    NotKept,
    /// The machine or the steward restarted while it was tried.
    Restarted,
}

/// A change on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The new settings.
    pub settings: Settings,
    /// Whoever knows it may keep the change.
    pub token: String,
    /// Taken back then.
    pub until: Mono,
}

/// A change that was taken back and is still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// What had been tried.
    pub settings: Settings,
    /// Why it is no more.
    pub why: Why,
}

/// The settings of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    settled: Settings,
    tried: Option<Tried>,
    undone: Option<Undone>,
}

impl Trial {
    /// After a start: what is settled, and what was on trial when the last run ended.
    #[must_use]
    pub fn new(settled: Settings, interrupted: Option<Settings>) -> (Trial, Vec<Act>) {
        let acts = interrupted.iter().map(|_| Act::Live(settled.clone())).collect();
        let undone = interrupted.map(|settings| Undone { settings, why: Why::Restarted });
        (Trial { settled, tried: None, undone }, acts)
    }

    /// What comes back after a restart.
    #[must_use]
    pub fn settled(&self) -> &Settings {
        &self.settled
    }

    /// The change on trial.
    #[must_use]
    pub fn tried(&self) -> Option<&Tried> {
        self.tried.as_ref()
    }

    /// The last change that was taken back, until the next one is asked for.
    #[must_use]
    pub fn undone(&self) -> Option<&Undone> {
        self.undone.as_ref()
    }

    /// When [`Trial::timeout`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.tried.as_ref().map(|t| t.until)
    }

    /// Somebody wants these settings. A harmless change is settled at once; a risky one is tried. Asked again for what is
    /// on trial already, the count-down goes on as it was.
    pub fn apply(&mut self, now: Mono, settings: Settings, token: String) -> Vec<Act> {
        if self.tried.as_ref().is_some_and(|t| t.settings == settings) {
            return Vec::new();
        }
        self.undone = None;
        if self.settled.network.is_risky(&settings.network) {
            self.tried = Some(Tried {
                settings: settings.clone(),
                token,
                until: Mono(now.0.saturating_add(micros(WINDOW))),
            });
            return vec![Act::Live(settings)];
        }
        let known = self.settled == settings && self.tried.is_none();
        self.tried = None;
        self.settled = settings.clone();
        if known { Vec::new() } else { vec![Act::Settle(settings.clone()), Act::Live(settings)] }
    }

    /// Somebody who reaches the box under the new settings keeps them; false when nothing is on trial by this token.
    pub fn keep(&mut self, now: Mono, token: &str) -> (bool, Vec<Act>) {
        let late = self.timeout(now);
        if !late.is_empty() {
            return (false, late);
        }
        match self.tried.take_if(|t| t.token == token) {
            Some(tried) => {
                self.settled = tried.settings.clone();
                (true, vec![Act::Settle(tried.settings)])
            }
            None => (false, Vec::new()),
        }
    }

    /// Somebody wants the old settings back now.
    pub fn undo(&mut self) -> Vec<Act> {
        self.take_back(Why::Asked)
    }

    /// Takes the change back when its time is over.
    pub fn timeout(&mut self, now: Mono) -> Vec<Act> {
        if self.deadline().is_some_and(|until| until <= now) {
            self.take_back(Why::NotKept)
        } else {
            Vec::new()
        }
    }

    fn take_back(&mut self, why: Why) -> Vec<Act> {
        let Some(tried) = self.tried.take() else { return Vec::new() };
        self.undone = Some(Undone { settings: tried.settings, why });
        vec![Act::Live(self.settled.clone())]
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::config::draft;
    use serde_json::{Value, json};

    fn settings(network: Value) -> Settings {
        let config =
            draft::read(&json!({ "system": { "country": "DE" }, "network": network })).expect("fine");
        Settings { network: config.network, time: config.time }
    }

    fn at(s: u64) -> Mono {
        Mono(s * 1_000_000)
    }

    fn dhcp() -> Settings {
        settings(json!({}))
    }

    fn fixed() -> Settings {
        settings(json!({ "ipv4": "static", "ipv4_address": "192.0.2.10/24" }))
    }

    #[test]
    fn a_risky_change_comes_back_after_a_minute_unless_it_is_kept() {
        let (mut trial, acts) = Trial::new(dhcp(), None);
        assert!(acts.is_empty());
        assert_eq!(trial.apply(at(10), fixed(), "t".into()), [Act::Live(fixed())]);
        assert_eq!(trial.deadline(), Some(at(70)));
        assert!(trial.timeout(at(69)).is_empty());
        assert_eq!(trial.timeout(at(70)), [Act::Live(dhcp())]);
        assert_eq!(trial.undone().map(|u| (u.settings.clone(), u.why)), Some((fixed(), Why::NotKept)));
        assert_eq!((trial.settled(), trial.tried()), (&dhcp(), None));
    }

    #[test]
    fn only_the_token_keeps_a_change_and_only_in_time() {
        let (mut trial, _) = Trial::new(dhcp(), None);
        trial.apply(at(0), fixed(), "right".into());
        assert_eq!(trial.keep(at(1), "wrong"), (false, vec![]));
        assert_eq!(trial.keep(at(59), "right"), (true, vec![Act::Settle(fixed())]));
        assert_eq!((trial.settled(), trial.deadline()), (&fixed(), None));
        trial.apply(at(100), dhcp(), "late".into());
        assert_eq!(trial.keep(at(160), "late"), (false, vec![Act::Live(fixed())]), "a late word is none");
    }

    #[test]
    fn a_restart_in_the_middle_takes_the_change_back() {
        let (trial, acts) = Trial::new(dhcp(), Some(fixed()));
        assert_eq!(acts, [Act::Live(dhcp())]);
        assert_eq!(trial.undone().map(|u| u.why), Some(Why::Restarted));
    }

    #[test]
    fn a_harmless_change_is_settled_at_once() {
        let (mut trial, _) = Trial::new(dhcp(), None);
        let named = settings(json!({ "host_name": "pbx" }));
        assert_eq!(
            trial.apply(at(0), named.clone(), "t".into()),
            [Act::Settle(named.clone()), Act::Live(named.clone())]
        );
        assert!(trial.apply(at(1), named, "t".into()).is_empty(), "the same again is nothing to do");
    }

    #[test]
    fn asking_twice_does_not_lengthen_the_count_down_and_going_back_ends_it() {
        let (mut trial, _) = Trial::new(dhcp(), None);
        trial.apply(at(0), fixed(), "a".into());
        assert!(trial.apply(at(30), fixed(), "b".into()).is_empty());
        assert_eq!(trial.deadline(), Some(at(60)));
        assert_eq!(trial.apply(at(40), dhcp(), "c".into()), [Act::Settle(dhcp()), Act::Live(dhcp())]);
        assert_eq!(trial.deadline(), None);
        trial.apply(at(50), fixed(), "d".into());
        assert_eq!(trial.undo(), [Act::Live(dhcp())]);
        assert_eq!(trial.undone().map(|u| u.why), Some(Why::Asked));
    }
}
