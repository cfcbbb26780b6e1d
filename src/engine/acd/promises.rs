//! E8: callers who hung up keep their place, each is called by one agent at a time, and nobody is overtaken, whatever the
//! order of events. 2,000 runs with each build; `BELFRY_CALLBACKS=1000000` by hand.
use super::races::Dice;
use super::tests::Desk;
use super::*;
use crate::fixture::number;
use model::config::extension::Rights;
use model::config::queue::{Callback, Queue};
use model::record::{AgentState, CallbackRecord};

fn how() -> Callback {
    Callback { after_s: 10, tries: 2, retry_s: 300, expires_s: 3600, confirm: true, calls: Rights::National }
}

fn calls_back(queue: &mut Queue) {
    queue.callback = Some(how());
    (queue.max_wait_s, queue.max_waiting, queue.pause_after_misses) = (0, 1000, 0);
}

/// A desk whose agents are away, so that callers wait.
fn desk() -> Desk {
    let mut desk = Desk::new(calls_back);
    for agent in ["1", "2"] {
        desk.ask(agent, Ask::Pause("later".into()));
    }
    desk.out.clear();
    desk
}

fn customer(n: u64) -> Caller {
    Caller { outside: Some(number(&format!("+4930{n:05}"))), ..Caller::default() }
}

fn promise(desk: &mut Desk, call: u64, key: u64) -> Result<CallbackRecord, &'static str> {
    let ids = [CallId(call), CallId(key)];
    let caller = customer(call);
    let to = caller.outside.clone().expect("from outside");
    let done = desk.acd.promise(desk.now, ids, "support", caller, &to, &mut desk.out);
    desk.fine();
    done
}

fn missed(desk: &mut Desk, call: u64, next: u64) {
    desk.acd.not_reached(desk.now, CallId(call), CallId(next), false, &mut desk.out);
    desk.acd.call_ended(desk.now, CallId(call), &mut desk.out);
    desk.fine();
}

#[test]
fn a_caller_who_hangs_up_keeps_the_place_and_is_called_when_it_is_their_turn() {
    let mut desk = desk();
    desk.comes(1, "support", customer(1));
    desk.comes(2, "support", customer(2));
    assert_eq!(
        promise(&mut desk, 1, 101).map(drop),
        Err("queue-callback-not-possible"),
        "not yet told of it"
    );
    desk.wait(10);
    let told = |o: &Out| matches!(o, Out::Say { call, sounds } if call.0 == 1 && sounds.len() == 1);
    assert!(desk.out.iter().any(told), "the caller hears that it may be");
    let kept = promise(&mut desk, 1, 101).expect("promised");
    assert_eq!((kept.callback, kept.number.as_str(), kept.tries), (CallId(1), "+493000001", 0));
    desk.ends(1);
    desk.out.clear();
    desk.ask("1", Ask::Ready);
    assert_eq!(desk.offers(), [(101, "1".to_owned())], "before the second, who is on the line");
    assert!(desk.result(101, "1", OfferResult::Answered));
    assert_eq!(desk.state("1"), AgentState::Talking);
    desk.acd.called_back(desk.now, CallId(101), &mut desk.out);
    desk.fine();
    assert!(desk.out.contains(&Out::Keep(Record::CallbackGone(CallId(1)))));
    assert_eq!(desk.acd.promises(), []);
    desk.ends(101);
    assert_eq!(desk.offers(), [(2, "1".to_owned())]);
}

#[test]
fn who_is_not_reached_is_called_again_later_and_not_for_ever() {
    let mut desk = desk();
    desk.comes(1, "support", customer(1));
    desk.wait(10);
    promise(&mut desk, 1, 101).expect("promised");
    desk.ends(1);
    desk.ask("1", Ask::Ready);
    assert!(desk.result(101, "1", OfferResult::Answered));
    missed(&mut desk, 101, 102);
    assert_eq!(desk.state("1"), AgentState::Ready, "no after-call work for a call that was none");
    desk.offers();
    desk.wait(299);
    assert_eq!(desk.offers(), []);
    desk.wait(1);
    assert_eq!(desk.offers(), [(102, "1".to_owned())]);
    assert!(desk.result(102, "1", OfferResult::Answered));
    missed(&mut desk, 102, 103);
    assert_eq!(desk.acd.promises(), [], "two tries are enough");
    assert_eq!(desk.acd.deadline(), None);
}

