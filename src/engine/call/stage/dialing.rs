//! A number outside is asked for, one trunk after the other. Leaves by: answered → Bridged · every trunk failed, or the far
//! party refused → Clearing (or the prompt that says so) · caller gone → Clearing.
//!
//! A trunk that says nothing at all for three seconds, or fails for its own reasons, gives way to the next one. Once it said
//! anything it is waited for, so that no call is dialled twice. An emergency call takes every trunk in turn, three rounds.
use super::super::fork::{Fork, Rung, Way, refusal};
use super::super::leg::contact;
use super::super::{Core, Cx, Heard, LegEvent, Out};
use super::ringing::RING_BACK;
use super::{Stage, bridged, callback, caller_gone, queued, ringing};
use crate::budget::{Barred, Charge};
use crate::dialer::Outreach;
use crate::dialer::campaign::Told;
use crate::intent::{Chapter, Intent, Peer};
use crate::route::outbound::{self, Attempt};
use crate::route::screening;
use crate::timers::CallTimer;
use crate::trunks::Line;
use model::config::Config;
use model::config::budget::Class;
use model::config::extension::Rights;
use model::config::route::Outbound;
use model::id::LegId;
use model::media::{Codec, Listening, MediaCommand};
use model::number::Number;
use model::record::{Direction, Outcome};
use model::refusal::Refusal;
use sip::endpoint::Hop;
use sip::{NameAddr, Uri};
use std::collections::VecDeque;
use std::time::Duration;

/// A live carrier answers 100 at once; E1 and R12 promise the next trunk within 4 s.
const SILENCE: Duration = Duration::from_secs(3);

/// Ringing outside this long ends the try.
const RING: Duration = Duration::from_secs(120);

/// How often an emergency call goes through all trunks.
const EMERGENCY_ROUNDS: u8 = 3;

/// A number outside being asked for.
#[derive(Debug)]
pub struct Dialing {
    number: Number,
    left: VecDeque<Attempt>,
    trying: Option<(Attempt, Fork)>,
    rounds: u8,
    early: bool,
    /// Early sound of a campaign's call is listened to.
    listening: bool,
    last: Refusal,
    /// What its minutes count as; none for an emergency call, which counts nowhere.
    class: Option<Class>,
}

/// An ordinary call: by rule and rights.
pub fn outside(core: &mut Core, number: &Number, cx: &Cx, out: &mut Out) -> Stage {
    let by = core.on_behalf.clone().or_else(|| core.caller.extension().cloned());
    let transit = by.is_none();
    let rights = if transit { Rights::International } else { rights(&core.config, by.as_ref()) };
    let rule = match allowed(&core.config, rights, number, transit) {
        Ok(rule) => rule,
        Err((why, cause)) => return core.refuse(why, cause, out),
    };
    let class = class(&core.config, &rule, number);
    if let Err(why) = cx.budgets.allows(&core.config, cx.now, by.as_ref(), None, class) {
        return core.refuse(Refusal::Forbidden, barred(&why), out);
    }
    let attempts = outbound::attempts(&core.config, &rule, number, transit);
    begin(core, number, attempts, Some(class), cx, out)
}

/// A customer is called back for a queue, which says how dear the call may be; the agent needs no right of their own.
pub fn back(core: &mut Core, number: &Number, cx: &Cx, out: &mut Out) -> Stage {
    let queue = core.queue.as_ref().and_then(|q| core.config.queue.get(q));
    let rights = queue.and_then(|q| q.callback.as_ref()).map_or(Rights::Internal, |c| c.calls);
    let rule = match allowed(&core.config, rights, number, false) {
        Ok(rule) => rule,
        Err((why, cause)) => return core.refuse(why, cause, out),
    };
    let class = class(&core.config, &rule, number);
    if let Err(why) = cx.budgets.allows(&core.config, cx.now, None, None, class) {
        return core.refuse(Refusal::Forbidden, barred(&why), out);
    }
    let attempts = outbound::attempts(&core.config, &rule, number, false);
    begin(core, number, attempts, Some(class), cx, out)
}

/// How far a party's calls may go; who is no extension has no rights of its own.
#[must_use]
pub fn rights(config: &Config, by: Option<&Number>) -> Rights {
    by.and_then(|n| config.extension.get(n)).map_or(Rights::Internal, |e| e.outside_calls)
}

