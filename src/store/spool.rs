//! Sound files as the media process writes them: WAV, G.711 µ-law, 8 kHz, appended as the sound comes, synced every
//! second, playable at any moment. What a crash cut off is repaired at the next start. Uses no database; never leaves
//! the data folder.
use crate::fault::Fault;
use crate::schema;
use model::id::RecordingId;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes before the first sample.
pub const HEADER: usize = 58;
/// At most this much sound is lost when the power goes.
const SYNC_EVERY: Duration = Duration::from_millis(900);
/// The header of a running file is written again this often.
const HEADER_EVERY: Duration = Duration::from_secs(30);
/// What the disk writes at least.
const PAGE: u64 = 4096;
/// Room that recordings leave on the disk for records, configuration and logs.
const RESERVE_MIB: u64 = 64;
/// Folder with one note per file that is being written.
const OPEN: &str = "run/recording";
/// Longest sound of one file: a day of two channels still fits the 32-bit sizes of WAV.
const DATA_MAX: u64 = 0x6000_0000;

/// A file that was found unfinished and is whole again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Which recording.
    pub recording: RecordingId,
    /// Its file below the data folder.
    pub path: String,
    /// Milliseconds of sound.
    pub ms: u32,
}

struct Open {
    file: File,
    channels: u16,
    /// Bytes of sound, those in `tail` included.
    bytes: u64,
    /// Sound of the last, unfinished page: a flash page that is written again with every sync would wear the disk twice
    /// as fast. A kill loses a quarter of a second for it.
    tail: Vec<u8>,
    synced: Instant,
    headed: Option<Instant>,
}

/// The files that are being written. Lives on the writing thread of the media process.
pub struct Spool {
    dir: PathBuf,
    open: BTreeMap<RecordingId, Open>,
    reserve_mib: u64,
    looked: Option<Instant>,
}

impl Spool {
    /// Makes the folders it needs. Call [`repair`] before.
    ///
    /// # Errors
    /// `File`.
    pub fn new(dir: &Path) -> Result<Spool, Fault> {
        schema::private_folder(&dir.join(OPEN))?;
        Ok(Spool { dir: dir.to_owned(), open: BTreeMap::new(), reserve_mib: RESERVE_MIB, looked: None })
    }

    /// Begins a file. `channels` is 1 or 2; samples of two channels alternate.
    ///
    /// # Errors
    /// `Path`: it would leave the data folder. `NoRoom`: the disk is nearly full. `File`.
    pub fn create(&mut self, recording: RecordingId, path: &str, channels: u16) -> Result<(), Fault> {
        self.room(self.reserve_mib)?;
        let whole = below(&self.dir, path)?;
        let folder = whole.parent().ok_or_else(|| Fault::Path(path.to_owned()))?;
        schema::private_folder(folder)?;
        stays_inside(&self.dir, folder, path)?;
        let made = File::options().write(true).read(true).create_new(true).mode(0o600).open(&whole);
        let file = made.map_err(Fault::file(&whole))?;
        file.write_all_at(&header(channels, 0), 0).map_err(Fault::file(&whole))?;
        let note = note(&self.dir, recording);
        write_note(&note, path).map_err(Fault::file(&note))?;
        schema::sync_folder(folder)?;
        schema::sync_folder(&self.dir.join(OPEN))?;
        let open = Open { file, channels, bytes: 0, tail: Vec::new(), synced: Instant::now(), headed: None };
        self.open.insert(recording, open);
        Ok(())
    }

    /// Adds samples. One that is not open is ignored: its `create` failed and was reported.
    ///
    /// # Errors
    /// `File`: the disk; what was written before is kept, and the file is closed.
    pub fn append(&mut self, recording: RecordingId, samples: &[u8]) -> Result<(), Fault> {
        let Some(open) = self.open.get_mut(&recording) else { return Ok(()) };
        let length = u64::try_from(samples.len()).unwrap_or(u64::MAX);
        if open.bytes.saturating_add(length) > DATA_MAX {
            return Ok(());
        }
        let result = open.take(samples);
        if result.is_ok() {
            return Ok(());
        }
        let path = note(&self.dir, recording);
        let _ = self.finish(recording);
        result.map_err(Fault::file(&path))
    }

