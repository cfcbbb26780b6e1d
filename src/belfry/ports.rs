//! What the web asks of the rest of the box, answered by the store, the engine's queue and the mirror. Translates, decides
//! nothing.
use crate::clock::Clock;
use crate::intake::Events;
use crate::mirror::Mirror;
use crate::replies::Replies;
use engine::event::Event;
use model::clock::{Now, Wall};
use model::command::{Actor, Command, Reply};
use model::contact::{Contact, ContactChange, ContactQuery, ContactRefusal};
use model::id::{CallId, ContactId, Generation, MessageId, RecordingId};
use model::number::Number;
use model::query::{
    GenerationRow, HistoryQuery, Journey, NoteRow, Page, RecordingRow, SessionRow, Status, TokenRow, UserRow,
};
use model::record::{AgentSpell, BanRecord, CallRecord, MessageRecord};
use model::refusal::Refusal;
use model::report::StepRow;
use model::saving::Hold;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;
use web::ports::{Fault, Later, Stored};

/// How long the engine may take to answer a command; it includes the disk, where the command keeps something.
const ANSWER: Duration = Duration::from_secs(5);

/// Contacts in one event of the engine: some hundred microseconds of its thread.
pub const CONTACTS_AT_ONCE: usize = 500;

/// The disk.
pub struct Storage(Arc<Store>, Mutex<Events>);

impl Storage {
    /// What changes a contact on the disk changes it in the engine's table too, in the same order.
    #[must_use]
    pub fn new(store: Arc<Store>, events: Events) -> Storage {
        Storage(store, Mutex::new(events))
    }

    fn contacts<T>(
        &self,
        change: impl FnOnce(&Store) -> Result<T, store::Fault>,
        told: impl FnOnce(&T) -> Vec<ContactChange>,
    ) -> Stored<T> {
        let events = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let done = change(&self.0).map_err(fault)?;
        let mut changes = told(&done).into_iter().peekable();
        while changes.peek().is_some() {
            events.push(Event::Contacts(changes.by_ref().take(CONTACTS_AT_ONCE).collect()));
        }
        Ok(done)
    }
}

fn put(contact: &Contact) -> ContactChange {
    ContactChange::Put(Box::new(contact.clone()))
}

pub(crate) fn fault(error: store::Fault) -> Fault {
    let text = error.to_string();
    if error.is_of_the_disk() { Fault::Disk(text) } else { Fault::Inside(text) }
}

impl web::ports::Storage for Storage {
    fn users(&self) -> Stored<Vec<UserRow>> {
        self.0.reader().users().map_err(fault)
    }
    fn user(&self, name: &str) -> Stored<Option<UserRow>> {
        self.0.reader().user(name).map_err(fault)
    }
    fn user_put(&self, user: UserRow) -> Stored<()> {
        self.0.user_put(user).map_err(fault)
    }
    fn user_delete(&self, name: &str) -> Stored<bool> {
        self.0.sessions_delete_of(name).map_err(fault)?;
        self.0.user_delete(name).map_err(fault)
    }
    fn tokens(&self) -> Stored<Vec<TokenRow>> {
        self.0.reader().tokens().map_err(fault)
    }
    fn token_by_hash(&self, hash: &str) -> Stored<Option<TokenRow>> {
        self.0.reader().token_by_hash(hash).map_err(fault)
    }
    fn token_put(&self, token: TokenRow) -> Stored<()> {
        self.0.token_put(token).map_err(fault)
    }
    fn token_delete(&self, name: &str) -> Stored<bool> {
        self.0.token_delete(name).map_err(fault)
    }
    fn sessions(&self) -> Stored<Vec<SessionRow>> {
        self.0.reader().sessions().map_err(fault)
    }
    fn session_put(&self, session: SessionRow) -> Stored<()> {
        self.0.session_put(session).map_err(fault)
    }
    fn session_delete(&self, cookie_hash: &str) -> Stored<()> {
        self.0.session_delete(cookie_hash).map_err(fault)
    }
    fn begun(&self, since: Wall) -> Stored<Vec<String>> {
        self.0.reader().begun(since).map_err(fault)
    }
    fn begun_put(&self, key: &str, at: Wall, since: Wall) -> Stored<()> {
        self.0.begun_put(key, at, since).map_err(fault)
    }
    fn begun_delete(&self, key: &str) -> Stored<()> {
        self.0.begun_delete(key).map_err(fault)
    }
    fn history(&self, query: &HistoryQuery) -> Stored<Page<CallRecord>> {
        self.0.reader().history(query).map_err(fault)
    }
    fn journey(&self, call: CallId) -> Stored<Option<Journey>> {
        self.0.reader().journey(call).map_err(fault)
    }
    fn recording(&self, recording: RecordingId) -> Stored<Option<RecordingRow>> {
        self.0.reader().recording(recording).map_err(fault)
    }
    fn recording_hold(&self, recording: RecordingId, hold: Option<Hold>) -> Stored<bool> {
        self.0.hold(recording, hold).map_err(fault)
    }
    fn messages(&self, mailbox: Option<&str>) -> Stored<Vec<MessageRecord>> {
        self.0.reader().messages(mailbox).map_err(fault)
    }
    fn message(&self, message: MessageId) -> Stored<Option<MessageRecord>> {
        self.0.reader().message(message).map_err(fault)
    }
    fn notes(&self, before: Option<u64>, limit: u32) -> Stored<Page<NoteRow>> {
        self.0.reader().notes(before, limit).map_err(fault)
    }
    fn bans(&self, at: Wall) -> Stored<Vec<BanRecord>> {
        self.0.reader().bans(at).map_err(fault)
    }
    fn generations(&self, before: Option<Generation>, limit: u32) -> Stored<Page<GenerationRow>> {
        self.0.reader().generations(before, limit).map_err(fault)
    }
    fn queue_steps(&self, from: Wall, to: Wall) -> Stored<Option<Vec<StepRow>>> {
        self.0.reader().queue_steps(from, to).map_err(fault)
    }
    fn agent_spells(&self, from: Wall, to: Wall) -> Stored<Option<Vec<AgentSpell>>> {
        self.0.reader().agent_spells(from, to).map_err(fault)
    }
    fn calls_of(&self, numbers: &[Number], limit: u32) -> Stored<Vec<CallRecord>> {
        self.0.reader().calls_of(numbers, limit).map_err(fault)
    }
    fn contacts(&self, query: &ContactQuery) -> Stored<Page<Contact>> {
        self.0.reader().contacts(query).map_err(fault)
    }
    fn contact(&self, contact: ContactId) -> Stored<Option<Contact>> {
        self.0.reader().contact(contact).map_err(fault)
    }
    fn contact_of(&self, number: &Number) -> Stored<Option<Contact>> {
        self.0.reader().contact_of(number).map_err(fault)
    }
    fn contact_put(&self, contact: Contact) -> Stored<Result<Contact, ContactRefusal>> {
        Storage::contacts(self, |s| s.contact_put(contact), |done| done.iter().map(put).collect())
    }
    fn contact_delete(&self, contact: ContactId) -> Stored<bool> {
        let gone = |_: &bool| vec![ContactChange::Gone(contact)];
        Storage::contacts(self, |s| s.contact_delete(contact), gone)
    }
    fn contacts_take(&self, contacts: Vec<Contact>) -> Stored<Vec<Result<Contact, ContactRefusal>>> {
        let told = |all: &Vec<Result<Contact, ContactRefusal>>| all.iter().flatten().map(put).collect();
        Storage::contacts(self, |s| s.contacts_take(contacts), told)
    }
}

