//! The control role: store, engine, SIP sockets, web and mail put together; started in the order in which one needs the
//! other, stopped in the reverse. Decides nothing about calls.
use crate::application::Applications;
use crate::args::{Role, RunOptions};
use crate::asker::Asker;
use crate::browser_phones::{self, Phones};
use crate::capture::{Capture, Desk};
use crate::clock::{self, Clock};
use crate::disk_watch::DiskWatch;
use crate::door::Door;
use crate::engine_loop::{EngineLoop, Hands};
use crate::health::Health;
use crate::health::reports::Reports;
use crate::health::watch::Watch;
use crate::hopper::{HopperLoop, Hoppers};
use crate::intake::{self, Events, Intake};
use crate::keeper::Keeper;
use crate::lan::{self, Lan};
use crate::lifecycle::{self, BadInput};
use crate::memory::{self, Tidy};
use crate::mirror::Mirror;
use crate::panel::Panel;
use crate::replies::Replies;
use crate::retention::Guard;
use crate::role::{self, Bond, Order, Report};
use crate::studio::Studio;
use crate::update::Updates;
use crate::{mailer, ports, site, wire};
use engine::event::{Boot, Event};
use model::clock::Wall;
use model::command::{Actor, Command};
use model::contact::{Contact, ContactChange};
use model::id::Ticket;
use model::media::MediaEvent;
use model::record::{NoteRecord, Record};
use net::link::{LinkEvent, MediaLink};
use net::resolve::{self, Resolver};
use net::sip_stream::{self, Arrival, SipListener, SipStreams};
use net::sip_udp::SipUdp;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use store::{BootState, Options, Store};
use tokio::sync::watch;
use web::app::{App, Settings};
use web::live::hub::Inbox;
use web::ports::Saving as _;

/// Environment variable by which the supervisor tells when it started, in ms since 1970.
pub const STARTED: &str = "BELFRY_STARTED_MS";
/// How long phones get for their last good-byes after the calls were ended.
const GOOD_BYE: Duration = Duration::from_secs(1);
/// How often it is looked whether the role has to start again.
const LOOK: Duration = Duration::from_millis(300);
/// Workers of the web's runtime: the box has two cores, and calls come first.
const WEB_WORKERS: usize = 2;
/// Blocking threads of the web: questions to the store.
const WEB_BLOCKING: usize = 16;

/// Runs the role until its supervisor stops it.
#[must_use]
pub fn run(options: &RunOptions) -> ExitCode {
    memory::few_arenas();
    match Control::start(options) {
        Ok((control, orders)) => control.obey(&orders),
        Err(error) => lifecycle::give_up(Role::Control, &error),
    }
}

struct Control {
    store: Arc<Store>,
    events: Events,
    replies: Arc<Replies>,
    mirror: Arc<Mirror>,
    door: Arc<Door>,
    media_pid: Arc<AtomicU32>,
    disk: Arc<DiskWatch>,
    watch: Arc<Watch>,
    reports: Arc<Reports>,
    lan: Arc<Lan>,
    /// An update is being written: the lamps show it.
    updating: Arc<AtomicBool>,
    /// Copies of SIP messages, while a technician wants them.
    capture: Arc<Capture>,
    /// How many alarms are on.
    alarms: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    web_stop: watch::Sender<bool>,
    /// Raised when this role has to end in order and to be started again: a restore or a factory reset waits for it.
    again: Arc<AtomicBool>,
}

