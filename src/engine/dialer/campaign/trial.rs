//! A running attempt: what happened to its call so far, and what follows from its end: the account of abandoned calls, the
//! pace, the record, the next try.
use super::{Campaign, Desk, Out, seconds};
use crate::dialer::again::again;
use crate::dialer::pace::LineState;
use model::campaign::{AttemptRecord, CallResult, Ending, Entry, Heard, Moment, Step};
use model::clock::{Mono, Now};
use model::config::campaign::Form;
use model::id::CallId;
use model::media::{Evidence, Finding, Information};
use model::record::{Record, Said};

/// What a call tells its campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The party's phone rings.
    Ringing,
    /// It was answered.
    Answered,
    /// This agent has the call.
    Connected(String),
    /// No agent in time: the identity is said.
    Message,
    /// A flow speaks.
    Flow,
    /// The network refuses, and says why in a word of its own: a Q.850 cause. The code follows.
    Cause(u16),
    /// The network refuses with this code.
    Refused(u16),
    /// It rang for its whole time.
    NoAnswer,
    /// What was heard at the far end, and why it is thought so.
    Found(Finding, Evidence),
    /// The campaign's message was left on a machine.
    Left,
}

/// A running attempt.
#[derive(Debug)]
pub(super) struct Trial {
    pub attempt: AttemptRecord,
    pub entry: Entry,
    pub began: Mono,
    pub given_up: bool,
    pub said: Option<Said>,
    /// What was read of its entry may be out of date.
    pub doubtful: bool,
    cause: Option<u16>,
    refused: Option<Ending>,
    /// No person, whoever it was connected to.
    found: Option<Ending>,
    /// A machine is left a message: no agent has to do with it any more.
    pub alone: bool,
}

impl Trial {
    pub fn new(now: Mono, attempt: AttemptRecord, entry: Entry) -> Trial {
        Trial {
            attempt,
            entry,
            began: now,
            given_up: false,
            said: None,
            doubtful: false,
            cause: None,
            refused: None,
            found: None,
            alone: false,
        }
    }

    fn note(&mut self, now: Now, step: Step) {
        let ms = u64::try_from(now.mono.since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.attempt.moments.push(Moment { ms, step });
    }

    pub fn has(&self, step: Step) -> bool {
        self.attempt.at_ms(step).is_some()
    }

    /// Dialled and not answered yet.
    pub fn is_flying(&self) -> bool {
        !self.has(Step::Answered)
    }

    /// Answered, and nobody has it yet.
    pub fn is_waiting(&self) -> bool {
        self.has(Step::Answered) && self.attempt.moments.last().is_some_and(|m| m.step == Step::Answered)
    }

    fn ending(&self) -> Ending {
        let reached = [
            (Step::Connected, Ending::Connected),
            (Step::Message, Ending::Abandoned),
            (Step::Flow, Ending::FlowServed),
            (Step::Answered, Ending::HungUpWaiting),
        ];
        match self.found {
            Some(Ending::Machine) if self.has(Step::Left) => return Ending::MessageLeft,
            Some(found) => return found,
            None => {}
        }
        let reached = reached.into_iter().find(|(step, _)| self.has(*step)).map(|(_, ending)| ending);
        let given_up = self.given_up.then_some(Ending::GivenUp);
        reached.or(self.refused).or(given_up).unwrap_or(Ending::NetworkFailure)
    }
}

impl Campaign {
    /// The INVITE leaves now.
    pub(super) fn dialled(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(trial) = self.trials.get_mut(&call) else { return };
        trial.began = now.mono;
        trial.note(now, Step::Dialled);
        self.tally.attempts += 1;
        let segment = self.settings.lists.iter().position(|l| l == &trial.entry.list).unwrap_or(0);
        if trial.attempt.agent.is_none() {
            let segment = u32::try_from(segment).unwrap_or(0);
            self.pace.pace.dialled(call.0, segment, seconds(now.mono));
        }
        if let Some(agent) = trial.attempt.agent.clone() {
            let desk = Desk::of_trial(now, trial);
            self.show(agent, desk, out);
        }
    }

    /// Something happened to its call.
    pub fn told(&mut self, now: Now, call: CallId, told: Told, out: &mut Vec<Out>) {
        let Some(trial) = self.trials.get_mut(&call) else { return };
        let at = seconds(now.mono);
        match told {
            Told::Ringing if !trial.has(Step::Ringing) => {
                trial.note(now, Step::Ringing);
                self.pace.pace.line(call.0, LineState::Ringing, at);
            }
            Told::Ringing => {}
            Told::Answered => {
                trial.note(now, Step::Answered);
                self.pace.pace.line(call.0, LineState::Waiting, at);
            }
            Told::Connected(agent) => {
                trial.note(now, Step::Connected);
                trial.attempt.agent = Some(agent.clone());
                self.pace.pace.line(call.0, LineState::Served, at);
                let desk = Desk::of_trial(now, trial);
                self.show(agent, desk, out);
            }
            Told::Message => {
                trial.note(now, Step::Message);
                self.pace.pace.line(call.0, LineState::Served, at);
            }
            Told::Flow => {
                trial.note(now, Step::Flow);
                self.pace.pace.line(call.0, LineState::Served, at);
            }
            Told::Cause(cause) => trial.cause = Some(cause),
            Told::Refused(code) => {
                trial.attempt.code = code;
                trial.refused = Some(Ending::of_refusal(code, trial.cause.take()));
            }
            Told::NoAnswer => trial.refused = Some(Ending::NoAnswer),
            Told::Found(finding, evidence) => self.found(now, call, finding, evidence, out),
            Told::Left => trial.note(now, Step::Left),
        }
    }

