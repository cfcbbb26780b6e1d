//! Whether the kernel's clock is kept right by somebody (timesyncd, chrony, a GPS card): `adjtimex` says so. Sets nothing.

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
