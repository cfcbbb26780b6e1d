//! Fields of a call in a flow: filled into texts, held against values, read aloud. Pure; a field that is not there is
//! empty.
use super::Fields;
use crate::say;
use model::ask::FIELD_MAX;
use model::config::flow::Test;
use model::media::Language;

/// Longest text after its fields were filled in: an address with several of them.
const FILLED_MAX: usize = 2_000;

/// A text with `{name}` replaced by that field, each written by `write`.
#[must_use]
pub fn filled(fields: &Fields, text: &str, write: fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, next)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        out.push_str(&write(fields.get(name).map(String::as_str).unwrap_or_default()));
        rest = next;
    }
    out.push_str(rest);
    out.chars().take(FILLED_MAX).collect()
}

/// A field as part of an address (RFC 3986 section 2.1).
#[must_use]
pub fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Whether a field passes a test.
#[must_use]
pub fn holds(fields: &Fields, name: &str, test: Test, value: &str) -> bool {
    let text = fields.get(name).map(|t| t.trim().to_lowercase()).unwrap_or_default();
    let value = value.trim().to_lowercase();
    let numbers = || Some((text.parse::<i64>().ok()?, value.parse::<i64>().ok()?));
    match test {
        Test::Above => numbers().is_some_and(|(a, b)| a > b),
        Test::Begins => text.starts_with(&value),
        Test::Below => numbers().is_some_and(|(a, b)| a < b),
        Test::Contains => text.contains(&value),
        Test::Is => text == value,
        Test::Known => !text.is_empty(),
    }
}

/// A field as a number; what is none, digit by digit.
#[must_use]
pub fn number(language: Language, text: &str) -> Vec<String> {
    match text.trim().parse::<u32>() {
        Ok(n) => say::number(language, n),
        Err(_) => say::digits(&text.chars().take(FIELD_MAX).collect::<String>()),
    }
}

/// A field as a day, with its time of day if it has one; nothing when it is neither.
#[must_use]
pub fn moment(language: Language, text: &str) -> Vec<String> {
    let text = text.trim();
    // A far day: never "today", because a date that a service names is said in full.
    let never = jiff::civil::Date::MAX;
    match (text.parse::<jiff::civil::DateTime>(), text.contains(['T', ' '])) {
        (Ok(at), true) => say::moment(language, at, never),
        (Ok(at), false) => say::day(language, at.date(), never),
        (Err(_), _) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(all: &[(&str, &str)]) -> Fields {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_are_filled_in_and_cannot_break_out_of_an_address() {
        let known = fields(&[("caller", "+49 30&x=1"), ("digits", "42")]);
        let url = filled(&known, "https://crm/{digits}?n={caller}&m={gone}", escape);
        assert_eq!(url, "https://crm/42?n=%2B49%2030%26x%3D1&m=");
        assert_eq!(filled(&known, "you are {digits}", str::to_owned), "you are 42");
    }

    #[test]
    fn tests_read_as_people_mean_them() {
        let known = fields(&[("class", "VIP"), ("open", "12"), ("caller", "+4930123"), ("text", "x12")]);
        let table = [
            ("class", Test::Is, "vip", true),
            ("class", Test::Is, "gold", false),
            ("class", Test::Known, "", true),
            ("gone", Test::Known, "", false),
            ("open", Test::Above, "9", true),
            ("open", Test::Below, "9", false),
            ("text", Test::Above, "9", false),
            ("caller", Test::Begins, "+49", true),
            ("caller", Test::Contains, "301", true),
            ("gone", Test::Is, "", true),
        ];
        for (field, test, value, expected) in table {
            assert_eq!(holds(&known, field, test, value), expected, "{field} {test:?} {value}");
        }
    }

    #[test]
    fn what_a_service_names_is_said_or_left_out() {
        assert_eq!(number(Language::En, "21"), ["num-20", "num-1"]);
        assert_eq!(number(Language::En, "A21"), ["digit-2", "digit-1"]);
        assert_eq!(moment(Language::En, "2026-12-24"), ["day-4", "month-12", "ordinal-24"]);
        let at = moment(Language::En, "2026-12-24T18:05");
        assert_eq!(at[3..], ["time-at", "num-6", "digit-oh", "num-5", "time-pm"]);
        assert!(moment(Language::Zh, "soon").is_empty());
    }
}
