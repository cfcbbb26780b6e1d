//! The odd and the hostile on the wire, written as bytes: forks, repetitions, old peers, loops, requests out of order.
use crate::common::{LONG, Pair, SDP, uri};
use model::id::LegId;
use sip::endpoint::Hop;
use sip::indication::ServerId;
use sip::message::{Message, Response};
use sip::{Indication, Name, Output};
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);

/// A request as side 0 would send it by hand.
fn ask(method: &str, branch: &str, cseq: u32, to_tag: &str, more: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}\r\nFrom: <sip:alice@h>;tag=hand\r\nTo: <sip:bob@h>{tag}\r\nCall-ID: by-hand\r\nCSeq: {cseq} {method}\r\nContact: <sip:alice@192.0.2.1>\r\n{more}\r\n"
    )
}

fn codes(pair: &Pair) -> Vec<String> {
    let lines = pair.log.iter().filter(|(side, line)| *side == 1 && line.starts_with("SIP/2.0"));
    lines.map(|(_, line)| line[8..11].to_owned()).collect()
}

fn offered(pair: &mut Pair) -> ServerId {
    match pair.told[1].pop() {
        Some(Indication::Invite { server, .. }) => server,
        other => panic!("{other:?}"),
    }
}

/// Side 1 in a session that was set up by hand; its tag.
fn up(pair: &mut Pair) -> String {
    pair.inject(1, ask("INVITE", "z9hG4bKinv", 10, "", "").as_bytes());
    let server = offered(pair);
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.accept(now, B, SDP.to_vec(), Vec::new(), out);
    });
    let tag = pair.tag_of_last("SIP/2.0 200");
    pair.inject(1, ask("ACK", "z9hG4bKack", 10, &tag, "").as_bytes());
    assert!(matches!(pair.told[1].pop(), Some(Indication::Acked { leg: B, .. })));
    tag
}

fn response(to: &str, code: u16, invite: &str, tag: &str) -> Vec<u8> {
    let Ok(Message::Request(invite)) = Message::read(invite.as_bytes()) else { panic!("our INVITE") };
    let line = |name: Name| format!("{}: {}\r\n", name.as_str(), invite.headers().first(name).unwrap());
    let head = [Name::Via, Name::From, Name::CallId, Name::CSeq].map(line).concat();
    format!("SIP/2.0 {code} X\r\n{head}To: <{to}>;tag={tag}\r\nContact: <sip:{tag}@192.0.2.2>\r\n\r\n")
        .into_bytes()
}

#[test]
fn other_forks_are_acknowledged_and_ended() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    let invite = pair.last(0, "INVITE");
    for tag in ["one", "two", "two", "one"] {
        pair.inject(0, &response("sip:bob@h", 200, &invite, tag));
    }
    assert!(matches!(pair.told[0][..], [Indication::Answered { leg: A, .. }]), "one answer is told");
    assert_eq!((pair.sent(0, "ACK sip:one"), pair.sent(0, "ACK sip:two")), (2, 2), "each 2xx gets its ACK");
    assert_eq!((pair.sent(0, "BYE sip:one"), pair.sent(0, "BYE sip:two")), (0, 1));
}

#[test]
fn a_signalled_session_follows_the_contact_and_a_symmetric_one_the_source() {
    for (hop, remote) in [(Hop::Symmetric, "192.0.2.2:5060"), (Hop::Signalled, "192.0.2.7:5070")] {
        let mut pair = Pair::udp();
        let mut call = crate::common::invite(pair.flow(0));
        call.hop = hop;
        pair.act(0, |e, now, _, out| e.invite(now, A, call, out));
        let invite = pair.last(0, "INVITE");
        let answer = String::from_utf8(response("sip:bob@h", 200, &invite, "one")).unwrap();
        let (mut out, now, flow) = (Vec::new(), pair.now, pair.flow(0));
        let answer = answer.replace("<sip:one@192.0.2.2>", "<sip:one@192.0.2.7:5070>");
        pair.sides[0].receive(now, flow, answer.as_bytes(), &mut out);
        pair.sides[0].hang_up(now, A, None, &mut out);
        let sent = out.iter().filter_map(|o| match o {
            Output::Send { flow, .. } => Some(flow.remote.to_string()),
            Output::Indicate(_) => None,
        });
        assert_eq!(sent.collect::<Vec<_>>(), [remote, remote], "ACK and BYE");
    }
}

