//! The engine's thread: events in, effects out. Waits only for the next event or deadline; whatever an effect needs is
//! handed to a bounded queue or a non-blocking socket. Decides nothing.
use crate::asker::Asker;
use crate::capture::{Capture, Way};
use crate::clock::Clock;
use crate::door::Door;
use crate::hopper::Hoppers;
use crate::intake::Intake;
use crate::mirror::Mirror;
use crate::replies::Replies;
use crate::wire;
use engine::effect::Effect;
use engine::event::Event;
use engine::{Engine, event::Boot};
use model::clock::Mono;
use model::id::Ticket;
use model::record::Record;
use net::link::MediaLink;
use net::resolve::Resolver;
use net::sip_stream::SipStreams;
use net::sip_udp::SipUdp;
use sip::{Flow, Transport};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for an event before the loop shows that it lives.
const IDLE: Duration = Duration::from_millis(400);

/// Deadlines are met at the next step of this grid, µs: each ended transaction has one, and one wake-up for all of a
/// hundredth of a second costs less than one for each. No timer of SIP or of a queue minds 10 ms.
const GRID_US: u64 = 10_000;

/// What the effects are carried out with.
pub struct Hands {
    /// SIP by datagrams.
    pub udp: SipUdp,
    /// SIP by streams.
    pub streams: SipStreams,
    /// To media.
    pub media: MediaLink,
    /// To the disk.
    pub store: Arc<store::Store>,
    /// To the name service.
    pub resolver: Resolver,
    /// To services outside.
    pub asker: Asker,
    /// To the reader of lists.
    pub hoppers: Hoppers,
    /// Who waits for an answer.
    pub replies: Arc<Replies>,
    /// To the open pages.
    pub inbox: web::live::hub::Inbox,
    /// For status.
    pub mirror: Arc<Mirror>,
    /// Who is turned away where datagrams come in.
    pub door: Arc<Door>,
    /// Copies of SIP messages, while a technician wants them.
    pub capture: Arc<Capture>,
}

/// The loop.
pub struct EngineLoop {
    engine: Engine,
    effects: Vec<Effect>,
    clock: Clock,
    hands: Hands,
    backlog: VecDeque<(Ticket, Record)>,
    again: VecDeque<Event>,
}

impl EngineLoop {
    /// Starts the engine; its first effects are carried out by the first round.
    #[must_use]
    pub fn new(clock: Clock, boot: Boot, hands: Hands) -> EngineLoop {
        let mut effects = Vec::new();
        let engine = Engine::new(clock.now(), boot, &mut effects);
        EngineLoop { engine, effects, clock, hands, backlog: VecDeque::new(), again: VecDeque::new() }
    }

    /// Runs until `stop`.
    pub fn run(mut self, mut intake: Intake, beat: &AtomicU64, stop: &AtomicBool) {
        intake.listen(self.hands.udp.clone(), self.hands.door.clone());
        self.carry_out();
        while !stop.load(Ordering::Relaxed) {
            let next = match self.again.pop_front() {
                Some(event) => Ok(Some((Instant::now(), event))),
                None => intake.next(self.wait()),
            };
            match next {
                Ok(Some((since, event))) => {
                    self.engine.waited(self.clock.now(), since.elapsed());
                    self.step(event);
                }
                Ok(None) => {}
                Err(_) => return,
            }
            if self.engine.deadline().is_some_and(|at| at <= self.clock.now().mono) {
                self.step(Event::Tick);
            }
            self.write_backlog();
            beat.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wait(&self) -> Duration {
        let now = self.clock.now().mono;
        let grid = |at: Mono| Mono(at.0.div_ceil(GRID_US).saturating_mul(GRID_US));
        self.engine.deadline().map_or(IDLE, |at| grid(at).since(now).min(IDLE))
    }

    fn step(&mut self, event: Event) {
        if let Event::Packet { flow, bytes } = &event {
            self.hands.capture.see(Way::In, *flow, bytes);
        }
        self.engine.handle(self.clock.now(), event, &mut self.effects);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        let mut told_media = false;
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { flow, bytes } => self.send(flow, bytes),
                // Dropped while media is away: the engine starts over with Hello when it is back.
                Effect::Media(command) => told_media |= self.hands.media.send(&command),
                Effect::Keep { ticket, record } => self.keep(ticket, record),
                Effect::Reply { ticket, reply } => self.hands.replies.answer(ticket, reply),
                Effect::Notice(notice) => {
                    self.hands.mirror.see(&notice);
                    self.hands.door.see(&notice);
                    self.hands.inbox.put(notice);
                }
                Effect::SelfCalled(result) => self.hands.mirror.self_called(result),
                Effect::Ask { call, number, ask } => {
                    self.again.extend(self.hands.asker.ask(call, number, ask));
                }
                Effect::Fetch { campaign, query } => {
                    if !self.hands.hoppers.ask(campaign, query) {
                        wire::HOPPERS.lost();
                    }
                }
                Effect::Resolve { ticket, name } => {
                    if !self.hands.resolver.ask(ticket.0, name) {
                        wire::NAMES.lost();
                        self.again.push_back(Event::Resolved { ticket, addresses: Vec::new() });
                    }
                }
            }
        }
        if told_media {
            self.hands.media.flush();
        }
        self.effects = effects;
    }

    fn send(&self, flow: Flow, bytes: Vec<u8>) {
        tracing::trace!(%flow, bytes = bytes.len(), "send");
        self.hands.capture.see(Way::Out, flow, &bytes);
        match flow.transport {
            Transport::Udp => self.hands.udp.send(flow, &bytes),
            Transport::Tcp => self.hands.streams.send(flow, bytes),
        }
    }

    fn keep(&mut self, ticket: Ticket, record: Record) {
        // Order matters: nothing overtakes what already waits.
        self.backlog.push_back((ticket, record));
        if self.backlog.len() > wire::RECORDS.length {
            self.backlog.pop_back();
            wire::RECORDS.lost();
            tracing::error!(
                lost = wire::RECORDS.lost_count(),
                "the disk has been too slow for too long: a record is lost"
            );
        }
        self.write_backlog();
    }

    fn write_backlog(&mut self) {
        while let Some((ticket, record)) = self.backlog.pop_front() {
            if let Err(full) = self.hands.store.keep(ticket, record) {
                let store::Full { ticket, record } = full;
                self.backlog.push_front((ticket, *record));
                return;
            }
        }
    }
}