    /// Puts on the disk what has waited a second. Call it at least four times a second. When running files have eaten
    /// half of the reserve they are ended, whole and playable, and later sound for them is ignored.
    ///
    /// # Errors
    /// `File`: the first one that failed; the others were tried too. `NoRoom`: the files were ended.
    pub fn sync_due(&mut self, now: Instant) -> Result<(), Fault> {
        let mut result = self.room_goes_on(now);
        for open in self.open.values_mut().filter(|o| now.saturating_duration_since(o.synced) >= SYNC_EVERY) {
            open.synced = now;
            if let Err(error) = open.sync(now).map_err(Fault::file(&self.dir)) {
                result = result.and(Err(error));
            }
        }
        result
    }

    fn room(&self, wanted_mib: u64) -> Result<(), Fault> {
        let free = free_mib(&self.dir)?;
        if free < wanted_mib { Err(Fault::NoRoom(free)) } else { Ok(()) }
    }

    fn room_goes_on(&mut self, now: Instant) -> Result<(), Fault> {
        let lately = self.looked.is_some_and(|at| now.saturating_duration_since(at) < SYNC_EVERY);
        if lately || self.open.is_empty() {
            return Ok(());
        }
        self.looked = Some(now);
        let room = self.room(self.reserve_mib / 2);
        if room.is_err() {
            let running: Vec<RecordingId> = self.open.keys().copied().collect();
            running.into_iter().try_for_each(|recording| self.finish(recording).map(drop))?;
        }
        room
    }

    /// Ends a file: right header, everything on the disk. The answer is its length in milliseconds, or `None` when it
    /// was not open.
    ///
    /// # Errors
    /// `File`: it is repaired at the next start.
    pub fn finish(&mut self, recording: RecordingId) -> Result<Option<u32>, Fault> {
        let Some(mut open) = self.open.remove(&recording) else { return Ok(None) };
        let note = note(&self.dir, recording);
        open.end().map_err(Fault::file(&note))?;
        std::fs::remove_file(&note).map_err(Fault::file(&note))?;
        Ok(Some(ms(open.bytes, open.channels)))
    }
}

impl Open {
    /// Writes whole pages only.
    fn take(&mut self, samples: &[u8]) -> std::io::Result<()> {
        let at = self.end_of_file();
        self.tail.extend_from_slice(samples);
        self.bytes += u64::try_from(samples.len()).unwrap_or(0);
        let end = at + u64::try_from(self.tail.len()).unwrap_or(0);
        let ready = usize::try_from((end - end % PAGE).saturating_sub(at)).unwrap_or(0);
        if ready > 0 {
            self.file.write_all_at(&self.tail[..ready], at)?;
            self.tail.drain(..ready);
        }
        Ok(())
    }

    fn end_of_file(&self) -> u64 {
        u64::try_from(HEADER).unwrap_or(0) + self.written()
    }

    fn written(&self) -> u64 {
        self.bytes - u64::try_from(self.tail.len()).unwrap_or(0)
    }

    /// What was written is on the disk; its length stands in the header now and then, so that a running file plays.
    fn sync(&mut self, now: Instant) -> std::io::Result<()> {
        if self.headed.is_none_or(|at| now.saturating_duration_since(at) >= HEADER_EVERY) {
            self.headed = Some(now);
            self.file.write_all_at(&header(self.channels, self.written()), 0)?;
        }
        self.file.sync_data()
    }

    fn end(&mut self) -> std::io::Result<()> {
        let at = self.end_of_file();
        self.file.write_all_at(&self.tail, at)?;
        self.tail.clear();
        self.file.write_all_at(&header(self.channels, self.bytes), 0)?;
        self.file.sync_data()
    }
}

/// Makes every file whole that the last media process left unfinished. Only the media process may call this, before it
/// records anything.
///
/// # Errors
/// `File`: the folder itself. A single bad file is logged and left.
pub fn repair(dir: &Path) -> Result<Vec<Repaired>, Fault> {
    let folder = dir.join(OPEN);
    schema::private_folder(&folder)?;
    let mut out = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Fault::file(&folder))? {
        let note = entry.map_err(Fault::file(&folder))?.path();
        let name = note.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
        let (Some(recording), Ok(path)) = (name.map(RecordingId), std::fs::read_to_string(&note)) else {
            continue;
        };
        match mend(dir, &path) {
            Ok(ms) => out.push(Repaired { recording, path, ms }),
            Err(fault) => tracing::warn!(%fault, path, "a recording cannot be repaired"),
        }
        std::fs::remove_file(&note).map_err(Fault::file(&note))?;
    }
    out.sort_by_key(|r| r.recording);
    Ok(out)
}

