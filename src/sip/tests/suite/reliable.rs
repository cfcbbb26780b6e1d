//! Reliable provisional answers (RFC 3262): between two endpoints, and against a caller and a callee played by hand.
use crate::common::{LONG, Pair, SDP, Wire, empty, invite, uri};
use model::id::LegId;
use sip::message::Message;
use sip::{Ended, Indication, Name, Transport};
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);
const OTHER: &[u8] =
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n";

/// A call from side 0 that side 1 knows and has not answered; `lines` more than usual.
fn called(pair: &mut Pair, lines: &[(&str, &str)]) {
    let mut call = invite(pair.flow(0));
    call.reliable = true;
    call.headers.extend(lines.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    pair.act(0, |e, now, _, out| e.invite(now, A, call, out));
    let Some(Indication::Invite { server, .. }) = pair.until_told(1, LONG) else { panic!("no call") };
    pair.act(1, |e, now, _, out| e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out));
}

const REQUIRED: &[(&str, &str)] = &[("Require", "100rel")];

fn ring(pair: &mut Pair, code: u16, sdp: Option<&[u8]>) {
    pair.act(1, |e, now, _, out| e.ring(now, B, code, sdp.map(<[u8]>::to_vec), out));
}

fn accept(pair: &mut Pair) {
    pair.act(1, |e, now, _, out| e.accept(now, B, SDP.to_vec(), Vec::new(), out));
}

/// Codes of progress that side 0 was told, and whether with sound.
fn progress(pair: &mut Pair) -> Vec<(u16, bool)> {
    let told = std::mem::take(&mut pair.told[0]);
    let of = |i: &Indication| {
        if let Indication::Progress { code, sdp, .. } = i { Some((*code, sdp.is_some())) } else { None }
    };
    told.iter().map(|i| of(i).unwrap_or_else(|| panic!("{i:?}"))).collect()
}

#[test]
fn a_caller_who_requires_it_confirms_each_answer_in_its_turn() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut pair = Pair::new(1, transport, Wire::default());
        called(&mut pair, REQUIRED);
        ring(&mut pair, 180, None);
        ring(&mut pair, 180, None);
        ring(&mut pair, 183, Some(SDP));
        assert_eq!((pair.sent(1, "SIP/2.0 180"), pair.sent(1, "SIP/2.0 183")), (1, 0), "one at a time");
        let ringing = pair.last(1, "SIP/2.0 180");
        assert!(ringing.contains("\r\nRequire: 100rel\r\nRSeq: "), "{ringing}");
        assert!(ringing.contains("\r\nContact: "), "{ringing}");
        pair.run(Duration::from_millis(100));
        assert_eq!(progress(&mut pair), [(180, false), (183, true)]);
        let prack = pair.last(0, "PRACK sip:bob@192.0.2.2");
        assert!(prack.contains("\r\nCSeq: 3 PRACK\r\n") && prack.contains(" 1 INVITE\r\n"), "{prack}");
        accept(&mut pair);
        assert!(matches!(pair.until_told(0, LONG), Some(Indication::Answered { sdp, .. }) if sdp == SDP));
        pair.run(Duration::from_secs(60));
        assert_eq!((pair.sent(0, "PRACK"), pair.sent(1, "SIP/2.0 200")), (2, 3));
        pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
        pair.run(Duration::from_secs(1));
        assert!(pair.last(0, "BYE").contains("\r\nCSeq: 4 BYE\r\n"), "numbers go on after those of PRACK");
        assert!(matches!(pair.told[1].last(), Some(Indication::Ended { why: Ended::Bye, .. })));
        empty(&mut pair);
    }
}

#[test]
fn one_who_only_supports_it_gets_plain_answers() {
    let mut pair = Pair::udp();
    called(&mut pair, &[]);
    assert!(pair.last(0, "INVITE").contains("\r\nSupported: 100rel, timer\r\n"));
    ring(&mut pair, 183, Some(SDP));
    pair.run(Duration::from_secs(5));
    assert!(!pair.last(1, "SIP/2.0 183").contains("RSeq"));
    assert_eq!((pair.sent(1, "SIP/2.0 183"), pair.sent(0, "PRACK")), (1, 0));
}

