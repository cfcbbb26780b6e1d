//! SIP over TCP: the listener, streams opened on demand, framing, and the limits that keep a stalled or hostile peer from
//! holding the box. One thread with its own small runtime; every queue is bounded. Decides nothing about messages; what
//! counts as trusted is a stream that carried an answer of ours to an admitted request, or that we opened.
use crate::bind;
use sip::framing::{Frame, PONG, StreamFramer};
use sip::{Flow, Transport};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// What came in by a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A datagram or one whole message of a stream.
    Message {
        /// Where from.
        flow: Flow,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A stream ended or could not be opened.
    Closed(Flow),
}

/// Streams at once. 1,000 phones on TCP and as many strangers; each costs two descriptors' worth of memory, not more.
const STREAMS: usize = 2048;
/// Untrusted streams of one source. A house behind one address registers its phones one after the other.
const UNTRUSTED_PER_SOURCE: usize = 20;
/// How long a stream may stay untrusted, however it dribbles. Longer than a transaction (32 s), under the promised 40 s.
const UNTRUSTED_FOR: Duration = Duration::from_secs(35);
/// A trusted stream with half a message in it closes after this.
const HALF_MESSAGE: Duration = Duration::from_secs(30);
/// A trusted stream without a word closes after this: longer than the longest registration (1 h) and its refresh.
const SILENT: Duration = Duration::from_secs(2 * 3600);
/// Messages waiting for one stream. A peer that does not read that many has stalled: its stream is closed.
const OUT_QUEUE: usize = 64;
/// Messages waiting for the thread, of all streams.
const WISHES: usize = 4096;
/// How long opening a stream may take; well under a transaction's 32 s, so that the next trunk gets its turn.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one message may take to be written.
const WRITE: Duration = Duration::from_secs(10);
/// How often the loop shows that it lives.
const BEAT: Duration = Duration::from_millis(500);

