//! Somebody in a hurry tries to get around the law of campaigns as a person with every right would: by the interface of the
//! real binary and by sheets of numbers. What no profile allows is refused with the name of its field; what is taken loosens
//! nothing; whom the law protects is not rung.
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::sipp::{people, silent};
use tests::harness::{campaign, daytime, site};

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
const LAWS: [&str; 4] = ["china", "eu", "uk", "us"];
/// People of each list whom one may call, as far as the number says.
const PEOPLE: u32 = 3;

fn site(lan: Lan) -> String {
    let mut parts = vec![
        site::head(),
        site::agents(lan, 31, 201, 4),
        site::queue(201, 4, "longest_idle", "never"),
        site::lines(lan, "queue:floor"),
        campaign::OUTSIDE.to_owned(),
        // Open around the clock, as far as the site is concerned.
        format!(
            "\n[[schedule]]\nname = \"always\"\n[schedule.week]\n{}",
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
                .map(|day| format!("{day} = \"00:00-24:00\"\n"))
                .concat()
        ),
    ];
    parts.extend(LAWS.map(|law| campaign::text(law, law, "progressive", law)));
    parts.concat()
}

/// Settings that no law allows, and the field that is at fault.
fn unlawful() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "ring_s": 14 }), "ring_s"),
        (json!({ "ring_s": 0 }), "ring_s"),
        (json!({ "ring_s": -1 }), "ring_s"),
        (json!({ "ring_s": "9" }), "ring_s"),
        (json!({ "abandoned_permille": 31 }), "abandoned_permille"),
        (json!({ "abandoned_permille": 1000 }), "abandoned_permille"),
        (json!({ "attempts_day": 21 }), "attempts_day"),
        (json!({ "attempts_max": 51 }), "attempts_max"),
        (json!({ "again": { "abandoned": "1s" } }), "again.abandoned"),
        (json!({ "again": { "busy": "0m" } }), "again.busy"),
        (json!({ "caller_id": "" }), "caller_id"),
        (json!({ "caller_id": "nobody" }), "caller_id"),
        (json!({ "caller_id": "110" }), "caller_id"),
        (json!({ "profile": "none" }), "profile"),
        (json!({ "hours": "at will" }), "hours"),
        (json!({ "plain": { "multiple_percent": 5000 } }), "plain.multiple_percent"),
        (json!({ "plain": { "queue_limit": 9 } }), "plain.queue_limit"),
        (json!({ "plain": { "per_agent": 50 } }), "plain.per_agent"),
        (json!({ "machines": { "certainty_permille": 500 } }), "machines.certainty_permille"),
        // Rules that are not for a campaign to set.
        (json!({ "grace_s": 30 }), "grace_s"),
        (json!({ "redial_h": 0 }), "redial_h"),
        (json!({ "do_not_call": false }), "do_not_call"),
    ]
}

fn with(mut item: Value, change: &Value) -> Value {
    let fields = change.as_object().expect("an object").clone();
    item.as_object_mut().expect("an object").extend(fields);
    item
}

/// Each of them is refused for each law, in the words of its field, and nothing is kept.
fn settings_beyond_the_law_are_refused(pbx: &Belfry) {
    for law in LAWS {
        let path = format!("/config/campaign/{law}");
        let before = pbx.get(&path);
        for (change, field) in unlawful() {
            let (status, said) = pbx.try_to("PUT", &path, &with(before.clone(), &change));
            let problems = said["error"]["problems"].as_array().cloned().unwrap_or_default();
            let named = problems.iter().any(|p| p["field"].as_str().is_some_and(|f| f.ends_with(field)));
            assert!(status == 422 && named, "{law}: {change} was answered {status} {said}");
        }
        assert_eq!(pbx.get(&path), before, "nothing was kept");
    }
}

/// What a campaign may say, but no law: taken, and the stricter counts.
fn settings_are_loosened_as_far_as_they_go(pbx: &Belfry) {
    for law in LAWS {
        let path = format!("/config/campaign/{law}");
        let loose = json!({ "ring_s": 15, "attempts_day": 20, "attempts_max": 50, "abandoned_permille": 30, "hours": "always",
            "calls_per_second": 100, "again": { "busy": "1m", "no_answer": "1m", "network": "1m", "abandoned": "1m" } });
        pbx.send("PUT", &path, &with(pbx.get(&path), &loose));
    }
}

