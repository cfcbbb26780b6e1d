//! E2: each strategy gives exactly the order of a second, plain model written from the rules alone: lists that are searched
//! from the front, no index, no deadline table. A script of 10,000 events for each strategy.
use super::*;
use crate::fixture::{number, site};
use model::clock::Wall;
use model::config::queue::Strategy;

const AGENTS: usize = 6;
const EVENTS: usize = 10_000;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn weight(i: usize) -> u64 {
    [1, 2, 3, 4, 3, 1][i]
}

/// What an agent does, in the plain model.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Nothing,
    Rests { until: u64 },
    Rings { call: u64 },
    Talks { call: u64 },
}

#[derive(Clone, Copy, Debug)]
struct Worker {
    does: Does,
    idle_since: u64,
    calls: u32,
    talked: u64,
    talks_since: u64,
}

/// The plain model. Callers stand in the order of arrival until an agent answers or they go.
struct Plain {
    strategy: Strategy,
    now: u64,
    workers: Vec<Worker>,
    callers: Vec<u64>,
    last: Option<usize>,
    offers: Vec<(u64, usize)>,
    chance: u64,
}

impl Plain {
    fn ringing(&self, call: u64) -> usize {
        self.workers.iter().filter(|w| w.does == Does::Rings { call }).count()
    }

    /// Everybody who can be offered a call is.
    fn settle(&mut self) {
        loop {
            let unserved = self.callers.iter().find(|c| self.ringing(**c) == 0);
            let joined = self.callers.first().filter(|_| self.strategy == Strategy::RingAll);
            let Some(call) = unserved.or(joined).copied() else { return };
            let free: Vec<usize> = (0..AGENTS).filter(|i| self.workers[*i].does == Does::Nothing).collect();
            let chosen = self.choose(&free);
            if chosen.is_empty() {
                return;
            }
            for i in chosen {
                self.workers[i].does = Does::Rings { call };
                self.last = Some(i);
                self.chance = self.chance.wrapping_add(GOLDEN);
                self.offers.push((call, i));
            }
        }
    }

    fn choose(&self, free: &[usize]) -> Vec<usize> {
        let of = |i: &usize| &self.workers[*i];
        let mut sorted = free.to_vec();
        match self.strategy {
            Strategy::RingAll => return sorted,
            Strategy::InOrder => {}
            Strategy::LeastTalk => sorted.sort_by_key(|i| (of(i).talked, of(i).idle_since)),
            // All came at the same time here: the smallest part of the time at work is the least talk.
            Strategy::Balanced => sorted.sort_by_key(|i| (of(i).talked, of(i).idle_since)),
            Strategy::Weighted => sorted.sort_by(|i, j| {
                let part = |k: &usize, l: &usize| (u64::from(of(k).calls) + 1) * weight(*l);
                part(i, j).cmp(&part(j, i)).then(of(i).idle_since.cmp(&of(j).idle_since))
            }),
            Strategy::Random => {
                let mut z = self.chance.wrapping_add(GOLDEN);
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^= z >> 31;
                let at = u128::from(z) * sorted.len() as u128 / (u128::from(u64::MAX) + 1);
                sorted = sorted.get(usize::try_from(at).expect("an index")).copied().into_iter().collect();
            }
            Strategy::FewestCalls => sorted.sort_by_key(|i| (of(i).calls, of(i).idle_since)),
            Strategy::LongestIdle => sorted.sort_by_key(|i| of(i).idle_since),
            Strategy::RoundRobin => {
                let after = self.last.map_or(0, |l| l + 1);
                sorted.sort_by_key(|i| (i + AGENTS - after % AGENTS) % AGENTS);
            }
        }
        sorted.truncate(1);
        sorted
    }

    fn frees(&mut self, i: usize, idle: bool) {
        if matches!(self.workers[i].does, Does::Talks { .. }) {
            self.workers[i].talked += self.now - self.workers[i].talks_since;
        }
        self.workers[i].does = Does::Nothing;
        if idle {
            self.workers[i].idle_since = self.now;
        }
    }

    /// Time goes on; each rest that ends in between may lead to an offer before the next one ends.
    fn passes(&mut self, to: u64) {
        loop {
            let rest = |w: &Worker| if let Does::Rests { until } = w.does { Some(until) } else { None };
            let next = (0..AGENTS).filter_map(|i| Some((rest(&self.workers[i])?, i))).min();
            let Some((_, i)) = next.filter(|(until, _)| *until <= to) else { break };
            self.workers[i].does = Does::Nothing;
            self.settle();
        }
        self.now = to;
    }

    fn gone(&mut self, call: u64) {
        self.callers.retain(|c| *c != call);
        for i in 0..AGENTS {
            if self.workers[i].does == (Does::Rings { call }) {
                self.frees(i, false);
            }
        }
    }
}

