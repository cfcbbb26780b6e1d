//! Control's end of the socket to media. Asking never waits: commands are written by whoever asks, all of a step with one
//! call, as far as the socket takes them; the rest waits within a limit, and while media is away they are dropped
//! (control starts over with `Hello`). One thread connects, reads, tells, and offers again what waited. Decides nothing
//! about calls.
use crate::frame::FrameReader;
use crate::outbox::Outbox;
use model::media::{MediaCommand, MediaEvent};
use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time between two tries to connect.
const RETRY: Duration = Duration::from_millis(50);

/// Longest wait of the thread before it beats and offers again what the socket did not take.
const BEAT: Duration = Duration::from_millis(400);

/// What the link tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// Connected; commands are taken from now on. The first must be `Hello`.
    Up,
    /// The connection is gone; commands are dropped until `Up`.
    Down,
    /// Media said something.
    Media(MediaEvent),
}

/// Control's handle. Dropping it ends the connection and its thread.
#[derive(Debug)]
pub struct MediaLink {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    up: AtomicBool,
    ended: AtomicBool,
    dropped: AtomicU64,
    line: Mutex<Option<Line>>,
}

/// The connection and what waits for it.
#[derive(Debug)]
struct Line {
    stream: UnixStream,
    outbox: Outbox,
}

impl MediaLink {
    /// Starts the thread. `tell` is called on it and must not wait. `beat` grows at least once a second while it is
    /// alive.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        socket: PathBuf,
        beat: Arc<AtomicU64>,
        tell: impl Fn(LinkEvent) + Send + 'static,
    ) -> std::io::Result<MediaLink> {
        let shared = Arc::new(Shared::default());
        let s = Arc::clone(&shared);
        thread::Builder::new()
            .name("media-link".into())
            .spawn(move || read_all(&socket, &s, &beat, &tell))?;
        Ok(MediaLink { shared })
    }

    /// Asks media for something; never waits. It goes out with the next [`MediaLink::flush`]. False: it was dropped,
    /// because media is away or takes nothing.
    pub fn send(&self, command: &MediaCommand) -> bool {
        let mut line = self.shared.line();
        let Some(line) = line.as_mut() else { return false };
        match line.outbox.put(command) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(why) => tracing::error!(%why, "a command to media is not sent"),
        }
        self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Writes what was asked; never waits.
    pub fn flush(&self) {
        self.shared.flush();
    }

    /// Commands dropped because media takes nothing.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Whether media is connected.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.shared.up.load(Ordering::Acquire)
    }
}

impl Drop for MediaLink {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.hang_up();
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self) {
        if let Some(line) = self.line().as_mut()
            && let Err(why) = line.outbox.flush(&line.stream)
        {
            tracing::warn!(%why, "commands to media could not be written");
            // The reading thread sees the end of the stream and connects again.
            let _ = line.stream.shutdown(Shutdown::Both);
        }
    }

    fn hang_up(&self) {
        if let Some(line) = self.line().as_ref() {
            // Already closed is as good.
            let _ = line.stream.shutdown(Shutdown::Both);
        }
    }
}

fn read_all(socket: &Path, shared: &Shared, beat: &AtomicU64, tell: &dyn Fn(LinkEvent)) {
    while !shared.ended.load(Ordering::Acquire) {
        beat.fetch_add(1, Ordering::Relaxed);
        match connect(socket, shared) {
            Ok(stream) => {
                shared.up.store(true, Ordering::Release);
                tell(LinkEvent::Up);
                read_connection(stream, shared, beat, tell);
                shared.up.store(false, Ordering::Release);
                *shared.line() = None;
                tell(LinkEvent::Down);
            }
            Err(why) => tracing::debug!(%why, "media is not there yet"),
        }
        thread::sleep(RETRY);
    }
}

fn connect(socket: &Path, shared: &Shared) -> std::io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(BEAT))?;
    *shared.line() = Some(Line { stream: stream.try_clone()?, outbox: Outbox::default() });
    Ok(stream)
}

