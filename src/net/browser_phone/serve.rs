//! The thread of the browser phones: one datagram socket on loopback to the engine, one connection to the browser sessions
//! of the media role (made again whenever it breaks), and a queue from each page. Carries out what the board wants.
use super::board::Board;
use super::{Accounts, In, Out, Places, TabId};
use crate::frame::{FrameReader, encode};
use model::browser_phone::{PhoneAsk, PhoneTell, RtcCommand, RtcEvent};
use model::clock::{Mono, Now};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UdpSocket, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// Wishes of all pages that wait: a person makes a few a second; more is refused.
const WISHES: usize = 256;
/// Words that wait for one page: its socket is slow or gone, and the board goes on without it.
const WORDS: usize = 64;
/// Time between two tries to reach the browser sessions, and longest wait before the thread beats.
const BEAT: Duration = Duration::from_millis(250);
/// The browser sessions take a command at once; not within this, and the connection is made anew.
const STUCK: Duration = Duration::from_secs(2);
/// Largest SIP datagram.
const DATAGRAM: usize = 65_535;

/// What the thread needs.
pub struct BoardConfig {
    /// Where the engine takes SIP: as it is bound.
    pub engine: SocketAddr,
    /// Unix socket of the browser sessions.
    pub rtc: PathBuf,
    /// Who extensions log in as.
    pub accounts: Accounts,
    /// Reads both clocks.
    pub now: Box<dyn Fn() -> Now + Send>,
    /// Random.
    pub seed: [u8; 32],
    /// Proof of life.
    pub beat: Arc<AtomicU64>,
    /// Turns true when the role ends.
    pub stop: watch::Receiver<bool>,
}

/// Where pages come to their phones.
#[derive(Clone, Debug)]
pub struct Switch {
    to: mpsc::Sender<Word>,
    tabs: Arc<AtomicU64>,
}

/// A page's line to its phone. Dropping it tells that the page is gone.
#[derive(Debug)]
pub struct PhoneLine {
    tab: TabId,
    to: mpsc::Sender<Word>,
}

#[derive(Debug)]
enum Word {
    Attach { tab: TabId, extension: String, key: String, tell: mpsc::Sender<PhoneTell> },
    Ask(TabId, PhoneAsk),
    Gone(TabId),
}

impl Switch {
    /// A page comes: its line, and what it is told. None: the box is too busy.
    #[must_use]
    pub fn attach(&self, extension: String, key: String) -> Option<(PhoneLine, mpsc::Receiver<PhoneTell>)> {
        let tab = self.tabs.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = mpsc::channel(WORDS);
        self.to.try_send(Word::Attach { tab, extension, key, tell }).ok()?;
        Some((PhoneLine { tab, to: self.to.clone() }, told))
    }
}

impl PhoneLine {
    /// Asks; false when the box is too busy.
    #[must_use]
    pub fn ask(&self, ask: PhoneAsk) -> bool {
        self.to.try_send(Word::Ask(self.tab, ask)).is_ok()
    }
}

impl Drop for PhoneLine {
    fn drop(&mut self) {
        // A full queue: the page's receiver is closed too, and the next word to it finds out.
        let _ = self.to.try_send(Word::Gone(self.tab));
    }
}

/// Opens the socket and starts the thread.
///
/// # Errors
/// The operating system gives no socket, or no thread.
pub fn start(config: BoardConfig) -> std::io::Result<Switch> {
    let engine = reachable(config.engine);
    let socket = std::net::UdpSocket::bind(SocketAddr::new(engine.ip(), 0))?;
    socket.set_nonblocking(true)?;
    let places = Places { own: socket.local_addr()?, engine };
    let (to, words) = mpsc::channel(WISHES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("browser-phones".into()).spawn(move || {
        let served = runtime.block_on(async move {
            let socket = UdpSocket::from_std(socket)?;
            let board = Board::new(places, config.seed, config.accounts);
            let hands = Hands { socket, engine, link: None, pages: BTreeMap::new(), path: config.rtc };
            let served =
                Served { board, hands, words, now: config.now, beat: config.beat, stop: config.stop };
            served.run().await;
            Ok::<(), std::io::Error>(())
        });
        if let Err(why) = served {
            tracing::error!(%why, "phones in browsers are not served");
        }
    })?;
    Ok(Switch { to, tabs: Arc::default() })
}

/// The address by which this machine reaches a socket of its own.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, bound.port())
}

struct Served {
    board: Board,
    hands: Hands,
    words: mpsc::Receiver<Word>,
    now: Box<dyn Fn() -> Now + Send>,
    beat: Arc<AtomicU64>,
    stop: watch::Receiver<bool>,
}

