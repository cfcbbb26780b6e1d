//! The whole SIP machine: UAC and UAS cores over the transaction table. This file is its face: what it is told, what it
//! is asked, and who gets which message. The parts do the work: `incoming` (requests of peers), `caller` and `callee`
//! (sessions until they are answered), `inside` (answered sessions), `refreshing` (their timers), `pracking` (reliable
//! provisional answers), `asking` (requests of
//! ours outside sessions), `watching` (subscriptions of peers). Reads no clock, opens no socket, knows no extension.
use crate::flow::Flow;
use crate::framing;
use crate::ids::Ids;
use crate::indication::{ClientId, Failure, Indication, Output, SubscriptionId};
use crate::limits;
use crate::message::{Message, Response};
use crate::outgoing::Outgoing;
use crate::subscription::Subscription;
use crate::timer::{Timers, Timing};
use crate::transaction::{ClientKey, Table, Told};
use leg::Leg;
use model::clock::{Mono, Now};
use model::id::LegId;
use std::collections::BTreeMap;

mod asking;
mod callee;
mod caller;
mod incoming;
mod inside;
mod leg;
mod pracking;
mod referring;
mod refreshing;
mod watching;
mod words;

pub use referring::{Named, SessionName};
pub use words::{Hop, Invite, Reply, RequestOut};

/// What an endpoint is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Goes into `Server` and `User-Agent`; none says nothing.
    pub user_agent: Option<String>,
    /// Live transactions; beyond, new requests get 503.
    pub transactions_max: usize,
    /// Ended transactions kept for repetitions; beyond, the oldest go.
    pub lingering_max: usize,
    /// From the kernel in production; fixed in simulation.
    pub seed: [u8; 32],
    /// T1, T2, T4.
    pub timing: Timing,
}

impl Settings {
    /// The usual limits and times.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Settings {
        Settings {
            user_agent: None,
            transactions_max: limits::TRANSACTIONS_MAX,
            lingering_max: limits::LINGERING_MAX,
            seed,
            timing: Timing::default(),
        }
    }
}

/// How full the endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions.
    pub legs: usize,
    /// Transactions without final answer, or with one that is not acknowledged.
    pub transactions: usize,
    /// Ended transactions.
    pub lingering: usize,
    /// Subscriptions of peers.
    pub subscriptions: usize,
}

/// Who waits for an answer to a request of ours.
#[derive(Debug)]
enum User {
    /// Nobody: CANCEL, final NOTIFY.
    Nobody,
    /// A leg in stage `Calling`.
    Invite(LegId),
    /// A leg whose session is changing.
    Reoffer(LegId),
    /// A PRACK.
    Prack(LegId, Box<Outgoing>),
    /// An UPDATE that refreshes a session.
    Refresh(LegId, Box<Outgoing>),
    /// BYE: only a challenge matters.
    Bye(Box<Outgoing>),
    /// A request of the API.
    Request(ClientId, Box<Outgoing>),
    /// A NOTIFY.
    Notify(SubscriptionId),
}

/// Whom a dialog's tag belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Leg(LegId),
    Subscription(SubscriptionId),
}

/// The endpoint's own reasons to wake up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// A re-INVITE that met another is tried again.
    Glare(LegId),
    /// A reliable provisional answer was not confirmed yet.
    Reliable(LegId),
    /// A session is to be refreshed, or nobody refreshed it.
    Session(LegId),
    /// A subscription runs out.
    Expiry(SubscriptionId),
}

/// The SIP machine.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    ids: Ids,
    table: Table<User>,
    legs: BTreeMap<LegId, Leg>,
    owners: BTreeMap<String, Owner>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    timers: Timers<Deadline>,
}

