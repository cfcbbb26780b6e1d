//! Media's end of the socket to control: one thread accepts and reads, one writes. The newest connection wins: an old
//! control process that hangs must not keep the new one out. Events of an older connection are never written to a
//! newer one.
use super::MediaFault;
use super::turn::{Inbox, Message};
use crate::frame::{FrameReader, encode};
use crate::link::is_timeout;
use model::media::{MediaCommand, MediaEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Events waiting to be written: control reads at once or is stuck. Full: dropped, counted in the log; control starts
/// over when it comes back.
const EVENTS: usize = 8192;

/// Longest wait of the reading thread before it beats, ms.
const BEAT_MS: u16 = 250;

/// A write that takes longer means that control is stuck; the connection is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// Number of a connection, growing.
pub(crate) type Connection = u64;

/// An event for the connection that was current when it was raised.
pub(crate) type Addressed = (Connection, MediaEvent);

type Current = Arc<Mutex<Option<(Connection, UnixStream)>>>;

/// Starts both threads; they end with `stop` and with the sender of events.
pub(crate) fn start(
    path: &Path,
    inbox: Inbox,
    beat: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> Result<SyncSender<Addressed>, MediaFault> {
    let fault = |source| MediaFault::Socket { path: path.to_owned(), source };
    let listener = listen(path).map_err(fault)?;
    let (events, queue) = sync_channel(EVENTS);
    let current: Current = Arc::default();
    let reader = Reader { listener, inbox, beat, stop, current: Arc::clone(&current), connection: 0 };
    thread::Builder::new().name("media-ctl".into()).spawn(move || reader.run()).map_err(fault)?;
    thread::Builder::new()
        .name("media-ctl-out".into())
        .spawn(move || write_all(&queue, &current))
        .map_err(fault)?;
    Ok(events)
}

fn listen(path: &Path) -> std::io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let listener = UnixListener::bind(path)?;
    // Whoever can connect can listen to every call.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

struct Reader {
    listener: UnixListener,
    inbox: Inbox,
    beat: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    current: Current,
    connection: Connection,
}

impl Reader {
    fn run(mut self) {
        let mut stream: Option<(UnixStream, FrameReader)> = None;
        while !self.stop.load(Ordering::Acquire) {
            self.beat.fetch_add(1, Ordering::Relaxed);
            self.wait(stream.as_ref().map(|(s, _)| s));
            if let Some(accepted) = self.accept() {
                stream = Some((accepted, FrameReader::default()));
            }
            if let Some((s, reader)) = &mut stream
                && !self.read(s, reader)
            {
                stream = None;
                self.forget();
            }
        }
        self.forget();
    }

    fn wait(&self, stream: Option<&UnixStream>) {
        let mut waited: Vec<PollFd<'_>> = vec![PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        waited.extend(stream.map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
        if let Err(why) = poll(&mut waited, PollTimeout::from(BEAT_MS))
            && why != nix::errno::Errno::EINTR
        {
            tracing::error!(%why, "media cannot wait for control");
            thread::sleep(Duration::from_millis(u64::from(BEAT_MS)));
        }
    }

    fn accept(&mut self) -> Option<UnixStream> {
        let (stream, _) = self.listener.accept().ok()?;
        let prepared = stream
            .set_nonblocking(true)
            .and_then(|()| stream.try_clone())
            .and_then(|writer| writer.set_write_timeout(Some(WRITE_PATIENCE)).map(|()| writer));
        let writer = prepared.map_err(|why| tracing::warn!(%why, "control connection refused")).ok()?;
        self.forget();
        self.connection += 1;
        *lock(&self.current) = Some((self.connection, writer));
        self.inbox.put(Message::Connected);
        tracing::info!(connection = self.connection, "control connected");
        Some(stream)
    }

    /// Reads what is there; false when the connection is over.
    fn read(&self, stream: &mut UnixStream, reader: &mut FrameReader) -> bool {
        let mut bytes = [0; 16 * 1024];
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => reader.push(bytes.get(..count).unwrap_or_default()),
            Err(e) => return is_timeout(&e),
        }
        loop {
            match reader.word::<MediaCommand>() {
                Ok(Some(command)) => self.inbox.put(Message::Command(self.connection, command)),
                Ok(None) => return true,
                Err(why) => {
                    tracing::error!(%why, "control connection given up");
                    return false;
                }
            }
        }
    }

    fn forget(&self) {
        if let Some((_, stream)) = lock(&self.current).take() {
            // Already closed is as good.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn write_all(queue: &Receiver<Addressed>, current: &Current) {
    while let Ok((connection, event)) = queue.recv() {
        let stream =
            lock(current).as_ref().filter(|(c, _)| *c == connection).and_then(|(_, s)| s.try_clone().ok());
        let Some(mut stream) = stream else { continue };
        let written = encode(&event)
            .map_err(std::io::Error::other)
            .and_then(|frame| write_patiently(&mut stream, &frame));
        if let Err(why) = written {
            tracing::warn!(%why, "an event could not be written to control");
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The stream is shared with the reading side and non-blocking: wait for room, but not for ever.
fn write_patiently(stream: &mut UnixStream, mut bytes: &[u8]) -> std::io::Result<()> {
    let mut patience = WRITE_PATIENCE;
    let step = Duration::from_millis(5);
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(e) if is_timeout(&e) && !patience.is_zero() => {
                patience = patience.saturating_sub(step);
                thread::sleep(step);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn lock(current: &Current) -> std::sync::MutexGuard<'_, Option<(Connection, UnixStream)>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}
