//! The board against a second SIP endpoint that stands for the engine: what a page sees when its phone rings, dials, is
//! reloaded, taken over and lost.
use super::board::Board;
use super::{In, Out, Places};
use model::browser_phone::{
    BrowserPhone, PhoneAsk, PhoneRefusal, PhoneStage, PhoneTell, RtcCommand, RtcEvent,
};
use model::clock::{Mono, Now, Wall};
use model::id::LegId;
use sip::digest::{Algorithm, Credentials, Nonces};
use sip::endpoint::{Hop, Invite, Reply, Settings};
use sip::{Endpoint, Flow, Indication, Message, Method, NameAddr, Output, Uri};
use std::net::SocketAddr;
use std::time::Duration;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A board, the engine's end of its SIP, and what pages and media were told.
struct Stage {
    board: Board,
    engine: Endpoint,
    now: Now,
    told: Vec<(u64, PhoneTell)>,
    rtc: Vec<RtcCommand>,
    happened: Vec<Indication>,
    out: Vec<Output>,
}

impl Stage {
    fn new() -> Stage {
        let places = Places { own: address("127.0.0.1:40000"), engine: address("127.0.0.1:5060") };
        let accounts = Box::new(|extension: &str| {
            let known = ["101", "102"].contains(&extension);
            known.then(|| Credentials { username: extension.to_owned(), password: "secret".to_owned() })
        });
        Stage {
            board: Board::new(places, [1; 32], accounts),
            engine: Endpoint::new(Settings::new([2; 32])),
            now: Now { mono: Mono(0), wall: Wall(1_000) },
            told: Vec::new(),
            rtc: Vec::new(),
            happened: Vec::new(),
            out: Vec::new(),
        }
    }

    fn flow() -> Flow {
        Flow::udp(address("127.0.0.1:5060"), address("127.0.0.1:40000"))
    }

    fn put(&mut self, input: In) {
        let mut out = Vec::new();
        self.board.handle(self.now, input, &mut out);
        for wish in out {
            match wish {
                Out::Sip(bytes) => self.engine.receive(self.now, Stage::flow(), &bytes, &mut self.out),
                Out::Rtc(command) => self.rtc.push(command),
                Out::Tell(tab, tell) => self.told.push((tab, tell)),
            }
        }
        self.settle();
    }

