//! What happens to phones in browsers. Each extension has at most one, each phone at most one tab and one call. A tab that
//! goes (a reload, a lost network) leaves its phone and its call alone for a while; the same tab finds both again. Pure:
//! time, datagrams and wishes come in; datagrams, commands and words for pages go out.
use super::line::{Line, Party, Phone};
use super::{Accounts, In, Out, Places, TabId};
use model::browser_phone::{PhoneAsk, PhoneId, PhoneRefusal, PhoneTell, RtcCommand, RtcEvent};
use model::clock::{Mono, Now};
use model::id::LegId;
use model::media::Codec;
use model::number::Number;
use sip::endpoint::{Hop, Invite, Reply, RequestOut, Settings};
use sip::indication::{ClientId, ServerId};
use sip::sdp::offer_answer::{Agreed, Side};
use sip::sdp::{Direction, Sdp};
use sip::{Endpoint, Flow, Indication, Method, NameAddr, Output, Request, Response, Uri};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a phone speaks with the engine, best first: browsers are answered with µ-law.
const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];
/// Phones at once; the media role has room for as many.
const PHONES_MAX: usize = crate::rtc::PHONES_MAX;
/// Pages at once: each phone in four tabs.
const TABS_MAX: usize = 4 * PHONES_MAX;
/// Lifetime asked for a registration. Short: when the box loses power, callers are not kept ringing nobody for long.
const EXPIRES_S: u32 = 300;
/// When it is refreshed.
const REFRESH: Duration = Duration::from_secs(130);
/// When a refused registration is tried again: the password may have been changed by then.
const RETRY: Duration = Duration::from_secs(20);
/// A phone without tab and call stays this long: a reload takes 2 s, a lost network is noticed and back within 20.
const ALONE: Duration = Duration::from_secs(30);
/// With a call it stays longer: people hang up themselves when they hear nobody.
const ALONE_IN_CALL: Duration = Duration::from_secs(90);

/// All phones in browsers.
pub(super) struct Board {
    sip: Endpoint,
    places: Places,
    accounts: Accounts,
    phones: BTreeMap<PhoneId, Phone>,
    /// Every open page and the extension it belongs to.
    tabs: BTreeMap<TabId, (String, String)>,
    media_up: bool,
    next: u64,
    outputs: Vec<Output>,
}

impl Board {
    /// Nobody is there yet. `seed`: random.
    pub fn new(places: Places, seed: [u8; 32], accounts: Accounts) -> Board {
        let mut settings = Settings::new(seed);
        settings.user_agent = Some("Belfry browser phone".to_owned());
        Board {
            sip: Endpoint::new(settings),
            places,
            accounts,
            phones: BTreeMap::new(),
            tabs: BTreeMap::new(),
            media_up: false,
            next: 1,
            outputs: Vec::new(),
        }
    }

    /// One step.
    pub fn handle(&mut self, now: Now, input: In, out: &mut Vec<Out>) {
        match input {
            In::Attached { tab, extension, key } => self.attached(tab, extension, key, out),
            In::Detached(tab) => self.detached(now, tab),
            In::Asked(tab, ask) => self.asked(now, tab, ask, out),
            In::Sip(bytes) => {
                let flow = self.flow();
                self.sip.receive(now, flow, &bytes, &mut self.outputs);
            }
            In::Rtc(event) => self.sounded(now, event, out),
            In::RtcUp(up) => self.media(now, up, out),
            In::Tick => self.tick(now, out),
        }
        self.settle(now, out);
    }

    /// When `Tick` is next needed.
    pub fn deadline(&self) -> Option<Mono> {
        let phones = self.phones.values().flat_map(|p| [p.login.again, p.alone.map(|at| at + patience(p))]);
        phones.flatten().chain(self.sip.deadline()).min()
    }

    // --- pages -----------------------------------------------------------------------------------------------