/// Sizes of the header from the size of the file; a torn last sample pair is cut off.
fn mend(dir: &Path, path: &str) -> Result<u32, Fault> {
    let whole = below(dir, path)?;
    let file = File::options().read(true).write(true).open(&whole).map_err(Fault::file(&whole))?;
    let mend = || {
        let start = u64::try_from(HEADER).unwrap_or(0);
        let length = file.metadata()?.len();
        let mut channels = [0u8; 2];
        if length >= start {
            file.read_exact_at(&mut channels, 22)?;
        }
        let channels = u16::from_le_bytes(channels).clamp(1, 2);
        let bytes = length.saturating_sub(start).min(DATA_MAX);
        let bytes = bytes - bytes % u64::from(channels);
        file.set_len(start + bytes)?;
        file.write_all_at(&header(channels, bytes), 0)?;
        file.sync_all()?;
        Ok(ms(bytes, channels))
    };
    mend().map_err(Fault::file(&whole))
}

/// Whether a media process is still writing this recording, or was when it died and has not repaired it yet.
#[must_use]
pub fn is_open(dir: &Path, recording: RecordingId) -> bool {
    note(dir, recording).exists()
}

/// Milliseconds of sound in a finished file, from its header.
///
/// # Errors
/// `Path`, `File`.
pub fn length_ms(dir: &Path, path: &str) -> Result<u32, Fault> {
    let whole = below(dir, path)?;
    let read = || {
        let mut file = File::open(&whole)?;
        let mut head = [0u8; HEADER];
        file.read_exact(&mut head)?;
        let bytes = file.seek(SeekFrom::End(0))?.saturating_sub(u64::try_from(HEADER).unwrap_or(0));
        Ok(ms(bytes, u16::from_le_bytes([head[22], head[23]]).clamp(1, 2)))
    };
    read().map_err(Fault::file(&whole))
}

/// Removes a file below the data folder; one that is not there is fine.
///
/// # Errors
/// `Path`, `File`.
pub fn remove(dir: &Path, path: &str) -> Result<(), Fault> {
    let whole = below(dir, path)?;
    match std::fs::remove_file(&whole) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::file(&whole)(error)),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Removes the sound files of a folder that nothing refers to any more, e.g. a greeting during which the caller hung up.
/// Young files stay: somebody may be speaking. Gives how many went; a file that cannot be removed is left.
pub fn sweep(dir: &Path, folder: &str, age: Duration, referred: impl Fn(&str) -> bool) -> usize {
    let swept = aged(dir, folder, age).into_iter().filter(|path| !referred(path));
    swept.filter(|path| std::fs::remove_file(dir.join(path)).is_ok()).count()
}

/// Files of a folder that were not changed for so long, as paths below the data folder.
pub(crate) fn aged(dir: &Path, folder: &str, age: Duration) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join(folder)) else { return Vec::new() };
    let old = |entry: &std::fs::DirEntry| {
        let changed = entry.metadata().and_then(|m| m.modified()).ok();
        changed.and_then(|at| at.elapsed().ok()).is_some_and(|gone| gone > age)
    };
    let names = entries.flatten().filter(old).filter_map(|entry| entry.file_name().into_string().ok());
    names.map(|name| format!("{folder}/{name}")).collect()
}

/// The whole path of a file below the data folder.
///
/// # Errors
/// `Path`: it is absolute, empty, or has `..` in it.
pub fn below(dir: &Path, path: &str) -> Result<PathBuf, Fault> {
    let relative = Path::new(path);
    let normal = relative.components().all(|c| matches!(c, Component::Normal(_)));
    if path.is_empty() || !normal {
        return Err(Fault::Path(path.to_owned()));
    }
    Ok(dir.join(relative))
}

/// No link on the way leads out of the data folder.
fn stays_inside(dir: &Path, folder: &Path, path: &str) -> Result<(), Fault> {
    let real = |p: &Path| p.canonicalize().map_err(Fault::file(p));
    if real(folder)?.starts_with(real(dir)?) { Ok(()) } else { Err(Fault::Path(path.to_owned())) }
}

