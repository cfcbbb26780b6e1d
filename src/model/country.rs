//! Country profiles: how numbers are dialled and which numbers save lives. Read by the draft (no extension may hide an
//! emergency number) and by the engine's routes. Sources: ITU-T E.164 and E.129 national plans. Decides nothing about
//! rights.
use crate::number::Number;

/// One country's dialling habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166 code.
    pub code: &'static str,
    /// E.164 country code without `+`.
    pub calling_code: &'static str,
    /// Digits dialled before a foreign number.
    pub international_prefix: &'static str,
    /// Digits dialled before a number of another area; empty where there are none.
    pub trunk_prefix: &'static str,
    /// Emergency numbers, dialled as they are.
    pub emergency: &'static [&'static str],
}

impl Country {
    /// The profile of an ISO 3166 code in any case.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Country> {
        PROFILES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
    }

    /// Every profile.
    #[must_use]
    pub fn all() -> &'static [Country] {
        PROFILES
    }

    /// The profile used when a code has none: European habits, 112 and no country code of its own.
    #[must_use]
    pub fn generic() -> &'static Country {
        &GENERIC
    }

    /// Whether these digits are an emergency number here.
    #[must_use]
    pub fn is_emergency(&self, number: &str) -> bool {
        self.emergency.contains(&number)
    }

    /// A number in international form (`+49301234567`). `area` is the site's area code without trunk prefix, used for
    /// numbers dialled without one. `None` for short and service numbers that have no international form.
    #[must_use]
    pub fn e164(&self, number: &Number, area: &str) -> Option<Number> {
        let text = number.as_str();
        if let Some(rest) = text.strip_prefix('+') {
            return international(rest);
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if let Some(rest) = text.strip_prefix(self.international_prefix).filter(|r| r.len() >= SHORTEST_E164)
        {
            return international(rest);
        }
        if self.calling_code.is_empty() {
            return None;
        }
        self.national(text, area)
            .and_then(|national| international(&format!("{}{national}", self.calling_code)))
    }

    /// The significant national digits of a number dialled at home.
    fn national(&self, text: &str, area: &str) -> Option<String> {
        if self.calling_code == "1" {
            return north_american(text, area);
        }
        if self.trunk_prefix.is_empty() {
            return (text.len() >= SHORTEST_NATIONAL).then(|| text.to_owned());
        }
        if let Some(rest) = text.strip_prefix(self.trunk_prefix) {
            return (rest.len() >= SHORTEST_AFTER_TRUNK && !rest.starts_with('0')).then(|| rest.to_owned());
        }
        if self.code == "CN" && text.len() == 11 && text.starts_with('1') {
            return Some(text.to_owned());
        }
        (!area.is_empty() && text.len() >= SHORTEST_LOCAL).then(|| format!("{area}{text}"))
    }
}

/// Shortest subscriber number taken as one with the site's area code in front; shorter ones are service numbers.
const SHORTEST_LOCAL: usize = 5;
/// Shortest number in a closed plan without trunk prefix.
const SHORTEST_NATIONAL: usize = 7;
/// Shortest number after a trunk prefix.
const SHORTEST_AFTER_TRUNK: usize = 5;
/// Shortest number after an international prefix or `+`: country code and subscriber.
const SHORTEST_E164: usize = 7;
/// Longest number of E.164.
const LONGEST_E164: usize = 15;

fn international(digits: &str) -> Option<Number> {
    let fits = (SHORTEST_E164..=LONGEST_E164).contains(&digits.len());
    (fits && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| Number::read(&format!("+{digits}")))
        .flatten()
}

/// North American plan: ten digits, seven with the area code known, eleven with the leading 1.
fn north_american(text: &str, area: &str) -> Option<String> {
    match text.len() {
        11 if text.starts_with('1') => Some(text[1..].to_owned()),
        10 if !text.starts_with(['0', '1']) => Some(text.to_owned()),
        7 if area.len() == 3 && !text.starts_with(['0', '1']) => Some(format!("{area}{text}")),
        _ => None,
    }
}

const fn row(
    code: &'static str,
    calling_code: &'static str,
    international_prefix: &'static str,
    trunk_prefix: &'static str,
    emergency: &'static [&'static str],
) -> Country {
    Country { code, calling_code, international_prefix, trunk_prefix, emergency }
}

static GENERIC: Country = row("EU", "", "00", "0", &["112"]);

