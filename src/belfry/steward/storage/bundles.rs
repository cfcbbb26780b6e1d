//! Update bundles on a USB stick: what is there, and bringing one to the box. The stick is mounted read-only, and only for
//! the act. Whether a bundle may be installed is found out afterwards, on the copy, as with every other bundle.
use super::{FILES, FOLDER, Held, READ_ONLY, copy, failed, with_mounted};
use crate::steward::Tell;
use crate::steward::place::Place;
use board::steward::{Answer, BundleName, Refused, UsbFile};
use model::sentence::Sentence;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Folder of the box that takes a bundle, below its home.
const UPDATE: &str = "update";
/// Its name there; the last part of `board::steward::BUNDLE`.
const NAME: &str = "bundle.raucb";
/// Longest bundle; as the web takes it.
const LONGEST: u64 = 256 << 20;
/// Room that stays on the data partition beside it.
const RESERVE: u64 = 64 << 20;

/// Bundles on the stick, by name.
///
/// # Errors
/// There is no stick, or it cannot be read.
pub fn list(place: &Place) -> Result<Answer, Refused> {
    with_mounted(place, READ_ONLY, |mount| {
        let mut files = Vec::new();
        for folder in [mount.to_owned(), mount.join(FOLDER)] {
            found(&folder, &mut files)?;
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|a, b| a.name == b.name);
        Ok(Answer::UsbFiles { files })
    })
}

/// Copies one to where an uploaded one is put.
///
/// # Errors
/// There is no stick, no such file, or no room.
pub fn fetch(place: &Place, name: &BundleName, tell: Tell<'_>) -> Result<Answer, Refused> {
    let to = Held::open(place, UPDATE).map_err(|e| failed(&e))?;
    with_mounted(place, READ_ONLY, |mount| {
        let from = open(mount, name)?;
        let all = from.metadata()?.len();
        enough(&to, all)?;
        // The box runs as another user, who owns the folder.
        let owner = to.0.metadata()?;
        let told = Told { file: from, done: 0, all, tell };
        copy(told, &to, NAME, Some((owner.uid(), owner.gid())))?;
        Ok(Answer::Done)
    })
}

fn found(folder: &Path, files: &mut Vec<UsbFile>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries.take(FILES) {
        let entry = entry?;
        let name = entry.file_name().to_str().and_then(|name| BundleName::try_from(name.to_owned()).ok());
        if let Some(name) = name
            && entry.file_type()?.is_file()
        {
            files.push(UsbFile { name: name.into(), bytes: entry.metadata()?.len() });
        }
    }
    Ok(())
}

/// In our folder of the stick, or beside it.
fn open(mount: &Path, name: &BundleName) -> std::io::Result<File> {
    let ours = Held::folder(&mount.join(FOLDER)).and_then(|f| Held(f).file(name.as_str(), false));
    // The place it is mounted at is root's own.
    ours.or_else(|_| Held(Held::folder(&mount.join("."))?).file(name.as_str(), false))
}

fn enough(to: &Held, bytes: u64) -> std::io::Result<()> {
    if bytes > LONGEST {
        return Err(std::io::Error::other("the file is too large to be an update for this box"));
    }
    let room = nix::sys::statvfs::fstatvfs(&to.0)?;
    let free = room.blocks_available().saturating_mul(room.fragment_size());
    if bytes.saturating_add(RESERVE) > free {
        return Err(std::io::Error::other(
            "there is not enough room on the box; delete recordings or backups",
        ));
    }
    Ok(())
}

/// A file that tells how much of it was read.
struct Told<'t> {
    file: File,
    done: u64,
    all: u64,
    tell: Tell<'t>,
}

impl Read for Told<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let percent = |done: u64, all: u64| u8::try_from(done.saturating_mul(99) / all.max(1)).unwrap_or(99);
        let before = percent(self.done, self.all);
        let read = self.file.read(into)?;
        self.done += u64::try_from(read).unwrap_or(0);
        let now = percent(self.done, self.all).min(99);
        if now != before {
            (self.tell)(now, Sentence::new("Copying from the USB stick", "正在从 U 盘复制"));
        }
        Ok(read)
    }
}
