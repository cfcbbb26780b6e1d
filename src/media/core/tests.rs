//! The core on virtual time: peers that speak and listen, a wire that loses and reorders, a disk that closes files.
use super::MediaCore;
use crate::out::{EarOp, FileId, FileOp, MediaOut};
use crate::prompts::PromptSet;
use crate::rtp;
use crate::tone::Tone;
use model::clock::{Mono, Now, Wall};
use model::id::{PlayId, RecordingId, SessionId};
use model::media::{Codec, Language, MediaCommand, MediaEvent, Remote, Sound};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

mod calls;
mod files;
mod hearing;
mod hostile;
mod listening;
mod mixes;
mod orphans;

/// The core and everything it said, with a clock that only the test moves.
struct World {
    core: MediaCore,
    out: MediaOut,
    now: Now,
    events: Vec<MediaEvent>,
    sent: Vec<Sent>,
    disk: BTreeMap<FileId, (String, Vec<u8>)>,
    loads: Vec<String>,
    pages: Vec<(String, Vec<u8>)>,
    ears: Vec<EarOp>,
}

/// A datagram the core sent, and when.
#[derive(Clone, Debug)]
struct Sent {
    at: Mono,
    port: u16,
    rtcp: bool,
    to: SocketAddr,
    bytes: Vec<u8>,
}

const FIRST_PORT: u16 = 10_000;

impl World {
    fn new() -> World {
        let mut prompts = PromptSet::new();
        prompts.add_prompt(Language::En, "hello", tone(440, 0, 3200).leak());
        prompts.add_music("calm", tone(350, 0, 8000).leak());
        let ports = (0..50).map(|n| FIRST_PORT + n * 2);
        let mut world = World {
            core: MediaCore::new(ports, 42, Arc::new(prompts)),
            out: MediaOut::new(),
            now: Now { mono: Mono(5_000_000), wall: Wall(1_700_000_000_000) },
            events: Vec::new(),
            sent: Vec::new(),
            disk: BTreeMap::new(),
            loads: Vec::new(),
            pages: Vec::new(),
            ears: Vec::new(),
        };
        world.ask(MediaCommand::Hello { protocol: model::media::PROTOCOL, epoch: 1, orphan_s: 10 });
        world.events.clear();
        world
    }

    fn ask(&mut self, command: MediaCommand) {
        self.core.command(self.now, command, &mut self.out);
        self.settle();
    }

