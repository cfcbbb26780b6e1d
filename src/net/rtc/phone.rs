//! One browser phone in the media role: its local RTP port, its browser (which may be another one after a reload), and
//! what goes between the two. Says what is to be sent; the room sends it.
use super::bridge::{Numbering, Numbers};
use super::keys::Keys;
use super::session::{CoreSound, Gives, Packet, Session};
use media::codec;
use media::rtp;
use model::media::Codec;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Time of a packet.
const FRAME: Duration = Duration::from_millis(20);
/// Longest payload taken from the core or a browser: 120 ms of G.711.
const PAYLOAD_MAX: usize = 960;

/// The RTP peer of a phone: the engine's session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub remote: SocketAddr,
    pub codec: Codec,
    pub event_type: Option<u8>,
}

/// A browser phone.
pub(super) struct Phone {
    pub local: UdpSocket,
    pub session: Option<Session>,
    peer: Option<Peer>,
    keys: Keys,
    key_due: Option<Instant>,
    numbers: Numbering,
    ssrc: u32,
    sound: Vec<u8>,
    packet: Vec<u8>,
}

impl Phone {
    /// A phone without browser. `random`: start of its numbers.
    pub fn new(local: UdpSocket, random: [u8; 12]) -> Phone {
        let [a, b, c, d, e, f, g, h, i, j, ..] = random;
        Phone {
            local,
            session: None,
            peer: None,
            keys: Keys::default(),
            key_due: None,
            numbers: Numbering::new(u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
            ssrc: u32::from_be_bytes([g, h, i, j]),
            sound: Vec::new(),
            packet: Vec::new(),
        }
    }

    /// The call's other end, or none.
    pub fn join(&mut self, peer: Option<Peer>) {
        if peer.is_none() {
            (self.keys, self.key_due) = (Keys::default(), None);
        }
        self.peer = peer;
    }

    /// Puts a key in line.
    pub fn key(&mut self, now: Instant, key: model::media::Digit) {
        if self.peer.is_some_and(|p| p.event_type.is_some()) {
            self.keys.push(key);
            self.key_due = self.key_due.or(Some(now));
        }
    }

    /// When `turn` is next needed.
    pub fn due(&self) -> Option<Instant> {
        [self.session.as_ref().map(Session::due), self.key_due].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn turn(&mut self, now: Instant, out: &mut Vec<Gives>) {
        if let Some(session) = &mut self.session {
            session.turn(now, out);
        }
        // After a long stall the rest of a press is sent at once rather than drawn out.
        for _ in 0..8 {
            let Some(due) = self.key_due.filter(|due| *due <= now) else { break };
            self.key_due = Some(due + FRAME);
            self.send_key();
            if self.keys.is_idle() {
                self.key_due = None;
            }
        }
    }

    fn send_key(&mut self) {
        let Some((peer, event_type)) = self.peer.and_then(|p| Some((p, p.event_type?))) else { return };
        if let Some(event) = self.keys.turn() {
            let numbers = self.numbers.event(event.first);
            self.write(peer.remote, numbers, event_type, &event.payload);
        }
    }

    /// Passes a packet of the browser's microphone on.
    pub fn heard(&mut self, packet: &Packet) {
        let (Some(peer), Some(session)) = (self.peer, &mut self.session) else { return };
        if packet.payload.len() > PAYLOAD_MAX {
            return;
        }
        if self.keys.is_sending() {
            return self.numbers.skip();
        }
        let mut sound = std::mem::take(&mut self.sound);
        sound.clear();
        let time = session.translate(packet, peer.codec, &mut sound);
        // What the browser's codec makes nothing of is a packet lost.
        if !sound.is_empty() {
            let numbers = self.numbers.pass(packet.ssrc, packet.sequence, time, packet.marker);
            self.write(peer.remote, numbers, peer.codec.payload_type(), &sound);
        }
        self.sound = sound;
    }

    /// Passes what came to the local port on to the browser.
    pub fn told(&mut self, now: Instant, source: SocketAddr, bytes: &[u8], out: &mut Vec<Gives>) {
        let Some(peer) = self.peer.filter(|p| p.remote.port() == source.port()) else { return };
        let (Some(packet), Some(session)) = (rtp::parse(bytes), &mut self.session) else { return };
        let Some(law) = codec::law_of(packet.payload_type) else { return };
        if packet.payload.len() > PAYLOAD_MAX || peer.remote.ip() != source.ip() {
            return;
        }
        let (marker, timestamp, payload) = (packet.marker, packet.timestamp, packet.payload);
        session.send(now, &CoreSound { marker, timestamp, law, payload }, out);
    }

    fn write(&mut self, to: SocketAddr, numbers: Numbers, payload_type: u8, payload: &[u8]) {
        let Numbers { marker, sequence, timestamp } = numbers;
        self.packet.clear();
        rtp::write_header(marker, payload_type, sequence, timestamp, self.ssrc, &mut self.packet);
        self.packet.extend_from_slice(payload);
        // Sound that the kernel does not take now is too late later.
        let _ = self.local.send_to(&self.packet, to);
    }
}