/// Sends on streams; any thread may hold it.
#[derive(Clone, Debug)]
pub struct SipStreams {
    wishes: mpsc::Sender<Wish>,
    local: SocketAddr,
    unsent: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Wish {
    flow: Flow,
    bytes: Vec<u8>,
}

/// The listener before its thread runs.
#[derive(Debug)]
pub struct SipListener {
    listener: std::net::TcpListener,
    wishes: mpsc::Receiver<Wish>,
    most: usize,
}

/// Opens the listener.
///
/// # Errors
/// The operating system's.
pub fn open(address: SocketAddr) -> io::Result<(SipStreams, SipListener)> {
    let listener = bind::tcp(address)?;
    let local = listener.local_addr()?;
    let (wish_in, wishes) = mpsc::channel(WISHES);
    let streams = SipStreams { wishes: wish_in, local, unsent: Arc::default() };
    Ok((streams, SipListener { listener, wishes, most: STREAMS }))
}

impl SipStreams {
    /// Address and port in use.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Messages thrown away because queues were full.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Sends on the stream of `flow`; with connection 0 on any to its remote, opening one when there is none. Never waits.
    pub fn send(&self, flow: Flow, bytes: Vec<u8>) {
        if self.wishes.try_send(Wish { flow, bytes }).is_err() {
            self.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl SipListener {
    /// Serves until `stop`; hands each whole message on.
    ///
    /// # Errors
    /// The operating system's, when the runtime cannot be made.
    pub fn serve(
        self,
        beat: Arc<AtomicU64>,
        stop: &AtomicBool,
        hand_on: impl Fn(Arrival) + Send + Sync + 'static,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let listener = TcpListener::from_std(self.listener)?;
            let (ended_in, ended) = mpsc::channel(self.most);
            let table = Table {
                streams: BTreeMap::new(),
                most: self.most,
                last: 0,
                hand_on: Arc::new(hand_on),
                ended: ended_in,
                local: listener.local_addr()?,
            };
            table.run(&listener, self.wishes, ended, &beat, stop).await;
            Ok(())
        })
    }
}

type HandOn = Arc<dyn Fn(Arrival) + Send + Sync>;

struct Table {
    streams: BTreeMap<u64, Stream>,
    /// Streams at once.
    most: usize,
    last: u64,
    hand_on: HandOn,
    ended: mpsc::Sender<u64>,
    local: SocketAddr,
}

struct Stream {
    remote: SocketAddr,
    out: mpsc::Sender<Vec<u8>>,
    trusted: Arc<AtomicBool>,
}

impl Table {
    async fn run(
        mut self,
        listener: &TcpListener,
        mut wishes: mpsc::Receiver<Wish>,
        mut ended: mpsc::Receiver<u64>,
        beat: &AtomicU64,
        stop: &AtomicBool,
    ) {
        let mut pulse = tokio::time::interval(BEAT);
        while !stop.load(Ordering::Relaxed) {
            beat.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                _ = pulse.tick() => {}
                Some(wish) = wishes.recv() => self.send(wish),
                Some(id) = ended.recv() => { self.streams.remove(&id); }
                accepted = listener.accept() => match accepted {
                    Ok((stream, remote)) => self.admit(stream, remote),
                    Err(error) => {
                        // Out of descriptors: those who are connected go on; new ones wait in the kernel.
                        tracing::warn!(%error, "a stream cannot be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, remote: SocketAddr) {
        let untrusted = self.untrusted_of(remote.ip());
        if untrusted >= UNTRUSTED_PER_SOURCE || !self.make_room() {
            tracing::debug!(%remote, untrusted, "stream refused: too many");
            return;
        }
        let (id, out, trusted) = self.enter(remote, false);
        let local = stream.local_addr().unwrap_or(self.local);
        let flow = Flow { transport: Transport::Tcp, remote, local, connection: id };
        self.start(async { Ok(stream) }, flow, flow, out, trusted);
    }

    /// Whether there is room for one more stream; closes the oldest that has shown nothing when there was none, so that
    /// many stalling sources cannot keep honest newcomers out (S4).
    fn make_room(&mut self) -> bool {
        if self.streams.len() < self.most {
            return true;
        }
        // Ids grow, so the first is the oldest. Dropping its queue ends its task.
        let oldest = self.streams.iter().find(|(_, s)| !s.trusted.load(Ordering::Relaxed)).map(|(id, _)| *id);
        oldest.is_some_and(|id| self.streams.remove(&id).is_some())
    }

    fn untrusted_of(&self, source: IpAddr) -> usize {
        self.streams
            .values()
            .filter(|s| s.remote.ip() == source && !s.trusted.load(Ordering::Relaxed))
            .count()
    }

    fn enter(
        &mut self,
        remote: SocketAddr,
        trusted: bool,
    ) -> (u64, mpsc::Receiver<Vec<u8>>, Arc<AtomicBool>) {
        self.last += 1;
        let (out, queue) = mpsc::channel(OUT_QUEUE);
        let trusted = Arc::new(AtomicBool::new(trusted));
        self.streams.insert(self.last, Stream { remote, out, trusted: trusted.clone() });
        (self.last, queue, trusted)
    }

    fn send(&mut self, wish: Wish) {
        let found = self.find(wish.flow);
        let Some(id) = found.or_else(|| self.connect(wish.flow)) else {
            (self.hand_on)(Arrival::Closed(wish.flow));
            return;
        };
        let Some(stream) = self.streams.get(&id) else { return };
        if shows_trust(&wish.bytes) {
            stream.trusted.store(true, Ordering::Relaxed);
        }
        if stream.out.try_send(wish.bytes).is_err() {
            // It does not read: dropping its queue ends its task, which says Closed.
            tracing::debug!(remote = %stream.remote, "stream closed: its peer does not read");
            self.streams.remove(&id);
        }
    }

    fn find(&self, flow: Flow) -> Option<u64> {
        if flow.connection != 0 && self.streams.contains_key(&flow.connection) {
            return Some(flow.connection);
        }
        self.streams.iter().find(|(_, s)| s.remote == flow.remote).map(|(id, _)| *id)
    }

    fn connect(&mut self, flow: Flow) -> Option<u64> {
        // An answer goes back by its own stream or not at all; RFC 3261 §18.2.2 allows a new one to the Via's sent-by,
        // which phones behind NAT never accept.
        if flow.connection != 0 || !self.make_room() {
            return None;
        }
        let (id, out, trusted) = self.enter(flow.remote, true);
        let remote = flow.remote;
        let open = async move {
            let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            bind::mark(&socket, remote);
            timeout(CONNECT, socket.connect(remote)).await?
        };
        let named = Flow { connection: id, ..flow };
        self.start(open, named, flow, out, trusted);
        Some(id)
    }

    /// Runs a stream to its end. `asked` is the flow under which it was asked for: when it cannot be opened, that one is
    /// said to be closed.
    fn start(
        &self,
        open: impl Future<Output = io::Result<TcpStream>> + Send + 'static,
        flow: Flow,
        asked: Flow,
        out: mpsc::Receiver<Vec<u8>>,
        trusted: Arc<AtomicBool>,
    ) {
        let (hand_on, ended) = (self.hand_on.clone(), self.ended.clone());
        tokio::spawn(async move {
            match open.await {
                Ok(stream) => {
                    let why = carry(stream, flow, out, &trusted, &hand_on).await;
                    tracing::debug!(remote = %flow.remote, why, "stream closed");
                    hand_on(Arrival::Closed(flow));
                }
                Err(error) => {
                    tracing::debug!(remote = %flow.remote, %error, "stream not opened");
                    hand_on(Arrival::Closed(asked));
                }
            }
            // The table is at least as long as the streams there are.
            let _ = ended.send(flow.connection).await;
        });
    }
}

/// Carries both directions until one ends; says why.
async fn carry(
    stream: TcpStream,
    flow: Flow,
    out: mpsc::Receiver<Vec<u8>>,
    trusted: &AtomicBool,
    hand_on: &HandOn,
) -> &'static str {
    bind::mark(&stream, flow.remote);
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream)
        .set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(Duration::from_secs(120)));
    let (mut reader, writer) = stream.into_split();
    let (pong_in, pongs) = mpsc::channel(4);
    tokio::select! {
        why = read(&mut reader, flow, trusted, hand_on, &pong_in) => why,
        why = write(writer, out, pongs) => why,
    }
}

async fn read(
    reader: &mut tokio::net::tcp::OwnedReadHalf,
    flow: Flow,
    trusted: &AtomicBool,
    hand_on: &HandOn,
    pongs: &mpsc::Sender<()>,
) -> &'static str {
    let mut framer = StreamFramer::new();
    let mut buffer = vec![0_u8; 16 * 1024];
    let opened = Instant::now();
    let mut whole_at = opened;
    loop {
        let until = if !trusted.load(Ordering::Relaxed) {
            opened + UNTRUSTED_FOR
        } else if framer.waiting() > 0 {
            whole_at + HALF_MESSAGE
        } else {
            whole_at + SILENT
        };
        // Woken now and then, because trust may come while it waits.
        let until = until.min(Instant::now() + UNTRUSTED_FOR);
        let length = match timeout_at(until, reader.read(&mut buffer)).await {
            Ok(Ok(0)) => return "the peer closed it",
            Ok(Ok(length)) => length,
            Ok(Err(_)) => return "it broke",
            Err(_) => match expired(opened, whole_at, framer.waiting(), trusted) {
                Some(why) => return why,
                None => continue,
            },
        };
        framer.push(&buffer[..length]);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => hand_on(Arrival::Message { flow, bytes }),
                // A peer that pings without reading the answers gets fewer of them.
                Ok(Some(Frame::Ping)) => drop(pongs.try_send(())),
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(remote = %flow.remote, %error, "stream with unreadable bytes");
                    return "it is no SIP";
                }
            }
            whole_at = Instant::now();
        }
        if !trusted.load(Ordering::Relaxed) && opened.elapsed() >= UNTRUSTED_FOR {
            return "nobody vouched for it in time";
        }
    }
}