#[test]
fn forks_are_bounded() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    let invite = pair.last(0, "INVITE");
    for n in 0..100 {
        pair.inject(0, &response("sip:bob@h", 200, &invite, &format!("t{n}")));
    }
    assert!(pair.sent(0, "BYE") < 16);
}

#[test]
fn answers_for_somebody_else_are_dropped() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    let invite = pair.last(0, "INVITE");
    let other = invite.replace("branch=z9hG4bK", "branch=z9hG4bK0");
    pair.inject(0, &response("sip:bob@h", 200, &other, "x"));
    let two = String::from_utf8(response("sip:bob@h", 200, &invite, "x"))
        .unwrap()
        .replace("From:", "Via: SIP/2.0/UDP other\r\nFrom:");
    pair.inject(0, two.as_bytes());
    assert!(pair.told[0].is_empty());
    let wrong_method =
        String::from_utf8(response("sip:bob@h", 200, &invite, "x")).unwrap().replace("1 INVITE", "1 BYE");
    pair.inject(0, wrong_method.as_bytes());
    assert!(pair.told[0].is_empty());
}

#[test]
fn repetitions_get_the_same_answer() {
    let mut pair = Pair::udp();
    let invite = ask("INVITE", "z9hG4bKsame", 1, "", "");
    pair.inject(1, invite.as_bytes());
    let server = offered(&mut pair);
    pair.inject(1, invite.as_bytes());
    assert_eq!(codes(&pair), ["100"]);
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.ring(now, B, 180, None, out);
    });
    pair.inject(1, invite.as_bytes());
    pair.act(1, |e, now, _, out| e.refuse(now, B, 486, None, Vec::new(), out));
    pair.inject(1, invite.as_bytes());
    assert_eq!(codes(&pair), ["100", "180", "180", "486", "486"]);
    assert!(pair.told[1].is_empty(), "offered once");
    pair.inject(1, ask("ACK", "z9hG4bKsame", 1, &pair.tag_of_last("SIP/2.0 486"), "").as_bytes());
    pair.run(LONG);
    assert_eq!(codes(&pair).len(), 5, "the ACK ends it");
}

#[test]
fn peers_of_rfc_2543_are_served() {
    let mut pair = Pair::udp();
    let old = |method: &str, tag: &str| ask(method, "1", 1, tag, "");
    pair.inject(1, old("INVITE", "").as_bytes());
    let server = offered(&mut pair);
    pair.inject(1, old("INVITE", "").as_bytes());
    assert!(pair.told[1].is_empty(), "a repetition without a branch is known");
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.refuse(now, B, 486, None, Vec::new(), out);
    });
    let tag = pair.tag_of_last("SIP/2.0 486");
    pair.inject(1, old("ACK", &tag).as_bytes());
    let before = codes(&pair).len();
    pair.run(LONG);
    assert_eq!(codes(&pair).len(), before, "its ACK is found");
}

#[test]
fn the_same_call_by_two_ways_is_taken_once() {
    let mut pair = Pair::udp();
    pair.inject(1, ask("INVITE", "z9hG4bKone", 1, "", "").as_bytes());
    pair.inject(1, ask("INVITE", "z9hG4bKtwo", 1, "", "").as_bytes());
    assert_eq!((codes(&pair), pair.told[1].len()), (vec!["482".to_owned()], 1));
}

#[test]
fn a_call_that_comes_back_unchanged_is_a_loop() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    let invite = pair.last(0, "INVITE").replacen(
        "Via:",
        "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKproxy\r\nVia:",
        1,
    );
    pair.inject(0, invite.as_bytes());
    assert!(pair.last(0, "SIP/2.0").starts_with("SIP/2.0 482"));
}

