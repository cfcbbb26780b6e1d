//! The proof of a new system: the box has called itself, and the trunks that were up before the update are up again.
//! A trunk that is missing counts against the new system only when its carrier is there: it answers a plain question from
//! another socket, and still does not have us. A carrier that answers nobody is not the new system's fault, and so is not
//! held against it. Passed: the system stays. Not passed in time: the one before it is started again.
use super::{MARK, Updates, in_chinese, in_english, silence};
use board::steward::Act;
use model::config::trunk::Trunk;
use model::notice::TrunkView;
use model::sentence::Sentence;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use web::ports::NotDone;

/// Names of the trunks that were up when the box restarted for the update, below the data folder.
pub const TRUNKS: &str = "update/trunks.json";
/// Longest time to the proof. With two restarts the old system is back within three minutes; the steward has a longer
/// limit of its own for a box that hangs.
const PATIENCE: Duration = Duration::from_secs(75);
/// So many calls to itself have failed, and so long was tried, when a system is given up for that alone. A call takes five
/// seconds and is ended after 20: who fails slowly fails twice, and the old system is back half a minute earlier. A box too
/// busy to place its calls has not failed them.
const CALLS: u32 = 2;
const CALL_PATIENCE: Duration = Duration::from_secs(40);
/// A carrier that has not taken us by then is looked at from outside the engine.
const TRUNK_PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

impl Updates {
    /// Proves the running system and has it kept, or taken back.
    pub(super) fn prove(&self, stop: &AtomicBool) {
        self.tell(|view| view.work = Some(super::work(0, "The new system proves itself", "新系统正在自检")));
        let passed = self.passes(stop);
        if stop.load(Ordering::Relaxed) {
            // Somebody stops the box; the next start proves anew.
            return;
        }
        match passed {
            Ok(()) => {
                while !self.keep() && !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(LOOK);
                }
                self.tell_outcome();
            }
            Err(why) => {
                tracing::error!(
                    why = why.en,
                    "the new system has not proven itself; the old one is started again"
                );
                if let Err(refused) = self.steward.ask(&Act::MarkBad { why }, MARK) {
                    self.refuse(&refused);
                }
            }
        }
        self.tell(|view| view.work = None);
    }

    fn passes(&self, stop: &AtomicBool) -> Result<(), Sentence> {
        let start = Instant::now();
        let wanted = self.trunks_before();
        let (mut called, mut failed) = (false, 0);
        let mut why = Sentence::new("It did not call itself.", "没有进行自检通话。");
        while !is_given_up(failed, start.elapsed()) && !stop.load(Ordering::Relaxed) {
            if !called {
                match self.call() {
                    Ok(()) => (called, failed) = (true, 0),
                    Err(NoCall::Failed(said)) => (failed, why) = (failed + 1, said),
                    Err(NoCall::NotPlaced(said)) => why = said,
                }
            }
            let missing = self.missing(&wanted);
            if called && missing.is_empty() {
                return Ok(());
            }
            if called && start.elapsed() >= TRUNK_PATIENCE {
                let Some(trunk) = missing.iter().find(|trunk| silence::answers(trunk)) else {
                    self.note("warning", "The update is kept although carriers that were up before do not answer: they answer nobody.".into());
                    return Ok(());
                };
                why = Sentence::new(
                    format!(
                        "Trunk {} was up before the update and is not any more, although its carrier answers.",
                        trunk.name
                    ),
                    format!("中继 {} 在更新前正常，更新后未能注册，而运营商有应答。", trunk.name),
                );
            }
            std::thread::sleep(LOOK);
        }
        Err(why)
    }

    fn call(&self) -> Result<(), NoCall> {
        let not_placed = |not: NotDone| NoCall::NotPlaced(not.0);
        let call = web::ports::Updates::self_call(self).map_err(not_placed)?;
        let Some(part) = call.failed else { return Ok(()) };
        Err(NoCall::Failed(Sentence::new(
            format!("It could not call itself: {}.", in_english(part)),
            format!("自检通话失败：{}。", in_chinese(part)),
        )))
    }

    fn trunks_before(&self) -> Vec<Trunk> {
        let text = std::fs::read_to_string(self.data.join(TRUNKS)).unwrap_or_default();
        let names: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
        let current = self.store.reader().current().ok().flatten();
        let config = current.and_then(|(_, tree)| model::config::draft::read(&tree).ok());
        let Some(config) = config else { return Vec::new() };
        names.iter().filter_map(|name| config.trunk.get(name).cloned()).collect()
    }

    fn missing<'a>(&self, wanted: &'a [Trunk]) -> Vec<&'a Trunk> {
        let now = self.mirror.state().trunks;
        wanted.iter().filter(|t| now.get(&t.name).is_none_or(|view| !stands(view))).collect()
    }
}

/// Why there is no call to itself that went well.
enum NoCall {
    /// It was placed, and failed.
    Failed(Sentence),
    /// It was not placed, or nobody learned what became of it.
    NotPlaced(Sentence),
}

/// Whether a system is given up that has failed so many calls to itself in so long.
fn is_given_up(failed: u32, after: Duration) -> bool {
    after >= PATIENCE || (failed >= CALLS && after >= CALL_PATIENCE)
}

/// Whether the carrier has us; one that refuses single calls does.
pub(super) fn stands(view: &TrunkView) -> bool {
    matches!(view.state.as_str(), "up" | "refusing")
}

#[cfg(test)]
mod tests {
    use super::is_given_up;
    use std::time::Duration;

    #[test]
    fn a_system_is_given_up_for_calls_that_failed_not_for_calls_that_a_busy_box_could_not_place() {
        let after = Duration::from_secs;
        // Two calls that nobody heard, 20 s each.
        assert!(!is_given_up(1, after(21)) && is_given_up(2, after(41)));
        // Refused at once, again and again: it may still be starting.
        assert!(!is_given_up(30, after(39)));
        // None was placed, or the first that was goes on.
        assert!(!is_given_up(0, after(74)) && !is_given_up(1, after(74)) && is_given_up(0, after(75)));
    }
}
