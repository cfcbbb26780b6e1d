//! A working day of eight hours: the state log of each agent has no gap and no overlap, sums to eight hours, and says what the
//! wall showed second by second and what the call records say.
use model::command::Command;
use model::record::AgentState;
use sim::{CallRef, Habit, World, site};
use std::collections::BTreeMap;
use std::time::Duration;

const DAY_S: u64 = 8 * 3600;
/// No new callers in the last minutes, so that everybody can go home in time.
const LAST_CALLERS_S: u64 = DAY_S - 900;
const AGENTS: [(&str, &str); 2] = [("1", "101"), ("2", "102")];
const CUSTOMERS: [&str; 3] = ["103", "104", "105"];

/// Seconds that the wall showed an agent in a state.
type Shown = BTreeMap<(&'static str, String), i64>;

#[test]
fn the_state_log_of_an_eight_hour_shift_has_no_gap_and_sums_to_eight_hours() {
    for seed in 0..sim::seeds().div_ceil(200) {
        let mut w = shop(seed);
        let began = w.now().wall;
        // All at one moment: who waits for the answer waits for the disk.
        for (agent, _) in AGENTS {
            w.order(Command::AgentLogin { agent: agent.to_owned() });
        }
        let shown = work(&mut w);
        for (agent, _) in AGENTS {
            w.order(Command::AgentLogout { agent: agent.to_owned() });
        }
        let day = w.now().wall.millis_since(began);
        w.rest();
        for (agent, _) in AGENTS {
            audit(&w, agent, day, &shown);
        }
        super::figures::compare(&w, began);
        super::figures::journeys_add_up(&w);
    }
}

fn shop(seed: u64) -> World {
    let site = site::site(|s| {
        s["queue"][0]["wrap_up_s"] = 15.into();
        s["queue"][0]["max_wait_s"] = 0.into();
        s["queue"][0]["pause_after_misses"] = 2.into();
    });
    let mut w = World::new(seed, site);
    w.phones_up(&["101", "102", "103", "104", "105"]);
    // Only signalling matters here: no speech is sent, and music is lost on the way.
    w.wire.rtp.loss = 1000;
    for phone in ["101", "102", "103", "104", "105"] {
        let ua = w.ua(phone);
        w.change(ua).mute = true;
    }
    w
}

/// Eight hours, second by second: customers call and hang up, agents answer, miss, pause and come back.
fn work(w: &mut World) -> Shown {
    let mut shown = Shown::new();
    let mut ends: BTreeMap<&str, (u64, CallRef)> = BTreeMap::new();
    for second in 0..DAY_S {
        for customer in CUSTOMERS {
            if let Some((_, call)) = ends.get(customer).copied().filter(|(end, _)| *end <= second) {
                w.hang_up(call);
                ends.remove(customer);
            } else if second < LAST_CALLERS_S && !ends.contains_key(customer) && w.dice.below(400) == 0 {
                ends.insert(customer, (second + 5 + w.dice.below(400), w.dial(customer, "600")));
            }
        }
        for (agent, phone) in AGENTS {
            behave(w, agent, phone);
        }
        w.pass(1);
        for (agent, _) in AGENTS {
            *shown.entry((agent, name(&w.pbx.watch.agents[agent].state))).or_default() += 1;
        }
    }
    shown
}

fn behave(w: &mut World, agent: &str, phone: &str) {
    match w.dice.below(600) {
        0 => w.habit(phone, Habit::Ignore),
        1..=5 => {
            let after = w.dice.between(Duration::ZERO, Duration::from_secs(8));
            w.habit(phone, Habit::Answer(after));
        }
        6 => {
            let reason = (*w.dice.pick(&["lunch", "training"])).to_owned();
            w.order(Command::AgentPause { agent: agent.to_owned(), reason });
        }
        7..=10 => {
            w.order(Command::AgentReady { agent: agent.to_owned() });
        }
        _ => {}
    }
}

fn audit(w: &World, agent: &'static str, day_ms: i64, shown: &Shown) {
    let log = w.pbx.watch.spells(agent);
    let begin = log.iter().position(|s| s.state != AgentState::LoggedOut).expect("somebody worked");
    let end = log.len() - 1;
    assert_eq!(log[end].state, AgentState::LoggedOut, "the day ends with the log-out");
    let mut lasted: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for pair in log[begin..].windows(2) {
        assert!(pair[1].since >= pair[0].since, "agent {agent}: {pair:?} overlap");
        assert_ne!(pair[0].state, AgentState::LoggedOut, "agent {agent} was away in between: {pair:?}");
        let (visits, ms) = lasted.entry(name(&pair[0].state)).or_default();
        *visits += 1;
        *ms += pair[1].since.millis_since(pair[0].since);
    }
    assert_eq!(lasted.values().map(|(_, ms)| ms).sum::<i64>(), day_ms, "agent {agent}: {lasted:?}");
    let eight_hours = i64::try_from(DAY_S * 1000).expect("small");
    assert!((day_ms - eight_hours).abs() < 1_000, "the shift was {day_ms} ms");
    for (state, (visits, ms)) in &lasted {
        let seen = shown.get(&(agent, state.clone())).copied().unwrap_or_default() * 1000;
        let most = visits * 1000;
        assert!(
            (seen - ms).abs() <= most,
            "agent {agent} {state}: log {ms} ms, wall {seen} ms, {visits} times"
        );
    }
    let calls = w.records().into_iter().filter(|r| r.agent.as_deref() == Some(agent)).collect::<Vec<_>>();
    let talked: i64 = calls.iter().map(|r| i64::try_from(r.talk_ms).expect("small")).sum();
    let logged = lasted.get("Talking").map_or(0, |(_, ms)| *ms);
    let slack = 5 * i64::try_from(calls.len()).expect("small");
    assert!((talked - logged).abs() <= slack, "agent {agent}: records {talked} ms, log {logged} ms");
    assert!(calls.len() > 20, "agent {agent} had a quiet day: {}", calls.len());
}

fn name(state: &AgentState) -> String {
    format!("{state:?}")
}
