//! The one adapter over the `rsip` crate: typed values of headers that are rare and regular, read from normalised text
//! (unfolded, long name). No type of that crate leaves this file. What it cannot read counts as absent, so that an odd
//! header never refuses a call. The wire itself is read by our own parts: that crate refuses legal messages.
use crate::headers::Headers;
use crate::name::Name;
use rsip::headers::untyped::{ToTypedHeader, UntypedHeader};
use rsip::headers::{Accept, ContentDisposition};

/// Whether the sender takes bodies of this media type: by its Accept headers, or because there are none
/// (RFC 3261 section 20.1: then it takes SDP).
#[must_use]
pub fn accepts(headers: &Headers, kind: &str, subtype: &str) -> bool {
    let mut values = headers.all(Name::Accept).filter(|v| !v.is_empty()).peekable();
    let matches = |pattern: &str, word: &str| pattern == "*" || pattern.eq_ignore_ascii_case(word);
    values.peek().is_none()
        || values.any(|value| match Accept::new(value).typed() {
            Ok(types) => types.0.iter().any(|t| {
                let (a, b) = t
                    .to_string()
                    .split_once('/')
                    .map(|(a, b)| (a.trim().to_owned(), b.to_owned()))
                    .unwrap_or_default();
                let b = b.split(';').next().unwrap_or_default().trim().to_owned();
                matches(&a, kind) && matches(&b, subtype)
            }),
            Err(_) => true,
        })
}

/// Whether the sender allows its body to be ignored (`handling=optional`, RFC 3261 section 20.11).
#[must_use]
pub fn body_is_optional(headers: &Headers) -> bool {
    let typed = headers.first(Name::ContentDisposition).and_then(|v| ContentDisposition::new(v).typed().ok());
    typed.is_some_and(|d| {
        d.display_params
            .iter()
            .any(|p| p.0.eq_ignore_ascii_case("handling") && p.1.eq_ignore_ascii_case("optional"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> Headers {
        Headers::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn accept() {
        let sdp = |text: &str| accepts(&headers(text), "application", "sdp");
        assert!(sdp(""));
        assert!(sdp("Accept:\r\n"));
        assert!(sdp("Accept: text/plain, application/SDP;level=1\r\n"));
        assert!(sdp("Accept: text/plain\r\nAccept: application/*\r\n"));
        assert!(sdp("Accept: */*\r\n"));
        assert!(!sdp("Accept: text/nobodyKnowsThis\r\n"));
        assert!(sdp("Accept: ///;;,\r\n"), "an odd header refuses no call");
    }

    #[test]
    fn disposition() {
        let optional = |text: &str| body_is_optional(&headers(text));
        assert!(optional("Content-Disposition: session;handling=optional\r\n"));
        assert!(!optional("Content-Disposition: session;handling=required\r\n"));
        assert!(!optional(""));
    }
}
