//! Who is served first and by whom: priority and ageing, shares, skills that relax, agents a customer knows or is meant for.
use super::tests::{Desk, offer};
use super::*;
use crate::fixture::number;
use model::config::queue::{Designated, Prefer, SkillStep};
use model::number::Mask;

fn customer(digits: &str) -> Caller {
    Caller { outside: Some(number(digits)), ..Caller::default() }
}

fn vip(priority: u32) -> Caller {
    Caller { priority, ..Caller::default() }
}

/// Agent 1 alone at work, for queues `support` and `sales`.
fn two_queues(with: impl FnOnce(&mut Config)) -> Desk {
    let mut desk = Desk::at_site(|config| {
        let mut sales = config.queue["support"].clone();
        sales.name = "sales".into();
        sales.agents = vec!["1".into()];
        config.queue.insert("sales".into(), sales);
        let support = config.queue.get_mut("support").expect("there");
        support.agents = vec!["1".into()];
        for queue in config.queue.values_mut() {
            (queue.max_wait_s, queue.max_waiting) = (0, 1000);
        }
        with(config);
    });
    desk.ask("1", Ask::Login);
    desk.ask("1", Ask::Pause("later".into()));
    desk
}

#[test]
fn one_order_over_all_queues_with_a_head_start_for_priority() {
    let mut desk = two_queues(|_| {});
    desk.comes(1, "support", vip(0));
    desk.wait(50);
    desk.comes(2, "sales", vip(0));
    desk.comes(3, "sales", vip(1));
    desk.wait(11);
    desk.comes(4, "support", vip(1));
    desk.ask("1", Ask::Ready);
    let mut order = Vec::new();
    while let [call] = desk.serves("1")[..] {
        order.push(call);
    }
    // 3 has a head start of 60 s and came 50 s after 1; 4 came 61 s after 1, but before 2 by its head start.
    assert_eq!(order, [3, 1, 4, 2]);
}

#[test]
fn without_ageing_a_higher_priority_always_comes_first_and_queues_have_priority_too() {
    let mut desk = two_queues(|config| {
        config.distribution.ageing = false;
        config.queue.get_mut("sales").expect("there").priority = 2;
    });
    desk.comes(1, "support", vip(0));
    desk.wait(3000);
    desk.comes(2, "support", vip(1));
    desk.comes(3, "sales", vip(0));
    desk.ask("1", Ask::Ready);
    let mut order = Vec::new();
    while let [call] = desk.serves("1")[..] {
        order.push(call);
    }
    assert_eq!(order, [3, 2, 1]);
}

#[test]
fn who_is_sent_on_to_another_queue_keeps_the_place_in_time() {
    let mut desk = two_queues(|_| {});
    desk.comes(1, "support", Caller::default());
    desk.wait(5);
    desk.comes(2, "sales", Caller { waited: Duration::from_secs(30), ..Caller::default() });
    desk.ask("1", Ask::Ready);
    assert_eq!(desk.offers(), [offer(2, "1")]);
}

