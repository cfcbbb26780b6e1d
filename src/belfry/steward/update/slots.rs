//! What is in the two slots of the system, and which one runs: what RAUC, the first boot stage and our own note say.
use super::note;
use crate::steward::place::Place;
use crate::steward::run;
use board::steward::{Refused, Slot, SlotState, Slots};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// RAUC reads a few files and asks the boot loader's environment; early in the start of a slow machine its service and the
/// bus that starts it are yet to come.
const LOOK: Duration = Duration::from_secs(50);

/// State of both slots.
///
/// # Errors
/// The box has none (it was not started from an image), or RAUC fails.
pub fn look(place: &Place) -> Result<Slots, Refused> {
    let running = running(place)?;
    let text =
        run::run(place, "rauc", &["status", "--detailed", "--output-format=json"], LOOK)?.fine("rauc")?;
    let status: Status = serde_json::from_str(text.trim()).map_err(|error| strange(&error.to_string()))?;
    let (a, b, note) = (status.slot(Slot::A), status.slot(Slot::B), note::read(place));
    let mut slots = Slots { running, a, b, pending: note.pending, last: note.last };
    // The first system of a new box was not installed by RAUC: while it runs it says itself what it is, later our note does.
    for (slot, state) in [(Slot::A, &mut slots.a), (Slot::B, &mut slots.b)] {
        if slot == running {
            state.version = place.fact("version").or(state.version.take());
        } else if let Some(left) = note.left.as_ref().filter(|left| left.slot == slot) {
            state.version.get_or_insert_with(|| left.version.clone());
        }
    }
    Ok(slots)
}

/// The slot that was started.
///
/// # Errors
/// The box was not started from an image.
pub fn running(place: &Place) -> Result<Slot, Refused> {
    match place.fact("slot").as_deref() {
        Some("a" | "A") => Ok(Slot::A),
        Some("b" | "B") => Ok(Slot::B),
        Some(_) | None => Err(no_slots()),
    }
}

/// What `rauc status` prints, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Status {
    slots: Vec<BTreeMap<String, RaucSlot>>,
}

#[derive(Debug, Deserialize)]
struct RaucSlot {
    bootname: Option<String>,
    boot_status: Option<String>,
    slot_status: Option<SlotStatus>,
}

#[derive(Debug, Deserialize)]
struct SlotStatus {
    bundle: Option<Bundle>,
}

#[derive(Debug, Deserialize)]
struct Bundle {
    version: Option<String>,
}

impl Status {
    fn slot(&self, slot: Slot) -> SlotState {
        let name = match slot {
            Slot::A => "A",
            Slot::B => "B",
        };
        let all = self.slots.iter().flat_map(BTreeMap::values);
        let found = all.into_iter().find(|s| s.bootname.as_deref() == Some(name));
        let Some(found) = found else { return SlotState::default() };
        let bundle = found.slot_status.as_ref().and_then(|s| s.bundle.as_ref());
        SlotState {
            version: bundle.and_then(|b| b.version.clone()),
            bootable: found.boot_status.as_deref() == Some("good"),
        }
    }
}

/// Version of the system that runs.
#[must_use]
pub fn running_version(place: &Place) -> String {
    place.fact("version").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())
}

fn no_slots() -> Refused {
    Refused::new(
        "no_slots",
        "This box has no update slots: it runs on a PC, not from the Belfry image.",
        "本机没有更新分区：它运行在普通电脑上，不是 Belfry 镜像。",
    )
}

fn strange(why: &str) -> Refused {
    Refused::new(
        "program_failed",
        format!("The state of the system's slots cannot be read: {why}."),
        format!("无法读取系统分区的状态：{why}。"),
    )
}
