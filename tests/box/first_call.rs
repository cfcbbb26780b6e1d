//! The main job: phones register, calls come in, are led, wait, are answered, are recorded and end with one record each.
use model::record::{Outcome, Record};
use sim::sound::recognise;
use sim::{Heard, World, each_seed, site};
use std::time::Duration;

fn world(seed: u64) -> World {
    World::new(seed, site::site(|_| {}))
}

#[test]
fn phones_register_and_call_each_other() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.phones_up(&["101", "102"]);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        w.hang_up(from);
        w.until_over(to);
        w.rest();
        let record = w.record_of("101");
        assert_eq!((record.called.number.as_str(), record.outcome), ("102", Outcome::Answered));
        assert_eq!(w.records().len(), 1);
    });
}

#[test]
fn one_leads_into_the_queue_and_a_free_agent_answers() {
    each_seed(|seed| {
        let mut w = world(seed);
        w.phones_up(&["101", "102"]);
        w.agents_at_work(&["101"]);
        let caller = w.call_in("+4930555", "+49301000");
        w.until_hears(caller, "menu-main");
        w.press(caller, "1");
        let agent = w.until_answers("101");
        assert!(w.call(caller).ear.long(&Heard::Music) > Duration::from_millis(500), "music while it rings");
        w.until_talk(caller, agent);
        w.pass(2);
        w.hang_up(caller);
        w.until_over(agent);
        w.rest();
        let record = w.record_of("+4930555");
        assert_eq!((record.outcome, record.agent.as_deref()), (Outcome::Answered, Some("1")));
        assert_eq!((record.queue.as_deref(), record.trunk.as_deref()), (Some("support"), Some("carrier")));
        assert!(record.talk_ms >= 2_000 && record.wait_ms > 1_000, "{record:?}");
        let journey = w.pbx.watch.journey(record.call);
        for kind in ["trunk_in", "menu", "digit", "queue", "offered", "answered", "ended"] {
            assert!(journey.contains(&kind.to_owned()), "{kind} is missing in {journey:?}");
        }
    });
}

#[test]
fn a_second_caller_finds_no_agent_and_leaves_a_message_and_the_lamp_lights() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|s| s["queue"][0]["max_wait_s"] = 10.into()));
        w.phones_up(&["101", "103"]);
        w.agents_at_work(&["101"]);
        let first = w.dial("105", "600");
        w.hang_up(first);
        let first = w.call_in("+4930111", "+49301000");
        w.until_hears(first, "menu-main");
        w.press(first, "1");
        let agent = w.until_answers("101");
        w.until_talk(first, agent);
        let second = w.call_in("+4930222", "+49301000");
        w.until_hears(second, "menu-main");
        w.press(second, "1");
        w.until_hears_now(second, &Heard::Music);
        w.until_hears(second, "vm-leave-message");
        w.pass(4);
        w.press(second, "#");
        w.until_hears(second, "vm-saved");
        let owner = w.ua("103");
        w.until("the lamp is lit", 10, |w| w.look(owner).lamp == Some((1, 0)));
        assert!(
            w.pbx.disk.durable().iter().any(|r| matches!(r, Record::Message(_))),
            "saved is said, so kept"
        );
        w.rest();
        assert_eq!(w.record_of("+4930222").outcome, Outcome::Voicemail);
        let message = w.pbx.watch.messages[0].clone();
        assert_eq!(message.mail_to.as_deref(), Some("103@example.com"));
        let sound = &w.pbx.disk.sound(&message.path).expect("a file")[0];
        let carrier = w.look(w.ua("carrier")).voice;
        let spoken = sound.chunks(160).filter(|c| recognise(c) == Heard::Voice(carrier)).count();
        assert!(spoken > 150, "{spoken} frames of the caller's voice");
    });
}

#[test]
fn both_voices_are_recorded_each_in_its_channel() {
    each_seed(|seed| {
        let site = site::site(|s| s["queue"][0]["record"] = "always".into());
        let mut w = World::new(seed, site);
        w.phones_up(&["101"]);
        w.agents_at_work(&["101"]);
        let caller = w.dial("carrier", "+49301000");
        w.until_hears(caller, "menu-main");
        w.press(caller, "1");
        let agent = w.until_answers("101");
        w.until_talk(caller, agent);
        w.pass(4);
        w.hang_up(agent);
        w.until_over(caller);
        w.rest();
        let path = w.pbx.disk.recording().expect("a recording");
        let channels = w.pbx.disk.sound(&path).expect("its file");
        let [left, right] = &channels[..] else { panic!("{} channels", channels.len()) };
        let voices = [w.look(caller.ua).voice, w.look(agent.ua).voice];
        for (channel, voice) in [left, right].into_iter().zip(voices) {
            let own = channel.chunks(160).filter(|c| recognise(c) == Heard::Voice(voice)).count();
            assert!(own > 150, "voice {voice}: {own} frames of {}", channel.len() / 160);
        }
    });
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        let mut w = world(seed);
        w.wire.sip = sim::Faults::BAD;
        w.wire.rtp = sim::Faults::BAD;
        w.phones_up(&["101", "102"]);
        w.agents_at_work(&["101", "102"]);
        let caller = w.call_in("+4930555", "+49301000");
        w.pass(3);
        w.press(caller, "1");
        w.pass(15);
        w.rest();
        (w.digest(), w.steps())
    };
    for seed in 0..sim::seeds().min(20) {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    assert_ne!(run(1), run(2));
}
