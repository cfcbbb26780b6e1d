//! The box under test: the real engine and the real media core with a simulated disk and local socket between them. Effects
//! are carried out in order; media's words reach the engine a moment later, as over the socket.
use super::application::Application;
use crate::disk::Disk;
use crate::watch::Watch;
use crate::wire::Datagram;
use engine::event::{Boot, Event};
use engine::{Effect, Engine};
use media::core::MediaCore;
use media::out::{EarId, EarOp, EarSaid, MediaOut};
use media::prompts::PromptSet;
use model::ask::{Answer, Ask};
use model::clock::{Mono, Now};
use model::command::{Actor, Command, Reply};
use model::config::Config;
use model::contact::{Contact, ContactChange};
use model::id::{Generation, Ticket};
use model::media::{Language, MediaEvent};
use model::notice::Notice;
use model::speech::Said;
use model::update::SelfCall;
use sip::Flow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Way of a word over the local socket.
const SOCKET: Duration = Duration::from_micros(200);

/// Media ticks this often while it is busy.
const TICK: Duration = Duration::from_millis(20);

/// A recogniser is connected after this.
const HANDSHAKE: Duration = Duration::from_millis(10);

/// It understands the first words so long after it has the sound.
const FIRST_WORDS: Duration = Duration::from_millis(200);

/// RTP ports of the box.
const PORTS: std::ops::Range<u16> = 10_000..11_000;

/// The box.
pub struct Pbx {
    /// The configuration of the next start (and in force).
    pub config: Arc<Config>,
    /// The disk.
    pub disk: Disk,
    /// What the box told, and its facts.
    pub watch: Watch,
    /// Answers to commands by their ticket.
    pub replies: BTreeMap<u64, Reply>,
    /// Calls of the box to itself that are over.
    pub self_calls: Vec<SelfCall>,
    /// What services outside answer next, and after which time; nothing here: they hang.
    pub outside: VecDeque<(Duration, Answer)>,
    /// What they answer at once to everything else.
    pub answer_all: Option<Answer>,
    /// The recogniser of speech.
    pub recogniser: Recogniser,
    /// The application outside that leads calls.
    pub application: Application,
    prompts: Arc<PromptSet>,
    seed: u64,
    ip: IpAddr,
    epoch: u64,
    generation: u64,
    engine: Option<Engine>,
    media: MediaCore,
    told: VecDeque<(Mono, Event)>,
    /// What the recogniser says, and when.
    ears: VecDeque<(Mono, EarId, EarSaid)>,
    tick_at: Mono,
    next_ticket: u64,
}

impl Pbx {
    /// A box that is not started.
    #[must_use]
    pub fn new(seed: u64, config: Arc<Config>, ip: IpAddr, prompts: Arc<PromptSet>) -> Pbx {
        Pbx {
            config,
            disk: Disk::new(seed),
            watch: Watch::default(),
            replies: BTreeMap::new(),
            self_calls: Vec::new(),
            outside: VecDeque::new(),
            answer_all: None,
            recogniser: Recogniser::default(),
            application: Application::default(),
            seed,
            ip,
            epoch: 0,
            generation: 1,
            engine: None,
            media: new_media(seed, prompts.clone()),
            prompts,
            told: VecDeque::new(),
            ears: VecDeque::new(),
            tick_at: Mono(0),
            next_ticket: 1,
        }
    }

    /// Starts from what the disk holds.
    pub fn start(&mut self, now: Now, sent: &mut Vec<Datagram>) {
        self.epoch += 1;
        let found = self.disk.read(now.wall, &self.config);
        let (next_call, next_recording, next_message) = found.next_ids();
        let boot = Boot {
            config: self.config.clone(),
            generation: Generation(self.generation),
            seed: self.seed ^ self.epoch << 48,
            epoch: self.epoch,
            sip: SocketAddr::new(self.ip, 5060),
            media: self.ip,
            next_call,
            next_recording,
            next_message,
            messages: found.messages,
            greetings: found.greetings,
            agents: found.agents,
            bonds: found.bonds,
            bindings: found.bindings,
            bans: found.bans,
            wrong_pins: found.wrong_pins,
            seats: found.seats,
            campaigns: self.disk.lists.past().clone(),
            past: found.past,
            budgets: found.budgets,
            started: now.wall,
        };
        self.media = new_media(self.seed ^ self.epoch, self.prompts.clone());
        self.tick_at = now.mono;
        let mut effects = Vec::new();
        self.engine = Some(Engine::new(now, boot, &mut effects));
        self.carry_out(now, effects, sent);
        self.tell(now, Event::MediaUp);
    }