    fn attached(&mut self, tab: TabId, extension: String, key: String, out: &mut Vec<Out>) {
        if self.tabs.len() >= TABS_MAX {
            return out.push(refused(tab, PhoneRefusal::TooMany));
        }
        self.tabs.insert(tab, (extension.clone(), key.clone()));
        match self.phones.values().find(|p| p.extension == extension) {
            None if self.phones.len() >= PHONES_MAX => out.push(refused(tab, PhoneRefusal::TooMany)),
            None => self.own(tab, out),
            Some(phone) if phone.tab.is_none() || phone.key == key => self.own(tab, out),
            Some(_) => out.push(Out::Tell(tab, PhoneTell::Elsewhere)),
        }
    }

    /// This tab is the phone now.
    fn own(&mut self, tab: TabId, out: &mut Vec<Out>) {
        let Some((extension, key)) = self.tabs.get(&tab).cloned() else { return };
        let known = self.phones.values_mut().find(|p| p.extension == extension);
        let id = match known {
            Some(phone) => {
                if let Some(old) = phone.tab.replace(tab).filter(|old| *old != tab) {
                    out.push(Out::Tell(old, PhoneTell::Elsewhere));
                }
                (phone.key, phone.alone) = (key, None);
                phone.id
            }
            None => {
                if self.phones.len() >= PHONES_MAX {
                    return out.push(refused(tab, PhoneRefusal::TooMany));
                }
                let number = self.number();
                let id = u32::try_from(number).unwrap_or(u32::MAX);
                let call_id = format!("browser-{number}-{}", self.places.own.port());
                self.phones.insert(id, Phone::new(id, extension, key, tab, call_id));
                id
            }
        };
        self.show(id, out);
    }

    fn detached(&mut self, now: Now, tab: TabId) {
        self.tabs.remove(&tab);
        for phone in self.phones.values_mut().filter(|p| p.tab == Some(tab)) {
            (phone.tab, phone.alone) = (None, Some(now.mono));
        }
    }

    fn asked(&mut self, now: Now, tab: TabId, ask: PhoneAsk, out: &mut Vec<Out>) {
        if ask == PhoneAsk::Ping {
            return out.push(Out::Tell(tab, PhoneTell::Pong));
        }
        if ask == PhoneAsk::Take {
            return self.own(tab, out);
        }
        let Some(id) = self.phones.values().find(|p| p.tab == Some(tab)).map(|p| p.id) else {
            return out.push(Out::Tell(tab, PhoneTell::Elsewhere));
        };
        let done = match ask {
            PhoneAsk::Ping | PhoneAsk::Take => Ok(()),
            PhoneAsk::Offer { sdp } => self.offer(id, sdp, out),
            PhoneAsk::Dial { to } => self.dial(now, id, &to, out),
            PhoneAsk::Answer => self.answer(now, id, out),
            PhoneAsk::HangUp => self.hang_up(now, id, out),
            PhoneAsk::Key { key } => {
                let up = self.phones.get(&id).is_some_and(|p| p.line.leg().is_some());
                if up {
                    out.push(Out::Rtc(RtcCommand::Key { phone: id, key }));
                }
                if up { Ok(()) } else { Err(PhoneRefusal::NotNow) }
            }
            PhoneAsk::Off => {
                self.remove(now, id, out);
                Ok(())
            }
        };
        if let Err(why) = done {
            out.push(refused(tab, why));
        }
    }

    fn offer(&mut self, id: PhoneId, offer: String, out: &mut Vec<Out>) -> Result<(), PhoneRefusal> {
        if !self.media_up {
            return Err(PhoneRefusal::NoMedia);
        }
        out.push(Out::Rtc(RtcCommand::Open { phone: id, offer }));
        Ok(())
    }

