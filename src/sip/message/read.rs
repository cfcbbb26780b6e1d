//! Reading and checking of one message. Order: structure (start line, header lines, blank line, length), then the
//! headers every message needs, then what only some methods need. The first fault found is the one told.
use super::{Message, Rejected, Request, Response, Why, check_head, check_length};
use crate::cseq::CSeq;
use crate::headers::Headers;
use crate::method::Method;
use crate::name::Name;
use crate::name_addr::NameAddr;
use crate::scan;
use crate::uri::Uri;
use crate::via::Via;

/// Headers that may stand only once.
const SINGLE: [Name; 7] = [
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::MaxForwards,
    Name::ContentLength,
    Name::ContentType,
];

enum Start<'a> {
    Request { method: &'a str, uri: Result<Uri, Why> },
    Response { code: u16, reason: String },
}

pub(super) fn message(bytes: &[u8]) -> Result<Message, Box<Rejected>> {
    let lost = |why| Box::new(Rejected { why, code: None, headers: Headers::default() });
    check_length(bytes).map_err(lost)?;
    let bytes = &bytes[bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()..];
    let (line, rest) = cut_line(bytes).ok_or_else(|| lost(Why::StartLine))?;
    let (head, body) = cut_head(rest).ok_or_else(|| lost(Why::NoBlankLine))?;
    check_head(line.len() + head.len()).map_err(lost)?;
    let headers = Headers::read(head).map_err(lost)?;
    match start_line(line) {
        Ok(Start::Request { method, uri }) => request(method, uri, headers, body).map(Message::Request),
        Ok(Start::Response { code, reason }) => response(code, reason, headers, body).map(Message::Response),
        Err(why) => {
            let code = if why == Why::Version { 505 } else { 400 };
            Err(rejected(why, code, line.starts_with(b"ACK ") || line.starts_with(b"SIP/"), headers))
        }
    }
}

fn cut_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&b| b == b'\n')?;
    Some((bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]), &bytes[end + 1..]))
}

/// Header lines and body. The blank line may end in CRLF or LF; a message without headers starts with it.
fn cut_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    while let Some(end) = bytes[at..].iter().position(|&b| b == b'\n').map(|i| at + i) {
        if matches!(&bytes[at..end], b"" | b"\r") {
            return Some((&bytes[..at], &bytes[end + 1..]));
        }
        at = end + 1;
    }
    None
}

fn start_line(line: &[u8]) -> Result<Start<'_>, Why> {
    if is_sip(line) {
        return status_line(line);
    }
    let line = std::str::from_utf8(line).map_err(|_| Why::StartLine)?;
    let (method, rest) = line.split_once(' ').ok_or(Why::StartLine)?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(Why::StartLine)?;
    if !scan::is_token(method) || !is_sip(version.as_bytes()) {
        return Err(Why::StartLine);
    }
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Why::Version);
    }
    Ok(Start::Request { method, uri: Uri::read(uri).map_err(|_| Why::RequestUri) })
}

fn is_sip(version: &[u8]) -> bool {
    version.get(..4).is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/"))
}

fn status_line(line: &[u8]) -> Result<Start<'_>, Why> {
    let text = String::from_utf8_lossy(line);
    let (version, rest) = text.split_once(' ').ok_or(Why::StartLine)?;
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Why::Version);
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = Some(code).filter(|c| c.len() == 3).and_then(scan::number).and_then(|c| u16::try_from(c).ok());
    let code = code.filter(|c| (100..700).contains(c)).ok_or(Why::StartLine)?;
    Ok(Start::Response { code, reason: reason.to_owned() })
}

fn rejected(why: Why, code: u16, silent: bool, headers: Headers) -> Box<Rejected> {
    let answerable = !silent && headers.first(Name::Via).is_some() && headers.first(Name::CSeq).is_some();
    Box::new(Rejected { why, code: answerable.then_some(code), headers })
}

