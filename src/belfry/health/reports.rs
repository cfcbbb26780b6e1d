//! Troubles that other parts know of by themselves (a backup that failed, an update that was rolled back): they set them
//! here, and the health thread takes them along with its own looks. Decides nothing.
use super::judge::Look;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Most troubles held: kinds are few, and subjects are configured things.
const MOST: usize = 100;

/// How a part that knows of one trouble tells it: `Some(why)` = not well.
pub type Tell = Box<dyn Fn(Option<&str>) + Send + Sync>;

/// What was set.
#[derive(Debug, Default)]
pub struct Reports {
    set: Mutex<BTreeMap<(&'static str, String), Option<String>>>,
}

impl Reports {
    /// Says how something is: `Some(why)` = not well, `None` = well. `subject` is empty where there is only one. Kinds
    /// have their words in [`model::health`] and in the pages.
    pub fn set(&self, kind: &'static str, subject: &str, trouble: Option<String>) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, subject.to_owned());
        if set.len() < MOST || set.contains_key(&key) {
            set.insert(key, trouble);
        }
    }

    /// As looks.
    #[must_use]
    pub fn looks(&self) -> Vec<Look> {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |((kind, subject), trouble): (&(&'static str, String), &Option<String>)| Look {
            until: Duration::ZERO,
            ..Look::fine(kind, subject, trouble.is_none()).detail(trouble.clone().unwrap_or_default())
        };
        set.iter().map(look).collect()
    }
}