#[test]
fn a_2xx_waits_for_the_prack_of_our_sdp_and_for_no_other() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    ring(&mut pair, 183, Some(SDP));
    accept(&mut pair);
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 0, "our SDP is not confirmed");
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 2, "to PRACK and INVITE");
    assert!(matches!(pair.told[0].last(), Some(Indication::Answered { .. })));
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    ring(&mut pair, 180, None);
    accept(&mut pair);
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 1, "at once");
    pair.run(Duration::from_secs(60));
    assert_eq!((pair.sent(1, "SIP/2.0 180"), pair.sent(1, "SIP/2.0 481")), (1, 0), "its PRACK is known");
    assert_eq!((pair.sent(0, "PRACK"), pair.sent(1, "SIP/2.0 200")), (1, 2));
}

#[test]
fn a_call_that_is_taken_and_given_up_before_the_prack_is_refused() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    pair.wire.loss = 100;
    ring(&mut pair, 183, Some(SDP));
    accept(&mut pair);
    pair.act(1, |e, now, _, out| e.hang_up(now, B, None, out));
    assert_eq!((pair.sent(1, "SIP/2.0 480"), pair.sent(1, "BYE")), (1, 0));
    empty(&mut pair);
}

#[test]
fn without_prack_it_is_said_again_and_again_and_the_call_ends_after_32_seconds() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    pair.wire.loss = 100;
    let began = pair.now.mono;
    ring(&mut pair, 180, None);
    let told = pair.until_told(1, LONG);
    assert!(matches!(told, Some(Indication::Cancelled { leg: B, .. })), "{told:?}");
    assert_eq!(pair.now.mono.since(began), Duration::from_secs(32));
    assert_eq!((pair.sent(1, "SIP/2.0 180"), pair.sent(1, "SIP/2.0 504")), (7, 1));
    empty(&mut pair);
}

#[test]
fn a_cancelled_call_says_no_more() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    ring(&mut pair, 180, None);
    ring(&mut pair, 183, Some(SDP));
    pair.run(Duration::from_millis(2));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    pair.run(Duration::from_secs(1));
    assert!(matches!(pair.told[1].last(), Some(Indication::Cancelled { leg: B, .. })));
    empty(&mut pair);
}

#[test]
fn a_caller_who_requires_it_and_offers_nothing_hears_the_2xx_first() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    let invite = pair.last(0, "INVITE");
    let (head, _) = invite.split_once("\r\n\r\n").expect("a head");
    let keep = |l: &&str| !l.starts_with("Content-");
    let lines: Vec<&str> = head.lines().filter(keep).collect();
    let bare =
        lines.join("\r\n").replace("branch=z9hG4bK", "branch=z9hG4bKb").replace("Call-ID: ", "Call-ID: b");
    pair.inject(1, format!("{bare}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    let Some(Indication::Invite { server, .. }) = pair.told[1].pop() else { panic!("no call") };
    let leg = LegId(3);
    pair.act(1, |e, now, _, out| {
        e.adopt(now, server, leg, uri("sip:bob@192.0.2.2"), out);
        e.ring(now, leg, 180, None, out);
        e.ring(now, leg, 183, Some(SDP.to_vec()), out);
    });
    assert_eq!(pair.sent(1, "SIP/2.0 18"), 0);
    pair.act(1, |e, now, _, out| e.accept(now, leg, SDP.to_vec(), Vec::new(), out));
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 1);
}

/// A request of the caller inside the early dialog, written by hand.
fn inside(pair: &mut Pair, method: &str, number: u32, lines: &str, sdp: &[u8]) {
    let invite = match Message::read(pair.last(0, "INVITE").as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    };
    let tag = pair.tag_of_last("SIP/2.0 18");
    let text = format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{number}\r\n\
         From: {}\r\nTo: <sip:bob@192.0.2.2>;tag={tag}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n{lines}\
         Contact: <sip:alice@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        invite.headers().first(Name::From).unwrap_or_default(),
        invite.call_id(),
        sdp.len(),
        String::from_utf8_lossy(sdp),
    );
    pair.inject(1, text.as_bytes());
}

/// The RSeq of the last provisional answer of side 1.
fn number(pair: &Pair) -> u32 {
    let answer = pair.last(1, "SIP/2.0 18");
    let (_, rest) = answer.split_once("\r\nRSeq: ").expect("it is reliable");
    rest.split("\r\n").next().and_then(|n| n.parse().ok()).expect("a number")
}

