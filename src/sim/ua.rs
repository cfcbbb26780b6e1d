//! A user agent outside the box: a phone with its person, or a carrier. It speaks real SIP (the same endpoint as the box, as
//! UA), answers challenges, sends and hears RTP. What its person does when it rings is its [`Habit`]; everything else a
//! story does by hand. Decides nothing about the box.
mod audio;
mod calls;

#[cfg(test)]
mod tests;

pub use audio::Ear;

use crate::dice::Dice;
use crate::wire::Datagram;
use audio::Voice;
use model::clock::{Mono, Now};
use model::id::LegId;
use model::media::{Codec, Digit};
use sip::digest::Credentials;
use sip::endpoint::{Invite, RequestOut, Settings};
use sip::indication::{ClientId, Indication};
use sip::sdp::Direction;
use sip::sdp::offer_answer::Side;
use sip::{Endpoint, Flow, Method, NameAddr, Output, Uri};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The one SUBSCRIBE of a phone.
const SUBSCRIBE: ClientId = ClientId(0);

/// A phone refreshes its registration after this share of its time.
const REFRESH: f64 = 0.5;

/// A phone whose registration failed tries again after a time in this range, as phones do.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));

/// What the person does when it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Answers after a while.
    Answer(Duration),
    /// Is in a call already: 486.
    Busy,
    /// Presses the red key after a while: 603.
    Decline(Duration),
    /// The network refuses at once with this code, and this Q.850 cause when it names one.
    Refuse(u16, Option<u16>),
    /// Lets it ring.
    Ignore,
    /// The phone is switched off: no answer to anything.
    Off,
}

/// Where a call of the phone is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// We called; nothing heard yet, or trying.
    Calling,
    /// It rings: there (we called) or here (we are called).
    Ringing,
    /// Answered.
    Up,
    /// Over: the code of a refusal, or 0 when somebody hung up.
    Over(u16),
}

/// One call as the phone sees it.
#[derive(Clone, Debug)]
pub struct UaCall {
    /// Where it is.
    pub state: State,
    /// Whether we were called.
    pub incoming: bool,
    /// Number of the other side as signalled: From of incoming calls.
    pub number: String,
    /// What was dialled: the user part of the Request-URI of incoming calls.
    pub dialled: String,
    /// What was heard, in order.
    pub ear: Ear,
    /// Whether the person speaks (else silence is sent).
    pub speaking: bool,
    /// When it was answered.
    pub answered: Option<Mono>,
    /// The refusal's Retry-After or Reason, if any.
    pub words: String,
    /// What it says instead of its voice, from here on.
    says: Option<(Arc<[u8]>, usize)>,
    side: Side,
    voice: Voice,
    keys: VecDeque<Digit>,
    held: bool,
}

/// A registration to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// Asked lifetime, seconds.
    pub expires_s: u32,
}

/// The user agent.
#[derive(Debug)]
pub struct Ua {
    /// Number it registers as, or carrier name.
    pub name: String,
    /// Where its SIP is.
    pub address: SocketAddr,
    /// Voice number.
    pub voice: u16,
    /// What its person does when it rings.
    pub habit: Habit,
    /// Habits for certain dialled numbers, for carriers.
    pub habits: BTreeMap<String, Habit>,
    /// What is heard of it once it was called and has answered, µ-law, instead of its voice; then nothing.
    pub says: Option<Arc<[u8]>>,
    /// Sends no speech at all, for stories about signalling only.
    pub mute: bool,
    /// Most calls at once; one more gets 486.
    pub lines: usize,
    /// Whether its last REGISTER was granted.
    pub registered: bool,
    /// Message-waiting as last notified: new and old messages.
    pub lamp: Option<(u32, u32)>,
    /// All its calls, the finished ones too.
    pub calls: BTreeMap<LegId, UaCall>,
    /// Whether it asked to be told about its mailbox; done once after the first registration.
    pub subscribed: bool,
    /// Datagrams of REGISTER it sent.
    pub registers_sent: u32,
    endpoint: Endpoint,
    dice: Dice,
    account: Option<Account>,
    registrar: SocketAddr,
    register_at: Option<Mono>,
    subscribe_due: bool,
    deeds: BTreeSet<(Mono, LegId, Deed)>,
    next_leg: u64,
    next_request: u64,
    next_port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Answer,
    Decline,
}

