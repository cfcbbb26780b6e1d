//! What may be asked of the alarms. How the box is, is live data; who is told, is configuration.
use crate::app::App;
use crate::error::ApiError;
use axum::extract::State;
use axum::http::StatusCode;
use model::sentence::Sentence;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How many hear of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Told {
    /// Mail addresses and webhooks.
    pub told: usize,
}

/// `POST /health/test`
///
/// # Errors
/// 409 when nobody is told of alarms, 500 when the disk failed.
pub async fn test(State(app): State<App>) -> Result<axum::Json<Told>, ApiError> {
    let machine = Arc::clone(&app.ports.machine);
    let told = app.block(move || machine.test_alarm()).await??;
    if told == 0 {
        let said = Sentence::new(
            "Nobody is told of alarms yet: give a mail address or a webhook in section [alarm].",
            "告警尚无接收人：请在 [alarm] 部分填写邮件地址或 Webhook。",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "nobody_told", said));
    }
    Ok(axum::Json(Told { told }))
}
