//! What people order of a campaign: a supervisor steers it, an agent works in it. A steering with a limit of time ends by
//! itself. Decides nothing; the dialler does what the law allows of it.
use crate::clock::Wall;
use crate::config::campaign::Form;
use crate::id::CallId;
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum CampaignOrder {
    /// Calls may be made.
    Start,
    /// No new calls; those that run go on.
    Pause,
    /// Another form from now on.
    Form {
        /// Which.
        form: Form,
    },
    /// A factor on the agents thought to be free soon, 50 to 150 percent, for a while.
    Coefficient {
        /// Percent.
        percent: u32,
        /// Seconds until it ends by itself.
        for_s: u32,
        /// Why.
        reason: String,
    },
    /// The number of agents thought to be free soon, set by hand for a while.
    FreeAgents {
        /// How many.
        agents: u32,
        /// Seconds until it ends by itself.
        for_s: u32,
        /// Why.
        reason: String,
    },
    /// Ends what was set by hand.
    HandsOff,
    /// An agent takes part.
    Join {
        /// Who.
        agent: String,
    },
    /// An agent takes part no longer.
    Leave {
        /// Who.
        agent: String,
    },
    /// An agent has the entry shown dialled, or asks for the next one in the form manual.
    Take {
        /// Who.
        agent: String,
    },
    /// An agent does not want the entry shown.
    Skip {
        /// Who.
        agent: String,
    },
    /// What the agent says of the call.
    Result {
        /// Which attempt.
        call: CallId,
        /// Word of a disposition of the campaign.
        word: String,
        /// Call again at this time.
        callback: Option<Wall>,
        /// By the same agent.
        own: bool,
        /// Anything to remember.
        note: String,
    },
}

impl CampaignOrder {
    /// Its word, for the log of changes.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            CampaignOrder::Start => "start",
            CampaignOrder::Pause => "pause",
            CampaignOrder::Form { .. } => "form",
            CampaignOrder::Coefficient { .. } => "coefficient",
            CampaignOrder::FreeAgents { .. } => "free_agents",
            CampaignOrder::HandsOff => "hands_off",
            CampaignOrder::Join { .. } => "join",
            CampaignOrder::Leave { .. } => "leave",
            CampaignOrder::Take { .. } => "take",
            CampaignOrder::Skip { .. } => "skip",
            CampaignOrder::Result { .. } => "result",
        }
    }
}

/// A value set by hand for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hand {
    /// Percent, or agents.
    pub value: u32,
    /// Ends then.
    pub until: Wall,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub by: String,
}

/// How a campaign is steered; kept over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Steering {
    /// Calls may be made.
    pub running: bool,
    /// Form by hand; `None` = as configured.
    pub form: Option<Form>,
    /// Factor, percent.
    pub coefficient: Option<Hand>,
    /// Agents thought to be free soon.
    pub free_agents: Option<Hand>,
    /// Agents who take no part although their queue does.
    #[serde(default)]
    pub left: std::collections::BTreeSet<String>,
}

/// A change of the steering, for the log and the next start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SteerRecord {
    /// Which campaign.
    pub campaign: String,
    /// When.
    pub at: Wall,
    /// Who: a person, or `box`.
    pub by: String,
    /// What: `start pause form coefficient free_agents hands_off join leave fallback recovered`.
    pub what: String,
    /// To which value, and why.
    pub detail: String,
    /// How it is steered from here on.
    pub steering: Steering,
}

/// A campaign as the box left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignPast {
    /// How it is steered.
    pub steering: Steering,
    /// Live answers and abandoned ones of each of the last 30 days, the oldest first.
    pub days: Vec<(u32, u32)>,
    /// The box was cut off (power, a crash) while calls of it ran.
    pub cut: bool,
}
