//! Two parties talk, and others may be with them. Leaves by: either hangs up and nobody takes the place → Clearing · blind
//! transfer → the stage of its target. Inside: announcement of the recording → talk; hold by either party → the other hears
//! music → talk; a third party is asked, taken in, handed over to; supervisors listen; star codes `*1` and `*2` of inside
//! parties for the recording.
pub mod guests;
pub mod handover;
pub mod hears;
pub mod steer;

use super::super::fork::Fork;
use super::super::leg::{Leg, State};
use super::super::{Core, Cx, Heard, LegEvent, Out, Side};
use super::Stage;
use crate::intent::{Chapter, Intent, Peer};
use crate::recording;
use crate::timers::CallTimer;
use guests::{Guest, Who};
use hears::{Parties, Plan, Role, index};
use model::id::{LegId, PlayId, SessionId};
use model::media::{Digit, MediaCommand, Sound};
use model::notice::OtherView;
use model::record::Outcome;
use model::steer::{Steer, Supervision};
use std::time::Duration;

/// A star code must be complete this long after its first key.
const CODE_TIME: Duration = Duration::from_secs(3);

/// Nothing heard from both parties for this long: the call is dead (a phone lost its power, a carrier forgot us).
const SILENT_MAX_S: u16 = 300;
/// How long a key that came by signalling is held for the other party: longer than any receiver needs (Q.24: 40 ms).
const KEY_HELD_MS: u16 = 160;

/// A conversation.
#[derive(Debug)]
pub struct Bridged {
    /// The called party.
    pub b: Leg,
    with: String,
    announcing: Option<PlayId>,
    /// Keys pressed since a `*`, by whom.
    code: String,
    coder: Option<SessionId>,
    silent: [bool; 2],
    /// Who holds the other by the desk; phones that hold say so in their own SDP.
    holder: Option<Side>,
    muted: [bool; 2],
    guests: Vec<Guest>,
    /// What media was told of who hears whom.
    plan: Plan,
}

/// Joins the caller with the party that answered.
pub fn enter(core: &mut Core, b: Leg, with: String, cx: &Cx, out: &mut Out) -> Stage {
    let a = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => {
            let mut b = b;
            b.hang_up(Some("SIP;cause=488"), out);
            return stage;
        }
    };
    out.want(Intent::NoWait(CallTimer::NoAnswer));
    out.want(Intent::NoWait(CallTimer::NoProgress));
    out.want(Intent::Tell(match &b.peer {
        Peer::Phone(number) => Chapter::Person(number.clone()),
        Peer::Trunk(_) => Chapter::Outside(core.called.number.clone()),
    }));
    let mut bridged = Bridged {
        b,
        with,
        announcing: None,
        code: String::new(),
        coder: None,
        silent: [false; 2],
        holder: None,
        muted: [false; 2],
        guests: Vec::new(),
        plan: Plan::default(),
    };
    (core.give_back, core.on_behalf) = (None, None);
    if recording::begins_by_itself(core, &bridged.b.peer) && core.config.system.announce_recording {
        let notice = Sound::Prompt { language: core.language, name: "recording-notice".into() };
        bridged.announcing = Some(out.play(a, vec![notice.clone()], false, false));
        if let Some(b) = bridged.b.session() {
            let sounds = whisper(core).into_iter().chain([notice]).collect();
            out.play(b, sounds, false, false);
        }
    } else {
        bridged.talk(core, cx, out);
        if let (Some(b), Some(whisper)) = (bridged.b.session(), whisper(core)) {
            out.play(b, vec![whisper], false, false);
        }
    }
    Stage::Bridged(Box::new(bridged))
}

/// What an agent hears before a person reached by a campaign.
fn whisper(core: &Core) -> Option<Sound> {
    let wanted = core.outreach.as_ref().is_some_and(|o| o.whisper);
    wanted.then(|| Sound::Prompt { language: core.language, name: "campaign-call".into() })
}

