//! Who may do what with the SIP door: strangers are challenged and counted, phones prove who they are, carriers are known by
//! their address, and above the limits everybody but an emergency is asked to come back. Same answer whether an extension
//! exists or not.
use super::strangers::make;
use super::{BEHIND_MAX, Engine};
use crate::call::leg::{CODECS, Leg, contact};
use crate::call::stage::Stage;
use crate::call::story::Story;
use crate::call::{Call, Caller, Core, Input, MAX_BREADTH};
use crate::effect::Effect;
use crate::guard::sums::Device;
use crate::guard::{Blame, Failure, Place};
use crate::intent::{Chapter, Intent, Peer};
use crate::ledger::CallEntry;
use crate::phones::{EXPIRES_MIN, NotRegistered};
use crate::route::{Target, dialled, inbound, outbound};
use crate::timers::{CallTimer, Reason};
use model::clock::Now;
use model::config::Config;
use model::id::LegId;
use model::notice::Notice;
use model::number::Number;
use model::record::{Digest, Direction, Party, Record};
use model::refusal::Refusal;
use sip::digest::{Algorithm, Verdict};
use sip::endpoint::Reply;
use sip::indication::ServerId;
use sip::{Flow, Method, Name, NameAddr, Request, Transport, Uri};
use std::sync::Arc;
use std::time::Duration;

/// What we understand.
const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER, SUBSCRIBE, NOTIFY, REFER, PRACK";
/// Seconds after which a caller may try again.
const RETRY_AFTER: &str = "5";
/// Ports that ordinary calls leave free: two for an emergency call, two for the notice of it.
const PORTS_KEPT: usize = 4;
/// No call lasts longer: a phone that died without BYE holds no line for ever.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3600);

/// How a challenge is put.
struct Challenge {
    /// The password was not at fault: the phone need not ask its user.
    stale: bool,
    /// Nothing but SHA-256, whatever its make.
    strong: bool,
}

impl Engine {
    /// A new call knocks.
    pub(super) fn invited(&mut self, now: Now, server: ServerId, flow: Flow, request: &Request) {
        if self.self_invited(now, server, &flow, request) {
            return;
        }
        let user = request.uri().user();
        let trunk = self.trunks.by_source(flow.remote, user.as_deref()).map(str::to_owned);
        if let Some(name) = trunk {
            self.trunk_lives(now, &name);
            if self.full(now) {
                return self.shed(now, server, &flow);
            }
            return self.call_from_trunk(now, server, flow, request, name);
        }
        let urgent = self.dialled(request).is_some_and(|n| dialled::emergency(&self.config, &n).is_some());
        if urgent && let Some(number) = self.phones.behind(&flow).cloned() {
            return self.call_from_phone(now, server, flow, request, number);
        }
        if self.is_for_others(now, &flow, request) {
            self.failed(now, &flow, None, Failure::Strange);
            return self.sip.ignore(server);
        }
        if self.full(now) && !urgent {
            return self.shed(now, server, &flow);
        }
        if let Some((number, _)) = self.authenticate(now, server, &flow, request) {
            self.call_from_phone(now, server, flow, request, number);
        }
    }

    /// Any other request that is ours to answer.
    pub(super) fn asked(
        &mut self,
        now: Now,
        server: ServerId,
        leg: Option<LegId>,
        flow: Flow,
        request: &Request,
    ) {
        if let Some(name) = self.trunks.by_source(flow.remote, None).map(str::to_owned) {
            self.trunk_lives(now, &name);
        } else if self.is_for_others(now, &flow, request) {
            self.failed(now, &flow, None, Failure::Strange);
            return self.sip.ignore(server);
        } else if !matches!(request.method(), Method::Register | Method::Subscribe) {
            // Answered without proof of identity: a stranger gets only so many of them (S3, S10).
            if self.place(now, &flow, None) == Place::Stranger {
                self.failed(now, &flow, None, Failure::Strange);
            }
            if !self.answers(now, &flow) {
                return self.sip.ignore(server);
            }
        }
        match request.method() {
            Method::Register => self.registers(now, server, flow, request),
            Method::Refer if leg.is_some() => {
                if let Some(leg) = leg {
                    self.referred(now, server, leg, request);
                }
            }
            Method::Subscribe if leg.is_none() => self.subscribes(now, server, &flow, request),
            Method::Options => {
                let reply =
                    Reply::new(200).header("Allow", ALLOW).header("Accept", "application/sdp").stateless();
                self.sip.respond(now, server, reply, &mut self.outputs);
            }
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Info
            | Method::Invite
            | Method::Message
            | Method::Notify
            | Method::Prack
            | Method::Publish
            | Method::Refer
            | Method::Subscribe
            | Method::Update
            | Method::Other(_) => {
                let reply = Reply::new(405).header("Allow", ALLOW).stateless();
                self.sip.respond(now, server, reply, &mut self.outputs);
            }
        }
    }

