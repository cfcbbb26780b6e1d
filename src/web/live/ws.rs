//! The live socket of one page: subscriptions in, snapshots and deltas out. It ends when its page is silent for 45
//! seconds, does not read for 15, talks too much, or when its session or token ends. Commands do not go this way.
use super::hub::Shown;
use super::proto::{self, ClientFrame};
use super::scope::Scope;
use super::topic::Topic;
use crate::app::App;
use crate::error::ApiError;
use crate::guard::{self, Asker, Proof};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use model::sentence::Sentence;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Largest frame of a page; the longest honest one is 60 bytes.
const LARGEST: usize = 4096;
/// Subscriptions of one page: each topic twice.
const SUBSCRIPTIONS: usize = 24;
/// Sockets in all: 128 desks with two tabs.
const SOCKETS: usize = 256;
/// A page pings every 15 s; three missed and it is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// A page that does not take a frame for so long is gone.
pub(super) const STUCK: Duration = Duration::from_secs(15);
/// How often the session behind the socket is looked at, besides whenever one ends.
pub(super) const PROOF_EVERY: Duration = Duration::from_secs(20);
/// Frames of a page in [`PROOF_EVERY`]; an honest page sends about a dozen when it opens and one per 15 s.
const TALK: u32 = 200;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// A place among the open sockets.
pub(super) struct Open;

impl Open {
    fn take() -> Option<Open> {
        if OPEN.fetch_add(1, Ordering::AcqRel) >= SOCKETS {
            OPEN.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// `GET /api/v1/live`.
///
/// # Errors
/// 400 when the request is no WebSocket, 403 from another site's page, 503 at the limit of sockets.
pub async fn upgrade(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    upgrade: Wanted,
) -> Result<Response, ApiError> {
    let (upgrade, open) = admit(&asker, &headers, upgrade)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = open;
        Page::new(socket, app, asker).run().await;
    }))
}

/// A request to become a socket.
pub(super) type Wanted = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Lets a socket in, while there is room.
///
/// # Errors
/// 400 when the request is no WebSocket, 403 from another site's page, 503 at the limit of sockets.
pub(super) fn admit(
    asker: &Asker,
    headers: &HeaderMap,
    upgrade: Wanted,
) -> Result<(WebSocketUpgrade, Open), ApiError> {
    let upgrade = upgrade.map_err(|why| ApiError::malformed(format!("This is a WebSocket: {why}.")))?;
    // A browser always says where a socket comes from; with a cookie it must say so.
    let browser = matches!(asker.proof, Proof::Session { .. });
    if browser && !headers.contains_key(header::ORIGIN) {
        let said = Sentence::new("The Origin header is missing.", "缺少 Origin 请求头。");
        return Err(ApiError::new(StatusCode::FORBIDDEN, "origin", said));
    }
    guard::same_origin(headers)?;
    let Some(open) = Open::take() else {
        let said = Sentence::new("Too many live pages are open.", "打开的实时页面过多。");
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", said));
    };
    Ok((upgrade.max_message_size(LARGEST).max_frame_size(LARGEST), open))
}

struct Sub {
    topic: Topic,
    rev: u64,
    shown: Shown,
    /// Not told again before.
    due: Instant,
}

struct Page {
    socket: WebSocket,
    app: App,
    scope: Scope,
    asker: Asker,
    subs: BTreeMap<u32, Sub>,
    heard: Instant,
    frames: u32,
}

