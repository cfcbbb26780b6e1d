//! Decides how many lines a campaign launches now, and which late ones it gives up. Comes from a marginal rule: one more
//! line is dialled while the probability that its answer costs a call (its own or another one, for want of an agent), and
//! what it would gain by waiting a second, stay within the risk that the account of abandoned calls allows. Agents are
//! forecast one by one, lines by phase. The same code paces real campaigns, `belfry pace` and the simulator. Pure: times
//! are seconds given from outside. Never chooses whom to call.
mod budget;
mod line;
mod outlook;
mod rate;
mod spell;

use std::collections::{BTreeMap, VecDeque};

use budget::Budget;
use line::{Exit, Lines, Phase};
use outlook::Outlook;
use rate::Rates;
use spell::{Own, Spell};

/// Seconds looked ahead: the longest ring time plus the set-up.
const AHEAD: usize = 40;
/// Probability for each second from now.
type Density = [f64; AHEAD];

/// How much of the risk a second of waiting must save for the launch to wait: about the seconds an agent is idle between
/// two calls. 0, 2, 5, 10, 20, 50 were tried on the scenarios; 20 gave 0.8 points of utilisation over 0.
const PATIENCE: f64 = 20.0;
/// A late line is kept until its risk is this many times that of a launch: its ringing is already paid.
const LATE: f64 = 4.0;
/// Share of the answers that counts beyond the legal ring time: a line that would then find nobody is given up. 1, 0.5 and
/// 0 were tried on the scenarios; 0.5 gave 0.2 points of utilisation over 1.
const BEYOND: f64 = 0.5;
/// Seconds from dialling to ringing, about.
const SETUP: f64 = 3.0;
/// Probability that more answer than agents are free at which a campaign that may risk nothing still dials: so few plays of
/// the outlook as there are never show what may yet happen in half an hour.
const NEVER: f64 = 0.005;
/// Share of dials that need an agent in a part of the list of which nothing is known.
const UNKNOWN: f64 = 0.3;
/// Lines launched in one decision at most; the next one is a moment away.
const LAUNCHES_MAX: usize = 200;
/// Agents and lines followed; those beyond are told to nobody and cost nothing.
const AGENTS_MAX: usize = 1_000;
const LINES_MAX: usize = 4_000;

/// What the campaign is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Share of live answers that may be abandoned, 0 to 1.
    pub target: f64,
    /// Seconds from the answer until a call without an agent counts as abandoned.
    pub grace: f64,
    /// Seconds a line rings at least before we give it up.
    pub min_ring: f64,
    /// Seconds a line rings at most.
    pub ring_timeout: f64,
    /// Lines in use at once, calls with agents included.
    pub lines: usize,
    /// Launches a second.
    pub launches_per_second: f64,
    /// Whether a machine detector stands between answer and agent.
    pub detects: bool,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// Away, or not signed in.
    Pause,
    /// Free.
    Ready,
    /// In a call.
    Talk,
    /// In after-call work.
    Wrap,
}

/// What a line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// The party's phone rings.
    Ringing,
    /// Answered; not yet with an agent.
    Answered,
    /// A person waits for an agent.
    Waiting,
    /// With an agent, or abandoned: it needed an agent.
    Served,
    /// Busy, unknown number, nobody there, a machine, hung up.
    Over,
    /// Given up by us.
    Withdrawn,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// How many of the offered numbers to dial, from the first.
    pub launch: usize,
    /// Lines to give up.
    pub give_up: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Agent {
    state: AgentState,
    since: f64,
    /// Goes away after this call.
    leaves: bool,
    talk: Own,
    wrap: Own,
}

#[derive(Clone, Copy)]
struct Line {
    phase: Phase,
    since: f64,
    segment: u32,
}

/// A supervisor's hand on the forecast. It acts before the risk is looked at, which always holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hand {
    /// Factor on the number of agents about to be free, 0.5 to 1.5.
    pub coefficient: f64,
    /// That number itself.
    pub free_agents: Option<f64>,
}

impl Default for Hand {
    fn default() -> Hand {
        Hand { coefficient: 1.0, free_agents: None }
    }
}

/// The pace of one campaign.
pub struct Pace {
    terms: Terms,
    lines: Lines,
    rates: Rates,
    talk: Spell,
    wrap: Spell,
    budget: Budget,
    outlook: Outlook,
    agents: BTreeMap<u64, Agent>,
    in_flight: BTreeMap<u64, Line>,
    waiting: BTreeMap<u64, f64>,
    launched: VecDeque<f64>,
    hand: Hand,
    /// At the last decision, of the account: see there.
    wary: f64,
}

