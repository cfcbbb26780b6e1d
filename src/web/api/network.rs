//! The box on the LAN and its clock: how it stands, a network change that waits to be kept, the time. The settings
//! themselves are the configuration's sections `network` and `time`; nothing here changes them.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::Asker;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use model::query::Role;
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;
use utoipa::ToSchema;

/// How the box stands on the LAN.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct NetworkView {
    /// Whether the box sets its network itself; false on a PC, where only packets are marked.
    pub managed: bool,
    /// The box's own addresses.
    pub addresses: Vec<String>,
    /// A change that waits to be kept.
    pub tried: Option<TriedView>,
    /// The last change that was taken back since the box started: `asked`, `not_kept` or `restarted`.
    pub undone: Option<String>,
    /// Why the settings are not in force, in the words of the machine.
    pub trouble: Option<Sentence>,
    /// The clock.
    pub time: TimeView,
}

/// A network change on trial.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedView {
    /// Seconds until the old settings come back.
    pub left_s: u64,
    /// Where the box is reached now, when that is known: the new static address.
    pub address: Option<String>,
    /// Whoever sends it keeps the change; for administrators only.
    pub token: Option<String>,
    /// Section `network` on trial.
    #[schema(value_type = Object)]
    pub settings: Value,
}

/// The clock of the box.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct TimeView {
    /// Now, UTC milliseconds.
    pub at: i64,
    /// False: the clock is before the day this software was made, so it is empty or wrong.
    pub trusted: bool,
    /// Whether a time server keeps it right.
    pub synchronised: bool,
    /// When the software was made, UTC milliseconds.
    pub built: i64,
    /// Milliseconds by which records of calls were moved after the clock was found.
    pub corrected_ms: i64,
}

/// Keeps a network change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepForm {
    /// The token of the change.
    pub token: String,
}

/// The time as a person reads it off a watch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockForm {
    /// UTC milliseconds.
    pub at: i64,
}

/// `GET /network`
///
/// # Errors
/// 500.
pub async fn state(State(app): State<App>, asker: Asker) -> Result<axum::Json<NetworkView>, ApiError> {
    let mut view = app.ports.lan.state();
    if let (Some(tried), true) = (&mut view.tried, asker.role != Role::Admin) {
        tried.token = None;
    }
    Ok(axum::Json(view))
}

/// `POST /network/keep`. Open to whoever knows the token: an administrator got it with the change and follows the link to
/// the new address, where nobody is signed in yet.
///
/// # Errors
/// 409 when nothing is on trial, or when the asker still speaks to an old address.
pub async fn keep(
    State(app): State<App>,
    headers: HeaderMap,
    Json(form): Json<KeepForm>,
) -> Result<StatusCode, ApiError> {
    let new = app.ports.lan.state().tried.and_then(|tried| tried.address);
    if let (Some(new), Some(spoken)) = (new, spoken_to(&headers))
        && new.parse::<IpAddr>().is_ok_and(|new| new.is_ipv4() == spoken.is_ipv4() && new != spoken)
    {
        let said = Sentence::new(
            format!("Keep the change from the new address, {new}: only that shows that it works."),
            format!("请从新地址 {new} 确认更改：只有这样才能证明它可用。"),
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "old_address", said));
    }
    let lan = app.ports.lan.clone();
    app.block(move || lan.keep(&form.token)).await?.map_err(ApiError::conflict)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The address in the `Host` header, when it is one.
fn spoken_to(headers: &HeaderMap) -> Option<IpAddr> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.split(']').next());
    bare.or_else(|| host.split(':').next())?.parse().ok()
}

/// `POST /network/undo`
///
/// # Errors
/// 409 when nothing is on trial.
pub async fn undo(State(app): State<App>) -> Result<StatusCode, ApiError> {
    let lan = app.ports.lan.clone();
    app.block(move || lan.undo()).await?.map_err(ApiError::conflict)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /time`
///
/// # Errors
/// 409 on a PC, 422 for a time that cannot be.
pub async fn set_clock(State(app): State<App>, Json(form): Json<ClockForm>) -> Result<StatusCode, ApiError> {
    let lan = app.ports.lan.clone();
    app.block(move || lan.set_clock(form.at)).await?.map_err(ApiError::conflict)?;
    Ok(StatusCode::NO_CONTENT)
}