fn request(
    method: &str,
    uri: Result<Uri, Why>,
    headers: Headers,
    body: &[u8],
) -> Result<Request, Box<Rejected>> {
    match check_request(method, uri, &headers, body) {
        Ok(parts) => {
            let Parts { method, uri, via, from, to, cseq, max_forwards, body } = parts;
            Ok(Request { method, uri, via, from, to, cseq, max_forwards, body: body.to_vec(), headers })
        }
        Err(why) => Err(rejected(why, 400, method == "ACK", headers)),
    }
}

struct Parts<'a> {
    method: Method,
    uri: Uri,
    via: Via,
    from: NameAddr,
    to: NameAddr,
    cseq: CSeq,
    max_forwards: Option<u8>,
    body: &'a [u8],
}

fn check_request<'a>(
    method: &str,
    uri: Result<Uri, Why>,
    headers: &Headers,
    body: &'a [u8],
) -> Result<Parts<'a>, Why> {
    let (via, from, to, cseq) = mandatory(headers)?;
    single(headers)?;
    let uri = uri?;
    let method = Method::read(method);
    if cseq.method != method {
        return Err(Why::CSeqMethod);
    }
    let max_forwards = match headers.first(Name::MaxForwards) {
        Some(v) => {
            Some(scan::number(v).and_then(|n| u8::try_from(n).ok()).ok_or(Why::Number(Name::MaxForwards))?)
        }
        None => None,
    };
    let body = cut_body(headers, body)?;
    addresses(headers)?;
    if uri.embedded_headers().is_some() {
        return Err(Why::RequestUri);
    }
    Ok(Parts { method, uri, via, from, to, cseq, max_forwards, body })
}

fn response(code: u16, reason: String, headers: Headers, body: &[u8]) -> Result<Response, Box<Rejected>> {
    let checked = mandatory(&headers)
        .and_then(|m| single(&headers).map(|()| m))
        .and_then(|m| Ok((m, cut_body(&headers, body)?)));
    match checked {
        Ok(((via, from, to, cseq), body)) => {
            Ok(Response { code, reason, via, from, to, cseq, body: body.to_vec(), headers })
        }
        Err(why) => Err(Box::new(Rejected { why, code: None, headers })),
    }
}

fn mandatory(headers: &Headers) -> Result<(Via, NameAddr, NameAddr, CSeq), Why> {
    let top = headers.list(Name::Via).next().ok_or(Why::Mandatory(Name::Via))?;
    let via = Via::read(top).map_err(|_| Why::Mandatory(Name::Via))?;
    let from = address(headers, Name::From)?;
    let to = address(headers, Name::To)?;
    if headers.first(Name::CallId).is_none_or(str::is_empty) {
        return Err(Why::Mandatory(Name::CallId));
    }
    let cseq =
        headers.first(Name::CSeq).and_then(|v| CSeq::read(v).ok()).ok_or(Why::Mandatory(Name::CSeq))?;
    Ok((via, from, to, cseq))
}

fn address(headers: &Headers, name: Name) -> Result<NameAddr, Why> {
    headers.first(name).and_then(|v| NameAddr::read(v).ok()).ok_or(Why::Mandatory(name))
}

fn single(headers: &Headers) -> Result<(), Why> {
    match SINGLE.iter().find(|&&n| headers.count(n) > 1) {
        Some(&name) => Err(Why::Repeated(name)),
        None => Ok(()),
    }
}

/// Body by Content-Length; without one, all that is left (RFC 3261 section 18.3).
fn cut_body<'a>(headers: &Headers, rest: &'a [u8]) -> Result<&'a [u8], Why> {
    match headers.first(Name::ContentLength) {
        Some(value) => {
            let len = scan::number(scan::trim(value))
                .and_then(|n| usize::try_from(n).ok())
                .ok_or(Why::ContentLength)?;
            rest.get(..len).ok_or(Why::ContentLength)
        }
        None => Ok(rest),
    }
}

