//! The lock of a backup: age with a pass-phrase. Streams in pieces of 64 KiB, each with its own proof, so that a cut or a
//! changed bit is seen and no piece can be left out. Knows nothing of the content.
use super::BackupFault;
use crate::fault::Fault;
use age::secrecy::SecretString;
use std::io::{Read, Write};
use std::path::Path;

/// Work of scrypt as a power of two: 64 MiB and some tenths of a second on a small box, and too dear to guess four words.
const WORK: u8 = 16;
/// More work than this is not of our making, and would take the memory of the box.
const WORK_MAX: u8 = 17;

/// Locks what is written. End it with `finish`.
pub(super) fn lock<W: Write>(
    out: W,
    pass_phrase: &str,
    path: &Path,
) -> Result<age::stream::StreamWriter<W>, BackupFault> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(pass_phrase.to_owned()));
    recipient.set_work_factor(WORK);
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|e| Fault::file(path)(std::io::Error::other(e)))?;
    Ok(encryptor.wrap_output(out).map_err(Fault::file(path))?)
}

/// Opens what was locked.
pub(super) fn open<R: Read>(from: R, pass_phrase: &str) -> Result<impl Read, BackupFault> {
    let mut identity = age::scrypt::Identity::new(SecretString::from(pass_phrase.to_owned()));
    identity.set_max_work_factor(WORK_MAX);
    let decryptor = age::Decryptor::new(from).map_err(refusal)?;
    if !decryptor.is_scrypt() {
        return Err(BackupFault::Foreign("it was not locked with a pass-phrase".into()));
    }
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(refusal)
}

fn refusal(error: age::DecryptError) -> BackupFault {
    use age::DecryptError as E;
    match error {
        E::NoMatchingKeys | E::DecryptionFailed | E::KeyDecryptionFailed => BackupFault::PassPhrase,
        E::InvalidMac => BackupFault::Damaged("its head was changed".into()),
        E::ExcessiveWork { .. } => BackupFault::Foreign("it asks for far more work than ours do".into()),
        E::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            BackupFault::Foreign("it is too short".into())
        }
        E::Io(error) => BackupFault::Damaged(error.to_string()),
        other @ (E::InvalidHeader | E::UnknownFormat) => BackupFault::Foreign(other.to_string()),
    }
}