    /// The power fails.
    pub fn power_cut(&mut self, now: Now) {
        self.engine = None;
        self.media = new_media(self.seed, self.prompts.clone());
        self.told.clear();
        self.ears.clear();
        self.disk.power_cut(now.wall);
        self.watch.power_cut();
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        let engine = self.engine.as_ref().and_then(Engine::deadline);
        let tick = (self.engine.is_some() && self.media.is_busy()).then_some(self.tick_at);
        let told = self.told.front().map(|(at, _)| *at);
        let ear = self.ears.front().map(|(at, ..)| *at);
        [engine, tick, self.disk.next(), told, ear].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Now, sent: &mut Vec<Datagram>) {
        while self.told.front().is_some_and(|(at, _)| *at <= now.mono) {
            if let Some((_, event)) = self.told.pop_front() {
                self.handle(now, event, sent);
            }
        }
        while self.ears.front().is_some_and(|(at, ..)| *at <= now.mono) {
            if let Some((_, ear, said)) = self.ears.pop_front() {
                let mut out = MediaOut::new();
                self.media.ear_said(now, ear, said, &mut out);
                self.media_said(now, out, sent);
            }
        }
        for ticket in self.disk.due(now.mono) {
            self.handle(now, Event::Stored { tickets: vec![ticket] }, sent);
        }
        if self.engine.as_ref().and_then(Engine::deadline).is_some_and(|at| at <= now.mono) {
            self.handle(now, Event::Tick, sent);
        }
        if self.media.is_busy() && self.tick_at <= now.mono {
            self.tick_at = now.mono + TICK;
            let mut out = MediaOut::new();
            self.media.tick(now, &mut out);
            self.media_said(now, out, sent);
        }
    }

    /// A datagram has arrived: SIP or RTP by its port.
    pub fn receive(&mut self, now: Now, datagram: &Datagram, sent: &mut Vec<Datagram>) {
        let port = datagram.to.port();
        if port == 5060 {
            let flow = Flow::udp(datagram.to, datagram.from);
            self.handle(now, Event::Packet { flow, bytes: datagram.bytes.clone() }, sent);
        } else if self.engine.is_some() && PORTS.contains(&port) {
            let mut out = MediaOut::new();
            if port.is_multiple_of(2) {
                self.media.packet(now, port, datagram.from, &datagram.bytes, &mut out);
            } else {
                self.media.rtcp(now, port - 1, datagram.from, &datagram.bytes, &mut out);
            }
            self.media_said(now, out, sent);
        }
    }

    /// Asks the box for something. The reply stands in `replies` under the number returned.
    pub fn command(&mut self, now: Now, command: Command, sent: &mut Vec<Datagram>) -> u64 {
        let ticket = self.new_ticket();
        let by = Actor { name: "story".to_owned() };
        self.handle(now, Event::Command { ticket: Ticket(ticket), by, command }, sent);
        ticket
    }

    /// The application is killed: its connection is gone.
    pub fn application_dies(&mut self, now: Now) {
        if let Some((call, number)) = self.application.leads.take() {
            let answer = Answer::Failed("the connection is lost".into());
            self.tell(now, Event::Answered { call, number, answer });
        }
    }

    /// Puts another configuration in force.
    pub fn commit(&mut self, now: Now, config: Arc<Config>, sent: &mut Vec<Datagram>) {
        self.config = config.clone();
        self.generation += 1;
        let (ticket, generation) = (Ticket(self.new_ticket()), Generation(self.generation));
        self.handle(now, Event::ConfigCommitted { ticket, generation, config }, sent);
    }

    /// The box learns who people are.
    pub fn know(&mut self, now: Now, contacts: Vec<Contact>) {
        let changes = contacts.into_iter().map(|c| ContactChange::Put(Box::new(c))).collect();
        self.handle(now, Event::Contacts(changes), &mut Vec::new());
    }

