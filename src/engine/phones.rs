//! Registered phones: which contacts an extension has, for how long, over which flow. The registrar of RFC 3261 section 10.3
//! with several contacts, CSeq order, expiry, and one durable record a change. Who may register is decided before
//! (`engine/admit`); who is rung is decided by calls.
mod binding;
pub mod seats;

use binding::{fixed, gone, in_order, record, shown};
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::notice::{ContactView, PhoneView};
use model::number::Number;
use model::record::{BindingRecord, Digest};
use seats::Seats;
use sip::{Flow, NameAddr, Request, Transport, Uri};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longest registration granted, seconds.
const EXPIRES_MAX: u32 = 3600;
/// Shortest asked lifetime taken; below, 423 with Min-Expires.
pub const EXPIRES_MIN: u32 = 30;
/// Asked for nothing.
const EXPIRES_DEFAULT: u32 = 3600;
/// A phone that refreshes late by less than this is still rung.
const GRACE: Duration = Duration::from_secs(5);

/// One registered contact.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Contact URI as given.
    pub uri: Uri,
    /// Where its REGISTER came from: requests go there.
    pub flow: Flow,
    /// RFC 3327 Path.
    pub path: Vec<Uri>,
    expires: Mono,
    expires_wall: Wall,
    stamp: Stamp,
    user_agent: String,
    /// `+sip.instance` (RFC 5626) with its `reg-id`: the same phone whatever its port. Not kept over a restart.
    instance: String,
    /// End of life in the record that was kept last: not every refresh is worth a write.
    kept: Wall,
}

/// What a REGISTER is known by, and how it proved its password.
#[derive(Clone, Debug)]
struct Stamp {
    call_id: String,
    cseq: u32,
    digest: Option<Digest>,
}

/// Where to reach one phone.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Request-URI.
    pub uri: Uri,
    /// Next hop.
    pub flow: Flow,
    /// Routes.
    pub route: Vec<Uri>,
}

/// What a REGISTER did.
#[derive(Debug, Default)]
pub struct Registered {
    /// Contact values for the 200.
    pub contacts: Vec<String>,
    /// To be kept.
    pub records: Vec<BindingRecord>,
    /// Whether the extension can be rung now and could not, or the other way round.
    pub changed: bool,
}

/// Why a REGISTER is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRegistered {
    /// `*` with an expiry other than 0, or beside others; a contact that cannot be called.
    Malformed,
    /// Too short: 423.
    TooBrief,
    /// Older than what is known (CSeq).
    OutOfOrder,
    /// More contacts than the extension may have.
    TooMany,
}

/// All phones.
#[derive(Debug)]
pub struct Phones {
    local: SocketAddr,
    bindings: BTreeMap<Number, Vec<Binding>>,
    sources: BTreeMap<IpAddr, u32>,
    /// Who is logged in at whose phone.
    pub seats: Seats,
}

impl Phones {
    /// Nobody is registered yet. `local`: our SIP address.
    #[must_use]
    pub fn new(local: SocketAddr) -> Phones {
        Phones { local, bindings: BTreeMap::new(), sources: BTreeMap::new(), seats: Seats::default() }
    }

    /// Takes over phones that were registered when the box stopped. A TCP flow is gone: they come back by themselves.
    pub fn restore(&mut self, now: Now, records: &[BindingRecord]) {
        for record in records.iter().filter(|r| r.expires > now.wall && r.transport == "udp") {
            let Ok(uri) = Uri::read(&record.contact) else { continue };
            let left = u64::try_from(record.expires.millis_since(now.wall)).unwrap_or(0);
            let binding = Binding {
                uri,
                flow: Flow::udp(self.local, record.address),
                path: record.path.iter().filter_map(|p| Uri::read(p).ok()).collect(),
                expires: now.mono + Duration::from_millis(left.min(u64::from(EXPIRES_MAX) * 1000)),
                expires_wall: record.expires,
                stamp: Stamp { call_id: record.call_id.clone(), cseq: record.cseq, digest: record.digest },
                user_agent: record.user_agent.clone(),
                instance: String::new(),
                kept: record.expires,
            };
            self.add(record.extension.clone(), binding);
        }
    }

