//! Mouth and ear of a call: sends 20 ms of its voice (or silence, or a key as RFC 4733 events) and notes what it hears as
//! prompts, voices and music. Parts of [`super::UaCall`].
use super::{State, UaCall};
use crate::sound::{self, Heard};
use crate::wire::Datagram;
use media::rtp;
use model::clock::Mono;
use model::media::Digit;
use sip::sdp::Sdp;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Time between two packets.
const FRAME: Duration = Duration::from_millis(20);

/// Packets of one key: 100 ms, of which the last is sent three times; then as long a pause.
const KEY_PACKETS: u16 = 5;

/// What was heard, in order; the same sound again is noted again only after a break.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    /// From when to when.
    pub heard: Vec<(Mono, Mono, Heard)>,
    /// Packets.
    pub packets: u64,
}

impl Ear {
    fn note(&mut self, now: Mono, what: Heard) {
        self.packets += 1;
        match self.heard.last_mut() {
            Some((_, last, same)) if *same == what && now.since(*last) < Duration::from_millis(250) => {
                *last = now
            }
            Some(_) | None => self.heard.push((now, now, what)),
        }
    }

    /// Whether it heard this prompt.
    #[must_use]
    pub fn prompt(&self, name: &str) -> bool {
        self.heard.iter().any(|(_, _, h)| matches!(h, Heard::Prompt(n) if n == name))
    }

    /// How long it heard this in all.
    #[must_use]
    pub fn long(&self, what: &Heard) -> Duration {
        self.heard.iter().filter(|(_, _, h)| h == what).map(|(from, to, _)| to.since(*from)).sum()
    }

    /// What it hears at the moment: the last sound, if it is not older than 200 ms.
    #[must_use]
    pub fn now(&self, now: Mono) -> Option<&Heard> {
        self.heard.last().filter(|(_, to, _)| now.since(*to) < Duration::from_millis(200)).map(|(_, _, h)| h)
    }

    /// Prompts in order.
    #[must_use]
    pub fn prompts(&self) -> Vec<&str> {
        let name = |h: &'_ Heard| match h {
            Heard::Prompt(_) => true,
            Heard::Music | Heard::Silence | Heard::Sound | Heard::Voice(_) => false,
        };
        self.heard
            .iter()
            .filter(|(_, _, h)| name(h))
            .filter_map(|(_, _, h)| if let Heard::Prompt(n) = h { Some(n.as_str()) } else { None })
            .collect()
    }
}

/// The sending side.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    number: u16,
    /// Where we receive.
    pub(super) port: u16,
    /// Where we send.
    pub(super) to: Option<SocketAddr>,
    /// Payload type of keys.
    pub(super) event_type: Option<u8>,
    /// The caller's offer, until we answer.
    pub(super) offer: Option<Sdp>,
    next: Option<Mono>,
    sequence: u16,
    timestamp: u32,
    /// The key that sounds, and how many packets of it are sent; above the last it is the pause after it.
    key: Option<(Digit, u16)>,
}

impl Voice {
    pub(super) fn new(number: u16, port: u16) -> Voice {
        Voice {
            number,
            port,
            to: None,
            event_type: None,
            offer: None,
            next: None,
            sequence: number,
            timestamp: u32::from(number) << 8,
            key: None,
        }
    }

    /// Speaks from now on.
    pub(super) fn begin(&mut self, now: Mono) {
        self.next = Some(now + FRAME);
    }

    fn packet(&mut self, ip: IpAddr, payload_type: u8, timestamp: u32, payload: &[u8]) -> Option<Datagram> {
        let to = self.to?;
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(rtp::HEADER + payload.len());
        let ssrc = 0x5157_0000 | u32::from(self.port);
        rtp::write_header(false, payload_type, self.sequence, timestamp, ssrc, &mut bytes);
        bytes.extend_from_slice(payload);
        Some(Datagram { from: SocketAddr::new(ip, self.port), to, bytes })
    }

    fn key_packets(&mut self, ip: IpAddr, key: Digit, sent: u16, out: &mut Vec<Datagram>) {
        let Some(event_type) = self.event_type else { return };
        let start = self.timestamp.wrapping_sub(u32::from(sent) * 160);
        let end = sent + 1 == KEY_PACKETS;
        let duration = (sent + 1) * 160;
        let flags = if end { 0x8a } else { 0x0a };
        let [high, low] = duration.to_be_bytes();
        for _ in 0..if end { 3 } else { 1 } {
            out.extend(self.packet(ip, event_type, start, &[key.event(), flags, high, low]));
        }
    }
}

/// The next frame of a sound; nothing after its end.
fn next_of(said: &[u8], place: &mut usize) -> [u8; media::limits::FRAME] {
    let mut frame = sound::silence();
    for (to, from) in frame.iter_mut().zip(said.get(*place..).unwrap_or_default()) {
        *to = *from;
    }
    *place += frame.len();
    frame
}

impl UaCall {
    /// When it sends next.
    pub(super) fn next_frame(&self) -> Option<Mono> {
        self.voice.next.filter(|_| self.state == State::Up)
    }

    /// Sends what is due.
    pub(super) fn speak(&mut self, now: Mono, ip: IpAddr, out: &mut Vec<Datagram>) {
        let Some(at) = self.next_frame().filter(|at| *at <= now) else { return };
        // Who was mute for a while does not catch up on what was not said.
        self.voice.next = Some(if at + FRAME * 10 < now { now + FRAME } else { at + FRAME });
        self.voice.timestamp = self.voice.timestamp.wrapping_add(160);
        if self.voice.key.is_none() {
            self.voice.key = self.keys.pop_front().map(|key| (key, 0));
        }
        match self.voice.key {
            Some((key, sent)) if sent < KEY_PACKETS => {
                self.voice.key_packets(ip, key, sent, out);
                self.voice.key = Some((key, sent + 1));
            }
            other => {
                self.voice.key = other.filter(|(_, n)| *n < 2 * KEY_PACKETS).map(|(key, n)| (key, n + 1));
                let speaks = self.speaking && self.voice.key.is_none();
                let payload = match &mut self.says {
                    Some((said, place)) => next_of(said, place),
                    None if speaks => sound::voice(self.voice.number),
                    None => sound::silence(),
                };
                let timestamp = self.voice.timestamp;
                out.extend(self.voice.packet(ip, 0, timestamp, &payload));
            }
        }
    }

    /// Hears a packet.
    pub(super) fn hear(&mut self, now: Mono, bytes: &[u8]) {
        if let Some(packet) = rtp::parse(bytes).filter(|p| p.payload_type == 0) {
            self.ear.note(now, sound::recognise(packet.payload));
        }
    }
}
