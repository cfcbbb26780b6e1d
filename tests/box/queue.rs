//! What callers who wait notice, and who is offered what.
use model::ask::Answer;
use model::command::Command;
use model::record::{AgentState, Outcome};
use model::refusal::Refusal;
use serde_json::{Value, json};
use sim::{CallRef, Habit, Heard, World, each_seed, site};
use std::collections::BTreeMap;
use std::time::Duration;

fn with_queue(seed: u64, change: impl FnOnce(&mut Value)) -> World {
    let mut w = World::new(seed, site::site(|s| change(&mut s["queue"][0])));
    w.phones_up(&["101", "102", "103"]);
    w
}

/// Calls the queue from a phone outside.
fn waits(w: &mut World, number: &str) -> CallRef {
    let caller = w.call_in(number, "+49301000");
    w.until_hears(caller, "welcome");
    w.press(caller, "1");
    w.until("in the queue", 10, |w| {
        let led = |stage: &str| stage != "ivr" && stage != "routing";
        w.pbx.watch.calls.values().any(|c| c.caller.number == number && led(&c.stage))
    });
    caller
}

fn agent_of(w: &World, caller: &str) -> Option<String> {
    w.record_of(caller).agent
}

#[test]
fn the_longest_idle_agent_is_next() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |_| {});
        w.agents_at_work(&["102", "101"]);
        for (caller, agent) in [("+49301", "2"), ("+49302", "1"), ("+49303", "2")] {
            let call = waits(&mut w, caller);
            let phone = if agent == "1" { "101" } else { "102" };
            let talk = w.until_answers(phone);
            w.until_talk(call, talk);
            w.hang_up(call);
            w.until_over(talk);
            w.pass(1);
            assert_eq!(agent_of(&w, caller).as_deref(), Some(agent));
        }
        w.rest();
    });
}

/// E15.
#[test]
fn a_supervisor_puts_a_caller_to_another_place_and_it_is_written_down() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["max_wait_s"] = 0.into());
        w.agents_at_work(&["101"]);
        w.star("101", "*522", "agent-paused");
        let calls: Vec<CallRef> = ["+49301", "+49302", "+49303"].iter().map(|n| waits(&mut w, n)).collect();
        let third = w.pbx.watch.calls.values().find(|c| c.caller.number == "+49303").expect("it waits").call;
        let put = |place| Command::QueuePlace { call: third, place };
        assert_eq!(w.command(put(1)), Ok(()));
        assert!(w.pbx.watch.notes.iter().any(|(kind, queue)| kind == "queue_order" && queue == "support"));
        w.star("101", "*51", "agent-ready");
        for expected in [2, 0, 1] {
            let talk = w.until_answers("101");
            w.until_talk(calls[expected], talk);
            assert_eq!(w.command(put(1)), Err(Refusal::Unknown), "it waits no more");
            w.hang_up(calls[expected]);
            w.until_over(talk);
        }
        w.rest();
    });
}

/// E3.
#[test]
fn a_service_outside_names_the_agent_and_when_it_is_silent_the_queue_decides() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| {
            q["decide"] = json!({ "url": "http://crm.example.com/who?n={caller}", "timeout_ms": 300 });
        });
        w.agents_at_work(&["101", "102"]);
        let named = BTreeMap::from([("agent".to_owned(), "2".to_owned())]);
        w.pbx.answer_all = Some(Answer::Fields(named));
        let call = waits(&mut w, "+49301");
        let talk = w.until_answers("102");
        w.until_talk(call, talk);
        w.pbx.answer_all = None;
        let call = waits(&mut w, "+49302");
        let talk = w.until_answers("101");
        w.until_talk(call, talk);
        w.rest();
    });
}

#[test]
fn round_robin_goes_round_and_fewest_calls_evens_out() {
    each_seed(|seed| {
        let strategy = if seed % 2 == 0 { "round_robin" } else { "fewest_calls" };
        let mut w = with_queue(seed, |q| q["strategy"] = strategy.into());
        w.agents_at_work(&["101", "102"]);
        let mut took = Vec::new();
        for n in 0..4 {
            let caller = format!("+4930{n}");
            let call = waits(&mut w, &caller);
            w.until("answered", 20, |w| {
                w.call(call).ear.heard.iter().any(|(_, _, h)| matches!(h, Heard::Voice(_)))
            });
            w.hang_up(call);
            w.pass(1);
            took.extend(agent_of(&w, &caller));
        }
        assert_eq!(took, ["1", "2", "1", "2"], "{strategy}");
        w.rest();
    });
}

#[test]
fn ring_all_rings_all_and_the_first_to_answer_has_the_call() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["strategy"] = "ring_all".into());
        w.agents_at_work(&["101", "102"]);
        w.habit("101", Habit::Answer(Duration::from_secs(6)));
        w.habit("102", Habit::Answer(Duration::from_secs(3)));
        let call = waits(&mut w, "+4930555");
        let (loser, winner) = (w.until_rings("101"), w.until_answers("102"));
        w.until_talk(call, winner);
        w.until_over(loser);
        w.rest();
        assert_eq!(agent_of(&w, "+4930555").as_deref(), Some("2"));
    });
}

