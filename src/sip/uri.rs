//! SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966), and any other scheme kept as it came. A `Uri` holds its
//! text unchanged, so what was not understood is passed on without loss. It never holds blanks or control characters.
use crate::scan;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Anything else; answered 416 as a Request-URI.
    Other,
}

/// A URI that was read and found whole.
#[derive(Clone)]
pub struct Uri {
    text: Box<str>,
    scheme: Scheme,
    user: Option<Range<usize>>,
    host: Range<usize>,
    port: Option<u16>,
    params: Range<usize>,
    headers: Range<usize>,
}

/// Why a text is not a URI we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No `scheme:` at its start.
    #[error("URI has no scheme")]
    Scheme,
    /// A blank, a control character or an angle bracket inside.
    #[error("URI has a blank, control character or bracket inside")]
    Character,
    /// The host is missing or has characters no host has.
    #[error("URI has no valid host")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("URI port is not a number from 1 to 65535")]
    Port,
}

impl Uri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriError`] says what the text lacks.
    pub fn read(text: &str) -> Result<Uri, UriError> {
        if text.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'<' || b == b'>' || b == b'"') {
            return Err(UriError::Character);
        }
        let colon = text.find(':').ok_or(UriError::Scheme)?;
        let scheme = read_scheme(&text[..colon])?;
        match scheme {
            Scheme::Sip | Scheme::Sips => read_sip(text, scheme, colon + 1),
            Scheme::Tel => read_tel(text, colon + 1),
            Scheme::Other => Ok(Uri::opaque(text, colon + 1)),
        }
    }

    /// `sip:user@host:port`; user characters that may not stand there are escaped.
    ///
    /// # Errors
    /// [`UriError::Host`] when `host` is not a host name or address.
    pub fn sip(user: Option<&str>, host: &str, port: Option<u16>) -> Result<Uri, UriError> {
        let mut text = String::from("sip:");
        if let Some(user) = user {
            escape_user(user, &mut text);
            text.push('@');
        }
        text.push_str(host);
        if let Some(port) = port {
            text.push_str(&format!(":{port}"));
        }
        Uri::read(&text)
    }

    /// `sip:user@address:port`, IPv6 in brackets.
    #[must_use]
    pub fn at(user: Option<&str>, address: SocketAddr) -> Uri {
        let mut text = String::from("sip:");
        if let Some(user) = user {
            escape_user(user, &mut text);
            text.push('@');
        }
        text.push_str(&address.to_string());
        Uri::read(&text).expect("a socket address is a valid host and port")
    }

    fn opaque(text: &str, at: usize) -> Uri {
        let end = text.len();
        Uri {
            text: text.into(),
            scheme: Scheme::Other,
            user: None,
            host: at..at,
            port: None,
            params: end..end,
            headers: end..end,
        }
    }

    /// The URI as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The scheme as written.
    #[must_use]
    pub fn scheme_text(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// The user part with escapes undone (without password); the number of a `tel:` URI.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user_raw().map(unescape)
    }

    /// The user part without parameters of its own, such as `npdi` (RFC 4694) or `tgrp` (RFC 4904), escapes undone: the
    /// number that was dialled.
    #[must_use]
    pub fn dialled(&self) -> Option<Cow<'_, str>> {
        self.user_raw().map(|user| unescape(user.split(';').next().unwrap_or_default()))
    }

    /// The user part as written, without password.
    #[must_use]
    pub fn user_raw(&self) -> Option<&str> {
        let userinfo = &self.text[self.user.clone()?];
        Some(match userinfo.split_once(':') {
            Some((user, _)) if self.scheme != Scheme::Tel => user,
            Some(_) | None => userinfo,
        })
    }

    /// The host as written, IPv6 in brackets; empty for `tel:` and unknown schemes.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// The host as an address, when it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(self.host())
    }

    /// The port, when written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A URI parameter: `Some(None)` when it stands without a value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        scan::param(&self.text[self.params.clone()], name)
    }

    /// All URI parameters in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        scan::params(&self.text[self.params.clone()])
    }

    /// The part after `?`, when there is one.
    #[must_use]
    pub fn embedded_headers(&self) -> Option<&str> {
        (!self.headers.is_empty()).then(|| &self.text[self.headers.clone()])
    }

    /// The URI without its `?headers`: what may stand in a Request-URI.
    #[must_use]
    pub fn without_headers(&self) -> Uri {
        match self.headers.is_empty() {
            true => self.clone(),
            false => Uri::read(&self.text[..self.headers.start - 1]).unwrap_or_else(|_| self.clone()),
        }
    }

    /// The URI with one more parameter; unchanged when it has it or when the scheme carries none.
    #[must_use]
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Uri {
        if self.scheme == Scheme::Other || self.param(name).is_some() {
            return self.clone();
        }
        let value = value.map(|v| format!("={v}")).unwrap_or_default();
        let (head, tail) = self.text.split_at(self.params.end);
        Uri::read(&format!("{head};{name}{value}{tail}")).unwrap_or_else(|_| self.clone())
    }

    /// Whether two URIs name the same thing (RFC 3261 section 19.1.4): host in any case, escapes undone, the
    /// parameters that must match do.
    #[must_use]
    pub fn same(&self, other: &Uri) -> bool {
        if self.scheme == Scheme::Other || other.scheme == Scheme::Other {
            return self.text == other.text;
        }
        let userinfo = |u: &Uri| u.user.clone().map(|r| unescape(&u.text[r]).into_owned());
        self.scheme == other.scheme
            && userinfo(self) == userinfo(other)
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port == other.port
            && self.params_match(other)
            && other.params_match(self)
            && self.embedded_headers() == other.embedded_headers()
    }

    fn params_match(&self, other: &Uri) -> bool {
        const MUST: [&str; 5] = ["transport", "user", "ttl", "method", "maddr"];
        self.params().all(|(name, value)| match other.param(name) {
            Some(theirs) => same_value(value, theirs),
            None => !MUST.iter().any(|m| name.eq_ignore_ascii_case(m)),
        })
    }
}

fn same_value(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => unescape(a).eq_ignore_ascii_case(&unescape(b)),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn read_scheme(text: &str) -> Result<Scheme, UriError> {
    let valid = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    match text {
        _ if !valid => Err(UriError::Scheme),
        t if t.eq_ignore_ascii_case("sip") => Ok(Scheme::Sip),
        t if t.eq_ignore_ascii_case("sips") => Ok(Scheme::Sips),
        t if t.eq_ignore_ascii_case("tel") => Ok(Scheme::Tel),
        _ => Ok(Scheme::Other),
    }
}

fn read_sip(text: &str, scheme: Scheme, start: usize) -> Result<Uri, UriError> {
    // A user part may hold `;` and `?`, so it is cut off first (RFC 4475 `semiuri`, `intmeth`).
    let at = text[start..].find('@').map(|i| start + i);
    let user = at.map(|at| start..at);
    if user.as_ref().is_some_and(Range::is_empty) {
        return Err(UriError::Host);
    }
    let host_at = at.map_or(start, |at| at + 1);
    let headers_at = text[host_at..].find('?').map_or(text.len(), |i| host_at + i);
    let params_at = text[host_at..headers_at].find(';').map_or(headers_at, |i| host_at + i);
    let (host, port) = read_hostport(text, host_at..params_at)?;
    Ok(Uri {
        text: text.into(),
        scheme,
        user,
        host,
        port,
        params: params_at..headers_at,
        headers: (headers_at + 1).min(text.len())..text.len(),
    })
}

fn read_tel(text: &str, start: usize) -> Result<Uri, UriError> {
    let params_at = text[start..].find(';').map_or(text.len(), |i| start + i);
    let digits = &text[start..params_at];
    let valid = digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit() || matches!(b, b'+' | b'*' | b'#' | b'-' | b'.' | b'(' | b')'));
    if digits.is_empty() || !valid {
        return Err(UriError::Host);
    }
    let end = text.len();
    Ok(Uri {
        text: text.into(),
        scheme: Scheme::Tel,
        user: Some(start..params_at),
        host: start..start,
        port: None,
        params: params_at..end,
        headers: end..end,
    })
}

fn read_hostport(text: &str, at: Range<usize>) -> Result<(Range<usize>, Option<u16>), UriError> {
    let hostport = &text[at.clone()];
    let (host_len, port) = split_port(hostport).ok_or(UriError::Port)?;
    let host = &hostport[..host_len];
    if !is_host(host) {
        return Err(UriError::Host);
    }
    Ok((at.start..at.start + host_len, port))
}

/// Cuts `host[:port]`; the length of the host and the port. None when the port is not one.
pub(crate) fn split_port(hostport: &str) -> Option<(usize, Option<u16>)> {
    let after_bracket = hostport.rfind(']').map_or(0, |i| i + 1);
    match hostport[after_bracket..].find(':') {
        Some(i) => {
            let colon = after_bracket + i;
            let port = scan::number(&hostport[colon + 1..])
                .and_then(|p| u16::try_from(p).ok())
                .filter(|&p| p > 0)?;
            Some((colon, Some(port)))
        }
        None => Some((hostport.len(), None)),
    }
}

/// Whether a text is a host name, an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(_) => host_ip(host).is_some(),
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    }
}

/// The address a host is, IPv6 with or without brackets.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    match bare {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn escape_user(user: &str, out: &mut String) {
    for b in user.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/#".contains(&b) && b != b'#' {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
}

/// Undoes `%hh`. A text that would not be UTF-8 afterwards stays escaped.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let pair = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        match pair.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(b) => {
                out.push(b);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

impl PartialEq for Uri {
    fn eq(&self, other: &Uri) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri {}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.text)
    }
}

impl std::str::FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::read(text).unwrap()
    }

    #[test]
    fn parts_of_a_sip_uri() {
        let u = uri("sip:bob:secret@[2001:db8::1]:5070;transport=tcp;lr?Subject=x");
        assert_eq!(u.user().as_deref(), Some("bob"));
        assert_eq!((u.host(), u.port()), ("[2001:db8::1]", Some(5070)));
        assert_eq!(u.ip(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(
            (u.param("transport"), u.param("LR"), u.param("x")),
            (Some(Some("tcp")), Some(None), None)
        );
        assert_eq!(u.embedded_headers(), Some("Subject=x"));
        assert_eq!(u.without_headers().as_str(), "sip:bob:secret@[2001:db8::1]:5070;transport=tcp;lr");
    }

    #[test]
    fn user_may_hold_semicolons_and_question_marks() {
        let u = uri("sip:user;par=u%40example.net@example.com");
        assert_eq!(u.user_raw(), Some("user;par=u%40example.net"));
        assert_eq!(u.user().as_deref(), Some("user;par=u@example.net"));
        assert_eq!(u.dialled().as_deref(), Some("user"));
        assert_eq!(u.host(), "example.com");
    }

    #[test]
    fn tel_and_unknown_schemes_are_kept() {
        let u = uri("tel:+86-10-1234;phone-context=+86");
        assert_eq!(u.user().as_deref(), Some("+86-10-1234"));
        assert_eq!(u.param("phone-context"), Some(Some("+86")));
        assert_eq!(uri("nobodyKnowsThisScheme:totally/opaque").scheme(), Scheme::Other);
        assert_eq!(uri("SIP:a@b").scheme(), Scheme::Sip);
    }

    #[test]
    fn broken_ones_are_refused() {
        for bad in [
            "",
            "sip:",
            "sip:@b",
            "sip:a@",
            "sip:a b@c",
            "sip:a@b:0",
            "sip:a@b:x",
            "sip:a@b:70000",
            "<sip:a@b>",
            "sip:a@[::1",
            "sip:a@b\r\nc",
            ":a",
            "tel:",
            "tel:x y",
        ] {
            assert!(Uri::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn building_escapes_the_user() {
        assert_eq!(Uri::sip(Some("#31#@x y"), "h", None).unwrap().as_str(), "sip:%2331%23%40x%20y@h");
        assert_eq!(Uri::at(Some("a"), "[::1]:5060".parse().unwrap()).as_str(), "sip:a@[::1]:5060");
        assert!(Uri::sip(None, "h\r\nX: y", None).is_err());
    }

    #[test]
    fn sameness_follows_19_1_4() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ];
        let different = [
            ("SIP:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ];
        assert!(same.iter().all(|(a, b)| uri(a).same(&uri(b)) && uri(b).same(&uri(a))));
        assert!(different.iter().all(|(a, b)| !uri(a).same(&uri(b)) && !uri(b).same(&uri(a))));
    }

    #[test]
    fn one_more_parameter() {
        assert_eq!(uri("sip:a@b?x=y").with_param("lr", None).as_str(), "sip:a@b;lr?x=y");
        assert_eq!(uri("sip:a@b;lr").with_param("lr", None).as_str(), "sip:a@b;lr");
    }
}
