//! One browser: its ICE, DTLS and SRTP, as `str0m` keeps them, and what it said it can speak. Owns no socket: datagrams
//! and time come in, datagrams and sound come out.
use super::speech::{ForBrowser, Speech, Transcoder};
use model::browser_phone::OFFER_MAX;
use model::media::Codec;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::SdpOffer;
use str0m::media::{Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

/// Lines of `m=` in an offer: a page of ours has one.
const LINES_MAX: usize = 2;
/// Lines of candidates we give: one an interface; more would only make the browser try longer.
const CANDIDATES_MAX: usize = 8;

/// What a browser gives.
pub(super) enum Gives {
    /// A datagram to send.
    Datagram(SocketAddr, Vec<u8>),
    /// Sound can flow, or no longer.
    Sound(bool),
    /// A packet of its microphone.
    Packet(Packet),
}

/// A packet of sound.
pub(super) struct Packet {
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: std::sync::Arc<[u8]>,
}

/// A packet of the core.
pub(super) struct CoreSound<'a> {
    pub marker: bool,
    pub timestamp: u32,
    pub law: Codec,
    pub payload: &'a [u8],
}

/// A browser.
pub(super) struct Session {
    rtc: Rtc,
    mid: Option<Mid>,
    voice: Voice,
    transcoder: Transcoder,
    /// The address browsers are told first; what comes in is taken as sent to it.
    base: SocketAddr,
    due: Instant,
    sequence: u64,
    sound: bool,
}

/// What the browser and we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Voice {
    codec: Speech,
    payload_type: u8,
}

impl Session {
    /// Answers an offer. `addresses`: where browsers may reach us, best first, not empty.
    ///
    /// # Errors
    /// A sentence for the log: the offer cannot be read, or has no sound that we speak.
    pub fn answer(offer: &str, addresses: &[SocketAddr], now: Instant) -> Result<(Session, String), String> {
        let lines = offer.lines().filter(|l| l.starts_with("m=")).count();
        if offer.len() > OFFER_MAX || lines == 0 || lines > LINES_MAX {
            return Err(format!("an offer of {} octets and {lines} media lines", offer.len()));
        }
        let base = *addresses.first().ok_or("no address to give")?;
        let offer = SdpOffer::from_sdp_string(offer).map_err(|e| e.to_string())?;
        let config = RtcConfig::new()
            .set_crypto_provider(std::sync::Arc::new(str0m::crypto::from_feature_flags()))
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_g722(true, false)
            .enable_pcmu(true, false)
            .enable_pcma(true, false);
        let mut rtc = config.build(now);
        let candidate = Candidate::host(base, "udp").map_err(|e| e.to_string())?;
        rtc.add_local_candidate(candidate);
        let answer = rtc.sdp_api().accept_offer(offer).map_err(|e| e.to_string())?.to_sdp_string();
        let voice = voice(&answer).ok_or("no sound coding in common")?;
        let transcoder = Transcoder::new(voice.codec).ok_or("no memory for a codec")?;
        let session =
            Session { rtc, mid: None, voice, transcoder, base, due: now, sequence: 1, sound: false };
        Ok((session, with_candidates(&answer, addresses)))
    }

    /// A packet of the browser in the core's law, appended; its time in the core's steps.
    pub fn translate(&mut self, packet: &Packet, law: Codec, into: &mut Vec<u8>) -> u32 {
        self.transcoder.for_core(packet.timestamp, &packet.payload, law, into)
    }