    /// Carries out an authenticated REGISTER for an extension; `digest`: how the password was proved. All or nothing (RFC 3261 section 10.3).
    ///
    /// # Errors
    /// [`NotRegistered`] says what the phone did wrong.
    pub fn register(
        &mut self,
        now: Now,
        extension: &Number,
        max: u32,
        flow: Flow,
        digest: Option<Digest>,
        request: &Request,
    ) -> Result<Registered, NotRegistered> {
        self.expire_one(now, extension);
        let star = request.header("Contact").any(|v| v.trim() == "*");
        let asked: Vec<NameAddr> = request.contacts().collect();
        let stamp = Stamp { call_id: request.call_id().to_owned(), cseq: request.cseq().number, digest };
        let before = self.count(extension);
        let mut done = Registered::default();
        if star {
            if !asked.is_empty() || request.expires() != Some(0) {
                return Err(NotRegistered::Malformed);
            }
            for binding in self.bindings.get(extension).cloned().unwrap_or_default() {
                in_order(&binding, &stamp)?;
                done.records.push(gone(now, extension, &binding));
                self.remove(extension, &binding.uri);
            }
        } else {
            let restarted = Restarted::new(flow, request, &stamp);
            let wanted = self.read(extension, max, &asked, request, &restarted)?;
            for at in 0..wanted.len() {
                self.apply(now, extension, &wanted, at, flow, request, &stamp, &mut done);
            }
            self.make_room(now, extension, max, &restarted, &mut done);
        }
        done.changed = (self.count(extension) == 0) != (before == 0);
        done.contacts = self.list(extension).map(|b| shown(now, b)).collect();
        Ok(done)
    }

    /// Takes out what ran out. Gives the extensions whose contacts changed and what is to be kept.
    pub fn expire(&mut self, now: Now) -> (Vec<Number>, Vec<BindingRecord>) {
        let mut changed = Vec::new();
        let mut records = Vec::new();
        let all: Vec<Number> = self.bindings.keys().cloned().collect();
        for extension in all {
            let late: Vec<Binding> =
                self.list(&extension).filter(|b| b.expires + GRACE <= now.mono).cloned().collect();
            for binding in &late {
                records.push(gone(now, &extension, binding));
                self.remove(&extension, &binding.uri);
            }
            if !late.is_empty() {
                changed.push(extension);
            }
        }
        (changed, records)
    }

    /// A stream was closed: the phones behind it cannot be reached any more.
    pub fn flow_closed(&mut self, now: Now, flow: Flow) -> (Vec<Number>, Vec<BindingRecord>) {
        self.drop_where(now, |b| b.flow.transport == Transport::Tcp && b.flow.connection == flow.connection)
    }

    /// The extension is no longer configured, or has another password: its phones go.
    pub fn forget(&mut self, now: Now, extension: &Number) -> Vec<BindingRecord> {
        let all: Vec<Binding> = self.list(extension).cloned().collect();
        for binding in &all {
            self.remove(extension, &binding.uri);
        }
        all.iter().map(|b| gone(now, extension, b)).collect()
    }

    /// Where an extension is reached: the registered contacts of the phone where its person is, or the fixed one there.
    #[must_use]
    pub fn contacts(&self, config: &Config, extension: &Number, now: Now) -> Vec<Contact> {
        let Some(extension) = self.seats.rings(extension) else { return Vec::new() };
        let registered = self.list(extension).filter(|b| b.expires + GRACE > now.mono).map(|b| Contact {
            uri: b.uri.clone(),
            flow: b.flow,
            route: b.path.clone(),
        });
        let fixed = config
            .extension
            .get(extension)
            .and_then(|e| e.contact.as_deref())
            .and_then(|c| fixed(c, self.local));
        registered.chain(fixed).collect()
    }

