//! Writes messages as a `pcap` file (link type 101: raw IP), with the IP and UDP or TCP headers they had or could have had.
//! The format is the one of libpcap 2.4. A stream's numbers begin at 1 and count what is in the file, so that Wireshark
//! puts its pieces together. Decides nothing.
use super::Kept;
use sip::Transport;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Microseconds, in the byte order of this file.
const MAGIC: u32 = 0xa1b2_c3d4;
/// Longest packet of the file.
const SNAP: u32 = 0x0004_0000;
/// Raw IP, version 4 or 6.
const RAW: u32 = 101;
/// Bytes of a stream in one packet; as on an Ethernet.
const PIECE: usize = 1_400;
const UDP: u8 = 17;
const TCP: u8 = 6;
/// PSH and ACK.
const FLAGS: u8 = 0x18;

/// The whole file.
#[must_use]
pub fn write<'k>(messages: impl Iterator<Item = &'k Kept>) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [MAGIC.to_be_bytes(), [0, 2, 0, 4], [0; 4], [0; 4], SNAP.to_be_bytes(), RAW.to_be_bytes()] {
        out.extend(word);
    }
    let mut sent: BTreeMap<(SocketAddr, SocketAddr), u32> = BTreeMap::new();
    for kept in messages {
        let (from, to) = same_family(kept.ends());
        match kept.flow.transport {
            Transport::Udp => record(&mut out, kept.at_us, &packet(from, to, UDP, &datagram(from, to, kept))),
            Transport::Tcp => {
                for piece in kept.bytes.chunks(PIECE) {
                    let got = sent.get(&(to, from)).copied().unwrap_or(1);
                    let next = sent.entry((from, to)).or_insert(1);
                    let bytes = segment(from, to, *next, got, piece);
                    *next = next.wrapping_add(u32::try_from(piece.len()).unwrap_or(0));
                    record(&mut out, kept.at_us, &packet(from, to, TCP, &bytes));
                }
            }
        }
    }
    out
}

