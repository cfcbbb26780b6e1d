//! SIP over UDP: one socket, one receiving thread, sending from whichever thread wants to (a datagram never waits). Keeps
//! the local address a datagram came to, so that the answer leaves from there. Decides nothing.
use crate::bind;
use crate::sip_stream::Arrival;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use sip::{Flow, Transport};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Longest wait for a datagram before the loop shows that it lives.
const IDLE: Duration = Duration::from_millis(500);
/// Largest datagram there is.
const DATAGRAM: usize = 65_535;

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
        socket.set_read_timeout(Some(IDLE))?;
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

    /// Receives until `stop`; hands each datagram on. Beats with every round, at least twice a second.
    pub fn receive(&self, beat: &AtomicU64, stop: &AtomicBool, mut hand_on: impl FnMut(Arrival)) {
        let mut buffer = vec![0_u8; DATAGRAM];
        let mut control = nix::cmsg_space!(libc::in_pktinfo);
        while !stop.load(Ordering::Relaxed) {
            beat.fetch_add(1, Ordering::Relaxed);
            match self.receive_one(&mut buffer, &mut control) {
                Ok(Some((remote, local, length))) => {
                    if sip::framing::is_keepalive(&buffer[..length]) {
                        continue;
                    }
                    let flow = Flow { transport: Transport::Udp, remote, local, connection: 0 };
                    hand_on(Arrival::Message { flow, bytes: buffer[..length].to_vec() });
                }
                Ok(None) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // An ICMP refusal of something we sent; the peer's transaction times out by itself.
                Err(error) => tracing::debug!(%error, "receiving failed"),
            }
        }
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
        let message = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(control), MsgFlags::empty())?;
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
    use std::sync::mpsc::channel;

    /// Sends one datagram to a box bound to `bind` and gives what arrived and what came back.
    fn exchange(bind: &str) -> (Flow, Vec<u8>, SocketAddr) {
        let port = SipUdp::open(bind.parse().unwrap()).unwrap();
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        phone.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        phone.send_to(b"\r\n\r\n", ("127.0.0.1", port.local().port())).unwrap();
        phone.send_to(b"OPTIONS", ("127.0.0.1", port.local().port())).unwrap();
        let (tx, rx) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (receiver, stopped) = (port.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            receiver.receive(&AtomicU64::new(0), &stopped, |arrival| tx.send(arrival).unwrap());
        });
        let arrival = rx.recv_timeout(Duration::from_secs(5)).unwrap();
        let Arrival::Message { flow, bytes } = arrival else { panic!("{arrival:?}") };
        port.send(flow, b"answer");
        let mut buffer = [0; 100];
        let (n, from) = phone.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"answer");
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap();
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
