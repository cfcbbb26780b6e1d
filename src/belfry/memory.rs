//! What the control role frees goes back to the system: the C library keeps the freed memory of each thread for that
//! thread, and a start, a restore or a busy hour would stay for ever as the most that each of its thirty threads ever
//! had. Not for the media role: its loop must wait for nobody's lock, and it frees next to nothing.
use std::time::{Duration, Instant};

/// Heaps that threads share. More would wait for each other less, but only one thread here is in a hurry, the engine's.
const ARENAS: i32 = 4;

/// The first time after the start, when everything has been read.
const FIRST: Duration = Duration::from_secs(1);

/// Between two times: a walk over the free memory takes the engine's heap for about a millisecond.
const EVERY: Duration = Duration::from_secs(20);

/// To be called before threads are started.
pub fn few_arenas() {
    // SAFETY: takes two numbers and changes nothing but where later allocations come from.
    let done = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    if done == 0 {
        tracing::debug!("the number of heaps stays as it is");
    }
}

/// Gives free memory back now and then.
#[derive(Debug)]
pub struct Tidy {
    next: Instant,
}

impl Default for Tidy {
    fn default() -> Tidy {
        Tidy { next: Instant::now() + FIRST }
    }
}

impl Tidy {
    /// Does it when it is time.
    pub fn when_due(&mut self) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + EVERY;
            // SAFETY: walks the allocator's own lists under its own locks; nothing in use is touched.
            unsafe { libc::malloc_trim(0) };
        }
    }
}
