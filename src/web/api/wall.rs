//! The board on the wall: numbers of queues and states of agents, nobody's number or name of a caller, because everybody
//! who passes reads it. A screen asks once a second with a token that can do nothing else.
use crate::app::App;
use crate::error::ApiError;
use axum::extract::State;
use model::clock;
use model::notice::{AgentView, CheckState, QueueView};
use model::record::AgentState;
use serde::Serialize;
use utoipa::ToSchema;

/// What a screen shows.
#[derive(Serialize, ToSchema)]
pub struct WallBoard {
    /// The box's time.
    pub now: clock::Wall,
    /// Name of the site.
    pub site: String,
    /// Queues by name.
    pub queues: Vec<WallQueue>,
    /// Agents by name; those not at work are left out.
    pub agents: Vec<WallAgent>,
    /// Things that are not well.
    pub alarms: u32,
}

/// A queue.
#[derive(Serialize, ToSchema)]
pub struct WallQueue {
    /// Name.
    pub queue: String,
    /// Callers waiting.
    pub waiting: u32,
    /// Since when the first of them does.
    pub longest_since: Option<clock::Wall>,
    /// Agents ready.
    pub ready: u32,
    /// Agents offered or talking.
    pub busy: u32,
    /// Agents logged in.
    pub logged_in: u32,
    /// Today: offered.
    pub offered: u32,
    /// Answered.
    pub answered: u32,
    /// Left before an agent.
    pub abandoned: u32,
    /// Answered within the service level.
    pub in_level: u32,
    /// Sum of waits of answered calls, ms.
    pub wait_ms: u64,
}

/// An agent.
#[derive(Serialize, ToSchema)]
pub struct WallAgent {
    /// Name.
    pub name: String,
    /// State.
    #[serde(flatten)]
    pub state: AgentState,
    /// Since when.
    pub since: clock::Wall,
    /// The reason of a pause in English and Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<[String; 2]>,
    /// The pause lasts longer than its reason allows.
    pub overdue: bool,
}

/// `GET /wall`
///
/// # Errors
/// 500 when the disk failed.
pub async fn wall(State(app): State<App>) -> Result<axum::Json<WallBoard>, ApiError> {
    let (_, tree) = app.site(|s| s.current()).await?;
    let board = app.hub.board();
    let alarms = board.checks.iter().filter(|c| c.state == CheckState::Alarm).count();
    let mut agents: Vec<WallAgent> = board.agents.into_iter().filter_map(agent).collect();
    agents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(axum::Json(WallBoard {
        now: app.now().wall,
        site: tree["system"]["name"].as_str().unwrap_or_default().to_owned(),
        queues: board.queues.iter().map(queue).collect(),
        agents,
        alarms: u32::try_from(alarms).unwrap_or(u32::MAX),
    }))
}

fn agent(view: AgentView) -> Option<WallAgent> {
    let there = view.state != AgentState::LoggedOut;
    let AgentView { name, state, since, reason_text, overdue, .. } = view;
    there.then_some(WallAgent { name, state, since, reason_text, overdue })
}

fn queue(view: &QueueView) -> WallQueue {
    WallQueue {
        queue: view.queue.clone(),
        waiting: u32::try_from(view.waiting.len()).unwrap_or(u32::MAX),
        longest_since: view.waiting.iter().map(|w| w.since).min(),
        ready: view.ready,
        busy: view.busy,
        logged_in: view.logged_in,
        offered: view.offered,
        answered: view.answered,
        abandoned: view.abandoned,
        in_level: view.in_level,
        wait_ms: view.wait_ms,
    }
}
