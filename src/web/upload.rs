//! Takes a large body straight to a file: no more of it in memory than one piece, a limit on its length, and nothing left
//! behind when it breaks off. For the few operations that [`crate::server`] lets have large bodies.
use crate::error::ApiError;
use axum::body::Body;
use axum::http::StatusCode;
use hyper::body::Body as _;
use model::sentence::Sentence;
use std::path::Path;
use std::pin::Pin;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// Longest backup: more than any disk of a box has room for is refused by the disk itself.
pub const BACKUP: u64 = 64 << 30;
/// Longest update: a bundle is about 50 MB, the slot it goes to 160.
pub const BUNDLE: u64 = 256 << 20;
/// Longest list of numbers: two million rows.
pub const LIST: u64 = 512 << 20;
/// Paths whose body may be larger than others' and may take longer, because it goes to a file.
const LARGE: [(&str, u64); 5] = [
    ("/api/v1/backups/upload", BACKUP),
    ("/api/v1/barred/import", LIST),
    ("/api/v1/lists/import", LIST),
    ("/api/v1/setup/backup", BACKUP),
    ("/api/v1/update", BUNDLE),
];

/// The largest body of a path that takes one to a file.
#[must_use]
pub fn limit_of(path: &str) -> Option<u64> {
    LARGE.into_iter().find(|(p, _)| *p == path).map(|(_, limit)| limit)
}

/// Writes the body to a new file, on the disk when it returns. The answer is its length.
///
/// # Errors
/// 413, 507 when the disk refuses, 400 when the sender broke off; the file is gone then.
pub async fn to_file(body: Body, path: &Path, limit: u64) -> Result<u64, ApiError> {
    let part = path.with_extension("part");
    let written = write(body, &part, limit).await;
    let done = match written {
        Ok(bytes) => tokio::fs::rename(&part, path).await.map(|()| bytes).map_err(|e| no_room(&e)),
        Err(error) => Err(error),
    };
    crate::patience::received();
    if done.is_err() {
        // What is there of it is of no use.
        let _ = tokio::fs::remove_file(&part).await;
    }
    done
}

async fn write(mut body: Body, part: &Path, limit: u64) -> Result<u64, ApiError> {
    let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(part).await;
    let mut file: File = opened.map_err(|e| no_room(&e))?;
    let mut bytes = 0_u64;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| ApiError::malformed("The body broke off."))?;
        let Some(piece) = frame.data_ref() else { continue };
        bytes += u64::try_from(piece.len()).unwrap_or(0);
        if bytes > limit {
            return Err(too_large(limit));
        }
        file.write_all(piece).await.map_err(|e| no_room(&e))?;
    }
    file.sync_all().await.map_err(|e| no_room(&e))?;
    Ok(bytes)
}

/// Reads a body to its end, or to the limit, and keeps nothing of it.
pub async fn swallow(mut body: Body, limit: u64) {
    let mut bytes = 0_u64;
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        bytes += frame.data_ref().map_or(0, |piece| u64::try_from(piece.len()).unwrap_or(0));
        if bytes > limit {
            return;
        }
    }
}

/// 413 with the limit in words.
#[must_use]
pub fn too_large(limit: u64) -> ApiError {
    let mib = limit >> 20;
    let said = Sentence::new(
        format!("The file is larger than {mib} MiB: too large to be one of ours."),
        format!("文件超过 {mib} MiB，不可能是本系统的文件。"),
    );
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", said)
}

fn no_room(error: &std::io::Error) -> ApiError {
    tracing::warn!(%error, "an upload could not be written");
    let said = Sentence::new(
        "The disk of the box is full or fails, so the file was not taken. Calls go on. The page Health says more: make \
         room, then send it again.",
        "设备磁盘已满或出现故障，未接收该文件；通话不受影响。请查看“健康状态”页面，腾出空间后重新上传。",
    );
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "no_room", said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_arrives_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let content = vec![7; 300_000];
        assert_eq!(to_file(Body::from(content.clone()), &path, 300_000).await.unwrap(), 300_000);
        assert_eq!(std::fs::read(&path).unwrap(), content);
        std::fs::remove_file(&path).unwrap();
        let error = to_file(Body::from(content), &path, 299_999).await.unwrap_err();
        assert_eq!(error.code(), "too_large");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
