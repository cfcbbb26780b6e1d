//! Ways to decide how many lines to launch: the shipped pacing, and the rules people know from elsewhere, written from
//! their published descriptions for comparison. A rule hears what happens and sees counts; it knows no outcome in advance.
use engine::dialer::pace::{AgentState, Decision, LineState, Pace, Terms};

/// Counts at the moment of a decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// Seconds since the shift began.
    pub now: f64,
    /// Agents who are free, in a call, in after-call work.
    pub ready: usize,
    /// In a call.
    pub talking: usize,
    /// In after-call work.
    pub wrapping: usize,
    /// Lines dialled and not yet with an agent or over.
    pub in_flight: usize,
    /// Persons who wait for an agent.
    pub waiting: usize,
    /// Today: lines dialled that ended or were answered.
    pub decided: usize,
    /// Today: lines that needed an agent.
    pub answered: usize,
    /// Today: persons who answered.
    pub live: usize,
    /// Today: persons abandoned.
    pub abandoned: usize,
}

impl View {
    /// Share of lines that need an agent; a third while nothing is known.
    fn answer_rate(&self) -> f64 {
        (real(self.answered) + 10.0) / (real(self.decided) + 30.0)
    }
}

/// Decides. Rules that need no history ignore the events.
pub trait Rule {
    /// A new shift.
    fn day(&mut self) {}
    /// An agent's new state.
    fn agent(&mut self, _id: u64, _state: AgentState, _now: f64) {}
    /// An agent goes after this call.
    fn leaves(&mut self, _id: u64, _now: f64) {}
    /// A line was dialled.
    fn dialled(&mut self, _id: u64, _segment: u32, _now: f64) {}
    /// A line went on or ended.
    fn line(&mut self, _id: u64, _state: LineState, _now: f64) {}
    /// A person was served or abandoned.
    fn live(&mut self, _now: f64, _abandoned: bool) {}
    /// How many of the offered numbers to dial.
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision;
}

/// A rule with its setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// The shipped pacing.
    Predictive,
    /// One line for each free agent, at once.
    Progressive,
    /// One line for each free agent, after so many seconds of looking at the record or finding the number.
    Prepared(f64),
    /// So many lines for each free agent.
    Ratio(f64),
    /// Lines for each free agent; none while more callers wait than a tenth of the agents; two a second and free agent.
    /// The plain queue dialler.
    QueueDialler(f64),
    /// A level of lines for each agent at work, corrected every 15 s by the share abandoned today, which counts only from
    /// fifty calls on; never below one. The setting is the size of a correction.
    AdaptiveLevel(f64),
    /// Agents free now and expected within twelve seconds, by mean times, over the answer rate; times a coefficient.
    PredictedIdle(f64),
    /// The most lines whose answers outnumber the agents free now or soon with at most this probability.
    Batch(f64),
}

impl Form {
    /// The rule, ready to start.
    #[must_use]
    pub fn rule(self, terms: Terms) -> Box<dyn Rule> {
        match self {
            Form::Predictive => Box::new(Shipped(Pace::new(terms))),
            Form::Progressive => Box::new(Counting(|view: &View| real(view.ready))),
            Form::Prepared(seconds) => Box::new(Prepared { seconds, due: vec![] }),
            Form::Ratio(ratio) => Box::new(Counting(move |view: &View| ratio * real(view.ready))),
            Form::QueueDialler(multiple) => {
                Box::new(Counting(move |view: &View| queue_dialler(view, multiple)))
            }
            Form::AdaptiveLevel(step) => {
                Box::new(AdaptiveLevel { step, target: terms.target, level: 1.0, next: 15.0 })
            }
            Form::PredictedIdle(coefficient) => {
                Box::new(PredictedIdle { coefficient, times: Times::default() })
            }
            Form::Batch(risk) => Box::new(Counting(move |view: &View| batch(view, risk))),
        }
    }

    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Form::Predictive => "predictive",
            Form::Progressive => "progressive",
            Form::Prepared(seconds) if seconds > 15.0 => "manual",
            Form::Prepared(_) => "preview",
            Form::Ratio(_) => "ratio",
            Form::QueueDialler(_) => "queue-dialler",
            Form::AdaptiveLevel(_) => "adaptive-level",
            Form::PredictedIdle(_) => "predicted-idle",
            Form::Batch(_) => "batch",
        }
    }

    /// The rules that have a setting, each with those to try.
    #[must_use]
    pub fn tunable() -> Vec<Vec<Form>> {
        let of = |make: fn(f64) -> Form, values: &[f64]| values.iter().map(|value| make(*value)).collect();
        vec![
            of(Form::Ratio, &[1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 10.0]),
            of(Form::QueueDialler, &[1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 10.0]),
            of(Form::AdaptiveLevel, &[0.01, 0.03, 0.1, 0.3]),
            of(Form::PredictedIdle, &[0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.2]),
            of(Form::Batch, &[0.01, 0.02, 0.05, 0.1, 0.2, 0.3]),
        ]
    }
}

struct Shipped(Pace);