fn rack(number: u32, cseq: u32) -> String {
    format!("RAck: {number} {cseq} INVITE\r\n")
}

/// A caller by hand who requires reliable answers and was told 183 with SDP.
fn early() -> Pair {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    pair.wire.loss = 100;
    ring(&mut pair, 183, Some(SDP));
    pair
}

#[test]
fn a_prack_that_confirms_nothing_gets_481_and_changes_nothing() {
    let mut pair = early();
    let right = number(&pair);
    for (n, lines) in [(2, rack(right + 1, 1)), (3, rack(right, 2)), (4, String::new())] {
        inside(&mut pair, "PRACK", n, &lines, b"");
        assert!(pair.last(1, "SIP/2.0").starts_with("SIP/2.0 481"), "{lines}");
    }
    accept(&mut pair);
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 0, "it still waits");
    inside(&mut pair, "PRACK", 5, &rack(right, 1), b"");
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 2);
    assert!(pair.last(1, "SIP/2.0 200").contains("INVITE"));
    inside(&mut pair, "PRACK", 6, &rack(right, 1), b"");
    assert!(pair.last(1, "SIP/2.0").starts_with("SIP/2.0 481"), "it was confirmed before");
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200_and_the_call_goes_on_with_it() {
    for (answer, code) in [(Ok(OTHER.to_vec()), 200), (Err(488), 488)] {
        let mut pair = early();
        accept(&mut pair);
        let confirms = rack(number(&pair), 1);
        inside(&mut pair, "PRACK", 2, &confirms, OTHER);
        assert!(matches!(&pair.told[1][..], [Indication::Reoffer { leg: B, sdp: Some(s) }] if s == OTHER));
        assert_eq!(pair.sent(1, "SIP/2.0 200"), 0, "the offer is answered first");
        let changed = answer.is_ok();
        pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, answer, out));
        let prack = pair.last(1, &format!("SIP/2.0 {code}"));
        let taken = pair.last(1, "SIP/2.0 200");
        assert!(taken.contains("CSeq: 1 INVITE"), "{taken}");
        assert_eq!(taken.contains("m=audio"), !changed, "what was said before is void");
        if code == 488 {
            assert!(prack.contains("PRACK"), "{prack}");
        }
    }
}

#[test]
fn an_offer_before_our_answer_is_confirmed_must_wait() {
    let mut pair = Pair::udp();
    called(&mut pair, REQUIRED);
    pair.wire.loss = 100;
    ring(&mut pair, 180, None);
    inside(&mut pair, "UPDATE", 2, "", OTHER);
    assert!(pair.last(1, "SIP/2.0").starts_with("SIP/2.0 500"));
    let confirms = rack(number(&pair), 1);
    inside(&mut pair, "PRACK", 3, &confirms, OTHER);
    assert!(pair.last(1, "SIP/2.0").starts_with("SIP/2.0 500"));
    assert!(pair.told[1].is_empty());
}

#[test]
fn an_update_after_our_answer_was_confirmed_changes_the_sound() {
    let mut pair = early();
    let confirms = rack(number(&pair), 1);
    inside(&mut pair, "PRACK", 2, &confirms, b"");
    inside(&mut pair, "UPDATE", 3, "", OTHER);
    assert!(matches!(&pair.told[1][..], [Indication::Reoffer { leg: B, sdp: Some(_) }]));
    pair.act(1, |e, now, _, out| e.answer_reoffer(now, B, Ok(OTHER.to_vec()), out));
    assert!(pair.last(1, "SIP/2.0 200").contains("CSeq: 3 UPDATE"));
    assert!(pair.last(1, "SIP/2.0 200").contains("c=IN IP4 192.0.2.9"));
    accept(&mut pair);
    assert!(!pair.last(1, "SIP/2.0 200").contains("m=audio"));
}

/// A provisional or final answer of a callee with this tag, written by hand.
fn answer(pair: &mut Pair, code: u16, tag: &str, lines: &str, sdp: &[u8]) {
    let invite = match Message::read(pair.last(0, "INVITE").as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    };
    let first = |name| invite.headers().first(name).unwrap_or_default();
    let text = format!(
        "SIP/2.0 {code} X\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag={tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Record-Route: <sip:192.0.2.2;lr>\r\nContact: <sip:{tag}@10.0.0.9>\r\n{lines}\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        first(Name::Via),
        first(Name::From),
        first(Name::To),
        invite.call_id(),
        first(Name::CSeq),
        sdp.len(),
        String::from_utf8_lossy(sdp),
    );
    pair.inject(0, text.as_bytes());
}

