//! The whole box in one value: an event comes in, effects go out. Routes ids to their owners and settles what parts want of
//! each other, all within the one step. No business here.
mod admit;
mod callback;
mod carry;
mod check;
mod control;
#[cfg(test)]
mod fault;
mod indicated;
mod mending;
mod mwi;
mod ordered;
mod outreach;
mod receipts;
mod seating;
pub(crate) mod self_call;
mod site;
mod sounds;
mod spending;
mod strangers;

use crate::acd::bonds::Bonds;
use crate::acd::{self, Acd};
use crate::budget::Budgets;
use crate::call::{Call, Cx, Heard, Input, Out};
use crate::contacts::Contacts;
use crate::dialer::Dialer;
use crate::effect::Effect;
use crate::event::{Boot, Event};
use crate::guard::{Failure, Guard};
use crate::ledger::{Ids, Ledger};
use crate::phones::Phones;
use crate::ports::Ports;
use crate::step::guarded;
use crate::timers::{Reason, Timers};
use crate::trunks::{self, Trunks};
use crate::voicemail::mailbox::Mailboxes;
use model::clock::{Mono, Now};
use model::config::Config;
use model::id::{CallId, Generation, Ticket};
use model::notice::Notice;
use model::number::Number;
use model::record::{NoteRecord, Outcome};
use sip::digest::Nonces;
use sip::endpoint::Settings;
use sip::indication::SubscriptionId;
use sip::{Endpoint, Flow, Output};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Inputs settled within one step: far above any real chain, so that a circle among parts ends and is seen.
const SETTLE_MAX: usize = 100_000;
/// The numbers of the box are told at most this often.
const SYSTEM_EVERY: Duration = Duration::from_millis(500);
/// Messages that wait longer than this are too late: a refusal must come within 100 ms, and a caller that waits 500 ms
/// asks again (RFC 3261 timer A), which would make it worse.
const LAG_MAX: Duration = Duration::from_millis(50);
/// A box that is behind for less has had a hiccup and catches up; nobody is refused for that.
pub(crate) const BEHIND_MAX: Duration = Duration::from_millis(100);
/// Registered phones that ran out are taken out this often; calls look at the time themselves.
const PHONES_EVERY: Duration = Duration::from_secs(5);

/// Every decision of the box.
pub struct Engine {
    pub(crate) sip: Endpoint,
    pub(crate) outputs: Vec<Output>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) pending: VecDeque<(CallId, Input)>,
    pub(crate) config: Arc<Config>,
    pub(crate) generation: Generation,
    pub(crate) epoch: u64,
    pub(crate) address: SocketAddr,
    pub(crate) media_address: IpAddr,
    pub(crate) ids: Ids,
    pub(crate) ledger: Ledger,
    pub(crate) ports: Ports,
    pub(crate) timers: Timers,
    pub(crate) phones: Phones,
    pub(crate) trunks: Trunks,
    pub(crate) guard: Guard,
    pub(crate) nonces: Nonces,
    pub(crate) acd: Acd,
    pub(crate) dialer: Dialer,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) contacts: Contacts,
    budgets: Budgets,
    pub(crate) calls: BTreeMap<CallId, Box<Call>>,
    pub(crate) awaited: BTreeMap<Ticket, receipts::Waiting>,
    pub(crate) subscriptions: BTreeMap<SubscriptionId, Number>,
    pub(crate) media_up: bool,
    pub(crate) draining: bool,
    /// Since when every event has waited for too long.
    pub(crate) behind: Option<Mono>,
    pub(crate) shed: u64,
    faults: mending::Faults,
    pub(crate) other_name_told: Option<Mono>,
    pub(crate) self_call: Option<Box<self_call::SelfCalling>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("calls", &self.calls.len())
            .field("generation", &self.generation)
            .finish()
    }
}

