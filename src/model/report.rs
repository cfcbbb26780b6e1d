//! What queues and agents did in a span of time, counted from what the store has kept: visits of callers in queues (from
//! the steps of journeys) and spells of agents. Pure; the same rows give the same figures. Knows no table and no page.
use crate::clock::Wall;
use crate::id::CallId;
use crate::record::{AgentSpell, AgentState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How wide a row of a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// One row for the whole span.
    Total,
    /// A day of the site's zone.
    Day,
    /// An hour.
    Hour,
    /// A quarter of an hour.
    Quarter,
}

/// Kinds of steps that reports look at.
pub const KINDS: [&str; 10] = [
    "waited",
    "queue",
    "answered",
    "missed",
    "overflow",
    "callback",
    "transferred",
    "left",
    "survey",
    "ended",
];

/// The detail of the step `waited`: how long somebody stood for the caller in the queue where the caller comes next.
#[must_use]
pub fn waited(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn waited_ms(detail: &str) -> u64 {
    let digits: String = detail.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// A step of a journey as far as reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Which call.
    pub call: CallId,
    /// When.
    pub at: Wall,
    /// Milliseconds after the call's start.
    pub offset_ms: u64,
    /// Kind of `CallStep`: only those of [`KINDS`] are looked at.
    pub kind: String,
    /// Its detail; the queue's name with `queue`.
    pub detail: String,
}

/// One stay of a caller in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which queue.
    pub queue: String,
    /// When it began.
    pub at: Wall,
    /// Milliseconds until it ended.
    pub wait_ms: u64,
    /// How it ended.
    pub end: VisitEnd,
    /// Agents' phones that rang in vain.
    pub missed: u32,
    /// Milliseconds from the answer until the agent left or the call ended; 0 without an answer.
    pub talk_ms: u64,
    /// What the caller said of it afterwards.
    pub score: Option<Score>,
}

/// What a caller said of a talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The agent who left the caller to the survey.
    pub agent: String,
    /// 1, not at all satisfied, to 5.
    pub value: u64,
}

/// How a stay in a queue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitEnd {
    /// An agent answered.
    Answered,
    /// The caller left.
    Abandoned,
    /// Will be called back.
    CalledBack,
    /// Sent on by a rule.
    Overflowed,
}

/// What a queue did in a row's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueFigures {
    /// Start of the row.
    pub from: Wall,
    /// Which queue.
    pub queue: String,
    /// Callers who came.
    pub offered: u64,
    /// Answered by an agent.
    pub answered: u64,
    /// Answered by the first agent whose phone rang.
    pub first_ring: u64,
    /// Answered within the service level of the queue.
    pub in_level: u64,
    /// Left before an agent.
    pub abandoned: u64,
    /// To be called back.
    pub called_back: u64,
    /// Sent on by rule.
    pub overflowed: u64,
    /// Sum of the waits of answered callers, ms.
    pub wait_ms: u64,
    /// Longest wait of anybody, ms.
    pub wait_max_ms: u64,
    /// Sum of talks, ms.
    pub talk_ms: u64,
    /// Callers who answered a survey afterwards.
    pub scored: u64,
    /// Sum of what they gave, 1 to 5 each.
    pub score_sum: u64,
}

/// What an agent did in a row's time. The six states add up to the time of the row as far as the agent was known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentFigures {
    /// Start of the row.
    pub from: Wall,
    /// Who.
    pub agent: String,
    /// Calls in which the agent talked.
    pub calls: u64,
    /// Milliseconds signed in.
    pub signed_in_ms: u64,
    /// Of these free.
    pub ready_ms: u64,
    /// With a ringing phone.
    pub offered_ms: u64,
    /// Talking.
    pub talking_ms: u64,
    /// In after-call work.
    pub wrap_up_ms: u64,
    /// Not ready.
    pub not_ready_ms: u64,
    /// Of these by reason.
    pub reason_ms: BTreeMap<String, u64>,
    /// Callers who answered a survey after they had talked to the agent.
    pub scored: u64,
    /// Sum of what they gave, 1 to 5 each.
    pub score_sum: u64,
}

