//! One customer's whole experience: a caller's leg, where the call is (its stage), and what is recorded of it. A step takes
//! the call by value with one input and gives it back; everything it wants done stands in `Out`. It touches no queue, no
//! agent, no socket, and knows other parts only by looking (`Cx`).
pub mod bridge;
pub mod clear;
pub mod fork;
pub mod leg;
pub mod offers;
pub mod stage;
pub mod story;

use crate::acd;
use crate::budget::Budgets;
use crate::contacts::Contacts;
use crate::dialer::Outreach;
use crate::intent::{Chapter, Intent, Peer};
use crate::ivr::Run;
use crate::ledger::Ids;
use crate::phones::Phones;
use crate::ports::Ports;
use crate::recording::Tape;
use crate::route::Target;
use crate::timers::CallTimer;
use crate::trunks::Trunks;
use crate::voicemail::mailbox::{Mailboxes, Pin};
use leg::Leg;
use model::ask::Answer;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::id::{CallId, LegId, PlayId, RecordingId, SessionId};
use model::media::{Digit, Language, MediaCommand, PlayEnd, RecordEnd, Sound};
use model::notice::CallView;
use model::number::Number;
use model::record::{Direction, Outcome, Party, Record};
use model::refusal::Refusal;
use model::speech::Speech;
use model::steer::Steer;
use stage::Stage;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a step may look at.
pub struct Cx<'a> {
    /// The time of this step.
    pub now: Now,
    /// Registered phones.
    pub phones: &'a Phones,
    /// Carriers.
    pub trunks: &'a Trunks,
    /// Who the site knows.
    pub contacts: &'a Contacts,
    /// What may still be talked to outside today.
    pub budgets: &'a Budgets,
    /// Our SIP address.
    pub sip: SocketAddr,
    /// Our media address.
    pub media: IpAddr,
}

/// What a step wants and takes. Ids and ports are lent by the engine; its ledger knows what was taken, whether the step
/// returns or not.
pub struct Out<'a> {
    /// In order.
    pub intents: Vec<Intent>,
    /// New ids.
    pub ids: &'a mut Ids,
    /// RTP ports.
    pub ports: &'a mut Ports,
    /// Messages kept, and wrong PINs.
    pub mailboxes: &'a mut Mailboxes,
}

impl Out<'_> {
    /// Adds a wish.
    pub fn want(&mut self, intent: Intent) {
        self.intents.push(intent);
    }

    /// Adds a word for media.
    pub fn media(&mut self, command: MediaCommand) {
        self.intents.push(Intent::Media(command));
    }

    /// Adds a step of the journey.
    pub fn step(&mut self, kind: &'static str, detail: impl Into<String>) {
        self.intents.push(Intent::Tell(Chapter::Step(kind, detail.into())));
    }

    /// Plays sounds to a session; the id comes back with `Input::PlayDone`.
    pub fn play(&mut self, session: SessionId, sounds: Vec<Sound>, repeat: bool, barge_in: bool) -> PlayId {
        let play = self.ids.play();
        self.media(MediaCommand::Play { session, play, sounds, repeat, barge_in });
        play
    }

    /// Looks at the PIN of a mailbox; how often it was wrong is kept.
    pub fn pin(&mut self, now: Now, config: &Config, mailbox: &Number, keys: &str) -> Pin {
        let before = self.mailboxes.wrong_pins(now, mailbox).tries;
        let pin = self.mailboxes.pin(now, config, mailbox, keys);
        let pins = self.mailboxes.wrong_pins(now, mailbox);
        if pins.tries != before {
            self.want(Intent::Keep { record: Box::new(Record::WrongPins(pins)), tell: false });
        }
        pin
    }

    /// Wakes the call after a while.
    pub fn wait(&mut self, now: Now, timer: CallTimer, after: Duration) {
        self.want(Intent::Wait(timer, now.mono + after));
    }
}

