//! Voicemail. It is personal: everybody, supervisors too, reaches only the own mailbox; administrators reach all, for a
//! mailbox belongs to a desk as often as to a person.
use super::sound::{self, Sound};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use model::command::Command;
use model::id::MessageId;
use model::query::Role;
use model::record::MessageRecord;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Which messages.
#[derive(Deserialize, IntoParams)]
pub struct MessageParams {
    /// Extension number; all that the asker may see unless given.
    pub mailbox: Option<String>,
}

/// Heard or new.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeardForm {
    /// Heard.
    pub heard: bool,
}

/// `GET /messages`
///
/// # Errors
/// 403 for somebody else's mailbox.
pub async fn list(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<MessageParams>,
) -> Result<axum::Json<Vec<MessageRecord>>, ApiError> {
    let mailbox = match (params.mailbox, asker.role == Role::Admin) {
        (mailbox, true) => mailbox,
        (Some(mailbox), false) if asker.own.extension.as_ref() != Some(&mailbox) => {
            return Err(ApiError::forbidden());
        }
        (_, false) => match asker.own.extension {
            Some(own) => Some(own),
            None => return Ok(axum::Json(Vec::new())),
        },
    };
    Ok(axum::Json(app.store(move |s| s.messages(mailbox.as_deref())).await?))
}

/// `GET /messages/{message}/audio`
///
/// # Errors
/// 404, also for somebody else's; 416.
pub async fn sound(
    State(app): State<App>,
    asker: Asker,
    Path(message): Path<u64>,
    headers: HeaderMap,
) -> Result<Sound, ApiError> {
    let message = visible(&app, &asker, message).await?;
    sound::open(&app, &message.path, &headers).await
}

/// `PATCH /messages/{message}`
///
/// # Errors
/// 404, also for somebody else's.
pub async fn mark(
    State(app): State<App>,
    asker: Asker,
    Path(message): Path<u64>,
    Json(form): Json<HeardForm>,
) -> Result<StatusCode, ApiError> {
    let message = visible(&app, &asker, message).await?.message;
    app.command(&asker.name, Command::MessageHeard { message, heard: form.heard }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /messages/{message}`
///
/// # Errors
/// 404, also for somebody else's.
pub async fn delete(
    State(app): State<App>,
    asker: Asker,
    Path(message): Path<u64>,
) -> Result<StatusCode, ApiError> {
    let message = visible(&app, &asker, message).await?.message;
    app.command(&asker.name, Command::MessageDelete { message }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn visible(app: &App, asker: &Asker, message: u64) -> Result<MessageRecord, ApiError> {
    let found = app.store(move |s| s.message(MessageId(message))).await?;
    let mine = |m: &MessageRecord| asker.own.extension.as_deref() == Some(m.mailbox.as_str());
    found.filter(|m| asker.role == Role::Admin || mine(m)).ok_or_else(|| ApiError::not_found("message"))
}
