//! Sends keys: RFC 4733 events with a packet each 20 ms and three end packets, or tones for a peer without events.
//! Keys wait in line; 60 ms of quiet part them, so that no receiver takes two for one.
use crate::limits::MAX_DIGITS_WAITING;
use crate::tone::Tone;
use model::media::Digit;
use std::collections::VecDeque;

/// Frames of quiet after a key.
const GAP_FRAMES: u16 = 3;

/// Packets that say a press has ended (RFC 4733 §2.5.1.4).
const ENDS: u16 = 3;

/// Shortest and longest press sent, frames: 60 ms is read by everybody; 6 s fits the duration field.
const FRAMES: std::ops::RangeInclusive<u16> = 3..=300;

/// Volume of events, −dBm0.
const VOLUME: u8 = 10;

/// What a frame of sending consists of.
#[derive(Debug)]
pub(crate) enum KeyFrame<'a> {
    /// An event packet; `first` begins a press and needs a new timestamp.
    Event { first: bool, payload: [u8; 4] },
    /// A frame of this tone.
    Sound(&'a mut Tone),
    /// The pause after a key: nothing is sent.
    Quiet,
}

#[derive(Debug)]
struct Press {
    digit: Digit,
    frames: u16,
    /// Frames sent so far, end packets included.
    done: u16,
    /// What is heard by a peer without events.
    tone: Option<Tone>,
}

/// Keys on their way to one peer.
#[derive(Debug, Default)]
pub(crate) struct DigitSender {
    waiting: VecDeque<(Digit, u16)>,
    press: Option<Press>,
    quiet: u16,
    /// Timestamp of the running event, kept here for the session.
    pub timestamp: u32,
}

impl DigitSender {
    /// Puts a key in line; false when the line is full.
    pub fn push(&mut self, digit: Digit, ms: u16) -> bool {
        if self.waiting.len() >= MAX_DIGITS_WAITING {
            return false;
        }
        self.waiting.push_back((digit, ms));
        true
    }

    /// The next frame, or `None` when nothing is left to send.
    pub fn frame(&mut self, events: bool) -> Option<KeyFrame<'_>> {
        if self.quiet > 0 {
            self.quiet -= 1;
            return Some(KeyFrame::Quiet);
        }
        if self.press.as_ref().is_some_and(Press::over) {
            self.press = None;
            self.quiet = GAP_FRAMES - 1;
            return Some(KeyFrame::Quiet);
        }
        if self.press.is_none() {
            let (digit, ms) = self.waiting.pop_front()?;
            let frames = ms.div_ceil(20).clamp(*FRAMES.start(), *FRAMES.end());
            let tone = (!events).then(|| Tone::of_key(digit.as_char()));
            self.press = Some(Press { digit, frames, done: 0, tone });
        }
        self.press.as_mut().map(Press::frame)
    }
}

impl Press {
    fn over(&self) -> bool {
        self.done >= if self.tone.is_some() { self.frames } else { self.frames + ENDS }
    }

    fn frame(&mut self) -> KeyFrame<'_> {
        self.done += 1;
        if let Some(tone) = &mut self.tone {
            return KeyFrame::Sound(tone);
        }
        let end = self.done > self.frames;
        let duration = (self.done.min(self.frames) * 160).to_be_bytes();
        let flags = VOLUME | if end { 0x80 } else { 0 };
        let payload = [self.digit.event(), flags, duration[0], duration[1]];
        KeyFrame::Event { first: self.done == 1, payload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digit(c: char) -> Digit {
        Digit::try_from(c).unwrap()
    }

    #[test]
    fn an_event_has_growing_durations_and_three_ends() {
        let mut s = DigitSender::default();
        assert!(s.push(digit('5'), 100));
        let mut seen = Vec::new();
        while let Some(frame) = s.frame(true) {
            if let KeyFrame::Event { first, payload } = frame {
                seen.push((
                    first,
                    payload[0],
                    payload[1] & 0x80 != 0,
                    u16::from_be_bytes([payload[2], payload[3]]),
                ));
            }
        }
        assert_eq!(
            seen,
            [
                (true, 5, false, 160),
                (false, 5, false, 320),
                (false, 5, false, 480),
                (false, 5, false, 640),
                (false, 5, false, 800),
                (false, 5, true, 800),
                (false, 5, true, 800),
                (false, 5, true, 800),
            ]
        );
    }

    #[test]
    fn keys_are_parted_by_sixty_milliseconds() {
        let mut s = DigitSender::default();
        s.push(digit('1'), 1);
        s.push(digit('1'), 60);
        let mut text = String::new();
        while let Some(frame) = s.frame(false) {
            text.push(match frame {
                KeyFrame::Event { .. } => 'e',
                KeyFrame::Sound(_) => 's',
                KeyFrame::Quiet => '-',
            });
        }
        assert_eq!(text, "sss---sss---");
    }

    #[test]
    fn the_line_is_bounded() {
        let mut s = DigitSender::default();
        let taken = (0..100).filter(|_| s.push(digit('1'), 100)).count();
        assert_eq!(taken, MAX_DIGITS_WAITING);
    }
}
