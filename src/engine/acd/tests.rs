//! What callers and agents of a queue notice, rule by rule. The random interleavings are in `races.rs`.
use super::code::Code;
use super::*;
use crate::fixture::{number, site};
use model::clock::Wall;
use model::config::queue::Queue;
use model::config::queue::Strategy;
use model::media::Digit;
use model::record::AgentState;

/// A queue on virtual time that remembers what was asked of the calls.
pub(super) struct Desk {
    pub(super) acd: Acd,
    pub(super) config: Config,
    pub(super) now: Now,
    pub(super) out: Vec<Out>,
}

impl Desk {
    /// Agents 1 (phone 102) and 2 (phone 103) at work, phones registered, queue `support` changed by `with`.
    pub(super) fn new(with: impl FnOnce(&mut Queue)) -> Desk {
        let mut desk = Desk::asleep(with);
        for agent in ["1", "2"] {
            desk.ask(agent, Ask::Login);
            desk.wait(1);
        }
        desk.out.clear();
        desk
    }

    pub(super) fn asleep(with: impl FnOnce(&mut Queue)) -> Desk {
        Desk::at_site(|config| with(config.queue.get_mut("support").expect("there")))
    }

    /// Nobody at work, phones registered, the site changed by `with`.
    pub(super) fn at_site(with: impl FnOnce(&mut Config)) -> Desk {
        let mut config = site();
        with(&mut config);
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
        let mut out = Vec::new();
        let mut acd =
            Acd::new(now, &Arc::new(config.clone()), &[], Bonds::default(), &Past::default(), &mut out);
        for phone in ["102", "103"] {
            acd.phone(now, &number(phone), true, false, &mut out);
        }
        Desk { acd, config, now, out }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        let end = Now {
            mono: self.now.mono + Duration::from_secs(seconds),
            wall: Wall(self.now.wall.0 + i64::try_from(seconds).expect("small") * 1_000),
        };
        while let Some(at) = self.acd.deadline().filter(|at| *at <= end.mono) {
            let ms = i64::try_from(at.since(self.now.mono).as_millis()).expect("small");
            self.now = Now { mono: at, wall: Wall(self.now.wall.0 + ms) };
            self.acd.timeout(self.now, &mut self.out);
            self.fine();
        }
        self.now = end;
    }

    pub(super) fn fine(&self) {
        assert_eq!(self.acd.check(), Vec::<String>::new());
    }

    pub(super) fn caller(&mut self, call: u64) {
        self.comes(call, "support", Caller::default());
    }

    /// A caller of whom more is known.
    pub(super) fn comes(&mut self, call: u64, queue: &str, caller: Caller) {
        self.acd.enqueue(self.now, CallId(call), queue, caller, &mut self.out).expect("taken in");
        self.fine();
    }

    /// Whom the agent was offered since the last look; answers at once and hangs up after a second.
    pub(super) fn serves(&mut self, agent: &str) -> Vec<u64> {
        let calls: Vec<u64> =
            self.offers().iter().filter(|(_, a)| a == agent).map(|(call, _)| *call).collect();
        for call in &calls {
            assert!(self.result(*call, agent, OfferResult::Answered));
            self.wait(1);
            self.ends(*call);
        }
        calls
    }

    pub(super) fn result(&mut self, call: u64, agent: &str, result: OfferResult) -> bool {
        let stands = self.acd.offer_result(self.now, CallId(call), agent, result, &mut self.out);
        self.fine();
        stands
    }

    pub(super) fn ends(&mut self, call: u64) {
        self.acd.call_ended(self.now, CallId(call), &mut self.out);
        self.fine();
    }

    pub(super) fn ask(&mut self, agent: &str, ask: Ask) {
        self.acd.ask(self.now, agent, &ask, "test", &mut self.out).expect("granted");
        self.fine();
    }

    pub(super) fn state(&self, agent: &str) -> AgentState {
        self.acd.agents().get(agent).expect("known").state.clone()
    }

    /// Who was asked to ring for whom since the last look.
    pub(super) fn offers(&mut self) -> Vec<(u64, String)> {
        let told = std::mem::take(&mut self.out);
        told.iter()
            .filter_map(|o| match o {
                Out::Offer { call, agent, .. } => Some((call.0, agent.clone())),
                Out::Withdraw { .. }
                | Out::Say { .. }
                | Out::Music { .. }
                | Out::Overflow { .. }
                | Out::Decide { .. }
                | Out::Promised { .. }
                | Out::Keep(_)
                | Out::Notice(_) => None,
            })
            .collect()
    }

