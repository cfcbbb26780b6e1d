//! What the box told and kept, and the facts about it that must hold whatever happened: one record per call, agents' spells
//! without gap or overlap, nothing acknowledged that is not kept, no trouble in media. The box's own facts (agents, tickets,
//! sessions, deadlines) come from `Engine::check`.
use model::campaign::{AttemptRecord, CampaignView, OutreachView};
use model::id::CallId;
use model::notice::{AgentView, CallView, MailboxView, Notice, QueueView, TrunkView};
use model::number::Number;
use model::record::{AgentSpell, AgentState, CallRecord, CallStep, MessageRecord, Record};
use std::collections::{BTreeMap, BTreeSet};

/// Notices by their thing, records by their kind.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Calls in progress.
    pub calls: BTreeMap<CallId, CallView>,
    /// Agents.
    pub agents: BTreeMap<String, AgentView>,
    /// Queues.
    pub queues: BTreeMap<String, QueueView>,
    /// Trunks.
    pub trunks: BTreeMap<String, TrunkView>,
    /// Mailboxes.
    pub mailboxes: BTreeMap<String, MailboxView>,
    /// Final records.
    pub ended: BTreeMap<CallId, CallRecord>,
    /// Steps of every call, in order.
    pub steps: BTreeMap<CallId, Vec<CallStep>>,
    /// Messages left.
    pub messages: Vec<MessageRecord>,
    /// Event log: kind and subject.
    pub notes: Vec<(String, String)>,
    /// Campaigns.
    pub campaigns: BTreeMap<String, CampaignView>,
    /// Entries of campaigns at desks, by agent.
    pub desks: BTreeMap<String, OutreachView>,
    /// Attempts that are over.
    pub attempts: Vec<AttemptRecord>,
    /// Attempts that were written down, dialled or not.
    pub begun: Vec<AttemptRecord>,
    trying: BTreeMap<Number, CallId>,
    /// Offers to agents so far.
    pub offers: u64,
    started: BTreeSet<CallId>,
    spells: BTreeMap<String, Vec<AgentSpell>>,
    broken: Vec<String>,
}

