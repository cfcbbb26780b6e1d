//! A disk that loses its power: a SQLite file layer in memory that keeps apart what was synced and what was only
//! written. At a cut each sector written since the last sync survives or not by the toss of a coin, in any order. Locks
//! are not kept: one connection at a time.
use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

const SECTOR: usize = 512;
const SHARED_PAGE: usize = 32 * 1024;

enum Unsynced {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct Image {
    /// As everybody sees it while the power is on.
    seen: Vec<u8>,
    /// As it is on the platter for certain.
    synced: Vec<u8>,
    /// What happened since.
    since: Vec<Unsynced>,
}

/// The one disk of the process.
#[derive(Default)]
pub struct Disk {
    files: BTreeMap<String, Image>,
    shared: BTreeMap<String, Vec<Box<[u64]>>>,
    /// Writes and syncs left until the power goes.
    fuse: Option<u64>,
    /// The power is gone.
    off: bool,
    /// Syncs do nothing and say that they did.
    lies: bool,
    random: u64,
}

static DISK: Mutex<Option<Disk>> = Mutex::new(None);

/// Runs with the disk.
pub fn with<T>(run: impl FnOnce(&mut Disk) -> T) -> T {
    let mut guard: MutexGuard<'_, Option<Disk>> = DISK.lock().expect("no thread dies holding the disk");
    run(guard.get_or_insert_with(Disk::default))
}

impl Disk {
    /// A new, empty disk.
    pub fn format(&mut self, seed: u64, lies: bool) {
        *self = Disk { random: seed, lies, ..Disk::default() };
    }

    /// The power goes after this many more writes and syncs.
    pub fn power_off_after(&mut self, operations: u64) {
        self.fuse = Some(operations);
    }

