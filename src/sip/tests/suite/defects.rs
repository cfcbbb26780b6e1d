//! Defects measured in other SIP stacks, each as a case that ours must pass. The number is the one in the list the
//! choice of parser rests on.
use crate::common::{LONG, Pair, SDP, Wire, uri};
use model::id::LegId;
use sip::builder::Builder;
use sip::message::{Message, Response};
use sip::{Indication, Method, Name, Request, Transport, Uri, Why};
use std::time::Duration;

const LINES: &str = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKd\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: d\r\nCSeq: 1 INVITE\r\n";

fn request(text: &[u8]) -> Request {
    match Message::read(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn invite(lines: &str) -> Request {
    request(format!("INVITE sip:b@h SIP/2.0\r\n{lines}\r\n").as_bytes())
}

#[test]
fn d01_compact_names() {
    let r = invite(
        "v: SIP/2.0/UDP h;branch=z9hG4bKd\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: d\r\nCSeq: 1 INVITE\r\nm: <sip:a@c>\r\nl: 0\r\n",
    );
    assert_eq!((r.from().tag(), r.call_id(), r.contacts().count()), (Some("1"), "d", 1));
}

#[test]
fn d02_folding_blanks_before_the_colon_leading_blank_lines() {
    let r = request(
        format!("\r\n\r\nINVITE sip:b@h SIP/2.0\r\nSubject :\r\n  a\r\n\tb\r\n{LINES}\r\n").as_bytes(),
    );
    assert_eq!(r.headers().first(Name::Subject), Some("a  \tb"));
}

#[test]
fn d03_tel_uris_everywhere() {
    let r = request(b"INVITE tel:+861012345678 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKd\r\nFrom: <tel:+8613800000000>;tag=1\r\nTo: <tel:+861012345678>\r\nCall-ID: d\r\nCSeq: 1 INVITE\r\n\r\n");
    assert_eq!(
        (r.uri().user().as_deref(), r.from().uri.user().as_deref()),
        (Some("+861012345678"), Some("+8613800000000"))
    );
}

#[test]
fn d04_d10_brackets_in_quoted_names_and_joined_contacts() {
    let r = invite(&format!("{LINES}Contact: \"Doe, <J>\" <sip:x@h>, <sip:y@h>;q=0.5\r\n"));
    let contacts: Vec<_> = r.contacts().collect();
    assert_eq!(
        (contacts[0].display.as_deref(), contacts[0].uri.as_str(), contacts.len()),
        (Some("Doe, <J>"), "sip:x@h", 2)
    );
}

#[test]
fn d05_d11_content_length_counts() {
    let short =
        request(format!("INVITE sip:b@h SIP/2.0\r\n{LINES}Content-Length: 2\r\n\r\nabNEXT").as_bytes());
    assert_eq!(short.body(), b"ab");
    for bad in ["99", "abc", "-1", ""] {
        let text = format!("INVITE sip:b@h SIP/2.0\r\n{LINES}Content-Length: {bad}\r\n\r\nab");
        let rejected = Message::read(text.as_bytes()).unwrap_err();
        assert_eq!((rejected.why, rejected.code), (Why::ContentLength, Some(400)), "answered, not dropped");
    }
}

#[test]
fn d06_bodies_are_octets() {
    let body = [0u8, 0xff, 0xfe, b'\r', 0x80];
    let mut b = Builder::request(&Method::Message, &uri("sip:b@h"));
    b.header(Name::Via, "SIP/2.0/UDP h;branch=z9hG4bKd")
        .header(Name::From, "<sip:a@h>;tag=1")
        .header(Name::To, "<sip:b@h>");
    b.header(Name::CallId, "d").header(Name::CSeq, "1 MESSAGE");
    assert_eq!(request(&b.body("application/ISUP", &body)).body(), body);
}

#[test]
fn d07_headers_nobody_typed_are_at_hand() {
    let r = invite(&format!(
        "{LINES}x: 1800;refresher=uac\r\nP-Asserted-Identity: <tel:+1>\r\nr: <sip:c@h>\r\nPath: <sip:p;lr>\r\n"
    ));
    assert_eq!(r.headers().first(Name::SessionExpires), Some("1800;refresher=uac"));
    assert_eq!(r.header("p-asserted-identity").next(), Some("<tel:+1>"));
    assert_eq!(r.header("refer-to").next(), Some("<sip:c@h>"));
}

#[test]
fn d08_one_octet_that_is_not_utf_8_costs_nothing_else() {
    let text = [
        b"INVITE sip:b@h SIP/2.0\r\nSubject: caf\xe9\r\n".as_slice(),
        LINES.as_bytes(),
        b"Content-Length: 2\r\n\r\nok",
    ]
    .concat();
    let r = request(&text);
    assert_eq!(
        (r.headers().lines().count(), r.headers().first(Name::Subject), r.body()),
        (7, Some("café"), &b"ok"[..])
    );
}

#[test]
fn d09_a_datagram_without_content_length_keeps_its_body() {
    let r = request(&[format!("INVITE sip:b@h SIP/2.0\r\n{LINES}\r\n").as_bytes(), SDP].concat());
    assert_eq!(r.sdp(), Some(SDP));
}

#[test]
fn d12_d13_many_calls_cost_the_same_each_and_memory_is_bounded() {
    let mut pair = Pair::udp();
    pair.sides[1] = sip::Endpoint::new(sip::endpoint::Settings {
        transactions_max: 64,
        lingering_max: 64,
        ..sip::endpoint::Settings::new([5; 32])
    });
    for n in 0..500u32 {
        let lines = LINES.replace("CSeq: 1", &format!("CSeq: {}", n + 1)).replace("bKd", &format!("bKd{n}"));
        pair.inject(1, format!("INVITE sip:b@h SIP/2.0\r\n{lines}\r\n").as_bytes());
    }
    let load = pair.sides[1].load();
    assert!(load.transactions <= 64 && load.lingering <= 64, "{load:?}");
    assert!(pair.sent(1, "SIP/2.0 503") >= 400, "and says so");
}

#[test]
fn d14_time_is_given_not_taken() {
    let mut pair = Pair::new(1, Transport::Udp, Wire { loss: 100, ..Wire::default() });
    pair.call(0, 1);
    let started = pair.now.mono;
    pair.until_told(0, LONG);
    assert_eq!(pair.now.mono.since(started), Duration::from_secs(32), "64 T1 to the microsecond");
}

#[test]
fn d15_only_what_we_can_do_is_offered() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    assert!(pair.last(0, "INVITE").contains("\r\nSupported: timer\r\n"));
}

#[test]
fn d17_refusals_are_not_repeated_on_streams() {
    let mut pair = Pair::new(1, Transport::Tcp, Wire::default());
    pair.call(0, 1);
    let Some(Indication::Invite { server, .. }) = pair.until_told(1, LONG) else { panic!("a call") };
    pair.wire.loss = 100;
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, LegId(2), uri("sip:b@h"), out);
        e.refuse(now, LegId(2), 486, None, Vec::new(), out);
    });
    pair.run(LONG);
    assert_eq!(pair.sent(1, "SIP/2.0 486"), 1);
}

