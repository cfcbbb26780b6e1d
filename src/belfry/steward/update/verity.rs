//! Whether every block of a bundle is what was signed: computes the dm-verity tree (SHA-256, format 1, 4 KiB blocks) of
//! the payload and compares it with the one in the file and with the root hash in the signed manifest. RAUC checks the
//! signature, and the kernel each block while it is written; this finds a damaged download before anything is touched.
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A block of payload and of the tree.
const BLOCK: usize = 4096;
/// Bytes of a SHA-256.
const HASH: usize = 32;
/// Largest signature area: a manifest, a certificate or three, a signature.
const SIGNATURE_MAX: u64 = 64 * 1024;

/// What the manifest inside the signature says about the payload.
struct Signed {
    root: Vec<u8>,
    salt: Vec<u8>,
    tree: u64,
    end: u64,
}

/// Whether it is whole. `checked` hears each percent of it once.
///
/// # Errors
/// The file cannot be read.
pub fn whole(path: &Path, checked: &mut dyn FnMut(u8)) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let Some(signed) = signed(&mut file)? else { return Ok(false) };
    let Some(payload) = signed.end.checked_sub(signed.tree).filter(|p| p % BLOCK as u64 == 0) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut percent = Percent { of: payload, done: 0, told: 0 };
    let leaves =
        hashes(&mut reader.by_ref().take(payload), &signed.salt, |bytes| percent.more(bytes, checked))?;
    let (tree, root) = tree(leaves, &signed.salt);
    let mut kept = Vec::new();
    reader.take(signed.tree).read_to_end(&mut kept)?;
    Ok(root == signed.root && tree == kept)
}

/// The signature is at the end: its bytes, then its length as 8 bytes, the highest first.
fn signed(file: &mut File) -> std::io::Result<Option<Signed>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(at) = size.checked_sub(8) else { return Ok(None) };
    file.seek(SeekFrom::Start(at))?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_be_bytes(length);
    let Some(end) = at.checked_sub(length).filter(|_| length <= SIGNATURE_MAX) else { return Ok(None) };
    file.seek(SeekFrom::Start(end))?;
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let field = |name: &str| Some(text.split_once(name)?.1.lines().next()?.trim().to_owned());
    let (Some(root), Some(salt)) = (field("verity-hash=").and_then(hex), field("verity-salt=").and_then(hex))
    else {
        return Ok(None);
    };
    let Some(tree) = field("verity-size=").and_then(|t| t.parse().ok()) else { return Ok(None) };
    Ok(Some(Signed { root, salt, tree, end }))
}

fn hex(text: String) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let pairs = bytes.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.len().is_multiple_of(2).then(|| pairs.collect())?
}

fn hash(block: &[u8], salt: &[u8]) -> [u8; HASH] {
    Sha256::new().chain_update(salt).chain_update(block).finalize().into()
}

/// How far a stream was read.
struct Percent {
    of: u64,
    done: u64,
    told: u64,
}

impl Percent {
    fn more(&mut self, bytes: usize, tell: &mut dyn FnMut(u8)) {
        self.done += bytes as u64;
        let now = (self.done * 100 / self.of.max(1)).min(99);
        if now > self.told {
            self.told = now;
            tell(u8::try_from(now).unwrap_or(99));
        }
    }
}

/// The hash of each block of a stream, one after the other.
fn hashes(stream: &mut impl Read, salt: &[u8], mut hashed: impl FnMut(usize)) -> std::io::Result<Vec<u8>> {
    let (mut all, mut block) = (Vec::new(), vec![0; BLOCK]);
    loop {
        let mut filled = 0;
        while filled < BLOCK {
            match stream.read(&mut block[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        if filled < BLOCK {
            return Ok(all);
        }
        all.extend_from_slice(&hash(&block, salt));
        hashed(BLOCK);
    }
}

/// The levels above the leaves, the highest first, each filled up to whole blocks; and the hash of the highest.
fn tree(leaves: Vec<u8>, salt: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut levels, mut level) = (Vec::new(), leaves);
    loop {
        level.resize(level.len().div_ceil(BLOCK).max(1) * BLOCK, 0);
        let next: Vec<u8> = level.chunks(BLOCK).flat_map(|block| hash(block, salt)).collect();
        levels.push(level);
        if next.len() == HASH {
            levels.reverse();
            return (levels.concat(), next);
        }
        level = next;
    }
}
