//! One end of RTP: a port, a peer, and what is played, heard, recorded and paged there. Owns the state of one session and
//! the rules that need nobody else; what concerns two sessions is in `core`.
use crate::codec;
use crate::core::listening::Listener;
use crate::digits::{DigitSender, EventReader, InbandDetector, KeyFrame};
use crate::limits::{FRAME, RTCP_INTERVAL, SILENT_STEP};
use crate::mix::{Feed, Mix};
use crate::out::MediaOut;
use crate::player::{Music, Player};
use crate::port::{Learning, Place, Reception};
use crate::rtcp::{self, Block, Sent};
use crate::rtp::{self, Rtp};
use crate::sender::{Numbers, Sender};
use crate::speech::Ear;
use model::clock::{Mono, Now};
use model::id::SessionId;
use model::media::{Codec, MediaStats, PlayEnd, Remote};
use std::net::SocketAddr;

/// A recording this session feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tap {
    pub recorder: usize,
    pub channel: u8,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub id: SessionId,
    /// Which session of its core it is, counted from the first: slots and ids are given again, this is not.
    pub nth: u64,
    pub port: u16,
    /// Belongs to an earlier control process: nobody is told anything.
    pub orphan: bool,
    pub remote: Option<Remote>,
    pub learning: Option<Learning>,
    pub reception: Reception,
    /// Grows with each new stream of the peer.
    pub generation: u32,
    pub sender: Sender,
    pub joined: Option<usize>,
    pub echo: bool,
    /// What the peer hears instead of its join.
    pub mix: Option<Mix>,
    /// What the peer says, while a mix has it.
    pub feed: Option<Box<Feed>>,
    /// What the peer says goes nowhere.
    pub muted: bool,
    pub player: Option<Box<Player>>,
    pub events: EventReader,
    pub inband: Option<Box<InbandDetector>>,
    /// Finds out who answered.
    pub listener: Option<Box<Listener>>,
    /// Hears what the peer says, for a recogniser.
    pub ear: Option<Box<Ear>>,
    pub keys: Option<Box<DigitSender>>,
    pub taps: Vec<Tap>,
    pub page: Option<String>,
    pub foreign: u32,
    pub malformed: u32,
    /// Since when it is in use (played, joined, recorded): before, silence is normal and none is sent.
    pub active: Option<Mono>,
    /// When the peer was last heard, or its silence last excused.
    heard: Mono,
    /// When its last packet came, or since when it is an orphan.
    pub last_packet: Mono,
    silent_steps: u32,
    reports: Reports,
}

/// A packet to be passed on to a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relayed<'a> {
    /// Which session it came to ([`Session::nth`]), and which stream of its peer.
    pub from: u64,
    pub generation: u32,
    pub place: Place,
    pub packet: Rtp<'a>,
    /// Law of the sound; `None` for an event.
    pub law: Option<Codec>,
}

/// RTCP of one session.
#[derive(Debug)]
struct Reports {
    next: Mono,
    source: Option<SocketAddr>,
    last_report: Option<(u32, Mono)>,
    before: (u32, u32),
}

impl Session {
    pub fn new(now: Mono, id: SessionId, nth: u64, port: u16, random: [u32; 3]) -> Session {
        let [ssrc, sequence, timestamp] = random;
        let sequence = u16::try_from(sequence & 0x7FFF).unwrap_or(0);
        Session {
            id,
            nth,
            port,
            orphan: false,
            remote: None,
            learning: None,
            reception: Reception::default(),
            generation: 0,
            sender: Sender::new(ssrc, sequence, timestamp),
            joined: None,
            echo: false,
            mix: None,
            feed: None,
            muted: false,
            player: None,
            events: EventReader::default(),
            inband: None,
            listener: None,
            ear: None,
            keys: None,
            taps: Vec::new(),
            page: None,
            foreign: 0,
            malformed: 0,
            active: None,
            heard: now,
            last_packet: now,
            silent_steps: 0,
            reports: Reports { next: now + RTCP_INTERVAL, source: None, last_report: None, before: (0, 0) },
        }
    }

    /// Sets or changes the other end. A new address begins a new learning.
    pub fn set_remote(&mut self, now: Mono, remote: Remote) {
        let same = self.learning.as_ref().is_some_and(|l| l.signalled() == remote.address);
        if !same {
            self.learning = Some(Learning::new(&remote));
            self.reports.source = None;
        } else if let Some(learning) = &mut self.learning {
            learning.excuse_silence(now);
        }
        self.inband = match (remote.event_type, self.inband.take()) {
            (None, None) => Some(Box::default()),
            (None, Some(running)) => Some(running),
            (Some(_), _) => None,
        };
        self.heard = now;
        self.silent_steps = 0;
        self.remote = Some(remote);
    }