    pub(super) fn overflows(&mut self) -> Vec<(u64, Why)> {
        let told = std::mem::take(&mut self.out);
        told.iter()
            .filter_map(|o| match o {
                Out::Overflow { call, why, .. } => Some((call.0, *why)),
                Out::Offer { .. }
                | Out::Withdraw { .. }
                | Out::Say { .. }
                | Out::Music { .. }
                | Out::Decide { .. }
                | Out::Promised { .. }
                | Out::Keep(_)
                | Out::Notice(_) => None,
            })
            .collect()
    }
}

pub(super) fn offer(call: u64, agent: &str) -> (u64, String) {
    (call, agent.to_owned())
}

#[test]
fn a_caller_is_offered_in_the_step_of_arrival_and_an_agent_in_the_step_of_freedom() {
    let mut desk = Desk::new(|_| {});
    desk.caller(1);
    desk.caller(2);
    assert_eq!(desk.offers(), [offer(1, "1"), offer(2, "2")]);
    desk.caller(3);
    assert_eq!(desk.offers(), []);
    assert!(desk.result(1, "1", OfferResult::Answered));
    desk.ends(1);
    assert_eq!(desk.offers(), [offer(3, "1")], "no wrap-up: offered at once, no poll");
}

#[test]
fn longest_idle_takes_turns_and_fewest_calls_evens_out() {
    let mut desk = Desk::new(|q| q.strategy = Strategy::FewestCalls);
    for (call, agent) in [(1, "1"), (2, "2"), (3, "1"), (4, "2")] {
        desk.caller(call);
        assert_eq!(desk.offers(), [offer(call, agent)]);
        assert!(desk.result(call, agent, OfferResult::Answered));
        desk.wait(call);
        desk.ends(call);
    }
}

#[test]
fn round_robin_goes_on_after_the_last_one() {
    let mut desk = Desk::new(|q| q.strategy = Strategy::RoundRobin);
    for (call, agent) in [(1, "1"), (2, "2"), (3, "1")] {
        desk.caller(call);
        assert_eq!(desk.offers(), [offer(call, agent)]);
        assert!(desk.result(call, agent, OfferResult::Answered));
        desk.ends(call);
    }
}

#[test]
fn ring_all_rings_everybody_and_the_first_has_the_call() {
    let mut desk = Desk::new(|q| q.strategy = Strategy::RingAll);
    desk.caller(1);
    assert_eq!(desk.offers(), [offer(1, "1"), offer(1, "2")]);
    desk.caller(2);
    assert!(desk.result(1, "2", OfferResult::Answered));
    assert!(!desk.result(1, "1", OfferResult::Answered), "the second answer comes too late");
    assert_eq!(desk.offers(), [offer(2, "1")], "who was withdrawn is free for the next caller");
}

#[test]
fn ring_all_also_rings_who_becomes_free_later() {
    let mut desk = Desk::new(|q| q.strategy = Strategy::RingAll);
    desk.ask("2", Ask::Pause("lunch".into()));
    desk.caller(1);
    desk.ask("2", Ask::Ready);
    assert_eq!(desk.offers(), [offer(1, "1"), offer(1, "2")]);
}

#[test]
fn a_caller_whose_agent_does_not_answer_is_next_and_the_phone_that_never_answers_is_paused() {
    let mut desk = Desk::new(|q| q.agents = vec!["1".into()]);
    desk.caller(1);
    desk.caller(2);
    assert_eq!(desk.offers(), [offer(1, "1")]);
    assert!(desk.result(1, "1", OfferResult::NoAnswer));
    assert_eq!(desk.offers(), [], "the phone gets a short rest");
    desk.wait(REST.as_secs());
    assert_eq!(desk.offers(), [offer(1, "1")], "the caller kept the place");
    assert!(desk.result(1, "1", OfferResult::NoAnswer));
    desk.wait(20);
    assert_eq!(desk.offers(), [], "paused after two misses");
    assert_eq!(desk.state("1"), AgentState::NotReady { reason: model::config::reason::MISSED.into() });
    desk.ask("1", Ask::Ready);
    assert_eq!(desk.offers(), [offer(1, "1")]);
}

#[test]
fn a_busy_phone_is_no_miss() {
    let mut desk = Desk::new(|q| q.agents = vec!["1".into()]);
    desk.caller(1);
    for _ in 0..5 {
        assert!(desk.result(1, "1", OfferResult::Busy));
        desk.wait(REST.as_secs());
    }
    assert_eq!(desk.state("1"), AgentState::Offered);
}

