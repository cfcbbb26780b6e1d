//! What people order of a campaign. A hand on the pace ends by itself and is written down; the law's bound is looked at after
//! it, never before.
use super::form::word;
use super::{Campaign, Cx, Out};
use crate::dialer::compliance::Bar;
use model::campaign::{CampaignOrder, Hand, SteerRecord};
use model::clock::Wall;
use model::config::Config;
use model::config::campaign::Then;
use model::id::CallId;
use model::number::Number;
use model::record::{Record, Said};
use model::refusal::Refusal;

/// Factor that a hand may set, percent.
const PERCENT: std::ops::RangeInclusive<u32> = 50..=150;
/// Longest time of a hand: a shift.
const HAND_S: std::ops::RangeInclusive<u32> = 10..=8 * 3600;
/// Agents a hand may claim.
const AGENTS_MAX: u32 = 500;
/// A person may be promised a call within this time.
const CALLBACK_MS: i64 = 365 * 86_400_000;

impl Campaign {
    /// One order.
    ///
    /// # Errors
    /// See [`crate::dialer::Dialer::order`].
    pub fn order(
        &mut self,
        cx: &Cx,
        by: &str,
        order: CampaignOrder,
        id: &mut dyn FnMut() -> CallId,
        busy: &[Number],
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        let what = order.word();
        let detail = match order {
            CampaignOrder::Start => {
                self.steering.running = true;
                String::new()
            }
            CampaignOrder::Pause => {
                self.steering.running = false;
                String::new()
            }
            CampaignOrder::Form { form } => {
                if form == model::config::campaign::Form::Automatic && self.settings.flow.is_none() {
                    return Err(Refusal::Conflict);
                }
                self.steering.form = Some(form);
                self.health.forgive();
                word(form).to_owned()
            }
            CampaignOrder::Coefficient { percent, for_s, reason } => {
                if !PERCENT.contains(&percent) {
                    return Err(Refusal::Malformed);
                }
                self.steering.coefficient = Some(hand(cx, by, percent, for_s, &reason)?);
                format!("{percent} % for {for_s} s: {reason}")
            }
            CampaignOrder::FreeAgents { agents, for_s, reason } => {
                if agents > AGENTS_MAX {
                    return Err(Refusal::Malformed);
                }
                self.steering.free_agents = Some(hand(cx, by, agents, for_s, &reason)?);
                format!("{agents} for {for_s} s: {reason}")
            }
            CampaignOrder::HandsOff => {
                (self.steering.coefficient, self.steering.free_agents) = (None, None);
                String::new()
            }
            CampaignOrder::Join { agent } => return self.joins(cx, by, &agent, true, out),
            CampaignOrder::Leave { agent } => return self.joins(cx, by, &agent, false, out),
            CampaignOrder::Take { agent } => return self.take(cx, &agent, id, busy, out),
            CampaignOrder::Skip { agent } => return self.skip(&agent, out),
            CampaignOrder::Result { call, word, callback, own, note } => {
                return self.result(cx, call, Answer { word, callback, own, note }, out);
            }
        };
        self.changed(cx.now.wall, by, what, &detail, out);
        Ok(())
    }

    fn changed(&mut self, at: Wall, by: &str, what: &str, detail: &str, out: &mut Vec<Out>) {
        // The board tells it at once.
        self.told_at = None;
        self.tally.changed = Some((at, by.to_owned(), format!("{what} {detail}").trim_end().to_owned()));
        let record = SteerRecord {
            campaign: self.settings.name.clone(),
            at,
            by: by.to_owned(),
            what: what.to_owned(),
            detail: detail.to_owned(),
            steering: self.steering.clone(),
        };
        crate::dialer::steered(record, out);
    }

    /// Hands whose time is over.
    pub(super) fn expire(&mut self, cx: &Cx, out: &mut Vec<Out>) {
        let over = |hand: &Option<Hand>| hand.as_ref().is_some_and(|h| h.until <= cx.now.wall);
        let (coefficient, agents) = (over(&self.steering.coefficient), over(&self.steering.free_agents));
        if coefficient {
            self.steering.coefficient = None;
        }
        if agents {
            self.steering.free_agents = None;
        }
        if coefficient || agents {
            self.changed(cx.now.wall, "box", "hands_off", "time over", out);
        }
    }

    fn joins(
        &mut self,
        cx: &Cx,
        by: &str,
        agent: &str,
        joins: bool,
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        if !self.has_agent(cx.config, agent) {
            return Err(Refusal::Unknown);
        }
        self.takes_part(cx.now.wall, by, agent, joins, out);
        Ok(())
    }

    /// Whether this agent serves its queue.
    #[must_use]
    pub fn has_agent(&self, config: &Config, agent: &str) -> bool {
        config.queue.get(&self.settings.queue).is_some_and(|q| q.agents.iter().any(|a| a == agent))
    }

    /// Whether this agent takes no part although their queue does.
    #[must_use]
    pub fn was_left_by(&self, agent: &str) -> bool {
        self.steering.left.contains(agent)
    }

