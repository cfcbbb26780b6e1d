//! Topics of live data, and where each notice belongs: its topic, its key, and whether it is there or gone.
use model::notice::Notice;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// A kind of live thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// By agent id.
    Agents,
    /// By address.
    Bans,
    /// By scope: minutes to outside used today.
    Budgets,
    /// By call id.
    Calls,
    /// By name.
    Campaigns,
    /// Key `generation`.
    Config,
    /// By check: what the box keeps an eye on.
    Health,
    /// By extension number.
    Mailboxes,
    /// By message id.
    Messages,
    /// By running number, the last 50.
    Notes,
    /// By agent id: the entry of a campaign at the desk.
    Outreach,
    /// By extension number.
    Phones,
    /// By name.
    Queues,
    /// Key `box`.
    System,
    /// By name.
    Trunks,
    /// Key `box`.
    Update,
}

impl Topic {
    /// Shortest time between two deltas of a page that watches everybody's. What concerns only the viewer goes out at
    /// once (`scope`).
    #[must_use]
    pub fn pace(self) -> Duration {
        match self {
            Topic::Agents
            | Topic::Campaigns
            | Topic::Health
            | Topic::Phones
            | Topic::Queues
            | Topic::System
            | Topic::Trunks => Duration::from_millis(250),
            Topic::Bans
            | Topic::Budgets
            | Topic::Calls
            | Topic::Config
            | Topic::Mailboxes
            | Topic::Messages
            | Topic::Notes
            | Topic::Outreach
            | Topic::Update => Duration::from_millis(100),
        }
    }

    /// Most things kept; the oldest key goes when one more comes. Larger than any limit of the engine, so that only a
    /// fault elsewhere ever reaches it.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Topic::Notes => 50,
            Topic::Config | Topic::System | Topic::Update => 1,
            Topic::Agents
            | Topic::Bans
            | Topic::Budgets
            | Topic::Calls
            | Topic::Campaigns
            | Topic::Health
            | Topic::Mailboxes
            | Topic::Messages
            | Topic::Outreach
            | Topic::Phones
            | Topic::Queues
            | Topic::Trunks => 20_000,
        }
    }
}

/// Topic, key, and whether the thing is there; notes have no key of their own.
#[must_use]
pub fn place(notice: &Notice) -> (Topic, Option<String>, bool) {
    let (topic, key, there) = match notice {
        Notice::Agent(v) => (Topic::Agents, v.agent.clone(), true),
        Notice::AgentGone(id) => (Topic::Agents, id.clone(), false),
        Notice::Ban(v) => (Topic::Bans, v.address.to_string(), true),
        Notice::BanGone(address) => (Topic::Bans, address.to_string(), false),
        Notice::Budget(v) => (Topic::Budgets, v.scope.clone(), true),
        Notice::BudgetGone(scope) => (Topic::Budgets, scope.clone(), false),
        Notice::Call(v) => (Topic::Calls, v.call.to_string(), true),
        Notice::CallGone(id) => (Topic::Calls, id.to_string(), false),
        Notice::Check(v) => (Topic::Health, v.check.clone(), true),
        Notice::CheckGone(check) => (Topic::Health, check.clone(), false),
        Notice::ConfigApplied(_) => (Topic::Config, "generation".to_owned(), true),
        Notice::Mailbox(v) => (Topic::Mailboxes, v.mailbox.clone(), true),
        Notice::Message(v) => (Topic::Messages, v.message.to_string(), true),
        Notice::MessageGone(id) => (Topic::Messages, id.to_string(), false),
        Notice::Note(_) => return (Topic::Notes, None, true),
        Notice::Phone(v) => (Topic::Phones, v.extension.clone(), true),
        Notice::PhoneGone(n) => (Topic::Phones, n.clone(), false),
        Notice::Queue(v) => (Topic::Queues, v.queue.clone(), true),
        Notice::QueueGone(n) => (Topic::Queues, n.clone(), false),
        Notice::System(_) => (Topic::System, "box".to_owned(), true),
        Notice::Trunk(v) => (Topic::Trunks, v.trunk.clone(), true),
        Notice::TrunkGone(n) => (Topic::Trunks, n.clone(), false),
        Notice::Update(_) => (Topic::Update, "box".to_owned(), true),
        Notice::Campaign(v) => (Topic::Campaigns, v.campaign.clone(), true),
        Notice::CampaignGone(n) => (Topic::Campaigns, n.clone(), false),
        Notice::Outreach(v) => (Topic::Outreach, v.agent.clone(), true),
        Notice::OutreachGone(agent) => (Topic::Outreach, agent.clone(), false),
    };
    (topic, Some(key), there)
}

/// The thing as pages get it.
#[must_use]
pub fn view(notice: &Notice) -> String {
    let text = match notice {
        Notice::Agent(v) => serde_json::to_string(v),
        Notice::Ban(v) => serde_json::to_string(v),
        Notice::Budget(v) => serde_json::to_string(v),
        Notice::Call(v) => serde_json::to_string(v),
        Notice::Check(v) => serde_json::to_string(v),
        Notice::ConfigApplied(generation) => {
            serde_json::to_string(&serde_json::json!({ "generation": generation }))
        }
        Notice::Mailbox(v) => serde_json::to_string(v),
        Notice::Message(v) => serde_json::to_string(v),
        Notice::Note(v) => serde_json::to_string(v),
        Notice::Phone(v) => serde_json::to_string(v),
        Notice::Queue(v) => serde_json::to_string(v),
        Notice::System(v) => serde_json::to_string(v),
        Notice::Trunk(v) => serde_json::to_string(v),
        Notice::Update(v) => serde_json::to_string(v),
        Notice::Campaign(v) => serde_json::to_string(v),
        Notice::Outreach(v) => serde_json::to_string(v),
        Notice::AgentGone(_)
        | Notice::BanGone(_)
        | Notice::BudgetGone(_)
        | Notice::CallGone(_)
        | Notice::CheckGone(_)
        | Notice::MessageGone(_)
        | Notice::PhoneGone(_)
        | Notice::QueueGone(_)
        | Notice::TrunkGone(_)
        | Notice::CampaignGone(_)
        | Notice::OutreachGone(_) => Ok("null".to_owned()),
    };
    text.unwrap_or_else(|_| "null".to_owned())
}
