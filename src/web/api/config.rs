//! The configuration as a whole: read, replace, check, history, undo. Every write is a `commit` of the port: checked,
//! stored as a generation, put in force, or refused with every problem. Secrets leave only to administrators, and never
//! in a difference.
use crate::app::App;
use crate::error::{ApiError, too_large};
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use crate::ports::Draft;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use model::command::Actor;
use model::config::diff;
use model::config::draft::Problem;
use model::id::Generation;
use model::media::Language;
use model::query::{Change, GenerationRow, PAGE_MAX, Page, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// A configuration and its version.
#[derive(Serialize, ToSchema)]
pub struct Versioned {
    /// Version; goes into `If-Match` of a write.
    pub generation: Generation,
    /// The tree, as in the readable text.
    #[schema(value_type = Object)]
    pub config: Value,
}

/// A change is in force.
#[derive(Serialize, ToSchema)]
pub struct Committed {
    /// Its version.
    pub generation: Generation,
}

/// What is wrong with a draft.
#[derive(Serialize, ToSchema)]
pub struct Checked {
    /// Empty = nothing.
    pub problems: Vec<Problem>,
}

/// What a change changed.
#[derive(Serialize, ToSchema)]
pub struct Changes {
    /// Against the version before; secrets hidden.
    pub changes: Vec<Change>,
}

/// Which stored configurations.
#[derive(Deserialize, IntoParams)]
pub struct HistoryParams {
    /// Only older ones.
    pub before: Option<u64>,
    /// Most rows, 1–200; 50 unless given.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// `GET /config`
///
/// # Errors
/// 500 when the disk failed.
pub async fn whole(State(app): State<App>, asker: Asker) -> Result<axum::Json<Versioned>, ApiError> {
    let (generation, tree) = app.site(|s| s.current()).await?;
    Ok(axum::Json(Versioned { generation, config: for_role(tree, asker.role) }))
}

/// `PUT /config`
///
/// # Errors
/// 409 when somebody was faster, 422 with every problem.
pub async fn replace(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Json(tree): Json<Value>,
) -> Result<axum::Json<Committed>, ApiError> {
    let based_on = if_match(&headers)?;
    commit(&app, &asker, Draft::Tree(tree), based_on, "whole site".to_owned()).await
}

/// `GET /config/export`
///
/// # Errors
/// 500 when the disk failed.
pub async fn export(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let text = app.site(|s| s.export()).await?;
    let file = "attachment; filename=\"site.toml\"";
    Ok(([(header::CONTENT_TYPE, "application/toml"), (header::CONTENT_DISPOSITION, file)], text))
}

/// `POST /config/check`
///
/// # Errors
/// 400 for a body that is no text.
pub async fn check(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<axum::Json<Checked>, ApiError> {
    let draft = draft_of(&headers, body)?;
    let site = std::sync::Arc::clone(&app.ports.site);
    let problems = app.block(move || site.check(&draft)).await?;
    Ok(axum::Json(Checked { problems }))
}

/// A rule as typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleForm {
    /// `condition -> destination`.
    pub text: String,
}

/// A rule in plain words.
#[derive(Serialize, ToSchema)]
pub struct RuleWords {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// `POST /config/rule`
///
/// # Errors
/// 422 with the place of the fault.
pub async fn rule(Json(form): Json<RuleForm>) -> Result<axum::Json<RuleWords>, ApiError> {
    let rule = model::rule::line(&form.text)
        .map_err(|fault| ApiError::field("text", "wrong_text", fault.shown(&form.text)))?;
    let words = |language| model::rule::explain(&rule, language);
    Ok(axum::Json(RuleWords { en: words(Language::En), zh: words(Language::Zh) }))
}

/// `POST /config/apply`
///
/// # Errors
/// 409 when somebody was faster, 422 with every problem.
pub async fn apply(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<axum::Json<Committed>, ApiError> {
    let draft = draft_of(&headers, body)?;
    commit(&app, &asker, draft, if_match(&headers)?, "applied text".to_owned()).await
}

/// `GET /config/history`
///
/// # Errors
/// 500 when the disk failed.
pub async fn history(
    State(app): State<App>,
    Query(params): Query<HistoryParams>,
) -> Result<axum::Json<Page<GenerationRow>>, ApiError> {
    let limit = params.limit.unwrap_or(50).clamp(1, PAGE_MAX);
    Ok(axum::Json(app.store(move |s| s.generations(params.before.map(Generation), limit)).await?))
}

/// `GET /config/history/{generation}`
///
/// # Errors
/// 404.
pub async fn changes(
    State(app): State<App>,
    Path(generation): Path<u64>,
) -> Result<axum::Json<Changes>, ApiError> {
    let new = tree_at(&app, generation).await?;
    let old = match generation.checked_sub(1) {
        Some(before) => app.site(move |s| s.at(Generation(before))).await?,
        None => None,
    };
    let old = old.unwrap_or_else(|| json!({}));
    Ok(axum::Json(Changes { changes: diff::changes(&old, &new) }))
}

/// `POST /config/history/{generation}/undo`
///
/// # Errors
/// 404, 409 when somebody was faster, 422 when it does not fit any more.
pub async fn undo(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path(generation): Path<u64>,
) -> Result<axum::Json<Committed>, ApiError> {
    let tree = tree_at(&app, generation).await?;
    let summary = format!("back to {generation}");
    commit(&app, &asker, Draft::Tree(tree), if_match(&headers)?, summary).await
}

async fn tree_at(app: &App, generation: u64) -> Result<Value, ApiError> {
    let tree = app.site(move |s| s.at(Generation(generation))).await?;
    tree.ok_or_else(|| ApiError::not_found("stored configuration"))
}

/// Hands a draft to the one way in.
///
/// # Errors
/// 409, 422, 500.
pub async fn commit(
    app: &App,
    asker: &Asker,
    draft: Draft,
    based_on: Option<Generation>,
    summary: String,
) -> Result<axum::Json<Committed>, ApiError> {
    let by = Actor { name: asker.name.clone() };
    let generation = app.ports.site.commit(by, draft, based_on, summary).await?;
    app.learn_site().await?;
    Ok(axum::Json(Committed { generation }))
}

/// The version a write is based on, `If-Match: 12` or `"12"`.
///
/// # Errors
/// 400 when it is no number.
pub fn if_match(headers: &HeaderMap) -> Result<Option<Generation>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|v| v.trim().trim_matches('"').parse().ok());
    let text = "If-Match holds the generation that was read, e.g. 12.";
    number.map(|n| Some(Generation(n))).ok_or_else(|| ApiError::malformed(text))
}

fn draft_of(headers: &HeaderMap, body: Result<axum::body::Bytes, BytesRejection>) -> Result<Draft, ApiError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ApiError::malformed("The body broke off."),
    })?;
    let text = String::from_utf8(body.into()).map_err(|_| ApiError::malformed("The body is not UTF-8."))?;
    let json =
        headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
    if !json {
        return Ok(Draft::Toml(text));
    }
    serde_json::from_str(&text).map(Draft::Tree).map_err(|e| ApiError::malformed(format!("JSON: {e}")))
}

