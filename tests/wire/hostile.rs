//! S1 against the real binary: the torture messages of RFC 4475 and thousands of mutants of them, from a stranger and from a
//! trunk that is believed, over UDP and TCP. After each the box answers a ping, nobody is answered with more than twice what
//! he sent, neither role dies, and a call comes up at the end.
use socket2::{Domain, Socket, Type};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::sipp::customer;
use tests::harness::site;

const SOON: Duration = Duration::from_secs(60);
/// Mutants from each side.
const MUTANTS: usize = 2_000;

/// A socket that asks and counts what comes back.
struct Side {
    socket: UdpSocket,
    target: SocketAddr,
    sent: usize,
    got: usize,
}

impl Side {
    fn open(host: Ipv4Addr, target: SocketAddr) -> Side {
        let socket = UdpSocket::bind((host, 0)).expect("an address of the test's own");
        socket.set_nonblocking(true).expect("a socket can be made not to wait");
        Side { socket, target, sent: 0, got: 0 }
    }

    fn send(&mut self, bytes: &[u8]) {
        // A mutant longer than a datagram is not sent, and the kernel may have no room for the moment.
        self.sent += self.socket.send_to(bytes, self.target).unwrap_or(0);
        let mut buffer = [0; 65_536];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            self.got += length;
        }
    }
}

/// OPTIONS of somebody who is believed, until it is answered.
fn ping(socket: &UdpSocket, target: SocketAddr, n: usize) -> Duration {
    let here = socket.local_addr().expect("it is bound");
    let (begin, mut buffer) = (Instant::now(), [0; 65_536]);
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a socket has a time limit");
    for attempt in 0.. {
        let ask = format!(
            "OPTIONS sip:{target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKp{n}a{attempt};rport\r\nFrom: <sip:p@{here}>;tag=p\r\n\
             To: <sip:{target}>\r\nCall-ID: ping-{n}-{attempt}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(ask.as_bytes(), target).expect("the loopback takes it");
        while let Ok((length, _)) = socket.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            if text.starts_with("SIP/2.0 200") && text.contains(&format!("ping-{n}-")) {
                return begin.elapsed();
            }
        }
        assert!(begin.elapsed() < SOON, "no answer any more after message {n}");
    }
    begin.elapsed()
}

/// The message on a connection of its own, closed at once.
fn by_tcp(host: Ipv4Addr, target: SocketAddr, bytes: &[u8]) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((host, 0)).into()).expect("an address of the test's own");
    if socket.connect_timeout(&target.into(), SOON).is_err() {
        return;
    }
    let mut stream = std::net::TcpStream::from(socket);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
    let _ = stream.read(&mut [0; 4096]);
}

fn pids(pbx: &Belfry) -> BTreeSet<String> {
    let status = pbx.status();
    ["control_pid", "media_pid"].map(|role| status[role].to_string()).into()
}

#[test]
fn torture_and_mutants_from_strangers_and_trunks_leave_the_box_answering() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let text = [site::head(), site::lines(lan, "echo")].concat();
    let pbx = Belfry::start(lan, &text, folder.path());
    let before = pids(&pbx);
    let target = SocketAddr::from((lan.host(1), 5060));
    let (mut stranger, mut trunk) = (Side::open(lan.host(60), target), Side::open(lan.host(21), target));
    let watch = UdpSocket::bind((lan.host(22), 0)).expect("an address of the trunk");

    let torture = fuzz::seeds("sip");
    assert!(torture.len() >= 49, "the messages of RFC 4475 are there");
    let mut worst = Duration::ZERO;
    for (n, message) in torture.iter().enumerate() {
        stranger.send(message);
        trunk.send(message);
        by_tcp(lan.host(61), target, message);
        by_tcp(lan.host(23), target, message);
        worst = worst.max(ping(&watch, target, n));
    }
    let mut mutator = fuzz::Mutator::new(torture, 0x5EED);
    for n in 0..MUTANTS {
        let mutant = mutator.mutant();
        stranger.send(&mutant);
        trunk.send(&mutant);
        if n % 50 == 0 {
            worst = worst.max(ping(&watch, target, 1_000 + n));
        }
    }
    eprintln!("worst ping {worst:?}, answers to the stranger {} of {} bytes", stranger.got, stranger.sent);
    assert!(stranger.got <= 2 * stranger.sent, "{} bytes for {}", stranger.got, stranger.sent);
    assert_eq!(pids(&pbx), before, "no role died");
    call(lan, folder.path());
}

fn call(lan: Lan, folder: &Path) {
    let mut caller = customer(lan, 6000, 500, &[], folder);
    assert!(caller.wait(SOON).success(), "a call comes up: {}", caller.output());
}
