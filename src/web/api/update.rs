//! The system: both slots, upload and installation of an update, going back, restart, and the call of the box to itself.
//! Translates; what may be done is decided by the box behind `Updates`.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::Asker;
use crate::ports::{Ask, NotDone};
use crate::upload;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use model::update::{Restart, SelfCall, UpdateView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Path that takes a bundle.
pub const PATH: &str = "/api/v1/update";

/// When the box restarts after it.
#[derive(Deserialize, ToSchema)]
pub struct RestartForm {
    /// `now`, `idle` (as soon as no call is up, at the latest after an hour) or `later`.
    pub restart: Restart,
}

/// A bundle on a USB stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StickBundle {
    /// Its file name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Which bundle to bring.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StickForm {
    /// Its file name on the stick.
    pub name: String,
}

impl From<NotDone> for ApiError {
    fn from(not: NotDone) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "not_done", not.0)
    }
}

/// `GET /update`
///
/// # Errors
/// None of its own.
pub async fn view(State(app): State<App>) -> Result<axum::Json<UpdateView>, ApiError> {
    Ok(axum::Json(app.ports.updates.view()))
}

/// `POST /update`: the body is the bundle. Answered as soon as it is on the disk; the box looks at it afterwards, and
/// `GET /update` says so until `work` is none and its verdict stands in `bundle` or `refused`.
///
/// # Errors
/// 409 when the box cannot be updated now, 413, 507.
pub async fn receive(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], axum::Json<UpdateView>), ApiError> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let updates = Arc::clone(&app.ports.updates);
    let path = match app.block(move || updates.begin_upload(length)).await? {
        Ok(path) => path,
        Err(not) => {
            // Who still sends does not read: the answer would be lost with the line.
            upload::swallow(body, upload::BUNDLE).await;
            return Err(not.into());
        }
    };
    let size = upload::to_file(body, &path, upload::BUNDLE).await;
    let updates = Arc::clone(&app.ports.updates);
    let whole = size.is_ok();
    app.block(move || updates.end_upload(whole)).await?;
    size?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, PATH)], axum::Json(app.ports.updates.view())))
}

/// `GET /update/usb`
///
/// # Errors
/// 409 when the box cannot be updated, or no stick can be read.
pub async fn stick(State(app): State<App>) -> Result<axum::Json<Vec<StickBundle>>, ApiError> {
    let updates = Arc::clone(&app.ports.updates);
    Ok(axum::Json(app.block(move || updates.stick()).await??))
}

/// `POST /update/usb`: brings a bundle to the box and looks at it, as after an upload.
///
/// # Errors
/// 409 with the reason.
pub async fn fetch(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<StickForm>,
) -> Result<StatusCode, ApiError> {
    let updates = Arc::clone(&app.ports.updates);
    app.block(move || updates.fetch(&asker.name, &form.name)).await??;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /update/install`
///
/// # Errors
/// 409 with the reason.
pub async fn install(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<RestartForm>,
) -> Result<StatusCode, ApiError> {
    ask(&app, asker, Ask::Install(form.restart)).await
}

/// `POST /update/rollback`
///
/// # Errors
/// 409 with the reason.
pub async fn roll_back(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<RestartForm>,
) -> Result<StatusCode, ApiError> {
    ask(&app, asker, Ask::RollBack(form.restart)).await
}

/// `POST /update/restart`; `later` takes back a restart that waits.
///
/// # Errors
/// 409 with the reason.
pub async fn restart(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<RestartForm>,
) -> Result<StatusCode, ApiError> {
    ask(&app, asker, Ask::Restart(form.restart)).await
}

async fn ask(app: &App, asker: Asker, ask: Ask) -> Result<StatusCode, ApiError> {
    let updates = Arc::clone(&app.ports.updates);
    app.block(move || updates.ask(&asker.name, ask)).await??;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /self-call`
///
/// # Errors
/// 409 when one is under way already.
pub async fn self_call(State(app): State<App>) -> Result<axum::Json<SelfCall>, ApiError> {
    let updates = Arc::clone(&app.ports.updates);
    Ok(axum::Json(app.block(move || updates.self_call()).await??))
}
