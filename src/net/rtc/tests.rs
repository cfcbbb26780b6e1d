//! The thread as it is, on sockets of loopback: a WebRTC agent stands for the browser, a plain UDP socket for the media core.
use super::{PHONES_MAX, RtcConfig, start};
use crate::frame::{FrameReader, encode};
use media::rtp;
use model::browser_phone::{RtcCommand, RtcEvent};
use model::media::Codec;
use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig as AgentConfig};

/// Far beyond what anything here takes, on any machine.
const LONG: Duration = Duration::from_secs(60);

struct Sessions {
    stop: Arc<AtomicBool>,
    control: Control,
    _folder: tempfile::TempDir,
}

struct Control {
    stream: UnixStream,
    reader: FrameReader,
}

impl Control {
    fn connect(path: &std::path::Path) -> Control {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Control { stream, reader: FrameReader::default() }
    }

    fn say(&mut self, command: &RtcCommand) {
        self.stream.write_all(&encode(command).unwrap()).unwrap();
    }

    fn next(&mut self) -> RtcEvent {
        let mut bytes = [0; 4096];
        loop {
            if let Some(event) = self.reader.word().unwrap() {
                return event;
            }
            let count = self.stream.read(&mut bytes).unwrap();
            assert!(count > 0, "the sessions hung up");
            self.reader.push(&bytes[..count]);
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn sessions() -> Sessions {
    let folder = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let path = folder.path().join("rtc.sock");
    start(RtcConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        socket: path.clone(),
        addresses: Box::new(Vec::new),
        beat: Arc::default(),
        stop: stop.clone(),
    })
    .unwrap();
    let mut control = Control::connect(&path);
    control.say(&RtcCommand::Hello);
    Sessions { stop, control, _folder: folder }
}

/// A browser.
struct Browser {
    rtc: Rtc,
    socket: UdpSocket,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    connected: bool,
    heard: Vec<Vec<u8>>,
    sequence: u64,
    payload_type: u8,
}

impl Browser {
    fn new() -> (Browser, String) {
        Browser::that_speaks(0, |config| config.enable_pcmu(true, false))
    }

    fn that_speaks(payload_type: u8, codecs: impl FnOnce(AgentConfig) -> AgentConfig) -> (Browser, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let config = AgentConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs();
        let mut rtc = codecs(config).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let browser = Browser {
            rtc,
            socket,
            mid,
            pending: Some(pending),
            connected: false,
            heard: Vec::new(),
            sequence: 1,
            payload_type,
        };
        (browser, offer.to_sdp_string())
    }

    fn accept(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
    }

    /// Sends what is due and takes what has come.
    fn turn(&mut self) {
        self.drain();
        let mut bytes = [0; 2048];
        if let Ok((count, source)) = self.socket.recv_from(&mut bytes) {
            let own = self.socket.local_addr().unwrap();
            let received = Receive::new(Protocol::Udp, source, own, &bytes[..count]).unwrap();
            self.rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
            self.drain();
        }
        self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(t) => drop(self.socket.send_to(&t.contents, t.destination)),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(packet.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }

    fn speak(&mut self, byte: u8) {
        let (sequence, time) = (self.sequence, u32::try_from(self.sequence).unwrap() * 160);
        self.sequence += 1;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(self.mid, None).unwrap();
        let (pt, sound) = (self.payload_type.into(), vec![byte; 160]);
        stream.write_rtp(RtpWrite::new(pt, sequence.into(), time, Instant::now(), sound));
        self.drain();
    }
}

/// Opens phone 1 and waits until sound can flow.
fn connected(sessions: &mut Sessions) -> (Browser, SocketAddr) {
    connect(sessions, Browser::new())
}

fn connect(sessions: &mut Sessions, (mut browser, offer): (Browser, String)) -> (Browser, SocketAddr) {
    sessions.control.say(&RtcCommand::Open { phone: 1, offer });
    let RtcEvent::Opened { phone: 1, answer, rtp } = sessions.control.next() else { panic!("opened") };
    assert!(answer.contains("a=ice-lite") && answer.contains("a=fingerprint:sha-256"), "{answer}");
    browser.accept(&answer);
    until(|| {
        browser.turn();
        browser.connected
    });
    assert_eq!(sessions.control.next(), RtcEvent::Sound { phone: 1, flows: true });
    (browser, rtp)
}

fn until(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONG, "it does not come");
    }
}

fn core(sessions: &mut Sessions, codec: Codec) -> UdpSocket {
    let core = UdpSocket::bind("127.0.0.1:0").unwrap();
    core.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let remote = core.local_addr().unwrap();
    sessions.control.say(&RtcCommand::Join { phone: 1, remote, codec, event_type: Some(101) });
    core
}

#[test]
fn sound_goes_both_ways_in_the_cores_law_and_keys_become_events() {
    let mut sessions = sessions();
    let (mut browser, rtp) = connected(&mut sessions);
    let core = core(&mut sessions, Codec::Pcma);
    let mut bytes = [0; 2048];
    let mut first = None;
    until(|| {
        browser.speak(0xFF);
        browser.turn();
        first = core.recv_from(&mut bytes).ok().map(|(count, from)| (bytes[..count].to_vec(), from));
        first.is_some()
    });
    let (packet, from) = first.unwrap();
    let packet = rtp::parse(&packet).unwrap();
    assert_eq!((packet.payload_type, packet.payload.len(), packet.payload[0]), (8, 160, 0xD5));
    assert_eq!(from, rtp, "it comes from where the core sends to");

    let mut sound = Vec::new();
    rtp::write_header(true, 8, 9, 900, 77, &mut sound);
    sound.extend_from_slice(&[0xD5; 160]);
    until(|| {
        core.send_to(&sound, rtp).unwrap();
        browser.turn();
        !browser.heard.is_empty()
    });
    assert_eq!(browser.heard[0], vec![0xFE; 160], "the browser hears its own law, not the core's 0xD5");

    sessions.control.say(&RtcCommand::Key { phone: 1, key: '5'.try_into().unwrap() });
    let mut events = Vec::new();
    until(|| {
        browser.turn();
        if let Ok((count, _)) = core.recv_from(&mut bytes)
            && let Some(packet) = rtp::parse(&bytes[..count])
            && packet.payload_type == 101
        {
            events.push(packet.payload.to_vec());
        }
        events.len() == 8
    });
    assert_eq!((events[0][0], events[7][1] & 0x80), (5, 0x80));
}

#[test]
fn a_browser_that_offers_only_g722_is_spoken_to_in_it() {
    let mut sessions = sessions();
    let wide = Browser::that_speaks(9, |config| config.enable_g722(true, false));
    assert!(wide.1.contains("a=rtpmap:9 G722/8000"), "{}", wide.1);
    let (mut browser, rtp) = connect(&mut sessions, wide);
    let core = core(&mut sessions, Codec::Pcma);
    let mut tone = media::tone::Tone::new(1000, 0);
    let mut here = audio_codec::g722::G722Decoder::new();
    let mut number = 0;
    let mut heard = Vec::new();
    until(|| {
        let (mut sound, mut law) = (Vec::new(), Vec::new());
        rtp::write_header(number == 0, 8, number, u32::from(number) * 160, 77, &mut sound);
        tone.fill(160, &mut law);
        sound.extend(law.iter().map(|&code| media::codec::ulaw_to_alaw(code)));
        number += 1;
        core.send_to(&sound, rtp).unwrap();
        browser.turn();
        for octets in browser.heard.drain(..) {
            assert_eq!(octets.len(), 160);
            heard.extend(audio_codec::Decoder::decode(&mut here, &octets));
        }
        heard.len() >= 16_000
    });
    // `amplitude` counts 8,000 samples a second, these are 16,000: a pitch is half as high.
    let level = 20.0 * (media::tone::amplitude(&heard[3200..16_000], 500.0) / media::tone::AMPLITUDE).log10();
    assert!(level.abs() < 1.0, "1 kHz reaches the browser {level} dB louder");

    let mut bytes = [0; 2048];
    until(|| {
        browser.speak(0xFF);
        browser.turn();
        core.recv_from(&mut bytes).is_ok_and(|(count, _)| {
            let packet = rtp::parse(&bytes[..count]).unwrap();
            (packet.payload_type, packet.payload.len()) == (8, 160)
        })
    });
}

#[test]
fn strangers_are_not_heard_and_junk_ends_nothing() {
    let mut sessions = sessions();
    let (mut browser, rtp) = connected(&mut sessions);
    let core = core(&mut sessions, Codec::Pcmu);
    let target = {
        let mut found = None;
        until(|| {
            let mut bytes = [0; 2048];
            browser.speak(0xFF);
            if let Ok((_, source)) = browser.socket.recv_from(&mut bytes) {
                found = Some(source);
            }
            found.is_some()
        });
        found.unwrap()
    };
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut sound = Vec::new();
    rtp::write_header(true, 0, 9, 900, 77, &mut sound);
    sound.extend_from_slice(&[0x11; 160]);
    // Sound of a stranger to both ports, and every kind of first octet, cut short and long.
    let mut chance = 1u32;
    for length in 0..400usize {
        stranger.send_to(&sound, target).unwrap();
        stranger.send_to(&sound, rtp).unwrap();
        let junk: Vec<u8> = (0..length)
            .map(|_| {
                chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                chance.to_be_bytes()[0]
            })
            .collect();
        stranger.send_to(&junk, target).unwrap();
        let kinds = [0u8, 1, 20, 22, 23, 63, 128, 200];
        let mut like = vec![kinds[length % kinds.len()], 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
        like.extend_from_slice(&junk);
        // From the browser's own address too: DTLS, SRTP and STUN that make no sense.
        browser.socket.send_to(&like, target).unwrap();
        stranger.send_to(&like, target).unwrap();
    }
    let mut bytes = [0; 2048];
    let mut heard = 0;
    until(|| {
        browser.speak(0xFF);
        browser.turn();
        if let Ok((count, _)) = core.recv_from(&mut bytes) {
            let packet = rtp::parse(&bytes[..count]).unwrap();
            assert_eq!(packet.payload[0], 0xFF, "only the browser is heard");
            heard += 1;
        }
        heard == 20
    });
    assert!(
        browser.heard.iter().all(|sound| sound[0] != 0x11),
        "a stranger's sound does not reach the browser"
    );
}

#[test]
fn a_reload_keeps_the_port_and_the_call() {
    let mut sessions = sessions();
    let (_, rtp) = connected(&mut sessions);
    let core = core(&mut sessions, Codec::Pcmu);
    let (mut second, again) = connected(&mut sessions);
    assert_eq!(rtp, again);
    let mut bytes = [0; 2048];
    until(|| {
        second.speak(0x22);
        second.turn();
        core.recv_from(&mut bytes)
            .is_ok_and(|(count, _)| rtp::parse(&bytes[..count]).unwrap().payload[0] == 0x22)
    });
}

#[test]
fn offers_that_are_none_are_refused_and_so_is_one_phone_too_many() {
    let mut sessions = sessions();
    let (_, good) = Browser::new();
    let video = good.replace("m=audio", "m=video");
    let bad = ["", "v=0", "m=audio", &"m=audio 9 RTP/AVP 0\r\n".repeat(100), &"x".repeat(60_000), &video];
    for offer in bad {
        sessions.control.say(&RtcCommand::Open { phone: 1, offer: offer.to_owned() });
        assert_eq!(sessions.control.next(), RtcEvent::NotOpened { phone: 1, full: false });
    }
    for phone in 0..=u32::try_from(PHONES_MAX).unwrap() {
        sessions.control.say(&RtcCommand::Open { phone: 100 + phone, offer: good.clone() });
        let opened = matches!(sessions.control.next(), RtcEvent::Opened { .. });
        assert_eq!(opened, usize::try_from(phone).unwrap() < PHONES_MAX);
    }
    // A control process that begins anew has all the room.
    sessions.control.say(&RtcCommand::Hello);
    sessions.control.say(&RtcCommand::Open { phone: 1, offer: good });
    assert!(matches!(sessions.control.next(), RtcEvent::Opened { .. }));
}
