//! Minutes to outside in calls: what a thief with a stolen password gets, what a restart and the stop button change, and
//! that emergency calls never count.
use crate::harness::{World, site};
use model::command::Command;
use model::config::Config;
use model::notice::Notice;
use model::record::{BudgetRecord, Record};
use serde_json::{Value, json};
use std::sync::Arc;

const DEAR: &str = "0001900555123";
const ABROAD: &str = "00033123456789";

fn office(change: impl FnOnce(&mut Value)) -> Arc<Config> {
    site(|tree| {
        tree["extension"][0]["outside_calls"] = "premium".into();
        tree["outbound"] = json!([{ "name": "all", "number": "!", "trunks": ["carrier"] }]);
        tree["trunk"][1]["capacity"] = json!(30);
        change(tree);
    })
}

struct Story {
    world: World,
    carrier: usize,
    phone: usize,
}

impl Story {
    fn new(mut world: World) -> Story {
        let carrier = world.peer("carrier", "192.0.2.80");
        world.seconds(1);
        let phone = world.phone("101", "192.0.2.11");
        Story { world, carrier, phone }
    }

    /// Dials; the carrier's leg when the call came out and was taken.
    fn reach(&mut self, number: &str) -> Option<model::id::LegId> {
        self.world.forget(self.carrier);
        self.world.forget(self.phone);
        self.world.dial(self.phone, number);
        let (leg, _) = self.world.rung(self.carrier)?;
        self.world.answer(self.carrier, leg);
        self.world.moment();
        Some(leg)
    }

    fn told(&self, kind: &str) -> usize {
        let of = |n: &&Notice| matches!(n, Notice::Note(n) if n.kind == kind);
        self.world.notices.iter().filter(of).count()
    }

    fn kept(&self) -> Vec<BudgetRecord> {
        let of = |r: &Record| if let Record::Budget(b) = r { Some(b.clone()) } else { None };
        self.world.records.iter().filter_map(of).collect()
    }
}

#[test]
fn a_stolen_password_is_worth_five_minutes_of_premium_calls_and_people_are_told() {
    let mut story = Story::new(World::new(office(|_| {})));
    let mut answered = 0;
    for _ in 0..240 {
        answered += u32::from(story.reach(DEAR).is_some());
        story.world.seconds(15);
    }
    assert!(answered >= 2, "it was worth trying");
    let own = story.kept().into_iter().rfind(|r| r.scope == "extension 101").expect("it is kept");
    assert!(own.used_ms[2] <= 300_500, "premium time of an hour of dialling: {} ms", own.used_ms[2]);
    assert_eq!((story.told("budget_near"), story.told("budget_spent")), (1, 1), "told once each");
    let spent = |n: &Notice| matches!(n, Notice::Budget(b) if b.uses.iter().any(|u| u.spent));
    assert!(story.world.notices.iter().any(spent), "the health page hears of it");
    assert!(story.reach(DEAR).is_none());
    assert_eq!(story.world.refused(story.phone), Some(403));
    assert!(story.reach("0301234567").is_some(), "the country can be called still");
    assert!(story.reach("112").is_some(), "and an emergency number in any case");
}

#[test]
fn minutes_that_were_used_are_not_given_back_by_a_restart() {
    let mut before = Story::new(World::new(office(|_| {})));
    assert!(before.reach(DEAR).is_some());
    before.world.seconds(290);
    let budgets = before.kept();
    let mut after = Story::new(World::boot(office(|_| {}), |boot| boot.budgets = budgets));
    assert!(after.reach(DEAR).is_some());
    after.world.seconds(80);
    assert!(after.world.ended(after.carrier), "what is left is a minute and a half at most");
    assert!(after.reach(DEAR).is_none());
}

#[test]
fn the_stop_button_ends_calls_to_outside_and_lets_none_begin_but_emergencies() {
    let mut story = Story::new(World::new(office(|_| {})));
    assert!(story.reach("0301234567").is_some());
    story.world.commit(office(|tree| tree["budget"] = json!({ "stop": true })));
    story.world.moment();
    assert!(story.world.ended(story.carrier) && story.world.ended(story.phone));
    for number in ["0301234567", ABROAD, DEAR] {
        assert!(story.reach(number).is_none(), "{number}");
    }
    assert!(story.reach("112").is_some());
    story.world.seconds(3600);
    assert!(!story.world.ended(story.carrier), "an emergency call is not cut");
}

#[test]
fn an_extension_with_minutes_of_its_own_and_one_that_gets_them_back() {
    let own = |tree: &mut Value| tree["extension"][0]["budget"] = json!({ "premium_min": 1 });
    let mut story = Story::new(World::new(office(own)));
    assert!(story.reach(DEAR).is_some());
    story.world.seconds(61);
    assert!(story.world.ended(story.carrier), "after a minute");
    assert!(story.reach(DEAR).is_none());
    let reset = |scope: &str| Command::BudgetReset { scope: scope.into() };
    assert!(story.world.order(reset("extension 109")).is_err());
    assert_eq!(story.world.order(reset("extension 101")), Ok(()));
    assert!(story.reach(DEAR).is_some());
}

#[test]
fn the_minutes_of_a_trunk_count_for_everybody_and_the_next_trunk_takes_over() {
    let mut story = Story::new(World::new(office(|tree| {
        tree["trunk"][1]["budget"] = json!({ "international_min": 1 });
        tree["outbound"][0]["trunks"] = json!(["carrier", "backup"]);
    })));
    let backup = story.world.peer("backup", "192.0.2.81");
    story.world.seconds(30);
    assert!(story.reach(ABROAD).is_some());
    story.world.seconds(61);
    assert!(story.world.ended(story.carrier));
    assert!(story.reach(ABROAD).is_none(), "not over the carrier any more");
    assert!(story.world.rung(backup).is_some());
}
