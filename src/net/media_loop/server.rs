//! Media's end of the socket to control: a thread that accepts, and the connection that the loop reads and writes by
//! itself, without ever waiting. The newest connection wins: an old control process that hangs must not keep the new one
//! out. Events of an older connection are never written to a newer one.
use super::MediaFault;
use super::turn::{Inbox, Message};
use crate::frame::FrameReader;
use crate::link::is_timeout;
use crate::outbox::Outbox;
use model::media::{MediaCommand, MediaEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Longest wait of the accepting thread before it beats, ms.
const BEAT_MS: u16 = 250;

/// Octets read at once.
const PIECE: usize = 16 * 1024;

/// Starts the accepting thread; it ends with `stop`.
pub(crate) fn start(
    path: &Path,
    inbox: Inbox,
    beat: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> Result<(), MediaFault> {
    let fault = |source| MediaFault::Socket { path: path.to_owned(), source };
    let listener = listen(path).map_err(fault)?;
    let door = Door { listener, inbox, beat, stop };
    thread::Builder::new().name("media-ctl".into()).spawn(move || door.run()).map_err(fault)?;
    Ok(())
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

struct Door {
    listener: UnixListener,
    inbox: Inbox,
    beat: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Door {
    fn run(self) {
        while !self.stop.load(Ordering::Acquire) {
            self.beat.fetch_add(1, Ordering::Relaxed);
            let mut waited = [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
            if let Err(why) = poll(&mut waited, PollTimeout::from(BEAT_MS))
                && why != nix::errno::Errno::EINTR
            {
                tracing::error!(%why, "media cannot wait for control");
                thread::sleep(Duration::from_millis(u64::from(BEAT_MS)));
            }
            let Ok((stream, _)) = self.listener.accept() else { continue };
            match stream.set_nonblocking(true) {
                Ok(()) => self.inbox.put(Message::Connected(stream)),
                Err(why) => tracing::warn!(%why, "control connection refused"),
            }
        }
    }
}

/// The connection to control, as the loop holds it. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Control {
    stream: UnixStream,
    reader: FrameReader,
    outbox: Outbox,
    /// It said `Hello`; before, it is told nothing.
    greeted: bool,
    lost: u64,
}

impl Control {
    pub fn new(stream: UnixStream) -> Control {
        tracing::info!("control connected");
        Control { stream, reader: FrameReader::default(), outbox: Outbox::default(), greeted: false, lost: 0 }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Reads what is there, one piece; false when the connection is over.
    pub fn read(&mut self) -> bool {
        let mut bytes = [0; PIECE];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                self.reader.push(bytes.get(..count).unwrap_or_default());
                true
            }
            Err(e) => is_timeout(&e),
        }
    }

    /// The next command of what was read; an error ends the connection.
    pub fn command(&mut self) -> Result<Option<MediaCommand>, ()> {
        loop {
            let command = self.reader.word().map_err(|why| {
                tracing::error!(%why, "control connection given up");
            })?;
            self.greeted |= matches!(command, Some(MediaCommand::Hello { .. }));
            // Whatever comes before it belongs to nobody.
            if self.greeted || command.is_none() {
                return Ok(command);
            }
        }
    }

    /// Something for control to know; it goes out with the next flush.
    pub fn tell(&mut self, event: &MediaEvent) {
        if self.greeted && !self.outbox.put(event).unwrap_or(false) {
            self.lost += 1;
            if self.lost.is_power_of_two() {
                tracing::error!(lost = self.lost, "control does not take events");
            }
        }
    }

    /// Writes what waits, as far as it is taken; false when the connection is over.
    pub fn flush(&mut self) -> bool {
        self.outbox
            .flush(&self.stream)
            .map_err(|why| tracing::warn!(%why, "events could not be written to control"))
            .is_ok()
    }
}
