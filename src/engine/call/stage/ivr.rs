//! In a flow. Leaves by what the flow says: queue → Queued · extension → Ringing (and back on failure) · mailbox → Deposit ·
//! hang up or caller gone → Clearing · back from Bridged when the agent hung up and a step follows. The flow itself is `ivr::Run`; here is only the glue to media and timers.
use super::super::{Core, Cx, Heard, Out};
use super::ringing::Back;
use super::{Stage, caller_gone, queued, ringing};
use crate::acd;
use crate::intent::{Chapter, Intent};
use crate::ivr::{Fields, Input as RunInput, Out as RunOut, Run, Target as RunTarget};
use crate::route::{Target, inbound, local_time};
use crate::timers::CallTimer;
use model::ask::FIELD_MAX;
use model::id::{PlayId, SessionId};
use model::media::{MediaCommand, PlayEnd};
use model::number::Number;
use model::record::Outcome;
use model::refusal::Refusal;

/// A flow in progress.
#[derive(Debug)]
pub struct Ivr {
    run: Run,
    session: SessionId,
    play: Option<PlayId>,
}

/// Takes the caller's call and begins the flow.
pub fn enter(core: &mut Core, name: &str, cx: &Cx, out: &mut Out) -> Stage {
    let session = match core.answer(cx, out) {
        Ok(session) => session,
        Err(stage) => return stage,
    };
    out.want(Intent::Tell(Chapter::Service));
    let mut said = Vec::new();
    let here = local_time(&core.config, cx.now.wall);
    core.after = None;
    match Run::start(&core.config, name, core.language, fields(core, cx), here, &mut said) {
        None => core.refuse(Refusal::Unknown, "no such flow", out),
        Some(run) => Box::new(Ivr { run, session, play: None }).carry_out(core, said, cx, out),
    }
}

/// The agent hung up: the flow goes on with the caller.
pub fn resume(core: &mut Core, run: Run, session: SessionId, cx: &Cx, out: &mut Out) -> Stage {
    core.language = run.language();
    Box::new(Ivr { run, session, play: None }).tell(core, RunInput::Alone, cx, out)
}

/// What a flow knows of a call when it begins: the parties, and the contact that calls.
fn fields(core: &Core, cx: &Cx) -> Fields {
    let caller = core.caller.outside.as_ref().map(Number::as_str);
    let caller = caller.unwrap_or(core.caller.party.number.as_str());
    let mut all = vec![
        ("caller".to_owned(), caller),
        ("caller.name".to_owned(), core.caller.party.name.as_str()),
        ("called".to_owned(), core.called.number.as_str()),
    ];
    if let Some(contact) = cx.contacts.find(caller) {
        all.extend([
            ("contact.class".to_owned(), contact.class.as_str()),
            ("contact.company".to_owned(), contact.company.as_str()),
            ("contact.name".to_owned(), contact.name.as_str()),
        ]);
        all.extend(contact.fields.iter().map(|(name, value)| (format!("contact.{name}"), value.as_str())));
    }
    let known = all.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| (name, value.chars().take(FIELD_MAX).collect())).collect()
}

impl Ivr {
    /// The step it is in.
    #[must_use]
    pub fn with(&self) -> String {
        self.run.step().to_owned()
    }

    /// The extension that the flow asked for did not take the call.
    #[must_use]
    pub fn refused(self: Box<Self>, core: &mut Core, why: Refusal, cx: &Cx, out: &mut Out) -> Stage {
        self.tell(core, RunInput::Refused(why), cx, out)
    }

