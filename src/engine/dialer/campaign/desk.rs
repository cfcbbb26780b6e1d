//! What an agent sees of a campaign: the entry before it is dialled, while its call runs, and until its result is said. One
//! entry a desk. Decides when it goes.
use super::trial::Trial;
use super::{Campaign, Cx, Out, Seat};
use model::campaign::{CallResult, Entry, OutreachView, Step};
use model::clock::{Now, Wall};
use model::config::campaign::Form;
use model::id::CallId;
use model::notice::Notice;
use model::record::AgentState;
use std::collections::BTreeSet;

/// One entry at a desk.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(super) entry: Entry,
    pub(super) call: Option<CallId>,
    stage: &'static str,
    since: Wall,
}

impl Desk {
    fn preview(now: Now, entry: Entry) -> Desk {
        Desk { entry, call: None, stage: "preview", since: now.wall }
    }

    /// Of a running attempt.
    pub(super) fn of_trial(now: Now, trial: &Trial) -> Desk {
        let stage = if trial.has(Step::Connected) { "talking" } else { "dialling" };
        Desk { entry: trial.entry.clone(), call: Some(trial.attempt.call), stage, since: now.wall }
    }

    /// Only its result is missing: another entry may take its place.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == "wrap_up"
    }

    /// Shown, not dialled yet.
    #[must_use]
    pub fn is_preview(&self) -> bool {
        self.call.is_none()
    }
}

impl Campaign {
    /// Shows something at a desk.
    pub(super) fn show(&mut self, agent: String, desk: Desk, out: &mut Vec<Out>) {
        let view = OutreachView {
            agent: agent.clone(),
            campaign: self.settings.name.clone(),
            form: self.health.works_as(self.form()),
            call: desk.call,
            stage: desk.stage.into(),
            entry: desk.entry.entry,
            number: desk.entry.number.to_string(),
            name: desk.entry.name.clone(),
            fields: desk.entry.fields.clone(),
            script: self.settings.script.clone(),
            dispositions: self.settings.disposition.clone(),
            since: desk.since,
        };
        out.push(Out::Notice(Notice::Outreach(Box::new(view))));
        self.desks.insert(agent, desk);
    }

    /// Shows an entry before it is dialled.
    pub(super) fn show_preview(&mut self, now: Now, agent: &str, entry: Entry, out: &mut Vec<Out>) {
        self.show(agent.to_owned(), Desk::preview(now, entry), out);
    }

    /// Clears a desk; an entry that was only shown goes back.
    pub(super) fn clear_desk(&mut self, agent: &str, out: &mut Vec<Out>) {
        let Some(desk) = self.desks.remove(agent) else { return };
        if desk.is_preview() {
            self.hopper.put_back(desk.entry, true);
        }
        out.push(Out::Notice(Notice::OutreachGone(agent.to_owned())));
    }

    /// Takes every entry away that is only shown.
    pub(super) fn clear_previews(&mut self, out: &mut Vec<Out>) {
        let shown = self.desks.iter().filter(|(_, desk)| desk.is_preview());
        let agents: Vec<String> = shown.map(|(agent, _)| agent.clone()).collect();
        for agent in agents {
            self.clear_desk(&agent, out);
        }
    }

    /// Clears every desk.
    pub(super) fn clear_desks(&mut self, out: &mut Vec<Out>) {
        let agents: Vec<String> = self.desks.keys().cloned().collect();
        for agent in agents {
            self.clear_desk(&agent, out);
        }
    }

    /// The call is over: who talked says its result, for anybody else the desk is clear.
    pub(super) fn call_left_desk(&mut self, now: Now, call: CallId, result: CallResult, out: &mut Vec<Out>) {
        let Some((agent, desk)) = self.desks.iter().find(|(_, d)| d.call == Some(call)) else { return };
        let (agent, mut desk) = (agent.clone(), desk.clone());
        if result == CallResult::Talked {
            (desk.stage, desk.since) = ("wrap_up", now.wall);
            self.show(agent, desk, out);
        } else {
            self.clear_desk(&agent, out);
        }
    }

    /// Desks of agents who went, and entries shown in a form that shows none.
    pub(super) fn follow(&mut self, cx: &Cx, seats: &[Seat], out: &mut Vec<Out>) {
        self.follow_agents(cx, seats);
        let here: BTreeSet<&str> = seats.iter().map(|s| s.id.as_str()).collect();
        let shows = matches!(self.health.works_as(self.form()), Form::Manual | Form::Preview);
        let goes = |agent: &String, desk: &Desk| {
            let promised = desk.entry.agent.is_some();
            let kept = desk.is_preview() && self.steering.running && (shows || promised);
            !here.contains(agent.as_str()) && (desk.is_over() || desk.is_preview())
                || desk.is_preview() && !kept
                || desk.is_over() && seats.iter().any(|s| &s.id == agent && s.state == AgentState::Ready)
        };
        let gone: Vec<String> =
            self.desks.iter().filter(|(a, d)| goes(a, d)).map(|(a, _)| a.clone()).collect();
        for agent in gone {
            self.clear_desk(&agent, out);
        }
    }

    /// Whether an attempt keeps this agent free for itself.
    pub(super) fn is_reserved(&self, agent: &str) -> bool {
        self.trials.values().any(|t| !t.alone && t.attempt.agent.as_deref() == Some(agent))
    }
}
