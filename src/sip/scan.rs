//! The lexer under every header value: splits at a character outside quoted strings and angle brackets, reads
//! `;name=value` parameters, quotes and unquotes. Never allocates unless a quoted pair must be undone.
use crate::limits::{LIST_MAX, PARAMS_MAX};
use std::borrow::Cow;

/// Finds `wanted` outside quoted strings and `<...>`; a quoted string that never ends hides the rest.
#[must_use]
pub fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let (mut quoted, mut angle, mut escaped) = (false, false, false);
    for (i, &b) in text.as_bytes().iter().enumerate() {
        if quoted {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if b == wanted && !angle {
            return Some(i);
        } else {
            match b {
                b'"' if !angle => quoted = true,
                b'<' => angle = true,
                b'>' => angle = false,
                _ => {}
            }
        }
    }
    None
}

/// Values of a comma-separated list, trimmed, empty ones left out; at most `LIST_MAX`.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (item, after) = match find_outside(text, b',') {
            Some(i) => (&text[..i], Some(&text[i + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(trim(item))
    })
    .filter(|item| !item.is_empty())
    .take(LIST_MAX)
}

/// Parameters of `;name=value;flag`, the leading `;` optional; values still quoted. At most `PARAMS_MAX`.
pub fn params(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (item, after) = match find_outside(text, b';') {
            Some(i) => (&text[..i], Some(&text[i + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(item)
    })
    .take(PARAMS_MAX)
    .filter_map(|item| {
        let (name, value) = match item.split_once('=') {
            Some((n, v)) => (trim(n), Some(trim(v))),
            None => (trim(item), None),
        };
        (!name.is_empty()).then_some((name, value))
    })
}

/// The value of one parameter, name in any case: `Some(None)` when it stands without a value.
#[must_use]
pub fn param<'a>(text: &'a str, name: &str) -> Option<Option<&'a str>> {
    params(text).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

/// Whether `;;` stands outside quotes: a parameter without even a name. One `;` at the end is forgiven.
#[must_use]
pub fn has_empty_param(text: &str) -> bool {
    let mut rest = text;
    let mut items = 0;
    while let Some(i) = find_outside(rest, b';') {
        if items > 0 && trim(&rest[..i]).is_empty() {
            return true;
        }
        items += 1;
        rest = &rest[i + 1..];
    }
    false
}

/// Takes blanks (space and tab) off both ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Undoes the quotes and quoted pairs of a quoted string; other text comes back as it is.
#[must_use]
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Makes a quoted string: quotes and backslashes escaped, control characters left out.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Whether `text` is a token of RFC 3261 section 25.1.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a byte may stand in a token.
#[must_use]
pub fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Digits only, as a number that fits; leading zeros are fine, a sign is not.
#[must_use]
pub fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_and_brackets_do_not_split() {
        let values: Vec<_> = list(r#""Doe, \"J\"" <sip:a@b;x=1,2>;q=1, <sip:c@d> ,,sip:e@f"#).collect();
        assert_eq!(values, [r#""Doe, \"J\"" <sip:a@b;x=1,2>;q=1"#, "<sip:c@d>", "sip:e@f"]);
    }

    #[test]
    fn params_may_be_blank_around_and_quoted() {
        let p: Vec<_> = params(r#"; tag = "a;b" ;lr; q=0.3"#).collect();
        assert_eq!(p, [("tag", Some(r#""a;b""#)), ("lr", None), ("q", Some("0.3"))]);
        assert_eq!(param("; TAG=x", "tag"), Some(Some("x")));
        assert_eq!(param("; lr", "lr"), Some(None));
        assert_eq!(param("; lr", "tag"), None);
        assert!(has_empty_param(";;") && has_empty_param(";a; ;b") && !has_empty_param(";a=\";;\";b;"));
    }

    #[test]
    fn quotes_round_trip() {
        assert_eq!(unquote(&quote("a\"b\\c\r\nd")), "a\"b\\cd");
        assert_eq!(unquote("plain"), "plain");
    }

    #[test]
    fn numbers_have_no_sign_and_must_fit() {
        assert_eq!(number("0068"), Some(68));
        assert_eq!(number("-1"), None);
        assert_eq!(number("4294967296"), None);
        assert_eq!(number(""), None);
    }
}
