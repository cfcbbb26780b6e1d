//! Star codes of agents at their desk phones: what each does and which prompt answers. Every code works without a screen.
//! Decides nothing about states (that is `agents.rs`); never dials.
use super::{Acd, Out};
use crate::agents::Ask;
use model::clock::Now;
use model::media::Digit;
use model::number::Number;
use model::record::AgentState;
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
    /// More time for after-call work.
    WrapUpMore,
    /// In or out of the campaigns of the own queues. Whoever has some carries it out; here nobody has.
    Campaigns,
}

/// Every prompt a code may be answered with.
pub const PROMPTS: [&str; 16] = [
    "agent-logged-in",
    "agent-logged-out",
    "agent-ready",
    "agent-paused",
    "agent-wrap-up-done",
    "agent-wrap-code-saved",
    "agent-wrap-code-wrong",
    "agent-wrap-code-needed",
    "agent-wrap-up-extended",
    "agent-wrap-up-not-extended",
    "agent-not-logged-in",
    "agent-in-call",
    "agent-unknown",
    "campaign-joined",
    "campaign-left",
    "campaign-none",
];

impl Acd {
    /// Carries out a code dialled at a phone. Returns the name of the prompt that tells the agent what happened.
    pub fn code(&mut self, now: Now, extension: &Number, code: &Code, out: &mut Vec<Out>) -> &'static str {
        let Some(agent) = self.agents().at(extension) else { return "agent-unknown" };
        let (id, at_work, wraps) = (agent.id.clone(), agent.logged_in(), agent.state == AgentState::WrapUp);
        let (ask, cause, done) = match code {
            Code::LoginOrOut if at_work => (Ask::Logout, "logout code", "agent-logged-out"),
            Code::LoginOrOut => (Ask::Login, "login code", "agent-logged-in"),
            Code::Pause(digit) => (Ask::Pause(self.reason_by(*digit)), "pause code", "agent-paused"),
            Code::Ready => (Ask::Ready, "ready code", "agent-ready"),
            Code::WrapUpDone if at_work && !wraps => return "agent-ready",
            Code::WrapUpDone => (Ask::Ready, "wrap-up done code", "agent-wrap-up-done"),
            Code::WrapCode(digits) => return self.say_code(now, &id, digits, out),
            Code::WrapUpMore => return self.more_time(now, &id, out),
            Code::Campaigns => return "campaign-none",
        };
        match self.ask(now, &id, &ask, cause, out) {
            Ok(()) => done,
            Err(Refusal::Conflict) if self.owes_code(&id) => "agent-wrap-code-needed",
            Err(Refusal::Conflict) if at_work => "agent-in-call",
            Err(_) => "agent-not-logged-in",
        }
    }

    fn say_code(&mut self, now: Now, id: &str, digits: &Number, out: &mut Vec<Out>) -> &'static str {
        match self.wrap_code(now, id, digits.as_str(), out) {
            Ok(()) => "agent-wrap-code-saved",
            Err(_) if self.agents().get(id).is_some_and(|a| !a.logged_in()) => "agent-not-logged-in",
            Err(_) => "agent-wrap-code-wrong",
        }
    }

    fn more_time(&mut self, now: Now, id: &str, out: &mut Vec<Out>) -> &'static str {
        match self.extend(now, id, out) {
            Ok(()) => "agent-wrap-up-extended",
            Err(_) => "agent-wrap-up-not-extended",
        }
    }
}
