//! API tokens for scripts and other machines. The token text is shown once; only its hash is kept. Administrators only.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::secret;
use axum::extract::State;
use axum::http::StatusCode;
use model::clock::Wall;
use model::query::{Role, TokenRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token without its secret.
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// Name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When made.
    pub created: Wall,
}

/// A wanted token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// 1–64 characters `a-z 0-9 . _ -`.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub struct MadeToken {
    /// Name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The secret: `Authorization: Bearer …`. Not shown again.
    pub token: String,
}

/// A new token: its text (160 random bits) and the row that is kept of it.
///
/// # Errors
/// The kernel gives no random bytes.
pub fn mint(name: &str, role: Role, now: Wall) -> Result<(String, TokenRow), crate::ports::Fault> {
    let token = format!("belfry_{}", secret::random_hex(20)?);
    let row = TokenRow { name: name.to_owned(), role, token_hash: secret::sha256_hex(&token), created: now };
    Ok((token, row))
}

/// `GET /tokens`
pub async fn list(State(app): State<App>) -> axum::Json<Vec<TokenView>> {
    let view = |t: TokenRow| TokenView { name: t.name, role: t.role, created: t.created };
    axum::Json(app.accounts.tokens().into_iter().map(view).collect())
}

/// `POST /tokens`
///
/// # Errors
/// 409 when the name is taken, 422 for a wrong one.
pub async fn create(
    State(app): State<App>,
    Json(new): Json<NewToken>,
) -> Result<axum::Json<MadeToken>, ApiError> {
    super::users::check_name(&new.name, "name")?;
    let (token, row) = mint(&new.name, new.role, app.now().wall)?;
    let shared = app.clone();
    app.block(move || shared.accounts.add_token(&*shared.ports.storage, row)).await??;
    Ok(axum::Json(MadeToken { name: new.name, role: new.role, token }))
}

/// `DELETE /tokens/{name}`
///
/// # Errors
/// 404.
pub async fn delete(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    let shared = app.clone();
    app.block(move || shared.accounts.delete_token(&*shared.ports.storage, &name)).await??;
    app.sessions.announce();
    Ok(StatusCode::NO_CONTENT)
}
