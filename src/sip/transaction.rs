//! The table of transactions: finds the one a message belongs to, runs its machine, keeps its message and timers. Ended
//! transactions linger as small tombstones; both kinds are bounded. Decides nothing about calls.
use crate::answer::{self, Answer};
use crate::builder::Builder;
use crate::flow::Flow;
use crate::ids::Ids;
use crate::indication::{Failure, Output, ServerId};
use crate::limits::{FORKS_MAX, TRANSACTION_RESERVE};
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::name::Name;
use crate::timer::{Timer, Timers, Timing};
use crate::via::COOKIE;
use model::clock::{Mono, Now};
use model::id::LegId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub mod client;
pub mod invite_client;
pub mod invite_server;
pub mod server;

/// What a machine wants done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// Send the kept message (100 Trying when an INVITE has no answer yet).
    Send,
    /// Acknowledge the refusal at hand.
    Ack,
    /// Start a timer.
    Start(Timer),
    /// Stop a timer.
    Stop(Timer),
    /// Hand the message at hand to the user.
    Tell,
    /// Tell the user that nothing came in time.
    TellTimeout,
    /// Tell the user that the flow broke.
    TellUnreachable,
    /// From here on a tombstone.
    Shrink,
    /// Give up the kept message.
    Forget,
}

/// What the table tells the endpoint. `U` is whoever waits for an answer.
#[derive(Debug)]
pub(crate) enum Told<U> {
    /// A provisional answer; the user stays.
    Provisional(ClientKey),
    /// The first final answer.
    Final(ClientKey, U),
    /// Another 2xx to an accepted INVITE.
    Again(ClientKey),
    /// No answer.
    Failed(U, Failure),
    /// Our 2xx was acknowledged.
    Acked(LegId),
    /// Our 2xx was never acknowledged.
    NoAck(LegId),
}

/// Names a client transaction: the number in its branch, and whether it is the CANCEL with the same branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientKey {
    branch: u64,
    cancel: bool,
}

impl ClientKey {
    pub(crate) fn new(ids: &mut Ids) -> ClientKey {
        ClientKey { branch: ids.number(), cancel: false }
    }

    pub(crate) fn branch(self) -> String {
        format!("{COOKIE}{:016x}", self.branch)
    }