    /// Takes one input.
    #[must_use]
    pub fn step(mut self: Box<Self>, core: &mut Core, cx: &Cx, input: Heard, out: &mut Out) -> Stage {
        match input {
            Heard::Digit(session, digit) if session == self.session => {
                self.tell(core, RunInput::Digit(digit), cx, out)
            }
            Heard::PlayDone(_, play, PlayEnd::Finished) if self.play == Some(play) => {
                self.play = None;
                self.tell(core, RunInput::Played, cx, out)
            }
            Heard::Timer(CallTimer::Flow) => self.tell(core, RunInput::Timer, cx, out),
            Heard::Answered(number, answer) => self.tell(core, RunInput::Answered(number, *answer), cx, out),
            Heard::Acd(said) if matches!(*said, acd::Out::Promised { .. }) => {
                if let acd::Out::Promised { number, queue, .. } = *said {
                    out.want(Intent::Tell(Chapter::Queue(queue)));
                    out.want(Intent::Tell(Chapter::QueueLeft));
                    out.step("callback", number.to_string());
                }
                Stage::Ivr(self)
            }
            Heard::Speech(session, number, speech) if session == self.session => {
                self.tell(core, RunInput::Speech(number, speech), cx, out)
            }
            Heard::CodeDone(_) => self.tell(core, RunInput::Promised(false), cx, out),
            Heard::Stored => self.tell(core, RunInput::Promised(true), cx, out),
            Heard::CallerGone => {
                out.want(Intent::NoWait(CallTimer::Flow));
                caller_gone(core, Outcome::Answered, out)
            }
            Heard::Leg(..)
            | Heard::Digit(..)
            | Heard::PlayDone(..)
            | Heard::RecordDone(..)
            | Heard::Silent(..)
            | Heard::Timer(_)
            | Heard::Acd(_)
            | Heard::RecordSwitch(_)
            | Heard::RecordPause(_)
            | Heard::Speech(..) => Stage::Ivr(self),
        }
    }

    fn tell(mut self: Box<Self>, core: &mut Core, input: RunInput, cx: &Cx, out: &mut Out) -> Stage {
        let mut said = Vec::new();
        self.run.input(input, local_time(&core.config, cx.now.wall), &mut said);
        self.carry_out(core, said, cx, out)
    }

    fn carry_out(mut self: Box<Self>, core: &mut Core, said: Vec<RunOut>, cx: &Cx, out: &mut Out) -> Stage {
        for word in said {
            match word {
                RunOut::Play { sounds, barge_in } => {
                    self.play = Some(out.play(self.session, sounds, false, barge_in));
                }
                RunOut::Stop => {
                    self.play = None;
                    out.media(MediaCommand::StopPlay { session: self.session });
                }
                RunOut::Timer(after) => out.wait(cx.now, CallTimer::Flow, after),
                RunOut::NoTimer => out.want(Intent::NoWait(CallTimer::Flow)),
                RunOut::Language(language) => core.language = language,
                RunOut::Trace { kind, detail } => out.step(kind, detail),
                RunOut::Ask(number, ask) => out.want(Intent::Ask(number, ask)),
                RunOut::Hear(hearing) => {
                    let hearing = hearing.map(|h| *h);
                    out.media(MediaCommand::Hear { session: self.session, hearing });
                }
                RunOut::Score(score) => out.want(Intent::Tell(Chapter::Score(score))),
                RunOut::CallBack { queue, number } => {
                    let number = inbound::international(&core.config, &number);
                    let caller = Box::new(queued::caller(core, cx));
                    out.want(Intent::CallBack { queue, caller, number });
                }
                RunOut::Go(target) => return self.go(core, target, cx, out),
            }
        }
        Stage::Ivr(self)
    }

    fn go(self: Box<Self>, core: &mut Core, target: RunTarget, cx: &Cx, out: &mut Out) -> Stage {
        match target {
            RunTarget::Extension(number) => {
                out.want(Intent::Tell(Chapter::Target(Target::Extension(number.clone()))));
                ringing::enter(core, number, Back::Flow(self), cx, out)
            }
            RunTarget::HangUp => core.finish(Outcome::Answered, "end of the flow", out),
            RunTarget::Queue(queue) => {
                core.after = self.run.goes_on().then(|| Box::new(self.run));
                core.go(Target::Queue(queue), cx, out)
            }
            RunTarget::Voicemail(mailbox) => core.go(Target::Voicemail(mailbox), cx, out),
        }
    }
}
