//! The threads beside the loop that may wait for the disk: the writer of recordings and the reader of sound files. Both
//! answer into the loop's inbox.
use super::turn::{Inbox, Message};
use super::{FileSink, FileSource};
use media::out::{FileId, FileOp, is_below};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// File operations waiting for the disk: five seconds of 100 two-channel recordings, 10 MiB. A recording that finds
/// it full ends with `Disk`.
const OPS: usize = 2048;

/// Sound files waiting to be read. A play that finds it full skips the file.
const LOADS: usize = 256;

/// Time between two questions what is due for a sync: with what is collected in the core and below, a cut-off
/// recording loses less than two seconds.
const SYNC: Duration = Duration::from_millis(250);

/// Longest wait of a thread before it beats.
const BEAT: Duration = Duration::from_millis(250);

/// Work for the writer.
pub(crate) enum Write {
    Op(FileOp),
    /// The recording was given up by the loop.
    Abandon(FileId),
}

/// Starts the writer; it ends when the sender is dropped, after everything in the queue is written.
pub(crate) fn start_writer(
    sink: Box<dyn FileSink>,
    inbox: Inbox,
    beat: Arc<AtomicU64>,
) -> std::io::Result<(SyncSender<Write>, thread::JoinHandle<()>)> {
    let (sender, queue) = sync_channel(OPS);
    let mut writer = Writer { sink, inbox, open: BTreeSet::new(), synced: Instant::now() };
    let thread = thread::Builder::new().name("media-disk".into()).spawn(move || writer.run(&queue, &beat))?;
    Ok((sender, thread))
}

struct Writer {
    sink: Box<dyn FileSink>,
    inbox: Inbox,
    /// Files between `Create` and `Finish`.
    open: BTreeSet<FileId>,
    synced: Instant,
}

impl Writer {
    fn run(&mut self, queue: &Receiver<Write>, beat: &AtomicU64) {
        loop {
            beat.fetch_add(1, Ordering::Relaxed);
            match queue.recv_timeout(BEAT) {
                Ok(work) => self.work(work),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.sync(),
            }
            if self.synced.elapsed() >= SYNC {
                self.sync();
            }
        }
    }

    fn work(&mut self, work: Write) {
        let op = match work {
            Write::Op(op) => op,
            Write::Abandon(file) => return self.give_up(file, None),
        };
        let file = op.file();
        let (begins, ends) = (matches!(op, FileOp::Create { .. }), matches!(op, FileOp::Finish { .. }));
        if begins {
            self.open.insert(file);
        } else if !self.open.contains(&file) {
            return;
        }
        match self.sink.perform(op) {
            Ok(()) if ends => {
                self.open.remove(&file);
                self.inbox.put(Message::FileClosed(file, Ok(())));
            }
            Ok(()) => {}
            Err(why) => self.give_up(file, Some(why)),
        }
    }

    fn give_up(&mut self, file: FileId, why: Option<String>) {
        if self.open.remove(&file) {
            self.sink.abandon(file);
            if let Some(why) = why {
                self.inbox.put(Message::FileClosed(file, Err(why)));
            }
        }
    }

    fn sync(&mut self) {
        self.synced = Instant::now();
        if self.open.is_empty() {
            return;
        }
        for (file, why) in self.sink.sync() {
            self.give_up(file, Some(why));
        }
    }
}

/// Starts the reader of sound files; it ends when the sender is dropped.
pub(crate) fn start_loader(
    mut source: Box<dyn FileSource>,
    inbox: Inbox,
) -> std::io::Result<SyncSender<String>> {
    let (sender, queue) = sync_channel::<String>(LOADS);
    thread::Builder::new().name("media-load".into()).spawn(move || {
        for path in queue {
            let sound = load(&mut *source, &path);
            inbox.put(Message::Loaded(path, sound));
        }
    })?;
    Ok(sender)
}

fn load(source: &mut dyn FileSource, path: &str) -> Result<Arc<[u8]>, String> {
    if !is_below(path) {
        return Err("it is not a relative path below the data folder".to_owned());
    }
    let file = source.read(path)?;
    media::wav::decode(&file).map(Arc::from).map_err(|why| why.en)
}

/// Puts work in a queue; why not, when it is full or its thread is gone.
pub(crate) fn hand<T>(queue: &SyncSender<T>, work: T) -> Result<(), &'static str> {
    queue.try_send(work).map_err(|e| match e {
        TrySendError::Full(_) => "the disk is too slow, the queue is full",
        TrySendError::Disconnected(_) => "the thread for it has ended",
    })
}
