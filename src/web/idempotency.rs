//! `Idempotency-Key` on POST: the same key from the same asker on the same path gets the first answer again instead of
//! a second call, user or token, for ten minutes. What was begun goes on when its asker goes away. Keys are on disk before
//! anything is done; answers are not (they may hold secrets): after a restart a repeated key is refused, never acted on.
use crate::app::App;
use crate::error::ApiError;
use crate::guard::Asker;
use crate::ports::{Storage, Stored};
use crate::secret;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::clock::{Mono, Now, Wall};
use model::sentence::Sentence;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Answers kept, the oldest forgotten first: 256 × at most 64 KiB.
const MOST: usize = 256;
/// Largest answer kept; larger ones are not repeated.
const LARGEST: usize = 64 * 1024;
/// How long.
const KEPT: Duration = Duration::from_secs(600);

enum Answer {
    /// The first request still runs.
    Running,
    /// It was begun, and nobody knows what came of it: the box went down, or the request ran into a fault.
    Lost,
    Given(StatusCode, HeaderMap, Bytes),
}

/// Answers by key: the SHA-256 of asker, path and key.
#[derive(Default)]
pub struct Replays {
    given: Mutex<BTreeMap<String, (Mono, Answer)>>,
}

/// The key of a request that has one and may.
pub fn key_of(request: &Request, asker: Option<&Asker>) -> Option<String> {
    let key = request.headers().get("idempotency-key")?.to_str().ok()?;
    let fine = request.method() == Method::POST && !key.is_empty() && key.len() <= 128;
    let name = &asker.filter(|_| fine)?.name;
    Some(secret::sha256_hex(&format!("{name}\n{}\n{key}", request.uri().path())))
}

/// The first answer again, or a new one that is kept.
pub async fn answer(app: App, key: String, request: Request, next: Next) -> Response {
    if let Some(again) = app.replays.take_or_mark(&key, app.now().mono) {
        return again;
    }
    // In a task of its own: it is finished and kept for the next try also when its asker goes away.
    let task = tokio::spawn(act(app, key, request, next));
    task.await.unwrap_or_else(|e| ApiError::fault(&e).into_response())
}

async fn act(app: App, key: String, request: Request, next: Next) -> Response {
    let (at, kept) = (app.now().wall, key.clone());
    if let Err(fault) = app.store(move |s| s.begun_put(&kept, at, oldest(at))).await {
        app.replays.settle(&key, app.now().mono, None);
        return fault.into_response();
    }
    let lost = Lost { app: &app, key: Some(&key) };
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = match to_bytes(body, LARGEST).await {
        Ok(bytes) => bytes,
        Err(error) => return ApiError::fault(&error).into_response(),
    };
    lost.found();
    if parts.status.is_server_error() {
        app.replays.settle(&key, app.now().mono, None);
        let _ = app.store(move |s| s.begun_delete(&key)).await;
    } else {
        let given = Answer::Given(parts.status, parts.headers.clone(), bytes.clone());
        app.replays.settle(&key, app.now().mono, Some(given));
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What was begun before this is no longer remembered.
fn oldest(now: Wall) -> Wall {
    Wall(now.0 - i64::try_from(KEPT.as_millis()).unwrap_or(0))
}

impl Replays {
    /// Those of the time before the start. Blocks.
    ///
    /// # Errors
    /// The disk failed.
    pub fn load(storage: &dyn Storage, now: Now) -> Stored<Replays> {
        let begun = storage.begun(oldest(now.wall))?;
        let given = begun.into_iter().map(|key| (key, (now.mono, Answer::Lost))).collect();
        Ok(Replays { given: Mutex::new(given) })
    }

    fn take_or_mark(&self, key: &str, now: Mono) -> Option<Response> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, (at, _)| now.since(*at) < KEPT);
        match given.get(key) {
            Some((_, Answer::Given(status, headers, body))) => {
                return Some((*status, headers.clone(), body.clone()).into_response());
            }
            Some((_, Answer::Running)) => {
                return Some(
                    ApiError::conflict(Sentence::new(
                        "The first request of this key still runs.",
                        "此键的第一个请求仍在执行。",
                    ))
                    .into_response(),
                );
            }
            Some((_, Answer::Lost)) => {
                let said = Sentence::new(
                    "This was begun before and is not done twice; its answer is lost. Look what came of it, \
                     then ask with a new key if it has to be done again.",
                    "此操作此前已开始，不会重复执行，但其结果已丢失。请查看实际情况，如需重做请使用新的键。",
                );
                return Some(ApiError::conflict(said).into_response());
            }
            None => {}
        }
        if given.len() >= MOST {
            let oldest = given.iter().min_by_key(|(_, (at, _))| *at).map(|(k, _)| k.clone());
            oldest.and_then(|k| given.remove(&k));
        }
        given.insert(key.to_owned(), (now, Answer::Running));
        None
    }

    fn settle(&self, key: &str, now: Mono, answer: Option<Answer>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(answer) => given.insert(key.to_owned(), (now, answer)),
            None => given.remove(key),
        };
    }
}

/// Says that the answer is lost, unless it was found: a request that panics ends here.
struct Lost<'a> {
    app: &'a App,
    key: Option<&'a str>,
}

impl Lost<'_> {
    fn found(mut self) {
        self.key = None;
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.app.replays.settle(key, self.app.now().mono, Some(Answer::Lost));
        }
    }
}