fn note(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(OPEN).join(recording.to_string())
}

fn write_note(note: &Path, path: &str) -> std::io::Result<()> {
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(note)?;
    file.write_all(path.as_bytes())?;
    file.sync_data()
}

fn free_mib(dir: &Path) -> Result<u64, Fault> {
    Ok(free_bytes(dir)? >> 20)
}

/// How full the disk of the data folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Share in use of what we may use, percent, rounded down.
    pub percent: u32,
    /// Bytes that may still be written.
    pub free: u64,
}

/// How full the disk of the data folder is, as `df` counts.
///
/// # Errors
/// `File`.
pub fn usage(dir: &Path) -> Result<Usage, Fault> {
    let stat = nix::sys::statvfs::statvfs(dir).map_err(|e| Fault::file(dir)(e.into()))?;
    let (used, free) = (stat.blocks().saturating_sub(stat.blocks_free()), stat.blocks_available());
    let share = used.saturating_mul(100) / used.saturating_add(free).max(1);
    Ok(Usage {
        percent: u32::try_from(share).unwrap_or(100),
        free: free.saturating_mul(stat.fragment_size()),
    })
}

/// Free bytes of the disk that the data folder is on.
///
/// # Errors
/// `File`.
pub fn free_bytes(dir: &Path) -> Result<u64, Fault> {
    let stat = nix::sys::statvfs::statvfs(dir).map_err(|e| Fault::file(dir)(e.into()))?;
    Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
}

fn ms(bytes: u64, channels: u16) -> u32 {
    u32::try_from(bytes / u64::from(channels.max(1)) / 8).unwrap_or(u32::MAX)
}