/// E12: three queues with shares, always callers in each.
#[test]
fn queues_with_shares_get_them() {
    let mut desk = two_queues(|config| {
        let mut third = config.queue["sales"].clone();
        third.name = "orders".into();
        config.queue.insert("orders".into(), third);
        for (name, share) in [("support", 50), ("sales", 30), ("orders", 20)] {
            config.queue.get_mut(name).expect("there").share = share;
        }
    });
    let names = ["support", "sales", "orders"];
    // The number of a call says its queue.
    let mut calls = 0;
    let mut come = |desk: &mut Desk, at: usize| {
        calls += 3;
        desk.comes(calls + at as u64, names[at], Caller::default());
    };
    for _ in 0..20 {
        (0..3).for_each(|at| come(&mut desk, at));
    }
    desk.ask("1", Ask::Ready);
    let mut served: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..1000 {
        let offered = desk.offers();
        let [(served_call, agent)] = &offered[..] else { panic!("{offered:?} in round {round}") };
        // Every seventh phone is not answered at first: that must not count.
        if round % 7 == 0 {
            assert!(desk.result(*served_call, agent, OfferResult::Busy));
            desk.out.clear();
            desk.wait(REST.as_secs());
            continue;
        }
        let at = usize::try_from(served_call % 3).expect("small");
        *served.entry(names[at]).or_default() += 1;
        assert!(desk.result(*served_call, "1", OfferResult::Answered));
        come(&mut desk, at);
        desk.out.clear();
        desk.ends(*served_call);
    }
    let all: u32 = served.values().sum();
    for (name, share) in [("support", 50), ("sales", 30), ("orders", 20)] {
        let part = f64::from(served[name]) * 100.0 / f64::from(all);
        assert!((part - f64::from(share)).abs() < 2.0, "{name} got {part} % of {all}");
    }
}

/// E4.
#[test]
fn a_call_that_needs_a_skill_relaxes_exactly_when_it_is_told_to() {
    let need =
        |level: u32| if level > 0 { BTreeMap::from([("zh".to_owned(), level)]) } else { BTreeMap::new() };
    let mut desk = Desk::at_site(|config| {
        config.agent.get_mut("1").expect("there").skill = need(5);
        let queue = config.queue.get_mut("support").expect("there");
        queue.max_wait_s = 0;
        queue.skill = [(0, 7), (30, 4), (60, 0)]
            .map(|(after_s, level)| SkillStep { after_s, need: need(level) })
            .into();
    });
    desk.ask("1", Ask::Login);
    desk.caller(1);
    desk.wait(29);
    assert_eq!(desk.offers(), [], "zh 5 is not enough for 7");
    desk.wait(1);
    assert_eq!(desk.offers(), [offer(1, "1")], "at 30 s it is");

    let mut desk = Desk::at_site(|config| *config = desk.config.clone());
    desk.ask("2", Ask::Login);
    desk.caller(1);
    desk.wait(59);
    assert_eq!(desk.offers(), [], "agent 2 speaks no Chinese");
    desk.wait(1);
    assert_eq!(desk.offers(), [offer(1, "2")]);
    desk.acd.abandon(desk.now, CallId(1), &mut desk.out);
    desk.ask("2", Ask::Pause("away".into()));
    desk.caller(2);
    desk.ask("1", Ask::Login);
    assert_eq!(desk.offers(), []);
    desk.wait(30);
    assert_eq!(desk.offers(), [offer(2, "1")]);
}

/// E3: served five times by 1 and last by 2.
#[test]
fn familiar_is_who_served_most_and_last_agent_who_served_last() {
    for (prefer, expected) in [(Prefer::Familiar, "1"), (Prefer::LastAgent, "2")] {
        let mut desk = Desk::new(|q| q.prefer = vec![prefer]);
        let mut call = 0;
        for agent in ["1", "1", "1", "1", "1", "2"] {
            call += 1;
            let other = if agent == "1" { "2" } else { "1" };
            desk.ask(other, Ask::Pause("away".into()));
            desk.comes(call, "support", customer("+49301"));
            desk.offers();
            assert!(desk.result(call, agent, OfferResult::Answered));
            desk.wait(5);
            desk.ends(call);
            desk.ask(other, Ask::Ready);
        }
        for _ in 0..2 {
            call += 1;
            desk.comes(call, "support", customer("+49301"));
            assert_eq!(desk.offers(), [offer(call, expected)], "{prefer:?}");
            desk.acd.abandon(desk.now, CallId(call), &mut desk.out);
            desk.offers();
        }
    }
}

