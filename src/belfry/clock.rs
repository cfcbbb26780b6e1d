//! The one place that reads clocks for the pure parts. Decides nothing.
use model::clock::{Mono, Now, Wall};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Both clocks; monotonic time counts from its making.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// Both clocks, read once.
    #[must_use]
    pub fn now(&self) -> Now {
        let mono = Mono(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX));
        Now { mono, wall: wall() }
    }
}

/// When this software was made, seconds since 1970. A clock before it is empty or wrong.
pub const BUILT_S: u64 = match u64::from_str_radix(env!("BELFRY_BUILT_S"), 10) {
    Ok(seconds) => seconds,
    Err(_) => 0,
};

/// Whether a time can be the present: not before this software was made.
#[must_use]
pub fn is_trusted(wall: Wall) -> bool {
    u64::try_from(wall.0 / 1000).is_ok_and(|seconds| seconds >= BUILT_S)
}

/// The wall clock; the year 1970 when it is set before that.
#[must_use]
pub fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
