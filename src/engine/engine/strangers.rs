//! What the SIP door tells from a message before anything is proved: where its sender stands, whether it may hear an answer
//! at all, whether it asks for us, and what it calls itself. Counts with the guard; admits nobody.
use super::Engine;
use crate::effect::Effect;
use crate::guard::Place;
use model::clock::Now;
use model::notice::Notice;
use model::record::{BanRecord, Record};
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

    /// Whether its sender is banned. A carrier is not: one that knocked too often before its trunk was set up is pardoned.
    pub(super) fn is_banned(&mut self, now: Now, flow: &Flow) -> bool {
        let source = flow.remote.ip();
        if !self.guard.silent(now.mono, source) {
            return false;
        }
        let Some(trunk) = self.trunks.by_source(flow.remote, None) else { return true };
        let cause = format!("pardoned: it is the address of trunk {trunk}");
        self.lift_ban(now, source, cause);
        false
    }

    /// Ends a ban early; `false` when there is none.
    pub(super) fn lift_ban(&mut self, now: Now, address: IpAddr, cause: String) -> bool {
        if !self.guard.pardon(address) {
            return false;
        }
        self.keep(now, Record::Ban(BanRecord { address, until: now.wall, cause, failures: 0 }), None);
        self.effects.push(Effect::Notice(Notice::BanGone(address)));
        true
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
}