/// The engine.
pub struct Engine {
    /// Its queue.
    pub events: Events,
    /// Its answers.
    pub replies: Arc<Replies>,
}

impl web::ports::Engine for Engine {
    fn command(&self, by: Actor, command: Command) -> Later<Reply> {
        let Some((ticket, answer)) = self.replies.expect() else {
            return Box::pin(async { Err(Refusal::Overloaded) });
        };
        let offered = self.events.offer(Event::Command { ticket, by, command });
        Box::pin(async move {
            if !offered {
                return Err(Refusal::Overloaded);
            }
            match tokio::time::timeout(ANSWER, answer).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(_)) | Err(_) => Err(Refusal::Overloaded),
            }
        })
    }
}

/// The box as a whole.
pub struct Machine {
    /// Both clocks.
    pub clock: Clock,
    /// What is going on.
    pub mirror: Arc<Mirror>,
    /// Where the configuration in force is.
    pub store: Arc<Store>,
    /// SIP address in use.
    pub sip: SocketAddr,
    /// HTTPS address in use.
    pub https: SocketAddr,
    /// Media's process id; 0 while it is down.
    pub media_pid: Arc<AtomicU32>,
    /// When the supervisor started.
    pub started: Wall,
}

impl web::ports::Machine for Machine {
    fn status(&self) -> Status {
        let media = self.media_pid.load(Ordering::Relaxed);
        let up_ms = self.clock.now().wall.millis_since(self.started);
        let trunks = self.mirror.ask(|state| state.trunks.values().cloned().collect());
        let disk_free_bytes = disk_free(self.store.dir());
        let addresses = own_addresses();
        self.mirror.ask(|state| Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: u64::try_from(up_ms / 1000).unwrap_or(0),
            supervisor_pid: std::os::unix::process::parent_id(),
            control_pid: std::process::id(),
            media_pid: (media != 0).then_some(media),
            generation: state.generation,
            calls: u32::try_from(state.calls.len()).unwrap_or(u32::MAX),
            call_limit: state.call_limit,
            trunks,
            phones_registered: u32::try_from(state.registered.len()).unwrap_or(u32::MAX),
            phones_configured: u32::try_from(state.phones.len()).unwrap_or(u32::MAX),
            sip: self.sip.to_string(),
            https: self.https.to_string(),
            addresses,
            disk_free_bytes,
            setup_needed: false,
            alarms: Vec::new(),
        })
    }

    fn test_alarm(&self) -> Stored<usize> {
        crate::health::test(&self.store).map_err(fault)
    }

    fn now(&self) -> Now {
        self.clock.now()
    }
}

/// Addresses of the network interfaces, loopback and link-local left out; at most 16.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let addresses = interfaces.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
    });
    let mut found: Vec<IpAddr> = addresses.filter(reachable).take(16).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn reachable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !link_local
}

fn disk_free(folder: &std::path::Path) -> u64 {
    nix::sys::statvfs::statvfs(folder).map_or(0, |v| v.blocks_available().saturating_mul(v.fragment_size()))
}
