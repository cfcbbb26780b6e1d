//! Makes challenges and judges answers. A nonce is fresh each time, carries its own proof (no state before a right
//! password), is bound to the source address and lives 60 s; each `nc` is taken once. An unknown user costs the same
//! work and gets the same verdict as a wrong password. Never decides who may do what.
use super::{Algorithm, Sum, digest_params, find, response};
use crate::ids::hex;
use crate::limits::{NONCE_LIFETIME, NONCES_MAX};
use model::clock::{Mono, Now};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What an answer to a challenge is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password was right. Who it is: never trust From for that.
    Right {
        /// The user name.
        user: String,
        /// How it was proved.
        algorithm: Algorithm,
    },
    /// The nonce is too old, from elsewhere or used before: challenge again with `stale`.
    Stale,
    /// No answer for our realm: challenge.
    Missing,
    /// Wrong password, unknown user, or an answer we cannot judge: challenge again, and count it.
    Wrong {
        /// The user name that was tried; empty when none was named.
        user: String,
    },
}

/// Makes and remembers nonces.
#[derive(Debug)]
pub struct Nonces {
    secret: [u8; 32],
    next: u64,
    /// Nonces that were used rightly: when made, highest `nc`.
    used: BTreeMap<u64, (Mono, u32)>,
    /// Nonces up to here are spent unless in `used`.
    floor: u64,
}

const NONCE_DIGITS: usize = 16 + 16 + 32;

impl Nonces {
    /// Nonces under a secret (`Ids::secret("nonce")`).
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Nonces {
        Nonces { secret, next: 1, used: BTreeMap::new(), floor: 0 }
    }

    /// Header lines of a 401: one challenge for each algorithm, in the order given (strongest first).
    #[must_use]
    pub fn challenge(
        &mut self,
        now: Now,
        source: IpAddr,
        realm: &str,
        stale: bool,
        algorithms: &[Algorithm],
    ) -> Vec<(String, String)> {
        let nonce = self.nonce(now, source);
        let stale = if stale { ", stale=true" } else { "" };
        let realm = crate::scan::quote(realm);
        let line = |a: &Algorithm| {
            format!("Digest realm={realm}, nonce=\"{nonce}\", qop=\"auth\", algorithm={}{stale}", a.as_str())
        };
        algorithms.iter().map(|a| ("WWW-Authenticate".to_owned(), line(a))).collect()
    }

    /// Judges the Authorization values of a request. `password_of` knows the passwords of `realm`.
    pub fn check<'a>(
        &mut self,
        now: Now,
        source: IpAddr,
        realm: &str,
        method: &str,
        values: impl Iterator<Item = &'a str>,
        password_of: impl Fn(&str) -> Option<String>,
    ) -> Verdict {
        let mut ours = values.filter_map(digest_params).filter(|p| find(p, "realm") == Some(realm));
        let Some(params) = ours.next() else { return Verdict::Missing };
        let user = find(&params, "username").unwrap_or_default().to_owned();
        let Some(answer) = read_answer(&params) else { return Verdict::Wrong { user } };
        let Some(count) = self.admits(now, source, &answer) else { return Verdict::Stale };
        // The work is the same for an unknown user: a password nobody has.
        let known = password_of(&user);
        let password = known.clone().unwrap_or_else(|| hex(&self.secret));
        let sum = Sum {
            algorithm: answer.algorithm,
            nonce: answer.nonce,
            qop_auth: answer.qop_auth,
            method,
            uri: answer.uri,
        };
        let right = same(&response(&user, realm, &password, &sum), answer.response);
        if !(right && known.is_some()) {
            return Verdict::Wrong { user };
        }
        self.spend(now, count, answer.nc);
        Verdict::Right { user, algorithm: answer.algorithm }
    }

    fn nonce(&mut self, now: Now, source: IpAddr) -> String {
        let count = self.next;
        self.next += 1;
        self.write(count, now.mono, source)
    }

    fn write(&self, count: u64, at: Mono, source: IpAddr) -> String {
        let proof = self.proof(count, at, source);
        format!("{count:016x}{:016x}{}", at.0, hex(&proof[..16]))
    }

    fn proof(&self, count: u64, at: Mono, source: IpAddr) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(count.to_le_bytes());
        hash.update(at.0.to_le_bytes());
        hash.update(source.to_canonical().to_string());
        // Hashed twice, so that the proof of one text says nothing about a longer one.
        Sha256::digest(hash.finalize()).into()
    }

    /// The number of the nonce, when it is ours, young, from this source and not used with this `nc`.
    fn admits(&self, now: Now, source: IpAddr, answer: &Answer<'_>) -> Option<u64> {
        if answer.nonce.len() != NONCE_DIGITS || !answer.nonce.is_ascii() {
            return None;
        }
        let count = u64::from_str_radix(&answer.nonce[..16], 16).ok()?;
        let at = Mono(u64::from_str_radix(&answer.nonce[16..32], 16).ok()?);
        let genuine = same(&self.write(count, at, source), answer.nonce);
        let young = at <= now.mono && now.mono.since(at) <= NONCE_LIFETIME;
        let fresh = match self.used.get(&count) {
            Some((_, highest)) => answer.nc > *highest,
            None => count > self.floor,
        };
        (genuine && young && fresh).then_some(count)
    }

    fn spend(&mut self, now: Now, count: u64, nc: u32) {
        self.used.insert(count, (now.mono, nc));
        while let Some(oldest) = self.used.first_entry() {
            let expired = now.mono.since(oldest.get().0) > NONCE_LIFETIME * 2;
            if !expired && self.used.len() <= NONCES_MAX {
                break;
            }
            if let Some((count, _)) = self.used.pop_first() {
                self.floor = self.floor.max(count);
            }
        }
    }
}

