//! Calls in progress: who may see one may end it and steer its recording. The engine decides whether it goes.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use crate::live::scope::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use model::id::CallId;
use model::notice::CallView;
use model::number::Number;
use model::sentence::Sentence;
use serde::Deserialize;
use utoipa::ToSchema;

/// A wanted call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialForm {
    /// Extension whose phone rings; agents and users have only their own, which is taken when left out.
    #[serde(default)]
    pub from: Option<String>,
    /// What is dialled there.
    pub to: String,
}

/// What a recording shall do; exactly one of both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordForm {
    /// Start or stop it.
    #[serde(default)]
    pub on: Option<bool>,
    /// Pause or resume it.
    #[serde(default)]
    pub paused: Option<bool>,
}

/// `GET /calls`
pub async fn list(State(app): State<App>, asker: Asker) -> axum::Json<Vec<CallView>> {
    axum::Json(app.hub.calls(&Scope::of(&asker)))
}

/// Where a waiting caller shall stand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceForm {
    /// The place, from 1; beyond the last it is the last.
    pub place: u32,
}

/// `PUT /calls/{call}/place`
///
/// # Errors
/// 404 when it does not wait in a queue, 409 while a phone rings for it, 422 for place 0.
pub async fn place(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(PlaceForm { place }): Json<PlaceForm>,
) -> Result<StatusCode, ApiError> {
    if place == 0 {
        return Err(ApiError::field(
            "place",
            "out_of_range",
            Sentence::new("Places are counted from 1.", "位置从 1 开始计数。"),
        ));
    }
    app.command(&asker.name, Command::QueuePlace { call: CallId(call), place }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /callbacks/{callback}`
///
/// # Errors
/// 404 when nobody is to be called back by this key, 409 while the customer is being called.
pub async fn no_callback(
    State(app): State<App>,
    asker: Asker,
    Path(callback): Path<u64>,
) -> Result<StatusCode, ApiError> {
    app.command(&asker.name, Command::CallbackCancel { callback: CallId(callback) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /calls`
///
/// # Errors
/// 403 for somebody else's phone, 422 for numbers that are none, and the engine's refusals.
pub async fn dial(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<DialForm>,
) -> Result<StatusCode, ApiError> {
    let own = asker.own.extension.clone();
    let from = form.from.or_else(|| own.clone()).unwrap_or_default();
    let number = |field: &str, text: &str| Number::read(text).ok_or_else(|| ApiError::no_number(field));
    let (from, to) = (number("from", &from)?, number("to", &form.to)?);
    if !asker.sees_all() && own.as_deref() != Some(from.as_str()) {
        return Err(ApiError::forbidden());
    }
    app.command(&asker.name, Command::Dial { from, to }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /calls/{call}`
///
/// # Errors
/// 404.
pub async fn hang_up(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
) -> Result<StatusCode, ApiError> {
    let call = visible(&app, &asker, call)?;
    app.command(&asker.name, Command::HangUp { call }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /calls/{call}/record`
///
/// # Errors
/// 404, 409, 422.
pub async fn record(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
    Json(form): Json<RecordForm>,
) -> Result<StatusCode, ApiError> {
    let call = visible(&app, &asker, call)?;
    let command = match (form.on, form.paused) {
        (Some(on), None) => Command::RecordSwitch { call, on },
        (None, Some(paused)) => Command::RecordPause { call, paused },
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::field(
                "on",
                "missing",
                Sentence::new("Give either on or paused.", "请给出 on 或 paused 其中之一。"),
            ));
        }
    };
    app.command(&asker.name, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leads steer any call, also one the hub has not heard of yet; others only what they see.
pub(super) fn visible(app: &App, asker: &Asker, call: u64) -> Result<CallId, ApiError> {
    let call = CallId(call);
    let seen = asker.sees_all() || app.hub.call(call, &Scope::of(asker)).is_some();
    if seen { Ok(call) } else { Err(ApiError::not_found("call")) }
}
