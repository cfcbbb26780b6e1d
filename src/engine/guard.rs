//! Who gets no answer: counts failures a source address, and bans it for a while. Wrong passwords and requests without
//! credentials are weighed before the digest check; a banned source hears nothing. Addresses of trunks and of registered
//! phones are never banned: there guesses for other accounts are soon not weighed any more, while the phones that are
//! registered from there go on. The same holds for 30 days for addresses that proved themselves. How many answers go out
//! without any proof is counted here too (`allowance`), and who is offered which digest (`sums`). Never parses a message.
mod allowance;
pub mod sums;

use allowance::Allowance;
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
/// REGISTERs without credentials: each phone begins with one, and after a power cut 5,000 phones behind one address come
/// at once. Nobody learns anything from the answer.
const KNOCKS_MAX: u32 = 5000;
/// Failures are counted this long.
const WINDOW: Duration = Duration::from_secs(600);
/// First ban; each further one of the same source is twice as long.
const FIRST_BAN: Duration = Duration::from_secs(600);
/// Longest ban.
const LONGEST_BAN: Duration = Duration::from_secs(86_400);
/// Wrong answers for one account from all sources in [`WINDOW`]; beyond, only known addresses are weighed for it.
const ACCOUNT_MAX: u32 = 100;
/// Wrong answers of a registered phone for its own account in [`WINDOW`] (a password that was just changed); a success
/// forgives them.
const OWN_MAX: u32 = 200;
/// An address that proved itself is spared this long, in ms: 30 days.
pub const SPARED_MS: i64 = 30 * 86_400_000;
/// Addresses remembered that proved themselves; the longest silent go first. Three for each of 5,000 phones.
const PROVED_MAX: usize = 16_384;
/// Sources and accounts remembered; the longest untouched goes first. 8192 is about 1 MiB.
const REMEMBERED_MAX: usize = 8192;

/// Counts and bans.
#[derive(Debug, Default)]
pub struct Guard {
    sources: BTreeMap<IpAddr, Source>,
    accounts: BTreeMap<String, Count>,
    devices: BTreeMap<(IpAddr, String), Count>,
    proved: BTreeMap<IpAddr, Wall>,
    /// Which digest is offered to whom.
    pub sums: sums::Sums,
    strangers: Allowance,
}

#[derive(Clone, Debug, Default)]
struct Source {
    guesses: Count,
    strange: Count,
    knocks: Count,
    banned: Option<Banned>,
    bans: u32,
    allowance: Allowance,
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

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address with no registered phone, and none in the last 30 days.
    Stranger,
    /// An address with a registered phone of another account, or that proved itself in the last 30 days.
    Neighbour,
    /// The address of a registered phone of this very account.
    Own,
}

/// What follows from a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Blame {
    /// Nothing yet.
    Nothing,
    /// Guesses from this address are not weighed for a while, except those of its own phones.
    Silenced,
    /// The source hears nothing from now on.
    Banned(BanRecord),
}