    pub fn activate(&mut self, now: Mono) {
        if self.active.is_none() {
            self.active = Some(now);
            self.heard = self.heard.max(now);
        }
    }

    /// Its control process is gone; from now on its silence is counted.
    pub fn make_orphan(&mut self, now: Mono) {
        self.orphan = true;
        self.last_packet = self.last_packet.max(now);
    }

    /// Notes a packet of the believed source.
    pub fn note(&mut self, now: Mono, packet: &Rtp<'_>) -> Place {
        let place = self.reception.note(packet.ssrc, packet.sequence);
        if place.fresh {
            self.generation = self.generation.wrapping_add(1);
        }
        self.heard = now;
        self.last_packet = now;
        self.silent_steps = 0;
        place
    }

    /// Where to send and in which law, when sending is allowed at all.
    pub fn outlet(&self) -> Option<(SocketAddr, Codec)> {
        let remote = self.remote.as_ref().filter(|r| r.send)?;
        let to = self.learning.as_ref()?.destination();
        sendable(to).then_some((to, remote.codec))
    }

    /// Whether relayed sound is heard now: not while something is played or mixed or keys are sent.
    pub fn hears_others(&self) -> bool {
        self.player.is_none() && self.keys.is_none() && self.mix.is_none()
    }

    /// Passes on a packet of another session's peer.
    pub fn relay(&mut self, now: Mono, relayed: &Relayed<'_>, out: &mut MediaOut) {
        let Relayed { from, generation, place, ref packet, law } = *relayed;
        let Some((to, codec)) = self.outlet() else { return };
        let event_type = self.remote.as_ref().and_then(|r| r.event_type);
        let kind = match law {
            Some(_) => codec.payload_type(),
            None => match event_type {
                Some(kind) => kind,
                None => return,
            },
        };
        let Some(numbers) = self.sender.relay(now, from, generation, place, packet.timestamp, packet.marker)
        else {
            return;
        };
        self.emit(to, kind, numbers, packet.payload.len(), out, |b| match law {
            Some(law) => codec::convert(law, codec, packet.payload, b),
            None => b.extend_from_slice(packet.payload),
        });
    }

    /// What is due each 20 ms when nothing is relayed: keys, the play, the mix, or silence that keeps NAT and carriers
    /// awake. `spoken`: packets of somebody else come through now. Gives the end of a play.
    pub fn frame(
        &mut self,
        now: Mono,
        music: &Music,
        mixed: Option<[u8; FRAME]>,
        spoken: bool,
        out: &mut MediaOut,
    ) -> Option<PlayEnd> {
        let mut frame = mixed.unwrap_or([codec::SILENCE; FRAME]);
        // A play goes on while keys are sent or the peer is on hold: its length is what the list says.
        let ended = self.player.as_mut().is_some_and(|p| p.frame(now, music, &mut frame));
        let playing = self.player.is_some();
        let own = playing || mixed.is_some() || (self.active.is_some() && !spoken);
        if !self.key_frame(now, out) && own {
            self.own_frame(now, &frame, out);
        }
        ended.then_some(PlayEnd::Finished)
    }

    /// Sends the frame's share of keys; false when there are none.
    fn key_frame(&mut self, now: Mono, out: &mut MediaOut) -> bool {
        let event_type = self.remote.as_ref().and_then(|r| r.event_type);
        let Some(mut keys) = self.keys.take() else { return false };
        match keys.frame(event_type.is_some()) {
            None => return false,
            Some(KeyFrame::Quiet) => {}
            Some(KeyFrame::Sound(tone)) => {
                let mut frame = [codec::SILENCE; FRAME];
                frame.iter_mut().for_each(|s| *s = tone.sample());
                self.own_frame(now, &frame, out);
            }
            Some(KeyFrame::Event { first, payload }) => {
                if first {
                    keys.timestamp = self.sender.clock(now);
                }
                if let (Some((to, _)), Some(kind)) = (self.outlet(), event_type) {
                    let numbers = self.sender.event(now, keys.timestamp, first);
                    self.emit(to, kind, numbers, payload.len(), out, |b| b.extend_from_slice(&payload));
                }
            }
        }
        self.keys = Some(keys);
        true
    }

    fn own_frame(&mut self, now: Mono, ulaw: &[u8; FRAME], out: &mut MediaOut) {
        let Some((to, codec)) = self.outlet() else { return };
        let numbers = self.sender.own(now);
        self.emit(to, codec.payload_type(), numbers, FRAME, out, |b| {
            codec::convert(Codec::Pcmu, codec, ulaw, b);
        });
    }

