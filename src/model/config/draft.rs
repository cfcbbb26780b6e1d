//! Reads a tree of values as typed by a person (TOML file, JSON of the API) into a `Config`, or reports every problem at
//! once with its field path and remedy. Decides what is a valid site. Never stores, never generates secrets.
use serde::{Deserialize, Serialize};

/// One thing wrong in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Path of the field, e.g. `queue[0].ring_timeout_s`.
    pub field: String,
    /// Machine word, the UI's key: `missing wrong_type out_of_range unknown_field unknown_target duplicate …`.
    pub code: String,
    /// What is wrong and what to do, in English.
    pub message: String,
}

/// Opening times of a week as text, e.g. `{ mon = "08:00-12:00 13:00-17:30", tue = … }`; closed days are left out.
///
/// # Errors
/// Those of the serialiser.
pub fn week_as_text<S: serde::Serializer>(week: &[Vec<(u16, u16)>; 7], s: S) -> Result<S::Ok, S::Error> {
    let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days = names.iter().zip(week).filter(|(_, spans)| !spans.is_empty()).map(|(name, spans)| {
        let text: Vec<String> = spans.iter().map(|&(a, b)| format!("{}-{}", clock(a), clock(b))).collect();
        (*name, text.join(" "))
    });
    s.collect_map(days)
}