    fn read(branch: &str) -> Option<u64> {
        let digits = branch.strip_prefix(COOKIE).filter(|d| d.len() == 16)?;
        u64::from_str_radix(digits, 16).ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tx {
    Client(ClientKey),
    Server(ServerId),
}

#[derive(Clone, Copy, Debug)]
enum ClientStage {
    Invite(invite_client::Stage),
    Other(client::Stage),
}

#[derive(Clone, Copy, Debug)]
enum ServerStage {
    Invite(invite_server::Stage),
    Other(server::Stage),
}

/// Our request under way or lingering.
#[derive(Debug)]
pub(crate) struct Client<U> {
    user: Option<U>,
    pub(crate) flow: Flow,
    stage: ClientStage,
    method: Method,
    bytes: Box<[u8]>,
    ack: Box<[u8]>,
    /// Request-URI of an INVITE, to know it when it comes back in a circle.
    uri: Box<str>,
    /// ACKs of 2xx by To tag, to be sent again for repeated 2xx.
    acks: Vec<(Box<str>, Flow, Box<[u8]>)>,
    /// Credentials that the ACK of a 2xx repeats.
    pub(crate) auth: Vec<(String, String)>,
    fired: u32,
    ended: bool,
}

/// A request of a peer, waiting or lingering.
#[derive(Debug)]
pub(crate) struct Server {
    key: u128,
    merge: Option<u128>,
    /// Where the request came from.
    pub(crate) source: Flow,
    /// Where answers go.
    pub(crate) flow: Flow,
    /// The request until its final answer.
    pub(crate) request: Option<Arc<Request>>,
    /// Our tag for it.
    pub(crate) tag: Box<str>,
    /// The session it belongs to, once known.
    pub(crate) leg: Option<LegId>,
    stage: ServerStage,
    bytes: Box<[u8]>,
    fired: u32,
    ended: bool,
}

/// How a request that came in was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A repetition or a hop-by-hop ACK; dealt with.
    Absorbed,
    /// The ACK of our 2xx in the INVITE's own transaction (peers that reuse the branch).
    Acked(LegId),
    /// Nothing known about it.
    New,
}

#[derive(Debug)]
pub(crate) struct Table<U> {
    clients: BTreeMap<ClientKey, Client<U>>,
    servers: BTreeMap<ServerId, Server>,
    by_key: BTreeMap<u128, ServerId>,
    merge: BTreeMap<u128, ServerId>,
    timers: Timers<(Tx, Timer)>,
    ended: VecDeque<Tx>,
    live: usize,
    next_server: u64,
    timing: Timing,
    live_max: usize,
    ended_max: usize,
}

impl<U> Table<U> {
    pub(crate) fn new(timing: Timing, live_max: usize, ended_max: usize) -> Table<U> {
        Table {
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            by_key: BTreeMap::new(),
            merge: BTreeMap::new(),
            timers: Timers::new(),
            ended: VecDeque::new(),
            live: 0,
            next_server: 1,
            timing,
            live_max,
            ended_max,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Whether another transaction may start; requests inside sessions may use the reserve.
    pub(crate) fn has_room(&self, inside: bool) -> bool {
        let reserve = if inside { 0 } else { self.live_max / TRANSACTION_RESERVE };
        self.live + reserve < self.live_max
    }

    /// Live and lingering transactions.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.live, self.clients.len() + self.servers.len() - self.live)
    }

    // --- ours ------------------------------------------------------------------------------------------------

    /// Sends a request in a new transaction.
    pub(crate) fn start(&mut self, now: Now, key: ClientKey, user: U, sent: Sent, out: &mut Vec<Output>) {
        let reliable = sent.flow.transport.reliable();
        let (stage, todo) = if sent.method == Method::Invite {
            (ClientStage::Invite(invite_client::Stage::Calling), invite_client::start(reliable))
        } else {
            (ClientStage::Other(client::Stage::Trying), client::start(reliable))
        };
        let client = Client {
            user: Some(user),
            flow: sent.flow,
            stage,
            method: sent.method,
            bytes: sent.bytes.into(),
            ack: Box::default(),
            uri: sent.uri,
            acks: Vec::new(),
            auth: Vec::new(),
            fired: 0,
            ended: false,
        };
        self.clients.insert(key, client);
        self.live += 1;
        self.run_client(now, key, stage, todo, None, out);
    }

    /// Sends CANCEL for an INVITE (RFC 3261 section 9.1). Only once a provisional answer was heard.
    pub(crate) fn cancel(
        &mut self,
        now: Now,
        key: ClientKey,
        user: U,
        headers: &[(String, String)],
        out: &mut Vec<Output>,
    ) {
        let Some(client) = self.clients.get(&key) else { return };
        let Some(bytes) = derive(&client.bytes, &Method::Cancel, None, headers) else { return };
        let (flow, method) = (client.flow, Method::Cancel);
        if let ClientStage::Invite(stage) = client.stage {
            let (stage, todo) = invite_client::step(stage, invite_client::Input::Cancelled);
            self.run_client(now, key, ClientStage::Invite(stage), todo, None, out);
        }
        self.start(
            now,
            ClientKey { cancel: true, ..key },
            user,
            Sent { flow, method, uri: "".into(), bytes },
            out,
        );
    }

    /// Finds the transaction of an answer and runs it.
    pub(crate) fn response(
        &mut self,
        now: Now,
        response: &Response,
        out: &mut Vec<Output>,
    ) -> Option<Told<U>> {
        let branch = ClientKey::read(response.via.branch.as_deref()?)?;
        let key = ClientKey { branch, cancel: response.cseq.method == Method::Cancel };
        let client = self.clients.get(&key).filter(|c| c.method == response.cseq.method)?;
        let (stage, todo) = match client.stage {
            ClientStage::Invite(stage) => {
                let input = match response.code {
                    ..200 => invite_client::Input::Provisional,
                    200..300 => invite_client::Input::Success,
                    300.. => invite_client::Input::Failure,
                };
                let (stage, todo) = invite_client::step(stage, input);
                (ClientStage::Invite(stage), todo)
            }
            ClientStage::Other(stage) => {
                let input =
                    if response.code < 200 { client::Input::Provisional } else { client::Input::Final };
                let (stage, todo) = client::step(stage, input);
                (ClientStage::Other(stage), todo)
            }
        };
        self.run_client(now, key, stage, todo, Some(response), out)
    }

    /// Keeps and sends the ACK of a 2xx; the same ACK answers repetitions of that 2xx.
    pub(crate) fn acknowledge(
        &mut self,
        key: ClientKey,
        tag: &str,
        flow: Flow,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        if let Some(client) = self.clients.get_mut(&key).filter(|c| c.acks.len() < FORKS_MAX) {
            client.acks.push((tag.into(), flow, bytes.clone().into()));
        }
        out.push(Output::Send { flow, bytes });
    }

    /// Sends the ACK of this tag's 2xx again; false when there is none.
    pub(crate) fn acknowledge_again(&self, key: ClientKey, tag: &str, out: &mut Vec<Output>) -> bool {
        let ack = self.clients.get(&key).and_then(|c| c.acks.iter().find(|(t, ..)| **t == *tag));
        if let Some((_, flow, bytes)) = ack {
            out.push(Output::Send { flow: *flow, bytes: bytes.to_vec() });
        }
        ack.is_some()
    }

    /// Whether this INVITE has acknowledged as many forks as it may.
    pub(crate) fn forks_spent(&self, key: ClientKey) -> bool {
        self.clients.get(&key).is_none_or(|c| c.acks.len() >= FORKS_MAX)
    }

    pub(crate) fn client(&mut self, key: ClientKey) -> Option<&mut Client<U>> {
        self.clients.get_mut(&key)
    }

    pub(crate) fn user(&self, key: ClientKey) -> Option<&U> {
        self.clients.get(&key)?.user.as_ref()
    }

    /// Whether one of our own live INVITEs to this very URI carries this branch.
    pub(crate) fn is_own_invite(&self, branch: &str, uri: &str) -> bool {
        let key = ClientKey::read(branch).map(|branch| ClientKey { branch, cancel: false });
        key.and_then(|key| self.clients.get(&key))
            .is_some_and(|c| c.method == Method::Invite && *c.uri == *uri)
    }

    /// The flow broke: every request of ours on it fails.
    pub(crate) fn flow_closed(&mut self, now: Now, flow: Flow, out: &mut Vec<Output>) -> Vec<Told<U>> {
        let keys: Vec<ClientKey> =
            self.clients.iter().filter(|(_, c)| c.flow == flow).map(|(k, _)| *k).collect();
        let told = keys.into_iter().filter_map(|key| {
            let (stage, todo) = match self.clients.get(&key)?.stage {
                ClientStage::Invite(stage) => {
                    let (stage, todo) = invite_client::step(stage, invite_client::Input::Unreachable);
                    (ClientStage::Invite(stage), todo)
                }
                ClientStage::Other(stage) => {
                    let (stage, todo) = client::step(stage, client::Input::Unreachable);
                    (ClientStage::Other(stage), todo)
                }
            };
            self.run_client(now, key, stage, todo, None, out)
        });
        told.collect()
    }

    // --- theirs ----------------------------------------------------------------------------------------------

    /// Offers a request to the transactions there are.
    pub(crate) fn request(&mut self, now: Now, ids: &Ids, request: &Request, out: &mut Vec<Output>) -> Taken {
        let method = if request.method == Method::Ack { "INVITE" } else { request.method.as_str() };
        let Some(&id) = self.by_key.get(&server_key(ids, request, method)) else { return Taken::New };
        let Some(server) = self.servers.get(&id) else { return Taken::New };
        let (stage, todo) = match server.stage {
            ServerStage::Invite(stage) => {
                let ack = request.method == Method::Ack;
                let input = if ack { invite_server::Input::Ack } else { invite_server::Input::Again };
                let (stage, todo) = invite_server::step(stage, input, server.flow.transport.reliable());
                (ServerStage::Invite(stage), todo)
            }
            ServerStage::Other(stage) => {
                let (stage, todo) = server::step(stage, server::Input::Again);
                (ServerStage::Other(stage), todo)
            }
        };
        match self.run_server(now, id, stage, todo, out) {
            Some(Told::Acked(leg)) => Taken::Acked(leg),
            Some(_) | None => Taken::Absorbed,
        }
    }

    /// The INVITE that a CANCEL is for.
    pub(crate) fn cancelled(&self, ids: &Ids, cancel: &Request) -> Option<ServerId> {
        self.by_key.get(&server_key(ids, cancel, "INVITE")).copied()
    }

    /// Whether the same request is under way by another path (RFC 3261 section 8.2.2.2).
    pub(crate) fn is_merged(&self, ids: &Ids, request: &Request) -> bool {
        request.to.tag().is_none() && self.merge.contains_key(&merge_key(ids, request))
    }

    /// The tag of a stateless answer.
    pub(crate) fn tag_for(&self, ids: &Ids, request: &Request) -> String {
        tag_of(ids, server_key(ids, request, request.method.as_str()))
    }

    /// Opens a transaction for a new request.
    pub(crate) fn open(
        &mut self,
        now: Now,
        ids: &Ids,
        flow: Flow,
        request: Arc<Request>,
        out: &mut Vec<Output>,
    ) -> ServerId {
        let id = ServerId(self.next_server);
        self.next_server += 1;
        let key = server_key(ids, &request, request.method.as_str());
        let merge = request.to.tag().is_none().then(|| merge_key(ids, &request));
        let (stage, todo) = if request.method == Method::Invite {
            (ServerStage::Invite(invite_server::Stage::Proceeding), invite_server::START)
        } else {
            (ServerStage::Other(server::Stage::Trying), server::START)
        };
        let tag = tag_of(ids, key).into();
        let reply_to = answer::reply_flow(flow, &request.via);
        let server = Server {
            key,
            merge,
            source: flow,
            flow: reply_to,
            request: Some(request),
            tag,
            leg: None,
            stage,
            bytes: Box::default(),
            fired: 0,
            ended: false,
        };
        self.by_key.insert(key, id);
        if let Some(merge) = merge {
            self.merge.insert(merge, id);
        }
        self.servers.insert(id, server);
        self.live += 1;
        self.run_server(now, id, stage, todo, out);
        id
    }

    /// Sends an answer and keeps it for repetitions.
    pub(crate) fn reply(&mut self, now: Now, id: ServerId, code: u16, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        server.bytes = bytes.into();
        let (stage, todo) = match server.stage {
            ServerStage::Invite(stage) => {
                let input = match code {
                    ..200 => invite_server::Input::Provisional,
                    200..300 => invite_server::Input::Success,
                    300.. => invite_server::Input::Failure,
                };
                let (stage, todo) = invite_server::step(stage, input, server.flow.transport.reliable());
                (ServerStage::Invite(stage), todo)
            }
            ServerStage::Other(stage) => {
                let (stage, todo) = server::step(stage, server::Input::Final);
                (ServerStage::Other(stage), todo)
            }
        };
        if code >= 200 {
            server.request = None;
            if let Some(merge) = server.merge.take() {
                self.merge.remove(&merge);
            }
        }
        self.run_server(now, id, stage, todo, out);
    }

    /// The ACK of a 2xx, which came in its own transaction.
    pub(crate) fn acked(&mut self, now: Now, id: ServerId, out: &mut Vec<Output>) -> Option<Told<U>> {
        let server = self.servers.get(&id)?;
        let ServerStage::Invite(stage) = server.stage else { return None };
        let (stage, todo) =
            invite_server::step(stage, invite_server::Input::Ack, server.flow.transport.reliable());
        self.run_server(now, id, ServerStage::Invite(stage), todo, out)
    }

    pub(crate) fn server(&mut self, id: ServerId) -> Option<&mut Server> {
        self.servers.get_mut(&id)
    }

    /// Drops a transaction without a word.
    pub(crate) fn drop_server(&mut self, id: ServerId) {
        self.remove(Tx::Server(id));
    }

    // --- time ------------------------------------------------------------------------------------------------

    /// Fires the next timer that is due. None: nothing is due.
    pub(crate) fn fire(&mut self, now: Now, out: &mut Vec<Output>) -> Option<Option<Told<U>>> {
        let (tx, timer) = self.timers.pop(now.mono)?;
        Some(match tx {
            Tx::Client(key) => self.client_timer(now, key, timer, out),
            Tx::Server(id) => self.server_timer(now, id, timer, out),
        })
    }

    fn client_timer(
        &mut self,
        now: Now,
        key: ClientKey,
        timer: Timer,
        out: &mut Vec<Output>,
    ) -> Option<Told<U>> {
        let (stage, todo) = match self.clients.get(&key)?.stage {
            ClientStage::Invite(stage) => {
                let (stage, todo) = invite_client::step(stage, invite_client::Input::Timer(timer));
                (ClientStage::Invite(stage), todo)
            }
            ClientStage::Other(stage) => {
                let (stage, todo) = client::step(stage, client::Input::Timer(timer));
                (ClientStage::Other(stage), todo)
            }
        };
        self.run_client(now, key, stage, todo, None, out)
    }

    fn server_timer(
        &mut self,
        now: Now,
        id: ServerId,
        timer: Timer,
        out: &mut Vec<Output>,
    ) -> Option<Told<U>> {
        let server = self.servers.get(&id)?;
        let (stage, todo) = match server.stage {
            ServerStage::Invite(stage) => {
                let reliable = server.flow.transport.reliable();
                let (stage, todo) = invite_server::step(stage, invite_server::Input::Timer(timer), reliable);
                (ServerStage::Invite(stage), todo)
            }
            ServerStage::Other(stage) => {
                let (stage, todo) = server::step(stage, server::Input::Timer(timer));
                (ServerStage::Other(stage), todo)
            }
        };
        self.run_server(now, id, stage, todo, out)
    }

    // --- the machines' wishes --------------------------------------------------------------------------------

    fn run_client(
        &mut self,
        now: Now,
        key: ClientKey,
        stage: ClientStage,
        todo: &[Do],
        response: Option<&Response>,
        out: &mut Vec<Output>,
    ) -> Option<Told<U>> {
        let mut told = None;
        let client = self.clients.get_mut(&key)?;
        client.stage = stage;
        for act in todo {
            let client = self.clients.get_mut(&key)?;
            match *act {
                Do::Send => out.push(Output::Send { flow: client.flow, bytes: client.bytes.to_vec() }),
                Do::Ack => client.send_ack(response, out),
                Do::Tell => told = client.tell(key, response),
                Do::TellTimeout => told = client.user.take().map(|u| Told::Failed(u, Failure::Timeout)),
                Do::TellUnreachable => {
                    told = client.user.take().map(|u| Told::Failed(u, Failure::Unreachable))
                }
                Do::Stop(timer) => self.timers.stop((Tx::Client(key), timer)),
                Do::Shrink => {
                    client.bytes = Box::default();
                    self.bury(Tx::Client(key));
                }
                Do::Forget => client.bytes = Box::default(),
                Do::Start(timer) => {
                    let delay = timer.delay(&self.timing, client.flow.transport.reliable(), client.fired);
                    client.fired += u32::from(matches!(timer, Timer::A | Timer::E));
                    if delay.is_zero() {
                        self.remove(Tx::Client(key));
                        return told;
                    }
                    self.timers.set((Tx::Client(key), timer), now.mono + delay);
                }
            }
        }
        if matches!(
            stage,
            ClientStage::Invite(invite_client::Stage::Over) | ClientStage::Other(client::Stage::Over)
        ) {
            self.remove(Tx::Client(key));
        }
        told
    }

    fn run_server(
        &mut self,
        now: Now,
        id: ServerId,
        stage: ServerStage,
        todo: &[Do],
        out: &mut Vec<Output>,
    ) -> Option<Told<U>> {
        let mut told = None;
        self.servers.get_mut(&id)?.stage = stage;
        for act in todo {
            let server = self.servers.get_mut(&id)?;
            match *act {
                Do::Send => server.send(out),
                Do::Tell => told = server.leg.map(Told::Acked),
                Do::TellTimeout => told = server.leg.map(Told::NoAck),
                Do::Stop(timer) => self.timers.stop((Tx::Server(id), timer)),
                Do::Shrink => self.bury(Tx::Server(id)),
                Do::Forget => server.bytes = Box::default(),
                Do::Start(timer) => {
                    let delay = timer.delay(&self.timing, server.flow.transport.reliable(), server.fired);
                    server.fired += u32::from(timer == Timer::G);
                    if delay.is_zero() {
                        self.remove(Tx::Server(id));
                        return told;
                    }
                    self.timers.set((Tx::Server(id), timer), now.mono + delay);
                }
                Do::Ack | Do::TellUnreachable => {}
            }
        }
        if matches!(
            stage,
            ServerStage::Invite(invite_server::Stage::Over) | ServerStage::Other(server::Stage::Over)
        ) {
            self.remove(Tx::Server(id));
        }
        told
    }

    /// Counts a transaction as ended; the oldest ended ones go when there are too many.
    fn bury(&mut self, tx: Tx) {
        let ended = match tx {
            Tx::Client(key) => self.clients.get_mut(&key).map(|c| &mut c.ended),
            Tx::Server(id) => self.servers.get_mut(&id).map(|s| &mut s.ended),
        };
        if let Some(ended) = ended.filter(|e| !**e) {
            *ended = true;
            self.live -= 1;
            self.ended.push_back(tx);
        }
        while self.ended.len() > self.ended_max {
            if let Some(oldest) = self.ended.pop_front() {
                self.remove(oldest);
            }
        }
    }

    fn remove(&mut self, tx: Tx) {
        let ended = match tx {
            Tx::Client(key) => self.clients.remove(&key).map(|c| c.ended),
            Tx::Server(id) => self.servers.remove(&id).map(|server| {
                self.by_key.remove(&server.key);
                if let Some(merge) = server.merge {
                    self.merge.remove(&merge);
                }
                server.ended
            }),
        };
        if ended == Some(false) {
            self.live -= 1;
        }
        if ended.is_some() {
            for timer in timers_of(tx) {
                self.timers.stop((tx, *timer));
            }
        }
    }
}

/// Which timers a transaction may have running.
fn timers_of(tx: Tx) -> &'static [Timer] {
    match tx {
        Tx::Client(_) => &[Timer::A, Timer::B, Timer::D, Timer::E, Timer::F, Timer::K, Timer::M],
        Tx::Server(_) => &[Timer::G, Timer::H, Timer::I, Timer::J, Timer::L, Timer::Trying, Timer::Patience],
    }
}

/// A request to send.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) flow: Flow,
    pub(crate) method: Method,
    pub(crate) uri: Box<str>,
    pub(crate) bytes: Vec<u8>,
}

