//! Reasons for which agents take no calls: list `[[distribution.reason]]`. Their names stand in states, spells and reports;
//! their texts on the desks. A site that lists none has the usual five. Decides nothing about states.
use serde::{Deserialize, Serialize};

/// Why an agent takes no calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reason {
    /// What is kept: 1–40 characters, unique.
    pub name: String,
    /// Shown in English.
    pub en: String,
    /// Shown in Chinese.
    pub zh: String,
    /// The key after the star code; none = only from the desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether its time counts as paid in reports.
    pub paid: bool,
    /// Minutes after which the supervisors are told; 0 = never.
    pub limit_min: u32,
}

/// Reason of an agent whose phone rang too often unanswered: the box sets it, nobody chooses it.
pub const MISSED: &str = "missed";

/// Longest name of a reason, characters: it stands on wallboards and in each spell.
pub const NAME_MAX: usize = 40;

/// The reasons of a site that lists none.
#[must_use]
pub fn usual() -> Vec<Reason> {
    let usual = [
        ("pause", "pause", "暂停", "0"),
        ("break", "break", "休息", "1"),
        ("lunch", "lunch", "午餐", "2"),
        ("meeting", "meeting", "会议", "3"),
        ("training", "training", "培训", "4"),
    ];
    let reason = |(name, en, zh, key): (&str, &str, &str, &str)| Reason {
        name: name.to_owned(),
        en: en.to_owned(),
        zh: zh.to_owned(),
        key: Some(key.to_owned()),
        paid: true,
        limit_min: 0,
    };
    usual.map(reason).into()
}
