//! Which live things a person may see. Leads see everything their role is for; an agent sees own calls, own state, the
//! queues served and the own mailbox; a user own calls, own phone and own mailbox. Pure.
use super::topic::Topic;
use crate::guard::Asker;
use crate::personal::Personal;
use model::notice::{CallView, Notice};
use model::query::{Own, Role};
use std::time::Duration;

/// Somebody's view.
#[derive(Clone, Debug)]
pub struct Scope {
    role: Role,
    own: Own,
    personal: Personal,
}

/// What is the viewer's own goes out this soon: only what one step of the engine changes together is joined.
const OWN_PACE: Duration = Duration::from_millis(20);

impl Scope {
    /// The view of somebody signed in.
    #[must_use]
    pub fn of(asker: &Asker) -> Scope {
        Scope { role: asker.role, own: asker.own.clone(), personal: asker.personal.clone() }
    }

    /// Whether they may watch a topic at all.
    #[must_use]
    pub fn allows(&self, topic: Topic) -> bool {
        match topic {
            Topic::Bans | Topic::Budgets | Topic::Update => self.role == Role::Admin,
            Topic::Config | Topic::Health | Topic::Notes | Topic::System | Topic::Trunks => {
                self.role >= Role::Supervisor
            }
            Topic::Agents | Topic::Campaigns | Topic::Outreach | Topic::Queues => self.role >= Role::Agent,
            Topic::Calls | Topic::Mailboxes | Topic::Messages | Topic::Phones => true,
        }
    }

    /// Shortest time between two deltas.
    #[must_use]
    pub fn pace(&self, topic: Topic) -> Duration {
        if self.role >= Role::Supervisor { topic.pace() } else { OWN_PACE }
    }

    /// Whether they may see this one thing. Voicemail is personal: only administrators see other people's, and not those
    /// of agents.
    #[must_use]
    pub fn sees(&self, notice: &Notice) -> bool {
        if self.role == Role::Admin {
            let closed = |mailbox: &str| self.personal.contains(mailbox) && !self.is_mine(mailbox);
            return !matches!(notice, Notice::Message(m) if closed(m.mailbox.as_str()));
        }
        let lead = self.role == Role::Supervisor;
        match notice {
            Notice::Mailbox(v) => self.is_mine(&v.mailbox),
            Notice::Message(v) => self.is_mine(v.mailbox.as_str()),
            Notice::Phone(v) => lead || self.is_mine(&v.extension),
            Notice::Call(v) => lead || self.has_call(v),
            Notice::Agent(v) => lead || self.own.agent.as_ref() == Some(&v.agent),
            Notice::Queue(_) | Notice::Campaign(_) => self.role >= Role::Agent,
            Notice::Outreach(v) => lead || self.own.agent.as_ref() == Some(&v.agent),
            Notice::Check(_)
            | Notice::ConfigApplied(_)
            | Notice::Note(_)
            | Notice::System(_)
            | Notice::Trunk(_) => lead,
            Notice::Ban(_)
            | Notice::Budget(_)
            | Notice::BudgetGone(_)
            | Notice::Update(_)
            | Notice::AgentGone(_)
            | Notice::BanGone(_)
            | Notice::CallGone(_)
            | Notice::CheckGone(_)
            | Notice::MessageGone(_)
            | Notice::PhoneGone(_)
            | Notice::QueueGone(_)
            | Notice::TrunkGone(_)
            | Notice::CampaignGone(_)
            | Notice::OutreachGone(_) => false,
        }
    }

    /// Whether the call is theirs: made or taken at their extension, or offered to or taken by them as an agent.
    #[must_use]
    pub fn has_call(&self, call: &CallView) -> bool {
        let agent = self.own.agent.as_ref().is_some_and(|a| a == &call.with);
        agent
            || self.is_mine(&call.caller.number)
            || self.is_mine(&call.called.number)
            || self.is_mine(&call.with)
    }

    fn is_mine(&self, extension: &str) -> bool {
        self.own.extension.as_deref() == Some(extension)
    }
}
