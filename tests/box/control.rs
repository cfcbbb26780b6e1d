//! Conversations that are steered: hold and mute from the desk, transfers, conferences, supervisors. Whoever should hear
//! whom does, the customer's call stays one call with one record, and nothing is left over.
use model::command::{Command, Reply};
use model::id::CallId;
use model::number::Number;
use model::record::AgentState;
use model::refusal::Refusal;
use model::steer::{Steer, Supervision};
use sim::{CallRef, Habit, Heard, State, World, each_seed, site};
use std::time::Duration;

/// Twenty seeds, unless the environment asks for others.
fn some_seeds(story: impl Fn(u64)) {
    match std::env::var("BELFRY_SEEDS").or(std::env::var("BELFRY_SEED")) {
        Ok(_) => each_seed(story),
        Err(_) => (0..20).for_each(story),
    }
}

fn number(text: &str) -> Number {
    Number::read(text).expect("a number")
}

fn world(seed: u64) -> World {
    let mut w = World::new(seed, site::site(|_| {}));
    w.phones_up(&["101", "102", "103", "104", "105"]);
    for phone in ["103", "104", "105"] {
        w.habit(phone, Habit::Answer(Duration::from_millis(300)));
    }
    w
}

/// A customer whom agent 101 took from the queue.
fn served(w: &mut World) -> (CallRef, CallRef, CallId) {
    w.agents_at_work(&["101"]);
    let caller = w.call_in("+4930555", "+49301000");
    w.until_hears(caller, "menu-main");
    w.press(caller, "1");
    let agent = w.until_answers("101");
    w.until_talk(caller, agent);
    (caller, agent, call_of(w))
}

fn call_of(w: &World) -> CallId {
    *w.pbx.watch.calls.keys().next().expect("one call")
}

fn steer(w: &mut World, call: CallId, steer: Steer) -> Reply {
    w.command(Command::Steer { call, party: None, steer })
}

fn done(w: &mut World, call: CallId, act: Steer) {
    assert_eq!(steer(w, call, act.clone()), Ok(()), "{act:?}");
}

/// `speaker` alone speaks; these hear it and those do not.
fn heard_by(w: &mut World, speaker: CallRef, these: &[CallRef], those: &[CallRef]) {
    let voice = Heard::Voice(w.look(speaker.ua).voice);
    let all: Vec<CallRef> = these.iter().chain(those).copied().collect();
    for other in &all {
        w.speaks(*other, false);
    }
    w.speaks(speaker, true);
    for ear in these {
        w.until_hears_now(*ear, &voice);
    }
    w.pass(1);
    let before: Vec<Duration> = those.iter().map(|e| w.call(*e).ear.long(&voice)).collect();
    w.pass(1);
    for (ear, before) in those.iter().zip(before) {
        assert_eq!(w.call(*ear).ear.long(&voice), before, "{ear:?} hears {voice:?}");
    }
    for ear in these {
        assert_eq!(w.call(*ear).ear.now(w.now().mono), Some(&voice), "{ear:?}");
    }
    for other in &all {
        w.speaks(*other, true);
    }
}

fn agent_state(w: &World, agent: &str) -> AgentState {
    w.pbx.watch.agents[agent].state.clone()
}

#[test]
fn held_from_the_desk_the_caller_hears_music_and_the_agent_nothing() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Hold);
        done(&mut w, call, Steer::Hold);
        w.until_hears_now(caller, &Heard::Music);
        w.until_hears_now(agent, &Heard::Silence);
        assert_eq!(w.pbx.watch.calls[&call].stage, "held");
        done(&mut w, call, Steer::Resume);
        w.until_talk(caller, agent);
        w.rest();
        let steps = w.pbx.watch.journey(call);
        assert_eq!(steps.iter().filter(|s| *s == "held").count(), 1, "asked twice, held once");
    });
}

#[test]
fn a_muted_agent_is_not_heard_until_unmuted() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Mute);
        w.until_hears_now(caller, &Heard::Silence);
        assert_eq!(w.pbx.watch.calls[&call].muted, ["101"]);
        heard_by(&mut w, caller, &[agent], &[]);
        heard_by(&mut w, agent, &[], &[caller]);
        done(&mut w, call, Steer::Unmute);
        w.until_talk(caller, agent);
        w.rest();
    });
}