/// The rule for a number, when these rights allow it.
///
/// # Errors
/// Why not, and in words for the record.
pub fn allowed(
    config: &Config,
    rights: Rights,
    number: &Number,
    transit: bool,
) -> Result<Outbound, (Refusal, &'static str)> {
    let rule = outbound::rule(config, number, transit);
    let rule = rule.ok_or((Refusal::Unknown, "no outbound rule for the number"))?;
    let rewritten = outbound::rewritten(rule, number);
    if screening::needed(config, &[number.as_str(), &rewritten]) > rights {
        return Err((Refusal::Forbidden, "rights do not allow the number"));
    }
    Ok(rule.clone())
}

/// What a number counts as.
fn class(config: &Config, rule: &Outbound, number: &Number) -> Class {
    let rewritten = outbound::rewritten(rule, number);
    match screening::needed(config, &[number.as_str(), &rewritten]) {
        Rights::Internal | Rights::National => Class::National,
        Rights::International => Class::International,
        Rights::Premium => Class::Premium,
    }
}

/// Why minutes are not given, in words for the record.
fn barred(why: &Barred) -> &'static str {
    match why {
        Barred::Stopped => "calls to outside are stopped",
        Barred::AtOnce => "too many dear calls of this extension at once",
        Barred::Spent(_) => "the minutes of today are used up",
    }
}

/// Asks one trunk for a number, for a party that is in a call already: the first that is up and has a line.
///
/// # Errors
/// Why there is none.
pub fn reach(
    core: &Core,
    by: Option<&Number>,
    number: &Number,
    cx: &Cx,
    out: &mut Out,
) -> Result<Fork, Refusal> {
    let rule = allowed(&core.config, rights(&core.config, by), number, false).map_err(|(why, _)| why)?;
    let class = class(&core.config, &rule, number);
    let spent = |trunk: Option<&str>| cx.budgets.allows(&core.config, cx.now, by, trunk, class).is_err();
    if spent(None) {
        return Err(Refusal::Forbidden);
    }
    let mut last = Refusal::Unavailable;
    for attempt in outbound::attempts(&core.config, &rule, number, false) {
        let Some(line) = cx.trunks.line(&core.config, &attempt.trunk) else { continue };
        if line.full || !cx.trunks.is_up(&attempt.trunk) {
            last = if line.full { Refusal::Overloaded } else { last };
            continue;
        }
        if spent(Some(&attempt.trunk)) {
            last = Refusal::Forbidden;
            continue;
        }
        let way = way(core, by, &attempt, line, cx).ok_or(Refusal::Malformed)?;
        out.step("outside", attempt.trunk.clone());
        let codecs = codecs(core, &attempt.trunk);
        let fork = Fork::start(core, Peer::Trunk(attempt.trunk.clone()), &codecs, vec![way], cx, out)?;
        charge(&fork, by, &attempt.trunk, class, out);
        return Ok(fork);
    }
    Err(last)
}

/// A call of a campaign: the party is called first, with the campaign's rights; whoever answers becomes the caller.
pub fn campaign(core: &mut Core, number: &Number, cx: &Cx, out: &mut Out) -> Stage {
    let Some(rights) = core.outreach.as_ref().map(|o| o.rights) else {
        return core.finish(Outcome::Failed, "not a call of a campaign", out);
    };
    match allowed(&core.config, rights, number, false) {
        Ok(rule) => {
            let class = class(&core.config, &rule, number);
            if let Err(why) = cx.budgets.allows(&core.config, cx.now, None, None, class) {
                return refused(core, Refusal::Forbidden, barred(&why), out);
            }
            let attempts = outbound::attempts(&core.config, &rule, number, false);
            begin(core, number, attempts, Some(class), cx, out)
        }
        Err((why, words)) => refused(core, why, words, out),
    }
}

/// The campaign hears that its call cannot be made.
fn refused(core: &mut Core, why: Refusal, words: &'static str, out: &mut Out) -> Stage {
    out.want(Intent::Outreach(Told::Refused(why.sip_code())));
    core.finish(Outcome::Refused, words, out)
}

