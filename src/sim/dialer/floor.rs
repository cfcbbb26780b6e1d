//! The floor itself: agents, lines and people, second by second between decisions. Decides nothing about launches; says
//! afterwards what came of them.
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use engine::dialer::pace::{AgentState, LineState, Terms};

use super::chance::Chance;
use super::rule::{Form, Rule, View, real, whole};
use super::scenario::Scenario;

/// Numbers offered at a decision; also the most that are dialled in a second.
const OFFERED: u64 = 60;
/// Numbers of a segment before the next one's turn.
const TURN: u64 = 50;

/// What came of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Seconds agents talked or wrapped up.
    pub busy_s: f64,
    /// Seconds agents were signed in and not on a break.
    pub at_work_s: f64,
    /// Lines dialled.
    pub dialled: usize,
    /// Lines given up by us.
    pub given_up: usize,
    /// Persons who answered.
    pub live: usize,
    /// Persons abandoned.
    pub abandoned: usize,
    /// Highest share abandoned in a half hour of the shift with at least forty live answers.
    pub worst_half_hour: f64,
    /// Highest share abandoned in an hour of the shift with at least a hundred live answers.
    pub worst_hour: f64,
}

impl Outcome {
    /// Talk and wrap-up over time at work.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.busy_s / self.at_work_s.max(1.0)
    }

    /// Abandoned over live answers.
    #[must_use]
    pub fn abandonment(&self) -> f64 {
        real(self.abandoned) / real(self.live).max(1.0)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Happening {
    Rings(u64),
    Ends(u64),
    Answers(u64, bool),
    NeedsAgent(u64, bool),
    GivesUp(u64),
    TalkEnds(usize),
    WrapEnds(usize),
    Break(usize),
    /// The scenario takes the agent away until this second of the shift.
    Sent(usize, f64),
    Back(usize),
}

#[derive(PartialEq)]
struct At(f64, u64, Happening);
impl Eq for At {}
impl Ord for At {
    // Reversed: the heap gives the earliest first, in the order they were planned.
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(other.1.cmp(&self.1))
    }
}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Agent {
    factor: f64,
    /// Place among the kinds that the scenario describes one by one.
    kind: Option<usize>,
    state: AgentState,
    since: f64,
    /// Goes on a break after this call.
    goes: bool,
    /// The next break of the agent's own lies ahead.
    break_ahead: bool,
    /// A break of the scenario's changes, not of the agent: back when it ends.
    sent_until: Option<f64>,
}

struct Floor<'a> {
    scenario: &'a Scenario,
    rule: Box<dyn Rule>,
    chance: Chance,
    now: f64,
    heap: BinaryHeap<At>,
    planned: u64,
    agents: Vec<Agent>,
    /// Lines not yet with an agent: whether a person is there.
    lines: BTreeMap<u64, bool>,
    waiting: Vec<(u64, bool)>,
    next_line: u64,
    /// The first is 1.
    day: u32,
    view: View,
    outcome: Outcome,
    /// Live answers and abandoned ones of this half hour and hour.
    half_hour: (usize, usize),
    hour: (usize, usize),
    launched: Vec<f64>,
}

/// Plays the shifts of a scenario with a rule. The same seed is the same run.
#[must_use]
pub fn run(scenario: &Scenario, form: Form, seed: u64) -> Outcome {
    let mut floor = Floor::new(scenario, form.rule(terms(scenario)), seed);
    (0..scenario.days).for_each(|day| _ = floor.shift(day > 0, &|| true));
    floor.outcome
}

/// The same for as long as `goes_on` says so; `None` when it was broken off.
pub fn run_while(scenario: &Scenario, form: Form, seed: u64, goes_on: &dyn Fn() -> bool) -> Option<Outcome> {
    let mut floor = Floor::new(scenario, form.rule(terms(scenario)), seed);
    (0..scenario.days).all(|day| floor.shift(day > 0, goes_on)).then_some(floor.outcome)
}