impl<U> Client<U> {
    fn tell(&mut self, key: ClientKey, response: Option<&Response>) -> Option<Told<U>> {
        if response.is_some_and(|r| r.code < 200) {
            return Some(Told::Provisional(key));
        }
        Some(match self.user.take() {
            Some(user) => Told::Final(key, user),
            None => Told::Again(key),
        })
    }

    /// Acknowledges a refusal: made from the INVITE the first time (RFC 3261 section 17.1.1.3), repeated after.
    fn send_ack(&mut self, response: Option<&Response>, out: &mut Vec<Output>) {
        if self.ack.is_empty() {
            let to = response.and_then(|r| r.headers.first(Name::To));
            self.ack = derive(&self.bytes, &Method::Ack, to, &[]).unwrap_or_default().into();
        }
        if !self.ack.is_empty() {
            out.push(Output::Send { flow: self.flow, bytes: self.ack.to_vec() });
        }
    }
}

impl Server {
    fn send(&mut self, out: &mut Vec<Output>) {
        if let (true, Some(request)) = (self.bytes.is_empty(), &self.request) {
            self.bytes =
                answer::build(request, &self.flow, &Answer { code: 100, ..Answer::default() }).into();
        }
        if !self.bytes.is_empty() {
            out.push(Output::Send { flow: self.flow, bytes: self.bytes.to_vec() });
        }
    }
}

