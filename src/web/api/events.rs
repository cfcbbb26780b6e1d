//! The event log and banned addresses.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::command::Command;
use model::query::{NoteRow, PAGE_MAX, Page};
use model::record::BanRecord;
use serde::Deserialize;
use std::net::IpAddr;
use utoipa::IntoParams;

/// Which lines.
#[derive(Deserialize, IntoParams)]
pub struct EventParams {
    /// Only lines with a smaller id.
    pub before: Option<u64>,
    /// Most lines, 1–200; 50 unless given.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// `GET /events`
///
/// # Errors
/// 500 when the disk failed.
pub async fn list(
    State(app): State<App>,
    Query(params): Query<EventParams>,
) -> Result<axum::Json<Page<NoteRow>>, ApiError> {
    let limit = params.limit.unwrap_or(50).clamp(1, PAGE_MAX);
    Ok(axum::Json(app.store(move |s| s.notes(params.before, limit)).await?))
}

/// `GET /bans`
///
/// # Errors
/// 500 when the disk failed.
pub async fn bans(State(app): State<App>) -> Result<axum::Json<Vec<BanRecord>>, ApiError> {
    let now = app.now().wall;
    Ok(axum::Json(app.store(move |s| s.bans(now)).await?))
}

/// `DELETE /budgets/{scope}`
///
/// # Errors
/// 404 when nothing was used there.
pub async fn budget_reset(
    State(app): State<App>,
    asker: Asker,
    Path(scope): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.command(&asker.name, Command::BudgetReset { scope }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /bans/{address}`
///
/// # Errors
/// 404.
pub async fn pardon(
    State(app): State<App>,
    asker: Asker,
    Path(address): Path<IpAddr>,
) -> Result<StatusCode, ApiError> {
    app.command(&asker.name, Command::Pardon { address }).await?;
    Ok(StatusCode::NO_CONTENT)
}
