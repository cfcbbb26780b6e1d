//! Carries out what a call wants, in order, after its step returned: SIP, media, queue, store, timers. The one place where
//! intents become effects.
use super::Engine;
use super::receipts::Waiting;
use crate::acd::OfferResult;
use crate::acd::code::Code;
use crate::call::{Heard, Input};
use crate::effect::Effect;
use crate::intent::{Chapter, Intent, Peer};
use crate::route::Target;
use crate::timers::Reason;
use model::ask::Ask;
use model::clock::Now;
use model::id::{CallId, LegId, Ticket};
use model::media::MediaCommand;
use model::notice::Notice;
use model::number::Number;
use model::record::{Party, Record};

/// Seconds a refused caller is asked to wait.
const RETRY_AFTER: &str = "5";

impl Engine {
    /// One wish of a call.
    pub(super) fn carry_out(&mut self, now: Now, call: CallId, intent: Intent) {
        match intent {
            Intent::Invite { leg, peer, invite } => {
                self.leg_begins(now, leg, call, peer);
                self.sip.invite(now, leg, *invite, &mut self.outputs);
            }
            Intent::Ring { leg, code, sdp } => self.sip.ring(now, leg, code, sdp, &mut self.outputs),
            Intent::Accept { leg, sdp } => self.sip.accept(now, leg, sdp, Vec::new(), &mut self.outputs),
            Intent::Refuse { leg, code } => {
                let later = vec![("Retry-After".to_owned(), RETRY_AFTER.to_owned())];
                let headers = if code == 503 { later } else { Vec::new() };
                self.sip.refuse(now, leg, code, None, headers, &mut self.outputs);
                self.leg_ends(now, leg);
            }
            Intent::HangUp { leg, cause } => {
                self.sip.hang_up(now, leg, cause, &mut self.outputs);
                self.leg_ends(now, leg);
            }
            Intent::AnswerReoffer { leg, answer } => {
                self.sip.answer_reoffer(now, leg, answer, &mut self.outputs);
            }
            Intent::LegGone(leg) => self.leg_ends(now, leg),
            Intent::Media(command) => self.tell_media(call, command),
            Intent::Close(session) => {
                self.effects.push(Effect::Media(MediaCommand::Close { session }));
                self.ports.release(session);
            }
            Intent::Wait(timer, at) => self.timers.set(Reason::Call(call, timer), at),
            Intent::NoWait(timer) => self.timers.cancel(&Reason::Call(call, timer)),
            Intent::Tell(chapter) => self.tell_story(now, call, chapter),
            Intent::Enqueue { queue, caller } => {
                let taken =
                    self.with_acd(now, Some(call), |acd, said| acd.enqueue(now, call, &queue, *caller, said));
                if taken.is_some_and(|t| t.is_err()) {
                    self.pending.push_back((call, Input::HangUp("the queue is gone")));
                }
            }
            Intent::CallBack { queue, caller, number } => self.promise(now, call, &queue, *caller, &number),
            Intent::Decided(agent) => {
                self.with_acd(now, Some(call), |acd, said| acd.decided(now, call, agent.as_deref(), said));
            }
            Intent::CalledBack => {
                self.with_acd(now, Some(call), |acd, said| acd.called_back(now, call, said));
            }
            Intent::LeaveQueue => {
                self.with_acd(now, Some(call), |acd, said| acd.abandon(now, call, said));
            }
            Intent::Offered { agent, result } => self.offered(now, call, &agent, result),
            Intent::Code { extension, code } => {
                let part = (code == Code::Campaigns).then(|| self.takes_part(now, &extension)).flatten();
                let done = part.or_else(|| {
                    self.with_acd(now, Some(call), |acd, said| acd.code(now, &extension, &code, said))
                });
                if let Some(prompt) = done {
                    self.hears(call, Heard::CodeDone(prompt));
                }
            }
            Intent::Sit { phone, person } => self.code_seat(now, call, &phone, person.as_ref()),
            Intent::Keep { record, tell } => {
                self.keep(now, *record, tell.then_some(call));
            }
            Intent::MakeRoom(trunk) => self.make_room(now, call, &trunk),
            Intent::TrunkSilent(name) => {
                let mut said = Vec::new();
                self.trunks.silent(now, &name, &mut said);
                self.trunks_said(now, said);
            }
            Intent::Emergency { from, number } => self.emergency(now, call, &from, &number),
            Intent::AgentDone => {
                self.with_acd(now, None, |acd, said| acd.call_ended(now, call, said));
            }
            Intent::Watch(number) => self.watch(now, call, &number),
            Intent::Supervised { at, how } => {
                let name = format!("extension {at}");
                self.note_supervision(now, call, &name, &at, how.word());
            }
            Intent::Ask(number, ask) => {
                if let (Ask::Application(wanted), Some(entry)) = (&ask, self.ledger.calls.get_mut(&call)) {
                    entry.application = wanted.leads().then_some(number);
                }
                self.effects.push(Effect::Ask { call, number, ask });
            }
            Intent::Reach { queue, agent } => {
                self.with_acd(now, Some(call), |acd, said| acd.reach(now, call, &queue, agent, said));
            }
            Intent::Outreach(told) => self.outreach_told(now, call, told),
            Intent::Charge { leg, charge } => self.budgets.begins(leg, *charge),
            Intent::Finish { outcome, cause } => self.clear(now, call, outcome, &cause),
        }
    }

