//! Deadlines by reason: at most one per reason, so that setting it again moves it and none is left without an owner.
//! Decides nothing. O(log n) per operation, n = reasons pending.
use model::clock::Mono;
use std::collections::{BTreeMap, BTreeSet};

/// Pending deadlines, each known by its reason.
#[derive(Clone, Debug)]
pub struct Deadlines<R: Ord> {
    by_reason: BTreeMap<R, Mono>,
    by_time: BTreeSet<(Mono, R)>,
}

impl<R: Ord> Default for Deadlines<R> {
    fn default() -> Self {
        Deadlines { by_reason: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<R: Ord + Clone> Deadlines<R> {
    /// Sets or moves the deadline of this reason.
    pub fn set(&mut self, reason: R, at: Mono) {
        if let Some(old) = self.by_reason.insert(reason.clone(), at) {
            self.by_time.remove(&(old, reason.clone()));
        }
        self.by_time.insert((at, reason));
    }

    /// Takes the reason's deadline away, if it has one.
    pub fn clear(&mut self, reason: &R) {
        if let Some(old) = self.by_reason.remove(reason) {
            self.by_time.remove(&(old, reason.clone()));
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest reason that is due.
    pub fn pop_due(&mut self, now: Mono) -> Option<R> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, reason) = self.by_time.pop_first()?;
        self.by_reason.remove(&reason);
        Some(reason)
    }

    /// When this reason is due, if it is pending.
    #[must_use]
    pub fn at(&self, reason: &R) -> Option<Mono> {
        self.by_reason.get(reason).copied()
    }

    /// Whether this reason is pending.
    #[must_use]
    pub fn has(&self, reason: &R) -> bool {
        self.by_reason.contains_key(reason)
    }

    /// Every pending reason.
    pub fn reasons(&self) -> impl Iterator<Item = &R> {
        self.by_reason.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_set_again_moves_and_fires_once() {
        let mut d = Deadlines::default();
        d.set("a", Mono(10));
        d.set("b", Mono(20));
        d.set("a", Mono(30));
        assert_eq!(d.next(), Some(Mono(20)));
        assert_eq!(d.pop_due(Mono(25)), Some("b"));
        assert_eq!(d.pop_due(Mono(25)), None);
        assert!(d.has(&"a"));
        d.clear(&"a");
        assert_eq!((d.next(), d.pop_due(Mono(99))), (None, None));
    }
}
