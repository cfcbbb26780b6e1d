//! State of the box, as `belfry status --json` prints it.
use crate::app::App;
use crate::error::ApiError;
use axum::extract::State;
use model::query::Status;
use std::sync::Arc;

/// `GET /status`
///
/// # Errors
/// 500 when it could not be read.
pub async fn status(State(app): State<App>) -> Result<axum::Json<Status>, ApiError> {
    let machine = Arc::clone(&app.ports.machine);
    let setup_needed = app.setup_needed();
    let status = app.block(move || machine.status()).await?;
    Ok(axum::Json(app.hub.describe(Status { setup_needed, ..status })))
}
