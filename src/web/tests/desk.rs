//! What the desk, the wall and the reports get: the pop while it rings, a token that opens the wall and nothing else, and
//! figures that come from the records alone.
use super::common::{Bench, bench, request};
use crate::api::operations;
use crate::operation::Access;
use axum::http::StatusCode;
use model::clock::Wall;
use model::id::CallId;
use model::notice::{AgentView, Notice, QueueView, WaitingView};
use model::query::{Journey, Role};
use model::record::{AgentSpell, AgentState, CallRecord, CallStep, Direction, Outcome, Party};
use serde_json::json;

/// Some hours before the time of the bench.
const BEGAN: i64 = 1_759_990_000_000;

fn record(call: u64, caller: &str, agent: &str) -> CallRecord {
    CallRecord {
        call: CallId(call),
        direction: Direction::Inbound,
        caller: Party { number: caller.into(), name: String::new() },
        called: Party { number: "+4930100".into(), name: String::new() },
        trunk: None,
        queue: Some("support".into()),
        agent: Some(agent.into()),
        answered_by: Some(if agent == "7" { "101" } else { "104" }.into()),
        started: Wall(BEGAN),
        answered: None,
        ended: None,
        duration_ms: 0,
        talk_ms: 0,
        wait_ms: 0,
        outcome: Outcome::Answered,
        cause: String::new(),
        score: None,
    }
}

fn journey(bench: &Bench, call: u64, caller: &str, agent: &str, steps: &[(u64, &str, &str)]) {
    let step = |(i, (offset_ms, kind, detail)): (usize, &(u64, &str, &str))| CallStep {
        call: CallId(call),
        seq: u32::try_from(i).unwrap(),
        at: Wall(BEGAN + i64::try_from(*offset_ms).unwrap()),
        offset_ms: *offset_ms,
        kind: (*kind).to_owned(),
        detail: (*detail).to_owned(),
    };
    let steps = steps.iter().enumerate().map(step).collect();
    let journey = Journey { record: record(call, caller, agent), steps, recordings: Vec::new() };
    bench.disk.journeys.lock().unwrap().insert(call, journey);
}

