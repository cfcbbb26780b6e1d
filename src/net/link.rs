//! Control's end of the socket to media. Two threads: one connects, reads and tells; one writes. Asking never waits:
//! commands go into a bounded queue, and while media is away they are dropped (control starts over with `Hello`).
//! Decides nothing about calls.
use crate::frame::{FrameReader, MAX_FRAME, encode};
use model::media::{MediaCommand, MediaEvent};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Commands waiting to be written: several seconds of a box at its call limit. Full: dropped, counted, and told as
/// `Trouble`, for the media process is then stuck and will be restarted.
pub const QUEUE: usize = 4096;

/// Time between two tries to connect.
const RETRY: Duration = Duration::from_millis(50);

/// Longest wait of a thread before it beats.
const BEAT: Duration = Duration::from_millis(400);

/// A write that takes longer means that media is stuck; the connection is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

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

/// Control's handle. Dropping it ends the connection and its threads.
#[derive(Debug)]
pub struct MediaLink {
    commands: SyncSender<MediaCommand>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    up: AtomicBool,
    ended: AtomicBool,
    dropped: AtomicU64,
    stream: Mutex<Option<UnixStream>>,
}

impl MediaLink {
    /// Starts the two threads. `tell` is called on them and must not wait. `beat` grows at least once a second while
    /// the reading thread is alive.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        socket: PathBuf,
        beat: Arc<AtomicU64>,
        tell: impl Fn(LinkEvent) + Send + Sync + 'static,
    ) -> std::io::Result<MediaLink> {
        let (commands, queue) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let tell = Arc::new(tell);
        let (s, t) = (Arc::clone(&shared), Arc::clone(&tell));
        thread::Builder::new().name("media-link-out".into()).spawn(move || write_all(&queue, &s, &*t))?;
        let s = Arc::clone(&shared);
        thread::Builder::new()
            .name("media-link".into())
            .spawn(move || read_all(&socket, &s, &beat, &*tell))?;
        Ok(MediaLink { commands, shared })
    }

    /// Asks media for something; never waits. False: it was dropped, because media is away or its queue is full.
    pub fn send(&self, command: MediaCommand) -> bool {
        if !self.shared.up.load(Ordering::Acquire) {
            return false;
        }
        match self.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Commands dropped because the queue was full.
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
    fn put(&self, stream: Option<UnixStream>) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }

    fn writer(&self) -> Option<UnixStream> {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.as_ref().and_then(|s| s.try_clone().ok())
    }

    /// Ends the connection for both threads; the reading one sees the end of the stream.
    fn hang_up(&self) {
        if let Some(stream) = self.stream.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // Already closed is as good.
            let _ = stream.shutdown(Shutdown::Both);
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
                shared.put(None);
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
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    shared.put(Some(stream.try_clone()?));
    Ok(stream)
}

fn read_connection(mut stream: UnixStream, shared: &Shared, beat: &AtomicU64, tell: &dyn Fn(LinkEvent)) {
    let mut reader = FrameReader::default();
    let mut bytes = vec![0; 16 * 1024];
    while !shared.ended.load(Ordering::Acquire) {
        beat.fetch_add(1, Ordering::Relaxed);
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

fn write_all(queue: &Receiver<MediaCommand>, shared: &Shared, tell: &dyn Fn(LinkEvent)) {
    let mut told = 0;
    loop {
        let first = match queue.recv_timeout(BEAT) {
            Ok(command) => command,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let dropped = shared.dropped.load(Ordering::Relaxed);
        if dropped > told {
            let text =
                format!("{} commands to media were dropped because its queue was full", dropped - told);
            tell(LinkEvent::Media(MediaEvent::Trouble(text)));
            told = dropped;
        }
        if let Err(why) = write_batch(first, queue, shared) {
            tracing::warn!(%why, "commands to media could not be written");
            shared.hang_up();
        }
    }
}

/// Writes all that waits with one call, about a frame's worth.
fn write_batch(first: MediaCommand, queue: &Receiver<MediaCommand>, shared: &Shared) -> std::io::Result<()> {
    let mut bytes = frame_of(&first);
    while bytes.len() < MAX_FRAME {
        match queue.try_recv() {
            Ok(command) => bytes.extend(frame_of(&command)),
            Err(_) => break,
        }
    }
    // Left over from before a disconnection: nobody wants it any more.
    let Some(mut stream) = shared.writer() else { return Ok(()) };
    stream.write_all(&bytes)
}

fn frame_of(command: &MediaCommand) -> Vec<u8> {
    encode(command).unwrap_or_else(|why| {
        tracing::error!(%why, "a command to media is not sent");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc::channel;

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
        assert!(!link.send(MediaCommand::Ping(1)), "nobody is there");
        let listener = UnixListener::bind(&path).unwrap();
        let (mut media, _) = listener.accept().unwrap();
        assert_eq!(told.recv_timeout(LONG), Ok(LinkEvent::Up));
        assert!((2..100).all(|n| link.send(MediaCommand::Ping(n))));
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
        let refused = (0..3 * QUEUE).filter(|_| !link.send(long.clone())).count();
        assert!(refused > 0);
        assert!(link.dropped() > 0 || !link.is_up());
    }
}