    /// Lets `ms` milliseconds pass, ticking each.
    fn pass(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now.mono.0 += 1000;
            self.now.wall.0 += 1;
            self.core.tick(self.now, &mut self.out);
            self.settle();
        }
    }

    fn packet(&mut self, port: u16, source: SocketAddr, bytes: &[u8]) {
        self.core.packet(self.now, port, source, bytes, &mut self.out);
        self.settle();
    }

    /// Does what a shell does, at once.
    fn settle(&mut self) {
        for d in self.out.datagrams() {
            let Now { mono: at, .. } = self.now;
            self.sent.push(Sent { at, port: d.port, rtcp: d.rtcp, to: d.to, bytes: d.bytes.to_vec() });
        }
        self.events.append(&mut self.out.events);
        self.loads.append(&mut self.out.loads);
        self.pages.extend(self.out.pages.drain(..).map(|p| (p.output, p.sound)));
        self.ears.append(&mut self.out.ears);
        let files = std::mem::take(&mut self.out.files);
        self.out.clear();
        for op in files {
            match op {
                FileOp::Create { file, path, header, .. } => {
                    self.disk.insert(file, (path, header));
                }
                FileOp::Append { file, bytes } => self.disk.get_mut(&file).unwrap().1.extend(bytes),
                FileOp::Finish { file, header } => {
                    self.disk.get_mut(&file).unwrap().1[..header.len()].copy_from_slice(&header);
                    self.core.file_closed(file, Ok(()), &mut self.out);
                }
            }
        }
        self.events.append(&mut self.out.events);
    }

    /// Opens session `n` on its port with `peer` as the other end.
    fn open(&mut self, n: u64, peer: &Peer) {
        self.ask(MediaCommand::Open { session: SessionId(n), port: peer.port });
        self.remote(n, peer.remote());
    }

    fn remote(&mut self, n: u64, remote: Remote) {
        self.ask(MediaCommand::Remote { session: SessionId(n), remote });
    }

    fn join(&mut self, a: u64, b: u64) {
        self.ask(MediaCommand::Join { a: SessionId(a), b: SessionId(b) });
    }

    fn play(&mut self, n: u64, play: u64, sounds: Vec<Sound>, repeat: bool, barge_in: bool) {
        let (session, play) = (SessionId(n), PlayId(play));
        self.ask(MediaCommand::Play { session, play, sounds, repeat, barge_in });
    }

    fn record(&mut self, id: u64, left: u64, right: Option<u64>) {
        self.ask(record(id, left, right));
    }

    /// A frame each 20 ms from each of the peers for `ms`, of their tones; anything may be done between.
    fn speak(&mut self, ms: u64, peers: &mut [&mut Peer]) {
        for _ in 0..ms / 20 {
            for peer in peers.iter_mut() {
                let bytes = peer.frame();
                self.packet(peer.port, peer.address, &bytes);
            }
            self.pass(20);
        }
    }

    /// Sound sent to `to` since the last call, as µ-law, in the order of its timestamps; silence in gaps.
    fn heard(&mut self, to: SocketAddr) -> Vec<u8> {
        let mut sound = Vec::new();
        for packet in self.packets(to).iter().filter(|p| p.payload_type != 101) {
            let law = crate::codec::law_of(packet.payload_type).unwrap();
            crate::codec::convert(law, Codec::Pcmu, &packet.payload, &mut sound);
        }
        sound
    }

    /// RTP packets sent to `to` since the last call.
    fn packets(&mut self, to: SocketAddr) -> Vec<Packet> {
        let (mine, others) = std::mem::take(&mut self.sent).into_iter().partition(|s| s.to == to && !s.rtcp);
        self.sent = others;
        mine.iter().map(Packet::of).collect()
    }

    fn digits(&self) -> String {
        let digits = self.events.iter().filter_map(|e| {
            if let MediaEvent::Digit { digit, .. } = e { Some(digit.as_char()) } else { None }
        });
        digits.collect()
    }

    fn file(&self, path: &str) -> Vec<u8> {
        self.disk.values().find(|(p, _)| p == path).map(|(_, bytes)| bytes.clone()).expect("the file exists")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Packet {
    at: Mono,
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: Vec<u8>,
}

impl Packet {
    fn of(sent: &Sent) -> Packet {
        let p = rtp::parse(&sent.bytes).expect("what we send is RTP");
        Packet {
            at: sent.at,
            marker: p.marker,
            payload_type: p.payload_type,
            sequence: p.sequence,
            timestamp: p.timestamp,
            ssrc: p.ssrc,
            payload: p.payload.to_vec(),
        }
    }
}

/// A phone or carrier: speaks a tone from its address to the box's port.
struct Peer {
    port: u16,
    address: SocketAddr,
    codec: Codec,
    events: Option<u8>,
    tone: Tone,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Peer {
    /// The nth peer, with its own host, port and tone of `hz`.
    fn new(n: u8, hz: u16) -> Peer {
        Peer {
            port: FIRST_PORT + u16::from(n) * 2,
            address: SocketAddr::from(([192, 0, 2, n], 4000)),
            codec: Codec::Pcmu,
            events: Some(101),
            tone: Tone::new(hz, 0),
            ssrc: u32::from(n) * 1000,
            sequence: 65_530,
            timestamp: 77,
        }
    }

    fn remote(&self) -> Remote {
        Remote {
            address: self.address,
            signalled_from: self.address.ip(),
            codec: self.codec,
            event_type: self.events,
            send: true,
            receive: true,
        }
    }

    /// The next 20 ms of its tone.
    fn frame(&mut self) -> Vec<u8> {
        let mut ulaw = Vec::new();
        self.tone.fill(160, &mut ulaw);
        let mut sound = Vec::new();
        crate::codec::convert(Codec::Pcmu, self.codec, &ulaw, &mut sound);
        let bytes = self.bytes(self.codec.payload_type(), self.timestamp, false, &sound);
        self.timestamp = self.timestamp.wrapping_add(160);
        bytes
    }

    fn bytes(&mut self, kind: u8, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        rtp::write_header(marker, kind, self.sequence, timestamp, self.ssrc, &mut bytes);
        bytes.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        bytes
    }

    /// The packets of a key press of 100 ms.
    fn press(&mut self, event: u8) -> Vec<Vec<u8>> {
        let start = self.timestamp;
        self.timestamp = self.timestamp.wrapping_add(960);
        (1..=8u16)
            .map(|n| {
                let [high, low] = (n.min(5) * 160).to_be_bytes();
                let end = if n > 5 { 0x80 } else { 0 };
                self.bytes(101, start, n == 1, &[event, end | 10, high, low])
            })
            .collect()
    }
}

fn tone(hz: u16, hz2: u16, samples: usize) -> Vec<u8> {
    let mut sound = Vec::new();
    Tone::new(hz, hz2).fill(samples, &mut sound);
    sound
}

fn prompt(name: &str) -> Sound {
    Sound::Prompt { language: Language::En, name: name.to_owned() }
}

fn record(id: u64, left: u64, right: Option<u64>) -> MediaCommand {
    MediaCommand::Record {
        recording: RecordingId(id),
        left: SessionId(left),
        right: right.map(SessionId),
        path: format!("rec/{id}.wav"),
        max_s: 3600,
        silence_ms: 0,
        until_digit: false,
    }
}