fn charge(fork: &Fork, by: Option<&Number>, trunk: &str, class: Class, out: &mut Out) {
    for leg in fork.legs() {
        let charge = Charge { by: by.cloned(), trunk: trunk.to_owned(), class };
        out.want(Intent::Charge { leg, charge: Box::new(charge) });
    }
}

/// An emergency call: no rule, no right, no limit stops it.
pub fn emergency(core: &mut Core, number: &Number, cx: &Cx, out: &mut Out) -> Stage {
    core.emergency = true;
    // Help goes to the phone, whoever is logged in there.
    if let Some(from) = core.desk.as_ref().or(core.caller.extension()).cloned() {
        out.want(Intent::Emergency { from, number: number.clone() });
    }
    let attempts = outbound::emergency_attempts(&core.config, number);
    begin(core, number, attempts, None, cx, out)
}

fn begin(
    core: &mut Core,
    number: &Number,
    tries: Vec<Attempt>,
    class: Option<Class>,
    cx: &Cx,
    out: &mut Out,
) -> Stage {
    let rounds = if core.emergency { EMERGENCY_ROUNDS } else { 1 };
    core.called.number = number.to_string();
    let (live, dead): (Vec<Attempt>, Vec<Attempt>) =
        tries.into_iter().partition(|a| cx.trunks.is_up(&a.trunk));
    let left = live.into_iter().chain(dead).collect();
    let dialing = Dialing {
        number: number.clone(),
        left,
        trying: None,
        rounds,
        early: false,
        listening: false,
        last: Refusal::Unavailable,
        class,
    };
    Box::new(dialing).next(core, cx, out)
}

impl Dialing {
    /// Which number, over which trunk.
    #[must_use]
    pub fn with(&self) -> String {
        match &self.trying {
            Some((attempt, _)) => format!("{} ({})", self.number, attempt.trunk),
            None => self.number.to_string(),
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Leg(leg, event) if self.trying.as_ref().is_some_and(|(_, f)| f.has(leg)) => {
                self.heard(core, cx, leg, event, out)
            }
            Heard::Timer(CallTimer::NoProgress) => {
                if let Some((attempt, _)) = &self.trying {
                    out.want(Intent::TrunkSilent(attempt.trunk.clone()));
                    out.step("missed", format!("{} says nothing", attempt.trunk));
                }
                self.give_up(Refusal::Unavailable, out);
                self.next(core, cx, out)
            }
            Heard::Timer(CallTimer::NoAnswer) => {
                if core.outreach.is_some() {
                    out.want(Intent::Outreach(Told::NoAnswer));
                }
                self.give_up(Refusal::NoAnswer, out);
                self.over(core, Refusal::NoAnswer, "nobody answered", cx, out)
            }
            Heard::CallerGone => {
                self.give_up(Refusal::NoAnswer, out);
                caller_gone(core, Outcome::Abandoned, out)
            }
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
            | Heard::Answered(..) => Stage::Dialing(self),
        }
    }

    /// Asks the next trunk, or ends.
    fn next(mut self: Box<Self>, core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
        while let Some(attempt) = self.left.pop_front() {
            match self.ask(core, &attempt, cx, out) {
                Ok(fork) => {
                    core.trunk = Some(attempt.trunk.clone());
                    out.want(Intent::Tell(Chapter::Trunk(attempt.trunk.clone())));
                    self.trying = Some((attempt, fork));
                    self.early &= core.outreach.is_none();
                    out.wait(cx.now, CallTimer::NoProgress, SILENCE);
                    let ring = core.outreach.as_ref().map_or(RING, |o| o.ring);
                    out.wait(cx.now, CallTimer::NoAnswer, ring);
                    return Stage::Dialing(self);
                }
                Err(why) => self.last = why,
            }
        }
        if self.rounds > 1 && core.emergency {
            self.rounds -= 1;
            self.left = outbound::emergency_attempts(&core.config, &self.number).into();
            if self.left.iter().any(|a| cx.trunks.line(&core.config, &a.trunk).is_some()) {
                return self.next(core, cx, out);
            }
        }
        let last = self.last;
        self.over(core, last, "no trunk took the call", cx, out)
    }

