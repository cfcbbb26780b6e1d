//! Why agents take no calls: the reason behind a key, and the alarm when a pause lasts longer than its reason allows. Parts of
//! [`Acd`]; changes no state: who is away too long stays away, and the supervisors know it.
use super::{Acd, Out, Reason};
use model::clock::Now;
use model::media::Digit;
use model::notice::Notice;
use model::record::{AgentState, NoteRecord, Record};
use std::time::Duration;

/// Reasons of pauses.
impl Acd {
    /// The reason with this key; without one, or with a key that no reason has, that of key 0, else the first.
    pub(super) fn reason_by(&self, digit: Option<Digit>) -> String {
        let reasons = &self.config.distribution.reason;
        let with = |key: char| reasons.iter().find(|r| r.key.as_deref() == Some(key.to_string().as_str()));
        let found = digit.and_then(|d| with(d.as_char())).or_else(|| with('0')).or(reasons.first());
        found.map_or_else(|| "pause".to_owned(), |reason| reason.name.clone())
    }

    /// A pause with a limit is looked at when the limit is reached; it counts from its beginning, also over a restart.
    pub(super) fn watch_pause(&mut self, now: Now, id: &str) {
        self.deadlines.clear(&Reason::PauseOver(id.to_owned()));
        let config = self.config.clone();
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.overdue = false;
        let AgentState::NotReady { reason } = &agent.state else { return };
        let limit = config.distribution.reason.iter().find(|r| r.name == *reason).map_or(0, |r| r.limit_min);
        if limit == 0 {
            return;
        }
        let lasted = u64::try_from(now.wall.millis_since(agent.since)).unwrap_or(0);
        let left = Duration::from_secs(u64::from(limit) * 60).saturating_sub(Duration::from_millis(lasted));
        self.deadlines.set(Reason::PauseOver(id.to_owned()), now.mono + left);
    }

    /// The supervisors are told of a pause that lasts too long: on the boards, and in the event log.
    pub(super) fn pause_over(&mut self, now: Now, id: &str, out: &mut Vec<Out>) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let AgentState::NotReady { reason } = &agent.state else { return };
        let limits = &self.config.distribution.reason;
        let limit = limits.iter().find(|r| r.name == *reason).map_or(0, |r| r.limit_min);
        let note = NoteRecord {
            at: now.wall,
            level: "warning".into(),
            kind: "pause_over".into(),
            subject: agent.name.clone(),
            text: format!("{} is not ready ({reason}) for more than {limit} min", agent.name),
        };
        agent.overdue = true;
        out.push(Out::Notice(Notice::Note(note.clone())));
        out.push(Out::Keep(Record::Note(note)));
        self.tell_agent(id, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::Past;
    use crate::acd::bonds::Bonds;
    use crate::acd::code::Code;
    use crate::acd::tests::Desk;
    use crate::agents::Ask;
    use crate::fixture::number;
    use model::config::reason;
    use model::notice::AgentView;
    use model::record::AgentSpell;
    use std::sync::Arc;

    /// Coffee is allowed for ten minutes and has the key 7; school has none.
    fn desk() -> Desk {
        let mut desk = Desk::at_site(|config| {
            let one = |name: &str, zh: &str, key: Option<&str>, limit_min| reason::Reason {
                name: name.into(),
                en: name.to_uppercase(),
                zh: zh.into(),
                key: key.map(Into::into),
                paid: true,
                limit_min,
            };
            config.distribution.reason =
                vec![one("coffee", "咖啡", Some("7"), 10), one("school", "培训", None, 0)];
        });
        desk.ask("1", Ask::Login);
        desk.out.clear();
        desk
    }

    fn told(desk: &mut Desk) -> (Vec<AgentView>, Vec<NoteRecord>) {
        let (mut views, mut notes) = (Vec::new(), Vec::new());
        for out in desk.out.drain(..) {
            match out {
                Out::Notice(Notice::Agent(view)) => views.push(view),
                Out::Keep(Record::Note(note)) => notes.push(note),
                Out::Offer { .. }
                | Out::Withdraw { .. }
                | Out::Say { .. }
                | Out::Music { .. }
                | Out::Overflow { .. }
                | Out::Decide { .. }
                | Out::Promised { .. }
                | Out::Keep(_)
                | Out::Notice(_) => {}
            }
        }
        (views, notes)
    }

    #[test]
    fn the_key_after_the_star_code_names_the_sites_reason_which_is_shown_in_both_languages() {
        let mut desk = desk();
        let now = desk.now;
        let code = Code::Pause(Digit::try_from('7').ok());
        assert_eq!(desk.acd.code(now, &number("102"), &code, &mut desk.out), "agent-paused");
        assert_eq!(desk.state("1"), AgentState::NotReady { reason: "coffee".into() });
        let (views, _) = told(&mut desk);
        let shown = views.last().and_then(|view| view.reason_text.clone());
        assert_eq!(shown, Some(["COFFEE".to_owned(), "咖啡".to_owned()]));
        for key in ['3', '0'] {
            let code = Code::Pause(Digit::try_from(key).ok());
            desk.acd.code(now, &number("102"), &code, &mut desk.out);
            assert_eq!(
                desk.state("1"),
                AgentState::NotReady { reason: "coffee".into() },
                "the first, for want of {key}"
            );
        }
    }

    #[test]
    fn a_pause_beyond_its_limit_is_told_once_and_ends_with_the_pause() {
        let mut desk = desk();
        desk.ask("1", Ask::Pause("coffee".into()));
        desk.wait(599);
        let (views, notes) = told(&mut desk);
        assert!(views.iter().all(|view| !view.overdue) && notes.is_empty());
        desk.wait(1);
        let (views, notes) = told(&mut desk);
        assert!(views.last().is_some_and(|view| view.overdue));
        assert_eq!(notes.iter().map(|n| n.kind.as_str()).collect::<Vec<_>>(), ["pause_over"]);
        desk.wait(3600);
        assert!(told(&mut desk).1.is_empty(), "once");
        desk.ask("1", Ask::Ready);
        assert!(told(&mut desk).0.last().is_some_and(|view| !view.overdue));
        desk.ask("1", Ask::Pause("school".into()));
        desk.wait(7200);
        assert!(told(&mut desk).1.is_empty(), "no limit");
    }

    #[test]
    fn the_time_of_a_pause_goes_on_over_a_restart() {
        let before = desk();
        let mut now = before.now;
        let spell = AgentSpell {
            agent: "1".into(),
            state: AgentState::NotReady { reason: "coffee".into() },
            since: model::clock::Wall(now.wall.0 - 9 * 60_000),
            cause: "test".into(),
            call: None,
        };
        let mut out = Vec::new();
        let mut acd = Acd::new(
            now,
            &Arc::new(before.config.clone()),
            &[spell],
            Bonds::default(),
            &Past::default(),
            &mut out,
        );
        assert_eq!(acd.deadline(), Some(now.mono + Duration::from_secs(60)), "a minute is left");
        now.mono = now.mono + Duration::from_secs(60);
        now.wall.0 += 60_000;
        acd.timeout(now, &mut out);
        assert!(acd.agents().get("1").is_some_and(|agent| agent.overdue));
    }
}
