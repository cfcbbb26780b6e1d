//! Star codes of agents at their desk phones: what each does and which prompt answers. Every code works without a screen.
//! Decides nothing about states (that is `agents.rs`); never dials.
use super::{Acd, Out};
use crate::agents::Ask;
use model::clock::Now;
use model::media::Digit;
use model::number::Number;
use model::record::{AgentState, Record};
use model::refusal::Refusal;

/// A code as dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Goes to work, or home when at work.
    LoginOrOut,
    /// Pauses; the digit after the code names the reason.
    Pause(Option<Digit>),
    /// Free again.
    Ready,
    /// What the last call was about: two digits.
    WrapCode(Number),
    /// Ends after-call work early.
    WrapUpDone,
}

/// Reasons of pause by the digit that follows the code; shown on the desks as they are.
const REASONS: [(char, &str); 5] =
    [('0', "pause"), ('1', "break"), ('2', "lunch"), ('3', "meeting"), ('4', "training")];

/// Every prompt a code may be answered with.
pub const PROMPTS: [&str; 10] = [
    "agent-logged-in",
    "agent-logged-out",
    "agent-ready",
    "agent-paused",
    "agent-wrap-up-done",
    "agent-wrap-code-saved",
    "agent-wrap-code-wrong",
    "agent-not-logged-in",
    "agent-in-call",
    "agent-unknown",
];

impl Acd {
    /// Carries out a code dialled at a phone. Returns the name of the prompt that tells the agent what happened.
    pub fn code(&mut self, now: Now, extension: &Number, code: &Code, out: &mut Vec<Out>) -> &'static str {
        let Some(agent) = self.agents().at(extension) else { return "agent-unknown" };
        let (id, at_work, wraps) = (agent.id.clone(), agent.logged_in(), agent.state == AgentState::WrapUp);
        let (ask, cause, done) = match code {
            Code::LoginOrOut if at_work => (Ask::Logout, "logout code", "agent-logged-out"),
            Code::LoginOrOut => (Ask::Login, "login code", "agent-logged-in"),
            Code::Pause(digit) => (Ask::Pause(reason(*digit)), "pause code", "agent-paused"),
            Code::Ready => (Ask::Ready, "ready code", "agent-ready"),
            Code::WrapUpDone if at_work && !wraps => return "agent-ready",
            Code::WrapUpDone => (Ask::Ready, "wrap-up done code", "agent-wrap-up-done"),
            Code::WrapCode(digits) => return self.wrap_code(now, &id, digits, out),
        };
        match self.ask(now, &id, &ask, cause, out) {
            Ok(()) => done,
            Err(Refusal::Conflict) if at_work => "agent-in-call",
            Err(_) => "agent-not-logged-in",
        }
    }

    /// Keeps the code with the agent's last call, as a spell of the state the agent is in.
    fn wrap_code(&mut self, now: Now, id: &str, digits: &Number, out: &mut Vec<Out>) -> &'static str {
        if digits.as_str().len() != 2 || !digits.as_str().chars().all(|c| c.is_ascii_digit()) {
            return "agent-wrap-code-wrong";
        }
        match self.agents().get(id) {
            Some(agent) if !agent.logged_in() => return "agent-not-logged-in",
            Some(agent) if agent.last_call.is_none() => return "agent-wrap-code-wrong",
            Some(_) | None => {}
        }
        if let Some(spell) = self.agents_mut().note(now, id, &format!("wrap code {digits}")) {
            out.push(Out::Keep(Record::AgentState(spell)));
        }
        "agent-wrap-code-saved"
    }
}

fn reason(digit: Option<Digit>) -> String {
    let key = digit.map_or('0', Digit::as_char);
    REASONS.iter().find(|(c, _)| *c == key).map_or("pause", |(_, word)| *word).to_owned()
}