fn terms(scenario: &Scenario) -> Terms {
    let agents = real(scenario.count());
    Terms {
        target: scenario.target,
        grace: scenario.grace_s,
        min_ring: scenario.min_ring_s,
        ring_timeout: scenario.ring_timeout_s,
        lines: scenario.trunk.lines_per_agent.map_or(usize::MAX, |lines| whole((lines * agents).ceil())),
        launches_per_second: scenario.trunk.calls_per_s.unwrap_or(f64::INFINITY),
        detects: scenario.detector.is_some(),
    }
}

impl<'a> Floor<'a> {
    fn new(scenario: &'a Scenario, rule: Box<dyn Rule>, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let described = scenario.agent.iter().enumerate();
        let kinds = described.flat_map(|(kind, one)| (0..one.count).map(move |_| Some(kind)));
        let agents = kinds
            .chain(std::iter::repeat(None))
            .take(scenario.count())
            .map(|kind| Agent {
                factor: match kind.and_then(|kind| scenario.agent.get(kind)) {
                    Some(one) => one.factor * chance.factor(one.spread),
                    None => chance.factor(scenario.agents.spread),
                },
                kind,
                state: AgentState::Pause,
                since: 0.0,
                goes: false,
                break_ahead: false,
                sent_until: None,
            })
            .collect();
        Self {
            scenario,
            rule,
            chance,
            now: 0.0,
            heap: BinaryHeap::new(),
            planned: 0,
            agents,
            lines: BTreeMap::new(),
            waiting: vec![],
            next_line: 1,
            day: 0,
            view: View::default(),
            outcome: Outcome::default(),
            half_hour: (0, 0),
            hour: (0, 0),
            launched: vec![],
        }
    }

    /// One shift; false when it was broken off.
    fn shift(&mut self, again: bool, goes_on: &dyn Fn() -> bool) -> bool {
        if again {
            self.rule.day();
        }
        self.day += 1;
        (self.now, self.view) = (0.0, View::default());
        self.heap.clear();
        self.lines.clear();
        self.waiting.clear();
        (self.half_hour, self.hour) = ((0, 0), (0, 0));
        for id in 0..self.agents.len() {
            let agent = &mut self.agents[id];
            (agent.state, agent.since) = (AgentState::Pause, 0.0);
            (agent.goes, agent.break_ahead, agent.sent_until) = (false, false, None);
            self.begin(id);
        }
        self.plan_changes();
        let end = self.scenario.hours * 3_600.0;
        let mut second = 0.0;
        while second < end {
            second += 1.0;
            while self.heap.peek().is_some_and(|at| at.0 <= second) {
                if let Some(At(at, _, happening)) = self.heap.pop() {
                    self.now = at;
                    self.happens(happening);
                }
            }
            self.now = second;
            self.close_spans();
            self.decide();
            if second % 30.0 == 0.0 && !goes_on() {
                return false;
            }
        }
        (0..self.agents.len()).for_each(|id| self.set(id, AgentState::Pause));
        true
    }

    fn plan(&mut self, after: f64, happening: Happening) {
        self.planned += 1;
        self.heap.push(At(self.now + after, self.planned, happening));
    }

    fn plan_break(&mut self, id: usize) {
        if self.scenario.agents.break_min_per_h > 0.0 && !self.agents[id].break_ahead {
            self.agents[id].break_ahead = true;
            let after = self.chance.until(3_600.0);
            self.plan(after, Happening::Break(id));
        }
    }

    /// An agent comes to work, now or later, and goes when told.
    fn begin(&mut self, id: usize) {
        let hours = self.kind(id).map(|kind| (kind.from_h * 3_600.0, kind.to_h * 3_600.0));
        match hours {
            Some((from, _)) if from > 0.0 => self.plan(from, Happening::Back(id)),
            Some(_) | None => {
                self.set(id, AgentState::Ready);
                self.plan_break(id);
            }
        }
        let over = self.scenario.hours * 3_600.0;
        if let Some((_, to)) = hours.filter(|(_, to)| *to < over) {
            // Not back before the next shift.
            self.plan(to, Happening::Sent(id, 2.0 * over));
        }
    }