fn read_connection(mut stream: UnixStream, shared: &Shared, beat: &AtomicU64, tell: &dyn Fn(LinkEvent)) {
    let mut reader = FrameReader::default();
    let mut bytes = vec![0; 16 * 1024];
    let mut told = shared.dropped.load(Ordering::Relaxed);
    while !shared.ended.load(Ordering::Acquire) {
        beat.fetch_add(1, Ordering::Relaxed);
        shared.flush();
        let dropped = shared.dropped.load(Ordering::Relaxed);
        if dropped > told {
            let text = format!("{} commands to media were dropped because it takes nothing", dropped - told);
            tell(LinkEvent::Media(MediaEvent::Trouble(text)));
            told = dropped;
        }
        match stream.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => reader.push(bytes.get(..count).unwrap_or_default()),
            Err(e) if is_timeout(&e) => continue,
            Err(why) => {
                tracing::warn!(%why, "media connection failed");
                return;
            }
        }
        loop {
            match reader.word::<MediaEvent>() {
                Ok(Some(event)) => tell(LinkEvent::Media(event)),
                Ok(None) => break,
                Err(why) => {
                    tracing::error!(%why, "media connection given up");
                    return;
                }
            }
        }
    }
}

pub(crate) fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode;
    use std::io::Write;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc::{Receiver, channel};

    const LONG: Duration = Duration::from_secs(10);

    fn start(path: PathBuf) -> (MediaLink, Receiver<LinkEvent>) {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let link = MediaLink::start(path, Arc::default(), move |event| {
            let _ = tell.lock().unwrap().send(event);
        });
        (link.unwrap(), told)
    }

    fn words(stream: &mut UnixStream, count: usize) -> Vec<MediaCommand> {
        let mut reader = FrameReader::default();
        let mut words = Vec::new();
        let mut bytes = [0; 1024];
        while words.len() < count {
            let read = stream.read(&mut bytes).unwrap();
            reader.push(&bytes[..read]);
            while let Some(word) = reader.word().unwrap() {
                words.push(word);
            }
        }
        words
    }

    #[test]
    fn commands_are_dropped_while_media_is_away_and_go_in_order_when_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media.sock");
        let (link, told) = start(path.clone());
        assert!(!link.send(&MediaCommand::Ping(1)), "nobody is there");
        let listener = UnixListener::bind(&path).unwrap();
        let (mut media, _) = listener.accept().unwrap();
        assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Up));
        assert!((2..100).all(|n| link.send(&MediaCommand::Ping(n))));
        link.flush();
        let pings: Vec<_> = (2..100).map(MediaCommand::Ping).collect();
        assert_eq!(words(&mut media, 98), pings);
        media.write_all(&encode(&MediaEvent::Pong { number: 7 }).unwrap()).unwrap();
        assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Media(MediaEvent::Pong { number: 7 })));
        drop(media);
        assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Down));
        assert_eq!(link.dropped(), 0, "what is said to nobody is not lost");
    }

    #[test]
    fn it_connects_again_and_junk_ends_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (link, told) = start(path);
        for _ in 0..3 {
            let (mut media, _) = listener.accept().unwrap();
            assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Up));
            assert!(link.is_up());
            media.write_all(&[0xFF; 16]).unwrap();
            assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Down));
        }
    }

    #[test]
    fn a_media_that_does_not_read_costs_commands_not_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (link, told) = start(path);
        let (_stuck, _) = listener.accept().unwrap();
        assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Up));
        let long =
            MediaCommand::Devices { sources: vec![], outputs: vec![("x".repeat(9000), String::new())] };
        let send = || {
            link.flush();
            link.send(&long)
        };
        let refused = (0..1000).filter(|_| !send()).count();
        assert!(refused > 0);
        assert!(link.dropped() > 0 || !link.is_up());
    }
}