    /// Carries messages to and fro until nothing moves; REGISTERs are challenged once and then taken.
    fn settle(&mut self) {
        while !self.out.is_empty() {
            for output in std::mem::take(&mut self.out) {
                match output {
                    Output::Send { bytes, .. } => self.put(In::Sip(bytes)),
                    Output::Indicate(Indication::Request { server, request, .. })
                        if request.method() == &Method::Register =>
                    {
                        let proved = request.header("Authorization").next().is_some();
                        let mut reply = Reply::new(if proved { 200 } else { 401 });
                        if !proved {
                            let mut nonces = Nonces::new([3; 32]);
                            let ip = address("127.0.0.1:1").ip();
                            reply.headers =
                                nonces.challenge(self.now, ip, "box", false, &[Algorithm::Sha256]);
                        }
                        self.engine.respond(self.now, server, reply, &mut self.out);
                    }
                    Output::Indicate(indication) => self.happened.push(indication),
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
        self.put(In::Tick);
    }

    /// A page with an answered browser at 102.
    fn page(tab: u64) -> Stage {
        let mut stage = Stage::new();
        stage.put(In::RtcUp(true));
        stage.attach(tab, "a");
        stage.put(In::Asked(tab, PhoneAsk::Offer { sdp: "v=0".into() }));
        stage.opened();
        stage
    }

    fn attach(&mut self, tab: u64, key: &str) {
        self.put(In::Attached { tab, extension: "102".into(), key: key.into() });
    }

    fn opened(&mut self) {
        let phone = match self.rtc.iter().rev().find(|c| matches!(c, RtcCommand::Open { .. })) {
            Some(RtcCommand::Open { phone, .. }) => *phone,
            other => panic!("media was asked to open, not {other:?}"),
        };
        let rtp = address("127.0.0.1:30000");
        self.put(In::Rtc(RtcEvent::Opened { phone, answer: "answer".into(), rtp }));
    }

    fn last(&self, tab: u64) -> &BrowserPhone {
        let mut views = self.told.iter().rev().filter(|(t, _)| *t == tab);
        views.find_map(|(_, tell)| if let PhoneTell::Phone(view) = tell { Some(view) } else { None }).unwrap()
    }

    fn stage(&self, tab: u64) -> Option<PhoneStage> {
        self.last(tab).call.as_ref().map(|c| c.stage)
    }

    fn heard(&self, tab: u64, tell: &PhoneTell) -> bool {
        self.told.iter().any(|(t, told)| *t == tab && told == tell)
    }

    /// The engine calls the phone.
    fn call(&mut self, leg: u64) {
        let to = Uri::read("sip:102@127.0.0.1:40000").unwrap();
        let invite = Invite {
            target: to.clone(),
            flow: Stage::flow(),
            route: Vec::new(),
            from: NameAddr::named("Reception", Uri::read("sip:101@127.0.0.1").unwrap()),
            to: NameAddr::new(to),
            contact: Uri::read("sip:127.0.0.1:5060").unwrap(),
            max_forwards: 70,
            headers: Vec::new(),
            sdp: OFFER.into(),
            credentials: None,
            reliable: false,
            hop: Hop::Symmetric,
        };
        let mut out = Vec::new();
        self.engine.invite(self.now, LegId(leg), invite, &mut out);
        self.out.extend(out);
        self.settle();
    }

    fn refused_with(&self) -> Option<u16> {
        self.happened
            .iter()
            .rev()
            .find_map(|i| if let Indication::Refused { code, .. } = i { Some(*code) } else { None })
    }
}

#[test]
fn a_phone_is_registered_once_its_browser_was_answered_and_stays_so() {
    let mut stage = Stage::page(1);
    assert!(stage.heard(1, &PhoneTell::Answer { sdp: "answer".into() }));
    assert!(stage.last(1).registered && stage.last(1).open);
    for _ in 0..10 {
        stage.pass(Duration::from_secs(60));
        assert!(stage.last(1).registered);
    }
}

#[test]
fn it_rings_is_answered_with_the_callers_law_and_hangs_up() {
    let mut stage = Stage::page(1);
    stage.call(7);
    let call = stage.last(1).call.clone().unwrap();
    assert_eq!(
        (call.stage, call.number.as_str(), call.name.as_str()),
        (PhoneStage::Ringing, "101", "Reception")
    );
    stage.put(In::Asked(1, PhoneAsk::Answer));
    assert_eq!(stage.stage(1), Some(PhoneStage::Talking));
    let join = stage.rtc.iter().find(|c| matches!(c, RtcCommand::Join { .. })).unwrap();
    let RtcCommand::Join { remote, codec, event_type, .. } = join else { panic!("a join") };
    assert_eq!(
        (*remote, *codec, *event_type),
        (address("127.0.0.1:10000"), model::media::Codec::Pcma, Some(101))
    );
    assert!(stage.happened.iter().any(|i| matches!(i, Indication::Answered { .. })));
    stage.put(In::Asked(1, PhoneAsk::HangUp));
    assert_eq!(stage.stage(1), None);
    assert!(stage.happened.iter().any(|i| matches!(i, Indication::Ended { .. })));
    assert!(matches!(stage.rtc.last(), Some(RtcCommand::Part { .. })));
}

#[test]
fn a_second_call_finds_it_busy_and_a_refusal_is_busy_too() {
    let mut stage = Stage::page(1);
    stage.call(7);
    stage.call(8);
    assert_eq!(stage.refused_with(), Some(486));
    stage.put(In::Asked(1, PhoneAsk::HangUp));
    assert_eq!(
        stage.happened.iter().filter(|i| matches!(i, Indication::Refused { code: 486, .. })).count(),
        2
    );
    stage.put(In::Asked(1, PhoneAsk::Answer));
    assert!(stage.heard(1, &PhoneTell::Refused { why: PhoneRefusal::NotNow }));
}

#[test]
fn a_dialled_call_rings_is_heard_early_and_answered() {
    let mut stage = Stage::page(1);
    stage.put(In::Asked(1, PhoneAsk::Dial { to: "six".into() }));
    assert!(stage.heard(1, &PhoneTell::Refused { why: PhoneRefusal::BadNumber }));
    stage.put(In::Asked(1, PhoneAsk::Dial { to: "*43".into() }));
    assert_eq!(stage.stage(1), Some(PhoneStage::Dialing));
    let server = stage.happened.iter().find_map(|i| {
        let Indication::Invite { server, request, .. } = i else { return None };
        assert_eq!(request.uri().user().as_deref(), Some("*43"));
        Some(*server)
    });
    let (leg, contact, now) = (LegId(50), Uri::read("sip:127.0.0.1:5060").unwrap(), stage.now);
    let mut out = Vec::new();
    stage.engine.adopt(now, server.unwrap(), leg, contact, &mut out);
    stage.engine.ring(now, leg, 183, Some(OFFER.into()), &mut out);
    stage.out.extend(out);
    stage.settle();
    assert!(stage.last(1).call.as_ref().is_some_and(|c| c.heard && c.stage == PhoneStage::Dialing));
    let mut out = Vec::new();
    stage.engine.accept(now, leg, OFFER.into(), Vec::new(), &mut out);
    stage.out.extend(out);
    stage.settle();
    assert_eq!(stage.stage(1), Some(PhoneStage::Talking));
    stage.put(In::Asked(1, PhoneAsk::Key { key: '5'.try_into().unwrap() }));
    assert!(matches!(stage.rtc.last(), Some(RtcCommand::Key { .. })));
}

#[test]
fn a_reload_finds_phone_and_call_again() {
    let mut stage = Stage::page(1);
    stage.call(7);
    stage.put(In::Asked(1, PhoneAsk::Answer));
    stage.put(In::Detached(1));
    stage.pass(Duration::from_secs(20));
    stage.attach(2, "a");
    assert_eq!(stage.stage(2), Some(PhoneStage::Talking));
    stage.put(In::Asked(2, PhoneAsk::Offer { sdp: "v=0".into() }));
    stage.opened();
    assert_eq!(stage.stage(2), Some(PhoneStage::Talking));
    assert!(!stage.happened.iter().any(|i| matches!(i, Indication::Ended { .. })));
    assert!(!stage.rtc.iter().any(|c| matches!(c, RtcCommand::Part { .. } | RtcCommand::Close { .. })));
}

#[test]
fn one_tab_is_the_phone_and_another_may_take_it() {
    let mut stage = Stage::page(1);
    stage.attach(2, "b");
    assert!(stage.heard(2, &PhoneTell::Elsewhere));
    stage.put(In::Asked(2, PhoneAsk::Dial { to: "101".into() }));
    assert_eq!(stage.stage(1), None, "a tab that is not the phone dials nothing");
    stage.put(In::Asked(2, PhoneAsk::Take));
    assert!(stage.heard(1, &PhoneTell::Elsewhere));
    stage.call(7);
    assert_eq!(stage.stage(2), Some(PhoneStage::Ringing));
}

#[test]
fn a_phone_left_alone_goes_and_hangs_up_a_call_later() {
    let mut stage = Stage::page(1);
    stage.put(In::Detached(1));
    stage.pass(Duration::from_secs(31));
    assert!(matches!(stage.rtc.last(), Some(RtcCommand::Close { .. })));
    stage.call(7);
    assert_eq!(stage.refused_with(), Some(404));

    let mut stage = Stage::page(1);
    stage.call(7);
    stage.put(In::Asked(1, PhoneAsk::Answer));
    stage.put(In::Detached(1));
    stage.pass(Duration::from_secs(60));
    assert!(!stage.happened.iter().any(|i| matches!(i, Indication::Ended { .. })));
    stage.pass(Duration::from_secs(31));
    assert!(stage.happened.iter().any(|i| matches!(i, Indication::Ended { .. })));
}

#[test]
fn media_that_starts_again_closes_browsers_and_asks_for_new_offers() {
    let mut stage = Stage::page(1);
    stage.put(In::RtcUp(false));
    assert!(!stage.last(1).open);
    stage.put(In::Asked(1, PhoneAsk::Offer { sdp: "v=0".into() }));
    assert!(stage.heard(1, &PhoneTell::Refused { why: PhoneRefusal::NoMedia }));
    stage.put(In::RtcUp(true));
    stage.put(In::Asked(1, PhoneAsk::Offer { sdp: "v=0".into() }));
    stage.opened();
    assert!(stage.last(1).open && stage.last(1).registered);
}

#[test]
fn an_extension_that_is_gone_is_told_and_a_stranger_gets_no_phone() {
    let mut stage = Stage::new();
    stage.put(In::RtcUp(true));
    stage.put(In::Attached { tab: 1, extension: "999".into(), key: "a".into() });
    stage.put(In::Asked(1, PhoneAsk::Offer { sdp: "v=0".into() }));
    stage.opened();
    assert!(!stage.last(1).registered);
    stage.put(In::Asked(1, PhoneAsk::Dial { to: "101".into() }));
    assert!(stage.heard(1, &PhoneTell::Refused { why: PhoneRefusal::NotRegistered }));
    stage.put(In::Asked(77, PhoneAsk::Answer));
    assert!(stage.heard(77, &PhoneTell::Elsewhere));
}

#[test]
fn no_more_phones_than_there_is_room_for() {
    let mut stage = Stage::new();
    for tab in 0..80 {
        stage.put(In::Attached { tab, extension: format!("{}", 200 + tab), key: "a".into() });
    }
    let full = PhoneTell::Refused { why: PhoneRefusal::TooMany };
    assert_eq!(stage.told.iter().filter(|(_, tell)| *tell == full).count(), 16);
}

#[test]
fn junk_from_the_engines_side_is_survived() {
    let mut stage = Stage::page(1);
    for bytes in [&b""[..], b"\r\n\r\n", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", &[0xFF; 500]] {
        stage.put(In::Sip(bytes.to_vec()));
    }
    assert!(Message::read(b"INVITE").is_err());
    stage.call(7);
    assert_eq!(stage.stage(1), Some(PhoneStage::Ringing));
}
