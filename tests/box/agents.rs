//! What agents do with their desk phone, and what it gives back.
use model::command::Command;
use model::record::AgentState;
use model::refusal::Refusal;
use sim::{Habit, World, each_seed, site};
use std::time::Duration;

fn world(seed: u64) -> World {
    let mut w = World::new(seed, site::site(|_| {}));
    w.phones_up(&["101", "102"]);
    w
}

fn state(w: &World, agent: &str) -> AgentState {
    w.pbx.watch.agents[agent].state.clone()
}

#[test]
fn a_whole_shift_is_worked_by_star_codes() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.star("101", "*51", "agent-not-logged-in");
        w.star("101", "*50", "agent-logged-in");
        assert_eq!(state(&w, "1"), AgentState::Ready);
        w.star("101", "*522", "agent-paused");
        assert_eq!(state(&w, "1"), AgentState::NotReady { reason: "lunch".into() });
        w.star("101", "*51", "agent-ready");
        let caller = w.dial("102", "600");
        let talk = w.until_answers("101");
        w.until_talk(caller, talk);
        w.hang_up(caller);
        w.until_over(talk);
        w.star("101", "*5417", "agent-wrap-code-saved");
        w.star("101", "*50", "agent-logged-out");
        assert_eq!(state(&w, "1"), AgentState::LoggedOut);
        w.rest();
    });
}

#[test]
fn a_phone_without_an_agent_is_told_so() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.phones_up(&["104"]);
        w.star("104", "*50", "agent-unknown");
        w.rest();
    });
}

#[test]
fn the_web_changes_states_too_and_cannot_log_out_who_talks() {
    each_seed(|seed| {
        let mut w = world(seed);
        let agent = || "1".to_owned();
        assert_eq!(w.command(Command::AgentLogin { agent: agent() }), Ok(()));
        assert_eq!(w.command(Command::AgentLogin { agent: "9".into() }), Err(Refusal::Unknown));
        let caller = w.dial("102", "600");
        let talk = w.until_answers("101");
        w.until_talk(caller, talk);
        assert_eq!(w.command(Command::AgentLogout { agent: agent() }), Err(Refusal::Conflict));
        let reason = || "training".to_owned();
        assert_eq!(w.command(Command::AgentPause { agent: agent(), reason: reason() }), Ok(()));
        assert_eq!(state(&w, "1"), AgentState::Talking, "not before the call is over");
        w.hang_up(caller);
        w.until_over(talk);
        w.until("paused", 5, |w| state(w, "1") == AgentState::NotReady { reason: reason() });
        assert_eq!(w.command(Command::AgentLogout { agent: agent() }), Ok(()));
        w.rest();
    });
}

#[test]
fn an_agent_whose_phone_is_gone_is_not_offered_until_it_is_back() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.agents_at_work(&["101"]);
        w.habit("101", Habit::Off);
        w.until("its registration ran out", 200, |w| !w.pbx.watch.agents["1"].reachable);
        let caller = w.dial("102", "600");
        w.pass(10);
        assert_eq!(state(&w, "1"), AgentState::Ready);
        w.habit("101", Habit::Answer(Duration::from_secs(1)));
        let now = w.now().mono;
        let ua = w.ua("101");
        w.change(ua).register_again(now);
        let talk = w.until_answers("101");
        w.until_talk(caller, talk);
        w.rest();
    });
}
