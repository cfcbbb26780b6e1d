//! Calls between two endpoints on a perfect wire: every way to set up, change and end a session.
use crate::common::{LONG, Pair, SDP, Wire, empty, request, uri};
use model::id::LegId;
use sip::endpoint::Reply;
use sip::indication::ServerId;
use sip::{Ended, Failure, Flow, Indication, Method, Output, Transport};
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);

fn ringing(pair: &mut Pair) -> ServerId {
    pair.call(0, 1);
    match pair.until_told(1, LONG) {
        Some(Indication::Invite { server, .. }) => server,
        other => panic!("{other:?}"),
    }
}

fn adopted(pair: &mut Pair) {
    let server = ringing(pair);
    pair.act(1, |e, now, _, out| e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out));
}

#[test]
fn ring_answer_hang_up_on_both_transports() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut pair = Pair::new(1, transport, Wire::default());
        adopted(&mut pair);
        pair.act(1, |e, now, _, out| e.ring(now, B, 180, None, out));
        assert!(matches!(
            pair.until_told(0, LONG),
            Some(Indication::Progress { leg: A, code: 180, sdp: None })
        ));
        pair.act(1, |e, now, _, out| e.accept(now, B, SDP.to_vec(), Vec::new(), out));
        match pair.until_told(0, LONG) {
            Some(Indication::Answered { leg: A, sdp, response }) => {
                assert_eq!(sdp, SDP);
                assert_eq!(response.contacts().next().unwrap().uri, uri("sip:bob@192.0.2.2"));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(pair.until_told(1, LONG), Some(Indication::Acked { leg: B, sdp: None })));
        pair.act(0, |e, now, _, out| e.hang_up(now, A, Some("Q.850;cause=16"), out));
        assert!(matches!(pair.until_told(1, LONG), Some(Indication::Ended { leg: B, why: Ended::Bye })));
        empty(&mut pair);
        assert_eq!(
            (pair.sent(0, "INVITE"), pair.sent(0, "ACK"), pair.sent(0, "BYE"), pair.sent(1, "SIP/2.0 200")),
            (1, 1, 1, 2)
        );
        assert!(pair.told.iter().all(Vec::is_empty));
    }
}

#[test]
fn trying_goes_out_only_when_nothing_else_does() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    pair.run(Duration::from_millis(150));
    assert_eq!(pair.sent(1, "SIP/2.0 100"), 0);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.sent(1, "SIP/2.0 100"), 1);
    assert!(matches!(pair.told[0][..], [Indication::Progress { leg: A, code: 100, sdp: None }]));
}

#[test]
fn callee_hangs_up() {
    let mut pair = Pair::udp();
    pair.up();
    pair.act(1, |e, now, _, out| e.hang_up(now, B, None, out));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Ended { leg: A, why: Ended::Bye })));
    empty(&mut pair);
}

#[test]
fn refusals_carry_code_and_headers() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
    pair.act(1, |e, now, _, out| e.refuse(now, B, 486, Some("At lunch"), headers, out));
    match pair.until_told(0, LONG) {
        Some(Indication::Refused { leg: A, code: 486, reason, retry_after: Some(7), response: Some(_) }) => {
            assert_eq!(reason, "At lunch")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pair.sent(0, "ACK"), 1);
    empty(&mut pair);
}

#[test]
fn a_stranger_is_refused_without_a_trace() {
    let mut pair = Pair::udp();
    let server = ringing(&mut pair);
    pair.act(1, |e, now, _, out| e.respond(now, server, Reply::new(403).stateless(), out));
    assert_eq!(pair.sides[1].load(), sip::endpoint::Load::default());
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Refused { code: 403, .. })));
    empty(&mut pair);
}

#[test]
fn silence_is_possible() {
    let mut pair = Pair::udp();
    let server = ringing(&mut pair);
    pair.act(1, |e, _, _, _| e.ignore(server));
    assert!(pair.log.iter().all(|(side, _)| *side == 0));
}