/// The page is done; the reason it is told, if any.
struct Done(Option<&'static str>);

impl Page {
    fn new(socket: WebSocket, app: App, asker: Asker) -> Page {
        let scope = Scope::of(&asker);
        Page { socket, app, scope, asker, subs: BTreeMap::new(), heard: Instant::now(), frames: 0 }
    }

    async fn run(mut self) {
        let Err(Done(reason)) = self.serve().await;
        if let Some(reason) = reason {
            let _ = self.send(proto::bye(reason)).await;
        }
        let _ = timeout(STUCK, self.socket.send(Message::Close(None))).await;
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Done> {
        let hub = Arc::clone(&self.app.hub);
        let mut changed = hub.watch();
        let mut ends = self.app.sessions.watch_ends();
        let mut proof = tokio::time::interval(PROOF_EVERY);
        let mut flush: Option<Instant> = None;
        self.send(proto::hello(self.now_ms())).await?;
        loop {
            let later = flush.unwrap_or_else(|| Instant::now() + SILENCE);
            tokio::select! {
                frame = self.socket.recv() => match frame {
                    Some(Ok(message)) => self.hear(message).await?,
                    Some(Err(_)) | None => return Err(Done(None)),
                },
                gone = changed.changed() => {
                    gone.map_err(|_| Done(Some("stopping")))?;
                    flush = self.tell().await?;
                }
                () = sleep_until(later), if flush.is_some() => flush = self.tell().await?,
                gone = ends.changed() => {
                    gone.map_err(|_| Done(Some("stopping")))?;
                    self.prove()?;
                }
                _ = proof.tick() => {
                    self.frames = 0;
                    self.prove()?;
                }
            }
        }
    }

    /// Tells what is due; when the next is.
    async fn tell(&mut self) -> Result<Option<Instant>, Done> {
        let now = Instant::now();
        let due: Vec<u32> = self.subs.iter().filter(|(_, s)| s.due <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.tell_one(id).await?;
        }
        Ok(self.subs.values().map(|s| s.due).filter(|&due| due > now).min())
    }

    async fn tell_one(&mut self, id: u32) -> Result<(), Done> {
        let now_ms = self.now_ms();
        let Some(sub) = self.subs.get_mut(&id) else { return Ok(()) };
        let difference = self.app.hub.difference(sub.topic, &self.scope, &mut sub.shown);
        if difference.is_empty() {
            return Ok(());
        }
        sub.rev += 1;
        sub.due = Instant::now() + self.scope.pace(sub.topic);
        let up = difference.up.iter().map(|(key, json)| (key.as_str(), &**json));
        let frame = proto::delta(id, sub.rev, now_ms, up, &difference.del);
        self.send(frame).await
    }

    async fn hear(&mut self, message: Message) -> Result<(), Done> {
        self.heard = Instant::now();
        self.frames += 1;
        if self.frames > TALK {
            return Err(Done(Some("too_many_frames")));
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Done(Some("not_understood"))),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(Done(None)),
        };
        match serde_json::from_str(&text) {
            Ok(ClientFrame::Ping { active }) => self.ping(active).await,
            Ok(ClientFrame::Sub { id, topic }) => self.subscribe(id, topic).await,
            Ok(ClientFrame::Unsub { id }) => {
                self.subs.remove(&id);
                Ok(())
            }
            Err(_) => Err(Done(Some("not_understood"))),
        }
    }

    async fn ping(&mut self, active: bool) -> Result<(), Done> {
        if let (true, Proof::Session { cookie_hash, .. }) = (active, &self.asker.proof) {
            let found = self.app.sessions.touch(cookie_hash, self.app.now());
            if let Some(row) = found.ok_or(Done(Some("signed_out")))?.renew {
                guard::keep(&self.app, row);
            }
        }
        self.send(proto::pong(self.now_ms())).await
    }

    async fn subscribe(&mut self, id: u32, topic: Topic) -> Result<(), Done> {
        if !self.scope.allows(topic) {
            return self.send(proto::err(id, "forbidden")).await;
        }
        if self.subs.len() >= SUBSCRIPTIONS && !self.subs.contains_key(&id) {
            return self.send(proto::err(id, "too_many")).await;
        }
        let mut shown = Shown::new();
        let all = self.app.hub.difference(topic, &self.scope, &mut shown);
        let rev = self.subs.get(&id).map_or(0, |s| s.rev) + 1;
        let data = all.up.iter().map(|(key, json)| (key.as_str(), &**json));
        let frame = proto::snap(id, rev, self.now_ms(), data);
        self.subs.insert(id, Sub { topic, rev, shown, due: Instant::now() });
        self.send(frame).await
    }

    fn prove(&self) -> Result<(), Done> {
        if self.heard.elapsed() > SILENCE {
            return Err(Done(Some("silent")));
        }
        if guard::still_valid(&self.app, &self.asker) { Ok(()) } else { Err(Done(Some("signed_out"))) }
    }

    async fn send(&mut self, text: String) -> Result<(), Done> {
        match timeout(STUCK, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Done(None)),
        }
    }

    fn now_ms(&self) -> i64 {
        self.app.now().wall.0
    }
}