fn reliable(number: u32) -> String {
    format!("Require: 100rel\r\nRSeq: {number}\r\n")
}

fn calling() -> Pair {
    let mut pair = Pair::new(1, Transport::Udp, Wire { loss: 100, ..Wire::default() });
    let mut call = invite(pair.flow(0));
    call.reliable = true;
    pair.act(0, |e, now, _, out| e.invite(now, A, call, out));
    pair
}

#[test]
fn each_number_gets_one_prack_and_only_in_its_turn() {
    let mut pair = calling();
    answer(&mut pair, 183, "x", &reliable(776_656), SDP);
    let prack = pair.last(0, "PRACK");
    assert!(prack.starts_with("PRACK sip:x@10.0.0.9 SIP/2.0\r\n"), "{prack}");
    for line in ["RAck: 776656 1 INVITE", "CSeq: 2 PRACK", "Route: <sip:192.0.2.2;lr>"] {
        assert!(prack.contains(&format!("\r\n{line}\r\n")), "{line}: {prack}");
    }
    assert!(prack.contains(";tag=x\r\n"), "{prack}");
    for number in [776_656, 776_658, 776_655] {
        answer(&mut pair, 180, "x", &reliable(number), b"");
    }
    assert_eq!((pair.sent(0, "PRACK"), progress(&mut pair)), (1, vec![(183, true)]));
    answer(&mut pair, 180, "x", &reliable(776_657), b"");
    assert_eq!((pair.sent(0, "PRACK"), progress(&mut pair)), (2, vec![(180, false)]));
    answer(&mut pair, 200, "x", "", b"");
    assert!(matches!(pair.told[0].pop(), Some(Indication::Answered { sdp, .. }) if sdp == SDP));
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    assert!(pair.last(0, "ACK").contains("\r\nCSeq: 1 ACK\r\n"));
    assert!(pair.last(0, "BYE").contains("\r\nCSeq: 4 BYE\r\n"));
}

#[test]
fn every_fork_has_its_own_numbers_and_its_own_sound() {
    let mut pair = calling();
    answer(&mut pair, 183, "x", &reliable(7), SDP);
    answer(&mut pair, 183, "y", &reliable(1), OTHER);
    answer(&mut pair, 180, "x", &reliable(8), b"");
    assert_eq!(pair.sent(0, "PRACK sip:x@10.0.0.9"), 2);
    assert_eq!(pair.sent(0, "PRACK sip:y@10.0.0.9"), 1);
    answer(&mut pair, 200, "y", "", b"");
    assert!(matches!(pair.told[0].last(), Some(Indication::Answered { sdp, .. }) if sdp == OTHER));
    // The other fork is answered too: its session ends, with a number above those it has heard.
    answer(&mut pair, 200, "x", "", SDP);
    let bye = pair.last(0, "BYE sip:x@10.0.0.9");
    let (_, rest) = bye.split_once("CSeq: ").expect("a number");
    assert!(rest.split(' ').next().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n > 3), "{bye}");
}

#[test]
fn a_callee_without_end_is_not_followed_without_end() {
    let mut pair = calling();
    for number in 1..500 {
        answer(&mut pair, 180, "x", &reliable(number), b"");
        answer(&mut pair, 180, &format!("t{number}"), &reliable(1), b"");
    }
    assert!(pair.sent(0, "PRACK") <= 100, "{}", pair.sent(0, "PRACK"));
}

/// An UPDATE of a callee with this tag, written by hand; the code of the answer, if there is one at once.
fn update(pair: &mut Pair, tag: &str, number: u32, sdp: &[u8]) -> String {
    let invite = match Message::read(pair.last(0, "INVITE").as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    };
    let text = format!(
        "UPDATE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{tag}{number}\r\n\
         From: <sip:bob@192.0.2.2>;tag={tag}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} UPDATE\r\n\
         Contact: <sip:bob@192.0.2.2>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        invite.headers().first(Name::From).unwrap_or_default(),
        invite.call_id(),
        sdp.len(),
        String::from_utf8_lossy(sdp),
    );
    let before = pair.sent(0, "SIP/2.0");
    pair.inject(0, text.as_bytes());
    if pair.sent(0, "SIP/2.0") > before { code(pair) } else { String::new() }
}

