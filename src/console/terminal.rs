//! The line the technician sits at: a terminal or a serial port in the kernel's line mode. Reads bounded lines, hides
//! passwords, never trusts what arrives.
use crate::screen;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::io::{Read, Result, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// Longest line taken; the rest of a longer one is dropped. The longest honest one sets two long texts at once.
const LONGEST: usize = 1024;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, cleaned, without its end.
    Text(String),
    /// Nothing for too long.
    Idle,
    /// The other side is gone.
    End,
}

/// Something that shows text and gives lines.
pub trait Terminal {
    /// Shows text.
    ///
    /// # Errors
    /// The line is gone.
    fn show(&mut self, text: &str) -> Result<()>;

    /// Waits for a line, not shown while typed when `secret`.
    ///
    /// # Errors
    /// The line is gone.
    fn read(&mut self, secret: bool, wait: Duration) -> Result<Line>;

    /// Waits without reading, e.g. after wrong passwords.
    fn rest(&mut self, time: Duration);
}

/// A real one, on any input and output.
pub struct Tty<R, W> {
    input: R,
    output: W,
    /// Bytes read beyond the last line.
    rest: Vec<u8>,
}

impl<R: Read + AsFd, W: Write> Tty<R, W> {
    /// On these ends; a terminal when they are one, else plain lines (tests, pipes).
    pub fn new(input: R, output: W) -> Tty<R, W> {
        Tty { input, output, rest: Vec::new() }
    }

    fn line(&mut self, wait: Duration) -> Result<Line> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                // A serial line may send CR LF: the empty line between is none.
                if line.ends_with(b"\r") && self.rest.first() == Some(&b'\n') {
                    self.rest.remove(0);
                }
                return Ok(Line::Text(clean(&line)));
            }
            // An endless line keeps its beginning; what is cut was garbage.
            self.rest.truncate(LONGEST);
            let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
            let mut ready = [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, wait)? == 0 {
                return Ok(Line::Idle);
            }
            let mut piece = [0; 512];
            let read = self.input.read(&mut piece)?;
            if read == 0 {
                return Ok(Line::End);
            }
            self.rest.extend_from_slice(&piece[..read]);
        }
    }

    /// Nothing typed is shown, and no key ends the program meanwhile: the terminal would stay blind.
    fn hide(&self) -> Option<Termios> {
        let before = tcgetattr(&self.input).ok()?;
        let mut now = before.clone();
        now.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
        now.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(&self.input, SetArg::TCSADRAIN, &now).ok()?;
        Some(before)
    }
}

impl<R: Read + AsFd, W: Write> Terminal for Tty<R, W> {
    fn show(&mut self, text: &str) -> Result<()> {
        self.output.write_all(text.replace('\n', "\r\n").as_bytes())?;
        self.output.flush()
    }

    fn read(&mut self, secret: bool, wait: Duration) -> Result<Line> {
        let before = if secret { self.hide() } else { None };
        let line = self.line(wait);
        if let Some(before) = before {
            tcsetattr(&self.input, SetArg::TCSADRAIN, &before)?;
        }
        line
    }

    fn rest(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A typed line as text: bytes that are no UTF-8 and control characters are taken out.
fn clean(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().filter(|c| *c != '\u{fffd}').collect();
    screen::clip(&text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn typed(bytes: &[u8]) -> Vec<Line> {
        let (mut keyboard, input) = UnixStream::pair().unwrap();
        keyboard.write_all(bytes).unwrap();
        drop(keyboard);
        let mut tty = Tty::new(input, Vec::new());
        let mut lines = Vec::new();
        loop {
            let line = tty.read(true, Duration::from_secs(5)).unwrap();
            lines.push(line.clone());
            if line == Line::End || lines.len() > 10_000 {
                return lines;
            }
        }
    }

    #[test]
    fn lines_end_with_any_of_the_three_customs() {
        let text = |t: &str| Line::Text(t.into());
        assert_eq!(typed(b"1\n2\r\n3\r4"), [text("1"), text("2"), text("3"), Line::End]);
    }

    #[test]
    fn a_silent_line_is_idle() {
        let (_keyboard, input) = UnixStream::pair().unwrap();
        let mut tty = Tty::new(input, Vec::new());
        assert_eq!(tty.read(false, Duration::from_millis(1)).unwrap(), Line::Idle);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn any_bytes_become_bounded_clean_lines(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..5000)) {
            for line in typed(&bytes) {
                if let Line::Text(text) = line {
                    assert!(text.chars().count() <= LONGEST && !text.chars().any(char::is_control), "{text:?}");
                }
            }
        }
    }
}