#[test]
fn a_preferred_agent_who_talks_is_waited_for_as_long_as_the_queue_says() {
    let mut desk = Desk::new(|q| {
        (q.prefer, q.prefer_wait_s) = (vec![Prefer::LastAgent], 20);
    });
    desk.comes(1, "support", customer("+49301"));
    assert_eq!(desk.offers(), [offer(1, "1")]);
    assert!(desk.result(1, "1", OfferResult::Answered));
    desk.ends(1);
    desk.comes(2, "support", customer("+49309"));
    let [(_, busy)] = &desk.offers()[..] else { panic!("nobody") };
    assert_eq!(busy, "2");
    assert!(desk.result(2, "2", OfferResult::Answered));
    desk.comes(3, "support", customer("+49309"));
    desk.wait(19);
    assert_eq!(desk.offers(), [], "agent 1 is free, but the customer knows agent 2");
    desk.wait(1);
    assert_eq!(desk.offers(), [offer(3, "1")]);
    desk.acd.abandon(desk.now, CallId(3), &mut desk.out);
    desk.comes(4, "support", customer("+49309"));
    desk.offers();
    desk.ends(2);
    assert_eq!(desk.offers(), [offer(4, "2")]);
}

#[test]
fn designated_callers_go_to_their_agents_and_to_others_only_after_the_time() {
    let mask = |text| Mask::read(text).expect("a mask");
    let mut desk = Desk::new(|q| {
        q.max_wait_s = 0;
        q.designated = vec![
            Designated { caller: mask("+49301"), agents: vec!["2".into()], wait_s: 0 },
            Designated { caller: mask("+4930!"), agents: vec!["2".into()], wait_s: 10 },
        ];
    });
    desk.ask("2", Ask::Pause("away".into()));
    desk.comes(1, "support", customer("+49301"));
    desk.comes(2, "support", customer("+49302"));
    desk.wait(9);
    assert_eq!(desk.offers(), []);
    desk.wait(1);
    assert_eq!(desk.offers(), [offer(2, "1")], "the second may go to anybody now; the first never");
    desk.wait(300);
    desk.ask("2", Ask::Ready);
    assert!(desk.offers().contains(&offer(1, "2")));
}

/// E6, in the queues themselves: 30 lengths of one queue, 10 numbers of ready agents of the other.
#[test]
fn the_conditional_overflow_sends_exactly_the_calls_that_satisfy_it_when_they_come() {
    let rule = "queue(\"support\").waiting > 25 && queue(\"sales\").ready >= 4 -> queue(\"sales\")";
    for ready in 0..10_u32 {
        let mut desk = Desk::at_site(|config| {
            let (agent, phone) = (config.agent["1"].clone(), config.extension[&number("102")].clone());
            let mut sales = config.queue["support"].clone();
            (sales.name, sales.agents) = ("sales".into(), Vec::new());
            for n in 0..ready {
                let (mut agent, mut phone) = (agent.clone(), phone.clone());
                agent.id = format!("9{n}");
                phone.number = number(&format!("90{n}"));
                agent.extension = phone.number.clone();
                sales.agents.push(agent.id.clone());
                config.agent.insert(agent.id.clone(), agent);
                config.extension.insert(phone.number.clone(), phone);
            }
            config.queue.insert("sales".into(), sales);
            let support = config.queue.get_mut("support").expect("there");
            (support.max_wait_s, support.max_waiting) = (0, 1000);
            support.overflow_rule = vec![model::rule::line(rule).expect("reads")];
        });
        for n in 0..ready {
            desk.acd.phone(desk.now, &number(&format!("90{n}")), true, false, &mut desk.out);
            desk.ask(&format!("9{n}"), Ask::Login);
        }
        let mut waiting = 0;
        for call in 1..=30 {
            desk.caller(call);
            let gone = !desk.overflows().is_empty();
            assert_eq!(gone, waiting > 25 && ready >= 4, "{waiting} wait, {ready} are ready");
            waiting += u32::from(!gone);
        }
    }
}