/// The last answer of side 0.
fn code(pair: &Pair) -> String {
    pair.last(0, "SIP/2.0")[8..11].to_owned()
}

#[test]
fn an_update_before_the_call_is_taken_is_answered() {
    let mut pair = calling();
    answer(&mut pair, 180, "x", &reliable(7), b"");
    assert_eq!(update(&mut pair, "x", 5, b""), "200");
    assert_eq!(update(&mut pair, "x", 6, OTHER), "491", "our own offer is not answered yet");
    assert_eq!(update(&mut pair, "x", 4, b""), "500", "out of order");
    assert_eq!(update(&mut pair, "z", 7, b""), "481", "never heard of");
    assert_eq!(progress(&mut pair), [(180, false)], "nobody is asked");
}

#[test]
fn a_callee_changes_the_sound_before_it_takes_the_call() {
    for said in [b"".as_slice(), SDP] {
        let mut pair = calling();
        answer(&mut pair, 183, "x", &reliable(7), SDP);
        assert_eq!(progress(&mut pair), [(183, true)]);
        assert_eq!(update(&mut pair, "x", 5, OTHER), "", "it waits for our answer");
        assert!(
            matches!(pair.told[0].pop(), Some(Indication::Reoffer { leg: A, sdp: Some(s) }) if s == OTHER)
        );
        assert_eq!(update(&mut pair, "x", 6, SDP), "500", "one at a time");
        assert!(pair.last(0, "SIP/2.0 500").contains("\r\nRetry-After: "));
        pair.act(0, |e, now, _, out| e.answer_reoffer(now, A, Ok(OTHER.to_vec()), out));
        let taken = pair.last(0, "SIP/2.0 200");
        assert!(taken.contains("CSeq: 5 UPDATE") && taken.contains("c=IN IP4 192.0.2.9"), "{taken}");
        // What the 2xx repeats is older than what was agreed on since.
        answer(&mut pair, 200, "x", "", said);
        assert!(matches!(pair.told[0].last(), Some(Indication::Answered { sdp, .. }) if sdp == OTHER));
    }
}

#[test]
fn a_change_before_the_call_is_taken_may_be_refused_and_is_for_one_callee_alone() {
    let mut pair = calling();
    answer(&mut pair, 183, "x", &reliable(7), SDP);
    assert_eq!(update(&mut pair, "x", 5, OTHER), "");
    pair.act(0, |e, now, _, out| e.answer_reoffer(now, A, Err(488), out));
    assert_eq!(code(&pair), "488");
    answer(&mut pair, 183, "y", &reliable(1), OTHER);
    assert_eq!(update(&mut pair, "y", 5, SDP), "488", "two callees, one sound");
    answer(&mut pair, 200, "x", "", b"");
    assert!(matches!(pair.told[0].last(), Some(Indication::Answered { sdp, .. }) if sdp == SDP));
    let mut pair = calling();
    answer(&mut pair, 183, "x", &reliable(7), SDP);
    pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
    assert_eq!(update(&mut pair, "x", 5, OTHER), "487", "nobody is there any more");
}

#[test]
fn calls_come_up_reliably_on_a_bad_line() {
    for seed in 1..60 {
        let wire = Wire { loss: 20, doubled: 10, delay_ms_max: 400 };
        let mut pair = Pair::new(seed, Transport::Udp, wire);
        called(&mut pair, REQUIRED);
        ring(&mut pair, 180, None);
        ring(&mut pair, 183, Some(SDP));
        accept(&mut pair);
        pair.run(Duration::from_secs(40));
        let told = |side: usize, wanted: fn(&Indication) -> bool| {
            pair.told[side].iter().filter(|i| wanted(i)).count()
        };
        assert_eq!(told(0, |i| matches!(i, Indication::Answered { .. })), 1, "seed {seed}");
        assert_eq!(told(1, |i| matches!(i, Indication::Acked { .. })), 1, "seed {seed}");
        pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
        empty(&mut pair);
    }
}
