//! Broken messages by the hundred thousand: no panic, nothing sent anywhere but back, memory bounded, and the endpoint
//! still answers. `BELFRY_MUTANTS` sets how many (100,000 a submission; a million by hand).
use crate::common::{SDP, uri};
use model::clock::{Mono, Now};
use model::id::LegId;
use sip::digest::server::Nonces;
use sip::endpoint::{Reply, Settings};
use sip::framing::{Frame, StreamFramer};
use sip::indication::SubscriptionId;
use sip::sdp::Sdp;
use sip::sdp::offer_answer::Side;
use sip::{Endpoint, Flow, Indication, Message, Method, Name, NameAddr, Output, Uri};
use std::time::Duration;

fn count() -> u64 {
    std::env::var("BELFRY_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// The torture set and some daily messages.
fn seeds() -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/data/rfc4475", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    names.sort();
    let mut seeds: Vec<Vec<u8>> = names.iter().map(|p| std::fs::read(p).unwrap()).collect();
    let sdp = String::from_utf8(SDP.to_vec()).unwrap();
    for (method, more) in [
        ("INVITE", "Contact: <sip:a@198.51.100.9>\r\nContent-Type: application/sdp\r\n"),
        (
            "REGISTER",
            "Contact: <sip:a@198.51.100.9>;expires=60;+sip.instance=\"<urn:x>\"\r\nAuthorization: Digest username=\"a\", realm=\"r\", nonce=\"0\", uri=\"sip:h\", response=\"1\", qop=auth, nc=00000001, cnonce=\"x\"\r\n",
        ),
        ("SUBSCRIBE", "Event: message-summary\r\nExpires: 60\r\nContact: <sip:a@198.51.100.9>\r\n"),
        ("CANCEL", ""),
        ("ACK", ""),
        ("BYE", ""),
        ("UPDATE", ""),
    ] {
        let to = if matches!(method, "BYE" | "UPDATE") { ";tag=1" } else { "" };
        seeds.push(format!("{method} sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKm;rport\r\nFrom: <sip:a@h>;tag=9\r\nTo: <sip:b@h>{to}\r\nCall-ID: m\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{more}\r\n{sdp}").into_bytes());
    }
    seeds
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    const BITS: [&[u8]; 14] = [
        b"\r\n",
        b";",
        b",",
        b"\"",
        b"<",
        b">",
        b":",
        b"@",
        b"\0",
        b"\xff",
        b"\r\n ",
        b"z9hG4bK",
        b"4294967296",
        b"%",
    ];
    let mut m = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(m.len() + 1);
        match random.below(7) {
            0 if at < m.len() => m[at] = u8::try_from(random.below(256)).unwrap(),
            1 => m.truncate(at),
            2 => drop(m.splice(at..at, BITS[random.below(BITS.len())].iter().copied())),
            3 => drop(m.drain(at..(at + random.below(30)).min(m.len()))),
            4 => {
                let end = (at + random.below(60)).min(m.len());
                let piece = m[at..end].to_vec();
                let times = 1 + random.below(20);
                m.splice(at..at, piece.repeat(times));
            }
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                m.truncate(at);
                m.extend_from_slice(&other[from..]);
            }
            _ => m.extend_from_slice(&[b'x'; 40]),
        }
    }
    m
}

fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.9:5060".parse().unwrap())
}

/// A careless engine: says yes to nearly everything.
struct Engine {
    endpoint: Endpoint,
    nonces: Nonces,
    next: u64,
}

impl Engine {
    fn feed(&mut self, now: Now, bytes: &[u8]) -> usize {
        let mut out = Vec::new();
        self.endpoint.receive(now, flow(), bytes, &mut out);
        let mut sent = 0;
        let mut i = 0;
        while i < out.len() {
            match out[i].clone() {
                Output::Send { flow: to, bytes } => {
                    assert_eq!(
                        to.remote.ip(),
                        flow().remote.ip(),
                        "nothing goes to an address that only a message names"
                    );
                    if let Err(rejected) = Message::read(&bytes) {
                        // What could only be echoed may be as broken as it came, but never by us.
                        assert!(
                            bytes.starts_with(b"SIP/2.0 4") || bytes.starts_with(b"SIP/2.0 505"),
                            "{rejected:?}"
                        );
                    }
                    sent += 1;
                }
                Output::Indicate(indication) => self.react(now, indication, &mut out),
            }
            i += 1;
        }
        sent
    }