    /// An agent comes or goes; who went stays away over a restart of the box.
    pub fn takes_part(&mut self, at: Wall, by: &str, agent: &str, joins: bool, out: &mut Vec<Out>) {
        let changes = match joins {
            true => self.steering.left.remove(agent),
            false => self.steering.left.insert(agent.to_owned()),
        };
        if changes {
            self.changed(at, by, if joins { "join" } else { "leave" }, agent, out);
        }
        if !joins && self.desks.get(agent).is_some_and(super::Desk::is_preview) {
            self.clear_desk(agent, out);
        }
    }

    /// The agent has the entry shown dialled, or the next one when none is shown.
    fn take(
        &mut self,
        cx: &Cx,
        agent: &str,
        id: &mut dyn FnMut() -> CallId,
        busy: &[Number],
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        let seat = cx.acd.agents().get(agent).ok_or(Refusal::Unknown)?;
        if !self.steering.running || self.retired || !cx.acd.agents().is_free(seat) || self.is_reserved(agent)
        {
            return Err(Refusal::Conflict);
        }
        let shown = self.desks.get(agent).filter(|d| d.is_preview()).map(|d| d.entry.clone());
        let mine = shown.as_ref().map(|e| &e.number);
        let mut others: Vec<Number> = busy.iter().filter(|n| Some(*n) != mine).cloned().collect();
        let entry = match shown {
            Some(entry) => entry,
            None => self.next_entry(cx, true, &mut others).ok_or(Refusal::Unavailable)?,
        };
        if let Err(bar) = self.gate(&entry, true, cx.now.wall) {
            return Err(self.barred(agent, bar, out));
        }
        self.desks.remove(agent);
        self.begin(cx, id(), entry, Some(agent.to_owned()), out);
        Ok(())
    }

    fn barred(&mut self, agent: &str, bar: Bar, out: &mut Vec<Out>) -> Refusal {
        *self.tally.refused.entry(bar.word().to_owned()).or_default() += 1;
        if self.desks.remove(agent).is_some() {
            out.push(Out::Notice(model::notice::Notice::OutreachGone(agent.to_owned())));
        }
        Refusal::Forbidden
    }

    /// The entry shown goes to the end.
    fn skip(&mut self, agent: &str, out: &mut Vec<Out>) -> Result<(), Refusal> {
        let desk = self.desks.remove(agent).ok_or(Refusal::Conflict)?;
        if desk.is_preview() {
            self.hopper.put_back(desk.entry, false);
        }
        out.push(Out::Notice(model::notice::Notice::OutreachGone(agent.to_owned())));
        Ok(())
    }

    /// What the agent says of the call.
    fn result(&mut self, cx: &Cx, call: CallId, answer: Answer, out: &mut Vec<Out>) -> Result<(), Refusal> {
        let (agent, desk) = self.desks.iter().find(|(_, d)| d.call == Some(call)).ok_or(Refusal::Unknown)?;
        let (agent, entry, over) = (agent.clone(), desk.entry.clone(), desk.is_over());
        let then =
            self.settings.disposition.iter().find(|d| d.word == answer.word).ok_or(Refusal::Malformed)?.then;
        let now = cx.now.wall;
        let promised = answer.callback.filter(|at| (0..=CALLBACK_MS).contains(&at.millis_since(now)));
        let again = match then {
            Then::Callback => Some(promised.ok_or(Refusal::Malformed)?),
            Then::Retry => {
                let zone = entry.zones.first().map_or("UTC", String::as_str);
                Some(crate::dialer::again::next_slot(zone, now))
            }
            Then::Done | Then::DoNotCall | Then::WrongNumber => None,
        };
        if then == Then::DoNotCall {
            let barred = model::campaign::Barred {
                number: entry.number.clone(),
                at: now,
                by: format!("agent {agent}"),
                listed: true,
            };
            self.bar(&barred);
            out.push(Out::Keep(Record::Barred(barred)));
        }
        let said = Said {
            call,
            entry: entry.entry,
            word: answer.word,
            note: answer.note.chars().take(NOTE_MAX).collect(),
            again,
            own: answer.own.then(|| agent.clone()).filter(|_| then == Then::Callback),
            appointment: then == Then::Callback,
        };
        match self.trials.get_mut(&call) {
            Some(trial) => trial.said = Some(said),
            None => out.push(Out::Keep(Record::AttemptSaid(said))),
        }
        if over {
            self.clear_desk(&agent, out);
        }
        Ok(())
    }
}

/// Longest note of an agent.
const NOTE_MAX: usize = 1000;

struct Answer {
    word: String,
    callback: Option<Wall>,
    own: bool,
    note: String,
}

fn hand(cx: &Cx, by: &str, value: u32, for_s: u32, reason: &str) -> Result<Hand, Refusal> {
    if !HAND_S.contains(&for_s) || reason.trim().is_empty() {
        return Err(Refusal::Malformed);
    }
    let until = Wall(cx.now.wall.0.saturating_add(i64::from(for_s) * 1000));
    Ok(Hand { value, until, reason: reason.chars().take(200).collect(), by: by.to_owned() })
}