#[test]
fn wrap_up_keeps_callers_away_for_its_time() {
    let mut desk = Desk::new(|q| {
        q.wrap_up_s = 10;
        q.agents = vec!["1".into()];
    });
    desk.caller(1);
    desk.caller(2);
    assert!(desk.result(1, "1", OfferResult::Answered));
    desk.ends(1);
    desk.offers();
    desk.wait(9);
    assert_eq!((desk.offers(), desk.state("1")), (vec![], AgentState::WrapUp));
    desk.wait(1);
    assert_eq!(desk.offers(), [offer(2, "1")]);
}

#[test]
fn a_pause_asked_for_in_a_call_begins_after_it() {
    let mut desk = Desk::new(|q| q.wrap_up_s = 5);
    desk.caller(1);
    assert!(desk.result(1, "1", OfferResult::Answered));
    desk.ask("1", Ask::Pause("lunch".into()));
    assert_eq!(desk.state("1"), AgentState::Talking);
    desk.ends(1);
    assert_eq!(desk.state("1"), AgentState::WrapUp);
    desk.wait(5);
    assert_eq!(desk.state("1"), AgentState::NotReady { reason: "lunch".into() });
}

#[test]
fn an_agent_in_another_call_or_without_a_phone_is_not_offered() {
    let mut desk = Desk::new(|_| {});
    let (now, phone) = (desk.now, number("102"));
    desk.acd.phone(now, &phone, true, true, &mut desk.out);
    desk.acd.phone(now, &number("103"), false, false, &mut desk.out);
    desk.caller(1);
    assert_eq!(desk.offers(), []);
    desk.acd.phone(now, &phone, true, false, &mut desk.out);
    assert_eq!(desk.offers(), [offer(1, "1")], "offered the moment the other call ends");
}

#[test]
fn callers_overflow_by_length_by_time_and_when_nobody_is_at_work() {
    let mut desk = Desk::asleep(|q| {
        q.max_waiting = 2;
        q.max_wait_s = 30;
    });
    for call in 1..=3 {
        desk.caller(call);
    }
    assert_eq!(desk.overflows(), [(3, Why::Full)]);
    desk.wait(30);
    assert_eq!(desk.overflows(), [(1, Why::TooLong), (2, Why::TooLong)]);

    let mut desk = Desk::asleep(|q| q.overflow_when_empty = true);
    desk.caller(1);
    assert_eq!(desk.overflows(), [(1, Why::Empty)]);
    desk.ask("1", Ask::Login);
    desk.ask("1", Ask::Pause("lunch".into()));
    desk.caller(2);
    assert_eq!(desk.overflows(), [], "a paused agent is at work");
    desk.ask("1", Ask::Logout);
    assert_eq!(desk.overflows(), [(2, Why::Empty)], "the last one went home");
}

#[test]
fn a_caller_is_not_taken_from_a_ringing_phone_but_leaves_if_that_fails() {
    let mut desk = Desk::new(|q| q.max_wait_s = 10);
    desk.caller(1);
    desk.wait(11);
    assert_eq!(desk.overflows(), []);
    assert!(desk.result(1, "1", OfferResult::NoAnswer));
    assert_eq!(desk.overflows(), [(1, Why::TooLong)]);
}

#[test]
fn the_position_is_said_again_and_again_while_nobody_rings() {
    let mut desk = Desk::asleep(|q| {
        q.announce_position_s = 20;
        q.max_wait_s = 0;
    });
    desk.caller(1);
    desk.caller(2);
    desk.out.clear();
    desk.wait(40);
    let said: Vec<(u64, usize)> = desk
        .out
        .iter()
        .filter_map(|o| if let Out::Say { call, sounds } = o { Some((call.0, sounds.len())) } else { None })
        .collect();
    assert_eq!(said, [(1, 1), (2, 2), (1, 1), (2, 2)], "you are next; number two");
}

#[test]
fn an_offer_without_a_result_frees_the_agent_by_itself() {
    let mut desk = Desk::new(|q| q.agents = vec!["1".into()]);
    desk.caller(1);
    desk.wait(15 + GUARD.as_secs());
    assert!(desk.out.contains(&Out::Withdraw { call: CallId(1), agent: "1".into() }));
    assert_eq!(desk.state("1"), AgentState::Ready);
    assert!(!desk.result(1, "1", OfferResult::Answered), "its late answer is refused");
}

