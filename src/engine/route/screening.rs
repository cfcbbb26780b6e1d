//! Whether a caller may call a number outside: own country, abroad, or a high-cost number. Emergency numbers never come
//! here. The initiator's rights count, whoever carries the call out.
use super::{country, high_cost};
use model::config::Config;
use model::config::extension::Rights;
use model::number::Number;

/// The least right that a call to this number needs. A number is looked at as dialled and as rewritten by the route,
/// and the stricter view counts, so that no prefix rule opens a way around.
#[must_use]
pub fn needed(config: &Config, forms: &[&str]) -> Rights {
    forms
        .iter()
        .filter_map(|text| Number::read(text))
        .map(|n| needed_for(config, &n))
        .max()
        .unwrap_or(Rights::Premium)
}

fn needed_for(config: &Config, number: &Number) -> Rights {
    let country = country(config);
    if number.as_str().len() <= LONGEST_SERVICE && !number.as_str().starts_with(['+', '0']) {
        return short_number(config, number);
    }
    let Some(e164) = country.e164(number, &config.system.area_code) else {
        return short_number(config, number);
    };
    let digits = e164.as_str().trim_start_matches('+');
    if high_cost::listed(digits) {
        return Rights::Premium;
    }
    match !country.calling_code.is_empty() && digits.starts_with(country.calling_code) {
        true if country.calling_code != "1" || high_cost::same_part_of_plan_1(country.code, digits) => {
            Rights::National
        }
        true | false => Rights::International,
    }
}

/// Longest number dialled without prefix that is looked at as a service number of the own country.
const LONGEST_SERVICE: usize = 6;

/// Numbers without international form: service numbers of the own country. Directory services (118…) cost like
/// premium numbers. What begins like an international call but is malformed is treated as the dearest.
fn short_number(config: &Config, number: &Number) -> Rights {
    let text = number.as_str();
    let country = country(config);
    let foreign = text.starts_with('+') || text.starts_with(country.international_prefix);
    match foreign || text.starts_with("118") || text.contains(['*', '#']) {
        true => Rights::Premium,
        false => Rights::National,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::site;

    #[test]
    fn the_right_needed_follows_the_dearest_reading() {
        let config = site();
        let table: [(&[&str], Rights); 10] = [
            (&["0301234567"], Rights::National),
            (&["1234567"], Rights::National),
            (&["0033123456789"], Rights::International),
            (&["+33123456789"], Rights::International),
            (&["09001234567"], Rights::Premium),
            (&["0088213123456"], Rights::Premium),
            (&["+25261234567"], Rights::Premium),
            (&["11833"], Rights::Premium),
            (&["116117"], Rights::National),
            (&["5261234567", "0025261234567"], Rights::Premium),
        ];
        for (forms, expected) in table {
            assert_eq!(needed(&config, forms), expected, "{forms:?}");
        }
    }

    #[test]
    fn islands_of_the_north_american_plan_are_abroad_and_dear() {
        let mut config = site();
        config.system.country = "US".into();
        assert_eq!(needed(&config, &["12125551234"]), Rights::National);
        assert_eq!(needed(&config, &["14165551234"]), Rights::International);
        assert_eq!(needed(&config, &["18765551234"]), Rights::Premium);
        assert_eq!(needed(&config, &["19005551234"]), Rights::Premium);
    }
}
