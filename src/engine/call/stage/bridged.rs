//! Two parties talk. Leaves by: either hangs up → Clearing. Inside: announcement of the recording → talk; hold by either
//! party → the other hears music → talk; star codes `*1` and `*2` of inside parties for the recording.
use super::super::leg::Leg;
use super::super::{Core, Cx, Heard, LegEvent, Out, Side, bridge};
use super::Stage;
use crate::intent::{Chapter, Intent, Peer};
use crate::recording;
use crate::timers::CallTimer;
use model::id::{PlayId, SessionId};
use model::media::{Digit, Sound};
use model::record::Outcome;
use std::time::Duration;

/// A star code must be complete this long after its first key.
const CODE_TIME: Duration = Duration::from_secs(3);

/// Nothing heard from both parties for this long: the call is dead (a phone lost its power, a carrier forgot us).
const SILENT_MAX_S: u16 = 300;

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
    held: bool,
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
        held: false,
    };
    if recording::begins_by_itself(core, &bridged.b.peer) && core.config.system.announce_recording {
        let prompt =
            |core: &Core| vec![Sound::Prompt { language: core.language, name: "recording-notice".into() }];
        bridged.announcing = Some(out.play(a, prompt(core), false, false));
        if let Some(b) = bridged.b.session() {
            out.play(b, prompt(core), false, false);
        }
    } else {
        bridged.talk(core, cx, out);
    }
    Stage::Bridged(Box::new(bridged))
}

impl Bridged {
    /// Its word in the live view.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.held { "held" } else { "bridged" }
    }

    /// Who talks to the caller.
    #[must_use]
    pub fn with(&self) -> String {
        self.with.clone()
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Leg(leg, LegEvent::Ended | LegEvent::Refused(_)) if leg == self.b.id => {
                return self.called_gone(core, out);
            }
            Heard::CallerGone => {
                self.b.hang_up(None, out);
                return core.finish(Outcome::Answered, bridge::CALLER_HUNG_UP, out);
            }
            Heard::Digit(session, digit) => self.digit(core, cx, session, digit, out),
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
            Heard::RecordSwitch(on) => recording::switch(core, &self.b, on, cx, out),
            Heard::RecordPause(paused) => recording::pause(core, paused, out),
            Heard::Leg(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::Stored => {}
        }
        Stage::Bridged(self)
    }

    /// A party put the other on hold, or took it back.
    pub fn hold_changed(&mut self, core: &Core, by: Side, out: &mut Out) {
        let held = core.a.held() || self.b.held();
        self.held = held;
        let who = match by {
            Side::Caller => core.caller.party.number.clone(),
            Side::Called => self.with.clone(),
        };
        out.step(if held { "held" } else { "resumed" }, who);
        match (core.a.held(), self.b.held()) {
            (false, false) => bridge::join(&core.a, &self.b, out),
            (true, _) => bridge::music(&self.b, out),
            (false, true) => bridge::music(&core.a, out),
        }
    }

    fn talk(&mut self, core: &mut Core, cx: &Cx, out: &mut Out) {
        if !self.held {
            bridge::join(&core.a, &self.b, out);
        }
        if recording::begins_by_itself(core, &self.b.peer) {
            recording::start(core, &self.b, cx, out);
        }
    }

    fn called_gone(mut self: Box<Self>, core: &mut Core, out: &mut Out) -> Stage {
        self.b.state = super::super::leg::State::Gone;
        core.finish(Outcome::Answered, bridge::CALLED_HUNG_UP, out)
    }

    /// Both parties are silent although both should send.
    fn silence(&mut self, core: &mut Core, session: SessionId, seconds: u16, out: &mut Out) -> Option<Stage> {
        let long = seconds >= SILENT_MAX_S;
        let side = usize::from(core.a.session() != Some(session));
        self.silent[side] = long;
        (self.silent == [true; 2]).then(|| core.finish(Outcome::Answered, "no sound from both parties", out))
    }

    /// Star codes of parties inside; keys of outside parties are only relayed by media.
    fn digit(&mut self, core: &mut Core, cx: &Cx, session: SessionId, digit: Digit, out: &mut Out) {
        self.silent = [false; 2];
        let peer = if core.a.session() == Some(session) { &core.caller.peer } else { &self.b.peer };
        if matches!(peer, Peer::Trunk(_)) {
            return;
        }
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