    fn react(&mut self, now: Now, indication: Indication, out: &mut Vec<Output>) {
        self.next += 1;
        let leg = LegId(self.next);
        match indication {
            Indication::Invite { server, request, flow } => {
                if let Some(Ok(sdp)) = request.sdp().map(Sdp::read) {
                    let mut side =
                        Side::new("192.0.2.1:4000".parse().unwrap(), &[model::media::Codec::Pcmu], 1);
                    let _ = side.answer(&sdp, flow.remote.ip(), sip::sdp::Direction::SendRecv);
                }
                self.endpoint.adopt(now, server, leg, uri("sip:me@192.0.2.1"), out);
                match self.next % 3 {
                    0 => self.endpoint.accept(now, leg, SDP.to_vec(), Vec::new(), out),
                    1 => self.endpoint.refuse(now, leg, 486, None, Vec::new(), out),
                    _ => self.endpoint.ring(now, leg, 180, None, out),
                }
            }
            Indication::Reoffer { leg, .. } => self.endpoint.answer_reoffer(now, leg, Ok(SDP.to_vec()), out),
            Indication::Request { server, request, flow, .. } if *request.method() == Method::Register => {
                let values = request.headers().all(Name::Authorization);
                let _ =
                    self.nonces.check(now, flow.remote.ip(), "r", "REGISTER", values, |_| Some("x".into()));
                let contacts = request.contacts().filter(|c| !c.uri.host().is_empty()).count();
                let reply = Reply::new(200).header("X-Contacts", &contacts.to_string());
                self.endpoint.respond(now, server, reply, out);
            }
            Indication::Request { server, request, .. } if *request.method() == Method::Subscribe => {
                let id = SubscriptionId(self.next);
                if self.endpoint.subscribe(now, server, id, uri("sip:me@192.0.2.1"), 60, out) {
                    self.endpoint.notify(now, id, "text/plain", b"x", out);
                }
            }
            Indication::Request { server, .. } => self.endpoint.respond(now, server, Reply::new(200), out),
            Indication::Progress { .. }
            | Indication::Answered { .. }
            | Indication::Refused { .. }
            | Indication::Acked { .. }
            | Indication::Cancelled { .. }
            | Indication::Ended { .. }
            | Indication::ReofferAnswered { .. }
            | Indication::Info { .. }
            | Indication::Response { .. }
            | Indication::SubscriptionGone { .. }
            | Indication::Malformed { .. } => {}
        }
    }
}

#[test]
fn an_endpoint_lives_through_broken_messages() {
    let (seeds, mut random) = (seeds(), Random(0x5EED));
    let endpoint =
        Endpoint::new(Settings { transactions_max: 2_000, lingering_max: 1_000, ..Settings::new([3; 32]) });
    let mut engine = Engine { endpoint, nonces: Nonces::new([1; 32]), next: 0 };
    let mut now = Now { mono: Mono(1_000_000), ..Now::default() };
    for n in 0..count() {
        engine.feed(now, &mutate(&mut random, &seeds));
        now.mono = now.mono + Duration::from_millis(2);
        if n % 50 == 0 {
            engine.endpoint.handle_timeout(now, &mut Vec::new());
        }
    }
    let load = engine.endpoint.load();
    assert!(load.transactions <= 2_000 && load.lingering <= 1_000, "{load:?}");
    now.mono = now.mono + Duration::from_secs(100);
    engine.endpoint.handle_timeout(now, &mut Vec::new());
    let ping = "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKping\r\nFrom: <sip:p@h>;tag=1\r\nTo: <sip:h>\r\nCall-ID: ping\r\nCSeq: 1 OPTIONS\r\n\r\n";
    assert_eq!(engine.feed(now, ping.as_bytes()), 1, "still answering");
}

#[test]
fn values_live_through_anything() {
    let mut random = Random(77);
    let words: [&[u8]; 22] = [
        b"sip:",
        b"tel:",
        b"a",
        b"@",
        b"[::1]",
        b":5060",
        b";",
        b"=",
        b"<",
        b">",
        b"\"",
        b"\\",
        b",",
        b" ",
        b"%41",
        b"%",
        b"SIP/2.0/UDP",
        b"\xc3\xa9",
        b"?",
        b"99999999999",
        b"m=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\n",
    ];
    for _ in 0..count() / 4 {
        let text: Vec<u8> =
            (0..random.below(12)).flat_map(|_| words[random.below(words.len())].to_vec()).collect();
        if let Ok(text) = std::str::from_utf8(&text) {
            if let Ok(uri) = Uri::read(text) {
                assert_eq!(Uri::read(uri.as_str()).unwrap(), uri);
                let _ = (
                    uri.user(),
                    uri.host(),
                    uri.port(),
                    uri.ip(),
                    uri.params().count(),
                    uri.without_headers(),
                    uri.same(&uri),
                );
            }
            if let Ok(address) = NameAddr::read(text) {
                let again = NameAddr::read(&address.to_string());
                assert_eq!(again.as_ref().map(|a| &a.uri), Ok(&address.uri), "{text}");
            }
            let _ = sip::via::Via::read(text);
            let _ = sip::digest::client::Challenge::read(text);
        }
        let _ = Sdp::read(&text);
    }
}

#[test]
fn streams_live_through_broken_messages() {
    let (seeds, mut random) = (seeds(), Random(0xFEED));
    for _ in 0..count() / 20 {
        let mut framer = StreamFramer::new();
        for _ in 0..4 {
            let bytes = mutate(&mut random, &seeds);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(1 + random.below(rest.len()));
                framer.push(piece);
                rest = after;
                while let Ok(Some(frame)) = framer.next_frame() {
                    if let Frame::Message(message) = frame {
                        let _ = Message::read(&message);
                    }
                }
            }
        }
        assert!(framer.waiting() <= 1 << 20);
    }
}
