//! What would happen: "number X calls DID Y on 24 December at 18:05, and queue 2 has no agent". A fictional call through the
//! real engine and the real media core on virtual time, with a copy of the site: no phone rings, no service is asked,
//! nothing is kept. Where it ends: a person or a service has it, it is over, or a quarter of an hour has passed.
use crate::site;
use crate::ua::{Habit, State};
use crate::world::{CallRef, Place, World};
use model::application::Verb;
use model::ask::Answer;
use model::clock::Wall;
use model::command::Command;
use model::config::Config;
use model::config::flow::Step as FlowStep;
use model::config::trunk::TrunkKind;
use model::contact::Contact;
use model::media::Digit;
use model::sentence::Sentence;
use model::speech::Said;
use model::what_if::{Forecast, Question, Step};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Longest look ahead: beyond it a person asks another question.
const LONGEST: Duration = Duration::from_secs(900);
/// The world is looked at this often.
const LOOK: Duration = Duration::from_millis(100);
/// So long a caller says something to a menu.
const SENTENCE: Duration = Duration::from_millis(800);
/// A person takes a ringing phone after this.
const PICK_UP: Duration = Duration::from_secs(3);
/// A call that somebody, or a mailbox, has is looked at for this long: announcements of recording are over.
const TALK: Duration = Duration::from_secs(2);
/// Most agents signed in: a story of more takes longer than a person waits.
const AGENTS_MAX: usize = 200;
/// What an application says that is not there, or has said all that was stated.
const NOT_ASKED: &str = "an application is not asked in a trial";

/// Asks.
///
/// # Errors
/// What of the question makes no sense.
pub fn ask(
    config: &Config,
    contacts: Vec<Contact>,
    prompts: Arc<media::prompts::PromptSet>,
    question: &Question,
) -> Result<Forecast, Sentence> {
    let at = moment(config, &question.at)?;
    let verbs = stated(question)?;
    let config = Arc::new(fictional(config, question)?);
    let place = Place { at, prompts, strict: false };
    let mut world = World::at(1, config.clone(), place);
    world.know(contacts);
    populate(&mut world, &config, question);
    let call = world.call_in(&question.caller, &question.called);
    // Who calls a menu listens first; a recogniser would be asked about a caller who never stops.
    world.speaks(call, config.audio.recogniser.is_none());
    world.pbx.answer_all = question.answer.clone().map(Answer::Fields);
    world.pbx.application.says = verbs.into();
    world.pbx.application.last = Some(Answer::Failed(NOT_ASKED.to_owned()));
    Ok(watch(&mut world, &config, call, question))
}

/// What the application is said to say.
fn stated(question: &Question) -> Result<Vec<(Duration, Verb)>, Sentence> {
    let read = |(i, verb): (usize, &serde_json::Value)| {
        let wrong = |why| {
            Sentence::new(
                format!("verbs[{i}] is nothing that an application can say: {why}."),
                format!("verbs[{i}] 不是应用的回复：{why}。"),
            )
        };
        let verb = Verb::read(&verb.to_string()).map_err(wrong)?;
        Ok((Duration::ZERO, verb))
    };
    question.verbs.iter().enumerate().map(read).collect()
}

fn moment(config: &Config, text: &str) -> Result<Wall, Sentence> {
    let wrong = |_| {
        Sentence::new(
            format!("\"{text}\" is not a moment; write it like 2026-12-24T18:05."),
            format!("“{text}”不是有效的时刻；请按 2026-12-24T18:05 的格式填写。"),
        )
    };
    let local: jiff::civil::DateTime = text.parse().map_err(wrong)?;
    let zoned = local.in_tz(&config.system.time_zone).map_err(wrong)?;
    Ok(Wall(zoned.timestamp().as_millisecond()))
}

/// The copy: its trunk is the carrier of the simulated world, so that nothing of the site's secrets or names is needed.
fn fictional(config: &Config, question: &Question) -> Result<Config, Sentence> {
    let mut config = config.clone();
    let name = match &question.trunk {
        Some(name) => name.clone(),
        None => config.trunk.keys().next().cloned().ok_or_else(|| {
            Sentence::new(
                "There is no trunk: nobody can call from outside. Set one up first.",
                "没有中继：外部无法呼入。请先设置中继。",
            )
        })?,
    };
    let unknown = |kind: &str, zh: &str, name: &str| {
        Sentence::new(format!("There is no {kind} \"{name}\"."), format!("没有名为“{name}”的{zh}。"))
    };
    let mut trunk = config.trunk.remove(&name).ok_or_else(|| unknown("trunk", "中继", &name))?;
    trunk.kind = TrunkKind::Address;
    trunk.host = IpAddr::from(site::CARRIER).to_string();
    config.trunk = BTreeMap::from([(name.clone(), trunk)]);
    config.inbound.retain(|rule| rule.trunk.as_ref().is_none_or(|t| *t == name));
    for queue in &question.no_agents {
        let known = config.queue.get(queue);
        known.ok_or_else(|| unknown("queue", "队列", queue))?;
    }
    Ok(config)
}

