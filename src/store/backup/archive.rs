//! The tar inside a backup: order of its entries, the index with the sum of each, and the names that may stand in it.
//! Whoever reads gets every entry as a stream and is told at the end whether all of it was whole. Nothing outside the
//! known names is ever taken.
use super::snapshot::Snapshot;
use super::{BackupFault, FORMAT, Facts, KIND, Wanted, seal};
use crate::fault::Fault;
use crate::{migrate, schema, spool};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path};

const MANIFEST: &str = "manifest.json";
const INDEX: &str = "index.json";
/// The configuration as readable text.
pub(super) const COPY: &str = "site.copy.toml";
/// Folders of sound files.
pub(super) const FOLDERS: [&str; 5] = ["greetings", PROMPTS, "recordings", SOUNDS, "voicemail"];
/// That of own prompts. Backups of earlier versions have none; the prompts of the box then stay.
pub(super) const PROMPTS: &str = "prompts";
/// That of the files that the configuration names as `file:sounds/…`. As with prompts.
pub(super) const SOUNDS: &str = "sounds";
/// Longest manifest or index: a million files.
const TEXT_MAX: u64 = 256 * 1024 * 1024;
/// Bytes copied at once.
const PIECE: usize = 64 * 1024;

/// Length and sum of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    bytes: u64,
    sha256: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Index {
    files: BTreeMap<String, Sum>,
}

/// Whether the entry is a sound file of the box.
pub(super) fn is_sound(path: &str) -> bool {
    FOLDERS.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

/// Writes the whole backup and puts it on the disk. A sound file that was deleted meanwhile is left out, with its row.
pub(super) fn write(
    dir: &Path,
    out: &Path,
    snapshot: &mut Snapshot,
    wanted: &Wanted,
) -> Result<(), BackupFault> {
    let made = File::options().write(true).create_new(true).mode(0o600).open(out);
    let file = BufWriter::with_capacity(PIECE, made.map_err(Fault::file(out))?);
    let mut packer = Packer {
        tar: tar::Builder::new(seal::lock(file, &wanted.pass_phrase, out)?),
        index: Index::default(),
    };
    packer.text(MANIFEST, &snapshot.facts).map_err(Fault::file(out))?;
    for path in std::mem::take(&mut snapshot.files) {
        let whole = spool::below(dir, &path)?;
        match File::open(&whole) {
            Ok(file) => packer.file(&path, file).map_err(Fault::file(&whole))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => snapshot.gone(&path)?,
            Err(error) => return Err(Fault::file(&whole)(error).into()),
        }
    }
    let text = snapshot.copy.clone();
    packer.entry(COPY, u64::try_from(text.len()).unwrap_or(0), text.as_bytes()).map_err(Fault::file(out))?;
    let db = File::open(&snapshot.db).map_err(Fault::file(&snapshot.db))?;
    packer.file(schema::FILE, db).map_err(Fault::file(out))?;
    let index = std::mem::take(&mut packer.index);
    packer.text(INDEX, &index).map_err(Fault::file(out))?;
    packer.finish().map_err(Fault::file(out))?;
    Ok(())
}

struct Packer<W: Write> {
    tar: tar::Builder<age::stream::StreamWriter<BufWriter<W>>>,
    index: Index,
}

impl Packer<File> {
    fn text(&mut self, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        let text = serde_json::to_vec(value)?;
        self.entry(name, u64::try_from(text.len()).unwrap_or(0), text.as_slice())
    }

    fn file(&mut self, name: &str, file: File) -> std::io::Result<()> {
        let bytes = file.metadata()?.len();
        self.entry(name, bytes, BufReader::with_capacity(PIECE, file))
    }

    fn entry(&mut self, name: &str, bytes: u64, from: impl Read) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        let mut from = Summing::new(from.take(bytes));
        self.tar.append_data(&mut header, name, &mut from)?;
        let sum = from.sum();
        if sum.bytes != bytes {
            return Err(std::io::Error::other(format!("{name} became shorter while it was saved")));
        }
        self.index.files.insert(name.to_owned(), sum);
        Ok(())
    }

    fn finish(self) -> std::io::Result<()> {
        let sealed = self.tar.into_inner()?.finish()?;
        sealed.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }
}

