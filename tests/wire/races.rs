//! Hundreds of real calls fall on five agents at once, who answer and hang up at once: never two calls to one agent.
//! 500 calls a build; `BELFRY_WIRE_RACES=2000` by hand.
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::until;
use tests::harness::sipp::Sipp;
use tests::harness::site;

/// How many callers race.
fn races() -> usize {
    std::env::var("BELFRY_WIRE_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

#[test]
fn five_hundred_callers_race_for_five_agents() {
    let races = races();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        site::agents(lan, 31, 201, 5),
        site::queue(201, 5, "ring_all", "never"),
        site::lines(lan, "queue:floor"),
    ]
    .concat();
    let pbx = Belfry::start(lan, &text, folder);
    let rtp = |host: u8| vec![("rtp_ip", lan.host(host).to_string()), ("rtp_port", "9".to_owned())];
    let agents = Sipp {
        scenario: "racing_agent",
        local: SocketAddr::from((lan.host(31), 5090)),
        remote: None,
        keys: rtp(31),
        more: vec![],
    };
    let _agents = agents.start("agents", folder);
    let mut keys = rtp(21);
    keys.extend([
        ("number", "+4930123456".to_owned()),
        ("name", "Racer".to_owned()),
        ("caller", "+49301".to_owned()),
    ]);
    let callers = Sipp {
        scenario: "racing_caller",
        local: SocketAddr::from((lan.host(21), 5060)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: ["-m", &races.to_string(), "-r", "60", "-l", "100"].map(str::to_owned).to_vec(),
    };
    let mut callers = callers.start("callers", folder);
    let status = callers.wait(Duration::from_secs(120 + 240 * (races / 1000) as u64));
    assert!(status.success(), "every caller reached an agent: {}", callers.output());

    pbx.until("all are over", "/calls", Duration::from_secs(15), |c| c.as_array().is_some_and(Vec::is_empty));
    // A record is read from the disk, where it is a moment after its call has left the list.
    let records = until("the last record is on the disk", Duration::from_secs(15), || {
        Some(all_records(&pbx)).filter(|found| found.len() >= races)
    });
    let mut talks: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for record in records {
        let agent = record["agent"].as_str().unwrap_or_else(|| panic!("no agent in {record}")).to_owned();
        let span = (record["answered"].as_i64().expect("answered"), record["ended"].as_i64().expect("ended"));
        talks.entry(agent).or_default().push(span);
    }
    assert_eq!(talks.values().map(Vec::len).sum::<usize>(), races, "one record a call");
    for (agent, spans) in &mut talks {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "agent {agent} had two calls at once: {pair:?}");
        }
    }
}

fn all_records(pbx: &Belfry) -> Vec<Value> {
    let mut out = Vec::new();
    let mut query = "/history?limit=200".to_owned();
    loop {
        let page = pbx.get(&query);
        out.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_i64() {
            Some(next) => query = format!("/history?limit=200&before={next}"),
            None => return out,
        }
    }
}