    fn kind(&self, id: usize) -> Option<&'a super::scenario::Agent> {
        self.agents[id].kind.and_then(|kind| self.scenario.agent.get(kind))
    }

    fn plan_changes(&mut self) {
        let day = self.day;
        for change in self.scenario.change.iter().filter(|change| change.is_of(day)) {
            let stay = whole((change.agents * real(self.agents.len())).round());
            for id in stay..self.agents.len() {
                self.plan(change.from_h * 3_600.0, Happening::Sent(id, change.to_h * 3_600.0));
            }
        }
    }

    /// What the changes of this moment say of something.
    fn factor(&self, of: impl Fn(&super::scenario::Change) -> f64) -> f64 {
        self.scenario.factor(self.day, self.now / 3_600.0, of)
    }

    fn set(&mut self, id: usize, state: AgentState) {
        let agent = &mut self.agents[id];
        let spent = self.now - agent.since;
        let busy = matches!(agent.state, AgentState::Talk | AgentState::Wrap);
        self.outcome.busy_s += if busy { spent } else { 0.0 };
        self.outcome.at_work_s += if agent.state == AgentState::Pause { 0.0 } else { spent };
        (agent.state, agent.since) = (state, self.now);
        self.rule.agent(name(id), state, self.now);
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Rings(line) if self.lines.contains_key(&line) => {
                self.rule.line(line, LineState::Ringing, self.now)
            }
            Happening::Ends(line) => self.over(line, LineState::Over),
            Happening::Answers(line, person) if self.lines.contains_key(&line) => self.answered(line, person),
            Happening::NeedsAgent(line, person) if self.lines.contains_key(&line) => {
                self.needs_agent(line, person)
            }
            Happening::Rings(_) | Happening::Answers(..) | Happening::NeedsAgent(..) => {}
            Happening::GivesUp(line) => self.gives_up(line),
            Happening::TalkEnds(id) => {
                self.set(id, AgentState::Wrap);
                let wrap = self.kind(id).and_then(|kind| kind.wrap.as_ref()).unwrap_or(&self.scenario.wrap);
                let factor = self.factor(|change| change.wrap) * self.agents[id].factor;
                let seconds = self.chance.time(wrap) * factor;
                self.plan(seconds, Happening::WrapEnds(id));
            }
            Happening::WrapEnds(id) if self.agents[id].goes => self.goes(id),
            Happening::WrapEnds(id) => self.free(id),
            Happening::Break(id) => {
                self.agents[id].break_ahead = false;
                self.wants_to_go(id);
            }
            Happening::Sent(id, until) => {
                let until = self.agents[id].sent_until.map_or(until, |sent| sent.max(until));
                self.agents[id].sent_until = Some(until);
                self.wants_to_go(id);
            }
            // Sent away while on a break, or before coming to work.
            Happening::Back(id) if self.is_sent(id) => self.away(id),
            Happening::Back(id) => {
                self.plan_break(id);
                self.free(id);
            }
        }
    }

    fn wants_to_go(&mut self, id: usize) {
        match self.agents[id].state {
            AgentState::Pause => {}
            AgentState::Ready => self.goes(id),
            AgentState::Talk | AgentState::Wrap => {
                self.agents[id].goes = true;
                self.rule.leaves(name(id), self.now);
            }
        }
    }

    fn goes(&mut self, id: usize) {
        self.agents[id].goes = false;
        self.set(id, AgentState::Pause);
        self.away(id);
    }

    fn is_sent(&self, id: usize) -> bool {
        self.agents[id].sent_until.is_some_and(|until| until > self.now)
    }

    fn away(&mut self, id: usize) {
        let sent = self.agents[id].sent_until.filter(|until| *until > self.now);
        let away = sent.map_or(self.scenario.agents.break_min_per_h * 60.0, |until| until - self.now);
        self.plan(away, Happening::Back(id));
    }

    fn free(&mut self, id: usize) {
        self.set(id, AgentState::Ready);
        if !self.waiting.is_empty() {
            let (line, person) = self.waiting.remove(0);
            self.connect(line, person, id);
        }
    }

    fn over(&mut self, line: u64, how: LineState) {
        if self.lines.remove(&line).is_some() {
            self.view.decided += 1;
            self.rule.line(line, how, self.now);
        }
    }

    fn answered(&mut self, line: u64, person: bool) {
        self.rule.line(line, LineState::Answered, self.now);
        let Some(detector) = &self.scenario.detector else { return self.needs_agent(line, person) };
        let passes = if person {
            !self.chance.happens(detector.person_as_machine)
        } else {
            self.chance.happens(detector.machine_missed)
        };
        let after = self.chance.time(&detector.decides);
        if passes {
            self.plan(after, Happening::NeedsAgent(line, person));
        } else {
            self.plan(after, Happening::Ends(line));
            if person {
                self.live(true);
            }
        }
    }

    fn needs_agent(&mut self, line: u64, person: bool) {
        self.view.decided += 1;
        self.view.answered += 1;
        let longest = |a: &usize, b: &usize| self.agents[*a].since.total_cmp(&self.agents[*b].since);
        let free =
            (0..self.agents.len()).filter(|id| self.agents[*id].state == AgentState::Ready).min_by(longest);
        match free {
            Some(id) => self.connect(line, person, id),
            None => {
                self.waiting.push((line, person));
                self.rule.line(line, LineState::Waiting, self.now);
                let patience = self.scenario.list.patience.as_ref().filter(|_| person);
                let factor = self.factor(|change| change.patience);
                let patience = patience.map(|span| self.chance.time(span) * factor);
                let waits = patience.unwrap_or(f64::INFINITY).min(self.scenario.grace_s);
                self.plan(waits, Happening::GivesUp(line));
            }
        }
    }

    fn gives_up(&mut self, line: u64) {
        let Some(place) = self.waiting.iter().position(|(waits, _)| *waits == line) else { return };
        let (_, person) = self.waiting.remove(place);
        self.lines.remove(&line);
        self.rule.line(line, LineState::Served, self.now);
        if person {
            self.live(true);
        }
    }

    fn connect(&mut self, line: u64, person: bool, id: usize) {
        self.lines.remove(&line);
        self.rule.line(line, LineState::Served, self.now);
        self.set(id, AgentState::Talk);
        let seconds = if person {
            self.talk(id) * self.agents[id].factor
        } else {
            self.chance.time(&self.scenario.list.machine_talk)
        };
        self.plan(seconds, Happening::TalkEnds(id));
        if person {
            self.live(false);
        }
    }

    fn talk(&mut self, id: usize) -> f64 {
        let kinds = self.kind(id).and_then(|kind| kind.talk.as_ref()).unwrap_or(&self.scenario.talk);
        let all: f64 = kinds.iter().map(|talk| talk.share).sum();
        let mut place = self.chance.share() * all;
        let kind = kinds
            .iter()
            .find(|talk| {
                place -= talk.share;
                place < 0.0
            })
            .or(kinds.last());
        let factor = self.factor(|change| change.talk);
        kind.map_or(0.0, |kind| self.chance.time(&kind.span) * factor)
    }

    fn live(&mut self, abandoned: bool) {
        let lost = usize::from(abandoned);
        (self.outcome.live, self.outcome.abandoned) = (self.outcome.live + 1, self.outcome.abandoned + lost);
        (self.view.live, self.view.abandoned) = (self.view.live + 1, self.view.abandoned + lost);
        self.rule.live(self.now, abandoned);
        for span in [&mut self.half_hour, &mut self.hour] {
            *span = (span.0 + 1, span.1 + lost);
        }
    }

    /// The shares of the half hours and hours of the clock, where there were enough answers to speak of shares.
    fn close_spans(&mut self) {
        let worst = &mut self.outcome;
        for (seconds, least, span, most) in [
            (1_800.0, 40, &mut self.half_hour, &mut worst.worst_half_hour),
            (3_600.0, 100, &mut self.hour, &mut worst.worst_hour),
        ] {
            if self.now % seconds == 0.0 {
                let (live, abandoned) = std::mem::take(span);
                if live >= least {
                    *most = most.max(real(abandoned) / real(live));
                }
            }
        }
    }

    fn decide(&mut self) {
        let end = self.scenario.list.numbers.map_or(u64::MAX, |numbers| u64::from(numbers) + 1);
        let end = end.min(self.next_line + OFFERED);
        let room = self.room();
        let offered: Vec<u32> = (self.next_line..end).take(room).map(|line| self.segment(line)).collect();
        let in_state = |state| self.agents.iter().filter(|agent| agent.state == state).count();
        self.view = View {
            now: self.now,
            ready: in_state(AgentState::Ready),
            talking: in_state(AgentState::Talk),
            wrapping: in_state(AgentState::Wrap),
            in_flight: self.lines.len() - self.waiting.len(),
            waiting: self.waiting.len(),
            ..self.view
        };
        let decision = self.rule.decide(&self.view, &offered);
        for line in decision.give_up {
            self.outcome.given_up += usize::from(self.lines.contains_key(&line));
            self.over(line, LineState::Withdrawn);
        }
        for segment in offered.into_iter().take(decision.launch) {
            self.dial(segment);
        }
    }

    fn segment(&self, line: u64) -> u32 {
        let segments = u64::try_from(self.scenario.list.segments.len()).unwrap_or(1);
        u32::try_from(line / TURN % segments).unwrap_or(0)
    }

    /// What the trunk allows; the rules of others know nothing of it.
    fn room(&mut self) -> usize {
        let terms = terms(self.scenario);
        let rate = terms.launches_per_second;
        // Less than one a second: one in so many.
        let span = (1.0 / rate).max(1.0);
        self.launched.retain(|at| *at > self.now - span && *at <= self.now);
        let talking = self.agents.iter().filter(|agent| agent.state == AgentState::Talk).count();
        let used = self.lines.len() + talking;
        let part = self.factor(|change| change.lines);
        let lines = if part == 0.0 { 0 } else { whole(real(terms.lines) * part) };
        lines.saturating_sub(used).min(whole(rate.max(1.0) - real(self.launched.len())))
    }

    fn dial(&mut self, segment: u32) {
        let line = self.next_line;
        self.next_line += 1;
        self.outcome.dialled += 1;
        self.launched.push(self.now);
        self.lines.insert(line, false);
        self.rule.dialled(line, segment, self.now);
        let list = &self.scenario.list;
        let of_segment = usize::try_from(segment)
            .ok()
            .and_then(|segment| list.segments.get(segment))
            .copied()
            .unwrap_or(1.0);
        let machine = list.machine * self.factor(|change| change.machine);
        let nobody = list.busy * self.factor(|change| change.busy)
            + list.invalid * self.factor(|change| change.invalid);
        let rest = (1.0 - machine - nobody).max(0.0);
        let live = (list.live * of_segment * self.factor(|change| change.live)).min(rest);
        let setup = self.chance.time(&list.setup);
        let place = self.chance.share();
        if place < nobody {
            return self.plan(setup, Happening::Ends(line));
        }
        self.plan(setup, Happening::Rings(line));
        let (person, machine) = (place - nobody < live, place > 1.0 - machine);
        let ring = if machine { &list.machine_ring } else { &list.ring };
        let rings = self.chance.time(ring) * self.factor(|change| change.ring);
        if (person || machine) && rings <= self.scenario.ring_timeout_s {
            self.plan(setup + rings, Happening::Answers(line, person));
        } else {
            self.plan(setup + self.scenario.ring_timeout_s, Happening::Ends(line));
        }
    }
}

