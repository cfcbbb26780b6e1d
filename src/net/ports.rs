//! Binds the whole RTP range at start: even ports RTP, the odd ones after them RTCP. So an SDP answer never waits for a
//! socket, and no other program takes a port in the middle of a call. Ports that somebody else holds are left out and
//! named.
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// DSCP EF (46, RFC 3246), until control says what the site wants.
pub const EXPEDITED: u8 = 46;

/// Receive buffer of a port in use: about two seconds of 20 ms packets, the longest stall that is worth making up for.
const BUFFER_OPEN: usize = 128 * 1024;

/// Receive buffer of a port that is not in use: nothing is read there, so nothing shall pile up.
const BUFFER_IDLE: usize = 2304;

/// One RTP port and its RTCP port.
#[derive(Debug)]
pub struct PortPair {
    /// The even port.
    pub port: u16,
    /// Socket of `port`.
    pub rtp: UdpSocket,
    /// Socket of `port + 1`.
    pub rtcp: UdpSocket,
    /// Turns of the loop in which the sockets were last found ready: RTP, RTCP.
    ready: [u64; 2],
}

/// Pairs by their even port, found without a search: each packet asks for one.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    /// The port of the first place.
    first: u16,
    places: Vec<Option<PortPair>>,
}

impl Bank {
    /// Takes the pairs of a range.
    pub fn new(pairs: Vec<PortPair>) -> Bank {
        let first = pairs.iter().map(|p| p.port).min().unwrap_or(0);
        let mut bank = Bank { first, places: Vec::new() };
        for pair in pairs {
            let place = bank.place(pair.port).unwrap_or(0);
            if bank.places.len() <= place {
                bank.places.resize_with(place + 1, || None);
            }
            bank.places[place] = Some(pair);
        }
        bank
    }

    fn place(&self, port: u16) -> Option<usize> {
        port.checked_sub(self.first).map(|n| usize::from(n / 2))
    }

    /// The pair of an even port.
    pub fn get(&self, port: u16) -> Option<&PortPair> {
        self.places.get(self.place(port)?)?.as_ref()
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, port: u16) -> Option<&mut PortPair> {
        let place = self.place(port)?;
        self.places.get_mut(place)?.as_mut()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &PortPair> {
        self.places.iter().flatten()
    }
}

/// What binding a range gave.
#[derive(Debug, Default)]
pub struct BoundRange {
    /// In the order of their ports.
    pub pairs: Vec<PortPair>,
    /// Even ports that could not be bound, and why.
    pub refused: Vec<(u16, io::Error)>,
}

/// Binds every pair of `low..=high` on `address`, non-blocking and marked EF. An odd `low` begins one above.
#[must_use]
pub fn bind_range(address: IpAddr, low: u16, high: u16) -> BoundRange {
    let mut bound = BoundRange::default();
    let first = low.saturating_add(low % 2);
    for port in (first..high).step_by(2) {
        match bind_pair(address, port) {
            Ok(pair) => bound.pairs.push(pair),
            Err(why) => bound.refused.push((port, why)),
        }
    }
    bound
}

fn bind_pair(address: IpAddr, port: u16) -> io::Result<PortPair> {
    let rtp = bind(SocketAddr::new(address, port))?;
    let rtcp = bind(SocketAddr::new(address, port.saturating_add(1)))?;
    Ok(PortPair { port, rtp, rtcp, ready: [0, 0] })
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(BUFFER_IDLE)?;
    mark(&socket, address, EXPEDITED)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The DSCP stands in the upper six bits of the octet.
fn mark<'s>(socket: impl Into<SockRef<'s>>, address: SocketAddr, dscp: u8) -> io::Result<()> {
    let (socket, class) = (socket.into(), u32::from(dscp) << 2);
    match address {
        SocketAddr::V4(_) => socket.set_tos_v4(class),
        SocketAddr::V6(_) => socket.set_tclass_v6(class),
    }
}

impl PortPair {
    /// Marks what is sent from now on; a network that forbids it is no reason not to talk.
    pub(crate) fn mark(&self, dscp: u8) {
        for socket in [&self.rtp, &self.rtcp] {
            if let Err(why) = socket.local_addr().and_then(|address| mark(socket, address, dscp)) {
                tracing::debug!(port = self.port, %why, "packets cannot be marked");
            }
        }
    }

    /// Makes ready for a session: forgets what came before it and gives room for what comes.
    pub(crate) fn open(&self) {
        self.resize(BUFFER_OPEN);
        for socket in [&self.rtp, &self.rtcp] {
            // The idle buffer holds a few packets; the bound is for one that is being flooded.
            for _ in 0..64 {
                if socket.recv(&mut [0; 16]).is_err() {
                    break;
                }
            }
        }
    }

    /// Notes that a socket is ready in this turn; whether it was in the turn before too, so that more than one datagram
    /// must have been waiting.
    pub(crate) fn ready_again(&mut self, rtcp: bool, turn: u64) -> bool {
        let [rtp_turn, rtcp_turn] = &mut self.ready;
        let last = std::mem::replace(if rtcp { rtcp_turn } else { rtp_turn }, turn);
        last.checked_add(1) == Some(turn)
    }

    /// The session is over.
    pub(crate) fn close(&self) {
        self.resize(BUFFER_IDLE);
    }

    /// A size the kernel does not grant leaves the one before, which works too.
    fn resize(&self, size: usize) {
        for socket in [&self.rtp, &self.rtcp] {
            if let Err(why) = SockRef::from(socket).set_recv_buffer_size(size) {
                tracing::debug!(port = self.port, %why, "receive buffer stays as it is");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_range_is_bound_in_pairs_and_a_taken_port_is_named() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = UdpSocket::bind((here, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let even = port - port % 2;
        let bound = bind_range(here, even.saturating_sub(1), even.saturating_add(3));
        assert!(bound.refused.iter().any(|(p, _)| *p == even), "{:?}", bound.refused);
        for pair in &bound.pairs {
            assert_eq!(pair.rtp.local_addr().unwrap().port(), pair.port);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), pair.port + 1);
            assert_eq!(pair.port % 2, 0);
        }
    }

    #[test]
    fn each_port_is_found_and_none_beside_them() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let pairs: Vec<PortPair> =
            (20_000..30_000).step_by(2).filter_map(|p| bind_pair(here, p).ok()).take(3).collect();
        let numbers: Vec<u16> = pairs.iter().map(|p| p.port).collect();
        let mut bank = Bank::new(pairs);
        assert_eq!(bank.all().map(|p| p.port).collect::<Vec<_>>(), numbers);
        for port in &numbers {
            assert_eq!(bank.get(*port).map(|p| p.port), Some(*port));
            assert_eq!(bank.get_mut(*port).map(|p| p.port), Some(*port));
        }
        for port in [0, numbers[0] - 2, numbers[2] + 2, u16::MAX] {
            assert!(bank.get(port).is_none(), "{port}");
        }
    }

    #[test]
    fn what_came_before_a_session_is_not_heard_in_it() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let pair = (20_000..30_000).step_by(2).find_map(|p| bind_pair(here, p).ok()).unwrap();
        let stranger = UdpSocket::bind((here, 0)).unwrap();
        stranger.send_to(b"old", (here, pair.port)).unwrap();
        pair.open();
        assert!(pair.rtp.recv(&mut [0; 16]).is_err());
        stranger.send_to(b"new", (here, pair.port)).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(pair.rtp.recv(&mut bytes).unwrap(), 3);
    }
}
