//! The socket of a phone in a browser: what the page asks goes to the box, what the box says goes to the page. It ends when
//! its page is silent for 45 seconds, talks too much, or when its session ends; the phone then waits a while for its page.
//! Decides nothing about calls.
use super::ws::{PROOF_EVERY, STUCK, Wanted, admit};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Query;
use crate::guard::{self, Asker};
use crate::ports::PhoneLine;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use model::browser_phone::{OFFER_MAX, PhoneAsk, PhoneTell};
use model::sentence::Sentence;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

/// Where it is.
pub const PATH: &str = "/api/v1/phone";
/// Largest frame of a page: an offer, with every line end written as two characters of JSON each.
const LARGEST: usize = OFFER_MAX * 2;
/// A page pings every 5 s; after this it is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Frames of a page in [`PROOF_EVERY`]: somebody who types digits as fast as can be sends a tenth.
const TALK: u32 = 400;
/// Longest name of a tab.
const KEY_MAX: usize = 64;

/// Which tab it is.
#[derive(Deserialize, IntoParams)]
pub struct PhoneParams {
    /// Random name of the tab, the same after a reload: 16 to 64 letters, digits or `-`.
    pub tab: String,
}

/// `GET /phone`
///
/// # Errors
/// 400 when the request is no WebSocket or the tab has no name, 403 from another site's page, 409 for an account without an
/// extension, 503 at the limit of sockets or when the box is busy.
pub async fn upgrade(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<PhoneParams>,
    headers: HeaderMap,
    upgrade: Wanted,
) -> Result<Response, ApiError> {
    let key = params.tab;
    let named = (16..=KEY_MAX).contains(&key.len());
    if !named || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(ApiError::field(
            "tab",
            "malformed",
            Sentence::new(
                "The name of a tab is 16 to 64 letters, digits or \"-\".",
                "标签页的名称由 16 到 64 个字母、数字或“-”组成。",
            ),
        ));
    }
    let Some(extension) = asker.own.extension.clone() else {
        let said = Sentence::new(
            "This account has no extension. An administrator gives it one under Settings, Users.",
            "此账户没有分机。管理员可在“设置 › 用户”中分配。",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "no_extension", said));
    };
    let (upgrade, open) = admit(&asker, &headers, upgrade)?;
    let Some(line) = app.ports.phones.attach(extension, key) else {
        let said = Sentence::new(
            "The box is too busy for one more phone; try again in a moment.",
            "设备繁忙，暂时无法再接入话机；请稍后重试。",
        );
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", said));
    };
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = open;
        let mut page = Page { socket, app, asker, line, heard: Instant::now(), frames: 0 };
        let Err(Done) = page.serve().await;
        let _ = timeout(STUCK, page.socket.send(Message::Close(None))).await;
    }))
}

struct Page {
    socket: WebSocket,
    app: App,
    asker: Asker,
    line: PhoneLine,
    heard: Instant,
    frames: u32,
}

/// The page is done.
struct Done;

impl Page {
    async fn serve(&mut self) -> Result<std::convert::Infallible, Done> {
        let mut ends = self.app.sessions.watch_ends();
        let mut proof = tokio::time::interval(PROOF_EVERY);
        loop {
            tokio::select! {
                frame = self.socket.recv() => match frame {
                    Some(Ok(message)) => self.hear(&message)?,
                    Some(Err(_)) | None => return Err(Done),
                },
                told = self.line.told.recv() => match told {
                    Some(tell) => self.tell(&tell).await?,
                    None => return Err(Done),
                },
                gone = ends.changed() => {
                    gone.map_err(|_| Done)?;
                    self.prove()?;
                }
                _ = proof.tick() => {
                    self.frames = 0;
                    self.prove()?;
                }
            }
        }
    }

    fn hear(&mut self, message: &Message) -> Result<(), Done> {
        self.heard = Instant::now();
        self.frames += 1;
        let text = match message {
            Message::Text(text) if self.frames <= TALK => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Text(_) | Message::Binary(_) | Message::Close(_) => return Err(Done),
        };
        let ask: PhoneAsk = serde_json::from_str(text).map_err(|_| Done)?;
        // A box that is too busy lets go of the page, which comes again and shows how things are.
        if (self.line.ask)(ask) { Ok(()) } else { Err(Done) }
    }

    async fn tell(&mut self, tell: &PhoneTell) -> Result<(), Done> {
        let text = serde_json::to_string(tell).map_err(|_| Done)?;
        match timeout(STUCK, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Done),
        }
    }

    fn prove(&self) -> Result<(), Done> {
        let here = self.heard.elapsed() <= SILENCE;
        if here && guard::still_valid(&self.app, &self.asker) { Ok(()) } else { Err(Done) }
    }
}