#[tokio::test]
async fn while_it_rings_the_desk_knows_who_calls_and_what_was_before() {
    let bench = bench();
    let (ada, uli) = (bench.sign_in("ada").await, bench.sign_in("uli").await);
    let li = json!({ "numbers": ["+4930123456"], "name": "Li Na", "notes": "speaks softly", "class": "vip" });
    bench.ask(&ada, "POST", "/api/v1/contacts", Some(&li)).await;
    journey(&bench, 3, "+4930123456", "8", &[(0, "queue", "sales"), (900, "ended", "caller hung up")]);
    let steps = [
        (0, "trunk_in", "carrier"),
        (800, "menu", "hello"),
        (2_000, "queue", "support"),
        (9_000, "answered", "101"),
    ];
    journey(&bench, 4, "+4930123456", "7", &steps);
    let pop = bench.get(&ada, "/api/v1/calls/4/pop").await;
    assert_eq!(pop.status, StatusCode::OK, "{}", pop.text());
    let pop = pop.json();
    assert_eq!(
        (&pop["contact"]["name"], &pop["contact"]["notes"]),
        (&json!("Li Na"), &json!("speaks softly"))
    );
    assert_eq!((&pop["queue"], &pop["waited_ms"]), (&json!("support"), &json!(7_000)));
    assert_eq!((pop["calls"].as_array().unwrap().len(), &pop["calls"][0]["call"]), (1, &json!(3)));
    assert_eq!(pop["steps"][1]["kind"], "menu");
    assert_eq!(pop["page"], json!(null), "the site names no other program");
    // Somebody else's call is nobody's business.
    assert_eq!(bench.get(&ada, "/api/v1/calls/3/pop").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get(&uli, "/api/v1/calls/4/pop").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_screens_token_reads_the_wall_and_nothing_else_until_it_is_revoked() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let waiting = WaitingView {
        call: CallId(1),
        caller: Party { number: "+4930123456".into(), name: "Li Na".into() },
        since: Wall(7),
        callback: false,
    };
    let queue = QueueView {
        queue: "support".into(),
        waiting: vec![waiting],
        ready: 1,
        busy: 2,
        logged_in: 3,
        offered: 10,
        answered: 8,
        abandoned: 1,
        overflowed: 0,
        in_level: 7,
        wait_ms: 80_000,
        wait_from_s: None,
        wait_to_s: None,
        promised: 0,
        callbacks: Vec::new(),
    };
    let agent = AgentView {
        agent: "7".into(),
        name: "Ada".into(),
        extension: "101".into(),
        reachable: true,
        state: AgentState::NotReady { reason: "lunch".into() },
        since: Wall(0),
        cause: String::new(),
        call: None,
        calls: 0,
        missed: 0,
        wrap_code_due: false,
        reason_text: None,
        overdue: false,
        queues: Vec::new(),
    };
    [Notice::Queue(queue), Notice::Agent(agent)].into_iter().for_each(|n| bench.app.inbox().put(n));
    let made =
        bench.ask(&anna, "POST", "/api/v1/tokens", Some(&json!({ "name": "hall", "role": "wall" }))).await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let ask = async |method: &str, path: &str| {
        let mut request = request(method, path, (method != "GET").then(|| json!({})).as_ref());
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        bench.send(request).await
    };
    let wall = ask("GET", "/api/v1/wall").await;
    let board = wall.json();
    assert_eq!(
        (&board["queues"][0]["waiting"], &board["queues"][0]["longest_since"]),
        (&json!(1), &json!(7))
    );
    assert_eq!(
        (&board["agents"][0]["name"], &board["agents"][0]["reason"]),
        (&json!("Ada"), &json!("lunch"))
    );
    assert!(!wall.text().contains("+4930") && !wall.text().contains("Li Na"), "{}", wall.text());
    for operation in operations() {
        let Access::Roles(roles) = operation.access else { continue };
        if roles.contains(&Role::Wall) {
            assert_eq!(operation.path, "/api/v1/wall");
            continue;
        }
        let path = operation.path.replace(['{', '}'], "").replace("call", "1");
        let status = ask(operation.method.as_str(), &path).await.status;
        assert!(
            status == StatusCode::FORBIDDEN || status == StatusCode::NOT_FOUND,
            "{} {path}: {status}",
            operation.method
        );
    }
    let as_person = json!({ "name": "screen", "role": "wall", "password": "twelve white doves" });
    assert_eq!(
        bench.ask(&anna, "POST", "/api/v1/users", Some(&as_person)).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    bench.ask(&anna, "DELETE", "/api/v1/tokens/hall", None).await;
    assert_eq!(ask("GET", "/api/v1/wall").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn reports_count_the_records_and_say_no_to_what_is_no_span() {
    let bench = bench();
    let sam = bench.sign_in("sam").await;
    let answered = [
        (0, "queue", "support"),
        (15_000, "answered", "101"),
        (75_000, "left", "7"),
        (80_000, "survey", "4"),
        (82_000, "ended", "end of the flow"),
    ];
    journey(&bench, 1, "+4930111", "7", &answered);
    journey(&bench, 2, "+4930222", "7", &[(0, "queue", "support"), (30_000, "ended", "caller hung up")]);
    let spell = |since: i64, state| AgentSpell {
        agent: "7".into(),
        state,
        since: Wall(BEGAN + since),
        cause: String::new(),
        call: Some(CallId(1)),
    };
    *bench.disk.spells.lock().unwrap() = vec![
        spell(0, AgentState::Ready),
        spell(15_000, AgentState::Talking),
        spell(75_000, AgentState::LoggedOut),
    ];
    let span = format!("from={}&to={}", BEGAN - 1000, BEGAN + 3_600_000);
    let queues = bench.get(&sam, &format!("/api/v1/reports/queues?{span}")).await.json();
    let row = &queues[0];
    assert_eq!((&row["offered"], &row["answered"], &row["abandoned"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(
        (&row["wait_ms"], &row["talk_ms"], &row["in_level"]),
        (&json!(15_000), &json!(60_000), &json!(1))
    );
    let agents = bench.get(&sam, &format!("/api/v1/reports/agents?{span}&width=hour")).await.json();
    assert_eq!((&agents[0]["talking_ms"], &agents[0]["signed_in_ms"]), (&json!(60_000), &json!(75_000)));
    for row in [row, &agents[0]] {
        assert_eq!((&row["scored"], &row["score_sum"]), (&json!(1), &json!(4)), "{row}");
    }
    let csv = bench.get(&sam, &format!("/api/v1/reports/queues.csv?{span}")).await.text();
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|l| l.contains(",support,2,1,1,1,1,0,0,15.000,30.000,60.000,50.0,15.0,50.0,1,4.00")),
        "{csv}"
    );
    let csv = bench.get(&sam, &format!("/api/v1/reports/agents.csv?{span}")).await.text();
    assert!(
        csv.lines().nth(1).is_some_and(
            |l| l.ends_with(",7,1,75.000,15.000,0.000,60.000,0.000,0.000,80.0,80.0,1,4.00,0.000")
        ),
        "{csv}"
    );
    for wrong in
        ["from=5&to=5", "from=0&to=99999999999999", "from=-9223372036854775808&to=-9223372036854775807"]
    {
        let answer = bench.get(&sam, &format!("/api/v1/reports/queues?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}
