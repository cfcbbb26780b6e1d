//! The Via header (RFC 3261 section 20.42, RFC 3581): where an answer goes and which transaction it belongs to.
use crate::scan;
use crate::uri;

/// What every branch made by RFC 3261 starts with.
pub const COOKIE: &str = "z9hG4bK";

/// One hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport word as written; unknown ones are kept.
    pub transport: String,
    /// The host of `sent-by`.
    pub host: String,
    /// The port of `sent-by`, when written.
    pub port: Option<u16>,
    /// The `branch` parameter, when there is one.
    pub branch: Option<String>,
    params: String,
}

/// Why a text is not a Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Via is not 'SIP/2.0/TRANSPORT host[:port]'")]
pub struct ViaError;

impl Via {
    /// Reads one value (already split from a list).
    ///
    /// # Errors
    /// [`ViaError`] when protocol, transport or sent-by are missing or broken.
    pub fn read(text: &str) -> Result<Via, ViaError> {
        let (name, rest) = text.split_once('/').ok_or(ViaError)?;
        let (version, rest) = rest.split_once('/').ok_or(ViaError)?;
        if !scan::trim(name).eq_ignore_ascii_case("SIP") || scan::trim(version) != "2.0" {
            return Err(ViaError);
        }
        let rest = scan::trim(rest);
        let cut = rest.find([' ', '\t']).ok_or(ViaError)?;
        let (transport, rest) = rest.split_at(cut);
        let cut = rest.find(';').unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at(cut);
        let (host, port) = read_sent_by(sent_by)?;
        if !scan::is_token(transport) || scan::has_empty_param(params) {
            return Err(ViaError);
        }
        let branch = scan::param(params, "branch").flatten().map(str::to_owned);
        Ok(Via { transport: transport.to_owned(), host, port, branch, params: params.to_owned() })
    }

    /// A parameter: `Some(None)` when it stands without a value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        scan::param(&self.params, name)
    }

    /// All parameters in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        scan::params(&self.params)
    }

    /// Whether the peer asks for the answer at the port its request came from (RFC 3581).
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        matches!(self.param("rport"), Some(None | Some("")))
    }

    /// The branch, when it was made by RFC 3261 rules and says more than the cookie.
    #[must_use]
    pub fn rfc3261_branch(&self) -> Option<&str> {
        self.branch.as_deref().filter(|b| {
            b.len() > COOKIE.len() && b.as_bytes()[..COOKIE.len()].eq_ignore_ascii_case(COOKIE.as_bytes())
        })
    }
}

fn read_sent_by(text: &str) -> Result<(String, Option<u16>), ViaError> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    let (len, port) = uri::split_port(&compact).ok_or(ViaError)?;
    let host = &compact[..len];
    if !uri::is_host(host) {
        return Err(ViaError);
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_anywhere() {
        let v = Via::read("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!((v.transport.as_str(), v.host.as_str(), v.port), ("TCP", "spindle.example.com", None));
        assert_eq!(v.rfc3261_branch(), Some("z9hG4bK9ikj8"));
    }

    #[test]
    fn odd_but_legal() {
        let v = Via::read("SIP/2.0/UNKNOWN [2001:db8::9]:5070;rport;branch=z9hG4bK").unwrap();
        assert_eq!((v.host.as_str(), v.port, v.wants_rport()), ("[2001:db8::9]", Some(5070), true));
        assert_eq!(v.rfc3261_branch(), None, "the bare cookie identifies nothing (RFC 4475 badbranch)");
        assert!(!Via::read("SIP/2.0/UDP h;rport=5060").unwrap().wants_rport());
    }

    #[test]
    fn broken_ones_are_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/7.0/UDP a",
            "SIP/2.0 a",
            "SIP/2.0/UDP a:b",
            "SIP/2.0/UDP ;x",
            "HTTP/2.0/UDP a",
        ] {
            assert!(Via::read(bad).is_err(), "{bad}");
        }
    }
}
