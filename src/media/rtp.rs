//! The RTP header (RFC 3550 §5.1): read tolerantly, written plainly. Padding, contributing sources and extensions are
//! skipped on receipt and never sent.

/// Octets of the header we write.
pub const HEADER: usize = 12;

/// A received packet. Borrowed from the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtp<'a> {
    /// First packet after a pause, or of an event.
    pub marker: bool,
    /// 0–127.
    pub payload_type: u8,
    /// Grows by one with each packet.
    pub sequence: u16,
    /// 8 kHz clock of the first sample.
    pub timestamp: u32,
    /// Names the stream.
    pub ssrc: u32,
    /// Without padding.
    pub payload: &'a [u8],
}

/// Reads a datagram; `None` when it is not RTP version 2 or its lengths do not add up.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Rtp<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *head;
    if first >> 6 != 2 {
        return None;
    }
    let mut payload = rest.get(usize::from(first & 0x0F) * 4..)?;
    if first & 0x10 != 0 {
        let (extension, after) = payload.split_first_chunk::<4>()?;
        let words = u16::from_be_bytes([extension[2], extension[3]]);
        payload = after.get(usize::from(words) * 4..)?;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*payload.last()?);
        if padding == 0 {
            return None;
        }
        payload = payload.get(..payload.len().checked_sub(padding)?)?;
    }
    Some(Rtp {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7F,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        payload,
    })
}

/// Appends a header; the payload follows.
pub fn write_header(
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    into: &mut Vec<u8>,
) {
    into.extend_from_slice(&[0x80, (u8::from(marker) << 7) | (payload_type & 0x7F)]);
    into.extend_from_slice(&sequence.to_be_bytes());
    into.extend_from_slice(&timestamp.to_be_bytes());
    into.extend_from_slice(&ssrc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Vec<u8> {
        let mut bytes = Vec::new();
        write_header(true, 8, 0xABCD, 0x0102_0304, 0xDEAD_BEEF, &mut bytes);
        bytes.extend_from_slice(&[1, 2, 3]);
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = packet();
        let read = parse(&bytes).unwrap();
        assert_eq!(
            read,
            Rtp {
                marker: true,
                payload_type: 8,
                sequence: 0xABCD,
                timestamp: 0x0102_0304,
                ssrc: 0xDEAD_BEEF,
                payload: &[1, 2, 3]
            }
        );
    }

    #[test]
    fn padding_sources_and_extension_are_skipped() {
        let mut bytes = packet();
        bytes[0] = 0x80 | 0x20 | 0x10 | 1;
        let tail = bytes.split_off(HEADER);
        bytes.extend_from_slice(&[0, 0, 0, 9]);
        bytes.extend_from_slice(&[0xBE, 0xDE, 0, 1, 7, 7, 7, 7]);
        bytes.extend_from_slice(&tail);
        bytes.extend_from_slice(&[0, 0, 3]);
        assert_eq!(parse(&bytes).unwrap().payload, &[1, 2, 3]);
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        let whole = packet();
        for cut in 0..HEADER {
            assert_eq!(parse(&whole[..cut]), None);
        }
        for first in [0x00, 0x40, 0xC0, 0x8F, 0x90] {
            let mut bytes = whole.clone();
            bytes[0] = first;
            assert_eq!(parse(&bytes), None, "first octet {first:#x}");
        }
        let mut padded = whole.clone();
        padded[0] |= 0x20;
        *padded.last_mut().unwrap() = 200;
        assert_eq!(parse(&padded), None, "more padding than payload");
        *padded.last_mut().unwrap() = 0;
        assert_eq!(parse(&padded), None, "padding of nothing");
    }
}