/// Every Contact, Route and Record-Route value must be readable: later requests are sent by them.
fn addresses(headers: &Headers) -> Result<(), Why> {
    for name in [Name::Contact, Name::Route, Name::RecordRoute] {
        if headers.list(name).any(|v| v != "*" && NameAddr::read(v).is_err()) {
            return Err(Why::Address(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n";

    fn read(text: String) -> Result<Message, Box<Rejected>> {
        Message::read(text.as_bytes())
    }

    fn why(text: String) -> (Why, Option<u16>) {
        let r = read(text).expect_err("should be refused");
        (r.why, r.code)
    }

    #[test]
    fn body_without_length_runs_to_the_end_of_the_datagram() {
        let Message::Request(r) =
            read(format!("\r\n\r\nMESSAGE sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 MESSAGE\r\n\r\nhello")).unwrap()
        else {
            panic!()
        };
        assert_eq!((r.body(), r.call_id(), r.max_forwards()), (&b"hello"[..], "x", None));
    }

    #[test]
    fn octets_after_the_body_are_not_body() {
        let Message::Request(r) =
            read(format!("MESSAGE sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 MESSAGE\r\nl: 2\r\n\r\nhello")).unwrap()
        else {
            panic!()
        };
        assert_eq!(r.body(), b"he");
    }

    #[test]
    fn faults_are_named_and_answerable() {
        assert_eq!(
            why(format!("OPTIONS sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 OPTIONS\r\nContent-Length: 9\r\n\r\n")),
            (Why::ContentLength, Some(400))
        );
        assert_eq!(
            why(format!("OPTIONS sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 OPTIONS\r\nContent-Length: -9\r\n\r\n")),
            (Why::ContentLength, Some(400))
        );
        assert_eq!(
            why(format!("OPTIONS sip:c@d SIP/7.0\r\n{HEAD}CSeq: 1 OPTIONS\r\n\r\n")),
            (Why::Version, Some(505))
        );
        assert_eq!(
            why(format!("OPTIONS sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 INVITE\r\n\r\n")),
            (Why::CSeqMethod, Some(400))
        );
        assert_eq!(
            why(format!("OPTIONS  sip:c@d SIP/2.0\r\n{HEAD}CSeq: 1 OPTIONS\r\n\r\n")),
            (Why::RequestUri, Some(400))
        );
        assert_eq!(
            why(format!("ACK sip:c d SIP/2.0\r\n{HEAD}CSeq: 1 ACK\r\n\r\n")),
            (Why::RequestUri, None),
            "nobody answers an ACK"
        );
        assert_eq!(
            why(format!("OPTIONS sip:c@d SIP/2.0\r\n{HEAD}{HEAD}CSeq: 1 OPTIONS\r\n\r\n")),
            (Why::Repeated(Name::From), Some(400))
        );
        assert_eq!(
            why("OPTIONS sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n".into()),
            (Why::Mandatory(Name::From), None)
        );
        assert_eq!(why("hello\r\n\r\n".into()).0, Why::StartLine);
        assert_eq!(why("a b SIP\u{438}\r\n\r\n".into()).0, Why::StartLine, "letters of two octets");
        assert_eq!(why(String::new()).0, Why::StartLine);
        assert_eq!(why("OPTIONS sip:c@d SIP/2.0\r\n".into()).0, Why::NoBlankLine);
    }

    #[test]
    fn responses() {
        let Message::Response(r) =
            read(format!("SIP/2.0 200 \r\n{HEAD}CSeq: 1 INVITE\r\nRetry-After: 5 (x);duration=3\r\n\r\n"))
                .unwrap()
        else {
            panic!()
        };
        assert_eq!((r.code(), r.reason(), r.retry_after()), (200, "", Some(5)));
        assert_eq!(why(format!("SIP/2.0 4294967301 better\r\n{HEAD}CSeq: 1 INVITE\r\n\r\n")).1, None);
        assert_eq!(why(format!("SIP/2.0 700 x\r\n{HEAD}CSeq: 1 INVITE\r\n\r\n")).0, Why::StartLine);
    }
}
