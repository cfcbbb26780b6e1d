//! The words between the box and its steward, the one small process that may do what needs the rights of root: JSON
//! lines over a unix socket, one request, any number of progress lines, one answer, closed. The set of acts is fixed and
//! every argument has a type of its own: no free path, no shell, no list of words. Decides nothing.
pub mod client;

use model::sentence::Sentence;
use serde::{Deserialize, Serialize};

/// Where the steward of an image listens.
pub const SOCKET: &str = "/run/belfry-steward/socket";
/// Where the box puts a bundle that was uploaded; the only one that is looked at.
pub const BUNDLE: &str = "/data/belfry/update/bundle.raucb";
/// Longest line in either direction, bytes: the longest is a list of what is on a USB stick.
pub const LINE_MAX: usize = 64 * 1024;

/// What the steward can be asked to do. Each owner of acts has a file under `src/belfry/steward/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// State of both slots of the system.
    Slots,
    /// Looks at the bundle in the box's upload folder ([`BUNDLE`]) and says whether it may be installed.
    InspectBundle,
    /// Writes it into the slot that does not run and makes that one start next.
    InstallBundle,
    /// The running system is proven: it stays.
    MarkGood,
    /// The running system is not to be started again; the box restarts into the other one.
    MarkBad {
        /// What was wrong with it.
        why: Sentence,
    },
    /// Makes the other, older system start next.
    RollBack,
    /// Destroys the keys of the data, asks the next start for a new data file system, and restarts.
    FactoryReset,
    /// Backups on the USB stick that is plugged in.
    UsbFiles,
    /// Copies a backup of the box onto it and keeps the newest there.
    UsbPut {
        /// Which.
        name: BackupName,
        /// How many stay.
        keep: u32,
    },
    /// Copies a backup from it to the box, under `uploaded-` and its name.
    UsbGet {
        /// Which.
        name: BackupName,
    },
    /// Update bundles on the USB stick that is plugged in.
    UsbBundles,
    /// Copies a bundle from it to where an uploaded one is put ([`BUNDLE`]); it is looked at afterwards like any other.
    UsbBundle {
        /// Which.
        name: BundleName,
    },
    /// Puts the site's network and time settings in force; a change that can cut people off only on trial.
    ApplyNetwork {
        /// What the site says.
        settings: NetworkTree,
    },
    /// Keeps the network change that is on trial.
    KeepNetwork {
        /// The token of the trial.
        token: String,
    },
    /// Takes the network change that is on trial back now.
    UndoNetwork,
    /// What is in force, on trial, taken back.
    Network,
    /// Sets the clock of the machine and its battery clock.
    SetClock {
        /// Seconds since 1970.
        unix_s: u64,
    },
    /// Restarts the box, in order.
    Reboot,
    /// Switches the box off, in order.
    PowerOff,
}

impl Act {
    /// Changes nothing; asked again and again, so no log keeps it.
    #[must_use]
    pub fn looks_only(&self) -> bool {
        matches!(self, Act::Slots | Act::Network | Act::UsbFiles)
    }
}

/// What the steward answers, as the last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// To [`Act::Slots`].
    Slots(Slots),
    /// To [`Act::InspectBundle`]: it may be installed.
    Bundle(Bundle),
    /// To [`Act::UsbFiles`], [`Act::UsbPut`] and [`Act::UsbBundles`]: what is on the stick.
    UsbFiles {
        /// Newest first after a put, else last.
        files: Vec<UsbFile>,
    },
    /// To [`Act::Network`].
    Network(NetworkState),
    /// It will not be done, or could not.
    Refused(Refused),
}

/// One line of the steward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// How far it is; more lines follow.
    Progress(Progress),
    /// The last line.
    Answer(Answer),
}

/// A backup or a bundle on a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Name of a backup's file: letters, digits, `-`, `_`, `+` and `.`, ending in `.belfry`; never a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupName(String);

impl BackupName {
    /// As a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BackupName {
    type Error = String;
    fn try_from(text: String) -> Result<BackupName, String> {
        if is_plain(&text, ".belfry") {
            Ok(BackupName(text))
        } else {
            Err(format!("\"{text}\" is not the name of a backup"))
        }
    }
}

/// Letters, digits, `-`, `_`, `+` and `.`, never a path, with this end.
fn is_plain(text: &str, end: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    text.ends_with(end) && text.len() <= 100 && !text.starts_with('.') && text.chars().all(plain)
}

/// Name of an update bundle's file: letters, digits, `-`, `_`, `+` and `.`, ending in `.raucb`; never a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundleName(String);

impl BundleName {
    /// As a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BundleName {
    type Error = String;
    fn try_from(text: String) -> Result<BundleName, String> {
        if is_plain(&text, ".raucb") {
            Ok(BundleName(text))
        } else {
            Err(format!("\"{text}\" is not the name of an update bundle"))
        }
    }
}

impl From<BundleName> for String {
    fn from(name: BundleName) -> String {
        name.0
    }
}

impl From<BackupName> for String {
    fn from(name: BackupName) -> String {
        name.0
    }
}

