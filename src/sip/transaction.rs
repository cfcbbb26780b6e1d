//! The table of transactions: finds the one a message belongs to, runs its machine, keeps its message and timers. Ended
//! transactions linger as small tombstones; both kinds are bounded. Decides nothing about calls.
use crate::ids::Ids;
use crate::indication::{Failure, Output, ServerId};
use crate::limits::TRANSACTION_RESERVE;
use crate::timer::{Timer, Timers, Timing};
use crate::via::COOKIE;
use model::clock::{Mono, Now};
use model::id::LegId;
use std::collections::{BTreeMap, VecDeque};

pub mod client;
pub mod invite_client;
pub mod invite_server;
mod ours;
pub mod server;
mod theirs;

pub(crate) use ours::{Client, Sent};
pub(crate) use theirs::{Server, Taken};

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

    /// Fires the next timer that is due. None: nothing is due.
    pub(crate) fn fire(&mut self, now: Now, out: &mut Vec<Output>) -> Option<Option<Told<U>>> {
        let (tx, timer) = self.timers.pop(now.mono)?;
        Some(match tx {
            Tx::Client(key) => self.client_timer(now, key, timer, out),
            Tx::Server(id) => self.server_timer(now, id, timer, out),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;
    use crate::message::{Message, Request};
    use crate::method::Method;
    use std::sync::Arc;

    /// What an ended transaction may cost (a flood leaves thousands behind).
    const TOMBSTONE_BYTES_MAX: usize = 1_024;

    fn now() -> Now {
        Now { mono: Mono(1), ..Now::default() }
    }

    fn flow() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
    }

    fn request(n: usize) -> Arc<Request> {
        let text = format!(
            "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{n};rport\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\nX-Long: {}\r\n\r\n",
            "x".repeat(4_000)
        );
        match Message::read(text.as_bytes()).unwrap() {
            Message::Request(request) => Arc::new(request),
            Message::Response(_) => panic!("a request"),
        }
    }

    #[test]
    fn an_answered_request_leaves_less_than_a_kibibyte() {
        let (mut table, ids) = (Table::<()>::new(Timing::default(), 10, 10), Ids::new([1; 32]));
        let mut out = Vec::new();
        let id = table.open(now(), &ids, flow(), request(1), &mut out);
        table.reply(now(), id, 200, vec![0; 400], &mut out);
        let server = table.server(id).unwrap();
        assert!(server.request.is_none());
        assert!(std::mem::size_of::<Server>() + server.bytes.len() + server.tag.len() < TOMBSTONE_BYTES_MAX);
        assert_eq!(table.counts(), (0, 1));
    }

    #[test]
    fn a_call_of_ours_leaves_its_acks_only() {
        let (mut table, mut ids) = (Table::<()>::new(Timing::default(), 10, 10), Ids::new([1; 32]));
        let (mut out, key) = (Vec::new(), ClientKey::new(&mut ids));
        let sent =
            Sent { flow: flow(), method: Method::Invite, uri: "sip:b@h".into(), bytes: vec![0; 2_000] };
        table.start(now(), key, (), sent, &mut out);
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch={}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
            key.branch()
        );
        let Ok(Message::Response(response)) = Message::read(text.as_bytes()) else { panic!("a response") };
        assert!(matches!(table.response(now(), &response, &mut out), Some(Told::Final(..))));
        table.acknowledge(key, "2", flow(), vec![0; 450], &mut out);
        let client = table.client(key).unwrap();
        assert!(client.bytes.is_empty());
        assert!(std::mem::size_of::<Client<()>>() + 450 + 16 < TOMBSTONE_BYTES_MAX);
    }

    #[test]
    fn the_oldest_of_the_ended_go_first_and_timers_with_them() {
        let (mut table, ids) = (Table::<()>::new(Timing::default(), 10, 3), Ids::new([1; 32]));
        let mut out = Vec::new();
        for n in 0..8 {
            let id = table.open(now(), &ids, flow(), request(n), &mut out);
            table.reply(now(), id, 200, vec![0; 10], &mut out);
        }
        assert_eq!(table.counts(), (0, 3));
        assert_eq!(table.request(now(), &ids, &request(0), &mut out), Taken::New);
        assert_eq!(table.request(now(), &ids, &request(7), &mut out), Taken::Absorbed);
        let late = Now { mono: Mono(100_000_000), ..Now::default() };
        while table.fire(late, &mut out).is_some() {}
        assert_eq!((table.counts(), table.deadline()), ((0, 0), None));
    }
}