#[test]
fn a_blind_transfer_frees_the_agent_and_stays_one_call() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Transfer { to: Some(number("103")) });
        w.until_over(agent);
        let third = w.until_answers("103");
        w.until_talk(caller, third);
        assert_eq!(agent_state(&w, "1"), AgentState::Ready);
        w.rest();
        let record = w.record_of("+4930555");
        assert_eq!((record.agent.as_deref(), record.answered_by.as_deref()), (Some("1"), Some("103")));
    });
}

#[test]
fn what_nobody_takes_comes_back_to_whoever_handed_it_over() {
    some_seeds(|seed| {
        let site = site::site(|s| {
            s["extension"][3].as_object_mut().expect("a table").remove("voicemail");
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "104"]);
        let (caller, agent, call) = served(&mut w);
        let habits = [Habit::Busy, Habit::Decline(Duration::from_secs(1)), Habit::Ignore];
        w.habit("104", habits[usize::try_from(seed % 3).expect("small")]);
        done(&mut w, call, Steer::Transfer { to: Some(number("104")) });
        w.until_over(agent);
        let again = w.until_answers("101");
        w.until_talk(caller, again);
        assert!(w.pbx.watch.journey(call).contains(&"given_back".to_owned()));
        w.rest();
        assert_eq!(w.record_of("+4930555").answered_by.as_deref(), Some("101"));
    });
}

#[test]
fn a_colleague_is_asked_first_and_then_gets_the_caller_or_not() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Consult { to: number("103") });
        w.until_hears_now(caller, &Heard::Music);
        let third = w.until_answers("103");
        w.until_talk(agent, third);
        w.until_hears_now(caller, &Heard::Music);
        assert_eq!(w.pbx.watch.calls[&call].stage, "consulting");
        match seed % 4 {
            0 => {
                done(&mut w, call, Steer::Back);
                w.until_over(third);
                w.until_talk(caller, agent);
            }
            1 => {
                w.hang_up(third);
                w.until_talk(caller, agent);
            }
            how => {
                if how == 2 {
                    done(&mut w, call, Steer::Transfer { to: None });
                    w.until_over(agent);
                } else {
                    w.hang_up(agent);
                }
                w.until_talk(caller, third);
                assert_eq!(agent_state(&w, "1"), AgentState::Ready);
            }
        }
        w.rest();
        assert_eq!(w.records().len(), 2, "the log-in and the customer's call");
    });
}

#[test]
fn a_caller_who_goes_while_a_colleague_is_asked_does_not_cut_those_two_off() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Consult { to: number("103") });
        let third = w.until_answers("103");
        w.until_talk(agent, third);
        w.hang_up(caller);
        w.pass(2);
        w.until_talk(agent, third);
        assert_eq!(agent_state(&w, "1"), AgentState::Talking);
        w.hang_up(if seed % 2 == 0 { agent } else { third });
        w.until_over(if seed % 2 == 0 { third } else { agent });
        w.until("the agent is free", 10, |w| agent_state(w, "1") == AgentState::Ready);
        w.rest();
    });
}

#[test]
fn whoever_asks_and_hangs_up_while_it_rings_has_handed_over() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        w.habit("103", Habit::Ignore);
        done(&mut w, call, Steer::Consult { to: number("103") });
        let third = w.until_rings("103");
        w.hang_up(agent);
        w.pass(1);
        w.answer(third);
        w.until_talk(caller, third);
        w.rest();
    });
}

