//! Section `[budget]`: how many minutes a day may be talked to outside, by the kind of number, for each extension, trunk
//! and the whole site. Minutes and not money: only the carrier knows its prices. Emergency calls are never counted.
use crate::config::Config;
use crate::number::Number;
use serde::{Deserialize, Serialize};

/// Limits of the whole site, and those that extensions and trunks have unless they have their own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// No calls to outside but emergency calls: the button for the worst day. Calls in progress end too.
    pub stop: bool,
    /// Each extension that has no limits of its own.
    pub extension: Limits,
    /// Each trunk that has no limits of its own.
    pub trunk: Limits,
    /// All calls to outside together.
    pub site: Limits,
    /// Opening hours. While they are closed, holidays among that, only a share of each limit may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// That share, percent.
    pub closed_percent: u32,
    /// International and premium calls that an extension may have at once.
    pub at_once: u32,
    /// Share of a limit at which people are warned, percent.
    pub warn_percent: u32,
}

/// Minutes a day; 0 = no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Own country.
    pub national_min: u32,
    /// Abroad, but for what counts as premium.
    pub international_min: u32,
    /// Premium, satellite and high-cost numbers.
    pub premium_min: u32,
}

/// What kind of number is called; what `Rights` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Own country.
    National,
    /// Abroad.
    International,
    /// Premium, satellite, high cost.
    Premium,
}

impl Class {
    /// Every class, cheapest first.
    pub const ALL: [Class; 3] = [Class::National, Class::International, Class::Premium];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::National => "national",
            Class::International => "international",
            Class::Premium => "premium",
        }
    }

    /// Its place in [`Class::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Class::National => 0,
            Class::International => 1,
            Class::Premium => 2,
        }
    }
}

impl Limits {
    /// Minutes of a class; `None` = no limit.
    #[must_use]
    pub fn of(&self, class: Class) -> Option<u32> {
        let minutes = match class {
            Class::National => self.national_min,
            Class::International => self.international_min,
            Class::Premium => self.premium_min,
        };
        (minutes > 0).then_some(minutes)
    }
}

/// Whose minutes are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    Site,
    /// An extension's.
    Extension(Number),
    /// A trunk's.
    Trunk(String),
}

impl Scope {
    /// `site`, `extension 101`, `trunk carrier`.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Scope::Site => "site".into(),
            Scope::Extension(number) => format!("extension {number}"),
            Scope::Trunk(name) => format!("trunk {name}"),
        }
    }

    /// Reads [`Scope::word`].
    #[must_use]
    pub fn read(text: &str) -> Option<Scope> {
        match text.split_once(' ') {
            None => (text == "site").then_some(Scope::Site),
            Some(("extension", number)) => Number::read(number).map(Scope::Extension),
            Some(("trunk", name)) => Some(Scope::Trunk(name.to_owned())),
            Some(_) => None,
        }
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self, config: &Config) -> Limits {
        let budget = &config.budget;
        match self {
            Scope::Site => budget.site,
            Scope::Extension(number) => {
                config.extension.get(number).and_then(|e| e.budget).unwrap_or(budget.extension)
            }
            Scope::Trunk(name) => config.trunk.get(name).and_then(|t| t.budget).unwrap_or(budget.trunk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_minutes_is_written_and_read() {
        let number = Number::read("101").expect("a number");
        for scope in [Scope::Site, Scope::Extension(number), Scope::Trunk("two words".into())] {
            assert_eq!(Scope::read(&scope.word()), Some(scope.clone()), "{scope:?}");
        }
        assert_eq!(Scope::read("elsewhere"), None);
    }
}
