//! Datagrams in and out of the sockets of calls: one at a time as long as that is all there is, since each call has its
//! own sockets; in batches (`recvmmsg`, `sendmmsg`) where more waits on one.
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

/// Datagrams of one call where more wait: after a stall or in a flood.
const BATCH: usize = 32;

/// Calls for one socket in one turn: a flooded port gets this much and no more, so that the others are heard too. 256
/// datagrams each millisecond are more than a fast Ethernet brings, so that the port's own peer is heard as well.
const CALLS: usize = 8;

/// Longest datagram taken whole: an Ethernet frame. Longer ones are cut off and then refused by the core.
const LONGEST: usize = 1500;

/// Room for one batch each way.
pub(crate) struct Batches {
    receive: MultiHeaders<SockaddrStorage>,
    send: MultiHeaders<SockaddrStorage>,
    buffers: Vec<[u8; LONGEST]>,
}

/// A datagram to send.
pub(crate) struct Outgoing<'a> {
    pub socket: &'a UdpSocket,
    pub to: SocketAddr,
    pub bytes: &'a [u8],
}

impl Batches {
    pub fn new() -> Batches {
        Batches {
            receive: MultiHeaders::preallocate(BATCH, None),
            send: MultiHeaders::preallocate(BATCH, None),
            buffers: vec![[0; LONGEST]; BATCH],
        }
    }

    /// Takes one datagram: what a peer sends in 20 ms.
    pub fn receive_one(&mut self, socket: &UdpSocket, take: impl FnOnce(SocketAddr, &[u8])) {
        let Some(buffer) = self.buffers.first_mut() else { return };
        if let Ok((length, source)) = socket.recv_from(buffer) {
            take(source, buffer.get(..length).unwrap_or_default());
        }
    }

    /// Takes all that waits on a socket, up to the bound of a turn.
    pub fn receive_all(&mut self, socket: &UdpSocket, mut take: impl FnMut(SocketAddr, &[u8])) {
        for _ in 0..CALLS {
            if self.receive_batch(socket.as_raw_fd(), &mut take) < BATCH {
                return;
            }
        }
    }

    fn receive_batch(&mut self, fd: RawFd, take: &mut impl FnMut(SocketAddr, &[u8])) -> usize {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffers.iter_mut().map(|b| [IoSliceMut::new(b)]).collect();
        let result = recvmmsg(fd, &mut self.receive, &mut slices, MsgFlags::MSG_DONTWAIT, None);
        let Ok(messages) = result else { return 0 };
        let mut count = 0;
        for message in messages {
            count += 1;
            if let (Some(source), Some(bytes)) =
                (message.address.as_ref().and_then(address_of), message.iovs().next())
            {
                take(source, bytes);
            }
        }
        count
    }

    /// Sends datagrams in their order; gives how many the kernel refused (no buffer, no route). They are not tried
    /// again: speech is now.
    pub fn send(&mut self, datagrams: &[Outgoing<'_>]) -> u64 {
        let mut refused = 0;
        for run in datagrams.chunk_by(|a, b| std::ptr::eq(a.socket, b.socket)) {
            match run {
                [one] => refused += u64::from(one.socket.send_to(one.bytes, one.to).is_err()),
                several => refused += several.chunks(BATCH).map(|part| self.send_part(part)).sum::<u64>(),
            }
        }
        refused
    }

    fn send_part(&mut self, part: &[Outgoing<'_>]) -> u64 {
        let Some(fd) = part.first().map(|d| d.socket.as_raw_fd()) else { return 0 };
        let mut rest = part;
        let mut refused = 0;
        while !rest.is_empty() {
            let slices: Vec<[IoSlice<'_>; 1]> = rest.iter().map(|d| [IoSlice::new(d.bytes)]).collect();
            let addresses: Vec<Option<SockaddrStorage>> =
                rest.iter().map(|d| Some(SockaddrStorage::from(d.to))).collect();
            let result = sendmmsg(fd, &mut self.send, &slices, &addresses, [], MsgFlags::MSG_DONTWAIT);
            let done = match result {
                Ok(sent) => sent.count(),
                Err(Errno::EINTR) => 0,
                Err(_) => {
                    refused += 1;
                    1
                }
            };
            rest = rest.get(done..).unwrap_or_default();
        }
        refused
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

    #[test]
    fn batches_arrive_in_order_with_their_source_and_whatever_their_number() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let to = b.local_addr().unwrap();
        let mut batches = Batches::new();
        let texts: Vec<Vec<u8>> = (0..99u8).map(|n| vec![n; usize::from(n) + 1]).collect();
        let out: Vec<Outgoing<'_>> = texts.iter().map(|bytes| Outgoing { socket: &a, to, bytes }).collect();
        assert_eq!(batches.send(&out), 0);
        let mut seen = Vec::new();
        batches.receive_one(&b, |source, bytes| {
            assert_eq!(source, a.local_addr().unwrap());
            seen.push(bytes.to_vec());
        });
        batches.receive_all(&b, |source, bytes| {
            assert_eq!(source, a.local_addr().unwrap());
            seen.push(bytes.to_vec());
        });
        assert_eq!(seen, texts);
    }

    #[test]
    fn an_address_that_cannot_be_reached_is_counted_and_the_rest_goes_out() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let socket = &a;
        let out = [
            Outgoing { socket, to: "203.0.113.1:9".parse().unwrap(), bytes: b"from loopback: no route" },
            Outgoing { socket, to: b.local_addr().unwrap(), bytes: b"here" },
        ];
        let mut batches = Batches::new();
        assert_eq!(batches.send(&out), 1);
        let mut seen = 0;
        batches.receive_all(&b, |_, _| seen += 1);
        assert_eq!(seen, 1);
    }
}
