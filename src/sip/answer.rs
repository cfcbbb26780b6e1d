//! Writes answers to received requests: Via with `received` and `rport` (RFC 3581), From, To with our tag, Call-ID and
//! CSeq echoed octet by octet. Also decides where an answer goes: never to an address that only the request names.
use crate::builder::Builder;
use crate::flow::{Flow, Transport};
use crate::headers::Headers;
use crate::message::Request;
use crate::name::Name;
use crate::scan;
use crate::uri;
use crate::via::Via;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// What is said besides the echo.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer<'a> {
    pub(crate) code: u16,
    pub(crate) reason: Option<&'a str>,
    pub(crate) to_tag: Option<&'a str>,
    pub(crate) contact: Option<&'a str>,
    pub(crate) server: Option<&'a str>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

/// The answer to a request that was understood.
pub(crate) fn build(request: &Request, flow: &Flow, answer: &Answer<'_>) -> Vec<u8> {
    let record_route = answer.contact.is_some();
    build_from(&request.headers, request.to.tag().is_some(), flow, answer, record_route)
}

/// The answer to a request that could only be echoed.
pub(crate) fn build_rejected(headers: &Headers, flow: &Flow, answer: &Answer<'_>) -> Vec<u8> {
    let tagged = headers.first(Name::To).is_some_and(|t| scan::param(t, "tag").is_some());
    build_from(headers, tagged, flow, answer, false)
}

fn build_from(
    headers: &Headers,
    tagged: bool,
    flow: &Flow,
    answer: &Answer<'_>,
    record_route: bool,
) -> Vec<u8> {
    let mut b = Builder::response(answer.code, answer.reason);
    echo_via(&mut b, headers, flow);
    if record_route {
        b.echo(headers, Name::RecordRoute);
    }
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
        if let Some(line) = headers.lines_of(name).next() {
            let tag = answer.to_tag.filter(|_| name == Name::To && !tagged);
            b.echo_line(line, &tag.map(|t| tag_param(line.value, t)).unwrap_or_default());
        }
    }
    if let Some(contact) = answer.contact {
        b.header(Name::Contact, contact);
    }
    if let Some(server) = answer.server {
        b.header(Name::Server, server);
    }
    b.all(answer.headers);
    b.body(answer.content_type, answer.body)
}

/// Our tag as it is appended to a To value; a `;` that the peer left at the end is used.
pub(crate) fn tag_param(value: &str, tag: &str) -> String {
    let semicolon = if value.ends_with(';') { "" } else { ";" };
    format!("{semicolon}tag={tag}")
}

fn echo_via(b: &mut Builder, headers: &Headers, flow: &Flow) {
    for (i, line) in headers.lines_of(Name::Via).take(crate::limits::ECHO_MAX).enumerate() {
        let top = (i == 0).then(|| scan::list(line.value).next()).flatten();
        match top.and_then(|t| Some((t, Via::read(t).ok()?))) {
            Some((text, via)) => {
                let rest = line.value.find(text).map_or("", |at| &line.value[at + text.len()..]);
                b.header(Name::Via, &format!("{}{rest}", stamped(&via, flow)));
            }
            None => {
                b.echo_line(line, "");
            }
        }
    }
}

/// The top Via with what we saw: `received` when sent-by names another address, `rport` when asked for.
fn stamped(via: &Via, flow: &Flow) -> String {
    let mut text = format!("SIP/2.0/{} {}", via.transport, via.host);
    if let Some(port) = via.port {
        let _ = write!(text, ":{port}");
    }
    let wants_rport = via.wants_rport();
    for (name, value) in via.params() {
        let ours =
            name.eq_ignore_ascii_case("received") || (wants_rport && name.eq_ignore_ascii_case("rport"));
        match value {
            _ if ours => {}
            Some(value) => drop(write!(text, ";{name}={value}")),
            None => drop(write!(text, ";{name}")),
        }
    }
    if wants_rport || uri::host_ip(&via.host) != Some(flow.remote.ip()) {
        let _ = write!(text, ";received={}", flow.remote.ip());
    }
    if wants_rport {
        let _ = write!(text, ";rport={}", flow.remote.port());
    }
    text
}

/// Where answers go: back along a stream; a datagram back to the address it came from, at the port it came from, unless
/// the sender stands behind no NAT (sent-by is its address) and did not ask for `rport`: then at the port of sent-by.
pub(crate) fn reply_flow(flow: Flow, via: &Via) -> Flow {
    let direct = uri::host_ip(&via.host) == Some(flow.remote.ip()) && via.param("rport").is_none();
    match flow.transport {
        Transport::Udp if direct => {
            Flow { remote: SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(5060)), ..flow }
        }
        Transport::Udp | Transport::Tcp => flow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn request(via: &str) -> Request {
        let text = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nv: {via}\r\nVia: SIP/2.0/TCP second;branch=x\r\nf: <sip:a@b>;tag=1\r\nt: \"x\" <sip:c@d>\r\ni: 7\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        match Message::read(text.as_bytes()).unwrap() {
            Message::Request(r) => r,
            Message::Response(_) => panic!("a request"),
        }
    }

    fn flow() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:40000".parse().unwrap())
    }

    #[test]
    fn the_echo_carries_what_we_saw() {
        let r = request("SIP/2.0/UDP 10.0.0.9:5062;rport;branch=z9hG4bK7;x=\"a;b\", SIP/2.0/UDP joined");
        let answer = Answer { code: 404, to_tag: Some("t"), ..Answer::default() };
        let text = String::from_utf8(build(&r, &flow(), &answer)).unwrap();
        assert_eq!(
            text,
            "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK7;x=\"a;b\";received=198.51.100.7;rport=40000, SIP/2.0/UDP joined\r\nVia: SIP/2.0/TCP second;branch=x\r\nFrom: <sip:a@b>;tag=1\r\nTo: \"x\" <sip:c@d>;tag=t\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_tag_joins_what_is_there() {
        assert_eq!(tag_param("sip:a@b", "7"), ";tag=7");
        assert_eq!(tag_param("<sip:a@b>;x;", "7"), "tag=7");
    }

    #[test]
    fn answers_go_only_where_requests_came_from() {
        let to = |via: &str| reply_flow(flow(), &Via::read(via).unwrap()).remote.to_string();
        assert_eq!(to("SIP/2.0/UDP 10.0.0.9:5062;rport"), "198.51.100.7:40000");
        assert_eq!(
            to("SIP/2.0/UDP 203.0.113.1;maddr=203.0.113.2;received=203.0.113.3"),
            "198.51.100.7:40000"
        );
        assert_eq!(to("SIP/2.0/UDP 198.51.100.7:5070"), "198.51.100.7:5070");
        assert_eq!(to("SIP/2.0/UDP 198.51.100.7"), "198.51.100.7:5060");
        assert_eq!(to("SIP/2.0/UDP 198.51.100.7;rport"), "198.51.100.7:40000");
    }
}
