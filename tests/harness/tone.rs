//! An end of RTP that sends a tone and keeps what it hears: the ear and mouth of a SIPp call. It sends to wherever the
//! box's packets come from, as a phone behind NAT would.
use media::codec;
use model::media::Digit;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Samples of one packet: 20 ms at 8 kHz.
const FRAME: usize = 160;

/// A talking and listening RTP end.
pub struct ToneParty {
    /// Its address, to be written into SDP.
    pub address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    keys: Arc<Mutex<VecDeque<Digit>>>,
    /// µ-law samples it says before it goes on with its tone.
    words: Arc<Mutex<VecDeque<u8>>>,
    /// What it says: the frequency as bits, 0 for silence.
    hz: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What came in.
#[derive(Clone, Default)]
pub struct Heard {
    /// µ-law samples in order of arrival, with the time of each packet.
    pub frames: Vec<(Instant, Vec<u8>)>,
    /// RFC 4733 events, one per packet, as event codes.
    pub events: Vec<u8>,
}

impl ToneParty {
    /// Opens at `address` (port 0 = any) and talks at `hz` once somebody talks to it.
    ///
    /// # Panics
    /// When the address cannot be bound.
    #[must_use]
    pub fn open(address: SocketAddr, hz: f32) -> ToneParty {
        let socket = UdpSocket::bind(address).expect("a free loopback port");
        socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a socket takes a time-out");
        let address = socket.local_addr().expect("a bound socket has an address");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let keys = Arc::new(Mutex::new(VecDeque::new()));
        let words = Arc::new(Mutex::new(VecDeque::new()));
        let hz = Arc::new(AtomicU32::new(hz.to_bits()));
        let thread = std::thread::spawn({
            let (heard, keys, hz, stop) = (heard.clone(), keys.clone(), hz.clone(), stop.clone());
            let words = words.clone();
            move || Mouth::new(socket, hz, words).talk(&heard, &keys, &stop)
        });
        ToneParty { address, heard, keys, words, hz, stop, thread: Some(thread) }
    }

    /// Talks at another frequency from now on, or is silent at 0.
    pub fn speak(&self, hz: f32) {
        self.hz.store(hz.to_bits(), Ordering::Relaxed);
    }

    /// Says recorded words, µ-law at 8 kHz, once and from now on.
    ///
    /// # Panics
    /// Never in a test that has not panicked already.
    pub fn say(&self, ulaw: &[u8]) {
        self.words.lock().expect("the talking thread does not panic").extend(ulaw);
    }

    /// Presses keys, one after the other, as RFC 4733 events of 100 ms with 100 ms between them.
    ///
    /// # Panics
    /// When a character is no key of a phone.
    pub fn press(&self, keys: &str) {
        let digits = keys.chars().map(|c| Digit::try_from(c).expect("a key of a phone"));
        self.keys.lock().expect("the talking thread does not panic").extend(digits);
    }

    /// Everything heard so far.
    ///
    /// # Panics
    /// Never in a test that has not panicked already.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.lock().expect("the talking thread does not panic").clone()
    }

    /// Share of the loudness of the last `window` of what was heard that lies at `hz`, 0 to 1; 0 when nothing came.
    #[must_use]
    pub fn share_of(&self, hz: f32, window: Duration) -> f32 {
        let heard = self.heard();
        let from = Instant::now().checked_sub(window).unwrap_or_else(Instant::now);
        let samples: Vec<u8> = heard
            .frames
            .iter()
            .filter(|(at, _)| *at >= from)
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect();
        share(&samples, hz)
    }
}

impl Drop for ToneParty {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The sending half and its place in the stream.
struct Mouth {
    socket: UdpSocket,
    hz: Arc<AtomicU32>,
    words: Arc<Mutex<VecDeque<u8>>>,
    peer: Option<SocketAddr>,
    sequence: u16,
    stamp: u32,
    phase: f32,
    /// Key being pressed, and how many packets of it were sent.
    pressed: Option<(Digit, u16)>,
    /// Packets of tone to send before the next key.
    rest: u16,
}

impl Mouth {
    fn new(socket: UdpSocket, hz: Arc<AtomicU32>, words: Arc<Mutex<VecDeque<u8>>>) -> Mouth {
        Mouth { socket, hz, words, peer: None, sequence: 1, stamp: 160, phase: 0.0, pressed: None, rest: 0 }
    }

    fn talk(mut self, heard: &Mutex<Heard>, keys: &Mutex<VecDeque<Digit>>, stop: &AtomicBool) {
        let mut due = Instant::now();
        let mut buffer = [0_u8; 2048];
        while !stop.load(Ordering::Relaxed) {
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                self.peer = Some(from);
                keep(&buffer[..length], heard);
            }
            while due <= Instant::now() {
                due += Duration::from_millis(20);
                if let Some(peer) = self.peer {
                    let packet = self.next(keys);
                    let _ = self.socket.send_to(&packet, peer);
                }
            }
        }
    }

