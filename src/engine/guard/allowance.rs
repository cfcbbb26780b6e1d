//! How many answers somebody gets before anything was proved. Strangers get a few, then silence; an address with phones
//! behind it gets what those phones need, and each proof earns more, so that thousands of phones behind one address come
//! back in a few rounds while a flood from one address is soon answered no more. Counts only; knows no address.
use model::clock::Mono;
use std::time::Duration;

/// A source that has proved nothing: two tries of each of 30 phones. More come in as the first ones prove themselves.
const STRANGER: u32 = 60;
/// In this time a stranger's allowance comes back: one answer in ten seconds.
const STRANGER_PERIOD: Duration = Duration::from_secs(600);
/// For each phone behind an address: REGISTER, SUBSCRIBE, INVITE and OPTIONS, each twice.
const PER_PHONE: u32 = 8;
/// In this time the allowance of an address with phones comes back.
const KNOWN_PERIOD: Duration = Duration::from_secs(10);
/// Earned by each proof: the challenges of four more phones, so that the number that get in grows fivefold each round.
const EARNED: u32 = 4;
/// Most that can be earned: one challenge for each of 5,000 phones, four times.
const MOST: u32 = 20_000;
/// All strangers together in [`ALL_PERIOD`]: thousands of forged addresses cost no more than this.
const ALL: u32 = 5000;
/// 500 a second after the first burst.
const ALL_PERIOD: Duration = Duration::from_secs(10);

/// What is left of somebody's allowance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    left: u32,
    filled: Option<Mono>,
}

impl Allowance {
    /// Whether an answer may go to a source with this many phones; it is spent.
    pub fn spend(&mut self, now: Mono, phones: u32) -> bool {
        self.fill(now, phones);
        self.take()
    }

    /// Whether an answer may go to any stranger; it is spent.
    pub fn spend_for_all(&mut self, now: Mono) -> bool {
        self.top_up(now, ALL, ALL_PERIOD);
        self.take()
    }

    /// Whether nothing is left for a source with this many phones.
    pub fn is_spent(&mut self, now: Mono, phones: u32) -> bool {
        self.fill(now, phones);
        self.left == 0
    }

    /// Somebody there proved who it is.
    pub fn earn(&mut self, now: Mono) {
        self.fill(now, 0);
        self.left = (self.left + EARNED).min(MOST.max(self.left));
    }

    fn take(&mut self) -> bool {
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }

    fn fill(&mut self, now: Mono, phones: u32) {
        let most = STRANGER.saturating_add(phones.saturating_mul(PER_PHONE));
        self.top_up(now, most, if phones == 0 { STRANGER_PERIOD } else { KNOWN_PERIOD });
    }

    fn top_up(&mut self, now: Mono, most: u32, period: Duration) {
        let Some(filled) = self.filled else {
            *self = Allowance { left: most, filled: Some(now) };
            return;
        };
        let each = period / most.max(1);
        let due = now.since(filled).as_micros() / each.as_micros().max(1);
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        if due > 0 {
            self.filled = Some(if due < most { filled + each * due } else { now });
            self.left = self.left.max(self.left.saturating_add(due).min(most));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Mono {
        Mono(millis * 1000)
    }

    #[test]
    fn a_stranger_gets_sixty_answers_and_one_more_each_ten_seconds() {
        let mut stranger = Allowance::default();
        let answered = (0..100_000).filter(|t| stranger.spend(at(t / 10), 0)).count();
        assert_eq!(answered, 60, "10,000 a second for ten seconds");
        assert!(stranger.spend(at(10_100), 0));
        assert!(stranger.is_spent(at(10_200), 0));
        assert!(!stranger.is_spent(at(20_000), 0));
    }

    #[test]
    fn a_house_full_of_phones_is_answered_more_but_not_without_end() {
        let mut house = Allowance::default();
        let answered = (0..100_000).filter(|t| house.spend(at(t / 10), 10)).count();
        assert!((140..=285).contains(&answered), "{answered}");
    }

    #[test]
    fn five_thousand_phones_behind_one_address_are_in_after_a_few_rounds() {
        let mut house = Allowance::default();
        let mut outside = 5000_u32;
        let mut rounds = 0;
        while outside > 0 {
            rounds += 1;
            let now = at(rounds * 500);
            let answered = (0..outside).filter(|_| house.spend(now, 0)).count();
            (0..answered).for_each(|_| house.earn(now));
            outside -= u32::try_from(answered).expect("few");
        }
        assert!(rounds <= 5, "{rounds}: repetitions come after 0.5, 1, 2 and 4 s");
    }

    #[test]
    fn all_strangers_together_get_five_hundred_a_second() {
        let mut all = Allowance::default();
        let answered = (0..100_000).filter(|t| all.spend_for_all(at(t / 10))).count();
        assert!((9_900..=10_001).contains(&answered), "{answered}");
    }
}
