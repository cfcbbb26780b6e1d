//! The factory reset: everything of the customer goes, and the first page is the set-up again. Somebody signed in gives
//! the password once more; the local socket needs none, because whoever opens it is root on the box.
use super::access::prove;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::{Address, Asker};
use axum::extract::State;
use axum::http::StatusCode;
use model::sentence::Sentence;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The proof that it is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetForm {
    /// The asker's own password.
    #[serde(default)]
    pub password: Option<String>,
    /// The word `reset`.
    pub confirm: String,
}

/// `POST /reset`
///
/// # Errors
/// 403 for a wrong password, 422 without the word, 409 while a backup runs.
pub async fn reset(
    State(app): State<App>,
    address: Address,
    asker: Asker,
    Json(form): Json<ResetForm>,
) -> Result<StatusCode, ApiError> {
    if form.confirm != "reset" {
        return Err(ApiError::field(
            "confirm",
            "missing",
            Sentence::new("Send the word reset to confirm it.", "请发送单词 reset 以确认。"),
        ));
    }
    prove(&app, &address, &asker, form.password.unwrap_or_default()).await?;
    let saving = Arc::clone(&app.ports.saving);
    app.block(move || saving.reset(&asker.name)).await??;
    Ok(StatusCode::NO_CONTENT)
}
