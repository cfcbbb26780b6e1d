//! The calls of a user agent: ringing, answering, holding, ending. Parts of [`Ua`]; follows its habit.
use super::audio::Voice;
use super::{Deed, Ear, Habit, SUBSCRIBE, State, Ua, UaCall, address_of};
use crate::wire::Datagram;
use model::clock::Now;
use model::id::LegId;
use sip::endpoint::{Reply, RequestOut};
use sip::indication::ServerId;
use sip::sdp::offer_answer::{Agreed, Side};
use sip::sdp::{Direction, Sdp};
use sip::{Flow, Method, NameAddr, Output, Request, Uri};
use std::collections::VecDeque;

impl UaCall {
    pub(super) fn new(side: Side, incoming: bool, number: &str, dialled: &str, voice: u16) -> UaCall {
        let port = side_port(&side);
        UaCall {
            state: if incoming { State::Ringing } else { State::Calling },
            incoming,
            number: number.to_owned(),
            dialled: dialled.to_owned(),
            ear: Ear::default(),
            speaking: true,
            answered: None,
            words: String::new(),
            says: None,
            side,
            voice: Voice::new(voice, port),
            keys: VecDeque::new(),
            held: false,
        }
    }

    /// Uses what was agreed: where to send, and whether at all.
    pub(super) fn agreed(&mut self, agreed: &Agreed) {
        self.voice.to = agreed.direction.sends().then_some(agreed.address);
        self.voice.event_type = agreed.event_type;
    }
}

/// The port of a side: it is known only to itself, so it is read back from an offer.
fn side_port(side: &Side) -> u16 {
    let offer = side.clone().offer(Direction::SendRecv);
    Sdp::read(&offer).ok().and_then(|sdp| sdp.media.first().map(|m| m.port)).unwrap_or(0)
}

impl Ua {
    /// Somebody calls us.
    pub(super) fn rung(&mut self, now: Now, server: ServerId, request: &Request, outputs: &mut Vec<Output>) {
        let dialled = request.uri().user().unwrap_or_default().into_owned();
        let number = request.from().uri.user().unwrap_or_default().into_owned();
        let habit = self.habits.get(&dialled).copied().unwrap_or(self.habit);
        let Some(offer) = request.sdp().and_then(|body| Sdp::read(body).ok()) else {
            return self.endpoint.respond(now, server, Reply::new(488), outputs);
        };
        if habit == Habit::Busy || self.live().count() >= self.lines {
            return self.endpoint.respond(now, server, Reply::new(486), outputs);
        }
        if let Habit::Refuse(code, cause) = habit {
            let cause = cause.map(|cause| ("Reason".to_owned(), format!("Q.850;cause={cause}")));
            let reply = Reply { headers: cause.into_iter().collect(), ..Reply::new(code) };
            return self.endpoint.respond(now, server, reply, outputs);
        }
        let leg = self.new_leg();
        let side = self.new_side();
        let contact = self.contact();
        let mut call = UaCall::new(side, true, &number, &dialled, self.voice);
        call.voice.offer = Some(offer);
        self.calls.insert(leg, call);
        self.endpoint.adopt(now, server, leg, contact, outputs);
        self.endpoint.ring(now, leg, 180, None, outputs);
        match habit {
            Habit::Answer(after) => self.deeds.insert((now.mono + after, leg, Deed::Answer)),
            Habit::Decline(after) => self.deeds.insert((now.mono + after, leg, Deed::Decline)),
            Habit::Ignore | Habit::Busy | Habit::Refuse(..) | Habit::Off => false,
        };
    }

