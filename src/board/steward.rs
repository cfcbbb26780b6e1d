//! The words between the box and its steward, the one small process that may do what needs the rights of root: JSON
//! lines over a unix socket, one request, any number of progress lines, one answer, closed. The set of acts is fixed and
//! every argument has a type of its own: no free path, no shell, no list of words. Decides nothing.
pub mod client;

use serde::{Deserialize, Serialize};

/// Where the steward of an image listens.
pub const SOCKET: &str = "/run/belfry-steward/socket";
/// Longest line in either direction, bytes: the longest is a list of what is on a USB stick.
pub const LINE_MAX: usize = 64 * 1024;

/// What the steward can be asked to do. Each owner of acts has a file under `src/belfry/steward/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// State of both slots of the system.
    Slots,
    /// Restarts the box, in order.
    Reboot,
    /// Switches the box off, in order.
    PowerOff,
}

/// What the steward answers, as the last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// To [`Act::Slots`].
    Slots(Slots),
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

/// How far a long act is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0–100, never falling.
    pub percent: u8,
    /// What is being done.
    pub step: Said,
}

/// A sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Said {
    /// Both at once.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Said {
        Said { en: en.into(), zh: zh.into() }
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Machine word, snake_case.
    pub code: String,
    /// One clear sentence: what is wrong, and what to do.
    pub said: Said,
}

impl Refused {
    /// A refusal.
    pub fn new(code: &str, en: impl Into<String>, zh: impl Into<String>) -> Refused {
        Refused { code: code.to_owned(), said: Said::new(en, zh) }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said.en)
    }
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
}

/// One slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotState {
    /// Version of the system in it; none = never written, or not known.
    pub version: Option<String>,
    /// Whether the boot loader may start it.
    pub bootable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_the_line() {
        for act in [Act::Slots, Act::Reboot, Act::PowerOff] {
            let line = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&line).unwrap(), act);
        }
        let progress = Line::Progress(Progress { percent: 40, step: Said::new("copying", "正在复制") });
        let refused = Line::Answer(Answer::Refused(Refused::new("no_slots", "There are none.", "没有。")));
        for said in [progress, refused, Line::Answer(Answer::Done)] {
            let line = serde_json::to_string(&said).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&line).unwrap(), said);
        }
    }

    #[test]
    fn unknown_acts_are_refused() {
        for line in [r#"{"act":"shell"}"#, r#"{"act":"Reboot"}"#, "{}", "[]"] {
            assert!(serde_json::from_str::<Act>(line).is_err(), "{line}");
        }
    }
}
