//! A disk of a few megabytes, for what happens when it is full.
use nix::fcntl::posix_fallocate;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::statvfs;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Puts an empty disk of so many MiB at `data`, seen by this thread and by what it starts.
///
/// # Panics
/// When the test may not mount.
pub fn small(data: &Path, mib: u32) {
    std::fs::create_dir_all(data).expect("the test folder is writable");
    unshare(CloneFlags::CLONE_NEWNS).expect("this test mounts a small disk: run it as root");
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("root may mount");
    let size = format!("size={mib}m,mode=0700");
    mount(Some("tmpfs"), data, Some("tmpfs"), MsFlags::empty(), Some(size.as_str())).expect("root may mount");
}

/// Something that fills a disk until it is dropped.
pub struct Filler(PathBuf);

impl Filler {
    /// Takes all of the disk at `data` but so many MiB.
    ///
    /// # Panics
    /// When there is less room than that already.
    #[must_use]
    pub fn leaving(data: &Path, mib: u64) -> Filler {
        let room = statvfs(data).expect("it is mounted");
        let free = room.blocks_available() * room.fragment_size();
        let take = free.checked_sub(mib << 20).expect("more room than is to be left");
        let filler = Filler(data.join("filler"));
        let file = File::create(&filler.0).expect("there is room");
        posix_fallocate(&file, 0, i64::try_from(take).expect("a small disk")).expect("there is room");
        filler
    }

    /// Takes what is left, too.
    ///
    /// # Panics
    /// When the file is gone.
    pub fn take_all(&self) {
        let mut file = File::options().append(true).open(&self.0).expect("nobody removed it");
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