impl Pace {
    /// A campaign that knows nothing yet but what is usual.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            lines: Lines::new(terms.detects, terms.ring_timeout),
            rates: Rates::default(),
            talk: Spell::new(2.0, 600, 4.0, 110.0, 0.9),
            wrap: Spell::new(1.0, 300, 4.0, 20.0, 0.7),
            budget: Budget::new(terms.target),
            outlook: Outlook::new(terms.grace),
            agents: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            waiting: BTreeMap::new(),
            launched: VecDeque::new(),
            hand: Hand::default(),
            wary: 1.0,
            terms,
        }
    }

    /// Other terms from now on; what was learned is kept.
    pub fn terms(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// What a supervisor wants of the next decisions.
    pub fn hand(&mut self, hand: Hand) {
        self.hand = hand;
    }

    /// Live answers and abandoned ones of days before, the oldest first: the account goes on over a restart.
    pub fn remember(&mut self, days: &[(u32, u32)]) {
        self.budget.remember(days);
    }

    /// How many agents will be free this many seconds from now if nothing more is connected.
    #[must_use]
    pub fn soon(&self, now: f64, ahead: f64) -> u32 {
        u32::try_from(whole(self.about_free(now, ahead).round())).unwrap_or(u32::MAX)
    }

    fn about_free(&self, now: f64, ahead: f64) -> f64 {
        let until = whole(ahead).min(AHEAD);
        let within = |density: &Density| density[..until].iter().sum::<f64>();
        let agents = self.agents.values().filter(|agent| !agent.leaves);
        agents
            .map(|agent| {
                let elapsed = (now - agent.since).max(0.0);
                match agent.state {
                    AgentState::Pause => 0.0,
                    AgentState::Ready => 1.0,
                    AgentState::Wrap => within(&self.wrap.ends(elapsed, agent.wrap.factor())),
                    AgentState::Talk => {
                        let talk = self.talk.ends(elapsed, agent.talk.factor());
                        within(&then(&talk, &self.wrap.ends(0.0, agent.wrap.factor())))
                    }
                }
            })
            .sum()
    }

    /// A new shift: calls are forgotten and nobody is at work; what was learned, also of each agent, and the account are
    /// kept.
    pub fn day(&mut self) {
        if self.agents.len() >= AGENTS_MAX {
            self.agents.clear();
        }
        for agent in self.agents.values_mut() {
            (agent.state, agent.since, agent.leaves) = (AgentState::Pause, 0.0, false);
        }
        self.in_flight.clear();
        self.waiting.clear();
        self.launched.clear();
        self.budget.day();
    }

    /// An agent is in this state since then.
    pub fn agent(&mut self, id: u64, state: AgentState, since: f64) {
        if self.agents.len() >= AGENTS_MAX && !self.agents.contains_key(&id) {
            return;
        }
        let fresh = Agent { state, since, leaves: false, talk: Own::default(), wrap: Own::default() };
        let agent = self.agents.entry(id).or_insert(fresh);
        if agent.state == state {
            return;
        }
        let dwell = (since - agent.since).max(0.0);
        match agent.state {
            AgentState::Talk => learn(&mut self.talk, &mut agent.talk, dwell),
            AgentState::Wrap => learn(&mut self.wrap, &mut agent.wrap, dwell),
            AgentState::Pause | AgentState::Ready => {}
        }
        if matches!(state, AgentState::Pause | AgentState::Ready) {
            agent.leaves = false;
        }
        (agent.state, agent.since) = (state, since);
    }

    /// The agent asked to go away after the present call; one who is free goes at once.
    pub fn agent_leaves(&mut self, id: u64, now: f64) {
        match self.agents.get_mut(&id) {
            Some(agent) if agent.state != AgentState::Ready => agent.leaves = true,
            Some(_) => self.agent(id, AgentState::Pause, now),
            None => {}
        }
    }

    /// A line was dialled.
    pub fn dialled(&mut self, id: u64, segment: u32, since: f64) {
        if self.in_flight.len() < LINES_MAX {
            self.in_flight.insert(id, Line { phase: Phase::Setup, since, segment });
        }
    }

    /// A line went on or ended.
    pub fn line(&mut self, id: u64, state: LineState, since: f64) {
        match state {
            LineState::Ringing => self.goes_on(id, Phase::Setup, Phase::Ringing, since),
            LineState::Answered => self.answers(id, since),
            LineState::Waiting => {
                self.needs_agent(id, since);
                if self.waiting.len() < LINES_MAX {
                    self.waiting.insert(id, since);
                }
            }
            LineState::Served => {
                self.needs_agent(id, since);
                self.waiting.remove(&id);
            }
            LineState::Over => self.ends(id, Exit::Over, since),
            LineState::Withdrawn => self.ends(id, Exit::Withdrawn, since),
        }
    }

    fn answers(&mut self, id: u64, since: f64) {
        self.goes_on(id, Phase::Setup, Phase::Ringing, since);
        self.goes_on(id, Phase::Ringing, Phase::Answered, since);
    }

    fn needs_agent(&mut self, id: u64, since: f64) {
        self.answers(id, since);
        if let Some(line) = self.in_flight.remove(&id) {
            self.lines.ended(line.phase, since - line.since, Exit::On);
        }
    }

    fn ends(&mut self, id: u64, exit: Exit, since: f64) {
        self.waiting.remove(&id);
        if let Some(line) = self.in_flight.remove(&id) {
            if line.phase == Phase::Ringing {
                self.judge(line, since, false);
            }
            self.lines.ended(line.phase, since - line.since, exit);
        }
    }

    fn goes_on(&mut self, id: u64, from: Phase, to: Phase, since: f64) {
        let Some(line) = self.in_flight.get_mut(&id).filter(|line| line.phase == from) else { return };
        let before = std::mem::replace(line, Line { phase: to, since, segment: line.segment });
        if from == Phase::Ringing {
            self.judge(before, since, true);
        }
        self.lines.ended(from, since - before.since, Exit::On);
    }

    /// Answers of this segment to reckon with over those the curves expect.
    fn ratio(&self, segment: u32) -> f64 {
        self.rates.of(segment, UNKNOWN / self.lines.share().max(0.01)) * self.wary
    }

    fn judge(&mut self, line: Line, now: f64, answered: bool) {
        let expected = self.lines.expected_answers(now - line.since);
        self.rates.judge(line.segment, answered, expected);
    }

    /// A person answered: served in time, or abandoned. This is the account the law looks at.
    pub fn live(&mut self, now: f64, abandoned: bool) {
        self.budget.live(now, abandoned);
    }

    /// Live answers and abandoned ones of the last thirty days.
    #[must_use]
    pub fn account(&self) -> (f64, f64) {
        self.budget.account()
    }

    /// How many of the offered numbers (given by their segments, best first) to dial now, and which lines to give up.
    pub fn decide(&mut self, now: f64, offered: &[u32]) -> Decision {
        self.lines.refresh();
        self.talk.refresh();
        self.wrap.refresh();
        let at_work = self.agents.values().filter(|agent| agent.state != AgentState::Pause).count();
        self.wary = self.budget.wary(at_work);
        self.look_ahead(now);
        let risk = self.budget.risk(now, self.outlook.lost());
        let give_up = self.late(now, risk);
        Decision { launch: self.launch(now, risk, offered), give_up }
    }

    fn look_ahead(&mut self, now: f64) {
        let ready = self.agents.values().filter(|agent| agent.state == AgentState::Ready).count();
        let waiting = i32::try_from(self.waiting.len()).unwrap_or(i32::MAX);
        self.outlook.begin(i32::try_from(ready).unwrap_or(i32::MAX).saturating_sub(waiting));
        let trust = self.budget.trust();
        for agent in self.agents.values().filter(|agent| !agent.leaves) {
            let elapsed = (now - agent.since).max(0.0);
            let ends = match agent.state {
                AgentState::Wrap => self.wrap.ends(elapsed, agent.wrap.factor()),
                AgentState::Talk => {
                    let talk = self.talk.ends(elapsed, agent.talk.factor());
                    then(&talk, &self.wrap.ends(0.0, agent.wrap.factor()))
                }
                AgentState::Pause | AgentState::Ready => continue,
            };
            self.outlook.agent(&ends.map(|share| share * trust));
        }
        for line in self.in_flight.values() {
            let ratio = self.ratio(line.segment);
            let elapsed = now - line.since;
            let density = self.lines.arrival(line.phase, elapsed, ratio);
            self.outlook.line(&self.while_kept(density, line.phase, elapsed));
        }
        self.outlook.play();
    }

    /// Lines that rang the legal minimum and whose answer would now probably find nobody.
    fn late(&self, now: f64, risk: f64) -> Vec<u64> {
        let late = |line: &Line| line.phase == Phase::Ringing && now - line.since >= self.terms.min_ring;
        let hopeless = |line: &Line| {
            let density = self.lines.arrival(line.phase, now - line.since, self.ratio(line.segment));
            self.outlook.harm(&density) > risk * LATE
        };
        self.in_flight.iter().filter(|(_, line)| late(line) && hopeless(line)).map(|(id, _)| *id).collect()
    }

    fn launch(&mut self, now: f64, risk: f64, offered: &[u32]) -> usize {
        let room = self.room(now).min(self.by_hand(now));
        let mut launched = 0;
        // What is in flight counts only when nothing may be risked.
        let mut flying = if risk > 0.0 { None } else { Some(self.expected(now)) };
        for segment in offered.iter().take(room) {
            let density = self.lines.arrival(Phase::Setup, 0.0, self.ratio(*segment));
            if let Some(answers) = &mut flying {
                *answers += density.iter().sum::<f64>();
                if !self.surely_served(launched + 1, *answers) {
                    break;
                }
            }
            let density = self.while_kept(density, Phase::Setup, 0.0);
            let harm = self.outlook.harm(&density);
            let saved = harm - self.outlook.harm_later(&density);
            if harm + PATIENCE * saved > risk {
                break;
            }
            launched += 1;
            self.launched.push_back(now);
            self.outlook.line(&density);
            self.outlook.play();
        }
        launched
    }

    /// Answers of the lines in flight, about.
    fn expected(&self, now: f64) -> f64 {
        let answers =
            |line: &Line| self.lines.arrival(line.phase, now - line.since, self.ratio(line.segment));
        self.in_flight.values().map(|line| answers(line).iter().sum::<f64>()).sum()
    }

    /// Whether those who are free now suffice for every answer, with so many more lines and so many answers expected in all.
    fn surely_served(&self, more: usize, answers: f64) -> bool {
        let ready = self.agents.values().filter(|agent| agent.state == AgentState::Ready).count();
        let free = ready.saturating_sub(self.waiting.len());
        self.in_flight.len() + more <= free || more_than(free, answers) <= NEVER
    }

    /// What of a line's answers counts, now that it may be given up after the legal ring time.
    fn while_kept(&self, mut density: Density, phase: Phase, elapsed: f64) -> Density {
        let kept = match phase {
            Phase::Setup => self.terms.min_ring + (SETUP - elapsed).max(0.5),
            Phase::Ringing => (self.terms.min_ring - elapsed).max(0.0),
            Phase::Answered => return density,
        };
        let from = whole(kept + 1.0).min(AHEAD);
        density[from..].iter_mut().for_each(|share| *share *= BEYOND);
        density
    }

    /// Lines in flight that a supervisor's hand allows: their expected answers stay within the agents it sees about to be
    /// free. Without a hand it allows everything; it never allows more than the risk does.
    fn by_hand(&self, now: f64) -> usize {
        if self.hand == Hand::default() {
            return usize::MAX;
        }
        let ahead = real(AHEAD / 2);
        let agents =
            self.hand.free_agents.unwrap_or_else(|| self.about_free(now, ahead)) * self.hand.coefficient;
        let flying = self.expected(now) + real(self.waiting.len());
        let each = self.lines.arrival(Phase::Setup, 0.0, self.ratio(0)).iter().sum::<f64>().max(0.02);
        whole((agents - flying) / each)
    }

    /// Lines that may be dialled now, by channels and by launches a second. Nobody at work: none.
    fn room(&mut self, now: f64) -> usize {
        let rate = self.terms.launches_per_second;
        // Less than one a second: one in so many.
        let span = (1.0 / rate.max(0.0)).max(1.0);
        while self.launched.front().is_some_and(|at| *at <= now - span) {
            self.launched.pop_front();
        }
        let talking = self.agents.values().filter(|agent| agent.state == AgentState::Talk).count();
        let used = self.in_flight.len() + self.waiting.len() + talking;
        let most = if rate > 0.0 { rate.max(1.0) } else { 0.0 };
        let by_second = whole(most - real(self.launched.len()));
        self.terms.lines.saturating_sub(used).min(by_second).min(LAUNCHES_MAX)
    }
}