#[test]
fn a_rule_about_waiting_sends_a_caller_on_while_they_wait_but_not_from_a_ringing_phone() {
    let mut desk = Desk::asleep(|q| {
        q.max_wait_s = 0;
        q.overflow_rule =
            vec![model::rule::line("waited >= 60 && class != \"vip\" -> hang_up").expect("reads")];
    });
    desk.comes(1, "support", Caller { class: "vip".into(), ..Caller::default() });
    desk.caller(2);
    desk.wait(58);
    assert_eq!(desk.overflows(), []);
    desk.wait(4);
    assert_eq!(desk.overflows(), [(2, Why::Rule)]);
    desk.wait(600);
    assert_eq!(desk.overflows(), [], "the VIP stays");
}

#[test]
fn the_class_of_a_contact_gives_priority() {
    let mut desk = two_queues(|config| config.distribution.class = BTreeMap::from([("vip".into(), 3)]));
    desk.caller(1);
    desk.wait(100);
    desk.comes(2, "support", Caller { class: "vip".into(), ..Caller::default() });
    desk.ask("1", Ask::Ready);
    assert_eq!(desk.offers(), [offer(2, "1")]);
}

/// E1: five thousand callers, three agents, most of the time a queue. What each would be told on arrival, and how long it was.
#[test]
fn four_of_five_waits_fall_into_the_interval_that_was_told() {
    const CALLS: u64 = 5000;
    let mut desk = Desk::at_site(|config| {
        let queue = config.queue.get_mut("support").expect("there");
        (queue.max_wait_s, queue.max_waiting) = (0, 1000);
        queue.agents = vec!["1".into(), "2".into()];
    });
    for agent in ["1", "2"] {
        desk.ask(agent, Ask::Login);
    }
    let mut dice = dice::Dice::new(5);
    let mut some = |mean_s: f64| {
        dice.turn();
        let part = (f64::from(u32::try_from(dice.value() >> 32).expect("32 bits")) + 1.0) / 4_294_967_297.0;
        Duration::from_secs_f64((-part.ln() * mean_s).max(0.001))
    };
    let mut next = desk.now.mono;
    let mut ends: BTreeMap<(Mono, u64), ()> = BTreeMap::new();
    let mut told: BTreeMap<u64, (Mono, forecast::Wait)> = BTreeMap::new();
    let (mut call, mut within, mut asked) = (0, 0_u32, 0_u32);
    while call < CALLS {
        let end = ends.first_key_value().map(|((at, call), ())| (*at, *call));
        match end.filter(|(at, _)| *at <= next) {
            Some((at, ended)) => {
                ends.pop_first();
                desk.now.mono = at;
                desk.acd.call_ended(desk.now, CallId(ended), &mut desk.out);
            }
            None => {
                desk.now.mono = next;
                next = next + some(32.0);
                call += 1;
                let line = desk.acd.lines.get("support").map_or(0, Line::len);
                let rules = desk.config.queue["support"].clone();
                if let Some(wait) = desk.acd.outlook(&rules, line + 1).filter(|_| line > 0) {
                    told.insert(call, (desk.now.mono, wait));
                }
                let caller = Caller::default();
                desk.acd.enqueue(desk.now, CallId(call), "support", caller, &mut desk.out).expect("taken in");
            }
        }
        for (offered, agent) in desk.offers() {
            let stands = desk.acd.offer_result(
                desk.now,
                CallId(offered),
                &agent,
                OfferResult::Answered,
                &mut desk.out,
            );
            assert!(stands);
            ends.insert((desk.now.mono + some(60.0), offered), ());
            if let Some((since, wait)) = told.remove(&offered) {
                let waited = desk.now.mono.since(since);
                asked += 1;
                within += u32::from((wait.from..=wait.to).contains(&waited));
            }
        }
    }
    assert!(asked > 3000, "only {asked} were told");
    let part = f64::from(within) * 100.0 / f64::from(asked);
    assert!((75.0..=90.0).contains(&part), "{part:.1} % of {asked} waits fell into their interval");
}