    /// Whether an extension can be rung.
    #[must_use]
    pub fn reachable(&self, config: &Config, extension: &Number) -> bool {
        let Some(extension) = self.seats.rings(extension) else { return false };
        let fixed = |c: &str| fixed(c, self.local).is_some();
        self.count(extension) > 0
            || config.extension.get(extension).and_then(|e| e.contact.as_deref()).is_some_and(fixed)
    }

    /// How many contacts are registered from this address.
    #[must_use]
    pub fn at(&self, source: IpAddr) -> u32 {
        self.sources.get(&source).copied().unwrap_or(0)
    }

    /// Whether a phone of this extension is registered from this address.
    #[must_use]
    pub fn registered_from(&self, extension: &Number, source: IpAddr) -> bool {
        self.list(extension).any(|b| b.flow.remote.ip() == source)
    }

    /// The extension whose phone is registered over exactly this flow, if there is only one.
    #[must_use]
    pub fn behind(&self, flow: &Flow) -> Option<&Number> {
        let mut found = self.bindings.iter().filter(|(_, list)| {
            list.iter().any(|b| b.flow.remote == flow.remote && b.flow.transport == flow.transport)
        });
        let first = found.next().map(|(n, _)| n);
        first.filter(|_| found.next().is_none())
    }

    /// What is shown of an extension's phones.
    #[must_use]
    pub fn view(&self, extension: &Number, in_call: bool) -> PhoneView {
        let contacts = self.list(extension).map(|b| ContactView {
            address: b.flow.remote.to_string(),
            transport: b.flow.transport.param().to_owned(),
            user_agent: b.user_agent.clone(),
            expires: b.expires_wall,
        });
        PhoneView {
            extension: extension.to_string(),
            contacts: contacts.collect(),
            in_call,
            guest: self.seats.guest(extension).map(Number::to_string),
            away: self.seats.away(extension).map(Number::to_string),
        }
    }

