//! Hot desks: somebody works at another's phone. Everybody moves the own extension, leads anybody's; whether the phone takes
//! guests is the engine's to say.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use model::number::Number;
use serde::Deserialize;
use utoipa::ToSchema;

/// Where somebody wants to work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskForm {
    /// The extension whose phone it is; the own one brings the extension home and sends a guest away.
    pub phone: String,
}

/// `PUT /extensions/{extension}/desk`
///
/// # Errors
/// 403 for a phone that takes no guests, 404 for somebody else's extension and unknown ones, 422 for what is no number.
pub async fn login(
    State(app): State<App>,
    asker: Asker,
    Path(extension): Path<String>,
    Json(form): Json<DeskForm>,
) -> Result<StatusCode, ApiError> {
    let person = own(&asker, &extension)?;
    let phone = Number::read(&form.phone).ok_or_else(|| ApiError::no_number("phone"))?;
    app.command(&asker.name, Command::DeskLogin { person, phone }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /extensions/{extension}/desk`
///
/// # Errors
/// 404 for somebody else's extension, 409 when it is logged in nowhere else.
pub async fn logout(
    State(app): State<App>,
    asker: Asker,
    Path(extension): Path<String>,
) -> Result<StatusCode, ApiError> {
    let person = own(&asker, &extension)?;
    app.command(&asker.name, Command::DeskLogout { person }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn own(asker: &Asker, extension: &str) -> Result<Number, ApiError> {
    if !asker.sees_all() && asker.own.extension.as_deref() != Some(extension) {
        return Err(ApiError::not_found("extension"));
    }
    Number::read(extension).ok_or_else(|| ApiError::not_found("extension"))
}
