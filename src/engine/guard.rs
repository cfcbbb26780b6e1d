//! Who gets no answer: counts failures a source address, and bans it for a while. Wrong passwords and requests without
//! credentials are weighed before the digest check; a banned source hears nothing. Addresses of trunks and of registered
//! phones are never banned: there one bad device loses its account's turn, the others go on. Never parses a message.
use model::clock::{Mono, Now, Wall};
use model::record::BanRecord;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong answers a source may give in [`WINDOW`]: S9 promises at most 20 guesses weighed.
const GUESSES_MAX: u32 = 20;
/// Requests without credentials, or malformed, from a source that never authenticates. A phone's first request is one of
/// these and its success forgives them all.
const STRANGE_MAX: u32 = 60;
/// Failures are counted this long.
const WINDOW: Duration = Duration::from_secs(600);
/// First ban; each further one of the same source is twice as long.
const FIRST_BAN: Duration = Duration::from_secs(600);
/// Longest ban.
const LONGEST_BAN: Duration = Duration::from_secs(86_400);
/// Wrong answers for one account from all sources in [`WINDOW`]; beyond, only known addresses are weighed for it.
const ACCOUNT_MAX: u32 = 100;
/// Sources and accounts remembered; the longest untouched goes first. 8192 is about 1 MiB.
const REMEMBERED_MAX: usize = 8192;

/// Counts and bans.
#[derive(Debug, Default)]
pub struct Guard {
    sources: BTreeMap<IpAddr, Source>,
    accounts: BTreeMap<String, Count>,
    devices: BTreeMap<(IpAddr, String), Count>,
}

#[derive(Clone, Debug, Default)]
struct Source {
    guesses: Count,
    strange: Count,
    banned: Option<Banned>,
    bans: u32,
    touched: Mono,
}

#[derive(Clone, Copy, Debug)]
struct Banned {
    until: Mono,
    until_wall: Wall,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since: Mono,
    n: u32,
}

impl Count {
    fn add(&mut self, now: Mono) -> u32 {
        if self.n == 0 || now.since(self.since) > WINDOW {
            *self = Count { since: now, n: 0 };
        }
        self.n += 1;
        self.n
    }

    fn value(&self, now: Mono) -> u32 {
        if now.since(self.since) > WINDOW { 0 } else { self.n }
    }
}

/// What a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A digest that does not fit.
    Guess,
    /// No credentials, or a message that cannot be read.
    Strange,
}

impl Guard {
    /// Takes over bans of the last run.
    pub fn restore(&mut self, now: Now, bans: &[BanRecord]) {
        for ban in bans.iter().filter(|b| b.until > now.wall).take(REMEMBERED_MAX) {
            let left = u64::try_from(ban.until.millis_since(now.wall)).unwrap_or(0);
            let until = now.mono + Duration::from_millis(left).min(LONGEST_BAN);
            let banned = Some(Banned { until, until_wall: ban.until });
            self.sources
                .insert(ban.address, Source { banned, bans: 1, touched: now.mono, ..Source::default() });
        }
    }

    /// Whether this source hears nothing now.
    #[must_use]
    pub fn silent(&self, now: Mono, source: IpAddr) -> bool {
        self.sources.get(&source).and_then(|s| s.banned).is_some_and(|b| b.until > now)
    }

    /// Whether a digest for this account from here is weighed at all. `known`: a phone is registered from this address.
    #[must_use]
    pub fn weighs(&self, now: Mono, source: IpAddr, account: &str, known: bool) -> bool {
        if known {
            let device = self.devices.get(&(source, account.to_owned()));
            return device.is_none_or(|c| c.value(now) < GUESSES_MAX);
        }
        self.accounts.get(account).is_none_or(|c| c.value(now) < ACCOUNT_MAX)
    }

    /// Counts a failure. Gives the ban when it was one too many. `known` as in [`Guard::weighs`]; such an address is
    /// never banned.
    pub fn failed(
        &mut self,
        now: Now,
        source: IpAddr,
        account: Option<&str>,
        failure: Failure,
        known: bool,
    ) -> Option<BanRecord> {
        if let (Failure::Guess, Some(account)) = (failure, account) {
            self.accounts.entry(account.to_owned()).or_default().add(now.mono);
            if known {
                self.devices.entry((source, account.to_owned())).or_default().add(now.mono);
            }
        }
        self.forget_oldest(now.mono);
        if known {
            return None;
        }
        let entry = self.sources.entry(source).or_default();
        entry.touched = now.mono;
        let (count, limit) = match failure {
            Failure::Guess => (entry.guesses.add(now.mono), GUESSES_MAX),
            Failure::Strange => (entry.strange.add(now.mono), STRANGE_MAX),
        };
        (count >= limit).then(|| ban(now, source, entry, failure, count))
    }

    /// A request of this source was authenticated: what looked strange before was a phone's first try.
    pub fn succeeded(&mut self, source: IpAddr) {
        if let Some(entry) = self.sources.get_mut(&source) {
            entry.strange = Count::default();
        }
    }

    /// Ends a ban early, and everything counted; `false` when there is none.
    pub fn pardon(&mut self, source: IpAddr) -> bool {
        self.sources.remove(&source).is_some_and(|s| s.banned.is_some())
    }

    /// A ban's time is over. `Some(when)`: not yet.
    pub fn ended(&mut self, now: Mono, source: IpAddr) -> Option<Mono> {
        let entry = self.sources.get_mut(&source)?;
        match entry.banned {
            Some(b) if b.until > now => Some(b.until),
            Some(_) | None => {
                entry.banned = None;
                None
            }
        }
    }

