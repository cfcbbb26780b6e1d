//! The registrar's table (RFC 3261 section 10.3): which contacts each address of record has, until when, and in what
//! order REGISTERs came. A REGISTER is taken whole or not at all. Never authenticates: the caller has done that and
//! names the address of record.
use crate::endpoint::Reply;
use crate::flow::{Flow, Transport};
use crate::limits::{AORS_MAX, CONTACTS_MAX};
use crate::message::{Request, seconds};
use crate::name::Name;
use crate::name_addr::NameAddr;
use crate::uri::{Scheme, Uri};
use model::clock::{Mono, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long registrations may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Shorter ones are answered 423.
    pub expires_s_min: u32,
    /// Longer ones are cut to this.
    pub expires_s_max: u32,
    /// When the phone names none.
    pub expires_s_default: u32,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { expires_s_min: 60, expires_s_max: 3_600, expires_s_default: 3_600 }
    }
}

/// One contact of an address of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The Request-URI for calls to it.
    pub contact: Uri,
    /// The way its REGISTER came: the way back through NAT.
    pub flow: Flow,
    /// When it runs out.
    pub expires_at: Mono,
    /// Its preference in thousandths; 1000 when it named none.
    pub q: u16,
    /// What it calls itself.
    pub user_agent: Option<String>,
    instance: Option<String>,
    call_id: String,
    cseq: u32,
}

/// What a REGISTER did to one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new contact.
    Added(Uri),
    /// A contact that was there.
    Refreshed(Uri),
    /// A contact that is no more.
    Removed(Uri),
}

/// The answer to a REGISTER, and what it changed.
#[derive(Clone, Debug)]
pub struct Registered {
    /// For `Endpoint::respond`.
    pub reply: Reply,
    /// Empty when it was refused or only asked.
    pub changes: Vec<Change>,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    aors: BTreeMap<String, Vec<Binding>>,
}

/// One wish of a REGISTER.
struct Wish {
    address: NameAddr,
    expires_s: u32,
}

impl Bindings {
    /// An empty table.
    #[must_use]
    pub fn new() -> Bindings {
        Bindings::default()
    }

    /// Takes a REGISTER for `aor` that came over `flow`.
    pub fn register(
        &mut self,
        now: Now,
        aor: &str,
        request: &Request,
        flow: Flow,
        bounds: &Bounds,
    ) -> Registered {
        self.drop_expired(now.mono, aor);
        let refused = |reply| Registered { reply, changes: Vec::new() };
        let wishes = match wishes(request, bounds) {
            Ok(wishes) => wishes,
            Err(reply) => return refused(reply),
        };
        let before = self.aors.get(aor).map_or(&[][..], Vec::as_slice);
        if before.is_empty() && self.aors.len() >= AORS_MAX {
            return refused(Reply::new(503));
        }
        let (after, changes) = match wishes {
            None => match remove_all(before, request) {
                Ok(done) => done,
                Err(reply) => return refused(reply),
            },
            Some(wishes) => match apply(now, before, request, flow, &wishes) {
                Ok(done) => done,
                Err(reply) => return refused(reply),
            },
        };
        let reply = list(now, &after);
        if after.is_empty() {
            self.aors.remove(aor);
        } else {
            self.aors.insert(aor.to_owned(), after);
        }
        Registered { reply, changes }
    }

    /// The living contacts of an address of record: best preference first, then the newest.
    #[must_use]
    pub fn lookup(&self, now: Now, aor: &str) -> Vec<&Binding> {
        let all = self.aors.get(aor).map_or(&[][..], Vec::as_slice);
        let mut alive: Vec<&Binding> = all.iter().filter(|b| b.expires_at > now.mono).collect();
        alive.sort_by_key(|b| std::cmp::Reverse((b.q, b.expires_at)));
        alive
    }

    /// Puts a contact back that was kept over a restart.
    pub fn restore(&mut self, aor: &str, contact: Uri, flow: Flow, expires_at: Mono) {
        let contacts = self.aors.entry(aor.to_owned()).or_default();
        if contacts.len() < CONTACTS_MAX && !contacts.iter().any(|b| b.contact.same(&contact)) {
            let (call_id, cseq) = (String::new(), 0);
            contacts.push(Binding {
                contact,
                flow,
                expires_at,
                q: 1000,
                user_agent: None,
                instance: None,
                call_id,
                cseq,
            });
        }
    }