    /// Something is known of the far end.
    fn found(&mut self, now: Now, call: CallId, finding: Finding, evidence: Evidence, out: &mut Vec<Out>) {
        let Some(trial) = self.trials.get_mut(&call) else { return };
        let ending = ending_of(finding);
        // What was decided first stands; ringing decides nothing.
        if ending.is_some() || matches!(finding, Finding::Person | Finding::Unsure(_)) {
            let ms = u64::try_from(now.mono.since(trial.began).as_millis()).unwrap_or(u64::MAX);
            trial.attempt.heard.get_or_insert(Heard { what: finding.word().into(), ms, evidence });
        }
        let Some(ending) = ending else { return };
        let known = trial.found.replace(ending) == Some(ending);
        if ending != Ending::Machine || self.settings.machines.message.is_none() {
            out.push(Out::GiveUp(call));
            return;
        }
        if !known {
            self.leave_alone(now, call, out);
        }
        if matches!(finding, Finding::Beep | Finding::GreetingOver) {
            out.push(Out::Speak(call));
        }
    }

    /// A machine is to be left a message: its agent is free for others at once.
    fn leave_alone(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(trial) = self.trials.get_mut(&call) else { return };
        trial.alone = true;
        self.pace.pace.line(call.0, LineState::Over, seconds(now.mono));
        let agent = trial.attempt.agent.clone();
        self.call_left_desk(now, call, CallResult::Machine, out);
        out.extend(agent.map(|agent| Out::Release(agent, call)));
        out.push(Out::Machine(call));
    }

    /// Its call is over: the record, the account, the next try.
    pub fn over(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(mut trial) = self.trials.remove(&call) else { return };
        trial.note(now, Step::Ended);
        let ending = trial.ending();
        let result = ending.result();
        let line = if ending == Ending::GivenUp { LineState::Withdrawn } else { LineState::Over };
        self.pace.pace.line(call.0, line, seconds(now.mono));
        self.count(now, result, trial.attempt.form);
        let attempts = trial.entry.attempts + 1;
        trial.attempt.again = again(&self.settings, result, attempts, &trial.entry.zones, now.wall);
        trial.attempt.ending = Some(ending);
        trial.attempt.ended = Some(now.wall);
        if let Some(agent) = &trial.attempt.agent {
            out.push(Out::Release(agent.clone(), call));
        }
        self.call_left_desk(now, call, result, out);
        out.push(Out::Keep(Record::AttemptEnded(trial.attempt)));
        if let Some(said) = trial.said {
            out.push(Out::Keep(Record::AttemptSaid(said)));
        }
    }

    /// It was never dialled: the rules stood against it at the last moment. Its entry comes back by the rules.
    pub(super) fn write_off(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        let Some(mut trial) = self.trials.remove(&call) else { return };
        trial.attempt.ended = Some(now.wall);
        trial.attempt.ending = Some(Ending::GivenUp);
        trial.attempt.again =
            again(&self.settings, CallResult::NoAnswer, trial.entry.attempts, &trial.entry.zones, now.wall);
        if let Some(agent) = &trial.attempt.agent {
            out.push(Out::Release(agent.clone(), call));
        }
        out.push(Out::Keep(Record::AttemptEnded(trial.attempt)));
    }

    fn count(&mut self, now: Now, result: CallResult, form: Form) {
        let word = serde_word(result);
        *self.tally.results.entry(word).or_default() += 1;
        if !result.is_live() || form == Form::Automatic {
            return;
        }
        let abandoned = result == CallResult::Abandoned;
        self.tally.live += 1;
        self.tally.abandoned += u32::from(abandoned);
        self.account.0 += 1;
        self.account.1 += u32::from(abandoned);
        self.pace.pace.live(seconds(now.mono), abandoned);
    }
}

/// How a call ends that has this at its far end; `None`: it goes on. Who may be a person is one.
fn ending_of(finding: Finding) -> Option<Ending> {
    match finding {
        Finding::Busy => Some(Ending::BusyTone),
        Finding::Congestion | Finding::Information(Information::Reorder | Information::NoCircuit) => {
            Some(Ending::Congestion)
        }
        Finding::Information(Information::Any | Information::Intercept | Information::VacantCode) => {
            Some(Ending::ServiceTone)
        }
        Finding::Fax => Some(Ending::Fax),
        Finding::Machine | Finding::Beep | Finding::GreetingOver => Some(Ending::Machine),
        Finding::Ringing | Finding::Announcement | Finding::Person | Finding::Unsure(_) => None,
    }
}

/// The word of a result, as in the records.
fn serde_word(result: CallResult) -> String {
    match result {
        CallResult::Abandoned => "abandoned",
        CallResult::Busy => "busy",
        CallResult::Fax => "fax",
        CallResult::FlowDone => "flow_done",
        CallResult::HungUp => "hung_up",
        CallResult::Invalid => "invalid",
        CallResult::Machine => "machine",
        CallResult::MessageLeft => "message_left",
        CallResult::Network => "network",
        CallResult::NoAnswer => "no_answer",
        CallResult::Refused => "refused",
        CallResult::Talked => "talked",
        CallResult::Unreachable => "unreachable",
    }
    .to_owned()
}