    /// Whether no new ordinary call is taken now.
    pub(super) fn full(&self, now: Now) -> bool {
        let behind = self.behind.is_some_and(|since| now.mono - since > BEHIND_MAX);
        let limit = usize::try_from(self.config.system.call_limit).unwrap_or(usize::MAX);
        self.draining
            || behind
            || !self.media_up
            || self.ports.free() < PORTS_KEPT
            || self.calls.len() >= limit
    }

    /// Counts a failure of a source; one too many bans it.
    pub(super) fn failed(&mut self, now: Now, flow: &Flow, account: Option<&str>, failure: Failure) {
        let source = flow.remote.ip();
        if self.trunks.by_source(flow.remote, None).is_some() {
            return;
        }
        let place = self.place(now, flow, account);
        let ban = match self.guard.failed(now, source, account, failure, place) {
            Blame::Nothing => return,
            Blame::Silenced => {
                let text = format!(
                    "wrong passwords from {source}, where a phone is registered; they are not weighed for a while"
                );
                return self.note(now, "warning", "guesses", &source.to_string(), &text);
            }
            Blame::Banned(ban) => ban,
        };
        let text = format!("{source} hears nothing until its ban ends: {}", ban.cause);
        self.note(now, "warning", "ban", &source.to_string(), &text);
        if let Some((_, at, _)) = self.guard.bans().find(|(a, ..)| *a == source) {
            self.timers.set(Reason::BanEnd(source), at);
        }
        self.effects.push(Effect::Notice(Notice::Ban(ban.clone())));
        self.keep(now, Record::Ban(ban), None);
    }

    /// The books of a new call.
    pub(super) fn open_story(&mut self, now: Now, core: &Core) {
        let (story, open) =
            Story::open(now, core.id, core.direction, core.caller.party.clone(), core.called.clone());
        let entry = CallEntry { story, started: now.wall, told: None, emergency: false, application: None };
        self.ledger.calls.insert(core.id, entry);
        self.keep(now, open, None);
        self.timers.set(Reason::Call(core.id, CallTimer::Age), now.mono + LONGEST_CALL);
        self.system_changed(now);
    }

    fn shed(&mut self, now: Now, server: ServerId, flow: &Flow) {
        self.shed += 1;
        self.system_changed(now);
        if !self.answers(now, flow) {
            return self.sip.ignore(server);
        }
        let reply = Reply::new(503).header("Retry-After", RETRY_AFTER).stateless();
        self.sip.respond(now, server, reply, &mut self.outputs);
    }

    /// The extension whose password the request proves, and how; else it was answered with a challenge, or with silence.
    fn authenticate(
        &mut self,
        now: Now,
        server: ServerId,
        flow: &Flow,
        request: &Request,
    ) -> Option<(Number, Digest)> {
        let source = flow.remote.ip();
        let account = request.headers().first(Name::Authorization).and_then(username).map(str::to_owned);
        let place = self.place(now, flow, account.as_deref());
        if account.is_some()
            && !self.guard.weighs(now.mono, source, account.as_deref().unwrap_or_default(), place)
        {
            self.failed(now, flow, account.as_deref(), Failure::Guess);
            self.sip.ignore(server);
            return None;
        }
        let config = self.config.clone();
        let verdict = self.nonces.check(
            now,
            source,
            &config.system.realm,
            request.method().as_str(),
            request.headers().all(Name::Authorization),
            |user| config.extension_by_user(user).map(|e| e.password.clone()),
        );
        let speaks_for = request.from().uri.user().unwrap_or_default();
        let device =
            Device { source, make: make(request), account: &speaks_for, method: request.method().as_str() };
        let mut challenge = Challenge { stale: verdict == Verdict::Stale, strong: false };
        match verdict {
            Verdict::Right { user, algorithm } => match self.proved(now, &config, device, &user, algorithm) {
                Ok(proved) => return Some(proved),
                Err(again) => challenge = again,
            },
            Verdict::Stale => {}
            Verdict::Missing => {
                let (call_id, cseq) = (request.call_id(), request.cseq().number);
                self.guard.sums.unanswered(&config.system.md5_phones, device, call_id, cseq);
                let knock = request.method() == &Method::Register;
                self.failed(now, flow, None, if knock { Failure::Knock } else { Failure::Strange });
            }
            Verdict::Wrong { user } => self.failed(now, flow, Some(&user), Failure::Guess),
        }
        match self.answers(now, flow) {
            true => self.challenge(now, server, device, challenge),
            false => self.sip.ignore(server),
        }
        None
    }

