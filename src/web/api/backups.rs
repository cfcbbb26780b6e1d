//! Backups of the site: state, start, download, upload, check, restore, delete. Administrators only, because a backup
//! holds everything. A long act is begun here and followed by the state. Decides nothing about their content.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::guard::Asker;
use crate::ports::{Fault, Saved, Saving, SavingRefusal};
use crate::{api::sound, upload};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use model::saving::BackupState;
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What opens a backup.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassPhraseForm {
    /// The pass-phrase that was set when it was made.
    pub pass_phrase: String,
}

/// What is in a backup.
#[derive(Serialize, ToSchema)]
pub struct Described {
    /// Site, time, version and generation in one line.
    pub text: String,
}

/// An uploaded file.
#[derive(Serialize, ToSchema)]
pub struct Uploaded {
    /// Its name among the backups.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// `GET /backups`
///
/// # Errors
/// None of its own.
pub async fn state(State(app): State<App>) -> Result<axum::Json<BackupState>, ApiError> {
    ask(&app, |s| Ok(s.state())).await.map(axum::Json)
}

/// `POST /backups`
///
/// # Errors
/// 409 while another act runs or nothing is configured.
pub async fn start(State(app): State<App>, asker: Asker) -> Result<StatusCode, ApiError> {
    ask(&app, move |s| s.start(&asker.name)).await.map(|()| StatusCode::NO_CONTENT)
}

/// `GET /backups/{name}`
///
/// # Errors
/// 404.
pub async fn download(
    State(app): State<App>,
    asker: Asker,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = name.clone();
    let path = ask(&app, move |s| s.file(&wanted)).await?;
    tracing::warn!(by = asker.name, name, "a backup is downloaded");
    let mut response = sound::file(&path, &headers).await?;
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    out.insert(header::CONTENT_DISPOSITION, disposition.map_err(|e| ApiError::fault(&e))?);
    Ok(response)
}

/// `DELETE /backups/{name}`
///
/// # Errors
/// 404.
pub async fn delete(
    State(app): State<App>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    tracing::warn!(by = asker.name, name, "a backup is deleted");
    ask(&app, move |s| s.delete(&name)).await.map(|()| StatusCode::NO_CONTENT)
}

/// `POST /backups/upload`: the file is the body.
///
/// # Errors
/// 400, 413, 507.
pub async fn upload_one(
    State(app): State<App>,
    asker: Asker,
    body: Body,
) -> Result<axum::Json<Uploaded>, ApiError> {
    let path = ask(&app, |s| s.upload()).await?;
    let bytes = upload::to_file(body, &path, upload::BACKUP).await?;
    tracing::warn!(by = asker.name, bytes, "a backup was uploaded");
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(axum::Json(Uploaded { name, bytes }))
}

/// `POST /backups/{name}/check`
///
/// # Errors
/// 404, 409, 422 with the reason why it would not be taken.
pub async fn check(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(form): Json<PassPhraseForm>,
) -> Result<axum::Json<Described>, ApiError> {
    let text = ask(&app, move |s| s.check(&name, &form.pass_phrase)).await?;
    Ok(axum::Json(Described { text }))
}

/// `POST /backups/{name}/restore`: checks everything first, then the box changes over and starts again.
///
/// # Errors
/// 404, 409, 422 with the reason; nothing is changed then.
pub async fn restore(
    State(app): State<App>,
    asker: Asker,
    Path(name): Path<String>,
    Json(form): Json<PassPhraseForm>,
) -> Result<axum::Json<Described>, ApiError> {
    let text = ask(&app, move |s| s.restore(&asker.name, &name, &form.pass_phrase)).await?;
    Ok(axum::Json(Described { text }))
}

/// `POST /backups/{name}/fetch`
///
/// # Errors
/// 404, 500 with what the stick said.
pub async fn fetch(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<axum::Json<Uploaded>, ApiError> {
    let name = ask(&app, move |s| s.fetch(&name)).await?;
    let wanted = name.clone();
    let path = ask(&app, move |s| s.file(&wanted)).await?;
    let bytes = tokio::fs::metadata(&path).await.map_err(|e| ApiError::fault(&e))?.len();
    Ok(axum::Json(Uploaded { name, bytes }))
}

/// Asks the keeper of backups.
///
/// # Errors
/// What it refuses.
pub async fn ask<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&dyn Saving) -> Saved<T> + Send + 'static,
) -> Result<T, ApiError> {
    let saving = Arc::clone(&app.ports.saving);
    app.block(move || question(&*saving)).await?.map_err(Into::into)
}

impl From<SavingRefusal> for ApiError {
    fn from(refusal: SavingRefusal) -> ApiError {
        let (status, code, said) = match refusal {
            SavingRefusal::Unknown => return ApiError::not_found("backup"),
            SavingRefusal::PassPhrase => {
                let said = Sentence::new(
                    "The pass-phrase does not open this backup; give the one that was set when it was made.",
                    "口令无法打开此备份；请输入创建备份时设置的口令。",
                );
                return ApiError::field("pass_phrase", "wrong_pass_phrase", said);
            }
            SavingRefusal::Disk(cause) => return Fault::Disk(cause).into(),
            SavingRefusal::Busy => {
                let said = Sentence::new(
                    "Another backup or restore runs. Wait until it is done.",
                    "另一个备份或恢复正在进行，请等待完成。",
                );
                (StatusCode::CONFLICT, "backup_busy", said)
            }
            SavingRefusal::NotConfigured => {
                let said = Sentence::new(
                    "Set a target and a pass-phrase for backups first.",
                    "请先设置备份的目标和口令。",
                );
                (StatusCode::CONFLICT, "backup_not_configured", said)
            }
            SavingRefusal::Refused(code, said) => (StatusCode::UNPROCESSABLE_ENTITY, code, said),
            // The place refused, or there is none of that kind here: no fault of the box, and the text says what to do.
            SavingRefusal::Failed(said) => (StatusCode::CONFLICT, "backup_failed", said),
        };
        ApiError::new(status, code, said)
    }
}
