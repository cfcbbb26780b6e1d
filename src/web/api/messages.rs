//! Voicemail. It is personal: everybody reaches the own mailbox. Those of agents are closed to everybody else but
//! supervisors, who may listen, and each listening stands in the event log; other mailboxes, and those that the site calls
//! shared, belong to the office, so administrators reach them.
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
    let all = asker.role == Role::Admin && params.mailbox.is_none();
    let mailbox = match params.mailbox {
        Some(mailbox) => match reach(&asker, &mailbox) {
            Reach::Full | Reach::Listen => Some(mailbox),
            Reach::Closed | Reach::Hidden => return Err(ApiError::forbidden()),
        },
        None if all => None,
        None => match &asker.own.extension {
            Some(own) => Some(own.clone()),
            None => return Ok(axum::Json(Vec::new())),
        },
    };
    let mut messages = app.store(move |s| s.messages(mailbox.as_deref())).await?;
    messages.retain(|m| !all || reach(&asker, m.mailbox.as_str()) == Reach::Full);
    Ok(axum::Json(messages))
}

/// `GET /messages/{message}/audio`
///
/// # Errors
/// 404, also for somebody else's; 403 for an agent's, to administrators; 416.
pub async fn sound(
    State(app): State<App>,
    asker: Asker,
    Path(message): Path<u64>,
    headers: HeaderMap,
) -> Result<Sound, ApiError> {
    let (message, reach) = visible(&app, &asker, message).await?;
    if reach == Reach::Listen {
        let listened = Command::MessageListened { message: message.message };
        app.command(&asker.name, listened).await?;
    }
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
    let message = changeable(&app, &asker, message).await?;
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
    let message = changeable(&app, &asker, message).await?;
    app.command(&asker.name, Command::MessageDelete { message }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far somebody reaches into a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Everything.
    Full,
    /// Listening only, and it is noted.
    Listen,
    /// It is known to be there and closed.
    Closed,
    /// As if there were none.
    Hidden,
}

fn reach(asker: &Asker, mailbox: &str) -> Reach {
    let own = asker.own.extension.as_deref() == Some(mailbox);
    match (asker.role, asker.personal.contains(mailbox)) {
        _ if own => Reach::Full,
        (Role::Admin, false) => Reach::Full,
        (Role::Admin, true) => Reach::Closed,
        (Role::Supervisor, true) => Reach::Listen,
        (Role::Agent, true) => Reach::Closed,
        (Role::Supervisor | Role::Agent, false) | (Role::User | Role::Wall, _) => Reach::Hidden,
    }
}

async fn visible(app: &App, asker: &Asker, message: u64) -> Result<(MessageRecord, Reach), ApiError> {
    let found = app.store(move |s| s.message(MessageId(message))).await?;
    let found = found.ok_or_else(|| ApiError::not_found("message"))?;
    match reach(asker, found.mailbox.as_str()) {
        Reach::Hidden => Err(ApiError::not_found("message")),
        Reach::Closed => Err(ApiError::forbidden()),
        reach @ (Reach::Full | Reach::Listen) => Ok((found, reach)),
    }
}

async fn changeable(app: &App, asker: &Asker, message: u64) -> Result<MessageId, ApiError> {
    match visible(app, asker, message).await? {
        (message, Reach::Full) => Ok(message.message),
        (_, Reach::Listen | Reach::Closed | Reach::Hidden) => Err(ApiError::forbidden()),
    }
}