    /// When `turn` is next needed.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Takes a datagram if it is meant for this browser.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, bytes: &[u8], out: &mut Vec<Gives>) -> bool {
        let Ok(received) = Receive::new(Protocol::Udp, source, self.base, bytes) else { return false };
        let input = Input::Receive(now, received);
        if !self.rtc.accepts(&input) {
            return false;
        }
        if let Err(why) = self.rtc.handle_input(input) {
            tracing::debug!(%why, "a datagram of a browser is of no use");
        }
        self.drain(out);
        true
    }

    /// Does what is due.
    pub fn turn(&mut self, now: Instant, out: &mut Vec<Gives>) {
        if self.due <= now {
            if let Err(why) = self.rtc.handle_input(Input::Timeout(now)) {
                tracing::debug!(%why, "a browser session ended");
                self.rtc.disconnect();
            }
            self.drain(out);
        }
    }

    /// Sends a packet of the core to the browser, in what it speaks.
    pub fn send(&mut self, now: Instant, sound: &CoreSound<'_>, out: &mut Vec<Gives>) {
        let Some(mid) = self.mid.filter(|_| self.sound) else { return };
        let packets = self.transcoder.for_browser(sound.timestamp, sound.law, sound.payload);
        for ForBrowser { timestamp, payload } in packets {
            let mut direct = self.rtc.direct_api();
            let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
            let (pt, number) = (Pt::from(self.voice.payload_type), self.sequence.into());
            stream.write_rtp(RtpWrite::new(pt, number, timestamp, now, payload).marker(sound.marker));
            self.sequence += 1;
            // One change, then everything that follows from it: so the library wants it.
            if self.rtc.handle_input(Input::Timeout(now)).is_ok() {
                self.drain(out);
            }
        }
    }

    fn drain(&mut self, out: &mut Vec<Gives>) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.due = due;
                    return;
                }
                Ok(Output::Transmit(t)) => out.push(Gives::Datagram(t.destination, t.contents.to_vec())),
                Ok(Output::Event(event)) => self.happened(event, out),
                Err(why) => {
                    tracing::debug!(%why, "a browser session ended");
                    self.rtc.disconnect();
                    self.flows(false, out);
                    self.due = Instant::now() + Duration::from_secs(3600);
                    return;
                }
            }
        }
    }

    fn happened(&mut self, event: Event, out: &mut Vec<Gives>) {
        if let Event::RtpPacket(packet) = event {
            if *packet.header.payload_type == self.voice.payload_type {
                out.push(Gives::Packet(Packet {
                    marker: packet.header.marker,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    ssrc: *packet.header.ssrc,
                    payload: packet.payload,
                }));
            }
        } else if let Event::MediaAdded(added) = event {
            self.mid = self.mid.or(Some(added.mid));
        } else if let Event::Connected = event {
            self.flows(true, out);
        } else if let Event::IceConnectionStateChange(state) = event {
            match state {
                IceConnectionState::Disconnected => self.flows(false, out),
                IceConnectionState::Connected | IceConnectionState::Completed if self.rtc.is_connected() => {
                    self.flows(true, out);
                }
                IceConnectionState::New
                | IceConnectionState::Checking
                | IceConnectionState::Connected
                | IceConnectionState::Completed => {}
            }
        } else if let Event::Closed = event {
            self.flows(false, out);
        }
    }

    fn flows(&mut self, flows: bool, out: &mut Vec<Gives>) {
        if self.sound != flows {
            self.sound = flows;
            out.push(Gives::Sound(flows));
        }
    }
}

/// The coding of the answer's sound line: the first that we know.
fn voice(answer: &str) -> Option<Voice> {
    let line = answer.lines().find(|l| l.starts_with("m=audio ") && !l.starts_with("m=audio 0 "))?;
    line.split_ascii_whitespace().skip(3).find_map(|format| {
        let payload_type = format.parse().ok()?;
        let name = answer.lines().find_map(|l| l.strip_prefix(&format!("a=rtpmap:{format} ")))?;
        let codec = Speech::read(name)?;
        Some(Voice { codec, payload_type })
    })
}

/// The answer with one candidate for each address; str0m wrote the first.
fn with_candidates(answer: &str, addresses: &[SocketAddr]) -> String {
    let mut text = String::with_capacity(answer.len() + 512);
    for line in answer.split_inclusive('\n') {
        text.push_str(line);
        if line.starts_with("a=candidate:") {
            for (place, address) in (2u32..).zip(addresses.iter().take(CANDIDATES_MAX).skip(1)) {
                let (ip, port) = (address.ip(), address.port());
                // A host's preference (126), one lower for each further address (RFC 8445 section 5.1.2.1).
                let priority = (126u32 << 24) | ((65_535 - place) << 8) | 255;
                text.push_str(&format!("a=candidate:{place} 1 udp {priority} {ip} {port} typ host\r\n"));
            }
        }
    }
    text
}
