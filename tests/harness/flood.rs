//! A flood of SIP from strangers: datagrams without credentials, as many a second as asked, from one address or from many.
//! Counts what it sent and what came back to each address.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is sent in turn.
const METHODS: [&str; 4] = ["INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE"];

/// A running flood.
pub struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Tally>>>,
}

/// What one source sent and got.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Who.
    pub source: IpAddr,
    /// Messages sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Bytes of all that came back.
    pub got_bytes: u64,
}

struct Source {
    socket: UdpSocket,
    tally: Tally,
}

impl Flood {
    /// Starts it: `rate` messages a second in all, from these addresses in turn.
    ///
    /// # Panics
    /// When an address cannot be bound.
    #[must_use]
    pub fn start(target: SocketAddr, sources: &[Ipv4Addr], rate: u32) -> Flood {
        let mut sources: Vec<Source> = sources.iter().map(|a| Source::open(*a)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                pour(target, &mut sources, rate, &stop);
                sources.iter_mut().map(Source::end).collect()
            }
        });
        Flood { stop, thread: Some(thread) }
    }

    /// Ends it.
    ///
    /// # Panics
    /// When the flooding thread did.
    #[must_use]
    pub fn stop(mut self) -> Vec<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("stopped once").join().expect("the flood does not panic")
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Source {
    fn open(address: Ipv4Addr) -> Source {
        let socket = UdpSocket::bind((address, 0)).expect("an address of the test's own");
        socket.set_nonblocking(true).expect("a socket can be made not to wait");
        let source = IpAddr::V4(address);
        Source { socket, tally: Tally { source, sent: 0, sent_bytes: 0, got_bytes: 0 } }
    }

    fn send(&mut self, target: SocketAddr, n: u64) {
        let local = self.socket.local_addr().expect("bound");
        let method = METHODS[usize::try_from(n).unwrap_or(0) % METHODS.len()];
        let user = 100 + n % 900;
        let text = format!(
            "{method} sip:{user}@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-flood-{n};rport\r\n\
             Max-Forwards: 70\r\nFrom: \"{user}\" <sip:{user}@{target}>;tag=flood{n}\r\nTo: <sip:{user}@{target}>\r\n\
             Call-ID: flood-{n}@{local}\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@{local}>\r\nEvent: message-summary\r\n\
             User-Agent: friendly-scanner\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
        );
        // A full buffer of the kernel loses one datagram of a flood: it is not counted.
        if self.socket.send_to(text.as_bytes(), target).is_ok() {
            self.tally.sent += 1;
            self.tally.sent_bytes += u64::try_from(text.len()).unwrap_or(0);
        }
        self.drain();
    }

    fn drain(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.tally.got_bytes += u64::try_from(length).unwrap_or(0);
        }
    }

    /// Answers may still be on their way for a moment.
    fn end(&mut self) -> Tally {
        self.drain();
        self.tally
    }
}

/// Sends in small bursts, as many as the time since the start asks for; a machine that is too slow sends fewer.
fn pour(target: SocketAddr, sources: &mut [Source], rate: u32, stop: &AtomicBool) {
    let mut n = 0_u64;
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let due = u64::try_from(last.elapsed().as_micros()).unwrap_or(0) * u64::from(rate) / 1_000_000;
        for _ in 0..due.min(u64::from(rate) / 50) {
            let at = usize::try_from(n).unwrap_or(0) / METHODS.len() % sources.len();
            sources[at].send(target, n);
            n += 1;
        }
        if due > 0 {
            last = Instant::now();
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}
