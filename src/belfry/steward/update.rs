//! Acts on the two slots of the system, through RAUC: install, keep, take back, go back by hand. An update is noted
//! before the first byte is written, so that whenever the power goes the next boot knows whether what runs is proven.
pub mod bundle;
pub mod note;
pub mod proof;
pub mod slots;
mod verity;
pub mod version;

use super::Tell;
use super::place::Place;
use super::power;
use super::run;
use board::steward::{Answer, BUNDLE, Outcome, Pending, Refused, Went};
use model::sentence::Sentence;
use note::{Back, Left, Note};
use std::time::Duration;

/// Writing 200 MB to a slow card and reading it back.
const WRITING: Duration = Duration::from_secs(20 * 60);
/// The part of an installation that checking the file once more takes: a fifth, so that its percent go on from there.
const CHECKING: u8 = 5;
/// RAUC changes the boot loader's environment. Generous: a slow box must not be counted as a bad one.
const MARKING: Duration = Duration::from_secs(600);

/// Writes the uploaded bundle into the slot that does not run; it starts at the next restart.
///
/// # Errors
/// Whatever [`bundle::inspect`] refuses; an update waits for its proof; RAUC fails (what ran goes on running).
pub fn install(place: &Place, tell: Tell<'_>) -> Result<Answer, Refused> {
    let running = slots::running(place)?;
    let before = note::read(place);
    if before.pending.as_ref().is_some_and(|p| p.slot == running) {
        return Err(unproven());
    }
    let found = bundle::inspect(place, &mut |percent, said| tell(percent.min(99) / CHECKING, said))?;
    let left = Some(Left { slot: running, version: found.running.clone() });
    let pending = Pending {
        slot: running.other(),
        version: found.version.clone(),
        from: found.running,
        installed: false,
        boot: note::this_boot(place),
    };
    note::write(place, &Note { pending: Some(pending.clone()), ..before.clone() })?;
    if let Err(refused) = write_slot(place, tell) {
        note::write(place, &before)?;
        return Err(refused);
    }
    note::write(place, &Note { pending: Some(Pending { installed: true, ..pending }), left, ..before })?;
    tell(100, Sentence::new("Installed; it starts at the next restart", "已安装；下次重新启动时生效"));
    Ok(Answer::Done)
}

fn write_slot(place: &Place, tell: Tell<'_>) -> Result<(), Refused> {
    let path = place.path(BUNDLE);
    let path = path.to_string_lossy();
    let mut last = 100 / CHECKING;
    let ran = run::follow(place, "rauc", &["install", &path], WRITING, |line| {
        if let Some(percent) = percent(line).filter(|p| *p > last) {
            last = percent;
            tell(percent.min(99), Sentence::new("Writing the new system", "正在写入新系统"));
        }
    })?;
    if ran.ok {
        return Ok(());
    }
    let why = ran.out.lines().chain(ran.err.lines()).find_map(|line| line.trim().strip_prefix("LastError: "));
    let why = why.unwrap_or_else(|| run::last_line(&ran.err)).to_owned();
    Err(Refused::new(
        "install_failed",
        format!("The update could not be written: {why}. The present system goes on; try again."),
        format!("无法写入更新：{why}。当前系统继续运行；请重试。"),
    ))
}

/// `" 40% Copying image to rootfs.1"` → 40.
fn percent(line: &str) -> Option<u8> {
    line.trim().split_once('%')?.0.parse().ok().filter(|p| *p <= 100)
}

/// The running system stays.
///
/// # Errors
/// RAUC fails.
pub fn mark_good(place: &Place) -> Result<Answer, Refused> {
    let running = slots::running(place)?;
    run::run(place, "rauc", &["status", "mark-good"], MARKING)?.fine("rauc")?;
    if note::read(place).pending.is_some_and(|p| p.slot == running) {
        let said =
            Sentence::new("It called itself and has its trunks again.", "自检通话成功，中继已重新注册。");
        note::close(place, Went::Kept, said)?;
    }
    Ok(Answer::Done)
}

/// The running system has failed its proof: never start it again, go back to the other one now.
///
/// # Errors
/// It is proven already (then only a person may go back), or RAUC fails.
pub fn mark_bad(place: &Place, why: &Sentence) -> Result<Answer, Refused> {
    let running = slots::running(place)?;
    if note::read(place).pending.is_none_or(|p| p.slot != running) {
        return Err(Refused::new(
            "proven",
            "The running system is proven; go back by hand if you want the other one.",
            "当前系统已通过验证；如需另一个系统，请手动回退。",
        ));
    }
    // Noted after: if the power goes in between, the other system starts and notes that this one did not stay.
    run::run(place, "rauc", &["status", "mark-bad"], MARKING)?.fine("rauc")?;
    note::close(place, Went::TakenBack, why.clone())?;
    power::reboot(place)
}

/// Makes the other system start next.
///
/// # Errors
/// There is none, or RAUC fails.
pub fn roll_back(place: &Place) -> Result<Answer, Refused> {
    let slots = slots::look(place)?;
    let other = slots.of(slots.running.other());
    if slots.pending.is_some() {
        return Err(unproven());
    }
    let Some(version) = &other.version else {
        return Err(Refused::new(
            "no_other",
            "There is no older system to go back to: the other slot was never written.",
            "没有可以回退的旧系统：另一个分区从未写入。",
        ));
    };
    run::run(place, "rauc", &["status", "mark-active", "other"], MARKING)?.fine("rauc")?;
    let back = Back { slot: slots.running.other(), version: version.clone(), boot: note::this_boot(place) };
    let said = Sentence::new(format!("Back to {version}, by hand."), format!("已手动回退到 {version}。"));
    let left = slots::running_version(place);
    let last = Outcome { result: Went::RolledBack, version: left, said, at_s: note::now_s() };
    note::write(place, &Note { last: Some(last), back: Some(back), ..note::read(place) })?;
    Ok(Answer::Done)
}

fn unproven() -> Refused {
    Refused::new(
        "unproven",
        "An update is waiting for its restart or its proof; wait until that is over.",
        "有一个更新正在等待重新启动或验证；请等它结束。",
    )
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn progress_of_rauc_is_read() {
        assert_eq!(percent("  0% Installing"), Some(0));
        assert_eq!(percent(" 40% Copying image to rootfs.1"), Some(40));
        assert_eq!(percent("Installing `/x` succeeded"), None);
        assert_eq!(percent("900% nonsense"), None);
    }
}
