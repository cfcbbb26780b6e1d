//! What agents, people called and supervisors notice of campaigns.
use model::campaign::{CallResult, CampaignOrder, Ending, Step};
use model::command::Command;
use model::config::campaign::Form;
use model::record::AgentState;
use model::refusal::Refusal;
use serde_json::{Value, json};
use sim::{Habit, Heard, State, World, each_seed, site};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Stories of campaigns are long: twenty seeds show what two hundred would.
fn some_seeds(mut story: impl FnMut(u64)) {
    each_seed(|seed| {
        if seed < 20 || std::env::var_os("BELFRY_SEEDS").is_some() {
            story(seed);
        }
    });
}

const BERLIN: &str = "Europe/Berlin";

fn with_campaign(seed: u64, people: u32, change: impl FnOnce(&mut Value)) -> World {
    let config = site::site(|s| {
        s["queue"][0]["wrap_up_s"] = 5.into();
        s["campaign"] = json!([{ "name": "autumn", "queue": "support", "lists": ["people"], "form": "progressive",
            "caller_id": "+49301000", "ring_s": 20, "flow": "main" }]);
        change(s);
    });
    let mut w = World::new(seed, config);
    for n in 0..people {
        w.pbx.disk.lists.add("people", &format!("+49302{n:05}"), BERLIN);
    }
    w.phones_up(&["101", "102", "103"]);
    // Phones of a campaign take its calls by themselves.
    for phone in ["101", "102"] {
        w.habit(phone, Habit::Answer(Duration::from_millis(100)));
    }
    w
}

fn order(w: &mut World, order: CampaignOrder) {
    let reply = w.command(Command::Campaign { campaign: "autumn".into(), order });
    assert_eq!(reply, Ok(()));
}

fn endings(w: &World) -> Vec<Ending> {
    w.pbx.watch.attempts.iter().filter_map(|a| a.ending).collect()
}

fn somebody_talks(w: &World) -> bool {
    w.pbx.watch.agents.values().any(|a| a.state == AgentState::Talking)
}

fn held(w: &World) -> String {
    w.pbx.watch.campaigns["autumn"].held.clone()
}

fn hang_up_all(w: &mut World, phone: &str) {
    let ua = w.ua(phone);
    let legs: Vec<_> = w.look(ua).live().map(|(leg, _)| leg).collect();
    for leg in legs {
        w.hang_up(sim::CallRef { ua, leg });
    }
}

/// Nobody's phone rang twice; that nobody is tried twice at once, the watch sees to. What was written down and lost with
/// the power before it was on the disk had not been dialled.
fn nobody_twice(w: &World) {
    let mut called = BTreeSet::new();
    let carrier = w.look(w.ua("carrier"));
    for call in carrier.calls.values().filter(|call| call.incoming) {
        assert!(called.insert(call.dialled.clone()), "{} was called twice", call.dialled);
    }
    assert!(!called.is_empty(), "nobody was called");
}

#[test]
fn a_person_on_the_list_talks_to_the_agent_kept_free_and_the_result_is_kept() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 1, |_| {});
        w.agents_at_work(&["101"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(4)));
        order(&mut w, CampaignOrder::Start);
        let person = w.until_answers("carrier");
        let agent = w.until_answers("101");
        w.until_hears(agent, "campaign-call");
        w.until_talk(person, agent);
        let desk = w.pbx.watch.desks["1"].clone();
        assert_eq!((desk.stage.as_str(), desk.name.as_str()), ("talking", "Person 1"));
        w.hang_up(person);
        w.until_over(agent);
        w.pass(1);
        let call = desk.call.expect("a call");
        let said = CampaignOrder::Result {
            call,
            word: "done".into(),
            callback: None,
            own: false,
            note: "wants a catalogue".into(),
        };
        order(&mut w, said);
        w.pass(1);
        let attempt = w.pbx.watch.attempts.last().expect("an attempt").clone();
        assert_eq!(attempt.ending, Some(Ending::Connected));
        assert_eq!(attempt.agent.as_deref(), Some("1"));
        let waited = attempt.at_ms(Step::Connected).zip(attempt.at_ms(Step::Answered));
        assert!(waited.is_some_and(|(c, a)| c - a < 2000), "{attempt:?}");
        assert!(w.pbx.watch.desks.is_empty());
        order(&mut w, CampaignOrder::Pause);
        w.rest();
        nobody_twice(&w);
    });
}

