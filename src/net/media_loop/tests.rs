//! The media role over real sockets on the loopback address: link, ports, join, recording, page, going away of control.
use super::*;
use crate::link::{LinkEvent, MediaLink};
use media::out::{FileId, FileOp};
use media::tone::{Tone, ulaw_share};
use media::{rtp, wav};
use model::id::{PlayId, RecordingId, SessionId};
use model::media::{Codec, Digit, MediaCommand, MediaEvent, PROTOCOL, RecordEnd, Remote, Sound};
use model::speech::{Said, Speech};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Longest wait for anything in these tests; only reached when they fail.
const LONG: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

/// A disk in memory: path by file, bytes by path.
#[derive(Default)]
struct MemorySink {
    files: Memory,
    open: BTreeMap<FileId, String>,
    refuse: bool,
}

impl FileSink for MemorySink {
    fn perform(&mut self, op: FileOp) -> Result<(), String> {
        if self.refuse {
            return Err("no space left".to_owned());
        }
        let mut files = self.files.0.lock().unwrap();
        match op {
            FileOp::Create { file, path, header, .. } => {
                self.open.insert(file, path.clone());
                files.insert(path, header);
            }
            FileOp::Append { file, bytes } => files.get_mut(&self.open[&file]).unwrap().extend(bytes),
            FileOp::Finish { file, header } => {
                let path = self.open.remove(&file).unwrap();
                files.get_mut(&path).unwrap()[..header.len()].copy_from_slice(&header);
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> Vec<(FileId, String)> {
        Vec::new()
    }

    fn abandon(&mut self, file: FileId) {
        self.open.remove(&file);
    }
}

/// By PCM name.
type Kept<T> = Arc<Mutex<Vec<(String, T)>>>;

/// Devices that keep what is played and feed what they are told to.
#[derive(Clone, Default)]
struct Cards {
    played: Kept<Receiver<Vec<u8>>>,
    feeds: Kept<SourceFeed>,
}

impl AudioDevices for Cards {
    fn start_source(&mut self, pcm: &str, feed: SourceFeed) -> Result<(), String> {
        self.feeds.lock().unwrap().push((pcm.to_owned(), feed));
        Ok(())
    }

    fn start_output(&mut self, pcm: &str, sound: Receiver<Vec<u8>>) -> Result<(), String> {
        self.played.lock().unwrap().push((pcm.to_owned(), sound));
        Ok(())
    }
}

/// A running media role and control's link to it.
struct Rig {
    stop: Arc<AtomicBool>,
    role: Option<JoinHandle<Result<(), MediaFault>>>,
    folder: tempfile::TempDir,
    link: MediaLink,
    told: std::sync::mpsc::Receiver<LinkEvent>,
    files: Memory,
    cards: Cards,
    beats: Beats,
    ports: Vec<u16>,
}

/// A recogniser that says how much it has heard once the caller is quiet; one that was asked for nothing is full.
struct Parrot;

impl Recognisers for Parrot {
    fn start(&mut self, hearing: Hearing, sound: Receiver<EarPiece>, tell: EarFeed) -> Result<(), String> {
        if hearing.phrases.is_empty() {
            return Err("full".to_owned());
        }
        std::thread::spawn(move || {
            tell(EarSaid::Ready);
            let mut samples = 0;
            for piece in sound {
                match piece {
                    EarPiece::Sound(bytes) => samples += bytes.len(),
                    EarPiece::End => {
                        tell(EarSaid::Said(Said { text: samples.to_string(), ..Said::default() }))
                    }
                }
            }
        });
        Ok(())
    }
}

fn start(low: u16, refuse: bool) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let (files, cards, beats) = (Memory::default(), Cards::default(), Beats::default());
    let stop = Arc::new(AtomicBool::new(false));
    let mut prompts = PromptSet::new();
    prompts.add_prompt(Language::En, "hello", tone(440, 8000).leak());
    let disk = MemorySink { files: files.clone(), refuse, ..MemorySink::default() };
    let read_from = files.clone();
    let config = MediaRoleConfig {
        rtp: (low, low + 19),
        bind: HERE,
        socket: folder.path().join("run/media.sock"),
        prompts: Arc::new(prompts),
        seed: 1,
        files: Box::new(disk),
        sounds: Box::new(move |path: &str| {
            read_from.0.lock().unwrap().get(path).cloned().ok_or_else(|| "no such file".to_owned())
        }),
        devices: Box::new(cards.clone()),
        recognisers: Box::new(Parrot),
        beats: beats.clone(),
        stop: Arc::clone(&stop),
        ready: Box::new(|| {}),
    };
    let role = std::thread::spawn(move || run(config));
    let (link, told) = connect(&folder);
    let mut rig = Rig { stop, role: Some(role), folder, link, told, files, cards, beats, ports: Vec::new() };
    rig.hello(1);
    rig
}

fn connect(folder: &tempfile::TempDir) -> (MediaLink, std::sync::mpsc::Receiver<LinkEvent>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let link = MediaLink::start(folder.path().join("run/media.sock"), Arc::default(), move |event| {
        let _ = tell.lock().unwrap().send(event);
    });
    (link.unwrap(), told)
}

impl Rig {
    fn hello(&mut self, epoch: u64) {
        self.until("up", |e| (*e == LinkEvent::Up).then_some(()));
        self.ask(MediaCommand::Hello { protocol: PROTOCOL, epoch, orphan_s: 1 });
        let ranges = self.event("ready", |e| {
            if let MediaEvent::Ready { protocol: PROTOCOL, ports } = e { Some(ports.clone()) } else { None }
        });
        self.ports = ranges.iter().flat_map(|&(a, b)| (a..=b).step_by(2)).collect();
    }

    fn ask(&self, command: MediaCommand) {
        assert!(self.link.send(&command), "the link took it");
        self.link.flush();
    }

    fn until<T>(&self, what: &str, mut found: impl FnMut(&LinkEvent) -> Option<T>) -> T {
        let start = Instant::now();
        while let Ok(event) = self.told.recv_timeout(LONG.saturating_sub(start.elapsed())) {
            if let Some(found) = found(&event) {
                return found;
            }
        }
        panic!("media never told: {what}");
    }

    fn event<T>(&self, what: &str, mut found: impl FnMut(&MediaEvent) -> Option<T>) -> T {
        self.until(what, |e| match e {
            LinkEvent::Media(event) => found(event),
            LinkEvent::Up | LinkEvent::Down => None,
        })
    }

    fn open(&self, session: u64, phone: &Phone, codec: Codec) {
        let session = SessionId(session);
        self.ask(MediaCommand::Open { session, port: phone.box_port });
        let remote = Remote {
            address: phone.socket.local_addr().unwrap(),
            signalled_from: HERE,
            codec,
            event_type: Some(101),
            send: true,
            receive: true,
        };
        self.ask(MediaCommand::Remote { session, remote });
    }

    fn phone(&self, nth: usize) -> Phone {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        Phone { socket, box_port: self.ports[nth], sequence: 100 }
    }

    /// Waits until every command asked so far was carried out.
    fn barrier(&self, number: u64) {
        self.ask(MediaCommand::Ping(number));
        self.event("pong", |e| (*e == MediaEvent::Pong { number }).then_some(()));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(role) = self.role.take() {
            let _ = role.join();
        }
    }
}

struct Phone {
    socket: UdpSocket,
    box_port: u16,
    sequence: u16,
}

impl Phone {
    fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        rtp::write_header(false, payload_type, self.sequence, timestamp, 7, &mut bytes);
        bytes.extend_from_slice(payload);
        self.sequence += 1;
        self.socket.send_to(&bytes, (HERE, self.box_port)).unwrap();
    }

    /// Speaks while the other listens, packet by packet, so that nothing depends on the speed of the machine.
    fn speak_to(&mut self, other: &Phone, sound: &[u8]) -> Vec<u8> {
        let mut heard = Vec::new();
        for (n, frame) in sound.chunks(160).enumerate() {
            self.send(0, u32::try_from(n * 160).unwrap(), frame);
            heard.extend(other.hear().1);
        }
        heard
    }

    fn hear(&self) -> (u8, Vec<u8>) {
        let mut bytes = [0; 1500];
        let (count, from) = self.socket.recv_from(&mut bytes).expect("a packet");
        assert_eq!(from, SocketAddr::new(HERE, self.box_port));
        let packet = rtp::parse(&bytes[..count]).unwrap();
        (packet.payload_type, packet.payload.to_vec())
    }
}

fn tone(hz: u16, samples: usize) -> Vec<u8> {
    let mut sound = Vec::new();
    Tone::new(hz, 0).fill(samples, &mut sound);
    sound
}

#[test]
fn a_tone_passes_a_join_both_ways_and_is_recorded_in_its_channel() {
    let rig = start(21_000, false);
    let (mut a, mut b, metronome) = (rig.phone(0), rig.phone(1), rig.phone(2));
    rig.open(1, &a, Codec::Pcmu);
    rig.open(2, &b, Codec::Pcmu);
    rig.open(3, &metronome, Codec::Pcmu);
    let hello = vec![Sound::Prompt { language: Language::En, name: "hello".into() }];
    rig.ask(MediaCommand::Play {
        session: SessionId(3),
        play: PlayId(1),
        sounds: hello,
        repeat: true,
        barge_in: false,
    });
    rig.ask(MediaCommand::Join { a: SessionId(1), b: SessionId(2) });
    rig.ask(MediaCommand::Record {
        recording: RecordingId(5),
        left: SessionId(1),
        right: Some(SessionId(2)),
        path: "rec/5.wav".to_owned(),
        max_s: 60,
        silence_ms: 0,
        until_digit: false,
    });
    rig.barrier(1);
    let (mut heard_by_a, mut heard_by_b) = (Vec::new(), Vec::new());
    for (n, (one, other)) in tone(500, 4000).chunks(160).zip(tone(900, 4000).chunks(160)).enumerate() {
        // The prompt's packets are the clock of this test: one each 20 ms of the box's time.
        metronome.hear();
        let timestamp = u32::try_from(n * 160).unwrap();
        a.send(0, timestamp, one);
        b.send(0, timestamp, other);
        heard_by_b.extend(b.hear().1);
        heard_by_a.extend(a.hear().1);
    }
    assert!(ulaw_share(&heard_by_b, 500.0) > 0.95);
    assert!(ulaw_share(&heard_by_a, 900.0) > 0.95);
    rig.ask(MediaCommand::StopRecord { recording: RecordingId(5) });
    let end = rig.event("record done", |e| {
        if let MediaEvent::RecordDone { recording: RecordingId(5), end, .. } = e { Some(*end) } else { None }
    });
    assert_eq!(end, RecordEnd::Stopped);
    let file = rig.files.0.lock().unwrap()["rec/5.wav"].clone();
    let data = &file[wav::HEADER..];
    assert_eq!(file[..wav::HEADER], wav::header(2, u64::try_from(data.len()).unwrap()));
    let channel = |n: usize| data.iter().skip(n).step_by(2).copied().collect::<Vec<u8>>();
    let (left, right) = (channel(0), channel(1));
    assert!(left.len() >= 3500, "half a second was spoken: {}", left.len());
    assert!(ulaw_share(&left, 500.0) > 0.7 && ulaw_share(&left, 900.0) < 0.02);
    assert!(ulaw_share(&right, 900.0) > 0.7 && ulaw_share(&right, 500.0) < 0.02);
}

#[test]
fn prompts_and_files_are_played_and_digits_are_read() {
    let rig = start(21_100, false);
    rig.files.0.lock().unwrap().insert("greet.wav".into(), [wav::header(1, 1600), tone(700, 1600)].concat());
    let mut a = rig.phone(0);
    rig.open(1, &a, Codec::Pcma);
    let sounds =
        vec![Sound::Prompt { language: Language::Zh, name: "hello".into() }, Sound::File("greet.wav".into())];
    let play =
        MediaCommand::Play { session: SessionId(1), play: PlayId(9), sounds, repeat: false, barge_in: true };
    rig.ask(play);
    let mut heard = Vec::new();
    for _ in 0..40 {
        let (kind, sound) = a.hear();
        assert_eq!(kind, 8, "the peer's law");
        heard.extend(sound.iter().map(|&c| media::codec::alaw_to_ulaw(c)));
    }
    assert!(ulaw_share(&heard, 440.0) > 0.9);
    a.send(101, 160, &[5, 0x0A, 0, 160]);
    let digit = rig.event("digit", |e| {
        if let MediaEvent::Digit { session: SessionId(1), digit } = e { Some(*digit) } else { None }
    });
    assert_eq!(digit, Digit::try_from('5').unwrap());
    rig.event("play done", |e| {
        matches!(e, MediaEvent::PlayDone { play: PlayId(9), end: model::media::PlayEnd::Digit, .. })
            .then_some(())
    });
}

#[test]
fn speech_goes_on_while_control_is_gone_and_orphans_free_their_ports() {
    let mut rig = start(21_200, false);
    let (mut a, b) = (rig.phone(0), rig.phone(1));
    rig.open(1, &a, Codec::Pcmu);
    rig.open(2, &b, Codec::Pcmu);
    rig.ask(MediaCommand::Join { a: SessionId(1), b: SessionId(2) });
    rig.barrier(1);
    assert!(ulaw_share(&a.speak_to(&b, &tone(500, 1600)), 500.0) > 0.95);
    let (link, told) = connect(&rig.folder);
    rig.link = link;
    rig.told = told;
    assert!(ulaw_share(&a.speak_to(&b, &tone(500, 1600)), 500.0) > 0.95, "nobody said hello yet");
    rig.hello(2);
    assert!(!rig.ports.contains(&a.box_port), "its port is not free");
    assert!(ulaw_share(&a.speak_to(&b, &tone(500, 1600)), 500.0) > 0.95);
    let mut freed = Vec::new();
    while freed.len() < 2 {
        freed.push(
            rig.event(
                "port free",
                |e| {
                    if let MediaEvent::PortFree { port } = e { Some(*port) } else { None }
                },
            ),
        );
    }
    freed.sort_unstable();
    assert_eq!(freed, [a.box_port, b.box_port]);
}

#[test]
fn a_disk_that_refuses_ends_the_recording_and_nothing_else() {
    let rig = start(21_300, true);
    let (mut a, b) = (rig.phone(0), rig.phone(1));
    rig.open(1, &a, Codec::Pcmu);
    rig.open(2, &b, Codec::Pcmu);
    rig.ask(MediaCommand::Join { a: SessionId(1), b: SessionId(2) });
    rig.ask(MediaCommand::Record {
        recording: RecordingId(5),
        left: SessionId(1),
        right: None,
        path: "rec/5.wav".to_owned(),
        max_s: 60,
        silence_ms: 0,
        until_digit: false,
    });
    let end = rig.event("record done", |e| {
        if let MediaEvent::RecordDone { recording: RecordingId(5), end, .. } = e { Some(*end) } else { None }
    });
    assert_eq!(end, RecordEnd::Disk);
    assert!(ulaw_share(&a.speak_to(&b, &tone(500, 1600)), 500.0) > 0.95);
}

#[test]
fn a_stranger_on_the_wire_hears_nothing_and_is_not_heard() {
    let rig = start(21_700, false);
    let (mut a, b) = (rig.phone(0), rig.phone(1));
    rig.open(1, &a, Codec::Pcmu);
    rig.open(2, &b, Codec::Pcmu);
    rig.ask(MediaCommand::Join { a: SessionId(1), b: SessionId(2) });
    rig.barrier(1);
    let elsewhere = UdpSocket::bind(("127.0.0.2", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let mut noise = Vec::new();
    rtp::write_header(true, 0, 100, 0, 7, &mut noise);
    noise.extend(tone(1500, 160));
    let mut heard = Vec::new();
    for (n, frame) in tone(500, 3200).chunks(160).enumerate() {
        elsewhere.send_to(&noise, (HERE, a.box_port)).unwrap();
        elsewhere.send_to(&noise, (HERE, a.box_port)).unwrap();
        a.send(0, u32::try_from(n * 160).unwrap(), frame);
        heard.extend(b.hear().1);
    }
    assert_eq!(heard, tone(500, 3200));
    assert!(elsewhere.recv(&mut [0; 1500]).is_err(), "nothing was sent to the stranger");
    rig.ask(MediaCommand::Close { session: SessionId(1) });
    let stats = rig.event("closed", |e| {
        if let MediaEvent::Closed { session: SessionId(1), stats } = e { Some(*stats) } else { None }
    });
    assert_eq!((stats.received, stats.foreign), (20, 40));
}

#[test]
fn recordings_are_whole_when_the_role_is_stopped() {
    let mut rig = start(21_800, false);
    let a = rig.phone(0);
    rig.open(1, &a, Codec::Pcmu);
    rig.ask(MediaCommand::Record {
        recording: RecordingId(5),
        left: SessionId(1),
        right: None,
        path: "rec/5.wav".to_owned(),
        max_s: 60,
        silence_ms: 0,
        until_digit: false,
    });
    // Silence that keeps the line awake: ten packets are a fifth of a second.
    for _ in 0..10 {
        a.hear();
    }
    rig.stop.store(true, Ordering::Release);
    assert!(rig.role.take().unwrap().join().unwrap().is_ok());
    let file = rig.files.0.lock().unwrap()["rec/5.wav"].clone();
    let data = u64::try_from(file.len() - wav::HEADER).unwrap();
    assert!(data >= 1440, "{data}");
    assert_eq!(file[..wav::HEADER], wav::header(1, data));
}

#[test]
fn a_page_reaches_the_sound_card_and_a_capture_is_music() {
    let rig = start(21_400, false);
    let mut a = rig.phone(0);
    rig.ask(MediaCommand::Devices {
        sources: vec![("radio".into(), model::media::MusicSource::Alsa("hw:in".into()))],
        outputs: vec![("hall".into(), "hw:out".into())],
    });
    rig.open(1, &a, Codec::Pcmu);
    rig.ask(MediaCommand::Page { session: SessionId(1), output: Some("hall".into()) });
    rig.barrier(1);
    a.send(0, 0, &[0x55; 160]);
    let (pcm, sound) = rig.cards.played.lock().unwrap().pop().unwrap();
    assert_eq!(pcm, "hw:out");
    assert_eq!(sound.recv_timeout(LONG).unwrap(), [0x55; 160]);
    let (pcm, mut feed) = rig.cards.feeds.lock().unwrap().pop().unwrap();
    assert_eq!(pcm, "hw:in");
    let play = MediaCommand::Play {
        session: SessionId(1),
        play: PlayId(1),
        sounds: vec![Sound::Music("radio".into())],
        repeat: true,
        barge_in: false,
    };
    rig.ask(play);
    let start = Instant::now();
    while a.hear().1 != [0x66; 160] {
        assert!(start.elapsed() < LONG, "the capture is never heard");
        for _ in 0..4 {
            assert!(feed(&[0x66; 160]));
        }
    }
    rig.ask(MediaCommand::Devices { sources: vec![], outputs: vec![] });
    rig.barrier(2);
    assert!(!feed(&[0x66; 160]), "a source that is no longer configured stops");
}

#[test]
fn the_beats_grow_and_the_role_ends_when_told() {
    let mut rig = start(21_500, false);
    let before = rig.beats.media.load(Ordering::Relaxed);
    let start = Instant::now();
    while rig.beats.media.load(Ordering::Relaxed) < before + 2
        || rig.beats.disk.load(Ordering::Relaxed) < 2
        || rig.beats.link.load(Ordering::Relaxed) < 2
    {
        assert!(start.elapsed() < LONG, "a beat is missing");
        std::thread::yield_now();
    }
    rig.stop.store(true, Ordering::Release);
    assert!(rig.role.take().unwrap().join().unwrap().is_ok());
}

#[test]
fn a_range_that_is_taken_is_a_fault_that_says_what_to_do() {
    let taken = UdpSocket::bind((HERE, 21_600)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fault = run(MediaRoleConfig {
        rtp: (21_600, 21_601),
        bind: HERE,
        socket: folder.path().join("media.sock"),
        prompts: Arc::new(PromptSet::new()),
        seed: 1,
        files: Box::new(MemorySink::default()),
        sounds: Box::new(|_: &str| Err(String::new())),
        devices: Box::new(NoDevices),
        recognisers: Box::new(NoRecognisers),
        beats: Beats::default(),
        stop: Arc::default(),
        ready: Box::new(|| {}),
    })
    .unwrap_err()
    .to_string();
    drop(taken);
    assert!(fault.contains("21600") && fault.contains("--rtp"), "{fault}");
}

#[test]
fn prompts_are_read_from_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    for (dir, name) in [("en", "hi.ul"), ("zh", "hi.ul"), ("music", "calm.ul"), ("en", "README")] {
        std::fs::create_dir_all(folder.path().join(dir)).unwrap();
        std::fs::write(folder.path().join(dir).join(name), dir).unwrap();
    }
    let set = prompts_from(folder.path()).unwrap();
    assert_eq!(set.prompt(Language::Zh, "hi"), Some(&b"zh"[..]));
    assert_eq!(set.names(Language::En).collect::<Vec<_>>(), ["hi"]);
    assert_eq!(set.music("calm"), Some(&b"music"[..]));
    assert!(prompts_from(&folder.path().join("gone")).is_err());
}

/// The traffic class of the next packet that the phone gets.
fn class_heard(phone: &Phone) -> u8 {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use std::os::fd::AsRawFd;
    let (mut bytes, mut control) = ([0; 1500], nix::cmsg_space!(u8));
    let mut slices = [std::io::IoSliceMut::new(&mut bytes)];
    let fd = phone.socket.as_raw_fd();
    let message = recvmsg::<()>(fd, &mut slices, Some(&mut control), MsgFlags::empty()).expect("a packet");
    let mut marks = message.cmsgs().unwrap().filter_map(|control| {
        let ControlMessageOwned::Ipv4Tos(class) = control else { return None };
        Some(class)
    });
    marks.next().expect("its traffic class")
}

#[test]
fn speech_is_marked_as_the_site_wants_also_in_a_call_that_stands() {
    let rig = start(21_600, false);
    let phone = rig.phone(0);
    nix::sys::socket::setsockopt(&phone.socket, nix::sys::socket::sockopt::IpRecvTos, &true).unwrap();
    rig.open(1, &phone, Codec::Pcmu);
    let hello = vec![Sound::Prompt { language: Language::En, name: "hello".into() }];
    let (session, play) = (SessionId(1), PlayId(1));
    rig.ask(MediaCommand::Play { session, play, sounds: hello, repeat: true, barge_in: false });
    assert_eq!(class_heard(&phone), 46 << 2);
    rig.ask(MediaCommand::Mark { dscp: 34 });
    rig.barrier(9);
    // What was sent before the change is heard first.
    assert!((0..500).any(|_| class_heard(&phone) == 34 << 2));
}

#[test]
fn what_a_caller_says_reaches_the_recogniser_and_its_answer_control() {
    let rig = start(21_700, false);
    let mut phone = rig.phone(0);
    rig.open(1, &phone, Codec::Pcmu);
    let hearing = |number, phrases: &[&str]| {
        let phrases = phrases.iter().map(|p| (*p).to_owned()).collect();
        let service = "ws://nobody".to_owned();
        let hearing = Hearing { number, service, language: Language::En, phrases, answer_ms: 1000 };
        MediaCommand::Hear { session: SessionId(1), hearing: Some(hearing) }
    };
    let speech = |e: &LinkEvent| {
        let LinkEvent::Media(MediaEvent::Speech { number, speech, .. }) = e else { return None };
        Some((*number, speech.clone()))
    };
    rig.ask(hearing(1, &[]));
    assert_eq!(rig.until("no place", speech), (1, Speech::Failed("full".into())));

    rig.ask(hearing(2, &["sales"]));
    let since = Instant::now();
    let mut sent = 0;
    // Until the recogniser is ready, what is said goes by.
    while !rig.told.try_iter().any(|e| speech(&e) == Some((2, Speech::Began))) {
        assert!(since.elapsed() < LONG, "the caller was never heard");
        phone.send(0, sent * 160, &tone(500, 160));
        sent += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(rig.until("the caller is quiet", speech), (2, Speech::Ended));
    let said = rig.until("an answer", |e| {
        let Some((2, Speech::Said(said))) = speech(e) else { return None };
        said.text.parse::<usize>().ok()
    });
    assert!(said >= 800, "{said} samples of the speech and of what was before it");
}
