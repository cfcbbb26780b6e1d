//! Digest authentication (RFC 7616, RFC 8760): values of challenges and credentials, and the sums. `client` answers
//! challenges, `server` makes and judges them. qop is `auth`; algorithms are SHA-256 and MD5. Keeps no password longer
//! than its owner.
use crate::ids::hex;
use crate::scan;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fmt;

pub mod client;
pub mod server;

pub use server::{Nonces, Verdict};

/// A user name and password for challenges.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.username)
    }
}

/// The sum a digest is made with, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5: only for phones that know nothing better.
    Md5,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// The word of the `algorithm` parameter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn read(text: Option<&str>) -> Option<Algorithm> {
        match text {
            None => Some(Algorithm::Md5),
            Some(t) if t.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            Some(t) if t.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }

    fn sum(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// What goes into the sum besides user, password and realm.
#[derive(Clone, Copy, Debug)]
pub struct Sum<'a> {
    /// Which sum.
    pub algorithm: Algorithm,
    /// The server's nonce.
    pub nonce: &'a str,
    /// `(nc as 8 digits, cnonce)` with `qop=auth`; none without qop (RFC 2069).
    pub qop_auth: Option<(&'a str, &'a str)>,
    /// The request's method.
    pub method: &'a str,
    /// The digest-uri.
    pub uri: &'a str,
}

/// The `response` of RFC 7616 section 3.4.1.
#[must_use]
pub fn response(username: &str, realm: &str, password: &str, sum: &Sum<'_>) -> String {
    let a = sum.algorithm;
    let ha1 = a.sum(&format!("{username}:{realm}:{password}"));
    let ha2 = a.sum(&format!("{}:{}", sum.method, sum.uri));
    match sum.qop_auth {
        Some((nc, cnonce)) => a.sum(&format!("{ha1}:{}:{nc}:{cnonce}:auth:{ha2}", sum.nonce)),
        None => a.sum(&format!("{ha1}:{}:{ha2}", sum.nonce)),
    }
}

/// The comma-separated parameters after the scheme word `Digest`; none for another scheme.
fn digest_params(value: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let pairs = scan::list(rest).filter_map(|item| {
        let (name, value) = item.split_once('=')?;
        Some((scan::trim(name), scan::unquote(scan::trim(value))))
    });
    Some(pairs.collect())
}

fn find<'a>(params: &'a [(&str, Cow<'_, str>)], name: &str) -> Option<&'a str> {
    params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 section 3.9.1.
    #[test]
    fn vectors_of_rfc_7616() {
        let sum = |algorithm| Sum {
            algorithm,
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            qop_auth: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            method: "GET",
            uri: "/dir/index.html",
        };
        let answer = |a| response("Mufasa", "http-auth@example.org", "Circle of Life", &sum(a));
        assert_eq!(answer(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            answer(Algorithm::Sha256),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    /// RFC 2617 section 3.5 (with qop) and the same without qop as RFC 2069 makes it.
    #[test]
    fn vector_of_rfc_2617() {
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let sum = Sum {
            algorithm: Algorithm::Md5,
            nonce,
            qop_auth: Some(("00000001", "0a4f113b")),
            method: "GET",
            uri: "/dir/index.html",
        };
        assert_eq!(
            response("Mufasa", "testrealm@host.com", "Circle Of Life", &sum),
            "6629fae49393a05397450978507c4ef1"
        );
        let old = Sum { qop_auth: None, ..sum };
        assert_eq!(
            response("Mufasa", "testrealm@host.com", "Circle Of Life", &old),
            "670fd8c2df070c60b045671b8b24ff02"
        );
    }

    #[test]
    fn parameters_may_hold_commas() {
        let p = digest_params("Digest realm=\"a, b\", nonce = \"x=y\",qop=auth").unwrap();
        assert_eq!(
            (find(&p, "realm"), find(&p, "NONCE"), find(&p, "qop")),
            (Some("a, b"), Some("x=y"), Some("auth"))
        );
        assert!(digest_params("Basic abc").is_none());
        assert!(digest_params("Digest").is_none());
    }
}