    fn emit(
        &mut self,
        to: SocketAddr,
        kind: u8,
        numbers: Numbers,
        length: usize,
        out: &mut MediaOut,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        let ssrc = self.sender.ssrc;
        out.datagram(self.port, false, to, |b| {
            rtp::write_header(numbers.marker, kind, numbers.sequence, numbers.timestamp, ssrc, b);
            payload(b);
        });
        self.sender.count(length);
    }

    /// Seconds of silence to report now, if a further step of it is over.
    pub fn silence_due(&mut self, now: Mono) -> Option<u16> {
        let expected = self.active.is_some() && self.remote.as_ref().is_some_and(|r| r.receive);
        if !expected {
            self.heard = self.heard.max(now);
            return None;
        }
        if now - self.heard < SILENT_STEP * (self.silent_steps + 1) {
            return None;
        }
        self.silent_steps += 1;
        let seconds = SILENT_STEP.as_secs() * u64::from(self.silent_steps);
        Some(u16::try_from(seconds).unwrap_or(u16::MAX))
    }

    /// Reads a report of the peer. Only its address counts, its port may be any (NAT), learned once.
    pub fn take_report(&mut self, now: Mono, source: SocketAddr, bytes: &[u8]) {
        let Some(learning) = &self.learning else { return };
        let known =
            source.ip() == learning.destination().ip() && self.reports.source.is_none_or(|s| s == source);
        let Some(heard) = rtcp::parse(bytes, self.sender.ssrc).filter(|_| known) else {
            self.foreign = self.foreign.saturating_add(1);
            return;
        };
        self.reports.source = Some(source);
        if let Some(report) = heard.sender_report {
            self.reports.last_report = Some((report, now));
        }
    }

    /// Sends our report when it is time.
    pub fn report(&mut self, now: Now, cname: &str, out: &mut MediaOut) {
        if now.mono >= self.reports.next {
            self.reports.next = now.mono + RTCP_INTERVAL;
            self.send_report(now, cname, false, out);
        }
    }

    /// Says goodbye to a peer that we ever sent to or heard.
    pub fn farewell(&mut self, now: Now, cname: &str, out: &mut MediaOut) {
        self.send_report(now, cname, true, out);
    }

    fn send_report(&mut self, now: Now, cname: &str, bye: bool, out: &mut MediaOut) {
        let Some(to) = self.report_to() else { return };
        let block = self.block(now.mono);
        let recent = self.sender.last_sent().is_some_and(|at| now.mono - at < RTCP_INTERVAL * 2);
        let sent = self.sender.report_clock(now.mono).filter(|_| recent).map(|timestamp| Sent {
            timestamp,
            packets: self.sender.packets,
            octets: self.sender.octets,
        });
        if block.is_none() && sent.is_none() {
            return;
        }
        let ssrc = self.sender.ssrc;
        out.datagram(self.port, true, to, |b| {
            rtcp::write(now, ssrc, sent, block, cname, b);
            if bye {
                rtcp::write_bye(ssrc, b);
            }
        });
    }

    fn report_to(&self) -> Option<SocketAddr> {
        let learning = self.learning.as_ref()?;
        let signalled = learning.signalled();
        // Behind NAT the port beside the media port is a guess that only reaches strangers.
        let beside = learning.believed().is_none_or(|b| b == signalled);
        let guess = || {
            let port = signalled.port().checked_add(1).filter(|_| beside)?;
            Some(SocketAddr::new(signalled.ip(), port))
        };
        self.reports.source.or_else(guess).filter(|to| sendable(*to))
    }

    fn block(&mut self, now: Mono) -> Option<Block> {
        let ssrc = self.reception.ssrc()?;
        let (expected, received) = self.reception.here();
        let (expected_before, received_before) = self.reports.before;
        let new = expected.saturating_sub(expected_before);
        let lost = new.saturating_sub(received.saturating_sub(received_before));
        self.reports.before = (expected, received);
        let fraction = (lost * 256).checked_div(new).unwrap_or(0);
        let (last_report, delay) =
            self.reports.last_report.map_or((0, 0), |(report, at)| (report, rtcp::short_span(at, now)));
        Some(Block {
            ssrc,
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: expected.saturating_sub(received),
            highest: self.reception.highest(),
            jitter: self.reception.jitter(),
            last_report,
            delay,
        })
    }

    pub fn stats(&self) -> MediaStats {
        MediaStats {
            received: self.reception.received(),
            sent: self.sender.packets,
            lost: self.reception.lost(),
            foreign: self.foreign,
            jitter_us: self.reception.jitter().saturating_mul(125),
        }
    }
}

/// Whether media may be sent to an address at all: one host, with a port.
fn sendable(to: SocketAddr) -> bool {
    let broadcast = matches!(to, SocketAddr::V4(v4) if v4.ip().is_broadcast());
    to.port() != 0 && !to.ip().is_unspecified() && !to.ip().is_multicast() && !broadcast
}