/// Something for a call: what is the same wherever it is, and what its stage hears.
#[derive(Debug)]
pub enum Input {
    /// It begins: goes to this target.
    Start(Target),
    /// It begins and ends: nobody has the number, or nobody may be called.
    Refuse(Refusal, &'static str),
    /// It begins with the phone that shall become the caller (click to call).
    Summon(Target),
    /// It begins with a number that a campaign calls.
    Reach(Number),
    /// A party wants to change its sound (hold, another address).
    Reoffer(LegId, Option<Vec<u8>>),
    /// A party answered the offer that we made in a 2xx.
    Acked(LegId, Option<Vec<u8>>),
    /// A key press, by INFO.
    InfoDigit(LegId, Digit),
    /// Somebody wants it ended.
    HangUp(&'static str),
    /// A campaign's call was answered by a machine that shall be left a message.
    Machine,
    /// The machine takes the message now.
    Speak,
    /// A party steers the conversation.
    Steer(Option<Number>, Steer),
    /// A supervisor at this extension, who called by star code, is here.
    Watched(Box<Leg>, Number),
    /// A leg of another call takes the place of the party on this side (attended transfer by phones).
    Joined(Side, Box<Leg>, String),
    /// The other party goes where another call of this extension stood.
    Placed(Number, Box<Place>),
    /// It stood somewhere for the party of this call, who stands there now.
    GivesPlace(CallId),
    /// For its stage.
    Heard(Heard),
    /// A bug, for the test of what a bug costs.
    #[cfg(test)]
    Fault,
}

/// Where a caller stood: which number was dialled, where that led, and since when it waits there.
#[derive(Debug)]
pub struct Place {
    /// As dialled.
    pub number: Number,
    /// The queue or mailbox.
    pub target: Target,
    /// In queues.
    pub waiting_since: Option<Mono>,
    /// In this queue.
    pub stood_since: Option<Now>,
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Input {
        Input::Heard(heard)
    }
}

/// What a stage hears.
#[derive(Debug)]
pub enum Heard {
    /// A leg that we called.
    Leg(LegId, LegEvent),
    /// The caller is gone.
    CallerGone,
    /// A key press.
    Digit(SessionId, Digit),
    /// A play ended.
    PlayDone(SessionId, PlayId, PlayEnd),
    /// A recording ended: its length in ms.
    RecordDone(RecordingId, RecordEnd, u32),
    /// No sound from a party for this many seconds.
    Silent(SessionId, u16),
    /// A deadline.
    Timer(CallTimer),
    /// The queue says.
    Acd(Box<acd::Out>),
    /// The prompt that answers an agent's code.
    CodeDone(&'static str),
    /// What the call waits for is on disk.
    Stored,
    /// Somebody switches recording on demand on or off.
    RecordSwitch(bool),
    /// Somebody pauses or resumes the recording.
    RecordPause(bool),
    /// The answer to the question of this number.
    Answered(u32, Box<Answer>),
    /// What the caller said to the hearing of this number.
    Speech(SessionId, u32, Speech),
}

/// What a leg that we called does.
#[derive(Debug)]
pub enum LegEvent {
    /// 100–199.
    Progress(u16, Option<Vec<u8>>),
    /// It answered.
    Answered(Vec<u8>),
    /// It refused.
    Refused(u16),
    /// It was answered and is over.
    Ended,
}

/// Which party of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller.
    Caller,
    /// The called party.
    Called,
}

impl Side {
    /// The opposite one.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Caller => Side::Called,
            Side::Called => Side::Caller,
        }
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As shown to people.
    pub party: Party,
    /// Phone or trunk.
    pub peer: Peer,
    /// Its number in international form, when it came from outside.
    pub outside: Option<Number>,
}

impl Caller {
    /// The extension that calls, if it is one.
    #[must_use]
    pub fn extension(&self) -> Option<&Number> {
        match &self.peer {
            Peer::Phone(n) => Some(n),
            Peer::Trunk(_) => None,
        }
    }
}

/// A call without its stage: what every stage works on.
#[derive(Debug)]
pub struct Core {
    /// Key.
    pub id: CallId,
    /// The configuration it began with; kept to its end.
    pub config: Arc<Config>,
    /// Which way.
    pub direction: Direction,
    /// Who calls.
    pub caller: Caller,
    /// Who or what was dialled.
    pub called: Party,
    /// The caller's leg.
    pub a: Leg,
    /// Language of what is said to the caller.
    pub language: Language,
    /// Recording.
    pub tape: Tape,
    /// Trunk in use, shown in the view.
    pub trunk: Option<String>,
    /// Hops left for INVITEs of this call.
    pub max_forwards: u8,
    /// Branches this call may still have at once, over all hops (RFC 5393); shared out among INVITEs.
    pub max_breadth: u16,
    /// How often it was sent on; ends loops of overflow and flows.
    pub sent_on: u8,
    /// Queue it came from, for the policy of recording.
    pub queue: Option<String>,
    /// Since when it waits in queues, the first of them counted: sent on to another one it keeps its place in time.
    pub waiting_since: Option<Mono>,
    /// Since when somebody stood for it in the queue where it goes now.
    pub stood_since: Option<Now>,
    /// The flow that goes on with the caller when the agent hangs up.
    pub after: Option<Box<Run>>,
    /// Whether it is to an emergency number; such a call never gives way.
    pub emergency: bool,
    /// The leg of the agent who took it from a queue.
    pub agent_leg: Option<LegId>,
    /// Who handed it over: its rights count until somebody answers.
    pub on_behalf: Option<Number>,
    /// Whose phone rings again when nobody takes what was handed over.
    pub give_back: Option<Number>,
    /// Of a campaign: how it is treated.
    pub outreach: Option<Box<Outreach>>,
    /// Whether it calls a customer back for a queue and has not reached them yet.
    pub callback: bool,
    /// The phone it comes from, by its own number, whoever is logged in there.
    pub desk: Option<Number>,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// What every stage works on.
    pub core: Core,
    /// Where it is.
    pub stage: Stage,
    /// Since when it is there.
    pub since: Wall,
}

/// Branches of one call over all hops: the default of RFC 5393 section 5.3.3.
pub const MAX_BREADTH: u16 = 60;
/// A call sent on more often than this is in a circle of the configuration.
const SENT_ON_MAX: u8 = 20;

impl Call {
    /// Takes one input.
    #[must_use]
    pub fn step(mut self, cx: &Cx, input: Input, out: &mut Out) -> Call {
        let before = self.stage.shown(&self.core);
        self.stage = step(&mut self.core, self.stage, cx, input, out);
        if self.stage.shown(&self.core) != before {
            self.since = cx.now.wall;
        }
        self
    }

