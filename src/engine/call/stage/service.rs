//! The box itself answers: echo test, test announcement, star codes of agents, paging. Leaves by: said what there is to say,
//! or too long, or caller gone → Clearing.
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, caller_gone, goodbye};
use crate::acd::code::Code;
use crate::intent::{Chapter, Intent};
use crate::say;
use crate::timers::CallTimer;
use model::id::{PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd, Sound};
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;
use std::time::Duration;

/// A test call that nobody ends.
const LONGEST: Duration = Duration::from_secs(600);

/// Which service.
#[derive(Debug)]
pub enum Service {
    /// The caller hears itself, or the announcement again and again.
    Test(&'static str),
    /// An agent's code; ends after the prompt that answers it.
    Code {
        /// Where the prompt is played.
        session: SessionId,
        /// The prompt.
        play: Option<PlayId>,
    },
    /// The caller speaks over the paging output.
    Paging,
}

/// The caller hears itself.
pub fn echo(core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
    match begin(core, cx, out) {
        Err(stage) => stage,
        Ok(session) => {
            out.media(MediaCommand::Echo { session, on: true });
            Stage::Service(Service::Test("echo"))
        }
    }
}

/// The caller hears the test announcement, again and again.
pub fn announcement(core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
    match begin(core, cx, out) {
        Err(stage) => stage,
        Ok(session) => {
            let prompt = Sound::Prompt { language: core.language, name: "test-announcement".into() };
            out.play(session, vec![prompt, Sound::Silence(1000)], true, false);
            Stage::Service(Service::Test("announcement"))
        }
    }
}

/// An agent's code.
pub fn feature(core: &mut Core, code: Code, cx: &Cx, out: &mut Out) -> Stage {
    let Some(extension) = core.caller.extension().cloned() else {
        return core.refuse(Refusal::Forbidden, "agent code from outside", out);
    };
    match begin(core, cx, out) {
        Err(stage) => stage,
        Ok(session) => {
            out.want(Intent::Code { extension, code });
            Stage::Service(Service::Code { session, play: None })
        }
    }
}

/// The caller speaks over the loudspeaker.
pub fn paging(core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
    if core.config.audio.paging.is_none() || core.caller.extension().is_none() {
        return core.refuse(Refusal::Unavailable, "no paging output", out);
    }
    match begin(core, cx, out) {
        Err(stage) => stage,
        Ok(session) => {
            let beep = Sound::Tone { hz: 800, hz2: 0, on_ms: 300, off_ms: 20, times: 1 };
            out.play(session, vec![beep], false, false);
            out.media(MediaCommand::Page { session, output: Some(PAGING.into()) });
            Stage::Service(Service::Paging)
        }
    }
}

/// Somebody must know: an emergency number was dialled at this extension. Said three times.
pub fn emergency_notice(core: &mut Core, extension: &Number, cx: &Cx, out: &mut Out) -> Stage {
    let session = match begin(core, cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    let mut names = vec!["emergency-notice".to_owned()];
    names.extend(say::digits(extension.as_str()));
    let once = say::sounds(core.language, names);
    let pause = [Sound::Silence(700)];
    let sounds = once.iter().chain(&pause).cloned().cycle().take((once.len() + 1) * 3).collect();
    goodbye::enter(session, sounds, Outcome::Answered, "emergency notice heard", out)
}

/// Name of the one paging output at media.
pub const PAGING: &str = "paging";

fn begin(core: &mut Core, cx: &Cx, out: &mut Out) -> Result<SessionId, Stage> {
    let session = core.answer(cx, out)?;
    out.want(Intent::Tell(Chapter::Service));
    out.wait(cx.now, CallTimer::GoodBye, LONGEST);
    Ok(session)
}

impl Service {
    /// Its name.
    #[must_use]
    pub fn with(&self) -> String {
        match self {
            Service::Test(name) => (*name).to_owned(),
            Service::Code { .. } => "agent code".into(),
            Service::Paging => "paging".into(),
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(self, core: &mut Core, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::CallerGone => caller_gone(core, Outcome::Answered, out),
            Heard::Timer(CallTimer::GoodBye) => core.finish(Outcome::Answered, "time limit reached", out),
            Heard::CodeDone(name) => self.code_done(core, name, out),
            Heard::PlayDone(_, done, PlayEnd::Finished) => match self {
                Service::Code { play: Some(play), .. } if done == play => {
                    core.finish(Outcome::Answered, "code done", out)
                }
                Service::Code { .. } | Service::Test(_) | Service::Paging => Stage::Service(self),
            },
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::Stored
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
            | Heard::Answered(..) => Stage::Service(self),
        }
    }

    /// The prompt that answers an agent's code.
    fn code_done(self, core: &Core, name: &str, out: &mut Out) -> Stage {
        let Service::Code { session, .. } = self else { return Stage::Service(self) };
        let prompt = Sound::Prompt { language: core.language, name: name.to_owned() };
        out.step("dialled", name);
        let play = Some(out.play(session, vec![prompt], false, false));
        Stage::Service(Service::Code { session, play })
    }
}
