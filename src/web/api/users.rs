//! Who may sign in. Administrators only; a change of password or role ends that person's sessions, so nobody keeps
//! rights they lost.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::password;
use axum::extract::State;
use axum::http::StatusCode;
use model::clock::Wall;
use model::query::{Role, UserRow};
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody who may sign in.
#[derive(Serialize, ToSchema)]
pub struct UserView {
    /// Name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The agent they are.
    pub agent: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// When made.
    pub created: Wall,
}

impl From<UserRow> for UserView {
    fn from(row: UserRow) -> UserView {
        let UserRow { name, role, agent, extension, created, password_hash: _ } = row;
        UserView { name, role, agent, extension, created }
    }
}

/// Somebody new.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1–64 characters `a-z 0-9 . _ -`.
    pub name: String,
    /// At least 10 characters.
    pub password: String,
    /// What they may do.
    pub role: Role,
    /// The agent they are.
    #[serde(default)]
    pub agent: Option<String>,
    /// Their extension.
    #[serde(default)]
    pub extension: Option<String>,
}

/// A change; what is left out stays. `agent` and `extension` are taken off by an empty text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// New password; needed when there is no such user yet.
    #[serde(default)]
    pub password: Option<String>,
    /// What they may do; needed when there is no such user yet.
    #[serde(default)]
    pub role: Option<Role>,
    /// The agent they are.
    #[serde(default)]
    pub agent: Option<String>,
    /// Their extension.
    #[serde(default)]
    pub extension: Option<String>,
}

/// Checks a sign-in name.
///
/// # Errors
/// 422 with the rule.
pub fn check_name(name: &str, field: &str) -> Result<(), ApiError> {
    let fine = (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'));
    let said = || {
        Sentence::new(
            "A sign-in name has 1 to 64 of the characters a-z 0-9 . _ -",
            "登录名由 1 到 64 个字符组成：a-z 0-9 . _ -",
        )
    };
    if fine { Ok(()) } else { Err(ApiError::field(field, "wrong_name", said())) }
}

/// Checks a new password.
///
/// # Errors
/// 422 with what is wrong.
pub fn check_password(user: &str, password: &str, field: &str) -> Result<(), ApiError> {
    match password::weakness(user, password) {
        Some((code, said)) => Err(ApiError::field(field, code, said)),
        None => Ok(()),
    }
}

/// `GET /users`
pub async fn list(State(app): State<App>) -> axum::Json<Vec<UserView>> {
    axum::Json(app.accounts.users().into_iter().map(UserView::from).collect())
}

/// `POST /users`
///
/// # Errors
/// 409 when the name is taken, 422 for wrong fields.
pub async fn create(
    State(app): State<App>,
    Json(new): Json<NewUser>,
) -> Result<axum::Json<UserView>, ApiError> {
    if app.accounts.user(&new.name).is_some() {
        return Err(ApiError::conflict(Sentence::new(
            "There is a user of this name already.",
            "已有同名用户。",
        )));
    }
    let change = UserChange {
        password: Some(new.password),
        role: Some(new.role),
        agent: new.agent,
        extension: new.extension,
    };
    store(app, new.name, change).await
}

/// `PUT /users/{name}`
///
/// # Errors
/// 409 for taking the last administrator's role, 422 for wrong fields.
pub async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<axum::Json<UserView>, ApiError> {
    store(app, name, change).await
}

async fn store(app: App, name: String, change: UserChange) -> Result<axum::Json<UserView>, ApiError> {
    check_name(&name, "name")?;
    let before = app.accounts.user(&name);
    if let Some(password) = &change.password {
        check_password(&name, password, "password")?;
    }
    let role = change.role.or(before.as_ref().map(|u| u.role)).ok_or_else(|| missing("role"))?;
    if role == Role::Wall {
        return Err(ApiError::field(
            "role",
            "out_of_range",
            Sentence::new("A screen on the wall has a token, no user.", "大屏看板使用令牌，不使用用户。"),
        ));
    }
    let hash = match (change.password, &before) {
        (Some(password), _) => app.gate.make(password).await?,
        (None, Some(user)) => user.password_hash.clone(),
        (None, None) => return Err(missing("password")),
    };
    let link = |new: Option<String>, old: Option<String>| new.or(old).filter(|text| !text.is_empty());
    let old = before.as_ref();
    let user = UserRow {
        role,
        password_hash: hash,
        agent: link(change.agent, old.and_then(|u| u.agent.clone())),
        extension: link(change.extension, old.and_then(|u| u.extension.clone())),
        created: old.map_or(app.now().wall, |u| u.created),
        name,
    };
    if old.is_some_and(|u| u.role == Role::Admin) && role != Role::Admin && app.accounts.admins() == 1 {
        return Err(crate::accounts::last_admin());
    }
    let changed = old.is_some_and(|u| *u != user);
    let (shared, row) = (app.clone(), user.clone());
    app.block(move || shared.accounts.put_user(&*shared.ports.storage, row)).await??;
    if changed {
        app.end_sessions(&user.name, None).await?;
    }
    if user.role == Role::Admin {
        let shared = app.clone();
        app.block(move || shared.setup.done()).await?;
    }
    Ok(axum::Json(user.into()))
}

fn missing(field: &str) -> ApiError {
    let said = Sentence::new(
        "There is no such user yet: give a password and a role.",
        "该用户尚不存在：请给出密码和角色。",
    );
    ApiError::field(field, "missing", said)
}

/// `DELETE /users/{name}`
///
/// # Errors
/// 404, 409 for the last administrator.
pub async fn delete(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    let (shared, gone) = (app.clone(), name.clone());
    app.block(move || shared.accounts.delete_user(&*shared.ports.storage, &gone)).await??;
    app.end_sessions(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