    /// Whether a request over this flow comes from a registered contact of `aor`.
    #[must_use]
    pub fn knows(&self, now: Now, aor: &str, flow: &Flow) -> bool {
        self.lookup(now, aor)
            .iter()
            .any(|b| b.flow.remote == flow.remote && b.flow.transport == flow.transport)
    }

    /// Takes out what has run out, and says what.
    pub fn expire(&mut self, now: Now) -> Vec<(String, Binding)> {
        self.take_out(|b| b.expires_at <= now.mono)
    }

    /// Takes out the contacts behind a stream that is gone: nobody can be called over it.
    pub fn flow_closed(&mut self, flow: Flow) -> Vec<(String, Binding)> {
        match flow.transport {
            Transport::Tcp => self.take_out(|b| b.flow == flow),
            Transport::Udp => Vec::new(),
        }
    }

    /// Takes out every contact of an address of record (an extension was deleted or its password changed).
    pub fn remove(&mut self, aor: &str) -> Vec<Binding> {
        self.aors.remove(aor).unwrap_or_default()
    }

    /// When the next contact runs out.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.aors.values().flatten().map(|b| b.expires_at).min()
    }

    fn take_out(&mut self, gone: impl Fn(&Binding) -> bool) -> Vec<(String, Binding)> {
        let mut taken = Vec::new();
        for (aor, bindings) in &mut self.aors {
            let (out, kept) = std::mem::take(bindings).into_iter().partition(&gone);
            *bindings = kept;
            taken.extend(<Vec<Binding>>::into_iter(out).map(|b| (aor.clone(), b)));
        }
        self.aors.retain(|_, bindings| !bindings.is_empty());
        taken
    }

    fn drop_expired(&mut self, now: Mono, aor: &str) {
        if let Some(bindings) = self.aors.get_mut(aor) {
            bindings.retain(|b| b.expires_at > now);
        }
    }
}

/// What the REGISTER wants; `None` inside is `Contact: *`.
fn wishes(request: &Request, bounds: &Bounds) -> Result<Option<Vec<Wish>>, Reply> {
    let values: Vec<&str> = request.headers().list(Name::Contact).collect();
    if values.contains(&"*") {
        let alone = values.len() == 1 && request.expires() == Some(0);
        return if alone { Ok(None) } else { Err(Reply::new(400)) };
    }
    let wishes = values.iter().map(|value| wish(value, request, bounds)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(wishes))
}

fn wish(value: &str, request: &Request, bounds: &Bounds) -> Result<Wish, Reply> {
    let address = NameAddr::read(value).map_err(|_| Reply::new(400))?;
    if !matches!(address.uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return Err(Reply::new(400));
    }
    // An `expires` that is no number counts as an hour (section 10.3 step 6, section 20.10).
    let own = address.param("expires").map(|v| v.and_then(seconds).unwrap_or(3_600));
    let asked = own.or_else(|| request.expires()).unwrap_or(bounds.expires_s_default);
    if asked > 0 && asked < bounds.expires_s_min {
        let min = bounds.expires_s_min.to_string();
        return Err(Reply::new(423).header(Name::MinExpires.as_str(), &min));
    }
    Ok(Wish { address, expires_s: asked.min(bounds.expires_s_max) })
}

type Applied = (Vec<Binding>, Vec<Change>);

/// Whether a REGISTER may touch this contact: within one Call-ID the CSeq must grow.
fn in_order(binding: &Binding, request: &Request) -> Result<(), Reply> {
    let late = binding.call_id == request.call_id() && request.cseq().number <= binding.cseq;
    if late { Err(Reply::new(500)) } else { Ok(()) }
}

fn remove_all(before: &[Binding], request: &Request) -> Result<Applied, Reply> {
    before.iter().try_for_each(|b| in_order(b, request))?;
    Ok((Vec::new(), before.iter().map(|b| Change::Removed(b.contact.clone())).collect()))
}

