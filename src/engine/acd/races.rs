//! E10: never two calls to one agent. Random interleavings of everything that can happen to agents, queues and phones, with
//! late and doubled results, against the facts of `check.rs` and a second, simpler book of who rings where. 10,000 runs
//! with each build; `BELFRY_RACES=1000000` by hand.
use super::code::Code;
use super::*;
use crate::fixture::{number, site};
use model::clock::Wall;
use model::config::queue::Strategy;
use model::record::AgentState;

/// SplitMix64: small, seedable, good enough to shuffle events.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.roll(list.len() as u64)).expect("an index")]
    }
}

/// Three agents at two phones (two share one), two queues with one agent in both.
fn configs() -> [Arc<Config>; 2] {
    let mut config = site();
    let mut third = config.agent["2"].clone();
    third.id = "3".into();
    config.agent.insert("3".into(), third);
    let mut other = config.queue["support"].clone();
    other.name = "sales".into();
    other.agents = vec!["2".into(), "3".into(), "1".into()];
    other.wrap_up_s = 5;
    other.overflow_when_empty = true;
    other.max_waiting = 2;
    config.queue.insert("sales".into(), other);
    let mut changed = config.clone();
    changed.agent.remove("3");
    changed.queue.remove("sales");
    changed.queue.get_mut("support").expect("there").strategy = Strategy::RingAll;
    [Arc::new(config), Arc::new(changed)]
}

/// What a simple observer knows: which phones ring or talk for which call.
#[derive(Default)]
struct Book {
    ringing: BTreeSet<(u64, String)>,
    talking: BTreeMap<u64, String>,
    spells: BTreeMap<String, (AgentState, i64)>,
    worked_ms: BTreeMap<String, i64>,
    elsewhere: BTreeSet<String>,
    unreachable: BTreeSet<String>,
}

struct Race {
    dice: Dice,
    acd: Acd,
    now: Now,
    book: Book,
    phones: BTreeMap<String, String>,
    stale: Vec<(u64, String)>,
    /// Everything in this step happens at one moment: the order can be looked at after it.
    one_moment: bool,
}

impl Race {
    fn new(seed: u64, config: &Arc<Config>) -> Race {
        let now = Now { mono: Mono(1), wall: Wall(1_700_000_000_000) };
        let mut out = Vec::new();
        let acd = Acd::new(now, config, &[], Bonds::default(), &Past::default(), &mut out);
        let phones = [("1", "102"), ("2", "103"), ("3", "103")];
        let mut race = Race {
            dice: Dice(seed),
            acd,
            now,
            book: Book::default(),
            phones: phones.map(|(a, p)| (a.to_owned(), p.to_owned())).into(),
            stale: Vec::new(),
            one_moment: true,
        };
        for phone in ["102", "103"] {
            race.acd.phone(now, &number(phone), true, false, &mut out);
        }
        race.read(out);
        race
    }

    fn read(&mut self, out: Vec<Out>) {
        let offered: Vec<(CallId, String)> = out
            .iter()
            .filter_map(|o| {
                if let Out::Offer { call, agent, .. } = o { Some((*call, agent.clone())) } else { None }
            })
            .collect();
        for (call, agent) in offered.iter().filter(|_| self.one_moment) {
            self.nobody_was_overtaken(*call, agent);
        }
        for o in out {
            match o {
                Out::Offer { call, agent, extension, .. } => {
                    let phone = extension.to_string();
                    assert!(!self.book.elsewhere.contains(&phone), "phone {phone} is in another call");
                    assert!(!self.book.unreachable.contains(&phone), "phone {phone} is away");
                    let shares = |a: &String| self.phones[a] == phone;
                    assert!(!self.book.ringing.iter().any(|(_, a)| shares(a)), "{phone} rings already");
                    assert!(!self.book.talking.values().any(shares), "{phone} talks already");
                    assert!(!self.book.talking.contains_key(&call.0), "call {call} is talking already");
                    self.book.ringing.insert((call.0, agent));
                }
                Out::Withdraw { call, agent } => {
                    assert!(self.book.ringing.remove(&(call.0, agent.clone())), "withdrawn but not offered");
                    self.stale.push((call.0, agent));
                }
                Out::Keep(Record::AgentState(spell)) => self.spell(spell),
                Out::Keep(_)
                | Out::Say { .. }
                | Out::Music { .. }
                | Out::Overflow { .. }
                | Out::Decide { .. }
                | Out::Promised { .. }
                | Out::Notice(_) => {}
            }
        }
        assert_eq!(self.acd.check(), Vec::<String>::new());
    }

    /// E5: whoever waits now and ranks before this caller could not be served by the agent who got the call.
    fn nobody_was_overtaken(&self, call: CallId, agent: &str) {
        let (Some(ticket), Some(agent)) = (self.acd.tickets.get(&call), self.acd.agents().get(agent)) else {
            return;
        };
        let before = |other: &&Ticket| other.ringing.is_empty() && other.rank < ticket.rank;
        for other in self.acd.tickets.values().filter(before) {
            let rules = &self.acd.config.queue[&other.queue];
            let could = rules.agents.contains(&agent.id) && other.wanted.suits(rules, agent);
            assert!(!could, "call {call} overtook call {} at agent {}", other.call, agent.id);
        }
    }

    /// Adds the spell that ended to the agent's work.
    fn spell(&mut self, spell: AgentSpell) {
        let since = spell.since.0;
        if let Some((state, from)) = self.book.spells.insert(spell.agent.clone(), (spell.state, since)) {
            assert!(since >= from, "spells of agent {} overlap", spell.agent);
            if state != AgentState::LoggedOut {
                *self.book.worked_ms.entry(spell.agent).or_default() += since - from;
            }
        }
    }

