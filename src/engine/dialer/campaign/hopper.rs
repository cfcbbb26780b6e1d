//! Entries at hand: read from the disk ahead of need, a bounded number, each held once. An entry that was tried meanwhile is
//! known by its count of attempts, so that an older answer of the disk never brings it back.
use model::campaign::{Barred, Entry};
use model::clock::{Mono, Now, Wall};
use model::id::EntryId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Entries held: some minutes of a large floor.
pub const MOST: usize = 300;
/// More are asked for below this.
const LOW: usize = 100;
/// Whoever had nothing is asked again after this: appointments and busy lines come due meanwhile.
const AGAIN: Duration = Duration::from_secs(5);
/// An answer that takes longer is stale.
const STALE: Duration = Duration::from_secs(2);
/// An answer that took this long is thrown away; shorter than `dialer::REST`.
const TOO_OLD: Duration = Duration::from_secs(8);
/// Entries whose count of attempts is remembered.
const REMEMBERED: usize = 5000;

/// Entries at hand.
#[derive(Debug, Default)]
pub struct Hopper {
    entries: VecDeque<Entry>,
    tried: BTreeMap<EntryId, u32>,
    order: VecDeque<EntryId>,
    asked: Option<Mono>,
    /// The answer that comes is of no use.
    void: bool,
    answered: Option<Mono>,
}

impl Hopper {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Whether the disk should be asked; it counts as asked then.
    pub fn wants(&mut self, now: Mono) -> bool {
        let waited = self.answered.is_none_or(|at| now.since(at) >= AGAIN);
        let hungry = self.entries.len() < LOW && self.asked.is_none() && waited;
        if hungry {
            self.asked = Some(now);
        }
        hungry
    }

    /// Whether the disk has not answered for too long.
    #[must_use]
    pub fn is_stale(&self, now: Mono) -> bool {
        self.asked.is_some_and(|at| now.since(at) > STALE)
    }

    /// The answer: what is held, or was tried since, is left out. One that took too long is of no use: attempts may have
    /// been made since that it does not know of.
    pub fn filled(&mut self, now: Now, entries: Vec<Entry>) {
        let asked = self.asked.take();
        let void = std::mem::take(&mut self.void);
        if void || asked.is_some_and(|at| now.mono.since(at) > TOO_OLD) {
            return;
        }
        let full = entries.len() >= MOST / 2;
        self.answered = if full { None } else { Some(now.mono) };
        for entry in entries {
            let old = self.tried.get(&entry.entry).is_some_and(|seen| entry.attempts < *seen);
            let held = self.entries.iter().any(|e| e.entry == entry.entry || e.number == entry.number);
            if !old && !held && self.entries.len() < MOST {
                self.entries.push_back(entry);
            }
        }
    }

    /// Everything read so far is forgotten.
    pub fn empty(&mut self) {
        self.entries.clear();
        self.answered = None;
    }

    /// The same, and the answer that is on its way too.
    pub fn void(&mut self) {
        self.empty();
        self.void = self.asked.is_some();
    }

    /// The entry was taken for an attempt.
    pub fn tried(&mut self, entry: &Entry) {
        if self.tried.insert(entry.entry, entry.attempts + 1).is_none() {
            self.order.push_back(entry.entry);
        }
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.tried.remove(&old);
        }
    }

    /// Takes the first that fits.
    pub fn take(&mut self, mut fits: impl FnMut(&Entry) -> bool) -> Option<Entry> {
        let at = self.entries.iter().position(&mut fits)?;
        self.entries.remove(at)
    }

    /// Takes out what will not be called for now: it comes back from the disk when it is due.
    pub fn drop_where(&mut self, goes: impl Fn(&Entry) -> bool) {
        self.entries.retain(|e| !goes(e));
    }

    /// Puts one back, first or last.
    pub fn put_back(&mut self, entry: Entry, first: bool) {
        if first { self.entries.push_front(entry) } else { self.entries.push_back(entry) }
    }

    /// A number went onto the do-not-call list, or off it.
    pub fn bar(&mut self, barred: &Barred) {
        self.entries.iter_mut().filter(|e| e.number == barred.number).for_each(|e| e.barred = barred.listed);
    }

    /// Whether an entry promised to this agent is due.
    pub fn promised(&mut self, agent: &str, now: Wall) -> Option<Entry> {
        self.take(|e| e.agent.as_deref() == Some(agent) && e.due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::number::Number;

    fn entry(n: u64, attempts: u32) -> Entry {
        let number = Number::read(&format!("+4930{n:05}")).expect("a number");
        Entry { entry: EntryId(n), number, attempts, ..Entry::default() }
    }

    #[test]
    fn an_answer_that_took_too_long_is_thrown_away_and_asked_for_again() {
        let (mut hopper, mut now) = (Hopper::default(), Now::default());
        assert!(hopper.wants(now.mono));
        now.mono = now.mono + TOO_OLD + Duration::from_secs(1);
        assert!(hopper.is_stale(now.mono));
        hopper.filled(now, vec![entry(1, 0)]);
        assert_eq!(hopper.len(), 0);
        assert!(hopper.wants(now.mono));
    }

    #[test]
    fn an_older_answer_of_the_disk_brings_nothing_back() {
        let mut hopper = Hopper::default();
        assert!(hopper.wants(Mono(1)));
        assert!(!hopper.wants(Mono(2)), "asked once");
        hopper.filled(Now::default(), vec![entry(1, 0), entry(1, 0), entry(2, 0)]);
        assert_eq!(hopper.len(), 2);
        let taken = hopper.take(|_| true).expect("there");
        hopper.tried(&taken);
        hopper.filled(Now::default(), vec![entry(1, 0), entry(2, 0)]);
        assert_eq!(hopper.len(), 1, "the entry is being tried");
        hopper.filled(Now::default(), vec![entry(1, 1)]);
        assert_eq!(hopper.len(), 2, "it is due again");
    }
}
