//! What the flow editor asks for besides the configuration: what would happen to a call, and own prompts. A prompt is a
//! file; the configuration (`audio.prompt`) names it, so that a change of it can be undone like any other.
use super::sound::{self, Sound};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use crate::ports::PromptRefusal;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use model::campaign::{DialForecast, DialQuestion};
use model::command::Command;
use model::media::Language;
use model::number::Number;
use model::sentence::Sentence;
use model::what_if::{Forecast, Question};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest text spoken, in characters: a minute.
const TEXT_MAX: usize = 1_000;

/// A prompt that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// Its file below the data folder, for `audio.prompt` of the configuration.
    pub path: String,
}

/// A text to be spoken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeakForm {
    /// What.
    pub text: String,
}

/// Where a prompt is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordForm {
    /// Extension whose phone rings.
    pub phone: String,
}

/// `POST /what-if`
///
/// # Errors
/// 422 when the question makes no sense.
pub async fn what_if(
    State(app): State<App>,
    Json(question): Json<Question>,
) -> Result<axum::Json<Forecast>, ApiError> {
    let flows = Arc::clone(&app.ports.flows);
    let answer = app.block(move || flows.what_if(&question)).await?;
    answer.map(axum::Json).map_err(senseless)
}

/// `POST /simulate/dialer`
///
/// # Errors
/// 422 for what cannot be, or takes too long.
pub async fn dialling(
    State(app): State<App>,
    Json(question): Json<DialQuestion>,
) -> Result<axum::Json<DialForecast>, ApiError> {
    let flows = Arc::clone(&app.ports.flows);
    let answer = app.block(move || flows.dialling(&question)).await?;
    answer.map(axum::Json).map_err(senseless)
}

/// `PUT /prompts/{name}/{language}`
///
/// # Errors
/// 404 for another language, 422 when the sound cannot be played, 507 when the disk refuses.
pub async fn keep(
    State(app): State<App>,
    asker: Asker,
    Path((name, code)): Path<(String, String)>,
    body: Bytes,
) -> Result<axum::Json<Kept>, ApiError> {
    let (flows, language) = (Arc::clone(&app.ports.flows), language(&code)?);
    let kept = app.block(move || flows.prompt(&name, language, &body)).await?;
    let path = kept?;
    tracing::info!(by = asker.name, path, "a prompt was kept");
    Ok(axum::Json(Kept { path }))
}

/// `POST /prompts/{name}/{language}/spoken`
///
/// # Errors
/// 404 for another language, 422 when nobody speaks, 507 when the disk refuses.
pub async fn speak(
    State(app): State<App>,
    Path((name, code)): Path<(String, String)>,
    Json(form): Json<SpeakForm>,
) -> Result<axum::Json<Kept>, ApiError> {
    let (flows, language) = (Arc::clone(&app.ports.flows), language(&code)?);
    if form.text.trim().is_empty() || form.text.chars().count() > TEXT_MAX {
        return Err(senseless(Sentence::new(
            format!("Write a text of 1 to {TEXT_MAX} characters."),
            format!("请输入 1 到 {TEXT_MAX} 个字符的文字。"),
        )));
    }
    let kept = app.block(move || flows.spoken(&name, language, form.text.trim())).await?;
    Ok(axum::Json(Kept { path: kept? }))
}

/// `POST /prompts/{name}/{language}/recorded`: answered when the phone is called. What is kept there becomes part of the
/// configuration by itself.
///
/// # Errors
/// 404 for another language or extension, 409 when no phone is registered there, 422 for what is no name.
pub async fn record(
    State(app): State<App>,
    asker: Asker,
    Path((name, code)): Path<(String, String)>,
    Json(form): Json<RecordForm>,
) -> Result<StatusCode, ApiError> {
    let (flows, language) = (Arc::clone(&app.ports.flows), language(&code)?);
    flows.name(&name).map_err(senseless)?;
    let phone = Number::read(&form.phone).ok_or_else(|| ApiError::not_found("extension"))?;
    app.command(&asker.name, Command::PromptRecord { phone, name, language }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /prompts/{name}/{language}`
///
/// # Errors
/// 404 when the configuration has no such prompt; 416.
pub async fn listen(
    State(app): State<App>,
    Path((name, code)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Sound, ApiError> {
    let language = language(&code)?;
    let (_, tree) = app.site(|s| s.current()).await?;
    let path = tree["audio"]["prompt"][&name][language.code()].as_str().map(str::to_owned);
    sound::open(&app, &path.ok_or_else(|| ApiError::not_found("prompt"))?, &headers).await
}

fn language(code: &str) -> Result<Language, ApiError> {
    [Language::En, Language::Zh]
        .into_iter()
        .find(|l| l.code() == code)
        .ok_or_else(|| ApiError::not_found("language"))
}

impl From<PromptRefusal> for ApiError {
    fn from(refusal: PromptRefusal) -> ApiError {
        match refusal {
            PromptRefusal::Sound(why) => senseless(why),
            PromptRefusal::Fault(fault) => fault.into(),
        }
    }
}

fn senseless(why: Sentence) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "senseless", why)
}
