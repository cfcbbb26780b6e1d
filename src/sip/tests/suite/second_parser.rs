//! The same messages read by us and by the `rsip` crate, on the subset that crate can read; and our own messages read
//! back. A difference is a fault of one of the two: here they are decided.
use crate::common::{Pair, SDP};
use model::id::LegId;
use rsip::message::HeadersExt;
use rsip::prelude::{HasHeaders, ToTypedHeader, UntypedHeader};
use sip::message::Message;
use sip::{Indication, Request};

struct Random(u64);

impl Random {
    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let at = self.0 % u64::try_from(words.len()).unwrap();
        words[usize::try_from(at).unwrap()]
    }
}

/// A well-formed request in the long form both parsers read.
fn generate(r: &mut Random) -> String {
    let method = r.pick(&["INVITE", "OPTIONS", "BYE", "REGISTER", "CANCEL", "MESSAGE", "SUBSCRIBE", "INFO"]);
    let host = r.pick(&["example.com", "192.0.2.7", "a-b.example.org", "10.0.0.1"]);
    let port = r.pick(&["", ":5060", ":65535"]);
    let user = r.pick(&["bob", "101", "%61lice", "a.b-c_d", "+8613800000000"]);
    let params = r.pick(&["", ";transport=tcp", ";transport=udp;lr"]);
    let display = r.pick(&["", "Alice ", "\"Doe, J\" ", "\"say \\\"hi\\\"\" "]);
    let branch = r.pick(&["z9hG4bK1", "z9hG4bK-x.y", "z9hG4bKabcdef0123456789"]);
    let tag = r.pick(&["1", "as6151ad25", "x.y-z"]);
    let number = r.pick(&["1", "139122385", "2147483647"]);
    let body = r.pick(&["", "v=0\r\no=- 1 1 IN IP4 h\r\n", "hello"]);
    format!(
        "{method} sip:{user}@{host}{port}{params} SIP/2.0\r\nVia: SIP/2.0/UDP {host}{port};branch={branch};rport\r\nMax-Forwards: 70\r\nFrom: {display}<sip:{user}@{host}>;tag={tag}\r\nTo: <sip:{user}@{host}{port}>\r\nCall-ID: {tag}@{host}\r\nCSeq: {number} {method}\r\nContact: <sip:{user}@{host}{port}>\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ours(text: &str) -> Request {
    match Message::read(text.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}\n{text}"),
    }
}

fn theirs(text: &str) -> rsip::Request {
    rsip::Request::try_from(text.as_bytes().to_vec()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn both_parsers_read_the_same() {
    let mut random = Random(0xD1FF);
    for _ in 0..2_000 {
        let text = generate(&mut random);
        let (a, b) = (ours(&text), theirs(&text));
        assert_eq!(a.method().as_str(), b.method.to_string(), "{text}");
        // That crate rewrites `transport=tcp` as `TCP`: the same URI by RFC 3261 section 19.1.4.
        assert!(a.uri().same(&crate::common::uri(&b.uri.to_string())), "{text}");
        assert_eq!(a.uri().port(), b.uri.host_with_port.port.as_ref().map(|p| *p.value()));
        assert_eq!(a.headers().lines().count(), b.headers().iter().count());
        assert_eq!(a.call_id(), b.call_id_header().unwrap().value());
        let (cseq, from, via) = (
            b.cseq_header().unwrap().typed().unwrap(),
            b.from_header().unwrap().typed().unwrap(),
            b.via_header().unwrap().typed().unwrap(),
        );
        assert_eq!(
            (a.cseq().number, a.cseq().method.as_str().to_owned()),
            (cseq.seq, cseq.method.to_string())
        );
        assert_eq!(a.from().uri.as_str(), from.uri.to_string());
        assert_eq!(a.from().tag(), from.tag().map(|t| t.value()));
        assert_eq!(a.via().branch.as_deref(), via.branch().map(|x| x.value()));
        assert_eq!(a.via().host, via.uri.host_with_port.host.to_string());
        assert_eq!(a.max_forwards().map(u32::from), Some(b.max_forwards_header().unwrap().num().unwrap()));
        assert_eq!(a.body(), b.body());
    }
}

#[test]
fn what_we_write_is_read_by_both() {
    let mut pair = Pair::udp();
    pair.up();
    pair.act(0, |e, now, _, out| e.reoffer(now, LegId(1), SDP.to_vec(), out));
    while let Some(told) = pair.until_told(1, std::time::Duration::from_secs(5)) {
        if let Indication::Reoffer { .. } = told {
            pair.act(1, |e, now, _, out| e.answer_reoffer(now, LegId(2), Ok(SDP.to_vec()), out));
        }
    }
    pair.act(0, |e, now, _, out| e.hang_up(now, LegId(1), Some("Q.850;cause=16"), out));
    pair.run(std::time::Duration::from_secs(1));
    assert!(pair.whole().count() >= 8);
    for bytes in pair.whole() {
        rsip::SipMessage::try_from(bytes.to_vec())
            .unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(bytes)));
    }
}

#[test]
fn a_request_read_and_echoed_loses_nothing() {
    let mut random = Random(0x2011D);
    for _ in 0..500 {
        let text = generate(&mut random);
        let request = ours(&text);
        let mut again = sip::builder::Builder::request(request.method(), request.uri());
        for line in request.headers().lines() {
            again.named(line.text, line.value);
        }
        let mut bytes = again.finish();
        // The builder counts the body itself: put it back as it was.
        let head = bytes.len() - "Content-Length: 0\r\n\r\n".len();
        bytes.truncate(head);
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", request.body().len()).as_bytes());
        bytes.extend_from_slice(request.body());
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}