#[test]
fn no_hops_left() {
    let mut pair = Pair::udp();
    pair.inject(1, ask("INVITE", "z9hG4bKa", 1, "", "Max-Forwards: 0\r\n").as_bytes());
    pair.inject(1, ask("OPTIONS", "z9hG4bKb", 2, "", "Max-Forwards: 0\r\n").as_bytes());
    assert_eq!(codes(&pair), ["483"]);
    assert!(matches!(pair.told[1][..], [Indication::Request { .. }]), "the last hop may be asked");
}

#[test]
fn methods_nobody_knows() {
    let mut pair = Pair::udp();
    for (n, method) in
        ["FOO", "invite", "PUBLISH", "PRACK", "BYE", "INFO", "UPDATE", "NOTIFY"].iter().enumerate()
    {
        pair.inject(1, ask(method, &format!("z9hG4bKm{n}"), 1, "", "").as_bytes());
    }
    assert_eq!(codes(&pair), ["501", "501", "405", "481", "481", "481", "481", "481"]);
    pair.inject(1, ask("ACK", "z9hG4bKz", 1, "", "").as_bytes());
    pair.inject(1, ask("CANCEL", "z9hG4bKz", 1, "", "").as_bytes());
    assert_eq!(codes(&pair).len(), 9, "nobody answers an ACK");
    assert_eq!(codes(&pair)[8], "481");
}

#[test]
fn requests_for_sessions_that_are_not() {
    let mut pair = Pair::udp();
    let tag = up(&mut pair);
    pair.inject(1, ask("BYE", "z9hG4bK1", 11, "stranger", "").as_bytes());
    pair.inject(1, ask("BYE", "z9hG4bK2", 11, &tag, "").replace("by-hand", "other").as_bytes());
    pair.inject(1, ask("BYE", "z9hG4bK3", 11, &tag, "").replace("tag=hand", "tag=foot").as_bytes());
    assert_eq!(codes(&pair)[1..], ["481", "481", "481"]);
    assert!(pair.told[1].is_empty());
}

#[test]
fn out_of_order_inside_a_session() {
    let mut pair = Pair::udp();
    let tag = up(&mut pair);
    pair.inject(1, ask("INFO", "z9hG4bK1", 9, &tag, "").as_bytes());
    assert_eq!(codes(&pair)[1..], ["500"]);
}

#[test]
fn info_update_options_inside_a_session() {
    let mut pair = Pair::udp();
    let tag = up(&mut pair);
    let digit = "Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160";
    pair.inject(1, ask("INFO", "z9hG4bK1", 11, &tag, digit).trim_end().as_bytes());
    match pair.told[1].pop() {
        Some(Indication::Info { leg: B, content_type, body }) => {
            assert_eq!(
                (content_type.as_str(), body.starts_with(b"Signal=5")),
                ("application/dtmf-relay", true)
            );
        }
        other => panic!("{other:?}"),
    }
    pair.inject(1, ask("UPDATE", "z9hG4bK2", 12, &tag, "").as_bytes());
    pair.inject(1, ask("OPTIONS", "z9hG4bK3", 13, &tag, "").as_bytes());
    assert_eq!(codes(&pair)[1..], ["200", "200", "200"]);
    let offer = format!("Content-Type: application/sdp\r\n\r\n{}", String::from_utf8_lossy(SDP));
    pair.inject(1, ask("UPDATE", "z9hG4bK4", 14, &tag, &offer).as_bytes());
    assert!(matches!(pair.told[1].pop(), Some(Indication::Reoffer { leg: B, sdp: Some(_) })));
    pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, Ok(SDP.to_vec()), out));
    assert!(pair.last(1, "SIP/2.0 200").ends_with(&String::from_utf8_lossy(SDP).into_owned()));
    pair.inject(1, ask("REFER", "z9hG4bK5", 15, &tag, "Refer-To: <sip:c@h>\r\n").as_bytes());
    assert!(matches!(pair.told[1].pop(), Some(Indication::Request { leg: Some(B), .. })));
}

#[test]
fn a_cancelled_reinvite_leaves_the_session_up() {
    let mut pair = Pair::udp();
    let tag = up(&mut pair);
    pair.inject(1, ask("INVITE", "z9hG4bKre", 11, &tag, "").as_bytes());
    assert!(matches!(pair.told[1].pop(), Some(Indication::Reoffer { leg: B, sdp: None })));
    pair.inject(1, ask("CANCEL", "z9hG4bKre", 11, &tag, "").as_bytes());
    assert_eq!(codes(&pair)[1..], ["200", "487"]);
    pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, Ok(SDP.to_vec()), out));
    assert_eq!(codes(&pair).len(), 3, "too late");
    assert_eq!(pair.sides[1].load().legs, 1);
}

