//! Challenges met on the wire: registrations and calls with a password, wrong ones, peers that never stop asking.
use crate::common::{LONG, Pair, SDP, invite, request, uri};
use model::id::LegId;
use sip::digest::server::{Nonces, Verdict};
use sip::digest::{Algorithm, Credentials};
use sip::endpoint::Reply;
use sip::indication::ServerId;
use sip::{Indication, Method, Name, Request};
use std::sync::Arc;

const BOTH: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

fn login(password: &str) -> Option<Credentials> {
    Some(Credentials { username: "alice".into(), password: password.into() })
}

/// Side 1 asks for a password as an engine does.
struct Guard {
    nonces: Nonces,
    verdicts: Vec<Verdict>,
}

impl Guard {
    fn new(pair: &Pair) -> Guard {
        Guard { nonces: Nonces::new(pair.sides[1].secret("nonce")), verdicts: Vec::new() }
    }

    /// Judges a request; challenges when it is not right.
    fn admits(&mut self, pair: &mut Pair, server: ServerId, request: &Arc<Request>) -> bool {
        let source = pair.flow(1).remote.ip();
        let values = request.headers().all(Name::Authorization);
        let of = |user: &str| (user == "alice").then(|| "right".to_owned());
        let verdict = self.nonces.check(pair.now, source, "belfry", request.method().as_str(), values, of);
        let right = matches!(verdict, Verdict::Right { .. });
        if !right {
            let lines = self.nonces.challenge(pair.now, source, "belfry", verdict == Verdict::Stale, &BOTH);
            pair.act(1, |e, now, _, out| {
                e.respond(now, server, Reply::new(401).headers(lines).stateless(), out)
            });
        }
        self.verdicts.push(verdict);
        right
    }
}

fn register(pair: &mut Pair, guard: &mut Guard, password: &str) -> u16 {
    let mut register = request(pair.flow(0), Method::Register, 5);
    register.credentials = login(password);
    pair.act(0, |e, now, _, out| e.request(now, register, out));
    loop {
        while let Some(Indication::Request { server, request, .. }) = pair.told[1].pop() {
            if guard.admits(pair, server, &request) {
                pair.act(1, |e, now, _, out| e.respond(now, server, Reply::new(200), out));
            }
        }
        if let Some(Indication::Response { result: Ok(response), .. }) = pair.told[0].pop() {
            return response.code();
        }
        assert!(pair.step(), "an answer comes");
    }
}

#[test]
fn a_registration_meets_its_challenge_with_the_stronger_sum() {
    let mut pair = Pair::udp();
    let mut guard = Guard::new(&pair);
    assert_eq!(register(&mut pair, &mut guard, "right"), 200);
    assert_eq!(
        guard.verdicts,
        [Verdict::Missing, Verdict::Right { user: "alice".into(), algorithm: Algorithm::Sha256 }]
    );
    assert_eq!(pair.sent(0, "REGISTER"), 2);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut pair = Pair::udp();
    let mut guard = Guard::new(&pair);
    assert_eq!(register(&mut pair, &mut guard, "wrong"), 401);
    assert_eq!(guard.verdicts, [Verdict::Missing, Verdict::Wrong { user: "alice".into() }]);
}

#[test]
fn a_call_with_a_password_and_its_end() {
    let mut pair = Pair::udp();
    let mut guard = Guard::new(&pair);
    let mut call = invite(pair.flow(0));
    call.credentials = login("right");
    pair.act(0, |e, now, _, out| e.invite(now, LegId(1), call, out));
    for _ in 0..2 {
        let Some(Indication::Invite { server, request, .. }) = pair.until_told(1, LONG) else {
            panic!("a call")
        };
        if guard.admits(&mut pair, server, &request) {
            pair.act(1, |e, now, _, out| {
                e.adopt(now, server, LegId(2), uri("sip:bob@192.0.2.2"), out);
                e.accept(now, LegId(2), SDP.to_vec(), Vec::new(), out);
            });
        }
    }
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Answered { .. })));
    assert_eq!(guard.verdicts.len(), 2);
    pair.act(0, |e, now, _, out| e.hang_up(now, LegId(1), None, out));
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Acked { .. })));
    assert!(matches!(pair.until_told(1, LONG), Some(Indication::Ended { .. })));
    pair.run(LONG * 4);
    assert_eq!(pair.sides[0].load(), sip::endpoint::Load::default());
}

#[test]
fn a_peer_that_always_asks_is_left_alone() {
    let mut pair = Pair::udp();
    let mut call = invite(pair.flow(0));
    call.credentials = login("right");
    pair.act(0, |e, now, _, out| e.invite(now, LegId(1), call, out));
    for nonce in 0..50 {
        let Some(Indication::Invite { server, .. }) = pair.until_told(1, LONG) else { break };
        let value = format!("Digest realm=\"r\", nonce=\"{nonce}\", stale=true, qop=\"auth\"");
        pair.act(1, |e, now, _, out| {
            e.respond(now, server, Reply::new(407).header("Proxy-Authenticate", &value), out)
        });
    }
    assert!(matches!(pair.until_told(0, LONG), Some(Indication::Refused { code: 407, .. })));
    assert!(pair.sent(0, "INVITE") <= 4);
}

#[test]
fn unknown_users_get_the_same_answer() {
    let answers = ["alice", "nobody"].map(|name| {
        let mut pair = Pair::udp();
        let mut guard = Guard::new(&pair);
        let mut register = request(pair.flow(0), Method::Register, 5);
        register.credentials = Some(Credentials { username: name.into(), password: "guess".into() });
        pair.act(0, |e, now, _, out| e.request(now, register, out));
        let mut texts = Vec::new();
        while let Some(Indication::Request { server, request, .. }) = pair.until_told(1, LONG) {
            guard.admits(&mut pair, server, &request);
            let Some(Indication::Response { result: Ok(r), .. }) =
                pair.until_told(0, std::time::Duration::from_millis(10))
            else {
                continue;
            };
            texts = r.headers().lines().map(|l| (l.text.to_owned(), l.value.len())).collect();
        }
        texts
    });
    assert_eq!(answers[0], answers[1], "same headers, same lengths");
    assert!(!answers[0].is_empty());
}
