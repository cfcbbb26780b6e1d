//! What may be asked of a trunk. Its state is live data, its settings are configuration.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Path;
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;

/// `POST /trunks/{trunk}/retry`
///
/// # Errors
/// 404.
pub async fn retry(
    State(app): State<App>,
    asker: Asker,
    Path(trunk): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.command(&asker.name, Command::TrunkRetry { trunk }).await?;
    Ok(StatusCode::NO_CONTENT)
}