/// RIFF header of µ-law sound: `fmt ` with extension size 0, `fact`, `data`, as RFC 2361 and the WAVE format ask for
/// codings that are not PCM.
fn header(channels: u16, bytes: u64) -> [u8; HEADER] {
    let size = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = [0u8; HEADER];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        out[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(b"RIFF");
    put(&size(bytes + 50));
    put(b"WAVEfmt ");
    put(&18u32.to_le_bytes());
    put(&7u16.to_le_bytes());
    put(&channels.to_le_bytes());
    put(&8000u32.to_le_bytes());
    put(&(8000 * u32::from(channels)).to_le_bytes());
    put(&channels.to_le_bytes());
    put(&8u16.to_le_bytes());
    put(&0u16.to_le_bytes());
    put(b"fact");
    put(&4u32.to_le_bytes());
    put(&size(bytes / u64::from(channels.max(1))));
    put(b"data");
    put(&size(bytes));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn a_finished_file_is_a_right_wav() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        spool.create(RecordingId(7), "recordings/2026/7.wav", 2).unwrap();
        assert!(is_open(dir.path(), RecordingId(7)));
        spool.append(RecordingId(7), &[0xff; 1600]).unwrap();
        assert_eq!(spool.finish(RecordingId(7)).unwrap(), Some(100));
        assert!(!is_open(dir.path(), RecordingId(7)));
        let bytes = std::fs::read(dir.path().join("recordings/2026/7.wav")).unwrap();
        assert_eq!(bytes.len(), HEADER + 1600);
        assert_eq!((&bytes[..4], u32_at(&bytes, 4)), (b"RIFF".as_slice(), 1600 + 50));
        assert_eq!((&bytes[50..54], u32_at(&bytes, 54)), (b"data".as_slice(), 1600));
        assert_eq!(u32_at(&bytes, 46), 800, "samples of each channel");
        assert_eq!(length_ms(dir.path(), "recordings/2026/7.wav").unwrap(), 100);
    }

    #[test]
    fn what_a_crash_cut_off_is_made_whole_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        spool.create(RecordingId(8), "r/8.wav", 2).unwrap();
        spool.append(RecordingId(8), &[0xff; 10_001]).unwrap();
        drop(spool);
        // A power cut may leave an odd end.
        let file = File::options().write(true).open(dir.path().join("r/8.wav")).unwrap();
        file.set_len(HEADER as u64 + 8001).unwrap();
        let repaired = repair(dir.path()).unwrap();
        assert_eq!(repaired, [Repaired { recording: RecordingId(8), path: "r/8.wav".into(), ms: 500 }]);
        let bytes = std::fs::read(dir.path().join("r/8.wav")).unwrap();
        assert_eq!((bytes.len(), u32_at(&bytes, 54)), (HEADER + 8000, 8000), "the torn pair is cut off");
        assert_eq!(repair(dir.path()).unwrap(), []);
    }

    #[test]
    fn a_running_file_is_playable_after_each_sync() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        spool.create(RecordingId(9), "r/9.wav", 1).unwrap();
        spool.append(RecordingId(9), &[0xff; 8000]).unwrap();
        spool.sync_due(Instant::now() + SYNC_EVERY).unwrap();
        let there = u32::try_from(PAGE).unwrap() - u32::try_from(HEADER).unwrap();
        assert_eq!(u32_at(&std::fs::read(dir.path().join("r/9.wav")).unwrap(), 54), there);
        spool.append(RecordingId(9), &[0xff; 8000]).unwrap();
        spool.sync_due(Instant::now() + 2 * HEADER_EVERY).unwrap();
        let bytes = std::fs::read(dir.path().join("r/9.wav")).unwrap();
        assert_eq!(
            u32_at(&bytes, 54),
            there + 2 * 4096,
            "a person who listens meanwhile hears what there is"
        );
    }

    #[test]
    fn a_page_is_written_once_and_a_kill_loses_less_than_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        spool.create(RecordingId(3), "3.wav", 2).unwrap();
        let mut given = 0;
        for n in 0..200 {
            spool.append(RecordingId(3), &[n; 320]).unwrap();
            given += 320;
            let there = std::fs::metadata(dir.path().join("3.wav")).unwrap().len();
            let page = there == HEADER as u64 || there.is_multiple_of(PAGE);
            assert!(page && HEADER as u64 + given - there < PAGE, "{there} of {given}");
        }
        assert_eq!(spool.finish(RecordingId(3)).unwrap(), Some(4000));
        let bytes = std::fs::read(dir.path().join("3.wav")).unwrap();
        let wanted: Vec<u8> = (0..200).flat_map(|n| [n; 320]).collect();
        assert_eq!(bytes[HEADER..], wanted[..], "every sample in its place");
    }

    #[test]
    fn recordings_leave_room_for_the_records() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        spool.create(RecordingId(1), "1.wav", 1).unwrap();
        spool.append(RecordingId(1), &[0xff; 800]).unwrap();
        spool.reserve_mib = u64::MAX;
        assert!(matches!(spool.create(RecordingId(2), "2.wav", 1), Err(Fault::NoRoom(_))));
        assert!(matches!(spool.sync_due(Instant::now()), Err(Fault::NoRoom(_))));
        spool.append(RecordingId(1), &[0xff; 800]).unwrap();
        assert_eq!(length_ms(dir.path(), "1.wav").unwrap(), 100, "what was there is whole");
        assert!(!is_open(dir.path(), RecordingId(1)) && !dir.path().join("2.wav").exists());
    }

    #[test]
    fn no_path_leaves_the_data_folder() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        for path in ["/tmp/x.wav", "../x.wav", "a/../../x.wav", "", "link/x.wav"] {
            assert!(matches!(spool.create(RecordingId(1), path, 1), Err(Fault::Path(_))), "{path}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        assert_eq!(repair(dir.path()).unwrap(), [], "a refused file leaves no note");
    }

    #[test]
    fn an_existing_file_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.wav"), "mine").unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        assert!(matches!(spool.create(RecordingId(1), "x.wav", 1), Err(Fault::File { .. })));
        assert_eq!(repair(dir.path()).unwrap(), [], "a refused file leaves no note");
        assert_eq!(std::fs::read(dir.path().join("x.wav")).unwrap(), b"mine");
    }

    #[test]
    fn greetings_that_nobody_kept_are_swept_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("greetings")).unwrap();
        for name in ["101-1.wav", "101-2.wav"] {
            std::fs::write(dir.path().join("greetings").join(name), b"sound").unwrap();
        }
        let kept = |path: &str| path == "greetings/101-1.wav";
        assert_eq!(sweep(dir.path(), "greetings", Duration::from_secs(60), kept), 0, "both are young");
        assert_eq!(sweep(dir.path(), "greetings", Duration::ZERO, kept), 1);
        assert!(dir.path().join("greetings/101-1.wav").exists());
        assert_eq!(sweep(dir.path(), "no-such-folder", Duration::ZERO, kept), 0);
    }
}
