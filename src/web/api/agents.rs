//! Agent states. The engine owns them; leads may set anybody's, an agent only the own.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use serde::Deserialize;
use utoipa::ToSchema;

/// Longest reason, characters: it is shown on wallboards.
const REASON: usize = 60;

/// Why an agent takes no calls.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseForm {
    /// 1–60 characters.
    pub reason: String,
}

/// `POST /agents/{agent}/login`
///
/// # Errors
/// 403 for somebody else, 404, 409.
pub async fn login(State(app): State<App>, asker: Asker, Path(agent): Path<String>) -> Done {
    ask(&app, &asker, agent, |agent| Command::AgentLogin { agent }).await
}

/// `POST /agents/{agent}/logout`
///
/// # Errors
/// 403 for somebody else, 404, 409 while in a call.
pub async fn logout(State(app): State<App>, asker: Asker, Path(agent): Path<String>) -> Done {
    ask(&app, &asker, agent, |agent| Command::AgentLogout { agent }).await
}

/// `POST /agents/{agent}/ready`
///
/// # Errors
/// 403 for somebody else, 404, 409.
pub async fn ready(State(app): State<App>, asker: Asker, Path(agent): Path<String>) -> Done {
    ask(&app, &asker, agent, |agent| Command::AgentReady { agent }).await
}

/// `POST /agents/{agent}/pause`
///
/// # Errors
/// 403 for somebody else, 404, 409, 422 without a reason.
pub async fn pause(
    State(app): State<App>,
    asker: Asker,
    Path(agent): Path<String>,
    Json(form): Json<PauseForm>,
) -> Done {
    let reason = form.reason.trim().to_owned();
    let fine = (1..=REASON).contains(&reason.chars().count()) && !reason.chars().any(char::is_control);
    if !fine {
        return Err(ApiError::field("reason", "out_of_range", "Give a reason of 1 to 60 characters."));
    }
    ask(&app, &asker, agent, |agent| Command::AgentPause { agent, reason }).await
}

type Done = Result<StatusCode, ApiError>;

async fn ask(app: &App, asker: &Asker, agent: String, command: impl FnOnce(String) -> Command) -> Done {
    if !asker.sees_all() && asker.own.agent.as_ref() != Some(&agent) {
        return Err(ApiError::forbidden());
    }
    app.command(&asker.name, command(agent)).await?;
    Ok(StatusCode::NO_CONTENT)
}