    fn dial(&mut self, now: Now, id: PhoneId, to: &str, out: &mut Vec<Out>) -> Result<(), PhoneRefusal> {
        let number = Number::read(to).ok_or(PhoneRefusal::BadNumber)?;
        let leg = LegId(self.number());
        let flow = self.flow();
        let Some(phone) = self.phones.get_mut(&id) else { return Ok(()) };
        let (Line::Idle, Some(rtp)) = (&phone.line, phone.rtp) else { return Err(PhoneRefusal::NotNow) };
        let credentials = (self.accounts)(&phone.extension).ok_or(PhoneRefusal::NotRegistered)?;
        let mut side = Side::new(rtp, &CODECS, leg.0);
        let sdp = side.offer(Direction::SendRecv);
        let target = Uri::at(Some(number.as_str()), self.places.engine);
        let from = Uri::at(Some(&credentials.username), self.places.engine);
        let with = Party { number: number.to_string(), name: String::new(), since: now.wall };
        phone.line = Line::Dialing { leg, with, side: Box::new(side), early: false };
        let invite = Invite {
            target: target.clone(),
            flow,
            route: Vec::new(),
            from: NameAddr::new(from),
            to: NameAddr::new(target),
            contact: Uri::at(Some(&phone.extension), self.places.own),
            max_forwards: 70,
            headers: Vec::new(),
            sdp,
            credentials: Some(credentials),
            reliable: false,
            hop: Hop::Symmetric,
        };
        self.sip.invite(now, leg, invite, &mut self.outputs);
        self.show(id, out);
        Ok(())
    }

    fn answer(&mut self, now: Now, id: PhoneId, out: &mut Vec<Out>) -> Result<(), PhoneRefusal> {
        let engine = self.places.engine.ip();
        let Some(phone) = self.phones.get_mut(&id) else { return Ok(()) };
        let (Line::Ringing { leg, with, offer }, Some(rtp)) = (&phone.line, phone.rtp) else {
            return Err(PhoneRefusal::NotNow);
        };
        let (leg, mut with) = (*leg, with.clone());
        let mut side = Side::new(rtp, &CODECS, leg.0);
        let read = offer.as_deref().map(Sdp::read).transpose().ok().flatten();
        let Some((agreed, sdp)) = read.and_then(|o| side.answer(&o, engine, Direction::SendRecv).ok()) else {
            self.sip.refuse(now, leg, 488, None, Vec::new(), &mut self.outputs);
            self.over(id, out);
            return Err(PhoneRefusal::Failed);
        };
        with.since = now.wall;
        phone.line = Line::Talking { leg, with, side: Box::new(side) };
        out.push(join(id, agreed));
        self.sip.accept(now, leg, sdp, Vec::new(), &mut self.outputs);
        self.show(id, out);
        Ok(())
    }

    fn hang_up(&mut self, now: Now, id: PhoneId, out: &mut Vec<Out>) -> Result<(), PhoneRefusal> {
        let Some(phone) = self.phones.get(&id) else { return Ok(()) };
        match &phone.line {
            Line::Idle => return Err(PhoneRefusal::NotNow),
            Line::Ringing { leg, .. } => {
                self.sip.refuse(now, *leg, 486, None, Vec::new(), &mut self.outputs);
            }
            Line::Dialing { leg, .. } | Line::Talking { leg, .. } => {
                self.sip.hang_up(now, *leg, Some("Q.850;cause=16"), &mut self.outputs);
            }
        }
        self.over(id, out);
        Ok(())
    }

    /// The call is over, whoever ended it.
    fn over(&mut self, id: PhoneId, out: &mut Vec<Out>) {
        if let Some(phone) = self.phones.get_mut(&id) {
            phone.line = Line::Idle;
            out.push(Out::Rtc(RtcCommand::Part { phone: id }));
            self.show(id, out);
        }
    }

    fn remove(&mut self, now: Now, id: PhoneId, out: &mut Vec<Out>) {
        // A line that is idle has nothing to hang up.
        let _ = self.hang_up(now, id, out);
        self.register(now, id, 0);
        if let Some(mut phone) = self.phones.remove(&id) {
            out.push(Out::Rtc(RtcCommand::Close { phone: id }));
            (phone.rtp, phone.sound, phone.login.on) = (None, false, false);
            let view = phone.view();
            out.extend(phone.tab.map(|tab| Out::Tell(tab, PhoneTell::Phone(view))));
        }
    }

    fn show(&self, id: PhoneId, out: &mut Vec<Out>) {
        if let Some(phone) = self.phones.get(&id)
            && let Some(tab) = phone.tab
        {
            out.push(Out::Tell(tab, PhoneTell::Phone(phone.view())));
        }
    }

    // --- sound -----------------------------------------------------------------------------------------------

