//! Which trunks carry a call to outside, in which order, and how the number is written for each. Never looks at rights
//! (that is `screening`) or at whether a trunk is up.
use super::country;
use model::config::Config;
use model::config::route::Outbound;
use model::config::trunk::{NumberFormat, Trunk};
use model::number::Number;

/// One try: over which trunk, and the number as that carrier wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Trunk name.
    pub trunk: String,
    /// As written in the Request-URI.
    pub number: String,
}

/// The first rule whose mask matches. `transit`: only rules that calls from trunks may use.
#[must_use]
pub fn rule<'a>(config: &'a Config, number: &Number, transit: bool) -> Option<&'a Outbound> {
    config.outbound.iter().find(|rule| rule.number.matches(number) && (rule.transit || !transit))
}

/// The number after the rule's strip and prepend.
#[must_use]
pub fn rewritten(rule: &Outbound, number: &Number) -> String {
    let strip = usize::try_from(rule.strip).unwrap_or(usize::MAX);
    let rest: String = number.as_str().chars().skip(strip).collect();
    format!("{}{rest}", rule.prepend)
}

/// The tries of a rule, in order; trunks that are not configured are left out. A call in transit keeps the digits that the
/// first carrier sent: they are none of this site's.
#[must_use]
pub fn attempts(config: &Config, rule: &Outbound, number: &Number, transit: bool) -> Vec<Attempt> {
    let digits = rewritten(rule, number);
    let trunks = rule.trunks.iter().filter_map(|name| config.trunk.get(name));
    let written = |t: &Trunk| if transit { digits.clone() } else { written(config, t, &digits) };
    trunks.map(|t| Attempt { trunk: t.name.clone(), number: written(t) }).collect()
}

/// The tries of an emergency call: trunks of the rule that has its number, then every other trunk. The number is never
/// rewritten.
#[must_use]
pub fn emergency_attempts(config: &Config, number: &Number) -> Vec<Attempt> {
    let preferred = rule(config, number, false).map(|r| r.trunks.as_slice()).unwrap_or_default();
    let by_rules = config.outbound.iter().flat_map(|r| r.trunks.iter());
    let mut names: Vec<&String> = Vec::new();
    for name in preferred.iter().chain(by_rules).chain(config.trunk.keys()) {
        if config.trunk.contains_key(name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| Attempt { trunk: name.clone(), number: number.to_string() }).collect()
}

/// A number in the way a carrier wants it; as it is when it has no international form.
#[must_use]
pub fn written(config: &Config, trunk: &Trunk, digits: &str) -> String {
    let country = country(config);
    let e164 = Number::read(digits).and_then(|n| country.e164(&n, &config.system.area_code));
    let Some(e164) = e164 else { return digits.to_owned() };
    let bare = e164.as_str().trim_start_matches('+');
    match trunk.number_format {
        NumberFormat::AsDialled => digits.to_owned(),
        NumberFormat::E164 => e164.to_string(),
        NumberFormat::E164NoPlus => bare.to_owned(),
        NumberFormat::National => match bare.strip_prefix(country.calling_code) {
            Some(home) if !country.calling_code.is_empty() => format!("{}{home}", country.trunk_prefix),
            Some(_) | None => format!("{}{bare}", country.international_prefix),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{number, site};
    use model::number::Mask;

    fn outbound(mask: &str, strip: u32, prepend: &str, trunks: &[&str]) -> Outbound {
        Outbound {
            name: mask.into(),
            number: Mask::read(mask).expect("a mask"),
            strip,
            prepend: prepend.into(),
            trunks: trunks.iter().map(|&t| t.to_owned()).collect(),
            transit: false,
        }
    }

    #[test]
    fn the_first_matching_rule_gives_the_trunks_in_order() {
        let mut config = site();
        config.outbound = vec![
            outbound("0171.", 1, "+49", &["backup", "gone", "carrier"]),
            outbound("!", 0, "", &["carrier"]),
        ];
        let rule = rule(&config, &number("01711234567"), false).expect("a rule");
        let tries = attempts(&config, rule, &number("01711234567"), false);
        let names: Vec<&str> = tries.iter().map(|a| a.trunk.as_str()).collect();
        assert_eq!(names, ["backup", "carrier"]);
        assert_eq!(tries[0].number, "+491711234567");
    }

    #[test]
    fn calls_from_trunks_use_only_rules_for_transit() {
        let mut config = site();
        config.outbound = vec![outbound("!", 0, "", &["carrier"])];
        assert_eq!(rule(&config, &number("123"), true), None);
        config.outbound[0].transit = true;
        assert!(rule(&config, &number("123"), true).is_some());
    }

    #[test]
    fn each_carrier_gets_the_number_in_its_own_way() {
        let config = site();
        let table = [
            (NumberFormat::E164, "0301234567", "+49301234567"),
            (NumberFormat::E164NoPlus, "0301234567", "49301234567"),
            (NumberFormat::National, "+49301234567", "0301234567"),
            (NumberFormat::National, "+33123456789", "0033123456789"),
            (NumberFormat::AsDialled, "0301234567", "0301234567"),
            (NumberFormat::E164, "110", "110"),
        ];
        for (format, digits, expected) in table {
            let trunk = Trunk { number_format: format, ..config.trunk["carrier"].clone() };
            assert_eq!(written(&config, &trunk, digits), expected, "{digits}");
        }
    }

    #[test]
    fn an_emergency_call_may_take_every_trunk_and_keeps_its_number() {
        let mut config = site();
        config.outbound = vec![outbound("0.", 0, "", &["backup"])];
        let tries = emergency_attempts(&config, &number("112"));
        let names: Vec<&str> = tries.iter().map(|a| a.trunk.as_str()).collect();
        assert_eq!(names, ["backup", "carrier"]);
        assert!(tries.iter().all(|a| a.number == "112"));
    }
}
