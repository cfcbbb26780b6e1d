//! First set-up, signing in and out, and the own password. A wrong name, a wrong password and too long a password get
//! the same answer after the same work; tries are limited per address before any work is done.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::{Address, Asker, Proof};
use crate::ports::Draft;
use crate::{password, session};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use model::command::Actor;
use model::query::{Own, Role, UserRow};
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

type WithCookie<T> = (AppendHeaders<[(HeaderName, HeaderValue); 1]>, T);

/// Whether set-up is to be done.
#[derive(Serialize, ToSchema)]
pub struct SetupState {
    /// Nobody can administer the box yet.
    pub needed: bool,
    /// Name of the site, to know which box this is; told only while set-up is needed.
    pub site: String,
    /// Language of the site's prompts, as a first guess for the page.
    pub language: String,
}

/// The one-time code.
#[derive(Serialize, ToSchema)]
pub struct SetupCode {
    /// `None` once set-up is done.
    pub code: Option<String>,
}

/// What the set-up page sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupForm {
    /// The one-time code.
    pub code: String,
    /// Name of the first administrator.
    pub user: String,
    /// Their password.
    pub password: String,
    /// Name of the site.
    #[serde(default)]
    pub site_name: Option<String>,
    /// `en` or `zh`.
    #[serde(default)]
    pub language: Option<String>,
    /// Country profile.
    #[serde(default)]
    pub country: Option<String>,
    /// IANA zone.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// What the sign-in page sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginForm {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A new own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// The present one.
    pub old: String,
    /// The next one.
    pub new: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Name.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// Goes into the header `X-CSRF` of every write; absent for tokens and the local socket.
    pub csrf: Option<String>,
    /// The agent they are.
    pub agent: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// IANA name of the site's time zone: what pages show is in it, wherever the reader is.
    pub time_zone: String,
}

/// `GET /setup`
pub async fn setup_state(State(app): State<App>) -> Result<axum::Json<SetupState>, ApiError> {
    let needed = app.setup_needed();
    let (_, tree) = app.site(|s| s.current()).await?;
    let text = |key: &str| tree["system"][key].as_str().unwrap_or_default().to_owned();
    let site = if needed { text("name") } else { String::new() };
    Ok(axum::Json(SetupState { needed, site, language: text("language") }))
}

/// `GET /setup/code`
///
/// # Errors
/// 403 from the network.
pub async fn code(State(app): State<App>, asker: Asker) -> Result<axum::Json<SetupCode>, ApiError> {
    if asker.proof != Proof::Local {
        return Err(ApiError::forbidden());
    }
    Ok(axum::Json(SetupCode { code: app.setup_code() }))
}

/// `POST /setup`
///
/// # Errors
/// 409 when done already, 403 for a wrong code, 422 for wrong fields, 429 after too many tries.
pub async fn setup(
    State(app): State<App>,
    address: Address,
    Json(form): Json<SetupForm>,
) -> Result<WithCookie<axum::Json<SessionView>>, ApiError> {
    if !app.setup_needed() {
        return Err(crate::accounts::set_up_already());
    }
    begin_try(&app, &address)?;
    let right = app.setup.check(&form.code, app.now().mono).map_err(later)?;
    if !right {
        return Err(wrong_code());
    }
    end_try(&app, &address);
    super::users::check_name(&form.user, "user")?;
    super::users::check_password(&form.user, &form.password, "password")?;
    let hash = app.gate.make(form.password.clone()).await?;
    describe_site(&app, &form).await?;
    let user = UserRow {
        name: form.user.clone(),
        role: Role::Admin,
        password_hash: hash,
        agent: None,
        extension: None,
        created: app.now().wall,
    };
    let shared = app.clone();
    app.block(move || first_admin(&shared, user)).await??;
    sign_in(&app, &form.user).await
}

/// Two set-ups at the same moment: the second finds an administrator and is refused.
fn first_admin(app: &App, user: UserRow) -> Result<(), ApiError> {
    app.accounts.put_first_admin(&*app.ports.storage, user)?;
    app.setup.done();
    Ok(())
}

/// Puts name, language, country and zone into the configuration, if given.
async fn describe_site(app: &App, form: &SetupForm) -> Result<(), ApiError> {
    let given = [
        ("name", &form.site_name),
        ("language", &form.language),
        ("country", &form.country),
        ("time_zone", &form.time_zone),
    ];
    if given.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    let (generation, mut tree) = app.site(|s| s.current()).await?;
    for (key, value) in given {
        if let (Some(value), Some(system)) = (value, tree.get_mut("system").and_then(Value::as_object_mut)) {
            system.insert(key.to_owned(), json!(value));
        }
    }
    let by = Actor { name: form.user.clone() };
    let commit = app.ports.site.commit(by, Draft::Tree(tree), Some(generation), "set-up".to_owned());
    commit.await?;
    app.learn_site().await?;
    Ok(())
}

/// `POST /login`
///
/// # Errors
/// 401 for a wrong name or password, 429 after too many tries.
pub async fn login(
    State(app): State<App>,
    address: Address,
    Json(form): Json<LoginForm>,
) -> Result<WithCookie<axum::Json<SessionView>>, ApiError> {
    begin_try(&app, &address)?;
    let known = app.accounts.user(&form.user).filter(|_| form.password.len() <= password::MAX);
    // What is too long to be a password is weighed cut, against nobody.
    let mut given = form.password;
    given.truncate(given.floor_char_boundary(password::MAX));
    if !app.gate.check(given, known.map(|u| u.password_hash)).await? {
        let said = Sentence::new("The name or the password is wrong.", "用户名或密码错误。");
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "wrong_login", said));
    }
    end_try(&app, &address);
    sign_in(&app, &form.user).await
}

