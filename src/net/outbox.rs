//! Frames on their way into a local stream whose writer never waits: what the socket does not take now stays here, within
//! a limit, and is offered again. Decides when the other side counts as stuck; knows no words.
use crate::frame::{FrameFault, encode};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use serde::Serialize;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Bytes that wait beside what the socket's own buffer holds (about 200 KiB): some thousand words, several seconds of a
/// box at its call limit. One more word is refused.
const MOST: usize = 1024 * 1024;

/// A reader that takes nothing for so long is stuck; the connection is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What waits for one connection.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Vec<u8>,
    /// Since when the socket has taken nothing although something waits.
    stuck: Option<Instant>,
}

impl Outbox {
    /// Adds a word; false when there is no room.
    ///
    /// # Errors
    /// The word cannot be written as a frame.
    pub fn put<T: Serialize>(&mut self, word: &T) -> Result<bool, FrameFault> {
        let frame = encode(word)?;
        let room = self.waiting.len() + frame.len() <= MOST;
        if room {
            self.waiting.extend_from_slice(&frame);
        }
        Ok(room)
    }

    /// Writes what the socket takes now.
    ///
    /// # Errors
    /// The connection is over, or its reader is stuck.
    pub fn flush(&mut self, stream: &UnixStream) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            let rest = self.waiting.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            match send(stream.as_raw_fd(), rest, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break Ok(()),
                Err(why) => break Err(io::Error::from(why)),
            }
        };
        self.waiting.drain(..written);
        if self.waiting.is_empty() || written > 0 {
            self.stuck = None;
        }
        if !self.waiting.is_empty() && self.stuck.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the other side reads nothing"));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameReader;
    use model::media::MediaEvent;
    use std::io::Read;

    #[test]
    fn a_reader_that_is_slow_gets_every_word_in_order_and_one_that_never_reads_costs_words_and_no_time() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut outbox = Outbox::default();
        let mut put = 0;
        while outbox.put(&MediaEvent::Pong { number: put }).unwrap() {
            outbox.flush(&ours).unwrap();
            put += 1;
        }
        assert!(put > 100_000, "room for {put} words only");
        theirs.set_nonblocking(true).unwrap();
        let (mut reader, mut bytes, mut expected) = (FrameReader::default(), [0; 4096], 0);
        while expected < put {
            outbox.flush(&ours).unwrap();
            let count = theirs.read(&mut bytes).unwrap();
            reader.push(&bytes[..count]);
            while let Some(word) = reader.word::<MediaEvent>().unwrap() {
                assert_eq!(word, MediaEvent::Pong { number: expected });
                expected += 1;
            }
        }
    }

    #[test]
    fn a_connection_that_is_over_is_said_to_be() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let mut outbox = Outbox::default();
        assert!(outbox.put(&MediaEvent::Pong { number: 1 }).unwrap());
        assert!(outbox.flush(&ours).is_err());
    }
}
