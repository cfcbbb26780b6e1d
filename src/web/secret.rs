//! Random texts, hashes of them, and comparison that takes the same time whatever is wrong.
use crate::ports::Fault;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Random bytes from the kernel.
///
/// # Errors
/// The kernel gives no random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut raw = [0; N];
    getrandom::fill(&mut raw).map_err(|e| Fault::Inside(format!("no random bytes: {e}")))?;
    Ok(raw)
}

/// `bytes` random bytes from the kernel as lower-case hex.
///
/// # Errors
/// The kernel gives no random bytes.
pub fn random_hex(bytes: usize) -> Result<String, Fault> {
    let mut raw = vec![0; bytes];
    getrandom::fill(&mut raw).map_err(|e| Fault::Inside(format!("no random bytes: {e}")))?;
    Ok(hex(&raw))
}

/// Letters and digits that cannot be mistaken for each other when read aloud or off a screen.
const READABLE: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A set-up code such as `K7QM-2XHD`: 40 random bits.
///
/// # Errors
/// The kernel gives no random bytes.
pub fn readable_code() -> Result<String, Fault> {
    let raw: [u8; 8] = random()?;
    let letters: Vec<char> = raw.iter().map(|b| char::from(READABLE[usize::from(b % 32)])).collect();
    Ok(format!("{}-{}", letters[..4].iter().collect::<String>(), letters[4..].iter().collect::<String>()))
}

/// SHA-256 as lower-case hex; how cookies and tokens are kept.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// SHA-256 of bytes as lower-case hex.
#[must_use]
pub fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether both are equal, in a time that depends on the length of `given` only.
#[must_use]
pub fn same(given: &str, right: &str) -> bool {
    // Hashes are compared instead of the texts: what leaks through timing is then worth nothing.
    Sha256::digest(given.as_bytes()) == Sha256::digest(right.as_bytes())
}

fn hex(raw: &[u8]) -> String {
    raw.iter().fold(String::with_capacity(raw.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_differ_and_have_the_asked_length() {
        let (a, b) = (random_hex(16).unwrap(), random_hex(16).unwrap());
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
        let code = readable_code().unwrap();
        assert_eq!(code.len(), 9);
        assert!(code.chars().all(|c| c == '-' || READABLE.contains(&u8::try_from(c).unwrap())));
    }

    #[test]
    fn a_known_hash() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("", "a"));
    }
}