struct Answer<'a> {
    algorithm: Algorithm,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    qop_auth: Option<(&'a str, &'a str)>,
    /// Without qop a nonce can be used once.
    nc: u32,
}

fn read_answer<'a>(params: &'a [(&str, std::borrow::Cow<'_, str>)]) -> Option<Answer<'a>> {
    let (qop_auth, nc) = match find(params, "qop") {
        Some(qop) if qop.eq_ignore_ascii_case("auth") => {
            let nc = find(params, "nc").filter(|nc| nc.len() == 8)?;
            (Some((nc, find(params, "cnonce")?)), u32::from_str_radix(nc, 16).ok().filter(|n| *n > 0)?)
        }
        Some(_) => return None,
        None => (None, u32::MAX),
    };
    Some(Answer {
        algorithm: Algorithm::read(find(params, "algorithm"))?,
        nonce: find(params, "nonce")?,
        uri: find(params, "uri")?,
        response: find(params, "response")?,
        qop_auth,
        nc,
    })
}

/// Compares in a time that does not tell where the texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes().zip(b.bytes()).fold(0, |diff, (x, y)| diff | (x ^ y.to_ascii_lowercase())) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Credentials;
    use crate::digest::client::Challenge;
    use std::time::Duration;

    const SOURCE: &str = "192.0.2.9";

    struct Bench {
        nonces: Nonces,
        now: Now,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { nonces: Nonces::new([7; 32]), now: Now { mono: Mono(5_000_000), ..Now::default() } }
        }

        fn challenge(&mut self) -> Vec<(String, String)> {
            self.nonces.challenge(
                self.now,
                SOURCE.parse().unwrap(),
                "belfry",
                false,
                &[Algorithm::Sha256, Algorithm::Md5],
            )
        }

        fn answer(&mut self, which: usize, user: &str, password: &str, nc: u32) -> String {
            let value = self.challenge()[which].1.clone();
            let who = Credentials { username: user.into(), password: password.into() };
            Challenge::read(&value).unwrap().answer(&who, "REGISTER", "sip:belfry", nc, "cn")
        }

        fn judge(&mut self, source: &str, method: &str, value: &str) -> Verdict {
            let of = |user: &str| (user == "101").then(|| "secret".to_owned());
            self.nonces.check(self.now, source.parse().unwrap(), "belfry", method, [value].into_iter(), of)
        }
    }

    fn right() -> Verdict {
        Verdict::Right { user: "101".into(), algorithm: Algorithm::Sha256 }
    }

    fn right_by_md5() -> Verdict {
        Verdict::Right { user: "101".into(), algorithm: Algorithm::Md5 }
    }

    #[test]
    fn both_sums_are_taken_and_the_stronger_is_offered_first() {
        let mut b = Bench::new();
        let lines = b.challenge();
        assert!(lines[0].1.contains("algorithm=SHA-256") && lines[1].1.contains("algorithm=MD5"));
        for (which, verdict) in [(0, right()), (1, right_by_md5())] {
            let value = b.answer(which, "101", "secret", 1);
            assert_eq!(b.judge(SOURCE, "REGISTER", &value), verdict);
        }
    }

    #[test]
    fn nonces_are_fresh_each_time() {
        let mut b = Bench::new();
        assert_ne!(b.challenge(), b.challenge());
    }

    #[test]
    fn replay_is_refused_and_the_next_count_is_not() {
        let mut b = Bench::new();
        let value = b.challenge()[0].1.clone();
        let challenge = Challenge::read(&value).unwrap();
        let who = Credentials { username: "101".into(), password: "secret".into() };
        let say = |nc| challenge.answer(&who, "REGISTER", "sip:belfry", nc, "cn");
        assert_eq!(b.judge(SOURCE, "REGISTER", &say(1)), right());
        assert_eq!(b.judge(SOURCE, "REGISTER", &say(1)), Verdict::Stale);
        assert_eq!(b.judge(SOURCE, "REGISTER", &say(2)), right());
    }

    #[test]
    fn bound_to_source_time_and_method() {
        let mut b = Bench::new();
        let value = b.answer(0, "101", "secret", 1);
        assert_eq!(b.judge("192.0.2.10", "REGISTER", &value), Verdict::Stale, "from elsewhere");
        assert_eq!(
            b.judge(SOURCE, "INVITE", &value),
            Verdict::Wrong { user: "101".into() },
            "for another method"
        );
        b.now.mono = b.now.mono + Duration::from_secs(61);
        assert_eq!(b.judge(SOURCE, "REGISTER", &value), Verdict::Stale, "too late");
    }

    #[test]
    fn unknown_user_and_wrong_password_look_the_same() {
        let mut b = Bench::new();
        let wrong = b.answer(0, "101", "guess", 1);
        let unknown = b.answer(0, "999", "guess", 1);
        assert_eq!(b.judge(SOURCE, "REGISTER", &wrong), Verdict::Wrong { user: "101".into() });
        assert_eq!(b.judge(SOURCE, "REGISTER", &unknown), Verdict::Wrong { user: "999".into() });
    }

    #[test]
    fn other_realms_are_no_answer_and_junk_is_wrong() {
        let mut b = Bench::new();
        assert_eq!(
            b.judge(SOURCE, "REGISTER", "Digest username=\"101\", realm=\"other\", nonce=\"1\""),
            Verdict::Missing
        );
        assert_eq!(b.judge(SOURCE, "REGISTER", "NoOneKnowsThisScheme opaque-data=here"), Verdict::Missing);
        assert_eq!(
            b.judge(SOURCE, "REGISTER", "Digest username=\"101\", realm=\"belfry\""),
            Verdict::Wrong { user: "101".into() }
        );
        assert_eq!(
            b.judge(
                SOURCE,
                "REGISTER",
                "Digest username=\"101\", realm=\"belfry\", nonce=\"é\", uri=\"x\", response=\"y\""
            ),
            Verdict::Stale
        );
    }

    #[test]
    fn an_answer_without_qop_can_be_used_once() {
        let mut b = Bench::new();
        let value = b.challenge()[1].1.replace(", qop=\"auth\"", "");
        let who = Credentials { username: "101".into(), password: "secret".into() };
        let value = Challenge::read(&value).unwrap().answer(&who, "REGISTER", "sip:belfry", 1, "cn");
        assert_eq!(b.judge(SOURCE, "REGISTER", &value), right_by_md5());
        assert_eq!(b.judge(SOURCE, "REGISTER", &value), Verdict::Stale);
    }

    #[test]
    fn memory_is_bounded_and_forgotten_nonces_are_spent() {
        let mut b = Bench::new();
        let first = b.answer(0, "101", "secret", 1);
        assert_eq!(b.judge(SOURCE, "REGISTER", &first), right());
        for count in 0..NONCES_MAX as u64 + 5 {
            b.nonces.spend(b.now, 10 + count, 1);
        }
        assert_eq!(b.nonces.used.len(), NONCES_MAX);
        assert_eq!(b.judge(SOURCE, "REGISTER", &first), Verdict::Stale);
    }
}