impl Ua {
    /// A user agent at this address whose box is at `registrar`. Register it with [`Ua::register`].
    #[must_use]
    pub fn new(seed: u64, name: &str, address: SocketAddr, voice: u16, registrar: SocketAddr) -> Ua {
        let mut dice = Dice::new(seed ^ u64::from(voice) << 32);
        let mut secret = [0; 32];
        for chunk in secret.chunks_mut(8) {
            chunk.copy_from_slice(&dice.bits().to_le_bytes());
        }
        Ua {
            name: name.to_owned(),
            address,
            voice,
            habit: Habit::Answer(Duration::from_secs(2)),
            habits: BTreeMap::new(),
            says: None,
            mute: false,
            lines: 1,
            registered: false,
            lamp: None,
            calls: BTreeMap::new(),
            subscribed: false,
            subscribe_due: false,
            registers_sent: 0,
            endpoint: Endpoint::new(Settings::new(secret)),
            dice,
            account: None,
            registrar,
            register_at: None,
            deeds: BTreeSet::new(),
            next_leg: 1,
            next_request: 1,
            next_port: 20_000,
        }
    }

    /// Begins to register now and keeps at it.
    pub fn register(&mut self, now: Now, account: Account) {
        self.account = Some(account);
        self.register_at = Some(now.mono);
    }

    /// Registers again at this moment, as after a power cut of the whole site.
    pub fn register_again(&mut self, at: Mono) {
        self.registered = false;
        self.register_at = Some(at);
    }

    /// Calls a number. The call's id in [`Ua::calls`].
    pub fn dial(&mut self, now: Now, number: &str, from: &str, out: &mut Vec<Datagram>) -> LegId {
        let leg = self.new_leg();
        let mut side = self.new_side();
        let host = self.registrar.ip().to_string();
        let contact = self.contact();
        let invite = Invite {
            target: Uri::at(Some(number), self.registrar),
            flow: Flow::udp(self.address, self.registrar),
            route: Vec::new(),
            from: address_of(from, &host),
            to: address_of(number, &host),
            contact,
            max_forwards: 70,
            headers: Vec::new(),
            sdp: side.offer(Direction::SendRecv),
            credentials: self.credentials(),
            reliable: false,
            hop: sip::endpoint::Hop::Symmetric,
        };
        self.calls.insert(leg, UaCall::new(side, false, number, number, self.voice));
        let mut outputs = Vec::new();
        self.endpoint.invite(now, leg, invite, &mut outputs);
        self.take(now, outputs, out);
        leg
    }

    /// Hangs up (or gives up calling).
    pub fn hang_up(&mut self, now: Now, leg: LegId, out: &mut Vec<Datagram>) {
        let mut outputs = Vec::new();
        match self.calls.get_mut(&leg) {
            Some(call) if !matches!(call.state, State::Over(_)) => {
                let rings_here = call.incoming && call.state == State::Ringing;
                call.state = State::Over(0);
                if rings_here {
                    self.endpoint.refuse(now, leg, 486, None, Vec::new(), &mut outputs);
                } else {
                    self.endpoint.hang_up(now, leg, None, &mut outputs);
                }
            }
            Some(_) | None => {}
        }
        self.take(now, outputs, out);
    }

    /// Answers a call that rings here, at once.
    pub fn answer(&mut self, now: Now, leg: LegId, out: &mut Vec<Datagram>) {
        let mut outputs = Vec::new();
        self.pick_up(now, leg, &mut outputs);
        self.take(now, outputs, out);
    }

    /// Puts the other side on hold, or takes it back.
    pub fn hold(&mut self, now: Now, leg: LegId, on: bool, out: &mut Vec<Datagram>) {
        let mut outputs = Vec::new();
        if let Some(call) = self.calls.get_mut(&leg).filter(|c| c.state == State::Up) {
            call.held = on;
            let direction = if on { Direction::SendOnly } else { Direction::SendRecv };
            let offer = call.side.offer(direction);
            self.endpoint.reoffer(now, leg, offer, &mut outputs);
        }
        self.take(now, outputs, out);
    }

