//! Streams over loopback: whole messages, on-demand connections, and the limits against stalled peers.
use super::*;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};

const MESSAGE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

struct Served {
    streams: SipStreams,
    arrivals: Receiver<Arrival>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn start() -> Served {
        Served::with_room_for(STREAMS)
    }

    fn with_room_for(most: usize) -> Served {
        let (streams, mut listener) = open("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.most = most;
        let (tx, arrivals) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let tx = std::sync::Mutex::new(tx);
            listener.serve(Arc::default(), &stopped, move |a| drop(tx.lock().unwrap().send(a))).unwrap();
        });
        Served { streams, arrivals, stop, thread: Some(thread) }
    }

    fn next(&self) -> Arrival {
        self.arrivals.recv_timeout(Duration::from_secs(10)).expect("something arrives")
    }

    fn next_message(&self) -> (Flow, Vec<u8>) {
        match self.next() {
            Arrival::Message { flow, bytes } => (flow, bytes),
            Arrival::Closed(flow) => panic!("{flow} closed"),
        }
    }

    fn phone(&self) -> std::net::TcpStream {
        let phone = std::net::TcpStream::connect(self.streams.local()).unwrap();
        phone.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        phone
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_message_in_two_pieces_arrives_whole_and_is_answered_on_its_stream() {
    let served = Served::start();
    let mut phone = served.phone();
    phone.write_all(&MESSAGE[..10]).unwrap();
    phone.write_all(&MESSAGE[10..]).unwrap();
    let (flow, bytes) = served.next_message();
    assert_eq!(bytes, MESSAGE);
    assert_eq!(flow.remote, phone.local_addr().unwrap());
    served.streams.send(flow, b"answer".to_vec());
    let mut answer = [0; 6];
    phone.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
}

#[test]
fn a_keepalive_is_answered_with_one_line_end() {
    let served = Served::start();
    let mut phone = served.phone();
    phone.write_all(b"\r\n\r\n").unwrap();
    let mut answer = [0; 2];
    phone.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\r\n");
}

#[test]
fn a_stream_is_opened_on_demand_and_used_again() {
    let served = Served::start();
    let carrier = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flow = Flow::tcp(served.streams.local(), carrier.local_addr().unwrap());
    served.streams.send(flow, b"one".to_vec());
    served.streams.send(flow, b"two".to_vec());
    let (mut stream, _) = carrier.accept().unwrap();
    let mut both = [0; 6];
    stream.read_exact(&mut both).unwrap();
    assert_eq!(&both, b"onetwo");
}

#[test]
fn a_stream_that_cannot_be_opened_is_said_to_be_closed() {
    let served = Served::start();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let flow = Flow::tcp(served.streams.local(), nobody);
    served.streams.send(flow, b"hello".to_vec());
    assert_eq!(served.next(), Arrival::Closed(flow));
}

#[test]
fn an_answer_to_a_stream_that_is_gone_opens_no_new_one() {
    let served = Served::start();
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flow = Flow {
        transport: Transport::Tcp,
        remote: stranger.local_addr().unwrap(),
        local: served.streams.local(),
        connection: 99,
    };
    served.streams.send(flow, b"SIP/2.0 200 OK\r\n\r\n".to_vec());
    assert_eq!(served.next(), Arrival::Closed(flow));
}

#[test]
fn what_is_no_sip_closes_the_stream() {
    let served = Served::start();
    let mut phone = served.phone();
    phone.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(matches!(served.next(), Arrival::Closed(_)));
    assert_eq!(phone.read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn one_source_holds_at_most_twenty_untrusted_streams_and_trusted_ones_do_not_count() {
    let served = Served::start();
    let mut trusted = served.phone();
    trusted.write_all(MESSAGE).unwrap();
    let (flow, _) = served.next_message();
    served.streams.send(flow, b"SIP/2.0 200 OK\r\nCSeq: 2 REGISTER\r\n\r\n".to_vec());
    let mut first = [0; 7];
    trusted.read_exact(&mut first).unwrap();

    let mut idle: Vec<_> = (0..21).map(|_| served.phone()).collect();
    let mut last = idle.pop().unwrap();
    assert_eq!(last.read(&mut [0; 1]).unwrap_or(0), 0, "the 21st is closed");
    for phone in &mut idle {
        phone.write_all(MESSAGE).unwrap();
    }
    for _ in 0..20 {
        served.next_message();
    }
    trusted.write_all(MESSAGE).unwrap();
    assert_eq!(served.next_message().0, flow);
}

#[test]
fn only_admission_shows_trust() {
    assert!(shows_trust(b"INVITE sip:101@1.2.3.4 SIP/2.0\r\n\r\n"));
    assert!(shows_trust(b"SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n"));
    assert!(!shows_trust(b"SIP/2.0 401 Unauthorized\r\nCSeq: 1 REGISTER\r\n\r\n"));
    assert!(!shows_trust(b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n"));
}

#[test]
fn an_untrusted_stream_expires_and_a_trusted_one_does_not() {
    let now = Instant::now();
    let old = now.checked_sub(UNTRUSTED_FOR).unwrap();
    assert!(expired(old, now, 0, &AtomicBool::new(false)).is_some());
    assert!(expired(old, now, 0, &AtomicBool::new(true)).is_none());
    assert!(expired(old, old, 1, &AtomicBool::new(true)).is_some());
    assert!(UNTRUSTED_FOR < Duration::from_secs(40));
}

#[test]
fn stalled_streams_make_room_for_newcomers_and_trusted_ones_stay() {
    let served = Served::with_room_for(3);
    let mut known = served.phone();
    known.write_all(MESSAGE).unwrap();
    let (flow, _) = served.next_message();
    served.streams.send(flow, b"SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n".to_vec());
    let mut answer = [0; 64];
    assert!(known.read(&mut answer).unwrap() > 0);

    let mut oldest = served.phone();
    let old_address = oldest.local_addr().unwrap();
    let _stalled = served.phone();
    let mut newcomer = served.phone();
    newcomer.write_all(MESSAGE).unwrap();
    assert_eq!(oldest.read(&mut answer).unwrap(), 0, "the one that stalled longest was closed");
    known.write_all(MESSAGE).unwrap();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        match served.next() {
            Arrival::Message { flow, .. } => heard.push(flow.remote),
            Arrival::Closed(flow) => assert_eq!(flow.remote, old_address),
        }
    }
    heard.sort();
    let mut expected = [newcomer.local_addr().unwrap(), known.local_addr().unwrap()];
    expected.sort();
    assert_eq!(heard, expected, "the newcomer is served and the trusted stream stays");
}
