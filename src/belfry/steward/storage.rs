//! Acts on storage: USB sticks for backups and updates, and the factory reset of an image. A stick is mounted only for the act, without
//! programs or devices of its own; our files stand in its folder `belfry`. The reset itself is done by the initrd, which
//! makes a new file system before anything of the old one is used; the keys go at once.
pub mod bundles;

use super::place::Place;
use super::{power, run};
use board::steward::{Answer, BackupName, Refused, UsbFile};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The box's own folder.
const HOME: &str = "/data/belfry";
/// Backups of the box below it, where the control role puts them.
const BACKUPS: &str = "backups";
/// Keys of the box below it.
const KEYS: &str = "keys";
/// Where a stick is mounted; nobody else sees it.
const MOUNT: &str = "/run/belfry-steward/usb";
/// Our folder on a stick.
const FOLDER: &str = "belfry";
/// A stick answers within this, or is broken.
const SHORT: Duration = Duration::from_secs(60);
/// RAUC's configuration: it names the boot loader of the board.
const SYSTEM: &str = "/etc/rauc/system.conf";
/// Its line on boards that start by U-Boot; the others start by GRUB.
const U_BOOT: &str = "bootloader=uboot";
/// Environment of GRUB.
const GRUBENV: &str = "/boot/esp/grub/grubenv";
/// How a stick is mounted: nothing on it is a program or a device.
const WRITABLE: &str = "nosuid,nodev,noexec";
/// The same for a stick that is only read.
const READ_ONLY: &str = "ro,nosuid,nodev,noexec";
/// Files listed of a stick.
const FILES: usize = 400;

/// Backups on the stick, newest name last.
///
/// # Errors
/// There is no stick, or it cannot be read.
pub fn files(place: &Place) -> Result<Answer, Refused> {
    with_stick(place, |folder| Ok(Answer::UsbFiles { files: list(folder)? }))
}

/// Copies a backup of the box onto the stick, whole or not at all, and removes our oldest beyond `keep`.
///
/// # Errors
/// There is no stick, no such file, or no room.
pub fn put(place: &Place, name: &BackupName, keep: u32) -> Result<Answer, Refused> {
    let from = Held::open(place, BACKUPS)
        .and_then(|held| held.file(name.as_str(), false))
        .map_err(|e| failed(&e))?;
    with_stick(place, |folder| {
        copy(from, &Held(Held::folder(folder)?), name.as_str(), None)?;
        let mut files = list(folder)?;
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        for old in files.drain(..files.len().saturating_sub(keep)) {
            std::fs::remove_file(folder.join(&old.name))?;
        }
        files.reverse();
        Ok(Answer::UsbFiles { files })
    })
}

/// Copies a backup from the stick to the box.
///
/// # Errors
/// There is no stick, no such file, or no room.
pub fn get(place: &Place, name: &BackupName) -> Result<Answer, Refused> {
    let to = Held::open(place, BACKUPS).map_err(|e| failed(&e))?;
    with_stick(place, |folder| {
        // The box runs as another user, who owns the folder.
        let owner = to.0.metadata()?;
        let from = Held(Held::folder(folder)?).file(name.as_str(), false)?;
        let target = format!("uploaded-{}", name.as_str());
        copy(from, &to, &target, Some((owner.uid(), owner.gid())))?;
        Ok(Answer::Done)
    })
}

/// Destroys the keys, asks the next start for a new data file system, and restarts.
///
/// # Errors
/// The boot loader's environment cannot be written: nothing is changed then.
pub fn factory_reset(place: &Place) -> Result<Answer, Refused> {
    wish_for_reset(place)?;
    if let Err(error) = destroy_keys(place) {
        tracing::warn!(%error, "the keys could not be destroyed now; the whole disk follows at the next start");
    }
    nix::unistd::sync();
    power::reboot(place)
}

/// The first boot stage reads it from the boot loader, and takes it back when it is done.
fn wish_for_reset(place: &Place) -> Result<(), Refused> {
    let system = std::fs::read_to_string(place.path(SYSTEM)).unwrap_or_default();
    if system.lines().any(|line| line.trim() == U_BOOT) {
        run::run(place, "fw_setenv", &["belfry_reset", "1"], SHORT)?.fine("fw_setenv")?;
    } else {
        let grubenv = place.path(GRUBENV).display().to_string();
        run::run(place, "grub-editenv", &[&grubenv, "set", "belfry_reset=1"], SHORT)?.fine("grub-editenv")?;
    }
    Ok(())
}

fn with_stick(place: &Place, work: impl FnOnce(&Path) -> std::io::Result<Answer>) -> Result<Answer, Refused> {
    with_mounted(place, WRITABLE, |mount| {
        let folder = mount.join(FOLDER);
        std::fs::create_dir_all(&folder).and_then(|()| work(&folder))
    })
}