    fn read(
        &self,
        extension: &Number,
        max: u32,
        asked: &[NameAddr],
        request: &Request,
        restarted: &Restarted<'_>,
    ) -> Result<Vec<(NameAddr, u32)>, NotRegistered> {
        let (flow, stamp) = (restarted.flow, restarted.stamp);
        let mut wanted = Vec::new();
        for contact in asked {
            let own = contact.param("expires").flatten().and_then(|v| v.parse().ok());
            let expires = own.or(request.expires()).unwrap_or(EXPIRES_DEFAULT);
            if expires > 0 && expires < EXPIRES_MIN {
                return Err(NotRegistered::TooBrief);
            }
            if contact.uri.host().is_empty() {
                return Err(NotRegistered::Malformed);
            }
            if let Some(binding) = self.list(extension).find(|b| b.uri.same(&contact.uri)) {
                in_order(binding, stamp)?;
            }
            wanted.push((contact.clone(), expires.min(EXPIRES_MAX)));
        }
        let stays = |b: &&Binding| {
            !restarted.was(b) && !wanted.iter().any(|asked| replaces(asked, &wanted, flow, stamp, b))
        };
        let left = self.list(extension).filter(stays).count() + wanted.iter().filter(|(_, s)| *s > 0).count();
        if left > usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(NotRegistered::TooMany);
        }
        Ok(wanted)
    }

    #[expect(clippy::too_many_arguments, reason = "one REGISTER's facts, passed on once")]
    fn apply(
        &mut self,
        now: Now,
        extension: &Number,
        wanted: &[(NameAddr, u32)],
        at: usize,
        flow: Flow,
        request: &Request,
        stamp: &Stamp,
        done: &mut Registered,
    ) {
        let Some(asked) = wanted.get(at) else { return };
        let (uri, instance, expires_s) = (asked.0.uri.clone(), instance(&asked.0), asked.1);
        let same_phone = self.list(extension).find(|b| replaces(asked, wanted, flow, stamp, b)).cloned();
        if let Some(old) = &same_phone {
            self.remove(extension, &old.uri);
        }
        if expires_s == 0 {
            done.records.extend(same_phone.iter().map(|old| gone(now, extension, old)));
            return;
        }
        let path =
            request.header("Path").filter_map(|v| NameAddr::read(v).ok()).map(|n| n.uri).take(8).collect();
        let life = i64::from(expires_s) * 1000;
        let expires_wall = Wall(now.wall.0 + life);
        let same = same_phone
            .as_ref()
            .filter(|old| old.uri.same(&uri) && old.flow == flow && old.stamp.call_id == stamp.call_id);
        let kept = same.map(|old| old.kept).filter(|kept| kept.millis_since(now.wall) > life / 2);
        let binding = Binding {
            uri,
            flow,
            path,
            expires: now.mono + Duration::from_secs(expires_s.into()),
            expires_wall,
            kept: kept.unwrap_or(expires_wall),
            stamp: stamp.clone(),
            user_agent: user_agent(request),
            instance,
        };
        if let Some(old) = same_phone.filter(|old| !old.uri.same(&binding.uri)) {
            done.records.push(gone(now, extension, &old));
        }
        if kept.is_none() {
            done.records.push(record(extension, &binding));
        }
        self.add(extension.clone(), binding);
    }

    /// Contacts that a phone left behind when it was started again go, the longest not refreshed first, until there are
    /// no more than may be.
    fn make_room(
        &mut self,
        now: Now,
        extension: &Number,
        max: u32,
        restarted: &Restarted<'_>,
        done: &mut Registered,
    ) {
        while self.count(extension) > usize::try_from(max).unwrap_or(usize::MAX) {
            let Some(old) = self.list(extension).find(|b| restarted.was(b)).cloned() else { return };
            self.remove(extension, &old.uri);
            done.records.push(gone(now, extension, &old));
        }
    }

    fn expire_one(&mut self, now: Now, extension: &Number) {
        let late: Vec<Uri> =
            self.list(extension).filter(|b| b.expires + GRACE <= now.mono).map(|b| b.uri.clone()).collect();
        for uri in late {
            self.remove(extension, &uri);
        }
    }

    fn drop_where(
        &mut self,
        now: Now,
        matches: impl Fn(&Binding) -> bool,
    ) -> (Vec<Number>, Vec<BindingRecord>) {
        let found: Vec<(Number, Binding)> = self
            .bindings
            .iter()
            .flat_map(|(n, list)| list.iter().filter(|b| matches(b)).map(|b| (n.clone(), b.clone())))
            .collect();
        for (extension, binding) in &found {
            self.remove(extension, &binding.uri);
        }
        let records = found.iter().map(|(n, b)| gone(now, n, b)).collect();
        (found.into_iter().map(|(n, _)| n).collect(), records)
    }

    fn list(&self, extension: &Number) -> impl Iterator<Item = &Binding> {
        self.bindings.get(extension).into_iter().flatten()
    }

    fn count(&self, extension: &Number) -> usize {
        self.bindings.get(extension).map_or(0, Vec::len)
    }

    fn add(&mut self, extension: Number, binding: Binding) {
        *self.sources.entry(binding.flow.remote.ip()).or_default() += 1;
        self.bindings.entry(extension).or_default().push(binding);
    }

    fn remove(&mut self, extension: &Number, uri: &Uri) {
        let Some(list) = self.bindings.get_mut(extension) else { return };
        let Some(at) = list.iter().position(|b| b.uri.same(uri)) else { return };
        let ip = list.remove(at).flow.remote.ip();
        if list.is_empty() {
            self.bindings.remove(extension);
        }
        if let Some(count) = self.sources.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&ip);
            }
        }
    }
}

/// What a phone may have left behind, and gives up when there is no more room.
struct Restarted<'a> {
    flow: Flow,
    make: String,
    stamp: &'a Stamp,
}