fn populate(world: &mut World, config: &Config, question: &Question) {
    let off = |number: &str| question.off.iter().any(|n| n == number);
    let needed: Vec<&str> = config.extension.keys().map(model::number::Number::as_str).collect();
    let up: Vec<&str> = needed.iter().copied().filter(|n| !off(n)).collect();
    for number in &needed {
        let ignored = question.ignored.iter().any(|n| n == number);
        world.habit(number, if ignored { Habit::Ignore } else { Habit::Answer(PICK_UP) });
    }
    world.phones_up(&up);
    let staffed = config.queue.values().filter(|q| !question.no_agents.contains(&q.name));
    let mut agents: Vec<&String> = staffed.flat_map(|q| q.agents.iter()).collect();
    agents.sort();
    agents.dedup();
    for agent in agents.into_iter().take(AGENTS_MAX) {
        world.order(Command::AgentLogin { agent: agent.clone() });
    }
    world.run_for(LOOK);
}

/// Presses keys when the caller is asked, until the call has come to somebody.
fn watch(world: &mut World, config: &Config, call: CallRef, question: &Question) -> Forecast {
    let mut keys = question.keys.iter();
    let mut asked = 0;
    let end = world.now().mono + LONGEST;
    let mut talks = None;
    while world.now().mono < end && !matches!(world.call(call).state, State::Over(_)) {
        world.run_for(LOOK);
        let steps = steps(world);
        let asks = steps.iter().filter(|s| asks(config, s)).count();
        if asks > asked {
            asked = asks;
            if let Some(keys) = keys.next() {
                world.run_for(LOOK);
                enter(world, call, keys);
            }
        }
        if steps.iter().any(|s| s.kind == "answered" || s.kind == "voicemail") {
            let since = *talks.get_or_insert(world.now().mono);
            if world.now().mono.since(since) >= TALK {
                break;
            }
        }
    }
    forecast(world)
}

/// Presses keys, or says what is none: the recogniser of the copy understands it, as nobody can say whether the real one
/// would.
fn enter(world: &mut World, call: CallRef, entry: &str) {
    if entry.chars().all(|c| Digit::try_from(c).is_ok()) {
        return world.press(call, entry);
    }
    let said = Said { text: entry.to_owned(), intent: String::new(), certainty_permille: Some(1000) };
    world.pbx.recogniser.says.push_back((LOOK, said));
    world.speaks(call, true);
    world.run_for(SENTENCE);
    world.speaks(call, false);
}

/// Whether the caller is asked for keys by this step.
fn asks(config: &Config, step: &Step) -> bool {
    let waits = |s: &FlowStep| matches!(s, FlowStep::Collect { .. } | FlowStep::Survey { .. });
    step.kind == "menu"
        || (step.kind == "application" && step.detail == "gather")
        || (step.kind == "step"
            && config.flow.values().any(|flow| flow.step.get(&step.detail).is_some_and(waits)))
}

fn steps(world: &World) -> Vec<Step> {
    let all = world.pbx.watch.steps.values().next_back().into_iter().flatten();
    let step = |s: &model::record::CallStep| Step {
        offset_ms: s.offset_ms,
        kind: s.kind.clone(),
        detail: s.detail.clone(),
    };
    all.map(step).collect()
}