    /// Bans that run: address, end by both clocks.
    pub fn bans(&self) -> impl Iterator<Item = (IpAddr, Mono, Wall)> + '_ {
        self.sources.iter().filter_map(|(a, s)| s.banned.map(|b| (*a, b.until, b.until_wall)))
    }

    fn forget_oldest(&mut self, now: Mono) {
        if self.sources.len() > REMEMBERED_MAX {
            self.forget_quarter(now);
        }
        if self.accounts.len() > REMEMBERED_MAX {
            self.accounts.retain(|_, c| c.value(now) > 0);
        }
        if self.accounts.len() > REMEMBERED_MAX {
            self.accounts.clear();
        }
        if self.devices.len() > REMEMBERED_MAX {
            self.devices.clear();
        }
    }
}

impl Guard {
    /// Forgets the quarter of sources untouched longest, running bans last: a quarter at once costs little each.
    fn forget_quarter(&mut self, now: Mono) {
        let rank = |s: &Source| (s.banned.is_some_and(|b| b.until > now), s.touched);
        let mut ranks: Vec<(bool, Mono)> = self.sources.values().map(rank).collect();
        let quarter = ranks.len() / 4;
        let (_, limit, _) = ranks.select_nth_unstable(quarter);
        let limit = *limit;
        self.sources.retain(|_, s| rank(s) > limit);
    }
}

fn ban(now: Now, source: IpAddr, entry: &mut Source, failure: Failure, count: u32) -> BanRecord {
    let length = (FIRST_BAN * 2u32.saturating_pow(entry.bans.min(8))).min(LONGEST_BAN);
    entry.bans += 1;
    entry.guesses = Count::default();
    entry.strange = Count::default();
    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let until_wall = Wall(now.wall.0.saturating_add(millis));
    entry.banned = Some(Banned { until: now.mono + length, until_wall });
    let what = match failure {
        Failure::Guess => "wrong passwords",
        Failure::Strange => "requests without credentials",
    };
    BanRecord {
        address: source,
        until: until_wall,
        cause: format!("{count} {what} in 10 minutes"),
        failures: count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn at(second: u64) -> Now {
        let wall = i64::try_from(second).expect("small") * 1000;
        Now { mono: Mono(second * 1_000_000), wall: Wall(wall) }
    }

    #[test]
    fn the_twentieth_wrong_password_bans_for_ten_minutes_then_for_twenty() {
        let mut guard = Guard::default();
        let guess = |guard: &mut Guard, t| guard.failed(at(t), STRANGER, Some("101"), Failure::Guess, false);
        assert!((0..19).all(|t| guess(&mut guard, t).is_none()));
        let ban = guess(&mut guard, 19).expect("the 20th");
        assert_eq!(ban.until, Wall(619_000));
        assert!(guard.silent(at(600).mono, STRANGER));
        assert!(!guard.silent(at(620).mono, STRANGER));
        let second = (700..720).find_map(|t| guess(&mut guard, t)).expect("again");
        assert_eq!(second.until, Wall((719 + 1200) * 1000));
    }

    #[test]
    fn slow_guessing_over_hours_is_not_banned_and_a_success_forgives_first_tries() {
        let mut guard = Guard::default();
        for hour in 0..100 {
            assert_eq!(guard.failed(at(hour * 3600), STRANGER, Some("101"), Failure::Guess, false), None);
        }
        for t in 0..59 {
            assert_eq!(guard.failed(at(t), STRANGER, None, Failure::Strange, false), None);
        }
        guard.succeeded(STRANGER);
        assert_eq!(guard.failed(at(59), STRANGER, None, Failure::Strange, false), None);
    }

    #[test]
    fn one_bad_phone_behind_a_known_address_loses_only_its_own_turn() {
        let mut guard = Guard::default();
        for t in 0..100 {
            assert_eq!(guard.failed(at(t), STRANGER, Some("105"), Failure::Guess, true), None);
        }
        assert!(!guard.silent(at(100).mono, STRANGER));
        assert!(!guard.weighs(at(100).mono, STRANGER, "105", true));
        assert!(guard.weighs(at(100).mono, STRANGER, "101", true));
    }

    #[test]
    fn guesses_from_everywhere_slow_the_account_but_not_its_own_phone() {
        let mut guard = Guard::default();
        for i in 0..100u8 {
            let source = IpAddr::from([198, 51, 100, i]);
            guard.failed(at(i.into()), source, Some("101"), Failure::Guess, false);
        }
        assert!(!guard.weighs(at(100).mono, STRANGER, "101", false));
        assert!(guard.weighs(at(100).mono, STRANGER, "101", true));
        assert!(guard.weighs(at(800).mono, STRANGER, "101", false));
    }

    #[test]
    fn bans_survive_a_restart_and_can_be_pardoned() {
        let mut guard = Guard::default();
        let ban = BanRecord { address: STRANGER, until: Wall(300_000), cause: String::new(), failures: 20 };
        guard.restore(at(0), &[ban]);
        assert!(guard.silent(at(299).mono, STRANGER));
        assert!(guard.pardon(STRANGER));
        assert!(!guard.silent(at(1).mono, STRANGER));
        assert!(!guard.pardon(STRANGER));
    }

    #[test]
    fn the_table_of_sources_has_an_end() {
        let mut guard = Guard::default();
        for i in 0..20_000u32 {
            guard.failed(at(u64::from(i)), IpAddr::from(i.to_be_bytes()), None, Failure::Strange, false);
        }
        assert!(guard.sources.len() <= REMEMBERED_MAX + 1);
    }
}
