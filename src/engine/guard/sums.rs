//! Which digest is offered to whom, and whether an answer with MD5 counts (S7). SHA-256 comes first. MD5 is for makes that
//! the site names as old, and for phones that have shown that they cannot read SHA-256: they asked again without an
//! answer, or answered with MD5 all the same. Whoever has once answered with SHA-256 is never offered MD5 again. A phone is
//! known by its address and by what it calls itself; nothing here depends on whether an account exists.
use model::clock::Mono;
use model::record::{BindingRecord, Digest};
use sip::digest::Algorithm;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Phones remembered; the table is emptied when it is full, and phones show again what they can. Three for each of 5,000.
const PHONES_MAX: usize = 16_384;
/// Characters kept of what a phone calls itself, of an account and of a Call-ID.
const TEXT_MAX: usize = 80;
/// A phone that is refused asks again every minute.
const TOLD_EVERY: Duration = Duration::from_secs(3600);
/// The word of the setting that stands for phones that do not say what they are.
const UNNAMED: &str = "unnamed";

/// One phone at the door.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    /// Where it is.
    pub source: IpAddr,
    /// What it calls itself.
    pub make: &'a str,
    /// For whom it says it speaks.
    pub account: &'a str,
    /// The method of its request: each is asked about by itself.
    pub method: &'a str,
}

/// What is known of phones.
#[derive(Debug, Default)]
pub struct Sums {
    known: BTreeMap<(IpAddr, String), Digest>,
    asking: BTreeMap<(IpAddr, String, String), Asking>,
    told: Option<Mono>,
}

/// A phone that was challenged and has not answered.
#[derive(Clone, Debug)]
struct Asking {
    call_id: String,
    cseq: u32,
    offer: Digest,
}

impl Sums {
    /// Takes over what phones answered in earlier runs.
    pub fn restore<'a>(&mut self, bindings: impl Iterator<Item = &'a BindingRecord>) {
        for binding in bindings {
            if let Some(digest) = binding.digest {
                self.note(binding.address.ip(), &binding.user_agent, digest);
            }
        }
    }

    /// What a challenge offers to this phone. `old`: the makes that the site names.
    #[must_use]
    pub fn offer(&self, old: &[String], device: Device<'_>) -> &'static [Algorithm] {
        match self.rung(old, device) {
            Digest::Sha256 => &[Algorithm::Sha256],
            Digest::Md5 => &[Algorithm::Sha256, Algorithm::Md5],
            Digest::Md5Alone => &[Algorithm::Md5],
        }
    }

    /// A request came without an answer to a challenge. The same request again is a lost packet; a new one after a
    /// challenge is a phone that could not read it, and is offered more.
    pub fn unanswered(&mut self, old: &[String], device: Device<'_>, call_id: &str, cseq: u32) {
        let repeated = self.asking.get(&key(device));
        if repeated.is_some_and(|a| a.cseq == cseq && call_id.starts_with(&a.call_id)) {
            return;
        }
        let offer = match repeated {
            Some(_) => weaker(self.rung(old, device)),
            None => self.rung(old, device),
        };
        if self.asking.len() >= PHONES_MAX {
            self.asking.clear();
        }
        self.asking.insert(key(device), Asking { call_id: cut(call_id), cseq, offer });
    }

    /// A password was proved. Says how the phone is to be remembered; none: with MD5, which it was not offered. Then
    /// it is asked again, with MD5 offered beside SHA-256 unless it is known to read that.
    pub fn answered(&mut self, old: &[String], device: Device<'_>, algorithm: Algorithm) -> Option<Digest> {
        let rung = self.rung(old, device);
        let asking = self.asking.remove(&key(device));
        let digest = match algorithm {
            Algorithm::Sha256 => Digest::Sha256,
            Algorithm::Md5 if rung != Digest::Sha256 => rung,
            Algorithm::Md5 => {
                if !self.is_strong(device) {
                    let (call_id, cseq) = asking.map(|a| (a.call_id, a.cseq)).unwrap_or_default();
                    self.asking.insert(key(device), Asking { call_id, cseq, offer: Digest::Md5 });
                }
                return None;
            }
        };
        if !is_old(old, device.make) {
            self.note(device.source, device.make, digest);
        }
        Some(digest)
    }

    /// Whether a refused MD5 is worth telling the installer: once an hour.
    pub fn worth_telling(&mut self, now: Mono) -> bool {
        let due = self.told.is_none_or(|at| now.since(at) > TOLD_EVERY);
        if due {
            self.told = Some(now);
        }
        due
    }

    fn rung(&self, old: &[String], device: Device<'_>) -> Digest {
        if is_old(old, device.make) {
            return Digest::Md5Alone;
        }
        let known = self.known.get(&(device.source, cut(device.make))).copied();
        match known {
            Some(Digest::Sha256) => Digest::Sha256,
            Some(Digest::Md5 | Digest::Md5Alone) | None => {
                let asked = self.asking.get(&key(device)).map(|a| a.offer);
                asked.or(known).unwrap_or(Digest::Sha256)
            }
        }
    }

    fn is_strong(&self, device: Device<'_>) -> bool {
        self.known.get(&(device.source, cut(device.make))) == Some(&Digest::Sha256)
    }

    /// Phones that do not name themselves cannot be told apart: nothing is remembered of them.
    fn note(&mut self, source: IpAddr, make: &str, digest: Digest) {
        if make.is_empty() {
            return;
        }
        if self.known.len() >= PHONES_MAX {
            self.known.clear();
        }
        let known = self.known.entry((source, cut(make))).or_insert(digest);
        if *known != Digest::Sha256 {
            *known = digest;
        }
    }
}

