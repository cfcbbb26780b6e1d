//! The hardware watchdog (Linux `watchdog-api`): once opened, the board resets unless it is fed. Fed by the supervisor
//! only while every loop beats. Never feeds by itself.
use crate::description;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

mod ioctl {
    //! Requests of `linux/watchdog.h`.
    nix::ioctl_readwrite!(set_timeout, b'W', 6, nix::libc::c_int);
    nix::ioctl_read!(keep_alive, b'W', 5, nix::libc::c_int);
}

/// An armed watchdog.
#[derive(Debug)]
pub struct Watchdog {
    device: File,
    path: PathBuf,
}

impl Watchdog {
    /// Opens and so arms it, with the timeout of the description (or the nearest that the hardware can do).
    ///
    /// # Errors
    /// The operating system's, when the device is missing or taken.
    pub fn open(description: &description::Watchdog) -> std::io::Result<Watchdog> {
        let device = OpenOptions::new().write(true).open(&description.device)?;
        let mut seconds = i32::try_from(description.timeout_s).unwrap_or(i32::MAX);
        // SAFETY: the descriptor is open and WDIOC_SETTIMEOUT reads and writes one int, which `seconds` is.
        if let Err(error) = unsafe { ioctl::set_timeout(device.as_raw_fd(), &raw mut seconds) } {
            tracing::warn!(device = %description.device.display(), %error, "the watchdog keeps its own timeout");
        }
        tracing::info!(device = %description.device.display(), timeout_s = seconds, "hardware watchdog armed");
        Ok(Watchdog { device, path: description.device.clone() })
    }

    /// A sign of life.
    pub fn pet(&mut self) {
        let mut unused = 0;
        // SAFETY: the descriptor is open and WDIOC_KEEPALIVE writes at most one int, which `unused` is.
        if unsafe { ioctl::keep_alive(self.device.as_raw_fd(), &raw mut unused) }.is_err()
            && let Err(error) = self.device.write_all(b"\0")
        {
            tracing::error!(device = %self.path.display(), %error, "the watchdog cannot be fed");
        }
    }

    /// Disarms it before an orderly stop (the "magic close"; a kernel with `nowayout` ignores it).
    pub fn disarm(mut self) {
        if let Err(error) = self.device.write_all(b"V") {
            tracing::warn!(device = %self.path.display(), %error, "the watchdog stays armed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_watchdog_without_ioctls_is_fed_and_disarmed_by_writing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let description = description::Watchdog { device: file.path().to_owned(), timeout_s: 20 };
        let mut watchdog = Watchdog::open(&description).unwrap();
        watchdog.pet();
        watchdog.disarm();
        let mut written = Vec::new();
        file.reopen().unwrap().read_to_end(&mut written).unwrap();
        assert_eq!(written, b"\0V");
    }

    #[test]
    fn a_missing_device_is_an_error_and_no_panic() {
        let description = description::Watchdog { device: "/nonexistent/watchdog".into(), timeout_s: 20 };
        assert!(Watchdog::open(&description).is_err());
    }
}
