//! A capture of SIP messages: begin, look, end, take it away as a file for Wireshark. What is kept and what is blanked in it
//! is the box's matter; nothing here decides anything but the limits of the wish.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::Asker;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use model::clock::Wall;
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Shortest capture, seconds: long enough for one call to come in.
pub const SECONDS_MIN: u32 = 5;
/// Longest capture, seconds: nobody forgets one for more than an hour.
pub const SECONDS_MAX: u32 = 3600;

/// How the capture stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaptureView {
    /// Whether messages are kept now.
    pub running: bool,
    /// When the last one began; none = nothing was captured since the start of the box.
    pub started: Option<Wall>,
    /// When it ends, or ended.
    pub ends: Option<Wall>,
    /// Messages kept.
    pub messages: u32,
    /// Their bytes.
    pub bytes: u64,
    /// Older messages that made room for newer ones.
    pub lost: u64,
    /// The newest of them, oldest first.
    pub lines: Vec<CapturedLine>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CapturedLine {
    /// When.
    pub at: Wall,
    /// Whether the box sent it; else it came in.
    pub sent: bool,
    /// `udp` or `tcp`.
    pub transport: String,
    /// The other end.
    pub peer: String,
    /// Its first line.
    pub first: String,
}

/// Begins a capture.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureForm {
    /// How long, 5 to 3,600 seconds.
    pub seconds: u32,
}

/// `GET /capture`
///
/// # Errors
/// None of its own.
pub async fn view(State(app): State<App>) -> Result<axum::Json<CaptureView>, ApiError> {
    Ok(axum::Json(app.ports.capture.view()))
}

/// `POST /capture`: what was kept before goes.
///
/// # Errors
/// 422 when the time is outside the limits.
pub async fn start(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<CaptureForm>,
) -> Result<axum::Json<CaptureView>, ApiError> {
    if !(SECONDS_MIN..=SECONDS_MAX).contains(&form.seconds) {
        let said = Sentence::new(
            format!("A capture takes {SECONDS_MIN} to {SECONDS_MAX} seconds."),
            format!("抓包时长为 {SECONDS_MIN} 到 {SECONDS_MAX} 秒。"),
        );
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "range", said));
    }
    app.ports.capture.start(&asker.name, form.seconds);
    Ok(axum::Json(app.ports.capture.view()))
}

/// `POST /capture/stop`: what was kept stays.
///
/// # Errors
/// None of its own.
pub async fn stop(State(app): State<App>) -> Result<axum::Json<CaptureView>, ApiError> {
    app.ports.capture.stop();
    Ok(axum::Json(app.ports.capture.view()))
}

/// `DELETE /capture`
///
/// # Errors
/// None of its own.
pub async fn forget(State(app): State<App>) -> Result<StatusCode, ApiError> {
    app.ports.capture.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /capture/file`
///
/// # Errors
/// 404 when nothing was captured.
pub async fn file(
    State(app): State<App>,
    asker: Asker,
) -> Result<([(HeaderName, &'static str); 2], Vec<u8>), ApiError> {
    let capture = app.ports.capture.clone();
    let file = app.block(move || capture.file(&asker.name)).await?;
    let file = file.ok_or_else(|| {
        let said = Sentence::new("Nothing was captured.", "没有抓到任何消息。");
        ApiError::new(StatusCode::NOT_FOUND, "not_found", said)
    })?;
    let head = [
        (header::CONTENT_TYPE, "application/vnd.tcpdump.pcap"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"belfry-sip.pcap\""),
    ];
    Ok((head, file))
}
