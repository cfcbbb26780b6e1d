//! A site that is changed while it works: fifty calls stand while somebody saves a hundred changes a minute for ten minutes.
//! Each change goes the way of a page: checked, stored by the real store as a generation, then put in force. No call, no
//! registration, no lamp and no agent notices, and whatever is taken back is back to the letter.
use model::clock::Wall;
use model::command::Command;
use model::config::text;
use model::id::{CallId, Generation};
use model::record::AgentState;
use serde_json::{Value, json};
use sim::dice::Dice;
use sim::{CallRef, Heard, State, World, site};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::{Options, Store};

const MINUTES: u64 = 10;
const EDITS_A_MINUTE: u64 = 100;
/// Calls from phone to phone.
const PAIRS: u32 = 15;
/// Callers from outside who talk to an agent.
const SERVED: u32 = 15;
/// Callers who wait.
const WAITING: u32 = 20;
const NUMBER: &str = "+49301000";

#[test]
fn fifty_calls_do_not_notice_a_hundred_changes_a_minute_and_each_change_can_be_taken_back() {
    for seed in 0..sim::seeds().div_ceil(200) {
        let folder = super::in_memory();
        let options =
            Options { dir: folder.path().into(), beat: Arc::default(), on_stored: Box::new(|_| {}) };
        let (store, _) = Store::open(options).expect("an empty folder");
        let first = store.commit("story", tree(), None, "").expect("the site of the story is right");
        let mut w = World::new(seed, first.config);
        let office = Office::open(&mut w);
        let mut dice = Dice::new(seed);
        for minute in 0..MINUTES {
            let before = current(&store);
            let mut saved = 0;
            while saved < EDITS_A_MINUTE {
                saved += save(&mut w, &store, &mut dice);
            }
            if minute % 3 == 2 {
                take_back(&mut w, &store, &before);
            }
            office.works(&mut w);
        }
        assert!(current(&store).0.0 > MINUTES * EDITS_A_MINUTE, "each change is a generation");
        let messages = office.lamps(&mut w);
        w.rest();
        let calls = usize::try_from(PAIRS + SERVED + WAITING).expect("small");
        assert_eq!(w.records().len(), calls + messages, "one record a call");
    }
}

fn tree() -> Value {
    let mut s = site::tree();
    let phone = |n: u32| {
        json!({ "number": n.to_string(), "name": format!("Phone {n}"), "password": format!("secret-{n}-long"),
            "voicemail": { "pin": site::PIN } })
    };
    let phones: Vec<u32> = (201..201 + PAIRS).chain(231..231 + PAIRS).chain(261..261 + SERVED).collect();
    let array = |s: &mut Value, name: &str, more: Vec<Value>| {
        s[name].as_array_mut().expect("a list").extend(more);
    };
    array(&mut s, "extension", phones.iter().map(|n| phone(*n)).collect());
    let agents = || (261..261 + SERVED).map(|n| n.to_string());
    array(&mut s, "agent", agents().map(|n| json!({ "id": n, "name": n, "extension": n })).collect());
    let floor = json!({ "name": "floor", "number": "650", "agents": agents().collect::<Vec<_>>(),
        "wrap_up_s": 0, "max_wait_s": 0, "max_waiting": 100, "overflow_when_empty": false,
        "announce_position_s": 0, "overflow": "hang_up" });
    array(&mut s, "queue", vec![floor]);
    let mailbox = |n: &u32| json!({ "name": format!("box {n}"), "number": format!("+4930200{n}"), "to": format!("voicemail:{n}") });
    s["inbound"] = phones.iter().map(mailbox).collect();
    array(&mut s, "inbound", vec![json!({ "name": "everything", "number": "!", "to": "queue:floor" })]);
    s
}

fn current(store: &Store) -> (Generation, Value) {
    store.reader().current().expect("readable").expect("there is one")
}

/// Saves one change and sometimes takes it back at once. How many generations it made.
fn save(w: &mut World, store: &Store, dice: &mut Dice) -> u64 {
    w.run_for(Duration::from_millis(600));
    let before = current(store);
    let mut tree = before.1.clone();
    edit(dice, &mut tree);
    let done = store.commit("ann", tree, Some(before.0), "").expect("each change is right by itself");
    if !done.changed {
        return 0;
    }
    w.commit(done.config);
    if dice.below(4) != 0 {
        return 1;
    }
    let after = dice.between(Duration::ZERO, Duration::from_millis(500));
    w.run_for(after);
    take_back(w, store, &before);
    2
}