static PROFILES: &[Country] = &[
    row("AT", "43", "00", "0", &["112", "122", "133", "140", "141", "144"]),
    row("AU", "61", "0011", "0", &["000", "112"]),
    row("BE", "32", "00", "0", &["112", "100", "101"]),
    row("BG", "359", "00", "0", &["112"]),
    row("CA", "1", "011", "1", &["911"]),
    row("CH", "41", "00", "0", &["112", "117", "118", "144"]),
    row("CN", "86", "00", "0", &["110", "112", "119", "120", "122"]),
    row("CY", "357", "00", "", &["112", "199"]),
    row("CZ", "420", "00", "", &["112", "150", "155", "158"]),
    row("DE", "49", "00", "0", &["110", "112"]),
    row("DK", "45", "00", "", &["112"]),
    row("EE", "372", "00", "", &["112"]),
    row("ES", "34", "00", "", &["112", "061", "062", "080", "091", "092"]),
    row("EU", "", "00", "0", &["112"]),
    row("FI", "358", "00", "0", &["112"]),
    row("FR", "33", "00", "0", &["112", "114", "15", "17", "18", "191", "196"]),
    row("GB", "44", "00", "0", &["112", "999"]),
    row("GR", "30", "00", "", &["112", "100", "166", "199"]),
    row("HK", "852", "001", "", &["112", "999"]),
    row("HR", "385", "00", "0", &["112", "192", "193", "194"]),
    row("HU", "36", "00", "06", &["112", "104", "105", "107"]),
    row("IE", "353", "00", "0", &["112", "999"]),
    row("IN", "91", "00", "0", &["112", "100", "101", "102", "108"]),
    row("IT", "39", "00", "", &["112", "113", "115", "118"]),
    row("JP", "81", "010", "0", &["110", "118", "119"]),
    row("LT", "370", "00", "0", &["112"]),
    row("LU", "352", "00", "", &["112", "113"]),
    row("LV", "371", "00", "", &["112"]),
    row("MT", "356", "00", "", &["112"]),
    row("NL", "31", "00", "0", &["112"]),
    row("NO", "47", "00", "", &["110", "112", "113"]),
    row("PL", "48", "00", "", &["112", "997", "998", "999"]),
    row("PT", "351", "00", "", &["112"]),
    row("RO", "40", "00", "0", &["112"]),
    row("SE", "46", "00", "0", &["112"]),
    row("SG", "65", "000", "", &["995", "999"]),
    row("SI", "386", "00", "0", &["112", "113"]),
    row("SK", "421", "00", "0", &["112", "150", "155", "158"]),
    row("TW", "886", "002", "0", &["110", "112", "119"]),
    row("US", "1", "011", "1", &["911"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_their_international_form() {
        let table = [
            ("DE", "30", "030123456", Some("+4930123456")),
            ("DE", "30", "0049301234567", Some("+49301234567")),
            ("DE", "30", "1234567", Some("+49301234567")),
            ("DE", "", "1234567", None),
            ("DE", "30", "110", None),
            ("DE", "30", "+33123456789", Some("+33123456789")),
            ("US", "212", "5551234", Some("+12125551234")),
            ("US", "", "2125551234", Some("+12125551234")),
            ("US", "", "12125551234", Some("+12125551234")),
            ("US", "", "011442071234567", Some("+442071234567")),
            ("US", "212", "911", None),
            ("GB", "", "02071234567", Some("+442071234567")),
            ("FR", "", "0123456789", Some("+33123456789")),
            ("CN", "", "13812345678", Some("+8613812345678")),
            ("CN", "10", "62345678", Some("+861062345678")),
            ("IT", "", "0612345678", Some("+390612345678")),
            ("EU", "", "030123456", None),
            ("EU", "", "0049301234567", Some("+49301234567")),
        ];
        for (country, area, dialled, expected) in table {
            let number = Number::read(dialled).expect("a number");
            let found = Country::find(country).expect("a profile").e164(&number, area);
            assert_eq!(found.as_ref().map(Number::as_str), expected, "{country} {dialled}");
        }
    }

    #[test]
    fn each_profile_has_an_emergency_number_and_an_own_code() {
        for (i, country) in Country::all().iter().enumerate() {
            assert!(!country.emergency.is_empty(), "{}", country.code);
            assert!(Country::all()[i + 1..].iter().all(|c| c.code != country.code), "{} twice", country.code);
        }
        assert!(Country::find("de").expect("any case").is_emergency("112"));
    }
}
