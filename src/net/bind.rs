//! Opens the sockets of SIP: address, traffic class, buffers. A port that another process is just leaving is tried for a
//! moment. Decides nothing about what travels over them.
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// DSCP of signalling for every socket of this process that is opened from now on: CS3 until the site says otherwise.
static SIGNALLING: AtomicU8 = AtomicU8::new(24);
/// Receive buffer of the UDP socket: all phones come back at once after a power cut; 1,000 REGISTERs are about 1 MiB with
/// the kernel's overhead.
const UDP_BUFFER: usize = 4 * 1024 * 1024;
/// How often and how long a taken port is tried again: a killed predecessor lets go of it within this time.
const TRIES: u32 = 20;
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Opens the UDP socket of SIP.
///
/// # Errors
/// The operating system's; the port may be taken, the address not ours.
pub fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    again(|| {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        mark(&socket, address);
        // Smaller than asked is fine: the kernel caps it.
        let _ = socket.set_recv_buffer_size(UDP_BUFFER);
        socket.bind(&address.into())?;
        Ok(socket.into())
    })
}

/// Opens the listening TCP socket of SIP, non-blocking.
///
/// # Errors
/// The operating system's; the port may be taken, the address not ours.
pub fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    again(|| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for the old connections' TIME_WAIT.
        socket.set_reuse_address(true)?;
        mark(&socket, address);
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    })
}

/// Sets the DSCP of signalling, 0–63, for sockets opened later. Streams that stand keep theirs until they are opened anew.
pub fn set_signalling(dscp: u8) {
    SIGNALLING.store(dscp, Ordering::Relaxed);
}

/// Gives a socket the traffic class of signalling; a network that forbids it is no reason not to talk.
pub fn mark<'s>(socket: impl Into<SockRef<'s>>, address: SocketAddr) {
    let socket = socket.into();
    // The DSCP stands in the upper six bits of the octet.
    let class = u32::from(SIGNALLING.load(Ordering::Relaxed)) << 2;
    let marked = match address {
        SocketAddr::V4(_) => socket.set_tos_v4(class),
        SocketAddr::V6(_) => socket.set_tclass_v6(class),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "the traffic class of signalling cannot be set");
    }
}

/// Our address on the way to `remote`, by the routing table; no packet is sent.
#[must_use]
pub fn address_towards(remote: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Port 9 (discard): any will do, nothing goes there.
    socket.connect((remote, 9)).ok()?;
    socket.local_addr().ok().map(|a| a.ip()).filter(|ip| !ip.is_unspecified())
}

/// The address others reach this box at: that of the default route, else loopback.
#[must_use]
pub fn own_address(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    // Documentation addresses (RFC 5737, RFC 3849): outside every LAN, so they take the default route.
    match bound {
        IpAddr::V4(_) => {
            address_towards(Ipv4Addr::new(192, 0, 2, 1).into()).unwrap_or(Ipv4Addr::LOCALHOST.into())
        }
        IpAddr::V6(_) => address_towards(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into())
            .unwrap_or(Ipv6Addr::LOCALHOST.into()),
    }
}

fn again<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut left = TRIES;
    loop {
        match open() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && left > 0 => {
                left -= 1;
                std::thread::sleep(TRY_EVERY);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signalling_carries_its_traffic_class() {
        let socket = udp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(SockRef::from(&socket).tos_v4().unwrap(), 0x60);
        let listener = tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(SockRef::from(&listener).tos_v4().unwrap(), 0x60);
    }

    #[test]
    fn the_way_to_loopback_is_loopback() {
        assert_eq!(address_towards(Ipv4Addr::LOCALHOST.into()), Some(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn a_named_address_is_our_own_and_a_wildcard_becomes_a_real_one() {
        let named = "10.1.2.3".parse().unwrap();
        assert_eq!(own_address(named), named);
        assert!(!own_address(Ipv4Addr::UNSPECIFIED.into()).is_unspecified());
    }
}
