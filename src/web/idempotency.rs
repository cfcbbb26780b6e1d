//! `Idempotency-Key` on POST: the same key from the same asker on the same path gets the first answer again instead of
//! a second call, user or token. Kept in memory for ten minutes: a restart forgets them.
use crate::error::ApiError;
use crate::guard::Asker;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::clock::Mono;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers kept, the oldest forgotten first: 256 × at most 64 KiB.
const MOST: usize = 256;
/// Largest answer kept; larger ones are not repeated.
const LARGEST: usize = 64 * 1024;
/// How long.
const KEPT: Duration = Duration::from_secs(600);

/// Asker, path, key.
pub type Key = (String, String, String);

enum Answer {
    /// The first request still runs.
    Running,
    Given(StatusCode, HeaderMap, Bytes),
}

/// Answers by key.
pub struct Replays {
    started: Instant,
    given: Mutex<BTreeMap<Key, (Mono, Answer)>>,
}

impl Default for Replays {
    fn default() -> Replays {
        Replays { started: Instant::now(), given: Mutex::default() }
    }
}

/// The key of a request that has one and may.
pub fn key_of(request: &Request, asker: Option<&Asker>) -> Option<Key> {
    let key = request.headers().get("idempotency-key")?.to_str().ok()?;
    let fine = request.method() == Method::POST && !key.is_empty() && key.len() <= 128;
    fine.then(|| Some((asker?.name.clone(), request.uri().path().to_owned(), key.to_owned())))?
}

impl Replays {
    /// The first answer again, or a new one that is kept.
    pub async fn answer(&self, key: Key, request: Request, next: Next) -> Response {
        if let Some(again) = self.take_or_mark(&key) {
            return again;
        }
        // Taken back on drop, so that a request whose asker went away does not block its key.
        let mut mark = Mark { replays: self, key: Some(key) };
        let (parts, body) = next.run(request).await.into_parts();
        let bytes = match to_bytes(body, LARGEST).await {
            Ok(bytes) => bytes,
            Err(error) => return ApiError::fault(&error).into_response(),
        };
        if let Some(key) = mark.key.take() {
            self.keep(key, &parts, bytes.clone());
        }
        Response::from_parts(parts, Body::from(bytes))
    }

    fn take_or_mark(&self, key: &Key) -> Option<Response> {
        let now = self.now();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, (at, _)| now.since(*at) < KEPT);
        match given.get(key) {
            Some((_, Answer::Given(status, headers, body))) => {
                return Some((*status, headers.clone(), body.clone()).into_response());
            }
            Some((_, Answer::Running)) => {
                return Some(ApiError::conflict("The first request of this key still runs.").into_response());
            }
            None => {}
        }
        if given.len() >= MOST {
            let oldest = given.iter().min_by_key(|(_, (at, _))| *at).map(|(k, _)| k.clone());
            oldest.and_then(|k| given.remove(&k));
        }
        given.insert(key.clone(), (now, Answer::Running));
        None
    }

    fn keep(&self, key: Key, parts: &axum::http::response::Parts, body: Bytes) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.status.is_server_error() {
            given.remove(&key);
        } else {
            let answer = Answer::Given(parts.status, parts.headers.clone(), body);
            given.insert(key, (self.now(), answer));
        }
    }

    fn now(&self) -> Mono {
        Mono(0) + self.started.elapsed()
    }
}

struct Mark<'a> {
    replays: &'a Replays,
    key: Option<Key>,
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.replays.given.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
    }
}