impl Endpoint {
    /// An endpoint that knows nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Endpoint {
        Endpoint {
            ids: Ids::new(settings.seed),
            table: Table::new(settings.timing, settings.transactions_max, settings.lingering_max),
            legs: BTreeMap::new(),
            owners: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            timers: Timers::new(),
            settings,
        }
    }

    /// Takes one datagram, or one message that `StreamFramer` cut from a stream.
    pub fn receive(&mut self, now: Now, flow: Flow, bytes: &[u8], out: &mut Vec<Output>) {
        if framing::is_keepalive(bytes) {
            return;
        }
        match Message::read(bytes) {
            Ok(Message::Request(request)) => self.request_in(now, flow, request, out),
            Ok(Message::Response(response)) => self.response_in(now, response, out),
            Err(rejected) => self.reject(flow, &rejected, out),
        }
    }

    /// Does what is due. Call when `deadline` has come, late or not.
    pub fn handle_timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(told) = self.table.fire(now, out) {
            if let Some(told) = told {
                self.told(now, told, None, out);
            }
        }
        while let Some(deadline) = self.timers.pop(now.mono) {
            match deadline {
                Deadline::Glare(leg) => self.glare_over(now, leg, out),
                Deadline::Reliable(leg) => self.prack_is_late(now, leg, out),
                Deadline::Session(leg) => self.session_due(now, leg, out),
                Deadline::Expiry(id) => self.subscription_ran_out(now, id, out),
            }
        }
    }

    /// When `handle_timeout` is next needed.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        [self.table.deadline(), self.timers.next()].into_iter().flatten().min()
    }

    /// A stream is gone, or could not be opened: requests of ours on it fail at once. Sessions go on over another.
    pub fn flow_closed(&mut self, now: Now, flow: Flow, out: &mut Vec<Output>) {
        for told in self.table.flow_closed(now, flow, out) {
            self.told(now, told, None, out);
        }
        self.sessions_lost(flow);
        for subscription in self.subscriptions.values_mut() {
            subscription.dialog.lost(flow);
        }
    }

    /// How full it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let (transactions, lingering) = self.table.counts();
        Load { legs: self.legs.len(), transactions, lingering, subscriptions: self.subscriptions.len() }
    }

    /// A secret of this endpoint's seed for another part, such as `digest::Nonces`.
    #[must_use]
    pub fn secret(&self, label: &str) -> [u8; 32] {
        self.ids.secret(label)
    }

    fn response_in(&mut self, now: Now, response: Response, out: &mut Vec<Output>) {
        // More than one Via: it was meant for somebody behind us, and nobody is (RFC 3261 section 8.1.3.3).
        if response.headers.list(crate::name::Name::Via).nth(1).is_some() {
            return;
        }
        if let Some(told) = self.table.response(now, &response, out) {
            self.told(now, told, Some(response), out);
        }
    }

    fn told(&mut self, now: Now, told: Told<User>, response: Option<Response>, out: &mut Vec<Output>) {
        match (told, response) {
            (Told::Provisional(key), Some(response)) => self.provisional(now, key, &response, out),
            (Told::Final(key, user), Some(response)) => self.answered(now, key, user, response, out),
            (Told::Again(key), Some(response)) => self.accepted_again(now, key, &response, out),
            (Told::Failed(user, failure), _) => self.failed(now, user, failure, out),
            (Told::Acked(leg), _) => self.acked(now, leg, None, out),
            (Told::NoAck(leg), _) => self.no_ack(now, leg, out),
            (Told::Provisional(_) | Told::Final(..) | Told::Again(_), None) => {}
        }
    }

    fn answered(&mut self, now: Now, key: ClientKey, user: User, response: Response, out: &mut Vec<Output>) {
        match user {
            User::Nobody => {}
            User::Invite(leg) => self.invite_answered(now, key, leg, response, out),
            User::Reoffer(leg) => self.reoffer_answered(now, key, leg, response, out),
            User::Prack(leg, outgoing) => self.prack_answered(now, leg, *outgoing, &response, out),
            User::Refresh(leg, outgoing) => self.refresh_answered(now, leg, *outgoing, &response, out),
            User::Bye(outgoing) => self.bye_answered(now, *outgoing, &response, out),
            User::Request(id, outgoing) => self.request_answered(now, id, *outgoing, response, out),
            User::Notify(id) => self.notify_answered(now, id, &response, out),
        }
    }

    fn failed(&mut self, now: Now, user: User, failure: Failure, out: &mut Vec<Output>) {
        match user {
            User::Nobody | User::Bye(_) | User::Prack(..) => {}
            User::Invite(leg) => self.invite_failed(leg, failure, out),
            User::Reoffer(leg) | User::Refresh(leg, _) => self.session_lost(now, leg, out),
            User::Request(id, _) => {
                out.push(Output::Indicate(Indication::Response { id, result: Err(failure) }));
            }
            User::Notify(id) => self.subscription_gone(id, out),
        }
    }

    /// Sends a request of ours in a new transaction.
    fn send(
        &mut self,
        now: Now,
        mut outgoing: Outgoing,
        user: impl FnOnce(Outgoing) -> User,
        out: &mut Vec<Output>,
    ) -> ClientKey {
        let key = ClientKey::new(&mut self.ids);
        let sent = outgoing.write(key, &mut self.ids, self.settings.user_agent.as_deref());
        let auth = outgoing.auth.clone();
        self.table.start(now, key, user(outgoing), sent, out);
        if let Some(client) = self.table.client(key) {
            client.auth = auth;
        }
        key
    }
}
