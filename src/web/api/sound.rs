//! A WAV file of the data folder with byte ranges, so that a player seeks without loading it all. Reads in pieces; never
//! holds a file in memory. A path that leaves the data folder is refused whatever record it came from.
use crate::app::App;
use crate::error::ApiError;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use model::sentence::Sentence;
use std::io::SeekFrom;
use std::path::{Component, Path};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;

/// Bytes read at once: four seconds of one channel of µ-law.
const PIECE: usize = 32 * 1024;

/// The answer with the sound.
pub type Sound = Response;

/// Opens a file below the data folder, as a whole or the asked range.
///
/// # Errors
/// 404 when it is gone, 416 for a range outside of it.
pub async fn open(app: &App, path: &str, headers: &HeaderMap) -> Result<Sound, ApiError> {
    let below = Path::new(path);
    if !below.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(ApiError::fault(&format_args!("a record names a path outside the data folder: {path}")));
    }
    file(&app.data.join(below), headers).await
}

/// The same for a file that the caller has found.
///
/// # Errors
/// 404 when it is gone, 416 for a range outside of it.
pub async fn file(path: &Path, headers: &HeaderMap) -> Result<Sound, ApiError> {
    let gone = |_| ApiError::not_found("sound");
    let mut file = File::open(path).await.map_err(gone)?;
    let about = file.metadata().await.map_err(gone)?;
    if !about.is_file() {
        return Err(ApiError::not_found("sound"));
    }
    let size = about.len();
    let asked = headers.get(header::RANGE).and_then(|v| v.to_str().ok()).and_then(|v| range(v, size));
    let (status, from, to) = match asked {
        None => (StatusCode::OK, 0, size),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => return Ok(unsatisfiable(size)),
    };
    file.seek(SeekFrom::Start(from)).await.map_err(gone)?;
    let mut response = Response::new(pieces(file, to - from));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    if status == StatusCode::PARTIAL_CONTENT {
        out.insert(header::CONTENT_RANGE, text(format!("bytes {from}-{}/{size}", to - 1)));
    }
    Ok(response)
}

/// `None` = no range that we serve (RFC 9110 14.2 lets us send the whole); `Some(None)` = outside.
fn range(value: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    match (number(first), number(last)) {
        (Some(from), _) if from >= size => Some(None),
        (Some(from), Some(to)) if to >= from => Some(Some((from, to.saturating_add(1).min(size)))),
        (Some(from), None) if last.is_empty() => Some(Some((from, size))),
        (None, Some(0)) if first.is_empty() => Some(None),
        (None, Some(tail)) if first.is_empty() => Some((size > 0).then(|| (size.saturating_sub(tail), size))),
        (Some(_), Some(_) | None) | (None, Some(_) | None) => None,
    }
}

fn unsatisfiable(size: u64) -> Response {
    let said = Sentence::new("The range lies outside the sound.", "请求的范围超出声音的长度。");
    let mut response = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", said).into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, self::text(format!("bytes */{size}")));
    response
}

fn text(value: String) -> HeaderValue {
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

/// A body that reads the next piece when the one before is on its way.
fn pieces(mut file: File, mut left: u64) -> Body {
    let (to, from) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    tokio::spawn(async move {
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
            let mut piece = vec![0; want];
            let read = file.read_exact(&mut piece).await;
            left -= u64::try_from(want).unwrap_or(left);
            let stop = read.is_err();
            if to.send(read.map(|_| piece.into())).await.is_err() || stop {
                return;
            }
        }
    });
    Body::new(Pieces(from))
}

struct Pieces(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_of_rfc_9110() {
        assert_eq!(range("bytes=0-99", 1000), Some(Some((0, 100))));
        assert_eq!(range("bytes=900-", 1000), Some(Some((900, 1000))));
        assert_eq!(range("bytes=-100", 1000), Some(Some((900, 1000))));
        assert_eq!(range("bytes=-5000", 1000), Some(Some((0, 1000))));
        assert_eq!(range("bytes=990-5000", 1000), Some(Some((990, 1000))));
        assert_eq!(range("bytes=0-18446744073709551615", 10), Some(Some((0, 10))));
        assert_eq!(range("bytes=1000-", 1000), Some(None));
        assert_eq!(range("bytes=-0", 1000), Some(None));
        assert_eq!(range("bytes=0-", 0), Some(None));
        for whole in ["bytes=5-1", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=-", "bytes"] {
            assert_eq!(range(whole, 1000), None, "{whole}");
        }
    }
}
