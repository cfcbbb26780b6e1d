//! What the SIP door tells from a message before anything is proved: where its sender stands, whether it may hear an answer
//! at all, whether it asks for us, and which challenge its make can read. Counts with the guard; admits nobody.
use super::Engine;
use crate::guard::Place;
use model::clock::Now;
use sip::digest::Algorithm;
use sip::{Flow, Request, Scheme};
use std::net::IpAddr;
use std::time::Duration;

/// A name that is not ours is told at most this often.
const OTHER_NAMES_EVERY: Duration = Duration::from_secs(3600);

impl Engine {
    /// Whether a phone of this account, or of another, is registered from there.
    pub(super) fn place(&self, now: Now, flow: &Flow, account: Option<&str>) -> Place {
        let source = flow.remote.ip();
        let own = account.and_then(|user| self.config.extension_by_user(user));
        match own.is_some_and(|e| self.phones.registered_from(&e.number, source)) {
            true => Place::Own,
            false if self.phones.at(source) > 0 || self.guard.proved(now.wall, source) => Place::Neighbour,
            false => Place::Stranger,
        }
    }

    /// Whether an answer that needs no proof may go there. Carriers always get theirs.
    pub(super) fn answers(&mut self, now: Now, flow: &Flow) -> bool {
        let source = flow.remote.ip();
        self.trunks.by_source(flow.remote, None).is_some()
            || !self.guard.silent(now.mono, source) && self.guard.answers(now, source, self.phones.at(source))
    }

    /// Whether a message need not even be read: its sender has used up what strangers get, and it proves nothing.
    pub(super) fn unheard(&mut self, now: Now, flow: &Flow, bytes: &[u8]) -> bool {
        let source = flow.remote.ip();
        self.phones.at(source) == 0
            && self.guard.exhausted(now, source)
            && self.trunks.by_source(flow.remote, None).is_none()
            && !may_prove(bytes)
    }

    /// Whether a stranger outside the LAN asks for a name that is not ours (S11): who does not know where it calls is a
    /// scanner. What is not ours is told once an hour, for the installer who forgot a name.
    pub(super) fn is_for_others(&mut self, now: Now, flow: &Flow, request: &Request) -> bool {
        let source = flow.remote.ip();
        let host = request.uri().host().trim_matches(['[', ']']).to_ascii_lowercase();
        if near(source)
            || self.place(now, flow, None) != Place::Stranger
            || self.is_own_name(&host, flow)
            || request.uri().scheme() == Scheme::Tel
        {
            return false;
        }
        if self.other_name_told.is_none_or(|at| now.mono.since(at) > OTHER_NAMES_EVERY) {
            self.other_name_told = Some(now.mono);
            let host: String = host.chars().take(80).collect();
            let text = format!(
                "{source} asked for \"{host}\", which is no name of this box, and got no answer; if phones outside use that name, add it under Settings, Names for phones outside"
            );
            self.note(now, "info", "other_name", &host, &text);
        }
        true
    }

    /// The box's host name, alone or with any domain behind it.
    fn is_own_host(&self, host: &str) -> bool {
        let name = self.config.network.host_name.to_ascii_lowercase();
        !name.is_empty()
            && (host == name || host.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.')))
    }

    fn is_own_name(&self, host: &str, flow: &Flow) -> bool {
        let own = |ip: IpAddr| host.parse::<IpAddr>().is_ok_and(|h| h.to_canonical() == ip.to_canonical());
        let system = &self.config.system;
        own(flow.local.ip())
            || own(self.address.ip())
            || own(self.media_address)
            || host.eq_ignore_ascii_case(&system.realm)
            || self.is_own_host(host)
            || system.sip_names.iter().any(|name| host.eq_ignore_ascii_case(name))
    }
}

/// Whether an address is in the LAN, or at least in no public network.
fn near(source: IpAddr) -> bool {
    match source.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Whether a message could be more than a stranger's: it answers a request of ours, or carries credentials.
fn may_prove(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"authorization";
    let named = |line: &[u8]| line.get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME));
    bytes.starts_with(b"SIP/2.0 ") || bytes.split(|b| *b == b'\n').any(named)
}

/// What the phone calls itself.
pub(super) fn make(request: &Request) -> &str {
    request.header("User-Agent").next().unwrap_or_default().trim()
}

/// Whether an Authorization value was made with SHA-256.
pub(super) fn by_sha256(value: &str) -> bool {
    value
        .to_ascii_lowercase()
        .split([',', ' '])
        .any(|part| part.trim().strip_prefix("algorithm=").is_some_and(|a| a.trim_matches('"') == "sha-256"))
}

/// What is offered to a phone of this make: the strongest first (RFC 8760), but only what it can read to those that give
/// up at the sight of another: libre before 2.2 (baresip 1 and 2), SIPp 3.6. One that does not name itself is old or a
/// tool and may look at the first challenge only: it gets MD5 first. That opens nothing to a stranger, who could take
/// MD5 in any case; and whoever can take the name out of a phone's request could take the challenge out of our answer.
pub(super) fn algorithms(user_agent: &str) -> &'static [Algorithm] {
    const ONLY_MD5: [&str; 3] = ["baresip v1.", "baresip v2.", "SIPp"];
    if ONLY_MD5.iter().any(|make| user_agent.starts_with(make)) {
        return &[Algorithm::Md5];
    }
    if user_agent.is_empty() {
        return &[Algorithm::Md5, Algorithm::Sha256];
    }
    &[Algorithm::Sha256, Algorithm::Md5]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_and_credentials_are_worth_reading_of_a_stranger_who_used_up_the_allowance() {
        let table: [(&[u8], bool); 5] = [
            (b"REGISTER sip:a SIP/2.0\r\nAUTHORIZATION : Digest\r\n\r\n", true),
            (b"SIP/2.0 200 OK\r\n\r\n", true),
            (b"REGISTER sip:a SIP/2.0\r\nX: Authorization: no\r\n\r\n", false),
            (b"INVITE sip:a SIP/2.0\r\n\r\n", false),
            (b"", false),
        ];
        for (bytes, expected) in table {
            assert_eq!(may_prove(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_sum_of_an_answer_is_read_with_and_without_quotes() {
        assert!(by_sha256("Digest username=\"1\", algorithm=SHA-256, qop=auth"));
        assert!(by_sha256("Digest algorithm=\"sha-256\",username=\"1\""));
        assert!(!by_sha256("Digest username=\"1\", algorithm=MD5"));
        assert!(!by_sha256("Digest username=\"algorithm=sha-256x\""));
    }

    #[test]
    fn the_strongest_digest_comes_first_except_for_phones_that_choke_on_it() {
        assert_eq!(algorithms("Yealink SIP-T46U"), [Algorithm::Sha256, Algorithm::Md5]);
        assert_eq!(algorithms(""), [Algorithm::Md5, Algorithm::Sha256]);
        assert_eq!(algorithms("baresip v1.0.0 (x86_64/linux)"), [Algorithm::Md5]);
    }
}
