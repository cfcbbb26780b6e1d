//! Sections `[[extension]]` and `[[agent]]`: phones, their owners, and who works in queues.
use crate::config::budget::Limits;
use crate::media::Language;
use crate::number::Number;
use serde::Serialize;
use std::collections::BTreeMap;

/// A dialled internal number with its phones and voicemail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extension {
    /// Number, digits only, 2–6 long (no emergency number, no outside prefix at its start).
    pub number: Number,
    /// Person or place.
    pub name: String,
    /// SIP user name; the number unless given.
    pub user: String,
    /// SIP password. Made at random when a draft leaves it out, so never empty here.
    pub password: String,
    /// A phone that does not register: its fixed contact URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Language of prompts; the site's unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// How far its calls may go.
    pub outside_calls: Rights,
    /// Number shown on calls to outside; the trunk's unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<Number>,
    /// Seconds it rings before voicemail or the caller's next step.
    pub ring_timeout_s: u32,
    /// Registered phones at once, 1–20.
    pub max_contacts: u32,
    /// Whether a password proved with MD5 is refused, whatever make the phone is of.
    pub sha256_only: bool,
    /// Minutes a day to outside; those of section `[budget]` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Limits>,
    /// Recording of its calls.
    pub record: RecordPolicy,
    /// Its mailbox; `None` = no voicemail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<Voicemail>,
    /// Whether its phones may listen to others' calls by star code, with the PIN of its mailbox.
    pub supervisor: bool,
    /// Who may log in at its phones.
    pub hot_desk: HotDesk,
    /// Where it stands, told to emergency notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Voicemail {
    /// 6–12 digits. Made at random when a draft leaves it out.
    pub pin: String,
    /// Mail with the message attached goes here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Longest message, seconds.
    pub max_message_s: u32,
    /// Most messages kept; a caller is told when it is full.
    pub max_messages: u32,
    /// Of the office and not of a person: administrators open it though an agent works at this phone.
    pub shared: bool,
}

/// How far an extension may call. Emergency numbers are always allowed. Premium, satellite and high-cost numbers are
/// allowed only by `Premium`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// Internal only.
    Internal,
    /// Own country.
    National,
    /// Everywhere but the built-in high-cost list.
    International,
    /// Everything.
    Premium,
}

/// Who may log in at a phone with number and PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HotDesk {
    /// Nobody but its owner.
    No,
    /// Everybody; its owner is there when nobody is.
    Guests,
    /// Everybody; with nobody logged in it calls emergency numbers only.
    Shared,
}

/// What is recorded. The strictest wish of all parties of a call wins: `Never` over `Always` over `OnDemand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordPolicy {
    /// No recording, not even by hand.
    Never,
    /// Only when a party asks for it in the call.
    OnDemand,
    /// Every answered call.
    Always,
}

/// A person who takes calls from queues, at a phone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agent {
    /// Digits, unique.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// The phone where they work.
    pub extension: Number,
    /// Logged in and ready from the start and after every restart (no login code needed).
    pub always_on: bool,
    /// What they can do, and how well: skill → level 1–10.
    pub skill: BTreeMap<String, u32>,
}
