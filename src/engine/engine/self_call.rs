//! Carries out the call of the box to itself (`canary`): its two dialogs, two sessions, one recording. They belong to no
//! call of the ledger; whatever way it ends, all of them are given back here.
use super::Engine;
use crate::call::leg::{CODECS, contact};
use crate::canary::{Act, Canary, End, Heard, PATIENCE, TONE_HZ, TONE_MS};
use crate::effect::Effect;
use crate::timers::Reason;
use model::clock::Now;
use model::command::Reply;
use model::id::{CallId, LegId, RecordingId, SessionId};
use model::media::{Digit, MediaCommand, MediaEvent, Sound};
use model::refusal::Refusal;
use sip::endpoint::{Hop, Invite};
use sip::indication::ServerId;
use sip::sdp::offer_answer::Side;
use sip::sdp::{Direction, Sdp};
use sip::{Flow, NameAddr, Request, Transport, Uri};
use std::net::SocketAddr;

/// Owner of its ports: no real call has this number.
pub(super) const NOBODY: CallId = CallId(0);
/// Key that the caller presses, and the callee.
const KEYS: (char, char) = ('5', '9');
/// How long a key is held, ms.
const HELD_MS: u16 = 120;
/// The recording ends by itself after this.
const LONGEST_S: u32 = 30;

/// One on its way.
#[derive(Debug)]
pub(crate) struct SelfCalling {
    canary: Canary,
    /// User part of the address called: only this call knows it.
    name: String,
    caller: Party,
    callee: Party,
    recording: RecordingId,
    path: String,
}

#[derive(Debug)]
struct Party {
    leg: LegId,
    session: SessionId,
    side: Side,
}

impl Engine {
    /// Calls itself; what becomes of it is told by `Effect::SelfCalled`.
    pub(super) fn call_itself(&mut self, now: Now) -> Reply {
        if self.self_call.is_some() {
            return Err(Refusal::Conflict);
        }
        if !self.media_up || self.draining {
            return Err(Refusal::Unavailable);
        }
        let (Some(caller), Some(callee)) = (self.self_party(), self.self_party()) else {
            self.self_close();
            return Err(Refusal::Overloaded);
        };
        let number = self.ids.other();
        let name = format!("self-check-{}-{number}-{}", self.epoch, now.mono.0);
        let path = format!("run/self-call/{}-{number}.wav", self.epoch);
        let recording = self.ids.recording();
        let mut calling = SelfCalling { canary: Canary::new(now), name, caller, callee, recording, path };
        let offer = calling.caller.side.offer(Direction::SendRecv);
        let invite = self.self_invite(&calling.name, offer);
        self.sip.invite(now, calling.caller.leg, invite, &mut self.outputs);
        self.self_call = Some(Box::new(calling));
        self.timers.set(Reason::SelfCall, now.mono + PATIENCE);
        Ok(())
    }

    fn self_party(&mut self) -> Option<Party> {
        let (session, port) = self.ports.take(NOBODY)?;
        self.effects.push(Effect::Media(MediaCommand::Open { session, port }));
        let side = Side::new(SocketAddr::new(self.address.ip(), port), &CODECS, session.0);
        Some(Party { leg: self.ids.leg(), session, side })
    }

    fn self_invite(&self, name: &str, sdp: Vec<u8>) -> Invite {
        let target = Uri::at(Some(name), self.address);
        let own = contact(Some("self-check"), self.address, Transport::Udp);
        let flow =
            Flow { transport: Transport::Udp, remote: self.address, local: self.address, connection: 0 };
        Invite {
            target: target.clone(),
            flow,
            route: Vec::new(),
            from: NameAddr::new(own.clone()),
            to: NameAddr::new(target),
            contact: own,
            max_forwards: 70,
            headers: Vec::new(),
            sdp,
            credentials: None,
            reliable: false,
            hop: Hop::Symmetric,
        }
    }

    /// An INVITE knocks: whether it is our own. Then it is answered here.
    pub(super) fn self_invited(
        &mut self,
        now: Now,
        server: ServerId,
        flow: &Flow,
        request: &Request,
    ) -> bool {
        let own = flow.remote == self.address;
        let user = request.uri().user();
        let Some(calling) = self.self_call.as_mut().filter(|c| own && user.as_deref() == Some(&c.name))
        else {
            return false;
        };
        let leg = calling.callee.leg;
        let answer = request.sdp().and_then(|sdp| agree(&mut calling.callee, sdp, self.address));
        self.sip.adopt(
            now,
            server,
            leg,
            contact(Some("self-check"), self.address, Transport::Udp),
            &mut self.outputs,
        );
        match answer {
            Some((remote, sdp)) => {
                self.effects.push(Effect::Media(remote));
                self.sip.accept(now, leg, sdp, Vec::new(), &mut self.outputs);
            }
            None => self.self_hears(now, Heard::Refused("the own offer is not understood".into())),
        }
        true
    }

    /// A dialog was answered: whether it is ours.
    pub(super) fn self_answered(&mut self, now: Now, leg: LegId, sdp: &[u8]) -> bool {
        let Some(calling) = self.self_call.as_ref().filter(|c| c.caller.leg == leg) else { return false };
        let address = self.address;
        let agreed = Sdp::read(sdp)
            .ok()
            .and_then(|sdp| calling.caller.side.settle(&sdp, address.ip(), Direction::SendRecv).ok());
        let heard = match agreed {
            Some(agreed) => {
                let remote = agreed.remote(address.ip());
                self.effects
                    .push(Effect::Media(MediaCommand::Remote { session: calling.caller.session, remote }));
                Heard::Answered
            }
            None => Heard::Refused("the own answer is not understood".into()),
        };
        self.self_hears(now, heard);
        true
    }

