//! The record being written: one per call, opened at its first step and closed once. It stands outside the call, so that a
//! call that broke still gets its record. Never decides anything about the call.
use super::bridge;
use crate::intent::Chapter;
use crate::route::Target;
use model::clock::{Mono, Now, Wall};
use model::id::CallId;
use model::record::{CallRecord, CallStep, Direction, Outcome, Party, Record};
use model::report;

/// Most steps kept of one call; a caller who plays with a menu for hours fills no disk.
const STEPS_MAX: u32 = 500;

/// When the wall clock moved this much against the other while a call ran, it was set: the times of its record are put
/// right by the clock as it is at the end. Less is drift.
const CLOCK_SET_MS: i64 = 2000;

/// A call's record and journey so far.
#[derive(Debug)]
pub struct Story {
    record: CallRecord,
    began: Mono,
    answered: Option<Mono>,
    seq: u32,
    talking_since: Option<Mono>,
    waiting_since: Option<Mono>,
    /// When a party's session died, and the cause that is.
    lost: Option<(Mono, &'static str)>,
}

impl Story {
    /// A call begins; gives the open row.
    #[must_use]
    pub fn open(
        now: Now,
        call: CallId,
        direction: Direction,
        caller: Party,
        called: Party,
    ) -> (Story, Record) {
        let record = CallRecord {
            call,
            direction,
            caller,
            called,
            trunk: None,
            queue: None,
            agent: None,
            answered_by: None,
            started: now.wall,
            answered: None,
            ended: None,
            duration_ms: 0,
            talk_ms: 0,
            wait_ms: 0,
            outcome: Outcome::Open,
            cause: String::new(),
            score: None,
        };
        let open = Record::CallStarted(record.clone());
        (
            Story {
                record,
                began: now.mono,
                answered: None,
                seq: 0,
                talking_since: None,
                waiting_since: None,
                lost: None,
            },
            open,
        )
    }

    /// Takes in what happened; gives the step to keep, if it is one.
    pub fn tell(&mut self, now: Now, chapter: Chapter) -> Option<Record> {
        match chapter {
            Chapter::Step(kind, detail) => {
                if kind == "transferred" {
                    // Whoever takes it answers anew; until then nobody talks to the caller.
                    self.stop_talking(now);
                }
                return self.step(now, kind, detail);
            }
            Chapter::Person(extension) => {
                self.answered(now);
                self.talking_since.get_or_insert(now.mono);
                self.record.answered_by = Some(extension.to_string());
                return self.step(now, "answered", extension.to_string());
            }
            Chapter::Outside(number) => {
                self.answered(now);
                self.talking_since.get_or_insert(now.mono);
                return self.step(now, "answered", number);
            }
            Chapter::Service => self.answered(now),
            Chapter::Queue(queue) => {
                self.waiting_since.get_or_insert(now.mono);
                self.record.queue = Some(queue.clone());
                return self.step(now, "queue", queue);
            }
            Chapter::Stood(time) => return self.step(now, "waited", report::waited(time)),
            Chapter::QueueLeft => self.stop_waiting(now),
            Chapter::Of(queue) => self.record.queue = Some(queue),
            Chapter::Agent(agent) => {
                self.stop_waiting(now);
                self.record.agent = Some(agent);
            }
            Chapter::Trunk(trunk) => self.record.trunk = Some(trunk),
            Chapter::Lost { kind, who, cause } => {
                self.lost = Some((now.mono, cause));
                return self.step(now, kind, who);
            }
            Chapter::Alone => {
                self.stop_talking(now);
                return self.step(now, "left", self.record.agent.clone().unwrap_or_default());
            }
            Chapter::Score(score) => {
                self.record.score = Some(score);
                return self.step(now, "survey", score.to_string());
            }
            Chapter::Target(target) => {
                let (kind, detail) = described(&target);
                return self.step(now, kind, detail);
            }
        }
        None
    }

    /// The call is over: its last step and its one final record.
    #[must_use]
    pub fn close(mut self, now: Now, outcome: Outcome, cause: &str) -> Vec<Record> {
        self.stop_waiting(now);
        self.stop_talking(now);
        self.record.ended = Some(now.wall);
        self.record.duration_ms = millis(now.mono, self.began);
        self.put_right(now);
        // A call that ends with the loss of a party was not hung up by anybody.
        let lost = self.lost.filter(|(at, _)| *at == now.mono && is_hang_up(cause));
        let cause = lost.map_or(cause, |(_, lost)| lost);
        self.record.outcome = outcome;
        cause.clone_into(&mut self.record.cause);
        let last = self.step(now, "ended", cause.to_owned());
        last.into_iter().chain([Record::CallEnded(self.record)]).collect()
    }

    fn answered(&mut self, now: Now) {
        self.answered.get_or_insert(now.mono);
        self.record.answered.get_or_insert(now.wall);
    }

    /// A clock that was set while the call ran is right now rather than before: start and answer are counted back from here.
    fn put_right(&mut self, now: Now) {
        let back = |since: Mono| {
            let ago = i64::try_from(millis(now.mono, since)).unwrap_or(i64::MAX);
            Wall(now.wall.0.saturating_sub(ago))
        };
        let started = back(self.began);
        if started.millis_since(self.record.started).abs() >= CLOCK_SET_MS {
            self.record.started = started;
            self.record.answered = self.answered.map(back);
        }
    }