impl Control {
    fn start(options: &RunOptions) -> anyhow::Result<(Control, Receiver<Order>)> {
        let (bond, orders) = Bond::tie()?;
        let clock = Clock::start();
        let (events, intake) = intake::open()?;
        let (store, mut boot) = open_store(options, &bond, &events)?;
        let (generation, config) = match boot.config.take() {
            Some(current) => current,
            None => {
                let done = site::first(&store, options.site.as_deref())?;
                (done.generation, done.config)
            }
        };
        let (udp, streams, listener) = open_sip(options.sip)?;
        lan::mark(&config.network, &udp);
        let sip = udp.local();
        let https = listen("--https", options.https)?;
        let http = listen("--http", options.http)?;
        let (https_address, http_address) = (https.local_addr()?, http.local_addr()?);
        let control = Control {
            store: store.clone(),
            events: events.clone(),
            replies: Arc::default(),
            mirror: Arc::default(),
            door: Arc::default(),
            media_pid: Arc::default(),
            disk: Arc::default(),
            watch: Arc::default(),
            reports: Arc::default(),
            lan: Arc::new(Lan::new(board::steward::client::Steward::at(&options.steward))),
            updating: Arc::default(),
            capture: Arc::default(),
            alarms: Arc::default(),
            stop: Arc::default(),
            web_stop: watch::channel(false).0,
            again: Arc::default(),
        };
        let machine = ports::Machine {
            clock,
            mirror: control.mirror.clone(),
            store: store.clone(),
            sip,
            https: https_address,
            media_pid: control.media_pid.clone(),
            started: started(),
        };
        let keeper = control.keeper(options);
        let updates = control.updates(options)?;
        let stopped = control.web_stop.subscribe();
        let phones = browser_phones::start(options, &bond, sip, clock, store.clone(), stopped)?;
        let app = control.web_app(machine, keeper.clone(), updates.clone(), phones, options)?;
        say_where(&bond, &app, https_address);
        let setup = app.clone();
        let ready = Report::Ready { sip: Some(sip), http: Some(http_address), https: Some(https_address) };
        let inbox = app.inbox();
        let (hoppers, entries) = Hoppers::new(store.clone());
        let (resolver, names) = Resolver::new(wire::NAMES.length, resolve::system());
        let hands = Hands {
            udp: udp.clone(),
            streams,
            media: link(options, &bond, &events, &control.disk, ready)?,
            store: store.clone(),
            resolver,
            asker: Asker::new(
                &options.data,
                store.clone(),
                events.clone(),
                Applications::start(events.clone())?,
            ),
            hoppers,
            replies: control.replies.clone(),
            inbox: inbox.clone(),
            mirror: control.mirror.clone(),
            door: control.door.clone(),
            capture: control.capture.clone(),
        };
        let own = net::bind::own_address(sip.ip());
        tell_contacts(&events, std::mem::take(&mut boot.contacts));
        note_start(&boot, &control.reports);
        note_newer(&store, boot.newer.as_ref());
        let boot = Boot {
            config,
            generation,
            seed: lifecycle::seed()?,
            epoch: boot.epoch,
            sip: SocketAddr::new(own, sip.port()),
            media: options.media_address.unwrap_or(own),
            next_call: boot.next_call,
            next_recording: boot.next_recording,
            next_message: boot.next_message,
            messages: boot.messages,
            greetings: boot.greetings,
            agents: boot.agents,
            bonds: boot.bonds,
            bindings: boot.bindings,
            bans: boot.bans,
            wrong_pins: boot.wrong_pins,
            seats: boot.seats,
            campaigns: boot.campaigns,
            past: boot.past,
            budgets: boot.budgets,
            started: clock::wall(),
        };
        control.start_engine(clock, boot, hands, intake, &bond)?;
        control.start_names(names, &bond)?;
        control.start_hoppers(entries, &bond)?;
        control.start_sip_streams(listener, &bond)?;
        control.start_web(app, https, http, options, &bond)?;
        control.start_mail()?;
        control.start_updates(updates, inbox.clone())?;
        control.start_disk_watch(inbox.clone())?;
        control.start_panel(keeper.clone(), move || setup.setup_needed())?;
        control.start_keeping(keeper)?;
        control.start_health(clock, inbox, options)?;
        control.start_lan(&udp, clock)?;
        Ok((control, orders))
    }