/// The start of the row in which a time lies. `zone` is an IANA name; an unknown one counts as UTC.
#[must_use]
pub fn row_of(at: Wall, width: Width, from: Wall, zone: &str) -> Wall {
    let floor = |ms: i64| Wall(at.0 - at.0.rem_euclid(ms));
    match width {
        Width::Total => from,
        Width::Day => day_of(at, zone).unwrap_or_else(|| floor(86_400_000)).max(from),
        Width::Hour => floor(3_600_000).max(from),
        Width::Quarter => floor(900_000).max(from),
    }
}

fn day_of(at: Wall, zone: &str) -> Option<Wall> {
    let here = jiff::Timestamp::from_millisecond(at.0).ok()?.in_tz(zone).ok()?;
    Some(Wall(here.start_of_day().ok()?.timestamp().as_millisecond()))
}

/// The end of that row.
fn row_end(row: Wall, width: Width, to: Wall, zone: &str) -> Wall {
    let end = match width {
        Width::Total => to,
        // Days have 23 to 25 hours: whatever lies 26 hours later is in the next one.
        Width::Day => day_of(Wall(row.0 + 26 * 3_600_000), zone).unwrap_or(Wall(row.0 + 86_400_000)),
        Width::Hour => Wall(row.0 - row.0.rem_euclid(3_600_000) + 3_600_000),
        Width::Quarter => Wall(row.0 - row.0.rem_euclid(900_000) + 900_000),
    };
    end.min(to)
}

/// The stays in queues of these steps, which come call by call in their order.
#[must_use]
pub fn visits(steps: &[StepRow]) -> Vec<Visit> {
    let mut out = Vec::new();
    for call in steps.chunk_by(|a, b| a.call == b.call) {
        visits_of(call, &mut out);
    }
    out
}

fn visits_of(steps: &[StepRow], out: &mut Vec<Visit>) {
    let last = steps.iter().find(|s| s.kind == "ended").map(|s| s.offset_ms);
    let mut open: Option<(&StepRow, u32, u64)> = None;
    // What somebody else waited in the queue where the caller comes next.
    let mut before: u64 = 0;
    // The talk that was last, whether it goes on, and who left it.
    let mut talk: Option<(usize, &StepRow, bool)> = None;
    let mut left: Option<&str> = None;
    for step in steps {
        let end = match step.kind.as_str() {
            "queue" => VisitEnd::Overflowed,
            "answered" => VisitEnd::Answered,
            "overflow" => VisitEnd::Overflowed,
            "callback" => VisitEnd::CalledBack,
            "ended" => VisitEnd::Abandoned,
            "missed" => {
                open = open.map(|(began, missed, before)| (began, missed + 1, before));
                continue;
            }
            "waited" => {
                before = waited_ms(&step.detail);
                continue;
            }
            "transferred" => {
                // The stay goes on in the call of whoever stands there now.
                open = None;
                if let Some((at, answered, goes_on)) = &mut talk
                    && *goes_on
                    && step.detail.split(' ').next() == Some(answered.detail.as_str())
                {
                    out[*at].talk_ms = step.offset_ms.saturating_sub(answered.offset_ms);
                    *goes_on = false;
                }
                continue;
            }
            "left" => {
                if let Some((at, answered, goes_on)) = talk {
                    if goes_on {
                        out[at].talk_ms = step.offset_ms.saturating_sub(answered.offset_ms);
                    }
                    left = Some(&step.detail);
                }
                continue;
            }
            "survey" => {
                if let (Some((at, ..)), Some(agent), Ok(value)) = (talk, left, step.detail.parse()) {
                    out[at].score = Some(Score { agent: agent.to_owned(), value });
                }
                continue;
            }
            _ => continue,
        };
        if let Some((began, missed, before)) = open.take() {
            let answered = end == VisitEnd::Answered;
            out.push(Visit {
                queue: began.detail.clone(),
                at: began.at,
                wait_ms: before + step.offset_ms.saturating_sub(began.offset_ms),
                end,
                missed,
                talk_ms: last.filter(|_| answered).map_or(0, |l| l.saturating_sub(step.offset_ms)),
                score: None,
            });
            (talk, left) = (answered.then(|| (out.len() - 1, step, true)), None);
        }
        if step.kind == "queue" {
            open = Some((step, 0, std::mem::take(&mut before)));
        }
    }
}

