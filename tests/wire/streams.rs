//! SIP over TCP against the real binary: it answers there too, and thousands of stalled strangers neither hold a place for
//! ever nor keep others out.
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::site;

fn options(lan: Lan, n: u32) -> String {
    let (peer, pbx) = (lan.host(66), lan.host(1));
    format!(
        "OPTIONS sip:{pbx} SIP/2.0\r\nVia: SIP/2.0/TCP {peer}:5060;branch=z9hG4bKt{n};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@{peer}>;tag=t{n}\r\nTo: <sip:{pbx}>\r\nCall-ID: t{n}@{peer}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn connect(lan: Lan) -> TcpStream {
    let stream = TcpStream::connect(SocketAddr::from((lan.host(1), 5060))).expect("the box listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
    stream
}

/// The start of the answer to one OPTIONS, and how long it took.
fn ask(lan: Lan, stream: &mut TcpStream, n: u32) -> (String, Duration) {
    let start = Instant::now();
    stream.write_all(options(lan, n).as_bytes()).expect("the stream is open");
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).expect("an answer");
    (String::from_utf8_lossy(&buffer[..length]).into_owned(), start.elapsed())
}

/// How a stranger stalls.
#[derive(Clone, Copy, PartialEq)]
enum Stall {
    Idle,
    Half,
    Dribbles,
}

/// A stream from an address of its own.
fn from(host: Ipv4Addr, lan: Lan) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((host, 0)).into())?;
    socket.connect(&SocketAddr::from((lan.host(1), 5060)).into())?;
    Ok(socket.into())
}

/// Three thousand streams of 150 sources, a third each idle, with half a word, and dribbling.
fn crowd(lan: Lan) -> Vec<(Stall, TcpStream)> {
    let mut streams = Vec::new();
    for n in 0..3000_u32 {
        let host = Ipv4Addr::new(127, 251, lan.host(1).octets()[2], u8::try_from(n / 20 + 1).expect("150"));
        let stall = [Stall::Idle, Stall::Half, Stall::Dribbles][usize::try_from(n % 3).expect("three")];
        let mut stream =
            from(host, lan).expect("the box takes streams until it is full, and makes room then");
        if stall != Stall::Idle {
            // Closed already: it had to make room for a later one.
            let _ = stream.write_all(b"REGISTER sip:");
        }
        stream.set_nonblocking(true).expect("a stream can be made not to wait");
        streams.push((stall, stream));
    }
    streams
}

/// How many are still open; those that dribble say one more letter.
fn open(streams: &mut [(Stall, TcpStream)]) -> usize {
    let still = |(stall, stream): &mut (Stall, TcpStream)| {
        let gone = !matches!(stream.read(&mut [0; 64]), Err(e) if e.kind() == ErrorKind::WouldBlock);
        !gone && (*stall != Stall::Dribbles || stream.write_all(b"x").is_ok())
    };
    streams.iter_mut().map(still).filter(|open| *open).count()
}

#[test]
fn phones_on_tcp_are_served_while_three_thousand_streams_of_strangers_stall_and_those_are_closed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let _pbx = Belfry::start(lan, &site::head(), folder.path());
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("Linux tells it");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("up to the hard limit it is allowed");

    let mut early = connect(lan);
    let (answer, _) = ask(lan, &mut early, 1);
    assert!(answer.starts_with("SIP/2.0 "), "{answer}");
    // Nineteen more of this source say half a word and no more; the next one finds no place.
    let _stalled: Vec<TcpStream> = (0..19).map(|_| connect(lan)).collect();
    let mut turned_away = connect(lan);
    assert_eq!(turned_away.read(&mut [0; 1]).unwrap_or(0), 0, "the twenty-first is closed at once");

    let began = Instant::now();
    let mut strangers = crowd(lan);
    let mut n = 10;
    while open(&mut strangers) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(50),
            "{} stalled streams are open",
            open(&mut strangers)
        );
        n += 1;
        let host = lan.host(u8::try_from(100 + n % 100).expect("small"));
        let mut new = from(host, lan).expect("the box listens");
        new.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out can be set");
        let (answer, _) = ask(lan, &mut new, n);
        assert!(answer.starts_with("SIP/2.0 "), "a new honest stream is served: {answer}");
        std::thread::sleep(Duration::from_secs(1));
    }
    let (answer, _) = ask(lan, &mut connect(lan), 3);
    assert!(answer.starts_with("SIP/2.0 "), "{answer}");
}
