//! Signed-in browsers. The cookie is `__Host-belfry` with 128 random bits; only its SHA-256 is kept. A session is new at
//! every sign-in, ends after 30 idle minutes, after 24 hours, at sign-out, and when its user's password or role changes
//! or the user is removed. Sessions survive a restart of the control process through the store.
use crate::ports::Fault;
use crate::secret;
use model::clock::{Mono, Now};
use model::query::SessionRow;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Name of the cookie; the prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
pub const COOKIE: &str = "__Host-belfry";
/// Unused for this long, a session is dead (W3).
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Used or not, it is dead after this: longer than any shift.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The stored time of last use is renewed at most this often, so that a busy page does not wear the disk.
const STORE_EVERY: Duration = Duration::from_secs(60);
/// Sessions at once; the one longest unused goes first. Ten browsers for each of a hundred people.
const MOST: usize = 1000;

struct Live {
    row: SessionRow,
    /// Times before the process began saturate at 0, hence the idle time already spent is kept beside.
    seen: Mono,
    spent: Duration,
    began: Mono,
    age: Duration,
    stored: Mono,
}

impl Live {
    fn dead(&self, now: Mono) -> bool {
        now.since(self.seen) + self.spent >= IDLE || now.since(self.began) + self.age >= LONGEST
    }
}

/// What a request's cookie stands for.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose.
    pub user: String,
    /// Key of the session.
    pub cookie_hash: String,
    /// What a write must carry.
    pub csrf: String,
    /// Row to store again, when the stored time of last use is old.
    pub renew: Option<SessionRow>,
}

/// All of them.
pub struct Sessions {
    live: Mutex<BTreeMap<String, Live>>,
    ended: watch::Sender<u64>,
}

impl Sessions {
    /// Takes over those of the process before; dead ones are left out.
    #[must_use]
    pub fn load(rows: Vec<SessionRow>, now: Now) -> Sessions {
        let since = |at: model::clock::Wall| {
            Duration::from_millis(u64::try_from(now.wall.millis_since(at)).unwrap_or(0))
        };
        let alive = |row: SessionRow| {
            let (spent, age) = (since(row.seen), since(row.created));
            let live = Live { row, seen: now.mono, spent, began: now.mono, age, stored: now.mono };
            (!live.dead(now.mono)).then(|| (live.row.cookie_hash.clone(), live))
        };
        Sessions {
            live: Mutex::new(rows.into_iter().filter_map(alive).collect()),
            ended: watch::channel(0).0,
        }
    }

