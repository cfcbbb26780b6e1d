//! Session timers (RFC 4028) between two endpoints, and against a peer played by hand: who refreshes, by what, and how a
//! session ends that nobody refreshes.
use crate::common::{LONG, Pair, SDP, Wire, empty, invite, uri};
use model::id::LegId;
use sip::message::Message;
use sip::{Ended, Indication, Request, Transport};
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);

fn line(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A call from side 0 with this Session-Expires, answered by side 1.
fn timed(pair: &mut Pair, asked: Option<&str>) {
    let mut invite = invite(pair.flow(0));
    invite.headers.extend(asked.map(|value| line("Session-Expires", value)));
    pair.act(0, |e, now, _, out| e.invite(now, A, invite, out));
    let Some(Indication::Invite { server, .. }) = pair.until_told(1, LONG) else { panic!("no call") };
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
        e.accept(now, B, SDP.to_vec(), Vec::new(), out);
    });
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Answered { .. })));
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Acked { .. })));
}

/// The time by the virtual clock.
fn second(pair: &Pair) -> u64 {
    pair.now.mono.0 / 1_000_000
}

fn seconds_of<R>(pair: &mut Pair, act: impl FnOnce(&mut Pair) -> R) -> (u64, R) {
    let began = pair.now.mono;
    let result = act(pair);
    (pair.now.mono.since(began).as_secs(), result)
}

#[test]
fn the_side_that_was_named_refreshes_at_half_and_the_call_lives() {
    for (asked, by) in [("90;refresher=uac", 0), ("90;refresher=uas", 1), ("90", 0)] {
        let mut pair = Pair::udp();
        timed(&mut pair, Some(asked));
        let answer = pair.last(1, "SIP/2.0 200");
        let named = if by == 0 { "uac" } else { "uas" };
        assert!(answer.contains(&format!("\r\nSession-Expires: 90;refresher={named}\r\n")), "{answer}");
        assert!(answer.contains("\r\nRequire: timer\r\n"), "{answer}");
        pair.run(Duration::from_secs(600));
        assert_eq!((pair.sent(by, "UPDATE"), pair.sent(1 - by, "UPDATE")), (13, 0), "{asked}");
        let refresh = pair.last(by, "UPDATE");
        assert!(refresh.contains("\r\nSession-Expires: 90;refresher=uac\r\n"), "{refresh}");
        assert!(
            refresh.contains("\r\nSupported: timer\r\n") && refresh.ends_with("Content-Length: 0\r\n\r\n")
        );
        assert!(pair.told.iter().all(Vec::is_empty), "nobody hears of refreshes");
        pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
        assert!(matches!(pair.until_told(1, LONG), Some(Indication::Ended { leg: B, why: Ended::Bye })));
        empty(&mut pair);
    }
}

#[test]
fn nobody_asked_so_there_is_no_timer() {
    let mut pair = Pair::udp();
    timed(&mut pair, None);
    assert!(!pair.last(1, "SIP/2.0 200").contains("Session-Expires"));
    pair.run(LONG);
    assert_eq!([pair.sides[0].deadline(), pair.sides[1].deadline()], [None, None]);
}

#[test]
fn a_call_whose_line_is_cut_ends_at_both_sides_before_the_interval_does() {
    let mut pair = Pair::udp();
    timed(&mut pair, Some("90"));
    pair.wire.loss = 100;
    for (side, leg) in [(0, A), (1, B)] {
        let told = pair.until_told(side, LONG);
        assert!(
            matches!(told, Some(Indication::Ended { leg: of, why: Ended::Expired }) if of == leg),
            "{told:?}"
        );
    }
    assert_eq!(second(&pair), 61, "at two thirds of 90 s");
    let bye = pair.last(1, "BYE");
    assert!(bye.contains("\r\nReason: SIP;cause=408;text=\"session timer ran out\"\r\n"), "{bye}");
    empty(&mut pair);
}

#[test]
fn calls_with_timers_live_on_a_bad_line() {
    for seed in 1..40 {
        let wire = Wire { loss: 10, doubled: 10, delay_ms_max: 300 };
        let mut pair = Pair::new(seed, Transport::Udp, wire);
        timed(&mut pair, Some(if seed % 2 == 0 { "90" } else { "90;refresher=uas" }));
        pair.run(Duration::from_secs(900));
        assert!(pair.told.iter().all(Vec::is_empty), "seed {seed}: {:?}", pair.told);
    }
}