    /// Hands the other side over to a number.
    pub fn transfer(&mut self, now: Now, leg: LegId, number: &str, out: &mut Vec<Datagram>) {
        let to = format!("<{}>", Uri::at(Some(number), self.registrar));
        self.refer(now, leg, &to, out);
    }

    /// Puts the other sides of two calls together.
    pub fn transfer_to(&mut self, now: Now, leg: LegId, other: LegId, out: &mut Vec<Datagram>) {
        let to = self.replaces(other);
        self.refer(now, leg, &to, out);
    }

    /// A Refer-To value that names a call of this phone.
    pub fn replaces(&mut self, call: LegId) -> String {
        let Some(name) = self.endpoint.name_of(call) else { return String::new() };
        let escaped: String = name.call_id.replace('@', "%40");
        format!(
            "<{}?Replaces={escaped}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>",
            Uri::at(Some("other"), self.registrar),
            name.to_tag,
            name.from_tag
        )
    }

    /// Sends REFER in a call.
    pub fn refer(&mut self, now: Now, leg: LegId, to: &str, out: &mut Vec<Datagram>) {
        let mut outputs = Vec::new();
        self.endpoint.refer(now, leg, to, &mut outputs);
        self.take(now, outputs, out);
    }

    /// Presses keys, one after the other.
    pub fn press(&mut self, leg: LegId, keys: &str) {
        if let Some(call) = self.calls.get_mut(&leg) {
            call.keys.extend(keys.chars().filter_map(|c| Digit::try_from(c).ok()));
        }
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        let audio = self.calls.values().filter(|_| !self.mute).filter_map(UaCall::next_frame).min();
        let deed = self.deeds.first().map(|(at, _, _)| *at);
        [self.endpoint.deadline(), self.register_at, deed, audio].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Now, out: &mut Vec<Datagram>) {
        let mut outputs = Vec::new();
        if self.endpoint.deadline().is_some_and(|at| at <= now.mono) {
            self.endpoint.handle_timeout(now, &mut outputs);
        }
        if self.register_at.is_some_and(|at| at <= now.mono) {
            self.send_register(now, &mut outputs);
        }
        while let Some((at, leg, deed)) = self.deeds.first().copied().filter(|(at, _, _)| *at <= now.mono) {
            self.deeds.remove(&(at, leg, deed));
            match deed {
                Deed::Answer => self.pick_up(now, leg, &mut outputs),
                Deed::Decline => self.decline(now, leg, 603, &mut outputs),
            }
        }
        self.take(now, outputs, out);
        let (ip, mute) = (self.address.ip(), self.mute);
        for call in self.calls.values_mut().filter(|_| !mute) {
            call.speak(now.mono, ip, out);
        }
    }

    /// A datagram has arrived.
    pub fn receive(&mut self, now: Now, datagram: &Datagram, out: &mut Vec<Datagram>) {
        if self.habit == Habit::Off {
            return;
        }
        if datagram.to == self.address && datagram.bytes.starts_with(b"NOTIFY ") {
            out.extend(self.notified(datagram));
        } else if datagram.to == self.address {
            let mut outputs = Vec::new();
            let flow = Flow::udp(self.address, datagram.from);
            self.endpoint.receive(now, flow, &datagram.bytes, &mut outputs);
            self.take(now, outputs, out);
        } else if let Some(call) = self.calls.values_mut().find(|c| c.voice.port == datagram.to.port()) {
            call.hear(now.mono, &datagram.bytes);
        }
    }

    /// Calls that are not over.
    pub fn live(&self) -> impl Iterator<Item = (LegId, &UaCall)> {
        self.calls.iter().filter(|(_, c)| !matches!(c.state, State::Over(_))).map(|(id, c)| (*id, c))
    }