    fn updates(&self, options: &RunOptions) -> anyhow::Result<Arc<Updates>> {
        std::fs::create_dir_all(options.data.join("update"))?;
        Ok(Arc::new(Updates {
            steward: board::steward::client::Steward::at(&options.steward),
            data: options.data.clone(),
            store: self.store.clone(),
            inbox: OnceLock::new(),
            mirror: self.mirror.clone(),
            events: self.events.clone(),
            replies: self.replies.clone(),
            reports: self.reports.clone(),
            writing: self.updating.clone(),
            state: Mutex::default(),
        }))
    }

    /// Without a pulse: it waits for the steward, and no call needs it.
    fn start_updates(&self, updates: Arc<Updates>, inbox: Inbox) -> anyhow::Result<()> {
        let stop = self.stop.clone();
        // Set once: this is the only place.
        let _ = updates.inbox.set(inbox);
        role::spawn("update", move || updates.run(&stop))?;
        Ok(())
    }

    fn web_app(
        &self,
        machine: ports::Machine,
        keeper: Arc<Keeper>,
        updates: Arc<Updates>,
        phones: Arc<Phones>,
        options: &RunOptions,
    ) -> anyhow::Result<App> {
        let ports = web::ports::Ports {
            storage: Arc::new(ports::Storage::new(self.store.clone(), self.events.clone())),
            site: Arc::new(site::Site {
                store: self.store.clone(),
                events: self.events.clone(),
                replies: self.replies.clone(),
            }),
            engine: Arc::new(ports::Engine { events: self.events.clone(), replies: self.replies.clone() }),
            machine: Arc::new(machine),
            saving: keeper,
            flows: Arc::new(Studio::new(&options.data, self.store.clone())),
            lan: self.lan.clone(),
            capture: Arc::new(Desk { capture: self.capture.clone(), store: self.store.clone() }),
            updates,
            lists: Arc::new(crate::lists::Lists::new(self.store.clone())),
            phones,
        };
        let settings = Settings { data: options.data.clone(), setup_code: options.data.join("setup-code") };
        Ok(App::start(ports, settings)?)
    }

    fn start_engine(
        &self,
        clock: Clock,
        boot: Boot,
        hands: Hands,
        intake: Intake,
        bond: &Bond,
    ) -> anyhow::Result<()> {
        let (beat, stop) = (bond.beat("engine"), self.stop.clone());
        let looping = EngineLoop::new(clock, boot, hands);
        role::spawn("engine", move || looping.run(intake, &beat, &stop))?;
        Ok(())
    }

    fn start_names(&self, names: net::resolve::ResolverLoop, bond: &Bond) -> anyhow::Result<()> {
        let (beat, events) = (bond.beat("names"), self.events.clone());
        role::spawn("names", move || {
            names.run(&beat, |id, addresses| events.push(Event::Resolved { ticket: Ticket(id), addresses }));
        })?;
        Ok(())
    }

    fn start_hoppers(&self, entries: HopperLoop, bond: &Bond) -> anyhow::Result<()> {
        let (beat, events) = (bond.beat("lists"), self.events.clone());
        role::spawn("lists", move || {
            entries.run(&beat, |campaign, entries| events.push(Event::Entries { campaign, entries }));
        })?;
        Ok(())
    }

    fn start_sip_streams(&self, listener: SipListener, bond: &Bond) -> anyhow::Result<()> {
        let (beat, stop) = (bond.beat("sip-tcp"), self.stop.clone());
        let (events, door) = (self.events.clone(), self.door.clone());
        role::spawn("sip-tcp", move || {
            let served = listener.serve(beat, &stop, move |arrival| hand_on(&events, &door, arrival));
            if let Err(error) = served {
                tracing::error!(%error, "SIP over TCP ended");
            }
        })?;
        Ok(())
    }

