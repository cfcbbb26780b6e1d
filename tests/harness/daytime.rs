//! Numbers of a place where it is day now, and of one where it is night, whenever a test runs.
use std::time::{SystemTime, UNIX_EPOCH};

fn hour() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 3600 % 24
}

/// Begin of numbers of a place where it is day; four digits follow.
///
/// # Panics
/// On a machine whose clock stands before 1970.
#[must_use]
pub fn place() -> &'static str {
    match hour() {
        0..8 => "+8132345",  // Tokyo, 9 to 17 o'clock
        8..18 => "+4930901", // Berlin, 9 to 20 o'clock
        _ => "+1212555",     // New York, 13 to 20 o'clock
    }
}

/// Its time zone.
///
/// # Panics
/// On a machine whose clock stands before 1970.
#[must_use]
pub fn zone() -> &'static str {
    match hour() {
        0..8 => "Asia/Tokyo",
        8..18 => "Europe/Berlin",
        _ => "America/New_York",
    }
}

/// Begin of numbers of a place where nobody may be called now, by any law; four digits follow.
///
/// # Panics
/// On a machine whose clock stands before 1970.
#[must_use]
pub fn night() -> &'static str {
    match hour() {
        4..11 => "+1212555",  // New York, 23 to 6 o'clock
        11..13 => "+1213555", // Los Angeles, 3 to 6 o'clock
        13..21 => "+8132345", // Tokyo, 22 to 6 o'clock
        _ => "+4930901",      // Berlin, 22 to 6 o'clock
    }
}
