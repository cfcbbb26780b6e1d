//! Sections `[[inbound]]` and `[[outbound]]`, and destinations as written everywhere: `extension:101`, `queue:support`,
//! `flow:main`, `voicemail:101`, `echo`, `announcement`, `hang_up`.
use crate::media::Language;
use crate::number::{Mask, Number};
use serde::Serialize;
use std::fmt;

/// Who gets a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// The test announcement.
    Announcement,
    /// The echo test.
    Echo,
    /// A phone.
    Extension(Number),
    /// An IVR flow.
    Flow(String),
    /// Nobody.
    HangUp,
    /// A queue.
    Queue(String),
    /// A mailbox, without ringing.
    Voicemail(Number),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Announcement => f.write_str("announcement"),
            Destination::Echo => f.write_str("echo"),
            Destination::Extension(n) => write!(f, "extension:{n}"),
            Destination::Flow(name) => write!(f, "flow:{name}"),
            Destination::HangUp => f.write_str("hang_up"),
            Destination::Queue(name) => write!(f, "queue:{name}"),
            Destination::Voicemail(n) => write!(f, "voicemail:{n}"),
        }
    }
}

impl Serialize for Destination {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A rule for calls from trunks. All conditions given must hold; among those that hold the heaviest `number` mask wins,
/// then the one with a caller mask, then the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inbound {
    /// Shown name.
    pub name: String,
    /// Only calls of this trunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trunk: Option<String>,
    /// Dialled numbers, as the carrier sends them after normalisation to E.164 (or as sent when that fails).
    pub number: Mask,
    /// Only callers of this class of contacts, e.g. `vip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Only these callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Mask>,
    /// Only while this schedule is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Language of the call; `None` = by the caller's country code (Chinese numbers: Mandarin), else the site's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who gets the call.
    pub to: Destination,
}

/// A rule for calls to outside. The first whose mask matches (after the outside prefix is taken off) is used; its
/// trunks are tried in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outbound {
    /// Shown name.
    pub name: String,
    /// Which numbers, as dialled without the outside prefix.
    pub number: Mask,
    /// Digits taken off the front.
    pub strip: u32,
    /// Digits put in front after that.
    pub prepend: String,
    /// Trunks in order of preference; at least one.
    pub trunks: Vec<String>,
    /// Whether callers from a trunk of kind `address` may use it (transit); off by default.
    pub transit: bool,
}
