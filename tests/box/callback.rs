//! Callers who would rather be called back than wait: what they hear, when they are called, and who finds whom.
use model::record::{AgentState, Outcome};
use serde_json::{Value, json};
use sim::{CallRef, Habit, Heard, World, each_seed, site};
use std::collections::BTreeMap;
use std::time::Duration;

fn world(seed: u64, change: impl FnOnce(&mut Value)) -> World {
    let site = site::site(|s| {
        s["queue"][0]["callback"] = json!({ "after_s": 5, "retry_s": 60 });
        s["queue"][0]["max_wait_s"] = 0.into();
        s["queue"][0]["agents"] = json!(["1"]);
        s["inbound"][0]["to"] = "queue:support".into();
        change(s);
    });
    let mut w = World::new(seed, site);
    w.phones_up(&["101", "102"]);
    w.agents_at_work(&["101"]);
    w.star("101", "*522", "agent-paused");
    w
}

/// Calls, hears that it may be called back, asks for it and hears the promise.
fn asks(w: &mut World, number: &str) {
    let call = w.call_in(number, "+49301000");
    w.until_hears(call, "queue-callback");
    w.press(call, "1");
    w.until_hears(call, "queue-callback-promised");
    w.until_over(call);
    w.pass(1);
}

fn agent_is_ready(w: &mut World) {
    w.star("101", "*51", "agent-ready");
}

/// The customer's phone of a callback that rings and is picked up.
fn picks_up(w: &mut World, number: &str) -> CallRef {
    let customer = w.until_answers("carrier");
    assert_eq!(w.call(customer).dialled, number);
    w.until_hears(customer, "callback-confirm");
    customer
}

/// The agent's phone is answered, the customer picks up and says that a person is there; the agent's call.
fn they_talk(w: &mut World, phone: &str) -> CallRef {
    let agent = w.until_answers(phone);
    let customer = picks_up(w, "+49302001");
    w.press(customer, "1");
    w.until_talk(customer, agent);
    agent
}

/// E8.
#[test]
fn who_asks_for_it_hangs_up_and_is_called_by_an_agent_in_their_turn() {
    each_seed(|seed| {
        let mut w = world(seed, |_| {});
        asks(&mut w, "+49302001");
        let waits = w.call_in("+49302002", "+49301000");
        w.pass(8);
        agent_is_ready(&mut w);
        let agent = w.until_answers("101");
        assert_eq!(w.call(agent).number, "+49302001", "the agent's phone shows the customer");
        w.until_hears(agent, "agent-callback");
        let customer = picks_up(&mut w, "+49302001");
        assert_eq!(w.pbx.watch.agents["1"].state, AgentState::Talking);
        w.press(customer, "1");
        w.until_talk(customer, agent);
        w.hang_up(customer);
        w.until_over(agent);
        let next = w.until_answers("101");
        w.until_talk(waits, next);
        w.rest();
        let asked = w.record_of("+49302001");
        assert_eq!((asked.outcome, asked.cause.as_str()), (Outcome::Answered, "will be called back"));
        let called = w.records().into_iter().find(|r| r.called.number == "+49302001").expect("a record");
        assert_eq!((called.queue.as_deref(), called.agent.as_deref()), (Some("support"), Some("1")));
        assert_eq!(called.outcome, Outcome::Answered);
    });
}

/// E8: voicemail on callback is told from a person.
#[test]
fn a_machine_presses_nothing_and_the_customer_is_called_again_later() {
    each_seed(|seed| {
        let mut w = world(seed, |_| {});
        asks(&mut w, "+49302001");
        agent_is_ready(&mut w);
        let agent = w.until_answers("101");
        let machine = picks_up(&mut w, "+49302001");
        w.until_hears(agent, "agent-callback-nobody");
        w.until_over(machine);
        w.until_over(agent);
        w.until("the agent is free", 5, |w| w.pbx.watch.agents["1"].state == AgentState::Ready);
        w.pass(40);
        assert_eq!(w.look(w.ua("carrier")).live().count(), 0, "not at once again");
        they_talk(&mut w, "101");
        w.rest();
    });
}

