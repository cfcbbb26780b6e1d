//! The configuration through the interface: problems with their fields, conflicts, items, undo, differences.
use super::common::{Answer, Bench, Browser, bench, bench_on, with};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

async fn put(bench: &Bench, who: &Browser, path: &str, based_on: Option<u64>, body: &Value) -> Answer {
    let mut request = with(who, super::common::request("PUT", path, Some(body)));
    if let Some(generation) = based_on {
        request.headers_mut().insert("if-match", format!("\"{generation}\"").parse().unwrap());
    }
    bench.send(request).await
}

#[tokio::test]
async fn every_problem_comes_back_with_its_field() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mut tree = bench.site.tree();
    tree["extension"][1]["number"] = json!("x");
    tree["queue"][0]["overflow"] = json!("queue:nowhere");
    let answer = put(&bench, &anna, "/api/v1/config", Some(1), &tree).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problems = answer.json()["error"]["problems"].clone();
    let fields: Vec<&str> = problems.as_array().unwrap().iter().filter_map(|p| p["field"].as_str()).collect();
    assert!(fields.contains(&"extension[1].number") && fields.contains(&"queue[0].overflow"), "{fields:?}");
    assert_eq!(bench.get(&anna, "/api/v1/config").await.json()["generation"], 1, "nothing was stored");
}

#[tokio::test]
async fn a_write_on_an_old_version_is_refused_with_the_present_one() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mut item = json!({ "number": "102", "name": "Ulrike" });
    let first = put(&bench, &anna, "/api/v1/config/extension/102", Some(1), &item).await;
    assert_eq!(first.json()["generation"], 2, "{}", first.text());
    item["name"] = json!("Uwe");
    let late = put(&bench, &anna, "/api/v1/config/extension/102", Some(1), &item).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(late.json()["error"]["generation"], 2);
    let odd = put(&bench, &anna, "/api/v1/config/extension/102", None, &item).await;
    assert_eq!(odd.json()["generation"], 3, "without a version the present one is taken");
}

#[tokio::test]
async fn an_item_keeps_the_secrets_that_a_page_left_out_and_may_be_renamed() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let item = json!({ "number": "101", "name": "Ada L.", "voicemail": { "max_messages": 50 } });
    let answer = put(&bench, &anna, "/api/v1/config/extension/101", None, &item).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let read = bench.get(&anna, "/api/v1/config/extension/101").await.json();
    assert_eq!((&read["name"], &read["password"]), (&json!("Ada L."), &json!("secret-101")));
    assert_eq!(read["voicemail"]["pin"], "314159");

    let renamed = json!({ "number": "112233", "name": "Uli" });
    let answer = put(&bench, &anna, "/api/v1/config/extension/102", None, &renamed).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(bench.get(&anna, "/api/v1/config/extension/102").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get(&anna, "/api/v1/config/extension/112233").await.json()["password"], "secret-102");
}