    /// Whether it is gone.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// A number below `below`.
    pub fn toss(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// The power goes now, if it has not, and comes back: what was not synced is there or not.
    pub fn cut(&mut self) {
        let mut files = std::mem::take(&mut self.files);
        for image in files.values_mut() {
            for op in std::mem::take(&mut image.since) {
                match op {
                    Unsynced::Write { at, bytes } => self.tear(&mut image.synced, at, &bytes),
                    Unsynced::Truncate(length) if self.toss(2) == 0 => image.synced.resize(length, 0),
                    Unsynced::Truncate(_) => {}
                }
            }
            image.seen = image.synced.clone();
        }
        self.files = files;
        self.shared.clear();
        self.fuse = None;
        self.off = false;
    }

    fn tear(&mut self, to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
        let mut from = 0;
        while from < bytes.len() {
            let end = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
            if self.toss(2) == 0 {
                put(to, at + from, &bytes[from..end]);
            }
            from = end;
        }
    }

    /// Counts one write or sync; false = no power.
    fn spend(&mut self) -> bool {
        if let Some(left) = self.fuse.as_mut() {
            *left = left.saturating_sub(1);
            self.off |= *left == 0;
        }
        !self.off
    }

    fn file(&mut self, name: &str) -> &mut Image {
        self.files.entry(name.to_owned()).or_default()
    }
}

fn put(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if to.len() < at + bytes.len() {
        to.resize(at + bytes.len(), 0);
    }
    to[at..at + bytes.len()].copy_from_slice(bytes);
}

#[repr(C)]
struct Handle {
    base: sqlite3_file,
    name: *mut String,
}

/// Runs with the disk and the name of an open file.
///
/// # Safety
/// `file` was opened by `open` and not closed.
unsafe fn at<T>(file: *mut sqlite3_file, run: impl FnOnce(&mut Disk, &str) -> T) -> T {
    // SAFETY: SQLite hands back what `open` filled in; the name lives until `close`.
    let name = unsafe { &*(*file.cast::<Handle>()).name };
    with(|disk| run(disk, name))
}

/// # Safety
/// A C text that lives during the call.
unsafe fn text<'t>(name: *const c_char) -> &'t str {
    // SAFETY: as promised by the caller, which is SQLite.
    unsafe { CStr::from_ptr(name) }.to_str().expect("paths of the test are UTF-8")
}

fn size(n: i64) -> usize {
    usize::try_from(n).expect("sizes and places are not negative")
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives szOsFile bytes at `file`, and a name or null.
    unsafe {
        let name = if name.is_null() { "temporary".to_owned() } else { text(name).to_owned() };
        with(|disk| {
            disk.file(&name);
        });
        file.cast::<Handle>().write(Handle {
            base: sqlite3_file { pMethods: &raw const METHODS },
            name: Box::into_raw(Box::new(name)),
        });
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: made by `open`, closed once.
    drop(unsafe { Box::from_raw((*file.cast::<Handle>()).name) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, length: c_int, from: i64) -> c_int {
    let (length, from) = (size(i64::from(length)), size(from));
    // SAFETY: SQLite gives room for `length` bytes at `to`.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), length) };
    // SAFETY: an open file.
    unsafe {
        at(file, |disk, name| {
            let seen = &disk.file(name).seen;
            let there = seen.get(from.min(seen.len())..seen.len().min(from + length)).unwrap_or_default();
            to.fill(0);
            to[..there.len()].copy_from_slice(there);
            if there.len() == length { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
        })
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, place: i64) -> c_int {
    // SAFETY: SQLite gives `length` bytes at `from`.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), size(i64::from(length))) };
    // SAFETY: an open file.
    unsafe {
        at(file, |disk, name| {
            if !disk.spend() {
                return ffi::SQLITE_IOERR_WRITE;
            }
            let image = disk.file(name);
            put(&mut image.seen, size(place), bytes);
            image.since.push(Unsynced::Write { at: size(place), bytes: bytes.to_vec() });
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    // SAFETY: an open file.
    unsafe {
        at(file, |disk, name| {
            if !disk.spend() {
                return ffi::SQLITE_IOERR_TRUNCATE;
            }
            let image = disk.file(name);
            image.seen.resize(size(length), 0);
            image.since.push(Unsynced::Truncate(size(length)));
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe {
        at(file, |disk, name| {
            if !disk.spend() {
                return ffi::SQLITE_IOERR_FSYNC;
            }
            if !disk.lies {
                let image = disk.file(name);
                image.synced = image.seen.clone();
                image.since.clear();
            }
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: an open file, and room for the answer.
    unsafe {
        *out = at(file, |disk, name| i64::try_from(disk.file(name).seen.len()).expect("small"));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn no_lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn not_reserved(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: room for the answer.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector(_: *mut sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn traits(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shared_map(
    file: *mut sqlite3_file,
    page: c_int,
    length: c_int,
    _: c_int,
    out: *mut *mut c_void,
) -> c_int {
    assert_eq!(size(i64::from(length)), SHARED_PAGE);
    // SAFETY: an open file, and room for the answer. The pages stay where they are until the next cut.
    unsafe {
        *out = at(file, |disk, name| {
            let pages = disk.shared.entry(name.to_owned()).or_default();
            while pages.len() <= size(i64::from(page)) {
                pages.push(vec![0; SHARED_PAGE / 8].into_boxed_slice());
            }
            pages[size(i64::from(page))].as_mut_ptr().cast()
        });
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shared_lock(_: *mut sqlite3_file, _: c_int, _: c_int, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn shared_barrier(_: *mut sqlite3_file) {}

unsafe extern "C" fn shared_unmap(_: *mut sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(no_lock),
    xUnlock: Some(no_lock),
    xCheckReservedLock: Some(not_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(traits),
    xShmMap: Some(shared_map),
    xShmLock: Some(shared_lock),
    xShmBarrier: Some(shared_barrier),
    xShmUnmap: Some(shared_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, _: c_int) -> c_int {
    // SAFETY: SQLite gives a name.
    let name = unsafe { text(name) };
    with(|disk| {
        if !disk.spend() {
            return ffi::SQLITE_IOERR_DELETE;
        }
        match disk.files.remove(name) {
            Some(_) => ffi::SQLITE_OK,
            None => ffi::SQLITE_IOERR_DELETE_NOENT,
        }
    })
}

unsafe extern "C" fn access(_: *mut sqlite3_vfs, name: *const c_char, _: c_int, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a name, and room for the answer.
    unsafe {
        let name = text(name);
        *out = c_int::from(with(|disk| disk.files.get(name).is_some_and(|f| !f.seen.is_empty())));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a name, and `room` bytes for the answer.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if name.len() > size(i64::from(room)) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives room for `length` bytes.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), size(i64::from(length))) };
    with(|disk| out.fill_with(|| u8::try_from(disk.toss(256)).expect("below 256")));
    length
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, wanted: c_int) -> c_int {
    wanted
}

unsafe extern "C" fn now(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: room for the answer: any Julian day.
    unsafe { *out = 2_460_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}

/// One test has the disk at a time.
static ALONE: Mutex<()> = Mutex::new(());
static REGISTERED: Once = Once::new();

/// Makes this disk the one that SQLite uses from here on in this process; it is the caller's until the guard is dropped.
pub fn install() -> MutexGuard<'static, ()> {
    REGISTERED.call_once(register);
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register() {
    let vfs = sqlite3_vfs {
        iVersion: 1,
        szOsFile: c_int::try_from(size_of::<Handle>()).expect("small"),
        mxPathname: 1024,
        pNext: std::ptr::null_mut(),
        zName: c"power-cut".as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(now),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the table lives for ever, and every function above keeps to SQLite's contract for one connection at a time.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1) };
    assert_eq!(code, ffi::SQLITE_OK);
}
