//! R5 and R15 in the simulator: the power fails in the middle of everything, and everybody comes back at once.
use model::record::{Outcome, Record};
use serde_json::json;
use sim::{Habit, World, each_seed, site};
use std::time::Duration;

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    each_seed(|seed| {
        let site = site::site(|s| s["queue"][0]["record"] = "always".into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "102", "104"]);
        w.agents_at_work(&["101", "102"]);
        w.habit("104", Habit::Ignore);
        for n in 0..3 {
            let caller = w.call_in(&format!("+4930{n}"), "+49301000");
            w.until_hears(caller, "welcome");
            w.press(caller, "1");
        }
        let message = w.dial("104", "*43");
        w.hang_up(message);
        w.pass(6);
        let left = w.call_in("+49309", "+49301000");
        w.until_hears(left, "welcome");
        w.press(left, "9");
        w.until_hears(left, "vm-leave-message");
        let more = w.dice.between(Duration::from_secs(2), Duration::from_secs(9));
        w.run_for(more);
        w.press(left, "#");
        let more = w.dice.between(Duration::from_millis(1), Duration::from_secs(2));
        w.run_for(more);
        let said_saved = w.call(left).ear.prompt("vm-saved");
        let acknowledged = w.pbx.disk.durable().to_vec();
        let talked = w.pbx.watch.calls.values().filter(|c| c.recording).count();
        w.power_cut(Duration::from_secs(3));
        w.everybody_hangs_up();
        let kept = w.pbx.disk.durable();
        assert!(kept.starts_with(&acknowledged), "what was acknowledged is there, in order");
        let messages = kept.iter().filter(|r| matches!(r, Record::Message(_))).count();
        assert!(!said_saved || messages == 1, "saved was said");
        assert!(w.pbx.disk.open_calls().is_empty(), "every call has its record");
        let closed =
            kept.iter().filter(|r| matches!(r, Record::CallEnded(c) if c.outcome == Outcome::Interrupted));
        assert!(closed.count() >= talked, "calls in progress are closed with their cause");
        w.phones_up(&["101", "102"]);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        w.rest();
    });
}

#[test]
fn a_recording_in_progress_loses_at_most_two_seconds() {
    each_seed(|seed| {
        let site = site::site(|s| s["queue"][0]["record"] = "always".into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101"]);
        w.agents_at_work(&["101"]);
        let caller = w.dial("carrier", "+49301000");
        w.until_hears(caller, "welcome");
        w.press(caller, "1");
        let agent = w.until_answers("101");
        w.until_talk(caller, agent);
        let talk = w.dice.between(Duration::from_secs(3), Duration::from_secs(9));
        let from = w.now().mono;
        w.run_for(talk);
        let lasted = w.now().mono.since(from);
        let path = w.pbx.disk.recording().expect("a recording");
        w.power_cut(Duration::from_secs(2));
        let channels = w.pbx.disk.sound(&path).expect("its file");
        let kept = Duration::from_micros(u64::try_from(channels[0].len()).expect("small") * 125);
        assert!(kept + Duration::from_secs(2) >= lasted, "{kept:?} of {lasted:?}");
        w.rest();
    });
}

/// A site of many phones and little else.
fn many(phones: std::ops::Range<u32>) -> (std::sync::Arc<model::config::Config>, Vec<String>) {
    let names = phones.clone().map(|n| n.to_string()).collect();
    let site = site::site(|s| {
        let extension = |n: u32| json!({ "number": n.to_string(), "password": format!("secret-{n}-long") });
        s["extension"] = phones.clone().map(extension).collect::<Vec<_>>().into();
        s["agent"] = json!([]);
        s["queue"] = json!([]);
        s["flow"] = json!([]);
        s["inbound"][0]["to"] = format!("extension:{}", phones.start).into();
    });
    (site, names)
}

/// All come back while the box is still starting: 99 % within ten seconds of its start, all within `limit`, with at most
/// four datagrams each on average from then on.
fn come_back(seed: u64, phones: std::ops::Range<u32>, limit: Duration) {
    let (site, names) = many(phones);
    let mut w = World::new(seed, site);
    w.wire.sip = sim::Faults { loss: 10, ..sim::Faults::LAN };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    w.register(&names);
    w.power_cut(Duration::from_millis(700));
    let phones: Vec<_> = names.iter().map(|n| w.ua(n)).collect();
    let sent = |w: &World| phones.iter().map(|p| w.look(*p).registers_sent).sum::<u32>();
    let up = |w: &World| phones.iter().filter(|p| w.look(**p).registered).count();
    let (start, before) = (w.now().mono, sent(&w));
    w.run_for(Duration::from_secs(10));
    assert!(up(&w) * 100 >= names.len() * 99, "{} of {} are in after ten seconds", up(&w), names.len());
    while up(&w) < names.len() {
        w.run_for(Duration::from_millis(250));
        let took = w.now().mono.since(start);
        assert!(took <= limit, "{took:?}, {} of {}", up(&w), names.len());
    }
    let sent = usize::try_from(sent(&w) - before).expect("few");
    assert!(sent <= names.len() * 4, "{sent} datagrams for {} phones", names.len());
}

#[test]
fn a_thousand_phones_come_back_at_once() {
    for seed in 0..sim::seeds().div_ceil(100) {
        come_back(seed, 1000..2000, Duration::from_secs(15));
    }
}

#[test]
fn five_thousand_phones_come_back_at_once() {
    come_back(1, 10_000..15_000, Duration::from_secs(30));
}

/// E14.
#[test]
fn agents_figures_and_the_places_of_callers_are_as_before_after_a_power_cut() {
    each_seed(|seed| {
        let site = site::site(|s| {
            s["queue"][0]["max_wait_s"] = 0.into();
            s["inbound"][0]["to"] = "queue:support".into();
        });
        let mut w = World::new(seed, site);
        w.phones_up(&["101", "102"]);
        w.agents_at_work(&["101", "102"]);
        w.star("102", "*522", "agent-paused");
        for caller in ["+49301", "+49302"] {
            let call = w.call_in(caller, "+49301000");
            let talk = w.until_answers("101");
            w.until_talk(call, talk);
            w.hang_up(call);
            w.until_over(talk);
            w.pass(1);
        }
        w.star("101", "*523", "agent-paused");
        let left = w.call_in("+49303", "+49301000");
        w.pass(2);
        w.hang_up(left);
        let _waits = w.call_in("+49304", "+49301000");
        w.pass(30);
        let shown = |w: &World| {
            let agent = |id: &str| {
                let a = &w.pbx.watch.agents[id];
                (a.state.clone(), a.calls, a.missed, a.since)
            };
            let q = &w.pbx.watch.queues["support"];
            let figures = (q.answered, q.overflowed, q.in_level, q.wait_ms / 1000);
            (agent("1"), agent("2"), figures, q.offered)
        };
        let before = shown(&w);
        w.power_cut(Duration::from_secs(3));
        w.everybody_hangs_up();
        w.pass(1);
        assert_eq!(shown(&w), before);
        let abandoned = w.pbx.watch.queues["support"].abandoned;
        assert_eq!(abandoned, 2, "one hung up, one was cut off");
        w.phones_up(&["101", "102"]);
        let other = w.call_in("+49305", "+49301000");
        w.pass(5);
        let again = w.call_in("+49304", "+49301000");
        w.pass(1);
        w.star("101", "*51", "agent-ready");
        let talk = w.until_answers("101");
        w.until_talk(again, talk);
        w.hang_up(again);
        w.until_over(talk);
        let talk = w.until_answers("101");
        w.until_talk(other, talk);
        w.rest();
    });
}
