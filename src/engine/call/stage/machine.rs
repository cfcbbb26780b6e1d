//! An answering machine that a campaign reached: waits for its beep, leaves the campaign's message, ends. When the beep comes
//! is told from outside (`Input::Speak`); media listens for it and gives up by itself. Leaves by: said to the end, cut off, or
//! the machine hangs up → Clearing.
use super::super::{Core, Cx, Heard, Out};
use super::{Stage, caller_gone};
use crate::dialer::campaign::Told;
use crate::intent::Intent;
use model::clock::Mono;
use model::id::{PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd, Sound};
use model::record::Outcome;
use std::time::Duration;

/// How a call ends that left its message.
const LEFT: &str = "message left on a machine";
/// How it ends when the sound could not be played to its end.
const CUT_OFF: &str = "message not left";

/// Whatever ends sooner was no message: its file is gone or empty.
const SHORTEST: Duration = Duration::from_secs(1);

/// A machine and what is said to it.
#[derive(Debug)]
pub struct Machine {
    session: SessionId,
    saying: Option<(PlayId, Mono)>,
}

/// Takes the call away from whoever has it. In stages that no campaign's answered call is in, nothing happens.
pub fn enter(core: &mut Core, stage: Stage, out: &mut Out) -> Stage {
    match stage {
        Stage::Queued(mut queued) => queued.step_back(out),
        Stage::Bridged(mut bridged) => bridged.put_down(core, out),
        Stage::Ivr(_) | Stage::GoodBye(_) => {}
        Stage::Routing
        | Stage::Summon(_)
        | Stage::Callback(_)
        | Stage::Ringing(_)
        | Stage::Dialing(_)
        | Stage::Mailbox(_)
        | Stage::Service(_)
        | Stage::Studio(_)
        | Stage::Supervise(_)
        | Stage::Desk(_)
        | Stage::Machine(_)
        | Stage::Clearing => return stage,
    }
    out.step("machine", "machine");
    let Some(session) = core.a.up_session() else {
        return core.finish(Outcome::Failed, "no sound with the called party", out);
    };
    out.media(MediaCommand::StopPlay { session });
    Stage::Machine(Machine { session, saying: None })
}

impl Machine {
    /// Its beep came: says the message.
    #[must_use]
    pub fn speak(mut self, core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
        let message = core.outreach.as_ref().and_then(|o| o.message.clone());
        let Some(file) = message else { return core.finish(Outcome::Answered, CUT_OFF, out) };
        if self.saying.is_none() {
            let play = out.play(self.session, vec![Sound::File(file)], false, false);
            self.saying = Some((play, cx.now.mono));
        }
        Stage::Machine(self)
    }

    fn says(&self, play: PlayId) -> bool {
        self.saying.is_some_and(|(saying, _)| saying == play)
    }

    /// Takes one input.
    #[must_use]
    pub fn step(self, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::PlayDone(_, play, end) if self.says(play) => {
                let said = self.saying.is_some_and(|(_, began)| cx.now.mono.since(began) >= SHORTEST);
                if said && end == PlayEnd::Finished {
                    out.want(Intent::Outreach(Told::Left));
                    return core.finish(Outcome::Answered, LEFT, out);
                }
                core.finish(Outcome::Answered, CUT_OFF, out)
            }
            Heard::CallerGone => caller_gone(core, Outcome::Answered, out),
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
            | Heard::Answered(..) => Stage::Machine(self),
        }
    }
}
