//! A small network of loopback addresses that no other test uses, so that every part keeps its standard port.
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};

/// 254 addresses of 127/8 that belong to one test.
#[derive(Clone, Copy, Debug)]
pub struct Lan {
    high: u8,
    low: u8,
}

static NEXT: AtomicU8 = AtomicU8::new(0);

impl Lan {
    /// Takes a network by the number of this process and a counter inside it.
    #[must_use]
    pub fn take() -> Lan {
        let pid = std::process::id().to_le_bytes();
        Lan {
            high: 10 + (pid[1] % 200),
            low: pid[0].wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(61)),
        }
    }

    /// The first of 100 ports of 127.0.0.1 for phone number `n` (0–9), which cannot have an address of its own.
    #[must_use]
    pub fn phone_port(&self, n: u16) -> u16 {
        40_000 + (u16::from(self.low) % 20) * 1_000 + n * 100
    }

    /// The host with this number, 1–254.
    #[must_use]
    pub fn host(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.high, self.low, number)
    }
}