    /// A new session: the cookie's value and the row to store.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn begin(&self, user: &str, now: Now) -> Result<(String, SessionRow), Fault> {
        let cookie = secret::random_hex(16)?;
        let row = SessionRow {
            cookie_hash: secret::sha256_hex(&cookie),
            user: user.to_owned(),
            csrf: secret::random_hex(16)?,
            created: now.wall,
            seen: now.wall,
        };
        let mut live = self.lock();
        live.retain(|_, s| !s.dead(now.mono));
        if live.len() >= MOST {
            let oldest = live.values().min_by_key(|s| s.seen).map(|s| s.row.cookie_hash.clone());
            oldest.and_then(|key| live.remove(&key));
        }
        let entry = Live {
            row: row.clone(),
            seen: now.mono,
            spent: Duration::ZERO,
            began: now.mono,
            age: Duration::ZERO,
            stored: now.mono,
        };
        live.insert(row.cookie_hash.clone(), entry);
        Ok((cookie, row))
    }

    /// The session of a cookie, marked as used now.
    pub fn find(&self, cookie: &str, now: Now) -> Option<Found> {
        self.touch(&secret::sha256_hex(cookie), now)
    }

    /// The same by the key, for a live socket whose page is in use.
    pub fn touch(&self, key: &str, now: Now) -> Option<Found> {
        let mut live = self.lock();
        let session = live.get_mut(key)?;
        if session.dead(now.mono) {
            live.remove(key);
            return None;
        }
        session.seen = now.mono;
        session.spent = Duration::ZERO;
        session.row.seen = now.wall;
        let due = now.mono.since(session.stored) >= STORE_EVERY;
        if due {
            session.stored = now.mono;
        }
        Some(Found {
            user: session.row.user.clone(),
            cookie_hash: session.row.cookie_hash.clone(),
            csrf: session.row.csrf.clone(),
            renew: due.then(|| session.row.clone()),
        })
    }

    /// Whether it still lives; does not count as use.
    #[must_use]
    pub fn alive(&self, key: &str, now: Mono) -> bool {
        self.lock().get(key).is_some_and(|s| !s.dead(now))
    }

    /// Ends one.
    pub fn end(&self, key: &str) {
        self.lock().remove(key);
        self.announce();
    }

    /// Ends all of a user but `keep`; their keys, to be removed from the store.
    pub fn end_of(&self, user: &str, keep: Option<&str>) -> Vec<String> {
        let mut live = self.lock();
        let gone: Vec<String> = live
            .values()
            .filter(|s| s.row.user == user && Some(s.row.cookie_hash.as_str()) != keep)
            .map(|s| s.row.cookie_hash.clone())
            .collect();
        gone.iter().for_each(|key| drop(live.remove(key)));
        drop(live);
        self.announce();
        gone
    }

    /// Changes whenever a session was ended by somebody; live sockets then look at their own.
    #[must_use]
    pub fn watch_ends(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Makes live sockets look whether their session or token still holds.
    pub fn announce(&self) {
        self.ended.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `Set-Cookie` value that signs in.
#[must_use]
pub fn set_cookie(value: &str) -> String {
    format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// The `Set-Cookie` value that signs out.
#[must_use]
pub fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// Our cookie in a `Cookie` header.
#[must_use]
pub fn cookie_of(header: &str) -> Option<&str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(k, _)| *k == COOKIE)
        .map(|(_, v)| v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;

    fn at(s: u64) -> Now {
        Now { mono: Mono(s * 1_000_000), wall: Wall(i64::try_from(s).unwrap() * 1000 + 1_700_000_000_000) }
    }

    #[test]
    fn a_session_lives_while_used_and_dies_after_thirty_idle_minutes() {
        let sessions = Sessions::load(Vec::new(), at(0));
        let (cookie, _) = sessions.begin("anna", at(0)).unwrap();
        assert_eq!(cookie.len(), 32, "128 bits");
        for minute in 1..=29 {
            assert!(sessions.find(&cookie, at(minute * 60)).is_some());
        }
        assert!(sessions.find(&cookie, at((29 + 29) * 60)).is_some());
        assert!(sessions.find(&cookie, at((58 + 30) * 60)).is_none());
        assert!(sessions.find(&cookie, at((58 + 30) * 60 + 1)).is_none(), "dead stays dead");
        assert!(sessions.find("0123", at(1)).is_none());
    }

    #[test]
    fn nothing_outlives_a_day() {
        let sessions = Sessions::load(Vec::new(), at(0));
        let (cookie, _) = sessions.begin("anna", at(0)).unwrap();
        for quarter in 1..96 {
            assert!(sessions.find(&cookie, at(quarter * 900)).is_some(), "quarter {quarter}");
        }
        assert!(sessions.find(&cookie, at(96 * 900)).is_none());
    }

    #[test]
    fn a_restart_keeps_the_living_with_their_idle_time() {
        let before = Sessions::load(Vec::new(), at(0));
        let (cookie, row) = before.begin("anna", at(0)).unwrap();
        let now = Now { mono: Mono(5), wall: at(20 * 60).wall };
        let after = Sessions::load(vec![row.clone()], now);
        let later = |s: u64| Now { mono: Mono(5 + s * 1_000_000), wall: at(20 * 60 + s).wall };
        assert!(!after.alive(&row.cookie_hash, later(601).mono), "twenty minutes were spent before");
        assert!(after.find(&cookie, later(599)).is_some());
        let late = Sessions::load(vec![row], Now { mono: Mono(5), wall: at(31 * 60).wall });
        assert!(late.find(&cookie, Now { mono: Mono(6), wall: at(31 * 60).wall }).is_none());
    }

    #[test]
    fn ending_a_user_spares_the_one_that_asked() {
        let sessions = Sessions::load(Vec::new(), at(0));
        let (one, row) = sessions.begin("anna", at(0)).unwrap();
        let (two, _) = sessions.begin("anna", at(0)).unwrap();
        let (other, _) = sessions.begin("bert", at(0)).unwrap();
        assert_eq!(sessions.end_of("anna", Some(&row.cookie_hash)).len(), 1);
        assert!(sessions.find(&one, at(1)).is_some());
        assert!(sessions.find(&two, at(1)).is_none());
        assert!(sessions.find(&other, at(1)).is_some());
    }

    #[test]
    fn the_store_is_told_once_a_minute() {
        let sessions = Sessions::load(Vec::new(), at(0));
        let (cookie, _) = sessions.begin("anna", at(0)).unwrap();
        let writes = (1..=120).filter(|&s| sessions.find(&cookie, at(s)).unwrap().renew.is_some()).count();
        assert_eq!(writes, 2);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(cookie_of("a=b; __Host-belfry=42; c=d"), Some("42"));
        assert_eq!(cookie_of("__Host-belfryx=1; x=__Host-belfry"), None);
        assert!(set_cookie("1").contains("HttpOnly") && set_cookie("1").contains("SameSite=Strict"));
    }
}