    fn media(&mut self, now: Now, up: bool, out: &mut Vec<Out>) {
        self.media_up = up;
        if up {
            out.push(Out::Rtc(RtcCommand::Hello));
        }
        let ids: Vec<PhoneId> = self.phones.keys().copied().collect();
        for id in ids {
            // Its engine's half died with the same process; pages see that they are closed and offer anew.
            let _ = self.hang_up(now, id, out);
            if let Some(phone) = self.phones.get_mut(&id) {
                (phone.rtp, phone.sound) = (None, false);
            }
            self.show(id, out);
        }
    }

    fn sounded(&mut self, now: Now, event: RtcEvent, out: &mut Vec<Out>) {
        match event {
            RtcEvent::Opened { phone: id, answer, rtp } => {
                let Some(phone) = self.phones.get_mut(&id) else { return };
                phone.rtp = Some(rtp);
                let register = !phone.login.on && !phone.login.asking;
                out.extend(phone.tab.map(|tab| Out::Tell(tab, PhoneTell::Answer { sdp: answer })));
                if register {
                    self.register(now, id, EXPIRES_S);
                }
                self.show(id, out);
            }
            RtcEvent::NotOpened { phone: id, full } => {
                let why = if full { PhoneRefusal::TooMany } else { PhoneRefusal::BadOffer };
                out.extend(self.phones.get(&id).and_then(|p| p.tab).map(|tab| refused(tab, why)));
            }
            RtcEvent::Sound { phone: id, flows } => {
                if let Some(phone) = self.phones.get_mut(&id) {
                    phone.sound = flows;
                }
                self.show(id, out);
            }
        }
    }

    // --- time ------------------------------------------------------------------------------------------------

    fn tick(&mut self, now: Now, out: &mut Vec<Out>) {
        self.sip.handle_timeout(now, &mut self.outputs);
        let ids: Vec<PhoneId> = self.phones.keys().copied().collect();
        for id in ids {
            let Some(phone) = self.phones.get_mut(&id) else { continue };
            if phone.alone.is_some_and(|at| at + patience(phone) <= now.mono) {
                self.remove(now, id, out);
            } else if phone.login.again.is_some_and(|at| at <= now.mono) {
                phone.login.again = None;
                self.register(now, id, EXPIRES_S);
            }
        }
    }

    /// Registers for so long; 0 ends it.
    fn register(&mut self, now: Now, id: PhoneId, expires_s: u32) {
        let (flow, Places { own, engine }) = (self.flow(), self.places);
        let Some(phone) = self.phones.get_mut(&id) else { return };
        let Some(credentials) = (self.accounts)(&phone.extension) else {
            phone.login.on = false;
            phone.login.again = Some(now.mono + RETRY);
            return;
        };
        // Challenges take one more number each; sixteen is far beyond what one REGISTER meets.
        phone.login.cseq += 16;
        phone.login.asking = true;
        let account = NameAddr::new(Uri::at(Some(&credentials.username), engine));
        let contact = NameAddr::new(Uri::at(Some(&phone.extension), own));
        let request = RequestOut {
            id: ClientId(id.into()),
            method: Method::Register,
            target: Uri::at(None, engine),
            flow,
            route: Vec::new(),
            from: account.clone(),
            to: account,
            call_id: Some(phone.login.call_id.clone()),
            cseq: Some(phone.login.cseq),
            contact: Some(contact.with_param("expires", &expires_s.to_string())),
            headers: Vec::new(),
            content_type: String::new(),
            body: Vec::new(),
            credentials: Some(credentials),
        };
        self.sip.request(now, request, &mut self.outputs);
    }

    fn registered(&mut self, now: Now, id: PhoneId, answer: Option<&Response>, out: &mut Vec<Out>) {
        let Some(phone) = self.phones.get_mut(&id) else { return };
        let on = answer.is_some_and(|a| a.code() == 200);
        phone.login.again = Some(now.mono + if on { REFRESH } else { RETRY });
        phone.login.asking = false;
        let changed = std::mem::replace(&mut phone.login.on, on) != on;
        if !on {
            tracing::warn!(
                extension = phone.extension,
                code = answer.map(Response::code),
                "a phone in a browser cannot register"
            );
            out.extend(phone.tab.map(|tab| refused(tab, PhoneRefusal::NotRegistered)));
        }
        if changed {
            self.show(id, out);
        }
    }