fn forecast(world: &World) -> Forecast {
    let steps = steps(world);
    if let Some(view) = world.pbx.watch.calls.values().next_back() {
        return Forecast { steps, end: view.stage.clone(), with: view.with.clone() };
    }
    let ended = world.pbx.watch.ended.values().next_back();
    let end = ended.map_or("refused".to_owned(), |r| format!("{:?}", r.outcome).to_lowercase());
    Forecast { steps, end, with: ended.map(|r| r.cause.clone()).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn site() -> Arc<Config> {
        site::site(|s| {
            s["flow"][0]["start"] = "hours".into();
            s["flow"][0]["step"]["hours"] =
                json!({ "kind": "hours", "schedule": "office", "open": "menu", "closed": "message" });
            s["queue"][0]["overflow_when_empty"] = true.into();
            s["inbound"] = json!([
                { "name": "vip", "number": "!", "class": "vip", "to": "extension:104" },
                { "name": "everything", "number": "!", "to": "flow:main" }
            ]);
        })
    }

    fn asked(question: Question) -> Forecast {
        ask(&site(), Vec::new(), crate::sound::prompts(), &question).expect("it makes sense")
    }

    fn question(at: &str, keys: &[&str]) -> Question {
        Question {
            caller: "+4930555".into(),
            called: "+49301000".into(),
            at: at.into(),
            keys: keys.iter().map(|k| (*k).to_owned()).collect(),
            ..Question::default()
        }
    }

    fn has(forecast: &Forecast, kind: &str, detail: &str) -> bool {
        forecast.steps.iter().any(|s| s.kind == kind && s.detail == detail)
    }

    #[test]
    fn on_a_working_day_one_leads_to_an_agent() {
        let told = asked(question("2026-12-23T10:00", &["1"]));
        assert!(has(&told, "hours", "office: open") && has(&told, "digit", "1"), "{told:#?}");
        assert!(has(&told, "queue", "support"), "{told:#?}");
        assert_eq!(told.end, "bridged", "{told:#?}");
    }

    #[test]
    fn a_caller_who_withholds_the_number_goes_the_same_way() {
        let told = asked(Question { caller: String::new(), ..question("2026-12-23T10:00", &["1"]) });
        assert_eq!(told.end, "bridged", "{told:#?}");
    }

    #[test]
    fn on_christmas_eve_in_the_evening_the_caller_leaves_a_message() {
        let told = asked(question("2026-12-24T18:05", &["1"]));
        assert!(has(&told, "hours", "office: closed") && has(&told, "voicemail", "103"), "{told:#?}");
    }

    #[test]
    fn without_an_agent_the_queue_overflows() {
        let nobody = Question { no_agents: vec!["support".into()], ..question("2026-12-23T10:00", &["1"]) };
        let told = asked(nobody);
        assert!(has(&told, "voicemail", "103"), "{told:#?}");
    }

    #[test]
    fn a_phone_that_is_off_or_ignored_is_seen() {
        let off = Question { off: vec!["104".into()], ..question("2026-12-23T10:00", &["2", "104"]) };
        assert!(has(&asked(off), "voicemail", "103"));
        let ignored = Question { ignored: vec!["104".into()], ..question("2026-12-23T10:00", &["2", "104"]) };
        assert!(has(&asked(ignored), "voicemail", "103"));
        assert_eq!(asked(question("2026-12-23T10:00", &["2", "104"])).with, "104");
    }

    #[test]
    fn an_application_is_not_asked_but_may_be_stated() {
        let site = site::site(|s| {
            s["flow"][0]["start"] = "bot".into();
            s["flow"][0]["step"]["bot"] =
                json!({ "kind": "application", "url": "ws://10.9.0.30/", "otherwise": "menu" });
        });
        let ask = |verbs: serde_json::Value| {
            let verbs = verbs.as_array().expect("a list").clone();
            let question = Question { verbs, ..question("2026-12-23T10:00", &["104", "1"]) };
            ask(&site, Vec::new(), crate::sound::prompts(), &question)
        };
        let alone = ask(json!([])).expect("it makes sense");
        assert!(has(&alone, "application", &format!("failed: {NOT_ASKED}")), "{alone:#?}");
        assert!(has(&alone, "menu", "menu"), "the flow goes on without it: {alone:#?}");
        let led = ask(json!([{ "verb": "gather", "max": 3 }, { "verb": "queue", "queue": "support" }]));
        let led = led.expect("it makes sense");
        assert!(has(&led, "application", "gathered 104") && has(&led, "queue", "support"), "{led:#?}");
        assert!(
            ask(json!([{ "verb": "sing" }]))
                .is_err_and(|why| why.en.contains("verbs[0]") && why.zh.contains("verbs[0]"))
        );
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let site = site();
        let ask = |q: Question| ask(&site, Vec::new(), crate::sound::prompts(), &q).unwrap_err();
        let why = ask(question("yesterday", &[]));
        assert!([why.en, why.zh].iter().all(|s| s.contains("yesterday") && s.contains("2026-12-24T18:05")));
        let day = question("2026-12-24T18:05", &[]);
        assert!(ask(Question { trunk: Some("x".into()), ..day.clone() }).en.contains("trunk \"x\""));
        assert!(ask(Question { no_agents: vec!["x".into()], ..day }).zh.contains("“x”的队列"));
    }

    #[test]
    fn the_same_question_has_the_same_answer() {
        let once = asked(question("2026-12-23T10:00", &["1"]));
        assert_eq!(asked(question("2026-12-23T10:00", &["1"])), once);
    }
}