struct Hands {
    socket: UdpSocket,
    engine: SocketAddr,
    link: Option<Link>,
    pages: BTreeMap<TabId, mpsc::Sender<PhoneTell>>,
    path: PathBuf,
}

struct Link {
    stream: UnixStream,
    reader: FrameReader,
}

impl Served {
    async fn run(mut self) {
        let mut datagram = vec![0; DATAGRAM];
        while !*self.stop.borrow() {
            self.beat.fetch_add(1, Ordering::Relaxed);
            if self.hands.link.is_none() && self.hands.connect().await {
                self.step(In::RtcUp(true)).await;
            }
            let due = self.board.deadline().map_or(BEAT, |at| left(at, (self.now)().mono));
            let happened = tokio::select! {
                word = self.words.recv() => match word {
                    Some(word) => self.hands.word(word),
                    None => return,
                },
                read = self.hands.socket.recv_from(&mut datagram) => match read {
                    Ok((count, from)) if from == self.hands.engine => {
                        Some(In::Sip(datagram.get(..count).unwrap_or_default().to_vec()))
                    }
                    Ok(_) | Err(_) => None,
                },
                alive = hear(&mut self.hands.link) => {
                    if !alive {
                        self.hands.link = None;
                        self.step(In::RtcUp(false)).await;
                    }
                    None
                }
                () = sleep(due.min(BEAT)) => Some(In::Tick),
                _ = self.stop.changed() => None,
            };
            if let Some(input) = happened {
                self.step(input).await;
            }
            while let Some(event) = self.hands.event() {
                self.step(In::Rtc(event)).await;
            }
            if self.board.deadline().is_some_and(|at| at <= (self.now)().mono) {
                self.step(In::Tick).await;
            }
        }
    }

    /// One step of the board; what breaks while it is carried out makes another.
    async fn step(&mut self, input: In) {
        let mut next = vec![input];
        while let Some(input) = next.pop() {
            let mut out = Vec::new();
            self.board.handle((self.now)(), input, &mut out);
            for wish in out {
                next.extend(self.hands.carry_out(wish).await);
            }
        }
    }
}

impl Hands {
    fn word(&mut self, word: Word) -> Option<In> {
        match word {
            Word::Attach { tab, extension, key, tell } => {
                self.pages.insert(tab, tell);
                Some(In::Attached { tab, extension, key })
            }
            Word::Ask(tab, ask) => self.pages.contains_key(&tab).then_some(In::Asked(tab, ask)),
            Word::Gone(tab) => self.pages.remove(&tab).map(|_| In::Detached(tab)),
        }
    }

    async fn connect(&mut self) -> bool {
        let stream = UnixStream::connect(&self.path).await.ok();
        self.link = stream.map(|stream| Link { stream, reader: FrameReader::default() });
        self.link.is_some()
    }

    /// The next event of what was read.
    fn event(&mut self) -> Option<RtcEvent> {
        let link = self.link.as_mut()?;
        match link.reader.word() {
            Ok(event) => event,
            Err(why) => {
                tracing::error!(%why, "the connection to the browser sessions is given up");
                // Closed here, found closed by the next read.
                link.reader = FrameReader::default();
                None
            }
        }
    }

    async fn carry_out(&mut self, wish: Out) -> Option<In> {
        match wish {
            Out::Sip(bytes) => {
                // A lost datagram is sent again by the transaction.
                let _ = self.socket.send_to(&bytes, self.engine).await;
                None
            }
            Out::Rtc(command) => self.command(&command).await,
            Out::Tell(tab, tell) => {
                let lost = self.pages.get(&tab).is_some_and(|page| page.try_send(tell).is_err());
                (lost && self.pages.remove(&tab).is_some()).then_some(In::Detached(tab))
            }
        }
    }

    async fn command(&mut self, command: &RtcCommand) -> Option<In> {
        let link = self.link.as_mut()?;
        let frame = match encode(command) {
            Ok(frame) => frame,
            Err(why) => {
                tracing::error!(%why, "a command to the browser sessions is not sent");
                return None;
            }
        };
        match timeout(STUCK, link.stream.write_all(&frame)).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) | Err(_) => {
                self.link = None;
                Some(In::RtcUp(false))
            }
        }
    }
}

/// Reads a piece of what the browser sessions say; false when they are gone. Never ends while there is no connection.
async fn hear(link: &mut Option<Link>) -> bool {
    let Some(Link { stream, reader }) = link else { return std::future::pending().await };
    let mut bytes = [0; 16 * 1024];
    match stream.read(&mut bytes).await {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            reader.push(bytes.get(..count).unwrap_or_default());
            true
        }
    }
}

fn left(at: Mono, now: Mono) -> Duration {
    if at <= now { Duration::ZERO } else { at.since(now) }
}