fn numbers(law: usize, begin: &str, from: u32) -> Vec<String> {
    let first = 3000 + 100 * u32::try_from(law).expect("small") + from;
    (first..first + PEOPLE).map(|n| format!("{begin}{n:04}")).collect()
}

/// A sheet with people of the day, people of the night who are said to live elsewhere, and barred ones in several spellings.
fn sheet(law: usize) -> (String, Vec<String>) {
    let mut text = String::from("Name,Phone,Zone\n");
    let day = numbers(law, daytime::place(), 0);
    let row = |name: &str, number: &str, zone: &str| format!("{name},{number},{zone}\n");
    for number in &day {
        text += &row("Day", number, "");
        text += &row("Again", &number.replace('+', "00"), "");
    }
    for number in numbers(law, daytime::night(), 10) {
        text += &row("Night", &number, daytime::zone());
    }
    for number in barred(law) {
        let spaced = format!("{} {} {}", &number[..3], &number[3..6], &number[6..]);
        for spelling in [number.clone(), number.replace('+', "00"), spaced] {
            text += &row("Barred", &spelling, daytime::zone());
        }
    }
    (text, day)
}

fn barred(law: usize) -> Vec<String> {
    numbers(law, daytime::place(), 20)
}

fn attempts(pbx: &Belfry, law: &str, folder: &Path) -> Vec<Value> {
    let evidence = folder.join(format!("{law}.ndjson"));
    std::fs::write(&evidence, pbx.get_bytes(&format!("/campaigns/{law}/attempts"))).expect("writable");
    assert_eq!(campaign::judged(&evidence, law, &[])["broken"], json!([]), "{law}");
    let text = std::fs::read_to_string(&evidence).expect("just written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn nobody_gets_around_the_law_by_the_interface_or_by_sheets() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &site(lan), folder);
    let _people = people(lan, folder);
    let _agents = silent(lan, 31, 5090, "callee", folder);

    settings_beyond_the_law_are_refused(&pbx);
    settings_are_loosened_as_far_as_they_go(&pbx);
    let never: Vec<String> = (0..LAWS.len()).flat_map(barred).collect();
    std::fs::write(folder.join("never.txt"), never.join("\n")).expect("writable");
    pbx.upload("/barred/import?country=de", &folder.join("never.txt"));
    let mut allowed = BTreeSet::new();
    for (place, law) in LAWS.into_iter().enumerate() {
        let (text, day) = sheet(place);
        let file = folder.join(format!("{law}.csv"));
        std::fs::write(&file, text).expect("writable");
        pbx.upload(&format!("/lists/import?list={law}&file={law}.csv&country=de"), &file);
        allowed.extend(day);
    }
    for law in LAWS {
        let order = format!("/campaigns/{law}/order");
        for (hand, most) in [("coefficient", "percent"), ("free_agents", "agents")] {
            let asked = json!({ "order": hand, most: 501, "for_s": 600, "reason": "hurry" });
            let (status, said) = pbx.try_to("POST", &order, &asked);
            assert!((400..500).contains(&status), "{asked} was answered {status} {said}");
        }
        pbx.send("POST", &order, &json!({ "order": "start" }));
    }
    let of = |all: &Value, law: &str| {
        all.as_array().and_then(|c| c.iter().find(|c| c["campaign"] == law)).cloned()
    };
    // By every law it is night for some of them; by that of the US nobody of the day is left out on any day.
    pbx.until("the night was looked at", "/campaigns", LONG, |all| {
        LAWS.iter().all(|law| of(all, law).is_some_and(|c| c["refused"]["hours"].as_u64() > Some(0)))
    });
    pbx.until("the people of the day were reached", "/campaigns", LONG, |all| {
        of(all, "us").is_some_and(|c| c["results"]["talked"].as_u64() == Some(u64::from(PEOPLE)))
    });
    for law in LAWS {
        let called: Vec<String> = attempts(&pbx, law, folder)
            .iter()
            .filter_map(|a| Some(a["number"].as_str()?.to_owned()))
            .collect();
        let once: BTreeSet<String> = called.iter().cloned().collect();
        assert_eq!(once.len(), called.len(), "{law}: nobody twice");
        assert!(once.is_subset(&allowed), "{law}: {called:?}");
    }
    assert_eq!(attempts(&pbx, "us", folder).len(), usize::try_from(PEOPLE).expect("small"));
}