#[test]
fn three_confer_and_two_go_on_when_one_leaves() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        let third = if seed % 2 == 0 {
            done(&mut w, call, Steer::Consult { to: number("103") });
            let third = w.until_answers("103");
            w.until_talk(agent, third);
            done(&mut w, call, Steer::Conference { to: None });
            third
        } else {
            done(&mut w, call, Steer::Conference { to: Some(number("103")) });
            w.until_answers("103")
        };
        heard_by(&mut w, caller, &[agent, third], &[]);
        heard_by(&mut w, agent, &[caller, third], &[]);
        heard_by(&mut w, third, &[caller, agent], &[]);
        assert_eq!(w.pbx.watch.calls[&call].stage, "conference");
        let (leaves, one, two) = match seed % 3 {
            0 => (caller, agent, third),
            1 => (agent, caller, third),
            _ => (third, caller, agent),
        };
        w.hang_up(leaves);
        w.until_talk(one, two);
        w.pass(2);
        assert_eq!((&w.call(one).state, &w.call(two).state), (&State::Up, &State::Up));
        w.rest();
    });
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_takes_over() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        let at = number("105");
        let how = |how| Steer::Supervise { at: number("105"), how };
        done(&mut w, call, how(Supervision::Listen));
        let lead = w.until_answers("105");
        heard_by(&mut w, caller, &[agent, lead], &[]);
        heard_by(&mut w, agent, &[caller, lead], &[]);
        heard_by(&mut w, lead, &[], &[caller, agent]);
        if seed % 2 == 0 {
            done(&mut w, call, how(Supervision::Whisper));
        } else {
            w.press(lead, "2");
            w.pass(1);
        }
        heard_by(&mut w, lead, &[agent], &[caller]);
        heard_by(&mut w, caller, &[agent, lead], &[]);
        heard_by(&mut w, agent, &[caller, lead], &[]);
        done(&mut w, call, how(Supervision::Barge));
        heard_by(&mut w, lead, &[caller, agent], &[]);
        if seed % 3 == 0 {
            done(&mut w, call, Steer::Leave { at });
            w.until_over(lead);
            w.until_talk(caller, agent);
        } else {
            done(&mut w, call, how(Supervision::TakeOver));
            w.until_over(agent);
            w.until_talk(caller, lead);
            assert_eq!(agent_state(&w, "1"), AgentState::Ready);
        }
        let logged = w.pbx.watch.notes.iter().filter(|(kind, _)| kind == "supervision").count();
        assert!(logged >= 4, "each act stands in the event log: {logged}");
        w.rest();
    });
}

#[test]
fn a_supervisor_listens_by_star_code_with_the_own_pin() {
    some_seeds(|seed| {
        let site = site::site(|s| s["extension"][4]["supervisor"] = true.into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "104", "105"]);
        let (caller, agent, call) = served(&mut w);
        let curious = w.dial("104", "*60101");
        assert_eq!(w.until_over(curious), 403, "104 has no right");
        let lead = w.dial("105", "*60101");
        w.until_hears(lead, "vm-enter-pin");
        w.press(lead, "111111#");
        w.until_hears(lead, "vm-pin-wrong");
        w.press(lead, "246810#");
        heard_by(&mut w, caller, &[agent, lead], &[]);
        heard_by(&mut w, lead, &[], &[caller, agent]);
        w.press(lead, "2");
        w.pass(1);
        heard_by(&mut w, lead, &[agent], &[caller]);
        w.hang_up(lead);
        w.until_talk(caller, agent);
        let logged = w.pbx.watch.notes.iter().filter(|(kind, _)| kind == "supervision").count();
        assert_eq!(logged, 2, "listen and whisper");
        assert!(w.pbx.watch.journey(call).contains(&"supervised".to_owned()));
        let nobody = w.dial("105", "*60103");
        w.until_hears(nobody, "vm-enter-pin");
        w.press(nobody, "246810#");
        w.until_hears(nobody, "not-available");
        w.until_over(nobody);
        w.rest();
    });
}

#[test]
fn a_transfer_gives_no_right_that_its_maker_lacks() {
    some_seeds(|seed| {
        let mut w = World::new(seed, site::site(|s| s["extension"][0]["outside_calls"] = "internal".into()));
        w.phones_up(&["101", "102"]);
        let (caller, agent, call) = served(&mut w);
        let outside = number("0301234567");
        let acts = [
            Steer::Transfer { to: Some(outside.clone()) },
            Steer::Consult { to: outside.clone() },
            Steer::Conference { to: Some(outside) },
        ];
        for act in acts {
            assert_eq!(steer(&mut w, call, act), Err(Refusal::Forbidden));
        }
        for special in ["*97", "*50", "112", "*43"] {
            let act = Steer::Transfer { to: Some(number(special)) };
            assert_eq!(steer(&mut w, call, act), Err(Refusal::Forbidden), "{special}");
        }
        let unknown = Steer::Transfer { to: Some(number("199")) };
        assert_eq!(steer(&mut w, call, unknown), Err(Refusal::Unknown));
        let other = Command::Steer { call, party: Some(number("102")), steer: Steer::Hold };
        assert_eq!(w.command(other), Err(Refusal::Forbidden), "no party of this call");
        w.until_talk(caller, agent);
        let carried = w.look(w.ua("carrier")).calls.values().filter(|c| c.incoming).count();
        assert_eq!(carried, 0, "nothing was dialled outside");
        w.rest();
    });
}