impl Engine {
    /// The engine at its start. What must happen at once (registrations, look-ups, notices) stands in `effects`.
    #[must_use]
    pub fn new(now: Now, boot: Boot, effects: &mut Vec<Effect>) -> Engine {
        let seed = spread(boot.seed);
        let mut said = Vec::new();
        let acd = Acd::new(now, &boot.config, &boot.agents, Bonds::new(&boot.bonds), &boot.past, &mut said);
        let dialer = Dialer::new(now, &boot.config, &boot.campaigns);
        let mut engine = Engine {
            sip: Endpoint::new(Settings::new(seed)),
            outputs: Vec::new(),
            effects: std::mem::take(effects),
            pending: VecDeque::new(),
            config: boot.config,
            generation: boot.generation,
            epoch: boot.epoch,
            address: boot.sip,
            media_address: boot.media,
            ids: Ids::new(boot.next_call, boot.next_recording, boot.next_message),
            ledger: Ledger::default(),
            ports: Ports::default(),
            timers: Timers::default(),
            phones: Phones::new(boot.sip),
            trunks: Trunks::new(boot.sip, boot.seed),
            guard: Guard::default(),
            nonces: Nonces::new(spread(boot.seed ^ 0x6e6f_6e63_6573)),
            acd,
            dialer,
            mailboxes: Mailboxes::new(boot.messages, boot.greetings).with_wrong_pins(now, &boot.wrong_pins),
            contacts: Contacts::default(),
            budgets: Budgets::default(),
            calls: BTreeMap::new(),
            awaited: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            media_up: false,
            draining: false,
            behind: None,
            shed: 0,
            faults: mending::Faults::default(),
            other_name_told: None,
            self_call: None,
        };
        engine.acd_said(now, said);
        engine.recall(now, &boot.past.callbacks);
        engine.phones.restore(now, &boot.bindings);
        engine.phones.seats.restore(&engine.config, &boot.seats);
        engine.guard.restore(now, &boot.bans);
        let proved = boot.bindings.iter().map(|b| (b.address.ip(), b.expires.min(now.wall)));
        engine.guard.restore_proved(now, proved);
        engine.guard.sums.restore(boot.bindings.iter());
        engine.budgets.restore(now, &engine.config, &boot.budgets);
        engine.begin(now, &boot.bans);
        engine.settle(now);
        *effects = std::mem::take(&mut engine.effects);
        engine
    }

    /// Takes one event at its time; everything that follows from it stands in `effects` in order.
    pub fn handle(&mut self, now: Now, event: Event, effects: &mut Vec<Effect>) {
        std::mem::swap(&mut self.effects, effects);
        if let Err(words) = guarded(|| self.take(now, event)) {
            self.mend(now, &words);
        }
        std::mem::swap(&mut self.effects, effects);
    }

    fn take(&mut self, now: Now, event: Event) {
        match event {
            Event::Packet { flow, bytes } => {
                if !self.is_banned(now, &flow) {
                    self.packet(now, flow, &bytes);
                }
            }
            Event::FlowClosed(flow) => self.flow_closed(now, flow),
            Event::MediaUp => self.media_up(),
            Event::Media(event) => self.media(now, event),
            Event::MediaLost => self.media_lost(now),
            Event::ConfigCommitted { ticket, generation, config } => {
                self.apply(now, ticket, generation, config)
            }
            Event::Command { ticket, by, command } => {
                self.ordered(now, ticket, &by, command);
            }
            Event::Stored { tickets } => self.stored(now, &tickets),
            Event::Resolved { ticket, addresses } => {
                let mut said = Vec::new();
                self.trunks.resolved(now, ticket, &addresses, &mut said);
                self.trunks_said(now, said);
            }
            Event::Contacts(changes) => self.contacts.take(changes),
            Event::Answered { call, number, answer } => {
                self.hears(call, Heard::Answered(number, Box::new(answer)));
            }
            Event::Entries { campaign, entries } => self.dialer.filled(now, &campaign, entries),
            Event::Tick => {}
        }
        self.settle(now);
    }