    /// Sessions open in media.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.media.session_count()
    }

    /// The facts that are broken. `all`: also those that cost more.
    pub fn check(&mut self, all: bool) -> Vec<String> {
        let mut broken = self.watch.take_broken();
        if all && let Some(engine) = &self.engine {
            broken.extend(engine.check());
        }
        broken
    }

    fn new_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    fn handle(&mut self, now: Now, event: Event, sent: &mut Vec<Datagram>) {
        let Some(engine) = &mut self.engine else { return };
        let mut effects = Vec::new();
        engine.handle(now, event, &mut effects);
        self.carry_out(now, effects, sent);
    }

    fn carry_out(&mut self, now: Now, effects: Vec<Effect>, sent: &mut Vec<Datagram>) {
        for effect in effects {
            match effect {
                Effect::Send { flow, bytes } => {
                    sent.push(Datagram { from: SocketAddr::new(self.ip, 5060), to: flow.remote, bytes });
                }
                Effect::Media(command) => {
                    if !self.media.is_busy() {
                        self.tick_at = now.mono + TICK;
                    }
                    let mut out = MediaOut::new();
                    self.media.command(now, command, &mut out);
                    self.media_said(now, out, sent);
                }
                Effect::Keep { ticket, record } => {
                    self.watch.kept(&record);
                    self.disk.keep(now.mono, ticket, record);
                }
                Effect::Reply { ticket, reply } => {
                    self.replies.insert(ticket.0, reply);
                }
                Effect::Notice(notice) => self.noticed(notice),
                Effect::SelfCalled(result) => self.self_calls.push(result),
                Effect::Ask { call, number, ask: Ask::Prompt { take, name, language, .. } } => {
                    self.take(now, &take, &name, language);
                    self.tell(now, Event::Answered { call, number, answer: Answer::Sound(take) });
                }
                Effect::Ask { call, number, ask: Ask::Application(wanted) } => {
                    if let Some((after, answer)) = self.application.hears(call, number, wanted) {
                        self.tell_at(now.mono + SOCKET + after, Event::Answered { call, number, answer });
                    }
                }
                Effect::Ask { call, number, ask: Ask::Lookup { .. } | Ask::Speak { .. } } => {
                    let at_once = self.answer_all.clone().map(|answer| (SOCKET, answer));
                    if let Some((after, answer)) = self.outside.pop_front().or(at_once) {
                        self.tell_at(now.mono + after, Event::Answered { call, number, answer });
                    }
                }
                Effect::Fetch { campaign, query } if !self.disk.stuck => {
                    let entries = self.disk.lists.hopper(&query, now.wall);
                    self.told.push_back((now.mono + SOCKET, Event::Entries { campaign, entries }));
                }
                Effect::Fetch { .. } => {}
                Effect::Resolve { ticket, .. } => {
                    let answer = Event::Resolved { ticket, addresses: Vec::new() };
                    self.tell(now, answer);
                }
            }
        }
    }

    /// A take is a prompt of the site from now on.
    fn take(&mut self, now: Now, take: &str, name: &str, language: Language) {
        let mut config = Config::clone(&self.config);
        config.audio.prompt.entry(name.to_owned()).or_default().insert(language, take.to_owned());
        self.config = Arc::new(config);
        self.generation += 1;
        let (ticket, generation) = (Ticket(self.new_ticket()), Generation(self.generation));
        self.tell(now, Event::ConfigCommitted { ticket, generation, config: self.config.clone() });
    }

    fn tell(&mut self, now: Now, event: Event) {
        self.tell_at(now.mono + SOCKET, event);
    }

    /// After everything that is told at that moment or before.
    fn tell_at(&mut self, at: Mono, event: Event) {
        let place = self.told.partition_point(|(t, _)| *t <= at);
        self.told.insert(place, (at, event));
    }

    fn noticed(&mut self, notice: Notice) {
        self.watch.noticed(notice);
    }

    fn media_said(&mut self, now: Now, mut out: MediaOut, sent: &mut Vec<Datagram>) {
        for datagram in out.datagrams() {
            let port = datagram.port + u16::from(datagram.rtcp);
            let from = SocketAddr::new(self.ip, port);
            sent.push(Datagram { from, to: datagram.to, bytes: datagram.bytes.to_vec() });
        }
        let mut again = MediaOut::new();
        for op in out.files.drain(..) {
            if let Some(file) = self.disk.file(now.mono, op) {
                self.media.file_closed(file, Ok(()), &mut again);
            }
        }
        for path in out.loads.drain(..) {
            let sound = self.disk.sound(&path).and_then(|mut channels| channels.drain(..).next());
            let sound = sound.map(Arc::from).ok_or_else(|| "there is no such file".to_owned());
            self.media.loaded(&path, sound, &mut again);
        }
        for op in out.ears.drain(..).chain(again.ears.drain(..)) {
            if let Some((after, ear, said)) = self.recogniser.takes(op) {
                self.ears.push_back((now.mono + after, ear, said));
                self.ears.make_contiguous().sort_by_key(|(at, ..)| *at);
            }
        }
        for event in out.events.drain(..).chain(again.events.drain(..)) {
            if let MediaEvent::Trouble(text) = &event
                && !self.recogniser.away
            {
                self.watch.trouble(text);
            }
            self.tell(now, Event::Media(event));
        }
    }
}

/// A recogniser of speech behind media: what it says to each utterance, or how it fails.
#[derive(Debug, Default)]
pub struct Recogniser {
    /// It is not there.
    pub away: bool,
    /// It listens and never says a word.
    pub hangs: bool,
    /// What it understands next, and how long after the last word; nothing here: nothing that it understood.
    pub says: VecDeque<(Duration, Said)>,
    /// Bytes of sound it got.
    pub heard: usize,
    /// Utterances it was asked for.
    pub asked: usize,
    worded: BTreeSet<EarId>,
}

impl Recogniser {
    fn takes(&mut self, op: EarOp) -> Option<(Duration, EarId, EarSaid)> {
        match op {
            EarOp::Open { ear, .. } => {
                self.asked += 1;
                let said = if self.away { EarSaid::Failed("no connection".into()) } else { EarSaid::Ready };
                Some((HANDSHAKE, ear, said))
            }
            EarOp::Sound { ear, sound } => {
                self.heard += sound.len();
                let words = !self.hangs && !self.says.is_empty() && self.worded.insert(ear);
                words.then_some((FIRST_WORDS, ear, EarSaid::Words))
            }
            EarOp::End { .. } if self.hangs => None,
            EarOp::End { ear } => {
                let (after, said) = self.says.pop_front().unwrap_or_default();
                Some((after, ear, EarSaid::Said(said)))
            }
            EarOp::Close { .. } => None,
        }
    }
}

fn new_media(seed: u64, prompts: Arc<PromptSet>) -> MediaCore {
    MediaCore::new(PORTS.step_by(2), seed, prompts)
}