/// A socket of both families shows the old addresses in the new form; mixed ends become IPv6.
fn same_family((from, to): (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
    let plain = |a: SocketAddr| SocketAddr::new(a.ip().to_canonical(), a.port());
    let (from, to) = (plain(from), plain(to));
    if from.is_ipv4() == to.is_ipv4() {
        return (from, to);
    }
    let wide = |a: SocketAddr| match a.ip() {
        IpAddr::V4(old) => SocketAddr::new(old.to_ipv6_mapped().into(), a.port()),
        IpAddr::V6(_) => a,
    };
    (wide(from), wide(to))
}

fn record(out: &mut Vec<u8>, at_us: i64, packet: &[u8]) {
    let seconds = u32::try_from(at_us.div_euclid(1_000_000)).unwrap_or(0);
    let rest = u32::try_from(at_us.rem_euclid(1_000_000)).unwrap_or(0);
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    for word in [seconds, rest, length, length] {
        out.extend(word.to_be_bytes());
    }
    out.extend(packet);
}

fn datagram(from: SocketAddr, to: SocketAddr, kept: &Kept) -> Vec<u8> {
    let length = short(kept.bytes.len() + 8);
    let mut out = Vec::with_capacity(kept.bytes.len() + 8);
    for word in [from.port(), to.port(), length, 0] {
        out.extend(word.to_be_bytes());
    }
    out.extend(&kept.bytes);
    let sum = transport_sum(from.ip(), to.ip(), UDP, &out);
    // Zero would say that there is none.
    out[6..8].copy_from_slice(&if sum == 0 { u16::MAX } else { sum }.to_be_bytes());
    out
}

fn segment(from: SocketAddr, to: SocketAddr, next: u32, got: u32, piece: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(piece.len() + 20);
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend(next.to_be_bytes());
    out.extend(got.to_be_bytes());
    out.extend([5 << 4, FLAGS, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(piece);
    let sum = transport_sum(from.ip(), to.ip(), TCP, &out);
    out[16..18].copy_from_slice(&sum.to_be_bytes());
    out
}

fn packet(from: SocketAddr, to: SocketAddr, protocol: u8, content: &[u8]) -> Vec<u8> {
    let mut out = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut head = vec![0x45, 0];
            head.extend(short(content.len() + 20).to_be_bytes());
            head.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            head.extend(from.octets());
            head.extend(to.octets());
            let sum = checksum(&head);
            head[10..12].copy_from_slice(&sum.to_be_bytes());
            head
        }
        (from, to) => {
            let mut head = vec![0x60, 0, 0, 0];
            head.extend(short(content.len()).to_be_bytes());
            head.extend([protocol, 64]);
            head.extend(six(from).octets());
            head.extend(six(to).octets());
            head
        }
    };
    out.extend(content);
    out
}

fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(old) => old.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The sum over a header of both addresses, and the content.
fn transport_sum(from: IpAddr, to: IpAddr, protocol: u8, content: &[u8]) -> u16 {
    let mut all = Vec::with_capacity(content.len() + 40);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            all.extend(from.octets());
            all.extend(to.octets());
        }
        (from, to) => {
            all.extend(six(from).octets());
            all.extend(six(to).octets());
        }
    }
    all.extend([0, protocol]);
    all.extend(short(content.len()).to_be_bytes());
    all.extend(content);
    checksum(&all)
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w.get(1).copied().unwrap_or(0)));
    let mut sum = words.fold(0_u32, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    sum = (sum & 0xffff) + (sum >> 16);
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::*;
    use sip::Flow;
    use std::process::{Command, Stdio};

    fn messages() -> Vec<Kept> {
        let (own, peer) =
            (SocketAddr::from(([192, 0, 2, 1], 5060)), SocketAddr::from(([192, 0, 2, 50], 5062)));
        let (own6, peer6) = ("[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::50]:5062".parse().unwrap());
        let options = |n: usize, more: &str| {
            format!(
                "OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50:5062;branch=z9hG4bK{n}\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>\r\nCall-ID: call-{n}\r\nCSeq: {n} OPTIONS\r\nSubject: {more}\r\nContent-Length: 0\r\n\r\n"
            )
        };
        let kept = |n: usize, way, flow, more: &str| Kept {
            at_us: 1_800_000_000_000_000 + i64::try_from(n).unwrap(),
            way,
            flow,
            bytes: options(n, more).into_bytes(),
        };
        vec![
            kept(1, Way::In, Flow::udp(own, peer), ""),
            kept(2, Way::Out, Flow::udp(own6, peer6), "odd"),
            kept(3, Way::In, Flow::tcp(own, peer), &"long ".repeat(1_000)),
            kept(4, Way::In, Flow::tcp(own, peer), "after it"),
        ]
    }

    /// What Wireshark's own reader finds, one line a SIP message.
    fn read(file: &[u8], words: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcap");
        std::fs::write(&path, file).unwrap();
        let out = Command::new("tshark")
            .arg("-r")
            .arg(&path)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("tshark is needed (apt install tshark): {error}"));
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    #[test]
    fn wireshark_reads_every_message_with_its_ends_and_good_sums() {
        let file = write(messages().iter());
        let fields = ["sip.CSeq", "ip.src", "ipv6.dst", "udp.dstport", "tcp.dstport"];
        let words: Vec<&str> =
            ["-Y", "sip", "-T", "fields"].into_iter().chain(fields.iter().flat_map(|f| ["-e", f])).collect();
        let lines = read(&file, &words);
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "1 OPTIONS\t192.0.2.50\t\t5060\t",
                "2 OPTIONS\t\t2001:db8::50\t5062\t",
                "3 OPTIONS\t192.0.2.50\t\t\t5060",
                "4 OPTIONS\t192.0.2.50\t\t\t5060",
            ]
        );
        let bad = "ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 || _ws.malformed";
        let check = [
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
            "-o",
            "tcp.check_checksum:TRUE",
        ];
        let words: Vec<&str> = check.into_iter().chain(["-Y", bad]).collect();
        assert_eq!(read(&file, &words), "");
    }
}