    /// A dialog is over, or never came about: whether it is ours.
    pub(super) fn self_ended(&mut self, now: Now, leg: LegId, refused: Option<u16>) -> bool {
        let Some(end) = self.self_call.as_ref().and_then(|c| c.end_of_leg(leg)) else { return false };
        self.self_hears(now, refused.map_or(Heard::Ended(end), |code| Heard::Refused(code.to_string())));
        true
    }

    /// A word of media: whether it is about our sessions.
    pub(super) fn self_media(&mut self, now: Now, event: &MediaEvent) -> bool {
        let Some(calling) = self.self_call.as_ref() else { return false };
        let heard = match event {
            MediaEvent::Digit { session, digit } => calling.digit(*session, *digit),
            MediaEvent::PlayDone { session, .. } if *session == calling.caller.session => Some(Heard::Played),
            MediaEvent::RecordDone { recording, ms, .. } if *recording == calling.recording => {
                Some(Heard::Recorded(*ms))
            }
            MediaEvent::PlayDone { .. }
            | MediaEvent::RecordDone { .. }
            | MediaEvent::Ready { .. }
            | MediaEvent::PortFree { .. }
            | MediaEvent::Latched { .. }
            | MediaEvent::Silent { .. }
            | MediaEvent::Closed { .. }
            | MediaEvent::Pong { .. }
            | MediaEvent::Found { .. }
            | MediaEvent::Speech { .. }
            | MediaEvent::Trouble(_) => None,
        };
        let ours = heard.is_some();
        if let Some(heard) = heard {
            self.self_hears(now, heard);
        }
        ours
    }

    /// Something happened to it.
    pub(super) fn self_hears(&mut self, now: Now, heard: Heard) {
        let Some(mut calling) = self.self_call.take() else { return };
        match calling.canary.hears(heard) {
            None => {}
            Some(Act::Play) => self.self_play(&calling),
            Some(Act::Press) => {
                self.self_press(calling.caller.session, KEYS.0);
                self.self_press(calling.callee.session, KEYS.1);
            }
            Some(Act::StopRecord) => {
                let stop = MediaCommand::StopRecord { recording: calling.recording };
                self.effects.push(Effect::Media(stop));
            }
            Some(Act::HangUp) => self.sip.hang_up(now, calling.caller.leg, None, &mut self.outputs),
            Some(Act::Done) => return self.self_done(now, *calling),
        }
        self.self_call = Some(calling);
    }

    fn self_play(&mut self, calling: &SelfCalling) {
        let language = self.config.system.language;
        let tone = Sound::Tone { hz: TONE_HZ, hz2: 0, on_ms: TONE_MS, off_ms: 0, times: 1 };
        let record = MediaCommand::Record {
            recording: calling.recording,
            left: calling.callee.session,
            right: None,
            path: calling.path.clone(),
            max_s: LONGEST_S,
            silence_ms: 0,
            until_digit: false,
        };
        let play = MediaCommand::Play {
            session: calling.caller.session,
            play: self.ids.play(),
            sounds: vec![Sound::Prompt { language, name: "please-hold".into() }, tone],
            repeat: false,
            barge_in: false,
        };
        self.effects.extend([record, play].map(Effect::Media));
    }

    fn self_press(&mut self, session: SessionId, key: char) {
        if let Ok(digit) = Digit::try_from(key) {
            self.effects.push(Effect::Media(MediaCommand::SendDigit { session, digit, ms: HELD_MS }));
        }
    }

    fn self_done(&mut self, now: Now, calling: SelfCalling) {
        self.timers.cancel(&Reason::SelfCall);
        for leg in [calling.caller.leg, calling.callee.leg] {
            self.sip.hang_up(now, leg, None, &mut self.outputs);
        }
        self.self_close();
        self.effects.push(Effect::SelfCalled(calling.canary.result(now, calling.path)));
    }

    fn self_close(&mut self) {
        for session in self.ports.of_call(NOBODY) {
            self.effects.push(Effect::Media(MediaCommand::Close { session }));
            self.ports.release(session);
        }
    }
}

impl SelfCalling {
    fn end_of_leg(&self, leg: LegId) -> Option<End> {
        let ends = [(self.caller.leg, End::Caller), (self.callee.leg, End::Callee)];
        ends.into_iter().find(|(l, _)| *l == leg).map(|(_, end)| end)
    }

    /// Each end must hear the key of the other.
    fn digit(&self, session: SessionId, digit: Digit) -> Option<Heard> {
        let ends = [(self.caller.session, KEYS.1, End::Caller), (self.callee.session, KEYS.0, End::Callee)];
        let found = ends.into_iter().find(|(s, key, _)| *s == session && *key == digit.as_char());
        found.map(|(_, _, end)| Heard::Digit(end))
    }
}

fn agree(party: &mut Party, offer: &[u8], address: SocketAddr) -> Option<(MediaCommand, Vec<u8>)> {
    let offer = Sdp::read(offer).ok()?;
    let (agreed, answer) = party.side.answer(&offer, address.ip(), Direction::SendRecv).ok()?;
    let remote = MediaCommand::Remote { session: party.session, remote: agreed.remote(address.ip()) };
    Some((remote, answer))
}
