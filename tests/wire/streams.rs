//! SIP over TCP against the real binary: it answers there too, and stalled strangers neither hold a place for ever nor keep
//! others out.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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

#[test]
fn a_phone_on_tcp_is_answered_also_while_strangers_dribble() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let _pbx = Belfry::start(lan, &site::head(), folder.path());
    let mut early = connect(lan);
    let (answer, _) = ask(lan, &mut early, 1);
    assert!(answer.starts_with("SIP/2.0 "), "{answer}");

    // Nineteen more of this source say half a word and no more; the next one finds no place.
    let stalled: Vec<TcpStream> = (0..19)
        .map(|_| {
            let mut stream = connect(lan);
            stream.write_all(b"REGISTER sip:").expect("the stream is open");
            stream
        })
        .collect();
    let mut turned_away = connect(lan);
    assert_eq!(turned_away.read(&mut [0; 1]).unwrap_or(0), 0, "the twenty-first is closed at once");

    let (answer, took) = ask(lan, &mut early, 2);
    assert!(answer.starts_with("SIP/2.0 "), "{answer}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    for mut stream in stalled {
        stream.set_read_timeout(Some(Duration::from_secs(45))).expect("a time-out can be set");
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "a stalled stream is closed");
    }
    let (answer, _) = ask(lan, &mut connect(lan), 3);
    assert!(answer.starts_with("SIP/2.0 "), "{answer}");
}