#[test]
fn star_codes_answer_with_what_they_did() {
    let mut desk = Desk::asleep(|_| {});
    let dial = |desk: &mut Desk, code: &Code| {
        let prompt = desk.acd.code(desk.now, &number("102"), code, &mut desk.out);
        desk.fine();
        prompt
    };
    let digits = |text| Code::WrapCode(number(text));
    let pause = Code::Pause(Digit::try_from('2').ok());
    assert_eq!(dial(&mut desk, &Code::Ready), "agent-not-logged-in");
    assert_eq!(dial(&mut desk, &Code::LoginOrOut), "agent-logged-in");
    assert_eq!(dial(&mut desk, &pause), "agent-paused");
    assert_eq!(desk.state("1"), AgentState::NotReady { reason: "lunch".into() });
    assert_eq!(dial(&mut desk, &Code::Ready), "agent-ready");
    assert_eq!(dial(&mut desk, &digits("12")), "agent-wrap-code-wrong", "no call yet");
    desk.caller(1);
    assert!(desk.result(1, "1", OfferResult::Answered));
    assert_eq!(dial(&mut desk, &Code::LoginOrOut), "agent-in-call");
    desk.ends(1);
    assert_eq!(dial(&mut desk, &digits("12")), "agent-wrap-code-saved");
    assert_eq!(dial(&mut desk, &digits("123")), "agent-wrap-code-wrong");
    assert_eq!(dial(&mut desk, &Code::LoginOrOut), "agent-logged-out");
    let nobody = desk.acd.code(desk.now, &number("101"), &Code::Ready, &mut desk.out);
    assert_eq!(nobody, "agent-unknown");
}

#[test]
fn a_removed_queue_sends_its_callers_on_and_a_removed_agent_finishes_the_call() {
    let mut desk = Desk::new(|_| {});
    for call in 1..=3 {
        desk.caller(call);
    }
    assert!(desk.result(1, "1", OfferResult::Answered));
    desk.out.clear();
    let mut config = desk.config.clone();
    config.queue.clear();
    config.agent.remove("1");
    desk.acd.configure(desk.now, &Arc::new(config), &mut desk.out);
    desk.fine();
    assert_eq!(desk.state("1"), AgentState::Talking);
    assert_eq!(desk.overflows(), [(2, Why::Removed), (3, Why::Removed)]);
    desk.ends(1);
    assert!(desk.acd.agents().get("1").is_none());
}

#[test]
fn agents_are_at_work_again_after_a_restart() {
    let mut config = site();
    config.agent.get_mut("1").expect("there").always_on = true;
    config.queue.get_mut("support").expect("there").wrap_up_s = 5;
    let spell = |agent: &str, state| AgentSpell {
        agent: agent.into(),
        state,
        since: Wall(5),
        cause: "before".into(),
        call: Some(CallId(9)),
    };
    let restart = |spells: &[AgentSpell]| {
        let mut out = Vec::new();
        let acd = Acd::new(
            Now::default(),
            &Arc::new(config.clone()),
            spells,
            Bonds::default(),
            &Past::default(),
            &mut out,
        );
        assert_eq!(acd.check(), Vec::<String>::new());
        ["1", "2"].map(|id| acd.agents().get(id).expect("known").state.clone())
    };
    let table = [
        (AgentState::LoggedOut, AgentState::LoggedOut),
        (AgentState::NotReady { reason: "lunch".into() }, AgentState::NotReady { reason: "lunch".into() }),
        (AgentState::Ready, AgentState::Ready),
        (AgentState::Offered, AgentState::Ready),
        (AgentState::Talking, AgentState::WrapUp),
        (AgentState::WrapUp, AgentState::WrapUp),
    ];
    for (before, after) in table {
        let [always_on, other] = restart(&[spell("2", before.clone())]);
        assert_eq!(other, after, "was {before:?}");
        assert_eq!(always_on, AgentState::Ready);
    }
}