impl Watch {
    /// Facts found broken since the last look.
    pub fn take_broken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.broken)
    }

    /// Steps of a call by kind, in order.
    #[must_use]
    pub fn journey(&self, call: CallId) -> Vec<String> {
        self.steps.get(&call).into_iter().flatten().map(|s| s.kind.clone()).collect()
    }

    pub(crate) fn power_cut(&mut self) {
        self.calls.clear();
        self.agents.clear();
        self.queues.clear();
        self.trunks.clear();
        self.campaigns.clear();
        self.desks.clear();
        self.trying.clear();
        self.mailboxes.clear();
        self.started.clear();
        self.spells.clear();
    }

    pub(crate) fn trouble(&mut self, text: &str) {
        self.broken.push(format!("trouble in media: {text}"));
    }

    pub(crate) fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::Agent(view) => {
                self.agents.insert(view.agent.clone(), view);
            }
            Notice::AgentGone(agent) => {
                self.agents.remove(&agent);
            }
            Notice::Call(view) => {
                self.calls.insert(view.call, view);
            }
            Notice::CallGone(call) => {
                self.calls.remove(&call);
            }
            Notice::Mailbox(view) => {
                self.mailboxes.insert(view.mailbox.clone(), view);
            }
            Notice::Queue(view) => {
                self.queues.insert(view.queue.clone(), view);
            }
            Notice::QueueGone(queue) => {
                self.queues.remove(&queue);
            }
            Notice::Trunk(view) => {
                self.trunks.insert(view.trunk.clone(), view);
            }
            Notice::TrunkGone(trunk) => {
                self.trunks.remove(&trunk);
            }
            Notice::Ban(_)
            | Notice::BanGone(_)
            | Notice::Budget(_)
            | Notice::BudgetGone(_)
            | Notice::Check(_)
            | Notice::CheckGone(_)
            | Notice::ConfigApplied(_)
            | Notice::Message(_)
            | Notice::MessageGone(_)
            | Notice::Note(_)
            | Notice::Phone(_)
            | Notice::PhoneGone(_)
            | Notice::System(_)
            | Notice::Update(_) => {}
            Notice::Campaign(view) => {
                self.campaigns.insert(view.campaign.clone(), *view);
            }
            Notice::CampaignGone(name) => {
                self.campaigns.remove(&name);
            }
            Notice::Outreach(view) => {
                self.desks.insert(view.agent.clone(), *view);
            }
            Notice::OutreachGone(agent) => {
                self.desks.remove(&agent);
            }
        }
    }

    pub(crate) fn kept(&mut self, record: &Record) {
        match record {
            Record::CallStarted(call) => {
                if !self.started.insert(call.call) || self.ended.contains_key(&call.call) {
                    self.broken.push(format!("call {} began twice", call.call));
                }
            }
            Record::CallStep(step) => self.step(step),
            Record::CallEnded(call) => self.end(call),
            Record::Message(message) => self.messages.push(message.clone()),
            Record::AgentState(spell) => self.spell(spell),
            Record::Note(note) => self.notes.push((note.kind.clone(), note.subject.clone())),
            Record::Recording(_)
            | Record::RecordingEnded { .. }
            | Record::MessageHeard { .. }
            | Record::MessageDeleted(_)
            | Record::Greeting { .. }
            | Record::Binding(_)
            | Record::Budget(_)
            | Record::WrongPins(_)
            | Record::Seat(_)
            | Record::Callback(_)
            | Record::CallbackGone(_)
            | Record::Ban(_)
            | Record::AttemptSaid(_)
            | Record::Barred(_)
            | Record::Steered(_) => {}
            Record::AttemptBegun(attempt) => self.tries(attempt),
            Record::AttemptEnded(attempt) => {
                self.trying.remove(&attempt.number);
                self.attempts.push(attempt.clone());
            }
        }
    }

    /// No number is tried twice at once.
    fn tries(&mut self, attempt: &AttemptRecord) {
        self.begun.push(attempt.clone());
        if self.trying.insert(attempt.number.clone(), attempt.call).is_some() {
            self.broken.push(format!("{} is tried twice at once", attempt.number));
        }
    }

    fn step(&mut self, step: &CallStep) {
        let steps = self.steps.entry(step.call).or_default();
        if let Some(last) =
            steps.last().filter(|last| step.seq <= last.seq || step.offset_ms < last.offset_ms)
        {
            self.broken.push(format!("step {} of call {} after {}", step.seq, step.call, last.seq));
        }
        steps.push(step.clone());
    }

    fn end(&mut self, call: &CallRecord) {
        if !self.started.contains(&call.call) {
            self.broken.push(format!("call {} ended but never began", call.call));
        }
        if call.ended.is_none() || call.cause.is_empty() {
            self.broken.push(format!("the record of call {} has no end or no cause", call.call));
        }
        if call.talk_ms + call.wait_ms > call.duration_ms {
            self.broken.push(format!("call {} talked and waited longer than it was", call.call));
        }
        if self.ended.insert(call.call, call.clone()).is_some() {
            self.broken.push(format!("call {} has two records", call.call));
        }
    }

    fn spell(&mut self, spell: &AgentSpell) {
        let agent = spell.agent.clone();
        self.offers += u64::from(spell.state == AgentState::Offered);
        let log = self.spells.entry(agent.clone()).or_default();
        let before = log.last().cloned();
        log.push(spell.clone());
        let Some(before) = before else { return };
        if spell.since < before.since {
            self.broken.push(format!("spells of agent {agent} overlap"));
        }
        let busy = |s: &AgentState| matches!(s, AgentState::Offered | AgentState::Talking);
        if busy(&before.state) && busy(&spell.state) && before.call != spell.call {
            self.broken.push(format!("agent {agent} went from call {:?} to {:?}", before.call, spell.call));
        }
    }

    /// At rest: every call that began has its record, nobody is in an offer or a call.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        let mut left = Vec::new();
        for call in self.started.iter().filter(|c| !self.ended.contains_key(c)) {
            left.push(format!("call {call} has no record"));
        }
        for call in self.calls.keys() {
            left.push(format!("call {call} is still shown"));
        }
        for (agent, view) in &self.agents {
            if matches!(view.state, AgentState::Offered | AgentState::Talking) {
                left.push(format!("agent {agent} is left {:?}", view.state));
            }
        }
        for (queue, view) in self.queues.iter().filter(|(_, v)| !v.waiting.is_empty()) {
            left.push(format!("{} callers are left in {queue}", view.waiting.len()));
        }
        left
    }

    /// The state log of an agent since the start or the last power cut, in the order it was written. A spell lasts until the
    /// next one begins.
    #[must_use]
    pub fn spells(&self, agent: &str) -> &[AgentSpell] {
        self.spells.get(agent).map_or(&[], Vec::as_slice)
    }
}
