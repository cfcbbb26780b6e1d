//! SIP over UDP: one socket, taken from by one thread, sending from whichever thread wants to (a datagram never waits).
//! Keeps the local address a datagram came to, so that the answer leaves from there. Decides nothing.
use crate::bind;
use crate::sip_stream::Arrival;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use sip::{Flow, Transport};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Largest datagram there is.
const DATAGRAM: usize = 65_535;

/// Keep-alives and errors passed over in search of one datagram.
const KEEPALIVES: usize = 64;

/// Room for one datagram and what the kernel says about it; kept by who takes them.
#[derive(Debug)]
pub struct Room {
    buffer: Vec<u8>,
    control: Vec<u8>,
}

impl Default for Room {
    fn default() -> Room {
        Room { buffer: vec![0; DATAGRAM], control: nix::cmsg_space!(libc::in_pktinfo) }
    }
}

/// The UDP socket of SIP.
#[derive(Clone, Debug)]
pub struct SipUdp {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    /// Bound to every address: the kernel must be asked, and told, which one is meant.
    any: bool,
    unsent: Arc<AtomicU64>,
}

impl SipUdp {
    /// Opens the socket.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(address: SocketAddr) -> io::Result<SipUdp> {
        let socket = bind::udp(address)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let any = address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        if any {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        Ok(SipUdp { socket: Arc::new(socket), local, any, unsent: Arc::default() })
    }

    /// Address and port in use.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Takes the DSCP that is set for signalling now ([`bind::set_signalling`]).
    pub fn mark(&self) {
        bind::mark(&*self.socket, self.local);
    }

    /// Datagrams the kernel refused to send.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Sends one datagram now or not at all; SIP sends again by itself.
    pub fn send(&self, flow: Flow, bytes: &[u8]) {
        if let Err(error) = self.send_from(flow, bytes) {
            self.unsent.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(remote = %flow.remote, %error, "a datagram was not sent");
        }
    }

    fn send_from(&self, flow: Flow, bytes: &[u8]) -> nix::Result<()> {
        let slices = [IoSlice::new(bytes)];
        let remote = SockaddrStorage::from(flow.remote);
        let fd = self.socket.as_raw_fd();
        if let (true, IpAddr::V4(from)) = (self.any, flow.local.ip())
            && !from.is_unspecified()
        {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(from.octets()) },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            let control = [ControlMessage::Ipv4PacketInfo(&info)];
            if sendmsg(fd, &slices, &control, MsgFlags::MSG_DONTWAIT, Some(&remote)).is_ok() {
                return Ok(());
            }
            // The address may be gone (a new lease): let the kernel choose.
        }
        sendmsg(fd, &slices, &[], MsgFlags::MSG_DONTWAIT, Some(&remote)).map(drop)
    }

    /// The socket, to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes one datagram; none when none has come. Never waits. Keep-alives are passed over.
    pub fn take(&self, room: &mut Room) -> Option<Arrival> {
        // Something is always said at the end of a flood of keep-alives: the caller looks again.
        for _ in 0..KEEPALIVES {
            match self.receive_one(&mut room.buffer, &mut room.control) {
                Ok(Some((remote, local, length))) => {
                    let bytes = room.buffer.get(..length).unwrap_or_default();
                    if !sip::framing::is_keepalive(bytes) {
                        let flow = Flow { transport: Transport::Udp, remote, local, connection: 0 };
                        return Some(Arrival::Message { flow, bytes: bytes.to_vec() });
                    }
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                // An ICMP refusal of something we sent; the peer's transaction times out by itself.
                Err(error) => tracing::debug!(%error, "receiving failed"),
            }
        }
        None
    }

    fn receive_one(
        &self,
        buffer: &mut [u8],
        control: &mut [u8],
    ) -> io::Result<Option<(SocketAddr, SocketAddr, usize)>> {
        if !self.any {
            let (length, remote) = self.socket.recv_from(buffer)?;
            return Ok(Some((remote, self.local, length)));
        }
        let mut slices = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(control), MsgFlags::MSG_DONTWAIT)?;
        let Some(remote) = message.address.and_then(|a| address_of(&a)) else { return Ok(None) };
        let mut local = self.local;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::Ipv4PacketInfo(info) = control {
                local.set_ip(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into());
            }
        }
        Ok(Some((remote, local, message.bytes)))
    }
}

fn address_of(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    storage.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::time::Duration;

    /// Sends one datagram to a box bound to `bind` and gives what arrived and what came back.
    fn exchange(bind: &str) -> (Flow, Vec<u8>, SocketAddr) {
        let port = SipUdp::open(bind.parse().unwrap()).unwrap();
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        phone.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut room = Room::default();
        assert!(port.take(&mut room).is_none(), "nothing has come and nobody waits");
        phone.send_to(b"\r\n\r\n", ("127.0.0.1", port.local().port())).unwrap();
        phone.send_to(b"OPTIONS", ("127.0.0.1", port.local().port())).unwrap();
        let arrival = loop {
            let ready = poll(&mut [PollFd::new(port.fd(), PollFlags::POLLIN)], PollTimeout::from(5000_u16));
            assert_eq!(ready, Ok(1), "nothing came");
            if let Some(arrival) = port.take(&mut room) {
                break arrival;
            }
        };
        let Arrival::Message { flow, bytes } = arrival else { panic!("{arrival:?}") };
        port.send(flow, b"answer");
        let mut buffer = [0; 100];
        let (n, from) = phone.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"answer");
        assert_eq!(flow.remote, phone.local_addr().unwrap());
        (flow, bytes, from)
    }

    #[test]
    fn a_datagram_arrives_without_the_keepalive_before_it_and_is_answered() {
        let (flow, bytes, from) = exchange("127.0.0.1:0");
        assert_eq!(bytes, b"OPTIONS");
        assert_eq!(from, flow.local);
    }

    #[test]
    fn a_wildcard_socket_knows_the_address_it_was_reached_at_and_answers_from_it() {
        let (flow, bytes, from) = exchange("0.0.0.0:0");
        assert_eq!(bytes, b"OPTIONS");
        assert_eq!(flow.local.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(from, flow.local);
    }
}