/// The span of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here.
    pub from: Wall,
    /// Up to here, which is left out.
    pub to: Wall,
    /// Rows.
    pub width: Width,
    /// IANA zone of the site.
    pub zone: String,
}

/// Figures of queues, by row and name. `level_s` gives the service level of a queue in seconds.
#[must_use]
pub fn queues(visits: &[Visit], span: &Span, level_s: &dyn Fn(&str) -> u32) -> Vec<QueueFigures> {
    let mut rows: BTreeMap<(Wall, &str), QueueFigures> = BTreeMap::new();
    for visit in visits.iter().filter(|v| span.from <= v.at && v.at < span.to) {
        let from = row_of(visit.at, span.width, span.from, &span.zone);
        let fresh = || QueueFigures { from, queue: visit.queue.clone(), ..QueueFigures::default() };
        let row = rows.entry((from, &visit.queue)).or_insert_with(fresh);
        row.offered += 1;
        row.wait_max_ms = row.wait_max_ms.max(visit.wait_ms);
        match visit.end {
            VisitEnd::Answered => {
                row.answered += 1;
                row.first_ring += u64::from(visit.missed == 0);
                row.in_level += u64::from(visit.wait_ms <= u64::from(level_s(&visit.queue)) * 1000);
                row.wait_ms += visit.wait_ms;
                row.talk_ms += visit.talk_ms;
                row.scored += u64::from(visit.score.is_some());
                row.score_sum += visit.score.as_ref().map_or(0, |s| s.value);
            }
            VisitEnd::Abandoned => row.abandoned += 1,
            VisitEnd::CalledBack => row.called_back += 1,
            VisitEnd::Overflowed => row.overflowed += 1,
        }
    }
    rows.into_values().collect()
}

/// Figures of agents, by row and id. Each agent's spells come in order; the last one before the span tells how it began.
/// `now` ends the spell that still runs. Scores of `visits` count where the talk began.
#[must_use]
pub fn agents(spells: &[AgentSpell], visits: &[Visit], span: &Span, now: Wall) -> Vec<AgentFigures> {
    let mut rows: BTreeMap<(Wall, &str), AgentFigures> = BTreeMap::new();
    let mut talked: BTreeSet<(Wall, &str, CallId)> = BTreeSet::new();
    let end = span.to.min(now);
    for own in spells.chunk_by(|a, b| a.agent == b.agent) {
        for (i, spell) in own.iter().enumerate() {
            let until = own.get(i + 1).map_or(end, |next| next.since).min(end);
            let mut at = spell.since.max(span.from);
            while at < until && spell.state != AgentState::LoggedOut {
                let from = row_of(at, span.width, span.from, &span.zone);
                let part = row_end(from, span.width, span.to, &span.zone).min(until).max(Wall(at.0 + 1));
                let fresh = || AgentFigures { from, agent: spell.agent.clone(), ..AgentFigures::default() };
                let row = rows.entry((from, &spell.agent)).or_insert_with(fresh);
                row.add(&spell.state, u64::try_from(part.0 - at.0).unwrap_or(0));
                at = part;
            }
            if let (AgentState::Talking, Some(call), true) =
                (&spell.state, spell.call, span.from <= spell.since && spell.since < end)
            {
                let from = row_of(spell.since, span.width, span.from, &span.zone);
                if talked.insert((from, &spell.agent, call))
                    && let Some(row) = rows.get_mut(&(from, spell.agent.as_str()))
                {
                    row.calls += 1;
                }
            }
        }
    }
    for visit in visits {
        let Some(score) = &visit.score else { continue };
        let talked = Wall(visit.at.0.saturating_add(i64::try_from(visit.wait_ms).unwrap_or(i64::MAX)));
        if span.from <= talked && talked < end {
            let from = row_of(talked, span.width, span.from, &span.zone);
            let fresh = || AgentFigures { from, agent: score.agent.clone(), ..AgentFigures::default() };
            let row = rows.entry((from, &score.agent)).or_insert_with(fresh);
            row.scored += 1;
            row.score_sum += score.value;
        }
    }
    rows.into_values().collect()
}