/// How far a long act is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0–100, never falling.
    pub percent: u8,
    /// What is being done.
    pub step: Sentence,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Machine word, snake_case.
    pub code: String,
    /// One clear sentence: what is wrong, and what to do.
    pub said: Sentence,
}

impl Refused {
    /// A refusal.
    pub fn new(code: &str, en: impl Into<String>, zh: impl Into<String>) -> Refused {
        Refused { code: code.to_owned(), said: Sentence::new(en, zh) }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said.en)
    }
}

/// Sections `[network]` and `[time]` of a site, as the configuration writes them; the steward reads and checks them by
/// the rules of the configuration before it does anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTree {
    /// Section `[network]`.
    pub network: serde_json::Value,
    /// Section `[time]`.
    pub time: serde_json::Value,
}

/// The network as the steward keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkState {
    /// What comes back after a restart.
    pub settled: NetworkTree,
    /// The change on trial.
    pub tried: Option<NetworkTried>,
    /// The last change that was taken back, until the next one.
    pub undone: Option<NetworkUndone>,
}

/// A network change on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkTried {
    /// The new settings, in force now.
    pub settings: NetworkTree,
    /// Whoever knows it may keep the change.
    pub token: String,
    /// Seconds until it is taken back.
    pub left_s: u64,
}

/// A network change that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkUndone {
    /// What had been tried.
    pub settings: NetworkTree,
    /// `asked`, `not_kept` or `restarted`.
    pub why: String,
}

/// One of the two places a system can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// Partitions `boot-a` and `root-a`.
    A,
    /// Partitions `boot-b` and `root-b`.
    B,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Slot {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }
}

/// Both slots, and what became of the last update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// The one that runs.
    pub running: Slot,
    /// Slot A.
    pub a: SlotState,
    /// Slot B.
    pub b: SlotState,
    /// An update that is installed and not proven yet.
    pub pending: Option<Pending>,
    /// What became of the last one.
    pub last: Option<Outcome>,
}

impl Slots {
    /// One of them.
    #[must_use]
    pub fn of(&self, slot: Slot) -> &SlotState {
        match slot {
            Slot::A => &self.a,
            Slot::B => &self.b,
        }
    }

    /// Whether the running system still has to prove itself.
    #[must_use]
    pub fn unproven(&self) -> bool {
        self.pending.as_ref().is_some_and(|p| p.slot == self.running)
    }
}

/// One slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotState {
    /// Version of the system in it; none = never written, or not known.
    pub version: Option<String>,
    /// Whether the boot loader may start it.
    pub bootable: bool,
}

/// An update on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Where it goes.
    pub slot: Slot,
    /// Its version.
    pub version: String,
    /// Version it replaces.
    pub from: String,
    /// Written whole; else it is being written, or was when the power went.
    pub installed: bool,
    /// Boot in which it was installed (the kernel's boot id).
    pub boot: String,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which way it went.
    pub result: Went,
    /// Its version.
    pub version: String,
    /// Why, for a person.
    pub said: Sentence,
    /// Seconds since 1970, by the box's clock.
    pub at_s: u64,
}

/// Which way an update went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Went {
    /// It proved itself and stays.
    Kept,
    /// It did not prove itself, or did not start; the system before it runs again.
    TakenBack,
    /// A person went back to the system before it.
    RolledBack,
    /// The power went, or the disk failed, while it was written; nothing was changed.
    Interrupted,
}

/// A bundle that may be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Its version.
    pub version: String,
    /// Version that runs.
    pub running: String,
    /// Whether it is older than what runs.
    pub older: bool,
    /// Size of the file.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_the_line() {
        let bad = Act::MarkBad { why: Sentence::new("x", "y") };
        let name = BackupName::try_from("a-20261122-120000.belfry".to_owned()).unwrap();
        let put = Act::UsbPut { name: name.clone(), keep: 3 };
        let bundle = Act::UsbBundle { name: BundleName::try_from("belfry-1.2+3.raucb".to_owned()).unwrap() };
        for act in [Act::Slots, Act::Reboot, bad, Act::FactoryReset, put, Act::UsbGet { name }, bundle] {
            let line = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&line).unwrap(), act);
        }
        let progress =
            Line::Progress(Progress { percent: 40, step: Sentence::new("copying", "正在复制") });
        let refused = Line::Answer(Answer::Refused(Refused::new("no_slots", "There are none.", "没有。")));
        for said in [progress, refused, Line::Answer(Answer::Done)] {
            let line = serde_json::to_string(&said).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&line).unwrap(), said);
        }
    }

    #[test]
    fn unknown_acts_are_refused() {
        for line in [
            r#"{"act":"usb_get","name":"../../etc/shadow.belfry"}"#,
            r#"{"act":"usb_bundle","name":"../new.raucb"}"#,
            r#"{"act":"usb_bundle","name":"new.belfry"}"#,
            r#"{"act":"shell"}"#,
            r#"{"act":"Reboot"}"#,
            "{}",
            "[]",
        ] {
            assert!(serde_json::from_str::<Act>(line).is_err(), "{line}");
        }
    }
}