/// One click on the page Changes: the site is what it was, to the letter.
fn take_back(w: &mut World, store: &Store, to: &(Generation, Value)) {
    let text_of = |tree: &Value| text::write(&model::config::draft::read(tree).expect("it was stored"));
    let now = current(store).0;
    let done = store.undo("ann", to.0, Some(now)).expect("it is kept");
    assert_eq!(current(store).1, to.1, "generation {} is back", to.0);
    assert_eq!(text::write(&done.config), text_of(&to.1));
    w.commit(done.config);
}

/// Something that people change in the middle of the day; none of it says that a call shall end.
fn edit(dice: &mut Dice, s: &mut Value) {
    let n = |dice: &mut Dice, low: u64, high: u64| low + dice.below(high - low);
    let place = |dice: &mut Dice, list: &Value| {
        let length = list.as_array().map_or(1, Vec::len) as u64;
        usize::try_from(dice.below(length)).expect("small")
    };
    match dice.below(16) {
        0 => {
            let at = place(dice, &s["extension"]);
            s["extension"][at]["name"] = format!("Desk {}", dice.below(10_000)).into();
        }
        1 => {
            let at = place(dice, &s["extension"]);
            s["extension"][at]["ring_timeout_s"] = n(dice, 10, 60).into();
        }
        2 => floor(s)["wrap_up_s"] = n(dice, 0, 60).into(),
        3 => {
            let all = ["longest_idle", "round_robin", "ring_all", "fewest_calls", "balanced", "in_order"];
            floor(s)["strategy"] = (*dice.pick(&all)).into();
        }
        4 => {
            let at = place(dice, &s["agent"]);
            s["agent"][at]["skill"] = json!({ "sales": n(dice, 1, 10) });
        }
        5 => floor(s)["agents"].as_array_mut().expect("a list").rotate_left(1),
        6 => toggle(&mut s["flow"][0]["step"]["menu"]["option"], "5", "message"),
        7 => {
            let rule = json!({ "name": "fair", "number": "+493099", "to": "extension:104" });
            in_list(&mut s["inbound"], "name", "fair", rule);
        }
        8 => {
            let new = json!({ "number": "399", "name": "New", "password": "secret-399-long" });
            in_list(&mut s["extension"], "number", "399", new);
        }
        9 => {
            let new = json!({ "name": "fair", "agents": ["1"], "overflow": "hang_up" });
            in_list(&mut s["queue"], "name", "fair", new);
        }
        10 => s["schedule"][0]["holidays"] = json!([format!("2026-12-{}", n(dice, 10, 31))]),
        11 => s["trunk"][0]["capacity"] = n(dice, 100, 200).into(),
        12 => s["system"]["call_limit"] = n(dice, 150, 300).into(),
        13 => s["system"]["name"] = format!("Story {}", dice.below(10_000)).into(),
        14 => floor(s)["max_waiting"] = n(dice, 30, 100).into(),
        _ => floor(s)["service_level_s"] = n(dice, 5, 60).into(),
    }
}

fn floor(s: &mut Value) -> &mut Value {
    let queues = s["queue"].as_array_mut().expect("a list");
    queues.iter_mut().find(|q| q["name"] == "floor").expect("it is never deleted")
}

/// Adds it, or takes it away.
fn toggle(table: &mut Value, key: &str, value: &str) {
    let table = table.as_object_mut().expect("a table");
    if table.remove(key).is_none() {
        table.insert(key.to_owned(), value.into());
    }
}

/// Puts it first, or takes it away.
fn in_list(list: &mut Value, key: &str, name: &str, new: Value) {
    let list = list.as_array_mut().expect("a list");
    match list.iter().position(|item| item[key] == name) {
        Some(at) => drop(list.remove(at)),
        None => list.insert(0, new),
    }
}

/// Who talks and who waits.
struct Office {
    phones: Vec<String>,
    /// Who speaks, and who hears it.
    talks: Vec<(CallRef, CallRef)>,
    waits: Vec<CallRef>,
    agents: Vec<(String, Wall, Option<CallId>)>,
    line: Vec<CallId>,
}