/// ACK or CANCEL of our own INVITE: the same target, branch, route and sequence number.
fn derive(invite: &[u8], method: &Method, to: Option<&str>, headers: &[(String, String)]) -> Option<Vec<u8>> {
    let Ok(Message::Request(invite)) = Message::read(invite) else { return None };
    let mut b = Builder::request(method, &invite.uri);
    b.echo(&invite.headers, Name::Via);
    b.header(Name::MaxForwards, "70");
    b.echo(&invite.headers, Name::Route);
    b.echo(&invite.headers, Name::From);
    match to {
        Some(to) => drop(b.header(Name::To, to)),
        None => drop(b.echo(&invite.headers, Name::To)),
    }
    b.echo(&invite.headers, Name::CallId);
    b.write(Name::CSeq, format_args!("{} {method}", invite.cseq.number));
    b.all(headers);
    Some(b.finish())
}

/// The key of RFC 3261 section 17.2.3; without a usable branch, of RFC 2543.
fn server_key(ids: &Ids, request: &Request, method: &str) -> u128 {
    let via = &request.via;
    let port = via.port.unwrap_or(0).to_string();
    match via.rfc3261_branch() {
        Some(branch) => ids.key(&["3261", branch, &via.host, &port, method]),
        None => {
            let number = request.cseq.number.to_string();
            let from = request.from.tag().unwrap_or_default();
            let branch = via.branch.as_deref().unwrap_or_default();
            let uri = request.uri.as_str();
            ids.key(&["2543", request.call_id(), from, &number, uri, &via.host, &port, branch, method])
        }
    }
}

/// Our tag for a request: depends on the request alone, so that a stateless answer to its repetition has the same.
fn tag_of(ids: &Ids, key: u128) -> String {
    format!("{:016x}", ids.key(&["tag", &format!("{key:x}")]) >> 64)
}

fn merge_key(ids: &Ids, request: &Request) -> u128 {
    let number = request.cseq.number.to_string();
    let from = request.from.tag().unwrap_or_default();
    ids.key(&["merge", request.call_id(), from, &number, request.method.as_str()])
}