impl Rule for Shipped {
    fn day(&mut self) {
        self.0.day();
    }
    fn agent(&mut self, id: u64, state: AgentState, now: f64) {
        self.0.agent(id, state, now);
    }
    fn leaves(&mut self, id: u64, now: f64) {
        self.0.agent_leaves(id, now);
    }
    fn dialled(&mut self, id: u64, segment: u32, now: f64) {
        self.0.dialled(id, segment, now);
    }
    fn line(&mut self, id: u64, state: LineState, now: f64) {
        self.0.line(id, state, now);
    }
    fn live(&mut self, now: f64, abandoned: bool) {
        self.0.live(now, abandoned);
    }
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision {
        self.0.decide(view.now, offered)
    }
}

/// Wants so many lines in flight, from counts alone.
struct Counting<F>(F);

impl<F: Fn(&View) -> f64> Rule for Counting<F> {
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision {
        launch((self.0)(view) - real(view.in_flight + view.waiting), offered)
    }
}

fn launch(lines: f64, offered: &[u32]) -> Decision {
    Decision { launch: whole(lines).min(offered.len()), give_up: vec![] }
}

fn queue_dialler(view: &View, multiple: f64) -> f64 {
    let at_work = view.ready + view.talking + view.wrapping;
    let most = if real(view.waiting) > 0.1 * real(at_work) { 0.0 } else { multiple * real(view.ready) };
    most.min(real(view.in_flight) + 2.0 * real(view.ready))
}

/// Half of those in after-call work count as free when the answer comes.
fn batch(view: &View, risk: f64) -> f64 {
    let free = view.ready + view.wrapping / 2;
    let rate = view.answer_rate();
    // P(at most `free` of n answer), by the binomial sum; n grows while the rest stays within the risk.
    let within = |lines: usize| {
        let (mut term, mut sum) = ((1.0 - rate).powf(real(lines)), 0.0);
        for answers in 0..=free.min(lines) {
            sum += term;
            term *= real(lines - answers) / real(answers + 1) * rate / (1.0 - rate);
        }
        1.0 - sum <= risk
    };
    real((0..500).take_while(|lines| within(*lines)).last().unwrap_or(0))
}

/// Each free agent without a line prepares, then dials.
struct Prepared {
    seconds: f64,
    due: Vec<f64>,
}

impl Rule for Prepared {
    fn day(&mut self) {
        self.due.clear();
    }
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision {
        let idle = view.ready.saturating_sub(view.in_flight + view.waiting);
        self.due.truncate(idle);
        self.due.resize(idle, view.now + self.seconds);
        let before = self.due.len();
        self.due.retain(|due| *due > view.now);
        launch(real(before - self.due.len()), offered)
    }
}

struct AdaptiveLevel {
    step: f64,
    target: f64,
    level: f64,
    next: f64,
}

impl Rule for AdaptiveLevel {
    fn day(&mut self) {
        (self.level, self.next) = (1.0, 15.0);
    }
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision {
        if view.now >= self.next {
            self.next = view.now + 15.0;
            let over = view.live >= 50 && real(view.abandoned) > self.target * real(view.live);
            let idle = view.ready > 0;
            self.level += if over {
                -4.0 * self.step
            } else if idle {
                self.step
            } else {
                0.0
            };
            self.level = self.level.clamp(1.0, 10.0);
        }
        let at_work = real(view.ready + view.talking);
        launch(self.level * at_work - real(view.in_flight + view.waiting + view.talking), offered)
    }
}

/// Mean talk and wrap-up so far.
struct Times {
    since: std::collections::BTreeMap<u64, (AgentState, f64)>,
    talk: (f64, f64),
    wrap: (f64, f64),
}

impl Default for Times {
    fn default() -> Self {
        Self { since: Default::default(), talk: (500.0, 5.0), wrap: (100.0, 5.0) }
    }
}

struct PredictedIdle {
    coefficient: f64,
    times: Times,
}

impl Rule for PredictedIdle {
    fn day(&mut self) {
        self.times.since.clear();
    }
    fn agent(&mut self, id: u64, state: AgentState, now: f64) {
        match self.times.since.insert(id, (state, now)) {
            Some((AgentState::Talk, since)) => add(&mut self.times.talk, now - since),
            Some((AgentState::Wrap, since)) => add(&mut self.times.wrap, now - since),
            Some((AgentState::Pause | AgentState::Ready, _)) | None => {}
        }
    }
    fn decide(&mut self, view: &View, offered: &[u32]) -> Decision {
        let (talk, wrap) = (self.times.talk.0 / self.times.talk.1, self.times.wrap.0 / self.times.wrap.1);
        // Within the twelve seconds that an answer takes; a talk must also be wrapped up.
        let soon = real(view.wrapping) * (1.0 - (-12.0 / wrap).exp())
            + real(view.talking) * (12.0 - wrap).max(0.0) / talk;
        let free = real(view.ready) + self.coefficient * soon;
        launch(self.coefficient * free / view.answer_rate() - real(view.in_flight + view.waiting), offered)
    }
}

fn add(sum: &mut (f64, f64), seconds: f64) {
    *sum = (sum.0 + seconds, sum.1 + 1.0);
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; below zero is zero")]
pub(super) fn whole(value: f64) -> usize {
    value.max(0.0) as usize
}

/// A count as a number to reckon with.
pub(super) fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
