//! Carriers: where they are, whether they live, who of a source address is one. Registers there and refreshes (RFC 3261
//! section 10.2), asks OPTIONS of those that were silent for a while, looks names up again. After an outage a request is
//! always under way or at most 20 s off, so that the trunk is back within 30 s. Never carries a call itself.
mod answers;
pub mod health;
mod way;

use crate::timers::TrunkTimer;
use answers::{probed, registered};
use health::Health;
use model::clock::{Mono, Now};
use model::config::Config;
use model::config::trunk::{Trunk, TrunkKind};
use model::id::Ticket;
use model::notice::TrunkView;
use sip::digest::Credentials;
use sip::endpoint::RequestOut;
use sip::indication::{ClientId, Failure};
use sip::{Flow, Method, Response};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use way::{credentials, flow, request, same_way};

/// A carrier heard of within this time is not asked OPTIONS.
const QUIET: Duration = Duration::from_secs(15);
/// Names are looked up again after this long; the last good addresses stay in use meanwhile.
const LOOK_UP: Duration = Duration::from_secs(300);
/// A failed look-up is tried again.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(15);
/// Most addresses of one carrier that are remembered.
const ADDRESSES_MAX: usize = 8;

/// What a trunk wants done.
#[derive(Debug)]
pub enum Out {
    /// A REGISTER or OPTIONS.
    Request(Box<RequestOut>),
    /// A name to look up.
    Resolve(Ticket, String),
    /// A deadline of this trunk.
    Wait(String, TrunkTimer, Mono),
    /// Its view changed.
    Changed(String),
}

/// How to reach a carrier now.
#[derive(Clone, Debug)]
pub struct Line {
    /// Next hop.
    pub flow: Flow,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
    /// All its lines are in use.
    pub full: bool,
}

#[derive(Debug)]
struct State {
    trunk: Trunk,
    addresses: Vec<IpAddr>,
    health: Health,
    calls: u32,
    heard: Option<Mono>,
    /// A call heard nothing from it: others are asked first until it is heard of again.
    suspect: bool,
    call_id: String,
    cseq: u32,
    expires_s: u32,
    asking: Option<(ClientId, Asked)>,
    /// OPTIONS is never answered there although it registers us: not asked again.
    mute: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Register,
    Options,
}

/// All carriers.
#[derive(Debug)]
pub struct Trunks {
    local: SocketAddr,
    states: BTreeMap<String, State>,
    looking: BTreeMap<Ticket, String>,
    next: u64,
    salt: u64,
}

/// Client ids of trunks have this bit, so that they are told from others.
pub const CLIENT_BIT: u64 = 1 << 62;

impl Trunks {
    /// No carriers yet. `salt` makes Call-IDs of registrations differ from start to start.
    #[must_use]
    pub fn new(local: SocketAddr, salt: u64) -> Trunks {
        Trunks { local, states: BTreeMap::new(), looking: BTreeMap::new(), next: CLIENT_BIT, salt }
    }

    /// Uses another configuration: starts new trunks, restarts changed ones; gives the names of those that are gone.
    pub fn configure(
        &mut self,
        now: Now,
        config: &Config,
        ticket: &mut dyn FnMut() -> Ticket,
        out: &mut Vec<Out>,
    ) -> Vec<String> {
        let gone: Vec<String> =
            self.states.keys().filter(|n| !config.trunk.contains_key(*n)).cloned().collect();
        for name in &gone {
            self.leave(name, out);
        }
        for (name, trunk) in &config.trunk {
            let calls = match self.states.get_mut(name) {
                Some(state) if same_way(&state.trunk, trunk) => {
                    state.trunk = trunk.clone();
                    out.push(Out::Changed(name.clone()));
                    continue;
                }
                Some(state) => state.calls,
                None => 0,
            };
            let state = State {
                trunk: trunk.clone(),
                addresses: Vec::new(),
                health: Health::starting(now),
                calls,
                heard: None,
                suspect: false,
                call_id: format!("{:016x}-{name}@belfry", self.salt ^ now.mono.0),
                cseq: 1,
                expires_s: trunk.register_expiry_s,
                asking: None,
                mute: false,
            };
            self.states.insert(name.clone(), state);
            out.push(Out::Changed(name.clone()));
            self.look_up(now, name, ticket, out);
        }
        gone
    }

