//! Where a message came from or goes to. Data only; nothing here opens a socket.
use std::fmt;
use std::net::SocketAddr;

/// The transport of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: lost, doubled, reordered; we retransmit.
    Udp,
    /// A stream: nothing is retransmitted hop by hop.
    Tcp,
}

impl Transport {
    /// The word of the Via header.
    #[must_use]
    pub fn via(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// The word of the `transport` URI parameter.
    #[must_use]
    pub fn param(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }

    /// Whether the transport itself repeats what was lost.
    #[must_use]
    pub fn reliable(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp => true,
        }
    }
}

/// One way to a peer: socket pair and, for a stream, the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Datagrams or a stream.
    pub transport: Transport,
    /// The peer's address as the socket saw it.
    pub remote: SocketAddr,
    /// Our address as the peer should see it; goes into Via (and into Contact, by the caller's choice).
    pub local: SocketAddr,
    /// Which stream: the shell's number. 0 for UDP, and for "any stream to `remote`; open one if there is none".
    pub connection: u64,
}

impl Flow {
    /// A datagram flow.
    #[must_use]
    pub fn udp(local: SocketAddr, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, remote, local, connection: 0 }
    }

    /// A stream to `remote`, whichever is open.
    #[must_use]
    pub fn tcp(local: SocketAddr, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Tcp, remote, local, connection: 0 }
    }
}

impl Flow {
    /// Whether what is sent to this flow is lost when `other` closes: the same one, or any stream to that peer.
    #[must_use]
    pub fn ends_with(&self, other: &Flow) -> bool {
        let any_stream = self.transport == Transport::Tcp && self.connection == 0;
        let same_peer = self.transport == other.transport && self.remote == other.remote;
        same_peer && (any_stream || self.connection == other.connection)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport.param(), self.remote)
    }
}
