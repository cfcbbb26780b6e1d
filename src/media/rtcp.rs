//! RTCP (RFC 3550 §6): our reports (SR or RR, with SDES CNAME) and what the peer's reports say. Compound packets are
//! read tolerantly: an unknown or damaged part ends the reading, never the session.
use model::clock::{Mono, Now};

/// What a peer's compound packet told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Middle 32 bits of the NTP time of its sender report.
    pub sender_report: Option<u32>,
    /// Its view of our stream.
    pub block: Option<Block>,
    /// It said goodbye.
    pub bye: bool,
}

/// A report block (§6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The stream reported on.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction: u8,
    /// Lost altogether; 24 bits.
    pub lost: u32,
    /// Highest sequence number with cycles.
    pub highest: u32,
    /// In clock steps.
    pub jitter: u32,
    /// Middle bits of the last sender report heard, 0 for none.
    pub last_report: u32,
    /// Since it was heard, 65536ths of a second.
    pub delay: u32,
}

/// Our own stream, for a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// RTP time of now.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload octets sent.
    pub octets: u32,
}

/// Parts of a compound packet that are looked at; more are ignored.
const MAX_PARTS: usize = 16;

/// Reads a compound packet; `ours` picks the block about our stream. `None` when it is not RTCP.
#[must_use]
pub fn parse(bytes: &[u8], ours: u32) -> Option<Heard> {
    let mut heard = None;
    let mut rest = bytes;
    for _ in 0..MAX_PARTS {
        let Some((&[first, kind, l0, l1], _)) = rest.split_first_chunk::<4>() else { break };
        let length = usize::from(u16::from_be_bytes([l0, l1])) * 4 + 4;
        if first >> 6 != 2 || !(192..=223).contains(&kind) || rest.len() < length {
            break;
        }
        let (part, after) = rest.split_at(length);
        read_part(kind, first & 0x1F, part, ours, heard.get_or_insert_default());
        rest = after;
    }
    heard
}

fn read_part(kind: u8, count: u8, part: &[u8], ours: u32, heard: &mut Heard) {
    let blocks = match kind {
        200 => {
            heard.sender_report = word(part, 8).zip(word(part, 12)).map(|(s, f)| (s << 16) | (f >> 16));
            28
        }
        201 => 8,
        203 => {
            heard.bye = true;
            return;
        }
        _ => return,
    };
    for n in 0..usize::from(count) {
        if let Some(block) = read_block(part, blocks + n * 24)
            && block.ssrc == ours
        {
            heard.block = Some(block);
        }
    }
}