    /// A password was right. It counts when it was proved by a digest that this phone may use.
    fn proved(
        &mut self,
        now: Now,
        config: &Config,
        device: Device<'_>,
        user: &str,
        algorithm: Algorithm,
    ) -> Result<(Number, Digest), Challenge> {
        let again = Challenge { stale: false, strong: true };
        let Some(extension) = config.extension_by_user(user) else { return Err(again) };
        if extension.sha256_only && algorithm == Algorithm::Md5 {
            if self.guard.sums.worth_telling(now.mono) {
                let text = "its phone proved the password with MD5 only, which this extension refuses; allow MD5 \
                            under Extensions, or use another phone";
                self.note(now, "warning", "md5_refused", extension.number.as_str(), text);
            }
            return Err(again);
        }
        let old = &config.system.md5_phones;
        match self.guard.sums.answered(old, device, algorithm) {
            Some(digest) => {
                self.guard.succeeded(now, device.source, user);
                Ok((extension.number.clone(), digest))
            }
            // It is asked once more when MD5 is offered from now on; to a phone that knows better it is just wrong.
            None => {
                let offered = self.guard.sums.offer(old, device).contains(&Algorithm::Md5);
                Err(Challenge { stale: offered, strong: !offered })
            }
        }
    }

    fn challenge(&mut self, now: Now, server: ServerId, device: Device<'_>, challenge: Challenge) {
        let config = self.config.clone();
        let algorithms = match challenge.strong {
            true => &[Algorithm::Sha256],
            false => self.guard.sums.offer(&config.system.md5_phones, device),
        };
        let mut reply = Reply::new(401).stateless();
        reply.headers =
            self.nonces.challenge(now, device.source, &config.system.realm, challenge.stale, algorithms);
        self.sip.respond(now, server, reply, &mut self.outputs);
    }

    fn registers(&mut self, now: Now, server: ServerId, flow: Flow, request: &Request) {
        let Some((number, digest)) = self.authenticate(now, server, &flow, request) else { return };
        let config = self.config.clone();
        let own = config.extension.get(&number);
        let to = request.to().uri.user().unwrap_or_default().into_owned();
        let reply = match own {
            Some(extension) if to == extension.user || to == number.as_str() => {
                match self.phones.register(now, &number, extension.max_contacts, flow, Some(digest), request)
                {
                    Ok(done) => {
                        let mut reply = Reply::new(200);
                        reply.headers.extend(done.contacts.iter().map(|c| ("Contact".to_owned(), c.clone())));
                        let paths = request.header("Path").map(|p| ("Path".to_owned(), p.to_owned()));
                        reply.headers.extend(paths);
                        let changed = if done.changed { vec![number.clone()] } else { Vec::new() };
                        let kept = self.phones_changed(now, &changed, done.records);
                        if changed.is_empty() {
                            self.tell_phone(&number);
                        }
                        if let Some(ticket) = kept {
                            return self.answer_after(now, ticket, server, reply);
                        }
                        reply
                    }
                    Err(NotRegistered::Malformed) => Reply::new(400),
                    Err(NotRegistered::TooBrief) => {
                        Reply::new(423).header("Min-Expires", &EXPIRES_MIN.to_string())
                    }
                    Err(NotRegistered::OutOfOrder) => Reply::new(500),
                    Err(NotRegistered::TooMany) => Reply::new(403),
                }
            }
            Some(_) | None => Reply::new(403),
        };
        self.sip.respond(now, server, reply, &mut self.outputs);
    }

