//! A third party says which agent gets a caller. It is asked once, when the caller comes, and the box never waits for it: the
//! caller hears music, and when no answer is there by its time the rules of the queue decide as if nobody had been asked.
//! Until then the caller stands in no line; the rank is that of the arrival. Parts of [`Acd`]; speaks no HTTP.
use super::ticket::{Only, Ticket};
use super::{Acd, Out, Reason, overflow::Why, relax};
use crate::ivr::{Fields, field};
use model::clock::Now;
use model::config::queue::{Decide, Queue};
use model::config::route::Destination;
use model::id::CallId;
use std::time::Duration;

impl Acd {
    /// Asks for a caller who comes.
    pub(super) fn ask_outside(&mut self, now: Now, ticket: Ticket, rules: &Queue, out: &mut Vec<Out>) {
        let Some(decide) = &rules.decide else { return self.take_in(now, ticket, rules, out) };
        let call = ticket.call;
        out.push(Out::Music { call, source: rules.music.clone() });
        out.push(Out::Decide {
            call,
            url: self.question(decide, rules, &ticket),
            timeout_ms: decide.timeout_ms,
        });
        self.deadlines.set(Reason::Decide(call), now.mono + Duration::from_millis(decide.timeout_ms.into()));
        self.deciding.insert(call, ticket);
    }

    fn question(&self, decide: &Decide, rules: &Queue, ticket: &Ticket) -> String {
        let free: Vec<&str> = self.free_agents(rules).iter().map(|(_, a)| a.id.as_str()).collect();
        let waiting = self.lines.get(&rules.name).map_or(0, super::Line::len);
        let fields = Fields::from([
            ("caller".to_owned(), ticket.caller.party.number.clone()),
            ("class".to_owned(), ticket.caller.class.clone()),
            ("free".to_owned(), free.join(",")),
            ("queue".to_owned(), rules.name.clone()),
            ("waiting".to_owned(), waiting.to_string()),
        ]);
        field::filled(&fields, &decide.url, field::escape)
    }

    /// The answer, or `None` when there is none of use. One for a caller who is gone, or that comes late, does nothing.
    pub fn decided(&mut self, now: Now, call: CallId, agent: Option<&str>, out: &mut Vec<Out>) {
        let Some(mut ticket) = self.deciding.remove(&call) else { return };
        self.deadlines.clear(&Reason::Decide(call));
        let config = self.config.clone();
        let Some(rules) = config.queue.get(&ticket.queue) else {
            out.push(Out::Overflow { call, to: Destination::HangUp, why: Why::Removed });
            return self.finish(now, out);
        };
        let may = |id: &&str| {
            rules.agents.iter().any(|a| a == id) && self.agents.get(id).is_some_and(|a| a.logged_in())
        };
        if let Some(agent) = agent.filter(may) {
            let wait = rules.decide.as_ref().map_or(0, |d| d.wait_s);
            let until = Some(Duration::from_secs(wait.into()));
            ticket.preferred = Some(agent.to_owned());
            ticket.only = (wait > 0).then(|| Only { agents: vec![agent.to_owned()], until });
            ticket.wanted = relax::wanted(rules, &ticket, now.mono.since(ticket.since.mono));
        }
        self.take_in(now, ticket, rules, out);
        self.finish(now, out);
    }
}

#[cfg(test)]
mod tests {
    use crate::acd::Out;
    use crate::acd::tests::{Desk, offer};
    use model::config::queue::Decide;
    use model::id::CallId;
    use std::time::Duration;

    fn desk(wait_s: u32) -> Desk {
        let url = "http://crm/who?n={caller}&free={free}".to_owned();
        Desk::new(|q| q.decide = Some(Decide { url, timeout_ms: 300, wait_s }))
    }

    fn decided(desk: &mut Desk, call: u64, agent: Option<&str>) {
        desk.acd.decided(desk.now, CallId(call), agent, &mut desk.out);
        desk.fine();
    }

    fn pass(desk: &mut Desk, ms: u64) {
        desk.now.mono = desk.now.mono + Duration::from_millis(ms);
        desk.acd.timeout(desk.now, &mut desk.out);
        desk.fine();
    }

    /// E3: both agents are free, and agent 1 is longest idle.
    #[test]
    fn the_agent_that_the_service_names_gets_the_caller() {
        let mut desk = desk(0);
        desk.caller(1);
        let asked = |o: &Out| matches!(o, Out::Decide { url, .. } if url == "http://crm/who?n=&free=1%2C2");
        assert!(desk.out.iter().any(asked), "{:?}", desk.out);
        assert_eq!(desk.offers(), []);
        decided(&mut desk, 1, Some("2"));
        assert_eq!(desk.offers(), [offer(1, "2")]);
    }

    #[test]
    fn a_service_that_is_silent_or_names_nobody_leaves_it_to_the_queue() {
        let mut desk = desk(0);
        desk.caller(1);
        pass(&mut desk, 299);
        assert_eq!(desk.offers(), []);
        pass(&mut desk, 1);
        assert_eq!(desk.offers(), [offer(1, "1")]);
        decided(&mut desk, 1, Some("2"));
        assert_eq!(desk.offers(), [], "too late");
        desk.caller(2);
        decided(&mut desk, 2, Some("nobody"));
        assert_eq!(desk.offers(), [offer(2, "2")]);
    }

    #[test]
    fn who_hangs_up_meanwhile_is_gone_and_one_may_wait_for_the_agent_named() {
        let mut desk = desk(10);
        desk.caller(1);
        desk.acd.abandon(desk.now, CallId(1), &mut desk.out);
        decided(&mut desk, 1, Some("2"));
        assert_eq!((desk.offers(), desk.acd.deadline()), (vec![], None));
        desk.caller(2);
        decided(&mut desk, 2, Some("2"));
        desk.caller(3);
        decided(&mut desk, 3, Some("2"));
        assert_eq!(desk.offers(), [offer(2, "2")], "the other one waits for agent 2 too");
        desk.wait(10);
        assert_eq!(desk.offers(), [offer(3, "1")]);
    }
}
