//! Tags, branches, Call-IDs and table keys from one seed: SHA-256 in counter mode, so that nobody outside can guess
//! the next one and the same seed gives the same run. Never asks the kernel.
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};

/// A source of unguessable numbers.
#[derive(Clone)]
pub struct Ids {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
    hash_seed: u64,
}

impl Ids {
    /// A source for one seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Ids {
        let mut ids = Ids { seed, counter: 0, block: [0; 32], used: 32, hash_seed: 0 };
        ids.hash_seed = ids.number();
        ids
    }

    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        if self.used + 8 > self.block.len() {
            self.block = digest(&self.seed, b"ids", self.counter);
            self.counter += 1;
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// A number below `limit` (not 0).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// A tag: 64 bits as hexadecimal digits.
    pub fn tag(&mut self) -> String {
        format!("{:016x}", self.number())
    }

    /// A Call-ID: 128 bits, no host in it.
    pub fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.number(), self.number())
    }

    /// A secret for another part, the same for the same label and seed.
    #[must_use]
    pub fn secret(&self, label: &str) -> [u8; 32] {
        digest(&self.seed, label.as_bytes(), 0)
    }

    /// A key for a table, made of texts. Keyed, so that a peer cannot aim for a collision.
    #[must_use]
    pub fn key(&self, parts: &[&str]) -> u128 {
        u128::from(self.half(1, parts)) << 64 | u128::from(self.half(2, parts))
    }

    fn half(&self, which: u64, parts: &[&str]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.hash_seed ^ which);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part.as_bytes());
        }
        hasher.finish()
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ids({})", self.counter)
    }
}

fn digest(seed: &[u8; 32], label: &[u8], counter: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(counter.to_le_bytes());
    hash.update(label);
    hash.finalize().into()
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_run() {
        let (mut a, mut b, mut c) = (Ids::new([1; 32]), Ids::new([1; 32]), Ids::new([2; 32]));
        let first: Vec<_> = (0..20).map(|_| a.number()).collect();
        assert_eq!(first, (0..20).map(|_| b.number()).collect::<Vec<_>>());
        assert_ne!(first, (0..20).map(|_| c.number()).collect::<Vec<_>>());
        assert_eq!(a.tag().len(), 16);
        assert_eq!(a.secret("x"), b.secret("x"));
        assert_ne!(a.secret("x"), a.secret("y"));
    }

    #[test]
    fn keys_tell_where_parts_end() {
        let ids = Ids::new([1; 32]);
        assert_eq!(ids.key(&["ab", "c"]), ids.key(&["ab", "c"]));
        assert_ne!(ids.key(&["ab", "c"]), ids.key(&["a", "bc"]));
    }
}