#[test]
fn d18_a_prack_that_matches_nothing_is_answered() {
    let mut pair = Pair::udp();
    let text = format!(
        "PRACK sip:b@h SIP/2.0\r\n{}RAck: 1 1 INVITE\r\n\r\n",
        LINES.replace("INVITE", "PRACK").replace("<sip:b@h>", "<sip:b@h>;tag=x")
    );
    pair.inject(1, text.as_bytes());
    assert!(pair.sent(1, "SIP/2.0 4") == 1);
}

#[test]
fn d19_wrong_order_of_calls_is_no_panic() {
    let mut pair = Pair::udp();
    for leg in [LegId(1), LegId(9)] {
        pair.act(0, |e, now, flow, out| {
            let nobody = sip::indication::ServerId(77);
            e.ring(now, leg, 180, None, out);
            e.accept(now, leg, SDP.to_vec(), Vec::new(), out);
            e.refuse(now, leg, 486, None, Vec::new(), out);
            e.reoffer(now, leg, SDP.to_vec(), out);
            e.answer_reoffer(now, leg, Ok(SDP.to_vec()), out);
            e.hang_up(now, leg, None, out);
            e.hang_up(now, leg, None, out);
            e.respond(now, nobody, sip::endpoint::Reply::new(200), out);
            e.ignore(nobody);
            e.adopt(now, nobody, LegId(1), uri("sip:b@h"), out);
            e.invite(now, LegId(1), crate::common::invite(flow), out);
            e.invite(now, LegId(1), crate::common::invite(flow), out);
        });
    }
    pair.run(LONG);
}

#[test]
fn d20_values_never_make_lines() {
    let mut b = Builder::response(200, Some("OK\r\nX: 1"));
    b.header(Name::Subject, "a\r\n\r\nX: 2").named("X\r\nY", "3");
    let text = String::from_utf8(b.finish()).unwrap();
    assert_eq!(text, "SIP/2.0 200 OK  X: 1\r\nSubject: a    X: 2\r\nContent-Length: 0\r\n\r\n");
    assert!(Uri::sip(Some("a\r\nb"), "h", None).is_ok_and(|u| u.as_str() == "sip:a%0D%0Ab@h"));
}

#[test]
fn answers_without_a_reason_or_with_any_are_read() {
    for reason in ["", " ", " caf\u{e9} = 2**3"] {
        let text = format!("SIP/2.0 200{reason}\r\n{LINES}\r\n");
        assert!(matches!(Message::read(text.as_bytes()), Ok(Message::Response(Response { .. }))), "{reason}");
    }
}
