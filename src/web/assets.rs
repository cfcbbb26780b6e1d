//! The pages, embedded by build.rs: compressed beforehand, hashed names kept by browsers for ever, everything else
//! checked by its ETag. A path that is no file and no interface gets the start page, so that deep links work.
use crate::secret;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One embedded file.
pub struct Asset {
    path: &'static str,
    plain: &'static [u8],
    /// Gzip, when it is smaller.
    packed: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

struct Ready {
    asset: &'static Asset,
    tag: HeaderValue,
}

static READY: LazyLock<BTreeMap<&'static str, Ready>> = LazyLock::new(|| {
    let ready = |asset: &'static Asset| {
        let hash = secret::sha256_of(asset.plain);
        let tag = HeaderValue::from_str(&format!("\"{}\"", &hash[..16]));
        (asset.path, Ready { asset, tag: tag.unwrap_or(HeaderValue::from_static("\"0\"")) })
    };
    ASSETS.iter().map(ready).collect()
});

/// Whether pages were built in.
#[must_use]
pub fn built_in() -> bool {
    ASSETS.iter().any(|a| a.path == "index.html")
}

/// Answers whatever is not the interface.
pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let start = || READY.get("index.html");
    match READY.get(path) {
        Some(ready) => answer(ready, &request),
        // A hashed file that is gone must not be answered with a page: an old tab would run it as a script.
        None if path.starts_with("assets/") => (StatusCode::NOT_FOUND, "not found").into_response(),
        None => match start() {
            Some(ready) => answer(ready, &request),
            None => {
                (StatusCode::OK, "The pages were not built into this program. The interface is at /api/v1.")
                    .into_response()
            }
        },
    }
}

fn answer(ready: &Ready, request: &Request) -> Response {
    let headers = request.headers();
    let mut response = Response::new(Body::empty());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == ready.tag);
    let packs = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    let packs = packs.is_some_and(|v| v.split(',').any(|e| e.trim().split(';').next() == Some("gzip")));
    let out = response.headers_mut();
    out.insert(header::ETAG, ready.tag.clone());
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(ready.asset.path)));
    let keep = if ready.asset.path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let bytes = match (ready.asset.packed, packs) {
        (Some(packed), true) => {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed
        }
        (Some(_), false) | (None, _) => ready.asset.plain,
    };
    *response.body_mut() = Body::from(bytes);
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