#[test]
fn too_short_an_interval_is_refused_with_the_least() {
    let mut pair = Pair::udp();
    let mut short = invite(pair.flow(0));
    short.headers.push(line("Session-Expires", "60"));
    pair.act(0, |e, now, _, out| e.invite(now, A, short, out));
    pair.run(Duration::from_secs(1));
    let refusal = pair.last(1, "SIP/2.0 422");
    assert!(refusal.contains("\r\nMin-SE: 90\r\n"), "{refusal}");
    // Our own caller takes the hint: same call, next number, the interval that was asked for.
    let again = pair.last(0, "INVITE");
    assert!(again.contains("\r\nCSeq: 2 INVITE\r\n"), "{again}");
    assert!(again.contains("\r\nSession-Expires: 90\r\n") && again.contains("\r\nMin-SE: 90\r\n"), "{again}");
    assert_eq!(again.matches("Session-Expires").count(), 1);
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Invite { .. })));
}

/// The peer of side 0, played by hand.
struct Hand {
    pair: Pair,
}

/// Methods of a peer that knows no UPDATE.
const PLAIN: &str = "Allow: INVITE, ACK, BYE, CANCEL\r\n";

impl Hand {
    /// Side 0 has called, and nobody has answered.
    fn called() -> Hand {
        let wire = Wire { loss: 100, ..Wire::default() };
        let mut pair = Pair::new(1, Transport::Udp, wire);
        pair.call(0, 1);
        Hand { pair }
    }

    /// A call of side 0, answered with these lines.
    fn up(lines: &str) -> Hand {
        let mut hand = Hand::called();
        hand.answer("INVITE", 200, lines);
        assert!(matches!(hand.pair.until_told(0, LONG), Some(Indication::Answered { .. })));
        hand
    }

    /// Time passes; what side 0 sends reaches nobody.
    fn wait(&mut self, seconds: u64) {
        self.pair.run(Duration::from_secs(seconds));
    }

