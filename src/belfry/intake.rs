//! What comes to the engine's thread: the queue that other threads put events into, and the datagrams of SIP, which it takes
//! from the socket itself. So a datagram costs one wake-up and not two, and one thread alone decides what is next. Knows
//! since when each event waits. Decides nothing about calls.
use crate::door::Door;
use crate::wire;
use engine::event::Event;
use net::sip_stream::Arrival;
use net::sip_udp::{Room, SipUdp};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Events between two looks at the socket while there is work: the kernel's own buffer is small, and what waits there has
/// no time stamp.
const LOOK_EVERY: u32 = 8;

/// Datagrams taken at one look; a flood gets this share and no more.
const LOOK: usize = 512;

/// An event and since when it waits.
pub type Waiting = (Instant, Event);

/// Where other threads put events.
#[derive(Clone)]
pub struct Events {
    queue: SyncSender<Waiting>,
    bell: Arc<Bell>,
}

/// Wakes the engine's thread, which waits for the socket and for this.
struct Bell {
    asleep: AtomicBool,
    fd: EventFd,
}

impl Bell {
    fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            // Fails only when the counter is full, and then it has been rung.
            let _ = self.fd.write(1);
        }
    }
}

/// The engine's end.
pub struct Intake {
    queue: Receiver<Waiting>,
    bell: Arc<Bell>,
    udp: Option<(SipUdp, Room, Arc<Door>)>,
    arrived: VecDeque<Waiting>,
    since_look: u32,
}

/// Makes both ends.
///
/// # Errors
/// The operating system gives no event counter.
pub fn open() -> std::io::Result<(Events, Intake)> {
    let fd = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    let bell = Arc::new(Bell { asleep: AtomicBool::new(false), fd });
    let (sender, queue) = sync_channel(wire::EVENTS.length);
    let intake =
        Intake { queue, bell: Arc::clone(&bell), udp: None, arrived: VecDeque::new(), since_look: 0 };
    Ok((Events { queue: sender, bell }, intake))
}

impl Events {
    /// Offers an event; false when the queue is full: it is thrown away and counted.
    pub fn offer(&self, event: Event) -> bool {
        match self.queue.try_send((Instant::now(), event)) {
            Ok(()) => {
                self.bell.ring();
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                wire::EVENTS.lost();
                false
            }
        }
    }

    /// Hands in an event that must not be lost, waiting for room. Not for the engine's own thread.
    pub fn push(&self, event: Event) {
        match self.queue.send((Instant::now(), event)) {
            Ok(()) => self.bell.ring(),
            Err(_) => wire::EVENTS.lost(),
        }
    }
}

impl Intake {
    /// Takes the datagrams of this socket too, of those whom the door lets in.
    pub fn listen(&mut self, udp: SipUdp, door: Arc<Door>) {
        self.udp = Some((udp, Room::default(), door));
    }

    /// The next event, waiting for at most `patience`; an error when every other end is gone.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Waiting>, TryRecvError> {
        if !self.arrived.is_empty() {
            self.since_look += 1;
            if self.since_look >= LOOK_EVERY {
                self.look();
            }
        }
        if let Some(waiting) = self.at_hand()? {
            return Ok(Some(waiting));
        }
        self.bell.asleep.store(true, Ordering::SeqCst);
        // Somebody may have put something in and not seen that nobody would look.
        let waiting = match self.at_hand()? {
            Some(waiting) => Some(waiting),
            None => {
                self.sleep(patience);
                None
            }
        };
        self.bell.asleep.store(false, Ordering::SeqCst);
        match waiting {
            Some(waiting) => Ok(Some(waiting)),
            None => self.at_hand(),
        }
    }

    /// Other threads first: their events are few, and must not wait behind a flood of datagrams.
    fn at_hand(&mut self) -> Result<Option<Waiting>, TryRecvError> {
        match self.queue.try_recv() {
            Ok(waiting) => Ok(Some(waiting)),
            Err(TryRecvError::Empty) => Ok(self.arrived.pop_front()),
            Err(TryRecvError::Disconnected) => Err(TryRecvError::Disconnected),
        }
    }

    fn sleep(&mut self, patience: Duration) {
        // A part of a millisecond counts as a whole one, else the wait for a deadline would spin.
        let ms = u16::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        let mut ends = vec![PollFd::new(self.bell.fd.as_fd(), PollFlags::POLLIN)];
        ends.extend(self.udp.as_ref().map(|(udp, ..)| PollFd::new(udp.fd(), PollFlags::POLLIN)));
        let ready = match poll(&mut ends, PollTimeout::from(ms)) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => return,
            Ok(_) => ends.iter().map(|end| end.any().unwrap_or(false)).collect::<Vec<_>>(),
            Err(why) => {
                tracing::error!(%why, "the engine cannot wait for events");
                std::thread::sleep(patience.min(Duration::from_millis(10)));
                return self.look();
            }
        };
        if ready.first() == Some(&true) {
            // Fails only when it was not rung after all.
            let _ = self.bell.fd.read();
        }
        if ready.get(1) == Some(&true) {
            self.look();
        }
    }

    /// Takes what has come to the socket. What finds no room is thrown away and counted: SIP sends again.
    fn look(&mut self) {
        self.since_look = 0;
        let Some((udp, room, door)) = &mut self.udp else { return };
        for _ in 0..LOOK {
            let Some(Arrival::Message { flow, bytes }) = udp.take(room) else { return };
            if door.shut(flow.remote.ip()) {
                continue;
            }
            if self.arrived.len() < wire::EVENTS.length {
                self.arrived.push_back((Instant::now(), Event::Packet { flow, bytes }));
            } else {
                wire::EVENTS.lost();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    const LONG: Duration = Duration::from_secs(10);

    fn intake() -> (Events, Intake, UdpSocket) {
        let (events, mut intake) = open().unwrap();
        let udp = SipUdp::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        phone.connect(udp.local()).unwrap();
        intake.listen(udp, Arc::default());
        (events, intake, phone)
    }

    #[test]
    fn a_datagram_and_an_event_of_another_thread_both_end_the_wait() {
        let (events, mut intake, phone) = intake();
        assert!(intake.next(Duration::ZERO).unwrap().is_none());
        phone.send(b"OPTIONS").unwrap();
        let (_, event) = intake.next(LONG).unwrap().unwrap();
        assert!(matches!(event, Event::Packet { bytes, .. } if bytes == b"OPTIONS"));
        let other = std::thread::spawn(move || {
            while !events.bell.asleep.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            events.push(Event::MediaUp);
            events
        });
        let before = Instant::now();
        assert!(matches!(intake.next(LONG).unwrap(), Some((_, Event::MediaUp))));
        assert!(before.elapsed() < LONG, "it was woken");
        drop(other.join().unwrap());
        assert!(intake.next(LONG).is_err(), "nobody is left");
    }

    #[test]
    fn other_threads_are_heard_before_a_flood_and_what_finds_no_room_is_counted() {
        let (events, mut intake, phone) = intake();
        let room = wire::EVENTS.length;
        let mut sent = 0;
        while intake.arrived.len() < room {
            phone.send(b"flood").unwrap();
            intake.look();
            sent += 1;
            assert!(sent < room * 4, "datagrams do not arrive");
        }
        let lost = wire::EVENTS.lost_count();
        phone.send(b"one too many").unwrap();
        intake.look();
        assert_eq!((intake.arrived.len(), wire::EVENTS.lost_count()), (room, lost + 1));
        assert!(events.offer(Event::MediaLost));
        assert!(matches!(intake.next(LONG).unwrap(), Some((_, Event::MediaLost))));
    }
}
