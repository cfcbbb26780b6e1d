//! The only times the pure crates know. `Mono` is for timers and never jumps; `Wall` is for people and may.
//! The two are never mixed: a `Wall` is never added to a `Mono`.
use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use std::time::Duration;

/// Monotonic time: microseconds since the process started. For timers and measured lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// Time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Mono> for Mono {
    type Output = Duration;
    fn sub(self, earlier: Mono) -> Duration {
        self.since(earlier)
    }
}

/// Wall time: milliseconds since 1970-01-01T00:00:00 UTC. For records and business hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Wall(pub i64);

impl Wall {
    /// Milliseconds from `earlier` to here; negative when the clock was set back between them.
    #[must_use]
    pub fn millis_since(self, earlier: Wall) -> i64 {
        self.0 - earlier.0
    }
}

/// Both clocks, read once by the shell for one step of a pure crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub mono: Mono,
    /// For people.
    pub wall: Wall,
}