    pub(super) fn pick_up(&mut self, now: Now, leg: LegId, outputs: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&leg).filter(|c| c.incoming && c.state == State::Ringing) else {
            return;
        };
        call.says = self.says.clone().map(|sound| (sound, 0));
        let Some(offer) = call.voice.offer.take() else { return };
        match call.side.answer(&offer, self.registrar.ip(), Direction::SendRecv) {
            Ok((agreed, sdp)) => {
                call.agreed(&agreed);
                call.state = State::Up;
                call.answered = Some(now.mono);
                call.voice.begin(now.mono);
                self.endpoint.accept(now, leg, sdp, Vec::new(), outputs);
            }
            Err(_) => self.decline(now, leg, 488, outputs),
        }
    }

    pub(super) fn decline(&mut self, now: Now, leg: LegId, code: u16, outputs: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&leg).filter(|c| c.incoming && c.state == State::Ringing) else {
            return;
        };
        call.state = State::Over(code);
        self.endpoint.refuse(now, leg, code, None, Vec::new(), outputs);
    }

    pub(super) fn progress(&mut self, leg: LegId, code: u16) {
        if let Some(call) = self.calls.get_mut(&leg).filter(|c| c.state == State::Calling && code > 100) {
            call.state = State::Ringing;
        }
    }

    pub(super) fn answered(&mut self, now: Now, leg: LegId, sdp: &[u8]) {
        self.settled(leg, sdp);
        if let Some(call) = self.calls.get_mut(&leg).filter(|c| !matches!(c.state, State::Over(_))) {
            call.state = State::Up;
            call.answered = Some(now.mono);
            call.voice.begin(now.mono);
        }
    }

    /// The answer to an offer of ours.
    pub(super) fn settled(&mut self, leg: LegId, sdp: &[u8]) {
        let registrar = self.registrar.ip();
        let (Some(call), Ok(answer)) = (self.calls.get_mut(&leg), Sdp::read(sdp)) else { return };
        let direction = if call.held { Direction::SendOnly } else { Direction::SendRecv };
        if let Ok(agreed) = call.side.settle(&answer, registrar, direction) {
            call.agreed(&agreed);
        }
    }

    pub(super) fn reoffered(
        &mut self,
        now: Now,
        leg: LegId,
        sdp: Option<Vec<u8>>,
        outputs: &mut Vec<Output>,
    ) {
        let registrar = self.registrar.ip();
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let answer = match sdp.map(|body| Sdp::read(&body)) {
            None => Ok(call.side.offer(Direction::SendRecv)),
            Some(Err(_)) => Err(488),
            Some(Ok(offer)) => {
                let agreed = call.side.answer(&offer, registrar, Direction::SendRecv);
                agreed.map_err(|_| 488).map(|(agreed, answer)| {
                    call.agreed(&agreed);
                    answer
                })
            }
        };
        self.endpoint.answer_reoffer(now, leg, answer, outputs);
    }

    pub(super) fn over(&mut self, leg: LegId, code: u16, words: &str) {
        if let Some(call) = self.calls.get_mut(&leg).filter(|c| !matches!(c.state, State::Over(_))) {
            call.state = State::Over(code);
            call.words = words.to_owned();
        }
    }

    /// Asks to be told about the own mailbox.
    pub(super) fn subscribe(&mut self, now: Now, outputs: &mut Vec<Output>) {
        let Some(account) = self.account.clone() else { return };
        let me = address_of(&account.user, &self.registrar.ip().to_string());
        let request = RequestOut {
            id: SUBSCRIBE,
            method: Method::Subscribe,
            target: Uri::at(Some(&account.user), self.registrar),
            flow: Flow::udp(self.address, self.registrar),
            route: Vec::new(),
            from: me.clone(),
            to: me,
            call_id: None,
            cseq: None,
            contact: Some(NameAddr::new(self.contact())),
            headers: vec![
                ("Event".to_owned(), "message-summary".to_owned()),
                ("Expires".to_owned(), "3600".to_owned()),
            ],
            content_type: String::new(),
            body: Vec::new(),
            credentials: self.credentials(),
        };
        self.endpoint.request(now, request, outputs);
    }

    /// A NOTIFY, answered by hand: the endpoint is made for the box, which never subscribes.
    pub(super) fn notified(&mut self, datagram: &Datagram) -> Option<Datagram> {
        let text = String::from_utf8_lossy(&datagram.bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        self.lamp = read_lamp(body.as_bytes()).or(self.lamp);
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let lines = head.split("\r\n").filter(|l| copied.iter().any(|name| l.starts_with(name)));
        let answer: String =
            std::iter::once("SIP/2.0 200 OK").chain(lines).flat_map(|l| [l, "\r\n"]).collect();
        let bytes = format!("{answer}Content-Length: 0\r\n\r\n").into_bytes();
        Some(Datagram { from: self.address, to: datagram.from, bytes })
    }

    /// A request outside calls: OPTIONS and REGISTER are granted.
    pub(super) fn asked(&mut self, now: Now, server: ServerId, request: &Request, outputs: &mut Vec<Output>) {
        let mut reply = Reply::new(200);
        if request.method() == &Method::Register {
            let seconds = request.expires().unwrap_or(300).to_string();
            for contact in request.contacts() {
                reply = reply.header("Contact", &contact.to_string());
            }
            reply = reply.header("Expires", &seconds);
        }
        self.endpoint.respond(now, server, reply, outputs);
    }
}

/// `Voice-Message: 2/1` of RFC 3842.
fn read_lamp(body: &[u8]) -> Option<(u32, u32)> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find_map(|l| l.strip_prefix("Voice-Message:"))?;
    let (new, old) = line.trim().split_once('/')?;
    let old: String = old.chars().take_while(char::is_ascii_digit).collect();
    Some((new.trim().parse().ok()?, old.parse().ok()?))
}
