//! Two endpoints, a wire that may lose, double and delay, and a virtual clock. Same seed, same run.
use model::clock::{Mono, Now};
use model::id::LegId;
use sip::endpoint::{Hop, Invite, RequestOut, Settings};
use sip::indication::ClientId;
use sip::message::Message;
use sip::{Endpoint, Flow, Indication, Method, NameAddr, Output, Transport, Uri};
use std::time::Duration;

pub const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// How the wire treats datagrams, in percent.
#[derive(Clone, Copy, Default)]
pub struct Wire {
    pub loss: u64,
    pub doubled: u64,
    pub delay_ms_max: u64,
}

pub struct Packet {
    at: Mono,
    to: usize,
    pub bytes: Vec<u8>,
}

/// Side 0 is 192.0.2.1, side 1 is 192.0.2.2.
pub struct Pair {
    pub sides: [Endpoint; 2],
    pub now: Now,
    pub transport: Transport,
    pub wire: Wire,
    packets: Vec<Packet>,
    random: u64,
    /// What each side was told and has not been asked for yet.
    pub told: [Vec<Indication>; 2],
    /// Everything that was put on the wire, lost or not: sender and first line.
    pub log: Vec<(usize, String)>,
    whole: Vec<(usize, Vec<u8>)>,
}

impl Pair {
    pub fn new(seed: u64, transport: Transport, wire: Wire) -> Pair {
        let endpoint = |n: u8| {
            let mut bytes = [n; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            Endpoint::new(Settings::new(bytes))
        };
        Pair {
            sides: [endpoint(1), endpoint(2)],
            now: Now { mono: Mono(1_000_000), ..Now::default() },
            transport,
            wire,
            packets: Vec::new(),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            told: [Vec::new(), Vec::new()],
            log: Vec::new(),
            whole: Vec::new(),
        }
    }

    pub fn udp() -> Pair {
        Pair::new(1, Transport::Udp, Wire::default())
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit.max(1)
    }

    /// The way from one side to the other.
    pub fn flow(&self, from: usize) -> Flow {
        let address = |n: usize| format!("192.0.2.{}:5060", n + 1).parse().expect("an address");
        let connection = u64::from(self.transport == Transport::Tcp);
        Flow { transport: self.transport, local: address(from), remote: address(1 - from), connection }
    }

    /// Lets one side do something.
    pub fn act<R>(
        &mut self,
        side: usize,
        act: impl FnOnce(&mut Endpoint, Now, Flow, &mut Vec<Output>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let flow = self.flow(side);
        let result = act(&mut self.sides[side], self.now, flow, &mut out);
        for output in out {
            match output {
                Output::Send { flow, bytes } => self.post(side, flow, bytes),
                Output::Indicate(indication) => self.told[side].push(indication),
            }
        }
        result
    }

    fn post(&mut self, from: usize, flow: Flow, bytes: Vec<u8>) {
        Message::read(&bytes).expect("we write what we can read");
        assert_eq!(flow.remote, self.flow(from).remote, "sent to the peer and nowhere else");
        let line =
            String::from_utf8_lossy(bytes.split(|b| *b == b'\r').next().expect("a first line")).into_owned();
        self.log.push((from, line));
        self.whole.push((from, bytes.clone()));
        let datagram = self.transport == Transport::Udp;
        if datagram && self.chance(self.wire.loss) {
            return;
        }
        let copies = if datagram && self.chance(self.wire.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if datagram { self.below(self.wire.delay_ms_max + 1) } else { 0 };
            let at = self.now.mono + Duration::from_millis(delay + 1);
            self.packets.push(Packet { at, to: 1 - from, bytes: bytes.clone() });
        }
    }

    /// The next moment anything happens.
    pub fn next(&self) -> Option<Mono> {
        let packet = self.packets.iter().map(|p| p.at).min();
        [packet, self.sides[0].deadline(), self.sides[1].deadline()].into_iter().flatten().min()
    }

    /// One moment: due packets, then due timers.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next() else { return false };
        self.now.mono = self.now.mono.max(at);
        let mut due: Vec<Packet> = Vec::new();
        let mut i = 0;
        while i < self.packets.len() {
            if self.packets[i].at <= self.now.mono { due.push(self.packets.remove(i)) } else { i += 1 }
        }
        for packet in due {
            self.act(packet.to, |e, now, flow, out| e.receive(now, flow, &packet.bytes, out));
        }
        for side in 0..2 {
            self.act(side, |e, now, _, out| e.handle_timeout(now, out));
        }
        true
    }

    /// Runs until a side is told something, or nothing happens for `limit`.
    pub fn until_told(&mut self, side: usize, limit: Duration) -> Option<Indication> {
        let end = self.now.mono + limit;
        while self.told[side].is_empty() && self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        (!self.told[side].is_empty()).then(|| self.told[side].remove(0))
    }

    /// Runs for a time.
    pub fn run(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now.mono = self.now.mono.max(end);
    }

    /// Puts bytes before one side as if the other had sent them.
    pub fn inject(&mut self, to: usize, bytes: &[u8]) {
        self.act(to, |e, now, flow, out| e.receive(now, flow, bytes, out));
    }

    /// How often a line starting so was put on the wire by a side.
    pub fn sent(&self, side: usize, start: &str) -> usize {
        self.log.iter().filter(|(s, l)| *s == side && l.starts_with(start)).count()
    }

    /// The last message starting so that a side put on the wire.
    pub fn last(&self, side: usize, start: &str) -> String {
        let found = self.whole.iter().rev().find(|(s, b)| *s == side && b.starts_with(start.as_bytes()));
        String::from_utf8_lossy(&found.expect("it was sent").1).into_owned()
    }

    /// Every message that was put on the wire.
    pub fn whole(&self) -> impl Iterator<Item = &[u8]> {
        self.whole.iter().map(|(_, bytes)| &bytes[..])
    }

    /// Our tag in the last message of side 1 starting so.
    pub fn tag_of_last(&self, start: &str) -> String {
        let tag = match Message::read(self.last(1, start).as_bytes()) {
            Ok(Message::Request(request)) => request.from().tag().map(str::to_owned),
            Ok(Message::Response(response)) => response.to().tag().map(str::to_owned),
            Err(rejected) => panic!("{rejected:?}"),
        };
        tag.expect("it has a tag")
    }

    /// Answers the last request of the other side by hand, as `from` would.
    pub fn answer_last(&mut self, from: usize, code: u16) {
        let requests = self.whole.iter().rev().filter(|(s, _)| *s == 1 - from);
        let last = requests.filter_map(|(_, b)| match Message::read(b) {
            Ok(Message::Request(request)) => Some(request),
            Ok(Message::Response(_)) | Err(_) => None,
        });
        let request = last.take(1).next().expect("a request to answer");
        let line = |name: sip::Name| {
            format!("{}: {}\r\n", name.as_str(), request.headers().first(name).expect("a header"))
        };
        let names = [sip::Name::Via, sip::Name::From, sip::Name::To, sip::Name::CallId, sip::Name::CSeq];
        let text = format!("SIP/2.0 {code} X\r\n{}\r\n", names.map(line).concat());
        self.packets.clear();
        self.inject(1 - from, text.as_bytes());
        self.packets.clear();
    }

    pub fn call(&mut self, from: usize, leg: u64) {
        let invite = invite(self.flow(from));
        self.act(from, |e, now, _, out| e.invite(now, LegId(leg), invite, out));
    }

    /// A call from side 0 (leg 1) to side 1 (leg 2), answered and acknowledged.
    pub fn up(&mut self) {
        self.call(0, 1);
        let server = match self.until_told(1, LONG) {
            Some(Indication::Invite { server, .. }) => server,
            other => panic!("{other:?}"),
        };
        self.act(1, |e, now, _, out| {
            e.adopt(now, server, LegId(2), uri("sip:bob@192.0.2.2"), out);
            e.accept(now, LegId(2), SDP.to_vec(), Vec::new(), out);
        });
        assert!(matches!(self.until_told(0, LONG), Some(Indication::Answered { leg: LegId(1), .. })));
        assert!(matches!(self.until_told(1, LONG), Some(Indication::Acked { leg: LegId(2), .. })));
    }
}

pub const LONG: Duration = Duration::from_secs(70);

/// Everything is forgotten in the end: no transaction, no session, no timer.
pub fn empty(pair: &mut Pair) {
    pair.run(Duration::from_secs(200));
    for side in 0..2 {
        assert_eq!(pair.sides[side].load(), sip::endpoint::Load::default());
        assert_eq!(pair.sides[side].deadline(), None);
    }
}

pub fn uri(text: &str) -> Uri {
    Uri::read(text).expect("a URI")
}

pub fn invite(flow: Flow) -> Invite {
    Invite {
        target: uri("sip:bob@192.0.2.2"),
        flow,
        route: Vec::new(),
        from: NameAddr::named("Alice", uri("sip:alice@192.0.2.1")),
        to: NameAddr::new(uri("sip:bob@192.0.2.2")),
        contact: uri("sip:alice@192.0.2.1"),
        max_forwards: 70,
        headers: Vec::new(),
        sdp: SDP.to_vec(),
        credentials: None,
        reliable: false,
        hop: Hop::Symmetric,
    }
}

pub fn request(flow: Flow, method: Method, id: u64) -> RequestOut {
    RequestOut {
        id: ClientId(id),
        method,
        target: uri("sip:192.0.2.2"),
        flow,
        route: Vec::new(),
        from: NameAddr::new(uri("sip:alice@192.0.2.1")),
        to: NameAddr::new(uri("sip:alice@192.0.2.1")),
        call_id: None,
        cseq: None,
        contact: None,
        headers: Vec::new(),
        content_type: String::new(),
        body: Vec::new(),
        credentials: None,
    }
}