#[test]
fn nobody_answers() {
    let mut pair = Pair::new(1, Transport::Udp, Wire { loss: 100, ..Wire::default() });
    pair.call(0, 1);
    assert!(matches!(
        pair.until_told(0, LONG),
        Some(Indication::Refused { leg: A, code: 408, response: None, .. })
    ));
    assert_eq!(pair.sent(0, "INVITE"), 7);
    let options = request(pair.flow(0), Method::Options, 9);
    pair.act(0, |e, now, _, out| e.request(now, options, out));
    assert!(matches!(
        pair.until_told(0, LONG),
        Some(Indication::Response { result: Err(Failure::Timeout), .. })
    ));
    assert_eq!(pair.sent(0, "OPTIONS"), 11);
    empty(&mut pair);
}

#[test]
fn a_broken_stream_fails_at_once() {
    let mut pair = Pair::new(1, Transport::Tcp, Wire::default());
    pair.call(0, 1);
    pair.act(0, |e, now, flow, out| e.flow_closed(now, flow, out));
    assert!(matches!(pair.told[0].first(), Some(Indication::Refused { leg: A, code: 503, .. })));
}

#[test]
fn cancel_while_ringing() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    pair.act(1, |e, now, _, out| e.ring(now, B, 180, None, out));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Progress { .. })));
    pair.act(0, |e, now, _, out| {
        e.hang_up(now, A, Some("SIP;cause=200;text=\"Call completed elsewhere\""), out)
    });
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Cancelled { leg: B, elsewhere: true })));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    pair.run(Duration::from_secs(1));
    assert_eq!((pair.sent(1, "SIP/2.0 487"), pair.sent(0, "ACK"), pair.sent(0, "CANCEL")), (1, 1, 1));
    empty(&mut pair);
    assert!(pair.told[0].is_empty(), "after hang_up nothing is told");
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let mut pair = Pair::udp();
    pair.call(0, 1);
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    assert_eq!(pair.sent(0, "CANCEL"), 0, "not before");
    let Some(Indication::Invite { server, .. }) = pair.until_told(1, LONG) else { panic!() };
    pair.act(1, |e, now, _, out| e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out));
    assert!(
        matches!(pair.until_told(1, LONG), Some(Indication::Cancelled { leg: B, .. })),
        "100 lets CANCEL out"
    );
    empty(&mut pair);
}

#[test]
fn an_answer_that_crosses_cancel_is_ended() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    pair.act(1, |e, now, _, out| e.ring(now, B, 180, None, out));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Progress { .. })));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    pair.act(1, |e, now, _, out| e.accept(now, B, SDP.to_vec(), Vec::new(), out));
    let mut told = Vec::new();
    while let Some(i) = pair.until_told(1, LONG) {
        told.push(i);
    }
    assert!(matches!(told.last(), Some(Indication::Ended { leg: B, .. })), "{told:?}");
    empty(&mut pair);
    assert!(pair.told[0].is_empty());
}

#[test]
fn a_call_adopted_after_its_cancel_is_cancelled() {
    let mut pair = Pair::udp();
    let server = ringing(&mut pair);
    pair.run(Duration::from_millis(300));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    pair.run(Duration::from_millis(300));
    pair.act(1, |e, now, _, out| e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out));
    assert!(matches!(pair.told[1].first(), Some(Indication::Cancelled { leg: B, .. })));
    empty(&mut pair);
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    pair.act(1, |e, now, _, out| {
        e.accept(now, B, SDP.to_vec(), Vec::new(), out);
        e.hang_up(now, B, None, out);
    });
    assert_eq!(pair.sent(1, "BYE"), 0);
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Answered { .. })));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Ended { leg: A, why: Ended::Bye })));
    empty(&mut pair);
    assert!(pair.told[1].is_empty());
}

#[test]
fn an_ack_that_never_comes_ends_the_call() {
    let mut pair = Pair::udp();
    adopted(&mut pair);
    pair.wire.loss = 100;
    pair.act(1, |e, now, _, out| e.accept(now, B, SDP.to_vec(), Vec::new(), out));
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Ended { leg: B, why: Ended::NoAck })));
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 11);
    empty(&mut pair);
}