#[test]
fn an_agent_who_does_not_take_it_costs_the_customer_nothing() {
    each_seed(|seed| {
        let mut w = world(seed, |s| s["queue"][0]["agents"] = json!(["1", "2"]));
        asks(&mut w, "+49302001");
        w.habit("101", Habit::Ignore);
        agent_is_ready(&mut w);
        w.until_rings("101");
        w.until("101 has rung for its time", 20, |w| w.look(w.ua("101")).live().count() == 0);
        assert_eq!(w.look(w.ua("carrier")).live().count(), 0, "nobody calls before an agent is there");
        w.star("102", "*50", "agent-logged-in");
        they_talk(&mut w, "102");
        w.rest();
    });
}

#[test]
fn a_promise_is_kept_over_a_power_cut() {
    each_seed(|seed| {
        let mut w = world(seed, |_| {});
        asks(&mut w, "+49302001");
        w.power_cut(Duration::from_secs(20));
        w.pass(5);
        w.phones_up(&["101"]);
        let before = w.call_in("+49302002", "+49301000");
        w.pass(3);
        agent_is_ready(&mut w);
        let agent = they_talk(&mut w, "101");
        w.hang_up(agent);
        let next = w.until_answers("101");
        w.until_talk(before, next);
        w.rest();
    });
}

#[test]
fn a_flow_may_ask_for_it_and_a_withheld_number_goes_another_way() {
    each_seed(|seed| {
        let mut w = world(seed, |s| {
            s["inbound"][0]["to"] = "flow:main".into();
            s["flow"][0]["start"] = "back".into();
            s["flow"][0]["step"] = json!({
                "back": { "kind": "callback", "queue": "support", "next": "bye", "otherwise": "queue" },
                "bye": { "kind": "hang_up", "say": ["goodbye"] },
                "queue": { "kind": "queue", "queue": "support" },
            });
        });
        let withheld = w.call_in("anonymous", "+49301000");
        w.until_hears_now(withheld, &Heard::Music);
        w.hang_up(withheld);
        let call = w.call_in("+49302001", "+49301000");
        w.until_hears(call, "goodbye");
        w.until_over(call);
        agent_is_ready(&mut w);
        they_talk(&mut w, "101");
        w.rest();
    });
}

/// E8 in the whole box: `BELFRY_CALLERS=200` by hand, 30 with each build.
#[test]
fn live_and_callback_callers_are_served_in_the_order_of_arrival_with_one_attempt_at_a_time() {
    let callers: u64 = std::env::var("BELFRY_CALLERS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let mut w = world(8, |s| {
        s["queue"][0]["max_waiting"] = 1000.into();
        s["trunk"][0]["capacity"] = 1000.into();
        s["system"]["call_limit"] = 1000.into();
    });
    let number = |n: u64| format!("+493020{n:03}");
    let mut live = BTreeMap::new();
    for n in 0..callers {
        if w.dice.below(2) == 0 {
            asks(&mut w, &number(n));
        } else {
            live.insert(w.call_in(&number(n), "+49301000"), number(n));
            w.pass(1);
        }
    }
    agent_is_ready(&mut w);
    let carrier = w.ua("carrier");
    let mut order: Vec<String> = Vec::new();
    while (order.len() as u64) < callers {
        w.pass(1);
        let calls: Vec<CallRef> =
            w.look(carrier).live().map(|(leg, _)| CallRef { ua: carrier, leg }).collect();
        let attempts = calls.iter().filter(|c| w.call(**c).incoming).count();
        assert!(attempts <= 1, "one agent, one attempt");
        for call in calls {
            let at = w.call(call);
            if at.ear.heard.iter().any(|(_, _, h)| matches!(h, Heard::Voice(_))) {
                order.push(live.get(&call).unwrap_or(&at.dialled).clone());
                w.hang_up(call);
            } else if at.incoming && at.ear.prompt("callback-confirm") {
                w.press(call, "1");
            }
        }
    }
    let arrived: Vec<String> = (0..callers).map(number).collect();
    assert_eq!(order, arrived);
    w.rest();
}