    fn new_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }

    fn new_side(&mut self) -> Side {
        self.next_port = if self.next_port >= 60_000 { 20_000 } else { self.next_port + 2 };
        let rtp = SocketAddr::new(self.address.ip(), self.next_port);
        // One coding only: patterns of sound do not survive a change of coding.
        Side::new(rtp, &[Codec::Pcmu], self.next_leg)
    }

    fn contact(&self) -> Uri {
        Uri::at(Some(&self.name), self.address)
    }

    fn credentials(&self) -> Option<Credentials> {
        let account = self.account.as_ref()?;
        Some(Credentials { username: account.user.clone(), password: account.password.clone() })
    }

    fn send_register(&mut self, now: Now, outputs: &mut Vec<Output>) {
        self.register_at = None;
        let Some(account) = self.account.clone() else { return };
        self.next_request += 1;
        let host = self.registrar.ip().to_string();
        let me = address_of(&account.user, &host);
        let request = RequestOut {
            id: ClientId(self.next_request),
            method: Method::Register,
            target: Uri::at(None, self.registrar),
            flow: Flow::udp(self.address, self.registrar),
            route: Vec::new(),
            from: me.clone(),
            to: me,
            call_id: Some(format!("reg-{}", self.address)),
            cseq: Some(u32::try_from(self.next_request * 10).unwrap_or(1)),
            contact: Some(NameAddr::new(self.contact())),
            headers: vec![("Expires".to_owned(), account.expires_s.to_string())],
            content_type: String::new(),
            body: Vec::new(),
            credentials: self.credentials(),
        };
        self.endpoint.request(now, request, outputs);
    }

    /// Goes on until the endpoint says nothing more.
    fn take(&mut self, now: Now, outputs: Vec<Output>, out: &mut Vec<Datagram>) {
        let mut left: VecDeque<Output> = outputs.into();
        while let Some(output) = left.pop_front() {
            match output {
                Output::Send { flow, bytes } => {
                    if self.habit != Habit::Off {
                        self.registers_sent += u32::from(bytes.starts_with(b"REGISTER"));
                        out.push(Datagram { from: self.address, to: flow.remote, bytes });
                    }
                }
                Output::Indicate(indication) => {
                    let mut more = Vec::new();
                    self.indicated(now, indication, &mut more);
                    left.extend(more);
                }
            }
        }
    }

    fn indicated(&mut self, now: Now, indication: Indication, outputs: &mut Vec<Output>) {
        match indication {
            Indication::Invite { server, flow: _, request } => self.rung(now, server, &request, outputs),
            Indication::Progress { leg, code, .. } => self.progress(leg, code),
            Indication::Answered { leg, sdp, .. } => self.answered(now, leg, &sdp),
            Indication::Refused { leg, code, reason, retry_after, .. } => {
                self.over(leg, code, &retry_after.map_or(reason, |s| s.to_string()));
            }
            Indication::Acked { .. } | Indication::Info { .. } | Indication::Malformed { .. } => {}
            Indication::Cancelled { leg, elsewhere } => {
                self.over(leg, 0, if elsewhere { "answered elsewhere" } else { "cancelled" });
            }
            Indication::Ended { leg, .. } => self.over(leg, 0, "ended"),
            Indication::Reoffer { leg, sdp } => self.reoffered(now, leg, sdp, outputs),
            Indication::ReofferAnswered { leg, result } => {
                if let Ok(sdp) = result {
                    self.settled(leg, &sdp);
                }
            }
            Indication::Request { server, request, .. } => self.asked(now, server, &request, outputs),
            Indication::Response { id, result } if id == SUBSCRIBE => {
                self.subscribed = result.is_ok_and(|r| r.code() == 200);
            }
            Indication::Response { result, .. } => {
                self.register_answered(now, result.ok().as_deref());
                if std::mem::take(&mut self.subscribe_due) {
                    self.subscribe(now, outputs);
                }
            }
            Indication::SubscriptionGone { .. } => {}
        }
    }

    fn register_answered(&mut self, now: Now, response: Option<&sip::Response>) {
        let Some(account) = &self.account else { return };
        self.registered = response.is_some_and(|r| r.code() == 200);
        self.subscribe_due |= self.registered && !self.subscribed;
        let wait = if self.registered {
            Duration::from_secs(account.expires_s.into()).mul_f64(REFRESH)
        } else {
            self.dice.between(TRY_AGAIN.0, TRY_AGAIN.1)
        };
        self.register_at = Some(now.mono + wait);
    }
}

/// Who gives no number is anonymous, as carriers say it (RFC 3323).
fn address_of(user: &str, host: &str) -> NameAddr {
    let user = if user.is_empty() { "anonymous" } else { user };
    let uri = Uri::sip(Some(user), host, None);
    NameAddr::new(uri.unwrap_or_else(|_| Uri::at(None, SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 5060))))
}