#[test]
fn a_try_that_the_box_itself_failed_does_not_count_and_an_old_promise_ends() {
    let mut desk = desk();
    desk.comes(1, "support", customer(1));
    desk.wait(10);
    promise(&mut desk, 1, 101).expect("promised");
    desk.ends(1);
    desk.ask("1", Ask::Ready);
    for key in 101..105 {
        assert!(desk.result(key, "1", OfferResult::Answered));
        desk.acd.not_reached(desk.now, CallId(key), CallId(key + 1), true, &mut desk.out);
        desk.wait(300);
    }
    assert_eq!(desk.acd.promises()[0].tries, 0);
    desk.ask("1", Ask::Pause("home".into()));
    desk.wait(3600);
    assert_eq!(desk.acd.promises(), []);
    assert!(desk.out.contains(&Out::Keep(Record::CallbackGone(CallId(1)))));
}

#[test]
fn a_number_that_may_not_be_called_is_promised_nothing() {
    let mut desk = desk();
    let dear = number("+8821234567");
    let ids = [CallId(1), CallId(2)];
    let done = desk.acd.promise(desk.now, ids, "support", Caller::default(), &dear, &mut desk.out);
    assert!(done.is_err());
    assert_eq!(desk.acd.promises(), []);
}

#[test]
fn who_asks_twice_stands_once_at_the_first_place_and_a_person_may_cancel() {
    let mut desk = desk();
    desk.comes(1, "support", customer(7));
    desk.wait(10);
    let to = number("+493000007");
    let ask = |desk: &mut Desk, call: u64| {
        let ids = [CallId(call), CallId(100 + call)];
        let kept = desk.acd.promise(desk.now, ids, "support", customer(7), &to, &mut desk.out);
        desk.ends(call);
        kept.expect("promised").callback
    };
    assert_eq!(ask(&mut desk, 1), CallId(1));
    desk.comes(2, "support", customer(7));
    desk.wait(10);
    assert_eq!(ask(&mut desk, 2), CallId(1));
    assert_eq!(desk.acd.promises().len(), 1);
    assert_eq!(desk.acd.cancel_callback(desk.now, CallId(1), &mut desk.out), Ok(()));
    assert_eq!(desk.acd.cancel_callback(desk.now, CallId(1), &mut desk.out), Err(Refusal::Unknown));
    desk.fine();
    assert_eq!(desk.acd.deadline(), None);
}

#[test]
fn promises_are_kept_over_a_restart_with_their_places() {
    let mut desk = desk();
    for n in 1..=3 {
        desk.comes(n, "support", customer(n));
        desk.wait(5);
    }
    desk.wait(10);
    for n in [3, 1, 2] {
        promise(&mut desk, n, 100 + n).expect("promised");
        desk.ends(n);
    }
    let kept = desk.acd.promises();
    let mut again = Desk::new(calls_back);
    again.now.wall = desk.now.wall;
    again.ask("2", Ask::Logout);
    again.out.clear();
    for (n, promise) in (201..).zip(&kept) {
        again.acd.recall(again.now, CallId(n), promise, &mut again.out);
        again.fine();
    }
    again.wait(1);
    assert_eq!(again.acd.promises(), kept);
    let mut order = Vec::new();
    while let [(call, agent)] = &again.offers()[..] {
        let (call, agent) = (*call, agent.clone());
        order.push(
            again.acd.callback(CallId(call)).and_then(|t| t.back.clone()).expect("a promise").callback.0,
        );
        assert!(again.result(call, &agent, OfferResult::Answered));
        again.acd.called_back(again.now, CallId(call), &mut again.out);
        again.ends(call);
    }
    assert_eq!(order, [1, 2, 3]);
}

