//! The site of the stories: five extensions with mailboxes, two agents, a queue, a menu, a carrier. A story changes what it
//! is about in the tree of values, as an installer would, and the same checks apply.
use model::config::Config;
use model::config::draft;
use serde_json::{Value, json};
use std::sync::Arc;

/// Address of the carrier's SIP server.
pub const CARRIER: [u8; 4] = [10, 9, 0, 1];

/// PIN of every mailbox.
pub const PIN: &str = "246810";

/// The tree of the site.
#[must_use]
pub fn tree() -> Value {
    let extension = |n: u32| {
        json!({ "number": n.to_string(), "name": format!("Phone {n}"), "password": format!("secret-{n}-long"),
            "ring_timeout_s": 15, "voicemail": { "pin": PIN, "email": format!("{n}@example.com") } })
    };
    json!({
        "system": { "name": "Story", "country": "DE", "language": "en", "time_zone": "Europe/Berlin",
            "outside_prefix": "0", "area_code": "30", "call_limit": 200 },
        "mail": { "host": "10.9.0.25", "port": 25, "security": "none", "from": "box@example.com" },
        "schedule": [{ "name": "office", "week": { "mon": "08:00-18:00", "tue": "08:00-18:00",
            "wed": "08:00-18:00", "thu": "08:00-18:00", "fri": "08:00-18:00" } }],
        "extension": (101..=105).map(extension).collect::<Vec<_>>(),
        "agent": [
            { "id": "1", "name": "Anna", "extension": "101" },
            { "id": "2", "name": "Ben", "extension": "102" },
        ],
        "trunk": [{ "name": "carrier", "kind": "address", "host": "10.9.0.1", "caller_id": "+49301000",
            "capacity": 100 }],
        "queue": [{ "name": "support", "number": "600", "agents": ["1", "2"], "ring_timeout_s": 10,
            "wrap_up_s": 0, "max_wait_s": 60, "max_waiting": 20, "overflow_when_empty": false,
            "announce_position_s": 0, "overflow": "voicemail:103" }],
        "inbound": [{ "name": "everything", "number": "!", "to": "flow:main" }],
        "outbound": [{ "name": "all", "number": "!", "trunks": ["carrier"] }],
        "flow": [{ "name": "main", "number": "700", "start": "menu", "step": {
            "menu": { "kind": "menu", "say": ["welcome", "menu-main"],
                "option": { "1": "queue", "2": "dial", "9": "message" },
                "timeout_s": 3, "retries": 1, "on_timeout": "queue", "on_invalid": "queue" },
            "queue": { "kind": "queue", "queue": "support" },
            "dial": { "kind": "collect", "say": ["enter-extension"], "min": 3, "max": 3, "timeout_s": 3,
                "retries": 1, "next": "ring", "otherwise": "queue" },
            "ring": { "kind": "extension", "otherwise": "message" },
            "message": { "kind": "voicemail", "mailbox": "103" },
        } }],
    })
}

/// The site, changed by the story.
///
/// # Panics
/// When the changed tree is no valid site; the problems are in the message.
#[must_use]
pub fn site(change: impl FnOnce(&mut Value)) -> Arc<Config> {
    let mut tree = tree();
    change(&mut tree);
    match draft::read(&tree) {
        Ok(config) => Arc::new(config),
        Err(problems) => panic!("the site of the story is wrong: {problems:#?}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_site_of_the_stories_is_valid() {
        assert_eq!(super::site(|_| {}).extension.len(), 5);
    }
}
