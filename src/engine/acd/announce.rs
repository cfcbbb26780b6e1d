//! What a waiting caller is told: the position in the queue, and how long it will take. Pure; says it only, when is decided in acd.rs.
use super::forecast::Wait;
use crate::say;
use model::media::{Language, Sound};

/// "You are number three in the queue", or "you are next".
#[must_use]
pub fn position(language: Language, position: usize) -> Vec<Sound> {
    let names = if position <= 1 {
        vec!["queue-next".to_owned()]
    } else {
        let mut names = vec!["queue-position".to_owned()];
        names.extend(say::number(language, u32::try_from(position).unwrap_or(say::NUMBER_MAX)));
        names.extend(say::after_position(language));
        names
    };
    say::sounds(language, names)
}

/// "If you do not want to wait, press one: we call you back, and you keep your place."
#[must_use]
pub fn callback(language: Language) -> Vec<Sound> {
    say::sounds(language, vec!["queue-callback".to_owned()])
}

/// "You will be served within a minute", "… in at most five minutes", "… in two to five minutes".
#[must_use]
pub fn wait(language: Language, wait: Wait) -> Vec<Sound> {
    let minutes = |s: u64| u32::try_from(s).unwrap_or(say::NUMBER_MAX);
    let (from, to) = (minutes(wait.from.as_secs() / 60), minutes(wait.to.as_secs().div_ceil(60)));
    let mut names = Vec::new();
    match (from, to) {
        (_, 0 | 1) => names.push("queue-wait-short".to_owned()),
        (0, to) => {
            names.push("queue-wait-at-most".to_owned());
            names.extend(say::count(language, to));
            names.push("queue-wait-minutes".to_owned());
        }
        (from, to) => {
            names.push("queue-wait".to_owned());
            names.extend(say::count(language, from));
            names.push("queue-wait-to".to_owned());
            names.extend(say::count(language, to));
            names.push("queue-wait-minutes".to_owned());
        }
    }
    say::sounds(language, names)
}