fn config(strategy: Strategy) -> Arc<Config> {
    let mut config = site();
    let pattern = config.agent["1"].clone();
    let mut phone = config.extension[&number("102")].clone();
    for i in 0..AGENTS {
        let (id, at) = ((i + 1).to_string(), number(&(500 + i).to_string()));
        phone.number = at.clone();
        config.extension.insert(at.clone(), phone.clone());
        let mut agent = pattern.clone();
        (agent.id, agent.extension, agent.always_on) = (id.clone(), at, true);
        config.agent.insert(id, agent);
    }
    let queue = config.queue.get_mut("support").expect("there");
    queue.strategy = strategy;
    queue.agents = (1..=AGENTS).map(|i| i.to_string()).collect();
    queue.weight =
        (0..AGENTS).map(|i| ((i + 1).to_string(), u32::try_from(weight(i)).expect("small"))).collect();
    (queue.max_wait_s, queue.max_waiting, queue.wrap_up_s, queue.pause_after_misses) = (0, 100_000, 0, 0);
    // Nobody's ring time ends by itself here: every result is an event of the script.
    (queue.ring_timeout_s, queue.announce_position_s) = (10_000_000, 0);
    Arc::new(config)
}

/// Offers in what the queues said.
fn offers(out: &mut Vec<Out>) -> Vec<(u64, usize)> {
    let read = |o: Out| match o {
        Out::Offer { call, agent, .. } => Some((call.0, agent.parse::<usize>().expect("a number") - 1)),
        Out::Withdraw { .. }
        | Out::Say { .. }
        | Out::Music { .. }
        | Out::Overflow { .. }
        | Out::Decide { .. }
        | Out::Promised { .. }
        | Out::Keep(_)
        | Out::Notice(_) => None,
    };
    out.drain(..).filter_map(read).collect()
}

fn script(strategy: Strategy, mut seed: u64) {
    let mut roll = move |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % sides
    };
    let at = |ms: u64| Now { mono: Mono(ms * 1000), wall: Wall(i64::try_from(ms).expect("small")) };
    let mut out = Vec::new();
    let mut acd = Acd::new(at(1), &config(strategy), &[], Bonds::default(), &Past::default(), &mut out);
    let fresh = Worker { does: Does::Nothing, idle_since: 1, calls: 0, talked: 0, talks_since: 0 };
    let mut plain = Plain {
        strategy,
        now: 1,
        workers: vec![fresh; AGENTS],
        callers: Vec::new(),
        last: None,
        offers: Vec::new(),
        chance: 1,
    };
    for i in 0..AGENTS {
        acd.phone(at(1), &number(&(500 + i).to_string()), true, false, &mut out);
    }
    let mut next_call = 1;
    for event in 0..EVENTS {
        plain.passes(plain.now + 1 + u64::try_from(roll(800)).expect("small"));
        let now = at(plain.now);
        acd.timeout(now, &mut out);
        let ringing: Vec<(u64, usize)> = (0..AGENTS)
            .filter_map(
                |i| if let Does::Rings { call } = plain.workers[i].does { Some((call, i)) } else { None },
            )
            .collect();
        let talking: Vec<(u64, usize)> = (0..AGENTS)
            .filter_map(
                |i| if let Does::Talks { call } = plain.workers[i].does { Some((call, i)) } else { None },
            )
            .collect();
        match roll(8) {
            0..=2 => {
                let call = CallId(next_call);
                acd.enqueue(now, call, "support", Caller::default(), &mut out).expect("there is room");
                plain.callers.push(next_call);
                next_call += 1;
            }
            3 | 4 if !ringing.is_empty() => {
                let (call, i) = ringing[roll(ringing.len())];
                let agent = (i + 1).to_string();
                assert!(acd.offer_result(now, CallId(call), &agent, OfferResult::Answered, &mut out));
                plain.workers[i].does = Does::Talks { call };
                plain.workers[i].calls += 1;
                plain.workers[i].talks_since = plain.now;
                plain.gone(call);
            }
            5 if !ringing.is_empty() => {
                let (call, i) = ringing[roll(ringing.len())];
                let agent = (i + 1).to_string();
                assert!(acd.offer_result(now, CallId(call), &agent, OfferResult::NoAnswer, &mut out));
                let until = plain.now + u64::try_from(REST.as_millis()).expect("small");
                plain.workers[i] =
                    Worker { does: Does::Rests { until }, idle_since: plain.now, ..plain.workers[i] };
            }
            6 if !plain.callers.is_empty() && roll(3) == 0 => {
                let call = plain.callers[roll(plain.callers.len())];
                acd.abandon(now, CallId(call), &mut out);
                plain.gone(call);
            }
            _ if !talking.is_empty() => {
                let (call, i) = talking[roll(talking.len())];
                acd.call_ended(now, CallId(call), &mut out);
                plain.frees(i, true);
            }
            _ => {}
        }
        plain.settle();
        assert_eq!(offers(&mut out), std::mem::take(&mut plain.offers), "{strategy:?}, event {event}");
    }
    assert!(next_call > 1000 && plain.workers.iter().all(|w| w.calls > 20), "everybody worked");
}

#[test]
fn each_strategy_gives_the_order_of_the_plain_model_over_ten_thousand_events() {
    let all = [
        Strategy::Balanced,
        Strategy::FewestCalls,
        Strategy::InOrder,
        Strategy::LeastTalk,
        Strategy::LongestIdle,
        Strategy::Random,
        Strategy::RingAll,
        Strategy::RoundRobin,
        Strategy::Weighted,
    ];
    for strategy in all {
        script(strategy, 1);
    }
}
