//! The loop itself: inbox, sockets, time, sending; then sleep to the next millisecond, or until something happens when
//! there is no session.
use super::batch::{Batches, Outgoing};
use super::ears::Ears;
use super::server::{self, Control};
use super::workers::{self, Write, hand};
use super::{AudioDevices, Beats, MediaFault, MediaRoleConfig};
use crate::ports::{Bank, BoundRange, EXPEDITED, bind_range};
use media::core::MediaCore;
use media::out::{EarId, EarSaid, FileId, MediaOut};
use model::clock::{Mono, Now, Wall};
use model::media::{MediaCommand, MediaEvent, MusicSource};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Messages waiting for the loop. It empties the queue every millisecond; a sender that finds it full waits for that,
/// except sound cards, whose frame is dropped.
const INBOX: usize = 4096;

/// Messages taken in one turn, so that a flood of commands does not delay speech.
const INBOX_TURN: usize = 512;

/// Tick with many sessions, and with few: fewer wake-ups for a box that hardly works.
const TICK: Duration = Duration::from_millis(1);
const TICK_FEW: Duration = Duration::from_millis(2);

/// Tick while nobody speaks to anybody: what is played to callers who wait leaves each of them as evenly as with the short
/// one, and a wake-up costs as much as two packets. Also between a call's first INVITE and its first sound.
const TICK_ALONE: Duration = Duration::from_millis(4);

/// Sessions up to which the slower tick is used.
const FEW: usize = 4;

/// Nice level asked for: speech before everything else, below the kernel's own urgent work.
const PRIORITY: i32 = -11;

/// Longest sleep without sessions: the beat.
const IDLE_MS: u16 = 250;

/// Ready sockets taken from epoll at once; the rest comes in the next turn.
const READY: usize = 1024;

/// Frames waiting for a paging output: 200 ms; more are dropped by the loop (the card is slower than the speech).
const PAGE_QUEUE: usize = 10;

/// Key of the wake-up event among the sockets.
const WAKE: u64 = u64::MAX;

/// Key of the connection to control.
const CONTROL: u64 = u64::MAX - 1;

/// What other threads tell the loop.
pub(crate) enum Message {
    Connected(UnixStream),
    FileClosed(FileId, Result<(), String>),
    Loaded(String, Result<Arc<[u8]>, String>),
    SourceSound(String, Vec<u8>),
    Ear(EarId, EarSaid),
}

/// The way into the loop.
#[derive(Clone)]
pub(crate) struct Inbox {
    queue: SyncSender<Message>,
    wake: Arc<EventFd>,
}

impl Inbox {
    /// Waits for room; a loop that has ended is nobody's concern.
    pub fn put(&self, message: Message) {
        if self.queue.send(message).is_ok() {
            self.wake();
        }
    }

    /// Drops the message when there is no room; false when the loop has ended.
    pub fn offer(&self, message: Message) -> bool {
        use std::sync::mpsc::TrySendError::{Disconnected, Full};
        match self.queue.try_send(message) {
            Ok(()) => {
                self.wake();
                true
            }
            Err(Full(_)) => true,
            Err(Disconnected(_)) => false,
        }
    }

    fn wake(&self) {
        // Fails only when the counter is full, and then the loop is awake.
        let _ = self.wake.write(1);
    }
}

pub(crate) struct Loop {
    core: MediaCore,
    out: MediaOut,
    ports: Bank,
    epoll: Epoll,
    wake: Arc<EventFd>,
    inbox: Receiver<Message>,
    way_in: Inbox,
    batches: Batches,
    writes: SyncSender<Write>,
    writer: thread::JoinHandle<()>,
    loads: SyncSender<String>,
    devices: Box<dyn AudioDevices>,
    ears: Ears,
    /// Running captures by PCM: their `wanted` flag.
    captures: BTreeMap<(String, String), Arc<AtomicBool>>,
    outputs: BTreeMap<String, (String, SyncSender<Vec<u8>>)>,
    control: Option<Control>,
    /// How packets are marked now.
    dscp: u8,
    beats: Beats,
    stop: Arc<AtomicBool>,
    started: Instant,
    /// Number of the turn.
    turn: u64,
    refused: u64,
}

