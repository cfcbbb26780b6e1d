//! Where backups go: the box itself, a folder, a USB stick or a server. Each brings a file there whole or not at all,
//! lists what is there, and removes what is too old. Opens no backup.
use super::{due, sftp};
use board::steward::client::Steward;
use board::steward::{Act, Answer, BackupName, UsbFile};
use model::clock::Wall;
use model::config::vault::{Backup, Target};
use model::saving::BackupItem;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A slow stick takes some MB a second; a backup with recordings may be many GB.
pub(super) const STICK: Duration = Duration::from_secs(4 * 3600);

/// A target.
pub(super) struct Place<'p> {
    data: &'p Path,
    backup: &'p Backup,
    steward: &'p Steward,
}

impl<'p> Place<'p> {
    pub(super) fn new(data: &'p Path, backup: &'p Backup, steward: &'p Steward) -> Place<'p> {
        Place { data, backup, steward }
    }

    /// Brings a finished file there under its name, and says what is there then, newest first. The file is moved away.
    pub(super) fn put(&self, file: &Path, name: &str, keep: u32) -> Result<Vec<BackupItem>, String> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        match &self.backup.target {
            Target::Box => into_folder(file, &store::backup::folder(self.data), name, keep, "box"),
            Target::Folder(folder) => {
                into_folder(file, Path::new(folder), name, keep, &self.backup.target.text())
            }
            Target::Usb => self.onto_stick(file, name),
            Target::Sftp => {
                let server = self.backup.sftp.as_ref().ok_or("the configuration names no server")?;
                let items = sftp::put(self.data, server, file, name, keep)?;
                std::fs::remove_file(file).map_err(|e| e.to_string())?;
                Ok(items)
            }
        }
    }

    /// What is there, when looking costs nothing.
    pub(super) fn list_now(&self) -> Option<Vec<BackupItem>> {
        match &self.backup.target {
            Target::Box => list(&store::backup::folder(self.data), "box").ok().map(own),
            Target::Folder(folder) => list(Path::new(folder), &self.backup.target.text()).ok().map(own),
            Target::Usb | Target::Sftp => None,
        }
    }

    fn onto_stick(&self, file: &Path, name: &str) -> Result<Vec<BackupItem>, String> {
        let ready = file.with_file_name(name);
        std::fs::rename(file, &ready).map_err(|e| e.to_string())?;
        let act = Act::UsbPut { name: BackupName::try_from(name.to_owned())?, keep: self.backup.keep };
        let answer = self.steward.ask(&act, STICK);
        std::fs::remove_file(&ready).map_err(|e| e.to_string())?;
        match answer.map_err(|refused| refused.to_string())? {
            Answer::UsbFiles { files } => Ok(files.into_iter().map(item).collect()),
            other @ (Answer::Done
            | Answer::Slots(_)
            | Answer::Bundle(_)
            | Answer::Network(_)
            | Answer::Refused(_)) => Err(format!("the system service answered {other:?}")),
        }
    }
}

fn item(file: UsbFile) -> BackupItem {
    let made = due::time_of(&file.name).unwrap_or(Wall(0));
    BackupItem { made, bytes: file.bytes, place: "usb".into(), name: file.name }
}

/// Without files that were uploaded here.
fn own(all: Vec<BackupItem>) -> Vec<BackupItem> {
    all.into_iter().filter(|item| !item.name.starts_with(super::UPLOADED)).collect()
}

fn into_folder(
    file: &Path,
    folder: &Path,
    name: &str,
    keep: usize,
    place: &str,
) -> Result<Vec<BackupItem>, String> {
    let done = move_into(file, folder, name).and_then(|()| list(folder, place));
    let mut items =
        own(done.map_err(|e| format!("{}: {e}; check the folder and its room", folder.display()))?);
    for old in items.drain(keep.min(items.len())..) {
        if let Err(error) = std::fs::remove_file(folder.join(&old.name)) {
            tracing::warn!(%error, name = old.name, "an old backup stays");
        }
    }
    Ok(items)
}

/// Renames, or copies across file systems; the name appears only when all of it is on the disk.
fn move_into(file: &Path, folder: &Path, name: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let target: PathBuf = folder.join(name);
    if std::fs::rename(file, &target).is_err() {
        let part = folder.join(format!("{name}.part"));
        std::fs::copy(file, &part)?;
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, &target)?;
        std::fs::remove_file(file)?;
    }
    File::open(folder)?.sync_all()
}

/// Backups in a folder, newest first.
pub(super) fn list(folder: &Path, place: &str) -> std::io::Result<Vec<BackupItem>> {
    let mut items = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().filter(|name| due::is_name(name)).map(str::to_owned)
        else {
            continue;
        };
        let made = due::time_of(&name).unwrap_or(Wall(0));
        items.push(BackupItem { name, made, bytes: entry.metadata()?.len(), place: place.to_owned() });
    }
    items.sort_by(|a, b| b.made.cmp(&a.made).then_with(|| b.name.cmp(&a.name)));
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_other_files_are_left_alone() {
        let (work, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(target.path().join("holiday.jpg"), b"x").unwrap();
        std::fs::write(target.path().join("uploaded-20200101-000000.belfry"), b"x").unwrap();
        let mut last = Vec::new();
        for day in 1..=5 {
            let file = work.path().join("made");
            std::fs::write(&file, b"backup").unwrap();
            last = into_folder(&file, target.path(), &format!("a-2026110{day}-020000.belfry"), 2, "box")
                .unwrap();
            assert!(!file.exists());
        }
        let names: Vec<&str> = last.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["a-20261105-020000.belfry", "a-20261104-020000.belfry"]);
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 4);
    }
}