    fn subscribes(&mut self, now: Now, server: ServerId, flow: &Flow, request: &Request) {
        let Some((number, _)) = self.authenticate(now, server, flow, request) else { return };
        let event = request.header("Event").next().unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let reply = match package.as_str() {
            "message-summary" => {
                let expires = request.expires().unwrap_or(3600);
                if self.subscribe(now, server, &number, expires) {
                    return;
                }
                Reply::new(503).header("Retry-After", RETRY_AFTER)
            }
            _ => Reply::new(489).header("Allow-Events", "message-summary"),
        };
        self.sip.respond(now, server, reply, &mut self.outputs);
    }

    /// The number in the Request-URI; a user name of an extension counts as its number.
    fn dialled(&self, request: &Request) -> Option<Number> {
        number_of(request.uri()).or_else(|| {
            let user = request.uri().user()?;
            self.config.extension_by_user(&user).map(|e| e.number.clone())
        })
    }

    /// A phone calls in the name of whoever is logged in there; with nobody, only emergency numbers and the code to log in.
    fn call_from_phone(&mut self, now: Now, server: ServerId, flow: Flow, request: &Request, phone: Number) {
        let config = self.config.clone();
        let person = self.phones.seats.serves(&config, &phone);
        let nobody = person.is_none();
        let number = person.unwrap_or_else(|| phone.clone());
        let Some(extension) = config.extension.get(&number) else { return self.sip.ignore(server) };
        let called = self.dialled(request);
        let target = called.as_ref().and_then(|n| dialled::target(&config, n));
        let direction = direction_to(target.as_ref());
        let caller = Caller {
            party: Party { number: number.to_string(), name: extension.name.clone() },
            peer: Peer::Phone(number),
            outside: None,
        };
        let text = called.map(|n| n.to_string());
        let text =
            text.unwrap_or_else(|| request.uri().user().unwrap_or_default().chars().take(64).collect());
        let language = extension.language.unwrap_or(config.system.language);
        let leg = self.ids.leg();
        let offer = request.sdp().map(<[u8]>::to_vec);
        let a = Leg::incoming(leg, caller.peer.clone(), flow.remote.ip(), &CODECS, offer);
        let called = Party { name: name_of(&config, target.as_ref()), number: text };
        let mut core = Core::new(self.ids.call(), config, direction, caller, called, a, language);
        core.desk = Some(phone);
        let input = match target {
            Some(target) if nobody && !for_anybody(&target) => {
                Input::Refuse(Refusal::Forbidden, "nobody is logged in at this phone")
            }
            Some(target) => Input::Start(target),
            None => Input::Refuse(Refusal::Unknown, "no such number"),
        };
        self.take_in(now, &Knock { server, transport: flow.transport, request }, core, input);
    }

    fn call_from_trunk(&mut self, now: Now, server: ServerId, flow: Flow, request: &Request, trunk: String) {
        let config = self.config.clone();
        let Some(rules) = config.trunk.get(&trunk) else { return self.sip.ignore(server) };
        let to_account = request.uri().user().as_deref() == rules.username.as_deref();
        let sent = if to_account {
            number_of(&request.to().uri).or_else(|| number_of(request.uri()))
        } else {
            number_of(request.uri())
        };
        let asserted = request.header("P-Asserted-Identity").next().and_then(|v| NameAddr::read(v).ok());
        let identity = asserted.unwrap_or_else(|| request.from().clone());
        let caller_sent = number_of(&identity.uri);
        let outside = caller_sent.as_ref().map(|n| inbound::normalise(&config, rules, n));
        let called = sent.as_ref().map(|n| inbound::normalise(&config, rules, n));
        let shown = outside.as_ref().map(Number::to_string).unwrap_or_default();
        let contact = self.contacts.find(&shown);
        let class = contact.map(|c| c.class.as_str()).unwrap_or_default();
        let rule = called.as_ref().zip(sent.as_ref()).and_then(|(e164, sent)| {
            let callers = [outside.as_ref(), caller_sent.as_ref()];
            inbound::rule(&config, &trunk, [e164, sent], callers, class, now.wall)
        });
        let transit = sent.clone().filter(|n| rule.is_none() && outbound::rule(&config, n, true).is_some());
        let input = match (rule, transit) {
            (Some(rule), _) => Input::Start(Target::from(&rule.to)),
            (None, Some(number)) => Input::Start(Target::Outside(number)),
            (None, None) => Input::Refuse(Refusal::Unknown, "no inbound rule for the number"),
        };
        let known = contact.map(|c| if c.name.is_empty() { &c.company } else { &c.name });
        let sent_name = identity.display.as_deref().unwrap_or_default();
        let name = known.map_or(sent_name, String::as_str).chars().take(64).collect();
        let caller =
            Caller { party: Party { number: shown, name }, peer: Peer::Trunk(trunk.clone()), outside };
        let language =
            inbound::language(&config, rule, contact.and_then(|c| c.language), caller.outside.as_ref());
        let number = called.map(|n| n.to_string()).unwrap_or_default();
        let called = Party { number, name: rule.map(|r| r.name.clone()).unwrap_or_default() };
        let leg = self.ids.leg();
        let offer = request.sdp().map(<[u8]>::to_vec);
        let a = Leg::incoming(leg, caller.peer.clone(), flow.remote.ip(), &rules.codecs, offer);
        let mut core =
            Core::new(self.ids.call(), config.clone(), Direction::Inbound, caller, called, a, language);
        core.trunk = Some(trunk.clone());
        let id = core.id;
        let detail = format!("{trunk} {}", core.called.number);
        self.take_in(now, &Knock { server, transport: flow.transport, request }, core, input);
        self.carry_out(now, id, Intent::Tell(Chapter::Trunk(trunk)));
        self.carry_out(now, id, Intent::Tell(Chapter::Step("trunk_in", detail)));
    }

