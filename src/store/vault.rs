//! Keeps the configuration at rest: passwords of phones, trunks and mail accounts and the secrets of webhooks stand in it.
//! It is sealed (XChaCha20-Poly1305, a fresh nonce each time) with a key that no copy of the database holds: a file of its
//! own, made with a fresh data folder, destroyed first of all by a factory reset. SQL knows two functions, `seal` and
//! `unseal`; without a key the first one leaves a text as it is, and the second one reads what is clear in any case.
//! Sealing begins only when no system on the box is shut out by it. Never leaves the box: a backup holds the clear text
//! under the backup's own lock.
use crate::config;
use crate::fault::Fault;
use crate::schema;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The key, below the data folder.
const KEY: &str = "keys/site";
/// Its length.
const BYTES: usize = 32;
/// Length of a nonce: long enough to be drawn.
const NONCE: usize = 24;
/// What a sealed text begins with; no JSON and no TOML does.
const MARK: &str = "sealed1:";
/// What is sealed, so that nothing else sealed with the key can stand in its place.
const WHAT: &[u8] = b"belfry configuration";
/// The first schema whose programs can read what is sealed.
const SINCE: u32 = 12;
/// Stands before the way down from [`SINCE`] while anything is sealed: a program that does not know `unseal` then refuses to
/// start, and the box goes back to the one that does, instead of starting without a configuration.
const OPENING: &str = "UPDATE generation SET tree = unseal(tree);\n";

/// A key, if the folder has one.
struct Vault(Option<XChaCha20Poly1305>);

impl Vault {
    fn of(dir: &Path) -> Result<Vault, Fault> {
        let path = dir.join(KEY);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Vault(XChaCha20Poly1305::new_from_slice(&bytes).ok())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vault(None)),
            Err(error) => Err(Fault::file(&path)(error)),
        }
    }

    fn seal(&self, text: &str) -> String {
        let Some(key) = &self.0 else { return text.to_owned() };
        let mut sealed = vec![0; NONCE];
        random(&mut sealed);
        let payload = Payload { msg: text.as_bytes(), aad: WHAT };
        let hidden = key
            .encrypt(XNonce::from_slice(&sealed), payload)
            .expect("a text is far shorter than the cipher can take");
        sealed.extend(hidden);
        format!("{MARK}{}", STANDARD_NO_PAD.encode(sealed))
    }

    /// The text; `None` = it was sealed with another key, or changed.
    fn unseal(&self, text: &str) -> Option<String> {
        let Some(hidden) = text.strip_prefix(MARK) else { return Some(text.to_owned()) };
        let bytes = STANDARD_NO_PAD.decode(hidden.trim_end()).ok()?;
        let (nonce, hidden) = bytes.split_at_checked(NONCE)?;
        let payload = Payload { msg: hidden, aad: WHAT };
        let clear = self.0.as_ref()?.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(clear).ok()
    }
}

/// Bytes of the kernel. It has no other way to fail than a broken machine, on which no key may be made.
fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel gives random bytes");
}

/// Whether a text is sealed.
pub(crate) fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

/// A text as it may lie in this folder.
pub(crate) fn sealed(dir: &Path, text: &str) -> Result<String, Fault> {
    Ok(Vault::of(dir)?.seal(text))
}

/// A text that lay in this folder; empty when it cannot be read.
pub(crate) fn opened(dir: &Path, text: &str) -> Result<String, Fault> {
    Ok(Vault::of(dir)?.unseal(text).unwrap_or_default())
}

/// Teaches a connection `seal` and `unseal` with the key of a folder. What cannot be unsealed is an empty text.
pub(crate) fn teach(db: &Connection, dir: &Path) -> Result<(), Fault> {
    // Only statements of this program may call them, nothing that a database brings along.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let (sealing, opening) = (Vault::of(dir)?, Vault::of(dir)?);
    db.create_scalar_function("seal", 1, flags, move |c: &Context<'_>| {
        Ok(sealing.seal(&c.get::<String>(0)?))
    })?;
    db.create_scalar_function("unseal", 1, flags, move |c: &Context<'_>| {
        Ok(opening.unseal(&c.get::<String>(0)?).unwrap_or_default())
    })?;
    Ok(())
}