#[test]
fn ring_all_with_a_dead_heat_gives_the_call_to_one() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["strategy"] = "ring_all".into());
        w.agents_at_work(&["101", "102"]);
        let call = waits(&mut w, "+4930555");
        w.until("one talks", 20, |w| {
            w.call(call).ear.heard.iter().any(|(_, _, h)| matches!(h, Heard::Voice(_)))
        });
        w.pass(2);
        let talking = w.pbx.watch.agents.values().filter(|a| a.state == AgentState::Talking).count();
        assert_eq!(talking, 1);
        let up = ["101", "102"].map(|n| w.look(w.ua(n)).live().count());
        assert_eq!(up.iter().sum::<usize>(), 1, "the other phone is free again");
        w.rest();
    });
}

#[test]
fn an_agent_who_does_not_answer_costs_the_ring_time_and_not_the_place() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["agents"] = json!(["1"]));
        w.agents_at_work(&["101"]);
        w.habit("101", Habit::Ignore);
        let first = waits(&mut w, "+49301");
        w.until_rings("101");
        let second = waits(&mut w, "+49302");
        w.until("the phone stopped ringing", 15, |w| w.look(w.ua("101")).live().count() == 0);
        w.habit("101", Habit::Answer(Duration::from_secs(1)));
        let talk = w.until_answers("101");
        w.until_talk(first, talk);
        w.until_hears_now(second, &Heard::Music);
        w.rest();
    });
}

#[test]
fn a_phone_that_never_answers_is_paused_and_callers_go_on() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["pause_after_misses"] = 2.into());
        w.agents_at_work(&["101", "102"]);
        w.habit("101", Habit::Ignore);
        w.habit("102", Habit::Ignore);
        let call = waits(&mut w, "+49301");
        w.until("101 is paused", 60, |w| {
            w.pbx.watch.agents["1"].state == AgentState::NotReady { reason: "missed".into() }
        });
        w.habit("102", Habit::Answer(Duration::from_secs(1)));
        let talk = w.until_answers("102");
        w.until_talk(call, talk);
        w.rest();
    });
}

#[test]
fn nobody_is_offered_in_wrap_up_and_the_code_ends_it() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| {
            q["wrap_up_s"] = 30.into();
            q["agents"] = json!(["1"]);
        });
        w.agents_at_work(&["101"]);
        let first = waits(&mut w, "+49301");
        let talk = w.until_answers("101");
        w.until_talk(first, talk);
        let second = waits(&mut w, "+49302");
        w.hang_up(first);
        w.until_over(talk);
        w.pass(8);
        assert_eq!(w.look(w.ua("101")).live().count(), 0, "no call in wrap-up");
        w.star("101", "*53", "agent-wrap-up-done");
        let talk = w.until_answers("101");
        w.until_talk(second, talk);
        w.rest();
    });
}

#[test]
fn callers_overflow_by_length_by_time_and_when_nobody_is_at_work() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| {
            q["max_waiting"] = 1.into();
            q["max_wait_s"] = 12.into();
        });
        let first = waits(&mut w, "+49301");
        let second = w.dial("105", "600");
        assert_eq!(w.until_over(second), 401, "105 is not registered in this story");
        let second = w.call_in("+49302", "+49301000");
        w.until_hears(second, "welcome");
        w.press(second, "1");
        w.until_hears(second, "vm-leave-message");
        assert!(!w.call(first).ear.prompt("vm-leave-message"), "the first still waits");
        w.until_hears(first, "vm-leave-message");
        w.rest();

        let mut w = with_queue(seed, |q| q["overflow_when_empty"] = true.into());
        let caller = w.call_in("+49303", "+49301000");
        w.until_hears(caller, "welcome");
        w.press(caller, "1");
        w.until_hears(caller, "vm-leave-message");
        w.rest();
    });
}

#[test]
fn the_position_is_said_to_those_who_wait() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["announce_position_s"] = 10.into());
        let first = waits(&mut w, "+49301");
        let second = waits(&mut w, "+49302");
        w.until_hears(first, "queue-next");
        w.until_hears(second, "queue-position");
        w.until_hears(second, "num-2");
        w.until_hears_now(second, &Heard::Music);
        w.rest();
    });
}

#[test]
fn a_caller_who_hangs_up_while_the_phone_rings_frees_the_agent_at_once() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |_| {});
        w.agents_at_work(&["101"]);
        w.habit("101", Habit::Ignore);
        let caller = waits(&mut w, "+49301");
        let ringing = w.until_rings("101");
        w.hang_up(caller);
        w.until_over(ringing);
        w.until("the agent is free", 3, |w| w.pbx.watch.agents["1"].state == AgentState::Ready);
        w.rest();
        assert_eq!(w.record_of("+49301").outcome, Outcome::Abandoned);
        let queue = &w.pbx.watch.queues["support"];
        assert_eq!((queue.offered, queue.answered, queue.abandoned), (1, 0, 1));
    });
}

#[test]
fn an_agent_in_another_call_is_not_offered_and_then_at_once() {
    each_seed(|seed| {
        let mut w = with_queue(seed, |q| q["agents"] = json!(["1"]));
        w.agents_at_work(&["101"]);
        let own = w.dial("101", "103");
        let friend = w.until_answers("103");
        w.until_talk(own, friend);
        let caller = waits(&mut w, "+49301");
        w.pass(5);
        assert_eq!(w.look(w.ua("101")).live().count(), 1);
        w.hang_up(own);
        let before = w.now().mono;
        let talk = w.until_rings("101");
        assert!(w.now().mono.since(before) < Duration::from_millis(100), "offered in the step of freedom");
        w.answer(talk);
        w.until_talk(caller, talk);
        w.rest();
    });
}