impl Office {
    fn open(w: &mut World) -> Office {
        let phones: Vec<String> = w.pbx.config.extension.keys().map(ToString::to_string).collect();
        w.phones_up(&phones.iter().map(String::as_str).collect::<Vec<_>>());
        for n in 261..261 + SERVED {
            assert_eq!(w.command(Command::AgentLogin { agent: n.to_string() }), Ok(()));
        }
        let mut talks = Vec::new();
        for n in 0..PAIRS {
            let from = w.dial(&(201 + n).to_string(), &(231 + n).to_string());
            talks.push((from, w.until_answers(&(231 + n).to_string())));
        }
        let mut free: BTreeSet<u32> = (261..261 + SERVED).collect();
        for n in 0..SERVED {
            let caller = w.call_in(&format!("+49305{n:03}"), NUMBER);
            w.until_up(caller);
            let talking =
                |w: &World, n: &u32| w.pbx.watch.agents[&n.to_string()].state == AgentState::Talking;
            w.until("an agent answers", 60, |w| free.iter().any(|n| talking(w, n)));
            let agent = free.iter().copied().find(|n| talking(w, n)).expect("just seen");
            free.remove(&agent);
            talks.push((w.until_answers(&agent.to_string()), caller));
        }
        let waits = (0..WAITING).map(|n| w.call_in(&format!("+49306{n:03}"), NUMBER)).collect();
        let line = usize::try_from(WAITING).expect("small");
        w.until("they wait", 30, |w| w.pbx.watch.queues["floor"].waiting.len() == line);
        let mut office = Office { phones, talks, waits, agents: Vec::new(), line: Vec::new() };
        (office.agents, office.line) = (at_work(w), in_line(w));
        quiet(w, &office, true);
        office
    }

    /// Nobody was cut off, everybody is heard, the line and the agents stand as they stood.
    fn works(&self, w: &mut World) {
        assert_eq!(w.records().len(), 0, "nobody's call ended: {:#?}", w.records());
        let up = |call: &CallRef| w.call(*call).state == State::Up;
        assert!(self.talks.iter().all(|(a, b)| up(a) && up(b)) && self.waits.iter().all(up));
        assert_eq!((at_work(w), in_line(w)), (self.agents.clone(), self.line.clone()));
        for phone in &self.phones {
            let ua = w.ua(phone);
            assert!(w.look(ua).registered && w.look(ua).subscribed, "phone {phone}");
        }
        quiet(w, self, false);
        for (speaks, hears) in &self.talks {
            let voice = w.look(speaks.ua).voice;
            w.until_hears_now(*hears, &Heard::Voice(voice));
        }
        for caller in &self.waits {
            w.until_hears_now(*caller, &Heard::Music);
        }
        quiet(w, self, true);
    }

    /// A message is left in every mailbox: every phone's lamp is lit. How many messages.
    fn lamps(&self, w: &mut World) -> usize {
        quiet(w, self, false);
        let with_rule: Vec<&String> = self.phones.iter().filter(|n| n.starts_with('2')).collect();
        let calls: Vec<CallRef> =
            with_rule.iter().map(|n| w.call_in(&format!("+49307{n}"), &format!("+4930200{n}"))).collect();
        for call in &calls {
            w.until_hears(*call, "vm-leave-message");
        }
        w.pass(8);
        for call in calls {
            w.press(call, "#");
            w.until_over(call);
        }
        for phone in &with_rule {
            let ua = w.ua(phone);
            assert_eq!(w.look(ua).lamp, Some((1, 0)), "the lamp of {phone}");
        }
        with_rule.len()
    }
}

/// Speech is only sent while it is listened to: it would be most of the work of this story.
fn quiet(w: &mut World, office: &Office, quiet: bool) {
    w.wire.rtp.loss = if quiet { 1000 } else { 0 };
    for phone in office.phones.iter().map(String::as_str).chain(["carrier"]) {
        let ua = w.ua(phone);
        w.change(ua).mute = quiet;
    }
}

fn at_work(w: &World) -> Vec<(String, Wall, Option<CallId>)> {
    let talking = w.pbx.watch.agents.values().filter(|a| a.state == AgentState::Talking);
    talking.map(|a| (a.agent.clone(), a.since, a.call)).collect()
}

fn in_line(w: &World) -> Vec<CallId> {
    w.pbx.watch.queues["floor"].waiting.iter().map(|w| w.call).collect()
}