/// `POST /logout`
pub async fn logout(State(app): State<App>, asker: Asker) -> Result<WithCookie<StatusCode>, ApiError> {
    if let Proof::Session { cookie_hash, .. } = asker.proof {
        app.sessions.end(&cookie_hash);
        app.store(move |s| s.session_delete(&cookie_hash)).await?;
    }
    Ok((cookie(&session::clear_cookie())?, StatusCode::NO_CONTENT))
}

/// `GET /session`
///
/// # Errors
/// 500 when the disk failed.
pub async fn session(State(app): State<App>, asker: Asker) -> Result<axum::Json<SessionView>, ApiError> {
    let csrf = match asker.proof {
        Proof::Session { csrf, .. } => Some(csrf),
        Proof::Local | Proof::Token { .. } => None,
    };
    let Own { agent, extension } = asker.own;
    let time_zone = zone(&app).await?;
    Ok(axum::Json(SessionView { user: asker.name, role: asker.role, csrf, agent, extension, time_zone }))
}

async fn zone(app: &App) -> Result<String, ApiError> {
    let (_, tree) = app.site(|s| s.current()).await?;
    Ok(tree["system"]["time_zone"].as_str().unwrap_or("UTC").to_owned())
}

/// `POST /password`
///
/// # Errors
/// 403 for a wrong present password, 422 for a weak new one, 409 without a user behind.
pub async fn password(
    State(app): State<App>,
    address: Address,
    asker: Asker,
    Json(form): Json<PasswordForm>,
) -> Result<StatusCode, ApiError> {
    let Proof::Session { cookie_hash, .. } = &asker.proof else {
        return Err(ApiError::conflict(Sentence::new(
            "Only somebody signed in with a password can change it.",
            "只有用密码登录的人才能更改密码。",
        )));
    };
    super::users::check_password(&asker.name, &form.new, "new")?;
    begin_try(&app, &address)?;
    let user = app.accounts.user(&asker.name).ok_or_else(ApiError::unauthenticated)?;
    if !app.gate.check(form.old, Some(user.password_hash.clone())).await? {
        return Err(wrong_password());
    }
    end_try(&app, &address);
    let user = UserRow { password_hash: app.gate.make(form.new).await?, ..user };
    let shared = app.clone();
    app.block(move || shared.accounts.put_user(&*shared.ports.storage, user)).await??;
    app.end_sessions(&asker.name, Some(cookie_hash)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes sure that it is the person of the session who asks, not somebody at a page left open.
///
/// # Errors
/// 403 for a wrong password and for an API token, 429 after too many tries.
pub(super) async fn prove(
    app: &App,
    address: &Address,
    asker: &Asker,
    password: String,
) -> Result<(), ApiError> {
    match &asker.proof {
        Proof::Local => return Ok(()),
        Proof::Token { .. } => {
            let said = Sentence::new(
                "An API token cannot do this; sign in with a password.",
                "API 令牌不能执行此操作；请用密码登录。",
            );
            return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_password", said));
        }
        Proof::Session { .. } => {}
    }
    begin_try(app, address)?;
    let user = app.accounts.user(&asker.name).ok_or_else(ApiError::unauthenticated)?;
    if !app.gate.check(password, Some(user.password_hash)).await? {
        return Err(wrong_password());
    }
    end_try(app, address);
    Ok(())
}

/// A new session for somebody who proved to be `name`.
async fn sign_in(app: &App, name: &str) -> Result<WithCookie<axum::Json<SessionView>>, ApiError> {
    let user = app.accounts.user(name).ok_or_else(ApiError::unauthenticated)?;
    let (value, row) = app.sessions.begin(&user.name, app.now())?;
    let csrf = row.csrf.clone();
    app.store(move |s| s.session_put(row)).await?;
    let view = SessionView {
        user: user.name,
        role: user.role,
        csrf: Some(csrf),
        agent: user.agent,
        extension: user.extension,
        time_zone: zone(app).await?,
    };
    Ok((cookie(&session::set_cookie(&value))?, axum::Json(view)))
}

fn cookie(text: &str) -> Result<AppendHeaders<[(HeaderName, HeaderValue); 1]>, ApiError> {
    let value = HeaderValue::from_str(text).map_err(|e| ApiError::fault(&e))?;
    Ok(AppendHeaders([(header::SET_COOKIE, value)]))
}

/// Counts a try of this address.
///
/// # Errors
/// 429 after too many.
pub(super) fn begin_try(app: &App, address: &Address) -> Result<(), ApiError> {
    match address.0 {
        Some(who) => app.throttle.begin(who, app.now().mono).map_err(later),
        None => Ok(()),
    }
}

/// The try was a good one: those before it are forgiven.
pub(super) fn end_try(app: &App, address: &Address) {
    if let Some(who) = address.0 {
        app.throttle.forgive(who);
    }
}

/// 403: whoever sets the box up does not have its code.
pub(super) fn wrong_code() -> ApiError {
    let said = Sentence::new("That is not the set-up code.", "设置码不正确。");
    ApiError::new(StatusCode::FORBIDDEN, "wrong_code", said)
}

fn wrong_password() -> ApiError {
    let said = Sentence::new("The present password is wrong.", "当前密码错误。");
    ApiError::new(StatusCode::FORBIDDEN, "wrong_password", said)
}

/// 429.
pub(super) fn later(seconds: u32) -> ApiError {
    ApiError::too_many("Too many wrong tries. Wait a few minutes.", seconds)
}
