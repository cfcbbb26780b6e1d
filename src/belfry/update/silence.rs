//! Whether a carrier is there at all: a plain OPTIONS (RFC 3261 section 11) from a socket of its own, outside the engine.
//! Any answer counts. Blocks for some seconds.
use model::config::trunk::{Transport, Trunk};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// How long an answer may take; asked twice.
const ANSWER: Duration = Duration::from_secs(2);
/// Addresses of a carrier that are asked.
const ADDRESSES: usize = 4;

/// Whether anything at the carrier's address answers.
#[must_use]
pub fn answers(trunk: &Trunk) -> bool {
    let Ok(addresses) = (trunk.host.as_str(), trunk.port).to_socket_addrs() else { return false };
    addresses.take(ADDRESSES).any(|address| {
        let asked = match trunk.transport {
            Transport::Udp => by_udp(trunk, address),
            Transport::Tcp => by_tcp(trunk, address),
        };
        asked.unwrap_or(false)
    })
}

fn by_udp(trunk: &Trunk, to: SocketAddr) -> std::io::Result<bool> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(ANSWER))?;
    let text = options(trunk, "UDP", socket.local_addr()?);
    let mut answer = [0; 512];
    for _ in 0..2 {
        socket.send(text.as_bytes())?;
        if socket.recv(&mut answer).is_ok_and(|read| answer[..read].starts_with(b"SIP/2.0")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_tcp(trunk: &Trunk, to: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&to, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    let text = options(trunk, "TCP", stream.local_addr()?);
    stream.write_all(text.as_bytes())?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"SIP/2.0")
}

fn options(trunk: &Trunk, transport: &str, from: SocketAddr) -> String {
    let (host, port) = (&trunk.host, trunk.port);
    let tag = std::process::id();
    format!(
        "OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bKlook{tag};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:look@{from}>;tag={tag}\r\nTo: <sip:{host}:{port}>\r\nCall-ID: look-{tag}@{from}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(port: u16, transport: &str) -> Trunk {
        let tree = serde_json::json!({
            "system": { "country": "DE" },
            "trunk": [{ "name": "carrier", "kind": "address", "host": "127.0.0.1", "port": port, "transport": transport }],
        });
        model::config::draft::read(&tree).unwrap().trunk["carrier"].clone()
    }

    #[test]
    fn a_carrier_that_refuses_is_there_and_one_that_is_silent_is_not() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let carrier = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let (read, from) = socket.recv_from(&mut buffer).unwrap();
            assert!(buffer[..read].starts_with(b"OPTIONS sip:127.0.0.1"));
            socket.send_to(b"SIP/2.0 403 Forbidden\r\n\r\n", from).unwrap();
        });
        assert!(answers(&trunk(port, "udp")));
        carrier.join().unwrap();
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!answers(&trunk(closed, "udp")));
        assert!(!answers(&trunk(closed, "tcp")));
    }
}