/// What a role may read of the configuration: administrators all; supervisors no secrets; agents and users only names,
/// which their pages need to show people and queues.
#[must_use]
pub fn for_role(mut tree: Value, role: Role) -> Value {
    match role {
        Role::Admin => tree,
        Role::Supervisor => {
            tree.as_object_mut().map(|t| (t.remove("mail"), t.remove("alarm")));
            without_secrets(&mut tree);
            tree
        }
        Role::Agent | Role::User | Role::Wall => json!({
            "system": only(&tree["system"], &["name", "country", "language", "time_zone"]),
            "extension": only_each(&tree["extension"], &["number", "name"]),
            "agent": only_each(&tree["agent"], &["id", "name", "extension"]),
            "queue": only_each(&tree["queue"], &["name", "number"]),
        }),
    }
}

/// Takes every secret out of a tree.
pub fn without_secrets(tree: &mut Value) {
    match tree {
        Value::Object(map) => {
            map.retain(|key, _| !diff::is_secret(key));
            map.values_mut().for_each(without_secrets);
        }
        Value::Array(list) => list.iter_mut().for_each(without_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn only(item: &Value, keys: &[&str]) -> Value {
    let kept = keys.iter().filter_map(|key| Some((key.to_string(), item.get(key)?.clone())));
    Value::Object(kept.collect())
}

fn only_each(list: &Value, keys: &[&str]) -> Value {
    list.as_array().into_iter().flatten().map(|item| only(item, keys)).collect()
}
