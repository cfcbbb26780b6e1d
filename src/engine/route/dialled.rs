//! What a number dialled at a phone means: emergency first, then extensions, star codes, queues, flows, then outside.
//! Never says whether the caller may (that is `screening`).
use super::{Target, country};
use crate::acd::code::Code;
use model::config::Config;
use model::media::Digit;
use model::number::Number;

/// The target of a dialled number; `None` when nothing has it.
#[must_use]
pub fn target(config: &Config, dialled: &Number) -> Option<Target> {
    emergency(config, dialled)
        .map(Target::Emergency)
        .or_else(|| inside(config, dialled))
        .or_else(|| outside(config, dialled).map(Target::Outside))
}

/// The emergency number that was dialled, with or without the site's outside prefix, a usual one (0, 9), or a `+` that
/// some phones put in front. A configured extension is never taken for one by such a prefix.
#[must_use]
pub fn emergency(config: &Config, dialled: &Number) -> Option<Number> {
    let country = country(config);
    let text = dialled.as_str();
    if country.is_emergency(text) {
        return Some(dialled.clone());
    }
    if config.extension.contains_key(dialled) {
        return None;
    }
    [config.system.outside_prefix.as_str(), "0", "9", "+"]
        .into_iter()
        .filter(|prefix| !prefix.is_empty())
        .filter_map(|prefix| text.strip_prefix(prefix))
        .find(|rest| country.is_emergency(rest))
        .and_then(Number::read)
}

fn inside(config: &Config, dialled: &Number) -> Option<Target> {
    if config.extension.contains_key(dialled) {
        return Some(Target::Extension(dialled.clone()));
    }
    star_code(config, dialled)
        .or_else(|| config.queue_by_number(dialled).map(|q| Target::Queue(q.name.clone())))
        .or_else(|| config.flow_by_number(dialled).map(|f| Target::Flow(f.name.clone())))
}

/// Star codes; those with digits after them are looked at last, so that a longer code is not hidden by a shorter one.
fn star_code(config: &Config, dialled: &Number) -> Option<Target> {
    let f = &config.feature;
    let exact = [
        (&f.echo, Target::Echo),
        (&f.announcement, Target::Announcement),
        (&f.voicemail, Target::Retrieve),
        (&f.agent_login, Target::Feature(Code::LoginOrOut)),
        (&f.agent_ready, Target::Feature(Code::Ready)),
        (&f.agent_pause, Target::Feature(Code::Pause(None))),
        (&f.agent_wrap_up_done, Target::Feature(Code::WrapUpDone)),
        (&f.agent_wrap_extend, Target::Feature(Code::WrapUpMore)),
        (&f.agent_campaigns, Target::Feature(Code::Campaigns)),
        (&f.hot_desk, Target::HotDesk(None)),
        (&f.paging, Target::Paging),
    ];
    if let Some((_, target)) = exact.into_iter().find(|(code, _)| *code == dialled) {
        return Some(target);
    }
    let watched = dialled.as_str().strip_prefix(f.supervise.as_str()).and_then(Number::read);
    if let Some(number) = watched.filter(|n| config.extension.contains_key(n)) {
        return Some(Target::Supervise(number));
    }
    let guest = dialled.as_str().strip_prefix(f.hot_desk.as_str()).and_then(Number::read);
    if let Some(number) = guest {
        return Some(Target::HotDesk(Some(number)));
    }
    let digits_after = |code: &Number| {
        dialled
            .as_str()
            .strip_prefix(code.as_str())
            .filter(|rest| (1..=2).contains(&rest.len()))
            .map(str::to_owned)
    };
    if let Some(reason) = digits_after(&f.agent_pause).filter(|r| r.len() == 1) {
        let digit = reason.chars().next().and_then(|c| Digit::try_from(c).ok());
        return Some(Target::Feature(Code::Pause(digit)));
    }
    let code = digits_after(&f.agent_wrap_code).and_then(|code| Number::read(&code))?;
    Some(Target::Feature(Code::WrapCode(code)))
}

/// The number outside, without the outside prefix. A number that begins with `+` needs no prefix. Star codes never
/// leave the box.
fn outside(config: &Config, dialled: &Number) -> Option<Number> {
    let text = dialled.as_str();
    if text.contains(['*', '#']) {
        return None;
    }
    if text.starts_with('+') {
        return Some(dialled.clone());
    }
    text.strip_prefix(config.system.outside_prefix.as_str()).and_then(Number::read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{number, site};

    #[test]
    fn a_dialled_number_has_one_meaning() {
        let config = site();
        let table = [
            ("101", Some(Target::Extension(number("101")))),
            ("112", Some(Target::Emergency(number("112")))),
            ("0112", Some(Target::Emergency(number("112")))),
            ("9110", Some(Target::Emergency(number("110")))),
            ("*43", Some(Target::Echo)),
            ("*97", Some(Target::Retrieve)),
            ("*52", Some(Target::Feature(Code::Pause(None)))),
            ("*521", Some(Target::Feature(Code::Pause(Digit::try_from('1').ok())))),
            ("*5412", Some(Target::Feature(Code::WrapCode(number("12"))))),
            ("*60101", Some(Target::Supervise(number("101")))),
            ("*60199", None),
            ("*58", Some(Target::HotDesk(None))),
            ("*58102", Some(Target::HotDesk(Some(number("102"))))),
            ("600", Some(Target::Queue("support".into()))),
            ("700", Some(Target::Flow("main".into()))),
            ("0301234567", Some(Target::Outside(number("301234567")))),
            ("+49301234567", Some(Target::Outside(number("+49301234567")))),
            ("555", None),
            ("*99", None),
        ];
        for (dialled, expected) in table {
            assert_eq!(target(&config, &number(dialled)), expected, "{dialled}");
        }
    }
}