/// Reads a backup to its end. `take` gets every entry but the manifest and the index, in the order written, and must read
/// it whole.
pub(super) fn read(
    from: impl Read,
    pass_phrase: &str,
    take: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), BackupFault>,
) -> Result<Facts, BackupFault> {
    let opened = seal::open(BufReader::with_capacity(PIECE, from), pass_phrase)?;
    let mut tar = tar::Archive::new(opened);
    let (mut facts, mut index, mut seen) = (None, None, Index::default());
    for entry in tar.entries().map_err(|e| damaged(&e))? {
        let mut entry = entry.map_err(|e| damaged(&e))?;
        let name = name_of(&entry)?;
        if index.is_some() {
            return Err(BackupFault::Damaged("something follows its index".into()));
        }
        match (name.as_str(), &facts) {
            (MANIFEST, None) => facts = Some(known(&text(&mut entry)?)?),
            (INDEX, Some(_)) => {
                index = Some(
                    serde_json::from_slice::<Index>(&text(&mut entry)?).map_err(|e| damaged(&e.into()))?,
                )
            }
            (_, Some(_)) => {
                allowed(&name)?;
                let mut summing = Summing::new(&mut entry);
                take(&name, &mut summing)?;
                seen.files.insert(name, summing.sum());
            }
            (_, None) => return Err(BackupFault::Foreign("it does not begin with our manifest".into())),
        }
    }
    let mut rest = tar.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(|e| damaged(&e))?;
    let facts = facts.ok_or_else(|| BackupFault::Foreign("it is empty".into()))?;
    let mut index = index.ok_or_else(|| BackupFault::Damaged("it is cut off".into()))?;
    index.files.remove(MANIFEST);
    let wrong = index
        .files
        .iter()
        .find(|(name, sum)| seen.files.get(*name) != Some(sum))
        .map(|(name, _)| name.clone());
    let wrong = wrong.or_else(|| seen.files.keys().find(|name| !index.files.contains_key(*name)).cloned());
    match wrong {
        Some(name) => Err(BackupFault::Damaged(format!("{name} is not what was saved"))),
        None => Ok(facts),
    }
}

fn known(text: &[u8]) -> Result<Facts, BackupFault> {
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|e| damaged(&e.into()))?;
    if value["kind"] != KIND {
        return Err(BackupFault::Foreign("its manifest is another program's".into()));
    }
    let version = value["version"].as_str().unwrap_or("unknown").to_owned();
    let newer = |field: &str, known: u32| value[field].as_u64().is_none_or(|found| found > u64::from(known));
    if newer("format", FORMAT) || newer("schema", migrate::KNOWN) {
        return Err(BackupFault::Newer { version });
    }
    serde_json::from_value(value).map_err(|e| damaged(&e.into()))
}

fn text(entry: &mut impl Read) -> Result<Vec<u8>, BackupFault> {
    let mut text = Vec::new();
    entry.take(TEXT_MAX).read_to_end(&mut text).map_err(|e| damaged(&e))?;
    Ok(text)
}

fn name_of<R: Read>(entry: &tar::Entry<'_, R>) -> Result<String, BackupFault> {
    if !entry.header().entry_type().is_file() {
        return Err(BackupFault::Foreign("it holds something else than files".into()));
    }
    let path = entry.path().map_err(|e| damaged(&e))?;
    path.to_str().map(str::to_owned).ok_or_else(|| BackupFault::Foreign("a name in it is no text".into()))
}

fn allowed(name: &str) -> Result<(), BackupFault> {
    let below = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
    if below && (is_sound(name) || name == COPY || name == schema::FILE) {
        return Ok(());
    }
    Err(BackupFault::Foreign(format!("\"{name}\" does not belong into it")))
}

/// Writes an entry below a folder, on the disk when it returns.
pub(super) fn unpack(folder: &Path, name: &str, entry: &mut dyn Read) -> Result<(), BackupFault> {
    let whole = spool::below(folder, name)?;
    let parent = whole.parent().ok_or_else(|| Fault::Path(name.to_owned()))?;
    schema::private_folder(parent)?;
    let made = File::options().write(true).create_new(true).mode(0o600).open(&whole);
    let mut file = made.map_err(Fault::file(&whole))?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = entry.read(&mut piece).map_err(|e| damaged(&e))?;
        if read == 0 {
            file.sync_all().map_err(Fault::file(&whole))?;
            return Ok(schema::sync_folder(parent)?);
        }
        file.write_all(&piece[..read]).map_err(Fault::file(&whole))?;
    }
}

/// What a reader saw, in words.
pub(super) fn damaged(error: &std::io::Error) -> BackupFault {
    let cut = error.kind() == std::io::ErrorKind::UnexpectedEof;
    BackupFault::Damaged(if cut { "it is cut off".into() } else { error.to_string() })
}

/// Counts and sums what is read through it.
struct Summing<R> {
    from: R,
    bytes: u64,
    sha: Sha256,
}

impl<R: Read> Summing<R> {
    fn new(from: R) -> Summing<R> {
        Summing { from, bytes: 0, sha: Sha256::new() }
    }

    fn sum(self) -> Sum {
        Sum { bytes: self.bytes, sha256: hex(&self.sha.finalize()) }
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        self.sha.update(&into[..read]);
        self.bytes += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
