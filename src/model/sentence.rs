//! What a person is told in words that no page can know beforehand: the same sentence in both languages. Plain data; which of
//! them is shown is decided where it is shown.
use serde::{Deserialize, Serialize};

/// A sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sentence {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Sentence {
    /// Both at once.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Sentence {
        Sentence { en: en.into(), zh: zh.into() }
    }
}

/// The English one, for logs and the command line.
impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en)
    }
}
