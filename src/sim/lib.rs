//! The world outside, virtual: phones, trunks, people, wire, disk. It drives the same engine, media core and record stream
//! as the box, on virtual time; the same seed is the same run. Stories (`tests/box`) and the bench use it.
pub mod dialer;
pub mod dice;
pub mod disk;
pub mod ladder;
pub mod lists;
pub mod site;
pub mod sound;
pub mod ua;
pub mod watch;
pub mod what_if;
pub mod wire;
pub mod world;

pub use sound::Heard;
pub use ua::{Habit, State};
pub use wire::Faults;
pub use world::{CallRef, UaId, World};

/// How many seeds a story runs with: `BELFRY_SEEDS`, else 200.
#[must_use]
pub fn seeds() -> u64 {
    std::env::var("BELFRY_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
}

/// Tells a story with every seed, or only with `BELFRY_SEED` to look at a failing one.
pub fn each_seed(mut story: impl FnMut(u64)) {
    match std::env::var("BELFRY_SEED").ok().and_then(|n| n.parse().ok()) {
        Some(seed) => story(seed),
        None => (0..seeds()).for_each(story),
    }
}