#[test]
fn without_an_agent_in_time_the_person_hears_who_called_and_the_account_counts_it() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 1, |_| {});
        w.agents_at_work(&["101"]);
        w.habit("101", Habit::Ignore);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        let person = w.until_answers("carrier");
        w.until_hears(person, "campaign-identity");
        w.until_over(person);
        w.pass(2);
        assert_eq!(endings(&w), [Ending::Abandoned]);
        let attempt = &w.pbx.watch.attempts[0];
        let wait = attempt.at_ms(Step::Message).zip(attempt.at_ms(Step::Answered)).map(|(m, a)| m - a);
        assert!(wait.is_some_and(|ms| (1900..=2100).contains(&ms)), "{wait:?}");
        let board = &w.pbx.watch.campaigns["autumn"];
        assert_eq!((board.live_30, board.abandoned_30), (1, 1));
        w.rest();
    });
}

#[test]
fn one_campaign_goes_through_all_five_forms_and_calls_nobody_twice() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 600, |s| s["campaign"][0]["calls_per_second"] = 1.into());
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        let forms = [Form::Progressive, Form::Predictive, Form::Preview, Form::Manual, Form::Automatic];
        for form in forms.into_iter().cycle().take(10) {
            order(&mut w, CampaignOrder::Form { form });
            let before = w.pbx.watch.attempts.len();
            for _ in 0..20 {
                if form <= Form::Preview {
                    for agent in ["1", "2"] {
                        let take = CampaignOrder::Take { agent: agent.into() };
                        let _ = w.command(Command::Campaign { campaign: "autumn".into(), order: take });
                    }
                }
                w.pass(2);
                w.everybody_hangs_up();
            }
            assert!(w.pbx.watch.attempts.len() > before, "nobody was called in the form {form:?}");
        }
        order(&mut w, CampaignOrder::Pause);
        w.pass(30);
        w.everybody_hangs_up();
        nobody_twice(&w);
        let forms: BTreeSet<Form> = w.pbx.watch.attempts.iter().map(|a| a.form).collect();
        assert_eq!(forms.len(), 5);
        w.rest();
    });
}

#[test]
fn the_last_result_stands_on_the_board_though_nothing_runs_any_more() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 1, |_| {});
        w.agents_at_work(&["101"]);
        w.habit("carrier", Habit::Ignore);
        order(&mut w, CampaignOrder::Start);
        w.until("a line rings", 10, |w| w.look(w.ua("carrier")).live().next().is_some());
        order(&mut w, CampaignOrder::Pause);
        w.until("it rang in vain", 60, |w| !w.pbx.watch.attempts.is_empty());
        w.pass(2);
        assert_eq!(w.pbx.watch.campaigns["autumn"].results.get("no_answer"), Some(&1));
        w.rest();
    });
}

#[test]
fn a_cut_of_the_power_in_the_middle_calls_nobody_twice_and_loses_no_attempt() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 100, |_| {});
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(5)));
        order(&mut w, CampaignOrder::Start);
        for _ in 0..5 {
            let time = Duration::from_millis(500 + w.dice.below(9_000));
            w.run_for(time);
            w.power_cut(Duration::from_secs(3));
            w.phones_up(&["101", "102", "103"]);
            w.everybody_hangs_up();
        }
        w.pass(20);
        order(&mut w, CampaignOrder::Pause);
        w.pass(30);
        w.everybody_hangs_up();
        w.pass(10);
        assert!(w.pbx.watch.begun.len() > 2, "it goes on after the last cut");
        nobody_twice(&w);
    });
}

