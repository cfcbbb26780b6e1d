use super::*;
use crate::fixture::{number, site};
use jiff::Zoned;
use model::campaign::Entry;
use std::collections::BTreeMap;

/// A campaign without any rule of its own.
pub(crate) fn settings(profile: Profile) -> Campaign {
    Campaign {
        name: "autumn".into(),
        queue: "support".into(),
        lists: vec!["a".into()],
        form: Form::Predictive,
        profile,
        caller_id: number("+49301000"),
        outside_calls: model::config::extension::Rights::International,
        flow: None,
        identity: None,
        hours: None,
        ring_s: 25,
        attempts_max: 6,
        attempts_day: 3,
        abandoned_permille: 30,
        lines_max: 30,
        calls_per_second: 5,
        plain: None,
        protects: Vec::new(),
        protect_percent: 80,
        resume_percent: 90,
        whisper: true,
        detect_machines: false,
        machines: model::config::campaign::Machines::default(),
        script: String::new(),
        again: BTreeMap::new(),
        disposition: Vec::new(),
    }
}

fn at(text: &str) -> Wall {
    Wall(text.parse::<Zoned>().expect("a time").timestamp().as_millisecond())
}

fn entry(zones: &[&str]) -> Entry {
    Entry {
        number: number("+12125551234"),
        zones: zones.iter().map(|z| (*z).to_owned()).collect(),
        ..Entry::default()
    }
}

fn gate(rules: &Rules, entry: &Entry, reserved: bool, account: (u32, u32), now: &str) -> Result<(), Bar> {
    rules.gate(&Try { entry, reserved, account, now: at(now) })
}

#[test]
fn hours_are_those_of_the_party_in_every_zone_the_number_may_be_in() {
    let rules = Rules::of(&site(), &settings(Profile::Us));
    let both = entry(&["America/New_York", "America/Chicago"]);
    let table = [
        ("2026-03-04T07:59[America/New_York]", Err(Bar::Hours)),
        ("2026-03-04T08:30[America/New_York]", Err(Bar::Hours)),
        ("2026-03-04T09:00[America/New_York]", Ok(())),
        ("2026-03-04T20:59[America/New_York]", Ok(())),
        ("2026-03-04T21:00[America/New_York]", Err(Bar::Hours)),
        // The clocks of New York jump from 2 to 3 on this day; eight is eight.
        ("2026-03-08T09:00[America/New_York]", Ok(())),
        ("2026-03-08T08:59[America/New_York]", Err(Bar::Hours)),
    ];
    for (now, expected) in table {
        assert_eq!(gate(&rules, &both, true, (0, 0), now), expected, "{now}");
    }
    assert_eq!(gate(&rules, &entry(&[]), true, (0, 0), "2026-03-04T12:00[UTC]"), Err(Bar::Zone));
    assert_eq!(gate(&rules, &entry(&["Moon/Base"]), true, (0, 0), "2026-03-04T12:00[UTC]"), Err(Bar::Zone));
}

#[test]
fn a_campaign_tightens_and_never_loosens() {
    let mut config = site();
    if let Some(office) = config.schedule.get_mut("office") {
        office.week = std::array::from_fn(|_| vec![(0, 1440)]);
        office.holidays = vec!["2026-03-04".parse().expect("a day")];
    }
    let loose = Campaign {
        hours: Some("office".into()),
        attempts_day: 20,
        abandoned_permille: 1000,
        ..settings(Profile::Uk)
    };
    let rules = Rules::of(&config, &loose);
    assert_eq!((rules.attempts_day, rules.abandoned_permille), (3, 10));
    let london = entry(&["Europe/London"]);
    assert_eq!(gate(&rules, &london, true, (0, 0), "2026-03-05T07:00[Europe/London]"), Err(Bar::Hours));
    assert_eq!(gate(&rules, &london, true, (0, 0), "2026-03-04T12:00[Europe/London]"), Err(Bar::Holiday));
    assert_eq!(gate(&rules, &london, true, (0, 0), "2026-03-05T12:00[Europe/London]"), Ok(()));
}

