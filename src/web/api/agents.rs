//! Agent states. The engine owns them; leads may set anybody's, an agent only the own.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use model::sentence::Sentence;
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
        return Err(ApiError::field(
            "reason",
            "out_of_range",
            Sentence::new("Give a reason of 1 to 60 characters.", "请填写 1 到 60 个字符的原因。"),
        ));
    }
    ask(&app, &asker, agent, |agent| Command::AgentPause { agent, reason }).await
}

/// What the last call was about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrapForm {
    /// Two digits, one of the codes of the call's queue.
    pub code: String,
}

/// `POST /agents/{agent}/wrap`
///
/// # Errors
/// 403 for somebody else, 404, 409 without a call, 422 for a code that the queue does not have.
pub async fn wrap(
    State(app): State<App>,
    asker: Asker,
    Path(agent): Path<String>,
    Json(form): Json<WrapForm>,
) -> Done {
    let code = form.code.trim().to_owned();
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ApiError::field(
            "code",
            "wrong_text",
            Sentence::new("A code has two digits.", "代码为两位数字。"),
        ));
    }
    ask(&app, &asker, agent, |agent| Command::AgentWrapCode { agent, code }).await
}

/// `POST /agents/{agent}/extend`
///
/// # Errors
/// 403 for somebody else or where the queue gives no more time, 404, 409 outside of after-call work.
pub async fn extend(State(app): State<App>, asker: Asker, Path(agent): Path<String>) -> Done {
    ask(&app, &asker, agent, |agent| Command::AgentExtend { agent }).await
}

type Done = Result<StatusCode, ApiError>;

async fn ask(app: &App, asker: &Asker, agent: String, command: impl FnOnce(String) -> Command) -> Done {
    if !asker.sees_all() && asker.own.agent.as_ref() != Some(&agent) {
        return Err(ApiError::forbidden());
    }
    app.command(&asker.name, command(agent)).await?;
    Ok(StatusCode::NO_CONTENT)
}