    /// The call exists from here on: its leg, its record, its first input.
    fn take_in(&mut self, now: Now, knock: &Knock, mut core: Core, input: Input) {
        let Knock { server, transport, request } = *knock;
        core.max_breadth = breadth(request);
        if core.max_breadth == 0 {
            let mut reply = Reply::new(440).stateless();
            reply.reason = Some("Max-Breadth Exceeded".into());
            return self.sip.respond(now, server, reply, &mut self.outputs);
        }
        let (id, leg, peer) = (core.id, core.a.id, core.caller.peer.clone());
        let hops = request.max_forwards().unwrap_or(70);
        let input = if hops <= 1 { Input::Refuse(Refusal::Unavailable, "too many hops") } else { input };
        core.max_forwards = hops.saturating_sub(1).min(70);
        let user = match &peer {
            Peer::Phone(number) => Some(number.as_str()),
            Peer::Trunk(name) => self.config.trunk.get(name).and_then(|t| t.username.as_deref()),
        };
        let contact = contact(user, self.address, transport);
        self.sip.adopt(now, server, leg, contact, &mut self.outputs);
        self.open_story(now, &core);
        self.leg_begins(now, leg, id, peer);
        self.calls.insert(id, Box::new(Call { core, stage: Stage::Routing, since: now.wall }));
        self.pending.push_back((id, input));
    }
}

/// A new call at the door.
struct Knock<'a> {
    server: ServerId,
    transport: Transport,
    request: &'a Request,
}

/// Whether a phone may call it with nobody logged in there.
fn for_anybody(target: &Target) -> bool {
    matches!(target, Target::Emergency(_) | Target::HotDesk(_))
}

/// Which way a call of our own phones goes.
pub(super) fn direction_to(target: Option<&Target>) -> Direction {
    match target {
        Some(Target::Outside(_) | Target::Emergency(_)) => Direction::Outbound,
        Some(_) | None => Direction::Internal,
    }
}

/// The name of the called party, where there is one.
pub(super) fn name_of(config: &Arc<Config>, target: Option<&Target>) -> String {
    match target {
        Some(Target::Extension(n)) => config.extension.get(n).map(|e| e.name.clone()).unwrap_or_default(),
        Some(Target::Queue(name) | Target::Flow(name)) => name.clone(),
        Some(_) | None => String::new(),
    }
}

fn number_of(uri: &Uri) -> Option<Number> {
    Number::read(&uri.dialled()?)
}

/// Branches an INVITE may have at once, over all hops.
fn breadth(request: &Request) -> u16 {
    let asked = request.header("Max-Breadth").next().and_then(|v| v.trim().parse::<u16>().ok());
    asked.unwrap_or(MAX_BREADTH).min(MAX_BREADTH)
}

/// The user name in an Authorization value, before anything is checked.
fn username(value: &str) -> Option<&str> {
    let at = value.find("username=\"")? + "username=\"".len();
    value[at..].split('"').next()
}