fn weaker(offer: Digest) -> Digest {
    match offer {
        Digest::Sha256 => Digest::Md5,
        Digest::Md5 | Digest::Md5Alone => Digest::Md5Alone,
    }
}

/// Whether the site names this make as one that understands only MD5.
fn is_old(old: &[String], make: &str) -> bool {
    match make.is_empty() {
        true => old.iter().any(|o| o == UNNAMED),
        false => old.iter().any(|o| make.starts_with(o.as_str())),
    }
}

fn key(device: Device<'_>) -> (IpAddr, String, String) {
    (device.source, cut(device.make), cut(&format!("{} {}", device.method, device.account)))
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Algorithm::{Md5, Sha256};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 11));

    fn phone(make: &str) -> Device<'_> {
        Device { source: HERE, make, account: "101", method: "REGISTER" }
    }

    fn old() -> Vec<String> {
        vec!["Old 1/".into()]
    }

    #[test]
    fn only_makes_that_the_site_names_get_md5_at_once() {
        let sums = Sums::default();
        let unnamed = vec![UNNAMED.to_owned()];
        let table: [(&[String], &str, &[Algorithm]); 5] = [
            (&old(), "Old 1/3.0", &[Md5]),
            (&old(), "New Old 1/", &[Sha256]),
            (&old(), "Desk 7", &[Sha256]),
            (&old(), "", &[Sha256]),
            (&unnamed, "", &[Md5]),
        ];
        for (makes, make, offered) in table {
            assert_eq!(sums.offer(makes, phone(make)), offered, "{make:?}");
        }
    }

    #[test]
    fn who_asks_again_without_an_answer_is_offered_more_and_a_repeated_packet_is_no_question() {
        let mut sums = Sums::default();
        let steps: [(u32, &[Algorithm]); 6] = [
            (1, &[Sha256]),
            (1, &[Sha256]),
            (2, &[Sha256, Md5]),
            (2, &[Sha256, Md5]),
            (3, &[Md5]),
            (4, &[Md5]),
        ];
        for (cseq, offered) in steps {
            sums.unanswered(&old(), phone("Desk 7"), "a@b", cseq);
            assert_eq!(sums.offer(&old(), phone("Desk 7")), offered, "request {cseq}");
        }
        let colleague = Device { account: "102", ..phone("Desk 7") };
        assert_eq!(sums.offer(&old(), colleague), [Sha256], "another phone of that make");
    }

    #[test]
    fn a_phone_that_answered_md5_keeps_the_offer_that_it_could_read() {
        let mut sums = Sums::default();
        for cseq in 1..=2 {
            sums.unanswered(&old(), phone("Desk 7"), "a", cseq);
        }
        assert_eq!(sums.answered(&old(), phone("Desk 7"), Md5), Some(Digest::Md5));
        sums.unanswered(&old(), phone("Desk 7"), "a", 9);
        assert_eq!(sums.offer(&old(), phone("Desk 7")), [Sha256, Md5]);
    }

    #[test]
    fn who_answered_sha_256_is_never_offered_md5_again_whatever_it_asks() {
        let mut sums = Sums::default();
        assert_eq!(sums.answered(&old(), phone("Desk 7"), Sha256), Some(Digest::Sha256));
        for cseq in 1..=9 {
            sums.unanswered(&old(), phone("Desk 7"), "a", cseq);
            assert_eq!(sums.offer(&old(), phone("Desk 7")), [Sha256]);
        }
        assert_eq!(sums.answered(&old(), phone("Desk 7"), Md5), None, "nor is it taken from it");
        assert_eq!(sums.offer(&old(), phone("Desk 7")), [Sha256]);
    }

    #[test]
    fn an_md5_that_was_not_offered_is_asked_for_again_once() {
        let mut sums = Sums::default();
        sums.unanswered(&old(), phone("Desk 7"), "a", 1);
        assert_eq!(sums.answered(&old(), phone("Desk 7"), Md5), None);
        assert_eq!(sums.offer(&old(), phone("Desk 7")), [Sha256, Md5]);
        assert_eq!(sums.answered(&old(), phone("Desk 7"), Md5), Some(Digest::Md5));
    }

    #[test]
    fn the_tables_have_an_end() {
        let mut sums = Sums::default();
        for i in 0..40_000u32 {
            let make = format!("make {i}");
            sums.unanswered(&old(), phone(&make), "a", 1);
            sums.answered(&old(), Device { account: "102", ..phone(&make) }, Sha256);
        }
        assert!(sums.known.len() <= PHONES_MAX && sums.asking.len() <= PHONES_MAX);
    }
}
