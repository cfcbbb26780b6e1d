//! The thread of the browser sessions: waits for datagrams, for control and for time, and gives each to its phone. The
//! newest connection of control wins; its `Hello` ends what an older one left.
use super::phone::{Peer, Phone};
use super::session::{Gives, Session};
use super::{PHONES_MAX, RtcConfig};
use crate::frame::FrameReader;
use crate::link::is_timeout;
use crate::outbox::Outbox;
use crate::ports::EXPEDITED;
use model::browser_phone::{PhoneId, RtcCommand, RtcEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;
use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Longest wait before the thread beats.
const BEAT: Duration = Duration::from_millis(250);
/// Datagrams of one socket taken in a turn: 64 phones send 64 packets in 20 ms; the rest waits in the kernel.
const BATCH: usize = 256;
/// STUN requests of unknown addresses looked at in a turn: each is tried against every session. A browser that starts
/// sends a few; a flood is left unread.
const STRANGERS: usize = 16;
/// Addresses that have proved themselves to a session: a browser has one or two at a time, more after it roamed.
const KNOWN_MAX: usize = PHONES_MAX * 8;
/// Longest datagram of a browser: an MTU; DTLS keeps to it.
const DATAGRAM: usize = 2048;

pub(super) struct Room {
    browsers: UdpSocket,
    port: u16,
    listener: UnixListener,
    control: Option<Control>,
    phones: BTreeMap<PhoneId, Phone>,
    /// Addresses that proved themselves, and to whom.
    known: BTreeMap<SocketAddr, PhoneId>,
    config: RtcConfig,
}

struct Control {
    stream: UnixStream,
    reader: FrameReader,
    outbox: Outbox,
    greeted: bool,
}

impl Room {
    pub fn open(config: RtcConfig) -> std::io::Result<Room> {
        let browsers = UdpSocket::bind(config.bind)?;
        browsers.set_nonblocking(true)?;
        // A network that forbids marking is no reason not to talk.
        let class = u32::from(EXPEDITED) << 2;
        let _ = match config.bind {
            SocketAddr::V4(_) => SockRef::from(&browsers).set_tos_v4(class),
            SocketAddr::V6(_) => SockRef::from(&browsers).set_tclass_v6(class),
        };
        let port = browsers.local_addr()?.port();
        match std::fs::remove_file(&config.socket) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let listener = UnixListener::bind(&config.socket)?;
        // Whoever can connect can listen to calls of browsers.
        std::fs::set_permissions(&config.socket, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        tracing::info!(port, "ready for phones in browsers");
        Ok(Room {
            browsers,
            port,
            listener,
            control: None,
            phones: BTreeMap::new(),
            known: BTreeMap::new(),
            config,
        })
    }

    pub fn run(mut self) {
        while !self.config.stop.load(Ordering::Relaxed) {
            self.config.beat.fetch_add(1, Ordering::Relaxed);
            self.wait();
            self.accept();
            self.obey();
            self.hear_browsers();
            self.hear_core();
            self.turn();
            if self.control.as_mut().is_some_and(|c| c.outbox.flush(&c.stream).is_err()) {
                self.control = None;
            }
        }
    }

    fn wait(&self) {
        let now = Instant::now();
        let due = self.phones.values().filter_map(Phone::due).min().unwrap_or(now + BEAT);
        let left = due.saturating_duration_since(now).min(BEAT);
        // Rounded up: a turn a little early would only turn again.
        let ms = u16::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        let mut fds = vec![
            PollFd::new(self.browsers.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(self.control.iter().map(|c| PollFd::new(c.stream.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.phones.values().map(|p| PollFd::new(p.local.as_fd(), PollFlags::POLLIN)));
        if let Err(why) = poll(&mut fds, PollTimeout::from(ms))
            && why != nix::errno::Errno::EINTR
        {
            tracing::error!(%why, "the browser sessions cannot wait");
            std::thread::sleep(BEAT);
        }
    }

    fn accept(&mut self) {
        if let Ok((stream, _)) = self.listener.accept() {
            match stream.set_nonblocking(true) {
                Ok(()) => {
                    let (reader, outbox) = (FrameReader::default(), Outbox::default());
                    self.control = Some(Control { stream, reader, outbox, greeted: false });
                }
                Err(why) => tracing::warn!(%why, "control's connection to the browser sessions refused"),
            }
        }
    }

    fn obey(&mut self) {
        let Some(control) = &mut self.control else { return };
        let mut bytes = [0; 16 * 1024];
        match control.stream.read(&mut bytes) {
            Ok(0) => return self.control = None,
            Ok(count) => control.reader.push(bytes.get(..count).unwrap_or_default()),
            Err(why) if is_timeout(&why) => return,
            Err(_) => return self.control = None,
        }
        while let Some(control) = &mut self.control {
            match control.reader.word::<RtcCommand>() {
                Ok(Some(command)) => self.carry_out(command),
                Ok(None) => return,
                Err(why) => {
                    tracing::error!(%why, "control's connection to the browser sessions given up");
                    self.control = None;
                }
            }
        }
    }

    fn carry_out(&mut self, command: RtcCommand) {
        let now = Instant::now();
        if let (RtcCommand::Hello, Some(control)) = (&command, &mut self.control) {
            control.greeted = true;
            self.phones.clear();
            return self.known.clear();
        }
        // Whatever comes before the greeting belongs to nobody.
        if !self.control.as_ref().is_some_and(|c| c.greeted) {
            return;
        }
        match command {
            RtcCommand::Hello => {}
            RtcCommand::Open { phone, offer } => self.open_phone(now, phone, &offer),
            RtcCommand::Join { phone, remote, codec, event_type } => {
                let peer = Some(Peer { remote, codec, event_type });
                self.phones.get_mut(&phone).into_iter().for_each(|p| p.join(peer));
            }
            RtcCommand::Part { phone } => {
                self.phones.get_mut(&phone).into_iter().for_each(|p| p.join(None));
            }
            RtcCommand::Key { phone, key } => {
                self.phones.get_mut(&phone).into_iter().for_each(|p| p.key(now, key));
            }
            RtcCommand::Close { phone } => {
                self.phones.remove(&phone);
                self.known.retain(|_, p| *p != phone);
            }
        }
    }

    fn open_phone(&mut self, now: Instant, id: PhoneId, offer: &str) {
        let addresses: Vec<SocketAddr> =
            self.addresses().into_iter().map(|ip| SocketAddr::new(ip, self.port)).collect();
        let (session, answer) = match Session::answer(offer, &addresses, now) {
            Ok(answered) => answered,
            Err(why) => {
                tracing::warn!(%why, "a browser's offer cannot be used");
                return self.tell(&RtcEvent::NotOpened { phone: id, full: false });
            }
        };
        if let Err(why) = self.make_phone(id) {
            tracing::warn!(%why, "no room for one more phone in a browser");
            return self.tell(&RtcEvent::NotOpened { phone: id, full: true });
        }
        self.known.retain(|_, p| *p != id);
        let Some(phone) = self.phones.get_mut(&id) else { return };
        phone.session = Some(session);
        match phone.local.local_addr() {
            Ok(rtp) => self.tell(&RtcEvent::Opened { phone: id, answer, rtp }),
            Err(_) => self.tell(&RtcEvent::NotOpened { phone: id, full: false }),
        }
    }

    fn make_phone(&mut self, id: PhoneId) -> Result<(), String> {
        if self.phones.contains_key(&id) {
            return Ok(());
        }
        if self.phones.len() >= PHONES_MAX {
            return Err(format!("there are {PHONES_MAX} already"));
        }
        let any = SocketAddr::new(self.local_ip(), 0);
        let local = UdpSocket::bind(any).map_err(|e| e.to_string())?;
        local.set_nonblocking(true).map_err(|e| e.to_string())?;
        let random = chance();
        self.phones.insert(id, Phone::new(local, random));
        Ok(())
    }

    /// Where the core reaches us: the address everything is bound on, else loopback.
    fn local_ip(&self) -> IpAddr {
        match self.config.bind.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        }
    }

    /// Addresses of the family of our socket.
    fn addresses(&self) -> Vec<IpAddr> {
        let bound = self.config.bind.ip();
        let mut found = (self.config.addresses)();
        if !bound.is_unspecified() {
            found.push(bound);
        }
        found.retain(|ip| ip.is_ipv4() == bound.is_ipv4() && !ip.is_unspecified());
        let mut seen = Vec::new();
        for ip in found {
            if !seen.contains(&ip) {
                seen.push(ip);
            }
        }
        if seen.is_empty() {
            seen.push(self.local_ip());
        }
        seen
    }

    fn hear_browsers(&mut self) {
        let mut bytes = [0; DATAGRAM];
        let mut strangers = 0;
        for _ in 0..BATCH {
            let Ok((count, source)) = self.browsers.recv_from(&mut bytes) else { return };
            let datagram = bytes.get(..count).unwrap_or_default();
            match self.known.get(&source) {
                Some(id) => {
                    let id = *id;
                    // A request that its session does not know is another session's: an address is used again.
                    if !self.give(id, source, datagram) && is_stun(datagram) {
                        self.known.remove(&source);
                        self.ask_all(source, datagram);
                    }
                }
                None if is_stun(datagram) && strangers < STRANGERS => {
                    strangers += 1;
                    self.ask_all(source, datagram);
                }
                None => {}
            }
        }
    }

    fn ask_all(&mut self, source: SocketAddr, datagram: &[u8]) {
        let ids: Vec<PhoneId> = self.phones.keys().copied().collect();
        if let Some(id) = ids.into_iter().find(|id| self.give(*id, source, datagram)) {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(source, id);
        }
    }

    fn give(&mut self, id: PhoneId, source: SocketAddr, datagram: &[u8]) -> bool {
        let mut out = Vec::new();
        let session = self.phones.get_mut(&id).and_then(|p| p.session.as_mut());
        let taken = session.is_some_and(|s| s.receive(Instant::now(), source, datagram, &mut out));
        self.give_out(id, out);
        taken
    }

    fn hear_core(&mut self) {
        let mut bytes = [0; DATAGRAM];
        let ids: Vec<PhoneId> = self.phones.keys().copied().collect();
        for id in ids {
            let mut out = Vec::new();
            if let Some(phone) = self.phones.get_mut(&id) {
                for _ in 0..BATCH {
                    let Ok((count, source)) = phone.local.recv_from(&mut bytes) else { break };
                    phone.told(Instant::now(), source, bytes.get(..count).unwrap_or_default(), &mut out);
                }
            }
            self.give_out(id, out);
        }
    }

    fn turn(&mut self) {
        let now = Instant::now();
        let due: Vec<PhoneId> = self
            .phones
            .iter()
            .filter(|(_, p)| p.due().is_some_and(|d| d <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let mut out = Vec::new();
            self.phones.get_mut(&id).into_iter().for_each(|p| p.turn(now, &mut out));
            self.give_out(id, out);
        }
    }

    fn give_out(&mut self, id: PhoneId, out: Vec<Gives>) {
        for gives in out {
            match gives {
                // What the kernel does not take now is sent again by ICE and DTLS; sound would be too late.
                Gives::Datagram(to, bytes) => drop(self.browsers.send_to(&bytes, to)),
                Gives::Sound(flows) => self.tell(&RtcEvent::Sound { phone: id, flows }),
                Gives::Packet(packet) => {
                    self.phones.get_mut(&id).into_iter().for_each(|p| p.heard(&packet));
                }
            }
        }
    }

    fn tell(&mut self, event: &RtcEvent) {
        let Some(control) = self.control.as_mut().filter(|c| c.greeted) else { return };
        if !control.outbox.put(event).unwrap_or(false) {
            tracing::warn!("control does not take what browsers do; the connection is given up");
            self.control = None;
        }
    }
}

/// Whether it can be STUN (RFC 7983): the only thing taken from an unknown address.
fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= 20 && datagram.first().is_some_and(|b| *b < 2)
}

/// Twelve random octets.
fn chance() -> [u8; 12] {
    let mut bytes = [0; 12];
    // Without the kernel's randomness the numbers of a stream begin at zero: legal, only easier to guess, and the stream
    // goes over loopback.
    if let Err(why) = getrandom::fill(&mut bytes) {
        tracing::warn!(%why, "no random numbers");
    }
    bytes
}