    // --- the engine ------------------------------------------------------------------------------------------

    /// Carries out what the SIP machine wants until it wants nothing.
    fn settle(&mut self, now: Now, out: &mut Vec<Out>) {
        while !self.outputs.is_empty() {
            for output in std::mem::take(&mut self.outputs) {
                match output {
                    Output::Send { bytes, .. } => out.push(Out::Sip(bytes)),
                    Output::Indicate(indication) => self.indicated(now, indication, out),
                }
            }
        }
    }

    fn indicated(&mut self, now: Now, indication: Indication, out: &mut Vec<Out>) {
        match indication {
            Indication::Invite { server, request, .. } => self.invited(now, server, &request, out),
            Indication::Progress { leg, sdp, .. } => self.progress(leg, sdp.as_deref(), out),
            Indication::Answered { leg, sdp, .. } => self.answered(now, leg, &sdp, out),
            Indication::Refused { leg, code, .. } => self.turned_down(leg, code, out),
            Indication::Cancelled { leg, .. } | Indication::Ended { leg, .. } => {
                if let Some(id) = self.phone_of(leg) {
                    self.over(id, out);
                }
            }
            Indication::Reoffer { leg, sdp } => self.reoffered(now, leg, sdp.as_deref(), out),
            Indication::Acked { leg, sdp: Some(sdp) } => self.agreed(leg, &sdp, out),
            Indication::Response { id, result } => {
                let answer: Option<Arc<Response>> = result.ok();
                if let Ok(id) = PhoneId::try_from(id.0) {
                    self.registered(now, id, answer.as_deref(), out);
                }
            }
            Indication::Request { server, request, .. } => {
                let code = match request.method() {
                    Method::Options | Method::Notify => 200,
                    Method::Ack
                    | Method::Bye
                    | Method::Cancel
                    | Method::Info
                    | Method::Invite
                    | Method::Message
                    | Method::Prack
                    | Method::Publish
                    | Method::Refer
                    | Method::Register
                    | Method::Subscribe
                    | Method::Update
                    | Method::Other(_) => 405,
                };
                self.sip.respond(now, server, Reply::new(code), &mut self.outputs);
            }
            Indication::Acked { sdp: None, .. }
            | Indication::Info { .. }
            | Indication::Malformed { .. }
            | Indication::ReofferAnswered { .. }
            | Indication::SubscriptionGone { .. } => {}
        }
    }

    fn invited(&mut self, now: Now, server: ServerId, request: &Request, out: &mut Vec<Out>) {
        let user = request.uri().user().unwrap_or_default().into_owned();
        let leg = LegId(self.number());
        let own = self.places.own;
        let code = match self.phones.values_mut().find(|p| p.extension == user) {
            None => 404,
            Some(phone) if phone.rtp.is_none() => 480,
            Some(phone) if phone.line.leg().is_some() => 486,
            Some(phone) => {
                let with = Party::of(request.from(), now.wall);
                phone.line = Line::Ringing { leg, with, offer: request.sdp().map(<[u8]>::to_vec) };
                let (id, contact) = (phone.id, Uri::at(Some(&phone.extension), own));
                self.sip.adopt(now, server, leg, contact, &mut self.outputs);
                self.sip.ring(now, leg, 180, None, &mut self.outputs);
                return self.show(id, out);
            }
        };
        self.sip.respond(now, server, Reply::new(code), &mut self.outputs);
    }

    /// Ringing at the other end: with its own sound, or the page makes the tone.
    fn progress(&mut self, leg: LegId, sdp: Option<&[u8]>, out: &mut Vec<Out>) {
        let engine = self.places.engine.ip();
        let Some(id) = self.phone_of(leg) else { return };
        let Some(Line::Dialing { side, early, .. }) = self.phones.get_mut(&id).map(|p| &mut p.line) else {
            return;
        };
        let read = sdp.and_then(|s| Sdp::read(s).ok());
        if let Some(agreed) = read.and_then(|s| side.settle(&s, engine, Direction::SendRecv).ok()) {
            let told = std::mem::replace(early, true);
            out.push(join(id, agreed));
            if !told {
                self.show(id, out);
            }
        }
    }

