//! Which rule takes a call from a trunk, and in which language it is spoken to. Never looks at phones or queues.
use super::{country, local_time};
use model::clock::Wall;
use model::config::Config;
use model::config::route::Inbound;
use model::config::trunk::{NumberFormat, Trunk};
use model::media::Language;
use model::number::Number;

/// A number as the carrier sent it, in international form where it has one, else as sent.
#[must_use]
pub fn normalise(config: &Config, trunk: &Trunk, sent: &Number) -> Number {
    let country = country(config);
    let text = sent.as_str();
    let bare = !text.starts_with(['+', '0', '*', '#']);
    let looks_international = match trunk.number_format {
        NumberFormat::E164 | NumberFormat::E164NoPlus => true,
        NumberFormat::AsDialled | NumberFormat::National => false,
    };
    if bare
        && looks_international
        && let Some(number) = Number::read(&format!("+{text}")).and_then(|n| country.e164(&n, ""))
    {
        return number;
    }
    country.e164(sent, &config.system.area_code).unwrap_or_else(|| sent.clone())
}

/// A number as a person gave it, in international form where it has one.
#[must_use]
pub fn international(config: &Config, number: &Number) -> Number {
    country(config).e164(number, &config.system.area_code).unwrap_or_else(|| number.clone())
}

/// The rule for a call of `trunk` to `called` by `caller` at this moment: all its conditions hold; the heaviest number
/// mask wins, then the one that names its callers more closely (mask, class of contacts), then the first. A mask is held against the number in international
/// form and as sent.
#[must_use]
pub fn rule<'a>(
    config: &'a Config,
    trunk: &str,
    called: [&Number; 2],
    caller: [Option<&Number>; 2],
    class: &str,
    at: Wall,
) -> Option<&'a Inbound> {
    let holds = |rule: &&Inbound| {
        rule.trunk.as_deref().is_none_or(|t| t == trunk)
            && called.iter().any(|n| rule.number.matches(n))
            && rule.caller.as_ref().is_none_or(|mask| caller.iter().flatten().any(|n| mask.matches(n)))
            && rule.class.as_deref().is_none_or(|wanted| wanted == class)
            && rule.schedule.as_ref().is_none_or(|name| {
                config.schedule.get(name).is_some_and(|s| s.is_open(local_time(config, at)))
            })
    };
    let mut best: Option<(&Inbound, (usize, u8))> = None;
    for rule in config.inbound.iter().filter(holds) {
        let weight = (rule.number.weight(), u8::from(rule.caller.is_some()) + u8::from(rule.class.is_some()));
        if best.is_none_or(|(_, heaviest)| weight > heaviest) {
            best = Some((rule, weight));
        }
    }
    best.map(|(rule, _)| rule)
}

/// The language of a call: the rule's, else the contact's, else Mandarin for callers from China, else the site's.
#[must_use]
pub fn language(
    config: &Config,
    rule: Option<&Inbound>,
    known: Option<Language>,
    caller: Option<&Number>,
) -> Language {
    if let Some(language) = rule.and_then(|r| r.language).or(known) {
        return language;
    }
    match caller.is_some_and(|n| n.as_str().starts_with("+86")) {
        true => Language::Zh,
        false => config.system.language,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{number, site};
    use model::config::route::Destination;
    use model::number::Mask;

    fn inbound(name: &str, mask: &str) -> Inbound {
        Inbound {
            name: name.into(),
            trunk: None,
            number: Mask::read(mask).expect("a mask"),
            class: None,
            caller: None,
            schedule: None,
            language: None,
            to: Destination::Echo,
        }
    }

    #[test]
    fn the_heaviest_mask_wins_then_the_caller_mask_then_the_first() {
        let mut config = site();
        let with_caller = Inbound {
            caller: Some(Mask::read("+86.").expect("a mask")),
            ..inbound("chinese", "+493012345XX")
        };
        config.inbound = vec![
            inbound("rest", "!"),
            inbound("block", "+493012345XX"),
            inbound("again", "+493012345XX"),
            with_caller,
            inbound("one", "+49301234567"),
        ];
        let called = number("+49301234599");
        let pick = |called: &Number, caller: &Number| {
            rule(&config, "carrier", [called, called], [Some(caller), None], "", Wall(0))
                .map(|r| r.name.clone())
        };
        assert_eq!(pick(&number("+49301234567"), &number("+491")).as_deref(), Some("one"));
        assert_eq!(pick(&called, &number("+491")).as_deref(), Some("block"));
        assert_eq!(pick(&called, &number("+8613812345678")).as_deref(), Some("chinese"));
        assert_eq!(pick(&number("99"), &number("+491")).as_deref(), Some("rest"));
    }

    #[test]
    fn a_rule_of_another_trunk_or_a_closed_schedule_is_passed_over() {
        let mut config = site();
        config.inbound = vec![
            Inbound { trunk: Some("other".into()), ..inbound("other", "+49301234567") },
            Inbound { schedule: Some("office".into()), ..inbound("open", "+4930.") },
            inbound("night", "!"),
        ];
        let called = number("+49301234567");
        let at = |wall| {
            rule(&config, "carrier", [&called, &called], [None, None], "", wall).map(|r| r.name.clone())
        };
        // 2026-11-23 is a Monday; the office opens at 09:00 in Berlin, which is 08:00 UTC.
        let monday = 1_795_392_000_000;
        assert_eq!(at(Wall(monday + 9 * 3_600_000)).as_deref(), Some("open"));
        assert_eq!(at(Wall(monday + 7 * 3_600_000)).as_deref(), Some("night"));
    }

    #[test]
    fn chinese_callers_hear_mandarin_unless_the_rule_says_otherwise() {
        let config = site();
        let caller = number("+8613812345678");
        assert_eq!(language(&config, None, None, Some(&caller)), Language::Zh);
        assert_eq!(language(&config, None, None, Some(&number("+49171"))), Language::En);
        let rule = Inbound { language: Some(Language::En), ..inbound("x", "!") };
        assert_eq!(language(&config, Some(&rule), Some(Language::Zh), Some(&caller)), Language::En);
    }

    #[test]
    fn carriers_write_numbers_in_several_ways() {
        let config = site();
        let trunk = |format| Trunk { number_format: format, ..config.trunk["carrier"].clone() };
        let table = [
            (NumberFormat::E164NoPlus, "49301234567", "+49301234567"),
            (NumberFormat::National, "0301234567", "+49301234567"),
            (NumberFormat::E164, "+49301234567", "+49301234567"),
            (NumberFormat::AsDialled, "567", "567"),
        ];
        for (format, sent, expected) in table {
            assert_eq!(normalise(&config, &trunk(format), &number(sent)).as_str(), expected, "{sent}");
        }
    }
}
