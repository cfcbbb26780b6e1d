//! What the steward does by itself about an update: at its start it notes one that never came up, and a way back by hand
//! that led nowhere; while an unproven system runs it waits only so long for the box to say that it is proven. This is the last word when the new box hangs;
//! the boot loader's counter has it when the new system does not start at all.
use super::note;
use super::slots;
use crate::steward::place::Place;
use board::steward::{Outcome, Pending, Refused, Slot, Went};
use model::sentence::Sentence;
use std::sync::Arc;
use std::time::Duration;

/// From the steward's start to the proof. The box gives up by itself before (see `belfry::update`); together with two
/// restarts it stays within the three minutes promised.
const PATIENCE: Duration = Duration::from_secs(110);

/// Looks at the note, and starts the wait when it is needed.
///
/// # Errors
/// The operating system gives no thread.
pub fn watch(place: Arc<Place>) -> std::io::Result<()> {
    let Ok(running) = slots::running(&place) else { return Ok(()) };
    if let Err(refused) = look_back(&place, running) {
        tracing::error!(why = %refused, "what became of going back by hand could not be noted");
    }
    let Some(pending) = note::read(&place).pending else { return Ok(()) };
    match fate(&pending, running, &note::this_boot(&place)) {
        Fate::ToProve => {
            let name = "proof".to_owned();
            std::thread::Builder::new().name(name).spawn(move || wait(&place, &pending))?;
        }
        Fate::Waiting => {}
        Fate::Over(went, said) => {
            tracing::error!(version = pending.version, why = said.en, "an update did not stay");
            if let Err(refused) = note::close(&place, went, said) {
                tracing::error!(why = %refused, "the outcome of the update could not be noted");
            }
        }
    }
    Ok(())
}

/// Whether the system that somebody went back to is the one that runs.
fn look_back(place: &Place, running: Slot) -> Result<(), Refused> {
    let mut note = note::read(place);
    let this_boot = note::this_boot(place);
    let Some(back) = note.back.take_if(|back| back.boot != this_boot) else { return Ok(()) };
    if back.slot != running {
        tracing::error!(version = back.version, "the system that somebody went back to did not start");
        let said = Sentence::new(
            "Somebody went back to it by hand, and it did not start three times in a row. The system before goes on.",
            "有人手动回退到该版本，但它连续三次无法启动。原来的系统继续运行。",
        );
        let outcome = Outcome { result: Went::TakenBack, version: back.version, said, at_s: note::now_s() };
        note.last = Some(outcome);
    }
    note::write(place, &note)
}

/// What is to be done about an update that is noted.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It runs and is not proven.
    ToProve,
    /// It waits for the restart.
    Waiting,
    /// It is over.
    Over(Went, Sentence),
}

fn fate(pending: &Pending, running: Slot, boot: &str) -> Fate {
    if pending.slot == running {
        return Fate::ToProve;
    }
    if pending.boot == boot {
        return Fate::Waiting;
    }
    if pending.installed {
        let said = Sentence::new("It did not start three times in a row.", "新系统连续三次无法启动。");
        return Fate::Over(Went::TakenBack, said);
    }
    let said = Sentence::new(
        "The power went while it was written; nothing was changed. Install it again.",
        "写入时断电；没有做任何更改。请重新安装。",
    );
    Fate::Over(Went::Interrupted, said)
}

fn wait(place: &Place, pending: &Pending) {
    std::thread::sleep(PATIENCE);
    if note::read(place).pending.as_ref() != Some(pending) {
        return;
    }
    let why = Sentence::new(
        format!("It did not prove itself within {} seconds.", PATIENCE.as_secs()),
        format!("新系统在 {} 秒内没有通过自检。", PATIENCE.as_secs()),
    );
    tracing::error!(version = pending.version, "the new system has not proven itself in time; going back");
    if let Err(refused) = super::mark_bad(place, &why) {
        tracing::error!(why = %refused, "going back failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(installed: bool) -> Pending {
        Pending { slot: Slot::B, version: "2".into(), from: "1".into(), installed, boot: "first".into() }
    }

    #[test]
    fn what_a_boot_makes_of_a_noted_update() {
        assert_eq!(fate(&pending(true), Slot::B, "second"), Fate::ToProve);
        // The boot loader was told, and the power went before that was noted.
        assert_eq!(fate(&pending(false), Slot::B, "second"), Fate::ToProve);
        assert_eq!(fate(&pending(true), Slot::A, "first"), Fate::Waiting);
        let went = |installed| match fate(&pending(installed), Slot::A, "second") {
            Fate::Over(went, _) => went,
            Fate::ToProve | Fate::Waiting => panic!("it is over"),
        };
        assert_eq!(went(true), Went::TakenBack);
        assert_eq!(went(false), Went::Interrupted);
    }
}