    fn ask(&self, core: &mut Core, attempt: &Attempt, cx: &Cx, out: &mut Out) -> Result<Fork, Refusal> {
        let line = cx.trunks.line(&core.config, &attempt.trunk).ok_or(Refusal::Unavailable)?;
        if line.full && !core.emergency {
            return Err(Refusal::Overloaded);
        }
        let by = core.on_behalf.as_ref().or(core.caller.extension()).cloned();
        if let Some(class) = self.class {
            let allowed = cx.budgets.allows(&core.config, cx.now, by.as_ref(), Some(&attempt.trunk), class);
            allowed.map_err(|_| Refusal::Forbidden)?;
        }
        let way = way(core, by.as_ref(), attempt, line, cx).ok_or(Refusal::Malformed)?;
        if core.emergency {
            out.want(Intent::MakeRoom(attempt.trunk.clone()));
        }
        out.step("outside", attempt.trunk.clone());
        core.direction = match core.caller.peer {
            _ if core.outreach.is_some() => Direction::Outbound,
            Peer::Phone(_) => Direction::Outbound,
            Peer::Trunk(_) => Direction::Inbound,
        };
        let codecs = codecs(core, &attempt.trunk);
        let fork = Fork::start(core, Peer::Trunk(attempt.trunk.clone()), &codecs, vec![way], cx, out)?;
        if let Some(class) = self.class {
            charge(&fork, by.as_ref(), &attempt.trunk, class, out);
        }
        Ok(fork)
    }

    fn heard(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        leg: LegId,
        event: LegEvent,
        out: &mut Out,
    ) -> Stage {
        let Some((_, fork)) = self.trying.as_mut() else { return Stage::Dialing(self) };
        match fork.heard(leg, event, out) {
            Rung::Still => {}
            Rung::Ringing(code, sdp) => {
                out.want(Intent::NoWait(CallTimer::NoProgress));
                if let Some(outreach) = &core.outreach {
                    if outreach.detect.is_some() {
                        self.listen_early(leg, sdp.as_deref(), out);
                    }
                    self.rings_there(outreach, code, cx, out);
                    return Stage::Dialing(self);
                }
                self.progress(core, cx, leg, code, sdp, out);
            }
            Rung::Answered(b) if core.callback => return callback::picked_up(core, *b, cx, out),
            Rung::Answered(b) => {
                if core.outreach.is_some() {
                    return queued::reached(core, *b, cx, out);
                }
                let with = core.called.number.clone();
                return bridged::enter(core, *b, with, cx, out);
            }
            Rung::Nobody(code) => {
                self.trying = None;
                self.last = refusal(code);
                let detail = format!("{code} {}", sip::builder::phrase(code));
                if core.outreach.is_some() {
                    out.want(Intent::Outreach(Told::Refused(code)));
                }
                if core.emergency || trunk_failed(code) {
                    out.step("missed", detail);
                    return self.next(core, cx, out);
                }
                let why = self.last;
                return self.over(core, why, &detail, cx, out);
            }
        }
        Stage::Dialing(self)
    }

    /// The line that is asked now.
    pub fn fork(&mut self) -> Option<&mut Fork> {
        self.trying.as_mut().map(|(_, fork)| fork)
    }

    /// The phone of a campaign's party rings: its time runs from here, the way there does not count.
    fn rings_there(&mut self, outreach: &Outreach, code: u16, cx: &Cx, out: &mut Out) {
        if code < 180 || self.early {
            return;
        }
        self.early = true;
        out.wait(cx.now, CallTimer::NoAnswer, outreach.ring);
        out.want(Intent::Outreach(Told::Ringing));
    }

    /// Sound before the answer: busy, congestion or "not in service" may be all that comes.
    fn listen_early(&mut self, leg: LegId, sdp: Option<&[u8]>, out: &mut Out) {
        let Some((_, fork)) = self.trying.as_mut().filter(|_| !self.listening) else { return };
        let (Some(sdp), Some(from)) = (sdp, fork.from(leg)) else { return };
        let Some(sound) = fork.sound() else { return };
        if sound.settle(sdp, from, out).is_err() {
            return;
        }
        let listening = Some(Listening::early());
        out.media(MediaCommand::Listen { session: sound.session, listening });
        self.listening = true;
    }

