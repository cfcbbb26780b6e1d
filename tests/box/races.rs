//! E10 with the whole box: callers, agents and phones act at random and at the same moment; nobody ever has two calls, no agent
//! is left in an offer, every call has one record.
use model::command::Command;
use sim::{CallRef, Habit, World, site};
use std::time::Duration;

/// Offers in all: the promise of the issue. Fewer with fewer seeds than 200.
fn offers_wanted() -> u64 {
    10_000 * sim::seeds().min(200) / 200
}

fn act(w: &mut World, callers: &mut Vec<CallRef>, turn: u64) {
    let second = |w: &mut World, to: u64| w.dice.between(Duration::ZERO, Duration::from_secs(to));
    match w.dice.below(12) {
        0..=3 if callers.len() < 8 => callers.push(w.dial("105", "600")),
        0..=4 => {
            if !callers.is_empty() {
                let place = usize::try_from(w.dice.below(callers.len() as u64)).expect("small");
                let call = callers.swap_remove(place);
                w.hang_up(call);
            }
        }
        5 => {
            let phone = *w.dice.pick(&["101", "102"]);
            let habit = match w.dice.below(5) {
                0 => Habit::Busy,
                1 => Habit::Decline(second(w, 2)),
                2 => Habit::Ignore,
                _ => Habit::Answer(second(w, 3)),
            };
            w.habit(phone, habit);
        }
        6 | 7 => {
            let phone = *w.dice.pick(&["101", "102"]);
            let ua = w.ua(phone);
            let live: Vec<CallRef> = w.look(ua).live().map(|(leg, _)| CallRef { ua, leg }).collect();
            for call in live {
                w.hang_up(call);
            }
        }
        8 => {
            let agent = (*w.dice.pick(&["1", "2"])).to_owned();
            let command = match w.dice.below(4) {
                0 => Command::AgentPause { agent, reason: "race".into() },
                1 => Command::AgentLogout { agent },
                2 => Command::AgentLogin { agent },
                _ => Command::AgentReady { agent },
            };
            w.order(command);
        }
        9 => {
            let (from, to) = *w.dice.pick(&[("101", "102"), ("102", "101"), ("101", "103")]);
            let call = w.dial(from, to);
            if turn.is_multiple_of(2) {
                let wait = second(w, 3);
                w.run_for(wait);
                w.hang_up(call);
            }
        }
        _ => {
            for agent in ["1", "2"] {
                let agent = agent.to_owned();
                w.order(Command::AgentReady { agent });
            }
        }
    }
}

#[test]
fn ten_thousand_offers_under_random_races() {
    let mut offers = 0;
    for seed in 0.. {
        let mut w = World::new(
            seed,
            site::site(|s| {
                s["queue"][0]["strategy"] = (*["longest_idle", "ring_all", "round_robin", "fewest_calls"]
                    .get(usize::try_from(seed % 4).expect("small"))
                    .expect("four"))
                .into();
                s["queue"][0]["ring_timeout_s"] = 5.into();
                s["queue"][0]["pause_after_misses"] = 0.into();
            }),
        );
        w.phones_up(&["101", "102", "103", "105"]);
        // Only signalling matters here: no speech is sent, and music is lost on the way.
        w.wire.rtp.loss = 1000;
        for phone in ["101", "102", "103", "105"] {
            let ua = w.ua(phone);
            w.change(ua).mute = true;
        }
        let caller = w.ua("105");
        w.change(caller).lines = 20;
        for agent in ["1", "2"] {
            assert_eq!(w.command(Command::AgentLogin { agent: agent.to_owned() }), Ok(()));
        }
        let mut callers = Vec::new();
        for turn in 0..400 {
            act(&mut w, &mut callers, turn);
            let wait = w.dice.between(Duration::ZERO, Duration::from_millis(1_500));
            w.run_for(wait);
        }
        w.rest();
        offers += w.pbx.watch.offers;
        if offers >= offers_wanted() {
            break;
        }
    }
    assert!(offers >= offers_wanted());
}