fn with_mounted(
    place: &Place,
    options: &str,
    work: impl FnOnce(&Path) -> std::io::Result<Answer>,
) -> Result<Answer, Refused> {
    let mount = place.path(MOUNT);
    std::fs::create_dir_all(&mount).map_err(|e| failed(&e))?;
    let device = mounted(place, &mount, options)?;
    let done = work(&mount);
    run::run(place, "umount", &[&mount.display().to_string()], SHORT)?.fine("umount")?;
    done.map_err(|error| {
        tracing::warn!(device, %error, "a USB stick failed");
        failed(&error)
    })
}

/// The first stick that can be mounted.
fn mounted(place: &Place, mount: &Path, options: &str) -> Result<String, Refused> {
    let mut why = None;
    for device in sticks(place) {
        let (source, target) = (format!("/dev/{device}"), mount.display().to_string());
        let words = ["-o", options, &source, &target];
        match run::run(place, "mount", &words, SHORT)?.fine("mount") {
            Ok(_) => return Ok(device),
            Err(refused) => why = Some(refused),
        }
    }
    Err(why.unwrap_or_else(no_stick))
}

/// Partitions of disks behind USB, then whole disks without partitions.
fn sticks(place: &Place) -> Vec<String> {
    let Ok(all) = std::fs::read_dir(place.path("/sys/class/block")) else { return Vec::new() };
    let usb =
        |path: &PathBuf| std::fs::canonicalize(path).is_ok_and(|p| p.to_string_lossy().contains("/usb"));
    let paths = all.flatten().map(|entry| entry.path()).filter(usb);
    let mut found: Vec<(bool, String)> = paths
        .filter_map(|path| Some((!path.join("partition").exists(), path.file_name()?.to_str()?.to_owned())))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

fn list(folder: &Path) -> std::io::Result<Vec<UsbFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(FILES) {
        let entry = entry?;
        let name = entry.file_name().to_str().and_then(|name| BackupName::try_from(name.to_owned()).ok());
        if let Some(name) = name {
            files.push(UsbFile { name: name.as_str().to_owned(), bytes: entry.metadata()?.len() });
        }
    }
    // The moment is the end of the name; the start is the site's.
    let moment = |name: &str| name.get(name.len().saturating_sub(22)..).unwrap_or(name).to_owned();
    files.sort_by_key(|file| moment(&file.name));
    Ok(files)
}

/// A folder of the box, held open. The box may write in it, and whoever has taken the box over may put a link in the place
/// of anything: nothing is reached by its path again, and no link is followed.
struct Held(File);

impl Held {
    fn open(place: &Place, name: &str) -> std::io::Result<Held> {
        // Its parent belongs to root, so this one name cannot be exchanged.
        let parent = Held(Held::folder(&place.path(HOME))?);
        Ok(Held(Held::folder(&parent.path(name))?))
    }

    fn folder(path: &Path) -> std::io::Result<File> {
        File::options().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd())).join(name)
    }

    /// A file in it, for reading or for writing over; a plain file and nothing else.
    fn file(&self, name: &str, write: bool) -> std::io::Result<File> {
        let mut options = File::options();
        options.read(!write).write(write).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = options.open(self.path(name))?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(std::io::Error::other(format!("{name} is no file")))
        }
    }

    /// A new file in it, under the name of a part.
    fn part(&self, name: &str) -> std::io::Result<File> {
        match std::fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
        File::options().write(true).create_new(true).mode(0o600).open(self.path(name))
    }

    /// Gives the finished part its name, for good.
    fn finish(&self, part: &str, name: &str) -> std::io::Result<()> {
        std::fs::rename(self.path(part), self.path(name))?;
        self.0.sync_all()
    }
}

/// Copies an open file under a name, whole or not at all; `owner` gets it.
fn copy(mut from: impl Read, to: &Held, name: &str, owner: Option<(u32, u32)>) -> std::io::Result<()> {
    let part = format!("{name}.part");
    let mut file = to.part(&part)?;
    let copied = std::io::copy(&mut from, &mut file).and_then(|_| {
        if let Some((user, group)) = owner {
            std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
        }
        file.sync_all()
    });
    if let Err(error) = copied {
        // A part is of no use, and takes the room of the next try.
        let _ = std::fs::remove_file(to.path(&part));
        return Err(error);
    }
    to.finish(&part, name)
}

/// Overwrites every key and removes it.
fn destroy_keys(place: &Place) -> std::io::Result<()> {
    let keys = match Held::open(place, KEYS) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        held => held?,
    };
    for entry in std::fs::read_dir(keys.path("."))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let blanked = keys.file(&name, true).and_then(|mut file| store::reset::blank(&mut file));
        std::fs::remove_file(keys.path(&name))?;
        blanked?;
    }
    keys.0.sync_all()
}

fn no_stick() -> Refused {
    Refused::new(
        "no_stick",
        "There is no USB stick that can be read. Plug one in (FAT, exFAT or ext4) and try again.",
        "没有可读取的 U 盘。请插入 FAT、exFAT 或 ext4 格式的 U 盘后重试。",
    )
}

fn failed(error: &std::io::Error) -> Refused {
    Refused::new(
        "stick_failed",
        format!("The USB stick failed: {error}. Look at its room, or take another one."),
        format!("U 盘出错：{error}。请检查剩余空间，或更换 U 盘。"),
    )
}
