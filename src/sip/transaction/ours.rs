//! Client transactions: requests of ours, their repetitions, answers, ACKs and CANCEL.
use super::{ClientKey, ClientStage, Do, Table, Told, Tx, client, invite_client};
use crate::builder::Builder;
use crate::flow::Flow;
use crate::indication::{Failure, Output};
use crate::limits::FORKS_MAX;
use crate::message::{Message, Response};
use crate::method::Method;
use crate::name::Name;
use crate::timer::Timer;
use model::clock::Now;

/// Our request under way or lingering.
#[derive(Debug)]
pub(crate) struct Client<U> {
    pub(super) user: Option<U>,
    pub(crate) flow: Flow,
    pub(super) stage: ClientStage,
    pub(super) method: Method,
    pub(super) bytes: Box<[u8]>,
    pub(super) ack: Box<[u8]>,
    /// Request-URI of an INVITE, to know it when it comes back in a circle.
    pub(super) uri: Box<str>,
    /// ACKs of 2xx by To tag, to be sent again for repeated 2xx.
    pub(super) acks: Vec<(Box<str>, Flow, Box<[u8]>)>,
    /// Credentials that the ACK of a 2xx repeats.
    pub(crate) auth: Vec<(String, String)>,
    pub(super) fired: u32,
    pub(super) ended: bool,
}

/// A request to send.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) flow: Flow,
    pub(crate) method: Method,
    pub(crate) uri: Box<str>,
    pub(crate) bytes: Vec<u8>,
}

impl<U> Table<U> {
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
        if self.clients.insert(key, client).is_none_or(|before| before.ended) {
            self.live += 1;
        }
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
            self.clients.iter().filter(|(_, c)| c.flow.ends_with(&flow)).map(|(k, _)| *k).collect();
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

    pub(super) fn client_timer(
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

    pub(super) fn run_client(
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