/// E14: the code that an agent owes, and the place of a caller who rings again.
#[test]
fn a_compulsory_code_is_still_owed_after_a_restart_and_who_waited_has_the_old_place() {
    let mut config = site();
    let support = config.queue.get_mut("support").expect("there");
    (support.wrap_up_s, support.wrap_code_required, support.max_wait_s) = (5, true, 0);
    support.agents = vec!["2".into()];
    support.wrap_codes = vec![model::config::queue::WrapCode { code: "01".into(), name: "Order".into() }];
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
    let ago = |s: i64| Wall(now.wall.0 - s * 1000);
    let spell = AgentSpell {
        agent: "2".into(),
        state: AgentState::WrapUp,
        since: ago(3),
        cause: "call ended".into(),
        call: Some(CallId(9)),
    };
    let day = model::past::AgentDay {
        came: ago(600),
        calls: 4,
        talk_ms: 90_000,
        last_call: Some(CallId(9)),
        last_queue: Some("support".into()),
        ..model::past::AgentDay::default()
    };
    let waited = |number: &str, s| model::past::Waited {
        number: number.into(),
        queue: "support".into(),
        since: ago(s),
    };
    let past = Past {
        agents: BTreeMap::from([("2".to_owned(), day)]),
        waited: vec![waited("+49301", 300)],
        ..Past::default()
    };
    let mut out = Vec::new();
    let acd = Acd::new(now, &Arc::new(config.clone()), &[spell], Bonds::default(), &past, &mut out);
    let mut desk = Desk { acd, config, now, out };
    desk.acd.phone(desk.now, &number("103"), true, false, &mut desk.out);
    desk.wait(30);
    assert_eq!((desk.state("2"), desk.acd.agents().get("2").expect("there").calls), (AgentState::WrapUp, 4));
    let caller = |number: &str| Caller {
        party: model::record::Party { number: number.into(), name: String::new() },
        ..Caller::default()
    };
    desk.comes(20, "support", caller("+49302"));
    desk.comes(21, "support", caller("+49301"));
    desk.out.clear();
    desk.acd.wrap_code(desk.now, "2", "01", &mut desk.out).expect("the code is taken");
    assert_eq!(desk.offers(), [offer(21, "2")], "who waited before the restart comes first");
}

#[test]
fn a_long_queue_is_shown_at_most_four_times_a_second() {
    let mut desk = Desk::asleep(|q| q.max_waiting = 500);
    for call in 1..=300 {
        desk.caller(call);
    }
    let views = |out: &[Out]| {
        out.iter()
            .filter_map(|o| {
                if let Out::Notice(Notice::Queue(view)) = o { Some(view.waiting.len()) } else { None }
            })
            .collect::<Vec<_>>()
    };
    let at_once = views(&desk.out).len();
    assert!(at_once < 30, "{at_once} views in one moment");
    desk.out.clear();
    desk.wait(1);
    assert_eq!(views(&desk.out), [50], "the last state is told, then nothing");
}

/// E9: an eight-hour shift of calls, misses, pauses and wrap-up, from the records alone.
#[test]
fn the_spells_of_a_shift_have_no_gap_and_add_up_to_it() {
    const SHIFT_S: u64 = 8 * 3600;
    let mut desk = Desk::asleep(|q| {
        q.wrap_up_s = 7;
        q.agents = vec!["1".into()];
        q.pause_after_misses = 3;
    });
    desk.ask("1", Ask::Login);
    let begins = desk.now.wall;
    let ends = Wall(begins.0 + i64::try_from(SHIFT_S).expect("small") * 1_000);
    let mut call = 0;
    while desk.now.wall.0 + 600_000 < ends.0 {
        call += 1;
        desk.caller(call);
        desk.wait(1 + call % 9);
        let result = if call % 5 == 0 { OfferResult::NoAnswer } else { OfferResult::Answered };
        let stood = desk.result(call, "1", result);
        desk.wait(20 + call % 90);
        desk.ends(call);
        if call % 7 == 0 {
            desk.ask("1", Ask::Pause("break".into()));
            desk.wait(60);
        }
        if call % 7 == 0 || !stood {
            desk.ask("1", Ask::Ready);
        }
    }
    let left = u64::try_from(ends.0 - desk.now.wall.0).expect("before the end") / 1_000;
    desk.wait(left);
    desk.ask("1", Ask::Logout);
    let spells: Vec<(AgentState, i64)> = desk
        .out
        .iter()
        .filter_map(|o| {
            if let Out::Keep(Record::AgentState(s)) = o { Some((s.state.clone(), s.since.0)) } else { None }
        })
        .collect();
    assert!(spells.len() > 1_000, "{} spells", spells.len());
    assert_eq!((&spells[0].0, spells[0].1), (&AgentState::Ready, begins.0));
    assert_eq!(spells.last().map(|(state, at)| (state.clone(), *at)), Some((AgentState::LoggedOut, ends.0)));
    let worked: i64 = spells.windows(2).map(|two| two[1].1 - two[0].1).sum();
    assert_eq!(worked, ends.0 - begins.0);
    assert!(spells.windows(2).all(|two| two[0].1 <= two[1].1), "in order, so none overlaps");
    let talking = spells.iter().filter(|(state, _)| *state == AgentState::Talking).count();
    assert!(talking > 100, "{talking} calls");
}