#[test]
fn each_rule_stands_alone() {
    let noon = "2026-03-04T12:00[America/New_York]";
    let rules = Rules::of(&site(), &settings(Profile::Us));
    let fine = entry(&["America/New_York"]);
    let hours_ago = |h: i64| Some(Wall(at(noon).0 - h * 3_600_000));
    let table = [
        (fine.clone(), false, (0, 0), Ok(())),
        (Entry { barred: true, ..fine.clone() }, true, (0, 0), Err(Bar::DoNotCall)),
        (Entry { attempts: 6, ..fine.clone() }, true, (0, 0), Err(Bar::Attempts)),
        (Entry { attempts_day: 3, ..fine.clone() }, true, (0, 0), Err(Bar::AttemptsDay)),
        (Entry { abandoned: hours_ago(71), ..fine.clone() }, false, (0, 0), Err(Bar::Redial)),
        (Entry { abandoned: hours_ago(71), ..fine.clone() }, true, (0, 0), Ok(())),
        (Entry { abandoned: hours_ago(72), ..fine.clone() }, false, (0, 0), Ok(())),
        // A clock that was set back does not make the three days shorter.
        (Entry { abandoned: hours_ago(-5), ..fine.clone() }, false, (0, 0), Err(Bar::Redial)),
        (fine.clone(), false, (60, 1), Err(Bar::Abandoned)),
        (fine.clone(), false, (70, 1), Ok(())),
        (fine.clone(), true, (60, 30), Ok(())),
    ];
    for (entry, reserved, account, expected) in table {
        assert_eq!(
            gate(&rules, &entry, reserved, account, noon),
            expected,
            "{entry:?} {reserved} {account:?}"
        );
    }
    let silent = Campaign { caller_id: number("110"), ..settings(Profile::Us) };
    assert_eq!(gate(&Rules::of(&site(), &silent), &fine, true, (0, 0), noon), Err(Bar::CallerId));
    let hasty = Campaign { ring_s: 14, ..settings(Profile::Us) };
    assert_eq!(gate(&Rules::of(&site(), &hasty), &fine, true, (0, 0), noon), Err(Bar::Ring));
}

/// Tries to get a forbidden call through: random profiles, settings, entries, zones and times, clocks set back and forth.
#[test]
fn a_hundred_thousand_tries_find_no_way_around_a_rule() {
    let mut state = 0x5eed_u64;
    let mut dice = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let small = |n: u64| u32::try_from(n).expect("small");
    let zones = ["America/New_York", "Europe/Paris", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia"];
    let profiles = [Profile::China, Profile::Eu, Profile::Uk, Profile::Us];
    let start = at("2026-03-01T00:00[UTC]").0;
    let mut passed = 0;
    for _ in 0..100_000 {
        let mut campaign = settings(profiles[usize::try_from(dice(4)).expect("small")]);
        campaign.attempts_day = small(dice(40));
        campaign.attempts_max = small(dice(60));
        campaign.abandoned_permille = small(dice(2000));
        campaign.ring_s = small(dice(40));
        if dice(10) == 0 {
            campaign.caller_id = number("1234");
        }
        let now = Wall(start + i64::try_from(dice(400 * 86_400_000)).expect("small"));
        let zone = zones[usize::try_from(dice(5)).expect("small")];
        let past = i64::try_from(dice(10 * 86_400_000)).expect("small") - 86_400_000;
        let entry = Entry {
            zones: if dice(20) == 0 { Vec::new() } else { vec![zone.to_owned()] },
            attempts: small(dice(8)),
            attempts_day: small(dice(6)),
            barred: dice(8) == 0,
            abandoned: (dice(3) == 0).then(|| Wall(now.0 - past)),
            ..Entry::default()
        };
        let (reserved, account) = (dice(2) == 0, (small(dice(300)), small(dice(12))));
        let rules = Rules::of(&site(), &campaign);
        if rules.gate(&Try { entry: &entry, reserved, account, now }).is_err() {
            continue;
        }
        passed += 1;
        let here = jiff::Timestamp::from_millisecond(now.0).expect("a time").in_tz(zone).expect("a zone");
        let (first, last) = match campaign.profile {
            Profile::China => (9, 20),
            Profile::Eu => (10, 20),
            Profile::Uk | Profile::Us => (8, 21),
        };
        assert!((first..last).contains(&here.hour()), "{here} {:?}", campaign.profile);
        assert!(!entry.barred && !entry.zones.is_empty() && campaign.ring_s >= 15);
        assert!(entry.attempts < campaign.attempts_max && entry.attempts_day < 4);
        assert!(campaign.caller_id.as_str().starts_with('+'));
        let lately = entry.abandoned.is_some_and(|a| now.0 - a.0 < 72 * 3_600_000);
        assert!(reserved || !lately, "redialled {past} ms after");
        let share = f64::from(account.1) / f64::from(account.0.max(34));
        assert!(reserved || share <= 0.03, "{account:?}");
    }
    assert!(passed > 1000, "only {passed} passed: the generator tries too little");
}