fn apply(
    now: Now,
    before: &[Binding],
    request: &Request,
    flow: Flow,
    wishes: &[Wish],
) -> Result<Applied, Reply> {
    let (mut after, mut changes) = (before.to_vec(), Vec::new());
    for wish in wishes {
        let contact = wish.address.uri.clone();
        let instance = instance(&wish.address);
        let found = after
            .iter()
            .position(|b| b.contact.same(&contact) || instance.is_some() && b.instance == instance);
        if let Some(at) = found {
            in_order(&after[at], request)?;
            after.remove(at);
        }
        if wish.expires_s == 0 {
            changes.extend(found.map(|_| Change::Removed(contact)));
            continue;
        }
        let change = if found.is_some() { Change::Refreshed } else { Change::Added };
        changes.push(change(contact.clone()));
        after.push(Binding {
            contact,
            flow,
            expires_at: now.mono + Duration::from_secs(u64::from(wish.expires_s)),
            q: preference(&wish.address),
            user_agent: request.headers().first(Name::UserAgent).map(str::to_owned),
            instance,
            call_id: request.call_id().to_owned(),
            cseq: request.cseq().number,
        });
    }
    if after.len() > CONTACTS_MAX {
        return Err(Reply { reason: Some("Too many contacts for this user".to_owned()), ..Reply::new(403) });
    }
    Ok((after, changes))
}

/// The device behind a contact (RFC 5626): the same device with a new address replaces its old contact.
fn instance(address: &NameAddr) -> Option<String> {
    let value = address.param("+sip.instance").flatten()?;
    let line = address.param("reg-id").flatten().unwrap_or_default();
    Some(format!("{value};{line}"))
}

/// `q=0.7` as 700.
fn preference(address: &NameAddr) -> u16 {
    let read = |q: &str| -> Option<u16> {
        let (whole, part) = q.split_once('.').unwrap_or((q, ""));
        let part = format!("{part:0<3}");
        let thousandths = part.get(..3)?.parse::<u16>().ok()?;
        Some((whole.parse::<u16>().ok()?.checked_mul(1000)?.checked_add(thousandths)?).min(1000))
    };
    address.param("q").flatten().and_then(read).unwrap_or(1000)
}

