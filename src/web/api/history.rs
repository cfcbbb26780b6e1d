//! Past calls, their journeys and recordings. Leads see all; others only their own, by the same rule in the list, the
//! journey and the sound.
use super::sound::{self, Sound};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use model::id::{CallId, RecordingId};
use model::query::{HistoryQuery, Journey, PAGE_MAX, Page};
use model::record::{CallRecord, Direction, Outcome};
use model::saving::Hold;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Longest text looked for.
const TEXT: usize = 64;

/// Which calls.
#[derive(Deserialize, IntoParams)]
pub struct HistoryParams {
    /// Only calls with a smaller id.
    pub before: Option<u64>,
    /// Most calls, 1–200; 50 unless given.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// Part of a number or name.
    pub q: Option<String>,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this queue.
    pub queue: Option<String>,
    /// Only this agent.
    pub agent: Option<String>,
}

/// `GET /history`
///
/// # Errors
/// 400 for a query that is none.
pub async fn list(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<HistoryParams>,
) -> Result<axum::Json<Page<CallRecord>>, ApiError> {
    let given = |text: Option<String>| text.filter(|t| !t.is_empty());
    let text = given(params.q.map(|q| q.trim().chars().take(TEXT).collect()));
    let query = HistoryQuery {
        before: params.before.map(CallId),
        limit: params.limit.unwrap_or(50).clamp(1, PAGE_MAX),
        text,
        direction: params.direction,
        outcome: params.outcome,
        queue: given(params.queue),
        agent: given(params.agent),
        own: (!asker.sees_all()).then_some(asker.own),
    };
    Ok(axum::Json(app.store(move |s| s.history(&query)).await?))
}

/// `GET /history/{call}`
///
/// # Errors
/// 404, also for somebody else's call.
pub async fn journey(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
) -> Result<axum::Json<Journey>, ApiError> {
    visible(&app, &asker, CallId(call)).await.map(axum::Json)
}

/// `GET /recordings/{recording}`
///
/// # Errors
/// 404, also for somebody else's; 416.
pub async fn sound(
    State(app): State<App>,
    asker: Asker,
    Path(recording): Path<u64>,
    headers: HeaderMap,
) -> Result<Sound, ApiError> {
    let row = app.store(move |s| s.recording(RecordingId(recording))).await?;
    let row = row.ok_or_else(|| ApiError::not_found("recording"))?.recording;
    visible(&app, &asker, row.call).await.map_err(|_| ApiError::not_found("recording"))?;
    tracing::info!(by = %asker.name, recording, call = %row.call, "a recording is listened to");
    sound::open(&app, &row.path, &headers).await
}

/// Whether a recording must stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldForm {
    /// True = it must not be deleted, whatever the time or the disk says.
    pub hold: bool,
}

/// `PUT /recordings/{recording}/hold`
///
/// # Errors
/// 404.
pub async fn hold(
    State(app): State<App>,
    asker: Asker,
    Path(recording): Path<u64>,
    Json(form): Json<HoldForm>,
) -> Result<StatusCode, ApiError> {
    let hold = form.hold.then(|| Hold { by: asker.name.clone(), at: app.now().wall });
    tracing::warn!(by = asker.name, recording, hold = form.hold, "the hold of a recording was changed");
    let found = app.store(move |s| s.recording_hold(RecordingId(recording), hold)).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found("recording")) }
}

async fn visible(app: &App, asker: &Asker, call: CallId) -> Result<Journey, ApiError> {
    let journey = app.store(move |s| s.journey(call)).await?;
    journey
        .filter(|j| asker.sees_all() || asker.own.has(&j.record))
        .ok_or_else(|| ApiError::not_found("call"))
}
