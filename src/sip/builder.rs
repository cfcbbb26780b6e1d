//! Writes messages. Strict: a header name that is no token is left out, CR, LF and other control characters in a value
//! become blanks, Content-Length is always right. Decides no content.
use crate::headers::{Headers, Line};
use crate::limits::ECHO_MAX;
use crate::method::Method;
use crate::name::Name;
use crate::scan;
use crate::uri::Uri;
use std::fmt::Write as _;

/// A message being written.
#[derive(Debug)]
pub struct Builder {
    out: Vec<u8>,
}

impl Builder {
    /// Starts a request.
    #[must_use]
    pub fn request(method: &Method, uri: &Uri) -> Builder {
        let mut out = Vec::with_capacity(900);
        out.extend_from_slice(method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(uri.as_str().as_bytes());
        out.extend_from_slice(b" SIP/2.0\r\n");
        Builder { out }
    }

    /// Starts a response; without `reason` the phrase of the code is used.
    #[must_use]
    pub fn response(code: u16, reason: Option<&str>) -> Builder {
        let mut out = Vec::with_capacity(700);
        out.extend_from_slice(b"SIP/2.0 ");
        out.extend_from_slice(code.to_string().as_bytes());
        out.push(b' ');
        push_clean(&mut out, reason.unwrap_or_else(|| phrase(code)));
        out.extend_from_slice(b"\r\n");
        Builder { out }
    }

    /// Adds a known header.
    pub fn header(&mut self, name: Name, value: &str) -> &mut Builder {
        self.named(name.as_str(), value)
    }

    /// Adds a known header whose value is formatted.
    pub fn write(&mut self, name: Name, value: std::fmt::Arguments<'_>) -> &mut Builder {
        let mut text = String::with_capacity(96);
        let _ = text.write_fmt(value);
        self.header(name, &text)
    }

    /// Adds any header; nothing is written when the name is no token, or is one that the builder writes itself.
    pub fn named(&mut self, name: &str, value: &str) -> &mut Builder {
        if scan::is_token(name) && !name.eq_ignore_ascii_case("Content-Length") {
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b": ");
            push_clean(&mut self.out, value);
            self.out.extend_from_slice(b"\r\n");
        }
        self
    }

    /// Adds several headers given as text.
    pub fn all(&mut self, headers: &[(String, String)]) -> &mut Builder {
        for (name, value) in headers {
            self.named(name, value);
        }
        self
    }

    /// Echoes lines of a received message with the same octets.
    pub fn echo(&mut self, headers: &Headers, name: Name) -> &mut Builder {
        for line in headers.lines_of(name).take(ECHO_MAX) {
            self.echo_line(line, "");
        }
        self
    }

    /// Echoes one line with something appended to its value.
    pub(crate) fn echo_line(&mut self, line: Line<'_>, more: &str) -> &mut Builder {
        self.out.extend_from_slice(line.name.as_str().as_bytes());
        self.out.extend_from_slice(b": ");
        if line.latin1 {
            // Every character of a Latin-1 line is one octet (headers.rs).
            let octet = |c: char| u8::try_from(u32::from(c)).ok().filter(|b| !is_control(*b)).unwrap_or(b' ');
            self.out.extend(line.value.chars().map(octet));
        } else {
            push_clean(&mut self.out, line.value);
        }
        push_clean(&mut self.out, more);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Ends the message without a body.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        std::mem::take(&mut self.out)
    }

    /// Ends the message with a body; an empty one is no body.
    #[must_use]
    pub fn body(&mut self, content_type: &str, body: &[u8]) -> Vec<u8> {
        if body.is_empty() {
            return self.finish();
        }
        self.header(Name::ContentType, content_type);
        self.out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        self.out.extend_from_slice(body);
        std::mem::take(&mut self.out)
    }
}

fn is_control(b: u8) -> bool {
    (b < b' ' && b != b'\t') || b == 0x7f
}

fn push_clean(out: &mut Vec<u8>, text: &str) {
    match text.bytes().any(is_control) {
        false => out.extend_from_slice(text.as_bytes()),
        true => out.extend(text.bytes().map(|b| if is_control(b) { b' ' } else { b })),
    }
}

/// The reason phrase of a status code.
#[must_use]
pub fn phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        other => class_phrase(other),
    }
}

fn class_phrase(code: u16) -> &'static str {
    match code / 100 {
        1 => "Progress",
        2 => "OK",
        3 => "Redirected",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_make_lines() {
        let mut b = Builder::response(200, Some("O\r\nK"));
        b.named("X-Name", "a\r\nEvil: 1\0").named("bad name", "x").named("content-length", "7");
        assert_eq!(b.body("text/plain", b"hi"), b"SIP/2.0 200 O  K\r\nX-Name: a  Evil: 1 \r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    }

    #[test]
    fn echoes_have_the_same_octets() {
        let h = Headers::read(b"f: \"caf\xe9\" <sip:a@b>\r\n").unwrap();
        let mut b = Builder::response(180, None);
        b.echo(&h, Name::From);
        assert_eq!(
            b.finish(),
            b"SIP/2.0 180 Ringing\r\nFrom: \"caf\xe9\" <sip:a@b>\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
