//! The system and its updates, as the control role sees them: asks the steward, tells the pages, restarts when the box is
//! silent, and after a restart into a new system has it prove itself (`proof`). On a thread of its own that no call waits
//! for. Decides when; what may be installed is the steward's.
mod listen;
mod proof;
mod silence;

use crate::clock;
use crate::health::reports::Reports;
use crate::intake::Events;
use crate::mirror::Mirror;
use crate::replies::Replies;
use board::steward::client::{SHORT, Steward};
use board::steward::{Act, Answer, BundleName, Refused, Slot, Slots, Went};
use engine::event::Event;
use model::clock::Wall;
use model::command::{Actor, Command};
use model::id::Ticket;
use model::notice::Notice;
use model::record::{NoteRecord, Record};
use model::sentence::Sentence;
use model::update::{
    BundleView, Restart, SelfCall, SelfCallPart, SlotView, UpdateOutcome, UpdateView, WorkView,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use store::Store;
use web::api::update::StickBundle;
use web::live::hub::Inbox;
use web::ports::{Ask, NotDone};

/// How often the thread looks whether something is due.
const LOOK: Duration = Duration::from_millis(500);
/// Between two tries to learn what the system is.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Longest wait for silence before a restart.
const SILENCE: Duration = Duration::from_secs(3600);
/// Between two calls of the box to itself when nobody asks.
const SELF_CALL_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Longest wait for the end of a self-call: the engine ends it after 20 s.
const SELF_CALL_ENDS: Duration = Duration::from_secs(25);
/// RAUC and the steward read a whole bundle. Nobody waits for it on a line: a slow card may take its time.
const INSPECT: Duration = Duration::from_secs(15 * 60);
/// The state of the slots. The steward gives RAUC 50 s: early in the start of a slow machine it needs them.
const SLOTS: Duration = Duration::from_secs(60);
/// A stick that has to be found, mounted and listed.
const STICK: Duration = Duration::from_secs(60);
/// RAUC writes a whole system.
const INSTALL: Duration = Duration::from_secs(25 * 60);
/// Marking has no limit of its own: a slow box must not be counted as a bad one.
const MARK: Duration = Duration::from_secs(700);
/// Room that must stay on the data partition beside an upload.
const RESERVE: u64 = 64 * 1024 * 1024;

/// What the thread and the pages share.
pub struct Updates {
    /// Who may change the system.
    pub steward: Steward,
    /// The data folder.
    pub data: PathBuf,
    /// Keeps notes, and the configuration with its trunks.
    pub store: Arc<Store>,
    /// To the pages, once they are there.
    pub inbox: OnceLock<Inbox>,
    /// Calls and trunks now.
    pub mirror: Arc<Mirror>,
    /// To the engine.
    pub events: Events,
    /// From the engine.
    pub replies: Arc<Replies>,
    /// Where an update that was taken back is told as not well.
    pub reports: Arc<Reports>,
    /// A system is being written: the lamps say that the power must stay on.
    pub writing: Arc<AtomicBool>,
    /// State told and asked.
    pub state: Mutex<State>,
}

/// What is told, and what is to be done.
#[derive(Default)]
pub struct State {
    view: UpdateView,
    restart_by: Option<Instant>,
    wanted: Option<Wanted>,
    calling: bool,
    busy: bool,
}

/// What the thread is to do next.
enum Wanted {
    /// Bring this bundle from a USB stick, then look at it.
    Fetch(BundleName),
    /// Look at the bundle that was uploaded.
    Inspect,
    /// Change the system, then restart.
    Change(Act, Restart),
}

impl Updates {
    /// Runs until `stop`.
    pub fn run(self: &Arc<Updates>, stop: &AtomicBool) {
        self.tell(|view| env!("CARGO_PKG_VERSION").clone_into(&mut view.version));
        self.look();
        while !stop.load(Ordering::Relaxed) && !self.mirror.ask(|state| state.media) {
            std::thread::sleep(LOOK);
        }
        // Early in a start the steward's own helpers may not be there yet: asked until the system is known and kept.
        let mut next_look = Some(Instant::now());
        let mut next_call = Instant::now() + SELF_CALL_EVERY;
        while !stop.load(Ordering::Relaxed) {
            if next_look.is_some_and(|at| Instant::now() >= at) {
                next_look = if self.settle(stop) { None } else { Some(Instant::now() + LOOK_AGAIN) };
            }
            let wanted = self.state().wanted.take();
            match wanted {
                Some(Wanted::Fetch(name)) => self.bring(name),
                Some(Wanted::Inspect) => self.inspect(),
                Some(Wanted::Change(act, restart)) => self.carry_out(&act, restart),
                None => {}
            }
            if self.restart_is_due() {
                self.restart_now();
            }
            if Instant::now() >= next_call {
                next_call = Instant::now() + SELF_CALL_EVERY;
                self.daily_call();
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Has the running system proven or kept; whether that is done.
    fn settle(&self, stop: &AtomicBool) -> bool {
        let Some(slots) = self.look() else { return false };
        self.tell_outcome();
        if slots.unproven() {
            self.prove(stop);
            return true;
        }
        self.keep()
    }

    /// Reads the slots anew; `None` when the box has none.
    fn look(&self) -> Option<Slots> {
        match self.steward.ask(&Act::Slots, SLOTS) {
            Ok(answer) => {
                let Answer::Slots(slots) = answer else { return None };
                self.tell(|view| show(view, &slots));
                Some(slots)
            }
            Err(refused) => {
                self.tell(|view| {
                    // A box whose slots were seen has them still.
                    if view.slots.is_empty() {
                        view.impossible = Some(refused.said.clone());
                    } else {
                        tracing::warn!(why = %refused, "the state of the system is not known now");
                    }
                });
                None
            }
        }
    }

    /// A proven system that has started stays: the boot loader may forget its tries.
    fn keep(&self) -> bool {
        let kept = self.steward.ask(&Act::MarkGood, MARK);
        if let Err(refused) = &kept {
            tracing::error!(why = %refused, "the boot loader was not told that this system works");
        }
        self.look();
        kept.is_ok()
    }

    /// What became of an update is noted once.
    fn tell_outcome(&self) {
        let Some(last) = self.state().view.last.clone() else { return };
        let trouble = (last.result == "taken_back")
            .then(|| format!("version {} did not stay: {}", last.version, last.said.en));
        self.reports.set("update", "", trouble);
        let told = self.data.join("update/told");
        let key = format!("{} {}", last.at.0, last.version);
        if std::fs::read_to_string(&told).is_ok_and(|t| t == key) {
            return;
        }
        let (level, text) = match last.result.as_str() {
            "kept" => ("info", format!("The update to {} is kept: {}", last.version, last.said.en)),
            "rolled_back" => ("warning", last.said.en.clone()),
            "interrupted" => {
                ("warning", format!("The update to {} did not happen: {}", last.version, last.said.en))
            }
            _ => ("alarm", format!("Version {} did not stay: {}", last.version, last.said.en)),
        };
        self.note(level, text);
        if let Err(error) = std::fs::write(&told, key) {
            tracing::warn!(%error, "the outcome of the update may be told twice");
        }
    }

    /// Whether the box may restart now: a wish, and silence or the end of patience.
    fn restart_is_due(&self) -> bool {
        let Some(by) = self.state().restart_by else { return false };
        Instant::now() >= by || self.mirror.is_silent()
    }

    fn restart_now(&self) {
        self.tell(|view| view.work = Some(work(100, "Restarting", "正在重新启动")));
        self.state().restart_by = None;
        self.remember_trunks();
        if let Err(refused) = self.steward.ask(&Act::Reboot, SHORT) {
            self.refuse(&refused);
        }
    }

    /// Trunks that are up now: the new system must have them again.
    fn remember_trunks(&self) {
        let up: Vec<String> =
            self.mirror.state().trunks.into_values().filter(proof::stands).map(|t| t.trunk).collect();
        let file = self.data.join(proof::TRUNKS);
        if let Err(error) = std::fs::write(&file, serde_json::to_vec(&up).unwrap_or_default()) {
            tracing::warn!(%error, "the trunks that are up could not be noted for after the restart");
        }
    }

    fn daily_call(&self) {
        match web::ports::Updates::self_call(self) {
            Ok(SelfCall { failed: None, .. }) => {}
            Ok(SelfCall { failed: Some(part), detail, .. }) => {
                self.note(
                    "alarm",
                    format!("The box could not call itself: {} ({detail}).", in_english(part)),
                );
            }
            // Draining, or somebody else is at it.
            Err(not) => tracing::info!(why = %not, "no self-call now"),
        }
    }

    fn note(&self, level: &str, text: String) {
        let note = NoteRecord {
            at: clock::wall(),
            level: level.into(),
            kind: "update".into(),
            subject: "system".into(),
            text,
        };
        self.put(Notice::Note(note.clone()));
        if self.store.keep(Ticket(0), Record::Note(note)).is_err() {
            tracing::warn!("the event log takes no note of the update: its queue is full");
        }
    }

    fn refuse(&self, refused: &Refused) {
        tracing::warn!(why = %refused, "not done");
        self.tell(|view| {
            view.work = None;
            view.refused = Some(refused.said.clone());
        });
    }

    /// Changes what is told, and tells it.
    fn tell(&self, change: impl FnOnce(&mut UpdateView)) {
        self.change(|state| change(&mut state.view));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let view = {
            let mut state = self.state();
            let before = state.view.clone();
            change(&mut state);
            if state.view == before {
                return;
            }
            state.view.clone()
        };
        self.put(Notice::Update(Box::new(view)));
    }

    fn put(&self, notice: Notice) {
        if let Some(inbox) = self.inbox.get() {
            inbox.put(notice);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing else is done to the system meanwhile.
    ///
    /// # Errors
    /// Something is being done already, or the box cannot be updated.
    fn begin(&self) -> Result<(), NotDone> {
        let mut state = self.state();
        if let Some(why) = &state.view.impossible {
            return Err(NotDone(why.clone()));
        }
        if std::mem::replace(&mut state.busy, true) {
            return Err(not_done(
                "The system is being changed already; wait until that is over.",
                "系统正在更改中；请等待完成。",
            ));
        }
        state.view.refused = None;
        Ok(())
    }

    fn end(&self) {
        self.state().busy = false;
        self.tell(|view| view.work = None);
        self.look();
    }

    fn upload(&self) -> PathBuf {
        self.data.join("update/bundle.raucb")
    }

    /// Brings a bundle from a stick, telling how far it is, then looks at it as at an uploaded one.
    fn bring(&self, name: BundleName) {
        let brought = self.steward.follow(&Act::UsbBundle { name }, INSPECT, |p| {
            self.tell(|view| view.work = Some(WorkView { percent: p.percent, step: p.step.clone() }));
        });
        match brought {
            Ok(_) => self.inspect(),
            Err(refused) => {
                self.state().busy = false;
                self.refuse(&refused);
            }
        }
    }

    /// Looks at the uploaded bundle, telling how far it is. The verdict is there in the moment in which the work is over.
    fn inspect(&self) {
        let verdict = self.steward.follow(&Act::InspectBundle, INSPECT, |p| {
            self.tell(|view| view.work = Some(WorkView { percent: p.percent, step: p.step.clone() }));
        });
        let (bundle, refused) = match verdict {
            Ok(Answer::Bundle(b)) => {
                (Some(BundleView { version: b.version, older: b.older, bytes: b.bytes }), None)
            }
            Ok(
                Answer::Done
                | Answer::Slots(_)
                | Answer::UsbFiles { .. }
                | Answer::Network(_)
                | Answer::Refused(_),
            ) => (None, Some(busy().0)),
            Err(refused) => {
                tracing::warn!(why = %refused, "an uploaded bundle is refused");
                (None, Some(refused.said.clone()))
            }
        };
        if bundle.is_none() {
            let _ = std::fs::remove_file(self.upload());
        }
        self.change(|state| {
            state.busy = false;
            state.view.work = None;
            state.view.bundle = bundle;
            state.view.refused = refused;
        });
    }

    /// Installs or goes back, telling how far it is; then restarts as wanted.
    fn carry_out(&self, act: &Act, restart: Restart) {
        self.remember_trunks();
        self.writing.store(true, Ordering::Relaxed);
        let done = self.steward.follow(act, INSTALL, |p| {
            self.tell(|view| view.work = Some(WorkView { percent: p.percent, step: p.step.clone() }));
        });
        self.writing.store(false, Ordering::Relaxed);
        self.end();
        match done {
            Ok(_) => {
                if *act == Act::InstallBundle {
                    // Written: its room is free for recordings again.
                    let _ = std::fs::remove_file(self.upload());
                    self.tell(|view| view.bundle = None);
                }
                self.wish(restart);
            }
            Err(refused) => self.refuse(&refused),
        }
    }

    fn wish(&self, restart: Restart) {
        let patience = match restart {
            Restart::Later => None,
            Restart::Idle => Some(SILENCE),
            Restart::Now => Some(Duration::ZERO),
        };
        self.state().restart_by = patience.map(|p| Instant::now() + p);
        let by = patience.map(|p| Wall(clock::wall().0 + i64::try_from(p.as_millis()).unwrap_or(0)));
        self.tell(|view| view.restart_by = by);
    }

    /// Asks the engine, and waits for what becomes of the call.
    fn call_itself(&self) -> Result<SelfCall, NotDone> {
        let before = self.mirror.self_call().0;
        let (ticket, answer) = self.replies.expect().ok_or_else(busy)?;
        let by = Actor { name: "self-check".into() };
        if !self.events.offer(Event::Command { ticket, by, command: Command::SelfCall }) {
            return Err(busy());
        }
        if !matches!(answer.blocking_recv(), Ok(Ok(()))) {
            return Err(not_done("The box takes no calls now.", "本机现在不接听电话。"));
        }
        let until = Instant::now() + SELF_CALL_ENDS;
        while Instant::now() < until {
            if let (count, Some(result)) = self.mirror.self_call()
                && count > before
            {
                return Ok(listen::to(&self.data, result));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(busy())
    }
}

impl web::ports::Updates for Updates {
    fn view(&self) -> UpdateView {
        self.state().view.clone()
    }

    fn begin_upload(&self, bytes: Option<u64>) -> Result<PathBuf, NotDone> {
        self.begin()?;
        let free = nix::sys::statvfs::statvfs(&self.data)
            .map_or(0, |v| v.blocks_available().saturating_mul(v.fragment_size()));
        // What was uploaded before goes: it is replaced.
        let _ = std::fs::remove_file(self.upload());
        if bytes.unwrap_or(0).saturating_add(RESERVE) > free {
            self.end();
            return Err(not_done(
                "There is not enough room on the disk for this file. Delete recordings or backups first.",
                "磁盘空间不足。请先删除录音或备份。",
            ));
        }
        self.tell(|view| {
            view.bundle = None;
            view.work = Some(work(0, "Receiving the file", "正在接收文件"));
        });
        Ok(self.upload())
    }

    fn end_upload(&self, whole: bool) {
        if !whole {
            self.end();
            return;
        }
        self.tell(|view| view.work = Some(work(0, "Checking the file", "正在检查文件")));
        self.state().wanted = Some(Wanted::Inspect);
    }

    fn stick(&self) -> Result<Vec<StickBundle>, NotDone> {
        if let Some(why) = &self.state().view.impossible {
            return Err(NotDone(why.clone()));
        }
        match self.steward.ask(&Act::UsbBundles, STICK) {
            Ok(Answer::UsbFiles { files }) => {
                Ok(files.into_iter().map(|f| StickBundle { name: f.name, bytes: f.bytes }).collect())
            }
            Ok(
                Answer::Done | Answer::Slots(_) | Answer::Bundle(_) | Answer::Network(_) | Answer::Refused(_),
            ) => Err(busy()),
            Err(refused) => Err(NotDone(refused.said.clone())),
        }
    }

    fn fetch(&self, by: &str, name: &str) -> Result<(), NotDone> {
        let Ok(wanted) = BundleName::try_from(name.to_owned()) else {
            return Err(not_done(
                "That is not the name of an update file (.raucb).",
                "这不是更新文件（.raucb）的名称。",
            ));
        };
        self.begin()?;
        tracing::info!(by, name, "an update is brought from a USB stick");
        self.tell(|view| {
            view.bundle = None;
            view.work = Some(work(0, "Copying from the USB stick", "正在从 U 盘复制"));
        });
        self.state().wanted = Some(Wanted::Fetch(wanted));
        Ok(())
    }

    fn ask(&self, by: &str, ask: Ask) -> Result<(), NotDone> {
        self.begin()?;
        let (act, restart) = match ask {
            Ask::Restart(restart) => {
                self.end();
                self.wish(restart);
                return Ok(());
            }
            Ask::Install(restart) => (Act::InstallBundle, restart),
            Ask::RollBack(restart) => (Act::RollBack, restart),
        };
        self.note("info", format!("{by} changes the system: {act:?}."));
        self.state().wanted = Some(Wanted::Change(act, restart));
        Ok(())
    }

    fn self_call(&self) -> Result<SelfCall, NotDone> {
        if std::mem::replace(&mut self.state().calling, true) {
            return Err(busy());
        }
        let result = self.call_itself();
        self.state().calling = false;
        if let Ok(call) = &result {
            self.tell(|view| view.self_call = Some(call.clone()));
        }
        result
    }
}

fn show(view: &mut UpdateView, slots: &Slots) {
    let one = |slot: Slot, name: &str| SlotView {
        slot: name.to_owned(),
        version: slots.of(slot).version.clone(),
        running: slots.running == slot,
        bootable: slots.of(slot).bootable,
    };
    view.impossible = None;
    view.slots = vec![one(Slot::A, "a"), one(Slot::B, "b")];
    if let Some(version) = &slots.of(slots.running).version {
        view.version.clone_from(version);
    }
    view.unproven = slots.unproven();
    view.waiting =
        slots.pending.as_ref().filter(|p| p.installed && !slots.unproven()).map(|p| p.version.clone());
    view.last = slots.last.as_ref().map(|last| UpdateOutcome {
        result: match last.result {
            Went::Kept => "kept",
            Went::TakenBack => "taken_back",
            Went::RolledBack => "rolled_back",
            Went::Interrupted => "interrupted",
        }
        .to_owned(),
        version: last.version.clone(),
        said: last.said.clone(),
        at: Wall(i64::try_from(last.at_s).unwrap_or(0).saturating_mul(1000)),
    });
}

/// The part of the box, for a sentence.
fn in_english(part: SelfCallPart) -> &'static str {
    match part {
        SelfCallPart::Signalling => "its SIP door did not answer",
        SelfCallPart::Prompt => "its prompt was not played",
        SelfCallPart::Media => "no sound went through",
        SelfCallPart::Recording => "the recording did not hold the tone",
    }
}

fn in_chinese(part: SelfCallPart) -> &'static str {
    match part {
        SelfCallPart::Signalling => "SIP 没有应答",
        SelfCallPart::Prompt => "提示音没有播放",
        SelfCallPart::Media => "声音不通",
        SelfCallPart::Recording => "录音中没有测试音",
    }
}

fn work(percent: u8, en: &str, zh: &str) -> WorkView {
    WorkView { percent, step: Sentence::new(en, zh) }
}

fn not_done(en: &str, zh: &str) -> NotDone {
    NotDone(Sentence::new(en, zh))
}

fn busy() -> NotDone {
    not_done("The box is busy; try again shortly.", "本机正忙；请稍后再试。")
}
