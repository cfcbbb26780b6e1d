//! A connection that ends when no byte has moved in either direction for a while: a peer that stops reading or writing
//! does not keep its place (W6). While the box works on a file that it has received, silence is no fault of the peer.
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How often the limit passes while the box works, before it counts all the same: half an hour for a list of two million
/// numbers on a slow disk.
const WORKS: u32 = 45;

tokio::task_local! {
    static WORK: Work;
}

/// Whether the box works on what a request of this connection brought.
#[derive(Clone, Default)]
pub struct Work(Arc<AtomicBool>);

impl Work {
    /// Answers a request that may say that its body is here.
    pub async fn during<F: Future>(&self, request: F) -> F::Output {
        WORK.scope(self.clone(), request).await
    }

    /// The request is answered.
    pub fn done(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of the present request was received: what follows is the box's own time.
pub fn received() {
    // Outside of a connection nobody waits.
    let _ = WORK.try_with(|work| work.0.store(true, Ordering::Relaxed));
}

/// An end of a connection with a limit on standing still.
pub struct Patient<T> {
    inner: T,
    limit: Duration,
    still: Pin<Box<Sleep>>,
    work: Work,
    works: u32,
}

impl<T> Patient<T> {
    /// Ends `inner` after `limit` without a byte.
    pub fn new(inner: T, limit: Duration) -> Patient<T> {
        Patient::working(inner, limit, Work::default())
    }

    /// The same, for a connection whose requests may take the box a while.
    pub fn working(inner: T, limit: Duration, work: Work) -> Patient<T> {
        Patient { inner, limit, still: Box::pin(sleep(limit)), work, works: 0 }
    }

    fn moved(&mut self) {
        self.works = 0;
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        let until = Instant::now() + self.limit;
        self.still.as_mut().reset(until);
    }

    fn wait<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        ready!(self.still.as_mut().poll(cx));
        while self.work.goes_on() && self.works < WORKS {
            self.works += 1;
            self.begin_anew();
            ready!(self.still.as_mut().poll(cx));
        }
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "nothing moved for too long")))
    }
}

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
    async fn who_waits_for_the_box_is_not_dropped_before_half_an_hour() {
        let (mut peer, end) = duplex(64);
        let work = Work::default();
        let mut end = Patient::working(end, Duration::from_secs(40), work.clone());
        let reader = tokio::spawn(async move {
            let mut buf = [0; 1];
            end.read_exact(&mut buf).await.map(|_| end)
        });
        work.during(async { received() }).await;
        tokio::time::sleep(Duration::from_secs(1700)).await;
        peer.write_all(b"x").await.unwrap();
        let mut end = reader.await.unwrap().unwrap();
        work.done();
        let error = end.read_exact(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        work.during(async { received() }).await;
        let begin = Instant::now();
        let error = end.read_exact(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begin.elapsed() < Duration::from_secs(1900), "a request that hangs keeps no place for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_dropped() {
        let (_peer, end) = duplex(8);
        let mut end = Patient::new(end, Duration::from_secs(40));
        let error = end.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