impl AgentFigures {
    fn add(&mut self, state: &AgentState, ms: u64) {
        let part = match state {
            AgentState::LoggedOut => return,
            AgentState::NotReady { reason } => {
                *self.reason_ms.entry(reason.clone()).or_default() += ms;
                &mut self.not_ready_ms
            }
            AgentState::Ready => &mut self.ready_ms,
            AgentState::Offered => &mut self.offered_ms,
            AgentState::Talking => &mut self.talking_ms,
            AgentState::WrapUp => &mut self.wrap_up_ms,
        };
        *part += ms;
        self.signed_in_ms += ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn step(call: u64, at: i64, kind: &str, detail: &str) -> StepRow {
        let offset_ms = u64::try_from(at).unwrap_or(0);
        StepRow { call: CallId(call), at: Wall(at), offset_ms, kind: kind.into(), detail: detail.into() }
    }

    fn span(to: i64, width: Width) -> Span {
        Span { from: Wall(0), to: Wall(to), width, zone: "Europe/Berlin".into() }
    }

    #[test]
    fn each_stay_in_a_queue_ends_in_one_way() {
        let steps = [
            step(1, 0, "queue", "sales"),
            step(1, 5_000, "missed", "101"),
            step(1, 9_000, "overflow", "queue:support (TooLong)"),
            step(1, 9_000, "queue", "support"),
            step(1, 12_000, "answered", "102"),
            step(1, 60_000, "ended", "caller hung up"),
            step(2, 0, "queue", "sales"),
            step(2, 30_000, "ended", "caller hung up"),
            step(3, 0, "queue", "sales"),
            step(3, 1_000, "callback", "+4930"),
            step(3, 2_000, "ended", "caller hung up"),
            step(4, 0, "answered", "101"),
        ];
        let figures = queues(&visits(&steps), &span(HOUR, Width::Total), &|_| 2);
        let [sales, support] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!((sales.offered, sales.overflowed, sales.abandoned, sales.called_back), (3, 1, 1, 1));
        assert_eq!((support.answered, support.first_ring, support.in_level), (1, 1, 0));
        assert_eq!((support.wait_ms, support.talk_ms, sales.wait_max_ms), (3_000, 48_000, 30_000));
    }

    #[test]
    fn a_stay_that_is_handed_over_goes_on_with_whoever_stands_there_and_counts_once() {
        let time = |ms| waited(Duration::from_millis(ms));
        let mut steps = vec![
            step(1, 0, "queue", "sales"),
            step(1, 15_000, "transferred", "101 -> call 2"),
            step(1, 15_000, "ended", "its place was given to another"),
            step(2, 0, "answered", "101"),
            step(2, 15_000, "transferred", "101 -> 600"),
        ];
        steps.extend([step(2, 15_000, "waited", &time(15_250)), step(2, 15_000, "queue", "sales")]);
        steps.extend([step(2, 20_000, "answered", "102"), step(2, 50_000, "transferred", "102 -> 601")]);
        steps.extend([step(2, 50_000, "queue", "support"), step(2, 57_000, "ended", "caller hung up")]);
        let figures = queues(&visits(&steps), &span(HOUR, Width::Total), &|_| 20);
        let [sales, support] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!((sales.offered, sales.answered, sales.abandoned, sales.in_level), (1, 1, 0, 0));
        assert_eq!(
            (sales.wait_ms, sales.talk_ms),
            (20_250, 30_000),
            "the agent's talk ends when the agent goes"
        );
        assert_eq!((support.offered, support.abandoned, support.wait_max_ms), (1, 1, 7_000));
        assert_eq!((time(0).as_str(), waited_ms(&time(3_600_001))), ("0.000 s", 3_600_001));
    }

    #[test]
    fn a_score_counts_for_the_agent_who_left_the_queue_and_the_day() {
        let day = 24 * HOUR;
        let mut steps = Vec::new();
        for (call, at, given) in [(1, 0, "5"), (2, day, "2"), (3, day + HOUR, "4")] {
            steps.extend([
                step(call, at, "queue", "sales"),
                step(call, at + 1_000, "answered", "102"),
                step(call, at + 61_000, "left", "7"),
                step(call, at + 70_000, "survey", given),
                step(call, at + 75_000, "ended", "end of the flow"),
            ]);
        }
        // A survey that nobody talked before says nothing of an agent; nor does one that was not answered.
        steps.extend([step(4, 0, "survey", "1"), step(4, 9_000, "ended", "end of the flow")]);
        steps.extend([step(5, 0, "queue", "sales"), step(5, 1_000, "answered", "102")]);
        steps.extend([step(5, 2_000, "left", "7"), step(5, 9_000, "ended", "caller hung up")]);
        let (visits, span) = (visits(&steps), span(3 * day, Width::Day));
        let found = queues(&visits, &span, &|_| 20);
        let scores: Vec<(u64, u64)> = found.iter().map(|r| (r.scored, r.score_sum)).collect();
        assert_eq!(scores, [(1, 5), (2, 6)], "{found:?}");
        assert_eq!(found.iter().map(|r| r.talk_ms).sum::<u64>(), 3 * 60_000 + 1_000, "without the survey");
        let found = agents(&[], &visits, &span, Wall(3 * day));
        let scores: Vec<(&str, u64, u64)> =
            found.iter().map(|r| (r.agent.as_str(), r.scored, r.score_sum)).collect();
        assert_eq!(scores, [("7", 1, 5), ("7", 2, 6)]);
    }

    #[test]
    fn an_agents_states_add_up_row_by_row() {
        let spell = |since: i64, state: AgentState, call: Option<u64>| AgentSpell {
            agent: "7".into(),
            state,
            since: Wall(since),
            cause: String::new(),
            call: call.map(CallId),
        };
        let spells = [
            spell(-HOUR, AgentState::Ready, None),
            spell(HOUR / 2, AgentState::Talking, Some(1)),
            spell(HOUR + HOUR / 2, AgentState::WrapUp, Some(1)),
            spell(2 * HOUR, AgentState::NotReady { reason: "lunch".into() }, None),
            spell(3 * HOUR, AgentState::LoggedOut, None),
        ];
        let rows = agents(&spells, &[], &span(5 * HOUR, Width::Hour), Wall(4 * HOUR));
        let signed: Vec<u64> = rows.iter().map(|r| r.signed_in_ms).collect();
        assert_eq!(signed, [3_600_000; 3], "three hours at work, then home");
        assert_eq!((rows[0].ready_ms, rows[0].talking_ms, rows[0].calls), (1_800_000, 1_800_000, 1));
        assert_eq!((rows[1].talking_ms, rows[1].wrap_up_ms, rows[1].calls), (1_800_000, 1_800_000, 0));
        assert_eq!(rows[2].reason_ms, BTreeMap::from([("lunch".to_owned(), 3_600_000)]));
        let total = agents(&spells, &[], &span(5 * HOUR, Width::Total), Wall(4 * HOUR));
        assert_eq!((total[0].signed_in_ms, total[0].calls), (10_800_000, 1));
        let day = agents(&spells, &[], &span(5 * HOUR, Width::Day), Wall(4 * HOUR));
        assert_eq!(day.iter().map(|r| r.signed_in_ms).sum::<u64>(), 10_800_000);
    }

    #[test]
    fn days_begin_at_midnight_of_the_site_also_when_clocks_change() {
        // 2026-03-29 00:00 in Berlin; that day has 23 hours.
        let midnight = Wall(1_774_738_800_000);
        let late = Wall(midnight.0 + 22 * HOUR + HOUR / 2);
        assert_eq!(row_of(late, Width::Day, Wall(0), "Europe/Berlin"), midnight);
        assert_eq!(
            row_end(midnight, Width::Day, Wall(i64::MAX), "Europe/Berlin"),
            Wall(midnight.0 + 23 * HOUR)
        );
    }
}