#[test]
fn reoffer_both_ways_and_refused() {
    let mut pair = Pair::udp();
    pair.up();
    for (from, leg, to, other) in [(0, A, 1, B), (1, B, 0, A)] {
        pair.act(from, |e, now, _, out| e.reoffer(now, leg, b"v=0\r\nnew".to_vec(), out));
        match pair.until_told(to, LONG) {
            Some(Indication::Reoffer { leg, sdp: Some(sdp) }) => {
                assert_eq!((leg, &sdp[..]), (other, &b"v=0\r\nnew"[..]))
            }
            told => panic!("{told:?}"),
        }
        pair.act(to, |e, now, _, out| e.answer_reoffer(now, other, Ok(SDP.to_vec()), out));
        assert!(
            matches!(pair.until_told(from, LONG), Some(Indication::ReofferAnswered { result: Ok(sdp), .. }) if sdp == SDP)
        );
        assert!(matches!(pair.until_told(to, LONG), Some(Indication::Acked { .. })));
    }
    pair.act(0, |e, now, _, out| e.reoffer(now, A, SDP.to_vec(), out));
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Reoffer { .. })));
    pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, Err(488), out));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::ReofferAnswered { result: Err(488), .. })));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    empty(&mut pair);
}

#[test]
fn reoffers_that_meet_are_both_settled() {
    let mut pair = Pair::udp();
    pair.up();
    pair.act(0, |e, now, _, out| e.reoffer(now, A, SDP.to_vec(), out));
    pair.act(1, |e, now, _, out| e.reoffer(now, B, SDP.to_vec(), out));
    let mut settled = [0, 0];
    while settled != [1, 1] {
        for (side, leg) in [(0, A), (1, B)] {
            match pair.until_told(side, Duration::from_secs(1)) {
                Some(Indication::Reoffer { .. }) => {
                    pair.act(side, |e, now, _, out| e.answer_reoffer(now, leg, Ok(SDP.to_vec()), out))
                }
                Some(Indication::ReofferAnswered { result: Ok(_), .. }) => settled[side] += 1,
                Some(Indication::Acked { .. }) | None => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(pair.now.mono.0 < 60_000_000, "settled in time");
    }
    assert_eq!(pair.sent(0, "SIP/2.0 491") + pair.sent(1, "SIP/2.0 491"), 2);
}

#[test]
fn an_offer_while_another_waits_is_sent_after_it() {
    let mut pair = Pair::udp();
    pair.up();
    pair.act(0, |e, now, _, out| e.reoffer(now, A, b"v=0\r\n1".to_vec(), out));
    pair.act(0, |e, now, _, out| e.reoffer(now, A, b"v=0\r\n2".to_vec(), out));
    pair.act(0, |e, now, _, out| e.reoffer(now, A, b"v=0\r\n3".to_vec(), out));
    let mut seen = Vec::new();
    while let Some(told) = pair.until_told(1, LONG) {
        if let Indication::Reoffer { sdp: Some(sdp), .. } = told {
            seen.push(*sdp.last().unwrap());
            pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, Ok(SDP.to_vec()), out));
        }
    }
    assert_eq!(seen, *b"13", "the newest replaces the one that waits");
}

#[test]
fn the_peer_forgot_the_session() {
    let mut pair = Pair::udp();
    pair.up();
    pair.sides[1] = sip::Endpoint::new(sip::endpoint::Settings::new([9; 32]));
    pair.act(0, |e, now, _, out| e.reoffer(now, A, SDP.to_vec(), out));
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Ended { leg: A, why: Ended::Lost })));
    empty(&mut pair);
}

#[test]
fn streams_may_change_under_a_session() {
    let mut pair = Pair::new(1, Transport::Tcp, Wire::default());
    pair.up();
    let old = pair.flow(0);
    pair.act(0, |e, now, flow, out| e.flow_closed(now, flow, out));
    let mut out = Vec::new();
    let now = pair.now;
    pair.sides[0].hang_up(now, A, None, &mut out);
    let Some(Output::Send { flow, .. }) = out.first() else { panic!() };
    assert_eq!(*flow, Flow { connection: 0, ..old });
}

#[test]
fn a_full_house_says_503_and_when_to_come_back() {
    let mut pair = Pair::udp();
    let settings = sip::endpoint::Settings { transactions_max: 8, ..sip::endpoint::Settings::new([9; 32]) };
    pair.sides[1] = sip::Endpoint::new(settings);
    for leg in 1..=8 {
        pair.call(0, leg);
    }
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.sent(1, "SIP/2.0 503"), 1, "one eighth is kept for sessions");
    assert!(matches!(
        pair.told[0].first(),
        Some(Indication::Refused { code: 503, retry_after: Some(5), .. })
    ));
}