fn name(id: usize) -> u64 {
    u64::try_from(id).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(agents: usize) -> Scenario {
        let mut scenario = Scenario { hours: 2.0, ..Scenario::default() };
        scenario.agents.count = u32::try_from(agents).ok();
        scenario
    }

    #[test]
    fn the_same_seed_is_the_same_run() {
        let twice = || run(&short(5), Form::Predictive, 7);
        assert_eq!(format!("{:?}", twice()), format!("{:?}", twice()));
    }

    #[test]
    fn one_line_for_each_free_agent_abandons_nobody() {
        let outcome = run(&short(5), Form::Progressive, 1);
        assert_eq!(outcome.abandoned, 0);
        assert!((0.6..0.75).contains(&outcome.utilisation()), "{outcome:?}");
    }

    #[test]
    fn the_shipped_pacing_finds_more_work_than_one_line_an_agent_within_the_bound() {
        let outcome = run(&Scenario { hours: 8.0, ..short(5) }, Form::Predictive, 3);
        assert!(outcome.utilisation() > 0.77, "{outcome:?}");
        assert!(outcome.abandonment() <= 0.03, "{outcome:?}");
    }

    #[test]
    fn answers_that_leap_six_times_every_quarter_of_an_hour_do_not_break_the_bound() {
        let mut leaps = String::from("agents = { count = 10 }\nlist = { live = 0.05 }\n");
        for turn in (0..16).map(f64::from) {
            leaps += &format!(
                "[[change]]\nfrom_h = {}\nto_h = {}\nlive = 6\n",
                0.25 + turn / 2.0,
                0.5 + turn / 2.0
            );
        }
        let outcomes = [301, 302].map(|seed| run(&read(&leaps), Form::Predictive, seed));
        let (live, lost) = outcomes.iter().fold((0, 0), |sum, one| (sum.0 + one.live, sum.1 + one.abandoned));
        assert!(real(lost) <= 0.03 * real(live), "{outcomes:?}");
        assert!(outcomes.iter().all(|one| one.utilisation() > 0.7), "{outcomes:?}");
    }

    #[test]
    fn breaks_and_changes_take_agents_away_and_bring_them_back() {
        let mut scenario = Scenario { hours: 8.0, ..Scenario::named("shock").unwrap() };
        scenario.agents.count = Some(10);
        let outcome = run(&scenario, Form::Progressive, 1);
        let away = 80.0 * 3_600.0 - outcome.at_work_s;
        assert!((3_000.0 * 4.0..=3_600.0 * 4.0).contains(&away), "four of ten are away for an hour: {away}");
    }

    fn read(text: &str) -> Scenario {
        Scenario::read(text).unwrap()
    }

    #[test]
    fn two_absences_of_the_same_agents_end_each_at_its_own_hour() {
        let text = "hours = 8\n[agents]\ncount = 4\n[[change]]\nfrom_h = 1\nto_h = 2\nagents = 0.5\n[[change]]\nfrom_h = 5\nto_h = 6\nagents = 0.5\n";
        let outcome = run(&read(text), Form::Progressive, 1);
        let away = 4.0 * 8.0 * 3_600.0 - outcome.at_work_s;
        assert!((12_500.0..=14_400.0).contains(&away), "two of four, an hour, twice: {away}");
    }

    #[test]
    fn agents_of_their_own_kind_come_talk_and_go_as_they_are_described() {
        let text = "hours = 4\n[[agent]]\ncount = 2\nfrom_h = 1\nto_h = 3\ntalk = [{ mean_s = 60, form = \"fixed\" }]\nwrap = { values_s = [10] }\n";
        let outcome = run(&read(text), Form::Progressive, 1);
        let at_work = 2.0 * 2.0 * 3_600.0;
        assert!((at_work..at_work + 200.0).contains(&outcome.at_work_s), "{}", outcome.at_work_s);
        let each = outcome.busy_s / real(outcome.live);
        assert!((69.9..70.1).contains(&each), "a minute of talk and ten seconds: {each}");
    }

    #[test]
    fn who_has_no_patience_is_abandoned_more_often() {
        let abandoned = |patience: &str| {
            let text =
                format!("hours = 4\ngrace_s = 20\n[agents]\ncount = 4\n[list]\nlive = 0.6\n{patience}\n");
            run(&read(&text), Form::Ratio(3.0), 1).abandonment()
        };
        let (patient, hasty) =
            (abandoned(""), abandoned("patience = { mean_s = 1, form = \"exponential\" }"));
        assert!(hasty > 1.5 * patient, "{hasty} {patient}");
    }

    #[test]
    fn a_lost_trunk_and_the_end_of_the_list_end_the_dialling() {
        let lost = read("hours = 0.5\n[[change]]\nfrom_h = 0\nto_h = 24\nlines = 0\n");
        assert_eq!(run(&lost, Form::Predictive, 1).dialled, 0);
        let short = read("hours = 2\n[list]\nnumbers = 100\n");
        assert_eq!(run(&short, Form::Predictive, 1).dialled, 100);
    }

    #[test]
    fn a_trunk_of_one_call_in_five_seconds_is_used() {
        let slow = read("hours = 1\n[agents]\ncount = 12\n[trunk]\ncalls_per_s = 0.2\n");
        let dialled = run(&slow, Form::Predictive, 1).dialled;
        assert!((500..=720).contains(&dialled), "one in five seconds for an hour: {dialled}");
    }
}