/// Makes a key, if there is none; on the disk when this returns.
pub(crate) fn make(dir: &Path) -> Result<(), Fault> {
    if Vault::of(dir)?.0.is_some() {
        return Ok(());
    }
    let path = dir.join(KEY);
    let (folder, beside) = (dir.join("keys"), path.with_extension("new"));
    schema::private_folder(&folder)?;
    let write = || {
        let mut key = [0; BYTES];
        random(&mut key);
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(&key)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(Fault::file(&path))?;
    schema::sync_folder(&folder)?;
    schema::sync_folder(dir)
}

/// Brings what the database holds in line with the key, at a start. `before` is the schema it was found with, `known` that
/// of this program.
pub(crate) fn settle(db: &mut Connection, dir: &Path, before: u32, known: u32) -> Result<(), Fault> {
    // The program before this one knew it as well: from now on either of the two systems of the box can read it.
    if (SINCE..known).contains(&before) {
        make(dir)?;
    }
    if is_locked(db)? {
        let newest = "SELECT unseal(tree) = '' FROM generation ORDER BY generation DESC LIMIT 1";
        if db.query_row(newest, [], |row| row.get(0)).optional()?.unwrap_or(false) {
            tracing::error!(
                "the key of the configuration is gone, and what was sealed with it: set the site up again"
            );
            forget(db)?;
            make(dir)?;
        }
    }
    teach(db, dir)?;
    if Vault::of(dir)?.0.is_none() {
        return Ok(());
    }
    config::seal_copy(dir)?;
    if is_locked(db)? { Ok(()) } else { seal_all(db) }
}

/// Whether every generation is sealed.
fn is_locked(db: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT substr(sql, 1, length(?2)) = ?2 FROM way_down WHERE version = ?1";
    Ok(db.query_row(sql, params![SINCE, OPENING], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Seals every generation, and leaves nothing of the clear text in the file.
fn seal_all(db: &mut Connection) -> Result<(), Fault> {
    db.pragma_update(None, "secure_delete", "ON")?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("UPDATE generation SET tree = seal(unseal(tree))", [])?;
    tx.execute("UPDATE way_down SET sql = ?2 || sql WHERE version = ?1", params![SINCE, OPENING])?;
    tx.commit()?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    db.pragma_update(None, "secure_delete", "OFF")?;
    Ok(())
}

/// Opens every generation, for a copy that leaves the box under another lock.
pub(crate) fn unseal_all(db: &Connection) -> rusqlite::Result<()> {
    if is_locked(db)? {
        db.execute_batch(OPENING)?;
        unlock(db)?;
    }
    Ok(())
}

/// Removes what nobody can read any more.
fn forget(db: &mut Connection) -> Result<(), Fault> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("DELETE FROM generation WHERE unseal(tree) = ''", [])?;
    unlock(&tx)?;
    Ok(tx.commit()?)
}

fn unlock(db: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE way_down SET sql = substr(sql, length(?2) + 1) WHERE version = ?1";
    db.execute(sql, params![SINCE, OPENING]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path()).unwrap();
        dir
    }

    #[test]
    fn what_is_sealed_reads_as_before_and_never_looks_the_same_twice() {
        let dir = folder();
        let (one, two) =
            (sealed(dir.path(), "{\"a\":\"密\"}").unwrap(), sealed(dir.path(), "{\"a\":\"密\"}").unwrap());
        assert!(is_sealed(&one) && one != two);
        assert_eq!(opened(dir.path(), &one).unwrap(), "{\"a\":\"密\"}");
        assert_eq!(opened(dir.path(), "clear").unwrap(), "clear", "an older program wrote it");
        let before = std::fs::read(dir.path().join(KEY)).unwrap();
        make(dir.path()).unwrap();
        assert_eq!(std::fs::read(dir.path().join(KEY)).unwrap(), before, "a key that is there stays");
    }

    #[test]
    fn another_key_and_every_flipped_character_open_nothing() {
        let (dir, other) = (folder(), folder());
        let text = sealed(dir.path(), "secret").unwrap();
        assert_eq!(opened(other.path(), &text).unwrap(), "");
        for at in MARK.len()..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(opened(dir.path(), std::str::from_utf8(&bytes).unwrap()).unwrap(), "", "at {at}");
        }
        for cut in MARK.len()..text.len() {
            assert_eq!(opened(dir.path(), &text[..cut]).unwrap(), "", "cut at {cut}");
        }
    }

    #[test]
    fn a_folder_without_a_key_keeps_clear_texts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(sealed(dir.path(), "clear").unwrap(), "clear");
    }
}