#[test]
fn bye_of_a_caller_that_nobody_answered() {
    let mut pair = Pair::udp();
    pair.inject(1, ask("INVITE", "z9hG4bKinv", 1, "", "").as_bytes());
    let server = offered(&mut pair);
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.ring(now, B, 180, None, out);
    });
    let tag = pair.tag_of_last("SIP/2.0 180");
    pair.inject(1, ask("BYE", "z9hG4bKbye", 2, &tag, "").as_bytes());
    assert_eq!(codes(&pair), ["180", "200", "487"]);
    assert!(matches!(pair.told[1].pop(), Some(Indication::Cancelled { leg: B, .. })));
}

#[test]
fn record_routes_are_followed_and_echoed() {
    let mut pair = Pair::udp();
    let routes = "Record-Route: <sip:p2@192.0.2.1;lr>\r\nRecord-Route: <sip:p1@192.0.2.1;lr>\r\n";
    pair.inject(1, ask("INVITE", "z9hG4bKinv", 10, "", routes).as_bytes());
    let server = offered(&mut pair);
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.accept(now, B, SDP.to_vec(), Vec::new(), out);
    });
    assert!(pair.last(1, "SIP/2.0 200").contains(routes));
    let tag = pair.tag_of_last("SIP/2.0 200");
    pair.inject(1, ask("ACK", "z9hG4bKack", 10, &tag, "").as_bytes());
    pair.act(1, |e, now, _, out| e.hang_up(now, B, None, out));
    let bye = pair.last(1, "BYE");
    assert!(bye.starts_with("BYE sip:alice@192.0.2.1 SIP/2.0\r\n"));
    assert!(bye.contains("Route: <sip:p2@192.0.2.1;lr>\r\nRoute: <sip:p1@192.0.2.1;lr>\r\n"));
}

#[test]
fn the_callers_words_never_make_headers() {
    let mut pair = Pair::udp();
    let mut call = crate::common::invite(pair.flow(0));
    call.from.display = Some("Eve\r\nX-Evil: 1".into());
    call.headers =
        vec![("X-Note".into(), "a\r\nX-Evil: 2\r\n\r\nbody".into()), ("X-Evil: 3\r\nX".into(), "4".into())];
    pair.act(0, |e, now, _, out| e.invite(now, A, call, out));
    let Ok(Message::Request(invite)) = Message::read(pair.last(0, "INVITE").as_bytes()) else {
        panic!("our INVITE")
    };
    assert_eq!(invite.header("X-Evil").count(), 0);
    assert_eq!(invite.body(), SDP);
}

#[test]
fn a_flood_of_strangers_leaves_nothing() {
    let mut pair = Pair::udp();
    for n in 0..5_000 {
        let text = ask("INVITE", &format!("z9hG4bK{n}"), 1, "", "").replace("by-hand", &format!("c{n}"));
        pair.inject(1, text.as_bytes());
        let server = offered(&mut pair);
        pair.act(1, |e, now, _, out| e.respond(now, server, sip::endpoint::Reply::new(401).stateless(), out));
    }
    assert_eq!(pair.sides[1].load(), sip::endpoint::Load::default());
    assert_eq!(pair.sides[1].deadline(), None);
}

#[test]
fn late_provisional_and_late_refusal_change_nothing() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    let invite = pair.last(0, "INVITE");
    pair.inject(0, &response("sip:bob@h", 200, &invite, "one"));
    pair.inject(0, &response("sip:bob@h", 180, &invite, "one"));
    pair.inject(0, &response("sip:bob@h", 486, &invite, "one"));
    assert_eq!(pair.told[0].len(), 1);
    let ok: Result<Message, _> = Message::read(&response("sip:bob@h", 200, &invite, "one"));
    assert!(matches!(ok, Ok(Message::Response(Response { .. }))));
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.sides[0].load().legs, 1);
}
