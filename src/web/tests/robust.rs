//! Hostile bodies, headers and ranges: refused in our words, never a 5xx, never internals (W6, W7).
use super::common::{Bench, bench, post, request, with};
use crate::api::operations;
use crate::headers::{CSP, PERMISSIONS};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    for path in
        ["/", "/queues/support", "/assets/none.js", "/api/v1/session", "/api/v1/none", "/api/openapi.json"]
    {
        let answer = bench.get(&anna, path).await;
        assert_eq!(answer.headers["content-security-policy"], CSP, "{path}");
        assert_eq!(answer.headers["permissions-policy"], PERMISSIONS, "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("strict-transport-security"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        assert!(!answer.headers.contains_key("server"));
        let api = path.starts_with("/api");
        assert_eq!(answer.headers.get("cache-control").is_some_and(|v| v == "no-store"), api, "{path}");
    }
    assert!(!CSP.contains("unsafe") && CSP.contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn unknown_operations_and_methods_are_told_apart() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    assert_eq!(bench.get(&anna, "/api/v2/calls").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get(&anna, "/api").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.ask(&anna, "PATCH", "/api/v1/calls", None).await.code(), "method");
    assert_eq!(bench.get(&anna, "/api/v1/history/xyz").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get(&anna, "/api/v1/history?limit=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        bench.get(&anna, "/api/v1/history?outcome=DROP%20TABLE").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn too_much_is_refused_by_its_length_and_by_its_bytes() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let mut told = with(&anna, post("/api/v1/login", &json!({})));
    told.headers_mut().insert("content-length", "41943040".parse().unwrap());
    assert_eq!(bench.send(told).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/api/v1/config", "/api/v1/config/system"] {
        let mut silent = with(&anna, request("PUT", path, Some(&Value::Null)));
        *silent.body_mut() = Body::from(vec![b' '; 2 * 1024 * 1024]);
        assert_eq!(bench.send(silent).await.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    let mut text = with(&anna, request("POST", "/api/v1/config/check", None));
    *text.body_mut() = Body::from(vec![b'#'; 2 * 1024 * 1024]);
    assert_eq!(bench.send(text).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn hostile_bodies_never_break_anything() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let deep = "[".repeat(100_000);
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        "0",
        "\"\"",
        "{\"a\":",
        "\u{0}",
        "nul",
        deep.as_str(),
        "{\"name\":null}",
        "{\"name\":{\"$gt\":\"\"},\"role\":\"admin\"}",
        "{\"name\":\"../../etc/passwd\",\"role\":\"admin\",\"password\":\"x\"}",
        "{\"heard\":\"yes\"}",
        "{\"role\":\"root\"}",
        "{\"on\":true,\"paused\":true}",
        "1e999",
        "{\"from\":\"1'; DROP TABLE calls;--\",\"to\":\"101\"}",
    ];
    for operation in operations().iter().filter(|o| o.method != "GET") {
        for body in bodies {
            for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
                let path = operation
                    .path
                    .replace("{section}", "system")
                    .replace("{key}", "%2e%2e%2f")
                    .replace(['{', '}'], "");
                if path.ends_with("logout") {
                    continue;
                }
                let mut request = with(&anna, request(operation.method.as_str(), &path, None));
                request.headers_mut().insert("content-type", kind.parse().unwrap());
                *request.body_mut() = Body::from(body.to_owned());
                let answer = bench.send(request).await;
                let what = format!("{} {path} {kind} {:.40}: {}", operation.method, body, answer.status);
                assert!(!answer.status.is_server_error(), "{what}");
                assert!(!answer.text().contains("panicked") && !answer.text().contains("src/"), "{what}");
            }
        }
    }
}

fn recording(bench: &Bench) -> Vec<u8> {
    let sound: Vec<u8> = (0..100_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    std::fs::write(bench.folder.path().join("1.wav"), &sound).unwrap();
    sound
}

fn message(path: &str) -> model::record::MessageRecord {
    model::record::MessageRecord {
        message: model::id::MessageId(1),
        mailbox: model::number::Number::read("103").unwrap(),
        call: model::id::CallId(1),
        caller: model::record::Party::default(),
        at: model::clock::Wall(0),
        ms: 1,
        path: path.into(),
        heard: false,
        mail_to: None,
    }
}

#[tokio::test]
async fn a_player_seeks_by_ranges() {
    let bench = bench();
    let sound = recording(&bench);
    bench.disk.messages.lock().unwrap().push(message("1.wav"));
    let anna = bench.sign_in("anna").await;
    let ask = async |range: &str| {
        let mut request = with(&anna, request("GET", "/api/v1/messages/1/audio", None));
        request.headers_mut().insert("range", range.parse().unwrap());
        bench.send(request).await
    };
    let whole = bench.get(&anna, "/api/v1/messages/1/audio").await;
    assert_eq!((whole.status, whole.body.as_slice()), (StatusCode::OK, sound.as_slice()));
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    let part = ask("bytes=40000-80000").await;
    assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &sound[40_000..=80_000]));
    assert_eq!(part.headers["content-range"], "bytes 40000-80000/100000");
    assert_eq!(part.headers["content-length"], "40001");
    assert_eq!(ask("bytes=-10").await.body, &sound[99_990..]);
    let outside = ask("bytes=100000-").await;
    assert_eq!(outside.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(outside.headers["content-range"], "bytes */100000");
}

#[tokio::test]
async fn a_record_cannot_lead_out_of_the_data_folder() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    for path in ["/etc/hostname", "../secret", "a/../../secret", "./1.wav", ""] {
        *bench.disk.messages.lock().unwrap() = vec![message(path)];
        let answer = bench.get(&anna, "/api/v1/messages/1/audio").await;
        assert_ne!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.text().contains(path) || path.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn pages_are_served_for_deep_links_and_only_read() {
    let bench = bench();
    let answer = bench.send(Request::get("/extensions/101").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = bench.send(Request::get("/assets/old-1234.js").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = bench.send(Request::post("/extensions/101").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn any_query_and_path_is_survived(path in "[ -~]{0,40}", query in "[ -~]{0,60}", range in "[ -~]{0,30}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = BENCH.get_or_init(bench);
            let uri = format!("/api/v1/history/{path}?{query}");
            let Ok(uri) = uri.parse::<axum::http::Uri>() else { return };
            let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            if let Ok(range) = range.parse() {
                request.headers_mut().insert("range", range);
            }
            request.extensions_mut().insert(crate::guard::Peer::Local);
            let status = bench.send(request).await.status;
            assert!(!status.is_server_error(), "{status}");
        });
    }
}

static BENCH: std::sync::OnceLock<Bench> = std::sync::OnceLock::new();
