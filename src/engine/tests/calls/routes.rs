//! C1: forty calls from outside, by number, caller, trunk and time, each reaches what its rule declares.
use crate::harness::{World, site};
use serde_json::{Value, json};
use std::sync::Arc;

/// The world of the stories begins on Monday, 23 November 2026, at 01:00 in Berlin.
const HOUR_MS: i64 = 3_600_000;

fn rules() -> Arc<model::config::Config> {
    site(|tree| {
        tree["schedule"] = json!([
            { "name": "office", "week": { "mon": "09:00-17:00", "tue": "09:00-12:00 13:00-17:00", "wed": "09:00-17:00" },
              "holidays": ["2026-11-25"] },
            { "name": "night", "week": { "mon": "22:00-24:00", "tue": "00:00-06:00" } },
        ]);
        let rule = |name: &str, number: &str, to: &str, more: Value| {
            let mut rule = json!({ "name": name, "number": number, "to": to });
            for (key, value) in more.as_object().expect("a table") {
                rule[key] = value.clone();
            }
            rule
        };
        tree["inbound"] = json!([
            rule(
                "vip at night",
                "+493012345XX",
                "extension:103",
                json!({ "caller": "+4917155555!", "schedule": "night" })
            ),
            rule("vip", "+493012345XX", "extension:102", json!({ "caller": "+4917155555!" })),
            rule("night", "+493012345XX", "voicemail:101", json!({ "schedule": "night" })),
            rule("office", "+493012345XX", "flow:main", json!({ "schedule": "office" })),
            rule("block", "+493012345XX", "announcement", json!({})),
            rule("boss", "+49301234501", "extension:101", json!({})),
            rule("support", "+49301234555", "queue:support", json!({})),
            rule("echo", "+49301234599", "echo", json!({})),
            rule("second line", "+4989.", "extension:102", json!({ "trunk": "backup" })),
            rule("first line", "+4989.", "extension:101", json!({ "trunk": "carrier" })),
            rule("nuisance", "!", "hang_up", json!({ "caller": "+49666!" })),
            rule("rest", "!", "extension:103", json!({})),
        ]);
    })
}

/// Hours after the world's start; trunk; caller; number dialled; where the call must get.
const CASES: [(i64, &str, &str, &str, &str); 40] = [
    (0, "carrier", "+491711", "+49301234501", "extension 101"),
    (0, "carrier", "+491711", "+49301234555", "queue support"),
    (0, "carrier", "+491711", "+49301234599", "echo"),
    (0, "carrier", "+491711", "+49301234510", "announcement"),
    (0, "carrier", "+49171555550", "+49301234510", "extension 102"),
    (0, "carrier", "+49171555551", "+49301234511", "extension 102"),
    (0, "carrier", "+49171555550", "+49301234501", "extension 101"),
    (0, "carrier", "+49171555550", "+49301234555", "queue support"),
    (0, "backup", "+491711", "+49891234567", "extension 102"),
    (0, "carrier", "+491711", "+49891234567", "extension 101"),
    (0, "carrier", "+496661", "+49401234567", "nobody"),
    (0, "backup", "+496661", "+49409", "nobody"),
    (0, "carrier", "+496661", "+49301234501", "extension 101"),
    (0, "carrier", "+491711", "+49401234567", "extension 103"),
    (0, "backup", "+491711", "+12125551234", "extension 103"),
    (9, "carrier", "+491711", "+49301234510", "flow main"),
    (9, "carrier", "+491711", "+49301234500", "flow main"),
    (9, "backup", "+491711", "+49301234577", "flow main"),
    (9, "carrier", "+49171555550", "+49301234510", "extension 102"),
    (9, "carrier", "+491711", "+49301234501", "extension 101"),
    (9, "carrier", "+491711", "+49301234555", "queue support"),
    (9, "carrier", "+491711", "+49301234599", "echo"),
    (9, "backup", "+491711", "+49891234567", "extension 102"),
    (9, "carrier", "+491711", "+49401234567", "extension 103"),
    (17, "carrier", "+491711", "+49301234510", "announcement"),
    (17, "carrier", "+491711", "+49301234500", "announcement"),
    (17, "carrier", "+49171555559", "+49301234510", "extension 102"),
    (22, "carrier", "+491711", "+49301234510", "mailbox 101"),
    (22, "carrier", "+49171555550", "+49301234510", "extension 103"),
    (22, "backup", "+49171555559", "+49301234511", "extension 103"),
    (22, "carrier", "+491711", "+49301234501", "extension 101"),
    (26, "carrier", "+491711", "+49301234510", "mailbox 101"),
    (26, "carrier", "+49171555550", "+49301234510", "extension 103"),
    (30, "carrier", "+491711", "+49301234510", "announcement"),
    (33, "carrier", "+491711", "+49301234510", "flow main"),
    (35, "carrier", "+491711", "+49301234510", "announcement"),
    (37, "carrier", "+491711", "+49301234510", "flow main"),
    (57, "carrier", "+491711", "+49301234510", "announcement"),
    (57, "carrier", "+49171555550", "+49301234510", "extension 102"),
    (57, "carrier", "+491711", "+49301234501", "extension 101"),
];

/// Where the call got, in a word, while it is there.
fn place(world: &World, from: usize) -> String {
    if world.refused(from).is_some() {
        return "nobody".into();
    }
    let view = world.view().expect("a call was told");
    let kind = match view.stage.as_str() {
        "ringing" => "extension",
        "ivr" => return "flow main".into(),
        "queued" | "offering" => "queue",
        "voicemail" => "mailbox",
        _ => return view.with.clone(),
    };
    format!("{kind} {}", view.with)
}

#[test]
fn forty_calls_reach_what_their_rules_declare() {
    for (hours, trunk, caller, number, expected) in CASES {
        let mut world = World::new(rules());
        world.now.wall.0 += hours * HOUR_MS;
        for (n, user) in ["101", "102", "103"].iter().enumerate() {
            world.phone(user, &format!("192.0.2.{}", 11 + n));
        }
        let address = if trunk == "carrier" { "192.0.2.80" } else { "192.0.2.81" };
        let from = world.peer(caller, address);
        world.dial(from, number);
        assert_eq!(
            place(&world, from),
            expected,
            "{caller} calls {number} over {trunk}, {hours} h after the start"
        );
    }
}
