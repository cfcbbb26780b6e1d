//! Voicemail: the caller leaves a message or listens to messages. Leaves by: the machine is done, or caller gone and what was
//! spoken is on disk → Clearing. The machines are `voicemail::Deposit` and `voicemail::Retrieve`; here is only the glue to
//! media, store and timers.
use super::super::{Core, Cx, Heard, Out, bridge};
use super::Stage;
use crate::intent::{Chapter, Intent};
use crate::timers::CallTimer;
use crate::voicemail::deposit::{Deposit, Plan};
use crate::voicemail::retrieve::{self, Retrieve};
use crate::voicemail::{Input as BoxInput, Out as BoxOut};
use model::id::{PlayId, RecordingId, SessionId};
use model::media::{MediaCommand, PlayEnd};
use model::number::Number;
use model::record::{Outcome, Record};
use model::refusal::Refusal;
use std::time::Duration;

/// After the caller went, the recording must be closed and stored by now.
const LAST_WORD: Duration = Duration::from_secs(20);

/// A caller at a mailbox.
#[derive(Debug)]
pub struct Mailbox {
    machine: Machine,
    session: SessionId,
    number: String,
    play: Option<PlayId>,
    recording: Option<RecordingId>,
    gone: bool,
    kept: bool,
}

#[derive(Debug)]
enum Machine {
    Deposit(Deposit),
    Retrieve(Retrieve),
}

/// Leaves a message in this mailbox.
pub fn deposit(core: &mut Core, mailbox: Number, cx: &Cx, out: &mut Out) -> Stage {
    let Some(extension) = core.config.extension.get(&mailbox).cloned() else {
        return core.refuse(Refusal::Unknown, "no such mailbox", out);
    };
    let Some(rules) = extension.voicemail else {
        return core.refuse(Refusal::Unavailable, "no mailbox", out);
    };
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    let plan = Plan {
        message: out.ids.message(),
        mailbox: mailbox.clone(),
        call: core.id,
        caller: core.caller.party.clone(),
        language: core.language,
        greeting: out.mailboxes.greeting(&mailbox).map(str::to_owned),
        max_s: rules.max_message_s,
        mail_to: rules.email,
        full: out.mailboxes.is_full(&core.config, &mailbox),
    };
    let mut said = Vec::new();
    let machine = Machine::Deposit(Deposit::start(plan, &mut said));
    Mailbox::at(machine, session, mailbox.to_string()).carry_out(core, said, cx, out)
}

/// Listens to the own mailbox, with PIN.
pub fn retrieve(core: &mut Core, cx: &Cx, out: &mut Out) -> Stage {
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    out.want(Intent::Tell(Chapter::Service));
    let has_box = |n: &&Number| core.config.extension.get(*n).is_some_and(|e| e.voicemail.is_some());
    let own = core.caller.extension().filter(has_box).cloned();
    let number = own.as_ref().map(Number::to_string).unwrap_or_default();
    let mut said = Vec::new();
    let machine = Machine::Retrieve(Retrieve::start(own, core.language, &mut said));
    Mailbox::at(machine, session, number).carry_out(core, said, cx, out)
}

impl Mailbox {
    /// In whose mailbox a message is being left.
    #[must_use]
    pub fn left_for(&self) -> Option<Number> {
        matches!(self.machine, Machine::Deposit(_)).then(|| Number::read(&self.number)).flatten()
    }

    fn at(machine: Machine, session: SessionId, number: String) -> Box<Mailbox> {
        Box::new(Mailbox { machine, session, number, play: None, recording: None, gone: false, kept: false })
    }

    /// Whose mailbox.
    #[must_use]
    pub fn with(&self) -> String {
        self.number.clone()
    }

    /// How the call has ended when it ends now.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (&self.machine, self.kept) {
            (Machine::Retrieve(_), _) => Outcome::Answered,
            (Machine::Deposit(_), true) => Outcome::Voicemail,
            (Machine::Deposit(_), false) => Outcome::NoAnswer,
        }
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        let told = match input {
            Heard::Digit(session, digit) if session == self.session => BoxInput::Digit(digit),
            Heard::PlayDone(_, play, PlayEnd::Finished) if self.play == Some(play) => BoxInput::Played,
            Heard::RecordDone(recording, end, ms) if self.recording == Some(recording) => {
                self.recording = None;
                BoxInput::Recorded { end, ms }
            }
            Heard::Stored => BoxInput::Stored,
            Heard::Timer(CallTimer::Mailbox) => BoxInput::Timer,
            Heard::Timer(CallTimer::GoodBye) => {
                return core.finish(self.outcome(), "recording not closed", out);
            }
            Heard::CallerGone => {
                self.gone = true;
                out.wait(cx.now, CallTimer::GoodBye, LAST_WORD);
                BoxInput::Gone
            }
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::CodeDone(_)
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..)
            | Heard::Answered(..) => return Stage::Mailbox(self),
        };
        let mut said = Vec::new();
        match &mut self.machine {
            Machine::Deposit(deposit) => deposit.input(cx.now, told, &mut said),
            Machine::Retrieve(run) => {
                let mut within =
                    retrieve::Cx { now: cx.now, config: &core.config, boxes: &mut *out.mailboxes };
                run.input(&mut within, told, &mut said);
            }
        }
        self.carry_out(core, said, cx, out)
    }

    fn carry_out(mut self: Box<Self>, core: &mut Core, said: Vec<BoxOut>, cx: &Cx, out: &mut Out) -> Stage {
        for word in said {
            match word {
                BoxOut::Play { sounds, barge_in } => {
                    self.play = Some(out.play(self.session, sounds, false, barge_in));
                }
                BoxOut::Record { path, max_s, silence_ms } => self.record(path, max_s, silence_ms, out),
                BoxOut::StopRecord => {
                    if let Some(recording) = self.recording {
                        out.media(MediaCommand::StopRecord { recording });
                    }
                }
                BoxOut::Keep { record, receipt } => {
                    self.kept |= matches!(*record, Record::Message(_));
                    out.want(Intent::Keep { record, tell: receipt });
                }
                BoxOut::Timer(after) => out.wait(cx.now, CallTimer::Mailbox, after),
                BoxOut::NoTimer => out.want(Intent::NoWait(CallTimer::Mailbox)),
                BoxOut::Trace { kind, detail } => out.step(kind, detail),
                BoxOut::Done => return self.done(core, out),
            }
        }
        Stage::Mailbox(self)
    }

    fn record(&mut self, path: String, max_s: u32, silence_ms: u32, out: &mut Out) {
        let recording = out.ids.recording();
        self.recording = Some(recording);
        let left = self.session;
        let right = None;
        out.media(MediaCommand::Record {
            recording,
            left,
            right,
            path,
            max_s,
            silence_ms,
            until_digit: true,
        });
    }

    fn done(self: Box<Self>, core: &mut Core, out: &mut Out) -> Stage {
        let cause = match (self.gone, self.kept) {
            (true, _) => bridge::CALLER_HUNG_UP,
            (false, true) => "message left",
            (false, false) => "end of voicemail",
        };
        core.finish(self.outcome(), cause, out)
    }
}