    /// Registers again now, or asks for OPTIONS (somebody pressed the button); `false` when there is no such trunk.
    pub fn retry(
        &mut self,
        now: Now,
        name: &str,
        ticket: &mut dyn FnMut() -> Ticket,
        out: &mut Vec<Out>,
    ) -> bool {
        let Some(state) = self.states.get_mut(name) else { return false };
        state.asking = None;
        self.takes(now, name, out);
        self.look_up(now, name, ticket, out);
        true
    }

    /// A deadline of a trunk.
    pub fn timer(
        &mut self,
        now: Now,
        name: &str,
        timer: TrunkTimer,
        ticket: &mut dyn FnMut() -> Ticket,
        out: &mut Vec<Out>,
    ) {
        match timer {
            TrunkTimer::Resolve => self.look_up(now, name, ticket, out),
            TrunkTimer::Register => self.register(now, name, out),
            TrunkTimer::Probe => self.probe(now, name, out),
        }
    }

    /// The answer of the name service.
    pub fn resolved(&mut self, now: Now, ticket: Ticket, addresses: &[IpAddr], out: &mut Vec<Out>) {
        let Some(name) = self.looking.remove(&ticket) else { return };
        let Some(state) = self.states.get_mut(&name) else { return };
        if addresses.is_empty() {
            out.push(Out::Wait(name.clone(), TrunkTimer::Resolve, now.mono + LOOK_UP_AGAIN));
            if state.addresses.is_empty() && state.health.down(now, "name_unknown", &state.trunk.host) {
                out.push(Out::Changed(name));
            }
            return;
        }
        let first = state.addresses.is_empty() || !addresses.contains(&state.addresses[0]);
        state.addresses = addresses.iter().copied().take(ADDRESSES_MAX).collect();
        out.push(Out::Wait(name.clone(), TrunkTimer::Resolve, now.mono + LOOK_UP));
        if first {
            self.start(now, &name, out);
        }
    }

    /// The final answer to one of our requests; `None`-like ids of others are ignored.
    pub fn answered(
        &mut self,
        now: Now,
        id: ClientId,
        result: Result<Arc<Response>, Failure>,
        out: &mut Vec<Out>,
    ) {
        let found = self.states.iter_mut().find(|(_, s)| s.asking.is_some_and(|(asked, _)| asked == id));
        let Some((name, state)) = found.map(|(n, s)| (n.clone(), s)) else { return };
        let Some((_, asked)) = state.asking.take() else { return };
        let mut trusted = false;
        if result.is_ok() {
            state.heard = Some(now.mono);
            state.suspect = false;
            trusted = state.health.trust(now);
        } else if !state.addresses.is_empty() {
            state.addresses.rotate_left(1);
        }
        let changed = match asked {
            Asked::Register => registered(now, &name, state, result, out),
            Asked::Options => probed(now, &name, state, result.is_ok(), out),
        };
        if changed || trusted {
            out.push(Out::Changed(name));
        }
    }

    /// A carrier sent us something: it lives.
    pub fn heard(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        if let Some(state) = self.states.get_mut(name) {
            state.heard = Some(now.mono);
            state.suspect = false;
            if state.health.trust(now) {
                out.push(Out::Changed(name.to_owned()));
            }
        }
    }

    /// A call got no answer at all from it: it is asked for a sign of life, and others are asked first meanwhile.
    pub fn silent(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        let Some(state) = self.states.get_mut(name) else { return };
        state.suspect = true;
        state.heard = None;
        if state.health.doubt(now) {
            out.push(Out::Changed(name.to_owned()));
        }
        let timer = if state.mute { TrunkTimer::Register } else { TrunkTimer::Probe };
        out.push(Out::Wait(name.to_owned(), timer, now.mono));
    }

    /// It refused a call because of us (401, 403, 407).
    pub fn refuses(&mut self, now: Now, name: &str, code: u16, out: &mut Vec<Out>) {
        if self.states.get_mut(name).is_some_and(|state| state.health.refuses(now, code)) {
            out.push(Out::Changed(name.to_owned()));
        }
    }

    /// A call got through to the party called, who took it or not.
    pub fn takes(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        if self.states.get_mut(name).is_some_and(|state| state.health.takes(now)) {
            out.push(Out::Changed(name.to_owned()));
        }
    }

    /// How many legs it carries now.
    pub fn carries(&mut self, name: &str, calls: u32) {
        if let Some(state) = self.states.get_mut(name) {
            state.calls = calls;
        }
    }