/// A run of random events, watched by a simple book: which customers are being called.
struct Run {
    desk: Desk,
    dice: Dice,
    next: u64,
    /// Calls that ring at an agent, and those an agent is in.
    ringing: Vec<(u64, String)>,
    talking: Vec<u64>,
    /// Attempts of which the customer was not reached yet.
    attempts: Vec<u64>,
    waiting: Vec<u64>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let desk = Desk::new(calls_back);
        let dice = Dice(seed);
        let (ringing, talking, attempts, waiting) = Default::default();
        Run { desk, dice, next: 1, ringing, talking, attempts, waiting }
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn any(&mut self, list: &[u64]) -> Option<u64> {
        let at = self.dice.roll(list.len().max(1) as u64);
        list.get(usize::try_from(at).expect("small")).copied()
    }

    /// Reads what was said; every offer is looked at in the moment it was made.
    fn read(&mut self) {
        for o in std::mem::take(&mut self.desk.out) {
            match o {
                Out::Offer { call, agent, .. } => {
                    let mine = self.desk.acd.tickets.get(&call).map(|t| t.rank);
                    let earlier = self.desk.acd.tickets.values().filter(|t| t.ringing.is_empty());
                    if let Some(mine) = mine {
                        assert!(!earlier.into_iter().any(|t| t.rank < mine), "call {call} overtook somebody");
                    }
                    self.ringing.push((call.0, agent));
                }
                Out::Withdraw { call, agent } => self.ringing.retain(|r| *r != (call.0, agent.clone())),
                Out::Say { .. }
                | Out::Music { .. }
                | Out::Overflow { .. }
                | Out::Decide { .. }
                | Out::Promised { .. }
                | Out::Keep(_)
                | Out::Notice(_) => {}
            }
        }
        self.desk.fine();
        let mut called: Vec<Number> = self
            .desk
            .acd
            .all_callbacks()
            .filter_map(|(_, t)| t.back.as_ref().map(|b| b.number.clone()))
            .collect();
        let all = called.len();
        called.sort();
        called.dedup();
        assert_eq!(called.len(), all, "one customer stands twice");
    }

    fn step(&mut self) {
        match self.dice.roll(12) {
            0 | 1 => {
                let id = self.id();
                self.desk.comes(id, "support", customer(id % 9));
                self.waiting.push(id);
            }
            2 | 3 => self.asks(),
            4 => {
                if let Some(call) = self.any(&self.waiting.clone()) {
                    self.waiting.retain(|c| *c != call);
                    self.ends(call);
                }
            }
            5..=7 => self.answers(),
            8 => self.customer(),
            9 => {
                if let Some(call) = self.any(&self.talking.clone()) {
                    self.talking.retain(|c| *c != call);
                    self.ends(call);
                }
            }
            10 => {
                let asks = [Ask::Login, Ask::Logout, Ask::Ready, Ask::Pause("lunch".into())];
                let ask = &asks[usize::try_from(self.dice.roll(4)).expect("small")];
                let agent = if self.dice.roll(2) == 0 { "1" } else { "2" };
                let _ = self.desk.acd.ask(self.desk.now, agent, ask, "web", &mut self.desk.out);
            }
            _ => {
                let seconds = self.dice.roll(400);
                self.desk.now.mono = self.desk.now.mono + Duration::from_secs(seconds);
                self.desk.now.wall.0 += i64::try_from(seconds).expect("small") * 1_000;
                self.desk.acd.timeout(self.desk.now, &mut self.desk.out);
                // Several moments in one step: the order of each cannot be seen from outside.
                let offers: Vec<_> = self.desk.offers();
                self.ringing.extend(offers);
                let stands = |(call, agent): &(u64, String)| {
                    self.desk.acd.tickets.get(&CallId(*call)).is_some_and(|t| t.ringing.contains(agent))
                };
                let open = self.ringing.iter().filter(|r| stands(r)).cloned().collect();
                self.ringing = open;
                self.ringing.sort();
                self.ringing.dedup();
            }
        }
        self.read();
    }

