//! What reports say of a simulated day, against a count of their own from the raw records: to the call, and to the
//! millisecond of each. The records go through the real store on the way.
use model::clock::Wall;
use model::id::Ticket;
use model::record::{AgentState, CallRecord, CallStep, Outcome, Record};
use model::report::{self, Span, Width};
use sim::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Options, Store};

/// Everything the day left behind, told by hand: nothing of it is shared with the code that makes reports.
#[derive(Debug, Default, PartialEq)]
struct Count {
    offered: u64,
    answered: u64,
    abandoned: u64,
    first_ring: u64,
    in_level: u64,
}

/// Compares the reports of `[began, now)` with the records of the day.
pub fn compare(w: &World, began: Wall) {
    let records: Vec<Record> = w.pbx.disk.given().cloned().collect();
    let dir = super::in_memory();
    let options = Options { dir: dir.path().into(), beat: Arc::default(), on_stored: Box::new(|_| {}) };
    let (store, _) = Store::open(options).expect("an empty folder");
    for (n, record) in (1_u64..).zip(&records) {
        let mut wanted = (Ticket(n), record.clone());
        while let Err(full) = store.keep(wanted.0, wanted.1) {
            store.flush().expect("the disk takes it");
            wanted = (full.ticket, *full.record);
        }
    }
    store.flush().expect("the disk takes it");
    let now = w.now().wall;
    let to = Wall(now.0 + 1);
    for width in [Width::Total, Width::Day, Width::Hour, Width::Quarter] {
        let span = Span { from: began, to, width, zone: "Europe/Berlin".into() };
        let steps = store.reader().queue_steps(began, to).expect("readable").expect("not too many");
        let rows = report::queues(&report::visits(&steps), &span, &|_| 20);
        let sum = |of: fn(&report::QueueFigures) -> u64| rows.iter().map(of).sum::<u64>();
        let told = Count {
            offered: sum(|r| r.offered),
            answered: sum(|r| r.answered),
            abandoned: sum(|r| r.abandoned),
            first_ring: sum(|r| r.first_ring),
            in_level: sum(|r| r.in_level),
        };
        let (counted, wait_ms, talk_ms) = count(&records);
        assert_eq!(told, counted, "{width:?}");
        assert!(counted.answered > 50, "a day without calls shows nothing: {counted:?}");
        near(sum(|r| r.wait_ms), wait_ms, counted.answered, "waits");
        near(sum(|r| r.talk_ms), talk_ms, counted.answered, "talks");
        agents(&store, &records, &span, now);
    }
}

/// Each call may be rounded by a millisecond at both ends.
fn near(told: u64, counted: u64, calls: u64, what: &str) {
    assert!(told.abs_diff(counted) <= 2 * calls, "{what}: {told} told, {counted} counted");
}

fn count(records: &[Record]) -> (Count, u64, u64) {
    let ended = |r: &Record| {
        let Record::CallEnded(call) = r else { return None };
        call.queue.is_some().then(|| call.clone())
    };
    let calls: Vec<CallRecord> = records.iter().filter_map(ended).collect();
    let mut missed: BTreeMap<u64, u64> = BTreeMap::new();
    for record in records {
        if let Record::CallStep(CallStep { call, kind, .. }) = record
            && kind == "missed"
        {
            *missed.entry(call.0).or_default() += 1;
        }
    }
    let served: Vec<&CallRecord> = calls.iter().filter(|c| c.agent.is_some()).collect();
    let count = Count {
        offered: calls.len().try_into().expect("small"),
        answered: served.len().try_into().expect("small"),
        abandoned: calls
            .iter()
            .filter(|c| c.outcome == Outcome::Abandoned)
            .count()
            .try_into()
            .expect("small"),
        first_ring: served
            .iter()
            .filter(|c| !missed.contains_key(&c.call.0))
            .count()
            .try_into()
            .expect("small"),
        in_level: served.iter().filter(|c| c.wait_ms <= 20_000).count().try_into().expect("small"),
    };
    (count, served.iter().map(|c| c.wait_ms).sum(), served.iter().map(|c| c.talk_ms).sum())
}

/// Each agent's times, from the log of states, state by state.
fn agents(store: &Store, records: &[Record], span: &Span, now: Wall) {
    let spells = store.reader().agent_spells(span.from, span.to).expect("readable").expect("not too many");
    let rows = report::agents(&spells, &[], span, now);
    let mut expected: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut last: BTreeMap<&str, (&str, Wall)> = BTreeMap::new();
    for record in records {
        let Record::AgentState(spell) = record else { continue };
        let state = match spell.state {
            AgentState::LoggedOut => "out",
            AgentState::NotReady { .. } => "not ready",
            AgentState::Ready => "ready",
            AgentState::Offered => "offered",
            AgentState::Talking => "talking",
            AgentState::WrapUp => "wrap up",
        };
        if let Some((before, since)) = last.insert(&spell.agent, (state, spell.since)) {
            *expected.entry((&spell.agent, before)).or_default() += spell.since.0 - since.0;
        }
    }
    for agent in last.keys() {
        let of = |part: fn(&report::AgentFigures) -> u64| -> i64 {
            rows.iter().filter(|r| r.agent == *agent).map(part).sum::<u64>().try_into().expect("small")
        };
        let is = |state: &'static str| expected.get(&(*agent, state)).copied().unwrap_or(0);
        assert_eq!(of(|r| r.talking_ms), is("talking"), "{agent} {:?}", span.width);
        assert_eq!(of(|r| r.ready_ms), is("ready"), "{agent} {:?}", span.width);
        assert_eq!(of(|r| r.wrap_up_ms), is("wrap up"), "{agent} {:?}", span.width);
        assert_eq!(of(|r| r.not_ready_ms), is("not ready"), "{agent} {:?}", span.width);
        assert_eq!(of(|r| r.offered_ms), is("offered"), "{agent} {:?}", span.width);
        let all: i64 =
            expected.iter().filter(|((a, s), _)| a == agent && *s != "out").map(|(_, ms)| ms).sum();
        assert_eq!(of(|r| r.signed_in_ms), all, "{agent} {:?}", span.width);
    }
}

/// Every journey goes from its first to its last step without a hole, and its times add up to the length of the call.
pub fn journeys_add_up(w: &World) {
    let mut steps: BTreeMap<u64, Vec<&CallStep>> = BTreeMap::new();
    for record in w.pbx.disk.given() {
        if let Record::CallStep(step) = record {
            steps.entry(step.call.0).or_default().push(step);
        }
    }
    for record in w.records() {
        let steps = &steps[&record.call.0];
        assert!(steps.iter().zip(0..).all(|(step, n)| step.seq == n), "a hole in call {}", record.call);
        assert!(steps.is_sorted_by_key(|s| s.offset_ms), "time runs forward in call {}", record.call);
        let last = steps.last().expect("a call has steps");
        assert_eq!(last.kind, "ended");
        assert!(last.offset_ms.abs_diff(record.duration_ms) <= 20, "{last:?} {record:?}");
    }
}
