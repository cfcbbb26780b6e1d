//! The engine among scripted phones and carriers on virtual time: peers are `sip::Endpoint`s, media and store are fakes that
//! keep their promises. Same steps, same run.
pub mod media;
pub mod peer;

use engine::event::Boot;
use engine::{Effect, Engine, Event};
use media::Media;
use model::ask::Ask;
use model::clock::{Mono, Now, Wall};
use model::command::{Actor, Command, Reply};
use model::config::{Config, draft};
use model::id::{CallId, Generation, MessageId, RecordingId, Ticket};
use model::media::MediaEvent;
use model::notice::{CallView, Notice, PhoneView, TrunkView};
use model::record::{CallRecord, Outcome, Record};
use peer::Peer;
use serde_json::{Value, json};
use sip::{Flow, Indication, Output};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The box.
pub const BOX: &str = "192.0.2.1:5060";

/// A site with three phones, two trunks by address, a queue and a flow; `change` may edit the tree.
pub fn site(change: impl FnOnce(&mut Value)) -> Arc<Config> {
    let phone = |n: &str| {
        json!({ "number": n, "name": format!("Phone {n}"), "password": format!("secret-{n}"),
                "ring_timeout_s": 20, "voicemail": { "pin": "274913" } })
    };
    let trunk =
        |name: &str, host: &str| json!({ "name": name, "host": host, "kind": "address", "capacity": 2 });
    let mut tree = json!({
        "system": { "name": "Test", "country": "DE", "time_zone": "Europe/Berlin", "outside_prefix": "0",
                    "area_code": "30", "realm": "belfry", "call_limit": 50 },
        "extension": [phone("101"), phone("102"), phone("103")],
        "agent": [{ "id": "1", "name": "Ann", "extension": "102" }, { "id": "2", "name": "Bob", "extension": "103" }],
        "trunk": [trunk("backup", "192.0.2.81"), trunk("carrier", "192.0.2.80")],
        "inbound": [{ "name": "main", "number": "!", "to": "flow:main" }],
        "outbound": [{ "name": "all", "number": "!", "trunks": ["carrier", "backup"] }],
        "queue": [{ "name": "support", "number": "600", "agents": ["1", "2"], "ring_timeout_s": 15,
                    "wrap_up_s": 0, "record": "always", "overflow_when_empty": false,
                    "announce_position_s": 0, "max_wait_s": 60, "overflow": "voicemail:101" }],
        "flow": [{ "name": "main", "number": "700", "start": "menu", "step": {
            "menu": { "kind": "menu", "say": ["welcome"], "option": { "1": "queue", "2": "phone" },
                      "timeout_s": 5, "retries": 1, "on_timeout": "bye", "on_invalid": "bye" },
            "queue": { "kind": "queue", "queue": "support" },
            "phone": { "kind": "extension", "number": "101" },
            "bye": { "kind": "hang_up", "say": ["goodbye"] } } }],
    });
    change(&mut tree);
    match draft::read(&tree) {
        Ok(config) => Arc::new(config),
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// Everything.
pub struct World {
    pub now: Now,
    pub engine: Engine,
    pub peers: Vec<Peer>,
    pub media: Media,
    pub notices: Vec<Notice>,
    pub records: Vec<Record>,
    pub replies: BTreeMap<Ticket, Reply>,
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// What was asked outside, and not answered yet.
    pub asked: Vec<(CallId, u32, Ask)>,
    /// Nothing reaches the disk.
    pub disk_hangs: bool,
    /// Everything the box sent, as text.
    pub sent: Vec<String>,
    posts: Vec<(Mono, Post)>,
    tickets: u64,
}

enum Post {
    ToBox(Event),
    ToPeer(usize, Flow, Vec<u8>),
}

impl World {
    pub fn new(config: Arc<Config>) -> World {
        World::boot(config, |_| {})
    }

    pub fn boot(config: Arc<Config>, change: impl FnOnce(&mut Boot)) -> World {
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_795_392_000_000) };
        let mut boot = Boot {
            config,
            generation: Generation(1),
            seed: 7,
            epoch: 1,
            sip: BOX.parse().unwrap(),
            media: "192.0.2.1".parse().unwrap(),
            next_call: CallId(1),
            next_recording: RecordingId(1),
            next_message: MessageId(1),
            messages: Vec::new(),
            greetings: BTreeMap::new(),
            agents: Vec::new(),
            bonds: Vec::new(),
            bindings: Vec::new(),
            bans: Vec::new(),
            wrong_pins: Vec::new(),
            seats: Vec::new(),
            campaigns: BTreeMap::new(),
            past: model::past::Past::default(),
            budgets: Vec::new(),
            started: now.wall,
        };
        change(&mut boot);
        let mut effects = Vec::new();
        let engine = Engine::new(now, boot, &mut effects);
        let mut world = World {
            now,
            engine,
            peers: Vec::new(),
            media: Media::default(),
            notices: Vec::new(),
            records: Vec::new(),
            replies: BTreeMap::new(),
            names: BTreeMap::new(),
            asked: Vec::new(),
            disk_hangs: false,
            sent: Vec::new(),
            posts: Vec::new(),
            tickets: 1_000_000,
        };
        world.did(effects);
        world.tell(Event::MediaUp);
        world.tell(Event::Media(MediaEvent::Ready { protocol: 1, ports: vec![(10000, 10199)] }));
        world
    }

    /// A phone or carrier at this address; its number in the list.
    pub fn peer(&mut self, user: &str, address: &str) -> usize {
        let with_port = if address.contains(':') { address.to_owned() } else { format!("{address}:5060") };
        let address: SocketAddr = with_port.parse().unwrap();
        self.peers.push(Peer::new(user, address, self.peers.len()));
        self.peers.len() - 1
    }

    /// A phone, registered.
    pub fn phone(&mut self, user: &str, address: &str) -> usize {
        let peer = self.peer(user, address);
        assert_eq!(self.register(peer), 200, "{user} registers");
        peer
    }

    /// The box takes an event now.
    pub fn tell(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.engine.handle(self.now, event, &mut effects);
        let broken = self.engine.check();
        assert!(broken.is_empty(), "{broken:#?}");
        self.did(effects);
    }

    /// Somebody asks; the reply comes in `replies`.
    pub fn ask(&mut self, command: Command) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.tell(Event::Command { ticket, by: Actor { name: "test".into() }, command });
        ticket
    }

    /// Somebody asks; the reply, which waits for the disk where something must outlive a restart.
    pub fn order(&mut self, command: Command) -> Reply {
        let ticket = self.ask(command);
        if !self.replies.contains_key(&ticket) {
            self.moment();
        }
        self.replies.remove(&ticket).expect("each command gets one reply")
    }

    /// A configuration comes into force.
    pub fn commit(&mut self, config: Arc<Config>) {
        self.tell(Event::ConfigCommitted { ticket: Ticket(5), generation: Generation(2), config });
        assert_eq!(self.replies.remove(&Ticket(5)), Some(Ok(())));
    }

    /// Lets a peer's endpoint do something.
    pub fn act<R>(
        &mut self,
        peer: usize,
        act: impl FnOnce(&mut sip::Endpoint, Now, Flow, &mut Vec<Output>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let flow = self.peers[peer].flow();
        let result = act(&mut self.peers[peer].endpoint, self.now, flow, &mut out);
        self.peer_did(peer, out);
        result
    }

    /// Time passes.
    pub fn run(&mut self, time: Duration) {
        let end = self.now.mono + time;
        for _ in 0..1_000_000 {
            let Some(at) = self.next().filter(|at| *at <= end) else {
                self.advance(end);
                return;
            };
            self.advance(at);
            self.happen();
        }
        panic!("time does not pass");
    }

    /// A moment: what is under way arrives.
    pub fn moment(&mut self) {
        self.run(Duration::from_millis(50));
    }

    pub fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// The final record of the only call, or of the last one.
    pub fn record(&self) -> &CallRecord {
        let ended = self
            .records
            .iter()
            .rev()
            .find_map(|r| if let Record::CallEnded(record) = r { Some(record) } else { None });
        ended.expect("a call has ended")
    }

    /// Kinds of the journey of a call, in order.
    pub fn journey(&self, call: CallId) -> Vec<String> {
        let steps = self.records.iter().filter_map(|r| {
            if let Record::CallStep(step) = r
                && step.call == call
            {
                Some(step.kind.clone())
            } else {
                None
            }
        });
        steps.collect()
    }

    /// Outcomes of all ended calls.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let ended = self
            .records
            .iter()
            .filter_map(|r| if let Record::CallEnded(record) = r { Some(record.outcome) } else { None });
        ended.collect()
    }

    /// What the party behind this address hears.
    pub fn hears(&self, address: &str) -> Vec<String> {
        let ip: IpAddr = address.parse().unwrap();
        let session = self.media.remotes.iter().rev().find(|(_, r)| r.address.ip() == ip);
        self.media.hears(*session.expect("it has a session").0)
    }

    /// The session of the party behind this address.
    pub fn session(&self, address: &str) -> model::id::SessionId {
        let ip: IpAddr = address.parse().unwrap();
        *self.media.remotes.iter().rev().find(|(_, r)| r.address.ip() == ip).expect("it has a session").0
    }

    /// A key pressed there.
    pub fn press(&mut self, address: &str, keys: &str) {
        for c in keys.chars() {
            let session = self.session(address);
            let event = MediaEvent::Digit { session, digit: media::key(c) };
            self.tell(Event::Media(event));
            self.moment();
        }
    }

    /// The last view of a call in progress.
    pub fn view(&self) -> Option<&CallView> {
        self.notices.iter().rev().find_map(|n| if let Notice::Call(view) = n { Some(view) } else { None })
    }

    pub fn trunk(&self, name: &str) -> &TrunkView {
        let views = self.notices.iter().rev().find_map(|n| {
            if let Notice::Trunk(view) = n
                && view.trunk == name
            {
                Some(view)
            } else {
                None
            }
        });
        views.expect("the trunk was told")
    }

    pub fn phone_view(&self, extension: &str) -> &PhoneView {
        let views = self.notices.iter().rev().find_map(|n| {
            if let Notice::Phone(view) = n
                && view.extension == extension
            {
                Some(view)
            } else {
                None
            }
        });
        views.expect("the phone was told")
    }

    /// Promises kept at the end of every story: one record a call, no session, no port lost.
    pub fn at_rest(&mut self) {
        self.seconds(40);
        let mut open: BTreeMap<CallId, (u32, u32)> = BTreeMap::new();
        for record in &self.records {
            if let Record::CallStarted(r) = record {
                open.entry(r.call).or_default().0 += 1;
            } else if let Record::CallEnded(r) = record {
                open.entry(r.call).or_default().1 += 1;
            }
        }
        for (call, counts) in open {
            assert_eq!(counts, (1, 1), "one opened and one closed record of call {call}");
        }
        assert!(self.media.open.is_empty(), "every session is closed: {:?}", self.media.open);
        let gone = self.notices.iter().filter(|n| matches!(n, Notice::CallGone(_))).count();
        assert_eq!(gone, self.outcomes().len(), "each call left the live view");
    }

    fn did(&mut self, effects: Vec<Effect>) {
        let soon = self.now.mono + Duration::from_millis(1);
        for effect in effects {
            match effect {
                Effect::Send { flow, bytes } => {
                    self.sent.push(String::from_utf8_lossy(&bytes).into_owned());
                    let to = self.peers.iter().position(|p| p.flow().local == flow.remote);
                    if let Some(to) = to {
                        let back = Flow { remote: flow.local, local: flow.remote, ..flow };
                        self.posts.push((soon, Post::ToPeer(to, back, bytes)));
                    }
                }
                Effect::Media(command) => {
                    let happens = self.media.command(self.now.mono, command);
                    self.posts.extend(happens.into_iter().map(|(at, e)| (at, Post::ToBox(Event::Media(e)))));
                }
                Effect::Keep { ticket, record } => {
                    self.records.push(record);
                    if !self.disk_hangs {
                        self.posts.push((soon, Post::ToBox(Event::Stored { tickets: vec![ticket] })));
                    }
                }
                Effect::Reply { ticket, reply } => {
                    assert!(self.replies.insert(ticket, reply).is_none(), "one reply each");
                }
                Effect::Notice(notice) => self.notices.push(notice),
                Effect::SelfCalled(result) => panic!("nobody asked the box to call itself: {result:?}"),
                Effect::Ask { call, number, ask } => self.asked.push((call, number, ask)),
                Effect::Fetch { .. } => {}
                Effect::Resolve { ticket, name } => {
                    let addresses = self.names.get(&name).cloned().unwrap_or_default();
                    self.posts.push((soon, Post::ToBox(Event::Resolved { ticket, addresses })));
                }
            }
        }
    }

    fn peer_did(&mut self, peer: usize, out: Vec<Output>) {
        let soon = self.now.mono + Duration::from_millis(1);
        for output in out {
            match output {
                Output::Send { flow, bytes } if self.peers[peer].deaf => drop((flow, bytes)),
                Output::Send { flow, bytes } => {
                    let flow = Flow { remote: flow.local, local: flow.remote, ..flow };
                    self.posts.push((soon, Post::ToBox(Event::Packet { flow, bytes })));
                }
                Output::Indicate(indication) => self.peer_told(peer, indication),
            }
        }
    }

    fn peer_told(&mut self, peer: usize, indication: Indication) {
        if let Indication::Request { server, request, .. } = &indication {
            let server = *server;
            self.peers[peer].requests.push(request.clone());
            self.act(peer, |e, now, _, out| e.respond(now, server, sip::endpoint::Reply::new(200), out));
            return;
        }
        self.peers[peer].told.push(indication);
    }

    /// A NOTIFY of a subscription, which the peer's endpoint knows nothing of: kept, and answered 200.
    fn notified(&mut self, peer: usize, flow: Flow, bytes: &[u8]) {
        let Ok(sip::Message::Request(request)) = sip::Message::read(bytes) else {
            panic!("a NOTIFY we cannot read")
        };
        self.peers[peer].requests.push(Arc::new(request));
        let text = String::from_utf8_lossy(bytes);
        let echoed = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = text.lines().filter(|l| echoed.iter().any(|name| l.starts_with(&format!("{name}:"))));
        let lines: String = lines.map(|l| format!("{l}\r\n")).collect();
        let answer = format!("SIP/2.0 200 OK\r\n{lines}Content-Length: 0\r\n\r\n").into_bytes();
        let back = Flow { remote: flow.local, local: flow.remote, ..flow };
        self.posts.push((self.now.mono, Post::ToBox(Event::Packet { flow: back, bytes: answer })));
    }

    fn next(&self) -> Option<Mono> {
        let post = self.posts.iter().map(|(at, _)| *at).min();
        let peers = self.peers.iter().filter_map(|p| p.endpoint.deadline()).min();
        [post, peers, self.engine.deadline()].into_iter().flatten().min()
    }

    fn advance(&mut self, to: Mono) {
        let to = to.max(self.now.mono);
        let millis = |m: Mono| i64::try_from(m.0 / 1000).unwrap();
        self.now.wall = Wall(self.now.wall.0 + millis(to) - millis(self.now.mono));
        self.now.mono = to;
    }

    fn happen(&mut self) {
        let mut due = Vec::new();
        let mut later = Vec::new();
        for post in std::mem::take(&mut self.posts) {
            if post.0 <= self.now.mono { due.push(post) } else { later.push(post) }
        }
        self.posts = later;
        due.sort_by_key(|(at, _)| *at);
        for (_, post) in due {
            match post {
                Post::ToBox(Event::Media(event)) if self.media.is_void(&event) => {}
                Post::ToBox(event) => self.tell(event),
                Post::ToPeer(peer, ..) if self.peers[peer].deaf => {}
                Post::ToPeer(peer, flow, bytes) if bytes.starts_with(b"NOTIFY ") => {
                    self.notified(peer, flow, &bytes)
                }
                Post::ToPeer(peer, flow, bytes) => {
                    let mut out = Vec::new();
                    self.peers[peer].endpoint.receive(self.now, flow, &bytes, &mut out);
                    self.peer_did(peer, out);
                }
            }
        }
        if self.engine.deadline().is_some_and(|at| at <= self.now.mono) {
            self.tell(Event::Tick);
        }
        for peer in 0..self.peers.len() {
            if self.peers[peer].endpoint.deadline().is_some_and(|at| at <= self.now.mono) {
                let mut out = Vec::new();
                self.peers[peer].endpoint.handle_timeout(self.now, &mut out);
                self.peer_did(peer, out);
            }
        }
    }
}
