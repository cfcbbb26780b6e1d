//! Our half of a dialog with one party, and the sound that goes with it. Opens sessions, makes and takes SDP. Knows nothing
//! of queues or other legs.
use super::{Cx, Out};
use crate::intent::{Intent, Peer};
use model::id::{CallId, LegId, SessionId};
use model::media::{Codec, MediaCommand};
use model::refusal::Refusal;
use sip::sdp::offer_answer::{Agreed, Side};
use sip::sdp::{Direction, Sdp};
use sip::{Transport, Uri};
use std::net::{IpAddr, SocketAddr};

/// What we speak, best first, where nothing else says so.
pub const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// Our Contact in a session: requests in it come the way it began.
#[must_use]
pub fn contact(user: Option<&str>, sip: SocketAddr, transport: Transport) -> Uri {
    let uri = Uri::at(user, sip);
    match transport {
        Transport::Tcp => uri.with_param("transport", Some("tcp")),
        Transport::Udp => uri,
    }
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The INVITE is under way, nobody answered.
    Calling,
    /// Answered.
    Up,
    /// Over, or not there yet.
    Gone,
}

/// One party.
#[derive(Debug)]
pub struct Leg {
    /// Key.
    pub id: LegId,
    /// Who is there.
    pub peer: Peer,
    /// Where its SIP comes from.
    pub from: IpAddr,
    /// How far.
    pub state: State,
    /// Its sound, once opened.
    pub sound: Option<Sound>,
    codecs: Vec<Codec>,
    offer: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
}

/// A session with media, and our side of its SDP.
#[derive(Debug)]
pub struct Sound {
    /// Key at media.
    pub session: SessionId,
    side: Side,
    /// What both agreed on last.
    pub agreed: Option<Agreed>,
    /// A 2xx of ours carried an offer; its ACK brings the answer.
    awaits: bool,
}

impl Sound {
    /// Takes a port and opens a session on it.
    ///
    /// # Errors
    /// `Overloaded` when no port is free.
    pub fn open(call: CallId, codecs: &[Codec], cx: &Cx, out: &mut Out) -> Result<Sound, Refusal> {
        let (session, port) = out.ports.take(call).ok_or(Refusal::Overloaded)?;
        out.media(MediaCommand::Open { session, port });
        let side = Side::new(SocketAddr::new(cx.media, port), codecs, session.0);
        Ok(Sound { session, side, agreed: None, awaits: false })
    }

    /// Our offer.
    pub fn offer(&mut self) -> Vec<u8> {
        self.side.offer(Direction::SendRecv)
    }

    /// The peer's answer to our offer; media is told.
    ///
    /// # Errors
    /// `NotAcceptable` when there is nothing to hear.
    pub fn settle(&mut self, answer: &[u8], from: IpAddr, out: &mut Out) -> Result<(), Refusal> {
        let sdp = Sdp::read(answer).map_err(|_| Refusal::NotAcceptable)?;
        let agreed = self.side.settle(&sdp, from, Direction::SendRecv).map_err(|_| Refusal::NotAcceptable)?;
        self.agree(agreed, from, out);
        Ok(())
    }

    /// The answer to the peer's offer; media is told.
    ///
    /// # Errors
    /// `NotAcceptable` when there is nothing to hear.
    pub fn answer(&mut self, offer: &[u8], from: IpAddr, out: &mut Out) -> Result<Vec<u8>, Refusal> {
        let sdp = Sdp::read(offer).map_err(|_| Refusal::NotAcceptable)?;
        let (agreed, text) =
            self.side.answer(&sdp, from, Direction::SendRecv).map_err(|_| Refusal::NotAcceptable)?;
        self.agree(agreed, from, out);
        Ok(text)
    }

    /// Whether the peer put us on hold.
    #[must_use]
    pub fn held(&self) -> bool {
        self.agreed.is_some_and(|a| a.held)
    }

    fn agree(&mut self, agreed: Agreed, from: IpAddr, out: &mut Out) {
        if self.agreed != Some(agreed) {
            out.media(MediaCommand::Remote { session: self.session, remote: agreed.remote(from) });
        }
        self.agreed = Some(agreed);
    }
}

impl Leg {
    /// A party that calls us and may speak `codecs`. `offer` is its SDP, if it sent one.
    #[must_use]
    pub fn incoming(id: LegId, peer: Peer, from: IpAddr, codecs: &[Codec], offer: Option<Vec<u8>>) -> Leg {
        Leg { offer, codecs: codecs.to_vec(), ..Leg::with(id, peer, from, State::Calling, None) }
    }

    /// A party that we called and who answered.
    #[must_use]
    pub fn answered(id: LegId, peer: Peer, from: IpAddr, sound: Sound) -> Leg {
        Leg::with(id, peer, from, State::Up, Some(sound))
    }

    /// Nobody yet: the caller of a call that we begin ourselves.
    #[must_use]
    pub fn nobody(peer: Peer) -> Leg {
        let from = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        Leg::with(LegId(0), peer, from, State::Gone, None)
    }

    fn with(id: LegId, peer: Peer, from: IpAddr, state: State, sound: Option<Sound>) -> Leg {
        Leg { id, peer, from, state, sound, codecs: CODECS.to_vec(), offer: None, answer: None }
    }

    /// The session of an answered leg.
    #[must_use]
    pub fn up_session(&self) -> Option<SessionId> {
        self.session().filter(|_| self.state == State::Up)
    }

