//! Rings several contacts of one party at once: the first to answer has the call, the others are told "completed
//! elsewhere". One session with media serves all branches. Never decides what happens when nobody answers.
use super::leg::{Leg, Sound, contact};
use super::{Core, Cx, LegEvent, Out};
use crate::intent::{Intent, Peer};
use model::id::{LegId, SessionId};
use model::media::Codec;
use model::number::Number;
use model::record::Party;
use model::refusal::Refusal;
use sip::endpoint::{Hop, Invite};
use sip::{Flow, NameAddr, Uri};
use std::net::IpAddr;

/// Reason header of a branch that lost (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// Branches that ring.
#[derive(Debug)]
pub struct Fork {
    peer: Peer,
    branches: Vec<Branch>,
    sound: Option<Sound>,
    worst: u16,
}

#[derive(Debug)]
struct Branch {
    leg: LegId,
    from: IpAddr,
}

/// What an event of a branch means for the whole.
#[derive(Debug)]
pub enum Rung {
    /// Nothing yet.
    Still,
    /// It rings somewhere; with the code and early sound of that branch.
    Ringing(u16, Option<Vec<u8>>),
    /// This leg answered; the others are ended.
    Answered(Box<Leg>),
    /// Nobody is left; the code that says most.
    Nobody(u16),
}

/// How one branch is called.
pub struct Way {
    /// Request-URI.
    pub target: Uri,
    /// Next hop.
    pub flow: Flow,
    /// Routes to be preloaded.
    pub route: Vec<Uri>,
    /// Who calls, as shown there.
    pub from: NameAddr,
    /// Whom it is for.
    pub to: NameAddr,
    /// Our Contact.
    pub contact: Uri,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// For 401 and 407.
    pub credentials: Option<sip::digest::Credentials>,
    /// Whether its provisional answers may ask to be confirmed: carriers may.
    pub reliable: bool,
    /// Where later requests go.
    pub hop: Hop,
}

impl Fork {
    /// Rings every contact of an extension.
    ///
    /// # Errors
    /// `Unavailable` when no phone is registered, `Overloaded` when no port is free.
    pub fn extension(core: &Core, number: &Number, cx: &Cx, out: &mut Out) -> Result<Fork, Refusal> {
        let mut shown = core.caller.party.clone();
        if let Some(outreach) = &core.outreach {
            shown.name = format!("{}: {}", outreach.campaign, shown.name).trim_end_matches(": ").to_owned();
        }
        Fork::extension_as(core, &shown, number, cx, out)
    }

    /// The same, showing somebody else than the caller.
    ///
    /// # Errors
    /// As [`Fork::extension`].
    pub fn extension_as(
        core: &Core,
        shown: &Party,
        number: &Number,
        cx: &Cx,
        out: &mut Out,
    ) -> Result<Fork, Refusal> {
        let from = NameAddr::named(&shown.name, address(shown, cx));
        let to = NameAddr::new(Uri::at(Some(number.as_str()), cx.sip));
        let headers = if core.outreach.is_some() { at_once() } else { Vec::new() };
        let ways: Vec<Way> = cx
            .phones
            .contacts(&core.config, number, cx.now)
            .into_iter()
            .map(|c| Way {
                contact: contact(None, cx.sip, c.flow.transport),
                target: c.uri,
                flow: c.flow,
                route: c.route,
                from: from.clone(),
                to: to.clone(),
                headers: headers.clone(),
                credentials: None,
                reliable: false,
                hop: Hop::Symmetric,
            })
            .collect();
        if ways.is_empty() {
            return Err(Refusal::Unavailable);
        }
        Fork::start(core, Peer::Phone(number.clone()), &core.a.codecs(), ways, cx, out)
    }

    /// Sends the INVITEs.
    ///
    /// # Errors
    /// `Overloaded` when no port is free.
    pub fn start(
        core: &Core,
        peer: Peer,
        codecs: &[Codec],
        mut ways: Vec<Way>,
        cx: &Cx,
        out: &mut Out,
    ) -> Result<Fork, Refusal> {
        // At most as many branches as the caller's share allows, and each gets an equal part of it (RFC 5393 section 5.3.3).
        ways.truncate(core.max_breadth.into());
        let breadth = core.max_breadth / u16::try_from(ways.len()).unwrap_or(u16::MAX).max(1);
        let mut sound = Sound::open(core.id, codecs, cx, out)?;
        let sdp = sound.offer();
        let mut branches = Vec::with_capacity(ways.len());
        for mut way in ways {
            way.headers.push(("Max-Breadth".into(), breadth.to_string()));
            let leg = out.ids.leg();
            branches.push(Branch { leg, from: way.flow.remote.ip() });
            let invite = Box::new(Invite {
                target: way.target,
                flow: way.flow,
                route: way.route,
                from: way.from,
                to: way.to,
                contact: way.contact,
                max_forwards: core.max_forwards,
                headers: way.headers,
                sdp: sdp.clone(),
                credentials: way.credentials,
                reliable: way.reliable,
                hop: way.hop,
            });
            out.want(Intent::Invite { leg, peer: peer.clone(), invite });
        }
        Ok(Fork { peer, branches, sound: Some(sound), worst: 0 })
    }