#[test]
fn after_a_cut_agents_choose_when_to_dial_until_all_was_well_for_a_while() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 60, |s| s["campaign"][0]["form"] = "predictive".into());
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        w.until("both agents talk", 120, |w| {
            ["1", "2"].iter().all(|a| w.pbx.watch.agents[*a].state == AgentState::Talking)
        });
        let begun = w.pbx.watch.begun.len();
        w.power_cut(Duration::from_secs(1));
        w.phones_up(&["101", "102", "103"]);
        w.everybody_hangs_up();
        w.pass(2);
        let board = &w.pbx.watch.campaigns["autumn"];
        assert_eq!((board.works_as, board.held.as_str()), (Form::Preview, "cut"));
        // Who talked has after-call work: five seconds.
        w.pass(5);
        let free = w.pbx.watch.agents.iter().filter(|(_, a)| a.state == AgentState::Ready).map(|(id, _)| id);
        let free: BTreeSet<&String> = free.collect();
        let shown = w.pbx.watch.desks.iter().filter(|(_, desk)| desk.stage == "preview").map(|(id, _)| id);
        assert!(!free.is_empty(), "{:?}", w.pbx.watch.agents);
        assert_eq!(shown.collect::<BTreeSet<&String>>(), free, "on every screen");
        assert_eq!(w.pbx.watch.begun.len(), begun, "nobody was dialled");
        w.until("the wanted form is back", 20, |w| {
            w.pbx.watch.campaigns["autumn"].works_as == Form::Predictive
        });
        w.until("it goes on", 30, |w| w.pbx.watch.begun.len() > begun);
        order(&mut w, CampaignOrder::Pause);
        w.pass(40);
        w.everybody_hangs_up();
        nobody_twice(&w);
    });
}

#[test]
fn a_lost_trunk_turns_every_screen_to_preview_within_three_seconds_and_back_when_it_is_well() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 50, |s| s["campaign"][0]["form"] = "predictive".into());
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        let person = w.until_answers("carrier");
        w.pass(1);
        w.habit("carrier", Habit::Off);
        w.until("the trunk is down", 200, |w| w.pbx.watch.trunks["carrier"].state == "down");
        w.pass(3);
        let board = &w.pbx.watch.campaigns["autumn"];
        assert_eq!((board.works_as, board.held.as_str()), (Form::Preview, "no_trunk"));
        assert!(w.look(person.ua).live().count() > 0, "who talks goes on talking");
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        w.until("the wanted form is back", 300, |w| {
            w.pbx.watch.campaigns["autumn"].works_as == Form::Predictive
        });
        order(&mut w, CampaignOrder::Pause);
        w.pass(40);
        w.everybody_hangs_up();
        w.rest();
    });
}

#[test]
fn results_of_the_network_have_their_names_and_their_next_try() {
    some_seeds(|seed| {
        let table = [
            (Habit::Busy, CallResult::Busy, Some(300)),
            (Habit::Decline(Duration::from_secs(1)), CallResult::Refused, None),
            (Habit::Refuse(404, None), CallResult::Invalid, None),
            // What the network says in its own word counts for more than the code a gateway made of it.
            (Habit::Refuse(480, Some(1)), CallResult::Invalid, None),
            (Habit::Refuse(480, Some(17)), CallResult::Busy, Some(300)),
            (Habit::Refuse(404, Some(34)), CallResult::Network, Some(900)),
        ];
        for (habit, result, seconds) in table {
            let mut w = with_campaign(seed, 1, |_| {});
            w.agents_at_work(&["101"]);
            w.habit("carrier", habit);
            order(&mut w, CampaignOrder::Start);
            w.until("an attempt is over", 60, |w| !w.pbx.watch.attempts.is_empty());
            let attempt = w.pbx.watch.attempts[0].clone();
            assert_eq!(attempt.result(), Some(result));
            let wait =
                attempt.again.zip(attempt.ended).map(|(again, ended)| again.millis_since(ended) / 1000);
            assert_eq!(wait, seconds, "{result:?}");
            order(&mut w, CampaignOrder::Pause);
            w.rest();
        }
    });
}

#[test]
fn a_promised_call_is_made_by_the_agent_who_promised_it_at_its_time() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 1, |_| {});
        w.agents_at_work(&["101", "102"]);
        let due = model::clock::Wall(w.now().wall.0 + 60_000);
        w.pbx.disk.lists.promise(model::id::EntryId(1), "2", due);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        w.pass(50);
        let person = w.until_answers("carrier");
        let late = w.now().wall.millis_since(due);
        assert!((0..30_000).contains(&late), "{late} ms after the time promised");
        let agent = w.until_answers("102");
        w.until_talk(person, agent);
        assert_eq!(w.pbx.watch.agents["2"].state, AgentState::Talking);
        w.hang_up(person);
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