    fn start_web(
        &self,
        app: App,
        https: TcpListener,
        http: TcpListener,
        options: &RunOptions,
        bond: &Bond,
    ) -> anyhow::Result<()> {
        let socket = lifecycle::control_socket(&options.data);
        let local = local_socket(&socket)?;
        let tls = web::tls::load_or_make(&identity(&options.data)?)?;
        let (beat, stop) = (bond.beat("web"), self.web_stop.subscribe());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WEB_WORKERS)
            .max_blocking_threads(WEB_BLOCKING)
            .thread_name("web")
            .enable_all()
            .build()?;
        role::spawn("web-main", move || {
            let served = runtime.block_on(async move {
                let listen = web::server::Listen {
                    https: (tokio::net::TcpListener::from_std(https)?, tls),
                    http: Some(tokio::net::TcpListener::from_std(http)?),
                    local: tokio::net::UnixListener::from_std(local)?,
                    beat,
                };
                web::server::serve(app, listen, stop).await;
                Ok::<(), std::io::Error>(())
            });
            if let Err(error) = served {
                tracing::error!(%error, "the web cannot be served");
            }
        })?;
        Ok(())
    }

    /// Without a pulse: a mail server may hold it for minutes, and no call needs it.
    fn start_mail(&self) -> anyhow::Result<()> {
        let (store, stop) = (self.store.clone(), self.stop.clone());
        role::spawn("mail", move || mailer::run(&store, &stop))?;
        Ok(())
    }

    /// Without a pulse: it waits for the disk, which has its own.
    fn start_disk_watch(&self, inbox: Inbox) -> anyhow::Result<()> {
        let (disk, store, stop) = (self.disk.clone(), self.store.clone(), self.stop.clone());
        role::spawn("disk-watch", move || disk.run(&store, &inbox, &stop))?;
        Ok(())
    }

    fn start_health(&self, clock: Clock, inbox: Inbox, options: &RunOptions) -> anyhow::Result<()> {
        let health = Health {
            clock,
            store: self.store.clone(),
            mirror: self.mirror.clone(),
            inbox,
            watch: self.watch.clone(),
            reports: self.reports.clone(),
            alarms: self.alarms.clone(),
            certificate: certificate(&options.data),
            steward: board::steward::client::Steward::at(&options.steward),
            stop: self.stop.clone(),
        };
        health.start()
    }

    /// Without a pulse: it waits for the button.
    fn start_panel(
        &self,
        keeper: Arc<Keeper>,
        setup_needed: impl Fn() -> bool + Send + 'static,
    ) -> anyhow::Result<()> {
        let board = board::description::Board::load()?;
        let panel = Panel {
            mirror: self.mirror.clone(),
            alarms: self.alarms.clone(),
            updating: self.updating.clone(),
            setup_needed: Box::new(setup_needed),
            reset: Box::new(move || {
                if let Err(error) = keeper.reset("the button") {
                    tracing::error!(?error, "the factory reset of the button was refused");
                }
            }),
            stop: self.stop.clone(),
        };
        role::spawn("panel", move || panel.run(&board))?;
        Ok(())
    }

    fn keeper(&self, options: &RunOptions) -> Arc<Keeper> {
        let reports = self.reports.clone();
        let alarm = Box::new(move |why: Option<&str>| reports.set("backup", "", why.map(str::to_owned)));
        let steward = board::steward::client::Steward::at(&options.steward);
        Arc::new(Keeper::new(self.store.clone(), steward, self.again.clone(), alarm))
    }

    /// Without a pulse: both wait for disks and servers, and no call needs them.
    fn start_keeping(&self, keeper: Arc<Keeper>) -> anyhow::Result<()> {
        let stop = self.stop.clone();
        role::spawn("backup", move || keeper.run(&stop))?;
        let reports = self.reports.clone();
        let alarm = Box::new(move |why: Option<&str>| reports.set("disk_guard", "", why.map(str::to_owned)));
        let guard = Guard::new(self.store.clone(), self.events.clone(), alarm);
        let stop = self.stop.clone();
        role::spawn("retention", move || guard.run(&stop))?;
        Ok(())
    }

    /// Without a pulse: it waits for the steward, and no call needs it.
    fn start_lan(&self, udp: &SipUdp, clock: Clock) -> anyhow::Result<()> {
        let (lan, store, events, udp) =
            (self.lan.clone(), self.store.clone(), self.events.clone(), udp.clone());
        let (watch, stop) = (lan::Watch { lan, store, events, udp, clock }, self.stop.clone());
        role::spawn("lan", move || watch.run(&stop))?;
        Ok(())
    }

    fn obey(&self, orders: &Receiver<Order>) -> ExitCode {
        let mut tidy = Tidy::default();
        loop {
            tidy.when_due();
            match orders.recv_timeout(LOOK) {
                Ok(Order::Peer { pid }) => self.media_pid.store(pid.unwrap_or(0), Ordering::Relaxed),
                Ok(Order::Watch(known)) => self.watch.take(known),
                Ok(Order::Stop { drain_s }) => {
                    self.wind_up(Duration::from_secs(drain_s));
                    return ExitCode::SUCCESS;
                }
                Err(RecvTimeoutError::Timeout) if self.again.load(Ordering::Relaxed) => {
                    // Whoever asked for it hears the answer first.
                    std::thread::sleep(LOOK);
                    self.wind_up(Duration::ZERO);
                    return ExitCode::from(role::EXIT_AGAIN);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return ExitCode::SUCCESS,
            }
        }
    }

    /// Refuses new calls, waits for the others as long as told, ends the rest, writes everything.
    fn wind_up(&self, drain: Duration) {
        self.ask(Command::Drain);
        self.wait_for_silence(drain);
        for call in self.mirror.state().calls {
            self.ask(Command::HangUp { call });
        }
        self.wait_for_silence(GOOD_BYE);
        if let Err(error) = self.store.flush() {
            tracing::error!(%error, "the last records could not be written");
        }
        // Nobody is waiting when every page is closed.
        let _ = self.web_stop.send(true);
        self.stop.store(true, Ordering::Relaxed);
        self.store.close();
    }

    fn ask(&self, command: Command) {
        // The ticket is nobody's: the answer is not waited for.
        let by = Actor { name: "supervisor".into() };
        self.events.offer(Event::Command { ticket: Ticket(0), by, command });
    }

    fn wait_for_silence(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while Instant::now() < until && !self.mirror.is_silent() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn open_store(options: &RunOptions, bond: &Bond, events: &Events) -> anyhow::Result<(Arc<Store>, BootState)> {
    let events = events.clone();
    let (store, boot) = Store::open(Options {
        dir: options.data.clone(),
        beat: bond.beat("store"),
        on_stored: Box::new(move |tickets| events.push(Event::Stored { tickets })),
    })
    .map_err(|fault| BadInput(fault.to_string()))?;
    Ok((Arc::new(store), boot))
}

fn open_sip(address: SocketAddr) -> anyhow::Result<(SipUdp, SipStreams, SipListener)> {
    let taken = |what: &str, address: SocketAddr, error: std::io::Error| {
        anyhow::anyhow!("SIP over {what} cannot use {address}: {error}; give another address with --sip")
    };
    let udp = SipUdp::open(address).map_err(|error| taken("UDP", address, error))?;
    let address = udp.local();
    let (streams, listener) = sip_stream::open(address).map_err(|error| taken("TCP", address, error))?;
    Ok((udp, streams, listener))
}

fn listen(flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    net::bind::tcp(address).map_err(|error| {
        anyhow::anyhow!("the web cannot use {address}: {error}; give another address with {flag}")
    })
}

/// The local admin's socket: whoever can open it is an administrator, so only the owner of the box's files can.
fn local_socket(path: &Path) -> anyhow::Result<std::os::unix::net::UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Everybody the site knows, into the engine's queue before anything else.
fn tell_contacts(events: &Events, known: Vec<Contact>) {
    let mut known = known.into_iter().map(|contact| ContactChange::Put(Box::new(contact))).peekable();
    while known.peek().is_some() {
        events.push(Event::Contacts(known.by_ref().take(ports::CONTACTS_AT_ONCE).collect()));
    }
}

fn certificate(data: &Path) -> std::path::PathBuf {
    data.join("tls/certificate.pem")
}

fn identity(data: &Path) -> anyhow::Result<web::tls::Identity> {
    let folder = data.join("tls");
    std::fs::create_dir_all(&folder)?;
    let mut names = vec!["belfry.local".to_owned(), "localhost".to_owned()];
    names.extend(ports::own_addresses().iter().map(IpAddr::to_string));
    names.push("127.0.0.1".to_owned());
    Ok(web::tls::Identity { certificate: certificate(data), key: folder.join("key.pem"), names })
}

/// Media's words and comings and goings become events; the first `Ready` makes the role ready.
fn link(
    options: &RunOptions,
    bond: &Bond,
    events: &Events,
    disk: &Arc<DiskWatch>,
    ready: Report,
) -> anyhow::Result<MediaLink> {
    let (events, disk, bond_of_link) = (events.clone(), disk.clone(), bond.clone());
    let told = AtomicBool::new(false);
    let tell = move |event| match event {
        LinkEvent::Up => {
            disk.settle.store(true, Ordering::Relaxed);
            events.push(Event::MediaUp);
        }
        LinkEvent::Down => events.push(Event::MediaLost),
        LinkEvent::Media(event) => {
            let ready_now = matches!(event, MediaEvent::Ready { .. });
            events.push(Event::Media(event));
            if ready_now && !told.swap(true, Ordering::Relaxed) {
                bond_of_link.tell(ready.clone());
            }
        }
    };
    Ok(MediaLink::start(lifecycle::media_socket(&options.data), bond.beat("media-link"), tell)?)
}

fn hand_on(events: &Events, door: &Door, arrival: Arrival) {
    match arrival {
        Arrival::Message { flow, .. } if door.shut(flow.remote.ip()) => {}
        // Thrown away when the engine is swamped: SIP sends again.
        Arrival::Message { flow, bytes } => drop(events.offer(Event::Packet { flow, bytes })),
        Arrival::Closed(flow) => events.push(Event::FlowClosed(flow)),
    }
}

fn say_where(bond: &Bond, app: &App, https: SocketAddr) {
    let host = net::bind::own_address(https.ip());
    let place = format!("https://{}/", SocketAddr::new(host, https.port()));
    match app.setup_code() {
        Some(code) => bond.tell(Report::Say(format!("admin {place} set-up code {code}"))),
        None => bond.tell(Report::Say(format!("admin {place}"))),
    }
}

fn note_start(boot: &BootState, reports: &Reports) {
    let skipped = boot.skipped.last().map(|(generation, _)| format!("generation {generation}"));
    reports.set("config", "", skipped);
    for (generation, problems) in &boot.skipped {
        tracing::error!(%generation, problems = problems.len(), "a stored configuration no longer checks; an older one is in force");
    }
    if !boot.closed.is_empty() {
        tracing::warn!(
            calls = boot.closed.len(),
            "calls that were open when the box stopped have been closed"
        );
    }
    if let Some(facts) = &boot.restored {
        tracing::warn!(site = facts.site, "the site was restored from a backup");
    }
    if let Some(aside) = &boot.set_aside {
        tracing::error!(path = %aside.display(), "the database was damaged and has been set aside");
    }
}

/// After a roll-back: which settings this version does not know, and where they still are.
fn note_newer(store: &Store, newer: Option<&store::newer::Newer>) {
    let Some(newer) = newer else { return };
    let fields = newer.left_out.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    tracing::warn!(generation = %newer.generation, fields, "settings of a newer version are left out");
    let text = format!(
        "The settings were written by a newer version. What this version does not know is not in force: {fields}. \
         It is kept in generation {}: take that one back on the page Changes when the newer version runs again.",
        newer.generation
    );
    let note = NoteRecord {
        at: clock::wall(),
        level: "warning".into(),
        kind: "config_newer".into(),
        subject: newer.generation.to_string(),
        text,
    };
    if store.keep(Ticket(0), Record::Note(note)).is_err() {
        tracing::warn!("the event log is full");
    }
}

fn started() -> Wall {
    let told = std::env::var(STARTED).ok().and_then(|text| text.parse().ok());
    told.map_or_else(clock::wall, Wall)
}
