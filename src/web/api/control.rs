//! Steering a conversation: everybody does it for the own party of own calls, leads for the agent's side of any call and as
//! supervisors. All are idempotent: holding what is held changes nothing. The engine decides whether it goes.
use super::calls::visible;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use model::number::Number;
use model::steer::{Steer, Supervision};
use serde::Deserialize;
use utoipa::ToSchema;

/// Whom it is about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToForm {
    /// An extension, or a number outside as it would be dialled.
    pub to: String,
}

/// Whom it is about, unless it is who was asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaybeToForm {
    /// An extension, queue or flow number, or a number outside as it would be dialled; none: the third
    /// party asked, or where the one other call of the own phone stands (who it talks to or rings, a queue, a mailbox).
    #[serde(default)]
    pub to: Option<String>,
}

/// How to supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Hear both, heard by nobody.
    Listen,
    /// Heard by the agent only.
    Whisper,
    /// Speak with both.
    Barge,
    /// Take the agent's place.
    TakeOver,
}

/// A supervisor comes in, or changes how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuperviseForm {
    /// How.
    pub how: How,
    /// Extension whose phone rings; the own one unless given.
    #[serde(default)]
    pub at: Option<String>,
}

/// A supervisor goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveForm {
    /// Extension of the supervisor; the own one unless given.
    #[serde(default)]
    pub at: Option<String>,
}

type Done = Result<StatusCode, ApiError>;

/// `POST /calls/{call}/hold`
///
/// # Errors
/// 404, 409 when nobody talks.
pub async fn hold(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::Hold).await
}

/// `POST /calls/{call}/resume`
///
/// # Errors
/// As [`hold`].
pub async fn resume(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::Resume).await
}

/// `POST /calls/{call}/mute`
///
/// # Errors
/// As [`hold`].
pub async fn mute(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::Mute).await
}

/// `POST /calls/{call}/unmute`
///
/// # Errors
/// As [`hold`].
pub async fn unmute(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::Unmute).await
}

/// `POST /calls/{call}/back`
///
/// # Errors
/// As [`hold`].
pub async fn back(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::Back).await
}

/// `POST /calls/{call}/hang_up`
///
/// # Errors
/// As [`hold`].
pub async fn hang_up(State(app): State<App>, asker: Asker, Path(call): Path<u64>) -> Done {
    steer(&app, &asker, call, Steer::HangUp).await
}

/// `POST /calls/{call}/consult`
///
/// # Errors
/// As [`hold`]; 403 without the right to the number, 404 for a number nobody has, 503 when no phone is there.
pub async fn consult(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<ToForm>,
) -> Done {
    let to = number("to", &form.to)?;
    steer(&app, &asker, call, Steer::Consult { to }).await
}

/// `POST /calls/{call}/transfer`
///
/// # Errors
/// As [`consult`]; 409 when nobody was asked, or the phone has several other calls.
pub async fn transfer(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<MaybeToForm>,
) -> Done {
    let to = form.to.map(|to| number("to", &to)).transpose()?;
    steer(&app, &asker, call, Steer::Transfer { to }).await
}

/// `POST /calls/{call}/conference`
///
/// # Errors
/// As [`consult`].
pub async fn conference(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<MaybeToForm>,
) -> Done {
    let to = form.to.map(|to| number("to", &to)).transpose()?;
    steer(&app, &asker, call, Steer::Conference { to }).await
}

/// `POST /calls/{call}/supervise`
///
/// # Errors
/// As [`consult`].
pub async fn supervise(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<SuperviseForm>,
) -> Done {
    let how = match form.how {
        How::Listen => Supervision::Listen,
        How::Whisper => Supervision::Whisper,
        How::Barge => Supervision::Barge,
        How::TakeOver => Supervision::TakeOver,
    };
    let at = phone_of(&asker, form.at)?;
    order(&app, &asker, call, None, Steer::Supervise { at, how }).await
}

/// `POST /calls/{call}/leave`
///
/// # Errors
/// 404; 409 when no supervisor is there.
pub async fn leave(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<LeaveForm>,
) -> Done {
    let at = phone_of(&asker, form.at)?;
    order(&app, &asker, call, None, Steer::Leave { at }).await
}

/// Steers for the own party; leads who are no party steer for the agent's side.
async fn steer(app: &App, asker: &Asker, call: u64, steer: Steer) -> Done {
    let own = asker.own.extension.as_deref().and_then(Number::read);
    let id = visible(app, asker, call)?;
    let party = match app.hub.call(id, &crate::live::scope::Scope::of(asker)) {
        Some(view) if asker.sees_all() => {
            own.filter(|n| [&view.caller.number, &view.with].contains(&&n.to_string()))
        }
        Some(_) | None if asker.sees_all() => None,
        Some(_) | None => Some(own.ok_or_else(ApiError::forbidden)?),
    };
    order(app, asker, call, party, steer).await
}

async fn order(app: &App, asker: &Asker, call: u64, party: Option<Number>, steer: Steer) -> Done {
    let call = visible(app, asker, call)?;
    app.command(&asker.name, Command::Steer { call, party, steer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn phone_of(asker: &Asker, at: Option<String>) -> Result<Number, ApiError> {
    let at = at.or_else(|| asker.own.extension.clone()).unwrap_or_default();
    number("at", &at)
}

fn number(field: &str, text: &str) -> Result<Number, ApiError> {
    Number::read(text).ok_or_else(|| ApiError::no_number(field))
}