    /// Ringing or early sound is passed on to the caller.
    fn progress(
        &mut self,
        core: &mut Core,
        cx: &Cx,
        leg: LegId,
        code: u16,
        sdp: Option<Vec<u8>>,
        out: &mut Out,
    ) {
        let Some((_, fork)) = self.trying.as_mut() else { return };
        let from = fork.from(leg);
        let heard = match (sdp, from, fork.sound()) {
            // An agent who calls back hears that it rings; announcements on the way are for people who dialled.
            (Some(sdp), Some(from), Some(sound)) if !core.callback => {
                sound.settle(&sdp, from, out).is_ok().then_some(sound.session)
            }
            _ => None,
        };
        match (heard, core.a.up_session()) {
            (Some(b), _) if !self.early => {
                if let Some(a) = core.a.early(core.id, cx, out) {
                    self.early = true;
                    out.media(MediaCommand::Join { a, b });
                }
            }
            (None, Some(a)) if code >= 180 && !self.early && !core.callback => {
                out.play(a, vec![RING_BACK], true, false);
            }
            (None, None) if code >= 180 && !self.early => core.a.ring(out),
            _ => {}
        }
    }

    fn give_up(&mut self, why: Refusal, out: &mut Out) {
        self.last = why;
        self.early = false;
        self.listening = false;
        if let Some((_, mut fork)) = self.trying.take() {
            fork.cancel(out);
        }
    }

    fn over(self: Box<Self>, core: &mut Core, why: Refusal, cause: &str, cx: &Cx, out: &mut Out) -> Stage {
        out.want(Intent::NoWait(CallTimer::NoProgress));
        out.want(Intent::NoWait(CallTimer::NoAnswer));
        if let Some(session) = core.a.up_session() {
            out.media(MediaCommand::StopPlay { session });
        }
        if let Some(stage) = ringing::give_back(core, cx, out) {
            return stage;
        }
        core.refuse(why, cause, out)
    }
}

/// Whether a code speaks of the trunk rather than of the party called.
fn trunk_failed(code: u16) -> bool {
    matches!(code, 401 | 403 | 407 | 408 | 500..=599)
}

/// What the trunk speaks, the caller's own coding first: then nothing is re-coded.
fn codecs(core: &Core, trunk: &str) -> Vec<Codec> {
    let allowed = core.config.trunk.get(trunk).map(|t| t.codecs.as_slice()).unwrap_or_default();
    let own = core.a.codecs()[0];
    match allowed.contains(&own) {
        true => std::iter::once(own).chain(allowed.iter().copied().filter(|c| *c != own)).collect(),
        false => allowed.to_vec(),
    }
}

fn way(core: &Core, by: Option<&Number>, attempt: &Attempt, line: Line, cx: &Cx) -> Option<Way> {
    let trunk = core.config.trunk.get(&attempt.trunk)?;
    let domain = trunk.domain.as_deref().unwrap_or(&trunk.host);
    let port = (trunk.domain.is_none() && trunk.port != 5060).then_some(trunk.port);
    let target = Uri::sip(Some(&attempt.number), domain, port).ok()?;
    let of_campaign = core.outreach.as_ref().map(|o| o.caller_id.to_string());
    let shown = match by.and_then(|n| core.config.extension.get(n)) {
        Some(extension) => extension.caller_id.as_ref().or(trunk.caller_id.as_ref()).map(Number::to_string),
        None => of_campaign.or_else(|| Some(core.caller.party.number.clone())).filter(|n| !n.is_empty()),
    };
    let shown = shown.map(|n| outbound::written(&core.config, trunk, &n));
    let user = shown.or_else(|| trunk.username.clone()).unwrap_or_else(|| "anonymous".into());
    let from = NameAddr::new(Uri::sip(Some(&user), domain, None).ok()?);
    Some(Way {
        to: NameAddr::new(target.clone()),
        target,
        flow: line.flow,
        route: Vec::new(),
        from,
        contact: contact(trunk.username.as_deref(), cx.sip, line.flow.transport),
        headers: Vec::new(),
        credentials: line.credentials,
        reliable: true,
        hop: Hop::Symmetric,
    })
}