    /// What is shown of it.
    #[must_use]
    pub fn view(&self, started: Wall) -> CallView {
        CallView {
            call: self.core.id,
            direction: self.core.direction,
            caller: self.core.caller.party.clone(),
            called: self.core.called.clone(),
            trunk: self.core.trunk.clone(),
            stage: self.stage.shown(&self.core).to_owned(),
            with: self.stage.with(),
            started,
            since: self.since,
            recording: self.core.tape.running(),
            recording_paused: self.core.tape.paused(),
            muted: self.stage.muted(&self.core),
            others: self.stage.others(),
        }
    }
}

/// What is the same in every stage comes first; the rest goes to the stage.
fn step(core: &mut Core, stage: Stage, cx: &Cx, input: Input, out: &mut Out) -> Stage {
    match input {
        Input::Start(target) => core.go(target, cx, out),
        Input::Refuse(refusal, cause) => core.refuse(refusal, cause, out),
        Input::Summon(target) => stage::summon::enter(core, target, cx, out),
        Input::Reach(number) => stage::dialing::campaign(core, &number, cx, out),
        Input::Reoffer(leg, sdp) => bridge::reoffer(core, stage, leg, sdp, out),
        Input::Acked(leg, sdp) => {
            let mut stage = stage;
            if let Some(sdp) = sdp {
                bridge::acked(core, &mut stage, leg, &sdp, out);
            }
            stage
        }
        Input::Steer(party, steer) => {
            let Stage::Bridged(bridged) = stage else { return stage };
            bridged.steer(core, cx, party.as_ref(), steer, out)
        }
        Input::Watched(leg, at) => {
            let Stage::Bridged(mut bridged) = stage else { return unwanted(*leg, stage, out) };
            bridged.admit(core, *leg, &at, out);
            Stage::Bridged(bridged)
        }
        Input::Joined(side, leg, number) => {
            let Stage::Bridged(mut bridged) = stage else { return unwanted(*leg, stage, out) };
            bridged.take_place(core, cx, side, *leg, number, out);
            Stage::Bridged(bridged)
        }
        Input::Placed(by, place) => {
            let Stage::Bridged(bridged) = stage else { return stage };
            let Ok(side) = bridged.side_of(core, Some(&by)) else { return Stage::Bridged(bridged) };
            (core.waiting_since, core.stood_since) = (place.waiting_since, place.stood_since);
            bridged.transfer(core, cx, side, &place.number, place.target, out)
        }
        Input::GivesPlace(to) => {
            out.step("transferred", format!("{} -> call {to}", core.caller.party.number));
            core.finish(Outcome::Answered, "its place was given to another", out)
        }
        Input::InfoDigit(leg, digit) => match stage.session_of(core, leg) {
            Some(session) => {
                if let Stage::Bridged(bridged) = &stage {
                    bridged.pass_on(session, digit, out);
                }
                heard(core, stage, cx, Heard::Digit(session, digit), out)
            }
            None => stage,
        },
        Input::HangUp(cause) => core.finish(stage.outcome(), cause, out),
        Input::Machine => stage::machine::enter(core, stage, out),
        Input::Speak => {
            let Stage::Machine(machine) = stage else { return stage };
            machine.speak(core, cx, out)
        }
        Input::Heard(what) => heard(core, stage, cx, what, out),
        #[cfg(test)]
        Input::Fault => {
            out.step("fault", "this must have no effect");
            panic!("a bug in call {}", core.id)
        }
    }
}

/// A leg came for a conversation that is over by now.
fn unwanted(mut leg: Leg, stage: Stage, out: &mut Out) -> Stage {
    leg.hang_up(None, out);
    stage::bridged::guests::close(&leg, out);
    stage
}

fn heard(core: &mut Core, stage: Stage, cx: &Cx, what: Heard, out: &mut Out) -> Stage {
    match &what {
        Heard::Leg(leg, LegEvent::Ended) if *leg == core.a.id => {
            core.a.state = leg::State::Gone;
            return stage.step(core, cx, Heard::CallerGone, out);
        }
        Heard::RecordDone(recording, ..) if core.tape.is(*recording) => {
            core.tape.done();
            return stage;
        }
        Heard::Timer(CallTimer::Age) => {
            return core.finish(stage.outcome(), "longest call time reached", out);
        }
        Heard::Leg(..)
        | Heard::CallerGone
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
        | Heard::Answered(..) => {}
    }
    stage.step(core, cx, what, out)
}

impl Core {
    /// A call that begins.
    #[must_use]
    pub fn new(
        id: CallId,
        config: Arc<Config>,
        direction: Direction,
        caller: Caller,
        called: Party,
        a: Leg,
        language: Language,
    ) -> Core {
        Core {
            id,
            config,
            direction,
            caller,
            called,
            a,
            language,
            tape: Tape::default(),
            trunk: None,
            max_forwards: 70,
            max_breadth: MAX_BREADTH,
            sent_on: 0,
            queue: None,
            waiting_since: None,
            stood_since: None,
            after: None,
            emergency: false,
            agent_leg: None,
            on_behalf: None,
            give_back: None,
            outreach: None,
            callback: false,
            desk: None,
        }
    }

