//! Every field of a site: its path and what may stand in it, told by the readers of the configuration themselves, so that
//! command line, console and documents cannot know another site than the one that is checked. Decides nothing.
use super::draft;
use serde::Serialize;
use std::fmt;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// `system.name`, `extension[].voicemail.pin` (`[]` = any item), `flow[].step{}.kind` (`{}` = any name).
    pub path: String,
    /// What may stand there.
    pub kind: Kind,
}

/// What may stand in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Kind {
    /// Something of its own, as JSON.
    Any,
    /// One of these words.
    Choice {
        /// The words.
        words: Vec<String>,
    },
    /// True or false.
    Flag {
        /// When left out.
        usual: bool,
    },
    /// Several texts.
    List {
        /// Most of them.
        most: usize,
    },
    /// A whole number.
    Number {
        /// Least.
        min: u32,
        /// Most.
        max: u32,
        /// When left out.
        usual: u32,
    },
    /// A text.
    Text,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Any => f.write_str("JSON"),
            Kind::Choice { words } => f.write_str(&words.join(" | ")),
            Kind::Flag { usual } => write!(f, "true | false, usually {usual}"),
            Kind::List { most } => write!(f, "list of at most {most}"),
            Kind::Number { min, max, usual } => write!(f, "{min} to {max}, usually {usual}"),
            Kind::Text => f.write_str("text"),
        }
    }
}

/// All of them, section by section.
#[must_use]
pub fn fields() -> Vec<Field> {
    draft::fields()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Kind {
        let found = fields().into_iter().find(|f| f.path == path);
        found.unwrap_or_else(|| panic!("no {path} in {:#?}", fields())).kind
    }

    #[test]
    fn readers_tell_their_fields_with_kind_and_limits() {
        assert_eq!(kind("system.name"), Kind::Text);
        assert_eq!(kind("network.vlan"), Kind::Number { min: 0, max: 4094, usual: 0 });
        assert_eq!(
            kind("extension[].voicemail.max_messages"),
            Kind::Number { min: 1, max: 1000, usual: 100 }
        );
        assert_eq!(kind("agent[].always_on"), Kind::Flag { usual: false });
        assert_eq!(kind("trunk[].codecs"), Kind::List { most: 8 });
        assert_eq!(kind("flow[].step{}.max"), Kind::Number { min: 1, max: 20, usual: 20 });
        assert!(
            matches!(kind("flow[].step{}.kind"), Kind::Choice { words } if words.contains(&"menu".into()))
        );
        assert_eq!(kind("audio.music{}"), Kind::Text);
        assert_eq!(kind("schedule[].week.mon"), Kind::Text);
        assert!(!fields().iter().any(|f| f.kind == Kind::Any && f.path != "flow[].step"), "{:#?}", fields());
    }
}