    fn step(&mut self, configs: &[Arc<Config>; 2]) {
        let mut out = Vec::new();
        let (now, call) = (self.now, 1 + self.dice.roll(6));
        let agent = (*self.dice.pick(&["1", "2", "3"])).to_owned();
        match self.dice.roll(17) {
            0..=3 => {
                let queue = *self.dice.pick(&["support", "sales"]);
                if !self.book.talking.contains_key(&call) {
                    let priority = u32::try_from(self.dice.roll(4)).expect("small");
                    let caller = Caller { priority, ..Caller::default() };
                    let _ = self.acd.enqueue(now, CallId(call), queue, caller, &mut out);
                }
            }
            4 => {
                self.acd.abandon(now, CallId(call), &mut out);
            }
            5 | 6 => {
                self.book.talking.remove(&call);
                self.acd.call_ended(now, CallId(call), &mut out);
            }
            7..=9 => self.offer_result(&mut out),
            10 => self.late_result(&mut out),
            11 => self.other_call(&mut out),
            12 => {
                let asks = [Ask::Login, Ask::Logout, Ask::Ready, Ask::Pause("lunch".into())];
                let _ = self.acd.ask(now, &agent, self.dice.pick(&asks), "web", &mut out);
            }
            13 => {
                let codes = [Code::LoginOrOut, Code::Ready, Code::WrapUpDone, Code::Pause(None)];
                let phone = number(&self.phones[&agent]);
                self.acd.code(now, &phone, self.dice.pick(&codes), &mut out);
            }
            14 => {
                let place = u32::try_from(self.dice.roll(5)).expect("small");
                let _ = self.acd.place(now, CallId(call), place, &mut out);
            }
            15 => {
                self.one_moment = false;
                self.pass_time(&mut out);
            }
            _ => {
                let config = self.dice.pick(configs).clone();
                self.acd.configure(now, &config, &mut out);
            }
        }
        self.read(out);
        self.one_moment = true;
    }

    fn offer_result(&mut self, out: &mut Vec<Out>) {
        let open: Vec<(u64, String)> = self.book.ringing.iter().cloned().collect();
        if open.is_empty() {
            return;
        }
        let (call, agent) = self.dice.pick(&open).clone();
        let results = [
            OfferResult::Answered,
            OfferResult::Answered,
            OfferResult::Busy,
            OfferResult::Declined,
            OfferResult::NoAnswer,
            OfferResult::Unreachable,
        ];
        let result = *self.dice.pick(&results);
        self.book.ringing.remove(&(call, agent.clone()));
        if result == OfferResult::Answered {
            self.book.talking.insert(call, agent.clone());
        }
        assert!(self.acd.offer_result(self.now, CallId(call), &agent, result, out), "an open offer stands");
    }

    /// The result of an offer that was withdrawn: never accepted, unless the same offer was made again.
    fn late_result(&mut self, out: &mut Vec<Out>) {
        let Some((call, agent)) = self.stale.pop() else { return };
        if !self.book.ringing.contains(&(call, agent.clone())) {
            let stands = self.acd.offer_result(self.now, CallId(call), &agent, OfferResult::Answered, out);
            assert!(!stands, "a withdrawn offer was answered");
        }
    }

    /// A direct call, a click to dial or a lost registration of one phone.
    fn other_call(&mut self, out: &mut Vec<Out>) {
        let phone = (*self.dice.pick(&["102", "103"])).to_owned();
        let (away, busy) = (self.dice.roll(4) == 0, self.dice.roll(2) == 0);
        for (set, on) in [(&mut self.book.unreachable, away), (&mut self.book.elsewhere, busy)] {
            if on {
                set.insert(phone.clone());
            } else {
                set.remove(&phone);
            }
        }
        self.acd.phone(self.now, &number(&phone), !away, busy, out);
    }

    fn pass_time(&mut self, out: &mut Vec<Out>) {
        let ms = 100 + self.dice.roll(20_000);
        self.now.mono = self.now.mono + Duration::from_millis(ms);
        self.now.wall.0 += i64::try_from(ms).expect("small");
        self.acd.timeout(self.now, out);
    }

    /// Everybody hangs up; nobody may be left in an offer or a call, and the spells add up.
    fn finish(mut self) {
        for call in 1..=6 {
            let mut out = Vec::new();
            self.book.talking.remove(&call);
            self.acd.call_ended(self.now, CallId(call), &mut out);
            self.read(out);
        }
        self.one_moment = false;
        let mut out = Vec::new();
        self.now.mono = self.now.mono + Duration::from_secs(60);
        self.now.wall.0 += 60_000;
        self.acd.timeout(self.now, &mut out);
        self.read(out);
        assert!(self.book.ringing.is_empty(), "a phone still rings for nobody");
        for agent in self.acd.agents().all() {
            assert!(!agent.in_call() && agent.state != AgentState::WrapUp, "{agent:?} is stuck");
            if let Some((state, since)) = self.book.spells.get(&agent.id) {
                assert_eq!(state, &agent.state, "a change without a spell");
                let fresh = agent.state == AgentState::LoggedOut;
                assert!(fresh || *since == agent.since.0, "a spell that does not begin where it should");
            }
        }
        assert_eq!(self.acd.deadline(), None, "nothing left to wait for");
    }
}

#[test]
fn no_interleaving_gives_an_agent_two_calls_or_leaves_one_stuck() {
    let runs: u64 = std::env::var("BELFRY_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let configs = configs();
    for seed in 0..runs {
        let mut race = Race::new(seed, &configs[0]);
        for _ in 0..30 {
            race.step(&configs);
        }
        race.finish();
    }
}
