//! What the queues of a box that stopped go on with: figures of the day, who was at work how long, who waited, who is to be
//! called back. Counted from what is kept, with the functions of the reports, so that both say the same. Pure.
use crate::clock::Wall;
use crate::config::Config;
use crate::id::CallId;
use crate::number::Number;
use crate::record::{AgentSpell, AgentState, CallRecord, CallbackRecord};
use crate::report::{self, QueueFigures, Span, StepRow, Width};
use std::collections::BTreeMap;

/// Who waited and rings again within this time has the old place: long enough for a carrier to notice, and for a person to
/// dial again and go through a menu.
pub const RETURN_MS: i64 = 15 * 60 * 1000;

/// Everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Customers who are to be called back, oldest first.
    pub callbacks: Vec<CallbackRecord>,
    /// What each queue did since midnight.
    pub queues: Vec<QueueFigures>,
    /// Agents at work, by id.
    pub agents: BTreeMap<String, AgentDay>,
    /// Callers who waited when the box stopped.
    pub waited: Vec<Waited>,
}

/// What an agent did since log-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentDay {
    /// Log-in.
    pub came: Wall,
    /// Calls taken.
    pub calls: u32,
    /// Time talked, ms.
    pub talk_ms: u64,
    /// After-call work, ms.
    pub wrap_ms: u64,
    /// Offers missed in a row.
    pub missed: u32,
    /// The last call taken, and the queue it came from.
    pub last_call: Option<CallId>,
    /// See there.
    pub last_queue: Option<String>,
    /// What it was about, if that was said.
    pub wrap_code: Option<String>,
}

/// A caller who waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Number as shown.
    pub number: String,
    /// Where.
    pub queue: String,
    /// Since when, in all.
    pub since: Wall,
}

/// Midnight of the site, before this moment.
#[must_use]
pub fn midnight(config: &Config, now: Wall) -> Wall {
    report::row_of(now, Width::Day, Wall(0), &config.system.time_zone)
}

/// What the queues did since midnight, from the steps of calls that came to queues.
#[must_use]
pub fn queues(config: &Config, now: Wall, steps: &[StepRow]) -> Vec<QueueFigures> {
    let from = midnight(config, now);
    let today: Vec<report::Visit> = report::visits(steps).into_iter().filter(|v| v.at >= from).collect();
    let zone = config.system.time_zone.clone();
    let span = Span { from, to: Wall(now.0.saturating_add(1)), width: Width::Total, zone };
    let level = |queue: &str| config.queue.get(queue).map_or(0, |q| q.service_level_s);
    report::queues(&today, &span, &level)
}

/// What agents did since they came, from their spells in order; `queue_of` knows which queue a call came from. Who is not at
/// work is left out.
#[must_use]
pub fn agents(
    spells: &[AgentSpell],
    now: Wall,
    queue_of: &dyn Fn(CallId) -> Option<String>,
) -> BTreeMap<String, AgentDay> {
    let mut by_agent: BTreeMap<&str, Vec<&AgentSpell>> = BTreeMap::new();
    for spell in spells {
        by_agent.entry(&spell.agent).or_default().push(spell);
    }
    let mut days = BTreeMap::new();
    for (agent, spells) in by_agent {
        let begin = spells.iter().rposition(|s| s.state == AgentState::LoggedOut).map_or(0, |at| at + 1);
        if let Some(mut day) = day(&spells[begin..], now) {
            day.last_queue = day.last_call.and_then(queue_of);
            days.insert(agent.to_owned(), day);
        }
    }
    days
}

fn day(spells: &[&AgentSpell], now: Wall) -> Option<AgentDay> {
    let mut day = AgentDay { came: spells.first()?.since, ..AgentDay::default() };
    for (i, spell) in spells.iter().enumerate() {
        let until = spells.get(i + 1).map_or(now, |next| next.since);
        let ms = u64::try_from(until.millis_since(spell.since)).unwrap_or(0);
        match spell.state {
            AgentState::Talking => {
                day.talk_ms += ms;
                if matches!(spell.cause.as_str(), "answered" | "customer reached") {
                    (day.calls, day.missed) = (day.calls.saturating_add(1), 0);
                    (day.last_call, day.wrap_code) = (spell.call, None);
                }
            }
            AgentState::WrapUp => day.wrap_ms += ms,
            AgentState::LoggedOut | AgentState::NotReady { .. } | AgentState::Ready | AgentState::Offered => {
            }
        }
        if matches!(spell.cause.as_str(), "no answer" | "declined") {
            day.missed = day.missed.saturating_add(1);
        }
        if let Some(code) = spell.cause.strip_prefix("wrap code ").filter(|_| spell.call == day.last_call) {
            day.wrap_code = Some(code.to_owned()).filter(|c| c != "said");
        }
    }
    Some(day)
}

/// Callers whose calls a stop of the box cut while they waited, of those that it closed.
#[must_use]
pub fn waited(closed: &[CallRecord], now: Wall) -> Vec<Waited> {
    let waits = |c: &&CallRecord| c.agent.is_none() && c.talk_ms == 0 && c.wait_ms > 0;
    let found = closed.iter().filter(waits).filter_map(|call| {
        let since = call.ended?.0 - i64::try_from(call.wait_ms).unwrap_or(i64::MAX);
        Number::read(&call.caller.number)?;
        let recent = now.0 - call.ended?.0 <= RETURN_MS;
        let waited =
            Waited { number: call.caller.number.clone(), queue: call.queue.clone()?, since: Wall(since) };
        recent.then_some(waited)
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(state: AgentState, since: i64, cause: &str, call: Option<u64>) -> AgentSpell {
        let call = call.map(CallId);
        AgentSpell { agent: "7".into(), state, since: Wall(since), cause: cause.into(), call }
    }

    #[test]
    fn an_agents_day_is_counted_from_log_in_on() {
        use AgentState::{LoggedOut, Offered, Ready, Talking, WrapUp};
        let mut spells = vec![
            spell(Talking, 0, "answered", Some(1)),
            spell(LoggedOut, 500, "web", None),
            spell(Ready, 1_000, "web", None),
            spell(Offered, 1_100, "call of queue q", Some(2)),
            spell(Talking, 1_200, "answered", Some(2)),
            spell(WrapUp, 1_500, "call ended", Some(2)),
            spell(WrapUp, 1_600, "wrap code 03", Some(2)),
            spell(Ready, 1_700, "wrap-up time over", Some(2)),
            spell(Offered, 1_800, "call of queue q", Some(3)),
            spell(Ready, 1_900, "no answer", Some(3)),
        ];
        let queue_of = |call: CallId| (call == CallId(2)).then(|| "q".to_owned());
        let days = agents(&spells, Wall(2_000), &queue_of);
        let day = AgentDay {
            came: Wall(1_000),
            calls: 1,
            talk_ms: 300,
            wrap_ms: 200,
            missed: 1,
            last_call: Some(CallId(2)),
            last_queue: Some("q".into()),
            wrap_code: Some("03".into()),
        };
        assert_eq!(days, BTreeMap::from([("7".to_owned(), day)]));
        spells.push(spell(LoggedOut, 1_950, "web", None));
        assert_eq!(agents(&spells, Wall(2_000), &queue_of), BTreeMap::new());
    }
}