impl Loop {
    /// Binds, listens, starts the threads beside.
    pub fn start(config: MediaRoleConfig) -> Result<Loop, MediaFault> {
        let (low, high) = config.rtp;
        let BoundRange { pairs, refused } = bind_range(config.bind, low, high);
        if pairs.is_empty() {
            let why =
                refused.first().map_or("the range is empty".to_owned(), |(p, e)| format!("port {p}: {e}"));
            return Err(MediaFault::NoPorts { low, high, address: config.bind, why });
        }
        if let Some((port, why)) = refused.first() {
            tracing::warn!(port, %why, count = refused.len(), "RTP ports that cannot be bound are left out");
        }
        let wake =
            Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).map_err(system)?);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(system)?;
        epoll.add(&*wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE)).map_err(system)?;
        let (queue, inbox) = sync_channel(INBOX);
        let way_in = Inbox { queue, wake: Arc::clone(&wake) };
        let (writes, writer) =
            workers::start_writer(config.files, way_in.clone(), Arc::clone(&config.beats.disk))?;
        let loads = workers::start_loader(config.sounds, way_in.clone())?;
        let link_beat = Arc::clone(&config.beats.link);
        server::start(&config.socket, way_in.clone(), link_beat, Arc::clone(&config.stop))?;
        tracing::info!(ports = pairs.len(), "media is ready");
        let core = MediaCore::new(pairs.iter().map(|p| p.port), config.seed, config.prompts);
        (config.ready)();
        Ok(Loop {
            core,
            out: MediaOut::new(),
            ports: Bank::new(pairs),
            epoll,
            wake,
            inbox,
            way_in,
            batches: Batches::new(),
            writes,
            writer,
            loads,
            devices: config.devices,
            ears: Ears::new(config.recognisers),
            captures: BTreeMap::new(),
            outputs: BTreeMap::new(),
            control: None,
            dscp: EXPEDITED,
            beats: config.beats,
            stop: config.stop,
            started: Instant::now(),
            turn: 0,
            refused: 0,
        })
    }

    /// Turns until told to stop; recordings are finished first.
    pub fn run(mut self) -> Result<(), MediaFault> {
        hurry();
        let mut ready = vec![EpollEvent::empty(); READY];
        let mut next = Instant::now();
        while !self.stop.load(Ordering::Acquire) {
            self.beats.media.fetch_add(1, Ordering::Relaxed);
            let wait = self.sleep(&mut next);
            let count = match self.epoll.wait(&mut ready, wait) {
                Ok(count) => count,
                Err(nix::errno::Errno::EINTR) => 0,
                Err(e) => return Err(system(e)),
            };
            let now = self.now();
            self.turn += 1;
            self.read_inbox();
            for event in ready.iter().take(count) {
                self.take(now, event.data());
            }
            self.core.tick(now, &mut self.out);
            self.flush();
        }
        self.end();
        Ok(())
    }

    /// Busy: sleeps to the next tick and then only asks epoll what is there. Idle: lets epoll wait.
    fn sleep(&self, next: &mut Instant) -> EpollTimeout {
        if !self.core.is_busy() {
            *next = Instant::now();
            return EpollTimeout::from(IDLE_MS);
        }
        let tick = match self.core.session_count() {
            _ if !self.core.is_conversing(self.now().mono) => TICK_ALONE,
            0..=FEW => TICK_FEW,
            _ => TICK,
        };
        let now = Instant::now();
        *next += tick;
        if *next > now {
            thread::sleep(*next - now);
        } else {
            // Late: what was missed is not caught up with.
            *next = now;
        }
        EpollTimeout::ZERO
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = self.started.elapsed().as_micros();
        Now {
            mono: Mono(u64::try_from(micros).unwrap_or(u64::MAX)),
            wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    fn read_inbox(&mut self) {
        for _ in 0..INBOX_TURN {
            let Ok(message) = self.inbox.try_recv() else { return };
            match message {
                Message::Connected(stream) => self.connected(stream),
                Message::FileClosed(file, result) => self.core.file_closed(file, result, &mut self.out),
                Message::Loaded(path, sound) => self.core.loaded(&path, sound, &mut self.out),
                Message::SourceSound(name, sound) => self.core.source_sound(&name, &sound),
                Message::Ear(ear, said) => {
                    self.ears.told(ear, &said);
                    self.core.ear_said(self.now(), ear, said, &mut self.out);
                }
            }
            self.settle();
        }
        // More waits: do not sleep on it.
        self.way_in.wake();
    }

    /// The newest connection wins; the one before is closed with whatever it still had to say.
    fn connected(&mut self, stream: UnixStream) {
        self.hang_up();
        let control = Control::new(stream);
        match self.epoll.add(control.fd(), EpollEvent::new(EpollFlags::EPOLLIN, CONTROL)) {
            Ok(()) => self.control = Some(control),
            Err(why) => tracing::warn!(%why, "control connection refused"),
        }
    }

    fn hang_up(&mut self) {
        if let Some(control) = self.control.take() {
            // A closed one has left by itself.
            let _ = self.epoll.delete(control.fd());
        }
    }

    /// What control asks, a piece at a time so that a flood of commands does not delay speech: what is left makes the
    /// next turn come at once.
    fn read_control(&mut self, now: Now) {
        let Some(mut control) = self.control.take() else { return };
        let mut lives = control.read();
        while lives {
            match control.command() {
                Ok(Some(command)) => self.command(now, command),
                Ok(None) => break,
                Err(()) => lives = false,
            }
            self.settle();
        }
        self.control = Some(control);
        if !lives {
            self.hang_up();
        }
    }

    fn command(&mut self, now: Now, command: MediaCommand) {
        if let MediaCommand::Devices { sources, outputs } = &command {
            self.devices(sources, outputs);
        }
        if let MediaCommand::Mark { dscp } = command {
            self.mark(dscp);
        }
        self.core.command(now, command, &mut self.out);
    }

    fn mark(&mut self, dscp: u8) {
        if std::mem::replace(&mut self.dscp, dscp) != dscp {
            self.ports.all().for_each(|pair| pair.mark(dscp));
        }
    }

    fn take(&mut self, now: Now, key: u64) {
        if key == WAKE {
            // Fails only when somebody else has read it.
            let _ = self.wake.read();
            return;
        }
        if key == CONTROL {
            return self.read_control(now);
        }
        let Ok(number) = u16::try_from(key) else { return };
        let (port, rtcp) = (number & !1, number & 1 == 1);
        let Some(pair) = self.ports.get_mut(port) else { return };
        let again = pair.ready_again(rtcp, self.turn);
        let (core, out) = (&mut self.core, &mut self.out);
        let take = |source: SocketAddr, bytes: &[u8]| {
            if rtcp {
                core.rtcp(now, port, source, bytes, out);
            } else {
                core.packet(now, port, source, bytes, out);
            }
        };
        let socket = if rtcp { &pair.rtcp } else { &pair.rtp };
        if again {
            self.batches.receive_all(socket, take);
        } else {
            self.batches.receive_one(socket, take);
        }
    }

    /// Listens on ports in use only, before anything more is done with them.
    fn settle(&mut self) {
        for change in std::mem::take(&mut self.out.ports) {
            let Some(pair) = self.ports.get(change.port) else { continue };
            if change.open {
                pair.open();
            } else {
                pair.close();
            }
            for (socket, number) in [(&pair.rtp, change.port), (&pair.rtcp, change.port.saturating_add(1))] {
                let done = if change.open {
                    self.epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, u64::from(number)))
                } else {
                    self.epoll.delete(socket)
                };
                if let Err(why) = done {
                    tracing::error!(port = number, %why, "a port cannot be listened on");
                }
            }
        }
    }

    /// Everything the core wants done.
    fn flush(&mut self) {
        self.settle();
        self.send();
        for path in std::mem::take(&mut self.out.loads) {
            if let Err(why) = hand(&self.loads, path.clone()) {
                self.core.loaded(&path, Err(why.to_owned()), &mut self.out);
            }
        }
        for op in std::mem::take(&mut self.out.files) {
            let file = op.file();
            if let Err(why) = hand(&self.writes, Write::Op(op)) {
                self.core.file_closed(file, Err(why.to_owned()), &mut self.out);
                // A full queue has no room for this either; the file is then closed with the process.
                let _ = hand(&self.writes, Write::Abandon(file));
            }
        }
        for page in std::mem::take(&mut self.out.pages) {
            if let Some((_, output)) = self.outputs.get(&page.output) {
                // A full queue drops the frame: the card is behind, and speech is now.
                let _ = output.try_send(page.sound);
            }
        }
        for op in std::mem::take(&mut self.out.ears) {
            if let Some((ear, failed)) = self.ears.carry_out(op, &self.way_in) {
                self.core.ear_said(self.now(), ear, failed, &mut self.out);
            }
        }
        self.tell();
    }

    fn send(&mut self) {
        if self.out.datagram_count() == 0 {
            return;
        }
        let mut outgoing = Vec::with_capacity(self.out.datagram_count());
        for d in self.out.datagrams() {
            if let Some(pair) = self.ports.get(d.port) {
                let socket = if d.rtcp { &pair.rtcp } else { &pair.rtp };
                outgoing.push(Outgoing { socket, to: d.to, bytes: d.bytes });
            }
        }
        self.refused = self.refused.saturating_add(self.batches.send(&outgoing));
        drop(outgoing);
        self.out.clear_datagrams();
    }

    fn tell(&mut self) {
        for event in self.out.events.drain(..) {
            if let MediaEvent::Trouble(text) = &event {
                tracing::warn!("{text}");
            }
            if let Some(control) = &mut self.control {
                control.tell(&event);
            }
        }
        if self.control.as_mut().is_some_and(|c| !c.flush()) {
            self.hang_up();
        }
    }

    /// Starts and stops captures and outputs so that they are what the configuration says.
    fn devices(&mut self, sources: &[(String, MusicSource)], outputs: &[(String, String)]) {
        let wanted: BTreeMap<(String, String), ()> = sources
            .iter()
            .filter_map(|(name, source)| match source {
                MusicSource::Alsa(pcm) => Some(((name.clone(), pcm.clone()), ())),
                MusicSource::BuiltIn | MusicSource::File(_) => None,
            })
            .collect();
        self.captures.retain(|key, flag| {
            let keep = wanted.contains_key(key);
            flag.store(keep, Ordering::Release);
            keep
        });
        for (name, pcm) in wanted.into_keys() {
            if !self.captures.contains_key(&(name.clone(), pcm.clone())) {
                self.start_capture(name, pcm);
            }
        }
        self.outputs.retain(|name, (pcm, _)| outputs.iter().any(|(n, p)| n == name && p == pcm));
        for (name, pcm) in outputs {
            if !self.outputs.contains_key(name) {
                self.start_output(name, pcm);
            }
        }
    }

    fn start_capture(&mut self, name: String, pcm: String) {
        let flag = Arc::new(AtomicBool::new(true));
        let (wanted, inbox, source) = (Arc::clone(&flag), self.way_in.clone(), name.clone());
        let feed = Box::new(move |sound: &[u8]| {
            wanted.load(Ordering::Acquire)
                && inbox.offer(Message::SourceSound(source.clone(), sound.to_vec()))
        });
        match self.devices.start_source(&pcm, feed) {
            Ok(()) => {
                self.captures.insert((name, pcm), flag);
            }
            Err(why) => self.out.events.push(MediaEvent::Trouble(format!("music source {name}: {why}"))),
        }
    }

    fn start_output(&mut self, name: &str, pcm: &str) {
        let (sender, sound) = sync_channel(PAGE_QUEUE);
        match self.devices.start_output(pcm, sound) {
            Ok(()) => {
                self.outputs.insert(name.to_owned(), (pcm.to_owned(), sender));
            }
            Err(why) => self.out.events.push(MediaEvent::Trouble(format!("paging output {name}: {why}"))),
        }
    }

    /// The last turn: recordings get their headers, the writer its time to write them.
    fn end(mut self) {
        let now = self.now();
        self.core.finish_recordings(now, &mut self.out);
        self.flush();
        let counters = self.core.counters();
        let Loop { writes, writer, inbox, refused, .. } = self;
        drop(writes);
        // The writer may wait for room in the inbox, which nobody reads any more: let it go first.
        drop(inbox);
        if writer.join().is_err() {
            tracing::error!("the recording writer had crashed");
        }
        tracing::info!(
            refused,
            foreign = counters.foreign,
            malformed = counters.malformed,
            ignored_commands = counters.ignored_commands,
            digits_dropped = counters.digits_dropped,
            prompts_missing = counters.prompts_missing,
            "media has ended"
        );
    }
}

/// Asks for a share of the processor before web, mail and disk (this thread only; the others were started before). Not
/// granted, media works too, only with more delay on a busy box.
fn hurry() {
    // SAFETY: takes three numbers and touches no memory of ours; 0 means the calling thread.
    let refused = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, PRIORITY) } != 0;
    if refused {
        tracing::info!("media runs at normal priority; the service may allow more with LimitNICE={PRIORITY}");
    }
}

fn system(errno: nix::errno::Errno) -> MediaFault {
    MediaFault::System(errno.into())
}