    /// These prompts, in the language of the call.
    #[must_use]
    pub fn said(&self, prompts: &[&str]) -> Vec<Sound> {
        prompts.iter().map(|p| Sound::Prompt { language: self.language, name: (*p).to_owned() }).collect()
    }

    /// Sends the call to a target: the one door into stages.
    pub fn go(&mut self, target: Target, cx: &Cx, out: &mut Out) -> Stage {
        self.sent_on = self.sent_on.saturating_add(1);
        if self.sent_on > SENT_ON_MAX {
            return self.finish(Outcome::Failed, "sent on in a circle", out);
        }
        out.want(Intent::Tell(Chapter::Target(target.clone())));
        stage::enter(self, target, cx, out)
    }

    /// Ends the call: the caller hears a SIP code, or, once answered, a prompt and then the end.
    pub fn refuse(&mut self, refusal: Refusal, cause: &str, out: &mut Out) -> Stage {
        out.step("refused", cause);
        let outcome = outcome_of(refusal);
        if let Some(session) = self.a.up_session() {
            let prompt = Sound::Prompt { language: self.language, name: refusal.prompt().to_owned() };
            return stage::goodbye::enter(session, vec![prompt], outcome, cause, out);
        }
        self.a.refuse(refusal.sip_code(), out);
        self.finish(outcome, cause, out)
    }

    /// Ends the call without a word.
    pub fn finish(&mut self, outcome: Outcome, cause: &str, out: &mut Out) -> Stage {
        out.want(Intent::Finish { outcome, cause: cause.to_owned() });
        Stage::Clearing
    }

    /// Takes the caller's call, if that has not happened. The session, or the end of the call.
    ///
    /// # Errors
    /// The stage to go on with: the call is refused because there is no port or no common codec.
    pub fn answer(&mut self, cx: &Cx, out: &mut Out) -> Result<SessionId, Stage> {
        let id = self.id;
        match self.a.accept(id, cx, out) {
            Ok(session) => Ok(session),
            Err(refusal) => Err(self.refuse(refusal, "no sound with the caller possible", out)),
        }
    }
}

fn outcome_of(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Busy | Refusal::Declined => Outcome::Busy,
        Refusal::NoAnswer => Outcome::NoAnswer,
        Refusal::Conflict | Refusal::Forbidden | Refusal::Unknown | Refusal::Malformed => Outcome::Refused,
        Refusal::Unavailable | Refusal::Overloaded | Refusal::NotAcceptable => Outcome::Failed,
    }
}
