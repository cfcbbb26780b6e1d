//! A network change on trial, as its askers see it.
use super::common::{bench, request};
use axum::http::StatusCode;
use serde_json::json;

fn keep(token: &str, host: &str) -> axum::http::Request<axum::body::Body> {
    let mut request = request("POST", "/api/v1/network/keep", Some(&json!({ "token": token })));
    request.headers_mut().insert("host", host.parse().unwrap());
    request
}

#[tokio::test]
async fn a_change_is_kept_only_with_its_token_and_never_from_the_old_address() {
    let bench = bench();
    assert_eq!(bench.send(keep("wrong", "192.0.2.10")).await.status, StatusCode::CONFLICT);
    let old = bench.send(keep("right", "198.51.100.7:443")).await;
    assert_eq!((old.status, old.code().as_str()), (StatusCode::CONFLICT, "old_address"));
    assert_eq!(bench.send(keep("right", "192.0.2.10")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.send(keep("right", "192.0.2.10")).await.status, StatusCode::CONFLICT, "once is enough");
}

#[tokio::test]
async fn only_administrators_see_the_token() {
    let bench = bench();
    for (who, seen) in [("anna", json!("right")), ("sam", json!(null))] {
        let who = bench.sign_in(who).await;
        let tried = bench.get(&who, "/api/v1/network").await.json()["tried"].clone();
        assert_eq!((&tried["token"], &tried["left_s"]), (&seen, &json!(42)));
    }
}
