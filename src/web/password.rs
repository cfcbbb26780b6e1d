//! Passwords: argon2id with 19 MiB, 2 passes, 1 lane (OWASP); at most two hashed at once so that a login storm never
//! takes the cores from calls, sixteen waiting, everybody else is told to come back. A user that does not exist costs
//! the same as a wrong password.
use crate::error::ApiError;
use crate::ports::Fault;
use crate::secret;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use model::sentence::Sentence;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Hashes at once: one per core of the reference box.
const AT_ONCE: usize = 2;
/// Waiting for a hash: sixteen take about half a second in all; more would make honest people wait.
const WAITING: usize = 16;
/// Shortest password of a person.
pub const MIN: usize = 10;
/// Longest, bytes: more only feeds the hash.
pub const MAX: usize = 256;

/// First words of every password list, refused whatever the length rule says.
const KNOWN: [&str; 24] = [
    "1234567890",
    "0123456789",
    "12345678910",
    "123456789012",
    "0987654321",
    "1111111111",
    "0000000000",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "qwertyuiop",
    "qwerty12345",
    "qwerty123456",
    "abcdefghij",
    "abc1234567",
    "abcd123456",
    "password123",
    "password1234",
    "passw0rd123",
    "administrator",
    "admin12345",
    "admin123456",
    "letmein123",
    "welcome123",
    "changeme123",
];

/// What is wrong with a new password; `None` = fine.
#[must_use]
pub fn weakness(user: &str, password: &str) -> Option<(&'static str, Sentence)> {
    let lower = password.to_lowercase();
    if password.chars().count() < MIN {
        let said = Sentence::new("The password needs at least 10 characters.", "密码至少需要 10 个字符。");
        return Some(("too_short", said));
    }
    if password.len() > MAX {
        let said = Sentence::new("The password may have at most 256 bytes.", "密码最多 256 字节。");
        return Some(("too_long", said));
    }
    let known = KNOWN.contains(&lower.as_str()) || lower.contains("belfry");
    if known || (!user.is_empty() && lower.contains(&user.to_lowercase())) {
        let said = Sentence::new(
            "This password is on every list of guesses or holds the user name.",
            "此密码在常见密码表中，或包含用户名。",
        );
        return Some(("guessable", said));
    }
    None
}

fn params() -> Result<Params, Fault> {
    Params::new(19 * 1024, 2, 1, None).map_err(odd)
}

fn hasher() -> Result<Argon2<'static>, Fault> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params()?))
}

fn odd(error: impl std::fmt::Display) -> Fault {
    Fault::Inside(format!("argon2: {error}"))
}

/// PHC text of a password's hash, with a fresh salt. Takes about 20 ms of one core.
///
/// # Errors
/// The kernel gives no random bytes.
pub fn hash(password: &str) -> Result<String, Fault> {
    let hash = hasher()?.hash_password(password.as_bytes()).map_err(odd)?;
    Ok(hash.to_string())
}

/// What looks like a hash and is none: random bytes, weighed as long as a real one. Made of nothing, because a hash costs
/// a start a third of its time.
fn of_nobody() -> Result<String, Fault> {
    let (salt, output): ([u8; 16], [u8; 32]) = (secret::random()?, secret::random()?);
    let made = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params()?).map_err(odd)?,
        salt: Some(Salt::new(&salt).map_err(odd)?),
        hash: Some(Output::new(&output).map_err(odd)?),
    };
    Ok(made.to_string())
}

fn verify(password: &str, phc: &str) -> bool {
    let (Ok(hash), Ok(hasher)) = (PasswordHash::new(phc), hasher()) else { return false };
    hasher.verify_password(password.as_bytes(), &hash).is_ok()
}

/// The door to the hash.
pub struct Gate {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Hash of nothing anybody can type, weighed for unknown users.
    nobody: String,
}

impl Gate {
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn new() -> Result<Gate, Fault> {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Gate { slots, waiting: AtomicUsize::new(0), nobody: of_nobody()? })
    }

    /// Whether the password is the one hashed; `None` = no such user, same time.
    ///
    /// # Errors
    /// 429 when too many wait.
    pub async fn check(&self, password: String, phc: Option<String>) -> Result<bool, ApiError> {
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| self.nobody.clone());
        let right = self.run(move || verify(&password, &phc)).await?;
        Ok(right && known)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// 429 when too many wait; 500 without random bytes.
    pub async fn make(&self, password: String) -> Result<String, ApiError> {
        Ok(self.run(move || hash(&password)).await??)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _place = Place::take(&self.waiting)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|e| ApiError::fault(&e))?;
        let done = tokio::task::spawn_blocking(move || {
            let out = work();
            drop(slot);
            out
        });
        done.await.map_err(|e| ApiError::fault(&e))
    }
}

/// A place among those waiting or weighed; given back when dropped, also when the asker went away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(count: &'a AtomicUsize) -> Result<Place<'a>, ApiError> {
        if count.fetch_add(1, Ordering::AcqRel) >= AT_ONCE + WAITING {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(ApiError::too_many("Too many people sign in at this moment.", 2));
        }
        Ok(Place(count))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_states_the_owasp_parameters_and_verifies() {
        let phc = hash("correct horse battery").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse battery", &phc));
        assert!(!verify("correct horse batterx", &phc));
        assert!(!verify("x", "not a hash"));
    }

    #[test]
    fn an_unknown_user_is_weighed_as_long_as_a_known_one_and_never_right() {
        let (nobody, real) = (of_nobody().unwrap(), hash("correct horse battery").unwrap());
        let costs = |phc: &str| phc.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(costs(&nobody), costs(&real));
        assert_eq!(nobody.len(), real.len());
        let weighed = hasher().unwrap().verify_password(b"anything", &PasswordHash::new(&nobody).unwrap());
        assert_eq!(weighed, Err(argon2::password_hash::Error::PasswordInvalid));
        assert_ne!(nobody, of_nobody().unwrap());
    }

    #[test]
    fn default_and_short_passwords_are_refused() {
        for weak in KNOWN {
            assert!(weakness("anna", weak).is_some(), "{weak}");
        }
        for weak in ["", "short", "Anna-is-here", "Belfry-2026!", &"x".repeat(300)] {
            assert!(weakness("anna", weak).is_some(), "{weak}");
        }
        assert_eq!(weakness("anna", "correct horse battery"), None);
        assert_eq!(weakness("anna", "钟楼里的十二只白鸽飞走"), None);
    }

    #[tokio::test]
    async fn an_unknown_user_is_never_let_in_and_the_nineteenth_at_once_is_sent_away() {
        let gate = Gate::new().unwrap();
        assert!(!gate.check("anything at all".into(), None).await.unwrap());
        let places: Vec<_> = (0..AT_ONCE + WAITING).map(|_| Place::take(&gate.waiting).unwrap()).collect();
        assert_eq!(gate.check("x".into(), None).await.unwrap_err().code(), "too_many");
        drop(places);
        assert!(gate.check("x".into(), None).await.is_ok());
    }
}
