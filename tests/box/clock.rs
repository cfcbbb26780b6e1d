//! The wall clock is set while the box works: by a day, by a year, to the end of 32-bit time, back and forth. Timers run by
//! the other clock, so nothing comes early or late, no call is dropped, lengths are right, and the times of records are put
//! right by the clock as it is at the end of the call.
use model::record::{CallRecord, Outcome};
use sim::{Habit, World, each_seed, site};
use std::time::Duration;

const DAY_MS: i64 = 24 * 3600 * 1000;
const YEAR_MS: i64 = 365 * DAY_MS;
/// 2038-01-19T03:14:08Z, where signed 32-bit seconds end.
const Y2038_MS: i64 = 2_147_483_648_000;
/// A length or a moment may be off by this much.
const EXACT_MS: i64 = 1000;

/// Where the clock goes, as a step from where it is.
fn jumps(w: &World) -> [i64; 5] {
    [DAY_MS, -DAY_MS, YEAR_MS, -YEAR_MS, Y2038_MS - w.now().wall.0]
}

fn one(w: &mut World) -> i64 {
    let all = jumps(w);
    *w.dice.pick(&all)
}

fn within(what: &str, got: i64, wanted: i64) {
    assert!((got - wanted).abs() <= EXACT_MS, "{what}: {got} instead of {wanted}");
}

/// The record fits itself and the clock as it is now.
fn fits(w: &World, record: &CallRecord, length_ms: i64) {
    let ended = record.ended.expect("closed");
    within("length", i64::try_from(record.duration_ms).expect("small"), length_ms);
    within("end minus start", ended.millis_since(record.started), length_ms);
    assert!(
        ended <= w.now().wall && w.now().wall.millis_since(ended) < 60_000,
        "{record:?} at {:?}",
        w.now().wall
    );
    if let Some(answered) = record.answered {
        assert!(record.started <= answered && answered <= ended, "{record:?}");
    }
}

#[test]
fn a_call_goes_on_through_a_jump_of_the_clock_and_its_record_is_right() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101", "102"]);
        let began = w.now().mono;
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        for _ in 0..3 {
            let jump = one(&mut w);
            w.set_clock(jump);
            w.pass(7);
            w.until_talk(from, to);
        }
        let length = i64::try_from(w.now().mono.since(began).as_millis()).expect("small");
        w.hang_up(from);
        w.pass(2);
        let record = w.record_of("101");
        assert_eq!(record.outcome, Outcome::Answered);
        fits(&w, &record, length);
        w.rest();
    });
}

#[test]
fn ringing_takes_as_long_as_ever_and_phones_stay_registered() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101", "102", "103"]);
        w.habit("102", Habit::Ignore);
        // How long a phone rings that nobody answers, until the mailbox does.
        let ring = |w: &mut World, jump: i64| {
            let began = w.now().mono;
            let call = w.dial("101", "102");
            w.pass(5);
            w.set_clock(jump);
            w.until_up(call);
            let took = i64::try_from(w.now().mono.since(began).as_millis()).expect("small");
            w.hang_up(call);
            w.pass(3);
            took
        };
        let usual = ring(&mut w, 0);
        for jump in jumps(&w) {
            within("ringing", ring(&mut w, jump), usual);
        }
        // Through the next refresh, too.
        w.pass(1900);
        w.habit("103", Habit::Answer(Duration::from_secs(1)));
        let from = w.dial("101", "103");
        let to = w.until_answers("103");
        w.until_talk(from, to);
        w.rest();
    });
}

#[test]
fn who_waits_keeps_the_place_and_the_wait_is_counted_right() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101", "102"]);
        w.agents_at_work(&["101"]);
        let busy = w.dial("101", "102");
        let other = w.until_answers("102");
        w.until_talk(busy, other);
        let caller = w.call_in("+49301", "+49301000");
        w.until_hears(caller, "welcome");
        w.press(caller, "1");
        w.pass(2);
        let jump = one(&mut w);
        w.set_clock(jump);
        w.pass(10);
        w.hang_up(busy);
        let agent = w.until_answers("101");
        w.until_talk(caller, agent);
        w.everybody_hangs_up();
        w.pass(3);
        let record = w.record_of("+49301");
        assert!((10_000..60_000).contains(&record.wait_ms), "{record:?}");
        let length = i64::try_from(record.duration_ms).expect("small");
        within("end minus start", record.ended.expect("closed").millis_since(record.started), length);
        assert_eq!(record.outcome, Outcome::Answered);
        w.rest();
    });
}