    /// The session, if one is open.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.sound.as_ref().map(|s| s.session)
    }

    /// Whether the peer put us on hold.
    #[must_use]
    pub fn held(&self) -> bool {
        self.sound.as_ref().is_some_and(Sound::held)
    }

    /// What the peer speaks best, once agreed, in front of the rest.
    #[must_use]
    pub fn codecs(&self) -> [Codec; 2] {
        match self.sound.as_ref().and_then(|s| s.agreed).map(|a| a.codec) {
            Some(Codec::Pcmu) => [Codec::Pcmu, Codec::Pcma],
            Some(Codec::Pcma) | None => self.wished(),
        }
    }

    /// The order of codecs in the offer that waits for an answer.
    fn wished(&self) -> [Codec; 2] {
        let sdp = self.offer.as_deref().and_then(|o| Sdp::read(o).ok());
        let first = sdp
            .as_ref()
            .and_then(|s| s.media.iter().find(|m| m.kind == "audio"))
            .and_then(|m| m.formats.iter().find(|f| matches!(f.as_str(), "0" | "8")).cloned());
        match first.as_deref() {
            Some("0") => [Codec::Pcmu, Codec::Pcma],
            Some(_) | None => CODECS,
        }
    }

    /// Opens the sound of a caller and works out our SDP, without taking the call: for early sound.
    ///
    /// # Errors
    /// `Overloaded` without a port, `NotAcceptable` without a common codec.
    pub fn prepare(&mut self, call: CallId, cx: &Cx, out: &mut Out) -> Result<(SessionId, Vec<u8>), Refusal> {
        if self.sound.is_none() {
            self.sound = Some(Sound::open(call, &self.codecs, cx, out)?);
        }
        let sound = self.sound.as_mut().ok_or(Refusal::Overloaded)?;
        if self.answer.is_none() {
            self.answer = Some(match self.offer.take() {
                Some(offer) => sound.answer(&offer, self.from, out)?,
                None => {
                    sound.awaits = true;
                    sound.offer()
                }
            });
        }
        Ok((sound.session, self.answer.clone().unwrap_or_default()))
    }

    /// Takes the call of a caller. Nothing happens when it was taken before.
    ///
    /// # Errors
    /// As [`Leg::prepare`].
    pub fn accept(&mut self, call: CallId, cx: &Cx, out: &mut Out) -> Result<SessionId, Refusal> {
        match self.state {
            State::Up => self.session().ok_or(Refusal::Conflict),
            State::Gone => Err(Refusal::Conflict),
            State::Calling => {
                let (session, sdp) = self.prepare(call, cx, out)?;
                self.state = State::Up;
                out.want(Intent::Accept { leg: self.id, sdp });
                Ok(session)
            }
        }
    }

    /// Tells the caller that it rings.
    pub fn ring(&self, out: &mut Out) {
        if self.state == State::Calling {
            out.want(Intent::Ring { leg: self.id, code: 180, sdp: None });
        }
    }

    /// Lets the caller hear what comes before the answer; the session, when the caller can hear it.
    pub fn early(&mut self, call: CallId, cx: &Cx, out: &mut Out) -> Option<SessionId> {
        match self.state {
            State::Up => self.session(),
            State::Gone => None,
            State::Calling => {
                self.offer.as_ref().or(self.answer.as_ref())?;
                let (session, sdp) = self.prepare(call, cx, out).ok()?;
                out.want(Intent::Ring { leg: self.id, code: 183, sdp: Some(sdp) });
                Some(session)
            }
        }
    }

    /// Refuses a caller who was not answered.
    pub fn refuse(&mut self, code: u16, out: &mut Out) {
        if self.state == State::Calling {
            out.want(Intent::Refuse { leg: self.id, code });
            self.state = State::Gone;
        }
    }

    /// Ends the leg.
    pub fn hang_up(&mut self, cause: Option<&'static str>, out: &mut Out) {
        if self.state != State::Gone {
            out.want(Intent::HangUp { leg: self.id, cause });
            self.state = State::Gone;
        }
    }

    /// The peer's answer to the offer in our 2xx.
    pub fn acked(&mut self, sdp: &[u8], out: &mut Out) {
        let from = self.from;
        if let Some(sound) = self.sound.as_mut().filter(|s| s.awaits) {
            sound.awaits = false;
            if sound.settle(sdp, from, out).is_err() {
                out.want(Intent::Finish {
                    outcome: model::record::Outcome::Failed,
                    cause: "the caller's SDP has nothing we can hear".into(),
                });
            }
        }
    }

    /// A re-INVITE of the peer: our answer goes out. `true` when the peer's hold changed.
    pub fn reoffered(&mut self, sdp: Option<Vec<u8>>, out: &mut Out) -> bool {
        let (leg, from, before) = (self.id, self.from, self.held());
        let Some(sound) = self.sound.as_mut() else {
            out.want(Intent::AnswerReoffer { leg, answer: Err(Refusal::NotAcceptable.sip_code()) });
            return false;
        };
        let answer = match sdp {
            Some(offer) => sound.answer(&offer, from, out).map_err(Refusal::sip_code),
            None => {
                sound.awaits = true;
                Ok(sound.offer())
            }
        };
        out.want(Intent::AnswerReoffer { leg, answer });
        self.held() != before
    }
}
