//! The capture over the interface: limits of the wish, the file, and nothing when there is none.
use super::common::bench;
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_capture_is_begun_within_its_limits_and_taken_away_as_a_file() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let file = "/api/v1/capture/file";
    assert_eq!(bench.ask(&anna, "GET", file, None).await.status, StatusCode::NOT_FOUND);
    for seconds in [0, 4, 3_601] {
        let answer = bench.ask(&anna, "POST", "/api/v1/capture", Some(&json!({ "seconds": seconds }))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.text().contains("5 to 3600 seconds") && answer.text().contains("秒"),
            "{}",
            answer.text()
        );
    }
    let answer = bench.ask(&anna, "POST", "/api/v1/capture", Some(&json!({ "seconds": 60 }))).await;
    assert_eq!((answer.status, answer.json()["running"] == true), (StatusCode::OK, true));
    let answer = bench.ask(&anna, "GET", file, None).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "60 seconds for anna"));
    assert_eq!(bench.ask(&anna, "DELETE", "/api/v1/capture", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.ask(&anna, "GET", file, None).await.status, StatusCode::NOT_FOUND);
}