    /// Told before an event: how long it waited for its turn. When that is too long for each of a while's events, the box
    /// is behind and takes no new calls, so that those it has stay answered in time.
    pub fn waited(&mut self, now: Now, lag: Duration) {
        self.behind = if lag > LAG_MAX { self.behind.or(Some(now.mono)) } else { None };
    }

    /// When `Event::Tick` is wanted next, if nothing else comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        [self.sip.deadline(), self.timers.deadline(), self.acd.deadline()].into_iter().flatten().min()
    }

    /// One message, guarded: one that breaks the machine is thrown away and seen, and costs nobody else a thing.
    fn packet(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        if self.unheard(now, &flow, bytes) {
            return self.failed(now, &flow, None, Failure::Knock);
        }
        let (sip, outputs) = (&mut self.sip, &mut self.outputs);
        if let Err(words) = guarded(|| sip.receive(now, flow, bytes, outputs)) {
            self.outputs.clear();
            self.note(
                now,
                "alarm",
                "fault",
                &flow.remote.to_string(),
                &format!("a message ran into a fault: {words}"),
            );
        }
        self.withhold(now, &flow);
    }

    /// What the SIP machine refuses by itself goes out only as long as its asker's allowance lasts.
    fn withhold(&mut self, now: Now, flow: &Flow) {
        let refuses = |o: &Output| matches!(o, Output::Send { bytes, .. } if refusal(bytes));
        if self.outputs.iter().any(refuses) && !self.answers(now, flow) {
            self.outputs.retain(|o| !refuses(o));
        }
    }

    /// Goes on until nobody wants anything of anybody.
    fn settle(&mut self, now: Now) {
        for _ in 0..SETTLE_MAX {
            if !self.outputs.is_empty() {
                for output in std::mem::take(&mut self.outputs) {
                    match output {
                        Output::Send { flow, bytes } => self.effects.push(Effect::Send { flow, bytes }),
                        Output::Indicate(indication) => self.indicated(now, indication),
                    }
                }
            } else if let Some((call, input)) = self.pending.pop_front() {
                self.step(now, call, input);
            } else if let Some(reason) = self.timers.due(now.mono) {
                self.due(now, reason);
            } else if self.acd.deadline().is_some_and(|at| at <= now.mono) {
                self.with_acd(now, None, |acd, said| acd.timeout(now, said));
            } else if self.sip.deadline().is_some_and(|at| at <= now.mono) {
                self.sip.handle_timeout(now, &mut self.outputs);
            } else {
                return;
            }
        }
        self.note(now, "alarm", "circle", "engine", "a step did not settle; its rest was dropped");
        self.pending.clear();
    }

    /// One guarded step of one call.
    fn step(&mut self, now: Now, id: CallId, input: Input) {
        let Some(call) = self.calls.remove(&id) else { return };
        let cx = Cx {
            now,
            phones: &self.phones,
            trunks: &self.trunks,
            contacts: &self.contacts,
            budgets: &self.budgets,
            sip: self.address,
            media: self.media_address,
        };
        let mut out = Out {
            intents: Vec::new(),
            ids: &mut self.ids,
            ports: &mut self.ports,
            mailboxes: &mut self.mailboxes,
        };
        let stepped = guarded(|| call.step(&cx, input, &mut out));
        let intents = out.intents;
        match stepped {
            Ok(call) => {
                self.calls.insert(id, Box::new(call));
                for intent in intents {
                    self.carry_out(now, id, intent);
                }
                self.tell_call(id);
            }
            Err(words) => {
                self.note(
                    now,
                    "alarm",
                    "fault",
                    &id.to_string(),
                    &format!("a call ran into a fault: {words}"),
                );
                self.clear(now, id, Outcome::Failed, "fault in the box");
            }
        }
    }

    fn due(&mut self, now: Now, reason: Reason) {
        match reason {
            Reason::Call(call, timer) => self.hears(call, Heard::Timer(timer)),
            Reason::Trunk(name, timer) => {
                let mut said = Vec::new();
                let ids = &mut self.ids;
                self.trunks.timer(now, &name, timer, &mut || ids.ticket(), &mut said);
                self.trunks_said(now, said);
            }
            Reason::Phones => {
                let (changed, records) = self.phones.expire(now);
                self.phones_changed(now, &changed, records);
                self.timers.set(Reason::Phones, now.mono + PHONES_EVERY);
            }
            Reason::BanEnd(address) => match self.guard.ended(now.mono, address) {
                Some(later) => self.timers.set(Reason::BanEnd(address), later),
                None => self.effects.push(Effect::Notice(Notice::BanGone(address))),
            },
            Reason::SelfCall => self.self_hears(now, crate::canary::Heard::Late),
            Reason::Receipt(ticket) => self.receipt_is_late(now, ticket),
            Reason::Budget => self.look_at_budgets(now),
            Reason::System => self.tell_system(),
            Reason::Dialer => self.dialer_tick(now),
        }
    }

    /// Words of the queues go to calls, store and desks.
    pub(crate) fn acd_said(&mut self, now: Now, said: Vec<acd::Out>) {
        for word in said {
            match word {
                acd::Out::Offer { call, ref agent, ref extension, .. } => {
                    if self.is_there(now, call, agent, extension) {
                        self.hears(call, Heard::Acd(Box::new(word)));
                    }
                }
                acd::Out::Withdraw { call, .. }
                | acd::Out::Say { call, .. }
                | acd::Out::Music { call, .. }
                | acd::Out::Decide { call, .. }
                | acd::Out::Promised { call, .. }
                | acd::Out::Overflow { call, .. } => self.hears(call, Heard::Acd(Box::new(word))),
                acd::Out::Keep(record) => {
                    self.keep(now, record, None);
                }
                acd::Out::Notice(notice) => self.effects.push(Effect::Notice(notice)),
            }
        }
    }

    /// Words of the trunks go to the network and the desks.
    pub(crate) fn trunks_said(&mut self, now: Now, said: Vec<trunks::Out>) {
        for word in said {
            match word {
                trunks::Out::Request(request) => self.sip.request(now, *request, &mut self.outputs),
                trunks::Out::Resolve(ticket, name) => self.effects.push(Effect::Resolve { ticket, name }),
                trunks::Out::Wait(name, timer, at) => self.timers.set(Reason::Trunk(name, timer), at),
                trunks::Out::Changed(name) => {
                    self.tell_trunk(&name);
                    self.note_trunk(now, &name);
                }
            }
        }
    }

    /// A line for the event log, kept and told.
    pub(crate) fn note(&mut self, now: Now, level: &str, kind: &str, subject: &str, text: &str) {
        let note = NoteRecord {
            at: now.wall,
            level: level.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
        };
        self.effects.push(Effect::Notice(Notice::Note(note.clone())));
        self.keep(now, model::record::Record::Note(note), None);
    }

    /// A call hears something, after what it was told before.
    pub(crate) fn hears(&mut self, call: CallId, what: Heard) {
        self.pending.push_back((call, what.into()));
    }

    /// The numbers of the box changed; they are told a little later, with what else changes until then.
    pub(crate) fn system_changed(&mut self, now: Now) {
        if !self.timers.pending(&Reason::System) {
            self.timers.set(Reason::System, now.mono + SYSTEM_EVERY);
        }
    }
}

/// Whether this is an answer that says no.
fn refusal(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"SIP/2.0 ").is_some_and(|rest| matches!(rest.first(), Some(b'4'..=b'6')))
}

/// A 256-bit seed from a short one: enough to differ; the real entropy is what the shell gives in `Boot::seed`.
fn spread(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (i, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        let salt = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::try_from(i).unwrap_or(0) + 1);
        chunk.copy_from_slice(&(seed ^ salt).to_le_bytes());
    }
    bytes
}
