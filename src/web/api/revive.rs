//! A backup taken back instead of a first set-up: a new box becomes the old one. Open to whoever has the one-time code,
//! while nobody can administer the box; afterwards these two operations do nothing. What a backup holds, and whether it is
//! whole, is found out by the box before anything changes.
use crate::api::access::{begin_try, end_try, later, wrong_code};
use crate::api::backups::{Described, Uploaded, ask};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::Address;
use crate::upload;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

/// Header that carries the one-time code beside a body that is a file.
pub const CODE: &str = "x-setup-code";
/// Who the history names.
const BY: &str = "set-up";

/// What the set-up page sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreForm {
    /// The one-time code.
    pub code: String,
    /// Name of the file that was brought.
    pub name: String,
    /// What opens it.
    pub pass_phrase: String,
}

/// `POST /setup/backup`: the code is in the header `X-Setup-Code`, looked at before the body is read.
///
/// # Errors
/// 409 when the set-up is done, 403 for a wrong code, 429, 413, 507.
pub async fn upload(
    State(app): State<App>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Uploaded>, ApiError> {
    let code = headers.get(CODE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    may(&app, &address, &code)?;
    let path = ask(&app, |s| s.upload()).await?;
    let bytes = upload::to_file(body, &path, upload::BACKUP).await?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(axum::Json(Uploaded { name, bytes }))
}

/// `POST /setup/restore`: the box changes over and starts again; the administrators are those of the backup.
///
/// # Errors
/// 409 when the set-up is done, 403 for a wrong code, 404, 422 with the reason; nothing is changed then.
pub async fn restore(
    State(app): State<App>,
    address: Address,
    Json(form): Json<RestoreForm>,
) -> Result<axum::Json<Described>, ApiError> {
    may(&app, &address, &form.code)?;
    let text = ask(&app, move |s| s.restore(BY, &form.name, &form.pass_phrase)).await?;
    Ok(axum::Json(Described { text }))
}

fn may(app: &App, address: &Address, code: &str) -> Result<(), ApiError> {
    if !app.setup_needed() {
        return Err(crate::accounts::set_up_already());
    }
    begin_try(app, address)?;
    if !app.setup.check(code, app.now().mono).map_err(later)? {
        return Err(wrong_code());
    }
    end_try(app, address);
    Ok(())
}