impl<'a> Restarted<'a> {
    fn new(flow: Flow, request: &Request, stamp: &'a Stamp) -> Restarted<'a> {
        Restarted { flow, make: user_agent(request), stamp }
    }

    /// Whether a contact may be its own of before: of an older request of the same registration that did not name its
    /// phone, or the same make at the same address under another registration (it was started again).
    fn was(&self, binding: &Binding) -> bool {
        if binding.stamp.call_id == self.stamp.call_id {
            return binding.instance.is_empty() && binding.stamp.cseq < self.stamp.cseq;
        }
        !self.make.is_empty()
            && binding.user_agent == self.make
            && binding.flow.remote.ip() == self.flow.remote.ip()
    }
}

/// Whether a contact takes the place of a binding: the same URI; the same phone by its own word; or the same registration
/// from another address (a phone that moved says so seldom, and its old address would ring nowhere). What a registration
/// adds from where it is stands beside what it has (RFC 3261 section 10.3).
fn replaces(
    asked: &(NameAddr, u32),
    all: &[(NameAddr, u32)],
    flow: Flow,
    stamp: &Stamp,
    old: &Binding,
) -> bool {
    let (contact, expires_s) = asked;
    if old.uri.same(&contact.uri) {
        return true;
    }
    if all.iter().any(|(other, _)| old.uri.same(&other.uri)) {
        return false;
    }
    let said = instance(contact);
    if !said.is_empty() && !old.instance.is_empty() {
        return said == old.instance;
    }
    *expires_s > 0 && old.flow.remote != flow.remote && old.stamp.call_id == stamp.call_id
}

fn user_agent(request: &Request) -> String {
    request.header("User-Agent").next().unwrap_or_default().chars().take(80).collect()
}

/// What a phone says it is, whatever its address (RFC 5626); empty: nothing.
fn instance(contact: &NameAddr) -> String {
    let Some(id) = contact.param("+sip.instance").flatten() else { return String::new() };
    let flow = contact.param("reg-id").flatten().unwrap_or_default();
    format!("{id} {flow}").chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{number, site};
    use sip::Message;

    fn at(second: u64) -> Now {
        let wall = i64::try_from(second).expect("small") * 1000;
        Now { mono: Mono(second * 1_000_000), wall: Wall(wall) }
    }

    fn flow(port: u16) -> Flow {
        let address = |text: &str| text.parse().expect("an address");
        Flow::udp(address("192.0.2.1:5060"), SocketAddr::new(address("192.0.2.11:1").ip(), port))
    }

    fn request(call_id: &str, cseq: u32, contact: &str, expires: u32) -> Request {
        request_of("", call_id, cseq, contact, expires)
    }

    fn request_of(make: &str, call_id: &str, cseq: u32, contact: &str, expires: u32) -> Request {
        let text = format!(
            "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK{cseq}\r\nFrom: <sip:101@x>;tag=1\r\n\
             To: <sip:101@x>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\nContact: {contact}\r\n\
             Expires: {expires}\r\nUser-Agent: {make}\r\nContent-Length: 0\r\n\r\n"
        );
        match Message::read(text.as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn register(
        phones: &mut Phones,
        second: u64,
        call_id: &str,
        cseq: u32,
        contact: &str,
        expires: u32,
    ) -> Result<Registered, NotRegistered> {
        let request = request(call_id, cseq, contact, expires);
        phones.register(at(second), &number("101"), 2, flow(5060), None, &request)
    }

    fn phones() -> Phones {
        Phones::new("192.0.2.1:5060".parse().expect("an address"))
    }

    #[test]
    fn a_contact_comes_is_refreshed_cheaply_and_goes() {
        let mut phones = phones();
        let new = register(&mut phones, 0, "a", 1, "<sip:101@192.0.2.11>", 600).expect("fine");
        assert!(new.changed && new.records.len() == 1);
        assert_eq!(new.contacts, ["<sip:101@192.0.2.11>;expires=600"]);
        let early = register(&mut phones, 60, "a", 2, "<sip:101@192.0.2.11>", 600).expect("fine");
        assert!(!early.changed && early.records.is_empty());
        let late = register(&mut phones, 400, "a", 3, "<sip:101@192.0.2.11>", 600).expect("fine");
        assert_eq!(late.records.len(), 1, "the kept end of life would come too early");
        let gone = register(&mut phones, 500, "a", 4, "<sip:101@192.0.2.11>", 0).expect("fine");
        assert!(gone.changed && gone.contacts.is_empty());
        assert!(gone.records[0].expires < at(500).wall);
    }

    #[test]
    fn an_older_request_changes_nothing_and_star_takes_all_out() {
        let mut phones = phones();
        register(&mut phones, 0, "a", 5, "<sip:101@192.0.2.11>", 600).expect("fine");
        let old = register(&mut phones, 1, "a", 5, "<sip:101@192.0.2.11>", 0);
        assert_eq!(old.err(), Some(NotRegistered::OutOfOrder));
        register(&mut phones, 2, "b", 1, "<sip:101@192.0.2.12>", 600).expect("fine");
        assert_eq!(register(&mut phones, 3, "c", 1, "*", 600).err(), Some(NotRegistered::Malformed));
        let all = register(&mut phones, 3, "c", 1, "*", 0).expect("fine");
        assert_eq!(all.records.len(), 2);
        assert!(!phones.reachable(&site(), &number("101")));
    }

    #[test]
    fn one_phone_with_a_new_port_is_still_one_phone_and_a_third_is_too_many() {
        let mut phones = phones();
        register(&mut phones, 0, "a", 1, "<sip:101@192.0.2.11:1000>", 600).expect("fine");
        let request = request("a", 2, "<sip:101@192.0.2.11:2000>", 600);
        let moved = phones.register(at(1), &number("101"), 2, flow(5062), None, &request).expect("fine");
        assert_eq!(moved.contacts, ["<sip:101@192.0.2.11:2000>;expires=600"]);
        register(&mut phones, 2, "b", 1, "<sip:101@192.0.2.12>", 600).expect("the second");
        let third = register(&mut phones, 3, "c", 1, "<sip:101@192.0.2.13>", 600);
        assert_eq!(third.err(), Some(NotRegistered::TooMany));
        assert_eq!(
            register(&mut phones, 4, "b", 2, "<sip:101@192.0.2.12>", 5).err(),
            Some(NotRegistered::TooBrief)
        );
    }

    #[test]
    fn every_contact_of_a_register_is_kept_and_what_comes_later_stands_beside_it() {
        let mut phones = phones();
        let two = "<sip:101@192.0.2.11:1000>, <sip:101@192.0.2.11:2000>";
        let done = register(&mut phones, 0, "a", 1, two, 600).expect("there is room for both");
        assert_eq!(done.contacts.len(), 2, "RFC 3261 10.3: each contact is a binding of its own");
        let again = register(&mut phones, 60, "a", 2, two, 600).expect("a refresh of both");
        assert_eq!(again.contacts.len(), 2);
        let one = register(&mut phones, 70, "a", 3, "<sip:101@192.0.2.11:1000>", 0).expect("fine");
        assert_eq!(one.contacts, ["<sip:101@192.0.2.11:2000>;expires=590"]);
        let later = register(&mut phones, 80, "a", 4, "<sip:101@192.0.2.11:3000>", 600).expect("fine");
        assert_eq!(later.contacts.len(), 2, "the same phone adds one");
        let gone = register(&mut phones, 81, "a", 5, "<sip:101@192.0.2.11:9>", 0).expect("fine");
        assert_eq!(gone.contacts.len(), 2, "taking out what is not there takes out nothing else");
        let room = register(&mut phones, 82, "a", 6, "<sip:101@192.0.2.11:4000>", 600).expect("fine");
        assert_eq!(room.contacts.len(), 2, "at the limit its oldest gives way");
        assert!(room.contacts[1].contains(":4000"), "{:?}", room.contacts);
        let three = format!("{two}, <sip:101@192.0.2.11:5000>");
        assert_eq!(register(&mut phones, 83, "a", 7, &three, 600).err(), Some(NotRegistered::TooMany));
    }

    #[test]
    fn a_phone_that_moves_with_both_its_contacts_keeps_both_and_no_more() {
        let mut phones = phones();
        register(&mut phones, 0, "a", 1, "<sip:101@192.0.2.11:1000>, <sip:102@192.0.2.11:1000>", 600)
            .expect("fine");
        let request = request("a", 2, "<sip:102@192.0.2.11:1000>, <sip:101@192.0.2.11:2000>", 600);
        let moved = phones.register(at(1), &number("101"), 2, flow(5062), None, &request).expect("fine");
        assert_eq!(moved.contacts.len(), 2, "{:?}", moved.contacts);
        assert!(moved.contacts[1].contains(":2000"), "{:?}", moved.contacts);
    }

    #[test]
    fn two_phones_that_name_themselves_stay_two_although_one_registration_speaks_for_both() {
        let mut phones = phones();
        let contact = |n: u32| format!("<sip:101@192.0.2.11:{n}>;+sip.instance=\"<urn:uuid:{n}>\"");
        register(&mut phones, 0, "a", 1, &contact(1), 600).expect("fine");
        let both = register(&mut phones, 1, "a", 2, &contact(2), 600).expect("fine");
        assert_eq!(both.contacts.len(), 2);
        assert_eq!(register(&mut phones, 2, "a", 3, &contact(3), 600).err(), Some(NotRegistered::TooMany));
    }

    /// As [`register`], by a make that says its name, from 192.0.2.11 or the address with this last number.
    fn starts(phones: &mut Phones, run: u32, last: u8, instance: &str) -> Result<Registered, NotRegistered> {
        let contact = format!("<sip:101@192.0.2.{last}:{}>{instance}", 4000 + run);
        let request = request_of("Soft 1", &format!("run-{run}"), 1, &contact, 600);
        let mut from = flow(5060);
        from.remote.set_ip(IpAddr::from([192, 0, 2, last]));
        phones.register(at(run.into()), &number("101"), 2, from, None, &request)
    }

    #[test]
    fn a_phone_that_is_started_again_and_again_takes_the_place_of_what_it_left_behind() {
        let mut phones = phones();
        starts(&mut phones, 1, 12, "").expect("the phone on the desk");
        for run in 2..10 {
            let done = starts(&mut phones, run, 11, "").expect("there is room for the phone itself");
            assert_eq!(done.contacts.len(), 2);
            assert!(
                done.contacts[0].contains("192.0.2.12:4001"),
                "the other phone stays: {:?}",
                done.contacts
            );
        }
        assert_eq!(starts(&mut phones, 10, 13, "").err(), Some(NotRegistered::TooMany), "another phone");
    }

    #[test]
    fn a_phone_that_says_which_it_is_has_one_contact_whatever_its_port_and_address() {
        let mut phones = phones();
        let (mine, other) = (";+sip.instance=\"<urn:uuid:1>\"", ";+sip.instance=\"<urn:uuid:2>\"");
        starts(&mut phones, 1, 11, mine).expect("fine");
        let moved = starts(&mut phones, 2, 12, mine).expect("fine");
        assert_eq!(moved.contacts.len(), 1);
        assert_eq!(moved.records.len(), 2, "the old one is taken from the disk too");
        assert_eq!(starts(&mut phones, 3, 12, other).expect("fine").contacts.len(), 2);
    }

    #[test]
    fn who_does_not_refresh_is_not_rung_and_is_taken_out() {
        let mut phones = phones();
        register(&mut phones, 0, "a", 1, "<sip:101@192.0.2.11>", 60).expect("fine");
        let rung = |phones: &Phones, second| phones.contacts(&site(), &number("101"), at(second)).len();
        assert_eq!((rung(&phones, 64), rung(&phones, 66)), (1, 0));
        let (changed, records) = phones.expire(at(66));
        assert_eq!((changed, records.len()), (vec![number("101")], 1));
        assert_eq!(phones.at(flow(5060).remote.ip()), 0);
    }
}