    fn asks(&mut self) {
        let Some(call) = self.any(&self.waiting.clone()) else { return };
        let key = self.id();
        let caller = customer(call % 9);
        let to = caller.outside.clone().expect("from outside");
        let ids = [CallId(call), CallId(key)];
        let now = self.desk.now;
        if self.desk.acd.promise(now, ids, "support", caller, &to, &mut self.desk.out).is_ok() {
            self.waiting.retain(|c| *c != call);
            self.read();
            // The good-bye is heard to its end, or not.
            if self.dice.roll(2) == 0 {
                self.ends(call);
            }
        }
    }

    fn answers(&mut self) {
        let at = self.dice.roll(self.ringing.len().max(1) as u64);
        let Some((call, agent)) = self.ringing.get(usize::try_from(at).expect("small")).cloned() else {
            return;
        };
        self.ringing.retain(|r| *r != (call, agent.clone()));
        let back = self.desk.acd.callback(CallId(call)).is_some();
        let result = if self.dice.roll(3) == 0 { OfferResult::NoAnswer } else { OfferResult::Answered };
        let now = self.desk.now;
        assert!(self.desk.acd.offer_result(now, CallId(call), &agent, result, &mut self.desk.out));
        if result == OfferResult::Answered {
            self.waiting.retain(|c| *c != call);
            if back { self.attempts.push(call) } else { self.talking.push(call) }
        }
    }

    /// The customer is reached, or not.
    fn customer(&mut self) {
        let Some(call) = self.any(&self.attempts.clone()) else { return };
        self.attempts.retain(|c| *c != call);
        if self.dice.roll(2) == 0 {
            self.desk.acd.called_back(self.desk.now, CallId(call), &mut self.desk.out);
            self.talking.push(call);
        } else {
            self.ends(call);
        }
    }

    /// A call is over, as the engine tells it.
    fn ends(&mut self, call: u64) {
        let now = self.desk.now;
        if self.desk.acd.callback(CallId(call)).is_some() {
            let (next, ours) = (self.id(), self.dice.roll(4) == 0);
            self.desk.acd.not_reached(now, CallId(call), CallId(next), ours, &mut self.desk.out);
            self.read();
        }
        self.desk.acd.call_ended(now, CallId(call), &mut self.desk.out);
        self.read();
    }

    /// Everybody is at work and answers, every customer is reached: nobody may be left.
    fn finish(mut self) {
        for agent in ["1", "2"] {
            for ask in [Ask::Login, Ask::Ready] {
                let _ = self.desk.acd.ask(self.desk.now, agent, &ask, "web", &mut self.desk.out);
            }
        }
        for call in std::mem::take(&mut self.attempts).into_iter().chain(std::mem::take(&mut self.talking)) {
            self.ends(call);
        }
        self.read();
        for _ in 0..200 {
            while let Some((call, agent)) = self.ringing.pop() {
                let now = self.desk.now;
                let answered = OfferResult::Answered;
                assert!(self.desk.acd.offer_result(now, CallId(call), &agent, answered, &mut self.desk.out));
                self.desk.acd.called_back(now, CallId(call), &mut self.desk.out);
                self.ends(call);
                self.read();
            }
            if self.desk.acd.promises().is_empty() && self.desk.acd.tickets.is_empty() {
                return;
            }
            self.desk.now.mono = self.desk.now.mono + Duration::from_secs(60);
            self.desk.now.wall.0 += 60_000;
            self.desk.acd.timeout(self.desk.now, &mut self.desk.out);
            self.ringing.extend(self.desk.offers());
        }
        panic!("left: {:?} {:?}", self.desk.acd.promises(), self.desk.acd.tickets);
    }
}

#[test]
fn no_interleaving_loses_a_promise_calls_a_customer_twice_or_overtakes_anybody() {
    let runs: u64 = std::env::var("BELFRY_CALLBACKS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    for seed in 0..runs {
        let mut run = Run::new(seed);
        for _ in 0..40 {
            run.step();
        }
        run.finish();
    }
}