fn expired(opened: Instant, whole_at: Instant, waiting: usize, trusted: &AtomicBool) -> Option<&'static str> {
    if !trusted.load(Ordering::Relaxed) {
        return (opened.elapsed() >= UNTRUSTED_FOR).then_some("nobody vouched for it in time");
    }
    if waiting > 0 {
        return (whole_at.elapsed() >= HALF_MESSAGE).then_some("half a message stayed half");
    }
    (whole_at.elapsed() >= SILENT).then_some("it was silent")
}

async fn write(
    mut writer: tokio::net::tcp::OwnedWriteHalf,
    mut out: mpsc::Receiver<Vec<u8>>,
    mut pongs: mpsc::Receiver<()>,
) -> &'static str {
    loop {
        let bytes = tokio::select! {
            wish = out.recv() => match wish {
                Some(bytes) => bytes,
                None => return "its peer does not read",
            },
            Some(()) = pongs.recv() => PONG.to_vec(),
        };
        match timeout(WRITE, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "it broke",
            Err(_) => return "its peer does not read",
        }
    }
}

/// Whether what we send shows that the peer was admitted: a request of ours (we call only registered phones and trunks),
/// or a success to one of theirs that needs admission.
fn shows_trust(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"SIP/2.0 ") {
        return true;
    }
    if !bytes.starts_with(b"SIP/2.0 2") {
        return false;
    }
    bytes.split(|&b| b == b'\n').any(|line| {
        let name_ends = line.iter().position(|&b| b == b':').unwrap_or(0);
        line[..name_ends].eq_ignore_ascii_case(b"cseq")
            && [&b"REGISTER"[..], b"INVITE", b"SUBSCRIBE", b"MESSAGE"]
                .iter()
                .any(|method| line.trim_ascii_end().ends_with(method))
    })
}

#[cfg(test)]
mod tests;
