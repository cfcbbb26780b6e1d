//! Answers challenges (401, 407) for our own requests. Takes the strongest one it knows of each realm.
use super::{Algorithm, Credentials, Sum, digest_params, find, response};
use crate::scan;

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose passwords.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// Goes back unchanged.
    pub opaque: Option<String>,
    /// Which sum.
    pub algorithm: Algorithm,
    /// Whether `qop=auth` is offered.
    pub qop_auth: bool,
    /// Only the nonce was too old; the password was right.
    pub stale: bool,
}

impl Challenge {
    /// Reads the value of WWW-Authenticate or Proxy-Authenticate; none when it cannot be answered (other scheme,
    /// other algorithm, only `auth-int`).
    #[must_use]
    pub fn read(value: &str) -> Option<Challenge> {
        let params = digest_params(value)?;
        let algorithm = Algorithm::read(find(&params, "algorithm"))?;
        let qop = find(&params, "qop");
        let qop_auth = qop.is_some_and(|q| q.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some_and(|q| !q.trim().is_empty()) && !qop_auth {
            return None;
        }
        Some(Challenge {
            realm: find(&params, "realm").unwrap_or_default().to_owned(),
            nonce: find(&params, "nonce")?.to_owned(),
            opaque: find(&params, "opaque").map(str::to_owned),
            algorithm,
            qop_auth,
            stale: find(&params, "stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }

    /// The value of Authorization or Proxy-Authorization. `nc` counts the uses of this nonce from 1.
    #[must_use]
    pub fn answer(&self, who: &Credentials, method: &str, uri: &str, nc: u32, cnonce: &str) -> String {
        let nc = format!("{nc:08x}");
        let qop_auth = self.qop_auth.then_some((nc.as_str(), cnonce));
        let sum = Sum { algorithm: self.algorithm, nonce: &self.nonce, qop_auth, method, uri };
        let sum = response(&who.username, &self.realm, &who.password, &sum);
        let quoted = |name: &str, value: &str| format!("{name}={}", scan::quote(value));
        let mut parts = vec![
            quoted("username", &who.username),
            quoted("realm", &self.realm),
            quoted("nonce", &self.nonce),
            quoted("uri", uri),
            quoted("response", &sum),
            format!("algorithm={}", self.algorithm.as_str()),
        ];
        parts.extend(self.opaque.as_deref().map(|o| quoted("opaque", o)));
        if self.qop_auth {
            parts.extend(["qop=auth".to_owned(), format!("nc={nc}"), quoted("cnonce", cnonce)]);
        }
        format!("Digest {}", parts.join(", "))
    }
}

/// The strongest challenge of each realm.
#[must_use]
pub fn strongest<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let mut best: Vec<Challenge> = Vec::new();
    for challenge in values.filter_map(Challenge::read) {
        match best.iter_mut().find(|b| b.realm == challenge.realm) {
            Some(known) if known.algorithm < challenge.algorithm => *known = challenge,
            Some(_) => {}
            None => best.push(challenge),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_of_each_realm_is_answered() {
        let best = strongest(
            [
                "Digest realm=\"a\",nonce=\"1\",algorithm=MD5",
                "Digest realm=\"a\",nonce=\"2\",algorithm=SHA-256,qop=\"auth,auth-int\"",
                "Digest realm=\"a\",nonce=\"3\",algorithm=SHA-512-256",
                "Basic x",
                "Digest realm=\"b\",nonce=\"4\"",
            ]
            .into_iter(),
        );
        assert_eq!(best.iter().map(|c| c.nonce.as_str()).collect::<Vec<_>>(), ["2", "4"]);
        assert!(best[0].qop_auth && !best[1].qop_auth);
        assert_eq!(Challenge::read("Digest realm=\"a\",nonce=\"1\",qop=\"auth-int\""), None);
    }

    #[test]
    fn the_answer_carries_everything_back() {
        let c = Challenge::read(
            "Digest realm=\"r\", nonce=\"n\", opaque=\"o\\\"p\", qop=\"auth\", algorithm=md5, stale=TRUE",
        )
        .unwrap();
        assert!(c.stale);
        let who = Credentials { username: "u".into(), password: "p".into() };
        let text = c.answer(&who, "REGISTER", "sip:h", 2, "cn");
        assert!(
            text.starts_with("Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\""),
            "{text}"
        );
        assert!(
            text.ends_with("algorithm=MD5, opaque=\"o\\\"p\", qop=auth, nc=00000002, cnonce=\"cn\""),
            "{text}"
        );
    }
}
