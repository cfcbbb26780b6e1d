//! What the desks see of queues and agents, and how often. Parts of [`Acd`]; decides nothing about calls.
use super::forecast::Wait;
use super::rank::Line;
use super::tally::Tally;
use super::{Acd, Out, Reason};
use model::clock::Now;
use model::config::queue::Queue;
use model::notice::{Notice, QueueView, WaitingView};
use std::time::Duration;

/// More waiting callers than this and the queue is shown with a delay of at most [`TELL_EVERY`].
const TELL_AT_ONCE: usize = 20;

/// See [`TELL_AT_ONCE`].
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Most waiting callers listed in a view: a wallboard shows fewer.
const TELL_MOST: usize = 50;

/// What the desks see.
impl Acd {
    pub(super) fn finish(&mut self, now: Now, out: &mut Vec<Out>) {
        self.settle(now, out);
        for queue in std::mem::take(&mut self.changed) {
            self.tell_queue(now, queue, out);
        }
    }

    pub(super) fn touch(&mut self, queue: &str) {
        self.open.insert(queue.to_owned());
        self.changed.insert(queue.to_owned());
    }

    pub(super) fn tally(&mut self, now: Now, queue: &str) -> &mut Tally {
        let tally = self.tallies.entry(queue.to_owned()).or_default();
        tally.roll(now.wall, &self.config.system.time_zone);
        tally
    }

    pub(super) fn tell_agent(&self, id: &str, out: &mut Vec<Out>) {
        if let Some(agent) = self.agents.get(id) {
            let reasons = &self.config.distribution.reason;
            out.push(Out::Notice(Notice::Agent(self.agents.view(agent, self.owes_code(id), reasons))));
        }
    }

    pub(super) fn tell_queue(&mut self, now: Now, queue: String, out: &mut Vec<Out>) {
        let config = self.config.clone();
        let Some(rules) = config.queue.get(&queue) else { return };
        let long = self.lines.get(&queue).is_some_and(|line| line.len() > TELL_AT_ONCE);
        let again = self.told.get(&queue).map(|told| *told + TELL_EVERY).filter(|again| *again > now.mono);
        if let Some(again) = again.filter(|_| long) {
            return self.deadlines.set(Reason::Tell(queue), again);
        }
        self.deadlines.clear(&Reason::Tell(queue.clone()));
        self.told.insert(queue, now.mono);
        let view = self.view(now, rules);
        out.push(Out::Notice(Notice::Queue(view)));
    }

    /// How long the caller at this place will wait; unknown while nobody is at work who takes calls.
    pub(super) fn outlook(&self, rules: &Queue, place: usize) -> Option<Wait> {
        let anybody = self.agents.counts(&rules.name).serving > 0;
        self.forecasts.get(&rules.name).filter(|_| anybody)?.wait(place)
    }

    pub(super) fn view(&mut self, now: Now, rules: &Queue) -> QueueView {
        let tally = self.tally(now, &rules.name).clone();
        let next = self.lines.get(&rules.name).map_or(0, Line::len) + 1;
        let wait = self.outlook(rules, next);
        let seconds = |d: Duration| u32::try_from(d.as_secs()).ok();
        let states = self.agents.counts(&rules.name);
        let in_order = self.lines.get(&rules.name).map(|line| line.first(TELL_MOST)).unwrap_or_default();
        QueueView {
            queue: rules.name.clone(),
            waiting: in_order
                .iter()
                .filter_map(|call| self.tickets.get(call))
                .map(|t| WaitingView {
                    call: t.call,
                    caller: t.caller.party.clone(),
                    since: t.since.wall,
                    callback: t.back.is_some(),
                })
                .collect(),
            ready: states.ready,
            busy: states.busy,
            logged_in: states.logged_in,
            offered: tally.offered,
            answered: tally.answered,
            abandoned: tally.abandoned,
            overflowed: tally.overflowed,
            in_level: tally.in_level,
            wait_ms: tally.wait_ms,
            wait_from_s: wait.and_then(|w| seconds(w.from)),
            wait_to_s: wait.and_then(|w| seconds(w.to)),
            promised: tally.promised,
            callbacks: self.callback_views(&rules.name, TELL_MOST),
        }
    }
}
