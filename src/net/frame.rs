//! Frames of the local socket between control and media: u32 little-endian length, then postcard of one word.
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Longest frame: the longest command (64 sounds with long names) is a quarter of it.
pub const MAX_FRAME: usize = 64 * 1024;

/// What is wrong with a frame. The connection is given up: both ends are one executable, so this is a bug or a
/// half-done update.
#[derive(Debug, Error)]
pub enum FrameFault {
    /// The sender named a length above [`MAX_FRAME`].
    #[error("a frame of {0} octets on the media socket; at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    /// The bytes are not the word expected.
    #[error("a frame on the media socket cannot be read (are both processes the same version?): {0}")]
    Unreadable(#[from] postcard::Error),
}

/// A word as a frame.
///
/// # Errors
/// [`FrameFault::TooLong`] when the word is too big to be sent; [`FrameFault::Unreadable`] never for our words.
pub fn encode<T: Serialize>(word: &T) -> Result<Vec<u8>, FrameFault> {
    let body = postcard::to_extend(word, vec![0; 4])?;
    let length = body.len() - 4;
    let Some(short) = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME) else {
        return Err(FrameFault::TooLong(length));
    };
    let mut frame = body;
    if let Some(head) = frame.first_chunk_mut::<4>() {
        *head = short.to_le_bytes();
    }
    Ok(frame)
}

/// Collects bytes of a stream and gives whole words. Holds at most one frame and one read more.
#[derive(Debug, Default)]
pub struct FrameReader {
    bytes: Vec<u8>,
    taken: usize,
}

impl FrameReader {
    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole word, `None` until more bytes come.
    ///
    /// # Errors
    /// As [`FrameFault`] says; the stream is unusable afterwards.
    pub fn word<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameFault> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((head, body)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            return Err(FrameFault::TooLong(length));
        }
        let Some(body) = body.get(..length) else { return Ok(None) };
        let word = postcard::from_bytes(body)?;
        self.taken += 4 + length;
        Ok(Some(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::{MediaCommand, MediaEvent, Sound};

    #[test]
    fn words_survive_a_stream_cut_anywhere() {
        let words: Vec<MediaEvent> = (0..20).map(|number| MediaEvent::Pong { number }).collect();
        let stream: Vec<u8> = words.iter().flat_map(|w| encode(w).unwrap()).collect();
        for piece in [1, 2, 3, 7, 1000] {
            let mut reader = FrameReader::default();
            let mut read = Vec::new();
            for bytes in stream.chunks(piece) {
                reader.push(bytes);
                while let Some(word) = reader.word::<MediaEvent>().unwrap() {
                    read.push(word);
                }
            }
            assert_eq!(read, words);
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_waited_for() {
        let mut reader = FrameReader::default();
        reader.push(&u32::MAX.to_le_bytes());
        assert!(matches!(reader.word::<MediaEvent>(), Err(FrameFault::TooLong(_))));
    }

    #[test]
    fn junk_is_refused() {
        let mut reader = FrameReader::default();
        reader.push(&[2, 0, 0, 0, 0xFF, 0xFF]);
        assert!(matches!(reader.word::<MediaEvent>(), Err(FrameFault::Unreadable(_))));
    }

    #[test]
    fn a_word_that_is_too_big_is_not_sent() {
        let sounds = vec![Sound::File("x".repeat(2000)); 64];
        let play = MediaCommand::Play {
            session: model::id::SessionId(1),
            play: model::id::PlayId(1),
            sounds,
            repeat: false,
            barge_in: false,
        };
        assert!(matches!(encode(&play), Err(FrameFault::TooLong(_))));
    }
}
