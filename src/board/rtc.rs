//! The clock of the machine: whether the kernel's is kept right by somebody (timesyncd, chrony, a GPS card), and setting it
//! together with the battery clock. Decides nothing.
use std::fs::OpenOptions;
use std::io::Result;
use std::os::fd::AsRawFd;
use std::path::Path;

/// The battery clock, where there is one.
const BATTERY: &str = "/dev/rtc0";

/// `struct rtc_time` of `linux/rtc.h`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
struct RtcTime {
    sec: i32,
    min: i32,
    hour: i32,
    mday: i32,
    mon: i32,
    year: i32,
    wday: i32,
    yday: i32,
    isdst: i32,
}

mod ioctl {
    //! Requests of `linux/rtc.h`.
    nix::ioctl_write_ptr!(set_time, b'p', 0x0a, super::RtcTime);
}

/// Whether a time source keeps the clock right now.
#[must_use]
pub fn is_synchronised() -> bool {
    // SAFETY: all zeroes is a valid `timex` (numbers only), and `modes` 0 asks without changing anything.
    let state = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut timex)
    };
    (0..libc::TIME_ERROR).contains(&state)
}

/// Sets the clock of the machine, seconds since 1970, and the battery clock where there is one.
///
/// # Errors
/// The kernel refuses the first; a box without a battery clock is none.
pub fn set(unix_s: u64) -> Result<()> {
    let seconds = i64::try_from(unix_s).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    nix::time::clock_settime(nix::time::ClockId::CLOCK_REALTIME, nix::sys::time::TimeSpec::new(seconds, 0))?;
    if let Err(error) = set_battery(Path::new(BATTERY), seconds) {
        tracing::info!(%error, "there is no battery clock to set");
    }
    Ok(())
}

fn set_battery(device: &Path, seconds: i64) -> Result<()> {
    let file = OpenOptions::new().read(true).open(device)?;
    let time = broken_down(seconds).ok_or(std::io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open and RTC_SET_TIME reads one `rtc_time`, which `time` is.
    unsafe { ioctl::set_time(file.as_raw_fd(), &raw const time) }?;
    Ok(())
}

/// UTC as the battery clock counts it.
fn broken_down(seconds: i64) -> Option<RtcTime> {
    // SAFETY: all zeroes is a valid `tm`, and `gmtime_r` writes only into it.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        if libc::gmtime_r(&raw const seconds, &raw mut tm).is_null() {
            return None;
        }
        tm
    };
    Some(RtcTime {
        sec: tm.tm_sec,
        min: tm.tm_min,
        hour: tm.tm_hour,
        mday: tm.tm_mday,
        mon: tm.tm_mon,
        year: tm.tm_year,
        wday: tm.tm_wday,
        yday: tm.tm_yday,
        isdst: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_battery_clock_counts_months_from_0_and_years_from_1900() {
        let time = broken_down(1_795_363_200).expect("a time");
        assert_eq!((time.year, time.mon, time.mday, time.hour, time.min), (126, 10, 22, 16, 0));
    }
}
