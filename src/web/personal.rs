//! Which mailboxes are personal: closed to administrators, while supervisors may listen and it is noted. Those at the phones
//! of agents, whether the site's configuration says that an agent works there or somebody signs in as one; but for those
//! that the configuration calls shared. One value for all who ask, so that an open page follows each change. Decides no
//! rights: see `api::messages` and `live::scope`.
use model::query::{Role, UserRow};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

/// The mailboxes that are personal. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Personal(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Phones of people who sign in as agents.
    signed_in: BTreeSet<String>,
    /// Phones where agents of the site work.
    desks: BTreeSet<String>,
    /// Mailboxes of the office.
    shared: BTreeSet<String>,
}

impl Personal {
    /// Whether this one is.
    #[must_use]
    pub fn contains(&self, mailbox: &str) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let agents = known.desks.contains(mailbox) || known.signed_in.contains(mailbox);
        agents && !known.shared.contains(mailbox)
    }

    /// Learns who may sign in.
    pub fn signs_in<'a>(&self, users: impl Iterator<Item = &'a UserRow>) {
        let agents = users.filter(|u| u.role == Role::Agent);
        let phones = agents.filter_map(|u| u.extension.clone()).collect();
        self.write().signed_in = phones;
    }

    /// Learns the configuration in force.
    pub fn site_is(&self, tree: &Value) {
        let rows = |section: &str| tree[section].as_array().cloned().unwrap_or_default();
        let text = |row: &Value, field: &str| row[field].as_str().map(str::to_owned);
        let desks = rows("agent").iter().filter_map(|a| text(a, "extension")).collect();
        let extensions = rows("extension");
        let shared = extensions.iter().filter(|e| e["voicemail"]["shared"] == Value::Bool(true));
        let shared = shared.filter_map(|e| text(e, "number")).collect();
        let mut known = self.write();
        (known.desks, known.shared) = (desks, shared);
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_agents_mailbox_is_personal_with_and_without_a_sign_in_unless_it_is_shared() {
        let personal = Personal::default();
        let open_page = personal.clone();
        personal.site_is(&json!({
            "extension": [
                { "number": "101", "voicemail": {} },
                { "number": "102", "voicemail": { "shared": true } },
                { "number": "103", "voicemail": { "shared": false } },
                { "number": "104" },
            ],
            "agent": [{ "id": "7", "extension": "101" }, { "id": "8", "extension": "102" }],
        }));
        let seen = |p: &Personal| ["101", "102", "103", "104"].map(|m| p.contains(m));
        assert_eq!(seen(&open_page), [true, false, false, false]);
        let user = |role, extension: &str| UserRow {
            name: "x".into(),
            role,
            password_hash: String::new(),
            agent: None,
            extension: Some(extension.into()),
            created: model::clock::Wall(0),
        };
        let users = [user(Role::Agent, "102"), user(Role::Agent, "103"), user(Role::User, "104")];
        personal.signs_in(users.iter());
        assert_eq!(seen(&open_page), [true, false, true, false]);
        personal.site_is(&json!({}));
        assert_eq!(seen(&open_page), [false, true, true, false], "a site that says nothing about 102");
    }
}
