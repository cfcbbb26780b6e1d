//! `"Display" <uri>;params`, the value of From, To, Contact, Route and their kin. Parameters are kept as text, so
//! unknown ones survive.
use crate::scan;
use crate::uri::{Uri, UriError};
use std::fmt;

/// A name, an address and the header's own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, quotes undone.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    params: String,
}

/// Why a text is not a name-addr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameAddrError {
    /// A quote or bracket opens and never closes, or something that is no parameter follows the bracket.
    #[error("quote or bracket is not closed, or something that is no parameter follows it")]
    Unbalanced,
    /// A `?` in an address without brackets (RFC 3261 section 20).
    #[error("address with '?' needs angle brackets")]
    NeedsBrackets,
    /// The address inside is no URI.
    #[error(transparent)]
    Uri(#[from] UriError),
}

impl NameAddr {
    /// A bare address.
    #[must_use]
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: String::new() }
    }

    /// An address with a display name.
    #[must_use]
    pub fn named(display: &str, uri: Uri) -> NameAddr {
        NameAddr { display: Some(display.to_owned()).filter(|d| !d.is_empty()), uri, params: String::new() }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// [`NameAddrError`] says what is wrong with it.
    pub fn read(text: &str) -> Result<NameAddr, NameAddrError> {
        let text = scan::trim(text);
        match scan::find_outside(text, b'<') {
            Some(open) => read_bracketed(text, open),
            None => read_bare(text),
        }
    }

    /// The `tag` parameter, when there is a non-empty one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.param("tag").flatten().filter(|t| !t.is_empty())
    }

    /// A header parameter: `Some(None)` when it stands without a value. Quoted values keep their quotes.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        scan::param(&self.params, name)
    }

    /// All header parameters as text, starting with `;` when there are any.
    #[must_use]
    pub fn params_text(&self) -> &str {
        &self.params
    }

    /// The same with one more parameter; `value` must be a token or an already quoted string.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> NameAddr {
        self.params.push(';');
        self.params.push_str(name);
        if !value.is_empty() {
            self.params.push('=');
            self.params.push_str(value);
        }
        self
    }

    /// The same without parameters.
    #[must_use]
    pub fn bare(mut self) -> NameAddr {
        self.params.clear();
        self
    }
}

fn read_bracketed(text: &str, open: usize) -> Result<NameAddr, NameAddrError> {
    let close = text[open..].find('>').map(|i| open + i).ok_or(NameAddrError::Unbalanced)?;
    let params = scan::trim(&text[close + 1..]);
    if !(params.is_empty() || params.starts_with(';')) || scan::has_empty_param(params) {
        return Err(NameAddrError::Unbalanced);
    }
    Ok(NameAddr {
        display: read_display(scan::trim(&text[..open]))?,
        uri: Uri::read(scan::trim(&text[open + 1..close]))?,
        params: params.to_owned(),
    })
}

fn read_display(text: &str) -> Result<Option<String>, NameAddrError> {
    let quotes = text.starts_with('"');
    if quotes && !is_closed(text) || !quotes && text.contains('"') {
        return Err(NameAddrError::Unbalanced);
    }
    let display = scan::unquote(text);
    Ok((!display.is_empty()).then(|| display.into_owned()))
}

/// Whether a quoted string closes exactly at its end.
fn is_closed(text: &str) -> bool {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1 == text.len(),
            _ => {}
        }
    }
    false
}

fn read_bare(text: &str) -> Result<NameAddr, NameAddrError> {
    if text.starts_with('"') {
        return Err(NameAddrError::Unbalanced);
    }
    // Without brackets every parameter is the header's, not the URI's (RFC 3261 section 20); but a `;` before the
    // `@` belongs to the user part.
    let from = text.find('@').unwrap_or(0);
    let cut = text[from..].find(';').map_or(text.len(), |i| from + i);
    let addr = scan::trim(&text[..cut]);
    if addr[from.min(addr.len())..].contains('?') {
        return Err(NameAddrError::NeedsBrackets);
    }
    let params = scan::trim(&text[cut..]);
    if scan::has_empty_param(params) {
        return Err(NameAddrError::Unbalanced);
    }
    Ok(NameAddr { display: None, uri: Uri::read(addr)?, params: params.to_owned() })
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", scan::quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> NameAddr {
        NameAddr::new(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_may_hold_brackets_and_commas() {
        let a = NameAddr::read(r#" "Doe, <J> \"x\"" <sip:a@b;lr> ; tag = 7;q=1"#).unwrap();
        assert_eq!(a.display.as_deref(), Some(r#"Doe, <J> "x""#));
        assert_eq!(a.uri.as_str(), "sip:a@b;lr");
        assert_eq!((a.tag(), a.param("q")), (Some("7"), Some(Some("1"))));
        assert_eq!(NameAddr::read(&a.to_string()).unwrap(), a);
    }

    #[test]
    fn bare_addresses_give_their_parameters_to_the_header() {
        let a = NameAddr::read("sip:a@b;tag=1").unwrap();
        assert_eq!((a.uri.as_str(), a.tag()), ("sip:a@b", Some("1")));
        let tel = NameAddr::read("tel:+861;tag=9").unwrap();
        assert_eq!((tel.uri.as_str(), tel.tag()), ("tel:+861", Some("9")));
        let semi = NameAddr::read("sip:a;x=1@b;tag=2").unwrap();
        assert_eq!((semi.uri.user_raw(), semi.tag()), (Some("a;x=1"), Some("2")));
    }

    #[test]
    fn broken_ones_are_refused() {
        for bad in [
            "\"Mr. J. User <sip:j@x>",
            "<sip:a@b",
            "<sip:a@b> x",
            "sip:a@b?Route=c",
            "a \"b\" <sip:a@b>",
            "",
            "\"",
        ] {
            assert!(NameAddr::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_never_break_the_line() {
        let a = NameAddr::named("x\r\nEvil: 1\"", Uri::read("sip:a@b").unwrap());
        assert_eq!(a.to_string(), "\"xEvil: 1\\\"\" <sip:a@b>");
    }
}
