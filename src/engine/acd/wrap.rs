//! After-call work beyond its plain end: codes that say what a call was about, compulsory where the queue says so, and more
//! time for it. Parts of [`Acd`]. Changes of state go through `work.rs`.
use super::{Acd, Out, Reason};
use model::clock::Now;
use model::config::queue::Queue;
use model::record::{AgentState, Record};
use model::refusal::Refusal;
use std::time::Duration;

/// Most extensions of one spell of after-call work: nobody is forgotten in it for a day.
const EXTENSIONS_MAX: u32 = 20;

impl Acd {
    fn last_queue(&self, agent: &str) -> Option<&Queue> {
        let queue = self.agents().get(agent)?.last_queue.as_ref()?;
        self.config.queue.get(queue)
    }

    /// Whether the agent must still say what the call was about.
    pub(super) fn owes_code(&self, agent: &str) -> bool {
        let unsaid = self.agents().get(agent).is_some_and(|a| {
            a.state == AgentState::WrapUp
                && a.wrap_code.is_none()
                && a.call.is_some()
                && a.call == a.last_call
        });
        unsaid && self.last_queue(agent).is_some_and(|q| q.wrap_code_required && !q.wrap_codes.is_empty())
    }

    /// Keeps a code with the agent's last call; after-call work that only waited for it ends.
    ///
    /// # Errors
    /// `Unknown` for an agent who is not there; `Conflict` when not at work or without a call; `Malformed` for a code that
    /// the queue of that call does not have.
    pub fn wrap_code(&mut self, now: Now, id: &str, code: &str, out: &mut Vec<Out>) -> Result<(), Refusal> {
        let agent = self.agents().get(id).ok_or(Refusal::Unknown)?;
        if !agent.logged_in() || agent.last_call.is_none() {
            return Err(Refusal::Conflict);
        }
        let two = code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit());
        let listed = self
            .last_queue(id)
            .is_none_or(|q| q.wrap_codes.is_empty() || q.wrap_codes.iter().any(|c| c.code == code));
        if !two || !listed {
            return Err(Refusal::Malformed);
        }
        let waited_for = self.owes_code(id) && !self.deadlines.has(&Reason::WrapUp(id.to_owned()));
        if let Some(agent) = self.agents_mut().get_mut(id) {
            agent.wrap_code = Some(code.to_owned());
        }
        if let Some(spell) = self.agents_mut().note(now, id, &format!("wrap code {code}")) {
            out.push(Out::Keep(Record::AgentState(spell)));
        }
        if waited_for {
            self.wrapped(now, id, "wrap code said", None, out);
        } else {
            self.tell_agent(id, out);
        }
        self.finish(now, out);
        Ok(())
    }

    /// After-call work ends, unless a code is still owed: then the agent stays in it.
    pub(super) fn wrap_up_over(&mut self, now: Now, id: &str, out: &mut Vec<Out>) {
        if self.owes_code(id) {
            self.tell_agent(id, out);
        } else {
            self.wrapped(now, id, "wrap-up time over", None, out);
        }
    }

    /// More time for after-call work.
    ///
    /// # Errors
    /// `Unknown` for an agent who is not there, `Conflict` outside of after-call work, `Forbidden` where the queue gives no
    /// more.
    pub fn extend(&mut self, now: Now, id: &str, out: &mut Vec<Out>) -> Result<(), Refusal> {
        let agent = self.agents().get(id).ok_or(Refusal::Unknown)?;
        if agent.state != AgentState::WrapUp {
            return Err(Refusal::Conflict);
        }
        let more = self.last_queue(id).map_or(0, |q| q.wrap_extend_s);
        if more == 0 || agent.extensions >= EXTENSIONS_MAX {
            return Err(Refusal::Forbidden);
        }
        let reason = Reason::WrapUp(id.to_owned());
        let from = self.deadlines.at(&reason).unwrap_or(now.mono);
        self.deadlines.set(reason, from + Duration::from_secs(more.into()));
        if let Some(agent) = self.agents_mut().get_mut(id) {
            agent.extensions += 1;
        }
        if let Some(spell) = self.agents_mut().note(now, id, &format!("wrap-up extended by {more} s")) {
            out.push(Out::Keep(Record::AgentState(spell)));
        }
        self.tell_agent(id, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::OfferResult;
    use crate::acd::code::Code;
    use crate::acd::tests::Desk;
    use crate::agents::Ask;
    use crate::fixture::number;
    use model::config::queue::WrapCode;

    fn desk(required: bool) -> Desk {
        let mut desk = Desk::new(|q| {
            (q.agents, q.max_wait_s) = (vec!["1".into()], 0);
            (q.wrap_up_s, q.wrap_extend_s, q.wrap_code_required) = (10, 30, required);
            q.wrap_codes = vec![WrapCode { code: "01".into(), name: "Order".into() }];
        });
        desk.caller(1);
        assert!(desk.result(1, "1", OfferResult::Answered));
        desk.ends(1);
        desk.out.clear();
        desk
    }

    fn dial(desk: &mut Desk, code: &Code) -> &'static str {
        let prompt = desk.acd.code(desk.now, &number("102"), code, &mut desk.out);
        desk.fine();
        prompt
    }

    /// E11.
    #[test]
    fn no_call_reaches_an_agent_who_owes_a_compulsory_code() {
        let mut desk = desk(true);
        desk.caller(2);
        desk.wait(300);
        assert_eq!((desk.offers(), desk.state("1")), (vec![], AgentState::WrapUp));
        assert!(desk.acd.owes_code("1"));
        let refused = desk.acd.ask(desk.now, "1", &Ask::Ready, "test", &mut desk.out);
        assert_eq!(refused, Err(Refusal::Conflict));
        assert_eq!(dial(&mut desk, &Code::WrapUpDone), "agent-wrap-code-needed");
        assert_eq!(
            dial(&mut desk, &Code::WrapCode(number("02"))),
            "agent-wrap-code-wrong",
            "not in the list"
        );
        assert_eq!(dial(&mut desk, &Code::WrapCode(number("01"))), "agent-wrap-code-saved");
        assert_eq!(desk.offers().len(), 1, "the next caller in the same step");
        let kept = |o: &Out| matches!(o, Out::Keep(Record::AgentState(s)) if s.cause == "wrap code 01");
        desk.out.clear();
        assert!(desk.result(2, "1", OfferResult::Answered));
        desk.ends(2);
        assert_eq!(dial(&mut desk, &Code::WrapCode(number("01"))), "agent-wrap-code-saved");
        assert!(desk.out.iter().any(kept));
        assert_eq!(desk.state("1"), AgentState::WrapUp, "said in time: the rest of the time stays");
        desk.wait(10);
        assert_eq!(desk.state("1"), AgentState::Ready);
    }

    #[test]
    fn without_compulsion_the_time_ends_by_itself_and_may_be_extended() {
        let mut desk = desk(false);
        desk.wait(9);
        assert_eq!(dial(&mut desk, &Code::WrapUpMore), "agent-wrap-up-extended");
        desk.wait(30);
        assert_eq!(desk.state("1"), AgentState::WrapUp);
        desk.wait(1);
        assert_eq!(desk.state("1"), AgentState::Ready);
        assert_eq!(dial(&mut desk, &Code::WrapUpMore), "agent-wrap-up-not-extended");
    }
}