fn learn(all: &mut Spell, own: &mut Own, dwell: f64) {
    let factor = own.factor();
    own.ended(dwell, all.mean());
    all.ended(dwell / factor);
}

/// Probability of more than so many of many unlikely things, of which `mean` are expected (Poisson).
fn more_than(count: usize, mean: f64) -> f64 {
    let mut share = (-mean).exp();
    let mut most = share;
    for n in 1..=count {
        share *= mean / real(n);
        most += share;
    }
    1.0 - most
}

/// The density of the sum of two spans.
fn then(first: &Density, second: &Density) -> Density {
    let mut sum = [0.0; AHEAD];
    for (start, share) in first.iter().enumerate().filter(|(_, share)| **share > 1e-6) {
        for (slot, value) in sum[start..].iter_mut().enumerate() {
            *value += share * second[slot];
        }
    }
    sum
}

/// Shares of a gamma distribution in `bins` of `width`, together one.
fn gamma_form(mean: f64, cv: f64, bins: usize, width: f64) -> Vec<f64> {
    let shape = 1.0 / (cv * cv);
    let scale = mean / shape;
    let density = |x: f64| ((shape - 1.0) * (x / scale).ln() - x / scale).exp();
    let form: Vec<f64> = (0..bins).map(|bin| density((real(bin) + 0.5) * width)).collect();
    let sum: f64 = form.iter().sum();
    form.into_iter().map(|value| value / sum).collect()
}

/// Whole seconds or counts: nothing below zero, nothing that is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; below zero and NaN are zero"
)]
fn whole(value: f64) -> usize {
    value.max(0.0) as usize
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
