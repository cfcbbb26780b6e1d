//! `belfry pace --stdio`: the pacing of the dialler and nothing else, over JSON lines, so that an outside simulator can
//! drive it in virtual time. One object a line; one answer to each `decide`, whatever it looks like, and to nothing else.
//! A line that cannot be taken is told on standard error and changes nothing. Reads no clock: every time is in the lines.
mod clock;
mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use clock::Clock;
use engine::dialer::pace::{AgentState, Decision, LineState, Pace, Terms};
use line::{AgentWord, CallWord, Line, key};
use serde_json::Value;

/// What `belfry pace --help` prints.
pub const MANUAL: &str = include_str!("pace/manual.txt");

/// Longest line taken: a hopper of some hundred thousand numbers.
const LINE_MAX: u64 = 16 << 20;
/// Names of agents, calls and segments known at once; far above what the pace follows.
const NAMES_MAX: usize = 100_000;
/// Complaints told; a broken simulator would else fill somebody's disk.
const COMPLAINTS_MAX: u32 = 50;
/// A number that was given to be dialled is given again after this long when nobody told that it was dialled.
const ASKED: f64 = 60.0;
/// A call without news no longer counts as a line after this long: while it rings or waits, while somebody talks. Its number
/// is still not given again before its end is told: nobody is dialled twice at once.
const FLYING: f64 = 600.0;
const TALKING: f64 = 7_200.0;
/// How often calls that were never told to be over are looked for.
const SWEEP: f64 = 60.0;

#[derive(serde::Serialize)]
struct Answer<'a> {
    dial: Vec<&'a Value>,
    cancel: Vec<Value>,
}

/// Names from outside as numbers for the pace.
#[derive(Default)]
struct Names(BTreeMap<String, u64>);

impl Names {
    /// Always the same for the same name; those beyond [`NAMES_MAX`] are all one.
    fn number(&mut self, name: String) -> u64 {
        let next = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        if self.0.len() < NAMES_MAX {
            *self.0.entry(name).or_insert(next)
        } else {
            *self.0.get(&name).unwrap_or(&next)
        }
    }
}

/// A call that is not over.
struct Call {
    number: u64,
    /// What it is called outside.
    name: Value,
    dialled: Option<String>,
    since: f64,
    talks: bool,
    cancelled: bool,
    /// Nobody told its end for so long that it no longer counts as a line.
    lost: bool,
}

struct Session {
    terms: Terms,
    pace: Pace,
    clock: Clock,
    agents: Names,
    segments: Names,
    calls: BTreeMap<String, Call>,
    by_number: BTreeMap<u64, String>,
    last_call: u64,
    /// Numbers that may not be given out, and until when; without end while their call is not over.
    taken: BTreeMap<String, f64>,
    swept: f64,
}