    fn answered(&mut self, now: Now, leg: LegId, sdp: &[u8], out: &mut Vec<Out>) {
        let engine = self.places.engine.ip();
        let Some(id) = self.phone_of(leg) else { return };
        let Some(phone) = self.phones.get_mut(&id) else { return };
        let Line::Dialing { with, side, .. } = &phone.line else { return };
        let read = Sdp::read(sdp).ok();
        let Some(agreed) = read.and_then(|s| side.settle(&s, engine, Direction::SendRecv).ok()) else {
            self.sip.hang_up(now, leg, Some("Q.850;cause=88"), &mut self.outputs);
            out.extend(phone.tab.map(|tab| refused(tab, PhoneRefusal::Failed)));
            return self.over(id, out);
        };
        let (mut with, side) = (with.clone(), side.clone());
        with.since = now.wall;
        phone.line = Line::Talking { leg, with, side };
        out.push(join(id, agreed));
        self.show(id, out);
    }

    fn turned_down(&mut self, leg: LegId, code: u16, out: &mut Vec<Out>) {
        let Some(id) = self.phone_of(leg) else { return };
        let why = match code {
            486 | 600 | 603 => PhoneRefusal::Busy,
            404 | 484 | 604 => PhoneRefusal::Unknown,
            401 | 403 | 407 => PhoneRefusal::Forbidden,
            408 | 480 => PhoneRefusal::NoAnswer,
            _ => PhoneRefusal::Failed,
        };
        out.extend(self.phones.get(&id).and_then(|p| p.tab).map(|tab| refused(tab, why)));
        self.over(id, out);
    }

    fn reoffered(&mut self, now: Now, leg: LegId, sdp: Option<&[u8]>, out: &mut Vec<Out>) {
        let engine = self.places.engine.ip();
        let id = self.phone_of(leg);
        let line = id.and_then(|id| self.phones.get_mut(&id)).map(|p| &mut p.line);
        let answer = match (line, sdp) {
            (Some(Line::Talking { side, .. }), Some(sdp)) => Sdp::read(sdp)
                .ok()
                .and_then(|offer| side.answer(&offer, engine, Direction::SendRecv).ok())
                .map(|(agreed, text)| {
                    out.extend(id.map(|id| join(id, agreed)));
                    text
                })
                .ok_or(488),
            (Some(Line::Talking { side, .. }), None) => Ok(side.offer(Direction::SendRecv)),
            (Some(Line::Idle | Line::Ringing { .. } | Line::Dialing { .. }) | None, _) => Err(481),
        };
        self.sip.answer_reoffer(now, leg, answer, &mut self.outputs);
    }

    /// The engine's answer to an offer that it had asked us for.
    fn agreed(&mut self, leg: LegId, sdp: &[u8], out: &mut Vec<Out>) {
        let engine = self.places.engine.ip();
        let Some(id) = self.phone_of(leg) else { return };
        if let Some(Line::Talking { side, .. }) = self.phones.get(&id).map(|p| &p.line)
            && let Ok(answer) = Sdp::read(sdp)
            && let Ok(agreed) = side.settle(&answer, engine, Direction::SendRecv)
        {
            out.push(join(id, agreed));
        }
    }

    fn phone_of(&self, leg: LegId) -> Option<PhoneId> {
        self.phones.values().find(|p| p.line.leg() == Some(leg)).map(|p| p.id)
    }

    fn flow(&self) -> Flow {
        Flow::udp(self.places.own, self.places.engine)
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

/// How long a phone is left alone by its page.
fn patience(phone: &Phone) -> Duration {
    match phone.line {
        Line::Idle | Line::Ringing { .. } => ALONE,
        Line::Dialing { .. } | Line::Talking { .. } => ALONE_IN_CALL,
    }
}

fn refused(tab: TabId, why: PhoneRefusal) -> Out {
    Out::Tell(tab, PhoneTell::Refused { why })
}

fn join(phone: PhoneId, agreed: Agreed) -> Out {
    Out::Rtc(RtcCommand::Join {
        phone,
        remote: agreed.address,
        codec: agreed.codec,
        event_type: agreed.event_type,
    })
}