#[test]
fn calls_outside_the_hours_of_the_party_are_never_made() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 0, |s| s["campaign"][0]["outside_calls"] = "international".into());
        w.pbx.disk.lists.add("people", "+12125551234", "America/New_York");
        w.agents_at_work(&["101"]);
        order(&mut w, CampaignOrder::Start);
        // It is ten in Berlin and four in New York.
        w.pass(120);
        assert!(w.pbx.watch.attempts.is_empty());
        assert!(w.pbx.watch.campaigns["autumn"].refused.contains_key("hours"));
        // A clock that is set forward by six hours makes it ten there too: Belfry believes its clock.
        w.set_clock(6 * 3_600_000);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        let person = w.until_answers("carrier");
        w.until_hears_now(person, &Heard::Voice(w.look(w.ua("101")).voice));
        w.hang_up(person);
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

#[test]
fn callers_who_wait_too_long_stop_the_campaign_within_a_second_until_they_are_served_well_again() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 60, |s| {
            s["queue"][0]["service_level_s"] = 5.into();
            s["inbound"][0]["to"] = "queue:support".into();
            s["campaign"][0]["protects"] = json!(["support"]);
        });
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        order(&mut w, CampaignOrder::Start);
        let both_talk =
            |w: &World| ["1", "2"].iter().all(|a| w.pbx.watch.agents[*a].state == AgentState::Talking);
        w.until("both agents talk", 60, both_talk);
        let caller = w.call_in("+49301111", "+49301000");
        w.pass(4);
        assert_ne!(held(&w), "inbound", "nobody has waited too long yet");
        w.pass(3);
        assert_eq!(held(&w), "inbound");
        let before = w.pbx.watch.begun.len();
        // The agents come free: for the caller, and for nobody on the list.
        for phone in ["101", "102"] {
            hang_up_all(&mut w, phone);
        }
        w.until("the caller is served", 30, somebody_talks);
        w.pass(20);
        assert_eq!((held(&w).as_str(), w.pbx.watch.begun.len()), ("inbound", before));
        w.hang_up(caller);
        // Served well again: eleven of twelve in time.
        for _ in 0..11 {
            w.pass(7);
            let caller = w.call_in("+49301111", "+49301000");
            w.until("the caller is served", 30, somebody_talks);
            w.hang_up(caller);
        }
        w.until("the campaign goes on", 30, |w| w.pbx.watch.begun.len() > before);
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

#[test]
fn a_number_on_the_lists_of_two_campaigns_is_not_called_more_often_than_the_law_allows() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 0, |s| {
            let mut second = s["campaign"][0].clone();
            second["name"] = "winter".into();
            second["lists"] = json!(["others"]);
            s["campaign"][0]["again"] = json!({ "busy": "1m" });
            second["again"] = json!({ "busy": "1m" });
            s["campaign"].as_array_mut().expect("campaigns").push(second);
        });
        for list in ["people", "others"] {
            w.pbx.disk.lists.add(list, "+4930200001", BERLIN);
        }
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Busy);
        for campaign in ["autumn", "winter"] {
            let order = CampaignOrder::Start;
            assert_eq!(w.command(Command::Campaign { campaign: campaign.into(), order }), Ok(()));
        }
        w.pass(1800);
        // Three a day, of all campaigns together.
        assert_eq!(w.pbx.watch.begun.len(), 3);
        let campaigns: BTreeSet<&str> = w.pbx.watch.begun.iter().map(|a| a.campaign.as_str()).collect();
        assert_eq!(campaigns.len(), 2, "both tried");
        for campaign in ["autumn", "winter"] {
            let order = CampaignOrder::Pause;
            assert_eq!(w.command(Command::Campaign { campaign: campaign.into(), order }), Ok(()));
        }
        w.rest();
    });
}

