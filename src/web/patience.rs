//! A connection that ends when no byte has moved in either direction for a while: a peer that stops reading or writing
//! does not keep its place (W6).
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// An end of a connection with a limit on standing still.
pub struct Patient<T> {
    inner: T,
    limit: Duration,
    still: Pin<Box<Sleep>>,
}

impl<T> Patient<T> {
    /// Ends `inner` after `limit` without a byte.
    pub fn new(inner: T, limit: Duration) -> Patient<T> {
        Patient { inner, limit, still: Box::pin(sleep(limit)) }
    }

    fn moved(&mut self) {
        let until = Instant::now() + self.limit;
        self.still.as_mut().reset(until);
    }

    fn wait<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        ready!(self.still.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "nothing moved for too long")))
    }
}

use std::future::Future;

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            Poll::Ready(done) => {
                self.moved();
                Poll::Ready(done)
            }
            Poll::Pending => self.wait(cx),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(cx, buf) {
            Poll::Ready(done) => {
                self.moved();
                Poll::Ready(done)
            }
            Poll::Pending => self.wait(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.wait(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match Pin::new(&mut self.inner).poll_shutdown(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.wait(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_dropped_and_a_slow_one_is_not() {
        let (mut peer, end) = duplex(64);
        let mut end = Patient::new(end, Duration::from_secs(40));
        let reader = tokio::spawn(async move {
            let mut buf = [0; 1];
            for _ in 0..3 {
                end.read_exact(&mut buf).await?;
            }
            end.read_exact(&mut buf).await
        });
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(39)).await;
            peer.write_all(b"x").await.unwrap();
        }
        let error = reader.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_dropped() {
        let (_peer, end) = duplex(8);
        let mut end = Patient::new(end, Duration::from_secs(40));
        let error = end.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