    /// Whether this leg is one of the branches.
    #[must_use]
    pub fn has(&self, leg: LegId) -> bool {
        self.branches.iter().any(|b| b.leg == leg)
    }

    /// The sound shared by the branches.
    pub fn sound(&mut self) -> Option<&mut Sound> {
        self.sound.as_mut()
    }

    /// Legs that ring.
    pub fn legs(&self) -> impl Iterator<Item = LegId> + '_ {
        self.branches.iter().map(|b| b.leg)
    }

    /// The session of the branches.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.sound.as_ref().map(|s| s.session)
    }

    /// Where the SIP of a branch comes from.
    #[must_use]
    pub fn from(&self, leg: LegId) -> Option<IpAddr> {
        self.branches.iter().find(|b| b.leg == leg).map(|b| b.from)
    }

    /// A branch did something.
    pub fn heard(&mut self, leg: LegId, event: LegEvent, out: &mut Out) -> Rung {
        match event {
            LegEvent::Progress(code, sdp) => Rung::Ringing(code, sdp),
            LegEvent::Answered(sdp) => self.answered(leg, &sdp, out),
            LegEvent::Refused(code) => self.refused(leg, code, out),
            LegEvent::Ended => self.refused(leg, 480, out),
        }
    }

    /// A branch changes its sound before it answers: our answer.
    ///
    /// # Errors
    /// `NotAcceptable`: other branches share the sound, or there is nothing to hear.
    pub fn reoffered(&mut self, leg: LegId, offer: &[u8], out: &mut Out) -> Result<Vec<u8>, Refusal> {
        match (&self.branches[..], &mut self.sound) {
            ([branch], Some(sound)) if branch.leg == leg => sound.answer(offer, branch.from, out),
            _ => Err(Refusal::NotAcceptable),
        }
    }

    /// Nobody shall answer any more.
    pub fn cancel(&mut self, out: &mut Out) {
        self.end_branches(None, out);
        self.close(out);
    }

    fn answered(&mut self, leg: LegId, sdp: &[u8], out: &mut Out) -> Rung {
        let Some(at) = self.branches.iter().position(|b| b.leg == leg) else { return Rung::Still };
        let winner = self.branches.remove(at);
        let Some(mut sound) = self.sound.take() else { return Rung::Still };
        if sound.settle(sdp, winner.from, out).is_err() {
            self.sound = Some(sound);
            out.want(Intent::HangUp { leg, cause: Some("SIP;cause=488") });
            return self.one_less(488, out);
        }
        self.end_branches(Some(ELSEWHERE), out);
        Rung::Answered(Box::new(Leg::answered(leg, self.peer.clone(), winner.from, sound)))
    }

    fn refused(&mut self, leg: LegId, code: u16, out: &mut Out) -> Rung {
        let before = self.branches.len();
        self.branches.retain(|b| b.leg != leg);
        if self.branches.len() == before {
            return Rung::Still;
        }
        out.want(Intent::LegGone(leg));
        if code >= 600 {
            self.end_branches(None, out);
        }
        self.one_less(code, out)
    }

    fn one_less(&mut self, code: u16, out: &mut Out) -> Rung {
        if weight(code) > weight(self.worst) {
            self.worst = code;
        }
        if !self.branches.is_empty() {
            return Rung::Still;
        }
        self.close(out);
        Rung::Nobody(self.worst)
    }

    fn end_branches(&mut self, cause: Option<&'static str>, out: &mut Out) {
        for branch in self.branches.drain(..) {
            out.want(Intent::HangUp { leg: branch.leg, cause });
        }
    }

    fn close(&mut self, out: &mut Out) {
        if let Some(sound) = self.sound.take() {
            out.want(Intent::Close(sound.session));
        }
    }
}

/// Which of several refusals says most: declined by hand, then busy, then the rest of the network.
fn weight(code: u16) -> u8 {
    match code {
        600..=699 => 4,
        486 => 3,
        400..=499 => 2,
        500..=599 => 1,
        _ => 0,
    }
}

/// The cause behind a SIP code.
#[must_use]
pub fn refusal(code: u16) -> Refusal {
    match code {
        486 | 600 => Refusal::Busy,
        603 => Refusal::Declined,
        404 | 410 | 484 | 604 => Refusal::Unknown,
        403 => Refusal::Forbidden,
        408 | 487 => Refusal::NoAnswer,
        415 | 488 | 606 => Refusal::NotAcceptable,
        503 => Refusal::Overloaded,
        _ => Refusal::Unavailable,
    }
}

/// Asks a phone to take the call by itself, in the two ways that makers of phones know: a person reached by a campaign is
/// not kept waiting for a hand.
fn at_once() -> Vec<(String, String)> {
    let ways = [
        ("Alert-Info", "<http://127.0.0.1>;info=alert-autoanswer"),
        ("Call-Info", "<sip:127.0.0.1>;answer-after=0"),
    ];
    ways.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn address(party: &Party, cx: &Cx) -> Uri {
    let user = if party.number.is_empty() { "anonymous" } else { party.number.as_str() };
    Uri::at(Some(user), cx.sip)
}
