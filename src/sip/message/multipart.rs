//! Finds the session description in a multipart body (RFC 2046, RFC 5621): carriers send SDP beside ISUP or location.
//! Reads slices; copies nothing.
use crate::scan;

/// Parts looked at; a call carries two or three. Beyond: ignored.
const PARTS_MAX: usize = 16;

/// The first part of this media type (lower case). `content_type` is the value of the whole body's header.
pub(super) fn find<'a>(content_type: &str, body: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let boundary = scan::param(content_type.split_once(';')?.1, "boundary")??;
    let boundary = format!("--{}", scan::unquote(boundary));
    parts(body, boundary.as_bytes()).take(PARTS_MAX).find_map(|part| {
        let (head, content) = split_head(part)?;
        (type_of(head)? == wanted).then_some(content)
    })
}

/// What stands between the boundary lines.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = position(body, boundary).map(|at| &body[at + boundary.len()..]);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = position(text, boundary)?;
        rest = Some(&text[end + boundary.len()..]);
        let part = &text[..end];
        Some(part.strip_suffix(b"\n").map_or(part, |p| p.strip_suffix(b"\r").unwrap_or(p)))
    })
}

/// Header lines and content of one part; the part starts with the end of its boundary line.
fn split_head(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = position(part, b"\r\n\r\n").map(|at| (&part[..at], &part[at + 4..]));
    crlf.or_else(|| position(part, b"\n\n").map(|at| (&part[..at], &part[at + 2..])))
}

fn type_of(head: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(head).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut types =
        lines.filter(|(name, _)| matches!(name.trim().to_ascii_lowercase().as_str(), "content-type" | "c"));
    let value = types.next()?.1;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|w| w == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/mixed; boundary=\"a b\"";

    #[test]
    fn the_sdp_beside_something_else() {
        let body = b"preamble\r\n--a b\r\nContent-Type: application/isup\r\n\r\n\x01\xff\r\n--a b\r\nContent-Disposition: session\r\nc : application/SDP;x=y\r\n\r\nv=0\r\ns=-\r\n\r\n--a b--\r\n";
        assert_eq!(find(TYPE, body, "application/sdp"), Some(&b"v=0\r\ns=-\r\n"[..]));
        assert_eq!(find(TYPE, body, "text/plain"), None);
    }

    #[test]
    fn broken_ones_have_none() {
        for body in [
            &b""[..],
            b"--a b",
            b"--a b\r\nContent-Type: application/sdp\r\n\r\nv=0",
            b"--a b--",
            b"--a b\r\n--a b\r\n",
        ] {
            assert_eq!(find(TYPE, body, "application/sdp"), None);
        }
        assert_eq!(find("multipart/mixed", b"--\r\n\r\n--", "application/sdp"), None);
    }
}