#[tokio::test]
async fn items_are_made_and_removed_but_not_while_something_names_them() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let new = json!({ "name": "Front desk" });
    let answer = put(&bench, &anna, "/api/v1/config/extension/104", None, &new).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let made = bench.get(&anna, "/api/v1/config/extension/104").await.json();
    assert!(made["password"].as_str().unwrap().len() >= 8, "a password was made: {made}");
    let gone = bench.ask(&anna, "DELETE", "/api/v1/config/extension/104", None).await;
    assert_eq!(gone.status, StatusCode::OK);
    let named = bench.ask(&anna, "DELETE", "/api/v1/config/extension/101", None).await;
    assert_eq!(named.status, StatusCode::UNPROCESSABLE_ENTITY, "agent 7 works there");
    assert_eq!(
        bench.ask(&anna, "DELETE", "/api/v1/config/extension/999", None).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        bench.ask(&anna, "DELETE", "/api/v1/config/system/name", None).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(bench.get(&anna, "/api/v1/config/secrets").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        put(&bench, &anna, "/api/v1/config/extension/104", None, &json!([1])).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_section_is_replaced_and_a_change_can_be_read_and_undone() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mail = json!({ "host": "mail.example.org", "port": 587, "security": "starttls", "from": "box@example.org",
                       "user": "box", "password": "mail-secret" });
    let answer = put(&bench, &anna, "/api/v1/config/mail", Some(1), &mail).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let changes = bench.get(&anna, "/api/v1/config/history/2").await;
    assert_eq!(changes.json()["changes"][0]["path"], "mail");
    assert!(!changes.text().contains("mail-secret"));
    let undo = bench.ask(&anna, "POST", "/api/v1/config/history/1/undo", None).await;
    assert_eq!(undo.json()["generation"], 3);
    assert_eq!(bench.get(&anna, "/api/v1/config/mail").await.json(), Value::Null);
    let undo = bench.ask(&anna, "POST", "/api/v1/config/history/77/undo", None).await;
    assert_eq!(undo.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_text_goes_out_is_checked_and_comes_back() {
    let bench = bench();
    let toml = bench.local("GET", "/api/v1/config/export", None).await;
    assert_eq!(toml.headers["content-type"], "application/toml");
    let send = async |path: &str, text: String| {
        let mut request = Request::builder().method("POST").uri(path).body(Body::from(text)).unwrap();
        request.extensions_mut().insert(crate::guard::Peer::Local);
        bench.send(request).await
    };
    assert_eq!(send("/api/v1/config/check", toml.text()).await.json()["problems"], json!([]));
    let wrong = send("/api/v1/config/check", "[system]\ncountry = 7\n".into()).await.json();
    assert!(!wrong["problems"].as_array().unwrap().is_empty());
    assert_eq!(send("/api/v1/config/apply", toml.text()).await.json()["generation"], 2);
    assert_eq!(send("/api/v1/config/apply", "x = ".into()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_same_key_makes_one_token() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let ask = async |key: &str| {
        let body = json!({ "name": "crm", "role": "user" });
        let mut request = with(&anna, super::common::post("/api/v1/tokens", &body));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        bench.send(request).await
    };
    let (one, two, other) = (ask("k1").await, ask("k1").await, ask("k2").await);
    assert_eq!((one.status, &one.body), (two.status, &two.body));
    assert_eq!(other.status, StatusCode::CONFLICT, "a new key is a new wish");
}

#[tokio::test]
async fn a_repeated_key_acts_once_also_across_a_restart() {
    let bench = bench();
    let ask = async |bench: &Bench, key: &str| {
        let mut request = super::common::post("/api/v1/calls", &json!({ "from": "101", "to": "102" }));
        request.extensions_mut().insert(crate::guard::Peer::Local);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        bench.send(request).await.status
    };
    assert!(ask(&bench, "k1").await.is_success());
    let again = bench_on(bench.disk.clone());
    assert_eq!(ask(&again, "k1").await, StatusCode::CONFLICT, "what was begun is not done twice");
    assert!(again.engine.asked.lock().unwrap().is_empty(), "no second call");
    assert!(ask(&again, "k2").await.is_success());
    again.clock.forward_s(601);
    assert!(ask(&again, "k1").await.is_success(), "forgotten after ten minutes");
}

#[tokio::test]
async fn a_used_thing_is_refused_with_its_users_and_goes_with_them_on_request() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let refused = bench.ask(&anna, "DELETE", "/api/v1/config/extension/101", None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "in_use"));
    assert!(refused.text().contains("extension 101 is used by: agent 7"), "{}", refused.text());
    assert_eq!(bench.get(&anna, "/api/v1/config").await.json()["generation"], 1, "nothing was stored");
    let gone = bench.ask(&anna, "DELETE", "/api/v1/config/extension/101?cascade=true", None).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.text());
    let tree = bench.get(&anna, "/api/v1/config").await.json()["config"].clone();
    assert!(
        !tree["extension"].to_string().contains("\"101\"") && !tree["agent"].to_string().contains("\"7\""),
        "{tree}"
    );
}