#[test]
fn an_agent_goes_in_and_out_of_the_campaigns_by_the_star_code() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 30, |_| {});
        w.agents_at_work(&["101"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        w.star("103", "*56", "agent-unknown");
        w.star("101", "*56", "campaign-left");
        order(&mut w, CampaignOrder::Start);
        w.pass(20);
        assert!(w.pbx.watch.begun.is_empty());
        assert_eq!(w.pbx.watch.campaigns["autumn"].left, ["1"]);
        w.power_cut(Duration::from_secs(3));
        w.phones_up(&["101", "102", "103"]);
        w.pass(20);
        assert_eq!(w.pbx.watch.campaigns["autumn"].left, ["1"], "who left stays out over a restart");
        assert!(w.pbx.watch.begun.is_empty());
        w.star("101", "*56", "campaign-joined");
        let person = w.until_answers("carrier");
        w.hang_up(person);
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

#[test]
fn a_hand_on_the_pace_acts_at_once_is_written_down_and_ends_by_itself() {
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 5, |s| s["campaign"][0]["form"] = "predictive".into());
        order(&mut w, CampaignOrder::Start);
        let factor =
            |percent, reason: &str| CampaignOrder::Coefficient { percent, for_s: 10, reason: reason.into() };
        for wrong in [factor(151, "hurry"), factor(49, "hurry"), factor(120, " ")] {
            let reply = w.command(Command::Campaign { campaign: "autumn".into(), order: wrong });
            assert_eq!(reply, Err(Refusal::Malformed));
        }
        order(&mut w, factor(120, "a good list"));
        w.pass(1);
        let board = &w.pbx.watch.campaigns["autumn"];
        let hand = board.steering.coefficient.as_ref().expect("in force");
        assert_eq!((hand.value, hand.reason.as_str(), hand.by.as_str()), (120, "a good list", "story"));
        assert!(
            board.changed.as_ref().is_some_and(|(_, who, what)| who == "story" && what.contains("120 %"))
        );
        w.pass(11);
        let board = &w.pbx.watch.campaigns["autumn"];
        assert!(board.steering.coefficient.is_none(), "its time is over");
        assert!(board.changed.as_ref().is_some_and(|(_, who, _)| who == "box"));
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

#[test]
fn the_plain_dialler_obeys_its_knobs_to_the_call() {
    some_seeds(|seed| {
        let knobs = [(200, 1, 30, 4), (200, 3, 3, 3), (150, 2, 30, 3), (100, 3, 30, 2)];
        let (multiple, per_agent, lines, most) = knobs[usize::try_from(seed % 4).expect("small")];
        let mut w = with_campaign(seed, 50, |s| {
            s["campaign"][0]["form"] = "predictive".into();
            s["campaign"][0]["lines_max"] = lines.into();
            s["campaign"][0]["plain"] =
                json!({ "multiple_percent": multiple, "queue_limit": 0, "per_agent": per_agent });
        });
        w.agents_at_work(&["101", "102"]);
        w.habit("carrier", Habit::Ignore);
        order(&mut w, CampaignOrder::Start);
        let ringing = |w: &World| w.look(w.ua("carrier")).live().filter(|(_, c)| c.incoming).count();
        w.until("the first line", 5, |w| ringing(w) > 0);
        for _ in 0..8 {
            w.run_for(Duration::from_millis(100));
            assert!(ringing(&w) <= 2 * per_agent, "{} in the first second", ringing(&w));
        }
        let mut seen = 0;
        for _ in 0..20 {
            w.pass(1);
            seen = seen.max(ringing(&w));
        }
        assert_eq!(seen, most, "lines at once");
        order(&mut w, CampaignOrder::Pause);
        w.rest();
    });
}

/// What the knobs of the plain dialler speak of, as anybody outside sees it.
#[derive(Clone, Copy)]
struct Seen {
    /// Agents who could take a call.
    free: usize,
    /// Lines that were dialled and not answered or refused yet.
    ringing: usize,
    /// Persons who answered and whom no agent has yet.
    waiting: usize,
    /// Lines dialled since the start.
    dialled: usize,
}

fn seen(w: &World) -> Seen {
    let carrier = w.look(w.ua("carrier"));
    let in_state = |state: AgentState| w.pbx.watch.agents.values().filter(|a| a.state == state).count();
    let live = |up: bool| {
        let of = move |c: &sim::ua::UaCall| c.incoming && (c.state == State::Up) == up;
        carrier.live().filter(|(_, c)| of(c)).count()
    };
    Seen {
        free: in_state(AgentState::Ready),
        ringing: live(false),
        waiting: live(true).saturating_sub(in_state(AgentState::Talking)),
        dialled: carrier.calls.values().filter(|c| c.incoming).count(),
    }
}

#[test]
fn the_plain_dialler_launches_nothing_while_more_wait_than_its_queue_limit_allows() {
    // Launches while one waits; moments at which two waited though an agent was free.
    let (mut launched_beside_one, mut stopped_by_two) = (0, 0);
    some_seeds(|seed| {
        let limit = usize::try_from(seed % 2).expect("small");
        let mut w = with_campaign(seed, 400, |s| {
            let agent = |n: u32| json!({ "id": n.to_string(), "name": format!("Agent {n}"), "extension": format!("10{n}") });
            s["agent"] = (1..=4).map(agent).collect::<Vec<_>>().into();
            s["queue"][0]["agents"] = json!(["1", "2", "3", "4"]);
            s["queue"][0]["wrap_up_s"] = 1.into();
            s["campaign"][0]["form"] = "predictive".into();
            s["campaign"][0]["plain"] =
                json!({ "multiple_percent": 100, "queue_limit": limit, "per_agent": 3 });
        });
        w.phones_up(&["101", "102", "103", "104"]);
        // Phones that ring a while: so long the person waits, beside agents who are free.
        for phone in ["101", "102", "103", "104"] {
            w.habit(phone, Habit::Answer(Duration::from_millis(1500)));
        }
        w.agents_at_work(&["101", "102", "103", "104"]);
        let carrier = w.ua("carrier");
        for n in 0..400 {
            let after = Duration::from_millis(1000 + w.dice.below(4000));
            let habits = [Habit::Answer(after), Habit::Answer(after), Habit::Busy];
            let habit = *w.dice.pick(&habits);
            w.change(carrier).habits.insert(format!("+49302{n:05}"), habit);
        }
        order(&mut w, CampaignOrder::Start);
        let (mut before, mut up): (Seen, BTreeMap<_, u32>) = (seen(&w), BTreeMap::new());
        for step in 0..3000 {
            w.run_for(Duration::from_millis(10));
            let now = seen(&w);
            let new = now.dialled - before.dialled;
            if new > 0 {
                // What the decision saw is what was so a hundredth of a second before or after it.
                let waiting = before.waiting.min(now.waiting);
                assert!(waiting <= limit, "{waiting} waited when {new} were dialled, limit {limit}");
                let free = before.free.max(now.free);
                assert!(before.ringing.min(now.ringing - new) + new <= free, "one line for each free agent");
                launched_beside_one += usize::from(before.waiting.min(now.waiting) == 1);
            }
            stopped_by_two += usize::from(now.waiting > limit && now.free > now.ringing);
            before = now;
            let answered = w.look(carrier).live().filter(|(_, c)| c.incoming && c.state == State::Up);
            let answered: Vec<_> = answered.map(|(leg, _)| leg).collect();
            for leg in answered {
                if step > *up.entry(leg).or_insert(step) + 600 {
                    w.hang_up(sim::CallRef { ua: carrier, leg });
                }
            }
        }
        order(&mut w, CampaignOrder::Pause);
        w.pass(30);
        w.everybody_hangs_up();
        w.rest();
    });
    assert!(launched_beside_one > 0, "with the limit 1 one may wait");
    assert!(stopped_by_two > 0, "nobody was ever waited for: the story shows nothing");
}

/// Noise in the rhythm of speech: words of 0.3 s, 0.1 s between them.
fn talk(seconds: usize) -> Vec<u8> {
    let mut noise = 1u32;
    (0..seconds * 8000)
        .map(|n| {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            // The six low bits of µ-law are the level within a segment: loud, of either sign.
            let loud = u8::try_from(noise & 0xBF).unwrap_or(0) & 0x9F | 0x10;
            if n % 3200 < 2400 { loud } else { 0xFF }
        })
        .collect()
}

#[test]
fn a_fax_and_a_machine_are_no_persons_and_the_agent_is_free_again() {
    let quiet = |ms: usize| vec![0xFF; ms * 8];
    let tone = |hz: u16, ms: usize| {
        let mut sound = Vec::new();
        media::tone::Tone::new(hz, 0).fill(ms * 8, &mut sound);
        sound
    };
    let fax = [quiet(600), tone(2100, 3000)].concat();
    let machine = [quiet(400), talk(4), quiet(500), tone(1000, 400), quiet(2000)].concat();
    for (sound, ending) in [(fax, Ending::Fax), (machine, Ending::Machine)] {
        some_seeds(|seed| {
            let mut w = with_campaign(seed, 1, |s| s["campaign"][0]["detect_machines"] = true.into());
            w.agents_at_work(&["101"]);
            w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
            w.answers_with("carrier", &sound);
            order(&mut w, CampaignOrder::Start);
            let nobody = w.until_answers("carrier");
            w.until_over(nobody);
            w.pass(20);
            assert_eq!(endings(&w), [ending]);
            assert!(!somebody_talks(&w), "the agent is free");
            let board = &w.pbx.watch.campaigns["autumn"];
            assert_eq!((board.live_30, board.abandoned_30), (0, 0), "nobody live, nobody abandoned");
            w.rest();
        });
    }
}

#[test]
fn a_machine_is_left_the_message_after_its_beep_and_the_agent_is_free_long_before() {
    const MESSAGE: u16 = 777;
    let tone = |hz: u16, ms: usize| {
        let mut sound = Vec::new();
        media::tone::Tone::new(hz, 0).fill(ms * 8, &mut sound);
        sound
    };
    let greeting = [vec![0xFF; 3200], talk(14), vec![0xFF; 4000]].concat();
    let beep_ms = greeting.len() / 8;
    let machine = [greeting, tone(1000, 400), vec![0xFF; 16_000]].concat();
    // A fifth of a second is no message: nobody may believe that one was left.
    for (frames, ending) in [(200, Ending::MessageLeft), (10, Ending::Machine)] {
        some_seeds(|seed| {
            let mut w = with_campaign(seed, 1, |s| {
                s["campaign"][0]["detect_machines"] = true.into();
                s["campaign"][0]["machines"] = json!({ "message": "prompts/message.wav" });
            });
            w.pbx.disk.put("prompts/message.wav", sim::sound::voice(MESSAGE).repeat(frames));
            w.agents_at_work(&["101"]);
            w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
            w.answers_with("carrier", &machine);
            order(&mut w, CampaignOrder::Start);
            let nobody = w.until_answers("carrier");
            let agent = w.until_answers("101");
            w.until_over(agent);
            assert!(w.look(nobody.ua).live().next().is_some(), "the machine is still there");
            assert!(w.pbx.watch.desks.is_empty(), "the desk is clear");
            let said = |w: &World| {
                let ear = &w.call(nobody).ear.heard;
                ear.iter().any(|(_, _, heard)| *heard == Heard::Voice(MESSAGE))
            };
            assert!(!said(&w), "not while the machine talks");
            w.until_over(nobody);
            w.pass(10);
            assert_eq!((said(&w), endings(&w)), (true, vec![ending]));
            assert!(!somebody_talks(&w), "the agent is free");
            let attempt = &w.pbx.watch.attempts[0];
            let heard = attempt.heard.as_ref().expect("what was heard is kept");
            assert!(heard.what == "machine" && heard.evidence.machine_permille >= 980, "{heard:?}");
            let left = attempt.at_ms(Step::Left).zip(attempt.at_ms(Step::Answered)).map(|(l, a)| l - a);
            let after_beep = u64::try_from(beep_ms).expect("short") + 400 + 4000;
            assert_eq!(left.is_some(), ending == Ending::MessageLeft);
            assert!(left.is_none_or(|ms| ms >= after_beep), "said to its end, after the beep: {left:?}");
            let board = &w.pbx.watch.campaigns["autumn"];
            assert_eq!((board.live_30, board.abandoned_30), (0, 0), "nobody live, nobody abandoned");
            w.rest();
        });
    }
}

#[test]
fn a_person_who_answers_a_campaign_that_listens_keeps_the_agent() {
    let hello = [vec![0xFF; 4000], talk(1)].concat();
    some_seeds(|seed| {
        let mut w = with_campaign(seed, 1, |s| s["campaign"][0]["detect_machines"] = true.into());
        w.agents_at_work(&["101"]);
        w.habit("carrier", Habit::Answer(Duration::from_secs(3)));
        w.answers_with("carrier", &hello);
        order(&mut w, CampaignOrder::Start);
        let person = w.until_answers("carrier");
        let agent = w.until_answers("101");
        w.pass(30);
        assert!(somebody_talks(&w), "still in conversation");
        w.hang_up(person);
        w.until_over(agent);
        w.pass(2);
        assert_eq!(endings(&w), [Ending::Connected]);
        let attempt = &w.pbx.watch.attempts[0];
        let wait = attempt.at_ms(Step::Connected).zip(attempt.at_ms(Step::Answered)).map(|(c, a)| c - a);
        assert!(wait.is_some_and(|ms| ms < 2000), "{wait:?}");
        w.rest();
    });
}
