//! Turns banned sources away where their SIP over TCP comes in, before they cost a place in the engine's queue. Learns from
//! the engine's notices who is banned; decides nothing itself.
use model::notice::Notice;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

/// The list at the door. As long as the guard's: it tells each ban and each end.
#[derive(Debug, Default)]
pub struct Door {
    banned: RwLock<BTreeSet<IpAddr>>,
}

impl Door {
    /// Takes what it needs of a notice.
    pub fn see(&self, notice: &Notice) {
        if let Notice::Ban(ban) = notice {
            self.banned.write().unwrap_or_else(PoisonError::into_inner).insert(ban.address);
        } else if let Notice::BanGone(address) = notice {
            self.banned.write().unwrap_or_else(PoisonError::into_inner).remove(address);
        }
    }

    /// Whether nothing from there is handed on now.
    #[must_use]
    pub fn shut(&self, source: IpAddr) -> bool {
        self.banned.read().unwrap_or_else(PoisonError::into_inner).contains(&source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;
    use model::record::BanRecord;

    #[test]
    fn who_is_banned_stays_outside_until_the_ban_ends() {
        let (door, address): (Door, IpAddr) = (Door::default(), [203, 0, 113, 9].into());
        assert!(!door.shut(address));
        let ban = BanRecord { address, until: Wall(1), cause: String::new(), failures: 20 };
        door.see(&Notice::Ban(ban));
        assert!(door.shut(address) && !door.shut([203, 0, 113, 8].into()));
        door.see(&Notice::BanGone(address));
        assert!(!door.shut(address));
    }
}
