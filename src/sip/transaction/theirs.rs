//! Server transactions: requests of peers, their repetitions and our answers to them.
use super::{Do, ServerStage, Table, Told, Tx, invite_server, server};
use crate::answer::{self, Answer};
use crate::flow::Flow;
use crate::ids::Ids;
use crate::indication::{Output, ServerId};
use crate::message::Request;
use crate::method::Method;
use crate::timer::Timer;
use model::clock::Now;
use model::id::LegId;
use std::sync::Arc;

/// A request of a peer, waiting or lingering.
#[derive(Debug)]
pub(crate) struct Server {
    pub(super) key: u128,
    pub(super) merge: Option<u128>,
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
    pub(super) stage: ServerStage,
    pub(super) bytes: Box<[u8]>,
    pub(super) fired: u32,
    pub(super) ended: bool,
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

impl<U> Table<U> {
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

    /// Sends the provisional answer of an INVITE once more.
    pub(crate) fn say_again(&mut self, now: Now, id: ServerId, out: &mut Vec<Output>) {
        let Some(ServerStage::Invite(stage)) = self.servers.get(&id).map(|s| s.stage) else { return };
        let (stage, todo) = invite_server::step(stage, invite_server::Input::Again, false);
        self.run_server(now, id, ServerStage::Invite(stage), todo, out);
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

    pub(super) fn server_timer(
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

    pub(super) fn run_server(
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