#[test]
fn an_outside_number_is_asked_and_gets_the_caller() {
    some_seeds(|seed| {
        let mut w = World::new(seed, site::site(|s| s["extension"][0]["outside_calls"] = "national".into()));
        w.phones_up(&["101"]);
        let (caller, agent, call) = served(&mut w);
        done(&mut w, call, Steer::Consult { to: number("0301234567") });
        let third = w.until_answers("carrier");
        w.until_hears_now(agent, &Heard::Voice(w.look(third.ua).voice));
        w.until_hears_now(caller, &Heard::Music);
        done(&mut w, call, Steer::Transfer { to: None });
        w.until_over(agent);
        w.until_hears_now(caller, &Heard::Voice(w.look(third.ua).voice));
        w.rest();
    });
}

/// People press whatever they like at any moment; the facts hold all the while and nothing is left at the end.
#[test]
fn whatever_is_pressed_in_whatever_order_nothing_is_left_over() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let (caller, agent, call) = served(&mut w);
        for _ in 0..25 {
            let thirds = ["103", "104", "102"];
            let third = number(w.dice.pick::<&str>(&thirds));
            let lead = number("105");
            let hows = [Supervision::Listen, Supervision::Whisper, Supervision::Barge, Supervision::TakeOver];
            let act = match w.dice.below(14) {
                0 => Steer::Hold,
                1 => Steer::Resume,
                2 => Steer::Mute,
                3 => Steer::Unmute,
                4 | 5 => Steer::Consult { to: third },
                6 => Steer::Back,
                7 => Steer::Transfer { to: None },
                8 => Steer::Transfer { to: Some(third) },
                9 => Steer::Conference { to: None },
                10 => Steer::Conference { to: Some(third) },
                11 => Steer::Leave { at: lead },
                _ => Steer::Supervise { at: lead, how: *w.dice.pick(&hows) },
            };
            let _ = steer(&mut w, call, act);
            let wait = w.dice.below(900);
            w.run_for(Duration::from_millis(wait));
            if w.dice.below(40) == 0 {
                w.hang_up(agent);
            }
        }
        w.hang_up(caller);
        w.rest();
        assert!(w.pbx.watch.ended.contains_key(&call));
    });
}

#[test]
fn a_phone_hands_over_by_its_own_key_blind_or_after_asking() {
    some_seeds(|seed| {
        let mut w = world(seed);
        let phone = w.ua("101");
        w.change(phone).lines = 2;
        let (caller, agent, call) = served(&mut w);
        let third = if seed % 2 == 0 {
            w.transfer(agent, "103");
            w.until_answers("103")
        } else {
            w.hold(agent, true);
            w.until_hears_now(caller, &Heard::Music);
            let asking = w.dial("101", "103");
            let third = w.until_answers("103");
            w.until_talk(asking, third);
            w.transfer_to(agent, asking);
            w.until_over(asking);
            third
        };
        w.until_over(agent);
        w.until_talk(caller, third);
        assert_eq!(agent_state(&w, "1"), AgentState::Ready);
        assert!(w.pbx.watch.journey(call).contains(&"transferred".to_owned()));
        w.rest();
        assert_eq!(w.record_of("+4930555").answered_by.as_deref(), Some("103"));
    });
}

#[test]
fn a_phone_cannot_refer_where_it_may_not_call_nor_take_anothers_call() {
    some_seeds(|seed| {
        let mut w = World::new(seed, site::site(|s| s["extension"][0]["outside_calls"] = "internal".into()));
        w.phones_up(&["101", "102", "103", "104"]);
        let (caller, agent, _) = served(&mut w);
        let others = w.dial("103", "104");
        let theirs = w.until_answers("104");
        w.until_talk(others, theirs);
        w.transfer(agent, "0301234567");
        w.pass(1);
        // The name of a call of other people, as an eavesdropper would know it.
        let stolen = w.name_of(others);
        w.refer(agent, &stolen);
        w.pass(1);
        w.until_talk(caller, agent);
        w.until_talk(others, theirs);
        w.rest();
    });
}