    fn request(&self, method: &str) -> Request {
        match Message::read(self.pair.last(0, method).as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    /// Answers the last request of this method, with a Contact and SDP when it is a 2xx to INVITE.
    fn answer(&mut self, method: &str, code: u16, lines: &str) {
        let request = self.request(method);
        let first = |name: sip::Name| request.headers().first(name).unwrap_or_default();
        let tagged = first(sip::Name::To).contains("tag=");
        let tag = if tagged { "" } else { ";tag=hand" };
        let body = if method == "INVITE" && code < 300 { String::from_utf8_lossy(SDP) } else { "".into() };
        let text = format!(
            "SIP/2.0 {code} X\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:bob@192.0.2.2>\r\n{lines}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            first(sip::Name::Via),
            first(sip::Name::From),
            first(sip::Name::To),
            first(sip::Name::CallId),
            first(sip::Name::CSeq),
            body.len(),
        );
        self.pair.inject(0, text.as_bytes());
    }

    fn sent(&self, method: &str) -> usize {
        self.pair.sent(0, method)
    }
}

#[test]
fn a_peer_without_update_is_refreshed_by_the_same_sdp() {
    let mut hand = Hand::up(&format!("{PLAIN}Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n"));
    for number in 2..5 {
        hand.wait(45);
        let refresh = hand.request("INVITE");
        assert_eq!((refresh.body(), refresh.cseq().number), (SDP, number));
        assert_eq!(refresh.headers().first(sip::Name::SessionExpires), Some("90;refresher=uac"));
        hand.answer("INVITE", 200, "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n");
        assert!(matches!(hand.pair.told[0].pop(), Some(Indication::ReofferAnswered { result: Ok(_), .. })));
    }
    assert_eq!((hand.sent("UPDATE"), hand.sent("ACK"), hand.sent("BYE")), (0, 4, 0));
}

#[test]
fn a_peer_that_says_update_and_refuses_it_gets_the_same_sdp() {
    let mut hand = Hand::up("Allow: INVITE, UPDATE\r\nSession-Expires: 90;refresher=uac\r\n");
    hand.wait(45);
    hand.answer("UPDATE", 501, "");
    assert_eq!(hand.request("INVITE").cseq().number, 3);
    assert_eq!(hand.request("INVITE").body(), SDP);
}

#[test]
fn a_peer_that_forgot_the_call_ends_it() {
    for (method, lines) in [("UPDATE", "Allow: UPDATE\r\n"), ("INVITE", PLAIN)] {
        let mut hand = Hand::up(&format!("{lines}Session-Expires: 90;refresher=uac\r\n"));
        hand.wait(45);
        hand.answer(method, 481, "");
        assert!(matches!(hand.pair.told[0][..], [Indication::Ended { leg: A, why: Ended::Lost }]));
        assert_eq!(hand.sent("BYE"), 1);
    }
}

#[test]
fn a_refresh_that_is_refused_is_tried_again_and_then_the_call_ends() {
    for (method, lines) in [("UPDATE", "Allow: UPDATE\r\n"), ("INVITE", PLAIN)] {
        let mut hand = Hand::up(&format!("{lines}Session-Expires: 90;refresher=uac\r\n"));
        hand.wait(45);
        let mut tries = 0;
        while hand.sent("BYE") == 0 {
            assert!(tries < 10, "{method}: an end comes");
            if hand.sent(method) > 0 && second(&hand.pair) < 58 {
                hand.answer(method, 500, "");
                tries += 1;
            }
            hand.wait(4);
        }
        assert!(tries > 1, "{method}: it was tried again");
        assert_eq!(second(&hand.pair) / 4, 61 / 4, "{method}: over at 60 s");
        assert!(matches!(hand.pair.told[0].last(), Some(Indication::Ended { why: Ended::Expired, .. })));
    }
}

#[test]
fn a_longer_interval_is_taken_in_the_middle_of_a_call_too() {
    for (method, lines) in [("UPDATE", "Allow: UPDATE\r\n"), ("INVITE", PLAIN)] {
        let mut hand = Hand::up(&format!("{lines}Session-Expires: 90;refresher=uac\r\n"));
        hand.wait(45);
        hand.answer(method, 422, "Min-SE: 400\r\n");
        hand.wait(2);
        let again = hand.request(method);
        assert_eq!(again.headers().first(sip::Name::SessionExpires), Some("400;refresher=uac"));
        assert_eq!(again.headers().first(sip::Name::MinSe), Some("400"));
        hand.answer(method, 200, "Session-Expires: 400;refresher=uac\r\n");
        let before = hand.sent(method);
        hand.wait(195);
        assert_eq!(hand.sent(method), before, "half of 400 s has not gone");
        hand.wait(6);
        assert!(hand.sent(method) > before);
    }
}

#[test]
fn a_422_without_more_is_a_refusal() {
    let mut hand = Hand::called();
    for least in ["1800", "3600", "3600"] {
        hand.answer("INVITE", 422, &format!("Min-SE: {least}\r\n"));
    }
    assert!(matches!(hand.pair.told[0][..], [Indication::Refused { leg: A, code: 422, .. }]));
    assert_eq!(hand.request("INVITE").headers().first(sip::Name::SessionExpires), Some("3600"));
    let mut hand = Hand::called();
    for least in 0..10 {
        hand.answer("INVITE", 422, &format!("Min-SE: {}\r\n", 1000 + least));
    }
    assert_eq!(hand.request("INVITE").cseq().number, 4, "three times, and no more");
}

#[test]
fn a_change_of_the_peer_renews_the_interval_and_one_without_it_ends_the_timer() {
    for (lines, ends) in [("Session-Expires: 90;refresher=uac\r\n", true), ("", false)] {
        let mut pair = Pair::udp();
        timed(&mut pair, Some("90;refresher=uac"));
        pair.run(Duration::from_secs(30));
        let tag = pair.tag_of_last("SIP/2.0 200");
        let called = match Message::read(pair.last(0, "INVITE").as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        };
        pair.wire.loss = 100;
        let text = format!(
            "UPDATE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKhand\r\nFrom: {}\r\n\
             To: <sip:bob@192.0.2.2>;tag={tag}\r\nCall-ID: {}\r\nCSeq: 9 UPDATE\r\nSupported: timer\r\n{lines}\
             Contact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
            called.headers().first(sip::Name::From).unwrap_or_default(),
            called.call_id(),
        );
        pair.inject(1, text.as_bytes());
        assert_eq!(pair.last(1, "SIP/2.0 200").contains("Session-Expires: 90;refresher=uac"), ends);
        let (seconds, told) = seconds_of(&mut pair, |pair| pair.until_told(1, LONG));
        match ends {
            true => {
                assert!(matches!(told, Some(Indication::Ended { leg: B, why: Ended::Expired })), "{told:?}");
                assert_eq!(seconds, 60, "counted from the change");
            }
            false => assert!(told.is_none(), "{told:?}"),
        }
    }
}