    /// The trunk that a request comes from: by source address, then by the account in the Request-URI.
    #[must_use]
    pub fn by_source(&self, source: SocketAddr, user: Option<&str>) -> Option<&str> {
        let is_from =
            |s: &&State| s.trunk.addresses.contains(&source.ip()) || s.addresses.contains(&source.ip());
        let found: Vec<&State> = self.states.values().filter(is_from).collect();
        let by_user =
            found.iter().find(|s| s.trunk.username.is_some() && s.trunk.username.as_deref() == user);
        let by_port = || found.iter().find(|s| s.trunk.port == source.port());
        by_user.or_else(by_port).or(found.first()).map(|s| s.trunk.name.as_str())
    }

    /// How to reach a carrier; `None` when its address is not known.
    #[must_use]
    pub fn line(&self, config: &Config, name: &str) -> Option<Line> {
        let state = self.states.get(name)?;
        let flow = flow(self.local, state)?;
        let capacity = config.trunk.get(name).map_or(state.trunk.capacity, |t| t.capacity);
        Some(Line { flow, credentials: credentials(&state.trunk), full: state.calls >= capacity })
    }

    /// Whether a carrier is thought to live (or nothing is known yet).
    #[must_use]
    pub fn is_up(&self, name: &str) -> bool {
        self.states.get(name).is_some_and(|s| !s.health.is_down() && !s.suspect)
    }

    /// What is shown of a trunk.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<TrunkView> {
        let state = self.states.get(name)?;
        Some(state.health.view(&state.trunk, state.calls))
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.states.keys()
    }

    fn look_up(&mut self, now: Now, name: &str, ticket: &mut dyn FnMut() -> Ticket, out: &mut Vec<Out>) {
        let Some(state) = self.states.get_mut(name) else { return };
        if let Ok(ip) = state.trunk.host.parse() {
            state.addresses = vec![ip];
            return self.start(now, name, out);
        }
        let ticket = ticket();
        self.looking.insert(ticket, name.to_owned());
        out.push(Out::Resolve(ticket, state.trunk.host.clone()));
    }

    fn start(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        match self.states.get(name).map(|s| s.trunk.kind) {
            Some(TrunkKind::Register) => self.register(now, name, out),
            Some(TrunkKind::Address) => self.probe(now, name, out),
            None => {}
        }
    }

    fn register(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        let id = self.client();
        let local = self.local;
        let Some(state) = self.states.get_mut(name) else { return };
        if state.trunk.kind != TrunkKind::Register || state.asking.is_some_and(|(_, a)| a == Asked::Register)
        {
            return;
        }
        let Some(request) = request(local, state, id, Method::Register) else {
            if state.health.down(now, "name_unknown", &state.trunk.host) {
                out.push(Out::Changed(name.to_owned()));
            }
            return;
        };
        state.asking = Some((id, Asked::Register));
        state.cseq += 4;
        out.push(Out::Request(Box::new(request)));
    }

    fn probe(&mut self, now: Now, name: &str, out: &mut Vec<Out>) {
        let id = self.client();
        let local = self.local;
        let Some(state) = self.states.get_mut(name) else { return };
        if state.mute || state.asking.is_some() {
            return;
        }
        let since = state.heard.map(|at| now.mono.since(at));
        if let Some(since) = since.filter(|s| *s < QUIET && !state.health.is_down()) {
            if state.trunk.kind == TrunkKind::Address && state.health.up(now, "answers_options", "heard of") {
                out.push(Out::Changed(name.to_owned()));
            }
            out.push(Out::Wait(name.to_owned(), TrunkTimer::Probe, now.mono + (QUIET - since)));
            return;
        }
        if let Some(request) = request(local, state, id, Method::Options) {
            state.asking = Some((id, Asked::Options));
            out.push(Out::Request(Box::new(request)));
        }
    }

    /// A trunk is no longer configured: its registration is taken back.
    fn leave(&mut self, name: &str, out: &mut Vec<Out>) {
        let id = self.client();
        let Some(mut state) = self.states.remove(name) else { return };
        state.expires_s = 0;
        if state.trunk.kind == TrunkKind::Register && !state.health.is_down() {
            out.extend(request(self.local, &state, id, Method::Register).map(|r| Out::Request(Box::new(r))));
        }
    }

    fn client(&mut self) -> ClientId {
        self.next += 1;
        ClientId(self.next)
    }
}