/// 200 with every contact and the seconds it has left.
fn list(now: Now, bindings: &[Binding]) -> Reply {
    bindings.iter().fold(Reply::new(200), |reply, b| {
        let left = b.expires_at.since(now.mono).as_secs();
        reply.header(Name::Contact.as_str(), &format!("<{}>;expires={left}", b.contact))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    const AOR: &str = "101";

    fn flow() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap())
    }

    fn request(call_id: &str, cseq: u32, lines: &str) -> Request {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:101@h>;tag=1\r\nTo: <sip:101@h>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n{lines}\r\n"
        );
        match Message::read(text.as_bytes()).unwrap() {
            Message::Request(r) => r,
            Message::Response(_) => panic!("a request"),
        }
    }

    fn at(seconds: u64) -> Now {
        Now { mono: Mono(seconds * 1_000_000), ..Now::default() }
    }

    struct Table(Bindings);

    impl Table {
        fn say(&mut self, seconds: u64, call_id: &str, cseq: u32, lines: &str) -> Registered {
            self.0.register(at(seconds), AOR, &request(call_id, cseq, lines), flow(), &Bounds::default())
        }
        fn contacts(&self, seconds: u64) -> Vec<String> {
            self.0.lookup(at(seconds), AOR).iter().map(|b| b.contact.to_string()).collect()
        }
    }

    #[test]
    fn several_contacts_by_preference_and_until_they_run_out() {
        let mut t = Table(Bindings::new());
        let done = t.say(0, "a", 1, "Contact: <sip:1@x>;q=0.3;expires=100, <sip:2@y>\r\nExpires: 200\r\n");
        assert_eq!(done.changes.len(), 2);
        let lines: Vec<_> = done.reply.headers.iter().map(|(_, v)| v.as_str()).collect();
        assert_eq!(lines, ["<sip:1@x>;expires=100", "<sip:2@y>;expires=200"]);
        assert_eq!(t.contacts(1), ["sip:2@y", "sip:1@x"]);
        assert_eq!(t.contacts(101), ["sip:2@y"]);
        assert_eq!(t.0.deadline(), Some(at(100).mono));
        assert_eq!(t.0.expire(at(150)).len(), 1);
        assert_eq!(t.0.expire(at(250)).len(), 1);
        assert_eq!(t.0.deadline(), None);
    }

    #[test]
    fn refresh_replace_and_remove() {
        let mut t = Table(Bindings::new());
        t.say(0, "a", 1, "Contact: <sip:1@x>\r\n");
        assert_eq!(
            t.say(1, "a", 2, "Contact: <sip:1@X>\r\n").changes,
            [Change::Refreshed(Uri::read("sip:1@X").unwrap())]
        );
        assert_eq!(t.say(2, "a", 3, "Contact: <sip:1@x>;expires=0\r\n").changes.len(), 1);
        assert!(t.contacts(2).is_empty());
        t.say(3, "b", 1, "m: <sip:1@x>;+sip.instance=\"<urn:1>\"\r\n");
        t.say(4, "c", 1, "m: <sip:1@new>;+sip.instance=\"<urn:1>\"\r\n");
        assert_eq!(t.contacts(4), ["sip:1@new"], "the same device moved");
    }

    #[test]
    fn a_star_removes_all_and_only_with_expires_0() {
        let mut t = Table(Bindings::new());
        t.say(0, "a", 1, "Contact: <sip:1@x>, <sip:2@y>\r\n");
        assert_eq!(t.say(1, "a", 2, "Contact: *\r\nExpires: 3600\r\n").reply.code, 400);
        assert_eq!(t.say(1, "a", 2, "Contact: *\r\n").reply.code, 400);
        assert_eq!(t.say(1, "a", 2, "Contact: *, <sip:1@x>\r\nExpires: 0\r\n").reply.code, 400);
        assert_eq!(t.contacts(1).len(), 2);
        let done = t.say(1, "a", 2, "Contact: *\r\nExpires: 0\r\n");
        assert_eq!((done.reply.code, done.changes.len(), t.contacts(1).len()), (200, 2, 0));
    }

    #[test]
    fn order_within_a_call_id() {
        let mut t = Table(Bindings::new());
        t.say(0, "a", 5, "Contact: <sip:1@x>\r\n");
        assert_eq!(t.say(1, "a", 5, "Contact: <sip:1@x>;expires=0\r\n").reply.code, 500);
        assert_eq!(t.say(1, "a", 4, "Contact: *\r\nExpires: 0\r\n").reply.code, 500);
        assert_eq!(
            t.say(1, "b", 1, "Contact: <sip:1@x>\r\n").reply.code,
            200,
            "a rebooted phone starts anew"
        );
    }

    #[test]
    fn bounds_are_said() {
        let mut t = Table(Bindings::new());
        let brief = t.say(0, "a", 1, "Contact: <sip:1@x>;expires=5, <sip:2@x>\r\n");
        assert_eq!(
            (brief.reply.code, brief.reply.headers[0].1.as_str(), t.contacts(0).len()),
            (423, "60", 0),
            "whole or not at all"
        );
        let long = t.say(0, "a", 2, "Contact: <sip:1@x>;expires=280297596632815\r\n");
        assert_eq!(long.reply.headers[0].1, "<sip:1@x>;expires=3600");
        let many: String = (0..=CONTACTS_MAX).map(|n| format!("Contact: <sip:{n}@z>\r\n")).collect();
        assert_eq!(t.say(0, "b", 1, &many).reply.code, 403);
        assert_eq!(t.say(0, "b", 1, "Contact: <mailto:x@y>\r\n").reply.code, 400);
    }

    #[test]
    fn a_question_changes_nothing() {
        let mut t = Table(Bindings::new());
        t.say(0, "a", 1, "Contact: <sip:1@x>\r\n");
        let asked = t.say(10, "z", 1, "");
        assert_eq!((asked.changes.len(), asked.reply.headers[0].1.as_str()), (0, "<sip:1@x>;expires=3590"));
    }

    #[test]
    fn contacts_behind_a_lost_stream_go() {
        let mut t = Table(Bindings::new());
        let tcp = Flow { transport: Transport::Tcp, connection: 3, ..flow() };
        t.0.register(at(0), AOR, &request("a", 1, "Contact: <sip:1@x>\r\n"), tcp, &Bounds::default());
        assert!(t.0.knows(at(0), AOR, &tcp));
        assert!(t.0.flow_closed(Flow { connection: 4, ..tcp }).is_empty());
        assert_eq!(t.0.flow_closed(tcp).len(), 1);
        t.0.restore(AOR, Uri::read("sip:1@x").unwrap(), flow(), at(50).mono);
        assert_eq!(t.contacts(1).len(), 1);
        assert_eq!(t.0.remove(AOR).len(), 1);
    }

    #[test]
    fn preferences() {
        let q = |text: &str| preference(&NameAddr::read(&format!("<sip:a@b>;q={text}")).unwrap());
        assert_eq!(["0", "0.25", "1.0", "7", ".5", "x"].map(q), [0, 250, 1000, 1000, 1000, 1000]);
    }
}
