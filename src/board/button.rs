//! The button of the board, as the kernel's input events (`gpio-keys`, which de-bounces). What a press means by how long
//! it lasts: held for ten seconds it arms the factory reset, which happens when it is let go within the next ten; held on,
//! it is called off. The same at power-on, before anything of ours runs, is `board/common/boot/button`. Reads; never
//! resets by itself.
use crate::description::Button as Description;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Held this long, letting go resets.
pub const ARM: Duration = Duration::from_secs(10);
/// Held this long, it was not meant.
pub const CALL_OFF: Duration = Duration::from_secs(20);
/// Bytes of one event of a 64-bit kernel: two longs of time, type, code, value.
const EVENT: usize = 24;
/// Type of an event about a key (`EV_KEY`).
const KEY: u16 = 1;

/// What a press means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Down, for now without a meaning; or up again without one.
    Nothing,
    /// Held long enough: letting go now resets.
    Armed,
    /// Let go while armed.
    Reset,
}

/// How long the button has been down. Pure.
#[derive(Debug, Default)]
pub struct Press {
    since: Option<Instant>,
}

impl Press {
    /// The button went down or up.
    pub fn turn(&mut self, down: bool, now: Instant) -> Meaning {
        let before = self.meaning(now);
        if down {
            self.since.get_or_insert(now);
            return Meaning::Nothing;
        }
        self.since = None;
        if before == Meaning::Armed { Meaning::Reset } else { Meaning::Nothing }
    }

    /// What it means at this moment, while it is held.
    #[must_use]
    pub fn meaning(&self, now: Instant) -> Meaning {
        let held = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        if (ARM..CALL_OFF).contains(&held) { Meaning::Armed } else { Meaning::Nothing }
    }
}

/// The button.
pub struct Button {
    device: File,
    key: u16,
    press: Press,
    part: Vec<u8>,
}

impl Button {
    /// Opens it.
    ///
    /// # Errors
    /// The operating system's: no device has the key, or it may not be read.
    pub fn open(description: &Description) -> std::io::Result<Button> {
        let device = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(device(description)?)?;
        Ok(Button { device, key: description.key, press: Press::default(), part: Vec::new() })
    }

    /// Waits at most this long for the button; says what it means now.
    ///
    /// # Errors
    /// The operating system's: the device is gone.
    pub fn wait(&mut self, longest: Duration) -> std::io::Result<Meaning> {
        let wait = PollTimeout::try_from(longest).unwrap_or(PollTimeout::ZERO);
        // An interrupted wait is only a shorter one.
        let _ = poll(&mut [PollFd::new(self.device.as_fd(), PollFlags::POLLIN)], wait);
        let mut buffer = [0; EVENT * 16];
        match self.device.read(&mut buffer) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.part.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let now = Instant::now();
        let mut meaning = None;
        while self.part.len() >= EVENT {
            let event: Vec<u8> = self.part.drain(..EVENT).collect();
            if let Some(down) = self.key(&event) {
                meaning = Some(self.press.turn(down, now));
            }
        }
        Ok(meaning.unwrap_or_else(|| self.press.meaning(now)))
    }

    /// Whether this event is our key going down or up. The kernel repeats a held key with value 2.
    fn key(&self, event: &[u8]) -> Option<bool> {
        let half = |at: usize| Some(u16::from_ne_bytes(event.get(at..at + 2)?.try_into().ok()?));
        let value = i32::from_ne_bytes(event.get(20..24)?.try_into().ok()?);
        let ours = half(16)? == KEY && half(18)? == self.key && value != 2;
        ours.then_some(value == 1)
    }
}

/// The input device that has the key.
fn device(description: &Description) -> std::io::Result<PathBuf> {
    for entry in std::fs::read_dir(description.root.join("sys/class/input"))? {
        let entry = entry?;
        let keys = std::fs::read_to_string(entry.path().join("device/capabilities/key")).unwrap_or_default();
        if entry.file_name().as_encoded_bytes().starts_with(b"event") && has(&keys, description.key) {
            return Ok(description.root.join("dev/input").join(entry.file_name()));
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}

/// Whether the kernel's map of keys has this one: words of 64 keys in hexadecimal, the last ones first.
fn has(keys: &str, key: u16) -> bool {
    let word = keys.split_whitespace().rev().nth(usize::from(key / 64));
    word.and_then(|word| u64::from_str_radix(word, 16).ok()).is_some_and(|word| word >> (key % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(code.to_ne_bytes());
        bytes.extend(value.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_press_means_something_only_when_it_is_let_go_between_ten_and_twenty_seconds() {
        let start = Instant::now();
        for (held_s, meant) in [
            (0, Meaning::Nothing),
            (9, Meaning::Nothing),
            (10, Meaning::Reset),
            (19, Meaning::Reset),
            (20, Meaning::Nothing),
            (3600, Meaning::Nothing),
        ] {
            let mut press = Press::default();
            press.turn(true, start);
            assert_eq!(press.turn(false, start + Duration::from_secs(held_s)), meant, "{held_s} s");
        }
    }

    #[test]
    fn while_it_is_held_it_shows_when_it_is_armed_and_when_it_is_called_off() {
        let start = Instant::now();
        let mut press = Press::default();
        assert_eq!(press.meaning(start), Meaning::Nothing);
        press.turn(true, start);
        let at = |s| press.meaning(start + Duration::from_secs(s));
        assert_eq!(
            [at(0), at(9), at(10), at(19), at(20)],
            [Meaning::Nothing, Meaning::Nothing, Meaning::Armed, Meaning::Armed, Meaning::Nothing]
        );
    }

    #[test]
    fn a_second_down_without_an_up_does_not_start_over() {
        let start = Instant::now();
        let mut press = Press::default();
        press.turn(true, start);
        press.turn(true, start + Duration::from_secs(8));
        assert_eq!(press.turn(false, start + Duration::from_secs(11)), Meaning::Reset);
    }

    #[test]
    fn events_are_read_in_pieces_and_other_keys_are_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        std::fs::create_dir_all(root.join("dev/input")).unwrap();
        // A keyboard without the key, and a button with nothing else, as the kernel tells of them.
        for (name, keys) in [
            ("event0", "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe"),
            ("event1", "1000000 0 0 0 0 0 0"),
        ] {
            let folder = root.join("sys/class/input").join(name).join("device/capabilities");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("key"), format!("{keys}\n")).unwrap();
        }
        let path = root.join("dev/input/event1");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(Button::open(&Description { root: root.clone(), key: 409 }).is_err(), "nothing has this key");
        let mut button = Button::open(&Description { root, key: 408 }).unwrap();
        let mut kernel = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        kernel.write_all(&event(KEY, 30, 1)).unwrap();
        kernel.write_all(&event(0, 0, 0)).unwrap();
        button.wait(Duration::from_secs(5)).unwrap();
        assert!(button.press.since.is_none());
        let down = event(KEY, 408, 1);
        kernel.write_all(&down[..10]).unwrap();
        button.wait(Duration::from_secs(5)).unwrap();
        kernel.write_all(&down[10..]).unwrap();
        kernel.write_all(&event(KEY, 408, 2)).unwrap();
        button.wait(Duration::from_secs(5)).unwrap();
        assert!(button.press.since.is_some());
        kernel.write_all(&event(KEY, 408, 0)).unwrap();
        assert_eq!(button.wait(Duration::from_secs(5)).unwrap(), Meaning::Nothing);
        assert!(button.press.since.is_none());
        drop(kernel);
        assert!(button.wait(Duration::from_secs(5)).is_err(), "the device is gone");
    }
}