    /// The packet of this 20 ms: part of a key press, or tone.
    fn next(&mut self, keys: &Mutex<VecDeque<Digit>>) -> Vec<u8> {
        if self.pressed.is_none() && self.rest == 0 {
            let key = keys.lock().expect("the test thread only adds").pop_front();
            self.pressed = key.map(|digit| (digit, 0));
        }
        self.rest = self.rest.saturating_sub(1);
        let packet = match self.pressed {
            Some((digit, sent)) => self.key(digit, sent),
            None => self.sound(),
        };
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }

    /// Five packets of the event and three of its end; the time stamp stands still meanwhile (RFC 4733 §2.5.1).
    fn key(&mut self, digit: Digit, sent: u16) -> Vec<u8> {
        let duration = 160 * (sent.min(4) + 1);
        let end = if sent >= 5 { 0x80 } else { 0 };
        let mut out = self.header(101, sent == 0);
        out.extend([digit.event(), end | 10]);
        out.extend(duration.to_be_bytes());
        self.pressed = Some((digit, sent + 1));
        if sent == 7 {
            self.pressed = None;
            self.rest = 5;
            self.stamp = self.stamp.wrapping_add(160 * 8);
        }
        out
    }

    fn sound(&mut self) -> Vec<u8> {
        let mut out = self.header(0, false);
        self.stamp = self.stamp.wrapping_add(160);
        let hz = f32::from_bits(self.hz.load(Ordering::Relaxed));
        let loud = if hz > 0.0 { 8000.0 } else { 0.0 };
        let mut words = self.words.lock().expect("the test thread only adds");
        for _ in 0..FRAME {
            if let Some(word) = words.pop_front() {
                out.push(word);
                continue;
            }
            self.phase = (self.phase + hz / 8000.0) % 1.0;
            let level = (self.phase * std::f32::consts::TAU).sin() * loud;
            out.push(codec::linear_to_ulaw(sample(level)));
        }
        out
    }

    fn header(&self, payload_type: u8, marker: bool) -> Vec<u8> {
        let mut out = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.stamp.to_be_bytes());
        out.extend(0x5eed_0001_u32.to_be_bytes());
        out
    }
}

fn keep(packet: &[u8], heard: &Mutex<Heard>) {
    if packet.len() < 12 || packet[0] >> 6 != 2 {
        return;
    }
    let mut heard = heard.lock().expect("the test thread only reads");
    match packet[1] & 0x7f {
        0 => heard.frames.push((Instant::now(), packet[12..].to_vec())),
        8 => heard
            .frames
            .push((Instant::now(), packet[12..].iter().map(|&a| codec::alaw_to_ulaw(a)).collect())),
        101 => heard.events.extend(packet.get(12)),
        _ => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a sine of amplitude 8000 fits")]
pub(super) fn sample(level: f32) -> i16 {
    level as i16
}

/// Share of the loudness of µ-law samples that lies at `hz`, 0 to 1 (Goertzel over 200 ms blocks, median).
#[must_use]
pub fn share(ulaw: &[u8], hz: f32) -> f32 {
    let linear: Vec<i16> = ulaw.iter().map(|&u| codec::ulaw_to_linear(u)).collect();
    share_linear(&linear, hz)
}

/// The samples of one channel of a µ-law WAV file.
///
/// # Panics
/// When the file is no WAV file with a data chunk.
#[must_use]
pub fn ulaw_of_wav(wav: &[u8], channel: usize) -> Vec<u8> {
    let data = wav.windows(4).position(|w| w == b"data").expect("a WAV file has a data chunk") + 8;
    let channels = usize::from(wav[22]);
    wav[data..].iter().skip(channel).step_by(channels).copied().collect()
}

/// The same of 16-bit samples at 8 kHz.
#[must_use]
pub fn share_linear(samples: &[i16], hz: f32) -> f32 {
    let mut shares: Vec<f32> = samples
        .chunks_exact(1600)
        .map(|block| share_of_block(&block.iter().map(|&x| f32::from(x)).collect::<Vec<f32>>(), hz))
        .collect();
    shares.sort_by(f32::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or(0.0)
}

fn share_of_block(samples: &[f32], hz: f32) -> f32 {
    let energy: f32 = samples.iter().map(|x| x * x).sum();
    if energy < 1.0 {
        return 0.0;
    }
    let w = std::f32::consts::TAU * hz / 8000.0;
    let (mut a, mut b) = (0_f32, 0_f32);
    for x in samples {
        (a, b) = (x + 2.0 * w.cos() * a - b, a);
    }
    let power = a * a + b * b - 2.0 * w.cos() * a * b;
    let length = samples.iter().fold(0_f32, |n, _| n + 1.0);
    (2.0 * power / (length * energy)).min(1.0)
}
