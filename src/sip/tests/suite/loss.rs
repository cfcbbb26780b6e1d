//! Calls over a wire that loses, doubles and delays datagrams: each call is either up on both sides or on neither, each
//! end is told once, and nothing is left behind. Many seeds, one virtual clock; `BELFRY_SEEDS` sets how many.
use crate::common::{LONG, Pair, SDP, Wire, request, uri};
use model::id::LegId;
use sip::endpoint::Load;
use sip::{Indication, Method, Transport};
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);

fn seeds() -> u64 {
    std::env::var("BELFRY_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

/// What one side knows of its leg.
#[derive(Default)]
struct Side {
    up: bool,
    over: u32,
}

impl Side {
    fn hear(&mut self, indication: &Indication) {
        match indication {
            Indication::Answered { .. } | Indication::Acked { .. } => self.up = true,
            Indication::Refused { .. } | Indication::Cancelled { .. } | Indication::Ended { .. } => {
                self.up = false;
                self.over += 1;
            }
            Indication::Progress { .. }
            | Indication::Invite { .. }
            | Indication::Reoffer { .. }
            | Indication::ReofferAnswered { .. }
            | Indication::Info { .. }
            | Indication::Request { .. }
            | Indication::Response { .. }
            | Indication::SubscriptionGone { .. }
            | Indication::Malformed { .. } => {}
        }
    }
}

/// Plays the callee: rings, answers after a while; and both sides' re-offers.
fn react(pair: &mut Pair, sides: &mut [Side; 2]) {
    for (n, leg) in [(0, A), (1, B)] {
        for indication in std::mem::take(&mut pair.told[n]) {
            sides[n].hear(&indication);
            match indication {
                Indication::Invite { server, .. } => pair.act(1, |e, now, _, out| {
                    e.adopt(now, server, B, uri("sip:bob@192.0.2.2"), out);
                    e.ring(now, B, 180, None, out);
                    e.accept(now, B, SDP.to_vec(), Vec::new(), out);
                }),
                Indication::Reoffer { .. } => {
                    pair.act(n, |e, now, _, out| e.answer_reoffer(now, leg, Ok(SDP.to_vec()), out))
                }
                Indication::Malformed { why, .. } => panic!("{why}"),
                Indication::Progress { .. }
                | Indication::Answered { .. }
                | Indication::Refused { .. }
                | Indication::Acked { .. }
                | Indication::Cancelled { .. }
                | Indication::Ended { .. }
                | Indication::ReofferAnswered { .. }
                | Indication::Info { .. }
                | Indication::Request { .. }
                | Indication::Response { .. }
                | Indication::SubscriptionGone { .. } => {}
            }
        }
    }
}

fn nothing_left(pair: &Pair, seed: u64) {
    for side in &pair.sides {
        assert_eq!((side.load(), side.deadline()), (Load::default(), None), "seed {seed}");
    }
}

fn drive(pair: &mut Pair, sides: &mut [Side; 2], time: Duration) {
    let end = pair.now.mono + time;
    while pair.next().is_some_and(|at| at <= end) {
        pair.step();
        react(pair, sides);
    }
    pair.now.mono = pair.now.mono.max(end);
}

#[test]
fn calls_come_up_and_go_down_on_a_bad_wire() {
    let mut answered = 0;
    for seed in 1..=seeds() {
        let wire = Wire { loss: seed % 40, doubled: 10, delay_ms_max: 300 };
        let mut pair = Pair::new(seed, Transport::Udp, wire);
        let mut sides = [Side::default(), Side::default()];
        pair.call(0, 1);
        drive(&mut pair, &mut sides, Duration::from_secs(40));
        answered += u64::from(sides[0].up && sides[1].up);
        let hanging = usize::try_from(pair.below(2)).unwrap();
        pair.act(hanging, |e, now, _, out| e.hang_up(now, [A, B][hanging], None, out));
        sides[hanging].over += u32::from(sides[hanging].over == 0);
        drive(&mut pair, &mut sides, Duration::from_secs(200));
        assert!(sides.iter().all(|s| s.over <= 1), "seed {seed}: an end is told once");
        // A lost BYE leaves the other side up only when every repetition was lost too.
        if seed % 40 < 25 {
            assert!(sides[1 - hanging].over == 1, "seed {seed}: the other side learns of it");
            nothing_left(&pair, seed);
        }
    }
    assert!(answered * 100 >= seeds() * 97, "{answered} of {} calls came up", seeds());
}

#[test]
fn hanging_up_at_any_moment_leaves_nothing_behind() {
    for seed in 1..=seeds() {
        let mut pair =
            Pair::new(seed, Transport::Udp, Wire { loss: seed % 20, doubled: 15, delay_ms_max: 200 });
        let mut sides = [Side::default(), Side::default()];
        pair.call(0, 1);
        let moment = pair.below(1_500);
        drive(&mut pair, &mut sides, Duration::from_millis(moment));
        pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
        drive(&mut pair, &mut sides, Duration::from_secs(200));
        assert!(!sides[1].up, "seed {seed}: hung up after {moment} ms");
        nothing_left(&pair, seed);
    }
}

#[test]
fn offers_from_both_sides_on_a_bad_wire_settle() {
    for seed in 1..=seeds() {
        let mut pair =
            Pair::new(seed, Transport::Udp, Wire { loss: seed % 15, doubled: 10, delay_ms_max: 100 });
        let mut sides = [Side::default(), Side::default()];
        pair.call(0, 1);
        drive(&mut pair, &mut sides, Duration::from_secs(20));
        for _ in 0..4 {
            let side = usize::try_from(pair.below(2)).unwrap();
            pair.act(side, |e, now, _, out| e.reoffer(now, [A, B][side], SDP.to_vec(), out));
            let pause = pair.below(400);
            drive(&mut pair, &mut sides, Duration::from_millis(pause));
        }
        drive(&mut pair, &mut sides, Duration::from_secs(60));
        let over = sides[0].over + sides[1].over;
        assert!(over == 0 || over == 2, "seed {seed}: both up or both down");
        pair.act(0, |e, now, _, out| e.hang_up(now, A, None, out));
        drive(&mut pair, &mut sides, Duration::from_secs(200));
        nothing_left(&pair, seed);
    }
}

#[test]
fn requests_get_one_answer_each() {
    for seed in 1..=seeds() {
        let mut pair = Pair::new(seed, Transport::Udp, Wire { loss: 20, doubled: 20, delay_ms_max: 200 });
        let register = request(pair.flow(0), Method::Register, seed);
        pair.act(0, |e, now, _, out| e.request(now, register, out));
        let mut asked = 0;
        let answer = loop {
            while let Some(Indication::Request { server, .. }) = pair.told[1].pop() {
                asked += 1;
                pair.act(1, |e, now, _, out| e.respond(now, server, sip::endpoint::Reply::new(200), out));
            }
            if let Some(told) = pair.told[0].pop() {
                break told;
            }
            assert!(pair.step());
        };
        assert!(matches!(answer, Indication::Response { result: Ok(_), .. }), "seed {seed}");
        assert_eq!(asked, 1, "seed {seed}: repetitions are absorbed");
        pair.run(LONG);
        assert!(pair.told.iter().all(Vec::is_empty), "seed {seed}");
        nothing_left(&pair, seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut pair = Pair::new(77, Transport::Udp, Wire { loss: 20, doubled: 10, delay_ms_max: 300 });
        let mut sides = [Side::default(), Side::default()];
        pair.call(0, 1);
        drive(&mut pair, &mut sides, Duration::from_secs(60));
        pair.log
    };
    assert_eq!(run(), run());
}
