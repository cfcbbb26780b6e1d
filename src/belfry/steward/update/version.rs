//! Versions of the system: numbers with dots, compared number by number; what follows a dash names a build and does not
//! count. Pure.
use std::cmp::Ordering;
use std::fmt;

/// Most numbers of a version; ours have three or four.
const PARTS: usize = 6;

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: Vec<u32>,
    text: String,
}

impl Version {
    /// Reads one; `None` when it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Version> {
        let text = text.trim();
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        let numbers: Option<Vec<u32>> = plain.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|n| n.len() <= PARTS).map(|numbers| Version { numbers, text: text.to_owned() })
    }

    /// Which is older; missing numbers are zeros.
    #[must_use]
    pub fn older_than(&self, other: &Version) -> bool {
        let part = |v: &Version, i: usize| v.numbers.get(i).copied().unwrap_or(0);
        let order = (0..PARTS).map(|i| part(self, i).cmp(&part(other, i)));
        order.fold(Ordering::Equal, Ordering::then) == Ordering::Less
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let older = |a, b| Version::read(a).unwrap().older_than(&Version::read(b).unwrap());
        assert!(older("0.9.0", "0.10.0") && older("1.2", "1.2.1") && older("0.1.0.99", "0.1.0.100"));
        assert!(!older("1.2.0", "1.2") && !older("2.0", "1.9.9") && !older("1.0-changed", "1.0"));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "one", "1..2", "1.2.3.4.5.6.7", "-1", "99999999999"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
    }
}
