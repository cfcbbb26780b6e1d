//! Subscriptions to a message lamp, with the subscriber written as bytes.
use crate::common::{LONG, Pair, uri};
use sip::indication::SubscriptionId;
use sip::{Indication, Method};
use std::time::Duration;

const ID: SubscriptionId = SubscriptionId(3);
const KIND: &str = "application/simple-message-summary";

struct Phone {
    cseq: u32,
    tag: String,
}

impl Phone {
    fn subscribe(&mut self, pair: &mut Pair, expires_s: u32) {
        self.cseq += 1;
        let to = if self.tag.is_empty() { String::new() } else { format!(";tag={}", self.tag) };
        let text = format!(
            "SUBSCRIBE sip:101@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsub{}\r\nFrom: <sip:101@h>;tag=phone\r\nTo: <sip:101@h>{to}\r\nCall-ID: sub\r\nCSeq: {} SUBSCRIBE\r\nContact: <sip:101@192.0.2.1>\r\nEvent: message-summary\r\nExpires: {expires_s}\r\n\r\n",
            self.cseq, self.cseq
        );
        pair.inject(1, text.as_bytes());
    }
}

/// Accepts the first subscription and learns our tag from the log of NOTIFYs.
fn start(pair: &mut Pair) -> Phone {
    let mut phone = Phone { cseq: 0, tag: String::new() };
    phone.subscribe(pair, 600);
    let Some(Indication::Request { server, request, .. }) = pair.told[1].pop() else { panic!("a SUBSCRIBE") };
    assert_eq!(*request.method(), Method::Subscribe);
    pair.act(1, |e, now, _, out| {
        assert!(e.subscribe(now, server, ID, uri("sip:box@192.0.2.2"), 600, out));
        e.notify(now, ID, KIND, b"Messages-Waiting: no\r\n", out);
    });
    phone.tag = pair.tag_of_last("NOTIFY");
    phone
}

#[test]
fn accepted_told_refreshed_ended() {
    let mut pair = Pair::udp();
    let mut phone = start(&mut pair);
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 1);
    assert!(pair.last(1, "NOTIFY").contains("Subscription-State: active;expires=600\r\n"));
    pair.answer_last(0, 200);
    pair.act(1, |e, now, _, out| e.notify(now, ID, KIND, b"Messages-Waiting: yes\r\n", out));
    assert!(pair.last(1, "NOTIFY").ends_with("Messages-Waiting: yes\r\n"));
    pair.answer_last(0, 200);
    pair.run(Duration::from_secs(500));
    phone.subscribe(&mut pair, 600);
    assert_eq!(pair.sent(1, "NOTIFY"), 3, "a refresh is answered by the state");
    pair.answer_last(0, 200);
    pair.run(Duration::from_secs(500));
    assert_eq!(pair.sides[1].load().subscriptions, 1, "still there");
    phone.subscribe(&mut pair, 0);
    assert!(pair.last(1, "NOTIFY").contains("Subscription-State: terminated;reason=timeout\r\n"));
    assert!(matches!(pair.told[1].pop(), Some(Indication::SubscriptionGone { id: ID })));
    phone.subscribe(&mut pair, 600);
    assert_eq!(pair.sent(1, "SIP/2.0 481"), 1, "it is no more");
}

#[test]
fn it_runs_out() {
    let mut pair = Pair::udp();
    start(&mut pair);
    pair.answer_last(0, 200);
    assert!(matches!(
        pair.until_told(1, Duration::from_secs(601)),
        Some(Indication::SubscriptionGone { id: ID })
    ));
    assert!(pair.last(1, "NOTIFY").contains("terminated;reason=timeout"));
}

#[test]
fn a_phone_that_forgot_it_or_is_gone_ends_it() {
    let mut pair = Pair::udp();
    start(&mut pair);
    pair.answer_last(0, 481);
    assert!(matches!(pair.told[1].pop(), Some(Indication::SubscriptionGone { id: ID })));
    let mut pair = Pair::udp();
    start(&mut pair);
    pair.wire.loss = 100;
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::SubscriptionGone { id: ID })));
}

#[test]
fn only_the_newest_state_waits() {
    let mut pair = Pair::udp();
    start(&mut pair);
    for n in 1..=9 {
        let body = format!("Messages-Waiting: {n}\r\n");
        pair.act(1, |e, now, _, out| e.notify(now, ID, KIND, body.as_bytes(), out));
    }
    assert_eq!(pair.sent(1, "NOTIFY"), 1, "one at a time");
    pair.answer_last(0, 200);
    assert_eq!(pair.sent(1, "NOTIFY"), 2);
    assert!(pair.last(1, "NOTIFY").ends_with("Messages-Waiting: 9\r\n"));
}

#[test]
fn ended_from_our_side() {
    let mut pair = Pair::udp();
    start(&mut pair);
    pair.answer_last(0, 200);
    pair.act(1, |e, now, _, out| e.end_subscription(now, ID, out));
    assert!(pair.last(1, "NOTIFY").contains("terminated;reason=noresource"));
    assert_eq!(pair.sides[1].load().subscriptions, 0);
}
