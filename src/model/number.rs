//! Dialled numbers and their masks. A number is what a person dialled or a carrier sent, reduced to its digits; a mask
//! is how an installer writes a group of them. Decides nothing about rights or routes.
use serde::{Deserialize, Serialize};
use std::fmt;

/// A dialled or received number: digits, `*`, `#`, with an optional leading `+`. At most 32 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Number(String);

impl Number {
    /// Longest number accepted: E.164 allows 15 digits; room for prefixes and star codes.
    pub const MAX: usize = 32;

    /// Reads a number as people write it: spaces, dots, dashes, slashes and brackets are skipped. Letters, an empty
    /// text and more than [`Number::MAX`] characters give `None`.
    #[must_use]
    pub fn read(text: &str) -> Option<Number> {
        let mut out = String::new();
        for c in text.trim().chars() {
            match c {
                '0'..='9' | '*' | '#' => out.push(c),
                '+' if out.is_empty() => out.push(c),
                ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' => {}
                _ => return None,
            }
        }
        (!out.is_empty() && out != "+" && out.len() <= Number::MAX).then_some(Number(out))
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with all but the first two and last two characters hidden, for logs.
    #[must_use]
    pub fn masked(&self) -> String {
        let n = self.0.len();
        if n <= 4 {
            return self.0.clone();
        }
        format!("{}{}{}", &self.0[..2], "*".repeat(n - 4), &self.0[n - 2..])
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group of numbers: literal characters, `X` any digit, `Z` 1–9, `N` 2–9, and at the end `.` one or more or `!` none
/// or more further characters. `+` and `*`, `#` stand for themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mask(String);

impl Mask {
    /// Reads a mask.
    ///
    /// # Errors
    /// A sentence saying which character is wrong and what may stand there.
    pub fn read(text: &str) -> Result<Mask, String> {
        let text: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let last = text.chars().count().saturating_sub(1);
        if text.is_empty() || text.len() > Number::MAX {
            return Err(format!("a number mask has 1 to {} characters", Number::MAX));
        }
        for (i, c) in text.chars().enumerate() {
            let fine = match c {
                '0'..='9' | '*' | '#' | 'X' | 'Z' | 'N' => true,
                '+' => i == 0,
                '.' | '!' => i == last,
                _ => false,
            };
            if !fine {
                return Err(format!(
                    "\"{c}\" cannot stand at place {} of a number mask; use digits, *, #, X, Z, N, a leading + and . or ! at the end",
                    i + 1
                ));
            }
        }
        Ok(Mask(text))
    }

    /// Whether the number belongs to the group.
    #[must_use]
    pub fn matches(&self, number: &Number) -> bool {
        let mut rest = number.as_str().chars();
        for m in self.0.chars() {
            match m {
                '.' => return rest.next().is_some(),
                '!' => return true,
                _ => {}
            }
            let Some(c) = rest.next() else { return false };
            let fine = match m {
                'X' => c.is_ascii_digit(),
                'Z' => matches!(c, '1'..='9'),
                'N' => matches!(c, '2'..='9'),
                literal => literal == c,
            };
            if !fine {
                return false;
            }
        }
        rest.next().is_none()
    }

    /// How many characters are fixed: the mask with more wins over one with fewer.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.chars().filter(|c| !matches!(c, 'X' | 'Z' | 'N' | '.' | '!')).count() * 2
            + self.0.chars().filter(|c| matches!(c, 'X' | 'Z' | 'N')).count()
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::read(text).expect("a number")
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(number("+49 (30) 123-45.6").as_str(), "+4930123456");
        assert_eq!(Number::read("call me"), None);
        assert_eq!(Number::read("+"), None);
        assert_eq!(number("+4930123456").masked(), "+4*******56");
    }

    #[test]
    fn masks_match_their_group_only() {
        let table = [
            ("1XX", "101", true),
            ("1XX", "1011", false),
            ("0.", "0301", true),
            ("0.", "0", false),
            ("0!", "0", true),
            ("+49Z.", "+49301", true),
            ("+49Z.", "+49030", false),
            ("N1", "11", false),
        ];
        for (mask, text, expected) in table {
            assert_eq!(Mask::read(mask).expect("a mask").matches(&number(text)), expected, "{mask} {text}");
        }
    }

    #[test]
    fn a_wrong_mask_names_the_place() {
        assert!(Mask::read("1A").expect_err("wrong").contains("place 2"));
        assert!(Mask::read("1.2").expect_err("wrong").contains("place 2"));
    }
}