    fn stop_waiting(&mut self, now: Now) {
        if let Some(since) = self.waiting_since.take() {
            self.record.wait_ms += millis(now.mono, since);
        }
    }

    fn stop_talking(&mut self, now: Now) {
        if let Some(since) = self.talking_since.take() {
            self.record.talk_ms += millis(now.mono, since);
        }
    }

    fn step(&mut self, now: Now, kind: &str, detail: String) -> Option<Record> {
        if self.seq >= STEPS_MAX && kind != "ended" {
            return None;
        }
        let step = CallStep {
            call: self.record.call,
            seq: self.seq,
            at: now.wall,
            offset_ms: millis(now.mono, self.began),
            kind: kind.to_owned(),
            detail,
        };
        self.seq += 1;
        Some(Record::CallStep(step))
    }
}

/// Whether a cause says that a party hung up.
fn is_hang_up(cause: &str) -> bool {
    matches!(cause, bridge::CALLER_HUNG_UP | bridge::CALLED_HUNG_UP)
}

fn millis(now: Mono, since: Mono) -> u64 {
    u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX)
}

fn described(target: &Target) -> (&'static str, String) {
    match target {
        Target::Announcement => ("dialled", "announcement".into()),
        Target::Echo => ("dialled", "echo".into()),
        Target::Emergency(n) => ("emergency", n.to_string()),
        Target::EmergencyNotice(n) => ("emergency", format!("notice about {n}")),
        Target::Extension(n) => ("dialled", n.to_string()),
        Target::Feature(_) => ("dialled", "agent code".into()),
        Target::Flow(name) => ("flow", name.clone()),
        Target::HotDesk(_) => ("dialled", "hot desk".into()),
        Target::HangUp => ("dialled", "hang_up".into()),
        Target::Outside(n) => ("outside", n.to_string()),
        Target::Paging => ("dialled", "paging".into()),
        Target::Queue(name) => ("dialled", name.clone()),
        Target::Retrieve => ("dialled", "mailbox".into()),
        Target::Studio(prompt) => ("prompt", prompt.name.clone()),
        Target::Supervise(n) => ("dialled", format!("supervise {n}")),
        Target::Voicemail(n) => ("voicemail", n.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::number;
    use model::clock::Wall;

    fn at(second: u64) -> Now {
        let wall = i64::try_from(second).expect("small") * 1000;
        Now { mono: Mono(second * 1_000_000), wall: Wall(wall) }
    }

    #[test]
    fn times_come_from_the_monotonic_clock_and_the_record_closes_once() {
        let (mut story, open) =
            Story::open(at(1), CallId(7), Direction::Inbound, Party::default(), Party::default());
        assert!(matches!(open, Record::CallStarted(r) if r.outcome == Outcome::Open));
        story.tell(at(2), Chapter::Service);
        story.tell(at(3), Chapter::Queue("support".into()));
        story.tell(at(8), Chapter::Agent("1".into()));
        story.tell(at(8), Chapter::Person(number("102")));
        let clock_set_back = Now { mono: Mono(18_000_000), wall: Wall(0) };
        let records = story.close(clock_set_back, Outcome::Answered, "caller hung up");
        let Some(Record::CallEnded(record)) = records.last() else { panic!("no final record") };
        assert_eq!((record.wait_ms, record.talk_ms, record.duration_ms), (5000, 10_000, 17_000));
        assert_eq!(record.agent.as_deref(), Some("1"));
        // The clock was set while the call ran: its times are counted back from the end.
        assert_eq!((record.started, record.ended), (Wall(-17_000), Some(Wall(0))));
        assert_eq!(record.answered, Some(Wall(-16_000)));
    }

    #[test]
    fn a_call_that_ends_with_the_loss_of_a_party_was_hung_up_by_nobody() {
        let cause = |lost_at, ends_with| {
            let (mut story, _) =
                Story::open(at(1), CallId(7), Direction::Inbound, Party::default(), Party::default());
            let lost = Chapter::Lost {
                kind: "expired",
                who: "carrier".into(),
                cause: "no sign of life from the other side",
            };
            let Some(Record::CallStep(step)) = story.tell(at(lost_at), lost) else { panic!("no step") };
            assert_eq!((step.kind.as_str(), step.detail.as_str()), ("expired", "carrier"));
            match story.close(at(9), Outcome::Answered, ends_with).pop() {
                Some(Record::CallEnded(record)) => record.cause,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(cause(9, bridge::CALLER_HUNG_UP), "no sign of life from the other side");
        assert_eq!(cause(9, bridge::CALLED_HUNG_UP), "no sign of life from the other side");
        assert_eq!(cause(9, "end of the flow"), "end of the flow");
        assert_eq!(cause(5, bridge::CALLER_HUNG_UP), "caller hung up", "it went on without that party");
    }

    #[test]
    fn an_endless_menu_fills_no_disk() {
        let (mut story, _) =
            Story::open(at(0), CallId(7), Direction::Inbound, Party::default(), Party::default());
        let kept = (0..2000).filter_map(|_| story.tell(at(1), Chapter::Step("digit", "1".into()))).count();
        assert_eq!(kept, 500);
        assert_eq!(story.close(at(2), Outcome::Answered, "x").len(), 2);
    }
}
