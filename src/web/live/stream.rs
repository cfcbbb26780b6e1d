//! What happens on the box, for outside programs: a WebSocket on which each event has a number. A program that was cut
//! off names the run and the last number it has and gets what it missed; when that is not remembered any more (or the box
//! has started again) it gets everything as it is now, with the number from which it goes on. Either way nothing is
//! missing and nothing comes twice. A slow program is never waited for: it gets a snapshot when it falls too far behind.
use super::hub::{Happened, Whole};
use super::scope::Scope;
use super::ws::{PROOF_EVERY, STUCK, Wanted, admit};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Query;
use crate::guard::{self, Asker};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::IntoParams;

/// Where it is.
pub const PATH: &str = "/api/v1/events/stream";
/// Events sent without looking up.
const BATCH: usize = 200;
/// A quiet stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Where to go on.
#[derive(Deserialize, IntoParams)]
pub struct StreamParams {
    /// `run` of the `hello` under which the number was learnt; without it, or with another one, a snapshot comes first.
    pub run: Option<String>,
    /// Number of the last event (or snapshot) taken in.
    pub after: Option<u64>,
}

/// `GET /events/stream`
///
/// # Errors
/// 400 when the request is no WebSocket, 403 from another site's page, 503 at the limit of sockets.
pub async fn upgrade(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<StreamParams>,
    headers: HeaderMap,
    upgrade: Wanted,
) -> Result<Response, ApiError> {
    let (upgrade, open) = admit(&asker, &headers, upgrade)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = open;
        let same = params.run.as_deref() == Some(app.hub.run_name());
        let reached = params.after.filter(|_| same);
        let scope = Scope::of(&asker);
        let mut stream = Stream { socket, app, asker, scope, reached, told: reached.unwrap_or(0) };
        let reason = stream.serve().await.err().flatten();
        if let Some(reason) = reason {
            let _ = stream.send(json!({ "type": "bye", "reason": reason }).to_string()).await;
        }
        let _ = timeout(STUCK, stream.socket.send(Message::Close(None))).await;
    }))
}

struct Stream {
    socket: WebSocket,
    app: App,
    asker: Asker,
    scope: Scope,
    /// Looked at up to here; `None` = a snapshot is due.
    reached: Option<u64>,
    /// Number of the last frame that carried one.
    told: u64,
}

/// The stream is done, for this reason if the program can still hear it.
type Done = Option<&'static str>;

impl Stream {
    async fn serve(&mut self) -> Result<(), Done> {
        let hub = Arc::clone(&self.app.hub);
        let mut changed = hub.watch();
        let mut ends = self.app.sessions.watch_ends();
        let mut proof = tokio::time::interval(PROOF_EVERY);
        let mut alive = tokio::time::interval(ALIVE);
        let now = self.app.now().wall.0;
        self.send(json!({ "type": "hello", "v": 1, "run": hub.run_name(), "now": now }).to_string()).await?;
        self.tell().await?;
        loop {
            tokio::select! {
                frame = self.socket.recv() => match frame {
                    // A program has nothing to say; control frames are answered by the socket itself.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => return Err(Some("not_understood")),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(None),
                },
                gone = changed.changed() => {
                    gone.map_err(|_| Some("stopping"))?;
                    self.tell().await?;
                }
                _ = alive.tick() => {
                    let now = self.app.now().wall.0;
                    self.send(json!({ "type": "alive", "now": now }).to_string()).await?;
                }
                gone = ends.changed() => {
                    gone.map_err(|_| Some("stopping"))?;
                    self.prove()?;
                }
                _ = proof.tick() => self.prove()?,
            }
        }
    }

    /// Sends everything up to now.
    async fn tell(&mut self) -> Result<(), Done> {
        loop {
            let found = self.reached.and_then(|after| self.app.hub.since(after, &self.scope, BATCH));
            let Some((happened, reached)) = found else {
                let whole = self.app.hub.whole(&self.scope);
                self.reached = Some(whole.number);
                self.told = whole.number;
                self.send(snapshot(&whole)).await?;
                continue;
            };
            if self.reached == Some(reached) {
                return Ok(());
            }
            self.reached = Some(reached);
            for one in happened {
                let frame = event(&one, self.told);
                self.told = one.number;
                self.send(frame).await?;
            }
        }
    }

    fn prove(&self) -> Result<(), Done> {
        if guard::still_valid(&self.app, &self.asker) { Ok(()) } else { Err(Some("signed_out")) }
    }

    async fn send(&mut self, text: String) -> Result<(), Done> {
        match timeout(STUCK, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }
}

/// `prev` is the number of the frame before: whoever has another one has missed something.
fn event(one: &Happened, prev: u64) -> String {
    let (number, topic, key) = (one.number, json!(one.topic), json!(one.key));
    let value = one.json.as_deref().unwrap_or("null");
    format!(
        r#"{{"type":"event","number":{number},"prev":{prev},"topic":{topic},"key":{key},"value":{value}}}"#
    )
}

fn snapshot(whole: &Whole) -> String {
    let mut out = format!(r#"{{"type":"snapshot","number":{},"state":{{"#, whole.number);
    for (i, (topic, things)) in whole.topics.iter().enumerate() {
        let _ = write!(out, "{}{}:{{", if i == 0 { "" } else { "," }, json!(topic));
        for (j, (key, value)) in things.iter().enumerate() {
            let _ = write!(out, "{}{}:{value}", if j == 0 { "" } else { "," }, json!(key));
        }
        out.push('}');
    }
    out.push_str("}}");
    out
}
