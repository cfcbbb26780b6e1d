//! Every operation against four roles, nobody and forged proofs (W1), and everybody against other people's things (W2).
use super::common::{Bench, Browser, bench, name_of, request, with};
use crate::api::operations;
use crate::operation::{Access, Operation, Schemas};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::clock::Wall;
use model::id::{CallId, MessageId, RecordingId};
use model::number::Number;
use model::query::{Journey, RecordingRow, Role};
use model::record::{CallRecord, Direction, MessageRecord, Outcome, Party, RecordingRecord};
use serde_json::json;

/// What anybody on the network may ask. Longer only on purpose.
const PUBLIC: [&str; 7] = [
    "GET /api/openapi.json",
    "GET /api/v1/setup",
    "POST /api/v1/login",
    "POST /api/v1/network/keep",
    "POST /api/v1/setup",
    "POST /api/v1/setup/backup",
    "POST /api/v1/setup/restore",
];

fn path_of(operation: &Operation) -> String {
    let parts = operation.path.split('/').map(|part| match part {
        "{agent}" => "7",
        "{address}" => "192.0.2.1",
        "{section}" => "queue",
        "{key}" => "support",
        "{call}" | "{contact}" | "{generation}" | "{message}" | "{recording}" => "1",
        part if part.starts_with('{') => "nobody",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn ask(operation: &Operation) -> Request<Body> {
    let write = operation.method != "GET";
    request(operation.method.as_str(), &path_of(operation), write.then(|| json!({})).as_ref())
}

/// Let through by the door: whatever the operation then says of an empty body or an unknown thing.
fn passed(status: StatusCode, code: &str) -> bool {
    status != StatusCode::UNAUTHORIZED && !(status == StatusCode::FORBIDDEN && code != "wrong_code")
}

#[tokio::test]
async fn each_role_passes_exactly_the_doors_that_name_it() {
    let bench = bench();
    let mut browsers = Vec::new();
    for role in Role::ALL {
        browsers.push((role, bench.sign_in(name_of(role)).await));
    }
    for operation in operations() {
        let Access::Roles(roles) = operation.access else { continue };
        // Signing out is looked at elsewhere; the code is for the local socket; the live socket wants an upgrade.
        if matches!(operation.path, "/api/v1/logout" | "/api/v1/setup/code") {
            continue;
        }
        for (role, browser) in &browsers {
            let answer = bench.send(with(browser, ask(&operation))).await;
            let own_limit = roles.contains(role) && answer.code() == "forbidden" && *role < Role::Supervisor;
            let name = format!(
                "{role:?} {} {}: {} {}",
                operation.method,
                operation.path,
                answer.status,
                answer.text()
            );
            assert!(!answer.status.is_server_error(), "{name}");
            if operation.path == "/api/v1/live" {
                continue;
            }
            assert_eq!(passed(answer.status, &answer.code()) || own_limit, roles.contains(role), "{name}");
        }
    }
}

#[tokio::test]
async fn nobody_and_forgers_pass_no_door() {
    let bench = bench();
    let real = bench.sign_in("anna").await;
    let forged: Vec<(&str, String)> = vec![
        ("cookie", "__Host-belfry=00000000000000000000000000000000".into()),
        ("cookie", real.cookie.to_uppercase()),
        ("cookie", format!("{}0", real.cookie)),
        ("cookie", "__Host-belfry=' OR 1=1 --".into()),
        ("authorization", "Bearer ".into()),
        ("authorization", "Bearer belfry_0000000000000000000000000000000000000000".into()),
        ("authorization", "Basic YW5uYTp0d2VsdmUgd2hpdGUgZG92ZXM=".into()),
        ("x-role", "admin".into()),
        ("x-forwarded-for", "127.0.0.1".into()),
        ("x-forwarded-user", "anna".into()),
    ];
    for operation in operations() {
        if operation.access == Access::Public {
            continue;
        }
        let answer = bench.send(ask(&operation)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", operation.method, operation.path);
        for (header, value) in &forged {
            let mut request = ask(&operation);
            let name: axum::http::HeaderName = header.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
            request.headers_mut().insert("x-csrf", real.csrf.parse().unwrap());
            let answer = bench.send(request).await;
            let what = format!("{} {} with {header}: {value}", operation.method, operation.path);
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        }
    }
    assert!(bench.engine.asked.lock().unwrap().is_empty(), "nothing reached the engine");
}

#[test]
fn every_operation_names_its_roles_and_the_public_list_is_written_out() {
    let mut public = Vec::new();
    for operation in operations() {
        let roles =
            operation.describe(&mut Schemas::new())["x-roles"].as_array().cloned().unwrap_or_default();
        assert!(!roles.is_empty(), "{} {} names nobody", operation.method, operation.path);
        if operation.access == Access::Public {
            public.push(format!("{} {}", operation.method, operation.path));
        }
    }
    public.sort();
    assert_eq!(public, PUBLIC);
}

#[test]
fn the_committed_openapi_document_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let now = crate::api::openapi::build();
    if std::env::var_os("BELFRY_WRITE_OPENAPI").is_some() {
        std::fs::write(path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    }
    let committed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(committed == now, "src/web/openapi.json is old: BELFRY_WRITE_OPENAPI=1 cargo test -p web");
}

#[test]
fn every_schema_that_is_named_is_there() {
    let document = crate::api::openapi::build();
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"][name].is_object(), "{name} is named but not described");
    }
}

fn keep_a_call_and_a_message(bench: &Bench) {
    let party = |n: &str| Party { number: n.into(), name: String::new() };
    let record = CallRecord {
        call: CallId(1),
        direction: Direction::Inbound,
        caller: party("+4930123"),
        called: party("+4930999"),
        trunk: Some("carrier".into()),
        queue: Some("support".into()),
        agent: Some("7".into()),
        answered_by: Some("101".into()),
        started: Wall(0),
        answered: Some(Wall(1)),
        ended: Some(Wall(2)),
        duration_ms: 2,
        talk_ms: 1,
        wait_ms: 0,
        outcome: Outcome::Answered,
        cause: "caller hung up".into(),
        score: None,
    };
    let recording = RecordingRecord {
        recording: RecordingId(1),
        call: CallId(1),
        path: "recordings/1.wav".into(),
        started: Wall(0),
        left: "caller".into(),
        right: "101".into(),
    };
    let recordings = vec![RecordingRow { recording, ms: Some(1), hold: None }];
    bench.disk.journeys.lock().unwrap().insert(1, Journey { record, steps: Vec::new(), recordings });
    bench.disk.messages.lock().unwrap().push(MessageRecord {
        message: MessageId(1),
        mailbox: Number::read("101").unwrap(),
        call: CallId(1),
        caller: party("+4930123"),
        at: Wall(0),
        ms: 1,
        path: "voicemail/1.wav".into(),
        heard: false,
        mail_to: None,
    });
    for folder in ["recordings", "voicemail"] {
        std::fs::create_dir(bench.folder.path().join(folder)).unwrap();
        std::fs::write(bench.folder.path().join(folder).join("1.wav"), vec![7; 100_000]).unwrap();
    }
}

#[tokio::test]
async fn an_agents_voicemail_is_closed_to_administrators_and_a_supervisors_listening_is_noted() {
    let bench = bench();
    keep_a_call_and_a_message(&bench);
    let (sam, anna) = (bench.sign_in("sam").await, bench.sign_in("anna").await);
    for path in ["/api/v1/messages/1/audio", "/api/v1/messages?mailbox=101"] {
        assert_eq!(bench.get(&anna, path).await.status, StatusCode::FORBIDDEN, "admin {path}");
    }
    assert_eq!(bench.get(&anna, "/api/v1/messages").await.json(), json!([]), "not even listed");
    assert_eq!(bench.ask(&anna, "DELETE", "/api/v1/messages/1", None).await.status, StatusCode::FORBIDDEN);
    assert!(bench.engine.asked.lock().unwrap().is_empty());
    assert_eq!(bench.get(&sam, "/api/v1/messages?mailbox=101").await.json()[0]["message"], 1);
    assert_eq!(bench.get(&sam, "/api/v1/messages/1/audio").await.status, StatusCode::OK);
    let asked = format!("{:?}", bench.engine.asked.lock().unwrap());
    assert!(asked.contains("MessageListened") && asked.contains("sam"), "{asked}");
    assert_eq!(bench.ask(&sam, "DELETE", "/api/v1/messages/1", None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_mailbox_of_an_agent_who_never_signs_in_is_closed_too_unless_the_site_calls_it_shared() {
    let bench = bench();
    keep_a_call_and_a_message(&bench);
    assert_eq!(bench.local("DELETE", "/api/v1/users/ada", None).await.status, StatusCode::NO_CONTENT);
    let (sam, anna) = (bench.sign_in("sam").await, bench.sign_in("anna").await);
    let all = async || bench.get(&anna, "/api/v1/messages").await.json().as_array().unwrap().len();
    let status = async |path: &str| bench.get(&anna, path).await.status;
    let (sound, list) = ("/api/v1/messages/1/audio", "/api/v1/messages?mailbox=101");
    for path in [sound, list] {
        assert_eq!(status(path).await, StatusCode::FORBIDDEN, "admin {path}");
        assert_eq!(bench.local("GET", path, None).await.status, StatusCode::FORBIDDEN, "console {path}");
        assert_eq!(bench.get(&sam, path).await.status, StatusCode::OK, "supervisor {path}");
    }
    assert_eq!(all().await, 0);

    let item = |shared: bool| json!({ "number": "101", "voicemail": { "shared": shared } });
    for (shared, seen) in [(true, StatusCode::OK), (false, StatusCode::FORBIDDEN)] {
        let put = bench.ask(&anna, "PUT", "/api/v1/config/extension/101", Some(&item(shared))).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
        assert_eq!((status(sound).await, status(list).await, all().await), (seen, seen, usize::from(shared)));
    }
    let put = bench.ask(&anna, "DELETE", "/api/v1/config/queue/support", None).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    let put = bench.ask(&anna, "DELETE", "/api/v1/config/agent/7", None).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert_eq!(all().await, 1, "nobody works there any more");
}

#[tokio::test]
async fn other_peoples_calls_recordings_and_messages_do_not_exist() {
    let bench = bench();
    keep_a_call_and_a_message(&bench);
    let see = async |browser: &Browser, path: &str| bench.get(browser, path).await.status;
    let (ada, uli) = (bench.sign_in("ada").await, bench.sign_in("uli").await);
    let (sam, anna) = (bench.sign_in("sam").await, bench.sign_in("anna").await);
    for path in ["/api/v1/history/1", "/api/v1/recordings/1"] {
        assert_eq!(see(&ada, path).await, StatusCode::OK, "own {path}");
        assert_eq!(see(&anna, path).await, StatusCode::OK, "admin {path}");
        assert_eq!(see(&uli, path).await, StatusCode::NOT_FOUND, "other's {path}");
    }
    assert_eq!(see(&ada, "/api/v1/messages/1/audio").await, StatusCode::OK, "own message");
    assert_eq!(see(&uli, "/api/v1/messages/1/audio").await, StatusCode::NOT_FOUND, "other's message");
    assert_eq!(see(&sam, "/api/v1/recordings/1").await, StatusCode::OK);
    assert_eq!(see(&uli, "/api/v1/messages?mailbox=101").await, StatusCode::FORBIDDEN);
    assert_eq!(bench.get(&uli, "/api/v1/messages").await.json(), json!([]));
    assert_eq!(bench.get(&uli, "/api/v1/history").await.json()["items"], json!([]));
    assert_eq!(bench.get(&ada, "/api/v1/history").await.json()["items"][0]["call"], 1);
    let heard = json!({ "heard": true });
    assert_eq!(
        bench.ask(&uli, "PATCH", "/api/v1/messages/1", Some(&heard)).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(bench.ask(&uli, "DELETE", "/api/v1/messages/1", None).await.status, StatusCode::NOT_FOUND);
    assert!(bench.engine.asked.lock().unwrap().is_empty());
    assert_eq!(
        bench.ask(&ada, "PATCH", "/api/v1/messages/1", Some(&heard)).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn an_agent_sets_only_the_own_state_and_dials_only_from_the_own_phone() {
    let bench = bench();
    let (ada, uli, sam) =
        (bench.sign_in("ada").await, bench.sign_in("uli").await, bench.sign_in("sam").await);
    let status =
        async |who: &Browser, path: &str, body| bench.ask(who, "POST", path, Some(&body)).await.status;
    assert_eq!(status(&ada, "/api/v1/agents/7/login", json!({})).await, StatusCode::NO_CONTENT);
    assert_eq!(status(&ada, "/api/v1/agents/8/login", json!({})).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&uli, "/api/v1/agents/7/login", json!({})).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&sam, "/api/v1/agents/7/ready", json!({})).await, StatusCode::NO_CONTENT);
    assert_eq!(status(&sam, "/api/v1/agents/8/ready", json!({})).await, StatusCode::NOT_FOUND);
    let long = json!({ "reason": "x".repeat(61) });
    assert_eq!(status(&ada, "/api/v1/agents/7/pause", long).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status(&uli, "/api/v1/calls", json!({"to": "103"})).await, StatusCode::NO_CONTENT);
    assert_eq!(
        status(&uli, "/api/v1/calls", json!({"from": "101", "to": "103"})).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(&sam, "/api/v1/calls", json!({"from": "101", "to": "103"})).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        status(&sam, "/api/v1/calls", json!({"from": "1x", "to": ""})).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn everybody_moves_the_own_extension_to_another_phone_and_leads_anybodys() {
    let bench = bench();
    let (ada, uli, sam) =
        (bench.sign_in("ada").await, bench.sign_in("uli").await, bench.sign_in("sam").await);
    let to = |phone: &str| json!({ "phone": phone });
    let put = async |who: &Browser, path: &str, body| bench.ask(who, "PUT", path, Some(&body)).await.status;
    let (adas, ulis) = ("/api/v1/extensions/101/desk", "/api/v1/extensions/102/desk");
    assert_eq!(put(&ada, adas, to("103")).await, StatusCode::NO_CONTENT);
    assert_eq!(put(&ada, ulis, to("103")).await, StatusCode::NOT_FOUND);
    assert_eq!(put(&uli, ulis, to("x")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put(&sam, ulis, to("103")).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.ask(&uli, "DELETE", adas, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.ask(&uli, "DELETE", ulis, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn secrets_of_the_configuration_reach_administrators_only() {
    let bench = bench();
    for role in Role::ALL {
        let browser = bench.sign_in(name_of(role)).await;
        let answer = bench.get(&browser, "/api/v1/config").await;
        let text = answer.text();
        assert_eq!(answer.status, StatusCode::OK);
        assert!(text.contains("\"Ada\""), "{role:?} sees names");
        assert_eq!(text.contains("secret-101"), role == Role::Admin, "{role:?}");
        assert_eq!(text.contains("314159"), role == Role::Admin, "{role:?}");
    }
    let sam = bench.sign_in("sam").await;
    let item = bench.get(&sam, "/api/v1/config/extension/101").await;
    assert_eq!((item.status, item.text().contains("secret")), (StatusCode::OK, false));
}

#[tokio::test]
async fn tokens_have_their_role_and_die_when_removed() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let wish = json!({ "name": "crm", "role": "supervisor" });
    let made = bench.ask(&anna, "POST", "/api/v1/tokens", Some(&wish)).await.json();
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(!bench.get(&anna, "/api/v1/tokens").await.text().contains(&token));
    let ask = async |path: &str| {
        let mut request = request("GET", path, None);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        bench.send(request).await.status
    };
    assert_eq!(ask("/api/v1/calls").await, StatusCode::OK);
    assert_eq!(ask("/api/v1/users").await, StatusCode::FORBIDDEN);
    assert_eq!(bench.ask(&anna, "DELETE", "/api/v1/tokens/crm", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask("/api/v1/calls").await, StatusCode::UNAUTHORIZED);
}
