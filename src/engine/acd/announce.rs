//! What a waiting caller is told: the position in the queue. Pure; says it only, when is decided in acd.rs.
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