impl Bridged {
    /// Its word in the live view.
    #[must_use]
    pub fn name(&self, core: &Core) -> &'static str {
        let has = |wanted: fn(&Role) -> bool| self.guests.iter().any(|g| wanted(&g.role));
        if has(|r| matches!(r, Role::Asked(_))) {
            "consulting"
        } else if self.holds(core).contains(&true) {
            "held"
        } else if self.guests.iter().any(|g| matches!(g.role, Role::Member(_)) && g.session().is_some()) {
            "conference"
        } else {
            "bridged"
        }
    }

    /// Who talks to the caller.
    #[must_use]
    pub fn with(&self) -> String {
        self.with.clone()
    }

    /// Who is in the call besides the two.
    #[must_use]
    pub fn others(&self) -> Vec<OtherView> {
        self.guests.iter().map(Guest::view).collect()
    }

    /// Numbers of the parties that are muted.
    #[must_use]
    pub fn muted(&self, core: &Core) -> Vec<String> {
        let sides = [Side::Caller, Side::Called].into_iter().filter(|s| self.muted[index(*s)]);
        sides.map(|s| self.party(core, s).number).collect()
    }

    /// The leg with this id, if it is up in this call.
    pub fn leg_of(&mut self, leg: LegId) -> Option<&mut Leg> {
        let guests = self.guests.iter_mut().filter_map(|g| match &mut g.who {
            Who::Here(here) => Some(&mut **here),
            Who::Rings(_) => None,
        });
        std::iter::once(&mut self.b).chain(guests).find(|l| l.id == leg)
    }

    /// The guest's phones or line among which this leg rings.
    pub fn fork_of(&mut self, leg: LegId) -> Option<&mut Fork> {
        let mut rung = self.guests.iter_mut().filter_map(|g| match &mut g.who {
            Who::Here(_) => None,
            Who::Rings(fork) => Some(&mut **fork),
        });
        rung.find(|fork| fork.has(leg))
    }

    /// Every leg and session that this conversation knows of; it must have no others.
    #[must_use]
    pub fn owns(&self, core: &Core) -> (Vec<LegId>, Vec<SessionId>) {
        let here: Vec<&Leg> =
            [&core.a, &self.b].into_iter().chain(self.guests.iter().filter_map(Guest::leg)).collect();
        let rings: Vec<&Fork> = self.guests.iter().filter_map(Guest::rings).collect();
        let legs = here.iter().map(|l| l.id).chain(rings.iter().flat_map(|f| f.legs())).collect();
        let sessions =
            here.iter().filter_map(|l| l.session()).chain(rings.iter().filter_map(|f| f.session()));
        (legs, sessions.collect())
    }

    /// Whether nobody but supervisors is with the two.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.guests.iter().all(Guest::supervises)
    }

    /// The session of a leg.
    #[must_use]
    pub fn session_of(&self, leg: LegId) -> Option<SessionId> {
        let guests = self.guests.iter().filter_map(Guest::leg);
        std::iter::once(&self.b).chain(guests).find(|l| l.id == leg).and_then(Leg::session)
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Leg(leg, LegEvent::Ended | LegEvent::Refused(_)) if leg == self.b.id => {
                self.b.state = State::Gone;
                return self.leave(core, cx, Side::Called, out);
            }
            Heard::Leg(leg, event) => return self.guest_did(core, cx, leg, event, out),
            Heard::CallerGone => return self.leave(core, cx, Side::Caller, out),
            Heard::Digit(session, digit) => return self.digit(core, cx, session, digit, out),
            Heard::PlayDone(_, play, _) if self.announcing == Some(play) => {
                self.announcing = None;
                self.talk(core, cx, out);
            }
            Heard::PlayDone(session, ..) if self.coder == Some(session) => self.coder = None,
            Heard::Silent(session, seconds) => {
                if let Some(stage) = self.silence(core, session, seconds, out) {
                    return stage;
                }
            }
            Heard::Timer(CallTimer::Code) => self.code.clear(),
            Heard::Timer(CallTimer::Guest) => self.guests_missed(core, out),
            Heard::RecordSwitch(on) => {
                recording::switch(core, &self.b, on, cx, out);
                self.record_members(core, cx, out);
            }
            Heard::RecordPause(paused) => recording::pause(core, paused, out),
            Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::Stored
            | Heard::Speech(..)
            | Heard::Answered(..) => {}
        }
        Stage::Bridged(self)
    }

    /// A party put the other on hold by its phone, or took it back.
    pub fn hold_changed(&mut self, core: &mut Core, by: Side, out: &mut Out) {
        let held = core.a.held() || self.b.held();
        out.step(if held { "held" } else { "resumed" }, self.party(core, by).number);
        self.refresh(core, out);
    }

    fn holds(&self, core: &Core) -> [bool; 2] {
        let by_desk = |side| self.holder == Some(side);
        [core.a.held() || by_desk(Side::Caller), self.b.held() || by_desk(Side::Called)]
    }

    /// The side whose work this call is: who took it from a queue, else the called phone, else the phone that called.
    #[must_use]
    pub fn agent_side(&self, core: &Core) -> Side {
        match (&self.b.peer, core.agent_leg == Some(core.a.id)) {
            (Peer::Phone(_), false) => Side::Called,
            (Peer::Phone(_), true) | (Peer::Trunk(_), _) => Side::Caller,
        }
    }

    /// Tells media who hears whom now, and stops the recording from hearing what is not meant for it.
    pub fn refresh(&mut self, core: &mut Core, out: &mut Out) {
        let (Some(a), Some(b), None) = (core.a.session(), self.b.session(), self.announcing) else { return };
        let holds = self.holds(core);
        let asked = |g: &Guest| match g.role {
            Role::Asked(side) => Some(side),
            Role::Member(_) | Role::Listens | Role::Whispers | Role::Replaces => None,
        };
        let parties = Parties {
            two: [a, b],
            holds,
            agent: self.agent_side(core),
            rings_for: self.guests.iter().filter(|g| g.leg().is_none()).find_map(asked),
            others: self.guests.iter().filter_map(|g| Some((g.session()?, g.role))).collect(),
        };
        let plan = parties.plan();
        plan.tell(&self.plan, out);
        self.plan = plan;
        recording::set_aside(
            core,
            holds.contains(&true) || self.guests.iter().any(|g| asked(g).is_some()),
            out,
        );
    }

    fn talk(&mut self, core: &mut Core, cx: &Cx, out: &mut Out) {
        self.refresh(core, out);
        self.begin_recording(core, cx, out);
    }

    fn begin_recording(&self, core: &mut Core, cx: &Cx, out: &mut Out) {
        if recording::begins_by_itself(core, &self.b.peer) {
            recording::start(core, &self.b, cx, out);
            self.record_members(core, cx, out);
        }
    }

    /// Members of a conference are recorded with the call, each in a file of its own.
    fn record_members(&self, core: &mut Core, cx: &Cx, out: &mut Out) {
        for at in 0..self.guests.len() {
            if matches!(self.guests[at].role, Role::Member(_)) {
                self.record_guest(core, cx, at, out);
            }
        }
    }

    fn record_guest(&self, core: &mut Core, cx: &Cx, at: usize, out: &mut Out) {
        let guest = &self.guests[at];
        if let Some(leg) = guest.leg() {
            recording::start_member(core, leg, &guest.number, cx, out);
        }
    }

    /// Both parties are silent although both should send.
    fn silence(&mut self, core: &mut Core, session: SessionId, seconds: u16, out: &mut Out) -> Option<Stage> {
        let long = seconds >= SILENT_MAX_S;
        let side = usize::from(core.a.session() != Some(session));
        self.silent[side] = long;
        (self.silent == [true; 2]).then(|| core.finish(Outcome::Answered, "no sound from both parties", out))
    }

    /// A key that came by signalling is heard by the other party as media would have passed it on.
    pub fn pass_on(&self, session: SessionId, digit: Digit, out: &mut Out) {
        if let Some(other) = self.plan.partner(session) {
            out.media(MediaCommand::SendDigit { session: other, digit, ms: KEY_HELD_MS });
        }
    }

    /// Star codes of parties inside; keys of outside parties are only relayed by media.
    fn digit(
        mut self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        session: SessionId,
        digit: Digit,
        out: &mut Out,
    ) -> Stage {
        self.silent = [false; 2];
        if let Some(at) = self.guests.iter().position(|g| g.session() == Some(session)) {
            return self.guest_pressed(core, cx, at, digit, out);
        }
        let peer = if core.a.session() == Some(session) { &core.caller.peer } else { &self.b.peer };
        match peer {
            Peer::Phone(_) => self.code_key(core, cx, session, digit, out),
            Peer::Trunk(_) => {}
        }
        Stage::Bridged(self)
    }

    /// A supervisor's phone changes how it is in the call: 1 listen, 2 whisper, 3 barge, 4 take over.
    fn guest_pressed(
        self: Box<Self>,
        core: &mut Core,
        cx: &Cx,
        at: usize,
        digit: Digit,
        out: &mut Out,
    ) -> Stage {
        let how = match digit.as_char() {
            '1' => Supervision::Listen,
            '2' => Supervision::Whisper,
            '3' => Supervision::Barge,
            '4' => Supervision::TakeOver,
            _ => return Stage::Bridged(self),
        };
        let guest = &self.guests[at];
        match model::number::Number::read(&guest.number).filter(|_| guest.supervises()) {
            Some(at) => {
                out.want(Intent::Supervised { at: at.clone(), how });
                self.steer(core, cx, None, Steer::Supervise { at, how }, out)
            }
            None => Stage::Bridged(self),
        }
    }

    fn code_key(&mut self, core: &mut Core, cx: &Cx, session: SessionId, digit: Digit, out: &mut Out) {
        if digit.as_char() == '*' {
            self.code.clear();
            out.wait(cx.now, CallTimer::Code, CODE_TIME);
        } else if self.code.is_empty() {
            return;
        }
        self.code.push(digit.as_char());
        let (record, pause) = (&core.config.feature.record, &core.config.feature.record_pause);
        if self.code == record.as_str() {
            let on = !core.tape.running();
            recording::switch(core, &self.b, on, cx, out);
            self.record_members(core, cx, out);
        } else if self.code == pause.as_str() {
            let paused = !core.tape.paused();
            recording::pause(core, paused, out);
        } else {
            if self.code.len() > 4 {
                self.code.clear();
            }
            return;
        }
        self.code.clear();
        self.coder = Some(session);
        out.want(Intent::NoWait(CallTimer::Code));
        let beep = Sound::Tone {
            hz: if core.tape.running() { 1000 } else { 600 },
            hz2: 0,
            on_ms: 120,
            off_ms: 20,
            times: 1,
        };
        out.play(session, vec![beep], false, false);
    }
}
