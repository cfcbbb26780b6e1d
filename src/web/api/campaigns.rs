//! Campaigns: their boards, what is ordered of them, and the evidence of what they did. Settings are configuration. Leads steer
//! campaigns; an agent works in them for the own desk only.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::campaign::{CampaignOrder, CampaignView, DialWorld, SteerRecord, WorldCount};
use model::command::Command;
use model::id::CallId;

use super::lists::AfterParams;

/// `GET /campaigns`
///
/// # Errors
/// None of its own.
pub async fn all(State(app): State<App>) -> Result<axum::Json<Vec<CampaignView>>, ApiError> {
    Ok(axum::Json(app.hub.campaigns()))
}

/// `POST /campaigns/{campaign}/order`
///
/// # Errors
/// 403 for orders of leads, for another agent's desk, and where the law stands against a call; 404; 409; 422.
pub async fn order(
    State(app): State<App>,
    asker: Asker,
    Path(campaign): Path<String>,
    Json(order): Json<CampaignOrder>,
) -> Result<StatusCode, ApiError> {
    if !asker.sees_all() && !own(&app, &asker, &order) {
        return Err(ApiError::forbidden());
    }
    app.command(&asker.name, Command::Campaign { campaign, order }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether an agent may order this: something of the own desk.
fn own(app: &App, asker: &Asker, order: &CampaignOrder) -> bool {
    let me = asker.own.agent.as_deref();
    match order {
        CampaignOrder::Join { agent }
        | CampaignOrder::Leave { agent }
        | CampaignOrder::Take { agent }
        | CampaignOrder::Skip { agent } => me == Some(agent.as_str()),
        CampaignOrder::Result { call, .. } => {
            me.is_some_and(|me| app.hub.outreach(me).is_some_and(|o| o.call == Some(*call)))
        }
        CampaignOrder::Start
        | CampaignOrder::Pause
        | CampaignOrder::Form { .. }
        | CampaignOrder::Coefficient { .. }
        | CampaignOrder::FreeAgents { .. }
        | CampaignOrder::HandsOff => false,
    }
}

/// `GET /campaigns/{campaign}/changes`
///
/// # Errors
/// 500 when the disk failed.
pub async fn changes(
    State(app): State<App>,
    Path(campaign): Path<String>,
) -> Result<axum::Json<Vec<SteerRecord>>, ApiError> {
    Ok(axum::Json(app.lists(move |l| l.changes(&campaign)).await?))
}

/// `GET /campaigns/{campaign}/world`
///
/// # Errors
/// 500 when the disk failed.
pub async fn world(
    State(app): State<App>,
    Path(campaign): Path<String>,
) -> Result<axum::Json<DialWorld>, ApiError> {
    let mut count = WorldCount::default();
    app.lists(move |l| l.last_attempts(&campaign)).await?.iter().for_each(|attempt| count.add(attempt));
    Ok(axum::Json(count.world()))
}

/// `GET /campaigns/{campaign}/attempts`: one JSON object a line, at most 1,000; go on with `after` the last `call`.
///
/// # Errors
/// 500 when the disk failed.
pub async fn attempts(
    State(app): State<App>,
    Path(campaign): Path<String>,
    Query(params): Query<AfterParams>,
) -> Result<impl IntoResponse, ApiError> {
    let after = CallId(params.after.unwrap_or(0));
    let found = app.lists(move |l| l.attempts(&campaign, after)).await?;
    let lines: Vec<String> = found.iter().filter_map(|a| serde_json::to_string(a).ok()).collect();
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text))
}
