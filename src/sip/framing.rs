//! Cuts a byte stream into messages (RFC 3261 section 18.3) and refuses early what is too large. One framer a stream;
//! never reads ahead of what it was given. A datagram needs no framer: it is one message or a keep-alive.
use crate::limits::{HEAD_BYTES_MAX, KEEPALIVE_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::name::Name;
use crate::scan;

/// Collects what a stream brings and cuts it into messages.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// How far the search for the blank line has got, so that dribbled bytes are looked at once.
    searched: usize,
    /// Length of the head, once its blank line was found.
    head: Option<usize>,
    blank: usize,
}

/// What a stream brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message for `Endpoint::receive`.
    Message(Vec<u8>),
    /// A CRLF CRLF keep-alive (RFC 5626 section 4.4.1): answer with one CRLF.
    Ping,
}

/// Why a stream must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Head or body larger than allowed.
    #[error("a message on the stream is larger than allowed")]
    TooLong,
    /// Content-Length missing, doubled or no number: the next message cannot be found.
    #[error("Content-Length on the stream is missing or no number")]
    NoLength,
    /// Blank lines without end.
    #[error("more blank lines on the stream than keep-alives need")]
    Blank,
}

/// What a keep-alive is answered with.
pub const PONG: &[u8] = b"\r\n";

impl StreamFramer {
    /// A framer for a fresh stream.
    #[must_use]
    pub fn new() -> StreamFramer {
        StreamFramer::default()
    }

    /// Adds bytes of the stream. At most 64 KiB at a time keeps memory bounded.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How many bytes wait for their rest; 0 means the peer owes nothing.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole frame; none when more bytes are needed. Call until none.
    ///
    /// # Errors
    /// [`FrameError`]: close the stream, its cut is lost.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(ping) = self.skip_blank()? {
            return Ok(Some(ping));
        }
        if matches!(self.buffer.first(), None | Some(b'\r' | b'\n')) {
            return Ok(None);
        }
        let Some(head) = self.head_length()? else { return Ok(None) };
        let total = head + content_length(&self.buffer[..head])?;
        if total > MESSAGE_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        if self.buffer.len() < total {
            return Ok(None);
        }
        let rest = self.buffer.split_off(total);
        let message = std::mem::replace(&mut self.buffer, rest);
        (self.searched, self.head, self.blank) = (0, None, 0);
        Ok(Some(Frame::Message(message)))
    }

    fn skip_blank(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.searched > 0 {
            return Ok(None);
        }
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.drain(..4);
            self.blank += 4;
            return if self.blank > KEEPALIVE_BYTES_MAX {
                Err(FrameError::Blank)
            } else {
                Ok(Some(Frame::Ping))
            };
        }
        // A lone CRLF may be the first half of a ping; it is dropped once something else follows it.
        let lone = self.buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let half = self.buffer.len() == lone && lone < 4 && b"\r\n\r\n".starts_with(&self.buffer);
        if !half {
            self.buffer.drain(..lone);
            self.blank += lone;
        }
        if self.blank > KEEPALIVE_BYTES_MAX { Err(FrameError::Blank) } else { Ok(None) }
    }

    /// Length of start line and headers with their blank line, once they are whole.
    fn head_length(&mut self) -> Result<Option<usize>, FrameError> {
        if self.head.is_some() {
            return Ok(self.head);
        }
        let from = self.searched.saturating_sub(3);
        let found = find_blank_line(&self.buffer[from..]).map(|i| from + i);
        self.searched = self.buffer.len();
        match found {
            Some(end) if end > HEAD_BYTES_MAX => Err(FrameError::TooLong),
            None if self.buffer.len() > HEAD_BYTES_MAX => Err(FrameError::TooLong),
            found => {
                self.head = found;
                Ok(found)
            }
        }
    }
}

/// Where the first blank line ends.
fn find_blank_line(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find_map(|i| match &bytes[i..] {
        [b'\n', b'\r', b'\n', ..] => Some(i + 3),
        [b'\n', b'\n', ..] => Some(i + 2),
        _ => None,
    })
}

/// Content-Length of a head. On a stream it must be there (RFC 3261 section 20.14).
fn content_length(head: &[u8]) -> Result<usize, FrameError> {
    let mut found = None;
    for line in head.split(|&b| b == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let name = std::str::from_utf8(line[..colon].trim_ascii()).unwrap_or_default();
        if Name::read(name) == Name::ContentLength {
            let value = std::str::from_utf8(line[colon + 1..].trim_ascii()).unwrap_or_default();
            let value =
                scan::number(value).and_then(|n| usize::try_from(n).ok()).ok_or(FrameError::NoLength)?;
            if found.replace(value).is_some_and(|before| before != value) {
                return Err(FrameError::NoLength);
            }
        }
    }
    found.ok_or(FrameError::NoLength)
}

/// Whether a datagram is only a keep-alive (blank lines, or the four zero octets some phones send).
#[must_use]
pub fn is_keepalive(datagram: &[u8]) -> bool {
    datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0 | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\nl : 3\r\n\r\nabc";

    fn drain(framer: &mut StreamFramer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next_frame().unwrap()).collect()
    }

    #[test]
    fn two_messages_and_pings_in_one_read() {
        let mut f = StreamFramer::new();
        f.push(&[b"\r\n\r\n", MESSAGE, b"\r\n", MESSAGE, b"\r\n\r\n"].concat());
        let whole = Frame::Message(MESSAGE.to_vec());
        assert_eq!(drain(&mut f), [Frame::Ping, whole.clone(), whole, Frame::Ping]);
        assert_eq!(f.waiting(), 0);
    }

    #[test]
    fn byte_by_byte() {
        let mut f = StreamFramer::new();
        let mut frames = Vec::new();
        for b in [MESSAGE, b"\r\n\r\n", MESSAGE].concat() {
            f.push(&[b]);
            frames.extend(drain(&mut f));
        }
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[1], Frame::Ping);
    }

    #[test]
    fn lost_cuts_close_the_stream() {
        let fail = |bytes: &[u8]| {
            let mut f = StreamFramer::new();
            f.push(bytes);
            f.next_frame().unwrap_err()
        };
        assert_eq!(fail(b"OPTIONS sip:a SIP/2.0\r\n\r\n"), FrameError::NoLength);
        assert_eq!(fail(b"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n"), FrameError::NoLength);
        assert_eq!(fail(b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"), FrameError::NoLength);
        assert_eq!(fail(b"OPTIONS sip:a SIP/2.0\r\nl: 70000\r\n\r\n"), FrameError::TooLong);
        assert_eq!(fail(&vec![b'x'; HEAD_BYTES_MAX + 1]), FrameError::TooLong);
        assert_eq!(fail(&b"\n".repeat(KEEPALIVE_BYTES_MAX + 2)), FrameError::Blank);
    }

    #[test]
    fn datagram_keepalives() {
        assert!(is_keepalive(b"\r\n\r\n") && is_keepalive(b"\0\0\0\0") && is_keepalive(b""));
        assert!(!is_keepalive(b"x"));
    }
}
