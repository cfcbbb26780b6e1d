//! The steward's own note about an update on its way and the last one's outcome: one small file on the data partition,
//! written whole (a new file renamed over the old), so a power cut leaves the old or the new one. Both the new and the
//! old system read it: unknown fields are no error.
use crate::steward::place::Place;
use board::steward::{Outcome, Pending, Refused, Slot, Went};
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where it is.
const FILE: &str = "/data/rauc/update.json";
/// The kernel's name for this boot.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// What is noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// On its way.
    pub pending: Option<Pending>,
    /// What became of the last one.
    pub last: Option<Outcome>,
    /// Somebody went back by hand; forgotten by the next boot. An older system does not know it.
    #[serde(default)]
    pub back: Option<Back>,
    /// What ran when an update was installed last: RAUC does not know the first system of a new box. An older system does
    /// not know it.
    #[serde(default)]
    pub left: Option<Left>,
}

/// A system that an update left in its slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Where it is.
    pub slot: Slot,
    /// What it is.
    pub version: String,
}

/// A way back by hand, until the boot that shows whether it led anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// Where to.
    pub slot: Slot,
    /// What is there.
    pub version: String,
    /// Boot in which it was asked for.
    pub boot: String,
}

/// The note; an empty one when there is none or it cannot be read.
#[must_use]
pub fn read(place: &Place) -> Note {
    let text = std::fs::read_to_string(place.path(FILE)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes it, on disk when it returns.
///
/// # Errors
/// The data partition does not write.
pub fn write(place: &Place, note: &Note) -> Result<(), Refused> {
    put(place, note).map_err(|error| {
        Refused::new(
            "disk",
            format!("The data partition does not write: {error}. Nothing was changed."),
            format!("数据分区无法写入：{error}。没有做任何更改。"),
        )
    })
}

fn put(place: &Place, note: &Note) -> std::io::Result<()> {
    let path = place.path(FILE);
    let folder = path.parent().unwrap_or(&path);
    std::fs::create_dir_all(folder)?;
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()?;
    std::fs::rename(&new, &path)?;
    File::open(folder)?.sync_all()
}

/// The pending update has come to its end.
///
/// # Errors
/// The data partition does not write.
pub fn close(place: &Place, result: Went, said: Sentence) -> Result<Option<Outcome>, Refused> {
    let mut note = read(place);
    let Some(pending) = note.pending.take() else { return Ok(None) };
    let outcome = Outcome { result, version: pending.version, said, at_s: now_s() };
    note.last = Some(outcome.clone());
    write(place, &note)?;
    Ok(Some(outcome))
}

/// The kernel's name for this boot.
#[must_use]
pub fn this_boot(place: &Place) -> String {
    std::fs::read_to_string(place.path(BOOT)).unwrap_or_default().trim().to_owned()
}

/// Seconds since 1970.
#[must_use]
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