/// What a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A digest that does not fit.
    Guess,
    /// A REGISTER without credentials.
    Knock,
    /// Any other request without credentials, or a message that cannot be read.
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

    /// Takes over when addresses proved themselves in earlier runs.
    pub fn restore_proved(&mut self, now: Now, proved: impl Iterator<Item = (IpAddr, Wall)>) {
        for (address, at) in proved.filter(|(_, at)| now.wall.millis_since(*at) < SPARED_MS) {
            let last = self.proved.entry(address).or_insert(at);
            *last = (*last).max(at);
        }
        self.forget_proved();
    }

    /// Whether somebody proved itself from there in the last 30 days.
    #[must_use]
    pub fn proved(&self, now: Wall, source: IpAddr) -> bool {
        self.proved.get(&source).is_some_and(|at| now.millis_since(*at) < SPARED_MS)
    }

    /// Whether an answer without proof may go there; it is spent. `phones`: how many are registered from there.
    pub fn answers(&mut self, now: Now, source: IpAddr, phones: u32) -> bool {
        let stranger = phones == 0 && !self.proved(now.wall, source);
        let phones = if stranger { 0 } else { phones.max(1) };
        self.forget_oldest(now.mono);
        let entry = self.sources.entry(source).or_default();
        entry.touched = now.mono;
        entry.allowance.spend(now.mono, phones) && (!stranger || self.strangers.spend_for_all(now.mono))
    }

    /// Whether nothing from there would be answered that proves nothing: it need not even be read. Only strangers.
    pub fn exhausted(&mut self, now: Now, source: IpAddr) -> bool {
        !self.proved(now.wall, source)
            && self.sources.get_mut(&source).is_some_and(|s| s.allowance.is_spent(now.mono, 0))
    }

    /// Whether this source hears nothing now.
    #[must_use]
    pub fn silent(&self, now: Mono, source: IpAddr) -> bool {
        self.sources.get(&source).and_then(|s| s.banned).is_some_and(|b| b.until > now)
    }

    /// Whether a digest for this account from here is weighed at all.
    #[must_use]
    pub fn weighs(&self, now: Mono, source: IpAddr, account: &str, place: Place) -> bool {
        match place {
            Place::Own => {
                let device = self.devices.get(&(source, account.to_owned()));
                device.is_none_or(|c| c.value(now) < OWN_MAX)
            }
            Place::Neighbour => self.sources.get(&source).is_none_or(|s| s.guesses.value(now) < GUESSES_MAX),
            Place::Stranger => self.accounts.get(account).is_none_or(|c| c.value(now) < ACCOUNT_MAX),
        }
    }

    /// Counts a failure. An address with a registered phone is never banned.
    pub fn failed(
        &mut self,
        now: Now,
        source: IpAddr,
        account: Option<&str>,
        failure: Failure,
        place: Place,
    ) -> Blame {
        if let (Failure::Guess, Some(account)) = (failure, account) {
            self.accounts.entry(account.to_owned()).or_default().add(now.mono);
            if place == Place::Own {
                self.devices.entry((source, account.to_owned())).or_default().add(now.mono);
            }
        }
        self.forget_oldest(now.mono);
        if place == Place::Own || (place == Place::Neighbour && failure != Failure::Guess) {
            return Blame::Nothing;
        }
        let entry = self.sources.entry(source).or_default();
        entry.touched = now.mono;
        let (count, limit) = match failure {
            Failure::Guess => (entry.guesses.add(now.mono), GUESSES_MAX),
            Failure::Knock => (entry.knocks.add(now.mono), KNOCKS_MAX),
            Failure::Strange => (entry.strange.add(now.mono), STRANGE_MAX),
        };
        match place {
            Place::Neighbour if count == limit => Blame::Silenced,
            Place::Stranger if count >= limit => Blame::Banned(ban(now, source, entry, failure, count)),
            Place::Stranger | Place::Neighbour | Place::Own => Blame::Nothing,
        }
    }

    /// A request of this source was authenticated: what looked strange before was a phone's first try.
    pub fn succeeded(&mut self, now: Now, source: IpAddr, account: &str) {
        self.devices.remove(&(source, account.to_owned()));
        if let Some(entry) = self.sources.get_mut(&source) {
            entry.strange = Count::default();
            entry.knocks = Count::default();
            entry.allowance.earn(now.mono);
        }
        self.proved.insert(source, now.wall);
        self.forget_proved();
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
    fn forget_proved(&mut self) {
        if self.proved.len() > PROVED_MAX {
            let mut times: Vec<Wall> = self.proved.values().copied().collect();
            let quarter = times.len() / 4;
            let limit = *times.select_nth_unstable(quarter).1;
            self.proved.retain(|_, at| *at > limit);
        }
    }

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
    entry.knocks = Count::default();
    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let until_wall = Wall(now.wall.0.saturating_add(millis));
    entry.banned = Some(Banned { until: now.mono + length, until_wall });
    let what = match failure {
        Failure::Guess => "wrong passwords",
        Failure::Knock | Failure::Strange => "requests without credentials",
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
        let guess = |guard: &mut Guard, t| {
            guard.failed(at(t), STRANGER, Some("101"), Failure::Guess, Place::Stranger)
        };
        assert!((0..19).all(|t| guess(&mut guard, t) == Blame::Nothing));
        let Blame::Banned(ban) = guess(&mut guard, 19) else { panic!("the 20th bans") };
        assert_eq!(ban.until, Wall(619_000));
        assert!(guard.silent(at(600).mono, STRANGER));
        assert!(!guard.silent(at(620).mono, STRANGER));
        let again = (700..720).map(|t| guess(&mut guard, t)).last();
        let Some(Blame::Banned(second)) = again else { panic!("again") };
        assert_eq!(second.until, Wall((719 + 1200) * 1000));
    }

    #[test]
    fn slow_guessing_over_hours_is_not_banned_and_a_success_forgives_first_tries() {
        let mut guard = Guard::default();
        for hour in 0..100 {
            let blame = guard.failed(at(hour * 3600), STRANGER, Some("101"), Failure::Guess, Place::Stranger);
            assert_eq!(blame, Blame::Nothing);
        }
        let strange =
            |guard: &mut Guard, t| guard.failed(at(t), STRANGER, None, Failure::Strange, Place::Stranger);
        assert!((0..59).all(|t| strange(&mut guard, t) == Blame::Nothing));
        guard.succeeded(at(59), STRANGER, "101");
        assert_eq!(strange(&mut guard, 59), Blame::Nothing);
    }

    #[test]
    fn guesses_beside_a_registered_phone_are_silenced_and_the_phone_goes_on() {
        let mut guard = Guard::default();
        let blames: Vec<Blame> = (0..100)
            .map(|t| guard.failed(at(t), STRANGER, Some("105"), Failure::Guess, Place::Neighbour))
            .collect();
        assert_eq!(blames.iter().filter(|b| **b == Blame::Silenced).count(), 1);
        assert!(!guard.silent(at(100).mono, STRANGER));
        assert!(!guard.weighs(at(100).mono, STRANGER, "106", Place::Neighbour));
        assert!(guard.weighs(at(100).mono, STRANGER, "101", Place::Own));
    }

    #[test]
    fn guesses_from_everywhere_slow_the_account_but_not_its_own_phone() {
        let mut guard = Guard::default();
        for i in 0..100u8 {
            let source = IpAddr::from([198, 51, 100, i]);
            guard.failed(at(i.into()), source, Some("101"), Failure::Guess, Place::Stranger);
        }
        assert!(!guard.weighs(at(100).mono, STRANGER, "101", Place::Stranger));
        assert!(guard.weighs(at(100).mono, STRANGER, "101", Place::Own));
        assert!(guard.weighs(at(800).mono, STRANGER, "101", Place::Stranger));
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
            guard.failed(
                at(u64::from(i)),
                IpAddr::from(i.to_be_bytes()),
                None,
                Failure::Strange,
                Place::Stranger,
            );
        }
        assert!(guard.sources.len() <= REMEMBERED_MAX + 1);
    }
}