/// Answers until `end` or the end of the input. `complain` hears what could not be taken.
///
/// # Errors
/// The streams broke, or nobody ever said a `hello` that can be kept.
pub fn stdio(
    mut input: impl BufRead,
    mut output: impl Write,
    mut complain: impl FnMut(&str),
) -> Result<(), String> {
    let (mut session, mut missing, mut complaints): (Option<Session>, _, _) = (None, None, 0);
    let mut text = Vec::new();
    for number in 1_u64.. {
        if !next_line(&mut input, &mut text)? {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let done = match line::read(&text) {
            Ok(Line::End) => break,
            Ok(line) => take(&mut session, line, &mut output)?,
            Err(wrong) => {
                if line::wants_answer(&text) {
                    answer(&mut output, &Answer { dial: vec![], cancel: vec![] })?;
                }
                Err(wrong)
            }
        };
        if let Err(wrong) = done {
            let wrong = format!("line {number}: {wrong}");
            complaints += 1;
            if complaints <= COMPLAINTS_MAX {
                complain(&wrong);
            }
            missing.get_or_insert(wrong);
        }
    }
    if complaints > COMPLAINTS_MAX {
        complain(&format!("{complaints} lines could not be taken in all"));
    }
    // Whoever was never paced must not take the silence for advice.
    missing.filter(|_| session.is_none()).map_or(Ok(()), |wrong| Err(format!("nothing was paced: {wrong}")))
}

/// The next line without what is beyond [`LINE_MAX`]; false at the end.
fn next_line(input: &mut impl BufRead, text: &mut Vec<u8>) -> Result<bool, String> {
    text.clear();
    let failed = |e: std::io::Error| format!("standard input: {e}");
    let read = Read::by_ref(input).take(LINE_MAX).read_until(b'\n', text).map_err(failed)?;
    if read as u64 == LINE_MAX && text.last() != Some(&b'\n') {
        input.skip_until(b'\n').map_err(failed)?;
    }
    Ok(read > 0)
}

/// The outer error ends it all, the inner one is told.
fn take(
    session: &mut Option<Session>,
    line: Line,
    output: &mut impl Write,
) -> Result<Result<(), String>, String> {
    match (line, session.as_mut()) {
        (Line::Hello(terms), _) => *session = Some(Session::new(terms)),
        (Line::Decide { .. }, None) => {
            answer(output, &Answer { dial: vec![], cancel: vec![] })?;
            return Ok(Err(NO_HELLO.into()));
        }
        (Line::Decide { t, hopper }, Some(session)) => return session.decide(t, &hopper, output),
        (_, None) => return Ok(Err(NO_HELLO.into())),
        (line, Some(session)) => return Ok(session.hear(line)),
    }
    Ok(Ok(()))
}

const NO_HELLO: &str = "the first line must be {\"op\":\"hello\",\"proto\":1,…}";

fn answer(output: &mut impl Write, answer: &Answer) -> Result<(), String> {
    let mut text = serde_json::to_vec(answer).map_err(|e| e.to_string())?;
    text.push(b'\n');
    output.write_all(&text).and_then(|()| output.flush()).map_err(|e| format!("standard output: {e}"))
}

impl Session {
    fn new(terms: Terms) -> Session {
        Session {
            pace: Pace::new(terms),
            terms,
            clock: Clock::default(),
            agents: Names::default(),
            segments: Names::default(),
            calls: BTreeMap::new(),
            by_number: BTreeMap::new(),
            last_call: 0,
            taken: BTreeMap::new(),
            swept: 0.0,
        }
    }

    fn hear(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Hello(_) | Line::Decide { .. } | Line::End => {}
            Line::Day(t) => self.day(t),
            Line::Agent { t, id, word, since } => {
                let now = self.clock.at(t);
                let since = self.clock.since(t, since);
                self.agent(id, word, since, now);
            }
            Line::Call { t, id, word, number, segment, since } => {
                self.clock.at(t);
                let since = self.clock.since(t, since);
                return self.call(&id, word, number, segment, since);
            }
            Line::Live { t, abandoned } => {
                let now = self.clock.at(t);
                self.pace.live(now, abandoned);
            }
        }
        Ok(())
    }

    /// A new shift: calls and agents are forgotten, what was learned is kept.
    fn day(&mut self, t: Option<f64>) {
        self.pace.day();
        self.calls.clear();
        self.by_number.clear();
        self.taken.clear();
        self.clock = Clock::default();
        self.swept = 0.0;
        self.clock.at(t);
    }

    fn agent(&mut self, id: String, word: AgentWord, since: f64, now: f64) {
        let id = self.agents.number(id);
        match word {
            AgentWord::Pause => self.pace.agent(id, AgentState::Pause, since),
            AgentWord::PauseReq => self.pace.agent_leaves(id, now),
            AgentWord::Ready => self.pace.agent(id, AgentState::Ready, since),
            AgentWord::Talk => self.pace.agent(id, AgentState::Talk, since),
            AgentWord::Wrap => self.pace.agent(id, AgentState::Wrap, since),
        }
    }

    fn call(
        &mut self,
        name: &Value,
        word: CallWord,
        number: Option<String>,
        segment: String,
        since: f64,
    ) -> Result<(), String> {
        let id = key(name);
        match word {
            CallWord::Dialled => return self.dialled(id, name, number, segment, since),
            CallWord::Goes(state) => {
                let call = self.calls.get_mut(&id).ok_or_else(|| format!("call {id} was never dialled"))?;
                self.pace.line(call.number, state, since);
                call.talks |= state == LineState::Served;
            }
            // Who was abandoned may be told to have hung up as well.
            CallWord::Ends(state) => self.ends(&id, state, since),
        }
        Ok(())
    }

    fn dialled(
        &mut self,
        id: String,
        name: &Value,
        number: Option<String>,
        segment: String,
        since: f64,
    ) -> Result<(), String> {
        if self.calls.get(&id).is_some_and(|call| !call.talks) {
            return Err(format!("call {id} is dialled already"));
        }
        self.ends(&id, LineState::Over, since);
        if self.calls.len() >= NAMES_MAX {
            return Err(format!("more than {NAMES_MAX} calls at once; tell those that are over"));
        }
        self.last_call += 1;
        let segment = self.segment(segment);
        self.pace.dialled(self.last_call, segment, since);
        if let Some(number) = &number {
            self.taken.insert(number.clone(), f64::INFINITY);
        }
        self.by_number.insert(self.last_call, id.clone());
        let (number, name, dialled) = (self.last_call, name.clone(), number);
        self.calls
            .insert(id, Call { number, name, dialled, since, talks: false, cancelled: false, lost: false });
        Ok(())
    }

    fn ends(&mut self, id: &str, state: LineState, since: f64) {
        let Some(call) = self.calls.remove(id) else { return };
        self.pace.line(call.number, state, since);
        self.by_number.remove(&call.number);
        if let Some(number) = &call.dialled {
            self.taken.remove(number);
        }
    }

    fn segment(&mut self, name: String) -> u32 {
        u32::try_from(self.segments.number(name)).unwrap_or(u32::MAX)
    }

    fn decide(
        &mut self,
        t: Option<f64>,
        hopper: &[(Value, String)],
        output: &mut impl Write,
    ) -> Result<Result<(), String>, String> {
        let now = self.clock.at(t);
        let lost = self.sweep(now);
        let mut seen = BTreeSet::new();
        let free = hopper.iter().filter(|(number, _)| {
            let number = key(number);
            self.taken.get(&number).is_none_or(|until| *until <= now) && seen.insert(number)
        });
        let free: Vec<&(Value, String)> = free.collect();
        let segments: Vec<u32> = free.iter().map(|(_, segment)| self.segment(segment.clone())).collect();
        let decided = catch_unwind(AssertUnwindSafe(|| self.pace.decide(now, &segments)));
        let (decision, told) = match decided {
            Ok(decision) => (decision, lost),
            Err(_) => {
                self.pace = Pace::new(self.terms);
                (Decision::default(), Err("the pace ran into a fault and begins anew".to_owned()))
            }
        };
        let dial: Vec<&Value> = free.iter().take(decision.launch).map(|(number, _)| number).collect();
        for number in &dial {
            self.taken.insert(key(number), now + ASKED);
        }
        let cancel = decision.give_up.iter().filter_map(|number| self.cancel(*number)).collect();
        answer(output, &Answer { dial, cancel })?;
        Ok(told)
    }

    /// What a line is called outside, the first time it is given up.
    fn cancel(&mut self, number: u64) -> Option<Value> {
        let call = self.calls.get_mut(self.by_number.get(&number)?)?;
        (!std::mem::replace(&mut call.cancelled, true)).then(|| call.name.clone())
    }

    /// Calls of which nobody ever said that they are over do not count as lines for ever.
    ///
    /// # Errors
    /// The first of those that were found now.
    fn sweep(&mut self, now: f64) -> Result<(), String> {
        if now < self.swept + SWEEP {
            return Ok(());
        }
        self.swept = now;
        self.taken.retain(|_, until| *until > now);
        let found = |call: &Call| !call.lost && now - call.since > if call.talks { TALKING } else { FLYING };
        let mut told = Ok(());
        for (id, call) in self.calls.iter_mut().filter(|(_, call)| found(call)) {
            call.lost = true;
            self.pace.line(call.number, LineState::Withdrawn, now);
            told = told.and(Err(format!(
                "nobody told the end of call {id}; it no longer counts as a line, but its number is not given out \
                 again before its end is told or another day begins"
            )));
        }
        told
    }
}

#[cfg(test)]
mod tests;