    /// A record for the store. What it changes in the mailboxes is told at once.
    pub(crate) fn keep(&mut self, now: Now, record: Record, tell: Option<CallId>) -> Ticket {
        let mut notices = Vec::new();
        let lamp = self.mailboxes.apply(&record, &mut notices);
        self.effects.extend(notices.into_iter().map(Effect::Notice));
        if let Some(mailbox) = lamp {
            self.lamp(now, &mailbox);
        }
        if let Record::Recording(recording) = &record {
            self.ledger.recording_is_kept(recording.recording, recording.call);
        }
        let ticket = self.ids.ticket();
        if let Some(call) = tell {
            self.awaited.insert(ticket, Waiting::Call(call));
        }
        self.effects.push(Effect::Keep { ticket, record });
        ticket
    }

    /// A leg begins: its party is in a call.
    pub(crate) fn leg_begins(&mut self, now: Now, leg: LegId, call: CallId, peer: Peer) {
        let first = match &peer {
            Peer::Phone(number) => !self.ledger.in_call(number),
            Peer::Trunk(_) => false,
        };
        self.ledger.leg_begins(leg, call, peer.clone());
        self.peer_changed(now, &peer, first);
    }

    /// A leg is over.
    pub(crate) fn leg_ends(&mut self, now: Now, leg: LegId) {
        let Some(entry) = self.ledger.leg_ends(leg) else { return };
        self.leg_paid(now, leg);
        let last = match &entry.peer {
            Peer::Phone(number) => !self.ledger.in_call(number),
            Peer::Trunk(_) => false,
        };
        self.peer_changed(now, &entry.peer, last);
    }

    pub(crate) fn peer_changed(&mut self, now: Now, peer: &Peer, busy_changed: bool) {
        match peer {
            Peer::Phone(number) if busy_changed => self.phone_changed(now, number),
            Peer::Phone(_) => {}
            Peer::Trunk(name) => {
                self.trunks.carries(name, self.ledger.on_trunk(name));
                self.tell_trunk(name);
            }
        }
    }

    /// Whether an extension can be rung, or is in a call, changed.
    pub(crate) fn phone_changed(&mut self, now: Now, number: &Number) {
        let busy = self.ledger.in_call(number);
        let reachable = self.phones.reachable(&self.config, number);
        self.with_acd(now, None, |acd, said| acd.phone(now, number, reachable, busy, said));
        self.tell_phone(number);
    }

    /// The live view of an extension's phones.
    pub(crate) fn tell_phone(&mut self, number: &Number) {
        if self.config.extension.contains_key(number) {
            let view = self.phones.view(number, self.ledger.in_call(number));
            self.effects.push(Effect::Notice(Notice::Phone(view)));
        }
    }

    fn tell_media(&mut self, call: CallId, command: MediaCommand) {
        if let MediaCommand::Record { recording, .. } = &command {
            self.ledger.recording_begins(*recording, call);
        }
        self.effects.push(Effect::Media(command));
    }

    pub(super) fn tell_story(&mut self, now: Now, call: CallId, chapter: Chapter) {
        let Some(entry) = self.ledger.calls.get_mut(&call) else { return };
        if let Some(record) = entry.story.tell(now, chapter) {
            self.keep(now, record, None);
        }
    }

    fn offered(&mut self, now: Now, call: CallId, agent: &str, result: OfferResult) {
        let stands =
            self.with_acd(now, Some(call), |acd, said| acd.offer_result(now, call, agent, result, said));
        if stands == Some(false) && result == OfferResult::Answered {
            self.note(now, "warning", "late_answer", agent, "an agent answered an offer that was taken back");
        }
    }

    /// An emergency call gets a line: when the trunk is full, the youngest ordinary call on it ends.
    fn make_room(&mut self, now: Now, call: CallId, trunk: &str) {
        let full = self.trunks.line(&self.config, trunk).is_some_and(|line| line.full);
        if !full {
            return;
        }
        let ordinary = |id: &CallId| *id != call && self.ledger.calls.get(id).is_some_and(|c| !c.emergency);
        let victim = self.ledger.calls_on_trunk(trunk).filter(ordinary).max();
        if let Some(victim) = victim {
            self.note(
                now,
                "warning",
                "emergency_room",
                trunk,
                "an ordinary call was ended for an emergency call",
            );
            self.clear(now, victim, model::record::Outcome::Failed, "made room for an emergency call");
        }
    }

    fn emergency(&mut self, now: Now, call: CallId, from: &Number, number: &Number) {
        if let Some(entry) = self.ledger.calls.get_mut(&call) {
            entry.emergency = true;
        }
        let config = self.config.clone();
        let extension = config.extension.get(from);
        let name = extension.map_or("", |e| e.name.as_str());
        let place = extension.and_then(|e| e.location.as_deref()).unwrap_or("place not configured");
        let guest = self.phones.seats.guest(from).map(|g| format!(", by {g} who is logged in there"));
        let guest = guest.unwrap_or_default();
        let text = format!("{number} was dialled at extension {from} ({name}), {place}{guest}");
        self.note(now, "alarm", "emergency_call", from.as_str(), &text);
        let shown = Party { number: from.to_string(), name: format!("{number}! {name}") };
        for desk in config.system.emergency_notify.iter().filter(|n| *n != from) {
            if self.phones.reachable(&config, desk) && !self.ledger.in_call(desk) {
                let party = Party { number: desk.to_string(), name: "Emergency notice".into() };
                self.summon(now, party, desk, shown.clone(), Target::EmergencyNotice(from.clone()));
            }
        }
    }
}