fn read_block(part: &[u8], at: usize) -> Option<Block> {
    let loss = word(part, at + 4)?;
    Some(Block {
        ssrc: word(part, at)?,
        fraction: u8::try_from(loss >> 24).unwrap_or(u8::MAX),
        lost: loss & 0xFF_FFFF,
        highest: word(part, at + 8)?,
        jitter: word(part, at + 12)?,
        last_report: word(part, at + 16)?,
        delay: word(part, at + 20)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

/// Appends a compound packet: SR when something was sent, else RR; then SDES with the CNAME.
pub fn write(now: Now, ssrc: u32, sent: Option<Sent>, block: Option<Block>, cname: &str, into: &mut Vec<u8>) {
    let count = u8::from(block.is_some());
    let words = u16::from(count) * 6 + if sent.is_some() { 6 } else { 1 };
    into.extend_from_slice(&[0x80 | count, if sent.is_some() { 200 } else { 201 }]);
    into.extend_from_slice(&words.to_be_bytes());
    into.extend_from_slice(&ssrc.to_be_bytes());
    if let Some(sent) = sent {
        into.extend_from_slice(&ntp(now).to_be_bytes());
        for value in [sent.timestamp, sent.packets, sent.octets] {
            into.extend_from_slice(&value.to_be_bytes());
        }
    }
    if let Some(b) = block {
        let loss = (u32::from(b.fraction) << 24) | b.lost.min(0x7F_FFFF);
        for value in [b.ssrc, loss, b.highest, b.jitter, b.last_report, b.delay] {
            into.extend_from_slice(&value.to_be_bytes());
        }
    }
    write_sdes(ssrc, cname, into);
}

/// Appends a BYE (§6.6): the stream ends here.
pub fn write_bye(ssrc: u32, into: &mut Vec<u8>) {
    into.extend_from_slice(&[0x81, 203, 0, 1]);
    into.extend_from_slice(&ssrc.to_be_bytes());
}

fn write_sdes(ssrc: u32, cname: &str, into: &mut Vec<u8>) {
    let name = cname.as_bytes().get(..cname.len().min(64)).unwrap_or_default();
    let item = 2 + name.len();
    // At least one octet ends the list; the chunk is filled up to whole words.
    let padded = (item / 4 + 1) * 4;
    let words = u16::try_from(padded / 4 + 1).unwrap_or(0);
    into.extend_from_slice(&[0x81, 202]);
    into.extend_from_slice(&words.to_be_bytes());
    into.extend_from_slice(&ssrc.to_be_bytes());
    into.extend_from_slice(&[1, u8::try_from(name.len()).unwrap_or(0)]);
    into.extend_from_slice(name);
    into.resize(into.len() + padded - item, 0);
}

/// Seconds from 1900 to 1970.
const NTP_ERA: u64 = 2_208_988_800;

/// NTP time (§4): seconds since 1900 in the upper half, fractions in the lower.
#[must_use]
pub fn ntp(now: Now) -> u64 {
    let ms = u64::try_from(now.wall.0).unwrap_or(0);
    let fraction = (ms % 1000) * (1 << 32) / 1000;
    ((ms / 1000 + NTP_ERA) << 32) | fraction
}

/// A time span in 65536ths of a second, as `delay` counts.
#[must_use]
pub fn short_span(from: Mono, to: Mono) -> u32 {
    u32::try_from((to - from).as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;

    const BLOCK: Block =
        Block { ssrc: 7, fraction: 12, lost: 345, highest: 0x1_0002, jitter: 80, last_report: 9, delay: 10 };

    fn now() -> Now {
        Now { mono: Mono(0), wall: Wall(1_000_500) }
    }

    #[test]
    fn a_sender_report_reads_back() {
        let mut bytes = Vec::new();
        let sent = Sent { timestamp: 1, packets: 2, octets: 3 };
        write(now(), 99, Some(sent), Some(BLOCK), "box", &mut bytes);
        assert_eq!(bytes.len() % 4, 0);
        let heard = parse(&bytes, 7).unwrap();
        assert_eq!(heard.block, Some(BLOCK));
        let middle = u32::try_from((ntp(now()) >> 16) & 0xFFFF_FFFF).unwrap();
        assert_eq!(heard.sender_report, Some(middle));
        assert_eq!(parse(&bytes, 8).unwrap().block, None, "about another stream");
    }

    #[test]
    fn ntp_time_counts_from_1900() {
        let t = ntp(Now { mono: Mono(0), wall: Wall(500) });
        assert_eq!((t >> 32, t & 0xFFFF_FFFF), (NTP_ERA, 1 << 31));
    }

    #[test]
    fn a_receiver_report_with_any_name_is_whole_words() {
        for name in ["", "a", "ab", "abc", "abcd", "abcde"] {
            let mut bytes = Vec::new();
            write(now(), 99, None, None, name, &mut bytes);
            assert_eq!(bytes.len() % 4, 0);
            assert_eq!(parse(&bytes, 7), Some(Heard::default()));
            let sdes = &bytes[8..];
            let length = usize::from(u16::from_be_bytes([sdes[2], sdes[3]])) * 4 + 4;
            assert_eq!(length, sdes.len(), "{name}");
            assert_eq!(sdes.last(), Some(&0));
        }
    }

    #[test]
    fn damaged_packets_are_read_as_far_as_they_go() {
        let mut bytes = Vec::new();
        write(now(), 99, Some(Sent { timestamp: 1, packets: 2, octets: 3 }), Some(BLOCK), "box", &mut bytes);
        for cut in 0..bytes.len() {
            let _ = parse(&bytes[..cut], 7);
        }
        assert_eq!(parse(&bytes[..20], 7), None);
        let mut claims_more = bytes.clone();
        claims_more[0] |= 31;
        assert_eq!(parse(&claims_more, 7).unwrap().block, Some(BLOCK));
        assert_eq!(parse(&[0x81, 203, 0, 1, 0, 0, 0, 9], 7).map(|h| h.bye), Some(true));
        assert_eq!(parse(b"hello, not rtcp", 7), None);
    }
}
